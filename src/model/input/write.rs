//! How values stand in a box that people type into.

use super::moment;
use crate::model::form::{Field, FieldKind};
use crate::model::people::Directory;
use crate::model::text::Lang;
use crate::model::value::Value;
use rust_decimal::Decimal;

/// What stands in the box of a field that holds this value: `read_text` reads it back.
pub fn write_text(directory: &Directory, field: &Field, value: &Value, lang: Lang) -> String {
    match value {
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| write_kind(directory, &field.kind, item, lang)).collect();
            items.join("\n")
        }
        value => write_kind(directory, &field.kind, value, lang),
    }
}

fn write_kind(directory: &Directory, kind: &FieldKind, value: &Value, lang: Lang) -> String {
    match value {
        Value::Null | Value::Record(_) | Value::Range(_) | Value::List(_) => String::new(),
        Value::Boolean(flag) => match (flag, lang) {
            (true, Lang::Zh) => "是".into(),
            (false, Lang::Zh) => "否".into(),
            (true, Lang::En) => "yes".into(),
            (false, Lang::En) => "no".into(),
        },
        Value::Number(number) => match kind {
            FieldKind::Percent => format!("{} %", (number * Decimal::ONE_HUNDRED).normalize()),
            _ => number.to_string(),
        },
        Value::Text(text) => text.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.to_string(),
        Value::DateTime(moment) if moment.zone.is_none() => moment.local.format("%Y-%m-%dT%H:%M").to_string(),
        Value::DateTime(moment) => moment.to_string(),
        // Words where they say all of it: a fraction of a second they do not.
        Value::Duration(duration) => {
            let words = duration.words(lang);
            let same = moment::duration(&words).is_ok_and(|read| read == *duration);
            if same { words } else { duration.to_string() }
        }
        Value::Person(id) => match directory.people.get(id) {
            Some(found) if directory.people.values().filter(|other| other.name == found.name).count() == 1 => {
                found.name.clone()
            }
            _ => id.to_string(),
        },
        Value::Position(id) => id.to_string(),
        Value::Department(id) => id.to_string(),
        Value::File(file) => file.to_string(),
    }
}
