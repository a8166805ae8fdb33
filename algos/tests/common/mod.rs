//! What the suites over the registry share.

use std::sync::{Arc, Mutex};

use offerbench_algos::{Finding, REGISTRY, Session, SessionError, Step, Tally};

/// Specs that no sweep over all presets needs, and that keep the contract all the same.
const MORE: [&str; 9] = [
    "riblt:salt=link",
    "riblt:salt=group",
    "riblt:salt=none,bits=32",
    "riblt:salt=group,bits=256,check=32",
    "iblt:salt=link",
    "iblt:salt=group,bits=32,size=self",
    "pinsketch:salt=link",
    "pinsketch:salt=group,bits=32,size=double",
    "pinsketch:salt=none",
];

/// Every preset of every row, and more.
pub fn presets() -> Vec<&'static str> {
    REGISTRY.iter().flat_map(|entry| entry.presets).chain(&MORE).copied().collect()
}

/// Every frame that a session emitted.
pub type Tape = Arc<Mutex<Vec<Vec<u8>>>>;

/// A session whose frames are recorded.
pub struct Taped {
    pub inner: Box<dyn Session>,
    pub tape: Tape,
}

impl Session for Taped {
    fn handle_frame(&mut self, frame: &[u8]) -> Result<(), SessionError> {
        self.inner.handle_frame(frame)
    }

    fn poll_frame(&mut self, frame: &mut Vec<u8>) -> Step {
        let step = self.inner.poll_frame(frame);
        if step == Step::Frame {
            self.tape.lock().unwrap().push(frame.clone());
        }
        step
    }

    fn poll_finding(&mut self) -> Option<Finding> {
        self.inner.poll_finding()
    }

    fn tally(&self) -> Tally {
        self.inner.tally()
    }
}
