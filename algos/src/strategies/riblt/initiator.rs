//! The end that decodes.

use super::decoder::{Decoder, Progress};
use super::symbol::{Name, Scheme};
use super::{End, Keyed, TAG_AGAIN, TAG_ALL, TAG_FRESH, TAG_HELLO, TAG_SYMBOLS};
use crate::close::{Claim, TAG_VERDICT, read_verdict};
use crate::dialog::{Dialog, Out};
use crate::salt::{Key, Salt};
use crate::session::{NeedRef, Reason, SessionError};
use crate::wire::{Draft, Purpose, RETRIES_MAX, Reader, SET_LEN_MAX, SYMBOLS_MAX};

/// What the responder said of itself with its first symbols.
#[derive(Clone, Copy)]
struct Peer {
    /// None where keys outlive sessions.
    salt: Option<Salt>,
    len: u64,
}

/// One attempt to decode.
struct Attempt<N> {
    peer: Peer,
    mine: Keyed<N>,
    scheme: Scheme,
    decoder: Decoder<N>,
}

/// What is reported once the responder agrees.
struct Claimed<N> {
    peer: Peer,
    mine: Keyed<N>,
    haves: Vec<u32>,
    needs: Vec<NeedRef>,
}

enum State<N> {
    /// Hello said.
    Greeting,
    /// Symbols arrive.
    Decoding(Box<Attempt<N>>),
    /// The claim is said; the verdict is awaited, and symbols that were under way are ignored.
    Claimed(Box<Claimed<N>>),
    /// Another stream is asked for; as above, but the verdict must be no.
    Stuck(Peer),
    /// The lasting key failed; a stream under a fresh one is announced.
    Failed(Peer),
}

/// See the module.
pub struct Initiator<N> {
    end: End<N>,
    state: State<N>,
}

impl<N: Name> Initiator<N> {
    /// Ready to say hello.
    pub fn new(end: End<N>) -> Self {
        Self { end, state: State::Greeting }
    }

    fn attempt(&self, key: Key, peer: Peer, out: &mut Out) -> Box<Attempt<N>> {
        out.attempt();
        let (mine, scheme, items) = self.end.rekey(key);
        Box::new(Attempt { peer, mine, scheme, decoder: Decoder::new(scheme, items) })
    }

    /// The key of this attempt, of both ends' salts.
    fn two_party(&self, peer: Salt, out: &Out) -> Key {
        Key::two_party(self.end.keys.salt, peer, out.retries())
    }

    fn hear_first(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        let (key, salt) = match self.end.keys.lasting.as_deref() {
            Some(_) if tag == TAG_FRESH => (Key::fallback(Salt::read(&mut reader)?, out.retries()), None),
            Some(key) => (*key, None),
            None => {
                let salt = Salt::read(&mut reader)?;
                (self.two_party(salt, out), Some(salt))
            }
        };
        let len = reader.varint_max("set size", SET_LEN_MAX)?;
        if len == 0 {
            return Err(SessionError::Protocol("symbols of an empty set"));
        }
        if let Some(reason) = self.end.over_budget(len, 1) {
            out.give_up(reason);
            return Ok(());
        }
        let attempt = self.attempt(key, Peer { salt, len }, out);
        self.decode(attempt, reader, out)
    }

    fn decode(
        &mut self,
        mut attempt: Box<Attempt<N>>,
        mut reader: Reader<'_>,
        out: &mut Out,
    ) -> Result<(), SessionError> {
        let Attempt { peer, mine, scheme, decoder } = &mut *attempt;
        let symbols_max = self.end.symbols_max(peer.len);
        if reader.left() == 0 {
            return Err(SessionError::Protocol("a message of no symbols"));
        }
        while reader.left() > 0 {
            for symbol in scheme.take(&mut reader)? {
                if decoder.received() == symbols_max {
                    return Err(SessionError::Protocol("more symbols than sets of these sizes warrant"));
                }
                let due = decoder.due().and_then(|symbols| self.end.over_budget(peer.len, symbols));
                if let Some(reason) = due {
                    out.give_up(reason);
                    return Ok(());
                }
                decoder.push(&symbol);
            }
        }
        match decoder.peel() {
            Progress::More if decoder.received() < symbols_max => {
                self.state = State::Decoding(attempt);
            }
            // Not bad luck, which another key would mend, but a difference too large for anybody.
            Progress::More if symbols_max == SYMBOLS_MAX => out.give_up(Reason::HeapBudget),
            Progress::More | Progress::Corrupt => {
                out.say(Draft::new(TAG_AGAIN));
                self.state = State::Stuck(*peer);
            }
            Progress::Decoded => {
                let named: Vec<(u64, N)> =
                    decoder.found().map(|name| (name.short(&scheme.key), name)).collect();
                let claim: Claim = mine.sort_out(named.iter().map(|(short, _)| *short));
                let needs = named
                    .iter()
                    .filter(|(short, _)| claim.needs.binary_search(short).is_ok())
                    .map(|(_, name)| name.need())
                    .collect();
                out.say(claim.draft(mine));
                let Attempt { peer, mine, .. } = *attempt;
                self.state = State::Claimed(Box::new(Claimed { peer, mine, haves: claim.haves, needs }));
            }
        }
        Ok(())
    }

    /// The responder starts another stream.
    fn again(&mut self, peer: Peer, out: &mut Out) -> Result<(), SessionError> {
        out.failure();
        out.retry();
        if out.retries() > RETRIES_MAX {
            return Err(SessionError::Protocol("more retries than allowed"));
        }
        self.state = match peer.salt {
            Some(salt) => State::Decoding(self.attempt(self.two_party(salt, out), peer, out)),
            None => State::Failed(peer),
        };
        Ok(())
    }
}

impl<N: Name> Dialog for Initiator<N> {
    /// Symbols arrive while the claim is being said. Nothing piles up: each state says one message.
    fn streams(&self) -> bool {
        true
    }

    fn open(&mut self, out: &mut Out) {
        let mut draft = Draft::new(TAG_HELLO);
        self.end.keys.put_greeting(&mut draft);
        draft.varint(Purpose::Control, self.end.len());
        out.say(draft);
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        match (tag, std::mem::replace(&mut self.state, State::Greeting)) {
            (TAG_SYMBOLS, State::Greeting) => self.hear_first(tag, body, out),
            (TAG_FRESH, State::Greeting) if self.end.keys.lasting.is_some() => {
                self.hear_first(tag, body, out)
            }
            (TAG_FRESH, State::Failed(peer)) => {
                let mut reader = Reader::new(body);
                let key = Key::fallback(Salt::read(&mut reader)?, out.retries());
                let attempt = self.attempt(key, peer, out);
                self.decode(attempt, reader, out)
            }
            (TAG_SYMBOLS, State::Decoding(attempt)) => self.decode(attempt, Reader::new(body), out),
            (TAG_SYMBOLS | TAG_FRESH, waiting @ (State::Claimed(_) | State::Stuck(_))) => {
                self.state = waiting;
                out.ignore();
                Ok(())
            }
            (TAG_VERDICT, State::Claimed(claimed)) => {
                if !read_verdict(body)? {
                    return self.again(claimed.peer, out);
                }
                claimed.mine.report_haves(&claimed.haves, out);
                for need in claimed.needs {
                    out.need(need);
                }
                out.finish();
                Ok(())
            }
            (TAG_VERDICT, State::Stuck(peer)) => {
                if read_verdict(body)? {
                    return Err(SessionError::Protocol("agreement to no claim"));
                }
                self.again(peer, out)
            }
            (TAG_ALL, State::Greeting) => {
                Reader::new(body).finish()?;
                self.end.own.report_all(out);
                out.finish();
                Ok(())
            }
            // An empty initiator has nothing to check: the responder holds all that differs.
            (TAG_VERDICT, State::Greeting) if self.end.len() == 0 && read_verdict(body)? => {
                out.finish();
                Ok(())
            }
            (tag, _) => Err(SessionError::Unexpected { tag }),
        }
    }
}
