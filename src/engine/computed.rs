//! Computed fields, which follow whatever changes what they read.
//!
//! Those of the case are computed from the first, and those of a list in each of its rows. Those of a step's form are
//! computed as it is answered, and again from then on, until it is left without an answer: before that there may be
//! nothing to compute them from. Where what they read is unset meanwhile, its step comes again or is passed by, and
//! they stay as they were until then.

use super::columns;
use super::fault::outside;
use super::form::{Evaluate, empty, stored};
use super::scope::Place;
use super::state::StepResult;
use crate::expression::{Failure, fixed};
use crate::model::control::Each;
use crate::model::definition::{Definition, Step, outcome};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::{Formula, Read};
use crate::model::id::{FieldName, StepId};
use crate::model::text::Text;
use crate::model::value::{Record, Value};
use chrono_tz::Tz;

/// A computed field whose expression failed, or what it computes is beyond its limits so that another failed.
pub(super) struct Computed {
    /// Which field.
    pub field: FieldName,
    /// What people call it.
    pub title: Box<Text>,
    /// What it said.
    pub failure: Failure,
}

/// A field that is to be computed.
#[derive(Clone, Copy)]
pub(super) struct Due<'a> {
    /// Its name.
    pub name: &'a FieldName,
    /// What it holds.
    pub field: &'a Field,
    how: How<'a>,
}

/// How a field is computed.
#[derive(Clone, Copy)]
enum How<'a> {
    /// From what its form and the case hold.
    Always,
    /// The same, and where that is unset, it stays.
    Answered,
    /// Columns in each row of the list: its own, and of those that the body of an `each` asks what was answered.
    Rows { columns: &'a Form, own: &'a Form, alias: Option<&'a FieldName> },
}

/// All that a form computes.
pub(super) fn all(form: &Form) -> Vec<Due<'_>> {
    due(form, How::Always).collect()
}

/// What the case computes as some of its fields are `given`. The steps that are `left` have no answer any more.
pub(super) fn of_case<'a>(
    definition: &'a Definition,
    place: &Place<'_>,
    given: &Record,
    left: &[StepId],
) -> Vec<Due<'a>> {
    let mut found: Vec<Due<'a>> = Vec::new();
    for (name, field) in definition.fields() {
        let FieldKind::List(own) = &field.kind else { continue };
        let mut eaches = columns::eaches(definition).filter(|each| each.list == *name).peekable();
        let mut add = |columns: &'a Form, alias: Option<&'a FieldName>| {
            if given.contains_key(name) || reads_around(columns, alias) {
                found.push(Due { name, field, how: How::Rows { columns, own, alias } });
            }
        };
        if eaches.peek().is_none() && own.values().any(|column| column.value.is_some()) {
            add(own, None);
        }
        for each in eaches.filter(|each| each.columns.values().any(|column| column.value.is_some())) {
            add(&each.columns, Some(&each.alias).filter(|_| !each.plain));
        }
    }
    found.extend(due(&definition.form, How::Always).chain(due(&definition.data, How::Always)));
    for (id, form) in definition.steps.iter().filter_map(asking) {
        if form.values().any(|field| field.value.is_some()) && !definition.is_in_row(id) && is_answered(place, id, left)
        {
            found.extend(due(form, How::Answered));
        }
    }
    found
}

/// What a row computes at a place in it.
pub(super) fn of_row<'a>(
    definition: &'a Definition,
    each: &'a Each,
    place: &Place<'_>,
    left: &[StepId],
) -> Vec<Due<'a>> {
    let asks = |name: &FieldName| definition.steps.iter().filter_map(asking).find(|(_, form)| form.contains_key(name));
    let columns = due(&each.columns, How::Always);
    let found = columns.filter_map(|due| match asks(due.name) {
        None => Some(due),
        Some((id, _)) => is_answered(place, id, left).then_some(Due { how: How::Answered, ..due }),
    });
    found.collect()
}

/// Computes fields in `data`.
///
/// # Errors
/// The first that failed.
pub(super) fn compute(due: &[Due<'_>], data: &mut Record, evaluate: &Evaluate<'_>) -> Result<(), Computed> {
    let mut failed = None;
    // Each pass settles at least the fields that need none that is not settled; `check` refuses cycles.
    for _ in 0..=due.len() {
        let mut settled = true;
        failed = None;
        for one in due {
            match one.value(data, evaluate) {
                Ok(value) if data.get(one.name) == Some(&value) => {}
                Ok(value) => {
                    data.insert(one.name.clone(), value);
                    settled = false;
                }
                Err(computed) => failed = failed.or(Some(computed)),
            }
        }
        if settled {
            break;
        }
    }
    failed.map_or(Ok(()), |failed| Err(beyond(due, data).unwrap_or(failed)))
}

/// The first that was computed and is beyond a limit that is fixed. What reads it is proved within those, and says less of
/// what is wrong.
fn beyond(due: &[Due<'_>], data: &Record) -> Option<Computed> {
    due.iter().find_map(|Due { name, field, .. }| {
        let value = data.get(*name).filter(|value| field.value.is_some() && value.as_number().is_some())?;
        let past = |limit: &Option<Formula>, low: bool| outside(field, value, &fixed(limit.as_ref()?)?, low, Tz::UTC);
        let what = past(&field.min, true).or_else(|| past(&field.max, false))?;
        Some(Computed { field: (*name).clone(), title: field.title.clone().into(), failure: Failure::because(what) })
    })
}

impl Due<'_> {
    fn value(&self, data: &Record, evaluate: &Evaluate<'_>) -> Result<Value, Computed> {
        let known = || data.get(self.name).cloned().unwrap_or_else(|| empty(self.field));
        let formula = match (self.how, &self.field.value) {
            (How::Rows { columns, own, alias }, _) => {
                let Value::List(mut rows) = known() else { return Ok(known()) };
                for row in &mut rows {
                    if let Value::Record(row) = row {
                        compute_row(columns, own, alias, row, data, evaluate)?;
                    }
                }
                return Ok(Value::List(rows));
            }
            (How::Always | How::Answered, None) => return Ok(known()),
            (How::Always | How::Answered, Some(formula)) => formula,
        };
        // Older versions may ask a computed field only where a condition holds.
        if let Some(when) = &self.field.when
            && !matches!(evaluate(when, data), Ok(Value::Boolean(true)))
        {
            return Ok(Value::Null);
        }
        match evaluate(formula, data) {
            Ok(value) => Ok(stored(&self.field.kind, value)),
            Err(failure) if failure.is_unset() && matches!(self.how, How::Answered) => Ok(known()),
            Err(failure) => Err(Computed { field: self.name.clone(), title: self.field.title.clone().into(), failure }),
        }
    }
}

/// Computes the columns of a row, which hide fields of the same name.
fn compute_row(
    columns: &Form,
    own: &Form,
    alias: Option<&FieldName>,
    row: &mut Record,
    data: &Record,
    evaluate: &Evaluate<'_>,
) -> Result<(), Computed> {
    let answered = |name: &FieldName| row.get(name).is_some_and(|value| !value.is_null());
    let due = due(columns, How::Always).filter_map(|due| match own.contains_key(due.name) {
        true => Some(due),
        false => answered(due.name).then_some(Due { how: How::Answered, ..due }),
    });
    let due: Vec<Due<'_>> = due.collect();
    let read = due.iter().flat_map(|due| due.field.value.iter()).flat_map(fields_read);
    let around = read.filter(|name| !columns.contains_key(*name));
    let mut inside: Record = around.filter_map(|name| Some((name.clone(), data.get(name)?.clone()))).collect();
    inside.extend(row.clone());
    inside.extend(alias.map(|alias| (alias.clone(), Value::Record(row.clone()))));
    compute(&due, &mut inside, evaluate)?;
    row.extend(due.iter().filter_map(|due| Some((due.name.clone(), inside.get(due.name)?.clone()))));
    Ok(())
}

/// What a form computes.
fn due<'a>(form: &'a Form, how: How<'a>) -> impl Iterator<Item = Due<'a>> {
    form.iter().filter(|(_, field)| field.value.is_some()).map(move |(name, field)| Due { name, field, how })
}

/// Whether what columns compute reads more than their row.
fn reads_around(columns: &Form, alias: Option<&FieldName>) -> bool {
    let mut read = columns.values().filter_map(|column| column.value.as_ref()).flat_map(fields_read);
    read.any(|name| !columns.contains_key(name) && Some(name) != alias)
}

fn fields_read(formula: &Formula) -> impl Iterator<Item = &FieldName> {
    formula.reads.iter().filter_map(|read| if let Read::Field(name) = read { Some(name) } else { None })
}

fn asking<'a>((id, step): (&'a StepId, &'a Step)) -> Option<(&'a StepId, &'a Form)> {
    step.human().map(|human| (id, &human.form))
}

/// Whether a step was answered, so that its form holds what it was answered with.
fn is_answered(place: &Place<'_>, id: &StepId, left: &[StepId]) -> bool {
    let without = [outcome::SKIPPED, outcome::REJECTED, outcome::RETURNED];
    let with = |result: &StepResult| !result.by.is_empty() && !without.contains(&result.outcome.as_str());
    !left.contains(id) && place.step(id).is_some_and(with)
}
