//! Presence without habits: everybody comes and goes on its own, and the past tells nothing about the future.

use offerbench_algos::Seed;

use super::laws::exponential;
use super::{Online, Stay};

/// The stays of `members` until `end_ms`: exponential with the mean `stay_s`, and pauses between them,
/// exponential too, such that everybody is online for `uptime_ppm` millionths of the time; at the beginning
/// with that same chance. Who is always online has one stay, who never is none.
pub(super) fn stays(members: u32, uptime_ppm: u32, stay_s: u32, end_ms: u64, seed: Seed) -> Vec<Vec<Stay>> {
    let up = f64::from(uptime_ppm.min(Online::PPM)) / f64::from(Online::PPM);
    let stay_ms = f64::from(stay_s) * 1000.0;
    let member = |member: u32| {
        if uptime_ppm == 0 {
            return Vec::new();
        }
        if uptime_ppm >= Online::PPM {
            return vec![Stay { on_ms: 0, off_ms: end_ms }];
        }
        let mut rng = seed.nth(u64::from(member)).rng();
        let mut online = rng.below(u64::from(Online::PPM)) < u64::from(uptime_ppm);
        let mut stays = Vec::new();
        let mut now_ms = 0;
        while now_ms < end_ms {
            let mean_ms = if online { stay_ms } else { stay_ms * (1.0 - up) / up };
            // Of length 1 at least, so that stays are not empty and do not touch.
            let until_ms = end_ms.min(now_ms + (exponential(&mut rng, mean_ms) as u64).max(1));
            if online {
                stays.push(Stay { on_ms: now_ms, off_ms: until_ms });
            }
            online = !online;
            now_ms = until_ms;
        }
        stays
    };
    (0..members).map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_and_length_of_stays_come_out() {
        let end_ms = 86_400_000;
        let all = stays(1_000, 100_000, 600, end_ms, Seed::new(1));
        let online_ms: u64 = all.iter().flatten().map(|stay| stay.off_ms - stay.on_ms).sum();
        let share = online_ms as f64 / (1_000 * end_ms) as f64;
        // A member's day deviates by sqrt(2 · .1² · .9² · τ / day) with τ = 600 · 5,400 / 6,000 s: 1.4%; five
        // of them over sqrt(1,000) is .23%.
        assert!((0.0977..0.1023).contains(&share), "{share}");
        // 86,400 / 6,000 = 14.4 stays a member, deviating by less than sqrt(14.4).
        let count = all.iter().flatten().count();
        assert!((13_800..15_000).contains(&count), "{count}");
        // Binomial(1000, .1) deviates by 9.5.
        let at_start = all.iter().filter(|stays| stays.first().is_some_and(|stay| stay.on_ms == 0)).count();
        assert!((53..147).contains(&at_start), "{at_start}");
    }
}
