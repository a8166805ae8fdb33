//! Jobs in parallel, results in order: the bytes of a file do not depend on the number of threads.
//!
//! Workers take jobs in order and keep each on one thread (so that heap counts are exact); the caller's thread
//! puts the results back into order before it hands them on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::error::Failure;
use crate::progress::Progress;

/// Runs `work` for each number of `jobs` on `threads` threads, and `done` with each result, in order, on this one.
/// `work` is told a function that says whether to end early.
///
/// # Errors
///
/// The first that `work` (in order) or `done` meets, or `interrupted` was set. What came before it is done.
pub fn in_order<T: Send>(
    what: &'static str,
    jobs: Range<usize>,
    threads: usize,
    interrupted: &AtomicBool,
    work: impl Fn(usize, &dyn Fn() -> bool) -> Result<T, Failure> + Sync,
    mut done: impl FnMut(usize, T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut progress = Progress::new(what, jobs.len() as u64);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Failure::Io(format!("cannot start {threads} threads: {error}")))?;
    let claimed = AtomicUsize::new(jobs.start);
    let stop = AtomicBool::new(false);
    let halt = || stop.load(Ordering::Relaxed) || interrupted.load(Ordering::Relaxed);
    let (sender, receiver) = mpsc::channel();
    let result = pool.in_place_scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            let (claimed, halt, work, end) = (&claimed, &halt, &work, jobs.end);
            scope.spawn(move |_| {
                while !halt() {
                    let job = claimed.fetch_add(1, Ordering::Relaxed);
                    if job >= end {
                        break;
                    }
                    let result = work(job, halt);
                    // What was halted is not whole.
                    if halt() || sender.send((job, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let take = || {
            let mut waiting = BTreeMap::new();
            let mut next = jobs.start;
            for (job, result) in receiver {
                progress.advance(1);
                waiting.insert(job, result);
                while let Some(result) = waiting.remove(&next) {
                    done(next, result?)?;
                    next += 1;
                }
            }
            Ok(())
        };
        let taken = take();
        stop.store(true, Ordering::Relaxed);
        taken
    });
    progress.finish();
    result?;
    if interrupted.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted("interrupted".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(threads: usize, fails_at: Option<usize>) -> (Vec<usize>, Result<(), Failure>) {
        let mut seen = Vec::new();
        let work = |job: usize, _: &dyn Fn() -> bool| {
            // Later jobs end sooner.
            std::thread::sleep(std::time::Duration::from_millis(20 - job as u64));
            if Some(job) == fails_at { Err(Failure::usage("no")) } else { Ok(job * job) }
        };
        let result = in_order("testing", 3..17, threads, &AtomicBool::new(false), work, |job, square| {
            assert_eq!(square, job * job);
            seen.push(job);
            Ok(())
        });
        (seen, result)
    }

    #[test]
    fn results_come_in_order_with_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let (seen, result) = run(threads, None);
            assert!(result.is_ok());
            assert!(seen.iter().copied().eq(3..17), "{threads}: {seen:?}");
        }
    }

    #[test]
    fn an_error_ends_it_after_what_came_before() {
        let (seen, result) = run(3, Some(7));
        assert!(seen.iter().copied().eq(3..7), "{seen:?}");
        assert!(matches!(result, Err(Failure::Usage(_))));
    }

    #[test]
    fn an_interruption_is_told() {
        let work = |_: usize, _: &dyn Fn() -> bool| Ok(());
        let result = in_order("testing", 0..9, 2, &AtomicBool::new(true), work, |_, ()| Ok(()));
        assert!(matches!(result, Err(Failure::Interrupted(_))));
    }
}
