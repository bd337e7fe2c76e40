//! Everything that can be asked of an instance, from people, timers and outside.

use super::fingerprint::Fingerprint;
use super::state::Caller;
use crate::model::id::{AssignmentId, CommandId, InstanceId, Outcome, PersonId, StepId, TaskId, TokenId};
use crate::model::text::Wording;
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// One thing asked. A second command with the same id on the same instance is answered with what the first did.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The caller's id, or one derived from what was clicked.
    pub id: CommandId,
    /// Who asks.
    pub actor: Actor,
    /// What is asked.
    pub ask: Ask,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person of the directory.
    Person {
        /// Who.
        id: PersonId,
        /// How they came in.
        via: Via,
    },
    /// Someone at a shell who acts for nobody.
    Operator {
        /// The user of the shell.
        user: Arc<str>,
    },
    /// Time itself.
    System,
}

impl Actor {
    /// The person, where one asks.
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Actor::Person { id, .. } => Some(id),
            _ => None,
        }
    }
}

impl Ask {
    /// Whether it says that work outside could not be done.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Ask::Fail { .. })
    }
}

/// How a person came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// By the link in their mail: it proves a mailbox, not a person.
    Link {
        /// The address that the link was sent to.
        mail: Arc<str>,
    },
    /// A shell user acted for them; they are told by mail.
    Shell {
        /// The user of the shell.
        user: Arc<str>,
    },
    /// A test or simulation.
    Scenario,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Start an instance. The applicant is the actor's person.
    Start {
        /// The start form, as filled in.
        data: Record,
    },
    /// Answer a task: approve, reject, return, or an outcome of its own.
    Decide {
        /// Which task.
        task: TaskId,
        /// Which assignment of it; the actor's own where `None`.
        assignment: Option<AssignmentId>,
        /// The answer.
        outcome: Outcome,
        /// In their words.
        opinion: Option<Arc<str>>,
        /// The step's form, as filled in.
        values: Record,
        /// What was shown; not checked where `None` (the shell shows and asks in one go).
        seen: Option<Fingerprint>,
    },
    /// Hand in a revision, which answers a revise task.
    Revise {
        /// The revise task.
        task: TaskId,
        /// The fields that change; the others stay.
        data: Record,
        /// What changed, in the applicant's words.
        note: Option<Arc<str>>,
        /// What was shown.
        seen: Option<Fingerprint>,
    },
    /// Say something without deciding.
    Comment {
        /// What is said.
        text: Arc<str>,
    },
    /// Take the case back (its applicant only).
    Withdraw {
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// Stop the case (an operator only).
    Cancel {
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// Send the mail of an open assignment once more, to the registered address.
    Resend {
        /// Which assignment.
        assignment: AssignmentId,
    },
    /// Fire all timers that are due.
    Wake,
    /// Start an instance that another one called, or that a schedule starts. What its start form leaves open is
    /// the applicant's first task.
    Begin {
        /// The id that it was promised; one is drawn where `None`.
        id: Option<InstanceId>,
        /// Whose case it is.
        applicant: PersonId,
        /// Fields of the start form.
        data: Record,
        /// Who called it.
        caller: Option<Caller>,
    },
    /// A message for a token that waits for it.
    Deliver {
        /// Which token.
        token: TokenId,
        /// The id of the message.
        message: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// What tells it from those of other cases.
        key: Option<Arc<str>>,
        /// What it says: texts, numbers, booleans, lists and records as JSON has them.
        data: Value,
    },
    /// An instance that was called ended.
    ChildEnded {
        /// The token that waits for it.
        token: TokenId,
        /// Which instance.
        child: InstanceId,
        /// How.
        outcome: Outcome,
        /// The fields that it had in the end.
        data: Record,
    },
    /// Another process could not be started.
    CallFailed {
        /// The token that waits for it.
        token: TokenId,
        /// Which instance.
        child: InstanceId,
        /// Why.
        what: Wording,
        /// Whether that is as a case of the same key is open, and there is to be one at a time.
        taken: bool,
    },
    /// Another system answered, or a worker did.
    Answer {
        /// The token that waits for it.
        token: TokenId,
        /// The attempt that is answered.
        attempt: u16,
        /// What it says, as JSON has it.
        data: Value,
    },
    /// Another system, or a worker, failed.
    Fail {
        /// The token that waits for it.
        token: TokenId,
        /// The attempt that failed.
        attempt: u16,
        /// What went wrong.
        what: Wording,
        /// Whether it is no use to try again.
        permanent: bool,
        /// When to try again, where who failed knows better.
        after: Option<DateTime<Utc>>,
    },
    /// Hand what is one person's in this case over to another (an operator only).
    HandOver {
        /// Whose it is.
        from: PersonId,
        /// Whose it is to be.
        to: PersonId,
    },
    /// Try once more what an incident stopped (an operator only).
    Retry {
        /// At which step; all where `None`.
        step: Option<StepId>,
    },
    /// Pass over what stopped as it was to take something back (an operator only).
    Skip {
        /// At which step; all where `None`.
        step: Option<StepId>,
        /// Why.
        reason: Arc<str>,
    },
}
