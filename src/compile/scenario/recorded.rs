//! Tests of metrics: cases as they would have been recorded, typed against their processes.

use super::lower::{Ground, Lowering, definition};
use super::{Expectation, Recorded};
use crate::compile::organisation;
use crate::diagnostics::{Code, Diagnostic, Spanned, suggest};
use crate::expression;
use crate::model::id::Outcome;
use crate::model::metric::{Case, Metric, Period};
use crate::model::text::Wording;
use crate::model::value::{Record, Value};
use crate::syntax::{Group, MetricTest, RecordedCase};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// What a test writes where a metric must have no data.
const NONE: &str = "none";

/// Lowers a test of a metric; `None` where anything of it, or of what it names, is wrong.
pub(crate) fn lower(test: &MetricTest, ground: &Ground<'_>, diagnostics: &mut Vec<Diagnostic>) -> Option<Recorded> {
    let before = diagnostics.len();
    let metric = test.metric.as_ref().and_then(|name| metric(name, ground, diagnostics));
    let period = test.period.as_ref().and_then(|written| period(written, diagnostics));
    // Half a day after the period everything of it is over, wherever the calendar is.
    let after = period.map(|period| ground.calendar.opening(period.after()));
    let mut lowering = Lowering::new(ground, None, after.unwrap_or_default(), diagnostics);
    let now = match &test.now {
        Some(written) => lowering.moment(written),
        None => after,
    };
    let cases: Vec<Case> = test.cases.iter().filter_map(|case| recorded(case, &mut lowering)).collect();
    let expect = test.expect.as_ref().map(|group| expectation(group, lowering.diagnostics));
    let mut parts = Vec::new();
    for (dimension, value, group) in &test.parts {
        if let Some(metric) = metric.filter(|metric| !metric.by.contains_key(dimension.value.as_str())) {
            let known = metric.by.keys().map(|name| &**name);
            let found = organisation::unknown(dimension, known, ("细分", "dimension"), "by");
            lowering.diagnostics.push(found);
        }
        parts.push((dimension.clone(), value.clone(), expectation(group, lowering.diagnostics)));
    }
    let sound = diagnostics.len() == before && cases.len() == test.cases.len();
    sound.then_some(())?;
    Some(Recorded {
        title: test.title.clone()?,
        metric: metric?.clone(),
        period: period?,
        now: now?,
        cases,
        expect: expect?,
        parts,
    })
}

/// The metric of a name, if nothing is wrong with it; a name that there is not is reported, and taken for the one that is
/// meant.
fn metric<'a>(name: &Spanned<String>, ground: &Ground<'a>, diagnostics: &mut Vec<Diagnostic>) -> Option<&'a Metric> {
    let named = |word: &str| ground.metrics.sound.iter().find(|metric| *metric.name == *word);
    if ground.metrics.named.contains(&name.value) {
        return named(&name.value);
    }
    // It may stand in a file that could not be read.
    ground.known.filter(|_| !ground.metrics.unnamed)?;
    let known = || ground.metrics.named.iter().map(String::as_str);
    diagnostics.push(organisation::unknown(name, known(), ("指标", "metric"), "metrics"));
    suggest::closest(&name.value, known()).and_then(named)
}

fn period(written: &Spanned<String>, diagnostics: &mut Vec<Diagnostic>) -> Option<Period> {
    let period = written.value.parse().ok();
    if period.is_none() {
        diagnostics.push(Diagnostic::new(
            Code::BadValue,
            written.span,
            Wording::new(
                format!("`{}` 不是期间。写 `2026-Q3`、`2026-07` 或 `2026`", written.value),
                format!("`{}` is no period; write `2026-Q3`, `2026-07` or `2026`", written.value),
            ),
        ));
    }
    period
}

fn recorded(written: &RecordedCase, lowering: &mut Lowering<'_>) -> Option<Case> {
    let process = written.process.as_ref();
    let definition = process.and_then(|name| definition(name, "processes", lowering.ground, lowering.diagnostics));
    let applicant = written.by.as_ref().and_then(|by| lowering.person(by));
    let started = written.started.as_ref().and_then(|at| lowering.moment(at));
    let data = lowering.values(definition, None, written.data.as_ref());
    let outcome = written.outcome.as_ref();
    if let (Some(outcome), Some(definition)) = (outcome, definition) {
        lowering.known_end(outcome, definition);
    }
    let ended = match (&written.ended, outcome) {
        (None, None) => None,
        (Some(at), Some(outcome)) => Some((Outcome::from(outcome.value.as_str()), lowering.moment(at)?)),
        (Some(one), None) | (None, Some(one)) => {
            lowering.diagnostics.push(Diagnostic::new(
                Code::MissingKey,
                one.span,
                Wording::new(
                    "结束了的案例要写 `ended` 和 `outcome` 两样；没结束的两样都不写",
                    "a case that ended has both `ended` and `outcome`, and one that goes on has neither",
                ),
            ));
            return None;
        }
    };
    Some(Case {
        process: definition?.process.clone(),
        number: None,
        applicant: applicant?,
        started: started?,
        ended,
        data,
    })
}

fn expectation(group: &Group, diagnostics: &mut Vec<Diagnostic>) -> Expectation {
    let mut number = |written: &Option<Spanned<String>>| -> Option<Spanned<Decimal>> {
        let written = written.as_ref()?;
        match expression::run(&written.value, &Record::new(), DateTime::<Utc>::default()) {
            Ok(Value::Number(number)) => Some(Spanned::new(number, written.span)),
            _ => {
                diagnostics.push(Diagnostic::new(
                    Code::BadValue,
                    written.span,
                    Wording::new(
                        format!("`{}` 不是数字。写 `3`、`75 %`，没有数据写 `none`", written.value),
                        format!("`{}` is no number; write `3`, `75 %`, or `none` for no data", written.value),
                    ),
                ));
                None
            }
        }
    };
    let value = match &group.value {
        Some(written) if written.value == NONE => Some(Spanned::new(None, written.span)),
        written => number(written).map(|number| number.map(Some)),
    };
    Expectation {
        span: group.span,
        value,
        numerator: number(&group.numerator),
        denominator: number(&group.denominator),
        left_out: number(&group.left_out),
    }
}
