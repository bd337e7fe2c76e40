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

mod decide;
mod hot;
mod job;

use self::decide::Dice;
use self::hot::Hot;
use super::shared::Shared;
use super::{Accepted, Denied};
use crate::engine::command::Command;
use crate::engine::event::Entry;
use crate::engine::refusal::Refusal;
use crate::engine::state::State;
use crate::model::id::{CommandId, InstanceId, ProcessId};
use crate::store::{Batch, Committed, Error, Kind, Loader, Store, Writer};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

pub(super) use self::hot::broken_log;
pub(super) use self::job::Job;

/// The most commands of one commit. More no longer helps the rate and lengthens the wait.
const GROUP: usize = 256;

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
                if group.batch.reaches_out() {
                    self.shared.post();
                }
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
            match &decided.outcome {
                Outcome::Refused { fresh: false, .. } if suspect => {
                    again.push(decided.asked);
                    continue;
                }
                Outcome::Accepted { state, entry, repeated: false } => self.shared.witness(state, entry),
                _ => {}
            }
            self.due.push(decided);
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
                    if group.batch.reaches_out() {
                        self.shared.post();
                    }
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
        self.shared.post();
        if let Some(next) = next {
            next.suspect = true;
        }
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "cannot read what is live");
        }
    }
}

fn sort(request: Request, asked: &mut Vec<Asked>, jobs: &mut VecDeque<Job>) {
    match request {
        Request::Command(one) => asked.push(one),
        Request::Job(job) => jobs.push_back(job),
    }
}
