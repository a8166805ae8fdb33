//! Walks in step: up to [`WAVE`] items go to their next symbol together.
//!
//! One item after the other waits for a square root, a division and a branch that nobody can predict at each of
//! its 2·ln m steps. Here all walks of a wave take one step, those that leave the range are sorted out, and the
//! rest take the next: the same operation on adjacent values without a branch, which is what vector units are for.
//!
//! The state is the generator's, so no lane differs in it. Of the index only the rounding is delicate: with
//! q = (1 − u)^(−1/2) the next one is ⌈(i + 1.5)·q − 1.5⌉. A square root and a division take a vector unit some forty
//! cycles; the processor's rough reciprocal square root and one step of the series
//! (1 − e)^(−1/2) = 1 + e/2 + 3e²/8 + 5e³/16 + … give q to a relative 2^-40.6 in a few. The scalar formula is itself within
//! 2^-51 of the truth. So where (i + 1.5)·q − 1.5 is further than (i + 1.5)·q·2^-39 from an integer, both round alike
//! whatever the approximation is (it differs between vendors). Elsewhere the scalar formula decides.
//!
//! **AVX2.** Four walks at once, with a root of 12 bits and the third term of the series. The 52 leading bits of the state
//! stand for all, so that the definition decides for u within 2^-12 of 1 too, in all for one walk in 4000.
//! **AVX-512.** Eight at once, with a root of 14 bits and two terms; see there.

use super::mapping::Walk;
use ground::Ground;
pub use ground::Place;

/// Most walks in a wave, by which their number in it fits into 8 bits.
pub const WAVE: usize = 256;

/// Index at which all walks beyond any stream stand: the largest in 24 bits.
pub const FAR: u32 = (1 << 24) - 1;

const _: () = assert!(crate::wire::SYMBOLS_MAX < FAR as u64);

/// Room that a vector may touch behind the last walk.
const SLACK: usize = 8;

/// How walks are advanced. All ways give the same indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// One walk at a time, by the definition.
    Portable,
    /// Four in lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Eight in lanes.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Path {
    /// The fastest that this machine has.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if Self::has_avx512() {
            return Self::Avx512;
        } else if Self::has_avx2() {
            return Self::Avx2;
        }
        Self::Portable
    }

    #[cfg(target_arch = "x86_64")]
    fn has_avx2() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("popcnt")
    }

    #[cfg(target_arch = "x86_64")]
    fn has_avx512() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512bitalg")
            && is_x86_feature_detected!("gfni")
            && is_x86_feature_detected!("popcnt")
    }

    /// As results record it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2+fma",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512+gfni",
        }
    }

    /// All that this machine has.
    #[cfg(test)]
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(Self::has_avx2().then_some(Self::Avx2));
            all.extend(Self::has_avx512().then_some(Self::Avx512));
        }
        all
    }
}

/// Walks, each with its number in the wave.
#[derive(Clone, Debug)]
struct Lanes {
    states: [u64; WAVE + SLACK],
    places: [Place; WAVE + SLACK],
    len: usize,
}

impl Lanes {
    fn new() -> Self {
        Self { states: [0; WAVE + SLACK], places: [Place::default(); WAVE + SLACK], len: 0 }
    }

    fn push(&mut self, state: u64, place: Place) {
        self.states[self.len] = state;
        self.places[self.len] = place;
        self.len += 1;
    }
}

/// Proof that a wave has crossed, and so that the processor has all that [`Path::Avx512`] stands for.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub struct Crossed {
    len: usize,
}

/// A wave: the walks that are within the range, and those that have left it.
#[derive(Clone, Debug)]
pub struct Wave {
    path: Path,
    /// Whether anybody will ask where walks are that have left.
    kept: bool,
    /// The range: all walks that are here stand in it.
    start: u32,
    end: u32,
    here: Lanes,
    gone: Lanes,
}

impl Wave {
    /// An empty wave.
    pub fn new(path: Path) -> Self {
        Self { path, kept: true, start: 0, end: 0, here: Lanes::new(), gone: Lanes::new() }
    }

    /// An empty wave that forgets walks as they leave the range, for who makes all symbols at once.
    pub fn forgetful(path: Path) -> Self {
        Self { kept: false, ..Self::new(path) }
    }

    /// Takes those of at most [`WAVE`] walks that stand from `start` on and before `end`, which is at most
    /// `SYMBOLS_MAX`.
    pub fn load(&mut self, states: &[u64], nexts: &[u32], [start, end]: [u32; 2]) {
        debug_assert!(states.len() <= WAVE && start <= end && end < FAR);
        (self.start, self.end) = (start, end);
        self.gone.len = 0;
        let mut len = 0;
        for (number, (state, next)) in states.iter().zip(nexts).enumerate() {
            // Written in any case and kept by counting: whether a walk is in the range is a coin toss.
            self.here.states[len] = *state;
            self.here.places[len] = Place::new(*next, number as u8);
            len += usize::from((start..end).contains(next));
        }
        self.here.len = len;
    }

    /// Where each walk in the range stands.
    pub fn places(&self) -> &[Place] {
        &self.here.places[..self.here.len]
    }

    /// Every walk in the range takes a step, after `each` was given what of `addends` has its number, and what of `symbols`
    /// is where it stands. The symbols are those of the range.
    #[inline]
    pub fn step<A, B, T, M>(
        &mut self,
        addends: (&[A; WAVE], &[B; WAVE]),
        symbols: (&mut [T], &mut [M]),
        mut each: impl FnMut((&A, &B), (&mut T, &mut M)),
    ) {
        let mut ground = Ground::new(self, addends, symbols);
        #[cfg(target_arch = "x86_64")]
        if self.path == Path::Avx512 {
            #[allow(unsafe_code)]
            // SAFETY: this path is chosen where the processor has what it needs.
            unsafe {
                if self.kept {
                    avx512::step::<true, _, _, _, _>(self, ground, each);
                } else {
                    avx512::step::<false, _, _, _, _>(self, ground, each);
                }
            }
            return;
        }
        #[allow(unsafe_code)]
        // SAFETY: these are places of the wave.
        self.places().iter().for_each(|place| unsafe { ground.visit(*place, &mut each) });
        match self.path {
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            // SAFETY: as above.
            Path::Avx2 => unsafe {
                if self.kept { avx2::step::<true>(self) } else { avx2::step::<false>(self) }
            },
            _ => self.step_portable(),
        }
    }

    /// Nearly all walks go on until they are past `end`, at most 64 symbols behind `start`, and stay in their lanes, until
    /// [`Self::settle`] is called. `met`, all 0, becomes for each lane which symbols from `start` on it met, as bits. None
    /// where the processor has nothing that would make this worth while.
    #[cfg(target_arch = "x86_64")]
    pub fn cross(&mut self, start: u32, end: u32, met: &mut [u64; WAVE]) -> Option<Crossed> {
        debug_assert!(start < end && end <= start + 64 && end <= self.end);
        if self.path != Path::Avx512 {
            return None;
        }
        let len = self.here.len;
        #[allow(unsafe_code)]
        // SAFETY: this path is chosen where the processor has what it needs.
        unsafe {
            avx512::cross(self, start, end, met);
        }
        // Some have left the range: nobody is to look where they stand.
        self.here.len = 0;
        Some(Crossed { len })
    }

    /// Each lane that has crossed, wherever its walk is.
    #[cfg(target_arch = "x86_64")]
    pub fn lanes(&self, crossed: Crossed) -> &[Place] {
        &self.here.places[..crossed.len]
    }

    /// Sorts out the walks that have left the range, after [`Self::cross`].
    #[cfg(target_arch = "x86_64")]
    pub fn settle(&mut self, crossed: Crossed) {
        assert!(self.path == Path::Avx512);
        #[allow(unsafe_code)]
        // SAFETY: as above.
        unsafe {
            if self.kept {
                avx512::settle::<true>(self, crossed.len);
            } else {
                avx512::settle::<false>(self, crossed.len);
            }
        }
    }

    fn step_portable(&mut self) {
        let before = std::mem::take(&mut self.here.len);
        for k in 0..before {
            let (mut state, place) = (self.here.states[k], self.here.places[k]);
            let next = advance(&mut state, place.index());
            let lanes = if next < self.end { &mut self.here } else { &mut self.gone };
            lanes.push(state, Place::new(next, place.number()));
        }
    }

    /// Puts the walks that have left the range back where they came from.
    pub fn unload(&self, states: &mut [u64], nexts: &mut [u32]) {
        for (state, place) in self.gone.states.iter().zip(&self.gone.places).take(self.gone.len) {
            let number = usize::from(place.number());
            states[number] = *state;
            nexts[number] = place.index();
        }
    }
}

/// A step by the definition.
fn advance(state: &mut u64, index: u32) -> u32 {
    let mut walk = Walk::at(*state, u64::from(index));
    walk.advance();
    *state = walk.state();
    walk.index().min(u64::from(FAR)) as u32
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod ground;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Rng, Seed};
    use proptest::prelude::*;

    /// Of the multiplier of the generator: which state leads to one.
    const INVERSE: u64 = 0x8b83_8d03_54ea_d59d;

    const NUMBERS: [u8; WAVE] = {
        let mut numbers = [0; WAVE];
        let mut number = 0;
        while number < WAVE {
            numbers[number] = number as u8;
            number += 1;
        }
        numbers
    };

    /// A state, now and then one whose next step from `index` has a gap that is next to an integer.
    fn state(rng: &mut Rng, lane: usize, index: u32) -> u64 {
        // u after the step that makes the gap k: 1 − u = ((i + 1.5)/(i + 1.5 + k))^2.
        let gap = rng.below(1 << (lane % 16)) as f64;
        let share = (f64::from(index) + 1.5) / (f64::from(index) + 1.5 + gap);
        let r = (share * share * 2_f64.powi(64)) as u64;
        match lane % 4 {
            0 => rng.next_u64(),
            1 => INVERSE.wrapping_mul(r),
            2 => INVERSE.wrapping_mul(r.wrapping_add(rng.below(1 << 13)).wrapping_sub(1 << 12)),
            _ => INVERSE.wrapping_mul(rng.next_u64() >> rng.below(64)),
        }
    }

    /// All places in order of steps, and where the walks are left.
    fn run(path: Path, states: &[u64], nexts: &[u32], end: u32) -> (Vec<Place>, Vec<u64>, Vec<u32>) {
        let (mut states, mut nexts) = (states.to_vec(), nexts.to_vec());
        let mut met = Vec::new();
        let mut wave = Wave::new(path);
        wave.load(&states, &nexts, [0, end]);
        let mut indices: Vec<u32> = (0..end).collect();
        while !wave.places().is_empty() {
            let symbols = (&mut indices[..], &mut vec![(); end as usize][..]);
            wave.step((&NUMBERS, &[(); WAVE]), symbols, |(number, ()), (index, ())| {
                met.push(Place::new(*index, *number));
            });
        }
        wave.unload(&mut states, &mut nexts);
        (met, states, nexts)
    }

    /// What walks alone do.
    fn alone(states: &[u64], nexts: &[u32], end: u32) -> (Vec<Place>, Vec<u64>, Vec<u32>) {
        let mut met = Vec::new();
        let (mut left, mut stand) = (Vec::new(), Vec::new());
        for (number, (state, next)) in (0_u8..=255).zip(states.iter().zip(nexts)) {
            let mut walk = Walk::at(*state, u64::from(*next));
            while walk.index() < u64::from(end) {
                met.push(Place::new(walk.index() as u32, number));
                walk.advance();
            }
            left.push(walk.state());
            stand.push(walk.index().min(u64::from(FAR)) as u32);
        }
        met.sort_unstable();
        (met, left, stand)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn walks_in_step_go_where_they_go_alone(
            walks in prop::collection::vec((any::<u64>(), 0_u32..3000, 0_u32..64), 0..=WAVE),
            end in 0_u32..3000,
        ) {
            // Small and large states among them: what is drawn is shifted.
            let states: Vec<u64> = walks.iter().map(|(state, _, shift)| state >> shift).collect();
            let nexts: Vec<u32> = walks.iter().map(|(_, next, _)| *next).collect();
            let (expected, left, stand) = alone(&states, &nexts, end);
            let by_definition = run(Path::Portable, &states, &nexts, end);
            for path in Path::all() {
                let (met, states, nexts) = run(path, &states, &nexts, end);
                prop_assert_eq!(&met, &by_definition.0, "{}", path.name());
                let mut met = met;
                met.sort_unstable();
                prop_assert_eq!(&met, &expected);
                prop_assert_eq!(&states, &left);
                prop_assert_eq!(&nexts, &stand);
            }
        }
    }

    /// Ten million steps at indices of every size, and the states at which a gap is closest to an integer.
    #[test]
    fn every_step_is_that_of_the_definition() {
        assert_eq!(INVERSE.wrapping_mul(super::super::mapping::MULTIPLIER), 1);
        let mut rng = Seed::new(21).child("steps").rng();
        for round in 0..40_000_u32 {
            let mut states = [0; WAVE];
            let mut nexts = [0; WAVE];
            for (lane, (state, next)) in states.iter_mut().zip(&mut nexts).enumerate() {
                *next = rng.below(1 << (round % 23)) as u32;
                *state = self::state(&mut rng, lane, *next);
            }
            let end = crate::wire::SYMBOLS_MAX as u32;
            let step = |path| {
                let mut wave = Wave::new(path);
                wave.load(&states, &nexts, [0, end]);
                let symbols = (&mut vec![(); end as usize][..], &mut vec![(); end as usize][..]);
                wave.step((&NUMBERS, &NUMBERS), symbols, |_, _| ());
                let (mut states, mut nexts) = (states, [0; WAVE]);
                wave.unload(&mut states, &mut nexts);
                (wave.places().to_vec(), wave.here.states[..wave.here.len].to_vec(), states, nexts)
            };
            let expected = step(Path::Portable);
            for path in Path::all() {
                assert!(step(path) == expected, "{} in round {round}", path.name());
            }
        }
    }

    /// What a crossing says it met, and where it leaves walks, is what they do alone; only few stay behind.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn crossings_are_walks() {
        let mut rng = Seed::new(22).child("crossings").rng();
        for round in 0..2000_usize {
            let len = if round % 2 == 0 { WAVE } else { rng.below(WAVE as u64 + 1) as usize };
            let start = if round % 3 == 0 { 0 } else { rng.below(3000) as u32 };
            let end = start + 1 + rng.below(64) as u32;
            let nexts: Vec<u32> = (0..len).map(|_| start + rng.below(8) as u32).collect();
            let states: Vec<u64> =
                nexts.iter().enumerate().map(|(lane, next)| state(&mut rng, lane, *next)).collect();
            for path in Path::all() {
                let mut wave = Wave::new(path);
                wave.load(&states, &nexts, [start, end.max(start + 8)]);
                let mut met = [0; WAVE];
                let Some(crossed) = wave.cross(start, end, &mut met) else { continue };
                let mut late = 0;
                for (lane, (state, next)) in states.iter().zip(&nexts).enumerate() {
                    let place = wave.lanes(crossed)[lane];
                    assert_eq!(usize::from(place.number()), lane);
                    let (mut state, mut index, mut bits) = (*state, *next, 0_u64);
                    while index < end && index != place.index() {
                        bits |= 1 << (index - start);
                        index = advance(&mut state, index);
                    }
                    assert_eq!(
                        (wave.here.states[lane], place.index(), met[lane]),
                        (state, index, bits),
                        "{round}"
                    );
                    late += usize::from(index < end);
                }
                assert!(late <= 8 * len.div_ceil(32), "{late} of {len}");
                assert!(met[len..].iter().all(|bits| *bits == 0));
                wave.settle(crossed);
                assert!(wave.places().iter().all(|place| place.index() < wave.end));
            }
        }
    }
}
