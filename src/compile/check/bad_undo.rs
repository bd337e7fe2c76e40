//! An `undo` that holds what cannot be done when a case is ending, or a jump out of it.

use super::{Subject, kind_word};
use crate::compile::lower::Found;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::text::Wording;
use crate::syntax::{StepKind, Undo};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        if subject.flow.undo_of(&placed.id).is_none() {
            continue;
        }
        let fits = matches!(
            &placed.source.kind,
            StepKind::Http(_)
                | StepKind::Job(_)
                | StepKind::Notify { .. }
                | StepKind::Set { .. }
                | StepKind::Task { .. }
                | StepKind::Call(_)
                | StepKind::Unknown
        );
        if !fits {
            let name = kind_word(placed);
            diagnostics.push(Diagnostic::new(
                Code::BadUndo,
                placed.source.key,
                Wording::new(
                    format!("`undo` 里不能有 `{name}` 步骤：那时事情正在结束。可以写 `http`、`job`、`task`、`call`、`notify`、`set`"),
                    format!("`undo` cannot hold a step of kind `{name}`, as the case is ending then; it takes `http`, `job`, `task`, `call`, `notify` and `set`"),
                ),
            ));
        }
        if let Some(Undo::Steps(steps)) = &placed.source.undo {
            diagnostics.push(Diagnostic::new(
                Code::BadUndo,
                steps.value.first().map_or(steps.span, |step| step.key),
                Wording::new("`undo` 里的步骤自己不能再有 `undo`", "a step in an `undo` has no `undo` of its own"),
            ));
        }
    }
    for jump in subject.flow.jumps.iter().filter(|jump| jump.found == Found::Undo) {
        let name = &jump.target.name;
        diagnostics.push(Diagnostic::new(
            Code::BadUndo,
            jump.target.span,
            Wording::new(
                format!("不能在 `undo` 里外之间跳转，`{name}` 在另一边"),
                format!("nothing jumps into an `undo` or out of it, and `{name}` is on the other side"),
            ),
        ));
    }
}
