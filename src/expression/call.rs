//! Calls at run time: arguments as their parameters take them, and functions as arguments.

use super::fault::Failure;
use super::functions::{self, Accepts, Need};
use super::machine::{Machine, NULL, Val};
use super::operate;
use super::partial::is_partial;
use crate::model::formula::{Expr, Op};
use crate::model::value::Value;
use std::rc::Rc;

impl<'a> Machine<'a> {
    pub(super) fn call(&mut self, name: &str, arguments: &'a [Expr]) -> Result<Val<'a>, Failure> {
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
            return self.run(function, &refs);
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
        self.spend(refs.iter().map(|value| 4 + value.as_text().map_or(0, |text| text.len() / 16)).sum())?;
        self.run(function, &refs)
    }

    fn run(&mut self, function: &functions::Function, arguments: &[&Value]) -> Result<Val<'a>, Failure> {
        match (function.run)(self, arguments) {
            // What compiled knows that there may be none.
            Err(_) if is_partial(function.name) && !self.is_spent() => Ok(Val::Ref(&NULL)),
            found => found.map(Val::Own),
        }
    }

    /// `sort(list, function(a, b) …)` and `list replace(list, function(item, new) …, new)`.
    pub(super) fn call_with(
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
            let value = machine.with([a, b], |machine| machine.eval(body))?;
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
        format!("`{function}` 的参数应该是{zh}，而不是{}", found.zh),
        format!("the argument of `{function}` has to be {en}, not {}", found.en),
    ))
}
