//! What follows when filters alone did not find everything: the `tail` of [`super`]'s strategies.
//!
//! A filter of ε false positives hides ε·d of d differences, so with d well above 1/ε an end check after the
//! first pass fails more often than not. What is left on both ends is then nearly equal, which is where exact
//! strategies are at their best: the tail is any of them, run on what is left and in the same session.
//!
//! **Adding a tail** is one line in [`EXACT`].

use crate::dialog::{Dialog, Out};
use crate::item::ItemId;
use crate::session::{DiffHint, Role, SessionError, Setup};
use crate::sorted::{OpenOnSet as _, SortedSet};
use crate::spec::{Param, Spec};
use crate::strategies::{offers, riblt};

type OpenDialog = fn(SortedSet, Role, &Setup) -> Box<dyn Dialog>;

/// Exact strategies that can end what filters began. Any whose parameters open a dialog on a set will do.
const EXACT: &[(&str, OpenDialog)] = &[
    ("riblt", |set, role, setup| riblt::Params::DEFAULT.open(set, role, setup)),
    ("offers", |set, role, setup| offers::Params::Short { bits: None }.open(set, role, setup)),
];

const VALUES: [&str; EXACT.len() + 2] = {
    let mut values = ["none"; EXACT.len() + 2];
    values[1] = "again";
    let mut i = 0;
    while i < EXACT.len() {
        values[i + 2] = EXACT[i].0;
        i += 1;
    }
    values
};

/// The parameter `tail`.
pub const PARAM: Param = Param {
    name: "tail",
    default: "riblt",
    values: &VALUES,
    doc: "after the filters: nothing (and no end check); fresh filters until both agree; or an exact strategy",
};

/// What follows the first pass of filters.
#[derive(Clone, Copy, Debug)]
pub enum Tail {
    /// Nothing: what the filters hid is missed.
    None,
    /// An end check, and filters under fresh keys until it agrees.
    Again,
    /// An end check, and when it fails an exact strategy on what is left.
    Exact(OpenDialog),
}

impl Tail {
    /// The tail that a spec names.
    pub fn of(spec: &Spec) -> Self {
        let name = spec.get(PARAM.name);
        match EXACT.iter().find(|(exact, _)| *exact == name) {
            Some((_, open)) => Self::Exact(*open),
            None if name == "again" => Self::Again,
            None => Self::None,
        }
    }

    /// Whether the first pass ends with an end check.
    pub fn checks(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// An exact strategy at work on what the filters left over.
pub struct Rest {
    dialog: Box<dyn Dialog>,
    /// What the filters found before, until it is reported.
    found: Vec<ItemId>,
}

impl Rest {
    /// Opens the exact strategy on `set`, which is without the `found`.
    ///
    /// It gets salts of its own, so that nothing that collided before collides again; and no hint of d,
    /// because the hint was about the whole difference.
    pub fn new(open: OpenDialog, set: SortedSet, found: Vec<ItemId>, role: Role, setup: &Setup) -> Self {
        let setup = Setup { seed: setup.seed.child("tail"), diff: DiffHint::Unknown, ..*setup };
        Self { dialog: open(set, role, &setup), found }
    }

    /// The first words, as the initiator.
    pub fn open(&mut self, out: &mut Out) {
        self.dialog.open(out);
        self.settle(out);
    }

    /// A message for the exact strategy.
    ///
    /// # Errors
    ///
    /// Those of the exact strategy.
    pub fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        self.dialog.hear(tag, body, out)?;
        self.settle(out);
        Ok(())
    }

    /// Whether the exact strategy streams.
    pub fn streams(&self) -> bool {
        self.dialog.streams()
    }

    /// Lets a streaming strategy go on.
    pub fn pull(&mut self, out: &mut Out) {
        self.dialog.pull(out);
        self.settle(out);
    }

    /// Once the exact strategy has its result, that of the filters joins it. The two name different items,
    /// because the one worked on a set without the other.
    fn settle(&mut self, out: &mut Out) {
        if out.is_finished() {
            for id in std::mem::take(&mut self.found) {
                out.have(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, Kind, Params};
    use super::*;
    use crate::duel::{DuelLimits, duel};
    use crate::judge::{Ending, Truth, judge};
    use crate::salt::Hashed;
    use crate::seed::Seed;
    use crate::session::{Guarantee, Strategy as _, Verdict};
    use crate::testing::two_sets;
    use crate::wire::{Draft, Purpose, Reader};

    /// A list of hashes that affirms every even hash besides.
    #[derive(Clone, Copy, Debug)]
    struct Leaky;

    struct Hearsay(Vec<u64>);

    impl Filter for Hearsay {
        fn affirms(&self, item: Hashed) -> bool {
            item.short.is_multiple_of(2) || self.0.contains(&item.short)
        }
    }

    impl Kind for Leaky {
        type Filter<'a> = Hearsay;
        const HASH_BITS: u32 = 64;

        fn build_bytes(&self, _n: u64) -> u64 {
            0
        }

        fn wire_bytes(&self, _n: u64) -> u64 {
            0
        }

        fn write(&self, items: &[Hashed], body: &mut Vec<u8>) -> bool {
            body.extend(items.iter().flat_map(|item| item.short.to_le_bytes()));
            true
        }

        fn read<'a>(&self, n: u64, reader: &mut Reader<'a>) -> Result<Hearsay, SessionError> {
            let words = (0..n).map(|_| reader.array("hash").map(u64::from_le_bytes));
            Ok(Hearsay(words.collect::<Result<_, _>>()?))
        }
    }

    /// A tail that streams: the responder pours out its ids until the initiator, which stops once it has as many
    /// as it was told, names those it lacked. Its tags are those of the filters, with other meanings.
    struct Pour {
        set: SortedSet,
        poured: Option<usize>,
        theirs: Vec<ItemId>,
    }

    impl Dialog for Pour {
        fn open(&mut self, out: &mut Out) {
            out.say(Draft::new(0x71));
        }

        fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
            let own: Vec<ItemId> = self.set.items().iter().map(|item| item.id).collect();
            let mut reader = Reader::new(body);
            match tag {
                0x71 => self.poured = Some(0),
                1 => {
                    let expected = reader.u8("count")?;
                    self.theirs.push(ItemId::new(reader.array("id")?));
                    if self.theirs.len() == usize::from(expected) {
                        let mut draft = Draft::new(2);
                        for id in self.theirs.iter().filter(|id| !own.contains(id)) {
                            draft.bytes(Purpose::Request, id.bytes());
                        }
                        out.say(draft);
                        own.iter().filter(|id| !self.theirs.contains(id)).for_each(|id| out.have(*id));
                        out.finish();
                    }
                }
                _ => {
                    while reader.left() > 0 {
                        out.have(ItemId::new(reader.array("id")?));
                    }
                    out.hush();
                    out.finish();
                }
            }
            Ok(())
        }

        fn pull(&mut self, out: &mut Out) {
            let Some(poured) = &mut self.poured else { return };
            let items = self.set.items();
            let mut draft = Draft::new(1);
            draft.bytes(Purpose::Ids, &[items.len() as u8]);
            // It never stops by itself, as rateless streams do not.
            draft.bytes(Purpose::Ids, items[*poured % items.len()].id.bytes());
            *poured += 1;
            out.say(draft);
        }
    }

    /// Any exact dialog serves, also one that streams and runs on: what the filters found and what it finds
    /// are reported once each, and both ends count one retry.
    #[test]
    fn a_streaming_tail_serves() {
        let open: OpenDialog =
            |set, _, _| Box::new(Pour { set, poured: None, theirs: Vec::new() }) as Box<dyn Dialog>;
        let strategy = Params { kind: Leaky, both: true, tail: Tail::Exact(open) };
        for (seed, window) in [(1, 1), (2, 4), (3, 64)] {
            let sets = two_sets(50, [20, 30], Seed::new(seed));
            let setup = Setup::new(Seed::new(seed));
            let mut ends = [
                strategy.index(&sets[0]).open(Role::Initiator, &setup),
                strategy.index(&sets[1]).open(Role::Responder, &setup),
            ];
            let transcript = duel(&mut ends, &DuelLimits { window, ..DuelLimits::default() }).unwrap();
            let judgement = judge(&Truth::of(&sets[0], &sets[1]), Guarantee::Exact, &transcript);
            assert_eq!((judgement.ending, judgement.missed), (Ending::Recovered, 0), "{window}");
            assert_eq!(transcript.verdicts, [Verdict::Recovered { retries: 1 }; 2]);
            assert_eq!(transcript.findings.map(|found| found.len()), [20, 30]);
        }
    }

    /// Retries of the tail add to the one that it is, and both ends count them alike. Short ids of 12 bits
    /// collide between 75 and 25 of 75 about every other time.
    #[test]
    fn retries_of_the_tail_are_counted() {
        let open: OpenDialog =
            |set, role, setup| offers::Params::Short { bits: Some(12) }.open(set, role, setup);
        let strategy = Params { kind: Leaky, both: true, tail: Tail::Exact(open) };
        let mut retried = 0;
        for seed in (0..40).map(|n| Seed::new(5).nth(n)) {
            let sets = two_sets(50, [20, 30], seed);
            let setup = Setup::new(seed);
            let mut ends = [
                strategy.index(&sets[0]).open(Role::Initiator, &setup),
                strategy.index(&sets[1]).open(Role::Responder, &setup),
            ];
            let transcript = duel(&mut ends, &DuelLimits::default()).unwrap();
            let judgement = judge(&Truth::of(&sets[0], &sets[1]), Guarantee::Exact, &transcript);
            assert_eq!(judgement.ending, Ending::Recovered);
            let [Verdict::Recovered { retries }, _] = transcript.verdicts else { panic!("recovered") };
            retried += u32::from(retries > 1);
        }
        assert!((3..37).contains(&retried), "{retried} of 40");
    }

    /// A tail that gives up takes the findings of the filters with it.
    #[test]
    fn a_tail_that_gives_up_leaves_nothing() {
        struct Quitter;
        impl Dialog for Quitter {
            fn open(&mut self, out: &mut Out) {
                out.give_up(crate::session::Reason::CpuBudget);
            }

            fn hear(&mut self, tag: u8, _: &[u8], _: &mut Out) -> Result<(), SessionError> {
                Err(SessionError::Unexpected { tag })
            }
        }
        let strategy = Params { kind: Leaky, both: true, tail: Tail::Exact(|_, _, _| Box::new(Quitter)) };
        let sets = two_sets(50, [20, 30], Seed::new(4));
        let setup = Setup::new(Seed::new(4));
        let mut ends = [
            strategy.index(&sets[0]).open(Role::Initiator, &setup),
            strategy.index(&sets[1]).open(Role::Responder, &setup),
        ];
        let transcript = duel(&mut ends, &DuelLimits::default()).unwrap();
        assert_eq!(transcript.verdicts, [Verdict::GaveUp(crate::session::Reason::CpuBudget); 2]);
        assert!(transcript.findings.iter().all(Vec::is_empty));
    }
}
