//! A whole form from JSON: what a data file says, or a program.

use super::number::{integer, not_a_number, number};
use super::{Misread, ROW_LIMIT, Reading, computed, kind_words, no_such_field, read_kind, read_text, unreadable};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::text::Wording;
use crate::model::value::{Record, Value};
use rust_decimal::Decimal;

/// How many digits every JSON number keeps.
const EXACT_DIGITS: usize = 15;

/// Reads a whole form from a JSON object (a YAML data file, the API).
///
/// # Errors
/// Everything that is no value of its field, and every name that is none; with what could be read, and
/// [`unreadable`] where something else stands.
pub fn read_document(
    reading: &Reading<'_>,
    form: &Form,
    document: &serde_json::Map<String, serde_json::Value>,
) -> Result<Record, (Record, Vec<Misread>)> {
    let (mut record, mut wrong) = (Record::new(), Vec::new());
    read_object(reading, form, "", document, &mut record, &mut wrong);
    if wrong.is_empty() { Ok(record) } else { Err((record, wrong)) }
}

fn read_object(
    reading: &Reading<'_>,
    form: &Form,
    prefix: &str,
    document: &serde_json::Map<String, serde_json::Value>,
    record: &mut Record,
    wrong: &mut Vec<Misread>,
) {
    for (name, field) in form {
        let Some(json) = document.get(name.as_str()) else { continue };
        let path = format!("{prefix}{name}");
        if field.value.is_some() {
            let what = computed();
            wrong.push(Misread { path, title: field.title.clone(), what });
            continue;
        }
        match read_json(reading, field, json) {
            Ok(value) => {
                record.insert(name.clone(), value);
            }
            Err(faults) => {
                record.insert(name.clone(), unreadable());
                wrong.extend(faults.into_iter().map(|fault| Misread {
                    path: if fault.path.is_empty() { path.clone() } else { format!("{path}.{}", fault.path) },
                    ..fault
                }));
            }
        }
    }
    for unknown in document.keys().filter(|name| !form.contains_key(name.as_str())) {
        wrong.push(no_such_field(form, prefix, unknown));
    }
}

/// Reads JSON as a value of a field. Numbers may be JSON numbers or texts; a percent as a bare number is the
/// share itself (`0.08`), as a text with its sign it is what it says (`8 %`).
///
/// # Errors
/// Everything that is wrong, by path below the field.
pub fn read_json(reading: &Reading<'_>, field: &Field, json: &serde_json::Value) -> Result<Value, Vec<Misread>> {
    use serde_json::Value as Json;
    let fault = |what| vec![Misread { path: String::new(), title: field.title.clone(), what }];
    if field.many {
        let Json::Array(items) = json else {
            return match json {
                Json::Null => Ok(Value::List(Vec::new())),
                Json::String(text) => read_text(reading, field, text).map_err(fault),
                _ => Err(fault(Wording::new("这里要一个列表。", "It should be a list."))),
            };
        };
        return items
            .iter()
            .map(|item| read_json_kind(reading, &field.kind, item).map_err(fault))
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    let FieldKind::List(columns) = &field.kind else {
        return read_json_kind(reading, &field.kind, json).map_err(fault);
    };
    let rows = match json {
        Json::Null => return Ok(Value::List(Vec::new())),
        Json::Array(rows) if rows.len() <= ROW_LIMIT => rows,
        _ => {
            return Err(fault(Wording::new(
                format!("这里要一张表：最多 {ROW_LIMIT} 行的列表。"),
                format!("It should be a table: a list of at most {ROW_LIMIT} rows."),
            )));
        }
    };
    let (mut list, mut wrong) = (Vec::new(), Vec::new());
    for (number, row) in rows.iter().enumerate() {
        let Json::Object(row) = row else {
            let what = Wording::new("表的每一行要写成“列名: 值”。", "Each row of a table is a mapping of columns.");
            wrong.push(Misread { path: number.to_string(), title: field.title.clone(), what });
            continue;
        };
        let mut values = Record::new();
        read_object(reading, columns, &format!("{number}."), row, &mut values, &mut wrong);
        list.push(Value::Record(values));
    }
    if wrong.is_empty() { Ok(Value::List(list)) } else { Err(wrong) }
}

fn read_json_kind(reading: &Reading<'_>, kind: &FieldKind, json: &serde_json::Value) -> Result<Value, Wording> {
    use serde_json::Value as Json;
    let numeric = matches!(kind, FieldKind::Integer | FieldKind::Decimal | FieldKind::Money | FieldKind::Percent);
    match (kind, json) {
        (_, Json::Null) => Ok(Value::Null),
        (FieldKind::Boolean, Json::Bool(flag)) => Ok(Value::Boolean(*flag)),
        (FieldKind::Percent, Json::String(text)) if text.trim().parse::<Decimal>().is_ok() => {
            number(text.trim()).map(Value::Number)
        }
        (FieldKind::Integer, Json::Number(n)) => integer(&n.to_string()).map(Value::Number),
        (_, Json::Number(n)) if numeric => {
            let text = n.to_string();
            // More digits than a JSON number of other programs holds may be digits that nobody wrote.
            if n.is_f64() && text.chars().filter(char::is_ascii_digit).count() > EXACT_DIGITS {
                return Err(Wording::new(
                    format!("{text} 位数太多，JSON 的数字保不住，请写成带引号的文字。"),
                    format!("{text} has more digits than a JSON number keeps; write it as a text, in quotes."),
                ));
            }
            Decimal::from_str_exact(&text)
                .or_else(|_| Decimal::from_scientific(&text))
                .map(Value::Number)
                .map_err(|_| not_a_number(&text))
        }
        // Options, texts and ids that look like numbers (`007`, `2026`) are texts.
        (FieldKind::Text | FieldKind::LongText | FieldKind::Choice(_), Json::Number(n)) => {
            read_kind(reading, kind, &n.to_string())
        }
        (FieldKind::Choice(_), Json::Bool(flag)) => read_kind(reading, kind, if *flag { "true" } else { "false" }),
        (_, Json::String(text)) => read_kind(reading, kind, text),
        _ => {
            let (zh, en) = kind_words(kind);
            Err(Wording::new(format!("这里要{zh}。"), format!("It should be {en}.")))
        }
    }
}
