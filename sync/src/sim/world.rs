//! The world: a queue of events, the nodes, and the links between them.
//!
//! One event touches one node, and only that node is polled; nothing is ever scanned per event. An event costs
//! O(log planned) for the queue, O(log links of the sender) for the link, O(rules), and what the node takes. Each
//! node has at most one wake-up that counts: an older plan that has come to nothing is passed over when its time
//! comes, and one that comes too early is planned again.
//!
//! Payloads are moved, and their buffers used again.

use std::collections::BTreeMap;

use offerbench_algos::Seed;

use super::dice::Dice;
use super::link::Link;
use super::observe::{Event, LossCause, Observer, Stage};
use super::past::Shelf;
use super::queue::Queue;
use super::rules::{Rule, Rules};
use super::spec::{Append, Crash, WorldConfig, WorldError};
use crate::{Config, Disk, GroupId, Library, MsgNo, Node, Part, PeerId, Time};

/// A buffer longer than this is given back to the allocator rather than kept for the next payload.
const BUFFER_KEPT_MAX: usize = 16 << 10;

/// A node that was woken so often without any time passing will never let it pass: a bug of the node.
const WAKES_MAX: u32 = 10_000;

/// A time that does not come.
const NEVER: Time = Time::from_us(u64::MAX);

/// What is planned. Numbers, to keep the queue small.
#[derive(Clone, Copy, Debug)]
enum Planned {
    /// The payload in this slot arrives.
    Arrive(u32),
    /// A node asked for it.
    Wake(u32),
    /// A node comes or goes.
    Edge(u32),
    /// The n-th message is written.
    Append(u32),
    /// The n-th crash.
    Crash(u32),
    /// A node starts again.
    Restart(u32),
}

/// A payload on its way, or an empty buffer for the next one.
#[derive(Debug, Default)]
struct InFlight {
    from: u32,
    to: u32,
    sent: Time,
    payload: Vec<u8>,
}

/// A node and what the world knows of it.
pub(super) struct Slot {
    /// `None` while it is down.
    pub(super) node: Option<Node>,
    disk: Option<Disk>,
    config: std::sync::Arc<Config>,
    /// Ends of presence intervals that have passed: odd while present.
    edges: usize,
    /// Present and running: what the node was told.
    online: bool,
    /// When it last came online.
    up_since: Time,
    /// When this presence ends.
    leaves_at: Time,
    /// The time of the wake-up that counts.
    armed: Option<Time>,
    /// When it was last woken, and how often at that moment.
    woken_at: Time,
    wakes: u32,
    restarts: u64,
    /// When it starts again.
    down_until: Time,
    /// Its links, by peer: `links_begin..links_begin + link_count` in the world's table.
    links_begin: usize,
    link_count: usize,
}

/// One direction of a pair.
struct Way {
    to: u32,
    profile: u16,
    link: Link,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it was written; [`Time::ZERO`] for one of the history.
    pub written_at: Time,
    /// By whom.
    pub author: PeerId,
    /// Members other than its author; of a message of the history, members who did not hold it at the start.
    pub owed_to: u32,
    /// To how many of those it was delivered.
    pub delivered_to: u32,
}

impl Life {
    /// Of a message that nobody wrote.
    const UNWRITTEN: Self =
        Self { written_at: Time::ZERO, author: PeerId(u32::MAX), owed_to: 0, delivered_to: 0 };

    pub(super) fn is_written(&self) -> bool {
        self.author.0 != u32::MAX
    }
}

/// Sums over everything that has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events taken from the queue, without those that had come to nothing.
    pub events: u64,
    /// Payloads sent, duplicates not counted.
    pub payloads: u64,
    /// Their bytes.
    pub payload_bytes: u64,
    /// Their bytes with the links' packet overheads.
    pub wire_bytes: u64,
    /// Payloads handed to nodes, duplicates included.
    pub arrived: u64,
    /// Their bytes.
    pub arrived_bytes: u64,
    /// Second copies that links made.
    pub duplicates: u64,
    /// Payloads that did not arrive (a second copy counts, too), in the order of [`LossCause::ALL`].
    pub lost: [u64; LossCause::ALL.len()],
    /// Payloads that a rule corrupted.
    pub corrupted: u64,
    /// Payloads that nodes refused.
    pub refused: u64,
    /// Messages written, without those of the history.
    pub appended: u64,
    /// Messages that nodes did not take to write.
    pub appends_refused: u64,
    /// Deliveries to members other than the author. What a member held at the start is not delivered again.
    pub delivered: u64,
    /// Messages that arrived at who held them.
    pub redundant: u64,
}

impl Totals {
    /// Payloads lost for this reason.
    pub fn lost(&self, cause: LossCause) -> u64 {
        self.lost[cause as usize]
    }
}

/// A deterministic discrete-event world. `O` looks on: see [`Observer`].
pub struct World<O = ()> {
    now: Time,
    queue: Queue<Planned>,
    slots: Vec<Slot>,
    ways: Vec<Way>,
    library: Library,
    lives: Vec<Life>,
    /// Members of each group: who reads it.
    members: BTreeMap<GroupId, Vec<PeerId>>,
    config: WorldConfig,
    rules: Rules,
    corrupting: Dice,
    in_flight: Vec<InFlight>,
    free: Vec<u32>,
    healed: bool,
    owed: u64,
    appends_planned: usize,
    totals: Totals,
    #[cfg(any(test, feature = "plant"))]
    plant: crate::Plant,
    observer: O,
}

/// Tells the observer. A macro, since it borrows three fields beside the one that is told.
macro_rules! tell {
    ($world:expr, $event:expr) => {{
        let stage =
            Stage { now: $world.now, library: &$world.library, slots: &$world.slots, lives: &$world.lives };
        $world.observer.on(&stage, &$event);
    }};
}

mod carry;
mod happen;

impl World {
    /// A world that nobody observes.
    ///
    /// # Errors
    ///
    /// When the description names what is not there, or sharing is not mutual.
    pub fn new(config: WorldConfig) -> Result<Self, WorldError> {
        Self::observed(config, ())
    }
}

impl<O: Observer> World<O> {
    /// A world with an observer. O(nodes + links + what is planned), and what nodes hold at the start.
    ///
    /// # Errors
    ///
    /// As [`World::new`].
    pub fn observed(config: WorldConfig, observer: O) -> Result<Self, WorldError> {
        config.check()?;
        let seed = config.seed;
        let (ways, ranges) = carry::ways(&config);
        let mut members: BTreeMap<GroupId, Vec<PeerId>> = BTreeMap::new();
        let mut slots = Vec::with_capacity(config.nodes.len());
        for (no, (spec, (links_begin, link_count))) in (0_u32..).zip(config.nodes.iter().zip(ranges)) {
            let mut node = Node::new(PeerId(no), spec.config.clone(), node_seed(seed, no, 0));
            for (group, peers) in &spec.shares {
                node.join(*group, peers);
                let readers = members.entry(*group).or_default();
                if spec.config.part == Part::Member {
                    readers.push(PeerId(no));
                }
            }
            slots.push(Slot {
                node: Some(node),
                disk: None,
                config: spec.config.clone(),
                edges: 0,
                online: false,
                up_since: Time::ZERO,
                leaves_at: NEVER,
                armed: None,
                woken_at: Time::ZERO,
                wakes: 0,
                restarts: 0,
                down_until: Time::ZERO,
                links_begin,
                link_count,
            });
        }
        let mut library = Library::new(seed.child("library"));
        let mut shelf = Shelf::fill(&config, &mut library)?;
        for (no, slot) in slots.iter_mut().enumerate() {
            shelf.hand_out(no, &config, slot.node.as_mut().expect("every node begins"));
        }
        let lives = shelf.lives(&config, &members);
        drop(shelf);
        let mut world = Self {
            now: Time::ZERO,
            queue: Queue::new(),
            slots,
            ways,
            library,
            owed: lives.iter().map(|life| u64::from(life.owed_to)).sum(),
            lives,
            members,
            rules: Rules::of(&config.faults, seed.child("faults")),
            corrupting: Dice::new(seed.child("corruption")),
            in_flight: Vec::new(),
            free: Vec::new(),
            healed: false,
            appends_planned: config.appends.len(),
            totals: Totals::default(),
            #[cfg(any(test, feature = "plant"))]
            plant: crate::Plant::default(),
            observer,
            config,
        };
        for node in 0..world.slots.len() {
            world.plan_edge(node);
        }
        for no in 0..world.config.crashes.len() {
            world.queue.push(world.config.crashes[no].at, Planned::Crash(no as u32));
        }
        for no in 0..world.config.appends.len() {
            world.queue.push(world.config.appends[no].at, Planned::Append(no as u32));
        }
        Ok(world)
    }

    /// Plans a message, now at the earliest.
    ///
    /// # Errors
    ///
    /// When the node is not there or not in the group.
    pub fn append_at(&mut self, append: Append) -> Result<(), WorldError> {
        let spec = self.node_spec("an append", append.node)?;
        if !spec.shares.iter().any(|(group, _)| *group == append.group) {
            return Err(WorldError::NotAMember(append.node));
        }
        let no = self.config.appends.len() as u32;
        self.queue.push(append.at.max(self.now), Planned::Append(no));
        self.config.appends.push(append);
        self.appends_planned += 1;
        Ok(())
    }

    /// Plans a crash, now at the earliest.
    ///
    /// # Errors
    ///
    /// When the node is not there.
    pub fn crash_at(&mut self, crash: Crash) -> Result<(), WorldError> {
        self.node_spec("a crash", crash.node)?;
        let no = self.config.crashes.len() as u32;
        self.queue.push(crash.at.max(self.now), Planned::Crash(no));
        self.config.crashes.push(crash);
        Ok(())
    }

    fn node_spec(&self, what: &'static str, node: PeerId) -> Result<&super::spec::NodeSpec, WorldError> {
        let node_count = self.config.nodes.len();
        self.config.nodes.get(node.0 as usize).ok_or(WorldError::NoSuchNode { what, node, node_count })
    }

    /// Adds a rule that is asked after those that are there.
    pub fn add_rule(&mut self, rule: impl Rule + 'static) {
        self.rules.push(Box::new(rule));
    }

    /// Plants a deliberate bug in all nodes, for tests of the tests; they keep it when they start again.
    #[cfg(any(test, feature = "plant"))]
    pub fn plant(&mut self, plant: crate::Plant) {
        self.plant = plant;
        for node in self.slots.iter_mut().filter_map(|slot| slot.node.as_mut()) {
            node.plant(plant);
        }
    }

    /// From now on everybody is online and nothing goes wrong: no faults, no loss, no crashes. Who is down
    /// starts again. What was planned to be written still is. O(nodes), once.
    pub fn heal(&mut self) {
        self.healed = true;
        self.rules.clear();
        for profile in &mut self.config.profiles {
            *profile = profile.healed();
        }
        tell!(self, Event::Healed);
        for node in 0..self.slots.len() {
            self.slots[node].leaves_at = NEVER;
            self.restart(node);
            self.set_online(node, true);
            self.poll(node);
        }
    }

    /// Runs until this time, what happens then included.
    pub fn run_until(&mut self, until: Time) {
        while self.queue.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.now = self.now.max(until);
    }

    /// Runs until nothing is on its way, nothing waits to be written and every node is settled (or down), but
    /// not beyond `limit`. Says whether it came to that.
    pub fn run_until_idle(&mut self, limit: Time) -> bool {
        let mut settled: Vec<bool> = (0..self.slots.len()).map(|node| self.is_settled(node)).collect();
        let mut unsettled = settled.iter().filter(|settled| !**settled).count();
        loop {
            if unsettled == 0 && self.appends_planned == 0 && self.in_flight.len() == self.free.len() {
                return true;
            }
            if self.queue.next_at().is_none_or(|at| at > limit) {
                self.now = self.now.max(limit);
                return false;
            }
            if let Some(node) = self.step() {
                let is_settled = self.is_settled(node);
                if is_settled != settled[node] {
                    settled[node] = is_settled;
                    unsettled = if is_settled { unsettled - 1 } else { unsettled + 1 };
                }
            }
        }
    }

    /// Takes the next event. Answers the node that it touched; `None` when the plan had come to nothing or
    /// nothing is planned at all.
    pub fn step(&mut self) -> Option<usize> {
        let (at, planned) = self.queue.pop()?;
        self.now = at;
        let touched = match planned {
            Planned::Arrive(slot) => self.arrive(slot),
            Planned::Wake(node) => self.wake(node as usize),
            Planned::Edge(node) => self.edge(node as usize),
            Planned::Append(no) => self.append(no),
            Planned::Crash(no) => self.crash(no as usize),
            Planned::Restart(node) => self.restart_planned(node as usize),
        }?;
        self.totals.events += 1;
        self.poll(touched);
        Some(touched)
    }

    /// Now.
    pub fn now(&self) -> Time {
        self.now
    }

    /// What it was made of, with what was planned since; after [`Self::heal`] with healed links.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// Sums over everything that has happened.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// All messages.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// A node; `None` while it is down, or if there is none of this number.
    pub fn node(&self, node: PeerId) -> Option<&Node> {
        self.slots.get(node.0 as usize)?.node.as_ref()
    }

    /// Whether a node is online.
    pub fn is_online(&self, node: PeerId) -> bool {
        self.slots.get(node.0 as usize).is_some_and(|slot| slot.online)
    }

    /// When a message was written, by whom, and who has it; `None` if nobody wrote it.
    pub fn life(&self, message: MsgNo) -> Option<&Life> {
        self.lives.get(message.0 as usize).filter(|life| life.is_written())
    }

    /// Deliveries that are still to come, of messages written so far.
    pub fn owed(&self) -> u64 {
        self.owed
    }

    /// Messages that are planned and not written yet.
    pub fn appends_planned(&self) -> usize {
        self.appends_planned
    }

    /// Who reads a group, in order.
    pub fn readers(&self, group: GroupId) -> &[PeerId] {
        self.members.get(&group).map_or(&[], Vec::as_slice)
    }

    /// With whom a node has a link, in order.
    pub fn linked(&self, node: PeerId) -> impl Iterator<Item = PeerId> + '_ {
        let range = self
            .slots
            .get(node.0 as usize)
            .map_or(0..0, |slot| slot.links_begin..slot.links_begin + slot.link_count);
        self.ways[range].iter().map(|way| PeerId(way.to))
    }

    /// When the next event is planned.
    pub fn next_at(&self) -> Option<Time> {
        self.queue.next_at()
    }

    /// Whether a node has nothing to send and no session runs; one that is down has not.
    pub(super) fn is_settled(&self, no: usize) -> bool {
        self.slots[no].node.as_ref().is_none_or(Node::is_settled)
    }

    #[cfg(test)]
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    #[cfg(test)]
    pub(super) fn lives(&self) -> &[Life] {
        &self.lives
    }

    /// Nodes.
    pub fn node_count(&self) -> usize {
        self.slots.len()
    }

    /// Who looks on.
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// Ends it; who looked on remains.
    pub fn into_observer(self) -> O {
        self.observer
    }
}

/// The seed of a node's life: a new one after each restart.
fn node_seed(seed: Seed, no: u32, restarts: u64) -> Seed {
    seed.child("nodes").nth(u64::from(no)).nth(restarts)
}
