//! The writing connection.

use super::cells::{STATEMENTS, ms, ms_after, rows, tables};
use super::rows::{OUTBOX, outbox_row};
use super::{Writer, data_version, failed};
use crate::model::id::{InstanceId, MailId};
use crate::store::batch::{Batch, TASK_OVER};
use crate::store::error::Error;
use crate::store::query::{Delivery, OutboxRow};
use crate::store::record;
use crate::store::{Committed, Settled, Settlement, StoredDefinition, StoredDeployment};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Row};
use std::sync::Arc;

impl Writer {
    pub(in crate::store) async fn commit(&mut self, batch: &Batch) -> Result<Committed, Error> {
        let (mask, texts) = tables(batch);
        self.commit_tables(mask, texts).await
    }

    pub(in crate::store) async fn commit_tables(&mut self, mask: u16, texts: Vec<String>) -> Result<Committed, Error> {
        let held = std::mem::take(&mut self.held);
        let sql = self.texts.entry((held, mask)).or_insert_with(|| {
            let mut text = String::from(if held { "" } else { "BEGIN IMMEDIATE;" });
            text.push_str("PRAGMA data_version;");
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

    pub(in crate::store) async fn hold(&mut self) -> Result<(), Error> {
        let begun = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut self.connection).await;
        self.held = begun.is_ok();
        begun.map(|_| ()).map_err(|error| failed(&self.place, error))
    }

    pub(in crate::store) async fn release(&mut self) {
        if std::mem::take(&mut self.held) {
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await;
        }
    }

    pub(in crate::store) async fn foreign(&mut self) -> Result<bool, Error> {
        let version = data_version(&mut self.connection).await.map_err(|error| failed(&self.place, error))?;
        let foreign = version != self.version;
        self.version = version;
        Ok(foreign)
    }

    pub(in crate::store) async fn lease(
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

    pub(in crate::store) async fn settle(
        &mut self,
        now: DateTime<Utc>,
        settlements: &[Settlement],
    ) -> Result<usize, Error> {
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

    pub(in crate::store) async fn requeue(
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

    pub(in crate::store) async fn deploy(
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
             INSERT INTO deployment (number, at, note, versions, directory, calendar, metrics)
               VALUES (?, ?, ?, ?, ?, ?, ?);
             COMMIT;",
        )
        .bind(rows(cells))
        .bind(number)
        .bind(ms(deployment.at))
        .bind(deployment.note.clone())
        .bind(record::json(&deployment.versions))
        .bind(deployment.directory.clone())
        .bind(deployment.calendar.clone())
        .bind(deployment.metrics.clone());
        self.transact(query).await.map(|_| ())
    }

    /// Runs a text from `BEGIN IMMEDIATE` to `COMMIT` and answers the rows of all its statements.
    pub(super) async fn transact(
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

    pub(in crate::store) async fn close(self) {
        // What is not checkpointed is in the write-ahead log and read from there the next time.
        let _ = self.connection.close().await;
    }
}

pub(super) fn version_of(rows: &[SqliteRow]) -> Result<i64, sqlx::Error> {
    rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)
}
