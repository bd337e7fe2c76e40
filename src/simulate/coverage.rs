//! What tests walked of a process: its steps, its branches, its ends and its timers.
//!
//! What there is follows from the definition; what was walked from the logs of cases. A `when` counts both ways, a
//! `choose` each case, a step that people answer each answer. What `explore` proves impossible is not counted: no test
//! can walk it.

use super::Case;
use super::explore::{Explored, Never, explore};
use crate::engine::event::{Entry, Event};
use crate::engine::state::{Owner, Row, State, StepResult, TimerKind};
use crate::engine::{self};
use crate::expression::{self, Context, InstanceFacts, StepFacts};
use crate::model::definition::{Definition, StepKind, outcome};
use crate::model::formula::Formula;
use crate::model::graph::{Node, On};
use crate::model::id::{Outcome, PersonId, ProcessId, StepId, TimerId, TokenId};
use crate::model::people::Directory;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Something that can be walked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A step was entered.
    Step(StepId),
    /// Its `when` held, or did not.
    When(StepId, bool),
    /// A case of a `choose`; its `otherwise` where `None`.
    Case(StepId, Option<u16>),
    /// It came to this.
    Answer(StepId, Outcome),
    /// The process ended so.
    End(Outcome),
    /// A branch of a `parallel` was entered; one of a `race` was the first that was done.
    Branch(StepId, Arc<str>),
    /// A reminder went out.
    Reminder(StepId),
    /// It was open after its due time.
    Overdue(StepId),
}

/// The four figures of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Steps that were entered.
    Steps,
    /// Ways on from them.
    Branches,
    /// Ends of the process.
    Ends,
    /// Timers that fired.
    Timers,
}

impl Group {
    /// All of them, in the order of a report.
    pub const ALL: [Group; 4] = [Group::Steps, Group::Branches, Group::Ends, Group::Timers];
}

impl Item {
    /// Which figure it counts in.
    pub fn group(&self) -> Group {
        match self {
            Item::Step(_) => Group::Steps,
            Item::When(..) | Item::Case(..) | Item::Answer(..) | Item::Branch(..) => Group::Branches,
            Item::End(_) => Group::Ends,
            Item::Reminder(_) | Item::Overdue(_) => Group::Timers,
        }
    }
}

/// What was walked of all processes.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    walked: BTreeMap<ProcessId, BTreeSet<Item>>,
}

/// How far a process was walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Walked, of how many; by group.
    pub groups: BTreeMap<Group, (usize, usize)>,
    /// What was not.
    pub missing: Vec<Item>,
    /// What is not counted, as it cannot happen.
    pub impossible: Vec<Item>,
}

impl Figures {
    /// The share of a group in percent, rounded down; 100 where there is nothing to walk.
    pub fn percent(&self, group: Group) -> usize {
        match self.groups.get(&group) {
            Some((walked, all)) if *all > 0 => walked * 100 / all,
            _ => 100,
        }
    }
}

impl Coverage {
    /// Notes what a case walked.
    pub fn note(&mut self, case: &Case<'_>, directory: &Directory, calendar: &Calendar) {
        let walked = self.walked.entry(case.definition.process.clone()).or_default();
        let mut before: Option<State> = None;
        for entry in &case.log {
            let reading = Reading { definition: case.definition, directory, calendar, before: before.as_ref(), entry };
            reading.note(walked);
            before = engine::apply(before, entry).ok();
        }
    }

    /// Whether any case of a process was seen.
    pub fn knows(&self, process: &ProcessId) -> bool {
        self.walked.contains_key(process)
    }

    /// How far a process was walked.
    pub fn figures(&self, definition: &Definition) -> Figures {
        let nothing = BTreeSet::new();
        let walked = self.walked.get(&definition.process).unwrap_or(&nothing);
        let mut figures = Figures { groups: BTreeMap::new(), missing: Vec::new(), impossible: Vec::new() };
        let explored = explore(definition);
        for item in items(definition) {
            if !walked.contains(&item) && never(&explored, &item) {
                figures.impossible.push(item);
                continue;
            }
            let (hit, all) = figures.groups.entry(item.group()).or_insert((0, 0));
            *all += 1;
            if walked.contains(&item) {
                *hit += 1;
            } else {
                figures.missing.push(item);
            }
        }
        figures
    }
}

/// Whether something cannot happen.
fn never(explored: &Explored, item: &Item) -> bool {
    let never = |never: Never| explored.never.contains(&never);
    match item {
        Item::Step(step)
        | Item::Answer(step, _)
        | Item::Branch(step, _)
        | Item::Reminder(step)
        | Item::Overdue(step)
        | Item::When(step, true) => never(Never::Step(step.clone())),
        Item::When(step, false) => never(Never::Skip(step.clone())),
        Item::Case(step, case) => never(Never::Step(step.clone())) || never(Never::Case(step.clone(), *case)),
        Item::End(outcome) => !explored.ends.iter().any(|end| end.outcome == *outcome),
    }
}

/// All that can be walked of a process, in its order.
fn items(definition: &Definition) -> Vec<Item> {
    let mut items = Vec::new();
    for (id, step) in &definition.steps {
        items.push(Item::Step(id.clone()));
        if step.when.is_some() {
            items.extend([true, false].map(|held| Item::When(id.clone(), held)));
        }
        if let StepKind::Choose(cases) = &step.kind {
            items.extend((0u16..).take(cases.len()).map(|number| Item::Case(id.clone(), Some(number))));
            if definition.graph.next(&Node::Step(id.clone()), &On::Otherwise).is_some() {
                items.push(Item::Case(id.clone(), None));
            }
        }
        for (on, _) in definition.graph.edges_from(&Node::Step(id.clone())) {
            match on {
                On::Branch(name) => items.push(Item::Branch(id.clone(), name.clone())),
                // What leads somewhere of its own, of steps that people do not answer.
                On::Outcome(outcome) if step.human().is_none() => items.push(Item::Answer(id.clone(), outcome.clone())),
                _ => {}
            }
        }
        if step.overdue.is_some() {
            items.push(Item::Overdue(id.clone()));
        }
        if let Some(human) = step.human() {
            items.extend(human.outcomes.keys().map(|outcome| Item::Answer(id.clone(), outcome.clone())));
            if !human.remind.is_empty() {
                items.push(Item::Reminder(id.clone()));
            }
        }
    }
    let ends = definition.graph.reachable().into_iter().filter_map(|node| match node {
        Node::Finish(outcome) => Some(Item::End(outcome.clone())),
        _ => None,
    });
    items.extend(ends.collect::<BTreeSet<_>>());
    items
}

/// One entry of a log with the state before it.
struct Reading<'a> {
    definition: &'a Definition,
    directory: &'a Directory,
    calendar: &'a Calendar,
    before: Option<&'a State>,
    entry: &'a Entry,
}

impl Reading<'_> {
    fn note(&self, walked: &mut BTreeSet<Item>) {
        let mut entered = BTreeSet::new();
        for (number, event) in self.entry.events.iter().enumerate() {
            match event {
                Event::Entered { token, step } => {
                    walked.insert(Item::Step(step.clone()));
                    walked.insert(Item::When(step.clone(), true));
                    entered.insert(step);
                    if let Some(StepKind::Choose(cases)) = self.definition.steps.get(step).map(|step| &step.kind) {
                        let taken = cases.iter().position(|case| self.holds(case, *token, number + 1));
                        let taken = taken.and_then(|taken| u16::try_from(taken).ok());
                        walked.insert(Item::Case(step.clone(), taken));
                    }
                }
                // A step that was entered and then passed had nobody to ask.
                Event::Skipped { step, .. } if !entered.contains(step) => {
                    walked.insert(Item::When(step.clone(), false));
                }
                Event::Left { token, step, outcome, .. } => {
                    walked.insert(Item::Answer(step.clone(), outcome.clone()));
                    walked.extend(self.won(*token, outcome, number));
                }
                Event::TaskParked { task } => {
                    if let Some(step) =
                        self.state_at(number).and_then(|state| Some(state.tasks.get(task)?.step.clone()))
                    {
                        walked.insert(Item::Answer(step, outcome::RETURNED.into()));
                    }
                }
                Event::TimerFired { timer } => self.fired(*timer, number, walked),
                Event::ScopeOpened { holder, branch: Some(branch), .. } => {
                    let state = self.state_at(number);
                    let step = state.and_then(|state| state.tokens.get(holder)?.step.clone());
                    let step = step.filter(|step| !self.is_race(step));
                    walked.extend(step.map(|step| Item::Branch(step, branch.clone())));
                }
                Event::WentOverdue { step, .. } => {
                    walked.insert(Item::Overdue(step.clone()));
                }
                Event::Ended { outcome, .. } => {
                    walked.insert(Item::End(outcome.clone()));
                }
                _ => {}
            }
        }
    }

    fn is_race(&self, step: &StepId) -> bool {
        self.definition.steps.get(step).is_some_and(|step| matches!(step.kind, StepKind::Race))
    }

    /// The branch of a race that a token wins by leaving a step of it.
    fn won(&self, token: TokenId, came_to: &Outcome, number: usize) -> Option<Item> {
        let races = self.definition.steps.values().any(|step| matches!(step.kind, StepKind::Race));
        if !races || came_to.as_str() == outcome::CANCELLED {
            return None;
        }
        let state = self.state_at(number)?;
        let scope = state.scopes.get(&state.tokens.get(&token)?.scope)?;
        let race = state.tokens.get(&scope.holder?)?.step.clone().filter(|step| self.is_race(step))?;
        Some(Item::Branch(race, scope.branch.clone()?))
    }

    fn fired(&self, timer: TimerId, number: usize, walked: &mut BTreeSet<Item>) {
        let Some(state) = self.state_at(number) else { return };
        let Some(found) = state.timers.get(&timer) else { return };
        let Owner::Task(task) = found.of else { return };
        let step = state.tasks.get(&task).map(|task| task.step.clone());
        if let (Some(step), TimerKind::Remind) = (step, found.kind) {
            walked.insert(Item::Reminder(step));
        }
    }

    /// The case before the event with this number.
    fn state_at(&self, number: usize) -> Option<State> {
        let events = self.entry.events.get(..number)?.to_vec();
        engine::apply(self.before.cloned(), &Entry { events, ..self.entry.clone() }).ok()
    }

    fn holds(&self, formula: &Formula, token: TokenId, number: usize) -> bool {
        let Some(state) = self.state_at(number) else { return false };
        let seen = Seen::new(&state, token);
        let data = seen.data();
        let instance =
            InstanceFacts { number: state.number.as_ref().map(|number| number.as_str()), started_at: state.started_at };
        let context = Context {
            applicant: Some(&state.applicant),
            instance: Some(&instance),
            steps: &seen,
            ..Context::new(&data, self.directory, self.calendar, self.entry.at)
        };
        matches!(expression::evaluate(formula, &context), Ok(Value::Boolean(true)))
    }
}

/// A case as a token sees it: with the rows around it, innermost first.
struct Seen<'a> {
    state: &'a State,
    rows: Vec<&'a Row>,
}

impl<'a> Seen<'a> {
    fn new(state: &'a State, token: TokenId) -> Seen<'a> {
        let mut rows = Vec::new();
        let mut scope = state.tokens.get(&token).and_then(|token| state.scopes.get(&token.scope));
        while let Some(here) = scope {
            rows.extend(here.row.as_ref());
            scope = here.parent.and_then(|parent| state.scopes.get(&parent));
        }
        Seen { state, rows }
    }

    fn data(&self) -> Record {
        let mut data = self.state.data.clone();
        for row in self.rows.iter().rev() {
            if row.plain {
                data.extend(row.columns.iter().map(|(name, value)| (name.clone(), value.clone())));
            } else {
                data.insert(row.alias.clone(), Value::Record(row.columns.clone()));
            }
        }
        data
    }

    fn step(&self, step: &StepId) -> Option<&StepResult> {
        self.rows.iter().find_map(|row| row.steps.get(step)).or_else(|| self.state.steps.get(step))
    }
}

impl StepFacts for Seen<'_> {
    fn outcome(&self, step: &StepId) -> Option<&str> {
        self.step(step).map(|result| result.outcome.as_str())
    }

    fn by(&self, step: &StepId) -> Option<PersonId> {
        self.step(step)?.by.last().cloned()
    }

    fn at(&self, step: &StepId) -> Option<DateTime<Utc>> {
        self.step(step).map(|result| result.at)
    }

    fn late(&self, step: &StepId) -> Option<bool> {
        self.step(step).map(|result| result.late)
    }
}
