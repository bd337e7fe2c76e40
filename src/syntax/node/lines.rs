//! Lines around a place in a text.

use super::meant::is_key;

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

/// A line that says something.
#[derive(Clone, Copy)]
pub(crate) struct Line<'t> {
    /// Where it begins.
    pub(crate) start: usize,
    /// How many spaces it begins with.
    pub(crate) indent: usize,
    /// What is written in it.
    pub(crate) words: &'t str,
}

impl<'t> Line<'t> {
    pub(crate) fn is_item(&self) -> bool {
        self.words.starts_with("- ")
    }

    /// How deep its key stands.
    pub(crate) fn depth(&self) -> usize {
        if self.is_item() { self.indent + 2 } else { self.indent }
    }

    pub(crate) fn opens(&self) -> bool {
        self.words.ends_with(':')
    }

    /// Its key and what follows that.
    pub(crate) fn pair(&self) -> Option<(&'t str, &'t str)> {
        let (key, value) = self.words.trim_start_matches("- ").split_once(':')?;
        let word = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
        (word && !key.is_empty() && (value.is_empty() || value.starts_with(' '))).then(|| (key, value.trim()))
    }

    /// Whether it stands at the left without being a key of a document.
    pub(crate) fn is_no_head(&self) -> bool {
        self.indent == 0 && self.pair().is_some_and(|(key, _)| !is_key(key))
    }

    /// Whether it is a key with its value, of which nothing more follows.
    pub(crate) fn is_complete(&self) -> bool {
        let open_quote = |value: &str| value.starts_with(['"', '\'']) && !value[1..].ends_with(&value[..1]);
        self.pair()
            .is_some_and(|(_, value)| !value.is_empty() && !value.starts_with(['|', '>', '#']) && !open_quote(value))
    }
}

/// The lines of a text that say something.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let all = text.split_inclusive('\n').map(|raw| {
        let line = Line { start, indent: raw.len() - raw.trim_start_matches(' ').len(), words: raw.trim() };
        start += raw.len();
        line
    });
    all.filter(|line| !line.words.is_empty() && !line.words.starts_with('#')).collect()
}
