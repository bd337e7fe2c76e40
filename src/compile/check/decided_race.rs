//! A race whose end is known before it begins, or left to chance: it has one branch, waits longer in one than in another,
//! or waits for the same message in two.
//!
//! Lengths are counted from a Monday morning by ordinary working hours, so that the answer is the same on every day.

use super::Subject;
use crate::compile::typing::constant;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::definition::StepKind as Kind;
use crate::model::graph::{Node, On};
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::model::value::Value;
use crate::syntax::{Branch, StepKind};
use chrono::{DateTime, NaiveDate, Utc};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Race { branches } = &placed.source.kind else { continue };
        if let [only] = branches.as_slice() {
            diagnostics.push(Diagnostic::new(
                Code::DecidedRace,
                only.name.span,
                Wording::new(
                    "这里只有一路，没有对手。请加一路，或直接写这些步骤",
                    "this race has one branch and nobody to lose to; add another, or write its steps as they are",
                ),
            ));
        }
        same_message(branches, diagnostics);
        let holder = Node::Step(placed.id.clone());
        let mut waits: Vec<(Span, DateTime<Utc>)> = Vec::new();
        for branch in branches {
            let on = On::Branch(branch.name.value.as_str().into());
            let Some(Node::Step(first)) = subject.flow.graph.next(&holder, &on) else { continue };
            if let (Some(over), Some(here)) = (over(subject, first), subject.at(first)) {
                waits.push((here, over));
            }
        }
        let Some((first, shortest)) = waits.iter().min_by_key(|(_, over)| *over).copied() else { continue };
        for (here, over) in waits.iter().filter(|(here, over)| *here != first && *over >= shortest) {
            let same = *over == shortest;
            diagnostics.push(
                Diagnostic::new(
                    Code::DecidedRace,
                    *here,
                    if same {
                        Wording::new(
                            "这一路和另一路等得一样久，不知道谁赢",
                            "this waits as long as another branch, so chance decides who wins",
                        )
                    } else {
                        Wording::new(
                            "这一路等得比另一路久，永远赢不了",
                            "this waits longer than another branch, so it never wins",
                        )
                    },
                )
                .context(first, Wording::new("另一路", "the other branch")),
            );
        }
    }
}

/// Two branches that begin with the same message: one of them is told of it.
fn same_message(branches: &[Branch], diagnostics: &mut Vec<Diagnostic>) {
    let mut known: Vec<(&str, Option<&str>, Span)> = Vec::new();
    for branch in branches {
        let Some(StepKind::Receive { message, key, .. }) = branch.steps.first().map(|step| &step.kind) else {
            continue;
        };
        let (name, key) = (message.value.as_str(), key.as_ref().map(|key| key.text.as_str()));
        match known.iter().find(|(other, of, _)| (*other, *of) == (name, key)) {
            Some((.., first)) => diagnostics.push(
                Diagnostic::new(
                    Code::DecidedRace,
                    message.span,
                    Wording::new(
                        format!("这一路和另一路等的是同一条消息 `{name}`，消息来了只有一路收得到，是哪一路全凭偶然"),
                        format!("this waits for the message `{name}` as another branch does; one of them reads it, and chance decides which"),
                    ),
                )
                .context(*first, Wording::new("另一路", "the other branch")),
            ),
            None => known.push((name, key, message.span)),
        }
    }
}

/// When a wait of a written length is over.
fn over(subject: &Subject<'_>, first: &crate::model::id::StepId) -> Option<DateTime<Utc>> {
    let Kind::Wait(until) = &subject.definition.steps.get(first)?.kind else { return None };
    let Some(Value::Duration(length)) = constant(until) else { return None };
    let calendar = Calendar::default();
    calendar.add(calendar.opening(NaiveDate::from_ymd_opt(2026, 3, 2)?), *length)
}
