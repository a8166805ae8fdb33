//! Four walks at once.

use std::arch::x86_64::*;

use super::{FAR, Lanes, Place, SLACK, Wave, advance};
use crate::strategies::riblt::mapping::MULTIPLIER;

/// For each set of lanes, the 32-bit halves of those lanes in front.
const PACK: [[u32; 8]; 16] = {
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

/// Writes the lanes of `set` at `at`, and whatever behind them. How many they are.
#[target_feature(enable = "avx2,fma,popcnt")]
#[allow(unsafe_code)]
#[inline]
fn pack(lanes: &mut Lanes, at: usize, states: __m256i, places: __m256i, set: usize) -> usize {
    debug_assert!(at + SLACK <= lanes.states.len() && set < 16);
    // SAFETY: callers have written fewer walks than they have read, so `at + 4` is within both arrays, which
    // are equally long; `set` is a mask of four lanes, and the table has 16 rows.
    unsafe {
        let order = _mm256_loadu_si256(PACK.get_unchecked(set).as_ptr().cast());
        let states = _mm256_permutevar8x32_epi32(states, order);
        _mm256_storeu_si256(lanes.states.as_mut_ptr().add(at).cast(), states);
        let places = _mm256_permutevar8x32_epi32(places, order);
        _mm256_storeu_si256(lanes.places.as_mut_ptr().add(at).cast(), places);
    }
    set.count_ones() as usize
}

/// The lower halves of four lanes.
#[target_feature(enable = "avx2")]
#[inline]
fn low_halves(lanes: __m256i) -> __m128i {
    let halves = _mm256_castsi256_ps(lanes);
    let (low, high) = (_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves));
    _mm_castps_si128(_mm_shuffle_ps::<0b10_00_10_00>(low, high))
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
    wave.here.places[before..before + SLACK].fill(Place::new(FAR, 0));
    let mut k = 0;
    while k < before {
        // SAFETY: `k + 4` is at most `before + 3`, within both arrays. Packed lanes are written at `k` or
        // before, where all has been read.
        let (old, places) = unsafe {
            (
                _mm256_loadu_si256(wave.here.states.as_ptr().add(k).cast()),
                _mm256_loadu_si256(wave.here.places.as_ptr().add(k).cast()),
            )
        };
        let cross = _mm256_add_epi64(
            _mm256_mul_epu32(old, multiplier_high),
            _mm256_mul_epu32(_mm256_srli_epi64::<32>(old), multiplier_low),
        );
        let states = _mm256_add_epi64(_mm256_mul_epu32(old, multiplier_low), _mm256_slli_epi64::<32>(cross));
        // 1 − u in [0, 1), of its 52 leading bits.
        let mantissa = _mm256_or_si256(_mm256_srli_epi64::<12>(states), _mm256_castpd_si256(one));
        let x = _mm256_sub_pd(_mm256_castsi256_pd(mantissa), one);
        let rough = _mm256_cvtps_pd(_mm_rsqrt_ps(_mm256_cvtpd_ps(x)));
        let e = _mm256_fnmadd_pd(_mm256_mul_pd(x, rough), rough, one);
        let series = _mm256_fmadd_pd(e, _mm256_set1_pd(0.3125), _mm256_set1_pd(0.375));
        let series = _mm256_fmadd_pd(series, e, _mm256_set1_pd(0.5));
        let q = _mm256_fmadd_pd(_mm256_mul_pd(rough, e), series, rough);

        let index = _mm256_cvtepi32_pd(_mm_srli_epi32::<4>(low_halves(places)));
        let reach = _mm256_mul_pd(_mm256_add_pd(index, _mm256_set1_pd(1.5)), q);
        // Rounding this to nearest is rounding it up half a unit earlier.
        let target = _mm256_sub_pd(reach, one);
        let shifted = _mm256_add_pd(target, magic);
        let off = _mm256_andnot_pd(sign, _mm256_sub_pd(target, _mm256_sub_pd(shifted, magic)));
        let close = _mm256_cmp_pd::<_CMP_NLE_UQ>(_mm256_fmadd_pd(reach, tolerance, off), _mm256_set1_pd(0.5));
        let doubtful = _mm256_or_pd(close, _mm256_cmp_pd::<_CMP_LT_OQ>(x, least));

        let mut next = low_halves(_mm256_castpd_si256(shifted));
        let doubtful = _mm256_movemask_pd(doubtful);
        if doubtful != 0 {
            next = decide(wave, k, doubtful as u32, next);
        }
        let next = _mm_min_epu32(next, _mm_set1_epi32(FAR as i32));
        let indices = _mm256_slli_epi64::<4>(_mm256_cvtepu32_epi64(next));
        let places = _mm256_blend_epi32::<0b0101_0101>(places, indices);

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
            *index = advance(&mut state, wave.here.places[k + lane].index());
        }
    }
    // SAFETY: as above.
    unsafe { _mm_loadu_si128(indices.as_ptr().cast()) }
}
