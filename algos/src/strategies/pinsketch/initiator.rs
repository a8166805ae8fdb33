//! The end that decodes.

use super::engine::merge;
use super::parts::{Choice, Parts};
use super::sizing::{HALVE_FROM, Work};
use super::tree::{Tree, put_failed};
use super::{Keyed, Size, Task, grown, odd_count, tag};
use crate::close::{ByShort, Claim, TAG_VERDICT, read_verdict};
use crate::dialog::{Dialog, Out};
use crate::kept::Ids;
use crate::salt::{Key, Salt};
use crate::session::{Reason, SessionError};
use crate::wire::{Draft, Purpose, RETRIES_MAX, Reader, SET_LEN_MAX, SYMBOLS_MAX, WireError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Said hello.
    Greeting,
    /// Asked for more of the sketch.
    Growing,
    /// Sent a claim.
    Claimed,
}

/// The overfull parts of a sketch, taken apart.
struct Halving {
    tree: Tree,
    /// Of the parts that failed: the sketch of the difference.
    overfull: Vec<Vec<u8>>,
    /// What the other parts held.
    found: Vec<u64>,
}

/// A sketch in parts.
struct Parted {
    parts: Parts,
    /// Of the parts that have not been decoded: the sketches of the difference.
    difference: Vec<u8>,
    /// What the other parts held.
    found: Vec<u64>,
}

pub struct Initiator {
    task: Task,
    phase: Phase,
    peer_salt: Option<Salt>,
    /// Fresh keys after the first.
    rekeys: u32,
    mine: Option<Keyed>,
    /// What the peer put into its sketch and did not cancel there.
    theirs_len: u64,
    capacity: u64,
    /// The sketch of the difference.
    difference: Vec<u8>,
    halving: Option<Halving>,
    parted: Option<Parted>,
    claim: Claim,
}

impl Initiator {
    pub fn new(task: Task) -> Self {
        Self {
            task,
            phase: Phase::Greeting,
            peer_salt: None,
            rekeys: 0,
            mine: None,
            theirs_len: 0,
            capacity: 0,
            difference: Vec::new(),
            halving: None,
            parted: None,
            claim: Claim::default(),
        }
    }

    fn mine(&self) -> Result<&Keyed, SessionError> {
        self.mine.as_ref().ok_or(SessionError::Protocol("no sketch yet"))
    }

    /// The responder's first sketch under a key.
    fn hear_sketch(&mut self, is_fresh: bool, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        let key = match (self.task.keys.lasting.as_deref(), self.peer_salt) {
            (Some(_), _) if is_fresh => Key::fallback(Salt::read(&mut reader)?, self.rekeys),
            (Some(key), _) => *key,
            (None, Some(salt)) => Key::two_party(self.task.keys.salt, salt, self.rekeys),
            (None, None) => {
                let salt = *self.peer_salt.insert(Salt::read(&mut reader)?);
                Key::two_party(self.task.keys.salt, salt, self.rekeys)
            }
        };
        self.theirs_len = reader.varint_max("sketched ids", SET_LEN_MAX)?;
        self.capacity = reader.varint_max("capacity", SYMBOLS_MAX)?;
        let choice = self.task.parts;
        let parts_len = if choice.is_plural() { reader.varint_max("parts", SYMBOLS_MAX)? } else { 1 };
        let fits = choice == Choice::Auto || parts_len == 1 || choice == Choice::Fixed(parts_len);
        let most = SYMBOLS_MAX.checked_div(self.capacity).unwrap_or(1);
        if parts_len == 0 || parts_len > most || !fits {
            return Err(WireError::BadValue { what: "parts", value: parts_len }.into());
        }
        let len = self.task.field.len(self.capacity) * parts_len as usize;
        let theirs = reader.bytes("sketch", len)?.to_vec();
        let seal: Option<[u8; 8]> = (self.capacity == 0).then(|| reader.array("set hash")).transpose()?;
        reader.finish()?;

        self.halving = None;
        self.parted = None;
        let mine = self.mine.insert(self.task.keyed(key));
        if let Some(theirs) = seal {
            out.attempt();
            if mine.seal_without(&[]) == theirs {
                out.say(crate::close::verdict_draft(true));
                out.finish();
                return Ok(());
            }
            return self.ask_for_more(&[], out);
        }
        if let (true, Ids::Fresh(ids)) = (parts_len > 1, &mine.ids) {
            let parts = Parts::new(self.task.field, parts_len, self.capacity, ids);
            let Some(mut difference) = self.task.sketches(&parts, 0, out) else { return Ok(()) };
            merge(&mut difference, &theirs);
            self.parted = Some(Parted { parts, difference, found: Vec::new() });
            return self.decode_parts(out);
        }
        let own = self.task.own_sketch(self.mine()?, self.capacity, out);
        let Some(mut difference) = own else { return Ok(()) };
        merge(&mut difference, &theirs);
        self.difference = difference;
        self.decode(out)
    }

    fn hear_more(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        if self.parted.is_some() {
            self.hear_more_of_parts(body, out)
        } else if self.halving.is_some() {
            self.hear_halves(body, out)
        } else {
            self.hear_syndromes(body, out)
        }
    }

    /// The further syndromes of the sketch.
    fn hear_syndromes(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let capacity = grown(self.capacity);
        let known = self.task.field.len(self.capacity);
        if body.len() != self.task.field.len(capacity) - known {
            return Err(SessionError::Protocol("not the syndromes that were asked for"));
        }
        // No engine goes on where a sketch stopped: all of it is made again.
        let Some(mut own) = self.task.own_sketch(self.mine()?, capacity, out) else { return Ok(()) };
        merge(&mut own[known..], body);
        self.difference.extend_from_slice(&own[known..]);
        self.capacity = capacity;
        self.decode(out)
    }

    /// Decodes the whole difference.
    fn decode(&mut self, out: &mut Out) -> Result<(), SessionError> {
        out.attempt();
        let mine = self.mine()?;
        let lead = odd_count(mine) as i64 - self.theirs_len as i64;
        // The sizes say how many of so many differences are ours.
        let ours = |d: usize| usize::try_from((d as i64 + lead) / 2).unwrap_or(0).min(d);
        let own = || mine.ids.shorts();
        let decoded = self.task.field.decode_with(
            &self.difference,
            self.capacity,
            mine.ids.len(),
            own,
            ours,
            self.task.roots_seed,
        );
        // How many of what was found are ours and how many theirs must explain the sizes. Nonsense is
        // hardly ever one of our ids, so this sees through it unless the peer alone has differences.
        let balance = |shorts: &[u64]| -> i64 {
            let ours = |short: &u64| mine.ids.count(*short) % 2 == 1;
            shorts.iter().map(|short| if ours(short) { 1 } else { -1 }).sum()
        };
        match decoded {
            Some(shorts) if balance(&shorts) == lead => self.say_claim(shorts, out),
            _ => self.ask_for_more(&[], out),
        }
    }

    fn say_claim(&mut self, shorts: Vec<u64>, out: &mut Out) -> Result<(), SessionError> {
        let mine = self.mine()?;
        let claim = mine.sort_out(shorts);
        out.say(claim.draft(mine));
        self.claim = claim;
        self.phase = Phase::Claimed;
        Ok(())
    }

    /// It did not decode: more syndromes, or the halves of what `failed` (nothing: of the whole).
    fn ask_for_more(&mut self, failed: &[bool], out: &mut Out) -> Result<(), SessionError> {
        out.failure();
        out.retry();
        let mine = self.mine.as_ref().ok_or(SessionError::Protocol("no sketch yet"))?;
        let encode = mine.ids.len() as u64;
        let work = if failed.is_empty() && self.capacity < HALVE_FROM {
            Work { field: self.task.field, capacity: grown(self.capacity), encode, decode: 1 }
        } else {
            let halving = self.halving.get_or_insert_with(|| {
                let overfull = vec![std::mem::take(&mut self.difference)];
                Halving { tree: Tree::new(mine.key, &mine.ids), overfull, found: Vec::new() }
            });
            if halving.tree.is_deepest() {
                out.give_up(Reason::Undecodable);
                return Ok(());
            }
            halving.tree.descend(if failed.is_empty() { &[true] } else { failed });
            let decode = halving.tree.len() as u64;
            Work { field: self.task.field, capacity: self.capacity, encode, decode }
        };
        if self.task.affords(work, out) {
            let mut draft = Draft::new(tag::GROW);
            draft.put(Purpose::Control, |body| put_failed(body, failed));
            out.say(draft);
            self.phase = Phase::Growing;
        }
        Ok(())
    }

    /// Decodes the parts that are left, and asks for more of those that are overfull.
    fn decode_parts(&mut self, out: &mut Out) -> Result<(), SessionError> {
        let parted = self.parted.as_mut().ok_or(SessionError::Protocol("there are no parts"))?;
        let Parted { parts, difference, found } = parted;
        let (field, capacity) = (self.task.field, parts.capacity());
        let decoded = field.decode_many(difference, capacity, &parts.own(), self.task.roots_seed);
        let len = field.len(capacity);
        let (mut failed, mut left) = (Vec::with_capacity(parts.len()), Vec::new());
        for (place, decoded) in decoded.into_iter().enumerate() {
            out.attempt();
            match decoded {
                Some(shorts) if shorts.iter().all(|short| parts.is_in(place, *short)) => {
                    found.extend(shorts);
                    failed.push(false);
                }
                _ => {
                    out.failure();
                    left.extend_from_slice(&difference[place * len..][..len]);
                    failed.push(true);
                }
            }
        }
        if left.is_empty() {
            let shorts = std::mem::take(found);
            return self.say_claim(shorts, out);
        }
        *difference = left;
        parts.grow(&failed);
        out.retry();
        let work = parts.work();
        if self.task.affords(work, out) {
            let mut draft = Draft::new(tag::GROW);
            draft.put(Purpose::Control, |body| put_failed(body, &failed));
            out.say(draft);
            self.phase = Phase::Growing;
        }
        Ok(())
    }

    /// The further syndromes of the parts that were overfull.
    fn hear_more_of_parts(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let parted = self.parted.as_mut().ok_or(SessionError::Protocol("there are no parts"))?;
        let (field, capacity) = (self.task.field, parted.parts.capacity());
        let (known, len) = (field.len(capacity / 2), field.len(capacity));
        if body.len() != (len - known) * parted.parts.len() {
            return Err(SessionError::Protocol("not the syndromes that were asked for"));
        }
        let Some(mut further) = self.task.sketches(&parted.parts, capacity / 2, out) else { return Ok(()) };
        merge(&mut further, body);
        let pieces = parted.difference.chunks_exact(known).zip(further.chunks_exact(len - known));
        parted.difference = pieces.flat_map(|(first, further)| [first, further].concat()).collect();
        self.decode_parts(out)
    }

    /// The left halves of what was overfull.
    fn hear_halves(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let (field, capacity) = (self.task.field, self.capacity);
        let halving = self.halving.as_mut().ok_or(SessionError::Protocol("nothing was halved"))?;
        let len = field.len(capacity);
        if body.len() != len * halving.overfull.len() {
            return Err(SessionError::Protocol("not the halves that were asked for"));
        }
        let mut failed = Vec::with_capacity(halving.tree.len());
        let whole = std::mem::take(&mut halving.overfull);
        for (i, (mut right, theirs)) in whole.into_iter().zip(body.chunks_exact(len)).enumerate() {
            let own = field.sketch(capacity, halving.tree.ids(2 * i));
            let Some(mut left) = self.task.built(own, out) else { return Ok(()) };
            merge(&mut left, theirs);
            merge(&mut right, &left);
            for (part, half) in [(2 * i, left), (2 * i + 1, right)] {
                out.attempt();
                match field.decode(&half, capacity, self.task.roots_seed) {
                    Some(shorts) if shorts.iter().all(|short| halving.tree.is_in(part, *short)) => {
                        halving.found.extend(shorts);
                        failed.push(false);
                    }
                    _ => {
                        // One round trip for all of them, but each failed on its own.
                        if failed.contains(&true) {
                            out.failure();
                        }
                        halving.overfull.push(half);
                        failed.push(true);
                    }
                }
            }
        }
        if failed.contains(&true) {
            return self.ask_for_more(&failed, out);
        }
        let shorts = std::mem::take(&mut halving.found);
        self.say_claim(shorts, out)
    }

    /// What answers a claim that does not hold: the responder goes on by itself.
    fn claim_refused(&mut self, out: &mut Out) {
        out.failure();
        out.retry();
        self.claim = Claim::default();
    }
}

impl Dialog for Initiator {
    fn open(&mut self, out: &mut Out) {
        let mut draft = Draft::new(tag::HELLO);
        self.task.keys.put_greeting(&mut draft);
        draft.varint(Purpose::Control, self.task.len());
        if self.task.size == Size::Tow {
            let tow = self.task.tow(self.task.keys.before());
            draft.put(Purpose::Estimator, |body| tow.write(body));
        }
        out.say(draft);
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let lasting = self.task.keys.lasting.is_some();
        match (tag, self.phase) {
            (tag::ALL, Phase::Greeting) => {
                Reader::new(body).finish()?;
                self.task.own.report_all(out);
                out.finish();
            }
            (TAG_VERDICT, Phase::Greeting) if self.task.len() == 0 && read_verdict(body)? => {
                out.finish();
            }
            (tag::SKETCH, Phase::Greeting) => self.hear_sketch(false, body, out)?,
            (tag::FRESH, Phase::Greeting) if lasting => self.hear_sketch(true, body, out)?,
            (tag::SKETCH | tag::FRESH, Phase::Claimed) if lasting == (tag == tag::FRESH) => {
                self.claim_refused(out);
                self.rekeys += 1;
                if self.rekeys > RETRIES_MAX {
                    return Err(SessionError::Protocol("more retries than allowed"));
                }
                self.hear_sketch(lasting, body, out)?;
            }
            (tag::MORE, Phase::Growing) => self.hear_more(body, out)?,
            (tag::MORE, Phase::Claimed)
                if self.parted.is_none() && self.halving.is_none() && self.capacity < HALVE_FROM =>
            {
                self.claim_refused(out);
                self.hear_syndromes(body, out)?;
            }
            (TAG_VERDICT, Phase::Claimed) if read_verdict(body)? => {
                self.claim.report(self.mine()?, out);
                out.finish();
            }
            (tag, _) => return Err(SessionError::Unexpected { tag }),
        }
        Ok(())
    }
}
