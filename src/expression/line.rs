//! Lines of exact decimals, on which numbers, days, moments and lengths of time have their places, and the cuts between
//! those: a cut lies just before or just after a number, so that open and closed ends, single numbers and their
//! opposites are one case.

use crate::model::time::{Duration, Moment, Unit};
use crate::model::value::Value;
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// What the numbers of a line stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    Number,
    Day,
    Moment,
    Seconds,
    Months,
    WorkingDays,
    WorkingMinutes,
}

impl Line {
    /// What all places on the line are multiples of, by what they stand for.
    pub(super) fn step(self) -> Option<Decimal> {
        match self {
            Line::Number | Line::Seconds | Line::Moment => None,
            Line::Day | Line::Months | Line::WorkingDays | Line::WorkingMinutes => Some(Decimal::ONE),
        }
    }

    /// The unit of the lengths of time that it is of.
    pub(super) fn unit(self) -> Option<Unit> {
        Some(match self {
            Line::Seconds => Unit::Hours,
            Line::Months => Unit::Months,
            Line::WorkingDays => Unit::WorkingDays,
            Line::WorkingMinutes => Unit::WorkingHours,
            Line::Number | Line::Day | Line::Moment => return None,
        })
    }
}

/// A place between numbers: just before one, or just after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cut {
    pub(super) at: Decimal,
    pub(super) after: bool,
}

impl Cut {
    /// Before every number.
    pub(super) const START: Cut = Cut { at: Decimal::MIN, after: false };
    /// After every number.
    pub(super) const END: Cut = Cut { at: Decimal::MAX, after: true };

    pub(super) fn before(at: Decimal) -> Cut {
        Cut { at, after: false }
    }

    pub(super) fn after(at: Decimal) -> Cut {
        Cut { at, after: true }
    }

    /// The same place seen from the other side of zero.
    pub(super) fn turned(self) -> Cut {
        Cut { at: -self.at, after: !self.after }
    }

    /// Where the sum of what lies at two ends of one side lies; what is rounded may come up to an end that is open, but
    /// never to zero.
    pub(super) fn plus(self, other: Cut, open: bool) -> Option<Cut> {
        let ends = [Cut::START, Cut::END];
        let at = self.at.checked_add(other.at).filter(|_| !ends.contains(&self) && !ends.contains(&other))?;
        let either = self.after == open || other.after == open;
        Some(Cut { at, after: if at.is_zero() && either { open } else { !open } })
    }
}

/// All that lies in one of the two.
pub(super) fn joined(x: &[(Cut, Cut)], y: &[(Cut, Cut)]) -> Vec<(Cut, Cut)> {
    let mut all: Vec<(Cut, Cut)> = x.iter().chain(y).copied().collect();
    all.sort();
    let mut merged: Vec<(Cut, Cut)> = Vec::with_capacity(all.len());
    for (from, to) in all {
        match merged.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// All that lies in both.
pub(super) fn shared(x: &[(Cut, Cut)], y: &[(Cut, Cut)]) -> Vec<(Cut, Cut)> {
    let mut both = Vec::new();
    let (mut i, mut j) = (0, 0);
    while let (Some((a, b)), Some((c, d))) = (x.get(i), y.get(j)) {
        let (from, to) = (*a.max(c), *b.min(d));
        if from < to {
            both.push((from, to));
        }
        if b < d { i += 1 } else { j += 1 }
    }
    both
}

/// A value's place on its line.
pub(super) fn point(value: &Value) -> Option<(Line, Decimal)> {
    Some(match value {
        Value::Number(number) => (Line::Number, *number),
        Value::Date(date) => (Line::Day, Decimal::from(date.num_days_from_ce())),
        Value::DateTime(Moment { local, zone: None }) => {
            let utc = local.and_utc();
            let nanos = Decimal::new(i64::from(utc.timestamp_subsec_nanos()), 9);
            (Line::Moment, Decimal::from(utc.timestamp()) + nanos)
        }
        Value::Duration(Duration::Seconds(n)) => (Line::Seconds, *n),
        Value::Duration(Duration::Months(n)) => (Line::Months, Decimal::from(*n)),
        Value::Duration(Duration::WorkingDays(n)) => (Line::WorkingDays, Decimal::from(*n)),
        Value::Duration(Duration::WorkingMinutes(n)) => (Line::WorkingMinutes, Decimal::from(*n)),
        _ => return None,
    })
}

/// The value at a place of a line.
pub(super) fn value_at(line: Line, at: Decimal) -> Option<Value> {
    Some(match line {
        Line::Number => Value::Number(at.normalize()),
        Line::Day => Value::Date(NaiveDate::from_num_days_from_ce_opt(at.to_i32()?)?),
        Line::Moment => {
            let instant = chrono::DateTime::from_timestamp(at.floor().to_i64()?, 0)?;
            Value::DateTime(Moment { local: instant.naive_utc(), zone: None })
        }
        Line::Seconds => Value::Duration(Duration::Seconds(at.normalize())),
        Line::Months => Value::Duration(Duration::Months(at.to_i64()?)),
        Line::WorkingDays => Value::Duration(Duration::WorkingDays(at.to_i64()?)),
        Line::WorkingMinutes => Value::Duration(Duration::WorkingMinutes(at.to_i64()?)),
    })
}

/// The plainest number between two cuts, at a multiple of `step` where there is one.
pub(super) fn between(line: Line, from: Cut, to: Cut, step: Option<Decimal>) -> Option<Decimal> {
    let inside = |at: &Decimal| from <= Cut::before(*at) && Cut::after(*at) <= to;
    let dated = matches!(line, Line::Day | Line::Moment);
    if from == Cut::START {
        let start = match (to == Cut::END, dated, line) {
            (true, true, Line::Day) => Decimal::from(739_617),
            (true, true, _) => Decimal::from(1_767_225_600),
            (true, false, _) => Decimal::ZERO,
            (false, false, _) if inside(&Decimal::ZERO) => Decimal::ZERO,
            _ if to.after && step.is_none_or(|step| (to.at % step).is_zero()) => to.at,
            _ => step.map_or_else(
                || to.at.ceil().checked_sub(Decimal::ONE),
                |step| to.at.checked_div(step)?.ceil().checked_sub(Decimal::ONE)?.checked_mul(step),
            )?,
        };
        return inside(&start).then_some(start);
    }
    if let Some(step) = step {
        let first = from.at.checked_div(step)?.ceil().checked_mul(step)?;
        let first = if inside(&first) { first } else { first.checked_add(step)? };
        return inside(&first).then_some(first);
    }
    if !from.after {
        return Some(from.at);
    }
    (0..=27).find_map(|scale| {
        let unit = Decimal::new(1, scale);
        let next = from.at.checked_div(unit)?.floor().checked_add(Decimal::ONE)?.checked_mul(unit)?;
        inside(&next).then_some(next)
    })
}
