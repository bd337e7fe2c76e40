//! A position that may start the process, but that nobody holds.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::id::PositionId;
use crate::model::text::Wording;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !subject.world.people_known {
        return;
    }
    for entry in &subject.document.start {
        let position = PositionId::from(entry.text.trim());
        let known = subject.definition.start.contains(&position);
        if known && subject.world.directory.holders(&position).is_empty() {
            diagnostics.push(Diagnostic::new(
                Code::VacantStart,
                entry.span,
                Wording::new(
                    format!("没有人担任 `{position}`，所以现在没有人能以这个岗位发起"),
                    format!("nobody holds `{position}`, so nobody can start the process by it now"),
                ),
            ));
        }
    }
}
