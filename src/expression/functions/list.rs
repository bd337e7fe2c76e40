//! Functions that look into lists and make lists of lists. What makes one value of many is in `aggregate`.

use super::{
    Accepts, Failure, Function, Machine, Typed, Value, any, boolean, given, many, many_or_null, one, optional, or_null,
    same, unexpected, whole,
};
use crate::expression::machine::weight;
use crate::expression::{operate, types};
use crate::model::value::Type;
use std::cmp::Ordering;

pub(super) fn items<'v>(arguments: &[&'v Value], at: usize) -> Result<&'v [Value], Failure> {
    arguments.get(at).and_then(|value| value.as_list()).ok_or_else(|| unexpected("list"))
}

/// The list of the first argument's items joined with the items of other arguments.
fn with_items(arguments: &[Typed]) -> Typed {
    let Some((Typed { of: Type::List(first), .. }, rest)) = arguments.split_first() else { return any(arguments) };
    let mut joined = (**first).clone();
    for typed in rest {
        joined = Typed {
            of: types::join(&joined.of, &typed.of).unwrap_or(Type::Any),
            optional: joined.optional || typed.optional,
        };
    }
    Typed::always(Type::List(Box::new(joined)))
}

/// The list that several lists make together.
fn together(arguments: &[Typed]) -> Typed {
    let mut lists = arguments.iter().map(|typed| typed.of.clone());
    let Some(first) = lists.next() else { return any(arguments) };
    Typed::always(lists.fold(first, |joined, of| {
        types::join(&joined, &of).unwrap_or(Type::List(Box::new(Typed::optional(Type::Any))))
    }))
}

fn flat(arguments: &[Typed]) -> Typed {
    let mut of = arguments.first().map_or(Type::Any, |first| first.of.clone());
    while let Type::List(inner) = &of {
        if !matches!(inner.of, Type::List(_)) {
            break;
        }
        of = inner.of.clone();
    }
    Typed::always(of)
}

fn numbers(_: &[Typed]) -> Typed {
    Typed::always(Type::List(Box::new(Typed::always(Type::Number))))
}

/// The index of a place counted from 1, or from the end if negative.
fn index(place: i64, count: usize) -> Result<usize, Failure> {
    let index = match place {
        1.. => usize::try_from(place - 1).ok(),
        0 => None,
        _ => usize::try_from(place.unsigned_abs()).ok().and_then(|back| count.checked_sub(back)),
    };
    index.filter(|index| *index < count).ok_or_else(|| {
        Failure::new(
            format!("列表没有第 {place} 个位置：它有 {count} 项"),
            format!("the list has no place {place}: it has {count} items"),
        )
    })
}

fn distinct<'v>(machine: &mut Machine<'_>, values: impl IntoIterator<Item = &'v Value>) -> Result<Value, Failure> {
    let mut found: Vec<Value> = Vec::new();
    for value in values {
        machine.spend((found.len() + 1) * weight(value))?;
        if !found.iter().any(|own| operate::same(own, value, machine.context)) {
            found.push(value.clone());
        }
    }
    machine.list(found)
}

fn flatten(machine: &mut Machine<'_>, list: &[Value], into: &mut Vec<Value>) -> Result<(), Failure> {
    for item in list {
        match item {
            Value::List(inner) => flatten(machine, inner, into)?,
            item => into.push(machine.copy(item)?),
        }
    }
    machine.spend(1)
}

pub(super) fn sorted(machine: &mut Machine<'_>, arguments: &[&Value]) -> Result<Vec<Value>, Failure> {
    let mut values = Vec::with_capacity(arguments.len());
    for value in arguments {
        values.push(machine.copy(value)?);
    }
    let mut unlike = None;
    values.sort_by(|a, b| {
        operate::compare(a, b, machine.context).unwrap_or_else(|failure| {
            unlike.get_or_insert(failure);
            Ordering::Equal
        })
    });
    unlike.map_or(Ok(values), Err)
}

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "list contains",
        forms: &[&[one("list", Accepts::List), or_null("element", Accepts::Any)]],
        spreads: false,
        of: boolean,
        run: |machine, arguments| {
            let list = items(arguments, 0)?;
            let element = arguments.get(1).copied().unwrap_or(&Value::Null);
            machine.spend(list.len() * weight(element))?;
            Ok(Value::Boolean(list.iter().any(|item| operate::same(item, element, machine.context))))
        },
    },
    Function {
        name: "index of",
        forms: &[&[one("list", Accepts::List), or_null("match", Accepts::Any)]],
        spreads: false,
        of: numbers,
        run: |machine, arguments| {
            let list = items(arguments, 0)?;
            let element = arguments.get(1).copied().unwrap_or(&Value::Null);
            machine.spend(list.len() * weight(element))?;
            let found = list.iter().enumerate().filter(|(_, item)| operate::same(item, element, machine.context));
            Ok(Value::List(found.map(|(at, _)| Value::Number((at + 1).into())).collect()))
        },
    },
    Function {
        name: "sublist",
        forms: &[&[
            one("list", Accepts::List),
            one("start position", Accepts::Number),
            optional("length", Accepts::Number),
        ]],
        spreads: false,
        of: same,
        run: |machine, arguments| {
            let list = items(arguments, 0)?;
            let start = arguments.get(1).map_or(Ok(1), |place| whole(place, "开始位置", "the start position"))?;
            let start = index(start, list.len())?;
            let length = match given(arguments, 2) {
                Some(length) => {
                    let length = whole(length, "长度", "the length")?;
                    usize::try_from(length).ok().filter(|length| *length > 0).ok_or_else(|| {
                        Failure::new("长度应该是正整数", "the length has to be a positive whole number")
                    })?
                }
                None => list.len() - start,
            };
            let end = start
                .checked_add(length)
                .filter(|end| *end <= list.len())
                .ok_or_else(|| Failure::new("列表没有这么多项", "the list has not so many items"))?;
            machine.copy(&Value::List(list.get(start..end).unwrap_or(&[]).to_vec()))
        },
    },
    Function {
        name: "append",
        forms: &[&[one("list", Accepts::List), many_or_null("item", Accepts::Any)]],
        spreads: false,
        of: with_items,
        run: |machine, arguments| {
            machine.spend(weight(arguments.first().copied().unwrap_or(&Value::Null)))?;
            let mut list = items(arguments, 0)?.to_vec();
            for item in arguments.iter().skip(1) {
                list.push(machine.copy(item)?);
            }
            machine.list(list)
        },
    },
    Function {
        name: "concatenate",
        forms: &[&[many("list", Accepts::List)]],
        spreads: false,
        of: together,
        run: |machine, arguments| {
            let mut joined = Vec::new();
            for (at, list) in arguments.iter().enumerate() {
                machine.spend(weight(list))?;
                joined.extend_from_slice(items(arguments, at)?);
            }
            machine.list(joined)
        },
    },
    Function {
        name: "union",
        forms: &[&[many("list", Accepts::List)]],
        spreads: false,
        of: together,
        run: |machine, arguments| {
            let lists = arguments.iter().filter_map(|value| value.as_list()).flatten();
            distinct(machine, lists)
        },
    },
    Function {
        name: "distinct values",
        forms: &[&[one("list", Accepts::List)]],
        spreads: false,
        of: same,
        run: |machine, arguments| distinct(machine, items(arguments, 0)?),
    },
    Function {
        name: "flatten",
        forms: &[&[one("list", Accepts::List)]],
        spreads: false,
        of: flat,
        run: |machine, arguments| {
            let mut into = Vec::new();
            flatten(machine, items(arguments, 0)?, &mut into)?;
            machine.list(into)
        },
    },
    Function {
        name: "reverse",
        forms: &[&[one("list", Accepts::List)]],
        spreads: false,
        of: same,
        run: |machine, arguments| {
            machine.spend(weight(arguments.first().copied().unwrap_or(&Value::Null)))?;
            Ok(Value::List(items(arguments, 0)?.iter().rev().cloned().collect()))
        },
    },
    Function {
        name: "insert before",
        forms: &[&[one("list", Accepts::List), one("position", Accepts::Number), or_null("newItem", Accepts::Any)]],
        spreads: false,
        of: any,
        run: |machine, arguments| {
            machine.spend(weight(arguments.first().copied().unwrap_or(&Value::Null)))?;
            let mut list = items(arguments, 0)?.to_vec();
            let place = arguments.get(1).map_or(Ok(1), |place| whole(place, "位置", "the position"))?;
            let at = index(place, list.len())?;
            list.insert(at, arguments.get(2).map_or(Value::Null, |item| (*item).clone()));
            machine.list(list)
        },
    },
    Function {
        name: "remove",
        forms: &[&[one("list", Accepts::List), one("position", Accepts::Number)]],
        spreads: false,
        of: same,
        run: |machine, arguments| {
            machine.spend(weight(arguments.first().copied().unwrap_or(&Value::Null)))?;
            let mut list = items(arguments, 0)?.to_vec();
            let place = arguments.get(1).map_or(Ok(1), |place| whole(place, "位置", "the position"))?;
            list.remove(index(place, list.len())?);
            Ok(Value::List(list))
        },
    },
    Function {
        name: "list replace",
        forms: &[
            &[one("list", Accepts::List), one("position", Accepts::Number), or_null("newItem", Accepts::Any)],
            &[one("list", Accepts::List), one("match", Accepts::Function), or_null("newItem", Accepts::Any)],
        ],
        spreads: false,
        of: any,
        run: |machine, arguments| {
            machine.spend(weight(arguments.first().copied().unwrap_or(&Value::Null)))?;
            let mut list = items(arguments, 0)?.to_vec();
            let place = arguments.get(1).map_or(Ok(1), |place| whole(place, "位置", "the position"))?;
            let at = index(place, list.len())?;
            if let Some(item) = list.get_mut(at) {
                *item = arguments.get(2).map_or(Value::Null, |item| (*item).clone());
            }
            Ok(Value::List(list))
        },
    },
    Function {
        name: "sort",
        forms: &[&[one("list", Accepts::List)], &[one("list", Accepts::List), one("precedes", Accepts::Function)]],
        spreads: false,
        of: same,
        run: |machine, arguments| {
            let list: Vec<&Value> = items(arguments, 0)?.iter().collect();
            machine.spend(list.len() * 8)?;
            sorted(machine, &list).map(Value::List)
        },
    },
];
