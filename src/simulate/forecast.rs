//! One start, and the whole future: everybody answers at a stated pace, until the case ends or nobody is asked.
//!
//! Who answers gives the first answer of a step, which is the usual one, unless the answers say otherwise; what a
//! form requires and nobody said is filled in with plausible values.

use super::fill::{Filler, without};
use super::world::{Mail, World, person};
use crate::engine::command::Ask;
use crate::engine::data_of;
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::state::{Task, TaskKind};
use crate::model::definition::{Definition, outcome};
use crate::model::form::Form;
use crate::model::id::{Outcome, PersonId, ProcessId, StepId, TaskId};
use crate::model::people::Directory;
use crate::model::time::{Calendar, Duration};
use crate::model::value::Record;
use chrono::{DateTime, Utc};
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
        let step = task.step.clone();
        let Some((form, ask)) = self.asked(world, &due) else { return };
        let mut filler = Filler::new(world.directory(), world.calendar(), world.now(), &due.by);
        let mut answer = ask.clone();
        let refusal = loop {
            match &mut answer {
                Ask::Revise { data: values, .. } | Ask::Decide { values, .. } => *values = filler.form(&form),
                _ => {}
            }
            match world.ask(due.case, person(&due.by), answer.clone()) {
                Ok(_) => return,
                Err(Refusal::BadForm(faults)) if filler.learn(&faults) => {}
                Err(refusal) => break refusal,
            }
        };
        self.refused.push((due.case, due.task));
        let what = Happened::Refused(step, due.by, Box::new(refusal));
        self.happened.push(Happening { at: world.now(), case: due.case, what });
    }

    /// What somebody is going to say, and the form that goes with it.
    fn asked(&mut self, world: &World<'_>, due: &Due) -> Option<(Form, Ask)> {
        let case = world.cases().get(due.case)?;
        let task = case.state.tasks.get(&due.task)?;
        let current = data_of(case.definition, &case.state, task);
        if let TaskKind::Revise { .. } | TaskKind::Begin = task.kind {
            let begins = task.kind == TaskKind::Begin;
            let form = if begins { without(&case.definition.form, &current) } else { Form::default() };
            return Some((form, Ask::Revise { task: due.task, data: Record::new(), note: None, seen: None }));
        }
        let human = case.definition.steps.get(&task.step)?.human()?;
        let said = self.answers.get_mut(&task.step);
        let said = said.and_then(|said| if said.len() > 1 { Some(said.remove(0)) } else { said.first().cloned() });
        let outcome = said.or_else(|| human.outcomes.keys().next().cloned())?;
        let refuses = [outcome::REJECTED, outcome::RETURNED].contains(&outcome.as_str());
        // What is asked again stays as it is.
        let form = if refuses { Form::default() } else { without(&case.definition.asked_at(&task.step), &current) };
        let ask = Ask::Decide {
            task: due.task,
            assignment: None,
            opinion: human.outcomes.get(&outcome).filter(|answering| answering.opinion).map(|_| "…".into()),
            outcome,
            values: Record::new(),
            seen: None,
        };
        Some((form, ask))
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
