//! `task`: work with a form and outcomes of its own.
//!
//! ```text
//! enter ─→ asked ─→ one of its outcomes ─→ `on`, else next
//! ```

use super::Flow;
use crate::engine::human;
use crate::engine::run::Run;
use crate::engine::state::TaskKind;
use crate::model::definition::Human;
use crate::model::id::{StepId, TokenId};

/// Asks who is to do it.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, human: &Human) -> Flow {
    human::ask(run, token, id, human, TaskKind::Work)
}
