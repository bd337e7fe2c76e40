//! Compensation: what was done is taken back where the case comes to no good end.
//!
//! ```text
//! a step with `undo` is done ─→ UndoNoted
//! rejected, withdrawn, cancelled, or an `end` with `undo: true`:
//!   nothing noted ─→ Ended
//!   else ─→ EndBegun (all that is open is closed) ─→ UndoBegun, newest first, one at a time ─→ … ─→ Ended
//! ```
//!
//! A case that is ending takes no other command but those that its compensation waits for, and a hand-over: who
//! is to take back what was done may have left.

use super::event::Event;
use super::run::Run;
use crate::model::control::Undo;
use crate::model::definition::outcome;
use crate::model::graph::{Node, On};
use crate::model::id::{Outcome, ScopeId, StepId, TokenId};
use std::sync::Arc;

/// Whether a step that came to this outcome is to be taken back some day.
pub(super) fn notes(run: &Run<'_>, step: &StepId, came_to: &Outcome) -> bool {
    const NOT_DONE: [&str; 5] =
        [outcome::REJECTED, outcome::RETURNED, outcome::FAILED, outcome::OVERDUE, outcome::CANCELLED];
    let has_undo = run.definition.steps.get(step).is_some_and(|step| step.undo == Undo::Steps);
    has_undo && run.state.ending.is_none() && !NOT_DONE.contains(&came_to.as_str())
}

/// Begins to end the case.
pub(super) fn begin(run: &mut Run<'_>, outcome: Outcome, reason: Option<Arc<str>>) {
    if run.state.undo.is_empty() {
        return run.end_now(outcome, reason);
    }
    run.close_everything();
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

fn next(run: &mut Run<'_>) {
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
