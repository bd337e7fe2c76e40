//! How long a process takes if everybody keeps their due times: the shortest time is what only waiting takes, the
//! longest what the due times allow, loops walked once and one row of those that go in order. Where there can be
//! more of either, the length says so.
//!
//! The branches of a block run from the same moment: it is over with the longest of them, or with the first or the
//! second of them where its `join` says so. A race is decided with the first step that is done, however long the
//! others could take.

use super::block::{Move, branch_of};
use super::places::Walk;
use super::walk::Turn;
use crate::model::control::Join;
use crate::model::definition::{Definition, Step, StepKind};
use crate::model::formula::{Formula, Op};
use crate::model::graph::{Node, On};
use crate::model::id::StepId;
use crate::model::time::Duration;
use crate::model::value::Value;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::{BTreeMap, BTreeSet};

/// A length put together of working days, working minutes and plain seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// Working days.
    pub days: i64,
    /// Working minutes beside them.
    pub minutes: i64,
    /// Seconds of the clock beside them.
    pub seconds: i64,
    /// Steps that take as long as they take: without a due time, or with one that follows from data.
    pub open: BTreeSet<StepId>,
    /// Steps that are counted once and can come more often: those that take time in a loop or after a return, and lists
    /// whose rows go in order.
    pub again: BTreeSet<StepId>,
}

impl Length {
    fn plus(&self, step: &StepId, time: Option<&Formula>) -> Length {
        let mut sum = self.plus_known(time);
        if time.and_then(constant).is_none() {
            sum.open.insert(step.clone());
        }
        sum
    }

    /// With the part of the time that does not depend on data.
    fn plus_known(&self, time: Option<&Formula>) -> Length {
        let mut sum = self.clone();
        match time.and_then(constant) {
            Some(Duration::WorkingDays(days)) => sum.days = sum.days.saturating_add(days),
            Some(Duration::WorkingMinutes(minutes)) => sum.minutes = sum.minutes.saturating_add(minutes),
            Some(Duration::Seconds(seconds)) => {
                sum.seconds = sum.seconds.saturating_add(seconds.to_i64().unwrap_or(i64::MAX));
            }
            Some(Duration::Months(months)) => {
                sum.seconds = sum.seconds.saturating_add(months.saturating_mul(30 * 86_400));
            }
            None => {}
        }
        sum
    }

    /// What is longer, by ordinary weeks: a working day of eight hours, five of them a week.
    fn weight(&self) -> i64 {
        let working = self.days.saturating_mul(480).saturating_add(self.minutes);
        working.saturating_add(self.seconds / 86_400 * 480 * 5 / 7)
    }

    fn longer(self, other: &Length) -> Length {
        let open = self.open.union(&other.open).cloned().collect();
        let again = self.again.union(&other.again).cloned().collect();
        let longest = if self.weight() >= other.weight() { self } else { other.clone() };
        Length { open, again, ..longest }
    }

    /// What is shorter; what takes as long as it takes is longer than all that is known.
    fn order(&self) -> (bool, i64, usize) {
        (!self.open.is_empty(), self.weight(), self.open.len())
    }

    fn shorter(self, other: &Length) -> Length {
        if self.order() <= other.order() { self } else { other.clone() }
    }
}

/// A duration that does not depend on data.
fn constant(formula: &Formula) -> Option<Duration> {
    match formula.root.op() {
        Op::Literal(Value::Duration(duration)) => Some(*duration),
        Op::Literal(Value::Number(number)) if *number == Decimal::ZERO => Some(Duration::Seconds(Decimal::ZERO)),
        _ => None,
    }
}

/// The shortest and the longest time.
type Span = (Length, Length);

/// How long it took to a place, and of the blocks around it when each began and when its branches so far were done.
#[derive(Clone, Debug, Default)]
struct Run {
    here: Span,
    around: Vec<Around>,
}

/// A block around.
#[derive(Clone, Debug)]
struct Around {
    /// When it began.
    began: Span,
    /// When its branches so far were done.
    done: Span,
    /// Which these are.
    walked: Vec<usize>,
}

impl Run {
    /// From a place past edges of blocks, and the branches of the last of them that is over.
    fn past(mut self, definition: &Definition, from: &Node, moves: &[Move]) -> (Run, Vec<usize>) {
        let mut done = Vec::new();
        for one in moves {
            match one {
                Move::Enter(_) => {
                    let (began, done) = (self.here.clone(), self.here.clone());
                    self.around.push(Around { began, done, walked: Vec::new() });
                }
                Move::Next(id) => {
                    if let Some(around) = self.around.last_mut() {
                        around.done = both(around.done.clone(), &self.here);
                        around.walked.extend(branch_of(definition, id, from));
                        self.here = around.began.clone();
                    }
                }
                // Of a block without a next branch, what is done is what it began with.
                Move::Join(id) => {
                    if let Some(around) = self.around.pop() {
                        self.here = both(around.done, &self.here);
                        done = around.walked;
                        done.extend(branch_of(definition, id, from));
                    }
                }
                Move::Leave(_) => drop(self.around.pop()),
            }
        }
        (self, done)
    }

    /// One way or the other.
    fn or(self, other: &Run) -> Run {
        let around = self.around.into_iter().zip(&other.around);
        let around = around.map(|(one, other)| Around {
            began: either(one.began, &other.began),
            done: either(one.done, &other.done),
            walked: one.walked,
        });
        Run { here: either(self.here, &other.here), around: around.collect() }
    }
}

fn both(a: Span, b: &Span) -> Span {
    let least = if a.0.order() >= b.0.order() { a.0 } else { b.0.clone() };
    (least, a.1.longer(&b.1))
}

fn either(a: Span, b: &Span) -> Span {
    (a.0.shorter(&b.0), a.1.longer(&b.1))
}

/// The shortest and the longest time to each place.
pub(super) fn lengths(definition: &Definition, walk: &Walk) -> Vec<Span> {
    let (twins, order) = (walk.twins(), together(walk));
    let ranks = super::ranks(walk, &order);
    let rank = |place: usize| ranks.get(place).copied().unwrap_or(usize::MAX);
    let again = walk.again();
    let mut open: Vec<BTreeMap<Walked, Run>> = vec![BTreeMap::new(); walk.places.len()];
    let mut found: Vec<Option<Span>> = vec![None; walk.places.len()];
    if let Some(first) = open.first_mut() {
        first.insert(Walked::default(), Run::default());
    }
    for number in &order {
        let Some(place) = walk.places.get(*number) else { continue };
        for (walked, mut run) in come_together(definition, &place.node, open.get(*number)) {
            if is_first(definition, &place.node) {
                // It was no later than any other branch can be.
                let twins = twins.get(&place.twin).into_iter().flatten().filter_map(|twin| open.get(*twin));
                let others = twins.flat_map(BTreeMap::iter).filter(|(other, _)| other.around == walked);
                let most = others.fold(run.here.1.clone(), |most, (_, run)| most.shorter(&run.here.1));
                run.here = bounded(run.here.0, most);
            }
            let comes_again = again.contains(&place.node) && takes_time(definition, &place.node);
            if comes_again || is_in_order(definition, &place.node) {
                run.here.1.again.extend(step_of(&place.node).cloned());
            }
            for ((turn, target), moves) in place.out.iter().zip(&place.moves) {
                if rank(*target) <= rank(*number) {
                    continue;
                }
                let then = Run { here: after(definition, &place.node, turn, &run.here), around: run.around.clone() };
                let (then, done) = then.past(definition, &place.node, moves);
                let walked = Walked { around: then.around.iter().map(|around| around.walked.clone()).collect(), done };
                if let Some(slot) = open.get_mut(*target) {
                    let known = slot.remove(&walked);
                    slot.insert(walked, known.map_or(then.clone(), |known| known.or(&then)));
                }
            }
            if let Some(slot) = found.get_mut(*number) {
                *slot = Some(slot.take().map_or(run.here.clone(), |known| either(known, &run.here)));
            }
        }
    }
    found.into_iter().map(Option::unwrap_or_default).collect()
}

/// Which branches of the blocks around were walked, and those of the block that is over here.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Walked {
    around: Vec<Vec<usize>>,
    done: Vec<usize>,
}

/// The runs that come to a place, by what was walked around it. Where a block waits for some of its branches, it is over
/// with those of them that are the first.
fn come_together(
    definition: &Definition,
    node: &Node,
    runs: Option<&BTreeMap<Walked, Run>>,
) -> BTreeMap<Vec<Vec<usize>>, Run> {
    let some = match node {
        Node::Join(id) => definition
            .steps
            .get(id)
            .is_some_and(|step| matches!(step.kind, StepKind::Parallel(Join::Any | Join::Count(_)))),
        _ => false,
    };
    let mut found: BTreeMap<Vec<Vec<usize>>, Run> = BTreeMap::new();
    for (walked, run) in runs.into_iter().flatten() {
        let run = match found.remove(&walked.around) {
            None => run.clone(),
            Some(known) if some => {
                let here = (known.here.0.clone().shorter(&run.here.0), known.here.1.clone().shorter(&run.here.1));
                Run { here, ..known.or(run) }
            }
            Some(known) => known.or(run),
        };
        found.insert(walked.around.clone(), run);
    }
    found
}

/// The places in order, twins after all that leads to any of them: branches that end a block come together there.
fn together(walk: &Walk) -> Vec<usize> {
    let twins = walk.twins();
    let members = |number: usize| twins.get(&number).into_iter().flatten().copied();
    let places = |number: usize| members(number).filter_map(|member| walk.places.get(member));
    let first = |number: usize| walk.places.get(number).map_or(number, |place| place.twin);
    let out = |number: usize, next: usize| {
        let (_, to) = places(number).flat_map(|place| &place.out).nth(next)?;
        Some((first(*to), walk.back(number, *to)))
    };
    let order = super::in_order(&out);
    order.into_iter().flat_map(members).collect()
}

/// Whether the first branch that is done ends its block here.
fn is_first(definition: &Definition, node: &Node) -> bool {
    let Node::Join(id) = node else { return false };
    matches!(definition.steps.get(id).map(|step| &step.kind), Some(StepKind::Parallel(Join::Any)))
}

/// Whether a step is one that takes time.
fn takes_time(definition: &Definition, node: &Node) -> bool {
    let Node::Step(id) = node else { return false };
    definition.steps.get(id).is_some_and(|step| !matches!(own(step), Own::Nothing))
}

/// Whether a list begins here whose rows go one after the other.
fn is_in_order(definition: &Definition, node: &Node) -> bool {
    let Node::Step(id) = node else { return false };
    matches!(definition.steps.get(id).map(|step| &step.kind), Some(StepKind::Each(each)) if each.in_order)
}

fn step_of(node: &Node) -> Option<&StepId> {
    match node {
        Node::Step(id) | Node::Join(id) => Some(id),
        _ => None,
    }
}

fn after(definition: &Definition, node: &Node, turn: &Turn, here: &Span) -> Span {
    let Node::Step(id) = node else { return here.clone() };
    let Some(step) = definition.steps.get(id) else { return here.clone() };
    let (least, most) = here;
    match (turn, own(step)) {
        // Not before its time.
        (Turn::Way(_, name), _) if name == "overdue" => (least.plus_known(step.due()), most.plus(id, step.due())),
        (Turn::Skip(_), _) | (_, Own::Nothing) => here.clone(),
        (_, own) => {
            let most = match first_of(definition, id) {
                Some(rivals) => rivals.into_iter().map(|(id, time)| most.plus(id, time)).reduce(|a, b| a.shorter(&b)),
                None => None,
            }
            .unwrap_or_else(|| most.plus(id, own.most()));
            let least = if let Own::Exactly(time) = own { least.plus_known(Some(time)) } else { least.clone() };
            bounded(least, most)
        }
    }
}

/// What comes first although others were due before was late enough for that.
fn bounded(least: Length, most: Length) -> Span {
    let most = if most.order() < least.order() { least.clone() } else { most };
    (least, most)
}

/// How long a step itself takes.
enum Own<'d> {
    /// No time.
    Nothing,
    /// At most so long; as long as it takes where `None`.
    Within(Option<&'d Formula>),
    /// Just so long.
    Exactly(&'d Formula),
}

impl<'d> Own<'d> {
    fn most(&self) -> Option<&'d Formula> {
        match self {
            Own::Nothing => None,
            Own::Within(time) => *time,
            Own::Exactly(time) => Some(time),
        }
    }
}

fn own(step: &Step) -> Own<'_> {
    match &step.kind {
        StepKind::Approve(_) | StepKind::Task(_) | StepKind::Receive(_) | StepKind::Job(_) => Own::Within(step.due()),
        StepKind::Call(call) if !call.detached => Own::Within(step.due()),
        StepKind::Wait(time) => Own::Exactly(time),
        _ => Own::Nothing,
    }
}

/// If a race begins with this step: all the steps that it begins with, and how long each takes at most.
fn first_of<'d>(definition: &'d Definition, id: &StepId) -> Option<Vec<(&'d StepId, Option<&'d Formula>)>> {
    let graph = &definition.graph;
    let block = graph.block_at(graph.block_of(&Node::Step(id.clone()))?)?;
    let (race, step) = definition.steps.get_key_value(block.of.as_ref()?)?;
    let holder = Node::Step(race.clone());
    let edges = graph.edges_from(&holder);
    let firsts = edges.into_iter().filter_map(|(on, first)| match (on, first) {
        (On::Branch(_), Node::Step(first)) => definition.steps.get_key_value(first),
        _ => None,
    });
    let firsts: Vec<_> = firsts.collect();
    let begins = matches!(step.kind, StepKind::Race) && firsts.iter().any(|(first, _)| *first == id);
    begins.then(|| firsts.into_iter().map(|(id, step)| (id, own(step).most())).collect())
}
