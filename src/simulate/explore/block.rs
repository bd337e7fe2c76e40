//! How a way enters and leaves blocks, and what a block may write while it runs.
//!
//! One branch after the other stands for all at once, as what they do is disjoint: a way leads from the end of one
//! branch to the beginning of the next, through as many as the block waits for. Of a `race`, a `join: any` and an `each` it
//! walks one.

use super::walk::Turn;
use crate::model::control::Join;
use crate::model::definition::{Definition, Step, StepKind};
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, Outcome, StepId};
use std::sync::Arc;

/// What a way does at the edge of a block in which several things can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Into its first branch, or into one of them.
    Enter(StepId),
    /// Out of a branch and into the next.
    Next(StepId),
    /// Out of its end.
    Join(StepId),
    /// Out of its middle: what else runs in it is cancelled.
    Leave(StepId),
}

/// Where control really goes from a place to a target, and past which edges of blocks; to one place or the other where
/// a block still waits for some of its branches, of how many `todo` tells.
pub(super) fn arrive(
    definition: &Definition,
    from: &Node,
    target: &Node,
    todo: &dyn Fn(&StepId) -> usize,
) -> Vec<(Node, Vec<Move>)> {
    let left = around(definition, from);
    let moved = |place: Node| {
        let reached = around(definition, &place);
        let mut moves = Vec::new();
        for block in &left {
            let joins = *target == Node::Join(block.clone());
            match (reached.contains(block), joins) {
                (true, true) => moves.push(Move::Next(block.clone())),
                (true, false) => {}
                (false, true) => moves.push(Move::Join(block.clone())),
                (false, false) => moves.push(Move::Leave(block.clone())),
            }
        }
        moves.extend(reached.into_iter().rev().filter(|block| !left.contains(block)).map(Move::Enter));
        (place, moves)
    };
    through(definition, from, target, todo).into_iter().map(moved).collect()
}

/// From the end of one branch to the beginnings of those that may come next, or out of the block.
fn through(definition: &Definition, from: &Node, target: &Node, todo: &dyn Fn(&StepId) -> usize) -> Vec<Node> {
    let Node::Join(id) = target else { return vec![target.clone()] };
    let Some(StepKind::Parallel(join)) = definition.steps.get(id).map(|step| &step.kind) else {
        return vec![target.clone()];
    };
    // From the step itself: its first branch is empty.
    let here = branch_of(definition, id, from);
    let later: Vec<Node> = filled(definition, id)
        .into_iter()
        .filter(|branch| here.is_none_or(|here| branch.number > here))
        .map(|branch| branch.first)
        .collect();
    let wanted = match join {
        Join::All => later.len(),
        Join::Any => 0,
        Join::Count(_) => todo(id),
    };
    if wanted == 0 {
        return vec![target.clone()];
    }
    let enough = (later.len() + 1).saturating_sub(wanted);
    later.into_iter().take(enough).collect()
}

/// A branch in which something is done.
pub(super) struct Branch {
    /// Which.
    number: usize,
    /// Its name.
    pub(super) name: Arc<str>,
    /// Where it begins.
    pub(super) first: Node,
}

/// The branches of a block in which something is done.
pub(super) fn filled(definition: &Definition, block: &StepId) -> Vec<Branch> {
    branches(definition, block).filter(|branch| branch.first != Node::Join(block.clone())).collect()
}

/// How many of the branches in which something is done a block waits for.
pub(super) fn awaited(definition: &Definition, block: &StepId) -> usize {
    let filled = filled(definition, block).len();
    let empty = branches(definition, block).count() - filled;
    match definition.steps.get(block).map(|step| &step.kind) {
        Some(StepKind::Parallel(Join::All)) => filled,
        Some(StepKind::Parallel(Join::Count(count))) => usize::from(*count).saturating_sub(empty).min(filled),
        _ => 1,
    }
}

fn branches<'d>(definition: &'d Definition, block: &StepId) -> impl Iterator<Item = Branch> + use<'d> {
    let edges = definition.graph.edges_from(&Node::Step(block.clone()));
    let branches = edges.into_iter().filter_map(|(on, first)| match on {
        On::Branch(name) => Some((name.clone(), first.clone())),
        _ => None,
    });
    let branches: Vec<(Arc<str>, Node)> = branches.collect();
    branches.into_iter().enumerate().map(|(number, (name, first))| Branch { number, name, first })
}

/// The branch of a block in which a place is.
pub(super) fn branch_of(definition: &Definition, block: &StepId, place: &Node) -> Option<usize> {
    let graph = &definition.graph;
    let here = graph.block_of(place)?;
    graph.blocks_of(block).iter().position(|outer| graph.encloses(*outer, here))
}

/// The name of the branch that a turn from a place ends, where a block is over with its first branch.
pub(super) fn winner(definition: &Definition, from: &Node, turn: &Turn, reached: &Node) -> Option<(StepId, Outcome)> {
    let Node::Join(id) = reached else { return None };
    let (StepKind::Race | StepKind::Parallel(Join::Any)) = definition.steps.get(id)?.kind else { return None };
    let name = match turn {
        // Its branch is empty.
        Turn::Way(block, name) if block == id => Outcome::from(name.as_str()),
        _ => Outcome::from(&*branches(definition, id).nth(branch_of(definition, id, from)?)?.name),
    };
    Some((id.clone(), name))
}

/// The blocks around a place in which several things can run, the innermost first.
pub(super) fn around(definition: &Definition, place: &Node) -> Vec<StepId> {
    let (graph, mut found) = (&definition.graph, Vec::new());
    let mut at = graph.block_of(place);
    while let Some(block) = at.and_then(|number| graph.block_at(number)) {
        let holder = block.of.as_ref().and_then(|id| definition.steps.get_key_value(id));
        if let Some((id, Step { kind: StepKind::Parallel(_) | StepKind::Race | StepKind::Each(_), .. })) = holder {
            found.push(id.clone());
        }
        at = block.parent;
    }
    found
}

/// The cases around a place, the outermost first: of which `choose`, and which; none for its `otherwise`.
pub(super) fn cases(definition: &Definition, place: &Node) -> Vec<(StepId, Option<u16>)> {
    let (graph, mut found) = (&definition.graph, Vec::new());
    let mut at = graph.block_of(place);
    while let Some((number, block)) = at.and_then(|number| Some((number, graph.block_at(number)?))) {
        if let Some(choose) = &block.of {
            let leads = |(on, first): &(&On, &Node)| graph.block_of(first) == Some(number).filter(|_| **on != On::Next);
            let edges = graph.edges_from(&Node::Step(choose.clone()));
            found.extend(edges.into_iter().find(leads).and_then(|(on, _)| match on {
                On::Case(case) => Some((choose.clone(), Some(*case))),
                On::Otherwise => Some((choose.clone(), None)),
                _ => None,
            }));
        }
        at = block.parent;
    }
    found.reverse();
    found
}

/// The steps inside a block.
pub(super) fn inside<'d>(
    definition: &'d Definition,
    block: &'d StepId,
) -> impl Iterator<Item = (&'d StepId, &'d Step)> {
    let steps = definition.steps.iter();
    steps.filter(move |(id, _)| branch_of(definition, block, &Node::Step((*id).clone())).is_some())
}

/// The fields that a step can write.
pub(super) fn written(step: &Step) -> Vec<&FieldName> {
    match &step.kind {
        StepKind::Approve(human) | StepKind::Task(human) => human.form.keys().chain(&human.edit).collect(),
        StepKind::Set(fields) => fields.keys().collect(),
        StepKind::Table(look_up) => look_up.take.keys().collect(),
        StepKind::Call(call) => call.take.keys().collect(),
        StepKind::Receive(receive) => receive.take.keys().collect(),
        StepKind::Http(http) => http.take.keys().collect(),
        StepKind::Job(job) => job.take.keys().collect(),
        StepKind::Each(each) => [&each.alias, &each.list].into_iter().chain(each.columns.keys()).collect(),
        _ => Vec::new(),
    }
}
