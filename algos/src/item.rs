//! What is reconciled: a message's identity and the time by which range-based strategies order it.

use std::fmt;

use sha2::{Digest, Sha256};

/// Identity of a message: the hash of its content, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId([u8; 32]);

impl ItemId {
    /// Length of an id in bytes.
    pub const LEN: usize = 32;

    /// An id from its bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The id that MVDS gives a message: SHA-256("MESSAGE_ID" ‖ group ‖ timestamp ‖ body), the timestamp as
    /// little-endian 64 bit ([2/MVDS](https://rfc.vac.dev/spec/2/), "message id").
    ///
    /// `at_ms` is the message's timestamp in milliseconds.
    ///
    /// ```
    /// use offerbench_algos::ItemId;
    /// let id = ItemId::of_message(&[7; 32], 1_700_000_000_000, b"hello");
    /// assert_ne!(id, ItemId::of_message(&[7; 32], 1_700_000_000_001, b"hello"));
    /// ```
    pub fn of_message(group: &[u8; 32], at_ms: u64, body: &[u8]) -> Self {
        let hash = Sha256::new()
            .chain_update(b"MESSAGE_ID")
            .chain_update(group)
            .chain_update(at_ms.to_le_bytes())
            .chain_update(body)
            .finalize();
        Self(hash.into())
    }

    /// The id's bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ItemId {
    /// The first four bytes in hex: enough to tell ids apart in a failing test.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}…")
    }
}

/// One message as strategies see it. Ordered by time, ties by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// Timestamp that the message carries, in milliseconds.
    pub at: u64,
    /// Identity of the message.
    pub id: ItemId,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected bytes come from Python's hashlib over the same concatenation.
    #[test]
    fn message_id_is_the_hash_that_mvds_defines() {
        let id = ItemId::of_message(&[1; 32], 0x0102_0304_0506_0708, b"body");
        let hex: String = id.bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "1b901e931ca615b8c08490d7e4566f72c735da27a122e0c22037caea60193ce5");
    }
}
