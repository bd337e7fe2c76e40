//! What a condition proves about the values it asks for: that one is set, that one is not zero, which values it is one
//! of.
//!
//! Values are told apart by what they read, not by how they are spelled, so that an inner name never borrows what
//! was proved about an outer one.

use super::domain::Domain;
use super::extent::{Local, extent_within};
use super::infer::Infer;
use super::names::Found;
use super::range::{Ends, Values};
use super::region::{self, Declared};
use super::scope::Asked;
use super::tree::{Node, Syntax, Test};
use crate::model::formula::{Comparison, Expr, Op, StepFact};
use crate::model::id::{FieldName, StepId};
use crate::model::value::{Type, Typed, Value};
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is known about a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    Set,
    NotZero,
    /// It is one of these.
    Within(Values),
}

/// A fact and the value that it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    key: String,
    fact: Fact,
    /// The fields and columns that the value is made of alone; `None` where it is made of anything besides.
    of: Option<BTreeSet<FieldName>>,
}

impl Known {
    /// The fields and columns that the fact is about, so that it holds until one of them is written. `None` where
    /// more than they can change it: what steps came to, the directory, the time.
    pub(crate) fn of(&self) -> Option<&BTreeSet<FieldName>> {
        self.of.as_ref()
    }

    /// Whether it is about what a step came to.
    pub(crate) fn is_of_step(&self) -> bool {
        self.of.iter().flatten().any(|name| name.as_str().starts_with(OF_STEP))
    }

    /// Whether it is this fact about this value.
    pub(super) fn says(&self, key: &str, fact: &Fact) -> bool {
        self.fact == *fact && self.key == key
    }

    /// That an expression is one of some values.
    pub(super) fn within(of: &Expr, values: Values) -> Known {
        Known { key: spelled(of), fact: Fact::Within(values), of: fields_in(of) }
    }

    /// Which values an expression is one of, where it says that.
    pub(crate) fn values_of(&self, of: &Expr) -> Option<&Values> {
        match &self.fact {
            Fact::Within(values) if self.key == spelled(of) => Some(values),
            _ => None,
        }
    }

    /// Which values an expression is one of by all that is known.
    pub(crate) fn all_of<'k>(known: impl Iterator<Item = &'k Known>, of: &Expr) -> Option<Values> {
        let mut key = None;
        let said = known.filter_map(|known| match &known.fact {
            Fact::Within(values) => (known.key == *key.get_or_insert_with(|| spelled(of))).then_some(values),
            _ => None,
        });
        let narrower = |all: Option<Values>, values: &Values| match all {
            Some(all) => Some(all.intersection(values).unwrap_or(all)),
            None => Some(values.clone()),
        };
        said.fold(None, narrower)
    }

    /// Whether it says that a value is none that is zero.
    fn keeps_from_zero(&self, key: &str) -> bool {
        self.key == key && matches!(&self.fact, Fact::Within(values) if values.has_no_zero())
    }

    /// Whether it says that this field is set.
    pub(crate) fn sets(&self, field: &str) -> bool {
        self.fact == Fact::Set && self.key == field
    }
}

/// What stands before the step whose end a fact is about. No field has a point in its name.
const OF_STEP: &str = "steps.";

/// What a fact about the end of a step is made of: it holds until the step is walked once more.
pub(crate) fn end_of(step: &StepId) -> FieldName {
    FieldName::from(format!("{OF_STEP}{step}"))
}

/// That a step has come to one of these outcomes.
pub(crate) fn came_to(step: &StepId, outcomes: Vec<String>) -> Known {
    let outcome = Expr::new(Op::Step(step.clone(), StepFact::Outcome));
    Known::within(&outcome, Values::words(outcomes.into_iter().map(Arc::from)))
}

/// Where conditions hold and a step has come to one of these answers.
pub(super) fn answered_with(areas: Asked, step: &StepId, answers: &[String]) -> Asked {
    let outcome = Expr::new(Op::Step(step.clone(), StepFact::Outcome));
    let all = Values::words(answers.iter().map(|answer| Arc::from(answer.as_str())));
    let narrowed = areas.into_iter().filter_map(|area| {
        let (own, mut others): (Vec<_>, Vec<_>) = area.into_iter().partition(|(of, _)| matches!(of.op(), Op::Outcome));
        let values = own.iter().try_fold(all.clone(), |all, (_, values)| all.intersection(values))?;
        others.push((outcome.clone(), values));
        Some(others)
    });
    narrowed.collect()
}

/// What tells an expression from others. A field is spelled as its name, as what is said of it otherwise is.
fn spelled(of: &Expr) -> String {
    match of.op() {
        Op::Field(name) => name.to_string(),
        _ => format!("{of:?}"),
    }
}

/// The fields that an expression is made of, where nothing else is in it.
fn fields_in(of: &Expr) -> Option<BTreeSet<FieldName>> {
    let each = |parts: &[&Expr]| -> Option<BTreeSet<FieldName>> {
        let each: Option<Vec<_>> = parts.iter().map(|part| fields_in(part)).collect();
        Some(each?.into_iter().flatten().collect())
    };
    match of.op() {
        Op::Literal(_) => Some(BTreeSet::new()),
        Op::Field(name) => Some(BTreeSet::from([name.clone()])),
        Op::Step(step, _) => Some(BTreeSet::from([end_of(step)])),
        Op::Negate(of) => each(&[of]),
        Op::Arithmetic(_, a, b) | Op::Compare(_, a, b) => each(&[a, b]),
        Op::Path(row, column) => match row.op() {
            // What is asked of a person is not the case's own; a row has the columns that its steps write.
            Op::Field(list) => Some(BTreeSet::from([list.clone(), column.clone()])),
            _ => None,
        },
        Op::Call(name, arguments) if ["count", "sum", "min", "max"].contains(&&**name) => {
            each(&arguments.iter().collect::<Vec<_>>())
        }
        _ => None,
    }
}

impl Declared for Infer<'_> {
    fn field(&self, name: &FieldName) -> Domain {
        let of = |typed: &Typed| match &typed.of {
            Type::List(item) => Domain::of(&item.of, self.unit_of(name.as_str())),
            one => Domain::of(one, self.unit_of(name.as_str())),
        };
        let typed = self.scope.fields.get(name).map_or(Domain::any(true), of);
        self.scope.kept.held.get(name).filter(|held| held.placed().is_some()).cloned().unwrap_or(typed)
    }

    fn part(&self, of: &Expr) -> Option<Domain> {
        let Op::Path(rows, column) = of.op() else { return None };
        let Op::Field(list) = rows.op() else { return None };
        let item = match &self.scope.fields.get(list)?.of {
            Type::List(item) => &item.of,
            one => one,
        };
        let Type::Record(columns) = item else { return None };
        let typed = Domain::of(&columns.get(column)?.of, self.unit_of(column.as_str()));
        Some(self.scope.kept.held.get(column).filter(|held| held.placed().is_some()).cloned().unwrap_or(typed))
    }

    fn proved(&self, of: &Expr) -> Option<Values> {
        let known = Known::all_of(self.facts.iter(), of);
        known
            .into_iter()
            .chain(self.scope.kept.difference(of))
            .reduce(|all, more| all.intersection(&more).unwrap_or(all))
    }

    fn rows(&self, name: &FieldName) -> Ends {
        (self.is_never_empty(name.as_str()).then_some(Decimal::ONE), self.scope.kept.most.get(name).copied())
    }
}

impl Infer<'_> {
    /// What an expression can come to where it stands.
    pub(super) fn extent(&self, expr: &Expr) -> Domain {
        let local = |(depth, local): (usize, &super::infer::Local)| match &local.of {
            Some(of) => Local::Item(of.clone(), depth),
            None => Local::Value(Domain::of(&local.typed.of, local.unit)),
        };
        extent_within(expr, self, self.locals.iter().enumerate().map(local).collect())
    }

    /// Which values expressions are one of, where a condition is `truth`.
    pub(super) fn ranges(&self, condition: &Expr, truth: bool) -> Vec<Known> {
        let implied = region::implied(condition, truth, self.locals.len());
        implied.into_iter().map(|(of, values)| Known::within(&of, values)).collect()
    }

    /// Whether somebody has answered a step, which is over by then where it is `always`.
    pub(super) fn is_answered(&self, step: &StepId, always: bool, unanswered: &[Arc<str>]) -> bool {
        let known = self.proved(&Expr::new(Op::Step(step.clone(), StepFact::Outcome)));
        let over = always || known.as_ref().is_some_and(|known| !known.contains(&Value::Null));
        let may_be =
            |outcome: &Arc<str>| known.as_ref().is_none_or(|known| known.contains(&Value::Text(Arc::clone(outcome))));
        over && !unanswered.iter().any(may_be)
    }

    /// Whether the condition under which a field is asked, and then has to be filled in, is known to hold.
    pub(super) fn is_asked(&self, name: &str) -> bool {
        let Some(areas) = self.scope.asked.get(name) else { return false };
        let holds = |(of, values): &(Expr, Values)| {
            // A step comes to nothing but its outcomes.
            let possible = match of.op() {
                Op::Step(step, StepFact::Outcome) => {
                    self.scope.steps.get(step).map(|step| Values::words(step.outcomes.iter().cloned()))
                }
                _ => None,
            };
            let known = self.facts.iter().filter_map(|known| known.values_of(of));
            // Where nothing is known of it, it may have come to nothing yet.
            let known: Vec<&Values> = known.collect();
            let possible = possible.filter(|_| !known.is_empty());
            known
                .into_iter()
                .cloned()
                .chain(possible)
                .reduce(|all, more| all.intersection(&more).unwrap_or(all))
                .is_some_and(|all| all.is_in(values))
        };
        areas.iter().any(|area| area.iter().all(holds))
    }

    /// What tells a value from others; `None` for one that cannot be asked for twice.
    pub(super) fn key(&self, node: &Node) -> Option<String> {
        match &node.syntax {
            Syntax::Name(name) => match self.lookup(name)? {
                Found::Local(slot, _) => Some(format!("#{slot}")),
                Found::Column(slot, _) => Some(format!("#{slot}.{name}")),
                Found::Dynamic(..) => None,
                _ => Some(name.clone()),
            },
            Syntax::Path(of, name, _) => match &of.syntax {
                Syntax::Path(steps, step, _) if self.is_steps(steps) => Some(format!("steps.{step}.{name}")),
                Syntax::Name(of) if self.lookup(of).is_none() => Some(format!("{of}.{name}")),
                _ => Some(format!("{}.{name}", self.key(of)?)),
            },
            Syntax::Call(name, _, arguments) => {
                let keys: Option<Vec<String>> = arguments.iter().map(|argument| self.key(&argument.value)).collect();
                Some(format!("{name}({})", keys?.join(",")))
            }
            // Nothing hides a name within an expression, so that the same words say the same.
            Syntax::Filter(list, condition) => Some(format!("{}[{}]", self.key(list)?, self.written(condition))),
            Syntax::Number(_) | Syntax::Text(_) => Some(format!("{:?}", node.syntax)),
            _ => None,
        }
    }

    pub(super) fn knows(&self, node: &Node, fact: Fact) -> bool {
        if let (Syntax::Call(name, _, arguments), Fact::NotZero) = (&node.syntax, &fact)
            && let ("count", [list]) = (name.as_str(), arguments.as_slice())
            && !self.may_be_empty(&list.value)
        {
            return true;
        }
        let proves =
            |key: &str, known: &Known| known.says(key, &fact) || fact == Fact::NotZero && known.keeps_from_zero(key);
        self.key(node).is_some_and(|key| self.facts.iter().any(|known| proves(&key, known)))
    }

    /// Whether a node is a row of a list, whose parts are columns; what is asked of other values is none.
    pub(super) fn is_row(&self, node: &Node) -> bool {
        let of = |name: &str| match self.lookup(name) {
            Some(Found::Local(_, typed) | Found::Column(_, typed) | Found::Field(typed)) => Some(typed.of),
            _ => None,
        };
        let record = |of: &Type| matches!(of, Type::Record(_));
        match &node.syntax {
            Syntax::Name(name) => of(name).is_some_and(|of| record(&of)),
            Syntax::Filter(list, _) => match &list.syntax {
                Syntax::Name(list) => matches!(of(list), Some(Type::List(item)) if record(&item.of)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a form keeps a list from being empty.
    pub(super) fn is_never_empty(&self, name: &str) -> bool {
        self.scope.kept.not_empty.contains(name) && matches!(self.lookup(name), Some(Found::Field(_)))
    }

    /// What holds where the condition is `truth`.
    pub(super) fn assume(&self, node: &Node, truth: bool) -> Vec<Known> {
        match &node.syntax {
            Syntax::And(parts) => self.combine(parts, truth, truth),
            Syntax::Or(parts) => self.combine(parts, truth, !truth),
            Syntax::Call(name, _, arguments) if name == "not" => match arguments.as_slice() {
                [argument] => self.assume(&argument.value, !truth),
                _ => Vec::new(),
            },
            Syntax::Compare(op, a, b) => {
                let mut known = self.compared(*op, a, b, truth);
                known.extend(self.compared(op.turned(), b, a, truth));
                known
            }
            Syntax::Between(value, low, _) if truth => {
                let mut known = self.about(value, Fact::Set);
                if constant(low).is_some_and(|low| low > Decimal::ZERO) {
                    known.extend(self.about(value, Fact::NotZero));
                }
                known
            }
            Syntax::In(value, tests) if truth => {
                let asks = |test: &Test| match test {
                    Test::Compare(op, _) => !matches!(op, Comparison::Equal | Comparison::NotEqual),
                    Test::Is(node) => matches!(node.syntax, Syntax::Range { .. } | Syntax::Number(_) | Syntax::Text(_)),
                    _ => false,
                };
                if tests.iter().all(asks) { self.about(value, Fact::Set) } else { Vec::new() }
            }
            Syntax::InstanceOf(value, _) if truth => self.about(value, Fact::Set),
            _ => Vec::new(),
        }
    }

    fn about(&self, node: &Node, fact: Fact) -> Vec<Known> {
        self.key(node).map(|key| Known { key, fact, of: self.fields_of(node) }).into_iter().collect()
    }

    /// The fields and columns that a value is made of, if nothing else is in it.
    fn fields_of(&self, node: &Node) -> Option<BTreeSet<FieldName>> {
        const OF_FIELDS_ALONE: [&str; 4] = ["count", "sum", "min", "max"];
        match &node.syntax {
            Syntax::Name(name) => match self.lookup(name)? {
                Found::Field(_) => Some(BTreeSet::from([FieldName::from(name.as_str())])),
                _ => None,
            },
            // A column; what is asked of a person or of a step is not the case's own.
            Syntax::Path(of, column, _) => match &of.syntax {
                Syntax::Path(steps, step, _) if self.is_steps(steps) => {
                    Some(BTreeSet::from([end_of(&StepId::from(step.as_str()))]))
                }
                Syntax::Name(name) => match self.lookup(name)? {
                    Found::Field(typed) if matches!(typed.of, Type::Record(_) | Type::List(_)) => {
                        Some(BTreeSet::from([FieldName::from(name.as_str()), FieldName::from(column.as_str())]))
                    }
                    _ => None,
                },
                _ => None,
            },
            Syntax::Call(name, _, arguments) if OF_FIELDS_ALONE.contains(&name.as_str()) => {
                let each: Option<Vec<_>> = arguments.iter().map(|argument| self.fields_of(&argument.value)).collect();
                Some(each?.into_iter().flatten().collect())
            }
            _ => None,
        }
    }

    /// All that each part proves, or only what every part proves.
    fn combine(&self, parts: &[Node], truth: bool, all_hold: bool) -> Vec<Known> {
        let mut each = parts.iter().map(|part| self.assume(part, truth));
        if all_hold {
            return each.flatten().collect();
        }
        let first = each.next().unwrap_or_default();
        each.fold(first, |common, part| common.into_iter().filter(|known| part.contains(known)).collect())
    }

    /// What `value op other` proves about the value.
    fn compared(&self, op: Comparison, value: &Node, other: &Node, truth: bool) -> Vec<Known> {
        let op = if truth { op } else { opposite(op) };
        let null = matches!(other.syntax, Syntax::Word(Value::Null));
        let mut known = Vec::new();
        match op {
            Comparison::NotEqual if null => known.extend(self.about(value, Fact::Set)),
            Comparison::Equal
                if !null && matches!(other.syntax, Syntax::Number(_) | Syntax::Text(_) | Syntax::Word(_)) =>
            {
                known.extend(self.about(value, Fact::Set));
            }
            _ => {}
        }
        let Some(bound) = bound(other) else { return known };
        let not_zero = match (op, bound.cmp(&Decimal::ZERO)) {
            (Comparison::NotEqual, Ordering::Equal) => true,
            (Comparison::Equal, order) => order != Ordering::Equal,
            (Comparison::Greater, order) => order != Ordering::Less,
            (Comparison::AtLeast, order) => order == Ordering::Greater,
            (Comparison::Less, order) => order != Ordering::Greater,
            (Comparison::AtMost, order) => order == Ordering::Less,
            _ => false,
        };
        if not_zero {
            known.extend(self.about(value, Fact::NotZero));
        }
        known
    }
}

/// The number that a node always is.
pub(super) fn constant(node: &Node) -> Option<Decimal> {
    match &node.syntax {
        Syntax::Number(number) => Some(*number),
        _ => None,
    }
}

/// What a value is compared with or divided by, where that is written: a number, or how long a length of time is.
pub(super) fn bound(node: &Node) -> Option<Decimal> {
    match &node.syntax {
        Syntax::Literal(Value::Duration(length)) => Some(length.count()),
        _ => constant(node),
    }
}

fn opposite(op: Comparison) -> Comparison {
    match op {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::AtLeast,
        Comparison::AtMost => Comparison::Greater,
        Comparison::Greater => Comparison::AtMost,
        Comparison::AtLeast => Comparison::Less,
    }
}
