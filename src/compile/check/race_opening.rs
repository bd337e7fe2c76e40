//! A branch of a race that does not begin with something to wait for: it would win before the race has begun. And one
//! that begins with the lock of another: it would wait its turn until that one has won, and never be asked.

use super::Subject;
use crate::compile::outcomes::skippable;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::definition::outcome;
use crate::model::text::Wording;
use crate::syntax::{Branch, Step, StepKind};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Race { branches } = &placed.source.kind else { continue };
        one_lock(branches, diagnostics);
        if !subject.reading.flow_in(placed.source.span) {
            continue;
        }
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
            if opens {
                continue;
            }
            let name = &branch.name.value;
            let span = first.map_or(branch.name.span, |step| step.id.as_ref().map_or(step.key, |id| id.span));
            let approves = first.is_some_and(|step| matches!(step.kind, StepKind::Approve { .. }));
            let message = match first.filter(|_| approves) {
                Some(approval) => {
                    let then = rejected(approval);
                    Wording::new(
                        format!(
                            "`{name}` 这一路以 `approve` 开头：{}，比不出先后。请改用 `task`，用 `outcomes` 写有哪些回答",
                            then.zh
                        ),
                        format!(
                            "the branch `{name}` begins with an `approve`, whose `rejected` would {}; ask with a `task`, and say with `outcomes` what it can be answered",
                            then.en
                        ),
                    )
                }
                None => Wording::new(
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

/// Tells the branches that begin with the lock of one before them.
fn one_lock(branches: &[Branch], diagnostics: &mut Vec<Diagnostic>) {
    let lock = |branch: &'_ Branch| branch.steps.first().and_then(|first| first.lock.clone());
    for (number, branch) in branches.iter().enumerate() {
        let Some(own) = lock(branch) else { continue };
        let before = branches.iter().take(number).filter_map(|other| Some((&other.name.value, lock(other)?)));
        let Some((other, taken)) = before.into_iter().find(|(_, taken)| taken.value == own.value) else { continue };
        let name = &branch.name.value;
        diagnostics.push(
            Diagnostic::new(
                Code::RaceOpening,
                own.span,
                Wording::new(
                    format!(
                        "`{name}` 这一路要等 `{other}` 让出锁，而那时 `{other}` 已经赢了，`{name}` 永远轮不到。请去掉一处 `lock`，或改用 `parallel`"
                    ),
                    format!(
                        "the branch `{name}` waits until `{other}` gives the lock back, and has lost by then, so it is never asked; take one `lock` away, or use `parallel`"
                    ),
                ),
            )
            .context(taken.span, Wording::new("同一把锁", "the same lock")),
        );
    }
}

/// What becomes of the race where an approval is rejected.
fn rejected(approval: &Step) -> Wording {
    let led = approval.on.iter().find(|(name, _)| name.value == outcome::REJECTED);
    match led.map(|(_, target)| target.name.as_str()) {
        None => Wording::new("不同意会让整个案例结束", "end the case and not the race"),
        Some("next") => Wording::new("不同意也算这一路赢了", "win the race as `approved` does"),
        Some(step) => Wording::new(
            format!("不同意会转到 `{step}`，不管别的几路到了哪里"),
            format!("lead to `{step}`, however far the other branches are"),
        ),
    }
}
