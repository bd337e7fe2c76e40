//! The loops, and the one door to them: [`Runtime`].
//!
//! A `Runtime` is a cheap handle. Commands go through it to the writer (`writer.rs`), the only thing that
//! changes an instance; reads go past the writer to the file. `timers.rs` turns due times into commands. This
//! room is the only one with tasks, threads and channels, and reads the system clock at one place,
//! [`Clock::now`].
//!
//! Invariant: everything answered as accepted is durable. Knows nothing of YAML, HTTP pages or the command line.

pub mod access;

use crate::engine::command::Command;
use crate::engine::event::Entry;
use crate::engine::refusal::Refusal;
use crate::engine::state::State;
use crate::model::definition::Definition;
use crate::model::id::{AssignmentId, InstanceId, MailId, ProcessId, Version};
use crate::model::people::Directory;
use crate::model::time::Calendar;
use chrono::{DateTime, SubsecRound, Utc};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

pub use crate::store::query::{
    AssignmentRow, AssignmentState, Counts, Delivery, Deployed, Found, InstanceFilter, InstanceRow, OutboxFilter,
    OutboxRow, Standing, TaskFilter, TaskRow,
};
pub use crate::store::{Error, Kind, Settled, Settlement};

/// How to open a runtime.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is kept.
    pub database: Database,
    /// What time it is.
    pub clock: Clock,
    /// What this process is there for.
    pub role: Role,
}

impl Options {
    /// A shell on a file, by the system's clock.
    pub fn file(path: impl Into<PathBuf>) -> Options {
        Options { database: Database::File(path.into()), clock: Clock::System, role: Role::Shell }
    }

    /// Nothing but memory, by the system's clock.
    pub fn memory() -> Options {
        Options { database: Database::Memory, clock: Clock::System, role: Role::Shell }
    }
}

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file; made if it is not there.
    File(PathBuf),
    /// Memory, for tests: gone with the runtime.
    Memory,
}

/// What a process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One command of a shell: neither fires timers nor watches for others.
    Shell,
    /// The one server of a file: fires timers and notices what other processes write. A second one is refused.
    Server,
}

/// What time it is.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's.
    System,
    /// What a test says.
    Fixed(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// A clock that stands still until a test moves it.
    pub fn fixed(at: DateTime<Utc>) -> Clock {
        Clock::Fixed(Arc::new(Mutex::new(at)))
    }

    /// The time, to the millisecond: the one reading of the system's clock.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one reading of the system's clock")]
            Clock::System => Utc::now().trunc_subsecs(3),
            Clock::Fixed(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a fixed clock; the system's does not move.
    pub fn set(&self, now: DateTime<Utc>) {
        if let Clock::Fixed(at) = self {
            *at.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }
}

/// What is to go live together.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Every definition that can be started from now on.
    pub definitions: Vec<Definition>,
    /// The people.
    pub directory: Directory,
    /// The working calendar.
    pub calendar: Calendar,
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

/// One instance with all that is known of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it runs on.
    pub definition: Arc<Definition>,
    /// Where it stands.
    pub state: Arc<State>,
    /// Its log, first entry first.
    pub entries: Arc<Vec<Entry>>,
}

/// The handle of everything that runs; cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    changed: watch::Sender<u64>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

impl Runtime {
    /// Opens the database, brings its schema up to date, and starts the writer; for a server the timers too.
    ///
    /// # Errors
    /// Whatever is wrong with the file, with advice.
    pub async fn open(options: Options) -> Result<Runtime, Error> {
        let (changed, _) = watch::channel(0);
        Ok(Runtime { shared: Arc::new(Shared { clock: options.clock, changed }) })
    }

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
        ""
    }

    /// Makes definitions, people and a calendar live together.
    ///
    /// # Errors
    /// What the store says.
    pub async fn deploy(&self, deployment: Deployment) -> Result<DeployOutcome, Error> {
        let _ = deployment;
        Err(Error::closed())
    }

    /// What is live, as this process last saw it.
    pub fn live(&self) -> Arc<Deployed> {
        Arc::new(Deployed {
            number: 0,
            at: self.now(),
            note: String::new(),
            definitions: Vec::new(),
            directory: Arc::default(),
            calendar: Arc::default(),
        })
    }

    /// The definitions that can be started, by name.
    pub fn definitions(&self) -> Vec<Arc<Definition>> {
        self.live().definitions.clone()
    }

    /// The live definition of a process.
    pub fn definition(&self, process: &ProcessId) -> Option<Arc<Definition>> {
        self.live().definitions.iter().find(|definition| definition.process == *process).cloned()
    }

    /// A definition that some instance may be pinned to, live or not.
    ///
    /// # Errors
    /// What the store says.
    pub async fn version(&self, version: &Version) -> Result<Option<Arc<Definition>>, Error> {
        let _ = version;
        Err(Error::closed())
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
        let _ = (process, command);
        Err(Denied::Unavailable(Error::closed()))
    }

    /// Asks something of an instance.
    ///
    /// # Errors
    /// Why not; nothing was changed.
    pub async fn submit(&self, instance: InstanceId, command: Command) -> Result<Accepted, Denied> {
        let _ = (instance, command);
        Err(Denied::Unavailable(Error::closed()))
    }

    /// Fires every timer that is due by the clock, of every instance, and answers how many instances woke. A
    /// server does so by itself.
    ///
    /// # Errors
    /// What the store says.
    pub async fn wake_due(&self) -> Result<usize, Error> {
        Err(Error::closed())
    }

    /// An instance with its whole log, or `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn case(&self, instance: InstanceId) -> Result<Option<Case>, Error> {
        let _ = instance;
        Err(Error::closed())
    }

    /// An assignment, in one indexed read.
    ///
    /// # Errors
    /// What the store says.
    pub async fn assignment(&self, assignment: AssignmentId) -> Result<Option<AssignmentRow>, Error> {
        let _ = assignment;
        Err(Error::closed())
    }

    /// What a text from a person means: a business number, an id, or the beginning of either.
    ///
    /// # Errors
    /// What the store says.
    pub async fn find(&self, text: &str) -> Result<Found, Error> {
        let _ = text;
        Err(Error::closed())
    }

    /// Instances, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn instances(&self, filter: &InstanceFilter) -> Result<Vec<InstanceRow>, Error> {
        let _ = filter;
        Err(Error::closed())
    }

    /// Open assignments, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, Error> {
        let _ = filter;
        Err(Error::closed())
    }

    /// Mails, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn mails(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Error> {
        let _ = filter;
        Err(Error::closed())
    }

    /// One mail.
    ///
    /// # Errors
    /// What the store says.
    pub async fn mail(&self, instance: InstanceId, mail: MailId) -> Result<Option<OutboxRow>, Error> {
        let _ = (instance, mail);
        Err(Error::closed())
    }

    /// How much there is.
    ///
    /// # Errors
    /// What the store says.
    pub async fn counts(&self) -> Result<Counts, Error> {
        Err(Error::closed())
    }

    /// Takes mails that are due, most urgent first, for nobody else to take within `lease`. Mails whose
    /// assignment is over are skipped on the way and not among them. A row with parts is `sending` from now on
    /// in the file; the row answered has the state that it was found in, so one found `Sending` may have been
    /// sent before. A row without parts stays `pending`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn lease(&self, limit: u32, lease: std::time::Duration) -> Result<Vec<OutboxRow>, Error> {
        let _ = (limit, lease);
        Err(Error::closed())
    }

    /// Writes down how leased mails went, in order and in one transaction. Answers how many were settled; one
    /// whose lease ran out and that somebody else took is not.
    ///
    /// # Errors
    /// What the store says.
    pub async fn settle(&self, settlements: Vec<Settlement>) -> Result<usize, Error> {
        let _ = settlements;
        Err(Error::closed())
    }

    /// Puts a mail that is done with back into the queue, as it is: the same bytes and the same Message-ID.
    /// `false` where there is no such mail or it is on its way already.
    ///
    /// # Errors
    /// What the store says.
    pub async fn requeue(&self, instance: InstanceId, mail: MailId) -> Result<bool, Error> {
        let _ = (instance, mail);
        Err(Error::closed())
    }

    /// When the next mail is due, leased ones at the end of their lease.
    ///
    /// # Errors
    /// What the store says.
    pub async fn mail_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        Err(Error::closed())
    }

    /// Ticks when something was written: by this process at once, by another within a moment (servers only).
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Becomes ready if the disk failed: the process must end then and start again.
    pub async fn failed(&self) -> Error {
        std::future::pending().await
    }

    /// Answers what is under way, then stops.
    pub async fn shutdown(self) {}
}
