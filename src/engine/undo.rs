//! Compensation: what was done is taken back where the case comes to no good end.
//!
//! ```text
//! a step with `undo` is done ─→ UndoNoted
//! rejected, withdrawn, cancelled, or an `end` with `undo: true`:
//!   nothing noted ─→ Ended
//!   else ─→ EndBegun (all that is open is closed) ─→ UndoBegun, newest first, one at a time ─→ … ─→ Ended
//! ```
//!
//! A call of another system, or a job, that nobody waits for any more may have been done all the same, so it is to be
//! taken back too (`unsure`). Nothing is taken back before its attempt has come to an end. Where taking it back
//! reads what the call was to take, nobody can: UndoLeft, and people are told to look. Where the other side refuses
//! for good to take back what may never have been done, that is no incident: there is nothing to take back.
//!
//! A case that is ending takes no other command but those that its compensation waits for, a hand-over, as who is to
//! take back what was done may have left, and what an operator does where it stops: try again, or pass it over with a
//! reason.

use super::block;
use super::event::{Event, Trouble};
use super::outside::{self, TAKING};
use super::run::Run;
use super::state::{Owner, TimerKind, Undoable, Waiting};
use crate::model::control::{Retry, Undo};
use crate::model::definition::{Definition, StepKind, outcome};
use crate::model::formula::{Expr, Formula, Op, Read};
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, Outcome, ScopeId, StepId, TokenId};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Whether a step that came to this outcome is to be taken back some day.
pub(super) fn notes(run: &Run<'_>, step: &StepId, came_to: &Outcome) -> bool {
    const NOT_DONE: [&str; 5] =
        [outcome::REJECTED, outcome::RETURNED, outcome::FAILED, outcome::OVERDUE, outcome::CANCELLED];
    has_undo(run, step) && !NOT_DONE.contains(&came_to.as_str())
}

/// Whether a step can be taken back: one that takes back cannot.
fn has_undo(run: &Run<'_>, step: &StepId) -> bool {
    run.state.ending.is_none() && run.definition.steps.get(step).is_some_and(|step| step.undo == Undo::Steps)
}

/// Begins to end the case.
pub(super) fn begin(run: &mut Run<'_>, outcome: Outcome, reason: Option<Arc<str>>) {
    run.close_everything();
    if run.state.undo.is_empty() {
        return run.end_now(outcome, reason);
    }
    run.emit(Event::EndBegun { outcome, reason });
    // How it ends is certain now; taking back may take days.
    run.tell_end();
    next(run);
}

/// The compensation of a step is done.
pub(super) fn done(run: &mut Run<'_>, token: TokenId) {
    let Some(scope) = run.state.tokens.get(&token).map(|token| token.scope) else { return };
    run.emit(Event::ScopeClosed { scope, done: true });
    next(run);
}

/// What was to take something back stopped for good: an operator passes it over, and the rest goes on.
pub(super) fn skip(run: &mut Run<'_>, token: TokenId, step: StepId, reason: Arc<str>) {
    block::clear(run, token);
    run.emit(Event::UndoSkipped { token, step: step.clone(), reason });
    let node = Node::Step(step);
    match run.definition.graph.next(&node, &On::Next) {
        Some(_) => run.advance(token, node, On::Next),
        None => done(run, token),
    }
}

/// Notes that what a token's call was to do may be done, where the token goes on without its result.
pub(super) fn note_unsure(run: &mut Run<'_>, token: TokenId) {
    let Some(at) = run.state.tokens.get(&token) else { return };
    let (Some(step), Some(waits)) = (&at.step, &at.waits) else { return };
    let (attempt, begins) = match waits {
        Waiting::Http { attempt, at, .. } | Waiting::Job { attempt, at, .. } => (*attempt, *at),
        _ => return,
    };
    let retried =
        run.definition.steps.get(step).and_then(|step| retry(&step.kind)).is_some_and(|retry| retry.times > 0);
    // The other side said no to the only attempt there was: nothing was done.
    if attempt == 1 && retried && matches!(&at.incident, Some(Trouble::Failed { place, .. }) if **place != *TAKING) {
        return;
    }
    let under_way = at.incident.is_none() && begins <= run.now;
    let until = if under_way { run.now + outside::lasts(waits) } else { run.now };
    note(run, token, until);
}

/// Notes that a call may have been done, which may be under way until then.
pub(super) fn note(run: &mut Run<'_>, token: TokenId, until: DateTime<Utc>) {
    let Some(step) = run.state.tokens.get(&token).and_then(|token| token.step.clone()) else { return };
    if has_undo(run, &step) {
        let row = run.row_of(token);
        run.emit(Event::UndoNoted { step, row, unsure: Some(until) });
    }
}

/// Whether a token takes something back that may never have been done.
pub(super) fn is_doubtful(run: &Run<'_>, token: TokenId) -> bool {
    let scope = run.state.tokens.get(&token).map(|token| token.scope);
    let doubtful = run.state.ending.as_ref().and_then(|ending| ending.doubtful);
    doubtful.is_some() && doubtful == scope
}

/// When a call or job may go out: while a case is ending, not beside one whose result nobody waits for.
pub(super) fn not_before(run: &Run<'_>) -> DateTime<Utc> {
    let quiet = run.state.ending.as_ref().and_then(|ending| ending.quiet);
    quiet.map_or(run.now, |quiet| quiet.max(run.now))
}

/// Whether a step that takes something back waits until no attempt can be under way any more. Calls and jobs are told
/// themselves when they may go out.
pub(super) fn waits_first(run: &mut Run<'_>, token: TokenId, kind: &StepKind) -> bool {
    let at = not_before(run);
    if at <= run.now || matches!(kind, StepKind::Http(_) | StepKind::Job(_)) {
        return false;
    }
    run.emit(Event::WaitBegun { token, waits: Box::new(Waiting::Time), due: None });
    run.set_timer(Owner::Token(token), TimerKind::Go, at);
    true
}

/// Whether taking back what was done so far reads a field.
pub(super) fn reads(run: &Run<'_>, name: &FieldName) -> bool {
    let steps = run.state.undo.iter().flat_map(|done| taking_back(run.definition, &done.step));
    steps.filter_map(|id| run.definition.steps.get(id)).any(|step| {
        let all = matches!(&step.kind, StepKind::Job(job) if job.with.is_empty());
        all || step.formulas().iter().any(|formula| formula.reads.contains(&Read::Field(name.clone())))
    })
}

fn next(run: &mut Run<'_>) {
    while let Some(unknown) =
        run.state.undo.last().filter(|newest| newest.unsure.is_some() && needs_result(run, newest))
    {
        let step = unknown.step.clone();
        run.emit(Event::UndoLeft { step });
    }
    let Some(step) = run.state.undo.last().map(|newest| newest.step.clone()) else {
        if let Some(ending) = run.state.ending.clone() {
            run.end_now(ending.outcome, ending.reason);
        }
        return;
    };
    let graph = &run.definition.graph;
    let first = graph.next(&Node::Step(step.clone()), &On::Undo);
    let block = first.and_then(|first| graph.block_of(first)).unwrap_or(0);
    let (scope, token) = (ScopeId(run.state.next.scope), TokenId(run.state.next.token));
    run.emit(Event::UndoBegun { step: step.clone(), scope, block, token });
    run.advance(token, Node::Step(step), On::Undo);
}

fn retry(kind: &StepKind) -> Option<&Retry> {
    match kind {
        StepKind::Http(http) => Some(&http.retry),
        StepKind::Job(job) => Some(&job.retry),
        _ => None,
    }
}

/// Whether what takes a call back reads what the call was to take.
fn needs_result(run: &Run<'_>, of: &Undoable) -> bool {
    let definition = run.definition;
    let taken: Vec<&FieldName> = match definition.steps.get(&of.step).map(|step| &step.kind) {
        Some(StepKind::Http(http)) => http.take.keys().collect(),
        Some(StepKind::Job(job)) => job.take.keys().collect(),
        _ => Vec::new(),
    };
    // A row stands under its name, unless it is a plain value: then what it takes stands beside it.
    let row = of.row.as_ref().filter(|row| !row.plain).map(|row| &row.alias);
    let needs = |formula: &&Formula| match row {
        Some(row) => reads_column(&formula.root, row, &taken),
        None => taken.iter().any(|name| formula.reads.contains(&Read::Field((*name).clone()))),
    };
    !taken.is_empty()
        && taking_back(definition, &of.step).into_iter().filter_map(|id| definition.steps.get(id)).any(|step| {
            // A job that is told nothing in particular gets every field.
            let all = matches!(&step.kind, StepKind::Job(job) if job.with.is_empty());
            all || step.formulas().iter().any(needs)
        })
}

/// The steps that take a step back.
fn taking_back<'a>(definition: &'a Definition, step: &StepId) -> Vec<&'a StepId> {
    let graph = &definition.graph;
    let first = graph.next(&Node::Step(step.clone()), &On::Undo);
    let Some(block) = first.and_then(|first| graph.block_of(first)) else { return Vec::new() };
    definition.steps.keys().filter(|id| graph.block_of(&Node::Step((*id).clone())) == Some(block)).collect()
}

fn reads_column(expr: &Expr, row: &FieldName, columns: &[&FieldName]) -> bool {
    match expr.op() {
        Op::Field(name) => name == row,
        Op::Path(of, column) if matches!(of.op(), Op::Field(name) if name == row) => columns.contains(&column),
        op => op.children().into_iter().any(|child| reads_column(child, row, columns)),
    }
}
