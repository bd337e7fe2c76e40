//! What an operator is told of what waits outside: whether anybody reads a message, and which cases stand still as
//! one that they called has stopped.

use super::{Error, InstanceFilter, Runtime, Standing};
use crate::engine::state::Waiting;
use crate::model::definition::StepKind;
use crate::model::id::InstanceId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most waits and stopped cases that are looked through.
const MOST: u32 = 1_000;

impl Runtime {
    /// Whether a live process receives messages of a name, or a case waits for one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn is_heard(&self, name: &str) -> Result<bool, Error> {
        // A case of an older version may wait for what no live one does.
        Ok(self.received().contains(name) || self.awaited().await?.contains(name))
    }

    /// The names of messages that a live process receives or a case waits for.
    ///
    /// # Errors
    /// What the store says.
    pub async fn heard(&self) -> Result<BTreeSet<Arc<str>>, Error> {
        let mut names = self.received();
        names.extend(self.awaited().await?);
        Ok(names)
    }

    fn received(&self) -> BTreeSet<Arc<str>> {
        let live = self.definitions();
        let steps = live.iter().flat_map(|definition| definition.steps.values());
        let receives = steps.filter_map(|step| match &step.kind {
            StepKind::Receive(receive) => Some(receive.message.clone()),
            _ => None,
        });
        receives.collect()
    }

    async fn awaited(&self) -> Result<BTreeSet<Arc<str>>, Error> {
        let messages = self.waits(None, MOST).await?.into_iter().filter_map(|row| match row.waits {
            Waiting::Message { name, .. } => Some(name),
            _ => None,
        });
        Ok(messages.collect())
    }

    /// The cases that wait for one that has stopped, straight or through others: each with what people call the
    /// stopped one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn stopped_below(&self) -> Result<BTreeMap<InstanceId, String>, Error> {
        let filter = InstanceFilter { standing: Some(Standing::Incident), limit: MOST, ..InstanceFilter::default() };
        let mut below = BTreeMap::new();
        let mut found: Vec<(InstanceId, String)> =
            self.instances(&filter).await?.into_iter().map(|row| (row.id, row.reference())).collect();
        if found.is_empty() {
            return Ok(below);
        }
        let calls = self.waits(None, MOST).await?.into_iter().filter_map(|row| match row.waits {
            Waiting::Call { child, .. } => Some((child, row.instance)),
            _ => None,
        });
        let calls: BTreeMap<InstanceId, InstanceId> = calls.collect();
        while let Some((child, stopped)) = found.pop() {
            if let Some(caller) = calls.get(&child).filter(|caller| !below.contains_key(*caller)) {
                found.push((*caller, stopped.clone()));
                below.insert(*caller, stopped);
            }
        }
        Ok(below)
    }
}
