//! The expressions of a step, as written.

use crate::compile::form;
use crate::syntax::{FeelText, Piece, Step, StepKind, Then};

/// Every expression of a step itself, not of the lists in it.
pub(crate) fn expressions(step: &Step) -> Vec<&FeelText> {
    let mut found: Vec<&FeelText> = step.when.iter().chain(&step.due).chain(&step.remind).collect();
    if let Some(overdue) = &step.overdue {
        found.extend(overdue.notify.iter().chain(&overdue.every));
        if let Some(Then::Reassign(who)) = &overdue.then {
            found.extend(who);
        }
    }
    match &step.kind {
        StepKind::Approve { who } | StepKind::Task { who, .. } | StepKind::Notify { who, .. } => {
            found.extend(&who.entries);
        }
        StepKind::Choose { cases, .. } => found.extend(cases.iter().filter_map(|case| case.when.as_ref())),
        StepKind::Set { values } => found.extend(values.iter().map(|(_, text)| text)),
        StepKind::Table { with, take, .. } => found.extend(with.iter().chain(take).map(|(_, text)| text)),
        StepKind::Each { rows, until, .. } => found.extend(std::iter::once(rows).chain(until)),
        StepKind::Wait { until } => found.push(until),
        StepKind::Receive { key, .. } => found.extend(key),
        // `take` reads the fields of the other process.
        StepKind::Call(call) => found.extend(call.by.iter().chain(call.with.iter().map(|(_, text)| text))),
        StepKind::Http(http) => {
            let headers = http.headers.iter().flat_map(|(_, pieces)| pieces);
            found.extend(http.url.iter().chain(headers).filter_map(|piece| match piece {
                Piece::Value(text) => Some(text),
                Piece::Text(_) | Piece::Secret(_) => None,
            }));
            found.extend(http.body.iter().map(|(_, text)| text));
        }
        StepKind::Job(job) => found.extend(job.with.iter().map(|(_, text)| text)),
        StepKind::Parallel { .. }
        | StepKind::Race { .. }
        | StepKind::Go { .. }
        | StepKind::End { .. }
        | StepKind::Unknown => {}
    }
    form::expressions(&step.form, &mut found);
    found
}
