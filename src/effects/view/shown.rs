//! What a step shows of the data to whom it asks: `show` and `hide`.

use crate::engine::state::TaskKind;
use crate::model::definition::{Definition, Human};
use crate::model::id::{FieldName, StepId};
use crate::model::value::{Record, Value};
use std::borrow::Cow;

/// What a task shows. Everything but what its step hides; all of it to who revises the case, as it is theirs.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(Option<&'a Human>);

impl<'a> Shown<'a> {
    /// What a reader sees who is asked nothing.
    pub const EVERYTHING: Shown<'static> = Shown(None);

    /// What a task of a step shows.
    pub fn at(definition: &'a Definition, step: &StepId, kind: TaskKind) -> Shown<'a> {
        let step = definition.steps.get(step).filter(|_| !matches!(kind, TaskKind::Revise { .. }));
        Shown(step.and_then(|step| step.human()))
    }

    /// Whether a field is shown, be it in part.
    pub fn field(&self, name: &FieldName) -> bool {
        let Some(human) = self.0 else { return true };
        human.show.as_ref().is_none_or(|show| show.contains(name))
    }

    /// Whether a column of a list is shown.
    pub fn column(&self, list: &FieldName, column: &FieldName) -> bool {
        let Some(human) = self.0 else { return true };
        human.show_columns.get(list).is_none_or(|columns| columns.contains(column))
    }

    /// The data without what is not shown.
    pub fn of(&self, data: &'a Record) -> Cow<'a, Record> {
        if self.0.is_none_or(|human| human.show.is_none() && human.show_columns.is_empty()) {
            return Cow::Borrowed(data);
        }
        let shown = data.iter().filter(|(name, _)| self.field(name));
        Cow::Owned(shown.map(|(name, value)| (name.clone(), self.value(name, value))).collect())
    }

    fn value(&self, name: &FieldName, value: &Value) -> Value {
        let Value::List(rows) = value else { return value.clone() };
        let row = |row: &Value| match row {
            Value::Record(record) => {
                let shown = record.iter().filter(|(column, _)| self.column(name, column));
                Value::Record(shown.map(|(column, value)| (column.clone(), value.clone())).collect())
            }
            plain => plain.clone(),
        };
        Value::List(rows.iter().map(row).collect())
    }
}
