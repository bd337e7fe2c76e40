//! The writing side: a batch is guarded as a database's constraints would guard it, then written whole.
//!
//! Invariant: what is refused changes nothing.

use super::{Memory, Tables};
use crate::model::id::{CommandId, InstanceId, MailId};
use crate::model::text::Wording;
use crate::store::batch::{Batch, TASK_OVER};
use crate::store::error::{Error, Kind};
use crate::store::query::{AssignmentRow, AssignmentState, Delivery, InstanceRow, OutboxRow};
use crate::store::{Committed, Settled, Settlement, StoredDefinition, StoredDeployment};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The writing side of one process.
#[derive(Debug)]
pub struct Writer {
    pub(super) memory: Memory,
    /// The writes that this side knows of: its own, and others' up to the last look.
    pub(super) seen: u64,
}

pub(super) fn conflict(detail: &str) -> Error {
    Error::new(
        Kind::Conflict,
        Wording::new(
            "别人刚刚改了同一条记录。请再试一次。",
            "Someone else has just changed the same record. Please try again.",
        ),
        detail,
    )
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
