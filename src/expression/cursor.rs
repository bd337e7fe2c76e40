//! Where a parse stands in its tokens, and what is said where something else was expected: what people write by the
//! habits of other languages is told by name.
#![expect(clippy::result_large_err, reason = "a parse ends at its first fault, so no fault travels far")]

use super::fault::{Fault, FaultKind};
use super::lex::{Token, TokenKind};
use std::ops::Range;

/// Words that cannot be names.
pub(super) const KEYWORDS: [&str; 16] = [
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
    "function",
    "true",
    "false",
    "null",
];

/// Units of time, without their plural.
const UNITS: [&str; 7] = ["second", "minute", "hour", "day", "week", "month", "year"];

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// How deep in brackets and branches it is.
    pub(super) nested: usize,
}

const END: Token = Token { kind: TokenKind::End, range: 0..0 };

impl<'a> Parser<'a> {
    /// At the first token of a text.
    pub(super) fn new(text: &'a str, tokens: Vec<Token>) -> Parser<'a> {
        Parser { text, tokens, at: 0, nested: 0 }
    }

    pub(super) fn ahead(&self, by: usize) -> &Token {
        self.tokens.get(self.at + by).or(self.tokens.last()).unwrap_or(&END)
    }

    pub(super) fn peek(&self) -> &Token {
        self.ahead(0)
    }

    pub(super) fn take(&mut self) -> Token {
        let token = self.peek().clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    pub(super) fn sign_at(&self, by: usize, sign: &str) -> bool {
        matches!(&self.ahead(by).kind, TokenKind::Sign(s) if *s == sign)
    }

    pub(super) fn word_at(&self, by: usize, word: &str) -> bool {
        matches!(&self.ahead(by).kind, TokenKind::Name(name) if name == word)
    }

    pub(super) fn name_at(&self, by: usize) -> Option<&str> {
        match &self.ahead(by).kind {
            TokenKind::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn plain_name_at(&self, by: usize) -> Option<&str> {
        self.name_at(by).filter(|name| !KEYWORDS.contains(name))
    }

    pub(super) fn accept(&mut self, sign: &str) -> bool {
        let found = self.sign_at(0, sign);
        if found {
            self.take();
        }
        found
    }

    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        let found = self.word_at(0, word);
        if found {
            self.take();
        }
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<Range<usize>, Fault> {
        if self.sign_at(0, sign) {
            return Ok(self.take().range);
        }
        Err(self.unexpected(&format!("这里应该是 `{sign}`"), &format!("`{sign}` is expected here")))
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), Fault> {
        if self.accept_word(word) {
            return Ok(());
        }
        Err(self.unexpected(&format!("这里应该是 `{word}`"), &format!("`{word}` is expected here")))
    }

    /// What other languages write between two values, and what FEEL does.
    pub(super) fn habit(&self) -> Option<(Range<usize>, &'static str)> {
        let at = self.peek().range.clone();
        let through = |by: usize| at.start..self.ahead(by).range.end;
        let word = self.name_at(0).filter(|_| self.at > 0)?;
        Some(match word.to_lowercase().as_str() {
            "and" | "并且" | "而且" | "且" | "和" => (at, "and"),
            "or" | "或者" | "或" => (at, "or"),
            "is" if self.word_at(1, "not") => (through(1), "!="),
            "is" => (at, "="),
            "等于" => (at, "="),
            "大于" => (at, ">"),
            "小于" => (at, "<"),
            "大于等于" | "不小于" => (at, ">="),
            "小于等于" | "不大于" | "不超过" => (at, "<="),
            "不等于" => (at, "!="),
            _ => return None,
        })
    }

    /// `working days 10`, `days 10` and `10 days working`: a length of time whose words stand in another order.
    fn length_out_of_order(&self) -> Option<(Range<usize>, String)> {
        let from = (1..=2).rev().find_map(|back| self.length_from(self.at.checked_sub(back)?));
        from.or_else(|| self.length_from(self.at))
    }

    fn length_from(&self, at: usize) -> Option<(Range<usize>, String)> {
        let (mut number, mut unit, mut working, mut end) = (None, None, false, at);
        for token in self.tokens.get(at..)?.iter().take(3) {
            match &token.kind {
                TokenKind::Number(_) if number.is_none() => number = self.text.get(token.range.clone()),
                TokenKind::Name(word) if !working && word == "working" => working = true,
                TokenKind::Name(word) if unit.is_none() && UNITS.contains(&word.trim_end_matches('s')) => {
                    unit = Some(word);
                }
                _ => break,
            }
            end += 1;
        }
        let (number, unit) = (number?, unit?);
        let unit = if number == "1" { unit.trim_end_matches('s') } else { unit };
        let range = self.tokens.get(at)?.range.start..self.tokens.get(end.checked_sub(1)?)?.range.end;
        // Nothing may be left over: what stands beside it would be read otherwise.
        let whole = range.contains(&self.peek().range.start);
        whole.then(|| (range, format!("{number} {}{unit}", if working { "working " } else { "" })))
    }

    /// `n days`, `n working days`: a unit behind a name, which only a number that is written out bears.
    fn unit_behind_name(&self) -> Option<(Range<usize>, String)> {
        let working = self.word_at(0, "working");
        let unit = self.name_at(usize::from(working))?.trim_end_matches('s');
        let dotted = |at: usize| matches!(self.tokens.get(at).map(|token| &token.kind), Some(TokenKind::Sign(".")));
        let named = |at: usize| matches!(self.tokens.get(at)?.kind, TokenKind::Name(_)).then_some(at);
        let mut first = named(self.at.checked_sub(1)?)?;
        while let Some(before) = first.checked_sub(2).filter(|_| dotted(first - 1)) {
            first = named(before)?;
        }
        let value = self.tokens.get(first)?.range.start..self.last_end();
        let written =
            self.text.get(value.clone()).filter(|written| UNITS.contains(&unit) && !KEYWORDS.contains(written))?;
        let end = self.ahead(usize::from(working)).range.end;
        Some((value.start..end, format!("{written} * 1 {}{unit}", if working { "working " } else { "" })))
    }

    pub(super) fn unexpected(&self, zh: &str, en: &str) -> Fault {
        if let Some(fault) = self.thousands() {
            return fault;
        }
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
        if let Some((range, meant)) = self.habit() {
            return Fault { range, ..fault }.did_you_mean(Some(meant.to_owned()));
        }
        if let Some((range, meant)) = self.length_out_of_order().or_else(|| self.unit_behind_name()) {
            return Fault { range, ..fault }.did_you_mean(Some(meant));
        }
        match (&token.kind, found) {
            (TokenKind::Sign("="), _) => {
                fault.hint("“大于等于”写成 `>=`，“小于等于”写成 `<=`。", "“At least” is written `>=`, “at most” `<=`.")
            }
            (TokenKind::Name(word), _) if self.at > 0 && matches!(word.as_str(), "contains" | "like" | "包含") => fault.hint(
                "文字里有没有，写 `contains(name, \"…\")`；列表里有没有，写 `list contains(list, …)`。",
                "Whether a text is in another is written `contains(name, \"…\")`, whether a list has something `list contains(list, …)`.",
            ),
            (TokenKind::Name(word), _) if self.at > 0 && !KEYWORDS.contains(&word.as_str()) => {
                fault.hint("名称是一个词，文字要用双引号。", "A name is one word, and a text stands in double quotes.")
            }
            _ => fault,
        }
    }

    /// A comma in the middle of a number: `2,000`.
    fn thousands(&self) -> Option<Fault> {
        let before = self.tokens.get(self.at.checked_sub(1)?)?;
        let (comma, behind) = (self.ahead(0), self.ahead(1));
        let numbers = matches!((&before.kind, &behind.kind), (TokenKind::Number(_), TokenKind::Number(_)));
        let joined = before.range.end == comma.range.start && comma.range.end == behind.range.start;
        if !(numbers && joined && comma.kind == TokenKind::Sign(",")) {
            return None;
        }
        let (high, low) = (self.text.get(before.range.clone())?, self.text.get(behind.range.clone())?);
        let three = low.split('.').next().is_some_and(|whole| whole.len() == 3);
        let whole = before.range.start..behind.range.end;
        three.then(|| {
            Fault::new(
                whole,
                FaultKind::BadExpression,
                "数字里不写千位逗号",
                "a number has no commas between its thousands",
            )
            .did_you_mean(Some(format!("{high}{low}")))
        })
    }

    /// Where the token before this one ends.
    pub(super) fn last_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.range.end)
    }
}
