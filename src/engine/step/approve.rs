//! `approve`: yes or no.
//!
//! ```text
//! enter ─→ asked ─┬─ approved ─→ next
//!                 ├─ rejected ─→ `on`, else the case ends as rejected
//!                 └─ returned ─→ `on` (walk again), else parked ─→ revised ─→ asked, round + 1
//! ```

use super::Flow;
use crate::engine::human;
use crate::engine::run::Run;
use crate::engine::state::TaskKind;
use crate::model::definition::Human;
use crate::model::id::{StepId, TokenId};

/// Asks the deciders.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, human: &Human) -> Flow {
    human::ask(run, token, id, human, TaskKind::Approve)
}
