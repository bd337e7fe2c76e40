//! What changed between two states of the data, for who saw the first.

use super::fields::label;
use crate::effects::format::Words;
use crate::engine::columns_of;
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::id::FieldName;
use crate::model::value::{Record, Value};
use serde::Serialize;
use std::collections::BTreeSet;

/// One field that changed since it was last shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What the form calls it, with row and column in a list: `物品 · 第 1 行 · 数量`.
    pub label: String,
    /// What was shown; empty where it was not set.
    pub before: String,
    /// What it is now; empty where it is gone.
    pub after: String,
}

/// What changed between two states of the data, in the order of the form.
pub fn changes(definition: &Definition, before: &Record, after: &Record, words: &Words<'_>) -> Vec<Change> {
    changes_of(definition, definition.fields(), before, after, words)
}

/// What of these fields changed between two states of the data.
pub fn changes_of<'f>(
    definition: &Definition,
    fields: impl Iterator<Item = (&'f FieldName, &'f Field)>,
    before: &Record,
    after: &Record,
    words: &Words<'_>,
) -> Vec<Change> {
    let mut found = Vec::new();
    for (name, field) in fields {
        let (old, new) = (before.get(name).unwrap_or(&Value::Null), after.get(name).unwrap_or(&Value::Null));
        if old == new {
            continue;
        }
        match (&field.kind, old, new) {
            (FieldKind::List(columns), Value::List(old), Value::List(new)) => {
                let columns = columns_of(definition, name, columns);
                found.extend(row_changes(field, &columns, old, new, words));
            }
            _ => found.push(Change {
                label: label(field, words),
                before: words.value(Some(field), old),
                after: words.value(Some(field), new),
            }),
        }
    }
    found.retain(|change| change.before != change.after);
    found
}

fn row_changes(field: &Field, columns: &Form, old: &[Value], new: &[Value], words: &Words<'_>) -> Vec<Change> {
    let title = label(field, words);
    let name = |row: &Value| match row {
        Value::Record(row) => words.row_called(columns.iter(), row),
        _ => String::new(),
    };
    let mut found = Vec::new();
    for (was, is) in pairs(old, new, &name) {
        let Some(index) = is.or(was) else { continue };
        // What came or went is told whole, with its name.
        let called = was.and(is).and_then(|is| new.get(is)).map(name).unwrap_or_default();
        let row = format!("{title} · {}", words.row_at(index, &called));
        match (was.and_then(|was| old.get(was)), is.and_then(|is| new.get(is))) {
            (Some(Value::Record(old)), Some(Value::Record(new))) => {
                for (name, column) in columns {
                    let (old, new) = (old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null));
                    if old != new {
                        found.push(Change {
                            label: format!("{row} · {}", label(column, words)),
                            before: words.value(Some(column), old),
                            after: words.value(Some(column), new),
                        });
                    }
                }
            }
            (old, new) => found.push(Change {
                label: row,
                before: old.map(|row| words.value(Some(field), row)).unwrap_or_default(),
                after: new.map(|row| words.value(Some(field), row)).unwrap_or_default(),
            }),
        }
    }
    found
}

/// Which row became which: rows of one name are the same, then those at one place; the others came or went. Rows that
/// only changed places are told by their places.
fn pairs(old: &[Value], new: &[Value], name: &dyn Fn(&Value) -> String) -> Vec<(Option<usize>, Option<usize>)> {
    let by_place = || (0..old.len().max(new.len())).map(|at| (old.get(at).map(|_| at), new.get(at).map(|_| at)));
    let names: Vec<String> = old.iter().map(name).collect();
    let mut left: BTreeSet<usize> = (0..old.len()).collect();
    let mut found: Vec<(Option<usize>, Option<usize>)> = Vec::new();
    for (at, row) in new.iter().enumerate() {
        let called = name(row);
        let same = |was: &usize| !called.is_empty() && names.get(*was) == Some(&called);
        let was = Some(at).filter(|at| left.contains(at)).filter(same).or_else(|| left.iter().copied().find(same));
        if let Some(was) = was {
            left.remove(&was);
        }
        found.push((was, Some(at)));
    }
    for (was, is) in &mut found {
        if was.is_none() && is.is_some_and(|is| left.remove(&is)) {
            *was = *is;
        }
    }
    found.extend(left.into_iter().map(|was| (Some(was), None)));
    let alike =
        |(was, is): &(Option<usize>, Option<usize>)| was.and_then(|was| old.get(was)) == is.and_then(|is| new.get(is));
    if found.iter().all(alike) { by_place().collect() } else { found }
}
