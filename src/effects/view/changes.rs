//! What changed between two states of the data, for who saw the first.

use super::fields::label;
use crate::effects::format::Words;
use crate::engine::columns_of;
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::id::FieldName;
use crate::model::text::Lang;
use crate::model::value::{Record, Value};
use serde::Serialize;

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
    let mut found = Vec::new();
    for index in 0..old.len().max(new.len()) {
        let row = match words.lang {
            Lang::Zh => format!("{title} · 第 {} 行", index + 1),
            Lang::En => format!("{title} · row {}", index + 1),
        };
        match (old.get(index), new.get(index)) {
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
