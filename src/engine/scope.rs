//! What names mean where an instance's expressions are evaluated.

use super::Facts;
use super::state::State;
use crate::expression::{self, Context, Failure, InstanceFacts, StepFacts};
use crate::model::formula::Formula;
use crate::model::id::{PersonId, StepId};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};

/// What an expression of an instance yields, with `data` in place of the instance's own.
pub(super) fn evaluate(
    state: &State,
    facts: &Facts<'_>,
    now: DateTime<Utc>,
    formula: &Formula,
    data: &Record,
    assignee: Option<&PersonId>,
    outcome: Option<&str>,
) -> Result<Value, Failure> {
    let instance =
        InstanceFacts { number: state.number.as_ref().map(|number| number.as_str()), started_at: state.started_at };
    expression::evaluate(
        formula,
        &Context {
            data,
            applicant: Some(&state.applicant),
            assignee,
            outcome,
            instance: Some(&instance),
            steps: state,
            directory: facts.directory,
            calendar: facts.calendar,
            now,
        },
    )
}

/// What an expression yields before there is an instance: at a start.
pub(super) fn evaluate_start(
    applicant: &PersonId,
    facts: &Facts<'_>,
    formula: &Formula,
    data: &Record,
) -> Result<Value, Failure> {
    expression::evaluate(
        formula,
        &Context {
            data,
            applicant: Some(applicant),
            assignee: None,
            outcome: None,
            instance: None,
            steps: &expression::NoSteps,
            directory: facts.directory,
            calendar: facts.calendar,
            now: facts.now,
        },
    )
}

impl StepFacts for State {
    fn outcome(&self, step: &StepId) -> Option<&str> {
        self.steps.get(step).map(|result| result.outcome.as_str())
    }

    fn by(&self, step: &StepId) -> Option<PersonId> {
        self.steps.get(step)?.by.last().cloned()
    }

    fn at(&self, step: &StepId) -> Option<DateTime<Utc>> {
        self.steps.get(step).map(|result| result.at)
    }

    fn late(&self, step: &StepId) -> Option<bool> {
        self.steps.get(step).map(|result| result.late)
    }
}
