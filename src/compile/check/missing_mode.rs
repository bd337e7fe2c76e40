//! One expression that names several people, without a word on how many of them must agree.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::text::Wording;
use crate::model::value::Type;
use crate::syntax::StepKind;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let (StepKind::Approve { who } | StepKind::Task { who, .. }) = &placed.source.kind else { continue };
        // Several entries without a mode are reported where they are read.
        let ([entry], None) = (who.entries.as_slice(), who.mode) else { continue };
        let human = subject.definition.steps.get(&placed.id).and_then(|step| step.human());
        let several = human.is_some_and(|human| human.who.iter().any(|who| matches!(who.of.of, Type::List(_))));
        if several {
            diagnostics.push(
                Diagnostic::new(
                    Code::MissingMode,
                    entry.span,
                    Wording::new(
                        "这里会有几个签字人，要写 `mode`：`any` 任一人即可（或签），`all` 全部同意（会签）",
                        "this names several people, so it needs a `mode`: `any` if one answer is enough, `all` if everybody must agree",
                    ),
                )
                .hint(Wording::new("mode: all", "mode: all")),
            );
        }
    }
}
