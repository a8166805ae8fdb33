//! Writes a trace of format `chat-trace/1`. The same trace gives the same bytes, in gzip too: neither file
//! name nor time goes into it.

use std::io::{self, BufWriter, Write};

use flate2::{Compression, GzBuilder};

use super::Trace;

impl Trace {
    /// Writes the trace as text.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        serde_json::to_writer(&mut out, &self.header)?;
        out.write_all(b"\n")?;
        for record in self.records() {
            // A float's shortest form that reads back as the same float; whole seconds without a point.
            write!(
                out,
                r#"{{"t":{},"author":{},"size":{},"parents":["#,
                record.t, record.author, record.size
            )?;
            for (i, parent) in record.parents.iter().enumerate() {
                write!(out, "{}{parent}", if i == 0 { "" } else { "," })?;
            }
            out.write_all(b"]}\n")?;
        }
        out.flush()
    }

    /// Writes the trace in gzip.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_gz(&self, out: &mut dyn Write) -> io::Result<()> {
        gz(out, |out| self.write(out))
    }
}

/// Compresses what `write` writes.
pub(crate) fn gz(
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // 255 is "unknown" for the operating system: the default differs between machines.
    let mut gz = GzBuilder::new().operating_system(255).write(out, Compression::best());
    write(&mut gz)?;
    gz.finish().map(|_| ())
}
