//! The named parts of values that are no records: `date.year`, `applicant.department`, `range.start`.

use super::Context;
use super::fault::Failure;
use super::operate;
use crate::model::id::PersonId;
use crate::model::people::Directory;
use crate::model::text::Lang;
use crate::model::time::{Duration, Zone};
use crate::model::value::{Type, Typed, Value};
use chrono::{Datelike, Timelike};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The names of the parts of a type.
pub(super) fn names(of: &Type) -> &'static [&'static str] {
    match of {
        Type::Date => &["year", "month", "day", "weekday"],
        Type::DateTime => {
            &["year", "month", "day", "weekday", "hour", "minute", "second", "time offset", "timezone", "date", "time"]
        }
        Type::Time => &["hour", "minute", "second", "time offset", "timezone"],
        Type::Duration => &["years", "months", "days", "hours", "minutes", "seconds"],
        Type::Range(_) => &["start", "end", "start included", "end included"],
        Type::Person => &["name", "department", "position", "positions", "mail", "id"],
        Type::Position => &["name", "title", "department"],
        Type::Department => &["name", "title", "head"],
        Type::File => &["name", "size"],
        _ => &[],
    }
}

/// Whether somebody or something in a directory may be without this part.
pub(super) fn may_be_missing(part: &str) -> bool {
    matches!(part, "department" | "position" | "head")
}

/// Whether all that a directory holds of a kind have a part.
fn all_have(of: &Type, part: &str, directory: &Directory) -> bool {
    match (of, part) {
        (Type::Person, "department") => directory.people.keys().all(|id| directory.department_of(id).is_some()),
        (Type::Person, "position") => directory.people.values().all(|person| !person.positions.is_empty()),
        (Type::Position, "department") => directory.positions.values().all(|position| position.department.is_some()),
        (Type::Department, "head") => directory.departments.values().all(|department| department.head.is_some()),
        _ => true,
    }
}

/// The type of a part; of people and what they belong to, by what the directory holds.
pub(super) fn type_of(of: &Type, name: &str, directory: Option<&Directory>) -> Option<Typed> {
    names(of).contains(&name).then_some(())?;
    let sure = |of_part: Type| match directory.is_none_or(|directory| all_have(of, name, directory)) {
        true => Typed::always(of_part),
        false => Typed::optional(of_part),
    };
    Some(match (of, name) {
        (Type::Range(of), "start" | "end") => Typed::always((**of).clone()),
        (Type::Range(_), _) => Typed::always(Type::Boolean),
        (_, "time offset") => Typed::optional(Type::Duration),
        (_, "timezone" | "mail") => Typed::optional(Type::Text),
        (_, "date") => Typed::always(Type::Date),
        (_, "time") => Typed::always(Type::Time),
        (_, "name" | "title" | "id") => Typed::always(Type::Text),
        (_, "department") => sure(Type::Department),
        (_, "position" | "head") => sure(Type::Position),
        (_, "positions") => Typed::always(Type::List(Box::new(Typed::always(Type::Position)))),
        _ => Typed::always(Type::Number),
    })
}

/// A part of a value.
pub(super) fn value_of(value: &Value, name: &str, context: &Context<'_>) -> Result<Value, Failure> {
    if value.is_null() {
        return Err(Failure::unset(
            format!("要读 `{name}` 的值没有填"),
            format!("the value whose `{name}` is read is not set"),
        ));
    }
    part(value, name, context.directory).unwrap_or_else(|| {
        let found = operate::words(value);
        Err(Failure::unset(format!("{}没有 `{name}`", found.zh), format!("{} has no `{name}`", found.en)))
    })
}

fn number(n: impl Into<Decimal>) -> Option<Result<Value, Failure>> {
    Some(Ok(Value::Number(n.into())))
}

fn zone(zone: Option<Zone>, name: &str) -> Option<Result<Value, Failure>> {
    Some(Ok(match (zone, name) {
        (Some(Zone::Offset(seconds)), "time offset") => Value::Duration(Duration::Seconds(seconds.into())),
        (Some(zone), "time offset") => Value::Duration(Duration::Seconds(operate::offset_of(zone).into())),
        (Some(Zone::Named(zone)), _) => Value::text(zone.name()),
        _ => Value::Null,
    }))
}

fn part(value: &Value, name: &str, directory: &Directory) -> Option<Result<Value, Failure>> {
    match value {
        Value::Date(date) => date_part(date, name),
        Value::DateTime(moment) => {
            date_part(&moment.local, name).or_else(|| time_part(&moment.local, name)).or_else(|| match name {
                "time offset" | "timezone" => zone(moment.zone, name),
                "date" => Some(Ok(Value::Date(moment.local.date()))),
                "time" => Some(Ok(Value::Time(crate::model::time::TimeOfDay {
                    time: moment.local.time(),
                    zone: moment.zone,
                }))),
                _ => None,
            })
        }
        Value::Time(time) => time_part(&time.time, name).or_else(|| match name {
            "time offset" | "timezone" => zone(time.zone, name),
            _ => None,
        }),
        Value::Duration(duration) => duration_part(duration, name),
        Value::Range(range) => Some(Ok(match name {
            "start" => range.low.clone(),
            "end" => range.high.clone(),
            "start included" => Value::Boolean(range.low_closed),
            "end included" => Value::Boolean(range.high_closed),
            _ => return None,
        })),
        Value::File(file) => match name {
            "name" => Some(Ok(Value::text(file.name.clone()))),
            "size" => number(file.size),
            _ => None,
        },
        Value::Person(id) => person_part(id, name, directory),
        Value::Position(id) => {
            let found = directory.positions.get(id);
            match name {
                "name" => Some(Ok(Value::text(id.as_str()))),
                "title" => Some(Ok(Value::text(found.map_or(id.as_str(), |position| position.title.get(Lang::Zh))))),
                "department" => {
                    let department = found.and_then(|position| position.department.clone());
                    Some(Ok(department.map_or(Value::Null, Value::Department)))
                }
                _ => None,
            }
        }
        Value::Department(id) => {
            let found = directory.departments.get(id);
            match name {
                "name" => Some(Ok(Value::text(id.as_str()))),
                "title" => Some(Ok(Value::text(found.map_or(id.as_str(), |found| found.title.get(Lang::Zh))))),
                "head" => Some(Ok(found.and_then(|found| found.head.clone()).map_or(Value::Null, Value::Position))),
                _ => None,
            }
        }
        _ => None,
    }
}

fn date_part(date: &impl Datelike, name: &str) -> Option<Result<Value, Failure>> {
    match name {
        "year" => number(date.year()),
        "month" => number(date.month()),
        "day" => number(date.day()),
        "weekday" => number(date.weekday().number_from_monday()),
        _ => None,
    }
}

fn time_part(time: &impl Timelike, name: &str) -> Option<Result<Value, Failure>> {
    match name {
        "hour" => number(time.hour()),
        "minute" => number(time.minute()),
        "second" => number((Decimal::from(time.second()) + Decimal::new(i64::from(time.nanosecond()), 9)).normalize()),
        _ => None,
    }
}

fn duration_part(duration: &Duration, name: &str) -> Option<Result<Value, Failure>> {
    match duration {
        Duration::Months(months) => match name {
            "years" => number(months / 12),
            "months" => number(months % 12),
            _ => None,
        },
        Duration::Seconds(seconds) => {
            let whole = seconds.trunc().to_i64()?;
            match name {
                "days" => number(whole / 86_400),
                "hours" => number(whole / 3_600 % 24),
                "minutes" => number(whole / 60 % 60),
                "seconds" => number((Decimal::from(whole % 60) + seconds.fract()).normalize()),
                _ => None,
            }
        }
        Duration::WorkingDays(days) => (name == "days").then(|| number(*days)).flatten(),
        Duration::WorkingMinutes(minutes) => match name {
            "hours" => number(minutes / 60),
            "minutes" => number(minutes % 60),
            _ => None,
        },
    }
}

fn person_part(id: &PersonId, name: &str, directory: &Directory) -> Option<Result<Value, Failure>> {
    let found = directory.people.get(id);
    Some(match name {
        "id" => Ok(Value::text(id.as_str())),
        "name" => Ok(Value::text(directory.name_of(id))),
        "mail" => Ok(found.and_then(|person| person.mail.as_deref()).map_or(Value::Null, Value::text)),
        "department" => Ok(directory.department_of(id).cloned().map_or(Value::Null, Value::Department)),
        "position" => {
            Ok(found.and_then(|person| person.positions.first().cloned()).map_or(Value::Null, Value::Position))
        }
        "positions" => Ok(Value::List(
            found.map(|person| person.positions.iter().cloned().map(Value::Position).collect()).unwrap_or_default(),
        )),
        _ => return None,
    })
}
