//! The estimators alone, without sessions: what benches time.

use super::strata::Strata;
use super::tow::Tow;
use crate::item::ItemId;
use crate::salt::{Key, Salt};
use crate::seed::Seed;
use crate::session::Role;

/// Makes estimators under one key.
#[derive(Clone, Copy, Debug)]
pub struct Estimator {
    key: Key,
}

impl Estimator {
    /// Under a key drawn from `seed`.
    pub fn new(seed: Seed) -> Self {
        Self { key: Key::one_party(Salt::of(seed, Role::Initiator)) }
    }

    /// The Tug-of-War counters of a set, O(n).
    pub fn tow(&self, ids: &[ItemId]) -> Tow {
        Tow::new(ids.iter(), &self.key)
    }

    /// The strata of a set, O(n).
    pub fn strata(&self, ids: &[ItemId]) -> Strata {
        Strata::new(ids.iter(), &self.key)
    }

    /// The estimate of d from the strata of both.
    pub fn between(&self, ours: Strata, theirs: &Strata) -> u64 {
        ours.estimate(theirs, &self.key)
    }
}
