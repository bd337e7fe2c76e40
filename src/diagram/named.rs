//! A formula as its author wrote it, but for the names in it: who looks at a picture knows titles and no names.
//!
//! Only a word that stands for one thing is replaced: a field, a column, an option, a position, a department; after a
//! dot, a column only. Texts in quotes and what is called like a function stay as they are, and so does a word that
//! has several titles.

use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, FieldKind};
use crate::model::people::Directory;
use crate::model::text::{Lang, Text, clean_line};
use std::collections::BTreeMap;

/// The titles of the names that formulas of a process can hold.
#[derive(Default)]
pub(super) struct Titles<'a> {
    /// What a word on its own stands for.
    names: Known<'a>,
    /// What a word after a dot stands for.
    columns: Known<'a>,
}

/// Titles by name; `None` for a name with several.
type Known<'a> = BTreeMap<&'a str, Option<&'a Text>>;

impl<'a> Titles<'a> {
    pub(super) fn of(definition: &'a Definition, directory: &'a Directory) -> Titles<'a> {
        let mut titles = Titles::default();
        for (name, field) in definition.fields() {
            titles.field(name.as_str(), field);
        }
        for step in definition.steps.values() {
            if let StepKind::Each(each) = &step.kind {
                each.columns.iter().for_each(|(name, column)| titles.column(name.as_str(), column));
            }
        }
        directory.positions.iter().for_each(|(id, position)| add(&mut titles.names, id.as_str(), &position.title));
        directory.departments.iter().for_each(|(id, of)| add(&mut titles.names, id.as_str(), &of.title));
        titles
    }

    fn field(&mut self, name: &'a str, field: &'a Field) {
        add(&mut self.names, name, &field.title);
        match &field.kind {
            FieldKind::Choice(options) => {
                options.iter().for_each(|(option, title)| add(&mut self.names, option, title));
            }
            FieldKind::List(columns) => columns.iter().for_each(|(name, column)| self.column(name.as_str(), column)),
            _ => {}
        }
    }

    fn column(&mut self, name: &'a str, column: &'a Field) {
        self.field(name, column);
        add(&mut self.columns, name, &column.title);
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
            let known = if before == '.' { &self.columns } else { &self.names };
            match known.get(piece).copied().flatten().filter(|_| !called) {
                Some(title) => said.push_str(title.get(lang)),
                None => said.push_str(piece),
            }
            before = piece.chars().next_back().filter(|last| !last.is_whitespace()).unwrap_or(before);
            rest = after;
        }
        clean_line(&said)
    }
}

fn add<'a>(titles: &mut Known<'a>, name: &'a str, title: &'a Text) {
    let known = titles.entry(name).or_insert(Some(title));
    if *known != Some(title) {
        *known = None;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_dot_stands_a_column_or_what_belongs_to_a_value() {
        let (costs, price, year) =
            (Text::One("明细".to_owned()), Text::One("费用".to_owned()), Text::One("年度".to_owned()));
        let mut titles = Titles::default();
        [("costs", &costs), ("price", &price), ("year", &year)]
            .into_iter()
            .for_each(|(name, title)| add(&mut titles.names, name, title));
        add(&mut titles.columns, "price", &price);
        let said = |formula: &str| titles.put_into(formula, Lang::Zh);
        assert_eq!(said("sum(costs[price != null].price) > 5"), "sum(明细[费用 != null].费用) > 5");
        assert_eq!(said("day.year = year"), "day.year = 年度");
        assert_eq!(said("price(\"price\") = price"), "price(\"price\") = 费用");
    }
}
