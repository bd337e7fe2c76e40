//! Cases that start by themselves: each occurrence of a schedule once for each person.
//!
//! A row a process says up to which occurrence all cases were started. What a command started is known by its id,
//! which is made of the process, the occurrence and the person: a server that ends in the middle of an occurrence
//! starts what is missing of it, and nothing twice. What was missed while no server ran is started late. An
//! occurrence on a day off counts at the next opening.

use super::{Denied, Error, Runtime};
use crate::engine::command::{Actor, Ask, Command};
use crate::engine::{Facts, scheduled};
use crate::model::control::Schedule;
use crate::model::cron::fires_after;
use crate::model::definition::Definition;
use crate::model::time::Calendar;
use crate::model::value::Record;
use crate::store::pending::Chore;
use chrono::{DateTime, TimeDelta, Utc};

/// What was missed longer ago is no longer started.
const MISSED: TimeDelta = TimeDelta::days(31);

/// Starts what is due; answers how many cases began and when the next will.
pub(super) async fn start_due(runtime: &Runtime) -> Result<(usize, Option<DateTime<Utc>>), Error> {
    let (live, now) = (runtime.live(), runtime.now());
    let (mut began, mut next) = (0, None::<DateTime<Utc>>);
    for definition in &live.definitions {
        let Some(schedule) = &definition.schedule else { continue };
        let mut through = match runtime.store.through(&definition.process).await? {
            Some(through) => through.max(now - MISSED),
            None => {
                // A schedule that is new has missed nothing.
                runtime.chore(Chore::Through(definition.process.clone(), now)).await?;
                now
            }
        };
        while let Some(at) = fires_after(&schedule.cron, through, live.calendar.zone) {
            let begin = opens(&live.calendar, at);
            if begin > now {
                next = Some(next.map_or(begin, |next| next.min(begin)));
                break;
            }
            began += start(runtime, definition, schedule, at).await?;
            let _ = crate::failpoint!("schedule.started");
            runtime.chore(Chore::Through(definition.process.clone(), at)).await?;
            through = at;
        }
    }
    Ok((began, next))
}

/// When an occurrence counts: on a day off, at the next opening.
fn opens(calendar: &Calendar, at: DateTime<Utc>) -> DateTime<Utc> {
    if calendar.is_working_day(calendar.today(at)) { at } else { calendar.next_working(at).unwrap_or(at) }
}

/// Starts the cases of one occurrence.
async fn start(
    runtime: &Runtime,
    definition: &Definition,
    schedule: &Schedule,
    at: DateTime<Utc>,
) -> Result<usize, Error> {
    let live = runtime.live();
    let facts =
        Facts { now: runtime.now(), directory: &live.directory, calendar: &live.calendar, sequence: 0, seed: [0; 16] };
    let process = &definition.process;
    let people = match scheduled(schedule, &facts) {
        Ok(people) => people,
        Err(what) => {
            tracing::error!(%process, what = %what.en, "a schedule does not say for whom");
            return Ok(0);
        }
    };
    let mut began = 0;
    for person in people {
        let id = format!("schedule {process} {} {person}", at.timestamp()).into();
        let ask = Ask::Begin { id: None, applicant: person.clone(), data: Record::new(), caller: None };
        match runtime.start(process, Command { id, actor: Actor::System, ask }).await {
            Ok(accepted) => began += usize::from(!accepted.repeated),
            Err(Denied::Unavailable(error)) => return Err(error),
            Err(denied) => {
                tracing::warn!(%process, %person, why = denied.kind(), "a scheduled case could not start");
            }
        }
    }
    Ok(began)
}
