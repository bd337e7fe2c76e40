//! A runtime that is driven by hand: time stands still until the driver moves it, and nothing happens by itself.
//!
//! The writer, the store and the engine are those of a server; only the loops are missing. The driver sets the clock,
//! asks what is to be asked at that moment, all at once so that it shares a commit, and lets everything happen that
//! is due: timers, scheduled cases, and what cases have for each other, until nothing is left.
//!
//! ```text
//! set(at) ─→ ask(commands) ─→ settle() ─→ everything that was accepted, in the order of the logs
//! ```
//!
//! Invariant: what is asked in the same order at the same times with the same seed writes the same logs. So
//! everything is begun in a known order, due timers in the order of their time, and chance follows from the seed.

use super::together::together;
use super::writer::Target;
use super::{Accepted, Clock, Database, Denied, Error, Options, Role, Runtime, dispatch, schedule};
use crate::engine::command::{Actor, Ask, Command};
use crate::model::id::{InstanceId, ProcessId};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;

/// Who drives a runtime.
#[derive(Debug)]
pub struct Driver {
    runtime: Runtime,
    told: mpsc::UnboundedReceiver<Accepted>,
    /// When each instance wakes next, and in the order of time.
    wakes: BTreeMap<InstanceId, DateTime<Utc>>,
    order: BTreeSet<(DateTime<Utc>, InstanceId)>,
    revisions: BTreeMap<InstanceId, u32>,
    /// When the next case starts by a schedule, as of a deployment.
    scheduled: (Option<u64>, Option<DateTime<Utc>>),
    /// Something may have to reach another instance.
    posted: bool,
}

/// What is asked of a runtime: a new case of a process, or something of a case.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Start a case.
    Start(ProcessId, Command),
    /// Ask something of one.
    Case(InstanceId, Command),
}

impl Driver {
    /// Opens a database to drive it from a moment on. Nobody else can serve it meanwhile.
    ///
    /// # Errors
    /// Whatever is wrong with the file, with advice.
    pub async fn open(database: Database, from: DateTime<Utc>, seed: [u8; 32]) -> Result<Driver, Error> {
        let (witness, told) = mpsc::unbounded_channel();
        let options = Options { database, clock: Clock::fixed(from), role: Role::Server };
        let runtime = Runtime::with(options, seed, Some(witness)).await?;
        Ok(Driver {
            runtime,
            told,
            wakes: BTreeMap::new(),
            order: BTreeSet::new(),
            revisions: BTreeMap::new(),
            scheduled: (None, None),
            posted: false,
        })
    }

    /// What is driven.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Moves the clock; never back.
    pub fn set(&self, now: DateTime<Utc>) {
        self.runtime.clock().set(now.max(self.runtime.now()));
    }

    /// When something happens by itself next.
    pub fn next(&self) -> Option<DateTime<Utc>> {
        self.order.first().map(|(at, _)| *at).into_iter().chain(self.scheduled.1).min()
    }

    /// Asks all of it at once; answers what came of each.
    pub async fn ask(&self, asked: Vec<Asked>) -> Vec<Result<Accepted, Denied>> {
        let asked = asked.into_iter().map(|asked| match asked {
            Asked::Start(process, command) => self.runtime.once(Target::Start(process), command),
            Asked::Case(instance, command) => self.runtime.once(Target::Instance(instance), command),
        });
        together(asked).await
    }

    /// A message came from outside: it is delivered with the next [`Driver::settle`].
    pub fn post(&mut self) {
        self.posted = true;
    }

    /// Lets everything happen that is due by the clock, and answers everything that was accepted since the last
    /// time, in the order of the logs.
    ///
    /// # Errors
    /// What the store says.
    pub async fn settle(&mut self) -> Result<Vec<Accepted>, Error> {
        let mut accepted = Vec::new();
        loop {
            let before = accepted.len();
            self.hear(&mut accepted);
            if std::mem::take(&mut self.posted) {
                dispatch::drain(&self.runtime).await?;
                self.hear(&mut accepted);
            }
            let woke = self.wake().await?;
            let began = self.begin().await?;
            self.hear(&mut accepted);
            if accepted.len() == before && woke == 0 && began == 0 {
                return Ok(accepted);
            }
        }
    }

    /// Takes in what was accepted.
    fn hear(&mut self, accepted: &mut Vec<Accepted>) {
        while let Ok(one) = self.told.try_recv() {
            if let Some(at) = self.wakes.remove(&one.instance) {
                self.order.remove(&(at, one.instance));
            }
            if let Some(at) = one.state.wake_at() {
                self.wakes.insert(one.instance, at);
                self.order.insert((at, one.instance));
            }
            if one.state.ended.is_some() {
                self.revisions.remove(&one.instance);
            } else {
                self.revisions.insert(one.instance, one.state.revision);
            }
            self.posted |= dispatch::reaches_out(&one.entry);
            accepted.push(one);
        }
    }

    /// Fires every timer that is due.
    async fn wake(&mut self) -> Result<usize, Error> {
        let now = self.runtime.now();
        let mut due = Vec::new();
        while let Some((at, instance)) = self.order.first().copied().filter(|(at, _)| *at <= now) {
            self.order.remove(&(at, instance));
            self.wakes.remove(&instance);
            let id = format!("wake {}", self.revisions.get(&instance).copied().unwrap_or_default()).into();
            due.push(Asked::Case(instance, Command { id, actor: Actor::System, ask: Ask::Wake }));
        }
        let woke = due.len();
        for done in self.ask(due).await {
            match done {
                Err(Denied::Unavailable(error)) => return Err(error),
                Err(denied) => tracing::warn!(why = denied.kind(), "an instance could not be woken"),
                Ok(_) => {}
            }
        }
        Ok(woke)
    }

    /// Starts the cases of schedules that are due.
    async fn begin(&mut self) -> Result<usize, Error> {
        let live = Some(self.runtime.live().number);
        let now = self.runtime.now();
        if self.scheduled.0 == live && self.scheduled.1.is_none_or(|next| next > now) {
            return Ok(0);
        }
        let (began, next) = schedule::start_due(&self.runtime).await?;
        self.scheduled = (live, next);
        Ok(began)
    }
}
