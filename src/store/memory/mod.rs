//! The honest fake: everything in memory, held to the same suite as the databases. For tests and scenarios.
//!
//! It keeps stored forms, not domain values, so that what passes here has gone through the same records. Every
//! clone of the handle is the same store, and each writer on it counts as a process of its own.

mod pending;

use crate::model::file::Hash;
use crate::model::id::{AssignmentId, CommandId, InstanceId, MailId, ProcessId, Version};
use crate::model::text::Wording;
use crate::store::batch::{Batch, TASK_OVER};
use crate::store::error::{Error, Kind};
use crate::store::file::{self, Files};
use crate::store::query::{
    AssignmentRow, AssignmentState, Counts, Delivery, Found, InstanceFilter, InstanceRow, OutboxFilter, OutboxRow,
    Standing, TaskFilter, TaskRow,
};
use crate::store::record::{Head, StoredEntry};
use crate::store::{Committed, Loaded, Settled, Settlement, StoredDefinition, StoredDeployment, Wanted};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store in memory; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Tables>>);

#[derive(Debug, Default)]
struct Tables {
    pending: pending::Tables,
    writes: u64,
    rows: i64,
    entries: BTreeMap<InstanceId, Vec<StoredEntry>>,
    starts: BTreeMap<CommandId, InstanceId>,
    instances: BTreeMap<InstanceId, (InstanceRow, Head)>,
    snapshots: BTreeMap<InstanceId, (u32, String)>,
    assignments: BTreeMap<AssignmentId, AssignmentRow>,
    outbox: BTreeMap<(InstanceId, MailId), OutboxRow>,
    sequences: BTreeMap<String, u64>,
    definitions: BTreeMap<Version, StoredDefinition>,
    deployments: Vec<StoredDeployment>,
    files: Files,
}

/// The writing side of one process.
#[derive(Debug)]
pub struct Writer {
    memory: Memory,
    /// The writes that this side knows of: its own, and others' up to the last look.
    seen: u64,
}

fn conflict(detail: &str) -> Error {
    Error::new(
        Kind::Conflict,
        Wording::new(
            "别人刚刚改了同一条记录。请再试一次。",
            "Someone else has just changed the same record. Please try again.",
        ),
        detail,
    )
}

impl Memory {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::store) fn installation(&self) -> String {
        "memory".to_owned()
    }

    pub(in crate::store) fn writer(&self) -> Writer {
        Writer { memory: self.clone(), seen: self.tables().writes }
    }

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

impl Tables {
    /// What a database's constraints would say.
    fn guard(&self, batch: &Batch) -> Result<(), Error> {
        let mut next: BTreeMap<InstanceId, u32> = BTreeMap::new();
        let mut commands: Vec<(Option<InstanceId>, &CommandId)> = Vec::new();
        for (instance, entry) in &batch.entries {
            let log = self.entries.get(instance).map_or(&[][..], Vec::as_slice);
            let at = next.entry(*instance).or_insert_with(|| log.last().map_or(0, |last| last.revision));
            if entry.revision != *at + 1 {
                return Err(conflict("entry_revision"));
            }
            *at += 1;
            let key = (Some(*instance), &entry.command);
            if log.iter().any(|old| old.command == entry.command) || commands.contains(&key) {
                return Err(conflict("entry_command"));
            }
            commands.push(key);
            if entry.revision == 1 {
                let key = (None, &entry.command);
                if self.starts.contains_key(&entry.command) || commands.contains(&key) {
                    return Err(conflict("entry_start"));
                }
                commands.push(key);
            }
        }
        let gone = |id: &InstanceId| batch.moved.get(id).is_some_and(|(row, _)| row.claim.is_none());
        for (id, (row, _)) in batch.begun.iter().chain(&batch.moved).filter(|(_, (row, _))| row.claim.is_some()) {
            let same =
                |other: &InstanceRow| other.id != *id && other.process == row.process && other.claim == row.claim;
            let held = self.instances.values().any(|(other, _)| same(other) && !gone(&other.id));
            if held || batch.begun.values().any(|(other, _)| same(other)) {
                return Err(conflict("instance_claim"));
            }
        }
        self.pending.guard(batch)?;
        for (name, (was, _)) in &batch.sequences {
            if self.sequences.get(name).copied().unwrap_or(1) != *was {
                return Err(conflict("sequence"));
            }
        }
        Ok(())
    }

    fn next_row(&mut self) -> i64 {
        self.rows += 1;
        self.rows
    }
}

impl Writer {
    fn look(&mut self, tables: &Tables) -> bool {
        let foreign = tables.writes != self.seen;
        self.seen = tables.writes;
        foreign
    }

    pub(in crate::store) fn foreign(&mut self) -> Result<bool, Error> {
        let memory = self.memory.clone();
        let tables = memory.tables();
        Ok(self.look(&tables))
    }

    pub(in crate::store) fn commit(&mut self, batch: &Batch) -> Result<Committed, Error> {
        let memory = self.memory.clone();
        let mut tables = memory.tables();
        let foreign = self.look(&tables);
        tables.guard(batch)?;
        for (instance, entry) in &batch.entries {
            if entry.revision == 1 {
                tables.starts.insert(entry.command.clone(), *instance);
            }
            tables.entries.entry(*instance).or_default().push(entry.clone());
        }
        for (id, (row, head)) in &batch.begun {
            let number = tables.next_row();
            tables.instances.insert(*id, (InstanceRow { row: number, ..row.clone() }, *head));
        }
        for (id, (row, head)) in &batch.moved {
            if let Some(old) = tables.instances.get_mut(id) {
                *old = (InstanceRow { row: old.0.row, ..row.clone() }, *head);
            }
        }
        for (id, row) in &batch.opened {
            let number = tables.next_row();
            tables.assignments.insert(*id, AssignmentRow { row: number, ..row.clone() });
        }
        for (id, state) in &batch.over {
            if let Some(row) = tables.assignments.get_mut(id).filter(|row| row.state == AssignmentState::Open) {
                row.state = *state;
            }
        }
        for (key, row) in &batch.mails {
            let number = tables.next_row();
            tables.outbox.insert(*key, OutboxRow { row: number, ..row.clone() });
        }
        for (name, (_, next)) in &batch.sequences {
            tables.sequences.insert(name.clone(), *next);
        }
        let next = tables.rows + 1;
        tables.rows = tables.pending.write(batch, next);
        for (id, snapshot) in &batch.snapshots {
            tables.snapshots.insert(*id, snapshot.clone());
        }
        tables.writes += 1;
        self.seen = tables.writes;
        Ok(Committed { foreign })
    }

    pub(in crate::store) fn lease(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, Error> {
        let memory = self.memory.clone();
        let mut tables = memory.tables();
        let waiting = |row: &OutboxRow| row.settled_at.is_none() && row.next_at <= now;
        let mut due: Vec<_> = tables.outbox.iter().filter(|(_, row)| waiting(row)).collect();
        due.sort_by_key(|(_, row)| (row.priority, row.next_at, row.row));
        let due: Vec<(InstanceId, MailId)> = due.into_iter().map(|(key, _)| *key).collect();
        let mut leased = Vec::new();
        for key in due {
            let Some(row) = tables.outbox.get(&key) else { continue };
            let over = row.kind.asks().is_some_and(|(_, id)| {
                tables.assignments.get(&id).is_none_or(|row| row.state != AssignmentState::Open)
            });
            let Some(row) = tables.outbox.get_mut(&key) else { continue };
            if over {
                row.state = Delivery::Skipped;
                row.reply = Some(TASK_OVER.to_owned());
                row.settled_at = Some(now);
            } else if leased.len() < limit as usize {
                row.attempt += 1;
                row.next_at = until;
                row.possibly_twice |= row.state == Delivery::Sending;
                leased.push(row.clone());
                if row.parts.is_some() {
                    row.state = Delivery::Sending;
                }
            }
        }
        Ok(leased)
    }

    pub(in crate::store) fn settle(&mut self, now: DateTime<Utc>, settlements: &[Settlement]) -> Result<usize, Error> {
        let memory = self.memory.clone();
        let mut tables = memory.tables();
        let mut found = 0;
        for one in settlements {
            let Some(row) = tables.outbox.get_mut(&(one.instance, one.mail)) else { continue };
            if row.attempt != one.attempt || row.settled_at.is_some() {
                continue;
            }
            found += 1;
            let mut done = |state, reply: &String| {
                row.state = state;
                row.reply = Some(reply.clone());
                row.settled_at = Some(now);
            };
            match &one.how {
                Settled::Accepted { reply } => done(Delivery::Accepted, reply),
                Settled::Failed { reply } => done(Delivery::Failed, reply),
                Settled::Skipped { reason } => done(Delivery::Skipped, reason),
                Settled::Prepared { address, message_id, parts } => {
                    row.state = Delivery::Prepared;
                    row.address = Some(address.clone());
                    row.message_id = Some(message_id.clone());
                    row.parts = Some(parts.clone());
                }
                Settled::Sending => row.state = Delivery::Sending,
                Settled::Retry { at, reply, possibly_twice } => {
                    row.state = Delivery::Retry;
                    row.next_at = *at;
                    row.reply = Some(reply.clone());
                    row.possibly_twice |= possibly_twice;
                }
                Settled::Again { at } => {
                    row.state = Delivery::Pending;
                    row.next_at = *at;
                    row.parts = None;
                    row.address = None;
                }
            }
        }
        Ok(found)
    }

    pub(in crate::store) fn requeue(
        &mut self,
        now: DateTime<Utc>,
        instance: InstanceId,
        mail: MailId,
    ) -> Result<bool, Error> {
        let memory = self.memory.clone();
        let mut tables = memory.tables();
        let Some(row) = tables.outbox.get_mut(&(instance, mail)).filter(|row| row.settled_at.is_some()) else {
            return Ok(false);
        };
        row.state = if row.parts.is_some() { Delivery::Retry } else { Delivery::Pending };
        row.next_at = now;
        row.settled_at = None;
        Ok(true)
    }

    pub(in crate::store) fn deploy(
        &mut self,
        deployment: &StoredDeployment,
        definitions: &[StoredDefinition],
    ) -> Result<(), Error> {
        let memory = self.memory.clone();
        let mut tables = memory.tables();
        if tables.deployments.last().map_or(0, |last| last.number) + 1 != deployment.number {
            return Err(conflict("deployment"));
        }
        for definition in definitions {
            tables.definitions.entry(definition.version.clone()).or_insert_with(|| definition.clone());
        }
        tables.deployments.push(deployment.clone());
        tables.writes += 1;
        self.seen += 1;
        Ok(())
    }
}
