//! Conditions with what they ask of computed fields written out, so that they meet on the fields that people fill in.
//!
//! Only yes or no and options that follow from fields alone are written out: a number may be rounded when it is stored,
//! and what else is read may be another thing by the time the guard asks. `if` becomes `and` and `or`, which the areas of conditions understand. What is not of these shapes
//! stays as it is.

use crate::expression;
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Comparison, Expr, Op, Read};
use crate::model::id::FieldName;
use crate::model::value::Value;

/// The most nodes of a condition that is written out.
const NODES: usize = 400;

/// The condition, written out; as it is where that would be too much.
pub(super) fn inlined(definition: &Definition, condition: &Expr) -> Expr {
    let mut inline = Inline { definition, left: NODES };
    inline.condition(condition).unwrap_or_else(|| condition.clone())
}

/// The formula of a field whose stored value is what it says.
fn written_out<'d>(definition: &'d Definition, name: &FieldName) -> Option<&'d Expr> {
    let field: &Field = definition.fields().find(|(known, _)| *known == name)?.1;
    let exact = matches!(field.kind, FieldKind::Boolean | FieldKind::Choice(_)) && !field.many && field.when.is_none();
    let formula = field.value.as_ref().filter(|_| exact)?;
    formula.reads.iter().all(|read| matches!(read, Read::Field(_))).then_some(&formula.root)
}

struct Inline<'d> {
    definition: &'d Definition,
    left: usize,
}

impl Inline<'_> {
    /// Of what is yes or no; `None` when it grows too large.
    fn condition(&mut self, expr: &Expr) -> Option<Expr> {
        self.left = self.left.checked_sub(1)?;
        let all = |inline: &mut Self, parts: &[Expr]| {
            parts.iter().map(|part| inline.condition(part)).collect::<Option<Vec<Expr>>>()
        };
        Some(match expr.op() {
            Op::And(parts) => Expr::new(Op::And(all(self, parts)?)),
            Op::Or(parts) => Expr::new(Op::Or(all(self, parts)?)),
            Op::Call(name, of) if &**name == "not" => Expr::new(Op::Call(name.clone(), all(self, of)?)),
            Op::If(asked, then, otherwise) => {
                let asked = self.condition(asked)?;
                either(asked, self.condition(then)?, self.condition(otherwise)?)
            }
            Op::Field(name) => match written_out(self.definition, name) {
                Some(formula) => self.condition(formula)?,
                None => expr.clone(),
            },
            Op::Compare(op, a, b) if is_literal(b) => self.each(a, &|a| Expr::new(Op::Compare(*op, a, b.clone())))?,
            Op::Compare(op, a, b) if is_literal(a) => self.each(b, &|b| Expr::new(Op::Compare(*op, a.clone(), b)))?,
            Op::Between(a, low, high) => self.each(a, &|a| Expr::new(Op::Between(a, low.clone(), high.clone())))?,
            Op::Matches(a, test) => self.each(a, &|a| Expr::new(Op::Matches(a, test.clone())))?,
            Op::In(a, tests) => self.each(a, &|a| Expr::new(Op::In(a, tests.clone())))?,
            _ => expr.clone(),
        })
    }

    /// A test of a value, which is made for each value that an `if` gives.
    fn each(&mut self, value: &Expr, test: &dyn Fn(Expr) -> Expr) -> Option<Expr> {
        self.left = self.left.checked_sub(1)?;
        Some(match value.op() {
            Op::If(asked, then, otherwise) => {
                let asked = self.condition(asked)?;
                either(asked, self.each(then, test)?, self.each(otherwise, test)?)
            }
            Op::Field(name) => match written_out(self.definition, name) {
                Some(formula) => self.each(formula, test)?,
                None => test(value.clone()),
            },
            Op::Literal(value) => settled(value, test(Expr::literal(value.clone()))),
            _ => test(value.clone()),
        })
    }
}

/// `then` where it is so, else `otherwise`.
fn either(asked: Expr, then: Expr, otherwise: Expr) -> Expr {
    let not = Expr::new(Op::Call("not".into(), vec![asked.clone()]));
    Expr::new(Op::Or(vec![Expr::new(Op::And(vec![asked, then])), Expr::new(Op::And(vec![not, otherwise]))]))
}

/// A test of a constant as its answer, where that is plain.
fn settled(value: &Value, test: Expr) -> Expr {
    let answer = match test.op() {
        Op::Compare(op, a, b) => answer(*op, a, b),
        Op::In(_, tests) => {
            let answers = tests.iter().map(|test| match test.op() {
                Op::Compare(op, a, b) => match (a.op(), b.op()) {
                    (Op::Local(0), _) => answer(*op, &Expr::literal(value.clone()), b),
                    (_, Op::Local(0)) => answer(*op, a, &Expr::literal(value.clone())),
                    _ => None,
                },
                Op::Matches(a, b) if matches!(a.op(), Op::Local(0)) => match b.op() {
                    Op::Literal(Value::Range(_) | Value::List(_)) => None,
                    _ => answer(Comparison::Equal, &Expr::literal(value.clone()), b),
                },
                _ => None,
            });
            answers.reduce(|one, other| Some(one? || other?)).flatten()
        }
        _ => None,
    };
    answer.map_or(test, |answer| Expr::literal(Value::Boolean(answer)))
}

fn answer(op: Comparison, a: &Expr, b: &Expr) -> Option<bool> {
    let (Op::Literal(a), Op::Literal(b)) = (a.op(), b.op()) else { return None };
    let plain = |value: &Value| matches!(value, Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_));
    let equal = || (plain(a) && plain(b)).then(|| a == b);
    match op {
        Comparison::Equal => equal(),
        Comparison::NotEqual => equal().map(|equal| !equal),
        Comparison::Less => Some(expression::order(a, b)?.is_lt()),
        Comparison::AtMost => Some(expression::order(a, b)?.is_le()),
        Comparison::Greater => Some(expression::order(a, b)?.is_gt()),
        Comparison::AtLeast => Some(expression::order(a, b)?.is_ge()),
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr.op(), Op::Literal(_))
}
