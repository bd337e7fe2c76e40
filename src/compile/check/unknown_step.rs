//! A jump to a step that is not there.

use super::Subject;
use crate::compile::lower::{Found, NEXT};
use crate::diagnostics::{Code, Diagnostic, Span, suggest};
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
        if is_end(name) {
            diagnostics.push(no_end(span, name));
            continue;
        }
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

/// Words by which an end of the case is meant, not a step.
const ENDS: [&str; 8] = ["end", "done", "stop", "finish", "rejected", "cancelled", "结束", "完成"];

/// Whether a name means an end of the case.
pub(super) fn is_end(name: &str) -> bool {
    ENDS.contains(&name)
}

fn no_end(span: Span, name: &str) -> Diagnostic {
    let as_what = if matches!(name, "end" | "stop" | "finish" | "结束") { "done" } else { name };
    Diagnostic::new(
        Code::UnknownStep,
        span,
        Wording::new(format!("没有叫 `{name}` 的步骤"), format!("there is no step `{name}`")),
    )
    .hint(Wording::new(
        format!("要在这里结束，请在最后加一个步骤 `{{ id: over, end: {as_what} }}`，这里写 `over`；不写 `on` 时，不同意的案例自己会结束"),
        format!("to end the case here, put a step `{{ id: over, end: {as_what} }}` last and write `over` here; without `on` a rejected case ends by itself"),
    ))
}
