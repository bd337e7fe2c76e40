//! A position that nobody holds and that nothing names.
//!
//! Expressions are searched as text: a word that only looks like the name spares a position, and never the reverse.

use super::Folder;
use crate::diagnostics::{Code, Diagnostic, Sources};
use crate::model::definition::{Definition, Step};
use crate::model::formula::Formula;
use crate::model::id::PositionId;
use crate::model::metric::{Metric, Source};
use crate::model::text::Wording;

pub(super) fn check(folder: &Folder<'_>, _: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    // A directory without processes is one that others use.
    if folder.definitions.is_empty() {
        return;
    }
    let directory = folder.directory;
    let held = |position: &PositionId| directory.people.values().any(|person| person.positions.contains(position));
    let above = |position: &PositionId| {
        directory.positions.values().any(|other| other.reports_to.as_ref() == Some(position))
            || directory.departments.values().any(|department| department.head.as_ref() == Some(position))
    };
    for written in folder.positions {
        let position = PositionId::from(written.name.value.as_str());
        let counted = || folder.metrics.iter().flat_map(Metric::sources).flat_map(Source::formulas);
        let named = || {
            folder.definitions.iter().any(|definition| names(definition, &position))
                || counted().any(|formula| formula.text.contains(position.as_str()))
        };
        if held(&position) || above(&position) || named() {
            continue;
        }
        diagnostics.push(Diagnostic::new(
            Code::UnusedPosition,
            written.name.span,
            Wording::new(
                format!("没有人担任 `{position}`，也没有流程提到它。请给它安排人，或删掉它"),
                format!("nobody holds `{position}` and no process names it; give it to somebody, or delete it"),
            ),
        ));
    }
}

fn names(definition: &Definition, position: &PositionId) -> bool {
    let says = |formula: &Formula| formula.text.contains(position.as_str());
    let cells = definition.tables.values().flat_map(|table| &table.rules);
    let forms = [&definition.form, &definition.data];
    definition.start.contains(position)
        || definition.schedule.iter().flat_map(|schedule| &schedule.by).any(says)
        || definition.steps.values().flat_map(Step::formulas).any(says)
        || forms.into_iter().flat_map(super::unused_field::of_form).any(says)
        || cells.flat_map(|rule| rule.when.values().chain(rule.then.values())).any(says)
}
