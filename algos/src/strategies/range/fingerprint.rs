//! Fingerprints of ranges: what stands for all items of a range.
//!
//! A fingerprint hashes one block. The crate `sha2` compresses it with the processor's instructions for that where there are
//! any, and then waits: each of them needs the one before. Fingerprints come many at a time, so sixteen blocks that have
//! nothing to do with each other are compressed in the lanes of wide registers (`lanes`), or two in turns (`x86`).

#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Sub;

use sha2::block_api::compress256;

use super::message::varint_digits;
use crate::item::ItemId;

/// Bytes of a fingerprint.
pub const FINGERPRINT_LEN: usize = 16;
/// A fingerprint.
pub type Fingerprint = [u8; FINGERPRINT_LEN];

/// A sum of ids modulo 2^256, each id a little-endian number; lowest limb first.
///
/// Sums form a group: the sum of a range is that of everything below its end less that of everything below its
/// start, so nobody needs to look at what lies between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdSum(pub(super) [u64; 4]);

impl IdSum {
    /// The sum of nothing.
    pub const ZERO: Self = Self([0; 4]);

    /// The sum of one id.
    pub fn of(id: &ItemId) -> Self {
        let (limbs, _) = id.bytes().as_chunks::<8>();
        Self(std::array::from_fn(|i| u64::from_le_bytes(limbs[i])))
    }

    /// Adds an id.
    pub fn add(&mut self, id: &ItemId) {
        self.add_sum(&Self::of(id));
    }

    /// Adds another sum.
    pub fn add_sum(&mut self, other: &Self) {
        let mut carry = false;
        for (limb, more) in self.0.iter_mut().zip(other.0) {
            let (sum, over) = limb.overflowing_add(more);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, over | again);
        }
    }

    fn less(mut self, other: &Self) -> Self {
        let mut borrow = false;
        for (limb, less) in self.0.iter_mut().zip(other.0) {
            let (rest, under) = limb.overflowing_sub(less);
            let (rest, again) = rest.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (rest, under | again);
        }
        self
    }

    /// The number, little-endian; the id itself where it is the sum of one.
    pub fn to_bytes(self) -> [u8; ItemId::LEN] {
        let mut bytes = [0; ItemId::LEN];
        for (bytes, limb) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *bytes = limb.to_le_bytes();
        }
        bytes
    }
}

impl Sub for IdSum {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.less(&other)
    }
}

/// What SHA-256 starts from (FIPS 180-4, 5.3.3).
const SHA256_START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The fingerprint of a range: the first 16 bytes of SHA-256(sum of ids ‖ varint of their count). O(1).
pub fn fingerprint(sum: &IdSum, count: u64) -> Fingerprint {
    let mut state = SHA256_START;
    let mut bytes = [0; 64];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(block(sum, count)) {
        *bytes = word.to_le_bytes();
    }
    compress256(&mut state, &[bytes]);
    short(&state)
}

/// How fingerprints are hashed on this machine.
pub fn path() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if lanes::is_detected() {
        return "avx512";
    }
    #[cfg(target_arch = "x86_64")]
    if x86::is_detected() {
        return "sha";
    }
    "portable"
}

/// Appends [`fingerprint`] of each sum and count. Several at once where the processor can.
pub fn fingerprints(of: &[(IdSum, u64)], to: &mut Vec<Fingerprint>) {
    #[cfg(target_arch = "x86_64")]
    let of = {
        let (full, rest) = if lanes::is_detected() { of.as_chunks() } else { (&[][..], of) };
        full.iter().for_each(|of| to.extend(lanes::sixteen(of)));
        let (pairs, rest) = if x86::is_detected() { rest.as_chunks() } else { (&[][..], rest) };
        for pair in pairs {
            let states = x86::compress_two(&pair.map(|(sum, count)| block(&sum, count)));
            to.extend(states.map(|state| short(&state)));
        }
        rest
    };
    to.extend(of.iter().map(|(sum, count)| fingerprint(sum, *count)));
}

/// What is hashed: one block with its padding, made here without the buffer of a hasher that does not know how much will
/// come. Eight words, little-endian: bytes that are put down one by one are slow to be taken up again by sixteens.
fn block(sum: &IdSum, count: u64) -> [u64; 8] {
    let (digits, len) = varint_digits(count);
    let tail = digits | 0x80 << (8 * len);
    let IdSum([a, b, c, d]) = *sum;
    // The length in bits comes last.
    [a, b, c, d, tail as u64, (tail >> 64) as u64, 0, (8 * (ItemId::LEN + len) as u64).swap_bytes()]
}

fn short(state: &[u32; 8]) -> Fingerprint {
    let mut short = [0; FINGERPRINT_LEN];
    for (bytes, word) in short.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(ids: &[[u8; 32]]) -> IdSum {
        let mut sum = IdSum::default();
        for id in ids {
            sum.add(&ItemId::new(*id));
        }
        sum
    }

    fn one() -> [u8; 32] {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }

    #[test]
    fn a_carry_runs_through_full_words_and_out_at_the_top() {
        let mut low_half = [0xff; 32];
        low_half[16..].fill(0);
        assert_eq!(sum(&[low_half, one()]), IdSum([0, 0, 1, 0]));
        assert_eq!(sum(&[[0xff; 32], one()]), IdSum::ZERO);
        // 2·(2^256 − 1) = 2^256 − 2: both sources of overflow in the upper half.
        assert_eq!(sum(&[[0xff; 32], [0xff; 32]]), IdSum([u64::MAX - 1, u64::MAX, u64::MAX, u64::MAX]));
    }

    proptest! {
        #[test]
        fn sums_are_a_group(a: [[u8; 32]; 3], b: [[u8; 32]; 2]) {
            let mut both = sum(&a);
            both.add_sum(&sum(&b));
            prop_assert_eq!(both, sum(&[&a[..], &b[..]].concat()));
            prop_assert_eq!(both - sum(&b), sum(&a));
            prop_assert_eq!(sum(&[a[0]]).to_bytes(), a[0]);
        }
    }

    proptest! {
        #[test]
        fn the_block_is_what_a_hasher_makes(id: [u8; 32], count: u64, shift in 0_u32..64) {
            use sha2::{Digest, Sha256};
            let (digits, len) = varint_digits(count >> shift);
            let hash = Sha256::new().chain_update(id).chain_update(&digits.to_le_bytes()[..len]).finalize();
            prop_assert_eq!(&fingerprint(&sum(&[id]), count >> shift)[..], &hash[..FINGERPRINT_LEN]);
        }

        #[test]
        fn many_fingerprints_are_those_of_each(all in proptest::collection::vec((any::<[u8; 32]>(), any::<u64>()), 0..40)) {
            let of: Vec<(IdSum, u64)> = all.iter().map(|(id, count)| (sum(&[*id]), *count)).collect();
            let mut together = Vec::new();
            fingerprints(&of, &mut together);
            let each: Vec<Fingerprint> = of.iter().map(|(sum, count)| fingerprint(sum, *count)).collect();
            prop_assert_eq!(together, each);
        }
    }

    /// The expected bytes come from Python's hashlib over 32 zero bytes and the count.
    #[test]
    fn the_fingerprint_of_nothing_and_of_a_zero_id_differ() {
        let hex = |bytes: [u8; 16]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(fingerprint(&IdSum::default(), 0)), "7f9c9e31ac8256ca2f258583df262dbc");
        assert_eq!(hex(fingerprint(&IdSum::default(), 1)), "1fd4247443c9440cb3c48c2885193719");
    }
}
