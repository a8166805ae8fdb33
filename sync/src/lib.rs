//! Data sync among the members of a group, as [2/MVDS](https://rfc.vac.dev/spec/2/) has it, with an OFFER
//! path that takes any strategy of `offerbench-algos`; and a deterministic world for groups of it to live in.

mod sharing;
mod time;

pub use sharing::{
    CHOICES_MAX, Choices, Degrees, FOUR_MEMBERS, Kind, Links, MEMBERS_MAX, Member, Policy, PolicyError,
    SharingError, choices, share,
};
pub use time::{Span, Time};
