//! Records that wait to be sent, or to be sent again: the per-peer state of MVDS.

use std::collections::BTreeMap;

use crate::config::Backoff;

/// One record: its kind, how often it was sent, the next epoch at which it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<V> {
    /// What it is.
    pub value: V,
    /// Send count.
    pub sends: u32,
    /// Send epoch.
    pub epoch: u64,
}

/// Records by key, and a calendar of when each is due. A payload costs what it carries, not what waits: O(1) a
/// record sent, O(log n) one entered or removed.
#[derive(Debug)]
pub struct Records<K, V> {
    /// Records in slots, so that those of a date are found without a search by key.
    slots: Vec<(K, Record<V>)>,
    free: Vec<u32>,
    by_key: BTreeMap<K, u32>,
    /// Slots by the epoch at which they were due when they were entered; some are outdated.
    calendar: BTreeMap<u64, Vec<u32>>,
}

/// The epoch of a slot that is free: no calendar has it.
const FREE: u64 = u64::MAX;

impl<K, V> Default for Records<K, V> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), by_key: BTreeMap::new(), calendar: BTreeMap::new() }
    }
}

impl<K: Ord + Copy, V: Copy> Records<K, V> {
    /// Records that wait.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none wait.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// The record of a key.
    pub fn get(&self, key: K) -> Option<&Record<V>> {
        self.by_key.get(&key).map(|slot| &self.slots[*slot as usize].1)
    }

    /// Enters a record that was not sent yet, due at `epoch`; replaces one that is there.
    pub fn put(&mut self, key: K, value: V, epoch: u64) {
        let epoch = epoch.min(FREE - 1);
        let entry = (key, Record { value, sends: 0, epoch });
        let slot = match self.by_key.get(&key) {
            Some(&slot) => {
                let old = std::mem::replace(&mut self.slots[slot as usize], entry);
                if old.1.epoch == epoch {
                    return;
                }
                slot
            }
            None => {
                let slot = match self.free.pop() {
                    Some(slot) => {
                        self.slots[slot as usize] = entry;
                        slot
                    }
                    None => {
                        self.slots.push(entry);
                        self.slots.len() as u32 - 1
                    }
                };
                self.by_key.insert(key, slot);
                slot
            }
        };
        self.calendar.entry(epoch).or_default().push(slot);
    }

    /// Forgets a record.
    pub fn remove(&mut self, key: K) -> Option<Record<V>> {
        let slot = self.by_key.remove(&key)?;
        let record = &mut self.slots[slot as usize].1;
        let gone = *record;
        record.epoch = FREE;
        self.free.push(slot);
        if self.by_key.is_empty() {
            *self = Self::default();
        }
        Some(gone)
    }

    /// The greatest key.
    pub fn last_key(&self) -> Option<K> {
        self.by_key.last_key_value().map(|(key, _)| *key)
    }

    /// The epoch at which something may be due. Perhaps nothing is: a record can go while its date stays.
    pub fn next_epoch(&self) -> Option<u64> {
        self.calendar.first_key_value().map(|(epoch, _)| *epoch)
    }

    /// Hands out records that are due at `epoch`, earliest first, while `take` answers true, and dates each for
    /// its next sending. The date is rounded up to a quarter of the wait, so that records sent at different
    /// times come to share payloads.
    pub fn send_due(&mut self, epoch: u64, backoff: &Backoff, mut take: impl FnMut(K, &Record<V>) -> bool) {
        while let Some(mut entry) = self.calendar.first_entry().filter(|entry| *entry.key() <= epoch) {
            let date = *entry.key();
            let slots = std::mem::take(entry.get_mut());
            entry.remove();
            for (place, slot) in slots.iter().enumerate() {
                let (key, record) = &mut self.slots[*slot as usize];
                if record.epoch != date {
                    continue;
                }
                if !take(*key, record) {
                    self.calendar.entry(date).or_default().extend_from_slice(&slots[place..]);
                    return;
                }
                record.sends = record.sends.saturating_add(1);
                let wait = backoff.epochs(record.sends);
                record.epoch = epoch.saturating_add(wait).min(FREE / 2).next_multiple_of((wait / 4).max(1));
                self.calendar.entry(record.epoch).or_default().push(*slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff { first: 1, longest: 4, again: 2 };

    fn due(records: &mut Records<u32, char>, epoch: u64, most: usize) -> Vec<u32> {
        let mut taken = Vec::new();
        records.send_due(epoch, &BACKOFF, |key, _| {
            let room = taken.len() < most;
            if room {
                taken.push(key);
            }
            room
        });
        taken
    }

    #[test]
    fn a_record_is_sent_at_its_epochs_until_it_is_removed() {
        let mut records = Records::default();
        records.put(7, 'a', 3);
        assert_eq!(due(&mut records, 2, 9), []);
        let sent: Vec<u64> = (3..16).filter(|epoch| due(&mut records, *epoch, 9) == [7]).collect();
        assert_eq!(sent, [3, 4, 6, 10, 12]);
        assert_eq!(records.get(7).map(|record| record.sends), Some(5));
        records.remove(7);
        assert_eq!((records.next_epoch(), records.len()), (None, 0));
    }

    #[test]
    fn what_does_not_fit_stays_due() {
        let mut records = Records::default();
        for key in 0..5 {
            records.put(key, 'a', 1);
        }
        assert_eq!(due(&mut records, 1, 2), [0, 1]);
        assert_eq!(due(&mut records, 1, 9), [2, 3, 4]);
    }

    proptest! {
        /// Against a table that is scanned: the same records are due at every epoch.
        #[test]
        fn the_calendar_says_what_a_scan_says(
            steps in proptest::collection::vec((0_u8..4, 0_u32..8), 0..60),
        ) {
            let mut records: Records<u32, char> = Records::default();
            let mut table: BTreeMap<u32, Record<char>> = BTreeMap::new();
            let mut epoch = 0_u64;
            for (what, key) in steps {
                match what {
                    0 => {
                        records.put(key, 'a', epoch + u64::from(key));
                        let entry = Record { value: 'a', sends: 0, epoch: epoch + u64::from(key) };
                        table.insert(key, entry);
                    }
                    1 => prop_assert_eq!(records.remove(key), table.remove(&key)),
                    _ => {
                        epoch += 1;
                        let mut seen = due(&mut records, epoch, 99);
                        seen.sort_unstable();
                        let mut expected = Vec::new();
                        for (key, record) in table.iter_mut().filter(|(_, record)| record.epoch <= epoch) {
                            expected.push(*key);
                            record.sends += 1;
                            record.epoch = (epoch + BACKOFF.epochs(record.sends))
                                .next_multiple_of((BACKOFF.epochs(record.sends) / 4).max(1));
                        }
                        prop_assert_eq!(seen, expected);
                        let earliest = table.values().map(|record| record.epoch).min();
                        prop_assert!(records.next_epoch() <= earliest || earliest.is_none());
                    }
                }
            }
        }
    }
}
