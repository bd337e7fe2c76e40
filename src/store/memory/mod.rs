//! The honest fake: everything in memory, held to the same suite as the databases. For tests and scenarios.
//!
//! It keeps stored forms, not domain values, so that what passes here has gone through the same records. Every
//! clone of the handle is the same store, and each writer on it counts as a process of its own.

mod pending;
mod reader;
mod writer;

use crate::model::id::{AssignmentId, CommandId, InstanceId, MailId, Version};
use crate::store::file::Files;
use crate::store::query::{AssignmentRow, InstanceRow, OutboxRow};
use crate::store::record::{Head, StoredEntry};
use crate::store::{StoredDefinition, StoredDeployment};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use writer::Writer;

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
}

impl Tables {
    fn next_row(&mut self) -> i64 {
        self.rows += 1;
        self.rows
    }
}
