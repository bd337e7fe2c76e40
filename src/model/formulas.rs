//! Every formula of a step: what it reads follows from them.

use super::control::{Piece, Then};
use super::definition::{Step, StepKind};
use super::form::{FieldKind, Form};
use super::formula::Formula;

impl Step {
    /// Every formula of the step; not those of the lists that it holds.
    pub fn formulas(&self) -> Vec<&Formula> {
        let mut found: Vec<&Formula> = self.when.iter().chain(&self.due).collect();
        if let Some(overdue) = &self.overdue {
            found.extend(overdue.notify.iter().chain(&overdue.every));
            if let Some(Then::Reassign(who)) = &overdue.then {
                found.extend(who);
            }
        }
        match &self.kind {
            StepKind::Approve(human) | StepKind::Task(human) => {
                found.extend(human.who.iter().chain(&human.due).chain(&human.remind));
                found.extend(human.copy.values().flatten());
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
