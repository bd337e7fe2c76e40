//! What a form requires and nobody said: plausible values, the next one for each that the form refuses.
//!
//! Constants among limits are kept at once. What a rule, a pattern or a choice of people leaves is found by trying:
//! the core itself says which field is wrong, and its next candidate is taken, until there is none. Texts are in the
//! language of who reads the answer, whoever starts the case.

use super::world::World;
use crate::engine::refusal::{FieldFault, PathPart, Refusal};
use crate::model::definition::Definition;
use crate::model::file::{File, Hash};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::{Formula, Op};
use crate::model::id::{FieldName, PersonId, ProcessId};
use crate::model::people::Directory;
use crate::model::text::{Lang, clean_line};
use crate::model::time::{Calendar, Duration, Moment};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Days, Utc};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// How often a form is filled in anew.
const TRIES: usize = 200;

/// A form as it is handed in.
#[derive(Clone, Debug)]
pub struct Filled {
    /// What it requires and nobody said.
    pub made_up: Record,
    /// What was said, and is not asked for as it is filled in: the `when` of the field does not hold.
    pub unasked: Vec<FieldName>,
}

/// What is needed to start a process and is not in `data`, in this language; as near to what its form takes as can be found.
pub fn missing(
    definitions: &[Definition],
    directory: &Directory,
    calendar: &Calendar,
    (process, by, from): (&ProcessId, &PersonId, DateTime<Utc>),
    data: &Record,
    lang: Lang,
) -> Filled {
    let nothing = Filled { made_up: Record::new(), unasked: Vec::new() };
    let Some(definition) = definitions.iter().find(|one| one.process == *process) else { return nothing };
    let form = without(&definition.form, data);
    let mut filler = Filler::new(directory, calendar, from, by, lang);
    loop {
        let filled = filler.form(&form);
        let whole: Record = filled.clone().into_iter().chain(data.clone()).collect();
        let mut world = World::new(definitions, directory, calendar, from);
        match world.start(process, by, whole) {
            Err(Refusal::BadForm(faults)) if filler.learn(&faults) => {}
            Err(_) => return Filled { made_up: filled, ..nothing },
            Ok(case) => {
                let taken = world.cases().get(case).map(|case| &case.state.data);
                let asked =
                    |name: &FieldName| taken.and_then(|data| data.get(name)).is_none_or(|value| !value.is_null());
                let said = data.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name);
                let unasked =
                    said.filter(|name| definition.form.contains_key(*name) && !asked(name)).cloned().collect();
                return Filled { made_up: filled.into_iter().filter(|(name, _)| asked(name)).collect(), unasked };
            }
        }
    }
}

/// The fields of a form that have no value yet.
pub(super) fn without(form: &Form, data: &Record) -> Form {
    let blank = |value: &Value| value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
    let open = form.iter().filter(|(name, _)| data.get(*name).is_none_or(blank));
    open.map(|(name, field)| (name.clone(), field.clone())).collect()
}

/// Fills in forms for somebody.
pub(super) struct Filler<'w> {
    directory: &'w Directory,
    calendar: &'w Calendar,
    now: DateTime<Utc>,
    by: &'w PersonId,
    /// How many candidates were refused, by where.
    refused: BTreeMap<Vec<PathPart>, usize>,
    tries: usize,
    /// Of what is made up.
    lang: Lang,
}

impl<'w> Filler<'w> {
    pub(super) fn new(
        directory: &'w Directory,
        calendar: &'w Calendar,
        now: DateTime<Utc>,
        by: &'w PersonId,
        lang: Lang,
    ) -> Filler<'w> {
        Filler { directory, calendar, now, by, lang, refused: BTreeMap::new(), tries: 0 }
    }

    /// The form, wherever something is required.
    pub(super) fn form(&self, form: &Form) -> Record {
        self.filled(form, &[])
    }

    /// Takes the next candidates where the form was refused; whether it is worth another try.
    pub(super) fn learn(&mut self, faults: &[FieldFault]) -> bool {
        self.tries += 1;
        for fault in faults {
            *self.refused.entry(fault.path.clone()).or_default() += 1;
        }
        self.tries < TRIES
    }

    /// What a field usually holds.
    pub(super) fn usual(&self, field: &Field) -> Value {
        self.value(field, &[])
    }

    fn filled(&self, form: &Form, path: &[PathPart]) -> Record {
        let mut record = Record::new();
        for (name, field) in form.iter().filter(|(_, field)| field.value.is_none() && field.default.is_none()) {
            let here: Vec<PathPart> = path.iter().cloned().chain([PathPart::Field(name.clone())]).collect();
            if !field.required && !self.refused.contains_key(&here) {
                continue;
            }
            record.insert(name.clone(), self.value(field, &here));
        }
        record
    }

    fn value(&self, field: &Field, path: &[PathPart]) -> Value {
        if let FieldKind::List(columns) = &field.kind {
            let row = |number| {
                let path: Vec<PathPart> = path.iter().cloned().chain([PathPart::Row(number)]).collect();
                Value::Record(self.filled(columns, &path))
            };
            return Value::List((0..rows(field)).map(row).collect());
        }
        let refused = self.refused.get(path).copied().unwrap_or(0);
        let value = self.candidates(field).into_iter().nth(refused).unwrap_or_default();
        match field.many {
            true if value.is_null() => Value::List(Vec::new()),
            true => Value::List(vec![value; rows(field)]),
            false => value,
        }
    }

    /// What could be meant, the likeliest first.
    fn candidates(&self, field: &Field) -> Vec<Value> {
        match &field.kind {
            FieldKind::Text | FieldKind::LongText => self.texts(field).into_iter().map(Value::text).collect(),
            FieldKind::Integer | FieldKind::Decimal | FieldKind::Money | FieldKind::Percent => numbers(field),
            FieldKind::Boolean => [true, false].map(Value::Boolean).into(),
            FieldKind::Date => {
                let today = self.calendar.today(self.now);
                let days =
                    [0, 1, 7, 30, 90, 365].into_iter().filter_map(|days| today.checked_add_days(Days::new(days)));
                let before = [1, 30, 365].into_iter().filter_map(|days| today.checked_sub_days(Days::new(days)));
                bounds(field).into_iter().chain(days.chain(before).map(Value::Date)).collect()
            }
            FieldKind::DateTime => {
                let later = [0, 1, 24, 24 * 30].map(|hours| self.now + chrono::Duration::hours(hours));
                bounds(field).into_iter().chain(later.map(|at| Value::DateTime(Moment::utc(at)))).collect()
            }
            FieldKind::Duration => {
                bounds(field).into_iter().chain([Value::Duration(Duration::WorkingDays(1))]).collect()
            }
            FieldKind::Choice(options) => options.keys().map(|option| Value::Text(option.clone())).collect(),
            FieldKind::Person(_) => {
                let others = self.directory.people.keys().filter(|person| *person != self.by);
                [self.by].into_iter().chain(others).map(|person| Value::Person(person.clone())).collect()
            }
            FieldKind::Position => {
                let own = self.directory.people.get(self.by).map(|person| person.positions.as_slice());
                let all = own.unwrap_or_default().iter().chain(self.directory.positions.keys());
                all.map(|position| Value::Position(position.clone())).collect()
            }
            FieldKind::Department => {
                let own = self.directory.department_of(self.by);
                let all = own.into_iter().chain(self.directory.departments.keys());
                all.map(|department| Value::Department(department.clone())).collect()
            }
            FieldKind::File(_) => vec![Value::File(File::new("sample.pdf", 1, Hash([0; 32]), b"%PDF-").into())],
            FieldKind::List(_) => Vec::new(),
        }
    }

    /// What the form calls the field, as long as it must be; and what is in the expected form.
    fn texts(&self, field: &Field) -> Vec<String> {
        let (least, most) = (limit(field.min.as_ref()), limit(field.max.as_ref()));
        let mut text = clean_line(field.title.get(self.lang));
        while text.chars().count() < least.unwrap_or(0).min(2_000) {
            text.push('…');
        }
        let text: String = text.chars().take(most.unwrap_or(usize::MAX)).collect();
        let shaped = field.pattern.as_deref().and_then(super::shape::text_like);
        shaped.into_iter().chain([text]).collect()
    }
}

fn literal(formula: Option<&Formula>) -> Option<&Value> {
    match formula?.root.op() {
        Op::Literal(value) if !value.is_null() => Some(value),
        _ => None,
    }
}

fn limit(formula: Option<&Formula>) -> Option<usize> {
    let Value::Number(number) = literal(formula)? else { return None };
    usize::try_from(number.trunc().mantissa()).ok()
}

fn bounds(field: &Field) -> Vec<Value> {
    [&field.min, &field.max].into_iter().filter_map(|bound| literal(bound.as_ref()).cloned()).collect()
}

/// How many rows or values.
fn rows(field: &Field) -> usize {
    let least = if matches!(field.kind, FieldKind::List(_)) { limit(field.min.as_ref()) } else { None };
    least.unwrap_or(1).clamp(1, 100)
}

fn numbers(field: &Field) -> Vec<Value> {
    let usual = if field.kind == FieldKind::Percent { Decimal::new(1, 1) } else { Decimal::ONE };
    let within = |number: &Decimal| {
        let low = !matches!(literal(field.min.as_ref()), Some(Value::Number(least)) if number < least);
        low && !matches!(literal(field.max.as_ref()), Some(Value::Number(most)) if number > most)
    };
    let others = [0, 2, 5, 10, 50, 100, 500, 1_000, 10_000, 100_000, -1].map(Decimal::from);
    let bounds = bounds(field).into_iter().filter_map(|bound| match bound {
        Value::Number(number) => Some(number),
        _ => None,
    });
    let all = [usual].into_iter().filter(within).chain(bounds).chain(others.into_iter().filter(within));
    all.map(Value::Number).collect()
}
