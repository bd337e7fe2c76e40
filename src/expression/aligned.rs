//! Sums on the two sides of a comparison in one order, so that `spent + amount <= budget` says of
//! `budget - spent - amount` how it stands to zero.
//!
//! What is added up is exact only of whole numbers and of amounts: whoever uses it for others has to see to that.

use super::range::Values;
use crate::model::formula::{Arithmetic, Comparison, Expr, Op};
use crate::model::value::Value;
use rust_decimal::Decimal;

/// The most parts of a sum that is put into order.
const MOST: usize = 8;

/// Two sums that stand to each other as two sides do, or the other way round.
pub(super) struct Aligned {
    /// The two, as what is proved of two sides is told.
    pub(super) pair: Expr,
    pub(super) turned: bool,
    /// All that is added up or taken away.
    pub(super) parts: Vec<Expr>,
}

/// Both sides in order, with nothing taken away and nothing that is on both; `None` where they are not of sums.
pub(super) fn aligned(a: &Expr, b: &Expr) -> Option<Aligned> {
    let (mut more, mut less) = (Vec::new(), Vec::new());
    gather(a, &mut more, &mut less);
    gather(b, &mut less, &mut more);
    if !(3..=MOST).contains(&(more.len() + less.len())) {
        return None;
    }
    more.retain(|one| match less.iter().position(|other| other == one) {
        Some(at) => {
            less.swap_remove(at);
            false
        }
        None => true,
    });
    let parts: Vec<Expr> = more.iter().chain(&less).copied().cloned().collect();
    let (more, less) = (in_order(more), in_order(less));
    let turned = more.1 > less.1;
    let (first, second) = if turned { (less.0, more.0) } else { (more.0, less.0) };
    Some(Aligned { pair: Expr::new(Op::Compare(Comparison::Equal, first, second)), turned, parts })
}

/// The same that was proved, told of the two sums in order.
pub(super) fn told_in_order(of: &Expr, values: &Values) -> Option<(Expr, Values)> {
    let found = match of.op() {
        Op::Compare(Comparison::Equal, a, b) => aligned(a, b)?,
        Op::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, ..) => aligned(of, &nothing())?,
        _ => return None,
    };
    Some((found.pair, if found.turned { values.turned() } else { values.clone() }))
}

fn gather<'e>(of: &'e Expr, more: &mut Vec<&'e Expr>, less: &mut Vec<&'e Expr>) {
    match of.op() {
        Op::Arithmetic(Arithmetic::Add, a, b) => {
            gather(a, more, less);
            gather(b, more, less);
        }
        Op::Arithmetic(Arithmetic::Subtract, a, b) => {
            gather(a, more, less);
            gather(b, less, more);
        }
        Op::Negate(of) => gather(of, less, more),
        Op::Literal(Value::Number(number)) if number.is_zero() => {}
        _ => more.push(of),
    }
}

/// A sum, and how it is spelled.
fn in_order(parts: Vec<&Expr>) -> (Expr, Vec<String>) {
    let mut spelled: Vec<(String, &Expr)> = parts.into_iter().map(|part| (format!("{part:?}"), part)).collect();
    spelled.sort_by(|a, b| a.0.cmp(&b.0));
    let sum = |all: Expr, more: Expr| Expr::new(Op::Arithmetic(Arithmetic::Add, all, more));
    let whole = spelled.iter().map(|(_, part)| (*part).clone()).reduce(sum);
    (whole.unwrap_or_else(nothing), spelled.into_iter().map(|(key, _)| key).collect())
}

fn nothing() -> Expr {
    Expr::new(Op::Literal(Value::Number(Decimal::ZERO)))
}
