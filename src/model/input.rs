//! How what people type becomes values, and how values stand in a box that people type into.
//!
//! One reader for the pages, the shell's `--set` and `--data`, and the API. It accepts what people write without
//! thinking (full-width digits, `1,280.00`, `3月6日`, `8 %`, a name instead of an id) and refuses what could
//! mean two things, saying what to write instead. It judges only whether a text *is* a value of the kind:
//! `required`, `min`, `check` and the like are the engine's, which sees the whole form.
//!
//! A form is a set of entries, a path and a text each: `customer`, `items.0.name`. Rows that are blank
//! throughout are no rows, so a page may offer empty ones.

use super::form::{Field, FieldKind, Form};
use super::id::{DepartmentId, FieldName, PersonId, PositionId};
use super::people::Directory;
use super::text::{Lang, Text, Wording};
use super::time::{Duration, Moment};
use super::value::{Record, Value};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most characters of a one-line text.
pub const LINE_LIMIT: usize = 1_000;
/// The most characters of a text of several lines.
pub const TEXT_LIMIT: usize = 20_000;
/// The most rows of a list.
pub const ROW_LIMIT: usize = 1_000;

/// What a text is read against: names of people and places, and the day it is.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Who and what the names mean.
    pub directory: &'a Directory,
    /// What `3月6日` without a year is close to.
    pub today: NaiveDate,
}

/// A text that is no value of its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// Where, as forms and the shell write it: `items.0.quantity`.
    pub path: String,
    /// What the form calls it; the path where there is no such field.
    pub title: Text,
    /// What is wrong and what to write instead.
    pub what: Wording,
}

/// Reads one text as a value of a field; a blank one is null.
///
/// # Errors
/// What is wrong and what to write instead.
///
/// ```
/// use countersign::model::{form::FieldKind, input::{Reading, read_kind}, people::Directory, value::Value};
/// let (directory, today) = (Directory::default(), "2026-03-02".parse().unwrap());
/// let reading = Reading { directory: &directory, today };
/// let read = |kind, text| read_kind(&reading, &kind, text).unwrap();
/// assert_eq!(read(FieldKind::Money, "￥１,２８０.５０ 元"), Value::Number("1280.50".parse().unwrap()));
/// assert_eq!(read(FieldKind::Percent, "8 %"), Value::Number("0.08".parse().unwrap()));
/// assert_eq!(read(FieldKind::Date, "3月6日"), Value::Date("2026-03-06".parse().unwrap()));
/// assert_eq!(read(FieldKind::Boolean, "是"), Value::Boolean(true));
/// ```
pub fn read_text(reading: &Reading<'_>, field: &Field, text: &str) -> Result<Value, Wording> {
    if !field.many {
        return read_kind(reading, &field.kind, text);
    }
    let mut items = Vec::new();
    for part in split_many(&field.kind, text) {
        items.push(read_kind(reading, &field.kind, part)?);
    }
    Ok(Value::List(items))
}

/// Reads one text as a single value of a kind; see [`read_text`].
///
/// # Errors
/// What is wrong and what to write instead.
pub fn read_kind(reading: &Reading<'_>, kind: &FieldKind, text: &str) -> Result<Value, Wording> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Value::Null);
    }
    match kind {
        FieldKind::Text => one_line(trimmed).map(Value::text),
        FieldKind::LongText => several_lines(text).map(Value::text),
        FieldKind::Integer => integer(trimmed).map(Value::Number),
        FieldKind::Decimal | FieldKind::Money => number(trimmed).map(Value::Number),
        FieldKind::Percent => percent(trimmed).map(Value::Number),
        FieldKind::Boolean => boolean(trimmed).map(Value::Boolean),
        FieldKind::Date => date(trimmed, reading.today).map(Value::Date),
        FieldKind::DateTime => moment(trimmed, reading.today).map(Value::DateTime),
        FieldKind::Duration => duration(trimmed).map(Value::Duration),
        FieldKind::Choice(options) => choice(options, trimmed).map(Value::Text),
        FieldKind::Person(_) => person(reading.directory, trimmed).map(Value::Person),
        FieldKind::Position => position(reading.directory, trimmed).map(Value::Position),
        FieldKind::Department => department(reading.directory, trimmed).map(Value::Department),
        FieldKind::List(columns) => {
            let first = columns.keys().next().map_or("…", |name| name.as_str());
            Err(Wording::new(
                format!("这是一张表，要按行和列填写，例如 0.{first}。"),
                format!("This is a table: give it by row and column, such as 0.{first}."),
            ))
        }
    }
}

/// Reads a whole form from entries (a path and a text each), in the order of the form. Fields without an entry
/// are left out; those with a blank one are null.
///
/// # Errors
/// Every text that is no value of its field, and every path that leads nowhere; with what could be read.
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
            fault(Wording::new("这一项是自动算出来的，请去掉它。", "This is computed by itself; leave it out."));
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
            fault(Wording::new(
                format!("“{name}”下面没有“{rest}”，它本身就是一个值。"),
                format!("There is no “{rest}” below “{name}”: it is one value."),
            ));
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
            Err(what) => fault(what),
        }
    }
    for (unknown, _) in groups {
        wrong.push(no_such_field(form, prefix, unknown));
    }
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

/// Reads a whole form from a JSON object (a YAML data file, the API).
///
/// # Errors
/// Everything that is no value of its field, and every name that is none; with what could be read.
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
            let what = Wording::new("这一项是自动算出来的，请去掉它。", "This is computed by itself; leave it out.");
            wrong.push(Misread { path, title: field.title.clone(), what });
            continue;
        }
        match read_json(reading, field, json) {
            Ok(value) => {
                record.insert(name.clone(), value);
            }
            Err(faults) => wrong.extend(faults.into_iter().map(|fault| Misread {
                path: if fault.path.is_empty() { path.clone() } else { format!("{path}.{}", fault.path) },
                ..fault
            })),
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
                _ => Err(fault(Wording::new("这里要一个列表。", "This is a list."))),
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
                format!("This is a table: a list of at most {ROW_LIMIT} rows."),
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
            Err(Wording::new(format!("这里要{zh}。"), format!("This is {en}.")))
        }
    }
}

fn no_such_field(form: &Form, prefix: &str, name: &str) -> Misread {
    let known =
        form.iter().filter(|(_, field)| field.value.is_none()).map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    Misread {
        path: format!("{prefix}{name}"),
        title: Text::One(name.to_owned()),
        what: Wording::new(
            format!("表单里没有“{name}”。可以填的有：{}。", known.join("、")),
            format!("The form has no “{name}”. It has: {}.", known.join(", ")),
        ),
    }
}

/// What a kind is called: after 要, and after “This is”.
fn kind_words(kind: &FieldKind) -> (&'static str, &'static str) {
    match kind {
        FieldKind::Text | FieldKind::LongText => ("文字", "a text"),
        FieldKind::Integer => ("整数", "a whole number"),
        FieldKind::Decimal => ("数字", "a number"),
        FieldKind::Money => ("金额", "an amount"),
        FieldKind::Percent => ("百分比，例如 8 %", "a percentage, such as 8 %"),
        FieldKind::Boolean => ("是或否", "yes or no"),
        FieldKind::Date => ("日期，例如 2026-03-06", "a date, such as 2026-03-06"),
        FieldKind::DateTime => ("日期和时间，例如 2026-03-06 14:00", "a date and time, such as 2026-03-06 14:00"),
        FieldKind::Duration => ("时长，例如 2 个工作日", "a length of time, such as 2 working days"),
        FieldKind::Choice(_) => ("选项之一", "one of the options"),
        FieldKind::Person(_) => ("一个人", "a person"),
        FieldKind::Position => ("一个职位", "a position"),
        FieldKind::Department => ("一个部门", "a department"),
        FieldKind::List(_) => ("一张表", "a table"),
    }
}

/// What stands in the box of a field that holds this value: [`read_text`] reads it back.
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
        Value::Duration(duration) => match duration {
            Duration::WorkingDays(_) | Duration::WorkingMinutes(_) => duration.words(lang),
            _ => duration.to_string(),
        },
        Value::Person(id) => match directory.people.get(id) {
            Some(found) if directory.people.values().filter(|other| other.name == found.name).count() == 1 => {
                found.name.clone()
            }
            _ => id.to_string(),
        },
        Value::Position(id) => id.to_string(),
        Value::Department(id) => id.to_string(),
    }
}

fn split_many<'a>(kind: &FieldKind, text: &'a str) -> impl Iterator<Item = &'a str> {
    let numeric = matches!(kind, FieldKind::Integer | FieldKind::Decimal | FieldKind::Money | FieldKind::Percent);
    let free = matches!(kind, FieldKind::Text | FieldKind::LongText);
    text.split(move |c: char| match c {
        '\n' | ';' | '\u{ff1b}' => true,
        '、' => !free,
        ',' | '\u{ff0c}' => !free && !numeric,
        _ => false,
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

/// Full-width digits, letters and signs as their plain twins; ideographic spaces as spaces.
fn plain_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{3000}' | '\u{a0}' | '\u{202f}' => ' ',
            '\u{ffe5}' => '¥',
            '。' => '.',
            '\u{2212}' | '–' | '—' => '-',
            c => c,
        })
        .collect()
}

fn too_long(limit: usize) -> Wording {
    Wording::new(format!("太长了，最多 {limit} 个字。"), format!("Too long: at most {limit} characters."))
}

fn one_line(text: &str) -> Result<String, Wording> {
    let line = text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() > LINE_LIMIT { Err(too_long(LINE_LIMIT)) } else { Ok(line) }
}

fn several_lines(text: &str) -> Result<String, Wording> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text.trim().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    if text.chars().count() > TEXT_LIMIT { Err(too_long(TEXT_LIMIT)) } else { Ok(text) }
}

fn not_a_number(text: &str) -> Wording {
    let shown: String = text.chars().take(40).collect();
    Wording::new(
        format!("“{shown}”不是数字。请写成 1280.00 或 1,280.00。"),
        format!("“{shown}” is not a number. Write 1280.00 or 1,280.00."),
    )
}

fn number(text: &str) -> Result<Decimal, Wording> {
    let wide = plain_width(text);
    let mut rest = wide.trim();
    for sign in ["¥", "RMB", "CNY", "rmb", "cny"] {
        rest = rest.strip_prefix(sign).unwrap_or(rest).trim();
    }
    for unit in ["元", "人民币", "RMB", "CNY", "yuan"] {
        rest = rest.strip_suffix(unit).unwrap_or(rest).trim();
    }
    let (rest, times) = match rest.strip_suffix('万') {
        Some(rest) => (rest.trim(), Decimal::from(10_000)),
        None => (rest, Decimal::ONE),
    };
    let (whole, _) = rest.split_once('.').unwrap_or((rest, ""));
    let unsigned = whole.trim_start_matches(['-', '+']);
    let mut groups = unsigned.split(',');
    let first = groups.next().unwrap_or_default();
    let separated = unsigned.contains(',');
    if separated && (!(1..=3).contains(&first.len()) || groups.any(|group| group.len() != 3)) {
        return Err(Wording::new(
            format!("“{text}”里的逗号看不懂：千位写成 1,280，小数写成 12.80。"),
            format!("The comma in “{text}” is unclear: thousands are 1,280, decimals 12.80."),
        ));
    }
    let digits: String = rest.chars().filter(|c| *c != ',').collect();
    let good = !digits.is_empty()
        && digits.trim_start_matches(['-', '+']).chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.chars().any(|c| c.is_ascii_digit());
    if !good {
        return Err(not_a_number(text));
    }
    Decimal::from_str_exact(&digits).ok().and_then(|number| number.checked_mul(times)).ok_or_else(|| {
        if digits.matches('.').count() > 1 {
            return not_a_number(text);
        }
        Wording::new("这个数太大，或小数位太多。", "This number is too large, or has too many decimal places.")
    })
}

fn integer(text: &str) -> Result<Decimal, Wording> {
    let number = number(text)?;
    if number.is_integer() {
        return Ok(number.normalize());
    }
    Err(Wording::new(
        format!("“{text}”不是整数，请去掉小数部分。"),
        format!("“{text}” is not a whole number: drop the decimals."),
    ))
}

fn percent(text: &str) -> Result<Decimal, Wording> {
    let wide = plain_width(text);
    let wide = wide.trim();
    if let Some(share) = wide.strip_suffix('%').or_else(|| wide.strip_prefix("百分之")) {
        return Ok((number(share)? / Decimal::ONE_HUNDRED).normalize());
    }
    let shown = number(wide)?;
    Err(Wording::new(
        format!("请带上百分号：是“{shown} %”吗？"),
        format!("Write the percent sign: do you mean “{shown} %”?"),
    ))
}

fn boolean(text: &str) -> Result<bool, Wording> {
    match plain_width(text).to_lowercase().as_str() {
        "是" | "对" | "yes" | "y" | "true" | "on" | "1" => Ok(true),
        "否" | "不" | "不是" | "no" | "n" | "false" | "off" | "0" => Ok(false),
        _ => Err(Wording::new(
            format!("“{text}”看不懂，请写“是”或“否”。"),
            format!("“{text}” is unclear: write yes or no."),
        )),
    }
}

fn date(text: &str, today: NaiveDate) -> Result<NaiveDate, Wording> {
    read_date(&plain_width(text), today).ok_or_else(|| {
        Wording::new(
            format!("“{text}”不是日期。请写成 2026-03-06、2026/3/6 或 3月6日。"),
            format!("“{text}” is not a date. Write 2026-03-06 or 2026/3/6."),
        )
    })
}

fn read_date(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    let text = text.trim();
    let text = text.split_once(['星', '(']).map_or(text, |(date, _)| date).trim();
    let spaced: String =
        text.chars().map(|c| if matches!(c, '年' | '月' | '-' | '/' | '.') { ' ' } else { c }).collect();
    let parts: Vec<u32> = spaced
        .trim_end_matches(['日', '号'])
        .split_whitespace()
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    match *parts.as_slice() {
        [year, month, day] if (1000..=9999).contains(&year) => {
            NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
        }
        // Without a year: the one that is nearest to today.
        [month, day] => (-1..=1)
            .filter_map(|years| NaiveDate::from_ymd_opt(today.year() + years, month, day))
            .min_by_key(|date| (*date - today).num_days().abs()),
        _ => None,
    }
}

fn moment(text: &str, today: NaiveDate) -> Result<Moment, Wording> {
    let wide = plain_width(text);
    let wide = wide.trim();
    if let Ok(moment) = wide.parse::<Moment>() {
        return Ok(moment);
    }
    let split = wide.rsplit_once([' ', 'T', '日', '号']);
    let read = || {
        let (day, time) = split?;
        let time = time.trim().replace(['点', '时'], ":");
        let time = time.trim_end_matches('分');
        let time = if time.ends_with(':') { format!("{time}00") } else { time.to_owned() };
        let time =
            NaiveTime::parse_from_str(&time, "%H:%M").or_else(|_| NaiveTime::parse_from_str(&time, "%H:%M:%S")).ok()?;
        Some(Moment { local: NaiveDateTime::new(read_date(day, today)?, time), zone: None })
    };
    read().ok_or_else(|| {
        Wording::new(
            format!("“{text}”不是日期和时间。请写成 2026-03-06 14:00 或 3月6日 14:00。"),
            format!("“{text}” is not a date and time. Write 2026-03-06 14:00."),
        )
    })
}

fn duration(text: &str) -> Result<Duration, Wording> {
    let wide = plain_width(text);
    let wide = wide.trim();
    let read = || {
        if let Ok(duration) = wide.parse::<Duration>() {
            return Some(duration);
        }
        let at = wide.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (count, unit) = wide.split_at(at);
        let count = Decimal::from_str_exact(count).ok()?;
        let unit = unit.trim().trim_start_matches('个').trim_end_matches('s');
        let whole = || i64::try_from(count).ok().filter(|_| count.is_integer());
        let seconds = |size: i64| Some(Duration::Seconds(count.checked_mul(Decimal::from(size))?.normalize()));
        match unit {
            "工作日" | "working day" => Some(Duration::WorkingDays(whole()?)),
            "工作小时" | "working hour" => Some(Duration::WorkingMinutes(whole()?.checked_mul(60)?)),
            "工作分钟" | "working minute" => Some(Duration::WorkingMinutes(whole()?)),
            "年" | "year" => Some(Duration::Months(whole()?.checked_mul(12)?)),
            "月" | "month" => Some(Duration::Months(whole()?)),
            "周" | "星期" | "week" => seconds(604_800),
            "天" | "日" | "day" => seconds(86_400),
            "小时" | "hour" => seconds(3_600),
            "分钟" | "分" | "minute" => seconds(60),
            "秒" | "second" => seconds(1),
            _ => None,
        }
    };
    read().ok_or_else(|| {
        Wording::new(
            format!("“{text}”不是时长。请写成 2 个工作日、3 天 或 4 小时。"),
            format!("“{text}” is not a length of time. Write 2 working days, 3 days or 4 hours."),
        )
    })
}

/// Whether a text calls something that is named and titled so.
fn calls(text: &str, name: &str, title: &Text) -> bool {
    let same = |other: &str| other.trim().to_lowercase() == text.to_lowercase();
    same(name) || same(title.get(Lang::Zh)) || same(title.get(Lang::En))
}

fn choice(options: &IndexMap<Arc<str>, Text>, text: &str) -> Result<Arc<str>, Wording> {
    if let Some((name, _)) = options.get_key_value(text) {
        return Ok(name.clone());
    }
    let mut found = options.iter().filter(|(name, title)| calls(text, name, title));
    if let (Some((name, _)), None) = (found.next(), found.next()) {
        return Ok(name.clone());
    }
    let words = |lang| options.values().map(|title| title.get(lang)).collect::<Vec<_>>();
    Err(Wording::new(
        format!("没有“{text}”这个选项。可选：{}。", words(Lang::Zh).join("、")),
        format!("“{text}” is not an option. Choose one of: {}.", words(Lang::En).join(", ")),
    ))
}

fn person(directory: &Directory, text: &str) -> Result<PersonId, Wording> {
    if let Some((id, _)) = directory.people.get_key_value(text) {
        return Ok(id.clone());
    }
    let is = |found: &super::people::Person| {
        found.name == text || found.mail.as_deref().is_some_and(|mail| mail.eq_ignore_ascii_case(text))
    };
    let found: Vec<&PersonId> = directory.people.iter().filter(|(_, person)| is(person)).map(|(id, _)| id).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Wording::new(
            format!("通讯录里没有“{text}”。请写姓名、工号或邮箱。"),
            format!("Nobody in the directory is “{text}”. Write a name, an id or a mail address."),
        )),
        many => {
            let ids = many.iter().map(|id| id.as_str()).collect::<Vec<_>>();
            Err(Wording::new(
                format!("有几位“{text}”，请写工号：{}。", ids.join("、")),
                format!("Several people are called “{text}”; write an id: {}.", ids.join(", ")),
            ))
        }
    }
}

fn position(directory: &Directory, text: &str) -> Result<PositionId, Wording> {
    let found = directory.positions.iter().map(|(id, position)| (id, id.as_str(), &position.title));
    place(found, text, ("职位", "position"))
}

fn department(directory: &Directory, text: &str) -> Result<DepartmentId, Wording> {
    let found = directory.departments.iter().map(|(id, department)| (id, id.as_str(), &department.title));
    place(found, text, ("部门", "department"))
}

fn place<'a, T: Clone + 'a>(
    all: impl Iterator<Item = (&'a T, &'a str, &'a Text)> + Clone,
    text: &str,
    (zh, en): (&str, &str),
) -> Result<T, Wording> {
    if let Some((id, ..)) = all.clone().find(|(_, name, _)| *name == text) {
        return Ok(id.clone());
    }
    let mut found = all.clone().filter(|(_, name, title)| calls(text, name, title));
    if let (Some((id, ..)), None) = (found.next(), found.next()) {
        return Ok(id.clone());
    }
    let names = all.map(|(_, name, _)| name).collect::<Vec<_>>();
    Err(Wording::new(
        format!("通讯录里没有叫“{text}”的{zh}。有：{}。", names.join("、")),
        format!("The directory has no {en} called “{text}”. It has: {}.", names.join(", ")),
    ))
}

/// The names of a form's fields that a person fills in, in its order.
pub fn asked(form: &Form) -> impl Iterator<Item = (&FieldName, &Field)> {
    form.iter().filter(|(_, field)| field.value.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::people::Person;

    fn directory() -> Directory {
        let mut directory = Directory::default();
        let person = |name: &str, mail: &str| Person {
            name: name.into(),
            mail: Some(mail.into()),
            positions: Vec::new(),
            language: Lang::Zh,
            zone: None,
        };
        directory.people.insert("wang".into(), person("王芳", "wang@example.com"));
        directory.people.insert("li".into(), person("李娜", "li@example.com"));
        directory.people.insert("li2".into(), person("李娜", "li2@example.com"));
        directory
    }

    fn read(kind: FieldKind, text: &str) -> Result<Value, Wording> {
        let directory = directory();
        read_kind(&Reading { directory: &directory, today: "2026-03-02".parse().unwrap() }, &kind, text)
    }

    fn field(kind: FieldKind) -> Field {
        Field {
            title: "x".into(),
            help: None,
            kind,
            many: false,
            required: false,
            when: None,
            default: None,
            value: None,
            min: None,
            max: None,
            pattern: None,
            check: None,
            unit: None,
        }
    }

    fn number_of(text: &str) -> Value {
        Value::Number(text.parse().unwrap())
    }

    #[test]
    fn numbers_as_people_write_them() {
        for (text, value) in [
            ("1280", "1280"),
            ("1,280.00", "1280.00"),
            ("¥1,280", "1280"),
            ("１２８０．５", "1280.5"),
            ("1,280.5 元", "1280.5"),
            ("1.2万", "12000"),
            ("-3", "-3"),
        ] {
            assert_eq!(read(FieldKind::Money, text), Ok(number_of(value)), "{text}");
        }
        for text in ["1,28", "12,3456", ",100", "1.2.3", "abc", "--1", "1e5", "NaN", "9".repeat(60).as_str()] {
            assert!(read(FieldKind::Money, text).is_err(), "{text}");
        }
        assert!(read(FieldKind::Integer, "2.5").is_err());
        assert_eq!(read(FieldKind::Integer, "2.0"), Ok(number_of("2")));
        assert_eq!(read(FieldKind::Percent, "１２．５％"), Ok(number_of("0.125")));
        assert!(read(FieldKind::Percent, "8").unwrap_err().zh.contains("8 %"));
    }

    #[test]
    fn dates_and_moments_as_people_write_them() {
        let day = Value::Date("2026-03-06".parse().unwrap());
        for text in [
            "2026-03-06",
            "2026/3/6",
            "2026年3月6日",
            "2026.3.6",
            "3月6日",
            "3/6",
            "2026年3月6日 星期五",
            "２０２６-３-６",
        ] {
            assert_eq!(read(FieldKind::Date, text), Ok(day.clone()), "{text}");
        }
        assert_eq!(
            read(FieldKind::Date, "12月30日"),
            Ok(Value::Date("2025-12-30".parse().unwrap())),
            "the nearest year"
        );
        for text in ["2026-02-30", "26-3-6", "3", "明天", "2026-03-06x"] {
            assert!(read(FieldKind::Date, text).is_err(), "{text}");
        }
        for text in
            ["2026-03-06 14:00", "2026-03-06T14:00", "3月6日 14:00", "3月6日14:00", "3月6日 14点", "2026/3/6 14:00"]
        {
            let moment = Moment { local: "2026-03-06T14:00:00".parse().unwrap(), zone: None };
            assert_eq!(read(FieldKind::DateTime, text), Ok(Value::DateTime(moment)), "{text}");
        }
        assert_eq!(read(FieldKind::Duration, "2 个工作日"), Ok(Value::Duration(Duration::WorkingDays(2))));
        assert_eq!(read(FieldKind::Duration, "3天"), Ok(Value::Duration(Duration::Seconds(259_200.into()))));
    }

    #[test]
    fn people_by_id_name_or_mail_when_it_is_one() {
        assert_eq!(read(FieldKind::Person(None), "王芳"), Ok(Value::Person("wang".into())));
        assert_eq!(read(FieldKind::Person(None), "LI@example.com"), Ok(Value::Person("li".into())));
        let ambiguous = read(FieldKind::Person(None), "李娜").unwrap_err();
        assert!(ambiguous.en.contains("li, li2"), "{ambiguous}");
    }

    #[test]
    fn choices_by_name_or_title() {
        let options = IndexMap::from([
            (Arc::from("warm"), Text::Each { zh: Some("热".into()), en: Some("Warm".into()) }),
            (Arc::from("cold"), Text::from("冷")),
        ]);
        let kind = FieldKind::Choice(options);
        assert_eq!(read(kind.clone(), "热"), Ok(Value::text("warm")));
        assert_eq!(read(kind.clone(), "WARM"), Ok(Value::text("warm")));
        assert_eq!(read(kind.clone(), "tepid").unwrap_err().zh, "没有“tepid”这个选项。可选：热、冷。");
    }

    fn gifts() -> Form {
        let columns = Form::from([
            (FieldName::from("name"), field(FieldKind::Text)),
            (FieldName::from("quantity"), field(FieldKind::Integer)),
        ]);
        Form::from([
            (FieldName::from("customer"), field(FieldKind::Text)),
            (FieldName::from("items"), field(FieldKind::List(columns))),
        ])
    }

    fn entries(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_form_with_rows_leaves_blank_rows_out() {
        let directory = directory();
        let reading = Reading { directory: &directory, today: "2026-03-02".parse().unwrap() };
        let typed = entries(&[
            ("customer", "华康医院"),
            ("items.0.name", " "),
            ("items.0.quantity", ""),
            ("items.2.name", "茶具"),
            ("items.2.quantity", "2"),
        ]);
        let record = read_form(&reading, &gifts(), &typed).unwrap();
        assert_eq!(
            Value::Record(record).to_plain().to_string(),
            r#"{"customer":"华康医院","items":[{"name":"茶具","quantity":"2"}]}"#
        );

        let emptied = read_form(&reading, &gifts(), &entries(&[("items.0.name", "")])).unwrap();
        assert_eq!(emptied.get("items"), Some(&Value::List(Vec::new())));
        assert_eq!(read_form(&reading, &gifts(), &[]).unwrap().get("items"), None, "not said is not emptied");
    }

    #[test]
    fn every_misread_is_named_with_its_path() {
        let directory = directory();
        let reading = Reading { directory: &directory, today: "2026-03-02".parse().unwrap() };
        let typed =
            entries(&[("items.0.quantity", "two"), ("items.1.size", "3"), ("colour", "red"), ("customer", "ok")]);
        let (record, wrong) = read_form(&reading, &gifts(), &typed).unwrap_err();
        let paths: Vec<&str> = wrong.iter().map(|misread| misread.path.as_str()).collect();
        assert_eq!(paths, ["items.0.quantity", "items.1.size", "colour"]);
        assert_eq!(record.get("customer"), Some(&Value::text("ok")));

        let json = serde_json::json!({ "items": [{ "quantity": 1.5 }, 3], "customer": 7, "colour": "red" });
        let (record, wrong) = read_document(&reading, &gifts(), json.as_object().unwrap()).unwrap_err();
        let paths: Vec<&str> = wrong.iter().map(|misread| misread.path.as_str()).collect();
        assert_eq!(paths, ["items.0.quantity", "items.1", "colour"]);
        assert_eq!(record.get("customer"), Some(&Value::text("7")));
    }

    #[test]
    fn a_box_reads_back_what_stands_in_it() {
        let directory = directory();
        let reading = Reading { directory: &directory, today: "2026-03-02".parse().unwrap() };
        for (kind, text) in [
            (FieldKind::Money, "1280.50"),
            (FieldKind::Percent, "8 %"),
            (FieldKind::Date, "2026-03-06"),
            (FieldKind::DateTime, "2026-03-06T14:00"),
            (FieldKind::Duration, "2 个工作日"),
            (FieldKind::Boolean, "是"),
            (FieldKind::Person(None), "王芳"),
            (FieldKind::Person(None), "li2"),
            (FieldKind::LongText, "一\n二"),
        ] {
            let field = field(kind);
            let value = read_text(&reading, &field, text).unwrap();
            assert_eq!(write_text(&directory, &field, &value, Lang::Zh), text);
        }
    }
}
