//! The guards of a process as areas: for which values of what they ask each of them holds, and for which it does not.
//!
//! What guards ask is numbered once for the process: fields, how a step went, whatever else is compared with a
//! constant, and whole conditions. What may be another thing when it is asked again, though nothing was written (the
//! time, who is asked), is not remembered. People and positions are taken to stay as they are.

use super::block::written;
use super::inline::inlined;
use crate::expression::domain::Domain;
use crate::expression::range::Values;
use crate::expression::region::{Area, Subject, Subjects};
use crate::model::definition::{Definition, Step, StepKind};
use crate::model::formula::{Expr, Formula, Op, Read, StepFact};
use crate::model::graph::Node;
use crate::model::id::{FieldName, StepId};
use crate::model::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a guard is on: a step's `when` (`None`), or a case of a `choose`.
type Place = (StepId, Option<u16>);

/// Where a guard holds, and where it does not.
#[derive(Debug, Default)]
struct Guard {
    holds: Vec<Area>,
    fails: Vec<Area>,
}

/// What the guards of a process ask.
pub(super) struct Guards<'d> {
    definition: &'d Definition,
    guards: BTreeMap<Place, Guard>,
    /// What each subject can be at all.
    domains: Vec<Values>,
    /// What each subject depends on.
    about: Vec<BTreeSet<Read>>,
    /// How a step went, as a subject.
    outcomes: BTreeMap<StepId, usize>,
    fields: BTreeMap<FieldName, usize>,
    /// What guards ask that can still be come to, from each place.
    ahead: BTreeMap<Node, BTreeSet<usize>>,
}

impl<'d> Guards<'d> {
    pub(super) fn new(definition: &'d Definition) -> Guards<'d> {
        let mut found = Guards {
            definition,
            guards: BTreeMap::new(),
            domains: Vec::new(),
            about: Vec::new(),
            outcomes: BTreeMap::new(),
            fields: BTreeMap::new(),
            ahead: BTreeMap::new(),
        };
        let mut subjects = Subjects::default();
        for (id, step) in &definition.steps {
            if let Some(when) = &step.when {
                found.read(&mut subjects, (id.clone(), None), when);
            }
            if let StepKind::Choose(cases) = &step.kind {
                for (number, case) in (0u16..).zip(cases) {
                    found.read(&mut subjects, (id.clone(), Some(number)), case);
                }
            }
        }
        for node in definition.graph.nodes() {
            let ahead = found.asked_from(node);
            found.ahead.insert(node.clone(), ahead);
        }
        found
    }

    /// The areas of a guard and of its opposite.
    pub(super) fn areas(&self, step: &StepId, case: Option<u16>, truth: bool) -> &[Area] {
        let guard = self.guards.get(&(step.clone(), case));
        guard.map_or(&[], |guard| if truth { &guard.holds } else { &guard.fails })
    }

    /// What a subject can be at all.
    pub(super) fn domain(&self, number: usize) -> Option<&Values> {
        self.domains.get(number)
    }

    /// What says how a step went, where a guard asks that.
    pub(super) fn outcome(&self, step: &StepId) -> Option<usize> {
        self.outcomes.get(step).copied().filter(|_| !self.definition.is_in_row(step))
    }

    /// A field that a guard asks.
    pub(super) fn field(&self, name: &FieldName) -> Option<usize> {
        self.fields.get(name).copied()
    }

    /// Whether a guard that lies ahead of a place asks this.
    pub(super) fn is_ahead(&self, node: &Node, number: usize) -> bool {
        self.ahead.get(node).is_none_or(|ahead| ahead.contains(&number))
    }

    /// What depends on any of this.
    pub(super) fn touched<'s>(&'s self, by: &'s BTreeSet<Read>) -> impl Iterator<Item = usize> + 's {
        let about = self.about.iter().enumerate();
        about.filter(|(_, about)| !about.is_disjoint(by)).map(|(number, _)| number)
    }

    /// The fields that a step writes, as what reads them: in a row the row too, and the list that holds it.
    pub(super) fn writes(&self, id: &StepId, step: &Step) -> BTreeSet<Read> {
        let mut fields: BTreeSet<Read> = written(step).into_iter().cloned().map(Read::Field).collect();
        if !fields.is_empty() {
            for block in super::block::around(self.definition, &Node::Step(id.clone())) {
                if let Some(StepKind::Each(each)) = self.definition.steps.get(&block).map(|step| &step.kind) {
                    fields.extend([&each.alias, &each.list].map(|name| Read::Field(name.clone())));
                }
            }
        }
        fields
    }

    fn read(&mut self, subjects: &mut Subjects, place: Place, formula: &Formula) {
        let definition = self.definition;
        let domain = |name: &FieldName| domain(definition, name);
        let root = inlined(definition, &formula.root);
        let not = |of: Expr| Expr::new(Op::Call("not".into(), vec![of]));
        let mut guard =
            Guard { holds: subjects.areas(&root, &domain), fails: subjects.areas(&not(root.clone()), &domain) };
        // Of several areas none is certain: that the condition came out so is known as a whole.
        if guard.holds.len().max(guard.fails.len()) > 1 {
            let truth = |is| Expr::literal(Value::Boolean(is));
            let (inner, same) = without_not(&formula.root);
            let whole = Expr::new(Op::If(inner.clone(), truth(true), truth(false)));
            let mut whole_areas = [whole.clone(), not(whole)].map(|whole| subjects.areas(&whole, &domain));
            if !same {
                whole_areas.reverse();
            }
            for (areas, whole) in [&mut guard.holds, &mut guard.fails].into_iter().zip(whole_areas) {
                areas.iter_mut().for_each(|area| area.extend(whole.iter().flatten().map(|(n, set)| (*n, set.clone()))));
            }
        }
        let reads = self.closure(&formula.reads);
        let passing = reads.iter().any(|read| matches!(read, Read::Now | Read::Assignee | Read::Outcome));
        let mut kept = BTreeSet::new();
        for (number, subject, domain) in subjects.iter() {
            let about = match subject {
                Subject::Field(name) => Some(self.closure(&BTreeSet::from([Read::Field(name.clone())]))),
                Subject::Part(of) | Subject::Other(of, _) => match of.op() {
                    Op::Step(step, StepFact::Outcome) => Some(BTreeSet::from([Read::Step(step.clone())])),
                    _ => None,
                },
            };
            if number >= self.about.len() {
                match subject {
                    Subject::Field(name) => self.fields.insert(name.clone(), number),
                    Subject::Part(of) | Subject::Other(of, _) => match of.op() {
                        Op::Step(step, StepFact::Outcome) => self.outcomes.insert(step.clone(), number),
                        _ => None,
                    },
                };
                self.domains.push(domain.values().clone());
                self.about.push(about.clone().unwrap_or_else(|| reads.clone()));
            }
            if about.is_some() || !passing {
                kept.insert(number);
            }
        }
        for area in guard.holds.iter_mut().chain(&mut guard.fails) {
            area.retain(|number, _| kept.contains(number));
        }
        self.guards.insert(place, guard);
    }

    /// All that something depends on, through computed fields too.
    fn closure(&self, reads: &BTreeSet<Read>) -> BTreeSet<Read> {
        let (mut found, mut open) = (BTreeSet::new(), reads.iter().cloned().collect::<Vec<_>>());
        while let Some(read) = open.pop() {
            if let Read::Field(name) = &read
                && let Some((_, field)) = self.definition.fields().find(|(known, _)| *known == name)
            {
                let formulas = [&field.value, &field.when];
                let through: Vec<&Read> = formulas.into_iter().flatten().flat_map(|formula| &formula.reads).collect();
                // It is computed again whenever anything is written, and may then find another thing.
                if through.iter().any(|read| !matches!(read, Read::Field(_))) {
                    found.insert(Read::Now);
                }
                open.extend(through.into_iter().filter(|read| !found.contains(*read)).cloned());
            }
            found.insert(read);
        }
        found
    }

    fn asked_from(&self, node: &Node) -> BTreeSet<usize> {
        let graph = &self.definition.graph;
        let mut from = vec![node.clone()];
        let mut at = graph.block_of(node);
        while let Some(block) = at.and_then(|number| graph.block_at(number)) {
            from.extend(block.of.clone().map(Node::Step));
            at = block.parent;
        }
        let nodes: BTreeSet<&Node> = from.iter().flat_map(|node| graph.from(node)).collect();
        let asked = self.guards.iter().filter(|((step, _), _)| nodes.contains(&Node::Step(step.clone())));
        let areas = asked.flat_map(|(_, guard)| guard.holds.iter().chain(&guard.fails));
        areas.flat_map(|area| area.keys().copied()).collect()
    }
}

/// A condition without every `not` around it, and whether it then says the same and not the opposite.
fn without_not(condition: &Expr) -> (&Expr, bool) {
    let (mut inner, mut same) = (condition, true);
    while let Op::Call(name, of) = inner.op()
        && let (true, [of]) = (&**name == "not", of.as_slice())
    {
        (inner, same) = (of, !same);
    }
    (inner, same)
}

/// What a field can hold by its declaration, wherever it is asked.
fn domain(definition: &Definition, name: &FieldName) -> Domain {
    let Some((_, field)) = definition.fields().find(|(known, _)| *known == name) else { return Domain::any(true) };
    let asked = !definition.data.contains_key(name) && field.value.is_none();
    let nullable = |formula: &Option<Formula>| formula.as_ref().is_some_and(|formula| formula.of.optional);
    // Only what the start asks is there all along.
    let set = asked && field.required && field.when.is_none() && definition.form.contains_key(name);
    let domain = if asked { Domain::asked(field) } else { Domain::written(field) };
    domain.with_null(!set || nullable(&field.default))
}
