//! Functions of ranges: how two intervals, or points, lie to each other (DMN 1.5, table 78).

use super::super::Context;
use super::super::operate;
use super::super::parse::parse;
use super::super::tree::{Node, Syntax};
use super::{Accepts, Failure, Function, Parameter, Value, any, boolean, one, temporal, unexpected};
use crate::model::value::Range;
use std::cmp::Ordering;

/// A range, or a point as the range that holds only it.
struct Span<'v> {
    low: &'v Value,
    low_closed: bool,
    high: &'v Value,
    high_closed: bool,
}

fn span(value: &Value) -> Span<'_> {
    match value {
        Value::Range(range) => {
            Span { low: &range.low, low_closed: range.low_closed, high: &range.high, high_closed: range.high_closed }
        }
        point => Span { low: point, low_closed: true, high: point, high_closed: true },
    }
}

type Relation = fn(&Span<'_>, &Span<'_>, &Context<'_>) -> Result<bool, Failure>;

fn relate(arguments: &[&Value], context: &Context<'_>, turned: bool, relation: Relation) -> Result<Value, Failure> {
    match arguments {
        [a, b] if turned => relation(&span(b), &span(a), context).map(Value::Boolean),
        [a, b] => relation(&span(a), &span(b), context).map(Value::Boolean),
        _ => Err(unexpected("range")),
    }
}

/// Whether one end comes first; at the same place, whether `tie` holds.
fn first(a: &Value, b: &Value, tie: bool, context: &Context<'_>) -> Result<bool, Failure> {
    Ok(match operate::compare(a, b, context)? {
        Ordering::Less => true,
        Ordering::Equal => tie,
        Ordering::Greater => false,
    })
}

fn before(a: &Span<'_>, b: &Span<'_>, context: &Context<'_>) -> Result<bool, Failure> {
    first(a.high, b.low, !(a.high_closed && b.low_closed), context)
}

fn meets(a: &Span<'_>, b: &Span<'_>, context: &Context<'_>) -> Result<bool, Failure> {
    Ok(a.high_closed && b.low_closed && operate::compare(a.high, b.low, context)? == Ordering::Equal)
}

fn overlaps(a: &Span<'_>, b: &Span<'_>, context: &Context<'_>) -> Result<bool, Failure> {
    Ok(first(b.low, a.high, a.high_closed && b.low_closed, context)?
        && first(a.low, b.high, a.low_closed && b.high_closed, context)?)
}

fn overlaps_before(a: &Span<'_>, b: &Span<'_>, context: &Context<'_>) -> Result<bool, Failure> {
    Ok(first(a.low, b.low, a.low_closed && !b.low_closed, context)?
        && first(b.low, a.high, a.high_closed && b.low_closed, context)?
        && first(a.high, b.high, !a.high_closed || b.high_closed, context)?)
}

fn finishes(a: &Span<'_>, b: &Span<'_>, context: &Context<'_>) -> Result<bool, Failure> {
    Ok(a.high_closed == b.high_closed
        && operate::compare(a.high, b.high, context)? == Ordering::Equal
        && first(b.low, a.low, !a.low_closed || b.low_closed, context)?)
}

fn includes(a: &Span<'_>, b: &Span<'_>, context: &Context<'_>) -> Result<bool, Failure> {
    Ok(first(a.low, b.low, a.low_closed || !b.low_closed, context)?
        && first(b.high, a.high, a.high_closed || !b.high_closed, context)?)
}

fn starts(a: &Span<'_>, b: &Span<'_>, context: &Context<'_>) -> Result<bool, Failure> {
    Ok(a.low_closed == b.low_closed
        && operate::compare(a.low, b.low, context)? == Ordering::Equal
        && first(a.high, b.high, !a.high_closed || b.high_closed, context)?)
}

fn coincides(a: &Span<'_>, b: &Span<'_>, context: &Context<'_>) -> Result<bool, Failure> {
    Ok(a.low_closed == b.low_closed
        && a.high_closed == b.high_closed
        && operate::compare(a.low, b.low, context)? == Ordering::Equal
        && operate::compare(a.high, b.high, context)? == Ordering::Equal)
}

const FORMS: &[&[Parameter]] = &[
    &[one("point1", Accepts::Any), one("point2", Accepts::Any)],
    &[one("point", Accepts::Any), one("range", Accepts::Range)],
    &[one("range", Accepts::Range), one("point", Accepts::Any)],
    &[one("range1", Accepts::Range), one("range2", Accepts::Range)],
];

macro_rules! relation {
    ($name:literal, $relation:ident, $turned:literal) => {
        Function {
            name: $name,
            forms: FORMS,
            spreads: false,
            of: boolean,
            run: |machine, arguments| relate(arguments, machine.context, $turned, $relation),
        }
    };
}

/// A range as a text writes it: only literals, in order.
fn read(text: &str, context: &Context<'_>) -> Option<Range> {
    let (Some(Node { syntax: Syntax::Range { low, low_closed, high, high_closed }, .. }), faults) = parse(text) else {
        return None;
    };
    if !faults.is_empty() {
        return None;
    }
    let (low, high) = (constant(&low)?, constant(&high)?);
    let ordered = operate::compare(&low, &high, context).ok()? != Ordering::Greater;
    ordered.then_some(Range { low, low_closed, high, high_closed })
}

fn constant(node: &Node) -> Option<Value> {
    match &node.syntax {
        Syntax::Number(number) => Some(Value::Number(*number)),
        Syntax::Text(text) => Some(Value::text(text.as_str())),
        Syntax::Literal(value) => Some(value.clone()),
        Syntax::Call(name, _, arguments) => match arguments.as_slice() {
            [argument] => match &argument.value.syntax {
                Syntax::Text(text) => temporal::read(name, text),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

pub(super) static FUNCTIONS: &[Function] = &[
    relation!("before", before, false),
    relation!("after", before, true),
    relation!("meets", meets, false),
    relation!("met by", meets, true),
    relation!("overlaps", overlaps, false),
    relation!("overlaps before", overlaps_before, false),
    relation!("overlaps after", overlaps_before, true),
    relation!("finishes", finishes, false),
    relation!("finished by", finishes, true),
    relation!("includes", includes, false),
    relation!("during", includes, true),
    relation!("starts", starts, false),
    relation!("started by", starts, true),
    relation!("coincides", coincides, false),
    Function {
        name: "range",
        forms: &[&[one("from", Accepts::Text)]],
        spreads: false,
        of: any,
        run: |machine, arguments| match arguments {
            [Value::Text(text)] => read(text, machine.context)
                .map(|range| Value::Range(Box::new(range)))
                .ok_or_else(|| Failure::new(format!("`{text}` 不是区间"), format!("`{text}` is no range"))),
            _ => Err(unexpected("range")),
        },
    },
];
