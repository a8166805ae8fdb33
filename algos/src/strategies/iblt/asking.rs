//! The initiator's side: it subtracts, peels, asks for more, and claims.

use super::table::{Shape, Table, estimate, peel};
use super::{End, Size, TAG_ALL, TAG_CELLS, TAG_FRESH, TAG_HELLO, TAG_MORE, TAG_TABLE, sizing};
use crate::close::{Claim, TAG_VERDICT, read_verdict};
use crate::dialog::{Dialog, Out};
use crate::estimate::strata::Strata;
use crate::salt::{Key, Salt};
use crate::session::{Reason, SessionError};
use crate::wire::{Draft, Purpose, RETRIES_MAX, Reader, SET_LEN_MAX, SYMBOLS_MAX, WireError};

/// What was asked for last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// For the first answer.
    Hello,
    /// For the first table under a fresh key.
    Table,
    /// For a further table.
    More(Shape),
    /// For the verdict on the claim.
    Verdict,
}

/// The initiator.
pub(super) struct Asking {
    end: End,
    phase: Asked,
    peer_salt: Option<Salt>,
    /// Differences of this attempt's tables, as they were before peeling.
    held: Vec<Table>,
    claim: Claim,
}

impl Asking {
    /// Waits to be opened.
    pub fn new(end: End) -> Self {
        Self { end, phase: Asked::Hello, peer_salt: None, held: Vec::new(), claim: Claim::default() }
    }

    /// Reads the first table of an attempt.
    fn hear_table(&mut self, is_fresh: bool, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        let key = match (self.end.keys.lasting.as_deref(), self.peer_salt) {
            (Some(_), _) if is_fresh => Key::fallback(Salt::read(&mut reader)?, self.end.attempt),
            (Some(key), _) => *key,
            (None, Some(salt)) => Key::two_party(self.end.keys.salt, salt, self.end.attempt),
            (None, None) => {
                let salt = *self.peer_salt.insert(Salt::read(&mut reader)?);
                Key::two_party(self.end.keys.salt, salt, self.end.attempt)
            }
        };
        if self.phase == Asked::Hello {
            self.end.peer_len = reader.varint_max("set size", SET_LEN_MAX)?;
        }
        self.end.rekey(key);
        let claimed = reader.varint_max("cells", SYMBOLS_MAX)?;
        if claimed > 0 && claimed <= u64::from(self.end.params.hashes) {
            return Err(WireError::BadValue { what: "cells", value: claimed }.into());
        }
        match self.end.shape(claimed, self.end.params.hashes) {
            Some(shape) => self.hear_cells(reader, shape, out),
            None => {
                out.give_up(Reason::HeapBudget);
                Ok(())
            }
        }
    }

    fn hear_cells(
        &mut self,
        mut reader: Reader<'_>,
        shape: Shape,
        out: &mut Out,
    ) -> Result<(), SessionError> {
        let mut theirs =
            Table::read(&mut reader, shape, self.end.peer_len, &self.end.coding(self.end.keyed()?.key))?;
        reader.finish()?;
        theirs.subtract(&self.end.table(shape)?);
        self.held.push(theirs);
        self.decode(out)
    }

    fn decode(&mut self, out: &mut Out) -> Result<(), SessionError> {
        if self.end.params.size == Size::Own && self.end.attempt == 0 && self.held.len() == 1 {
            out.estimate(estimate(&self.held));
        }
        out.attempt();
        let mine = self.end.keyed()?;
        let peeled = peel(&self.held, &self.end.coding(mine.key));
        let own = |short: &u64| mine.ids.count(*short) > 0;
        // What has my sign must be mine and what has the peer's must not: one more test of every sum, for free.
        let plausible = peeled.minus.iter().all(own) && !peeled.plus.iter().any(own);
        if peeled.complete && plausible {
            self.claim = mine.sort_out(peeled.plus.into_iter().chain(peeled.minus));
            out.say(self.claim.draft(mine));
            self.phase = Asked::Verdict;
            return Ok(());
        }
        out.failure();
        if out.retries() == RETRIES_MAX {
            out.give_up(Reason::Undecodable);
            return Ok(());
        }
        self.ask_more(peeled.count() as u64, out);
        Ok(())
    }

    /// Asks for one more table, sized by the counts of all so far.
    fn ask_more(&mut self, peeled: u64, out: &mut Out) {
        // At least two ids are left, or the last one would have come out. The estimate is inflated by a
        // quarter: about one deviation of a table of 40 cells, which was the cheapest in simulations.
        let d = estimate(&self.held).max(peeled + 2);
        let d = self.end.bounded(d.saturating_add(d / 4));
        let (hashes, cells) = sizing::next_table(d, self.end.params.hashes, self.end.cells, self.held.len());
        let Some(shape) = self.end.shape(self.end.cells_kept(cells), hashes) else {
            return out.give_up(Reason::HeapBudget);
        };
        out.retry();
        let mut draft = Draft::new(TAG_MORE);
        draft.varint(Purpose::Control, u64::from(shape.cells));
        draft.bytes(Purpose::Control, &[shape.hashes as u8]);
        out.say(draft);
        self.phase = Asked::More(shape);
    }

    fn hear_verdict(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        if read_verdict(body)? {
            if let Some(mine) = &self.end.mine {
                self.claim.report(mine, out);
            }
            out.finish();
            return Ok(());
        }
        out.failure();
        out.retry();
        if out.retries() > RETRIES_MAX {
            return Err(SessionError::Protocol("more retries than allowed"));
        }
        self.held.clear();
        self.end.attempt += 1;
        self.phase = Asked::Table;
        Ok(())
    }
}

impl Dialog for Asking {
    fn open(&mut self, out: &mut Out) {
        let mut draft = Draft::new(TAG_HELLO);
        self.end.keys.put_greeting(&mut draft);
        draft.varint(Purpose::Control, self.end.len());
        // Whoever holds nothing lacks all the peer has, and needs no estimate.
        if self.end.len() > 0 {
            let (end, key) = (&self.end, self.end.keys.before());
            draft.put(Purpose::Estimator, |body| match end.params.size {
                Size::Tow => end.tow(key).write(body),
                Size::Strata => {
                    let set = end.own.sorted();
                    Strata::new(set.items().iter().map(|item| &item.id), &key).write(body);
                }
                Size::Own | Size::Oracle => {}
            });
        }
        out.say(draft);
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let lasting = self.end.keys.lasting.is_some();
        match (tag, self.phase) {
            (TAG_ALL, Asked::Hello) => {
                Reader::new(body).finish()?;
                self.end.own.report_all(out);
                out.finish();
                Ok(())
            }
            (TAG_TABLE, Asked::Hello) => self.hear_table(false, body, out),
            (TAG_FRESH, Asked::Hello) if lasting => self.hear_table(true, body, out),
            (TAG_TABLE | TAG_FRESH, Asked::Table) if lasting == (tag == TAG_FRESH) => {
                self.hear_table(lasting, body, out)
            }
            (TAG_CELLS, Asked::More(shape)) => self.hear_cells(Reader::new(body), shape, out),
            (TAG_VERDICT, Asked::Verdict) => self.hear_verdict(body, out),
            // An empty initiator has nothing to check: the responder holds all that differs.
            (TAG_VERDICT, Asked::Hello) if self.end.len() == 0 && body == [1] => {
                out.finish();
                Ok(())
            }
            (tag, _) => Err(SessionError::Unexpected { tag }),
        }
    }
}
