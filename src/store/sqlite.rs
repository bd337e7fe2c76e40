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

use super::batch::{Batch, TASK_OVER};
use super::error::{Error, Kind};
use super::query::{
    AssignmentRow, AssignmentState, Counts, Delivery, Found, InstanceFilter, InstanceRow, MANY, OutboxFilter,
    OutboxRow, Standing, TaskFilter, TaskRow, found,
};
use super::record::{self, Head, StoredEntry, instant};
use super::{Committed, Loaded, Loader as AnyLoader, Opened, Settled, Settlement, Store, StoredDefinition};
use super::{StoredDeployment, Wanted, Writer as AnyWriter, lock};
use crate::engine::state::Ended;
use crate::model::id::{AssignmentId, CommandId, InstanceId, MailId, TaskId, Version};
use crate::model::text::Wording;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The oldest SQLite that never loses a commit when two connections write-ahead at once.
const OLDEST: (u32, u32, u32) = (3, 51, 3);

/// Marks a file as ours: `CSGN`.
const APPLICATION: i64 = 0x4353_474e;

/// The schema, one text a version. Never change one that was released: add the next.
const SCHEMA: [&str; 1] = [include_str!("../../migrations/sqlite/0001_first.sql")];

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
    /// The texts of commits, by which tables they write.
    texts: BTreeMap<u8, Arc<str>>,
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
        writer: AnyWriter::Sqlite(Writer { connection, place: place.clone(), version, texts: BTreeMap::new() }),
        loader: AnyLoader::Sqlite(Loader { connection: loader, place }),
        installation,
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
            format!("数据库 {path} 的内容不对，可能已损坏。请先备份文件，再用 `countersign doctor` 或备份处理。"),
            format!(
                "The database {path} holds what cannot be right; it may be damaged. Copy the file first, then restore a backup."
            ),
        ),
    };
    Error::new(kind, Wording::new(zh, en), detail)
}

// Rows as JSON arrays, one a table.

fn ms(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

/// A due time in whole milliseconds, never before the exact one.
fn ms_after(at: DateTime<Utc>) -> i64 {
    let ms = at.timestamp_millis();
    if at.timestamp_subsec_nanos().is_multiple_of(1_000_000) { ms } else { ms + 1 }
}

#[derive(Serialize)]
struct EntryCells<'a>(InstanceId, u32, i64, &'a str, &'a str, Option<&'a str>, Option<&'a str>, &'a str, &'a str);

#[derive(Serialize)]
struct BegunCells<'a>(
    InstanceId,
    &'a str,
    &'a str,
    String,
    Option<&'a str>,
    &'a str,
    i64,
    u32,
    String,
    i64,
    Option<&'a str>,
    Option<i64>,
    Option<&'a str>,
    Option<String>,
    String,
    u8,
    Option<i64>,
);

#[derive(Serialize)]
struct MovedCells<'a>(
    InstanceId,
    u32,
    String,
    i64,
    Option<&'a str>,
    Option<i64>,
    Option<&'a str>,
    Option<String>,
    String,
    u8,
    Option<i64>,
);

#[derive(Serialize)]
struct AssignmentCells<'a>(
    AssignmentId,
    InstanceId,
    TaskId,
    u32,
    &'a str,
    &'a str,
    Option<&'a str>,
    String,
    i64,
    Option<i64>,
);

#[derive(Serialize)]
struct MailCells<'a>(
    InstanceId,
    MailId,
    String,
    Option<AssignmentId>,
    &'a str,
    u8,
    u8,
    i64,
    Option<&'a str>,
    i64,
    Option<i64>,
);

fn rows<T: Serialize>(cells: impl Iterator<Item = T>) -> String {
    let mut text = Vec::with_capacity(16 * 1024);
    text.push(b'[');
    for (index, row) in cells.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        // Writing cells into memory cannot fail.
        let _ = serde_json::to_writer(&mut text, &row);
    }
    text.push(b']');
    String::from_utf8(text).unwrap_or_default()
}

fn state_number(state: AssignmentState) -> u8 {
    match state {
        AssignmentState::Open => 0,
        AssignmentState::Answered => 1,
        AssignmentState::Closed => 2,
    }
}

fn delivery_number(state: Delivery) -> u8 {
    Delivery::ALL.iter().position(|one| *one == state).and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

/// One statement a table, in the order of the bits of a commit's mask.
const STATEMENTS: [&str; 8] = [
    "INSERT INTO entry (instance, revision, at, command, structure, personal, salt, digest, hash)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8
       FROM json_each(?);",
    "INSERT INTO instance (id, process, version, title, number, applicant, started_at, revision, head, at, outcome,
         ended_at, key, headline, steps, incident, wake_at)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
         value->>9, value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, value->>16
       FROM json_each(?);",
    "UPDATE instance SET revision = m.b, head = m.c, at = m.d, outcome = m.e, ended_at = m.f, key = m.g,
         headline = m.h, steps = m.i, incident = m.j, wake_at = m.k
       FROM (SELECT value->>0 AS a, value->>1 AS b, value->>2 AS c, value->>3 AS d, value->>4 AS e, value->>5 AS f,
         value->>6 AS g, value->>7 AS h, value->>8 AS i, value->>9 AS j, value->>10 AS k FROM json_each(?)) AS m
       WHERE instance.id = m.a;",
    "INSERT INTO assignment (id, instance, task, round, step, person, stands_in_for, nonce, state, opened_at, due_at)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, 0, value->>8,
         value->>9
       FROM json_each(?);",
    "UPDATE assignment SET state = m.b
       FROM (SELECT value->>0 AS a, value->>1 AS b FROM json_each(?)) AS m
       WHERE assignment.id = m.a AND assignment.state = 0;",
    "INSERT INTO outbox (instance, mail, kind, assignment, person, priority, state, next_at, reply, queued_at,
         settled_at)
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
         value->>9, value->>10
       FROM json_each(?);",
    "INSERT INTO sequence (name, was, next)
       SELECT value->>0, value->>1, value->>2 FROM json_each(?) WHERE true
       ON CONFLICT (name) DO UPDATE SET was = excluded.was,
         next = CASE WHEN sequence.next = excluded.was THEN excluded.next END;",
    "INSERT INTO snapshot (instance, revision, state)
       SELECT value->>0, value->>1, value->>2 FROM json_each(?) WHERE true
       ON CONFLICT (instance) DO UPDATE SET revision = excluded.revision, state = excluded.state;",
];

/// The JSON of each table that a batch writes; the bits say which.
pub(super) fn tables(batch: &Batch) -> (u8, Vec<String>) {
    let (mut mask, mut texts) = (0, Vec::with_capacity(STATEMENTS.len()));
    let mut table = |bit: u8, empty: bool, text: &dyn Fn() -> String| {
        if !empty {
            mask |= 1 << bit;
            texts.push(text());
        }
    };
    table(0, batch.entries.is_empty(), &|| {
        rows(batch.entries.iter().map(|(instance, entry)| {
            EntryCells(
                *instance,
                entry.revision,
                entry.at,
                entry.command.as_str(),
                &entry.structure,
                entry.personal.as_deref(),
                entry.salt.as_deref(),
                &entry.digest,
                &entry.hash,
            )
        }))
    });
    table(1, batch.begun.is_empty(), &|| {
        rows(batch.begun.values().map(|(row, head)| {
            BegunCells(
                row.id,
                row.process.as_str(),
                &row.version.0,
                record::json(&row.title),
                row.number.as_ref().map(|number| number.as_str()),
                row.applicant.as_str(),
                ms(row.started_at),
                row.revision,
                head.text(),
                ms(row.at),
                row.ended.as_ref().map(|ended| ended.outcome.as_str()),
                row.ended.as_ref().map(|ended| ms(ended.at)),
                row.key.as_deref(),
                row.headline.as_ref().map(record::json),
                record::json(&row.steps),
                u8::from(row.incident),
                row.wake_at.map(ms_after),
            )
        }))
    });
    table(2, batch.moved.is_empty(), &|| {
        rows(batch.moved.values().map(|(row, head)| {
            MovedCells(
                row.id,
                row.revision,
                head.text(),
                ms(row.at),
                row.ended.as_ref().map(|ended| ended.outcome.as_str()),
                row.ended.as_ref().map(|ended| ms(ended.at)),
                row.key.as_deref(),
                row.headline.as_ref().map(record::json),
                record::json(&row.steps),
                u8::from(row.incident),
                row.wake_at.map(ms_after),
            )
        }))
    });
    table(3, batch.opened.is_empty(), &|| {
        rows(batch.opened.values().map(|row| {
            AssignmentCells(
                row.id,
                row.instance,
                row.task,
                row.round,
                row.step.as_str(),
                row.person.as_str(),
                row.stands_in_for.as_ref().map(|person| person.as_str()),
                record::hex(&row.nonce),
                ms(row.opened_at),
                row.due_at.map(ms),
            )
        }))
    });
    table(4, batch.over.is_empty(), &|| rows(batch.over.iter().map(|(id, state)| (id, state_number(*state)))));
    table(5, batch.mails.is_empty(), &|| {
        rows(batch.mails.values().map(|row| {
            MailCells(
                row.instance,
                row.mail,
                record::write_mail_kind(&row.kind),
                row.kind.asks().map(|(_, assignment)| assignment),
                row.to.as_str(),
                row.priority,
                delivery_number(row.state),
                ms(row.next_at),
                row.reply.as_deref(),
                ms(row.queued_at),
                row.settled_at.map(ms),
            )
        }))
    });
    table(6, batch.sequences.is_empty(), &|| rows(batch.sequences.iter().map(|(name, (was, next))| (name, was, next))));
    table(7, batch.snapshots.is_empty(), &|| {
        rows(batch.snapshots.iter().map(|(id, (revision, state))| (id, revision, state)))
    });
    (mask, texts)
}

impl Writer {
    pub(super) async fn commit(&mut self, batch: &Batch) -> Result<Committed, Error> {
        let (mask, texts) = tables(batch);
        self.commit_tables(mask, texts).await
    }

    pub(super) async fn commit_tables(&mut self, mask: u8, texts: Vec<String>) -> Result<Committed, Error> {
        let sql = self.texts.entry(mask).or_insert_with(|| {
            let mut text = String::from("BEGIN IMMEDIATE; PRAGMA data_version;");
            for (bit, statement) in STATEMENTS.iter().enumerate() {
                if mask & (1 << bit) != 0 {
                    text.push_str(statement);
                }
            }
            text.push_str("COMMIT;");
            Arc::from(text)
        });
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for text in texts {
            query = query.bind(text);
        }
        match query.fetch_all(&mut self.connection).await.and_then(|rows| version_of(&rows)) {
            Ok(version) => {
                let foreign = version != self.version;
                self.version = version;
                Ok(Committed { foreign })
            }
            Err(error) => {
                // The transaction may still be open, or SQLite has ended it: either is over after this.
                let _ = sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await;
                Err(failed(&self.place, error))
            }
        }
    }

    pub(super) async fn foreign(&mut self) -> Result<bool, Error> {
        let version = data_version(&mut self.connection).await.map_err(|error| failed(&self.place, error))?;
        let foreign = version != self.version;
        self.version = version;
        Ok(foreign)
    }

    pub(super) async fn lease(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, Error> {
        // `o.state` is what each row was found in; the update below makes those with parts `sending`.
        let sql = format!(
            "BEGIN IMMEDIATE;
             UPDATE outbox SET state = 6, reply = '{TASK_OVER}', settled_at = ?
               WHERE state < 4 AND next_at <= ? AND assignment IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM assignment a WHERE a.id = outbox.assignment AND a.state = 0);
             SELECT {OUTBOX} FROM outbox WHERE state < 4 AND next_at <= ? ORDER BY priority, next_at, row LIMIT ?;
             UPDATE outbox SET attempt = attempt + 1, next_at = ?,
                 possibly_twice = max(possibly_twice, state = 2),
                 state = CASE WHEN parts IS NULL THEN state ELSE 2 END
               WHERE row IN (SELECT row FROM outbox WHERE state < 4 AND next_at <= ?
                 ORDER BY priority, next_at, row LIMIT ?);
             COMMIT;"
        );
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(ms(now))
            .bind(ms(now))
            .bind(ms(now))
            .bind(i64::from(limit))
            .bind(ms(until))
            .bind(ms(now))
            .bind(i64::from(limit));
        let rows = self.transact(query).await?;
        let leased = rows.iter().map(|row| {
            outbox_row(row, 0).map(|row| OutboxRow {
                attempt: row.attempt + 1,
                next_at: until,
                possibly_twice: row.possibly_twice || row.state == Delivery::Sending,
                ..row
            })
        });
        leased.collect()
    }

    pub(super) async fn settle(&mut self, now: DateTime<Utc>, settlements: &[Settlement]) -> Result<usize, Error> {
        let mut sql = String::from("BEGIN IMMEDIATE;");
        for one in settlements {
            let set = match &one.how {
                Settled::Prepared { .. } => "state = 1, address = ?, message_id = ?, parts = ?",
                Settled::Sending => "state = 2",
                Settled::Accepted { .. } => "state = 4, reply = ?, settled_at = ?",
                Settled::Retry { .. } => "state = 3, next_at = ?, reply = ?, possibly_twice = max(possibly_twice, ?)",
                Settled::Again { .. } => "state = 0, next_at = ?, parts = NULL, address = NULL",
                Settled::Failed { .. } => "state = 5, reply = ?, settled_at = ?",
                Settled::Skipped { .. } => "state = 6, reply = ?, settled_at = ?",
            };
            sql.push_str("UPDATE outbox SET ");
            sql.push_str(set);
            sql.push_str(" WHERE instance = ? AND mail = ? AND attempt = ? AND state < 4 RETURNING row;");
        }
        sql.push_str("COMMIT;");
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        for one in settlements {
            query = match &one.how {
                Settled::Prepared { address, message_id, parts } => {
                    query.bind(address.clone()).bind(message_id.clone()).bind(parts.clone())
                }
                Settled::Sending => query,
                Settled::Retry { at, reply, possibly_twice } => {
                    query.bind(ms_after(*at)).bind(reply.clone()).bind(i64::from(*possibly_twice))
                }
                Settled::Again { at } => query.bind(ms_after(*at)),
                Settled::Accepted { reply } | Settled::Failed { reply } | Settled::Skipped { reason: reply } => {
                    query.bind(reply.clone()).bind(ms(now))
                }
            };
            query = query.bind(one.instance.to_string()).bind(i64::from(one.mail.0)).bind(i64::from(one.attempt));
        }
        Ok(self.transact(query).await?.len())
    }

    pub(super) async fn requeue(
        &mut self,
        now: DateTime<Utc>,
        instance: InstanceId,
        mail: MailId,
    ) -> Result<bool, Error> {
        let query = sqlx::query(
            "BEGIN IMMEDIATE;
             UPDATE outbox SET state = CASE WHEN parts IS NULL THEN 0 ELSE 3 END, next_at = ?, settled_at = NULL
               WHERE instance = ? AND mail = ? AND state >= 4 RETURNING row;
             COMMIT;",
        )
        .bind(ms(now))
        .bind(instance.to_string())
        .bind(i64::from(mail.0));
        Ok(!self.transact(query).await?.is_empty())
    }

    pub(super) async fn deploy(
        &mut self,
        deployment: &StoredDeployment,
        definitions: &[StoredDefinition],
    ) -> Result<(), Error> {
        crate::failpoint!("store.deploy").map_err(|error| failed(&self.place, error.into()))?;
        let number = i64::try_from(deployment.number).unwrap_or(i64::MAX);
        let cells = definitions.iter().map(|one| (&one.version.0, one.process.as_str(), ms(deployment.at), &one.json));
        // The number is the guard: whoever deployed meanwhile has it.
        let query = sqlx::query(
            "BEGIN IMMEDIATE;
             INSERT INTO definition (version, process, at, json)
               SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?) WHERE true
               ON CONFLICT (version) DO NOTHING;
             INSERT INTO deployment (number, at, note, versions, directory, calendar) VALUES (?, ?, ?, ?, ?, ?);
             COMMIT;",
        )
        .bind(rows(cells))
        .bind(number)
        .bind(ms(deployment.at))
        .bind(deployment.note.clone())
        .bind(record::json(&deployment.versions))
        .bind(deployment.directory.clone())
        .bind(deployment.calendar.clone());
        self.transact(query).await.map(|_| ())
    }

    /// Runs a text from `BEGIN IMMEDIATE` to `COMMIT` and answers the rows of all its statements.
    async fn transact(
        &mut self,
        query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Vec<SqliteRow>, Error> {
        match query.fetch_all(&mut self.connection).await {
            Ok(rows) => Ok(rows),
            Err(error) => {
                let _ = sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await;
                Err(failed(&self.place, error))
            }
        }
    }

    pub(super) async fn close(self) {
        // What is not checkpointed is in the write-ahead log and read from there the next time.
        let _ = self.connection.close().await;
    }
}

fn version_of(rows: &[SqliteRow]) -> Result<i64, sqlx::Error> {
    rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)
}

/// An entry as the loader reads it: revision, time, command, structure, personal.
type LogCells = (u32, i64, CommandId, String, Option<String>);

/// An instance as the loader reads it: id, revision, head, snapshot, entries, commands before them.
type LoadCells = (InstanceId, u32, String, Option<String>, Vec<LogCells>, Vec<CommandId>);

impl Loader {
    pub(super) async fn load(&mut self, wanted: &[Wanted]) -> Result<Vec<Loaded>, Error> {
        let asked = rows(wanted.iter().map(|one| (one.instance, one.known)));
        // One row for the whole batch: a row is a hop between threads, JSON is not.
        let sql = "
            SELECT json_group_array(json_array(i.id, i.revision, i.head, s.state,
              (SELECT json_group_array(json_array(e.revision, e.at, e.command, e.structure, e.personal)
                 ORDER BY e.revision)
                 FROM entry e WHERE e.instance = i.id AND e.revision > max(w.known, coalesce(s.revision, 0))),
              (SELECT json_group_array(e.command) FROM entry e
                 WHERE w.known = 0 AND e.instance = i.id AND e.revision <= coalesce(s.revision, 0))))
            FROM (SELECT value->>0 AS id, value->>1 AS known FROM json_each(?)) AS w
            CROSS JOIN instance i ON i.id = w.id
            LEFT JOIN snapshot s ON w.known = 0 AND s.instance = i.id";
        let text: String = self.one(sqlx::query(sql).bind(asked)).await?;
        let cells: Vec<LoadCells> = serde_json::from_str(&text).map_err(|error| unreadable(&self.place, error))?;
        let loaded = cells.into_iter().map(|(instance, revision, head, snapshot, entries, commands)| {
            let head = Head::parse(&head).ok_or_else(|| not_right(&self.place, "head"))?;
            let entry = |(revision, at, command, structure, personal): LogCells| StoredEntry {
                revision,
                at,
                command,
                structure,
                personal,
                salt: None,
                digest: String::new(),
                hash: String::new(),
            };
            let entries = entries.into_iter().map(entry).collect();
            Ok(Loaded { instance, revision, head, snapshot, entries, commands })
        });
        loaded.collect()
    }

    pub(super) async fn sequence(&mut self, name: &str) -> Result<u64, Error> {
        let query = sqlx::query("SELECT coalesce((SELECT next FROM sequence WHERE name = ?), 1)").bind(name.to_owned());
        let next: i64 = self.one(query).await?;
        Ok(u64::try_from(next).unwrap_or(1))
    }

    pub(super) async fn done(
        &mut self,
        instance: Option<InstanceId>,
        command: &CommandId,
    ) -> Result<Option<(InstanceId, StoredEntry)>, Error> {
        const OF: &str = "SELECT instance, revision, at, command, structure, personal, salt, digest, hash FROM entry
             WHERE instance = ? AND command = ?";
        const START: &str = "SELECT instance, revision, at, command, structure, personal, salt, digest, hash
             FROM entry WHERE command = ? AND revision = 1";
        let query = match instance {
            Some(instance) => sqlx::query(OF).bind(instance.to_string()),
            None => sqlx::query(START),
        };
        let row = query
            .bind(command.as_str().to_owned())
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|error| failed(&self.place, error))?;
        let Some(row) = row else { return Ok(None) };
        let instance: String = cell(&row, 0)?;
        let instance = InstanceId::parse(&instance).ok_or_else(|| not_right(&self.place, "instance"))?;
        Ok(Some((instance, entry_row(&row, 1)?)))
    }

    pub(super) async fn deployed(&mut self) -> Result<u64, Error> {
        let number: i64 = self.one(sqlx::query("SELECT coalesce(max(number), 0) FROM deployment")).await?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    pub(super) async fn deployment(&mut self) -> Result<Option<StoredDeployment>, Error> {
        let row = sqlx::query(
            "SELECT number, at, note, versions, directory, calendar FROM deployment ORDER BY number DESC LIMIT 1",
        )
        .fetch_optional(&mut self.connection)
        .await
        .map_err(|error| failed(&self.place, error))?;
        let Some(row) = row else { return Ok(None) };
        let versions: String = cell(&row, 3)?;
        Ok(Some(StoredDeployment {
            number: u64::try_from(cell::<i64>(&row, 0)?).unwrap_or(0),
            at: instant(cell(&row, 1)?),
            note: cell(&row, 2)?,
            versions: serde_json::from_str(&versions).map_err(|error| unreadable(&self.place, error))?,
            directory: cell(&row, 4)?,
            calendar: cell(&row, 5)?,
        }))
    }

    pub(super) async fn definitions(&mut self, versions: &[Version]) -> Result<Vec<StoredDefinition>, Error> {
        let rows = sqlx::query(
            "SELECT d.version, d.process, d.json FROM json_each(?) AS v CROSS JOIN definition d ON d.version = v.value",
        )
        .bind(record::json(&versions))
        .fetch_all(&mut self.connection)
        .await
        .map_err(|error| failed(&self.place, error))?;
        rows.iter().map(definition_row).collect()
    }

    async fn one<'q, T>(
        &mut self,
        query: sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<T, Error>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        let row = query.fetch_one(&mut self.connection).await;
        row.and_then(|row| row.try_get(0)).map_err(|error| failed(&self.place, error))
    }
}

fn unreadable(place: &Path, error: serde_json::Error) -> Error {
    not_right(place, &error.to_string())
}

fn not_right(place: &Path, detail: &str) -> Error {
    failed(place, sqlx::Error::Protocol(detail.to_owned()))
}

fn cell<T>(row: &SqliteRow, index: usize) -> Result<T, Error>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(index).map_err(|error| failed(&PathBuf::new(), error))
}

fn entry_row(row: &SqliteRow, at: usize) -> Result<StoredEntry, Error> {
    Ok(StoredEntry {
        revision: cell(row, at)?,
        at: cell(row, at + 1)?,
        command: cell::<String>(row, at + 2)?.into(),
        structure: cell(row, at + 3)?,
        personal: cell(row, at + 4)?,
        salt: cell(row, at + 5)?,
        digest: cell(row, at + 6)?,
        hash: cell(row, at + 7)?,
    })
}

fn definition_row(row: &SqliteRow) -> Result<StoredDefinition, Error> {
    Ok(StoredDefinition {
        version: Version(cell::<String>(row, 0)?.into()),
        process: cell::<String>(row, 1)?.into(),
        json: cell(row, 2)?,
    })
}

const INSTANCE: &str = "i.id, i.process, i.version, i.title, i.number, i.applicant, i.started_at, i.revision, i.at,
    i.outcome, i.ended_at, i.key, i.headline, i.steps, i.incident, i.wake_at, i.row";

fn id<T>(row: &SqliteRow, index: usize, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    let text: String = cell(row, index)?;
    parse(&text).ok_or_else(|| not_right(&PathBuf::new(), "an id"))
}

fn instance_row(row: &SqliteRow, at: usize) -> Result<InstanceRow, Error> {
    let outcome: Option<String> = cell(row, at + 9)?;
    let ended_at: Option<i64> = cell(row, at + 10)?;
    let headline: Option<String> = cell(row, at + 12)?;
    Ok(InstanceRow {
        id: id(row, at, InstanceId::parse)?,
        process: cell::<String>(row, at + 1)?.into(),
        version: Version(cell::<String>(row, at + 2)?.into()),
        title: record::read_text(&cell::<String>(row, at + 3)?)?,
        number: cell::<Option<String>>(row, at + 4)?.map(Into::into),
        applicant: cell::<String>(row, at + 5)?.into(),
        started_at: instant(cell(row, at + 6)?),
        revision: cell(row, at + 7)?,
        at: instant(cell(row, at + 8)?),
        ended: outcome.zip(ended_at).map(|(outcome, at)| Ended { outcome: outcome.into(), at: instant(at) }),
        key: cell(row, at + 11)?,
        headline: headline.as_deref().map(record::read_value).transpose()?,
        steps: record::read_steps(&cell::<String>(row, at + 13)?)?,
        incident: cell::<i64>(row, at + 14)? != 0,
        wake_at: cell::<Option<i64>>(row, at + 15)?.map(instant),
        row: cell(row, at + 16)?,
    })
}

const ASSIGNMENT: &str = "a.id, a.instance, a.task, a.round, a.step, a.person, a.stands_in_for, a.nonce, a.state,
    a.opened_at, a.due_at, a.row";
const ASSIGNMENT_CELLS: usize = 12;

fn assignment_row(row: &SqliteRow, at: usize) -> Result<AssignmentRow, Error> {
    Ok(AssignmentRow {
        id: id(row, at, AssignmentId::parse)?,
        instance: id(row, at + 1, InstanceId::parse)?,
        task: TaskId(cell(row, at + 2)?),
        round: cell(row, at + 3)?,
        step: cell::<String>(row, at + 4)?.into(),
        person: cell::<String>(row, at + 5)?.into(),
        stands_in_for: cell::<Option<String>>(row, at + 6)?.map(Into::into),
        nonce: id(row, at + 7, record::unhex)?,
        state: match cell::<i64>(row, at + 8)? {
            0 => AssignmentState::Open,
            1 => AssignmentState::Answered,
            _ => AssignmentState::Closed,
        },
        opened_at: instant(cell(row, at + 9)?),
        due_at: cell::<Option<i64>>(row, at + 10)?.map(instant),
        row: cell(row, at + 11)?,
    })
}

const OUTBOX: &str = "instance, mail, kind, person, priority, state, attempt, next_at, address, message_id, parts,
    reply, possibly_twice, queued_at, settled_at, row";

fn outbox_row(row: &SqliteRow, at: usize) -> Result<OutboxRow, Error> {
    let state: i64 = cell(row, at + 5)?;
    let state = usize::try_from(state).ok().and_then(|state| Delivery::ALL.get(state).copied());
    Ok(OutboxRow {
        instance: id(row, at, InstanceId::parse)?,
        mail: MailId(cell(row, at + 1)?),
        kind: record::read_mail_kind(&cell::<String>(row, at + 2)?)?,
        to: cell::<String>(row, at + 3)?.into(),
        priority: cell(row, at + 4)?,
        state: state.ok_or_else(|| not_right(&PathBuf::new(), "a state of mail"))?,
        attempt: cell(row, at + 6)?,
        next_at: instant(cell(row, at + 7)?),
        address: cell(row, at + 8)?,
        message_id: cell(row, at + 9)?,
        parts: cell(row, at + 10)?,
        reply: cell(row, at + 11)?,
        possibly_twice: cell::<i64>(row, at + 12)? != 0,
        queued_at: instant(cell(row, at + 13)?),
        settled_at: cell::<Option<i64>>(row, at + 14)?.map(instant),
        row: cell(row, at + 15)?,
    })
}

/// A condition of a list and what is bound to it.
enum Bound {
    Text(String),
    Number(i64),
}

/// A `SELECT` with only the conditions that a filter names, so that each combination gets its own plan.
struct Select {
    sql: String,
    bound: Vec<Bound>,
}

impl Select {
    fn new(sql: String) -> Select {
        Select { sql, bound: Vec::new() }
    }

    fn text(&mut self, condition: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.sql.push_str(condition);
            self.bound.push(Bound::Text(value.to_string()));
        }
    }

    fn number(&mut self, condition: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.sql.push_str(condition);
            self.bound.push(Bound::Number(value));
        }
    }

    fn newest(mut self, row: &str, limit: u32) -> Select {
        self.sql.push_str(" ORDER BY ");
        self.sql.push_str(row);
        self.sql.push_str(" DESC LIMIT ?");
        self.bound.push(Bound::Number(i64::from(limit)));
        self
    }
}

fn select_instances(filter: &InstanceFilter) -> Select {
    let mut select = Select::new(format!("SELECT {INSTANCE} FROM instance i WHERE 1"));
    select.text(" AND i.process = ?", filter.process.as_ref());
    select.text(" AND i.applicant = ?", filter.applicant.as_ref());
    select.text(" AND i.key = ?", filter.key.as_ref());
    select.text(" AND i.outcome = ?", filter.outcome.as_ref());
    match filter.standing {
        Some(Standing::Open) => select.sql.push_str(" AND i.outcome IS NULL"),
        Some(Standing::Ended) => select.sql.push_str(" AND i.outcome IS NOT NULL"),
        Some(Standing::Incident) => select.sql.push_str(" AND i.incident = 1"),
        None => {}
    }
    select.number(" AND i.row < ?", filter.before);
    select.newest("i.row", filter.limit)
}

fn select_tasks(filter: &TaskFilter) -> Select {
    // The open assignments are the small side: begin there.
    let mut select = Select::new(format!(
        "SELECT {ASSIGNMENT}, {INSTANCE} FROM assignment a CROSS JOIN instance i ON i.id = a.instance WHERE a.state = 0"
    ));
    select.text(" AND a.person = ?", filter.person.as_ref());
    select.number(" AND a.row < ?", filter.before);
    select.newest("a.row", filter.limit)
}

fn select_mails(filter: &OutboxFilter) -> Select {
    let mut select = Select::new(format!("SELECT {OUTBOX} FROM outbox WHERE 1"));
    match filter.state {
        // The partial index is used only where the query says so literally.
        Some(Delivery::Failed) => select.sql.push_str(" AND state = 5"),
        state => select.number(" AND state = ?", state.map(|state| i64::from(delivery_number(state)))),
    }
    select.text(" AND instance = ?", filter.instance.as_ref());
    select.text(" AND person = ?", filter.to.as_ref());
    select.number(" AND row < ?", filter.before);
    select.newest("row", filter.limit)
}

const ASSIGNMENT_BY_ID: &str = "WHERE a.id = ?";
const FIND_NUMBER: &str = "WHERE i.number = ? LIMIT ?";
const FIND_NUMBERS: &str = "WHERE i.number >= ? AND i.number < ? ORDER BY i.number LIMIT ?";
const FIND_IDS: &str = "WHERE i.id >= ? AND i.id < ? ORDER BY i.id LIMIT ?";
const LOG: &str = "SELECT revision, at, command, structure, personal, salt, digest, hash FROM entry
    WHERE instance = ? ORDER BY revision";
const HEAD: &str = "SELECT head FROM instance WHERE id = ?";
const MAIL: &str = "WHERE instance = ? AND mail = ?";
const MAIL_DUE: &str = "SELECT min(next_at) FROM outbox WHERE state < 4";
const DUE: &str = "SELECT id, revision FROM instance WHERE wake_at <= ? ORDER BY wake_at LIMIT ?";
const WAKE_AT: &str = "SELECT min(wake_at) FROM instance WHERE wake_at IS NOT NULL";
const COUNTS: &str = "SELECT
    (SELECT count(*) FROM instance WHERE outcome IS NULL),
    (SELECT count(*) FROM instance WHERE outcome IS NOT NULL),
    (SELECT count(*) FROM instance WHERE incident = 1),
    (SELECT count(*) FROM assignment WHERE state = 0),
    (SELECT count(*) FROM outbox WHERE state < 4),
    (SELECT count(*) FROM outbox WHERE state = 5)";

impl Reader {
    async fn rows(&self, select: Select) -> Result<Vec<SqliteRow>, Error> {
        let mut query = sqlx::query(AssertSqlSafe(select.sql));
        for bound in select.bound {
            query = match bound {
                Bound::Text(text) => query.bind(text),
                Bound::Number(number) => query.bind(number),
            };
        }
        query.fetch_all(&self.pool).await.map_err(|error| failed(&self.place, error))
    }

    async fn row(&self, sql: String, bound: Vec<Bound>) -> Result<Option<SqliteRow>, Error> {
        Ok(self.rows(Select { sql, bound }).await?.into_iter().next())
    }

    pub(super) async fn log(&self, instance: InstanceId) -> Result<Vec<StoredEntry>, Error> {
        let rows = self.rows(Select { sql: LOG.to_owned(), bound: vec![Bound::Text(instance.to_string())] }).await?;
        rows.iter().map(|row| entry_row(row, 0)).collect()
    }

    pub(super) async fn head(&self, instance: InstanceId) -> Result<Option<Head>, Error> {
        let row = self.row(HEAD.to_owned(), vec![Bound::Text(instance.to_string())]).await?;
        row.map(|row| id(&row, 0, Head::parse)).transpose()
    }

    pub(super) async fn definition(&self, version: &Version) -> Result<Option<StoredDefinition>, Error> {
        let sql = "SELECT version, process, json FROM definition WHERE version = ?".to_owned();
        let row = self.row(sql, vec![Bound::Text(version.to_string())]).await?;
        row.map(|row| definition_row(&row)).transpose()
    }

    pub(super) async fn pulse(&self) -> Result<i64, Error> {
        // Each connection has its own count, so the newest rows say it for all of them.
        let sql =
            "SELECT coalesce((SELECT max(row) FROM entry), 0) + coalesce((SELECT max(number) FROM deployment), 0)";
        match self.row(sql.to_owned(), Vec::new()).await? {
            Some(row) => cell(&row, 0),
            None => Ok(0),
        }
    }

    pub(super) async fn assignment(&self, id: AssignmentId) -> Result<Option<AssignmentRow>, Error> {
        let sql = format!("SELECT {ASSIGNMENT} FROM assignment a {ASSIGNMENT_BY_ID}");
        let row = self.row(sql, vec![Bound::Text(id.to_string())]).await?;
        row.map(|row| assignment_row(&row, 0)).transpose()
    }

    pub(super) async fn find(&self, text: &str) -> Result<Found, Error> {
        let upper = text.to_uppercase();
        let digits = text.replace('-', "").to_lowercase();
        if digits.is_empty() {
            return Ok(Found::None);
        }
        let exact = |text: &str| (FIND_NUMBER, vec![Bound::Text(text.to_owned())]);
        let prefix = |condition, text: &str| {
            let after = format!("{text}{}", char::MAX);
            (condition, vec![Bound::Text(text.to_owned()), Bound::Text(after)])
        };
        let ways = [
            exact(text),
            exact(&upper),
            prefix(FIND_NUMBERS, text),
            prefix(FIND_NUMBERS, &upper),
            prefix(FIND_IDS, &digits),
        ];
        for (condition, mut bound) in ways {
            bound.push(Bound::Number(i64::try_from(MANY).unwrap_or(10)));
            let sql = format!("SELECT {INSTANCE} FROM instance i {condition}");
            let rows = self.rows(Select { sql, bound }).await?;
            if !rows.is_empty() {
                let rows: Result<Vec<InstanceRow>, Error> = rows.iter().map(|row| instance_row(row, 0)).collect();
                return Ok(found(rows?));
            }
        }
        Ok(Found::None)
    }

    pub(super) async fn instances(&self, filter: &InstanceFilter) -> Result<Vec<InstanceRow>, Error> {
        self.rows(select_instances(filter)).await?.iter().map(|row| instance_row(row, 0)).collect()
    }

    pub(super) async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, Error> {
        let both = |row: &SqliteRow| {
            Ok(TaskRow { assignment: assignment_row(row, 0)?, instance: instance_row(row, ASSIGNMENT_CELLS)? })
        };
        self.rows(select_tasks(filter)).await?.iter().map(both).collect()
    }

    pub(super) async fn mails(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Error> {
        self.rows(select_mails(filter)).await?.iter().map(|row| outbox_row(row, 0)).collect()
    }

    pub(super) async fn mail(&self, instance: InstanceId, mail: MailId) -> Result<Option<OutboxRow>, Error> {
        let sql = format!("SELECT {OUTBOX} FROM outbox {MAIL}");
        let bound = vec![Bound::Text(instance.to_string()), Bound::Number(i64::from(mail.0))];
        self.row(sql, bound).await?.map(|row| outbox_row(&row, 0)).transpose()
    }

    pub(super) async fn mail_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.instant(MAIL_DUE).await
    }

    pub(super) async fn due(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<(InstanceId, u32)>, Error> {
        let bound = vec![Bound::Number(ms(now)), Bound::Number(i64::from(limit))];
        let rows = self.rows(Select { sql: DUE.to_owned(), bound }).await?;
        rows.iter().map(|row| Ok((id(row, 0, InstanceId::parse)?, cell(row, 1)?))).collect()
    }

    pub(super) async fn wake_at(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.instant(WAKE_AT).await
    }

    async fn instant(&self, sql: &str) -> Result<Option<DateTime<Utc>>, Error> {
        match self.row(sql.to_owned(), Vec::new()).await? {
            Some(row) => Ok(cell::<Option<i64>>(&row, 0)?.map(instant)),
            None => Ok(None),
        }
    }

    pub(super) async fn counts(&self) -> Result<Counts, Error> {
        let Some(row) = self.row(COUNTS.to_owned(), Vec::new()).await? else { return Ok(Counts::default()) };
        let count = |index| cell::<i64>(&row, index).map(|count| u64::try_from(count).unwrap_or(0));
        Ok(Counts {
            open: count(0)?,
            ended: count(1)?,
            incidents: count(2)?,
            tasks: count(3)?,
            mails_waiting: count(4)?,
            mails_failed: count(5)?,
        })
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}
