//! A time limit that is over before it begins, and notices of what is overdue that would come all at once.

use super::Subject;
use crate::compile::lower::Placed;
use crate::compile::waits::kept;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::fixed;
use crate::expression::lasting::lasts;
use crate::model::text::Wording;
use crate::model::value::Value;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        every(subject, placed, diagnostics);
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
