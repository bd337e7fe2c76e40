//! Values within `{ }` that YAML takes apart: at their own brackets, at a `: `, where a comma is missing; brackets that are
//! not closed; and a second key in a line.

use super::lines::{lines, starts_value};
use super::meant::{is_key, is_key_elsewhere, word};
use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::slip::curly_quotes;
use crate::syntax::trap::{foreign, full_width, taken_apart};
use std::ops::Range;

/// An expression with brackets of its own, or with a text behind a comma, as a value within `{ }` or `[ ]`:
/// `{ task: boss, when: n in [1, 2] }`, `{ task: boss, when: contains(what, "a") }`.
pub(super) fn bare_brackets(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let line = &text[start..end];
    let (value, open) = values_in_brackets(line).into_iter().find(|(value, open)| {
        // The parser stops at the bracket, or at what follows the one that it took for its own.
        let raw = &line[value.clone()];
        *open < raw.len() && start + value.start <= at && at <= start + value.end + 1
    })?;
    let raw = &line[value.clone()];
    let quoted = format!("'{}'", raw.replace('\'', "''"));
    let span = Span::new(id, start + value.start, start + value.end);
    if raw.starts_with("${") {
        return Some(foreign(text, span, "${ }"));
    }
    // No expression has a list or a group right behind a colon.
    if let Some((at, key)) = next_key(raw).filter(|(at, key)| at + key.len() + 2 == open) {
        let end = span.start as usize + raw[..at].trim_end().len();
        return Some(no_comma(id, end, span.start as usize + at, key));
    }
    if let Some(found) = curly_quotes(span, raw) {
        return Some(found);
    }
    if raw[open..].starts_with('"') {
        return Some(taken_apart(span, raw));
    }
    Some(
        Diagnostic::new(
            Code::UnquotedExpression,
            span,
            Wording::new(
                "在 YAML 的 `{ }` 里，表达式自己的方括号或花括号要放进引号。请把整个表达式放进单引号",
                "within YAML's `{ }` the brackets of an expression need quotes around it; put the whole of it into single quotes",
            ),
        )
        .fix(span, quoted, Wording::new("加上单引号", "put it into quotes")),
    )
}

/// What stands behind a value in quotes or brackets within others where a comma has to: a full-width one, or the next key
/// at once.
pub(super) fn behind_value(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let before = text[start..at].trim_end();
    let count = |marks: [char; 2]| before.matches(marks).count();
    if !before.ends_with(['"', '\'', '}', ']']) || count(['{', '[']) <= count(['}', ']']) {
        return None;
    }
    let rest = &text[at..end];
    let mark = rest.chars().next()?;
    if matches!(mark, '，' | '、' | '；') {
        let spaced = rest[mark.len_utf8()..].starts_with(' ');
        return Some(full_width(Span::new(id, at, at + mark.len_utf8()), mark, if spaced { "," } else { ", " }));
    }
    let key = word(rest);
    let next = !key.is_empty() && rest[key.len()..].starts_with(": ");
    next.then(|| no_comma(id, start + before.len(), at, key))
}

/// A second `: ` within a value in braces: `{ title: first: second, … }`.
pub(super) fn second_colon_in_brackets(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let from = text[start..at].rfind(['{', ',']).map(|n| start + n + 1)?;
    let to = text[at..end].find([',', '}']).map_or(end, |n| at + n);
    let (key, value) = text.get(from..to)?.split_once(": ")?;
    let begin = from + key.len() + 2 + (value.len() - value.trim_start().len());
    let raw = value.trim();
    let word = word(key.trim_start());
    if !raw.contains(": ") || key.trim() != word {
        return None;
    }
    let next = next_key(raw);
    if let Some((at, key)) = next.filter(|(at, key)| is_key(key) || is_key_elsewhere(text, begin + at, key)) {
        let plain = !raw[..at].contains(QUOTES);
        return plain.then(|| no_comma(id, begin + raw[..at].trim_end().len(), begin + at, key));
    }
    if raw.contains(QUOTES) {
        return None;
    }
    let span = Span::new(id, begin, begin + raw.len());
    let quoted = Diagnostic::new(
        Code::YamlSyntax,
        span,
        Wording::new(
            "这段文字里有 `: `，YAML 会把它当成又一个键。请把整段文字放进引号",
            "this text has a `: ` in it, which YAML takes for another key; put the whole text into quotes",
        ),
    );
    let (words, quotes) = (format!("'{raw}'"), Wording::new("加上引号", "put it into quotes"));
    Some(match next {
        None => quoted.fix(span, words, quotes),
        // It may be another key as well as a part of the text.
        Some(_) => quoted.offer(span, words, quotes),
    })
}

/// What a value that could be put into quotes has none of.
const QUOTES: [char; 4] = ['"', '\'', '[', '{'];

/// The word before a `: ` in a value that something stands before, and where it begins.
fn next_key(value: &str) -> Option<(usize, &str)> {
    let (before, _) = value.split_once(": ")?;
    let at = before.rfind(' ')? + 1;
    let key = &before[at..];
    (word(key) == key && !key.is_empty()).then_some((at, key))
}

fn no_comma(id: SourceId, end: usize, at: usize, key: &str) -> Diagnostic {
    let place = Span::new(id, end, end);
    Diagnostic::new(
        Code::YamlSyntax,
        Span::new(id, at, at + key.len()),
        Wording::new(format!("`{key}` 前面少了逗号"), format!("a comma is missing before `{key}`")),
    )
    .fix(place, ",", Wording::new("加上逗号", "add the comma"))
}

/// A key of the language in a line that has one already: `type: money title: Amount`.
pub(super) fn second_key(id: SourceId, text: &str, value: Range<usize>, depth: usize) -> Option<Diagnostic> {
    let words = text.get(value.clone())?;
    let (at, key) = next_key(words).filter(|(_, key)| is_key(key))?;
    let end = words[..at].trim_end().trim_end_matches(',').trim_end().len();
    if end == 0 {
        return None;
    }
    let (end, at) = (value.start + end, value.start + at);
    let place = Span::new(id, end, at);
    let fixed = format!("\n{}", " ".repeat(depth));
    Some(
        Diagnostic::new(
            Code::YamlSyntax,
            Span::new(id, at, at + key.len()),
            Wording::new(
                format!("`{key}` 是又一个键，要另起一行，或把这一组放进 `{{ }}`"),
                format!("`{key}` is another key, which has a line of its own, unless all of them stand within `{{ }}`"),
            ),
        )
        .fix(place, fixed, Wording::new("另起一行", "give it a line of its own")),
    )
}

/// What is said of brackets that are never closed, the first of which opens at a place. Where the next line begins
/// something else, all that lacks stands at the end of this one; where a bracket closes another one, before the next key.
pub(super) fn unclosed(id: SourceId, text: &str, open: usize) -> Diagnostic {
    let line = text[open..].split('\n').next().unwrap_or_default().trim_end();
    let found = lacking(line);
    let (inner, place) = match found {
        Some((inner, at, close)) => (open + inner, Some((open + at, close))),
        None => (open, None),
    };
    let mark = &text[inner..inner + 1];
    let close = if mark == "[" { "]" } else { "}" };
    let wrong = place.as_ref().and_then(|(at, _)| wrong_end(text, *at, close));
    if let Some((at, other)) = wrong {
        let span = Span::new(id, at, at + 1);
        let words = Wording::new(
            format!("`{mark}` 用 `{other}` 结束了。请改成 `{close}`"),
            format!("`{mark}` is closed by `{other}`; write `{close}`"),
        );
        return Diagnostic::new(Code::YamlSyntax, span, words).fix_word(span, close);
    }
    let found = Diagnostic::new(
        Code::YamlSyntax,
        Span::new(id, inner, inner + 1),
        Wording::new(
            format!("`{mark}` 没有对应的 `{close}`。请补上，或改成一行一项的写法"),
            format!("`{mark}` has no matching `{close}`; add it, or write one item a line"),
        ),
    );
    let ends = |at: usize| at < open + line.len() || begins_anew(text, open + line.len());
    match place.filter(|(at, _)| ends(*at)) {
        Some((at, closes)) => {
            let words = Wording::new(format!("补上 `{}`", closes.trim()), format!("add the `{}`", closes.trim()));
            found.offer(Span::new(id, at, at), closes, words)
        }
        None => found,
    }
}

/// The bracket of another kind that closes one, where its line has one too many of that kind.
fn wrong_end<'t>(text: &'t str, at: usize, close: &str) -> Option<(usize, &'t str)> {
    let other = text.get(at..at + 1).filter(|other| *other != close && matches!(*other, "]" | "}"))?;
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let line = text[start..].split('\n').next().unwrap_or_default();
    let opener = if other == "]" { '[' } else { '{' };
    (line.matches(other).count() > line.matches(opener).count()).then_some((at, other))
}

/// Which bracket of those in a rest of a line is not closed, and where what lacks would stand: at its end, or where another
/// bracket closes, or the next key begins.
fn lacking(line: &str) -> Option<(usize, usize, String)> {
    let closes = |c: char| if c == '[' { ']' } else { '}' };
    let mut open: Vec<(usize, char)> = Vec::new();
    let (mut quote, mut last) = (None, '\n');
    for (at, c) in line.char_indices() {
        match (c, quote) {
            (c, Some(end)) if c == end => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) if starts_value(last) => quote = Some(c),
            ('#', None) if line[..at].ends_with(' ') => return None,
            // One in the middle of a text is none of YAML's.
            ('[' | '{', None) if !starts_value(last) => return None,
            ('[' | '{', None) => open.push((at, c)),
            (']' | '}', None) => {
                let (from, mark) = open.pop()?;
                if closes(mark) != c {
                    let within = &line[from + 1..at];
                    let keys = within.match_indices(", ").map(|(comma, _)| comma);
                    let key = keys.filter(|comma| !within[..*comma].contains(['[', '{']));
                    let mut key = key.filter(|comma| next_is_key(&within[comma + 2..]));
                    let end = key.next().unwrap_or(within.trim_end().len());
                    return Some((from, from + 1 + end, closes(mark).to_string()));
                }
            }
            _ => {}
        }
        if c != ' ' {
            last = c;
        }
    }
    let (first, _) = *open.first()?;
    let lacks: String = open.iter().rev().map(|(_, mark)| closes(*mark)).collect();
    let spaced = if lacks.starts_with('}') { " " } else { "" };
    Some((first, line.len(), format!("{spaced}{lacks}")))
}

fn next_is_key(words: &str) -> bool {
    let key = word(words);
    is_key(key) && words[key.len()..].starts_with(": ")
}

/// Whether what follows a line is no more of it, as it stands no deeper.
fn begins_anew(text: &str, end: usize) -> bool {
    let all = lines(text);
    let behind = all.partition_point(|line| line.start < end);
    let own = behind.checked_sub(1).and_then(|at| all.get(at));
    own.is_some_and(|own| all.get(behind).is_none_or(|next| next.indent <= own.indent))
}

/// The plain values of the mappings in braces of a line that have brackets behind their first word, or a text behind a
/// comma in round ones, and where in them the first of these stands.
fn values_in_brackets(line: &str) -> Vec<(Range<usize>, usize)> {
    let mut found = Vec::new();
    let (mut outer, mut quote) = (0_usize, None);
    // A value that is being read: where it begins, its first bracket, and how many are open in it.
    let mut value: Option<(usize, Option<usize>, usize)> = None;
    let mut last = '\n';
    for (at, c) in line.char_indices() {
        let ends = |open: usize| open == 0 && matches!(c, ',' | '}');
        match (&mut value, c) {
            (_, c) if quote == Some(c) => quote = None,
            _ if quote.is_some() => {}
            (Some((begin, first, open)), c) if ends(*open) && quote.is_none() => {
                if let Some(first) = *first {
                    let raw = line[*begin..at].trim_end();
                    found.push((*begin..*begin + raw.len(), first));
                }
                value = None;
                if c == '}' {
                    outer = outer.saturating_sub(1);
                }
            }
            (Some((begin, first, open)), '[' | '{') => {
                first.get_or_insert(at - *begin);
                *open += 1;
            }
            (Some((_, _, open)), ']' | '}') => *open = open.saturating_sub(1),
            (Some((_, _, open)), '(') => *open += 1,
            (Some((_, _, open)), ')') => *open = open.saturating_sub(1),
            (Some((begin, first, open)), '"') => {
                // YAML ends the value at the comma, and takes what follows for a quoted key.
                if *open > 0 && line[..at].trim_end().ends_with(',') {
                    first.get_or_insert(at - *begin);
                }
                quote = Some('"');
            }
            (Some(_), _) => {}
            (None, '{') => outer += 1,
            (None, '}') => outer = outer.saturating_sub(1),
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if outer > 0 && last == ' ' && !matches!(c, ' ' | '[') => {
                let before = line[..at].trim_end();
                if before.ends_with(':') {
                    value = Some((at, None, 0));
                }
            }
            (None, _) => {}
        }
        last = c;
    }
    found
}
