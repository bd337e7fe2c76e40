//! `decide`: one function a command, and what is checked before any of them.

use super::command::{Actor, Ask, Command, Via};
use super::event::{Closed, Entry, Event};
use super::fingerprint::Fingerprint;
use super::refusal::{FieldFault, Refusal, TaskOver};
use super::run::{self, Run};
use super::state::{Assignment, ClosedTask, MailKind, State, Task, TaskKind, TimerKind};
use super::{Decision, Facts, apply, form, human, revise, scope, vote};
use crate::model::definition::{Definition, Human, OwnCase, outcome};
use crate::model::formula::Formula;
use crate::model::graph::{Node, On};
use crate::model::id::{AssignmentId, Outcome, PersonId, TaskId, TimerId, TokenId};
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
        (Ask::Start { data }, None) => start(definition, command, facts, data)?,
        (Ask::Start { .. }, Some(_)) => return Err(Refusal::AlreadyStarted),
        (_, None) => return Err(Refusal::NoInstance),
        (_, Some(state)) => {
            let now = facts.now.max(state.at);
            let mut run = Run { definition, facts, command, now, state: state.clone(), events: Vec::new(), drawn: 0 };
            act(&mut run)?;
            run
        }
    };
    let Run { now, mut state, events, .. } = run;
    state.revision += 1;
    state.at = now;
    let entry = Entry { revision: state.revision, at: now, command: command.clone(), seed: facts.seed, events };
    Ok(Decision { entry, state })
}

fn act(run: &mut Run<'_>) -> Result<(), Refusal> {
    match &run.command.ask {
        Ask::Start { .. } => Err(Refusal::AlreadyStarted),
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
        Ask::Wake => wake(run),
    }
}

fn start<'a>(
    definition: &'a Definition,
    command: &'a Command,
    facts: &'a Facts<'a>,
    given: &Record,
) -> Result<Run<'a>, Refusal> {
    let applicant = command.actor.person().ok_or(Refusal::NeedsPerson)?;
    let Some(person) = facts.directory.people.get(applicant) else {
        return Err(Refusal::UnknownPerson(applicant.clone()));
    };
    let open_to_all = definition.start.is_empty();
    if !open_to_all && !person.positions.iter().any(|held| definition.start.contains(held)) {
        return Err(Refusal::MayNotStart { person: applicant.clone(), positions: definition.start.clone() });
    }
    let evaluate = |formula: &Formula, data: &Record| scope::evaluate_start(applicant, facts, formula, data);
    let mut data =
        form::fill(&definition.form, given, &Record::new(), facts.directory, &evaluate).map_err(Refusal::BadForm)?;
    let prepared = form::prepare(definition, &mut data, &evaluate);
    prepared.and_then(|()| form::compute(&definition.data, &mut data, &evaluate)).map_err(|computed| {
        let title = computed.field.as_str().into();
        Refusal::BadForm(vec![FieldFault { path: Vec::new(), title, what: computed.failure.message }])
    })?;
    let today = facts.calendar.today(facts.now);
    let number = definition.number.as_ref().map(|pattern| pattern.write(today, facts.sequence).into());
    let (key, headline) = run::summary(definition, &data);
    let started = Event::Started {
        instance: run::new_instance(facts),
        process: definition.process.clone(),
        version: definition.version.clone(),
        number,
        title: definition.title.clone(),
        applicant: applicant.clone(),
        data,
        key,
        headline,
    };
    let Some(state) = apply::begin(&started, facts.now, command) else { return Err(Refusal::NoInstance) };
    let now = facts.now;
    let mut run = Run { definition, facts, command, now, state, events: vec![started], drawn: 0 };
    run.tell_acted_for(None);
    run.advance(TokenId(0), Node::Start, On::Next);
    Ok(run)
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
    if matches!(task.kind, TaskKind::Revise { .. }) {
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
    let values = if asks && !human.form.is_empty() {
        let eval = |formula: &Formula, data: &Record| {
            let person = Some(&assignment.person);
            scope::evaluate(&run.state, run.facts, run.now, formula, data, person, Some(given.outcome.as_str()))
        };
        form::fill(&human.form, values, &run.state.data, run.facts.directory, &eval).map_err(Refusal::BadForm)?
    } else {
        Record::new()
    };
    let (assignment, person) = (assignment.id, assignment.person.clone());
    note_answer(run, number, assignment, given)?;
    set(run, values)?;
    let applicant = run.state.applicant.clone();
    if person != applicant {
        run.mail(MailKind::Decided { task: number, assignment }, applicant);
    }
    run.tell_acted_for(Some(number));
    human::after_answer(run, number, human);
    // Whoever is asked to revise is told of the decision by that mail.
    if run.state.tasks.values().any(|open| open.kind == TaskKind::Revise { of: number }) {
        run.drop_decided_mail();
    }
    Ok(())
}

fn hand_in(run: &mut Run<'_>, number: TaskId, given: &Given<'_>, data: &Record) -> Result<(), Refusal> {
    let (task, assignment) = find(run, number, None)?;
    let TaskKind::Revise { of } = task.kind else {
        let step = run.definition.steps.get(&task.step).and_then(|step| step.human());
        let known = step.map(|human| human.outcomes.keys().cloned().collect()).unwrap_or_default();
        return Err(Refusal::NoSuchOutcome { outcome: given.outcome.clone(), known });
    };
    unchanged(run, task, given)?;
    let eval = |formula: &Formula, data: &Record| {
        scope::evaluate(&run.state, run.facts, run.now, formula, data, Some(&assignment.person), None)
    };
    let values = form::fill(&run.definition.form, data, &run.state.data, run.facts.directory, &eval)
        .map_err(Refusal::BadForm)?;
    let assignment = assignment.id;
    note_answer(run, number, assignment, given)?;
    let changed = set(run, values)?;
    run.tell_acted_for(Some(number));
    run.close_task(number, Closed::Decided(given.outcome.clone()));
    revise::go_on(run, of, &changed);
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
        Closed::Cancelled | Closed::WalkedBack => None,
    };
    let by = closed.answers.last().map(|answer| answer.person.clone());
    Refusal::TaskClosed(Box::new(TaskOver { step: closed.step.clone(), outcome, by, at: closed.at }))
}

/// Separation of duties: whose case it is decides no approval of it, by whatever way they came to be asked.
fn separate(run: &Run<'_>, human: &Human, kind: TaskKind, person: &PersonId) -> Result<(), Refusal> {
    let own = *person == run.state.applicant || *person == run.state.starter;
    if own && run.decides(kind) && human.policy.own_case != OwnCase::Allow {
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

fn set(run: &mut Run<'_>, values: Record) -> Result<Record, Refusal> {
    run.set(values).map_err(|computed| {
        let title = computed.field.as_str().into();
        Refusal::BadForm(vec![FieldFault { path: Vec::new(), title, what: computed.failure.message }])
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
    if *person != run.state.applicant && *person != run.state.starter {
        return Err(Refusal::NotApplicant(person.clone()));
    }
    stop(run, outcome::WITHDRAWN, reason)
}

fn cancel(run: &mut Run<'_>, reason: Option<&Arc<str>>) -> Result<(), Refusal> {
    running(run)?;
    if !matches!(run.command.actor, Actor::Operator { .. }) {
        return Err(Refusal::NotOperator);
    }
    stop(run, outcome::CANCELLED, reason)
}

fn stop(run: &mut Run<'_>, outcome: &str, reason: Option<&Arc<str>>) -> Result<(), Refusal> {
    let reason = words(reason);
    short_enough(reason.as_deref())?;
    run.tell_acted_for(None);
    run.end(outcome.into(), reason);
    Ok(())
}

fn resend(run: &mut Run<'_>, id: AssignmentId) -> Result<(), Refusal> {
    running(run)?;
    let Some((task, _, open)) = run.state.assignment(id) else { return Err(Refusal::NoTask) };
    let (kind, to) = (MailKind::FreshLink { task, assignment: id }, open.person.clone());
    run.mail(kind, to);
    Ok(())
}

fn wake(run: &mut Run<'_>) -> Result<(), Refusal> {
    let due: Vec<(TimerId, TaskId, TimerKind)> = run
        .state
        .timers
        .iter()
        .filter(|(_, timer)| timer.at <= run.facts.now)
        .map(|(number, timer)| (*number, timer.task, timer.kind))
        .collect();
    if due.is_empty() {
        return Err(Refusal::NothingDue);
    }
    let mut reminded = Vec::new();
    for (timer, task, kind) in due {
        run.emit(Event::TimerFired { timer });
        match kind {
            // Two reminders that came due while nobody was at work are one.
            TimerKind::Remind if !reminded.contains(&task) => {
                reminded.push(task);
                human::remind(run, task);
            }
            TimerKind::Remind => {}
        }
    }
    Ok(())
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
