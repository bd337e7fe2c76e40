//! What approvals and tasks have in common: asking people, and taking their answers.
//!
//! ```text
//! ask → TaskOpened, a mail an assignment, timers for its reminders
//! answer → Answered, then, once the vote is decided: TaskClosed and the token leaves, or TaskParked and the
//!          applicant is asked to revise
//! ```

use super::event::{Closed, Event, OpenedAssignment, OpenedTask, Trouble};
use super::people::{self, Candidate, Seats};
use super::run::Run;
use super::state::{MailKind, TaskKind, TimerKind};
use super::step::{Flow, trouble};
use super::vote;
use crate::model::definition::{Human, Mode, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::{AssignmentId, Outcome, PersonId, StepId, TaskId, TimerId, TokenId};
use crate::model::value::Value;
use chrono::{DateTime, Utc};

/// Asks the people of a step for the first time.
pub(super) fn ask(run: &mut Run<'_>, token: TokenId, id: &StepId, human: &Human, kind: TaskKind) -> Flow {
    let task = TaskId(run.state.next.task);
    match open(run, task, token, id, human, kind, 1) {
        Ok(true) => Flow::Wait,
        Ok(false) => {
            run.emit(Event::Skipped { token, step: id.clone() });
            Flow::Leave(On::Next)
        }
        Err(what) => Flow::Stop(what),
    }
}

/// Asks the people of a parked task once more, all of them, in a new round.
pub(super) fn ask_again(run: &mut Run<'_>, task: TaskId) {
    let Some(parked) = run.state.tasks.get(&task) else { return };
    let (token, id, kind, round) = (parked.token, parked.step.clone(), parked.kind, parked.round + 1);
    let Some(human) = run.definition.steps.get(&id).and_then(|step| step.human()) else { return };
    match open(run, task, token, &id, human, kind, round) {
        Ok(true) => {}
        Ok(false) => {
            run.close_task(task, Closed::Cancelled);
            run.emit(Event::Skipped { token, step: id.clone() });
            run.advance(token, Node::Step(id), On::Next);
        }
        Err(what) => {
            run.close_task(task, Closed::Cancelled);
            run.emit(Event::IncidentRaised { token, step: id, what });
        }
    }
}

/// Opens a task; false where the policy is to go on without anybody.
fn open(
    run: &mut Run<'_>,
    task: TaskId,
    token: TokenId,
    id: &StepId,
    human: &Human,
    kind: TaskKind,
    round: u32,
) -> Result<bool, Trouble> {
    let seats = match people::seats(run, human, kind)? {
        Seats::Filled(seats) => seats,
        Seats::Skip => return Ok(false),
    };
    let due = match &human.due {
        Some(due) => match run.evaluate(due, None).map_err(|failure| trouble("due", &failure))? {
            Value::Null => None,
            value => Some(deadline(run, &value).ok_or_else(|| no_such_time("due"))?),
        },
        None => None,
    };
    open_task(
        run,
        task,
        OpenedTask { token, step: id.clone(), kind, round, mode: human.mode, seats: 0, assignments: Vec::new(), due },
        &seats,
    );
    for remind in &human.remind {
        let value = run.evaluate(remind, None).map_err(|failure| trouble("remind", &failure))?;
        let at = match &value {
            Value::Duration(after) => run.facts.calendar.add(run.now, *after),
            other => moment(run, other),
        };
        // A reminder in the past is none.
        if let Some(at) = at.filter(|at| *at > run.now) {
            let timer = TimerId(run.state.next.timer);
            run.emit(Event::TimerSet { timer, task, kind: TimerKind::Remind, at });
        }
    }
    if !human.quiet {
        mail_all(run, task);
    }
    Ok(true)
}

/// Asks the applicant to revise the case, for a task that was returned.
pub(super) fn ask_revision(run: &mut Run<'_>, of: TaskId) {
    run.clear_timers(of);
    run.emit(Event::TaskParked { task: of });
    let Some(parked) = run.state.tasks.get(&of) else { return };
    let opened = OpenedTask {
        token: parked.token,
        step: parked.step.clone(),
        kind: TaskKind::Revise { of },
        round: 1,
        mode: Mode::Any,
        seats: 0,
        assignments: Vec::new(),
        due: None,
    };
    let applicant = Candidate { person: run.state.applicant.clone(), stands_in_for: None };
    let task = TaskId(run.state.next.task);
    open_task(run, task, opened, &[vec![applicant]]);
    mail_all(run, task);
}

/// Gives each person one assignment, with all the seats that they can take.
fn open_task(run: &mut Run<'_>, task: TaskId, mut opened: OpenedTask, seats: &[Vec<Candidate>]) {
    opened.seats = u16::try_from(seats.len()).unwrap_or(u16::MAX);
    for (number, seat) in (0u16..).zip(seats) {
        for candidate in seat {
            match opened.assignments.iter_mut().find(|known| known.person == candidate.person) {
                Some(known) => known.seats.push(number),
                None => {
                    let (id, nonce) = run.draw_assignment();
                    opened.assignments.push(OpenedAssignment {
                        id,
                        person: candidate.person.clone(),
                        seats: vec![number],
                        stands_in_for: candidate.stands_in_for.clone(),
                        nonce,
                    });
                }
            }
        }
    }
    run.emit(Event::TaskOpened { task, opened: Box::new(opened) });
}

fn mail_all(run: &mut Run<'_>, task: TaskId) {
    for (assignment, person) in asked(run, task) {
        run.mail(MailKind::Assigned { task, assignment }, person);
    }
}

fn asked(run: &Run<'_>, task: TaskId) -> Vec<(AssignmentId, PersonId)> {
    let task = run.state.tasks.get(&task);
    task.map(|task| task.assignments.iter().map(|open| (open.id, open.person.clone())).collect()).unwrap_or_default()
}

/// What follows from an answer that was just noted: nothing yet, or the task is decided and control moves on.
pub(super) fn after_answer(run: &mut Run<'_>, number: TaskId, human: &Human) {
    let Some(task) = run.state.tasks.get(&number) else { return };
    let Some(outcome) = vote::verdict(task, human) else { return };
    let (token, id) = (task.token, task.step.clone());
    let on = On::Outcome(outcome.clone());
    let walks = run.definition.graph.next(&Node::Step(id.clone()), &on).is_some();
    if outcome.as_str() == outcome::RETURNED && !walks {
        return ask_revision(run, number);
    }
    leave(run, number, token, id, outcome);
}

fn leave(run: &mut Run<'_>, number: TaskId, token: TokenId, id: StepId, outcome: Outcome) {
    let late = run.is_late(number);
    let by = run.state.tasks.get(&number).map(|task| vote::voters(&task.answers)).unwrap_or_default();
    run.close_task(number, Closed::Decided(outcome.clone()));
    run.left(token, &id, outcome.clone(), by, late);
    run.advance(token, Node::Step(id), On::Outcome(outcome));
}

/// Reminds everyone who is still asked.
pub(super) fn remind(run: &mut Run<'_>, task: TaskId) {
    for (assignment, person) in asked(run, task) {
        run.mail(MailKind::Reminder { task, assignment }, person);
    }
}

/// The instant that a `due` means: a duration from now, a day's closing hour, or a moment.
fn deadline(run: &Run<'_>, value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Duration(duration) => run.facts.calendar.deadline(run.now, *duration),
        Value::Date(date) => Some(run.facts.calendar.closing(*date)),
        other => moment(run, other),
    }
}

/// The instant that a day (its opening hour) or a moment means elsewhere.
fn moment(run: &Run<'_>, value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Date(date) => Some(run.facts.calendar.opening(*date)),
        Value::DateTime(moment) => Some(moment.instant(run.facts.calendar.zone)),
        _ => None,
    }
}

fn no_such_time(place: &str) -> Trouble {
    Trouble::Expression {
        place: place.into(),
        zh: "这个时间不存在，或日历里没有工作时间。".into(),
        en: "This time does not exist, or the calendar has no working hours.".into(),
    }
}
