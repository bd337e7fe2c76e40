//! What is still to come for an instance, as far as it can be known now.

use crate::model::id::{PersonId, StepId};
use crate::model::text::Text;

/// A step that lies ahead.
#[derive(Clone, Debug, PartialEq)]
pub struct Upcoming {
    /// Which step.
    pub step: StepId,
    /// What people call it.
    pub title: Option<Text>,
    /// Who would be asked, as things stand.
    pub people: Vec<PersonId>,
    /// Whether it comes for certain if everyone agrees, or depends on what is not known yet.
    pub certain: bool,
}
