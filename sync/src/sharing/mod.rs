//! Whom each member of a group shares with.
//!
//! MVDS leaves it to the application which peers a node *shares* a group with. In a group of N members this
//! choice decides how often a message crosses the network and whether it reaches everybody, so it is an
//! axis of every measurement: a [`Policy`] with its K, the number of **other** members with whom each member
//! shares.
//!
//! A policy is applied in two steps. [`choices()`] says whom each member chooses; a choice has a direction.
//! [`share()`] drops the direction, since two nodes that know each other can both speak: [`Links`] are usable
//! both ways. (A simulator in which they were not could only answer peers whom the answering node itself had
//! chosen, and lost a good part of its replies.) The difference is large: among N = 100 members with K = 4,
//! one-way choices lead from one author to everybody in 17% of all draws, the same choices used both ways in
//! practically all of them (`tests/sharing_oracles.rs`).
//!
//! A node of these graphs is a *device*; [`Member::identity`] says whose. Everything here is a pure function
//! of the members, the policy and the seed, in integers: the same on every machine. Every member draws from
//! its own stream, so that a larger K only adds choices and never exchanges one.
//!
//! ```
//! use offerbench_algos::Seed;
//! use offerbench_sync::{Device, Member, share};
//!
//! let members: Vec<Member> =
//!     (0..50).map(|identity| Member { identity, kind: Device::Phone, seen_ms: 0 }).collect();
//! let links = share(&members, &"random:k=3".parse()?, Seed::new(1))?;
//! assert!(links.is_connected());
//! assert!(links.neighbours(7).len() >= 3); // three chosen by member 7, and whoever chose it
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod draw;
mod links;
mod policy;

use std::collections::BTreeMap;

use offerbench_algos::Seed;
use thiserror::Error;

use draw::{Uniform, Weighted};
pub use links::{CHOICES_MAX, Choices, Degrees, FOUR_MEMBERS, Links};
use links::{Rows, RowsBuilder};
pub use policy::{Policy, PolicyError};

/// The most members of one group: 2^20.
pub const MEMBERS_MAX: usize = 1 << 20;

/// What a device is. Only [`Policy::Relays`] and [`Policy::Mailserver`] look at it: for every other policy a
/// relay and a mailserver are members that choose and are chosen like anybody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// A phone: mostly offline.
    Phone,
    /// A desktop: online for hours.
    Desktop,
    /// A semi-trusted helper that holds ids and sealed bodies.
    Relay,
    /// A store that is always online.
    Mailserver,
}

/// One device of a group, as the others see it when they choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Whose device it is: the devices of one person share this number.
    pub identity: u32,
    /// What it is.
    pub kind: Device,
    /// For how long the others saw it online before they chose, in milliseconds.
    pub seen_ms: u64,
}

/// Why no links can be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SharingError {
    /// A group without members.
    #[error("the group has no members")]
    NoMembers,
    /// More than [`MEMBERS_MAX`] members.
    #[error("{count} members are more than {MEMBERS_MAX}")]
    TooManyMembers {
        /// How many there are.
        count: usize,
    },
    /// K = 0 in a group of several: nobody would share with anybody.
    #[error("`{policy}`: with k = 0 nobody shares with anybody; k is at least 1")]
    NobodyToShareWith {
        /// The policy.
        policy: Policy,
    },
    /// Relays are asked for and there are none.
    #[error("`{policy}` needs at least one member of the kind Relay")]
    NoRelay {
        /// The policy.
        policy: Policy,
    },
    /// A star has one centre.
    #[error("`mailserver` needs exactly one member of the kind Mailserver, found {found}")]
    NotOneMailserver {
        /// How many there are.
        found: usize,
    },
    /// More than [`CHOICES_MAX`] choices in all.
    #[error("more than {CHOICES_MAX} choices in one group: fewer members or a smaller k")]
    TooManyChoices,
    /// A pair names a member that the group does not have.
    #[error("no member {member} in a group of {count}")]
    NoSuchMember {
        /// The number in the pair.
        member: u32,
        /// How many members there are.
        count: usize,
    },
    /// A pair links a member with itself.
    #[error("member {member} cannot be linked with itself")]
    SelfLink {
        /// The number on both sides of the pair.
        member: u32,
    },
}

/// The links of a group under `policy`: [`choices()`], usable both ways.
///
/// # Errors
///
/// Those of [`choices()`].
pub fn share(members: &[Member], policy: &Policy, seed: Seed) -> Result<Links, SharingError> {
    Ok(choices(members, policy, seed)?.into_links())
}

/// Whom each member chooses under `policy`. Members are numbered by their place in `members`.
///
/// O(N·K·log N) time, four bytes a choice; [`Policy::AllToAll`] is O(N²).
///
/// # Errors
///
/// No members or too many; K = 0 with more than one member; no relay or not one mailserver where the policy
/// needs it; more than [`CHOICES_MAX`] choices.
pub fn choices(members: &[Member], policy: &Policy, seed: Seed) -> Result<Choices, SharingError> {
    let count = members.len();
    if count == 0 {
        return Err(SharingError::NoMembers);
    }
    if count > MEMBERS_MAX {
        return Err(SharingError::TooManyMembers { count });
    }
    if policy.k() == Some(0) && count > 1 {
        return Err(SharingError::NobodyToShareWith { policy: *policy });
    }
    let seed = seed.child("sharing");
    let rows = match *policy {
        Policy::Random { k } => random(count, k as usize, seed),
        Policy::LogN => random(count, log2_ceil(count), seed),
        Policy::AllToAll => random(count, count - 1, seed),
        Policy::ProvenUseful { k } => proven_useful(members, k as usize, seed),
        Policy::Identities { k } => identities(members, k as usize, seed),
        Policy::Relays { k } => relays(members, k as usize, seed, policy),
        Policy::Mailserver => mailserver(members),
    }?;
    Ok(Choices::new(rows))
}

/// ⌈log2 `count`⌉ of a positive number.
fn log2_ceil(count: usize) -> usize {
    count.next_power_of_two().trailing_zeros() as usize
}

/// The `nth` of all numbers but `me`.
fn skip(me: usize, nth: u32) -> u32 {
    if nth as usize >= me { nth + 1 } else { nth }
}

fn random(count: usize, k: usize, seed: Seed) -> Result<Rows, SharingError> {
    let mut uniform = Uniform::new(count - 1);
    let mut rows = RowsBuilder::new(count);
    let mut drawn = Vec::new();
    for me in 0..count {
        uniform.draw(k, &mut seed.nth(me as u64).rng(), &mut drawn);
        rows.push(drawn.iter().map(|&nth| skip(me, nth)))?;
    }
    Ok(rows.build())
}

fn proven_useful(members: &[Member], k: usize, seed: Seed) -> Result<Rows, SharingError> {
    let mut weighted = Weighted::new(members.iter().map(|member| member.seen_ms));
    let mut rows = RowsBuilder::new(members.len());
    let mut drawn = Vec::new();
    for me in 0..members.len() {
        weighted.draw_others(me, k, &mut seed.nth(me as u64).rng(), &mut drawn);
        rows.push(drawn.iter().copied())?;
    }
    Ok(rows.build())
}

/// A *person* chooses k others once, and all its devices share with those: K then means the same for somebody
/// with one device and somebody with three, and each device reaches the group while its siblings are off.
fn identities(members: &[Member], k: usize, seed: Seed) -> Result<Rows, SharingError> {
    let mut devices: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (number, member) in members.iter().enumerate() {
        devices.entry(member.identity).or_default().push(number as u32);
    }
    let people: Vec<u32> = devices.keys().copied().collect();
    // The device by which a person is reached: seen longest, at a tie the first.
    let door: Vec<u32> = devices
        .values()
        .map(|own| {
            let longest = own.iter().max_by_key(|&&device| {
                let seen_ms = members[device as usize].seen_ms;
                (seen_ms, std::cmp::Reverse(device))
            });
            *longest.expect("a person is listed for having a device")
        })
        .collect();
    let mut uniform = Uniform::new(people.len() - 1);
    let mut chosen: Vec<Vec<u32>> = Vec::with_capacity(people.len());
    let mut drawn = Vec::new();
    for (place, &person) in people.iter().enumerate() {
        uniform.draw(k, &mut seed.nth(u64::from(person)).rng(), &mut drawn);
        chosen.push(drawn.iter().map(|&nth| door[skip(place, nth) as usize]).collect());
    }
    let mut rows = RowsBuilder::new(members.len());
    for (me, member) in members.iter().enumerate() {
        let place = people.binary_search(&member.identity).expect("every member's identity is listed");
        let siblings = devices[&member.identity].iter().copied().filter(|&device| device as usize != me);
        rows.push(siblings.chain(chosen[place].iter().copied()))?;
    }
    Ok(rows.build())
}

fn relays(members: &[Member], k: usize, seed: Seed, policy: &Policy) -> Result<Rows, SharingError> {
    let numbers = 0..members.len() as u32;
    let relays: Vec<u32> = numbers.filter(|&number| members[number as usize].kind == Device::Relay).collect();
    if relays.is_empty() {
        return Err(SharingError::NoRelay { policy: *policy });
    }
    let mut uniform = Uniform::new(relays.len());
    let mut rows = RowsBuilder::new(members.len());
    let mut drawn = Vec::new();
    for (me, member) in members.iter().enumerate() {
        if member.kind == Device::Relay {
            rows.push(relays.iter().copied().filter(|&relay| relay as usize != me))?;
        } else {
            uniform.draw(k, &mut seed.nth(me as u64).rng(), &mut drawn);
            rows.push(drawn.iter().map(|&nth| relays[nth as usize]))?;
        }
    }
    Ok(rows.build())
}

fn mailserver(members: &[Member]) -> Result<Rows, SharingError> {
    let is_server = |member: &Member| member.kind == Device::Mailserver;
    let found = members.iter().filter(|member| is_server(member)).count();
    let server = match (found, members.iter().position(is_server)) {
        (1, Some(server)) => server as u32,
        _ => return Err(SharingError::NotOneMailserver { found }),
    };
    let mut rows = RowsBuilder::new(members.len());
    for me in 0..members.len() as u32 {
        rows.push((me != server).then_some(server).into_iter())?;
    }
    Ok(rows.build())
}

#[cfg(test)]
mod tests;
