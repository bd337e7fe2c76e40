//! Runs cases of expressions with expected values, one JSON object a line: `{id, expression, expected}`.
//!
//! `expected` is `null` (an error or null), `{type, value}` with the name of an XML Schema type, or a list or
//! context of such. Numbers are equal as decimals; where a long fraction is expected, to 8 places.

use super::{functions, run};
use crate::model::value::{Record, Value};
use chrono::DateTime;
use rust_decimal::Decimal;
use serde_json::Value as Json;

/// How the cases went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseReport {
    /// How many yield what is expected.
    pub passed: usize,
    /// Those that do not.
    pub failed: Vec<FailedCase>,
}

/// A case that does not yield what is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedCase {
    /// Its name.
    pub id: String,
    /// The expression.
    pub expression: String,
    /// What is expected, as JSON.
    pub expected: String,
    /// What it yields, or why it yields nothing.
    pub found: String,
}

/// Runs the cases of a file.
pub fn run_cases(jsonl: &str) -> CaseReport {
    let mut report = CaseReport::default();
    for line in jsonl.lines().filter(|line| !line.trim().is_empty()) {
        let (id, expression, expected) = match serde_json::from_str::<Json>(line) {
            Ok(case) => {
                let text = |key: &str| case.get(key).and_then(Json::as_str).unwrap_or("").to_owned();
                (text("id"), text("expression"), case.get("expected").cloned().unwrap_or(Json::Null))
            }
            Err(error) => {
                let (id, expression) = (String::new(), line.to_owned());
                report.failed.push(FailedCase { id, expression, expected: String::new(), found: error.to_string() });
                continue;
            }
        };
        let found = run(&expression, &Record::new(), DateTime::UNIX_EPOCH);
        let matches = match &found {
            Ok(value) => is_expected(value, &expected),
            Err(_) => expected.is_null(),
        };
        if matches {
            report.passed += 1;
            continue;
        }
        let found = match found {
            Ok(value) => value.to_plain().to_string(),
            Err(failure) => failure.message.en,
        };
        report.failed.push(FailedCase { id, expression, expected: expected.to_string(), found });
    }
    report
}

fn is_expected(value: &Value, expected: &Json) -> bool {
    if expected.is_null() {
        return value.is_null();
    }
    let (Some(of), Some(written)) = (expected.get("type").and_then(Json::as_str), expected.get("value")) else {
        return false;
    };
    match (of, written, value) {
        ("list", Json::Array(items), Value::List(values)) => {
            items.len() == values.len() && items.iter().zip(values).all(|(item, value)| is_expected(value, item))
        }
        ("context", Json::Object(entries), Value::Record(record)) => {
            entries.len() == record.len()
                && entries
                    .iter()
                    .all(|(name, entry)| record.get(name.as_str()).is_some_and(|value| is_expected(value, entry)))
        }
        (_, Json::String(text), value) => match value {
            Value::Number(number) => text.parse().is_ok_and(|expected: Decimal| is_near(*number, expected)),
            Value::Boolean(flag) => of == "boolean" && text == if *flag { "true" } else { "false" },
            Value::Text(own) => of == "string" && text == own.as_ref(),
            value => functions::temporal::literal(text).is_some_and(|expected| expected == *value),
        },
        _ => false,
    }
}

fn is_near(number: Decimal, expected: Decimal) -> bool {
    number == expected || (expected.scale() >= 8 && (number - expected).abs() <= Decimal::new(1, 8))
}
