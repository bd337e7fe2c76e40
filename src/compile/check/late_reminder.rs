//! A reminder that comes when the work is overdue already.
//!
//! Both are counted from a Monday morning by ordinary working hours, so that the answer is the same on every day.

use super::Subject;
use crate::compile::typing::constant;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::text::Wording;
use crate::model::time::{Calendar, Duration};
use crate::model::value::Value;
use chrono::{DateTime, NaiveDate, Utc};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let calendar = Calendar::default();
    let monday = NaiveDate::from_ymd_opt(2026, 3, 2).map(|day| calendar.opening(day));
    let Some(monday) = monday else { return };
    for placed in &subject.flow.steps {
        let step = placed.source;
        let Some(human) = subject.definition.steps.get(&placed.id).and_then(|step| step.human()) else { continue };
        let (Some(due), true) = (&human.due, human.remind.len() == step.remind.len()) else { continue };
        let Some(deadline) = length(due).and_then(|length| calendar.deadline(monday, length)) else { continue };
        for (text, remind) in step.remind.iter().zip(&human.remind) {
            let at: Option<DateTime<Utc>> = length(remind).and_then(|length| calendar.add(monday, length));
            if at.is_some_and(|at| at >= deadline) {
                let mut found = Diagnostic::new(
                    Code::LateReminder,
                    text.span,
                    Wording::new(
                        "提醒从交办时算起，这个提醒到期之后才发。请写得比 `due` 短",
                        "reminders count from the assignment, and this one comes when the step is overdue already; make it shorter than `due`",
                    ),
                );
                if let Some(due) = &step.due {
                    found = found.context(due.span, Wording::new("到期", "due"));
                }
                diagnostics.push(found);
            }
        }
    }
}

fn length(formula: &crate::model::formula::Formula) -> Option<Duration> {
    match constant(formula) {
        Some(Value::Duration(length)) => Some(*length),
        _ => None,
    }
}
