//! `receive`: a message from outside, which tells by its key whose it is.
//!
//! ```text
//! enter ─→ waits ─┬─ Deliver ─→ its values are taken ─→ next
//!                 └─ due ─→ `overdue`
//! ```

use super::{Flow, trouble};
use crate::engine::human;
use crate::engine::run::Run;
use crate::engine::state::Waiting;
use crate::model::control::Receive;
use crate::model::id::{StepId, TokenId};
use crate::model::key;

/// Waits for it.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, receive: &Receive) -> Flow {
    let awaited = match receive.key.as_ref().map(|key| run.evaluate(token, key, None)) {
        Some(Ok(value)) => key::text(&value),
        Some(Err(failure)) => return Flow::Stop(trouble("key", &failure)),
        None => None,
    };
    match human::wait(
        run,
        token,
        id,
        Waiting::Message { name: receive.message.clone(), key: awaited, fresh: receive.fresh },
    ) {
        Ok(()) => Flow::Wait,
        Err(what) => Flow::Stop(what),
    }
}
