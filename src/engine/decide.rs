//! `decide`: one function a command, and what is checked before any of them.

use super::command::{Actor, Ask, Command, Via};
use super::computed::Computed;
use super::event::{Closed, Entry, Event};
use super::fingerprint::Fingerprint;
use super::refusal::{FieldFault, Refusal, TaskOver};
use super::run::Run;
use super::scope::Place;
use super::state::{Assignment, ClosedTask, MailKind, State, Task, TaskKind, Token};
use super::{Decision, Facts, block, handed, handover, human, outside, overdue, revise, start, undo, vote};
use crate::model::definition::{Definition, Human, OwnCase, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::{AssignmentId, Outcome, PersonId, StepId, TaskId, TokenId};
use crate::model::value::Record;
use std::sync::Arc;

/// The most characters of an opinion, a comment or a reason.
const MOST_WORDS: usize = 4_000;

/// Decides a command: what happens, or why it does not. `state` is `None` for a start.
///
/// # Errors
/// The refusal; nothing has happened then.
pub fn decide(
    definition: &Definition,
    state: Option<&State>,
    command: &Command,
    facts: &Facts<'_>,
) -> Result<Decision, Refusal> {
    let run = match (&command.ask, state) {
        (Ask::Start { .. } | Ask::Begin { .. }, None) => start::start(definition, command, facts)?,
        (Ask::Start { .. } | Ask::Begin { .. }, Some(_)) => return Err(Refusal::AlreadyStarted),
        (_, None) => return Err(Refusal::NoInstance),
        (_, Some(state)) => {
            in_directory(command, facts)?;
            let mut run = Run::new(definition, facts, command, state.clone());
            act(&mut run)?;
            run
        }
    };
    Ok(done(run))
}

/// Decides a command once more that came to a key which another open case has to itself: the step that would write it
/// stops, and an operator is told why. `None` where somebody asked, who is told instead, or where no step writes it.
pub fn decide_without_key(
    definition: &Definition,
    before: &State,
    came_to: &Decision,
    facts: &Facts<'_>,
    refusal: &Refusal,
) -> Option<Decision> {
    let command = &came_to.entry.command;
    let key = came_to.state.key.as_ref().filter(|_| command.actor == Actor::System)?;
    let mut run = Run::new(definition, facts, command, before.clone());
    run.taken = Some((key, refusal));
    act(&mut run).ok()?;
    (run.state.key.as_ref() != Some(key)).then(|| done(run))
}

/// Who is not in the directory does nothing in a case, by whatever way they come.
fn in_directory(command: &Command, facts: &Facts<'_>) -> Result<(), Refusal> {
    match command.actor.person() {
        None => Ok(()),
        Some(person) if facts.directory.people.contains_key(person) => Ok(()),
        Some(person) if facts.directory.former.contains_key(person) => Err(Refusal::LeftDirectory(person.clone())),
        Some(person) => Err(Refusal::UnknownPerson(person.clone())),
    }
}

fn done(run: Run<'_>) -> Decision {
    let Run { now, mut state, events, command, facts, .. } = run;
    state.revision += 1;
    state.at = now;
    let entry = Entry { revision: state.revision, at: now, command: command.clone(), seed: facts.seed, events };
    Decision { entry, state }
}

fn act(run: &mut Run<'_>) -> Result<(), Refusal> {
    match &run.command.ask {
        Ask::Start { .. } | Ask::Begin { .. } => Err(Refusal::AlreadyStarted),
        Ask::Decide { task, assignment, outcome, opinion, values, seen } => {
            let answer = Given { assignment: *assignment, outcome, opinion: opinion.as_ref(), seen: *seen };
            answer_task(run, *task, &answer, values)
        }
        Ask::Revise { task, data, note, seen } => {
            let outcome = Outcome::from(outcome::REVISED);
            let answer = Given { assignment: None, outcome: &outcome, opinion: note.as_ref(), seen: *seen };
            hand_in(run, *task, &answer, data)
        }
        Ask::Comment { text } => comment(run, text),
        Ask::Withdraw { reason } => withdraw(run, reason.as_ref()),
        Ask::Cancel { reason } => cancel(run, reason.as_ref()),
        Ask::Resend { assignment } => resend(run, *assignment),
        Ask::Wake => overdue::wake(run),
        Ask::Deliver { token, message, name, key, data } => {
            outside::deliver(run, *token, message, name, key.as_ref(), data)
        }
        Ask::ChildEnded { token, child, outcome, data } => outside::child_ended(run, *token, *child, outcome, data),
        Ask::CallFailed { token, child, what, taken } => outside::call_failed(run, *token, *child, what, *taken),
        Ask::Answer { token, attempt, data } => outside::answer(run, *token, *attempt, data),
        Ask::Fail { token, attempt, what, permanent, after } => {
            outside::fail(run, *token, *attempt, what, *permanent, *after)
        }
        Ask::Retry { step } => retry(run, step.as_ref()),
        Ask::Skip { step, reason } => skip(run, step.as_ref(), reason),
        Ask::HandOver { from, to } => hand_over(run, from, to),
    }
}

/// An answer as it was given.
struct Given<'a> {
    assignment: Option<AssignmentId>,
    outcome: &'a Outcome,
    opinion: Option<&'a Arc<str>>,
    seen: Option<Fingerprint>,
}

impl Given<'_> {
    /// The opinion without blanks around it; `None` where nothing is left.
    fn words(&self) -> Option<Arc<str>> {
        words(self.opinion)
    }
}

fn answer_task(run: &mut Run<'_>, number: TaskId, given: &Given<'_>, values: &Record) -> Result<(), Refusal> {
    let (task, assignment) = find(run, number, given.assignment)?;
    if matches!(task.kind, TaskKind::Revise { .. } | TaskKind::Begin) {
        let known = vec![Outcome::from(outcome::REVISED)];
        return Err(Refusal::NoSuchOutcome { outcome: given.outcome.clone(), known });
    }
    let definition = run.definition;
    let Some(human) = definition.steps.get(&task.step).and_then(|step| step.human()) else {
        return Err(Refusal::NoTask);
    };
    separate(run, human, task.kind, &assignment.person)?;
    let Some(answering) = human.outcomes.get(given.outcome) else {
        let known = human.outcomes.keys().cloned().collect();
        return Err(Refusal::NoSuchOutcome { outcome: given.outcome.clone(), known });
    };
    if answering.opinion && given.words().is_none() {
        return Err(Refusal::OpinionRequired(given.outcome.clone()));
    }
    unchanged(run, task, given)?;
    // What is rejected or sent back leaves the step's form as it is.
    let asks = ![outcome::REJECTED, outcome::RETURNED].contains(&given.outcome.as_str());
    let form = human::form_of(definition, &run.state, task);
    let values = if asks && !form.is_empty() {
        let (assignee, outcome) = (Some(&assignment.person), Some(given.outcome.as_str()));
        let place = Place { assignee, outcome, ..run.place(task.token) };
        handed::fill(definition, task, &place, values, run.facts, run.now).map_err(Refusal::BadForm)?
    } else {
        Record::new()
    };
    let (assignment, person, token) = (assignment.id, assignment.person.clone(), task.token);
    note_answer(run, number, assignment, given)?;
    let changed = set(run, token, values)?;
    let applicant = run.state.applicant.clone();
    // How a case ends is told once; what is done to take things back is not told beside.
    if person != applicant && run.state.ending.is_none() {
        run.mail(MailKind::Decided { task: number, assignment: Some(assignment) }, applicant);
    }
    run.tell_acted_for(Some(number));
    human::after_answer(run, number, human, &changed);
    // Whoever is asked to revise is told of the decision by that mail.
    if run.state.tasks.values().any(|open| open.kind == TaskKind::Revise { of: number }) {
        run.drop_decided_mail();
    }
    Ok(())
}

fn hand_in(run: &mut Run<'_>, number: TaskId, given: &Given<'_>, data: &Record) -> Result<(), Refusal> {
    let (task, assignment) = find(run, number, None)?;
    let of = match task.kind {
        TaskKind::Revise { of } => Some(of),
        TaskKind::Begin => None,
        TaskKind::Approve | TaskKind::Work => {
            let step = run.definition.steps.get(&task.step).and_then(|step| step.human());
            let known = step.map(|human| human.outcomes.keys().cloned().collect()).unwrap_or_default();
            return Err(Refusal::NoSuchOutcome { outcome: given.outcome.clone(), known });
        }
    };
    unchanged(run, task, given)?;
    let place = Place { assignee: Some(&assignment.person), ..run.place(task.token) };
    let mut values = handed::fill(run.definition, task, &place, data, run.facts, run.now).map_err(Refusal::BadForm)?;
    if of.is_none() {
        start::complete(run, &mut values)?;
    }
    let (assignment, token) = (assignment.id, task.token);
    note_answer(run, number, assignment, given)?;
    let changed = set(run, token, values)?;
    run.tell_acted_for(Some(number));
    run.close_task(number, Closed::Decided(given.outcome.clone()));
    match of {
        Some(of) => revise::go_on(run, of, &changed),
        None => run.advance(token, Node::Start, On::Next),
    }
    Ok(())
}

/// The open task and the actor's assignment of it, or what became of them.
fn find<'s>(
    run: &'s Run<'_>,
    number: TaskId,
    assignment: Option<AssignmentId>,
) -> Result<(&'s Task, &'s Assignment), Refusal> {
    let person = run.command.actor.person().ok_or(Refusal::NeedsPerson)?;
    let Some(task) = run.state.tasks.get(&number) else {
        return Err(match run.state.closed.get(&number) {
            Some(closed) => over(closed, person),
            None => Refusal::NoTask,
        });
    };
    if let Some(answer) = task.answers.iter().find(|answer| answer.person == *person) {
        return Err(Refusal::AlreadyAnswered { outcome: answer.outcome.clone(), at: answer.at });
    }
    if task.parked {
        return Err(Refusal::Parked);
    }
    let own = |open: &&Assignment| open.person == *person && assignment.is_none_or(|id| open.id == id);
    match task.assignments.iter().find(own) {
        Some(found) => Ok((task, found)),
        None => Err(Refusal::NotAssigned {
            person: person.clone(),
            asked: task.assignments.iter().map(|open| open.person.clone()).collect(),
        }),
    }
}

fn over(closed: &ClosedTask, person: &PersonId) -> Refusal {
    if let Some(answer) = closed.answers.iter().find(|answer| answer.person == *person) {
        return Refusal::AlreadyAnswered { outcome: answer.outcome.clone(), at: answer.at };
    }
    let outcome = match &closed.how {
        Closed::Decided(outcome) => Some(outcome.clone()),
        Closed::Cancelled | Closed::WalkedBack | Closed::Overdue => None,
    };
    let by = closed.answers.last().map(|answer| answer.person.clone());
    Refusal::TaskClosed(Box::new(TaskOver { step: closed.step.clone(), outcome, by, at: closed.at }))
}

/// Separation of duties: whose case it is decides no approval of it, by whatever way they came to be asked.
fn separate(run: &Run<'_>, human: &Human, kind: TaskKind, person: &PersonId) -> Result<(), Refusal> {
    if run.is_own(person) && run.decides(kind) && human.policy.own_case != OwnCase::Allow {
        return Err(Refusal::OwnCase(person.clone()));
    }
    Ok(())
}

/// A person decides what they saw.
fn unchanged(run: &Run<'_>, task: &Task, given: &Given<'_>) -> Result<(), Refusal> {
    match given.seen {
        Some(seen) if seen != Fingerprint::of(&run.state, task) => Err(Refusal::Changed),
        _ => Ok(()),
    }
}

fn note_answer(run: &mut Run<'_>, number: TaskId, id: AssignmentId, given: &Given<'_>) -> Result<(), Refusal> {
    let opinion = given.words();
    short_enough(opinion.as_deref())?;
    let Some(task) = run.state.tasks.get(&number) else { return Err(Refusal::NoTask) };
    let Some(open) = task.assignments.iter().find(|open| open.id == id) else { return Err(Refusal::NoTask) };
    let seat = vote::seat_for(task, open).ok_or(Refusal::NoTask)?;
    let via = match &run.command.actor {
        Actor::Person { via, .. } => via.clone(),
        Actor::Operator { user } => Via::Shell { user: user.clone() },
        Actor::System => Via::Scenario,
    };
    let (outcome, seen) = (given.outcome.clone(), given.seen);
    run.emit(Event::Answered { task: number, assignment: id, seat, outcome, opinion, via, seen });
    Ok(())
}

fn set(run: &mut Run<'_>, token: TokenId, values: Record) -> Result<Record, Refusal> {
    computed(run.set_at(token, values))
}

/// What changed; a computed field that cannot be computed from it is a fault of what was filled in.
pub(super) fn computed(set: Result<Record, Computed>) -> Result<Record, Refusal> {
    set.map_err(|computed| {
        Refusal::BadForm(vec![FieldFault {
            path: Vec::new(),
            title: *computed.title,
            what: computed.failure.message,
            limit: None,
        }])
    })
}

fn comment(run: &mut Run<'_>, text: &Arc<str>) -> Result<(), Refusal> {
    running(run)?;
    if let Some(person) = run.command.actor.person() {
        let state = &run.state;
        let answered = |task: &ClosedTask| task.answers.iter().any(|answer| answer.person == *person);
        let involved = *person == state.applicant
            || *person == state.starter
            || state.tasks.values().any(|task| {
                task.assignments.iter().any(|open| open.person == *person)
                    || task.answers.iter().any(|answer| answer.person == *person)
            })
            || state.closed.values().any(answered);
        if !involved {
            return Err(Refusal::NotInvolved(person.clone()));
        }
    }
    let text = words(Some(text)).ok_or(Refusal::OpinionRequired(Outcome::from("comment")))?;
    short_enough(Some(&text))?;
    run.emit(Event::Commented { text });
    Ok(())
}

fn withdraw(run: &mut Run<'_>, reason: Option<&Arc<str>>) -> Result<(), Refusal> {
    running(run)?;
    let person = run.command.actor.person().ok_or(Refusal::NeedsPerson)?;
    if *person != run.state.applicant {
        return Err(Refusal::NotApplicant(person.clone()));
    }
    stop(run, outcome::WITHDRAWN, reason)
}

fn cancel(run: &mut Run<'_>, reason: Option<&Arc<str>>) -> Result<(), Refusal> {
    running(run)?;
    // Time itself cancels what a caller no longer waits for.
    if run.command.actor.person().is_some() {
        return Err(Refusal::NotOperator);
    }
    stop(run, outcome::CANCELLED, reason)
}

fn stop(run: &mut Run<'_>, outcome: &str, reason: Option<&Arc<str>>) -> Result<(), Refusal> {
    if run.state.ending.is_some() {
        return Err(Refusal::Ending);
    }
    let reason = words(reason);
    short_enough(reason.as_deref())?;
    run.tell_acted_for(None);
    run.end(outcome.into(), reason);
    Ok(())
}

fn hand_over(run: &mut Run<'_>, from: &PersonId, to: &PersonId) -> Result<(), Refusal> {
    running(run)?;
    if run.command.actor.person().is_some() {
        return Err(Refusal::NotOperator);
    }
    handover::hand_over(run, from, to)
}

fn resend(run: &mut Run<'_>, id: AssignmentId) -> Result<(), Refusal> {
    running(run)?;
    let Some((task, _, open)) = run.state.assignment(id) else { return Err(Refusal::NoTask) };
    let (kind, to) = (MailKind::FreshLink { task, assignment: id }, open.person.clone());
    run.mail(kind, to);
    Ok(())
}

/// Tries once more what an incident stopped: the step is entered anew.
fn retry(run: &mut Run<'_>, step: Option<&StepId>) -> Result<(), Refusal> {
    for (token, step) in stopped(run, step)? {
        block::clear(run, token);
        run.enter(token, step);
    }
    Ok(())
}

/// Passes over what stopped as it was to take something back.
fn skip(run: &mut Run<'_>, step: Option<&StepId>, reason: &Arc<str>) -> Result<(), Refusal> {
    let stopped = stopped(run, step)?;
    if run.state.ending.is_none() {
        return Err(Refusal::NotSkippable);
    }
    let reason = words(Some(reason)).ok_or_else(|| Refusal::OpinionRequired(Outcome::from("skip")))?;
    short_enough(Some(&reason))?;
    for (token, step) in stopped {
        undo::skip(run, token, step, reason.clone());
    }
    Ok(())
}

/// Where incidents stopped the case, at a step or at all, for an operator who sees to them.
fn stopped(run: &Run<'_>, step: Option<&StepId>) -> Result<Vec<(TokenId, StepId)>, Refusal> {
    running(run)?;
    if run.command.actor.person().is_some() {
        return Err(Refusal::NotOperator);
    }
    let at = |token: &Token| token.incident.is_some() && step.is_none_or(|step| token.step.as_ref() == Some(step));
    let tokens = run.state.tokens.iter().filter(|(_, token)| at(token));
    let stopped: Vec<_> = tokens.filter_map(|(number, token)| Some((*number, token.step.clone()?))).collect();
    if stopped.is_empty() { Err(Refusal::NoIncident) } else { Ok(stopped) }
}

fn running(run: &Run<'_>) -> Result<(), Refusal> {
    match &run.state.ended {
        Some(ended) => Err(Refusal::Ended { outcome: ended.outcome.clone(), at: ended.at }),
        None => Ok(()),
    }
}

fn words(text: Option<&Arc<str>>) -> Option<Arc<str>> {
    let text = text?;
    let trimmed = text.trim();
    if trimmed.is_empty() {
        None
    } else if trimmed.len() == text.len() {
        Some(text.clone())
    } else {
        Some(trimmed.into())
    }
}

fn short_enough(text: Option<&str>) -> Result<(), Refusal> {
    match text {
        Some(text) if text.chars().count() > MOST_WORDS => Err(Refusal::TooLong { limit: MOST_WORDS }),
        _ => Ok(()),
    }
}
