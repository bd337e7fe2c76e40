//! `choose`: the first case that holds, at once. Its end is noted where the cases come together again.

use super::{Flow, trouble};
use crate::engine::run::Run;
use crate::model::formula::Formula;
use crate::model::graph::On;
use crate::model::id::TokenId;
use crate::model::value::Value;

/// Takes the edge of the first case that holds.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, cases: &[Formula]) -> Flow {
    for (number, case) in (0u16..).zip(cases) {
        match run.evaluate(token, case, None) {
            Ok(Value::Boolean(true)) => return Flow::Leave(On::Case(number)),
            Ok(_) => {}
            Err(failure) => return Flow::Stop(trouble("choose", &failure)),
        }
    }
    Flow::Leave(On::Otherwise)
}
