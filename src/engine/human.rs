//! What approvals and tasks have in common: asking people, and taking their answers.
//!
//! ```text
//! ask → TaskOpened, a mail an assignment, timers for its reminders
//! answer → Answered, then, once the vote is decided: TaskClosed and the token leaves, or TaskParked and the
//!          applicant is asked to revise
//! ```

use super::Facts;
use super::event::{Closed, Event, OpenedAssignment, OpenedTask, Trouble};
use super::people::{self, Candidate, Seats};
use super::revise;
use super::run::Run;
use super::scope::Place;
use super::state::{ClosedTask, MailKind, Owner, State, Task, TaskKind, TimerKind, Waiting};
use super::step::{Flow, trouble};
use super::{unasked, vote};
use crate::model::definition::{Definition, Human, Mode, StepKind, outcome};
use crate::model::form::{FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::graph::{Node, On};
use crate::model::id::{AssignmentId, Outcome, PersonId, ScopeId, StepId, TaskId, TokenId};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::borrow::Cow;

/// Asks the people of a step that control comes to.
pub(super) fn ask(run: &mut Run<'_>, token: TokenId, id: &StepId, human: &Human, kind: TaskKind) -> Flow {
    let task = TaskId(run.state.next.task);
    let opened = open(run, task, token, id, human, kind, 1);
    match opened.or_else(|what| if passes_by(run, token, id) { Ok(false) } else { Err(what) }) {
        Ok(true) => Flow::Wait,
        Ok(false) => {
            run.emit(Event::Skipped { token, step: id.clone() });
            unasked::left(run, token, id);
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
    let opened = open(run, task, token, &id, human, kind, round);
    // Whoever returned it is asked again whatever was revised, unless that took away who they are.
    match opened.or_else(|what| if passes_by(run, token, &id) { Ok(false) } else { Err(what) }) {
        Ok(true) => {}
        Ok(false) => {
            run.close_task(task, Closed::Cancelled);
            run.emit(Event::Skipped { token, step: id.clone() });
            unasked::left(run, token, &id);
            run.advance(token, Node::Step(id), On::Next);
        }
        Err(what) => {
            run.close_task(task, Closed::Cancelled);
            run.emit(Event::IncidentRaised { token, step: id, what });
        }
    }
}

/// Whether a case that came to a step for the first time would pass it by.
fn passes_by(run: &Run<'_>, token: TokenId, id: &StepId) -> bool {
    let when = run.definition.steps.get(id).and_then(|step| step.when.as_ref());
    when.is_some_and(|when| matches!(run.evaluate(token, when, None), Ok(Value::Boolean(false))))
}

/// Whether a step returned the case, which has walked back from it, and nobody was asked in it since: on its way it
/// comes to whoever returned it, even where `when` holds no more.
pub(super) fn is_owed(run: &Run<'_>, token: TokenId, id: &StepId) -> bool {
    let row = super::scope::row_scope(&run.state, run.scope_of(token));
    let asked = |task: &&ClosedTask| {
        task.step == *id && task.row == row && matches!(task.kind, TaskKind::Approve | TaskKind::Work)
    };
    run.state.closed.values().rfind(asked).is_some_and(|task| task.how == Closed::WalkedBack)
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
    let seats = match people::seats(run, token, id, human, kind)? {
        Seats::Filled(seats) => seats,
        Seats::Skip => return Ok(false),
    };
    let due = due(run, token, id)?;
    open_task(
        run,
        task,
        OpenedTask { token, step: id.clone(), kind, round, mode: human.mode, seats: 0, assignments: Vec::new(), due },
        &seats,
    );
    for remind in &human.remind {
        let Some(value) = time(run, token, id, remind, "remind")? else { continue };
        let at = match &value {
            Value::Duration(after) => run.facts.calendar.add(run.now, *after),
            other => moment(run, other),
        };
        // A reminder in the past is none.
        if let Some(at) = at.filter(|at| *at > run.now) {
            run.set_timer(Owner::Task(task), TimerKind::Remind, at);
        }
    }
    watch(run, Owner::Task(task), id, due);
    if !human.quiet {
        mail_all(run, task);
    }
    Ok(true)
}

/// Lets a token wait for something other than people.
pub(super) fn wait(run: &mut Run<'_>, token: TokenId, id: &StepId, waits: Waiting) -> Result<(), Trouble> {
    let due = due(run, token, id)?;
    run.emit(Event::WaitBegun { token, waits: Box::new(waits), due });
    watch(run, Owner::Token(token), id, due);
    Ok(())
}

/// Until when a step that is entered now is to be done.
fn due(run: &Run<'_>, token: TokenId, id: &StepId) -> Result<Option<DateTime<Utc>>, Trouble> {
    let Some(due) = run.definition.steps.get(id).and_then(|step| step.due()) else { return Ok(None) };
    match time(run, token, id, due, "due")? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => deadline(run, &value).map(Some).ok_or_else(|| no_such_time("due")),
    }
}

/// A time of a step. One that is asked though its `when` holds no more has none where it reads what is not there: that
/// it would be there was proved of its `when`.
fn time(run: &Run<'_>, token: TokenId, id: &StepId, formula: &Formula, place: &str) -> Result<Option<Value>, Trouble> {
    match run.evaluate(token, formula, None) {
        Ok(value) => Ok(Some(value)),
        Err(_) if passes_by(run, token, id) => Ok(None),
        Err(failure) => Err(trouble(place, &failure)),
    }
}

/// Sets the timer of a step that says what happens where it is overdue.
fn watch(run: &mut Run<'_>, of: Owner, id: &StepId, due: Option<DateTime<Utc>>) {
    let says = run.definition.steps.get(id).is_some_and(|step| step.overdue.is_some());
    if let Some(due) = due.filter(|_| says) {
        run.set_timer(of, TimerKind::Overdue, due);
    }
}

/// Asks the applicant of a called or scheduled case for what its start form lacks.
pub(super) fn ask_beginning(run: &mut Run<'_>, token: TokenId) {
    let opened = OpenedTask {
        token,
        step: super::state::START.into(),
        kind: TaskKind::Begin,
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

/// The form that a task asks to be filled in: the step's own with the fields that it asks again, or for a revision that of the case or of its row.
pub fn form_of<'a>(definition: &'a Definition, state: &State, task: &Task) -> Cow<'a, Form> {
    match task.kind {
        TaskKind::Approve | TaskKind::Work => definition.asked_at(&task.step),
        TaskKind::Begin => Cow::Borrowed(&definition.form),
        TaskKind::Revise { .. } => Cow::Borrowed(row_form(definition, state, task.token).unwrap_or(&definition.form)),
    }
}

/// The columns of the list whose row a token is in.
fn row_form<'a>(definition: &'a Definition, state: &State, token: TokenId) -> Option<&'a Form> {
    let scope = super::scope::row_scope(state, state.tokens.get(&token)?.scope)?;
    let block = state.scopes.get(&scope)?.block;
    let step = definition.graph.block_at(block)?.of.as_ref()?;
    let StepKind::Each(each) = &definition.steps.get(step)?.kind else { return None };
    match &definition.fields().find(|(name, _)| **name == each.list)?.1.kind {
        FieldKind::List(columns) if !each.plain => Some(columns),
        _ => None,
    }
}

/// What a task's reader sees: the fields of the case, the rows around it under their names, and the columns of its
/// own row beside them, where its form asks them again.
pub fn data_of(definition: &Definition, state: &State, task: &Task) -> Record {
    let scope = state.tokens.get(&task.token).map_or(ScopeId(0), |token| token.scope);
    let mut data = super::scope::data(state, scope).into_owned();
    if let Some(row) = super::scope::rows(state, scope).next() {
        for name in form_of(definition, state, task).keys() {
            if let Some(value) = row.columns.get(name) {
                data.insert(name.clone(), value.clone());
            }
        }
    }
    data
}

/// What stands in a task's form before anybody typed: what its reader sees, and the defaults of its fields. A revision
/// shows what was handed in: what was left empty then stays so.
pub fn proposed(definition: &Definition, state: &State, task: &Task, assignee: &PersonId, facts: &Facts<'_>) -> Record {
    let mut data = data_of(definition, state, task);
    if !matches!(task.kind, TaskKind::Revise { .. }) {
        let scope = state.tokens.get(&task.token).map_or(ScopeId(0), |token| token.scope);
        let place = Place { assignee: Some(assignee), ..Place::new(state, scope) };
        let evaluate = |formula: &Formula, data: &Record| place.evaluate(facts, facts.now, formula, data);
        super::form::propose(&form_of(definition, state, task), &mut data, &evaluate);
    }
    data
}

/// Asks the applicant to revise the case, for a task that was returned.
pub(super) fn ask_revision(run: &mut Run<'_>, of: TaskId) {
    run.clear_timers(Owner::Task(of));
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
    for (assignment, person) in asked(run, Some(task)) {
        run.mail(MailKind::Assigned { task, assignment }, person);
    }
}

/// Who is asked in a task and has not answered.
pub(super) fn asked(run: &Run<'_>, task: Option<TaskId>) -> Vec<(AssignmentId, PersonId)> {
    let task = task.and_then(|task| run.state.tasks.get(&task));
    task.map(|task| task.assignments.iter().map(|open| (open.id, open.person.clone())).collect()).unwrap_or_default()
}

/// What follows from an answer that was just noted, and changed these fields: nothing yet, or the task is decided
/// and control moves on.
pub(super) fn after_answer(run: &mut Run<'_>, number: TaskId, human: &Human, changed: &Record) {
    let Some(task) = run.state.tasks.get(&number) else { return };
    let Some(outcome) = vote::verdict(task, human) else { return };
    let (token, id) = (task.token, task.step.clone());
    let on = On::Outcome(outcome.clone());
    let walks = run.definition.graph.next(&Node::Step(id.clone()), &on).is_some();
    if outcome.as_str() == outcome::RETURNED && !walks {
        return ask_revision(run, number);
    }
    leave(run, number, token, id, outcome, changed);
}

fn leave(run: &mut Run<'_>, number: TaskId, token: TokenId, id: StepId, outcome: Outcome, changed: &Record) {
    // Where what was changed here re-opens an earlier decision, this step comes again after it.
    let reopened = revise::reopened(run, token, &id, changed);
    let copies = if reopened.is_some() { Ok(Vec::new()) } else { copied(run, token, &id, &outcome) };
    let copies = match copies {
        Ok(copies) => copies,
        Err(what) => {
            run.close_task(number, Closed::Cancelled);
            return run.emit(Event::IncidentRaised { token, step: id, what });
        }
    };
    let late = run.is_late(number);
    let by = run.state.tasks.get(&number).map(|task| vote::voters(&task.answers)).unwrap_or_default();
    run.close_task(number, Closed::Decided(outcome.clone()));
    // The applicant is told of every decision.
    for person in copies.into_iter().filter(|person| *person != run.state.applicant).collect::<Vec<_>>() {
        run.mail(MailKind::Notice { step: id.clone() }, person);
    }
    if [outcome::REJECTED, outcome::RETURNED].contains(&outcome.as_str()) {
        unasked::left(run, token, &id);
    }
    run.left(token, &id, outcome.clone(), by, late);
    match reopened {
        Some(target) => run.enter(token, target),
        None => run.advance(token, Node::Step(id), On::Outcome(outcome)),
    }
}

/// Whom a step tells that it came to an outcome, each once.
pub(super) fn copied(run: &Run<'_>, token: TokenId, id: &StepId, outcome: &Outcome) -> Result<Vec<PersonId>, Trouble> {
    let human = run.definition.steps.get(id).and_then(|step| step.human());
    let who = human.and_then(|human| human.copy.get(outcome));
    who.map_or_else(|| Ok(Vec::new()), |who| people::told(run, token, who, "copy"))
}

/// Reminds everyone who is still asked.
pub(super) fn remind(run: &mut Run<'_>, task: TaskId) {
    for (assignment, person) in asked(run, Some(task)) {
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
pub(super) fn moment(run: &Run<'_>, value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Date(date) => Some(run.facts.calendar.opening(*date)),
        Value::DateTime(moment) => Some(moment.instant(run.facts.calendar.zone)),
        _ => None,
    }
}

pub(super) fn no_such_time(place: &str) -> Trouble {
    Trouble::Expression {
        place: place.into(),
        zh: "这个时间太远（工作时间最多算十年），或日历里没有工作时间。".into(),
        en: "This time is too far away (working time is counted for ten years at most), or the calendar has no working hours."
            .into(),
    }
}
