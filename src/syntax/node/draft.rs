//! A text with mends tried out in it, which knows where in the written text each of its bytes stands.

use crate::diagnostics::{Diagnostic, Span};
use std::ops::Range;

/// A text as it is read, beside the text as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    text: String,
    /// For each byte of `text`, and for its end, where that stands in the written text.
    origins: Vec<u32>,
}

impl Draft {
    /// A text in which nothing is mended yet.
    pub(crate) fn new(written: &str) -> Draft {
        Draft { text: written.to_owned(), origins: (0..=written.len() as u32).collect() }
    }

    /// The text as it is read.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where in the written text a byte of this one stands.
    pub(crate) fn origin(&self, at: usize) -> u32 {
        self.origins.get(at).or(self.origins.last()).copied().unwrap_or(0)
    }

    /// Where in the written text a range of this one stands.
    pub(crate) fn origin_of(&self, range: Range<usize>) -> Range<u32> {
        self.origin(range.start)..self.origin(range.end)
    }

    /// Puts other words in the place of a range. What stood there keeps its places where it is in them still, as
    /// within quotes that are added.
    pub(crate) fn replace(&mut self, range: Range<usize>, words: &str) {
        let Some(old) = self.text.get(range.clone()) else { return };
        let (start, end) = (self.origin(range.start), self.origin(range.end));
        let kept = words.find(old).filter(|_| !old.is_empty()).map(|at| at..at + old.len());
        let origin = |at: usize| match &kept {
            Some(kept) if kept.contains(&at) => self.origin(range.start + at - kept.start),
            Some(kept) if at < kept.start => start,
            None if at == 0 => start,
            _ => end,
        };
        let origins: Vec<u32> = (0..words.len()).map(origin).collect();
        self.origins.splice(range.clone(), origins);
        self.text.replace_range(range, words);
    }

    /// Leaves out what stands in a range; its lines stay, empty.
    pub(crate) fn blank(&mut self, range: Range<usize>) {
        let Some(old) = self.text.get(range.clone()) else { return };
        let empty: String =
            old.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { byte as char } else { ' ' }).collect();
        self.text.replace_range(range, &empty);
    }

    /// A span of this text as one of the written text.
    pub(crate) fn written(&self, span: Span) -> Span {
        let range = self.origin_of(span.start as usize..span.end as usize);
        Span { start: range.start, end: range.end, ..span }
    }

    /// What is said of this text, as it is to be said of the written one.
    pub(crate) fn written_diagnostic(&self, mut found: Diagnostic) -> Diagnostic {
        found.span = self.written(found.span);
        found.context.iter_mut().for_each(|context| context.span = self.written(context.span));
        found.fix.iter_mut().for_each(|fix| fix.span = self.written(fix.span));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_written_text() {
        let mut draft = Draft::new("type：text");
        draft.replace(4..7, ": ");
        assert_eq!(draft.text(), "type: text");
        assert_eq!(draft.origin_of(0..4), 0..4);
        assert_eq!(draft.origin_of(6..10), 7..11);
        draft.replace(6..10, "'text'");
        assert_eq!(draft.text(), "type: 'text'");
        assert_eq!(draft.origin_of(7..11), 7..11, "within the quotes as before");
        assert_eq!(draft.origin_of(6..12), 7..11);
    }

    #[test]
    fn what_is_left_out_keeps_its_lines() {
        let mut draft = Draft::new("a: 客户\nb: 1\n");
        draft.blank(0..9);
        assert_eq!(draft.text(), "         \nb: 1\n");
        assert_eq!(draft.origin(10), 10);
    }
}
