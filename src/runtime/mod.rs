//! The loops, and the one door to them: [`Runtime`].
//!
//! A `Runtime` is a cheap handle. Commands go through it to the writer (`writer.rs`), the only thing that
//! changes an instance; reads go past the writer to the file (`read.rs`). `timers.rs` turns due times into commands.
//! This room is the only one with tasks, threads and channels, and reads the system clock at one place,
//! [`Clock::now`].
//!
//! Invariant: everything answered as accepted is durable. Knows nothing of YAML, HTTP pages or the command line.

pub mod access;
pub mod channel;
mod clock;
mod dispatch;
pub mod drive;
mod forsaken;
mod handover;
mod heard;
pub mod http;
pub mod jobs;
mod obstacle;
mod open_cases;
mod opening;
pub mod outbox;
mod read;
mod recorded;
mod schedule;
mod served;
mod shared;
mod standing;
pub mod timers;
mod together;
mod writer;

use self::opening::Loops;
use self::shared::Shared;
use self::writer::{Asked, Job, Request, Target};
use crate::engine::command::{Ask, Command};
use crate::engine::event::Entry;
use crate::engine::refusal::{FieldFault, PathPart, Refusal};
use crate::engine::state::State;
use crate::model::definition::Definition;
use crate::model::file;
use crate::model::id::{InstanceId, MailId, ProcessId};
use crate::model::metric::Metric;
use crate::model::people::Directory;
use crate::model::text::Text;
use crate::model::time::Calendar;
use crate::store::Store;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

pub use crate::store::file::{Content, Files, Incoming, Refused, Swept};
pub use crate::store::pending::{DispatchRow, MessageRow, WaitRow};
pub use crate::store::query::{
    AssignmentRow, AssignmentState, Counts, Delivery, Deployed, Found, InstanceFilter, InstanceRow, OutboxFilter,
    OutboxRow, Standing, TaskFilter, TaskRow,
};
pub use crate::store::{Error, Kind, Settled, Settlement, TASK_OVER};
pub use clock::Clock;
pub use forsaken::Forsaken;
pub use handover::{HandOver, HandOverResult, HandedOver};
pub use heard::Hearing;
pub use obstacle::Obstacles;
pub use opening::{Database, Options, Role};
pub use read::Case;
pub use recorded::Recorded;
pub use served::is_served;

/// What is to go live together.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Every definition that can be started from now on.
    pub definitions: Vec<Definition>,
    /// The people.
    pub directory: Directory,
    /// The working calendar.
    pub calendar: Calendar,
    /// What is measured of cases.
    pub metrics: Vec<Metric>,
    /// Where it came from: a folder, a commit.
    pub note: String,
}

/// What a deployment came to.
#[derive(Clone, Debug)]
pub struct DeployOutcome {
    /// What is live now.
    pub live: Arc<Deployed>,
    /// Whether anything changed; the same content again makes no new deployment.
    pub changed: bool,
}

/// A command that was accepted and is durable.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Of which instance.
    pub instance: InstanceId,
    /// The instance as it is now.
    pub state: Arc<State>,
    /// The row of the log that the command made.
    pub entry: Arc<Entry>,
    /// Whether it had been done before: the same command id again.
    pub repeated: bool,
}

/// Why a command was not accepted; nothing was changed.
#[derive(Clone, Debug)]
pub enum Denied {
    /// The engine says no; with the instance that it said no about.
    Refused(Refusal, Option<Arc<State>>),
    /// No process of this name is live.
    NoProcess {
        /// The name.
        process: ProcessId,
        /// The names there are.
        known: Vec<ProcessId>,
    },
    /// It could not be tried.
    Unavailable(Error),
}

impl Denied {
    /// What kind of no it is, for a log: without what people wrote.
    fn kind(&self) -> String {
        match self {
            Denied::Refused(refusal, _) => refusal.kind().to_owned(),
            Denied::NoProcess { process, .. } => format!("no process {process}"),
            Denied::Unavailable(error) => error.to_string(),
        }
    }
}

/// The handle of everything that runs; cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
    store: Store,
    requests: mpsc::Sender<Request>,
    installation: Arc<str>,
    files: Files,
    /// Stops the loops with the last handle.
    _loops: Option<Arc<Loops>>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// How long a caller waits for a place before the writer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Runtime {
    /// What time it is.
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.clock.now()
    }

    /// The clock, for tests that move it.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// A random id that is the same for as long as the database lives; tickets are bound to it.
    pub fn installation(&self) -> &str {
        &self.installation
    }

    /// Makes definitions, people and a calendar live together.
    ///
    /// # Errors
    /// What the store says.
    pub async fn deploy(&self, deployment: Deployment) -> Result<DeployOutcome, Error> {
        self.ask(|reply| Job::Deploy(Box::new(deployment), reply)).await?
    }

    /// What is live, as this process last saw it.
    pub fn live(&self) -> Arc<Deployed> {
        self.shared.live()
    }

    /// The definitions that can be started, by name.
    pub fn definitions(&self) -> Vec<Arc<Definition>> {
        self.live().definitions.clone()
    }

    /// The live definition of a process.
    pub fn definition(&self, process: &ProcessId) -> Option<Arc<Definition>> {
        self.live().definitions.iter().find(|definition| definition.process == *process).cloned()
    }

    /// The people, as they are now.
    pub fn directory(&self) -> Arc<Directory> {
        self.live().directory.clone()
    }

    /// The working calendar, as it is now.
    pub fn calendar(&self) -> Arc<Calendar> {
        self.live().calendar.clone()
    }

    /// Starts an instance of a process; `command` asks [`crate::engine::command::Ask::Start`].
    ///
    /// # Errors
    /// Why not; nothing was changed.
    pub async fn start(&self, process: &ProcessId, command: Command) -> Result<Accepted, Denied> {
        self.command(Target::Start(process.clone()), command).await
    }

    /// Asks something of an instance.
    ///
    /// # Errors
    /// Why not; nothing was changed.
    pub async fn submit(&self, instance: InstanceId, command: Command) -> Result<Accepted, Denied> {
        self.command(Target::Instance(instance), command).await
    }

    async fn command(&self, target: Target, command: Command) -> Result<Accepted, Denied> {
        let done = self.once(target, command).await;
        // A server does so by itself; in a shell nobody else may be there to do it.
        if !self.shared.server
            && let Ok(accepted) = &done
            && dispatch::reaches_out(&accepted.entry)
        {
            self.dispatch().await.map_err(Denied::Unavailable)?;
        }
        done
    }

    /// One command, and nothing of what it has for other instances.
    async fn once(&self, target: Target, command: Command) -> Result<Accepted, Denied> {
        self.hold(&command)?;
        let (reply, answer) = oneshot::channel();
        self.send(Request::Command(Asked { target, command, reply })).await.map_err(Denied::Unavailable)?;
        answer.await.unwrap_or_else(|_| Err(Denied::Unavailable(Error::closed())))
    }

    /// Refuses a command that names files whose contents are not there; the others stay until it is in the log.
    fn hold(&self, command: &Command) -> Result<(), Denied> {
        let (Ask::Start { data: values } | Ask::Decide { values, .. } | Ask::Revise { data: values, .. }) =
            &command.ask
        else {
            return Ok(());
        };
        let mut faults = Vec::new();
        for (name, value) in values {
            let missing = value.files().into_iter().filter(|file| !self.files.hold(file));
            faults.extend(missing.map(|file| FieldFault {
                path: vec![PathPart::Field(name.clone())],
                title: Text::One(name.to_string()),
                what: file::gone(&file.name),
                limit: None,
            }));
        }
        if faults.is_empty() { Ok(()) } else { Err(Denied::Refused(Refusal::BadForm(faults), None)) }
    }

    /// The contents of files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Removes the contents that no case names and that are older than a day: forms that were never handed in.
    ///
    /// # Errors
    /// What the store says.
    pub async fn sweep_files(&self) -> Result<Swept, Error> {
        let used = self.store.files().await?;
        let now = std::time::SystemTime::from(self.now());
        self.files.sweep(&used, |at| now.duration_since(at).unwrap_or_default())
    }

    async fn send(&self, request: Request) -> Result<(), Error> {
        use mpsc::error::{SendTimeoutError, TrySendError};
        let request = match self.requests.try_send(request) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(Error::closed()),
            Err(TrySendError::Full(request)) => request,
        };
        match self.requests.send_timeout(request, PATIENCE).await {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Closed(_)) => Err(Error::closed()),
            Err(SendTimeoutError::Timeout(_)) => Err(Error::busy()),
        }
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Job(job(reply))).await?;
        answer.await.map_err(|_| Error::closed())
    }

    /// Fires every timer that is due by the clock, of every instance, and answers how many instances woke. A
    /// server does so by itself.
    ///
    /// # Errors
    /// What the store says.
    pub async fn wake_due(&self) -> Result<usize, Error> {
        timers::wake_due(self, &mut timers::Refused::new()).await
    }

    /// Starts the cases of schedules that are due by the clock, and answers how many began. A server does so by
    /// itself.
    ///
    /// # Errors
    /// What the store says.
    pub async fn start_due(&self) -> Result<usize, Error> {
        schedule::start_due(self).await.map(|(began, _)| began)
    }

    /// Looks at once whether another process wrote; a server does so by itself.
    ///
    /// # Errors
    /// What the store says.
    pub async fn look(&self) -> Result<(), Error> {
        self.ask(Job::Look).await?
    }

    /// Takes mails that are due, most urgent first, for nobody else to take within `lease`. Mails whose
    /// assignment is over are skipped on the way and not among them. A row with parts is `sending` from now on
    /// in the file; the row answered has the state that it was found in, so one found `Sending` may have been
    /// sent before. A row without parts stays `pending`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn lease(&self, limit: u32, lease: Duration) -> Result<Vec<OutboxRow>, Error> {
        self.ask(|reply| Job::Lease(limit, lease, reply)).await?
    }

    /// Writes down how leased mails went, in order and in one transaction. Answers how many were settled; one
    /// whose lease ran out and that somebody else took is not.
    ///
    /// # Errors
    /// What the store says.
    pub async fn settle(&self, settlements: Vec<Settlement>) -> Result<usize, Error> {
        self.ask(|reply| Job::Settle(settlements, reply)).await?
    }

    /// Puts a mail that is done with back into the queue, as it is: the same bytes and the same Message-ID.
    /// `false` where there is no such mail or it is on its way already.
    ///
    /// # Errors
    /// What the store says.
    pub async fn requeue(&self, instance: InstanceId, mail: MailId) -> Result<bool, Error> {
        self.ask(|reply| Job::Requeue(instance, mail, reply)).await?
    }

    /// Ticks when something was written: by this process at once, by another within a moment (servers only).
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Becomes ready if the disk failed: the process must end then and start again.
    pub async fn failed(&self) -> Error {
        let mut failed = self.shared.failed.subscribe();
        match failed.wait_for(Option::is_some).await {
            Ok(error) => error.clone().unwrap_or_else(Error::closed),
            Err(_) => Error::closed(),
        }
    }

    /// Answers what is under way, then stops. Other handles are answered “closed” from now on.
    pub async fn shutdown(self) {
        let _ = self.ask(Job::Stop).await;
        self.store.close().await;
    }
}
