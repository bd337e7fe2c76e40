//! Whether a length of time is more than nothing, whatever the case holds.
//!
//! Lengths of unlike units have no common line, but each is above zero, zero or below it.

use super::domain::Domain;
use super::range::Values;
use super::region::{constant, implied};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Arithmetic, Expr, Op};
use crate::model::id::FieldName;
use crate::model::value::Value;
use rust_decimal::Decimal;

/// Whether an expression is a length of time above zero. `field` knows the fields whose limits are always kept, `known`
/// are values that conditions have proved.
pub fn lasts<'f>(expr: &Expr, field: &dyn Fn(&FieldName) -> Option<&'f Field>, known: &[(Expr, Values)]) -> bool {
    Lasting { field }.is_above(expr, known)
}

struct Lasting<'l, 'f> {
    field: &'l dyn Fn(&FieldName) -> Option<&'f Field>,
}

impl Lasting<'_, '_> {
    fn is_above(&self, expr: &Expr, known: &[(Expr, Values)]) -> bool {
        if let Some(value) = constant(expr) {
            return is_above_zero(&value);
        }
        if known.iter().any(|(of, values)| of == expr && values.is_above_zero()) {
            return true;
        }
        match expr.op() {
            Op::Field(name) => (self.field)(name).is_some_and(|field| self.keeps_above(field, known)),
            Op::If(condition, then, otherwise) => {
                [(then, true), (otherwise, false)].into_iter().all(|(side, truth)| {
                    let known: Vec<_> = known.iter().cloned().chain(implied(condition, truth, 0)).collect();
                    self.is_above(side, &known)
                })
            }
            Op::Call(name, arguments) if &**name == "max" => arguments.iter().any(|one| self.is_above(one, known)),
            Op::Call(name, arguments) if &**name == "min" && arguments.len() > 1 => {
                arguments.iter().all(|one| self.is_above(one, known))
            }
            Op::List(items) => !items.is_empty() && items.iter().all(|item| self.is_above(item, known)),
            Op::Arithmetic(Arithmetic::Add | Arithmetic::Multiply, a, b) => {
                self.is_above(a, known) && self.is_above(b, known)
            }
            _ => false,
        }
    }

    fn keeps_above(&self, field: &Field, known: &[(Expr, Values)]) -> bool {
        if let Some(value) = &field.value {
            return self.is_above(&value.root, known);
        }
        let least = field.min.as_ref().and_then(|min| constant(&min.root));
        let number = || Domain::asked(field).ends().0.is_some_and(|low| low >= Decimal::ONE);
        !field.many
            && (least.is_some_and(|least| is_above_zero(&least)) || field.kind != FieldKind::Duration && number())
    }
}

fn is_above_zero(value: &Value) -> bool {
    match value {
        Value::Duration(length) => length.sign().is_gt(),
        // Less than once a length that is whole may be nothing.
        Value::Number(number) => *number >= Decimal::ONE,
        _ => false,
    }
}
