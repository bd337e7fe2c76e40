//! The places that a walk came to, and which of its ways go back.

use super::block::Move;
use super::walk::Turn;
use crate::model::graph::Node;
use std::collections::{BTreeMap, BTreeSet};

/// A place with all that leads out of it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) node: Node,
    pub(super) out: Vec<(Turn, usize)>,
    /// What can be done here, also where another branch excludes that its block is ever over then.
    pub(super) turns: Vec<Turn>,
    /// Past which edges of blocks each of these ways leads.
    pub(super) moves: Vec<Vec<Move>>,
    /// The first of the places that are this one but for the branch which ended the block that is over here.
    pub(super) twin: usize,
}

/// Everything that can happen. The first place is the start.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) places: Vec<Place>,
    /// Whether knowledge was given up somewhere.
    pub(super) rough: bool,
    /// Which steps lead back to which.
    back: BTreeMap<Node, BTreeSet<Node>>,
}

impl Walk {
    pub(super) fn of(places: Vec<Place>, rough: bool) -> Walk {
        let back = back(&places);
        Walk { places, rough, back }
    }

    /// Whether a place leads back to another: whatever is known there, it is one on the way to it.
    pub(super) fn back(&self, from: usize, to: usize) -> bool {
        let node = |number: usize| self.places.get(number).map(|place| &place.node);
        let targets = node(from).and_then(|node| self.back.get(node));
        targets.zip(node(to)).is_some_and(|(targets, to)| targets.contains(to))
    }

    /// What a loop or a revision walks again: all on a way from what it comes back to, to where it goes back.
    pub(super) fn again(&self) -> BTreeSet<&Node> {
        let (mut on, mut before): (Ways<'_>, Ways<'_>) = Default::default();
        for place in &self.places {
            for target in place.out.iter().filter_map(|(_, to)| self.places.get(*to)) {
                on.entry(&place.node).or_default().insert(&target.node);
                before.entry(&target.node).or_default().insert(&place.node);
            }
        }
        let mut again = BTreeSet::new();
        for (from, targets) in &self.back {
            let behind = reached(from, &before);
            for target in targets {
                again.extend(reached(target, &on).intersection(&behind));
            }
        }
        again
    }

    /// All places by the first of their twins.
    pub(super) fn twins(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut twins: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, place) in self.places.iter().enumerate() {
            twins.entry(place.twin).or_default().push(number);
        }
        twins
    }
}

/// Where each step leads, or from where it is come to.
type Ways<'w> = BTreeMap<&'w Node, BTreeSet<&'w Node>>;

/// All that is come to from a step, itself too.
fn reached<'w>(from: &'w Node, ways: &Ways<'w>) -> BTreeSet<&'w Node> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(node) = open.pop() {
        if found.insert(node) {
            open.extend(ways.get(node).into_iter().flatten());
        }
    }
    found
}

/// From which steps there is a way to one that stands on the way to them.
fn back(places: &[Place]) -> BTreeMap<Node, BTreeSet<Node>> {
    let mut out: BTreeMap<&Node, Vec<&Node>> = BTreeMap::new();
    for place in places {
        let targets = place.out.iter().filter_map(|(_, to)| places.get(*to)).map(|target| &target.node);
        out.entry(&place.node).or_default().extend(targets);
    }
    let (mut found, mut seen, mut way) =
        (BTreeMap::<Node, BTreeSet<Node>>::new(), BTreeSet::from([&Node::Start]), BTreeSet::from([&Node::Start]));
    let mut stack: Vec<(&Node, usize)> = vec![(&Node::Start, 0)];
    while let Some((node, next)) = stack.pop() {
        match out.get(node).and_then(|out| out.get(next)).copied() {
            None => drop(way.remove(node)),
            Some(target) => {
                stack.push((node, next + 1));
                if way.contains(target) {
                    found.entry(node.clone()).or_default().insert(target.clone());
                } else if seen.insert(target) {
                    way.insert(target);
                    stack.push((target, 0));
                }
            }
        }
    }
    found
}
