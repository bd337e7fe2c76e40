//! The cache of hot instances: the newest decided state of each, the uncommitted included. It is bounded, what
//! ended leaves it, and what another process may have changed is looked at again before it is used.

use super::{Asked, Desk, Outcome, Target};
use crate::engine::apply;
use crate::engine::command::Command;
use crate::engine::event::Entry;
use crate::engine::state::State;
use crate::model::id::{CommandId, InstanceId, Version};
use crate::model::text::Wording;
use crate::store::record::{self, Head};
use crate::store::{Error, Kind, Loaded, Wanted};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// The most instances that are kept hot.
const HOT: usize = 4_096;

/// The most starts that are remembered to know a repeat without asking the file.
const STARTS: usize = 16_384;

/// An instance in the cache: the newest decided state, committed or not.
pub(super) struct Hot {
    pub(super) state: Arc<State>,
    pub(super) head: Head,
    /// Hashes of the ids of all its commands.
    pub(super) commands: HashSet<u64>,
    /// The entry of its last command, if this process saw it.
    pub(super) last: Option<Arc<Entry>>,
    /// Bytes of entries since the last snapshot, and of that snapshot.
    pub(super) grown: usize,
    pub(super) snapshot: usize,
    /// The look at the file that it is known to be right as of.
    pub(super) look: u64,
    /// The last batch that changed it; 0 for none of this process.
    pub(super) batch: u64,
    /// Used since the last round of eviction.
    pub(super) used: bool,
}

impl Desk {
    /// Loads the instances that commands are for and that are cold or may be stale, in one read. Answers which
    /// those were.
    pub(super) async fn warm(&mut self, asked: &[Asked]) -> Result<HashSet<InstanceId>, Error> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut fresh = HashSet::new();
        for one in asked {
            let instance = match &one.target {
                Target::Instance(id) => *id,
                Target::Start(_) => match self.starts.get(&one.command.id) {
                    Some(id) => *id,
                    None => continue,
                },
            };
            let known = match self.hot.get_mut(&instance) {
                // In flight: the file does not have it yet, and the guard looks after it.
                Some(hot) if hot.look == self.look || hot.batch > self.through => {
                    hot.used = true;
                    continue;
                }
                Some(hot) => hot.state.revision,
                None => 0,
            };
            if fresh.insert(instance) {
                wanted.push(Wanted { instance, known });
            }
        }
        if wanted.is_empty() {
            return Ok(fresh);
        }
        let mut loaded: HashMap<InstanceId, Loaded> =
            self.loader.load(&wanted).await?.into_iter().map(|one| (one.instance, one)).collect();
        let mut versions = Vec::new();
        for one in wanted {
            match loaded.remove(&one.instance) {
                None => drop(self.hot.remove(&one.instance)),
                Some(found) => {
                    if let Some(version) = self.absorb(found, one.known).await? {
                        versions.push(version);
                    }
                }
            }
        }
        versions.sort();
        versions.dedup();
        self.definitions(&versions).await?;
        Ok(fresh)
    }

    /// Takes what was loaded into the cache; answers the version that the instance is pinned to.
    pub(super) async fn absorb(&mut self, mut found: Loaded, known: u32) -> Result<Option<Version>, Error> {
        if let Some(hot) = self.hot.get_mut(&found.instance)
            && known > 0
        {
            hot.look = self.look;
            hot.used = true;
            if found.entries.is_empty() {
                return Ok(None);
            }
            hot.commands.extend(found.entries.iter().map(|entry| hashed(&entry.command)));
            let (state, last) = fold(Some(State::clone(&hot.state)), &found.entries)?;
            hot.state = Arc::new(state);
            hot.last = last;
            hot.head = found.head;
            return Ok(None);
        }
        let snapshot = found.snapshot.as_ref().map_or(0, String::len);
        let state = found.snapshot.as_deref().and_then(record::read_state);
        let mut commands: HashSet<u64> = found.commands.iter().map(hashed).collect();
        if state.is_none() && snapshot > 0 {
            found.entries = self.store.log(found.instance).await?;
        }
        commands.extend(found.entries.iter().map(|entry| hashed(&entry.command)));
        let grown = found.entries.iter().map(size).sum();
        let (state, last) = fold(state, &found.entries)?;
        let version = state.version.clone();
        let hot = Hot {
            state: Arc::new(state),
            head: found.head,
            commands,
            last,
            grown,
            snapshot,
            look: self.look,
            batch: 0,
            used: true,
        };
        if self.hot.insert(found.instance, hot).is_none() {
            self.order.push_back(found.instance);
        }
        Ok(Some(version))
    }

    pub(super) fn remember(&mut self, command: CommandId, id: InstanceId) {
        if self.starts.insert(command.clone(), id).is_none() {
            self.started.push_back(command);
        }
        while self.started.len() > STARTS
            && let Some(oldest) = self.started.pop_front()
        {
            self.starts.remove(&oldest);
        }
    }

    /// The answer to a start that was done before.
    pub(super) async fn started(&mut self, command: &Command, careful: bool) -> Result<Option<Outcome>, Error> {
        if let Some(id) = self.starts.get(&command.id).copied() {
            return self.repeated(id, command).await;
        }
        if !careful {
            return Ok(None);
        }
        let Some((id, stored)) = self.loader.done(None, &command.id).await? else { return Ok(None) };
        let Some(found) = self.loader.load(&[Wanted { instance: id, known: 0 }]).await?.pop() else { return Ok(None) };
        self.hot.remove(&id);
        if let Some(version) = self.absorb(found, 0).await? {
            self.definitions(&[version]).await?;
        }
        let Some(hot) = self.hot.get(&id) else { return Ok(None) };
        let entry = Arc::new(record::read_entry(&stored)?);
        Ok(Some(Outcome::Accepted { state: hot.state.clone(), entry, repeated: true }))
    }

    /// The answer to a command that this instance has done before.
    pub(super) async fn repeated(&mut self, id: InstanceId, command: &Command) -> Result<Option<Outcome>, Error> {
        let Some(hot) = self.hot.get(&id) else { return Ok(None) };
        if !hot.commands.contains(&hashed(&command.id)) {
            return Ok(None);
        }
        let state = hot.state.clone();
        if let Some(entry) = hot.last.as_ref().filter(|entry| entry.command.id == command.id) {
            return Ok(Some(Outcome::Accepted { state, entry: entry.clone(), repeated: true }));
        }
        let Some((_, stored)) = self.loader.done(Some(id), &command.id).await? else { return Ok(None) };
        let entry = Arc::new(record::read_entry(&stored)?);
        Ok(Some(Outcome::Accepted { state, entry, repeated: true }))
    }

    /// Keeps the cache within its bound: the longest there first, those used meanwhile once more spared.
    pub(super) fn evict(&mut self) {
        let mut spared = 0;
        while self.hot.len() > HOT
            && spared < self.order.len()
            && let Some(id) = self.order.pop_front()
        {
            match self.hot.get_mut(&id) {
                None => {}
                Some(hot) if hot.used || hot.batch > self.through => {
                    hot.used = false;
                    spared += 1;
                    self.order.push_back(id);
                }
                Some(_) => drop(self.hot.remove(&id)),
            }
        }
        // Instances that ended have left the cache and not the queue.
        if self.order.len() > 2 * HOT {
            self.order.retain(|id| self.hot.contains_key(id));
        }
    }
}

pub(super) fn hot_set(hot: &mut HashMap<InstanceId, Hot>, id: InstanceId, state: Arc<State>, entry: Arc<Entry>) {
    if let Some(hot) = hot.get_mut(&id) {
        hot.state = state;
        hot.last = Some(entry);
    }
}

pub(super) fn hashed(command: &CommandId) -> u64 {
    let mut hasher = DefaultHasher::new();
    command.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn size(entry: &record::StoredEntry) -> usize {
    entry.structure.len() + entry.personal.as_ref().map_or(0, String::len)
}

/// Folds stored entries; answers the state and the last of them.
pub(super) fn fold(
    state: Option<State>,
    entries: &[record::StoredEntry],
) -> Result<(State, Option<Arc<Entry>>), Error> {
    let (mut state, mut last) = (state, None);
    for stored in entries {
        let entry = record::read_entry(stored)?;
        state = Some(apply(state, &entry).map_err(|_| broken_log(stored.revision))?);
        last = Some(entry);
    }
    Ok((state.ok_or_else(|| broken_log(0))?, last.map(Arc::new)))
}

pub(in crate::runtime) fn broken_log(revision: u32) -> Error {
    let what = Wording::new(
        format!("一件申请的记录读不通（第 {revision} 条）：数据库可能受损。请先备份文件，再检查。"),
        format!(
            "The log of a case does not fold (entry {revision}): the database may be damaged. Copy the file first, then check it."
        ),
    );
    Error::new(Kind::Broken, what, "the log does not fold")
}
