//! Attacks: what one bad peer or author can do to a member who keeps to the protocol (question Q9).
//!
//! | attack | who | what |
//! | --- | --- | --- |
//! | `flood` | a peer that opens | holds nothing, opens [`FLOOD_SESSIONS`] sessions with an honest first turn each, and never speaks again: the victim keeps them all |
//! | `lying-opener` | a peer that opens | holds as many items as the victim, all made up, says so in an honest first turn, and falls silent |
//! | `lying-answerer` | a peer that answers | the same, in answer to the victim |
//! | `poison` | an author | every item of the group is ground so that its places in an unkeyed filter are multiples of 8 |
//! | `target` | an author | knows the items that differ and the sizes of both sets, and posts items that cover the victims' bits |
//! | `twins` | an author | posts pairs with one short id under the key that everybody knows (`salt=none`); see `twins.rs` |
//! | `twins-member` | an author | is a member, and posts pairs under the group's key (`salt=group`) too |
//!
//! A liar plays well-formed frames: what a session on an invented set would say is exactly what a lie about sizes,
//! estimates and contents looks like, in every strategy, and it passes every check that frames must pass. (Damaged
//! frames are what the tests are about.) It stops after its first turn, since from then on it would have to work as
//! much as the victim.
//!
//! *Capped* means that the victim has the sweep's budget, and sends at most a window of frames before it hears from
//! the peer again. *Uncapped* means budgets that nothing exceeds, and that the peer's transport takes all there
//! is to send, up to [`SENT_MAX`].

use std::collections::BTreeSet;
use std::sync::Mutex;

use offerbench_algos::wire::Spent;
use offerbench_algos::{
    Budget, DuelLimits, Finding, Guarantee, Index, Item, ItemId, NeedRef, Role, Salting, Session, Setup,
    Step, Truth, Verdict, automerge_places,
};
use offerbench_reports::record::{Attacker, ExactRow, Outcome};
use serde::{Deserialize, Serialize};

use crate::meter::heap_peak;
use crate::plan::Contender;
use crate::scenario::Scenario;
use crate::{trial, twins};

/// Sessions that a flood leaves open at once.
pub const FLOOD_SESSIONS: u32 = 16;

/// Frames of a liar's turn: a megabyte, whether it is one long message or the beginning of a stream.
pub const LIE_FRAMES_MAX: usize = 16;

/// Bytes after which an uncapped victim is stopped in a session.
pub const SENT_MAX: u64 = 256 << 20;

/// A kind of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Sessions without end.
    Flood,
    /// The initiator claims to hold what nobody has.
    LyingOpener,
    /// The responder does.
    LyingAnswerer,
    /// Items that fill the same places of a filter.
    Poison,
    /// Items that cover the places of others.
    Target,
    /// Pairs with one short id under the public key.
    Twins,
    /// Also under the group's key.
    TwinsMember,
}

/// An attack at a point of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack {
    /// What the attacker does.
    pub kind: Kind,
    /// Whether the victim has limits.
    pub capped: bool,
}

/// What an author did to make its items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// Items that it posted.
    pub items: u64,
    /// Hashes that it tried for them.
    pub hashes: u64,
}

impl Kind {
    /// As experiments and rows name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::LyingOpener => "lying-opener",
            Self::LyingAnswerer => "lying-answerer",
            Self::Poison => "poison",
            Self::Target => "target",
            Self::Twins => "twins",
            Self::TwinsMember => "twins-member",
        }
    }

    /// Which end attacks.
    pub fn attacker(self) -> Attacker {
        match self {
            Self::Flood | Self::LyingOpener => Attacker::Initiator,
            Self::LyingAnswerer => Attacker::Responder,
            Self::Poison | Self::Target | Self::Twins | Self::TwinsMember => Attacker::Author,
        }
    }

    /// Whether a peer attacks, and not an author to whom both ends are honest.
    pub fn by_peer(self) -> bool {
        self.attacker() != Attacker::Author
    }

    fn sessions(self) -> u32 {
        if self == Self::Flood { FLOOD_SESSIONS } else { 1 }
    }

    /// The sets as the attacker arranges them.
    pub fn arrange(self, scenario: Scenario) -> (Scenario, Ground) {
        match self {
            Self::Flood | Self::LyingOpener => {
                let claimed =
                    if self == Self::Flood { Vec::new() } else { invented(&scenario.responder, &scenario) };
                (
                    Scenario {
                        truth: Truth::of(&claimed, &scenario.responder),
                        initiator: claimed,
                        ..scenario
                    },
                    Ground::default(),
                )
            }
            Self::LyingAnswerer => {
                let claimed = invented(&scenario.initiator, &scenario);
                (
                    Scenario {
                        truth: Truth::of(&scenario.initiator, &claimed),
                        responder: claimed,
                        ..scenario
                    },
                    Ground::default(),
                )
            }
            Self::Poison => poison(scenario),
            Self::Target => target(scenario),
            Self::Twins => twins::arrange(scenario, &[Salting::None]),
            Self::TwinsMember => twins::arrange(scenario, &[Salting::None, Salting::Group]),
        }
    }
}

/// Items at the victim's own times, with ids that nobody has.
fn invented(held: &[Item], scenario: &Scenario) -> Vec<Item> {
    let mut rng = scenario.seed.child("invented").rng();
    held.iter().map(|item| Item { at: item.at, id: ItemId::new(rng.bytes()) }).collect()
}

/// Gives items other ids, at both ends.
pub fn renamed(scenario: Scenario, name: impl Fn(&Item) -> Item) -> Scenario {
    let rename = |items: &[Item]| items.iter().map(&name).collect::<Vec<Item>>();
    let (initiator, responder) = (rename(&scenario.initiator), rename(&scenario.responder));
    let truth = Truth::of(&initiator, &responder);
    assert_eq!(truth.d(), scenario.truth.d(), "other ids are as different as the old ones");
    Scenario { initiator, responder, truth, ..scenario }
}

/// Every distinct id of both sets, in order.
fn all_ids(scenario: &Scenario) -> Vec<ItemId> {
    let items = scenario.initiator.iter().chain(&scenario.responder);
    items.map(|item| item.id).collect::<BTreeSet<ItemId>>().into_iter().collect()
}

/// The ids that grinding finds first, and how many hashes it took for each to be found.
static GROUND: Mutex<(u64, Vec<(ItemId, u64)>)> = Mutex::new((0, Vec::new()));

/// The first `count` ids of messages of which words 0, 1 and 2 are multiples of 8, and the hashes they took.
fn ground(count: usize) -> (Vec<ItemId>, u64) {
    let mut kept = GROUND.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    while kept.1.len() < count {
        kept.0 += 1;
        let id = ItemId::of_message(&[1; 32], kept.0, b"poison");
        if [0, 4, 8].iter().all(|i| id.bytes()[*i].is_multiple_of(8)) {
            let hashes = kept.0;
            kept.1.push((id, hashes));
        }
    }
    let hashes = count.checked_sub(1).map_or(0, |last| kept.1[last].1);
    (kept.1[..count].iter().map(|(id, _)| *id).collect(), hashes)
}

fn poison(scenario: Scenario) -> (Scenario, Ground) {
    let old = all_ids(&scenario);
    let (mut new, hashes) = ground(old.len());
    scenario.seed.child("poison").rng().shuffle(&mut new);
    let items = old.len() as u64;
    let scenario = renamed(scenario, |item| {
        let place = old.binary_search(&item.id).expect("all ids are listed");
        Item { at: item.at, id: new[place] }
    });
    (scenario, Ground { items, hashes })
}

fn target(scenario: Scenario) -> (Scenario, Ground) {
    let sizes = [scenario.initiator.len() as u64, scenario.responder.len() as u64];
    // Each end's filter must affirm what only the other holds.
    let mut wanted: [BTreeSet<u32>; 2] = [0, 1].map(|end| {
        let hidden = scenario.truth.only(1 - end).iter();
        hidden.filter_map(|id| automerge_places(id, sizes[end])).flat_map(|(places, _)| places).collect()
    });
    let mut common = all_ids(&scenario);
    common.retain(|id| !(0..2).any(|end| scenario.truth.only(end).contains(id)));
    scenario.seed.child("target").rng().shuffle(&mut common);
    let group = scenario.seed.child("group").rng().bytes();
    let mut covers = std::collections::BTreeMap::new();
    let mut hashes = 0;
    for old in common {
        if wanted.iter().all(BTreeSet::is_empty) {
            break;
        }
        let new = loop {
            hashes += 1;
            let id = ItemId::of_message(&group, hashes, b"target");
            let mut hit = false;
            for end in 0..2 {
                for place in automerge_places(&id, sizes[end]).into_iter().flat_map(|(places, _)| places) {
                    hit |= wanted[end].remove(&place);
                }
            }
            if hit {
                break id;
            }
        };
        covers.insert(old, new);
    }
    let items = covers.len() as u64;
    let scenario =
        renamed(scenario, |item| Item { at: item.at, id: *covers.get(&item.id).unwrap_or(&item.id) });
    (scenario, Ground { items, hashes })
}

/// What a victim without limits is told.
pub fn uncapped() -> Budget {
    Budget { cpu_ns_max: 3_600_000_000_000, heap_bytes_max: 1 << 40 }
}

/// What a victim went through.
#[derive(Debug, Default)]
struct Suffering {
    spent: Spent,
    bytes: u64,
    frames: u64,
    findings: Vec<Finding>,
    verdict: Option<Verdict>,
    refused: Option<String>,
    /// What it sent before it heard anything, where the liar wants to know.
    opening: Vec<Vec<u8>>,
}

/// How much a victim may send without hearing from the peer: frames and bytes.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    frames: u64,
    bytes: u64,
}

impl Allowance {
    fn of(attack: Attack, limits: &DuelLimits) -> Self {
        let frames = if attack.capped { u64::from(limits.window) } else { u64::MAX };
        Self { frames, bytes: SENT_MAX }
    }
}

impl Suffering {
    /// Keeps a driver's contract: findings, then frames until the allowance is used up.
    fn drain(&mut self, victim: &mut dyn Session, allowance: Allowance, keep: bool) {
        self.findings.extend(std::iter::from_fn(|| victim.poll_finding()));
        let mut frame = Vec::new();
        for _ in 0..allowance.frames {
            match victim.poll_frame(&mut frame) {
                Step::Frame => {
                    self.frames += 1;
                    self.bytes += frame.len() as u64;
                    if keep {
                        self.opening.push(frame.clone());
                    }
                    if self.bytes > allowance.bytes {
                        break;
                    }
                }
                Step::Waiting => break,
                Step::Done(verdict) => {
                    self.verdict = Some(verdict);
                    break;
                }
            }
        }
        self.findings.extend(std::iter::from_fn(|| victim.poll_finding()));
        self.spent = victim.tally().spent;
    }

    /// The victim's side of a session in which the peer says these frames and no more.
    fn of(
        victim: &mut dyn Session,
        opens: bool,
        script: &[Vec<u8>],
        allowance: Allowance,
        findings: Vec<Finding>,
    ) -> Self {
        let mut all = Self { findings, ..Self::default() };
        if opens {
            all.drain(victim, allowance, false);
        }
        for frame in script {
            if all.verdict.is_some() {
                break;
            }
            if let Err(error) = victim.handle_frame(frame) {
                all.refused = Some(error.to_string());
                break;
            }
            all.drain(victim, allowance, false);
        }
        // Whether it was done anyway: what it would say after that is not sent, and not counted.
        if all.verdict.is_none()
            && all.refused.is_none()
            && let Step::Done(verdict) = victim.poll_frame(&mut Vec::new())
        {
            all.verdict = Some(verdict);
            all.findings.extend(std::iter::from_fn(|| victim.poll_finding()));
        }
        all
    }
}

/// Everything that is needed to play an attack of a peer as often as one likes.
pub struct Siege<'a> {
    victim: &'a dyn Index,
    role: Role,
    setup: Setup,
    allowance: Allowance,
    script: Vec<Vec<u8>>,
    said: Spent,
    sessions: u32,
}

impl<'a> Siege<'a> {
    /// Lets the attacker prepare what it will say.
    pub fn new(attack: Attack, indexes: &'a trial::Indexes, setup: Setup, limits: &DuelLimits) -> Self {
        let opens = attack.kind.attacker() == Attacker::Initiator;
        let (liar, role) =
            if opens { (Role::Initiator, Role::Responder) } else { (Role::Responder, Role::Initiator) };
        let victim = &*indexes[role as usize];
        let allowance = Allowance::of(attack, limits);
        // The liar has all the time and memory of the world.
        let mut session = indexes[liar as usize].open(liar, &Setup { budget: uncapped(), ..setup });
        if !opens {
            let mut all = Suffering::default();
            all.drain(&mut *victim.open(role, &setup), allowance, true);
            for frame in &all.opening {
                if session.handle_frame(frame).is_err() {
                    break;
                }
            }
        }
        let mut script = Vec::new();
        let mut frame = Vec::new();
        while script.len() < LIE_FRAMES_MAX && session.poll_frame(&mut frame) == Step::Frame {
            script.push(frame.clone());
        }
        let said = session.tally().spent;
        Self { victim, role, setup, allowance, script, said, sessions: attack.kind.sessions() }
    }

    /// Room for what the victim will report, so that writing it down takes no heap while its own is measured.
    fn room(&self, findings: usize) -> Vec<Vec<Finding>> {
        (0..self.sessions).map(|_| Vec::with_capacity(findings)).collect()
    }

    /// The victim's side, all sessions open at once: how each went.
    fn play(&self, room: Vec<Vec<Finding>>) -> Vec<Suffering> {
        let mut open = Vec::new();
        let mut all = Vec::new();
        for findings in room {
            let mut session = self.victim.open(self.role, &self.setup);
            all.push(Suffering::of(
                &mut *session,
                self.role == Role::Initiator,
                &self.script,
                self.allowance,
                findings,
            ));
            open.push(session);
        }
        all
    }

    /// The victim's side, for the clock.
    pub fn suffer(&self) -> usize {
        self.play(self.room(0)).len()
    }
}

/// Plays an attack of a peer and writes what it did into the row.
pub fn fill(
    row: &mut ExactRow,
    attack: Attack,
    indexes: &trial::Indexes,
    scenario: &Scenario,
    contender: &Contender,
    (setup, limits): (Setup, DuelLimits),
) {
    let siege = Siege::new(attack, indexes, setup, &limits);
    let room = siege.room(scenario.truth.d() as usize);
    let (all, peak) = heap_peak(|| siege.play(room));
    let sessions = u64::from(siege.sessions);
    let victim = siege.role as usize;
    row.heap_peak_bytes = peak;
    row.index_heap_bytes = indexes[victim].heap_bytes() as u64;
    let mut found = u64::MAX;
    let mut sides = [Spent::default(), Spent::default()];
    let mut frames = [0, 0];
    for one in &all {
        sides[victim].merge(&one.spent);
        sides[1 - victim].merge(&siege.said);
        frames[victim] += one.frames;
        let (named, invented) = true_and_false(&one.findings, victim, &scenario.truth);
        row.invented += invented;
        found = found.min(named);
    }
    frames[1 - victim] = siege.script.len() as u64 * sessions;
    (row.up, row.down) = (trial::bytes(&sides[0], 0), trial::bytes(&sides[1], 0));
    (row.frames_up, row.frames_down) = (frames[0], frames[1]);
    let due = scenario.truth.only(victim).len() as u64;
    row.missed = scenario.truth.d() - found.min(due);
    (row.outcome, row.reason) = ended(&all, row.invented, found < due, contender);
}

/// How many of its own items a victim rightly reported, and how many findings are not true of its set and the one
/// that the liar claims, or came twice.
fn true_and_false(findings: &[Finding], victim: usize, truth: &Truth) -> (u64, u64) {
    let (mut named, mut needed) = (BTreeSet::new(), BTreeSet::new());
    let mut invented = 0;
    for finding in findings {
        let fresh = match finding {
            Finding::Have(id) => truth.only(victim).contains(id) && named.insert(*id),
            Finding::Need(NeedRef::Id(id)) => truth.only(1 - victim).contains(id) && needed.insert(*id),
            // Only the peer knows what a short id stands for.
            Finding::Need(NeedRef::Short(_)) => true,
        };
        invented += u64::from(!fresh);
    }
    (named.len() as u64, invented)
}

/// How the victim's sessions ended, of which all ended alike.
fn ended(all: &[Suffering], invented: u64, missed: bool, contender: &Contender) -> (Outcome, Option<String>) {
    if invented > 0 {
        return (Outcome::Wrong, Some("the victim reported an item that does not differ".to_owned()));
    }
    let Some(one) = all.first() else { return (Outcome::GaveUp, None) };
    let reason = match (&one.refused, one.verdict) {
        (Some(error), _) => format!("the victim refused: {error}"),
        (None, Some(Verdict::GaveUp(reason))) => format!("the victim gave up: {}", reason.as_str()),
        (None, Some(_)) if missed && contender.profile().guarantee == Guarantee::Exact => {
            // Its frames are those of an honest session on the set that the liar claims.
            let why = "the victim was done and missed an item that it claims it cannot miss";
            return (Outcome::Wrong, Some(why.to_owned()));
        }
        (None, Some(_)) => "the victim was done with the set that the peer claims".to_owned(),
        (None, None) => "the victim waits: the peer fell silent".to_owned(),
    };
    (Outcome::GaveUp, Some(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(names: &[u8]) -> Vec<Item> {
        names.iter().map(|name| Item { at: u64::from(*name), id: ItemId::new([*name; 32]) }).collect()
    }

    #[test]
    fn what_a_liar_makes_a_victim_believe_is_false() {
        let id = |name: u8| ItemId::new([name; 32]);
        let truth = Truth::of(&items(&[1, 2, 3]), &items(&[2, 4]));
        let findings = [
            Finding::Have(id(1)),
            // Held by both; twice; the other's; one that the other holds; one that nobody does.
            Finding::Have(id(2)),
            Finding::Have(id(1)),
            Finding::Have(id(4)),
            Finding::Need(NeedRef::Id(id(4))),
            Finding::Need(NeedRef::Id(id(9))),
        ];
        assert_eq!(true_and_false(&findings, 0, &truth), (1, 4));
    }

    /// Every word is a multiple of 8, at 512 hashes an id; a longer list begins with a shorter one.
    #[test]
    fn ground_ids_are_what_they_cost() {
        let (ids, hashes) = ground(300);
        assert!(ids.iter().all(|id| [0, 4, 8].iter().all(|i| id.bytes()[*i] % 8 == 0)));
        // The mean of 300 waits deviates by a 17th.
        assert!((hashes as f64 / 300.0 / 512.0 - 1.0).abs() < 0.2, "{hashes}");
        let (fewer, less) = ground(100);
        assert_eq!(ids[..100], fewer);
        assert!(less < hashes);
        assert_eq!(ground(0), (Vec::new(), 0));
    }
}
