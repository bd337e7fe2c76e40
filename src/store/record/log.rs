//! The stored form of entries, layout 1: every command and event as it was released.

use super::personal::*;
use super::{from_json, json};
use crate::engine::command::{Actor, Ask, Via};
use crate::engine::event::{Closed, Event, OpenedAssignment, OpenedTask, Trouble};
use crate::engine::fingerprint::Fingerprint;
use crate::engine::state::{MailKind, TaskKind, TimerKind};
use crate::model::definition::{Mode, Nobody};
use crate::model::id::{
    AssignmentId, BusinessNumber, InstanceId, MailId, Outcome, PersonId, ProcessId, StepId, TaskId, TimerId, TokenId,
    Version,
};
use crate::model::text::Text;
use crate::model::value::Value;
use crate::store::error::Error;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
pub(super) struct EntryRecord {
    pub(super) v: u32,
    #[serde(rename = "by")]
    pub(super) actor: ActorRecord,
    pub(super) ask: AskRecord,
    pub(super) seed: Hex,
    #[serde(rename = "did")]
    pub(super) events: Vec<EventRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActorRecord {
    Person(PersonId, ViaRecord),
    Operator(Arc<str>),
    System,
}

impl ActorRecord {
    pub(super) fn of<'a>(actor: &'a Actor, personal: &mut Personal<'a>) -> ActorRecord {
        match actor {
            Actor::Person { id, via } => ActorRecord::Person(id.clone(), ViaRecord::of(via, personal)),
            Actor::Operator { user } => ActorRecord::Operator(user.clone()),
            Actor::System => ActorRecord::System,
        }
    }

    pub(super) fn into_domain(self, personal: &mut Stored) -> Actor {
        match self {
            ActorRecord::Person(id, via) => Actor::Person { id, via: via.into_domain(personal) },
            ActorRecord::Operator(user) => Actor::Operator { user },
            ActorRecord::System => Actor::System,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ViaRecord {
    Link,
    Shell(Arc<str>),
    Scenario,
}

impl ViaRecord {
    pub(super) fn of<'a>(via: &'a Via, personal: &mut Personal<'a>) -> ViaRecord {
        match via {
            Via::Link { mail } => {
                personal.text(mail);
                ViaRecord::Link
            }
            Via::Shell { user } => ViaRecord::Shell(user.clone()),
            Via::Scenario => ViaRecord::Scenario,
        }
    }

    pub(super) fn into_domain(self, personal: &mut Stored) -> Via {
        match self {
            ViaRecord::Link => Via::Link { mail: personal.text().unwrap_or_default() },
            ViaRecord::Shell(user) => Via::Shell { user },
            ViaRecord::Scenario => Via::Scenario,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AskRecord {
    Start,
    Decide {
        task: TaskId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignment: Option<AssignmentId>,
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<SeenRecord>,
    },
    Revise {
        task: TaskId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<SeenRecord>,
    },
    Comment,
    Withdraw,
    Cancel,
    Resend(AssignmentId),
    Wake,
}

pub(super) struct SeenRecord(pub(super) Fingerprint);

impl Serialize for SeenRecord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SeenRecord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<SeenRecord, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Fingerprint::parse(&text).map(SeenRecord).ok_or_else(|| serde::de::Error::custom("not a fingerprint"))
    }
}

impl AskRecord {
    pub(super) fn of<'a>(ask: &'a Ask, personal: &mut Personal<'a>) -> AskRecord {
        match ask {
            Ask::Start { data } => {
                personal.record(data);
                AskRecord::Start
            }
            Ask::Decide { task, assignment, outcome, opinion, values, seen } => {
                personal.maybe(opinion.as_ref());
                personal.record(values);
                AskRecord::Decide {
                    task: *task,
                    assignment: *assignment,
                    outcome: outcome.clone(),
                    seen: seen.map(SeenRecord),
                }
            }
            Ask::Revise { task, data, note, seen } => {
                personal.record(data);
                personal.maybe(note.as_ref());
                AskRecord::Revise { task: *task, seen: seen.map(SeenRecord) }
            }
            Ask::Comment { text } => {
                personal.text(text);
                AskRecord::Comment
            }
            Ask::Withdraw { reason } => {
                personal.maybe(reason.as_ref());
                AskRecord::Withdraw
            }
            Ask::Cancel { reason } => {
                personal.maybe(reason.as_ref());
                AskRecord::Cancel
            }
            Ask::Resend { assignment } => AskRecord::Resend(*assignment),
            Ask::Wake => AskRecord::Wake,
        }
    }

    pub(super) fn into_domain(self, personal: &mut Stored) -> Ask {
        match self {
            AskRecord::Start => Ask::Start { data: personal.record() },
            AskRecord::Decide { task, assignment, outcome, seen } => Ask::Decide {
                task,
                assignment,
                outcome,
                opinion: personal.text(),
                values: personal.record(),
                seen: seen.map(|seen| seen.0),
            },
            AskRecord::Revise { task, seen } => {
                Ask::Revise { task, data: personal.record(), note: personal.text(), seen: seen.map(|seen| seen.0) }
            }
            AskRecord::Comment => Ask::Comment { text: personal.text().unwrap_or_default() },
            AskRecord::Withdraw => Ask::Withdraw { reason: personal.text() },
            AskRecord::Cancel => Ask::Cancel { reason: personal.text() },
            AskRecord::Resend(assignment) => Ask::Resend { assignment },
            AskRecord::Wake => Ask::Wake,
        }
    }
}

pub(super) fn not(flag: &bool) -> bool {
    !flag
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EventRecord {
    Started {
        instance: InstanceId,
        process: ProcessId,
        version: Version,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<BusinessNumber>,
        title: Text,
        applicant: PersonId,
    },
    Entered(TokenId, StepId),
    Skipped(TokenId, StepId),
    Left {
        token: TokenId,
        step: StepId,
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<PersonId>,
        #[serde(default, skip_serializing_if = "not")]
        late: bool,
    },
    DataSet,
    Summarised,
    TaskOpened {
        task: TaskId,
        token: TokenId,
        step: StepId,
        kind: TaskKindRecord,
        round: u32,
        mode: Mode,
        seats: u16,
        asks: Vec<AssignmentRecord>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<At>,
    },
    Answered {
        task: TaskId,
        assignment: AssignmentId,
        seat: u16,
        outcome: Outcome,
        via: ViaRecord,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<SeenRecord>,
    },
    TaskParked(TaskId),
    TaskClosed(TaskId, ClosedRecord),
    TimerSet(TimerId, TaskId, TimerKindRecord, At),
    TimerFired(TimerId),
    TimerCleared(TimerId),
    Commented,
    MailQueued(MailId, MailKindRecord, PersonId),
    IncidentRaised(TokenId, StepId, TroubleRecord),
    Ended(Outcome),
}

impl EventRecord {
    pub(super) fn of<'a>(event: &'a Event, personal: &mut Personal<'a>) -> EventRecord {
        match event {
            Event::Started { instance, process, version, number, title, applicant, data, key, headline } => {
                personal.record(data);
                personal.value(key.as_ref());
                personal.value(headline.as_ref());
                EventRecord::Started {
                    instance: *instance,
                    process: process.clone(),
                    version: version.clone(),
                    number: number.clone(),
                    title: title.clone(),
                    applicant: applicant.clone(),
                }
            }
            Event::Entered { token, step } => EventRecord::Entered(*token, step.clone()),
            Event::Skipped { token, step } => EventRecord::Skipped(*token, step.clone()),
            Event::Left { token, step, outcome, by, late } => EventRecord::Left {
                token: *token,
                step: step.clone(),
                outcome: outcome.clone(),
                by: by.clone(),
                late: *late,
            },
            Event::DataSet { values } => {
                personal.record(values);
                EventRecord::DataSet
            }
            Event::Summarised { key, headline } => {
                personal.value(key.as_ref());
                personal.value(headline.as_ref());
                EventRecord::Summarised
            }
            Event::TaskOpened { task, opened } => EventRecord::TaskOpened {
                task: *task,
                token: opened.token,
                step: opened.step.clone(),
                kind: TaskKindRecord::of(opened.kind),
                round: opened.round,
                mode: opened.mode,
                seats: opened.seats,
                asks: opened
                    .assignments
                    .iter()
                    .map(|one| AssignmentRecord {
                        id: one.id,
                        person: one.person.clone(),
                        seats: one.seats.clone(),
                        stands_in_for: one.stands_in_for.clone(),
                        nonce: Hex(one.nonce),
                    })
                    .collect(),
                due: opened.due.map(At),
            },
            Event::Answered { task, assignment, seat, outcome, opinion, via, seen } => {
                personal.maybe(opinion.as_ref());
                EventRecord::Answered {
                    task: *task,
                    assignment: *assignment,
                    seat: *seat,
                    outcome: outcome.clone(),
                    via: ViaRecord::of(via, personal),
                    seen: seen.map(SeenRecord),
                }
            }
            Event::TaskParked { task } => EventRecord::TaskParked(*task),
            Event::TaskClosed { task, how } => EventRecord::TaskClosed(*task, ClosedRecord::of(how)),
            Event::TimerSet { timer, task, kind, at } => {
                EventRecord::TimerSet(*timer, *task, TimerKindRecord::of(*kind), At(*at))
            }
            Event::TimerFired { timer } => EventRecord::TimerFired(*timer),
            Event::TimerCleared { timer } => EventRecord::TimerCleared(*timer),
            Event::Commented { text } => {
                personal.text(text);
                EventRecord::Commented
            }
            Event::MailQueued { mail, kind, to } => {
                EventRecord::MailQueued(*mail, MailKindRecord::of(kind), to.clone())
            }
            Event::IncidentRaised { token, step, what } => {
                EventRecord::IncidentRaised(*token, step.clone(), TroubleRecord::of(what, personal))
            }
            Event::Ended { outcome, reason } => {
                personal.maybe(reason.as_ref());
                EventRecord::Ended(outcome.clone())
            }
        }
    }

    pub(super) fn into_domain(self, personal: &mut Stored) -> Event {
        match self {
            EventRecord::Started { instance, process, version, number, title, applicant } => Event::Started {
                instance,
                process,
                version,
                number,
                title,
                applicant,
                data: personal.record(),
                key: personal.value(),
                headline: personal.value(),
            },
            EventRecord::Entered(token, step) => Event::Entered { token, step },
            EventRecord::Skipped(token, step) => Event::Skipped { token, step },
            EventRecord::Left { token, step, outcome, by, late } => Event::Left { token, step, outcome, by, late },
            EventRecord::DataSet => Event::DataSet { values: personal.record() },
            EventRecord::Summarised => Event::Summarised { key: personal.value(), headline: personal.value() },
            EventRecord::TaskOpened { task, token, step, kind, round, mode, seats, asks, due } => Event::TaskOpened {
                task,
                opened: Box::new(OpenedTask {
                    token,
                    step,
                    kind: kind.into_domain(),
                    round,
                    mode,
                    seats,
                    assignments: asks
                        .into_iter()
                        .map(|one| OpenedAssignment {
                            id: one.id,
                            person: one.person,
                            seats: one.seats,
                            stands_in_for: one.stands_in_for,
                            nonce: one.nonce.0,
                        })
                        .collect(),
                    due: due.map(|at| at.0),
                }),
            },
            EventRecord::Answered { task, assignment, seat, outcome, via, seen } => Event::Answered {
                task,
                assignment,
                seat,
                outcome,
                opinion: personal.text(),
                via: via.into_domain(personal),
                seen: seen.map(|seen| seen.0),
            },
            EventRecord::TaskParked(task) => Event::TaskParked { task },
            EventRecord::TaskClosed(task, how) => Event::TaskClosed { task, how: how.into_domain() },
            EventRecord::TimerSet(timer, task, kind, at) => {
                Event::TimerSet { timer, task, kind: kind.into_domain(), at: at.0 }
            }
            EventRecord::TimerFired(timer) => Event::TimerFired { timer },
            EventRecord::TimerCleared(timer) => Event::TimerCleared { timer },
            EventRecord::Commented => Event::Commented { text: personal.text().unwrap_or_default() },
            EventRecord::MailQueued(mail, kind, to) => Event::MailQueued { mail, kind: kind.into_domain(), to },
            EventRecord::IncidentRaised(token, step, what) => {
                Event::IncidentRaised { token, step, what: what.into_domain(personal) }
            }
            EventRecord::Ended(outcome) => Event::Ended { outcome, reason: personal.text() },
        }
    }
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

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TaskKindRecord {
    Approve,
    Work,
    Revise(TaskId),
}

impl TaskKindRecord {
    pub(super) fn of(kind: TaskKind) -> TaskKindRecord {
        match kind {
            TaskKind::Approve => TaskKindRecord::Approve,
            TaskKind::Work => TaskKindRecord::Work,
            TaskKind::Revise { of } => TaskKindRecord::Revise(of),
        }
    }

    pub(super) fn into_domain(self) -> TaskKind {
        match self {
            TaskKindRecord::Approve => TaskKind::Approve,
            TaskKindRecord::Work => TaskKind::Work,
            TaskKindRecord::Revise(of) => TaskKind::Revise { of },
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimerKindRecord {
    Remind,
}

impl TimerKindRecord {
    pub(super) fn of(kind: TimerKind) -> TimerKindRecord {
        match kind {
            TimerKind::Remind => TimerKindRecord::Remind,
        }
    }

    pub(super) fn into_domain(self) -> TimerKind {
        match self {
            TimerKindRecord::Remind => TimerKind::Remind,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClosedRecord {
    Decided(Outcome),
    Cancelled,
    WalkedBack,
}

impl ClosedRecord {
    pub(super) fn of(how: &Closed) -> ClosedRecord {
        match how {
            Closed::Decided(outcome) => ClosedRecord::Decided(outcome.clone()),
            Closed::Cancelled => ClosedRecord::Cancelled,
            Closed::WalkedBack => ClosedRecord::WalkedBack,
        }
    }

    pub(super) fn into_domain(self) -> Closed {
        match self {
            ClosedRecord::Decided(outcome) => Closed::Decided(outcome),
            ClosedRecord::Cancelled => Closed::Cancelled,
            ClosedRecord::WalkedBack => Closed::WalkedBack,
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
}

impl MailKindRecord {
    pub(super) fn of(kind: &MailKind) -> MailKindRecord {
        match kind {
            MailKind::Assigned { task, assignment } => MailKindRecord::Assigned(*task, *assignment),
            MailKind::Reminder { task, assignment } => MailKindRecord::Reminder(*task, *assignment),
            MailKind::FreshLink { task, assignment } => MailKindRecord::FreshLink(*task, *assignment),
            MailKind::Decided { task, assignment } => MailKindRecord::Decided(*task, *assignment),
            MailKind::Ended => MailKindRecord::Ended,
            MailKind::Notice { step } => MailKindRecord::Notice(step.clone()),
            MailKind::ActedFor { task } => MailKindRecord::ActedFor(*task),
        }
    }

    pub(super) fn into_domain(self) -> MailKind {
        match self {
            MailKindRecord::Assigned(task, assignment) => MailKind::Assigned { task, assignment },
            MailKindRecord::Reminder(task, assignment) => MailKind::Reminder { task, assignment },
            MailKindRecord::FreshLink(task, assignment) => MailKind::FreshLink { task, assignment },
            MailKindRecord::Decided(task, assignment) => MailKind::Decided { task, assignment },
            MailKindRecord::Ended => MailKind::Ended,
            MailKindRecord::Notice(step) => MailKind::Notice { step },
            MailKindRecord::ActedFor(task) => MailKind::ActedFor { task },
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
        }
    }

    pub(super) fn into_domain(self, personal: &mut Stored) -> Trouble {
        let mut text = || personal.text().unwrap_or_default();
        match self {
            TroubleRecord::Nobody(policy) => Trouble::NobodyToAsk { policy },
            TroubleRecord::Expression => Trouble::Expression { place: text(), zh: text(), en: text() },
            TroubleRecord::NeverWaits => Trouble::NeverWaits,
        }
    }
}
