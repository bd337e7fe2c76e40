//! The traps of YAML: words for what its parser accepts but nobody means. What it refuses has them in `node`.

use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::text::Wording;
use crate::syntax::FeelText;
use crate::syntax::node::{DEPTH_LIMIT, Draft, ScalarForm};

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
    ('［', "["),
    ('］', "]"),
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

/// Full-width digits, which are digits of no number; in a name they may stand.
const DIGITS: &[(char, &str)] = &[
    ('０', "0"),
    ('１', "1"),
    ('２', "2"),
    ('３', "3"),
    ('４', "4"),
    ('５', "5"),
    ('６', "6"),
    ('７', "7"),
    ('８', "8"),
    ('９', "9"),
];

/// The first full-width mark or digit of a text, outside `"…"`, and what to type instead.
pub(crate) fn full_width_mark(text: &str) -> Option<(usize, char, &'static str)> {
    let mut quoted = false;
    let mut escaped = false;
    let mut in_word = false;
    for (at, c) in text.char_indices() {
        let goes_on = in_word && c.is_alphanumeric();
        in_word = goes_on || c.is_alphabetic() || c == '_';
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
        } else if let (false, Some((digit, typed))) = (goes_on, DIGITS.iter().find(|(digit, _)| *digit == c)) {
            return Some((at, *digit, typed));
        }
    }
    None
}

/// Types the plain marks into an expression, a closing quote for each opening one.
pub(crate) fn type_plain(draft: &mut Draft) {
    while let Some((at, mark, typed)) = full_width_mark(draft.text()) {
        let behind = at + mark.len_utf8();
        let rest = draft.text().get(behind..).unwrap_or_default();
        let partner = matches!(mark, '“' | '”' | '‘' | '’')
            .then(|| rest.find(['“', '”', '‘', '’', '"']).map(|offset| behind + offset))
            .flatten();
        if let Some(partner) = partner.filter(|partner| !draft.text()[*partner..].starts_with('"')) {
            draft.replace(partner..partner + mark.len_utf8(), typed);
        }
        draft.replace(at..behind, typed);
    }
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
    // Those before an expression are left out, however many they are.
    match own_syntax(text, span).filter(|_| what != "=") {
        Some(own) => diagnostic.fix_word(span, own),
        None => diagnostic,
    }
}

/// `{{ total }}` or `${total}` in words for people, which fill in nothing.
pub(crate) fn filled_in(source: &str, words: Span) -> Option<Diagnostic> {
    let text = source.get(words.start as usize..words.end as usize)?;
    let (open, close) = [("{{", "}}"), ("${", "}")].into_iter().find(|(open, _)| text.contains(open))?;
    let from = text.find(open)?;
    let length = text.get(from..)?.find(close)? + close.len();
    let at = words.start as usize + from;
    let span = Span::new(words.source, at, at + length);
    let written = source.get(at..at + length)?;
    Some(
        Diagnostic::new(
            Code::ForeignSyntax,
            span,
            Wording::new(
                format!("`{written}` 是别的工具的写法：给人看的文字原样显示，不填入值"),
                format!("`{written}` belongs to another tool: words for people are shown as they are, nothing is filled in"),
            ),
        )
        .hint(Wording::new(
            "表单的值本来就显示在旁边；列表里显示哪个字段写 `headline`，邮件要写别的话用 `template`",
            "the values of the form stand beside it anyway; `headline` says which field lists show, and `template` words a mail anew",
        )),
    )
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
    let equals = trimmed.len() - trimmed.trim_start_matches('=').len();
    if equals > 0 {
        found.push((lead, equals, "="));
    }
    let mut quoted = false;
    let mut skip = lead + equals;
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

/// People in a mapping, as other tools write a mail: the keys stand beside.
pub(crate) fn people_with_keys(text: &str, span: Span, key: &str) -> Diagnostic {
    if text.get(span.start as usize..span.end as usize).is_some_and(|raw| raw.starts_with("{{")) {
        return foreign(text, span, "{{ }}");
    }
    Diagnostic::new(
        Code::WrongShape,
        span,
        Wording::new(
            format!("`{key}` 后面直接写人员或岗位，不写一组键。其他内容是这个步骤自己的键，写在 `{key}` 旁边"),
            format!(
                "behind `{key}` stand the people themselves and no keys; all else is said by keys of the step, beside `{key}`"
            ),
        ),
    )
    .hint(match key {
        "notify" | "by" => Wording::new(format!("{key}: applicant"), format!("{key}: applicant")),
        _ => Wording::new(format!("{key}: 经理"), format!("{key}: manager")),
    })
}

/// Names with commas between them.
pub(crate) fn in_a_row(span: Span, names: &[FeelText]) -> Diagnostic {
    let list = names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(", ");
    Diagnostic::new(
        Code::BadValue,
        span,
        Wording::new(format!("几个人写成列表：`[{list}]`"), format!("several people are a list: `[{list}]`")),
    )
    .fix_word(span, format!("[{list}]"))
}

/// A quoted text, whose quotes YAML takes away.
pub(crate) fn quoted_text(text: &FeelText) -> Diagnostic {
    let words = &text.text;
    let written = format!("'\"{}\"'", words.replace('\\', "\\\\").replace('\'', "''"));
    Diagnostic::new(
        Code::QuotedWord,
        text.span,
        Wording::new(
            format!("YAML 会去掉这里的引号，剩下的 {words} 被当成表达式。要写文字，请写 {written}"),
            format!("YAML takes these quotes away, and {words} is read as an expression. For a text write {written}"),
        ),
    )
    .fix(text.span, written, Wording::new("写成文字", "write it as a text"))
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

/// A person by the lone quoted name, whose quotes YAML takes away.
pub(crate) fn quoted_person(span: Span, word: &str) -> Diagnostic {
    let instead = format!("person(\"{word}\")");
    Diagnostic::new(
        Code::QuotedWord,
        span,
        Wording::new(
            format!("YAML 会去掉 `{word}` 的引号，剩下的是一个名称。人员写成 `{instead}`"),
            format!("YAML takes the quotes of `{word}` away, and a name is left; a person is written `{instead}`"),
        ),
    )
    .fix_word(span, instead)
}
