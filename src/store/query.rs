//! What is read back: rows for lists and pages, and the filters that choose them.
//!
//! Every filter has a limit, and every way of asking that a person waits for has an index; the suite looks at
//! the query plans. Rows come newest first; `before` takes the `row` of the last one seen, for the next page.

use crate::engine::state::{Ended, MailKind};
use crate::model::definition::Definition;
use crate::model::id::{
    AssignmentId, BusinessNumber, InstanceId, MailId, Outcome, PersonId, ProcessId, StepId, TaskId, Version,
};
use crate::model::metric::Metric;
use crate::model::people::Directory;
use crate::model::text::Text;
use crate::model::time::Calendar;
use crate::model::value::Value;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// An instance, as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceRow {
    /// Its id.
    pub id: InstanceId,
    /// Of which process.
    pub process: ProcessId,
    /// The version that it is pinned to.
    pub version: Version,
    /// The title of the process.
    pub title: Text,
    /// Its business number.
    pub number: Option<BusinessNumber>,
    /// Who it is of.
    pub applicant: PersonId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// The number of its last entry.
    pub revision: u32,
    /// The time of its last entry.
    pub at: DateTime<Utc>,
    /// How it ended, once it did.
    pub ended: Option<Ended>,
    /// The value of the process's key field, as people write it.
    pub key: Option<String>,
    /// What it is about at a glance.
    pub headline: Option<Value>,
    /// The steps at which it waits.
    pub steps: Vec<StepId>,
    /// Whether some token waits for an operator.
    pub incident: bool,
    /// When its earliest timer is due.
    pub wake_at: Option<DateTime<Utc>>,
    /// The key that it has to itself while it is open, where its process says so.
    pub claim: Option<String>,
    /// Its place in the list, for the next page.
    pub row: i64,
}

impl InstanceRow {
    /// The business number, or the id where the process gives none.
    pub fn reference(&self) -> String {
        self.number.as_ref().map_or_else(|| self.id.to_string(), ToString::to_string)
    }
}

/// Whether an instance still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not ended.
    Open,
    /// It has ended.
    Ended,
    /// It waits for an operator.
    Incident,
}

/// Which instances.
#[derive(Clone, Debug)]
pub struct InstanceFilter {
    /// Of this process.
    pub process: Option<ProcessId>,
    /// Of this standing.
    pub standing: Option<Standing>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// Of this person.
    pub applicant: Option<PersonId>,
    /// With this value of the key field.
    pub key: Option<String>,
    /// Older than this row.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl Default for InstanceFilter {
    fn default() -> InstanceFilter {
        InstanceFilter {
            process: None,
            standing: None,
            outcome: None,
            applicant: None,
            key: None,
            before: None,
            limit: 50,
        }
    }
}

/// What became of an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignmentState {
    /// The person is asked.
    Open,
    /// The person answered.
    Answered,
    /// The task went on without an answer of theirs.
    Closed,
}

/// One person's part of a task: all that a ticket is checked against, in one indexed read.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentRow {
    /// Its id, named by the ticket.
    pub id: AssignmentId,
    /// Of which instance.
    pub instance: InstanceId,
    /// Of which task.
    pub task: TaskId,
    /// The round of the task.
    pub round: u32,
    /// The step of the task.
    pub step: StepId,
    /// Who is asked.
    pub person: PersonId,
    /// For whom they stand in.
    pub stands_in_for: Option<PersonId>,
    /// Random bytes that the ticket is bound to.
    pub nonce: [u8; 16],
    /// What became of it.
    pub state: AssignmentState,
    /// When the task was opened.
    pub opened_at: DateTime<Utc>,
    /// Until when.
    pub due_at: Option<DateTime<Utc>>,
    /// Its place in the list, for the next page.
    pub row: i64,
}

/// An open assignment with its instance, as task lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRow {
    /// The assignment.
    pub assignment: AssignmentRow,
    /// The instance.
    pub instance: InstanceRow,
}

/// Which open assignments.
#[derive(Clone, Debug)]
pub struct TaskFilter {
    /// Of this person.
    pub person: Option<PersonId>,
    /// Older than this row.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl Default for TaskFilter {
    fn default() -> TaskFilter {
        TaskFilter { person: None, before: None, limit: 50 }
    }
}

/// The states of a mail on its way.
///
/// ```text
/// pending ─→ prepared ─→ sending ─→ accepted
///    │           │          │  ├──→ retry ─→ sending …
///    └───────────┴──────────┴──┴──→ failed | skipped
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// Not rendered yet.
    Pending,
    /// Rendered once and for all.
    Prepared,
    /// Being handed over; found so after its lease, it may have been sent.
    Sending,
    /// To be tried again.
    Retry,
    /// The other side took it.
    Accepted,
    /// Given up; an operator must look at it.
    Failed,
    /// Not sent, as it had lost its use.
    Skipped,
}

impl Delivery {
    /// All states, in order.
    pub const ALL: [Delivery; 7] = [
        Delivery::Pending,
        Delivery::Prepared,
        Delivery::Sending,
        Delivery::Retry,
        Delivery::Accepted,
        Delivery::Failed,
        Delivery::Skipped,
    ];

    /// The name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Delivery::Pending => "pending",
            Delivery::Prepared => "prepared",
            Delivery::Sending => "sending",
            Delivery::Retry => "retry",
            Delivery::Accepted => "accepted",
            Delivery::Failed => "failed",
            Delivery::Skipped => "skipped",
        }
    }
}

/// One mail of the outbox: one recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// Of which instance.
    pub instance: InstanceId,
    /// Its number there.
    pub mail: MailId,
    /// What for.
    pub kind: MailKind,
    /// To whom.
    pub to: PersonId,
    /// 0 asks for a decision, 1 reminds, 2 informs: the lower goes first.
    pub priority: u8,
    /// Where it is on its way.
    pub state: Delivery,
    /// How often it was leased; settling must name it, so that a lease that ran out settles nothing.
    pub attempt: u32,
    /// When it is next due; the end of the lease while it is leased.
    pub next_at: DateTime<Utc>,
    /// The address that it was prepared for.
    pub address: Option<String>,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// The rendered parts, as the outbox wrote them: with a gap for the ticket.
    pub parts: Option<Vec<u8>>,
    /// What the other side said last, or why it was skipped.
    pub reply: Option<String>,
    /// It was found `sending` once: the recipient may have two copies.
    pub possibly_twice: bool,
    /// When it was queued.
    pub queued_at: DateTime<Utc>,
    /// When it was accepted, failed or skipped.
    pub settled_at: Option<DateTime<Utc>>,
    /// Its place in the list, for the next page.
    pub row: i64,
}

/// Which mails.
#[derive(Clone, Debug)]
pub struct OutboxFilter {
    /// In this state.
    pub state: Option<Delivery>,
    /// Of this instance.
    pub instance: Option<InstanceId>,
    /// To this person.
    pub to: Option<PersonId>,
    /// Older than this row.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl Default for OutboxFilter {
    fn default() -> OutboxFilter {
        OutboxFilter { state: None, instance: None, to: None, before: None, limit: 50 }
    }
}

/// What a text from a person means: a business number, an id, or the beginning of either.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Exactly this one.
    One(Box<InstanceRow>),
    /// Nothing.
    None,
    /// Several; the first few of them.
    Many(Vec<InstanceRow>),
}

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Instances that run.
    pub open: u64,
    /// Instances that ended.
    pub ended: u64,
    /// Instances that wait for an operator.
    pub incidents: u64,
    /// Open assignments.
    pub tasks: u64,
    /// Mails not yet sent and not given up.
    pub mails_waiting: u64,
    /// Mails that were given up.
    pub mails_failed: u64,
}

/// What is live: the definitions that can be started, the people, the calendar and the metrics.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The number of the deployment; 0 where nothing was deployed yet.
    pub number: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What the deployer said of it.
    pub note: String,
    /// The definitions that can be started, by name.
    pub definitions: Vec<Arc<Definition>>,
    /// The people.
    pub directory: Arc<Directory>,
    /// The working calendar.
    pub calendar: Arc<Calendar>,
    /// What is measured of cases.
    pub metrics: Arc<Vec<Metric>>,
}

/// How many rows stand for “several”.
pub(super) const MANY: usize = 10;

pub(super) fn found(mut rows: Vec<InstanceRow>) -> Found {
    rows.truncate(MANY);
    match rows.len() {
        0 => Found::None,
        1 => rows.pop().map_or(Found::None, |row| Found::One(Box::new(row))),
        _ => Found::Many(rows),
    }
}
