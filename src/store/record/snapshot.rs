//! The stored form of states. Snapshots hold what is personal in place, as they are deleted whole.

use super::LAYOUT;
use super::kind::*;
use super::personal::*;
use super::wait::{RowRecord, WaitRecord};
use crate::engine::command::Via;
use crate::engine::event::Trouble;
use crate::engine::state::{
    Answer, Assignment, ClosedTask, Ended, Ending, Next, Scope, State, Task, Timer, Token, Undoable,
};
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
    pub(super) timers: BTreeMap<TimerId, (OwnerRecord, TimerKindRecord, At)>,
    pub(super) steps: BTreeMap<StepId, StepRecord>,
    pub(super) next: [u32; 5],
    /// What is known of scopes besides, but for the instance itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) blocks: BTreeMap<ScopeId, ScopeState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) caller: Option<CallerRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stage: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) undo: Vec<(StepId, Option<Whole<RowRecord>>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ending: Option<(Outcome, Option<Arc<str>>)>,
    /// Of the calls in `undo` whose result nobody waited for, by their place: until when they may be under way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) unsure: BTreeMap<usize, At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) quiet: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) doubtful: Option<ScopeId>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) handed: BTreeMap<StepId, BTreeMap<PersonId, PersonId>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ScopeState {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) holder: Option<TokenId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<Whole<RowRecord>>,
}

impl ScopeState {
    /// `None` where there is nothing to say.
    fn of(scope: &Scope) -> Option<ScopeState> {
        let row = scope.row.as_ref().map(|row| Whole::of(|personal| RowRecord::of(row, personal)));
        let state = ScopeState { holder: scope.holder, branch: scope.branch.clone(), row };
        (state.holder.is_some() || state.branch.is_some() || state.row.is_some()).then_some(state)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct TokenState {
    pub(super) scope: ScopeId,
    pub(super) step: Option<StepId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) incident: Option<TroubleState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) waits: Option<Whole<WaitRecord>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due: Option<At>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TroubleState {
    Nobody(Nobody),
    Expression(Arc<str>, Arc<str>, Arc<str>),
    NeverWaits,
    Failed(Arc<str>, Arc<str>, Arc<str>),
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<ScopeId>,
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
                Trouble::Failed { place, zh, en } => TroubleState::Failed(place.clone(), zh.clone(), en.clone()),
            }),
            waits: token.waits.as_ref().map(|waits| Whole::of(|personal| WaitRecord::of(waits, personal))),
            due: token.due.map(At),
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
            row: task.row,
            kind: TaskKindRecord::of(task.kind),
            how: ClosedRecord::of(&task.how),
            at: At(task.at),
            answers: task.answers.iter().map(AnswerState::of).collect(),
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
                .map(|(id, it)| (*id, (OwnerRecord::of(it.of), TimerKindRecord::of(it.kind), At(it.at))))
                .collect(),
            steps: state.steps.iter().map(|(id, it)| (id.clone(), StepRecord::of(it))).collect(),
            next: [next_token, scope, next_task, timer, mail],
            blocks: state.scopes.iter().filter_map(|(id, scope)| Some((*id, ScopeState::of(scope)?))).collect(),
            caller: state.caller.as_ref().map(CallerRecord::of),
            stage: state.stage.clone(),
            undo: state
                .undo
                .iter()
                .map(|it| {
                    let row = it.row.as_ref().map(|row| Whole::of(|personal| RowRecord::of(row, personal)));
                    (it.step.clone(), row)
                })
                .collect(),
            ending: state.ending.as_ref().map(|ending| (ending.outcome.clone(), ending.reason.clone())),
            unsure: state.undo.iter().enumerate().filter_map(|(place, it)| Some((place, At(it.unsure?)))).collect(),
            quiet: state.ending.as_ref().and_then(|ending| ending.quiet).map(At),
            doubtful: state.ending.as_ref().and_then(|ending| ending.doubtful),
            handed: state.handed.clone(),
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
                TroubleState::Failed(place, zh, en) => Trouble::Failed { place, zh, en },
            }),
            waits: token.waits.map(|waits| waits.into_domain(WaitRecord::into_domain)),
            due: token.due.map(|at| at.0),
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
            row: task.row,
            kind: task.kind.into_domain(),
            how: task.how.into_domain(),
            at: task.at.0,
            answers: task.answers.into_iter().map(AnswerState::into_domain).collect(),
        };
        let mut blocks = self.blocks;
        let scope = |(id, (parent, block)): (ScopeId, (Option<ScopeId>, u32))| {
            let (holder, branch, row) = match blocks.remove(&id) {
                Some(known) => (known.holder, known.branch, known.row),
                None => (None, None, None),
            };
            let row = row.map(|row| row.into_domain(RowRecord::into_domain));
            (id, Scope { parent, block, holder, branch, row })
        };
        let [next_token, next_scope, next_task, timer, mail] = self.next;
        let mut unsure = self.unsure;
        let mut undoable = |(place, (step, row)): (usize, (StepId, Option<Whole<RowRecord>>))| Undoable {
            step,
            row: row.map(|row| row.into_domain(RowRecord::into_domain)),
            unsure: unsure.remove(&place).map(|at| at.0),
        };
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
            scopes: self.scopes.into_iter().map(scope).collect(),
            tokens: self.tokens.into_iter().map(|(id, it)| (id, token(it))).collect(),
            tasks: self.tasks.into_iter().map(|(id, it)| (id, task(it))).collect(),
            closed: self.closed.into_iter().map(|(id, it)| (id, closed(it))).collect(),
            timers: self
                .timers
                .into_iter()
                .map(|(id, (of, kind, at))| (id, Timer { of: of.into_domain(), kind: kind.into_domain(), at: at.0 }))
                .collect(),
            steps: self.steps.into_iter().map(|(id, it)| (id, it.into_domain())).collect(),
            next: Next { token: next_token, scope: next_scope, task: next_task, timer, mail },
            caller: self.caller.map(CallerRecord::into_domain),
            stage: self.stage,
            undo: self.undo.into_iter().enumerate().map(&mut undoable).collect(),
            ending: self.ending.map(|(outcome, reason)| Ending {
                outcome,
                reason,
                quiet: self.quiet.map(|at| at.0),
                doubtful: self.doubtful,
            }),
            handed: self.handed,
        }
    }
}
