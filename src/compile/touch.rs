//! What a step writes.

use crate::compile::lower::Flow;
use crate::diagnostics::Spanned;
use crate::model::id::FieldName;
use crate::syntax;

/// The fields that a step writes, and where that is written; not what is written in the lists that it holds.
pub(crate) fn writes(step: &syntax::Step) -> Vec<&Spanned<String>> {
    step.form.iter().map(|field| &field.name).chain(&step.edit).chain(written(step)).collect()
}

/// Whether a step writes a field without that anybody is asked.
pub(crate) fn sets(step: &syntax::Step, name: &str) -> bool {
    written(step).iter().any(|written| written.value == name)
}

fn written(step: &syntax::Step) -> Vec<&Spanned<String>> {
    use syntax::StepKind::{Call, Http, Job, Receive, Set, Table};
    match &step.kind {
        Set { values } => values.iter().map(|(name, _)| name).collect(),
        Table { take, .. } => take.iter().map(|(name, _)| name).collect(),
        Receive { take, .. } => take.iter().map(|(name, _)| name).collect(),
        Call(call) => call.take.iter().map(|(name, _)| name).collect(),
        Http(http) => http.take.iter().map(|(name, _)| name).collect(),
        Job(job) => job.take.iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}

/// Whether a step in the body of some `each` writes a column of that name.
pub(crate) fn written_in_rows(flow: &Flow<'_>, name: &FieldName) -> bool {
    let mut rows = flow.steps.iter().filter(|placed| flow.row_of(&placed.id).is_some());
    rows.any(|placed| writes(placed.source).iter().any(|written| written.value == name.as_str()))
}
