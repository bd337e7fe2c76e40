//! What intervals come to: multiplied and divided, rounded, and in parts.

use super::domain::Domain;
use super::line::Line;
use super::range::Ends;
use crate::model::formula::{Expr, Op};
use crate::model::value::Value;
use rust_decimal::Decimal;

/// A part of a day, a moment or a length of time.
pub(super) fn part_of_time(name: &str, of: &Domain) -> Domain {
    let within = |low: u32, high: u32| Domain::numbers(Some(low.into()), Some(high.into()), true);
    match name {
        "weekday" => within(1, 7),
        "month" => within(1, 12),
        "day" => within(1, 31),
        "hour" => within(0, 23),
        "minute" => within(0, 59),
        "date" => Domain::days(),
        "year" => Domain::numbers(None, None, true),
        "years" | "months" | "days" | "hours" | "minutes" => part_of_length(name, of),
        _ => Domain::any(true),
    }
}

/// A part of a length of time: the greatest counts all of it, the others what is left, both towards zero.
fn part_of_length(name: &str, of: &Domain) -> Domain {
    let Some((line, (low, high))) = of.placed() else { return Domain::numbers(None, None, true) };
    let long = match (line, name) {
        (Line::Seconds, "days") => Some(86_400),
        (Line::Months, "years") => Some(12),
        (Line::WorkingMinutes, "hours") => Some(60),
        (Line::WorkingDays, "days") => Some(1),
        _ => None,
    };
    let Some(long) = long.map(Decimal::from) else {
        let (low, high) = (low.filter(|low| *low >= Decimal::ZERO), high.filter(|high| *high <= Decimal::ZERO));
        return Domain::numbers(low.map(|_| Decimal::ZERO), high.map(|_| Decimal::ZERO), true);
    };
    let times = |end: Decimal| {
        let end = end.trunc();
        end.checked_sub(end.checked_rem(long)?)?.checked_div(long)
    };
    Domain::numbers(low.and_then(times), high.and_then(times), true)
}

/// Lengths of time that were multiplied or divided; of some units they come to whole ones.
pub(super) fn scaled(line: Line, (low, high): Ends) -> Domain {
    match line {
        Line::Seconds => Domain::on(line, low, high, false),
        _ => Domain::on(line, low.map(|low| low.floor()), high.map(|high| high.ceil()), false),
    }
}

/// What is rounded to so many places lies between the places around it.
pub(super) fn rounded(of: Ends, places: Option<&Expr>) -> Option<(Option<Decimal>, Option<Decimal>, bool)> {
    let places = match places.map(Expr::op) {
        None => 0,
        Some(Op::Literal(Value::Number(places))) if *places >= Decimal::ZERO => u32::try_from(*places).ok()?,
        Some(_) => return None,
    };
    use rust_decimal::RoundingStrategy::{ToNegativeInfinity, ToPositiveInfinity};
    let to = |end: Option<Decimal>, way| end.map(|end| end.round_dp_with_strategy(places.min(28), way));
    Some((to(of.0, ToNegativeInfinity), to(of.1, ToPositiveInfinity), places == 0))
}

pub(super) fn least(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    a.zip(b).map(|(a, b)| a.min(b))
}

pub(super) fn greatest(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    a.zip(b).map(|(a, b)| a.max(b))
}

pub(super) fn sum(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    a.zip(b).and_then(|(a, b)| a.checked_add(b))
}

pub(super) fn product(x: Ends, y: Ends) -> Ends {
    let zero = Decimal::ZERO;
    if let (Some(a), Some(b), Some(c), Some(d)) = (x.0, x.1, y.0, y.1) {
        let corners: Option<Vec<Decimal>> =
            [(a, c), (a, d), (b, c), (b, d)].into_iter().map(|(a, b)| a.checked_mul(b)).collect();
        return corners.map_or((None, None), |all| (all.iter().min().copied(), all.iter().max().copied()));
    }
    match (x.0.filter(|low| *low >= zero), y.0.filter(|low| *low >= zero)) {
        (Some(a), Some(c)) => (a.checked_mul(c), x.1.zip(y.1).and_then(|(b, d)| b.checked_mul(d))),
        _ => (None, None),
    }
}

/// What is multiplied by itself is never below zero.
pub(super) fn square((low, high): Ends) -> Ends {
    let zero = Decimal::ZERO;
    let times = |end: Decimal| end.checked_mul(end);
    let least = match (low, high) {
        (Some(low), _) if low >= zero => times(low),
        (_, Some(high)) if high <= zero => times(high),
        _ => Some(zero),
    };
    let most = low.zip(high).and_then(|(low, high)| times(low.abs().max(high.abs())));
    (least.or(Some(zero)), most)
}

/// A divisor is never zero: that is proved elsewhere.
pub(super) fn quotient(x: Ends, y: Ends) -> Ends {
    let zero = Decimal::ZERO;
    let Some(c) = y.0.filter(|low| *low >= zero) else { return (None, None) };
    let by = |end: Option<Decimal>, by: Option<Decimal>| end.zip(by).and_then(|(end, by)| end.checked_div(by));
    let c = (c > zero).then_some(c);
    // The ends move towards zero with a larger divisor, away from it with a smaller one.
    let low = x.0.and_then(|low| if low >= zero { by(Some(low), y.1).or(Some(zero)) } else { by(Some(low), c) });
    let high = x.1.and_then(|high| if high <= zero { by(Some(high), y.1).or(Some(zero)) } else { by(Some(high), c) });
    (low, high)
}
