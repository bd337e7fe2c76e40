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

/// The type of a part.
pub(super) fn type_of(of: &Type, name: &str) -> Option<Typed> {
    names(of).contains(&name).then_some(())?;
    Some(match (of, name) {
        (Type::Range(of), "start" | "end") => Typed::always((**of).clone()),
        (Type::Range(_), _) => Typed::always(Type::Boolean),
        (_, "time offset") => Typed::optional(Type::Duration),
        (_, "timezone" | "mail") => Typed::optional(Type::Text),
        (_, "date") => Typed::always(Type::Date),
        (_, "time") => Typed::always(Type::Time),
        (_, "name" | "title" | "id") => Typed::always(Type::Text),
        (_, "department") => Typed::always(Type::Department),
        (_, "position" | "head") => Typed::always(Type::Position),
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
                "department" => Some(
                    found.and_then(|position| position.department.clone()).map(Value::Department).ok_or_else(|| {
                        Failure::unset(
                            format!("岗位 `{id}` 不属于任何部门"),
                            format!("the position `{id}` belongs to no department"),
                        )
                    }),
                ),
                _ => None,
            }
        }
        Value::Department(id) => {
            let found = directory.departments.get(id);
            match name {
                "name" => Some(Ok(Value::text(id.as_str()))),
                "title" => Some(Ok(Value::text(found.map_or(id.as_str(), |found| found.title.get(Lang::Zh))))),
                "head" => Some(found.and_then(|found| found.head.clone()).map(Value::Position).ok_or_else(|| {
                    Failure::unset(
                        format!("部门 `{id}` 没有负责人岗位"),
                        format!("no position heads the department `{id}`"),
                    )
                })),
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
    let missing = |zh: &str, en: &str| Failure::unset(format!("人员 `{id}` {zh}"), format!("the person `{id}` {en}"));
    Some(match name {
        "id" => Ok(Value::text(id.as_str())),
        "name" => Ok(Value::text(directory.name_of(id))),
        "mail" => Ok(found.and_then(|person| person.mail.as_deref()).map_or(Value::Null, Value::text)),
        "department" => directory
            .department_of(id)
            .cloned()
            .map(Value::Department)
            .ok_or_else(|| missing("不属于任何部门", "belongs to no department")),
        "position" => found
            .and_then(|person| person.positions.first().cloned())
            .map(Value::Position)
            .ok_or_else(|| missing("没有岗位", "holds no position")),
        "positions" => Ok(Value::List(
            found.map(|person| person.positions.iter().cloned().map(Value::Position).collect()).unwrap_or_default(),
        )),
        _ => return None,
    })
}
