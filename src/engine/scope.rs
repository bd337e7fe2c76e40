//! What names mean where an instance's expressions are evaluated: the fields of the case, the rows of the blocks
//! around, and what steps came to.

use super::Facts;
use super::state::{Row, State, StepResult};
use crate::expression::{self, Context, Failure, InstanceFacts, StepFacts};
use crate::model::definition::Definition;
use crate::model::formula::Formula;
use crate::model::id::{FieldName, PersonId, ScopeId, StepId, TokenId};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::borrow::Cow;

/// A place in an instance, and whose task it is there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The instance.
    pub state: &'a State,
    /// The scope.
    pub scope: ScopeId,
    /// Whose task it is.
    pub assignee: Option<&'a PersonId>,
    /// The outcome of the task.
    pub outcome: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// A place where nobody is asked.
    pub(super) fn new(state: &'a State, scope: ScopeId) -> Place<'a> {
        Place { state, scope, assignee: None, outcome: None }
    }

    /// What an expression yields here, with `data` in place of the instance's own.
    pub(super) fn evaluate(
        &self,
        facts: &Facts<'_>,
        now: DateTime<Utc>,
        formula: &Formula,
        data: &Record,
    ) -> Result<Value, Failure> {
        let state = self.state;
        let number = state.number.as_ref().map(|number| number.as_str());
        let instance = InstanceFacts { number, started_at: state.started_at };
        expression::evaluate(
            formula,
            &Context {
                data,
                applicant: Some(&state.applicant),
                assignee: self.assignee,
                outcome: self.outcome,
                instance: Some(&instance),
                steps: self,
                directory: facts.directory,
                calendar: facts.calendar,
                now,
            },
        )
    }

    /// Whether a step was passed, in the rows around or in the case.
    pub(super) fn passed(&self, step: &StepId) -> bool {
        self.step(step).is_some()
    }

    /// What a step came to, in the rows around or in the case.
    pub(super) fn step(&self, step: &StepId) -> Option<&StepResult> {
        rows(self.state, self.scope).find_map(|row| row.steps.get(step)).or_else(|| self.state.steps.get(step))
    }
}

impl StepFacts for Place<'_> {
    fn outcome(&self, step: &StepId) -> Option<&str> {
        self.step(step).map(|result| result.outcome.as_str())
    }

    fn by(&self, step: &StepId) -> Option<PersonId> {
        self.step(step)?.by.last().cloned()
    }

    fn at(&self, step: &StepId) -> Option<DateTime<Utc>> {
        self.step(step).map(|result| result.at)
    }

    fn late(&self, step: &StepId) -> Option<bool> {
        self.step(step).map(|result| result.late)
    }
}

/// The rows around a scope, the innermost first.
pub(super) fn rows(state: &State, scope: ScopeId) -> impl Iterator<Item = &Row> {
    let mut at = state.scopes.get(&scope);
    std::iter::from_fn(move || {
        let here = at?;
        at = here.parent.and_then(|parent| state.scopes.get(&parent));
        Some(here.row.as_ref())
    })
    .flatten()
}

/// The scope of the row around a scope, if there is one.
pub(super) fn row_scope(state: &State, scope: ScopeId) -> Option<ScopeId> {
    let mut at = Some(scope);
    while let Some(number) = at {
        let here = state.scopes.get(&number)?;
        if here.row.is_some() {
            return Some(number);
        }
        at = here.parent;
    }
    None
}

/// The fields as they are seen in a scope: those of the case, and the rows around it under their names.
pub(super) fn data(state: &State, scope: ScopeId) -> Cow<'_, Record> {
    let mut around: Vec<&Row> = rows(state, scope).collect();
    if around.is_empty() {
        return Cow::Borrowed(&state.data);
    }
    around.reverse();
    let mut data = state.data.clone();
    for row in around {
        show(&mut data, row);
    }
    Cow::Owned(data)
}

/// Puts a row under its name as it is being filled in: what is asked of it stands beside. A row that is a plain value
/// stands beside already.
pub fn overlay<'n>(data: &mut Record, row: &Row, asked: impl Iterator<Item = &'n FieldName>) {
    if row.plain {
        return;
    }
    let mut columns = row.columns.clone();
    for name in asked.filter(|name| row.columns.contains_key(*name)) {
        columns.insert(name.clone(), data.get(name).cloned().unwrap_or_default());
    }
    data.insert(row.alias.clone(), Value::Record(columns));
}

fn show(data: &mut Record, row: &Row) {
    if row.plain {
        data.extend(row.columns.iter().map(|(name, value)| (name.clone(), value.clone())));
    } else {
        data.insert(row.alias.clone(), Value::Record(row.columns.clone()));
    }
}

/// Evaluates what belongs to no case.
pub(super) fn evaluate_alone(facts: &Facts<'_>, formula: &Formula) -> Result<Value, Failure> {
    evaluate_before(None, facts, formula, &Record::new())
}

/// What an expression yields before there is an instance: at a start.
pub(super) fn evaluate_start(
    applicant: &PersonId,
    facts: &Facts<'_>,
    formula: &Formula,
    data: &Record,
) -> Result<Value, Failure> {
    evaluate_before(Some(applicant), facts, formula, data)
}

fn evaluate_before(
    applicant: Option<&PersonId>,
    facts: &Facts<'_>,
    formula: &Formula,
    data: &Record,
) -> Result<Value, Failure> {
    expression::evaluate(
        formula,
        &Context { applicant, ..Context::new(data, facts.directory, facts.calendar, facts.now) },
    )
}

/// The rows that a token is in, the outermost first, each with the `each` that goes through them.
pub fn rows_around<'a>(
    definition: &'a Definition,
    state: &'a State,
    token: TokenId,
) -> Vec<(Option<&'a StepId>, &'a Row)> {
    let mut found = Vec::new();
    let mut at = state.tokens.get(&token).and_then(|token| state.scopes.get(&token.scope));
    while let Some(scope) = at {
        let each = definition.graph.block_at(scope.block).and_then(|block| block.of.as_ref());
        found.extend(scope.row.as_ref().map(|row| (each, row)));
        at = scope.parent.and_then(|parent| state.scopes.get(&parent));
    }
    found.reverse();
    found
}
