//! Memory that is fetched while something else goes on.

/// Tells the processor that a value will be read, and does not wait for it.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    hint::<T, false>(value);
}

/// The same for a value that will be overwritten: no other core keeps its line.
#[inline(always)]
pub fn prefetch_to_write<T>(value: &T) {
    hint::<T, true>(value);
}

#[inline(always)]
fn hint<T, const TO_WRITE: bool>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};
        let at = std::ptr::from_ref(value).cast();
        // SAFETY: every processor of this architecture has the first instruction and takes the second for nothing where
        // it does not know it; both only ever are hints.
        #[allow(unsafe_code)]
        unsafe {
            if TO_WRITE { _mm_prefetch::<_MM_HINT_ET0>(at) } else { _mm_prefetch::<_MM_HINT_T0>(at) }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
