//! Deliberate bugs, planted by tests that show that the checks of the simulated world find them.
//!
//! Outside of tests (and of the feature `plant`, which only tests switch on) nothing can plant one.

/// A deliberate bug.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plant {
    /// None.
    #[default]
    Nothing,
    /// ACKs are forgotten: what was delivered is sent for ever.
    DroppedAck,
    /// Causal delivery does not wait for parents.
    SkippedParent,
    /// A reconciliation frame is acknowledged and lost.
    LostFrame,
    /// The receive buffer has no bound.
    UnboundedBuffer,
}
