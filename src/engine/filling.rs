//! Forms, filled in: conditions, types, limits and rules.
//!
//! [`fill`] takes what was handed in and answers every field of the form, or all faults at once. It trusts
//! nothing: values come from pages, files and programs alike.

use super::Facts;
use super::computed::{self, Computed, compute};
use super::fault::{expected, in_other_unit, out_of_form, outside, too_many};
use super::form::{Evaluate, empty, stored};
use super::refusal::{FieldFault, PathPart};
use crate::expression::Failure;
use crate::model::form::{Field, FieldKind, Form, MOST_ROWS, MOST_TEXT};
use crate::model::formula::{Formula, Read};
use crate::model::id::FieldName;
use crate::model::text::{Lang, Text, Wording};
use crate::model::value::{Record, Value};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// What is more than every number that people write.
const ABOVE_ALL: Decimal = Decimal::from_parts(0xa4c6_8000, 0x0003_8d7e, 0, false, 0);

/// Fills a form in: `given` over `current`, which may hold other fields too. Answers the form's fields only.
///
/// # Errors
/// Every fault, in the order of the form.
pub(super) fn fill(
    form: &Form,
    given: &Record,
    current: &Record,
    facts: &Facts<'_>,
    evaluate: &Evaluate<'_>,
) -> Result<Record, Vec<FieldFault>> {
    let mut filling = Filling::new(facts, evaluate);
    let mut data = current.clone();
    let filled = filling.fields(form, given, &mut data);
    // What could not be evaluated may only follow from what is missing: it is told where nothing else is wrong.
    let Filling { faults, unsure, .. } = filling;
    let mut faults = if faults.is_empty() { unsure } else { faults };
    faults.sort_by_key(|fault| place(form, &fault.path));
    if faults.is_empty() { Ok(filled) } else { Err(faults) }
}

/// Where a value that is there already breaks the limits and the rule of its field.
pub(super) fn broken(
    name: &FieldName,
    field: &Field,
    data: &Record,
    facts: &Facts<'_>,
    evaluate: &Evaluate<'_>,
) -> Vec<FieldFault> {
    let mut filling = Filling::new(facts, evaluate);
    filling.held(name, field, data);
    filling.faults
}

/// What is wrong with a value that is there and that nobody filled in: whom it may name, its limits and its rule.
pub(super) fn refused(
    name: &FieldName,
    field: &Field,
    data: &Record,
    facts: &Facts<'_>,
    evaluate: &Evaluate<'_>,
) -> Vec<FieldFault> {
    let mut filling = Filling::new(facts, evaluate);
    let value = data.get(name).cloned().unwrap_or_default();
    if let FieldKind::Person(Some(_)) = field.kind {
        let people = value.as_list().map_or_else(|| vec![value.clone()], <[Value]>::to_vec);
        for person in people.into_iter().filter(|person| !person.is_null()) {
            filling.one(name, field, person, data);
        }
    }
    filling.limits(name, field, data, true);
    filling.faults
}

struct Filling<'a> {
    facts: &'a Facts<'a>,
    evaluate: &'a Evaluate<'a>,
    faults: Vec<FieldFault>,
    /// Conditions and defaults that could not be evaluated on what is there.
    unsure: Vec<FieldFault>,
    path: Vec<PathPart>,
}

impl<'a> Filling<'a> {
    fn new(facts: &'a Facts<'a>, evaluate: &'a Evaluate<'a>) -> Filling<'a> {
        Filling { facts, evaluate, faults: Vec::new(), unsure: Vec::new(), path: Vec::new() }
    }

    fn fields(&mut self, form: &Form, given: &Record, data: &mut Record) -> Record {
        for name in given.keys().filter(|name| !form.contains_key(*name)) {
            let title = Text::One(name.to_string());
            self.fault(
                name,
                &title,
                Wording::new(format!("表单里没有“{name}”这一项。"), format!("The form has no field “{name}”.")),
            );
        }
        // Conditions may read fields further down, so all that was given stands there from the start.
        let mut fresh: BTreeSet<&FieldName> = BTreeSet::new();
        for (name, field) in form {
            if field.value.is_none() {
                if !given.contains_key(name) && data.get(name).is_none_or(Value::is_null) {
                    fresh.insert(name);
                }
                let value = given.get(name).or_else(|| data.get(name)).cloned().unwrap_or_else(|| empty(field));
                data.insert(name.clone(), stored(&field.kind, value));
            }
        }
        for (name, field) in form.iter().filter(|(_, field)| field.value.is_none()) {
            if let Some(value) = self.asked(name, field, fresh.contains(name), data) {
                data.insert(name.clone(), value);
            }
        }
        // A form with faults has no computed values worth showing.
        let sound = self.faults.is_empty() && self.unsure.is_empty();
        let computed = if sound { compute(&computed::all(form), data, self.evaluate).map_err(Some) } else { Err(None) };
        if computed.is_ok() {
            for (name, field) in form {
                self.held(name, field, data);
            }
        } else {
            // What was typed is told before what does not follow from it.
            self.other_limits(form, data);
        }
        if let (true, Err(Some(Computed { field, title, failure }))) = (self.faults.is_empty(), computed) {
            self.fault(&field, &title, failure.message);
        }
        form.keys().map(|name| (name.clone(), data.get(name).cloned().unwrap_or_default())).collect()
    }

    /// The value of one asked field, with its type checked; `None` after a fault. What is `fresh` was never written, nor
    /// is it given.
    fn asked(&mut self, name: &FieldName, field: &Field, fresh: bool, data: &Record) -> Option<Value> {
        if let Some(when) = &field.when {
            match (self.evaluate)(when, data) {
                Ok(Value::Boolean(true)) => {}
                Ok(_) => return Some(empty(field)),
                Err(failure) => return self.doubt(name, &field.title, failure.message),
            }
        }
        let mut value = data.get(name).cloned().unwrap_or_default();
        if fresh && let Some(default) = &field.default {
            match (self.evaluate)(default, data) {
                Ok(found) => value = stored(&field.kind, found),
                Err(failure) => return self.doubt(name, &field.title, failure.message),
            }
        }
        let blank = match &value {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            Value::List(rows) => rows.is_empty(),
            _ => false,
        };
        if blank {
            if field.required {
                return self.refuse(name, &field.title, Wording::new("请填写这一项。", "Please fill this in."));
            }
            return Some(empty(field));
        }
        if field.many && !matches!(field.kind, FieldKind::List(_)) {
            let Value::List(items) = value else {
                return self.refuse(
                    name,
                    &field.title,
                    Wording::new("这里要填一组值。", "A list of values is expected here."),
                );
            };
            if items.len() > MOST_ROWS {
                return self.refuse(name, &field.title, too_many(field));
            }
            let read: Vec<Option<Value>> = items.into_iter().map(|item| self.one(name, field, item, data)).collect();
            let items: Option<Vec<Value>> = read.into_iter().collect();
            return items.map(|items| Value::List(if is_named(&field.kind) { once(items) } else { items }));
        }
        self.one(name, field, value, data)
    }

    /// One value of a field's kind.
    fn one(&mut self, name: &FieldName, field: &Field, value: Value, data: &Record) -> Option<Value> {
        let known = |found: bool, value: Value| if found { Ok(value) } else { Err(None) };
        let checked: Result<Value, Option<Wording>> = match (&field.kind, value) {
            (FieldKind::Text, Value::Text(text)) if text.contains(['\n', '\r']) => {
                Err(Some(Wording::new("这里只能写一行。", "Only one line fits here.")))
            }
            (FieldKind::Text | FieldKind::LongText, Value::Text(text)) => {
                let limit = if field.kind == FieldKind::Text { MOST_TEXT.0 } else { MOST_TEXT.1 };
                if text.chars().count() > limit {
                    Err(Some(Wording::new(
                        format!("太长了：最多 {limit} 个字。"),
                        format!("Too long: at most {limit} characters."),
                    )))
                } else {
                    Ok(Value::Text(text))
                }
            }
            (
                FieldKind::Integer | FieldKind::Decimal | FieldKind::Percent | FieldKind::Money,
                Value::Number(number),
            ) if number.abs() >= ABOVE_ALL => Err(Some(Wording::new(
                "这个数太大：小数点前最多 15 位。",
                "This number is too large: 15 digits before the point are the most.",
            ))),
            (FieldKind::Integer, Value::Number(number)) if !number.is_integer() => {
                Err(Some(Wording::new("请填一个整数。", "Please give a whole number.")))
            }
            (FieldKind::Integer | FieldKind::Decimal | FieldKind::Percent, value @ Value::Number(_)) => Ok(value),
            (FieldKind::Money, value @ Value::Number(_)) => Ok(stored(&field.kind, value)),
            (FieldKind::Boolean, value @ Value::Boolean(_))
            | (FieldKind::Date, value @ Value::Date(_))
            | (FieldKind::DateTime, value @ Value::DateTime(_)) => Ok(value),
            (FieldKind::Duration, Value::Duration(length)) if !length.is_in_reach() => Err(Some(Wording::new(
                "太长了：最多 200 年，工作时间最多 2000 个工作日。",
                "Too long: 200 years are the most, and of working time 2000 working days.",
            ))),
            (FieldKind::Duration, Value::Duration(length)) => match in_other_unit(field, &length) {
                Some(what) => Err(Some(what)),
                None => Ok(Value::Duration(length)),
            },
            (FieldKind::Choice(options), Value::Text(text)) => known(options.contains_key(&*text), Value::Text(text)),
            (FieldKind::Person(among), Value::Person(person)) => {
                match (self.facts.directory.people.contains_key(&person), among) {
                    (false, _) => Err(Some(Wording::new(
                        format!("通讯录里没有“{person}”。"),
                        format!("The directory has nobody called “{person}”."),
                    ))),
                    (true, None) => Ok(Value::Person(person)),
                    (true, Some(among)) => match (self.evaluate)(among, data) {
                        Ok(allowed)
                            if super::people::named(&allowed, self.facts.directory)
                                .iter()
                                .flatten()
                                .any(|one| *one == person) =>
                        {
                            Ok(Value::Person(person))
                        }
                        Ok(_) => Err(Some(Wording::new(
                            "这个人不在可选的范围里。",
                            "This person is not among those to choose from.",
                        ))),
                        Err(failure) => Err(Some(failure.message)),
                    },
                }
            }
            (FieldKind::Position, Value::Position(id)) => {
                known(self.facts.directory.positions.contains_key(&id), Value::Position(id))
            }
            (FieldKind::Department, Value::Department(id)) => {
                known(self.facts.directory.departments.contains_key(&id), Value::Department(id))
            }
            (FieldKind::File(rule), Value::File(file)) => match rule.refuses(&file) {
                Some(what) => Err(Some(what)),
                None => Ok(Value::File(file)),
            },
            (FieldKind::List(columns), Value::List(rows)) => return self.rows(name, field, columns, rows, data),
            _ => Err(None),
        };
        match checked {
            Ok(value) => Some(value),
            Err(what) => self.refuse(name, &field.title, what.unwrap_or_else(|| expected(&field.kind))),
        }
    }

    fn rows(
        &mut self,
        name: &FieldName,
        field: &Field,
        columns: &Form,
        rows: Vec<Value>,
        data: &Record,
    ) -> Option<Value> {
        if rows.len() > MOST_ROWS {
            return self.refuse(name, &field.title, too_many(field));
        }
        let before = self.faults.len() + self.unsure.len();
        let mut filled = Vec::with_capacity(rows.len());
        self.path.push(PathPart::Field(name.clone()));
        for (number, row) in rows.into_iter().enumerate() {
            self.path.push(PathPart::Row(number));
            if let Value::Record(given) = row {
                let mut inside = beside(columns, data);
                filled.push(Value::Record(self.fields(columns, &given, &mut inside)));
            } else {
                self.path.pop();
                self.fault(name, &field.title, expected(&field.kind));
                self.path.push(PathPart::Row(number));
            }
            self.path.pop();
        }
        self.path.pop();
        (self.faults.len() + self.unsure.len() == before).then_some(Value::List(filled))
    }

    /// The limits of what is sound in a form that is not, so that all of its faults are told at once: of fields
    /// without a fault, by rules that read no field with one and none that is computed.
    fn other_limits(&mut self, form: &Form, data: &Record) {
        let told = || self.faults.iter().chain(&self.unsure);
        let around = told().filter_map(|fault| field_of(fault.path.first()?));
        let faulty: BTreeSet<FieldName> = told().filter_map(|fault| self.below(fault)).chain(around).collect();
        let shaky =
            |name: &FieldName| faulty.contains(name) || form.get(name).is_some_and(|field| field.value.is_some());
        let sound =
            |formula: &Formula| formula.reads.iter().all(|read| !matches!(read, Read::Field(name) if shaky(name)));
        let fields = form.iter().filter(|(name, _)| !shaky(name));
        let sound: Vec<(&FieldName, Field)> = fields
            .map(|(name, field)| {
                let kept = |formula: &Option<Formula>| formula.clone().filter(sound);
                let check = field.check.clone().filter(|check| sound(&check.that));
                (name, Field { min: kept(&field.min), max: kept(&field.max), check, ..field.clone() })
            })
            .collect();
        for (name, field) in &sound {
            self.limits(name, field, data, false);
        }
    }

    /// The field of the form at hand that a fault is of, or is in a row of.
    fn below(&self, fault: &FieldFault) -> Option<FieldName> {
        field_of(fault.path.strip_prefix(self.path.as_slice())?.first()?)
    }

    /// The rules of a field that is filled in, and of the columns of a list that is computed: those of others were held
    /// where they were filled in.
    fn held(&mut self, name: &FieldName, field: &Field, data: &Record) {
        self.limits(name, field, data, true);
        let (FieldKind::List(columns), Some(_), Some(Value::List(rows))) = (&field.kind, &field.value, data.get(name))
        else {
            return;
        };
        self.path.push(PathPart::Field(name.clone()));
        for (number, row) in rows.iter().enumerate() {
            let Value::Record(row) = row else { continue };
            let mut inside = beside(columns, data);
            inside.extend(row.clone());
            self.path.push(PathPart::Row(number));
            columns.iter().for_each(|(name, column)| self.limits(name, column, &inside, true));
            self.path.pop();
        }
        self.path.pop();
    }

    /// Limits, pattern and rule of a field that is filled in.
    fn limits(&mut self, name: &FieldName, field: &Field, data: &Record, sure: bool) {
        let value = data.get(name).cloned().unwrap_or_default();
        let rows = value.as_list().map(<[Value]>::len);
        if value.is_null() || (rows == Some(0) && !field.required && field.min.is_none()) {
            return;
        }
        for (limit, low) in [(&field.min, true), (&field.max, false)] {
            let Some(formula) = limit else { continue };
            let bound = match (self.evaluate)(formula, data) {
                Ok(bound) => bound,
                Err(failure) => {
                    self.failed(name, field, failure, sure);
                    continue;
                }
            };
            if let Some(what) = outside(field, &value, &bound, low, self.facts.calendar.zone) {
                let fault = self.placed(name, &field.title, what);
                self.faults.push(FieldFault { limit: Some(bound), ..fault });
            }
        }
        if let Some(pattern) = &field.pattern
            && !field.keeps_pattern(&value)
        {
            self.fault(name, &field.title, out_of_form(field, pattern));
        }
        if let Some(check) = &field.check {
            match (self.evaluate)(&check.that, data) {
                Ok(Value::Boolean(true)) => {}
                Ok(_) => {
                    let say = Wording::new(check.say.get(Lang::Zh), check.say.get(Lang::En));
                    self.fault(name, &field.title, say);
                }
                Err(failure) => self.failed(name, field, failure, sure),
            }
        }
    }

    /// A rule could not be computed; where other things are wrong it may only follow from these.
    fn failed(&mut self, name: &FieldName, field: &Field, failure: Failure, sure: bool) {
        if sure {
            self.fault(name, &field.title, failure.message);
        } else {
            self.doubt::<()>(name, &field.title, failure.message);
        }
    }

    fn doubt<T>(&mut self, name: &FieldName, title: &Text, what: Wording) -> Option<T> {
        let fault = self.placed(name, title, what);
        self.unsure.push(fault);
        None
    }

    fn refuse<T>(&mut self, name: &FieldName, title: &Text, what: Wording) -> Option<T> {
        self.fault(name, title, what);
        None
    }

    fn fault(&mut self, name: &FieldName, title: &Text, what: Wording) {
        let fault = self.placed(name, title, what);
        self.faults.push(fault);
    }

    fn placed(&self, name: &FieldName, title: &Text, what: Wording) -> FieldFault {
        let mut path = self.path.clone();
        path.push(PathPart::Field(name.clone()));
        FieldFault { path, title: title.clone(), what, limit: None }
    }
}

/// What stands beside a row: columns come first, inside a row they hide fields of the same name.
fn beside(columns: &Form, data: &Record) -> Record {
    let others = data.iter().filter(|(name, _)| !columns.contains_key(*name));
    others.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Where in a form a fault is: what the form does not have comes first.
fn place(form: &Form, path: &[PathPart]) -> Vec<Option<usize>> {
    let mut columns = Some(form);
    let mut place = Vec::with_capacity(path.len());
    for part in path {
        match part {
            PathPart::Row(row) => place.push(Some(*row)),
            PathPart::Field(name) => {
                let found = columns.and_then(|form| form.get_full(name));
                place.push(found.map(|(at, ..)| at));
                columns = found.and_then(|(_, _, field)| match &field.kind {
                    FieldKind::List(columns) => Some(columns),
                    _ => None,
                });
            }
        }
    }
    place
}

fn field_of(part: &PathPart) -> Option<FieldName> {
    match part {
        PathPart::Field(name) => Some(name.clone()),
        PathPart::Row(_) => None,
    }
}

/// Whether values of a kind name something that there is once: to choose it twice says no more.
fn is_named(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Choice(_) | FieldKind::Person(_) | FieldKind::Position | FieldKind::Department)
}

/// The values without repetitions, each where it came first.
fn once(items: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
