//! The data that tests give and expect, typed against the fields of a process.
//!
//! What a form can hold is judged when the test is played, by the engine; here values only have to be of their type.

use super::file::with_files;
use super::lower::Lowering;
use super::unknown::no_field;
use crate::compile::fields::field_of;
use crate::diagnostics::{Code, Span};
use crate::model::control::Each;
use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, FieldKind};
use crate::model::id::{FieldName, StepId};
use crate::model::input::{Misread, read_json};
use crate::model::value::{Record, Value};
use crate::syntax::{Data, Given};

impl Lowering<'_> {
    /// Fields of a process as they are written at a step, or at the start: in a row, a column goes before a field of the
    /// case that is called alike.
    pub(super) fn values(
        &mut self,
        definition: Option<&Definition>,
        at: Option<&StepId>,
        given: Option<&Given>,
    ) -> Record {
        let mut record = Record::new();
        let Some(definition) = definition else { return record };
        for (_, name, value) in self.fields(definition, at, given) {
            record.insert(name, value);
        }
        record
    }

    /// Fields as they should be: two quotes are an empty text, which no form leaves but a step may write.
    pub(super) fn expected(&mut self, whole: &Definition, given: Option<&Given>) -> Vec<(Span, FieldName, Value)> {
        let mut found = self.fields(whole, None, given);
        let Some(Data::Map(entries)) = given.map(|given| &given.data) else { return found };
        for (_, name, value) in &mut found {
            let quotes = |(word, data): &(String, Data)| word == name.as_str() && *data == Data::Text(String::new());
            let text = |field: &Field| matches!(field.kind, FieldKind::Text | FieldKind::LongText) && !field.many;
            if entries.iter().any(quotes) && answerable(whole).any(|(known, field)| known == name && text(field)) {
                *value = Value::text("");
            }
        }
        found
    }

    fn fields(
        &mut self,
        definition: &Definition,
        at: Option<&StepId>,
        given: Option<&Given>,
    ) -> Vec<(Span, FieldName, Value)> {
        let mut found = Vec::new();
        let Some((given, Data::Map(entries))) = given.map(|given| (given, &given.data)) else { return found };
        for (word, data) in entries {
            let name = FieldName::from(word.as_str());
            let here = at.and_then(|step| definition.field_at(step, &name));
            let anywhere = || answerable(definition).find(|(known, _)| **known == name).map(|(_, field)| field);
            let Some(field) = here.or_else(anywhere) else {
                let names: Vec<&str> = answerable(definition).map(|(name, _)| name.as_str()).collect();
                self.diagnostics.push(no_field(given.key(word), word, &names, definition));
                continue;
            };
            let (json, mut faults) = with_files(field, data.to_json());
            match read_json(&self.reading(), field, &json) {
                Ok(value) if faults.is_empty() => found.push((given.key(word), name, value)),
                Ok(_) => self.misread(given, word, field, faults),
                Err(others) => {
                    faults.extend(others);
                    self.misread(given, word, field, faults);
                }
            }
        }
        found
    }

    fn misread(&mut self, given: &Given, word: &str, field: &Field, faults: Vec<Misread>) {
        // Whom a broken directory does not tell of may stand in what could not be read.
        if !self.people_known && names_people(field) {
            return;
        }
        for fault in faults {
            let path = if fault.path.is_empty() { word.to_owned() } else { format!("{word}.{}", fault.path) };
            let known = matches!(&field.kind, FieldKind::List(columns)
                if path.rsplit('.').next().is_some_and(|column| columns.contains_key(column)));
            // An unknown column is shown at its name, a bad value at itself.
            let at = if known || fault.path.is_empty() { given.place(&path) } else { given.key(&path) };
            self.report(Code::BadValue, at, fault.what);
        }
    }
}

/// Whether a field, or a column of its rows, holds what the directory names.
fn names_people(field: &Field) -> bool {
    match &field.kind {
        FieldKind::Person(_) | FieldKind::Position | FieldKind::Department => true,
        FieldKind::List(columns) => columns.values().any(names_people),
        _ => false,
    }
}

/// A process as its data is looked at: lists with the columns that an `each` adds, and computed columns like others.
pub(super) fn afterwards(definition: &Definition) -> Definition {
    let mut whole = definition.clone();
    for (name, field) in whole.form.iter_mut().chain(&mut whole.data) {
        let FieldKind::List(columns) = &mut field.kind else { continue };
        for step in definition.steps.values() {
            if let StepKind::Each(each) = &step.kind
                && each.list == *name
            {
                let added = each.columns.iter().filter(|(column, _)| !columns.contains_key(*column));
                let added: Vec<_> = added.map(|(column, field)| (column.clone(), field.clone())).collect();
                columns.extend(added);
            }
        }
        columns.values_mut().for_each(|column| column.value = None);
    }
    for step in definition.steps.values() {
        if let StepKind::Each(each) = &step.kind
            && !whole.fields().any(|(name, _)| *name == each.list)
        {
            whole.data.insert(each.list.clone(), made(each));
        }
    }
    whole
}

/// The new list that `into` names, as a field.
fn made(each: &Each) -> Field {
    let columns = each.columns.iter().map(|(name, column)| (name.clone(), Field { value: None, ..column.clone() }));
    field_of(&each.list, FieldKind::List(columns.collect()))
}

/// Every field of a process, and the columns that the bodies of its `each` steps ask.
fn answerable(definition: &Definition) -> impl Iterator<Item = (&FieldName, &Field)> {
    let columns = definition.steps.values().filter_map(|step| match &step.kind {
        StepKind::Each(each) => Some(&each.columns),
        _ => None,
    });
    definition.fields().chain(columns.flatten())
}

/// Data where no form says what it is: a bare word is a number, `true` or `false` if it reads as one, else a text.
pub(super) fn untyped(data: &Data) -> Value {
    match data {
        Data::Null => Value::Null,
        Data::Text(text) => Value::text(text.as_str()),
        Data::Plain(text) => match text.as_str() {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            _ => text.parse().map_or_else(|_| Value::text(text.as_str()), Value::Number),
        },
        Data::List(items) => Value::List(items.iter().map(untyped).collect()),
        Data::Map(entries) => {
            Value::Record(entries.iter().map(|(name, value)| (name.as_str().into(), untyped(value))).collect())
        }
    }
}
