//! What was meant where a mark of YAML is full-width or missing: colons, commas, quotes and brackets.
//!
//! The parser stops wherever it can no longer go on, or takes such a mark for a part of a text; the place where it was
//! typed is found here.

use super::lines::{line_above, lines};
use super::tabs::{is_odd_space, odd_space};
use super::{Node, NodeKind, ScalarForm};
use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::schema_keys;
use crate::syntax::trap::{full_width, full_width_mark};
use std::collections::BTreeMap;

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
        let (_, mark, typed) =
            full_width_mark(text.get(at..)?).filter(|(offset, mark, _)| *offset == 0 && !mark.is_numeric())?;
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
        _ => missing_space(key),
    }
}

/// The space that a text lacks which stands as a key or as an item: `type:money`, or `type:　money`.
fn missing_space(text: &str) -> Option<Mark> {
    let key = word(text);
    let odd = text[key.len()..].strip_prefix(':').and_then(|value| value.chars().next()).filter(|c| is_odd_space(*c));
    if let Some(space) = odd.filter(|_| is_key(key)) {
        return Some(Mark { at: key.len() + 1, length: space.len_utf8(), mark: Some(space), typed: " " });
    }
    unspaced(text, is_key).map(|at| Mark { at, length: 0, mark: None, typed: " " })
}

/// A key of the language and its value without the colon between them, and any without the space behind it:
/// `{ task keeper, due: 1 day }`, `{ good:Good }`.
pub(super) fn missing_in_key(key: &Node, value: &Node) -> Option<Diagnostic> {
    let NodeKind::Scalar { text, form: ScalarForm::Plain } = &key.kind else { return None };
    let word = word(text);
    let place = |at: usize| {
        let at = key.span.start + at as u32;
        Span { start: at, end: at, ..key.span }
    };
    if !value.is_empty() {
        None
    } else if text[word.len()..].starts_with(' ') && is_key(word) || text[word.len()..].starts_with(" \"") {
        Some(no_colon(place(word.len())))
    } else {
        unspaced(text, is_name).map(|at| no_space(place(at)))
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

/// In a plain text that stands as an item of a list, or as the whole file: `id：manager`, and `id:manager`.
pub(super) fn mark_in_item(item: &str) -> Option<Mark> {
    let word = word(item);
    let colon = item[word.len()..].starts_with('：') && is_key(word);
    if colon { Mark::full_width(item, word.len()) } else { missing_space(item) }
}

/// What is said of such a mark.
pub(super) fn mistaken(span: Span, mark: Mark) -> Diagnostic {
    match mark.mark {
        Some(c) if is_odd_space(c) => odd_space(span, c).fix(span, " ", Wording::new("换成空格", "use spaces")),
        Some(c) => full_width(span, c, mark.typed),
        None if mark.typed == " " => no_space(span),
        None => no_colon(span),
    }
}

pub(super) fn no_colon(span: Span) -> Diagnostic {
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

/// Whether the keys of a test are more than its first lines, so that one more `test` is another one.
pub(super) fn test_ends(seen: &BTreeMap<String, Span>) -> bool {
    seen.contains_key("test") && ["do", "expect", "start", "cases"].iter().any(|key| seen.contains_key(*key))
}

/// What is said of a test that begins within another one.
pub(super) fn no_separator(key: Span) -> Diagnostic {
    Diagnostic::new(
        Code::YamlSyntax,
        key,
        Wording::new(
            "又一份测试从这里开始，前面少了一行 `---`",
            "another test begins here, and the line `---` before it is missing",
        ),
    )
    .fix(Span { end: key.start, ..key }, "---\n", Wording::new("加上 `---`", "add the `---`"))
}

/// The line between two tests with a dash too few, or with something between its dashes.
pub(super) fn torn_separator(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let line = text[start..].split('\n').next().unwrap_or_default().trim_end();
    let dashes = line.matches('-').count();
    let torn = line.starts_with('-') && dashes > 1 && line != "---" && line.chars().all(|c| !c.is_alphanumeric());
    let below = text[start + line.len()..].trim_start();
    let span = Span::new(id, start, start + line.len());
    let said = Wording::new("两份测试之间的一行是 `---`", "the line between two tests is `---`");
    (torn && below.starts_with("test:")).then(|| Diagnostic::new(Code::YamlSyntax, span, said).fix_word(span, "---"))
}

/// The colon within braces before a text in quotes that is missing, or full-width, somewhere before a place in its line.
pub(super) fn colon_before_quote(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let line = &text[start..at];
    line.match_indices('"').find_map(|(quote, _)| {
        let (before, key) = line[..quote].rsplit_once(['{', ','])?;
        let within = line[..quote].matches('{').count() > line[..quote].matches('}').count();
        let opens = within && before.matches('"').count().is_multiple_of(2);
        let name = key.trim().trim_end_matches('：');
        if !opens || !is_name(name) || word(name) != name {
            return None;
        }
        let end = quote - (key.len() - key.trim_end().len());
        let mark = Mark::full_width(line, end.checked_sub('：'.len_utf8())?).filter(|_| key.contains('：'));
        match mark {
            Some(mark) => Some(mistaken(Span::new(id, start + mark.at, start + mark.at + mark.length), mark)),
            None => key.ends_with(' ').then(|| no_colon(Span::new(id, start + end, start + end))),
        }
    })
}

/// A mark that was typed at the left of a line which is indented.
pub(super) fn before_line(text: &str, at: usize) -> Option<char> {
    let line = text.get(at..)?;
    let mark = line.chars().next().filter(|c| !c.is_alphanumeric() && !c.is_whitespace() && *c != '-')?;
    let first = at == 0 || text[..at].ends_with('\n');
    let line = &line[mark.len_utf8()..];
    (first && (line.starts_with("  ") || line.starts_with(" - "))).then_some(mark)
}

/// What is said of such a mark, before so many spaces: it came to them, or stands for one of them.
pub(super) fn stray(span: Span, mark: char, spaces: usize) -> Diagnostic {
    let typed = if spaces.is_multiple_of(2) { "" } else { " " };
    Diagnostic::new(
        Code::YamlSyntax,
        span,
        Wording::new(
            format!("这一行前面多了一个 `{mark}`，请删掉它"),
            format!("there is a `{mark}` too many before this line; delete it"),
        ),
    )
    .fix(span, typed, Wording::new("删掉它", "delete it"))
}

/// The name that a text begins with.
pub(super) fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Whether a word may be a name of the author's.
fn is_name(word: &str) -> bool {
    word.starts_with(char::is_alphabetic)
}

/// Whether a word is a key of the language.
pub(super) fn is_key(word: &str) -> bool {
    schema_keys().iter().any(|(_, keys)| keys.contains(&word))
}

/// Whether a word is a key at another place of a text too: first in a line or a group.
pub(super) fn is_key_elsewhere(text: &str, at: usize, key: &str) -> bool {
    let mut found = text.match_indices(key).filter(|(place, _)| *place != at && !key.is_empty());
    found.any(|(place, _)| {
        let before = text[..place].trim_end_matches([' ', '-']);
        text[place + key.len()..].starts_with(": ") && (before.is_empty() || before.ends_with(['\n', '{', ',']))
    })
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
        let of_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
        let ends =
            below.is_empty() || below.starts_with("- ") || below.trim_start_matches(of_key).starts_with([':', '：']);
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

/// Where a quote begins that is not closed in its line. Within a plain text it is a part of that.
fn open_quote(line: &str) -> Option<usize> {
    let (mut open, mut depth, mut plain, mut escaped) = (None, 0_usize, false, false);
    for (at, c) in line.char_indices() {
        let spaced = line[at + c.len_utf8()..].chars().next().is_none_or(char::is_whitespace);
        match open {
            Some((_, quote)) => {
                if c == quote && !escaped {
                    open = None;
                }
                escaped = quote == '"' && c == '\\' && !escaped;
            }
            None if c == '#' && line[..at].ends_with([' ', '\t']) => break,
            None if c.is_whitespace() => {}
            None if !plain && matches!(c, '"' | '\'') => open = Some((at, c)),
            None if !plain && matches!(c, '[' | '{') => depth += 1,
            None if depth > 0 && matches!(c, ']' | '}' | ',') => {
                plain = false;
                depth -= usize::from(c != ',');
            }
            None => plain = !(spaced && (c == ':' || c == '-' && !plain)),
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
    if line[..at].trim_end().ends_with(':') && line[at + 1..].trim().is_empty() {
        let span = Span::new(id, start + at, start + at + 1);
        let said = Wording::new("这里多了一个引号，请删掉它", "there is a quote too many here; delete it");
        let found = Diagnostic::new(Code::YamlSyntax, span, said);
        return found.fix(span, "", Wording::new("删掉它", "delete it"));
    }
    let found = Diagnostic::new(
        Code::YamlSyntax,
        Span::new(id, start + at, start + at + 1),
        Wording::new(
            "引号没有闭合。请在这段文字末尾补上同样的引号",
            "this quote is never closed; add the same quote where the text ends",
        ),
    );
    let place = match next_in_braces(&line[at..]) {
        Some(comma) if line[..at].contains('{') => start + at + comma,
        _ if line[at..].contains(['#', '{', '}', '[', ']', ',']) => return found,
        _ => start + line.len(),
    };
    let place = Span::new(id, place, place);
    found.fix(place, quote, Wording::new("补上引号", "add the quote"))
}

/// Where within braces the next key follows.
fn next_in_braces(value: &str) -> Option<usize> {
    let key = |rest: &str| {
        let key = word(rest.trim_start());
        is_name(key) && rest.trim_start()[key.len()..].starts_with(": ")
    };
    value.match_indices(',').map(|(comma, _)| comma).find(|comma| key(&value[comma + 1..]))
}

/// A key of the language without its colon, or without the space behind it or behind the dash before it, in the line of
/// a place or the one above it.
pub(super) fn torn_key(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let lead = text[start..end].len() - text[start..end].trim_start().len();
    [Some((start + lead, end)), line_above(text, at)].into_iter().flatten().find_map(|(from, to)| {
        let line = text.get(from..to)?;
        let dash = line.len() - line.trim_start_matches("- ").trim_start().len();
        let word = word(&line[dash..]);
        let behind = from + dash + word.len();
        let bare = !line.contains(':') && matches!(text[behind..].chars().next(), None | Some(' ' | '\n' | '\r'));
        // What stands deeper below a word alone belongs to it.
        let below = lines(&text[behind..]).first().map(|below| below.indent);
        let left = from - text[..from].rfind('\n').map_or(0, |n| n + 1);
        let opens = word == line.trim_end() && !word.is_empty() && below.is_some_and(|below| below > left);
        let no_colon = (bare && (is_key(word) || opens)).then(|| no_colon(Span::new(id, behind, behind)));
        let no_colon = no_colon.or_else(|| {
            let beside = || from < start && left == lead && in_pair(text[start..end].trim());
            let at = from + before_value(line).or_else(|| two_words(line).filter(|_| beside()))?;
            Some(self::no_colon(Span::new(id, at, at)))
        });
        no_colon.or_else(|| {
            if let Some(at) = unspaced(line, is_key) {
                return Some(no_space(Span::new(id, from + at, from + at)));
            }
            // A name of the author's; but it may as well be a text.
            let at = from + unspaced(line, is_name)?;
            let mut found = no_space(Span::new(id, at, at));
            found.fix.iter_mut().for_each(|fix| fix.safe = false);
            Some(found)
        })
    })
}

/// Where a name ends, in a line that is nothing but that and what can only be its value: a number, a date, a list.
fn before_value(line: &str) -> Option<usize> {
    let (name, value) = match line.split_once(" [").or_else(|| line.split_once(" \"")) {
        Some((name, rest)) => (name, rest.strip_suffix([']', '"']).map(|_| "0")?),
        None => line.rsplit_once(' ')?,
    };
    let of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let named = name.starts_with(char::is_alphabetic) && name.chars().all(of_name);
    (named && value.starts_with(|c: char| c.is_ascii_digit()) && !value.ends_with(':')).then_some(name.trim_end().len())
}

/// Where the first of two words ends that a line is.
fn two_words(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(' ')?;
    (word(name) == name && word(value) == value).then_some(name.len())
}

/// Whether a line is a key with its value.
fn in_pair(line: &str) -> bool {
    line[word(line).len()..].starts_with(": ")
}

/// Where a line lacks the space behind the colon of a key, or behind the dash of an item that begins with one.
fn unspaced(line: &str, is_key: impl Fn(&str) -> bool) -> Option<usize> {
    let dash = line.len() - line.trim_start_matches("- ").trim_start().len();
    let words = &line[dash..];
    if let Some(item) = words.strip_prefix('-') {
        let key = word(item);
        return (is_key(key) && item[key.len()..].starts_with(": ")).then_some(dash + 1);
    }
    let key = word(words);
    let value = words[key.len()..].strip_prefix(':')?;
    // What is no address, and no key within the value.
    let group = value.starts_with('{') && value.ends_with('}');
    let torn = value.starts_with(|c: char| !c.is_whitespace() && !matches!(c, '/' | ':'));
    let torn = torn && (group || !value.contains(": ")) && !matches!(value.trim_end(), "\"" | "'");
    (torn && is_key(key)).then_some(dash + key.len() + 1)
}

fn no_space(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::YamlSyntax,
        span,
        Wording::new(
            "这里少了一个空格，否则 YAML 把前后当成一个词：键后面写 `: `，列表的每一项前面写 `- `",
            "a space is missing here, else YAML takes it for one word: behind a key goes `: `, before an item of a list `- `",
        ),
    )
    .fix(span, " ", Wording::new("加上空格", "add the space"))
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
    let lacks_open = line.matches('{').count() < line.matches('}').count();
    if let Some(at) = line.find(": ｛").filter(|_| lacks_open) {
        return full_width_mark(&line[at..]).map(|(offset, mark, typed)| (at + offset, mark, typed));
    }
    if let Some((key, _)) = line.split_once('：')
        && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '))
    {
        return full_width_mark(line);
    }
    if line.trim_start().starts_with('#') || line.contains(": ") || line.trim_end().ends_with(':') {
        // The line has its colon; marks in its text are only text.
        return None;
    }
    full_width_mark(line)
        .filter(|(_, mark, _)| matches!(mark, '：' | '“' | '”' | '【' | '】' | '［' | '］' | '｛' | '｝' | '，'))
}
