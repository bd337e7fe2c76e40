//! A whole form from entries, a path and a text each: what a page sends and what `--set` says.

use super::{Misread, ROW_LIMIT, Reading, computed, no_such_field, read_text, unreadable};
use crate::model::form::{FieldKind, Form};
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::model::value::{Record, Value};
use indexmap::IndexMap;
use std::collections::BTreeMap;

/// Reads a whole form from entries (a path and a text each), in the order of the form. Fields without an entry
/// are left out; those with a blank one are null.
///
/// # Errors
/// Every text that is no value of its field, and every path that leads nowhere; with what could be read, and
/// [`unreadable`] where something else stands.
pub fn read_form(
    reading: &Reading<'_>,
    form: &Form,
    entries: &[(String, String)],
) -> Result<Record, (Record, Vec<Misread>)> {
    let (mut record, mut wrong) = (Record::new(), Vec::new());
    let entries = compact(form, entries);
    read_entries(reading, form, "", &entries, &mut record, &mut wrong);
    if wrong.is_empty() { Ok(record) } else { Err((record, wrong)) }
}

fn read_entries(
    reading: &Reading<'_>,
    form: &Form,
    prefix: &str,
    entries: &[(String, String)],
    record: &mut Record,
    wrong: &mut Vec<Misread>,
) {
    let mut groups: IndexMap<&str, Vec<(&str, &str)>> = IndexMap::new();
    for (path, text) in entries {
        let (head, rest) = path.split_once('.').unwrap_or((path, ""));
        groups.entry(head).or_default().push((rest, text));
    }
    for (name, field) in form {
        let Some(texts) = groups.shift_remove(name.as_str()) else { continue };
        let path = format!("{prefix}{name}");
        let mut fault = |what| wrong.push(Misread { path: path.clone(), title: field.title.clone(), what });
        if field.value.is_some() {
            fault(computed());
            continue;
        }
        if let (FieldKind::List(columns), false) = (&field.kind, field.many) {
            let mut rows: BTreeMap<usize, Vec<(String, String)>> = BTreeMap::new();
            for (rest, text) in texts {
                let (row, column) = rest.split_once('.').unwrap_or((rest, ""));
                match row.parse::<usize>() {
                    Ok(row) if row < ROW_LIMIT && !column.is_empty() => {
                        rows.entry(row).or_default().push((column.to_owned(), text.to_owned()));
                    }
                    _ if rest.is_empty() && text.trim().is_empty() => {}
                    _ => {
                        let first = columns.keys().next().map_or("…", |name| name.as_str());
                        fault(Wording::new(
                            format!(
                                "这是一张表（最多 {ROW_LIMIT} 行）：请写成“{name}.行号.列名”，例如 {name}.0.{first}。"
                            ),
                            format!(
                                "This is a table (of at most {ROW_LIMIT} rows): write {name}.ROW.COLUMN, such as \
                                 {name}.0.{first}."
                            ),
                        ));
                    }
                }
            }
            let mut list = Vec::new();
            for (row, cells) in rows {
                let mut values = Record::new();
                read_entries(reading, columns, &format!("{path}.{row}."), &cells, &mut values, wrong);
                list.push(Value::Record(values));
            }
            record.insert(name.clone(), Value::List(list));
            continue;
        }
        if let Some((rest, _)) = texts.iter().find(|(rest, _)| !rest.is_empty()) {
            fault(if field.many { several(name) } else { one_value(name, rest) });
            continue;
        }
        // A box that is ticked several times comes as several entries of one path.
        let texts: Vec<&str> = texts.into_iter().map(|(_, text)| text).filter(|text| !text.trim().is_empty()).collect();
        let read = match (field.many, texts.as_slice()) {
            (true, texts) => read_text(reading, field, &texts.join("\n")),
            (false, [.., last]) => read_text(reading, field, last),
            (false, []) => Ok(Value::Null),
        };
        match read {
            Ok(value) => {
                record.insert(name.clone(), value);
            }
            Err(what) => {
                fault(what);
                record.insert(name.clone(), unreadable());
            }
        }
    }
    for (unknown, _) in groups {
        wrong.push(no_such_field(form, prefix, unknown));
    }
}

fn one_value(name: &FieldName, rest: &str) -> Wording {
    Wording::new(
        format!("“{name}”下面没有“{rest}”，它本身就是一个值。"),
        format!("There is no “{rest}” below “{name}”: it is one value."),
    )
}

/// Of a field of several values, each is said by the same name.
fn several(name: &FieldName) -> Wording {
    Wording::new(
        format!("“{name}”可以有几个值，不编号：每个值写一次 {name}=…。"),
        format!("“{name}” takes several values, without numbers: write {name}=… once for each."),
    )
}

/// The entries of a form without rows that are blank throughout; the rows left are numbered anew from 0.
pub fn compact(form: &Form, entries: &[(String, String)]) -> Vec<(String, String)> {
    let mut kept = Vec::with_capacity(entries.len());
    let mut filled: BTreeMap<(&str, usize), bool> = BTreeMap::new();
    let row_of = |path: &str| -> Option<(usize, usize)> {
        let (name, rest) = path.split_once('.')?;
        let (row, _) = rest.split_once('.')?;
        form.get(name).filter(|field| matches!(field.kind, FieldKind::List(_)))?;
        Some((name.len(), row.parse().ok().filter(|row| *row < ROW_LIMIT)?))
    };
    for (path, text) in entries {
        if let Some((name, row)) = row_of(path) {
            *filled.entry((&path[..name], row)).or_default() |= !text.trim().is_empty();
        }
    }
    for (path, text) in entries {
        let Some((name, row)) = row_of(path) else {
            kept.push((path.clone(), text.clone()));
            continue;
        };
        let list = &path[..name];
        if filled.get(&(list, row)).copied().unwrap_or(false) {
            let number = filled.range((list, 0)..(list, row)).filter(|(_, filled)| **filled).count();
            let column = path[name + 1..].split_once('.').map_or("", |(_, column)| column);
            kept.push((format!("{list}.{number}.{column}"), text.clone()));
        } else if !kept.iter().any(|(path, _)| path == list)
            && !filled.range((list, 0)..).any(|((l, _), f)| *l == list && *f)
        {
            // A table whose rows are all blank was shown and emptied: it is an empty list, not “not said”.
            kept.push((list.to_owned(), String::new()));
        }
    }
    kept
}
