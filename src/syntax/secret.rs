//! Secrets that are written out: passwords, tokens and keys in a text that goes into version control.
//!
//! The whole text is searched, comments too, for what services give out and for addresses with credentials; headers
//! of a name that says so hold none either. A value that only looks like one (`xxxx`, `<token>`, a field's name) is
//! none: what is told has letters and digits as only a secret has, or stands where only a secret stands.
//!
//! What is pointed at is the secret alone, so that whoever shows the diagnostic can hide just that.

use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::feel::FeelText;
use std::ops::Range;

/// What tokens of services begin with, and the least number of characters behind that.
const PREFIXES: &[(&str, usize)] = &[
    ("sk-", 16),
    ("sk_live_", 12),
    ("rk_live_", 12),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("LTAI", 12),
    ("AKID", 13),
];

/// Schemes of the header `Authorization`.
const SCHEMES: &[&str] = &["bearer", "basic", "token", "apikey", "digest"];

/// Words of names that say that a secret follows.
const NAMES: &[&str] = &[
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "credential",
    "signature",
    "api-key",
    "apikey",
    "app-key",
    "appkey",
    "access-key",
    "accesskey",
    "auth-key",
    "private-key",
    "subscription-key",
];

/// Names of parameters that are secrets beside those.
const PARAMETERS: &[&str] = &["key", "sig", "sign", "auth", "code"];

/// Words of names that say so of a form's field; there a token may be a mere number of a ticket.
const FIELDS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "api-key",
    "apikey",
    "access-key",
    "private-key",
    "密码",
    "口令",
    "密钥",
    "令牌",
];

/// Words of a sentence behind which a secret follows, with what stands between.
const SPOKEN: &[&str] =
    &["password", "passwd", "pwd", "secret", "token", "api key", "api_key", "密码", "口令", "密钥", "令牌"];

/// Where a secret stands, which says what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// In a header, which takes `secret`.
    Header,
    /// In a body.
    Body,
    /// In an address.
    Address,
    /// In a field of a form, or what people read of it.
    Form,
    /// Anywhere.
    Text,
}

/// The shortest literal of a header that is told.
const SHORTEST: usize = 4;

/// Every secret that a text shows by its shape, in the order of the text.
pub(crate) fn in_text(id: SourceId, text: &str) -> Vec<Diagnostic> {
    let mut found: Vec<(Range<usize>, Stands)> = Vec::new();
    found.extend(private_keys(text).into_iter().chain(tokens(text)).map(|range| (range, Stands::Text)));
    found.extend(addresses(text).into_iter().map(|range| (range, Stands::Address)));
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut last = 0;
    found.retain(|(range, _)| {
        let fresh = range.start >= last;
        last = last.max(range.end);
        fresh
    });
    found.into_iter().map(|(range, stands)| told(Span::new(id, range.start, range.end), stands)).collect()
}

/// The secret that a field of this name holds by default.
pub(crate) fn in_default(name: &str, value: &FeelText) -> Vec<Diagnostic> {
    let name = name.to_lowercase().replace('_', "-");
    if !FIELDS.iter().any(|word| name.contains(word)) {
        return Vec::new();
    }
    let quoted = literals(&value.text).into_iter();
    let secret = |range: &Range<usize>| value.text.get(range.clone()).is_some_and(is_made_up);
    quoted.filter(secret).map(|range| told(value.span_of(range), Stands::Form)).collect()
}

/// The secrets that a text for people gives away: `password: abc123`.
pub(crate) fn in_words(id: SourceId, text: &str, within: Span) -> Vec<Diagnostic> {
    let from = within.start as usize;
    let Some(said) = text.get(from..within.end as usize) else { return Vec::new() };
    let lower = said.to_ascii_lowercase();
    let mut found = Vec::new();
    for word in SPOKEN {
        for (at, _) in lower.match_indices(word).filter(|(at, _)| begins_word(said, *at)) {
            let behind = said.get(at + word.len()..).unwrap_or("");
            let between = |c: char| c.is_whitespace() || matches!(c, ':' | '：' | '=' | '是' | '为');
            let value = behind.trim_start_matches(between);
            let gap = behind.len() - value.len();
            let parted = behind.get(..gap).is_some_and(|gap| gap.contains(|c: char| !c.is_whitespace()));
            let ends = |c: char| {
                c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '，' | '。' | '；' | ';' | ')' | '）' | '}')
            };
            let value = value.get(..value.find(ends).unwrap_or(value.len())).unwrap_or("");
            if parted && value.len() >= 6 && value.is_ascii() && is_mixed(value) {
                let start = from + at + word.len() + gap;
                found.push(told(Span::new(id, start, start + value.len()), Stands::Form));
            }
        }
    }
    found
}

/// The secrets that stand in the value of a header, or an entry of a body, of this name.
pub(crate) fn in_value(name: &str, value: &FeelText, stands: Stands) -> Vec<Diagnostic> {
    if !says_secret(name, &[]) {
        return Vec::new();
    }
    let quoted = literals(&value.text);
    if quoted.is_empty() && is_random(value.text.trim()) {
        return vec![told(value.span, stands)];
    }
    let held = |range: Range<usize>| {
        let (from, literal) = without_scheme(value.text.get(range.clone())?);
        // `session=` in front of a secret is only the name of it.
        let mut values = literal.split(';').map(|part| part.split_once('=').map_or(part, |(_, value)| value).trim());
        values
            .any(|value| value.chars().count() >= SHORTEST)
            .then(|| told(value.span_of(range.start + from..range.start + from + literal.len()), stands))
    };
    quoted.into_iter().filter_map(held).collect()
}

fn told(span: Span, stands: Stands) -> Diagnostic {
    let (zh, en) = match stands {
        Stands::Header => {
            ("请写 `secret(\"名称\")`，把值放在服务器上", "write `secret(\"name\")` and keep the value on the server")
        }
        Stands::Body => (
            "请求体里没有 `secret`，请改用请求头，值放在服务器上",
            "a body takes no `secret`: send it in a header, and keep the value on the server",
        ),
        Stands::Address => (
            "网址里没有 `secret`，请改用请求头，值放在服务器上",
            "an address takes no `secret`: send it in a header, and keep the value on the server",
        ),
        Stands::Form => (
            "表单里不能有，请删掉；只有 `http` 的请求头可以用，写成 `secret(\"名称\")`，值放在服务器上",
            "a form holds none: delete it; only a header of `http` takes one, as `secret(\"name\")`, whose value is kept on the server",
        ),
        Stands::Text => (
            "请删掉；`http` 的请求头要用它时写成 `secret(\"名称\")`，值放在服务器上",
            "delete it; where a header of `http` needs it, write `secret(\"name\")` and keep the value on the server",
        ),
    };
    let found = Diagnostic::new(
        Code::SecretInYaml,
        span,
        Wording::new(
            format!("密码、令牌或密钥不能直接写在文件里：看得到文件或它的历史的人就有了它。{zh}"),
            format!(
                "a password, token or key is written out here, and whoever sees the file or its history has it; {en}"
            ),
        ),
    );
    let example = "headers: { Authorization: '\"Bearer \" + secret(\"erp\")' }";
    let found = if stands == Stands::Form { found } else { found.hint(Wording::new(example, example)) };
    found.hint(Wording::new(
        "已经提交过的值请换一个新的，删掉这一行不够",
        "if it was ever committed, have a new one issued: deleting the line is not enough",
    ))
}

/// Whether a text is one that only a secret is: of one word, with letters and digits or signs among them.
fn is_made_up(text: &str) -> bool {
    let word = !text.contains(char::is_whitespace) && text.chars().count() >= SHORTEST;
    word && text.is_ascii() && is_mixed(text) && !text.contains(['{', '<', '$'])
}

/// Whether a name says that what follows is a secret.
fn says_secret(name: &str, more: &[&str]) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    NAMES.iter().any(|word| name.contains(word)) || more.contains(&name.as_str())
}

/// The texts in quotes of an expression, without the quotes; not what names a secret.
fn literals(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut open, mut escaped) = (Vec::new(), None, false);
    for (at, c) in text.char_indices() {
        match (c, open) {
            _ if escaped => escaped = false,
            ('\\', Some(_)) => escaped = true,
            ('"', None) => open = Some(at + 1),
            ('"', Some(from)) => {
                let before = text.get(..from - 1).unwrap_or("").trim_end_matches(['(', ' ']);
                if !before.ends_with("secret") {
                    found.push(from..at);
                }
                open = None;
            }
            _ => {}
        }
    }
    found
}

/// What of a literal is left without the word for its kind, and where that begins.
fn without_scheme(literal: &str) -> (usize, &str) {
    let Some((first, rest)) = literal.split_once(' ') else { return scheme_alone(literal) };
    if SCHEMES.contains(&first.to_ascii_lowercase().as_str()) { (first.len() + 1, rest) } else { (0, literal) }
}

fn scheme_alone(literal: &str) -> (usize, &str) {
    if SCHEMES.contains(&literal.to_ascii_lowercase().as_str()) { (literal.len(), "") } else { (0, literal) }
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+' | '/' | '=')
}

/// Whether a word is one that nobody made up: letters and digits mixed.
fn is_mixed(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit()) && word.contains(|c: char| c.is_ascii_alphabetic())
}

/// Whether a word is one letter over and over, as who hides a secret writes it.
fn is_one_letter(word: &str) -> bool {
    word.chars().next().is_some_and(|first| word.chars().all(|c| c.eq_ignore_ascii_case(&first)))
}

/// Whether a bare word can only be a secret: long, without blanks, and with many digits among its letters.
fn is_random(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    word.len() >= 16 && word.chars().all(is_token) && digits >= 4 && is_mixed(word)
}

/// The characters of a token from a place on.
fn token_at(text: &str, from: usize) -> &str {
    let rest = text.get(from..).unwrap_or("");
    rest.get(..rest.find(|c| !is_token(c)).unwrap_or(rest.len())).unwrap_or("")
}

fn begins_word(text: &str, at: usize) -> bool {
    !text.get(..at).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
}

/// Tokens by what they begin with, and what follows a scheme.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (prefix, least) in PREFIXES {
        for (at, _) in text.match_indices(prefix).filter(|(at, _)| begins_word(text, *at)) {
            let token = token_at(text, at).trim_end_matches(['.', '/']);
            let body = token.get(prefix.len()..).unwrap_or("");
            // A word that somebody made up has a digit, or is long without a break.
            let long =
                body.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() >= 20 && !is_one_letter(run));
            if body.len() >= *least && (long || body.contains(|c: char| c.is_ascii_digit())) {
                found.push(at..at + token.len());
            }
        }
    }
    for scheme in ["Bearer ", "bearer ", "Basic ", "basic "] {
        for (at, _) in text.match_indices(scheme).filter(|(at, _)| begins_word(text, *at)) {
            let from = at + scheme.len();
            let token = token_at(text, from).trim_end_matches(['.', '/']);
            if token.len() >= 8 && is_mixed(token) {
                found.push(from..from + token.len());
            }
        }
    }
    // A token of JSON, as many services give out.
    for (at, _) in text.match_indices("eyJ").filter(|(at, _)| begins_word(text, *at)) {
        let token = token_at(text, at);
        if token.len() >= 32 && token.matches('.').count() == 2 {
            found.push(at..at + token.len());
        }
    }
    found
}

/// Blocks of private keys, as far as they go.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    const END: &str = "PRIVATE KEY-----";
    let mut found = Vec::new();
    for (at, _) in text.match_indices("-----BEGIN ") {
        let rest = text.get(at..).unwrap_or("");
        let head = rest.lines().next().unwrap_or("");
        if !head.contains(END) {
            continue;
        }
        let body = head.find(END).map_or(head.len(), |end| end + END.len());
        let close = rest.get(body..).and_then(|after| after.find(END)).map(|end| body + end + END.len());
        found.push(at..at + close.unwrap_or(head.len()));
    }
    found
}

/// Passwords and secret parameters of addresses.
fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, mark) in text.match_indices("://") {
        let from = at + mark.len();
        let rest = text.get(from..).unwrap_or("");
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '|' | '，' | '。' | '）');
        let address = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or("");
        let host = address.get(..address.find(['/', '?', '#']).unwrap_or(address.len())).unwrap_or("");
        if let Some((user, _)) = host.rsplit_once('@')
            && let Some((name, password)) = user.split_once(':')
            && is_literal(password)
        {
            let start = from + name.len() + 1;
            found.push(start..start + password.len());
        }
        let Some(query) = address.find('?') else { continue };
        let mut start = from + query + 1;
        for parameter in address.get(query + 1..).unwrap_or("").split('&') {
            if let Some((name, value)) = parameter.split_once('=') {
                let value = value.get(..value.find(['#', ',', ')', ']', '}']).unwrap_or(value.len())).unwrap_or("");
                if says_secret(name, PARAMETERS) && value.len() >= SHORTEST && is_literal(value) {
                    let begin = start + name.len() + 1;
                    found.push(begin..begin + value.len());
                }
            }
            start += parameter.len() + 1;
        }
    }
    found
}

/// Whether a part of an address is there as it is: not computed, and no stand-in such as `***` or `$TOKEN`.
fn is_literal(part: &str) -> bool {
    !part.starts_with(['{', '$', '<', '%']) && part.contains(|c: char| c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Sources;

    fn secrets(text: &str) -> Vec<String> {
        let id = Sources::new().add("a.yaml", text);
        let cut = |found: &Diagnostic| text[found.span.start as usize..found.span.end as usize].to_owned();
        in_text(id, text).iter().map(cut).collect()
    }

    #[test]
    fn only_the_secret_is_found() {
        for (text, secret) in [
            ("a: '\"Bearer 8f3c2a91e7d0\"'", "8f3c2a91e7d0"),
            ("# key: sk-proj-4f9a8b7c6d5e4f3a2b1c", "sk-proj-4f9a8b7c6d5e4f3a2b1c"),
            ("default: '\"sk-abcdefghijklmnopqrstuvwx\"'", "sk-abcdefghijklmnopqrstuvwx"),
            ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
            ("id: AKIAIOSFODNN7EXAMPLE, x", "AKIAIOSFODNN7EXAMPLE"),
            ("POST https://bob:hunter2@erp.example/x", "hunter2"),
            ("https://erp.example/x?a=1&access_token=abcd1234&b=2", "abcd1234"),
            ("https://erp.example/x?key=8f3c2a91e7", "8f3c2a91e7"),
            (
                "| -----BEGIN RSA PRIVATE KEY-----\n MIIE\n -----END RSA PRIVATE KEY----- x",
                "-----BEGIN RSA PRIVATE KEY-----\n MIIE\n -----END RSA PRIVATE KEY-----",
            ),
        ] {
            assert_eq!(secrets(text), [secret], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "'\"Bearer \" + secret(\"erp\")'",
            "help: The bearer certificate is kept; basic understanding",
            "sk-xxxxxxxxxxxxxxxxxxxx",
            "task-1234567890123456789",
            "https://erp.example/{kind}?token={token}&page=3",
            "https://user@erp.example/a:b@c",
            "https://user:$PASSWORD@erp.example",
            "-----BEGIN PUBLIC KEY-----",
            "AKIAIOSFODNN7",
        ] {
            assert!(secrets(text).is_empty(), "{text}: {:?}", secrets(text));
        }
    }
}
