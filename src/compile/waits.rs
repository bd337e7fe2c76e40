//! Which ways through a process can be gone without anybody or anything having been waited for.
//!
//! People, messages, other systems, workers and other processes are waited for, and so is a length of time that is sure
//! to be more than nothing. A date is over at once where that is past, be it waited for or be it when a step is due
//! that time then decides or leaves; and what may be skipped proves nothing.

use crate::compile::kept;
use crate::compile::lower::{Flow, Placed};
use crate::compile::outcomes::{decided_by_time, skippable};
use crate::expression::extent::proves;
use crate::expression::lasting::lasts;
use crate::expression::{self, Expected, Scope};
use crate::model::definition::{Definition, StepKind as Kind, outcome};
use crate::model::form::Field;
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, StepId};
use crate::syntax::{Call, Join, Process, Step, StepKind};
use std::collections::BTreeSet;

/// A process, to be asked where it waits.
#[derive(Clone, Copy)]
pub(crate) struct Idle<'s, 'a> {
    pub(crate) document: &'a Process,
    pub(crate) flow: &'s Flow<'a>,
    /// As it would run, where that is known: what is computed can be judged then.
    pub(crate) definition: Option<&'s Definition>,
    /// Which called processes may be over at once, where what another system answers at once is not waited for either;
    /// `None` where whatever is outside is waited for.
    pub(crate) at_once: Option<AtOnce<'s>>,
}

/// Whether a call may go on at once; also where it is refused, if that leads the same way.
pub(crate) type AtOnce<'s> = &'s dyn Fn(&Call, bool) -> bool;

impl Idle<'_, '_> {
    /// Whether an edge can be taken without anything having been waited for.
    pub(crate) fn passes(&self, node: &Node, on: &On) -> bool {
        let id = match node {
            Node::Step(id) => id,
            Node::Join(id) => return self.joins(id),
            Node::Start | Node::Finish(_) | Node::Undone(_) => return true,
        };
        let Some(placed) = self.flow.steps.iter().find(|placed| placed.id == *id) else { return true };
        let step = placed.source;
        match &step.kind {
            _ if matches!(on, On::Undo) => false,
            _ if *on == On::Overdue => !self.lasts(placed, Time::Due),
            StepKind::Approve { .. } | StepKind::Task { .. } => {
                *on == On::Next && skippable(step, self.document) || decides(step, on) && !self.lasts(placed, Time::Due)
            }
            StepKind::Receive { .. } | StepKind::Job(_) => *on == On::Next && step.when.is_some(),
            // What failed was tried again later.
            StepKind::Http(http) => match on {
                On::Outcome(_) => self.at_once.is_some() && http.retry.times == Some(0),
                _ => self.at_once.is_some() || step.when.is_some(),
            },
            StepKind::Call(call) if self.at_once.is_some_and(|at_once| at_once(call, is_refusal(step, on))) => true,
            StepKind::Call(call) => *on == On::Next && (step.when.is_some() || call.detached),
            StepKind::Wait { .. } => step.when.is_some() || !self.lasts(placed, Time::Wait),
            _ => true,
        }
    }

    /// Whether the lists of a step can come together without anything having been waited for.
    fn joins(&self, id: &StepId) -> bool {
        let Some(placed) = self.flow.steps.iter().find(|placed| placed.id == *id) else { return true };
        let StepKind::Parallel { branches, join } = &placed.source.kind else { return true };
        let holder = Node::Step(id.clone());
        let edges = self.flow.graph.edges_from(&holder);
        let lists = edges.into_iter().filter(|(on, _)| matches!(on, On::Branch(_)));
        let through = lists.filter(|(_, first)| self.reaches(first, &Node::Join(id.clone()))).count();
        let needed = match join.map_or(Join::All, |join| join.value) {
            Join::All => branches.len(),
            Join::Any => 1,
            Join::Count(count) => usize::from(count).min(branches.len()),
        };
        through >= needed
    }

    /// Whether the list of an `each` always has a row.
    fn has_rows(&self, id: &StepId) -> bool {
        let placed = self.flow.steps.iter().find(|placed| placed.id == *id);
        let Some(StepKind::Each { rows, .. }) = placed.map(|placed| &placed.source.kind) else { return false };
        self.document.form.iter().any(|list| list.name.value == rows.text.trim() && kept::is_full(list))
    }

    /// Whether one place leads to another without anything having been waited for.
    pub(crate) fn reaches(&self, from: &Node, to: &Node) -> bool {
        let (mut queue, mut seen) = (vec![from.clone()], BTreeSet::new());
        while let Some(node) = queue.pop() {
            if node == *to {
                return true;
            }
            if seen.insert(node.clone()) {
                queue.extend(self.past(&node));
            }
        }
        false
    }

    /// Every place that a case can come to from its start without having waited.
    pub(crate) fn reached(&self) -> BTreeSet<Node> {
        let (mut queue, mut seen) = (vec![Node::Start], BTreeSet::new());
        while let Some(node) = queue.pop() {
            if seen.insert(node.clone()) {
                queue.extend(self.past(&node));
            }
        }
        seen
    }

    /// Where a node leads without having waited. A list of an `each` may have no row, unless the start form asks for one.
    pub(crate) fn past(&self, node: &Node) -> Vec<Node> {
        let edges = self.flow.graph.edges_from(node);
        let mut found: Vec<Node> =
            edges.into_iter().filter(|(on, _)| self.passes(node, on)).map(|(_, to)| to.clone()).collect();
        if let Node::Step(id) = node
            && self.flow.graph.next(node, &On::Row).is_some()
            && !self.has_rows(id)
        {
            found.push(Node::Join(id.clone()));
        }
        found
    }
}

/// Which time of a step.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Time {
    /// What a `wait` waits for.
    Wait,
    /// Until when a step is to be done.
    Due,
}

impl Idle<'_, '_> {
    /// Whether a time of a step is a length that is more than nothing, always.
    pub(crate) fn lasts(&self, placed: &Placed<'_>, time: Time) -> bool {
        let text = match (&placed.source.kind, time) {
            (StepKind::Wait { until }, Time::Wait) => Some(until),
            _ => placed.source.due.as_ref(),
        };
        let Some(text) = text else { return false };
        let step = self.definition.and_then(|definition| definition.steps.get(&placed.id));
        let known = match (step.map(|step| &step.kind), time) {
            (Some(Kind::Wait(until)), Time::Wait) => Some(until),
            (_, Time::Due) => step.and_then(|step| step.due()),
            _ => None,
        };
        if let (Some(definition), Some(formula)) = (self.definition, known) {
            let when = step.and_then(|step| step.when.as_ref());
            let proved = when.map(|when| proves(&when.root, true)).unwrap_or_default();
            return lasts(&formula.root, &|name| kept(definition, name), &proved);
        }
        let formula = expression::compile(&text.text, &Scope::new(), &Expected::Time);
        formula.is_ok_and(|formula| lasts(&formula.root, &|_| None, &[]))
    }
}

/// A field whose limits are always kept: people fill it in, or it follows from others.
pub(crate) fn kept<'d>(definition: &'d Definition, name: &FieldName) -> Option<&'d Field> {
    let (_, field) = definition.fields().find(|(known, _)| *known == name)?;
    (field.value.is_some() || !definition.data.contains_key(name)).then_some(field)
}

/// Whether a call goes on so where it is refused, as another case of its key is open.
fn is_refusal(step: &Step, on: &On) -> bool {
    let named = || step.on.iter().any(|(name, _)| name.value == outcome::REFUSED);
    match on {
        On::Outcome(outcome) => outcome.as_str() == outcome::REFUSED,
        On::Otherwise => !named(),
        _ => false,
    }
}

/// Whether time takes a way: the one of the answer that it gives.
fn decides(step: &Step, on: &On) -> bool {
    let Some(decided) = decided_by_time(step) else { return false };
    let leads = step.on.iter().any(|(name, _)| name.value == decided);
    match on {
        On::Outcome(outcome) => outcome.as_str() == decided,
        On::Next => !leads && decided != outcome::REJECTED && decided != outcome::RETURNED,
        _ => false,
    }
}
