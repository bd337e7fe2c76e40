//! A typed FEEL expression as plain data: what a definition stores and the evaluator walks.
//!
//! Names are bound: a formula says which field, step or local it reads, so evaluating needs no scope. The tree
//! is at most [`DEPTH`] deep. It is stored flat, children before parents, so that the depth of an expression
//! never becomes a depth of JSON.

use super::id::{FieldName, StepId};
use super::value::{Typed, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

/// How deep the tree of an expression may be.
pub const DEPTH: usize = 64;

/// A compiled expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Formula {
    /// As the author wrote it.
    pub text: String,
    /// What it means.
    pub root: Expr,
    /// What it yields.
    pub of: Typed,
    /// What its value depends on.
    pub reads: BTreeSet<Read>,
}

/// Something that the value of a formula depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Read {
    /// A field of the data.
    Field(FieldName),
    /// How a step ended.
    Step(StepId),
    /// Who applied.
    Applicant,
    /// Whose task it is.
    Assignee,
    /// The outcome of the task.
    Outcome,
    /// Number, start or process of the instance.
    Instance,
    /// The time of the command.
    Now,
    /// Positions, departments and people.
    Directory,
}

/// A node of the tree with all that is below it.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr(Box<Op<Expr>>);

impl Expr {
    /// A node.
    pub fn new(op: Op<Expr>) -> Expr {
        Expr(Box::new(op))
    }

    /// A constant.
    pub fn literal(value: Value) -> Expr {
        Expr::new(Op::Literal(value))
    }

    /// What the node does.
    pub fn op(&self) -> &Op<Expr> {
        &self.0
    }
}

/// What a node does; `C` is how it holds its children.
///
/// Locals are numbered by how many are in force where they are bound: the first one is 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op<C> {
    /// A constant.
    Literal(Value),
    /// A field of the data; `null` where it is unset.
    Field(FieldName),
    /// A name bound by `for`, `some`, `every`, a filter, a test, a context or a function.
    Local(u16),
    /// The column `name` of the row in local `row`; where the row has none, `otherwise`. Only rows whose columns
    /// are not known before they are met need it.
    Column {
        /// The local that holds the row.
        row: u16,
        /// The column.
        name: FieldName,
        /// What the name means outside the row.
        otherwise: C,
    },
    /// Who applied.
    Applicant,
    /// Whose task it is.
    Assignee,
    /// The outcome of the task.
    Outcome,
    /// Everybody in the directory.
    Everyone,
    /// Something about the instance.
    Instance(InstanceFact),
    /// Something about a step that was walked.
    Step(StepId, StepFact),
    /// A list.
    List(Vec<C>),
    /// A context; each entry is a local of those after it.
    Record(Vec<(FieldName, C)>),
    /// An interval.
    Range {
        /// The lower end.
        low: C,
        /// Whether the lower end belongs to it.
        low_closed: bool,
        /// The upper end.
        high: C,
        /// Whether the upper end belongs to it.
        high_closed: bool,
    },
    /// `-x`.
    Negate(C),
    /// `x + y` and its like.
    Arithmetic(Arithmetic, C, C),
    /// `x < y` and its like.
    Compare(Comparison, C, C),
    /// All of them hold.
    And(Vec<C>),
    /// One of them holds.
    Or(Vec<C>),
    /// `if … then … else …`.
    If(C, C, C),
    /// `x between low and high`, ends included.
    Between(C, C, C),
    /// The value, which becomes a local, passes one of the tests.
    In(C, Vec<C>),
    /// One value passes a test that is written as a value: it is equal to it or lies in it.
    Matches(C, C),
    /// A named part: a column, a property of a date or a person; of a list, that of each item.
    Path(C, FieldName),
    /// The items, each in turn a local, for which a condition holds; with a number, the item at that place.
    Filter {
        /// The list.
        list: C,
        /// The condition or the place.
        condition: C,
        /// Whether an item for which the condition meets `null` is left out; else that is a failure. Only
        /// filters of items whose type is not known before they are met are lenient.
        lenient: bool,
    },
    /// The value of the body for each item.
    For(Vec<Source<C>>, C),
    /// Whether the condition holds for one item.
    Some(Vec<Source<C>>, C),
    /// Whether the condition holds for every item.
    Every(Vec<Source<C>>, C),
    /// Whether the value is of a type.
    InstanceOf(C, Kind),
    /// A built-in function, with the arguments at the places of its parameters.
    Call(Arc<str>, Vec<C>),
    /// A function as an argument; its parameters are locals.
    Function {
        /// How many parameters it has.
        parameters: u16,
        /// Its body.
        body: C,
    },
    /// A function written where it is called; the arguments become locals.
    Apply {
        /// The arguments.
        arguments: Vec<C>,
        /// The body.
        body: C,
    },
}

/// What a `for`, `some` or `every` goes through, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source<C> {
    /// The list, or the first of the whole numbers.
    pub from: C,
    /// The last of the whole numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<C>,
}

/// What a formula can ask of the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceFact {
    /// Its business number.
    Number,
    /// When it started.
    StartedAt,
}

/// What a formula can ask of a step that was walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepFact {
    /// How it ended.
    Outcome,
    /// Who ended it.
    By,
    /// When it ended.
    At,
    /// Whether that was after its deadline.
    Late,
}

/// The arithmetic of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// `+`, also of texts.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `**`.
    Power,
}

/// The comparison of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `=`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    AtMost,
    /// `>`.
    Greater,
    /// `>=`.
    AtLeast,
}

impl Comparison {
    /// How the second stands to the first where the first stands so to the second.
    pub(crate) fn turned(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::Greater => Comparison::Less,
            Comparison::AtLeast => Comparison::AtMost,
            same => same,
        }
    }
}

/// A type as `instance of` names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Anything that is set.
    Any,
    /// `null` alone.
    Null,
    /// A number.
    Number,
    /// A text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A day and time.
    DateTime,
    /// Days, hours, minutes, seconds, also working ones.
    Days,
    /// Years and months.
    Months,
    /// A list of such items.
    List(Box<Kind>),
    /// A context with at least these entries.
    Record(Vec<(FieldName, Kind)>),
    /// An interval of such values.
    Range(Box<Kind>),
    /// A function.
    Function,
    /// A person.
    Person,
    /// A position.
    Position,
    /// A department.
    Department,
}

impl Expr {
    /// Whether this or anything in it is so; what is so is not looked into.
    pub fn any(&self, is: &mut dyn FnMut(&Expr) -> bool) -> bool {
        is(self) || self.op().children().into_iter().any(|child| child.any(is))
    }

    /// The same with other parts in the place of some; what is put there is not looked into.
    #[must_use]
    pub fn with(self, instead: &impl Fn(&Expr) -> Option<Expr>) -> Expr {
        match instead(&self) {
            Some(other) => other,
            None => match self.0.try_map(&mut |child: Expr| Ok::<Expr, Infallible>(child.with(instead))) {
                Ok(op) => Expr::new(op),
            },
        }
    }
}

impl<C> Op<C> {
    /// What it is made of, in the order in which it is written.
    pub fn children(&self) -> Vec<&C> {
        match self {
            Op::Literal(_)
            | Op::Field(_)
            | Op::Local(_)
            | Op::Applicant
            | Op::Assignee
            | Op::Outcome
            | Op::Everyone
            | Op::Instance(_)
            | Op::Step(..) => Vec::new(),
            Op::Column { otherwise: one, .. }
            | Op::Negate(one)
            | Op::Path(one, _)
            | Op::InstanceOf(one, _)
            | Op::Function { body: one, .. } => vec![one],
            Op::Arithmetic(_, a, b) | Op::Compare(_, a, b) | Op::Matches(a, b) => vec![a, b],
            Op::Range { low, high, .. } => vec![low, high],
            Op::Filter { list, condition, .. } => vec![list, condition],
            Op::If(a, b, c) | Op::Between(a, b, c) => vec![a, b, c],
            Op::List(all) | Op::And(all) | Op::Or(all) | Op::Call(_, all) => all.iter().collect(),
            Op::Record(entries) => entries.iter().map(|(_, value)| value).collect(),
            Op::In(value, tests) => std::iter::once(value).chain(tests).collect(),
            Op::Apply { arguments, body } => arguments.iter().chain([body]).collect(),
            Op::For(over, body) | Op::Some(over, body) | Op::Every(over, body) => {
                let ends = over.iter().flat_map(|source| std::iter::once(&source.from).chain(&source.to));
                ends.chain([body]).collect()
            }
        }
    }

    /// The same node with each child replaced, first child first.
    pub fn try_map<D, E>(self, f: &mut impl FnMut(C) -> Result<D, E>) -> Result<Op<D>, E> {
        fn all<C, D, E>(children: Vec<C>, f: &mut impl FnMut(C) -> Result<D, E>) -> Result<Vec<D>, E> {
            children.into_iter().map(f).collect()
        }
        fn sources<C, D, E>(
            sources: Vec<Source<C>>,
            f: &mut impl FnMut(C) -> Result<D, E>,
        ) -> Result<Vec<Source<D>>, E> {
            sources
                .into_iter()
                .map(|source| Ok(Source { from: f(source.from)?, to: source.to.map(&mut *f).transpose()? }))
                .collect()
        }
        Ok(match self {
            Op::Literal(value) => Op::Literal(value),
            Op::Field(name) => Op::Field(name),
            Op::Local(slot) => Op::Local(slot),
            Op::Column { row, name, otherwise } => Op::Column { row, name, otherwise: f(otherwise)? },
            Op::Applicant => Op::Applicant,
            Op::Assignee => Op::Assignee,
            Op::Outcome => Op::Outcome,
            Op::Everyone => Op::Everyone,
            Op::Instance(fact) => Op::Instance(fact),
            Op::Step(step, fact) => Op::Step(step, fact),
            Op::List(items) => Op::List(all(items, f)?),
            Op::Record(entries) => {
                Op::Record(entries.into_iter().map(|(name, c)| Ok((name, f(c)?))).collect::<Result<_, E>>()?)
            }
            Op::Range { low, low_closed, high, high_closed } => {
                Op::Range { low: f(low)?, low_closed, high: f(high)?, high_closed }
            }
            Op::Negate(c) => Op::Negate(f(c)?),
            Op::Arithmetic(op, a, b) => Op::Arithmetic(op, f(a)?, f(b)?),
            Op::Compare(op, a, b) => Op::Compare(op, f(a)?, f(b)?),
            Op::And(parts) => Op::And(all(parts, f)?),
            Op::Or(parts) => Op::Or(all(parts, f)?),
            Op::If(a, b, c) => Op::If(f(a)?, f(b)?, f(c)?),
            Op::Between(a, b, c) => Op::Between(f(a)?, f(b)?, f(c)?),
            Op::In(value, tests) => Op::In(f(value)?, all(tests, f)?),
            Op::Matches(a, b) => Op::Matches(f(a)?, f(b)?),
            Op::Path(of, name) => Op::Path(f(of)?, name),
            Op::Filter { list, condition, lenient } => Op::Filter { list: f(list)?, condition: f(condition)?, lenient },
            Op::For(over, body) => Op::For(sources(over, f)?, f(body)?),
            Op::Some(over, body) => Op::Some(sources(over, f)?, f(body)?),
            Op::Every(over, body) => Op::Every(sources(over, f)?, f(body)?),
            Op::InstanceOf(value, kind) => Op::InstanceOf(f(value)?, kind),
            Op::Call(name, arguments) => Op::Call(name, all(arguments, f)?),
            Op::Function { parameters, body } => Op::Function { parameters, body: f(body)? },
            Op::Apply { arguments, body } => Op::Apply { arguments: all(arguments, f)?, body: f(body)? },
        })
    }
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn flatten(expr: Expr, into: &mut Vec<Op<u32>>) -> Result<u32, &'static str> {
            let op = expr.0.try_map(&mut |child| flatten(child, into))?;
            let at = u32::try_from(into.len()).map_err(|_| "an expression that is too large")?;
            into.push(op);
            Ok(at)
        }
        let mut flat = Vec::new();
        flatten(self.clone(), &mut flat).map_err(serde::ser::Error::custom)?;
        flat.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Expr, D::Error> {
        let flat = Vec::<Op<u32>>::deserialize(deserializer)?;
        let mut done: Vec<Option<(Expr, usize)>> = Vec::with_capacity(flat.len());
        for op in flat {
            let mut deepest = 0;
            let op = op
                .try_map(&mut |at: u32| {
                    let (child, depth) = done.get_mut(at as usize).and_then(Option::take).ok_or("a broken formula")?;
                    deepest = deepest.max(depth);
                    Ok(child)
                })
                .and_then(|op| if deepest < 2 * DEPTH { Ok(op) } else { Err("a formula that is too deep") })
                .map_err(de::Error::custom)?;
            done.push(Some((Expr::new(op), deepest + 1)));
        }
        match done.pop().flatten() {
            Some((root, _)) => Ok(root),
            None => Err(de::Error::custom("an empty formula")),
        }
    }
}
