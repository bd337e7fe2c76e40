//! A `go` to where the case goes on anyway.

use super::Subject;
use crate::compile::lower::NEXT;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::text::Wording;
use crate::syntax::{Step, StepKind};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    lists(&subject.document.steps, &mut |list| {
        for (number, step) in list.iter().enumerate() {
            if goes_on(step, list.get(number + 1)) {
                diagnostics.push(Diagnostic::new(
                    Code::IdleStep,
                    step.key,
                    Wording::new(
                        "不写这个 `go`，也会走到那里。请删掉这一步（整个列表都不做什么，就写 `[]`）",
                        "the case goes there without this `go` too; delete the step (a list that does nothing is `[]`)",
                    ),
                ));
            }
        }
    });
}

fn goes_on(step: &Step, next: Option<&Step>) -> bool {
    let StepKind::Go { target } = &step.kind else { return false };
    let id = next.and_then(|next| next.id.as_ref());
    target.name == NEXT || id.is_some_and(|id| id.value == target.name)
}

/// Every list of steps, those inside steps too.
fn lists<'a>(list: &'a [Step], visit: &mut dyn FnMut(&'a [Step])) {
    visit(list);
    for step in list {
        for inner in step.lists() {
            lists(inner, visit);
        }
    }
}
