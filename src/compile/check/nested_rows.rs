//! An `each` in the body of another, which this version does not perform.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::text::Wording;
use crate::syntax::StepKind;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Each { .. } = &placed.source.kind else { continue };
        let Some(outer) = subject.flow.row_of(&placed.id) else { continue };
        let mut found = Diagnostic::new(
            Code::UnsupportedStep,
            placed.source.key,
            Wording::new(
                "这个版本还不支持 `each` 里再写 `each`",
                "an `each` inside an `each` is not supported in this version yet",
            ),
        )
        .hint(Wording::new(
            "里面这一层可以写成另一个流程，用 `call` 发起",
            "make a process of the inner one, and `call` it",
        ));
        if let Some(there) = subject.at(outer) {
            found = found.context(there, Wording::new("外面一层", "the outer one"));
        }
        diagnostics.push(found);
    }
}
