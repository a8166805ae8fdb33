//! Counters of a node: what it sent, by kind, and what it refused, by cause.

use offerbench_algos::wire::Spent;

/// What bytes of a payload are for. The order is that of [`Stats::sent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Header bytes, one a datagram.
    Header,
    /// ACKs of all forms; `count` is entries.
    Ack,
    /// OFFERs.
    Offer,
    /// REQUESTs, by id and by rank; `count` is messages asked for.
    Request,
    /// What a MESSAGE takes beside its body.
    Message,
    /// Bodies.
    Body,
    /// Frames of reconciliation sessions.
    Frame,
    /// What carries the frames: numbers, acknowledgements, group of the opening one.
    Channel,
    /// Ephemeral messages, all but the header.
    NoSync,
    /// Ping and pong, all but the header.
    Control,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Header,
        Self::Ack,
        Self::Offer,
        Self::Request,
        Self::Message,
        Self::Body,
        Self::Frame,
        Self::Channel,
        Self::NoSync,
        Self::Control,
    ];

    /// For rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Ack => "ack",
            Self::Offer => "offer",
            Self::Request => "request",
            Self::Message => "message",
            Self::Body => "body",
            Self::Frame => "frame",
            Self::Channel => "channel",
            Self::NoSync => "nosync",
            Self::Control => "control",
        }
    }
}

/// Why something that arrived was not taken, or something of our own not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// A datagram of an unknown mode or form.
    BadPayload,
    /// A sender with whom nothing is shared.
    UnknownPeer,
    /// A group that is not shared with the sender.
    UnknownGroup,
    /// An id that has not 32 bytes.
    BadId,
    /// A body over the limit, or a group id that has not 32 bytes.
    BadMessage,
    /// A body without readable metadata: kept and acked, since its id is right, but never delivered.
    BadContent,
    /// A message that would have waited for its parents where no more may wait: not acked.
    WaitingFull,
    /// A message over the limit of the store: not acked.
    StoreFull,
    /// A record for a peer with too many: found again later.
    BacklogFull,
    /// A request that was not queued because too many are.
    RequestsFull,
    /// A request that was sent often enough.
    RequestGivenUp,
    /// A REQUEST for what is not held, or by rank in a list not remembered.
    UnknownRequest,
    /// An ACK of what is not held.
    UnknownAck,
    /// A segment that breaks the channel's or the strategy's rules.
    BadSegment,
    /// A segment of a session that is not known (any more): answered with an end.
    UnknownSession,
    /// A session that was not begun because too many run, or because the strategies differ.
    SessionRefused,
    /// An ephemeral or control datagram for which there was no room.
    AsideFull,
}

impl Refusal {
    /// All causes.
    pub const ALL: [Self; 17] = [
        Self::BadPayload,
        Self::UnknownPeer,
        Self::UnknownGroup,
        Self::BadId,
        Self::BadMessage,
        Self::BadContent,
        Self::WaitingFull,
        Self::StoreFull,
        Self::BacklogFull,
        Self::RequestsFull,
        Self::RequestGivenUp,
        Self::UnknownRequest,
        Self::UnknownAck,
        Self::BadSegment,
        Self::UnknownSession,
        Self::SessionRefused,
        Self::AsideFull,
    ];

    /// For rows and stories.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadPayload => "bad payload",
            Self::UnknownPeer => "unknown peer",
            Self::UnknownGroup => "unknown group",
            Self::BadId => "bad id",
            Self::BadMessage => "bad message",
            Self::BadContent => "bad content",
            Self::WaitingFull => "receive buffer full",
            Self::StoreFull => "store full",
            Self::BacklogFull => "backlog full",
            Self::RequestsFull => "requests full",
            Self::RequestGivenUp => "request given up",
            Self::UnknownRequest => "unknown request",
            Self::UnknownAck => "unknown ack",
            Self::BadSegment => "bad segment",
            Self::UnknownSession => "unknown session",
            Self::SessionRefused => "session refused",
            Self::AsideFull => "aside full",
        }
    }
}

/// How many, and how many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Entries.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Counters of a node since it started. A restart keeps them: they are the experimenter's, not the node's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    sent: [Count; Kind::ALL.len()],
    refused: [u64; Refusal::ALL.len()],
    /// Datagrams sent.
    pub payloads: u64,
    /// Payloads that carried acks and nothing else: each tells that the node is online, and nothing more.
    pub ack_payloads: u64,
    /// Records sent for the second time or later.
    pub resends: u64,
    /// Messages that arrived though they were held.
    pub redundant: u64,
    /// Bytes of their bodies.
    pub redundant_bytes: u64,
    /// Bytes of frames by purpose, of the first sending of each. What the channel sends again is in
    /// [`Kind::Frame`] alone.
    pub frame_spent: Spent,
    /// Frames sent for the first time, and their bytes: what [`Self::frame_spent`] must add up to.
    pub frames_first: Count,
    /// Sessions begun by this node.
    pub sessions_opened: u64,
    /// Sessions that ended with a result at this node, whoever began them. **Both ends count**: added up over all
    /// nodes a session counts twice if both saw its end. To count each once, count
    /// [`crate::NodeEvent::Reconciled`] with [`crate::Outcome::initiator`].
    pub sessions_done: u64,
    /// Sessions that ended without one: no answer, a refusal, a broken rule, a strategy that gave up. Both ends
    /// count, as above; an end that refuses to begin one counts a refusal instead. A session that gave way to
    /// another, begun at the same time by the peer, is in neither sum and has no event.
    pub sessions_failed: u64,
}

impl Stats {
    /// What was sent of a kind.
    pub fn sent(&self, kind: Kind) -> Count {
        self.sent[kind as usize]
    }

    /// All bytes sent.
    pub fn sent_bytes(&self) -> u64 {
        self.sent.iter().map(|count| count.bytes).sum()
    }

    /// How often something was refused for this reason.
    pub fn refused(&self, why: Refusal) -> u64 {
        self.refused[why as usize]
    }

    /// Counts entries sent.
    pub(crate) fn send(&mut self, kind: Kind, count: usize, bytes: usize) {
        let slot = &mut self.sent[kind as usize];
        slot.count += count as u64;
        slot.bytes += bytes as u64;
    }

    /// Counts the first sending of a frame.
    pub(crate) fn send_first(&mut self, spent: &Spent, bytes: usize) {
        self.frame_spent.merge(spent);
        self.frames_first.count += 1;
        self.frames_first.bytes += bytes as u64;
    }

    /// Counts a refusal.
    pub(crate) fn refuse(&mut self, why: Refusal) {
        self.refused[why as usize] += 1;
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.sent.iter_mut().zip(other.sent) {
            mine.count += theirs.count;
            mine.bytes += theirs.bytes;
        }
        for (mine, theirs) in self.refused.iter_mut().zip(other.refused) {
            *mine += theirs;
        }
        self.payloads += other.payloads;
        self.ack_payloads += other.ack_payloads;
        self.resends += other.resends;
        self.redundant += other.redundant;
        self.redundant_bytes += other.redundant_bytes;
        self.frame_spent.merge(&other.frame_spent);
        self.frames_first.count += other.frames_first.count;
        self.frames_first.bytes += other.frames_first.bytes;
        self.sessions_opened += other.sessions_opened;
        self.sessions_done += other.sessions_done;
        self.sessions_failed += other.sessions_failed;
    }
}
