//! A case of `choose` that is never the first that holds: earlier ones hold for all of its values, or it has none.

use super::Subject;
use super::proof::Areas;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::cover::Answer;
use crate::model::definition::StepKind as Kind;
use crate::model::text::Wording;
use crate::syntax::StepKind;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Choose { cases, .. } = &placed.source.kind else { continue };
        let Some(Kind::Choose(formulas)) = subject.definition.steps.get(&placed.id).map(|step| &step.kind) else {
            continue;
        };
        // A condition with a fault is absent, and the numbers of the others would not fit.
        if formulas.len() < cases.len() {
            continue;
        }
        let Some(areas) = Areas::of_cases(subject, &placed.id, formulas) else { continue };
        for (number, case) in cases.iter().enumerate() {
            let own = areas.belonging(|case| case == number).filter(|area| !areas.cover.is_empty(*area));
            let own: Vec<usize> = own.collect();
            let never = own.is_empty();
            let covered = |area: &usize| areas.cover.covers(areas.belonging(|case| case < number), Some(*area));
            if !never && (number == 0 || !own.iter().all(|area| covered(area) == Answer::Proved)) {
                continue;
            }
            let at = case.when.as_ref().map_or(case.span, |when| when.span);
            let message = if never {
                Wording::new(
                    "这个条件永远不成立，这一支走不到。请改它，或删掉这一支",
                    "this condition never holds, so its steps are never reached; change it, or delete the case",
                )
            } else {
                Wording::new(
                    "这一支走不到：凡是它成立的时候，前面的条件已经成立。请往前移，或删掉它",
                    "this case is never taken: whenever it holds, an earlier one does; move it up, or delete it",
                )
            };
            diagnostics.push(Diagnostic::new(Code::ShadowedCase, at, message));
        }
    }
}
