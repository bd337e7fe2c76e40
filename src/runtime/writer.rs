//! The writer: the one place where commands become durable.
//!
//! It runs on a thread of its own with a runtime of its own, so that deciding and the driver's commits overlap
//! even on two cores (as a task among others it would starve its own commit). Callers hold a bounded channel and
//! wait for their answer; there are no locks between them and the instances.
//!
//! ```text
//!  channel ─→ group (≤ 256) ─→ load what is cold ─→ decide in order ─→ batch N+1 ┐ on top of N
//!                                                      batch N ─→ one execute ────┤
//!                                        answers of N ←─ commit ←─────────────────┘
//! ```
//!
//! While batch N commits, what arrives is decided on top of it into N+1, which is sent when N is through; the
//! answers of N go out once N+1 is under way. The cache holds the newest decided state of each hot instance, the
//! uncommitted included, so an instance in flight is never loaded from the file.
//!
//! **What is promised.** Nothing is answered before it is true of the file: acceptance after its commit, a
//! refusal after the commit of its batch and of every batch below it.
//!
//! **Failure by failure.**
//! * *Another process wrote first.* Every accepted command appends to its instance's log, and the log's key
//!   (instance, revision) is unique; a number is taken under a guard of its sequence. So a batch decided on stale
//!   state fails whole. Batch N, what was decided on top of it and what the cache took from both are dropped, and
//!   their commands are replayed one by one from the file, each while nobody else can write: one bad command never
//!   fails its neighbours, and a busy other process never starves one.
//! * *A refusal from stale state* writes nothing that a guard could stop. SQLite says with each commit whether
//!   another connection wrote since the last look; then every refusal of that batch that was decided from the
//!   cache is decided again from the file. A batch of refusals alone asks for that mark first.
//! * *The same command again*, from the same batch, the cache or the file, is answered with what it did the first
//!   time. Each cached instance remembers its commands as 64-bit hashes; a hit is looked up, a collision is then
//!   decided as new. For a start that another process or an earlier life of this one has done, the unique index
//!   fails the batch, and the replay finds it.
//! * *The database is busy, full or read-only.* Nothing was written; the commands of N are answered so, those on
//!   top of it are decided again.
//! * *The disk fails* (an I/O error at a commit). What is on it is not known, and asking again may lie: the writer
//!   answers everything with that error from then on, and the process must end.
//! * *A decision panics.* It is answered as broken; the others go on.
//! * *A commit's future* is never dropped: the driver would leave the transaction open.
//! * *Too much to do.* The channel is bounded; who finds it full for five seconds is told that we are busy.

use super::{Accepted, Denied, DeployOutcome, Deployment, Shared};
use crate::engine::command::Command;
use crate::engine::event::Entry;
use crate::engine::refusal::Refusal;
use crate::engine::state::State;
use crate::engine::{Decision, Facts, apply, decide};
use crate::model::definition::Definition;
use crate::model::id::{CommandId, InstanceId, MailId, ProcessId, Version};
use crate::model::text::Wording;
use crate::store::query::{Deployed, OutboxRow};
use crate::store::record::{self, Head};
use crate::store::{
    Batch, Committed, Error, Kind, Loaded, Loader, Settlement, Store, StoredDefinition, StoredDeployment, Wanted,
    Writer,
};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// The most commands of one commit. More no longer helps the rate and lengthens the wait.
const GROUP: usize = 256;

/// The most instances that are kept hot.
const HOT: usize = 4_096;

/// The most starts that are remembered to know a repeat without asking the file.
const STARTS: usize = 16_384;

/// A snapshot is written when the entries since the last one are this many bytes, and twice as many as it.
const SNAPSHOT: usize = 64 * 1024;

/// How often a server that has nothing to do looks whether another process wrote.
const LOOK: Duration = Duration::from_millis(250);

/// How often a command is tried against others that are faster, where they cannot be kept from writing.
const TRIES: usize = 100;

/// What the writer can be asked.
pub(super) enum Request {
    /// A command.
    Command(Asked),
    /// Something else that needs the writing connection.
    Job(Job),
}

/// A command with who waits for it.
pub(super) struct Asked {
    /// What it is for.
    pub target: Target,
    /// The command.
    pub command: Command,
    /// Who waits.
    pub reply: oneshot::Sender<Result<Accepted, Denied>>,
}

/// What a command is for.
pub(super) enum Target {
    /// A new instance of a process.
    Start(ProcessId),
    /// An instance.
    Instance(InstanceId),
}

/// What needs the writing connection besides commands.
pub(super) enum Job {
    /// Take mails that are due.
    Lease(u32, Duration, oneshot::Sender<Result<Vec<OutboxRow>, Error>>),
    /// Write down how mails went.
    Settle(Vec<Settlement>, oneshot::Sender<Result<usize, Error>>),
    /// Put a mail back into the queue.
    Requeue(InstanceId, MailId, oneshot::Sender<Result<bool, Error>>),
    /// Make a deployment live.
    Deploy(Box<Deployment>, oneshot::Sender<Result<DeployOutcome, Error>>),
    /// Look whether another process wrote.
    Look(oneshot::Sender<Result<(), Error>>),
    /// Finish.
    Stop(oneshot::Sender<()>),
}

/// An instance in the cache: the newest decided state, committed or not.
struct Hot {
    state: Arc<State>,
    head: Head,
    /// Hashes of the ids of all its commands.
    commands: HashSet<u64>,
    /// The entry of its last command, if this process saw it.
    last: Option<Arc<Entry>>,
    /// Bytes of entries since the last snapshot, and of that snapshot.
    grown: usize,
    snapshot: usize,
    /// The look at the file that it is known to be right as of.
    look: u64,
    /// The last batch that changed it; 0 for none of this process.
    batch: u64,
    /// Used since the last round of eviction.
    used: bool,
}

/// Commands that were decided and wait for their commit.
#[derive(Default)]
struct Group {
    number: u64,
    batch: Batch,
    decided: Vec<Decided>,
    touched: Vec<InstanceId>,
    /// Another process wrote after refusals of this group were decided.
    suspect: bool,
}

struct Decided {
    asked: Asked,
    outcome: Outcome,
}

enum Outcome {
    Accepted {
        state: Arc<State>,
        entry: Arc<Entry>,
        repeated: bool,
    },
    /// `fresh`: the state was read from the file after the command came.
    Refused {
        refusal: Refusal,
        state: Option<Arc<State>>,
        fresh: bool,
    },
    Other(Denied),
}

impl Decided {
    fn answer(self) {
        let answer = match self.outcome {
            Outcome::Accepted { state, entry, repeated } => Ok(Accepted { instance: state.id, state, entry, repeated }),
            Outcome::Refused { refusal, state, .. } => Err(Denied::Refused(refusal, state)),
            Outcome::Other(denied) => Err(denied),
        };
        // Who no longer waits needs no answer.
        let _ = self.asked.reply.send(answer);
    }
}

/// Random bytes for seeds and salts, from a secret that no file holds.
struct Dice {
    secret: [u8; 32],
    thrown: u64,
}

impl Dice {
    fn throw(&mut self) -> ([u8; 16], [u8; 16]) {
        self.thrown += 1;
        let bytes = Sha256::new().chain_update(self.secret).chain_update(self.thrown.to_le_bytes()).finalize();
        let (mut first, mut second) = ([0; 16], [0; 16]);
        first.copy_from_slice(&bytes[..16]);
        second.copy_from_slice(&bytes[16..]);
        (first, second)
    }
}

/// Everything that the loop owns.
pub(super) struct Desk {
    shared: Arc<Shared>,
    store: Store,
    loader: Loader,
    hot: HashMap<InstanceId, Hot>,
    /// The order in which hot instances came, for eviction.
    order: VecDeque<InstanceId>,
    starts: HashMap<CommandId, InstanceId>,
    started: VecDeque<CommandId>,
    sequences: HashMap<String, u64>,
    dice: Dice,
    /// Counts the times that another process was found to have written.
    look: u64,
    /// The number of the last batch that was begun, and of the last that is through.
    begun: u64,
    through: u64,
    /// Answers that are true of the file and wait only for the next commit to be under way.
    due: Vec<Decided>,
    failed: Option<Error>,
}

impl Desk {
    pub(super) fn new(shared: Arc<Shared>, store: Store, loader: Loader, secret: [u8; 32]) -> Desk {
        Desk {
            shared,
            store,
            loader,
            hot: HashMap::new(),
            order: VecDeque::new(),
            starts: HashMap::new(),
            started: VecDeque::new(),
            sequences: HashMap::new(),
            dice: Dice { secret, thrown: 0 },
            look: 1,
            begun: 0,
            through: 0,
            due: Vec::new(),
            failed: None,
        }
    }

    /// Works until every handle is gone or somebody says stop.
    pub(super) async fn run(mut self, mut writer: Writer, mut requests: mpsc::Receiver<Request>) {
        let mut next = self.group();
        let (mut asked, mut jobs) = (Vec::new(), VecDeque::new());
        let mut stop = None;
        loop {
            if next.decided.is_empty() && jobs.is_empty() {
                self.answer();
                match self.wait(&mut requests).await {
                    Some(Some(request)) => sort(request, &mut asked, &mut jobs),
                    Some(None) => {
                        if let Err(error) = self.look(&mut writer, None).await {
                            tracing::warn!(%error, "cannot look at the database");
                        }
                        continue;
                    }
                    None => break,
                }
            }
            while next.decided.len() + asked.len() < GROUP
                && let Ok(request) = requests.try_recv()
            {
                sort(request, &mut asked, &mut jobs);
            }
            self.decide(&mut asked, &mut next, false).await;
            if !next.decided.is_empty() {
                let group = std::mem::replace(&mut next, self.group());
                self.commit(&mut writer, group, &mut next, &mut requests, &mut jobs).await;
            }
            while let Some(job) = jobs.pop_front() {
                if let Job::Stop(reply) = job {
                    stop = Some(reply);
                    requests.close();
                } else {
                    self.job(&mut writer, job).await;
                }
            }
        }
        self.answer();
        writer.close().await;
        if let Some(reply) = stop {
            let _ = reply.send(());
        }
    }

    /// The next request; `Some(None)` where a server should look at the file meanwhile.
    async fn wait(&self, requests: &mut mpsc::Receiver<Request>) -> Option<Option<Request>> {
        if !self.shared.server {
            return requests.recv().await.map(Some);
        }
        match tokio::time::timeout(LOOK, requests.recv()).await {
            Ok(request) => request.map(Some),
            Err(_) => Some(None),
        }
    }

    fn group(&mut self) -> Group {
        self.begun += 1;
        Group { number: self.begun, ..Group::default() }
    }

    fn answer(&mut self) {
        self.due.drain(..).for_each(Decided::answer);
    }

    /// Commits a group, and meanwhile decides what comes into `next`.
    async fn commit(
        &mut self,
        writer: &mut Writer,
        group: Group,
        next: &mut Group,
        requests: &mut mpsc::Receiver<Request>,
        jobs: &mut VecDeque<Job>,
    ) {
        if group.batch.is_empty() {
            return self.commit_nothing(writer, group, next).await;
        }
        if let Err(error) = crate::failpoint!("writer.before_commit") {
            let error = Error { detail: error.to_string(), ..Error::busy() };
            return self.lost(writer, group, next, error).await;
        }
        let begun = Instant::now();
        let committed = {
            let mut commit = pin!(writer.commit(&group.batch));
            // The first poll hands the statements to the driver's thread; from then on we work beside it.
            let mut committed = poll_fn(|context| {
                Poll::Ready(match commit.as_mut().poll(context) {
                    Poll::Ready(done) => Some(done),
                    Poll::Pending => None,
                })
            })
            .await;
            let _ = crate::failpoint!("writer.during_commit");
            self.answer();
            let (mut asked, mut open) = (Vec::new(), true);
            while committed.is_none() {
                tokio::select! {
                    biased;
                    done = &mut commit => committed = Some(done),
                    request = requests.recv(), if open && next.decided.len() < GROUP => match request {
                        None => open = false,
                        Some(request) => {
                            sort(request, &mut asked, jobs);
                            while next.decided.len() + asked.len() < GROUP && let Ok(request) = requests.try_recv() {
                                sort(request, &mut asked, jobs);
                            }
                            self.decide(&mut asked, next, false).await;
                        }
                    },
                }
            }
            committed
        };
        match committed.unwrap_or_else(|| Err(Error::closed())) {
            Ok(done) => {
                tracing::trace!(commands = group.decided.len(), took = begun.elapsed().as_micros(), "committed");
                let _ = crate::failpoint!("writer.after_commit");
                self.committed(group, next, done).await;
            }
            Err(error) => self.lost(writer, group, next, error).await,
        }
    }

    /// A group without any accepted command: its refusals are given if the file is as the cache has it.
    async fn commit_nothing(&mut self, writer: &mut Writer, group: Group, next: &mut Group) {
        match self.look(writer, Some(next)).await {
            Ok(foreign) => {
                let mut again = self.settle(group, foreign);
                self.decide(&mut again, next, false).await;
            }
            Err(error) => self.fail(group.decided, &error),
        }
    }

    async fn committed(&mut self, group: Group, next: &mut Group, done: Committed) {
        self.through = group.number;
        if done.foreign {
            self.noticed(Some(next)).await;
        }
        for id in &group.touched {
            let Some(hot) = self.hot.get_mut(id) else { continue };
            // The guard held, so the file has exactly this, or what is decided on top of it.
            hot.look = self.look;
            if hot.state.ended.is_some() && hot.batch <= self.through {
                self.hot.remove(id);
            }
        }
        self.evict();
        let mut again = self.settle(group, done.foreign);
        if !again.is_empty() {
            self.decide(&mut again, next, false).await;
        }
        self.shared.tick();
    }

    /// Queues the answers of a group that is through; answers the commands whose refusal may be stale.
    fn settle(&mut self, group: Group, foreign: bool) -> Vec<Asked> {
        let suspect = foreign || group.suspect;
        let mut again = Vec::new();
        for decided in group.decided {
            match decided.outcome {
                Outcome::Refused { fresh: false, .. } if suspect => again.push(decided.asked),
                _ => self.due.push(decided),
            }
        }
        again
    }

    fn fail(&mut self, decided: Vec<Decided>, error: &Error) {
        for one in decided {
            self.due.push(Decided { outcome: Outcome::Other(Denied::Unavailable(error.clone())), ..one });
        }
    }

    /// A group was not written: forget all that came of it, and try its commands again or say why not.
    async fn lost(&mut self, writer: &mut Writer, group: Group, next: &mut Group, error: Error) {
        tracing::warn!(%error, commands = group.decided.len(), "a batch was not written");
        let above = std::mem::replace(next, self.group());
        for id in group.touched.iter().chain(&above.touched) {
            self.hot.remove(id);
        }
        for decided in group.decided.iter().chain(&above.decided) {
            self.starts.remove(&decided.asked.command.id);
        }
        self.sequences.clear();
        self.through = above.number;
        match error.kind {
            Kind::Conflict | Kind::Broken => {
                // Somebody wrote, so nothing that the cache holds is certain.
                self.noticed(None).await;
                for decided in group.decided.into_iter().chain(above.decided) {
                    self.alone(writer, decided.asked).await;
                }
                // Numbers grow in the order of commits.
                *next = self.group();
            }
            kind => {
                self.fail(group.decided, &error);
                if kind == Kind::Fatal || kind == Kind::Closed {
                    self.fail(above.decided, &error);
                    tracing::error!(%error, "the disk failed: nothing more is written");
                    self.shared.failed.send_replace(Some(error.clone()));
                    self.failed = Some(error);
                } else {
                    let mut asked = above.decided.into_iter().map(|decided| decided.asked).collect();
                    self.decide(&mut asked, next, false).await;
                }
            }
        }
    }

    /// One command in a commit of its own, from the file, while nobody else can write.
    async fn alone(&mut self, writer: &mut Writer, asked: Asked) {
        let mut waiting = vec![asked];
        let mut last = Error::busy();
        for _ in 0..TRIES {
            let mut group = self.group();
            let begun = match writer.hold().await {
                Ok(()) => self.look(writer, None).await,
                Err(error) => Err(error),
            };
            let done = match begun {
                Ok(_) => {
                    self.decide(&mut waiting, &mut group, true).await;
                    if group.batch.is_empty() {
                        writer.release().await;
                        self.settle(group, false);
                        return;
                    }
                    writer.commit(&group.batch).await
                }
                Err(error) => Err(error),
            };
            match done {
                Ok(done) => {
                    let mut none = self.group();
                    return self.committed(group, &mut none, done).await;
                }
                Err(error) => {
                    writer.release().await;
                    for id in &group.touched {
                        self.hot.remove(id);
                    }
                    self.sequences.clear();
                    self.through = group.number;
                    for decided in group.decided {
                        self.starts.remove(&decided.asked.command.id);
                        waiting.push(decided.asked);
                    }
                    let again = error.kind == Kind::Conflict;
                    last = error;
                    if !again {
                        break;
                    }
                    self.noticed(None).await;
                }
            }
        }
        for asked in waiting {
            let _ = asked.reply.send(Err(Denied::Unavailable(last.clone())));
        }
    }

    /// Looks whether another process wrote.
    async fn look(&mut self, writer: &mut Writer, next: Option<&mut Group>) -> Result<bool, Error> {
        let foreign = writer.foreign().await?;
        if foreign {
            self.noticed(next).await;
            self.shared.tick();
        }
        Ok(foreign)
    }

    /// Another process wrote: what the cache holds must be looked at again, and what is live may have changed.
    async fn noticed(&mut self, next: Option<&mut Group>) {
        self.look += 1;
        if let Some(next) = next {
            next.suspect = true;
        }
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "cannot read what is live");
        }
    }

    /// Reads what is live, if that is another deployment than we know.
    pub(super) async fn refresh(&mut self) -> Result<(), Error> {
        if self.loader.deployed().await? == self.shared.live().number {
            return Ok(());
        }
        let Some(stored) = self.loader.deployment().await? else { return Ok(()) };
        self.definitions(&stored.versions).await?;
        let known = self.shared.versions();
        let live = Deployed {
            number: stored.number,
            at: stored.at,
            note: stored.note,
            definitions: stored.versions.iter().filter_map(|version| known.get(version).cloned()).collect(),
            directory: Arc::new(record::read_versioned(&stored.directory, "directory")?),
            calendar: Arc::new(record::read_versioned(&stored.calendar, "calendar")?),
        };
        self.shared.set_live(live);
        Ok(())
    }

    /// Makes definitions known that are not yet.
    async fn definitions(&mut self, versions: &[Version]) -> Result<(), Error> {
        let known = self.shared.versions();
        let missing: Vec<Version> = versions.iter().filter(|version| !known.contains_key(*version)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        for stored in self.loader.definitions(&missing).await? {
            let definition: Definition = record::read_versioned(&stored.json, "definition")?;
            self.shared.know(Arc::new(definition));
        }
        Ok(())
    }

    /// Decides commands in order, into a group. Empties `asked`.
    async fn decide(&mut self, asked: &mut Vec<Asked>, group: &mut Group, careful: bool) {
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

    /// Loads the instances that commands are for and that are cold or may be stale, in one read. Answers which
    /// those were.
    async fn warm(&mut self, asked: &[Asked]) -> Result<HashSet<InstanceId>, Error> {
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
    async fn absorb(&mut self, mut found: Loaded, known: u32) -> Result<Option<Version>, Error> {
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

    async fn decide_one(
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
        let decided = catch_unwind(AssertUnwindSafe(|| decide(&definition, before.as_deref(), command, &facts)));
        let Decision { entry, state } = match decided {
            Ok(Ok(decision)) => decision,
            Ok(Err(refusal)) => {
                let fresh = before.as_ref().is_none_or(|state| fresh.contains(&state.id));
                return Ok(Outcome::Refused { refusal, state: before, fresh });
            }
            Err(_) => {
                return Err(Error::broken(
                    "处理这条命令时程序出错，什么都没有改变。请把日志交给管理员。",
                    "The program failed on this command and changed nothing. Please show the log to an operator.",
                ));
            }
        };
        if let Some((number, name)) = sequence {
            group.batch.number(&name, number);
            self.sequences.insert(name, number + 1);
        }
        let (state, entry) = (Arc::new(state), Arc::new(entry));
        self.accept(group, before.as_deref(), state.clone(), entry.clone(), salt);
        Ok(Outcome::Accepted { state, entry, repeated: false })
    }

    /// Takes an accepted command into the batch and the cache.
    fn accept(
        &mut self,
        group: &mut Group,
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
        let (head, size) = group.batch.push(&entry, before, &state, &hot.head, salt);
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

    fn remember(&mut self, command: CommandId, id: InstanceId) {
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
    async fn started(&mut self, command: &Command, careful: bool) -> Result<Option<Outcome>, Error> {
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
    async fn repeated(&mut self, id: InstanceId, command: &Command) -> Result<Option<Outcome>, Error> {
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

    async fn next_number(&mut self, name: &str) -> Result<u64, Error> {
        if let Some(next) = self.sequences.get(name) {
            return Ok(*next);
        }
        let next = self.loader.sequence(name).await?;
        self.sequences.insert(name.to_owned(), next);
        Ok(next)
    }

    /// Keeps the cache within its bound: the longest there first, those used meanwhile once more spared.
    fn evict(&mut self) {
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

    /// Does what needs the writing connection besides commands.
    async fn job(&mut self, writer: &mut Writer, job: Job) {
        if let Some(error) = self.failed.clone() {
            return job.refuse(error);
        }
        let now = self.shared.clock.now();
        match job {
            Job::Lease(limit, lease, reply) => {
                let until = now + chrono::TimeDelta::from_std(lease).unwrap_or_default();
                let _ = reply.send(writer.lease(now, until, limit).await);
            }
            Job::Settle(settlements, reply) => {
                let _ = reply.send(writer.settle(now, &settlements).await);
            }
            Job::Requeue(instance, mail, reply) => {
                let done = writer.requeue(now, instance, mail).await;
                self.shared.tick();
                let _ = reply.send(done);
            }
            Job::Deploy(deployment, reply) => {
                let done = self.deploy(writer, *deployment).await;
                self.shared.tick();
                let _ = reply.send(done);
            }
            Job::Look(reply) => {
                let _ = reply.send(self.look(writer, None).await.map(|_| ()));
            }
            Job::Stop(_) => {}
        }
    }

    async fn deploy(&mut self, writer: &mut Writer, deployment: Deployment) -> Result<DeployOutcome, Error> {
        let mut definitions: Vec<StoredDefinition> = deployment
            .definitions
            .iter()
            .map(|definition| StoredDefinition {
                version: definition.version.clone(),
                process: definition.process.clone(),
                json: record::write_versioned(definition),
            })
            .collect();
        definitions.sort_by(|a, b| a.process.cmp(&b.process));
        let mut stored = StoredDeployment {
            number: 0,
            at: self.shared.clock.now(),
            note: deployment.note,
            versions: definitions.iter().map(|one| one.version.clone()).collect(),
            directory: record::write_versioned(&deployment.directory),
            calendar: record::write_versioned(&deployment.calendar),
        };
        let mut last = Error::busy();
        for _ in 0..TRIES {
            let current = self.loader.deployment().await?;
            stored.number = current.as_ref().map_or(1, |current| current.number + 1);
            let same = current.is_some_and(|current| {
                (&current.versions, &current.directory, &current.calendar)
                    == (&stored.versions, &stored.directory, &stored.calendar)
            });
            let done = if same { Ok(()) } else { writer.deploy(&stored, &definitions).await };
            match done {
                Ok(()) => {
                    self.refresh().await?;
                    return Ok(DeployOutcome { live: self.shared.live(), changed: !same });
                }
                Err(error) if error.kind == Kind::Conflict => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

impl Job {
    fn refuse(self, error: Error) {
        match self {
            Job::Lease(_, _, reply) => drop(reply.send(Err(error))),
            Job::Settle(_, reply) => drop(reply.send(Err(error))),
            Job::Requeue(_, _, reply) => drop(reply.send(Err(error))),
            Job::Deploy(_, reply) => drop(reply.send(Err(error))),
            Job::Look(reply) => drop(reply.send(Err(error))),
            Job::Stop(_) => {}
        }
    }
}

fn hot_set(hot: &mut HashMap<InstanceId, Hot>, id: InstanceId, state: Arc<State>, entry: Arc<Entry>) {
    if let Some(hot) = hot.get_mut(&id) {
        hot.state = state;
        hot.last = Some(entry);
    }
}

fn sort(request: Request, asked: &mut Vec<Asked>, jobs: &mut VecDeque<Job>) {
    match request {
        Request::Command(one) => asked.push(one),
        Request::Job(job) => jobs.push_back(job),
    }
}

fn hashed(command: &CommandId) -> u64 {
    let mut hasher = DefaultHasher::new();
    command.hash(&mut hasher);
    hasher.finish()
}

fn size(entry: &record::StoredEntry) -> usize {
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

pub(super) fn broken_log(revision: u32) -> Error {
    let what = Wording::new(
        format!("一件申请的记录读不通（第 {revision} 条）：数据库可能受损。请先备份文件，再检查。"),
        format!(
            "The log of a case does not fold (entry {revision}): the database may be damaged. Copy the file first, then check it."
        ),
    );
    Error::new(Kind::Broken, what, "the log does not fold")
}
