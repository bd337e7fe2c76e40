//! The stored form of the small things that entries and snapshots share: kinds, reasons, assignments, callers.

use super::personal::*;
use super::{from_json, json};
use crate::engine::event::{Closed, OpenedAssignment, Trouble};
use crate::engine::state::{Caller, MailKind, Owner, StepResult, TaskKind, TimerKind};
use crate::model::definition::Nobody;
use crate::model::id::{AssignmentId, InstanceId, Outcome, PersonId, StepId, TaskId, TokenId};
use crate::model::text::Text;
use crate::model::value::Value;
use crate::store::error::Error;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(super) fn not(flag: &bool) -> bool {
    !flag
}

#[derive(Serialize, Deserialize)]
pub(super) struct AssignmentRecord {
    pub(super) id: AssignmentId,
    #[serde(rename = "who")]
    pub(super) person: PersonId,
    pub(super) seats: Vec<u16>,
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub(super) stands_in_for: Option<PersonId>,
    pub(super) nonce: Hex,
}

impl AssignmentRecord {
    pub(super) fn of(one: &OpenedAssignment) -> AssignmentRecord {
        AssignmentRecord {
            id: one.id,
            person: one.person.clone(),
            seats: one.seats.clone(),
            stands_in_for: one.stands_in_for.clone(),
            nonce: Hex(one.nonce),
        }
    }

    pub(super) fn into_domain(self) -> OpenedAssignment {
        OpenedAssignment {
            id: self.id,
            person: self.person,
            seats: self.seats,
            stands_in_for: self.stands_in_for,
            nonce: self.nonce.0,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct CallerRecord {
    instance: InstanceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<TokenId>,
    depth: u16,
}

impl CallerRecord {
    pub(super) fn of(caller: &Caller) -> CallerRecord {
        CallerRecord { instance: caller.instance, token: caller.token, depth: caller.depth }
    }

    pub(super) fn into_domain(self) -> Caller {
        Caller { instance: self.instance, token: self.token, depth: self.depth }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct StepRecord {
    outcome: Outcome,
    by: Vec<PersonId>,
    at: At,
    #[serde(default, skip_serializing_if = "not")]
    late: bool,
}

impl StepRecord {
    pub(super) fn of(result: &StepResult) -> StepRecord {
        StepRecord { outcome: result.outcome.clone(), by: result.by.clone(), at: At(result.at), late: result.late }
    }

    pub(super) fn into_domain(self) -> StepResult {
        StepResult { outcome: self.outcome, by: self.by, at: self.at.0, late: self.late }
    }
}

/// Whose timer: the bare number of a task, as all were at first, or a token's.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum OwnerRecord {
    Task(TaskId),
    Token { token: TokenId },
}

impl OwnerRecord {
    pub(super) fn of(owner: Owner) -> OwnerRecord {
        match owner {
            Owner::Task(task) => OwnerRecord::Task(task),
            Owner::Token(token) => OwnerRecord::Token { token },
        }
    }

    pub(super) fn into_domain(self) -> Owner {
        match self {
            OwnerRecord::Task(task) => Owner::Task(task),
            OwnerRecord::Token { token } => Owner::Token(token),
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TaskKindRecord {
    Approve,
    Work,
    Revise(TaskId),
    Begin,
}

impl TaskKindRecord {
    pub(super) fn of(kind: TaskKind) -> TaskKindRecord {
        match kind {
            TaskKind::Approve => TaskKindRecord::Approve,
            TaskKind::Work => TaskKindRecord::Work,
            TaskKind::Revise { of } => TaskKindRecord::Revise(of),
            TaskKind::Begin => TaskKindRecord::Begin,
        }
    }

    pub(super) fn into_domain(self) -> TaskKind {
        match self {
            TaskKindRecord::Approve => TaskKind::Approve,
            TaskKindRecord::Work => TaskKind::Work,
            TaskKindRecord::Revise(of) => TaskKind::Revise { of },
            TaskKindRecord::Begin => TaskKind::Begin,
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimerKindRecord {
    Remind,
    Go,
    Overdue,
    Again,
}

impl TimerKindRecord {
    pub(super) fn of(kind: TimerKind) -> TimerKindRecord {
        match kind {
            TimerKind::Remind => TimerKindRecord::Remind,
            TimerKind::Go => TimerKindRecord::Go,
            TimerKind::Overdue => TimerKindRecord::Overdue,
            TimerKind::Again => TimerKindRecord::Again,
        }
    }

    pub(super) fn into_domain(self) -> TimerKind {
        match self {
            TimerKindRecord::Remind => TimerKind::Remind,
            TimerKindRecord::Go => TimerKind::Go,
            TimerKindRecord::Overdue => TimerKind::Overdue,
            TimerKindRecord::Again => TimerKind::Again,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClosedRecord {
    Decided(Outcome),
    Cancelled,
    WalkedBack,
    Overdue,
}

impl ClosedRecord {
    pub(super) fn of(how: &Closed) -> ClosedRecord {
        match how {
            Closed::Decided(outcome) => ClosedRecord::Decided(outcome.clone()),
            Closed::Cancelled => ClosedRecord::Cancelled,
            Closed::WalkedBack => ClosedRecord::WalkedBack,
            Closed::Overdue => ClosedRecord::Overdue,
        }
    }

    pub(super) fn into_domain(self) -> Closed {
        match self {
            ClosedRecord::Decided(outcome) => Closed::Decided(outcome),
            ClosedRecord::Cancelled => Closed::Cancelled,
            ClosedRecord::WalkedBack => Closed::WalkedBack,
            ClosedRecord::Overdue => Closed::Overdue,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MailKindRecord {
    Assigned(TaskId, AssignmentId),
    Reminder(TaskId, AssignmentId),
    FreshLink(TaskId, AssignmentId),
    Decided(TaskId, AssignmentId),
    Ended,
    Notice(StepId),
    ActedFor(Option<TaskId>),
    Overdue(StepId, Option<TaskId>),
    HandedOver,
    /// To somebody who is asked there.
    OverdueAsked(StepId, TaskId, AssignmentId),
    DecidedByTime(TaskId),
}

impl MailKindRecord {
    pub(super) fn of(kind: &MailKind) -> MailKindRecord {
        match kind {
            MailKind::Assigned { task, assignment } => MailKindRecord::Assigned(*task, *assignment),
            MailKind::Reminder { task, assignment } => MailKindRecord::Reminder(*task, *assignment),
            MailKind::FreshLink { task, assignment } => MailKindRecord::FreshLink(*task, *assignment),
            MailKind::Decided { task, assignment: Some(assignment) } => MailKindRecord::Decided(*task, *assignment),
            MailKind::Decided { task, assignment: None } => MailKindRecord::DecidedByTime(*task),
            MailKind::Ended => MailKindRecord::Ended,
            MailKind::Notice { step } => MailKindRecord::Notice(step.clone()),
            MailKind::ActedFor { task } => MailKindRecord::ActedFor(*task),
            MailKind::Overdue { step, task: Some(task), assignment: Some(assignment) } => {
                MailKindRecord::OverdueAsked(step.clone(), *task, *assignment)
            }
            MailKind::Overdue { step, task, .. } => MailKindRecord::Overdue(step.clone(), *task),
            MailKind::HandedOver => MailKindRecord::HandedOver,
        }
    }

    pub(super) fn into_domain(self) -> MailKind {
        match self {
            MailKindRecord::Assigned(task, assignment) => MailKind::Assigned { task, assignment },
            MailKindRecord::Reminder(task, assignment) => MailKind::Reminder { task, assignment },
            MailKindRecord::FreshLink(task, assignment) => MailKind::FreshLink { task, assignment },
            MailKindRecord::Decided(task, assignment) => MailKind::Decided { task, assignment: Some(assignment) },
            MailKindRecord::DecidedByTime(task) => MailKind::Decided { task, assignment: None },
            MailKindRecord::Ended => MailKind::Ended,
            MailKindRecord::Notice(step) => MailKind::Notice { step },
            MailKindRecord::ActedFor(task) => MailKind::ActedFor { task },
            MailKindRecord::Overdue(step, task) => MailKind::Overdue { step, task, assignment: None },
            MailKindRecord::OverdueAsked(step, task, assignment) => {
                MailKind::Overdue { step, task: Some(task), assignment: Some(assignment) }
            }
            MailKindRecord::HandedOver => MailKind::HandedOver,
        }
    }
}

/// The purpose of a mail, for its row of the outbox.
pub(in crate::store) fn write_mail_kind(kind: &MailKind) -> String {
    json(&MailKindRecord::of(kind))
}

/// Reads what [`write_mail_kind`] wrote.
pub(in crate::store) fn read_mail_kind(text: &str) -> Result<MailKind, Error> {
    from_json::<MailKindRecord>(text, || "mail".to_owned()).map(MailKindRecord::into_domain)
}

/// A plain value in a column.
pub(in crate::store) fn read_value(text: &str) -> Result<Value, Error> {
    from_json(text, || "value".to_owned())
}

/// A text for people in a column.
pub(in crate::store) fn read_text(text: &str) -> Result<Text, Error> {
    from_json(text, || "title".to_owned())
}

/// Names of steps in a column.
pub(in crate::store) fn read_steps(text: &str) -> Result<Vec<StepId>, Error> {
    from_json(text, || "steps".to_owned())
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TroubleRecord {
    Nobody(Nobody),
    Expression,
    NeverWaits,
    Failed(Arc<str>),
}

impl TroubleRecord {
    pub(super) fn of<'a>(what: &'a Trouble, personal: &mut Personal<'a>) -> TroubleRecord {
        match what {
            Trouble::NobodyToAsk { policy } => TroubleRecord::Nobody(*policy),
            Trouble::Expression { place, zh, en } => {
                personal.text(place);
                personal.text(zh);
                personal.text(en);
                TroubleRecord::Expression
            }
            Trouble::NeverWaits => TroubleRecord::NeverWaits,
            Trouble::Failed { place, zh, en } => {
                personal.text(zh);
                personal.text(en);
                TroubleRecord::Failed(place.clone())
            }
        }
    }

    pub(super) fn into_domain(self, personal: &mut Stored) -> Trouble {
        let mut text = || personal.text().unwrap_or_default();
        match self {
            TroubleRecord::Nobody(policy) => Trouble::NobodyToAsk { policy },
            TroubleRecord::Expression => Trouble::Expression { place: text(), zh: text(), en: text() },
            TroubleRecord::NeverWaits => Trouble::NeverWaits,
            TroubleRecord::Failed(place) => Trouble::Failed { place, zh: text(), en: text() },
        }
    }
}
