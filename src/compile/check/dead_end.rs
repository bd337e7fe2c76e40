//! A step from which no path leads to an end of the case.

use super::{Subject, called, endless_loop, opened, step_of};
use crate::diagnostics::{Code, Diagnostic};
use crate::model::graph::Node;
use crate::model::id::StepId;
use crate::model::text::Wording;
use crate::syntax::{Join, StepKind};
use std::collections::BTreeSet;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    // A circle that never waits is told by its own check and is why nothing ends.
    if !subject.reading.to_its_end() || !endless_loop::rings(subject).is_empty() {
        return;
    }
    let graph = &opened::graph(subject);
    let ending: BTreeSet<&StepId> = graph.finishing().into_iter().filter_map(step_of).collect();
    let reached: BTreeSet<&StepId> = graph.reachable().into_iter().filter_map(step_of).collect();
    let stuck = |id: &StepId| {
        reached.contains(id)
            && !ending.contains(id)
            && subject.flow.undo_of(id).is_none()
            && !free(subject, &ending, id)
    };
    // Steps that cannot end lead to each other: the first says it for all.
    let Some(first) = subject.flow.steps.iter().find(|placed| stuck(&placed.id)) else { return };
    let name = called(first);
    let mut found = Diagnostic::new(
        Code::DeadEnd,
        super::at(first),
        Wording::new(
            format!("从 `{name}` 开始，怎么走都到不了结束，这件事永远办不完"),
            format!("from `{name}` on no path leads to an end, so the case would never be over"),
        ),
    )
    .hint(Wording::new(
        "请让其中一步走到 `end`，或走到最后一步之后",
        "let one of these steps lead to an `end`, or past the last step",
    ));
    for other in subject.flow.steps.iter().filter(|placed| stuck(&placed.id) && placed.id != first.id).take(3) {
        found =
            found.context(super::at(other), Wording::new("这一步也走不出去", "there is no way out from here either"));
    }
    diagnostics.push(found);
}

/// Whether a step stands in a branch that need not come to its end, as its join is satisfied by others.
fn free(subject: &Subject<'_>, ending: &BTreeSet<&StepId>, id: &StepId) -> bool {
    subject.flow.steps.iter().any(|placed| {
        let some =
            matches!(&placed.source.kind, StepKind::Parallel { join: Some(join), .. } if join.value != Join::All);
        some && ending.contains(&placed.id) && subject.flow.branch_of(&Node::Step(id.clone()), &placed.id).is_some()
    })
}
