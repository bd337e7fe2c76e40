//! One start, and the whole future: everybody answers at a stated pace, until the case ends or nobody is asked.
//!
//! Who answers gives the first answer of a step, which is the usual one, unless the answers say otherwise; what a
//! form requires and nobody said is filled in with plausible values. What comes from outside comes where the answers
//! say how, at once and with plausible values; nothing comes of itself.
//!
//! A future without an end is told up to where it repeats itself: a step that is come to again and again, or a
//! reminder that goes on for ever.

use super::brought::brought;
use super::fill::{Filler, completed};
use super::world::{Case, Mail, World, person};
use crate::engine::command::{Actor, Ask};
use crate::engine::data_of;
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::state::{Owner, Task, TaskKind, TimerKind, Waiting};
use crate::model::definition::{Definition, outcome};
use crate::model::form::Form;
use crate::model::id::{Outcome, PersonId, ProcessId, StepId, TaskId, TokenId};
use crate::model::people::Directory;
use crate::model::text::{Lang, Wording};
use crate::model::time::{Calendar, Duration};
use crate::model::value::Record;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// The most things that happen before it is called endless.
const MOST: usize = 1_000;
/// How often a step is come to before it is called a circle.
pub const ROUNDS: usize = 20;
/// How often a reminder goes out that nothing but more of its kind follows.
const REMINDERS: usize = 3;

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
    /// What they answer at which step, in turn; the last holds on. Of a step that waits for something outside: how
    /// that goes, `done` or `failed`.
    pub answers: BTreeMap<StepId, Vec<Outcome>>,
    /// What the forms of steps hold, whenever they are asked; what is not said is made up where it is required.
    pub values: BTreeMap<StepId, Record>,
    /// The language of texts that are made up.
    pub lang: Lang,
}

/// Why a future is not told any further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Everything is over, or nobody is going to do anything any more.
    Still,
    /// This step of a case is come to again and again.
    Circle(usize, StepId),
    /// Reminders of this step of a case go out for ever.
    Reminders(usize, StepId),
    /// Too much happens.
    Long,
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
    /// Somebody answers, and fills in what nobody said.
    Answered(StepId, PersonId, Outcome, Record),
    /// What a step waits for outside comes, or fails.
    Came(StepId, Outcome),
    /// Nobody answered in time; what time then made of it, where it decides.
    Overdue(StepId, Option<Outcome>),
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

/// Plays a start to its end. The world is handed back with everything that happened in it, and why no more of it.
///
/// # Errors
/// Why the start is refused.
pub fn forecast<'a>(
    definitions: &'a [Definition],
    directory: &'a Directory,
    calendar: &'a Calendar,
    question: &Question<'_>,
) -> Result<(World<'a>, Vec<Happening>, Stopped), Refusal> {
    let mut world = World::new(definitions, directory, calendar, question.from);
    world.start(question.process, question.by, question.data.clone())?;
    let mut future = Future {
        question,
        answers: question.answers.clone(),
        refused: Vec::new(),
        told: Vec::new(),
        mails: 0,
        happened: Vec::new(),
        spent: BTreeMap::new(),
        entered: BTreeMap::new(),
        reminders: 0,
        acted: 0,
        made_up: Record::new(),
    };
    future.read(&world);
    let mut stopped = Stopped::Long;
    for _ in 0..MOST {
        if future.outside(&mut world) {
            future.read(&world);
        } else {
            let answer = future.next(&world);
            let wake = world.next_wake();
            match (answer, wake) {
                (Some(answer), wake) if wake.is_none_or(|wake| answer.at < wake) => {
                    world.advance(answer.at);
                    future.answer(&mut world, answer);
                }
                (answer, Some(wake)) => {
                    if let Some(on) = only_reminders(&world).filter(|_| answer.is_none()) {
                        if future.reminders == REMINDERS {
                            stopped = on;
                            break;
                        }
                        future.reminders += 1;
                    }
                    world.advance(wake);
                }
                (_, None) => {
                    stopped = Stopped::Still;
                    break;
                }
            }
            future.read(&world);
        }
        if let Some(circle) = future.circle() {
            stopped = circle;
            break;
        }
    }
    Ok((world, future.happened, stopped))
}

/// Where reminders go on, if nothing else is ever going to happen by itself.
fn only_reminders(world: &World<'_>) -> Option<Stopped> {
    let cases = world.cases().iter().enumerate();
    let mut timers =
        cases.flat_map(|(number, case)| case.state.timers.values().map(move |timer| (number, case, timer)));
    let (number, case, timer) = timers.clone().next()?;
    if timers.any(|(_, _, timer)| timer.kind != TimerKind::Again) {
        return None;
    }
    let step = match timer.of {
        Owner::Task(task) => case.state.tasks.get(&task).map(|task| task.step.clone()),
        Owner::Token(token) => case.state.tokens.get(&token).and_then(|token| token.step.clone()),
    };
    step.map(|step| Stopped::Reminders(number, step))
}

/// What somebody is going to answer.
struct Due {
    at: DateTime<Utc>,
    case: usize,
    task: TaskId,
    by: PersonId,
}

/// A form that somebody hands in.
struct Asked {
    form: Form,
    /// What it holds before anything is made up.
    held: Record,
    /// What of that is said of the step.
    said: Record,
    /// The answer that goes with it.
    ask: Ask,
}

/// A step of a case; in a row of an `each`, of each row.
type Place = (usize, StepId, Option<TokenId>);

struct Future<'q> {
    question: &'q Question<'q>,
    answers: BTreeMap<StepId, Vec<Outcome>>,
    /// Where the last thing that is said of a step was said already, and of which task: what is asked there again is
    /// answered as usual, or a rejected case would come round for ever.
    spent: BTreeMap<Place, Option<TaskId>>,
    /// Tasks whose answer was refused: they are not answered again.
    refused: Vec<(usize, TaskId)>,
    /// How many entries of each case are told.
    told: Vec<usize>,
    mails: usize,
    happened: Vec<Happening>,
    /// How often each step of a case was come to.
    entered: BTreeMap<Place, usize>,
    reminders: usize,
    /// The case in which something was done last: what that led to in others comes after it.
    acted: usize,
    /// What was made up for the answer that was given last.
    made_up: Record,
}

impl Future<'_> {
    /// The step that is come to again and again.
    fn circle(&self) -> Option<Stopped> {
        let found = self.entered.iter().find(|(_, times)| **times > ROUNDS);
        found.map(|((case, step, _), _)| Stopped::Circle(*case, step.clone()))
    }

    /// What is said of a step, this time.
    fn said(&mut self, step: &StepId) -> Option<Outcome> {
        let said = self.answers.get_mut(step)?;
        if said.len() > 1 { Some(said.remove(0)) } else { said.first().cloned() }
    }

    /// Lets the first thing come from outside that somebody waits for and the answers speak of; whether there was one.
    fn outside(&mut self, world: &mut World<'_>) -> bool {
        let waits = |(number, case): (usize, &Case<'_>)| {
            let tokens = case.state.tokens.iter().filter(|(_, token)| token.incident.is_none());
            let mut tokens = tokens.filter_map(|(id, token)| Some((*id, token.step.clone()?, token.waits.clone()?)));
            tokens
                .find(|(_, step, waits)| {
                    let tried =
                        matches!(waits, Waiting::Http { at, .. } | Waiting::Job { at, .. } if *at > world.now());
                    is_outside(waits) && !tried && self.answers.contains_key(step)
                })
                .map(|found| (number, found))
        };
        let Some((case, (token, step, waits))) = world.cases().iter().enumerate().find_map(waits) else { return false };
        let Some(outcome) = self.said(&step) else { return false };
        let failed = outcome.as_str() == outcome::FAILED;
        let data =
            world.cases().get(case).map(|case| brought(world, case, &step, self.question.lang)).unwrap_or_default();
        let ask = match waits {
            Waiting::Message { name, key, .. } => {
                let message = format!("made-up-{}", self.happened.len()).into();
                Ask::Deliver { token, message, name, key, data }
            }
            Waiting::Http { attempt, .. } | Waiting::Job { attempt, .. } if failed => {
                let what = Wording::new("假设失败", "taken to fail");
                Ask::Fail { token, attempt, what, permanent: true, after: None }
            }
            Waiting::Http { attempt, .. } | Waiting::Job { attempt, .. } => Ask::Answer { token, attempt, data },
            _ => return false,
        };
        self.acted = case;
        self.happened.push(Happening { at: world.now(), case, what: Happened::Came(step.clone(), outcome) });
        if world.ask(case, Actor::System, ask).is_err() {
            // It is not said again; the case stays as it is.
            self.answers.remove(&step);
        }
        true
    }

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
                let at = self.when(world, case.definition, task).max(world.now());
                if next.as_ref().is_none_or(|known| at < known.at) {
                    next = Some(Due { at, case: number, task: *id, by });
                }
            }
        }
        next
    }

    fn when(&self, world: &World<'_>, definition: &Definition, task: &Task) -> DateTime<Utc> {
        let after = |duration| world.calendar().add(task.opened_at, duration).unwrap_or(task.opened_at);
        match self.question.pace {
            Pace::After(duration) => after(duration),
            Pace::Due => {
                let overdue = definition.steps.get(&task.step).and_then(|step| step.overdue.as_ref());
                // Where time takes the step away then, the last moment is just before.
                let taken = overdue.is_some_and(|overdue| overdue.then.is_some());
                let last = |due: DateTime<Utc>| if taken { due - TimeDelta::minutes(1) } else { due };
                task.due.map_or_else(|| after(Duration::WorkingDays(1)), last)
            }
        }
    }

    fn answer(&mut self, world: &mut World<'_>, due: Due) {
        let Some(case) = world.cases().get(due.case) else { return };
        let Some(task) = case.state.tasks.get(&due.task) else { return };
        let step = task.step.clone();
        self.acted = due.case;
        let Some(Asked { form, held, said, ask }) = self.asked(world, &due) else { return };
        let mut filler = Filler::new(world.directory(), world.calendar(), world.now(), &due.by, self.question.lang);
        let mut answer = ask.clone();
        let refusal = loop {
            let made_up = filler.form(&form, &held);
            if let Ask::Revise { data: values, .. } | Ask::Decide { values, .. } = &mut answer {
                *values = completed(&said, &made_up, &held);
            }
            match world.ask(due.case, person(&due.by), answer.clone()) {
                Ok(_) => {
                    self.made_up = made_up;
                    return;
                }
                Err(Refusal::BadForm(faults)) if filler.learn(&form, &held, &faults) => {}
                Err(refusal) => break refusal,
            }
        };
        self.refused.push((due.case, due.task));
        let what = Happened::Refused(step, due.by, Box::new(refusal));
        self.happened.push(Happening { at: world.now(), case: due.case, what });
    }

    /// What somebody is going to say, and the form that goes with it.
    fn asked(&mut self, world: &World<'_>, due: &Due) -> Option<Asked> {
        let case = world.cases().get(due.case)?;
        let task = case.state.tasks.get(&due.task)?;
        let current = data_of(case.definition, &case.state, task);
        if let TaskKind::Revise { .. } | TaskKind::Begin = task.kind {
            let begins = task.kind == TaskKind::Begin;
            let form = if begins { case.definition.form.clone() } else { Form::default() };
            let ask = Ask::Revise { task: due.task, data: Record::new(), note: None, seen: None };
            return Some(self.filled(&task.step, form, current, ask));
        }
        let human = case.definition.steps.get(&task.step)?.human()?;
        let row = case.definition.is_in_row(&task.step).then_some(task.token);
        let place = (due.case, task.step.clone(), row);
        let again = self.spent.get(&place).is_some_and(|before| *before != Some(due.task));
        let last = self.answers.get(&task.step).is_some_and(|left| left.len() == 1);
        let said = if again { None } else { self.said(&task.step) };
        if last && !again {
            // What is returned comes back as the same task.
            let back = said.as_ref().is_some_and(|said| said.as_str() == outcome::RETURNED);
            self.spent.insert(place, (!back).then_some(due.task));
        }
        let outcome = said.or_else(|| human.outcomes.keys().next().cloned())?;
        let refuses = [outcome::REJECTED, outcome::RETURNED].contains(&outcome.as_str());
        // What is asked again stays as it is.
        let form = if refuses { Form::default() } else { case.definition.asked_at(&task.step).into_owned() };
        let ask = Ask::Decide {
            task: due.task,
            assignment: None,
            opinion: human.outcomes.get(&outcome).filter(|answering| answering.opinion).map(|_| "…".into()),
            outcome,
            values: Record::new(),
            seen: None,
        };
        Some(self.filled(&task.step, form, current, ask))
    }

    /// A form with what is said of it; what is there already stays.
    fn filled(&self, step: &StepId, form: Form, mut held: Record, ask: Ask) -> Asked {
        let said = self.question.values.get(step).into_iter().flatten();
        let said: Record =
            said.filter(|(name, _)| form.contains_key(*name)).map(|(n, v)| (n.clone(), v.clone())).collect();
        held.extend(said.clone());
        Asked { form, held, said, ask }
    }

    /// Tells what happened since it was last looked at.
    fn read(&mut self, world: &World<'_>) {
        self.told.resize(world.cases().len().max(self.told.len()), 0);
        let acted = world.cases().iter().enumerate().skip(self.acted).take(1);
        let others = world.cases().iter().enumerate().filter(|(number, _)| *number != self.acted);
        for (number, case) in acted.chain(others) {
            let told = self.told.get(number).copied().unwrap_or(0);
            for entry in case.log.get(told..).unwrap_or_default() {
                for event in &entry.events {
                    if let Event::Entered { token, step } = event {
                        let row = case.definition.is_in_row(step).then_some(*token);
                        *self.entered.entry((number, step.clone(), row)).or_default() += 1;
                    }
                    let by = entry.command.actor.person();
                    let what = overdue(event, &entry.events).or_else(|| happened(&case.state, event, by));
                    if let Some(mut what) = what {
                        if let Happened::Answered(.., made_up) = &mut what {
                            *made_up = std::mem::take(&mut self.made_up);
                        }
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

/// Whether a token waits for something that only comes from outside.
pub fn is_outside(waits: &Waiting) -> bool {
    matches!(waits, Waiting::Message { .. } | Waiting::Http { .. } | Waiting::Job { .. })
}

/// A step that is late, and what that makes of it at once.
fn overdue(event: &Event, all: &[Event]) -> Option<Happened> {
    let Event::WentOverdue { token, step, .. } = event else { return None };
    let decided = all.iter().find_map(|other| match other {
        Event::Left { token: of, step: left, outcome, .. } if of == token && left == step => Some(outcome.clone()),
        _ => None,
    });
    Some(Happened::Overdue(step.clone(), decided))
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
            Happened::Answered(step, by?.clone(), outcome.clone(), Record::new())
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
