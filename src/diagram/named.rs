//! A formula as its author wrote it, but for the names in it: who looks at a picture knows titles and no names.
//!
//! Only a word that stands for one thing is replaced: a field, a column, an option, a position, a department. Texts
//! in quotes, what follows a dot and what is called like a function stay as they are, and so does a word that has
//! several titles.

use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, FieldKind};
use crate::model::people::Directory;
use crate::model::text::{Lang, Text, clean_line};
use std::collections::BTreeMap;

/// The titles of the names that formulas of a process can hold; `None` for a name with several.
pub(super) struct Titles<'a>(BTreeMap<&'a str, Option<&'a Text>>);

impl<'a> Titles<'a> {
    pub(super) fn of(definition: &'a Definition, directory: &'a Directory) -> Titles<'a> {
        let mut titles = Titles(BTreeMap::new());
        for (name, field) in definition.fields() {
            titles.field(name.as_str(), field);
        }
        for step in definition.steps.values() {
            if let StepKind::Each(each) = &step.kind {
                each.columns.iter().for_each(|(name, column)| titles.field(name.as_str(), column));
            }
        }
        directory.positions.iter().for_each(|(id, position)| titles.add(id.as_str(), &position.title));
        directory.departments.iter().for_each(|(id, department)| titles.add(id.as_str(), &department.title));
        titles
    }

    fn field(&mut self, name: &'a str, field: &'a Field) {
        self.add(name, &field.title);
        match &field.kind {
            FieldKind::Choice(options) => options.iter().for_each(|(option, title)| self.add(option, title)),
            FieldKind::List(columns) => columns.iter().for_each(|(name, column)| self.field(name.as_str(), column)),
            _ => {}
        }
    }

    fn add(&mut self, name: &'a str, title: &'a Text) {
        let known = self.0.entry(name).or_insert(Some(title));
        if *known != Some(title) {
            *known = None;
        }
    }

    /// The text of a formula with titles for names, on one line.
    pub(super) fn put_into(&self, formula: &str, lang: Lang) -> String {
        let (mut said, mut rest, mut before) = (String::new(), formula, ' ');
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' => quoted(rest),
                _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                _ => first.len_utf8(),
            };
            let (piece, after) = rest.split_at(length);
            let called = after.trim_start().starts_with('(');
            match self.0.get(piece).copied().flatten().filter(|_| before != '.' && !called) {
                Some(title) => said.push_str(title.get(lang)),
                None => said.push_str(piece),
            }
            before = piece.chars().next_back().filter(|last| !last.is_whitespace()).unwrap_or(before);
            rest = after;
        }
        clean_line(&said)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// How long the quoted text is that a text begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}
