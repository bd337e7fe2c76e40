//! All that can happen, as a graph of its own: a place of the process together with what is known of the data there.
//!
//! Places with the same knowledge are one, so loops close and a process is walked in the number of its places,
//! not of its paths. Where guards make too many kinds of knowledge, the rest of that place is walked with none:
//! then paths may be listed that cannot happen, never the other way, and the result says that it is rough.

use super::block::{self, Move, arrive};
use super::guard::Guards;
use super::inline::inlined;
use super::known::{self, Known};
use super::places::{Place, Walk};
use crate::expression;
use crate::model::control::{Each, Join};
use crate::model::definition::{Definition, Human, Nobody, Step, StepKind, outcome};
use crate::model::formula::{Expr, Formula, Op, Read};
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, Outcome, StepId};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The most kinds of knowledge at one place.
const KINDS: usize = 24;
/// The most places in all.
const PLACES: usize = 20_000;

/// What leads from one place to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Nothing that anybody decides.
    On,
    /// People, or the world, answer so at this step.
    Answer(StepId, Outcome),
    /// The step is passed.
    Skip(StepId),
    /// A case of a `choose` holds; none where `None`.
    Case(StepId, Option<u16>),
    /// It goes back to the applicant and comes again.
    Again(StepId),
    /// Another way out of a step, by its name.
    Way(StepId, String),
}

/// Walks a process.
pub(super) fn walk(definition: &Definition) -> Walk {
    let mut walker = Walker {
        definition,
        guards: Guards::new(definition),
        places: Vec::new(),
        index: BTreeMap::new(),
        kinds: BTreeMap::new(),
        open: VecDeque::new(),
        rough: false,
    };
    walker.place(Node::Start, Known::default());
    while let Some((number, node, known)) = walker.open.pop_front() {
        let out = walker.ways(&node, &known);
        let turns = out.iter().map(|(turn, _, _)| turn.clone()).collect();
        let (mut to, mut moved) = (Vec::new(), Vec::new());
        for (turn, target, known) in out {
            for (target, moves) in arrive(walker.definition, &node, &target, &|block| known.todo(block)) {
                let Some(known) = walker.moved(known.clone(), &moves) else { continue };
                let known = match block::winner(walker.definition, &node, &turn, &target) {
                    Some((block, branch)) if walker.asks_winner(&block) => known.won(branch),
                    _ => known,
                };
                to.push((turn.clone(), walker.place(target, known)));
                moved.push(moves);
            }
        }
        if let Some(place) = walker.places.get_mut(number) {
            (place.out, place.turns, place.moves) = (to, turns, moved);
        }
    }
    let mut first: BTreeMap<(&Node, Known), usize> = BTreeMap::new();
    for ((node, known), number) in &walker.index {
        let mut alike = known.clone();
        if alike.take_won().is_some() {
            let first = *first.entry((node, alike)).or_insert(*number);
            if let Some(place) = walker.places.get_mut(*number) {
                place.twin = first;
            }
        }
    }
    Walk::of(walker.places, walker.rough)
}

struct Walker<'a> {
    definition: &'a Definition,
    guards: Guards<'a>,
    places: Vec<Place>,
    index: BTreeMap<(Node, Known), usize>,
    kinds: BTreeMap<Node, usize>,
    open: VecDeque<(usize, Node, Known)>,
    rough: bool,
}

type Turns = Vec<(Turn, Node, Known)>;

impl Walker<'_> {
    /// The number of a place, which is opened if it is new.
    fn place(&mut self, node: Node, known: Known) -> usize {
        // What nothing ahead asks tells nothing.
        let mut known = if matches!(node, Node::Finish(_)) { Known::default() } else { known };
        known.trim(&self.guards, &node);
        let kinds = self.kinds.get(&node).copied().unwrap_or(0);
        if !self.index.contains_key(&(node.clone(), known.clone())) && (kinds >= KINDS || self.places.len() >= PLACES) {
            self.rough = true;
            known = Known::default();
        }
        let key = (node.clone(), known.clone());
        if let Some(number) = self.index.get(&key) {
            return *number;
        }
        let number = self.places.len();
        let place = Place { node: node.clone(), out: Vec::new(), turns: Vec::new(), moves: Vec::new(), twin: number };
        self.places.push(place);
        self.index.insert(key, number);
        *self.kinds.entry(node.clone()).or_default() += 1;
        self.open.push_back((number, node, known));
        number
    }

    fn target(&self, from: &Node, on: &On) -> Node {
        let rejected = matches!(on, On::Outcome(outcome) if outcome.as_str() == outcome::REJECTED);
        let next = self.definition.graph.next(from, on);
        let next = if rejected { next } else { next.or_else(|| self.definition.graph.next(from, &On::Next)) };
        let end = if rejected { outcome::REJECTED } else { outcome::DONE };
        next.cloned().unwrap_or_else(|| Node::Finish(end.into()))
    }

    fn ways(&self, node: &Node, known: &Known) -> Turns {
        let Node::Step(id) = node else { return self.onward(node, known) };
        let Some(step) = self.definition.steps.get(id) else { return self.onward(node, known) };
        let mut ways = Vec::new();
        let mut known = known.clone();
        if !known.take_asked() && step.when.is_some() {
            if let Some(mut passed) = known.assume(&self.guards, id, None, false) {
                self.unasked(&mut passed, id);
                passed.went(&self.guards, id, outcome::SKIPPED);
                ways.push((Turn::Skip(id.clone()), self.target(node, &On::Next), passed));
            }
            match known.assume(&self.guards, id, None, true) {
                Some(held) => known = held,
                None => return ways,
            }
        }
        self.again(&mut known, id);
        let mut late = known.clone();
        match &step.kind {
            StepKind::Approve(human) | StepKind::Task(human) => self.asked(id, human, &known, &mut ways),
            StepKind::Choose(cases) => {
                self.unasked(&mut known, id);
                let mut left = Some(known);
                for number in (0u16..).take(cases.len()) {
                    let Some(before) = left else { break };
                    if let Some(holds) = before.assume(&self.guards, id, Some(number), true) {
                        let turn = Turn::Case(id.clone(), Some(number));
                        ways.push((turn, self.target(node, &On::Case(number)), holds));
                    }
                    left = before.assume(&self.guards, id, Some(number), false);
                }
                // Without `otherwise` the cases are proved to be all there are.
                let otherwise = self.definition.graph.next(node, &On::Otherwise).is_some();
                if let Some(left) = left.filter(|_| otherwise) {
                    ways.push((Turn::Case(id.clone(), None), self.target(node, &On::Otherwise), left));
                }
            }
            StepKind::Set(fields) => {
                self.written(&mut known, id, step);
                // What the form asks the applicant may change when the case comes back.
                for (name, formula) in fields.iter().filter(|(name, _)| self.definition.data.contains_key(*name)) {
                    known.assign(&self.guards, name, formula);
                }
                ways.push((Turn::On, self.target(node, &On::Next), known));
            }
            StepKind::Table(look_up) => {
                self.written(&mut known, id, step);
                let table = self.definition.tables.get(&*look_up.table);
                for (name, taken) in look_up.take.iter().filter(|(name, _)| self.definition.data.contains_key(*name)) {
                    if let Some(answers) = table.and_then(|table| known::answers(table, taken)) {
                        known.among(&self.guards, name, answers);
                    }
                }
                ways.push((Turn::On, self.target(node, &On::Next), known));
            }
            StepKind::Notify(_) => ways.push((Turn::On, self.target(node, &On::Next), known)),
            StepKind::End(_) => ways.push((Turn::On, self.target(node, &On::Next), known)),
            StepKind::Call(_) => {
                self.written(&mut known, id, step);
                // What is not named here ends the case as the callee ended, or flows on.
                let edges = self.definition.graph.edges_from(node);
                for (on, target) in edges {
                    let mut known = known.clone();
                    let turn = match on {
                        On::Outcome(outcome) => {
                            known.went(&self.guards, id, outcome.as_str());
                            Turn::Answer(id.clone(), outcome.clone())
                        }
                        On::Undo | On::Overdue => continue,
                        _ => Turn::On,
                    };
                    ways.push((turn, target.clone(), known));
                }
            }
            StepKind::Http(_) | StepKind::Job(_) | StepKind::Receive(_) => {
                self.written(&mut known, id, step);
                let failed = On::Outcome(outcome::FAILED.into());
                if let Some(target) = self.definition.graph.next(node, &failed) {
                    ways.push((Turn::Answer(id.clone(), outcome::FAILED.into()), target.clone(), known.clone()));
                }
                ways.push((Turn::On, self.target(node, &On::Next), known));
            }
            StepKind::Wait(_) => ways.push((Turn::On, self.target(node, &On::Next), known)),
            StepKind::Parallel(Join::All) => {
                let first =
                    self.definition.graph.edges_from(node).into_iter().find(|(on, _)| matches!(on, On::Branch(_)));
                ways.extend(first.map(|(_, target)| (Turn::On, target.clone(), known)));
            }
            StepKind::Parallel(Join::Count(_)) => {
                let (branches, awaited) = (block::filled(self.definition, id), block::awaited(self.definition, id));
                let enough = (branches.len() + 1).saturating_sub(awaited);
                for branch in branches.into_iter().take(if awaited > 0 { enough } else { 0 }) {
                    ways.push((Turn::Way(id.clone(), branch.name.to_string()), branch.first, known.clone()));
                }
                if awaited == 0 {
                    ways.push((Turn::On, Node::Join(id.clone()), known));
                }
            }
            StepKind::Parallel(Join::Any) | StepKind::Race => self.branches(node, id, &known, &mut ways),
            StepKind::Each(each) => {
                // No row, or the rows one as another.
                self.disturb(&mut known, id);
                if !self.has_rows(each) {
                    ways.push((Turn::Skip(id.clone()), Node::Join(id.clone()), known.clone()));
                }
                if let Some(body) = self.definition.graph.next(node, &On::Row) {
                    ways.push((Turn::On, body.clone(), known));
                }
            }
        }
        if let Some(target) = self.definition.graph.next(node, &On::Overdue) {
            self.disturb(&mut late, id);
            ways.push((Turn::Way(id.clone(), "overdue".to_owned()), target.clone(), late));
        }
        ways
    }

    /// Whether a list has a row always: the start form asks for one, and nothing but people writes it.
    fn has_rows(&self, each: &Each) -> bool {
        let Op::Field(name) = each.rows.root.op() else { return false };
        let Some(field) = self.definition.form.get(name) else { return false };
        let one = |min: &Formula| {
            expression::fixed(min).and_then(|min| min.as_number()).is_some_and(|min| min >= Decimal::ONE)
        };
        let asked = field.required || field.min.as_ref().is_some_and(one);
        let mut steps = self.definition.steps.values();
        let computed = field.value.is_some() || field.when.is_some();
        // What goes through its rows leaves them there.
        let human = |step: &Step| step.human().is_some() || matches!(step.kind, StepKind::Each(_));
        asked && !computed && !steps.any(|step| !human(step) && block::written(step).contains(&name))
    }

    /// Into any branch of a block.
    fn branches(&self, node: &Node, id: &StepId, known: &Known, ways: &mut Turns) {
        for (on, target) in self.definition.graph.edges_from(node) {
            if let On::Branch(name) = on {
                ways.push((Turn::Way(id.clone(), name.to_string()), target.clone(), known.clone()));
            }
        }
    }

    /// Whether it is asked which branch of a block was the first.
    fn asks_winner(&self, block: &StepId) -> bool {
        let join = Node::Join(block.clone());
        let edges = self.definition.graph.edges_from(&join);
        self.guards.outcome(block).is_some() || edges.into_iter().any(|(on, _)| matches!(on, On::Outcome(_)))
    }

    /// What is known past the edges of blocks; `None` where it excludes itself.
    fn moved(&self, mut known: Known, moves: &[Move]) -> Option<Known> {
        for one in moves {
            match one {
                Move::Enter(id) => {
                    self.disturb(&mut known, id);
                    known.enter(id, block::awaited(self.definition, id).saturating_sub(1));
                }
                Move::Next(id) => known = known.next_branch(&self.guards, id)?,
                Move::Join(id) => match self.definition.steps.get(id).map(|step| &step.kind) {
                    // What held for one row says nothing of the others.
                    Some(StepKind::Each(_)) => match known.leave(id) {
                        Some((before, _)) => known = before,
                        None => self.disturb(&mut known, id),
                    },
                    _ => known = known.join(&self.guards, id)?,
                },
                Move::Leave(id) => {
                    known.leave(id);
                    self.disturb(&mut known, id);
                }
            }
        }
        Some(known)
    }

    /// The step runs, and all that it holds: how far is not known.
    fn disturb(&self, known: &mut Known, id: &StepId) {
        let own = self.definition.steps.get_key_value(id);
        let steps: Vec<_> = own.into_iter().chain(block::inside(self.definition, id)).collect();
        for (id, step) in steps {
            self.written(known, id, step);
            self.again(known, id);
        }
    }

    fn asked(&self, id: &StepId, human: &Human, known: &Known, ways: &mut Turns) {
        let node = Node::Step(id.clone());
        for answer in human.outcomes.keys() {
            let on = On::Outcome(answer.clone());
            let walks = self.definition.graph.next(&node, &on).is_some();
            if answer.as_str() == outcome::RETURNED && !walks {
                // The applicant may change everything, and what was passed is walked again from what read it.
                for again in self.read_before(id) {
                    let Some(known) = self.revised(id, &again, known) else { continue };
                    let guarded = self.definition.steps.get(id).is_some_and(|step| step.when.is_some());
                    let known = if guarded && again == node { known.asked() } else { known };
                    ways.push((Turn::Again(id.clone()), again, known));
                }
                continue;
            }
            let mut known = known.clone();
            // What is rejected unsets the form.
            if let Some(step) = self.definition.steps.get(id) {
                self.written(&mut known, id, step);
            }
            if ![outcome::REJECTED, outcome::RETURNED].contains(&answer.as_str()) {
                for again in self.reopened(id, human) {
                    ways.push((Turn::Again(id.clone()), again, Known::default()));
                }
            }
            known.went(&self.guards, id, answer.as_str());
            ways.push((Turn::Answer(id.clone(), answer.clone()), self.target(&node, &on), known));
        }
        if human.policy.nobody == Nobody::Skip {
            let mut passed = known.clone();
            self.unasked(&mut passed, id);
            ways.push((Turn::Skip(id.clone()), self.target(&node, &On::Next), passed));
        }
    }

    /// Whether a condition of a step may read what a revision changes: the start form, or the row that the step is in.
    fn is_revisable(&self, id: &StepId, when: &Formula) -> bool {
        let computed =
            |name: &FieldName| self.definition.fields().any(|(known, field)| known == name && field.value.is_some());
        let asked = |name: &FieldName| self.definition.form.contains_key(name) || computed(name);
        let read = |expr: &Expr| matches!(expr.op(), Op::Field(name) if asked(name));
        self.definition.is_in_row(id) || inlined(self.definition, &when.root).any(&mut |expr| read(expr))
    }

    /// Where a revision at a step can lead: the step itself, and steps before it whose guards read data.
    fn read_before(&self, id: &StepId) -> Vec<Node> {
        let graph = &self.definition.graph;
        let here = Node::Step(id.clone());
        let mut found = vec![here.clone()];
        let Some(block) = graph.block_of(&here) else { return found };
        for (other, step) in self.definition.steps.iter().take_while(|(other, _)| *other != id) {
            let node = Node::Step(other.clone());
            let depends = step.human().is_some_and(|human| !human.depends_on.is_empty());
            let holds =
                matches!(step.kind, StepKind::Choose(_) | StepKind::Parallel(_) | StepKind::Race | StepKind::Each(_));
            let reads = depends || holds || step.when.as_ref().is_some_and(|when| self.is_revisable(other, when));
            if reads && graph.block_of(&node).is_some_and(|outer| graph.encloses(outer, block)) {
                found.push(node);
            }
        }
        found
    }

    /// What is known where a case comes back from the applicant; `None` where it cannot come there. The case is walked again
    /// from what reads what was changed, so the cases of a `choose` around hold still; at the step itself, all holds that
    /// the start form has no part in. Beside what runs at once, nothing is certain.
    fn revised(&self, id: &StepId, at: &Node, before: &Known) -> Option<Known> {
        if !block::around(self.definition, at).is_empty() {
            return Some(Known::default());
        }
        let mut known = Known::default();
        for (choose, chosen) in block::cases(self.definition, at) {
            let holder = self.definition.steps.get(&choose).map(|step| &step.kind);
            let cases = if let Some(StepKind::Choose(cases)) = holder { cases.len() } else { 0 };
            for number in (0u16..).take(cases).take_while(|number| Some(*number) != chosen) {
                known = known.assume(&self.guards, &choose, Some(number), false)?;
            }
            if chosen.is_some() {
                known = known.assume(&self.guards, &choose, chosen, true)?;
            }
            for (inner, step) in block::inside(self.definition, &choose) {
                self.written(&mut known, inner, step);
                self.again(&mut known, inner);
            }
            known.forget(&self.guards, &BTreeSet::from([Read::Now]));
        }
        if *at != Node::Step(id.clone()) {
            return Some(known);
        }
        let mut before = before.clone();
        let form = self.definition.form.keys().cloned().map(Read::Field);
        before.forget(&self.guards, &form.chain([Read::Now]).collect());
        if let Some(step) = self.definition.steps.get(id) {
            self.written(&mut before, id, step);
        }
        before.and(&self.guards, &known)
    }

    /// Where a change that a step asks for can lead: steps before it that depend on what is edited, or computed.
    fn reopened(&self, id: &StepId, human: &Human) -> Vec<Node> {
        let graph = &self.definition.graph;
        let block = if human.edit.is_empty() { None } else { graph.block_of(&Node::Step(id.clone())) };
        let Some(block) = block else { return Vec::new() };
        let computed =
            |name: &FieldName| self.definition.fields().any(|(known, field)| known == name && field.value.is_some());
        let before = self.definition.steps.iter().take_while(|(other, _)| *other != id);
        let touched = before.filter(|(_, step)| {
            let depends = step.human().map(|human| human.depends_on.as_slice()).unwrap_or_default();
            depends.iter().any(|name| human.edit.contains(name) || computed(name))
        });
        let nodes = touched.map(|(other, _)| Node::Step(other.clone()));
        nodes.filter(|node| graph.block_of(node).is_some_and(|outer| graph.encloses(outer, block))).collect()
    }

    /// A step writes its fields, and what is computed from them with them.
    fn written(&self, known: &mut Known, id: &StepId, step: &Step) {
        let mut fields = self.guards.writes(id, step);
        if !fields.is_empty() {
            // What reads more than fields is computed anew then, too.
            fields.insert(Read::Now);
            known.forget(&self.guards, &fields);
        }
    }

    /// A step is passed by: what it and those inside would ask is unset.
    fn unasked(&self, known: &mut Known, id: &StepId) {
        let own = self.definition.steps.get_key_value(id);
        for (id, step) in own.into_iter().chain(block::inside(self.definition, id)) {
            if step.human().is_some_and(|human| !human.form.is_empty()) {
                self.written(known, id, step);
            }
        }
    }

    /// A step is walked again.
    fn again(&self, known: &mut Known, id: &StepId) {
        known.forget(&self.guards, &BTreeSet::from([Read::Step(id.clone())]));
    }

    /// Every edge that leaves a place.
    fn onward(&self, node: &Node, known: &Known) -> Turns {
        if matches!(node, Node::Finish(_)) {
            return Vec::new();
        }
        let mut known = known.clone();
        if let (Node::Join(id), Some(branch)) = (node, known.take_won()) {
            known.went(&self.guards, id, branch.as_str());
            return vec![(Turn::On, self.target(node, &On::Outcome(branch)), known)];
        }
        let edges = self.definition.graph.edges_from(node);
        let edges = edges.into_iter().filter(|(on, _)| **on != On::Undo);
        let mut ways: Turns = edges.map(|(_, target)| (Turn::On, target.clone(), known.clone())).collect();
        if ways.is_empty() {
            ways.push((Turn::On, Node::Finish(outcome::DONE.into()), known.clone()));
        }
        ways
    }
}
