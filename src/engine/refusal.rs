//! “No, because”: why a command was refused. A refusal changes nothing.

use crate::model::id::{FieldName, Outcome, PersonId, PositionId, StepId};
use crate::model::text::{Text, Wording};
use chrono::{DateTime, Utc};

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// There is no such instance (yet).
    NoInstance,
    /// A start for an instance that is there.
    AlreadyStarted,
    /// The person is not in the directory.
    UnknownPerson(PersonId),
    /// Only holders of these positions start this process.
    MayNotStart {
        /// Who tried.
        person: PersonId,
        /// Who may.
        positions: Vec<PositionId>,
    },
    /// The form is not filled in right: every fault of it, by field.
    BadForm(Vec<FieldFault>),
    /// The case is over.
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// When.
        at: DateTime<Utc>,
    },
    /// The instance has no such task.
    NoTask,
    /// The task is over.
    TaskClosed(Box<TaskOver>),
    /// The person has answered this task before.
    AlreadyAnswered {
        /// What they answered.
        outcome: Outcome,
        /// When.
        at: DateTime<Utc>,
    },
    /// The task waits for a revision by the applicant.
    Parked,
    /// The person is not asked in this task.
    NotAssigned {
        /// Who tried.
        person: PersonId,
        /// Who is asked.
        asked: Vec<PersonId>,
    },
    /// Whose case it is decides no approval of it (separation of duties).
    OwnCase(PersonId),
    /// The task has no such answer.
    NoSuchOutcome {
        /// What was answered.
        outcome: Outcome,
        /// What can be.
        known: Vec<Outcome>,
    },
    /// This answer needs an opinion.
    OpinionRequired(Outcome),
    /// The data changed since it was shown.
    Changed,
    /// Only the applicant may.
    NotApplicant(PersonId),
    /// Only an operator may.
    NotOperator,
    /// Only those who have to do with the case may.
    NotInvolved(PersonId),
    /// The text is longer than we keep.
    TooLong {
        /// The most characters.
        limit: usize,
    },
    /// Nothing is due.
    NothingDue,
    /// The command needs a person and came from none.
    NeedsPerson,
    /// A formula failed before anything could happen.
    Expression {
        /// At which step.
        step: Option<StepId>,
        /// What it said.
        what: Wording,
    },
}

/// What became of a task instead.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskOver {
    /// Of which step.
    pub step: StepId,
    /// Its result, if it was decided.
    pub outcome: Option<Outcome>,
    /// Who answered last.
    pub by: Option<PersonId>,
    /// When.
    pub at: DateTime<Utc>,
}

/// One fault of a filled form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// Where: the field, and for a row of a list its number from 0 and the column.
    pub path: Vec<PathPart>,
    /// What the form calls it.
    pub title: Text,
    /// What is wrong and what to write instead.
    pub what: Wording,
}

/// A part of the way to a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathPart {
    /// A field or column.
    Field(FieldName),
    /// A row, from 0.
    Row(usize),
}

impl FieldFault {
    /// The way to the field as forms and the shell write it: `items.0.quantity`.
    pub fn path_text(&self) -> String {
        let parts: Vec<String> = self
            .path
            .iter()
            .map(|part| match part {
                PathPart::Field(name) => name.to_string(),
                PathPart::Row(row) => row.to_string(),
            })
            .collect();
        parts.join(".")
    }
}
