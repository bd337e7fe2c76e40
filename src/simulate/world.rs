//! A world in memory: cases, the clock, the mailbox, and what cases do to each other.
//!
//! Ids follow from a count, so the same moves give the same world.

use super::Posted;
use crate::engine::command::{Actor, Ask, Command, Via};
use crate::engine::event::{Entry, Event};
use crate::engine::refusal::Refusal;
use crate::engine::state::{Caller, MailKind, State, Token, Waiting};
use crate::engine::{self, Facts};
use crate::model::definition::Definition;
use crate::model::id::{InstanceId, MailId, PersonId, ProcessId, StepId, TokenId};
use crate::model::input::Reading;
use crate::model::people::Directory;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, VecDeque};
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
    /// What cases ask of each other, in order; empty whenever nobody is at work.
    dispatch: VecDeque<Dispatch>,
    /// Messages that nobody has read.
    messages: Vec<Message>,
}

/// What a case asks of another.
#[derive(Debug)]
struct Dispatch {
    to: To,
    ask: Ask,
}

/// Whom it is asked of.
#[derive(Debug)]
enum To {
    /// A case that is there.
    Case(InstanceId),
    /// One more case, called at a step of this one.
    Start(ProcessId, Called),
}

#[derive(Clone, Debug)]
struct Message {
    id: Arc<str>,
    name: Arc<str>,
    key: Option<Arc<str>>,
    data: Value,
    /// Whether nobody read it when it came.
    kept: bool,
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
    /// What called it.
    pub called: Option<Called>,
}

/// Where a case was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The number of the case that called it.
    pub by: usize,
    /// The step there.
    pub step: StepId,
    /// The rows that the step was in, outermost first: of which `each`, and which from 1.
    pub rows: Vec<(StepId, u32)>,
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
            dispatch: VecDeque::new(),
            messages: Vec::new(),
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
        let case = self.begin(process, person(by), ask, None)?;
        self.settle();
        Ok(case)
    }

    /// A message comes from outside. It is kept until somebody reads it.
    ///
    /// # Errors
    /// What is wrong with it, where no process that receives it could use it.
    pub fn message(&mut self, name: Arc<str>, key: Option<Arc<str>>, data: Value) -> Result<(), Refusal> {
        let reading = Reading { directory: self.directory, today: self.calendar.today(self.now) };
        if let Some(faults) = engine::unusable(self.definitions, &name, &data, (&reading, self.calendar.zone)) {
            return Err(Refusal::BadMessage { name, faults });
        }
        let key = key.map(|written| engine::message_key(self.definitions, &name, &written));
        self.drawn += 1;
        self.messages.push(Message { id: format!("message-{}", self.drawn).into(), name, key, data, kept: false });
        self.settle();
        Ok(())
    }

    /// How many messages nobody has read.
    pub fn unread(&self) -> usize {
        self.messages.len()
    }

    /// Asks something of a case.
    ///
    /// # Errors
    /// Why it was refused; nothing has changed then.
    pub fn ask(&mut self, case: usize, actor: Actor, ask: Ask) -> Result<(), Refusal> {
        self.decide(case, actor, ask)?;
        self.settle();
        Ok(())
    }

    fn decide(&mut self, case: usize, actor: Actor, ask: Ask) -> Result<(), Refusal> {
        let Some(found) = self.cases.get(case) else { return Err(Refusal::NoInstance) };
        let (definition, state) = (found.definition, found.state.clone());
        let command = self.command(actor, ask);
        let facts = self.facts(0);
        let mut decision = engine::decide(definition, Some(&state), &command, &facts)?;
        if let Err(refusal) = self.unclaimed(definition, &decision.state, Some(case)) {
            let stopped = engine::decide_without_key(definition, &state, &decision, &facts, &refusal);
            decision = stopped.ok_or(refusal)?;
            self.unclaimed(definition, &decision.state, Some(case))?;
        }
        self.accept(case, decision);
        Ok(())
    }

    /// Of a process that says `single`, no other case of the same key is open.
    fn unclaimed(&self, definition: &Definition, state: &State, own: Option<usize>) -> Result<(), Refusal> {
        let Some(key) = state.key.as_ref().filter(|key| definition.single && !key.is_null()) else { return Ok(()) };
        let claims = |(number, other): &(usize, &Case<'a>)| {
            Some(*number) != own
                && other.state.process == state.process
                && other.state.ended.is_none()
                && other.state.key.as_ref() == Some(key)
        };
        match self.cases.iter().enumerate().find(claims).filter(|_| state.ended.is_none()) {
            Some((_, other)) => Err(Refusal::OpenAlready { reference: other.state.reference().into() }),
            None => Ok(()),
        }
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

    /// A mail with all that it is written from.
    pub fn posted<'w>(&'w self, mail: &'w Mail) -> Option<Posted<'w>> {
        let case = self.cases.get(mail.case)?;
        let caller = case.called.as_ref().and_then(|called| self.cases.get(called.by)).map(|caller| &*caller.state);
        Some(Posted { mail, case, caller, directory: self.directory, calendar: self.calendar })
    }

    /// When the next thing happens by itself.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.cases.iter().filter_map(|case| case.state.wake_at()).min()
    }

    /// Lets cases do to each other what they asked for, until nothing is left.
    fn settle(&mut self) {
        for _ in 0..MOST_WAKES {
            let next = self.dispatch.pop_front().or_else(|| self.delivery());
            let Some(Dispatch { to, ask }) = next else {
                self.messages.iter_mut().for_each(|message| message.kept = true);
                return;
            };
            match to {
                To::Case(id) => {
                    let case = self.cases.iter().position(|case| case.state.id == id);
                    // What comes too late is refused, and that is all.
                    let _ = case.map(|case| self.decide(case, Actor::System, ask));
                }
                To::Start(process, called) => {
                    let Ask::Begin { id: Some(child), caller, .. } = &ask else { continue };
                    let (child, caller) = (*child, caller.clone());
                    let refused = self.begin(&process, Actor::System, ask, Some(called)).err();
                    if let (Some(refusal), Some(caller)) = (refused, caller)
                        && let Some(token) = caller.token
                    {
                        let what = refusal.wording(self.directory, self.calendar.zone);
                        let taken = matches!(refusal, Refusal::OpenAlready { .. });
                        let ask = Ask::CallFailed { token, child, what, taken };
                        self.dispatch.push_back(Dispatch { to: To::Case(caller.instance), ask });
                    }
                }
            }
        }
    }

    /// The oldest message that somebody waits for; it is read then.
    fn delivery(&mut self) -> Option<Dispatch> {
        let waits = |message: &Message, waiting: &Waiting| match waiting {
            Waiting::Message { name, key, fresh } => {
                !(*fresh && message.kept)
                    && *name == message.name
                    && key.as_ref().is_none_or(|key| message.key.as_ref() == Some(key))
            }
            _ => false,
        };
        let found = self.messages.iter().enumerate().find_map(|(number, message)| {
            self.cases.iter().find_map(|case| {
                let reads = |token: &Token| token.waits.as_ref().is_some_and(|waiting| waits(message, waiting));
                let (token, _) =
                    case.state.tokens.iter().find(|(_, token)| token.incident.is_none() && reads(token))?;
                Some((number, case.state.id, *token))
            })
        });
        let (number, instance, token) = found?;
        let Message { id, name, key, data, kept: _ } = self.messages.remove(number);
        Some(Dispatch { to: To::Case(instance), ask: Ask::Deliver { token, message: id, name, key, data } })
    }

    fn begin(&mut self, process: &ProcessId, actor: Actor, ask: Ask, called: Option<Called>) -> Result<usize, Refusal> {
        let Some(definition) = self.definitions.iter().find(|one| one.process == *process) else {
            return Err(Refusal::NoInstance);
        };
        let name = definition.number.as_ref().map(|pattern| pattern.sequence(self.calendar.today(self.now)));
        let sequence = name.as_ref().map_or(1, |name| self.sequences.get(name).copied().unwrap_or(0) + 1);
        let command = self.command(actor, ask);
        let decision = engine::decide(definition, None, &command, &self.facts(sequence))?;
        self.unclaimed(definition, &decision.state, None)?;
        self.sequences.extend(name.map(|name| (name, sequence)));
        self.cases.push(Case { definition, state: Arc::new(decision.state.clone()), log: Vec::new(), called });
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
        let events = &decision.entry.events;
        for event in events {
            self.dispatch.extend(dispatched(number, &state, &decision.entry, event));
        }
        for event in events {
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

/// What an event asks of another case.
fn dispatched(number: usize, state: &State, entry: &Entry, event: &Event) -> Option<Dispatch> {
    match event {
        Event::Called { token, step, child, process, applicant, with, depth, detached } => {
            let caller = Caller { instance: state.id, token: (!detached).then_some(*token), depth: *depth };
            let ask =
                Ask::Begin { id: Some(*child), applicant: applicant.clone(), data: with.clone(), caller: Some(caller) };
            let called = Called { by: number, step: step.clone(), rows: rows(state, *token) };
            Some(Dispatch { to: To::Start(process.clone(), called), ask })
        }
        Event::CallCancelled { child } => {
            let reason = entry.reason().cloned();
            Some(Dispatch { to: To::Case(*child), ask: Ask::Cancel { reason } })
        }
        Event::Ended { outcome, .. } => {
            let caller = state.caller.as_ref()?;
            let (child, outcome, data) = (state.id, outcome.clone(), state.data.clone());
            let ask = Ask::ChildEnded { token: caller.token?, child, outcome, data };
            Some(Dispatch { to: To::Case(caller.instance), ask })
        }
        _ => None,
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

/// The rows that a token is in, outermost first.
pub(super) fn rows(state: &State, token: TokenId) -> Vec<(StepId, u32)> {
    let mut rows = Vec::new();
    let mut scope = state.tokens.get(&token).and_then(|token| state.scopes.get(&token.scope));
    while let Some(here) = scope {
        let holder = here.holder.and_then(|holder| state.tokens.get(&holder)?.step.clone());
        rows.extend(here.row.as_ref().and_then(|row| Some((holder?, row.number + 1))));
        scope = here.parent.and_then(|parent| state.scopes.get(&parent));
    }
    rows.reverse();
    rows
}
