//! The operators on values: equality, order, arithmetic. Checked: what does not fit a decimal or a calendar fails.

use super::Context;
use super::fault::Failure;
use super::machine::TEXT_LIMIT;
use crate::model::formula::Arithmetic;
use crate::model::text::Wording;
use crate::model::time::{Duration, Moment, TimeOfDay, Zone, add_months};
use crate::model::value::{Range, Value};
use chrono::{Datelike, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Timelike};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, MathematicalOps};
use std::cmp::Ordering;

/// What kind of value it is, in words.
pub(super) fn words(value: &Value) -> Wording {
    let (zh, en) = match value {
        Value::Null => ("空值", "null"),
        Value::Boolean(_) => ("布尔值", "true or false"),
        Value::Number(_) => ("数字", "a number"),
        Value::Text(_) => ("文字", "a text"),
        Value::Date(_) => ("日期", "a date"),
        Value::Time(_) => ("时刻", "a time of day"),
        Value::DateTime(_) => ("日期时间", "a date-time"),
        Value::Duration(_) => ("时长", "a duration"),
        Value::Person(_) => ("人员", "a person"),
        Value::Position(_) => ("岗位", "a position"),
        Value::Department(_) => ("部门", "a department"),
        Value::File(_) => ("文件", "a file"),
        Value::List(_) => ("列表", "a list"),
        Value::Record(_) => ("记录", "a record"),
        Value::Range(_) => ("区间", "a range"),
    };
    Wording::new(zh, en)
}

/// The failure of a value that stands where `true` or `false` is needed.
pub(super) fn no_condition(value: &Value) -> Failure {
    if value.is_null() {
        return Failure::unset("条件没有值", "a condition is not set");
    }
    let found = words(value);
    Failure::new(
        format!("条件应该是“是”或“否”，而不是{}", found.zh),
        format!("a condition has to be true or false, not {}", found.en),
    )
}

fn unlike(a: &Value, b: &Value) -> Failure {
    if a.is_null() || b.is_null() {
        return Failure::unset("要比较或计算的值没有填", "a value to compare or calculate with is not set");
    }
    let (a, b) = (words(a), words(b));
    Failure::new(
        format!("{}和{}不能放在一起比较或计算", a.zh, b.zh),
        format!("{} and {} cannot be compared or calculated with", a.en, b.en),
    )
}

/// Whether two values are equal; an error if they have nothing to do with each other. `null` equals only itself.
pub(super) fn equal(a: &Value, b: &Value, context: &Context<'_>) -> Result<bool, Failure> {
    use Value::*;
    Ok(match (a, b) {
        (Null, other) | (other, Null) => other.is_null(),
        (Boolean(a), Boolean(b)) => a == b,
        (Text(a), Text(b)) => a == b,
        (Person(a), Person(b)) => a == b,
        (Position(a), Position(b)) => a == b,
        (Department(a), Department(b)) => a == b,
        (List(a), List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b) {
                if !equal(a, b, context)? {
                    return Ok(false);
                }
            }
            true
        }
        (Record(a), Record(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (name, a) in a {
                match b.get(name) {
                    Some(b) if equal(a, b, context)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Range(a), Range(b)) => {
            a.low_closed == b.low_closed
                && a.high_closed == b.high_closed
                && equal(&a.low, &b.low, context)?
                && equal(&a.high, &b.high, context)?
        }
        (a, b) => compare(a, b, context)? == Ordering::Equal,
    })
}

/// Whether two values are equal; values that have nothing to do with each other are not.
pub(super) fn same(a: &Value, b: &Value, context: &Context<'_>) -> bool {
    equal(a, b, context).unwrap_or(false)
}

/// Which of two values comes first.
pub(super) fn compare(a: &Value, b: &Value, context: &Context<'_>) -> Result<Ordering, Failure> {
    use Value::*;
    match (a, b) {
        (Number(a), Number(b)) => Ok(a.cmp(b)),
        (Text(a), Text(b)) => Ok(a.cmp(b)),
        (Date(a), Date(b)) => Ok(a.cmp(b)),
        (Time(a), Time(b)) => Ok(clock(a, b)),
        (DateTime(a), DateTime(b)) => Ok(moments(a, b, context)),
        (Duration(a), Duration(b)) => durations(a, b).ok_or_else(|| {
            Failure::new(
                "这两种时长不能比较：一个月有几天、一个工作日有几小时都不固定",
                "these two durations cannot be compared: months and working days have no fixed length",
            )
        }),
        (a, b) => Err(unlike(a, b)),
    }
}

fn durations(a: &Duration, b: &Duration) -> Option<Ordering> {
    match (a, b) {
        (Duration::Months(a), Duration::Months(b)) => Some(a.cmp(b)),
        (Duration::Seconds(a), Duration::Seconds(b)) => Some(a.cmp(b)),
        (Duration::WorkingDays(a), Duration::WorkingDays(b)) => Some(a.cmp(b)),
        (Duration::WorkingMinutes(a), Duration::WorkingMinutes(b)) => Some(a.cmp(b)),
        // Nothing is nothing in every unit.
        _ if a.sign().is_eq() || b.sign().is_eq() => Some(a.sign().cmp(&b.sign())),
        _ => None,
    }
}

fn moments(a: &Moment, b: &Moment, context: &Context<'_>) -> Ordering {
    if a.zone == b.zone && !matches!(a.zone, Some(Zone::Named(_))) {
        return a.local.cmp(&b.local);
    }
    a.instant(context.calendar.zone).cmp(&b.instant(context.calendar.zone))
}

/// Times of day with zones compare as of one day; a time without a zone is on the same wall as the other.
fn clock(a: &TimeOfDay, b: &TimeOfDay) -> Ordering {
    match (a.zone, b.zone) {
        (Some(x), Some(y)) => {
            let seconds = |time: NaiveTime, zone| i64::from(time.num_seconds_from_midnight()) - offset_of(zone);
            seconds(a.time, x).cmp(&seconds(b.time, y)).then(a.time.nanosecond().cmp(&b.time.nanosecond()))
        }
        _ => a.time.cmp(&b.time),
    }
}

/// Seconds east of UTC; of a named zone those that it had in 1970.
pub(super) fn offset_of(zone: Zone) -> i64 {
    match zone {
        Zone::Offset(seconds) => i64::from(seconds),
        Zone::Named(zone) => {
            i64::from(zone.offset_from_utc_datetime(&chrono::DateTime::UNIX_EPOCH.naive_utc()).fix().local_minus_utc())
        }
    }
}

/// Whether a value lies in a range.
pub(super) fn contains(range: &Range, value: &Value, context: &Context<'_>) -> Result<bool, Failure> {
    let above = match &range.low {
        Value::Null => true,
        low => match compare(low, value, context)? {
            Ordering::Less => true,
            Ordering::Equal => range.low_closed,
            Ordering::Greater => false,
        },
    };
    let below = match &range.high {
        Value::Null => true,
        high => match compare(value, high, context)? {
            Ordering::Less => true,
            Ordering::Equal => range.high_closed,
            Ordering::Greater => false,
        },
    };
    Ok(above && below)
}

/// `-x`.
pub(super) fn negate(value: &Value) -> Result<Value, Failure> {
    match value {
        Value::Number(number) => Ok(Value::Number(-*number)),
        Value::Duration(duration) => opposite(duration).map(Value::Duration).ok_or_else(Failure::too_large),
        Value::Null => Err(Failure::unset("要取负的值没有填", "the value to negate is not set")),
        other => {
            let found = words(other);
            Err(Failure::new(format!("{}没有负值", found.zh), format!("{} has no negative", found.en)))
        }
    }
}

fn opposite(duration: &Duration) -> Option<Duration> {
    Some(match duration {
        Duration::Months(n) => Duration::Months(n.checked_neg()?),
        Duration::Seconds(n) => Duration::Seconds(-*n),
        Duration::WorkingDays(n) => Duration::WorkingDays(n.checked_neg()?),
        Duration::WorkingMinutes(n) => Duration::WorkingMinutes(n.checked_neg()?),
    })
}

/// How many steps calculating with a value takes beside the one of the operator.
pub(super) fn effort(value: &Value) -> usize {
    // Working time is counted for ten years and no longer.
    let of = |n: i64| usize::try_from(n.unsigned_abs().min(4_000)).unwrap_or_default() * 2 + 50;
    match value {
        Value::Text(text) => text.len() / 64,
        Value::Duration(Duration::WorkingDays(days)) => of(*days),
        Value::Duration(Duration::WorkingMinutes(minutes)) => of(minutes / 60),
        _ => 0,
    }
}

/// `a + b` and its like.
pub(super) fn arithmetic(op: Arithmetic, a: &Value, b: &Value, context: &Context<'_>) -> Result<Value, Failure> {
    use Value::{Date, DateTime, Number, Text, Time};
    match (op, a, b) {
        (_, Number(a), Number(b)) => numbers(op, *a, *b).map(Number),
        (Arithmetic::Add, Text(a), Text(b)) => {
            if a.len() + b.len() > TEXT_LIMIT {
                return Err(too_long_text());
            }
            Ok(Value::text([a.as_ref(), b.as_ref()].concat()))
        }
        (_, Value::Duration(a), Value::Duration(b)) => two_durations(op, a, b),
        (Arithmetic::Add, Date(_) | DateTime(_) | Time(_), Value::Duration(by)) => shift(a, by, context),
        (Arithmetic::Add, Value::Duration(by), Date(_) | DateTime(_) | Time(_)) => shift(b, by, context),
        (Arithmetic::Subtract, Date(_) | DateTime(_) | Time(_), Value::Duration(by)) => {
            shift(a, &opposite(by).ok_or_else(Failure::too_large)?, context)
        }
        (Arithmetic::Subtract, Date(a), Date(b)) => Ok(seconds(*a - *b)),
        (Arithmetic::Subtract, Time(a), Time(b)) => {
            let apart = a.time - b.time;
            Ok(seconds(match (a.zone, b.zone) {
                (Some(x), Some(y)) => apart - TimeDelta::seconds(offset_of(x) - offset_of(y)),
                _ => apart,
            }))
        }
        (Arithmetic::Subtract, Date(_) | DateTime(_), Date(_) | DateTime(_)) => {
            let moment = |value: &Value| match value {
                DateTime(moment) => *moment,
                Date(date) => Moment { local: date.and_time(NaiveTime::MIN), zone: None },
                _ => Moment { local: chrono::DateTime::UNIX_EPOCH.naive_utc(), zone: None },
            };
            let (a, b) = (moment(a), moment(b));
            Ok(seconds(if a.zone == b.zone && a.zone.is_none() {
                a.local - b.local
            } else {
                a.instant(context.calendar.zone) - b.instant(context.calendar.zone)
            }))
        }
        (Arithmetic::Multiply, Value::Duration(duration), Number(by))
        | (Arithmetic::Multiply, Number(by), Value::Duration(duration)) => scale(duration, |n| n.checked_mul(*by)),
        (Arithmetic::Divide, Value::Duration(_), Number(by)) if by.is_zero() => Err(by_zero()),
        (Arithmetic::Divide, Value::Duration(duration), Number(by)) => scale(duration, |n| n.checked_div(*by)),
        (_, a, b) => Err(unlike(a, b)),
    }
}

fn by_zero() -> Failure {
    Failure::new("不能除以零", "nothing can be divided by zero")
}

pub(super) fn too_long_text() -> Failure {
    Failure::new(
        format!("文字太长，最多 {TEXT_LIMIT} 字节"),
        format!("the text is too long, {TEXT_LIMIT} bytes are the most"),
    )
}

fn numbers(op: Arithmetic, a: Decimal, b: Decimal) -> Result<Decimal, Failure> {
    match op {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide if b.is_zero() => return Err(by_zero()),
        Arithmetic::Divide => a.checked_div(b),
        Arithmetic::Power => power(a, b)?,
    }
    .ok_or_else(Failure::too_large)
}

fn power(base: Decimal, exponent: Decimal) -> Result<Option<Decimal>, Failure> {
    if base.is_zero() && exponent.is_sign_negative() && !exponent.is_zero() {
        return Err(by_zero());
    }
    match exponent.is_integer().then(|| exponent.to_i64()).flatten() {
        Some(exponent) if exponent.unsigned_abs() > 100_000 => Ok(None),
        Some(exponent) => Ok(base.checked_powi(exponent)),
        None if base.is_sign_negative() => Err(Failure::new("负数没有这样的幂", "a negative number has no such power")),
        None => Ok(base.checked_powd(exponent)),
    }
}

fn seconds(delta: TimeDelta) -> Value {
    let nanos = Decimal::new(i64::from(delta.subsec_nanos()), 9);
    Value::Duration(Duration::Seconds((Decimal::from(delta.num_seconds()) + nanos).normalize()))
}

fn two_durations(op: Arithmetic, a: &Duration, b: &Duration) -> Result<Value, Failure> {
    use Duration::*;
    let unlike = || {
        Failure::new(
            "这两种时长不能一起计算：一个月有几天、一个工作日有几小时都不固定",
            "these two durations cannot be calculated with: months and working days have no fixed length",
        )
    };
    let (x, y) = match (a, b) {
        (Seconds(x), Seconds(y)) => (*x, *y),
        (Months(x), Months(y)) | (WorkingDays(x), WorkingDays(y)) | (WorkingMinutes(x), WorkingMinutes(y)) => {
            (Decimal::from(*x), Decimal::from(*y))
        }
        _ => return Err(unlike()),
    };
    match op {
        Arithmetic::Add => scale(a, |n| n.checked_add(y)),
        Arithmetic::Subtract => scale(a, |n| n.checked_sub(y)),
        Arithmetic::Divide => numbers(Arithmetic::Divide, x, y).map(Value::Number),
        _ => Err(unlike_operation()),
    }
}

fn unlike_operation() -> Failure {
    Failure::new("时长之间不能这样计算", "durations cannot be calculated with in this way")
}

/// A duration of the same kind with another size; whole months and working days stay whole, towards zero.
fn scale(duration: &Duration, f: impl Fn(Decimal) -> Option<Decimal>) -> Result<Value, Failure> {
    let whole = |n: i64| f(Decimal::from(n)).and_then(|n| n.trunc().to_i64());
    let scaled = match duration {
        Duration::Seconds(n) => f(*n).map(|n| Duration::Seconds(n.normalize())),
        Duration::Months(n) => whole(*n).map(Duration::Months),
        Duration::WorkingDays(n) => whole(*n).map(Duration::WorkingDays),
        Duration::WorkingMinutes(n) => whole(*n).map(Duration::WorkingMinutes),
    };
    scaled.map(Value::Duration).ok_or_else(Failure::too_large)
}

fn delta(seconds: Decimal) -> Option<TimeDelta> {
    let whole = seconds.floor();
    let nanos = (seconds - whole).checked_mul(Decimal::from(1_000_000_000))?.trunc().to_u32()?;
    TimeDelta::new(whole.to_i64()?, nanos)
}

/// A date, time or date-time moved by a duration.
fn shift(value: &Value, by: &Duration, context: &Context<'_>) -> Result<Value, Failure> {
    let moved = match (value, by) {
        (Value::Date(date), _) => shift_date(*date, by, context)?.map(Value::Date),
        (Value::DateTime(moment), _) => shift_moment(*moment, by, context)?.map(Value::DateTime),
        (Value::Time(time), Duration::Seconds(seconds)) => delta(*seconds)
            .map(|delta| Value::Time(TimeOfDay { time: time.time.overflowing_add_signed(delta).0, zone: time.zone })),
        (value, _) => return Err(unlike(value, &Value::Duration(*by))),
    };
    let near = |value: &Value| match value {
        Value::Date(date) => in_reach(*date),
        Value::DateTime(moment) => in_reach(moment.local.date()),
        _ => true,
    };
    moved.filter(near).ok_or_else(Failure::too_far)
}

/// Whether a day is so far from the ends of the calendar that a zone's offset does not leave it.
pub(super) fn in_reach(date: NaiveDate) -> bool {
    date.year().unsigned_abs() <= 200_000
}

fn shift_date(date: NaiveDate, by: &Duration, context: &Context<'_>) -> Result<Option<NaiveDate>, Failure> {
    Ok(match by {
        Duration::Seconds(seconds) => delta(*seconds)
            .and_then(|delta| date.and_time(NaiveTime::MIN).checked_add_signed(delta))
            .map(|moved| moved.date()),
        Duration::Months(months) => add_months(date.and_time(NaiveTime::MIN), *months).map(|moved| moved.date()),
        Duration::WorkingDays(days) => working_days(date, *days, context),
        Duration::WorkingMinutes(_) => {
            return Err(Failure::new(
                "工作小时只能加在日期时间上，不能加在日期上",
                "working hours are added to a date-time, not to a date",
            ));
        }
    })
}

fn working_days(date: NaiveDate, days: i64, context: &Context<'_>) -> Option<NaiveDate> {
    if days < 0 {
        context.calendar.working_day_before(date, days.saturating_neg())
    } else {
        context.calendar.working_day_after(date, days)
    }
}

fn shift_moment(moment: Moment, by: &Duration, context: &Context<'_>) -> Result<Option<Moment>, Failure> {
    let calendar = context.calendar;
    let at = |instant| Moment { local: calendar.local(instant), zone: Some(Zone::Named(calendar.zone)) };
    Ok(match by {
        Duration::Seconds(seconds) => delta(*seconds).and_then(|delta| match moment.zone {
            Some(Zone::Named(zone)) => {
                let moved = moment.instant(calendar.zone).checked_add_signed(delta)?;
                in_reach(moved.date_naive()).then_some(())?;
                Some(Moment { local: moved.with_timezone(&zone).naive_local(), zone: moment.zone })
            }
            zone => Some(Moment { local: moment.local.checked_add_signed(delta)?, zone }),
        }),
        Duration::Months(months) => add_months(moment.local, *months).map(|local| Moment { local, zone: moment.zone }),
        Duration::WorkingDays(days) if *days < 0 => {
            let local = calendar.local(moment.instant(calendar.zone));
            working_days(local.date(), *days, context)
                .map(|day| Moment { local: day.and_time(local.time()), zone: Some(Zone::Named(calendar.zone)) })
        }
        Duration::WorkingMinutes(minutes) if *minutes < 0 => {
            return Err(Failure::new(
                "不能从日期时间减去工作小时，请减去工作日",
                "working hours cannot be taken from a date-time; take working days",
            ));
        }
        by => calendar.add(moment.instant(calendar.zone), *by).map(at),
    })
}

/// Whole months from one day to another, towards zero.
pub(super) fn months_between(from: NaiveDate, to: NaiveDate) -> i64 {
    let months = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
    let apart = months(to) - months(from);
    if apart > 0 && to.day() < from.day() {
        apart - 1
    } else if apart < 0 && to.day() > from.day() {
        apart + 1
    } else {
        apart
    }
}
