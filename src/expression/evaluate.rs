//! A formula → its value, or why it has none: what each operation does.
//!
//! Walks the tree in a [`Machine`], which counts the steps: evaluating ends, and never panics. What walks lists is in
//! `iterate`, calls are in `call`, arithmetic and comparison in `operate`.

use super::Context;
use super::fault::Failure;
use super::machine::{LIST_LIMIT, Machine, NULL, Val, too_long_list, weight};
use super::operate;
use super::property;
use crate::model::formula::{Comparison, Expr, InstanceFact, Kind, Op, StepFact};
use crate::model::id::{FieldName, PersonId};
use crate::model::time::{Duration, Moment};
use crate::model::value::{Range, Record, Value};
use std::cmp::Ordering;

/// The value of a formula.
pub(super) fn evaluate<'a>(root: &'a Expr, context: &'a Context<'a>) -> Result<Value, Failure> {
    let mut machine = Machine::new(context);
    let value = machine.eval(root)?;
    machine.own(value)
}

impl<'a> Machine<'a> {
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
                machine.bind(local);
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
                Err(failure) if self.is_spent() => return Err(failure),
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
