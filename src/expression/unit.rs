//! Of which unit a length of time is, as far as an expression shows it: of months, of hours, of working days or of
//! working hours. Lengths of two units are neither compared nor calculated with, as a month has no fixed number of
//! days and a working day no fixed number of hours; and only some units have years, or hours.
//!
//! What a field holds shows its unit to nobody before it is filled in.

use super::fault::{Fault, FaultKind};
use super::infer::Infer;
use super::tree::{Node, Syntax};
use crate::model::formula::{Arithmetic, Expr, InstanceFact, Op, StepFact};
use crate::model::text::Wording;
use crate::model::time::Duration;
use crate::model::value::{Type, Value};
use std::ops::Range;

/// What a length of time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Years and months.
    Months,
    /// Days, hours, minutes and seconds.
    Hours,
    /// Working days.
    WorkingDays,
    /// Working hours and minutes.
    WorkingHours,
}

impl Unit {
    fn of(duration: &Duration) -> Unit {
        match duration {
            Duration::Months(_) => Unit::Months,
            Duration::Seconds(_) => Unit::Hours,
            Duration::WorkingDays(_) => Unit::WorkingDays,
            Duration::WorkingMinutes(_) => Unit::WorkingHours,
        }
    }

    /// The parts that a length of this unit has, such as its hours.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Unit::Months => &["years", "months"],
            Unit::Hours => &["days", "hours", "minutes", "seconds"],
            Unit::WorkingDays => &["days"],
            Unit::WorkingHours => &["hours", "minutes"],
        }
    }

    fn words(self) -> Wording {
        match self {
            Unit::Months => Wording::new("年和月", "years and months"),
            Unit::Hours => Wording::new("自然日和小时", "days and hours of the clock"),
            Unit::WorkingDays => Wording::new("工作日", "working days"),
            Unit::WorkingHours => Wording::new("工作小时", "working hours"),
        }
    }
}

impl Infer<'_> {
    /// Reports two lengths of time that are known to be of unlike units.
    pub(super) fn one_unit(&mut self, node: &Node, a: &Expr, b: &Expr) {
        // Without a form the units are met when the values come.
        if self.scope.untyped {
            return;
        }
        let (Some(one), Some(other)) = (self.unit(a), self.unit(b)) else { return };
        if one == other {
            return;
        }
        let (x, y) = (one.words(), other.words());
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::UnlikeTypes,
            format!("一边按{}算，一边按{}算，这两种时长不能比较，也不能加减", x.zh, y.zh),
            format!("one side is in {}, the other in {}; such lengths are neither compared nor added", x.en, y.en),
        );
        let compared = matches!(node.syntax, Syntax::Compare(..) | Syntax::Between(..));
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
    pub(super) fn has_part(&self, length: &Expr, part: &str) -> Option<bool> {
        self.unit(length).map(|unit| unit.parts().contains(&part))
    }

    /// Of which unit a length is; `None` of what is no length, and where that depends on what comes.
    fn unit(&self, expr: &Expr) -> Option<Unit> {
        match expr.op() {
            Op::Literal(Value::Duration(duration)) => Some(Unit::of(duration)),
            Op::Negate(of) => self.unit(of),
            Op::Arithmetic(Arithmetic::Subtract, a, b) if self.is_moment(a) && self.is_moment(b) => Some(Unit::Hours),
            Op::Arithmetic(_, a, _) if self.is_moment(a) => None,
            Op::Arithmetic(_, a, b) => self.unit(a).or_else(|| self.unit(b)),
            Op::If(_, then, otherwise) => self.unit(then).filter(|unit| self.unit(otherwise) == Some(*unit)),
            Op::Range { low, high, .. } => self.unit(low).or_else(|| self.unit(high)),
            Op::List(items) => items.iter().find_map(|item| self.unit(item)),
            Op::Call(name, arguments) => match &**name {
                "years and months duration" => Some(Unit::Months),
                "min" | "max" | "sum" | "mean" | "abs" => arguments.iter().find_map(|argument| self.unit(argument)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether an expression is a date or a time of a day.
    fn is_moment(&self, expr: &Expr) -> bool {
        let is = |of: &Type| matches!(of, Type::Date | Type::DateTime);
        match expr.op() {
            Op::Literal(value) => matches!(value, Value::Date(_) | Value::DateTime(_)),
            Op::Field(name) => self.scope.fields.get(name).is_some_and(|typed| is(&typed.of)),
            Op::Path(row, column) => match row.op() {
                Op::Field(row) => self.scope.fields.get(row).is_some_and(|typed| match &typed.of {
                    Type::Record(columns) => columns.get(column).is_some_and(|typed| is(&typed.of)),
                    _ => false,
                }),
                _ => false,
            },
            Op::Instance(InstanceFact::StartedAt) | Op::Step(_, StepFact::At) => true,
            Op::Call(name, _) => matches!(&**name, "today" | "now" | "date" | "date and time"),
            Op::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, a, b) => {
                self.is_moment(a) != self.is_moment(b) && !matches!(b.op(), Op::Literal(Value::Number(_)))
            }
            Op::If(_, then, otherwise) => self.is_moment(then) && self.is_moment(otherwise),
            _ => false,
        }
    }
}
