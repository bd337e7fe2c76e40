//! Steps that hold other steps, and steps that wait for something other than people.
//!
//! The lists that a block holds are in the graph: `On::Branch` leads to each branch of a `parallel` or `race`,
//! `On::Row` to the body of an `each`, and `Node::Join` is where they come together. What is here is what the
//! engine has to know besides.

use super::form::Form;
use super::formula::Formula;
use super::id::{FieldName, Outcome, ProcessId};
use super::time::Duration;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// When the branches of a `parallel` come together. What is open then is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// When all are done.
    All,
    /// When the first is done; its name is the outcome.
    Any,
    /// When so many are done.
    Count(u16),
}

/// The steps of a block, once for every row of a list.
///
/// Inside, a row of records is read under its name (`account.owner`); a row of plain values is that value, and
/// the columns that the body asks stand beside it. Only the row is written inside; the list is written when the
/// block joins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Each {
    /// The rows, as they are at the entry.
    pub rows: Formula,
    /// What a row is called inside.
    pub alias: FieldName,
    /// The field that holds the rows after the block: the list itself, or the one that `into` names.
    pub list: FieldName,
    /// Whether the rows are plain values and no records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// One after the other, and not all at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_order: bool,
    /// Asked after each row, with the list as it is by then: where it holds, the other rows are cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Formula>,
    /// Every column that a row can hold after the body: those of the list and those that the body asks.
    #[serde(default)]
    pub columns: Form,
}

/// Another process, typed in and out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Which. Its newest version that is deployed starts.
    pub process: ProcessId,
    /// Its applicant; the caller's where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Formula>,
    /// Fields of its start form.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub with: IndexMap<FieldName, Formula>,
    /// Our fields, from formulas over the fields that it has in the end.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub take: IndexMap<FieldName, Formula>,
    /// Not awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detached: bool,
}

/// A message from outside, read once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receive {
    /// Its name.
    pub message: Arc<str>,
    /// What tells our message from those of other cases; any message of the name where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Formula>,
    /// Our fields, from what it says.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub take: IndexMap<FieldName, Path>,
    /// Only a message that comes while it waits; one that came before is not for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
}

/// The way to a value in what came from outside: `["order", "id"]`.
pub type Path = Vec<Arc<str>>;

/// A call of another system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Http {
    /// `GET`, `POST`, …
    pub method: Arc<str>,
    /// The address; what is computed in it is percent-encoded.
    pub url: Vec<Piece>,
    /// Headers; each value is put together of pieces.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<Arc<str>, Vec<Piece>>,
    /// The body, sent as a JSON object.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub body: IndexMap<Arc<str>, Formula>,
    /// Our fields, from the response.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub take: IndexMap<FieldName, Path>,
    /// How it is tried again.
    pub retry: Retry,
}

/// A part of an address or a header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// As written.
    Text(Arc<str>),
    /// Computed.
    Value(Formula),
    /// The secret of this name, known only to who sends it.
    Secret(Arc<str>),
}

/// How something that failed is tried again; then it is an incident, or the outcome `failed` where that leads
/// somewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// How often after the first time.
    pub times: u16,
    /// How long to wait before the first repetition; doubled each time.
    pub from: Duration,
    /// The longest to wait.
    pub to: Duration,
}

/// Work that a program outside takes over the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// What workers ask for.
    pub name: Arc<str>,
    /// What the worker gets; all fields of the case where it is empty.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub with: IndexMap<FieldName, Formula>,
    /// Our fields, from what the worker answers.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub take: IndexMap<FieldName, Path>,
    /// How long a worker may hold it before another may take it.
    pub lease: Duration,
    /// How it is tried again.
    pub retry: Retry,
}

/// What happens at a step that is still open at its due time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overdue {
    /// Who is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Formula>,
    /// How long after each notice comes the next; once where `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Formula>,
    /// What else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Then>,
}

/// What else happens at an overdue step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Others are asked instead of those who did not answer.
    Reassign(Vec<Formula>),
    /// Time decides.
    Decide(Outcome),
    /// The case goes along `On::Overdue`.
    Go,
}

/// How a step takes part in compensation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// Not at all.
    #[default]
    None,
    /// Once it is done, `On::Undo` leads to what takes it back.
    Steps,
    /// An `end` that compensates first.
    First,
}

/// Cases that start by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// When: five fields of cron, in the calendar's zone. On a day off, at the next opening.
    pub cron: String,
    /// For whom: a case a person.
    pub by: Vec<Formula>,
}
