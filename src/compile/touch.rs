//! What a step reads and writes.

use crate::model::control::{Piece, Then};
use crate::model::definition::{Step, StepKind};
use crate::model::form::{FieldKind, Form};
use crate::model::formula::Formula;
use crate::syntax;

/// Every formula of a step.
pub(crate) fn formulas(step: &Step) -> Vec<&Formula> {
    let mut found: Vec<&Formula> = step.when.iter().chain(&step.due).collect();
    if let Some(overdue) = &step.overdue {
        found.extend(overdue.notify.iter().chain(&overdue.every));
        if let Some(Then::Reassign(who)) = &overdue.then {
            found.extend(who);
        }
    }
    match &step.kind {
        StepKind::Approve(human) | StepKind::Task(human) => {
            found.extend(human.who.iter().chain(&human.due).chain(&human.remind).chain(human.copy.values().flatten()));
            of_form(&human.form, &mut found);
        }
        StepKind::Choose(cases) => found.extend(cases),
        StepKind::Set(values) => found.extend(values.values()),
        StepKind::Table(look_up) => found.extend(look_up.with.values()),
        StepKind::Notify(notify) => found.extend(&notify.who),
        StepKind::Each(each) => found.extend(std::iter::once(&each.rows).chain(&each.until)),
        StepKind::Call(call) => found.extend(call.by.iter().chain(call.with.values())),
        StepKind::Wait(until) => found.push(until),
        StepKind::Receive(receive) => found.extend(&receive.key),
        StepKind::Http(http) => {
            let pieces = http.url.iter().chain(http.headers.values().flatten());
            found.extend(pieces.filter_map(|piece| match piece {
                Piece::Value(formula) => Some(formula),
                Piece::Text(_) | Piece::Secret(_) => None,
            }));
            found.extend(http.body.values());
        }
        StepKind::Job(job) => found.extend(job.with.values()),
        StepKind::End(_) | StepKind::Parallel(_) | StepKind::Race => {}
    }
    found
}

fn of_form<'f>(form: &'f Form, found: &mut Vec<&'f Formula>) {
    for field in form.values() {
        let own = [&field.when, &field.default, &field.value, &field.min, &field.max];
        found.extend(own.into_iter().flatten());
        found.extend(field.check.as_ref().map(|check| &check.that));
        match &field.kind {
            FieldKind::Person(among) => found.extend(among),
            FieldKind::List(columns) => of_form(columns, found),
            _ => {}
        }
    }
}

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
