//! The tags of a template, found in its text before and beside what compiles it.

/// The tags of a template with their lines, without their braces and what controls white space.
pub(super) fn of(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut line, mut rest) = (Vec::new(), 1, text);
    while let Some(at) = rest.find('{') {
        line += rest.get(..at).unwrap_or_default().matches('\n').count();
        rest = rest.get(at..).unwrap_or_default();
        let (open, close) = match rest.get(..2) {
            Some("{{") => (2, "}}"),
            Some("{%") => (2, "%}"),
            Some("{#") => (2, "#}"),
            _ => (1, ""),
        };
        let inside = rest.get(open..).unwrap_or_default();
        let length = match close {
            "" => 0,
            "#}" => inside.find(close).unwrap_or(inside.len()),
            close => end_of_tag(inside, close),
        };
        let tag = inside.get(..length).unwrap_or_default();
        if open == 2 && close != "#}" {
            found.push((line, tag.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']).trim()));
        }
        line += tag.matches('\n').count();
        rest = inside.get(length..).unwrap_or_default();
    }
    found
}

/// Where a tag ends: at `close` outside of quotes, or with the text.
fn end_of_tag(inside: &str, close: &str) -> usize {
    let closes = |(at, _): &(usize, char)| inside.get(*at..).is_some_and(|rest| rest.starts_with(close));
    outside_quotes(inside).find(closes).map_or(inside.len(), |(at, _)| at)
}

/// A tag without its quoted texts.
pub(super) fn unquoted(tag: &str) -> String {
    outside_quotes(tag).map(|(_, c)| c).collect()
}

/// The characters of a text outside of its quoted ones, with their places.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut escaped) = (None, false);
    text.char_indices().filter(move |(_, c)| match quote {
        Some(open) => {
            (quote, escaped) = match c {
                _ if escaped => (quote, false),
                '\\' => (quote, true),
                c => (quote.filter(|_| *c != open), false),
            };
            false
        }
        None if matches!(c, '"' | '\'') => {
            quote = Some(*c);
            false
        }
        None => true,
    })
}
