//! The SQL of SQLite.
//!
//! One connection writes, one loads for the writer, a few read for everybody else; each has a thread of its own
//! in the driver. A commit is *one* `execute`: the statements from `BEGIN IMMEDIATE` to `COMMIT` are one text
//! with one JSON array of rows a table, so the writer waits for the driver's thread once and not once a row.
//! Tables that a batch does not touch are left out of the text; the few texts that come of it are cached.
//!
//! Guards are constraints. A batch decided on stale state breaks a unique index or `sequence.next NOT NULL`;
//! the driver stops there with the transaction open, and `ROLLBACK` ends it. SQLite may have rolled back by
//! itself (a full disk, a failed write), so an error of `ROLLBACK` is no error.
//!
//! WAL with `synchronous=FULL`: a commit that was answered is on the disk.

mod cells;
mod loader;
mod pending;
mod reader;
mod rows;
#[cfg(test)]
mod tests;
mod writer;

use super::error::{Error, Kind};
use super::file::Files;
use super::{Loader as AnyLoader, Opened, Store, Writer as AnyWriter, lock};
use crate::model::text::Wording;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(super) use cells::{TABLES, tables};

/// The oldest SQLite that never loses a commit when two connections write-ahead at once.
const OLDEST: (u32, u32, u32) = (3, 51, 3);

/// Marks a file as ours: `CSGN`.
const APPLICATION: i64 = 0x4353_474e;

/// The schema, one text a version. Never change one that was released: add the next.
const SCHEMA: [&str; 4] = [
    include_str!("../../../migrations/sqlite/0001_first.sql"),
    include_str!("../../../migrations/sqlite/0002_outside.sql"),
    include_str!("../../../migrations/sqlite/0003_metrics.sql"),
    include_str!("../../../migrations/sqlite/0004_leases.sql"),
];

/// How long a write waits for another process before it gives up.
const BUSY: Duration = Duration::from_secs(10);

/// How many connections read at once.
const READERS: u32 = 4;

/// The reading side.
#[derive(Clone)]
pub struct Reader {
    pool: SqlitePool,
    place: Arc<Path>,
}

/// The writing side.
pub struct Writer {
    connection: SqliteConnection,
    place: Arc<Path>,
    /// SQLite's mark of what other connections wrote, as this one last saw it.
    version: i64,
    /// The transaction is open already, and nobody else can write.
    held: bool,
    /// The texts of commits, by whether the transaction is open and which tables they write.
    texts: BTreeMap<(bool, u16), Arc<str>>,
}

/// What the writing side reads.
pub struct Loader {
    connection: SqliteConnection,
    place: Arc<Path>,
}

pub(super) async fn open(path: &Path) -> Result<Opened, Error> {
    let place: Arc<Path> = Arc::from(path);
    create(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .foreign_keys(false)
        .statement_cache_capacity(128)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(|error| failed(&place, error))?;
    check_library(&mut connection, &place).await?;
    migrate(&mut connection, &place).await?;
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    // The mode of the file is set on this connection too, now that the file is known to be ours.
    for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
        sqlx::raw_sql(pragma).execute(&mut connection).await.map_err(|error| failed(&place, error))?;
    }
    let version = data_version(&mut connection).await.map_err(|error| failed(&place, error))?;
    let installation: String = sqlx::query("SELECT value FROM meta WHERE key = 'installation'")
        .fetch_one(&mut connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| failed(&place, error))?;
    let reading = options.clone().pragma("query_only", "ON");
    let loader = reading.connect().await.map_err(|error| failed(&place, error))?;
    let pool = SqlitePoolOptions::new()
        .max_connections(READERS)
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(BUSY)
        .connect_lazy_with(reading);
    Ok(Opened {
        store: Store::Sqlite(Reader { pool, place: place.clone() }),
        writer: AnyWriter::Sqlite(Writer {
            connection,
            place: place.clone(),
            version,
            held: false,
            texts: BTreeMap::new(),
        }),
        loader: AnyLoader::Sqlite(Loader { connection: loader, place }),
        installation,
        files: Files::beside(path),
    })
}

/// Makes the file where it is not there, so that nobody but its owner can read it; SQLite gives the files beside
/// it the same permissions.
fn create(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Err(Error::new(
            Kind::CannotOpen,
            Wording::new(
                format!(
                    "{} 是文件夹，不是数据库文件。请写出文件名，例如 {}/countersign.db。",
                    path.display(),
                    path.display()
                ),
                format!(
                    "{} is a folder, not a database file. Name a file, such as {}/countersign.db.",
                    path.display(),
                    path.display()
                ),
            ),
            "is a directory",
        ));
    }
    match lock::private().create_new(true).write(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::new(
            Kind::CannotOpen,
            Wording::new(
                format!("无法建立数据库 {}：请检查文件夹是否存在、是否可写。", path.display()),
                format!(
                    "Cannot make the database {}: check that its folder exists and can be written.",
                    path.display()
                ),
            ),
            error.to_string(),
        )),
    }
}

async fn check_library(connection: &mut SqliteConnection, place: &Arc<Path>) -> Result<(), Error> {
    let text: String = sqlx::query("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| failed(place, error))?;
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    if (part(), part(), part()) < OLDEST {
        return Err(Error::new(
            Kind::OldSqlite,
            Wording::new(
                format!("SQLite {text} 太旧，同时打开两个连接时可能丢失数据。请用 3.51.3 或更新的版本编译。"),
                format!(
                    "SQLite {text} is too old: it can lose data when two connections are open. Build with 3.51.3 or newer."
                ),
            ),
            text,
        ));
    }
    Ok(())
}

/// Brings the schema up to date, one version a transaction; two processes that start at once wait for each other.
async fn migrate(connection: &mut SqliteConnection, place: &Arc<Path>) -> Result<(), Error> {
    let fail = |error| failed(place, error);
    let number = async |connection: &mut SqliteConnection, pragma: &'static str| {
        let row = sqlx::query(pragma).fetch_one(connection).await?;
        row.try_get::<i64, _>(0)
    };
    let newest = i64::try_from(SCHEMA.len()).unwrap_or(i64::MAX);
    if number(connection, "PRAGMA user_version").await.map_err(fail)? == newest
        && number(connection, "PRAGMA application_id").await.map_err(fail)? == APPLICATION
    {
        return Ok(());
    }
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await.map_err(fail)?;
    let done = migrate_inside(connection, place, newest).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = sqlx::raw_sql(end).execute(&mut *connection).await;
    done?;
    ended.map(|_| ()).map_err(fail)
}

async fn migrate_inside(connection: &mut SqliteConnection, place: &Arc<Path>, newest: i64) -> Result<(), Error> {
    let fail = |error| failed(place, error);
    let row = sqlx::query(
        "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id),
           (SELECT count(*) FROM sqlite_schema)",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(fail)?;
    let (version, application, objects): (i64, i64, i64) =
        (row.try_get(0).map_err(fail)?, row.try_get(1).map_err(fail)?, row.try_get(2).map_err(fail)?);
    if application != APPLICATION && objects > 0 {
        return Err(not_ours(place, "application_id"));
    }
    if version > newest {
        return Err(Error::new(
            Kind::NewerSchema,
            Wording::new(
                format!(
                    "数据库 {} 由更新版本的程序写入（结构 {version}，本程序只认识到 {newest}）。请升级程序；数据没有改动。",
                    place.display()
                ),
                format!(
                    "{} was written by a newer program (schema {version}; this one knows up to {newest}). Upgrade the program; nothing was changed.",
                    place.display()
                ),
            ),
            format!("user_version {version}"),
        ));
    }
    for (number, text) in (1..).zip(SCHEMA) {
        if number <= version {
            continue;
        }
        crate::failpoint!("store.migrate").map_err(|error| failed(place, error.into()))?;
        sqlx::raw_sql(text).execute(&mut *connection).await.map_err(fail)?;
        sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA user_version = {number}; PRAGMA application_id = {APPLICATION};")))
            .execute(&mut *connection)
            .await
            .map_err(fail)?;
    }
    sqlx::raw_sql("INSERT INTO meta VALUES ('installation', lower(hex(randomblob(16)))) ON CONFLICT DO NOTHING")
        .execute(&mut *connection)
        .await
        .map_err(fail)?;
    Ok(())
}

async fn data_version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query("PRAGMA data_version").fetch_one(connection).await?.try_get(0)
}

fn not_ours(place: &Path, detail: &str) -> Error {
    Error::new(
        Kind::NotOurs,
        Wording::new(
            format!("{} 不是会签的数据库。请检查路径；文件没有改动。", place.display()),
            format!("{} is not a database of Countersign. Check the path; the file was not changed.", place.display()),
        ),
        detail,
    )
}

/// What the database said, by what may be done about it.
fn failed(place: &Path, error: sqlx::Error) -> Error {
    let detail = error.to_string();
    let path = place.display();
    let code = match &error {
        sqlx::Error::Database(inner) => inner.code().and_then(|code| code.parse::<i64>().ok()).unwrap_or(1),
        // The disk under us, or the driver's thread, is gone.
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => 10,
        sqlx::Error::PoolTimedOut => 5,
        sqlx::Error::PoolClosed => return Error::closed(),
        _ => 1,
    };
    let (kind, zh, en) = match code & 0xff {
        5 | 6 => (
            Kind::Temporary,
            format!("数据库 {path} 正被另一个程序占用。请稍后再试。"),
            format!("Another program holds the database {path}. Please try again in a moment."),
        ),
        19 => (
            Kind::Conflict,
            "别人刚刚改了同一条记录。请再试一次。".to_owned(),
            "Someone else has just changed the same record. Please try again.".to_owned(),
        ),
        13 => (
            Kind::Full,
            format!("磁盘已满，没有写入任何内容（{path}）。腾出空间后会自动恢复。"),
            format!("The disk is full; nothing was written ({path}). It goes on by itself once there is space."),
        ),
        3 | 8 => (
            Kind::ReadOnly,
            format!("数据库 {path} 是只读的。请检查文件和所在文件夹的权限。"),
            format!("The database {path} cannot be written. Check the permissions of the file and its folder."),
        ),
        14 => (
            Kind::CannotOpen,
            format!("打不开数据库 {path}。请检查路径和权限。"),
            format!("Cannot open the database {path}. Check the path and its permissions."),
        ),
        26 => return not_ours(place, &detail),
        10 => (
            Kind::Fatal,
            format!("读写磁盘失败（{path}）。磁盘上的内容不能确定：请检查磁盘，然后重新启动程序。"),
            format!(
                "Reading or writing the disk failed ({path}). What is on it is not certain: check the disk, then start the program again."
            ),
        ),
        _ => (
            Kind::Broken,
            format!("数据库 {path} 的内容不对，可能已损坏。请先复制一份文件，再从备份恢复。"),
            format!(
                "The database {path} holds what cannot be right; it may be damaged. Copy the file first, then restore a backup."
            ),
        ),
    };
    Error::new(kind, Wording::new(zh, en), detail)
}

fn unreadable(place: &Path, error: serde_json::Error) -> Error {
    not_right(place, &error.to_string())
}

fn not_right(place: &Path, detail: &str) -> Error {
    failed(place, sqlx::Error::Protocol(detail.to_owned()))
}
