//! The loops, and the one door to them: [`Runtime`].
//!
//! A `Runtime` is a cheap handle. Commands go through it to the writer (`writer.rs`), the only thing that
//! changes an instance; reads go past the writer to the file. `timers.rs` turns due times into commands. This
//! room is the only one with tasks, threads and channels, and reads the system clock at one place,
//! [`Clock::now`].
//!
//! Invariant: everything answered as accepted is durable. Knows nothing of YAML, HTTP pages or the command line.

pub mod access;
pub mod channel;
mod dispatch;
pub mod drive;
mod handover;
pub mod http;
pub mod jobs;
mod obstacle;
mod open;
pub mod outbox;
mod recorded;
mod schedule;
mod served;
pub mod timers;
mod together;
mod writer;

use self::writer::{Asked, Desk, Job, Request, Target};
use crate::engine::apply;
use crate::engine::command::{Ask, Command};
use crate::engine::event::Entry;
use crate::engine::refusal::{FieldFault, PathPart, Refusal};
use crate::engine::state::State;
use crate::model::definition::Definition;
use crate::model::file;
use crate::model::id::{AssignmentId, InstanceId, MailId, ProcessId, Version};
use crate::model::metric::Metric;
use crate::model::people::Directory;
use crate::model::text::Text;
use crate::model::time::Calendar;
use crate::store::lock::ServerLock;
use crate::store::memory::Memory;
use crate::store::record::{self, BrokenChain};
use crate::store::{self, Store};
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

pub use crate::store::file::{Content, Files, Incoming, Refused, Swept};
pub use crate::store::pending::{DispatchRow, MessageRow, WaitRow};
pub use crate::store::query::{
    AssignmentRow, AssignmentState, Counts, Delivery, Deployed, Found, InstanceFilter, InstanceRow, OutboxFilter,
    OutboxRow, Standing, TaskFilter, TaskRow,
};
pub use crate::store::{Error, Kind, Settled, Settlement};
pub use handover::{HandOver, HandOverResult, HandedOver};
pub use obstacle::Obstacles;
pub use recorded::Recorded;
pub use served::is_served;

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
        Options { database: Database::Memory(Memory::default()), clock: Clock::System, role: Role::Shell }
    }
}

/// Where everything is kept.
#[derive(Clone, Debug)]
pub enum Database {
    /// A SQLite file; made if it is not there.
    File(PathBuf),
    /// Memory, for tests; runtimes on clones of one handle share it as processes share a file.
    Memory(Memory),
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
    store: Store,
    requests: mpsc::Sender<Request>,
    installation: Arc<str>,
    files: Files,
    /// Stops the loops with the last handle.
    _loops: Option<Arc<Loops>>,
}

/// What the handle and the writer both see.
pub(crate) struct Shared {
    clock: Clock,
    server: bool,
    changed: watch::Sender<u64>,
    posted: watch::Sender<u64>,
    failed: watch::Sender<Option<Error>>,
    /// Who is told of everything that is accepted, in the order of the logs.
    witness: Option<mpsc::UnboundedSender<Accepted>>,
    live: RwLock<Arc<Deployed>>,
    versions: RwLock<Arc<BTreeMap<Version, Arc<Definition>>>>,
}

impl Shared {
    fn live(&self) -> Arc<Deployed> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_live(&self, live: Deployed) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }

    fn versions(&self) -> Arc<BTreeMap<Version, Arc<Definition>>> {
        self.versions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn know(&self, definition: Arc<Definition>) {
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut versions).insert(definition.version.clone(), definition);
    }

    fn version_of(&self, version: &Version) -> Result<Arc<Definition>, Error> {
        self.versions().get(version).cloned().ok_or_else(|| {
            Error::broken(
                format!("数据库里没有流程版本 {version}，而有申请在用它：数据库可能受损。"),
                format!("The database lacks the definition {version} that a case runs on: it may be damaged."),
            )
        })
    }

    /// Something may have to reach another instance.
    fn post(&self) {
        self.posted.send_modify(|count| *count += 1);
    }

    /// Tells who wants to hear of everything that is accepted.
    fn witness(&self, state: &Arc<State>, entry: &Arc<Entry>) {
        if let Some(witness) = &self.witness {
            let (state, entry) = (state.clone(), entry.clone());
            // Who no longer listens need not hear it.
            let _ = witness.send(Accepted { instance: state.id, state, entry, repeated: false });
        }
    }

    fn tick(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

struct Loops(Vec<tokio::task::JoinHandle<()>>);

impl Drop for Loops {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// How many commands may wait for the writer.
const WAITING: usize = 4_096;

/// How long a caller waits for a place among them.
const PATIENCE: Duration = Duration::from_secs(5);

impl Runtime {
    /// Opens the database, brings its schema up to date, and starts the writer; for a server the timers too.
    ///
    /// # Errors
    /// Whatever is wrong with the file, with advice.
    pub async fn open(options: Options) -> Result<Runtime, Error> {
        let server = options.role == Role::Server;
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| {
            let mut broken = Error::broken(
                "系统给不出随机数，无法启动。",
                "The system has no random numbers to give; cannot start.",
            );
            broken.detail = error.to_string();
            broken
        })?;
        let mut runtime = Runtime::with(options, secret, None).await?;
        if server {
            let timers = tokio::spawn(timers::run(runtime.clone()));
            let dispatch = tokio::spawn(dispatch::run(runtime.clone()));
            runtime._loops = Some(Arc::new(Loops(vec![timers, dispatch])));
        }
        Ok(runtime)
    }

    /// A runtime without loops. Its chance follows from the secret.
    async fn with(
        options: Options,
        secret: [u8; 32],
        witness: Option<mpsc::UnboundedSender<Accepted>>,
    ) -> Result<Runtime, Error> {
        let server = options.role == Role::Server;
        let lock = match &options.database {
            Database::File(path) if server => Some(ServerLock::take(path)?),
            _ => None,
        };
        let opened = match &options.database {
            Database::File(path) => store::open_file(path).await?,
            Database::Memory(memory) => store::open_memory(memory),
        };
        let nothing = Deployed {
            number: 0,
            at: DateTime::default(),
            note: String::new(),
            definitions: Vec::new(),
            directory: Arc::default(),
            calendar: Arc::default(),
            metrics: Arc::default(),
        };
        let shared = Arc::new(Shared {
            clock: options.clock,
            server,
            changed: watch::channel(0).0,
            posted: watch::channel(0).0,
            failed: watch::channel(None).0,
            witness,
            live: RwLock::new(Arc::new(nothing)),
            versions: RwLock::default(),
        });
        let mut desk = Desk::new(shared.clone(), opened.store.clone(), opened.loader, secret);
        desk.refresh().await?;
        let (requests, waiting) = mpsc::channel(WAITING);
        let writer = opened.writer;
        let work = move || {
            let _lock = lock;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            match runtime {
                Ok(runtime) => runtime.block_on(desk.run(writer, waiting)),
                Err(error) => tracing::error!(%error, "the writer has no runtime"),
            }
        };
        std::thread::Builder::new().name("writer".to_owned()).spawn(work).map_err(|error| {
            let mut broken =
                Error::broken("系统不让启动写入线程。", "The system does not let us start the writing thread.");
            broken.detail = error.to_string();
            broken
        })?;
        Ok(Runtime {
            shared,
            store: opened.store,
            requests,
            installation: opened.installation.into(),
            files: opened.files,
            _loops: None,
        })
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

    /// A definition that some instance may be pinned to, live or not.
    ///
    /// # Errors
    /// What the store says.
    pub async fn version(&self, version: &Version) -> Result<Option<Arc<Definition>>, Error> {
        if let Some(known) = self.shared.versions().get(version) {
            return Ok(Some(known.clone()));
        }
        let Some(stored) = self.store.definition(version).await? else { return Ok(None) };
        let definition: Arc<Definition> = Arc::new(record::read_versioned(&stored.json, "definition")?);
        self.shared.know(definition.clone());
        Ok(Some(definition))
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
        timers::wake_due(self).await
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

    /// An instance with its whole log, or `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn case(&self, instance: InstanceId) -> Result<Option<Case>, Error> {
        let log = self.store.log(instance).await?;
        if log.is_empty() {
            return Ok(None);
        }
        let (mut state, mut entries) = (None, Vec::with_capacity(log.len()));
        for stored in &log {
            let entry = record::read_entry(stored)?;
            state = Some(apply(state, &entry).map_err(|_| writer::broken_log(stored.revision))?);
            entries.push(entry);
        }
        let Some(state) = state else { return Ok(None) };
        let definition = match self.version(&state.version).await? {
            Some(definition) => definition,
            None => self.shared.version_of(&state.version)?,
        };
        Ok(Some(Case { definition, state: Arc::new(state), entries: Arc::new(entries) }))
    }

    /// Checks the chain of an instance's log against its head; `None` where there is no such instance.
    ///
    /// # Errors
    /// What the store says; the inner result is what the chain says.
    pub async fn verify(&self, instance: InstanceId) -> Result<Option<Result<(), BrokenChain>>, Error> {
        let log = self.store.log(instance).await?;
        let Some(head) = self.store.head(instance).await? else { return Ok(None) };
        // The head was read later: only a longer log than the one checked is no fault.
        let grown = log.last().is_some_and(|last| last.hash != head.text())
            && self.store.log(instance).await?.len() > log.len();
        let head = (!grown).then_some(&head);
        Ok(Some(record::verify_chain(instance, &log, head).map(|_| ())))
    }

    /// The hash that the log of an instance ends with.
    ///
    /// # Errors
    /// What the store says.
    pub async fn head(&self, instance: InstanceId) -> Result<Option<String>, Error> {
        Ok(self.store.head(instance).await?.map(|head| head.text()))
    }

    /// An assignment, in one indexed read.
    ///
    /// # Errors
    /// What the store says.
    pub async fn assignment(&self, assignment: AssignmentId) -> Result<Option<AssignmentRow>, Error> {
        self.store.assignment(assignment).await
    }

    /// What a text from a person means: a business number, an id, or the beginning of either.
    ///
    /// # Errors
    /// What the store says.
    pub async fn find(&self, text: &str) -> Result<Found, Error> {
        self.store.find(text.trim()).await
    }

    /// Instances, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn instances(&self, filter: &InstanceFilter) -> Result<Vec<InstanceRow>, Error> {
        self.store.instances(filter).await
    }

    /// Open assignments, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, Error> {
        self.store.tasks(filter).await
    }

    /// Mails, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn mails(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Error> {
        self.store.mails(filter).await
    }

    /// One mail.
    ///
    /// # Errors
    /// What the store says.
    pub async fn mail(&self, instance: InstanceId, mail: MailId) -> Result<Option<OutboxRow>, Error> {
        self.store.mail(instance, mail).await
    }

    /// How much there is.
    ///
    /// # Errors
    /// What the store says.
    pub async fn counts(&self) -> Result<Counts, Error> {
        self.store.counts().await
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

    /// When the next mail is due, leased ones at the end of their lease.
    ///
    /// # Errors
    /// What the store says.
    pub async fn mail_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.store.mail_due().await
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
