//! Everything that can happen in a process, without data: how it ends and in how many ways, who must decide, what
//! is written to whom, how long it takes, and what its guards make impossible.
//!
//! A way is one through the process that goes back nowhere: what a loop or a revision walks again is no way of its own, as
//! it goes on as one of the others, but where only that leads to an end. Whatever a running case can come to is listed here; `withdrawn` and `cancelled` are possible everywhere and are not.

mod block;
mod guard;
mod inline;
mod known;
mod places;
mod time;
mod walk;

use crate::model::definition::{Definition, StepKind};
use crate::model::graph::{Node, On};
use crate::model::id::{Outcome, StepId};
use block::Move;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use places::Walk;
pub use time::Length;
pub use walk::Turn;

/// What can happen in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How it can end.
    pub ends: Vec<End>,
    /// The steps that people can come to, in order.
    pub asked: Vec<Asked>,
    /// What is written to people besides what they are asked.
    pub notices: Vec<Notice>,
    /// What cannot happen although it is drawn.
    pub never: Vec<Never>,
    /// How many places were walked.
    pub places: usize,
    /// Whether there were too many kinds of data to tell them all apart, so that some of what is listed may be
    /// impossible after all.
    pub rough: bool,
}

/// A way in which a process can end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How.
    pub outcome: Outcome,
    /// In how many ways; [`u64::MAX`] for more than can be counted.
    pub ways: u64,
    /// A shortest one.
    pub shortest: Vec<Turn>,
    /// The steps whose people decide on every way here.
    pub always: Vec<StepId>,
    /// The shortest and the longest time.
    pub time: (Length, Length),
}

/// A step that asks people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub step: StepId,
    /// Whom: the expressions of the process.
    pub who: Vec<String>,
    /// Whether they get mail for it.
    pub mailed: bool,
    /// How many reminders they get.
    pub reminders: usize,
}

/// A mail that asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The step.
    pub step: StepId,
    /// To whom.
    pub to: Vec<String>,
}

/// What cannot happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Never {
    /// The step is never come to, or its `when` never holds.
    Step(StepId),
    /// The `when` of the step always holds.
    Skip(StepId),
    /// This case never holds; that none does, where `None`.
    Case(StepId, Option<u16>),
}

/// Explores a process.
pub fn explore(definition: &Definition) -> Explored {
    let walk = walk::walk(definition);
    let order = order(&walk);
    let (ways, with_returns) = (count(&walk, &order, false), count(&walk, &order, true));
    let times = time::lengths(definition, &walk);
    let paths = shortest(&walk);
    let mut entered: BTreeSet<&StepId> = walk.places.iter().flat_map(|place| entered(place)).collect();
    entered.extend(taken_back(definition, &entered));
    let mut ends: BTreeMap<Outcome, End> = BTreeMap::new();
    for (number, place) in walk.places.iter().enumerate() {
        let Node::Finish(outcome) = &place.node else { continue };
        let path = paths.get(number).cloned().flatten().unwrap_or_default();
        let time = times.get(number).cloned().unwrap_or_default();
        ends.insert(
            outcome.clone(),
            End {
                outcome: outcome.clone(),
                // An end that only a revision leads to is come to by returns alone.
                ways: [&ways, &with_returns]
                    .into_iter()
                    .filter_map(|ways| ways.get(number))
                    .find(|ways| **ways > 0)
                    .copied()
                    .unwrap_or(0),
                shortest: path,
                always: always(definition, &walk, number),
                time,
            },
        );
    }
    let asked = definition.steps.iter().filter(|(id, _)| entered.contains(id)).filter_map(|(id, step)| {
        let human = step.human()?;
        let who = human.who.iter().map(|who| who.text.clone()).collect();
        Some(Asked { step: id.clone(), who, mailed: !human.quiet, reminders: human.remind.len() })
    });
    let notices = definition.steps.iter().filter(|(id, _)| entered.contains(id)).filter_map(|(id, step)| {
        let StepKind::Notify(notify) = &step.kind else { return None };
        Some(Notice { step: id.clone(), to: notify.who.iter().map(|who| who.text.clone()).collect() })
    });
    Explored {
        ends: ends.into_values().collect(),
        asked: asked.collect(),
        notices: notices.collect(),
        never: never(definition, &walk, &entered),
        places: walk.places.len(),
        rough: walk.rough,
    }
}

/// The steps of every `undo` whose own step can be come to: they run once a case that came past it ends badly.
fn taken_back<'d>(definition: &'d Definition, entered: &BTreeSet<&StepId>) -> Vec<&'d StepId> {
    let graph = &definition.graph;
    let undo = |holder: &&StepId| graph.block_of(graph.next(&Node::Step((**holder).clone()), &On::Undo)?);
    let undoes: BTreeSet<u32> = entered.iter().filter_map(undo).collect();
    let inside = |id: &StepId| {
        let here = graph.block_of(&Node::Step(id.clone()));
        here.is_some_and(|here| undoes.iter().any(|undo| graph.encloses(*undo, here)))
    };
    definition.steps.keys().filter(|id| inside(id)).collect()
}

/// The step that a place enters, and does not only pass.
fn entered(place: &places::Place) -> Option<&StepId> {
    let Node::Step(id) = &place.node else { return None };
    let enters = place.turns.iter().any(|turn| !matches!(turn, Turn::Skip(_)));
    enters.then_some(id)
}

/// The places in an order in which what leads to a place stands before it, but for what goes back.
fn order(walk: &Walk) -> Vec<usize> {
    let out = |number: usize, next: usize| {
        walk.places.get(number)?.out.get(next).map(|(_, to)| (*to, walk.back(number, *to)))
    };
    in_order(&out)
}

/// The numbers that are come to from zero, each after all that lead to it; `out` is where one leads to, first, second and
/// so on, and whether that goes back. What only a way back leads to comes after all else.
fn in_order(out: &dyn Fn(usize, usize) -> Option<(usize, bool)>) -> Vec<usize> {
    let (mut done, mut order) = (BTreeSet::new(), Vec::new());
    let mut roots = VecDeque::from([0]);
    while let Some(root) = roots.pop_front() {
        if !done.insert(root) {
            continue;
        }
        let begun = order.len();
        let mut stack: Vec<(usize, usize)> = vec![(root, 0)];
        while let Some((number, next)) = stack.pop() {
            let Some((target, back)) = out(number, next) else {
                order.push(number);
                continue;
            };
            stack.push((number, next + 1));
            if back {
                roots.push_back(target);
            } else if done.insert(target) {
                stack.push((target, 0));
            }
        }
        if let Some(found) = order.get_mut(begun..) {
            found.reverse();
        }
    }
    order
}

/// Where each place stands in the order.
fn ranks(walk: &Walk, order: &[usize]) -> Vec<usize> {
    let mut ranks = vec![usize::MAX; walk.places.len()];
    for (rank, place) in order.iter().enumerate() {
        if let Some(found) = ranks.get_mut(*place) {
            *found = rank;
        }
    }
    ranks
}

/// In how many ways each place is come to; with or without those that come back from the applicant.
fn count(walk: &Walk, order: &[usize], returns: bool) -> Vec<u64> {
    let ranks = ranks(walk, order);
    let rank = |place: usize| ranks.get(place).copied().unwrap_or(usize::MAX);
    let mut ways = vec![0u64; walk.places.len()];
    if let Some(first) = ways.first_mut() {
        *first = 1;
    }
    for place in order {
        let here = ways.get(*place).copied().unwrap_or(0);
        for (turn, target) in walk.places.get(*place).map(|found| found.out.as_slice()).unwrap_or_default() {
            if (returns || !matches!(turn, Turn::Again(_)))
                && rank(*target) > rank(*place)
                && let Some(there) = ways.get_mut(*target)
            {
                *there = there.saturating_add(here);
            }
        }
    }
    ways
}

/// A shortest way to each place.
fn shortest(walk: &Walk) -> Vec<Option<Vec<Turn>>> {
    let mut before: Vec<Option<(usize, &Turn)>> = vec![None; walk.places.len()];
    let mut open = VecDeque::from([0]);
    while let Some(place) = open.pop_front() {
        for (turn, target) in walk.places.get(place).map(|found| found.out.as_slice()).unwrap_or_default() {
            if let Some(slot) = before.get_mut(*target).filter(|slot| slot.is_none() && *target != 0) {
                *slot = Some((place, turn));
                open.push_back(*target);
            }
        }
    }
    let path = |place: usize| {
        let (mut at, mut turns) = (place, Vec::new());
        while at != 0 {
            let (previous, turn) = (*before.get(at)?)?;
            if *turn != Turn::On {
                turns.push(turn.clone());
            }
            at = previous;
        }
        turns.reverse();
        Some(turns)
    };
    (0..walk.places.len()).map(path).collect()
}

/// The steps without whose answer a place is never come to.
fn always(definition: &Definition, walk: &Walk, end: usize) -> Vec<StepId> {
    let people = definition.steps.iter().filter(|(_, step)| step.human().is_some());
    let needed = people.filter(|(id, _)| {
        let around = block::around(definition, &Node::Step((*id).clone()));
        !comes_without(definition, walk, end, id, None)
            && !around.iter().any(|block| comes_without(definition, walk, end, id, Some(block)))
    });
    needed.map(|(id, _)| id.clone()).collect()
}

/// Whether a place can be come to without the answer of a step. One branch is walked after the other, so it is also
/// where another branch of `block` leaves it while the step is still open.
fn comes_without(definition: &Definition, walk: &Walk, end: usize, step: &StepId, block: Option<&StepId>) -> bool {
    let branch_of = |block: &StepId, node: &Node| block::branch_of(definition, block, node);
    let own = block.and_then(|block| branch_of(block, &Node::Step(step.clone())));
    // Each place is come to with the step behind, or with it open in its branch.
    let mut seen = BTreeSet::from([(0, false)]);
    let mut stack = vec![(0, false)];
    while let Some((number, open)) = stack.pop() {
        if number == end && !open {
            return true;
        }
        let Some(place) = walk.places.get(number) else { continue };
        for ((turn, target), moves) in place.out.iter().zip(&place.moves) {
            let mut open = open;
            if matches!(turn, Turn::Answer(of, _) if of == step) {
                if block.is_none() {
                    continue;
                }
                open = true;
            }
            if let Some(block) = block.filter(|_| open) {
                let leaves = moves.contains(&Move::Leave(block.clone()));
                if moves.contains(&Move::Join(block.clone())) || leaves && branch_of(block, &place.node) == own {
                    continue;
                }
                open = !leaves;
            }
            if seen.insert((*target, open)) {
                stack.push((*target, open));
            }
        }
    }
    false
}

fn never(definition: &Definition, walk: &Walk, entered: &BTreeSet<&StepId>) -> Vec<Never> {
    let turns: BTreeSet<&Turn> = walk.places.iter().flat_map(|place| &place.turns).collect();
    let undone = taken_back(definition, entered);
    let mut never = Vec::new();
    for (id, step) in &definition.steps {
        if !entered.contains(id) {
            never.push(Never::Step(id.clone()));
            continue;
        }
        // What an `undo` does is not walked, as it leads to no other end.
        if undone.contains(&id) {
            continue;
        }
        if step.when.is_some() && !turns.contains(&Turn::Skip(id.clone())) {
            never.push(Never::Skip(id.clone()));
        }
        if let StepKind::Choose(cases) = &step.kind {
            let all = (0u16..).take(cases.len()).map(Some).chain([None]);
            let missed = all.filter(|case| !turns.contains(&Turn::Case(id.clone(), *case)));
            // That no case is left over is as it should be where `otherwise` is not written.
            let written = definition.graph.next(&Node::Step(id.clone()), &On::Otherwise).is_some();
            never.extend(missed.filter(|case| case.is_some() || written).map(|case| Never::Case(id.clone(), case)));
        }
    }
    never
}
