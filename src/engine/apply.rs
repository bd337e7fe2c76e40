//! The fold: what each event makes of the state. Nothing is decided here.

use super::BrokenLog;
use super::command::{Actor, Command};
use super::event::{Closed, Entry, Event, OpenedAssignment, OpenedTask};
use super::handover::replaced;
use super::scope;
use super::state::{
    Answer, Assignment, ClosedTask, Ended, Ending, Next, Scope, State, StepResult, Task, Timer, Token, Undoable,
    Waiting,
};
use crate::model::definition::outcome;
use crate::model::id::{Outcome, ScopeId, StepId, TaskId, TokenId};
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
    let Event::Started { instance, process, version, number, title, applicant, data, key, headline, caller } = event
    else {
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
        scopes: BTreeMap::from([(ScopeId(0), Scope::root())]),
        tokens: BTreeMap::from([(TokenId(0), Token::new(ScopeId(0)))]),
        tasks: BTreeMap::new(),
        closed: BTreeMap::new(),
        timers: BTreeMap::new(),
        steps: BTreeMap::new(),
        next: Next { token: 1, scope: 1, ..Next::default() },
        caller: caller.clone(),
        stage: None,
        undo: Vec::new(),
        ending: None,
        handed: BTreeMap::new(),
    })
}

/// Folds one event; `None` where it names something that is not there.
pub(super) fn step(state: &mut State, at: DateTime<Utc>, event: &Event) -> Option<()> {
    match event {
        Event::Started { .. } => return None,
        Event::Entered { token, step } => {
            let token = state.tokens.get_mut(token)?;
            *token = Token { step: Some(step.clone()), ..Token::new(token.scope) };
        }
        Event::Skipped { token, step } => {
            let outcome = Outcome::from(outcome::SKIPPED);
            note(state, *token, step, StepResult { outcome, by: Vec::new(), at, late: false });
        }
        Event::Left { token, step, outcome, by, late } => {
            let result = StepResult { outcome: outcome.clone(), by: by.clone(), at, late: *late };
            note(state, *token, step, result);
            if let Some(token) = state.tokens.get_mut(token) {
                token.waits = None;
                token.due = None;
            }
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
            let Assignment { id, person, stands_in_for, seats, .. } = task.assignments.remove(index);
            *task.seats.get_mut(usize::from(*seat))? = Some(id);
            // Who took over from several signs once for all of them.
            let left = |seat: &u16| !task.assignments.iter().any(|open| open.seats.contains(seat));
            for seat in seats.into_iter().filter(left) {
                task.seats.get_mut(usize::from(seat))?.get_or_insert(id);
            }
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
        Event::TimerSet { timer, of, kind, at } => {
            state.next.timer = state.next.timer.max(timer.0 + 1);
            state.timers.insert(*timer, Timer { of: *of, kind: *kind, at: *at });
        }
        Event::TimerFired { timer } | Event::TimerCleared { timer } => {
            state.timers.remove(timer)?;
        }
        Event::LockAwaited { token, step, lock } => {
            let since = state.revision;
            let token = state.tokens.get_mut(token)?;
            let waits = Some(Waiting::Lock { name: lock.clone(), since });
            *token = Token { step: Some(step.clone()), waits, ..Token::new(token.scope) };
        }
        Event::WaitBegun { token, waits, due } => {
            let token = state.tokens.get_mut(token)?;
            token.waits = Some((**waits).clone());
            token.due = *due;
        }
        Event::Postponed { token, attempt, at, .. } => match state.tokens.get_mut(token)?.waits.as_mut()? {
            Waiting::Http { attempt: tried, at: next, .. } | Waiting::Job { attempt: tried, at: next, .. } => {
                *tried = *attempt;
                *next = *at;
            }
            _ => return None,
        },
        Event::ScopeOpened { scope, holder, block, branch, row, token } => {
            let waiting = state.tokens.get_mut(holder)?;
            if let (Some(Waiting::Block(running)), true) = (waiting.waits.as_mut(), row.is_some()) {
                running.opened += 1;
            }
            let opened = Scope {
                parent: Some(waiting.scope),
                block: *block,
                holder: Some(*holder),
                branch: branch.clone(),
                row: row.as_deref().cloned(),
            };
            begin_scope(state, *scope, opened, *token);
        }
        Event::ScopeClosed { scope, done } => close_scope(state, *scope, *done)?,
        Event::RowSet { scope, values } => {
            let row = state.scopes.get_mut(scope)?.row.as_mut()?;
            row.columns.extend(values.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        Event::Reassigned { task, from, to } => {
            let task = state.tasks.get_mut(task)?;
            let index = task.assignments.iter().position(|open| open.id == *from)?;
            task.assignments.remove(index);
            for new in to {
                match task.assignments.iter_mut().find(|open| open.id == new.id) {
                    Some(known) => known.seats.clone_from(&new.seats),
                    None => task.assignments.push(assignment(new)),
                }
            }
        }
        Event::HandedOver { from, to, applicant, rows, kept, done, steps } => {
            if *applicant {
                state.applicant = to.clone();
            }
            let (waiting, done) = (rows.iter().map(|one| (one, true)), done.iter().map(|one| (one, false)));
            for ((token, column), ahead) in waiting.chain(done) {
                let Some(Waiting::Block(running)) = state.tokens.get_mut(token)?.waits.as_mut() else { return None };
                let (before, after) = running.rows.split_at_mut_checked(running.opened as usize)?;
                for row in if ahead { after } else { before } {
                    if let Some(new) = row.get(column).and_then(|value| replaced(value, from, to)) {
                        row.insert(column.clone(), new);
                    }
                }
            }
            for step in steps {
                let taken = state.handed.entry(step.clone()).or_default();
                // Who had taken over before passes it on, and who takes it back is themselves again.
                taken.values_mut().filter(|taker| *taker == from).for_each(|taker| *taker = to.clone());
                taken.insert(from.clone(), to.clone());
                taken.remove(to);
            }
            for (place, column) in kept {
                let row = state.undo.get_mut(*place as usize)?.row.as_mut()?;
                let new = row.columns.get(column).and_then(|value| replaced(value, from, to))?;
                row.columns.insert(column.clone(), new);
            }
        }
        Event::StageReached { stage } => state.stage = Some(stage.clone()),
        Event::UndoNoted { step, row, unsure } => {
            state.undo.push(Undoable { step: step.clone(), row: row.as_deref().cloned(), unsure: *unsure });
        }
        Event::EndBegun { outcome, reason } => {
            let quiet = state.undo.iter().filter_map(|done| done.unsure).max();
            state.ending = Some(Ending { outcome: outcome.clone(), reason: reason.clone(), quiet, doubtful: None });
            state.tokens.clear();
            state.scopes.retain(|number, _| *number == ScopeId(0));
            state.timers.clear();
        }
        Event::UndoBegun { step, scope, block, token } => {
            let undoable = state.undo.pop().filter(|newest| newest.step == *step)?;
            state.ending.as_mut()?.doubtful = undoable.unsure.map(|_| *scope);
            let opened = Scope { parent: Some(ScopeId(0)), block: *block, row: undoable.row, ..Scope::root() };
            begin_scope(state, *scope, opened, *token);
        }
        Event::UndoSkipped { token, .. } => {
            let token = state.tokens.get_mut(token)?;
            (token.incident, token.waits, token.due) = (None, None, None);
        }
        Event::UndoLeft { step } => drop(state.undo.pop().filter(|newest| newest.step == *step)?),
        Event::Commented { .. }
        | Event::CameLate { .. }
        | Event::Unusable { .. }
        | Event::WentOverdue { .. }
        | Event::Called { .. }
        | Event::CallCancelled { .. }
        | Event::MessageRead { .. } => {}
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
        assignments: opened.assignments.iter().map(assignment).collect(),
        opened_at: at,
        due: opened.due,
        parked: false,
        answers: Vec::new(),
    }
}

fn assignment(new: &OpenedAssignment) -> Assignment {
    Assignment {
        id: new.id,
        person: new.person.clone(),
        seats: new.seats.clone(),
        stands_in_for: new.stands_in_for.clone(),
        nonce: new.nonce,
    }
}

/// Notes what a step came to: in the row that it was walked for, and for the instance.
fn note(state: &mut State, token: TokenId, step: &StepId, result: StepResult) {
    let mut at = state.tokens.get(&token).map(|token| token.scope);
    while let Some(scope) = at.and_then(|number| state.scopes.get_mut(&number)) {
        if let Some(row) = &mut scope.row {
            row.steps.insert(step.clone(), result.clone());
            break;
        }
        at = scope.parent;
    }
    state.steps.insert(step.clone(), result);
}

fn begin_scope(state: &mut State, number: ScopeId, scope: Scope, token: TokenId) {
    state.next.scope = state.next.scope.max(number.0 + 1);
    state.next.token = state.next.token.max(token.0 + 1);
    state.scopes.insert(number, scope);
    state.tokens.insert(token, Token::new(number));
}

fn close_scope(state: &mut State, number: ScopeId, done: bool) -> Option<()> {
    let Scope { holder, branch, row, .. } = state.scopes.remove(&number)?;
    state.tokens.retain(|_, token| token.scope != number);
    let running = holder.and_then(|holder| state.tokens.get_mut(&holder)).and_then(|token| token.waits.as_mut());
    let Some(Waiting::Block(running)) = running.filter(|_| done) else { return Some(()) };
    if let Some(branch) = branch {
        running.done.push(branch);
    }
    if let Some(row) = row {
        *running.rows.get_mut(row.number as usize)? = row.columns;
        running.finished += 1;
    }
    Some(())
}

fn close(state: &mut State, number: TaskId, how: &Closed, at: DateTime<Utc>) -> Option<()> {
    let Task { token, step, kind, answers, .. } = state.tasks.remove(&number)?;
    let row = state.tokens.get(&token).and_then(|token| scope::row_scope(state, token.scope));
    state.closed.insert(number, ClosedTask { step, row, kind, how: how.clone(), at, answers });
    Some(())
}
