//! REQUEST by rank: "of the list that you offered in that payload, these places".
//!
//! Both ends know the offers of a payload as a list in its order, and name it by four bytes of a hash of the
//! ids. The places wanted are a bitmap (one bit an offer) or a list of gaps (a varint each), whichever is
//! shorter; so asking for r of m offers costs about min(m/8, r) bytes instead of 36·r.
//!
//! The offerer remembers a few lists. A request for a list that it has forgotten is answered with silence; it is
//! then repeated by id. Two lists that share a name (one chance in 2^32 for a pair) deliver a message that
//! nobody wanted, and no harm is done.

use std::collections::VecDeque;

use offerbench_algos::wire::{Reader, WireError, put_varint};
use siphasher::sip::SipHasher24;

use crate::library::MsgNo;

/// Lists that are remembered for one peer.
const LISTS_MAX: usize = 8;
/// Longest list that may be named, in offers.
const LIST_LEN_MAX: usize = 1 << 16;

/// The place of an offer that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the list.
    pub list: u32,
    /// Offers in it.
    pub len: u32,
    /// Which one, from 0.
    pub rank: u32,
}

/// The name of a list of offers.
pub fn list_name<'a>(ids: impl Iterator<Item = &'a [u8]>) -> u32 {
    use std::hash::Hasher as _;
    let mut hasher = SipHasher24::new();
    ids.for_each(|id| hasher.write(id));
    hasher.finish() as u32
}

/// Lists that were offered to one peer, newest last.
#[derive(Debug, Default)]
pub struct Offered(VecDeque<(u32, Vec<MsgNo>)>);

impl Offered {
    /// Remembers a list. The oldest is forgotten.
    pub fn remember(&mut self, name: u32, list: Vec<MsgNo>) {
        if self.0.len() == LISTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((name, list));
    }

    /// The messages that a request names.
    ///
    /// # Errors
    ///
    /// When the bytes do not parse. `Ok(None)` when the list is not remembered.
    pub fn read(&self, request: &[u8]) -> Result<Option<Vec<MsgNo>>, WireError> {
        let (name, ranks) = decode(request)?;
        let Some((_, list)) = self.0.iter().rev().find(|(known, _)| *known == name) else {
            return Ok(None);
        };
        ranks
            .iter()
            .map(|rank| {
                let no = list.get(*rank as usize).copied();
                no.ok_or(WireError::BadValue { what: "rank", value: u64::from(*rank) })
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

/// The request for rising `ranks` of a list of `len` offers.
pub fn encode(name: u32, len: u32, ranks: &[u32]) -> Vec<u8> {
    let mut gaps = Vec::new();
    let mut next = 0;
    for rank in ranks {
        put_varint(&mut gaps, u64::from(rank - next));
        next = rank + 1;
    }
    let bitmap_len = (len as usize).div_ceil(8);
    let mut bytes = name.to_le_bytes().to_vec();
    if bitmap_len < gaps.len() {
        bytes.push(1);
        let start = bytes.len();
        bytes.resize(start + bitmap_len, 0);
        for rank in ranks {
            bytes[start + *rank as usize / 8] |= 1 << (rank % 8);
        }
    } else {
        bytes.push(0);
        bytes.extend_from_slice(&gaps);
    }
    bytes
}

fn decode(bytes: &[u8]) -> Result<(u32, Vec<u32>), WireError> {
    let too_long = |claimed: u64| WireError::TooMany { what: "rank", claimed, max: LIST_LEN_MAX as u64 };
    let mut reader = Reader::new(bytes);
    let name = u32::from_le_bytes(reader.array("list name")?);
    let form = reader.u8("form")?;
    let mut ranks = Vec::new();
    match form {
        0 => {
            let mut next = 0_u64;
            while reader.left() > 0 {
                next = next.saturating_add(reader.varint("gap")?);
                if next >= LIST_LEN_MAX as u64 {
                    return Err(too_long(next));
                }
                ranks.push(next as u32);
                next += 1;
            }
        }
        1 => {
            let bitmap = reader.rest();
            if bitmap.len() > LIST_LEN_MAX / 8 {
                return Err(too_long(bitmap.len() as u64 * 8));
            }
            for (byte, first) in bitmap.iter().zip((0..).step_by(8)) {
                ranks.extend((0..8).filter(|bit| byte >> bit & 1 == 1).map(|bit| first + bit));
            }
        }
        _ => return Err(WireError::BadValue { what: "form", value: u64::from(form) }),
    }
    Ok((name, ranks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_of_many_and_all_of_many_are_short() {
        assert_eq!(encode(1, 1000, &[999]).len(), 4 + 1 + 2);
        let all: Vec<u32> = (0..1000).collect();
        assert_eq!(encode(1, 1000, &all).len(), 4 + 1 + 125);
    }

    #[test]
    fn a_forgotten_list_is_not_understood() {
        let mut offered = Offered::default();
        for name in 0..=LISTS_MAX as u32 {
            offered.remember(name, vec![MsgNo(name)]);
        }
        assert_eq!(offered.read(&encode(0, 1, &[0])), Ok(None));
        assert_eq!(offered.read(&encode(1, 1, &[0])), Ok(Some(vec![MsgNo(1)])));
        assert!(offered.read(&encode(1, 2, &[1])).is_err());
    }

    proptest! {
        #[test]
        fn ranks_come_back(ranks in proptest::collection::btree_set(0_u32..2000, 0..300), more in 0_u32..100) {
            let ranks: Vec<u32> = ranks.into_iter().collect();
            let len = ranks.last().map_or(0, |last| last + 1) + more;
            let bytes = encode(9, len, &ranks);
            prop_assert!(bytes.len() <= 5 + (len as usize).div_ceil(8));
            prop_assert_eq!(decode(&bytes), Ok((9, ranks)));
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let mut offered = Offered::default();
            offered.remember(0, vec![MsgNo(0)]);
            let _ = offered.read(&bytes);
        }
    }
}
