//! What an expression can come to, from what the fields that it reads can hold.
//!
//! Numbers are reckoned with as the interval that they lie in, and whether they are whole; lengths of time of one unit
//! are as numbers; what is chosen from names keeps them. The answer is never too small: where nothing is known, it is
//! anything. Of a list it is what its items are, and of rows each column by itself. `if` narrows what its condition asks,
//! whatever that is: `if a - b > 0 then a - b else 0` is never below zero; and so do filters of what they leave. What two
//! things are to each other is what their difference is to zero: `if a > b then a - b else 0` is never below zero either.

use super::domain::Domain;
use super::interval::{greatest, least, part_of_time, rounded, sum};
use super::line::Line;
use super::range::{Ends, Values};
use super::region::{Declared, implied};
use crate::model::formula::{Arithmetic, Expr, Op, Source};
use crate::model::id::FieldName;
use crate::model::value::Value;
use rust_decimal::Decimal;

/// How much is reckoned for one expression: what conditions within conditions ask is asked again for each of their two
/// answers. Beyond it anything is held to be possible.
const EFFORT: usize = 5_000;

/// What an expression can come to. `known` are values that conditions around it have proved of parts of it.
pub fn extent(expr: &Expr, declared: &dyn Declared, known: &[(Expr, Values)]) -> Domain {
    Reckoning { declared, known: known.to_vec(), locals: Vec::new(), aside: false, left: EFFORT }.of(expr)
}

/// The same where names are bound around the expression: each to an item of a list, or to anything of a kind.
pub(super) fn extent_within(expr: &Expr, declared: &dyn Declared, locals: Vec<Local>) -> Domain {
    Reckoning { declared, known: Vec::new(), locals, aside: false, left: EFFORT }.of(expr)
}

/// What a condition proves of the values that it asks, where it is `truth`.
pub fn proves(condition: &Expr, truth: bool) -> Vec<(Expr, Values)> {
    implied(condition, truth, 0)
}

pub(super) struct Reckoning<'r> {
    declared: &'r dyn Declared,
    pub(super) known: Vec<(Expr, Values)>,
    locals: Vec<Local>,
    /// Whether this is what a local stands for, so that other locals are bound here than where something was proved.
    aside: bool,
    /// How much may be reckoned yet.
    left: usize,
}

/// What a local stands for.
#[derive(Clone)]
pub(super) enum Local {
    /// An item of the list that this is, or this itself, as it was written where so many locals were in force.
    Item(Expr, usize),
    Value(Domain),
}

impl Reckoning<'_> {
    pub(super) fn of(&mut self, expr: &Expr) -> Domain {
        let Some(left) = self.left.checked_sub(1) else { return Domain::any(true) };
        self.left = left;
        let mut found = self.reckoned(expr);
        if !self.is_told_apart(expr) {
            return found;
        }
        for (of, values) in &self.known {
            if of == expr {
                found = found.narrowed(values);
            }
        }
        match self.proved(expr) {
            Some(values) => found.narrowed(&values),
            None => found,
        }
    }

    /// What was proved of an expression before.
    pub(super) fn proved(&self, expr: &Expr) -> Option<Values> {
        let local = |expr: &Expr| matches!(expr.op(), Op::Local(_) | Op::Column { .. });
        if self.aside && expr.any(&mut |one| local(one)) { None } else { self.declared.proved(expr) }
    }

    /// Whether an expression means the same here as where something was proved of it: what is bound around it here may
    /// have been bound within it there.
    pub(super) fn is_told_apart(&self, expr: &Expr) -> bool {
        let around = self.locals.len();
        let binds = |expr: &Expr| {
            let walks = matches!(expr.op(), Op::Filter { .. } | Op::For(..) | Op::Some(..) | Op::Every(..));
            walks || matches!(expr.op(), Op::In(..) | Op::Record(_) | Op::Function { .. } | Op::Apply { .. })
        };
        let free = |expr: &Expr| match expr.op() {
            Op::Local(slot) | Op::Column { row: slot, .. } => usize::from(*slot) < around,
            _ => false,
        };
        around == 0 || !(expr.any(&mut |one| free(one)) && expr.any(&mut |one| binds(one)))
    }

    fn reckoned(&mut self, expr: &Expr) -> Domain {
        match expr.op() {
            Op::Literal(value) => Domain::only(value),
            Op::Field(name) => self.declared.field(name),
            Op::Local(slot) => match self.locals.get(usize::from(*slot)).cloned() {
                Some(Local::Item(list, depth)) => self.at(depth, |outer| outer.of(&list)),
                Some(Local::Value(domain)) => domain,
                None => Domain::any(true),
            },
            Op::Path(of, name) => self.path(expr, of, name),
            Op::List(items) => {
                let all = items.iter().map(|item| self.of(item)).reduce(|all, item| all.or(&item));
                all.unwrap_or_else(|| Domain::only(&Value::Null))
            }
            Op::Filter { list, .. } => self.of(list),
            Op::Call(name, arguments) if is_of_items(name) => {
                let lists = arguments.iter().take(lists_of(name));
                let all = lists.map(|list| self.of(list)).reduce(|all, list| all.or(&list));
                all.unwrap_or_else(|| Domain::any(true))
            }
            Op::For(sources, body) => self.each_of(sources, |inner| inner.of(body)),
            Op::Negate(of) => {
                let of = self.of(of);
                if of.placed().is_some() { of.turned() } else { Domain::any(true) }
            }
            Op::Arithmetic(op, a, b) => self.arithmetic(*op, a, b),
            Op::If(condition, then, otherwise) => {
                let first = self.where_so(condition, true, |there| there.of(then));
                let second = self.where_so(condition, false, |there| there.of(otherwise));
                one_of(first, second, |a, b| a.or(&b)).unwrap_or_else(Domain::nothing)
            }
            Op::Call(name, arguments) => self.call(name, arguments),
            Op::Compare(..) | Op::And(_) | Op::Or(_) | Op::Between(..) | Op::In(..) | Op::Matches(..) => {
                Domain::truth()
            }
            Op::Some(..) | Op::Every(..) | Op::InstanceOf(..) => Domain::truth(),
            Op::Step(..) => self.declared.part(expr).unwrap_or_else(|| Domain::any(true)),
            _ => Domain::any(true),
        }
    }

    /// What a branch of an `if` comes to; `None` where no value of what the condition asks leads there.
    fn where_so<T>(&mut self, condition: &Expr, truth: bool, branch: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let before = self.known.len();
        let implied = implied(condition, truth, self.locals.len());
        self.known.extend(implied.iter().cloned());
        // What is unset may be so for another reason than its declaration.
        let never = implied.iter().any(|(of, values)| !values.contains(&Value::Null) && self.of(of).is_nothing());
        let found = (!never).then(|| branch(self));
        self.known.truncate(before);
        found
    }

    /// What is made of each item.
    fn each_of<T>(&mut self, sources: &[Source<Expr>], body: impl FnOnce(&mut Self) -> T) -> T {
        self.at(self.locals.len(), |inner| {
            for source in sources {
                let item = inner.item(source);
                inner.locals.push(item);
            }
            body(inner)
        })
    }

    /// What something comes to where so many locals are in force and perhaps others than here beyond these: what is
    /// proved of those says nothing there.
    fn at<T>(&mut self, depth: usize, of: impl FnOnce(&mut Self) -> T) -> T {
        let aside = self.aside;
        self.aside |= depth < self.locals.len();
        let inner = self.locals.split_off(depth.min(self.locals.len()));
        let known = self.known.clone();
        let others = |part: &Expr| matches!(part.op(), Op::Local(slot) if usize::from(*slot) >= depth);
        self.known.retain(|(of, _)| !of.any(&mut |part| others(part)));
        let found = of(self);
        self.locals.truncate(depth);
        self.locals.extend(inner);
        (self.known, self.aside) = (known, aside);
        found
    }

    fn item(&mut self, source: &Source<Expr>) -> Local {
        let Some((from, to)) = ends_of(source) else { return Local::Item(source.from.clone(), self.locals.len()) };
        let (from, to) = (self.of(from), self.of(to));
        let whole = from.is_whole();
        Local::Value(match (from.values().ends(), to.values().ends()) {
            // An interval that ends before it begins has no numbers; `5..1` counts down.
            (Some((a, _)), Some((_, d))) if source.to.is_none() => Domain::numbers(a, d, whole),
            (Some((a, b)), Some((c, d))) => Domain::numbers(least(a, c), greatest(b, d), whole),
            _ => Domain::any(true),
        })
    }

    /// A column of a row or of all rows, or a part of a date.
    fn path(&mut self, expr: &Expr, of: &Expr, name: &FieldName) -> Domain {
        if let Some(domain) = self.declared.part(expr) {
            return domain;
        }
        let column = |of: &Expr| Expr::new(Op::Path(of.clone(), name.clone()));
        match of.op() {
            Op::Filter { list, condition, .. } => {
                // What the condition says of an item, which is the next local, holds of all that are left.
                let around = self.locals.len();
                let item = column(&Expr::new(Op::Local(u16::try_from(around).unwrap_or(u16::MAX))));
                let kept = implied(condition, true, around + 1).into_iter().filter(|(known, _)| *known == item);
                let all = self.of(&column(list));
                kept.fold(all, |left, (_, values)| left.narrowed(&values))
            }
            Op::Local(slot) => match self.locals.get(usize::from(*slot)).cloned() {
                Some(Local::Item(list, depth)) => self.at(depth, |outer| outer.of(&column(&list))),
                _ => Domain::any(true),
            },
            Op::For(sources, body) => self.each_of(sources, |inner| inner.of(&column(body))),
            Op::List(rows) => {
                let all = rows.iter().map(|row| self.of(&column(row))).reduce(|all, row| all.or(&row));
                all.unwrap_or_else(|| Domain::only(&Value::Null))
            }
            Op::Record(entries) => self.entry(entries, name),
            Op::If(condition, then, otherwise) => {
                let first = self.where_so(condition, true, |there| there.of(&column(then)));
                let second = self.where_so(condition, false, |there| there.of(&column(otherwise)));
                one_of(first, second, |a, b| a.or(&b)).unwrap_or_else(Domain::nothing)
            }
            Op::Call(function, arguments) => match (&**function, arguments.as_slice()) {
                ("sublist" | "reverse" | "distinct values" | "remove" | "sort", [list, ..]) => self.of(&column(list)),
                ("insert before" | "list replace", [list, _, item]) => {
                    let all = self.of(&column(list));
                    all.or(&self.of(&column(item)))
                }
                ("concatenate" | "union" | "append", [_, ..]) => {
                    let all = arguments.iter().map(|list| self.of(&column(list))).reduce(|all, list| all.or(&list));
                    all.unwrap_or_else(|| Domain::any(true))
                }
                _ => self.part(of, name),
            },
            _ => self.part(of, name),
        }
    }

    /// A part of a day, a moment or a length of time: numbers have none.
    fn part(&mut self, of: &Expr, name: &FieldName) -> Domain {
        let whole = self.of(of);
        let time = whole.is_of_time() || matches!(of.op(), Op::Arithmetic(..));
        if time { part_of_time(name.as_str(), &whole) } else { Domain::any(true) }
    }

    /// What a record has under a name; each entry is a local of those after it.
    fn entry(&mut self, entries: &[(FieldName, Expr)], name: &FieldName) -> Domain {
        let found = self.at(self.locals.len(), |inner| {
            let mut found = None;
            for (own, value) in entries {
                let domain = inner.of(value);
                inner.locals.push(Local::Value(domain.clone()));
                found = found.or((own == name).then_some(domain));
            }
            found
        });
        found.unwrap_or_else(|| Domain::only(&Value::Null))
    }

    /// How many items a list has at least and at most, as far as that is known.
    fn counted(&mut self, list: &Expr) -> Ends {
        let exactly = |count: usize| (Some(Decimal::from(count)), Some(Decimal::from(count)));
        match list.op() {
            Op::Field(name) => self.declared.rows(name),
            Op::List(items) => exactly(items.len()),
            // A place in a list is one item.
            Op::Filter { list, .. } => (None, self.count(list).1),
            Op::Path(of, _) => self.count(of),
            Op::For(sources, _) => match sources.as_slice() {
                [source] => match ends_of(source) {
                    Some((from, to)) => (None, self.counted_through(from, to)),
                    None => self.count(&source.from),
                },
                _ => (None, None),
            },
            Op::If(condition, then, otherwise) => {
                let first = self.where_so(condition, true, |there| there.count(then));
                let second = self.where_so(condition, false, |there| there.count(otherwise));
                one_of(first, second, |a, b| (least(a.0, b.0), greatest(a.1, b.1))).unwrap_or_default()
            }
            Op::Call(function, arguments) => match (&**function, arguments.as_slice()) {
                ("reverse" | "sort" | "list replace", [list, ..]) => self.count(list),
                ("sublist", [list, _]) => (Some(Decimal::ONE), self.count(list).1),
                ("sublist", [_, _, length]) => self.of(length).values().ends().unwrap_or_default(),
                ("distinct values" | "remove", [list, ..]) => (None, self.count(list).1),
                ("concatenate", lists) => lists
                    .iter()
                    .map(|list| self.count(list))
                    .fold(exactly(0), |all, more| (sum(all.0, more.0), sum(all.1, more.1))),
                ("insert before", [list, _, _]) => {
                    let before = self.count(list);
                    (sum(before.0, Some(Decimal::ONE)), sum(before.1, Some(Decimal::ONE)))
                }
                ("append", [list, items @ ..]) => {
                    let (before, more) = (self.count(list), exactly(items.len()));
                    (sum(before.0, more.0), sum(before.1, more.1))
                }
                _ => (None, None),
            },
            _ => (None, None),
        }
    }

    /// How many characters a text has at least and at most, as far as that is known.
    fn letters(&mut self, text: &Expr) -> Ends {
        let length = |inner: &mut Self, text: &Expr| {
            let length = inner.of(&Expr::new(Op::Call("string length".into(), vec![text.clone()])));
            length.placed().map(|(_, ends)| ends).unwrap_or_default()
        };
        match text.op() {
            Op::Literal(Value::Text(text)) => {
                let count = Decimal::from(text.chars().count());
                (Some(count), Some(count))
            }
            Op::Field(name) => self.declared.rows(name),
            Op::Arithmetic(Arithmetic::Add, a, b) => {
                let (a, b) = (length(self, a), length(self, b));
                (sum(a.0, b.0), sum(a.1, b.1))
            }
            Op::If(condition, then, otherwise) => {
                let first = self.where_so(condition, true, |there| length(there, then));
                let second = self.where_so(condition, false, |there| length(there, otherwise));
                one_of(first, second, |a, b| (least(a.0, b.0), greatest(a.1, b.1))).unwrap_or_default()
            }
            Op::Call(name, arguments) => match (&**name, arguments.as_slice()) {
                ("substring", [of, _]) => (None, length(self, of).1),
                ("substring", [of, _, most]) => {
                    let (whole, most) = (length(self, of).1, self.of(most).ends().1);
                    (None, whole.into_iter().chain(most).min())
                }
                _ => (None, None),
            },
            _ => (None, None),
        }
    }

    /// How many whole numbers there are at most from one to another, be it up or down.
    fn counted_through(&mut self, from: &Expr, to: &Expr) -> Option<Decimal> {
        let (a, b) = self.of(from).values().ends()?;
        let (c, d) = self.of(to).values().ends()?;
        let far = d?.checked_sub(a?)?.max(b?.checked_sub(c?)?);
        far.max(Decimal::ZERO).checked_add(Decimal::ONE)
    }

    /// The same, with what conditions have proved of it.
    fn count(&mut self, list: &Expr) -> Ends {
        let count = self.of(&Expr::new(Op::Call("count".into(), vec![list.clone()])));
        count.placed().map(|(_, ends)| ends).unwrap_or_default()
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) -> Domain {
        let all: Vec<Domain> = arguments.iter().map(|argument| self.of(argument)).collect();
        let whole = all.iter().all(Domain::is_whole);
        let measured: Vec<Option<(Line, Ends)>> = all.iter().map(Domain::placed).collect();
        // Lengths of time of one unit are as numbers to what puts them together.
        let together = matches!(name, "min" | "max" | "mean" | "median" | "sum" | "abs");
        let line = measured.iter().flatten().map(|(line, _)| *line).next().filter(|_| together).unwrap_or(Line::Number);
        let on_line = |found: &Option<(Line, Ends)>| found.filter(|(of, _)| *of == line).map(|(_, ends)| ends);
        let mut ends: Option<Vec<Ends>> = measured.iter().map(on_line).collect();
        let alike = measured.iter().flatten().all(|(of, _)| *of == line);
        if matches!(name, "min" | "max") && all.len() > 1 && alike && measured.iter().any(Option::is_some) {
            // Beside a number there are only numbers, whatever is known of them.
            ends = Some(measured.iter().map(|found| on_line(found).unwrap_or_default()).collect());
        }
        let first = ends.as_ref().and_then(|ends| ends.first()).copied();
        let rows = match (name, arguments) {
            ("sum", [list]) => self.count(list),
            _ => (None, None),
        };
        let zero = Some(Decimal::ZERO);
        let above = |ends: Ends| ends.0.is_some_and(|low| low >= Decimal::ZERO);
        let below = |ends: Ends| ends.1.is_some_and(|high| high <= Decimal::ZERO);
        let found = match (name, first) {
            ("count", _) => {
                let (least, most) = arguments.first().map(|list| self.counted(list)).unwrap_or_default();
                Some((least.or(zero), most, true))
            }
            ("string length", _) => {
                let (least, most) = arguments.first().map(|text| self.letters(text)).unwrap_or_default();
                Some((least.or(zero), most, true))
            }
            ("filled", _) => Some((zero, Some(Decimal::ONE), false)),
            ("sqrt", _) => Some((zero, None, false)),
            ("working days between", _) => Some((None, None, true)),
            ("index of", _) => Some((Some(Decimal::ONE), None, true)),
            ("week of year", _) => Some((Some(Decimal::ONE), Some(Decimal::from(53)), true)),
            ("day of year", _) => Some((Some(Decimal::ONE), Some(Decimal::from(366)), true)),
            // Of several the ends are known of each; a single argument is a list, and its own ends are those of all.
            ("min", Some(_)) => ends.map(|ends| {
                let low = ends.iter().map(|ends| ends.0).reduce(least).flatten();
                (low, ends.iter().filter_map(|ends| ends.1).min(), whole)
            }),
            ("max", Some(_)) => ends.map(|ends| {
                let high = ends.iter().map(|ends| ends.1).reduce(greatest).flatten();
                (ends.iter().filter_map(|ends| ends.0).max(), high, whole)
            }),
            ("mean" | "median", Some(_)) => ends.map(|ends| {
                let low = ends.iter().map(|ends| ends.0).reduce(least).flatten();
                (low, ends.iter().map(|ends| ends.1).reduce(greatest).flatten(), false)
            }),
            ("sum", Some(_)) => ends.map(|ends| {
                let (low, high) = (ends.iter().all(|ends| above(*ends)), ends.iter().all(|ends| below(*ends)));
                // As many rows as there may be, times the most of each.
                let times =
                    |end: Option<Decimal>, rows: Option<Decimal>| end.zip(rows).and_then(|(a, b)| a.checked_mul(b));
                let (least, most) = ends.first().copied().unwrap_or_default();
                // As many rows as there are, times the least of each, and nothing taken away.
                let fewest = match arguments {
                    [_] => times(least, rows.0),
                    _ => ends.iter().try_fold(Decimal::ZERO, |all, ends| all.checked_add(ends.0?)),
                };
                let low = if low { fewest.or(zero) } else { times(least, rows.1) };
                (low, if high { zero } else { times(most, rows.1) }, whole)
            }),
            ("abs", Some(of)) => {
                let most = of.0.zip(of.1).map(|(low, high)| low.abs().max(high.abs()));
                let least = if above(of) { of.0 } else { of.1.map(|high| -high).filter(|_| below(of)).or(zero) };
                Some((least, most, whole))
            }
            ("modulo", Some(_)) => ends.and_then(|ends| ends.get(1).copied()).filter(|by| above(*by)).map(|by| {
                // What is left is less than what it is divided by.
                let most = if whole { by.1.and_then(|by| by.checked_sub(Decimal::ONE)) } else { by.1 };
                (zero, most, whole)
            }),
            ("today", _) => return Domain::days(),
            ("date", _) => return Domain::days().with_null(true),
            ("now", _) => return any_of(Line::Moment),
            ("date and time", _) => return any_of(Line::Moment).with_null(true),
            ("years and months duration", _) => {
                let [from, to] = arguments else { return any_of(Line::Months) };
                let dated = all.iter().all(Domain::is_of_days);
                let found = any_of(Line::Months);
                return if dated { found.on_the_side_of(&self.difference(to, from)) } else { found };
            }
            (
                "floor" | "ceiling" | "decimal" | "round up" | "round down" | "round half up" | "round half down"
                | "round half even",
                Some(of),
            ) => rounded(of, arguments.get(1)),
            ("is working day" | "contains" | "starts with" | "ends with" | "matches" | "not" | "all" | "any", _) => {
                return Domain::truth();
            }
            _ => None,
        };
        let found = found.map(|(low, high, whole)| Domain::on(line, low, high, whole));
        match found {
            Some(found) if matches!(name, "min" | "max" | "sum" | "abs") => found.stepping_as(&all),
            found => found.unwrap_or_else(|| Domain::any(true)),
        }
    }
}

/// The first and the last of the numbers that are gone through.
fn ends_of(source: &Source<Expr>) -> Option<(&Expr, &Expr)> {
    match (&source.to, source.from.op()) {
        (Some(to), _) => Some((&source.from, to)),
        (None, Op::Range { low, high, .. }) => Some((low, high)),
        _ => None,
    }
}

/// What one of two branches comes to, where they are reached.
fn one_of<T>(first: Option<T>, second: Option<T>, either: impl FnOnce(T, T) -> T) -> Option<T> {
    match (first, second) {
        (Some(first), Some(second)) => Some(either(first, second)),
        (first, second) => first.or(second),
    }
}

/// Whether a function yields items of the lists that it is given, and nothing else.
fn is_of_items(name: &str) -> bool {
    matches!(name, "sort" | "reverse" | "distinct values" | "sublist" | "remove" | "concatenate" | "union")
}

/// How many of the arguments of such a function are lists.
fn lists_of(name: &str) -> usize {
    if matches!(name, "concatenate" | "union") { usize::MAX } else { 1 }
}

/// All of a line.
pub(super) fn any_of(line: Line) -> Domain {
    Domain::on(line, None, None, false)
}
