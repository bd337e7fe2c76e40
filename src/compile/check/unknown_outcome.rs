//! `on`, `opinion`, `copy` or `overdue` names an outcome that the step does not have.

use super::Subject;
use crate::compile::lower::Part;
use crate::compile::outcomes;
use crate::diagnostics::{Code, Diagnostic, Spanned, quoted_list, suggest};
use crate::model::definition::outcome;
use crate::model::text::Wording;
use crate::syntax::{Step, StepKind, Then};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in subject.flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
        let step = placed.source;
        let Some(known) = known(subject, step) else { continue };
        let on = step.on.iter().map(|(name, _)| name).filter(|name| !is_otherwise(step, name));
        let copied = step.copy.iter().map(|(name, _)| name);
        for name in on.chain(opinion(step)).chain(copied).chain(by_time(step)) {
            if !known.contains(&name.value) && !hidden(subject, step, name, &known) {
                diagnostics.push(unknown(name, &known, step));
            }
        }
        if let Some(name) = by_time(step).filter(|name| name.value == outcome::RETURNED) {
            diagnostics.push(sent_back(name));
        }
    }
}

/// The outcomes that a step can name; `None` where it has none, or where they cannot be known.
fn known(subject: &Subject<'_>, step: &Step) -> Option<Vec<String>> {
    if let StepKind::Call(call) = &step.kind {
        let callee = subject.world.callees.get(call.process.value.as_str())?;
        return Some(callee.outcomes.clone());
    }
    let known = outcomes::named(step)?;
    // A `parallel` has outcomes with `join: any` only.
    let block = matches!(step.kind, StepKind::Parallel { .. });
    (block || !known.is_empty()).then_some(known)
}

/// Whether a fault told elsewhere may be what keeps a step from an outcome.
fn hidden(subject: &Subject<'_>, step: &Step, name: &Spanned<String>, known: &[String]) -> bool {
    match &step.kind {
        // No `approve` declares outcomes: what is like one of its own is a slip.
        StepKind::Approve { .. } if suggest::closest(&name.value, known.iter().map(String::as_str)).is_some() => false,
        StepKind::Call(call) => {
            subject.world.callees.get(call.process.value.as_str()).is_some_and(|callee| callee.writes_end(&name.value))
        }
        _ if opinion(step).any(|other| other.span == name.span) => subject.unread.may_declare(&name.value),
        // Elsewhere it is written in the manner of a declaration itself.
        _ => subject.unread.may_declare_besides(&name.value),
    }
}

fn opinion(step: &Step) -> impl Iterator<Item = &Spanned<String>> {
    step.opinion.iter().flatten()
}

fn is_otherwise(step: &Step, name: &Spanned<String>) -> bool {
    matches!(step.kind, StepKind::Call(_)) && name.value == outcomes::OTHERWISE
}

/// The outcome that time gives.
fn by_time(step: &Step) -> Option<&Spanned<String>> {
    match step.overdue.as_ref()?.then.as_ref()? {
        Then::Decide(outcome) => Some(outcome),
        Then::Reassign(_) | Then::Go(_) => None,
    }
}

fn sent_back(name: &Spanned<String>) -> Diagnostic {
    Diagnostic::new(
        Code::UnknownOutcome,
        name.span,
        Wording::new(
            "时间到了不能退回，因为没有人说要改什么。请写别的结果，或用 `go`",
            "time cannot send a case back, as nobody says what to change; write another outcome, or use `go`",
        ),
    )
}

fn unknown(name: &Spanned<String>, known: &[String], step: &Step) -> Diagnostic {
    let word = &name.value;
    let known = known.iter().map(String::as_str);
    // What has its place already is not what was meant here.
    let free = known.clone().filter(|known| !step.on.iter().any(|(other, _)| other.value == *known));
    match suggest::closest(word, free) {
        Some(close) => Diagnostic::new(
            Code::UnknownOutcome,
            name.span,
            Wording::new(
                format!("这个步骤没有 `{word}` 这种结果，是不是 `{close}`？"),
                format!("this step has no outcome `{word}`; did you mean `{close}`?"),
            ),
        )
        .fix_word(name.span, close),
        None if known.len() == 0 => Diagnostic::new(
            Code::UnknownOutcome,
            name.span,
            Wording::new(
                "几路都办完才往下走，没有哪一路是结果。`on` 要和 `join: any` 一起写",
                "with all branches done none is the outcome; `on` goes with `join: any`",
            ),
        ),
        None => {
            let listed = quoted_list(known);
            Diagnostic::new(
                Code::UnknownOutcome,
                name.span,
                Wording::new(format!("这个步骤没有 `{word}` 这种结果"), format!("this step has no outcome `{word}`")),
            )
            .hint(Wording::new(format!("它的结果有：{}", listed.zh), format!("it can come to {}", listed.en)))
        }
    }
}
