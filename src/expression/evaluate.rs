//! A formula → its value, or why it has none.
//!
//! Walks the tree under a budget of steps: evaluating ends, and never panics. Data is borrowed where it stands,
//! so that a guard over scalar fields allocates nothing.

use super::Context;
use super::fault::Failure;
use super::operate;
use super::property;
use crate::model::formula::{Comparison, Expr, InstanceFact, Kind, Op, Source, StepFact};
use crate::model::id::{FieldName, PersonId};
use crate::model::time::{Duration, Moment};
use crate::model::value::{Range, Record, Value};
use rust_decimal::prelude::ToPrimitive;
use std::cmp::Ordering;
use std::ops::Deref;
use std::rc::Rc;

/// How many steps one evaluation may take.
const STEPS: u32 = 1_000_000;
/// How many items a list may have.
pub(super) const LIST_LIMIT: usize = 10_000;
/// How many bytes a text may have.
pub(super) const TEXT_LIMIT: usize = 65_536;

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

    fn truth(flag: bool) -> Val<'a> {
        Val::Ref(if flag { &TRUE } else { &FALSE })
    }
}

/// One evaluation.
pub(super) struct Machine<'a> {
    pub(super) context: &'a Context<'a>,
    locals: Vec<Val<'a>>,
    left: u32,
}

/// The value of a formula.
pub(super) fn evaluate<'a>(root: &'a Expr, context: &'a Context<'a>) -> Result<Value, Failure> {
    let mut machine = Machine { context, locals: Vec::new(), left: STEPS };
    let value = machine.eval(root)?;
    machine.own(value)
}

impl<'a> Machine<'a> {
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

    fn local(&self, slot: u16) -> Val<'a> {
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
    fn column(&mut self, row: Val<'a>, name: &FieldName) -> Result<Result<Val<'a>, Val<'a>>, Failure> {
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

    pub(super) fn eval(&mut self, expr: &'a Expr) -> Result<Val<'a>, Failure> {
        self.spend(1)?;
        match expr.op() {
            Op::Literal(value) => Ok(Val::Ref(value)),
            Op::Field(name) => Ok(Val::Ref(self.context.data.get(name).unwrap_or(&NULL))),
            Op::Local(slot) => Ok(self.local(*slot)),
            Op::Column { row, name, otherwise } => {
                let row = self.local(*row);
                match self.column(row, name)? {
                    Ok(found) => Ok(found),
                    Err(_) => self.eval(otherwise),
                }
            }
            Op::Applicant => person(self.context.applicant, "申请人", "the applicant"),
            Op::Assignee => person(self.context.assignee, "处理人", "the assignee"),
            Op::Outcome => Ok(Val::Own(self.context.outcome.map_or(Value::Null, Value::text))),
            Op::Everyone => {
                let everyone = self.context.directory.people.keys().cloned().map(Value::Person).collect();
                Ok(Val::Own(self.list(everyone)?))
            }
            Op::Instance(fact) => self.instance(*fact).map(Val::Own),
            Op::Step(step, fact) => Ok(Val::Own(match fact {
                StepFact::Outcome => self.context.steps.outcome(step).map_or(Value::Null, Value::text),
                StepFact::By => self.context.steps.by(step).map_or(Value::Null, Value::Person),
                StepFact::At => self.context.steps.at(step).map_or(Value::Null, |at| Value::DateTime(Moment::utc(at))),
                StepFact::Late => self.context.steps.late(step).map_or(Value::Null, Value::Boolean),
            })),
            Op::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.eval(item)?;
                    values.push(self.own(value)?);
                }
                Ok(Val::Own(self.list(values)?))
            }
            Op::Record(entries) => self.record(entries),
            Op::Range { low, low_closed, high, high_closed } => {
                let (low, high) = (self.eval(low)?, self.eval(high)?);
                let (low, high) = (self.own(low)?, self.own(high)?);
                if !low.is_null() && !high.is_null() {
                    operate::compare(&low, &high, self.context)?;
                }
                let (low_closed, high_closed) = (*low_closed, *high_closed);
                Ok(Val::Own(Value::Range(Box::new(Range { low, low_closed, high, high_closed }))))
            }
            Op::Negate(of) => {
                let value = self.eval(of)?;
                operate::negate(&value).map(Val::Own)
            }
            Op::Arithmetic(op, a, b) => {
                let (a, b) = (self.eval(a)?, self.eval(b)?);
                self.spend(operate::effort(&a) + operate::effort(&b))?;
                operate::arithmetic(*op, &a, &b, self.context).map(Val::Own)
            }
            Op::Compare(op, a, b) => {
                let (a, b) = (self.eval(a)?, self.eval(b)?);
                self.compare(*op, &a, &b).map(Val::truth)
            }
            Op::And(parts) => self.decide(parts, false),
            Op::Or(parts) => self.decide(parts, true),
            Op::If(condition, then, otherwise) => {
                let condition = self.eval(condition)?;
                match &*condition {
                    Value::Boolean(true) => self.eval(then),
                    Value::Boolean(false) => self.eval(otherwise),
                    other => Err(operate::no_condition(other)),
                }
            }
            Op::Between(value, low, high) => {
                let (value, low, high) = (self.eval(value)?, self.eval(low)?, self.eval(high)?);
                let from = operate::compare(&low, &value, self.context)?;
                let to = operate::compare(&value, &high, self.context)?;
                Ok(Val::truth(from != Ordering::Greater && to != Ordering::Greater))
            }
            Op::In(value, tests) => {
                let value = self.eval(value)?;
                self.with([value], |machine| machine.decide(tests, true))
            }
            Op::Matches(value, test) => {
                let (value, test) = (self.eval(value)?, self.eval(test)?);
                self.matches(&value, &test).map(Val::truth)
            }
            Op::Path(of, name) => {
                let of = self.eval(of)?;
                self.path(of, name)
            }
            Op::Filter { list, condition, lenient } => {
                let list = self.eval(list)?;
                self.filter(list, condition, *lenient)
            }
            Op::For(over, body) => {
                let mut results = Vec::new();
                self.each(over, &mut |machine| {
                    let value = machine.eval(body)?;
                    let value = machine.own(value)?;
                    if results.len() >= LIST_LIMIT {
                        return Err(too_long_list());
                    }
                    results.push(value);
                    Ok(true)
                })?;
                Ok(Val::Own(Value::List(results)))
            }
            Op::Some(over, condition) => self.quantify(over, condition, true),
            Op::Every(over, condition) => self.quantify(over, condition, false),
            Op::InstanceOf(value, kind) => {
                let value = self.eval(value)?;
                Ok(Val::truth(is_kind(&value, kind)))
            }
            Op::Call(name, arguments) => self.call(name, arguments),
            Op::Function { .. } => Err(Failure::new(
                "函数只能作为参数或当场调用",
                "a function only is an argument, or called where it is written",
            )),
            Op::Apply { arguments, body } => self.apply(arguments, body),
        }
    }

    fn instance(&self, fact: InstanceFact) -> Result<Value, Failure> {
        let instance =
            self.context.instance.ok_or_else(|| Failure::unset("这里没有流程实例", "there is no instance here"))?;
        Ok(match fact {
            InstanceFact::Number => instance.number.map_or(Value::Null, Value::text),
            InstanceFact::StartedAt => Value::DateTime(Moment::utc(instance.started_at)),
        })
    }

    fn record(&mut self, entries: &'a [(FieldName, Expr)]) -> Result<Val<'a>, Failure> {
        self.with([], |machine| {
            let mut record = Record::with_capacity(entries.len());
            for (name, expr) in entries {
                let value = machine.eval(expr)?;
                let value = machine.own(value)?;
                let local = Val::Own(machine.copy(&value)?);
                machine.locals.push(local.shared());
                record.insert(name.clone(), value);
            }
            Ok(Val::Own(Value::Record(record)))
        })
    }

    /// Whether one part is `decisive`; a part that has no answer counts only if no other part decides.
    fn decide(&mut self, parts: &'a [Expr], decisive: bool) -> Result<Val<'a>, Failure> {
        let mut unclear = None;
        for part in parts {
            let failure = match self.eval(part) {
                Ok(value) => match &*value {
                    Value::Boolean(flag) if *flag == decisive => return Ok(Val::truth(decisive)),
                    Value::Boolean(_) => continue,
                    other => operate::no_condition(other),
                },
                Err(failure) if self.left == 0 => return Err(failure),
                Err(failure) => failure,
            };
            unclear.get_or_insert(failure);
        }
        unclear.map_or(Ok(Val::truth(!decisive)), Err)
    }

    pub(super) fn compare(&mut self, op: Comparison, a: &Value, b: &Value) -> Result<bool, Failure> {
        self.spend(weight(a).min(weight(b)))?;
        if let Comparison::Equal | Comparison::NotEqual = op {
            return Ok(operate::equal(a, b, self.context)? == (op == Comparison::Equal));
        }
        let order = operate::compare(a, b, self.context)?;
        Ok(match op {
            Comparison::Less => order == Ordering::Less,
            Comparison::AtMost => order != Ordering::Greater,
            Comparison::Greater => order == Ordering::Greater,
            _ => order != Ordering::Less,
        })
    }

    fn matches(&mut self, value: &Value, test: &Value) -> Result<bool, Failure> {
        match test {
            Value::Range(range) if !matches!(value, Value::Range(_)) => operate::contains(range, value, self.context),
            Value::List(items) => {
                self.spend(items.len() * weight(value))?;
                if operate::same(value, test, self.context) {
                    return Ok(true);
                }
                for item in items {
                    let found = match item {
                        Value::Range(range) if !matches!(value, Value::Range(_)) => {
                            operate::contains(range, value, self.context)?
                        }
                        item => operate::same(value, item, self.context),
                    };
                    if found {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            test => operate::equal(value, test, self.context),
        }
    }

    fn path(&mut self, of: Val<'a>, name: &'a FieldName) -> Result<Val<'a>, Failure> {
        let of = match self.column(of, name)? {
            Ok(found) => return Ok(found),
            Err(of) => of,
        };
        match &*of {
            Value::Record(record) => {
                let likely = super::fault::likely(name.as_str(), record.keys().map(FieldName::as_str));
                let (zh, en) = likely.map_or((String::new(), String::new()), |likely| {
                    (format!("，是不是 `{likely}`？"), format!("; did you mean `{likely}`?"))
                });
                Err(Failure::unset(format!("没有 `{name}`{zh}"), format!("there is no `{name}`{en}")))
            }
            Value::List(_) => {
                let items = self.items(of)?;
                let mut parts = Vec::with_capacity(items.len());
                for item in items {
                    parts.push(match self.column(item, name)? {
                        Ok(part) => self.own(part)?,
                        Err(item) if matches!(&*item, Value::Record(_) | Value::Null) => Value::Null,
                        Err(item) => property::value_of(&item, name.as_str(), self.context)?,
                    });
                }
                Ok(Val::Own(Value::List(parts)))
            }
            other => property::value_of(other, name.as_str(), self.context).map(Val::Own),
        }
    }

    fn filter(&mut self, list: Val<'a>, condition: &'a Expr, lenient: bool) -> Result<Val<'a>, Failure> {
        if list.is_null() {
            return Err(Failure::unset("列表没有值", "the list is not set"));
        }
        let items = self.items(list)?;
        let count = items.len();
        if items.is_empty() {
            // Only a condition has an answer for a list without items.
            return match self.with([Val::Ref(&NULL)], |machine| machine.eval(condition)) {
                Ok(value) if matches!(&*value, Value::Number(_)) => Err(no_place(0)),
                Err(failure) if self.left == 0 => Err(failure),
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
                        return index.and_then(|index| items.get(index).cloned()).ok_or_else(|| no_place(count));
                    }
                    Value::Null if lenient => {}
                    other => return Err(operate::no_condition(other)),
                },
                Err(failure) if failure.unset && lenient && self.left > 0 => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(Val::Own(Value::List(kept)))
    }

    /// Runs the body once for each combination of items; the body says whether to go on.
    fn each(
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

    fn quantify(&mut self, over: &'a [Source<Expr>], condition: &'a Expr, decisive: bool) -> Result<Val<'a>, Failure> {
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

    fn apply(&mut self, arguments: &'a [Expr], body: &'a Expr) -> Result<Val<'a>, Failure> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.eval(argument)?);
        }
        self.with(values, |machine| machine.eval(body))
    }
}

fn person<'a>(who: Option<&PersonId>, zh: &str, en: &str) -> Result<Val<'a>, Failure> {
    who.map(|who| Val::Own(Value::Person(who.clone())))
        .ok_or_else(|| Failure::unset(format!("这里没有{zh}"), format!("{en} is not known here")))
}

fn no_place(count: usize) -> Failure {
    Failure::new(
        format!("列表没有这个位置：它有 {count} 项"),
        format!("the list has no such place: it has {count} items"),
    )
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

fn too_long_list() -> Failure {
    Failure::new(
        format!("列表太长，最多 {LIST_LIMIT} 项"),
        format!("the list is too long, {LIST_LIMIT} items are the most"),
    )
}

/// Whether a value is of a type as `instance of` names it.
fn is_kind(value: &Value, kind: &Kind) -> bool {
    match (kind, value) {
        (Kind::Null, value) => value.is_null(),
        (Kind::Any, value) => !value.is_null(),
        (Kind::Number, Value::Number(_))
        | (Kind::Text, Value::Text(_))
        | (Kind::Boolean, Value::Boolean(_))
        | (Kind::Date, Value::Date(_))
        | (Kind::Time, Value::Time(_))
        | (Kind::DateTime, Value::DateTime(_))
        | (Kind::Months, Value::Duration(Duration::Months(_)))
        | (Kind::Person, Value::Person(_))
        | (Kind::Position, Value::Position(_))
        | (Kind::Department, Value::Department(_)) => true,
        (Kind::Days, Value::Duration(duration)) => !matches!(duration, Duration::Months(_)),
        (Kind::List(of), Value::List(items)) => **of == Kind::Any || items.iter().all(|item| is_kind(item, of)),
        (Kind::Record(entries), Value::Record(record)) => entries
            .iter()
            .all(|(name, kind)| record.get(name).is_some_and(|value| value.is_null() || is_kind(value, kind))),
        (Kind::Range(of), Value::Range(range)) => {
            **of == Kind::Any || [&range.low, &range.high].into_iter().all(|end| end.is_null() || is_kind(end, of))
        }
        _ => false,
    }
}
