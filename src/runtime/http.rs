//! Calls of other systems: rows that wait become requests, and what came of them commands.
//!
//! A row is taken for as long as a call can last, so nobody else makes the call meanwhile; a server that ended in
//! the middle of it leaves the row, and the call is made again when its lease is over. So a call is made at least
//! once, always with the same `Idempotency-Key`, which follows from when the case came to the step.

use super::{Denied, Error, Runtime};
use crate::effects::http::{Answer, Client};
use crate::engine::command::{Actor, Ask, Command};
use crate::engine::event::{Entry, Event};
use crate::engine::state::Waiting;
use crate::model::id::{StepId, TokenId};
use crate::store::pending::{Awaited, WaitRow};
use chrono::TimeDelta;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How many calls are under way at once.
const AT_ONCE: u32 = 16;

/// The longest sleep: another process may have written.
const LONGEST: Duration = Duration::from_secs(5);

/// The wait after a failure of the store.
const BREATH: Duration = Duration::from_secs(1);

/// The loop that calls other systems.
#[derive(Debug)]
pub struct Calls {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Calls {
    /// Begins to call what is due.
    pub fn start(runtime: Runtime, client: Client) -> Calls {
        let (stop, stopped) = watch::channel(false);
        Calls { stop, task: tokio::spawn(run(runtime, client, stopped)) }
    }

    /// Ends after the calls that are under way.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
    }
}

async fn run(runtime: Runtime, client: Client, mut stopped: watch::Receiver<bool>) {
    let mut changed = runtime.changed();
    let mut calls = JoinSet::new();
    loop {
        changed.mark_unchanged();
        let wait = match turn(&runtime, &client, &mut calls).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "calls of other systems cannot be made");
                BREATH
            }
        };
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep(wait) => {}
            _ = calls.join_next(), if !calls.is_empty() => {}
            alive = changed.changed() => if alive.is_err() { break },
        }
    }
    while calls.join_next().await.is_some() {}
}

/// Takes what is due, as many as may be under way, and answers how long nothing will be.
async fn turn(runtime: &Runtime, client: &Client, calls: &mut JoinSet<()>) -> Result<Duration, Error> {
    while calls.try_join_next().is_some() {}
    let free = AT_ONCE.saturating_sub(u32::try_from(calls.len()).unwrap_or(AT_ONCE));
    let Some(due) = runtime.store.http_due().await? else { return Ok(LONGEST) };
    let left = due - runtime.now();
    if left > TimeDelta::zero() || free == 0 {
        return Ok(left.to_std().unwrap_or(LONGEST).clamp(Duration::from_millis(20), LONGEST));
    }
    for row in runtime.take(Awaited::Http, None, "server", free).await? {
        let (runtime, client) = (runtime.clone(), client.clone());
        calls.spawn(async move {
            if let Err(error) = one(&runtime, &client, &row).await {
                tracing::warn!(%error, instance = %row.instance, "what came of a call cannot be written down");
            }
        });
    }
    Ok(Duration::from_millis(1))
}

async fn one(runtime: &Runtime, client: &Client, row: &WaitRow) -> Result<(), Error> {
    let Waiting::Http { attempt, request, .. } = &row.waits else { return Ok(()) };
    let key = key(runtime, row).await?;
    let _ = crate::failpoint!("http.before_call");
    let answer = client.call(request, &key).await;
    let _ = crate::failpoint!("http.after_call");
    let (token, attempt) = (row.token, *attempt);
    let ask = match answer {
        Answer::Done(data) => Ask::Answer { token, attempt, data },
        Answer::Failed { what, permanent, after } => {
            tracing::info!(instance = %row.instance, step = %row.step, attempt, what = %what.en, "a call failed");
            let after = after.and_then(|after| Some(runtime.now() + TimeDelta::from_std(after).ok()?));
            Ask::Fail { token, attempt, what, permanent, after }
        }
    };
    let id = format!("http {token} {}", row.since).into();
    match runtime.submit(row.instance, Command { id, actor: Actor::System, ask }).await {
        Err(Denied::Unavailable(error)) => Err(error),
        // The step waits no more: it was cancelled meanwhile, or somebody else's call was answered first.
        _ => Ok(()),
    }
}

async fn key(runtime: &Runtime, row: &WaitRow) -> Result<String, Error> {
    let case = runtime.case(row.instance).await?;
    let begun = case.and_then(|case| begun(&case.entries, row.token, &row.step));
    Ok(format!("{}-{}-{}", row.instance, row.token, begun.unwrap_or(row.since)))
}

/// The revision in which a token came to the step where it is. An operator who tries a stopped step again does not
/// bring it there anew: the other side may have done what was asked before something else failed.
fn begun(log: &[Entry], token: TokenId, step: &StepId) -> Option<u32> {
    let mut found = None;
    // Read backwards: an entry of the step counts as the same as the one before where an incident lies between.
    let mut same = true;
    for entry in log.iter().rev() {
        for event in entry.events.iter().rev() {
            match event {
                Event::Entered { token: of, step: at } if *of == token => {
                    if !same || at != step {
                        return found;
                    }
                    found = Some(entry.revision);
                    same = false;
                }
                Event::IncidentRaised { token: of, step: at, .. } if *of == token => same = at == step,
                Event::Left { token: of, .. } if *of == token => return found,
                _ => {}
            }
        }
    }
    found
}
