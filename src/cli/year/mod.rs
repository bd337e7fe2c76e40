//! `demo --year`: a year of a whole department, through the production engine, writer, store and outbox, by a clock
//! that jumps from one thing to the next.
//!
//! ```text
//! script ─→ people ── plans ──→ driver ── commands ─→ writer, store
//!              ↑                   │ timers, schedules, calls
//!              └── what happened ←─┘────→ outbox ─→ mailbox
//! ```
//!
//! What is played is a document (`script`); who answers what when is decided by the `people` in it, and what they
//! write by `fill`. The same seed plays the same year: the same cases, decisions and hashes of the logs.
//!
//! Invariant: knows no process, no step and no field by name.

mod dice;
mod fill;
mod people;
mod script;
mod starts;
mod summary;

use self::dice::Dice;
use self::people::{Attempt, People, Plan};
use self::script::Script;
use self::summary::Summary;
use super::exit::{Exit, Stop};
use super::output::{Bar, Output};
use super::shell::Shell;
use crate::diagnostics::{Sources, Style, render};
use crate::effects::link::Keys;
use crate::effects::mail::Sender;
use crate::effects::mailbox::Mailbox;
use crate::effects::template::Templates;
use crate::effects::transport::Transport;
use crate::model::id::InstanceId;
use crate::runtime::access::keyring;
use crate::runtime::drive::{Asked, Driver};
use crate::runtime::outbox::Outbox;
use crate::runtime::{Accepted, Database, Deployment};
use crate::syntax::data;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// How long a mail waits at most for others to go with: many are written down together.
const MAIL: TimeDelta = TimeDelta::minutes(60);

/// How a year is played.
pub(super) struct How {
    /// Where everything is kept.
    pub(super) database: PathBuf,
    /// What is played.
    pub(super) script: String,
    /// What signs the links.
    pub(super) keys: Keys,
    /// What chance follows from.
    pub(super) seed: u64,
    /// The last day, where it is not the whole year.
    pub(super) until: Option<NaiveDate>,
}

/// Plays a year of what is deployed.
pub(super) async fn play(shell: &Shell, mut deployment: Deployment, how: How) -> Result<Summary, Stop> {
    let output = &shell.output;
    let script = script(output, &how.script)?;
    let away = script.absences.iter().map(script::Away::absence);
    let people = &deployment.directory.people;
    let known: Vec<_> =
        away.filter(|one| [&one.person, &one.substitute].iter().all(|id| people.contains_key(*id))).collect();
    deployment.directory.absences.extend(known);
    let calendar = &deployment.calendar;
    let (first, last) = (script.from, how.until.unwrap_or(script.to).min(script.to));
    let (from, until) = (calendar.opening(first), calendar.closing(last));
    let mut dice = Dice::new(how.seed);
    let database = Database::File(how.database);
    let driver = Driver::open(database, from, dice.bytes()).await?;
    driver.runtime().deploy(deployment).await?;
    let input = |what| Stop::Because(Exit::Input, what);
    let sender = Sender::new(&shell.settings.mail.from, None, "http://127.0.0.1:8080").map_err(input)?;
    let (templates, mailbox) = (Arc::new(Templates::embedded()), Transport::Mailbox(Mailbox::new()));
    let outbox = Outbox::new(driver.runtime().clone(), templates, keyring(how.keys), mailbox, sender);
    let mut people = People::new(script, dice, driver.runtime());
    for (at, plan) in starts::starts(&people.script, driver.runtime(), &mut people.dice) {
        people.plan(at, plan);
    }
    let bar = output.bar("正在演完这一年", "Playing the year", (last - first).num_days().unsigned_abs() + 1);
    let mut year = Year { driver, outbox, people, summary: Summary::new(first, last) };
    year.play(until, &bar, first).await?;
    drop(bar);
    let Year { driver, summary, .. } = year;
    let summary = summary.close(driver.runtime()).await?;
    driver.runtime().clone().shutdown().await;
    Ok(summary)
}

fn script(output: &Output, text: &str) -> Result<Script, Stop> {
    let mut sources = Sources::new();
    let id = sources.add("year.yaml", text);
    let broken = |said: String| {
        let (zh, en) = ("无法读懂演什么：", "It cannot be read what is to be played: ");
        Stop::input(format!("{zh}{said}"), format!("{en}{said}"))
    };
    let read = data(id, &sources);
    let read = read.map_err(|faults| broken(render(&faults, &sources, output.lang, Style::default())))?;
    Script::deserialize(read.to_json()).map_err(|error| broken(error.to_string()))
}

/// A year that is being played.
struct Year {
    driver: Driver,
    outbox: Outbox,
    people: People,
    summary: Summary,
}

impl Year {
    /// From one thing to the next, until nothing is left or the last day is over.
    async fn play(&mut self, until: DateTime<Utc>, bar: &Bar, first: NaiveDate) -> Result<(), Stop> {
        self.settle().await?;
        let mut mailed = self.driver.runtime().now();
        while let Some(next) = [self.people.next(), self.driver.next()].into_iter().flatten().min()
            && next <= until
        {
            if next >= mailed + MAIL {
                self.outbox.flush().await?;
                mailed = next;
            }
            self.driver.set(next);
            let now = self.driver.runtime().now();
            self.settle().await?;
            self.act(now).await?;
            let day = self.people.calendar.today(now);
            bar.reach((day - first).num_days().unsigned_abs());
        }
        self.outbox.flush().await?;
        Ok(())
    }

    /// Everything that people do now, at once; a second thing of one case after what the first came to.
    async fn act(&mut self, now: DateTime<Utc>) -> Result<(), Stop> {
        let mut plans = self.people.due(now);
        let mut again: Vec<Attempt> = Vec::new();
        while !plans.is_empty() || !again.is_empty() {
            let (mut busy, mut later) = (BTreeSet::new(), Vec::new());
            let mut attempts = std::mem::take(&mut again);
            busy.extend(attempts.iter().filter_map(|attempt| instance(&attempt.plan)));
            for plan in plans.drain(..) {
                if let Some((id, data)) = self.people.message(&plan, now) {
                    if let Plan::Message { name, key, .. } = &plan {
                        let runtime = self.driver.runtime();
                        let sent = runtime.message(&id, name, key.as_deref(), data).await;
                        sent.map_err(|denied| Stop::denied(denied, runtime))?;
                        self.driver.post();
                    }
                } else if instance(&plan).is_some_and(|instance| !busy.insert(instance)) {
                    later.push(plan);
                } else {
                    attempts.extend(self.people.attempt(plan, now));
                }
            }
            plans = later;
            let asked: Vec<Asked> = attempts.iter().map(|attempt| attempt.asked.clone()).collect();
            for (attempt, done) in attempts.into_iter().zip(self.driver.ask(asked).await) {
                let Err(denied) = done else { continue };
                let process = self.people.process(&attempt.plan);
                match self.people.mend(attempt, &denied, now) {
                    Some(attempt) => again.push(attempt),
                    None => self.summary.refused(process, denied, self.driver.runtime())?,
                }
            }
            self.settle().await?;
        }
        Ok(())
    }

    /// Lets everything happen that follows, and looks at it.
    async fn settle(&mut self) -> Result<(), Stop> {
        for accepted in self.driver.settle().await? {
            self.notice(&accepted);
        }
        Ok(())
    }

    fn notice(&mut self, accepted: &Accepted) {
        self.people.notice(accepted);
        self.summary.notice(accepted);
    }
}

/// The case that a plan is about, where there is one.
fn instance(plan: &Plan) -> Option<InstanceId> {
    match plan {
        Plan::Start { .. } => None,
        Plan::Answer { instance, .. } | Plan::Withdraw { instance } | Plan::Message { instance, .. } => Some(*instance),
    }
}
