//! What is asked of the file: past the writer, and so as it was at the last commit.
//!
//! Never changes anything, and decides nothing: a case is the fold of its log.

use super::{
    AssignmentRow, Counts, Error, Found, InstanceFilter, InstanceRow, OutboxFilter, OutboxRow, Runtime, TaskFilter,
    TaskRow, writer,
};
use crate::effects::words::Calling;
use crate::engine::apply;
use crate::engine::event::Entry;
use crate::engine::state::State;
use crate::model::definition::Definition;
use crate::model::id::{AssignmentId, InstanceId, MailId, Version};
use crate::model::key;
use crate::model::value::Type;
use crate::store::record::{self, BrokenChain, StoredEntry};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// One instance with all that is known of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it runs on.
    pub definition: Arc<Definition>,
    /// Where it stands.
    pub state: Arc<State>,
    /// Its log, first entry first.
    pub entries: Arc<Vec<Entry>>,
}

impl Runtime {
    /// A definition that some instance may be pinned to, live or not.
    ///
    /// # Errors
    /// What the store says.
    pub async fn version(&self, version: &Version) -> Result<Option<Arc<Definition>>, Error> {
        if let Some(known) = self.shared.versions().get(version) {
            return Ok(Some(known.clone()));
        }
        let Some(stored) = self.store.definition(version).await? else { return Ok(None) };
        let definition: Arc<Definition> = Arc::new(record::read_versioned(&stored.json, "definition")?);
        self.shared.know(definition.clone());
        Ok(Some(definition))
    }

    /// An instance with its whole log, or `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn case(&self, instance: InstanceId) -> Result<Option<Case>, Error> {
        let log = self.store.log(instance).await?;
        let Some((state, entries)) = fold(&log)? else { return Ok(None) };
        let definition = match self.version(&state.version).await? {
            Some(definition) => definition,
            None => self.shared.version_of(&state.version)?,
        };
        Ok(Some(Case { definition, state: Arc::new(state), entries: Arc::new(entries) }))
    }

    /// What called an instance, where one did.
    ///
    /// # Errors
    /// What the store says.
    pub async fn calling(&self, state: &State) -> Result<Option<Calling>, Error> {
        let Some(caller) = &state.caller else { return Ok(None) };
        Ok(self.case(caller.instance).await?.map(|case| Calling::of(&case.state)))
    }

    /// Checks the chain of an instance's log against its head; `None` where there is no such instance.
    ///
    /// # Errors
    /// What the store says; the inner result is what the chain says.
    pub async fn verify(&self, instance: InstanceId) -> Result<Option<Result<(), BrokenChain>>, Error> {
        let log = self.store.log(instance).await?;
        let Some(head) = self.store.head(instance).await? else { return Ok(None) };
        // The head was read later: only a longer log than the one checked is no fault.
        let grown = log.last().is_some_and(|last| last.hash != head.text())
            && self.store.log(instance).await?.len() > log.len();
        let head = (!grown).then_some(&head);
        Ok(Some(record::verify_chain(instance, &log, head).map(|_| ())))
    }

    /// The hash that the log of an instance ends with.
    ///
    /// # Errors
    /// What the store says.
    pub async fn head(&self, instance: InstanceId) -> Result<Option<String>, Error> {
        Ok(self.store.head(instance).await?.map(|head| head.text()))
    }

    /// An assignment, in one indexed read.
    ///
    /// # Errors
    /// What the store says.
    pub async fn assignment(&self, assignment: AssignmentId) -> Result<Option<AssignmentRow>, Error> {
        self.store.assignment(assignment).await
    }

    /// What a text from a person means: a business number, an id, or the beginning of either.
    ///
    /// # Errors
    /// What the store says.
    pub async fn find(&self, text: &str) -> Result<Found, Error> {
        self.store.find(text.trim()).await
    }

    /// Instances, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn instances(&self, filter: &InstanceFilter) -> Result<Vec<InstanceRow>, Error> {
        let Some(written) = &filter.key else { return self.store.instances(filter).await };
        let live = self.definitions();
        let of = live.iter().filter(|one| filter.process.as_ref().is_none_or(|process| one.process == *process));
        let keys = of.filter_map(|one| one.fields().find(|(name, _)| one.key.as_ref() == Some(*name)));
        let types: Vec<Type> = keys.map(|(_, field)| field.typed().of).collect();
        let key = Some(key::read(&types, written).to_string());
        self.store.instances(&InstanceFilter { key, ..filter.clone() }).await
    }

    /// Open assignments, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<TaskRow>, Error> {
        self.store.tasks(filter).await
    }

    /// Mails, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn mails(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRow>, Error> {
        self.store.mails(filter).await
    }

    /// One mail.
    ///
    /// # Errors
    /// What the store says.
    pub async fn mail(&self, instance: InstanceId, mail: MailId) -> Result<Option<OutboxRow>, Error> {
        self.store.mail(instance, mail).await
    }

    /// How much there is.
    ///
    /// # Errors
    /// What the store says.
    pub async fn counts(&self) -> Result<Counts, Error> {
        self.store.counts().await
    }

    /// When the next mail is due, leased ones at the end of their lease.
    ///
    /// # Errors
    /// What the store says.
    pub async fn mail_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.store.mail_due().await
    }
}

/// Where a case stands by its log, and what is in the log; `None` where there is nothing in it.
pub(super) fn fold(log: &[StoredEntry]) -> Result<Option<(State, Vec<Entry>)>, Error> {
    let (mut state, mut entries) = (None, Vec::with_capacity(log.len()));
    for stored in log {
        let entry = record::read_entry(stored)?;
        state = Some(apply(state, &entry).map_err(|_| writer::broken_log(stored.revision))?);
        entries.push(entry);
    }
    Ok(state.map(|state| (state, entries)))
}
