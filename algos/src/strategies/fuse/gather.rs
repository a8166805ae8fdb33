//! Questions to a binary fuse filter in lanes of AVX-512.
//!
//! Eight keys are mixed in one register, their places are cut out of it, and their three cells are gathered: 24 loads of
//! 32 bits that wait for nothing, of which the byte (or two) of each cell is shifted down. So the loads are what is left
//! of the cost, and the processor has more of them under way than it can look ahead for by itself: [`super::batch`] is
//! the specification.

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_ps, _mm256_cmpeq_epi32,
    _mm256_i32gather_epi32, _mm256_movemask_ps, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_slli_epi32,
    _mm256_srli_epi32, _mm256_srlv_epi32, _mm256_xor_si256, _mm512_add_epi64, _mm512_cvtepi64_epi32,
    _mm512_loadu_si512, _mm512_mul_epu32, _mm512_mullo_epi64, _mm512_set1_epi64, _mm512_srli_epi64,
    _mm512_xor_si512,
};

use xorf::Descriptor;

use super::batch::QUERIES_MAX;

/// Cells of a filter, known to hold every place that its descriptor leads to.
pub struct Cells<'a> {
    filter: &'a Descriptor,
    start: *const i32,
    /// log2 of the bytes of a cell: 0 or 1.
    log: u32,
}

impl<'a> Cells<'a> {
    /// None where the processor lacks AVX-512, or the descriptor does not fit the cells.
    pub fn new<C>(filter: &'a Descriptor, cells: &'a [C]) -> Option<Self> {
        let (segment, firsts) = (filter.segment_length, filter.segment_count_length);
        let bytes = size_of_val(cells);
        // Then places are below the number of cells (see `read_descriptor`), and the 4 bytes around each are the cells'.
        let fits = segment.is_power_of_two()
            && filter.segment_length_mask == segment - 1
            && firsts.is_multiple_of(segment)
            && u64::from(firsts) + 2 * u64::from(segment) == cells.len() as u64
            && bytes.is_multiple_of(4)
            && i32::try_from(cells.len()).is_ok();
        let log = match size_of::<C>() {
            1 => 0,
            2 => 1,
            _ => return None,
        };
        let has = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq");
        (fits && has).then_some(Self { filter, start: cells.as_ptr().cast(), log })
    }

    /// Of 64 keys, in bit i whether the filter affirms the i-th.
    pub fn affirm(&self, keys: &[u64; QUERIES_MAX]) -> u64 {
        // SAFETY: there is no `Cells` where the processor lacks AVX-512, or the descriptor leads out of the cells.
        #[allow(unsafe_code)]
        unsafe {
            if self.log == 0 { affirm::<0>(self, keys) } else { affirm::<1>(self, keys) }
        }
    }
}

/// `batch::mix` of eight keys.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mix(keys: __m512i, seed: u64) -> __m512i {
    let fold = |hash| _mm512_xor_si512(hash, _mm512_srli_epi64::<33>(hash));
    let times = |hash, factor: u64| _mm512_mullo_epi64(hash, _mm512_set1_epi64(factor as i64));
    let hash = fold(_mm512_add_epi64(keys, _mm512_set1_epi64(seed as i64)));
    fold(times(fold(times(hash, 0xff51_afd7_ed55_8ccd)), 0xc4ce_b9fe_1a85_ec53))
}

/// `batch::places` of eight hashes.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn places(filter: &Descriptor, hash: __m512i) -> [__m256i; 3] {
    let length = _mm256_set1_epi32(filter.segment_length as i32);
    let mask = _mm256_set1_epi32(filter.segment_length_mask as i32);
    let inside = |bits: __m512i| _mm256_and_si256(_mm512_cvtepi64_epi32(bits), mask);
    // The upper word of a product of 64 by 32 bits.
    let firsts = _mm512_set1_epi64(i64::from(filter.segment_count_length));
    let upper = _mm512_mul_epu32(_mm512_srli_epi64::<32>(hash), firsts);
    let lower = _mm512_srli_epi64::<32>(_mm512_mul_epu32(hash, firsts));
    let first = _mm512_cvtepi64_epi32(_mm512_srli_epi64::<32>(_mm512_add_epi64(upper, lower)));
    let second = _mm256_add_epi32(first, length);
    let third = _mm256_add_epi32(second, length);
    [
        first,
        _mm256_xor_si256(second, inside(_mm512_srli_epi64::<18>(hash))),
        _mm256_xor_si256(third, inside(hash)),
    ]
}

/// The cells at eight places, each in the lower bits of a lane.
///
/// # Safety
///
/// The places are of cells whose bytes are whole words of 32 bits.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx2")]
#[allow(unsafe_code)]
unsafe fn gather<const LOG: u32>(start: *const i32, places: __m256i) -> __m256i {
    let (word, shift) = if LOG == 0 {
        let byte = _mm256_and_si256(places, _mm256_set1_epi32(3));
        (_mm256_srli_epi32::<2>(places), _mm256_slli_epi32::<3>(byte))
    } else {
        let half = _mm256_and_si256(places, _mm256_set1_epi32(1));
        (_mm256_srli_epi32::<1>(places), _mm256_slli_epi32::<4>(half))
    };
    // SAFETY: every word holds a cell of these places.
    let words = unsafe { _mm256_i32gather_epi32::<4>(start, word) };
    _mm256_srlv_epi32(words, shift)
}

/// # Safety
///
/// `LOG` is that of the cells, and their descriptor leads to no place outside of them.
#[target_feature(enable = "avx512f,avx512dq,avx2")]
#[allow(unsafe_code)]
unsafe fn affirm<const LOG: u32>(cells: &Cells<'_>, keys: &[u64; QUERIES_MAX]) -> u64 {
    let ones = _mm256_set1_epi32(if LOG == 0 { 0xff } else { 0xffff });
    let mut hits = 0;
    for (i, keys) in keys.as_chunks::<8>().0.iter().enumerate() {
        // SAFETY: eight keys are as long as a register.
        let hash = mix(unsafe { _mm512_loadu_si512(keys.as_ptr().cast()) }, cells.filter.seed);
        let mut all = _mm512_cvtepi64_epi32(_mm512_xor_si512(hash, _mm512_srli_epi64::<32>(hash)));
        for places in places(cells.filter, hash) {
            // SAFETY: as the caller says.
            all = _mm256_xor_si256(all, unsafe { gather::<LOG>(cells.start, places) });
        }
        let closed = _mm256_cmpeq_epi32(_mm256_and_si256(all, ones), _mm256_setzero_si256());
        hits |= ((_mm256_movemask_ps(_mm256_castsi256_ps(closed)) & 0xff) as u64) << (8 * i);
    }
    hits
}
