//! Lines around a place in a text.

/// The first character of the next line that says something, for a position at the end of a line: what does not go
/// with the lines above it is told where they end.
pub(super) fn next_line(text: &str, at: usize) -> Option<usize> {
    let at = crate::diagnostics::floor(text, at);
    let rest = text.get(at..)?;
    let lead = rest.len() - rest.trim_start_matches(is_blank).len();
    (rest[..lead].contains('\n') && lead < rest.len()).then_some(at + lead)
}

/// Moves a position at a line break or in white space to the last visible character before it.
pub(super) fn visible(text: &str, at: usize) -> usize {
    let at = crate::diagnostics::floor(text, at);
    let here = text[at..].chars().next();
    if here.is_some_and(|c| !is_blank(c)) {
        return at;
    }
    text[..at].char_indices().rev().find(|(_, c)| !is_blank(*c)).map_or(at, |(at, _)| at)
}

/// Whether a value begins after this character.
pub(super) fn starts_value(last: char) -> bool {
    matches!(last, '\n' | ':' | '-' | ',' | '[' | '{')
}

/// The nearest line above that says something, from its first character to its last.
pub(super) fn line_above(text: &str, at: usize) -> Option<(usize, usize)> {
    let mut end = text[..at].rfind('\n')?;
    loop {
        let start = text[..end].rfind('\n').map_or(0, |n| n + 1);
        let line = text[start..end].trim();
        if !line.is_empty() && !line.starts_with('#') {
            let from = start + (end - start - text[start..end].trim_start().len());
            return Some((from, from + line.len()));
        }
        end = start.checked_sub(1)?;
    }
}

/// White space of YAML; a full-width space is text.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}
