//! What a step takes out of what came from outside: each value by its path, read as its field holds it.
//!
//! A message is read so twice: before it is kept, as one that nobody could use is its sender's to mend, and once more
//! where a step takes it. What was good at the door may be so no longer (a person has left), or be for another step.

use super::fault::{in_other_unit, out_of_form, outside};
use super::form;
use super::refusal::ResultFault;
use crate::expression::domain::Domain;
use crate::expression::fixed;
use crate::model::control::{Path, Receive};
use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, FieldKind};
use crate::model::id::{FieldName, StepId};
use crate::model::input::{self, Reading};
use crate::model::key;
use crate::model::text::{Lang, Wording};
use crate::model::value::{Record, Value, plain};
use chrono_tz::Tz;
use indexmap::IndexMap;
use std::sync::Arc;

/// The values that a step takes out of what came, or everything that is wrong with them. A field that may be missing
/// and is stays as it was. What is empty is not there: nobody reads a null where something has to be.
pub(super) fn taken(
    definition: &Definition,
    step: &StepId,
    wanted: &IndexMap<FieldName, Path>,
    data: &Value,
    (reading, zone): (&Reading<'_>, Tz),
) -> Result<Record, Vec<ResultFault>> {
    let mut values = Record::new();
    let mut faults = Vec::new();
    for (name, path) in wanted {
        let found = path.iter().try_fold(data, |at, part| match at {
            Value::Record(record) => record.get(&**part),
            _ => None,
        });
        let field = definition.field_at(step, name);
        let read = match (found.filter(|value| !value.is_null()), field) {
            (None, _) => Ok(Value::Null),
            (Some(value), Some(field)) => read((reading, zone), field, value).map_err(|what| not_fit(path, &what)),
            (Some(value), None) => Ok(value.clone()),
        };
        let read = match read {
            Ok(value) if !value.is_null() => Ok(value),
            Ok(_) if field.is_some_and(|field| field.may_be_missing) => continue,
            Ok(_) => Err(not_there(path, found.is_some_and(|found| !found.is_null()))),
            Err(what) => Err(what),
        };
        match read {
            Ok(value) => drop(values.insert(name.clone(), value)),
            Err(what) => faults.push(ResultFault { path: path.join("."), field: name.clone(), what }),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// The paths of what has to be there.
pub(super) fn needed<'a>(
    definition: &Definition,
    step: &StepId,
    wanted: &'a IndexMap<FieldName, Path>,
) -> Vec<&'a Path> {
    let may_be_missing = |name| definition.field_at(step, name).is_some_and(|field| field.may_be_missing);
    wanted.iter().filter(|(name, _)| !may_be_missing(*name)).map(|(_, path)| path).collect()
}

/// What is wrong with a message where steps receive its name and none of them could take it: the faults of the step
/// that lacks least.
pub fn unusable<'d>(
    definitions: impl IntoIterator<Item = &'d Definition>,
    name: &str,
    data: &Value,
    reading: (&Reading<'_>, Tz),
) -> Option<Vec<ResultFault>> {
    let mut least: Option<Vec<ResultFault>> = None;
    for (definition, id, receive) in receiving(definitions, name) {
        let faults = taken(definition, id, &receive.take, data, reading).err()?;
        if least.as_ref().is_none_or(|known| faults.len() < known.len()) {
            least = Some(faults);
        }
    }
    least
}

/// The key of a message, as the steps that receive its name have theirs.
pub fn message_key<'d>(definitions: impl IntoIterator<Item = &'d Definition>, name: &str, written: &str) -> Arc<str> {
    let keys = receiving(definitions, name).filter_map(|(_, _, receive)| receive.key.as_ref());
    key::read(keys.map(|key| &key.of.of), written)
}

/// The steps that receive messages of a name.
fn receiving<'d>(
    definitions: impl IntoIterator<Item = &'d Definition>,
    name: &str,
) -> impl Iterator<Item = (&'d Definition, &'d StepId, &'d Receive)> {
    let steps =
        definitions.into_iter().flat_map(|definition| definition.steps.iter().map(move |step| (definition, step)));
    steps.filter_map(move |(definition, (id, step))| match &step.kind {
        StepKind::Receive(receive) if *receive.message == *name => Some((definition, id, &**receive)),
        _ => None,
    })
}

/// A value from outside as a field holds it: numbers may come as texts, people and dates always do.
fn read((reading, zone): (&Reading<'_>, Tz), field: &Field, value: &Value) -> Result<Value, Wording> {
    let value = input::read_json(reading, field, &plain(value)).map_err(|wrong| {
        let first = wrong.into_iter().next();
        first.map_or_else(|| Wording::new("不能用。", "It cannot be used."), |wrong| wrong.what)
    })?;
    let value = whole(field, form::stored(&field.kind, value))?;
    // Whatever a field holds is within its fixed limits: proofs rest on it.
    match beyond(field, &value, zone) {
        Some(what) => Err(what),
        None => Ok(value),
    }
}

/// Where a value is beyond the limits of a field that are always the same, or one of a row beyond those of its column.
fn beyond(field: &Field, value: &Value, zone: Tz) -> Option<Wording> {
    for (limit, low) in [(&field.min, true), (&field.max, false)] {
        if let Some(bound) = limit.as_ref().and_then(fixed)
            && let Some(what) = outside(field, value, &bound, low, zone)
        {
            return Some(what);
        }
    }
    if let Some(pattern) = field.pattern.as_ref().filter(|_| !field.keeps_pattern(value)) {
        return Some(out_of_form(field, pattern));
    }
    if let Value::Duration(length) = value
        && let Some(what) = in_other_unit(field, length)
    {
        return Some(what);
    }
    if !field.many && !Domain::asked(field).admits(value) {
        return Some(Wording::new(
            format!("超出了“{}”的范围。", field.title.get(Lang::Zh)),
            format!("It is beyond what “{}” allows.", field.title.get(Lang::En)),
        ));
    }
    let (FieldKind::List(columns), Value::List(rows)) = (&field.kind, value) else { return None };
    rows.iter().enumerate().find_map(|(number, row)| {
        let Value::Record(row) = row else { return None };
        let held = columns.iter().filter_map(|(name, column)| Some((name, column, row.get(name)?)));
        let mut wrong = held.filter_map(|(name, column, value)| {
            let there = column.value.is_none() && !value.is_null();
            there.then(|| beyond(column, value, zone)).flatten().map(|what| (name, what))
        });
        let (name, what) = wrong.next()?;
        let number = number + 1;
        Some(Wording::new(
            format!("第 {number} 行的 `{name}`：{}", what.get(Lang::Zh)),
            format!("`{name}` of row {number}: {}", what.get(Lang::En)),
        ))
    })
}

/// A list without gaps: every value is one, and every row has what its columns always hold.
fn whole(field: &Field, value: Value) -> Result<Value, Wording> {
    let Value::List(mut items) = value else { return Ok(value) };
    for (number, item) in items.iter_mut().enumerate() {
        let number = number + 1;
        if item.is_null() {
            return Err(Wording::new(format!("第 {number} 个是空的。"), format!("Value {number} of it is empty.")));
        }
        let (FieldKind::List(columns), Value::Record(row)) = (&field.kind, item) else { continue };
        for (name, column) in columns {
            let held = row.entry(name.clone()).or_insert_with(|| form::empty(column));
            if held.is_null() && column.value.is_none() && !column.typed().optional {
                return Err(Wording::new(
                    format!("第 {number} 行没有 `{name}`。"),
                    format!("Row {number} of it has no `{name}`."),
                ));
            }
        }
    }
    Ok(Value::List(items))
}

fn not_there(path: &Path, empty: bool) -> Wording {
    let path = path.join(".");
    match empty {
        true => Wording::new(format!("收到的 `{path}` 是空的。"), format!("The `{path}` that came is empty.")),
        false => Wording::new(format!("收到的内容里没有 `{path}`。"), format!("What came has no `{path}`.")),
    }
}

pub(super) fn not_fit(path: &Path, what: &Wording) -> Wording {
    let path = path.join(".");
    Wording::new(
        format!("收到的 `{path}` 不能用：{}", what.get(Lang::Zh)),
        format!("The `{path}` that came cannot be used: {}", what.get(Lang::En)),
    )
}
