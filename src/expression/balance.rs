//! What two things come to together, and how they stand to each other.

use super::aligned::aligned;
use super::domain::Domain;
use super::extent::{Reckoning, any_of};
use super::interval::{product, quotient, scaled, square};
use super::line::Line;
use super::range::Values;
use crate::model::formula::{Arithmetic, Comparison, Expr, Op};
use rust_decimal::Decimal;

impl Reckoning<'_> {
    pub(super) fn arithmetic(&mut self, op: Arithmetic, a: &Expr, b: &Expr) -> Domain {
        let (first, second) = (self.of(a), self.of(b));
        // No value leads here.
        if first.is_nothing() || second.is_nothing() {
            return Domain::nothing();
        }
        let (Some((of, x)), Some((by, y))) = (first.placed(), second.placed()) else { return Domain::any(true) };
        let dated = |line| matches!(line, Line::Day | Line::Moment);
        match op {
            Arithmetic::Subtract if of == by || dated(of) && dated(by) => {
                let apart = if dated(of) { first.since(&second) } else { first.plus(&second.turned()) };
                let line = apart.placed().map_or(of, |(line, _)| line);
                apart.narrowed(&self.difference(a, b).moved_to(line))
            }
            Arithmetic::Add if of == by && !dated(of) => first.plus(&second),
            Arithmetic::Add | Arithmetic::Subtract if dated(of) && !dated(by) => any_of(of),
            Arithmetic::Add if dated(by) && !dated(of) => any_of(by),
            Arithmetic::Multiply if by == Line::Number && of != by => scaled(of, product(x, y)).times(&first, &second),
            Arithmetic::Multiply if of == Line::Number && of != by => scaled(by, product(x, y)).times(&first, &second),
            Arithmetic::Divide if by == Line::Number && of != by => scaled(of, quotient(x, y)),
            Arithmetic::Divide if of == by && of != Line::Number => {
                let (low, high) = quotient(x, y);
                let one = y.0.filter(|length| y.1 == Some(*length));
                Domain::numbers(low, high, one.is_some_and(|length| first.is_multiple_of(length)))
            }
            _ if of != Line::Number || by != Line::Number => Domain::any(true),
            Arithmetic::Add | Arithmetic::Subtract => Domain::any(true),
            Arithmetic::Multiply => {
                let (low, high) = if a == b { square(x) } else { product(x, y) };
                Domain::numbers(low, high, false).times(&first, &second)
            }
            Arithmetic::Divide => {
                let (low, high) = quotient(x, y);
                // What is left of a thing, as a share of it, is the whole of it at most.
                let most = self.is_part(a, b).then_some(Decimal::ONE);
                Domain::numbers(low, high.into_iter().chain(most).min(), false)
            }
            Arithmetic::Power => {
                let even = |by: Decimal| by.checked_rem(Decimal::TWO).is_some_and(|rest| rest.is_zero());
                let above = x.0.is_some_and(|low| low >= Decimal::ZERO) || y.0.is_some_and(even) && y.0 == y.1;
                Domain::numbers(above.then_some(Decimal::ZERO), None, false)
            }
        }
    }

    /// How the first stands to the second, as a number to zero: by what conditions have proved, or as one is the greatest
    /// or the least of several that the other is among.
    pub(super) fn difference(&mut self, a: &Expr, b: &Expr) -> Values {
        let pair = |a: &Expr, b: &Expr| Expr::new(Op::Compare(Comparison::Equal, a.clone(), b.clone()));
        let (this, turned) = (pair(a, b), pair(b, a));
        if !self.is_told_apart(&this) {
            return Values::on(Line::Number, None, None);
        }
        let mut found = vec![self.proved(&this), self.proved(&turned).map(|values| values.turned())];
        for (of, values) in &self.known {
            found.push((*of == this).then(|| values.clone()));
            found.push((*of == turned).then(|| values.turned()));
        }
        if let Some(sums) = aligned(a, b) {
            let known = self.known.iter().filter(|(of, _)| *of == sums.pair).map(|(_, values)| values.clone());
            let all: Vec<Values> = known.chain(self.proved(&sums.pair)).collect();
            if !all.is_empty() && sums.parts.iter().all(|part| self.of(part).is_exact()) {
                found.extend(all.into_iter().map(|values| Some(if sums.turned { values.turned() } else { values })));
            }
        }
        let at_least = |low, high| Some(Values::on(Line::Number, low, high));
        if is_end(a, "max", b) || is_end(b, "min", a) {
            found.push(at_least(Some(Decimal::ZERO), None));
        }
        if is_end(a, "min", b) || is_end(b, "max", a) {
            found.push(at_least(None, Some(Decimal::ZERO)));
        }
        let narrower = |all: Values, more: Values| all.intersection(&more).unwrap_or(all);
        found.into_iter().flatten().fold(Values::on(Line::Number, None, None), narrower)
    }

    /// Whether `a` is no more than `b` and `b` is above zero: by what is proved of them, or by how they are written, as
    /// `b - c`, or where `b` is `a + c`.
    fn is_part(&mut self, a: &Expr, b: &Expr) -> bool {
        if !self.is_never_below(b) {
            return false;
        }
        if self.difference(a, b).ends().is_some_and(|(_, high)| high.is_some_and(|high| high <= Decimal::ZERO)) {
            return true;
        }
        match (a.op(), b.op()) {
            (Op::Arithmetic(Arithmetic::Subtract, whole, rest), _) if whole == b => self.is_never_below(rest),
            (_, Op::Arithmetic(Arithmetic::Add, one, other)) if one == a => self.is_never_below(other),
            (_, Op::Arithmetic(Arithmetic::Add, one, other)) if other == a => self.is_never_below(one),
            _ => false,
        }
    }

    /// Whether a number is zero at least.
    fn is_never_below(&mut self, of: &Expr) -> bool {
        self.of(of).is_never_below_zero()
    }
}

/// Whether an expression is the `max` or the `min` of several, and the other one of them.
fn is_end(of: &Expr, name: &str, other: &Expr) -> bool {
    let Op::Call(called, arguments) = of.op() else { return false };
    let items = match arguments.as_slice() {
        [one] => match one.op() {
            Op::List(items) => items,
            _ => return false,
        },
        several => several,
    };
    &**called == name && items.contains(other)
}
