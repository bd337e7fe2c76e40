//! What fields hold by themselves: the defaults of a new case, nothing, and values as they are stored.
//!
//! Money is rounded half up to two places here, when it is stored, and not before.

use super::columns::columns_of;
use super::computed::Computed;
use crate::expression::Failure;
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::id::FieldName;
use crate::model::value::{Record, Value, in_cents};

/// Evaluates a formula on data.
pub(super) type Evaluate<'a> = dyn Fn(&Formula, &Record) -> Result<Value, Failure> + 'a;

/// Puts the defaults of a form into what is not filled in yet; one that cannot be evaluated yet is left out.
pub(super) fn propose(form: &Form, data: &mut Record, evaluate: &Evaluate<'_>) {
    for (name, field) in form.iter().filter(|(_, field)| field.value.is_none()) {
        let open = data.get(name).is_none_or(Value::is_null);
        if let Some(default) = field.default.as_ref().filter(|_| open)
            && let Ok(value) = evaluate(default, data)
        {
            data.insert(name.clone(), stored(&field.kind, value));
        }
    }
}

/// Puts into the data of a new case what no form asks for: the defaults of `data`, and every list, which is empty
/// until somebody fills it.
///
/// # Errors
/// The first default that failed.
pub(super) fn prepare(definition: &Definition, data: &mut Record, evaluate: &Evaluate<'_>) -> Result<(), Computed> {
    for (name, field) in &definition.data {
        if let Some(default) = &field.default {
            let value = evaluate(default, data).map_err(|failure| Computed {
                field: name.clone(),
                title: field.title.clone().into(),
                failure,
            })?;
            data.insert(name.clone(), stored(&field.kind, value));
        }
    }
    for (name, field) in definition.fields() {
        if field.many || matches!(field.kind, FieldKind::List(_)) {
            data.entry(name.clone()).or_insert_with(|| empty(field));
        }
    }
    Ok(())
}

/// A value as the field of that name stores it; of rows what is a column of the list.
pub(super) fn store(definition: &Definition, name: &FieldName, value: Value) -> Value {
    let Some((_, field)) = definition.fields().find(|(known, _)| *known == name) else { return value };
    let mut value = stored(&field.kind, value);
    if let (FieldKind::List(declared), Value::List(rows)) = (&field.kind, &mut value) {
        let columns = columns_of(definition, name, declared);
        for row in rows {
            if let Value::Record(row) = row {
                row.retain(|column, _| columns.contains_key(column));
            }
        }
    }
    value
}

/// A value as it is stored: money is rounded, in rows too.
pub(super) fn stored(kind: &FieldKind, value: Value) -> Value {
    match (kind, value) {
        (FieldKind::List(columns), Value::List(mut rows)) => {
            for row in &mut rows {
                let Value::Record(row) = row else { continue };
                for (name, value) in row {
                    if let Some(column) = columns.get(name) {
                        *value = stored(&column.kind, std::mem::take(value));
                    }
                }
            }
            Value::List(rows)
        }
        (FieldKind::Money, Value::List(items)) => {
            Value::List(items.into_iter().map(|item| stored(kind, item)).collect())
        }
        (FieldKind::Money, Value::Number(number)) => {
            let mut money = in_cents(number);
            money.rescale(2);
            Value::Number(money)
        }
        (_, value) => value,
    }
}

/// What a field holds while nothing is filled in: lists are empty, never null.
pub(super) fn empty(field: &Field) -> Value {
    if field.many || matches!(field.kind, FieldKind::List(_)) { Value::List(Vec::new()) } else { Value::Null }
}
