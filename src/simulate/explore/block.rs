//! How a way enters and leaves blocks, and what a block may write while it runs.
//!
//! One branch after the other stands for all at once, as what they do is disjoint: a way leads from the end of one
//! branch of a `join: all` to the beginning of the next. Of another block it walks one branch.

use super::walk::Turn;
use crate::model::control::Join;
use crate::model::definition::{Definition, Step, StepKind};
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, Outcome, StepId};

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

/// Where control really goes from a place to a target, and past which edges of blocks.
pub(super) fn arrive(definition: &Definition, from: &Node, target: Node) -> (Node, Vec<Move>) {
    let place = through(definition, from, &target);
    let (left, reached) = (around(definition, from), around(definition, &place));
    let mut moves = Vec::new();
    for block in &left {
        let joins = target == Node::Join(block.clone());
        match (reached.contains(block), joins) {
            (true, true) => moves.push(Move::Next(block.clone())),
            (true, false) => {}
            (false, true) => moves.push(Move::Join(block.clone())),
            (false, false) => moves.push(Move::Leave(block.clone())),
        }
    }
    moves.extend(reached.into_iter().rev().filter(|block| !left.contains(block)).map(Move::Enter));
    (place, moves)
}

/// From the end of one branch of a `join: all` to the beginning of the next.
fn through(definition: &Definition, from: &Node, target: &Node) -> Node {
    let Node::Join(id) = target else { return target.clone() };
    let Some(StepKind::Parallel(Join::All)) = definition.steps.get(id).map(|step| &step.kind) else {
        return target.clone();
    };
    let graph = &definition.graph;
    // From the step itself: its first branch is empty.
    let branch = branch_of(definition, id, from).unwrap_or(0);
    let holder = Node::Step(id.clone());
    let edges = graph.edges_from(&holder);
    let mut after = edges.into_iter().filter(|(on, _)| matches!(on, On::Branch(_))).skip(branch + 1);
    after.find(|(_, next)| *next != target).map_or_else(|| target.clone(), |(_, next)| next.clone())
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
        _ => {
            let holder = Node::Step(id.clone());
            let edges = definition.graph.edges_from(&holder);
            let mut names =
                edges.into_iter().filter_map(|(on, _)| if let On::Branch(name) = on { Some(name) } else { None });
            Outcome::from(&**names.nth(branch_of(definition, id, from)?)?)
        }
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
