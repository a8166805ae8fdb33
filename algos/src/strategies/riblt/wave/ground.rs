//! What walks do where they stand.
//!
//! Most of the time goes here: an addition for each step of each walk, at an address that nothing foretells. So a place
//! is kept as what is added to addresses, and is known to be in the range: an addition of short ids is two loads of
//! halves of a place, a load, an XOR, an addition and a store.

use super::{WAVE, Wave};

/// Where a walk stands, and its number in the wave: 2^36 · number + 2^4 · index.
///
/// That is how far off in bytes its short symbol and its addend of 16 bytes are, which so takes no arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Place(u64);

impl Place {
    /// Of an index in 24 bits.
    pub fn new(index: u32, number: u8) -> Self {
        Self(u64::from(number) << 36 | u64::from(index) << 4)
    }

    /// The number of the walk.
    #[inline(always)]
    pub fn number(self) -> u8 {
        (self.0 >> 36) as u8
    }

    /// The index of the symbol.
    #[inline(always)]
    pub fn index(self) -> u32 {
        self.0 as u32 >> 4
    }
}

/// What there is for each walk of a wave, and for each symbol of its range.
pub struct Ground<'a, A, B, T, M> {
    addends: (&'a [A; WAVE], &'a [B; WAVE]),
    symbols: (&'a mut [T], &'a mut [M]),
    start: usize,
}

impl<'a, A, B, T, M> Ground<'a, A, B, T, M> {
    /// Of slices that cover the range of a wave.
    pub fn new(
        wave: &Wave,
        addends: (&'a [A; WAVE], &'a [B; WAVE]),
        symbols: (&'a mut [T], &'a mut [M]),
    ) -> Self {
        let start = wave.start as usize;
        let len = symbols.0.len().min(symbols.1.len());
        assert!(wave.end as usize <= start + len, "symbols of the whole range");
        Self { addends, symbols, start }
    }

    /// Calls `each` for the walk at a place.
    ///
    /// # Safety
    ///
    /// The place is in the range of the wave.
    #[allow(unsafe_code)]
    #[inline(always)]
    pub unsafe fn visit(&mut self, place: Place, each: &mut impl FnMut((&A, &B), (&mut T, &mut M))) {
        let (index, number) = (place.0 as u32 as usize, (place.0 >> 32) as usize);
        let symbols = self.symbols.0.as_mut_ptr().wrapping_sub(self.start);
        let marks = self.symbols.1.as_mut_ptr().wrapping_sub(self.start);
        // SAFETY: a place holds 16 times the index and 16 times the number. The index is from the start to before the end of
        // the range, which both slices cover, and both arrays are as long as there are numbers.
        unsafe {
            each(
                (
                    &*self.addends.0.as_ptr().byte_add((number * size_of::<A>()) >> 4),
                    &*self.addends.1.as_ptr().byte_add((number * size_of::<B>()) >> 4),
                ),
                (
                    &mut *symbols.wrapping_byte_add((index * size_of::<T>()) >> 4),
                    &mut *marks.wrapping_byte_add((index * size_of::<M>()) >> 4),
                ),
            );
        }
    }
}
