//! The room `expression`.
#![allow(missing_docs, reason = "replaced by the FEEL room")]
use crate::model::{
    formula::Formula,
    id::*,
    people::Directory,
    text::Wording,
    time::Calendar,
    value::{Record, Value},
};
use chrono::{DateTime, Utc};
pub struct Failure {
    pub message: Wording,
}
pub struct InstanceFacts<'a> {
    pub number: Option<&'a str>,
    pub started_at: DateTime<Utc>,
}
pub struct Context<'a> {
    pub data: &'a Record,
    pub applicant: Option<&'a PersonId>,
    pub assignee: Option<&'a PersonId>,
    pub outcome: Option<&'a str>,
    pub instance: Option<&'a InstanceFacts<'a>>,
    pub steps: &'a dyn StepFacts,
    pub directory: &'a Directory,
    pub calendar: &'a Calendar,
    pub now: DateTime<Utc>,
}
pub trait StepFacts {
    fn outcome(&self, step: &StepId) -> Option<&str>;
    fn by(&self, step: &StepId) -> Option<PersonId>;
    fn at(&self, step: &StepId) -> Option<DateTime<Utc>>;
    fn late(&self, step: &StepId) -> Option<bool>;
}
pub struct NoSteps;
impl StepFacts for NoSteps {
    fn outcome(&self, _: &StepId) -> Option<&str> {
        None
    }
    fn by(&self, _: &StepId) -> Option<PersonId> {
        None
    }
    fn at(&self, _: &StepId) -> Option<DateTime<Utc>> {
        None
    }
    fn late(&self, _: &StepId) -> Option<bool> {
        None
    }
}
pub fn evaluate(_: &Formula, _: &Context<'_>) -> Result<Value, Failure> {
    Ok(Value::Null)
}
