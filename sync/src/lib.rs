//! Data sync among the members of a group, as [2/MVDS](https://rfc.vac.dev/spec/2/) has it, with an OFFER
//! path that takes any strategy of `offerbench-algos`; and a deterministic world for groups of it to live in.

mod channel;
mod time;

pub use channel::{Channel, ChannelConfig, ChannelError, Segment, WINDOW_MAX};
pub use time::{Span, Time};
