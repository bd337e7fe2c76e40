//! What was filled in on an earlier walk, where this one does not ask for it.
//!
//! A case may come to a step again: somebody went back, or a revision did. Until then the step's form keeps what was
//! answered, as a proposal. Where the step is then passed by, rejected or left without an answer, its form is as unset
//! as it would be in a case that comes there for the first time, so that what reads it decides alike in both. Fields
//! that a step only asks again (`edit`) are of another step and stay.
//!
//! What taking something back reads stays as it was. Where a field that is computed cannot be computed without the
//! values, they stay too: that a first walk can do without is proved of what it reads.

use super::form::empty;
use super::run::Run;
use super::state::{Owner, TaskKind};
use super::{columns, scope, undo};
use crate::model::control::Each;
use crate::model::definition::{Definition, StepKind};
use crate::model::form::Form;
use crate::model::graph::Node;
use crate::model::id::{ScopeId, StepId, TokenId};
use crate::model::value::{Record, Value};

/// A step is left without its form: rejected, sent back, decided by time, or with nobody to ask.
pub(super) fn left(run: &mut Run<'_>, token: TokenId, id: &StepId) {
    unset(run, token, std::slice::from_ref(id));
}

/// A step is passed by, with all that it holds.
pub(super) fn passed(run: &mut Run<'_>, token: TokenId, id: &StepId) {
    let definition = run.definition;
    let mut steps = vec![id.clone()];
    for block in definition.graph.blocks_of(id) {
        steps.extend(inside(definition, block).cloned());
    }
    unset(run, token, &steps);
}

/// A choice was made: the steps of its other cases are passed by.
pub(super) fn not_chosen(run: &mut Run<'_>, token: TokenId, id: &StepId, to: Option<&Node>) {
    let definition = run.definition;
    let graph = &definition.graph;
    let taken = to.and_then(|node| graph.block_of(node));
    let others = graph.blocks_of(id).into_iter().filter(|block| Some(*block) != taken);
    let steps: Vec<StepId> = others.flat_map(|block| inside(definition, block).cloned()).collect();
    unset(run, token, &steps);
}

/// A branch or row is closed as others came first: who is asked in it has not answered.
pub(super) fn outrun(run: &mut Run<'_>, scope: ScopeId) {
    let within = |token: TokenId| {
        let mut at = Some(run.scope_of(token));
        while at.is_some_and(|here| here != scope) {
            at = at.and_then(|here| run.state.scopes.get(&here)?.parent);
        }
        at.is_some()
    };
    let asked = run.state.tasks.values().filter(|task| matches!(task.kind, TaskKind::Approve | TaskKind::Work));
    let open: Vec<(TokenId, StepId)> =
        asked.filter(|task| within(task.token)).map(|task| (task.token, task.step.clone())).collect();
    for (token, step) in open {
        left(run, token, &step);
    }
}

/// A row came to its end: what it was not asked on its way is none of its answers.
pub(super) fn row_ends(run: &mut Run<'_>, token: TokenId, each: &StepId) {
    let Some(row) = scope::row_scope(&run.state, run.scope_of(token)) else { return };
    let Some(passed) = run.state.scopes.get(&row).and_then(|scope| scope.row.as_ref()).map(|row| &row.steps) else {
        return;
    };
    let definition = run.definition;
    let Some(body) = definition.graph.blocks_of(each).first().copied() else { return };
    let steps: Vec<StepId> = inside(definition, body).filter(|step| !passed.contains_key(*step)).cloned().collect();
    unset(run, token, &steps);
}

/// The rows of an `each` as they are by now, with nothing in them that they were not asked on this walk.
pub(super) fn rows_of_this_walk(run: &Run<'_>, holder: TokenId, each: &StepId) -> Vec<Value> {
    let mut rows = columns::rows_by_now(&run.state, holder).unwrap_or_default();
    let definition = run.definition;
    let Some(body) = definition.graph.blocks_of(each).first().copied() else { return rows };
    let opened = columns::opened(&run.state, holder);
    for (number, row) in rows.iter_mut().enumerate() {
        let here = |scope: &&super::state::Scope| {
            scope.holder == Some(holder) && scope.row.as_ref().is_some_and(|row| row.number as usize == number)
        };
        let at_work = run.state.scopes.values().find(here).and_then(|scope| scope.row.as_ref());
        // A row that is done was settled as it ended.
        if at_work.is_none() && number < opened {
            continue;
        }
        for step in inside(definition, body).filter(|step| !at_work.is_some_and(|row| row.steps.contains_key(*step))) {
            if let (Some(form), Value::Record(row)) = (form(definition, step), &mut *row) {
                clear(form, row);
            }
        }
    }
    rows
}

/// The token whose step is overdue leaves it unanswered.
pub(super) fn overdue(run: &mut Run<'_>, of: Owner, token: TokenId, id: &StepId) {
    if matches!(of, Owner::Task(_)) {
        left(run, token, id);
    }
}

fn unset(run: &mut Run<'_>, token: TokenId, steps: &[StepId]) {
    let definition = run.definition;
    if run.state.ending.is_some() || steps.iter().all(|step| form(definition, step).is_none()) {
        return;
    }
    let row = scope::row_scope(&run.state, run.scope_of(token));
    let columns = row.and_then(|row| run.state.scopes.get(&row)?.row.as_ref()).map(|row| &row.columns);
    let current = columns.unwrap_or(&run.state.data);
    let mut values = Record::new();
    for step in steps {
        let Some(form) = form(definition, step) else { continue };
        match each_around(definition, step).filter(|_| row.is_none()) {
            Some(each) => {
                let Some(Value::List(rows)) = values.get(&each.list).or_else(|| current.get(&each.list)) else {
                    continue;
                };
                let mut rows = rows.clone();
                for row in &mut rows {
                    if let Value::Record(row) = row {
                        clear(form, row);
                    }
                }
                values.insert(each.list.clone(), Value::List(rows));
            }
            None => values.extend(form.iter().map(|(name, field)| (name.clone(), empty(field)))),
        }
    }
    values.retain(|name, value| current.get(name).is_some_and(|known| known != value) && !undo::reads(run, name));
    if !values.is_empty() {
        let _ = run.set_leaving(token, values, steps);
    }
}

fn clear(form: &Form, row: &mut Record) {
    for (name, field) in form {
        if let Some(known) = row.get_mut(name) {
            *known = empty(field);
        }
    }
}

fn form<'a>(definition: &'a Definition, step: &StepId) -> Option<&'a Form> {
    definition.steps.get(step)?.human().map(|human| &human.form).filter(|form| !form.is_empty())
}

/// The steps of a list and of those that they hold.
fn inside(definition: &Definition, block: u32) -> impl Iterator<Item = &StepId> {
    let graph = &definition.graph;
    let within = move |step: &&StepId| {
        graph.block_of(&Node::Step((*step).clone())).is_some_and(|inner| graph.encloses(block, inner))
    };
    definition.steps.keys().filter(within)
}

/// The `each` whose body a step is in.
fn each_around<'a>(definition: &'a Definition, step: &StepId) -> Option<&'a Each> {
    let mut at = definition.graph.block_of(&Node::Step(step.clone()))?;
    loop {
        let block = definition.graph.block_at(at)?;
        if let Some(StepKind::Each(each)) = block.of.as_ref().and_then(|of| definition.steps.get(of)).map(|of| &of.kind)
        {
            return Some(each);
        }
        at = block.parent?;
    }
}
