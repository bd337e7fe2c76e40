//! Tokens → a tree with places: the operators, from the loosest to the tightest. The first fault of the grammar ends it; those of single signs are collected.
//!
//! One grammar serves expressions and unary tests (the cells of a decision table, the right side of `in`).
#![expect(clippy::result_large_err, reason = "a parse ends at its first fault, so no fault travels far")]

use super::cursor::Parser;
use super::fault::{Fault, FaultKind};
use super::functions;
use super::habit;
use super::lex::{Token, TokenKind, lex};
use super::tree::{Node, Syntax, Test};
use crate::model::formula::{Arithmetic, Comparison, DEPTH};
use std::ops::Range;

/// The longest expression, in bytes.
pub(super) const LONGEST: usize = 4096;

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
    let mut parser = Parser::new(text, tokens);
    let parsed = rule(&mut parser).and_then(|tree| match parser.peek().kind {
        TokenKind::End => Ok(tree),
        _ => Err(parser.unexpected("表达式到这里已经结束", "the expression ended before this")),
    });
    match parsed {
        Ok(tree) => (Some(tree), faults),
        Err(fault) => {
            if let Some(moment) = habit::moment(text) {
                let fault = Fault::new(
                    0..text.len(),
                    FaultKind::BadExpression,
                    "这里的日期和时间不能直接写",
                    "a date and a time do not stand here as they are",
                );
                return (None, vec![fault.did_you_mean(Some(moment))]);
            }
            // A wrong sign usually is the reason for what the grammar stumbles over.
            if faults.is_empty() || fault.kind == FaultKind::TooComplex {
                faults.push(fault);
            }
            (None, faults)
        }
    }
}

impl Parser<'_> {
    pub(super) fn too_deep(&self) -> Fault {
        Fault::new(
            0..self.text.len(),
            FaultKind::TooComplex,
            format!("表达式嵌套太深，最多 {DEPTH} 层"),
            format!("the expression is nested too deeply, {DEPTH} levels are the most"),
        )
        .hint("把它拆成几个计算字段。", "Split it into several computed fields.")
    }

    /// A node, unless it is too deep.
    pub(super) fn node(&self, syntax: Syntax, range: Range<usize>) -> Result<Node, Fault> {
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

    pub(super) fn expression(&mut self) -> Result<Node, Fault> {
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

    pub(super) fn sum(&mut self) -> Result<Node, Fault> {
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
            node = if self.sign_at(0, ".") {
                self.path(node)?
            } else if self.sign_at(0, "[") && !self.closes_range() {
                self.filter(node)?
            } else if self.sign_at(0, "(") {
                self.apply(node)?
            } else {
                return Ok(node);
            }
        }
    }

    fn path(&mut self, of: Node) -> Result<Node, Fault> {
        self.take();
        let Some(mut name) = self.name_at(0).map(str::to_owned) else {
            return Err(self.unexpected("点后面应该是名称", "a name is expected after the point"));
        };
        let mut range = self.take().range;
        // Only contexts and `time offset` have names of several words.
        while let Some(more) = self.plain_name_at(0)
            && !(self.word_at(0, "instance") && self.word_at(1, "of"))
        {
            name = format!("{name} {more}");
            range.end = self.take().range.end;
        }
        let whole = of.range.start..range.end;
        self.node(Syntax::Path(Box::new(of), name, range), whole)
    }

    fn filter(&mut self, list: Node) -> Result<Node, Fault> {
        self.take();
        let condition = self.expression()?;
        let whole = list.range.start..self.expect("]")?.end;
        self.node(Syntax::Filter(Box::new(list), Box::new(condition)), whole)
    }

    fn apply(&mut self, function: Node) -> Result<Node, Fault> {
        if !matches!(function.syntax, Syntax::Function(..)) {
            return Err(Fault::new(
                function.range.clone(),
                FaultKind::UnknownFunction,
                "这不是函数，不能调用",
                "this is no function and cannot be called",
            ));
        }
        let arguments = self.arguments()?;
        let whole = function.range.start..self.last_end();
        self.node(Syntax::Apply(Box::new(function), arguments), whole)
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
}
