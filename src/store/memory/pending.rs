//! Dispatched commands, waits and messages in memory.

use super::Memory;
use super::writer::{Writer, conflict};
use crate::engine::state::Waiting;
use crate::model::id::{CommandId, InstanceId, ProcessId, TokenId, Version};
use crate::store::batch::Batch;
use crate::store::error::Error;
use crate::store::pending::{Awaited, Chore, Delivery, DispatchRow, KEPT, MessageRow, WaitRow};
use crate::store::query::InstanceRow;
use crate::store::record;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct Tables {
    dispatches: BTreeMap<CommandId, DispatchRow>,
    waits: BTreeMap<(InstanceId, TokenId), WaitRow>,
    messages: BTreeMap<Arc<str>, MessageRow>,
    through: BTreeMap<ProcessId, DateTime<Utc>>,
}

impl Tables {
    pub(super) fn guard(&self, batch: &Batch) -> Result<(), Error> {
        let read = |id| self.messages.get(id).is_some_and(|message: &MessageRow| message.reader.is_some());
        match batch.read.keys().any(read) {
            true => Err(conflict("message")),
            false => Ok(()),
        }
    }

    /// Writes the rows of a batch; `next` is the first free number of a row. Answers the last one that was taken.
    pub(super) fn write(&mut self, batch: &Batch, mut next: i64) -> i64 {
        for row in batch.dispatches.values() {
            // Through the stored form, as a database does.
            let ask = record::read_ask(&record::write_ask(&row.ask)).unwrap_or_else(|_| row.ask.clone());
            self.dispatches.insert(row.id.clone(), DispatchRow { row: next, ask, ..row.clone() });
            next += 1;
        }
        for id in &batch.dispatched {
            self.dispatches.remove(id);
        }
        for (key, row) in &batch.waits {
            let Some(row) = row else {
                self.waits.remove(key);
                continue;
            };
            let number = self.waits.get(key).map_or(next, |old| old.row);
            let waits = record::read_waits(&record::write_waits(&row.waits)).unwrap_or_else(|_| row.waits.clone());
            self.waits.insert(*key, WaitRow { row: number, waits, ..row.clone() });
            next += 1;
        }
        for (id, reader) in &batch.read {
            if let Some(message) = self.messages.get_mut(id) {
                message.reader = Some(*reader);
            }
        }
        next - 1
    }
}

/// The oldest of some rows.
fn oldest<T: Clone>(mut rows: Vec<&T>, row: impl Fn(&T) -> i64, limit: u32) -> Vec<T> {
    rows.sort_by_key(|one| row(one));
    rows.into_iter().take(limit as usize).cloned().collect()
}

/// Whether it is a job that a worker took.
fn leased(row: &WaitRow) -> bool {
    WaitRow::kind(&row.waits) == Some(Awaited::Job) && row.epoch > 0
}

impl Memory {
    pub(in crate::store) fn dispatches(&self, failed: bool, limit: u32) -> Result<Vec<DispatchRow>, Error> {
        let tables = self.tables();
        let rows = tables.pending.dispatches.values().filter(|row| row.reply.is_some() == failed);
        Ok(oldest(rows.collect(), |row| row.row, limit))
    }

    pub(in crate::store) fn deliverable(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Delivery>, Error> {
        let messages = self.unread(u32::MAX)?;
        let tables = self.tables();
        let mut waits: Vec<&WaitRow> = tables.pending.waits.values().collect();
        waits.sort_by_key(|row| row.row);
        let fits = |row: &WaitRow, message: &MessageRow| match &row.waits {
            Waiting::Message { name, key, fresh } => {
                let early = *fresh && message.at < row.next_at;
                *name == message.name && (key.is_none() || *key == message.key) && !early
            }
            _ => false,
        };
        let fresh = messages.iter().filter(|message| message.at > now - KEPT);
        let pairs = fresh.flat_map(|message| {
            let waits = waits.iter().filter(|row| fits(row, message));
            waits.map(|row| Delivery { message: message.clone(), instance: row.instance, token: row.token })
        });
        Ok(pairs.take(limit as usize).collect())
    }

    pub(in crate::store) fn unread(&self, limit: u32) -> Result<Vec<MessageRow>, Error> {
        let tables = self.tables();
        let rows = tables.pending.messages.values().filter(|row| row.reader.is_none());
        Ok(oldest(rows.collect(), |row| row.row, limit))
    }

    pub(in crate::store) fn has_message(&self, id: &str) -> Result<bool, Error> {
        Ok(self.tables().pending.messages.contains_key(id))
    }

    pub(in crate::store) fn versions_waiting(&self, message: &str) -> Result<Vec<Version>, Error> {
        let tables = self.tables();
        let waits = |row: &&WaitRow| matches!(&row.waits, Waiting::Message { name, .. } if **name == *message);
        let waiting = tables.pending.waits.values().filter(waits);
        let found = waiting.filter_map(|row| tables.instances.get(&row.instance).map(|(row, _)| row.version.clone()));
        Ok(found.collect::<BTreeSet<Version>>().into_iter().collect())
    }

    pub(in crate::store) fn waits(&self, before: Option<i64>, limit: u32) -> Result<Vec<WaitRow>, Error> {
        let tables = self.tables();
        let rows = tables.pending.waits.values().filter(|row| before.is_none_or(|before| row.row < before));
        Ok(oldest(rows.collect(), |row| -row.row, limit))
    }

    pub(in crate::store) fn wait(&self, instance: InstanceId, token: TokenId) -> Result<Option<WaitRow>, Error> {
        Ok(self.tables().pending.waits.get(&(instance, token)).cloned())
    }

    pub(in crate::store) fn http_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let tables = self.tables();
        let http = tables.pending.waits.values().filter(|row| WaitRow::kind(&row.waits) == Some(Awaited::Http));
        Ok(http.map(|row| row.next_at).min())
    }

    pub(in crate::store) fn lapse_at(&self) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(self.tables().pending.waits.values().filter(|row| leased(row)).map(|row| row.next_at).min())
    }

    pub(in crate::store) fn lapsed(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<WaitRow>, Error> {
        let tables = self.tables();
        let mut rows: Vec<&WaitRow> =
            tables.pending.waits.values().filter(|row| leased(row) && row.next_at <= now).collect();
        rows.sort_by_key(|row| row.next_at);
        Ok(rows.into_iter().take(limit as usize).cloned().collect())
    }

    pub(in crate::store) fn through(&self, process: &ProcessId) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(self.tables().pending.through.get(process).copied())
    }

    pub(in crate::store) fn is_unread(&self, id: &str) -> Result<bool, Error> {
        Ok(self.tables().pending.messages.get(id).is_some_and(|message| message.reader.is_none()))
    }

    pub(in crate::store) fn claimed(
        &self,
        process: &ProcessId,
        claim: &str,
    ) -> Result<Option<(InstanceId, String)>, Error> {
        let tables = self.tables();
        let has = |row: &&InstanceRow| row.process == *process && row.claim.as_deref() == Some(claim);
        let found = tables.instances.values().map(|(row, _)| row).find(has);
        Ok(found.map(|row| (row.id, row.reference())))
    }
}

impl Writer {
    pub(in crate::store) fn chore(&mut self, now: DateTime<Utc>, chore: &Chore) -> Result<bool, Error> {
        let memory = self.memory.clone();
        let mut tables = memory.tables();
        let row = tables.next_row();
        let pending = &mut tables.pending;
        Ok(match chore {
            Chore::Keep(message) => {
                pending.messages.retain(|_, old| old.reader.is_none() || old.at >= now - KEPT);
                let new = !pending.messages.contains_key(&message.id);
                if new {
                    pending.messages.insert(message.id.clone(), MessageRow { row, ..MessageRow::clone(message) });
                }
                new
            }
            Chore::Discard(id) => {
                let unread = pending.messages.get(id).is_some_and(|message| message.reader.is_none());
                unread && pending.messages.remove(id).is_some()
            }
            Chore::Dispatched(id, None) => pending.dispatches.remove(id).is_some(),
            Chore::Dispatched(id, Some(reply)) => {
                let row = pending.dispatches.get_mut(id);
                row.map(|row| row.reply = Some(reply.clone())).is_some()
            }
            Chore::Revived(id) => {
                let row = pending.dispatches.get_mut(id);
                row.and_then(|row| row.reply.take()).is_some()
            }
            Chore::Extend(lease, until) => {
                let row = pending.waits.get_mut(&(lease.instance, lease.token));
                let held = row.filter(|row| (row.since, row.epoch) == (lease.since, lease.epoch) && row.next_at > now);
                held.map(|row| row.next_at = *until).is_some()
            }
            Chore::Through(process, at) => {
                let through = pending.through.entry(process.clone()).or_insert(*at);
                *through = (*through).max(*at);
                true
            }
        })
    }

    pub(in crate::store) fn take(
        &mut self,
        now: DateTime<Utc>,
        what: Awaited,
        name: Option<&str>,
        worker: &str,
        limit: u32,
    ) -> Result<Vec<WaitRow>, Error> {
        let memory = self.memory.clone();
        let mut tables = memory.tables();
        let due = |row: &&mut WaitRow| {
            WaitRow::kind(&row.waits) == Some(what)
                && name.is_none_or(|name| row.found_by().0 == name)
                && row.next_at <= now
                // A job whose lease ran out has failed, and that is written down before anybody gets it again.
                && !leased(row)
        };
        let mut rows: Vec<&mut WaitRow> = tables.pending.waits.values_mut().filter(due).collect();
        rows.sort_by_key(|row| row.next_at);
        let take = |row: &mut WaitRow| {
            row.epoch += 1;
            row.worker = Some(worker.to_owned());
            row.next_at = now + row.lease();
            row.clone()
        };
        Ok(rows.into_iter().take(limit as usize).map(take).collect())
    }
}
