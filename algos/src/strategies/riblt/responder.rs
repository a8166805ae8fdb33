//! The end that streams.

use super::encoder::Encoder;
use super::symbol::{Name, Scheme};
use super::{End, Keyed, TAG_AGAIN, TAG_ALL, TAG_FRESH, TAG_HELLO, TAG_SYMBOLS};
use crate::close::{TAG_CLAIM, verdict_draft};
use crate::dialog::{Dialog, Out};
use crate::greeting::{Chosen, Greeting};
use crate::session::{Reason, SessionError};
use crate::wire::{Draft, Purpose, RETRIES_MAX, Reader, SET_LEN_MAX};

/// What hello said.
#[derive(Clone, Copy)]
struct Peer {
    greeting: Greeting,
    len: u64,
}

/// One stream.
struct Stream<N> {
    peer: Peer,
    mine: Keyed<N>,
    /// Whether the peer is to be told a salt first.
    is_fresh: bool,
    scheme: Scheme,
    encoder: Encoder<N>,
}

/// See the module.
pub struct Responder<N> {
    end: End<N>,
    /// None until hello is heard.
    stream: Option<Stream<N>>,
    /// Whether the own salt and size are said.
    introduced: bool,
}

impl<N: Name> Responder<N> {
    /// Waiting for hello.
    pub fn new(end: End<N>) -> Self {
        Self { end, stream: None, introduced: false }
    }

    /// A stream from symbol 0 under the key of this attempt.
    fn start(&self, peer: Peer, out: &Out) -> Stream<N> {
        let Chosen { key, is_fresh } = self.end.keys.choose(peer.greeting, out.retries());
        let (mine, scheme, items) = self.end.rekey(key);
        Stream { peer, mine, is_fresh, scheme, encoder: Encoder::new(items) }
    }

    fn hear_hello(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        let greeting = self.end.keys.hear_greeting(&mut reader)?;
        let peer_len = reader.varint_max("set size", SET_LEN_MAX)?;
        reader.finish()?;
        if peer_len == 0 {
            self.end.own.report_all(out);
            out.say(verdict_draft(true));
            out.finish();
        } else if self.end.len() == 0 {
            out.say(Draft::new(TAG_ALL));
            out.finish();
        } else if let Some(reason) = self.end.over_budget(peer_len, 1) {
            out.give_up(reason);
        } else {
            self.stream = Some(self.start(Peer { greeting, len: peer_len }, out));
        }
        Ok(())
    }

    /// The stream led nowhere: says so, and starts another.
    fn again(&mut self, peer: Peer, out: &mut Out) {
        if out.retries() == RETRIES_MAX {
            return out.give_up(Reason::Undecodable);
        }
        out.retry();
        out.say(verdict_draft(false));
        self.stream = Some(self.start(peer, out));
    }
}

impl<N: Name> Dialog for Responder<N> {
    fn open(&mut self, _out: &mut Out) {}

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        match (tag, &self.stream) {
            (TAG_HELLO, None) => self.hear_hello(body, out),
            (TAG_CLAIM, Some(stream)) => {
                let agreed = stream.mine.check_claim(body)?;
                out.hush();
                let Some(haves) = agreed else {
                    let peer = stream.peer;
                    self.again(peer, out);
                    return Ok(());
                };
                stream.mine.report_haves(&haves, out);
                out.say(verdict_draft(true));
                out.finish();
                Ok(())
            }
            (TAG_AGAIN, Some(stream)) => {
                Reader::new(body).finish()?;
                out.hush();
                let peer = stream.peer;
                self.again(peer, out);
                Ok(())
            }
            (tag, _) => Err(SessionError::Unexpected { tag }),
        }
    }

    /// The claim arrives while symbols are under way.
    fn streams(&self) -> bool {
        self.stream.is_some()
    }

    /// The next symbols: `batch`, or an eighth (`grow`) of those sent if that is more, or what fits into a frame. So
    /// a stream of any length runs on for at most an eighth inside the message that completes it.
    fn pull(&mut self, out: &mut Out) {
        let Some(Stream { peer, is_fresh, scheme, encoder, .. }) = &mut self.stream else { return };
        let symbols_max = self.end.symbols_max(peer.len);
        if encoder.sent() == symbols_max {
            return;
        }
        let len = self.end.len();
        let says_salt = std::mem::take(is_fresh);
        let mut draft = Draft::new(if says_salt { TAG_FRESH } else { TAG_SYMBOLS });
        if says_salt || (self.end.keys.lasting.is_none() && !self.introduced) {
            draft.bytes(Purpose::Salt, &self.end.keys.salt.to_bytes());
        }
        if !self.introduced {
            self.introduced = true;
            draft.varint(Purpose::Control, len);
        }
        let first = encoder.sent();
        let fitting = scheme.fitting::<N>(self.end.message_len_max.saturating_sub(draft.body_len())).max(1);
        let last = (first + self.end.batch.max(first / self.end.grow).min(fitting)).min(symbols_max);
        let mut symbols = Vec::with_capacity((last - first) as usize);
        while encoder.sent() < last {
            let due = encoder.due().and_then(|symbols| self.end.over_budget(peer.len, symbols));
            if let Some(reason) = due {
                return out.give_up(reason);
            }
            symbols.push(*encoder.peek());
            encoder.advance();
        }
        draft.put(Purpose::Sketch, |body| scheme.put(&symbols, body));
        out.say(draft);
    }
}
