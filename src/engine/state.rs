//! The state of an instance: the fold of its log.
//!
//! A marking of tokens in a tree of scopes, the data, the open tasks and timers, and what is known of steps and
//! tasks that are over. Everything here follows from events alone; see `apply`.

use super::command::Via;
use super::event::{Closed, Trouble};
use crate::model::id::{
    AssignmentId, BusinessNumber, InstanceId, Outcome, PersonId, ProcessId, ScopeId, StepId, TaskId, TimerId, TokenId,
    Version,
};
use crate::model::text::Text;
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::model::definition::Mode;

/// One running or finished case.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its id.
    pub id: InstanceId,
    /// Of which process.
    pub process: ProcessId,
    /// The version that it is pinned to.
    pub version: Version,
    /// Its business number.
    pub number: Option<BusinessNumber>,
    /// The title of the process.
    pub title: Text,
    /// Who it is of.
    pub applicant: PersonId,
    /// Who started it.
    pub starter: PersonId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// The number of its last entry.
    pub revision: u32,
    /// The time of its last entry; no later command is before it.
    pub at: DateTime<Utc>,
    /// The value of the process's key field.
    pub key: Option<Value>,
    /// What it is about at a glance.
    pub headline: Option<Value>,
    /// Its fields.
    pub data: Record,
    /// How it ended, once it did.
    pub ended: Option<Ended>,
    /// Scopes that are alive; 0 is the instance itself.
    pub scopes: BTreeMap<ScopeId, Scope>,
    /// Where control is.
    pub tokens: BTreeMap<TokenId, Token>,
    /// Tasks that wait for people.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Tasks that are over.
    pub closed: BTreeMap<TaskId, ClosedTask>,
    /// Timers that wait.
    pub timers: BTreeMap<TimerId, Timer>,
    /// What the last activation of each step came to.
    pub steps: BTreeMap<StepId, StepResult>,
    /// The next free numbers.
    pub next: Next,
}

impl State {
    /// When its earliest timer is due.
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        self.timers.values().map(|timer| timer.at).min()
    }

    /// The business number, or the id where the process gives none.
    pub fn reference(&self) -> String {
        self.number.as_ref().map_or_else(|| self.id.to_string(), ToString::to_string)
    }

    /// An assignment that is open, with its task.
    pub fn assignment(&self, id: AssignmentId) -> Option<(TaskId, &Task, &Assignment)> {
        self.tasks.iter().find_map(|(number, task)| {
            let found = task.assignments.iter().find(|assignment| assignment.id == id)?;
            Some((*number, task, found))
        })
    }

    /// Whether some token waits for an operator.
    pub fn has_incident(&self) -> bool {
        self.tokens.values().any(|token| token.incident.is_some())
    }
}

/// How an instance ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The name of the end.
    pub outcome: Outcome,
    /// When.
    pub at: DateTime<Utc>,
}

/// A block, branch or row that owns tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The scope around it.
    pub parent: Option<ScopeId>,
    /// The number of its block in the graph.
    pub block: u32,
}

/// A place where control is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The scope that owns it.
    pub scope: ScopeId,
    /// The step that it is at; `None` before the first.
    pub step: Option<StepId>,
    /// Why it cannot go on.
    pub incident: Option<Trouble>,
}

/// Human work that one activation waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The token that waits.
    pub token: TokenId,
    /// Of which step.
    pub step: StepId,
    /// What is asked.
    pub kind: TaskKind,
    /// How many times this activation has asked, from 1.
    pub round: u32,
    /// How many signatures it takes.
    pub mode: Mode,
    /// One a signature; filled by an assignment's answer.
    pub seats: Vec<Option<AssignmentId>>,
    /// Who is asked. Empty while the task is parked.
    pub assignments: Vec<Assignment>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Until when.
    pub due: Option<DateTime<Utc>>,
    /// Waits for a revision.
    pub parked: bool,
    /// Answers of this round.
    pub answers: Vec<Answer>,
}

/// What a task asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Approve, reject or return.
    Approve,
    /// Fill in a form and choose an outcome.
    Work,
    /// Revise the case, for the task that was returned.
    Revise {
        /// The task that waits for it.
        of: TaskId,
    },
}

/// One person's open part of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Its id, named by the ticket.
    pub id: AssignmentId,
    /// Who is asked.
    pub person: PersonId,
    /// Which seats their answer may fill.
    pub seats: Vec<u16>,
    /// For whom they stand in.
    pub stands_in_for: Option<PersonId>,
    /// Random bytes that the ticket is bound to.
    pub nonce: [u8; 16],
}

/// What one person answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// By which assignment.
    pub assignment: AssignmentId,
    /// Who.
    pub person: PersonId,
    /// For whom they stood in.
    pub stands_in_for: Option<PersonId>,
    /// What.
    pub outcome: Outcome,
    /// In their words.
    pub opinion: Option<Arc<str>>,
    /// How they came in.
    pub via: Via,
    /// When.
    pub at: DateTime<Utc>,
}

/// A task that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedTask {
    /// Of which step.
    pub step: StepId,
    /// What was asked.
    pub kind: TaskKind,
    /// Why it is over.
    pub how: Closed,
    /// When.
    pub at: DateTime<Utc>,
    /// What people answered.
    pub answers: Vec<Answer>,
}

/// Something that is to happen at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Whose it is; it goes when the task does.
    pub task: TaskId,
    /// What for.
    pub kind: TimerKind,
    /// When.
    pub at: DateTime<Utc>,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// Reminds everyone who has not answered.
    Remind,
}

/// What a mail is for; one template each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailKind {
    /// It is your turn.
    Assigned {
        /// The assignment that its link is of.
        task: TaskId,
        /// The assignment that its link is of.
        assignment: AssignmentId,
    },
    /// It is still your turn.
    Reminder {
        /// The task.
        task: TaskId,
        /// The assignment that its link is of.
        assignment: AssignmentId,
    },
    /// The link that you asked for again.
    FreshLink {
        /// The task.
        task: TaskId,
        /// The assignment that its link is of.
        assignment: AssignmentId,
    },
    /// Someone decided on your case.
    Decided {
        /// The task that was answered.
        task: TaskId,
        /// The assignment that answered it.
        assignment: AssignmentId,
    },
    /// Your case ended.
    Ended,
    /// A `notify` of the process.
    Notice {
        /// The step.
        step: StepId,
    },
    /// Someone at a shell acted in your name.
    ActedFor {
        /// The task that was answered, if one was.
        task: Option<TaskId>,
    },
}

impl MailKind {
    /// The task whose end makes the mail pointless, with the assignment that its link is of.
    pub fn asks(&self) -> Option<(TaskId, AssignmentId)> {
        match *self {
            MailKind::Assigned { task, assignment }
            | MailKind::Reminder { task, assignment }
            | MailKind::FreshLink { task, assignment } => Some((task, assignment)),
            _ => None,
        }
    }
}

/// What the last activation of a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepResult {
    /// How it went.
    pub outcome: Outcome,
    /// Who answered; empty for steps without people.
    pub by: Vec<PersonId>,
    /// When.
    pub at: DateTime<Utc>,
    /// After its due time.
    pub late: bool,
}

/// The next free numbers of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// Of tokens.
    pub token: u32,
    /// Of scopes.
    pub scope: u32,
    /// Of tasks.
    pub task: u32,
    /// Of timers.
    pub timer: u32,
    /// Of mails.
    pub mail: u32,
}
