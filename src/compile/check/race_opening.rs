//! A branch of a race that does not begin with something to wait for: it would win before the race has begun.

use super::Subject;
use crate::compile::outcomes::skippable;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::text::Wording;
use crate::syntax::StepKind;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Race { branches } = &placed.source.kind else { continue };
        for branch in branches {
            let first = branch.steps.first();
            let opens = first.is_some_and(|step| {
                let waits = match &step.kind {
                    StepKind::Wait { .. } | StepKind::Receive { .. } | StepKind::Task { .. } | StepKind::Job(_) => true,
                    StepKind::Call(call) => !call.detached,
                    // It is reported already.
                    StepKind::Unknown => true,
                    _ => false,
                };
                waits && !skippable(step, subject.document)
            });
            if opens || !subject.reading.flow() {
                continue;
            }
            let name = &branch.name.value;
            let span = first.map_or(branch.name.span, |step| step.id.as_ref().map_or(step.key, |id| id.span));
            let approves = first.is_some_and(|step| matches!(step.kind, StepKind::Approve { .. }));
            let message = match approves {
                true => Wording::new(
                    format!(
                        "`{name}` 这一路以 `approve` 开头：不同意会让整个案例结束，比不出先后。请改用 `task`，用 `outcomes` 写有哪些回答"
                    ),
                    format!(
                        "the branch `{name}` begins with an `approve`, whose `rejected` would end the case and not the race; ask with a `task`, and say with `outcomes` what it can be answered"
                    ),
                ),
                false => Wording::new(
                    format!(
                        "`{name}` 这一路一开始不等任何事，比赛还没开始它就赢了。第一步要是没有 `when` 的 `wait`、`receive`、`task`、`job` 或 `call`"
                    ),
                    format!(
                        "the branch `{name}` begins with nothing to wait for, so it would win at once; its first step has to be a `wait`, `receive`, `task`, `job` or `call` without `when`"
                    ),
                ),
            };
            diagnostics.push(Diagnostic::new(Code::RaceOpening, span, message).hint_if(first.is_none().then(|| {
                Wording::new(
                    format!("{name}: [{{ id: silence, wait: 10 working days }}]"),
                    format!("{name}: [{{ id: silence, wait: 10 working days }}]"),
                )
            })));
        }
    }
}
