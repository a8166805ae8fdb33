//! Progress on standard error: a bar with the time left on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Seconds between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A running count.
pub struct Progress {
    what: &'static str,
    total: u64,
    done: u64,
    started: Instant,
    shown: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Counts up to `total`.
    pub fn new(what: &'static str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} left")
                .expect("the template is well-formed");
            ProgressBar::new(total).with_style(style).with_message(what)
        });
        let now = Instant::now();
        if bar.is_none() {
            eprintln!("{what}: {total} to do");
        }
        Self { what, total, done: 0, started: now, shown: now, bar }
    }

    /// `count` more are done.
    pub fn advance(&mut self, count: u64) {
        self.done += count;
        if let Some(bar) = &self.bar {
            bar.inc(count);
        } else if self.shown.elapsed() >= LINE_EVERY && self.done < self.total {
            self.shown = Instant::now();
            let per_unit = self.started.elapsed().as_secs_f64() / self.done.max(1) as f64;
            let left = per_unit * (self.total - self.done) as f64;
            eprintln!("{}: {} of {}, about {left:.0} s left", self.what, self.done, self.total);
        }
    }

    /// Takes the bar away and says how long it took.
    pub fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("{}: {} in {:.1} s", self.what, self.done, self.started.elapsed().as_secs_f64());
    }
}
