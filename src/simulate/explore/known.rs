//! What the guards on a path say about the data: for a field the values that it can still have, and for a whole
//! condition whether it held.
//!
//! Only what is certain is kept. What cannot be understood of a condition narrows nothing, so a path is called
//! impossible only if it is. Inside a block it also keeps what was known where the block began, as every branch of
//! it begins with no more than that, and what the branches before this one found out.

use crate::model::formula::{Comparison, Expr, Formula, Op, Read};
use crate::model::id::{FieldName, StepId};
use crate::model::value::Value;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is known on a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Known {
    fields: BTreeMap<FieldName, Set>,
    conditions: BTreeMap<String, (bool, BTreeSet<Read>)>,
    /// The blocks around, the outermost first.
    around: Vec<Around>,
}

/// A block that is being walked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Around {
    block: StepId,
    /// What was known where it began, and holds all through it.
    before: Known,
    /// What the branches that were walked already found out.
    gained: Known,
}

/// The values that a field can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    /// Numbers between two ends; each end with whether it belongs to them.
    Numbers(Option<(Decimal, bool)>, Option<(Decimal, bool)>),
    /// One of these texts.
    Words(BTreeSet<Arc<str>>),
    /// Any text but these.
    Others(BTreeSet<Arc<str>>),
    /// A boolean.
    Truth(bool),
}

impl Known {
    /// The path on which a condition comes out so; `None` if there is none.
    pub(super) fn assume(&self, formula: &Formula, truth: bool) -> Option<Known> {
        if self.conditions.get(&formula.text).is_some_and(|(held, _)| *held != truth) {
            return None;
        }
        let mut known = self.assume_expr(&formula.root, truth, None)?;
        if !formula.reads.iter().any(|read| matches!(read, Read::Now | Read::Assignee | Read::Outcome)) {
            known.conditions.insert(formula.text.clone(), (truth, formula.reads.clone()));
        }
        Some(known)
    }

    /// The field has one of these options.
    pub(super) fn among(&mut self, field: FieldName, options: impl Iterator<Item = Arc<str>>) {
        self.fields.insert(field, Set::Words(options.collect()));
    }

    /// Fields are written; what `base` says of them stays.
    pub(super) fn forget<'n>(&mut self, fields: impl Iterator<Item = &'n FieldName>, base: &Known) {
        for name in fields {
            match base.fields.get(name) {
                Some(set) => self.fields.insert(name.clone(), set.clone()),
                None => self.fields.remove(name),
            };
            self.conditions.retain(|_, (_, reads)| !reads.contains(&Read::Field(name.clone())));
        }
    }

    /// A step is walked again.
    pub(super) fn forget_step(&mut self, step: &StepId) {
        self.conditions.retain(|_, (_, reads)| !reads.contains(&Read::Step(step.clone())));
    }

    /// A field is given this value.
    pub(super) fn assign(&mut self, field: &FieldName, formula: &Formula) {
        // A number is rounded when it is stored.
        let stored = |value: &Value| !matches!(value, Value::Number(n) if n.round_dp(2) != *n);
        let value = literal(&formula.root).filter(|value| stored(value));
        if let Some(known) = value.and_then(|value| self.compare(field, Comparison::Equal, value)) {
            *self = known;
        }
    }

    /// A branch of a block begins, with what holds all through the block.
    pub(super) fn enter(&mut self, block: &StepId) {
        let around = std::mem::take(&mut self.around);
        let here = Around { block: block.clone(), before: self.clone(), gained: Known::default() };
        self.around = around;
        self.around.push(here);
    }

    /// The next branch of a block begins; `None` if what the branches found out excludes each other, and nothing
    /// where the block was not entered with anything known.
    pub(super) fn next_branch(&self, block: &StepId, base: &Known) -> Option<Known> {
        let Some((inner, outer)) = self.around.split_last().filter(|(inner, _)| inner.block == *block) else {
            return Some(base.clone());
        };
        let gained = inner.gained.meet(self)?;
        let mut known = inner.before.clone();
        known.around = outer.to_vec();
        known.around.push(Around { gained, ..inner.clone() });
        Some(known)
    }

    /// All branches of a block are done: what every one found out is known.
    pub(super) fn join(&self, block: &StepId) -> Option<Known> {
        let mut known = self.clone();
        match known.leave(block) {
            Some((_, gained)) => gained.meet(&known).map(|met| Known { around: known.around, ..met }),
            None => Some(known),
        }
    }

    /// The block is left; what was known where it began, and what other branches found out.
    pub(super) fn leave(&mut self, block: &StepId) -> Option<(Known, Known)> {
        let inner = self.around.pop_if(|inner| inner.block == *block)?;
        let before = Known { around: self.around.clone(), ..inner.before };
        Some((before, inner.gained))
    }

    /// What two say together, without the blocks around; `None` if they exclude each other.
    fn meet(&self, other: &Known) -> Option<Known> {
        let mut known = Known { around: Vec::new(), ..self.clone() };
        for (name, set) in &other.fields {
            known = known.narrow(name, set.clone())?;
        }
        for (text, (held, reads)) in &other.conditions {
            if known.conditions.get(text).is_some_and(|(known, _)| known != held) {
                return None;
            }
            known.conditions.insert(text.clone(), (*held, reads.clone()));
        }
        Some(known)
    }

    fn assume_expr(&self, expr: &Expr, truth: bool, local: Option<&FieldName>) -> Option<Known> {
        match expr.op() {
            Op::Literal(Value::Boolean(is)) => (*is == truth).then(|| self.clone()),
            Op::Field(name) => self.narrow(name, Set::Truth(truth)),
            Op::Call(name, arguments) if &**name == "not" => match arguments.as_slice() {
                [of] => self.assume_expr(of, !truth, local),
                _ => Some(self.clone()),
            },
            Op::And(parts) => self.assume_all(parts, truth, truth, local),
            Op::Or(parts) => self.assume_all(parts, truth, !truth, local),
            Op::In(of, tests) => match of.op() {
                Op::Field(name) => self.assume_all(tests, truth, !truth, Some(name)),
                _ => Some(self.clone()),
            },
            Op::Between(of, low, high) => match (subject(of, local), literal(low), literal(high)) {
                (Some(name), Some(low), Some(high)) if truth => {
                    self.compare(name, Comparison::AtLeast, low)?.compare(name, Comparison::AtMost, high)
                }
                _ => Some(self.clone()),
            },
            Op::Matches(of, test) => match (subject(of, local), test.op()) {
                (Some(name), Op::Literal(value)) => {
                    self.compare(name, if truth { Comparison::Equal } else { Comparison::NotEqual }, value)
                }
                (Some(name), Op::Range { low, low_closed, high, high_closed }) if truth => {
                    let mut known = self.clone();
                    if let Some(low) = literal(low).filter(|low| !low.is_null()) {
                        known = known.compare(
                            name,
                            if *low_closed { Comparison::AtLeast } else { Comparison::Greater },
                            low,
                        )?;
                    }
                    if let Some(high) = literal(high).filter(|high| !high.is_null()) {
                        known = known.compare(
                            name,
                            if *high_closed { Comparison::AtMost } else { Comparison::Less },
                            high,
                        )?;
                    }
                    Some(known)
                }
                _ => Some(self.clone()),
            },
            Op::Compare(op, a, b) => {
                let op = if truth { *op } else { negated(*op) };
                match (subject(a, local), literal(a), subject(b, local), literal(b)) {
                    (Some(name), _, _, Some(value)) => self.compare(name, op, value),
                    (_, Some(value), Some(name), _) => self.compare(name, flipped(op), value),
                    _ => Some(self.clone()),
                }
            }
            _ => Some(self.clone()),
        }
    }

    /// All parts (`every`), or at least one, come out as `truth`.
    fn assume_all(&self, parts: &[Expr], truth: bool, every: bool, local: Option<&FieldName>) -> Option<Known> {
        if every {
            return parts.iter().try_fold(self.clone(), |known, part| known.assume_expr(part, truth, local));
        }
        let mut possible = parts.iter().filter_map(|part| self.assume_expr(part, truth, local));
        let first = possible.next()?;
        // Of several ways, none is certain.
        Some(if possible.next().is_some() { self.clone() } else { first })
    }

    fn compare(&self, name: &FieldName, op: Comparison, value: &Value) -> Option<Known> {
        let set = match (op, value) {
            (Comparison::Equal, Value::Number(n)) => Set::Numbers(Some((*n, true)), Some((*n, true))),
            (Comparison::Less, Value::Number(n)) => Set::Numbers(None, Some((*n, false))),
            (Comparison::AtMost, Value::Number(n)) => Set::Numbers(None, Some((*n, true))),
            (Comparison::Greater, Value::Number(n)) => Set::Numbers(Some((*n, false)), None),
            (Comparison::AtLeast, Value::Number(n)) => Set::Numbers(Some((*n, true)), None),
            (Comparison::NotEqual, Value::Number(n)) => return self.unlike(name, *n),
            (Comparison::Equal, Value::Text(text)) => Set::Words(BTreeSet::from([text.clone()])),
            (Comparison::NotEqual, Value::Text(text)) => Set::Others(BTreeSet::from([text.clone()])),
            (Comparison::Equal, Value::Boolean(is)) => Set::Truth(*is),
            (Comparison::NotEqual, Value::Boolean(is)) => Set::Truth(!is),
            _ => return Some(self.clone()),
        };
        self.narrow(name, set)
    }

    /// The field is another number than this.
    fn unlike(&self, name: &FieldName, number: Decimal) -> Option<Known> {
        let only = Set::Numbers(Some((number, true)), Some((number, true)));
        (self.fields.get(name) != Some(&only)).then(|| self.clone())
    }

    fn narrow(&self, name: &FieldName, set: Set) -> Option<Known> {
        let set = match self.fields.get(name) {
            Some(known) => known.meet(&set)?,
            None => set,
        };
        let mut known = self.clone();
        known.fields.insert(name.clone(), set);
        Some(known)
    }
}

impl Set {
    /// The values of both; `None` if there are none.
    fn meet(&self, other: &Set) -> Option<Set> {
        match (self, other) {
            (Set::Numbers(low, high), Set::Numbers(other_low, other_high)) => {
                let low = tighter(*low, *other_low, |a, b| a > b);
                let high = tighter(*high, *other_high, |a, b| a < b);
                if let (Some((from, from_closed)), Some((to, to_closed))) = (low, high)
                    && (from > to || (from == to && !(from_closed && to_closed)))
                {
                    return None;
                }
                Some(Set::Numbers(low, high))
            }
            (Set::Words(words), Set::Words(others)) => some_words(words.intersection(others).cloned().collect()),
            (Set::Words(words), Set::Others(never)) | (Set::Others(never), Set::Words(words)) => {
                some_words(words.difference(never).cloned().collect())
            }
            (Set::Others(never), Set::Others(more)) => Some(Set::Others(never.union(more).cloned().collect())),
            (Set::Truth(is), Set::Truth(other)) => (is == other).then(|| self.clone()),
            // Values of two kinds: nothing is certain.
            _ => Some(self.clone()),
        }
    }
}

fn some_words(words: BTreeSet<Arc<str>>) -> Option<Set> {
    if words.is_empty() { None } else { Some(Set::Words(words)) }
}

/// The narrower of two ends.
fn tighter(
    a: Option<(Decimal, bool)>,
    b: Option<(Decimal, bool)>,
    inner: impl Fn(Decimal, Decimal) -> bool,
) -> Option<(Decimal, bool)> {
    match (a, b) {
        (Some(a), Some(b)) if a.0 == b.0 => Some((a.0, a.1 && b.1)),
        (Some(a), Some(b)) => Some(if inner(a.0, b.0) { a } else { b }),
        (a, b) => a.or(b),
    }
}

fn subject<'e>(expr: &'e Expr, local: Option<&'e FieldName>) -> Option<&'e FieldName> {
    match expr.op() {
        Op::Field(name) => Some(name),
        Op::Local(_) => local,
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&Value> {
    match expr.op() {
        Op::Literal(value) => Some(value),
        _ => None,
    }
}

fn negated(op: Comparison) -> Comparison {
    match op {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::AtLeast,
        Comparison::AtMost => Comparison::Greater,
        Comparison::Greater => Comparison::AtMost,
        Comparison::AtLeast => Comparison::Less,
    }
}

fn flipped(op: Comparison) -> Comparison {
    match op {
        Comparison::Less => Comparison::Greater,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::Greater => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
        same => same,
    }
}
