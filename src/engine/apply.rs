//! The fold: what each event makes of the state. Nothing is decided here.

use super::BrokenLog;
use super::command::{Actor, Command};
use super::event::{Closed, Entry, Event, OpenedTask};
use super::state::{Answer, Assignment, ClosedTask, Ended, Next, Scope, State, StepResult, Task, Timer, Token};
use crate::model::definition::outcome;
use crate::model::id::{Outcome, ScopeId, TaskId, TokenId};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Folds one entry of the log; `None` is the state before the first.
///
/// # Errors
/// [`BrokenLog`] where the entry cannot follow the state: it was not written by `decide`.
pub fn apply(state: Option<State>, entry: &Entry) -> Result<State, BrokenLog> {
    let mut events = entry.events.iter();
    let mut state = match state {
        Some(state) => state,
        None => begin(events.next().ok_or(BrokenLog)?, entry.at, &entry.command).ok_or(BrokenLog)?,
    };
    if state.revision + 1 != entry.revision {
        return Err(BrokenLog);
    }
    for event in events {
        step(&mut state, entry.at, event).ok_or(BrokenLog)?;
    }
    state.revision = entry.revision;
    state.at = entry.at;
    Ok(state)
}

/// The state after the first event of an instance; `None` for any event but `Started`.
pub(super) fn begin(event: &Event, at: DateTime<Utc>, command: &Command) -> Option<State> {
    let Event::Started { instance, process, version, number, title, applicant, data, key, headline } = event else {
        return None;
    };
    let starter = match &command.actor {
        Actor::Person { id, .. } => id.clone(),
        _ => applicant.clone(),
    };
    Some(State {
        id: *instance,
        process: process.clone(),
        version: version.clone(),
        number: number.clone(),
        title: title.clone(),
        applicant: applicant.clone(),
        starter,
        started_at: at,
        revision: 0,
        at,
        key: key.clone(),
        headline: headline.clone(),
        data: data.clone(),
        ended: None,
        scopes: BTreeMap::from([(ScopeId(0), Scope { parent: None, block: 0 })]),
        tokens: BTreeMap::from([(TokenId(0), Token { scope: ScopeId(0), step: None, incident: None })]),
        tasks: BTreeMap::new(),
        closed: BTreeMap::new(),
        timers: BTreeMap::new(),
        steps: BTreeMap::new(),
        next: Next { token: 1, scope: 1, ..Next::default() },
    })
}

/// Folds one event; `None` where it names something that is not there.
pub(super) fn step(state: &mut State, at: DateTime<Utc>, event: &Event) -> Option<()> {
    match event {
        Event::Started { .. } => return None,
        Event::Entered { token, step } => {
            let token = state.tokens.get_mut(token)?;
            token.step = Some(step.clone());
            token.incident = None;
        }
        Event::Skipped { step, .. } => {
            let outcome = Outcome::from(outcome::SKIPPED);
            state.steps.insert(step.clone(), StepResult { outcome, by: Vec::new(), at, late: false });
        }
        Event::Left { step, outcome, by, late, .. } => {
            let result = StepResult { outcome: outcome.clone(), by: by.clone(), at, late: *late };
            state.steps.insert(step.clone(), result);
        }
        Event::DataSet { values } => {
            for (name, value) in values {
                state.data.insert(name.clone(), value.clone());
            }
        }
        Event::Summarised { key, headline } => {
            state.key.clone_from(key);
            state.headline.clone_from(headline);
        }
        Event::TaskOpened { task, opened } => {
            state.next.task = state.next.task.max(task.0 + 1);
            state.tasks.insert(*task, open(opened, at));
        }
        Event::Answered { task, assignment, seat, outcome, opinion, via, seen: _ } => {
            let task = state.tasks.get_mut(task)?;
            let index = task.assignments.iter().position(|open| open.id == *assignment)?;
            let Assignment { id, person, stands_in_for, .. } = task.assignments.remove(index);
            *task.seats.get_mut(usize::from(*seat))? = Some(id);
            let seats = &task.seats;
            // Whoever could only have filled seats that are filled now is no longer asked.
            task.assignments.retain(|open| {
                open.seats.iter().any(|seat| seats.get(usize::from(*seat)).is_some_and(Option::is_none))
            });
            task.answers.push(Answer {
                assignment: id,
                person,
                stands_in_for,
                outcome: outcome.clone(),
                opinion: opinion.clone(),
                via: via.clone(),
                at,
            });
        }
        Event::TaskParked { task } => {
            let task = state.tasks.get_mut(task)?;
            task.parked = true;
            task.assignments.clear();
        }
        Event::TaskClosed { task, how } => close(state, *task, how, at)?,
        Event::TimerSet { timer, task, kind, at } => {
            state.next.timer = state.next.timer.max(timer.0 + 1);
            state.timers.insert(*timer, Timer { task: *task, kind: *kind, at: *at });
        }
        Event::TimerFired { timer } | Event::TimerCleared { timer } => {
            state.timers.remove(timer)?;
        }
        Event::Commented { .. } => {}
        Event::MailQueued { mail, .. } => state.next.mail = state.next.mail.max(mail.0 + 1),
        Event::IncidentRaised { token, step, what } => {
            let token = state.tokens.get_mut(token)?;
            token.step = Some(step.clone());
            token.incident = Some(what.clone());
        }
        Event::Ended { outcome, .. } => {
            state.ended = Some(Ended { outcome: outcome.clone(), at });
            state.tokens.clear();
            state.scopes.clear();
            state.timers.clear();
        }
    }
    Some(())
}

fn open(opened: &OpenedTask, at: DateTime<Utc>) -> Task {
    Task {
        token: opened.token,
        step: opened.step.clone(),
        kind: opened.kind,
        round: opened.round,
        mode: opened.mode,
        seats: vec![None; usize::from(opened.seats)],
        assignments: opened
            .assignments
            .iter()
            .map(|new| Assignment {
                id: new.id,
                person: new.person.clone(),
                seats: new.seats.clone(),
                stands_in_for: new.stands_in_for.clone(),
                nonce: new.nonce,
            })
            .collect(),
        opened_at: at,
        due: opened.due,
        parked: false,
        answers: Vec::new(),
    }
}

fn close(state: &mut State, number: TaskId, how: &Closed, at: DateTime<Utc>) -> Option<()> {
    let Task { step, kind, answers, .. } = state.tasks.remove(&number)?;
    state.closed.insert(number, ClosedTask { step, kind, how: how.clone(), at, answers });
    Some(())
}
