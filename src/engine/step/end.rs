//! `end`: ends the whole case with a named outcome, from anywhere.

use super::Flow;
use crate::engine::run::Run;
use crate::model::graph::On;
use crate::model::id::{Outcome, StepId, TokenId};

/// Notes the step; its edge leads to the end of the case.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, outcome: &Outcome) -> Flow {
    run.left(token, id, outcome.clone(), Vec::new(), false);
    Flow::Leave(On::Next)
}
