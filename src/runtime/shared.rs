//! What the handle and the writer both see: what is live, the definitions that are known, and the bells that are rung
//! when something was written.
//!
//! Invariant: what is here is a copy of what is in the file or follows from it; nothing is lost with it.

use super::{Accepted, Clock, Deployed, Error};
use crate::engine::event::Entry;
use crate::engine::state::State;
use crate::model::definition::Definition;
use crate::model::id::Version;
use chrono::DateTime;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{mpsc, watch};

/// What the handle and the writer both see.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) server: bool,
    pub(super) changed: watch::Sender<u64>,
    pub(super) posted: watch::Sender<u64>,
    pub(super) failed: watch::Sender<Option<Error>>,
    /// Who is told of everything that is accepted, in the order of the logs.
    pub(super) witness: Option<mpsc::UnboundedSender<Accepted>>,
    live: RwLock<Arc<Deployed>>,
    versions: RwLock<Arc<BTreeMap<Version, Arc<Definition>>>>,
}

impl Shared {
    /// With nothing live and no definition known.
    pub(super) fn new(clock: Clock, server: bool, witness: Option<mpsc::UnboundedSender<Accepted>>) -> Shared {
        let nothing = Deployed {
            number: 0,
            at: DateTime::default(),
            note: String::new(),
            definitions: Vec::new(),
            directory: Arc::default(),
            calendar: Arc::default(),
            metrics: Arc::default(),
        };
        Shared {
            clock,
            server,
            changed: watch::channel(0).0,
            posted: watch::channel(0).0,
            failed: watch::channel(None).0,
            witness,
            live: RwLock::new(Arc::new(nothing)),
            versions: RwLock::default(),
        }
    }

    pub(super) fn live(&self) -> Arc<Deployed> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_live(&self, live: Deployed) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }

    pub(super) fn versions(&self) -> Arc<BTreeMap<Version, Arc<Definition>>> {
        self.versions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn know(&self, definition: Arc<Definition>) {
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut versions).insert(definition.version.clone(), definition);
    }

    pub(super) fn version_of(&self, version: &Version) -> Result<Arc<Definition>, Error> {
        self.versions().get(version).cloned().ok_or_else(|| {
            Error::broken(
                format!("数据库里没有流程版本 {version}，而有申请在用它：数据库可能受损。"),
                format!("The database lacks the definition {version} that a case runs on: it may be damaged."),
            )
        })
    }

    /// Something may have to reach another instance.
    pub(super) fn post(&self) {
        self.posted.send_modify(|count| *count += 1);
    }

    /// Tells who wants to hear of everything that is accepted.
    pub(super) fn witness(&self, state: &Arc<State>, entry: &Arc<Entry>) {
        if let Some(witness) = &self.witness {
            let (state, entry) = (state.clone(), entry.clone());
            // Who no longer listens need not hear it.
            let _ = witness.send(Accepted { instance: state.id, state, entry, repeated: false });
        }
    }

    pub(super) fn tick(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}
