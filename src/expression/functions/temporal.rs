//! Functions of dates, times and durations, and how texts write them.

use super::super::operate::{in_reach, months_between};
use super::{
    Accepts, Failure, Function, Value, boolean, duration, given, number, one, optional, text, unexpected, whole,
};
use crate::model::time::{Duration, Moment, TimeOfDay, Zone, split_zone};
use crate::model::value::{Type, Typed};
use chrono::{Datelike, NaiveDate, NaiveTime};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// What `@"…"` means, if anything.
pub(in super::super) fn literal(text: &str) -> Option<Value> {
    if text.starts_with(['P', '-']) && text.contains('P') {
        return iso_duration(text).map(Value::Duration);
    }
    if text.split('@').next().is_some_and(|wall| wall.contains('T')) {
        return moment(text).map(Value::DateTime);
    }
    read_date(text).map(Value::Date).or_else(|| clock(text).map(Value::Time))
}

/// What `date("…")` and its like mean; `None` if the function reads no text, or the text does not fit.
pub(in super::super) fn read(function: &str, text: &str) -> Option<Value> {
    match function {
        "date" => read_date(text).map(Value::Date),
        "time" => clock(text).map(Value::Time),
        "date and time" => moment(text)
            .or_else(|| Some(Moment { local: read_date(text)?.and_time(NaiveTime::MIN), zone: None }))
            .map(Value::DateTime),
        "duration" => iso_duration(text).map(Value::Duration),
        _ => None,
    }
}

fn iso_duration(text: &str) -> Option<Duration> {
    text.trim_start_matches('-').starts_with('P').then(|| text.parse().ok()).flatten()
}

/// `2026-03-06`; years of more than four digits have no leading zero.
fn read_date(text: &str) -> Option<NaiveDate> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = rest.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let well_written = parts.next().is_none()
        && digits(year)
        && digits(month)
        && digits(day)
        && (year.len() == 4 || (year.len() > 4 && year.len() < 10 && !year.starts_with('0')))
        && month.len() == 2
        && day.len() == 2;
    if !well_written {
        return None;
    }
    let year: i32 = year.parse().ok()?;
    let date = NaiveDate::from_ymd_opt(if negative { -year } else { year }, month.parse().ok()?, day.parse().ok()?)?;
    in_reach(date).then_some(date)
}

/// `2026-03-06`, also for years before 0 and after 9999.
pub(super) fn date_text(date: NaiveDate) -> String {
    let sign = if date.year() < 0 { "-" } else { "" };
    format!("{sign}{:04}-{:02}-{:02}", date.year().unsigned_abs(), date.month(), date.day())
}

/// `09:30:00`, `09:30:00.25+08:00`, `09:30:00@Asia/Shanghai`.
fn clock(text: &str) -> Option<TimeOfDay> {
    let (wall, zone) = split_zone(text)?;
    let (wall, nanos) = match wall.split_once('.') {
        Some((wall, fraction)) if (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit()) => {
            (wall, format!("{fraction:0<9}").parse().ok()?)
        }
        Some(_) => return None,
        None => (wall, 0),
    };
    let mut parts = wall.split(':').map(|part| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u32>().ok()).flatten()
    });
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || second > 59 {
        return None;
    }
    Some(TimeOfDay { time: NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?, zone })
}

fn moment(text: &str) -> Option<Moment> {
    let (date, time) = text.split_once('T')?;
    let time = clock(time)?;
    Some(Moment { local: read_date(date)?.and_time(time.time), zone: time.zone })
}

fn no_such(what: &str, function: &str) -> Failure {
    Failure::new(format!("`{function}` 读不懂 `{what}`"), format!("`{function}` cannot read `{what}`"))
}

/// The day of a date or date-time.
fn day(value: &Value) -> Option<NaiveDate> {
    match value {
        Value::Date(date) => Some(*date),
        Value::DateTime(moment) => Some(moment.local.date()),
        _ => None,
    }
}

macro_rules! of_day {
    ($name:literal, $of:ident, $run:expr) => {
        Function {
            name: $name,
            forms: &[&[one("date", Accepts::Day)]],
            spreads: false,
            of: $of,
            run: |_, arguments| {
                let run: fn(NaiveDate) -> Value = $run;
                arguments.first().and_then(|value| day(value)).map(run).ok_or_else(|| unexpected($name))
            },
        }
    };
}

fn date(_: &[Typed]) -> Typed {
    Typed::always(Type::Date)
}
fn time(_: &[Typed]) -> Typed {
    Typed::always(Type::Time)
}
fn date_time(_: &[Typed]) -> Typed {
    Typed::always(Type::DateTime)
}

fn from_parts(arguments: &[&Value]) -> Result<NaiveDate, Failure> {
    let part = |at: usize| arguments.get(at).map_or(Ok(1), |value| whole(value, "年、月、日", "a year, month or day"));
    let (year, month, day) = (part(0)?, part(1)?, part(2)?);
    let fits = |year: i64, month: i64, day: i64| {
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
    };
    fits(year, month, day)
        .filter(|date| in_reach(*date))
        .ok_or_else(|| no_such(&format!("{year}, {month}, {day}"), "date"))
}

fn time_from_parts(arguments: &[&Value]) -> Result<Value, Failure> {
    let part = |at: usize| arguments.get(at).map_or(Ok(0), |value| whole(value, "时、分", "an hour or minute"));
    let (hour, minute) = (part(0)?, part(1)?);
    let second = arguments.get(2).and_then(|value| value.as_number()).unwrap_or_default();
    let bad = || no_such(&format!("{hour}, {minute}, {second}"), "time");
    let zone = match given(arguments, 3) {
        Some(Value::Duration(Duration::Seconds(east))) => {
            let seconds = east.to_i32().filter(|seconds| seconds.abs() <= 18 * 3_600).ok_or_else(bad)?;
            Some(Zone::Offset(seconds))
        }
        Some(_) => return Err(bad()),
        None => None,
    };
    let nanos = second.fract().checked_mul(Decimal::from(1_000_000_000)).and_then(|n| n.trunc().to_u32());
    let time = (|| {
        NaiveTime::from_hms_nano_opt(
            u32::try_from(hour).ok()?,
            u32::try_from(minute).ok()?,
            second.trunc().to_u32().filter(|second| *second < 60)?,
            nanos?,
        )
    })();
    time.map(|time| Value::Time(TimeOfDay { time, zone })).ok_or_else(bad)
}

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "date",
        forms: &[
            &[one("from", Accepts::Any)],
            &[one("year", Accepts::Number), one("month", Accepts::Number), one("day", Accepts::Number)],
        ],
        spreads: false,
        of: date,
        run: |_, arguments| match arguments {
            [Value::Text(text)] => read("date", text).ok_or_else(|| no_such(text, "date")),
            [one] => day(one).map(Value::Date).ok_or_else(|| unexpected("date")),
            parts => from_parts(parts).map(Value::Date),
        },
    },
    Function {
        name: "time",
        forms: &[
            &[one("from", Accepts::Any)],
            &[
                one("hour", Accepts::Number),
                one("minute", Accepts::Number),
                one("second", Accepts::Number),
                optional("offset", Accepts::Duration),
            ],
        ],
        spreads: false,
        of: time,
        run: |_, arguments| match arguments {
            [Value::Text(text)] => read("time", text).ok_or_else(|| no_such(text, "time")),
            [Value::Time(time)] => Ok(Value::Time(*time)),
            [Value::DateTime(moment)] => Ok(Value::Time(TimeOfDay { time: moment.local.time(), zone: moment.zone })),
            [Value::Date(_)] => Ok(Value::Time(TimeOfDay { time: NaiveTime::MIN, zone: Some(Zone::Offset(0)) })),
            [_] => Err(unexpected("time")),
            parts => time_from_parts(parts),
        },
    },
    Function {
        name: "date and time",
        forms: &[&[one("from", Accepts::Any)], &[one("date", Accepts::Day), one("time", Accepts::Time)]],
        spreads: false,
        of: date_time,
        run: |_, arguments| match arguments {
            [Value::Text(text)] => read("date and time", text).ok_or_else(|| no_such(text, "date and time")),
            [Value::DateTime(moment)] => Ok(Value::DateTime(*moment)),
            [Value::Date(date)] => Ok(Value::DateTime(Moment { local: date.and_time(NaiveTime::MIN), zone: None })),
            [at, Value::Time(time)] => match day(at) {
                Some(date) => Ok(Value::DateTime(Moment { local: date.and_time(time.time), zone: time.zone })),
                None => Err(unexpected("date and time")),
            },
            _ => Err(unexpected("date and time")),
        },
    },
    Function {
        name: "duration",
        forms: &[&[one("from", Accepts::Any)]],
        spreads: false,
        of: duration,
        run: |_, arguments| match arguments {
            [Value::Text(text)] => read("duration", text).ok_or_else(|| no_such(text, "duration")),
            [Value::Duration(duration)] => Ok(Value::Duration(*duration)),
            _ => Err(unexpected("duration")),
        },
    },
    Function {
        name: "years and months duration",
        forms: &[&[one("from", Accepts::Day), one("to", Accepts::Day)]],
        spreads: false,
        of: duration,
        run: |_, arguments| match arguments {
            [from, to] => match (day(from), day(to)) {
                (Some(from), Some(to)) => Ok(Value::Duration(Duration::Months(months_between(from, to)))),
                _ => Err(unexpected("years and months duration")),
            },
            _ => Err(unexpected("years and months duration")),
        },
    },
    of_day!("day of week", text, |date| Value::text(date.format("%A").to_string())),
    of_day!("month of year", text, |date| Value::text(date.format("%B").to_string())),
    of_day!("day of year", number, |date| Value::Number(date.ordinal().into())),
    of_day!("week of year", number, |date| Value::Number(date.iso_week().week().into())),
    Function {
        name: "now",
        forms: &[&[]],
        spreads: false,
        of: date_time,
        run: |machine, _| {
            let calendar = machine.context.calendar;
            let local = calendar.local(machine.context.now);
            Ok(Value::DateTime(Moment { local, zone: Some(Zone::Named(calendar.zone)) }))
        },
    },
    Function {
        name: "today",
        forms: &[&[]],
        spreads: false,
        of: date,
        run: |machine, _| Ok(Value::Date(machine.context.calendar.today(machine.context.now))),
    },
    Function {
        name: "is working day",
        forms: &[&[one("date", Accepts::Day)]],
        spreads: false,
        of: boolean,
        run: |machine, arguments| {
            let date = arguments.first().and_then(|value| day(value)).ok_or_else(|| unexpected("is working day"))?;
            Ok(Value::Boolean(machine.context.calendar.is_working_day(date)))
        },
    },
    Function {
        name: "working days between",
        forms: &[&[one("from", Accepts::Day), one("to", Accepts::Day)]],
        spreads: false,
        of: number,
        run: |machine, arguments| {
            // The working days after the one day, up to and with the other; negative if it is earlier.
            let at = |index: usize| arguments.get(index).and_then(|value| day(value));
            let (Some(from), Some(to)) = (at(0), at(1)) else { return Err(unexpected("working days between")) };
            let days = machine.context.calendar.working_days_after(from.min(to), from.max(to));
            let count = Decimal::from(days);
            Ok(Value::Number(if to < from { -count } else { count }))
        },
    },
];
