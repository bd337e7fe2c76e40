//! `wait`: until a time. One in the past is over at once.

use super::{Flow, trouble};
use crate::engine::human;
use crate::engine::run::Run;
use crate::engine::state::{Owner, TimerKind, Waiting};
use crate::model::definition::outcome;
use crate::model::formula::Formula;
use crate::model::graph::On;
use crate::model::id::{StepId, TokenId};
use crate::model::value::Value;

/// Sets the timer.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, until: &Formula) -> Flow {
    let at = match run.evaluate(token, until, None) {
        Ok(Value::Duration(after)) => run.facts.calendar.add(run.now, after),
        Ok(Value::Null) => Some(run.now),
        Ok(value) => human::moment(run, &value),
        Err(failure) => return Flow::Stop(trouble("wait", &failure)),
    };
    let Some(at) = at else { return Flow::Stop(human::no_such_time("wait")) };
    if at <= run.now {
        run.left(token, id, outcome::DONE.into(), Vec::new(), false);
        return Flow::Leave(On::Next);
    }
    if let Err(what) = human::wait(run, token, id, Waiting::Time) {
        return Flow::Stop(what);
    }
    run.set_timer(Owner::Token(token), TimerKind::Go, at);
    Flow::Wait
}
