//! The graph with every way that may be there besides those that were understood, so that what is not there whatever
//! they are can be told beside other faults.
//!
//! What was not understood may go on behind its item, end the case, and lead to every step that it names. A jump to no
//! step may lead to the one that its name is like, or to any if it is like none; one into a block leads there.

use super::Subject;
use crate::compile::lower::Found;
use crate::diagnostics::{Span, suggest};
use crate::model::definition::outcome;
use crate::model::graph::{Node, On, StateGraph};
use crate::model::id::StepId;

/// The graph so opened; only to be asked what can be reached, and from where an end can be.
pub(super) fn graph(subject: &Subject<'_>) -> StateGraph {
    let mut opened = Opened { subject, graph: subject.flow.graph.clone() };
    for (item, words) in subject.reading.turns() {
        opened.behind(item);
        opened.named(|id| words.contains(id));
    }
    let known = || subject.flow.steps.iter().filter_map(|placed| placed.source.id.as_ref()).map(|id| id.value.as_str());
    for jump in subject.flow.jumps.iter().filter(|jump| jump.found != Found::Fine) {
        opened.ends(jump.target.span);
        let name = jump.target.name.as_str();
        match jump.found {
            Found::Inside | Found::Undo => opened.named(|id| id == name),
            _ if super::unknown_step::is_end(name) => {}
            _ => {
                let close = suggest::closest(name, known());
                opened.named(|id| close.is_none_or(|close| id == close));
            }
        }
    }
    for circle in &subject.flow.circles {
        opened.ends(circle.span);
        opened.named(|_| true);
    }
    opened.graph
}

struct Opened<'s, 'a> {
    subject: &'s Subject<'a>,
    graph: StateGraph,
}

impl Opened<'_, '_> {
    /// An item may lead to what is in it, to what is behind it, and to an end.
    fn behind(&mut self, item: Span) {
        let after = self.subject.flow.steps.iter().find(|placed| placed.source.span.start >= item.end);
        let within = self.subject.flow.steps.iter().filter(|placed| item.holds(placed.source.span));
        for placed in within.chain(after) {
            self.reach(Node::Step(placed.id.clone()));
        }
        self.ends(item);
    }

    /// What stands at a place, or right before it, may lead to an end of its list and of the case.
    fn ends(&mut self, at: Span) {
        let Some(here) = self.subject.flow.steps.iter().rfind(|placed| placed.source.span.start <= at.start) else {
            return;
        };
        let here = Node::Step(here.id.clone());
        let holder = self.graph.block_of(&here).and_then(|block| self.graph.block_at(block)?.of.clone());
        let end = Node::Finish(outcome::DONE.into());
        self.graph.node(end.clone(), 0);
        self.graph.edge(&here, On::Next, &end);
        if let Some(holder) = holder {
            self.reach(Node::Join(holder));
        }
    }

    /// Steps that may be led to, by their ids.
    fn named(&mut self, may_be: impl Fn(&str) -> bool) {
        let named: Vec<StepId> =
            self.subject.flow.steps.iter().map(|placed| &placed.id).filter(|id| may_be(id.as_str())).cloned().collect();
        for id in named {
            self.reach(Node::Step(id));
        }
    }

    fn reach(&mut self, node: Node) {
        self.graph.edge(&Node::Start, On::Next, &node);
    }
}
