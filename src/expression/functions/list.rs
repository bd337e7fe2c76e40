//! Functions of lists and of records.

use super::super::evaluate::{Machine, weight};
use super::super::{operate, types};
use super::{
    Accepts, Failure, Function, Typed, Value, any, boolean, given, many, many_or_null, number, one, optional, or_null,
    same, unexpected, whole,
};
use crate::model::id::FieldName;
use crate::model::value::{Record, Type};
use rust_decimal::{Decimal, MathematicalOps};
use std::cmp::Ordering;

fn items<'v>(arguments: &[&'v Value], at: usize) -> Result<&'v [Value], Failure> {
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

fn listed(arguments: &[Typed]) -> Typed {
    Typed::always(Type::List(Box::new(arguments.first().cloned().unwrap_or(Typed::always(Type::Any)))))
}

fn entries(_: &[Typed]) -> Typed {
    Typed::always(Type::List(Box::new(Typed::always(Type::Any))))
}

fn decimals(arguments: &[&Value]) -> Vec<Decimal> {
    arguments.iter().filter_map(|value| value.as_number()).collect()
}

fn too_large() -> Failure {
    Failure::new("结果超出可以计算的范围", "the result is beyond what can be calculated")
}

fn of_nothing(zh: &str, en: &str) -> Failure {
    Failure::unset(format!("空列表没有{zh}"), format!("an empty list has no {en}"))
}

fn add_up(arguments: &[&Value]) -> Result<Decimal, Failure> {
    decimals(arguments).into_iter().try_fold(Decimal::ZERO, Decimal::checked_add).ok_or_else(too_large)
}

fn mean(arguments: &[&Value]) -> Result<Decimal, Failure> {
    add_up(arguments)?.checked_div(Decimal::from(arguments.len())).ok_or_else(|| of_nothing("平均值", "mean"))
}

/// The first of the values that no other goes before.
fn extreme(machine: &mut Machine<'_>, arguments: &[&Value], before: Ordering) -> Result<Value, Failure> {
    let Some((first, rest)) = arguments.split_first() else {
        return Err(of_nothing("最大值或最小值", "minimum or maximum"));
    };
    let mut best = *first;
    for value in rest {
        if operate::compare(value, best, machine.context)? == before {
            best = value;
        }
    }
    machine.copy(best)
}

/// All or any: a value that is not true or false counts only where no other decides.
fn decide(arguments: &[&Value], decisive: bool) -> Result<Value, Failure> {
    if arguments.iter().any(|value| matches!(value, Value::Boolean(flag) if *flag == decisive)) {
        return Ok(Value::Boolean(decisive));
    }
    match arguments.iter().find(|value| !matches!(value, Value::Boolean(_))) {
        Some(other) => Err(operate::no_condition(other)),
        None => Ok(Value::Boolean(!decisive)),
    }
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

fn sorted(machine: &mut Machine<'_>, arguments: &[&Value]) -> Result<Vec<Value>, Failure> {
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

fn median(machine: &mut Machine<'_>, arguments: &[&Value]) -> Result<Value, Failure> {
    let numbers = decimals_of(sorted(machine, arguments)?);
    let half = numbers.len() / 2;
    let at = |index: usize| numbers.get(index).copied().ok_or_else(|| of_nothing("中位数", "median"));
    if numbers.len() % 2 == 1 {
        return at(half).map(Value::Number);
    }
    let (low, high) = (at(half.wrapping_sub(1))?, at(half)?);
    low.checked_add(high).and_then(|sum| sum.checked_div(Decimal::TWO)).map(Value::Number).ok_or_else(too_large)
}

fn decimals_of(values: Vec<Value>) -> Vec<Decimal> {
    values.iter().filter_map(Value::as_number).collect()
}

fn stddev(arguments: &[&Value]) -> Result<Value, Failure> {
    let numbers = decimals(arguments);
    if numbers.len() < 2 {
        return Err(Failure::new("标准差至少需要两个数字", "a standard deviation needs two numbers or more"));
    }
    let mean = mean(arguments)?;
    let squares = numbers.iter().try_fold(Decimal::ZERO, |sum, n| {
        let apart = n.checked_sub(mean)?;
        sum.checked_add(apart.checked_mul(apart)?)
    });
    squares
        .and_then(|sum| sum.checked_div(Decimal::from(numbers.len() - 1)))
        .and_then(|variance| variance.sqrt())
        .map(|root| Value::Number(root.normalize()))
        .ok_or_else(too_large)
}

fn mode(machine: &mut Machine<'_>, arguments: &[&Value]) -> Result<Value, Failure> {
    let numbers = decimals_of(sorted(machine, arguments)?);
    let mut runs: Vec<(Decimal, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((last, times)) if *last == number => *times += 1,
            _ => runs.push((number, 1)),
        }
    }
    let most = runs.iter().map(|(_, times)| *times).max().unwrap_or(0);
    let modes = runs.into_iter().filter(|(_, times)| *times == most).map(|(number, _)| Value::Number(number));
    machine.list(modes.collect())
}

fn entry(record: &Record, key: &str) -> Option<Value> {
    record.get(key).cloned()
}

fn put(record: &Record, keys: &[&str], value: &Value) -> Result<Record, Failure> {
    let Some((key, rest)) = keys.split_first() else {
        return Err(Failure::new("没有给出键", "no key is given"));
    };
    let mut changed = record.clone();
    let new = if rest.is_empty() {
        value.clone()
    } else {
        match record.get(*key) {
            Some(Value::Record(inner)) => Value::Record(put(inner, rest, value)?),
            None => Value::Record(put(&Record::new(), rest, value)?),
            _ => return Err(Failure::new(format!("`{key}` 不是记录"), format!("`{key}` is no record"))),
        }
    };
    changed.insert(FieldName::from(*key), new);
    Ok(changed)
}

fn context_of(list: &[Value]) -> Result<Value, Failure> {
    let bad = || {
        Failure::new(
            "每一项应该是 `{key: …, value: …}`，并且键不重复",
            "each item has to be `{key: …, value: …}`, and no key may come twice",
        )
    };
    let mut record = Record::new();
    for item in list {
        let Value::Record(item) = item else { return Err(bad()) };
        let (Some(Value::Text(key)), Some(value)) = (item.get("key"), item.get("value")) else { return Err(bad()) };
        if record.insert(FieldName::from(key.as_ref()), value.clone()).is_some() {
            return Err(bad());
        }
    }
    Ok(Value::Record(record))
}

macro_rules! spread {
    ($name:literal, $accepts:ident, $need:ident, $of:ident, $run:expr) => {
        Function { name: $name, forms: &[&[$need("list", Accepts::$accepts)]], spreads: true, of: $of, run: $run }
    };
}

pub(super) static FUNCTIONS: &[Function] = &[
    spread!("sum", Number, many, same, |_, arguments| add_up(arguments).map(Value::Number)),
    spread!("mean", Number, many, same, |_, arguments| mean(arguments).map(Value::Number)),
    spread!("product", Number, many, number, |_, arguments| {
        if arguments.is_empty() {
            return Err(of_nothing("乘积", "product"));
        }
        let product = decimals(arguments).into_iter().try_fold(Decimal::ONE, Decimal::checked_mul);
        product.map(Value::Number).ok_or_else(too_large)
    }),
    spread!("min", Ordered, many, same, |machine, arguments| extreme(machine, arguments, Ordering::Less)),
    spread!("max", Ordered, many, same, |machine, arguments| extreme(machine, arguments, Ordering::Greater)),
    spread!("median", Number, many, same, median),
    spread!("stddev", Number, many, number, |_, arguments| stddev(arguments)),
    spread!("mode", Number, many, listed, mode),
    spread!("all", Any, many_or_null, boolean, |_, arguments| decide(arguments, false)),
    spread!("any", Any, many_or_null, boolean, |_, arguments| decide(arguments, true)),
    Function {
        name: "filled",
        forms: &[&[many_or_null("value", Accepts::Any)]],
        spreads: false,
        of: number,
        run: |_, arguments| {
            let set = arguments.iter().filter(|value| !value.is_null()).count();
            Decimal::from(set).checked_div(Decimal::from(arguments.len())).map(Value::Number).ok_or_else(too_large)
        },
    },
    Function {
        name: "count",
        forms: &[&[one("list", Accepts::List)]],
        spreads: false,
        of: number,
        run: |_, arguments| Ok(Value::Number(items(arguments, 0)?.len().into())),
    },
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
    Function {
        name: "is",
        forms: &[&[optional("value1", Accepts::Any), optional("value2", Accepts::Any)]],
        spreads: false,
        of: boolean,
        run: |_, arguments| {
            let value = |at: usize| arguments.get(at).copied().unwrap_or(&Value::Null);
            Ok(Value::Boolean(value(0) == value(1)))
        },
    },
    Function {
        name: "not",
        forms: &[&[one("negand", Accepts::Boolean)]],
        spreads: false,
        of: boolean,
        run: |_, arguments| match arguments {
            [Value::Boolean(flag)] => Ok(Value::Boolean(!flag)),
            _ => Err(unexpected("not")),
        },
    },
    Function {
        name: "get value",
        forms: &[&[one("m", Accepts::Record), one("key", Accepts::Text)]],
        spreads: false,
        of: any,
        run: |_, arguments| match arguments {
            [Value::Record(record), Value::Text(key)] => entry(record, key)
                .ok_or_else(|| Failure::unset(format!("没有 `{key}`"), format!("there is no `{key}`"))),
            _ => Err(unexpected("get value")),
        },
    },
    Function {
        name: "get entries",
        forms: &[&[one("m", Accepts::Record)]],
        spreads: false,
        of: entries,
        run: |machine, arguments| match arguments {
            [Value::Record(record)] => {
                let mut list = Vec::with_capacity(record.len());
                for (name, value) in record {
                    let value = machine.copy(value)?;
                    let pair = [("key".into(), Value::text(name.as_str())), ("value".into(), value)];
                    list.push(Value::Record(Record::from_iter(pair)));
                }
                machine.list(list)
            }
            _ => Err(unexpected("get entries")),
        },
    },
    Function {
        name: "context",
        forms: &[&[one("entries", Accepts::List)]],
        spreads: false,
        of: any,
        run: |machine, arguments| {
            machine.spend(weight(arguments.first().copied().unwrap_or(&Value::Null)))?;
            context_of(items(arguments, 0)?)
        },
    },
    Function {
        name: "context put",
        forms: &[
            &[one("context", Accepts::Record), one("key", Accepts::Any), or_null("value", Accepts::Any)],
            &[one("context", Accepts::Record), one("keys", Accepts::List), or_null("value", Accepts::Any)],
        ],
        spreads: false,
        of: any,
        run: |machine, arguments| match arguments {
            [Value::Record(record), key, value] => {
                machine.spend(2 * weight(arguments.first().copied().unwrap_or(&Value::Null)) + weight(value))?;
                let keys = match key {
                    Value::Text(key) => vec![key.as_ref()],
                    Value::List(keys) => keys.iter().map(Value::as_text).collect::<Option<_>>().unwrap_or_default(),
                    _ => Vec::new(),
                };
                put(record, &keys, value).map(Value::Record)
            }
            _ => Err(unexpected("context put")),
        },
    },
    Function {
        name: "context merge",
        forms: &[&[one("contexts", Accepts::List)]],
        spreads: false,
        of: any,
        run: |machine, arguments| {
            machine.spend(weight(arguments.first().copied().unwrap_or(&Value::Null)))?;
            let mut merged = Record::new();
            for item in items(arguments, 0)? {
                let Value::Record(record) = item else { return Err(unexpected("context merge")) };
                merged.extend(record.clone());
            }
            Ok(Value::Record(merged))
        },
    },
];
