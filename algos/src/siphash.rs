//! SipHash of many short messages of one length at once.
//!
//! J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012. One message is a chain of
//! additions, rotations and XORs, each of which waits for the one before. Messages do not wait for each other: here
//! [`LANES`] of them go through every operation together. The code is plain arithmetic on arrays; where the
//! processor has AVX2 it is compiled a second time for that, and the compiler makes vectors of the arrays. AVX-512
//! holds a word of all messages in one vector and rotates it in one operation, which takes three elsewhere.
//! The results are those of the crate `siphasher`, which hashes single messages.

/// Messages hashed together: two vectors of AVX2, since one alone would leave half of the time unused, or one of
/// AVX-512, whose next messages the processor begins before it is done with these.
pub const LANES: usize = 8;

type Words = [u64; LANES];

/// The four words of state of all lanes.
struct State {
    v: [Words; 4],
}

impl State {
    #[inline(always)]
    fn new((k0, k1): (u64, u64)) -> Self {
        let start = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        Self { v: start.map(|word| [word; LANES]) }
    }

    #[inline(always)]
    fn rounds(&mut self, rounds: u32) {
        let [v0, v1, v2, v3] = &mut self.v;
        for _ in 0..rounds {
            for i in 0..LANES {
                v0[i] = v0[i].wrapping_add(v1[i]);
                v1[i] = v1[i].rotate_left(13) ^ v0[i];
                v0[i] = v0[i].rotate_left(32);
                v2[i] = v2[i].wrapping_add(v3[i]);
                v3[i] = v3[i].rotate_left(16) ^ v2[i];
                v0[i] = v0[i].wrapping_add(v3[i]);
                v3[i] = v3[i].rotate_left(21) ^ v0[i];
                v2[i] = v2[i].wrapping_add(v1[i]);
                v1[i] = v1[i].rotate_left(17) ^ v2[i];
                v2[i] = v2[i].rotate_left(32);
            }
        }
    }

    #[inline(always)]
    fn block(&mut self, words: &Words, rounds: u32) {
        for (v, word) in self.v[3].iter_mut().zip(words) {
            *v ^= word;
        }
        self.rounds(rounds);
        for (v, word) in self.v[0].iter_mut().zip(words) {
            *v ^= word;
        }
    }

    #[inline(always)]
    fn mix(&mut self, word: usize, constant: u64) {
        for v in &mut self.v[word] {
            *v ^= constant;
        }
    }

    #[inline(always)]
    fn sum(&self) -> Words {
        std::array::from_fn(|i| self.v[0][i] ^ self.v[1][i] ^ self.v[2][i] ^ self.v[3][i])
    }
}

#[inline(always)]
fn sip13_lanes(keys: (u64, u64), messages: &Words) -> Words {
    let mut state = State::new(keys);
    state.block(messages, 1);
    state.block(&[8 << 56; LANES], 1);
    state.mix(2, 0xff);
    state.rounds(3);
    state.sum()
}

#[inline(always)]
fn sip24_128_lanes(keys: (u64, u64), messages: &[Words; 4]) -> [Words; 2] {
    let mut state = State::new(keys);
    state.mix(1, 0xee);
    for words in messages {
        state.block(words, 2);
    }
    state.block(&[32 << 56; LANES], 2);
    state.mix(2, 0xee);
    state.rounds(4);
    let low = state.sum();
    state.mix(1, 0xdd);
    state.rounds(4);
    [low, state.sum()]
}

#[inline(always)]
fn sip13_groups(keys: (u64, u64), messages: &mut [Words]) {
    for group in messages {
        *group = sip13_lanes(keys, group);
    }
}

/// SipHash-1-3 of messages of 8 bytes, read as little-endian words, each in the place of its message.
pub fn sip13(keys: (u64, u64), messages: &mut [Words]) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has it.
        return unsafe { avx512::sip13(keys, messages) };
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has it.
        return unsafe { avx2::sip13(keys, messages) };
    }
    sip13_groups(keys, messages);
}

/// SipHash-2-4 with 128 bits of messages of 32 bytes, read as little-endian words.
pub fn sip24_128(keys: (u64, u64), messages: &[Words; 4]) -> [Words; 2] {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has it.
        return unsafe { avx512::sip24_128(keys, messages) };
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has it.
        return unsafe { avx2::sip24_128(keys, messages) };
    }
    sip24_128_lanes(keys, messages)
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{Words, sip13_groups, sip24_128_lanes};

    #[target_feature(enable = "avx2")]
    pub fn sip13(keys: (u64, u64), messages: &mut [Words]) {
        sip13_groups(keys, messages);
    }

    #[target_feature(enable = "avx2")]
    pub fn sip24_128(keys: (u64, u64), messages: &[Words; 4]) -> [Words; 2] {
        sip24_128_lanes(keys, messages)
    }
}

/// The same with a vector for each word of the state. Left to itself, the compiler packs halves of different words.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{LANES, State, Words};

    #[target_feature(enable = "avx512f")]
    #[allow(unsafe_code)]
    #[inline]
    fn load(words: &Words) -> __m512i {
        const { assert!(LANES == 8) };
        // SAFETY: the array is as long as the vector.
        unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn same(word: u64) -> __m512i {
        _mm512_set1_epi64(word as i64)
    }

    /// The four words of state.
    #[derive(Clone, Copy)]
    struct Vectors([__m512i; 4]);

    impl Vectors {
        #[target_feature(enable = "avx512f")]
        #[inline]
        fn new(keys: (u64, u64)) -> Self {
            let [a, b, c, d] = State::new(keys).v;
            Self([load(&a), load(&b), load(&c), load(&d)])
        }

        #[target_feature(enable = "avx512f")]
        #[inline]
        fn rounds(&mut self, rounds: u32) {
            let [mut a, mut b, mut c, mut d] = self.0;
            for _ in 0..rounds {
                a = _mm512_add_epi64(a, b);
                b = _mm512_xor_si512(_mm512_rol_epi64::<13>(b), a);
                a = _mm512_rol_epi64::<32>(a);
                c = _mm512_add_epi64(c, d);
                d = _mm512_xor_si512(_mm512_rol_epi64::<16>(d), c);
                a = _mm512_add_epi64(a, d);
                d = _mm512_xor_si512(_mm512_rol_epi64::<21>(d), a);
                c = _mm512_add_epi64(c, b);
                b = _mm512_xor_si512(_mm512_rol_epi64::<17>(b), c);
                c = _mm512_rol_epi64::<32>(c);
            }
            self.0 = [a, b, c, d];
        }

        #[target_feature(enable = "avx512f")]
        #[inline]
        fn block(&mut self, words: __m512i, rounds: u32) {
            self.mix(3, words);
            self.rounds(rounds);
            self.mix(0, words);
        }

        #[target_feature(enable = "avx512f")]
        #[inline]
        fn mix(&mut self, word: usize, with: __m512i) {
            self.0[word] = _mm512_xor_si512(self.0[word], with);
        }

        #[target_feature(enable = "avx512f")]
        #[allow(unsafe_code)]
        #[inline]
        fn sum(&self) -> Words {
            let [a, b, c, d] = self.0;
            let sum = _mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d));
            let mut words = [0; LANES];
            // SAFETY: the array is as long as the vector.
            unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), sum) };
            words
        }
    }

    #[target_feature(enable = "avx512f")]
    pub fn sip13(keys: (u64, u64), messages: &mut [Words]) {
        let fresh = Vectors::new(keys);
        for message in messages {
            let mut state = fresh;
            state.block(load(message), 1);
            state.block(same(8 << 56), 1);
            state.mix(2, same(0xff));
            state.rounds(3);
            *message = state.sum();
        }
    }

    #[target_feature(enable = "avx512f")]
    pub fn sip24_128(keys: (u64, u64), messages: &[Words; 4]) -> [Words; 2] {
        let mut state = Vectors::new(keys);
        state.mix(1, same(0xee));
        for words in messages {
            state.block(load(words), 2);
        }
        state.block(same(32 << 56), 2);
        state.mix(2, same(0xee));
        state.rounds(4);
        let low = state.sum();
        state.mix(1, same(0xdd));
        state.rounds(4);
        [low, state.sum()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use siphasher::sip::SipHasher13;
    use siphasher::sip128::SipHasher24;

    proptest! {
        #[test]
        fn lanes_are_what_the_crate_makes_of_each_message(keys: (u64, u64), messages: [[u64; LANES]; 4]) {
            let short = SipHasher13::new_with_keys(keys.0, keys.1);
            let expected = messages[0].map(|message| short.hash(&message.to_le_bytes()));
            prop_assert_eq!(sip13_lanes(keys, &messages[0]), expected);
            let mut groups = messages;
            sip13(keys, &mut groups);
            prop_assert_eq!(groups, messages.map(|group| sip13_lanes(keys, &group)));

            let long = SipHasher24::new_with_keys(keys.0, keys.1);
            let halves: [(u64, u64); LANES] = std::array::from_fn(|lane| {
                let bytes: Vec<u8> = messages.iter().flat_map(|words| words[lane].to_le_bytes()).collect();
                long.hash(&bytes).as_u64()
            });
            let expected = [halves.map(|half| half.0), halves.map(|half| half.1)];
            prop_assert_eq!(sip24_128(keys, &messages), expected);
            prop_assert_eq!(sip24_128_lanes(keys, &messages), expected);
        }
    }
}
