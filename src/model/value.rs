//! Values: what a field holds, what an expression yields, what an event records.
//!
//! Numbers are exact decimals on every way, JSON and SQL included; there is no float. The serde form is the
//! stored form: it says its own type, so that a log folds without its definition. A text is a JSON string, a
//! list an array, `null` and booleans themselves, everything else an object with one short key:
//! `{"n":"640.00"}` number, `{"d":"2026-03-06"}` date, `{"t":…}` time, `{"dt":…}` date-time, `{"dur":…}`
//! duration, `{"p":"wang"}` person, `{"pos":…}` position, `{"dep":…}` department, `{"f":{…}}` file, `{"r":{…}}` record.

use super::file::File;
use super::id::{DepartmentId, FieldName, PersonId, PositionId};
use super::time::{Duration, Moment, TimeOfDay};
use chrono::NaiveDate;
use indexmap::IndexMap;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Named values in the order in which they were set: the data of an instance, a row of a list.
pub type Record = IndexMap<FieldName, Value>;

/// Any value of the language.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Not set.
    #[default]
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer, decimal, percent (0.08 for 8 %) or amount of money.
    Number(Decimal),
    /// A text, also the chosen option of a choice.
    Text(Arc<str>),
    /// A day.
    Date(NaiveDate),
    /// A time of day.
    Time(TimeOfDay),
    /// A day and time, with or without a zone.
    DateTime(Moment),
    /// A length of time.
    Duration(Duration),
    /// A person of the directory.
    Person(PersonId),
    /// A position of the directory.
    Position(PositionId),
    /// A department of the directory.
    Department(DepartmentId),
    /// A file that was handed in; its bytes are kept under its hash.
    File(Arc<File>),
    /// Values in order.
    List(Vec<Value>),
    /// Named values.
    Record(Record),
    /// An interval of comparable values; only expressions hold one, no field does.
    Range(Box<Range>),
}

/// An interval; an end that is `Null` is open to that side.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// The lower end.
    pub low: Value,
    /// Whether the lower end belongs to it.
    pub low_closed: bool,
    /// The upper end.
    pub high: Value,
    /// Whether the upper end belongs to it.
    pub high_closed: bool,
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }

    /// Whether nothing is set.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<Decimal> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The rows or items, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Every file in it, in lists and rows too.
    pub fn files(&self) -> Vec<&Arc<File>> {
        match self {
            Value::File(file) => vec![file],
            Value::List(items) => items.iter().flat_map(Value::files).collect(),
            Value::Record(record) => record.values().flat_map(Value::files).collect(),
            _ => Vec::new(),
        }
    }

    /// Plain JSON for programs of people; see [`plain`].
    pub fn to_plain(&self) -> serde_json::Value {
        plain(self)
    }
}

/// An amount as it is stored and shown: of two places, half up (away from zero).
pub fn in_cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// Plain JSON for people's programs: numbers as decimal strings (no float on the way), dates in ISO 8601,
/// people, positions and departments by their ids.
pub fn plain(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::Number(number) => Json::String(number.to_string()),
        Value::Text(text) => Json::String(text.to_string()),
        Value::Date(date) => Json::String(date.to_string()),
        Value::Time(time) => Json::String(time.to_string()),
        Value::DateTime(moment) => Json::String(moment.to_string()),
        Value::Duration(duration) => Json::String(duration.to_string()),
        Value::Person(id) => Json::String(id.to_string()),
        Value::Position(id) => Json::String(id.to_string()),
        Value::Department(id) => Json::String(id.to_string()),
        Value::File(file) => serde_json::json!({
            "name": file.name, "size": file.size, "type": file.media, "sha256": file.sha256,
        }),
        Value::List(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Record(record) => plain_record(record),
        Value::Range(range) => Json::String(format!(
            "{}{}..{}{}",
            if range.low_closed { "[" } else { "(" },
            plain(&range.low),
            plain(&range.high),
            if range.high_closed { "]" } else { ")" },
        )),
    }
}

/// JSON from outside as a value. A number that a decimal cannot hold stays the text that it was.
pub fn from_plain(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => {
            let text = number.to_string();
            let read = text.parse().or_else(|_| Decimal::from_scientific(&text));
            read.map_or_else(|_| Value::Text(text.into()), Value::Number)
        }
        Json::String(text) => Value::Text(text.as_str().into()),
        Json::Array(items) => Value::List(items.iter().map(from_plain).collect()),
        Json::Object(fields) => {
            Value::Record(fields.iter().map(|(name, value)| (name.as_str().into(), from_plain(value))).collect())
        }
    }
}

/// A record as a plain JSON object; see [`plain`].
pub fn plain_record(record: &Record) -> serde_json::Value {
    serde_json::Value::Object(record.iter().map(|(name, value)| (name.to_string(), plain(value))).collect())
}

fn tagged<S: Serializer, T: Serialize + ?Sized>(serializer: S, tag: &str, value: &T) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, value)?;
    map.end()
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Boolean(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => tagged(serializer, "n", number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Date(date) => tagged(serializer, "d", date),
            Value::Time(time) => tagged(serializer, "t", time),
            Value::DateTime(moment) => tagged(serializer, "dt", moment),
            Value::Duration(duration) => tagged(serializer, "dur", duration),
            Value::Person(id) => tagged(serializer, "p", id),
            Value::Position(id) => tagged(serializer, "pos", id),
            Value::Department(id) => tagged(serializer, "dep", id),
            Value::File(file) => tagged(serializer, "f", &**file),
            Value::List(items) => items.serialize(serializer),
            Value::Record(record) => tagged(serializer, "r", record),
            Value::Range(range) => {
                tagged(serializer, "rng", &(range.low_closed, &range.low, &range.high, range.high_closed))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        struct Stored;
        impl<'de> Visitor<'de> for Stored {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a stored value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
                Ok(Value::Boolean(flag))
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(Arc::from(text)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Value::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let tag: String = map.next_key()?.ok_or_else(|| de::Error::custom("a value without its type"))?;
                Ok(match tag.as_str() {
                    "n" => Value::Number(map.next_value()?),
                    "d" => Value::Date(map.next_value()?),
                    "t" => Value::Time(map.next_value()?),
                    "dt" => Value::DateTime(map.next_value()?),
                    "dur" => Value::Duration(map.next_value()?),
                    "p" => Value::Person(map.next_value()?),
                    "pos" => Value::Position(map.next_value()?),
                    "dep" => Value::Department(map.next_value()?),
                    "f" => Value::File(Arc::new(map.next_value()?)),
                    "r" => Value::Record(map.next_value()?),
                    "rng" => {
                        let (low_closed, low, high, high_closed) = map.next_value()?;
                        Value::Range(Box::new(Range { low, low_closed, high, high_closed }))
                    }
                    other => return Err(de::Error::custom(format!("a value of the unknown type `{other}`"))),
                })
            }
        }
        deserializer.deserialize_any(Stored)
    }
}

/// What a value may be: the type of a field or of an expression. Optionality is apart, see [`Typed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// The type of `null` alone.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number without unit: integers, decimals, percents.
    Number,
    /// An amount: money ± money and money × or ÷ a number are money, money ÷ money is a number.
    Money,
    /// Any text.
    Text,
    /// One of the named options.
    Choice(Arc<[Arc<str>]>),
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A day and time.
    DateTime,
    /// A length of time.
    Duration,
    /// A person of the directory.
    Person,
    /// A position.
    Position,
    /// A department.
    Department,
    /// A file.
    File,
    /// A list of one type.
    List(Box<Typed>),
    /// Named columns.
    Record(Arc<IndexMap<FieldName, Typed>>),
    /// An interval.
    Range(Box<Type>),
    /// Not known before it runs: only `evaluate` without a form meets it.
    Any,
}

/// A type and whether `null` may stand in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Typed {
    /// What it is when it is set.
    #[serde(rename = "type")]
    pub of: Type,
    /// Whether it may be `null`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Typed {
    /// A value that is always set.
    pub fn always(of: Type) -> Typed {
        Typed { of, optional: false }
    }

    /// A value that may be `null`.
    pub fn optional(of: Type) -> Typed {
        Typed { of, optional: true }
    }
}
