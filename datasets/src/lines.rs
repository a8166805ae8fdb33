//! Lines of a text that nobody vouches for: every line is bounded, so a file without line ends, or a few
//! kilobytes of gzip that unpack to a petabyte, end in an error and not in an exhausted memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

/// The longest line that is read, in bytes. The longest of a real trace is a header of 11 kB.
pub const LINE_LEN_MAX: usize = 1 << 20;

/// The first two bytes of every gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Why there is no next line.
#[derive(Debug, Error)]
pub enum LineError {
    /// Longer than [`LINE_LEN_MAX`].
    #[error(
        "the line is longer than {LINE_LEN_MAX} bytes: expected text with line ends; is this another kind of file?"
    )]
    TooLong,
    /// Reading failed, or the gzip stream is damaged or cut off.
    #[error("the text cannot be read ({0}): if the file was downloaded or copied, do it again")]
    Io(#[from] io::Error),
}

/// A reader of bounded lines that counts them.
pub(crate) struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    line: Vec<u8>,
    number: u64,
}

impl<'a> Lines<'a> {
    /// The lines of a text, plain or in gzip: its first two bytes tell.
    pub fn new(reader: impl Read + 'a) -> io::Result<Self> {
        let mut plain = BufReader::new(reader);
        // A first read may be short, but an empty one is the end, so one byte more is always worth a try.
        let mut head = Vec::with_capacity(2);
        plain.by_ref().take(2).read_to_end(&mut head)?;
        let is_gzip = head == GZIP_MAGIC;
        let whole = BufReader::new(io::Cursor::new(head).chain(plain));
        let reader: Box<dyn BufRead + 'a> =
            if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(whole))) } else { Box::new(whole) };
        Ok(Self { reader, line: Vec::new(), number: 0 })
    }

    /// The lines of a file.
    pub fn open(path: &Path) -> io::Result<Lines<'static>> {
        Lines::new(File::open(path)?)
    }

    /// Number of the line last read, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line without its end (`\n` or `\r\n`), or none at the end.
    pub fn next(&mut self) -> Result<Option<&[u8]>, LineError> {
        self.line.clear();
        self.number += 1;
        let limit = LINE_LEN_MAX as u64 + 1;
        self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
        } else if self.line.len() > LINE_LEN_MAX {
            return Err(LineError::TooLong);
        }
        Ok(Some(&self.line))
    }
}

/// What the JSON parser found wrong in one line, without its own count of lines, which is always 1.
pub(crate) fn json_fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    format!("{what} (column {})", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn all(bytes: &[u8]) -> Result<Vec<String>, LineError> {
        let mut lines = Lines::new(bytes)?;
        let mut out = Vec::new();
        while let Some(line) = lines.next()? {
            out.push(String::from_utf8_lossy(line).into_owned());
        }
        Ok(out)
    }

    #[test]
    fn plain_and_gzip_give_the_same_lines() {
        let text = b"one\r\ntwo\n\nfour";
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(text).unwrap();
        assert_eq!(all(text).unwrap(), ["one", "two", "", "four"]);
        assert_eq!(all(&gz.finish().unwrap()).unwrap(), ["one", "two", "", "four"]);
        assert_eq!(all(b"").unwrap(), [""; 0]);
        assert_eq!(all(b"x").unwrap(), ["x"]);
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let mut text = vec![b'x'; LINE_LEN_MAX];
        assert_eq!(all(&text).unwrap()[0].len(), LINE_LEN_MAX);
        text.push(b'x');
        assert!(matches!(all(&text), Err(LineError::TooLong)));
        text.push(b'\n');
        assert!(matches!(all(&text), Err(LineError::TooLong)));
    }

    #[test]
    fn a_cut_gzip_stream_is_an_error() {
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(b"one\ntwo\n").unwrap();
        let bytes = gz.finish().unwrap();
        for len in 3..bytes.len() {
            assert!(matches!(all(&bytes[..len]), Err(LineError::Io(_))), "cut at {len}");
        }
    }
}
