//! Addresses with values in them, and texts with secrets: `POST https://erp.example/api/{number}`,
//! `"Bearer " + secret("erp")`.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::text::Wording;
use crate::syntax::feel::FeelText;
use crate::syntax::fields::Lowering;
use crate::syntax::node::{Node, NodeKind, ScalarForm};
use crate::syntax::step::Piece;
use crate::syntax::trap;
use std::ops::Range;

/// The methods of HTTP that can be written.
const METHODS: &[(&str, &str)] =
    &[("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE"), ("HEAD", "HEAD")];

impl Lowering<'_> {
    /// `POST https://erp.example/api/{number}`: a method and the pieces of an address.
    pub(crate) fn address(&mut self, node: &Node) -> Option<(Spanned<String>, Vec<Piece>)> {
        let NodeKind::Scalar { text, form } = &node.kind else {
            if node.kind != NodeKind::Broken {
                self.report(in_one_line(self.first_line(node.span)));
            }
            return None;
        };
        let whole = FeelText::new(text, node.span, *form, &self.source.text);
        let is_address = |text: &str| text.starts_with("https://") || text.starts_with("http://");
        let (method, address) = match text.split_once(' ') {
            _ if is_address(text) => ("", text.as_str()),
            Some((method, rest)) => (method, rest.trim_start()),
            None => (text.as_str(), ""),
        };
        let span = whole.span_of(0..method.len());
        let at = text.len() - address.len();
        let mut known = None;
        if method.is_empty() || !is_address(address) {
            self.report(
                Diagnostic::new(
                    Code::BadValue,
                    if address.is_empty() { node.span } else { whole.span_of(at..text.len()) },
                    Wording::new(
                        "这里要写请求的方式和完整的网址，网址以 `https://` 开头",
                        "write the method and the whole address, which begins with `https://`",
                    ),
                )
                .hint(Wording::new(EXAMPLE, EXAMPLE)),
            );
            if !is_address(address) {
                return None;
            }
        } else {
            let word = Node { span, kind: NodeKind::Scalar { text: method.to_owned(), form: ScalarForm::Plain } };
            known = self.one_of(&word, METHODS);
        }
        // One that is not known is read as that which brings no fault of its own.
        let method = known.unwrap_or(Spanned::new("PUT", span));
        let mut pieces = Vec::new();
        let mut sound = true;
        for (from, length, mark) in trap::foreign_marks(address) {
            if matches!(mark, "${ }" | "{{ }}") {
                self.report(Diagnostic::new(
                    Code::BadValue,
                    whole.span_of(at + from..at + from + length),
                    Wording::new(
                        format!("`{mark}` 是别的工具的写法，网址里要填入的值写成 `{{字段}}`"),
                        format!("`{mark}` belongs to another tool; a value in an address is written `{{field}}`"),
                    ),
                ));
                sound = false;
            }
        }
        if !sound {
            return None;
        }
        for (range, computed) in split(address) {
            let range = at + range.start..at + range.end;
            let piece = text.get(range.clone()).unwrap_or("");
            if !computed {
                if let Some(wrong) = piece.char_indices().find(|(_, c)| c.is_whitespace() || matches!(c, '{' | '}')) {
                    let start = range.start + wrong.0;
                    self.report(Diagnostic::new(
                        Code::BadValue,
                        whole.span_of(start..start + wrong.1.len_utf8()),
                        Wording::new(
                            "网址里不能有空格或单独的花括号。要填入的值写成 `{字段}`",
                            "an address holds no blanks and no single braces; a value to be filled in is written `{field}`",
                        ),
                    ));
                    sound = false;
                }
                pieces.push(Piece::Text(piece.to_owned()));
                continue;
            }
            let value = part(&whole, range, &self.source.text);
            if let Some((at, mark, typed)) = trap::full_width_mark(&value.text) {
                self.report(trap::full_width(value.span_of(at..at + mark.len_utf8()), mark, typed));
                sound = false;
            }
            pieces.push(Piece::Value(value));
        }
        sound.then(|| (Spanned::new(method.value.to_owned(), method.span), pieces))
    }
}

const EXAMPLE: &str = "http: POST https://erp.example/api/entries";

/// A method and an address as keys of their own, as other tools have them.
fn in_one_line(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::WrongShape,
        span,
        Wording::new(
            "请求的方式和网址写在同一行里，`headers`、`body` 和 `take` 是步骤自己的键",
            "the method and the address stand in one line; `headers`, `body` and `take` are keys of the step itself",
        ),
    )
    .hint(Wording::new(EXAMPLE, EXAMPLE))
}

/// The pieces of a header: an expression, or texts and secrets put together with `+`.
pub(crate) fn header(value: &FeelText, source: &str) -> Vec<Piece> {
    let terms = terms(&value.text);
    let secrets: Vec<Option<Range<usize>>> = terms.iter().map(|term| secret(&value.text, term)).collect();
    if secrets.iter().all(Option::is_none) {
        return vec![Piece::Value(value.clone())];
    }
    let piece = |(term, secret): (&Range<usize>, &Option<Range<usize>>)| match secret {
        Some(name) => {
            let text = value.text.get(name.clone()).unwrap_or("").to_owned();
            Piece::Secret(Spanned::new(text, value.span_of(name.clone())))
        }
        None => Piece::Value(part(value, term.clone(), source)),
    };
    terms.iter().zip(&secrets).map(piece).collect()
}

/// A part of an expression as an expression of its own.
fn part(whole: &FeelText, range: Range<usize>, source: &str) -> FeelText {
    let text = whole.text.get(range.clone()).unwrap_or("");
    FeelText::new(text, whole.span_of(range), ScalarForm::Plain, source)
}

/// Cuts a text at its `{…}`: ranges, and whether each is what stands in braces.
fn split(text: &str) -> Vec<(Range<usize>, bool)> {
    let (mut found, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if depth > 0 => quoted = !quoted,
            '{' if !quoted => {
                if depth == 0 {
                    found.push((from..at, false));
                    from = at + 1;
                }
                depth += 1;
            }
            '}' if !quoted && depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    found.push((from..at, true));
                    from = at + 1;
                }
            }
            _ => {}
        }
    }
    // What is left of a brace that nobody closed stands with it, so that it is seen.
    let from = if depth > 0 { from.saturating_sub(1) } else { from };
    found.push((from..text.len(), false));
    found.retain(|(range, computed)| *computed || !range.is_empty());
    found
}

/// The terms that `+` puts together, outside quotes and brackets, without the blanks around them.
fn terms(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut from, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '+' if depth == 0 => {
                found.push(from..at);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(from..text.len());
    let trimmed = |range: Range<usize>| {
        let term = text.get(range.clone()).unwrap_or("");
        let start = range.start + term.len() - term.trim_start().len();
        start..start + term.trim().len()
    };
    found.into_iter().map(trimmed).collect()
}

/// Where the name stands in a term `secret("name")`.
fn secret(text: &str, term: &Range<usize>) -> Option<Range<usize>> {
    let whole = text.get(term.clone())?;
    let inner = whole.strip_prefix("secret")?.trim_start().strip_prefix('(')?.strip_suffix(')')?.trim();
    let name = inner.strip_prefix('"')?.strip_suffix('"')?;
    let word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let at = term.start + whole.find('"')? + 1;
    word.then(|| at..at + name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_at_its_braces() {
        let text = "https://x/{a}/{string(b)}?q=1";
        let cut: Vec<(&str, bool)> = split(text).into_iter().map(|(range, of)| (&text[range], of)).collect();
        assert_eq!(cut, [("https://x/", false), ("a", true), ("/", false), ("string(b)", true), ("?q=1", false)]);
        assert_eq!(split("x{a").len(), 2, "a brace that nobody closed stays in the text");
    }

    #[test]
    fn terms_are_cut_at_plus_outside_of_quotes_and_brackets() {
        let text = "\"a + b\" + f(c + d) + secret(\"erp\")";
        let cut: Vec<&str> = terms(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(cut, ["\"a + b\"", "f(c + d)", "secret(\"erp\")"]);
        let last = terms(text).pop().unwrap_or_default();
        assert_eq!(secret(text, &last).map(|range| &text[range]), Some("erp"));
    }
}
