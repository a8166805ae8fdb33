//! Running a drawn world: safety while things go wrong, then liveness.

use offerbench_algos::Seed;
use thiserror::Error;

use super::{Demand, Swarm};
use crate::sim::{Checker, Observer, Stuck, Totals, Violation, World};
use crate::{MsgNo, Span, Time};

/// What a world that was sound did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// How long it took to come to rest after it was healed; `None` if that was not demanded.
    pub settled_after: Option<Span>,
    /// Virtual time at its end.
    pub ended_at: Time,
    /// What happened.
    pub totals: Totals,
}

/// How a world failed. A panic is the third way: it is the caller's to catch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// Something happened that must never happen.
    #[error("{count} violations, the first at {at}: {first}", at = .first.0, first = .first.1)]
    Safety {
        /// How many.
        count: u64,
        /// The first.
        first: (Time, Violation),
    },
    /// A healed world did not come to rest, or one that needed no healing did not deliver.
    #[error("{0}")]
    Liveness(Box<Stuck>),
}

/// Draws the world of a seed and runs it.
///
/// # Errors
///
/// What went wrong.
///
/// # Panics
///
/// When the core does: that is a failure, too.
pub fn soak_one(seed: Seed) -> Result<Report, Failure> {
    soak(&Swarm::draw(seed), ())
}

/// Runs a world while `observer` looks on.
///
/// # Errors
///
/// What went wrong.
///
/// # Panics
///
/// When the core does, or when the world's books do not agree with its nodes.
pub fn soak<O: Observer>(swarm: &Swarm, observer: O) -> Result<Report, Failure> {
    run(swarm, world(swarm, observer))
}

/// As [`soak`], with a deliberate bug in every node.
///
/// # Errors
///
/// What went wrong.
#[cfg(any(test, feature = "plant"))]
pub fn soak_planted(swarm: &Swarm, plant: crate::Plant) -> Result<Report, Failure> {
    let mut world = world(swarm, ());
    world.plant(plant);
    run(swarm, world)
}

fn world<O: Observer>(swarm: &Swarm, observer: O) -> World<(Checker, O)> {
    let checker = Checker::new(&swarm.world);
    World::observed(swarm.world.clone(), (checker, observer)).expect("a swarm's world is well-formed")
}

fn run<O: Observer>(swarm: &Swarm, mut world: World<(Checker, O)>) -> Result<Report, Failure> {
    world.run_until(Time::ZERO + swarm.trouble);
    check_safety(&world)?;
    if swarm.demand == Demand::Unaided && world.owed() > 0 {
        // It is not healed, so this only asks who lacks what.
        world.run_until_settled(Span::ZERO).map_err(Failure::Liveness)?;
    }
    world.heal();
    let settled = match swarm.demand {
        Demand::Safety(_) => {
            world.run_until(Time::ZERO + swarm.trouble + Span::from_us(swarm.trouble.as_us() / 4));
            None
        }
        Demand::Rest | Demand::Unaided => Some(world.run_until_settled(swarm.bound)),
    };
    // What must never happen is more serious than what did not happen.
    check_safety(&world)?;
    let settled_after = settled.transpose().map_err(Failure::Liveness)?;
    if settled_after.is_some() {
        check_books(&world);
    }
    Ok(Report { settled_after, ended_at: world.now(), totals: *world.totals() })
}

fn check_safety<O: Observer>(world: &World<(Checker, O)>) -> Result<(), Failure> {
    let checker = &world.observer().0;
    match checker.verdict() {
        Ok(()) => Ok(()),
        Err(first) => Err(Failure::Safety { count: checker.violation_count(), first: first.clone() }),
    }
}

/// The world counts deliveries by events. The nodes must agree with the sum.
fn check_books<O: Observer>(world: &World<(Checker, O)>) {
    for message in (0..world.library().len() as u32).map(MsgNo) {
        let group = world.library().message(message).group;
        for &reader in world.readers(group) {
            let has = world.node(reader).is_some_and(|node| node.has_delivered(message));
            assert!(has, "nothing is owed, and node {} has not delivered message {}", reader.0, message.0);
        }
    }
}
