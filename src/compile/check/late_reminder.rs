//! A reminder that comes when the work is overdue already, or a notice that would be repeated once the step is over.
//!
//! Lengths are counted from a Monday morning by ordinary working hours, so that the answer is the same on every day.
//! What is counted from a field is beside what is counted from the same field, whatever that holds.

use super::Subject;
use crate::compile::typing::constant;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression;
use crate::model::formula::{Arithmetic, Formula, Op};
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::model::time::{Calendar, Duration};
use crate::model::value::{Type, Value};
use crate::syntax::{Step, Then};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use std::cmp::Ordering;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let calendar = Calendar::default();
    let monday = NaiveDate::from_ymd_opt(2026, 3, 2).map(|day| calendar.opening(day));
    let Some(monday) = monday else { return };
    for placed in &subject.flow.steps {
        let step = placed.source;
        repeated(step, diagnostics);
        let Some(human) = subject.definition.steps.get(&placed.id).and_then(|step| step.human()) else { continue };
        let (Some(due), true) = (&human.due, human.remind.len() == step.remind.len()) else { continue };
        let deadline = length(due).and_then(|length| calendar.deadline(monday, length));
        for (text, remind) in step.remind.iter().zip(&human.remind) {
            let at: Option<DateTime<Utc>> = length(remind).and_then(|length| calendar.add(monday, length));
            let message = match (at, deadline) {
                (Some(at), Some(deadline)) if at >= deadline => Wording::new(
                    "提醒从交办时算起，这个提醒到期之后才发。请写得比 `due` 短",
                    "reminders count from the assignment, and this one comes when the step is overdue already; make it shorter than `due`",
                ),
                _ if always_behind(remind, due) => Wording::new(
                    "这个提醒总在到期之后。请写在 `due` 之前",
                    "this reminder always comes when the step is overdue already; put it before `due`",
                ),
                _ => continue,
            };
            let mut found = Diagnostic::new(Code::LateReminder, text.span, message);
            if let Some(due) = &step.due {
                found = found.context(due.span, Wording::new("到期", "due"));
            }
            diagnostics.push(found);
        }
    }
}

/// Where time ends the step, nobody is told again of it.
fn repeated(step: &Step, diagnostics: &mut Vec<Diagnostic>) {
    let Some(overdue) = &step.overdue else { return };
    let (key, at) = match &overdue.then {
        Some(Then::Decide(outcome)) => ("decide", outcome.span),
        Some(Then::Go(target)) => ("go", target.span),
        Some(Then::Reassign(_)) | None => return,
    };
    let Some(every) = &overdue.every else { return };
    let message = Wording::new(
        format!("到期时 `{key}` 就结束了这一步，通知只发一次，不会再重复。请删掉 `every`"),
        format!(
            "`{key}` ends the step as it is due, so the notice goes out once and is never repeated; delete `every`"
        ),
    );
    diagnostics
        .push(Diagnostic::new(Code::LateReminder, every.span, message).context(at, Wording::new("到期时", "then")));
}

/// Whether a reminder comes after the due time whatever the field holds that both are counted from. On the same day it
/// does not: a reminder is sent as the day opens, and what is due that day is due as it closes.
fn always_behind(remind: &Formula, due: &Formula) -> bool {
    let (Some((field, remind_by)), Some((other, due_by))) = (counted(remind), counted(due)) else { return false };
    let days = remind.of.of == Type::Date && due.of.of == Type::Date;
    let times = remind.of.of == Type::DateTime && due.of.of == Type::DateTime;
    let behind = remind_by.beside(&due_by);
    field == other && (days || times) && (behind == Some(Ordering::Greater) || times && behind == Some(Ordering::Equal))
}

/// How far something lies from a field.
enum Away {
    Before(Duration),
    At,
    Behind(Duration),
}

impl Away {
    /// Whether it lies behind another, where that is known.
    fn beside(&self, other: &Away) -> Option<Ordering> {
        let compared =
            |one: &Duration, other: &Duration| expression::beside(&Value::Duration(*one), &Value::Duration(*other));
        match (self, other) {
            (Away::Before(one), Away::Before(other)) => compared(other, one),
            (Away::Behind(one), Away::Behind(other)) => compared(one, other),
            (Away::At, Away::At) => Some(Ordering::Equal),
            (Away::Before(_), _) | (_, Away::Behind(_)) => Some(Ordering::Less),
            (Away::Behind(_), _) | (_, Away::Before(_)) => Some(Ordering::Greater),
        }
    }
}

/// The field that a time is counted from, and how far from it. Where the field may be a day, parts of one say nothing.
fn counted(formula: &Formula) -> Option<(&FieldName, Away)> {
    let (field, by) = match formula.root.op() {
        Op::Arithmetic(Arithmetic::Add, field, length) => (field, Some((true, length))),
        Op::Arithmetic(Arithmetic::Subtract, field, length) => (field, Some((false, length))),
        _ => (&formula.root, None),
    };
    let Op::Field(name) = field.op() else { return None };
    let Some((behind, length)) = by else { return Some((name, Away::At)) };
    let Op::Literal(Value::Duration(length)) = length.op() else { return None };
    let whole = match length {
        Duration::Seconds(seconds) => (seconds % Decimal::from(86_400)).is_zero(),
        Duration::WorkingMinutes(_) => false,
        Duration::Months(_) | Duration::WorkingDays(_) => true,
    };
    let known = length.sign().is_gt() && (whole || formula.of.of == Type::DateTime);
    known.then_some((name, if behind { Away::Behind(*length) } else { Away::Before(*length) }))
}

fn length(formula: &Formula) -> Option<Duration> {
    match constant(formula) {
        Some(Value::Duration(length)) => Some(*length),
        _ => None,
    }
}
