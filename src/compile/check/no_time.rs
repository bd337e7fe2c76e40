//! A time limit that is over before it begins, a day that may be past where time then approves, and notices of what is
//! overdue that would come all at once.

use super::Subject;
use crate::compile::lower::Placed;
use crate::compile::waits::kept;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::fixed;
use crate::expression::lasting::lasts;
use crate::model::control::Then;
use crate::model::definition::{Definition, StepKind as Kind, outcome};
use crate::model::formula::{Arithmetic, Expr, Formula, Op, Read};
use crate::model::text::Wording;
use crate::model::value::{Type, Value};
use crate::syntax::{Case, StepKind};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        every(subject, placed, diagnostics);
        past(subject, placed, diagnostics);
        let Some(human) = subject.definition.steps.get(&placed.id).and_then(|step| step.human()) else { continue };
        let (Some(due), Some(written)) = (&human.due, &placed.source.due) else { continue };
        let none = matches!(fixed(due), Some(Value::Duration(length)) if length.sign().is_le());
        if none {
            diagnostics.push(Diagnostic::new(
                Code::NoTime,
                written.span,
                Wording::new(
                    "这个期限一交办就已经过了。请写正数，例如 `2 working days`",
                    "this is over as soon as the step is assigned; write a length above zero, such as `2 working days`",
                ),
            ));
        }
    }
}

/// Where time approves: that the day is still to come is asked somewhere, or nobody would have been asked.
fn past(subject: &Subject<'_>, placed: &Placed<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(step) = subject.definition.steps.get(&placed.id) else { return };
    let then = step.overdue.as_ref().and_then(|overdue| overdue.then.as_ref());
    let approves = matches!(then, Some(Then::Decide(outcome)) if outcome.as_str() == outcome::APPROVED);
    let (Some(due), Some(written)) = (step.due().filter(|_| approves), &placed.source.due) else { return };
    let asks = |formula: &Formula| formula.reads.contains(&Read::Now);
    if !matches!(due.of.of, Type::Date | Type::DateTime)
        || asks(due)
        || step.when.as_ref().is_some_and(asks)
        || case(subject, placed).is_some_and(asks)
        || is_to_come(subject.definition, &due.root)
    {
        return;
    }
    let text = &written.text;
    diagnostics.push(
        Diagnostic::new(
            Code::NoTime,
            written.span,
            Wording::new(
                format!("`{text}` 可能已经过了，那样一交办就自动同意，谁也没看过"),
                format!("`{text}` may be past already, and time would approve at once what nobody has seen"),
            ),
        )
        .hint(Wording::new(
            format!("写成 `due: \"max({text}, today() + 1 working day)\"`，或用 `when` 先判断，或给日期字段写 `min: today()`"),
            format!(
                "write `due: \"max({text}, today() + 1 working day)\"`, ask first with `when`, or give the field `min: today()`"
            ),
        )),
    );
}

/// The condition that was asked just before a step, where it is the first of a case of a `choose`.
fn case<'s>(subject: &'s Subject<'_>, placed: &Placed<'_>) -> Option<&'s Formula> {
    subject.flow.steps.iter().find_map(|choose| {
        let StepKind::Choose { cases, .. } = &choose.source.kind else { return None };
        let Kind::Choose(formulas) = &subject.definition.steps.get(&choose.id)?.kind else { return None };
        let first = |case: &Case| case.steps.first().is_some_and(|step| std::ptr::eq(step, placed.source));
        formulas.get(cases.iter().position(first)?)
    })
}

/// Whether a day was still to come as somebody filled it in, or is later than such a one.
fn is_to_come(definition: &Definition, day: &Expr) -> bool {
    match day.op() {
        Op::Field(name) => definition.fields().find(|(known, _)| *known == name).is_some_and(|(_, field)| {
            field.min.as_ref().is_some_and(|min| min.reads.contains(&Read::Now))
                || field.value.as_ref().is_some_and(|value| is_to_come(definition, &value.root))
        }),
        Op::Arithmetic(Arithmetic::Add, a, b) => is_to_come(definition, a) || is_to_come(definition, b),
        _ => false,
    }
}

/// Where notices are repeated: the time between them has to be above zero, whatever the case holds.
fn every(subject: &Subject<'_>, placed: &Placed<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(written) = placed.source.overdue.as_ref().and_then(|overdue| overdue.every.as_ref()) else { return };
    let step = subject.definition.steps.get(&placed.id);
    let Some(formula) = step.and_then(|step| step.overdue.as_ref()?.every.as_ref()) else { return };
    if lasts(&formula.root, &|name| kept(subject.definition, name), &[]) {
        return;
    }
    let text = &written.text;
    diagnostics.push(
        Diagnostic::new(
            Code::NoTime,
            written.span,
            Wording::new(
                format!("`{text}` 可能是零或更短，两次通知之间就没有间隔了"),
                format!("`{text}` may be zero or less, and there would be no time between two notices"),
            ),
        )
        .hint(Wording::new(
            "请写大于零的时长，例如 `every: 1 day`，或让它读的字段大于零，例如 `min: 1 hour`",
            "write a length above zero, such as `every: 1 day`, or keep the field that it reads above zero, such as with `min: 1 hour`",
        )),
    );
}
