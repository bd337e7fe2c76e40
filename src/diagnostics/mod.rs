//! What is wrong with a text, as data.
//!
//! A [`Diagnostic`] points at a [`Span`] of a [`Source`] and says in both languages what is wrong and what to
//! write instead. Rooms that read texts raise them; `render`, `to_json` and `to_sarif` turn them into words for a
//! person or a program, one file a form, and `mend` writes their mends into the text.
//!
//! The parts of a diagnostic and what they are for:
//!
//! * `message`: stands alone. Whoever reads only this line knows what to do.
//! * the primary `label`: a few words under the caret, where they add something.
//! * `context`: other places that explain the fault, such as the first of two equal keys.
//! * `hints`: what to write instead, as it would stand in the file.
//! * `fix`: one mend that is safe to make by program.
//!
//! A secret that a text shows is hidden from everybody who reads a diagnostic: see `conceal`.
//!
//! Invariant: knows nothing of YAML, processes or terminals; the width and the language are arguments.

pub mod code;
mod conceal;
mod json;
pub mod mend;
pub mod render;
mod sarif;
pub mod suggest;

use crate::model::text::Wording;
use std::sync::Arc;

pub use code::{Code, Severity};
pub(crate) use conceal::conceal;
pub use json::to_json;
pub use render::{Style, render};
pub use sarif::to_sarif;

/// Which of the texts in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A text as it was read, with the name that people know it by.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as shown.
    pub name: String,
    /// The whole text. Where the bytes were not UTF-8, each bad one is `U+FFFD`.
    pub text: Arc<str>,
    /// Where in `text` the first bytes stood that are not UTF-8.
    pub not_utf8_at: Option<u32>,
}

/// A place in a source as people count: both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl Source {
    /// Where a byte offset stands. Offsets past the end or inside a character are moved back.
    pub fn position(&self, offset: u32) -> Position {
        let before = &self.text[..floor(&self.text, offset as usize)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let visible = before[line_start..].trim_start_matches('\u{feff}');
        Position { line, column: visible.chars().count() + 1 }
    }
}

/// The nearest character boundary at or before `offset`.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// All texts of one run, so that a span needs only a number to name its file.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    /// No texts yet.
    pub fn new() -> Sources {
        Sources::default()
    }

    /// Registers a text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        self.push(Source { name: name.into(), text: text.into(), not_utf8_at: None })
    }

    /// Registers bytes of a file. What is not UTF-8 is kept as `U+FFFD` and reported when the text is parsed.
    pub fn add_bytes(&mut self, name: impl Into<String>, bytes: &[u8]) -> SourceId {
        let not_utf8_at = std::str::from_utf8(bytes).err().map(|error| error.valid_up_to() as u32);
        let text: Arc<str> = String::from_utf8_lossy(bytes).into();
        self.push(Source { name: name.into(), text, not_utf8_at })
    }

    /// The text of an id. An id of another registry gives the empty source.
    pub fn get(&self, id: SourceId) -> &Source {
        static NONE: std::sync::LazyLock<Source> =
            std::sync::LazyLock::new(|| Source { name: String::new(), text: "".into(), not_utf8_at: None });
        self.list.get(id.0 as usize).unwrap_or(&NONE)
    }

    /// All ids, in the order in which the texts were added.
    pub fn ids(&self) -> impl Iterator<Item = SourceId> + use<> {
        (0..self.list.len() as u32).map(SourceId)
    }

    /// Writes something else over a part of a text, as long as what stands there, so that no place moves.
    pub(crate) fn overwrite(&mut self, span: Span, by: impl Fn(char) -> char) {
        let Some(source) = self.list.get_mut(span.source.0 as usize) else { return };
        let (start, end) = (floor(&source.text, span.start as usize), floor(&source.text, span.end as usize));
        let written: String = source.text[start..end].chars().map(by).collect();
        if written.len() == end - start {
            source.text = [&source.text[..start], &written, &source.text[end..]].concat().into();
        }
    }

    fn push(&mut self, source: Source) -> SourceId {
        self.list.push(source);
        SourceId(self.list.len() as u32 - 1)
    }
}

/// A range of bytes in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub fn new(source: SourceId, start: usize, end: usize) -> Span {
        Span { source, start: start as u32, end: end.max(start) as u32 }
    }

    /// From the start of this span to the end of `other`, in the same source.
    pub fn to(self, other: Span) -> Span {
        Span { source: self.source, start: self.start, end: other.end.max(self.start) }
    }

    /// Whether all of `other` stands in this span.
    pub fn holds(self, other: Span) -> bool {
        self.source == other.source && self.start <= other.start && other.end <= self.end
    }
}

/// A value and where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What is written.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value written at `span`.
    pub fn new(value: T, span: Span) -> Spanned<T> {
        Spanned { value, span }
    }

    /// The same place with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }
}

/// Another place that explains a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Where.
    pub span: Span,
    /// What is there.
    pub text: Wording,
}

/// One mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What to replace.
    pub span: Span,
    /// By what.
    pub replacement: String,
    /// What the mend does.
    pub text: Wording,
    /// Whether a program may make it; else people are offered it, who know whether another place is the wrong one.
    pub safe: bool,
}

/// One fault of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// Where it is.
    pub span: Span,
    /// What is wrong and what to do; enough on its own.
    pub message: Wording,
    /// A few words under the caret.
    pub label: Option<Wording>,
    /// Other places that explain it.
    pub context: Vec<Context>,
    /// What to write instead.
    pub hints: Vec<Wording>,
    /// A mend.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A fault of kind `code` at `span`.
    pub fn new(code: Code, span: Span, message: Wording) -> Diagnostic {
        Diagnostic { code, span, message, label: None, context: Vec::new(), hints: Vec::new(), fix: None }
    }

    /// Writes a few words under the caret.
    pub fn label(mut self, text: Wording) -> Diagnostic {
        self.label = Some(text);
        self
    }

    /// Adds another place that explains the fault.
    pub fn context(mut self, span: Span, text: Wording) -> Diagnostic {
        self.context.push(Context { span, text });
        self
    }

    /// Adds what to write instead.
    pub fn hint(mut self, text: Wording) -> Diagnostic {
        self.hints.push(text);
        self
    }

    /// Adds a hint if there is one.
    pub fn hint_if(self, text: Option<Wording>) -> Diagnostic {
        match text {
            Some(text) => self.hint(text),
            None => self,
        }
    }

    /// Adds a mend: `replacement` instead of what stands at `span`.
    pub fn fix(mut self, span: Span, replacement: impl Into<String>, text: Wording) -> Diagnostic {
        self.fix = Some(Fix { span, replacement: replacement.into(), text, safe: true });
        self
    }

    /// Offers a mend that is likely, and that no program makes.
    pub fn offer(self, span: Span, replacement: impl Into<String>, text: Wording) -> Diagnostic {
        let mut found = self.fix(span, replacement, text);
        found.fix.iter_mut().for_each(|fix| fix.safe = false);
        found
    }

    /// Adds the mend of one word: `better` instead of what stands at `span`.
    pub fn fix_word(self, span: Span, better: impl Into<String>) -> Diagnostic {
        let better = better.into();
        let text = Wording::new(format!("改成 `{better}`"), format!("write `{better}`"));
        self.fix(span, better, text)
    }

    /// Whether it stops the text from being used.
    pub fn is_error(&self) -> bool {
        self.code.severity() == Severity::Error
    }
}

/// Puts diagnostics into the order in which they are shown (file, place, code) and drops repetitions.
pub fn sort(diagnostics: &mut Vec<Diagnostic>, sources: &Sources) {
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.span.start, d.span.end, d.code);
        let names = (&sources.get(a.span.source).name, &sources.get(b.span.source).name);
        names.0.cmp(names.1).then(a.span.source.cmp(&b.span.source)).then(key(a).cmp(&key(b)))
    });
    diagnostics.dedup();
}

/// Whether any of them stops the texts from being used.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

/// The words of a list for a sentence: `` `a`, `b`, `c` ``.
pub(crate) fn quoted_list<'a>(words: impl IntoIterator<Item = &'a str>) -> Wording {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    Wording::new(words.join("、"), words.join(", "))
}
