//! A group that lives for a while in the simulated world: the setting of the scale figures and of `cargo bench --bench
//! world`.

use std::sync::Arc;

use offerbench_algos::Seed;
use offerbench_sync::sim::{Append, LinkProfile, Presence, Text, WorldConfig};
use offerbench_sync::{
    Config, Device, GroupId, Member, Offer, PeerId, Policy, Reconcile, SharingError, Span, Time, share,
};

use crate::error::Failure;

/// The one group that there is.
pub const GROUP: GroupId = GroupId([7; 32]);

/// What a group is and does.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// Members, each with one device.
    pub members: u32,
    /// With whom each shares.
    pub sharing: Policy,
    /// Messages that are written, spread evenly over the time and in turn over the members.
    pub messages: u32,
    /// How long it lasts, in hours.
    pub hours: u64,
    /// How much of the time a member is online, in parts per million.
    pub uptime_ppm: u32,
    /// Mean length of a stay online, in seconds.
    pub stay_s: u64,
    /// Bytes of a text.
    pub text_len: u32,
}

impl Life {
    /// A day at 10% uptime in stays of ten minutes, K = 3, over mobile links.
    pub fn day(members: u32, messages: u32) -> Self {
        let sharing = Policy::Random { k: 3 };
        Self { members, sharing, messages, hours: 24, uptime_ppm: 100_000, stay_s: 600, text_len: 100 }
    }

    /// The end of it.
    pub fn end(&self) -> Time {
        Time::ZERO + Span::from_s(3600 * self.hours)
    }

    /// The world of this group under an OFFER path.
    ///
    /// # Errors
    ///
    /// When nobody can share with anybody.
    pub fn world(&self, offer: Offer, seed: Seed) -> Result<WorldConfig, SharingError> {
        let config = Arc::new(Config { offer, ..Config::default() });
        let member = |identity| Member { identity, kind: Device::Phone, seen_ms: 1 };
        let members: Vec<Member> = (0..self.members).map(member).collect();
        let pairs: Vec<(u32, u32)> = share(&members, &self.sharing, seed)?.pairs().collect();
        let count = members.len();
        let mut world = WorldConfig::group(seed, &config, GROUP, count, &pairs, LinkProfile::MOBILE_4G);
        let stay = Span::from_s(self.stay_s);
        world.presence =
            Presence::alternating(count, self.uptime_ppm, stay, self.end(), seed.child("presence"));
        let gap = self.end().as_us() / u64::from(self.messages.max(1));
        let append = |n: u32| Append {
            at: Time::from_us(gap * u64::from(n)),
            // A prime step: the turns do not follow the numbers of neighbours.
            node: PeerId((u64::from(n) * 7919 % u64::from(self.members)) as u32),
            group: GROUP,
            skew_ms: 0,
            parents: None,
            text: Text::Random(self.text_len),
        };
        world.appends = (0..self.messages).map(append).collect();
        Ok(world)
    }
}

/// The OFFER path of this name: `batch`, `interactive`, or a strategy with its parameters.
///
/// # Errors
///
/// When there is none of this name.
pub fn offer_path(name: &str) -> Result<Offer, Failure> {
    match name {
        "batch" => Ok(Offer::Batch),
        "interactive" => Ok(Offer::Interactive),
        spec => Reconcile::new(spec).map(Offer::Reconcile).map_err(Failure::usage),
    }
}
