//! What is asked of the store in memory: each answer is what a query of a database would give.

use super::Memory;
use crate::model::file::Hash;
use crate::model::id::{AssignmentId, CommandId, InstanceId, MailId, ProcessId, Version};
use crate::store::error::Error;
use crate::store::file::{self, Files};
use crate::store::query::{
    AssignmentRow, AssignmentState, Counts, Delivery, Found, InstanceFilter, InstanceRow, OutboxFilter, OutboxRow,
    Standing, TaskFilter, TaskRow,
};
use crate::store::record::{Head, StoredEntry};
use crate::store::{Loaded, StoredDefinition, StoredDeployment, Wanted};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

impl Memory {
    pub(in crate::store) fn load(&self, wanted: &[Wanted]) -> Result<Vec<Loaded>, Error> {
        let tables = self.tables();
        let load = |one: &Wanted| {
            let (row, head) = tables.instances.get(&one.instance)?;
            let snapshot = tables.snapshots.get(&one.instance).filter(|_| one.known == 0);
            let from = snapshot.map_or(one.known, |(revision, _)| *revision);
            let log = tables.entries.get(&one.instance)?;
            Some(Loaded {
                instance: one.instance,
                revision: row.revision,
                head: *head,
                snapshot: snapshot.map(|(_, state)| state.clone()),
                entries: log.iter().filter(|entry| entry.revision > from).cloned().collect(),
                commands: if one.known == 0 {
                    log.iter().filter(|entry| entry.revision <= from).map(|entry| entry.command.clone()).collect()
                } else {
                    Vec::new()
                },
            })
        };
        Ok(wanted.iter().filter_map(load).collect())
    }

    pub(in crate::store) fn sequence(&self, name: &str) -> Result<u64, Error> {
        Ok(self.tables().sequences.get(name).copied().unwrap_or(1))
    }

    pub(in crate::store) fn done(
        &self,
        instance: Option<InstanceId>,
        command: &CommandId,
    ) -> Result<Option<(InstanceId, StoredEntry)>, Error> {
        let tables = self.tables();
        let Some(instance) = instance.or_else(|| tables.starts.get(command).copied()) else { return Ok(None) };
        let log = tables.entries.get(&instance);
        Ok(log
            .and_then(|log| log.iter().find(|entry| entry.command == *command))
            .map(|entry| (instance, entry.clone())))
    }

    pub(in crate::store) fn deployment(&self) -> Result<Option<StoredDeployment>, Error> {
        Ok(self.tables().deployments.last().cloned())
    }

    pub(in crate::store) fn deployed(&self) -> Result<u64, Error> {
        Ok(self.tables().deployments.last().map_or(0, |last| last.number))
    }

    pub(in crate::store) fn definitions(&self, versions: &[Version]) -> Result<Vec<StoredDefinition>, Error> {
        let tables = self.tables();
        Ok(versions.iter().filter_map(|version| tables.definitions.get(version).cloned()).collect())
    }

    pub(in crate::store) fn log(&self, instance: InstanceId) -> Result<Vec<StoredEntry>, Error> {
        Ok(self.tables().entries.get(&instance).cloned().unwrap_or_default())
    }

    pub(in crate::store) fn logs(
        &self,
        process: &ProcessId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Vec<StoredEntry>)>, Error> {
        let tables = self.tables();
        let rows = tables.instances.values().map(|(row, _)| row);
        let mut found: Vec<(i64, Vec<StoredEntry>)> = rows
            .filter(|row| row.process == *process && row.row > after)
            .map(|row| (row.row, tables.entries.get(&row.id).cloned().unwrap_or_default()))
            .collect();
        found.sort_by_key(|(row, _)| *row);
        found.truncate(limit as usize);
        Ok(found)
    }

    pub(in crate::store) fn head(&self, instance: InstanceId) -> Result<Option<Head>, Error> {
        Ok(self.tables().instances.get(&instance).map(|(_, head)| *head))
    }

    pub(in crate::store) fn definition(&self, version: &Version) -> Result<Option<StoredDefinition>, Error> {
        Ok(self.tables().definitions.get(version).cloned())
    }

    pub(in crate::store) fn assignment(&self, id: AssignmentId) -> Result<Option<AssignmentRow>, Error> {
        Ok(self.tables().assignments.get(&id).cloned())
    }

    pub(in crate::store) fn find(&self, text: &str) -> Result<Found, Error> {
        let tables = self.tables();
        let rows = || tables.instances.values().map(|(row, _)| row);
        let upper = text.to_uppercase();
        let numbered = |wanted: &str, exact: bool| -> Vec<InstanceRow> {
            rows()
                .filter(|row| {
                    row.number.as_ref().is_some_and(|number| {
                        if exact { number.as_str() == wanted } else { number.as_str().starts_with(wanted) }
                    })
                })
                .cloned()
                .collect()
        };
        let digits = text.replace('-', "").to_lowercase();
        if digits.is_empty() {
            return Ok(Found::None);
        }
        for found in [numbered(text, true), numbered(&upper, true), numbered(text, false), numbered(&upper, false)] {
            if !found.is_empty() {
                return Ok(crate::store::query::found(found));
            }
        }
        let by_id = rows().filter(|row| row.id.to_string().starts_with(&digits)).cloned().collect();
        Ok(crate::store::query::found(by_id))
    }

    pub(in crate::store) fn instances(&self, filter: &InstanceFilter) -> Result<Vec<InstanceRow>, Error> {
        let tables = self.tables();
        let fits = |row: &&InstanceRow| {
            filter.process.as_ref().is_none_or(|process| row.process == *process)
                && filter.applicant.as_ref().is_none_or(|person| row.applicant == *person)
                && filter.key.as_ref().is_none_or(|key| row.key.as_ref() == Some(key))
                && filter
                    .outcome
                    .as_ref()
                    .is_none_or(|outcome| row.ended.as_ref().is_some_and(|ended| ended.outcome == *outcome))
                && filter.before.is_none_or(|before| row.row < before)
                && filter.standing.is_none_or(|standing| match standing {
                    Standing::Open => row.ended.is_none(),
                    Standing::Ended => row.ended.is_some(),
                    Standing::Incident => row.incident,
                })
        };
        let mut rows: Vec<InstanceRow> = tables.instances.values().map(|(row, _)| row).filter(fits).cloned().collect();
        rows.sort_by_key(|row| -row.row);
        rows.truncate(filter.limit as usize);
        Ok(rows)
    }

    pub(in crate::store) fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, Error> {
        let tables = self.tables();
        let fits = |row: &&AssignmentRow| {
            row.state == AssignmentState::Open
                && filter.person.as_ref().is_none_or(|person| row.person == *person)
                && filter.before.is_none_or(|before| row.row < before)
        };
        let mut rows: Vec<&AssignmentRow> = tables.assignments.values().filter(fits).collect();
        rows.sort_by_key(|row| -row.row);
        rows.truncate(filter.limit as usize);
        let with = |row: &AssignmentRow| {
            let instance = tables.instances.get(&row.instance).map(|(row, _)| row.clone())?;
            Some(TaskRow { assignment: row.clone(), instance })
        };
        Ok(rows.into_iter().filter_map(with).collect())
    }

    pub(in crate::store) fn mails(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Error> {
        let tables = self.tables();
        let fits = |row: &&OutboxRow| {
            filter.state.is_none_or(|state| row.state == state)
                && filter.instance.is_none_or(|instance| row.instance == instance)
                && filter.to.as_ref().is_none_or(|to| row.to == *to)
                && filter.before.is_none_or(|before| row.row < before)
        };
        let mut rows: Vec<OutboxRow> = tables.outbox.values().filter(fits).cloned().collect();
        rows.sort_by_key(|row| -row.row);
        rows.truncate(filter.limit as usize);
        Ok(rows)
    }

    pub(in crate::store) fn mail(&self, instance: InstanceId, mail: MailId) -> Result<Option<OutboxRow>, Error> {
        Ok(self.tables().outbox.get(&(instance, mail)).cloned())
    }

    pub(in crate::store) fn mail_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(self.tables().outbox.values().filter(|row| row.settled_at.is_none()).map(|row| row.next_at).min())
    }

    pub(in crate::store) fn due(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<(InstanceId, u32)>, Error> {
        let tables = self.tables();
        let mut due: Vec<_> = tables
            .instances
            .values()
            .filter_map(|(row, _)| Some((row.wake_at.filter(|at| *at <= now)?, row.id, row.revision)))
            .collect();
        due.sort();
        due.truncate(limit as usize);
        Ok(due.into_iter().map(|(_, id, revision)| (id, revision)).collect())
    }

    pub(in crate::store) fn files(&self) -> Result<BTreeSet<Hash>, Error> {
        let tables = self.tables();
        let personal = tables.entries.values().flatten().filter_map(|entry| entry.personal.as_deref());
        Ok(personal.flat_map(file::named).collect())
    }

    /// Where the contents of files are.
    pub(in crate::store) fn contents(&self) -> Files {
        self.tables().files.clone()
    }

    pub(in crate::store) fn wake_at(&self) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(self.tables().instances.values().filter_map(|(row, _)| row.wake_at).min())
    }

    pub(in crate::store) fn counts(&self) -> Result<Counts, Error> {
        let tables = self.tables();
        let count =
            |fits: &dyn Fn(&InstanceRow) -> bool| tables.instances.values().filter(|(row, _)| fits(row)).count() as u64;
        let mails = |fits: &dyn Fn(&OutboxRow) -> bool| tables.outbox.values().filter(|row| fits(row)).count() as u64;
        Ok(Counts {
            open: count(&|row| row.ended.is_none()),
            ended: count(&|row| row.ended.is_some()),
            incidents: count(&|row| row.incident),
            tasks: tables.assignments.values().filter(|row| row.state == AssignmentState::Open).count() as u64,
            mails_waiting: mails(&|row| row.settled_at.is_none()),
            mails_failed: mails(&|row| row.state == Delivery::Failed),
        })
    }
}
