//! What is known of what waits outside: whether anybody reads a message and could use it, and which cases stand still
//! as one that they called has stopped.

use super::{Error, InstanceFilter, Runtime, Standing};
use crate::engine;
use crate::engine::refusal::ResultFault;
use crate::engine::state::Waiting;
use crate::model::definition::StepKind;
use crate::model::id::{InstanceId, Version};
use crate::model::input::Reading;
use crate::model::value::Value;
use crate::store::pending::WaitRow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most waits and stopped cases that are looked through.
const MOST: u32 = 1_000;

/// How messages of a name are received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hearing {
    /// Some step receives them.
    pub heard: bool,
    /// Some of those steps take one that came before they waited.
    pub early: bool,
    /// Some of those steps take one without a key.
    pub keyless: bool,
}

impl Hearing {
    fn add(&mut self, fresh: bool, keyed: bool) {
        *self = Hearing { heard: true, early: self.early || !fresh, keyless: self.keyless || !keyed };
    }
}

impl Runtime {
    /// How messages of a name are received, by live processes and by cases that wait.
    ///
    /// # Errors
    /// What the store says.
    pub async fn hearing(&self, name: &str) -> Result<Hearing, Error> {
        let mut hearing = Hearing::default();
        for definition in self.definitions() {
            for step in definition.steps.values() {
                if let StepKind::Receive(receive) = &step.kind
                    && *receive.message == *name
                {
                    hearing.add(receive.fresh, receive.key.is_some());
                }
            }
        }
        for row in self.waits(None, MOST).await? {
            if let Waiting::Message { name: waited, key, fresh } = &row.waits
                && **waited == *name
            {
                hearing.add(*fresh, key.is_some());
            }
        }
        Ok(hearing)
    }

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

    /// What is wrong with a message for the live processes that receive its name, where none could take it. A case
    /// that waits for it in a version that is no longer live may.
    pub(super) async fn unusable(&self, name: &str, data: &Value) -> Result<Option<Vec<ResultFault>>, Error> {
        let live = self.live();
        let reading = Reading { directory: &live.directory, today: live.calendar.today(self.now()) };
        let definitions = live.definitions.iter().map(Arc::as_ref);
        let Some(faults) = engine::unusable(definitions, name, data, (&reading, live.calendar.zone)) else {
            return Ok(None);
        };
        let is_live = |version: &Version| live.definitions.iter().any(|live| live.version == *version);
        let waiting = self.store.versions_waiting(name).await?;
        Ok(waiting.iter().all(is_live).then_some(faults))
    }

    /// The key of a message as whoever waits for it has it. What began to wait before keys were compared by value has its
    /// own as it was written.
    pub(super) async fn message_key(&self, name: &str, written: &str) -> Result<Arc<str>, Error> {
        let live = self.live();
        let key = engine::message_key(live.definitions.iter().map(Arc::as_ref), name, written);
        if *key == *written {
            return Ok(key);
        }
        let as_written = |row: &WaitRow| matches!(&row.waits, Waiting::Message { name: waited, key: Some(key), .. } if **waited == *name && **key == *written);
        let kept = self.waits(None, MOST).await?.iter().any(as_written);
        Ok(if kept { written.into() } else { key })
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
