//! One start, and the whole future: everybody answers at a stated pace, until the case ends or nobody is asked.
//!
//! Who answers gives the first answer of a step, which is the usual one, unless the answers say otherwise; what a
//! form requires and nobody said is filled in with the first value that fits.

use super::world::{Mail, World, person};
use crate::engine::command::Ask;
use crate::engine::data_of;
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::state::{Task, TaskKind};
use crate::model::definition::{Definition, outcome};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Op;
use crate::model::id::{Outcome, PersonId, ProcessId, StepId, TaskId};
use crate::model::people::Directory;
use crate::model::time::{Calendar, Duration};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The most things that happen before it is called endless.
const MOST: usize = 1_000;

/// When people answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So long after they are asked.
    After(Duration),
    /// At the last moment: their due time; a working day later where there is none.
    Due,
}

/// What is asked of the future.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Which process.
    pub process: &'a ProcessId,
    /// Who starts it.
    pub by: &'a PersonId,
    /// With which form.
    pub data: Record,
    /// When.
    pub from: DateTime<Utc>,
    /// When people answer.
    pub pace: Pace,
    /// What they answer at which step, in turn; the last holds on.
    pub answers: BTreeMap<StepId, Vec<Outcome>>,
}

/// Something that will happen.
#[derive(Clone, Debug)]
pub struct Happening {
    /// When.
    pub at: DateTime<Utc>,
    /// Which case.
    pub case: usize,
    /// What.
    pub what: Happened,
}

/// What will happen.
#[derive(Clone, Debug)]
pub enum Happened {
    /// The case begins.
    Started(PersonId),
    /// People are asked.
    Asked(StepId, Vec<PersonId>, Option<DateTime<Utc>>),
    /// Somebody answers.
    Answered(StepId, PersonId, Outcome),
    /// A step is passed.
    Skipped(StepId),
    /// A mail goes out: its number among the mails of the world.
    Mailed(usize),
    /// It stops for an operator.
    Stopped(StepId),
    /// It ends.
    Ended(Outcome),
    /// An answer is refused: the simulation cannot go on there.
    Refused(StepId, PersonId, Box<Refusal>),
}

/// Plays a start to its end. The world is handed back with everything that happened in it.
///
/// # Errors
/// Why the start is refused.
pub fn forecast<'a>(
    definitions: &'a [Definition],
    directory: &'a Directory,
    calendar: &'a Calendar,
    question: &Question<'_>,
) -> Result<(World<'a>, Vec<Happening>), Refusal> {
    let mut world = World::new(definitions, directory, calendar, question.from);
    world.start(question.process, question.by, question.data.clone())?;
    let mut future = Future {
        question,
        answers: question.answers.clone(),
        refused: Vec::new(),
        told: Vec::new(),
        mails: 0,
        happened: Vec::new(),
    };
    future.read(&world);
    for _ in 0..MOST {
        let answer = future.next(&world);
        let wake = world.next_wake();
        match (answer, wake) {
            (Some(answer), wake) if wake.is_none_or(|wake| answer.at < wake) => {
                world.advance(answer.at);
                future.answer(&mut world, answer);
            }
            (_, Some(wake)) => world.advance(wake),
            (_, None) => break,
        }
        future.read(&world);
    }
    Ok((world, future.happened))
}

/// What somebody is going to answer.
struct Due {
    at: DateTime<Utc>,
    case: usize,
    task: TaskId,
    by: PersonId,
}

struct Future<'q> {
    question: &'q Question<'q>,
    answers: BTreeMap<StepId, Vec<Outcome>>,
    /// Tasks whose answer was refused: they are not answered again.
    refused: Vec<(usize, TaskId)>,
    /// How many entries of each case are told.
    told: Vec<usize>,
    mails: usize,
    happened: Vec<Happening>,
}

impl Future<'_> {
    /// The next answer of anybody.
    fn next(&self, world: &World<'_>) -> Option<Due> {
        let mut next: Option<Due> = None;
        for (number, case) in world.cases().iter().enumerate() {
            for (id, task) in &case.state.tasks {
                if task.parked || self.refused.contains(&(number, *id)) {
                    continue;
                }
                let open = |one: &&crate::engine::state::Assignment| {
                    !task.answers.iter().any(|answer| answer.assignment == one.id)
                };
                let Some(by) = task.assignments.iter().find(open).map(|one| one.person.clone()) else { continue };
                let at = self.when(world, task).max(world.now());
                if next.as_ref().is_none_or(|known| at < known.at) {
                    next = Some(Due { at, case: number, task: *id, by });
                }
            }
        }
        next
    }

    fn when(&self, world: &World<'_>, task: &Task) -> DateTime<Utc> {
        let after = |duration| world.calendar().add(task.opened_at, duration).unwrap_or(task.opened_at);
        match self.question.pace {
            Pace::After(duration) => after(duration),
            Pace::Due => task.due.unwrap_or_else(|| after(Duration::WorkingDays(1))),
        }
    }

    fn answer(&mut self, world: &mut World<'_>, due: Due) {
        let Some(case) = world.cases().get(due.case) else { return };
        let Some(task) = case.state.tasks.get(&due.task) else { return };
        let (definition, step) = (case.definition, task.step.clone());
        let ask = if let TaskKind::Revise { .. } | TaskKind::Begin = task.kind {
            let data =
                if task.kind == TaskKind::Begin { filled(&definition.form, world, &due.by) } else { Record::new() };
            Ask::Revise { task: due.task, data, note: None, seen: None }
        } else {
            let Some(human) = definition.steps.get(&step).and_then(|step| step.human()) else { return };
            let said = self
                .answers
                .get_mut(&step)
                .and_then(|said| if said.len() > 1 { Some(said.remove(0)) } else { said.first().cloned() });
            let Some(outcome) = said.or_else(|| human.outcomes.keys().next().cloned()) else { return };
            let refuses = [outcome::REJECTED, outcome::RETURNED].contains(&outcome.as_str());
            let values = if refuses {
                Record::new()
            } else {
                // What is asked again stays as it is.
                let current = data_of(definition, &case.state, task);
                let mut form = definition.asked_at(&step).into_owned();
                form.retain(|name, _| !human.edit.contains(name) || current.get(name).is_none_or(Value::is_null));
                filled(&form, world, &due.by)
            };
            Ask::Decide {
                task: due.task,
                assignment: None,
                opinion: human.outcomes.get(&outcome).filter(|answering| answering.opinion).map(|_| "…".into()),
                outcome,
                values,
                seen: None,
            }
        };
        if let Err(refusal) = world.ask(due.case, person(&due.by), ask) {
            self.refused.push((due.case, due.task));
            let what = Happened::Refused(step, due.by, Box::new(refusal));
            self.happened.push(Happening { at: world.now(), case: due.case, what });
        }
    }

    /// Tells what happened since it was last looked at.
    fn read(&mut self, world: &World<'_>) {
        for (number, case) in world.cases().iter().enumerate() {
            if self.told.len() <= number {
                self.told.push(0);
            }
            let told = self.told.get(number).copied().unwrap_or(0);
            for entry in case.log.get(told..).unwrap_or_default() {
                for event in &entry.events {
                    let by = entry.command.actor.person();
                    if let Some(what) = happened(&case.state, event, by) {
                        self.happened.push(Happening { at: entry.at, case: number, what });
                    }
                }
            }
            if let Some(told) = self.told.get_mut(number) {
                *told = case.log.len();
            }
        }
        for (number, mail) in world.mails().iter().enumerate().skip(self.mails) {
            self.happened.push(Happening { at: mail.at, case: mail.case, what: Happened::Mailed(number) });
        }
        self.mails = world.mails().len();
    }
}

fn happened(state: &crate::engine::state::State, event: &Event, by: Option<&PersonId>) -> Option<Happened> {
    Some(match event {
        Event::Started { applicant, .. } => Happened::Started(applicant.clone()),
        Event::TaskOpened { opened, .. } => {
            let people = opened.assignments.iter().map(|one| one.person.clone()).collect();
            Happened::Asked(opened.step.clone(), people, opened.due)
        }
        Event::Answered { task, outcome, .. } => {
            let open = state.tasks.get(task).map(|task| task.step.clone());
            let step = open.or_else(|| state.closed.get(task).map(|task| task.step.clone()))?;
            Happened::Answered(step, by?.clone(), outcome.clone())
        }
        Event::Skipped { step, .. } => Happened::Skipped(step.clone()),
        Event::IncidentRaised { step, .. } => Happened::Stopped(step.clone()),
        Event::Ended { outcome, .. } => Happened::Ended(outcome.clone()),
        _ => return None,
    })
}

/// What mails are for, as tests name it.
pub fn kind(mail: &Mail) -> &'static str {
    super::expect::kind_of(mail)
}

/// A form with the first value that fits wherever one is required.
fn filled(form: &Form, world: &World<'_>, by: &PersonId) -> Record {
    let needs = |field: &&Field| field.required && field.value.is_none() && field.default.is_none();
    let asked = form.iter().filter(|(_, field)| needs(field));
    asked.map(|(name, field)| (name.clone(), fitting(field, world, by))).collect()
}

fn fitting(field: &Field, world: &World<'_>, by: &PersonId) -> Value {
    let one = match &field.kind {
        FieldKind::Text | FieldKind::LongText => Value::text("…"),
        FieldKind::Integer | FieldKind::Decimal | FieldKind::Money | FieldKind::Percent => {
            let least = field.min.as_ref().and_then(|min| match min.root.op() {
                Op::Literal(Value::Number(least)) => Some(*least),
                _ => None,
            });
            Value::Number(least.unwrap_or(Decimal::ONE))
        }
        FieldKind::Boolean => Value::Boolean(true),
        FieldKind::Date => Value::Date(world.calendar().today(world.now())),
        FieldKind::DateTime => Value::DateTime(crate::model::time::Moment::utc(world.now())),
        FieldKind::Duration => Value::Duration(Duration::WorkingDays(1)),
        FieldKind::Choice(options) => options.keys().next().map_or(Value::Null, |first| Value::Text(first.clone())),
        FieldKind::Person(_) => Value::Person(by.clone()),
        FieldKind::Position => {
            let held = world.directory().people.get(by).and_then(|person| person.positions.first().cloned());
            held.map_or(Value::Null, Value::Position)
        }
        FieldKind::Department => world.directory().department_of(by).cloned().map_or(Value::Null, Value::Department),
        // A file cannot be made up.
        FieldKind::File(_) => Value::Null,
        FieldKind::List(columns) => Value::List(vec![Value::Record(filled(columns, world, by))]),
    };
    if field.many { Value::List(vec![one]) } else { one }
}
