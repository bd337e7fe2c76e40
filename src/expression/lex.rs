//! Text → tokens. Total: what is foreign is reported with what to write instead, and read as what was meant.

use super::fault::{Fault, FaultKind};
use rust_decimal::Decimal;
use std::ops::Range;

/// A token and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) range: Range<usize>,
}

/// What a token is. Keywords are names: which ones count depends on the place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Number(Decimal),
    Text(String),
    /// `@"…"`.
    At(String),
    Name(String),
    Sign(&'static str),
    End,
}

/// Signs, longest first.
const SIGNS: [&str; 25] = [
    "..", "**", "!=", "<=", ">=", "->", "(", ")", "[", "]", "{", "}", ",", ":", ".", "+", "-", "*", "/", "=", "<", ">",
    "?", "%", ";",
];

/// What people type from habit: what it is, what FEEL writes, and whether the two can simply be exchanged.
const FOREIGN: [(&str, &str); 38] = [
    ("===", "="),
    ("!==", "!="),
    ("=>", ">="),
    ("=<", "<="),
    ("==", "="),
    ("<>", "!="),
    ("&&", "and"),
    ("||", "or"),
    (":=", "="),
    ("，", ","),
    ("、", ","),
    ("：", ":"),
    ("（", "("),
    ("）", ")"),
    ("【", "["),
    ("】", "]"),
    ("［", "["),
    ("］", "]"),
    ("｛", "{"),
    ("｝", "}"),
    ("＝", "="),
    ("＋", "+"),
    ("－", "-"),
    ("—", "-"),
    ("–", "-"),
    ("−", "-"),
    ("＊", "*"),
    ("×", "*"),
    ("／", "/"),
    ("÷", "/"),
    ("＜", "<"),
    ("＞", ">"),
    ("≤", "<="),
    ("≥", ">="),
    ("≠", "!="),
    ("％", "%"),
    ("。", "."),
    ("；", ";"),
];

pub(super) fn lex(text: &str) -> (Vec<Token>, Vec<Fault>) {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), faults: Vec::new() };
    while lexer.next() {}
    let end = text.len();
    lexer.tokens.push(Token { kind: TokenKind::End, range: end..end });
    (lexer.tokens, lexer.faults)
}

/// Whether a name can begin with this.
pub(super) fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_' || ('\u{10000}'..='\u{EFFFF}').contains(&c)
}

/// Whether a name can go on with this.
pub(super) fn continues_name(c: char) -> bool {
    starts_name(c) || c.is_numeric() || matches!(c, '\u{300}'..='\u{36F}' | '\u{200C}' | '\u{200D}' | '\u{B7}')
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    faults: Vec<Fault>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, from: usize, kind: TokenKind) {
        self.tokens.push(Token { kind, range: from..self.at });
    }

    fn next(&mut self) -> bool {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return false };
        let from = self.at;
        if c.is_whitespace() {
            self.at += c.len_utf8();
        } else if rest.starts_with("//") {
            self.at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            match rest.get(2..).and_then(|inner| inner.find("*/")) {
                Some(end) => self.at += end + 4,
                None => {
                    self.at = self.text.len();
                    self.faults.push(Fault::new(
                        from..self.at,
                        FaultKind::BadExpression,
                        "注释没有结束，缺少 `*/`",
                        "this comment never ends: `*/` is missing",
                    ));
                }
            }
        } else if c.is_ascii_digit() || (c == '.' && rest.chars().nth(1).is_some_and(|d| d.is_ascii_digit())) {
            self.number(from);
        } else if c == '"' {
            self.at += 1;
            let text = self.string(from, '"');
            self.push(from, TokenKind::Text(text));
        } else if c == '@' && rest.starts_with("@\"") {
            self.at += 2;
            let text = self.string(from, '"');
            self.push(from, TokenKind::At(text));
        } else if starts_name(c) {
            let len = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
            self.at += len;
            let name = rest.get(..len).unwrap_or("").to_owned();
            self.push(from, TokenKind::Name(name));
        } else {
            self.sign(from, c);
        }
        true
    }

    fn sign(&mut self, from: usize, c: char) {
        let rest = self.rest();
        if matches!(c, '\'' | '‘' | '’' | '“' | '”' | '＂' | '「' | '」' | '`') {
            return self.foreign_quote(from, c);
        }
        if let Some(open) = ["${", "{{", "#{"].iter().find(|open| rest.starts_with(**open))
            && (*open != "{{" || rest.contains("}}"))
        {
            let close = if *open == "{{" { "}}" } else { "}" };
            let inner = rest.get(open.len()..).unwrap_or("");
            let (inner, len) = match inner.find(close) {
                Some(end) => (inner.get(..end).unwrap_or(""), open.len() + end + close.len()),
                None => (inner, rest.len()),
            };
            let fault = Fault::new(
                from..from + len,
                FaultKind::ForeignSyntax,
                format!("这里已经是表达式，不需要 `{open}{close}`"),
                format!("this is an expression already, `{open} {close}` is not needed"),
            )
            .hint("直接写里面的内容。", "Write what is inside, nothing around it.")
            .suggest(inner.trim());
            self.faults.push(fault);
            let (tokens, _) = lex(inner);
            let shift = from + open.len();
            for mut token in tokens.into_iter().filter(|token| token.kind != TokenKind::End) {
                token.range = token.range.start + shift..token.range.end + shift;
                self.tokens.push(token);
            }
            self.at += len;
            return;
        }
        if let Some((wrong, right)) = FOREIGN.iter().find(|(wrong, _)| rest.starts_with(wrong)) {
            self.at += wrong.len();
            self.faults.push(
                Fault::new(
                    from..self.at,
                    FaultKind::ForeignSyntax,
                    format!("`{wrong}` 不是表达式里的写法"),
                    format!("`{wrong}` is not how expressions write it"),
                )
                .hint(format!("写成 `{right}`（半角）。"), format!("Write `{right}`."))
                .suggest(*right),
            );
            let kind = match *right {
                "and" | "or" => TokenKind::Name((*right).to_owned()),
                right => SIGNS.iter().find(|sign| **sign == right).map_or(TokenKind::End, |sign| TokenKind::Sign(sign)),
            };
            return self.push(from, kind);
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
            return self.push(from, TokenKind::Sign(sign));
        }
        self.at += c.len_utf8();
        let fault = Fault::new(
            from..self.at,
            FaultKind::BadExpression,
            format!("`{c}` 在表达式里没有意义"),
            format!("`{c}` means nothing in an expression"),
        );
        self.faults.push(match c {
            '!' => fault.hint("否定写成 `not(…)`。", "Write `not(…)` to negate."),
            '@' => fault.hint(
                "日期写成 `@\"2026-03-06\"`，带双引号。",
                "A date is written `@\"2026-03-06\"`, with double quotes.",
            ),
            '&' => fault.hint("“并且”写成 `and`。", "Write `and`."),
            '|' => fault.hint("“或者”写成 `or`。", "Write `or`."),
            _ => fault,
        });
    }

    fn foreign_quote(&mut self, from: usize, c: char) {
        let close = match c {
            '‘' => '’',
            '“' => '”',
            '「' => '」',
            c => c,
        };
        self.at += c.len_utf8();
        let text = self.string(from, close);
        self.faults.push(
            Fault::new(
                from..self.at,
                FaultKind::ForeignSyntax,
                "文字要用半角双引号",
                "a text stands in straight double quotes",
            )
            .hint(format!("写成 `\"{text}\"`。"), format!("Write `\"{text}\"`."))
            .suggest(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        );
        self.push(from, TokenKind::Text(text));
    }

    fn number(&mut self, from: usize) {
        let bytes = self.text.as_bytes();
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        self.at = digits(self.at);
        if bytes.get(self.at) == Some(&b'.') && bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit) {
            self.at = digits(self.at + 1);
        }
        let mantissa = self.at;
        if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(self.at + 1), Some(b'+' | b'-')));
            if bytes.get(self.at + 1 + sign).is_some_and(u8::is_ascii_digit) {
                self.at = digits(self.at + 1 + sign);
            }
        }
        let written = self.text.get(from..self.at).unwrap_or("");
        let read = if mantissa == self.at {
            let padded = if written.starts_with('.') { format!("0{written}") } else { written.to_owned() };
            Decimal::from_str_exact(&padded).ok()
        } else {
            Decimal::from_scientific(written).ok()
        };
        let number = read.unwrap_or_else(|| {
            self.faults.push(Fault::new(
                from..self.at,
                FaultKind::TooComplex,
                "这个数字的位数太多，最多 28 位",
                "this number has too many digits, 28 are the most",
            ));
            Decimal::ONE
        });
        self.push(from, TokenKind::Number(number));
    }

    /// The inside of a text, up to the closing quote. An unknown escape stands for itself, as patterns need it.
    fn string(&mut self, from: usize, close: char) -> String {
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        let start = self.at;
        while let Some((at, c)) = chars.next() {
            if c == close {
                self.at = start + at + c.len_utf8();
                return text;
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let after = self.text.get(start + at + 1..).unwrap_or("");
            let Some((_, escaped)) = chars.next() else { break };
            match escaped {
                '"' | '\\' | '/' | '\'' => text.push(escaped),
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                'u' | 'U' => match unicode_escape(after) {
                    Some((decoded, len)) => {
                        text.push(decoded);
                        for _ in 1..len {
                            chars.next();
                        }
                    }
                    None => text.extend(['\\', escaped]),
                },
                _ => text.extend(['\\', escaped]),
            }
        }
        self.at = self.text.len();
        self.faults.push(Fault::new(
            from..self.at,
            FaultKind::BadExpression,
            "文字没有结束，缺少右边的双引号",
            "this text never ends: the closing quote is missing",
        ));
        text
    }
}

/// Reads `uXXXX`, a surrogate pair of them, or `UXXXXXX`; the character and how many bytes it took.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let hex = |from: usize, len: usize| {
        let digits = text.get(from..from + len).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    if text.starts_with('U') {
        return Some((char::from_u32(hex(1, 6)?)?, 7));
    }
    let first = hex(1, 4)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first)?, 5));
    }
    let second = text.get(5..7).filter(|next| next.eq_ignore_ascii_case("\\u")).and_then(|_| hex(7, 4))?;
    let joined = 0x10000 + ((first - 0xD800) << 10) + second.checked_sub(0xDC00)?;
    Some((char::from_u32(joined)?, 11))
}
