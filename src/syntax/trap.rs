//! The traps of YAML: words for what the parser refuses, and for what it accepts but nobody means.

use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::node::{DEPTH_LIMIT, ScalarForm};
use granit_parser::ErrorKind;

/// Full-width marks and what to type instead.
const FULL_WIDTH: &[(char, &str)] = &[
    ('：', ": "),
    ('，', ", "),
    ('、', ", "),
    ('（', "("),
    ('）', ")"),
    ('“', "\""),
    ('”', "\""),
    ('‘', "\""),
    ('’', "\""),
    ('；', ";"),
    ('【', "["),
    ('】', "]"),
    ('｛', "{"),
    ('｝', "}"),
    ('＝', "="),
    ('＞', ">"),
    ('＜', "<"),
    ('≥', ">="),
    ('≤', "<="),
    ('≠', "!="),
    ('＋', "+"),
    ('－', "-"),
    ('×', "*"),
    ('÷', "/"),
    ('％', "%"),
    ('．', "."),
    ('　', " "),
];

/// The first full-width mark of a text, outside `"…"`, and what to type instead.
pub(crate) fn full_width_mark(text: &str) -> Option<(usize, char, &'static str)> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if quoted {
            match c {
                '\\' if !escaped => {
                    escaped = true;
                    continue;
                }
                '"' if !escaped => quoted = false,
                _ => {}
            }
            escaped = false;
            continue;
        }
        if c == '"' {
            quoted = true;
        } else if let Some((mark, typed)) = FULL_WIDTH.iter().find(|(mark, _)| *mark == c) {
            return Some((at, *mark, typed));
        }
    }
    None
}

/// A full-width mark where YAML or an expression needs the plain one.
pub(crate) fn full_width(span: Span, mark: char, typed: &str) -> Diagnostic {
    let shown = typed.trim();
    let shown = if shown.is_empty() { " " } else { shown };
    Diagnostic::new(
        Code::FullWidthPunctuation,
        span,
        Wording::new(
            format!("这里是全角的 `{mark}`，请改成半角的 `{shown}`"),
            format!("this is the full-width `{mark}`; type the plain `{shown}` instead"),
        ),
    )
    .label(Wording::new("全角", "full-width"))
    .fix(span, typed, Wording::new("改成半角", "type the plain one"))
}

/// What the YAML parser refused, in words that say what to write.
pub(crate) fn yaml_error(id: SourceId, text: &str, at: usize, kind: &ErrorKind) -> Diagnostic {
    let at = visible(text, at);
    let span = Span::new(id, at, at + text[at..].chars().next().map_or(0, char::len_utf8));
    if let Some(found) = full_width_near(id, text, at) {
        return found;
    }
    if let Some(diagnostic) = begins_with_mark(id, text, at) {
        return diagnostic;
    }
    let syntax = |zh: String, en: String| Diagnostic::new(Code::YamlSyntax, span, Wording::new(zh, en));
    if let Some((open, mark)) = unclosed_bracket(text, at) {
        let close = if mark == '[' { ']' } else { '}' };
        return Diagnostic::new(
            Code::YamlSyntax,
            Span::new(id, open, open + 1),
            Wording::new(
                format!("`{mark}` 没有对应的 `{close}`。请补上，或改成一行一项的写法"),
                format!("`{mark}` has no matching `{close}`; add it, or write one item a line"),
            ),
        );
    }
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => tab(id, text, at),
        _ if tab_starts_line(text, at) => tab(id, text, at),
        ErrorKind::RecursionLimitExceeded => too_deep(span),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => syntax(
            "引号没有闭合。请在这段文字末尾补上同样的引号".into(),
            "this quote is never closed; add the same quote where the text ends".into(),
        ),
        ErrorKind::UnclosedFlowCollection { open } | ErrorKind::MismatchedFlowCollectionEnd { open, .. } => {
            let close = if *open == '[' { ']' } else { '}' };
            syntax(
                format!("`{open}` 没有对应的 `{close}`。请补上，或改成一行一项的写法"),
                format!("`{open}` has no matching `{close}`; add it, or write one item a line"),
            )
        }
        ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => syntax(
            "方括号或花括号里少了 `,`，或没有闭合。各项之间用半角逗号，最后补上 `]` 或 `}`".into(),
            "a `,` is missing inside these brackets, or they are not closed; put `,` between the items and `]` or `}` at the end".into(),
        ),
        ErrorKind::UnexpectedCharacter { character } => Diagnostic::new(
            Code::UnquotedExpression,
            span,
            Wording::new(
                format!("YAML 不允许值以 `{character}` 开头。请把整个值放进单引号"),
                format!("in YAML a value cannot begin with `{character}`; put the whole value into single quotes"),
            ),
        )
        .hint(Wording::new("default: '@\"2026-12-31\"'", "default: '@\"2026-12-31\"'")),
        ErrorKind::MisplacedFlowCollectionEnd => {
            syntax("这个括号没有对应的开头，请删掉它".into(), "nothing was opened that this bracket closes; delete it".into())
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => second_colon(id, text, at, span),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::BlockSequenceEntryNotAllowed => {
            let found = syntax(
                "这里对不上：要么缩进与上面的键不一致，要么少了 `键: 值` 里的冒号和空格".into(),
                "this does not line up: either its indentation differs from the keys above, or the `: ` of `key: value` is missing".into(),
            );
            match line_above(text, at) {
                // What is wrong may as well be the end of the line above.
                Some((start, end)) => found.context(Span::new(id, start, end), Wording::new("上一行", "the line above")),
                None => found,
            }
        }
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape => syntax(
            "双引号里的 `\\` 后面不是 YAML 认识的转义。请改用单引号，`\\` 就是它本身".into(),
            "after `\\` in double quotes YAML knows no such escape; use single quotes, where `\\` is just itself".into(),
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => syntax(
            "引号后面还有内容。表达式以引号开头时，请把整个表达式放进单引号".into(),
            "something follows the closing quote; if an expression begins with a quote, put the whole of it into single quotes".into(),
        )
        .hint(Wording::new("when: '\"high\" = grade'", "when: '\"high\" = grade'")),
        ErrorKind::BomInsideDocument => syntax(
            "文件中间有一个看不见的字节顺序标记（BOM），请删掉它".into(),
            "there is an invisible byte order mark in the middle of the file; delete it".into(),
        ),
        other => syntax(format!("YAML 写法有误：{other}"), format!("this is not valid YAML: {other}")),
    }
}

/// A bracket that was opened on a line above and is still open where reading stopped.
fn unclosed_bracket(text: &str, at: usize) -> Option<(usize, char)> {
    let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut quote = None;
    let (mut before, mut last) = ('\n', '\n');
    let mut comment = false;
    for (offset, c) in text[..line].char_indices() {
        match (c, quote) {
            ('\n', _) => (comment, quote) = (false, quote.filter(|_| !open.is_empty())),
            _ if comment => {}
            (c, Some(end)) if c == end => quote = None,
            (_, Some(_)) => {}
            ('#', None) if before.is_whitespace() => comment = true,
            ('"' | '\'', None) if starts_value(last) => quote = Some(c),
            ('[' | '{', None) if starts_value(last) => open.push((offset, c)),
            (']' | '}', None) => {
                open.pop();
            }
            _ => {}
        }
        before = c;
        if !matches!(c, ' ' | '\t' | '\r') {
            last = c;
        }
    }
    open.first().copied()
}

/// Whether a value begins after this character.
fn starts_value(last: char) -> bool {
    matches!(last, '\n' | ':' | '-' | ',' | '[' | '{')
}

/// A second `: ` in a line, where the whole value wants quotes.
fn second_colon(id: SourceId, text: &str, at: usize, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::YamlSyntax,
        span,
        Wording::new(
            "这一行里的 `:` 让 YAML 误以为又开始了一个键。含有 `: ` 的值请整个加上引号；如果真是一个键，请检查缩进",
            "YAML takes the `:` in this line for another key; put a value that holds `: ` into quotes, or, if it is a key, check its indentation",
        ),
    );
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let Some((key, value)) = text[start..end].trim_end().split_once(": ") else { return diagnostic };
    if key.contains(['{', '[', '：']) {
        return diagnostic;
    }
    let value_at = start + key.len() + 2;
    if value_at > at || value.contains(['{', '[', '#']) {
        return diagnostic;
    }
    let quoted = format!("'{}'", value.replace('\'', "''"));
    let value = Span::new(id, value_at, value_at + value.len());
    diagnostic.fix(value, quoted, Wording::new("加上引号", "put it into quotes"))
}

/// The nearest line above that says something, from its first character to its last.
fn line_above(text: &str, at: usize) -> Option<(usize, usize)> {
    let mut end = text[..at].rfind('\n')?;
    loop {
        let start = text[..end].rfind('\n').map_or(0, |n| n + 1);
        let line = text[start..end].trim();
        if !line.is_empty() && !line.starts_with('#') {
            let from = start + (end - start - text[start..end].trim_start().len());
            return Some((from, from + line.len()));
        }
        end = start.checked_sub(1)?;
    }
}

/// Moves a position at a line break or in white space to the last visible character before it.
fn visible(text: &str, at: usize) -> usize {
    let at = crate::diagnostics::floor(text, at);
    let here = text[at..].chars().next();
    if here.is_some_and(|c| !c.is_whitespace()) {
        return at;
    }
    text[..at].char_indices().rev().find(|(_, c)| !c.is_whitespace()).map_or(at, |(at, _)| at)
}

/// A full-width colon, comma or quote on the line of an error or the written line above it.
fn full_width_near(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
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

/// An expression that begins with a mark which YAML keeps for itself.
fn begins_with_mark(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let line = &text[start..end];
    let (key, value) = line.split_once(": ")?;
    let value_at = start + key.len() + 2 + (value.len() - value.trim_start().len());
    let value = value.trim();
    let first = value.chars().next()?;
    let header = matches!(first, '>' | '|')
        && !value[1..].trim_start_matches(['-', '+', '1', '2', '3', '4', '5', '6', '7', '8', '9']).trim().is_empty();
    if !(matches!(first, '@' | '`' | '%')
        || header
        || (first == '"' && value[1..].contains('"') && !value.ends_with('"')))
    {
        return None;
    }
    if value_at > at + 1 && !header {
        return None;
    }
    let span = Span::new(id, value_at, value_at + value.len());
    let key = key.trim().trim_start_matches("- ");
    let quoted = format!("'{}'", value.replace('\'', "''"));
    Some(
        Diagnostic::new(
            Code::UnquotedExpression,
            span,
            Wording::new(
                format!("YAML 不允许值以 `{first}` 开头。请把整个值放进单引号"),
                format!("in YAML a value cannot begin with `{first}`; put the whole value into single quotes"),
            ),
        )
        .hint(Wording::new(format!("{key}: {quoted}"), format!("{key}: {quoted}")))
        .fix(span, quoted, Wording::new("加上单引号", "put it into quotes")),
    )
}

fn tab_starts_line(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    text[start..].chars().take_while(|c| matches!(c, ' ' | '\t')).any(|c| c == '\t')
}

fn tab(id: SourceId, text: &str, at: usize) -> Diagnostic {
    // The parser may stop a line early or late: point at the nearest tab.
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let found = text[start..].find('\t').map(|n| start + n).or_else(|| text[..start].rfind('\t')).unwrap_or(at);
    let width = text[found..].chars().take_while(|c| *c == '\t').count();
    let span = Span::new(id, found, found + width.max(1));
    Diagnostic::new(
        Code::TabIndentation,
        span,
        Wording::new(
            "这里用了制表符（Tab）缩进，YAML 只接受空格。请换成空格，每层两个",
            "this line is indented with a tab, and YAML takes only spaces; use two spaces a level",
        ),
    )
    .fix(span, "  ".repeat(width.max(1)), Wording::new("换成空格", "use spaces"))
}

/// A nesting that nobody can read.
pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TooDeep,
        span,
        Wording::new(
            format!("嵌套超过 {DEPTH_LIMIT} 层，后面没有读取。请拆成几个步骤，或用 `go` 跳转"),
            format!(
                "this is nested more than {DEPTH_LIMIT} levels deep and was not read on; split it into several steps, or jump with `go`"
            ),
        ),
    )
}

/// An alias whose anchor does not exist before it.
pub(crate) fn unknown_alias(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UnknownAlias,
        span,
        Wording::new(
            format!("YAML 把以 `*` 开头的内容当作别名，但前面没有 `&{name}`。如果这是表达式，请加上单引号"),
            format!(
                "YAML reads what begins with `*` as an alias, but no `&{name}` stands before it; if this is an expression, put it into single quotes"
            ),
        ),
    )
}

/// `!word`, which nobody means here.
pub(crate) fn yaml_tag(span: Span, tag: &str) -> Diagnostic {
    Diagnostic::new(
        Code::YamlTag,
        span,
        Wording::new(
            format!("`{tag}` 是 YAML 标签，这里不用。如果这是文字或表达式，请加上单引号；“不”写作 `not(…)`"),
            format!(
                "`{tag}` is a YAML tag, which is not used here; if it is text or an expression, put it into single quotes; “not” is written `not(…)`"
            ),
        ),
    )
}

/// A list or mapping as a key.
pub(crate) fn key_is_no_word(text: &str, span: Span) -> Diagnostic {
    let raw = text.get(span.start as usize..span.end as usize).unwrap_or("");
    if raw.starts_with('{') {
        // `{{ x }}` parses as a mapping whose key is a mapping.
        let (before, after) = (span.start as usize, span.end as usize);
        let doubled = text[..before].ends_with('{') && text[after..].starts_with('}');
        let span = if doubled { Span { start: span.start - 1, end: span.end + 1, ..span } } else { span };
        return foreign(text, span, "{{ }}");
    }
    Diagnostic::new(
        Code::WrongShape,
        span,
        Wording::new("键必须是一个词，不能是列表或映射", "a key is one word, not a list or a mapping"),
    )
}

/// Syntax of another tool in an expression.
pub(crate) fn foreign(text: &str, span: Span, what: &str) -> Diagnostic {
    let (zh, en, hint) = match what {
        "==" => ("相等只写一个 `=`", "equality is written with one `=`", "when: grade = high"),
        "&&" => ("“并且”写作 `and`", "“and” is written `and`", "when: total > 500 and grade = high"),
        "||" => ("“或者”写作 `or`", "“or” is written `or`", "when: total > 500 or grade = high"),
        "=" => (
            "表达式前面不用 `=`，直接写表达式",
            "no `=` goes before an expression; write just the expression",
            "when: total > 500",
        ),
        _ => (
            "表达式不用 `${ }` 或 `{{ }}` 括起来，直接写名称",
            "an expression is not wrapped in `${ }` or `{{ }}`; write just the names",
            "when: total > 500",
        ),
    };
    let diagnostic = Diagnostic::new(
        Code::ForeignSyntax,
        span,
        Wording::new(format!("`{what}` 是别的工具的写法：{zh}"), format!("`{what}` belongs to another tool: {en}")),
    )
    .hint(Wording::new(hint, hint));
    match own_syntax(text, span) {
        Some(own) => diagnostic.fix_word(span, own),
        None => diagnostic,
    }
}

/// What stands at a span in the syntax of another tool, in ours.
fn own_syntax(text: &str, span: Span) -> Option<String> {
    let (start, end) = (span.start as usize, span.end as usize);
    let raw = text.get(start..end)?;
    let word = |word: &str| {
        let before = if text[..start].ends_with([' ', '\n']) { "" } else { " " };
        let after = if text[end..].starts_with([' ', '\n']) { "" } else { " " };
        Some(format!("{before}{word}{after}"))
    };
    match raw {
        "==" => Some("=".to_owned()),
        "&&" => word("and"),
        "||" => word("or"),
        "=" => None,
        _ => {
            let inner = raw
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'))
                .or_else(|| raw.strip_prefix("{{")?.strip_suffix("}}"))?
                .trim();
            (!inner.is_empty() && !inner.contains(['{', '}', '\n'])).then(|| inner.to_owned())
        }
    }
}

/// An expression that YAML took apart at its commas, as it stands within brackets of YAML.
pub(crate) fn taken_apart(span: Span, raw: &str) -> Diagnostic {
    let quoted = format!("'{}'", raw.replace('\'', "''"));
    Diagnostic::new(
        Code::UnquotedExpression,
        span,
        Wording::new(
            "在 YAML 的花括号或方括号里，逗号会把这个表达式拆开。请把整个表达式放进单引号",
            "within YAML's own brackets the commas take this expression apart; put the whole of it into single quotes",
        ),
    )
    .fix(span, quoted, Wording::new("加上单引号", "put it into quotes"))
}

/// Syntax of other tools in an expression's text: offset, length, what.
pub(crate) fn foreign_marks(text: &str) -> Vec<(usize, usize, &'static str)> {
    let mut found = Vec::new();
    let trimmed = text.trim_start();
    let lead = text.len() - trimmed.len();
    if trimmed.starts_with('=') && !trimmed.starts_with("==") {
        found.push((lead, 1, "="));
    }
    let mut quoted = false;
    let mut skip = 0;
    for (at, c) in text.char_indices() {
        if at < skip {
            continue;
        }
        let rest = &text[at..];
        match c {
            '\\' if quoted => skip = at + 2,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ => {
                if let Some(mark) = ["==", "&&", "||"].into_iter().find(|mark| rest.starts_with(mark)) {
                    found.push((at, mark.len(), mark));
                    skip = at + mark.len();
                } else if rest.starts_with("${") {
                    found.push((at, rest.find('}').map_or(2, |n| n + 1), "${ }"));
                } else if rest.starts_with("{{") {
                    found.push((at, rest.find("}}").map_or(2, |n| n + 2), "{{ }}"));
                }
            }
        }
    }
    found
}

/// A YAML list or mapping where the text of an expression was meant.
pub(crate) fn unquoted(text: &str, span: Span, key: &str) -> Diagnostic {
    let raw = text.get(span.start as usize..span.end as usize).unwrap_or("");
    if raw.starts_with("{{") {
        return foreign(text, span, "{{ }}");
    }
    let diagnostic = Diagnostic::new(
        Code::UnquotedExpression,
        span,
        Wording::new(
            format!("`{key}` 要写一个表达式，YAML 却把它读成了列表或映射。以 `[` 或 `{{` 开头的表达式请放进单引号"),
            format!(
                "`{key}` takes an expression, but YAML reads this as a list or a mapping; put an expression that begins with `[` or `{{` into single quotes"
            ),
        ),
    );
    if raw.contains('\n') || !raw.starts_with(['[', '{']) {
        return diagnostic;
    }
    let quoted = format!("'{}'", raw.replace('\'', "''"));
    diagnostic.hint(Wording::new(format!("{key}: {quoted}"), format!("{key}: {quoted}"))).fix(
        span,
        quoted,
        Wording::new("加上单引号", "put it into quotes"),
    )
}

/// A quoted lone word, whose quotes YAML takes away.
pub(crate) fn quoted_word(span: Span, word: &str, form: ScalarForm) -> Diagnostic {
    let quote = if form == ScalarForm::Double { '"' } else { '\'' };
    Diagnostic::new(
        Code::QuotedWord,
        span,
        Wording::new(
            format!(
                "YAML 会去掉 {quote}{word}{quote} 的引号，剩下的 `{word}` 是一个名称。要写文字，请写 '\"{word}\"'；要写选项或字段，请去掉引号"
            ),
            format!(
                "YAML takes the quotes of {quote}{word}{quote} away, and `{word}` is left, a name. For a text write '\"{word}\"'; for an option or a field drop the quotes"
            ),
        ),
    )
    .hint(Wording::new(format!("'\"{word}\"'  （文字）"), format!("'\"{word}\"'  (a text)")))
    .hint(Wording::new(format!("{word}  （选项或字段）"), format!("{word}  (an option or a field)")))
}
