//! What was meant where a mark of YAML is full-width or missing: colons, commas, quotes and brackets.
//!
//! The parser stops wherever it can no longer go on, or takes such a mark for a part of a text; the place where it was
//! typed is found here.

use super::refused::{line_above, misaligned, starts_value};
use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::schema_keys;
use crate::syntax::trap::{full_width, full_width_mark};
use granit_parser::ErrorKind;

/// A mark of structure that YAML takes for a part of a text.
pub(super) struct Mark {
    /// Where it stands.
    pub(super) at: usize,
    /// How long it is; nothing where it is missing.
    pub(super) length: usize,
    /// What it is.
    mark: Option<char>,
    /// What to type instead.
    typed: &'static str,
}

impl Mark {
    fn full_width(text: &str, at: usize) -> Option<Mark> {
        let (_, mark, typed) = full_width_mark(text.get(at..)?).filter(|(offset, ..)| *offset == 0)?;
        let spaced = text[at + mark.len_utf8()..].starts_with([' ', '\n', '\r']);
        Some(Mark {
            at,
            length: mark.len_utf8(),
            mark: Some(mark),
            typed: if spaced { typed.trim_end() } else { typed },
        })
    }
}

/// In a plain text that stands as a key: `type：money`, and `{` right behind a name whose colon is missing.
pub(super) fn mark_in_key(key: &str) -> Option<Mark> {
    let word = word(key);
    let rest = &key[word.len()..];
    match rest.chars().next()? {
        '：' => Mark::full_width(key, word.len()),
        ' ' if !word.is_empty() && rest.trim_start().starts_with('{') => {
            Some(Mark { at: word.len(), length: 0, mark: None, typed: ":" })
        }
        _ => None,
    }
}

/// In a plain text that stands as a value within `{ }`: `money，title：…`.
pub(super) fn mark_in_value(value: &str) -> Option<Mark> {
    let commas = value.match_indices(['，', '、', '；']);
    let comma = commas.map(|(at, mark)| (at, value[at + mark.len()..].trim_start())).find(|(_, rest)| {
        let word = word(rest);
        is_key(word) && rest[word.len()..].trim_start().starts_with(['：', ':'])
    });
    let closing = || value.char_indices().next_back().filter(|(_, c)| matches!(c, '｝' | '】'));
    Mark::full_width(value, comma.map(|(at, _)| at).or_else(|| closing().map(|(at, _)| at))?)
}

/// In a plain text that stands as an item of a list, or as the whole file: `id：manager`.
pub(super) fn mark_in_item(item: &str) -> Option<Mark> {
    let word = word(item);
    let colon = is_key(word) && item[word.len()..].starts_with('：');
    if colon { Mark::full_width(item, word.len()) } else { None }
}

/// What is said of such a mark.
pub(super) fn mistaken(span: Span, mark: Mark) -> Diagnostic {
    match mark.mark {
        Some(c) => full_width(span, c, mark.typed),
        None => no_colon(span),
    }
}

fn no_colon(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::YamlSyntax,
        span,
        Wording::new(
            "这里少了冒号。键和值之间写 `: `（半角冒号加空格）",
            "a colon is missing here; between a key and its value goes `: `",
        ),
    )
    .fix(span, ":", Wording::new("加上冒号", "add the colon"))
}

/// The name that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Whether a word is a key of the language.
fn is_key(word: &str) -> bool {
    schema_keys().iter().any(|(_, keys)| keys.contains(&word))
}

/// A full-width mark within the brackets that are open where a line could not be read on.
pub(super) fn full_width_in_brackets(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let line = &text[start..at];
    let (mut open, mut quote, mut found) = (0_usize, None, None);
    for (offset, c) in line.char_indices() {
        match (c, quote) {
            (c, Some(end)) if c == end => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('{' | '[', None) => open += 1,
            ('}' | ']', None) => open = open.saturating_sub(1),
            ('，' | '、' | '；' | '：', None) if open > 0 => found = Some(offset),
            (',' | ':', None) => found = None,
            _ => {}
        }
    }
    let mark = Mark::full_width(line, found.filter(|_| open > 0)?)?;
    let rest = line[mark.at + mark.length..].trim();
    (word(rest) == rest).then(|| mistaken(Span::new(id, start + mark.at, start + mark.at + mark.length), mark))
}

/// The most lines above a place in which a quote is looked for that was never closed.
const QUOTE_LINES: usize = 200;

/// A quote that is not closed in its line, where the next line is one of its own. The parser reads on to the next
/// quote, which may stand far below.
pub(super) fn unclosed_quote(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let mut end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let mut below = text[end..].trim_start();
    for _ in 0..QUOTE_LINES {
        let start = text[..end].rfind('\n').map_or(0, |n| n + 1);
        let line = text[start..end].trim_end();
        let next = below.trim_start_matches("- ");
        let ends = below.is_empty() || below.starts_with("- ") || next[word(next).len()..].starts_with([':', '：']);
        if let Some(found) = open_quote(line).filter(|_| ends) {
            return Some(quote_fault(id, start, line, found));
        }
        if !line.trim().is_empty() {
            below = text[start..].trim_start();
        }
        end = start.checked_sub(1)?;
    }
    None
}

/// Where a quote begins that is not closed in its line.
fn open_quote(line: &str) -> Option<usize> {
    let (mut open, mut last, mut escaped) = (None, '\n', false);
    for (at, c) in line.char_indices() {
        match open {
            Some((_, quote)) => {
                if c == quote && !escaped {
                    open = None;
                }
                escaped = quote == '"' && c == '\\' && !escaped;
            }
            None if c == '#' && line[..at].ends_with([' ', '\t']) => break,
            None if matches!(c, '"' | '\'') && starts_value(last) => open = Some((at, c)),
            None => {}
        }
        if !c.is_whitespace() {
            last = c;
        }
    }
    open.map(|(at, _)| at)
}

fn quote_fault(id: SourceId, start: usize, line: &str, at: usize) -> Diagnostic {
    let quote = if line[at..].starts_with('"') { "\"" } else { "'" };
    let wide = |c: &char| matches!(c, '”' | '“' | '’' | '‘');
    if let Some((offset, mark)) = line[at..].char_indices().rev().find(|(_, c)| wide(c)) {
        let place = start + at + offset;
        return full_width(Span::new(id, place, place + mark.len_utf8()), mark, quote);
    }
    let found = Diagnostic::new(
        Code::YamlSyntax,
        Span::new(id, start + at, start + at + 1),
        Wording::new(
            "引号没有闭合。请在这段文字末尾补上同样的引号",
            "this quote is never closed; add the same quote where the text ends",
        ),
    );
    if line[at..].contains(['#', '{', '}', '[', ']', ',']) {
        return found;
    }
    let place = Span::new(id, start + line.len(), start + line.len());
    found.fix(place, quote, Wording::new("补上引号", "add the quote"))
}

/// A key of the language without its colon, in the line of a place or the one above it.
pub(super) fn missing_colon(id: SourceId, text: &str, at: usize, kind: &ErrorKind) -> Option<Diagnostic> {
    if !misaligned(kind) {
        return None;
    }
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let lead = text[start..end].len() - text[start..end].trim_start().len();
    [Some((start + lead, end)), line_above(text, at)].into_iter().flatten().find_map(|(from, to)| {
        let line = text.get(from..to)?;
        let dash = line.len() - line.trim_start_matches("- ").trim_start().len();
        let word = word(&line[dash..]);
        let behind = from + dash + word.len();
        let bare = !line.contains(':') && matches!(text[behind..].chars().next(), None | Some(' ' | '\n' | '\r'));
        (bare && is_key(word)).then(|| no_colon(Span::new(id, behind, behind)))
    })
}

/// The full-width bracket that was meant to close one, in its line.
pub(super) fn full_width_bracket(id: SourceId, text: &str, open: usize, mark: char) -> Option<Diagnostic> {
    let line = text[open..].split('\n').next().unwrap_or_default();
    let close = if mark == '[' { '】' } else { '｝' };
    let at = open + line.rfind(close)?;
    let found = Mark::full_width(text, at)?;
    Some(mistaken(Span::new(id, at, at + found.length), found))
}

/// A full-width colon, comma or quote on the line of an error or the written line above it.
pub(super) fn full_width_near(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let mut start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    for _ in 0..2 {
        if let Some(found) = full_width_in_line(&text[start..end]) {
            let (offset, mark, typed) = found;
            let (from, to) = (start + offset, start + offset + mark.len_utf8());
            let spaced = text[to..].starts_with([' ', '\n', '\r']);
            let typed = if spaced { typed.trim_end() } else { typed };
            return Some(full_width(Span::new(id, from, to), mark, typed));
        }
        let above = text[..start].trim_end();
        start = above.rfind('\n').map_or(0, |n| n + 1);
    }
    None
}

fn full_width_in_line(line: &str) -> Option<(usize, char, &'static str)> {
    let line = line.split_once(" #").map_or(line, |(before, _)| before);
    if let Some((key, _)) = line.split_once('：')
        && key.trim_start_matches([' ', '-']).chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return full_width_mark(line);
    }
    if line.trim_start().starts_with('#') || line.contains(": ") || line.trim_end().ends_with(':') {
        // The line has its colon; marks in its text are only text.
        return None;
    }
    full_width_mark(line).filter(|(_, mark, _)| matches!(mark, '：' | '“' | '”' | '【' | '】' | '｛' | '｝' | '，'))
}
