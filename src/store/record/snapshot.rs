//! The stored form of states. Snapshots hold what is personal in place, as they are deleted whole.

use super::LAYOUT;
use super::log::*;
use super::personal::*;
use crate::engine::command::Via;
use crate::engine::event::Trouble;
use crate::engine::state::{Answer, Assignment, ClosedTask, Ended, Next, Scope, State, StepResult, Task, Timer, Token};
use crate::model::definition::{Mode, Nobody};
use crate::model::id::{
    AssignmentId, BusinessNumber, InstanceId, Outcome, PersonId, ProcessId, ScopeId, StepId, TaskId, TimerId, TokenId,
    Version,
};
use crate::model::text::Text;
use crate::model::value::{Record, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
pub(super) struct StateRecord {
    pub(super) v: u32,
    pub(super) id: InstanceId,
    pub(super) process: ProcessId,
    pub(super) version: Version,
    pub(super) number: Option<BusinessNumber>,
    pub(super) title: Text,
    pub(super) applicant: PersonId,
    pub(super) starter: PersonId,
    pub(super) started_at: At,
    pub(super) revision: u32,
    pub(super) at: At,
    pub(super) key: Option<Value>,
    pub(super) headline: Option<Value>,
    pub(super) data: Record,
    pub(super) ended: Option<(Outcome, At)>,
    pub(super) scopes: BTreeMap<ScopeId, (Option<ScopeId>, u32)>,
    pub(super) tokens: BTreeMap<TokenId, TokenState>,
    pub(super) tasks: BTreeMap<TaskId, TaskState>,
    pub(super) closed: BTreeMap<TaskId, ClosedState>,
    pub(super) timers: BTreeMap<TimerId, (TaskId, TimerKindRecord, At)>,
    pub(super) steps: BTreeMap<StepId, StepState>,
    pub(super) next: [u32; 5],
}

#[derive(Serialize, Deserialize)]
pub(super) struct TokenState {
    pub(super) scope: ScopeId,
    pub(super) step: Option<StepId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) incident: Option<TroubleState>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TroubleState {
    Nobody(Nobody),
    Expression(Arc<str>, Arc<str>, Arc<str>),
    NeverWaits,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TaskState {
    pub(super) token: TokenId,
    pub(super) step: StepId,
    pub(super) kind: TaskKindRecord,
    pub(super) round: u32,
    pub(super) mode: Mode,
    pub(super) seats: Vec<Option<AssignmentId>>,
    pub(super) asks: Vec<AssignmentRecord>,
    pub(super) opened_at: At,
    pub(super) due: Option<At>,
    #[serde(default, skip_serializing_if = "not")]
    pub(super) parked: bool,
    pub(super) answers: Vec<AnswerState>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ClosedState {
    pub(super) step: StepId,
    pub(super) kind: TaskKindRecord,
    pub(super) how: ClosedRecord,
    pub(super) at: At,
    pub(super) answers: Vec<AnswerState>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct AnswerState {
    pub(super) assignment: AssignmentId,
    #[serde(rename = "who")]
    pub(super) person: PersonId,
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub(super) stands_in_for: Option<PersonId>,
    pub(super) outcome: Outcome,
    pub(super) opinion: Option<Arc<str>>,
    pub(super) via: ViaState,
    pub(super) at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ViaState {
    Link(Arc<str>),
    Shell(Arc<str>),
    Scenario,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StepState {
    pub(super) outcome: Outcome,
    pub(super) by: Vec<PersonId>,
    pub(super) at: At,
    #[serde(default, skip_serializing_if = "not")]
    pub(super) late: bool,
}

impl AnswerState {
    pub(super) fn of(answer: &Answer) -> AnswerState {
        AnswerState {
            assignment: answer.assignment,
            person: answer.person.clone(),
            stands_in_for: answer.stands_in_for.clone(),
            outcome: answer.outcome.clone(),
            opinion: answer.opinion.clone(),
            via: match &answer.via {
                Via::Link { mail } => ViaState::Link(mail.clone()),
                Via::Shell { user } => ViaState::Shell(user.clone()),
                Via::Scenario => ViaState::Scenario,
            },
            at: At(answer.at),
        }
    }

    pub(super) fn into_domain(self) -> Answer {
        Answer {
            assignment: self.assignment,
            person: self.person,
            stands_in_for: self.stands_in_for,
            outcome: self.outcome,
            opinion: self.opinion,
            via: match self.via {
                ViaState::Link(mail) => Via::Link { mail },
                ViaState::Shell(user) => Via::Shell { user },
                ViaState::Scenario => Via::Scenario,
            },
            at: self.at.0,
        }
    }
}

impl StateRecord {
    pub(super) fn of(state: &State) -> StateRecord {
        let token = |token: &Token| TokenState {
            scope: token.scope,
            step: token.step.clone(),
            incident: token.incident.as_ref().map(|what| match what {
                Trouble::NobodyToAsk { policy } => TroubleState::Nobody(*policy),
                Trouble::Expression { place, zh, en } => {
                    TroubleState::Expression(place.clone(), zh.clone(), en.clone())
                }
                Trouble::NeverWaits => TroubleState::NeverWaits,
            }),
        };
        let task = |task: &Task| TaskState {
            token: task.token,
            step: task.step.clone(),
            kind: TaskKindRecord::of(task.kind),
            round: task.round,
            mode: task.mode,
            seats: task.seats.clone(),
            asks: task
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
            opened_at: At(task.opened_at),
            due: task.due.map(At),
            parked: task.parked,
            answers: task.answers.iter().map(AnswerState::of).collect(),
        };
        let closed = |task: &ClosedTask| ClosedState {
            step: task.step.clone(),
            kind: TaskKindRecord::of(task.kind),
            how: ClosedRecord::of(&task.how),
            at: At(task.at),
            answers: task.answers.iter().map(AnswerState::of).collect(),
        };
        let step = |result: &StepResult| StepState {
            outcome: result.outcome.clone(),
            by: result.by.clone(),
            at: At(result.at),
            late: result.late,
        };
        let Next { token: next_token, scope, task: next_task, timer, mail } = state.next;
        StateRecord {
            v: LAYOUT,
            id: state.id,
            process: state.process.clone(),
            version: state.version.clone(),
            number: state.number.clone(),
            title: state.title.clone(),
            applicant: state.applicant.clone(),
            starter: state.starter.clone(),
            started_at: At(state.started_at),
            revision: state.revision,
            at: At(state.at),
            key: state.key.clone(),
            headline: state.headline.clone(),
            data: state.data.clone(),
            ended: state.ended.as_ref().map(|ended| (ended.outcome.clone(), At(ended.at))),
            scopes: state.scopes.iter().map(|(id, scope)| (*id, (scope.parent, scope.block))).collect(),
            tokens: state.tokens.iter().map(|(id, it)| (*id, token(it))).collect(),
            tasks: state.tasks.iter().map(|(id, it)| (*id, task(it))).collect(),
            closed: state.closed.iter().map(|(id, it)| (*id, closed(it))).collect(),
            timers: state
                .timers
                .iter()
                .map(|(id, it)| (*id, (it.task, TimerKindRecord::of(it.kind), At(it.at))))
                .collect(),
            steps: state.steps.iter().map(|(id, it)| (id.clone(), step(it))).collect(),
            next: [next_token, scope, next_task, timer, mail],
        }
    }

    pub(super) fn into_domain(self) -> State {
        let token = |token: TokenState| Token {
            scope: token.scope,
            step: token.step,
            incident: token.incident.map(|what| match what {
                TroubleState::Nobody(policy) => Trouble::NobodyToAsk { policy },
                TroubleState::Expression(place, zh, en) => Trouble::Expression { place, zh, en },
                TroubleState::NeverWaits => Trouble::NeverWaits,
            }),
        };
        let task = |task: TaskState| Task {
            token: task.token,
            step: task.step,
            kind: task.kind.into_domain(),
            round: task.round,
            mode: task.mode,
            seats: task.seats,
            assignments: task
                .asks
                .into_iter()
                .map(|one| Assignment {
                    id: one.id,
                    person: one.person,
                    seats: one.seats,
                    stands_in_for: one.stands_in_for,
                    nonce: one.nonce.0,
                })
                .collect(),
            opened_at: task.opened_at.0,
            due: task.due.map(|at| at.0),
            parked: task.parked,
            answers: task.answers.into_iter().map(AnswerState::into_domain).collect(),
        };
        let closed = |task: ClosedState| ClosedTask {
            step: task.step,
            kind: task.kind.into_domain(),
            how: task.how.into_domain(),
            at: task.at.0,
            answers: task.answers.into_iter().map(AnswerState::into_domain).collect(),
        };
        let [next_token, scope, next_task, timer, mail] = self.next;
        State {
            id: self.id,
            process: self.process,
            version: self.version,
            number: self.number,
            title: self.title,
            applicant: self.applicant,
            starter: self.starter,
            started_at: self.started_at.0,
            revision: self.revision,
            at: self.at.0,
            key: self.key,
            headline: self.headline,
            data: self.data,
            ended: self.ended.map(|(outcome, at)| Ended { outcome, at: at.0 }),
            scopes: self.scopes.into_iter().map(|(id, (parent, block))| (id, Scope { parent, block })).collect(),
            tokens: self.tokens.into_iter().map(|(id, it)| (id, token(it))).collect(),
            tasks: self.tasks.into_iter().map(|(id, it)| (id, task(it))).collect(),
            closed: self.closed.into_iter().map(|(id, it)| (id, closed(it))).collect(),
            timers: self
                .timers
                .into_iter()
                .map(|(id, (task, kind, at))| (id, Timer { task, kind: kind.into_domain(), at: at.0 }))
                .collect(),
            steps: self
                .steps
                .into_iter()
                .map(|(id, it)| (id, StepResult { outcome: it.outcome, by: it.by, at: it.at.0, late: it.late }))
                .collect(),
            next: Next { token: next_token, scope, task: next_task, timer, mail },
        }
    }
}
