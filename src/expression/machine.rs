//! What every evaluation has: a budget of steps, the locals, and values on their way.
//!
//! Data is borrowed where it stands, so that a guard over scalar fields allocates nothing. Invariant: whoever copies
//! values or walks lists pays for it first, so that evaluating ends.

use super::Context;
use super::fault::Failure;
use crate::model::id::FieldName;
use crate::model::value::Value;
use std::ops::Deref;
use std::rc::Rc;

/// How many steps one evaluation may take.
pub(super) const STEPS: u32 = 1_000_000;
/// How many items a list may have.
pub(super) const LIST_LIMIT: usize = 10_000;
/// How many bytes a text may have.
pub(super) const TEXT_LIMIT: usize = 1_048_576;

pub(super) static NULL: Value = Value::Null;
static TRUE: Value = Value::Boolean(true);
static FALSE: Value = Value::Boolean(false);

/// A value on its way: borrowed from the formula or the data, shared by locals, or just made.
#[derive(Clone, Debug)]
pub(super) enum Val<'a> {
    Ref(&'a Value),
    Shared(Rc<Value>),
    Own(Value),
}

impl Deref for Val<'_> {
    type Target = Value;
    fn deref(&self) -> &Value {
        match self {
            Val::Ref(value) => value,
            Val::Shared(value) => value,
            Val::Own(value) => value,
        }
    }
}

impl<'a> Val<'a> {
    /// Held so that it can be read again and again: what holds nothing is as cheap to copy as to share.
    fn shared(self) -> Val<'a> {
        match self {
            Val::Own(value @ (Value::List(_) | Value::Record(_) | Value::Range(_))) => Val::Shared(Rc::new(value)),
            other => other,
        }
    }

    pub(super) fn truth(flag: bool) -> Val<'a> {
        Val::Ref(if flag { &TRUE } else { &FALSE })
    }
}

/// One evaluation.
pub(super) struct Machine<'a> {
    pub(super) context: &'a Context<'a>,
    locals: Vec<Val<'a>>,
    left: u32,
}

impl<'a> Machine<'a> {
    /// With the whole budget and no locals.
    pub(super) fn new(context: &'a Context<'a>) -> Machine<'a> {
        Machine { context, locals: Vec::new(), left: STEPS }
    }

    /// Pays for work in steps.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Failure> {
        match u32::try_from(steps).ok().and_then(|steps| self.left.checked_sub(steps)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Failure::new("计算量太大，已停止", "this takes too many steps to evaluate and was stopped"))
            }
        }
    }

    /// The value itself; pays for copying what is in it.
    pub(super) fn own(&mut self, val: Val<'a>) -> Result<Value, Failure> {
        match val {
            Val::Own(value) => Ok(value),
            Val::Ref(value) => self.copy(value),
            Val::Shared(value) => match Rc::try_unwrap(value) {
                Ok(value) => Ok(value),
                Err(shared) => self.copy(&shared),
            },
        }
    }

    /// A copy, paid for.
    pub(super) fn copy(&mut self, value: &Value) -> Result<Value, Failure> {
        self.spend(weight(value))?;
        Ok(value.clone())
    }

    /// A list, unless it is too long.
    pub(super) fn list(&mut self, items: Vec<Value>) -> Result<Value, Failure> {
        if items.len() > LIST_LIMIT {
            return Err(too_long_list());
        }
        Ok(Value::List(items))
    }

    pub(super) fn local(&self, slot: u16) -> Val<'a> {
        match self.locals.get(usize::from(slot)) {
            Some(Val::Ref(value)) => Val::Ref(value),
            Some(Val::Shared(value)) => Val::Shared(Rc::clone(value)),
            Some(Val::Own(value)) => Val::Own(value.clone()),
            None => Val::Ref(&NULL),
        }
    }

    /// Evaluates with more locals.
    pub(super) fn with<T>(
        &mut self,
        values: impl IntoIterator<Item = Val<'a>>,
        f: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let before = self.locals.len();
        self.locals.extend(values.into_iter().map(Val::shared));
        let result = f(self);
        self.locals.truncate(before);
        result
    }

    /// The items of a list; a single value is its own only item.
    pub(super) fn items(&mut self, list: Val<'a>) -> Result<Vec<Val<'a>>, Failure> {
        let own = match list {
            Val::Ref(Value::List(items)) => {
                self.spend(items.len())?;
                return Ok(items.iter().map(Val::Ref).collect());
            }
            other if matches!(&*other, Value::List(_)) => self.own(other)?,
            single => return Ok(vec![single]),
        };
        let Value::List(items) = own else { return Ok(Vec::new()) };
        self.spend(items.len())?;
        Ok(items.into_iter().map(|item| Val::Own(item).shared()).collect())
    }

    /// The column of a row, as cheaply as the row is held.
    pub(super) fn column(&mut self, row: Val<'a>, name: &FieldName) -> Result<Result<Val<'a>, Val<'a>>, Failure> {
        Ok(match row {
            Val::Ref(Value::Record(record)) => record.get(name).map(Val::Ref).ok_or(row),
            Val::Own(Value::Record(mut record)) => match record.swap_remove(name) {
                Some(value) => Ok(Val::Own(value)),
                None => Err(Val::Own(Value::Record(record))),
            },
            Val::Shared(shared) => match &*shared {
                Value::Record(record) => match record.get(name) {
                    Some(value) => Ok(Val::Own(self.copy(value)?)),
                    None => Err(Val::Shared(shared)),
                },
                _ => Err(Val::Shared(shared)),
            },
            other => Err(other),
        })
    }

    /// Whether the budget is gone: then no other way around a failure is looked for.
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// One more local, until [`Machine::with`] ends.
    pub(super) fn bind(&mut self, local: Val<'a>) {
        self.locals.push(local.shared());
    }
}

/// How many values are in one, itself included.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Record(record) => 1 + record.values().map(weight).sum::<usize>(),
        Value::Text(text) => 1 + text.len() / 64,
        _ => 1,
    }
}

pub(super) fn too_long_list() -> Failure {
    Failure::new(
        format!("列表太长，最多 {LIST_LIMIT} 项"),
        format!("the list is too long, {LIST_LIMIT} items are the most"),
    )
}
