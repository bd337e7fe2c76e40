//! Values put together: arithmetic, comparisons and tests, and which of them mean something.

use super::domain::Domain;
use super::fault::{Fault, FaultKind};
use super::infer::{Infer, Local, Typing, options_of};
use super::narrow::{Fact, bound};
use super::tree::{Node, Syntax, Test};
use super::types;
use crate::model::formula::{Arithmetic, Comparison, Expr, Op};
use crate::model::text::Wording;
use crate::model::time::Unit;
use crate::model::value::{Type, Value};
use rust_decimal::Decimal;

impl Infer<'_> {
    pub(super) fn arithmetic(&mut self, node: &Node, op: Arithmetic, a: &Node, b: &Node) -> Typing {
        let left = self.visit(a, None);
        let left = self.set(a, left);
        let right = self.visit(b, None);
        let right = self.set(b, right);
        if op == Arithmetic::Divide && matches!(right.of, Type::Number | Type::Money | Type::Duration | Type::Any) {
            self.check_divisor(b, &right);
        }
        if op == Arithmetic::Power {
            self.check_power((a, &left), &right);
        }
        match types::arithmetic(op, (&left.of, left.loose), (&right.of, right.loose)) {
            Some((of, loose)) => {
                if (&left.of, &right.of) == (&Type::Duration, &Type::Duration) {
                    self.one_unit(node, &left, &right);
                }
                let unit = Infer::unit_after(op, &left, &right);
                let stretched = match (op, &left.of, &right.of) {
                    (Arithmetic::Multiply, Type::Number, Type::Duration) => Some((a, b, right.expr.clone())),
                    (Arithmetic::Multiply, Type::Duration, Type::Number) => Some((b, a, left.expr.clone())),
                    _ => None,
                };
                let typing = Typing::new(Op::Arithmetic(op, left.expr, right.expr), of);
                self.check_size(node, &typing.expr);
                if let Some((times, length, of)) = stretched {
                    self.check_reach(node, &typing.expr, times, (length, &of));
                }
                Typing { loose, unit, ..typing }
            }
            None => {
                self.unlike(node, (a, &left.of), (b, &right.of));
                Typing::new(Op::Arithmetic(op, left.expr, right.expr), Type::Any)
            }
        }
    }

    /// Reports a length of time that is taken so many times that it may be farther than time is counted.
    fn check_reach(&mut self, node: &Node, product: &Expr, times: &Node, (length, of): (&Node, &Expr)) {
        let Some((unit, most)) = self.extent(of).stretch().filter(|_| !self.scope.untyped) else { return };
        let (low, high) = self.extent(product).placed().map(|(_, ends)| ends).unwrap_or_default();
        let below = low.is_none_or(|low| low < -unit.reach());
        if !below && high.is_some_and(|high| high <= unit.reach()) {
            return;
        }
        let (written, n, length) = (self.written(node), self.written(times), self.written(length));
        let far = match unit {
            Unit::WorkingDays | Unit::WorkingHours => {
                Wording::new("工作时间能算的范围（大约十年）", "the ten years or so that working time is counted for")
            }
            Unit::Hours | Unit::Months => Wording::new("200 年", "200 years"),
        };
        let (limits, instead) = match below {
            true => (format!("min: 0, max: {most}"), format!("max(0, min({most}, {n}))")),
            false => (format!("max: {most}"), format!("min({most}, {n})")),
        };
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::MaybeTooFar,
            format!("`{written}` 可能超出{}", far.zh),
            format!("`{written}` may be longer than {}", far.en),
        );
        self.fault(fault.hint(
            format!("给 `{n}` 写上限制（`{limits}`），或写成 `{instead} * {length}`。"),
            format!("Limit `{n}` (`{limits}`), or write `{instead} * {length}`."),
        ));
    }

    /// Reports what has no power: zero where the power may be negative, less than zero where it may be no whole number.
    fn check_power(&mut self, (node, base): (&Node, &Typing), power: &Typing) {
        if self.scope.untyped || [&base.of, &power.of].iter().any(|of| !matches!(of, Type::Number | Type::Any)) {
            return;
        }
        let (exponent, least) = (self.extent(&power.expr), self.extent(&base.expr).ends().0);
        let at_least_zero = |end: Option<Decimal>| end.is_some_and(|end| end >= Decimal::ZERO);
        if !at_least_zero(exponent.ends().0) {
            self.check_divisor(node, base);
        }
        if !at_least_zero(least) && Domain::numbers(None, None, true).takes_fractions_of(&exponent) {
            return;
        }
        if !at_least_zero(least) {
            let written = self.written(node);
            let fault = Fault::new(
                node.range.clone(),
                FaultKind::WrongType,
                format!("`{written}` 可能小于零，而负数只有整数次幂"),
                format!("`{written}` may be below zero, and a negative number has none but whole powers"),
            );
            self.fault(fault.hint(
                format!("写成 `abs({written})`，或给它写上 `min: 0`。"),
                format!("Write `abs({written})`, or limit it with `min: 0`."),
            ));
        }
    }

    /// Reports a divisor that is not known to be other than zero.
    pub(super) fn check_divisor(&mut self, node: &Node, divisor: &Typing) {
        if self.scope.untyped || self.knows(node, Fact::NotZero) || self.extent(&divisor.expr).is_never_zero() {
            return;
        }
        if let (Syntax::If(condition, then, otherwise), Op::If(asked, first, second)) =
            (&node.syntax, divisor.expr.op())
        {
            for (side, expr, truth) in [(then, first, true), (otherwise, second, false)] {
                let known = self.holding(condition, asked, truth);
                let side_of = Typing { expr: expr.clone(), ..divisor.clone() };
                self.knowing(known, |pass| pass.check_divisor(side, &side_of));
            }
            return;
        }
        let written = self.written(node);
        let zero = if divisor.of == Type::Duration { "0 days" } else { "0" };
        let fault = match bound(node) {
            Some(number) if number.is_zero() => Fault::new(
                node.range.clone(),
                FaultKind::MaybeZeroDivision,
                "不能除以零",
                "nothing can be divided by zero",
            ),
            Some(_) => return,
            None => Fault::new(
                node.range.clone(),
                FaultKind::MaybeZeroDivision,
                format!("`{written}` 可能是零"),
                format!("`{written}` may be zero"),
            )
            .hint(
                format!("先判断：`if {written} != {zero} then … else …`。"),
                format!("Ask first: `if {written} != {zero} then … else …`."),
            ),
        };
        self.fault(fault);
    }

    /// Reports two values that have nothing to do with each other.
    pub(super) fn unlike(&mut self, node: &Node, (a, a_of): (&Node, &Type), (b, b_of): (&Node, &Type)) {
        let (x, y) = (types::words(a_of), types::words(b_of));
        let fault = Fault::new(
            node.range.clone(),
            FaultKind::UnlikeTypes,
            format!("{}和{}不能放在一起", x.zh, y.zh),
            format!("{} and {} have nothing to do with each other", x.en, y.en),
        );
        let (wa, wb) = (self.written(a), self.written(b));
        let write = |fault: Fault, instead: String| {
            fault.hint(format!("例如写成 `{instead}`。"), format!("For example, write `{instead}`."))
        };
        let temporal = |of: &Type| matches!(of, Type::Date | Type::DateTime);
        for (of, written, other) in [(a_of, wb, b), (b_of, wa, a)] {
            if let (true, Some(day)) = (temporal(of), super::habit::day(written)) {
                let day = format!("date(\"{day}\")");
                let fault = Fault { range: other.range.clone(), ..write(fault, day.clone()) };
                return self.fault(fault.suggest(day));
            }
            if temporal(of) && super::habit::looks_like_day(written) {
                let fault = fault.hint("没有这一天。", "There is no such day.");
                return self.fault(Fault { range: other.range.clone(), ..fault });
            }
        }
        // `2026-03-05 days`: a day that was taken for a number of days.
        if matches!((a_of, b_of), (Type::Number, Type::Duration))
            && let Some(day) =
                super::habit::day(self.written(node).trim_end_matches(|c: char| c.is_alphabetic() || c == ' '))
        {
            let day = format!("date(\"{day}\")");
            return self.fault(write(fault, day.clone()).suggest(day));
        }
        if let Some((zh, en)) = self.of_rows(node) {
            return self.fault(fault.hint(zh, en));
        }
        let (left, right) = (&a.syntax, &b.syntax);
        let between = self.between(a, b);
        let number = |of: &Type| matches!(of, Type::Number | Type::Money);
        let compared = matches!(node.syntax, Syntax::Compare(..));
        // Rows beside plain values: which column is meant?
        for (of, other, written) in [(a_of, b_of, wa), (b_of, a_of, wb)] {
            if let (Some(columns), false) = (columns(of), columns(other).is_some()) {
                let all: Vec<String> = columns.keys().map(|column| format!("`{written}.{column}`")).collect();
                let all = all.join(" ");
                return self.fault(fault.hint(
                    format!("`{written}` 是一行行的明细，请写出是哪一列：{all}。"),
                    format!("`{written}` holds rows; say which column is meant: {all}."),
                ));
            }
        }
        let fault = match (a_of, b_of) {
            (a, Type::Text) | (Type::Text, a) if number(a) && compared => {
                match (a_of, left, right) {
                    // A field of text beside a bare number.
                    (Type::Text, left, Syntax::Number(_)) if !matches!(left, Syntax::Text(_)) => {
                        write(fault, format!("{wa} {between} \"{wb}\""))
                    }
                    (_, Syntax::Number(_), right) if !matches!(right, Syntax::Text(_)) => {
                        write(fault, format!("\"{wa}\" {between} {wb}"))
                    }
                    _ => fault.hint("数字不加引号，例如 `total > 500`。", "A number has no quotes: `total > 500`."),
                }
            }
            (Type::Person, Type::Text) if matches!(right, Syntax::Text(_)) => {
                write(fault, format!("{wa} {between} person({wb})"))
            }
            (Type::Person, Type::Text) => write(fault, format!("{wa}.id {between} {wb}")),
            (Type::Person, Type::Position) => write(fault, format!("{wa} in holders({wb})")),
            (Type::Person, Type::Department) => write(fault, format!("{wa}.department = {wb}")),
            (Type::Date | Type::DateTime, Type::Number) => {
                let sign = if matches!(node.syntax, Syntax::Arithmetic(Arithmetic::Subtract, ..)) { "-" } else { "+" };
                write(fault, format!("{wa} {sign} {}", super::habit::days(wb)))
            }
            (Type::DateTime, Type::Date) => write(fault, format!("date({wa}) {between} {wb}")),
            (Type::Date, Type::DateTime) => write(fault, format!("{wa} {between} date({wb})")),
            (Type::Choice(options), b) | (b, Type::Choice(options)) if number(b) && compared => {
                let all: Vec<String> = options.iter().map(|option| format!("`{option}`")).collect();
                let all = all.join(" ");
                fault.hint(format!("选项有：{all}。"), format!("The options are {all}."))
            }
            (Type::Text | Type::Choice(_), b) if number(b) => write(fault, format!("{wa} + string({wb})")),
            (a, Type::Text | Type::Choice(_)) if number(a) => write(fault, format!("string({wa}) + {wb}")),
            (a, b) if number(a) && number(b) && matches!(node.syntax, Syntax::Arithmetic(op, ..) if !adds(op)) => fault
                .hint(
                    "金额可以乘、除一个数字，得到金额；金额除以金额，得到数字。",
                    "Money times or divided by a number is money, and money divided by money a number.",
                ),
            (a, b) if number(a) && number(b) => fault.hint(
                "金额和数字不能加减或比较：把字段的类型改成一样，或乘、除一个数字。",
                "Money and numbers are not added or compared: give both the same type, or multiply or divide.",
            ),
            (_, Type::List(_)) => write(fault, format!("{wa} in {wb}")),
            (Type::List(_), _) => write(fault, format!("list contains({wa}, {wb})")),
            _ => fault,
        };
        self.fault(fault);
    }

    /// Whether two sides may be compared; reports if not.
    pub(super) fn check_alike(&mut self, node: &Node, a: &Typing, b: &Typing, order: bool) {
        let money = matches!((&a.of, &b.of), (Type::Money, Type::Number) if b.loose)
            || matches!((&a.of, &b.of), (Type::Number, Type::Money) if a.loose);
        let (x, y) = (types::words(&a.of), types::words(&b.of));
        if !money && !types::alike(&a.of, &b.of) {
            let (left, right) = match &node.syntax {
                Syntax::Compare(_, a, b) => (&**a, &**b),
                Syntax::Range { low, high, .. } => (&**low, &**high),
                _ => (node, node),
            };
            return self.unlike(node, (left, &a.of), (right, &b.of));
        }
        if (&a.of, &b.of) == (&Type::Duration, &Type::Duration) {
            self.one_unit(node, a, b);
        }
        if order && !(types::ordered(&a.of) && types::ordered(&b.of)) {
            self.fault(
                Fault::new(
                    node.range.clone(),
                    FaultKind::WrongType,
                    format!("{}和{}没有先后大小", x.zh, y.zh),
                    format!("{} and {} have no order", x.en, y.en),
                )
                .hint("只能用 `=`、`!=` 或 `in`。", "Only `=`, `!=` and `in` fit."),
            );
        }
    }

    /// Whether the type of a node only comes from the other side of a comparison.
    pub(super) fn leans(&self, node: &Node) -> bool {
        match &node.syntax {
            Syntax::Text(_) => true,
            Syntax::Name(name) => self.lookup(name).is_none(),
            Syntax::List(items) => items.iter().all(|item| self.leans(item)),
            _ => false,
        }
    }

    pub(super) fn compare(&mut self, node: &Node, op: Comparison, a: &Node, b: &Node) -> Typing {
        let (mut left, mut right);
        if self.leans(a) && !self.leans(b) {
            right = self.visit(b, None);
            left = self.visit(a, options_of(&right.of).as_ref());
        } else {
            let before = self.faults.len();
            left = self.visit(a, None);
            let wrong = self.faults.len();
            right = self.visit(b, options_of(&left.of).as_ref());
            if left.of == Type::Any && self.leans(b) {
                self.beside_spoilt(&left.expr, before..wrong);
            }
        }
        let order = !matches!(op, Comparison::Equal | Comparison::NotEqual);
        if order {
            left = self.set(a, left);
            right = self.set(b, right);
        }
        self.check_alike(node, &left, &right, order);
        Typing::new(Op::Compare(op, left.expr, right.expr), Type::Boolean)
    }

    /// Where something is wrong with a value, what stands bare beside it may be right: `told` are the faults of the
    /// value, those behind them are of its neighbour.
    fn beside_spoilt(&mut self, value: &Expr, told: std::ops::Range<usize>) {
        if !told.is_empty() {
            self.faults.truncate(told.end);
        } else if of_a_field(value) {
            self.faults.iter_mut().skip(told.end).for_each(|fault| fault.doubtful = true);
        }
    }

    pub(super) fn contained(&mut self, value: &Node, tests: &[Test]) -> Typing {
        let before = self.faults.len();
        let typing = if self.leans(value) {
            let hint = tests.iter().find_map(|test| match test {
                Test::Is(node) if !self.leans(node) => {
                    let before = self.faults.len();
                    let typing = self.visit(node, None);
                    self.faults.truncate(before);
                    options_of(&typing.of)
                }
                _ => None,
            });
            self.visit(value, hint.as_ref())
        } else {
            self.visit(value, None)
        };
        let asks = |test: &Test| match test {
            Test::Compare(..) => true,
            Test::Is(node) => matches!(node.syntax, Syntax::Range { .. }),
            _ => false,
        };
        let typing = if tests.iter().any(asks) { self.set(value, typing) } else { typing };
        let after = self.faults.len();
        let bare = tests.iter().all(|test| matches!(test, Test::Is(node) if self.leans(node)));
        let spoilt = (typing.of == Type::Any && bare).then(|| typing.expr.clone());
        let asked = typing.expr.clone();
        let typing = self.tests(typing, tests, false);
        self.at_the_value(value, &asked, after);
        if let Some(value) = spoilt {
            self.beside_spoilt(&value, before..after);
        }
        typing
    }

    /// Whether a value passes one of the tests; in a cell, conditions on `?` are tests too.
    pub(super) fn tests(&mut self, value: Typing, tests: &[Test], cell: bool) -> Typing {
        if let (Some(fault), false) = (self.meant_range(tests), self.scope.untyped) {
            self.fault(fault);
        }
        let mut typed = value.typed();
        if cell {
            // A cell that asks something is not passed by what is unset; the table says so.
            typed.optional = false;
        }
        let unit = value.unit;
        let of = Some(value.expr.clone());
        let local = Local { name: "?".into(), typed: typed.clone(), row: false, unit, of };
        let exprs = self.binding(vec![local], |pass, slot| {
            let subject = Typing {
                expr: Expr::new(Op::Local(slot)),
                of: typed.of.clone(),
                optional: typed.optional,
                loose: value.loose,
                unit,
            };
            tests.iter().map(|test| pass.test(&subject, test)).collect()
        });
        Typing::new(Op::In(value.expr, exprs), Type::Boolean)
    }

    pub(super) fn test(&mut self, subject: &Typing, test: &Test) -> Expr {
        let hint = options_of(&subject.of);
        match test {
            Test::Any => Expr::literal(Value::Boolean(true)),
            Test::Not(tests) => {
                let inner = tests.iter().map(|test| self.test(subject, test)).collect();
                Expr::new(Op::Call("not".into(), vec![Expr::new(Op::Or(inner))]))
            }
            Test::Compare(op, node) => {
                let order = !matches!(op, Comparison::Equal | Comparison::NotEqual);
                let mut other = self.visit(node, hint.as_ref());
                if order {
                    other = self.set(node, other);
                }
                self.check_alike(node, subject, &other, order);
                Expr::new(Op::Compare(*op, subject.expr.clone(), other.expr))
            }
            Test::Is(node) if mentions_subject(node) => self.condition(node).expr,
            Test::Is(node) => {
                let other = self.visit(node, hint.as_ref());
                let item = match &other.of {
                    Type::Range(of) => Typing { of: (**of).clone(), loose: true, ..other.clone() },
                    Type::List(of) if !matches!(subject.of, Type::List(_)) => {
                        let of = match &of.of {
                            Type::Range(of) => (**of).clone(),
                            of => of.clone(),
                        };
                        Typing { of, loose: true, ..other.clone() }
                    }
                    _ => other.clone(),
                };
                self.check_alike(node, subject, &item, false);
                Expr::new(Op::Matches(subject.expr.clone(), other.expr))
            }
        }
    }
}

fn adds(op: Arithmetic) -> bool {
    matches!(op, Arithmetic::Add | Arithmetic::Subtract)
}

/// The columns of rows, and of one.
fn columns(of: &Type) -> Option<&indexmap::IndexMap<crate::model::id::FieldName, crate::model::value::Typed>> {
    match of {
        Type::List(item) => columns(&item.of),
        Type::Record(columns) => Some(columns),
        _ => None,
    }
}

/// Whether a value is a field, or a part of one: its type is not known where its declaration could not be read.
fn of_a_field(expr: &Expr) -> bool {
    match expr.op() {
        Op::Field(_) => true,
        Op::Path(of, _) => of_a_field(of),
        _ => false,
    }
}

/// Whether a test is a condition on `?`.
fn mentions_subject(node: &Node) -> bool {
    let mut found = matches!(&node.syntax, Syntax::Name(name) if name == "?");
    node.syntax.each_child(&mut |child| found |= mentions_subject(child));
    found
}
