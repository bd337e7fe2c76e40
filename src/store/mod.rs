//! Keeps events and the rows that follow from them; decides nothing.
//!
//! A write is a value, [`Batch`]: all that one commit changes. The one [`Writer`] of a process commits batches,
//! its [`Loader`] reads what the next one is decided on, and any number of [`Store`] handles read beside them.
//! All are enums of backends, so that no trait objects and no generics run through the crate; every backend
//! passes the same suite (`tests/suite/store.rs`).
//!
//! Several processes may write to one file. A writer learns from [`Committed::foreign`] and [`Writer::foreign`]
//! that another one did; what it remembered may be stale then.
//!
//! Invariant: knows nothing of definitions' meaning, mail, clocks or people; the time comes in as an argument.

macro_rules! each_backend {
    ($self:ident, $one:ident => $do:expr) => {
        match $self {
            Self::Sqlite($one) => $do.await,
            Self::Memory($one) => $do,
        }
    };
}

pub mod batch;
pub mod error;
pub mod file;
pub mod floor;
pub mod lock;
pub mod memory;
pub mod pending;
pub mod query;
pub mod record;
mod sqlite;

use self::memory::Memory;
use self::query::{
    AssignmentRow, Counts, Found, InstanceFilter, InstanceRow, OutboxFilter, OutboxRow, TaskFilter, TaskRow,
};
use self::record::{Head, StoredEntry};
use crate::model::file::Hash;
use crate::model::id::{AssignmentId, CommandId, InstanceId, MailId, ProcessId, Version};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::path::Path;

pub use batch::{Batch, TASK_OVER};
pub use error::{Error, Kind};
pub use file::Files;

/// An instance that is to be loaded.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Which.
    pub instance: InstanceId,
    /// The revision that is known already; 0 for none.
    pub known: u32,
}

/// What the file has of an instance beyond what was known.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Which.
    pub instance: InstanceId,
    /// Its revision.
    pub revision: u32,
    /// The head of its chain.
    pub head: Head,
    /// A snapshot to begin with, where nothing was known.
    pub snapshot: Option<String>,
    /// The entries after what was known, or after the snapshot; without their hashes.
    pub entries: Vec<StoredEntry>,
    /// The commands of the entries before those.
    pub commands: Vec<CommandId>,
}

/// What a commit found besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Another process had written since this one last looked.
    pub foreign: bool,
}

/// A definition as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDefinition {
    /// Its version.
    pub version: Version,
    /// Of which process.
    pub process: ProcessId,
    /// The versioned record.
    pub json: String,
}

/// What went live together, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDeployment {
    /// Its number.
    pub number: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What the deployer said of it.
    pub note: String,
    /// The definitions that can be started.
    pub versions: Vec<Version>,
    /// The people, as a versioned record.
    pub directory: String,
    /// The calendar, as a versioned record.
    pub calendar: String,
    /// The metrics, as a versioned record.
    pub metrics: String,
}

/// How one leased mail went.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// Of which instance.
    pub instance: InstanceId,
    /// Its number there.
    pub mail: MailId,
    /// The attempt that it was leased as.
    pub attempt: u32,
    /// How it went.
    pub how: Settled,
}

/// How a mail went.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// It is rendered, once and for all; the lease goes on.
    Prepared {
        /// The address that it was prepared for.
        address: String,
        /// Its Message-ID.
        message_id: String,
        /// The parts, with a gap for the ticket.
        parts: Vec<u8>,
    },
    /// It is about to be handed over; the lease goes on.
    Sending,
    /// The other side took it.
    Accepted {
        /// What it said.
        reply: String,
    },
    /// Try again.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        reply: String,
        /// The other side may have taken it.
        possibly_twice: bool,
    },
    /// The address or key that it was prepared for is gone: render it anew.
    Again {
        /// When.
        at: DateTime<Utc>,
    },
    /// Given up.
    Failed {
        /// Why.
        reply: String,
    },
    /// It had lost its use.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// The three sides of an open store.
pub struct Opened {
    /// The reading side, for everybody.
    pub store: Store,
    /// The writing side, for one.
    pub writer: Writer,
    /// What the writing side reads.
    pub loader: Loader,
    /// A random id that is the same for as long as the database lives.
    pub installation: String,
    /// Where the contents of files are.
    pub files: Files,
}

/// Opens a SQLite file, makes it where it is not there, and brings its schema up to date.
///
/// # Errors
/// Whatever is wrong with the file, with advice.
pub async fn open_file(path: &Path) -> Result<Opened, Error> {
    sqlite::open(path).await
}

/// Opens a store in memory; every clone of the handle is the same store.
pub fn open_memory(memory: &Memory) -> Opened {
    Opened {
        store: Store::Memory(memory.clone()),
        writer: Writer::Memory(memory.writer()),
        loader: Loader::Memory(memory.clone()),
        installation: memory.installation(),
        files: memory.contents(),
    }
}

/// The reading side of a store; cheap to clone.
#[derive(Clone)]
pub enum Store {
    /// A SQLite file.
    Sqlite(sqlite::Reader),
    /// Memory.
    Memory(Memory),
}

/// The one writing side of a store in a process.
pub enum Writer {
    /// A SQLite file.
    Sqlite(sqlite::Writer),
    /// Memory.
    Memory(memory::Writer),
}

/// What the writing side reads, on a connection of its own.
pub enum Loader {
    /// A SQLite file.
    Sqlite(sqlite::Loader),
    /// Memory.
    Memory(Memory),
}

impl Writer {
    /// Writes a batch whole or not at all. Never drop this future before it is ready: the transaction would stay
    /// open.
    ///
    /// # Errors
    /// [`Kind::Conflict`] where someone else wrote first; nothing is written after any error.
    pub async fn commit(&mut self, batch: &Batch) -> Result<Committed, Error> {
        each_backend!(self, one => one.commit(batch))
    }

    /// Keeps every other process from writing until the next commit or [`Writer::release`]. Memory does not: a
    /// commit there may still find that somebody was faster.
    ///
    /// # Errors
    /// What the database says.
    pub async fn hold(&mut self) -> Result<(), Error> {
        match self {
            Writer::Sqlite(one) => one.hold().await,
            Writer::Memory(_) => Ok(()),
        }
    }

    /// Lets others write again, without a commit.
    pub async fn release(&mut self) {
        if let Writer::Sqlite(one) = self {
            one.release().await;
        }
    }

    /// Whether another process has written since this one last looked.
    ///
    /// # Errors
    /// What the database says.
    pub async fn foreign(&mut self) -> Result<bool, Error> {
        each_backend!(self, one => one.foreign())
    }

    /// Takes mails that are due; see [`crate::runtime::Runtime::lease`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn lease(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, Error> {
        each_backend!(self, one => one.lease(now, until, limit))
    }

    /// Writes down how leased mails went, in order; answers how many rows it found.
    ///
    /// # Errors
    /// What the database says.
    pub async fn settle(&mut self, now: DateTime<Utc>, settlements: &[Settlement]) -> Result<usize, Error> {
        each_backend!(self, one => one.settle(now, settlements))
    }

    /// Puts a mail that is done with back into the queue.
    ///
    /// # Errors
    /// What the database says.
    pub async fn requeue(&mut self, now: DateTime<Utc>, instance: InstanceId, mail: MailId) -> Result<bool, Error> {
        each_backend!(self, one => one.requeue(now, instance, mail))
    }

    /// Makes a deployment live, unless another one became so since `deployment.number` was chosen.
    ///
    /// # Errors
    /// [`Kind::Conflict`] where that happened.
    pub async fn deploy(
        &mut self,
        deployment: &StoredDeployment,
        definitions: &[StoredDefinition],
    ) -> Result<(), Error> {
        each_backend!(self, one => one.deploy(deployment, definitions))
    }

    /// Closes the file in order.
    pub async fn close(self) {
        if let Writer::Sqlite(one) = self {
            one.close().await;
        }
    }
}

impl Loader {
    /// Loads instances; those that are not there are not in the answer.
    ///
    /// # Errors
    /// What the database says.
    pub async fn load(&mut self, wanted: &[Wanted]) -> Result<Vec<Loaded>, Error> {
        each_backend!(self, one => one.load(wanted))
    }

    /// The next number of a sequence; 1 where it has not begun.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sequence(&mut self, name: &str) -> Result<u64, Error> {
        each_backend!(self, one => one.sequence(name))
    }

    /// The entry that a command made: of an instance, or for `None` a start of any.
    ///
    /// # Errors
    /// What the database says.
    pub async fn done(
        &mut self,
        instance: Option<InstanceId>,
        command: &CommandId,
    ) -> Result<Option<(InstanceId, StoredEntry)>, Error> {
        each_backend!(self, one => one.done(instance, command))
    }

    /// What is live.
    ///
    /// # Errors
    /// What the database says.
    pub async fn deployment(&mut self) -> Result<Option<StoredDeployment>, Error> {
        each_backend!(self, one => one.deployment())
    }

    /// The number of the live deployment; 0 where there is none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn deployed(&mut self) -> Result<u64, Error> {
        each_backend!(self, one => one.deployed())
    }

    /// Stored definitions; those that are not there are not in the answer.
    ///
    /// # Errors
    /// What the database says.
    pub async fn definitions(&mut self, versions: &[Version]) -> Result<Vec<StoredDefinition>, Error> {
        each_backend!(self, one => one.definitions(versions))
    }
}

impl Store {
    /// The log of an instance, first entry first; empty where there is none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn log(&self, instance: InstanceId) -> Result<Vec<StoredEntry>, Error> {
        each_backend!(self, one => one.log(instance))
    }

    /// The logs of a process's instances, oldest instance first, of rows after `after`; the entries without their
    /// hashes. At most `limit` instances, each with its row for the next page.
    ///
    /// # Errors
    /// What the database says.
    pub async fn logs(
        &self,
        process: &ProcessId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Vec<StoredEntry>)>, Error> {
        each_backend!(self, one => one.logs(process, after, limit))
    }

    /// The head of an instance's chain.
    ///
    /// # Errors
    /// What the database says.
    pub async fn head(&self, instance: InstanceId) -> Result<Option<Head>, Error> {
        each_backend!(self, one => one.head(instance))
    }

    /// A stored definition.
    ///
    /// # Errors
    /// What the database says.
    pub async fn definition(&self, version: &Version) -> Result<Option<StoredDefinition>, Error> {
        each_backend!(self, one => one.definition(version))
    }

    /// An assignment.
    ///
    /// # Errors
    /// What the database says.
    pub async fn assignment(&self, id: AssignmentId) -> Result<Option<AssignmentRow>, Error> {
        each_backend!(self, one => one.assignment(id))
    }

    /// What a text from a person means.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find(&self, text: &str) -> Result<Found, Error> {
        each_backend!(self, one => one.find(text))
    }

    /// Instances, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn instances(&self, filter: &InstanceFilter) -> Result<Vec<InstanceRow>, Error> {
        each_backend!(self, one => one.instances(filter))
    }

    /// Open assignments, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, Error> {
        each_backend!(self, one => one.tasks(filter))
    }

    /// Mails, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn mails(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Error> {
        each_backend!(self, one => one.mails(filter))
    }

    /// One mail.
    ///
    /// # Errors
    /// What the database says.
    pub async fn mail(&self, instance: InstanceId, mail: MailId) -> Result<Option<OutboxRow>, Error> {
        each_backend!(self, one => one.mail(instance, mail))
    }

    /// When the next mail is due.
    ///
    /// # Errors
    /// What the database says.
    pub async fn mail_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        each_backend!(self, one => one.mail_due())
    }

    /// Instances with a timer that is due, the longest due first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn due(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<(InstanceId, u32)>, Error> {
        each_backend!(self, one => one.due(now, limit))
    }

    /// When the next timer is due.
    ///
    /// # Errors
    /// What the database says.
    pub async fn wake_at(&self) -> Result<Option<DateTime<Utc>>, Error> {
        each_backend!(self, one => one.wake_at())
    }

    /// How much there is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn counts(&self) -> Result<Counts, Error> {
        each_backend!(self, one => one.counts())
    }

    /// The hashes of all files that the log names, now or earlier.
    ///
    /// # Errors
    /// What the database says.
    pub async fn files(&self) -> Result<BTreeSet<Hash>, Error> {
        each_backend!(self, one => one.files())
    }

    /// Closes the connections.
    pub async fn close(&self) {
        if let Store::Sqlite(one) = self {
            one.close().await;
        }
    }
}
