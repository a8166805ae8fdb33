//! How much code each strategy is: what a second implementation would have to write.
//!
//! Counted are the lines of the sources below this folder that a strategy needs, without tests, comments and blank
//! lines. `filter` counts for each strategy built on it. Not counted is what strategies of any kind share (wire
//! encoding, salts, estimators, end checks, the dialogue), what others can take from libraries, such as the field
//! arithmetic of pinsketch (minisketch has it), and what changes no frame but only makes them faster: walks in
//! waves, trees of sums, symbols that an index keeps, questions in batches.

/// Sources of each strategy.
const SOURCES: &[(&str, &[&str])] = &[
    ("offers", &[include_str!("offers.rs")]),
    (
        "bloom",
        &[
            include_str!("bloom.rs"),
            include_str!("bloom/blocked.rs"),
            include_str!("filter/mod.rs"),
            include_str!("filter/tail.rs"),
        ],
    ),
    ("fuse", &[include_str!("fuse.rs"), include_str!("filter/mod.rs"), include_str!("filter/tail.rs")]),
    (
        "iblt",
        &[
            include_str!("iblt/mod.rs"),
            include_str!("iblt/answering.rs"),
            include_str!("iblt/asking.rs"),
            include_str!("iblt/places.rs"),
            include_str!("iblt/sizing.rs"),
            include_str!("iblt/table.rs"),
        ],
    ),
    (
        "riblt",
        &[
            include_str!("riblt/mod.rs"),
            include_str!("riblt/decoder.rs"),
            include_str!("riblt/encoder.rs"),
            include_str!("riblt/initiator.rs"),
            include_str!("riblt/mapping.rs"),
            include_str!("riblt/responder.rs"),
            include_str!("riblt/symbol.rs"),
        ],
    ),
    (
        "pinsketch",
        &[
            include_str!("pinsketch/mod.rs"),
            include_str!("pinsketch/engine.rs"),
            include_str!("pinsketch/initiator.rs"),
            include_str!("pinsketch/parts.rs"),
            include_str!("pinsketch/responder.rs"),
            include_str!("pinsketch/sizing.rs"),
            include_str!("pinsketch/tree.rs"),
        ],
    ),
    (
        "range",
        &[
            include_str!("range/mod.rs"),
            include_str!("range/fingerprint.rs"),
            include_str!("range/lists.rs"),
            include_str!("range/message.rs"),
            include_str!("range/party.rs"),
        ],
    ),
    (
        "range-compact",
        &[
            include_str!("range/compact/mod.rs"),
            include_str!("range/compact/leaf.rs"),
            include_str!("range/compact/party.rs"),
            include_str!("range/compact/point.rs"),
            include_str!("range/compact/turn.rs"),
            include_str!("range/fingerprint.rs"),
            include_str!("range/lists.rs"),
        ],
    ),
];

/// Lines of code of a strategy; 0 for one whose sources are not listed.
pub fn code_lines(id: &str) -> u32 {
    let sources = SOURCES.iter().find(|(name, _)| *name == id).map_or(&[][..], |(_, sources)| *sources);
    sources.iter().map(|source| lines(source)).sum()
}

/// Lines of one source. Tests end a file here, or are a module of their own.
fn lines(source: &str) -> u32 {
    let mut count = 0;
    let mut lines = source.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            match lines.next() {
                Some(next) if next.ends_with('{') && next.contains("mod ") => break,
                _ => continue,
            }
        }
        count += u32::from(!line.is_empty() && !line.starts_with("//"));
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::REGISTRY;

    #[test]
    fn tests_comments_and_blank_lines_do_not_count() {
        let source = "//! Doc.\n\nuse a;\n#[cfg(test)]\nuse b;\n    // Why.\nfn f() {}\n#[cfg(test)]\nmod tests {\n fn g() {}\n}\n";
        assert_eq!(lines(source), 2);
    }

    #[test]
    fn every_strategy_is_counted() {
        for entry in REGISTRY {
            let lines = entry.code_lines();
            assert!((50..2000).contains(&lines), "{}: {lines}", entry.about.id);
        }
    }
}
