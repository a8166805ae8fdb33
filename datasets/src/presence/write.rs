//! Writes a presence trace. The same presence gives the same bytes, in gzip too.

use std::io::{self, BufWriter, Write};

use super::Presence;
use crate::trace::gz;

impl Presence {
    /// Writes the presence as text.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        serde_json::to_writer(&mut out, &self.header)?;
        out.write_all(b"\n")?;
        for interval in &self.intervals {
            let c = u8::from(!interval.on_known) + 2 * u8::from(!interval.off_known);
            // A float's shortest form that reads back as the same float; whole seconds without a point.
            writeln!(
                out,
                r#"{{"peer":{},"on":{},"off":{},"c":{c}}}"#,
                interval.peer, interval.on, interval.off
            )?;
        }
        out.flush()
    }

    /// Writes the presence in gzip.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_gz(&self, out: &mut dyn Write) -> io::Result<()> {
        gz(out, |out| self.write(out))
    }
}
