//! How what people type becomes values, and how values stand in a box that people type into.
//!
//! One reader for the pages, the shell's `--set` and `--data`, and the API. It accepts what people write without
//! thinking (full-width digits, `1,280.00`, `3月6日`, `8 %`, a name instead of an id) and refuses what could
//! mean two things, saying what to write instead. It judges only whether a text *is* a value of the kind:
//! `required`, `min`, `check` and the like are the engine's, which sees the whole form.
//!
//! A form is a set of entries, a path and a text each: `customer`, `items.0.name`. Rows that are blank
//! throughout are no rows, so a page may offer empty ones.

mod document;
mod form;
mod moment;
mod name;
mod number;
mod words;
mod write;

use super::file::File;
use super::form::{Field, FieldKind, Form};
use super::id::FieldName;
use super::people::Directory;
use super::text::{Text, Wording};
use super::value::{Range, Value};
use chrono::NaiveDate;
use std::sync::Arc;

pub use document::{read_document, read_json};
pub use form::{compact, read_form};
pub use write::write_text;

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

/// What stands where something could not be read, so that it is seen that something does: no field takes it.
pub fn unreadable() -> Value {
    let (low, high) = (Value::Null, Value::Null);
    Value::Range(Box::new(Range { low, low_closed: false, high, high_closed: false }))
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
        FieldKind::Text => words::one_line(trimmed).map(Value::text),
        FieldKind::LongText => words::several_lines(text).map(Value::text),
        FieldKind::Integer => number::integer(trimmed).map(Value::Number),
        FieldKind::Decimal | FieldKind::Money => number::number(trimmed).map(Value::Number),
        FieldKind::Percent => number::percent(trimmed).map(Value::Number),
        FieldKind::Boolean => number::boolean(trimmed).map(Value::Boolean),
        FieldKind::Date => moment::date(trimmed, reading.today).map(Value::Date),
        FieldKind::DateTime => moment::moment(trimmed, reading.today).map(Value::DateTime),
        FieldKind::Duration => moment::duration(trimmed).map(Value::Duration),
        FieldKind::Choice(options) => name::choice(options, trimmed).map(Value::Text),
        FieldKind::Person(_) => name::person(reading.directory, trimmed).map(Value::Person),
        FieldKind::Position => name::position(reading.directory, trimmed).map(Value::Position),
        FieldKind::File(_) => trimmed.parse::<File>().map(|file| Value::File(Arc::new(file))).map_err(|_| not_a_file()),
        FieldKind::Department => name::department(reading.directory, trimmed).map(Value::Department),
        FieldKind::List(columns) => {
            let first = columns.keys().next().map_or("…", |name| name.as_str());
            Err(Wording::new(
                format!("这是一张表，要按行和列填写，例如 0.{first}。"),
                format!("This is a table: give it by row and column, such as 0.{first}."),
            ))
        }
    }
}

fn not_a_file() -> Wording {
    Wording::new(
        "这里要一个文件：写成 @路径，例如 @合同.pdf。",
        "This is a file: write @ and its path, such as @contract.pdf.",
    )
}

fn computed() -> Wording {
    Wording::new("这一项是自动算出来的，请去掉它。", "This is computed by itself; leave it out.")
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

/// What a kind is called: after 要, and after “It should be”.
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
        FieldKind::File(_) => ("一个文件", "a file"),
        FieldKind::List(_) => ("一张表", "a table"),
    }
}
fn split_many<'a>(kind: &FieldKind, text: &'a str) -> impl Iterator<Item = &'a str> {
    let numeric = matches!(kind, FieldKind::Integer | FieldKind::Decimal | FieldKind::Money | FieldKind::Percent);
    let free = matches!(kind, FieldKind::Text | FieldKind::LongText);
    let file = matches!(kind, FieldKind::File(_));
    text.split(move |c: char| match c {
        '\n' => true,
        _ if file => false,
        ';' | '\u{ff1b}' => true,
        '、' => !free,
        ',' | '\u{ff0c}' => !free && !numeric,
        _ => false,
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

/// The names of a form's fields that a person fills in, in its order.
pub fn asked(form: &Form) -> impl Iterator<Item = (&FieldName, &Field)> {
    form.iter().filter(|(_, field)| field.value.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::people::Person;
    use crate::model::text::Lang;
    use crate::model::time::Duration;
    use crate::model::time::Moment;
    use indexmap::IndexMap;

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
        Field::new("x".into(), kind)
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

    fn request() -> Form {
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
        let record = read_form(&reading, &request(), &typed).unwrap();
        assert_eq!(
            Value::Record(record).to_plain().to_string(),
            r#"{"customer":"华康医院","items":[{"name":"茶具","quantity":"2"}]}"#
        );

        let emptied = read_form(&reading, &request(), &entries(&[("items.0.name", "")])).unwrap();
        assert_eq!(emptied.get("items"), Some(&Value::List(Vec::new())));
        assert_eq!(read_form(&reading, &request(), &[]).unwrap().get("items"), None, "not said is not emptied");
    }

    #[test]
    fn every_misread_is_named_with_its_path() {
        let directory = directory();
        let reading = Reading { directory: &directory, today: "2026-03-02".parse().unwrap() };
        let typed =
            entries(&[("items.0.quantity", "two"), ("items.1.size", "3"), ("colour", "red"), ("customer", "ok")]);
        let (record, wrong) = read_form(&reading, &request(), &typed).unwrap_err();
        let paths: Vec<&str> = wrong.iter().map(|misread| misread.path.as_str()).collect();
        assert_eq!(paths, ["items.0.quantity", "items.1.size", "colour"]);
        assert_eq!(record.get("customer"), Some(&Value::text("ok")));

        let json = serde_json::json!({ "items": [{ "quantity": 1.5 }, 3], "customer": 7, "colour": "red" });
        let (record, wrong) = read_document(&reading, &request(), json.as_object().unwrap()).unwrap_err();
        let paths: Vec<&str> = wrong.iter().map(|misread| misread.path.as_str()).collect();
        assert_eq!(paths, ["items.0.quantity", "items.1", "colour"]);
        assert_eq!(record.get("customer"), Some(&Value::text("7")));

        let amounts = Form::from([(FieldName::from("amount"), field(FieldKind::Money))]);
        let read = |json: &str| read_document(&reading, &amounts, &serde_json::from_str(json).unwrap());
        assert_eq!(read(r#"{"amount": 1234567890.15}"#).unwrap()["amount"], number_of("1234567890.15"));
        assert!(read(r#"{"amount": 12345678901234567.89}"#).is_err());
        assert_eq!(read(r#"{"amount": "12345678901234567.89"}"#).unwrap()["amount"], number_of("12345678901234567.89"));
    }

    #[test]
    fn one_of_several_values_is_not_named_by_its_number() {
        let directory = directory();
        let reading = Reading { directory: &directory, today: "2026-03-02".parse().unwrap() };
        let form = Form::from([
            (FieldName::from("photos"), Field { many: true, ..field(FieldKind::Text) }),
            (FieldName::from("cover"), field(FieldKind::Text)),
        ]);
        let wrong = |path: &str| {
            let (_, wrong) = read_form(&reading, &form, &entries(&[(path, "@x.png")])).unwrap_err();
            wrong.into_iter().next().unwrap().what
        };
        assert_eq!(wrong("photos.0").zh, "“photos”可以有几个值，不编号：每个值写一次 photos=…。");
        assert!(wrong("photos.0").en.contains("write photos=… once for each"));
        assert!(wrong("cover.0").en.contains("it is one value"));
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
            (FieldKind::Duration, "2 小时"),
            (FieldKind::Duration, "1 天 2 小时 30 分钟"),
            (FieldKind::Duration, "15 个月"),
            (FieldKind::Duration, "PT0.5S"),
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

    #[test]
    fn a_share_without_its_sign_is_offered_as_both_that_it_may_be() {
        let said = |text: &str| read(FieldKind::Percent, text).unwrap_err().en;
        assert_eq!(said("0.35"), "Write the percent sign: do you mean “35 %” or “0.35 %”?");
        assert_eq!(said("35"), "Write the percent sign: do you mean “35 %”?");
    }
}
