//! A world in memory: cases, the clock, the mailbox, and what cases do to each other.
//!
//! Ids follow from a count, so the same moves give the same world.

use crate::engine::command::{Actor, Ask, Command, Via};
use crate::engine::event::{Entry, Event};
use crate::engine::refusal::Refusal;
use crate::engine::state::{MailKind, State};
use crate::engine::{self, Facts};
use crate::model::definition::Definition;
use crate::model::id::{MailId, PersonId, ProcessId};
use crate::model::people::Directory;
use crate::model::time::Calendar;
use crate::model::value::Record;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most wake-ups of one advance: more are a case that never rests.
const MOST_WAKES: usize = 10_000;

/// A made-up world.
#[derive(Debug)]
pub struct World<'a> {
    definitions: &'a [Definition],
    directory: &'a Directory,
    calendar: &'a Calendar,
    now: DateTime<Utc>,
    cases: Vec<Case<'a>>,
    mails: Vec<Mail>,
    sequences: BTreeMap<String, u64>,
    drawn: u64,
}

/// A case of a world.
#[derive(Debug)]
pub struct Case<'a> {
    /// What it is a case of.
    pub definition: &'a Definition,
    /// How it stands.
    pub state: Arc<State>,
    /// What happened to it.
    pub log: Vec<Entry>,
}

/// A mail that would have been sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The number of its case.
    pub case: usize,
    /// Its number there.
    pub number: MailId,
    /// What for.
    pub kind: MailKind,
    /// To whom.
    pub to: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// The case as it was then.
    pub state: Arc<State>,
}

impl<'a> World<'a> {
    /// A world in which nothing has happened yet.
    pub fn new(
        definitions: &'a [Definition],
        directory: &'a Directory,
        calendar: &'a Calendar,
        now: DateTime<Utc>,
    ) -> World<'a> {
        World {
            definitions,
            directory,
            calendar,
            now,
            cases: Vec::new(),
            mails: Vec::new(),
            sequences: BTreeMap::new(),
            drawn: 0,
        }
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The people.
    pub fn directory(&self) -> &'a Directory {
        self.directory
    }

    /// The calendar.
    pub fn calendar(&self) -> &'a Calendar {
        self.calendar
    }

    /// All cases, in the order in which they began.
    pub fn cases(&self) -> &[Case<'a>] {
        &self.cases
    }

    /// All mails, in the order in which they were sent.
    pub fn mails(&self) -> &[Mail] {
        &self.mails
    }

    /// Starts a case and answers its number.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn start(&mut self, process: &ProcessId, by: &PersonId, data: Record) -> Result<usize, Refusal> {
        let ask = Ask::Start { data };
        self.begin(process, person(by), ask)
    }

    /// Asks something of a case.
    ///
    /// # Errors
    /// Why it was refused; nothing has changed then.
    pub fn ask(&mut self, case: usize, actor: Actor, ask: Ask) -> Result<(), Refusal> {
        let Some(found) = self.cases.get(case) else { return Err(Refusal::NoInstance) };
        let (definition, state) = (found.definition, found.state.clone());
        let command = self.command(actor, ask);
        let decision = engine::decide(definition, Some(&state), &command, &self.facts(0))?;
        self.accept(case, decision);
        Ok(())
    }

    /// Lets time pass up to a moment, and everything happen that is due on the way, in order.
    pub fn advance(&mut self, to: DateTime<Utc>) {
        for _ in 0..MOST_WAKES {
            let due = |(number, case): (usize, &Case<'a>)| Some((case.state.wake_at()?, number));
            let next = self.cases.iter().enumerate().filter_map(due).min();
            let Some((at, case)) = next.filter(|(at, _)| *at <= to) else { break };
            self.now = self.now.max(at);
            if self.ask(case, Actor::System, Ask::Wake).is_err() {
                // Nothing is due although something should be: time goes on without it.
                break;
            }
        }
        self.now = self.now.max(to);
    }

    /// When the next thing happens by itself.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.cases.iter().filter_map(|case| case.state.wake_at()).min()
    }

    fn begin(&mut self, process: &ProcessId, actor: Actor, ask: Ask) -> Result<usize, Refusal> {
        let Some(definition) = self.definitions.iter().find(|one| one.process == *process) else {
            return Err(Refusal::NoInstance);
        };
        let name = definition.number.as_ref().map(|pattern| pattern.sequence(self.calendar.today(self.now)));
        let sequence = name.as_ref().map_or(1, |name| self.sequences.get(name).copied().unwrap_or(0) + 1);
        let command = self.command(actor, ask);
        let decision = engine::decide(definition, None, &command, &self.facts(sequence))?;
        self.sequences.extend(name.map(|name| (name, sequence)));
        self.cases.push(Case { definition, state: Arc::new(decision.state.clone()), log: Vec::new() });
        let case = self.cases.len() - 1;
        self.accept(case, decision);
        Ok(case)
    }

    fn command(&mut self, actor: Actor, ask: Ask) -> Command {
        self.drawn += 1;
        Command { id: format!("made-up-{}", self.drawn).as_str().into(), actor, ask }
    }

    fn facts(&self, sequence: u64) -> Facts<'a> {
        let mut seed = [0; 16];
        seed[..8].copy_from_slice(&self.drawn.to_le_bytes());
        Facts { now: self.now, directory: self.directory, calendar: self.calendar, sequence, seed }
    }

    fn accept(&mut self, number: usize, decision: engine::Decision) {
        let Some(case) = self.cases.get_mut(number) else { return };
        let state = Arc::new(decision.state);
        case.state = state.clone();
        for event in &decision.entry.events {
            if let Event::MailQueued { mail, kind, to } = event {
                // A task that is over by now is not written about.
                let moot = kind.asks().is_some_and(|(_, assignment)| state.assignment(assignment).is_none());
                if !moot {
                    let (number_of, kind, to) = (*mail, kind.clone(), to.clone());
                    let mail = Mail { case: number, number: number_of, kind, to, at: self.now, state: state.clone() };
                    self.mails.push(mail);
                }
            }
        }
        case.log.push(decision.entry);
    }
}

/// A person of a made-up world.
pub(super) fn person(id: &PersonId) -> Actor {
    Actor::Person { id: id.clone(), via: Via::Scenario }
}

/// The operator of a made-up world.
pub(super) fn operator() -> Actor {
    Actor::Operator { user: "test".into() }
}
