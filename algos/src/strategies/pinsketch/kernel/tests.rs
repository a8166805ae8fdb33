//! Every path against the portable one, and the portable one against schoolbook arithmetic.

use super::*;
use crate::seed::Seed;

const FIELDS: [u32; 4] = [32, 40, 48, 64];

pub(super) fn elements(n: usize, bits: u32, seed: u64) -> Vec<u64> {
    let mut rng = Seed::new(seed).rng();
    let mut all = std::collections::BTreeSet::new();
    while all.len() < n {
        all.insert((rng.next_u64() >> (64 - bits)).max(1));
    }
    let mut all: Vec<u64> = all.into_iter().collect();
    // Not in order.
    for i in (1..all.len()).rev() {
        all.swap(i, rng.below(i as u64 + 1) as usize);
    }
    all
}

pub(super) fn each(mut check: impl FnMut(Gf, Gf)) {
    for bits in FIELDS {
        for path in Path::all() {
            check(Gf::new(bits, *path).unwrap(), Gf::new(bits, Path::Portable).unwrap());
        }
    }
}

/// Oracle: bit by bit, as at school.
#[test]
fn products_are_carry_less() {
    let schoolbook = |a: u64, b: u64| {
        (0..64).filter(|bit| b >> bit & 1 == 1).fold(0_u128, |sum, bit| sum ^ u128::from(a) << bit)
    };
    let mut rng = Seed::new(1).rng();
    for _ in 0..1000 {
        let [a, b] = [rng.next_u64(), rng.next_u64()];
        assert_eq!(portable::product(a, b), schoolbook(a, b));
        each(|gf, _| {
            let [a, b] = [a & gf.mask(), b & gf.mask()];
            assert_eq!(gf.mul(a, b), gf.reduce(schoolbook(a, b)));
        });
    }
    assert_eq!(portable::product(u64::MAX, u64::MAX), schoolbook(u64::MAX, u64::MAX));
}

/// Oracle: the laws of a field; x^(2^b) = x and x·(1/x) = 1 fail for a modulus that is not irreducible.
#[test]
fn they_are_fields() {
    each(|gf, _| {
        for x in elements(100, gf.bits, 2) {
            assert_eq!(gf.mul(x, gf.inverse(x)), 1);
            assert_eq!((0..gf.bits).fold(x, |x, _| gf.mul(x, x)), x);
            assert_eq!(gf.mul(x, 2), gf.reduce(u128::from(x) << 1));
        }
        assert_eq!(gf.inverse(0), 0);
    });
    assert!(Gf::new(63, Path::Portable).is_none());
}

#[test]
fn sums_of_products_are_equal_on_every_path() {
    each(|gf, portable| {
        for n in [0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 100] {
            let (a, b) = (elements(n, gf.bits, 3), elements(n, gf.bits, 4));
            let sum = a.iter().zip(&b).fold(0, |sum, (a, b)| sum ^ gf.mul(*a, *b));
            assert_eq!(gf.dot(&a, &b), sum);
            let (long, other) = (elements(n * TILE, gf.bits, 12), elements(n * TILE, gf.bits, 13));
            let columns = gf.dots(&long, &other);
            assert_eq!(columns, portable.dots(&long, &other));
            let last = long.iter().zip(&other).skip(TILE - 1).step_by(TILE);
            assert_eq!(columns[TILE - 1], last.fold(0, |sum, (a, b)| sum ^ gf.mul(*a, *b)));
            for step in [1, 5, TILE] {
                let rows = elements(n * step + TILE, gf.bits, 5);
                let columns = gf.combine(&a, &rows, step);
                assert_eq!(columns, portable.combine(&a, &rows, step));
                let first = a.iter().enumerate().fold(0, |sum, (r, a)| sum ^ gf.mul(*a, rows[r * step]));
                assert_eq!(columns[0], first);
            }
        }
    });
}

#[test]
fn combinations_of_polynomials_are_equal_on_every_path() {
    each(|gf, portable| {
        for len in [TILE, 2 * TILE, 5 * TILE] {
            let (p, q) = (elements(len, gf.bits, 21), elements(len + 1, gf.bits, 22));
            let [a, b, c] = elements(3, gf.bits, 23)[..] else { panic!("three were asked for") };
            let (mut two, mut three) = ([p.clone(), p.clone()], [p.clone(), p.clone()]);
            for (gf, (two, three)) in [gf, portable].into_iter().zip(two.iter_mut().zip(&mut three)) {
                gf.cross(two, &q[..len], [a, b]);
                gf.cross_linear(three, &q, [a, b, c]);
            }
            assert_eq!(two[0], two[1]);
            assert_eq!(three[0], three[1]);
            for (k, x) in p.iter().enumerate() {
                let sum = gf.mul(*x, a) ^ gf.mul(q[k], b);
                assert_eq!((two[0][k], three[0][k]), (sum, sum ^ gf.mul(q[k + 1], c)));
            }
        }
    });
}

#[test]
fn polynomials_side_by_side_advance_as_each() {
    each(|gf, portable| {
        for rows in [1, 2, 7] {
            let all = elements((2 * rows + 2) * TILE, gf.bits, 29);
            let (p, rest) = all.split_at(rows * TILE);
            let (q, scales) = rest.split_at(rows * TILE);
            let [a, b]: [&[u64; TILE]; 2] = [0, TILE].map(|at| scales[at..][..TILE].try_into().unwrap());
            let grown = std::array::from_fn(|lane| if lane < 5 { u64::MAX } else { 0 });
            let (mut fast, mut slow) = ([p.to_vec(), q.to_vec()], [p.to_vec(), q.to_vec()]);
            for (gf, [p, q]) in [(gf, &mut fast), (portable, &mut slow)] {
                gf.advance(p, q, [a, b], &grown);
            }
            assert_eq!(fast, slow);
            for (at, (x, y)) in p.iter().zip(q).enumerate() {
                let lane = at % TILE;
                assert_eq!(fast[0][at], gf.mul(a[lane], *x) ^ gf.mul(b[lane], *y));
                assert_eq!(fast[1][at], if lane < 5 { *x } else { *y });
            }
        }
    });
}

/// Oracle: the definition of a product of polynomials.
#[test]
fn parts_of_products_are_equal_on_every_path() {
    each(|gf, portable| {
        for (len, count, start, filled) in
            [(0, 1, 0, 3), (2, 5, 1, 40), (10, 32, 9, 17), (10, 33, 0, 9), (64, 96, 63, 96), (40, 70, 0, 41)]
        {
            let (a, words) = (elements(len, gf.bits, 24), elements(filled, gf.bits, 25));
            let window = Window::new(gf, len, count, start, words.iter().copied());
            let before = elements(count.next_multiple_of(WINDOW_TILE), gf.bits, 26);
            let mut sums = [before.clone(), before.clone()];
            gf.convolve(&a, &window, &mut sums[0]);
            portable.convolve(&a, &window, &mut sums[1]);
            assert_eq!(sums[0], sums[1], "{gf:?} {len} {count}");
            let word = |at: usize| at.checked_sub(start).and_then(|at| words.get(at)).map_or(0, |x| *x);
            for k in 0..count {
                let sum = a
                    .iter()
                    .enumerate()
                    .fold(before[k], |sum, (i, a)| sum ^ gf.mul(*a, word(k + len - 1 - i)));
                assert_eq!(sums[0][k], sum);
            }
        }
    });
}

/// Oracle: quotient · divisor + remainder.
#[test]
fn sixteen_are_divided_at_once() {
    each(|gf, portable| {
        for (count, degree) in [(1, 3), (3, 3), (7, 3), (20, 12), (12, 1), (9, 0)] {
            let dividends = elements(count * TILE, gf.bits, 27);
            let below = elements(degree, gf.bits, 28);
            let mut rows = [dividends.clone(), dividends.clone()];
            gf.divide(&mut rows[0], &below);
            portable.divide(&mut rows[1], &below);
            assert_eq!(rows[0], rows[1]);
            let divisor = [&[1], &below[..]].concat();
            for lane in [0, 5, TILE - 1] {
                for k in 0..count {
                    let remainder = if k < degree { rows[0][k * TILE + lane] } else { 0 };
                    let product = (degree.max(k)..count.min(k + degree + 1))
                        .fold(remainder, |sum, s| sum ^ gf.mul(rows[0][s * TILE + lane], divisor[s - k]));
                    assert_eq!(product, dividends[k * TILE + lane], "{count} {degree} {k}");
                }
            }
        }
    });
}

/// Oracle: the definition of a syndrome.
#[test]
fn syndromes_are_odd_power_sums() {
    each(|gf, portable| {
        for n in [0, 1, 2, 31, 32, 33, 65] {
            let elements = elements(n, gf.bits, 6);
            for capacity in [0, 1, 2, 3, 4, 5, 15, 16, 17, 31, 63, 64, 65, 130, 300] {
                let sums = gf.syndromes(capacity, elements.iter().copied());
                assert_eq!(
                    sums,
                    portable.syndromes(capacity, elements.iter().copied()),
                    "{gf:?} {n} {capacity}"
                );
                let power = |x: u64| (1..capacity).fold(x, |power, _| gf.mul(gf.mul(power, x), x));
                let last = elements.iter().fold(0, |sum, x| sum ^ power(*x));
                assert_eq!(sums.last().copied().unwrap_or(last), last);
            }
        }
    });
}

#[test]
fn one_at_a_time_is_as_all_at_once() {
    each(|gf, portable| {
        for capacity in [0, 1, 2, 4, 5, 15, 16, 17, 64, 65, 130, 300] {
            let elements = elements(9, gf.bits, 14);
            let mut adder = Adder::new(gf, capacity);
            for x in elements.iter().chain(&elements[..3]) {
                adder.add(*x);
            }
            assert_eq!(adder.syndromes(), portable.syndromes(capacity, elements[3..].iter().copied()));
        }
    });
}

/// Whatever has been put into the sums by then.
#[test]
fn a_sketch_can_be_read_after_every_insert() {
    each(|gf, portable| {
        let capacity = 9;
        let elements = elements(2 * BLOCK + 3, gf.bits, 15);
        let (mut read, mut unread) = (Adder::new(gf, capacity), Adder::new(gf, capacity));
        for (n, x) in elements.iter().enumerate() {
            read.add(*x);
            unread.add(*x);
            if n < 40 || n % BLOCK < 2 {
                let expected = portable.syndromes(capacity, elements[..=n].iter().copied());
                assert_eq!(read.syndromes(), expected, "{gf:?} {n}");
                assert_eq!(unread.clone().syndromes(), expected);
            }
        }
        assert_eq!(unread.syndromes(), read.syndromes());
        assert_eq!(read.sketch(), gf.write(&portable.syndromes(capacity, elements.iter().copied())));
    });
}

#[test]
fn what_fits_is_decoded() {
    each(|gf, _| {
        let slow = gf.path == Path::Portable;
        for capacity in [1, 2, 3, 4, 5, 15, 16, 17, 33, 64, 100, 257] {
            for d in [0, 1, 2, 3, capacity / 2, capacity - 1, capacity] {
                if d > capacity || slow && capacity > 100 {
                    continue;
                }
                let mut set = elements(d, gf.bits, 7 + d as u64);
                let sums = gf.syndromes(capacity, set.iter().copied());
                set.sort_unstable();
                for seed in [0, 1, u64::MAX] {
                    assert_eq!(gf.decode(&sums, seed).as_ref(), Some(&set), "{gf:?} c={capacity} d={d}");
                }
            }
        }
    });
}

#[test]
fn many_are_decoded_as_each() {
    each(|gf, _| {
        for (capacity, count) in [(1, 3), (2, 17), (5, 33), (12, 20), (48, 9)] {
            let mut own = Vec::new();
            let mut syndromes = Vec::new();
            for part in 0..count {
                // Some fit, some are overfull, some are empty.
                let d = (part * 7 + part / 3) % (capacity + 3);
                let set = elements(d, gf.bits, 30 + part as u64);
                syndromes.extend(gf.syndromes(capacity, set.iter().copied()));
                let bystanders = elements(20, gf.bits, 60 + part as u64);
                own.push([&set[..d / 2], &bystanders].concat());
            }
            let own: Vec<&[u64]> = own.iter().map(|own| &own[..]).collect();
            let without: Vec<&[u64]> = vec![&[]; count];
            let expected: Vec<_> = syndromes.chunks_exact(capacity).map(|one| gf.decode(one, 9)).collect();
            assert!(expected.iter().any(Option::is_some));
            assert!(capacity != 5 || expected.iter().any(Option::is_none));
            assert_eq!(gf.decode_many(capacity, &syndromes, &own, 1), expected, "{gf:?} {capacity}");
            assert_eq!(gf.decode_many(capacity, &syndromes, &without, 2), expected, "{gf:?} {capacity}");
            for (one, own) in syndromes.chunks_exact(capacity).zip(&own) {
                assert_eq!(gf.decode_with(one, own.len(), || own.to_vec(), |d| d / 2, 3), gf.decode(one, 4));
            }
        }
    });
}

/// Above the degree for which a matrix is kept, even and odd.
#[test]
fn a_large_set_is_decoded() {
    each(|gf, _| {
        for d in [301, 302, 700] {
            if gf.path != Path::Portable && (d < 700 || gf.path == Path::best()) {
                let mut set = elements(d, gf.bits, 8);
                let sums = gf.syndromes(d, set.iter().copied());
                set.sort_unstable();
                assert_eq!(gf.decode(&sums, 3), Some(set), "{gf:?} {d}");
            }
        }
    });
}

/// Noise, and sets that are too large: as minisketch, whatever the path.
#[test]
#[cfg(target_arch = "x86_64")]
fn minisketch_agrees() {
    use super::super::peer::Peer;
    each(|gf, _| {
        let peer = Peer::new(gf.bits);
        for capacity in [1, 2, 3, 5, 8, 9, 16, 31, 64, 65] {
            for n in [1, 2, capacity, capacity + 1, capacity + 2, 3 * capacity, 100] {
                let set = elements(n, gf.bits, 9 + n as u64);
                let sums = gf.syndromes(capacity, set.iter().copied());
                let bytes = gf.write(&sums);
                assert_eq!(Some(&bytes), peer.sketch(capacity as u64, set.iter().copied()).as_ref());
                assert_eq!(gf.read(&bytes), sums);
                assert_eq!(
                    gf.decode(&sums, 5),
                    peer.decode(&bytes, capacity as u64, 5),
                    "{gf:?} c={capacity} n={n}"
                );
            }
            for trial in 0..20 {
                let mut rng = Seed::new(10).nth(trial).rng();
                let noise: Vec<u64> = (0..capacity).map(|_| rng.next_u64() & gf.mask()).collect();
                let bytes = gf.write(&noise);
                assert_eq!(gf.decode(&noise, 5), peer.decode(&bytes, capacity as u64, 5));
            }
        }
    });
}
