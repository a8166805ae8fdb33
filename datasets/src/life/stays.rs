//! Stays as lists: to unite, to cut, and to keep within a life.

use offerbench_algos::Rng;

use super::Stay;
use super::laws::exponential;

/// Adds the stretch from `on_ms` until `off_ms`, as far as it lies within the life. Milliseconds before its
/// beginning are negative.
pub(super) fn push(stays: &mut Vec<Stay>, on_ms: f64, off_ms: f64, end_ms: u64) {
    // A cast of a negative number gives 0.
    let stay = Stay { on_ms: on_ms as u64, off_ms: (off_ms as u64).min(end_ms) };
    if stay.on_ms < stay.off_ms {
        stays.push(stay);
    }
}

/// Sorts stays and unites those that overlap or touch.
pub(super) fn unite(stays: &mut Vec<Stay>) {
    stays.sort_unstable_by_key(|stay| (stay.on_ms, stay.off_ms));
    stays.dedup_by(|later, earlier| {
        let touch = later.on_ms <= earlier.off_ms;
        if touch {
            earlier.off_ms = earlier.off_ms.max(later.off_ms);
        }
        touch
    });
}

/// Interrupts stays that are in order: after every `run_ms` online, on average, by a break that `length_ms`
/// draws.
pub(super) fn interrupt(
    stays: &[Stay],
    run_ms: f64,
    mut length_ms: impl FnMut(&mut Rng) -> f64,
    rng: &mut Rng,
) -> Vec<Stay> {
    let mut left = Vec::with_capacity(stays.len());
    for stay in stays {
        let mut on_ms = stay.on_ms;
        while on_ms < stay.off_ms {
            let off_ms = (on_ms + (exponential(rng, run_ms) as u64).max(1)).min(stay.off_ms);
            left.push(Stay { on_ms, off_ms });
            on_ms = off_ms + (length_ms(rng) as u64).max(1);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use offerbench_algos::Seed;

    fn stay(on_ms: u64, off_ms: u64) -> Stay {
        Stay { on_ms, off_ms }
    }

    #[test]
    fn stretches_are_cut_to_the_life_and_united() {
        let mut stays = Vec::new();
        for (on, off) in [(90.0, 120.0), (-5.0, 10.0), (-9.0, -1.0), (10.0, 12.0), (30.0, 40.0), (31.0, 35.0)]
        {
            push(&mut stays, on, off, 100);
        }
        unite(&mut stays);
        assert_eq!(stays, [stay(0, 12), stay(30, 40), stay(90, 100)]);
    }

    #[test]
    fn breaks_come_at_their_rate() {
        let whole = [stay(0, 1_000_000), stay(2_000_000, 3_000_000)];
        let mut rng = Seed::new(1).rng();
        let left = interrupt(&whole, 10_000.0, |_| 10_000.0, &mut rng);
        // 100 rounds, deviating by 5 (the sum of exponential runs).
        assert!((75..126).contains(&left.len()), "{}", left.len());
        assert!(left.windows(2).all(|two| two[0].off_ms < two[1].on_ms));
        assert!(left.iter().all(|stay| stay.on_ms < stay.off_ms));
        assert!(left.iter().all(|stay| stay.off_ms <= 1_000_000 || stay.on_ms >= 2_000_000));
    }
}
