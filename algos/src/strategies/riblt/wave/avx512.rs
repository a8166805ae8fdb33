//! Eight walks at once.
//!
//! With q = (1 − u)^(−1/2) the next index is ⌈(i + 1.5)·q − 1.5⌉. The processor's 14-bit reciprocal square root and
//! one step of the series (1 − e)^(−1/2) = 1 + e/2 + 3e²/8 + 5e³/16 … give q to a relative 2^-40.6, and the definition
//! in doubles is itself within 2^-51 of the truth. So the index is rounded twice, from a value 2^-39 too small and from
//! one 2^-39 too large: where both agree, whatever lies between rounds alike. Elsewhere, for one walk in a million,
//! the definition decides. Adding 2^52 rounds to an integer and leaves it in the low bits, and a fused multiplication
//! brings the factor 1 ± 2^-39 for nothing: three operations in place of a conversion, a comparison and a repair.

use std::arch::x86_64::*;

use super::{FAR, Ground, Lanes, Place, SLACK, WAVE, Wave, advance};
use crate::strategies::riblt::mapping::MULTIPLIER;

/// 2^52: from here on doubles are integers, with the integer in the low bits.
const MAGIC: f64 = 4_503_599_627_370_496.0;
/// Twice what q may be off.
const TOLERANCE: f64 = 1.0 / (1_u64 << 39) as f64;
/// What q is of 1/√(r + 1).
const SCALE: f64 = 4_294_967_296.0;
/// 2^52 and the index beyond any stream.
const FAR_OFF: f64 = MAGIC + FAR as f64;

/// States after a step, and 2^52 and the next indices as rounded from below and from above, of walks whose indices are
/// these less 1.5.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn bounds(states: __m512i, bases: __m512d, scale: f64) -> [__m512d; 2] {
    let one = _mm512_set1_pd(1.0);
    let r = _mm512_add_pd(_mm512_cvtepu64_pd(states), one);
    let rough = _mm512_rsqrt14_pd(r);
    let e = _mm512_fnmadd_pd(_mm512_mul_pd(r, rough), rough, one);
    let series = _mm512_fmadd_pd(e, _mm512_set1_pd(0.375), _mm512_set1_pd(0.5));
    let root = _mm512_fmadd_pd(_mm512_mul_pd(rough, e), series, rough);
    let reach = _mm512_mul_pd(bases, root);
    // Rounding (i + 1.5)·q − 1 to nearest is rounding (i + 1.5)·q − 1.5 up.
    let up = _mm512_set1_pd(MAGIC - 1.0);
    [
        _mm512_fmadd_pd(reach, _mm512_set1_pd(scale * (1.0 - TOLERANCE)), up),
        _mm512_fmadd_pd(reach, _mm512_set1_pd(scale * (1.0 + TOLERANCE)), up),
    ]
}

/// 2^52 and the next indices of eight walks from `k` on, where those of the lanes `doubtful` go by the definition.
#[target_feature(enable = "avx512f")]
#[cold]
#[allow(unsafe_code)]
fn decide(lanes: &Lanes, k: usize, doubtful: __mmask8, next: __m512d) -> __m512d {
    let mut nexts = [0.0; 8];
    // SAFETY: the array is as long as the vector.
    unsafe { _mm512_storeu_pd(nexts.as_mut_ptr(), next) };
    for lane in (0..8).filter(|lane| doubtful >> lane & 1 == 1) {
        let mut state = lanes.states[k + lane];
        nexts[lane] = MAGIC + f64::from(advance(&mut state, lanes.places[k + lane].index()));
    }
    // SAFETY: as above.
    unsafe { _mm512_loadu_pd(nexts.as_ptr()) }
}

/// Half of a place: what has the index.
const INDEX: i64 = 0xffff_ffff;

/// 2^52 and 16 times the indices in eight places.
#[target_feature(enable = "avx512f")]
#[inline]
fn indices_of(places: __m512i) -> __m512d {
    let magic = _mm512_castpd_si512(_mm512_set1_pd(MAGIC));
    // places & INDEX | magic.
    _mm512_castsi512_pd(_mm512_ternarylogic_epi64::<0xea>(places, _mm512_set1_epi64(INDEX), magic))
}

/// Eight places with the numbers that were in them, at these indices, of which 2^52 is part.
#[target_feature(enable = "avx512f")]
#[inline]
fn moved(places: __m512i, nexts: __m512d) -> __m512i {
    let indices = _mm512_slli_epi64::<4>(_mm512_castpd_si512(nexts));
    // INDEX ? indices : places.
    _mm512_ternarylogic_epi64::<0xca>(_mm512_set1_epi64(INDEX), indices, places)
}

/// Those of eight lanes from `k` on that are walks of the wave and not what is behind them.
#[target_feature(enable = "avx512f")]
#[inline]
fn lanes_from(k: usize, len: usize) -> __mmask8 {
    ((1_u32 << len.saturating_sub(k).min(8)) - 1) as u8
}

/// Writes the lanes of `set` at `at`, and whatever behind them. How many they are.
#[target_feature(enable = "avx512f,avx512vl,popcnt")]
#[allow(unsafe_code)]
#[inline]
fn pack(lanes: &mut Lanes, at: usize, states: __m512i, places: __m512i, set: __mmask8) -> usize {
    debug_assert!(at + SLACK <= lanes.states.len());
    // SAFETY: callers have written fewer walks than they have read, so `at + 8` is within both arrays, which are
    // equally long.
    unsafe {
        let states = _mm512_maskz_compress_epi64(set, states);
        _mm512_storeu_si512(lanes.states.as_mut_ptr().add(at).cast(), states);
        let places = _mm512_maskz_compress_epi64(set, places);
        _mm512_storeu_si512(lanes.places.as_mut_ptr().add(at).cast(), places);
    }
    set.count_ones() as usize
}

/// The eight walks from `k` on, and whatever behind them.
#[target_feature(enable = "avx512f,avx512vl")]
#[allow(unsafe_code)]
#[inline]
fn eight(lanes: &Lanes, k: usize) -> (__m512i, __m512i) {
    debug_assert!(k + SLACK <= lanes.states.len());
    // SAFETY: callers have checked that there are at most `WAVE` walks and that `k` is one of them, and both arrays have
    // room for eight more.
    unsafe {
        let states = _mm512_loadu_si512(lanes.states.as_ptr().add(k).cast());
        (states, _mm512_loadu_si512(lanes.places.as_ptr().add(k).cast()))
    }
}

/// See the module. What `each` does with the walks of a vector and what vector units do go on at the same time.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,popcnt")]
pub fn step<const KEPT: bool, A, B, T, M>(
    wave: &mut Wave,
    mut ground: Ground<'_, A, B, T, M>,
    mut each: impl FnMut((&A, &B), (&mut T, &mut M)),
) {
    let end = _mm512_set1_pd(MAGIC + f64::from(wave.end));
    let before = std::mem::take(&mut wave.here.len);
    let (mut here, mut gone) = (0, wave.gone.len);
    assert!(before + gone * usize::from(KEPT) <= WAVE);
    for k in (0..before).step_by(8) {
        let (old, places) = eight(&wave.here, k);
        let lanes = lanes_from(k, before);
        // Nearly all come in eights, for which the compiler lays out the loop.
        // SAFETY: these are places of the wave.
        #[allow(unsafe_code)]
        match wave.here.places[k..before].first_chunk::<8>() {
            Some(all) => all.iter().for_each(|place| unsafe { ground.visit(*place, &mut each) }),
            None => wave.here.places[k..before]
                .iter()
                .for_each(|place| unsafe { ground.visit(*place, &mut each) }),
        }
        let states = _mm512_mullo_epi64(old, _mm512_set1_epi64(MULTIPLIER as i64));
        let bases = _mm512_sub_pd(indices_of(places), _mm512_set1_pd(MAGIC - 24.0));
        let [mut nexts, high] = bounds(states, bases, SCALE / 16.0);
        let doubtful = _mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(nexts, high);
        if doubtful != 0 {
            nexts = decide(&wave.here, k, doubtful, nexts);
        }
        let stay = _mm512_mask_cmp_pd_mask::<_CMP_LT_OQ>(lanes, nexts, end);
        if KEPT {
            nexts = _mm512_min_pd(nexts, _mm512_set1_pd(FAR_OFF));
        }
        let places = moved(places, nexts);
        here += pack(&mut wave.here, here, states, places, stay);
        if KEPT {
            gone += pack(&mut wave.gone, gone, states, places, lanes & !stay);
        }
    }
    wave.here.len = here;
    if KEPT {
        wave.gone.len = gone;
    }
}

/// Vectors that go side by side through [`cross`], so that one does not wait for its own last step alone.
const SIDE: usize = 4;

/// Walks that are not worth another step of all; they go on one by one.
const FEW: u32 = 8;

/// Nearly all walks go on until they are past `end`, and stay in their lanes. `met`, all 0, becomes for each lane which
/// indices from `start` on it met, as bits.
///
/// Lanes that are done stand still, which takes less time than to sort them out between the steps.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,popcnt")]
#[allow(unsafe_code)]
pub fn cross(wave: &mut Wave, start: u32, end: u32, met: &mut [u64; WAVE]) {
    let multiplier = _mm512_set1_epi64(MULTIPLIER as i64);
    let origin = _mm512_castpd_si512(_mm512_set1_pd(MAGIC + f64::from(start)));
    let limit = _mm512_set1_pd(MAGIC + f64::from(end));
    let one = _mm512_set1_epi64(1);
    assert!(wave.here.len <= WAVE);
    let (groups, _) = met.as_chunks_mut::<{ 8 * SIDE }>();
    let used = wave.here.len.div_ceil(8 * SIDE);
    for (group, met) in groups.iter_mut().enumerate().take(used) {
        let first = group * 8 * SIDE;
        let mut states = [_mm512_setzero_si512(); SIDE];
        let mut stands = [_mm512_setzero_pd(); SIDE];
        let mut bits = [_mm512_setzero_si512(); SIDE];
        let mut under_way = [0; SIDE];
        let mut doubts = _mm512_setzero_si512();
        for side in 0..SIDE {
            let (state, places) = eight(&wave.here, first + 8 * side);
            states[side] = state;
            // 2^52 and the index.
            let sixteenth = _mm512_set1_pd(1.0 / 16.0);
            stands[side] =
                _mm512_fmadd_pd(indices_of(places), sixteenth, _mm512_set1_pd(MAGIC * (15.0 / 16.0)));
            let lanes = lanes_from(first + 8 * side, wave.here.len);
            under_way[side] = _mm512_mask_cmp_pd_mask::<_CMP_LT_OQ>(lanes, stands[side], limit);
        }
        // Drawn for all, whoever is still under way, so that nothing waits for that.
        let mut drawn = states;
        while under_way.iter().map(|lanes| lanes.count_ones()).sum::<u32>() > FEW {
            for side in 0..SIDE {
                let lanes = under_way[side];
                let offset = _mm512_sub_epi64(_mm512_castpd_si512(stands[side]), origin);
                // Rotated where it could be shifted: what would be shifted out asks for another comparison.
                let bit = _mm512_rolv_epi64(one, offset);
                bits[side] = _mm512_mask_or_epi64(bits[side], lanes, bits[side], bit);
                drawn[side] = _mm512_mullo_epi64(drawn[side], multiplier);
                states[side] = _mm512_mask_mov_epi64(states[side], lanes, drawn[side]);
                let bases = _mm512_sub_pd(stands[side], _mm512_set1_pd(MAGIC - 1.5));
                let [low, high] = bounds(drawn[side], bases, SCALE);
                // doubts | lanes & (low ^ high).
                let (low_bits, high_bits) = (_mm512_castpd_si512(low), _mm512_castpd_si512(high));
                doubts = _mm512_mask_ternarylogic_epi64::<0xf6>(doubts, lanes, low_bits, high_bits);
                stands[side] = _mm512_mask_mov_pd(stands[side], lanes, low);
                under_way[side] = _mm512_mask_cmp_pd_mask::<_CMP_LT_OQ>(lanes, stands[side], limit);
            }
        }
        if _mm512_test_epi64_mask(doubts, doubts) != 0 {
            cross_by_definition(&mut wave.here, first, [start, end], met);
            continue;
        }
        for side in 0..SIDE {
            let k = first + 8 * side;
            let (_, places) = eight(&wave.here, k);
            // SAFETY: `eight` has just read from there, and `met` has 8·`SIDE` words.
            unsafe {
                _mm512_storeu_si512(wave.here.states.as_mut_ptr().add(k).cast(), states[side]);
                let nexts = _mm512_min_pd(stands[side], _mm512_set1_pd(FAR_OFF));
                _mm512_storeu_si512(wave.here.places.as_mut_ptr().add(k).cast(), moved(places, nexts));
                _mm512_storeu_si512(met.as_mut_ptr().add(8 * side).cast(), bits[side]);
            }
        }
    }
}

/// The same for the lanes from `first` on, of which some walk may be rounded either way.
#[cold]
fn cross_by_definition(lanes: &mut Lanes, first: usize, [start, end]: [u32; 2], met: &mut [u64]) {
    met.fill(0);
    for (k, met) in (first..lanes.len).zip(met) {
        let place = lanes.places[k];
        let mut index = place.index();
        while index < end {
            *met |= 1 << (index - start);
            index = advance(&mut lanes.states[k], index);
        }
        lanes.places[k] = Place::new(index, place.number());
    }
}

/// Sorts out the walks that have left the range.
#[target_feature(enable = "avx512f,avx512vl,popcnt")]
pub fn settle<const KEPT: bool>(wave: &mut Wave, before: usize) {
    let start = _mm512_set1_pd(MAGIC + 16.0 * f64::from(wave.start));
    let end = _mm512_set1_pd(MAGIC + 16.0 * f64::from(wave.end));
    let (mut here, mut gone) = (0, wave.gone.len);
    assert!(before + gone * usize::from(KEPT) <= WAVE);
    for k in (0..before).step_by(8) {
        let (states, places) = eight(&wave.here, k);
        let lanes = lanes_from(k, before);
        let indices = indices_of(places);
        let stay = _mm512_mask_cmp_pd_mask::<_CMP_LT_OQ>(lanes, indices, end);
        // None is before the start; that nobody looks there is not to hang on it.
        let stay = _mm512_mask_cmp_pd_mask::<_CMP_GE_OQ>(stay, indices, start);
        here += pack(&mut wave.here, here, states, places, stay);
        if KEPT {
            gone += pack(&mut wave.gone, gone, states, places, lanes & !stay);
        }
    }
    wave.here.len = here;
    if KEPT {
        wave.gone.len = gone;
    }
}
