//! Fingerprints of ranges: what stands for all items of a range.

use sha2::{Digest, Sha256};

use super::message::put_varint;
use crate::item::{Item, ItemId};

/// Bytes of a fingerprint.
pub const FINGERPRINT_LEN: usize = 16;

/// The sum of ids modulo 2^256, each id a little-endian number; lowest word first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct IdSum([u64; 4]);

impl IdSum {
    fn add(&mut self, id: &ItemId) {
        let mut carry = false;
        for (word, bytes) in self.0.iter_mut().zip(id.bytes().as_chunks::<8>().0) {
            // At most one of the two additions overflows.
            let (sum, over) = word.overflowing_add(u64::from_le_bytes(*bytes));
            let (sum, over_by_carry) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = over | over_by_carry;
        }
    }
}

/// The fingerprint of a run of items: the first 16 bytes of SHA-256(sum of ids ‖ varint of their count).
///
/// O(items). The sum is a group, so sums of prefixes or of a tree would make it O(1) or O(log n); this
/// version measures the plain scan.
pub fn fingerprint(items: &[Item]) -> [u8; FINGERPRINT_LEN] {
    let mut sum = IdSum::default();
    for item in items {
        sum.add(&item.id);
    }
    let mut bytes = Vec::with_capacity(ItemId::LEN + 10);
    for word in sum.0 {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    put_varint(&mut bytes, items.len() as u64);
    let hash: [u8; 32] = Sha256::digest(&bytes).into();
    let mut short = [0; FINGERPRINT_LEN];
    short.copy_from_slice(&hash[..FINGERPRINT_LEN]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(ids: &[[u8; 32]]) -> [u64; 4] {
        let mut sum = IdSum::default();
        for id in ids {
            sum.add(&ItemId::new(*id));
        }
        sum.0
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
        assert_eq!(sum(&[low_half, one()]), [0, 0, 1, 0]);
        assert_eq!(sum(&[[0xff; 32], one()]), [0; 4]);
        // 2·(2^256 − 1) = 2^256 − 2: both sources of overflow in every word above the first.
        assert_eq!(sum(&[[0xff; 32], [0xff; 32]]), [u64::MAX - 1, u64::MAX, u64::MAX, u64::MAX]);
    }

    /// The expected bytes come from Python's hashlib over 32 zero bytes and the count.
    #[test]
    fn the_fingerprint_of_nothing_and_of_a_zero_id_differ() {
        let hex = |bytes: [u8; 16]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(fingerprint(&[])), "7f9c9e31ac8256ca2f258583df262dbc");
        assert_eq!(
            hex(fingerprint(&[Item { at: 5, id: ItemId::new([0; 32]) }])),
            "1fd4247443c9440cb3c48c2885193719"
        );
    }
}
