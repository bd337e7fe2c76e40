//! How a runtime begins: what it is opened on, and what is set going then.
//!
//! A shell has a writer and nothing else; the one server of a file has the loops too, and they end with its last
//! handle. Invariant: nothing is decided before the schema is up to date and what is live was read.

use super::shared::Shared;
use super::writer::Desk;
use super::{Accepted, Clock, Error, Runtime, dispatch, timers};
use crate::store;
use crate::store::lock::ServerLock;
use crate::store::memory::Memory;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

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

/// Stops the loops of a server with its last handle.
pub(super) struct Loops(Vec<tokio::task::JoinHandle<()>>);

impl Drop for Loops {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// How many commands may wait for the writer.
const WAITING: usize = 4_096;

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
    pub(super) async fn with(
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
        let shared = Arc::new(Shared::new(options.clock, server, witness));
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
}
