//! `job`: work that a program outside fetches, and completes or fails within its lease.

use super::{Flow, trouble};
use crate::engine::human;
use crate::engine::outside::seconds;
use crate::engine::run::Run;
use crate::engine::state::Waiting;
use crate::engine::undo;
use crate::model::control::Job;
use crate::model::id::{StepId, TokenId};
use crate::model::value::Record;

/// Offers the work.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, job: &Job) -> Flow {
    let mut input = Record::new();
    for (name, formula) in &job.with {
        match run.evaluate(token, formula, None) {
            Ok(value) => input.insert(name.clone(), value),
            Err(failure) => return Flow::Stop(trouble(name.as_str(), &failure)),
        };
    }
    if job.with.is_empty() {
        input = run.data(token).into_owned();
    }
    let lease = u32::try_from(seconds(run, job.lease)).unwrap_or(u32::MAX);
    match human::wait(
        run,
        token,
        id,
        Waiting::Job { name: job.name.clone(), attempt: 1, at: undo::not_before(run), lease, input },
    ) {
        Ok(()) => Flow::Wait,
        Err(what) => Flow::Stop(what),
    }
}
