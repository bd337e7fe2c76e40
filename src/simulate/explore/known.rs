//! What the guards on a path say: for each thing that they ask the values that it can still have.
//!
//! Only what is certain is kept. What cannot be understood of a condition narrows nothing, so a path is called
//! impossible only if it is. Inside a block it also keeps what was known where the block began, as every branch of
//! it begins with no more than that, and what the branches before this one found out.

use super::guard::Guards;
use crate::expression;
use crate::expression::range::Values;
use crate::expression::region::Area;
use crate::model::formula::{Formula, Op, Read};
use crate::model::graph::Node;
use crate::model::id::{FieldName, Outcome, StepId};
use crate::model::rule::Table;
use crate::model::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is known on a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Known {
    /// By the numbers of what guards ask; what is not here can be all that it can be at all.
    sets: BTreeMap<usize, Values>,
    /// The blocks around, the outermost first.
    around: Vec<Around>,
    /// At the join of a block that its first branch ends, that branch, where anything ahead of it asks.
    won: Option<Outcome>,
    /// At a step that was returned: it is asked again, whether its `when` holds or not.
    asked: bool,
}

/// All that a decision table can give for what is taken of it, where every rule gives a constant.
pub(super) fn answers(table: &Table, taken: &Formula) -> Option<Values> {
    let Op::Field(name) = taken.root.op() else { return None };
    let output = table.outputs.get(name).filter(|_| table.hit.is_single())?;
    let rules = table.rules.iter().map(|rule| rule.then.get(name));
    let left_out = Value::Null;
    let given = rules.map(|cell| cell.map_or(Some(left_out.clone()), expression::fixed));
    let values = given.chain(output.default.as_ref().map(expression::fixed));
    // A number is rounded when it is stored.
    let stored = |value: Value| (!matches!(&value, Value::Number(n) if n.round_dp(2) != *n)).then_some(value);
    let each = values.map(|value| Values::only(&stored(value?)?));
    each.reduce(|one, other| one?.union(&other?)).flatten()
}

/// A block that is being walked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Around {
    block: StepId,
    /// What was known where it began, and holds all through it.
    before: Known,
    /// What the branches that were walked already found out.
    gained: Known,
    /// How many more branches it waits for.
    todo: usize,
}

impl Known {
    /// The path on which a guard comes out so; `None` if there is none.
    pub(super) fn assume(&self, guards: &Guards<'_>, step: &StepId, case: Option<u16>, truth: bool) -> Option<Known> {
        let areas = guards.areas(step, case, truth).iter();
        let mut possible = areas.filter_map(|area| self.within(guards, area));
        let mut known = possible.next()?;
        for other in possible {
            // Of several ways only what they share is certain.
            known.sets = known
                .sets
                .iter()
                .filter_map(|(number, set)| Some((*number, set.union(other.sets.get(number)?)?)))
                .filter(|(number, set)| guards.domain(*number) != Some(set))
                .collect();
        }
        Some(known)
    }

    /// Any of this is another thing now.
    pub(super) fn forget(&mut self, guards: &Guards<'_>, reads: &BTreeSet<Read>) {
        if !self.sets.is_empty() && !reads.is_empty() {
            guards.touched(reads).for_each(|number| drop(self.sets.remove(&number)));
        }
    }

    /// A step went so.
    pub(super) fn went(&mut self, guards: &Guards<'_>, step: &StepId, outcome: &str) {
        self.forget(guards, &BTreeSet::from([Read::Step(step.clone())]));
        self.is(guards.outcome(step), &Value::text(outcome));
    }

    /// This branch has ended its block.
    pub(super) fn won(self, branch: Outcome) -> Known {
        Known { won: Some(branch), ..self }
    }

    /// The branch that has ended its block, which is gone from.
    pub(super) fn take_won(&mut self) -> Option<Outcome> {
        self.won.take()
    }

    /// The step that this leads to was returned, and is asked again.
    pub(super) fn asked(self) -> Known {
        Known { asked: true, ..self }
    }

    /// Whether a step is asked again, which is over with that.
    pub(super) fn take_asked(&mut self) -> bool {
        std::mem::take(&mut self.asked)
    }

    /// A field is given this value.
    pub(super) fn assign(&mut self, guards: &Guards<'_>, field: &FieldName, formula: &Formula) {
        // A number is rounded when it is stored.
        let stored = |value: &Value| !matches!(value, Value::Number(n) if n.round_dp(2) != *n);
        if let Some(value) = expression::fixed(formula).filter(stored) {
            self.is(guards.field(field), &value);
        }
    }

    /// A field is given one of these values.
    pub(super) fn among(&mut self, guards: &Guards<'_>, field: &FieldName, values: Values) {
        if let Some(number) = guards.field(field)
            && guards.domain(number) != Some(&values)
        {
            self.sets.insert(number, values);
        }
    }

    fn is(&mut self, number: Option<usize>, value: &Value) {
        if let (Some(number), Some(only)) = (number, Values::only(value)) {
            self.sets.insert(number, only);
        }
    }

    /// What guards that lie ahead of a place may ask.
    pub(super) fn trim(&mut self, guards: &Guards<'_>, node: &Node) {
        self.sets.retain(|number, _| guards.is_ahead(node, *number));
        for around in &mut self.around {
            around.before.trim(guards, node);
            around.gained.trim(guards, node);
        }
    }

    /// A branch of a block begins, with what holds all through the block; `todo` more are waited for.
    pub(super) fn enter(&mut self, block: &StepId, todo: usize) {
        let around = std::mem::take(&mut self.around);
        let here = Around { block: block.clone(), before: self.clone(), gained: Known::default(), todo };
        self.around = around;
        self.around.push(here);
    }

    /// The next branch of a block begins; `None` if what the branches found out excludes each other, and nothing
    /// where the block was not entered with anything known.
    pub(super) fn next_branch(&self, guards: &Guards<'_>, block: &StepId) -> Option<Known> {
        let Some((inner, outer)) = self.around.split_last().filter(|(inner, _)| inner.block == *block) else {
            return Some(Known::default());
        };
        let gained = inner.gained.within(guards, &self.sets)?;
        let mut known = inner.before.clone();
        known.around = outer.to_vec();
        known.around.push(Around { gained, todo: inner.todo.saturating_sub(1), ..inner.clone() });
        Some(known)
    }

    /// How many more branches of a block are waited for.
    pub(super) fn todo(&self, block: &StepId) -> usize {
        self.around.iter().rfind(|around| around.block == *block).map_or(0, |around| around.todo)
    }

    /// All branches of a block are done: what every one found out is known.
    pub(super) fn join(&self, guards: &Guards<'_>, block: &StepId) -> Option<Known> {
        let mut known = self.clone();
        match known.leave(block) {
            Some((_, gained)) => known.within(guards, &gained.sets),
            None => Some(known),
        }
    }

    /// The block is left; what was known where it began, and what other branches found out.
    pub(super) fn leave(&mut self, block: &StepId) -> Option<(Known, Known)> {
        let inner = self.around.pop_if(|inner| inner.block == *block)?;
        let before = Known { around: self.around.clone(), ..inner.before };
        Some((before, inner.gained))
    }

    /// Both, on the same way; `None` where they exclude each other.
    pub(super) fn and(&self, guards: &Guards<'_>, other: &Known) -> Option<Known> {
        self.within(guards, &other.sets)
    }

    /// What is left of it within an area; `None` if that is nothing.
    fn within(&self, guards: &Guards<'_>, area: &Area) -> Option<Known> {
        let mut known = self.clone();
        for (number, set) in area {
            let own = self.sets.get(number).or_else(|| guards.domain(*number));
            // Of values of two kinds nothing is certain.
            let Some(both) = own.map_or(Some(set.clone()), |own| own.intersection(set)) else { continue };
            if both.is_empty() {
                return None;
            }
            if guards.domain(*number) != Some(&both) {
                known.sets.insert(*number, both);
            }
        }
        Some(known)
    }
}
