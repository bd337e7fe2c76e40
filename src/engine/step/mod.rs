//! What each kind of step does when a token enters it. One file a kind.

mod approve;
mod call;
mod choose;
mod each;
mod end;
mod http;
mod job;
mod notify;
mod parallel;
mod receive;
mod set;
pub(super) mod table;
mod task;
mod wait;

use super::event::{Event, Trouble};
use super::human;
use super::run::Run;
use super::unasked;
use super::undo;
use crate::expression::Failure;
use crate::model::definition::StepKind;
use crate::model::graph::On;
use crate::model::id::{StepId, TokenId};
use crate::model::value::Value;

/// How a token goes on from a step that it entered.
pub(super) enum Flow {
    /// At once, along this edge.
    Leave(On),
    /// At once, from where the step's blocks come together.
    Past(On),
    /// When what it waits for comes.
    Wait,
    /// Not until an operator helps.
    Stop(Trouble),
}

/// A token comes to a step: past it where `when` does not hold and nobody there waits to see it again, else into it.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId) -> Flow {
    let Some(step) = run.definition.steps.get(id) else {
        // A graph names only steps of its own definition.
        return Flow::Stop(Trouble::NeverWaits);
    };
    if let Some(when) = &step.when {
        match run.evaluate(token, when, None) {
            Ok(Value::Boolean(true)) => {}
            Ok(_) if step.human().is_some() && human::is_owed(run, token, id) => {}
            Ok(_) => {
                run.emit(Event::Skipped { token, step: id.clone() });
                unasked::passed(run, token, id);
                return Flow::Leave(On::Next);
            }
            Err(failure) => return Flow::Stop(trouble("when", &failure)),
        }
    }
    if let Some(lock) = step.lock.as_ref().filter(|lock| run.must_queue(lock, token)) {
        run.emit(Event::LockAwaited { token, step: id.clone(), lock: lock.clone() });
        return Flow::Wait;
    }
    run.emit(Event::Entered { token, step: id.clone() });
    if let Some(stage) = step.stage.as_ref().filter(|stage| run.state.stage.as_ref() != Some(*stage)) {
        run.emit(Event::StageReached { stage: stage.clone() });
    }
    if undo::waits_first(run, token, &step.kind) {
        return Flow::Wait;
    }
    match &step.kind {
        StepKind::Approve(human) => approve::enter(run, token, id, human),
        StepKind::Task(human) => task::enter(run, token, id, human),
        StepKind::Choose(cases) => choose::enter(run, token, id, cases),
        StepKind::Set(fields) => set::enter(run, token, id, fields),
        StepKind::Table(look_up) => table::enter(run, token, id, look_up),
        StepKind::Notify(notify) => notify::enter(run, token, id, notify),
        StepKind::End(outcome) => end::enter(run, token, id, outcome),
        StepKind::Parallel(_) | StepKind::Race => parallel::enter(run, token, id),
        StepKind::Each(each) => each::enter(run, token, id, each),
        StepKind::Call(call) => call::enter(run, token, id, call),
        StepKind::Wait(until) => wait::enter(run, token, id, until),
        StepKind::Receive(receive) => receive::enter(run, token, id, receive),
        StepKind::Http(http) => http::enter(run, token, id, http),
        StepKind::Job(job) => job::enter(run, token, id, job),
    }
}

/// An expression's failure, as an operator sees it.
pub(super) fn trouble(place: &str, failure: &Failure) -> Trouble {
    Trouble::Expression {
        place: place.into(),
        zh: failure.message.zh.as_str().into(),
        en: failure.message.en.as_str().into(),
    }
}
