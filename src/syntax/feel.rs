//! The text of an expression, and where each part of it stands in the file.
//!
//! YAML may fold lines, take quotes away and resolve escapes, so an offset in the expression is not an offset in
//! the file. The two texts are walked side by side once, when the document is lowered.

use crate::diagnostics::Span;
use crate::syntax::node::{Draft, ScalarForm};
use std::ops::Range;

/// An expression as written. It is not parsed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeelText {
    /// The expression.
    pub text: String,
    /// The whole value in the file, quotes included.
    pub span: Span,
    /// How the value is written.
    pub form: ScalarForm,
    /// Where runs of text stand, ascending. Empty if unknown.
    map: Vec<Run>,
    /// Where the bytes of `text` stand in the text as written, if they are not the same.
    mended: Option<Draft>,
}

/// A part of an expression that stands in the file in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// Where it begins in the expression.
    from: u32,
    /// Where it begins in the file.
    to: u32,
    /// How long it is in the file, if it is one character that is written otherwise there.
    written: Option<u32>,
}

impl FeelText {
    /// An expression whose value stands at `span` of `source`.
    pub(crate) fn new(text: &str, span: Span, form: ScalarForm, source: &str) -> FeelText {
        let raw = source.get(span.start as usize..span.end as usize).unwrap_or("");
        // Quotes that were only missing are none.
        let map = align(text, raw, if raw == text { ScalarForm::Plain } else { form }).unwrap_or_default();
        let map = map.into_iter().map(|run| Run { to: run.to + span.start, ..run }).collect();
        FeelText { text: text.to_owned(), span, form, map, mended: None }
    }

    /// The expression as it is to be read on, with what is wrong in it mended.
    pub(crate) fn mended(self, draft: Draft) -> FeelText {
        FeelText { text: draft.text().to_owned(), mended: Some(draft), ..self }
    }

    /// Whether it is read as if it stood in quotes, and stands there without them, which is told.
    pub(crate) fn wants_quotes(&self) -> bool {
        self.form.is_quoted() && self.text.len() == (self.span.end - self.span.start) as usize
    }

    /// Where a range of bytes of the expression stands in the file; the whole value if that is not known.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        let range = match &self.mended {
            Some(draft) => draft.origin(range.start) as usize..draft.origin(range.end) as usize,
            None => range,
        };
        let Some((start, _)) = self.place_of(range.start) else { return self.span };
        let end = match range.end.checked_sub(1).filter(|last| *last >= range.start) {
            // The end of the last character, not the start of the next, which may be on another line.
            Some(last) => self.place_of(last).map_or(self.span.end, |(_, end)| end),
            None => start,
        };
        let limit = self.span.end;
        Span { source: self.span.source, start: start.min(limit), end: end.clamp(start, limit.max(start)) }
    }

    /// Where a byte of the expression begins and ends in the file.
    fn place_of(&self, offset: usize) -> Option<(u32, u32)> {
        let offset = offset as u32;
        let run = self.map.get(self.map.partition_point(|run| run.from <= offset).checked_sub(1)?)?;
        Some(match run.written {
            Some(length) => (run.to, run.to + length),
            None => (run.to + offset - run.from, run.to + offset - run.from + 1),
        })
    }
}

/// Where runs of `text` begin in `raw`; `None` where the two cannot be matched.
fn align(text: &str, raw: &str, form: ScalarForm) -> Option<Vec<Run>> {
    let mut at = match form {
        ScalarForm::Plain => 0,
        ScalarForm::Single | ScalarForm::Double => 1,
        // The parser's span of a block begins at its text, or at the `|` or `>` before it.
        ScalarForm::Literal | ScalarForm::Folded if raw.starts_with(['|', '>']) => raw.find('\n')? + 1,
        ScalarForm::Literal | ScalarForm::Folded => 0,
    };
    let mut map: Vec<Run> = Vec::new();
    let mut expected = None;
    for (offset, c) in text.char_indices() {
        let rest = raw.get(at..)?;
        let (found, length) = match form {
            ScalarForm::Single if c == '\'' => (at, 2),
            ScalarForm::Double if rest.starts_with('\\') && !rest[1..].starts_with(['\n', '\r']) => {
                (at, escape_length(rest))
            }
            _ if rest.starts_with(c) => (at, c.len_utf8()),
            // A folded line break: one blank for a run of white space.
            _ if c.is_whitespace() => {
                let skipped = rest.len() - rest.trim_start().len();
                (at, skipped)
            }
            // Indentation, or an escaped line break.
            _ => {
                let skipped = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\\']).len();
                let after = rest.get(skipped..)?;
                if skipped == 0 || !after.starts_with(c) {
                    // Trailing line breaks of a block stand outside its trimmed span.
                    return text[offset..].trim().is_empty().then_some(map);
                }
                (at + skipped, c.len_utf8())
            }
        };
        if expected != Some((offset, found)) || length != c.len_utf8() {
            let written = (length != c.len_utf8()).then_some(length as u32);
            map.push(Run { from: offset as u32, to: found as u32, written });
        }
        at = found + length;
        expected = (length == c.len_utf8()).then_some((offset + c.len_utf8(), at));
    }
    Some(map)
}

/// How many bytes an escape of a double-quoted text takes.
fn escape_length(rest: &str) -> usize {
    match rest.as_bytes().get(1) {
        Some(b'x') => 4,
        Some(b'u') => 6,
        Some(b'U') => 10,
        Some(_) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        None => 1,
    }
}

/// The words that an expression keeps for itself, so that nothing may be named so.
const KEYWORDS: &[&str] = &[
    "and",
    "between",
    "else",
    "every",
    "external",
    "false",
    "for",
    "function",
    "if",
    "in",
    "instance",
    "not",
    "null",
    "of",
    "or",
    "return",
    "satisfies",
    "some",
    "then",
    "true",
];

/// Whether an expression keeps this word for itself.
pub(crate) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

/// Whether a text is one word of letters of any script, digits and `_` that does not begin with a digit.
pub(crate) fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || c == '_')
}
