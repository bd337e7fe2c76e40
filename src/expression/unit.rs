//! Of which unit a length of time is: of months, of hours, of working days or of working hours. Lengths of two units are
//! neither compared nor calculated with, as a month has no fixed number of days and a working day no fixed number of
//! hours; and only some units have years, or hours.
//!
//! Every value knows its unit where it is typed: of what is written it stands there, of what is computed it follows, and
//! of a field its limits say it ([`told_by`]), which forms hold whoever fills it in to. What a field without limits holds
//! shows its unit to nobody before it is filled in: so it is a time to wait or to add to a date, and no more.

use super::fault::{Fault, FaultKind};
use super::infer::{Infer, Typing};
use super::tree::{Node, Syntax};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Arithmetic, Expr, Formula, Op};
use crate::model::text::Wording;
use crate::model::time::{Duration, Unit};
use crate::model::value::{Type, Value};
use std::ops::Range;

/// The length that says in which unit a field is filled in: its greatest, its least or its default, where it is fixed.
pub fn told_by(field: &Field) -> Option<Duration> {
    let fixed = |limit: &Option<Formula>| match super::fixed(limit.as_ref()?) {
        Some(Value::Duration(length)) => Some(length),
        _ => None,
    };
    let single = field.kind == FieldKind::Duration && !field.many;
    single.then(|| fixed(&field.max).or_else(|| fixed(&field.min)).or_else(|| fixed(&field.default))).flatten()
}

/// The parts that a length of a unit has, such as its hours.
fn parts(unit: Unit) -> &'static [&'static str] {
    match unit {
        Unit::Months => &["years", "months"],
        Unit::Hours => &["days", "hours", "minutes", "seconds"],
        Unit::WorkingDays => &["days"],
        Unit::WorkingHours => &["hours", "minutes"],
    }
}

fn words(unit: Unit) -> Wording {
    match unit {
        Unit::Months => Wording::new("年和月", "years and months"),
        Unit::Hours => Wording::new("自然日和小时", "days and hours of the clock"),
        Unit::WorkingDays => Wording::new("工作日", "working days"),
        Unit::WorkingHours => Wording::new("工作小时", "working hours"),
    }
}

/// Whether a value is a length of time, or several.
fn is_length(of: &Type) -> bool {
    match of {
        Type::Duration => true,
        Type::List(item) => is_length(&item.of),
        Type::Range(of) => is_length(of),
        _ => false,
    }
}

impl Infer<'_> {
    /// The unit of a field or a column of that name.
    pub(super) fn unit_of(&self, name: &str) -> Option<Unit> {
        self.scope.kept.units.as_ref()?.get(name).copied()
    }

    /// Reports two lengths of time that are not known to be of one unit. A length of nothing stands beside any.
    pub(super) fn one_unit(&mut self, node: &Node, a: &Typing, b: &Typing) {
        // Without a form the units are met when the values come.
        if self.scope.untyped {
            return;
        }
        // A test stands for its comparison.
        let compared = !matches!(node.syntax, Syntax::Arithmetic(..) | Syntax::Call(..));
        let nothing =
            |side: &Typing| matches!(side.expr.op(), Op::Literal(Value::Duration(length)) if length.sign().is_eq());
        if compared && (nothing(a) || nothing(b)) {
            return;
        }
        match (a.unit, b.unit) {
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) => self.unlike_units(node, one, other, compared),
            (None, _) => self.no_unit(node, &a.expr),
            (_, None) => self.no_unit(node, &b.expr),
        }
    }

    fn unlike_units(&mut self, node: &Node, one: Unit, other: Unit, compared: bool) {
        let (x, y) = (words(one), words(other));
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::UnlikeTypes,
            format!("一边按{}算，一边按{}算，这两种时长不能比较，也不能加减", x.zh, y.zh),
            format!("one side is in {}, the other in {}; such lengths are neither compared nor added", x.en, y.en),
        );
        let is = |unit| one == unit || other == unit;
        self.fault(if compared && is(Unit::Hours) && is(Unit::WorkingDays) {
            fault.hint(
                "两天之间的工作日用 `working days between(from, to)`，得到的是数字：`working days between(today(), day) > 3`。",
                "The working days between two dates are a number: `working days between(today(), day) > 3`.",
            )
        } else if compared && is(Unit::Hours) && is(Unit::Months) {
            fault.hint(
                "把时长加到日期上再比较：`day > today() + 1 month`。",
                "Add the length to a date, and compare dates: `day > today() + 1 month`.",
            )
        } else {
            fault.hint("两边用同一种单位。", "Use one unit on both sides.")
        });
    }

    /// Reports a length whose unit is known only when it is filled in: once in an expression.
    fn no_unit(&mut self, node: &Node, side: &Expr) {
        if self.scope.kept.units.is_none() {
            return;
        }
        let which = self.vague(side).unwrap_or_else(|| self.written(node).to_owned());
        let message = of_no_unit(&which);
        if self.faults.iter().any(|told| told.message == message) {
            return;
        }
        let fault = Fault::new(node.range.clone(), FaultKind::UnlikeTypes, message.zh, message.en);
        self.fault(fault.hint(
            "给它写上固定的 `max`（或 `min`、`default`），单位就定了：`max: 30 days`、`max: 10 working days`。",
            "A fixed `max` (or `min`, or `default`) of its own says the unit: `max: 30 days`, `max: 10 working days`.",
        ));
    }

    /// Moves what was told of the unit of a value to where it stands, from the tests that it is to pass.
    pub(super) fn at_the_value(&mut self, value: &Node, expr: &Expr, told: usize) {
        let Some(which) = self.vague(expr) else { return };
        let message = of_no_unit(&which);
        for fault in self.faults.iter_mut().skip(told).filter(|fault| fault.message == message) {
            fault.range = value.range.clone();
        }
    }

    /// The field or column without a unit that a length comes from.
    fn vague(&self, side: &Expr) -> Option<String> {
        match side.op() {
            Op::Field(name) | Op::Path(_, name) => self.unit_of(name.as_str()).is_none().then(|| name.to_string()),
            Op::Local(slot) => self.vague(self.locals.get(usize::from(*slot))?.of.as_ref()?),
            Op::Negate(of) => self.vague(of),
            Op::Filter { list, .. } => self.vague(list),
            Op::Arithmetic(_, a, b) => self.vague(a).or_else(|| self.vague(b)),
            Op::Call(_, all) | Op::List(all) => all.iter().find_map(|one| self.vague(one)),
            _ => None,
        }
    }

    /// Reports a length that is not in the unit of the field where it goes.
    pub(super) fn check_unit(&mut self, node: &Node, typing: &Typing, needed: Unit) {
        match typing.unit {
            _ if typing.of != Type::Duration => {}
            Some(unit) if unit == needed => {}
            Some(unit) => {
                let (found, needed) = (words(unit), words(needed));
                let fault = Fault::new(
                    node.range.clone(),
                    FaultKind::UnlikeTypes,
                    format!("这个字段按{}算，而这里按{}算", needed.zh, found.zh),
                    format!("this field is in {}, but this is in {}", needed.en, found.en),
                );
                self.fault(fault.hint("两处用同一种单位。", "Use one unit in both places."));
            }
            None => self.no_unit(node, &typing.expr),
        }
    }

    /// The unit that arguments have in common; for a function that compares them, what is not of one unit is reported.
    pub(super) fn common_unit(&mut self, node: &Node, arguments: &[Typing], compares: bool) -> Option<Unit> {
        let lengths: Vec<&Typing> = arguments.iter().filter(|argument| is_length(&argument.of)).collect();
        let (first, rest) = lengths.split_first()?;
        if compares {
            for other in rest {
                self.one_unit(node, first, other);
            }
            if rest.is_empty() && matches!(first.of, Type::List(_)) && first.unit.is_none() && !self.scope.untyped {
                self.no_unit(node, &first.expr);
            }
        }
        first.unit.filter(|unit| rest.iter().all(|other| other.unit == Some(*unit)))
    }

    /// The unit of what arithmetic yields, if that is a length.
    pub(super) fn unit_after(op: Arithmetic, a: &Typing, b: &Typing) -> Option<Unit> {
        match (op, &a.of, &b.of) {
            (
                Arithmetic::Subtract,
                Type::Date | Type::DateTime | Type::Time,
                Type::Date | Type::DateTime | Type::Time,
            ) => Some(Unit::Hours),
            (_, Type::Duration, _) => a.unit,
            (_, _, Type::Duration) => b.unit,
            _ => None,
        }
    }

    /// Reports a part that a length of its unit does not have.
    pub(super) fn no_part(&mut self, of: &Node, part: &str, range: &Range<usize>) {
        let written = self.written(of);
        let fault = Fault::new(
            range.clone(),
            FaultKind::UnknownProperty,
            format!("`{written}` 这种时长没有 `{part}`"),
            format!("a length such as `{written}` has no `{part}`"),
        );
        self.fault(match &of.syntax {
            Syntax::Arithmetic(Arithmetic::Subtract, to, from) if matches!(part, "years" | "months") => {
                let instead = format!("years and months duration({}, {}).{part}", self.written(from), self.written(to));
                fault.hint(
                    format!("两个日期相减得到天数；年和月写 `{instead}`。"),
                    format!("Dates subtracted give days; for years and months, write `{instead}`."),
                )
            }
            _ => fault,
        });
    }

    /// Whether a length of time is known to have a part, `true`, or not to have it, `false`.
    pub(super) fn has_part(&self, length: &Typing, part: &str) -> Option<bool> {
        length.unit.map(|unit| parts(unit).contains(&part))
    }
}

/// The unit of a value that is written.
pub(super) fn written(value: &Value) -> Option<Unit> {
    match value {
        Value::Duration(length) => Some(length.unit()),
        _ => None,
    }
}

fn of_no_unit(which: &str) -> Wording {
    Wording::new(
        format!("`{which}` 按天、按工作日还是按月，要到填写时才知道，所以不能和别的时长比较或加减"),
        format!(
            "whether `{which}` is in days, working days or months is known only when it is filled in, so it is neither \
             compared nor added"
        ),
    )
}
