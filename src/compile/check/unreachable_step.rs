//! A step that nothing leads to.

use super::{Subject, called, opened, step_of};
use crate::diagnostics::{Code, Diagnostic};
use crate::model::graph::Node;
use crate::model::id::StepId;
use crate::model::text::Wording;
use std::collections::BTreeSet;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !subject.reading.to_its_end() {
        return;
    }
    let graph = &opened::graph(subject);
    let mut reached: BTreeSet<&StepId> = graph.reachable().into_iter().filter_map(step_of).collect();
    // Where a `choose` lacks its way on, which is told, what comes behind it is reached once that is written.
    for found in diagnostics.iter().filter(|found| found.code == Code::MissingOtherwise) {
        for placed in subject.flow.steps.iter().filter(|placed| placed.source.key == found.span) {
            reached.extend(graph.from(&Node::Join(placed.id.clone())).into_iter().filter_map(step_of));
        }
    }
    let mut told: BTreeSet<&StepId> = BTreeSet::new();
    for placed in subject.flow.steps.iter().filter(|placed| !reached.contains(&placed.id)) {
        if told.contains(&placed.id) {
            continue;
        }
        // What only follows from an unreachable step is not told again.
        let mut queue = vec![&placed.id];
        while let Some(id) = queue.pop() {
            if told.insert(id) {
                for node in [Node::Step(id.clone()), Node::Join(id.clone())] {
                    queue.extend(graph.edges_from(&node).into_iter().filter_map(|(_, to)| step_of(to)));
                }
            }
        }
        let name = called(placed);
        diagnostics.push(
            Diagnostic::new(
                Code::UnreachableStep,
                super::at(placed),
                Wording::new(
                    format!("没有任何路走到 `{name}` 这一步。它前面的步骤都跳走了，或已经结束"),
                    format!("nothing leads to the step `{name}`: every step before it jumps away or ends the case"),
                ),
            )
            .hint(Wording::new(
                "请删掉这一步，或用 `on`、`go` 指到它",
                "delete the step, or lead to it with `on` or `go`",
            )),
        );
    }
}
