//! A command at work: the instance as it becomes, what happened so far, and how tokens move.
//!
//! [`Run::emit`] is the only way anything changes here, and it folds with the same function as a replay does:
//! what `decide` answers cannot differ from what the log says. Tokens move one at a time, by [`Run::advance`],
//! until each waits for people or is gone; 1,000 steps without a wait are an incident.

use super::apply;
use super::command::{Actor, Command, Via};
use super::event::{Closed, Event, Trouble};
use super::state::{MailKind, State, TaskKind};
use super::step::{self, Flow};
use super::{Facts, form, scope};
use crate::expression::Failure;
use crate::model::definition::{Definition, outcome};
use crate::model::formula::Formula;
use crate::model::graph::{Node, On};
use crate::model::id::{AssignmentId, InstanceId, MailId, Outcome, PersonId, StepId, TaskId, TimerId, TokenId};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::{Builder, Uuid};

/// The most steps that one command passes without anybody being asked.
const AUTOMATIC_STEPS: usize = 1_000;

/// A command at work on an instance.
pub(super) struct Run<'a> {
    /// What it is an instance of.
    pub definition: &'a Definition,
    /// The world.
    pub facts: &'a Facts<'a>,
    /// What is asked.
    pub command: &'a Command,
    /// The time of it all, never before the last entry.
    pub now: DateTime<Utc>,
    /// The instance as it is by now.
    pub state: State,
    /// What happened so far.
    pub events: Vec<Event>,
    /// Ids drawn so far.
    pub drawn: u32,
}

impl Run<'_> {
    /// Lets something happen.
    pub(super) fn emit(&mut self, event: Event) {
        // An event of ours always fits its own state; a log that does not is refused when it is read.
        let folded = apply::step(&mut self.state, self.now, &event);
        debug_assert!(folded.is_some(), "an event that does not fit: {event:?}");
        self.events.push(event);
    }

    /// The next 32 bytes that follow from the command's seed.
    pub(super) fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        draw(&self.facts.seed, self.drawn)
    }

    /// A new assignment id with its nonce. The id begins with the time, so that new rows land next to each other;
    /// what a ticket rests on is the nonce and its key.
    pub(super) fn draw_assignment(&mut self) -> (AssignmentId, [u8; 16]) {
        let bytes = self.draw();
        let (mut random, mut nonce) = ([0; 10], [0; 16]);
        random.copy_from_slice(&bytes[..10]);
        nonce.copy_from_slice(&bytes[16..]);
        (AssignmentId(timed(self.now, &random)), nonce)
    }

    /// What an expression yields here.
    pub(super) fn evaluate(&self, formula: &Formula, assignee: Option<&PersonId>) -> Result<Value, Failure> {
        scope::evaluate(&self.state, self.facts, self.now, formula, &self.state.data, assignee, None)
    }

    /// Moves a token from a node along the edge of what happened there, and on until it waits.
    pub(super) fn advance(&mut self, token: TokenId, from: Node, on: On) {
        let (mut from, mut on) = (from, on);
        for _ in 0..AUTOMATIC_STEPS {
            let next = self.definition.graph.next(&from, &on);
            // A rejection never goes on as if it were none.
            let rejected = matches!(&on, On::Outcome(outcome) if outcome.as_str() == outcome::REJECTED);
            let next = if rejected { next } else { next.or_else(|| self.definition.graph.next(&from, &On::Next)) };
            match next {
                Some(Node::Finish(outcome)) => return self.end(outcome.clone(), None),
                Some(node @ Node::Step(id)) => match step::enter(self, token, id) {
                    Flow::Leave(taken) => {
                        from = node.clone();
                        on = taken;
                    }
                    Flow::Wait => return,
                    Flow::Stop(what) => {
                        return self.emit(Event::IncidentRaised { token, step: id.clone(), what });
                    }
                },
                Some(node @ Node::Join(id)) => {
                    self.left(token, id, outcome::DONE.into(), Vec::new(), false);
                    from = node.clone();
                    on = On::Next;
                }
                Some(Node::Start) | None if rejected => return self.end(outcome::REJECTED.into(), None),
                Some(Node::Start) | None => return self.end(outcome::DONE.into(), None),
            }
        }
        if let Some(step) = self.state.tokens.get(&token).and_then(|token| token.step.clone()) {
            self.emit(Event::IncidentRaised { token, step, what: Trouble::NeverWaits });
        }
    }

    /// Notes that a step is done.
    pub(super) fn left(&mut self, token: TokenId, step: &StepId, outcome: Outcome, by: Vec<PersonId>, late: bool) {
        self.emit(Event::Left { token, step: step.clone(), outcome, by, late });
    }

    /// Ends the case: closes all that is open, and tells the applicant unless they did it themselves.
    pub(super) fn end(&mut self, outcome: Outcome, reason: Option<Arc<str>>) {
        let open: Vec<TaskId> = self.state.tasks.keys().copied().collect();
        for task in open {
            self.close_task(task, Closed::Cancelled);
        }
        self.emit(Event::Ended { outcome, reason });
        let applicant = self.state.applicant.clone();
        if self.command.actor.person() != Some(&applicant) {
            // The mail of the end tells of the decision that led to it.
            self.drop_decided_mail();
            self.mail(MailKind::Ended, applicant);
        }
    }

    /// Ends a task, and its timers with it.
    pub(super) fn close_task(&mut self, task: TaskId, how: Closed) {
        self.clear_timers(task);
        self.emit(Event::TaskClosed { task, how });
    }

    /// Removes the timers of a task.
    pub(super) fn clear_timers(&mut self, task: TaskId) {
        let timers: Vec<TimerId> =
            self.state.timers.iter().filter(|(_, timer)| timer.task == task).map(|(number, _)| *number).collect();
        for timer in timers {
            self.emit(Event::TimerCleared { timer });
        }
    }

    /// Queues a mail.
    pub(super) fn mail(&mut self, kind: MailKind, to: PersonId) {
        let mail = MailId(self.state.next.mail);
        self.emit(Event::MailQueued { mail, kind, to });
    }

    /// Takes back the mail about a decision of this command, where another one tells of it too.
    pub(super) fn drop_decided_mail(&mut self) {
        self.events.retain(|event| !matches!(event, Event::MailQueued { kind: MailKind::Decided { .. }, .. }));
    }

    /// Tells a person that a shell user acted in their name.
    pub(super) fn tell_acted_for(&mut self, task: Option<TaskId>) {
        if let Actor::Person { id, via: Via::Shell { .. } } = &self.command.actor {
            self.mail(MailKind::ActedFor { task }, id.clone());
        }
    }

    /// Sets fields, re-computes what follows from them, and answers all that changed.
    ///
    /// # Errors
    /// The computed field whose expression failed, and what it said.
    pub(super) fn set(&mut self, values: Record) -> Result<Record, form::Computed> {
        let mut data = self.state.data.clone();
        data.extend(values);
        let eval = |formula: &Formula, data: &Record| {
            scope::evaluate(&self.state, self.facts, self.now, formula, data, None, None)
        };
        form::compute(&self.definition.form, &mut data, &eval)?;
        form::compute(&self.definition.data, &mut data, &eval)?;
        let changed: Record =
            data.into_iter().filter(|(name, value)| self.state.data.get(name) != Some(value)).collect();
        if !changed.is_empty() {
            self.emit(Event::DataSet { values: changed.clone() });
            let (key, headline) = summary(self.definition, &self.state.data);
            if (&key, &headline) != (&self.state.key, &self.state.headline) {
                self.emit(Event::Summarised { key, headline });
            }
        }
        Ok(changed)
    }

    /// Whether a task is answered after its due time.
    pub(super) fn is_late(&self, task: TaskId) -> bool {
        self.state.tasks.get(&task).and_then(|task| task.due).is_some_and(|due| self.now > due)
    }

    /// Whether a task of this kind decides on the case, so that whose case it is may not.
    pub(super) fn decides(&self, kind: TaskKind) -> bool {
        kind == TaskKind::Approve
    }
}

/// The key and the headline of an instance with this data.
pub(super) fn summary(definition: &Definition, data: &Record) -> (Option<Value>, Option<Value>) {
    let of = |field: &Option<crate::model::id::FieldName>| {
        field.as_ref().and_then(|name| data.get(name)).filter(|value| !value.is_null()).cloned()
    };
    (of(&definition.key), of(&definition.headline))
}

/// A new instance id: its first bits are the time, so that ids sort by it.
pub(super) fn new_instance(facts: &Facts<'_>) -> InstanceId {
    let bytes = draw(&facts.seed, 0);
    let mut random = [0; 10];
    random.copy_from_slice(&bytes[..10]);
    InstanceId(timed(facts.now, &random))
}

fn timed(now: DateTime<Utc>, random: &[u8; 10]) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, random).into_uuid()
}

fn draw(seed: &[u8; 16], count: u32) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"countersign/draw/v1");
    hash.update(seed);
    hash.update(count.to_le_bytes());
    hash.finalize().into()
}
