//! Which ways through a process can be gone without anybody or anything having been waited for.
//!
//! People, messages, other systems, workers and other processes are waited for, and so is a length of time. A wait
//! for a date is over at once where that is past, and what may be skipped proves nothing.

use crate::compile::lower::Flow;
use crate::compile::outcomes::skippable;
use crate::compile::typing::constant;
use crate::expression::{self, Expected, Scope};
use crate::model::graph::{Node, On};
use crate::model::id::StepId;
use crate::model::time::Duration;
use crate::model::value::Value;
use crate::syntax::{FeelText, Join, Process, StepKind};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// A process, to be asked where it waits.
#[derive(Clone, Copy)]
pub(crate) struct Idle<'s, 'a> {
    pub(crate) document: &'a Process,
    pub(crate) flow: &'s Flow<'a>,
}

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
            StepKind::Approve { .. } | StepKind::Task { .. } => *on == On::Next && skippable(step, self.document),
            StepKind::Receive { .. } | StepKind::Http(_) | StepKind::Job(_) => *on == On::Next && step.when.is_some(),
            StepKind::Call(call) => *on == On::Next && (step.when.is_some() || call.detached),
            StepKind::Wait { until } => step.when.is_some() || !lasts(until),
            _ => *on != On::Overdue,
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
            Join::Count(count) => usize::from(count),
        };
        through >= needed
    }

    fn reaches(&self, from: &Node, to: &Node) -> bool {
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

    /// Where a node leads without having waited. A list of an `each` may have no row.
    pub(crate) fn past(&self, node: &Node) -> Vec<Node> {
        let edges = self.flow.graph.edges_from(node);
        let mut found: Vec<Node> =
            edges.into_iter().filter(|(on, _)| self.passes(node, on)).map(|(_, to)| to.clone()).collect();
        if let Node::Step(id) = node
            && self.flow.graph.next(node, &On::Row).is_some()
        {
            found.push(Node::Join(id.clone()));
        }
        found
    }
}

/// Whether a wait is for a length of time that is more than nothing.
fn lasts(until: &FeelText) -> bool {
    let formula = expression::compile(&until.text, &Scope::new(), &Expected::Time);
    match formula.as_ref().ok().and_then(constant) {
        Some(Value::Duration(Duration::Seconds(seconds))) => *seconds > Decimal::ZERO,
        Some(Value::Duration(
            Duration::Months(count) | Duration::WorkingDays(count) | Duration::WorkingMinutes(count),
        )) => *count > 0,
        _ => false,
    }
}
