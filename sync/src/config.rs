//! What a node is told of how to behave. Plain data, printable whole.

use std::fmt;
use std::sync::Arc;

use offerbench_algos::{Built, SpecError, build};
use siphasher::sip::SipHasher24;

use crate::channel::ChannelConfig;
use crate::time::Span;

/// Everything that a node is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Length of an epoch. A peer gets at most one payload in each, so this is the grain of every latency and
    /// of every retransmission; a node with nothing due sleeps through any number of them.
    pub epoch: Span,
    /// When a record is sent again.
    pub backoff: Backoff,
    /// How a peer learns what this node holds.
    pub offer: Offer,
    /// How receipt is confirmed.
    pub acks: Acks,
    /// How an offered message is asked for.
    pub requests: Requests,
    /// When a message is handed to the application.
    pub delivery: Delivery,
    /// Whether a message that was asked of one peer is not asked of another until that one is late.
    pub coordinate: bool,
    /// What it is to the group.
    pub part: Part,
    /// Bounds of everything that a peer can make grow.
    pub limits: Limits,
}

impl Default for Config {
    /// MVDS in interactive mode as specified, for links of a second or less.
    fn default() -> Self {
        Self {
            epoch: Span::from_ms(100),
            backoff: Backoff::default(),
            offer: Offer::Interactive,
            acks: Acks::Immediate,
            requests: Requests::ById,
            delivery: Delivery::Eventual,
            coordinate: true,
            part: Part::Member,
            limits: Limits::default(),
        }
    }
}

/// Capped exponential back-off: after the `n`-th sending a record waits `first · 2^n` epochs; once that would
/// pass `longest` it starts over at `again`. 2/MVDS leaves the function open and asks for a return to a lower
/// epoch, lest a peer that was away for a week waits for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Epochs after the first sending; at least 1. Less than a round trip sends everything twice.
    pub first: u32,
    /// Most epochs between two sendings.
    pub longest: u32,
    /// Epochs at which it starts over.
    pub again: u32,
}

impl Default for Backoff {
    /// With epochs of 100 ms: 3.2 s, 6.4 s … 27 min, then 51 s.
    fn default() -> Self {
        Self { first: 32, longest: 16_384, again: 512 }
    }
}

impl Backoff {
    /// Epochs to wait after a record was sent `sends` times (at least 1).
    pub fn epochs(&self, sends: u32) -> u64 {
        let (first, longest) = (u64::from(self.first.max(1)), u64::from(self.longest.max(self.first).max(1)));
        let again = u64::from(self.again).clamp(first, longest);
        // Doublings of `from` that stay within `longest`.
        let steps = |from: u64| (longest / from).ilog2();
        let n = sends.saturating_sub(1);
        if n <= steps(first) {
            return first << n;
        }
        again << ((n - steps(first) - 1) % (steps(again) + 1))
    }
}

/// How a peer learns what this node holds.
#[derive(Clone, Debug)]
pub enum Offer {
    /// MVDS, batch mode: the message itself. More bytes, fewer flights.
    Batch,
    /// MVDS, interactive mode: OFFER, REQUEST, MESSAGE.
    Interactive,
    /// A reconciliation session says what to offer or push.
    Reconcile(Reconcile),
}

/// Options of [`Offer::Reconcile`].
#[derive(Clone)]
pub struct Reconcile {
    /// The strategy. Both ends must have the same one: a peer with another is refused.
    pub strategy: Arc<Built>,
    /// How long after a session with a peer the next one begins even if nothing is known to wait. A peer that
    /// does not answer is tried again after this, then after twice as long, and so on up to 64 times.
    pub every: Span,
    /// How long a new message waits for others before it starts a session.
    pub news_after: Span,
    /// What becomes of an item that the peer lacks.
    pub on_have: OnHave,
    /// Peers that are asked at once by a node that comes online; the others follow as these finish or fail. Peers
    /// that are asked at once and push all push the same: ask one with [`OnHave::Push`], a few with
    /// [`OnHave::Offer`].
    pub ask: u32,
    /// A peer not heard for so long has been away: when it is heard, a session begins.
    pub away_after: Span,
    /// Whether a session with a peer that was not heard for [`Self::away_after`] begins with an empty frame, and the
    /// strategy's first frames follow when that is answered: a round trip more where the peer is there, and only
    /// some 70 bytes instead of a whole filter, several times over, where it is not.
    pub knock: bool,
    /// A session in which the peer was not heard for so long has ended. More than a round trip and what
    /// the channel needs to send a lost frame again.
    pub silence: Span,
    /// How frames are carried.
    pub channel: ChannelConfig,
}

impl Reconcile {
    /// The usual options with this strategy.
    ///
    /// # Errors
    ///
    /// When `spec` names none.
    pub fn new(spec: &str) -> Result<Self, SpecError> {
        Ok(Self {
            strategy: Arc::new(build(spec)?),
            every: Span::from_s(300),
            news_after: Span::from_s(1),
            on_have: OnHave::Offer,
            ask: 3,
            away_after: Span::from_s(120),
            knock: true,
            silence: Span::from_s(30),
            // A stream that stops when it hears so overshoots by a window: over a link of 100 ms a window of 16 made
            // idle rateless sessions three times as dear as one of 4, and no other strategy gained by it.
            channel: ChannelConfig { window: 4, frame_len_max: 16 << 10, ..ChannelConfig::default() },
        })
    }

    /// Four bytes by which two ends tell whether they speak the same strategy.
    pub(crate) fn strategy_name(&self) -> u32 {
        SipHasher24::new().hash(self.strategy.spec.to_string().as_bytes()) as u32
    }
}

impl fmt::Debug for Reconcile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconcile")
            .field("strategy", &self.strategy.spec.to_string())
            .field("every", &self.every)
            .field("news_after", &self.news_after)
            .field("on_have", &self.on_have)
            .field("ask", &self.ask)
            .field("away_after", &self.away_after)
            .field("knock", &self.knock)
            .field("silence", &self.silence)
            .field("channel", &self.channel)
            .finish()
    }
}

/// What becomes of an item that a session found the peer to lack. Written and read as `push`, `offer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHave {
    /// MESSAGE at once: a flight less, but several peers may push the same body.
    Push,
    /// OFFER: the peer asks one of those who offer it.
    Offer,
}

/// How receipt is confirmed. Every policy acks a message that arrives again at once and by its id, since its
/// sender has not heard the first ack, or could not read it.
///
/// | policy | bytes | latency | what it tells of the receiver |
/// |---|---|---|---|
/// | `Immediate` | 36 a message, often with a payload of its own | none | when it is online, to the epoch |
/// | `Delayed` | 36 a message, the payload shared | up to `after` | less: an ack does not say when the message came |
/// | `Ancestors` | 36 a head of the graph | up to `after` | as `Delayed`; and that it has the whole past |
/// | `SetHash` | 12 a payload of messages, 8 for each further one | up to `after` | as `Delayed` |
///
/// Written and read as `immediate`, `delayed:after=1000ms`, `ancestors:after=1000ms`, `set-hash:after=1000ms`.
///
/// The reasons are those of the text that this project began with: an ACK sent at once leaks when somebody is online, and
/// may be wasteful. [`crate::Stats::ack_payloads`] counts the payloads that tell nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// In the next payload, which is sent for it.
    Immediate,
    /// With whatever is sent next, but at latest after this.
    Delayed {
        /// How long an ack may wait.
        after: Span,
    },
    /// As `Delayed`; the ack of a message stands for all its ancestors, too. Relays do not see the graph: they
    /// ack by id, and what they do not understand is acked by id when it is sent again.
    Ancestors {
        /// How long an ack may wait.
        after: Span,
    },
    /// As `Delayed`; one hash of 8 bytes stands for all messages of a payload.
    SetHash {
        /// How long an ack may wait.
        after: Span,
    },
}

/// How an offered message is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// By its id: 36 bytes, as MVDS.
    ById,
    /// By its place in the list that offered it: see the module `ranks`. Asked again by id.
    ByRank,
}

/// When a message is handed to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As it arrives.
    Eventual,
    /// After all its parents, which are requested if they are missing.
    Causal,
}

/// What a node is to the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Reads and writes messages.
    Member,
    /// Holds ids and sealed bodies for others (a semi-trusted relay, a mailserver): sees no graph, delivers
    /// nothing, passes everything on.
    Relay,
}

/// Bounds of everything that a peer can make grow. What is refused is counted ([`crate::Refusal`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a payload, sent or taken. What does not fit waits for the next epoch.
    pub payload_len_max: usize,
    /// Bytes of a body.
    pub body_len_max: usize,
    /// OFFER and MESSAGE records that wait for one peer. The others are found again when these drain.
    pub backlog_max: usize,
    /// REQUEST records that wait for one peer.
    pub requests_max: usize,
    /// Times that a REQUEST is sent before it is given up: the peer may never have had the message.
    pub request_sends_max: u32,
    /// Messages that wait for their parents under [`Delivery::Causal`]: the receive buffer. One that does not
    /// fit is not acked, so it comes again. With less than some ten places here *and* in `backlog_max` or
    /// `requests_max` delivery may take days: what fills the places is not what is needed next.
    pub waiting_max: usize,
    /// Messages that are kept.
    pub messages_max: usize,
    /// Parents that a new message names.
    pub parents_max: usize,
    /// Reconciliation sessions at a time, begun by others or by this node.
    pub sessions_max: usize,
    /// Ephemeral and control datagrams that wait to be sent.
    pub aside_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_len_max: 256 << 10,
            body_len_max: 64 << 10,
            backlog_max: 4096,
            requests_max: 4096,
            request_sends_max: 10,
            waiting_max: 4096,
            messages_max: 1 << 24,
            parents_max: 8,
            sessions_max: 32,
            aside_max: 64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_and_returns_to_a_lower_epoch() {
        let backoff = Backoff { first: 1, longest: 8, again: 4 };
        let waits: Vec<u64> = (1..=9).map(|sends| backoff.epochs(sends)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 4, 8, 4, 8, 4]);
        let constant = Backoff { first: 1, longest: 1, again: 1 };
        assert!((1..100).all(|sends| constant.epochs(sends) == 1));
        // Nonsense does no harm.
        assert_eq!(Backoff { first: 0, longest: 0, again: 9 }.epochs(u32::MAX), 1);
    }
}
