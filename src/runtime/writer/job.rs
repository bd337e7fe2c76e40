//! What needs the writing connection besides commands: leases of the outbox, deployments; and reading what is live.

use super::{Desk, TRIES};
use crate::model::definition::Definition;
use crate::model::id::{InstanceId, MailId, Version};
use crate::runtime::{DeployOutcome, Deployment};
use crate::store::pending::{Awaited, Chore, WaitRow};
use crate::store::query::{Deployed, OutboxRow};
use crate::store::record;
use crate::store::{Error, Kind, Settlement, StoredDefinition, StoredDeployment, Writer};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// What needs the writing connection besides commands.
pub(in crate::runtime) enum Job {
    /// Take mails that are due.
    Lease(u32, Duration, oneshot::Sender<Result<Vec<OutboxRow>, Error>>),
    /// Write down how mails went.
    Settle(Vec<Settlement>, oneshot::Sender<Result<usize, Error>>),
    /// Put a mail back into the queue.
    Requeue(InstanceId, MailId, oneshot::Sender<Result<bool, Error>>),
    /// Take waits of a kind, or of one name, for a worker.
    Take(Awaited, Option<String>, String, u32, oneshot::Sender<Result<Vec<WaitRow>, Error>>),
    /// Write what is no batch.
    Chore(Chore, oneshot::Sender<Result<bool, Error>>),
    /// Make a deployment live.
    Deploy(Box<Deployment>, oneshot::Sender<Result<DeployOutcome, Error>>),
    /// Look whether another process wrote.
    Look(oneshot::Sender<Result<(), Error>>),
    /// Finish.
    Stop(oneshot::Sender<()>),
}

impl Job {
    pub(super) fn refuse(self, error: Error) {
        match self {
            Job::Lease(_, _, reply) => drop(reply.send(Err(error))),
            Job::Settle(_, reply) => drop(reply.send(Err(error))),
            Job::Requeue(_, _, reply) => drop(reply.send(Err(error))),
            Job::Take(.., reply) => drop(reply.send(Err(error))),
            Job::Chore(_, reply) => drop(reply.send(Err(error))),
            Job::Deploy(_, reply) => drop(reply.send(Err(error))),
            Job::Look(reply) => drop(reply.send(Err(error))),
            Job::Stop(_) => {}
        }
    }
}

impl Desk {
    /// Does what needs the writing connection besides commands.
    pub(super) async fn job(&mut self, writer: &mut Writer, job: Job) {
        if let Some(error) = self.failed.clone() {
            return job.refuse(error);
        }
        let now = self.shared.clock.now();
        match job {
            Job::Lease(limit, lease, reply) => {
                let until = now + chrono::TimeDelta::from_std(lease).unwrap_or_default();
                let _ = reply.send(writer.lease(now, until, limit).await);
            }
            Job::Settle(settlements, reply) => {
                let _ = reply.send(writer.settle(now, &settlements).await);
            }
            Job::Requeue(instance, mail, reply) => {
                let done = writer.requeue(now, instance, mail).await;
                self.shared.tick();
                let _ = reply.send(done);
            }
            Job::Take(what, name, worker, limit, reply) => {
                let _ = reply.send(writer.take(now, what, name.as_deref(), &worker, limit).await);
            }
            Job::Chore(chore, reply) => {
                let done = writer.chore(now, &chore).await;
                self.shared.tick();
                if matches!(chore, Chore::Keep(_)) {
                    self.shared.post();
                }
                let _ = reply.send(done);
            }
            Job::Deploy(deployment, reply) => {
                let done = self.deploy(writer, *deployment).await;
                self.shared.tick();
                let _ = reply.send(done);
            }
            Job::Look(reply) => {
                let _ = reply.send(self.look(writer, None).await.map(|_| ()));
            }
            Job::Stop(_) => {}
        }
    }

    pub(super) async fn deploy(&mut self, writer: &mut Writer, deployment: Deployment) -> Result<DeployOutcome, Error> {
        let mut definitions: Vec<StoredDefinition> = deployment
            .definitions
            .iter()
            .map(|definition| StoredDefinition {
                version: definition.version.clone(),
                process: definition.process.clone(),
                json: record::write_versioned(definition),
            })
            .collect();
        definitions.sort_by(|a, b| a.process.cmp(&b.process));
        let mut stored = StoredDeployment {
            number: 0,
            at: self.shared.clock.now(),
            note: deployment.note,
            versions: definitions.iter().map(|one| one.version.clone()).collect(),
            directory: String::new(),
            calendar: record::write_versioned(&deployment.calendar),
            metrics: record::write_versioned(&deployment.metrics),
        };
        let mut last = Error::busy();
        for _ in 0..TRIES {
            let current = self.loader.deployment().await?;
            stored.number = current.as_ref().map_or(1, |current| current.number + 1);
            let mut directory = deployment.directory.clone();
            if let Some(current) = &current {
                directory.remember(record::read_versioned(&current.directory, "directory")?);
            }
            stored.directory = record::write_versioned(&directory);
            let same = current.is_some_and(|current| {
                (&current.versions, &current.directory, &current.calendar, &current.metrics)
                    == (&stored.versions, &stored.directory, &stored.calendar, &stored.metrics)
            });
            let done = if same { Ok(()) } else { writer.deploy(&stored, &definitions).await };
            match done {
                Ok(()) => {
                    self.refresh().await?;
                    return Ok(DeployOutcome { live: self.shared.live(), changed: !same });
                }
                Err(error) if error.kind == Kind::Conflict => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Reads what is live, if that is another deployment than we know.
    pub(in crate::runtime) async fn refresh(&mut self) -> Result<(), Error> {
        if self.loader.deployed().await? == self.shared.live().number {
            return Ok(());
        }
        let Some(stored) = self.loader.deployment().await? else { return Ok(()) };
        self.definitions(&stored.versions).await?;
        let known = self.shared.versions();
        let live = Deployed {
            number: stored.number,
            at: stored.at,
            note: stored.note,
            definitions: stored.versions.iter().filter_map(|version| known.get(version).cloned()).collect(),
            directory: Arc::new(record::read_versioned(&stored.directory, "directory")?),
            calendar: Arc::new(record::read_versioned(&stored.calendar, "calendar")?),
            metrics: Arc::new(record::read_versioned(&stored.metrics, "metrics")?),
        };
        self.shared.set_live(live);
        Ok(())
    }

    /// Makes definitions known that are not yet.
    pub(super) async fn definitions(&mut self, versions: &[Version]) -> Result<(), Error> {
        let known = self.shared.versions();
        let missing: Vec<Version> = versions.iter().filter(|version| !known.contains_key(*version)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        for stored in self.loader.definitions(&missing).await? {
            let definition: Definition = record::read_versioned(&stored.json, "definition")?;
            self.shared.know(Arc::new(definition));
        }
        Ok(())
    }
}
