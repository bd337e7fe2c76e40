//! What may take more steps than an evaluation has: loops within loops over lists that may have many rows, and numbers
//! gone through up to one that people type.
//!
//! It is reckoned for lists that are as long as forms let them be. What `and`, `or` and `if` may leave out is left out,
//! and of a list whose length is not known one item is reckoned with: what is told takes so many steps.

use super::fault::{Fault, FaultKind};
use super::infer::Infer;
use super::line::Line;
use super::machine::{LIST_LIMIT, STEPS};
use super::size::USUAL;
use super::tree::Node;
use crate::model::form::MOST_ROWS;
use crate::model::formula::{Expr, Op, Source};
use crate::model::value::{Type, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::BTreeSet;

/// What is tried as a limit, so that it can be advised.
const LIMITS: [u64; 7] = [500, 300, 200, 100, 50, 20, 10];

impl Infer<'_> {
    /// Reports a loop that may take too many steps, or make too many items; those in it are reckoned with it.
    pub(super) fn check_effort(&mut self, node: &Node, expr: &Expr) {
        if self.scope.untyped || !self.locals.is_empty() {
            return;
        }
        let most = u64::try_from(MOST_ROWS).unwrap_or(u64::MAX);
        let mut effort = Effort { pass: self, rows: most, lists: BTreeSet::new(), numbers: BTreeSet::new() };
        if effort.fits(expr) {
            return;
        }
        let Effort { lists, numbers, .. } = effort;
        let fits = |rows| Effort { pass: self, rows, lists: BTreeSet::new(), numbers: BTreeSet::new() }.fits(expr);
        let enough = LIMITS.into_iter().find(|limit| !lists.is_empty() && fits(*limit)).unwrap_or(100);
        let quoted = |name: &String| format!("`{name}`");
        let open: Vec<String> = lists.iter().chain(&numbers).map(quoted).collect();
        let such = |rows: (&str, &str), number: (&str, &str)| {
            let rows = lists.iter().map(|list| format!("`{list}` {} {MOST_ROWS} {}", rows.0, rows.1));
            let all = rows.chain(numbers.iter().map(|name| format!("`{name}` {} {USUAL}", number.0)));
            all.collect::<Vec<_>>().join(number.1)
        };
        let (zh, en) = (such(("有", "行"), ("是", "，")), such(("has", "rows"), ("is", " and ")));
        let written = self.written(node);
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::TooComplex,
            format!("`{written}` 可能要算太多步，算不完：例如 {zh}"),
            format!("`{written}` may take too many steps to evaluate, as where {en}"),
        );
        self.fault(match open.as_slice() {
            [] => Fault::new(
                node.range.clone(),
                FaultKind::TooComplex,
                format!("`{written}` 要算太多步，算不完"),
                format!("`{written}` takes too many steps to evaluate"),
            ),
            open => fault.hint(
                format!("请给 {} 写上 `max`，例如 `max: {enough}`。", open.join("、")),
                format!("Limit {} with `max`, such as `max: {enough}`.", open.join(" and ")),
            ),
        });
    }
}

/// What an expression takes, and the lists and numbers without a limit that it goes through.
struct Effort<'e, 's> {
    pass: &'e Infer<'s>,
    /// How many rows a list without a limit has.
    rows: u64,
    lists: BTreeSet<String>,
    numbers: BTreeSet<String>,
}

impl Effort<'_, '_> {
    fn fits(&mut self, expr: &Expr) -> bool {
        let made = if let Op::For(sources, _) = expr.op() { self.through(sources).1 } else { 0 };
        self.of(expr) <= u64::from(STEPS) && usize::try_from(made).is_ok_and(|made| made <= LIST_LIMIT)
    }

    /// How many steps it takes.
    fn of(&mut self, expr: &Expr) -> u64 {
        let inner = match expr.op() {
            Op::For(sources, body) | Op::Some(sources, body) | Op::Every(sources, body) => {
                let (steps, times) = self.through(sources);
                steps.saturating_add(times.saturating_mul(self.of(body)))
            }
            Op::Filter { list, condition, .. } => {
                let each = self.count(list).saturating_mul(self.of(condition));
                self.of(list).saturating_add(each)
            }
            Op::And(parts) | Op::Or(parts) => parts.first().map_or(0, |first| self.of(first)),
            Op::If(condition, then, otherwise) => {
                let least = self.of(then).min(self.of(otherwise));
                self.of(condition).saturating_add(least)
            }
            op => op.children().into_iter().fold(0, |all: u64, child| all.saturating_add(self.of(child))),
        };
        inner.saturating_add(1)
    }

    /// How many steps going through takes by itself, and how many times the body is reached.
    fn through(&mut self, sources: &[Source<Expr>]) -> (u64, u64) {
        sources.iter().fold((0, 1), |(steps, times): (u64, u64), source| {
            let once = std::iter::once(&source.from).chain(&source.to).map(|end| self.of(end)).sum::<u64>();
            let count = match (&source.to, source.from.op()) {
                (Some(to), _) => self.between(&source.from, to),
                (None, Op::Range { low, high, .. }) => self.between(low, high),
                _ => self.count(&source.from),
            };
            let reached = times.saturating_mul(count);
            (steps.saturating_add(times.saturating_mul(once)).saturating_add(reached), reached)
        })
    }

    /// How many items a list may have.
    fn count(&mut self, list: &Expr) -> u64 {
        match list.op() {
            Op::Field(name) => {
                let several = self.pass.scope.fields.get(name).is_some_and(|typed| matches!(typed.of, Type::List(_)));
                let most = self.pass.scope.kept.most.get(name).and_then(Decimal::to_u64);
                match most {
                    Some(most) => most,
                    None if several => {
                        self.lists.insert(name.to_string());
                        self.rows
                    }
                    None => 1,
                }
            }
            Op::Path(of, _) => self.count(of),
            Op::Filter { list, .. } => self.count(list),
            Op::For(sources, _) => self.through(sources).1,
            Op::List(items) => items.len() as u64,
            Op::Literal(Value::List(items)) => items.len() as u64,
            Op::Call(name, arguments) if matches!(&**name, "sort" | "reverse" | "distinct values" | "flatten") => {
                arguments.first().map_or(1, |list| self.count(list))
            }
            Op::Call(name, lists) if matches!(&**name, "concatenate" | "union") => {
                lists.iter().fold(0, |all: u64, list| all.saturating_add(self.count(list)))
            }
            _ => 1,
        }
    }

    /// How many whole numbers may lie from one end to the other.
    fn between(&mut self, low: &Expr, high: &Expr) -> u64 {
        let ends = |of: &Expr| self.pass.extent(of).placed().filter(|(line, _)| *line == Line::Number);
        let (Some((_, (low, _))), Some((_, (_, most)))) = (ends(low), ends(high)) else { return 1 };
        let most = match (most, high.op()) {
            (Some(most), _) => most,
            (None, Op::Field(name)) => {
                self.numbers.insert(name.to_string());
                USUAL
            }
            _ => return 1,
        };
        let count = low.and_then(|low| most.checked_sub(low)).and_then(|far| far.checked_add(Decimal::ONE));
        count.and_then(|count| count.to_u64()).unwrap_or(1)
    }
}
