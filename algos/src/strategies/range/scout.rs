//! Where the bounds of an answer may be looked for.
//!
//! An answer goes through the ranges of the message before it: what it skips and what it lists ends at bounds of that message, and
//! what it cuts is cut into parts of one length. So whoever remembers which places its own bounds had needs to search
//! near those places only, and knows them long before, so that memory can be fetched in time. All of this is guesses: a
//! peer that answers something else is searched for as well, only slower.

/// A guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The place.
    pub place: usize,
    /// The bound follows another one within a range that was cut, as far from it as that is from the one before.
    pub follows: bool,
}

/// Goes through the bounds of an answer.
#[derive(Debug)]
pub struct Scout<'a> {
    /// Times and places of the bounds sent, in order.
    sent: &'a [(u64, u32)],
    /// Where the range begins that is being cut, and where that with the last bound ends that was sent.
    start: usize,
    len: usize,
    /// Into how many parts ranges are cut, mostly, and how many bounds of these were seen.
    parts: usize,
    seen: usize,
}

impl<'a> Scout<'a> {
    /// For the answer to a message with these bounds, from somebody who holds `len` items.
    pub fn new(sent: &'a [(u64, u32)], len: usize, parts: usize) -> Self {
        Self { sent, start: 0, len, parts, seen: 0 }
    }

    /// Where the next bound may lie, of which the time is `at`.
    pub fn expect(&mut self, at: u64) -> Guess {
        while let [(time, place), rest @ ..] = self.sent
            && *time <= at
        {
            (self.sent, self.start, self.seen) = (rest, *place as usize, 0);
            if *time == at {
                return Guess { place: self.start, follows: false };
            }
        }
        let end = self.sent.first().map_or(self.len, |(_, place)| *place as usize);
        self.seen += 1;
        let len = end.saturating_sub(self.start) * self.seen / self.parts;
        Guess { place: (self.start + len).min(end), follows: self.seen > 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_known_and_what_is_cut_is_spread() {
        let sent = [(10, 100), (20, 200), (20, 210), (30, 250)];
        let mut scout = Scout::new(&sent, 1000, 4);
        let guesses = [3, 5, 10, 20, 20, 22, 30, 40, u64::MAX].map(|at| {
            let Guess { place, follows } = scout.expect(at);
            (place, follows)
        });
        let expected = [
            (25, false),
            (50, true),
            (100, false),
            (200, false),
            (210, false),
            (220, false),
            (250, false),
            (437, false),
            (625, true),
        ];
        assert_eq!(guesses, expected);
    }
}
