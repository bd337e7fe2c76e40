//! What is wrong with a value of a form, in words: beyond a limit, too many, not of its kind.

use crate::expression::{beside, told_by};
use crate::model::form::{Field, FieldKind, MOST_ROWS};
use crate::model::text::{Lang, Wording};
use crate::model::time::{Duration, Moment, date_words, moment_words};
use crate::model::value::Value;
use chrono::{NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::Tz;
use rust_decimal::Decimal;

/// What is wrong with a value beyond a limit: of the value itself, a text's length, or a list's rows.
pub(super) fn outside(field: &Field, value: &Value, bound: &Value, low: bool, zone: Tz) -> Option<Wording> {
    // People say times to the minute, and in the zone of the calendar.
    let wall = |moment: &Moment| {
        let local = moment.instant(zone).with_timezone(&zone).naive_local();
        local.with_second(0).and_then(|local| local.with_nanosecond(0)).unwrap_or(local)
    };
    if let (Value::Duration(_), Value::Duration(limit), None) = (value, bound, beside(value, bound)) {
        let (zh, en) = if low { ("至少", "At least") } else { ("最多", "At most") };
        return Some(Wording::new(
            format!("{zh} {}，请用同样的单位填写。", limit.words(Lang::Zh)),
            format!("{en} {}; give it in the same unit.", limit.words(Lang::En)),
        ));
    }
    let found = match (value, bound) {
        (Value::DateTime(value), Value::DateTime(bound)) => wall(value).cmp(&wall(bound)),
        _ => beside(value, bound)?,
    };
    (if low { found.is_lt() } else { found.is_gt() }).then_some(())?;
    let say = |zh: (&str, &str), en: (&str, &str), unit: (&str, &str), shown: &str| {
        let (zh, en) = if low { (zh.0, en.0) } else { (zh.1, en.1) };
        Wording::new(format!("{zh} {shown}{}。", unit.0), format!("{en} {shown}{}.", unit.1))
    };
    let amount = |unit, shown: &str| say(("至少", "最多"), ("At least", "At most"), unit, shown);
    let day = |shown: Wording| {
        let (zh, en) = if low { ("不早于", "Not before") } else { ("不晚于", "Not after") };
        Wording::new(format!("{zh} {}。", shown.zh), format!("{en} {}.", shown.en))
    };
    Some(match (value, bound) {
        (Value::Text(_), Value::Number(bound)) => amount((" 个字", " characters"), &bound.normalize().to_string()),
        (Value::List(_), Value::Number(bound)) => {
            amount(counted(field, *bound == Decimal::ONE), &bound.normalize().to_string())
        }
        (_, Value::Number(bound)) if field.kind == FieldKind::Percent => {
            amount(("", ""), &format!("{} %", (*bound * Decimal::ONE_HUNDRED).normalize()))
        }
        (_, Value::Number(bound)) => amount(("", ""), &bound.normalize().to_string()),
        // No day is so long ago: the year is always said.
        (_, Value::Date(bound)) => day(date_words(*bound, NaiveDate::MIN)),
        (_, Value::DateTime(bound)) => day(moment_words(wall(bound), NaiveDateTime::MIN)),
        (_, Value::Duration(bound)) => {
            let (zh, en) = if low { ("至少", "At least") } else { ("最多", "At most") };
            Wording::new(format!("{zh} {}。", bound.words(Lang::Zh)), format!("{en} {}.", bound.words(Lang::En)))
        }
        _ => return None,
    })
}

/// What is wrong with a length of time that is not in the unit of its field, where this has one.
pub(super) fn in_other_unit(field: &Field, length: &Duration) -> Option<Wording> {
    let told = told_by(field).filter(|told| told.unit() != length.unit())?;
    Some(Wording::new(
        format!("请用和“{}”同样的单位填写。", told.words(Lang::Zh)),
        format!("Please give it in the same unit as “{}”.", told.words(Lang::En)),
    ))
}

/// What is wrong with a text that does not keep the pattern of its field. What the author says to people of the field is
/// what they can follow; the pattern is for programs.
pub(super) fn out_of_form(field: &Field, pattern: &str) -> Wording {
    let (zh, en) = match &field.help {
        Some(help) => (help.get(Lang::Zh).to_owned(), help.get(Lang::En).to_owned()),
        None => (format!("应符合 {pattern}。"), format!("{pattern}.")),
    };
    Wording::new(format!("格式不对：{zh}"), format!("Not in the expected form: {en}"))
}

pub(super) fn too_many(field: &Field) -> Wording {
    let (zh, en) = counted(field, false);
    Wording::new(format!("太多了：最多 {MOST_ROWS}{zh}。"), format!("Too many: at most {MOST_ROWS}{en}."))
}

/// What a list holds, behind its number: rows of a table, or plain values.
fn counted(field: &Field, one: bool) -> (&'static str, &'static str) {
    match (&field.kind, one) {
        (FieldKind::List(_), true) => (" 行", " row"),
        (FieldKind::List(_), false) => (" 行", " rows"),
        (_, true) => (" 项", " item"),
        (_, false) => (" 项", " items"),
    }
}

/// What a kind of field takes, with an example.
pub(super) fn expected(kind: &FieldKind) -> Wording {
    let (zh, en) = match kind {
        FieldKind::Text | FieldKind::LongText => ("请填文字。", "Please give a text."),
        FieldKind::Integer => ("请填一个整数，例如 3。", "Please give a whole number, such as 3."),
        FieldKind::Decimal => ("请填一个数，例如 2.5。", "Please give a number, such as 2.5."),
        FieldKind::Money => ("请填金额，例如 320.00。", "Please give an amount, such as 320.00."),
        FieldKind::Percent => ("请填百分数，例如 8 %。", "Please give a percentage, such as 8 %."),
        FieldKind::Boolean => ("请填是或否。", "Please say yes or no."),
        FieldKind::Date => ("请填日期，例如 2026-03-06。", "Please give a date, such as 2026-03-06."),
        FieldKind::DateTime => {
            ("请填日期和时间，例如 2026-03-06T09:00。", "Please give a date and time, such as 2026-03-06T09:00.")
        }
        FieldKind::Duration => {
            ("请填时长，例如 P3D（三天）。", "Please give a length of time, such as P3D for three days.")
        }
        FieldKind::Choice(options) => {
            let list = |lang| {
                options
                    .iter()
                    .map(|(name, title)| {
                        let title = title.get(lang);
                        if title == &**name { title.to_owned() } else { format!("{title} ({name})") }
                    })
                    .collect::<Vec<_>>()
            };
            return Wording::new(
                format!("请选其中一项：{}。", list(Lang::Zh).join("、")),
                format!("Please choose one of: {}.", list(Lang::En).join(", ")),
            );
        }
        FieldKind::Person(_) => ("请填一个人。", "Please name a person."),
        FieldKind::Position => ("请填一个岗位。", "Please name a position."),
        FieldKind::Department => ("请填一个部门。", "Please name a department."),
        FieldKind::File(_) => ("请上传一个文件。", "Please upload a file."),
        FieldKind::List(_) => ("这里要填若干行。", "Rows are expected here."),
    };
    Wording::new(zh, en)
}
