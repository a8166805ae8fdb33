//! Traffic of a busy channel: messages that call forth messages (A. Hawkes, "Spectra of some self-exciting
//! and mutually exciting point processes", 1971).
//!
//! Some messages come by themselves, at a constant rate. Every message is answered by Poisson(.754) others,
//! each after an exponential time of mean 83 s: the medians of fits to 122 windows of the Ubuntu channel (p10
//! and p90 of the branching are .59 and .86). It is drawn exactly, by clusters: A. Hawkes and D. Oakes, "A
//! cluster process representation of a self-exciting process" (1974). More messages a day are more clusters,
//! never denser ones.
//!
//! Authors: a fresh one in ten messages, by weight; otherwise somebody who has just been talking, the author
//! of one of the last [`RECALL`] messages. That gives the authors of a window of Ubuntu (128 in 1,285
//! messages) and, with [`ECHO`], the share of messages by the author of the one before (.141), and it leaves
//! the weights of the law as they are.

use offerbench_algos::{Rng, Seed};

use super::authors::{Authors, BUSY};
use super::laws::{DAY_MS, HOUR_MS, SECOND_MS, exponential, happens, poisson};
use super::place::Draft;

/// Answers that a message gets on average.
pub(super) const BRANCHING: f64 = 0.754;

/// The mean time until an answer.
const DECAY_MS: f64 = 83.0 * SECOND_MS;

/// Clusters begin so long before the life. Their ends thin out by e in 83 / (1 - .754) = 337 s: few reach
/// further, some e^-21.
pub(super) const BEFORE_MS: u64 = 2 * HOUR_MS;

/// The share of messages by an author drawn afresh.
const FRESH: f64 = 0.1;

/// The share of messages that go on from the message before, whatever else.
const ECHO: f64 = 0.055;

/// Of how many messages somebody is among those who have just been talking.
const RECALL: u64 = 100;

/// The messages of a busy channel, sorted.
pub(super) fn drafts(messages_day: f64, end_ms: u64, by_rank: Vec<u32>, seed: Seed) -> Vec<Draft> {
    let times_ms = times_ms(messages_day, end_ms, &mut seed.child("times").rng());
    let count = times_ms.len() as f64;
    let mut authors = Authors::new(BUSY, by_rank, count, seed.child("newcomers"));
    let mut rng = seed.child("authors").rng();
    let mut drafts: Vec<Draft> = Vec::with_capacity(times_ms.len());
    for (index, at_ms) in (0_u64..).zip(times_ms) {
        authors.advance(index as f64 / count);
        let author = match index {
            0 => authors.one(&mut rng),
            _ if happens(&mut rng, FRESH) => authors.one(&mut rng),
            _ if happens(&mut rng, ECHO) => drafts[index as usize - 1].author,
            _ => drafts[(index - 1 - rng.below(RECALL.min(index))) as usize].author,
        };
        drafts.push(Draft { at_ms, author });
    }
    drafts
}

fn times_ms(messages_day: f64, end_ms: u64, rng: &mut Rng) -> Vec<u64> {
    let mut times_ms = Vec::new();
    if messages_day <= 0.0 {
        return times_ms;
    }
    let gap_ms = DAY_MS as f64 / (messages_day * (1.0 - BRANCHING));
    let end = (end_ms + BEFORE_MS) as f64;
    let mut first = exponential(rng, gap_ms);
    let mut open = Vec::new();
    while first < end {
        open.push(first);
        while let Some(at) = open.pop() {
            if at >= BEFORE_MS as f64 {
                times_ms.push(at as u64 - BEFORE_MS);
            }
            for _ in 0..poisson(rng, BRANCHING) {
                let answer = at + exponential(rng, DECAY_MS);
                if answer < end {
                    open.push(answer);
                }
            }
        }
        first += exponential(rng, gap_ms);
    }
    times_ms.sort_unstable();
    times_ms
}
