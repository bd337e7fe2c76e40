//! What is personal, taken out of a record on its way out and put back on its way in; and the small stored forms.

use super::json;
use crate::model::text::Wording;
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Personal<'a>(pub(super) Vec<Item<'a>>);

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Item<'a> {
    Nothing,
    Text(&'a str),
    Value(&'a Value),
    Record { r: &'a Record },
}

impl<'a> Personal<'a> {
    pub(super) fn text(&mut self, text: &'a str) {
        self.0.push(Item::Text(text));
    }

    pub(super) fn maybe(&mut self, text: Option<&'a Arc<str>>) {
        self.0.push(text.map_or(Item::Nothing, |text| Item::Text(text)));
    }

    pub(super) fn value(&mut self, value: Option<&'a Value>) {
        self.0.push(value.map_or(Item::Nothing, Item::Value));
    }

    pub(super) fn record(&mut self, record: &'a Record) {
        self.0.push(if record.is_empty() { Item::Nothing } else { Item::Record { r: record } });
    }

    pub(super) fn wording(&mut self, words: &'a Wording) {
        self.text(&words.zh);
        self.text(&words.en);
    }

    fn values(self) -> Vec<Value> {
        let value = |item| match item {
            Item::Nothing => Value::Null,
            Item::Text(text) => Value::Text(text.into()),
            Item::Value(value) => value.clone(),
            Item::Record { r } => Value::Record(r.clone()),
        };
        self.0.into_iter().map(value).collect()
    }

    pub(super) fn json(mut self) -> String {
        while matches!(self.0.last(), Some(Item::Nothing)) {
            self.0.pop();
        }
        json(&self.0)
    }
}

pub(super) trait Take {
    fn text(&mut self) -> Option<Arc<str>>;
    fn value(&mut self) -> Option<Value>;
    fn record(&mut self) -> Record;
    fn wording(&mut self) -> Wording;
}

impl Take for std::vec::IntoIter<Value> {
    fn text(&mut self) -> Option<Arc<str>> {
        match self.next() {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.next().filter(|value| !value.is_null())
    }

    fn record(&mut self) -> Record {
        match self.next() {
            Some(Value::Record(record)) => record,
            _ => Record::new(),
        }
    }

    fn wording(&mut self) -> Wording {
        let mut text = || self.text().unwrap_or_default().to_string();
        Wording { zh: text(), en: text() }
    }
}

pub(super) type Stored = std::vec::IntoIter<Value>;

/// A record together with what is personal in it: for snapshots, which are deleted whole.
#[derive(Serialize, Deserialize)]
pub(super) struct Whole<T>(T, Vec<Value>);

impl<T> Whole<T> {
    pub(super) fn of<'a>(make: impl FnOnce(&mut Personal<'a>) -> T) -> Whole<T> {
        let mut personal = Personal::default();
        let record = make(&mut personal);
        Whole(record, personal.values())
    }

    pub(super) fn into_domain<D>(self, make: impl FnOnce(T, &mut Stored) -> D) -> D {
        make(self.0, &mut self.1.into_iter())
    }
}

/// Sixteen bytes as 32 hexadecimal digits.
#[derive(Clone, Copy)]
pub(super) struct Hex(pub(super) [u8; 16]);

/// The digits of sixteen bytes.
pub(in crate::store) fn hex(bytes: &[u8; 16]) -> String {
    let mut digits = [0u8; 32];
    uuid::Uuid::from_bytes(*bytes).as_simple().encode_lower(&mut digits).to_owned()
}

/// The sixteen bytes of 32 digits.
pub(in crate::store) fn unhex(text: &str) -> Option<[u8; 16]> {
    uuid::Uuid::try_parse(text).ok().map(uuid::Uuid::into_bytes)
}

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0u8; 32];
        serializer.serialize_str(uuid::Uuid::from_bytes(self.0).as_simple().encode_lower(&mut digits))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Hex, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        unhex(&text).map(Hex).ok_or_else(|| serde::de::Error::custom("not 32 hexadecimal digits"))
    }
}

/// An instant: milliseconds where that is exact, else RFC 3339.
#[derive(Clone, Copy)]
pub(super) struct At(pub(super) DateTime<Utc>);

impl Serialize for At {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.timestamp_subsec_nanos().is_multiple_of(1_000_000) {
            serializer.serialize_i64(self.0.timestamp_millis())
        } else {
            serializer.collect_str(&self.0.to_rfc3339())
        }
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<At, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Ms(i64),
            Text(DateTime<Utc>),
        }
        Ok(At(match Either::deserialize(deserializer)? {
            Either::Ms(ms) => {
                DateTime::from_timestamp_millis(ms).ok_or_else(|| serde::de::Error::custom("not a time"))?
            }
            Either::Text(at) => at,
        }))
    }
}
