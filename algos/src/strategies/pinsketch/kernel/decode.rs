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
    let (mut current, mut previous) = (vec![1], vec![1]);
    // Length of the recurrence, the last discrepancy, and steps since `previous`.
    let (mut len, mut last, mut shift) = (0, 1, 1);
    for n in (0..2 * capacity).step_by(2) {
        let window = &reversed[2 * capacity - 1 - n..];
        let terms = current.len().min(n + 1);
        let discrepancy = gf.dot(&current[..terms], &window[..terms]);
        if discrepancy != 0 {
            let grown = 2 * len <= n;
            if grown && n + 1 - len > capacity {
                return None;
            }
            let next = crossed(gf, [last, discrepancy], [&current, &previous], shift);
            if grown {
                previous = std::mem::replace(&mut current, next);
                (len, last, shift) = (n + 1 - len, discrepancy, 0);
            } else {
                current = next;
            }
        }
        shift += 2;
    }
    while current.last() == Some(&0) {
        let _ = current.pop();
    }
    if current.len() != len + 1 {
        return None;
    }
    // Scaling has changed the constant 1; its inverse makes the reverse monic.
    let scale = gf.inverse(current[0]);
    current.reverse();
    Some(current.into_iter().map(|coefficient| gf.mul(coefficient, scale)).collect())
}

/// a·p + b·x^shift·q.
fn crossed(gf: Gf, [a, b]: [u64; 2], [p, q]: [&[u64]; 2], shift: usize) -> Vec<u64> {
    let len = p.len().max(q.len() + shift);
    let padded = len.next_multiple_of(TILE);
    let mut rows = vec![0; 2 * padded];
    let (first, second) = rows.split_at_mut(padded);
    first[..p.len()].copy_from_slice(p);
    second[shift..shift + q.len()].copy_from_slice(q);
    let mut sum = Vec::with_capacity(padded);
    for column in (0..padded).step_by(TILE) {
        sum.extend(gf.combine(&[a, b], &rows[column..], padded));
    }
    sum.truncate(len);
    sum
}
