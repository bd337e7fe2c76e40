//! A formula → its value, or why it has none.
//!
//! Walks the tree under a budget of steps: evaluating ends, and never panics. Data is borrowed where it stands,
//! so that a guard over scalar fields allocates nothing.

use super::Context;
use super::fault::Failure;
use super::functions::{self, Accepts, Need};
use super::operate;
use super::property;
use crate::model::formula::{Comparison, Expr, InstanceFact, Kind, Op, Source, StepFact};
use crate::model::id::FieldName;
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

static NULL: Value = Value::Null;
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
    fn own(&mut self, val: Val<'a>) -> Result<Value, Failure> {
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

    /// Evaluates with one more local.
    fn with<T>(&mut self, val: Val<'a>, f: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let shared = match val {
            Val::Own(value) => match value {
                // What holds nothing is as cheap to copy as to share.
                Value::List(_) | Value::Record(_) | Value::Range(_) => Val::Shared(Rc::new(value)),
                value => Val::Own(value),
            },
            other => other,
        };
        self.locals.push(shared);
        let result = f(self);
        self.locals.pop();
        result
    }

    fn eval(&mut self, expr: &'a Expr) -> Result<Val<'a>, Failure> {
        self.spend(1)?;
        match expr.op() {
            Op::Literal(value) => Ok(Val::Ref(value)),
            Op::Field(name) => Ok(Val::Ref(self.context.data.get(name).unwrap_or(&NULL))),
            Op::Local(slot) => Ok(self.local(*slot)),
            Op::Column { row, name, otherwise } => {
                let row = self.local(*row);
                match column(&row, name) {
                    Some(found) => Ok(found),
                    None => self.eval(otherwise),
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
                self.with(value, |machine| machine.decide(tests, true))
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
        let before = self.locals.len();
        let mut record = Record::with_capacity(entries.len());
        let mut fill = |machine: &mut Self| {
            for (name, expr) in entries {
                let value = machine.eval(expr)?;
                let value = machine.own(value)?;
                let local = machine.copy(&value)?;
                machine.locals.push(Val::Own(local));
                record.insert(name.clone(), value);
            }
            Ok(())
        };
        let filled = fill(self);
        self.locals.truncate(before);
        filled.map(|()| Val::Own(Value::Record(record)))
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
        if let Comparison::Equal | Comparison::NotEqual = op {
            self.spend(weight(a).min(weight(b)))?;
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
                self.spend(items.len())?;
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
        if let Some(found) = column(&of, name) {
            return Ok(found);
        }
        match &*of {
            Value::Record(record) => {
                let likely = super::fault::likely(name.as_str(), record.keys().map(FieldName::as_str));
                let (zh, en) = likely.map_or((String::new(), String::new()), |likely| {
                    (format!("，是不是 `{likely}`？"), format!("; did you mean `{likely}`?"))
                });
                Err(Failure::unset(format!("没有 `{name}`{zh}"), format!("there is no `{name}`{en}")))
            }
            Value::List(items) => {
                let mut parts = Vec::with_capacity(items.len());
                for item in items {
                    let part = match column(&Val::Ref(item), name) {
                        Some(part) => self.copy(&part)?,
                        None if matches!(item, Value::Record(_) | Value::Null) => Value::Null,
                        None => property::value_of(item, name.as_str(), self.context)?,
                    };
                    self.spend(1)?;
                    parts.push(part);
                }
                Ok(Val::Own(Value::List(parts)))
            }
            other => property::value_of(other, name.as_str(), self.context).map(Val::Own),
        }
    }

    fn filter(&mut self, list: Val<'a>, condition: &'a Expr, lenient: bool) -> Result<Val<'a>, Failure> {
        let count = match &*list {
            Value::List(items) => items.len(),
            Value::Null => return Err(Failure::unset("列表没有值", "the list is not set")),
            _ => 1,
        };
        let mut kept = Vec::new();
        // One round more than there are items tells the place in an empty list from a condition.
        for at in 0..count.max(1) {
            let item = item_at(&list, at).unwrap_or(Val::Ref(&NULL));
            let verdict = self.with(item.clone(), |machine| machine.eval(condition));
            match verdict {
                Ok(value) => match &*value {
                    Value::Boolean(true) if at < count => kept.push(self.own(item)?),
                    Value::Boolean(_) => {}
                    Value::Number(place) => {
                        let place = place.is_integer().then(|| place.to_i64()).flatten();
                        let index = place.and_then(|place| match place {
                            1.. => usize::try_from(place - 1).ok(),
                            ..0 => usize::try_from(place.unsigned_abs()).ok().and_then(|back| count.checked_sub(back)),
                            0 => None,
                        });
                        return index.and_then(|index| item_at(&list, index)).ok_or_else(|| {
                            Failure::new(
                                format!("列表没有这个位置：它有 {count} 项"),
                                format!("the list has no such place: it has {count} items"),
                            )
                        });
                    }
                    Value::Null if lenient => {}
                    other => return Err(operate::no_condition(other)),
                },
                Err(_) if count == 0 => {}
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
                if !self.with(Val::Own(Value::Number(at.into())), |machine| machine.each(rest, body))? {
                    return Ok(false);
                }
                at += if down { -1 } else { 1 };
            }
            return Ok(true);
        }
        let mut at = 0;
        while let Some(item) = item_at(&from, at) {
            self.spend(1)?;
            if !self.with(item, |machine| machine.each(rest, body))? {
                return Ok(false);
            }
            at += 1;
            if !matches!(&*from, Value::List(_)) {
                break;
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
        self.applied(values, body)
    }

    fn applied(&mut self, values: Vec<Val<'a>>, body: &'a Expr) -> Result<Val<'a>, Failure> {
        let before = self.locals.len();
        self.locals.extend(values);
        let result = self.eval(body);
        self.locals.truncate(before);
        result
    }

    fn call(&mut self, name: &str, arguments: &'a [Expr]) -> Result<Val<'a>, Failure> {
        let function = functions::find(name).ok_or_else(|| {
            Failure::new(format!("没有名为 `{name}` 的函数"), format!("there is no function `{name}`"))
        })?;
        let lambda = arguments.iter().position(|argument| matches!(argument.op(), Op::Function { .. }));
        let mut values = Vec::with_capacity(arguments.len());
        for (at, argument) in arguments.iter().enumerate() {
            values.push(if lambda == Some(at) { Val::Ref(&NULL) } else { self.eval(argument)? });
        }
        if let Some(Op::Function { parameters, body }) = lambda.and_then(|at| arguments.get(at)).map(Expr::op) {
            return self.call_with(name, values, *parameters, body);
        }
        let forms = function.forms;
        let spread =
            function.spreads && values.len() == 1 && matches!(values.first().map(|v| &**v), Some(Value::List(_)));
        if spread && let Some(Value::List(items)) = values.first().map(|value| &**value) {
            let parameter = forms.first().and_then(|form| form.last());
            self.spend(items.len())?;
            let mut refs = Vec::with_capacity(items.len());
            for item in items {
                refs.push(match parameter {
                    Some(parameter) => accepted(function.name, parameter, item)?,
                    None => item,
                });
            }
            return (function.run)(self, &refs).map(Val::Own);
        }
        let form = forms
            .iter()
            .find(|form| {
                values.len() <= form.len() && values.len() >= form.iter().filter(|p| p.need != Need::Optional).count()
            })
            .or(forms.last());
        for (at, value) in values.iter_mut().enumerate() {
            let Some(parameter) = form.and_then(|form| functions::parameter(form, at)) else { break };
            if parameter.accepts == Accepts::List && !matches!(&**value, Value::List(_) | Value::Null) {
                let alone = std::mem::replace(value, Val::Ref(&NULL));
                *value = Val::Own(Value::List(vec![self.own(alone)?]));
            }
        }
        let mut refs = Vec::with_capacity(values.len());
        for (at, value) in values.iter().enumerate() {
            refs.push(match form.and_then(|form| functions::parameter(form, at)) {
                Some(parameter) => accepted(function.name, parameter, value)?,
                None => value,
            });
        }
        self.spend(refs.len())?;
        (function.run)(self, &refs).map(Val::Own)
    }

    /// `sort(list, function(a, b) …)` and `list replace(list, function(item, new) …, new)`.
    fn call_with(
        &mut self,
        name: &str,
        values: Vec<Val<'a>>,
        parameters: u16,
        body: &'a Expr,
    ) -> Result<Val<'a>, Failure> {
        let mut values = values.into_iter();
        let list = values.next().unwrap_or(Val::Ref(&NULL));
        let list = match self.own(list)? {
            Value::List(items) => items,
            Value::Null => return Err(Failure::unset("列表没有值", "the list is not set")),
            single => vec![single],
        };
        if parameters != 2 {
            return Err(Failure::new("这里的函数应该有两个参数", "the function needs two parameters here"));
        }
        let holds = |machine: &mut Self, a: Val<'a>, b: Val<'a>| {
            let value = machine.applied(vec![a, b], body)?;
            match &*value {
                Value::Boolean(flag) => Ok(*flag),
                other => Err(operate::no_condition(other)),
            }
        };
        if name == "list replace" {
            let new = values.nth(1).unwrap_or(Val::Ref(&NULL));
            let new = Rc::new(self.own(new)?);
            let mut replaced = Vec::with_capacity(list.len());
            for item in list {
                let item = Rc::new(item);
                let hit = holds(self, Val::Shared(Rc::clone(&item)), Val::Shared(Rc::clone(&new)))?;
                replaced.push(self.copy(if hit { &new } else { &item })?);
            }
            return Ok(Val::Own(Value::List(replaced)));
        }
        // A merge sort of our own: the standard one may panic where the function contradicts itself.
        let mut runs: Vec<Vec<Rc<Value>>> = list.into_iter().map(|item| vec![Rc::new(item)]).collect();
        while runs.len() > 1 {
            let mut merged = Vec::with_capacity(runs.len() / 2 + 1);
            let mut pairs = runs.into_iter();
            while let Some(left) = pairs.next() {
                let Some(right) = pairs.next() else {
                    merged.push(left);
                    break;
                };
                let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
                let mut run = Vec::new();
                while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                    let later_first = holds(self, Val::Shared(Rc::clone(b)), Val::Shared(Rc::clone(a)))?;
                    run.extend(if later_first { right.next() } else { left.next() });
                }
                run.extend(left);
                run.extend(right);
                merged.push(run);
            }
            runs = merged;
        }
        let sorted = runs.pop().unwrap_or_default();
        let sorted = sorted.into_iter().map(|item| self.own(Val::Shared(item))).collect::<Result<_, _>>()?;
        Ok(Val::Own(Value::List(sorted)))
    }
}

/// The argument as its parameter takes it: a list of one item may stand for the item.
fn accepted<'v>(function: &str, parameter: &functions::Parameter, value: &'v Value) -> Result<&'v Value, Failure> {
    let nullable = matches!(parameter.need, Need::OrNull | Need::Optional | Need::ManyOrNull);
    if value.is_null() {
        if nullable {
            return Ok(value);
        }
        return Err(Failure::unset(
            format!("`{function}` 的参数 `{}` 没有值", parameter.name),
            format!("the argument `{}` of `{function}` is not set", parameter.name),
        ));
    }
    if parameter.accepts.takes_value(value) {
        return Ok(value);
    }
    if let Value::List(items) = value
        && let [single] = items.as_slice()
        && parameter.accepts.takes_value(single)
        && !single.is_null()
    {
        return Ok(single);
    }
    let (zh, en) = parameter.accepts.words();
    let found = operate::words(value);
    Err(Failure::new(
        format!("`{function}` 的参数 `{}` 应该是{zh}，而不是{}", parameter.name, found.zh),
        format!("the argument `{}` of `{function}` has to be {en}, not {}", parameter.name, found.en),
    ))
}

fn person<'a>(who: Option<&crate::model::id::PersonId>, zh: &str, en: &str) -> Result<Val<'a>, Failure> {
    who.map(|who| Val::Own(Value::Person(who.clone())))
        .ok_or_else(|| Failure::unset(format!("这里没有{zh}"), format!("{en} is not known here")))
}

/// The column of a row, as cheaply as the row is held.
fn column<'a>(row: &Val<'a>, name: &FieldName) -> Option<Val<'a>> {
    match row {
        Val::Ref(Value::Record(record)) => record.get(name).map(Val::Ref),
        row => match &**row {
            Value::Record(record) => record.get(name).map(|value| Val::Own(value.clone())),
            _ => None,
        },
    }
}

/// The item at an index; a single value is its own only item.
fn item_at<'a>(list: &Val<'a>, at: usize) -> Option<Val<'a>> {
    match list {
        Val::Ref(Value::List(items)) => items.get(at).map(Val::Ref),
        list => match &**list {
            Value::List(items) => items.get(at).map(|item| Val::Own(item.clone())),
            _ if at == 0 => Some(list.clone()),
            _ => None,
        },
    }
}

/// How many values are in one, itself included.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Record(record) => 1 + record.values().map(weight).sum::<usize>(),
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
