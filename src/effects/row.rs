//! Which row of an `each` a task is of, in words: rows of one step look alike to who is asked for several.

use super::format::{Words, clean_line};
use crate::engine::event::{Entry, Event, OpenedTask};
use crate::engine::rows_around;
use crate::engine::state::{Row, State, Task};
use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, FieldKind};
use crate::model::id::{FieldName, StepId, TaskId, TokenId};
use crate::model::text::Lang;
use crate::model::value::{Record, Value};
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

    /// What people call a step where a token is, with its row.
    pub fn step_in(&self, definition: &Definition, state: &State, token: TokenId, step: &StepId) -> String {
        let row = rows_around(definition, state, token).pop();
        self.with_row(self.step(definition, step), row.map(|(_, row)| self.row(definition, row)))
    }

    /// The rows that every token ever was in.
    pub(super) fn rows_of(&self, definition: &Definition, log: &[Entry]) -> BTreeMap<TokenId, String> {
        let mut rows = BTreeMap::<TokenId, String>::new();
        for event in log.iter().flat_map(|entry| &entry.events) {
            if let Event::ScopeOpened { holder, row, token, .. } = event {
                let words = row.as_ref().map(|row| self.row(definition, row));
                if let Some(words) = words.or_else(|| rows.get(holder).cloned()) {
                    rows.insert(*token, words);
                }
            }
        }
        rows
    }

    /// What people call every task that was ever opened, with its row.
    pub fn tasks_of(&self, definition: &Definition, log: &[Entry]) -> BTreeMap<TaskId, String> {
        let rows = self.rows_of(definition, log);
        let opened = log.iter().flat_map(|entry| &entry.events).filter_map(|event| match event {
            Event::TaskOpened { task, opened } => Some((*task, &**opened)),
            _ => None,
        });
        let title = |(task, opened): (TaskId, &OpenedTask)| {
            let title = self.task(definition, &opened.step, opened.kind);
            (task, self.with_row(title, rows.get(&opened.token).cloned()))
        };
        opened.map(title).collect()
    }

    pub(super) fn with_row(&self, title: String, row: Option<String>) -> String {
        match (row, self.lang) {
            (None, _) => title,
            (Some(row), Lang::Zh) => format!("{title}（{row}）"),
            (Some(row), Lang::En) => format!("{title} ({row})"),
        }
    }

    /// `第 2 行：华康医院`, by the first text, else the first person, else the first value that the row holds.
    fn row(&self, definition: &Definition, row: &Row) -> String {
        self.row_at(row.number as usize, &self.row_name(definition, row))
    }

    /// The row at a place, counted from 0, with its name where it has one.
    pub(super) fn row_at(&self, place: usize, name: &str) -> String {
        let number = place.saturating_add(1);
        let name: String = name.chars().take(LONGEST).collect();
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
        self.row_called(brought(definition, row).into_iter(), &row.columns)
    }

    /// What a row is called by these columns.
    pub(super) fn row_called<'c>(
        &self,
        columns: impl Iterator<Item = (&'c FieldName, &'c Field)> + Clone,
        row: &Record,
    ) -> String {
        let found = |wanted: &dyn Fn(&Field, &Value) -> bool| {
            let mut columns = columns.clone().filter_map(|(name, field)| Some((field, row.get(name)?)));
            let (field, value) = columns.find(|(field, value)| !value.is_null() && wanted(field, value))?;
            Some(clean_line(&self.value(Some(field), value)))
        };
        let text = found(&|field, _| field.kind == FieldKind::Text);
        let person = || found(&|_, value| matches!(value, Value::Person(_)));
        // Yes and no, files and lists name nothing.
        let first = || {
            found(&|field, value| {
                !matches!(value, Value::Boolean(_) | Value::File(_) | Value::List(_))
                    && field.kind != FieldKind::LongText
            })
        };
        text.or_else(person).or_else(first).unwrap_or_default()
    }
}

/// The columns that a row brings with it, in the order of its list: without those that its steps ask.
fn brought<'a>(definition: &'a Definition, row: &Row) -> Vec<(&'a FieldName, &'a Field)> {
    let mut steps = definition.steps.values();
    let each = steps.find_map(|step| match &step.kind {
        StepKind::Each(each) if each.alias == row.alias => Some(each),
        _ => None,
    });
    let asked = |name: &FieldName| {
        let mut humans = definition.steps.values().filter_map(|step| step.human());
        humans.any(|human| human.form.contains_key(name))
    };
    each.into_iter().flat_map(|each| &each.columns).filter(|(name, _)| !asked(name)).collect()
}
