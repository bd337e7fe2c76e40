//! A batch: all that one commit writes, as a value.
//!
//! It takes accepted commands one after the other and keeps their *net* effect, at most one write a row: an
//! instance that moved twice is written once, and an assignment that was opened and closed again is not written
//! at all, as nobody can have had a ticket for it; its mail is written as skipped, so that every mail that the
//! log queued has its row.
//!
//! The rows follow from entries and the definition that they are pinned to, never from anything else that the
//! writer knows, so that they can be built again from the log.

use super::pending::{self, DispatchRow, WaitRow};
use super::query::{AssignmentRow, AssignmentState, Delivery, InstanceRow, OutboxRow};
use super::record::{self, Head, StoredEntry};
use crate::engine::event::{Entry, Event};
use crate::engine::state::{MailKind, State};
use crate::model::definition::Definition;
use crate::model::id::{AssignmentId, CommandId, InstanceId, MailId, StepId, TokenId};
use crate::model::key;
use crate::model::value::Value;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a mail was skipped before anybody looked at it.
pub const TASK_OVER: &str = "task over";

/// All that one commit writes.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// New rows of the log, by instance. Their revisions guard the batch.
    pub entries: Vec<(InstanceId, StoredEntry)>,
    /// Instances that begin.
    pub begun: IndexMap<InstanceId, (InstanceRow, Head)>,
    /// Instances that were there and moved.
    pub moved: IndexMap<InstanceId, (InstanceRow, Head)>,
    /// Assignments that begin.
    pub opened: IndexMap<AssignmentId, AssignmentRow>,
    /// Assignments that were there and are over.
    pub over: IndexMap<AssignmentId, AssignmentState>,
    /// Mails that are queued.
    pub mails: IndexMap<(InstanceId, MailId), OutboxRow>,
    /// Sequences that numbers were taken from: the next number before and after. The first guards the batch.
    pub sequences: BTreeMap<String, (u64, u64)>,
    /// Commands for other instances.
    pub dispatches: IndexMap<CommandId, DispatchRow>,
    /// Dispatched commands that are done.
    pub dispatched: Vec<CommandId>,
    /// Tokens that wait for something outside, or no longer do.
    pub waits: IndexMap<(InstanceId, TokenId), Option<WaitRow>>,
    /// Messages that were read, by whom. Those that were read before guard the batch.
    pub read: BTreeMap<Arc<str>, InstanceId>,
    /// States to spare folding long logs.
    pub snapshots: IndexMap<InstanceId, (u32, String)>,
}

impl Batch {
    /// Whether it writes nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether something has to reach other instances after it.
    pub fn reaches_out(&self) -> bool {
        !self.dispatches.is_empty() || self.waits.values().any(Option::is_some)
    }

    /// Takes an accepted command: its entry, the instance before and after it, the head of the chain before it,
    /// and the salt for what is personal. Answers the new head and how many bytes the entry has.
    pub fn push(
        &mut self,
        definition: &Definition,
        entry: &Entry,
        before: Option<&State>,
        after: &State,
        head: &Head,
        salt: [u8; 16],
    ) -> (Head, usize) {
        let id = after.id;
        let (stored, head) = record::write_entry(id, entry, head, salt);
        let size = stored.structure.len() + stored.personal.as_ref().map_or(0, String::len);
        self.entries.push((id, stored));
        self.assignments(entry, before, after);
        self.queue(entry, after);
        self.reach(entry, before, after);
        let row = instance_row(definition, after);
        match self.begun.get_mut(&id) {
            Some(begun) => *begun = (row, head),
            None if before.is_none() => drop(self.begun.insert(id, (row, head))),
            None => drop(self.moved.insert(id, (row, head))),
        }
        (head, size)
    }

    /// Takes a number of a sequence.
    pub fn number(&mut self, sequence: &str, taken: u64) {
        match self.sequences.get_mut(sequence) {
            Some((_, next)) => *next = taken + 1,
            None => drop(self.sequences.insert(sequence.to_owned(), (taken, taken + 1))),
        }
    }

    /// Who is asked now and was not, and the other way round: the difference of two states.
    fn assignments(&mut self, entry: &Entry, before: Option<&State>, after: &State) {
        for (number, task) in before.iter().flat_map(|state| &state.tasks) {
            let still = after.tasks.get(number).map_or(&[][..], |task| &task.assignments);
            for one in task.assignments.iter().filter(|one| !still.iter().any(|other| other.id == one.id)) {
                let answered = entry
                    .events
                    .iter()
                    .any(|event| matches!(event, Event::Answered { assignment, .. } if *assignment == one.id));
                self.end(one.id, if answered { AssignmentState::Answered } else { AssignmentState::Closed });
            }
        }
        for (number, task) in &after.tasks {
            let known = before.and_then(|state| state.tasks.get(number)).map_or(&[][..], |task| &task.assignments);
            for one in task.assignments.iter().filter(|one| !known.iter().any(|other| other.id == one.id)) {
                let row = AssignmentRow {
                    id: one.id,
                    instance: after.id,
                    task: *number,
                    round: task.round,
                    step: task.step.clone(),
                    person: one.person.clone(),
                    stands_in_for: one.stands_in_for.clone(),
                    nonce: one.nonce,
                    state: AssignmentState::Open,
                    opened_at: task.opened_at,
                    due_at: task.due,
                    row: 0,
                };
                self.opened.insert(one.id, row);
            }
        }
    }

    fn queue(&mut self, entry: &Entry, after: &State) {
        for event in &entry.events {
            let Event::MailQueued { mail, kind, to } = event else { continue };
            let pointless = kind.asks().is_some_and(|(_, assignment)| after.assignment(assignment).is_none());
            let row = OutboxRow {
                instance: after.id,
                mail: *mail,
                kind: kind.clone(),
                to: to.clone(),
                priority: priority(kind),
                state: if pointless { Delivery::Skipped } else { Delivery::Pending },
                attempt: 0,
                next_at: entry.at,
                address: None,
                message_id: None,
                parts: None,
                reply: pointless.then(|| TASK_OVER.to_owned()),
                possibly_twice: false,
                queued_at: entry.at,
                settled_at: pointless.then_some(entry.at),
                row: 0,
            };
            self.mails.insert((after.id, *mail), row);
        }
    }

    /// What reaches beyond the instance.
    fn reach(&mut self, entry: &Entry, before: Option<&State>, after: &State) {
        for row in pending::dispatches(entry, after) {
            self.dispatches.insert(row.id.clone(), row);
        }
        self.dispatched.extend(pending::dispatched(entry).cloned());
        for (token, row) in pending::waits(before, after) {
            self.waits.insert((after.id, token), row);
        }
        for event in &entry.events {
            if let Event::MessageRead { message, .. } = event {
                self.read.insert(message.clone(), after.id);
            }
        }
    }

    fn end(&mut self, id: AssignmentId, state: AssignmentState) {
        if self.opened.swap_remove(&id).is_none() {
            self.over.insert(id, state);
            return;
        }
        for row in self.mails.values_mut() {
            if row.kind.asks().is_some_and(|(_, assignment)| assignment == id) && row.settled_at.is_none() {
                row.state = Delivery::Skipped;
                row.reply = Some(TASK_OVER.to_owned());
                row.settled_at = Some(row.queued_at);
            }
        }
    }
}

/// How urgent a mail is: what asks for a decision goes before reminders, those before news.
fn priority(kind: &MailKind) -> u8 {
    match kind {
        MailKind::Assigned { .. } | MailKind::FreshLink { .. } => 0,
        MailKind::Reminder { .. } | MailKind::Overdue { .. } => 1,
        MailKind::Decided { .. }
        | MailKind::Ended
        | MailKind::Notice { .. }
        | MailKind::ActedFor { .. }
        | MailKind::HandedOver => 2,
    }
}

/// What lists show of a state.
pub fn instance_row(definition: &Definition, state: &State) -> InstanceRow {
    let mut steps: Vec<StepId> = Vec::with_capacity(state.tokens.len());
    for step in state.tokens.values().filter_map(|token| token.step.as_ref()) {
        if !steps.contains(step) {
            steps.push(step.clone());
        }
    }
    InstanceRow {
        id: state.id,
        process: state.process.clone(),
        version: state.version.clone(),
        title: state.title.clone(),
        number: state.number.clone(),
        applicant: state.applicant.clone(),
        started_at: state.started_at,
        revision: state.revision,
        at: state.at,
        ended: state.ended.clone(),
        key: state.key.as_ref().and_then(key_text),
        headline: state.headline.clone(),
        steps,
        incident: state.has_incident(),
        wake_at: state.wake_at(),
        claim: claim(definition, state),
        row: 0,
    }
}

/// The key that an instance has to itself while it is open.
pub fn claim(definition: &Definition, state: &State) -> Option<String> {
    let single = definition.single && state.ended.is_none();
    state.key.as_ref().filter(|_| single).and_then(key_text)
}

fn key_text(value: &Value) -> Option<String> {
    key::text(value).map(|text| text.to_string())
}
