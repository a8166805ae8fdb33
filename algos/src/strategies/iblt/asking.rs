//! The initiator's side: it subtracts, peels, asks for more, and claims.

use super::table::{Shape, Table, estimate, peel};
use super::{End, Size, TAG_ALL, TAG_CELLS, TAG_HELLO, TAG_MORE, TAG_TABLE, sizing};
use crate::close::{Claim, TAG_VERDICT, read_verdict};
use crate::dialog::{Dialog, Out};
use crate::estimate::strata::Strata;
use crate::estimate::tow::Tow;
use crate::salt::{Key, Salt};
use crate::session::{Reason, Role, SessionError};
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
    /// Differences of this attempt's tables, as they were before peeling.
    held: Vec<Table>,
    claim: Claim,
}

impl Asking {
    /// Waits to be opened.
    pub fn new(end: End) -> Self {
        Self { end, phase: Asked::Hello, held: Vec::new(), claim: Claim::default() }
    }

    /// Reads the first table of an attempt.
    fn hear_table(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        if self.phase == Asked::Hello {
            let salt = Salt::read(&mut reader)?;
            self.end.peer = Some((salt, reader.varint_max("set size", SET_LEN_MAX)?));
            self.end.rekey(Role::Initiator)?;
        }
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
        let mut theirs = Table::read(&mut reader, shape, self.end.peer_len(), &self.end.coding()?)?;
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
        let peeled = peel(&self.held, &self.end.coding()?);
        let mine = self.end.keyed()?;
        let own = |short: &u64| mine.ids.places(*short).next().is_some();
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
        let Some(shape) = self.end.shape(cells, hashes) else {
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
        self.end.next_attempt(Role::Initiator)?;
        self.phase = Asked::Table;
        Ok(())
    }
}

impl Dialog for Asking {
    fn open(&mut self, out: &mut Out) {
        let mut draft = Draft::new(TAG_HELLO);
        draft.bytes(Purpose::Salt, &self.end.salt.to_bytes());
        draft.varint(Purpose::Control, self.end.len());
        // Whoever holds nothing lacks all the peer has, and needs no estimate.
        if self.end.len() > 0 {
            let key = Key::one_party(self.end.salt);
            draft.put(Purpose::Estimator, |body| match self.end.params.size {
                Size::Tow => Tow::new(self.end.ids(), &key).write(body),
                Size::Strata => Strata::new(self.end.ids(), &key).write(body),
                Size::Own | Size::Oracle => {}
            });
        }
        out.say(draft);
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        match (tag, self.phase) {
            (TAG_ALL, Asked::Hello) => {
                Reader::new(body).finish()?;
                self.end.all_haves(out);
                out.finish();
                Ok(())
            }
            (TAG_TABLE, Asked::Hello | Asked::Table) => self.hear_table(body, out),
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
