//! Forms, filled in: defaults, conditions, types, limits, rules and computed fields.
//!
//! [`fill`] takes what was handed in and answers every field of the form, or all faults at once. It trusts
//! nothing: values come from pages, files and programs alike. Money is rounded half up to two places here, when
//! it is stored, and not before.

use super::refusal::{FieldFault, PathPart};
use crate::expression::{Failure, order};
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::id::FieldName;
use crate::model::people::Directory;
use crate::model::text::{Lang, Text, Wording};
use crate::model::value::{Record, Value};
use rust_decimal::{Decimal, RoundingStrategy};

/// The most rows of a list, and values of a `many` field.
const MOST_ROWS: usize = 1_000;
/// The most characters of one line, and of a long text.
const MOST_TEXT: (usize, usize) = (1_000, 20_000);

/// Evaluates a formula on data.
pub(super) type Evaluate<'a> = dyn Fn(&Formula, &Record) -> Result<Value, Failure> + 'a;

/// A computed field whose expression failed.
pub(super) struct Computed {
    /// Which field.
    pub field: FieldName,
    /// What it said.
    pub failure: Failure,
}

/// Fills a form in: `given` over `current`, which may hold other fields too. Answers the form's fields only.
///
/// # Errors
/// Every fault, in the order of the form.
pub(super) fn fill(
    form: &Form,
    given: &Record,
    current: &Record,
    directory: &Directory,
    evaluate: &Evaluate<'_>,
) -> Result<Record, Vec<FieldFault>> {
    let mut filling = Filling { directory, evaluate, faults: Vec::new(), unsure: Vec::new(), path: Vec::new() };
    let mut data = current.clone();
    let filled = filling.fields(form, given, &mut data);
    // What could not be evaluated may only follow from what is missing: it is told where nothing else is wrong.
    let Filling { faults, unsure, .. } = filling;
    let faults = if faults.is_empty() { unsure } else { faults };
    if faults.is_empty() { Ok(filled) } else { Err(faults) }
}

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
            let value = evaluate(default, data).map_err(|failure| Computed { field: name.clone(), failure })?;
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

/// Re-computes the computed fields of a form in `data`.
///
/// # Errors
/// The first that failed.
pub(super) fn compute(form: &Form, data: &mut Record, evaluate: &Evaluate<'_>) -> Result<(), Computed> {
    let computed: Vec<_> = form.iter().filter(|(_, field)| field.value.is_some()).collect();
    // Each pass settles at least the fields that need none that is not settled; `check` refuses cycles.
    for _ in 0..=computed.len() {
        let mut settled = true;
        for &(name, field) in &computed {
            let Some(formula) = &field.value else { continue };
            let asked = match &field.when {
                Some(when) => matches!(evaluate(when, data), Ok(Value::Boolean(true))),
                None => true,
            };
            let value = if asked {
                let value = evaluate(formula, data).map_err(|failure| Computed { field: name.clone(), failure })?;
                stored(&field.kind, value)
            } else {
                Value::Null
            };
            if data.get(name) != Some(&value) {
                data.insert(name.clone(), value);
                settled = false;
            }
        }
        if settled {
            break;
        }
    }
    Ok(())
}

/// A value as the field of that name stores it.
pub(super) fn store(definition: &Definition, name: &FieldName, value: Value) -> Value {
    match definition.fields().find(|(known, _)| *known == name) {
        Some((_, field)) => stored(&field.kind, value),
        None => value,
    }
}

/// A value as it is stored: money is rounded.
pub(super) fn stored(kind: &FieldKind, value: Value) -> Value {
    match (kind, value) {
        (FieldKind::Money, Value::Number(number)) => {
            let mut money = number.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            money.rescale(2);
            Value::Number(money)
        }
        (_, value) => value,
    }
}

struct Filling<'a> {
    directory: &'a Directory,
    evaluate: &'a Evaluate<'a>,
    faults: Vec<FieldFault>,
    /// Conditions and defaults that could not be evaluated on what is there.
    unsure: Vec<FieldFault>,
    path: Vec<PathPart>,
}

impl Filling<'_> {
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
        for (name, field) in form {
            if field.value.is_none() {
                let value = given.get(name).or_else(|| data.get(name)).cloned().unwrap_or_else(|| empty(field));
                data.insert(name.clone(), stored(&field.kind, value));
            }
        }
        for (name, field) in form.iter().filter(|(_, field)| field.value.is_none()) {
            if let Some(value) = self.asked(name, field, given, data) {
                data.insert(name.clone(), value);
            }
        }
        // A form with faults has no computed values worth showing.
        if self.faults.is_empty() {
            let computed =
                if self.unsure.is_empty() { compute(form, data, self.evaluate).map_err(Some) } else { Err(None) };
            // What was typed is told before what does not follow from it.
            for (name, field) in form.iter().filter(|(_, field)| computed.is_ok() || field.value.is_none()) {
                self.limits(name, field, data);
            }
            if let (true, Err(Some(Computed { field, failure }))) = (self.faults.is_empty(), computed) {
                let title = form.get(&field).map_or_else(|| Text::One(field.to_string()), |found| found.title.clone());
                self.fault(&field, &title, failure.message);
            }
        }
        form.keys().map(|name| (name.clone(), data.get(name).cloned().unwrap_or_default())).collect()
    }

    /// The value of one asked field, with its type checked; `None` after a fault.
    fn asked(&mut self, name: &FieldName, field: &Field, given: &Record, data: &Record) -> Option<Value> {
        if let Some(when) = &field.when {
            match (self.evaluate)(when, data) {
                Ok(Value::Boolean(true)) => {}
                Ok(_) => return Some(empty(field)),
                Err(failure) => return self.doubt(name, &field.title, failure.message),
            }
        }
        let mut value = data.get(name).cloned().unwrap_or_default();
        if value.is_null()
            && !given.contains_key(name)
            && let Some(default) = &field.default
        {
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
                return self.refuse(name, &field.title, too_many_rows());
            }
            let items: Option<Vec<Value>> = items.into_iter().map(|item| self.one(name, field, item, data)).collect();
            return items.map(Value::List);
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
            (FieldKind::Integer, Value::Number(number)) if !number.is_integer() => {
                Err(Some(Wording::new("请填一个整数。", "Please give a whole number.")))
            }
            (FieldKind::Integer | FieldKind::Decimal | FieldKind::Percent, value @ Value::Number(_)) => Ok(value),
            (FieldKind::Money, value @ Value::Number(_)) => Ok(stored(&field.kind, value)),
            (FieldKind::Boolean, value @ Value::Boolean(_))
            | (FieldKind::Date, value @ Value::Date(_))
            | (FieldKind::DateTime, value @ Value::DateTime(_))
            | (FieldKind::Duration, value @ Value::Duration(_)) => Ok(value),
            (FieldKind::Choice(options), Value::Text(text)) => known(options.contains_key(&*text), Value::Text(text)),
            (FieldKind::Person(among), Value::Person(person)) => {
                match (self.directory.people.contains_key(&person), among) {
                    (false, _) => Err(Some(Wording::new(
                        format!("通讯录里没有“{person}”。"),
                        format!("The directory has nobody called “{person}”."),
                    ))),
                    (true, None) => Ok(Value::Person(person)),
                    (true, Some(among)) => match (self.evaluate)(among, data) {
                        Ok(allowed)
                            if super::people::named(&allowed, self.directory)
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
                known(self.directory.positions.contains_key(&id), Value::Position(id))
            }
            (FieldKind::Department, Value::Department(id)) => {
                known(self.directory.departments.contains_key(&id), Value::Department(id))
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
            return self.refuse(name, &field.title, too_many_rows());
        }
        let before = self.faults.len() + self.unsure.len();
        let mut filled = Vec::with_capacity(rows.len());
        self.path.push(PathPart::Field(name.clone()));
        for (number, row) in rows.into_iter().enumerate() {
            self.path.push(PathPart::Row(number));
            if let Value::Record(given) = row {
                // Columns come first: inside a row they hide fields of the same name.
                let mut inside: Record = data
                    .iter()
                    .filter(|(name, _)| !columns.contains_key(*name))
                    .map(|(n, v)| (n.clone(), v.clone()))
                    .collect();
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

    /// Limits, pattern and rule of a field that is filled in.
    fn limits(&mut self, name: &FieldName, field: &Field, data: &Record) {
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
                    self.fault(name, &field.title, failure.message);
                    continue;
                }
            };
            if let Some(what) = outside(field, &value, &bound, low) {
                self.fault(name, &field.title, what);
            }
        }
        let items = value.as_list().unwrap_or(std::slice::from_ref(&value));
        if let Some(pattern) = &field.pattern
            && let Ok(regex) = regex_lite::Regex::new(&format!("^(?:{pattern})$"))
            && items.iter().filter_map(Value::as_text).any(|text| !regex.is_match(text))
        {
            self.fault(
                name,
                &field.title,
                Wording::new(format!("格式不对：应符合 {pattern}。"), format!("Not in the expected form: {pattern}.")),
            );
        }
        if let Some(check) = &field.check {
            match (self.evaluate)(&check.that, data) {
                Ok(Value::Boolean(true)) => {}
                Ok(_) => {
                    let say = Wording::new(check.say.get(Lang::Zh), check.say.get(Lang::En));
                    self.fault(name, &field.title, say);
                }
                Err(failure) => {
                    self.fault(name, &field.title, failure.message);
                }
            }
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
        FieldFault { path, title: title.clone(), what }
    }
}

/// What a field holds while nothing is filled in: lists are empty, never null.
fn empty(field: &Field) -> Value {
    if field.many || matches!(field.kind, FieldKind::List(_)) { Value::List(Vec::new()) } else { Value::Null }
}

/// What is wrong with a value beyond a limit: of the value itself, a text's length, or a list's rows.
fn outside(field: &Field, value: &Value, bound: &Value, low: bool) -> Option<Wording> {
    let beyond = |ordering: std::cmp::Ordering| if low { ordering.is_lt() } else { ordering.is_gt() };
    let say = |found: bool, zh: (&str, &str), en: (&str, &str), unit: (&str, &str), shown: String| {
        found.then(|| {
            let (zh, en) = if low { (zh.0, en.0) } else { (zh.1, en.1) };
            Wording::new(format!("{zh} {shown}{}。", unit.0), format!("{en} {shown}{}.", unit.1))
        })
    };
    let (least, most) = (("至少", "最多"), ("At least", "At most"));
    match (value, bound) {
        (Value::Text(text), Value::Number(bound)) => {
            let length = Decimal::from(text.chars().count());
            say(beyond(length.cmp(bound)), least, most, (" 个字", " characters"), bound.normalize().to_string())
        }
        (Value::List(rows), Value::Number(bound)) => {
            let count = Decimal::from(rows.len());
            say(beyond(count.cmp(bound)), least, most, (" 行", " rows"), bound.normalize().to_string())
        }
        (Value::Number(number), Value::Number(bound)) => {
            let shown = match field.kind {
                FieldKind::Percent => format!("{} %", (*bound * Decimal::ONE_HUNDRED).normalize()),
                _ => bound.normalize().to_string(),
            };
            say(beyond(number.cmp(bound)), least, most, ("", ""), shown)
        }
        (Value::Date(date), Value::Date(bound)) => {
            say(beyond(date.cmp(bound)), ("不早于", "不晚于"), ("Not before", "Not after"), ("", ""), bound.to_string())
        }
        (Value::DateTime(at), Value::DateTime(bound)) => {
            let ordering = at.local.cmp(&bound.local);
            say(beyond(ordering), ("不早于", "不晚于"), ("Not before", "Not after"), ("", ""), bound.local.to_string())
        }
        (Value::Duration(_), Value::Duration(least_or_most)) => {
            // Months and days have no order: such a limit says nothing of the other.
            let found = order(value, bound).is_some_and(beyond);
            let (least, most) = if low { ("至少", "At least") } else { ("最多", "At most") };
            let (zh, en) = (least_or_most.words(Lang::Zh), least_or_most.words(Lang::En));
            found.then(|| Wording::new(format!("{least} {zh}。"), format!("{most} {en}.")))
        }
        _ => None,
    }
}

fn too_many_rows() -> Wording {
    Wording::new(format!("行太多了：最多 {MOST_ROWS} 行。"), format!("Too many rows: at most {MOST_ROWS}."))
}

/// What a kind of field takes, with an example.
fn expected(kind: &FieldKind) -> Wording {
    let (zh, en) = match kind {
        FieldKind::Text | FieldKind::LongText => ("请填文字。", "Please give a text."),
        FieldKind::Integer => ("请填一个整数，例如 3。", "Please give a whole number, such as 3."),
        FieldKind::Decimal => ("请填一个数，例如 2.5。", "Please give a number, such as 2.5."),
        FieldKind::Money => ("请填金额，例如 320.00。", "Please give an amount, such as 320.00."),
        FieldKind::Percent => ("请填百分数，例如 8 %。", "Please give a percentage, such as 8 %."),
        FieldKind::Boolean => ("请填是或否。", "Please say yes or no."),
        FieldKind::Date => ("请填日期，例如 2026-03-06。", "Please give a date, such as 2026-03-06."),
        FieldKind::DateTime => {
            ("请填日期和时间，例如 2026-03-06T09:00。", "Please give a date and time, such as 2026-03-06T09:00.")
        }
        FieldKind::Duration => {
            ("请填时长，例如 P3D（三天）。", "Please give a length of time, such as P3D for three days.")
        }
        FieldKind::Choice(options) => {
            let list = |lang| {
                options
                    .iter()
                    .map(|(name, title)| {
                        let title = title.get(lang);
                        if title == &**name { title.to_owned() } else { format!("{title} ({name})") }
                    })
                    .collect::<Vec<_>>()
            };
            return Wording::new(
                format!("请选其中一项：{}。", list(Lang::Zh).join("、")),
                format!("Please choose one of: {}.", list(Lang::En).join(", ")),
            );
        }
        FieldKind::Person(_) => ("请填一个人。", "Please name a person."),
        FieldKind::Position => ("请填一个岗位。", "Please name a position."),
        FieldKind::Department => ("请填一个部门。", "Please name a department."),
        FieldKind::File(_) => ("请上传一个文件。", "Please upload a file."),
        FieldKind::List(_) => ("这里要填若干行。", "Rows are expected here."),
    };
    Wording::new(zh, en)
}
