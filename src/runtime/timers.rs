//! Due times become commands.
//!
//! The earliest timer of each instance stands in its row, and an index has the earliest of all: the loop sleeps
//! until then and never scans. Firing is a command like any other, [`Ask::Wake`], which fires all timers of an
//! instance that are due. Its id is derived from the revision at which it was found due, so two who find the same
//! instance due fire it once; whatever happened in between, the engine refuses to fire what is not due.
//!
//! What is refused for another reason is told once and tried again after longer and longer waits: it will hardly go
//! better, and nothing else may wait for it.
//!
//! The leases of jobs are swept with them: what runs out is a failed attempt (see `jobs`).
//!
//! A timer is late where the process was down, and never early: due times are rounded up where they are stored.

use super::{Clock, Denied, Error, Runtime, jobs};
use crate::engine::command::{Actor, Ask, Command};
use crate::engine::refusal::Refusal;
use crate::model::id::InstanceId;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
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

/// The waits before an instance that refused to be woken is tried again: the first, doubled each time, and the longest.
const AGAIN: (TimeDelta, TimeDelta) = (TimeDelta::minutes(1), TimeDelta::hours(1));

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

/// When the next case starts by a schedule, as of a deployment; and what refused to be woken.
#[derive(Default)]
struct Plan {
    deployment: Option<u64>,
    next: Option<DateTime<Utc>>,
    refused: Refused,
}

/// Instances that refused to be woken at a revision, until when they are left alone, and for how long that is.
pub(super) type Refused = BTreeMap<(InstanceId, u32), (DateTime<Utc>, TimeDelta)>;

/// Fires what is due and answers how long nothing will be.
async fn step(runtime: &Runtime, plan: &mut Plan) -> Result<Duration, Error> {
    let longest = if matches!(runtime.clock(), Clock::Fixed(_)) { TEST } else { LONGEST };
    let live = Some(runtime.live().number);
    if plan.deployment != live || plan.next.is_some_and(|next| next <= runtime.now()) {
        let (_, next) = super::schedule::start_due(runtime).await?;
        (plan.deployment, plan.next) = (live, next);
    }
    let next = [runtime.store.wake_at().await?, runtime.store.lapse_at().await?, plan.next].into_iter().flatten().min();
    let Some(next) = next else { return Ok(longest) };
    let left = next - runtime.now();
    if left > TimeDelta::zero() {
        return Ok(left.to_std().unwrap_or(longest).min(longest));
    }
    let woke = wake_due(runtime, &mut plan.refused).await? + jobs::lapse_due(runtime).await?;
    // What is due and cannot be fired will be tried again, but not at once.
    Ok(if woke == 0 { BREATH } else { Duration::ZERO })
}

/// Fires every timer that is due by the clock.
pub(super) async fn wake_due(runtime: &Runtime, refused: &mut Refused) -> Result<usize, Error> {
    let mut woke = 0;
    loop {
        let now = runtime.now();
        let most = AT_ONCE.saturating_add(u32::try_from(refused.len()).unwrap_or(AT_ONCE));
        let mut due = runtime.store.due(now, most).await?;
        refused.retain(|one, _| due.contains(one));
        due.retain(|one| refused.get(one).is_none_or(|(until, _)| *until <= now));
        if due.is_empty() {
            return Ok(woke);
        }
        let mut waking = JoinSet::new();
        for (instance, revision) in due {
            let _ = crate::failpoint!("timers.wake");
            let runtime = runtime.clone();
            let id = format!("wake {revision}").into();
            let command = Command { id, actor: Actor::System, ask: Ask::Wake };
            waking.spawn(async move { ((instance, revision), runtime.submit(instance, command).await) });
        }
        let mut round = 0;
        while let Some(done) = waking.join_next().await {
            match done {
                Ok((_, Ok(accepted))) if !accepted.repeated => round += 1,
                Ok((_, Ok(_) | Err(Denied::Refused(Refusal::NothingDue | Refusal::Ended { .. }, _)))) => {}
                Ok((_, Err(Denied::Unavailable(error)))) => return Err(error),
                Ok((one, Err(denied))) => {
                    let wait = refused.get(&one).map_or(AGAIN.0, |(_, wait)| (*wait * 2).min(AGAIN.1));
                    if refused.insert(one, (now + wait, wait)).is_none() {
                        tracing::warn!(instance = %one.0, why = denied.kind(), "an instance could not be woken");
                    }
                }
                Err(error) => tracing::warn!(%error, "waking an instance failed"),
            }
        }
        if round == 0 {
            return Ok(woke);
        }
        woke += round;
    }
}
