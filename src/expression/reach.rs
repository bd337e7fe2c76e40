//! Parts and items: paths, filters and loops.

use super::domain::Domain;
use super::fault::{Fault, FaultKind, likely};
use super::habit;
use super::infer::{Infer, Local, Typing};
use super::line::Line;
use super::narrow::{Fact, Known};
use super::property;
use super::tree::{Iterator as Over, Node, Syntax};
use crate::model::formula::{Arithmetic, Expr, InstanceFact, Op, Read, Source, StepFact};
use crate::model::id::{FieldName, StepId};
use crate::model::time::Unit;
use crate::model::value::{Type, Typed, Value};
use std::ops::Range;
use std::sync::Arc;

impl Infer<'_> {
    pub(super) fn is_steps(&self, node: &Node) -> bool {
        matches!(&node.syntax, Syntax::Name(name) if name == "steps" && !self.scope.untyped && self.lookup(name).is_none())
    }

    pub(super) fn is_instance(&self, node: &Node) -> bool {
        matches!(&node.syntax, Syntax::Name(name) if name == "instance" && self.lookup(name).is_none())
    }

    pub(super) fn path(&mut self, node: &Node, of: &Node, name: &str, range: &Range<usize>) -> Typing {
        if let Syntax::Path(steps, step, step_range) = &of.syntax
            && self.is_steps(steps)
        {
            return self.step(node, step, step_range, name, range);
        }
        if self.is_instance(of) && self.scope.instance {
            let (fact, of, optional) = match name {
                "number" => (InstanceFact::Number, Type::Text, !self.scope.numbered),
                "started_at" => (InstanceFact::StartedAt, Type::DateTime, false),
                _ => {
                    self.unknown_property("instance", name, range, ["number", "started_at"]);
                    return Typing::unknown();
                }
            };
            self.read(Read::Instance);
            let optional = optional && !self.knows(node, Fact::Set);
            return Typing { optional, ..Typing::new(Op::Instance(fact), of) };
        }
        if self.is_steps(of) {
            self.fault(
                Fault::new(
                    node.range.clone(),
                    FaultKind::WrongType,
                    format!("`steps.{name}` 本身不是值"),
                    format!("`steps.{name}` itself is no value"),
                )
                .hint(
                    format!("写 `steps.{name}.outcome`、`.by`、`.at` 或 `.late`。"),
                    format!("Write `steps.{name}.outcome`, `.by`, `.at` or `.late`."),
                ),
            );
            return Typing::unknown();
        }
        let base = self.visit(of, None);
        let base = self.set(of, base);
        let directory = self.scope.directory.clone();
        let typed = match &base.of {
            Type::Any | Type::Null => Some(Typed::always(Type::Any)),
            Type::Record(columns) => columns.get(name).cloned(),
            Type::List(item) => match &item.of {
                Type::Any | Type::Null => Some(Typed::always(Type::Any)),
                Type::Record(columns) => columns.get(name).cloned(),
                other => property::type_of(other, name, directory.as_deref()),
            }
            .map(|typed| Typed::always(Type::List(Box::new(typed)))),
            other => property::type_of(other, name, directory.as_deref()),
        };
        let Some(typed) = typed else {
            let item = match &base.of {
                Type::List(item) => &item.of,
                other => other,
            };
            let written = self.written(of);
            match item {
                Type::Record(columns) => {
                    let columns = Arc::clone(columns);
                    self.unknown_property(written, name, range, columns.keys().map(FieldName::as_str));
                }
                other => match habit::function_of(other, name, written) {
                    Some(instead) => self.fault(
                        Fault::new(
                            node.range.clone(),
                            FaultKind::UnknownProperty,
                            format!("`{written}` 没有 `{name}`，是不是 `{instead}`？"),
                            format!("`{written}` has no `{name}`; did you mean `{instead}`?"),
                        )
                        .suggest(instead),
                    ),
                    None => self.unknown_property(written, name, range, property::names(other).iter().copied()),
                },
            }
            let null = Expr::literal(Value::Null);
            return Typing {
                expr: if self.scope.untyped { Expr::new(Op::Path(base.expr, name.into())) } else { null },
                ..Typing::unknown()
            };
        };
        if matches!(base.of, Type::Person | Type::Position | Type::Department) {
            self.read(Read::Directory);
        }
        let applies = matches!(base.expr.op(), Op::Applicant) && self.scope.kept.applicant_has.contains(name);
        let mut optional = typed.optional && !applies;
        if base.of == Type::Duration && !self.scope.untyped {
            match self.has_part(&base, name) {
                Some(true) => {}
                Some(false) => self.no_part(of, name, range),
                // What a field holds may be of a unit without it.
                None => optional = true,
            }
        }
        let optional = optional && !self.knows(node, Fact::Set);
        let unit = match &base.of {
            Type::Date | Type::DateTime | Type::Time => Some(Unit::Hours),
            _ => self.unit_of(name),
        };
        let typing = Typing::new(Op::Path(base.expr, name.into()), typed.of).in_unit(unit);
        Typing { optional, ..typing }
    }

    pub(super) fn unknown_property<'n>(
        &mut self,
        of: &str,
        name: &str,
        range: &Range<usize>,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        let near = likely(name, known.iter().copied());
        let fault = Fault::new(
            range.clone(),
            FaultKind::UnknownProperty,
            format!("`{of}` 没有 `{name}`"),
            format!("`{of}` has no `{name}`"),
        );
        let all = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
        self.fault(match near {
            Some(near) => fault.did_you_mean(Some(near)),
            None if known.is_empty() => fault,
            None => fault.hint(format!("它有：{all}。"), format!("It has {all}.")),
        });
    }

    pub(super) fn step(
        &mut self,
        node: &Node,
        step: &str,
        step_range: &Range<usize>,
        name: &str,
        range: &Range<usize>,
    ) -> Typing {
        let Some(found) = self.scope.steps.get(step) else {
            let near = likely(step, self.scope.steps.keys().map(StepId::as_str));
            self.fault(
                Fault::new(
                    step_range.clone(),
                    FaultKind::UnknownName,
                    format!("这里读不到名为 `{step}` 的步骤"),
                    format!("no step `{step}` can be read here"),
                )
                .did_you_mean(near),
            );
            return Typing::unknown();
        };
        let (fact, of) = match name {
            "outcome" => (StepFact::Outcome, Type::Choice(Arc::clone(&found.outcomes))),
            "by" => (StepFact::By, Type::Person),
            "at" => (StepFact::At, Type::DateTime),
            "late" => (StepFact::Late, Type::Boolean),
            _ => {
                self.unknown_property(&format!("steps.{step}"), name, range, ["outcome", "by", "at", "late"]);
                return Typing::unknown();
            }
        };
        let (always, unanswered) = (found.always, found.unanswered.clone());
        let step = StepId::from(step);
        self.read(Read::Step(step.clone()));
        let set = match fact {
            StepFact::By => self.is_answered(&step, always, &unanswered),
            _ => always,
        };
        let optional = !set && !self.knows(node, Fact::Set);
        Typing { optional, ..Typing::new(Op::Step(step, fact), of) }
    }

    pub(super) fn filter(&mut self, list: &Node, condition: &Node) -> Typing {
        let typing = self.visit(list, None);
        let typing = self.set(list, typing);
        let item = match &typing.of {
            Type::List(item) => (**item).clone(),
            Type::Any => Typed::always(Type::Any),
            other => {
                self.wrong_type(list, other, &Type::List(Box::new(Typed::always(Type::Any))));
                Typed::always(other.clone())
            }
        };
        let lenient = matches!(item.of, Type::Any | Type::Null) || self.scope.untyped;
        let row = Typed { of: if lenient { Type::Any } else { item.of.clone() }, optional: item.optional };
        let of = Some(typing.expr.clone());
        let local = Local { name: "item".into(), typed: row, row: true, unit: typing.unit, of };
        let unit = typing.unit;
        let (asked, known, slot) = self.binding(vec![local], |pass, slot| {
            let asked = pass.visit(condition, None);
            let asked = pass.set(condition, asked);
            (asked, pass.assume(condition, true), slot)
        });
        match asked.of {
            Type::Boolean => {}
            Type::Number => {
                let there = self.counts_from_one(condition, list) || self.has_place(list, &typing.expr, condition);
                let op = Op::Filter { list: typing.expr, condition: asked.expr, lenient };
                return Typing { optional: item.optional || !there, ..Typing::new(op, item.of).in_unit(unit) };
            }
            Type::Any => {
                let op = Op::Filter { list: typing.expr, condition: asked.expr, lenient };
                return Typing::new(op, Type::Any);
            }
            other => self.wrong_type(condition, &other, &Type::Boolean),
        }
        let item = narrowed(item, &known, slot);
        let op = Op::Filter { list: typing.expr, condition: asked.expr, lenient };
        Typing::new(op, Type::List(Box::new(item))).in_unit(unit)
    }

    /// Whether a place is zero, where nothing ever is: reported, once.
    fn counts_from_one(&mut self, place: &Node, list: &Node) -> bool {
        if !matches!(&place.syntax, Syntax::Number(number) if number.is_zero()) {
            return false;
        }
        let first = format!("{}[1]", self.written(list));
        let fault = Fault::new(
            place.range.clone(),
            FaultKind::UnknownProperty,
            "位置从 1 开始，没有第 0 个",
            "positions begin with 1; there is none at 0",
        );
        self.fault(
            fault
                .hint(
                    format!("第一个是 `{first}`，最后一个是 `{}[-1]`。", self.written(list)),
                    format!("The first is `{first}`, the last `{}[-1]`.", self.written(list)),
                )
                .suggest("1"),
        );
        true
    }

    /// Binds the names of `for`, `some` and `every` in turn, then the body.
    pub(super) fn iterate<T>(&mut self, over: &[Over], body: impl FnOnce(&mut Self) -> T) -> (Vec<Source<Expr>>, T) {
        let before = self.locals.len();
        let mut sources = Vec::with_capacity(over.len());
        for each in over {
            let from = self.visit(&each.from, None);
            let from = self.set(&each.from, from);
            let to = each.to.as_ref().map(|to| {
                let typing = self.visit(to, None);
                (to, self.set(to, typing))
            });
            let item = match (&from.of, &to) {
                (of, Some((node, to))) => {
                    for (node, of) in [(&each.from, of), (*node, &to.of)] {
                        if !matches!(of, Type::Number | Type::Any) {
                            self.wrong_type(node, of, &Type::Number);
                        }
                    }
                    Typed::always(Type::Number)
                }
                (Type::List(item), None) => (**item).clone(),
                (Type::Range(item), None) => Typed::always((**item).clone()),
                (Type::Any, None) => Typed::always(Type::Any),
                (other, None) => {
                    self.wrong_type(&each.from, other, &Type::List(Box::new(Typed::always(Type::Any))));
                    Typed::always(Type::Any)
                }
            };
            if self.lookup(&each.name).is_some() {
                let name = &each.name;
                self.fault(
                    Fault::new(
                        each.range.clone(),
                        FaultKind::AmbiguousName,
                        format!("`{name}` 在这里已经有意思了"),
                        format!("`{name}` already means something here"),
                    )
                    .hint("换一个名称。", "Choose another name."),
                );
            }
            if let Some((node, to)) = &to {
                self.check_whole(&each.from, &from.expr);
                self.check_whole(node, &to.expr);
                self.check_way(&each.from, &from.expr, node, &to.expr);
            }
            if let (Syntax::Range { low, high, .. }, Op::Range { low: first, high: last, .. }) =
                (&each.from.syntax, from.expr.op())
            {
                self.check_whole(low, first);
                self.check_whole(high, last);
            }
            let unit = from.unit;
            let of = Some(from.expr.clone()).filter(|_| to.is_none() && matches!(from.of, Type::List(_)));
            sources.push(Source { from: from.expr, to: to.map(|(_, to)| to.expr) });
            self.locals.push(Local { name: each.name.clone(), typed: item, row: false, unit, of });
        }
        let body = body(self);
        self.locals.truncate(before);
        (sources, body)
    }

    /// Reports what may be no whole number where nothing else is counted with.
    pub(super) fn check_whole(&mut self, node: &Node, of: &Expr) {
        let extent = self.extent(of);
        let numbers = extent.placed().is_some_and(|(line, _)| line == Line::Number);
        if self.scope.untyped || !numbers || Domain::numbers(None, None, true).takes_fractions_of(&extent) {
            return;
        }
        let written = self.written(node);
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::WrongType,
            format!("`{written}` 可能不是整数，而这里只能用整数"),
            format!("`{written}` may be no whole number, and only those are counted with here"),
        );
        self.fault(
            fault.hint(format!("例如写成 `floor({written})`。"), format!("For example, write `floor({written})`.")),
        );
    }

    /// Reports numbers gone through from one that may be less than the last, or more: `1..0` counts down, so that two
    /// come where none was meant.
    fn check_way(&mut self, from: &Node, first: &Expr, to: &Node, last: &Expr) {
        let apart = |high: &Expr, low: &Expr| {
            self.extent(&Expr::new(Op::Arithmetic(Arithmetic::Subtract, high.clone(), low.clone())))
        };
        if self.scope.untyped || apart(last, first).is_never_below_zero() || apart(first, last).is_never_below_zero() {
            return;
        }
        let (low, high) = (self.written(from), self.written(to));
        let fault = Fault::new(
            from.range.start..to.range.end,
            FaultKind::MaybeBackwards,
            format!("`{high}` 可能比 `{low}` 小，那时会倒着数：`1..0` 是 1 和 0"),
            format!("`{high}` may be less than `{low}`, and then it counts down: `1..0` is 1 and 0"),
        );
        let fault = fault.hint(
            format!("写成 `[{low}..{high}]`：`{high}` 更小时一个也没有。倒着数写 `reverse(for … in [{high}..{low}] return …)`。"),
            format!("Write `[{low}..{high}]`, which is nothing where `{high}` is less. To count down, write `reverse(for … in [{high}..{low}] return …)`."),
        );
        let counts_up = matches!(first.op(), Op::Literal(_));
        self.fault(if counts_up { fault.suggest(format!("[{low}..{high}]")) } else { fault });
    }
}

/// The item of a filtered list: what the condition asked for is set.
fn narrowed(mut item: Typed, known: &[Known], slot: u16) -> Typed {
    let itself = format!("#{slot}");
    let set = |key: &str| known.iter().any(|known| known.sets(key));
    if set(&itself) {
        item.optional = false;
    }
    if let Type::Record(columns) = &item.of {
        let asked = |name: &FieldName| set(&format!("{itself}.{name}"));
        if columns.iter().any(|(name, typed)| typed.optional && asked(name)) {
            let mut columns = (**columns).clone();
            columns.iter_mut().for_each(|(name, typed)| typed.optional &= !asked(name));
            item.of = Type::Record(Arc::new(columns));
        }
    }
    item
}
