//! A drawn world, printed whole: what fails can be read before it is run again.

use std::fmt;

use super::{Demand, Swarm};
use crate::sim::{LinkProfile, Text};
use crate::{Part, Time};

impl fmt::Display for Swarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = &self.world;
        let s = |us: u64| us as f64 / 1e6;
        writeln!(f, "seed {}: {}, {} nodes", self.seed.value(), self.shape, world.nodes.len())?;
        write!(f, "trouble for {:.1} s, then healed; ", s(self.trouble.as_us()))?;
        match self.demand {
            Demand::Rest => writeln!(f, "rest within {:.1} s", s(self.bound.as_us()))?,
            Demand::Unaided => {
                writeln!(f, "all delivered before that, and rest within {:.1} s", s(self.bound.as_us()))?;
            }
            Demand::Safety(why) => writeln!(f, "only safety is demanded: {why}")?,
        }
        for (config, nodes) in self.configs() {
            writeln!(f, "nodes {nodes:?}: {config}")?;
        }
        for (no, node) in world.nodes.iter().enumerate() {
            write!(f, "node {no}{}", if node.config.part == Part::Relay { " (relay)" } else { "" })?;
            for (group, peers) in &node.shares {
                write!(f, "; {group:?} with {:?}", peers.iter().map(|peer| peer.0).collect::<Vec<_>>())?;
            }
            writeln!(f)?;
            let online = world.presence.intervals(no);
            if online != [(Time::ZERO, Time::from_us(u64::MAX))] {
                write!(f, "  online")?;
                for (from, until) in online {
                    write!(f, " {from}-{until}")?;
                }
                writeln!(f)?;
            }
        }
        for (no, profile) in world.profiles.iter().enumerate() {
            writeln!(f, "link profile {no}: {profile:?}")?;
        }
        let default = world.profiles.len() == 1 && world.profiles[0] == LinkProfile::IDEAL;
        if !default {
            write!(f, "links:")?;
            for link in &world.links {
                write!(
                    f,
                    " {}-{}:{}/{}",
                    link.ends[0].0, link.ends[1].0, link.profiles[0], link.profiles[1]
                )?;
            }
            writeln!(f)?;
        }
        for fault in &world.faults {
            writeln!(f, "fault {}-{}: {:?}", fault.during.from, fault.during.until, fault.what)?;
        }
        for crash in &world.crashes {
            let forgets = if crash.forgets_peers { ", forgets its peers" } else { "" };
            let down = s(crash.down_for.as_us());
            writeln!(f, "crash {} of node {} for {down:.3} s{forgets}", crash.at, crash.node.0)?;
        }
        if !world.history.is_empty() {
            write!(f, "{} messages from before", world.history.len())?;
            for away in &world.behind {
                write!(f, "; node {} lacks the last {}", away.node.0, away.lacks)?;
            }
            writeln!(f)?;
        }
        for append in &world.appends {
            write!(f, "write {} node {} in {:?}, ", append.at, append.node.0, append.group)?;
            match &append.text {
                Text::Random(len) => write!(f, "{len} B")?,
                Text::Says(text) => write!(f, "{text:?}")?,
            }
            match append.skew_ms {
                0 => writeln!(f)?,
                ms => writeln!(f, ", clock {ms:+} ms")?,
            }
        }
        Ok(())
    }
}
