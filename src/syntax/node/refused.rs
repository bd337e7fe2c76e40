//! What the YAML parser refuses, in words that say what to write.

use super::aligned::out_of_line;
use super::brackets::{bare_brackets, behind_value, second_colon_in_brackets, second_key, unclosed};
use super::lines::{line_above, lines, next_line, starts_value, visible};
use super::meant::{
    colon_before_quote, full_width_bracket, full_width_in_brackets, full_width_near, no_colon, torn_key,
    torn_separator, unclosed_quote, word,
};
use super::tabs::{odd_space_behind_key, tab, tab_starts_line};
use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::feel::is_word;
use crate::syntax::holds_expression;
use crate::syntax::trap::too_deep;
use granit_parser::ErrorKind;

/// What the YAML parser refused, in words that say what to write.
pub(crate) fn yaml_error(id: SourceId, text: &str, at: usize, kind: &ErrorKind) -> Diagnostic {
    let at = if misaligned(kind) { next_line(text, at) } else { None }.unwrap_or_else(|| visible(text, at));
    let span = Span::new(id, at, at + text[at..].chars().next().map_or(0, char::len_utf8));
    if let Some(found) = torn_separator(id, text, at) {
        return found;
    }
    if let Some(found) = full_width_near(id, text, at).or_else(|| full_width_in_brackets(id, text, at)) {
        return found;
    }
    if let Some(found) = foreign_comment(id, text, at).or_else(|| odd_space_behind_key(id, text, at)) {
        return found;
    }
    let quote = unclosed_quote(id, text, at).or_else(|| behind_value(id, text, at));
    if let Some(found) = quote.or_else(|| colon_before_quote(id, text, at)) {
        return found;
    }
    if let Some(diagnostic) = begins_with_mark(id, text, at) {
        return diagnostic;
    }
    if let Some(found) = bare_brackets(id, text, at).or_else(|| second_colon_in_brackets(id, text, at)) {
        return found;
    }
    if let Some(found) = torn_key(id, text, at).filter(|_| misaligned(kind)) {
        return found;
    }
    let syntax = |zh: String, en: String| Diagnostic::new(Code::YamlSyntax, span, Wording::new(zh, en));
    if let Some((open, mark)) = unclosed_bracket(text, at) {
        return full_width_bracket(id, text, open, mark).unwrap_or_else(|| unclosed(id, text, open));
    }
    let begins = matches!(kind, ErrorKind::InvalidDocumentEnd | ErrorKind::ExpectedDocumentStart);
    if (begins || misaligned(kind))
        && !tab_starts_line(text, at)
        && let Some(found) = out_of_line(id, text, at)
    {
        return found;
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
        ErrorKind::UnclosedFlowCollection { .. } | ErrorKind::MismatchedFlowCollectionEnd { .. }
            if text[at..].starts_with(['[', '{']) =>
        {
            let mark = if text[at..].starts_with('[') { '[' } else { '{' };
            full_width_bracket(id, text, at, mark).unwrap_or_else(|| unclosed(id, text, at))
        }
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
        ErrorKind::UnexpectedCharacter { character } => file_with_mark(id, text, at).unwrap_or_else(|| Diagnostic::new(
            Code::UnquotedExpression,
            span,
            Wording::new(
                format!("YAML 不允许值以 `{character}` 开头。请把整个值放进单引号"),
                format!("in YAML a value cannot begin with `{character}`; put the whole value into single quotes"),
            ),
        )
        .hint(match text.get(at + 1..) {
            Some(rest) if *character == '@' && !rest.starts_with('"') => Wording::new(
                "日期写成 `'@\"2026-12-31\"'`；测试里的文件不写 `@`，只写名字，例如 `a.pdf`",
                "a date is `'@\"2026-12-31\"'`; a file of a test has no `@`: write its name alone, such as `a.pdf`",
            ),
            _ => Wording::new("default: '@\"2026-12-31\"'", "default: '@\"2026-12-31\"'"),
        })),
        ErrorKind::MisplacedFlowCollectionEnd => {
            let found =
                syntax("这个括号没有对应的开头，请删掉它".into(), "nothing was opened that this bracket closes; delete it".into());
            let words = Wording::new("删掉它", "delete it");
            // Behind a value that is closed already there is nothing that it could belong to.
            let closed = text[..at].trim_end_matches(' ').ends_with([']', '}']);
            if closed { found.fix(span, "", words) } else { found.offer(span, "", words) }
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
        ErrorKind::MissingAnchorOrAliasName if begins_item(text, at) => syntax(
            "列表的每一项以 `- ` 开头，不用 `*`".into(),
            "each item of a list begins with `- `, not with `*`".into(),
        )
        .fix(span, "-", Wording::new("改成 `-`", "write `-`")),
        ErrorKind::BomInsideDocument => syntax(
            "文件中间有一个看不见的字节顺序标记（BOM），请删掉它".into(),
            "there is an invisible byte order mark in the middle of the file; delete it".into(),
        ),
        other => {
            let (zh, en) = seldom(other);
            syntax(zh.into(), en.into())
        }
    }
}

/// What is refused seldom.
fn seldom(kind: &ErrorKind) -> (&'static str, &'static str) {
    match kind {
        ErrorKind::CommentInterceptedScalar => (
            "文字在注释后面又接着写了一行。跨行的文字中间不能有注释，请把注释移到前面",
            "the text goes on below this comment; a text of several lines has no comment in it, so move it above",
        ),
        ErrorKind::CommentNotSeparated => ("`#` 前面要有空格，才是注释", "a comment needs a space before its `#`"),
        ErrorKind::BlockEntryInFlowCollection => {
            ("括号里的各项用逗号隔开，不写 `- `", "within brackets items are separated by commas, not begun with `- `")
        }
        ErrorKind::InvalidBlockEntryWhitespace => ("`-` 后面要有空格", "a space goes behind the `-`"),
        ErrorKind::InvalidFlowScalarIndent | ErrorKind::InvalidQuotedScalarIndent => (
            "括号或引号里换了行，下一行要比这个键缩进得多",
            "what goes on within brackets or quotes on the next line is indented more than the key it belongs to",
        ),
        ErrorKind::ZeroBlockScalarIndent
        | ErrorKind::InvalidBlockScalarHeader
        | ErrorKind::InvalidBlockScalarIndent => (
            "`|` 或 `>` 后面什么也不写，文字从下一行开始，缩进一致",
            "nothing follows `|` or `>` on its line; the text begins on the next one, each line with the same indentation",
        ),
        ErrorKind::MissingAnchorOrAliasName => (
            "YAML 里 `&` 和 `*` 后面是一个名称。如果这是文字或表达式，请加上单引号",
            "in YAML a name follows `&` and `*`; if this is a text or an expression, put it into single quotes",
        ),
        ErrorKind::ExpectedTagBang
        | ErrorKind::UndeclaredTagHandle
        | ErrorKind::InvalidGlobalTagCharacter
        | ErrorKind::InvalidTagTerminator
        | ErrorKind::MissingTagUri
        | ErrorKind::UnclosedVerbatimTag
        | ErrorKind::InvalidTagEscape
        | ErrorKind::InvalidTagUtf8 => (
            "`!` 开头的是 YAML 标签，这里不用。如果这是文字或表达式，请加上单引号；“不”写作 `not(…)`",
            "`!` begins a tag of YAML, which is not used here; put a text or an expression into single quotes, and write `not(…)` to negate",
        ),
        ErrorKind::DirectiveDisallowed
        | ErrorKind::InvalidDirectiveName
        | ErrorKind::MissingDirectiveName
        | ErrorKind::InvalidDirectiveTerminator
        | ErrorKind::MissingDocumentEndBeforeDirective => (
            "`%` 开头的一行是 YAML 指令，这里不用。如果这是文字，请加上单引号",
            "a line that begins with `%` is a directive of YAML, which is not used here; put a text into single quotes",
        ),
        ErrorKind::InvalidDocumentEnd | ErrorKind::ExpectedDocumentStart => (
            "这一行接不上前面的内容：或者缩进太少，或者 `...` 后面还有内容",
            "this does not go on from what stands above: either it is indented too little, or it follows a `...`",
        ),
        ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate => (
            "双引号里的 `\\u` 转义不完整。请直接写这个字",
            "this `\\u` escape in double quotes is not whole; write the character itself",
        ),
        _ => (
            "YAML 读到这里读不下去。请检查这里和上一行的缩进、括号和引号",
            "YAML cannot be read on from here; look at the indentation, brackets and quotes of this line and the one above",
        ),
    }
}

/// What is a comment in other languages: a line, or what follows closed brackets.
fn foreign_comment(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let line = &text[start..];
    let start = start + line.len() - line.trim_start_matches(' ').len();
    let begins = |start: usize| {
        let marks = ["//", "--", ";"].into_iter();
        marks.filter(move |mark| text[start..].starts_with(&format!("{mark} "))).map(move |mark| (start, mark)).next()
    };
    let (start, mark) = begins(start).or_else(|| begins(at).filter(|_| text[..at].ends_with(' ')))?;
    let span = Span::new(id, start, start + mark.len());
    let words = Wording::new(
        format!("注释以 `#` 开头，不用 `{mark}`"),
        format!("a comment begins with `#`, not with `{mark}`"),
    );
    Some(Diagnostic::new(Code::YamlSyntax, span, words).fix(span, "#", Wording::new("改成 `#`", "write `#`")))
}

/// Whether a `*` stands where a list has its `-`.
fn begins_item(text: &str, at: usize) -> bool {
    let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
    text[line..at].trim().is_empty() && text[at..].starts_with("* ")
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
            // Within brackets they open wherever they stand.
            ('[' | '{', None) if starts_value(last) || !open.is_empty() => open.push((offset, c)),
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
    let line = text[start..end].trim_end();
    let deeper = lines(&text[start..]).get(1).is_some_and(|below| below.indent > line.len() - line.trim_start().len());
    let value = line.strip_suffix(':').and_then(|line| line.split_once(": ")).map(|(_, value)| value);
    let whole = value.is_some_and(|value| !value.contains(": ") || value.ends_with(['}', ']']));
    if whole && !deeper {
        let last = Span::new(id, start + line.len() - 1, start + line.len());
        let said = Wording::new(
            "这一行末尾多了一个 `:`，请删掉它",
            "there is a `:` too many at the end of this line; delete it",
        );
        return Diagnostic::new(Code::YamlSyntax, last, said).fix(last, "", Wording::new("删掉它", "delete it"));
    }
    let Some((key, value)) = line.split_once(": ") else { return diagnostic };
    if let Some(found) = no_colon_before_bracket(id, line, start) {
        return found;
    }
    if key.contains(['{', '[', '：']) {
        return diagnostic;
    }
    let value_at = start + key.len() + 2;
    if value.ends_with('}') && !value.contains('{') && value.split_once(": ").is_some_and(|(key, _)| word(key) == key) {
        let at = Span::new(id, value_at, value_at);
        return Diagnostic::new(
            Code::YamlSyntax,
            Span::new(id, value_at, value_at + value.len()),
            Wording::new("`}` 没有对应的 `{`。请在前面补上", "`}` has no matching `{`; add it in front"),
        )
        .fix(at, "{ ", Wording::new("补上 `{`", "add the `{`"));
    }
    if value_at > at || value.contains(['{', '[', '#']) {
        return diagnostic;
    }
    let depth = key.len() - key.trim_start_matches([' ', '-']).len();
    if let Some(found) = second_key(id, text, value_at..value_at + value.len(), depth) {
        return found;
    }
    let quoted = format!("'{}'", value.replace('\'', "''"));
    // No expression has such a mark but in a text of its own.
    if holds_expression(key.trim_start_matches([' ', '-']))
        && !value.split_once(": ").is_some_and(|(before, _)| before.contains('"'))
    {
        return diagnostic;
    }
    let value = Span::new(id, value_at, value_at + value.len());
    diagnostic.fix(value, quoted, Wording::new("加上引号", "put it into quotes"))
}

/// A name before brackets without the colon between them: `late [{ wait: 2 days }]`.
fn no_colon_before_bracket(id: SourceId, line: &str, start: usize) -> Option<Diagnostic> {
    let words = line.trim_start_matches([' ', '-']);
    let name = word(words);
    let value = words[name.len()..].strip_prefix(' ')?.trim();
    let whole = value.starts_with("[{") && value.ends_with("}]") || value.starts_with("{ ") && value.ends_with('}');
    let at = start + line.len() - words.len() + name.len();
    (whole && !name.is_empty()).then(|| no_colon(Span::new(id, at, at)))
}

/// `@a.pdf`: a file as the shell takes it, where a test makes one up.
fn file_with_mark(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let name = text.get(at..)?.strip_prefix('@')?;
    let name = &name[..name.find([',', '}', ']', '\n', '"', ' ']).unwrap_or(name.len())];
    let (stem, ending) = name.rsplit_once('.')?;
    let plain = stem.starts_with(char::is_alphabetic) && !stem.contains('@') && !ending.is_empty();
    plain.then(|| {
        Diagnostic::new(
            Code::UnquotedExpression,
            Span::new(id, at, at + 1 + name.len()),
            Wording::new(
                format!("测试里的文件是假想的，不写 `@`，只写名字 `{name}`"),
                format!("a file of a test is made up: write its name alone, `{name}`, without `@`"),
            ),
        )
        .fix_word(Span::new(id, at, at + 1 + name.len()), name)
    })
}

/// The value that begins at a place within `{ }`, with its key: up to the next key, or to where the brackets close.
fn within_brackets(line: &str, at: usize) -> Option<(&str, &str)> {
    let (before, value) = (line[..at].trim_end().strip_suffix(':')?, &line[at..]);
    let opened = before.rfind('{').filter(|open| !before[*open..].contains('}'))?;
    let key = before[opened + 1..].rsplit(',').next()?.trim();
    let mut depth = 0usize;
    let end = value.char_indices().find(|(offset, c)| {
        let closes = matches!(c, '}' | ']' | ')') && depth == 0;
        let next =
            *c == ',' && depth == 0 && value[offset + 1..].split_once(": ").is_some_and(|(key, _)| is_word(key.trim()));
        depth = match c {
            '(' | '[' | '{' => depth + 1,
            ')' | ']' | '}' => depth.saturating_sub(1),
            _ => depth,
        };
        closes || next
    });
    Some((key, value[..end.map_or(value.len(), |(offset, _)| offset)].trim_end()))
}

/// An expression that begins with a mark which YAML keeps for itself.
fn begins_with_mark(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let line = &text[start..end];
    if let Some((key, value)) =
        within_brackets(line, at - start).filter(|(_, value)| value.starts_with(['>', '|', '%', '`']))
    {
        return Some(wants_quotes(id, key, value, at));
    }
    let (key, value) = line.split_once(": ")?;
    let value_at = start + key.len() + 2 + (value.len() - value.trim_start().len());
    let value = value.trim();
    let first = value.chars().next()?;
    let header = matches!(first, '>' | '|')
        && !value[1..].trim_start_matches(['-', '+', '1', '2', '3', '4', '5', '6', '7', '8', '9']).trim().is_empty();
    if !(matches!(first, '@' | '`' | '%')
        || header
        || (first == '"' && value[1..].contains('"') && !value.ends_with('"') && !key.contains(['{', '['])))
    {
        return None;
    }
    if value_at > at + 1 && !header {
        return None;
    }
    if let Some(found) = file_with_mark(id, text, value_at) {
        return Some(found);
    }
    Some(wants_quotes(id, key.trim().trim_start_matches("- "), value, value_at))
}

fn wants_quotes(id: SourceId, key: &str, value: &str, at: usize) -> Diagnostic {
    let span = Span::new(id, at, at + value.len());
    let quoted = format!("'{}'", value.replace('\'', "''"));
    let first = &value[..value.chars().next().map_or(0, char::len_utf8)];
    Diagnostic::new(
        Code::UnquotedExpression,
        span,
        Wording::new(
            format!("YAML 不允许值以 `{first}` 开头。请把整个值放进单引号"),
            format!("in YAML a value cannot begin with `{first}`; put the whole value into single quotes"),
        ),
    )
    .hint(Wording::new(format!("{key}: {quoted}"), format!("{key}: {quoted}")))
    .fix(span, quoted, Wording::new("加上单引号", "put it into quotes"))
}

/// Whether lines do not go together, as they also do not where one between them could not be read.
pub(super) fn misaligned(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::MappingValueNotAllowed
            | ErrorKind::InvalidColonPlacement
            | ErrorKind::ExpectedBlockMappingKey
            | ErrorKind::SimpleKeyExpected
            | ErrorKind::InvalidSimpleKey
            | ErrorKind::InvalidIndentation
            | ErrorKind::ExpectedBlockSequenceEntry
            | ErrorKind::MappingKeyNotAllowed
            | ErrorKind::BlockSequenceEntryNotAllowed
    )
}
