//! Large blocks of memory, asked for in large pages.
//!
//! Fresh memory costs a page fault for each 4 KiB of it: 1.7 to 2.8 µs in the virtual machine where it was measured, so
//! that filling a block took as long as sorting what goes there. In pages of 2 MiB as many bytes took 0.6 to 0.7 µs,
//! and reading them at random misses fewer translations. Linux gives such pages to whoever asks.

/// Bytes of a huge page.
const HUGE: usize = 2 << 20;

/// Asks for huge pages behind a block that is not yet written to. A hint: nothing depends on it but time.
pub fn prefer_huge<T>(block: &mut [T]) {
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{Advice, madvise};
        let bytes = std::ptr::from_mut(block).cast::<u8>();
        let head = bytes.align_offset(HUGE);
        let len = size_of_val(block).saturating_sub(head) / HUGE * HUGE;
        if len > 0 {
            // SAFETY: these are whole pages within the block; the advice changes how they are backed, not what they
            // hold. Without the permission or the feature nothing happens.
            #[allow(unsafe_code)]
            let _ = unsafe { madvise(bytes.add(head).cast(), len, Advice::LinuxHugepage) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = block;
}
