//! The stored form of what tokens wait for, and of the rows of an `each`.

use super::kind::{StepRecord, not};
use super::personal::*;
use crate::engine::state::{Part, Request, Row, Running, Waiting};
use crate::model::id::{FieldName, InstanceId, ProcessId, StepId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WaitRecord {
    Block {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        done: Vec<Arc<str>>,
        /// How many rows; they are personal.
        #[serde(default, skip_serializing_if = "none")]
        rows: u32,
        #[serde(default, skip_serializing_if = "none")]
        opened: u32,
        #[serde(default, skip_serializing_if = "none")]
        finished: u32,
    },
    Time,
    Message {
        name: Arc<str>,
        /// Whether it has a key, which is personal.
        #[serde(default, skip_serializing_if = "not")]
        keyed: bool,
        #[serde(default, skip_serializing_if = "not")]
        fresh: bool,
    },
    Lock(Arc<str>, u32),
    Call {
        child: InstanceId,
        process: ProcessId,
    },
    Http {
        attempt: u16,
        at: At,
        method: Arc<str>,
        url: Vec<PartRecord>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(Arc<str>, Vec<PartRecord>)>,
    },
    Job {
        name: Arc<str>,
        attempt: u16,
        at: At,
        lease: u32,
    },
}

fn none(number: &u32) -> bool {
    *number == 0
}

impl WaitRecord {
    pub(super) fn of<'a>(waits: &'a Waiting, personal: &mut Personal<'a>) -> WaitRecord {
        match waits {
            Waiting::Block(Running { done, rows, opened, finished }) => {
                for row in rows {
                    personal.record(row);
                }
                WaitRecord::Block {
                    done: done.clone(),
                    rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
                    opened: *opened,
                    finished: *finished,
                }
            }
            Waiting::Time => WaitRecord::Time,
            Waiting::Message { name, key, fresh } => {
                personal.maybe(key.as_ref());
                WaitRecord::Message { name: name.clone(), keyed: key.is_some(), fresh: *fresh }
            }
            Waiting::Lock { name, since } => WaitRecord::Lock(name.clone(), *since),
            Waiting::Call { child, process } => WaitRecord::Call { child: *child, process: process.clone() },
            Waiting::Http { attempt, at, request } => {
                let url = PartRecord::of(&request.url, personal);
                let headers = request.headers.iter();
                let headers = headers.map(|(name, value)| (name.clone(), PartRecord::of(value, personal))).collect();
                personal.value(request.body.as_ref());
                WaitRecord::Http { attempt: *attempt, at: At(*at), method: request.method.clone(), url, headers }
            }
            Waiting::Job { name, attempt, at, lease, input } => {
                personal.record(input);
                WaitRecord::Job { name: name.clone(), attempt: *attempt, at: At(*at), lease: *lease }
            }
        }
    }

    pub(super) fn into_domain(self, personal: &mut Stored) -> Waiting {
        match self {
            WaitRecord::Block { done, rows, opened, finished } => {
                Waiting::Block(Running { done, rows: (0..rows).map(|_| personal.record()).collect(), opened, finished })
            }
            WaitRecord::Time => Waiting::Time,
            // A key that was forgotten fits no message; one that never was fits all.
            WaitRecord::Message { name, keyed, fresh } => {
                let key = personal.text();
                Waiting::Message { name, key: keyed.then(|| key.unwrap_or_default()), fresh }
            }
            WaitRecord::Lock(name, since) => Waiting::Lock { name, since },
            WaitRecord::Call { child, process } => Waiting::Call { child, process },
            WaitRecord::Http { attempt, at, method, url, headers } => {
                let url = PartRecord::into_domain(url, personal);
                let headers = headers.into_iter();
                let headers = headers.map(|(name, value)| (name, PartRecord::into_domain(value, personal))).collect();
                let request = Request { method, url, headers, body: personal.value() };
                Waiting::Http { attempt, at: at.0, request: Arc::new(request) }
            }
            WaitRecord::Job { name, attempt, at, lease } => {
                Waiting::Job { name, attempt, at: at.0, lease, input: personal.record() }
            }
        }
    }
}

/// A part of an address or header; its text is personal, the name of a secret is not.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PartRecord {
    Text,
    Secret(Arc<str>),
}

impl PartRecord {
    fn of<'a>(parts: &'a [Part], personal: &mut Personal<'a>) -> Vec<PartRecord> {
        let part = |part: &'a Part| match part {
            Part::Text(text) => {
                personal.text(text);
                PartRecord::Text
            }
            Part::Secret(name) => PartRecord::Secret(name.clone()),
        };
        parts.iter().map(part).collect()
    }

    fn into_domain(parts: Vec<PartRecord>, personal: &mut Stored) -> Vec<Part> {
        let part = |part| match part {
            PartRecord::Text => Part::Text(personal.text().unwrap_or_default()),
            PartRecord::Secret(name) => Part::Secret(name),
        };
        parts.into_iter().map(part).collect()
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct RowRecord {
    #[serde(rename = "as")]
    alias: FieldName,
    number: u32,
    #[serde(default, skip_serializing_if = "not")]
    plain: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    steps: BTreeMap<StepId, StepRecord>,
}

impl RowRecord {
    pub(super) fn of<'a>(row: &'a Row, personal: &mut Personal<'a>) -> RowRecord {
        personal.record(&row.columns);
        RowRecord {
            alias: row.alias.clone(),
            number: row.number,
            plain: row.plain,
            steps: row.steps.iter().map(|(step, result)| (step.clone(), StepRecord::of(result))).collect(),
        }
    }

    pub(super) fn into_domain(self, personal: &mut Stored) -> Row {
        Row {
            alias: self.alias,
            number: self.number,
            plain: self.plain,
            columns: personal.record(),
            steps: self.steps.into_iter().map(|(step, result)| (step, result.into_domain())).collect(),
        }
    }
}
