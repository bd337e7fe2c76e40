//! Functions of truth: `all`, `any`, `not`, and `is`, which never fails.

use super::{Accepts, Failure, Function, Value, boolean, many_or_null, one, optional, unexpected};
use crate::expression::operate;

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

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "all",
        forms: &[&[many_or_null("list", Accepts::Any)]],
        spreads: true,
        of: boolean,
        run: |_, arguments| decide(arguments, false),
    },
    Function {
        name: "any",
        forms: &[&[many_or_null("list", Accepts::Any)]],
        spreads: true,
        of: boolean,
        run: |_, arguments| decide(arguments, true),
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
];
