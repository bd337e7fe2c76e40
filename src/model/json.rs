//! Values as other programs get them: JSON with numbers as numbers, written digit by digit.
//!
//! [`super::value::plain`] keeps numbers as texts, for whoever reads into floats unasked. Calls of other systems and
//! the work of programs outside follow what those expect instead: a number where a number is meant. No float is on
//! the way; an amount of `12.50` is written `12.50`.
//!
//! Only a writer of JSON text keeps the digits, so what is here must not go through a tree of JSON.

use super::value::{Record, Value, plain};
use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value with exact numbers.
#[derive(Clone, Copy, Debug)]
pub struct Exact<'a>(pub &'a Value);

/// A record with exact numbers.
#[derive(Clone, Copy, Debug)]
pub struct ExactRecord<'a>(pub &'a Record);

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => {
                RawValue::from_string(number.to_string()).map_err(S::Error::custom)?.serialize(serializer)
            }
            Value::List(items) => serializer.collect_seq(items.iter().map(Exact)),
            Value::Record(record) => ExactRecord(record).serialize(serializer),
            other => plain(other).serialize(serializer),
        }
    }
}

impl Serialize for ExactRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name.as_str(), Exact(value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit_wherever_they_stand() {
        let number = |text: &str| Value::Number(text.parse().unwrap());
        let row = Record::from([("of".into(), number("-79228162514264337593543950335"))]);
        let record = Record::from([
            ("amount".into(), number("12.50")),
            ("share".into(), number("0.08")),
            (
                "list".into(),
                Value::List(vec![number("1"), number("0.1000000000000000055511151231"), Value::Record(row)]),
            ),
            ("text".into(), Value::text("12.50")),
            ("day".into(), Value::Date("2026-03-02".parse().unwrap())),
            ("none".into(), Value::Null),
            ("yes".into(), Value::Boolean(true)),
        ]);
        assert_eq!(
            serde_json::to_string(&ExactRecord(&record)).unwrap(),
            "{\"amount\":12.50,\"share\":0.08,\"list\":[1,0.1000000000000000055511151231,\
             {\"of\":-79228162514264337593543950335}],\"text\":\"12.50\",\"day\":\"2026-03-02\",\"none\":null,\"yes\":true}"
        );
    }
}
