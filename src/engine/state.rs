//! The state of an instance: the fold of its log.
//!
//! A marking of tokens in a tree of scopes, the data, the open tasks and timers, and what is known of steps and
//! tasks that are over. Everything here follows from events alone; see `apply`.

use super::command::Via;
use super::event::{Closed, Trouble};
use crate::model::id::{
    AssignmentId, BusinessNumber, FieldName, InstanceId, Outcome, PersonId, ProcessId, ScopeId, StepId, TaskId,
    TimerId, TokenId, Version,
};
use crate::model::text::Text;
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

pub use super::waiting::{Part, Request, Running, Waiting};
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
    /// Who called it, where another instance did.
    pub caller: Option<Caller>,
    /// The column of the board that it stands in.
    pub stage: Option<Arc<str>>,
    /// What is to be taken back should the case not come to its good end, oldest first.
    pub undo: Vec<Undoable>,
    /// How it will end, once what was done is taken back.
    pub ending: Option<Ending>,
    /// Who took over from whom at steps that asked these: asked again, they ask who took over.
    pub handed: BTreeMap<StepId, BTreeMap<PersonId, PersonId>>,
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

    /// Whom a step asks where it would ask a person: them, or who took over there.
    pub fn asked_for<'s>(&'s self, step: &StepId, person: &'s PersonId) -> &'s PersonId {
        self.handed.get(step).and_then(|taken| taken.get(person)).unwrap_or(person)
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
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The scope around it.
    pub parent: Option<ScopeId>,
    /// The number of its block in the graph.
    pub block: u32,
    /// The token that waits for it at the step that holds the block; `None` for the instance itself.
    pub holder: Option<TokenId>,
    /// The name of the branch, of `parallel` and `race`.
    pub branch: Option<Arc<str>>,
    /// The row, of `each`.
    pub row: Option<Row>,
}

impl Scope {
    /// The scope of the instance itself.
    pub fn root() -> Scope {
        Scope { parent: None, block: 0, holder: None, branch: None, row: None }
    }
}

/// One row of an `each` at work.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it is called inside.
    pub alias: FieldName,
    /// Its number in the list, from 0.
    pub number: u32,
    /// Whether it is a plain value, which stands in its own column `alias`.
    pub plain: bool,
    /// Its columns as they are by now.
    pub columns: Record,
    /// What the steps of its body came to in this row.
    pub steps: BTreeMap<StepId, StepResult>,
}

/// What an instance was called by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The instance.
    pub instance: InstanceId,
    /// The token that waits there; `None` where it does not wait.
    pub token: Option<TokenId>,
    /// How many callers there are above.
    pub depth: u16,
}

/// A step that is done, or may be, and can be taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Undoable {
    /// Which step.
    pub step: StepId,
    /// The row that it was done for.
    pub row: Option<Row>,
    /// Of a call whose result nobody waited for: until when it may be under way.
    pub unsure: Option<DateTime<Utc>>,
}

/// An end that waits for compensation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The outcome that the case will have.
    pub outcome: Outcome,
    /// Why, in the words of who ended it.
    pub reason: Option<Arc<str>>,
    /// When every call that nobody waits for any more has come to its end: nothing outside is asked before.
    pub quiet: Option<DateTime<Utc>>,
    /// The scope in which something is being taken back that may never have been done.
    pub doubtful: Option<ScopeId>,
}

/// A place where control is.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The scope that owns it.
    pub scope: ScopeId,
    /// The step that it is at; `None` before the first.
    pub step: Option<StepId>,
    /// Why it cannot go on.
    pub incident: Option<Trouble>,
    /// What it waits for, of steps that do not wait for people.
    pub waits: Option<Waiting>,
    /// Until when, of those steps.
    pub due: Option<DateTime<Utc>>,
}

impl Token {
    /// A token that has not moved yet.
    pub fn new(scope: ScopeId) -> Token {
        Token { scope, step: None, incident: None, waits: None, due: None }
    }
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
    /// Fill in what the start form of a called or scheduled case leaves open. Its step is [`START`].
    Begin,
}

/// The step of the task that fills in a start form; no step of a definition is called so.
pub const START: &str = "";

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
    /// The row that it was asked in.
    pub row: Option<ScopeId>,
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
    /// Whose it is; it goes when that does.
    pub of: Owner,
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
    /// What was waited for is there: of `wait`.
    Go,
    /// The due time of a step with `overdue`.
    Overdue,
    /// Tells once more that a step is overdue.
    Again,
}

/// Whose timer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A task.
    Task(TaskId),
    /// A token that waits for something other than people.
    Token(TokenId),
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
    /// Someone decided on your case, or time did.
    Decided {
        /// The task that is decided.
        task: TaskId,
        /// The assignment that answered it; `None` where time decided.
        assignment: Option<AssignmentId>,
    },
    /// Your case ended.
    Ended,
    /// A `notify` of the process.
    Notice {
        /// The step.
        step: StepId,
    },
    /// A step is overdue: to those whom its `overdue` tells.
    Overdue {
        /// The step.
        step: StepId,
        /// Its task, if people are asked.
        task: Option<TaskId>,
        /// The assignment of who is told, where they are asked themselves.
        assignment: Option<AssignmentId>,
    },
    /// A case was handed over to you.
    HandedOver,
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
            | MailKind::FreshLink { task, assignment }
            | MailKind::Overdue { task: Some(task), assignment: Some(assignment), .. } => Some((task, assignment)),
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
