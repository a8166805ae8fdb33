//! Measuring instruments: heap by counting what is allocated, CPU by the thread's own clock.
//!
//! Both are per thread, and a trial stays on one thread, so that parallel trials do not disturb each other.
//! The heap count sees Rust's allocator only: what C++ code allocates inside minisketch is not in it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use rustix::time::{ClockId, clock_gettime};

thread_local! {
    /// Bytes that this thread holds. A thread that frees what another allocated goes below zero.
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// The system's allocator, counting.
pub struct CountingAllocator;

fn count(bytes: i64) {
    // During a thread's end its cells may be gone already; nothing is measured then.
    let _ = HELD.try_with(|held| {
        let now = held.get() + bytes;
        held.set(now);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now)));
    });
}

// An allocator cannot be written without `unsafe`: the trait's methods are.
#[allow(unsafe_code)]
// SAFETY: every call goes to `System` unchanged; counting touches only two thread-local integers and
// allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size as i64 - layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Runs `work` and says by how many bytes the heap of this thread rose above where it stood, at most.
pub fn heap_peak<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (result, (PEAK.get() - before).max(0) as u64)
}

/// CPU time that this thread has used, in nanoseconds.
pub fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_counts_what_was_freed_again() {
        let (_, peak) = heap_peak(|| {
            let a = vec![0_u8; 10_000];
            drop(a);
            vec![0_u8; 4_000]
        });
        assert_eq!(peak, 10_000);
    }

    #[test]
    fn other_threads_do_not_count() {
        let (_, peak) = heap_peak(|| {
            std::thread::scope(|scope| {
                scope.spawn(|| drop(vec![0_u8; 50_000_000]));
            });
        });
        assert!(peak < 1_000_000, "{peak}");
    }

    #[test]
    fn cpu_time_passes_only_while_working() {
        let start = thread_cpu_ns();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let slept = thread_cpu_ns() - start;
        assert!(slept < 10_000_000, "{slept}");
    }
}
