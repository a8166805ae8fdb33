//! Roots among elements that are known: whoever decodes the difference of two sets holds one of them.
//!
//! About half of the locator's roots are then elements of the decoder's own set, and looking costs one product for
//! each of n elements and each of m coefficients, while factoring costs some hundred products for each of m².
//! What is found is divided out, and half the degree is factored in a quarter of the time.
//!
//! A polynomial is evaluated at sixteen elements side by side, as Σ_j (Σ_{i<B} p_{jB+i}·x^i)·x^(jB): 2√m powers with a
//! reduction each, and all else sums of products that are reduced once ([`Gf::combine`], [`Gf::dots`]).

use super::{Gf, TILE, roots};

/// Products of factoring that one product of evaluating is worth, where `expected` of m roots are among n elements: n·m of
/// these spare m² - (m - expected)² of those. Measured at m from 100 to 1,000.
const FACTOR_PRODUCTS: u64 = 100;

/// Whether looking is cheaper than factoring. From sizes only, so that it is the same on every machine.
pub fn is_worth(elements: usize, degree: usize, expected: usize) -> bool {
    let [n, m, own] = [elements, degree, expected.min(degree)].map(|len| len as u64);
    degree > 2 && n.saturating_mul(m + 8) < (2 * m - own).saturating_mul(own).saturating_mul(FACTOR_PRODUCTS)
}

/// The roots of a monic polynomial among `elements`, sorted, and what is left of it.
pub fn strip(gf: Gf, poly: Vec<u64>, elements: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let mut found = roots_among(gf, &poly, elements);
    found.sort_unstable();
    found.dedup();
    let mut product = vec![0; (found.len() + 1).next_multiple_of(TILE)];
    product[0] = 1;
    for (degree, root) in found.iter().enumerate() {
        // (x + r)·q from the top down, so that what is read is not yet written.
        for tile in (0..=(degree + 1) / TILE).rev().map(|tile| tile * TILE) {
            let scaled = gf.combine(&[*root], &product[tile..], TILE);
            for k in (0..TILE).rev() {
                let below = if tile + k == 0 { 0 } else { product[tile + k - 1] };
                product[tile + k] = below ^ scaled[k];
            }
        }
    }
    product.truncate(found.len() + 1);
    let rest = roots::quotient(gf, &poly, &product);
    (found, rest)
}

fn roots_among(gf: Gf, poly: &[u64], elements: &[u64]) -> Vec<u64> {
    let babies_len = poly.len().isqrt().max(2);
    let giants_len = poly.len().div_ceil(babies_len);
    let mut coefficients = poly.to_vec();
    coefficients.resize(babies_len * giants_len, 0);
    let mut babies = vec![0; babies_len * TILE];
    let (mut giants, mut sums) = (vec![0; giants_len * TILE], vec![0; giants_len * TILE]);
    let mut found = Vec::new();
    for sixteen in elements.chunks(TILE) {
        let mut x = [0; TILE];
        x[..sixteen.len()].copy_from_slice(sixteen);
        let step = powers(gf, &mut babies, &x);
        powers(gf, &mut giants, &step);
        for (sums, row) in sums.chunks_exact_mut(TILE).zip(coefficients.chunks_exact(babies_len)) {
            sums.copy_from_slice(&gf.combine(row, &babies, TILE));
        }
        let values = gf.dots(&sums, &giants);
        found.extend(sixteen.iter().zip(values).filter(|(_, value)| *value == 0).map(|(x, _)| *x));
    }
    found
}

/// 1, x, x², … as rows, and the next power; each of two of about half its exponent, so that few wait for each other.
fn powers(gf: Gf, rows: &mut [u64], x: &[u64; TILE]) -> [u64; TILE] {
    let product = |rows: &[u64], i: usize| {
        let [a, b] = [i / 2, i - i / 2].map(|i| &rows[i * TILE..][..TILE]);
        gf.dots(a, b)
    };
    let len = rows.len() / TILE;
    for i in 0..len {
        let power = match i {
            0 => [1; TILE],
            1 => *x,
            _ => product(rows, i),
        };
        rows[i * TILE..][..TILE].copy_from_slice(&power);
    }
    if len == 1 { *x } else { product(rows, len) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{each, elements};
    use super::*;

    #[test]
    fn own_roots_are_found_and_divided_out() {
        each(|gf, _| {
            for (own, others, bystanders) in
                [(0, 5, 40), (3, 0, 0), (1, 2, 15), (20, 13, 100), (40, 40, 7), (15, 3, 1), (17, 1, 33)]
            {
                let all = elements(own + others + bystanders, gf.bits, 20);
                let (mine, rest) = all.split_at(own);
                let (theirs, neither) = rest.split_at(others);
                let poly = |roots: &[u64]| {
                    roots.iter().fold(vec![1], |poly, root| {
                        let shifted = std::iter::once(&0).chain(&poly);
                        let scaled = poly.iter().map(|x| gf.mul(*x, *root)).chain([0]);
                        shifted.zip(scaled).map(|(a, b)| a ^ b).collect()
                    })
                };
                // Twice, as two items with one short id.
                let looked_at = [mine, neither, mine].concat();
                let (found, left) = strip(gf, poly(&[mine, theirs].concat()), &looked_at);
                let mut expected = mine.to_vec();
                expected.sort_unstable();
                assert_eq!(found, expected);
                assert_eq!(left, poly(theirs), "{gf:?} {own} {others}");
            }
        });
    }

    #[test]
    fn looking_pays_for_large_differences_of_small_sets() {
        assert!(is_worth(10_000, 1000, 500));
        assert!(!is_worth(1_000_000, 1000, 500));
        assert!(!is_worth(10_000, 1000, 0));
        assert!(!is_worth(1, 2, 2));
        assert!(is_worth(1, 3, 9));
        assert!(!is_worth(usize::MAX, 3, 3));
    }
}
