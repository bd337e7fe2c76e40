//! A jump to a step that is not there.

use super::Subject;
use crate::compile::lower::{Found, NEXT};
use crate::diagnostics::{Code, Diagnostic, suggest};
use crate::model::text::Wording;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let known: Vec<&str> =
        subject.flow.steps.iter().filter_map(|placed| placed.source.id.as_ref()).map(|id| id.value.as_str()).collect();
    for jump in subject.flow.jumps.iter().filter(|jump| jump.found == Found::Nothing) {
        // A step that could not be read may be the one that is meant.
        if subject.unread.may_declare(&jump.target.name) {
            continue;
        }
        let (name, span) = (&jump.target.name, jump.target.span);
        diagnostics.push(match suggest::closest(name, known.iter().copied().chain([NEXT])) {
            Some(close) => Diagnostic::new(
                Code::UnknownStep,
                span,
                Wording::new(
                    format!("没有叫 `{name}` 的步骤，是不是 `{close}`？"),
                    format!("there is no step `{name}`; did you mean `{close}`?"),
                ),
            )
            .fix_word(span, close),
            None => Diagnostic::new(
                Code::UnknownStep,
                span,
                Wording::new(
                    format!("没有叫 `{name}` 的步骤。请写一个步骤的 `id`，或 `next`"),
                    format!("there is no step `{name}`; write the `id` of a step, or `next`"),
                ),
            ),
        });
    }
}
