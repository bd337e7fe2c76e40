//! What people write by habit and an expression says otherwise: a comparison with several values, columns of all rows
//! where those of one are meant, a superior as a property, a length of time of ISO 8601 without its quotes.

use super::fault::{Fault, FaultKind};
use super::infer::Infer;
use super::tree::{Node, Syntax, Test};
use crate::model::formula::{Arithmetic, Comparison};
use crate::model::text::Lang;
use crate::model::time::Duration;
use crate::model::value::{Type, Value};
use rust_decimal::Decimal;

impl Infer<'_> {
    /// Tests that mean no range though one was meant, with what is wrong and the range: `>= 1000, < 2000`, which anything
    /// passes, as a comma is *or*; and `500 - 800`, which is a number below nothing.
    pub(super) fn meant_range(&self, tests: &[Test]) -> Option<Fault> {
        let bound = |node: &Node| match &node.syntax {
            Syntax::Number(number) => Some(Value::Number(*number)),
            Syntax::Literal(value) => Some(value.clone()),
            _ => None,
        };
        let least = |op: Comparison| matches!(op, Comparison::AtLeast | Comparison::Greater);
        let most = |op: Comparison| matches!(op, Comparison::AtMost | Comparison::Less);
        let before = |low: &Node, high: &Node| {
            let (low, high) = (bound(low)?, bound(high)?);
            super::order(&low, &high).filter(|order| order.is_lt())
        };
        match tests {
            [Test::Compare(one, a), Test::Compare(other, b)] => {
                let ((from, low), (to, high)) = match () {
                    () if least(*one) && most(*other) => ((one, a), (other, b)),
                    () if most(*one) && least(*other) => ((other, b), (one, a)),
                    () => return None,
                };
                before(low, high)?;
                let open = if *from == Comparison::AtLeast { '[' } else { '(' };
                let close = if *to == Comparison::AtMost { ']' } else { ')' };
                let range = format!("{open}{}..{}{close}", self.written(low), self.written(high));
                // From the first sign on to the last number.
                let start =
                    self.text.get(..a.range.start).and_then(|text| text.rfind(['<', '>'])).unwrap_or(a.range.start);
                Some(
                    Fault::new(
                        start..b.range.end,
                        FaultKind::ForeignSyntax,
                        "逗号在这里是“或”，所以任何值都符合",
                        "a comma means *or* here, so any value passes",
                    )
                    .hint(
                        format!("要同时符合，写成一个区间：`{range}`。"),
                        format!("For both at once write a range: `{range}`."),
                    )
                    .suggest(range),
                )
            }
            [Test::Is(node)] => {
                let Syntax::Arithmetic(Arithmetic::Subtract, low, high) = &node.syntax else { return None };
                before(low, high)?;
                let range = format!("[{}..{}]", self.written(low), self.written(high));
                Some(
                    Fault::new(
                        node.range.clone(),
                        FaultKind::ForeignSyntax,
                        format!("`{}` 是相减，不是区间", self.written(node)),
                        format!("`{}` is a subtraction and no range", self.written(node)),
                    )
                    .hint(format!("区间写成 `{range}`。"), format!("A range is written `{range}`."))
                    .suggest(range),
                )
            }
            _ => None,
        }
    }

    /// `n = 5 or 6`: the second value is no condition, and belongs to the first.
    pub(super) fn one_of_several(&self, before: Option<&Node>, part: &Node) -> Option<(String, String)> {
        let Syntax::Compare(Comparison::Equal, value, first) = &before?.syntax else { return None };
        if !matches!(part.syntax, Syntax::Number(_) | Syntax::Text(_) | Syntax::Name(_) | Syntax::Literal(_)) {
            return None;
        }
        let [value, first, part] = [&**value, &**first, part].map(|node| self.written(node));
        let instead = format!("{value} in ({first}, {part})");
        Some((format!("例如写成 `{instead}`。"), format!("For example, write `{instead}`.")))
    }

    /// `items.qty * items.price`, `items.qty > 5`: columns of all rows where those of one are meant.
    pub(super) fn of_rows(&self, node: &Node) -> Option<(String, String)> {
        let (a, b, order) = match &node.syntax {
            Syntax::Arithmetic(_, a, b) => (&**a, &**b, false),
            Syntax::Compare(op, a, b) if !matches!(op, Comparison::Equal | Comparison::NotEqual) => (&**a, &**b, true),
            _ => return None,
        };
        let column = |side: &Node| match &side.syntax {
            Syntax::Path(list, column, _) if matches!(list.syntax, Syntax::Name(_)) && !self.is_row(list) => {
                Some((self.written(list), column.clone()))
            }
            _ => None,
        };
        let (list, _) = column(a).or_else(|| column(b))?;
        let item = |side: &Node| match column(side) {
            Some((of, column)) if of == list => format!("item.{column}"),
            _ => self.written(side).to_owned(),
        };
        let between = self.between(a, b);
        let body = format!("{} {between} {}", item(a), item(b));
        Some(if order {
            (
                format!(
                    "`{list}` 有许多行：有一行这样，写 `some item in {list} satisfies {body}`；每行都这样，把 `some` 换成 `every`。"
                ),
                format!(
                    "`{list}` has many rows: for one of them write `some item in {list} satisfies {body}`, for all of them `every` in place of `some`."
                ),
            )
        } else {
            (
                format!(
                    "`{list}` 有许多行：合计写 `sum(for item in {list} return {body})`；每行一个值，在明细里加一列来算。"
                ),
                format!(
                    "`{list}` has many rows: their sum is `sum(for item in {list} return {body})`; for a value of each row give the rows one more column."
                ),
            )
        })
    }
}

/// What is asked of a person by a function.
pub(super) fn function_of(of: &Type, property: &str, written: &str) -> Option<String> {
    const SUPERIOR: [&str; 8] = ["manager", "superior", "boss", "supervisor", "reports_to", "leader", "上级", "主管"];
    match of {
        Type::Person if SUPERIOR.contains(&property) => Some(format!("manager_of({written})")),
        Type::Department if ["head", "manager", "leader"].contains(&property) => Some(format!("head_of({written})")),
        Type::Position if ["holder", "holders", "people"].contains(&property) => Some(format!("holders({written})")),
        _ => None,
    }
}

/// Who plays which part in a case, in the words of people and of other tools.
pub(super) fn part_of_case(name: &str) -> Option<&'static str> {
    match name.to_lowercase().as_str() {
        "申请人" | "发起人" | "提交人" | "requester" | "requestor" | "initiator" | "submitter" | "creator" => {
            Some("applicant")
        }
        "办理人" | "经办人" | "审批人" | "approver" => Some("assignee"),
        "结果" | "result" => Some("outcome"),
        "步骤" => Some("steps"),
        _ => None,
    }
}

/// `P2D` or `三天` as words, where these say the same in an expression.
pub(super) fn length(name: &str) -> Option<String> {
    if let Some(words) = counted(name) {
        return Some(words);
    }
    let length: Duration = name.starts_with('P').then(|| name.parse().ok()).flatten()?;
    let words = length.words(Lang::En);
    let single = words.split(' ').count() == 2 && words.starts_with(|c: char| c.is_ascii_digit());
    single.then_some(words)
}

/// `三个工作日`: a number in Chinese and the unit behind it.
fn counted(name: &str) -> Option<String> {
    const NUMBERS: [(&str, u32); 11] = [
        ("一", 1),
        ("两", 2),
        ("二", 2),
        ("三", 3),
        ("四", 4),
        ("五", 5),
        ("六", 6),
        ("七", 7),
        ("八", 8),
        ("九", 9),
        ("十", 10),
    ];
    if name == "半小时" || name == "半个小时" {
        return Some("30 minutes".to_owned());
    }
    let (number, unit) = NUMBERS.iter().find_map(|(word, number)| Some((*number, name.strip_prefix(word)?)))?;
    let unit = unit_of(unit)?;
    Some(format!("{number} {}", if number == 1 { unit.strip_suffix('s').unwrap_or(unit) } else { unit }))
}

/// A number as a length of time: only beside a number that is written out stands a unit.
pub(super) fn lengths(written: &str) -> (String, String) {
    if let Ok(number) = written.parse::<Decimal>() {
        let [minutes, hours, days] = ["minute", "hour", "day"].map(|unit| so_many(written, number, unit));
        return (
            format!("写上单位，例如 `{minutes}`、`{hours}` 或 `{days}`。"),
            format!("Say the unit: `{minutes}`, `{hours}` or `{days}`."),
        );
    }
    let value = grouped(written);
    (
        format!("例如写成 `{value} * 1 day`，或 `{value} * 1 working day`。"),
        format!("For example, write `{value} * 1 day` or `{value} * 1 working day`."),
    )
}

/// A number as so many days.
pub(super) fn days(written: &str) -> String {
    match written.parse::<Decimal>() {
        Ok(number) => so_many(written, number, "day"),
        Err(_) => format!("{} * 1 day", grouped(written)),
    }
}

fn so_many(written: &str, number: Decimal, unit: &str) -> String {
    let plural = if number == Decimal::ONE { "" } else { "s" };
    format!("{written} {unit}{plural}")
}

fn grouped(written: &str) -> String {
    if written.contains(char::is_whitespace) { format!("({written})") } else { written.to_owned() }
}

/// A unit of time in the words of people and of other tools.
pub(super) fn unit_of(word: &str) -> Option<&'static str> {
    match word {
        "d" | "天" | "日" => Some("days"),
        "h" | "hr" | "小时" | "个小时" => Some("hours"),
        "m" | "min" | "分钟" => Some("minutes"),
        "周" | "星期" | "个星期" => Some("weeks"),
        "月" | "个月" => Some("months"),
        "年" => Some("years"),
        "工作日" | "个工作日" | "workday" | "workingday" | "wd" => Some("working days"),
        "工作小时" | "个工作小时" | "workinghour" => Some("working hours"),
        _ => None,
    }
}

/// `2026-03-05 18:00` as a date and a time of the day, where an expression is nothing else.
pub(super) fn moment(written: &str) -> Option<String> {
    let (date, time) = written.trim().split_once(['T', ' '])?;
    let (date, time) = (day(date)?, time.trim());
    let time = ["%H:%M", "%H:%M:%S"].iter().find_map(|form| chrono::NaiveTime::parse_from_str(time, form).ok())?;
    Some(format!("date and time(\"{date}T{time}\")"))
}

/// The day that a text or a sum of numbers was meant to be: `2026-01-31`, `2026/1/31`, `"2026-01-31"`.
pub(super) fn day(written: &str) -> Option<chrono::NaiveDate> {
    let written = written.trim_matches('"');
    let parts: Vec<&str> = written.split(['-', '/']).map(str::trim).collect();
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => {
            chrono::NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
        }
        _ => None,
    }
}

/// Whether a text is written like a day, though the calendar may have none: `2026-02-30`.
pub(super) fn looks_like_day(written: &str) -> bool {
    let parts: Vec<&str> = written.trim_matches('"').split(['-', '/']).map(str::trim).collect();
    let digits = |part: &&str| (1..=4).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
    matches!(parts.as_slice(), [year, _, _] if year.len() == 4) && parts.iter().all(digits)
}
