//! What the writing side reads, on a connection of its own: what a batch is decided on, in one row.

use super::rows::{cell, definition_row, entry_row};
use super::{Loader, cells, failed, not_right, unreadable};
use crate::model::id::{CommandId, InstanceId, Version};
use crate::store::error::Error;
use crate::store::record::{self, Head, StoredEntry, instant};
use crate::store::{Loaded, StoredDefinition, StoredDeployment, Wanted};
use sqlx::Row;

/// An entry as the loader reads it: revision, time, command, structure, personal.
type LogCells = (u32, i64, CommandId, String, Option<String>);

/// An instance as the loader reads it: id, revision, head, snapshot, entries, commands before them.
type LoadCells = (InstanceId, u32, String, Option<String>, Vec<LogCells>, Vec<CommandId>);

impl Loader {
    pub(in crate::store) async fn load(&mut self, wanted: &[Wanted]) -> Result<Vec<Loaded>, Error> {
        let asked = cells::rows(wanted.iter().map(|one| (one.instance, one.known)));
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

    pub(in crate::store) async fn sequence(&mut self, name: &str) -> Result<u64, Error> {
        let query = sqlx::query("SELECT coalesce((SELECT next FROM sequence WHERE name = ?), 1)").bind(name.to_owned());
        let next: i64 = self.one(query).await?;
        Ok(u64::try_from(next).unwrap_or(1))
    }

    pub(in crate::store) async fn done(
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

    pub(in crate::store) async fn deployed(&mut self) -> Result<u64, Error> {
        let number: i64 = self.one(sqlx::query("SELECT coalesce(max(number), 0) FROM deployment")).await?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    pub(in crate::store) async fn deployment(&mut self) -> Result<Option<StoredDeployment>, Error> {
        let row = sqlx::query(
            "SELECT number, at, note, versions, directory, calendar, metrics FROM deployment ORDER BY number DESC LIMIT 1",
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
            metrics: cell(&row, 6)?,
        }))
    }

    pub(in crate::store) async fn definitions(&mut self, versions: &[Version]) -> Result<Vec<StoredDefinition>, Error> {
        let rows = sqlx::query(
            "SELECT d.version, d.process, d.json FROM json_each(?) AS v CROSS JOIN definition d ON d.version = v.value",
        )
        .bind(record::json(&versions))
        .fetch_all(&mut self.connection)
        .await
        .map_err(|error| failed(&self.place, error))?;
        rows.iter().map(definition_row).collect()
    }

    pub(super) async fn one<'q, T>(
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
