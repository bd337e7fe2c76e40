//! Where a person's part of a task stands, as the log of the case tells it.
//!
//! ```text
//! TaskOpened · Reassigned to them ─→ Asked ─→ Answered
//!                                      └────→ Over: Reassigned from them, every seat that they could take is taken,
//!                                              or the task parked or closed
//! ```
//!
//! The first that ends it stays: what happens to the task afterwards is not theirs any more. Whoever a task came to
//! later has the same life as who was asked first.

use super::Case;
use crate::engine::command::{Actor, Ask, Via};
use crate::engine::event::{Entry, Event, OpenedAssignment};
use crate::engine::state::TaskKind;
use crate::model::id::{AssignmentId, Outcome, PersonId, StepId, TaskId};
use crate::model::value::Record;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Control moved on by itself: as this step came to its end, where one did.
    MovedOn(Option<StepId>),
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
        // The seats that they may take, and those of each task that others took.
        let mut seats: BTreeSet<u16> = BTreeSet::new();
        let mut filled: BTreeMap<TaskId, BTreeSet<u16>> = BTreeMap::new();
        let asked = |of: &[OpenedAssignment]| {
            let found = of.iter().find(|assignment| assignment.id == id);
            found.map(|assignment| assignment.seats.iter().copied().collect::<BTreeSet<u16>>())
        };
        for entry in case.entries.iter() {
            for event in &entry.events {
                match event {
                    Event::TaskOpened { task, opened } => {
                        kinds.insert(*task, opened.kind);
                        filled.remove(task);
                        if let Some(may) = asked(&opened.assignments) {
                            (own, story.kind, story.opened) = (Some(*task), opened.kind, entry.revision);
                            seats = may;
                        }
                    }
                    Event::Reassigned { task, to, .. } if let Some(may) = asked(to) => {
                        if own.is_none() {
                            (own, story.opened) = (Some(*task), entry.revision);
                            story.kind = kinds.get(task).copied().unwrap_or(story.kind);
                        }
                        seats = may;
                    }
                    Event::Answered { task, assignment, seat, outcome, .. } if *assignment != id => {
                        let filled = filled.entry(*task).or_default();
                        filled.insert(*seat);
                        if own == Some(*task) && seats.is_subset(filled) {
                            story.end = over(entry, How::Answered(outcome.clone()));
                        }
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

fn over(entry: &Entry, how: How) -> Option<Standing> {
    Some(Standing::Over { how, by: entry.command.actor.clone(), at: entry.at })
}

/// The step that came to its end first in an entry: what came from outside, or whose time was over.
fn came(entry: &Entry) -> Option<StepId> {
    entry.events.iter().find_map(|event| match event {
        Event::Left { step, .. } => Some(step.clone()),
        _ => None,
    })
}

/// How an event ends an assignment of a task, if it does.
fn ending(entry: &Entry, event: &Event, id: AssignmentId, own: Option<TaskId>) -> Option<Standing> {
    let over = |how| over(entry, how);
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
                _ => How::MovedOn(came(entry)),
            })
        }
        _ => None,
    }
}
