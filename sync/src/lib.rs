//! Data sync among the members of a group, as [2/MVDS](https://rfc.vac.dev/spec/2/) has it, with an OFFER
//! path that takes any strategy of `offerbench-algos`; and a deterministic world for groups of it to live in.
//!
//! A [`Node`] is sans-IO: payloads in, payloads out, events out; the time comes in as an argument. Start with
//! [`Node`] (the contract) and [`Config`] (what it is told). Bodies and ids are kept once, in a [`Library`].
//!
//! Inside, from the wire upwards: `payload` (header, protobuf), `ranks` (requests by place), `channel` (ordered,
//! resent, bounded) and `exchange` (one session over it), `records` (send counts and epochs), `wants` (who was
//! asked for what), `peer` (the state of one peer, and its payload of an epoch), `dag` (parents), `desk` (when
//! sessions begin and what they lead to), `node`. Beside them `sharing`: whom each member shares with.
//!
//! [`sim`] is the world: [`sim::World`] moves payloads between nodes over links that lose, delay and double
//! them, takes nodes off and on line, crashes them, and checks that nothing wrong comes of it.

mod channel;
mod config;
mod dag;
mod desk;
mod exchange;
mod library;
mod named;
mod node;
mod payload;
mod peer;
mod plant;
mod ranks;
mod records;
mod sharing;
pub mod sim;
mod stats;
mod time;
mod wants;

pub use channel::ChannelConfig;
pub use config::{Acks, Backoff, Config, Delivery, Limits, Offer, OnHave, Part, Reconcile, Requests};
pub use exchange::Outcome;
pub use library::{GroupId, Library, Message, MsgNo, PARENTS_MAX, PeerId};
pub use named::NameError;
pub use node::{AppendError, Disk, Node, NodeEvent};
pub use payload::{Content, Datagram, ENTRY_LEN, Payload, PayloadError, Segment, WireMessage};
#[cfg(any(test, feature = "plant"))]
pub use plant::Plant;
pub use sharing::{
    CHOICES_MAX, Choices, Degrees, Device, FOUR_MEMBERS, Links, MEMBERS_MAX, Member, Policy, PolicyError,
    SharingError, choices, share,
};
pub use stats::{Count, Kind, Refusal, Stats};
pub use time::{Span, Time};
