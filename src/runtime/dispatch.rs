//! What reaches beyond one instance: commands that instances have for each other, and messages from outside.
//!
//! A command changes one instance. What it has for another one stands in a row of the same transaction, and is
//! carried out here after the commit: with an id that follows from the event, so it is done once however often it
//! is tried, and the row goes in the transaction in which its target commits. A message is a row, and so is each
//! token that waits for one; whoever comes second finds the other after its own commit.
//!
//! ```text
//! Called ─→ row ─→ Begin ─┬─ the child begins, the row is gone
//!                         └─ it cannot ─→ CallFailed ─→ an incident of the caller, the row is gone
//! Ended of a child ─→ row ─→ ChildEnded        CallCancelled ─→ row ─→ Cancel
//! ```
//!
//! A server does so for as long as it lives; a shell after each command of its own that has something for others.

use super::together::together;
use super::writer::Target;
use super::{Denied, Error, Kind, Runtime};
use crate::engine::command::{Actor, Ask, Command};
use crate::engine::event::{Entry, Event};
use crate::engine::refusal::Refusal;
use crate::engine::state::{Caller, Waiting};
use crate::model::id::{InstanceId, TokenId};
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::store::pending::{Chore, Delivery, DispatchRow, MessageRow, WaitRow};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How many rows are carried out at once.
const AT_ONCE: u32 = 128;

/// The wait after a failure, so that a broken file is not asked without end.
const BREATH: Duration = Duration::from_secs(1);

impl Runtime {
    /// Carries out what instances have for each other, and delivers messages, until nothing is left to do; answers
    /// how much it was. A server does so by itself, and so does each command of a shell.
    ///
    /// # Errors
    /// What the store says.
    pub async fn dispatch(&self) -> Result<usize, Error> {
        drain(self).await
    }

    /// Takes a message from outside: once it is answered, it is stored, and whoever waits for it gets it, or will.
    /// `false` where its id is known already; nothing was changed then.
    ///
    /// # Errors
    /// What the store says; or what is wrong with it, where nobody who receives it could use it.
    pub async fn message(&self, id: &str, name: &str, key: Option<&str>, data: Value) -> Result<bool, Denied> {
        let unusable = self.unusable(name, &data).await.map_err(Denied::Unavailable)?;
        if let Some(faults) = unusable
            && !self.store.has_message(id).await.map_err(Denied::Unavailable)?
        {
            return Err(Denied::Refused(Refusal::BadMessage { name: name.into(), faults }, None));
        }
        self.keep(id, name, key, data).await.map_err(Denied::Unavailable)
    }

    async fn keep(&self, id: &str, name: &str, key: Option<&str>, data: Value) -> Result<bool, Error> {
        let key = match key {
            Some(written) => Some(self.message_key(name, written).await?),
            None => None,
        };
        let (id, name) = (Arc::from(id), Arc::from(name));
        let row = MessageRow { id, name, key, data, at: self.now(), reader: None, row: 0 };
        let new = self.chore(Chore::Keep(Box::new(row))).await?;
        let _ = crate::failpoint!("message.kept");
        if !self.shared.server {
            self.dispatch().await?;
        }
        Ok(new)
    }

    /// Drops a message that nobody has read.
    ///
    /// # Errors
    /// What the store says.
    pub async fn discard(&self, message: &str) -> Result<bool, Error> {
        self.chore(Chore::Discard(message.into())).await
    }

    pub(super) async fn chore(&self, chore: Chore) -> Result<bool, Error> {
        self.ask(|reply| super::Job::Chore(chore, reply)).await?
    }

    /// Messages that nobody has read, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn unread(&self, limit: u32) -> Result<Vec<MessageRow>, Error> {
        self.store.unread(limit).await
    }

    /// Commands of instances for each other that were given up, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn undelivered(&self, limit: u32) -> Result<Vec<DispatchRow>, Error> {
        self.store.dispatches(true, limit).await
    }

    /// Carries out once more what a case has for others and was given up; answers how much that was, and what was
    /// given up again.
    ///
    /// # Errors
    /// What the store says.
    pub async fn revive(&self, sender: InstanceId) -> Result<(usize, Vec<DispatchRow>), Error> {
        let given_up = self.given_up(sender).await?;
        for row in &given_up {
            self.chore(Chore::Revived(row.id.clone())).await?;
        }
        self.dispatch().await?;
        Ok((given_up.len(), self.given_up(sender).await?))
    }

    /// Drops what a case has for others and was given up; answers how much that was.
    ///
    /// # Errors
    /// What the store says.
    pub async fn let_go(&self, sender: InstanceId) -> Result<usize, Error> {
        let given_up = self.given_up(sender).await?;
        for row in &given_up {
            self.chore(Chore::Dispatched(row.id.clone(), None)).await?;
        }
        Ok(given_up.len())
    }

    async fn given_up(&self, sender: InstanceId) -> Result<Vec<DispatchRow>, Error> {
        let all = self.undelivered(u32::MAX).await?;
        Ok(all.into_iter().filter(|row| row.sender == sender).collect())
    }

    /// Tokens that wait for something besides people and time, newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn waits(&self, before: Option<i64>, limit: u32) -> Result<Vec<WaitRow>, Error> {
        self.store.waits(before, limit).await
    }

    /// What one token waits for besides people and time.
    ///
    /// # Errors
    /// What the store says.
    pub async fn wait(&self, instance: InstanceId, token: TokenId) -> Result<Option<WaitRow>, Error> {
        self.store.wait(instance, token).await
    }
}

/// Whether an entry has something for others, or waits for what may be there already.
pub(super) fn reaches_out(entry: &Entry) -> bool {
    entry.events.iter().any(|event| match event {
        Event::Called { .. } | Event::CallCancelled { .. } | Event::Ended { .. } => true,
        Event::WaitBegun { waits, .. } => matches!(**waits, Waiting::Message { .. }),
        _ => false,
    })
}

/// Carries out what there is, for as long as the runtime lives.
pub(super) async fn run(runtime: Runtime) {
    let mut posted = runtime.shared.posted.subscribe();
    loop {
        posted.mark_unchanged();
        match drain(&runtime).await {
            Ok(_) => {
                if posted.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "what instances have for each other cannot be carried out");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// Carries out what there is until nothing is left that can be; answers how much it was.
pub(super) async fn drain(runtime: &Runtime) -> Result<usize, Error> {
    let mut all = 0;
    loop {
        let rows = runtime.store.dispatches(false, AT_ONCE).await?;
        let deliveries = runtime.store.deliverable(runtime.now(), AT_ONCE).await?;
        // What is for one instance keeps its order.
        let mut busy = BTreeSet::new();
        let rows = rows.into_iter().filter(|row| busy.insert(row.target)).collect::<Vec<_>>();
        let mut sent = BTreeSet::new();
        let free = |one: &Delivery| busy.insert(one.instance) && sent.insert(one.message.id.clone());
        let deliveries = deliveries.into_iter().filter(free).collect::<Vec<_>>();
        let mut work = together(rows.into_iter().map(|row| carry_out(runtime, row))).await;
        work.extend(together(deliveries.into_iter().map(|one| deliver(runtime, one))).await);
        let (mut done, mut trouble) = (0, None);
        for one in work {
            match one {
                Ok(moved) => done += usize::from(moved),
                Err(error) => trouble = Some(error),
            }
        }
        all += done;
        match trouble {
            Some(error) => return Err(error),
            None if done == 0 => return Ok(all),
            None => {}
        }
    }
}

async fn carry_out(runtime: &Runtime, row: DispatchRow) -> Result<bool, Error> {
    let _ = crate::failpoint!("dispatch.carry_out");
    let target = match &row.process {
        Some(process) => Target::Start(process.clone()),
        None => Target::Instance(row.target),
    };
    let command = Command { id: row.id.clone(), actor: Actor::System, ask: row.ask.clone() };
    match runtime.once(target, command).await {
        Ok(accepted) if accepted.repeated => runtime.chore(Chore::Dispatched(row.id, None)).await,
        Ok(_) => {
            let _ = crate::failpoint!("dispatch.carried_out");
            Ok(true)
        }
        Err(Denied::Unavailable(error)) if error.kind == Kind::Broken => {
            // It will not go better the next time; an operator must look at it.
            runtime.chore(Chore::Dispatched(row.id, Some(error.what))).await
        }
        Err(Denied::Unavailable(error)) => Err(error),
        Err(denied) => refused(runtime, row, &denied).await,
    }
}

/// A command was refused for good: its sender learns of it where it waits, or an operator does.
async fn refused(runtime: &Runtime, row: DispatchRow, denied: &Denied) -> Result<bool, Error> {
    let Ask::Begin { caller: Some(Caller { instance, token, .. }), .. } = row.ask else {
        // The child is over already, or the caller no longer waits.
        return runtime.chore(Chore::Dispatched(row.id, None)).await;
    };
    if matches!(denied, Denied::Refused(Refusal::AlreadyStarted, _)) {
        return runtime.chore(Chore::Dispatched(row.id, None)).await;
    }
    let what = words(runtime, denied);
    let Some(token) = token else {
        return runtime.chore(Chore::Dispatched(row.id, Some(what))).await;
    };
    let taken = matches!(denied, Denied::Refused(Refusal::OpenAlready { .. }, _));
    let ask = Ask::CallFailed { token, child: row.target, what, taken };
    let command = Command { id: row.id.clone(), actor: Actor::System, ask };
    match runtime.once(Target::Instance(instance), command).await {
        Ok(_) => Ok(true),
        Err(Denied::Unavailable(error)) => Err(error),
        Err(_) => runtime.chore(Chore::Dispatched(row.id, None)).await,
    }
}

fn words(runtime: &Runtime, denied: &Denied) -> Wording {
    match denied {
        Denied::Refused(refusal, _) => refusal.wording(&runtime.directory(), runtime.calendar().zone),
        Denied::NoProcess { process, .. } => Wording::new(
            format!("没有发布名为 {process} 的流程。请先发布它，再重试这一步。"),
            format!("No process {process} is deployed. Deploy it, then retry this step."),
        ),
        Denied::Unavailable(error) => error.what.clone(),
    }
}

async fn deliver(runtime: &Runtime, one: Delivery) -> Result<bool, Error> {
    let _ = crate::failpoint!("message.deliver");
    let Delivery { message, instance, token } = one;
    let id = format!("message {}", message.id).into();
    let ask = Ask::Deliver { token, message: message.id, name: message.name, key: message.key, data: message.data };
    let command = Command { id, actor: Actor::System, ask };
    match runtime.once(Target::Instance(instance), command).await {
        Ok(accepted) => Ok(!accepted.repeated),
        Err(Denied::Unavailable(error)) => Err(error),
        // Somebody was faster, or the token waits no more: the next look finds who does.
        Err(_) => Ok(false),
    }
}
