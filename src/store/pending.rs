//! What reaches beyond one instance, as rows: commands for others, waits for the world, messages, schedules.
//!
//! Rows of `dispatch` and `wait` follow from logs, as all rows of a [`super::Batch`] do; only a lease does not.
//! A message comes from outside and is stored by itself.

use super::error::Error;
use super::{Loader, Store, Writer};
use crate::engine;
use crate::engine::command::{Actor, Ask};
use crate::engine::event::{Entry, Event};
use crate::engine::state::{Caller, State, Token, Waiting};
use crate::model::id::{CommandId, InstanceId, Outcome, ProcessId, StepId, TokenId, Version};
use crate::model::text::Wording;
use crate::model::value::Value;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// How long a message waits for who reads it.
pub const KEPT: TimeDelta = TimeDelta::days(30);

/// What every id of a dispatched command begins with; the rest follows from the event that it is for.
const PREFIX: &str = "dispatch ";

/// A command that one instance has for another.
#[derive(Clone, Debug, PartialEq)]
pub struct DispatchRow {
    /// The id of the command.
    pub id: CommandId,
    /// Who sends it.
    pub sender: InstanceId,
    /// Who gets it; one that is to begin is promised this id.
    pub target: InstanceId,
    /// Of which process it is to be, where it begins.
    pub process: Option<ProcessId>,
    /// What is asked.
    pub ask: Ask,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why it was given up.
    pub reply: Option<Wording>,
    /// Its place in the list.
    pub row: i64,
}

/// What kind of thing a row waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaited {
    /// A message.
    Message,
    /// Another instance.
    Call,
    /// Another system.
    Http,
    /// A worker.
    Job,
}

impl Awaited {
    /// All of them, in the order of their numbers.
    pub const ALL: [Awaited; 4] = [Awaited::Message, Awaited::Call, Awaited::Http, Awaited::Job];
}

/// A token that waits for something besides people and time.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitRow {
    /// Of which instance.
    pub instance: InstanceId,
    /// Which token.
    pub token: TokenId,
    /// At which step.
    pub step: StepId,
    /// The revision that it waits since, in this attempt.
    pub since: u32,
    /// What for.
    pub waits: Waiting,
    /// Not before; the end of the lease while somebody has it; of a message, since when it is waited for.
    pub next_at: DateTime<Utc>,
    /// How often somebody took it: what is answered names it, so that who lost a lease answers nothing.
    pub epoch: u32,
    /// Who has it.
    pub worker: Option<String>,
    /// Its place in the list.
    pub row: i64,
}

impl WaitRow {
    /// What kind of thing it waits for; `None` for what has no row.
    pub fn kind(waits: &Waiting) -> Option<Awaited> {
        match waits {
            Waiting::Block(_) | Waiting::Time | Waiting::Lock { .. } => None,
            Waiting::Message { .. } => Some(Awaited::Message),
            Waiting::Call { .. } => Some(Awaited::Call),
            Waiting::Http { .. } => Some(Awaited::Http),
            Waiting::Job { .. } => Some(Awaited::Job),
        }
    }

    /// What it is found by: the name and the key of a message, the process and the id of a case, a job's name.
    pub(super) fn found_by(&self) -> (&str, Option<String>) {
        match &self.waits {
            Waiting::Message { name, key, .. } => (name, key.as_deref().map(str::to_owned)),
            Waiting::Call { child, process } => (process.as_str(), Some(child.to_string())),
            Waiting::Job { name, .. } => (name, None),
            Waiting::Http { request, .. } => (&request.method, None),
            Waiting::Block(_) | Waiting::Time | Waiting::Lock { .. } => ("", None),
        }
    }

    /// How long a worker may hold it.
    pub fn lease(&self) -> TimeDelta {
        engine::lasts(&self.waits)
    }

    /// The attempt that an answer is for.
    pub fn attempt(&self) -> u16 {
        match &self.waits {
            Waiting::Http { attempt, .. } | Waiting::Job { attempt, .. } => *attempt,
            _ => 0,
        }
    }
}

/// A lease of a wait: what an answer must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Of which instance.
    pub instance: InstanceId,
    /// Which token.
    pub token: TokenId,
    /// Since which revision.
    pub since: u32,
    /// Which taking of it.
    pub epoch: u32,
}

impl Lease {
    /// The lease of a row that was taken.
    pub fn of(row: &WaitRow) -> Lease {
        Lease { instance: row.instance, token: row.token, since: row.since, epoch: row.epoch }
    }
}

/// A message from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRow {
    /// Its id: the same message again has the same.
    pub id: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// What tells it from those of other cases.
    pub key: Option<Arc<str>>,
    /// What it says.
    pub data: Value,
    /// When it came.
    pub at: DateTime<Utc>,
    /// Who read it.
    pub reader: Option<InstanceId>,
    /// Its place in the list.
    pub row: i64,
}

/// A message and who waits for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The message.
    pub message: MessageRow,
    /// The instance.
    pub instance: InstanceId,
    /// The token.
    pub token: TokenId,
}

/// What is written besides batches.
#[derive(Clone, Debug, PartialEq)]
pub enum Chore {
    /// A message came. Changes nothing where its id is known.
    Keep(Box<MessageRow>),
    /// Nobody will read a message.
    Discard(Arc<str>),
    /// A dispatched command was refused for good: it is dropped, or kept as given up, with the reason.
    Dispatched(CommandId, Option<Wording>),
    /// A command that was given up is to be carried out after all.
    Revived(CommandId),
    /// A lease goes on until then.
    Extend(Lease, DateTime<Utc>),
    /// The cases of a schedule have been started up to then.
    Through(ProcessId, DateTime<Utc>),
}

/// The rows of `wait` as they change with a command: by token, gone where `None`.
pub(super) fn waits(before: Option<&State>, after: &State) -> Vec<(TokenId, Option<WaitRow>)> {
    let mut changed = Vec::new();
    let known = |number: &TokenId| before.and_then(|state| state.tokens.get(number)).and_then(awaited);
    for (number, token) in &after.tokens {
        let (was, is) = (known(number), awaited(token));
        match is {
            None if was.is_some() => changed.push((*number, None)),
            Some((step, waits)) if was != is => {
                let next_at = match waits {
                    Waiting::Http { at, .. } | Waiting::Job { at, .. } => *at,
                    _ => after.at,
                };
                let row = WaitRow {
                    instance: after.id,
                    token: *number,
                    step: step.clone(),
                    since: after.revision,
                    waits: waits.clone(),
                    next_at,
                    epoch: 0,
                    worker: None,
                    row: 0,
                };
                changed.push((*number, Some(row)));
            }
            _ => {}
        }
    }
    for (number, token) in before.iter().flat_map(|state| &state.tokens) {
        if !after.tokens.contains_key(number) && awaited(token).is_some() {
            changed.push((*number, None));
        }
    }
    changed
}

/// What a token waits for that has a row. What stopped waits for an operator instead.
fn awaited(token: &Token) -> Option<(&StepId, &Waiting)> {
    let waits = token.waits.as_ref().filter(|waits| token.incident.is_none() && WaitRow::kind(waits).is_some())?;
    Some((token.step.as_ref()?, waits))
}

/// The commands that an entry has for other instances.
pub(super) fn dispatches(entry: &Entry, after: &State) -> Vec<DispatchRow> {
    let row = |what: &str, target, process, ask| DispatchRow {
        id: format!("{PREFIX}{what}").into(),
        sender: after.id,
        target,
        process,
        ask,
        at: entry.at,
        reply: None,
        row: 0,
    };
    let mut rows = Vec::new();
    for event in &entry.events {
        match event {
            Event::Called { token, child, process, applicant, with, depth, detached, .. } => {
                let caller = Caller { instance: after.id, token: (!detached).then_some(*token), depth: *depth };
                let ask = Ask::Begin {
                    id: Some(*child),
                    applicant: applicant.clone(),
                    data: with.clone(),
                    caller: Some(caller),
                };
                rows.push(row(&format!("begin {child}"), *child, Some(process.clone()), ask));
            }
            Event::CallCancelled { child } => {
                let reason = entry.reason().cloned();
                rows.push(row(&format!("cancel {child}"), *child, None, Ask::Cancel { reason }));
            }
            Event::Ended { outcome, .. } => {
                if let Some(Caller { instance, token: Some(token), .. }) = after.caller {
                    let outcome: Outcome = outcome.clone();
                    let ask = Ask::ChildEnded { token, child: after.id, outcome, data: after.data.clone() };
                    rows.push(row(&format!("ended {}", after.id), instance, None, ask));
                }
            }
            _ => {}
        }
    }
    rows
}

/// The dispatched command that an entry is the end of.
pub(super) fn dispatched(entry: &Entry) -> Option<&CommandId> {
    let own = entry.command.actor == Actor::System && entry.command.id.as_str().starts_with(PREFIX);
    own.then_some(&entry.command.id)
}

impl Writer {
    /// Takes waits of a kind that are due, the longest due first, for nobody else to take within their lease.
    ///
    /// # Errors
    /// What the database says.
    pub async fn take(
        &mut self,
        now: DateTime<Utc>,
        what: Awaited,
        name: Option<&str>,
        worker: &str,
        limit: u32,
    ) -> Result<Vec<WaitRow>, Error> {
        each_backend!(self, one => one.take(now, what, name, worker, limit))
    }

    /// Writes what is no batch; answers whether it changed anything.
    ///
    /// # Errors
    /// What the database says.
    pub async fn chore(&mut self, now: DateTime<Utc>, chore: &Chore) -> Result<bool, Error> {
        each_backend!(self, one => one.chore(now, chore))
    }
}

impl Loader {
    /// Whether a message is there and nobody has read it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn unread(&mut self, message: &str) -> Result<bool, Error> {
        match self {
            Loader::Sqlite(one) => one.unread(message).await,
            Loader::Memory(one) => one.is_unread(message),
        }
    }

    /// The open instance of a process that has a key to itself, and its reference.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claimed(&mut self, process: &ProcessId, claim: &str) -> Result<Option<(InstanceId, String)>, Error> {
        each_backend!(self, one => one.claimed(process, claim))
    }
}

impl Store {
    /// Commands that instances have for each other, oldest first: those under way, or those that were given up.
    ///
    /// # Errors
    /// What the database says.
    pub async fn dispatches(&self, failed: bool, limit: u32) -> Result<Vec<DispatchRow>, Error> {
        each_backend!(self, one => one.dispatches(failed, limit))
    }

    /// Unread messages with tokens that wait for them, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn deliverable(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Delivery>, Error> {
        each_backend!(self, one => one.deliverable(now, limit))
    }

    /// Messages that nobody has read, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn unread(&self, limit: u32) -> Result<Vec<MessageRow>, Error> {
        each_backend!(self, one => one.unread(limit))
    }

    /// Whether a message of this id came, read or not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn has_message(&self, id: &str) -> Result<bool, Error> {
        each_backend!(self, one => one.has_message(id))
    }

    /// The versions of the cases that wait for a message of this name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn versions_waiting(&self, message: &str) -> Result<Vec<Version>, Error> {
        each_backend!(self, one => one.versions_waiting(message))
    }

    /// Tokens that wait for something besides people and time, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn waits(&self, before: Option<i64>, limit: u32) -> Result<Vec<WaitRow>, Error> {
        each_backend!(self, one => one.waits(before, limit))
    }

    /// One of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn wait(&self, instance: InstanceId, token: TokenId) -> Result<Option<WaitRow>, Error> {
        each_backend!(self, one => one.wait(instance, token))
    }

    /// When the next call of another system is due.
    ///
    /// # Errors
    /// What the database says.
    pub async fn http_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        each_backend!(self, one => one.http_due())
    }

    /// When the next lease of a job runs out.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lapse_at(&self) -> Result<Option<DateTime<Utc>>, Error> {
        each_backend!(self, one => one.lapse_at())
    }

    /// Jobs whose lease has run out, the longest since first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lapsed(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<WaitRow>, Error> {
        each_backend!(self, one => one.lapsed(now, limit))
    }

    /// Up to when the cases of a schedule have been started.
    ///
    /// # Errors
    /// What the database says.
    pub async fn through(&self, process: &ProcessId) -> Result<Option<DateTime<Utc>>, Error> {
        each_backend!(self, one => one.through(process))
    }
}
