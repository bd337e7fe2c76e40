//! A branch that may be over at once, where not all branches are waited for: the others are then given up before
//! anybody has seen them, and an approval that everybody relies on never comes. And one that waits for the lock of so many
//! before it that none is waited for any more once it has it.

use super::Subject;
use crate::compile::waits::Idle;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::graph::{Node, On};
use crate::model::text::Wording;
use crate::syntax::{Branch, Join, StepKind};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let idle =
        Idle { document: subject.document, flow: subject.flow, definition: Some(subject.definition), at_once: None };
    for placed in &subject.flow.steps {
        let StepKind::Parallel { branches, join: Some(join) } = &placed.source.kind else { continue };
        if join.value == Join::All || !subject.flow_known_in(placed.source.span) {
            continue;
        }
        behind_one_lock(branches, join.value, diagnostics);
        let (holder, join) = (Node::Step(placed.id.clone()), Node::Join(placed.id.clone()));
        let over_at_once = |name: &str| {
            let first = subject.flow.graph.next(&holder, &On::Branch(name.into()));
            first.is_some_and(|first| idle.reaches(first, &join))
        };
        let (early, late): (Vec<_>, Vec<_>) =
            branches.iter().partition(|branch| over_at_once(branch.name.value.as_str()));
        // Where none waits for anybody, none is given up.
        if late.is_empty() {
            continue;
        }
        for branch in early {
            let name = &branch.name.value;
            diagnostics.push(
                Diagnostic::new(
                    Code::EarlyJoin,
                    branch.name.span,
                    Wording::new(
                        format!("`{name}` 这一路可能不等任何人就走完了，那时不等其他各路就往下走，它们全部取消"),
                        format!("the branch `{name}` may be over without anybody being waited for; the case then goes on and gives the other branches up"),
                    ),
                )
                .hint(Wording::new(
                    "都要办就写 `join: all`；否则让这一路至少等一步：去掉 `when`，或把条件放到 `parallel` 外面",
                    "where all of them are needed, write `join: all`; else let this branch wait for something: without its `when`, or with the condition outside of the `parallel`",
                )),
            );
        }
    }
}

/// Tells the branches that begin with a lock which so many before them hold to their ends that these are enough.
fn behind_one_lock(branches: &[Branch], join: Join, diagnostics: &mut Vec<Diagnostic>) {
    let enough = match join {
        Join::All => return,
        Join::Any => 1,
        Join::Count(count) => count as usize,
    };
    for (number, branch) in branches.iter().enumerate() {
        let Some(own) = branch.steps.first().and_then(|first| first.lock.as_ref()) else { continue };
        let held = branches.iter().take(number).filter_map(|other| match other.steps.as_slice() {
            [only] => only.lock.as_ref().filter(|lock| lock.value == own.value),
            _ => None,
        });
        let held: Vec<_> = held.collect();
        let Some(last) = enough.checked_sub(1).and_then(|last| held.get(last)) else { continue };
        let name = &branch.name.value;
        diagnostics.push(
            Diagnostic::new(
                Code::EarlyJoin,
                own.span,
                Wording::new(
                    format!("`{name}` 这一路要等前面的路让出锁，而那时 `join` 已经够了，`{name}` 永远轮不到"),
                    format!("the branch `{name}` waits until those before it give the lock back, and they are enough for the `join`: it is never asked"),
                ),
            )
            .context(last.span, Wording::new("同一把锁", "the same lock"))
            .hint(Wording::new("去掉一处 `lock`，或写 `join: all`", "take one `lock` away, or write `join: all`")),
        );
    }
}
