//! A compiled expression, as plain data.

use super::id::{FieldName, StepId};
use super::value::{Typed, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A typed expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Formula {
    /// As the author wrote it.
    pub text: String,
    /// What it does.
    pub root: Expr,
    /// What it yields.
    pub of: Typed,
    /// What it looks at.
    pub reads: BTreeSet<Read>,
}

/// What an expression looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Read {
    /// A field.
    Field(FieldName),
    /// The result of a step.
    Step(StepId),
    /// Who the case is of.
    Applicant,
    /// Who is asked.
    Assignee,
    /// The outcome being given.
    Outcome,
    /// The case itself.
    Instance,
    /// The time.
    Now,
    /// People.
    Directory,
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// A value.
    Literal(Value),
}
