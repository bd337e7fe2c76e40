//! The tree as written → the typed tree: names bound, types known, and what is refused.
//!
//! A fault does not stop it: what is wrong counts as of any type, so that one slip is reported once.

use super::fault::{Fault, FaultKind, likely};
use super::mismatch::{fits_as_written, joined_as_written};
use super::narrow::Known;
use super::scope::{Expected, Scope};
use super::tree::{Node, Syntax, Test};
use super::types;
use super::unit;
use crate::model::formula::{Expr, Formula, Op, Read};
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::model::time::Unit;
use crate::model::value::{Type, Typed, Value};
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// The options that may stand bare.
pub(super) type Options = Arc<[Arc<str>]>;

/// A subexpression, bound and typed.
#[derive(Clone, Debug)]
pub(super) struct Typing {
    pub(super) expr: Expr,
    pub(super) of: Type,
    pub(super) optional: bool,
    /// A written number, which is a number or an amount as its place needs it.
    pub(super) loose: bool,
    /// In what a length of time is counted, or each of several, as far as that is known.
    pub(super) unit: Option<Unit>,
}

impl Typing {
    pub(super) fn new(op: Op<Expr>, of: Type) -> Typing {
        Typing { expr: Expr::new(op), of, optional: false, loose: false, unit: None }
    }

    pub(super) fn in_unit(self, unit: Option<Unit>) -> Typing {
        Typing { unit, ..self }
    }

    /// What stands for something wrong.
    pub(super) fn unknown() -> Typing {
        Typing::new(Op::Literal(Value::Null), Type::Any)
    }

    pub(super) fn typed(&self) -> Typed {
        Typed { of: self.of.clone(), optional: self.optional }
    }
}

/// A name that is bound within the expression.
pub(super) struct Local {
    pub(super) name: String,
    pub(super) typed: Typed,
    /// The item of a filter: its columns are names too.
    pub(super) row: bool,
    pub(super) unit: Option<Unit>,
    /// The list that it is an item of, or the value that it is.
    pub(super) of: Option<Expr>,
}

/// One pass over an expression.
pub(super) struct Infer<'s> {
    pub(super) scope: &'s Scope,
    pub(super) text: &'s str,
    pub(super) faults: Vec<Fault>,
    reads: BTreeSet<Read>,
    pub(super) locals: Vec<Local>,
    pub(super) facts: Vec<Known>,
}

/// Binds and types an expression.
pub(super) fn infer(text: &str, tree: &Node, scope: &Scope, expected: &Expected) -> (Formula, Vec<Fault>) {
    let mut pass = Infer::new(text, scope);
    let hint = match expected {
        Expected::Type(typed) => options_of(&typed.of),
        _ => None,
    };
    let typing = match expected {
        Expected::People => pass.people(tree),
        _ => pass.visit(tree, hint.as_ref()),
    };
    pass.check_expected(tree, &typing, expected);
    pass.finish(text, typing)
}

/// Binds and types unary tests on a field.
pub(super) fn infer_tests(text: &str, tests: &[Test], field: &str, scope: &Scope) -> (Formula, Vec<Fault>) {
    let mut pass = Infer::new(text, scope);
    let typing = match pass.lookup(field) {
        Some(found) => {
            let value = pass.bound(field, found);
            pass.tests(value, tests, true)
        }
        None => Typing::unknown(),
    };
    pass.finish(text, typing)
}

pub(super) fn options_of(of: &Type) -> Option<Options> {
    match of {
        Type::Choice(options) => Some(Arc::clone(options)),
        Type::List(of) => options_of(&of.of),
        _ => None,
    }
}

impl<'s> Infer<'s> {
    pub(super) fn new(text: &'s str, scope: &'s Scope) -> Infer<'s> {
        let (faults, reads, locals) = Default::default();
        Infer { scope, text, faults, reads, locals, facts: scope.known.clone() }
    }

    fn finish(self, text: &str, typing: Typing) -> (Formula, Vec<Fault>) {
        let of = typing.typed();
        (Formula { text: text.to_owned(), root: typing.expr, of, reads: self.reads }, self.faults)
    }

    /// Reports a fault; without a form, only those that no data can mend.
    pub(super) fn fault(&mut self, fault: Fault) {
        use FaultKind::*;
        let of_types = matches!(
            fault.kind,
            UnlikeTypes
                | WrongType
                | UnknownOption
                | UnknownProperty
                | AmbiguousName
                | MaybeUnset
                | MaybeZeroDivision
                | MaybeBackwards
        );
        if !(self.scope.untyped && of_types) {
            self.faults.push(fault);
        }
    }

    pub(super) fn written(&self, node: &Node) -> &'s str {
        self.text.get(node.range.clone()).unwrap_or("")
    }

    /// What stands between two sides, such as `>=`.
    pub(super) fn between(&self, a: &Node, b: &Node) -> &'s str {
        self.text.get(a.range.end..b.range.start).map_or("=", str::trim)
    }

    /// The typing of a value that has to be set.
    pub(super) fn set(&mut self, node: &Node, mut typing: Typing) -> Typing {
        if typing.optional {
            let written = self.written(node);
            let (zh, en) = self.ask_first(node);
            self.fault(
                Fault::new(
                    node.range.clone(),
                    FaultKind::MaybeUnset,
                    format!("`{written}` 可能没有值"),
                    format!("`{written}` may be unset"),
                )
                .hint(zh, en),
            );
            typing.optional = false;
        }
        if let Type::List(of) = &typing.of
            && of.optional
            && self.scope.untyped
        {
            typing.of = Type::List(Box::new(Typed::always(of.of.clone())));
        }
        typing
    }

    pub(super) fn condition(&mut self, node: &Node) -> Typing {
        let typing = self.visit(node, None);
        let typing = self.set(node, typing);
        if !matches!(typing.of, Type::Boolean | Type::Any) {
            self.wrong_type(node, &typing.of, &Type::Boolean);
        }
        typing
    }

    fn check_expected(&mut self, node: &Node, typing: &Typing, expected: &Expected) {
        match expected {
            Expected::Any | Expected::People => {}
            Expected::Type(to) => {
                let loose = typing.loose && to.of == Type::Money;
                if !loose && !fits_as_written(&typing.expr, &typing.of, &to.of) {
                    self.misfit(node, typing, &to.of);
                } else if typing.optional && !to.optional {
                    self.set(node, typing.clone());
                }
            }
            Expected::Length { unit, optional } => {
                let typed = Typed { of: Type::Duration, optional: *optional };
                self.check_expected(node, typing, &Expected::Type(typed));
                self.check_unit(node, typing, *unit);
            }
            Expected::Time => {
                let typing = self.set(node, typing.clone());
                if !matches!(typing.of, Type::Duration | Type::Date | Type::DateTime | Type::Any) {
                    self.wrong_time(node, &typing.of);
                }
            }
            Expected::List => {
                let typing = self.set(node, typing.clone());
                if !matches!(typing.of, Type::List(_) | Type::Any) {
                    self.wrong_type(node, &typing.of, &Type::List(Box::new(Typed::always(Type::Any))));
                }
            }
        }
    }

    /// Everything that is known where a condition is `truth`.
    pub(super) fn holding(&self, condition: &Node, expr: &Expr, truth: bool) -> Vec<Known> {
        let mut known = self.assume(condition, truth);
        known.extend(self.ranges(expr, truth));
        known
    }

    /// Runs with more facts known.
    pub(super) fn knowing<T>(&mut self, known: Vec<Known>, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.facts.len();
        self.facts.extend(known);
        let result = f(self);
        self.facts.truncate(before);
        result
    }

    /// Runs with more locals bound; the number of the first.
    pub(super) fn binding<T>(&mut self, names: Vec<Local>, f: impl FnOnce(&mut Self, u16) -> T) -> T {
        let before = self.locals.len();
        self.locals.extend(names);
        let result = f(self, u16::try_from(before).unwrap_or(u16::MAX));
        self.locals.truncate(before);
        result
    }

    pub(super) fn read(&mut self, read: Read) {
        self.reads.insert(read);
    }

    /// Binds and types a node; where `options` are given, they stand bare.
    pub(super) fn visit(&mut self, node: &Node, options: Option<&Options>) -> Typing {
        match &node.syntax {
            Syntax::Number(number) => {
                let typing = Typing::new(Op::Literal(Value::Number(*number)), Type::Number);
                Typing { loose: true, ..typing }
            }
            Syntax::Literal(value) => {
                Typing::new(Op::Literal(value.clone()), type_of(value)).in_unit(unit::written(value))
            }
            Syntax::Word(Value::Null) => Typing { optional: true, ..Typing::new(Op::Literal(Value::Null), Type::Null) },
            Syntax::Word(value) => Typing::new(Op::Literal(value.clone()), type_of(value)),
            Syntax::Text(text) => self.text(node, text, options),
            Syntax::Name(name) => self.name(node, name, options),
            Syntax::List(items) => {
                let typings: Vec<(&Node, Typing)> =
                    items.iter().map(|item| (item, self.visit(item, options))).collect();
                let mut of = Typed::always(Type::Null);
                let mut loose = true;
                for (at, (item, typing)) in typings.iter().enumerate() {
                    of.optional |= typing.optional;
                    let number =
                        matches!((&of.of, &typing.of), (Type::Number, Type::Money) | (Type::Money, Type::Number));
                    of.of = if number && (loose || typing.loose) {
                        Type::Money
                    } else {
                        let before: Vec<&Expr> = typings.iter().take(at).map(|(_, before)| &before.expr).collect();
                        let joined = joined_as_written(&before, &of.of, &typing.expr, &typing.of);
                        joined.unwrap_or_else(|| self.joined(item, &of.of, &typing.of))
                    };
                    loose &= typing.loose || typing.of == Type::Null;
                }
                if items.is_empty() {
                    of.of = Type::Any;
                }
                let unit = typings.first().and_then(|(_, first)| first.unit);
                let unit = unit.filter(|unit| typings.iter().all(|(_, item)| item.unit == Some(*unit)));
                let items = typings.into_iter().map(|(_, typing)| typing.expr).collect();
                Typing::new(Op::List(items), Type::List(Box::new(of))).in_unit(unit)
            }
            Syntax::Record(entries) => self.record(entries),
            Syntax::Range { low, low_closed, high, high_closed } => {
                let low_typing = self.visit(low, options);
                let low_typing = self.set(low, low_typing);
                let high_typing = self.visit(high, options);
                let high_typing = self.set(high, high_typing);
                self.check_alike(node, &low_typing, &high_typing, true);
                let unit = low_typing.unit.filter(|unit| high_typing.unit == Some(*unit));
                let of = if low_typing.loose { high_typing.of } else { low_typing.of };
                let (low, high) = (low_typing.expr, high_typing.expr);
                let op = Op::Range { low, low_closed: *low_closed, high, high_closed: *high_closed };
                Typing::new(op, Type::Range(Box::new(of))).in_unit(unit)
            }
            Syntax::Negate(of) => {
                let typing = self.visit(of, None);
                let typing = self.set(of, typing);
                if !matches!(typing.of, Type::Number | Type::Money | Type::Duration | Type::Any) {
                    self.wrong_type(of, &typing.of, &Type::Number);
                }
                Typing { expr: Expr::new(Op::Negate(typing.expr)), ..typing }
            }
            Syntax::Arithmetic(op, a, b) => self.arithmetic(node, *op, a, b),
            Syntax::Compare(op, a, b) => self.compare(node, *op, a, b),
            Syntax::And(parts) => self.connect(parts, true),
            Syntax::Or(parts) => self.connect(parts, false),
            Syntax::If(condition, then, otherwise) => {
                let asked = self.condition(condition);
                let known = self.holding(condition, &asked.expr, true);
                let first = self.knowing(known, |pass| pass.visit(then, options));
                let known = self.holding(condition, &asked.expr, false);
                let second = self.knowing(known, |pass| pass.visit(otherwise, options));
                let of = match (&first.of, &second.of) {
                    (Type::Money, Type::Number) if second.loose => Type::Money,
                    (Type::Number, Type::Money) if first.loose => Type::Money,
                    (a, b) => joined_as_written(&[&first.expr], a, &second.expr, b)
                        .unwrap_or_else(|| self.joined(otherwise, a, b)),
                };
                Typing {
                    expr: Expr::new(Op::If(asked.expr, first.expr, second.expr)),
                    of,
                    optional: first.optional || second.optional,
                    loose: first.loose && second.loose,
                    unit: match (first.unit, second.unit) {
                        (unit, None) if second.of == Type::Null => unit,
                        (None, unit) if first.of == Type::Null => unit,
                        (one, other) => one.filter(|_| one == other),
                    },
                }
            }
            Syntax::Between(value, low, high) => {
                let typing = self.visit(value, None);
                let typing = self.set(value, typing);
                let hint = options_of(&typing.of);
                let mut ends = [low, high].map(|end| {
                    let found = self.visit(end, hint.as_ref());
                    let found = self.set(end, found);
                    self.check_alike(node, &typing, &found, true);
                    Some(found.expr)
                });
                let [low, high] = &mut ends;
                match (low.take(), high.take()) {
                    (Some(low), Some(high)) => Typing::new(Op::Between(typing.expr, low, high), Type::Boolean),
                    _ => Typing::unknown(),
                }
            }
            Syntax::In(value, tests) => self.contained(value, tests),
            Syntax::Path(of, name, range) => self.path(node, of, name, range),
            Syntax::Filter(list, condition) => {
                let typing = self.filter(list, condition);
                self.check_effort(node, &typing.expr);
                self.asked(node, typing)
            }
            Syntax::For(over, body) => {
                let (sources, body) = self.iterate(over, |pass| pass.visit(body, None));
                let of = Type::List(Box::new(body.typed()));
                let typing = Typing::new(Op::For(sources, body.expr), of).in_unit(body.unit);
                self.check_effort(node, &typing.expr);
                typing
            }
            Syntax::Some(over, body) => {
                let (sources, body) = self.iterate(over, |pass| pass.condition(body));
                let typing = Typing::new(Op::Some(sources, body.expr), Type::Boolean);
                self.check_effort(node, &typing.expr);
                typing
            }
            Syntax::Every(over, body) => {
                let (sources, body) = self.iterate(over, |pass| pass.condition(body));
                let typing = Typing::new(Op::Every(sources, body.expr), Type::Boolean);
                self.check_effort(node, &typing.expr);
                typing
            }
            Syntax::InstanceOf(value, kind) => {
                let value = self.visit(value, None);
                Typing::new(Op::InstanceOf(value.expr, kind.clone()), Type::Boolean)
            }
            Syntax::Call(name, range, arguments) => {
                let typing = self.call(node, name, range, arguments);
                self.asked(node, typing)
            }
            Syntax::Function(..) => {
                self.fault(Fault::new(
                    node.range.clone(),
                    FaultKind::WrongType,
                    "函数只能作为参数或当场调用",
                    "a function only is an argument, or called where it is written",
                ));
                Typing::new(Op::Function { parameters: 0, body: Expr::literal(Value::Null) }, Type::Any)
            }
            Syntax::Apply(function, arguments) => self.apply(node, function, arguments),
        }
    }

    fn text(&mut self, node: &Node, text: &str, options: Option<&Options>) -> Typing {
        let value = Op::Literal(Value::text(text));
        let Some(options) = options else { return Typing::new(value, Type::Text) };
        if !options.iter().any(|option| option.as_ref() == text) {
            let all = options.iter().map(|option| format!("`{option}`")).collect::<Vec<_>>().join(" ");
            let fault = Fault::new(
                node.range.clone(),
                FaultKind::UnknownOption,
                format!("没有选项 `{text}`"),
                format!("there is no option `{text}`"),
            )
            .hint(format!("选项有：{all}。"), format!("The options are {all}."));
            self.fault(match likely(text, options.iter().map(AsRef::as_ref)) {
                Some(near) => fault
                    .hint(format!("是不是 `{near}`？"), format!("Did you mean `{near}`?"))
                    .suggest(format!("\"{near}\"")),
                None => fault,
            });
        }
        Typing::new(value, Type::Choice(Arc::clone(options)))
    }

    /// The type of values of both types, which have to be of one.
    pub(super) fn joined(&mut self, at: &Node, a: &Type, b: &Type) -> Type {
        types::join(a, b).unwrap_or_else(|| {
            let (name, a, b) = types::apart(a, b);
            let (a, b) = (types::words(a), types::words(b));
            let (zh, en) = match name {
                Some(name) => (
                    format!("一处的 `{name}` 是{}，一处的是{}", a.zh, b.zh),
                    format!("`{name}` of one is {}, of the other {}", a.en, b.en),
                ),
                None => (format!("一处是{}，一处是{}", a.zh, b.zh), format!("one is {}, the other {}", a.en, b.en)),
            };
            let fault = Fault::new(at.range.clone(), FaultKind::UnlikeTypes, zh, en);
            self.fault(fault.hint("两处应该是同一种值。", "Both have to be of one type."));
            Type::Any
        })
    }

    fn record(&mut self, entries: &[(String, Range<usize>, Node)]) -> Typing {
        let before = self.locals.len();
        let mut columns = IndexMap::new();
        let mut exprs = Vec::with_capacity(entries.len());
        for (name, range, node) in entries {
            let typing = self.visit(node, None);
            let typed = typing.typed();
            let field = FieldName::from(name.as_str());
            exprs.push((field.clone(), typing.expr));
            let unit = typing.unit;
            if columns.insert(field, typed.clone()).is_some() {
                self.fault(Fault::new(
                    range.clone(),
                    FaultKind::BadExpression,
                    format!("`{name}` 出现了两次"),
                    format!("`{name}` is here twice"),
                ));
            }
            self.locals.push(Local { name: name.clone(), typed, row: false, unit, of: None });
        }
        self.locals.truncate(before);
        Typing::new(Op::Record(exprs), Type::Record(Arc::new(columns)))
    }

    fn connect(&mut self, parts: &[Node], all: bool) -> Typing {
        let before = self.facts.len();
        let mut exprs = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let told = self.faults.len();
            exprs.push(self.condition(part).expr);
            let before = at.checked_sub(1).and_then(|before| parts.get(before));
            if let (false, Some((zh, en))) = (all, self.one_of_several(before, part))
                && let Some(fault) = self.faults.get_mut(told).filter(|fault| fault.kind == FaultKind::WrongType)
            {
                fault.hint = Some(Wording::new(zh, en));
            }
            let known = exprs.last().map(|expr| self.holding(part, expr, all)).unwrap_or_default();
            self.facts.extend(known);
        }
        self.facts.truncate(before);
        Typing::new(if all { Op::And(exprs) } else { Op::Or(exprs) }, Type::Boolean)
    }
}

/// The type of a literal.
fn type_of(value: &Value) -> Type {
    match value {
        Value::Boolean(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::Text(_) => Type::Text,
        Value::Date(_) => Type::Date,
        Value::Time(_) => Type::Time,
        Value::DateTime(_) => Type::DateTime,
        Value::Duration(_) => Type::Duration,
        _ => Type::Any,
    }
}
