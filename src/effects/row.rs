//! Which row of an `each` a task is of, in words: rows of one step look alike to who is asked for several.

use super::format::{Words, clean_line};
use crate::engine::event::{Entry, Event};
use crate::engine::rows_around;
use crate::engine::state::{Row, State, Task};
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::id::{FieldName, TaskId, TokenId};
use crate::model::text::Lang;
use crate::model::value::Value;
use std::collections::BTreeMap;

/// The longest name of a row, in characters.
const LONGEST: usize = 24;

impl Words<'_> {
    /// What people call an open task, with its row: `走访（第 2 行：华康医院）`.
    pub fn task_in(&self, definition: &Definition, state: &State, task: &Task) -> String {
        let title = self.task(definition, &task.step, task.kind);
        let row = rows_around(definition, state, task.token).pop();
        self.with_row(title, row.map(|(_, row)| self.row(definition, row)))
    }

    /// What people call every task that was ever opened, with its row.
    pub fn tasks_of(&self, definition: &Definition, log: &[Entry]) -> BTreeMap<TaskId, String> {
        let (mut rows, mut titles) = (BTreeMap::<TokenId, String>::new(), BTreeMap::new());
        for event in log.iter().flat_map(|entry| &entry.events) {
            match event {
                Event::ScopeOpened { holder, row, token, .. } => {
                    let words = row.as_ref().map(|row| self.row(definition, row));
                    if let Some(words) = words.or_else(|| rows.get(holder).cloned()) {
                        rows.insert(*token, words);
                    }
                }
                Event::TaskOpened { task, opened } => {
                    let title = self.task(definition, &opened.step, opened.kind);
                    titles.insert(*task, self.with_row(title, rows.get(&opened.token).cloned()));
                }
                _ => {}
            }
        }
        titles
    }

    fn with_row(&self, title: String, row: Option<String>) -> String {
        match (row, self.lang) {
            (None, _) => title,
            (Some(row), Lang::Zh) => format!("{title}（{row}）"),
            (Some(row), Lang::En) => format!("{title} ({row})"),
        }
    }

    /// `第 2 行：华康医院`, by the first text, or else the first person, that the row holds.
    fn row(&self, definition: &Definition, row: &Row) -> String {
        let number = row.number.saturating_add(1);
        let name: String = self.row_name(definition, row).chars().take(LONGEST).collect();
        match (self.lang, name.is_empty()) {
            (Lang::Zh, true) => format!("第 {number} 行"),
            (Lang::Zh, false) => format!("第 {number} 行：{name}"),
            (Lang::En, true) => format!("row {number}"),
            (Lang::En, false) => format!("row {number}: {name}"),
        }
    }

    fn row_name(&self, definition: &Definition, row: &Row) -> String {
        if row.plain {
            return row.columns.get(&row.alias).map(|value| clean_line(&self.value(None, value))).unwrap_or_default();
        }
        let found = |wanted: &dyn Fn(&FieldName, &Value) -> bool| {
            let mut columns = row.columns.iter();
            let (name, value) = columns.find(|(name, value)| !value.is_null() && wanted(name, value))?;
            Some(clean_line(&self.value(column(definition, name), value)))
        };
        let text =
            |name: &FieldName, _: &Value| column(definition, name).is_some_and(|field| field.kind == FieldKind::Text);
        found(&text).or_else(|| found(&|_, value| matches!(value, Value::Person(_)))).unwrap_or_default()
    }
}

/// A column of a list of the process, by its name.
fn column<'a>(definition: &'a Definition, name: &FieldName) -> Option<&'a Field> {
    definition.fields().find_map(|(_, field)| match &field.kind {
        FieldKind::List(columns) => Form::get(columns, name),
        _ => None,
    })
}
