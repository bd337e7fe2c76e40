//! The stored form of events. Layout 1: every event as it was released.

use super::command::{SeenRecord, ViaRecord};
use super::kind::*;
use super::personal::*;
use super::wait::{RowRecord, WaitRecord};
use crate::engine::event::{Event, OpenedTask};
use crate::model::definition::Mode;
use crate::model::id::{
    AssignmentId, BusinessNumber, FieldName, InstanceId, MailId, Outcome, PersonId, ProcessId, ScopeId, StepId, TaskId,
    TimerId, TokenId, Version,
};
use crate::model::text::Text;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller: Option<CallerRecord>,
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
    TimerSet(TimerId, OwnerRecord, TimerKindRecord, At),
    TimerFired(TimerId),
    TimerCleared(TimerId),
    Commented,
    MailQueued(MailId, MailKindRecord, PersonId),
    IncidentRaised(TokenId, StepId, TroubleRecord),
    Ended(Outcome),
    LockAwaited(TokenId, StepId, Arc<str>),
    WaitBegun {
        token: TokenId,
        waits: WaitRecord,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<At>,
    },
    Postponed(TokenId, u16, At),
    ScopeOpened {
        scope: ScopeId,
        holder: TokenId,
        block: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<Arc<str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<RowRecord>,
        token: TokenId,
    },
    ScopeClosed {
        scope: ScopeId,
        #[serde(default, skip_serializing_if = "not")]
        done: bool,
    },
    RowSet(ScopeId),
    WentOverdue {
        token: TokenId,
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
    },
    Reassigned {
        task: TaskId,
        from: AssignmentId,
        to: Vec<AssignmentRecord>,
    },
    HandedOver {
        from: PersonId,
        to: PersonId,
        applicant: bool,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rows: Vec<(TokenId, FieldName)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<(u32, FieldName)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        done: Vec<(TokenId, FieldName)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        steps: Vec<StepId>,
    },
    StageReached(Arc<str>),
    Called {
        token: TokenId,
        step: StepId,
        child: InstanceId,
        process: ProcessId,
        applicant: PersonId,
        depth: u16,
        #[serde(default, skip_serializing_if = "not")]
        detached: bool,
    },
    CallCancelled(InstanceId),
    MessageRead(TokenId, Arc<str>),
    UndoNoted {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<RowRecord>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unsure: Option<At>,
    },
    EndBegun(Outcome),
    UndoBegun {
        step: StepId,
        scope: ScopeId,
        block: u32,
        token: TokenId,
    },
    UndoLeft(StepId),
    UndoSkipped(TokenId, StepId),
    CameLate(TokenId),
    Unusable(TokenId),
}

impl EventRecord {
    pub(super) fn of<'a>(event: &'a Event, personal: &mut Personal<'a>) -> EventRecord {
        match event {
            Event::Started { instance, process, version, number, title, applicant, data, key, headline, caller } => {
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
                    caller: caller.as_ref().map(CallerRecord::of),
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
                asks: opened.assignments.iter().map(AssignmentRecord::of).collect(),
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
            Event::TimerSet { timer, of, kind, at } => {
                EventRecord::TimerSet(*timer, OwnerRecord::of(*of), TimerKindRecord::of(*kind), At(*at))
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
            Event::LockAwaited { token, step, lock } => EventRecord::LockAwaited(*token, step.clone(), lock.clone()),
            Event::WaitBegun { token, waits, due } => {
                EventRecord::WaitBegun { token: *token, waits: WaitRecord::of(waits, personal), due: due.map(At) }
            }
            Event::Postponed { token, attempt, at, zh, en } => {
                personal.text(zh);
                personal.text(en);
                EventRecord::Postponed(*token, *attempt, At(*at))
            }
            Event::ScopeOpened { scope, holder, block, branch, row, token } => EventRecord::ScopeOpened {
                scope: *scope,
                holder: *holder,
                block: *block,
                branch: branch.clone(),
                row: row.as_deref().map(|row| RowRecord::of(row, personal)),
                token: *token,
            },
            Event::ScopeClosed { scope, done } => EventRecord::ScopeClosed { scope: *scope, done: *done },
            Event::RowSet { scope, values } => {
                personal.record(values);
                EventRecord::RowSet(*scope)
            }
            Event::WentOverdue { token, step, task } => {
                EventRecord::WentOverdue { token: *token, step: step.clone(), task: *task }
            }
            Event::Reassigned { task, from, to } => {
                EventRecord::Reassigned { task: *task, from: *from, to: to.iter().map(AssignmentRecord::of).collect() }
            }
            Event::HandedOver { from, to, applicant, rows, kept, done, steps } => EventRecord::HandedOver {
                from: from.clone(),
                to: to.clone(),
                applicant: *applicant,
                rows: rows.clone(),
                kept: kept.clone(),
                done: done.clone(),
                steps: steps.clone(),
            },
            Event::StageReached { stage } => EventRecord::StageReached(stage.clone()),
            Event::Called { token, step, child, process, applicant, with, depth, detached } => {
                personal.record(with);
                EventRecord::Called {
                    token: *token,
                    step: step.clone(),
                    child: *child,
                    process: process.clone(),
                    applicant: applicant.clone(),
                    depth: *depth,
                    detached: *detached,
                }
            }
            Event::CallCancelled { child } => EventRecord::CallCancelled(*child),
            Event::MessageRead { token, message } => EventRecord::MessageRead(*token, message.clone()),
            Event::UndoNoted { step, row, unsure } => EventRecord::UndoNoted {
                step: step.clone(),
                row: row.as_deref().map(|row| RowRecord::of(row, personal)),
                unsure: unsure.map(At),
            },
            Event::EndBegun { outcome, reason } => {
                personal.maybe(reason.as_ref());
                EventRecord::EndBegun(outcome.clone())
            }
            Event::UndoBegun { step, scope, block, token } => {
                EventRecord::UndoBegun { step: step.clone(), scope: *scope, block: *block, token: *token }
            }
            Event::UndoLeft { step } => EventRecord::UndoLeft(step.clone()),
            Event::UndoSkipped { token, step, reason } => {
                personal.text(reason);
                EventRecord::UndoSkipped(*token, step.clone())
            }
            Event::CameLate { token } => EventRecord::CameLate(*token),
            Event::Unusable { token, zh, en } => {
                personal.text(zh);
                personal.text(en);
                EventRecord::Unusable(*token)
            }
        }
    }

    pub(super) fn into_domain(self, personal: &mut Stored) -> Event {
        match self {
            EventRecord::Started { instance, process, version, number, title, applicant, caller } => Event::Started {
                instance,
                process,
                version,
                number,
                title,
                applicant,
                data: personal.record(),
                key: personal.value(),
                headline: personal.value(),
                caller: caller.map(CallerRecord::into_domain),
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
                    assignments: asks.into_iter().map(AssignmentRecord::into_domain).collect(),
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
            EventRecord::TimerSet(timer, of, kind, at) => {
                Event::TimerSet { timer, of: of.into_domain(), kind: kind.into_domain(), at: at.0 }
            }
            EventRecord::TimerFired(timer) => Event::TimerFired { timer },
            EventRecord::TimerCleared(timer) => Event::TimerCleared { timer },
            EventRecord::Commented => Event::Commented { text: personal.text().unwrap_or_default() },
            EventRecord::MailQueued(mail, kind, to) => Event::MailQueued { mail, kind: kind.into_domain(), to },
            EventRecord::IncidentRaised(token, step, what) => {
                Event::IncidentRaised { token, step, what: what.into_domain(personal) }
            }
            EventRecord::Ended(outcome) => Event::Ended { outcome, reason: personal.text() },
            EventRecord::LockAwaited(token, step, lock) => Event::LockAwaited { token, step, lock },
            EventRecord::WaitBegun { token, waits, due } => {
                Event::WaitBegun { token, waits: Box::new(waits.into_domain(personal)), due: due.map(|at| at.0) }
            }
            EventRecord::Postponed(token, attempt, at) => Event::Postponed {
                token,
                attempt,
                at: at.0,
                zh: personal.text().unwrap_or_default(),
                en: personal.text().unwrap_or_default(),
            },
            EventRecord::ScopeOpened { scope, holder, block, branch, row, token } => Event::ScopeOpened {
                scope,
                holder,
                block,
                branch,
                row: row.map(|row| Box::new(row.into_domain(personal))),
                token,
            },
            EventRecord::ScopeClosed { scope, done } => Event::ScopeClosed { scope, done },
            EventRecord::RowSet(scope) => Event::RowSet { scope, values: personal.record() },
            EventRecord::WentOverdue { token, step, task } => Event::WentOverdue { token, step, task },
            EventRecord::Reassigned { task, from, to } => {
                Event::Reassigned { task, from, to: to.into_iter().map(AssignmentRecord::into_domain).collect() }
            }
            EventRecord::HandedOver { from, to, applicant, rows, kept, done, steps } => {
                Event::HandedOver { from, to, applicant, rows, kept, done, steps }
            }
            EventRecord::StageReached(stage) => Event::StageReached { stage },
            EventRecord::Called { token, step, child, process, applicant, depth, detached } => {
                Event::Called { token, step, child, process, applicant, with: personal.record(), depth, detached }
            }
            EventRecord::CallCancelled(child) => Event::CallCancelled { child },
            EventRecord::MessageRead(token, message) => Event::MessageRead { token, message },
            EventRecord::UndoNoted { step, row, unsure } => Event::UndoNoted {
                step,
                row: row.map(|row| Box::new(row.into_domain(personal))),
                unsure: unsure.map(|at| at.0),
            },
            EventRecord::EndBegun(outcome) => Event::EndBegun { outcome, reason: personal.text() },
            EventRecord::UndoBegun { step, scope, block, token } => Event::UndoBegun { step, scope, block, token },
            EventRecord::UndoLeft(step) => Event::UndoLeft { step },
            EventRecord::UndoSkipped(token, step) => {
                Event::UndoSkipped { token, step, reason: personal.text().unwrap_or_default() }
            }
            EventRecord::CameLate(token) => Event::CameLate { token },
            EventRecord::Unusable(token) => Event::Unusable {
                token,
                zh: personal.text().unwrap_or_default(),
                en: personal.text().unwrap_or_default(),
            },
        }
    }
}
