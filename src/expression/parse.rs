//! Tokens → a tree with places. The first fault of the grammar ends it; those of single signs are collected.
//!
//! One grammar serves expressions and unary tests (the cells of a decision table, the right side of `in`).
#![expect(clippy::result_large_err, reason = "a parse ends at its first fault, so no fault travels far")]

use super::fault::{Fault, FaultKind};
use super::functions;
use super::lex::{Token, TokenKind, lex};
use crate::model::formula::{Arithmetic, Comparison, DEPTH, Kind};
use crate::model::id::FieldName;
use crate::model::time::Duration;
use crate::model::value::Value;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::ops::Range;

/// The longest expression, in bytes.
pub(super) const LONGEST: usize = 4096;

/// A node of the tree as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) syntax: Syntax,
    pub(super) range: Range<usize>,
    depth: usize,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Syntax {
    Number(Decimal),
    /// A number with a unit, or `@"…"`.
    Literal(Value),
    Text(String),
    /// A constant by a word: `null`, `true`, `false`.
    Word(Value),
    Name(String),
    List(Vec<Node>),
    Record(Vec<(String, Range<usize>, Node)>),
    Range {
        low: Box<Node>,
        low_closed: bool,
        high: Box<Node>,
        high_closed: bool,
    },
    Negate(Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    Between(Box<Node>, Box<Node>, Box<Node>),
    In(Box<Node>, Vec<Test>),
    Path(Box<Node>, String, Range<usize>),
    Filter(Box<Node>, Box<Node>),
    For(Vec<Iterator>, Box<Node>),
    Some(Vec<Iterator>, Box<Node>),
    Every(Vec<Iterator>, Box<Node>),
    InstanceOf(Box<Node>, Kind),
    Call(String, Range<usize>, Vec<Argument>),
    Function(Vec<String>, Box<Node>),
    Apply(Box<Node>, Vec<Argument>),
}

/// A unary test.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// `< 5`.
    Compare(Comparison, Node),
    /// A value, a range, or a condition on `?`.
    Is(Node),
    /// `not(…)`.
    Not(Vec<Test>),
    /// `-`: everything passes.
    Any,
}

/// `name in from`, `name in from..to`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Iterator {
    pub(super) name: String,
    pub(super) range: Range<usize>,
    pub(super) from: Node,
    pub(super) to: Option<Node>,
}

/// An argument, perhaps with the name of its parameter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Argument {
    pub(super) name: Option<(String, Range<usize>)>,
    pub(super) value: Node,
}

/// Words that cannot be names.
pub(super) const KEYWORDS: [&str; 17] = [
    "and",
    "or",
    "if",
    "then",
    "else",
    "for",
    "in",
    "return",
    "some",
    "every",
    "satisfies",
    "between",
    "instance",
    "function",
    "true",
    "false",
    "null",
];

/// Reads an expression; the tree is there if the grammar holds, even where single signs were wrong.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<Fault>) {
    run(text, |parser| parser.expression())
}

/// Reads unary tests: `-`, `>= 5`, `[1..3], 7`, `not("a")`.
pub(super) fn parse_tests(text: &str) -> (Option<Vec<Test>>, Vec<Fault>) {
    run(text, |parser| parser.tests())
}

fn run<T>(text: &str, rule: impl FnOnce(&mut Parser<'_>) -> Result<T, Fault>) -> (Option<T>, Vec<Fault>) {
    if text.len() > LONGEST {
        let fault = Fault::new(
            0..text.len(),
            FaultKind::TooComplex,
            format!("表达式太长：{} 字节，最多 {LONGEST}", text.len()),
            format!("the expression is too long: {} bytes, {LONGEST} are the most", text.len()),
        )
        .hint("把它拆成几个计算字段。", "Split it into several computed fields.");
        return (None, vec![fault]);
    }
    let (tokens, mut faults) = lex(text);
    let mut parser = Parser { text, tokens, at: 0, nested: 0 };
    let parsed = rule(&mut parser).and_then(|tree| match parser.peek().kind {
        TokenKind::End => Ok(tree),
        _ => Err(parser.unexpected("表达式到这里已经结束", "the expression ended before this")),
    });
    match parsed {
        Ok(tree) => (Some(tree), faults),
        Err(fault) => {
            // A wrong sign usually is the reason for what the grammar stumbles over.
            if faults.is_empty() || fault.kind == FaultKind::TooComplex {
                faults.push(fault);
            }
            (None, faults)
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    nested: usize,
}

const END: Token = Token { kind: TokenKind::End, range: 0..0 };

impl Parser<'_> {
    fn ahead(&self, by: usize) -> &Token {
        self.tokens.get(self.at + by).or(self.tokens.last()).unwrap_or(&END)
    }

    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    fn sign_at(&self, by: usize, sign: &str) -> bool {
        matches!(&self.ahead(by).kind, TokenKind::Sign(s) if *s == sign)
    }

    fn word_at(&self, by: usize, word: &str) -> bool {
        matches!(&self.ahead(by).kind, TokenKind::Name(name) if name == word)
    }

    fn name_at(&self, by: usize) -> Option<&str> {
        match &self.ahead(by).kind {
            TokenKind::Name(name) => Some(name),
            _ => None,
        }
    }

    fn plain_name_at(&self, by: usize) -> Option<&str> {
        self.name_at(by).filter(|name| !KEYWORDS.contains(name))
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.sign_at(0, sign);
        if found {
            self.take();
        }
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.word_at(0, word);
        if found {
            self.take();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<Range<usize>, Fault> {
        if self.sign_at(0, sign) {
            return Ok(self.take().range);
        }
        Err(self.unexpected(&format!("这里应该是 `{sign}`"), &format!("`{sign}` is expected here")))
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Fault> {
        if self.accept_word(word) {
            return Ok(());
        }
        Err(self.unexpected(&format!("这里应该是 `{word}`"), &format!("`{word}` is expected here")))
    }

    fn unexpected(&self, zh: &str, en: &str) -> Fault {
        let token = self.peek();
        let range = token.range.clone();
        let found = self.text.get(range.clone()).unwrap_or("");
        let fault = if token.kind == TokenKind::End {
            Fault::new(
                range,
                FaultKind::BadExpression,
                format!("{zh}，但表达式已经结束"),
                format!("{en}, but the expression ends"),
            )
        } else {
            Fault::new(
                range,
                FaultKind::BadExpression,
                format!("{zh}，而不是 `{found}`"),
                format!("{en}, not `{found}`"),
            )
        };
        match (&token.kind, found) {
            (TokenKind::Sign("="), _) => {
                fault.hint("“大于等于”写成 `>=`，“小于等于”写成 `<=`。", "“At least” is written `>=`, “at most” `<=`.")
            }
            (TokenKind::Name(word), _) if self.at > 0 && !KEYWORDS.contains(&word.as_str()) => {
                fault.hint("名称是一个词，文字要用双引号。", "A name is one word, and a text stands in double quotes.")
            }
            _ => fault,
        }
    }

    fn too_deep(&self) -> Fault {
        Fault::new(
            0..self.text.len(),
            FaultKind::TooComplex,
            format!("表达式嵌套太深，最多 {DEPTH} 层"),
            format!("the expression is nested too deeply, {DEPTH} levels are the most"),
        )
        .hint("把它拆成几个计算字段。", "Split it into several computed fields.")
    }

    /// A node, unless it is too deep.
    fn node(&self, syntax: Syntax, range: Range<usize>) -> Result<Node, Fault> {
        let mut deepest = 0;
        syntax.each_child(&mut |child| deepest = deepest.max(child.depth));
        if deepest >= DEPTH {
            return Err(self.too_deep());
        }
        Ok(Node { syntax, range, depth: deepest + 1 })
    }

    fn binary(&self, a: Node, b: Node, make: impl FnOnce(Box<Node>, Box<Node>) -> Syntax) -> Result<Node, Fault> {
        let range = a.range.start..b.range.end;
        self.node(make(Box::new(a), Box::new(b)), range)
    }

    fn expression(&mut self) -> Result<Node, Fault> {
        if self.nested >= DEPTH {
            return Err(self.too_deep());
        }
        self.nested += 1;
        let node = self.or();
        self.nested -= 1;
        node
    }

    fn or(&mut self) -> Result<Node, Fault> {
        let first = self.sum()?;
        self.or_from(first)
    }

    /// An expression of which the first sum is read already.
    fn or_from(&mut self, first: Node) -> Result<Node, Fault> {
        let first = self.comparison_from(first)?;
        let mut parts = vec![self.and_from(first)?];
        while self.accept_word("or") {
            let next = self.comparison()?;
            parts.push(self.and_from(next)?);
        }
        self.joined(parts, Syntax::Or)
    }

    fn and_from(&mut self, first: Node) -> Result<Node, Fault> {
        let mut parts = vec![first];
        while self.accept_word("and") {
            parts.push(self.comparison()?);
        }
        self.joined(parts, Syntax::And)
    }

    fn joined(&self, mut parts: Vec<Node>, make: impl FnOnce(Vec<Node>) -> Syntax) -> Result<Node, Fault> {
        if parts.len() > 1 {
            let range = parts.first().map_or(0, |n| n.range.start)..parts.last().map_or(0, |n| n.range.end);
            return self.node(make(parts), range);
        }
        parts.pop().ok_or_else(|| self.too_deep())
    }

    fn comparison_sign(&mut self) -> Option<Comparison> {
        let comparison = match &self.peek().kind {
            TokenKind::Sign("=") => Comparison::Equal,
            TokenKind::Sign("!=") => Comparison::NotEqual,
            TokenKind::Sign("<") => Comparison::Less,
            TokenKind::Sign("<=") => Comparison::AtMost,
            TokenKind::Sign(">") => Comparison::Greater,
            TokenKind::Sign(">=") => Comparison::AtLeast,
            _ => return None,
        };
        self.take();
        Some(comparison)
    }

    fn comparison(&mut self) -> Result<Node, Fault> {
        let first = self.sum()?;
        self.comparison_from(first)
    }

    fn comparison_from(&mut self, mut left: Node) -> Result<Node, Fault> {
        loop {
            let start = left.range.start;
            if let Some(comparison) = self.comparison_sign() {
                let right = self.sum()?;
                left = self.binary(left, right, |a, b| Syntax::Compare(comparison, a, b))?;
            } else if self.accept_word("between") {
                let low = self.sum()?;
                self.expect_word("and")?;
                let high = self.sum()?;
                let range = start..high.range.end;
                left = self.node(Syntax::Between(Box::new(left), Box::new(low), Box::new(high)), range)?;
            } else if self.word_at(0, "instance") && self.word_at(1, "of") {
                self.take();
                self.take();
                let kind = self.kind(0)?;
                let range = start..self.last_end();
                left = self.node(Syntax::InstanceOf(Box::new(left), kind), range)?;
            } else if self.accept_word("in") {
                let tests = self.in_tests()?;
                let range = start..self.last_end();
                left = self.node(Syntax::In(Box::new(left), tests), range)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn last_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.range.end)
    }

    /// What stands after `in`: one test, or several in parentheses.
    fn in_tests(&mut self) -> Result<Vec<Test>, Fault> {
        if !self.sign_at(0, "(") {
            return Ok(vec![self.test()?]);
        }
        let start = self.take().range.start;
        let mut tests = match self.test()? {
            // The bracket was the open end of a range: `in (1..5]`.
            Test::Is(low) if self.accept("..") => return Ok(vec![Test::Is(self.range_from(start, low, false)?)]),
            test => vec![test],
        };
        while self.accept(",") {
            tests.push(self.test()?);
        }
        self.expect(")")?;
        Ok(tests)
    }

    /// Unary tests as a cell holds them.
    fn tests(&mut self) -> Result<Vec<Test>, Fault> {
        let mut tests = vec![self.test()?];
        while self.accept(",") {
            tests.push(self.test()?);
        }
        Ok(tests)
    }

    fn test(&mut self) -> Result<Test, Fault> {
        if self.nested >= DEPTH {
            return Err(self.too_deep());
        }
        let ends = |token: &Token| matches!(token.kind, TokenKind::End | TokenKind::Sign("," | ")"));
        if self.sign_at(0, "-") && ends(self.ahead(1)) {
            self.take();
            return Ok(Test::Any);
        }
        if let Some(comparison) = self.comparison_sign() {
            return Ok(Test::Compare(comparison, self.sum()?));
        }
        if self.word_at(0, "not") && self.sign_at(1, "(") {
            self.take();
            self.take();
            self.nested += 1;
            let tests = self.tests();
            self.nested -= 1;
            let tests = tests?;
            self.expect(")")?;
            return Ok(Test::Not(tests));
        }
        Ok(Test::Is(self.sum_or_condition()?))
    }

    /// In a cell a condition on `?` may stand: `? > 3 and ? < 9`; after `in` only a sum.
    fn sum_or_condition(&mut self) -> Result<Node, Fault> {
        let node = self.sum()?;
        let follows = match &self.peek().kind {
            TokenKind::Sign("=" | "!=" | "<" | "<=" | ">" | ">=") => true,
            TokenKind::Name(word) => matches!(word.as_str(), "between" | "in" | "instance"),
            _ => false,
        };
        if !follows {
            return Ok(node);
        }
        self.nested += 1;
        let whole = self.or_from(node);
        self.nested -= 1;
        whole
    }

    fn sum(&mut self) -> Result<Node, Fault> {
        let mut left = self.product()?;
        loop {
            let op = match &self.peek().kind {
                TokenKind::Sign("+") => Arithmetic::Add,
                TokenKind::Sign("-") => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            self.take();
            let right = self.product()?;
            left = self.binary(left, right, |a, b| Syntax::Arithmetic(op, a, b))?;
        }
    }

    fn product(&mut self) -> Result<Node, Fault> {
        let mut left = self.power()?;
        loop {
            let op = match &self.peek().kind {
                TokenKind::Sign("*") => Arithmetic::Multiply,
                TokenKind::Sign("/") => Arithmetic::Divide,
                TokenKind::Sign("%") => {
                    return Err(self
                        .unexpected("`%` 只能写在数字后面（如 `8 %`）", "`%` only stands after a number (as in `8 %`)")
                        .hint("求余数用 `modulo(a, b)`。", "For a remainder write `modulo(a, b)`."));
                }
                _ => return Ok(left),
            };
            self.take();
            let right = self.power()?;
            left = self.binary(left, right, |a, b| Syntax::Arithmetic(op, a, b))?;
        }
    }

    fn power(&mut self) -> Result<Node, Fault> {
        let mut left = self.unary()?;
        while self.accept("**") {
            let right = self.unary()?;
            left = self.binary(left, right, |a, b| Syntax::Arithmetic(Arithmetic::Power, a, b))?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, Fault> {
        let mut signs = Vec::new();
        while self.sign_at(0, "-") {
            signs.push(self.take().range.start);
            if signs.len() > DEPTH {
                return Err(self.too_deep());
            }
        }
        let mut node = self.postfix()?;
        for start in signs.into_iter().rev() {
            let range = start..node.range.end;
            node = match node.syntax {
                Syntax::Number(number) => Node { syntax: Syntax::Number(-number), range, depth: 1 },
                _ => self.node(Syntax::Negate(Box::new(node)), range)?,
            };
        }
        Ok(node)
    }

    fn postfix(&mut self) -> Result<Node, Fault> {
        let mut node = self.primary()?;
        loop {
            let start = node.range.start;
            if self.sign_at(0, ".") {
                self.take();
                let Some(name) = self.name_at(0).map(str::to_owned) else {
                    return Err(self.unexpected("点后面应该是名称", "a name is expected after the point"));
                };
                let mut range = self.take().range;
                let mut name = name;
                // Only contexts and `time offset` have names of several words.
                while let Some(more) = self.plain_name_at(0) {
                    name = format!("{name} {more}");
                    range.end = self.take().range.end;
                }
                let whole = start..range.end;
                node = self.node(Syntax::Path(Box::new(node), name, range), whole)?;
            } else if self.sign_at(0, "[") && !self.closes_range() {
                self.take();
                let condition = self.expression()?;
                let end = self.expect("]")?.end;
                node = self.node(Syntax::Filter(Box::new(node), Box::new(condition)), start..end)?;
            } else if self.sign_at(0, "(") {
                match &node.syntax {
                    Syntax::Function(..) => {
                        let arguments = self.arguments()?;
                        let whole = start..self.last_end();
                        node = self.node(Syntax::Apply(Box::new(node), arguments), whole)?;
                    }
                    _ => {
                        let fault = Fault::new(
                            node.range.clone(),
                            FaultKind::UnknownFunction,
                            "这不是函数，不能调用",
                            "this is no function and cannot be called",
                        );
                        return Err(fault);
                    }
                }
            } else {
                return Ok(node);
            }
        }
    }

    /// Whether the `[` here ends a range (`[18..21[`) and begins no filter.
    fn closes_range(&self) -> bool {
        match &self.ahead(1).kind {
            TokenKind::End => true,
            TokenKind::Sign(sign) => matches!(*sign, ")" | "]" | "}" | "," | "=" | "!=" | "<=" | ">=" | "<" | ">"),
            TokenKind::Name(word) => {
                matches!(word.as_str(), "and" | "or" | "then" | "else" | "return" | "satisfies" | "in" | "instance")
            }
            _ => false,
        }
    }

    fn primary(&mut self) -> Result<Node, Fault> {
        let token = self.peek().clone();
        let range = token.range.clone();
        match token.kind {
            TokenKind::Number(number) => {
                self.take();
                self.measured(number, range)
            }
            TokenKind::Text(text) => {
                self.take();
                self.node(Syntax::Text(text), range)
            }
            TokenKind::At(text) => {
                self.take();
                match functions::temporal::literal(&text) {
                    Some(value) => self.node(Syntax::Literal(value), range),
                    None => Err(Fault::new(
                        range,
                        FaultKind::BadTemporal,
                        format!("`{text}` 不是日期、时间或时长"),
                        format!("`{text}` is no date, time or duration"),
                    )
                    .hint(
                        "例如 `@\"2026-03-06\"`、`@\"09:30:00\"`、`@\"2026-03-06T09:30:00\"`、`@\"P3D\"`。",
                        "For example `@\"2026-03-06\"`, `@\"09:30:00\"`, `@\"2026-03-06T09:30:00\"`, `@\"P3D\"`.",
                    )),
                }
            }
            TokenKind::Name(word) => self.word(&word, range),
            TokenKind::Sign("(") | TokenKind::Sign("[") | TokenKind::Sign("]") => self.bracket(),
            TokenKind::Sign("{") => self.context(),
            TokenKind::Sign("?") => {
                self.take();
                self.node(Syntax::Name("?".into()), range)
            }
            _ => Err(self.unexpected("这里应该是一个值", "a value is expected here")),
        }
    }

    /// A number, with `%` or a unit of time behind it.
    fn measured(&mut self, number: Decimal, range: Range<usize>) -> Result<Node, Fault> {
        let bad = |range| {
            Fault::new(
                range,
                FaultKind::BadTemporal,
                "这个时长太大，或应该是整数",
                "this duration is too large, or has to be a whole number",
            )
        };
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
            _ => return self.node(Syntax::Number(number), range),
        };
        (0..=usize::from(working)).for_each(|_| drop(self.take()));
        let whole = range.start..self.last_end();
        match duration {
            Some(duration) => self.node(Syntax::Literal(Value::Duration(duration)), whole),
            None => Err(bad(whole)),
        }
    }

    fn word(&mut self, word: &str, range: Range<usize>) -> Result<Node, Fault> {
        match word {
            "if" => return self.if_then_else(range.start),
            "for" => {
                self.take();
                let over = self.iterators()?;
                self.expect_word("return")?;
                let body = self.expression()?;
                let whole = range.start..body.range.end;
                return self.node(Syntax::For(over, Box::new(body)), whole);
            }
            "some" | "every" => {
                self.take();
                let over = self.iterators()?;
                self.expect_word("satisfies")?;
                let body = self.expression()?;
                let whole = range.start..body.range.end;
                let make = if word == "some" { Syntax::Some } else { Syntax::Every };
                return self.node(make(over, Box::new(body)), whole);
            }
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
            let mut name = word.to_owned();
            for by in 1..words {
                name.push(' ');
                name.push_str(self.name_at(by).unwrap_or(""));
            }
            (0..words).for_each(|_| drop(self.take()));
            let named = range.start..self.last_end();
            let arguments = self.arguments()?;
            let whole = range.start..self.last_end();
            return self.node(Syntax::Call(name, named, arguments), whole);
        }
        self.take();
        self.node(Syntax::Name(word.to_owned()), range)
    }

    /// How many words the name of the function that is called here has.
    fn function_words(&self) -> Option<usize> {
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

    fn arguments(&mut self) -> Result<Vec<Argument>, Fault> {
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

    fn if_then_else(&mut self, start: usize) -> Result<Node, Fault> {
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

    fn iterators(&mut self) -> Result<Vec<Iterator>, Fault> {
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

    fn function(&mut self, start: usize) -> Result<Node, Fault> {
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
    fn bracket(&mut self) -> Result<Node, Fault> {
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
    fn range_from(&mut self, start: usize, low: Node, low_closed: bool) -> Result<Node, Fault> {
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

    fn context(&mut self) -> Result<Node, Fault> {
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
    fn kind(&mut self, depth: usize) -> Result<Kind, Fault> {
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
                .did_you_mean(super::fault::likely(&name, known)));
            }
        })
    }
}

impl Syntax {
    /// Visits each child.
    pub(super) fn each_child(&self, f: &mut dyn FnMut(&Node)) {
        match self {
            Syntax::Number(_) | Syntax::Literal(_) | Syntax::Text(_) | Syntax::Word(_) | Syntax::Name(_) => {}
            Syntax::List(nodes) | Syntax::And(nodes) | Syntax::Or(nodes) => nodes.iter().for_each(f),
            Syntax::Record(entries) => entries.iter().for_each(|(_, _, node)| f(node)),
            Syntax::Range { low: a, high: b, .. }
            | Syntax::Arithmetic(_, a, b)
            | Syntax::Compare(_, a, b)
            | Syntax::Filter(a, b) => [a, b].into_iter().for_each(|node| f(node)),
            Syntax::If(a, b, c) | Syntax::Between(a, b, c) => [a, b, c].into_iter().for_each(|node| f(node)),
            Syntax::Negate(a) | Syntax::Path(a, ..) | Syntax::InstanceOf(a, _) | Syntax::Function(_, a) => f(a),
            Syntax::In(value, tests) => {
                f(value);
                tests.iter().for_each(|test| test.each_child(f));
            }
            Syntax::For(over, body) | Syntax::Some(over, body) | Syntax::Every(over, body) => {
                for iterator in over {
                    f(&iterator.from);
                    iterator.to.iter().for_each(&mut *f);
                }
                f(body);
            }
            Syntax::Call(_, _, arguments) => arguments.iter().for_each(|argument| f(&argument.value)),
            Syntax::Apply(function, arguments) => {
                f(function);
                arguments.iter().for_each(|argument| f(&argument.value));
            }
        }
    }
}

impl Test {
    pub(super) fn each_child(&self, f: &mut dyn FnMut(&Node)) {
        match self {
            Test::Compare(_, node) | Test::Is(node) => f(node),
            Test::Not(tests) => tests.iter().for_each(|test| test.each_child(f)),
            Test::Any => {}
        }
    }
}
