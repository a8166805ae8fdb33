//! Walks in step: up to [`WAVE`] items go to their next symbol together.
//!
//! One item after the other waits for a square root, a division and a branch that nobody can predict at each of
//! its 2·ln m steps. Here all walks of a wave take one step, those that leave the range are sorted out, and the
//! rest take the next: the same operation on adjacent values without a branch, which is what vector units are for.
//!
//! **AVX2.** Four walks at once. The state is the generator's, so no lane differs in it. Of the index only the
//! rounding is delicate: with q = (1 − u)^(−1/2) the next one is ⌈(i + 1.5)·q − 1.5⌉. The 12-bit reciprocal
//! square root of the processor and one step of the series (1 − e)^(−1/2) = 1 + e/2 + 3e²/8 + 5e³/16 give q to a
//! relative 2^-40.6, and the scalar formula is itself within 2^-51 of the truth. So where (i + 1.5)·q − 1.5 is
//! further than (i + 1.5)·q·2^-39 from an integer, both round alike whatever the approximation is (it differs
//! between vendors). Elsewhere, and for u within 2^-12 of 1, where the truncation of the state would show, the
//! scalar formula decides: for one walk in 4000. A 512-bit path would be this one with eight lanes and the
//! processor's own compression in place of tables.

use super::mapping::Walk;

/// Most walks in a wave, by which their number in it fits into 8 bits.
pub const WAVE: usize = 256;

/// Index at which all walks beyond any stream stand: the largest in 24 bits.
pub const FAR: u32 = (1 << 24) - 1;

const _: () = assert!(crate::wire::SYMBOLS_MAX < FAR as u64);

/// Room that a vector may touch behind the last walk.
const SLACK: usize = 4;

/// How walks are advanced. All ways give the same indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// One walk at a time, by the definition.
    Portable,
    /// Four in lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Path {
    /// The fastest that this machine has.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("popcnt")
        {
            return Self::Avx2;
        }
        Self::Portable
    }

    /// As results record it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2+fma",
        }
    }

    /// All that this machine has.
    #[cfg(test)]
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Portable, Self::best()];
        all.dedup();
        all
    }
}

/// Walks, each with its number in the wave.
#[derive(Clone, Debug)]
struct Lanes {
    states: [u64; WAVE + SLACK],
    /// Index · 2^8 + number.
    places: [u32; WAVE + SLACK],
    len: usize,
}

impl Lanes {
    fn new() -> Self {
        Self { states: [0; WAVE + SLACK], places: [0; WAVE + SLACK], len: 0 }
    }

    fn push(&mut self, state: u64, place: u32) {
        self.states[self.len] = state;
        self.places[self.len] = place;
        self.len += 1;
    }
}

/// A wave: the walks that are within the range, and those that have left it.
#[derive(Clone, Debug)]
pub struct Wave {
    path: Path,
    /// Whether anybody will ask where walks are that have left.
    kept: bool,
    end: u32,
    here: Lanes,
    gone: Lanes,
}

impl Wave {
    /// An empty wave.
    pub fn new(path: Path) -> Self {
        Self { path, kept: true, end: 0, here: Lanes::new(), gone: Lanes::new() }
    }

    /// An empty wave that forgets walks as they leave the range, for who makes all symbols at once.
    pub fn forgetful(path: Path) -> Self {
        Self { kept: false, ..Self::new(path) }
    }

    /// Takes those of at most [`WAVE`] walks that stand before `end`, which is at most `SYMBOLS_MAX`.
    pub fn load(&mut self, states: &[u64], nexts: &[u32], end: u32) {
        debug_assert!(states.len() <= WAVE && end < FAR);
        self.end = end;
        self.gone.len = 0;
        let mut len = 0;
        for (number, (state, next)) in states.iter().zip(nexts).enumerate() {
            // Written in any case and kept by counting: whether a walk is in the range is a coin toss.
            self.here.states[len] = *state;
            self.here.places[len] = next << 8 | number as u32;
            len += usize::from(*next < end);
        }
        self.here.len = len;
    }

    /// Index · 2^8 + number of each walk in the range.
    pub fn places(&self) -> &[u32] {
        &self.here.places[..self.here.len]
    }

    /// Every walk in the range takes a step.
    pub fn step(&mut self) {
        match self.path {
            Path::Portable => self.step_portable(),
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            // SAFETY: this path is chosen where the processor has what it needs.
            Path::Avx2 => unsafe {
                if self.kept { avx2::step::<true>(self) } else { avx2::step::<false>(self) }
            },
        }
    }

    fn step_portable(&mut self) {
        let before = std::mem::take(&mut self.here.len);
        for k in 0..before {
            let (mut state, place) = (self.here.states[k], self.here.places[k]);
            let next = advance(&mut state, place >> 8);
            let lanes = if next < self.end { &mut self.here } else { &mut self.gone };
            lanes.push(state, next << 8 | place & 0xff);
        }
    }

    /// Puts the walks that have left the range back where they came from.
    pub fn unload(&self, states: &mut [u64], nexts: &mut [u32]) {
        for (state, place) in self.gone.states.iter().zip(&self.gone.places).take(self.gone.len) {
            let number = (place & 0xff) as usize;
            states[number] = *state;
            nexts[number] = place >> 8;
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
mod avx2 {
    use std::arch::x86_64::*;

    use super::{FAR, Lanes, SLACK, Wave, advance};
    use crate::strategies::riblt::mapping::MULTIPLIER;

    /// For each set of lanes, the 32-bit halves of those lanes in front.
    const PACK_64: [[u32; 8]; 16] = {
        let mut table = [[0; 8]; 16];
        let mut set = 0;
        while set < 16 {
            let (mut lane, mut to) = (0, 0);
            while lane < 4 {
                if set >> lane & 1 == 1 {
                    table[set][to] = 2 * lane as u32;
                    table[set][to + 1] = 2 * lane as u32 + 1;
                    to += 2;
                }
                lane += 1;
            }
            set += 1;
        }
        table
    };

    /// The same in bytes for lanes of 32 bits.
    const PACK_32: [[u8; 16]; 16] = {
        let mut table = [[0; 16]; 16];
        let mut set = 0;
        while set < 16 {
            let (mut lane, mut to) = (0, 0);
            while lane < 4 {
                if set >> lane & 1 == 1 {
                    let mut byte = 0;
                    while byte < 4 {
                        table[set][to] = 4 * lane + byte;
                        byte += 1;
                        to += 1;
                    }
                }
                lane += 1;
            }
            set += 1;
        }
        table
    };

    /// Writes the lanes of `set` at `at`, and whatever behind them. How many they are.
    #[target_feature(enable = "avx2,fma,popcnt")]
    #[allow(unsafe_code)]
    #[inline]
    fn pack(lanes: &mut Lanes, at: usize, states: __m256i, places: __m128i, set: usize) -> usize {
        debug_assert!(at + SLACK <= lanes.states.len() && set < 16);
        // SAFETY: callers have written fewer walks than they have read, so `at + 4` is within both arrays, which
        // are equally long; `set` is a mask of four lanes, and the tables have 16 rows.
        unsafe {
            let order = _mm256_loadu_si256(PACK_64.get_unchecked(set).as_ptr().cast());
            let packed = _mm256_permutevar8x32_epi32(states, order);
            _mm256_storeu_si256(lanes.states.as_mut_ptr().add(at).cast(), packed);
            let order = _mm_loadu_si128(PACK_32.get_unchecked(set).as_ptr().cast());
            _mm_storeu_si128(lanes.places.as_mut_ptr().add(at).cast(), _mm_shuffle_epi8(places, order));
        }
        set.count_ones() as usize
    }

    /// See the module.
    #[target_feature(enable = "avx2,fma,popcnt")]
    #[allow(unsafe_code)]
    pub fn step<const KEPT: bool>(wave: &mut Wave) {
        let multiplier_low = _mm256_set1_epi64x((MULTIPLIER & 0xffff_ffff) as i64);
        let multiplier_high = _mm256_set1_epi64x((MULTIPLIER >> 32) as i64);
        let one = _mm256_set1_pd(1.0);
        // 2^52: adding it leaves an integer in the low bits.
        let magic = _mm256_set1_pd(4_503_599_627_370_496.0);
        let tolerance = _mm256_set1_pd(1.0 / (1_u64 << 39) as f64);
        let least = _mm256_set1_pd(1.0 / 4096.0);
        let sign = _mm256_set1_pd(-0.0);
        let end = _mm_set1_epi32(wave.end as i32);

        let before = std::mem::take(&mut wave.here.len);
        let (mut here, mut gone) = (0, wave.gone.len);
        assert!(before.max(before + gone * usize::from(KEPT)) + SLACK <= wave.here.states.len());
        // What is behind the last walk is far away: it goes with those that leave, after all others.
        wave.here.places[before..before + SLACK].fill(FAR << 8);
        let mut k = 0;
        while k < before {
            // SAFETY: `k + 4` is at most `before + 3`, within both arrays. Packed lanes are written at `k` or
            // before, where all has been read.
            let (old, places) = unsafe {
                (
                    _mm256_loadu_si256(wave.here.states.as_ptr().add(k).cast()),
                    _mm_loadu_si128(wave.here.places.as_ptr().add(k).cast()),
                )
            };
            let cross = _mm256_add_epi64(
                _mm256_mul_epu32(old, multiplier_high),
                _mm256_mul_epu32(_mm256_srli_epi64::<32>(old), multiplier_low),
            );
            let states =
                _mm256_add_epi64(_mm256_mul_epu32(old, multiplier_low), _mm256_slli_epi64::<32>(cross));
            // 1 − u in [0, 1), of its 52 leading bits.
            let mantissa = _mm256_or_si256(_mm256_srli_epi64::<12>(states), _mm256_castpd_si256(one));
            let x = _mm256_sub_pd(_mm256_castsi256_pd(mantissa), one);
            let rough = _mm256_cvtps_pd(_mm_rsqrt_ps(_mm256_cvtpd_ps(x)));
            let e = _mm256_fnmadd_pd(_mm256_mul_pd(x, rough), rough, one);
            let series = _mm256_fmadd_pd(e, _mm256_set1_pd(0.3125), _mm256_set1_pd(0.375));
            let series = _mm256_fmadd_pd(series, e, _mm256_set1_pd(0.5));
            let q = _mm256_fmadd_pd(_mm256_mul_pd(rough, e), series, rough);

            let index = _mm256_cvtepi32_pd(_mm_srli_epi32::<8>(places));
            let reach = _mm256_mul_pd(_mm256_add_pd(index, _mm256_set1_pd(1.5)), q);
            // Rounding this to nearest is rounding it up half a unit earlier.
            let target = _mm256_sub_pd(reach, one);
            let shifted = _mm256_add_pd(target, magic);
            let off = _mm256_andnot_pd(sign, _mm256_sub_pd(target, _mm256_sub_pd(shifted, magic)));
            let close =
                _mm256_cmp_pd::<_CMP_NLE_UQ>(_mm256_fmadd_pd(reach, tolerance, off), _mm256_set1_pd(0.5));
            let doubtful = _mm256_or_pd(close, _mm256_cmp_pd::<_CMP_LT_OQ>(x, least));

            let halves = _mm256_castpd_ps(shifted);
            let (low, high) = (_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves));
            let mut next = _mm_castps_si128(_mm_shuffle_ps::<0b10_00_10_00>(low, high));
            let doubtful = _mm256_movemask_pd(doubtful);
            if doubtful != 0 {
                next = decide(wave, k, doubtful as u32, next);
            }
            let next = _mm_min_epu32(next, _mm_set1_epi32(FAR as i32));
            let numbers = _mm_and_si128(places, _mm_set1_epi32(0xff));
            let places = _mm_or_si128(_mm_slli_epi32::<8>(next), numbers);

            let stay = _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpgt_epi32(end, next))) as usize;
            here += pack(&mut wave.here, here, states, places, stay);
            if KEPT {
                gone += pack(&mut wave.gone, gone, states, places, stay ^ 0b1111);
            }
            k += 4;
        }
        wave.here.len = here;
        if KEPT {
            wave.gone.len = gone - (k - before);
        }
    }

    /// The next indices of four walks from `k` on, where those of the lanes `doubtful` go by the definition.
    #[target_feature(enable = "avx2,fma,popcnt")]
    #[cold]
    #[allow(unsafe_code)]
    fn decide(wave: &Wave, k: usize, doubtful: u32, next: __m128i) -> __m128i {
        let mut indices = [0_u32; 4];
        // SAFETY: the array is as long as the vector.
        unsafe { _mm_storeu_si128(indices.as_mut_ptr().cast(), next) };
        for (lane, index) in indices.iter_mut().enumerate() {
            if doubtful >> lane & 1 == 1 {
                let mut state = wave.here.states[k + lane];
                *index = advance(&mut state, wave.here.places[k + lane] >> 8);
            }
        }
        // SAFETY: as above.
        unsafe { _mm_loadu_si128(indices.as_ptr().cast()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use proptest::prelude::*;

    /// All places in order of steps, and where the walks are left.
    fn run(path: Path, states: &[u64], nexts: &[u32], end: u32) -> (Vec<u32>, Vec<u64>, Vec<u32>) {
        let (mut states, mut nexts) = (states.to_vec(), nexts.to_vec());
        let mut met = Vec::new();
        let mut wave = Wave::new(path);
        wave.load(&states, &nexts, end);
        while !wave.places().is_empty() {
            met.extend_from_slice(wave.places());
            wave.step();
        }
        wave.unload(&mut states, &mut nexts);
        (met, states, nexts)
    }

    /// What walks alone do.
    fn alone(states: &[u64], nexts: &[u32], end: u32) -> (Vec<u32>, Vec<u64>, Vec<u32>) {
        let mut met = Vec::new();
        let (mut left, mut stand) = (Vec::new(), Vec::new());
        for (number, (state, next)) in (0_u32..).zip(states.iter().zip(nexts)) {
            let mut walk = Walk::at(*state, u64::from(*next));
            while walk.index() < u64::from(end) {
                met.push((walk.index() as u32) << 8 | number);
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
        const INVERSE: u64 = 0x8b83_8d03_54ea_d59d;
        assert_eq!(INVERSE.wrapping_mul(super::super::mapping::MULTIPLIER), 1);
        let mut rng = Seed::new(21).child("steps").rng();
        for round in 0..40_000_u32 {
            let mut states = [0; WAVE];
            let mut nexts = [0; WAVE];
            for (lane, (state, next)) in states.iter_mut().zip(&mut nexts).enumerate() {
                *next = rng.below(1 << (round % 23)) as u32;
                // u after the step that makes the gap k: 1 − u = ((i + 1.5)/(i + 1.5 + k))^2.
                let gap = rng.below(1 << (lane % 16)) as f64;
                let share = (f64::from(*next) + 1.5) / (f64::from(*next) + 1.5 + gap);
                let r = (share * share * 2_f64.powi(64)) as u64;
                *state = match lane % 4 {
                    0 => rng.next_u64(),
                    1 => INVERSE.wrapping_mul(r),
                    2 => INVERSE.wrapping_mul(r.wrapping_add(rng.below(1 << 13)).wrapping_sub(1 << 12)),
                    _ => INVERSE.wrapping_mul(rng.next_u64() >> rng.below(64)),
                };
            }
            let end = crate::wire::SYMBOLS_MAX as u32;
            let step = |path| {
                let mut wave = Wave::new(path);
                wave.load(&states, &nexts, end);
                wave.step();
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
}
