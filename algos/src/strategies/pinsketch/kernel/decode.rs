//! From syndromes to the polynomial whose roots are the set.
//!
//! Berlekamp and Massey's algorithm finds the shortest recurrence Λ of the power sums s1, s2, …; even
//! ones are squares of earlier ones. Two things make it cheaper here than in the textbook: since the sums come
//! from characteristic 2, every second discrepancy is 0 and is not computed (Berlekamp 1968, 7.6); and
//! instead of dividing by the last discrepancy both sides are scaled, so nothing is inverted until the end. A
//! discrepancy is one [`Gf::dot`], as the sums are kept in reverse order.

use super::{Gf, TILE};

/// A monic polynomial, lowest coefficient first, whose roots are the elements; nothing when the sums need more
/// elements than there are sums. Sums that are all 0 have the polynomial 1.
pub fn locator(gf: Gf, syndromes: &[u64]) -> Option<Vec<u64>> {
    let capacity = syndromes.len();
    // Power sum k + 1 is at 2·capacity - 1 - k.
    let mut reversed = vec![0; 2 * capacity];
    for k in 0..2 * capacity {
        reversed[2 * capacity - 1 - k] = if k % 2 == 0 {
            syndromes[k / 2]
        } else {
            let root = reversed[2 * capacity - 1 - k / 2];
            gf.mul(root, root)
        };
    }
    // No recurrence that counts is longer than the capacity. The previous one has zeros in front, so that it
    // can be read as its product with any x^shift.
    let padded = (capacity + 1).next_multiple_of(TILE);
    let front = 2 * capacity;
    let (mut current, mut kept) = (vec![0; padded], vec![0; padded]);
    let mut previous = vec![0; front + padded];
    (current[0], previous[front]) = (1, 1);
    // Length of the recurrence, the last discrepancy, and steps since `previous`.
    let (mut len, mut last, mut shift) = (0, 1, 1);
    for n in (0..2 * capacity).step_by(2) {
        let window = &reversed[2 * capacity - 1 - n..];
        let terms = (len + 1).min(n + 1);
        let discrepancy = gf.dot(&current[..terms], &window[..terms]);
        if discrepancy != 0 {
            let grown = 2 * len <= n;
            let next_len = if grown { n + 1 - len } else { len };
            if next_len > capacity {
                return None;
            }
            let filled = (next_len + 1).next_multiple_of(TILE);
            if grown {
                kept[..filled].copy_from_slice(&current[..filled]);
            }
            let shifted = &previous[front - shift..][..filled];
            gf.cross(&mut current[..filled], shifted, [last, discrepancy]);
            if grown {
                previous[front..front + filled].copy_from_slice(&kept[..filled]);
                (len, last, shift) = (next_len, discrepancy, 0);
            }
        }
        shift += 2;
    }
    if current[len] == 0 {
        return None;
    }
    current.truncate(len + 1);
    // Scaling has changed the constant 1; its inverse makes the reverse monic.
    let scale = gf.inverse(current[0]);
    current.reverse();
    scale_by(gf, &mut current, scale);
    Some(current)
}

/// Multiplies all by one factor.
pub fn scale_by(gf: Gf, values: &mut Vec<u64>, factor: u64) {
    let len = values.len();
    values.resize(len.next_multiple_of(TILE), 0);
    for tile in values.chunks_exact_mut(TILE) {
        let scaled = gf.combine(&[factor], tile, TILE);
        tile.copy_from_slice(&scaled);
    }
    values.truncate(len);
}
