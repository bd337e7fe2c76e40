//! What people write by habit and an expression says otherwise: a comparison with several values, a superior as a
//! property, a length of time of ISO 8601 without its quotes.

use super::infer::Infer;
use super::tree::{Node, Syntax};
use crate::model::formula::Comparison;
use crate::model::text::Lang;
use crate::model::time::Duration;
use crate::model::value::Type;

impl Infer<'_> {
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

/// `P2D` as words, where these say the same in an expression.
pub(super) fn length(name: &str) -> Option<String> {
    let length: Duration = name.starts_with('P').then(|| name.parse().ok()).flatten()?;
    let words = length.words(Lang::En);
    let single = words.split(' ').count() == 2 && words.starts_with(|c: char| c.is_ascii_digit());
    single.then_some(words)
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
