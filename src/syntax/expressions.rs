//! Reads where an expression stands: one that YAML took apart, none at all, and the marks that keyboards and other
//! tools put into it. What has one safe mend is read as if mended, so that the rest of it is checked too; what the
//! expression means is no business of this room.

use super::feel::{self, FeelText};
use super::fields::{Lowering, missing_value};
use super::node::{Draft, Node, NodeKind, ScalarForm};
use super::trap;
use crate::diagnostics::{Diagnostic, Span};
use crate::model::text::Wording;

/// So many marks of other tools are told of one expression: who mends these sees the rest.
const MOST_MARKS: usize = 20;

impl Lowering<'_> {
    /// An expression. `None` if its text cannot be one, which is then reported.
    pub(crate) fn feel(&mut self, node: &Node, key: &str) -> Option<FeelText> {
        let NodeKind::Scalar { text, form } = &node.kind else {
            return self.bare_brackets(node, key);
        };
        if text.trim().is_empty() {
            self.report(missing_value(node.span, key));
            return None;
        }
        let feel = FeelText::new(text, node.span, *form, &self.source.text);
        if trap::full_width_mark(text).is_none() && trap::foreign_marks(text).is_empty() {
            return Some(feel);
        }
        let mut draft = Draft::new(text);
        let mut sound = true;
        if let Some((at, mark, typed)) = trap::full_width_mark(text) {
            let diagnostic = trap::full_width(feel.span_of(at..at + mark.len_utf8()), mark, typed);
            self.report(self.mend_all_marks(diagnostic, &feel, at));
            // It becomes a list of YAML, no expression.
            sound = !(at == 0 && matches!(mark, '【' | '［' | '｛'));
        }
        trap::type_plain(&mut draft);
        let mut told = 0;
        while let Some((at, length, mark)) = trap::foreign_marks(draft.text()).first().copied() {
            told += 1;
            if told > MOST_MARKS {
                sound = false;
                break;
            }
            let written = draft.origin_of(at..at + length);
            let written = feel.span_of(written.start as usize..written.end as usize);
            let found = trap::foreign(&self.source.text, written, mark);
            match &found.fix {
                Some(fix) => draft.replace(at..at + length, &fix.replacement),
                None => {
                    sound = false;
                    draft.blank(at..at + length);
                }
            }
            self.report(found);
        }
        sound.then(|| feel.mended(draft))
    }

    /// An expression that YAML reads as a list or a group. An interval without its quotes is read as it is meant.
    fn bare_brackets(&mut self, node: &Node, key: &str) -> Option<FeelText> {
        if node.kind == NodeKind::Broken {
            return None;
        }
        let found = trap::unquoted(&self.source.text, self.first_line(node.span), key);
        let raw = self.source.text.get(node.span.start as usize..node.span.end as usize)?;
        let interval = matches!(node.kind, NodeKind::Sequence(_)) && raw.contains("..") && !raw.contains('\'');
        let interval = interval && found.fix.is_some();
        if !interval {
            self.overlooked.push(node.span);
        }
        self.report(found);
        interval.then(|| FeelText::new(raw, node.span, ScalarForm::Plain, &self.source.text))
    }

    /// Mends all full-width marks of an expression at once, if it stands in the file as it is read.
    fn mend_all_marks(&self, mut diagnostic: Diagnostic, feel: &FeelText, first: usize) -> Diagnostic {
        let rest = &feel.text[first..];
        let span = feel.span_of(first..feel.text.len());
        diagnostic.fix = None;
        if self.source.text.get(span.start as usize..span.end as usize) != Some(rest) {
            return diagnostic;
        }
        let mut mended = Draft::new(rest);
        trap::type_plain(&mut mended);
        diagnostic.fix(span, mended.text(), Wording::new("改成半角", "type the plain marks"))
    }

    /// An expression that may be a text: a quoted lone word is refused, as YAML takes its quotes away.
    pub(crate) fn feel_value(&mut self, node: &Node, key: &str) -> Option<FeelText> {
        match quoted_word(node) {
            Some((word, form)) => {
                self.report(trap::quoted_word(node.span, word, form));
                None
            }
            None => self.feel(node, key),
        }
    }

    /// An expression that names a person: where the name stands in quotes, `person("…")` is meant.
    pub(crate) fn feel_person(&mut self, node: &Node, key: &str) -> Option<FeelText> {
        match quoted_word(node) {
            Some((word, _)) => {
                self.report(trap::quoted_person(node.span, word));
                None
            }
            None => self.feel(node, key),
        }
    }

    /// One expression, or a list of them.
    pub(crate) fn feels(&mut self, node: &Node, key: &str) -> Vec<FeelText> {
        match &node.kind {
            NodeKind::Sequence(items) => items.iter().flat_map(|item| self.item(item, key)).collect(),
            NodeKind::Mapping(_) if is_of_people(key) => {
                self.report(trap::people_with_keys(&self.source.text, self.first_line(node.span), key));
                Vec::new()
            }
            _ => match self.in_a_row(node).filter(|_| is_of_people(key)) {
                Some(names) => {
                    self.report(trap::in_a_row(node.span, &names));
                    names
                }
                None => self.feel(node, key).into_iter().collect(),
            },
        }
    }

    /// An item of a list of expressions. Names in it that no plain comma parts are items of their own.
    fn item(&mut self, node: &Node, key: &str) -> Vec<FeelText> {
        let names = self.in_a_row(node).filter(|_| is_of_people(key));
        let text = self.source.text.get(node.span.start as usize..node.span.end as usize).unwrap_or("");
        let mark = text.char_indices().find(|(_, c)| matches!(c, '，' | '、'));
        let Some((names, (at, mark))) = names.zip(mark) else {
            return self.feel(node, key).into_iter().collect();
        };
        let start = node.span.start as usize + at;
        let found = trap::full_width(Span::new(self.id, start, start + mark.len_utf8()), mark, ",");
        let typed = names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(", ");
        self.report(found.fix(node.span, typed, Wording::new("改成半角", "type the plain marks")));
        names
    }

    /// Names with commas between them, which are meant to be a list.
    fn in_a_row(&self, node: &Node) -> Option<Vec<FeelText>> {
        let NodeKind::Scalar { text, form } = &node.kind else { return None };
        let raw = self.source.text.get(node.span.start as usize..node.span.end as usize)?;
        let start = node.span.start as usize + raw.find(text.as_str())?;
        let mut at = 0;
        let mut names = Vec::new();
        for piece in text.split(COMMAS) {
            let name = piece.trim();
            let from = start + at + (piece.len() - piece.trim_start().len());
            let span = Span::new(node.span.source, from, from + name.len());
            names.push(FeelText::new(name, span, ScalarForm::Plain, &self.source.text));
            let behind = text.get(at + piece.len()..).and_then(|rest| rest.chars().next());
            at += piece.len() + behind.map_or(0, char::len_utf8);
            if !feel::is_word(name) || feel::is_keyword(name) {
                return None;
            }
        }
        (names.len() > 1 && *form != ScalarForm::Literal && *form != ScalarForm::Folded).then_some(names)
    }
}

/// What people put between names.
pub(super) const COMMAS: [char; 3] = [',', '，', '、'];

/// Whether a key takes people, each of whom may stand in a list.
pub(super) fn is_of_people(key: &str) -> bool {
    matches!(key, "start" | "approve" | "task" | "notify" | "copy" | "reassign" | "by")
}

/// A lone word in quotes, which YAML takes away.
fn quoted_word(node: &Node) -> Option<(&str, ScalarForm)> {
    match &node.kind {
        NodeKind::Scalar { text, form } if form.is_quoted() && feel::is_word(text) => Some((text, *form)),
        _ => None,
    }
}
