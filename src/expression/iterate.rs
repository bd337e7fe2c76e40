//! What walks lists: filters, loops, `some` and `every`.
//!
//! Each item is a local of what is evaluated for it, and each costs a step.

use super::fault::Failure;
use super::machine::{Machine, NULL, Val};
use super::operate;
use crate::model::formula::{Expr, Source};
use crate::model::value::Value;
use rust_decimal::prelude::ToPrimitive;

impl<'a> Machine<'a> {
    pub(super) fn filter(&mut self, list: Val<'a>, condition: &'a Expr, lenient: bool) -> Result<Val<'a>, Failure> {
        if list.is_null() {
            return Err(Failure::unset("列表没有值", "the list is not set"));
        }
        let items = self.items(list)?;
        let count = items.len();
        if items.is_empty() {
            // Only a condition has an answer for a list without items.
            return match self.with([Val::Ref(&NULL)], |machine| machine.eval(condition)) {
                Ok(value) if matches!(&*value, Value::Number(_)) => Ok(Val::Ref(&NULL)),
                Err(failure) if self.is_spent() => Err(failure),
                _ => Ok(Val::Own(Value::List(Vec::new()))),
            };
        }
        let mut kept = Vec::new();
        for at in 0..count {
            let Some(item) = items.get(at) else { break };
            let verdict = self.with([item.clone()], |machine| machine.eval(condition));
            match verdict {
                Ok(value) => match &*value {
                    Value::Boolean(true) => kept.push(self.own(item.clone())?),
                    Value::Boolean(false) => {}
                    Value::Number(place) => {
                        let place = place.is_integer().then(|| place.to_i64()).flatten();
                        let index = place.and_then(|place| match place {
                            1.. => usize::try_from(place - 1).ok(),
                            ..0 => usize::try_from(place.unsigned_abs()).ok().and_then(|back| count.checked_sub(back)),
                            0 => None,
                        });
                        return Ok(index.and_then(|index| items.get(index).cloned()).unwrap_or(Val::Ref(&NULL)));
                    }
                    Value::Null if lenient => {}
                    other => return Err(operate::no_condition(other)),
                },
                Err(failure) if failure.unset && lenient && !self.is_spent() => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(Val::Own(Value::List(kept)))
    }

    /// Runs the body once for each combination of items; the body says whether to go on.
    pub(super) fn each(
        &mut self,
        over: &'a [Source<Expr>],
        body: &mut dyn FnMut(&mut Self) -> Result<bool, Failure>,
    ) -> Result<bool, Failure> {
        let Some((first, rest)) = over.split_first() else { return body(self) };
        let from = self.eval(&first.from)?;
        let whole =
            |value: &Value| {
                value.as_number().filter(|number| number.is_integer()).and_then(|number| number.to_i64()).ok_or_else(
                    || Failure::new("循环的两端应该是整数", "the ends to go through have to be whole numbers"),
                )
            };
        let ends = match (&first.to, &*from) {
            (Some(to), low) => {
                let to = self.eval(to)?;
                Some((whole(low)?, whole(&to)?))
            }
            (None, Value::Range(range)) => {
                let (low, high) = (whole(&range.low)?, whole(&range.high)?);
                Some((low + i64::from(!range.low_closed), high - i64::from(!range.high_closed)))
            }
            _ => None,
        };
        if let Some((low, high)) = ends {
            // `5..1` counts down; an empty interval such as `(1..2)` has no items.
            let down = low > high && first.to.is_some();
            let mut at = low;
            while if down { at >= high } else { at <= high } {
                self.spend(1)?;
                if !self.with([Val::Own(Value::Number(at.into()))], |machine| machine.each(rest, body))? {
                    return Ok(false);
                }
                at += if down { -1 } else { 1 };
            }
            return Ok(true);
        }
        for item in self.items(from)? {
            self.spend(1)?;
            if !self.with([item], |machine| machine.each(rest, body))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn quantify(
        &mut self,
        over: &'a [Source<Expr>],
        condition: &'a Expr,
        decisive: bool,
    ) -> Result<Val<'a>, Failure> {
        let mut unclear = None;
        let all = self.each(over, &mut |machine| {
            let value = machine.eval(condition)?;
            match &*value {
                Value::Boolean(flag) => Ok(*flag != decisive),
                other => {
                    unclear.get_or_insert(operate::no_condition(other));
                    Ok(true)
                }
            }
        })?;
        match unclear {
            Some(failure) if all => Err(failure),
            _ => Ok(Val::truth(decisive != all)),
        }
    }
}
