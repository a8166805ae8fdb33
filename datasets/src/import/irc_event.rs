//! Who comes and goes in an IRC log: joins, parts, quits, kicks and changes of nick, as common clients write
//! them after the time and a mark.
//!
//! | example | written by |
//! | --- | --- |
//! | `-!- nick [user@host] has joined #room`, `-!- nick was kicked from #room by op [why]` | irssi |
//! | `-->`⇥`nick (user@host) has joined #room`, `<--`⇥`op has kicked nick (why)`, `--`⇥`old is now known as new` | weechat |
//! | `*** Joins: nick (user@host)`, `*** nick is now known as new` | energymech, ZNC |
//! | `=== nick [user@host] has left #room [why]` | the Ubuntu logs |
//! | `* nick (user@host) has quit (why)` | mIRC, XChat |

/// Somebody comes, goes, or takes another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// Comes.
    Join(&'a str),
    /// Goes, or is made to go.
    Leave(&'a str),
    /// Is called otherwise from now on.
    Rename {
        /// Until now.
        from: &'a str,
        /// From now on.
        to: &'a str,
    },
}

/// What clients write after the nick, and whether it is a coming.
const PHRASES: &[(&str, bool)] = &[
    ("has joined", true),
    ("has left", false),
    ("has quit", false),
    ("was kicked", false),
    ("has been kicked", false),
];

/// The same without `has`: believed only after a host, for people say so too.
const SHORT_PHRASES: &[(&str, bool)] = &[("joined", true), ("left", false), ("quit", false)];

/// Reads what follows the mark. People who write `* nick has left the building` are still there.
pub(super) fn event(text: &str) -> Option<Event<'_>> {
    let text = text.trim();
    for (label, comes) in [("Joins: ", true), ("Parts: ", false), ("Quits: ", false)] {
        if let Some(rest) = text.strip_prefix(label) {
            return came_or_went(first_word(rest).0, comes);
        }
    }
    let (nick, rest) = first_word(text);
    let (rest, has_host) = match without_host(rest) {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    if let Some(to) = rest.strip_prefix("is now known as ") {
        let (from, to) = (bare(nick), bare(first_word(to).0));
        return (!from.is_empty() && !to.is_empty()).then_some(Event::Rename { from, to });
    }
    if let Some(kicked) = rest.strip_prefix("has kicked ") {
        return came_or_went(first_word(kicked).0, false);
    }
    let short = if has_host { SHORT_PHRASES } else { &[] };
    let (_, comes) = PHRASES.iter().chain(short).find(|(phrase, _)| {
        rest.strip_prefix(phrase).is_some_and(|after| {
            after.is_empty()
                || [" (", " [", " #", " &", " from ", " by ", ".", ":"]
                    .iter()
                    .any(|next| after.starts_with(next))
        })
    })?;
    came_or_went(nick, *comes)
}

fn came_or_went(nick: &str, comes: bool) -> Option<Event<'_>> {
    let nick = bare(nick);
    (!nick.is_empty()).then_some(if comes { Event::Join(nick) } else { Event::Leave(nick) })
}

fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// What follows `(user@host)` or `[user@host]`, if one is there.
pub(super) fn without_host(text: &str) -> Option<&str> {
    let close = match text.as_bytes().first()? {
        b'(' => ')',
        b'[' => ']',
        _ => return None,
    };
    text.split_once(close).map(|(_, rest)| rest.trim_start())
}

/// The nick without the sign of its rank.
pub(super) fn bare(nick: &str) -> &str {
    nick.trim().trim_start_matches(['@', '+', '%', '&', '~', '!'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_the_table_is_read() {
        for (text, expected) in [
            ("nick [~user@host] has joined #room", Event::Join("nick")),
            ("nick [user@host]  has joined #room", Event::Join("nick")),
            ("nick (user@host) joined #room", Event::Join("nick")),
            ("Joins: nick (user@host)", Event::Join("nick")),
            ("@nick has joined", Event::Join("nick")),
            ("nick [user@host] has left #room [\"bye\"]", Event::Leave("nick")),
            ("nick (user@host) has quit (Ping timeout: 240 seconds)", Event::Leave("nick")),
            ("Parts: nick (user@host)", Event::Leave("nick")),
            ("Quits: nick (user@host) (gone)", Event::Leave("nick")),
            ("nick was kicked from #room by op [why]", Event::Leave("nick")),
            ("nick was kicked by op (why)", Event::Leave("nick")),
            ("op has kicked nick (why)", Event::Leave("nick")),
            ("old is now known as new", Event::Rename { from: "old", to: "new" }),
        ] {
            assert_eq!(event(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_people_say_is_no_event() {
        for text in [
            "nick has left the building",
            "nick quit smoking",
            "nick left",
            "nick has joined the club",
            "nick sets mode: +o op",
            "nick changes topic to \"nick has quit\"",
            "Irssi: #room: Total of 5 nicks [1 ops, 0 halfops, 0 voices, 4 normal]",
            "is now known as",
            "",
            " ",
        ] {
            assert_eq!(event(text), None, "{text}");
        }
    }
}
