//! The people: what each of them will do when, and what they answer when the time has come.
//!
//! Whatever opens an assignment puts it on somebody's desk. They look at it after a while that is theirs, do one
//! thing at a time (what comes meanwhile waits), come back from an absence first, and answer as the script makes
//! likely. Nobody does anything that is not asked of them.

use super::dice::Dice;
use super::fill::{Filling, Hand, Names, Sayings};
use super::script::{Own, Pace, Script, Weights};
use crate::engine::command::{Actor, Ask, Command, Via};
use crate::engine::event::Event;
use crate::engine::fingerprint::Fingerprint;
use crate::engine::refusal::{PathPart, Refusal};
use crate::engine::state::{State, Task, TaskKind, Waiting};
use crate::engine::{data_of, form_of};
use crate::model::definition::{Definition, outcome};
use crate::model::form::Form;
use crate::model::id::{AssignmentId, FieldName, InstanceId, Outcome, PersonId, ProcessId, TaskId, TokenId};
use crate::model::people::Directory;
use crate::model::time::{Calendar, Duration};
use crate::model::value::{Record, Value, from_plain};
use crate::runtime::drive::Asked;
use crate::runtime::{Accepted, Denied, Files, Runtime};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// People act at whole slots, so that what falls together is committed together.
const SLOT: TimeDelta = TimeDelta::minutes(30);
/// How often a form that was refused is filled in again.
const TRIES: usize = 24;
/// From this round on, whoever is asked once more agrees.
const PATIENCE: u32 = 3;
/// How quick people are of whom nothing is said.
const USUAL: Pace = Pace { after: 120, takes: 10 };

/// Something that is going to be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plan {
    /// A case is started, by the number of its start in the script.
    Start { start: Option<usize>, process: ProcessId },
    /// Somebody answers what they are asked.
    Answer { instance: InstanceId, task: TaskId, assignment: AssignmentId, person: PersonId },
    /// An applicant takes their case back.
    Withdraw { instance: InstanceId },
    /// A message comes for a token that waits.
    Message { instance: InstanceId, token: TokenId, name: Arc<str>, key: Option<Arc<str>> },
}

/// An attempt at a plan.
pub(super) struct Attempt {
    pub(super) plan: Plan,
    pub(super) asked: Asked,
    tried: usize,
    given: Record,
}

/// A task that somebody is asked in.
struct Question<'a> {
    definition: &'a Definition,
    state: &'a State,
    number: TaskId,
    task: &'a Task,
}

/// Everybody, and what lies on their desks.
pub(super) struct People {
    pub(super) script: Script,
    pub(super) dice: Dice,
    pub(super) names: Names,
    pub(super) directory: Arc<Directory>,
    pub(super) calendar: Arc<Calendar>,
    definitions: BTreeMap<ProcessId, Arc<Definition>>,
    files: Files,
    plans: BTreeSet<(DateTime<Utc>, u64, Plan)>,
    planned: u64,
    /// Until when each of them is busy.
    busy: BTreeMap<PersonId, DateTime<Utc>>,
    on_desks: HashSet<AssignmentId>,
    open: HashMap<InstanceId, Arc<State>>,
    commands: u64,
}

impl People {
    pub(super) fn new(script: Script, dice: Dice, runtime: &Runtime) -> People {
        People {
            script,
            dice,
            names: Names::new(),
            directory: runtime.directory(),
            calendar: runtime.calendar(),
            definitions: runtime.definitions().into_iter().map(|one| (one.process.clone(), one)).collect(),
            files: runtime.files().clone(),
            plans: BTreeSet::new(),
            planned: 0,
            busy: BTreeMap::new(),
            on_desks: HashSet::new(),
            open: HashMap::new(),
            commands: 0,
        }
    }

    /// When somebody does something next.
    pub(super) fn next(&self) -> Option<DateTime<Utc>> {
        self.plans.first().map(|(at, ..)| *at)
    }

    /// Plans something, at the next slot of working time.
    pub(super) fn plan(&mut self, at: DateTime<Utc>, plan: Plan) {
        let at = self.calendar.next_working(at).unwrap_or(at);
        let at = at.duration_round_up(SLOT).unwrap_or(at);
        let at = self.calendar.next_working(at).unwrap_or(at);
        self.planned += 1;
        self.plans.insert((at, self.planned, plan));
    }

    /// Takes in what happened: who is asked now, what waits for a message, what is over.
    pub(super) fn notice(&mut self, accepted: &Accepted) {
        let state = &accepted.state;
        if state.ended.is_some() {
            self.open.remove(&accepted.instance);
            return;
        }
        for (number, task) in state.tasks.iter().filter(|(_, task)| !task.parked) {
            for one in &task.assignments {
                if self.on_desks.insert(one.id) && self.cares(state, task) {
                    let after = self.after(state, task, &one.person);
                    let (person, assignment) = (one.person.clone(), one.id);
                    self.plan(after, Plan::Answer { instance: state.id, task: *number, assignment, person });
                }
            }
        }
        for event in &accepted.entry.events {
            if let Event::WaitBegun { token, waits, .. } = event
                && let Waiting::Message { name, key, .. } = &**waits
                && let Some(message) = self.script.messages.get(&**name)
            {
                let (chance, minutes) = (message.chance, message.after);
                if self.dice.chance(chance) {
                    let at = self.later(state.at, minutes);
                    let (name, key) = (name.clone(), key.clone());
                    self.plan(at, Plan::Message { instance: state.id, token: *token, name, key });
                }
            }
        }
        if accepted.entry.revision == 1 && state.caller.is_none() && self.dice.chance(self.script.withdrawn) {
            let at = self.later(state.at, 480);
            self.plan(at, Plan::Withdraw { instance: state.id });
        }
        self.open.insert(state.id, state.clone());
    }

    /// Whether anybody will ever do what is asked.
    fn cares(&mut self, state: &State, task: &Task) -> bool {
        let chance = self.own(&state.process, task).iter().find_map(|own| own.chance);
        chance.is_none_or(|chance| self.dice.chance(chance))
    }

    /// When somebody looks at a task.
    fn after(&mut self, state: &State, task: &Task, person: &PersonId) -> DateTime<Utc> {
        let own = self.own(&state.process, task);
        let said = own.iter().find_map(|own| own.after);
        let minutes = said.unwrap_or_else(|| self.pace(person).after);
        self.later(state.at, minutes)
    }

    fn later(&mut self, from: DateTime<Utc>, minutes: u64) -> DateTime<Utc> {
        let minutes = i64::try_from(self.dice.about(minutes)).unwrap_or(0);
        self.calendar.add(from, Duration::WorkingMinutes(minutes)).unwrap_or(from)
    }

    fn pace(&self, person: &PersonId) -> Pace {
        let people = &self.script.people;
        people.get(person.as_str()).or_else(|| people.get("usual")).copied().unwrap_or(USUAL)
    }

    /// What the script says of a step, then of its process.
    fn own(&self, process: &ProcessId, task: &Task) -> Vec<&Own> {
        let own = self.script.processes.get(process.as_str());
        let step = own.and_then(|own| own.steps.get(task.step.as_str()));
        step.into_iter().chain(own).collect()
    }

    /// Everything that is to be done now: people who are away or busy do it later.
    pub(super) fn due(&mut self, now: DateTime<Utc>) -> Vec<Plan> {
        let mut due = Vec::new();
        while self.next().is_some_and(|at| at <= now)
            && let Some((_, _, plan)) = self.plans.pop_first()
        {
            let Plan::Answer { person, .. } = &plan else {
                due.push(plan);
                continue;
            };
            let person = person.clone();
            if let Some(back) = self.back(&person, now) {
                self.plan(back, plan);
                continue;
            }
            let free = self.busy.get(&person).copied().unwrap_or_default();
            if free > now {
                self.plan(free, plan);
                continue;
            }
            let takes = i64::try_from(self.pace(&person).takes).unwrap_or(0);
            let until = self.calendar.add(now, Duration::WorkingMinutes(takes)).unwrap_or(now);
            self.busy.insert(person, until);
            due.push(plan);
        }
        due
    }

    /// When somebody who is away is back.
    fn back(&self, person: &PersonId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = self.calendar.today(now);
        let away = self.directory.absences.iter().filter(|one| one.person == *person && one.processes.is_empty());
        let last = away.filter(|one| one.from <= today && today <= one.to).map(|one| one.to).max()?;
        Some(self.calendar.opening(last.succ_opt()?))
    }

    /// Which process a plan is about.
    pub(super) fn process(&self, plan: &Plan) -> Option<ProcessId> {
        match plan {
            Plan::Start { process, .. } => Some(process.clone()),
            Plan::Answer { instance, .. } | Plan::Withdraw { instance } | Plan::Message { instance, .. } => {
                self.open.get(instance).map(|state| state.process.clone())
            }
        }
    }

    /// The command of a plan; none where it is moot by now.
    pub(super) fn attempt(&mut self, plan: Plan, now: DateTime<Utc>) -> Option<Attempt> {
        self.try_again(plan, now, 0, Record::new())
    }

    /// The next attempt after one that was refused; none where it is of no use.
    pub(super) fn mend(&mut self, attempt: Attempt, denied: &Denied, now: DateTime<Utc>) -> Option<Attempt> {
        let tried = attempt.tried + 1;
        let mut kept = attempt.given;
        match denied {
            Denied::Refused(Refusal::BadForm(faults), _) if tried < TRIES => {
                let wrong = faults.iter().filter_map(|fault| match fault.path.first() {
                    Some(PathPart::Field(name)) => Some(name.clone()),
                    _ => None,
                });
                let wrong: BTreeSet<FieldName> = wrong.collect();
                kept.retain(|name, _| !wrong.contains(name));
                // A rule between fields names only one of them.
                if tried % 3 == 2 {
                    kept.clear();
                }
            }
            Denied::Refused(Refusal::OpenAlready { .. }, _) if tried < 4 => kept.clear(),
            _ => return None,
        }
        self.try_again(attempt.plan, now, tried, kept)
    }

    fn try_again(&mut self, plan: Plan, now: DateTime<Utc>, tried: usize, kept: Record) -> Option<Attempt> {
        self.commands += 1;
        let id = format!("year-{}", self.commands).into();
        let (asked, given) = match &plan {
            Plan::Start { start, process } => {
                let definition = self.definitions.get(process)?.clone();
                let by = self.starter(*start, &definition, now)?;
                let says = start.and_then(|start| self.script.starts.get(start)).map(|start| start.fields.clone());
                let form = &definition.form;
                let hand = Hand { applicant: &by, by: &by, outcome: None, now, tried };
                let own: Sayings<'_> = says.iter().collect();
                let given = self.fill(hand, (process, None, own), (form, &Record::new(), &kept));
                let actor = Actor::Person { id: by.clone(), via: Via::Shell { user: by.as_str().into() } };
                let ask = Ask::Start { data: given.clone() };
                (Asked::Start(process.clone(), Command { id, actor, ask }), given)
            }
            Plan::Answer { instance, task, assignment, person } => {
                let state = self.open.get(instance)?.clone();
                let open = state.tasks.get(task).filter(|task| !task.parked)?;
                open.assignments.iter().find(|one| one.id == *assignment)?;
                let definition = self.definitions.get(&state.process)?.clone();
                let hand = Hand { applicant: &state.applicant, by: person, outcome: None, now, tried };
                let asked = Question { definition: &definition, state: &state, number: *task, task: open };
                let (ask, given) = self.answer(asked, *assignment, hand, &kept)?;
                let mail = self.directory.people.get(person).and_then(|one| one.mail.clone()).unwrap_or_default();
                let actor = Actor::Person { id: person.clone(), via: Via::Link { mail: mail.into() } };
                (Asked::Case(*instance, Command { id, actor, ask }), given)
            }
            Plan::Withdraw { instance } => {
                let by = self.open.get(instance)?.applicant.clone();
                let actor = Actor::Person { id: by.clone(), via: Via::Shell { user: by.as_str().into() } };
                let reason = self.opinion(outcome::WITHDRAWN);
                (Asked::Case(*instance, Command { id, actor, ask: Ask::Withdraw { reason } }), kept)
            }
            Plan::Message { .. } => return None,
        };
        Some(Attempt { plan, asked, tried, given })
    }

    /// Who starts a case: one of those that the script or the process names, who is there.
    fn starter(&mut self, start: Option<usize>, definition: &Definition, now: DateTime<Utc>) -> Option<PersonId> {
        let by =
            start.and_then(|start| self.script.starts.get(start)).map(|start| start.by.clone()).unwrap_or_default();
        let named = by.iter().flat_map(|name| match self.directory.people.get_key_value(name.as_str()) {
            Some((person, _)) => vec![person.clone()],
            None => self.directory.holders(&name.as_str().into()),
        });
        let mut people: Vec<PersonId> = named.collect();
        if people.is_empty() {
            people = definition.start.iter().flat_map(|position| self.directory.holders(position)).collect();
        }
        if people.is_empty() {
            people = self.directory.people.keys().cloned().collect();
        }
        let there: Vec<PersonId> = people.into_iter().filter(|one| self.back(one, now).is_none()).collect();
        self.dice.one_of(&there).cloned()
    }

    /// What somebody answers.
    fn answer(
        &mut self,
        Question { definition, state, number, task }: Question<'_>,
        assignment: AssignmentId,
        hand: Hand<'_>,
        kept: &Record,
    ) -> Option<(Ask, Record)> {
        let seen = Some(Fingerprint::of(state, task));
        let form = form_of(definition, state, task);
        let data = data_of(definition, state, task);
        if let TaskKind::Revise { .. } = task.kind {
            let note = self.opinion(outcome::REVISED);
            return Some((Ask::Revise { task: number, data: Record::new(), note, seen }, Record::new()));
        }
        let place = (&state.process, Some(task), Sayings::new());
        if task.kind == TaskKind::Begin {
            // What the caller said stays as it is.
            let form = open_fields(&form, &data, |_| true);
            let given = self.fill(hand, place, (&form, &data, kept));
            return Some((Ask::Revise { task: number, data: given.clone(), note: None, seen }, given));
        }
        let human = definition.steps.get(&task.step)?.human()?;
        let outcome = self.outcome(state, task, human.outcomes.keys())?;
        let refuses = [outcome::REJECTED, outcome::RETURNED].contains(&outcome.as_str());
        let given = if refuses {
            Record::new()
        } else {
            let hand = Hand { outcome: Some(outcome.as_str()), ..hand };
            // What is asked again stays as it is, too.
            let form = open_fields(&form, &data, |name| human.edit.contains(name));
            self.fill(hand, place, (&form, &data, kept))
        };
        let needed = human.outcomes.get(&outcome).is_some_and(|answering| answering.opinion) || refuses;
        let opinion = if needed || self.dice.chance(25) { self.opinion(outcome.as_str()) } else { None };
        let opinion = opinion.or_else(|| needed.then(|| "…".into()));
        let (values, assignment) = (given.clone(), Some(assignment));
        Some((Ask::Decide { task: number, assignment, outcome, opinion, values, seen }, given))
    }

    /// Which of the answers somebody gives: as likely as the script says, the first of a step's own most of the time.
    fn outcome<'o>(
        &mut self,
        state: &State,
        task: &Task,
        outcomes: impl Iterator<Item = &'o Outcome>,
    ) -> Option<Outcome> {
        let own = self.own(&state.process, task);
        let weights: Vec<&Weights> =
            own.iter().map(|own| &own.answers).chain(std::iter::once(&self.script.answers)).collect();
        let mut likely: Vec<(Outcome, u64)> = Vec::new();
        for (place, outcome) in outcomes.enumerate() {
            let said = weights.iter().find_map(|weights| weights.get(outcome.as_str()));
            likely.push((outcome.clone(), said.unwrap_or(if place == 0 { 85 } else { 10 })));
        }
        if task.round >= PATIENCE
            && let Some((first, _)) = likely.first()
        {
            return Some(first.clone());
        }
        self.dice.weighted(&likely).cloned()
    }

    fn opinion(&mut self, outcome: &str) -> Option<Arc<str>> {
        let several = self.script.opinions.get(outcome)?;
        self.dice.one_of(several).map(|text| Arc::from(text.as_str()))
    }

    /// A form as somebody fills it in: `place` is the process, the task, and what is said of this very case; `data`
    /// is what the case has and `kept` what was good before.
    fn fill(
        &mut self,
        hand: Hand<'_>,
        (process, task, mut says): (&ProcessId, Option<&Task>, Sayings<'_>),
        (form, data, kept): (&Form, &Record, &Record),
    ) -> Record {
        let own = self.script.processes.get(process.as_str());
        let step = task.and_then(|task| own?.steps.get(task.step.as_str()));
        says.extend(step.map(|step| &step.fields));
        says.extend(own.map(|own| &own.fields));
        says.push(&self.script.fields);
        let mut filling = Filling {
            script: &self.script,
            says,
            directory: &self.directory,
            calendar: &self.calendar,
            files: &self.files,
            hand,
            dice: &mut self.dice,
            names: &mut self.names,
        };
        filling.form(form, data, kept)
    }

    /// What a message says.
    pub(super) fn message(&mut self, plan: &Plan, now: DateTime<Utc>) -> Option<(String, Value)> {
        let Plan::Message { instance, token, name, .. } = plan else { return None };
        let state = self.open.get(instance)?.clone();
        let waits = state.tokens.get(token)?.waits.as_ref();
        if !matches!(waits, Some(Waiting::Message { name: awaited, .. }) if awaited == name) {
            return None;
        }
        let says = self.script.messages.get(&**name)?.data.clone();
        let mut filling = Filling {
            script: &self.script,
            says: Vec::new(),
            directory: &self.directory,
            calendar: &self.calendar,
            files: &self.files,
            hand: Hand { applicant: &state.applicant, by: &state.applicant, outcome: None, now, tried: 0 },
            dice: &mut self.dice,
            names: &mut self.names,
        };
        let mut data = serde_json::Map::new();
        for (field, said) in &says {
            data.extend(filling.plain(said, &state.data).map(|value| (field.clone(), value)));
        }
        self.commands += 1;
        let id = format!("year {} {} {}", state.id, token.0, self.commands);
        Some((id, from_plain(&serde_json::Value::Object(data))))
    }
}

/// The fields of a form that are empty yet, of those that are asked once more.
fn open_fields(form: &Form, data: &Record, again: impl Fn(&FieldName) -> bool) -> Form {
    let empty = |value: &Value| value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
    let open = |name: &FieldName| !again(name) || data.get(name).is_none_or(empty);
    form.iter().filter(|(name, _)| open(name)).map(|(name, field)| (name.clone(), field.clone())).collect()
}
