//! What begins with a word or a bracket: conditions, loops, calls, functions, lists, ranges, contexts, types.
#![expect(clippy::result_large_err, reason = "a parse ends at its first fault, so no fault travels far")]

use super::cursor::{KEYWORDS, Parser};
use super::fault::{Fault, FaultKind, likely};
use super::functions;
use super::habit::unit_of;
use super::lex::TokenKind;
use super::tree::{Argument, Iterator, Node, Syntax};
use crate::model::formula::Kind;
use crate::model::id::FieldName;
use crate::model::time::Duration;
use crate::model::value::Value;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::ops::Range;

impl Parser<'_> {
    /// A number, with `%` or a unit of time behind it.
    pub(super) fn measured(&mut self, number: Decimal, range: Range<usize>) -> Result<Node, Fault> {
        let bad = |range| Fault::new(range, FaultKind::BadTemporal, "这个时长太大", "this duration is too large");
        if self.sign_at(0, "%") {
            let end = self.take().range.end;
            let share = number.checked_div(Decimal::ONE_HUNDRED).ok_or_else(|| bad(range.clone()))?;
            return self.node(Syntax::Number(share.normalize()), range.start..end);
        }
        let working = self.word_at(0, "working");
        let Some(unit) = self.name_at(usize::from(working)).map(|unit| unit.trim_end_matches('s').to_owned()) else {
            return self.node(Syntax::Number(number), range);
        };
        let whole = |factor: i64| {
            let product = number.checked_mul(Decimal::from(factor))?;
            product.is_integer().then(|| product.to_i64()).flatten()
        };
        let exact = |size: i64| number.checked_mul(Decimal::from(size)).map(|n| Duration::Seconds(n.normalize()));
        let duration = match (working, unit.as_str()) {
            (true, "day") => whole(1).map(Duration::WorkingDays),
            (true, "hour") => whole(60).map(Duration::WorkingMinutes),
            (true, "minute") => whole(1).map(Duration::WorkingMinutes),
            (false, "second") => exact(1),
            (false, "minute") => exact(60),
            (false, "hour") => exact(3_600),
            (false, "day") => exact(86_400),
            (false, "week") => exact(604_800),
            (false, "month") => whole(1).map(Duration::Months),
            (false, "year") => whole(12).map(Duration::Months),
            _ => return self.no_unit(working, &unit, Syntax::Number(number), range),
        };
        (0..=usize::from(working)).for_each(|_| drop(self.take()));
        let whole = range.start..self.last_end();
        match duration {
            Some(duration) => self.node(Syntax::Literal(Value::Duration(duration)), whole),
            None if !number.is_integer() => {
                let unit = if working { format!("working {unit}s") } else { format!("{unit}s") };
                let fault = Fault::new(
                    whole,
                    FaultKind::BadTemporal,
                    format!("`{unit}` 前面要写整数"),
                    format!("a whole number stands before `{unit}`"),
                );
                Err(match (working, unit.as_str()) {
                    (true, "working days") => fault.hint(
                        "半个工作日用工作小时来写，例如 `4 working hours`；`36 hours` 是自然时间。",
                        "Half a working day is said in working hours, such as `4 working hours`; `36 hours` are hours of the clock.",
                    ),
                    (false, "months") => fault.hint("半个月写成天数，例如 `15 days`。", "Half a month is said in days, such as `15 days`."),
                    _ => fault,
                })
            }
            None => Err(bad(whole)),
        }
    }

    /// A number with a word behind it that is no unit. Keywords may follow a number, names may not.
    fn no_unit(&mut self, working: bool, word: &str, number: Syntax, range: Range<usize>) -> Result<Node, Fault> {
        let follows = self.name_at(0).unwrap_or(word);
        if !working && (KEYWORDS.contains(&follows) || follows == "instance" || self.habit().is_some()) {
            return self.node(number, range);
        }
        let meant = unit_of(&word.to_lowercase());
        let at = usize::from(working);
        let unit = self.ahead(at).range.clone();
        let written = self.text.get(unit.clone()).unwrap_or(word);
        let fault = Fault::new(
            unit,
            FaultKind::BadExpression,
            format!("数字后面的 `{written}` 不是时间单位"),
            format!("`{written}` after a number is no unit of time"),
        );
        let meant = meant.or_else(|| (!working && likely(word, ["working"]).is_some()).then_some("working"));
        let times = match word {
            "元" | "块" | "￥" | "rmb" | "RMB" | "CNY" => Some(1_i64),
            "千" | "千元" => Some(1_000),
            "万" | "万元" => Some(10_000),
            "亿" | "亿元" => Some(100_000_000),
            _ => None,
        };
        if let (Some(times), Syntax::Number(number)) = (times, &number) {
            let plain = number.checked_mul(Decimal::from(times)).unwrap_or(*number).normalize();
            return Err(Fault { range: range.start..fault.range.end, ..fault }
                .hint(format!("金额只写数字：`{plain}`。"), format!("An amount is just a number: `{plain}`."))
                .suggest(plain.to_string()));
        }
        Err(match meant {
            Some(meant) => {
                let one = matches!(&number, Syntax::Number(number) if *number == Decimal::ONE);
                let meant = if one { meant.strip_suffix('s').unwrap_or(meant) } else { meant };
                match self.text.get(range.clone()).filter(|_| range.end == fault.range.start) {
                    // `1天` holds no space to keep.
                    Some(count) => {
                        let whole = format!("{count} {meant}");
                        Fault { range: range.start..fault.range.end, ..fault }.did_you_mean(Some(whole))
                    }
                    None => fault.did_you_mean(Some(meant.to_owned())),
                }
            }
            None => fault.hint(
                "时长写成数字加单位：`3 days`、`2 working days`、`36 hours`；乘号是 `*`。",
                "A duration is a number and a unit: `3 days`, `2 working days`, `36 hours`; times is written `*`.",
            ),
        })
    }

    pub(super) fn word(&mut self, word: &str, range: Range<usize>) -> Result<Node, Fault> {
        match word {
            "if" => return self.if_then_else(range.start),
            "for" => return self.for_return(range.start),
            "some" | "every" => return self.satisfies(word == "some", range.start),
            "function" if self.sign_at(1, "(") => return self.function(range.start),
            "true" | "false" | "null" => {
                self.take();
                let value = if word == "null" { Value::Null } else { Value::Boolean(word == "true") };
                return self.node(Syntax::Word(value), range);
            }
            word if KEYWORDS.contains(&word) => {
                return Err(self.unexpected("这里应该是一个值", "a value is expected here"));
            }
            _ => {}
        }
        if let Some(words) = self.function_words() {
            return self.call(word, words, range.start);
        }
        self.take();
        self.node(Syntax::Name(word.to_owned()), range)
    }

    // Each in a frame of its own, so that what is nested deeply has room on a small stack.
    fn for_return(&mut self, start: usize) -> Result<Node, Fault> {
        self.take();
        let over = self.iterators()?;
        self.expect_word("return")?;
        let body = self.expression()?;
        let whole = start..body.range.end;
        self.node(Syntax::For(over, Box::new(body)), whole)
    }

    fn satisfies(&mut self, one: bool, start: usize) -> Result<Node, Fault> {
        self.take();
        let over = self.iterators()?;
        self.expect_word("satisfies")?;
        let body = self.expression()?;
        let whole = start..body.range.end;
        let make = if one { Syntax::Some } else { Syntax::Every };
        self.node(make(over, Box::new(body)), whole)
    }

    /// A call of a function whose name has so many words, of which the first is known.
    fn call(&mut self, first: &str, words: usize, start: usize) -> Result<Node, Fault> {
        let mut name = first.to_owned();
        for by in 1..words {
            name.push(' ');
            name.push_str(self.name_at(by).unwrap_or(""));
        }
        (0..words).for_each(|_| drop(self.take()));
        let named = start..self.last_end();
        let arguments = self.arguments()?;
        let whole = start..self.last_end();
        self.node(Syntax::Call(name, named, arguments), whole)
    }

    /// How many words the name of the function that is called here has.
    pub(super) fn function_words(&self) -> Option<usize> {
        let reaches = |words: usize| self.sign_at(words, "(");
        let mut name = String::new();
        let mut words = 0;
        // `date and time(`: a keyword may be part of a name, but only of a known one.
        for by in 0..6 {
            let Some(word) = self.name_at(by) else { break };
            if by > 0 {
                name.push(' ');
            }
            name.push_str(word);
            if reaches(by + 1) && functions::find(&name).is_some() {
                words = by + 1;
            }
        }
        if words > 0 {
            return Some(words);
        }
        let plain = (0..6).take_while(|by| self.plain_name_at(*by).is_some()).count();
        (plain > 0 && reaches(plain)).then_some(plain)
    }

    pub(super) fn arguments(&mut self) -> Result<Vec<Argument>, Fault> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            let words = (0..4).take_while(|by| self.name_at(*by).is_some()).count();
            let name = (words > 0 && self.sign_at(words, ":")).then(|| {
                let range = self.peek().range.start..self.ahead(words - 1).range.end;
                let name: Vec<String> = (0..words)
                    .filter_map(|_| match self.take().kind {
                        TokenKind::Name(word) => Some(word),
                        _ => None,
                    })
                    .collect();
                (name.join(" "), range)
            });
            if name.is_some() {
                self.take();
            }
            arguments.push(Argument { name, value: self.expression()? });
            if !self.accept(",") {
                self.expect(")")?;
                return Ok(arguments);
            }
        }
    }

    pub(super) fn if_then_else(&mut self, start: usize) -> Result<Node, Fault> {
        self.take();
        let condition = self.expression()?;
        self.expect_word("then")?;
        let then = self.expression()?;
        if !self.word_at(0, "else") {
            return Err(self
                .unexpected("`if … then …` 后面应该是 `else`", "`else` is expected after `if … then …`")
                .hint("没有别的值时写 `else null`。", "Where there is no other value, write `else null`."));
        }
        self.take();
        let otherwise = self.expression()?;
        let whole = start..otherwise.range.end;
        self.node(Syntax::If(Box::new(condition), Box::new(then), Box::new(otherwise)), whole)
    }

    pub(super) fn iterators(&mut self) -> Result<Vec<Iterator>, Fault> {
        let mut all = Vec::new();
        loop {
            let Some(name) = self.plain_name_at(0).map(str::to_owned) else {
                return Err(self.unexpected("这里应该是一个名称", "a name is expected here"));
            };
            let range = self.take().range;
            self.expect_word("in")?;
            let from = self.expression()?;
            let to = if self.accept("..") { Some(self.sum()?) } else { None };
            all.push(Iterator { name, range, from, to });
            if !self.accept(",") {
                return Ok(all);
            }
        }
    }

    pub(super) fn function(&mut self, start: usize) -> Result<Node, Fault> {
        self.take();
        self.expect("(")?;
        let mut names = Vec::new();
        while !self.accept(")") {
            let Some(name) = self.plain_name_at(0).map(str::to_owned) else {
                return Err(self.unexpected("这里应该是参数的名称", "the name of a parameter is expected here"));
            };
            self.take();
            names.push(name);
            if self.accept(":") {
                self.kind(0)?;
            }
            if !self.sign_at(0, ")") {
                self.expect(",")?;
            }
        }
        let body = self.expression()?;
        let whole = start..body.range.end;
        self.node(Syntax::Function(names, Box::new(body)), whole)
    }

    /// What begins with a bracket: a list, a range, or an expression in parentheses.
    pub(super) fn bracket(&mut self) -> Result<Node, Fault> {
        let open = self.take();
        let start = open.range.start;
        let list = open.kind == TokenKind::Sign("[");
        if list && self.sign_at(0, "]") {
            let end = self.take().range.end;
            return self.node(Syntax::List(Vec::new()), start..end);
        }
        let first = self.expression()?;
        if self.accept("..") {
            return self.range_from(start, first, list);
        }
        match open.kind {
            TokenKind::Sign("(") => {
                let end = self.expect(")")?.end;
                Ok(Node { range: start..end, ..first })
            }
            TokenKind::Sign("[") => {
                let mut items = vec![first];
                while self.accept(",") {
                    items.push(self.expression()?);
                }
                let end = self.expect("]")?.end;
                self.node(Syntax::List(items), start..end)
            }
            _ => Err(self.unexpected("这里应该是 `..`", "`..` is expected here")),
        }
    }

    /// The rest of a range, after its `..`.
    pub(super) fn range_from(&mut self, start: usize, low: Node, low_closed: bool) -> Result<Node, Fault> {
        let high = self.expression()?;
        let close = self.peek().clone();
        let high_closed = match close.kind {
            TokenKind::Sign("]") => true,
            TokenKind::Sign(")" | "[") => false,
            _ => return Err(self.unexpected("这里应该是 `]` 或 `)`", "`]` or `)` is expected here")),
        };
        self.take();
        let syntax = Syntax::Range { low: Box::new(low), low_closed, high: Box::new(high), high_closed };
        self.node(syntax, start..close.range.end)
    }

    pub(super) fn context(&mut self) -> Result<Node, Fault> {
        let start = self.take().range.start;
        let mut entries = Vec::new();
        while !self.sign_at(0, "}") {
            let key = self.peek().clone();
            let (name, range) = match key.kind {
                TokenKind::Text(text) => {
                    self.take();
                    (text, key.range)
                }
                TokenKind::Name(_) => {
                    // The standard lets a name hold `+ - * / . '`.
                    let mut end = key.range.end;
                    while matches!(self.peek().kind, TokenKind::Name(_) | TokenKind::Number(_))
                        || ["+", "-", "*", "/", "."].iter().any(|sign| self.sign_at(0, sign))
                    {
                        end = self.take().range.end;
                    }
                    let written = self.text.get(key.range.start..end).unwrap_or("");
                    (written.split_whitespace().collect::<Vec<_>>().join(" "), key.range.start..end)
                }
                _ => return Err(self.unexpected("这里应该是一个名称", "a name is expected here")),
            };
            self.expect(":")?;
            entries.push((name, range, self.expression()?));
            if !self.sign_at(0, "}") {
                self.expect(",")?;
            }
        }
        let end = self.take().range.end;
        self.node(Syntax::Record(entries), start..end)
    }

    /// The type after `instance of`.
    pub(super) fn kind(&mut self, depth: usize) -> Result<Kind, Fault> {
        if depth > 8 {
            return Err(self.too_deep());
        }
        let start = self.peek().range.start;
        let words = |parser: &Self, words: &[&str]| words.iter().enumerate().all(|(by, word)| parser.word_at(by, word));
        for (name, kind) in [
            (&["date", "and", "time"][..], Kind::DateTime),
            (&["days", "and", "time", "duration"][..], Kind::Days),
            (&["years", "and", "months", "duration"][..], Kind::Months),
        ] {
            if words(self, name) {
                name.iter().for_each(|_| drop(self.take()));
                return Ok(kind);
            }
        }
        let Some(name) = self.name_at(0).map(str::to_owned) else {
            return Err(self.unexpected("这里应该是类型", "a type is expected here"));
        };
        self.take();
        Ok(match name.as_str() {
            "Any" => Kind::Any,
            "Null" | "null" => Kind::Null,
            "number" => Kind::Number,
            "string" | "text" => Kind::Text,
            "boolean" => Kind::Boolean,
            "date" => Kind::Date,
            "time" => Kind::Time,
            "person" => Kind::Person,
            "position" => Kind::Position,
            "department" => Kind::Department,
            "list" | "range" => {
                let inner = if self.accept("<") {
                    let inner = self.kind(depth + 1)?;
                    self.expect(">")?;
                    inner
                } else {
                    Kind::Any
                };
                if name == "list" { Kind::List(Box::new(inner)) } else { Kind::Range(Box::new(inner)) }
            }
            "context" => {
                let mut entries = Vec::new();
                if self.accept("<") {
                    loop {
                        let Some(entry) = self.name_at(0).map(FieldName::from) else {
                            return Err(self.unexpected("这里应该是名称", "a name is expected here"));
                        };
                        self.take();
                        self.expect(":")?;
                        entries.push((entry, self.kind(depth + 1)?));
                        if !self.accept(",") {
                            break;
                        }
                    }
                    self.expect(">")?;
                }
                Kind::Record(entries)
            }
            "function" => {
                if self.accept("<") {
                    while !self.sign_at(0, ">") {
                        self.kind(depth + 1)?;
                        if !self.accept(",") {
                            break;
                        }
                    }
                    self.expect(">")?;
                    if self.accept("->") {
                        self.kind(depth + 1)?;
                    }
                }
                Kind::Function
            }
            _ => {
                let known = ["number", "string", "boolean", "date", "time", "list", "context", "range", "Any"];
                return Err(Fault::new(
                    start..self.last_end(),
                    FaultKind::UnknownName,
                    format!("没有名为 `{name}` 的类型"),
                    format!("there is no type `{name}`"),
                )
                .did_you_mean(likely(&name, known)));
            }
        })
    }
}
