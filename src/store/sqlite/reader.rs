//! What people and pages wait for. Each condition that a list can have gets its own text, so that SQLite plans it
//! with the index that is there for it; the tests beside look at the plans.

use super::cells::{delivery_number, ms};
use super::rows::{
    ASSIGNMENT, ASSIGNMENT_CELLS, INSTANCE, OUTBOX, assignment_row, cell, definition_row, entry_row, id, instance_row,
    outbox_row,
};
use super::{Reader, failed};
use crate::model::file::Hash;
use crate::model::id::{AssignmentId, InstanceId, MailId, ProcessId, Version};
use crate::store::StoredDefinition;
use crate::store::error::Error;
use crate::store::file;
use crate::store::query::{
    AssignmentRow, Counts, Delivery, Found, InstanceFilter, InstanceRow, MANY, OutboxFilter, OutboxRow, Standing,
    TaskFilter, TaskRow, found,
};
use crate::store::record::{Head, StoredEntry, instant};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;
use std::collections::{BTreeMap, BTreeSet};

/// The records that name files, from one row on.
const NAMING_FILES: &str = "SELECT row, personal FROM entry WHERE row > ? \
                            AND instr(personal, '\"sha256\":\"') > 0 ORDER BY row LIMIT 500";

/// A condition of a list and what is bound to it.
pub(super) enum Bound {
    Text(String),
    Number(i64),
}

/// A `SELECT` with only the conditions that a filter names, so that each combination gets its own plan.
pub(super) struct Select {
    pub(super) sql: String,
    pub(super) bound: Vec<Bound>,
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

pub(super) fn select_instances(filter: &InstanceFilter) -> Select {
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

pub(super) fn select_tasks(filter: &TaskFilter) -> Select {
    // The open assignments are the small side: begin there.
    let mut select = Select::new(format!(
        "SELECT {ASSIGNMENT}, {INSTANCE} FROM assignment a CROSS JOIN instance i ON i.id = a.instance WHERE a.state = 0"
    ));
    select.text(" AND a.person = ?", filter.person.as_ref());
    select.number(" AND a.row < ?", filter.before);
    select.newest("a.row", filter.limit)
}

pub(super) fn select_mails(filter: &OutboxFilter) -> Select {
    let mut select = Select::new(format!("SELECT {OUTBOX} FROM outbox WHERE 1"));
    match filter.state {
        // The partial index is used only where the query says so literally.
        Some(Delivery::Failed) => select.sql.push_str(" AND state = 5"),
        state => select.number(" AND state = ?", state.map(|state| i64::from(delivery_number(state)))),
    }
    select.text(" AND instance = ?", filter.instance.as_ref());
    select.text(" AND person = ?", filter.to.as_ref());
    select.number(" AND row < ?", filter.before);
    // The mails of one instance are numbered in the order of their rows, and have an index in that order.
    select.newest(if filter.instance.is_some() { "mail" } else { "row" }, filter.limit)
}

pub(super) const ASSIGNMENT_BY_ID: &str = "WHERE a.id = ?";
pub(super) const FIND_NUMBER: &str = "WHERE i.number = ? LIMIT ?";
pub(super) const FIND_NUMBERS: &str = "WHERE i.number >= ? AND i.number < ? ORDER BY i.number LIMIT ?";
pub(super) const FIND_IDS: &str = "WHERE i.id >= ? AND i.id < ? ORDER BY i.id LIMIT ?";
pub(super) const LOG: &str = "SELECT revision, at, command, structure, personal, salt, digest, hash FROM entry
    WHERE instance = ? ORDER BY revision";
pub(super) const LOGS: &str = "SELECT i.row, e.revision, e.at, e.command, e.structure, e.personal
    FROM (SELECT row, id FROM instance WHERE process = ? AND row > ? ORDER BY row LIMIT ?) AS i
    CROSS JOIN entry e ON e.instance = i.id";
pub(super) const HEAD: &str = "SELECT head FROM instance WHERE id = ?";
pub(super) const MAIL: &str = "WHERE instance = ? AND mail = ?";
pub(super) const MAIL_DUE: &str = "SELECT min(next_at) FROM outbox WHERE state < 4";
pub(super) const DUE: &str = "SELECT id, revision FROM instance WHERE wake_at <= ? ORDER BY wake_at LIMIT ?";
pub(super) const WAKE_AT: &str = "SELECT min(wake_at) FROM instance WHERE wake_at IS NOT NULL";
pub(super) const COUNTS: &str = "SELECT
    (SELECT count(*) FROM instance WHERE outcome IS NULL),
    (SELECT count(*) FROM instance WHERE outcome IS NOT NULL),
    (SELECT count(*) FROM instance WHERE incident = 1),
    (SELECT count(*) FROM assignment WHERE state = 0),
    (SELECT count(*) FROM outbox WHERE state < 4),
    (SELECT count(*) FROM outbox WHERE state = 5)";

impl Reader {
    pub(super) async fn rows(&self, select: Select) -> Result<Vec<SqliteRow>, Error> {
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

    pub(in crate::store) async fn log(&self, instance: InstanceId) -> Result<Vec<StoredEntry>, Error> {
        let rows = self.rows(Select { sql: LOG.to_owned(), bound: vec![Bound::Text(instance.to_string())] }).await?;
        rows.iter().map(|row| entry_row(row, 0)).collect()
    }

    pub(in crate::store) async fn logs(
        &self,
        process: &ProcessId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Vec<StoredEntry>)>, Error> {
        let bound = vec![Bound::Text(process.to_string()), Bound::Number(after), Bound::Number(i64::from(limit))];
        // Put in order here: of a page that is less work than of a join.
        let mut logs: BTreeMap<i64, Vec<StoredEntry>> = BTreeMap::new();
        for row in self.rows(Select { sql: LOGS.to_owned(), bound }).await? {
            logs.entry(cell(&row, 0)?).or_default().push(StoredEntry {
                revision: cell(&row, 1)?,
                at: cell(&row, 2)?,
                command: cell::<String>(&row, 3)?.into(),
                structure: cell(&row, 4)?,
                personal: cell(&row, 5)?,
                salt: None,
                digest: String::new(),
                hash: String::new(),
            });
        }
        logs.values_mut().for_each(|log| log.sort_by_key(|entry| entry.revision));
        Ok(logs.into_iter().collect())
    }

    pub(in crate::store) async fn head(&self, instance: InstanceId) -> Result<Option<Head>, Error> {
        let row = self.row(HEAD.to_owned(), vec![Bound::Text(instance.to_string())]).await?;
        row.map(|row| id(&row, 0, Head::parse)).transpose()
    }

    pub(in crate::store) async fn definition(&self, version: &Version) -> Result<Option<StoredDefinition>, Error> {
        let sql = "SELECT version, process, json FROM definition WHERE version = ?".to_owned();
        let row = self.row(sql, vec![Bound::Text(version.to_string())]).await?;
        row.map(|row| definition_row(&row)).transpose()
    }

    pub(in crate::store) async fn assignment(&self, id: AssignmentId) -> Result<Option<AssignmentRow>, Error> {
        let sql = format!("SELECT {ASSIGNMENT} FROM assignment a {ASSIGNMENT_BY_ID}");
        let row = self.row(sql, vec![Bound::Text(id.to_string())]).await?;
        row.map(|row| assignment_row(&row, 0)).transpose()
    }

    pub(in crate::store) async fn find(&self, text: &str) -> Result<Found, Error> {
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

    pub(in crate::store) async fn instances(&self, filter: &InstanceFilter) -> Result<Vec<InstanceRow>, Error> {
        self.rows(select_instances(filter)).await?.iter().map(|row| instance_row(row, 0)).collect()
    }

    pub(in crate::store) async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, Error> {
        let both = |row: &SqliteRow| {
            Ok(TaskRow { assignment: assignment_row(row, 0)?, instance: instance_row(row, ASSIGNMENT_CELLS)? })
        };
        self.rows(select_tasks(filter)).await?.iter().map(both).collect()
    }

    pub(in crate::store) async fn mails(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Error> {
        self.rows(select_mails(filter)).await?.iter().map(|row| outbox_row(row, 0)).collect()
    }

    pub(in crate::store) async fn mail(&self, instance: InstanceId, mail: MailId) -> Result<Option<OutboxRow>, Error> {
        let sql = format!("SELECT {OUTBOX} FROM outbox {MAIL}");
        let bound = vec![Bound::Text(instance.to_string()), Bound::Number(i64::from(mail.0))];
        self.row(sql, bound).await?.map(|row| outbox_row(&row, 0)).transpose()
    }

    pub(in crate::store) async fn mail_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.instant(MAIL_DUE).await
    }

    pub(in crate::store) async fn due(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<(InstanceId, u32)>, Error> {
        let bound = vec![Bound::Number(ms(now)), Bound::Number(i64::from(limit))];
        let rows = self.rows(Select { sql: DUE.to_owned(), bound }).await?;
        rows.iter().map(|row| Ok((id(row, 0, InstanceId::parse)?, cell(row, 1)?))).collect()
    }

    pub(in crate::store) async fn wake_at(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.instant(WAKE_AT).await
    }

    pub(in crate::store) async fn files(&self) -> Result<BTreeSet<Hash>, Error> {
        let (mut found, mut after) = (BTreeSet::new(), 0);
        loop {
            let bound = vec![Bound::Number(after)];
            let rows = self.rows(Select { sql: NAMING_FILES.to_owned(), bound }).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = cell(last, 0)?;
            for row in &rows {
                found.extend(file::named(&cell::<String>(row, 1)?));
            }
        }
    }

    pub(super) async fn instant(&self, sql: &str) -> Result<Option<DateTime<Utc>>, Error> {
        match self.row(sql.to_owned(), Vec::new()).await? {
            Some(row) => Ok(cell::<Option<i64>>(&row, 0)?.map(instant)),
            None => Ok(None),
        }
    }

    pub(in crate::store) async fn counts(&self) -> Result<Counts, Error> {
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

    pub(in crate::store) async fn close(&self) {
        self.pool.close().await;
    }
}
