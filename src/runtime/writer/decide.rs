//! Deciding commands in order into a group: what was done before is answered again, what is new goes to the engine.

use super::hot::{Hot, hashed, hot_set};
use super::{Asked, Decided, Desk, Group, Outcome, Target};
use crate::engine::command::Ask;
use crate::engine::event::Entry;
use crate::engine::refusal::Refusal;
use crate::engine::state::State;
use crate::engine::{Decision, Facts, decide, decide_without_key};
use crate::model::definition::Definition;
use crate::model::id::InstanceId;
use crate::runtime::Denied;
use crate::store::query::Deployed;
use crate::store::record::{self, Head};
use crate::store::{Error, batch};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A snapshot is written when the entries since the last one are this many bytes, and twice as many as it.
const SNAPSHOT: usize = 64 * 1024;

/// Random bytes for seeds and salts, from a secret that no file holds.
pub(super) struct Dice {
    pub(super) secret: [u8; 32],
    pub(super) thrown: u64,
}

impl Dice {
    pub(super) fn throw(&mut self) -> ([u8; 16], [u8; 16]) {
        self.thrown += 1;
        let bytes = Sha256::new().chain_update(self.secret).chain_update(self.thrown.to_le_bytes()).finalize();
        let (mut first, mut second) = ([0; 16], [0; 16]);
        first.copy_from_slice(&bytes[..16]);
        second.copy_from_slice(&bytes[16..]);
        (first, second)
    }
}

impl Desk {
    /// Decides commands in order, into a group. Empties `asked`.
    pub(super) async fn decide(&mut self, asked: &mut Vec<Asked>, group: &mut Group, careful: bool) {
        if asked.is_empty() {
            return;
        }
        if let Some(error) = &self.failed {
            for one in asked.drain(..) {
                let _ = one.reply.send(Err(Denied::Unavailable(error.clone())));
            }
            return;
        }
        let fresh = match self.warm(asked).await {
            Ok(fresh) => fresh,
            Err(error) => {
                for one in asked.drain(..) {
                    let _ = one.reply.send(Err(Denied::Unavailable(error.clone())));
                }
                return;
            }
        };
        let live = self.shared.live();
        for one in asked.drain(..) {
            let outcome = match self.decide_one(&one, group, &live, &fresh, careful).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::Other(Denied::Unavailable(error)),
            };
            let _ = crate::failpoint!("writer.mid_batch");
            group.decided.push(Decided { asked: one, outcome });
        }
    }

    pub(super) async fn decide_one(
        &mut self,
        asked: &Asked,
        group: &mut Group,
        live: &Deployed,
        fresh: &HashSet<InstanceId>,
        careful: bool,
    ) -> Result<Outcome, Error> {
        let command = &asked.command;
        let (definition, before) = match &asked.target {
            Target::Start(process) => {
                if let Some(outcome) = self.started(command, careful).await? {
                    return Ok(outcome);
                }
                let found = live.definitions.iter().find(|definition| definition.process == *process);
                let Some(definition) = found else {
                    let known = live.definitions.iter().map(|definition| definition.process.clone()).collect();
                    return Ok(Outcome::Other(Denied::NoProcess { process: process.clone(), known }));
                };
                (definition.clone(), None)
            }
            Target::Instance(id) => {
                let Some(state) = self.hot.get(id).map(|hot| hot.state.clone()) else {
                    // Only ever so where the file does not have it.
                    return Ok(Outcome::Refused { refusal: Refusal::NoInstance, state: None, fresh: true });
                };
                if let Some(outcome) = self.repeated(*id, command).await? {
                    return Ok(outcome);
                }
                (self.shared.version_of(&state.version)?, Some(state))
            }
        };
        if let Ask::Deliver { message, .. } = &command.ask {
            // A message is read once, whoever waits for it.
            if group.batch.read.contains_key(message) || !self.loader.unread(message).await? {
                return Ok(Outcome::Refused { refusal: Refusal::NotWaiting, state: before, fresh: true });
            }
        }
        let sequence = match (&before, &definition.number) {
            (None, Some(pattern)) => {
                let name = pattern.sequence(live.calendar.today(self.shared.clock.now()));
                Some((self.next_number(&name).await?, name))
            }
            _ => None,
        };
        let (seed, salt) = self.dice.throw();
        let facts = Facts {
            now: self.shared.clock.now(),
            directory: &live.directory,
            calendar: &live.calendar,
            sequence: sequence.as_ref().map_or(0, |(number, _)| *number),
            seed,
        };
        let mut decision = match guarded(|| decide(&definition, before.as_deref(), command, &facts))? {
            Ok(decision) => decision,
            Err(refusal) => {
                let fresh = before.as_ref().is_none_or(|state| fresh.contains(&state.id));
                return Ok(Outcome::Refused { refusal, state: before, fresh });
            }
        };
        if let Some((refusal, fresh)) = self.claimed(&definition, before.as_ref(), &decision.state).await? {
            // Where nobody waits for the answer, a refusal would only come again and again.
            let stopped = before
                .as_ref()
                .map(|before| guarded(|| decide_without_key(&definition, before, &decision, &facts, &refusal)));
            match stopped.transpose()?.flatten() {
                Some(stopped) if self.claimed(&definition, before.as_ref(), &stopped.state).await?.is_none() => {
                    decision = stopped;
                }
                _ => return Ok(Outcome::Refused { refusal, state: before, fresh }),
            }
        }
        let Decision { entry, state } = decision;
        if let Some((number, name)) = sequence {
            group.batch.number(&name, number);
            self.sequences.insert(name, number + 1);
        }
        let (state, entry) = (Arc::new(state), Arc::new(entry));
        self.accept(group, &definition, before.as_deref(), state.clone(), entry.clone(), salt);
        Ok(Outcome::Accepted { state, entry, repeated: false })
    }

    /// The refusal of what would be a second open case of a key that one has to itself, and whether the file says so.
    async fn claimed(
        &mut self,
        definition: &Definition,
        before: Option<&Arc<State>>,
        state: &State,
    ) -> Result<Option<(Refusal, bool)>, Error> {
        let Some(claim) = batch::claim(definition, state) else { return Ok(None) };
        if before.is_some_and(|before| batch::claim(definition, before).as_ref() == Some(&claim)) {
            return Ok(None);
        }
        let holds = |other: &State| {
            other.id != state.id
                && other.process == state.process
                && batch::claim(definition, other).as_ref() == Some(&claim)
        };
        // What was decided and is not in the file yet comes first.
        let hot = self.hot.values().map(|hot| &hot.state).find(|other| holds(other));
        let (reference, fresh) = match hot {
            Some(other) => (other.reference(), false),
            None => match self.loader.claimed(&state.process, &claim).await? {
                Some((id, reference)) if id != state.id && !self.hot.contains_key(&id) => (reference, true),
                _ => return Ok(None),
            },
        };
        Ok(Some((Refusal::OpenAlready { reference: reference.into() }, fresh)))
    }

    /// Takes an accepted command into the batch and the cache.
    pub(super) fn accept(
        &mut self,
        group: &mut Group,
        definition: &Definition,
        before: Option<&State>,
        state: Arc<State>,
        entry: Arc<Entry>,
        salt: [u8; 16],
    ) {
        let id = state.id;
        let hot = self.hot.entry(id).or_insert_with(|| Hot {
            state: state.clone(),
            head: Head::default(),
            commands: HashSet::new(),
            last: None,
            grown: 0,
            snapshot: 0,
            look: self.look,
            batch: 0,
            used: true,
        });
        let (head, size) = group.batch.push(definition, &entry, before, &state, &hot.head, salt);
        hot.head = head;
        hot.grown += size;
        hot.batch = group.number;
        hot.used = true;
        hot.commands.insert(hashed(&entry.command.id));
        if hot.grown > SNAPSHOT.max(2 * hot.snapshot) {
            let text = record::write_state(&state);
            (hot.snapshot, hot.grown) = (text.len(), 0);
            group.batch.snapshots.insert(id, (state.revision, text));
        }
        if before.is_none() {
            self.order.push_back(id);
            self.remember(entry.command.id.clone(), id);
        }
        hot_set(&mut self.hot, id, state, entry);
        group.touched.push(id);
    }

    pub(super) async fn next_number(&mut self, name: &str) -> Result<u64, Error> {
        if let Some(next) = self.sequences.get(name) {
            return Ok(*next);
        }
        let next = self.loader.sequence(name).await?;
        self.sequences.insert(name.to_owned(), next);
        Ok(next)
    }
}

/// What the engine says; that it failed, where it did.
fn guarded<T>(decides: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(decides)).map_err(|_| {
        Error::broken(
            "处理这条命令时程序出错，什么都没有改变。请把日志交给管理员。",
            "The program failed on this command and changed nothing. Please show the log to an operator.",
        )
    })
}
