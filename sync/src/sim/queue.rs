//! The event queue: what happens next, ties in the order in which they were planned.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Time;

/// What is planned, 24 bytes an entry whatever it is about: what it needs is kept elsewhere, by number.
#[derive(Debug)]
pub(super) struct Queue<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    planned: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Time,
    seq: u64,
    what: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.seq) == (other.at, other.seq)
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.seq).cmp(&(other.at, other.seq))
    }
}

impl<T> Queue<T> {
    /// Nothing is planned.
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), planned: 0 }
    }

    /// Plans something. O(log planned).
    pub(super) fn push(&mut self, at: Time, what: T) {
        self.heap.push(Reverse(Entry { at, seq: self.planned, what }));
        self.planned += 1;
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// The next thing. O(log planned).
    pub(super) fn pop(&mut self) -> Option<(Time, T)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_come_in_the_order_they_were_planned() {
        let mut queue = Queue::new();
        for n in 0..100_u32 {
            queue.push(Time::from_us(u64::from(n % 3)), n);
        }
        assert_eq!(queue.next_at(), Some(Time::ZERO));
        let mut last = (Time::ZERO, 0);
        let mut count = 0;
        while let Some((at, n)) = queue.pop() {
            assert!(count == 0 || (at, n) > last, "numbers rise within a time");
            assert_eq!(at.as_us(), u64::from(n % 3));
            last = (at, n);
            count += 1;
        }
        assert_eq!(count, 100);
        assert_eq!(queue.next_at(), None);
    }
}
