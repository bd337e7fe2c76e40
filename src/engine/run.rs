//! A command at work: the instance as it becomes, what happened so far, and how tokens move.
//!
//! [`Run::emit`] is the only way anything changes here, and it folds with the same function as a replay does:
//! what `decide` answers cannot differ from what the log says. Tokens move one at a time, in the order in which
//! their moves were set off, until each waits or is gone; 1,000 steps without a wait are an incident.

use super::apply;
use super::command::{Actor, Command, Via};
use super::computed::{self, Computed};
use super::event::{Closed, Event, Trouble};
use super::refusal::Refusal;
use super::scope::{self, Place};
use super::state::{MailKind, Owner, Row, State, TaskKind, TimerKind, Token, Waiting};
use super::step::{self, Flow};
use super::{Facts, block, columns, form, undo};
use crate::expression::Failure;
use crate::model::control::{Each, Undo};
use crate::model::definition::{Definition, StepKind, outcome};
use crate::model::formula::Formula;
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, MailId, Outcome, PersonId, ScopeId, StepId, TaskId, TimerId, TokenId};
use crate::model::value::{Record, Value};
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

/// The most steps that one command passes without anybody being asked.
const AUTOMATIC_STEPS: usize = 1_000;
/// How many more for every row or branch that it opens.
const STEPS_A_ROW: usize = 20;

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
    /// A key that another open case has to itself, and the refusal of a second: no step writes it.
    pub taken: Option<(&'a Value, &'a Refusal)>,
    /// Moves that wait for their turn.
    queue: VecDeque<(TokenId, Move)>,
    /// Whether moves are being made.
    walking: bool,
    /// Moves made so far.
    steps: usize,
    /// How many scopes there had been before.
    scopes: u32,
}

/// How a token is to move.
enum Move {
    /// From a node, on what happened there.
    Along(Node, On),
    /// Into a step.
    Into(StepId),
}

impl<'a> Run<'a> {
    /// A command that begins to work.
    pub(super) fn new(definition: &'a Definition, facts: &'a Facts<'a>, command: &'a Command, state: State) -> Run<'a> {
        let (now, scopes) = (facts.now.max(state.at), state.next.scope);
        let (events, queue) = (Vec::new(), VecDeque::new());
        Run {
            definition,
            facts,
            command,
            now,
            state,
            events,
            drawn: 0,
            taken: None,
            queue,
            walking: false,
            steps: 0,
            scopes,
        }
    }

    /// Lets something happen.
    pub(super) fn emit(&mut self, event: Event) {
        // An event of ours always fits its own state; a log that does not is refused when it is read.
        let folded = apply::step(&mut self.state, self.now, &event);
        debug_assert!(folded.is_some(), "an event that does not fit: {event:?}");
        self.events.push(event);
    }

    /// What an expression yields where a token is.
    pub(super) fn evaluate(
        &self,
        token: TokenId,
        formula: &Formula,
        assignee: Option<&PersonId>,
    ) -> Result<Value, Failure> {
        let place = Place { assignee, ..self.place(token) };
        place.evaluate(self.facts, self.now, formula, &self.data(token))
    }

    /// Where a token is.
    pub(super) fn place(&self, token: TokenId) -> Place<'_> {
        Place::new(&self.state, self.scope_of(token))
    }

    /// The fields as they are seen where a token is.
    pub(super) fn data(&self, token: TokenId) -> Cow<'_, Record> {
        scope::data(&self.state, self.scope_of(token))
    }

    pub(super) fn scope_of(&self, token: TokenId) -> ScopeId {
        self.state.tokens.get(&token).map_or(ScopeId(0), |token| token.scope)
    }

    /// Moves a token from a node along the edge of what happened there, and on until it waits.
    pub(super) fn advance(&mut self, token: TokenId, from: Node, on: On) {
        self.queue.push_back((token, Move::Along(from, on)));
        self.walk();
    }

    /// Lets a token enter a step, and go on from there until it waits.
    pub(super) fn enter(&mut self, token: TokenId, step: StepId) {
        self.queue.push_back((token, Move::Into(step)));
        self.walk();
    }

    /// Moves tokens until each waits or is gone. What a move sets off waits for its turn.
    fn walk(&mut self) {
        if std::mem::replace(&mut self.walking, true) {
            return;
        }
        while let Some((token, next)) = self.queue.pop_front().or_else(|| self.next_turn()) {
            if self.state.ended.is_some() || !self.state.tokens.contains_key(&token) {
                continue;
            }
            self.steps += 1;
            // Rows bring a walk of their own.
            if self.steps > AUTOMATIC_STEPS + STEPS_A_ROW * self.state.next.scope.saturating_sub(self.scopes) as usize {
                self.never_waits(token, next);
            } else {
                self.make(token, next);
            }
        }
        self.walking = false;
    }

    /// The token whose turn it is, where a lock has come free: the one that has waited longest.
    fn next_turn(&self) -> Option<(TokenId, Move)> {
        let waiting = self.state.tokens.iter().filter_map(|(number, token)| match &token.waits {
            Some(Waiting::Lock { name, since }) => Some((*since, *number, name, token.step.as_ref()?)),
            _ => None,
        });
        let free = waiting.filter(|(_, number, lock, _)| !self.is_locked(lock, *number));
        free.min_by_key(|(since, number, ..)| (*since, *number))
            .map(|(_, number, _, step)| (number, Move::Into(step.clone())))
    }

    /// Whether a token that comes to a step waits its turn: another has the lock, or was there before.
    pub(super) fn must_queue(&self, lock: &str, token: TokenId) -> bool {
        let queues = |token: &Token| matches!(&token.waits, Some(Waiting::Lock { name, .. }) if **name == *lock);
        let called = self.state.tokens.get(&token).is_some_and(queues);
        self.is_locked(lock, token) || (!called && self.state.tokens.values().any(queues))
    }

    /// Whether another token's step has a lock.
    fn is_locked(&self, lock: &str, token: TokenId) -> bool {
        self.state.tokens.iter().any(|(number, other)| {
            let step = other.step.as_ref().and_then(|step| self.definition.steps.get(step));
            let waits = matches!(other.waits, Some(Waiting::Lock { .. }));
            *number != token && !waits && step.is_some_and(|step| step.lock.as_deref() == Some(lock))
        })
    }

    fn never_waits(&mut self, token: TokenId, next: Move) {
        let step = match next {
            Move::Along(Node::Step(step) | Node::Join(step) | Node::Undone(step), _) | Move::Into(step) => step,
            Move::Along(Node::Start | Node::Finish(_), _) => return,
        };
        self.emit(Event::IncidentRaised { token, step, what: Trouble::NeverWaits });
    }

    fn make(&mut self, token: TokenId, next: Move) {
        let (from, on) = match next {
            Move::Into(step) => return self.come_to(token, Node::Step(step)),
            Move::Along(from, on) => (from, on),
        };
        let graph = &self.definition.graph;
        let next = graph.next(&from, &on);
        // A rejection never goes on as if it were none.
        let rejected = matches!(&on, On::Outcome(outcome) if outcome.as_str() == outcome::REJECTED);
        let next = if rejected { next } else { next.or_else(|| graph.next(&from, &On::Next)) };
        match next {
            Some(node) => self.come_to(token, node.clone()),
            None if rejected => self.end(outcome::REJECTED.into(), None),
            None => self.end(outcome::DONE.into(), None),
        }
    }

    fn come_to(&mut self, token: TokenId, node: Node) {
        match &node {
            Node::Start => {}
            Node::Finish(outcome) => self.finish(token, outcome.clone()),
            Node::Undone(_) => undo::done(self, token),
            Node::Join(id) if self.holds_scope_of(token, id) => block::arrive(self, token, id),
            Node::Join(id) => {
                let token = block::leave_for(self, token, &node);
                self.left(token, id, outcome::DONE.into(), Vec::new(), false);
                self.advance(token, node.clone(), On::Next);
            }
            Node::Step(id) => {
                let token = block::leave_for(self, token, &node);
                match step::enter(self, token, id) {
                    Flow::Leave(on) => self.advance(token, node.clone(), on),
                    Flow::Past(on) => self.advance(token, Node::Join(id.clone()), on),
                    Flow::Wait => {}
                    Flow::Stop(what) => self.emit(Event::IncidentRaised { token, step: id.clone(), what }),
                }
            }
        }
    }

    /// Whether a step holds the scope of a token, so that its join is where the token arrives.
    fn holds_scope_of(&self, token: TokenId, id: &StepId) -> bool {
        let scope = self.state.scopes.get(&self.scope_of(token));
        let holder = scope.and_then(|scope| scope.holder).and_then(|holder| self.state.tokens.get(&holder));
        holder.is_some_and(|holder| holder.step.as_ref() == Some(id))
    }

    /// A token came to an end of the case.
    fn finish(&mut self, token: TokenId, outcome: Outcome) {
        let step = self.state.tokens.get(&token).and_then(|token| token.step.as_ref());
        let compensates = step.and_then(|step| self.definition.steps.get(step)).is_some_and(|s| s.undo == Undo::First);
        if compensates { undo::begin(self, outcome, None) } else { self.end(outcome, None) }
    }

    /// Notes that a step is done.
    pub(super) fn left(&mut self, token: TokenId, step: &StepId, outcome: Outcome, by: Vec<PersonId>, late: bool) {
        let undoable = undo::notes(self, step, &outcome);
        self.emit(Event::Left { token, step: step.clone(), outcome, by, late });
        if undoable {
            let row = self.row_of(token);
            self.emit(Event::UndoNoted { step: step.clone(), row, unsure: None });
        }
        block::win(self, token);
    }

    /// The row that a token is in.
    pub(super) fn row_of(&self, token: TokenId) -> Option<Box<Row>> {
        scope::rows(&self.state, self.scope_of(token)).next().cloned().map(Box::new)
    }

    /// Ends the case: takes back what was done where it came to no good end, then closes all that is open.
    pub(super) fn end(&mut self, outcome: Outcome, reason: Option<Arc<str>>) {
        if [outcome::REJECTED, outcome::WITHDRAWN, outcome::CANCELLED].contains(&outcome.as_str()) {
            undo::begin(self, outcome, reason);
        } else {
            self.close_everything();
            self.end_now(outcome, reason);
        }
    }

    /// Ends the case, of which nothing is open, and tells the applicant; where compensation came first, they were told
    /// when it began.
    pub(super) fn end_now(&mut self, outcome: Outcome, reason: Option<Arc<str>>) {
        let told = self.state.ending.is_some();
        self.emit(Event::Ended { outcome, reason });
        if !told {
            self.tell_end();
        }
    }

    /// Tells the applicant that the case ends, unless they did it themselves.
    pub(super) fn tell_end(&mut self) {
        let applicant = self.state.applicant.clone();
        if self.command.actor.person() != Some(&applicant) {
            // The mail of the end tells of the decision that led to it.
            self.drop_decided_mail();
            self.mail(MailKind::Ended, applicant);
        }
    }

    /// Closes all that is open: blocks from the inside out, tasks, calls.
    pub(super) fn close_everything(&mut self) {
        let outermost: Vec<TokenId> = self.state.tokens.keys().copied().collect();
        for token in outermost {
            // Closing one may take others with it.
            if self.state.tokens.contains_key(&token) {
                block::cancel(self, token);
            }
        }
    }

    /// Ends a task, and its timers with it.
    pub(super) fn close_task(&mut self, task: TaskId, how: Closed) {
        self.clear_timers(Owner::Task(task));
        self.emit(Event::TaskClosed { task, how });
    }

    /// Sets a timer.
    pub(super) fn set_timer(&mut self, of: Owner, kind: TimerKind, at: DateTime<Utc>) {
        let timer = TimerId(self.state.next.timer);
        self.emit(Event::TimerSet { timer, of, kind, at });
    }

    /// Removes the timers of a task or token.
    pub(super) fn clear_timers(&mut self, of: Owner) {
        let timers: Vec<TimerId> =
            self.state.timers.iter().filter(|(_, timer)| timer.of == of).map(|(number, _)| *number).collect();
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

    /// Sets what was filled in or taken where a token is: columns of its row, or fields of the case.
    ///
    /// # Errors
    /// The computed field whose expression failed, and what it said.
    pub(super) fn set_at(&mut self, token: TokenId, values: Record) -> Result<Record, Computed> {
        self.set_leaving(token, values, &[])
    }

    /// The same, where some steps are left without an answer: what their forms compute is none any more.
    ///
    /// # Errors
    /// The computed field whose expression failed, and what it said.
    pub(super) fn set_leaving(&mut self, token: TokenId, values: Record, left: &[StepId]) -> Result<Record, Computed> {
        match scope::row_scope(&self.state, self.scope_of(token)) {
            Some(scope) => self.set_row(token, scope, values, left),
            None => self.set_case(values, left),
        }
    }

    fn set_row(&mut self, token: TokenId, scope: ScopeId, values: Record, left: &[StepId]) -> Result<Record, Computed> {
        let Some(row) = self.state.scopes.get(&scope).and_then(|scope| scope.row.as_ref()) else {
            return Ok(Record::new());
        };
        let alias = row.alias.clone();
        let mut data = self.data(token).into_owned();
        data.extend(row.columns.iter().map(|(name, value)| (name.clone(), value.clone())));
        data.extend(values.iter().map(|(name, value)| (name.clone(), value.clone())));
        let mut wanted: Record = row.columns.clone();
        wanted.extend(values);
        if let Some(each) = self.each_of(scope) {
            let place = self.place(token);
            let due = computed::of_row(self.definition, each, &place, left);
            computed::compute(&due, &mut data, &|formula, data| {
                let mut data = data.clone();
                scope::overlay(&mut data, row, each.columns.keys());
                place.evaluate(self.facts, self.now, formula, &data)
            })?;
            wanted.extend(due.iter().filter_map(|due| Some((due.name.clone(), data.get(due.name)?.clone()))));
        }
        let changed: Record = wanted.into_iter().filter(|(name, value)| row.columns.get(name) != Some(value)).collect();
        if changed.is_empty() {
            return Ok(Record::new());
        }
        self.emit(Event::RowSet { scope, values: changed.clone() });
        // To a guard it is the row that changed, or where the row is a plain value, what stands beside it.
        let mut told = changed;
        told.insert(alias, Value::Null);
        Ok(told)
    }

    /// A value as the field or column of this name holds it where a token is.
    pub(super) fn stored(&self, token: TokenId, name: &FieldName, value: Value) -> Value {
        let row = scope::row_scope(&self.state, self.scope_of(token)).and_then(|row| self.each_of(row));
        match row.and_then(|each| each.columns.get(name)) {
            Some(column) => form::stored(&column.kind, value),
            None => form::store(self.definition, name, value),
        }
    }

    /// The `each` whose row a scope is.
    pub(super) fn each_of(&self, scope: ScopeId) -> Option<&Each> {
        let block = self.state.scopes.get(&scope)?.block;
        let step = self.definition.graph.block_at(block)?.of.as_ref()?;
        match &self.definition.steps.get(step)?.kind {
            StepKind::Each(each) => Some(each),
            _ => None,
        }
    }

    /// Sets fields of the case, re-computes what follows from them, and answers all that changed.
    ///
    /// # Errors
    /// The computed field whose expression failed, and what it said.
    pub(super) fn set(&mut self, values: Record) -> Result<Record, Computed> {
        self.set_case(values, &[])
    }

    fn set_case(&mut self, values: Record, left: &[StepId]) -> Result<Record, Computed> {
        let place = Place::new(&self.state, ScopeId(0));
        let due = computed::of_case(self.definition, &place, &values, left);
        let mut data = self.state.data.clone();
        data.extend(values);
        columns::widen(self.definition, &mut data);
        let eval = |formula: &Formula, data: &Record| place.evaluate(self.facts, self.now, formula, data);
        computed::compute(&due, &mut data, &eval)?;
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

    /// Whether a token leaves its step after the step's due time.
    pub(super) fn token_is_late(&self, token: TokenId) -> bool {
        self.state.tokens.get(&token).and_then(|token| token.due).is_some_and(|due| self.now > due)
    }

    /// Whether it is their own case: they started it, applied, or it is about them.
    pub(super) fn is_own(&self, person: &PersonId) -> bool {
        let about = self.definition.about.as_ref().and_then(|name| self.state.data.get(name));
        *person == self.state.applicant
            || *person == self.state.starter
            || matches!(about, Some(Value::Person(about)) if about == person)
    }

    /// Whether a task of this kind decides on the case, so that whose case it is may not.
    pub(super) fn decides(&self, kind: TaskKind) -> bool {
        kind == TaskKind::Approve
    }
}

/// The key and the headline of an instance with this data.
pub(super) fn summary(definition: &Definition, data: &Record) -> (Option<Value>, Option<Value>) {
    let of = |field: &Option<FieldName>| {
        field.as_ref().and_then(|name| data.get(name)).filter(|value| !value.is_null()).cloned()
    };
    (of(&definition.key), of(&definition.headline))
}
