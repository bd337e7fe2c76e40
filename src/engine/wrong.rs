//! What is wrong with a form that could not be read whole: told at once, before anything is handed in.
//!
//! Nothing is decided here. Who reads what somebody typed puts `model::input::unreadable` where it could not, and learns
//! what else would be refused.

use super::refusal::FieldFault;
use super::scope::{self, Place};
use super::state::State;
use super::{Facts, filling, handed};
use crate::model::definition::Definition;
use crate::model::formula::Formula;
use crate::model::id::{PersonId, ScopeId, TaskId};
use crate::model::input::Misread;
use crate::model::value::Record;

/// Whose form it is.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// That of a start, by this applicant.
    Start(&'a PersonId),
    /// That of an open task.
    Task {
        /// The case.
        state: &'a State,
        /// Which task.
        task: TaskId,
        /// Who fills it in.
        person: &'a PersonId,
        /// The answer that goes with it.
        outcome: &'a str,
    },
}

/// What could not be read, and everything else that is wrong with the form beside it.
pub fn all_wrong(
    definition: &Definition,
    whose: Whose<'_>,
    values: &Record,
    mut misread: Vec<Misread>,
    facts: &Facts<'_>,
) -> Vec<Misread> {
    let faults = faults(definition, whose, values, facts);
    let told: Vec<String> = misread.iter().map(|wrong| wrong.path.clone()).collect();
    let within =
        |path: &str, other: &str| path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    for fault in faults {
        let path = fault.path_text();
        if !told.iter().any(|told| within(told, &path) || within(&path, told)) {
            misread.push(Misread { path, title: fault.title, what: fault.what });
        }
    }
    misread
}

fn faults(definition: &Definition, whose: Whose<'_>, values: &Record, facts: &Facts<'_>) -> Vec<FieldFault> {
    let filled = match whose {
        Whose::Start(applicant) => {
            let evaluate = |formula: &Formula, data: &Record| scope::evaluate_start(applicant, facts, formula, data);
            filling::fill(&definition.form, values, &Record::new(), facts, &evaluate)
        }
        Whose::Task { state, task, person, outcome } => {
            let Some(task) = state.tasks.get(&task) else { return Vec::new() };
            let scope = state.tokens.get(&task.token).map_or(ScopeId(0), |token| token.scope);
            let place = Place { assignee: Some(person), outcome: Some(outcome), ..Place::new(state, scope) };
            let now = facts.now.max(state.at);
            handed::fill(definition, task, &place, values, facts, now)
        }
    };
    filled.err().unwrap_or_default()
}
