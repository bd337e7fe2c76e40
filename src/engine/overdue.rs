//! Timers, and what happens at a step that is still open at its due time.
//!
//! ```text
//! due ─→ WentOverdue ─→ notify (again after each `every`) · reassign · decide · go
//! ```
//!
//! A timer fires once, late where nobody was at work. A repeated notice counts from when it was given, so however
//! long nothing ran, one is given.

use super::block;
use super::event::{Closed, Event, OpenedAssignment, Trouble};
use super::human;
use super::people::{self, Candidate};
use super::refusal::Refusal;
use super::run::Run;
use super::state::{Assignment, MailKind, Owner, TaskKind, TimerKind, Waiting};
use super::step::trouble;
use super::unasked;
use crate::model::control::{Overdue, Then};
use crate::model::definition::{Human, StepKind, outcome};
use crate::model::formula::Formula;
use crate::model::graph::{Node, On};
use crate::model::id::{AssignmentId, Outcome, PersonId, StepId, TaskId, TokenId};
use crate::model::value::Value;
use std::collections::BTreeSet;

/// Fires all timers that are due, the earliest first.
pub(super) fn wake(run: &mut Run<'_>) -> Result<(), Refusal> {
    let now = run.facts.now;
    let mut due: Vec<_> =
        run.state.timers.iter().filter(|(_, timer)| timer.at <= now).map(|(n, t)| (t.at, *n)).collect();
    if due.is_empty() {
        return Err(Refusal::NothingDue);
    }
    due.sort();
    let mut reminded = BTreeSet::new();
    for (_, number) in due {
        // What fired before may have cleared it.
        let Some(timer) = run.state.timers.get(&number).cloned() else { continue };
        run.emit(Event::TimerFired { timer: number });
        match (timer.kind, timer.of) {
            // Two reminders that came due while nobody was at work are one.
            (TimerKind::Remind, Owner::Task(task)) if reminded.insert(task) => human::remind(run, task),
            (TimerKind::Remind, _) => {}
            (TimerKind::Go, Owner::Token(token)) => waited(run, token),
            (TimerKind::Go, Owner::Task(_)) => {}
            (TimerKind::Overdue, of) => overdue(run, of),
            (TimerKind::Again, of) => again(run, of),
        }
    }
    Ok(())
}

/// The time that a token waited for is there: of a `wait`, or before something is taken back.
fn waited(run: &mut Run<'_>, token: TokenId) {
    let waits = run.state.tokens.get(&token).filter(|token| token.waits == Some(Waiting::Time));
    let Some(id) = waits.and_then(|token| token.step.clone()) else { return };
    run.clear_timers(Owner::Token(token));
    let kind = run.definition.steps.get(&id).map(|step| &step.kind);
    if !matches!(kind, Some(StepKind::Wait(_))) {
        return run.enter(token, id);
    }
    run.left(token, &id, outcome::DONE.into(), Vec::new(), false);
    run.advance(token, Node::Step(id), On::Next);
}

/// A step that is overdue: its token, its name, its task if it asks people, and what it says.
struct Late<'a> {
    token: TokenId,
    id: StepId,
    task: Option<TaskId>,
    says: &'a Overdue,
}

fn late<'a>(run: &Run<'a>, of: Owner) -> Option<Late<'a>> {
    let (token, id, task) = match of {
        Owner::Task(number) => {
            let task = run.state.tasks.get(&number)?;
            (task.token, task.step.clone(), Some(number))
        }
        Owner::Token(token) => (token, run.state.tokens.get(&token)?.step.clone()?, None),
    };
    let definition = run.definition;
    let says = definition.steps.get(&id)?.overdue.as_ref()?;
    Some(Late { token, id, task, says })
}

fn overdue(run: &mut Run<'_>, of: Owner) {
    let Some(late) = late(run, of) else { return };
    run.emit(Event::WentOverdue { token: late.token, step: late.id.clone(), task: late.task });
    if let Err(what) = tell(run, of, &late) {
        return run.emit(Event::IncidentRaised { token: late.token, step: late.id, what });
    }
    match &late.says.then {
        None => {}
        Some(Then::Reassign(who)) => {
            if let Some(task) = late.task
                && let Err(what) = reassign(run, task, &late.id, who)
            {
                run.emit(Event::IncidentRaised { token: late.token, step: late.id, what });
            }
        }
        Some(Then::Decide(outcome)) => leave(run, of, late, outcome.clone()),
        Some(Then::Go) => leave(run, of, late, outcome::OVERDUE.into()),
    }
}

fn again(run: &mut Run<'_>, of: Owner) {
    let Some(late) = late(run, of) else { return };
    if let Err(what) = tell(run, of, &late) {
        run.emit(Event::IncidentRaised { token: late.token, step: late.id, what });
    }
}

/// Tells those who are to know, and sets the timer of the next time.
fn tell(run: &mut Run<'_>, of: Owner, late: &Late<'_>) -> Result<(), Trouble> {
    let assignees: Vec<PersonId> = human::asked(run, late.task).into_iter().map(|(_, person)| person).collect();
    let mut told = BTreeSet::new();
    for entry in &late.says.notify {
        // An entry may ask for someone of each who is asked: `manager_of(assignee)`.
        let each: Vec<Option<&PersonId>> =
            if assignees.is_empty() { vec![None] } else { assignees.iter().map(Some).collect() };
        for assignee in each {
            let value = run.evaluate(late.token, entry, assignee).map_err(|failure| trouble("overdue", &failure))?;
            for person in people::named(&value, run.facts.directory).into_iter().flatten() {
                if person == run.state.applicant && decides(run, late) {
                    continue;
                }
                if run.facts.directory.people.contains_key(&person) && told.insert(person.clone()) {
                    // Who is asked gets the link with it.
                    let asked = human::asked(run, late.task).into_iter().find(|(_, asked)| *asked == person);
                    let assignment = asked.map(|(assignment, _)| assignment);
                    run.mail(MailKind::Overdue { step: late.id.clone(), task: late.task, assignment }, person);
                }
            }
        }
    }
    let Some(every) = &late.says.every else { return Ok(()) };
    let at = match run.evaluate(late.token, every, None).map_err(|failure| trouble("every", &failure))? {
        Value::Duration(after) => run.facts.calendar.add(run.now, after),
        _ => None,
    };
    let at = at.ok_or_else(|| human::no_such_time("every"))?;
    // What is to come again after no time is told once.
    if at > run.now {
        run.set_timer(of, TimerKind::Again, at);
    }
    Ok(())
}

/// Asks others instead of each who did not answer. Whoever comes to be asked instead of several is asked once, for
/// the seats of all of them. Where nobody else can be asked, they are reminded.
fn reassign(run: &mut Run<'_>, number: TaskId, id: &StepId, who: &[Formula]) -> Result<(), Trouble> {
    let definition = run.definition;
    let Some(human) = definition.steps.get(id).and_then(|step| step.human()) else { return Ok(()) };
    let late = human::asked(run, Some(number));
    let mut told = BTreeSet::new();
    for (assignment, person) in &late {
        let to = instead(run, number, human, who, &late, (*assignment, person))?;
        if to.is_empty() {
            run.mail(MailKind::Reminder { task: number, assignment: *assignment }, person.clone());
            continue;
        }
        let asked: Vec<(AssignmentId, PersonId)> = to.iter().map(|one| (one.id, one.person.clone())).collect();
        run.emit(Event::Reassigned { task: number, from: *assignment, to });
        for (assignment, person) in asked {
            if !human.quiet && told.insert(assignment) {
                run.mail(MailKind::Assigned { task: number, assignment }, person);
            }
        }
    }
    Ok(())
}

/// Who is asked instead of one of those who are late: nobody who is late themselves or has answered.
fn instead(
    run: &mut Run<'_>,
    number: TaskId,
    human: &Human,
    who: &[Formula],
    late: &[(AssignmentId, PersonId)],
    (assignment, person): (AssignmentId, &PersonId),
) -> Result<Vec<OpenedAssignment>, Trouble> {
    let Some(task) = run.state.tasks.get(&number) else { return Ok(Vec::new()) };
    let (token, step, kind) = (task.token, task.step.clone(), task.kind);
    let own = task.assignments.iter().find(|open| open.id == assignment);
    let seats = own.map(|open| open.seats.clone()).unwrap_or_default();
    let mut candidates = Vec::new();
    for entry in who {
        let value = run.evaluate(token, entry, Some(person)).map_err(|failure| trouble("overdue", &failure))?;
        for people in people::named(&value, run.facts.directory) {
            candidates.extend(people::candidates(run, &people, &step, human, kind));
        }
    }
    let mut to: Vec<OpenedAssignment> = Vec::new();
    for Candidate { person, stands_in_for } in candidates {
        let Some(task) = run.state.tasks.get(&number) else { break };
        let answered = task.answers.iter().any(|answer| answer.person == person);
        let known = late.iter().any(|(_, late)| *late == person) || to.iter().any(|one| one.person == person);
        if answered || known {
            continue;
        }
        let opened = match task.assignments.iter().find(|open| open.person == person) {
            Some(open) => {
                let Assignment { id, person, stands_in_for, nonce, .. } = open.clone();
                let more = seats.iter().filter(|seat| !open.seats.contains(*seat));
                let seats = open.seats.iter().chain(more).copied().collect();
                OpenedAssignment { id, person, seats, stands_in_for, nonce }
            }
            None => {
                let (id, nonce) = run.draw_assignment();
                OpenedAssignment { id, person, seats: seats.clone(), stands_in_for, nonce }
            }
        };
        to.push(opened);
    }
    Ok(to)
}

/// Whether time decides the step, of which the applicant is told like of every decision. How a case ends is told once.
fn decides(run: &Run<'_>, late: &Late<'_>) -> bool {
    matches!(late.says.then, Some(Then::Decide(_))) && run.state.ending.is_none()
}

/// Time decides, or the case goes on elsewhere.
fn leave(run: &mut Run<'_>, of: Owner, late: Late<'_>, outcome: Outcome) {
    let goes = outcome.as_str() == outcome::OVERDUE;
    let copies = match human::copied(run, late.token, &late.id, &outcome) {
        Ok(copies) => copies,
        Err(what) => return run.emit(Event::IncidentRaised { token: late.token, step: late.id, what }),
    };
    if let Owner::Task(task) = of {
        // A task that waits for its revision goes with the revision.
        let revising = |kind| kind == TaskKind::Revise { of: task };
        let revisions: Vec<TaskId> =
            run.state.tasks.iter().filter(|(_, open)| revising(open.kind)).map(|(number, _)| *number).collect();
        for revision in revisions {
            run.close_task(revision, Closed::Cancelled);
        }
        let how = if goes { Closed::Overdue } else { Closed::Decided(outcome.clone()) };
        run.close_task(task, how);
    }
    let decides = decides(run, &late);
    let applicant = run.state.applicant.clone();
    for person in copies.into_iter().filter(|person| !decides || *person != applicant) {
        run.mail(MailKind::Notice { step: late.id.clone() }, person);
    }
    if let Some(task) = late.task.filter(|_| decides) {
        run.mail(MailKind::Decided { task, assignment: None }, applicant);
    }
    block::cancel(run, late.token);
    unasked::overdue(run, of, late.token, &late.id);
    run.left(late.token, &late.id, outcome.clone(), Vec::new(), true);
    let on = if goes { On::Overdue } else { On::Outcome(outcome) };
    run.advance(late.token, Node::Step(late.id), on);
}
