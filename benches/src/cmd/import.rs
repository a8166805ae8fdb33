//! Placeholder until the importers' interface is settled.
