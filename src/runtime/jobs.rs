//! Work for programs outside: they fetch it, hold it for a while, and complete or fail it.
//!
//! Who holds a job is in its row and not in the log: taking it changes nothing of the case. Every answer names the
//! taking that it is of, so a worker whose lease ran out answers nothing, whether or not somebody else has the job.
//! A lease that ran out is a failed attempt, as `retry` counts them: it is written down before anybody gets the job
//! again, by a command whose id follows from the taking, so once however many sweep.

use super::{Accepted, Denied, Error, Runtime};
use crate::engine::command::{Actor, Ask, Command};
use crate::engine::event::{Entry, Event};
use crate::engine::refusal::Refusal;
use crate::engine::state::Waiting;
use crate::model::id::{InstanceId, TokenId};
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::store::pending::{Awaited, Chore, Lease, WaitRow};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The longest that a worker may wait for work in one request.
pub const LONGEST_WAIT: Duration = Duration::from_secs(25);

/// The most jobs that one request takes.
pub const MOST: u32 = 100;

/// How often somebody who waits for work looks; due times pass without a change.
const LOOK: Duration = Duration::from_secs(1);

/// How a worker names a job that it holds: `<instance>.<token>.<since>.<epoch>`.
pub fn lease_id(row: &WaitRow) -> String {
    format!("{}.{}.{}.{}", row.instance, row.token, row.since, row.epoch)
}

/// Reads what [`lease_id`] writes.
fn parse(text: &str) -> Option<Lease> {
    let mut parts = text.split('.');
    let lease = Lease {
        instance: InstanceId::parse(parts.next()?)?,
        token: TokenId(parts.next()?.parse().ok()?),
        since: parts.next()?.parse().ok()?,
        epoch: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(lease)
}

impl Runtime {
    pub(super) async fn take(
        &self,
        what: Awaited,
        name: Option<String>,
        worker: &str,
        limit: u32,
    ) -> Result<Vec<WaitRow>, Error> {
        let worker = worker.to_owned();
        self.ask(|reply| super::Job::Take(what, name, worker, limit, reply)).await?
    }

    /// Takes jobs of a name for a worker, the longest due first; where there are none, waits for one so long.
    ///
    /// # Errors
    /// What the store says.
    pub async fn fetch_jobs(&self, name: &str, worker: &str, most: u32, wait: Duration) -> Result<Vec<WaitRow>, Error> {
        let until = tokio::time::Instant::now() + wait.min(LONGEST_WAIT);
        let mut changed = self.changed();
        loop {
            changed.mark_unchanged();
            lapse_due(self).await?;
            let taken = self.take(Awaited::Job, Some(name.to_owned()), worker, most.clamp(1, MOST)).await?;
            if !taken.is_empty() || tokio::time::Instant::now() >= until {
                return Ok(taken);
            }
            let look = tokio::time::Instant::now() + LOOK;
            tokio::select! {
                () = tokio::time::sleep_until(until.min(look)) => {}
                _ = changed.changed() => {}
            }
        }
    }

    /// Holds a job for so much longer from now on; `None` where the lease is over.
    ///
    /// # Errors
    /// What the store says.
    pub async fn extend_job(&self, job: &str, more: Duration) -> Result<Option<DateTime<Utc>>, Error> {
        let (Some(lease), Ok(more)) = (parse(job), TimeDelta::from_std(more)) else { return Ok(None) };
        let until = self.now() + more.min(TimeDelta::days(1));
        Ok(self.chore(Chore::Extend(lease, until)).await?.then_some(until))
    }

    /// The work is done, with this result.
    ///
    /// # Errors
    /// [`Refusal::NotWaiting`] where the lease is over.
    pub async fn complete_job(&self, job: &str, data: Value) -> Result<Accepted, Denied> {
        self.answer_job(job, |token, attempt| Ask::Answer { token, attempt, data }).await
    }

    /// The work could not be done.
    ///
    /// # Errors
    /// [`Refusal::NotWaiting`] where the lease is over.
    pub async fn fail_job(
        &self,
        job: &str,
        what: Wording,
        permanent: bool,
        after: Option<DateTime<Utc>>,
    ) -> Result<Accepted, Denied> {
        self.answer_job(job, |token, attempt| Ask::Fail { token, attempt, what, permanent, after }).await
    }

    async fn answer_job(&self, job: &str, ask: impl FnOnce(TokenId, u16) -> Ask) -> Result<Accepted, Denied> {
        let over = || Denied::Refused(Refusal::NotWaiting, None);
        let lease = parse(job).ok_or_else(over)?;
        let id = format!("job {} {} {}", lease.token, lease.since, lease.epoch);
        let row = self.store.wait(lease.instance, lease.token).await.map_err(Denied::Unavailable)?;
        let gone = row.is_none();
        let held = row.filter(|row| Lease::of(row) == lease && lease.epoch > 0 && row.next_at > self.now());
        // The same answer again finds the row gone and is answered with what it did the first time.
        let attempt = held.as_ref().map_or(0, WaitRow::attempt);
        let command = Command { id: id.into(), actor: Actor::System, ask: ask(lease.token, attempt) };
        let fails = command.ask.is_failure();
        // What is no job of the case is not written down as one that came late.
        if gone && !self.was_asked(&lease).await.map_err(Denied::Unavailable)? {
            return Err(over());
        }
        match self.submit(lease.instance, command).await {
            Err(Denied::Refused(Refusal::NoInstance | Refusal::Ended { .. }, state)) => {
                Err(Denied::Refused(Refusal::NotWaiting, state))
            }
            Ok(accepted) if came_late(&accepted.entry) => {
                Err(Denied::Refused(Refusal::NotWaiting, Some(accepted.state)))
            }
            // The other answer was given before: that is over, and not the same thing said twice.
            Ok(accepted) if accepted.repeated && accepted.entry.command.ask.is_failure() != fails => {
                Err(Denied::Refused(Refusal::NotWaiting, Some(accepted.state)))
            }
            done => done,
        }
    }

    /// Whether a case asked for this job once.
    async fn was_asked(&self, lease: &Lease) -> Result<bool, Error> {
        let Some(case) = self.case(lease.instance).await? else { return Ok(false) };
        let begins = |event: &Event| match event {
            Event::WaitBegun { token, waits, .. } => *token == lease.token && matches!(**waits, Waiting::Job { .. }),
            Event::Postponed { token, .. } => *token == lease.token,
            _ => false,
        };
        let asked = case.entries.iter().find(|entry| entry.revision == lease.since);
        Ok(asked.is_some_and(|entry| entry.events.iter().any(begins)))
    }
}

fn came_late(entry: &Entry) -> bool {
    entry.events.iter().any(|event| matches!(event, Event::CameLate { .. }))
}

/// Fails every job whose worker did not answer within its lease.
pub(super) async fn lapse_due(runtime: &Runtime) -> Result<usize, Error> {
    let mut lapsed = 0;
    loop {
        let mut round = 0;
        for row in runtime.store.lapsed(runtime.now(), MOST).await? {
            let id = format!("lapse {} {} {}", row.token, row.since, row.epoch).into();
            let (token, attempt, what) = (row.token, row.attempt(), did_not_answer(&row));
            let ask = Ask::Fail { token, attempt, what, permanent: false, after: None };
            match runtime.submit(row.instance, Command { id, actor: Actor::System, ask }).await {
                Ok(accepted) if !accepted.repeated => round += 1,
                Err(Denied::Unavailable(error)) => return Err(error),
                // It was answered meanwhile, or somebody else has written it down.
                Ok(_) | Err(_) => {}
            }
        }
        if round == 0 {
            return Ok(lapsed);
        }
        lapsed += round;
    }
}

fn did_not_answer(row: &WaitRow) -> Wording {
    let worker = row.worker.as_deref().unwrap_or_default();
    Wording::new(format!("工作程序“{worker}”没有按时答复。"), format!("The worker “{worker}” did not answer in time."))
}
