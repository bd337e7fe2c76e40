//! Blocks: the lists of steps that a step holds, at work.
//!
//! ```text
//! step entered ─→ WaitBegun(Block), a ScopeOpened a branch or row, each with a token of its own
//! a token comes to the join ─→ ScopeClosed(done) ─┬─ the join is satisfied: the others are closed, the holder
//!                                                 │  goes on from the join
//!                                                 └─ not yet: the others go on
//! the holder or a token inside jumps out ─→ all of its scopes are closed
//! ```
//!
//! Closing a scope closes all that is in it, innermost first: tasks, timers, calls, nested blocks. So nothing of a
//! block outlives it, whichever way control leaves.

use super::columns;
use super::event::{Closed, Event, Trouble};
use super::human;
use super::run::Run;
use super::scope::{self, Place};
use super::state::{Owner, Row, Running, Waiting};
use super::step::trouble;
use super::{unasked, undo};
use crate::model::control::{Each, Join};
use crate::model::definition::{StepKind, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::{Outcome, ScopeId, StepId, TaskId, TokenId};
use crate::model::value::{Record, Value};
use std::sync::Arc;

/// The most rows of an `each`.
pub(super) const MOST_ROWS: usize = 1_000;

/// Opens a scope a branch, all at once.
pub(super) fn open_branches(run: &mut Run<'_>, holder: TokenId, id: &StepId) -> Result<(), Trouble> {
    human::wait(run, holder, id, Waiting::Block(Running::default()))?;
    let graph = &run.definition.graph;
    let edges = graph.edges_from(&Node::Step(id.clone()));
    let branches = edges.into_iter().filter_map(|(on, _)| match on {
        On::Branch(name) => Some(name.clone()),
        _ => None,
    });
    for (branch, block) in branches.zip(graph.blocks_of(id)) {
        let on = On::Branch(branch.clone());
        open(run, holder, id, block, Some(branch), None, on);
    }
    Ok(())
}

/// Opens the rows that can be at work: all of them, or the next one.
pub(super) fn open_rows(run: &mut Run<'_>, holder: TokenId, id: &StepId, each: &Each) {
    let Some(block) = run.definition.graph.blocks_of(id).first().copied() else { return };
    while let Some((number, columns)) = next_row(run, holder, each) {
        let row = Row { alias: each.alias.clone(), number, plain: each.plain, columns, steps: Default::default() };
        open(run, holder, id, block, None, Some(Box::new(row)), On::Row);
    }
}

fn next_row(run: &Run<'_>, holder: TokenId, each: &Each) -> Option<(u32, Record)> {
    let running = running(run, holder)?;
    let busy = running.opened > running.finished;
    let columns = running.rows.get(running.opened as usize)?;
    (!each.in_order || !busy).then(|| (running.opened, columns.clone()))
}

fn open(
    run: &mut Run<'_>,
    holder: TokenId,
    id: &StepId,
    block: u32,
    branch: Option<Arc<str>>,
    row: Option<Box<Row>>,
    on: On,
) {
    let (scope, token) = (ScopeId(run.state.next.scope), TokenId(run.state.next.token));
    run.emit(Event::ScopeOpened { scope, holder, block, branch, row, token });
    run.advance(token, Node::Step(id.clone()), on);
}

/// A token came to the join of the step that holds its scope.
pub(super) fn arrive(run: &mut Run<'_>, token: TokenId, id: &StepId) {
    let Some(number) = run.state.tokens.get(&token).map(|token| token.scope) else { return };
    let Some(scope) = run.state.scopes.get(&number) else { return };
    let (Some(holder), branch) = (scope.holder, scope.branch.clone()) else { return };
    if scope.row.is_some() {
        unasked::row_ends(run, token, id);
    }
    run.emit(Event::ScopeClosed { scope: number, done: true });
    let Some(step) = run.definition.steps.get(id) else { return };
    let done = running(run, holder).map_or(0, |running| running.done.len());
    let named = |branch: Option<Arc<str>>| branch.map_or_else(|| outcome::DONE.into(), |name| Outcome::from(&*name));
    match &step.kind {
        StepKind::Race | StepKind::Parallel(Join::Any) => finish(run, holder, id, named(branch)),
        StepKind::Parallel(Join::Count(count)) if done >= usize::from(*count) => {
            finish(run, holder, id, outcome::DONE.into());
        }
        StepKind::Each(each) => row_done(run, holder, id, each),
        _ if held(run, holder).is_empty() => finish(run, holder, id, outcome::DONE.into()),
        _ => {}
    }
}

fn row_done(run: &mut Run<'_>, holder: TokenId, id: &StepId, each: &Each) {
    let enough = match &each.until {
        Some(until) => match until_holds(run, holder, id, each, until) {
            Ok(enough) => enough,
            Err(what) => return run.emit(Event::IncidentRaised { token: holder, step: id.clone(), what }),
        },
        None => false,
    };
    let all = running(run, holder).is_none_or(|running| running.finished as usize >= running.rows.len());
    if enough || all {
        return close_rows(run, holder, id, each);
    }
    if each.in_order {
        open_rows(run, holder, id, each);
    }
}

fn until_holds(
    run: &Run<'_>,
    holder: TokenId,
    id: &StepId,
    each: &Each,
    until: &crate::model::formula::Formula,
) -> Result<bool, Trouble> {
    let Some(token) = run.state.tokens.get(&holder) else { return Ok(true) };
    let mut data = scope::data(&run.state, token.scope).into_owned();
    data.insert(each.list.clone(), Value::List(unasked::rows_of_this_walk(run, holder, id)));
    let place = Place::new(&run.state, token.scope);
    let value = place.evaluate(run.facts, run.now, until, &data).map_err(|failure| trouble("until", &failure))?;
    Ok(value == Value::Boolean(true))
}

/// The list as it is by now.
fn rows_so_far(run: &Run<'_>, holder: TokenId) -> Value {
    Value::List(columns::rows_by_now(&run.state, holder).unwrap_or_default())
}

/// Writes the list and goes on.
pub(super) fn close_rows(run: &mut Run<'_>, holder: TokenId, id: &StepId, each: &Each) {
    let list = Value::List(unasked::rows_of_this_walk(run, holder, id));
    close_all(run, holder);
    match run.set_at(holder, Record::from_iter([(each.list.clone(), list)])) {
        Ok(_) => finish(run, holder, id, outcome::DONE.into()),
        Err(computed) => {
            let what = trouble(computed.field.as_str(), &computed.failure);
            run.emit(Event::IncidentRaised { token: holder, step: id.clone(), what });
        }
    }
}

/// The block is over: what is still open in it is closed, and its holder goes on from the join.
fn finish(run: &mut Run<'_>, holder: TokenId, id: &StepId, outcome: Outcome) {
    for scope in held(run, holder) {
        unasked::outrun(run, scope);
    }
    close_all(run, holder);
    let late = run.token_is_late(holder);
    run.clear_timers(Owner::Token(holder));
    run.left(holder, id, outcome.clone(), Vec::new(), late);
    run.advance(holder, Node::Join(id.clone()), On::Outcome(outcome));
}

/// The first step of a branch of a race is done: the other branches are over.
pub(super) fn win(run: &mut Run<'_>, token: TokenId) {
    let Some(scope) = run.state.tokens.get(&token).map(|token| token.scope) else { return };
    let Some(holder) = run.state.scopes.get(&scope).and_then(|scope| scope.holder) else { return };
    let racing = |step: &StepId| matches!(run.definition.steps.get(step), Some(step) if step.kind == StepKind::Race);
    if run.state.tokens.get(&holder).and_then(|holder| holder.step.as_ref()).is_some_and(racing) {
        for other in held(run, holder).into_iter().filter(|other| *other != scope) {
            unasked::outrun(run, other);
            close_scope(run, other);
        }
    }
}

/// The token that has to move where `token` wants to come to a node of another block: itself, or the holder of the
/// block that it leaves with all that is in it.
pub(super) fn leave_for(run: &mut Run<'_>, token: TokenId, node: &Node) -> TokenId {
    let Some(target) = run.definition.graph.block_of(node) else { return token };
    let mut mover = token;
    while let Some(scope) = run.state.tokens.get(&mover).and_then(|token| run.state.scopes.get(&token.scope)) {
        let Some(holder) = scope.holder.filter(|_| !inside(run, scope.block, target)) else { break };
        let step = run.state.tokens.get(&holder).and_then(|holder| holder.step.clone());
        cancel(run, holder);
        if let Some(step) = step {
            run.left(holder, &step, outcome::CANCELLED.into(), Vec::new(), false);
        }
        mover = holder;
    }
    mover
}

/// Whether a node of block `target` lies in the scope whose block is `block`.
fn inside(run: &Run<'_>, block: u32, target: u32) -> bool {
    run.definition.graph.encloses(block, target)
}

/// Takes away all that a token waits for, as it leaves its step without it.
pub(super) fn cancel(run: &mut Run<'_>, token: TokenId) {
    undo::note_unsure(run, token);
    clear(run, token);
}

/// Takes away all that a token waits for: its tasks and timers, its call, the blocks that its step holds.
pub(super) fn clear(run: &mut Run<'_>, token: TokenId) {
    keep_rows(run, token);
    close_all(run, token);
    let tasks: Vec<TaskId> =
        run.state.tasks.iter().filter(|(_, task)| task.token == token).map(|(number, _)| *number).collect();
    for task in tasks {
        run.close_task(task, Closed::Cancelled);
    }
    run.clear_timers(Owner::Token(token));
    if let Some(Waiting::Call { child, .. }) = run.state.tokens.get(&token).and_then(|token| token.waits.as_ref()) {
        let child = *child;
        run.emit(Event::CallCancelled { child });
    }
}

/// Writes down what the rows of an `each` were asked by now, as it is left before its end: what people answered is not
/// lost. Where a field that is computed from the list cannot be computed so early, the list stays as it was.
fn keep_rows(run: &mut Run<'_>, holder: TokenId) {
    let step = run.state.tokens.get(&holder).and_then(|token| token.step.as_ref());
    let Some(StepKind::Each(each)) = step.and_then(|step| run.definition.steps.get(step)).map(|step| &step.kind) else {
        return;
    };
    let Some(running) = running(run, holder) else { return };
    let moved = |scope: &ScopeId| {
        let row = run.state.scopes.get(scope).and_then(|scope| scope.row.as_ref());
        row.is_some_and(|row| running.rows.get(row.number as usize) != Some(&row.columns))
    };
    if running.finished > 0 || held(run, holder).iter().any(moved) {
        let list = rows_so_far(run, holder);
        let _ = run.set_at(holder, Record::from_iter([(each.list.clone(), list)]));
    }
}

fn close_all(run: &mut Run<'_>, holder: TokenId) {
    for scope in held(run, holder) {
        close_scope(run, scope);
    }
}

/// Closes a scope that did not come to its end.
pub(super) fn close_scope(run: &mut Run<'_>, scope: ScopeId) {
    let tokens: Vec<TokenId> =
        run.state.tokens.iter().filter(|(_, token)| token.scope == scope).map(|(number, _)| *number).collect();
    for token in tokens {
        cancel(run, token);
    }
    run.emit(Event::ScopeClosed { scope, done: false });
}

/// The scopes that a token waits for.
fn held(run: &Run<'_>, holder: TokenId) -> Vec<ScopeId> {
    run.state.scopes.iter().filter(|(_, scope)| scope.holder == Some(holder)).map(|(number, _)| *number).collect()
}

fn running<'s>(run: &'s Run<'_>, holder: TokenId) -> Option<&'s Running> {
    match run.state.tokens.get(&holder)?.waits.as_ref()? {
        Waiting::Block(running) => Some(running),
        _ => None,
    }
}
