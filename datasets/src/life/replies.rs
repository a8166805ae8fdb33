//! What messages answer: made on request, with the locality that was measured.
//!
//! These are links between *texts*, as people marked them in 47,119 messages of the Ubuntu channel. They are
//! not what two members had seen of each other's messages: who answers the fifth message back has most likely
//! read the four after it. The parents of a causal graph come from presence, in the simulation, never from
//! here.

use offerbench_algos::Rng;

use super::laws::happens;

/// The share of messages that answer something, and of these the shares that answer one and two or more
/// further. Parents 0/1/2/3+ are .149/.822/.027/.002.
const ANSWERS: f64 = 0.851;
const SECOND: f64 = 0.0294 / ANSWERS;
const THIRD: f64 = 0.0021 / 0.0294;

/// How many answers have their nearest parent among the last so many messages. Evenly spread between two.
const WITHIN: [(u64, f64); 10] = [
    (1, 0.2738),
    (2, 0.4504),
    (3, 0.5743),
    (5, 0.7239),
    (10, 0.877),
    (20, 0.9509),
    (50, 0.9844),
    (100, 0.9923),
    (200, 0.9972),
    (1_365, 1.0),
];

/// The parents of the message with this index: earlier indexes, ascending.
pub(super) fn parents(index: u32, rng: &mut Rng) -> Vec<u32> {
    let mut parents = Vec::new();
    if index == 0 || !happens(rng, ANSWERS) {
        return parents;
    }
    let nearest = lag(rng).min(u64::from(index));
    parents.push(index - nearest as u32);
    if happens(rng, SECOND) {
        let more = if happens(rng, THIRD) { 2 } else { 1 };
        for _ in 0..more {
            // Further back than the nearest, or that one would not be it.
            let lag = nearest + lag(rng);
            if lag <= u64::from(index) {
                parents.push(index - lag as u32);
            }
        }
        parents.sort_unstable();
        parents.dedup();
    }
    parents
}

/// How many messages back.
fn lag(rng: &mut Rng) -> u64 {
    let point = rng.unit();
    let row = WITHIN.iter().position(|(_, share)| point < *share).unwrap_or(WITHIN.len() - 1);
    let after = if row == 0 { 0 } else { WITHIN[row - 1].0 };
    after + 1 + rng.below(WITHIN[row].0 - after)
}
