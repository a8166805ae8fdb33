//! The end that sketches.

use super::parts::{self, Parts};
use super::sizing::{HALVE_FROM, Work, differences, from_estimate, without_estimate};
use super::tree::{Tree, take_failed};
use super::{Keyed, Size, Task, grown, odd_count, tag};
use crate::bits::take_sorted;
use crate::close::{TAG_CLAIM, TAG_VERDICT, read_verdict, verdict_draft};
use crate::dialog::{Dialog, Out};
use crate::estimate::tow::Tow;
use crate::greeting::{Chosen, Greeting};
use crate::kept::Ids;
use crate::session::{DiffHint, Reason, SessionError};
use crate::wire::{Draft, Purpose, RETRIES_MAX, Reader, SET_LEN_MAX, WireError};

pub struct Responder {
    task: Task,
    greeting: Option<Greeting>,
    peer_len: u64,
    /// Fresh keys after the first.
    rekeys: u32,
    /// Nothing before the hello.
    mine: Option<Keyed>,
    /// Sketches under each key, and the capacity of each of them at first.
    parts_len: u64,
    capacity: u64,
    tree: Option<Tree>,
    parts: Option<Parts>,
}

impl Responder {
    pub fn new(task: Task) -> Self {
        Self {
            task,
            greeting: None,
            peer_len: 0,
            rekeys: 0,
            mine: None,
            parts_len: 1,
            capacity: 0,
            tree: None,
            parts: None,
        }
    }

    fn mine(&self) -> Result<&Keyed, SessionError> {
        self.mine.as_ref().ok_or(SessionError::Protocol("no hello yet"))
    }

    fn hear_hello(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        let greeting = self.task.keys.hear_greeting(&mut reader)?;
        self.greeting = Some(greeting);
        self.peer_len = reader.varint_max("set size", SET_LEN_MAX)?;
        let tow = (self.task.size == Size::Tow).then(|| Tow::read(&mut reader, self.peer_len)).transpose()?;
        reader.finish()?;

        let lens = [self.peer_len, self.task.len()];
        if lens[0] == 0 {
            self.task.own.report_all(out);
            out.say(verdict_draft(true));
            out.finish();
            return Ok(());
        }
        if lens[1] == 0 {
            out.say(Draft::new(tag::ALL));
            out.finish();
            return Ok(());
        }
        let (whole, parted) =
            match (tow.zip(self.task.keys.of_greeting(greeting)), self.task.size, self.task.hint) {
                (Some((theirs, key)), ..) => {
                    let estimate = self.task.tow(key).estimate(&theirs);
                    out.estimate(estimate);
                    let whole = from_estimate(estimate, lens, self.task.field.bits(), self.task.pad_bits);
                    (whole, differences(estimate, lens))
                }
                (None, Size::Oracle, DiffHint::Oracle(d)) => [d.min(lens[0] + lens[1]); 2].into(),
                _ => [without_estimate(lens); 2].into(),
            };
        self.parts_len = self.task.parts.count(parted);
        self.capacity = if self.parts_len > 1 { parts::capacity(parted, self.parts_len) } else { whole };
        self.say_sketch(true, out)
    }

    /// The first sketch under a key; the salt goes in front if the peer does not have it yet.
    fn say_sketch(&mut self, first: bool, out: &mut Out) -> Result<(), SessionError> {
        let greeting = self.greeting.ok_or(SessionError::Protocol("no salt was exchanged"))?;
        let Chosen { key, is_fresh } = self.task.keys.choose(greeting, self.rekeys);
        self.mine = Some(self.task.keyed(key));
        self.tree = None;
        self.parts = None;
        let mine = self.mine()?;
        let parts = match &mine.ids {
            Ids::Fresh(ids) if self.parts_len > 1 => {
                Some(Parts::new(self.task.field, self.parts_len, self.capacity, ids))
            }
            _ => None,
        };
        let sketch = match &parts {
            Some(parts) => self.task.sketches(parts, 0, out),
            None => self.task.own_sketch(mine, self.capacity, out),
        };
        let Some(sketch) = sketch else { return Ok(()) };
        let mut draft = Draft::new(if is_fresh { tag::FRESH } else { tag::SKETCH });
        if is_fresh || (first && self.task.keys.lasting.is_none()) {
            draft.bytes(Purpose::Salt, &self.task.keys.salt.to_bytes());
        }
        draft.varint(Purpose::Control, odd_count(mine));
        draft.varint(Purpose::Control, self.capacity);
        if self.task.parts.is_plural() {
            draft.varint(Purpose::Control, self.parts_len);
        }
        out.capacity(self.capacity * self.parts_len);
        draft.bytes(Purpose::Sketch, &sketch);
        if self.capacity == 0 {
            draft.bytes(Purpose::Control, &mine.seal_without(&[]));
        }
        out.say(draft);
        self.parts = parts;
        Ok(())
    }

    fn hear_grow(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        out.retry();
        if self.parts.is_some() {
            return self.say_more_of_parts(body, out);
        }
        if self.tree.is_none() && self.capacity < HALVE_FROM {
            Reader::new(body).finish()?;
            return self.say_syndromes(out);
        }
        let failed = match &self.tree {
            Some(tree) => take_failed(body, tree.len())?,
            None => {
                Reader::new(body).finish()?;
                let mine = self.mine()?;
                self.tree = Some(Tree::new(mine.key, &mine.ids));
                vec![true]
            }
        };
        self.say_halves(&failed, out)
    }

    /// What doubles the capacity.
    fn say_syndromes(&mut self, out: &mut Out) -> Result<(), SessionError> {
        let known = self.task.field.len(self.capacity);
        let capacity = grown(self.capacity);
        let Some(sketch) = self.task.own_sketch(self.mine()?, capacity, out) else { return Ok(()) };
        self.capacity = capacity;
        let mut draft = Draft::new(tag::MORE);
        draft.bytes(Purpose::Sketch, &sketch[known..]);
        out.say(draft);
        Ok(())
    }

    /// What doubles the capacity of the parts that failed.
    fn say_more_of_parts(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let parts = self.parts.as_mut().ok_or(SessionError::Protocol("there are no parts"))?;
        let failed = take_failed(body, parts.len())?;
        let overfull = failed.iter().filter(|failed| **failed).count() as u64;
        let own_len = self.task.len();
        let known = parts.capacity();
        if overfull * (known + 1) > self.peer_len + own_len {
            return Err(SessionError::Protocol("more parts failed than can differ"));
        }
        parts.grow(&failed);
        let Some(sketches) = self.task.sketches(parts, known, out) else { return Ok(()) };
        let mut draft = Draft::new(tag::MORE);
        draft.bytes(Purpose::Sketch, &sketches);
        out.say(draft);
        Ok(())
    }

    /// The left half of every part that failed.
    fn say_halves(&mut self, failed: &[bool], out: &mut Out) -> Result<(), SessionError> {
        let own_len = self.task.len();
        let tree = self.tree.as_mut().ok_or(SessionError::Protocol("nothing to halve"))?;
        // More than the capacity differ in each part that failed, and all of them are somebody's.
        let overfull = failed.iter().filter(|failed| **failed).count() as u64;
        if overfull * (self.capacity + 1) > self.peer_len + own_len {
            return Err(SessionError::Protocol("more parts failed than can differ"));
        }
        if tree.is_deepest() {
            out.give_up(Reason::Undecodable);
            return Ok(());
        }
        tree.descend(failed);
        let decode = tree.len() as u64;
        let work = Work { field: self.task.field, capacity: self.capacity, encode: own_len, decode };
        if !self.task.affords(work, out) {
            return Ok(());
        }
        let mut draft = Draft::new(tag::MORE);
        for left in (0..tree.len()).step_by(2) {
            let sketch = self.task.field.sketch(self.capacity, tree.ids(left));
            let Some(sketch) = self.task.built(sketch, out) else { return Ok(()) };
            draft.bytes(Purpose::Sketch, &sketch);
        }
        out.say(draft);
        Ok(())
    }

    fn hear_claim(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mine = self.mine()?;
        if let Some(haves) = mine.check_claim(body)? {
            mine.report_haves(&haves, out);
            out.say(verdict_draft(true));
            out.finish();
            return Ok(());
        }
        out.retry();
        let nonsense = asks_for_unknown(mine, body)?;
        if nonsense && self.parts.is_none() && self.tree.is_none() && self.capacity < HALVE_FROM {
            return self.say_syndromes(out);
        }
        if self.rekeys == RETRIES_MAX {
            out.give_up(Reason::Undecodable);
            return Ok(());
        }
        self.rekeys += 1;
        self.say_sketch(false, out)
    }
}

/// Whether a claim that does not hold asks for what is not there. Then it came of nonsense and the capacity
/// is too small; else short ids collided and the key is at fault.
fn asks_for_unknown(mine: &Keyed, body: &[u8]) -> Result<bool, WireError> {
    let mut reader = Reader::new(body);
    let count = reader.count("needed ids", 1)?;
    let (needs, _) = take_sorted("needed ids", reader.rest(), count, mine.bits)?;
    Ok(needs.iter().any(|need| mine.ids.count(*need) == 0))
}

impl Dialog for Responder {
    fn open(&mut self, _out: &mut Out) {}

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        match tag {
            tag::HELLO if self.mine.is_none() => self.hear_hello(body, out),
            tag::GROW if self.mine.is_some() => self.hear_grow(body, out),
            TAG_CLAIM if self.mine.is_some() && self.capacity > 0 => self.hear_claim(body, out),
            // The answer to an empty sketch with its set hash: equal.
            TAG_VERDICT if self.mine.is_some() && self.capacity == 0 && read_verdict(body)? => {
                out.finish();
                Ok(())
            }
            tag => Err(SessionError::Unexpected { tag }),
        }
    }
}
