//! What is too large to calculate where people type no more than nine digits: powers, and numbers multiplied again and
//! again.
//!
//! Numbers have 28 digits, and what comes to more stops the case. Two numbers of a form that are multiplied fit, so that
//! nobody has to limit a price and a quantity; of a fourth power that is not so. It is tried with the numbers at their
//! ends: what is told has been calculated and has failed, with the numbers that are named.

use super::fault::{Fault, FaultKind};
use super::infer::Infer;
use super::line::Line;
use super::range::Ends;
use super::region::worked_out;
use super::tree::Node;
use crate::model::formula::{Arithmetic, Expr, Op};
use crate::model::value::Value;
use rust_decimal::Decimal;

/// What a number without a limit may well be.
pub(super) const USUAL: Decimal = Decimal::from_parts(999_999_999, 0, 0, false, 0);

/// How many numbers are tried with each other, each at both of its ends.
const MOST: usize = 5;

/// A number that varies on its own, and its ends.
struct Part {
    of: Expr,
    ends: [Decimal; 2],
    /// Whether no limit keeps it from more.
    open: bool,
}

impl Infer<'_> {
    /// Reports what may be too large to calculate; what is in it was reported before.
    pub(super) fn check_size(&mut self, node: &Node, expr: &Expr) {
        if self.scope.untyped || !grows(expr) {
            return;
        }
        let mut parts = Vec::new();
        if self.parts(expr, &mut parts).is_none() || parts.is_empty() || parts.len() > MOST {
            return;
        }
        let Some(case) = (0..1_usize << parts.len()).find(|case| is_too_large(expr, &at_ends(&parts, *case))) else {
            return;
        };
        let values = at_ends(&parts, case);
        let mut told = |inner: &Expr| grows(inner) && is_too_large(inner, &values);
        if expr.op().children().into_iter().any(|inner| inner.any(&mut told)) {
            return;
        }
        let name = |part: &Part| self.called(&part.of);
        let values: Vec<(String, String)> =
            parts.iter().zip(&values).map(|(part, (_, value))| (name(part), value.to_string())).collect();
        let zh: Vec<String> = values.iter().map(|(name, value)| format!("`{name}` 是 {value}")).collect();
        let en: Vec<String> = values.iter().map(|(name, value)| format!("`{name}` is {value}")).collect();
        let open: Vec<String> = parts.iter().filter(|part| part.open).map(|part| format!("`{}`", name(part))).collect();
        let written = self.written(node);
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::MaybeTooLarge,
            format!("`{written}` 可能太大，算不了：例如 {}。数字最多 28 位", zh.join("，")),
            format!(
                "`{written}` may be too large to calculate, as where {}: numbers have 28 digits at most",
                en.join(" and ")
            ),
        );
        self.fault(match open.as_slice() {
            [] => fault.hint("请把它们的上限改小。", "Give them lower limits."),
            open => fault.hint(
                format!("请给 {} 写上限制（`min`、`max`），或先判断它有多大。", open.join("、")),
                format!("Limit {} with `min` and `max`, or ask first how large it is.", open.join(" and ")),
            ),
        });
    }

    /// What varies in an expression; `None` where it is made of more than numbers.
    fn parts(&self, expr: &Expr, found: &mut Vec<Part>) -> Option<()> {
        match expr.op() {
            Op::Literal(Value::Number(_)) => Some(()),
            Op::Field(_) | Op::Local(_) | Op::Path(..) => {
                if found.iter().all(|part| part.of != *expr) {
                    let (line, (low, high)) = self.extent(expr).placed()?;
                    let usual = if self.is_share(expr) { Decimal::ONE } else { USUAL };
                    let ends: Ends = (low.or(Some(-usual)), high.or(Some(usual)));
                    let ((low_end, high_end), true) = (ends.0.zip(ends.1)?, line == Line::Number) else { return None };
                    // Beyond what is usual on one side it has no usual end on the other.
                    let ends = (low_end <= high_end).then_some([low_end, high_end])?;
                    found.push(Part { of: expr.clone(), ends, open: low.is_none() || high.is_none() });
                }
                Some(())
            }
            Op::Negate(_) | Op::Arithmetic(..) | Op::Call(..) => {
                expr.op().children().into_iter().try_for_each(|child| self.parts(child, found))
            }
            _ => None,
        }
    }

    /// Whether a number is a percentage, which is not as large as others.
    fn is_share(&self, of: &Expr) -> bool {
        matches!(of.op(), Op::Field(name) | Op::Path(_, name) if self.scope.kept.shares.contains(name))
    }

    /// What an author calls a number.
    fn called(&self, of: &Expr) -> String {
        match of.op() {
            Op::Field(name) => name.to_string(),
            Op::Path(row, column) => format!("{}.{column}", self.called(row)),
            Op::Local(slot) => self.locals.get(usize::from(*slot)).map(|local| local.name.clone()).unwrap_or_default(),
            _ => String::new(),
        }
    }
}

/// Whether it can be larger than the numbers in it by far: a power, or a product of more than two.
fn grows(expr: &Expr) -> bool {
    match expr.op() {
        Op::Arithmetic(Arithmetic::Power, ..) => true,
        Op::Arithmetic(Arithmetic::Multiply, a, b) => [a, b].iter().any(|one| !is_plain(one)),
        Op::Call(name, _) => &**name == "exp",
        _ => false,
    }
}

/// Whether a number stands for itself.
fn is_plain(expr: &Expr) -> bool {
    matches!(expr.op(), Op::Literal(_) | Op::Field(_) | Op::Local(_) | Op::Path(..))
}

/// Each number at one of its ends, which is as the bits of the case are; first all at their greatest.
fn at_ends(parts: &[Part], case: usize) -> Vec<(Expr, Decimal)> {
    let end = |number: usize, [low, high]: [Decimal; 2]| if case >> number & 1 == 0 { high } else { low };
    parts.iter().enumerate().map(|(number, part)| (part.of.clone(), end(number, part.ends))).collect()
}

/// Whether an expression is too large to calculate where numbers in it have these values.
fn is_too_large(expr: &Expr, values: &[(Expr, Decimal)]) -> bool {
    let value = |part: &Expr| values.iter().find(|(of, _)| of == part).map(|(_, value)| Value::Number(*value));
    let filled = expr.clone().with(&|part| value(part).map(Expr::literal));
    worked_out(&filled).is_err_and(|failure| failure.is_too_large())
}
