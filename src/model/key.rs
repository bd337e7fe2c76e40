//! Keys: what tells a case, or a message for it, from others of its kind.
//!
//! They are kept, looked up and compared as texts, so what is equal has one text: `10` and `10.00` are the same key.

use super::time::Moment;
use super::value::{Type, Value, plain};
use chrono_tz::Tz;
use std::sync::Arc;

/// The text of a value as a key; none for null.
pub fn text(value: &Value) -> Option<Arc<str>> {
    let one = match value {
        Value::Number(number) => Value::Number(number.normalize()),
        Value::DateTime(moment) if moment.zone.is_some() => Value::DateTime(Moment::utc(moment.instant(Tz::UTC))),
        other => other.clone(),
    };
    match plain(&one) {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.into()),
        other => Some(other.to_string().into()),
    }
}

/// The text of what somebody wrote for a key of one of these types. Where they do not read it alike, as a number and a
/// text, it stays as it is.
///
/// ```
/// use countersign::model::{key, value::Type};
/// assert_eq!(&*key::read([&Type::Money], "10.00"), "10");
/// assert_eq!(&*key::read([&Type::Text], "10.00"), "10.00");
/// assert_eq!(&*key::read([&Type::DateTime], "2026-03-02T09:00"), "2026-03-02T09:00:00");
/// ```
pub fn read<'t>(types: impl IntoIterator<Item = &'t Type>, written: &str) -> Arc<str> {
    let mut readings = types.into_iter().map(|of| read_as(of, written));
    let first = readings.next().filter(|first| readings.all(|other| other == *first));
    first.unwrap_or_else(|| written.into())
}

fn read_as(of: &Type, written: &str) -> Arc<str> {
    let value = match of {
        Type::Number | Type::Money => written.parse().ok().map(Value::Number),
        Type::Date => written.parse().ok().map(Value::Date),
        Type::Time => written.parse().ok().map(Value::Time),
        Type::DateTime => written.parse().ok().map(Value::DateTime),
        Type::Duration => written.parse().ok().map(Value::Duration),
        _ => None,
    };
    value.as_ref().and_then(text).unwrap_or_else(|| written.into())
}
