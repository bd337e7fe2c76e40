//! What conditions have proved before each step, on every path that leads there.
//!
//! A case of a `choose` proves its condition to the steps inside it, and that those before it did not hold; a `go` or
//! `end` with a `when` proves to what follows that it did not hold; a block with a `when` proves it to its lists. Unlike
//! what is assigned, this can be lost again. So it is a forward analysis of its own: what holds before a node is what
//! holds after all of its predecessors, without what is written on the way.
//!
//! A case also moves where no edge leads: a revision, or an edit that re-opens a decision, goes back to an earlier
//! step. The engine then goes back to the first step that has read what was revised, which no guard before that
//! step can be. So a fact is only used
//!
//! * behind its guard in the text, and in the scope of the guard,
//! * where no branch beside can write what it is about, or have it revised while the guard is inside of this branch,
//! * where nothing writes what it is about between the step and one from where the case may come back to it.
//!
//! What a step came to is carried like a field that the step writes; of a block, whose end is elsewhere, it is not. Facts
//! about more, such as who is head of what, are not carried.

use crate::compile::fields::Fields;
use crate::compile::lower::{Flow, Part, Placed};
use crate::compile::outcomes::{self, answers};
use crate::compile::resolve::walk;
use crate::compile::texts::expressions;
use crate::compile::touch::writes;
use crate::compile::typing::Typing;
use crate::expression::{self, Known, Scope, end_of};
use crate::model::definition::outcome;
use crate::model::graph::{Node, On, StateGraph};
use crate::model::id::{FieldName, StepId};
use crate::syntax::{Field, Process, Step, StepKind};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Facts, each with the steps whose conditions may have proved it.
type Facts = BTreeMap<Known, BTreeSet<usize>>;

/// What is proved before each step, and what undoes it.
pub(crate) struct Proved<'a> {
    graph: &'a StateGraph,
    places: Vec<At<'a>>,
    numbers: BTreeMap<&'a StepId, usize>,
    /// Fields and columns that follow from others, so that any write may change them.
    derived: BTreeSet<FieldName>,
    /// The steps that run beside those of a branch, by the branch's block.
    beside: BTreeMap<u32, Vec<usize>>,
    /// For each fact the steps before which it is never sure: see `come_back`.
    back: BTreeMap<Known, BTreeSet<usize>>,
    before: BTreeMap<StepId, Vec<Known>>,
    /// The fields that only steps write.
    data: BTreeSet<FieldName>,
}

/// A step and what it does to facts.
struct At<'a> {
    placed: &'a Placed<'a>,
    block: u32,
    /// What it writes itself.
    own: BTreeSet<FieldName>,
    /// What it and the lists in it write.
    all: BTreeSet<FieldName>,
    /// What the lists in it ask, which becomes unset where they are passed by.
    asks: BTreeSet<FieldName>,
    /// Whether the case may go back from it where no edge leads.
    goes_back: bool,
    /// Whether it takes another step back.
    undo: bool,
    /// What it proves along its edges.
    proves: Vec<(On, Vec<Known>)>,
}

impl<'a> Proved<'a> {
    /// Of a process whose fields are known.
    pub(crate) fn of(fields: &Fields<'_>, typing: &Typing<'a>) -> Proved<'a> {
        let (document, flow) = (typing.document, typing.flow);
        let reopens = any(document, |step| !step.depends_on.is_empty());
        let rows: BTreeMap<&StepId, [&FieldName; 2]> =
            fields.rows().iter().map(|rows| (&rows.each, [&rows.alias, &rows.list])).collect();
        let told = any(document, asks_steps);
        let mut places: Vec<At<'a>> = Vec::with_capacity(flow.steps.len());
        for placed in &flow.steps {
            let step = placed.source;
            let whole = placed.part == Part::Whole;
            let mut own = BTreeSet::new();
            if whole {
                own.extend(writes(step).into_iter().map(|name| FieldName::from(name.value.as_str())));
                own.extend(rows.get(&placed.id).into_iter().flatten().map(|name| (*name).clone()));
            }
            let (mut all, mut asks) = (own.clone(), BTreeSet::new());
            for list in step.lists() {
                walk(list, &mut |step| {
                    asks.extend(step.form.iter().map(|field| FieldName::from(field.name.value.as_str())));
                    all.extend(writes(step).into_iter().map(|name| FieldName::from(name.value.as_str())))
                });
            }
            places.push(At {
                placed,
                block: flow.graph.block_of(&Node::Step(placed.id.clone())).unwrap_or_default(),
                own,
                all,
                asks,
                goes_back: whole && goes_back(step, reopens),
                undo: flow.undo_of(&placed.id).is_some(),
                proves: proves(placed, fields, typing, told),
            });
        }
        told_by_steps(&mut places);
        let numbers = flow.steps.iter().enumerate().map(|(number, placed)| (&placed.id, number)).collect();
        let (beside, derived) = (beside(flow, &places), derived(document));
        let data = document.data.iter().map(|field| FieldName::from(field.name.value.as_str())).collect();
        let (back, before) = Default::default();
        let mut proved = Proved { graph: &flow.graph, places, numbers, derived, beside, back, before, data };
        if proved.places.iter().any(|at| !at.proves.is_empty()) {
            proved.back = proved.come_back();
            proved.before = proved.analysed();
        }
        proved
    }

    /// What is proved before a step.
    pub(crate) fn before(&self, id: &StepId) -> Vec<Known> {
        self.before.get(id).cloned().unwrap_or_default()
    }

    /// What is proved once the `when` of a step holds, for the keys that are read at once.
    pub(crate) fn inside(&self, placed: &Placed<'_>, scope: &Scope) -> Vec<Known> {
        let mut known = self.before(&placed.id);
        if let Some(when) = placed.source.when.as_ref().filter(|_| placed.part == Part::Whole) {
            known.extend(expression::proved(&when.text, scope, true));
        }
        known
    }

    /// What is left of that while the step waits, and when it is done.
    pub(crate) fn meanwhile(&self, placed: &Placed<'_>, inside: &[Known]) -> Vec<Known> {
        let Some((number, at)) = self.numbered(&placed.id) else { return Vec::new() };
        let own = BTreeSet::from([number]);
        let before = self.before(&placed.id);
        let lasts = |known: &&Known| {
            known.of().is_some()
                && !self.hit(known, &at.all)
                && (before.contains(known)
                    || !(self.disturbed(at, known, &own) || at.goes_back && self.revisable(known)))
        };
        inside.iter().filter(lasts).cloned().collect()
    }

    /// What is left after a field was written.
    pub(crate) fn unwritten(&self, known: &[Known], name: &FieldName) -> Vec<Known> {
        let written = BTreeSet::from([name.clone()]);
        known.iter().filter(|known| !self.hit(known, &written)).cloned().collect()
    }

    /// Whether a revision can change what a fact is about. The step that returned the case is asked again even if
    /// its `when` no longer holds.
    fn revisable(&self, known: &Known) -> bool {
        known.of().is_none_or(|of| of.iter().any(|name| !self.data.contains(name) || self.derived.contains(name)))
    }

    fn numbered(&self, id: &StepId) -> Option<(usize, &At<'a>)> {
        let number = *self.numbers.get(id)?;
        Some((number, self.places.get(number)?))
    }

    /// Whether a write can change what a fact is about.
    fn hit(&self, known: &Known, written: &BTreeSet<FieldName>) -> bool {
        let Some(of) = known.of() else { return true };
        !written.is_disjoint(of) || !written.is_empty() && !self.derived.is_disjoint(of)
    }

    fn analysed(&self) -> BTreeMap<StepId, Vec<Known>> {
        let mut known: BTreeMap<Node, Facts> = BTreeMap::from([(Node::Start, Facts::new())]);
        let mut queue = VecDeque::from([Node::Start]);
        while let Some(node) = queue.pop_front() {
            let Some(here) = known.get(&node).cloned() else { continue };
            for (to, mut then) in self.after(&node, &here) {
                then.retain(|known, guards| self.arrives(&to, known, guards));
                let merged = match known.get(&to) {
                    Some(before) => both(before, &then),
                    None => then,
                };
                if known.get(&to) != Some(&merged) {
                    known.insert(to.clone(), merged);
                    queue.push_back(to);
                }
            }
        }
        let steps = known.into_iter().filter_map(|(node, facts)| match node {
            Node::Step(id) if !facts.is_empty() => Some((id, facts.into_keys().collect())),
            _ => None,
        });
        steps.collect()
    }

    /// What holds along each way that leads on from a node.
    fn after(&self, node: &Node, here: &Facts) -> Vec<(Node, Facts)> {
        let edges = self.graph.edges_from(node);
        let Node::Step(id) = node else {
            return edges.into_iter().map(|(_, to)| (to.clone(), here.clone())).collect();
        };
        let Some((number, at)) = self.numbered(id) else { return Vec::new() };
        let without = |written: &BTreeSet<FieldName>| -> Facts {
            here.iter().filter(|(known, _)| !self.hit(known, written)).map(|(k, g)| (k.clone(), g.clone())).collect()
        };
        let mut found = Vec::new();
        for (on, to) in edges {
            let mut then = match on {
                On::Undo => Facts::new(),
                On::Overdue => without(&at.all),
                _ => without(&at.own),
            };
            then.retain(|known, _| known.of().is_none_or(|of| at.asks.is_disjoint(of)));
            for (_, facts) in at.proves.iter().filter(|(along, _)| along == on) {
                for known in facts {
                    then.insert(known.clone(), BTreeSet::from([number]));
                }
            }
            if !self.gathers(to) {
                found.push((to.clone(), then));
            }
        }
        let join = Node::Join(id.clone());
        if self.gathers(&join) {
            found.push((join, without(&at.all)));
        }
        found
    }

    /// Whether lists that run at once come together in a node: behind it holds what held before them.
    fn gathers(&self, node: &Node) -> bool {
        let Node::Join(id) = node else { return false };
        self.numbered(id).is_some_and(|(_, at)| !matches!(at.placed.source.kind, StepKind::Choose { .. }))
    }

    /// Whether a fact may be used at a node that it is carried to.
    fn arrives(&self, to: &Node, known: &Known, guards: &BTreeSet<usize>) -> bool {
        let Node::Step(id) = to else { return true };
        let Some((number, at)) = self.numbered(id) else { return false };
        let reaches = |guard: &usize| {
            *guard < number && self.places.get(*guard).is_some_and(|guard| self.in_scope(guard.block, at.block))
        };
        !at.undo
            && guards.iter().all(reaches)
            && !self.disturbed(at, known, guards)
            && !self.back.get(known).is_some_and(|places| places.contains(&number))
    }

    /// Whether a block lies in the scope that another lies in, or deeper.
    fn in_scope(&self, outer: u32, block: u32) -> bool {
        let mut scope = outer;
        while let Some(found) = self.graph.block_at(scope).filter(|found| !found.scope) {
            let Some(parent) = found.parent else { break };
            scope = parent;
        }
        self.graph.encloses(scope, block)
    }

    /// Whether something that runs beside a step can change what a fact is about.
    fn disturbed(&self, at: &At<'_>, known: &Known, guards: &BTreeSet<usize>) -> bool {
        let mut branch = at.block;
        while let Some(block) = self.graph.block_at(branch) {
            if let Some(beside) = self.beside.get(&branch) {
                let mut guards = guards.iter().filter_map(|guard| self.places.get(*guard));
                let inside = guards.any(|guard| self.graph.encloses(branch, guard.block));
                let mut beside = beside.iter().filter_map(|other| self.places.get(*other));
                if beside.any(|other| self.hit(known, &other.own) || inside && other.goes_back) {
                    return true;
                }
            }
            let Some(parent) = block.parent else { break };
            branch = parent;
        }
        false
    }

    /// For each fact the steps that the case may come back to, where no edge leads, after what it is about was written.
    fn come_back(&self) -> BTreeMap<Known, BTreeSet<usize>> {
        let all = self.places.iter().flat_map(|at| at.proves.iter().flat_map(|(_, known)| known)).cloned();
        let mut found: BTreeMap<Known, BTreeSet<usize>> = all.map(|known| (known, BTreeSet::new())).collect();
        for writer in self.places.iter().filter(|at| !at.own.is_empty()) {
            let node = Node::Step(writer.placed.id.clone());
            let returning: Vec<(usize, u32)> = self
                .steps(self.graph.from(&node))
                .filter(|(_, at)| at.goes_back)
                .map(|(number, at)| (number, at.block))
                .collect();
            let back = |number: usize, at: &At<'_>| {
                returning.iter().any(|(from, block)| *from >= number && self.graph.encloses(at.block, *block))
            };
            let to = self.steps(self.graph.leading_to(&node)).filter(|(number, at)| back(*number, at));
            let to: BTreeSet<usize> = to.map(|(number, _)| number).collect();
            for (_, places) in found.iter_mut().filter(|(known, _)| self.hit(known, &writer.own)) {
                places.extend(to.iter().copied());
            }
        }
        found
    }

    fn steps<'n>(&self, nodes: Vec<&'n Node>) -> impl Iterator<Item = (usize, &At<'a>)> + use<'_, 'n, 'a> {
        nodes.into_iter().filter_map(|node| match node {
            Node::Step(id) => self.numbered(id),
            _ => None,
        })
    }
}

/// What both sides know; whichever of the steps proved it.
fn both(one: &Facts, other: &Facts) -> Facts {
    let common = one.iter().filter_map(|(known, guards)| {
        let more = other.get(known)?;
        Some((known.clone(), guards.union(more).copied().collect()))
    });
    common.collect()
}

/// The steps in the other branches of what runs its branches at once, by the block of each branch.
fn beside(flow: &Flow<'_>, places: &[At<'_>]) -> BTreeMap<u32, Vec<usize>> {
    let mut found: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for at in places {
        if !matches!(at.placed.source.kind, StepKind::Parallel { .. } | StepKind::Race { .. }) {
            continue;
        }
        for branch in flow.graph.blocks_of(&at.placed.id) {
            let id = &at.placed.id;
            let others = places.iter().enumerate().filter(|(_, other)| {
                let within = flow.branch_of(&Node::Step(other.placed.id.clone()), id);
                within.is_some_and(|within| within != branch)
            });
            found.insert(branch, others.map(|(number, _)| number).collect());
        }
    }
    found
}

/// Lets each step write what it comes to, where facts are about that.
fn told_by_steps(places: &mut [At<'_>]) {
    let facts = places.iter().flat_map(|at| at.proves.iter().flat_map(|(_, known)| known));
    let told: BTreeSet<FieldName> =
        facts.filter(|known| known.is_of_step()).filter_map(Known::of).flatten().cloned().collect();
    if told.is_empty() {
        return;
    }
    let end = |step: &Step| {
        let end = end_of(&StepId::from(step.id.as_ref()?.value.as_str()));
        told.contains(&end).then_some(end)
    };
    for at in places {
        if at.placed.part == Part::Whole {
            at.own.extend(end(at.placed.source));
        }
        let mut all = at.own.clone();
        for list in at.placed.source.lists() {
            walk(list, &mut |step| all.extend(end(step)));
        }
        at.all.extend(all);
    }
}

fn any(document: &Process, asks: impl Fn(&Step) -> bool) -> bool {
    let mut found = false;
    walk(&document.steps, &mut |step| found |= asks(step));
    found
}

/// Whether a case may go back from a step where no edge leads: it is sent back for a revision, or re-opens a decision.
fn goes_back(step: &Step, reopens: bool) -> bool {
    let returned = answers(step).iter().any(|(name, _)| name.as_str() == outcome::RETURNED);
    returned && !step.on.iter().any(|(name, _)| name.value == outcome::RETURNED)
        || reopens && !(step.edit.is_empty() && step.form.is_empty())
}

/// Fields and columns that are computed, or asked only where a condition holds.
fn derived(document: &Process) -> BTreeSet<FieldName> {
    fn of(fields: &[Field], found: &mut BTreeSet<FieldName>) {
        for field in fields {
            if field.value.is_some() || field.when.is_some() {
                found.insert(FieldName::from(field.name.value.as_str()));
            }
            of(&field.fields, found);
        }
    }
    let mut found = BTreeSet::new();
    of(&document.form, &mut found);
    of(&document.data, &mut found);
    walk(&document.steps, &mut |step| of(&step.form, &mut found));
    found
}

/// Whether something asks how steps went, or is asked by that.
fn asks_steps(step: &Step) -> bool {
    let with_outcome = |field: &Field| field.when.as_ref().is_some_and(|when| when.text.contains("outcome"));
    step.form.iter().any(with_outcome) || expressions(step).iter().any(|text| text.text.contains("steps"))
}

/// What a step that people are asked proves of itself along its edges, where it cannot go on with all that it can come to.
fn came_to(placed: &Placed<'_>, document: &Process) -> Vec<(On, Vec<Known>)> {
    let step = placed.source;
    let proved = |outcomes: Vec<String>| vec![expression::came_to(&placed.id, outcomes)];
    let mut found: Vec<(On, Vec<Known>)> = vec![(On::Next, proved(outcomes::flowing(step, document)))];
    for (outcome, _) in &step.on {
        let name = &outcome.value;
        found.push((On::Outcome(name.as_str().into()), proved(vec![name.clone()])));
    }
    found
}

/// What a step proves along its edges, of what lasts.
fn proves(placed: &Placed<'_>, fields: &Fields<'_>, typing: &Typing<'_>, told: bool) -> Vec<(On, Vec<Known>)> {
    let step = placed.source;
    if told && placed.part == Part::Whole && matches!(step.kind, StepKind::Approve { .. } | StepKind::Task { .. }) {
        return came_to(placed, typing.document);
    }
    let cases = match &step.kind {
        StepKind::Choose { cases, .. } => cases.as_slice(),
        _ => &[],
    };
    if placed.part == Part::Guarded || step.when.is_none() && cases.is_empty() {
        return Vec::new();
    }
    let row = typing.flow.row_of(&placed.id).cloned();
    let place = super::assigned::Certain { row, ..Default::default() };
    let scope = typing.everywhere().instance(typing.numbered()).fields(fields.at(&place));
    let texts = step.when.iter().chain(cases.iter().filter_map(|case| case.when.as_ref()));
    let asks = texts.into_iter().any(|text| text.text.contains("steps"));
    let scope = if asks { typing.with_steps(scope, &place) } else { scope };
    let blocks: BTreeSet<FieldName> = typing
        .flow
        .steps
        .iter()
        .filter(|_| asks)
        .filter(|placed| !placed.source.lists().is_empty())
        .map(|placed| end_of(&placed.id))
        .collect();
    let lasts = |known: &Known| known.of().is_some_and(|of| of.is_disjoint(&blocks));
    let either = |text: &crate::syntax::FeelText| {
        let (mut holds, mut fails) = expression::proved_either_way(&text.text, &scope);
        holds.retain(lasts);
        fails.retain(lasts);
        (holds, fails)
    };
    let mut found: Vec<(On, Vec<Known>)> = Vec::new();
    let when = step.when.as_ref();
    if let (Part::Guard, Some(when)) = (placed.part, when) {
        let (holds, fails) = either(when);
        return vec![(On::Case(0), holds), (On::Otherwise, fails)];
    }
    let mut known = when.map(|when| either(when).0).unwrap_or_default();
    match &step.kind {
        StepKind::Choose { .. } => {
            for (number, case) in (0u16..).zip(cases) {
                let Some(text) = &case.when else { continue };
                let (holds, fails) = either(text);
                found.push((On::Case(number), known.iter().cloned().chain(holds).collect()));
                known.extend(fails);
            }
            found.push((On::Otherwise, known));
        }
        StepKind::Parallel { branches, .. } | StepKind::Race { branches } => {
            found.extend(branches.iter().map(|branch| (On::Branch(branch.name.value.as_str().into()), known.clone())));
        }
        StepKind::Each { .. } => found.push((On::Row, known)),
        _ => {}
    }
    found.retain(|(_, known)| !known.is_empty());
    found
}
