//! `parallel` and `race`: named branches at once.
//!
//! ```text
//! enter ─→ a scope and a token a branch ─→ each comes to the join ─→ next
//! ```
//!
//! In a race the first step that is done decides: its branch goes on alone, to its end.

use super::Flow;
use crate::engine::block;
use crate::engine::run::Run;
use crate::model::id::{StepId, TokenId};

/// Opens the branches.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId) -> Flow {
    match block::open_branches(run, token, id) {
        Ok(()) => Flow::Wait,
        Err(what) => Flow::Stop(what),
    }
}
