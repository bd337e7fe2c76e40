//! What is wrong with a value of a form, in words: beyond a limit, too many, not of its kind.

use super::form::MOST_ROWS;
use crate::expression::order;
use crate::model::form::{Field, FieldKind};
use crate::model::text::{Lang, Wording};
use crate::model::value::Value;
use rust_decimal::Decimal;

/// What is wrong with a value beyond a limit: of the value itself, a text's length, or a list's rows.
pub(super) fn outside(field: &Field, value: &Value, bound: &Value, low: bool) -> Option<Wording> {
    let beyond = |ordering: std::cmp::Ordering| if low { ordering.is_lt() } else { ordering.is_gt() };
    let say = |found: bool, zh: (&str, &str), en: (&str, &str), unit: (&str, &str), shown: String| {
        found.then(|| {
            let (zh, en) = if low { (zh.0, en.0) } else { (zh.1, en.1) };
            Wording::new(format!("{zh} {shown}{}。", unit.0), format!("{en} {shown}{}.", unit.1))
        })
    };
    let (least, most) = (("至少", "最多"), ("At least", "At most"));
    match (value, bound) {
        (Value::Text(text), Value::Number(bound)) => {
            let length = Decimal::from(text.chars().count());
            say(beyond(length.cmp(bound)), least, most, (" 个字", " characters"), bound.normalize().to_string())
        }
        (Value::List(rows), Value::Number(bound)) => {
            let count = Decimal::from(rows.len());
            let unit = counted(field, *bound == Decimal::ONE);
            say(beyond(count.cmp(bound)), least, most, unit, bound.normalize().to_string())
        }
        (Value::Number(number), Value::Number(bound)) => {
            let shown = match field.kind {
                FieldKind::Percent => format!("{} %", (*bound * Decimal::ONE_HUNDRED).normalize()),
                _ => bound.normalize().to_string(),
            };
            say(beyond(number.cmp(bound)), least, most, ("", ""), shown)
        }
        (Value::Date(date), Value::Date(bound)) => {
            say(beyond(date.cmp(bound)), ("不早于", "不晚于"), ("Not before", "Not after"), ("", ""), bound.to_string())
        }
        (Value::DateTime(at), Value::DateTime(bound)) => {
            let ordering = at.local.cmp(&bound.local);
            say(beyond(ordering), ("不早于", "不晚于"), ("Not before", "Not after"), ("", ""), bound.local.to_string())
        }
        (Value::Duration(_), Value::Duration(least_or_most)) => {
            // Months and days have no order: such a limit says nothing of the other.
            let found = order(value, bound).is_some_and(beyond);
            let (least, most) = if low { ("至少", "At least") } else { ("最多", "At most") };
            let (zh, en) = (least_or_most.words(Lang::Zh), least_or_most.words(Lang::En));
            found.then(|| Wording::new(format!("{least} {zh}。"), format!("{most} {en}.")))
        }
        _ => None,
    }
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
