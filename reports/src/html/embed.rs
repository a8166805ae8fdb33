//! What is packed into the page: plotly.js, and the records the page was made of.
//!
//! Both are gzip in base64. plotly.js takes 1.9 MB so instead of 4.7, which leaves room for records in a page
//! that can be mailed; the page's script unpacks it with the browser's own `DecompressionStream`. Records are
//! plain links to `data:`, which download without any script. The same records give the same bytes: the gzip
//! header holds no time and no name.

use std::io::{self, Write};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};
use plotly::Plot;
use serde::Serialize;

use super::tag::{code, escaped};
use crate::book::{Book, Rows, Run};
use crate::format;

/// Bytes that a page may have. Records that do not fit stay in their files, and the page says so.
pub const PAGE_LEN_MAX: usize = 6_000_000;

/// Bytes that the section of records may have beside the records.
const WORDS_LEN_MAX: usize = 20_000;

/// Bytes of gzip that the encoder may write.
struct Bounded {
    bytes: Vec<u8>,
    len_max: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.len_max {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Packs what `write` writes, unless that takes more than `len_max` bytes of base64.
fn packed(len_max: usize, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Option<String> {
    let bounded = Bounded { bytes: Vec::new(), len_max: len_max / 4 * 3 };
    let encoder = GzBuilder::new().mtime(0).write(bounded, Compression::default());
    // A row is written in hundreds of pieces, and each call of the encoder costs as much as kilobytes of input.
    let mut buffered = io::BufWriter::with_capacity(1 << 16, encoder);
    write(&mut buffered).ok()?;
    let bounded = buffered.into_inner().ok()?.finish().ok()?;
    Some(STANDARD.encode(bounded.bytes))
}

/// The script element that holds plotly.js. Packed once a process: it is the same for every page.
pub fn plotly() -> &'static str {
    static PACKED: OnceLock<String> = OnceLock::new();
    PACKED.get_or_init(|| {
        let both = Plot::offline_js_sources();
        let source = plotly_source(&both);
        let packed = packed(usize::MAX, |gzip| gzip.write_all(source.as_bytes()));
        let packed = packed.expect("what has no limit stays within it");
        let notice = source.find("*/").map_or("", |end| &source[..end + 2]).trim();
        format!(
            "<script type=\"application/gzip\" id=\"plotly\" data-notice=\"{}\">{packed}</script>",
            escaped(notice)
        )
    })
}

/// plotly.js alone, without its tags: the crate hands out MathJax behind it, 2 MB that no chart here needs.
fn plotly_source(both: &str) -> &str {
    let start = both.find('>').map_or(0, |at| at + 1);
    let end = both.find("</script>").unwrap_or(both.len());
    &both[start..end]
}

fn lines(run: &Run, gzip: &mut dyn Write) -> io::Result<()> {
    fn line(gzip: &mut dyn Write, row: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut *gzip, row)?;
        gzip.write_all(b"\n")
    }
    line(gzip, run.header())?;
    match run.rows() {
        Rows::Exact(rows) => rows.iter().try_for_each(|row| line(gzip, row)),
        Rows::Timed(rows) => rows.iter().try_for_each(|row| line(gzip, row)),
        Rows::Group(rows) => rows.iter().try_for_each(|row| line(gzip, row)),
        Rows::Cpu(rows) => rows.iter().try_for_each(|row| line(gzip, row)),
        Rows::Peers(rows) => rows.iter().try_for_each(|row| line(gzip, row)),
    }
}

/// The section from which records are downloaded; `page_len` is what the page has without it.
pub fn records(book: &Book, page_len: usize) -> String {
    let mut room = PAGE_LEN_MAX.saturating_sub(page_len + WORDS_LEN_MAX);
    let (mut links, mut left) = (String::new(), Vec::new());
    for run in book.runs() {
        let name = run.name().rsplit(['/', '\\']).next().unwrap_or_default();
        let rows = format::counted(run.row_count(), "row", "rows");
        match packed(room, |gzip| lines(run, gzip)) {
            Some(data) => {
                room -= data.len();
                links += &format!(
                    "<li><a download=\"{}.gz\" href=\"data:application/gzip;base64,{data}\">{}</a>: {rows}, {}</li>\n",
                    escaped(name),
                    escaped(name),
                    format::bytes(data.len() as f64 * 0.75)
                );
            }
            None => left.push((run, rows)),
        }
    }
    let mut html = "<section id=\"records\"><h2>Records</h2>\n".to_owned();
    if !links.is_empty() {
        html += "<p>Everything on this page follows from these files, which are part of it: JSON lines, packed with \
                 gzip. <code>offerbench report</code> makes the page from them again.</p>\n<ul>\n";
        html += &links;
        html += "</ul>\n";
    }
    if !left.is_empty() {
        html += &format!(
            "<p>With these the page would pass {}, so they are not part of it. They stand beside it where it was \
             made, or are made again:</p>\n<ul>\n",
            format::bytes(PAGE_LEN_MAX as f64)
        );
        for (run, rows) in left {
            html += &format!("<li>{}: {rows}; {}</li>\n", code(run.name()), code(&run.header().command));
        }
        html += "</ul>\n";
    }
    html + "</section>\n"
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn only_plotly_is_embedded() {
        let both = Plot::offline_js_sources();
        let source = plotly_source(&both);
        assert!(source.contains("plotly.js v") && !source.contains("MathJax.js"));
        assert!(!source.contains("<script type"));
        let element = plotly();
        assert!(element.len() < 2_100_000, "{}", element.len());
        let data = element.rsplit_once("\">").unwrap().1.strip_suffix("</script>").unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&STANDARD.decode(data).unwrap()[..]).read_to_string(&mut text).unwrap();
        assert!(text == source);
    }

    #[test]
    fn what_does_not_fit_is_not_packed() {
        let noise: Vec<u8> = (0..4096u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let write = |gzip: &mut dyn Write| gzip.write_all(&noise);
        let whole = packed(100_000, write).unwrap();
        assert_eq!(packed(whole.len(), write).as_ref(), Some(&whole));
        assert_eq!(packed(whole.len() - 8, write), None);
    }
}
