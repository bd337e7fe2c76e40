//! Filling any form in: what the script says of a field, else something that fits its kind and its limits.
//!
//! What a form then refuses is filled in once more, further away each time: a rule between two fields may want what
//! nobody could guess.

use super::dice::Dice;
use super::script::{Made, Script};
use crate::expression::{self, Context};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::id::{FieldName, PersonId};
use crate::model::input::{Reading, read_json};
use crate::model::people::Directory;
use crate::model::time::{Calendar, Duration, Moment};
use crate::model::value::{Record, Value, in_cents, plain};
use crate::runtime::Files;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// How deep words hold words.
const DEEP: usize = 5;

/// Days that are tried where a day is refused, counted from the first guess.
const AWAY: [i64; 10] = [0, 1, 7, 30, -1, 90, -7, -30, 180, 365];

/// Names that were made up so far, by the list that they were made of.
pub(super) type Names = BTreeMap<String, Vec<String>>;

/// What fields of a name get, the nearest first.
pub(super) type Sayings<'a> = Vec<&'a BTreeMap<String, Json>>;

/// Who fills a form in, when, for which answer, and how often it was refused before.
#[derive(Clone, Copy)]
pub(super) struct Hand<'a> {
    pub(super) applicant: &'a PersonId,
    pub(super) by: &'a PersonId,
    pub(super) outcome: Option<&'a str>,
    pub(super) now: DateTime<Utc>,
    pub(super) tried: usize,
}

/// What a form is filled in from.
pub(super) struct Filling<'a> {
    pub(super) script: &'a Script,
    pub(super) says: Sayings<'a>,
    pub(super) directory: &'a Directory,
    pub(super) calendar: &'a Calendar,
    pub(super) files: &'a Files,
    pub(super) hand: Hand<'a>,
    pub(super) dice: &'a mut Dice,
    pub(super) names: &'a mut Names,
}

impl Filling<'_> {
    /// The fields of a form that somebody fills in; `data` is what the case has, `kept` what was good before.
    pub(super) fn form(&mut self, form: &Form, data: &Record, kept: &Record) -> Record {
        let (mut known, mut filled) = (data.clone(), Record::new());
        for (name, field) in form.iter().filter(|(_, field)| field.value.is_none()) {
            let value = match kept.get(name) {
                Some(value) => Some(value.clone()),
                None => self.field(name, field, &known),
            };
            if let Some(value) = value {
                known.insert(name.clone(), value.clone());
                filled.insert(name.clone(), value);
            }
        }
        filled
    }

    /// What a field gets; nothing where it stays as it is.
    fn field(&mut self, name: &FieldName, field: &Field, data: &Record) -> Option<Value> {
        let said = self.says.iter().find_map(|says| says.get(name.as_str())).cloned();
        if let Some(said) = said
            && self.hand.tried < 8
        {
            match self.said(&said, field, data) {
                // What has a usual value keeps it.
                Some(Value::Null) if !field.required => return field.default.is_none().then_some(Value::Null),
                Some(Value::Null) | None => {}
                value => return value,
            }
        }
        let there =
            data.get(name).is_some_and(|value| !value.is_null() && value.as_list().is_none_or(|l| !l.is_empty()));
        let leaves = there || field.default.is_some() || !field.required && !self.dice.chance(self.script.optional);
        if leaves && (self.hand.tried == 0 || !field.required) {
            return None;
        }
        let one = self.fitting(field, data)?;
        Some(if field.many { Value::List(vec![one]) } else { one })
    }

    /// What the script says of a field, where that is a value of its kind.
    fn said(&mut self, said: &Json, field: &Field, data: &Record) -> Option<Value> {
        if let (FieldKind::List(columns), Ok(made)) = (&field.kind, Made::deserialize(said)) {
            if let Some((column, values)) = made.each.first_key_value() {
                let mut says = made.columns.clone();
                let rows = values.iter().map(|value| {
                    says.insert(column.clone(), Json::String(value.clone()));
                    self.row(columns, &says, data)
                });
                return Some(Value::List(rows.collect()));
            }
            let (least, most) = made.rows?;
            let count = self.dice.between(least.0, most.0);
            let rows = (0..count).map(|_| self.row(columns, &made.columns, data)).collect();
            return Some(Value::List(rows));
        }
        let json = self.plain(said, data)?;
        let reading = Reading { directory: self.directory, today: self.calendar.today(self.hand.now) };
        read_json(&reading, field, &json).ok()
    }

    fn row(&mut self, columns: &Form, says: &BTreeMap<String, Json>, data: &Record) -> Value {
        let mut row = Record::new();
        for (name, field) in columns.iter().filter(|(_, field)| field.value.is_none()) {
            let mut known = data.clone();
            known.extend(row.clone());
            let said = says.get(name.as_str()).and_then(|said| self.said(said, field, &known));
            let value = match said {
                Some(value) => Some(value),
                None if says.contains_key(name.as_str()) => None,
                None => self.field(name, field, &row),
            };
            row.extend(value.map(|value| (name.clone(), value)));
        }
        Value::Record(row)
    }

    /// What the script says, as it would be typed.
    pub(super) fn plain(&mut self, said: &Json, data: &Record) -> Option<Json> {
        match said {
            Json::String(text) => Some(Json::String(self.text(text, data, 0))),
            Json::Array(several) => {
                let one = self.dice.one_of(several).cloned()?;
                self.plain(&one, data)
            }
            Json::Object(_) => self.made(&Made::deserialize(said).ok()?, data),
            other => Some(other.clone()),
        }
    }

    fn made(&mut self, made: &Made, data: &Record) -> Option<Json> {
        if !self.dice.chance(made.chance) {
            return Some(Json::Null);
        }
        if let Some(give) = &made.give {
            return self.plain(give, data);
        }
        if let Some(pick) = &made.pick {
            let one = self.dice.weighted(&pick.all()).copied()?.to_owned();
            return Some(Json::String(self.text(&one, data, 0)));
        }
        if let Some((least, most)) = made.days {
            let day = self.calendar.today(self.hand.now) + TimeDelta::days(self.dice.between(least.0, most.0));
            let working = self.calendar.next_working(self.calendar.instant(day.into()));
            let day = working.map_or(day, |at| self.calendar.today(at));
            let time = match made.at.as_ref().and_then(|at| self.plain(at, data)) {
                Some(Json::String(time)) => format!("T{time}"),
                _ => String::new(),
            };
            return Some(Json::String(format!("{day}{time}")));
        }
        if let Some(feel) = &made.feel {
            return expression::run(feel, data, self.hand.now).ok().map(|value| plain(&value));
        }
        let (low, high) = (made.from?, made.to?);
        let number = self.dice.decimal(low, high, made.step.unwrap_or(Decimal::ONE));
        let number = match &made.times {
            None => number,
            Some(times) => {
                let product = data.get(times.as_str())?.as_number()?.checked_mul(number)?;
                in_cents(product)
            }
        };
        Some(Json::String(number.normalize().to_string()))
    }

    /// A text with its words: `{city}` is one of a list, `{new:customer}` a name made of a list that was not used
    /// before, `{any:customer}` one of those, `{digits:6}` so many digits, anything else a field.
    pub(super) fn text(&mut self, text: &str, data: &Record, deep: usize) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((word, after)) = after.split_once('}') else { break };
            out += before;
            out += &self.word(word, data, deep);
            rest = after;
        }
        out + rest
    }

    fn word(&mut self, word: &str, data: &Record, deep: usize) -> String {
        if deep >= DEEP {
            return String::new();
        }
        if let Some(list) = word.strip_prefix("new:") {
            let mut name = String::new();
            for _ in 0..50 {
                name = self.word(list, data, deep + 1);
                if !self.names.get(list).is_some_and(|known| known.contains(&name)) {
                    break;
                }
            }
            self.names.entry(list.to_owned()).or_default().push(name.clone());
            return name;
        }
        if let Some(list) = word.strip_prefix("any:") {
            let known = self.names.get(list).and_then(|known| self.dice.one_of(known)).cloned();
            return known.unwrap_or_else(|| self.word(&format!("new:{list}"), data, deep + 1));
        }
        if let Some(count) = word.strip_prefix("digits:") {
            let count = count.parse().unwrap_or(1).min(30);
            return (0..count).map(|place| self.dice.between(i64::from(place == 0), 9).to_string()).collect();
        }
        if let Some(list) = self.script.words.get(word) {
            let one = self.dice.one_of(list).cloned().unwrap_or_default();
            return self.text(&one, data, deep + 1);
        }
        match data.get(word).map(plain) {
            Some(Json::String(text)) => text,
            _ => String::new(),
        }
    }

    /// Something that fits the kind of a field and its limits.
    fn fitting(&mut self, field: &Field, data: &Record) -> Option<Value> {
        let today = self.calendar.today(self.hand.now);
        let min = self.limit(field.min.as_ref(), data);
        let max = self.limit(field.max.as_ref(), data);
        Some(match &field.kind {
            FieldKind::Text => Value::text(self.sentence("text", max.as_ref(), data)),
            FieldKind::LongText => Value::text(self.sentence("long text", max.as_ref(), data)),
            FieldKind::Integer => self.number(1, 20, Decimal::ONE, &min, &max),
            FieldKind::Decimal => self.number(1, 20, Decimal::new(5, 1), &min, &max),
            FieldKind::Money => self.number(100, 5_000, Decimal::TEN, &min, &max),
            FieldKind::Percent => self.number(0, 1, Decimal::new(5, 2), &min, &max),
            FieldKind::Boolean => Value::Boolean(self.dice.chance(if self.hand.tried < 4 { 80 } else { 50 })),
            FieldKind::Date => Value::Date(self.day(today, &min, &max)),
            FieldKind::DateTime => {
                let day = match (&min, &max) {
                    (Some(Value::DateTime(moment)), _) | (_, Some(Value::DateTime(moment))) => moment.local.date(),
                    _ => self.day(today, &min, &max),
                };
                let hour = u32::try_from(self.dice.between(9, 16)).unwrap_or(9);
                let local = day.and_hms_opt(hour, 0, 0)?;
                Value::DateTime(Moment { local, zone: None })
            }
            FieldKind::Duration => Value::Duration(Duration::WorkingDays(self.dice.between(1, 5))),
            FieldKind::Choice(options) => {
                let names: Vec<_> = options.keys().cloned().collect();
                Value::Text(self.dice.one_of(&names)?.clone())
            }
            FieldKind::Person(among) => Value::Person(self.person(among.as_ref(), data)?),
            FieldKind::Position => {
                Value::Position(self.directory.people.get(self.hand.applicant)?.positions.first()?.clone())
            }
            FieldKind::Department => Value::Department(self.directory.department_of(self.hand.applicant)?.clone()),
            FieldKind::File(rule) => {
                let name = format!("{}.pdf", field.title.get(crate::model::text::Lang::Zh));
                let bytes = format!("%PDF-1.4\n% {name} {name}\n%%EOF\n");
                Value::File(self.files.take(&name, rule, bytes.as_bytes()).ok()?.into())
            }
            FieldKind::List(columns) => {
                let whole = |limit: &Option<Value>| limit.as_ref().and_then(Value::as_number)?.try_into().ok();
                let least: i64 = whole(&min).unwrap_or(1).max(1);
                let most = whole(&max).unwrap_or(4).max(least);
                let rows = self.dice.between(least, most.min(least + 3));
                Value::List((0..rows).map(|_| self.row(columns, &BTreeMap::new(), data)).collect())
            }
        })
    }

    fn sentence(&mut self, list: &str, max: Option<&Value>, data: &Record) -> String {
        let text = self.word(list, data, 0);
        let text = if text.is_empty() { "…".to_owned() } else { text };
        let most = max.and_then(Value::as_number).and_then(|most| most.try_into().ok()).unwrap_or(usize::MAX);
        text.chars().take(most).collect()
    }

    fn number(&mut self, low: i64, high: i64, step: Decimal, min: &Option<Value>, max: &Option<Value>) -> Value {
        let (min, max) = (min.as_ref().and_then(Value::as_number), max.as_ref().and_then(Value::as_number));
        let usual = (Decimal::from(low), Decimal::from(high));
        let low = min.unwrap_or(usual.0.min(max.unwrap_or(usual.0)));
        let high = max.unwrap_or(usual.1.max(low + usual.1 - usual.0));
        // Smaller each time that it was refused, then larger.
        let (low, high) = match self.hand.tried {
            0 | 1 => (low, high),
            2..=6 => (low, low + (high - low) / Decimal::from(1 << self.hand.tried)),
            more => (low, if max.is_some() { high } else { high * Decimal::from(more) }),
        };
        Value::Number(self.dice.decimal(low, high, step).normalize())
    }

    fn day(&mut self, today: NaiveDate, min: &Option<Value>, max: &Option<Value>) -> NaiveDate {
        let day = match (min, max) {
            (Some(Value::Date(least)), Some(Value::Date(most))) => {
                *least + TimeDelta::days(self.dice.between(0, (*most - *least).num_days()))
            }
            (Some(Value::Date(least)), _) => *least + TimeDelta::days(self.dice.between(0, 10)),
            (_, Some(Value::Date(most))) => *most - TimeDelta::days(self.dice.between(0, 5)),
            _ => today + TimeDelta::days(self.dice.between(0, 14)),
        };
        if self.hand.tried == 0 {
            return day;
        }
        let away = AWAY.get(self.hand.tried % AWAY.len()).copied().unwrap_or(0);
        today + TimeDelta::days(away + self.dice.between(0, 2))
    }

    fn person(&mut self, among: Option<&Formula>, data: &Record) -> Option<PersonId> {
        let everybody = || self.directory.people.keys().cloned().collect();
        let people: Vec<PersonId> = match among {
            Some(among) => self.named(&self.evaluate(among, data)?),
            None => everybody(),
        };
        // Most work is the own work of who fills the form in.
        let own = [self.hand.by, self.hand.applicant].into_iter().find(|one| people.contains(one)).cloned();
        match own.filter(|_| self.hand.tried == 0) {
            Some(own) if self.dice.chance(70) => Some(own),
            _ => self.dice.one_of(&people).cloned(),
        }
    }

    fn named(&self, value: &Value) -> Vec<PersonId> {
        match value {
            Value::Person(person) => vec![person.clone()],
            Value::Position(position) => self.directory.holders(position),
            Value::List(items) => items.iter().flat_map(|item| self.named(item)).collect(),
            _ => Vec::new(),
        }
    }

    fn limit(&self, limit: Option<&Formula>, data: &Record) -> Option<Value> {
        self.evaluate(limit?, data)
    }

    fn evaluate(&self, formula: &Formula, data: &Record) -> Option<Value> {
        let context = Context {
            applicant: Some(self.hand.applicant),
            assignee: Some(self.hand.by),
            outcome: self.hand.outcome,
            ..Context::new(data, self.directory, self.calendar, self.hand.now)
        };
        expression::evaluate(formula, &context).ok().filter(|value| !value.is_null())
    }
}
