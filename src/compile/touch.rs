//! What a step writes.

use crate::compile::lower::Flow;
use crate::model::id::FieldName;
use crate::syntax;

/// The fields that a step writes, and where that is written; not what is written in the lists that it holds.
pub(crate) fn writes(step: &syntax::Step) -> Vec<&crate::diagnostics::Spanned<String>> {
    let mut found: Vec<_> = step.form.iter().map(|field| &field.name).chain(&step.edit).collect();
    match &step.kind {
        syntax::StepKind::Set { values } => found.extend(values.iter().map(|(name, _)| name)),
        syntax::StepKind::Table { take, .. } => found.extend(take.iter().map(|(name, _)| name)),
        syntax::StepKind::Receive { take, .. } => found.extend(take.iter().map(|(name, _)| name)),
        syntax::StepKind::Call(call) => found.extend(call.take.iter().map(|(name, _)| name)),
        syntax::StepKind::Http(http) => found.extend(http.take.iter().map(|(name, _)| name)),
        syntax::StepKind::Job(job) => found.extend(job.take.iter().map(|(name, _)| name)),
        _ => {}
    }
    found
}

/// Whether a step in the body of some `each` writes a column of that name.
pub(crate) fn written_in_rows(flow: &Flow<'_>, name: &FieldName) -> bool {
    let mut rows = flow.steps.iter().filter(|placed| flow.row_of(&placed.id).is_some());
    rows.any(|placed| writes(placed.source).iter().any(|written| written.value == name.as_str()))
}
