//! Everything that can have happened to an instance.
//!
//! Events hold results: computed fields, resolved people, due instants, token moves. So `apply` needs no
//! definition, directory or calendar, and a log folds alike in every later program. Each task, timer and mail
//! that opens or closes is an event. Fields marked *personal* can be forgotten without breaking the chain.

use super::command::{Command, Via};
use super::fingerprint::Fingerprint;
use super::state::{Caller, MailKind, Mode, Owner, Row, TaskKind, TimerKind, Waiting};
use crate::model::definition::Nobody;
use crate::model::id::{
    AssignmentId, BusinessNumber, FieldName, InstanceId, MailId, Outcome, PersonId, ProcessId, ScopeId, StepId, TaskId,
    TimerId, TokenId, Version,
};
use crate::model::text::Text;
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// One accepted command and all that it made happen: one row of the log, one revision of the instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The revision that it brought the instance to; the first is 1.
    pub revision: u32,
    /// When, never before the entry before it.
    pub at: DateTime<Utc>,
    /// What was asked; its id is the key of idempotency.
    pub command: Command,
    /// The random seed that ids and nonces were derived from.
    pub seed: [u8; 16],
    /// What happened, in order; never empty.
    pub events: Vec<Event>,
}

impl Entry {
    /// Why the case ends with it, in the words of who ended it.
    pub fn reason(&self) -> Option<&Arc<str>> {
        self.events.iter().find_map(|event| match event {
            Event::EndBegun { reason, .. } | Event::Ended { reason, .. } => reason.as_ref(),
            _ => None,
        })
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "the large one is the first of a case, and there is one a case")]
pub enum Event {
    /// The instance began. Its first token is 0, in scope 0, at the start.
    Started {
        /// Its id.
        instance: InstanceId,
        /// Of which process.
        process: ProcessId,
        /// The version that it is pinned to.
        version: Version,
        /// Its business number.
        number: Option<BusinessNumber>,
        /// The title of the process, for lists.
        title: Text,
        /// Who it is of.
        applicant: PersonId,
        /// The start form with defaults and computed fields (*personal*).
        data: Record,
        /// The value of the process's key field (*personal*).
        key: Option<Value>,
        /// The amount or text that says what it is about at a glance (*personal*).
        headline: Option<Value>,
        /// Who called it, where another instance did.
        caller: Option<Caller>,
    },
    /// A token came to a step: one activation of it.
    Entered {
        /// Which token.
        token: TokenId,
        /// Where it is now.
        step: StepId,
    },
    /// A step was passed without an activation, as its `when` did not hold or nobody could be asked.
    Skipped {
        /// Which token.
        token: TokenId,
        /// Which step.
        step: StepId,
    },
    /// A step is done.
    Left {
        /// Which token.
        token: TokenId,
        /// Which step.
        step: StepId,
        /// How it went.
        outcome: Outcome,
        /// Who answered, the last last; empty for steps without people.
        by: Vec<PersonId>,
        /// After its due time.
        late: bool,
    },
    /// Fields have new values, computed ones included (*personal*).
    DataSet {
        /// Only what changed.
        values: Record,
    },
    /// What lists show of the instance changed with its fields (*personal*).
    Summarised {
        /// The value of the process's key field.
        key: Option<Value>,
        /// The amount or text that says what it is about at a glance.
        headline: Option<Value>,
    },
    /// People are asked.
    TaskOpened {
        /// Its number.
        task: TaskId,
        /// Everything about it.
        opened: Box<OpenedTask>,
    },
    /// One person answered.
    Answered {
        /// Which task.
        task: TaskId,
        /// Which assignment.
        assignment: AssignmentId,
        /// Which of the task's seats it fills.
        seat: u16,
        /// The answer.
        outcome: Outcome,
        /// In their words (*personal*).
        opinion: Option<Arc<str>>,
        /// How they came in (*personal*).
        via: Via,
        /// What they saw.
        seen: Option<Fingerprint>,
    },
    /// A task waits for a revision; its assignments are over.
    TaskParked {
        /// Which task.
        task: TaskId,
    },
    /// A task is over and all its assignments with it.
    TaskClosed {
        /// Which task.
        task: TaskId,
        /// Why.
        how: Closed,
    },
    /// Something is to happen at a time.
    TimerSet {
        /// Its number.
        timer: TimerId,
        /// Whose it is.
        of: Owner,
        /// What for.
        kind: TimerKind,
        /// When.
        at: DateTime<Utc>,
    },
    /// A timer's time came.
    TimerFired {
        /// Which timer.
        timer: TimerId,
    },
    /// A timer will not fire.
    TimerCleared {
        /// Which timer.
        timer: TimerId,
    },
    /// Someone said something (*personal*).
    Commented {
        /// What.
        text: Arc<str>,
    },
    /// A mail is to be sent: one row of the outbox.
    MailQueued {
        /// Its number, part of its Message-ID.
        mail: MailId,
        /// What for.
        kind: MailKind,
        /// To whom.
        to: PersonId,
    },
    /// The case stopped at a token until an operator helps.
    IncidentRaised {
        /// Which token.
        token: TokenId,
        /// At which step.
        step: StepId,
        /// What is wrong.
        what: Trouble,
    },
    /// A token came to a step whose lock another step has, and waits its turn.
    LockAwaited {
        /// Which token.
        token: TokenId,
        /// At which step.
        step: StepId,
        /// Which lock.
        lock: Arc<str>,
    },
    /// A token waits for something other than people.
    WaitBegun {
        /// Which token.
        token: TokenId,
        /// What for (*personal* in part).
        waits: Box<Waiting>,
        /// Until when.
        due: Option<DateTime<Utc>>,
    },
    /// What a token waits for was not to be had, and is tried again.
    Postponed {
        /// Which token.
        token: TokenId,
        /// The number of the next attempt.
        attempt: u16,
        /// When.
        at: DateTime<Utc>,
        /// Why, in both languages (*personal*).
        zh: Arc<str>,
        /// In English.
        en: Arc<str>,
    },
    /// A branch or row began, with a token of its own at its start.
    ScopeOpened {
        /// Its number.
        scope: ScopeId,
        /// The token that waits for it.
        holder: TokenId,
        /// The number of its block.
        block: u32,
        /// The name of the branch.
        branch: Option<Arc<str>>,
        /// The row (its columns are *personal*).
        row: Option<Box<Row>>,
        /// Its token.
        token: TokenId,
    },
    /// A branch or row is over and all its tokens with it.
    ScopeClosed {
        /// Which.
        scope: ScopeId,
        /// Whether it came to its end; cancelled where not.
        done: bool,
    },
    /// Columns of a row have new values (*personal*).
    RowSet {
        /// The row's scope.
        scope: ScopeId,
        /// Only what changed.
        values: Record,
    },
    /// A step is still open after its due time, and what its `overdue` says follows.
    WentOverdue {
        /// Which token.
        token: TokenId,
        /// At which step.
        step: StepId,
        /// Its task, if people are asked.
        task: Option<TaskId>,
    },
    /// Others are asked instead of one who did not answer.
    Reassigned {
        /// Which task.
        task: TaskId,
        /// Who is no longer asked.
        from: AssignmentId,
        /// Who is asked instead.
        to: Vec<OpenedAssignment>,
    },
    /// What was one person's is another's; the assignments and fields that change with it follow as events.
    HandedOver {
        /// Whose it was.
        from: PersonId,
        /// Whose it is.
        to: PersonId,
        /// Whether the applicant changes.
        applicant: bool,
        /// The columns that change of rows that wait for their turn, by the token that holds them.
        rows: Vec<(TokenId, FieldName)>,
        /// The columns that change of rows that are kept for what may be taken back, by their place there.
        kept: Vec<(u32, FieldName)>,
        /// The columns that change of rows that are done, by the token that holds them.
        done: Vec<(TokenId, FieldName)>,
        /// The steps that are asked of them: asked again, they ask who took over.
        steps: Vec<StepId>,
    },
    /// The case came to another column of the board.
    StageReached {
        /// Which.
        stage: Arc<str>,
    },
    /// Another process is to start.
    Called {
        /// The token that calls.
        token: TokenId,
        /// At which step.
        step: StepId,
        /// The id that the other instance will have.
        child: InstanceId,
        /// Which process.
        process: ProcessId,
        /// Its applicant.
        applicant: PersonId,
        /// Fields of its start form (*personal*).
        with: Record,
        /// How many callers it will have.
        depth: u16,
        /// Whether it is not awaited.
        detached: bool,
    },
    /// An instance that was called is no longer awaited and is to be cancelled.
    CallCancelled {
        /// Which.
        child: InstanceId,
    },
    /// A message was read; nobody else will.
    MessageRead {
        /// Which token.
        token: TokenId,
        /// Its id.
        message: Arc<str>,
    },
    /// A step that can be taken back is done.
    UndoNoted {
        /// Which step.
        step: StepId,
        /// The row that it was done for (its columns are *personal*).
        row: Option<Box<Row>>,
        /// Of a call whose result nobody waited for: until when it may be under way. Whether it was done is not known.
        unsure: Option<DateTime<Utc>>,
    },
    /// The case is to end so, once what was done is taken back; every token, task and timer of it is gone.
    EndBegun {
        /// How.
        outcome: Outcome,
        /// Why, in the words of who ended it (*personal*).
        reason: Option<Arc<str>>,
    },
    /// The newest step that can be taken back is, by a token in a scope of its own.
    UndoBegun {
        /// Which step.
        step: StepId,
        /// The scope.
        scope: ScopeId,
        /// The number of its block.
        block: u32,
        /// Its token.
        token: TokenId,
    },
    /// The newest step that can be taken back is not: that takes the result of its call, which nobody knows.
    UndoLeft {
        /// Which step.
        step: StepId,
    },
    /// A step that was to take something back stopped for good, and an operator passed it over.
    UndoSkipped {
        /// Its token.
        token: TokenId,
        /// Which step.
        step: StepId,
        /// Why, in their words (*personal*).
        reason: Arc<str>,
    },
    /// Another system or a worker did what it was asked when nobody waited for it any more. Nothing is taken from it.
    CameLate {
        /// The token that had waited.
        token: TokenId,
    },
    /// What came from outside is of no use, and its step has failed with it.
    Unusable {
        /// The token that waited for it.
        token: TokenId,
        /// Why, in both languages (*personal*).
        zh: Arc<str>,
        /// In English.
        en: Arc<str>,
    },
    /// The instance ended; every token, task and timer of it is gone.
    Ended {
        /// How.
        outcome: Outcome,
        /// Why, in the words of who ended it (*personal*).
        reason: Option<Arc<str>>,
    },
}

/// A task as it was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedTask {
    /// The token that waits for it.
    pub token: TokenId,
    /// Of which step.
    pub step: StepId,
    /// What is asked.
    pub kind: TaskKind,
    /// How many times this activation has asked, from 1.
    pub round: u32,
    /// How many signatures it takes.
    pub mode: Mode,
    /// How many seats there are: one a signature.
    pub seats: u16,
    /// Who is asked.
    pub assignments: Vec<OpenedAssignment>,
    /// Until when.
    pub due: Option<DateTime<Utc>>,
}

/// An assignment as it was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedAssignment {
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

/// Why a task is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It was answered, so.
    Decided(Outcome),
    /// The case ended, or control left its block.
    Cancelled,
    /// The case went back to an earlier step.
    WalkedBack,
    /// Its time was over.
    Overdue,
}

/// What an operator must look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody can be asked, by this policy.
    NobodyToAsk {
        /// The policy that did not help.
        policy: Nobody,
    },
    /// An expression failed: where it stands and what it said, in both languages (*personal*).
    Expression {
        /// `when`, `due`, a field's name, …
        place: Arc<str>,
        /// In Chinese.
        zh: Arc<str>,
        /// In English.
        en: Arc<str>,
    },
    /// Too many automatic steps in one command.
    NeverWaits,
    /// Something outside failed for good: what, and what it said, in both languages (*personal*).
    Failed {
        /// `call`, `http`, `job`, `receive`.
        place: Arc<str>,
        /// In Chinese.
        zh: Arc<str>,
        /// In English.
        en: Arc<str>,
    },
}
