//! Dispatched commands, waits and messages in SQL.

use super::cells::{kind_number, ms, ms_after};
use super::reader::{Bound, Select};
use super::rows::{cell, id};
use super::{Loader, Reader, Writer, failed};
use crate::model::id::{InstanceId, ProcessId, TokenId, Version};
use crate::store::error::Error;
use crate::store::pending::{Awaited, Chore, Delivery, DispatchRow, KEPT, Lease, MessageRow, WaitRow};
use crate::store::record::{self, instant};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;

const DISPATCH: &str = "id, sender, target, process, ask, at, reply, row";
const WAIT: &str = "w.instance, w.token, w.step, w.since, w.next_at, w.waits, w.epoch, w.worker, w.row";
const WAIT_CELLS: usize = 9;
const WAITING_VERSIONS: &str = "SELECT DISTINCT i.version FROM wait w CROSS JOIN instance i ON i.id = w.instance
     WHERE w.kind = 0 AND w.name = ?";
const MESSAGE: &str = "m.id, m.name, m.key, m.data, m.at, m.reader, m.row";

fn dispatch_row(row: &SqliteRow) -> Result<DispatchRow, Error> {
    Ok(DispatchRow {
        id: cell::<String>(row, 0)?.into(),
        sender: id(row, 1, InstanceId::parse)?,
        target: id(row, 2, InstanceId::parse)?,
        process: cell::<Option<String>>(row, 3)?.map(Into::into),
        ask: record::read_ask(&cell::<String>(row, 4)?)?,
        at: instant(cell(row, 5)?),
        reply: cell::<Option<String>>(row, 6)?.map(|reply| record::read_reply(&reply)),
        row: cell(row, 7)?,
    })
}

fn wait_row(row: &SqliteRow) -> Result<WaitRow, Error> {
    Ok(WaitRow {
        instance: id(row, 0, InstanceId::parse)?,
        token: TokenId(cell(row, 1)?),
        step: cell::<String>(row, 2)?.into(),
        since: cell(row, 3)?,
        next_at: instant(cell(row, 4)?),
        waits: record::read_waits(&cell::<String>(row, 5)?)?,
        epoch: cell(row, 6)?,
        worker: cell(row, 7)?,
        row: cell(row, 8)?,
    })
}

fn message_row(row: &SqliteRow, at: usize) -> Result<MessageRow, Error> {
    Ok(MessageRow {
        id: cell::<String>(row, at)?.into(),
        name: cell::<String>(row, at + 1)?.into(),
        key: cell::<Option<String>>(row, at + 2)?.map(Into::into),
        data: record::read_value(&cell::<String>(row, at + 3)?)?,
        at: instant(cell(row, at + 4)?),
        reader: InstanceId::parse(&cell::<String>(row, at + 5)?),
        row: cell(row, at + 6)?,
    })
}

fn number(value: u32) -> Bound {
    Bound::Number(i64::from(value))
}

impl Reader {
    pub(in crate::store) async fn dispatches(&self, failed: bool, limit: u32) -> Result<Vec<DispatchRow>, Error> {
        let which = if failed { "IS NOT NULL" } else { "IS NULL" };
        let sql = format!("SELECT {DISPATCH} FROM dispatch WHERE reply {which} ORDER BY row LIMIT ?");
        self.rows(Select { sql, bound: vec![number(limit)] }).await?.iter().map(dispatch_row).collect()
    }

    pub(in crate::store) async fn deliverable(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Delivery>, Error> {
        // The unread messages are the small side: begin there.
        let sql = format!(
            "SELECT {WAIT}, {MESSAGE} FROM message m CROSS JOIN wait w ON w.kind = 0 AND w.name = m.name
               AND (w.key = m.key OR w.key IS NULL)
               AND (w.fresh = 0 OR m.at >= w.next_at)
             WHERE m.reader = '' AND m.at > ? ORDER BY m.row, w.row LIMIT ?"
        );
        let rows = self.rows(Select { sql, bound: vec![Bound::Number(ms(now - KEPT)), number(limit)] }).await?;
        let delivery = |row: &SqliteRow| {
            let wait = wait_row(row)?;
            let message = message_row(row, WAIT_CELLS)?;
            Ok(Delivery { message, instance: wait.instance, token: wait.token })
        };
        rows.iter().map(delivery).collect()
    }

    pub(in crate::store) async fn unread(&self, limit: u32) -> Result<Vec<MessageRow>, Error> {
        let sql = format!("SELECT {MESSAGE} FROM message m WHERE m.reader = '' ORDER BY m.row LIMIT ?");
        self.rows(Select { sql, bound: vec![number(limit)] }).await?.iter().map(|row| message_row(row, 0)).collect()
    }

    pub(in crate::store) async fn has_message(&self, id: &str) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM message WHERE id = ?".to_owned();
        Ok(!self.rows(Select { sql, bound: vec![Bound::Text(id.to_owned())] }).await?.is_empty())
    }

    pub(in crate::store) async fn versions_waiting(&self, message: &str) -> Result<Vec<Version>, Error> {
        let sql = WAITING_VERSIONS.to_owned();
        let rows = self.rows(Select { sql, bound: vec![Bound::Text(message.to_owned())] }).await?;
        rows.iter().map(|row| cell::<String>(row, 0).map(|version| Version(version.into()))).collect()
    }

    pub(in crate::store) async fn waits(&self, before: Option<i64>, limit: u32) -> Result<Vec<WaitRow>, Error> {
        let sql = format!("SELECT {WAIT} FROM wait w WHERE w.row < ? ORDER BY w.row DESC LIMIT ?");
        let bound = vec![Bound::Number(before.unwrap_or(i64::MAX)), number(limit)];
        self.rows(Select { sql, bound }).await?.iter().map(wait_row).collect()
    }

    pub(in crate::store) async fn wait(&self, instance: InstanceId, token: TokenId) -> Result<Option<WaitRow>, Error> {
        let sql = format!("SELECT {WAIT} FROM wait w WHERE w.instance = ? AND w.token = ?");
        let bound = vec![Bound::Text(instance.to_string()), number(token.0)];
        self.rows(Select { sql, bound }).await?.first().map(wait_row).transpose()
    }

    pub(in crate::store) async fn http_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.instant("SELECT min(next_at) FROM wait WHERE kind = 2").await
    }

    pub(in crate::store) async fn lapse_at(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.instant("SELECT min(next_at) FROM wait WHERE kind = 3 AND epoch > 0").await
    }

    pub(in crate::store) async fn lapsed(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<WaitRow>, Error> {
        let sql = format!(
            "SELECT {WAIT} FROM wait w WHERE w.kind = 3 AND w.epoch > 0 AND w.next_at <= ? ORDER BY w.next_at LIMIT ?"
        );
        let bound = vec![Bound::Number(ms(now)), number(limit)];
        self.rows(Select { sql, bound }).await?.iter().map(wait_row).collect()
    }

    pub(in crate::store) async fn through(&self, process: &ProcessId) -> Result<Option<DateTime<Utc>>, Error> {
        let sql = "SELECT through FROM schedule WHERE process = ?".to_owned();
        let rows = self.rows(Select { sql, bound: vec![Bound::Text(process.to_string())] }).await?;
        rows.first().map(|row| cell(row, 0).map(instant)).transpose()
    }
}

impl Loader {
    /// Whether a message is there and nobody has read it.
    pub(in crate::store) async fn unread(&mut self, id: &str) -> Result<bool, Error> {
        let query = sqlx::query("SELECT count(*) FROM message WHERE id = ? AND reader = ''").bind(id.to_owned());
        Ok(self.one::<i64>(query).await? > 0)
    }

    /// The instance that has a key to itself.
    pub(in crate::store) async fn claimed(
        &mut self,
        process: &ProcessId,
        claim: &str,
    ) -> Result<Option<(InstanceId, String)>, Error> {
        let query = sqlx::query("SELECT id, number FROM instance WHERE process = ? AND claim = ?")
            .bind(process.to_string())
            .bind(claim.to_owned());
        let row = query.fetch_optional(&mut self.connection).await.map_err(|error| failed(&self.place, error))?;
        let Some(row) = row else { return Ok(None) };
        let instance = id(&row, 0, InstanceId::parse)?;
        let number: Option<String> = cell(&row, 1)?;
        Ok(Some((instance, number.unwrap_or_else(|| instance.to_string()))))
    }
}

impl Writer {
    pub(in crate::store) async fn chore(&mut self, now: DateTime<Utc>, chore: &Chore) -> Result<bool, Error> {
        let query = match chore {
            Chore::Keep(message) => sqlx::query(
                "BEGIN IMMEDIATE;
                 DELETE FROM message WHERE reader <> '' AND at < ?;
                 INSERT INTO message (id, name, key, data, at) VALUES (?, ?, ?, ?, ?)
                   ON CONFLICT (id) DO NOTHING RETURNING row;
                 COMMIT;",
            )
            .bind(ms(now - KEPT))
            .bind(message.id.to_string())
            .bind(message.name.to_string())
            .bind(message.key.as_deref().map(str::to_owned))
            .bind(record::json(&message.data))
            .bind(ms(message.at)),
            Chore::Discard(id) => sqlx::query(
                "BEGIN IMMEDIATE;
                 DELETE FROM message WHERE id = ? AND reader = '' RETURNING row;
                 COMMIT;",
            )
            .bind(id.to_string()),
            Chore::Dispatched(id, None) => sqlx::query(
                "BEGIN IMMEDIATE;
                 DELETE FROM dispatch WHERE id = ? RETURNING row;
                 COMMIT;",
            )
            .bind(id.as_str().to_owned()),
            Chore::Dispatched(id, Some(reply)) => sqlx::query(
                "BEGIN IMMEDIATE;
                 UPDATE dispatch SET reply = ? WHERE id = ? RETURNING row;
                 COMMIT;",
            )
            .bind(record::reply(reply))
            .bind(id.as_str().to_owned()),
            Chore::Revived(id) => sqlx::query(
                "BEGIN IMMEDIATE;
                 UPDATE dispatch SET reply = NULL WHERE id = ? AND reply IS NOT NULL RETURNING row;
                 COMMIT;",
            )
            .bind(id.as_str().to_owned()),
            Chore::Extend(Lease { instance, token, since, epoch }, until) => sqlx::query(
                "BEGIN IMMEDIATE;
                 UPDATE wait SET next_at = ?
                   WHERE instance = ? AND token = ? AND since = ? AND epoch = ? AND next_at > ? RETURNING row;
                 COMMIT;",
            )
            .bind(ms_after(*until))
            .bind(instance.to_string())
            .bind(i64::from(token.0))
            .bind(i64::from(*since))
            .bind(i64::from(*epoch))
            .bind(ms(now)),
            Chore::Through(process, at) => sqlx::query(
                "BEGIN IMMEDIATE;
                 INSERT INTO schedule (process, through) VALUES (?, ?)
                   ON CONFLICT (process) DO UPDATE SET through = max(through, excluded.through) RETURNING process;
                 COMMIT;",
            )
            .bind(process.to_string())
            .bind(ms(*at)),
        };
        Ok(!self.transact(query).await?.is_empty())
    }

    pub(in crate::store) async fn take(
        &mut self,
        now: DateTime<Utc>,
        what: Awaited,
        name: Option<&str>,
        worker: &str,
        limit: u32,
    ) -> Result<Vec<WaitRow>, Error> {
        // The kind stands in the text, so that the partial index of it is used.
        let of = if name.is_some() { " AND w.name = ?" } else { "" };
        let kind = kind_number(Some(what));
        // A job whose lease ran out has failed, and that is written down before anybody gets it again.
        let free = if what == Awaited::Job { " AND w.epoch = 0" } else { "" };
        let sql = format!(
            "SELECT {WAIT} FROM wait w WHERE w.kind = {kind}{free}{of} AND w.next_at <= ? ORDER BY w.next_at LIMIT ?"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        if let Some(name) = name {
            query = query.bind(name.to_owned());
        }
        let begun = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut self.connection).await;
        begun.map_err(|error| failed(&self.place, error))?;
        let found = query.bind(ms(now)).bind(i64::from(limit)).fetch_all(&mut self.connection).await;
        let found = found.map_err(|error| failed(&self.place, error));
        let mut taken: Vec<WaitRow> = match found.and_then(|rows| rows.iter().map(wait_row).collect()) {
            Ok(taken) => taken,
            Err(error) => {
                let _ = sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await;
                return Err(error);
            }
        };
        let mut sql = String::new();
        for _ in &taken {
            sql.push_str("UPDATE wait SET epoch = epoch + 1, worker = ?, next_at = ? WHERE row = ?;");
        }
        sql.push_str("COMMIT;");
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        for row in &mut taken {
            row.epoch += 1;
            row.worker = Some(worker.to_owned());
            row.next_at = now + row.lease();
            query = query.bind(worker.to_owned()).bind(ms_after(row.next_at)).bind(row.row);
        }
        self.transact(query).await?;
        Ok(taken)
    }
}
