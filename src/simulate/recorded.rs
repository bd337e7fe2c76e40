//! Plays tests of metrics: the recorded cases are counted, and what they come to must be as written.

use super::scenario::failed;
use crate::compile::Compiled;
use crate::compile::scenario::{Expectation, Recorded};
use crate::diagnostics::{Diagnostic, Span, Spanned};
use crate::measure::kpi::{Asked, Counting, Figure};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::model::value::{Value, plain};
use rust_decimal::{Decimal, RoundingStrategy};

/// Counts the cases of a test; why it failed, nothing where it did not.
pub fn count(recorded: &Recorded, compiled: &Compiled) -> Vec<Diagnostic> {
    let (no_people, no_hours) = (Directory::default(), Calendar::default());
    let directory = compiled.directory.as_ref().unwrap_or(&no_people);
    let calendar = compiled.calendar.as_ref().unwrap_or(&no_hours);
    let metrics = std::slice::from_ref(&recorded.metric);
    let measure = |by: Option<&str>| {
        let asked = Asked { metrics, period: recorded.period, trend: 0, by, directory, calendar, now: recorded.now };
        let mut counting = Counting::new(asked);
        recorded.cases.iter().for_each(|case| counting.add(case));
        counting.finish().pop()
    };
    let mut failures = Vec::new();
    if let Some(figure) = measure(None).as_ref().and_then(|measured| measured.figure()) {
        compare(&recorded.expect, figure, &mut failures);
    }
    for (dimension, value, expected) in &recorded.parts {
        let measured = measure(Some(&dimension.value));
        let parts = measured.map(|measured| measured.parts).unwrap_or_default();
        match parts.iter().find(|(own, _)| word(own) == value.value) {
            Some((_, figure)) => compare(expected, figure, &mut failures),
            None => {
                let known: Vec<String> = parts.iter().map(|(own, _)| format!("`{}`", word(own))).collect();
                failures.push(failed(
                    value.span,
                    Wording::new(
                        format!("没有 `{}` 这一份，有的是：{}", value.value, known.join("、")),
                        format!("there is no part `{}`; there are {}", value.value, known.join(", ")),
                    ),
                ));
            }
        }
    }
    failures
}

fn word(value: &Value) -> String {
    match plain(value) {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

fn compare(expected: &Expectation, found: &Figure, failures: &mut Vec<Diagnostic>) {
    if let Some(value) = &expected.value
        && !same(value.value, found.value)
    {
        failures.push(differs(value.span, ("值", "the value"), shown(found.value)));
    }
    let mut number = |expected: &Option<Spanned<Decimal>>, found: Option<Decimal>, words: (&str, &str)| {
        if let Some(expected) = expected
            && !same(Some(expected.value), found)
        {
            failures.push(differs(expected.span, words, shown(found)));
        }
    };
    number(&expected.numerator, Some(found.numerator), ("分子", "the numerator"));
    number(&expected.denominator, found.denominator, ("分母", "the denominator"));
    number(&expected.left_out, Some(found.left_out.into()), ("未计入的案例数", "the number of cases left out"));
}

/// Whether a number is as expected, to the places that are written.
fn same(expected: Option<Decimal>, found: Option<Decimal>) -> bool {
    match (expected, found) {
        (Some(expected), Some(found)) => {
            found.round_dp_with_strategy(expected.scale(), RoundingStrategy::MidpointAwayFromZero) == expected
        }
        (None, None) => true,
        _ => false,
    }
}

fn shown(found: Option<Decimal>) -> Wording {
    match found {
        Some(found) => {
            let text = found.round_dp(8).normalize().to_string();
            Wording::new(text.clone(), text)
        }
        None => Wording::new("没有数据", "no data"),
    }
}

fn differs(span: Span, (zh, en): (&str, &str), found: Wording) -> Diagnostic {
    failed(span, Wording::new(format!("{zh}是 {}", found.zh), format!("{en} is {}", found.en)))
}
