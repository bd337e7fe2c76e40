//! What an expression can come to, from what the fields that it reads can hold.
//!
//! Numbers are reckoned with as the interval that they lie in, and whether they are whole; lengths of time of one unit
//! are as numbers; what is chosen from names keeps them. The answer is never too small: where nothing is known, it is
//! anything. Of a list it is what its items are, and of rows each column by itself. `if` narrows what its condition asks,
//! whatever that is: `if a - b > 0 then a - b else 0` is never below zero; and so do filters of what they leave.

use super::domain::Domain;
use super::range::{Ends, Line, Values};
use super::region::{Declared, implied};
use crate::model::formula::{Arithmetic, Expr, Op, Source};
use crate::model::id::FieldName;
use crate::model::value::Value;
use rust_decimal::Decimal;

/// How deep fields that are computed from others are followed.
pub const DEPTH: usize = 12;

/// What an expression can come to. `known` are values that conditions around it have proved of parts of it.
pub fn extent(expr: &Expr, declared: &dyn Declared, known: &[(Expr, Values)]) -> Domain {
    Reckoning { declared, known: known.to_vec(), locals: Vec::new() }.of(expr)
}

/// What a condition proves of the values that it asks, where it is `truth`.
pub fn proves(condition: &Expr, truth: bool) -> Vec<(Expr, Values)> {
    implied(condition, truth)
}

struct Reckoning<'r> {
    declared: &'r dyn Declared,
    known: Vec<(Expr, Values)>,
    locals: Vec<Local>,
}

/// What a local stands for.
#[derive(Clone)]
enum Local {
    /// An item of the list that this is, as it was written where so many locals were in force.
    Item(Expr, usize),
    Value(Domain),
}

impl Reckoning<'_> {
    fn of(&mut self, expr: &Expr) -> Domain {
        let mut found = self.reckoned(expr);
        for (of, values) in &self.known {
            if of == expr {
                found = found.narrowed(values);
            }
        }
        found
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
            Op::For(sources, body) => self.each_of(sources, |inner| inner.of(body)),
            Op::Negate(of) => {
                let of = self.of(of);
                let turn = |end: Option<Decimal>| end.map(|end| -end);
                let turned = |(line, (low, high))| Domain::on(line, turn(high), turn(low), of.is_whole());
                of.values().measured().map_or(Domain::any(true), turned)
            }
            Op::Arithmetic(op, a, b) => self.arithmetic(*op, a, b),
            Op::If(condition, then, otherwise) => {
                let first = self.where_so(condition, true, |there| there.of(then));
                first.or(&self.where_so(condition, false, |there| there.of(otherwise)))
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

    /// What a branch of an `if` comes to.
    fn where_so<T>(&mut self, condition: &Expr, truth: bool, branch: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.known.len();
        self.known.extend(implied(condition, truth));
        let found = branch(self);
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
        let inner = self.locals.split_off(depth.min(self.locals.len()));
        let known = self.known.clone();
        let others = |part: &Expr| matches!(part.op(), Op::Local(slot) if usize::from(*slot) >= depth);
        self.known.retain(|(of, _)| !of.any(&mut |part| others(part)));
        let found = of(self);
        self.locals.truncate(depth);
        self.locals.extend(inner);
        self.known = known;
        found
    }

    fn item(&mut self, source: &Source<Expr>) -> Local {
        let Some(to) = &source.to else { return Local::Item(source.from.clone(), self.locals.len()) };
        let (from, to) = (self.of(&source.from), self.of(to));
        let whole = from.is_whole();
        Local::Value(match (from.values().ends(), to.values().ends()) {
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
                let item = column(&Expr::new(Op::Local(u16::try_from(self.locals.len()).unwrap_or(u16::MAX))));
                let kept = implied(condition, true).into_iter().filter(|(known, _)| *known == item);
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
                first.or(&self.where_so(condition, false, |there| there.of(&column(otherwise))))
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
                _ => Domain::any(true),
            },
            _ if self.is_time(of) => part_of_time(name.as_str()),
            _ => Domain::any(true),
        }
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
                [Source { from, to: None }] => self.count(from),
                _ => (None, None),
            },
            Op::If(condition, then, otherwise) => {
                let first = self.where_so(condition, true, |there| there.count(then));
                let second = self.where_so(condition, false, |there| there.count(otherwise));
                (least(first.0, second.0), greatest(first.1, second.1))
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

    /// The same, with what conditions have proved of it.
    fn count(&mut self, list: &Expr) -> Ends {
        self.of(&Expr::new(Op::Call("count".into(), vec![list.clone()]))).values().ends().unwrap_or_default()
    }

    /// Whether a value is a day, a moment or a length of time, by how it comes about: numbers have no parts.
    fn is_time(&self, of: &Expr) -> bool {
        match of.op() {
            Op::Arithmetic(..) => true,
            Op::Call(name, _) => ["today", "now", "date"].contains(&&**name),
            Op::Field(name) => self.declared.field(name).is_of_days(),
            _ => false,
        }
    }

    fn arithmetic(&mut self, op: Arithmetic, a: &Expr, b: &Expr) -> Domain {
        let (first, second) = (self.of(a), self.of(b));
        let (Some((of, x)), Some((by, y))) = (first.values().measured(), second.values().measured()) else {
            return Domain::any(true);
        };
        let whole = first.is_whole() && second.is_whole();
        match op {
            Arithmetic::Add if of == by => Domain::on(of, sum(x.0, y.0), sum(x.1, y.1), whole),
            Arithmetic::Subtract if of == by => {
                let turn = |end: Option<Decimal>| end.map(|end| -end);
                Domain::on(of, sum(x.0, turn(y.1)), sum(x.1, turn(y.0)), whole)
            }
            Arithmetic::Multiply if by == Line::Number && of != by => scaled(of, product(x, y)),
            Arithmetic::Multiply if of == Line::Number && of != by => scaled(by, product(x, y)),
            Arithmetic::Divide if by == Line::Number && of != by => scaled(of, quotient(x, y)),
            Arithmetic::Divide if of == by && of != Line::Number => {
                let (low, high) = quotient(x, y);
                Domain::numbers(low, high, false)
            }
            _ if of != Line::Number || by != Line::Number => Domain::any(true),
            Arithmetic::Add | Arithmetic::Subtract => Domain::any(true),
            Arithmetic::Multiply => {
                let (low, high) = product(x, y);
                Domain::numbers(low, high, whole)
            }
            Arithmetic::Divide => {
                let (low, high) = quotient(x, y);
                // What is left of a thing, as a share of it, is the whole of it at most.
                let most = self.is_part(a, b).then_some(Decimal::ONE);
                Domain::numbers(low, high.into_iter().chain(most).min(), false)
            }
            Arithmetic::Power => {
                let low = x.0.filter(|low| *low >= Decimal::ZERO).map(|_| Decimal::ZERO);
                Domain::numbers(low, None, false)
            }
        }
    }

    /// Whether `a` is no more than `b` and `b` is above zero, by how they are written: `b - c`, or `b` is `a + c`.
    fn is_part(&mut self, a: &Expr, b: &Expr) -> bool {
        let mut never_below = |of: &Expr| {
            let low = self.of(of).values().ends().and_then(|(low, _)| low);
            low.is_some_and(|low| low >= Decimal::ZERO)
        };
        if !never_below(b) {
            return false;
        }
        match (a.op(), b.op()) {
            (Op::Arithmetic(Arithmetic::Subtract, whole, rest), _) if whole == b => never_below(rest),
            (_, Op::Arithmetic(Arithmetic::Add, one, other)) if one == a => never_below(other),
            (_, Op::Arithmetic(Arithmetic::Add, one, other)) if other == a => never_below(one),
            _ => false,
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) -> Domain {
        let all: Vec<Domain> = arguments.iter().map(|argument| self.of(argument)).collect();
        let whole = all.iter().all(Domain::is_whole);
        let measured: Vec<Option<(Line, Ends)>> = all.iter().map(|domain| domain.values().measured()).collect();
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
        let zero = Some(Decimal::ZERO);
        let above = |ends: Ends| ends.0.is_some_and(|low| low >= Decimal::ZERO);
        let below = |ends: Ends| ends.1.is_some_and(|high| high <= Decimal::ZERO);
        let found = match (name, first) {
            ("count", _) => {
                let (least, most) = arguments.first().map(|list| self.counted(list)).unwrap_or_default();
                Some((least.or(zero), most, true))
            }
            ("string length", _) => Some((zero, None, true)),
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
                let mut of_rows = |end: Option<Decimal>| match (arguments, end) {
                    ([list], Some(end)) => self.count(list).1.and_then(|rows| rows.checked_mul(end)),
                    _ => None,
                };
                let (least, most) = ends.first().copied().unwrap_or_default();
                (if low { zero } else { of_rows(least) }, if high { zero } else { of_rows(most) }, whole)
            }),
            ("abs", Some(of)) => {
                let most = of.0.zip(of.1).map(|(low, high)| low.abs().max(high.abs()));
                let least = if above(of) { of.0 } else { zero };
                Some((least, most, whole))
            }
            ("modulo", Some(_)) => {
                ends.and_then(|ends| ends.get(1).copied()).filter(|by| above(*by)).map(|by| (zero, by.1, whole))
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
        found.map_or_else(|| Domain::any(true), |(low, high, whole)| Domain::on(line, low, high, whole))
    }
}

/// A part of a day, a moment or a length of time.
fn part_of_time(name: &str) -> Domain {
    let within = |low: u32, high: u32| Domain::numbers(Some(low.into()), Some(high.into()), true);
    match name {
        "weekday" => within(1, 7),
        "month" => within(1, 12),
        "day" => within(1, 31),
        "hour" => within(0, 23),
        "minute" => within(0, 59),
        "year" | "years" | "months" | "days" | "hours" | "minutes" => Domain::numbers(None, None, true),
        _ => Domain::any(true),
    }
}

/// Lengths of time that were multiplied or divided; of some units they come to whole ones.
fn scaled(line: Line, (low, high): Ends) -> Domain {
    match line {
        Line::Seconds => Domain::on(line, low, high, false),
        _ => Domain::on(line, low.map(|low| low.floor()), high.map(|high| high.ceil()), false),
    }
}

/// What is rounded to so many places lies between the places around it.
fn rounded(of: Ends, places: Option<&Expr>) -> Option<(Option<Decimal>, Option<Decimal>, bool)> {
    let places = match places.map(Expr::op) {
        None => 0,
        Some(Op::Literal(Value::Number(places))) if *places >= Decimal::ZERO => u32::try_from(*places).ok()?,
        Some(_) => return None,
    };
    use rust_decimal::RoundingStrategy::{ToNegativeInfinity, ToPositiveInfinity};
    let to = |end: Option<Decimal>, way| end.map(|end| end.round_dp_with_strategy(places.min(28), way));
    Some((to(of.0, ToNegativeInfinity), to(of.1, ToPositiveInfinity), places == 0))
}

fn least(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    a.zip(b).map(|(a, b)| a.min(b))
}

fn greatest(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    a.zip(b).map(|(a, b)| a.max(b))
}

fn sum(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    a.zip(b).and_then(|(a, b)| a.checked_add(b))
}

fn product(x: Ends, y: Ends) -> Ends {
    let zero = Decimal::ZERO;
    if let (Some(a), Some(b), Some(c), Some(d)) = (x.0, x.1, y.0, y.1) {
        let corners: Option<Vec<Decimal>> =
            [(a, c), (a, d), (b, c), (b, d)].into_iter().map(|(a, b)| a.checked_mul(b)).collect();
        return corners.map_or((None, None), |all| (all.iter().min().copied(), all.iter().max().copied()));
    }
    match (x.0.filter(|low| *low >= zero), y.0.filter(|low| *low >= zero)) {
        (Some(a), Some(c)) => (a.checked_mul(c), x.1.zip(y.1).and_then(|(b, d)| b.checked_mul(d))),
        _ => (None, None),
    }
}

/// A divisor is never zero: that is proved elsewhere.
fn quotient(x: Ends, y: Ends) -> Ends {
    let zero = Decimal::ZERO;
    let Some(c) = y.0.filter(|low| *low >= zero) else { return (None, None) };
    let by = |end: Option<Decimal>, by: Option<Decimal>| end.zip(by).and_then(|(end, by)| end.checked_div(by));
    let c = (c > zero).then_some(c);
    // The ends move towards zero with a larger divisor, away from it with a smaller one.
    let low = x.0.and_then(|low| if low >= zero { by(Some(low), y.1).or(Some(zero)) } else { by(Some(low), c) });
    let high = x.1.and_then(|high| if high <= zero { by(Some(high), y.1).or(Some(zero)) } else { by(Some(high), c) });
    (low, high)
}
