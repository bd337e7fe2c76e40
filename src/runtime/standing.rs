//! Where a person's part of a task stands, as the log of the case tells it.
//!
//! ```text
//! TaskOpened · Reassigned to them ─→ Asked ─→ Answered
//!                                      └────→ Over: Reassigned from them, or the task parked or closed
//! ```
//!
//! The first that ends it stays: what happens to the task afterwards is not theirs any more. Whoever a task came to
//! later has the same life as who was asked first.

use super::Case;
use crate::engine::command::{Actor, Ask, Via};
use crate::engine::event::{Entry, Event, OpenedAssignment};
use crate::engine::state::TaskKind;
use crate::model::id::{AssignmentId, Outcome, PersonId, TaskId};
use crate::model::value::Record;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a person's part of a task stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// They are asked.
    Asked,
    /// They are asked, but this link is too old; a fresh one is mailed on request.
    Expired,
    /// They answered.
    Answered {
        /// What.
        outcome: Outcome,
        /// In their words.
        opinion: Option<Arc<str>>,
        /// The form, as they handed it in.
        values: Record,
        /// How they came in.
        via: Via,
        /// When.
        at: DateTime<Utc>,
    },
    /// The task went on without them.
    Over {
        /// How.
        how: How,
        /// Whose doing it was.
        by: Actor,
        /// When.
        at: DateTime<Utc>,
    },
}

/// How a task went on without somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// Someone else answered it, so; a return among them.
    Answered(Outcome),
    /// It is asked of others instead: of nobody new, where those who are asked beside are enough.
    Passed {
        /// Of whom.
        to: Vec<PersonId>,
        /// As it was not answered in time; handed over where not.
        late: bool,
    },
    /// The case was taken back.
    Withdrawn,
    /// The case was stopped.
    Cancelled,
    /// The case was revised and walks again from an earlier step.
    Revised,
    /// Control moved on by itself.
    MovedOn,
}

/// What the log says of one assignment.
pub(super) struct Story {
    /// What the task asks.
    pub(super) kind: TaskKind,
    /// The revision in which the person was asked.
    pub(super) opened: u32,
    /// How it ended for them, once it did.
    pub(super) end: Option<Standing>,
}

impl Story {
    pub(super) fn of(case: &Case, id: AssignmentId) -> Story {
        let mut story = Story { kind: TaskKind::Approve, opened: case.state.revision, end: None };
        let mut kinds: BTreeMap<TaskId, TaskKind> = BTreeMap::new();
        let mut own: Option<TaskId> = None;
        let is_asked = |of: &[OpenedAssignment]| of.iter().any(|assignment| assignment.id == id);
        for entry in case.entries.iter() {
            for event in &entry.events {
                match event {
                    Event::TaskOpened { task, opened } => {
                        kinds.insert(*task, opened.kind);
                        if is_asked(&opened.assignments) {
                            (own, story.kind, story.opened) = (Some(*task), opened.kind, entry.revision);
                        }
                    }
                    Event::Reassigned { task, to, .. } if own.is_none() && is_asked(to) => {
                        (own, story.opened) = (Some(*task), entry.revision);
                        story.kind = kinds.get(task).copied().unwrap_or(story.kind);
                    }
                    _ => story.end = ending(entry, event, id, own),
                }
                if story.end.is_some() {
                    return story;
                }
            }
        }
        story
    }
}

/// How an event ends an assignment of a task, if it does.
fn ending(entry: &Entry, event: &Event, id: AssignmentId, own: Option<TaskId>) -> Option<Standing> {
    let over = |how| Some(Standing::Over { how, by: entry.command.actor.clone(), at: entry.at });
    match event {
        Event::Answered { assignment, outcome, opinion, via, .. } if *assignment == id => {
            let values = match &entry.command.ask {
                Ask::Decide { values, .. } => values.clone(),
                Ask::Revise { data, .. } => data.clone(),
                _ => Record::new(),
            };
            let (outcome, opinion, via, at) = (outcome.clone(), opinion.clone(), via.clone(), entry.at);
            Some(Standing::Answered { outcome, opinion, values, via, at })
        }
        Event::Reassigned { from, to, .. } if *from == id => over(How::Passed {
            to: to.iter().map(|one| one.person.clone()).collect(),
            late: !matches!(entry.command.ask, Ask::HandOver { .. }),
        }),
        Event::TaskClosed { task, .. } | Event::TaskParked { task } if own == Some(*task) => {
            over(match &entry.command.ask {
                Ask::Decide { outcome, .. } => How::Answered(outcome.clone()),
                Ask::Withdraw { .. } => How::Withdrawn,
                Ask::Cancel { .. } => How::Cancelled,
                Ask::Revise { .. } => How::Revised,
                _ => How::MovedOn,
            })
        }
        _ => None,
    }
}
