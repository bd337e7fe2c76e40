//! What every command is given: the printer, the settings, and the way to the runtime.

use super::exit::{Exit, Stop};
use super::output::Output;
use super::settings::Settings;
use crate::model::text::Wording;
use crate::runtime::{Clock, Database, Options, Role, Runtime};

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Shell {
    /// The printer.
    pub(crate) output: Output,
    /// What is configured.
    pub(crate) settings: Settings,
}

impl Shell {
    /// Runs one command of a shell against the database, on this thread alone: it starts fast and ends clean.
    pub(crate) fn with_runtime<T>(&self, work: impl AsyncFnOnce(&Runtime) -> Result<T, Stop>) -> Result<T, Stop> {
        self.need_database()?;
        self.with_database(work)
    }

    /// As [`Shell::with_runtime`], but a database that is not there yet is made.
    pub(crate) fn with_database<T>(&self, work: impl AsyncFnOnce(&Runtime) -> Result<T, Stop>) -> Result<T, Stop> {
        let threads =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| no_threads(&error))?;
        threads.block_on(async {
            let options = Options {
                database: Database::File(self.settings.database.clone()),
                clock: Clock::System,
                role: Role::Shell,
            };
            let runtime = Runtime::open(options).await?;
            let done = work(&runtime).await;
            runtime.shutdown().await;
            done
        })
    }

    /// Refuses to go on where there is no database, before one is made by looking for it.
    fn need_database(&self) -> Result<(), Stop> {
        let path = &self.settings.database;
        match std::fs::metadata(path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Stop::Because(
                Exit::Database,
                Wording::new(
                    format!(
                        "这里没有数据库 {0}。`countersign deploy --db {0}` 会新建一个；已有的用 `--db 文件` 指出；\
                         想先试用，运行 `countersign demo`。",
                        path.display()
                    ),
                    format!(
                        "There is no database {0} here. `countersign deploy --db {0}` makes one; `--db FILE` names \
                         another; to look around first, run `countersign demo`.",
                        path.display()
                    ),
                ),
            )),
            Err(error) => Err(super::exit::file_trouble(path, &error)),
        }
    }

    /// Who sits at the shell, for history.
    pub(crate) fn user(&self) -> std::sync::Arc<str> {
        let variable = |name| std::env::var(name).ok().filter(|user: &String| !user.trim().is_empty());
        let user = variable("SUDO_USER").or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
        let user = user.or_else(|| variable("USERNAME")).unwrap_or_else(|| "shell".to_owned());
        crate::effects::format::clean_line(&user).into()
    }
}

/// The system gives no thread or no timer to run on.
pub(crate) fn no_threads(error: &std::io::Error) -> Stop {
    Stop::Because(
        Exit::World,
        Wording::new(format!("系统资源不足，无法启动：{error}"), format!("The system has nothing to run on: {error}")),
    )
}
