//! Functions that make one value of many: sums, means, extremes, counts.
//!
//! `sum` of nothing is 0; what else has no value for nothing says so.

use super::list::{items, sorted};
use super::{Accepts, Failure, Function, Machine, Typed, Value, many, many_or_null, number, one, same};
use crate::expression::operate;
use crate::model::value::Type;
use rust_decimal::{Decimal, MathematicalOps};
use std::cmp::Ordering;

fn listed(arguments: &[Typed]) -> Typed {
    Typed::always(Type::List(Box::new(arguments.first().cloned().unwrap_or(Typed::always(Type::Any)))))
}

fn decimals(arguments: &[&Value]) -> Vec<Decimal> {
    arguments.iter().filter_map(|value| value.as_number()).collect()
}

fn of_nothing(zh: &str, en: &str) -> Failure {
    Failure::unset(format!("空列表没有{zh}"), format!("an empty list has no {en}"))
}

fn add_up(arguments: &[&Value]) -> Result<Decimal, Failure> {
    decimals(arguments).into_iter().try_fold(Decimal::ZERO, Decimal::checked_add).ok_or_else(Failure::too_large)
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

fn median(machine: &mut Machine<'_>, arguments: &[&Value]) -> Result<Value, Failure> {
    let numbers = decimals_of(sorted(machine, arguments)?);
    let half = numbers.len() / 2;
    let at = |index: usize| numbers.get(index).copied().ok_or_else(|| of_nothing("中位数", "median"));
    if numbers.len() % 2 == 1 {
        return at(half).map(Value::Number);
    }
    let (low, high) = (at(half.wrapping_sub(1))?, at(half)?);
    low.checked_add(high)
        .and_then(|sum| sum.checked_div(Decimal::TWO))
        .map(Value::Number)
        .ok_or_else(Failure::too_large)
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
        .ok_or_else(Failure::too_large)
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
        product.map(Value::Number).ok_or_else(Failure::too_large)
    }),
    spread!("min", Ordered, many, same, |machine, arguments| extreme(machine, arguments, Ordering::Less)),
    spread!("max", Ordered, many, same, |machine, arguments| extreme(machine, arguments, Ordering::Greater)),
    spread!("median", Number, many, same, median),
    spread!("stddev", Number, many, number, |_, arguments| stddev(arguments)),
    spread!("mode", Number, many, listed, mode),
    Function {
        name: "filled",
        forms: &[&[many_or_null("value", Accepts::Any)]],
        spreads: false,
        of: number,
        run: |_, arguments| {
            let set = arguments.iter().filter(|value| !value.is_null()).count();
            Decimal::from(set)
                .checked_div(Decimal::from(arguments.len()))
                .map(Value::Number)
                .ok_or_else(Failure::too_large)
        },
    },
    Function {
        name: "count",
        forms: &[&[one("list", Accepts::List)]],
        spreads: false,
        of: number,
        run: |_, arguments| Ok(Value::Number(items(arguments, 0)?.len().into())),
    },
];
