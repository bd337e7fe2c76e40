//! A task gives an outcome of its own one of the names that mean something else.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::definition::outcome;
use crate::model::text::Wording;
use crate::syntax::StepKind;

const BUILT_IN: &[&str] = &[
    outcome::APPROVED,
    outcome::REJECTED,
    outcome::RETURNED,
    outcome::SKIPPED,
    outcome::WITHDRAWN,
    outcome::CANCELLED,
    outcome::REVISED,
];

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Task { outcomes, .. } = &placed.source.kind else { continue };
        for option in outcomes.iter().filter(|option| BUILT_IN.contains(&option.name.value.as_str())) {
            let name = &option.name.value;
            diagnostics.push(Diagnostic::new(
                Code::BuiltinOutcome,
                option.name.span,
                Wording::new(
                    format!("`{name}` 是系统自己的结果，任务的结果请换个名称。要人同意或驳回，请用 `approve` 步骤"),
                    format!("`{name}` is an outcome of the system's own; give the task's another name, or use an `approve` step where people say yes or no"),
                ),
            ));
        }
    }
}
