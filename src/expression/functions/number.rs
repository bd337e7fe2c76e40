//! Functions of numbers.

use super::{Accepts, Failure, Function, Value, boolean, number, one, optional, same, unexpected, whole};
use rust_decimal::{Decimal, MathematicalOps, RoundingStrategy};

/// The most decimal places, be it behind the point or before it.
pub(in crate::expression) const MOST_PLACES: i64 = 6_111;

/// The functions that round to a number of places.
pub(in crate::expression) fn rounds(name: &str) -> bool {
    name == "decimal" || name == "floor" || name == "ceiling" || name.starts_with("round ")
}

/// The scales that DMN allows; a decimal holds 28 places, and rounding to more changes nothing.
const SCALES: std::ops::RangeInclusive<i64> = -MOST_PLACES..=6_176;

/// Rounds to a number of places, which may be negative: `-2` rounds to hundreds.
fn round(n: Decimal, places: i64, strategy: RoundingStrategy) -> Result<Decimal, Failure> {
    if !SCALES.contains(&places) {
        return Err(Failure::new(
            format!("小数位数 {places} 超出范围"),
            format!("{places} is no number of decimal places"),
        ));
    }
    if let Ok(places) = u32::try_from(places) {
        return Ok(if places >= n.scale() { n } else { n.round_dp_with_strategy(places, strategy) });
    }
    let unit = u32::try_from(-places)
        .ok()
        .filter(|places| *places <= 28)
        .and_then(|places| Decimal::TEN.checked_powi(i64::from(places)));
    let Some(unit) = unit else { return Ok(Decimal::ZERO) };
    let rounded = n.checked_div(unit).ok_or_else(Failure::too_large)?.round_dp_with_strategy(0, strategy);
    rounded.checked_mul(unit).ok_or_else(Failure::too_large)
}

fn rounding(arguments: &[&Value], strategy: RoundingStrategy) -> Result<Value, Failure> {
    let Some(Value::Number(n)) = arguments.first().copied() else { return Err(unexpected("round")) };
    let places = match arguments.get(1) {
        Some(Value::Null) if arguments.len() > 1 => {
            return Err(Failure::unset("小数位数没有值", "the number of decimal places is not set"));
        }
        Some(places) => whole(places, "小数位数", "the number of decimal places")?,
        None => 0,
    };
    round(*n, places, strategy).map(Value::Number)
}

macro_rules! rounding {
    ($name:literal, $need:ident, $strategy:ident) => {
        Function {
            name: $name,
            forms: &[&[one("n", Accepts::Number), $need("scale", Accepts::Number)]],
            spreads: false,
            of: same,
            run: |_, arguments| rounding(arguments, RoundingStrategy::$strategy),
        }
    };
}

macro_rules! of_number {
    ($name:literal, $parameter:literal, $of:ident, $run:expr) => {
        Function {
            name: $name,
            forms: &[&[one($parameter, Accepts::Number)]],
            spreads: false,
            of: $of,
            run: |_, arguments| match arguments {
                [Value::Number(n)] => {
                    let run: fn(Decimal) -> Result<Value, Failure> = $run;
                    run(*n)
                }
                _ => Err(unexpected($name)),
            },
        }
    };
}

pub(super) static FUNCTIONS: &[Function] = &[
    rounding!("decimal", one, MidpointNearestEven),
    rounding!("floor", optional, ToNegativeInfinity),
    rounding!("ceiling", optional, ToPositiveInfinity),
    rounding!("round up", one, AwayFromZero),
    rounding!("round down", one, ToZero),
    rounding!("round half up", one, MidpointAwayFromZero),
    rounding!("round half down", one, MidpointTowardZero),
    rounding!("round half even", one, MidpointNearestEven),
    of_number!("abs", "n", same, |n| Ok(Value::Number(n.abs()))),
    of_number!("sqrt", "number", number, |n| n
        .sqrt()
        .map(|root| Value::Number(root.normalize()))
        .ok_or_else(|| { Failure::new("负数没有平方根", "a negative number has no square root") })),
    of_number!("log", "number", number, |n| {
        if n <= Decimal::ZERO {
            return Err(Failure::new("只有正数才有对数", "only a positive number has a logarithm"));
        }
        n.checked_ln().map(Value::Number).ok_or_else(Failure::too_large)
    }),
    of_number!("exp", "number", number, |n| n.checked_exp().map(Value::Number).ok_or_else(Failure::too_large)),
    of_number!("odd", "number", boolean, |n| { Ok(Value::Boolean(n.is_integer() && !(n % Decimal::TWO).is_zero())) }),
    of_number!("even", "number", boolean, |n| { Ok(Value::Boolean(n.is_integer() && (n % Decimal::TWO).is_zero())) }),
    Function {
        name: "modulo",
        forms: &[&[one("dividend", Accepts::Number), one("divisor", Accepts::Number)]],
        spreads: false,
        of: same,
        run: |_, arguments| match arguments {
            [Value::Number(a), Value::Number(b)] => {
                // The remainder has the sign of the divisor.
                let rest =
                    a.checked_rem(*b).ok_or_else(|| Failure::new("不能除以零", "nothing can be divided by zero"))?;
                let turned = !rest.is_zero() && rest.is_sign_negative() != b.is_sign_negative();
                Ok(Value::Number(if turned { rest.checked_add(*b).ok_or_else(Failure::too_large)? } else { rest }))
            }
            _ => Err(unexpected("modulo")),
        },
    },
];
