//! The stored form of commands, and of the entry around one. Layout 1: every command as it was released.

use super::event::EventRecord;
use super::kind::{CallerRecord, not};
use super::personal::*;
use crate::engine::command::{Actor, Ask, Via};
use crate::engine::fingerprint::Fingerprint;
use crate::model::id::{AssignmentId, InstanceId, Outcome, PersonId, StepId, TaskId, TokenId};
use crate::model::value::Value;
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
    Begin {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<InstanceId>,
        applicant: PersonId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller: Option<CallerRecord>,
    },
    Deliver {
        token: TokenId,
        message: Arc<str>,
        name: Arc<str>,
    },
    ChildEnded {
        token: TokenId,
        child: InstanceId,
        outcome: Outcome,
    },
    CallFailed {
        token: TokenId,
        child: InstanceId,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken: bool,
    },
    Answer {
        token: TokenId,
        attempt: u16,
    },
    Fail {
        token: TokenId,
        attempt: u16,
        #[serde(default, skip_serializing_if = "not")]
        permanent: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<At>,
    },
    Retry(Option<StepId>),
    Skip(Option<StepId>),
    HandOver(PersonId, PersonId),
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
            Ask::Begin { id, applicant, data, caller } => {
                personal.record(data);
                AskRecord::Begin {
                    id: *id,
                    applicant: applicant.clone(),
                    caller: caller.as_ref().map(CallerRecord::of),
                }
            }
            Ask::Deliver { token, message, name, key, data } => {
                personal.maybe(key.as_ref());
                personal.value(Some(data));
                AskRecord::Deliver { token: *token, message: message.clone(), name: name.clone() }
            }
            Ask::ChildEnded { token, child, outcome, data } => {
                personal.record(data);
                AskRecord::ChildEnded { token: *token, child: *child, outcome: outcome.clone() }
            }
            Ask::CallFailed { token, child, what, taken } => {
                personal.wording(what);
                AskRecord::CallFailed { token: *token, child: *child, taken: *taken }
            }
            Ask::Answer { token, attempt, data } => {
                personal.value(Some(data));
                AskRecord::Answer { token: *token, attempt: *attempt }
            }
            Ask::Fail { token, attempt, what, permanent, after } => {
                personal.wording(what);
                AskRecord::Fail { token: *token, attempt: *attempt, permanent: *permanent, after: after.map(At) }
            }
            Ask::Retry { step } => AskRecord::Retry(step.clone()),
            Ask::Skip { step, reason } => {
                personal.text(reason);
                AskRecord::Skip(step.clone())
            }
            Ask::HandOver { from, to } => AskRecord::HandOver(from.clone(), to.clone()),
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
            AskRecord::Begin { id, applicant, caller } => {
                Ask::Begin { id, applicant, data: personal.record(), caller: caller.map(CallerRecord::into_domain) }
            }
            AskRecord::Deliver { token, message, name } => Ask::Deliver {
                token,
                message,
                name,
                key: personal.text(),
                data: personal.value().unwrap_or(Value::Null),
            },
            AskRecord::ChildEnded { token, child, outcome } => {
                Ask::ChildEnded { token, child, outcome, data: personal.record() }
            }
            AskRecord::CallFailed { token, child, taken } => {
                Ask::CallFailed { token, child, what: personal.wording(), taken }
            }
            AskRecord::Answer { token, attempt } => {
                Ask::Answer { token, attempt, data: personal.value().unwrap_or(Value::Null) }
            }
            AskRecord::Fail { token, attempt, permanent, after } => {
                Ask::Fail { token, attempt, what: personal.wording(), permanent, after: after.map(|at| at.0) }
            }
            AskRecord::Retry(step) => Ask::Retry { step },
            AskRecord::Skip(step) => Ask::Skip { step, reason: personal.text().unwrap_or_default() },
            AskRecord::HandOver(from, to) => Ask::HandOver { from, to },
        }
    }
}
