//! Twins: pairs of messages that an author grinds until both have one short id of 32 bits.
//!
//! Two items that one end lacks and that share a short id cancel in every sum of short ids: no coded symbol and no
//! power sum shows either, and a session that is to carry both must notice and try again. A pair takes 2^16 hashes of
//! messages and as many keyed ones (by 64 bits it would take 2^32), for whoever knows the key before the session. With
//! keys of the session nobody does.

use std::collections::BTreeMap;

use offerbench_algos::{Item, ItemId, Lasting, Salting};

use crate::attack::{Ground, renamed};
use crate::scenario::Scenario;

/// Pairs for each key that the author knows.
const PAIRS: usize = 4;

/// Bits of the short ids that are to collide.
const BITS: u32 = 32;

/// Gives items that one end lacks the ids of twins, under each of these keys. An end that holds too few items of its
/// own gets as many pairs as there is room for.
pub fn arrange(scenario: Scenario, known: &[Salting]) -> (Scenario, Ground) {
    let end = usize::from(scenario.truth.only(1).len() > scenario.truth.only(0).len());
    let hidden: Vec<ItemId> = scenario.truth.only(end).iter().copied().collect();
    let lasting = scenario.lasting();
    let mut names = BTreeMap::new();
    let mut hashes = 0;
    let mut room = hidden.chunks_exact(2);
    for salting in known {
        let places: Vec<&[ItemId]> = room.by_ref().take(PAIRS).collect();
        let (pairs, tried) = grind(*salting, &lasting, places.len());
        hashes += tried;
        names.extend(places.into_iter().flatten().copied().zip(pairs.into_iter().flatten()));
    }
    let items = names.len() as u64;
    let name = |item: &Item| Item { at: item.at, id: *names.get(&item.id).unwrap_or(&item.id) };
    (renamed(scenario, name), Ground { items, hashes })
}

/// The first `count` pairs, and the messages that were tried for them.
fn grind(salting: Salting, lasting: &Lasting, count: usize) -> (Vec<[ItemId; 2]>, u64) {
    let mut seen: BTreeMap<u64, ItemId> = BTreeMap::new();
    let mut pairs = Vec::new();
    let mut tried = 0;
    while pairs.len() < count {
        tried += 1;
        let id = ItemId::of_message(&[1; 32], tried, b"twin");
        let Some(short) = salting.short_id(lasting, &id, BITS) else { break };
        if let Some(twin) = seen.remove(&short) {
            pairs.push([twin, id]);
        } else {
            seen.insert(short, id);
        }
    }
    (pairs, tried)
}

#[cfg(test)]
mod tests {
    use super::*;
    use offerbench_algos::Seed;

    /// k pairs take about 2^16·√(2k) messages, whoever grinds; and nothing is to be ground where no key lasts.
    #[test]
    fn pairs_cost_what_birthdays_cost() {
        let lasting = Lasting::of(Seed::new(1));
        let (pairs, tried) = grind(Salting::Group, &lasting, 16);
        for [one, other] in &pairs {
            assert_ne!(one, other);
            let short = |id, salting: Salting| salting.short_id(&lasting, id, BITS);
            assert_eq!(short(one, Salting::Group), short(other, Salting::Group));
            assert_ne!(short(one, Salting::None), short(other, Salting::None));
        }
        let expected = 65_536.0 * 32_f64.sqrt();
        assert!((tried as f64 / expected - 1.0).abs() < 0.5, "{tried}");
        assert_eq!(grind(Salting::Session, &lasting, 1).0, Vec::<[ItemId; 2]>::new());
    }
}
