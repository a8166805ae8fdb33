//! How two ends come to the key of an attempt, whatever its lifetime ([`Salting`]).
//!
//! With `salt=session` the initiator says its salt, the responder answers with its own, and each attempt has a key of
//! both. With a lasting key the initiator says a mark of it (with `salt=none`, where everybody has the same, nothing),
//! the responder answers under that key, and says a salt of its own only where the marks differ or the attempt failed:
//! then with a message of another tag, since the initiator cannot know beforehand.

use crate::salt::{Key, Salt, Salting};
use crate::session::{Role, Setup};
use crate::wire::{Draft, Purpose, Reader, WireError};

/// What one end can make keys of.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Its salt.
    pub salt: Salt,
    salting: Salting,
    /// The key that outlives the session, if the salting has one. (Keys are large, and most sessions have none.)
    pub lasting: Option<Box<Key>>,
}

/// What the initiator said of its key.
#[derive(Clone, Copy, Debug)]
pub enum Greeting {
    /// Keys are of the session, and this is its salt.
    Salt(Salt),
    /// Both ends have one lasting key.
    Shared,
    /// Their lasting keys differ.
    Apart,
}

/// A key, and how the initiator is to learn of it.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    /// The key.
    pub key: Key,
    /// Whether the initiator must be told, behind another tag, that a salt follows.
    pub is_fresh: bool,
}

impl Keys {
    /// Of one end of a session.
    pub fn new(salting: Salting, role: Role, setup: &Setup) -> Self {
        Self { salt: Salt::of(setup.seed, role), salting, lasting: salting.key(&setup.lasting).map(Box::new) }
    }

    /// Initiator: its salt, or by which lasting key it goes where keys differ.
    pub fn put_greeting(&self, draft: &mut Draft) {
        match (self.salting, &self.lasting) {
            (Salting::None, _) => {}
            (_, Some(key)) => {
                draft.bytes(Purpose::Salt, &key.mark());
            }
            (_, None) => {
                draft.bytes(Purpose::Salt, &self.salt.to_bytes());
            }
        }
    }

    /// Responder: reads that.
    ///
    /// # Errors
    ///
    /// When it ends early.
    pub fn hear_greeting(&self, reader: &mut Reader<'_>) -> Result<Greeting, WireError> {
        Ok(match (self.salting, &self.lasting) {
            (Salting::None, Some(_)) => Greeting::Shared,
            (_, Some(key)) if reader.array("mark of the key")? == key.mark() => Greeting::Shared,
            (_, Some(_)) => Greeting::Apart,
            (_, None) => Greeting::Salt(Salt::read(reader)?),
        })
    }

    /// Responder: the key of an attempt.
    pub fn choose(&self, greeting: Greeting, attempt: u32) -> Chosen {
        match (greeting, &self.lasting) {
            (Greeting::Salt(salt), _) => {
                Chosen { key: Key::two_party(salt, self.salt, attempt), is_fresh: false }
            }
            (Greeting::Shared, Some(key)) if attempt == 0 => Chosen { key: **key, is_fresh: false },
            (Greeting::Shared | Greeting::Apart, _) => {
                Chosen { key: Key::fallback(self.salt, attempt), is_fresh: true }
            }
        }
    }

    /// Responder: the key of what came with a greeting; none where the ends do not share one, and what came tells
    /// nothing.
    pub fn of_greeting(&self, greeting: Greeting) -> Option<Key> {
        match greeting {
            Greeting::Salt(salt) => Some(Key::one_party(salt)),
            Greeting::Shared => self.lasting.as_deref().copied(),
            Greeting::Apart => None,
        }
    }

    /// Initiator: the key of what it sends before it hears anything, such as an estimator.
    pub fn before(&self) -> Key {
        self.lasting.as_deref().copied().unwrap_or_else(|| Key::one_party(self.salt))
    }

    /// Whether a key is the lasting one.
    pub fn lasts(&self, key: &Key) -> bool {
        self.lasting.as_deref() == Some(key)
    }
}
