//! The responder's side: it sizes the first table, makes tables, and checks the claim.

use super::table::{HASHES_MAX, Shape, Table};
use super::{
    Chosen, End, Greeting, Size, TAG_ALL, TAG_CELLS, TAG_FRESH, TAG_HELLO, TAG_MORE, TAG_TABLE, sizing,
};
use crate::close::{TAG_CLAIM, verdict_draft};
use crate::dialog::{Dialog, Out};
use crate::estimate::strata::{self, Strata};
use crate::estimate::tow::{self, Tow};
use crate::session::{DiffHint, Reason, SessionError};
use crate::wire::{Draft, MESSAGE_LEN_MAX, Purpose, RETRIES_MAX, Reader, SET_LEN_MAX, WireError};

/// The responder.
pub(super) struct Answering {
    end: End,
    diff: DiffHint,
    /// None before hello.
    greeting: Option<Greeting>,
}

impl Answering {
    /// Waits for the initiator. `diff` is for `size=oracle`.
    pub fn new(end: End, diff: DiffHint) -> Self {
        Self { end, diff, greeting: None }
    }

    fn hear_hello(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        let greeting = self.end.keys.hear_greeting(&mut reader)?;
        let peer_len = reader.varint_max("set size", SET_LEN_MAX)?;
        self.end.peer_len = peer_len;
        self.greeting = Some(greeting);
        if peer_len == 0 {
            reader.finish()?;
            self.end.own.report_all(out);
            out.say(verdict_draft(true));
            out.finish();
            return Ok(());
        }
        let cells = self.first_cells(&mut reader, greeting, peer_len, out)?;
        reader.finish()?;
        if self.end.len() == 0 {
            out.say(Draft::new(TAG_ALL));
            out.finish();
            return Ok(());
        }
        self.first_table(greeting, cells, out)
    }

    /// Reads the estimator and says how many cells the first table should have.
    fn first_cells(
        &self,
        reader: &mut Reader<'_>,
        greeting: Greeting,
        peer_len: u64,
        out: &mut Out,
    ) -> Result<u64, SessionError> {
        let cells_for =
            |d| sizing::cells_for(self.end.bounded(d), self.end.params.hashes, self.end.params.place);
        let inflated = |d: u64, percent: u64| d.saturating_mul(percent).div_ceil(100);
        // With an empty set here there will be no table, and what was counted under a key that we lack tells nothing; but
        // what the peer sent is still read.
        let key = self.end.keys.of_greeting(greeting).filter(|_| self.end.len() > 0);
        Ok(match self.end.params.size {
            Size::Tow => {
                let theirs = Tow::read(reader, peer_len)?;
                let Some(key) = key else { return Ok(sizing::CELLS_UNKNOWN) };
                let d = theirs.estimate(&self.end.tow(key));
                out.estimate(d);
                cells_for(inflated(d, tow::INFLATION_PERCENT))
            }
            Size::Strata => {
                let theirs = Strata::read(reader, peer_len)?;
                let Some(key) = key else { return Ok(sizing::CELLS_UNKNOWN) };
                let set = self.end.own.sorted();
                let d = theirs.estimate(&Strata::new(set.items().iter().map(|item| &item.id), &key), &key);
                out.estimate(d);
                cells_for(inflated(d, strata::INFLATION_PERCENT))
            }
            Size::Own => cells_for(0).max(sizing::CELLS_UNKNOWN),
            Size::Oracle => match self.diff {
                DiffHint::Oracle(d) => cells_for(d),
                DiffHint::Unknown => cells_for(0).max(sizing::CELLS_UNKNOWN),
            },
        })
    }

    /// Says the first table of an attempt.
    fn first_table(&mut self, greeting: Greeting, cells: u64, out: &mut Out) -> Result<(), SessionError> {
        let Chosen { key, is_fresh } = self.end.keys.choose(greeting, self.end.attempt);
        self.end.rekey(key);
        let mut draft = Draft::new(if is_fresh { TAG_FRESH } else { TAG_TABLE });
        let first = self.end.attempt == 0;
        if is_fresh || (first && self.end.keys.lasting.is_none()) {
            draft.bytes(Purpose::Salt, &self.end.keys.salt.to_bytes());
        }
        if first {
            draft.varint(Purpose::Control, self.end.len());
        }
        let Some(shape) = self.end.shape(self.end.cells_kept(cells), self.end.params.hashes) else {
            out.give_up(Reason::HeapBudget);
            return Ok(());
        };
        draft.varint(Purpose::Control, u64::from(shape.cells));
        out.capacity(u64::from(shape.cells));
        self.say_cells(draft, shape, out)
    }

    fn say_cells(&self, mut draft: Draft, shape: Shape, out: &mut Out) -> Result<(), SessionError> {
        let coding = self.end.coding(self.end.keyed()?.key);
        if Table::len_min(u64::from(shape.cells), &coding) > MESSAGE_LEN_MAX as u64 {
            out.give_up(Reason::HeapBudget);
            return Ok(());
        }
        let table = self.end.table(shape)?;
        draft.put(Purpose::Sketch, |body| table.write(body, self.end.len(), &coding));
        if draft.body_len() > MESSAGE_LEN_MAX {
            out.give_up(Reason::HeapBudget);
            return Ok(());
        }
        out.say(draft);
        Ok(())
    }

    fn hear_more(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        let items = self.end.len() + self.end.peer_len;
        let params = self.end.params;
        let max = sizing::next_cells_max(items, params.hashes, params.place, self.end.cells);
        let cells = reader.varint_max("cells", max)?;
        let hashes = u32::from(reader.u8("hashes")?);
        reader.finish()?;
        if !(1..=HASHES_MAX as u32).contains(&hashes) {
            return Err(WireError::BadValue { what: "hashes", value: u64::from(hashes) }.into());
        }
        if cells <= u64::from(hashes) {
            return Err(WireError::BadValue { what: "cells", value: cells }.into());
        }
        if out.retries() == RETRIES_MAX {
            return Err(SessionError::Protocol("more retries than allowed"));
        }
        out.retry();
        match self.end.shape(cells, hashes) {
            Some(shape) => self.say_cells(Draft::new(TAG_CELLS), shape, out),
            None => {
                out.give_up(Reason::HeapBudget);
                Ok(())
            }
        }
    }

    fn hear_claim(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mine = self.end.keyed()?;
        if let Some(haves) = mine.check_claim(body)? {
            mine.report_haves(&haves, out);
            out.say(verdict_draft(true));
            out.finish();
            return Ok(());
        }
        if out.retries() == RETRIES_MAX {
            out.give_up(Reason::Undecodable);
            return Ok(());
        }
        out.retry();
        out.say(verdict_draft(false));
        // What peeled once peels again; no cells at all (d seemed to be 0) are not enough, though.
        let cells = self.end.cells.max(sizing::CELLS_UNKNOWN);
        let greeting = self.greeting.ok_or(SessionError::Protocol("no salts were exchanged"))?;
        self.end.attempt += 1;
        self.first_table(greeting, cells, out)
    }
}

impl Dialog for Answering {
    fn open(&mut self, _out: &mut Out) {}

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        match (tag, self.greeting.is_some()) {
            (TAG_HELLO, false) => self.hear_hello(body, out),
            (TAG_MORE, true) => self.hear_more(body, out),
            (TAG_CLAIM, true) => self.hear_claim(body, out),
            (tag, _) => Err(SessionError::Unexpected { tag }),
        }
    }
}
