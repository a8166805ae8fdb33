//! What happens in a simulated world, in lines for people.

use std::collections::VecDeque;

use offerbench_sync::sim::{Event, Stage};
use offerbench_sync::{Datagram, NodeEvent, Payload};

/// Lines, of which the first and the last are kept.
pub struct Story {
    first: Vec<String>,
    last: VecDeque<String>,
    each: usize,
    skipped: u64,
}

impl Story {
    /// Keeps the first `each` lines and the last.
    pub const fn new(each: usize) -> Self {
        Self { first: Vec::new(), last: VecDeque::new(), each, skipped: 0 }
    }

    /// Adds a line.
    pub fn push(&mut self, line: String) {
        if self.first.len() < self.each {
            return self.first.push(line);
        }
        if self.last.len() == self.each {
            self.last.pop_front();
            self.skipped += 1;
        }
        self.last.push_back(line);
    }

    /// Adds what happened.
    pub fn tell(&mut self, stage: &Stage<'_>, event: &Event<'_>) {
        if let Some(what) = describe(event) {
            self.push(format!("{}  {what}", stage.now));
        }
    }

    /// The lines, with a word about those that were not kept.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let skipped =
            (self.skipped > 0).then(|| format!("... {} lines (--full shows them) ...", self.skipped));
        self.first.iter().cloned().chain(skipped).chain(self.last.iter().cloned())
    }
}

/// An event in a line. Wake-ups say nothing to people.
fn describe(event: &Event<'_>) -> Option<String> {
    Some(match *event {
        Event::Sent { from, to, payload } => {
            format!("{:>3} -> {:<3} {:>6} B  {}", from.0, to.0, payload.len(), contents(payload))
        }
        Event::Arrived { from, to, payload, sent } => {
            format!("{:>3} <- {:<3} {:>6} B  sent {sent}", to.0, from.0, payload.len())
        }
        Event::Refused { from, to, error } => format!("{:>3} refuses what {} sent: {error}", to.0, from.0),
        Event::Lost { from, to, payload, cause } => {
            format!("{:>3} -x {:<3} {:>6} B  lost: {}", from.0, to.0, payload.len(), cause.as_str())
        }
        Event::Online(node) => format!("{:>3} comes online", node.0),
        Event::Offline(node) => format!("{:>3} goes offline", node.0),
        Event::Crashed(node) => format!("{:>3} crashes", node.0),
        Event::Restarted(node) => format!("{:>3} starts again", node.0),
        Event::Appended { node, message, .. } => format!("{:>3} writes message {}", node.0, message.0),
        Event::AppendRefused { node, error } => format!("{:>3} cannot write: {error}", node.0),
        Event::Healed => "--- healed: everybody is online, nothing goes wrong any more ---".to_owned(),
        Event::Woken(_) => return None,
        Event::Node { node, event } => match event {
            NodeEvent::Delivered { message, .. } => format!("{:>3} has message {}", node.0, message.0),
            NodeEvent::Redundant { from, message } => {
                format!("{:>3} had message {} when {} brought it", node.0, message.0, from.0)
            }
            NodeEvent::Reconciled { peer, outcome } => {
                let verdict = outcome.verdict.map_or("nothing".to_owned(), |verdict| format!("{verdict:?}"));
                format!("{:>3} ends a session with {}: {verdict}, {} to give", node.0, peer.0, outcome.haves)
            }
            other => format!("{:>3} {other:?}", node.0),
        },
    })
}

/// The records of a payload, by type.
pub fn contents(payload: &[u8]) -> String {
    match Datagram::decode(payload, usize::MAX) {
        Ok(Datagram::Sync(payload)) => records(&payload),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("unreadable: {error}"),
    }
}

fn records(payload: &Payload) -> String {
    let mut parts = Vec::new();
    let mut put = |count: usize, what: &str| {
        if count > 0 {
            parts.push(if count == 1 { what.to_owned() } else { format!("{count} {what}") });
        }
    };
    put(payload.offers.len(), "OFFER");
    put(payload.requests.len(), "REQUEST");
    put(payload.ranks.len(), "REQUEST-BY-RANK");
    put(payload.messages.len(), "MESSAGE");
    put(payload.acks.len(), "ACK");
    put(payload.past_acks.len(), "ACK-OF-PAST");
    put(payload.set_acks.len(), "ACK-OF-SET");
    for segment in &payload.segments {
        put(usize::from(segment.end != 0), "end of session");
        put(usize::from(!segment.group.is_empty()), "opens a session:");
        put(usize::from(segment.seq > 0), "FRAME");
        put(usize::from(segment.seq == 0 && segment.end == 0), "ack of frames");
    }
    parts.join(", ").replace(":,", ":")
}
