//! Due times become commands.
//!
//! The earliest timer of each instance stands in its row, and an index has the earliest of all: the loop sleeps
//! until then and never scans. Firing is a command like any other, [`Ask::Wake`], which fires all timers of an
//! instance that are due. Its id is derived from the revision at which it was found due, so two who find the same
//! instance due fire it once; whatever happened in between, the engine refuses to fire what is not due.
//!
//! The leases of jobs are swept with them: what runs out is a failed attempt (see `jobs`).
//!
//! A timer is late where the process was down, and never early: due times are rounded up where they are stored.

use super::{Clock, Denied, Error, Runtime, jobs};
use crate::engine::command::{Actor, Ask, Command};
use crate::engine::refusal::Refusal;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use tokio::task::JoinSet;

/// How many instances are woken at once.
const AT_ONCE: u32 = 128;

/// The longest sleep: the clock may be set, and sleeping does not notice.
const LONGEST: Duration = Duration::from_secs(30);

/// How often a clock that a test moves is looked at.
const TEST: Duration = Duration::from_millis(20);

/// The wait after a failure, so that a broken file is not asked without end.
const BREATH: Duration = Duration::from_secs(1);

/// Fires what becomes due, for as long as the runtime lives.
pub(super) async fn run(runtime: Runtime) {
    let mut changed = runtime.changed();
    let mut plan = Plan::default();
    loop {
        changed.mark_unchanged();
        let wait = match step(&runtime, &mut plan).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "timers cannot be fired");
                BREATH
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            alive = changed.changed() => if alive.is_err() { return },
        }
    }
}

/// When the next case starts by a schedule, as of a deployment.
#[derive(Default)]
struct Plan {
    deployment: Option<u64>,
    next: Option<DateTime<Utc>>,
}

/// Fires what is due and answers how long nothing will be.
async fn step(runtime: &Runtime, plan: &mut Plan) -> Result<Duration, Error> {
    let longest = if matches!(runtime.clock(), Clock::Fixed(_)) { TEST } else { LONGEST };
    let live = Some(runtime.live().number);
    if plan.deployment != live || plan.next.is_some_and(|next| next <= runtime.now()) {
        let (_, next) = super::schedule::start_due(runtime).await?;
        *plan = Plan { deployment: live, next };
    }
    let next = [runtime.store.wake_at().await?, runtime.store.lapse_at().await?, plan.next].into_iter().flatten().min();
    let Some(next) = next else { return Ok(longest) };
    let left = next - runtime.now();
    if left > TimeDelta::zero() {
        return Ok(left.to_std().unwrap_or(longest).min(longest));
    }
    let woke = wake_due(runtime).await? + jobs::lapse_due(runtime).await?;
    // What is due and cannot be fired will be tried again, but not at once.
    Ok(if woke == 0 { BREATH } else { Duration::ZERO })
}

/// Fires every timer that is due by the clock.
pub(super) async fn wake_due(runtime: &Runtime) -> Result<usize, Error> {
    let mut woke = 0;
    loop {
        let due = runtime.store.due(runtime.now(), AT_ONCE).await?;
        if due.is_empty() {
            return Ok(woke);
        }
        let mut waking = JoinSet::new();
        for (instance, revision) in due {
            let _ = crate::failpoint!("timers.wake");
            let runtime = runtime.clone();
            let id = format!("wake {revision}").into();
            let command = Command { id, actor: Actor::System, ask: Ask::Wake };
            waking.spawn(async move { runtime.submit(instance, command).await });
        }
        let mut round = 0;
        while let Some(done) = waking.join_next().await {
            match done {
                Ok(Ok(accepted)) if !accepted.repeated => round += 1,
                Ok(Ok(_) | Err(Denied::Refused(Refusal::NothingDue | Refusal::Ended { .. }, _))) => {}
                Ok(Err(Denied::Unavailable(error))) => return Err(error),
                Ok(Err(denied)) => tracing::warn!(?denied, "an instance could not be woken"),
                Err(error) => tracing::warn!(%error, "waking an instance failed"),
            }
        }
        if round == 0 {
            return Ok(woke);
        }
        woke += round;
    }
}
