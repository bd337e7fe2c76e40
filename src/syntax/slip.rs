//! Slips of the pen that YAML reads as something else: a comma inside `{ }`, thousands apart and
//! quotes of a word processor. Each is told as what it is, with what was meant.

use super::expressions::{COMMAS, is_of_people};
use super::feel;
use super::fields::Place;
use super::node::{Entry, Node, NodeKind, ScalarForm};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::text::Wording;

/// What an unknown key of a mapping is instead of one, where it is a piece of the value before it.
pub(super) fn no_key(source: &str, entries: &[Entry], at: usize, place: &Place) -> Option<Diagnostic> {
    let entry = entries.get(at).filter(|entry| entry.value.is_empty())?;
    let word = entry.key.text()?;
    let before = entries.get(at.checked_sub(1)?)?;
    let (NodeKind::Scalar { text, form: ScalarForm::Plain }, NodeKind::Scalar { form: ScalarForm::Plain, .. }) =
        (&before.value.kind, &entry.key.kind)
    else {
        return None;
    };
    let (from, to) = (before.value.span, entry.key.span);
    let between = source.get(from.end as usize..to.start as usize)?;
    if between.trim() != "," {
        return None;
    }
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    let behind = text.chars().rev().take_while(char::is_ascii_digit).count();
    if (1..=3).contains(&behind) && digits(word) == 3 && (between == "," || word.len() == 3) {
        let span = Span { end: to.start + 3, ..from };
        let plain = format!("{text}{}", word.get(..3)?);
        return Some(thousands(span, plain));
    }
    // More pieces may follow: the quotes go round all of them.
    let rest = entries.get(at..)?.iter().take_while(|entry| entry.value.is_empty());
    let last = rest.filter(|entry| !place.keys.contains(&entry.key.text().unwrap_or(""))).last()?;
    let span = Span { end: last.key.span.end, ..from };
    let whole = source.get(span.start as usize..span.end as usize)?;
    if whole.contains(['"', '\n', '\\']) {
        return None;
    }
    let names: Vec<&str> = whole.split(COMMAS).map(str::trim).collect();
    if before.key.text().is_some_and(is_of_people) && names.iter().all(|name| feel::is_word(name)) {
        let list = names.join(", ");
        return Some(
            Diagnostic::new(
                Code::UnknownKey,
                span,
                Wording::new(format!("几个人写成列表：`[{list}]`"), format!("several people are a list: `[{list}]`")),
            )
            .fix_word(span, format!("[{list}]")),
        );
    }
    Some(
        Diagnostic::new(
            Code::UnknownKey,
            span,
            Wording::new(
                "`{ }` 里的逗号把这段文字断开了。文字里有逗号时，请给整段加上双引号",
                "inside `{ }` a comma ends the text; put a text that holds one into double quotes",
            ),
        )
        .fix(span, format!("\"{whole}\""), Wording::new("加上双引号", "put it into double quotes")),
    )
}

fn thousands(span: Span, plain: String) -> Diagnostic {
    Diagnostic::new(
        Code::BadValue,
        span,
        Wording::new(
            format!("数字里不写千位逗号。请写成 `{plain}`"),
            format!("a number has no commas between its thousands; write `{plain}`"),
        ),
    )
    .fix_word(span, plain)
}

/// The text between the quotes of a word processor, where a plain value is nothing else.
pub(super) fn curly(node: &Node) -> Option<Diagnostic> {
    let NodeKind::Scalar { text, form: ScalarForm::Plain } = &node.kind else { return None };
    curly_quotes(node.span, text)
}

/// What is said of such a text.
pub(super) fn curly_quotes(span: Span, text: &str) -> Option<Diagnostic> {
    let inner = text.strip_prefix(['“', '”', '‘', '’', '「', '『', '＂'])?;
    let inner = inner.strip_suffix(['“', '”', '‘', '’', '」', '』', '＂'])?;
    let open = text.chars().next()?;
    let quoted = match inner.contains(['"', '\\']) {
        true => format!("'{}'", inner.replace('\'', "''")),
        false => format!("\"{inner}\""),
    };
    let words = Wording::new(
        format!("这里的引号 `{open}` 不是英文引号，会成为内容的一部分。请用英文的 `\"`"),
        format!("the quote `{open}` is not the plain one and becomes part of the value; type the plain `\"`"),
    );
    let found = Diagnostic::new(Code::FullWidthPunctuation, span, words);
    let found = found.label(Wording::new("不是英文引号", "not plain quotes"));
    Some(found.fix(span, quoted, Wording::new("改成英文引号", "type the plain ones")))
}
