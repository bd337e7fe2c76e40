//! A `when` that always holds, or never, whatever the forms take: it was meant otherwise, or is of no use.
//!
//! What is known of fields where the step stands counts too: their limits and options, and what the conditions around
//! the step have proved.

use super::Subject;
use super::proof::Areas;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::cover::Answer;
use crate::expression::fixed;
use crate::model::definition::StepKind as Kind;
use crate::model::text::Wording;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let (Some(text), Some(step)) = (&placed.source.when, subject.definition.steps.get(&placed.id)) else {
            continue;
        };
        // A block with a `when` is guarded by a choice of one case.
        let when = match (&step.when, &step.kind) {
            (Some(when), _) => when,
            (None, Kind::Choose(cases)) if placed.part == crate::compile::lower::Part::Guard => {
                match cases.as_slice() {
                    [when] => when,
                    _ => continue,
                }
            }
            _ => continue,
        };
        // What is written as `true` or `false` is meant so.
        if fixed(when).is_some() {
            continue;
        }
        let Some(areas) = Areas::of_cases(subject, &placed.id, std::slice::from_ref(when)) else { continue };
        let never = areas.all.iter().enumerate().all(|(area, _)| areas.cover.is_empty(area));
        let always = || areas.cover.covers(areas.belonging(|_| true), None) == Answer::Proved;
        let (zh, en) = if never {
            (
                "这个条件永远不成立，这一步总是跳过。请改它，或删掉这一步",
                "this condition never holds, so the step is always passed; change it, or delete the step",
            )
        } else if always() {
            ("这个条件总是成立。请改它，或删掉 `when`", "this condition always holds; change it, or delete the `when`")
        } else {
            continue;
        };
        diagnostics.push(Diagnostic::new(Code::IdleCondition, text.span, Wording::new(zh, en)));
    }
}
