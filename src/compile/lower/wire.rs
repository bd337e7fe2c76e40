//! Where every step leads: the edges of the graph, once every step has its node.
//!
//! `go` is followed to its end last, when it is known where each of them leads.

use super::{Found, Item, Jump, List, Lowering, Made, NEXT, Place};
use crate::compile::outcomes::{OTHERWISE, answers, skippable};
use crate::model::definition::outcome;
use crate::model::graph::{Node, On};
use crate::syntax::{Join, Step, StepKind, Target, Then};
use std::collections::BTreeSet;

impl<'a> Lowering<'a> {
    /// Finds out where every step of a list leads; what comes after the last leads to `exit`.
    pub(super) fn wire(&mut self, items: &[Item<'a>], exit: &Place, block: u32) {
        for (at, item) in items.iter().enumerate() {
            let next = items.get(at + 1).map_or_else(|| exit.clone(), Item::entry);
            self.wire_one(item, &next, block);
        }
    }

    fn wire_one(&mut self, item: &Item<'a>, next: &Place, block: u32) {
        let step = item.source;
        match &item.kind {
            Made::Go(number) => {
                if let StepKind::Go { target } = &step.kind {
                    let place = self.target(target, next, block);
                    if let Some(go) = self.goes.get_mut(*number) {
                        go.0 = place;
                    }
                }
            }
            Made::Guard { id, end } => {
                let from = Node::Step(id.clone());
                let there = match (end, &step.kind) {
                    (Some(end), StepKind::End { outcome }) => {
                        let finish = Place::Node(Node::Finish(outcome.value.as_str().into()));
                        self.edges.push((Node::Step(end.clone()), On::Next, finish));
                        Place::Node(Node::Step(end.clone()))
                    }
                    (_, StepKind::Go { target }) => self.target(target, next, block),
                    _ => Place::Nowhere,
                };
                self.edges.push((from.clone(), On::Case(0), there));
                self.edges.push((from, On::Otherwise, next.clone()));
            }
            Made::Block { id, lists } => {
                let (from, join) = (Node::Step(id.clone()), Node::Join(id.clone()));
                for list in lists {
                    self.wire_list(&from, list, Place::Node(join.clone()));
                }
                if step.when.is_some() {
                    // Skipped, a choice has nothing to come together; of the others nothing was opened.
                    let choice = matches!(step.kind, StepKind::Choose { .. });
                    let past = if choice { Place::Node(join.clone()) } else { next.clone() };
                    self.edges.push((from.clone(), On::Next, past));
                }
                self.join(step, join, next, block);
                self.overdue(step, from, next, block);
            }
            Made::Step(id) => {
                let from = Node::Step(id.clone());
                self.leave(step, from.clone(), next, block);
                self.overdue(step, from.clone(), next, block);
                if let Some(undo) = &item.undo {
                    self.wire_list(&from, undo, Place::Node(Node::Undone(id.clone())));
                }
            }
        }
    }

    fn wire_list(&mut self, from: &Node, list: &List<'a>, exit: Place) {
        let first = list.items.first().map_or_else(|| exit.clone(), Item::entry);
        self.edges.push((from.clone(), list.on.clone(), first));
        self.wire(&list.items, &exit, list.block);
    }

    /// The edges of where lists come together: an outcome that `on` does not name flows on.
    fn join(&mut self, step: &'a Step, join: Node, next: &Place, block: u32) {
        let named = |name: &str| step.on.iter().any(|(outcome, _)| outcome.value == name);
        let flows_on = match &step.kind {
            StepKind::Race { branches } => branches.iter().any(|branch| !named(&branch.name.value)),
            StepKind::Parallel { branches, join } if join.is_some_and(|join| join.value == Join::Any) => {
                branches.iter().any(|branch| !named(&branch.name.value))
            }
            _ => true,
        };
        if flows_on {
            self.edges.push((join.clone(), On::Next, next.clone()));
        }
        for (outcome, target) in &step.on {
            let place = self.target(target, next, block);
            self.edges.push((join.clone(), On::Outcome(outcome.value.as_str().into()), place));
        }
    }

    fn overdue(&mut self, step: &'a Step, from: Node, next: &Place, block: u32) {
        if let Some(Then::Go(target)) = step.overdue.as_ref().and_then(|overdue| overdue.then.as_ref()) {
            let place = self.target(target, next, block);
            self.edges.push((from, On::Overdue, place));
        }
    }

    /// The edges of a step that is one node.
    fn leave(&mut self, step: &'a Step, from: Node, next: &Place, block: u32) {
        if let StepKind::End { outcome } = &step.kind {
            self.edges.push((from, On::Next, Place::Node(Node::Finish(outcome.value.as_str().into()))));
            return;
        }
        let answers = answers(step);
        let on = |name: &str| step.on.iter().find(|(outcome, _)| outcome.value == name);
        // An answer that leads nowhere of its own flows on; sent back and rejected do not.
        let flows_on = |name: &str| name != outcome::REJECTED && name != outcome::RETURNED && on(name).is_none();
        // A call leads to `otherwise` what `on` does not name.
        let elsewhere = matches!(step.kind, StepKind::Call(_)) && on(OTHERWISE).is_some();
        let passes = (answers.is_empty() && !elsewhere)
            || skippable(step, self.document)
            || answers.iter().any(|(answer, _)| flows_on(answer.as_str()));
        if passes {
            self.edges.push((from.clone(), On::Next, next.clone()));
        }
        for (answer, _) in &answers {
            if answer.as_str() == outcome::REJECTED && on(outcome::REJECTED).is_none() {
                let finish = Place::Node(Node::Finish(outcome::REJECTED.into()));
                self.edges.push((from.clone(), On::Outcome(answer.clone()), finish));
            }
        }
        for (answer, target) in &step.on {
            let place = self.target(target, next, block);
            let on = match answer.value.as_str() {
                OTHERWISE if elsewhere => On::Otherwise,
                name => On::Outcome(name.into()),
            };
            self.edges.push((from.clone(), on, place));
        }
    }

    /// Where a jump leads, kept for the checks.
    fn target(&mut self, target: &'a Target, next: &Place, from: u32) -> Place {
        let (found, place) = match self.names.get(target.name.as_str()) {
            _ if target.name == NEXT => (Found::Fine, next.clone()),
            Some((_, block, _))
                if self.flow.around(Some(*block), &self.flow.undos)
                    != self.flow.around(Some(from), &self.flow.undos) =>
            {
                (Found::Undo, Place::Nowhere)
            }
            Some((place, block, _)) if self.flow.graph.encloses(*block, from) => (Found::Fine, place.clone()),
            Some(_) => (Found::Inside, Place::Nowhere),
            None => (Found::Nothing, Place::Nowhere),
        };
        self.flow.jumps.push(Jump { target, found });
        place
    }

    /// Follows every `go` to the end and adds the edges.
    pub(super) fn draw(&mut self) {
        let edges = std::mem::take(&mut self.edges);
        for (from, on, place) in edges {
            if let Some(to) = self.settle(place) {
                self.flow.graph.node(to.clone(), 0);
                self.flow.graph.edge(&from, on, &to);
            }
        }
        // A circle of nothing but `go` that nobody comes to is wrong all the same.
        for number in 0..self.goes.len() {
            self.settle(Place::Go(number));
        }
    }

    fn settle(&mut self, place: Place) -> Option<Node> {
        let (mut at, mut seen) = (place, BTreeSet::new());
        loop {
            match at {
                Place::Node(node) => return Some(node),
                Place::Nowhere => return None,
                Place::Go(number) => {
                    let (next, target) = self.goes.get(number)?;
                    if !seen.insert(number) {
                        let target = *target;
                        // Told once, at the first `go` of it.
                        let first = seen.iter().filter_map(|number| self.goes.get(*number)).map(|(_, target)| *target);
                        let first = first.min_by_key(|target| target.span).unwrap_or(target);
                        if !self.flow.circles.iter().any(|told| told.span == first.span) {
                            self.flow.circles.push(first);
                        }
                        return None;
                    }
                    at = next.clone();
                }
            }
        }
    }
}
