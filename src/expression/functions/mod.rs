//! The built-in functions: name, parameters, type and implementation of each in one table, a family a file.
//!
//! Those of DMN 1.5 have its exact names (`string length`, `list contains`); ours are one word with `_`, but for
//! `working days between`. Arguments arrive checked against their parameters, so an implementation meets only
//! values that it accepts.

mod aggregate;
mod list;
mod logic;
mod number;
mod people;
mod range;
mod record;
pub(super) mod temporal;
mod text;

use super::fault::Failure;
use super::machine::Machine;
use crate::model::value::{Type, Typed, Value};
pub(super) use number::{MOST_PLACES, rounds};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A built-in function.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// The lists of parameters that it takes.
    pub(super) forms: &'static [&'static [Parameter]],
    /// A single list as the argument stands for its items.
    pub(super) spreads: bool,
    /// What it yields for arguments of these types.
    pub(super) of: fn(&[Typed]) -> Typed,
    /// What it does with the arguments; those left out at the end are missing or `null`.
    pub(super) run: fn(&mut Machine<'_>, &[&Value]) -> Result<Value, Failure>,
}

/// A parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) accepts: Accepts,
    pub(super) need: Need,
}

/// Whether a parameter must be given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Exactly once, and not `null`.
    Once,
    /// Exactly once; `null` is a value like any other.
    OrNull,
    /// At most once, or `null`.
    Optional,
    /// Once or more, none of them `null`; only the last parameter.
    Many,
    /// Once or more; only the last parameter.
    ManyOrNull,
}

/// What a parameter accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepts {
    Any,
    Number,
    Text,
    Boolean,
    /// A date or a date-time.
    Day,
    Time,
    Duration,
    /// A number, text, date, time, date-time or duration.
    Ordered,
    List,
    Record,
    Range,
    Person,
    Position,
    Department,
    Function,
}

const fn one(name: &'static str, accepts: Accepts) -> Parameter {
    Parameter { name, accepts, need: Need::Once }
}
const fn or_null(name: &'static str, accepts: Accepts) -> Parameter {
    Parameter { name, accepts, need: Need::OrNull }
}
const fn optional(name: &'static str, accepts: Accepts) -> Parameter {
    Parameter { name, accepts, need: Need::Optional }
}
const fn many(name: &'static str, accepts: Accepts) -> Parameter {
    Parameter { name, accepts, need: Need::Many }
}
const fn many_or_null(name: &'static str, accepts: Accepts) -> Parameter {
    Parameter { name, accepts, need: Need::ManyOrNull }
}

impl Accepts {
    /// Whether a value of the type may be given; `Any` may turn out to fit.
    pub(super) fn takes(self, of: &Type) -> bool {
        let fits = match self {
            Accepts::Any => true,
            Accepts::Number => matches!(of, Type::Number | Type::Money),
            Accepts::Text => matches!(of, Type::Text | Type::Choice(_)),
            Accepts::Boolean => matches!(of, Type::Boolean),
            Accepts::Day => matches!(of, Type::Date | Type::DateTime),
            Accepts::Time => matches!(of, Type::Time),
            Accepts::Duration => matches!(of, Type::Duration),
            Accepts::Ordered => super::types::ordered(of),
            Accepts::List => matches!(of, Type::List(_)),
            Accepts::Record => matches!(of, Type::Record(_)),
            Accepts::Range => matches!(of, Type::Range(_)),
            Accepts::Person => matches!(of, Type::Person),
            Accepts::Position => matches!(of, Type::Position),
            Accepts::Department => matches!(of, Type::Department),
            Accepts::Function => false,
        };
        fits || matches!(of, Type::Any | Type::Null)
    }

    /// Whether this very value may be given.
    pub(super) fn takes_value(self, value: &Value) -> bool {
        match self {
            Accepts::Any => true,
            Accepts::Number => matches!(value, Value::Number(_)),
            Accepts::Text => matches!(value, Value::Text(_)),
            Accepts::Boolean => matches!(value, Value::Boolean(_)),
            Accepts::Day => matches!(value, Value::Date(_) | Value::DateTime(_)),
            Accepts::Time => matches!(value, Value::Time(_)),
            Accepts::Duration => matches!(value, Value::Duration(_)),
            Accepts::Ordered => matches!(
                value,
                Value::Number(_)
                    | Value::Text(_)
                    | Value::Date(_)
                    | Value::Time(_)
                    | Value::DateTime(_)
                    | Value::Duration(_)
            ),
            Accepts::List => matches!(value, Value::List(_)),
            Accepts::Record => matches!(value, Value::Record(_)),
            Accepts::Range => matches!(value, Value::Range(_)),
            Accepts::Person => matches!(value, Value::Person(_)),
            Accepts::Position => matches!(value, Value::Position(_)),
            Accepts::Department => matches!(value, Value::Department(_)),
            Accepts::Function => false,
        }
    }

    /// In words: `数字`, `a number`.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Accepts::Any => ("一个值", "a value"),
            Accepts::Number => ("数字", "a number"),
            Accepts::Text => ("文字", "a text"),
            Accepts::Boolean => ("布尔值", "true or false"),
            Accepts::Day => ("日期或日期时间", "a date or a date-time"),
            Accepts::Time => ("时刻", "a time of day"),
            Accepts::Duration => ("时长", "a duration"),
            Accepts::Ordered => ("数字、文字、日期、时间或时长", "a number, text, date, time or duration"),
            Accepts::List => ("列表", "a list"),
            Accepts::Record => ("记录", "a record"),
            Accepts::Range => ("区间", "a range"),
            Accepts::Person => ("人员", "a person"),
            Accepts::Position => ("岗位", "a position"),
            Accepts::Department => ("部门", "a department"),
            Accepts::Function => ("函数", "a function"),
        }
    }
}

static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let families = [
        text::FUNCTIONS,
        list::FUNCTIONS,
        aggregate::FUNCTIONS,
        record::FUNCTIONS,
        logic::FUNCTIONS,
        number::FUNCTIONS,
        temporal::FUNCTIONS,
        range::FUNCTIONS,
        people::FUNCTIONS,
    ];
    families.into_iter().flatten().map(|function| (function.name, function)).collect()
});

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    BY_NAME.get(name).copied()
}

/// All names, in order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied()
}

impl Function {
    /// The place of each argument among the parameters, and how many places the form has; `None` where no form
    /// takes arguments of these names. Arguments without names come as `None`.
    pub(super) fn places(&self, names: &[Option<&str>]) -> Option<(&'static [Parameter], Vec<usize>)> {
        self.forms.iter().find_map(|form| {
            let endless = form.last().is_some_and(|last| matches!(last.need, Need::Many | Need::ManyOrNull));
            let mut places = Vec::with_capacity(names.len());
            for (at, name) in names.iter().enumerate() {
                let place = match name {
                    Some(name) => form.iter().position(|parameter| parameter.name == *name)?,
                    None if at < form.len() || endless => at,
                    None => return None,
                };
                if places.contains(&place) {
                    return None;
                }
                places.push(place);
            }
            let given =
                form.iter().enumerate().all(|(at, parameter)| parameter.need == Need::Optional || places.contains(&at));
            given.then_some((*form, places))
        })
    }

    /// How it is written: `substring(string, start position, length?)`.
    pub(super) fn usage(&self) -> String {
        let forms = self.forms.iter().map(|form| {
            let parameters = form.iter().map(|parameter| match parameter.need {
                Need::Optional => format!("{}?", parameter.name),
                Need::Many | Need::ManyOrNull => format!("{}, …", parameter.name),
                Need::Once | Need::OrNull => parameter.name.to_owned(),
            });
            format!("{}({})", self.name, parameters.collect::<Vec<_>>().join(", "))
        });
        forms.collect::<Vec<_>>().join(" · ")
    }
}

/// The parameter that the argument at a place is for.
pub(super) fn parameter(form: &'static [Parameter], place: usize) -> Option<&'static Parameter> {
    form.get(place).or(form.last())
}

fn boolean(_: &[Typed]) -> Typed {
    Typed::always(Type::Boolean)
}
fn number(_: &[Typed]) -> Typed {
    Typed::always(Type::Number)
}
fn text(_: &[Typed]) -> Typed {
    Typed::always(Type::Text)
}
fn duration(_: &[Typed]) -> Typed {
    Typed::always(Type::Duration)
}
fn any(_: &[Typed]) -> Typed {
    Typed::always(Type::Any)
}
/// The type of the first argument; of any type where one of them is, as what is wrong with it is told there.
fn same(arguments: &[Typed]) -> Typed {
    let known = arguments.first().filter(|_| arguments.iter().all(|argument| argument.of != Type::Any));
    Typed::always(known.map_or(Type::Any, |first| first.of.clone()))
}
/// The type of the first argument that has one; nothing of nothing.
fn list_of_texts(_: &[Typed]) -> Typed {
    Typed::always(Type::List(Box::new(Typed::always(Type::Text))))
}

/// The argument at a place, if it is given and set.
fn given<'v>(arguments: &[&'v Value], at: usize) -> Option<&'v Value> {
    arguments.get(at).copied().filter(|value| !value.is_null())
}

/// A whole number, for positions and counts.
fn whole(value: &Value, zh: &str, en: &str) -> Result<i64, Failure> {
    use rust_decimal::prelude::ToPrimitive;
    value
        .as_number()
        .filter(|number| number.is_integer())
        .and_then(|number| number.to_i64())
        .ok_or_else(|| Failure::new(format!("{zh}应该是整数"), format!("{en} has to be a whole number")))
}

/// An argument that the checks of the parameters rule out.
fn unexpected(function: &str) -> Failure {
    Failure::new(format!("`{function}` 的参数不对"), format!("`{function}` does not take these arguments"))
}
