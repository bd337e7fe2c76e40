//! What could be meant where nobody says anything, the likeliest first: within the constants among limits, what the
//! rules compare with, and then this and that.

use crate::model::file::{File, Hash};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Formula, Op};
use crate::model::id::PersonId;
use crate::model::people::Directory;
use crate::model::text::{Lang, clean_line};
use crate::model::time::{Calendar, Duration, Moment};
use crate::model::value::Value;
use chrono::{DateTime, Days, NaiveDate, Utc};
use rust_decimal::{Decimal, RoundingStrategy};

/// The longest text that is made up to be long enough.
const LONGEST: usize = 2_000;

/// Limits of a field that were told when it was refused, the last one first.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Vec<Value>);

impl Told {
    pub(super) fn insert(&mut self, limit: Value) {
        self.0.retain(|known| *known != limit);
        self.0.insert(0, limit);
    }

    /// How many rows a list has.
    pub(super) fn rows(&self, field: &Field) -> usize {
        let told = self.0.first().and_then(whole);
        told.or_else(|| limit(field.min.as_ref())).unwrap_or(1).clamp(1, 100)
    }
}

/// Who makes values up, for whom, where and when.
pub(super) struct Plausible<'w> {
    pub(super) directory: &'w Directory,
    pub(super) calendar: &'w Calendar,
    pub(super) now: DateTime<Utc>,
    pub(super) by: &'w PersonId,
    /// Of texts.
    pub(super) lang: Lang,
}

impl Plausible<'_> {
    /// What could be meant, the likeliest first, each once.
    pub(super) fn values(&self, field: &Field, told: &Told) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        for value in self.candidates(field, told) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    fn candidates(&self, field: &Field, told: &Told) -> Vec<Value> {
        match &field.kind {
            FieldKind::Text | FieldKind::LongText => self.texts(field, told).into_iter().map(Value::text).collect(),
            FieldKind::Integer | FieldKind::Decimal | FieldKind::Money | FieldKind::Percent => numbers(field, told),
            FieldKind::Boolean => [true, false].map(Value::Boolean).into(),
            FieldKind::Date => {
                let today = self.calendar.today(self.now);
                let ahead = |days| today.checked_add_days(Days::new(days));
                let others = [0, 1, 2, 3, 7, 14, 30, 90, 180, 365].into_iter().filter_map(ahead);
                let before = [1, 30, 365].into_iter().filter_map(|days| today.checked_sub_days(Days::new(days)));
                let compared = compared(field).into_iter().flat_map(|value| match value {
                    Value::Date(date) => around(date),
                    _ => Vec::new(),
                });
                let likely = told.0.iter().cloned().chain(bounds(field));
                likely.chain(compared.chain(others).chain(before).map(Value::Date)).collect()
            }
            FieldKind::DateTime => {
                let later = [0, 1, 24, 24 * 7, 24 * 30].map(|hours| self.now + chrono::Duration::hours(hours));
                let likely = told.0.iter().cloned().chain(bounds(field));
                likely.chain(later.map(|at| Value::DateTime(Moment::utc(at)))).collect()
            }
            FieldKind::Duration => {
                let likely = told.0.iter().cloned().chain(bounds(field));
                let units = [Duration::WorkingDays(1), Duration::WorkingMinutes(60), Duration::Months(1)];
                let hour = Duration::Seconds(Decimal::from(3_600));
                likely.chain(units.into_iter().chain([hour]).map(Value::Duration)).collect()
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
    fn texts(&self, field: &Field, told: &Told) -> Vec<String> {
        let (least, most) = (limit(field.min.as_ref()), limit(field.max.as_ref()));
        let long = |least: usize, most: usize| {
            let mut text = clean_line(field.title.get(self.lang));
            while text.chars().count() < least.min(LONGEST) {
                text.push('…');
            }
            text.chars().take(most).collect::<String>()
        };
        let shaped = field.pattern.as_deref().and_then(super::shape::text_like);
        let usual = long(least.unwrap_or(0), most.unwrap_or(usize::MAX));
        let told = told.0.iter().filter_map(whole).map(|length| long(length, length));
        let compared = compared(field).into_iter().flat_map(|value| match &value {
            Value::Text(text) => vec![text.to_string()],
            // A number is a length: it or one more is long enough, or one less short enough.
            _ => whole(&value).map_or_else(Vec::new, |length| {
                [length, length + 1, length.saturating_sub(1)].map(|length| long(length, length)).into()
            }),
        });
        told.chain(shaped).chain([usual]).chain(compared).collect()
    }
}

fn literal(formula: Option<&Formula>) -> Option<&Value> {
    match formula?.root.op() {
        Op::Literal(value) if !value.is_null() => Some(value),
        _ => None,
    }
}

/// What the rule of a field compares with.
fn compared(field: &Field) -> Vec<Value> {
    let mut found = Vec::new();
    if let Some(check) = &field.check {
        check.that.root.any(&mut |one| {
            if let Op::Literal(value) = one.op() {
                found.push(value.clone());
            }
            false
        });
    }
    found
}

fn limit(formula: Option<&Formula>) -> Option<usize> {
    whole(literal(formula)?)
}

fn whole(value: &Value) -> Option<usize> {
    let Value::Number(number) = value else { return None };
    usize::try_from(number.trunc().mantissa()).ok()
}

fn bounds(field: &Field) -> Vec<Value> {
    [&field.min, &field.max].into_iter().filter_map(|bound| literal(bound.as_ref()).cloned()).collect()
}

fn around(date: NaiveDate) -> Vec<NaiveDate> {
    [Some(date), date.succ_opt(), date.pred_opt()].into_iter().flatten().collect()
}

fn numbers(field: &Field, told: &Told) -> Vec<Value> {
    let step = if field.kind == FieldKind::Percent { Decimal::new(1, 2) } else { Decimal::ONE };
    let usual = if field.kind == FieldKind::Percent { Decimal::new(1, 1) } else { Decimal::ONE };
    let within = |number: &Decimal| {
        let low = !matches!(literal(field.min.as_ref()), Some(Value::Number(least)) if number < least);
        low && !matches!(literal(field.max.as_ref()), Some(Value::Number(most)) if number > most)
    };
    let others = [0, 2, 5, 10, 50, 100, 500, 1_000, 10_000, 100_000, 1_000_000, -1].map(Decimal::from);
    let number = |value: &Value| if let Value::Number(number) = value { Some(*number) } else { None };
    // A limit between two values that the field can hold: one of these keeps it.
    let places = match field.kind {
        FieldKind::Integer => Some(0),
        FieldKind::Money => Some(2),
        _ => None,
    };
    let held = |number: Decimal| match places {
        None => vec![number],
        Some(places) => [RoundingStrategy::ToPositiveInfinity, RoundingStrategy::ToNegativeInfinity]
            .map(|way| number.round_dp_with_strategy(places, way))
            .into(),
    };
    let told = told.0.iter().filter_map(number).flat_map(held);
    let bounds: Vec<Decimal> = bounds(field).iter().filter_map(number).collect();
    let compared: Vec<Decimal> = compared(field).iter().filter_map(number).collect();
    let compared = compared.into_iter().flat_map(|number| [number, number + step, number - step]);
    let all = told.chain([usual].into_iter().filter(within)).chain(bounds);
    all.chain(compared.chain(others).filter(within)).map(Value::Number).collect()
}
