//! The tree of an expression as written, with places.

use crate::model::formula::{Arithmetic, Comparison, Kind};
use crate::model::value::Value;
use rust_decimal::Decimal;
use std::ops::Range;

/// A node of the tree as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) syntax: Syntax,
    pub(super) range: Range<usize>,
    pub(super) depth: usize,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Syntax {
    Number(Decimal),
    /// A number with a unit, or `@"…"`.
    Literal(Value),
    Text(String),
    /// A constant by a word: `null`, `true`, `false`.
    Word(Value),
    Name(String),
    List(Vec<Node>),
    Record(Vec<(String, Range<usize>, Node)>),
    Range {
        low: Box<Node>,
        low_closed: bool,
        high: Box<Node>,
        high_closed: bool,
    },
    Negate(Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    Between(Box<Node>, Box<Node>, Box<Node>),
    In(Box<Node>, Vec<Test>),
    Path(Box<Node>, String, Range<usize>),
    Filter(Box<Node>, Box<Node>),
    For(Vec<Iterator>, Box<Node>),
    Some(Vec<Iterator>, Box<Node>),
    Every(Vec<Iterator>, Box<Node>),
    InstanceOf(Box<Node>, Kind),
    Call(String, Range<usize>, Vec<Argument>),
    Function(Vec<String>, Box<Node>),
    Apply(Box<Node>, Vec<Argument>),
}

/// A unary test.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// `< 5`.
    Compare(Comparison, Node),
    /// A value, a range, or a condition on `?`.
    Is(Node),
    /// `not(…)`.
    Not(Vec<Test>),
    /// `-`: everything passes.
    Any,
}

/// `name in from`, `name in from..to`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Iterator {
    pub(super) name: String,
    pub(super) range: Range<usize>,
    pub(super) from: Node,
    pub(super) to: Option<Node>,
}

/// An argument, perhaps with the name of its parameter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Argument {
    pub(super) name: Option<(String, Range<usize>)>,
    pub(super) value: Node,
}

impl Syntax {
    /// Visits each child.
    pub(super) fn each_child(&self, f: &mut dyn FnMut(&Node)) {
        match self {
            Syntax::Number(_) | Syntax::Literal(_) | Syntax::Text(_) | Syntax::Word(_) | Syntax::Name(_) => {}
            Syntax::List(nodes) | Syntax::And(nodes) | Syntax::Or(nodes) => nodes.iter().for_each(f),
            Syntax::Record(entries) => entries.iter().for_each(|(_, _, node)| f(node)),
            Syntax::Range { low: a, high: b, .. }
            | Syntax::Arithmetic(_, a, b)
            | Syntax::Compare(_, a, b)
            | Syntax::Filter(a, b) => [a, b].into_iter().for_each(|node| f(node)),
            Syntax::If(a, b, c) | Syntax::Between(a, b, c) => [a, b, c].into_iter().for_each(|node| f(node)),
            Syntax::Negate(a) | Syntax::Path(a, ..) | Syntax::InstanceOf(a, _) | Syntax::Function(_, a) => f(a),
            Syntax::In(value, tests) => {
                f(value);
                tests.iter().for_each(|test| test.each_child(f));
            }
            Syntax::For(over, body) | Syntax::Some(over, body) | Syntax::Every(over, body) => {
                for iterator in over {
                    f(&iterator.from);
                    iterator.to.iter().for_each(&mut *f);
                }
                f(body);
            }
            Syntax::Call(_, _, arguments) => arguments.iter().for_each(|argument| f(&argument.value)),
            Syntax::Apply(function, arguments) => {
                f(function);
                arguments.iter().for_each(|argument| f(&argument.value));
            }
        }
    }
}

impl Test {
    pub(super) fn each_child(&self, f: &mut dyn FnMut(&Node)) {
        match self {
            Test::Compare(_, node) | Test::Is(node) => f(node),
            Test::Not(tests) => tests.iter().for_each(|test| test.each_child(f)),
            Test::Any => {}
        }
    }
}
