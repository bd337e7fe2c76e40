//! Tabs, full-width spaces and others where YAML wants plain ones.

use super::lines::line_above;
use super::meant::word;
use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;

/// Whether a line is indented with a tab or a full-width space.
pub(super) fn tab_starts_line(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    text[start..].chars().take_while(|c| *c == ' ' || is_tab(*c)).any(is_tab)
}

fn is_tab(c: char) -> bool {
    c == '\t' || is_odd_space(c)
}

/// Whether it looks like a space and is none for YAML.
pub(super) fn is_odd_space(c: char) -> bool {
    c != ' ' && c.is_whitespace() && !c.is_ascii()
}

/// What is said of such a space.
pub(super) fn odd_space(span: Span, space: char) -> Diagnostic {
    if space != FULL_WIDTH_SPACE {
        let words = Wording::new(
            "这里的空格不是普通空格（多半是从网页或聊天里粘贴来的不换行空格），YAML 只接受普通空格",
            "this is no plain space, but one that never breaks a line, as comes with text pasted from a page; YAML takes only plain ones",
        );
        return Diagnostic::new(Code::YamlSyntax, span, words);
    }
    let words = Wording::new(
        "这里用了全角空格，YAML 只接受半角空格",
        "this is a full-width space, and YAML takes only plain ones",
    );
    Diagnostic::new(Code::FullWidthPunctuation, span, words).label(Wording::new("全角", "full-width"))
}

/// Such a space behind the colon of a key, in the line that could not be read or in the one above.
pub(super) fn odd_space_behind_key(id: SourceId, text: &str, at: usize) -> Option<Diagnostic> {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let above = line_above(text, start).unwrap_or((start, start));
    [(start, end), above].into_iter().find_map(|(start, end)| {
        let (key, value) = text[start..end].split_once(':')?;
        let space = value.chars().next().filter(|c| is_odd_space(*c))?;
        let at = start + key.len() + 1;
        let span = Span::new(id, at, at + space.len_utf8());
        let name = key.trim_start_matches([' ', '-']);
        (word(name) == name).then(|| odd_space(span, space).fix(span, " ", Wording::new("换成空格", "use spaces")))
    })
}

const FULL_WIDTH_SPACE: char = '\u{3000}';

/// What is said of a tab.
pub(super) fn tab(id: SourceId, text: &str, at: usize) -> Diagnostic {
    // The parser may stop a line early or late: point at the nearest tab.
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let found = text[start..].find(is_tab).map(|n| start + n).or_else(|| text[..start].rfind(is_tab)).unwrap_or(at);
    let width: usize = text[found..].chars().take_while(|c| is_tab(*c)).map(char::len_utf8).sum();
    let span = Span::new(id, found, found + width.max(1));
    let line = text[..found].rfind('\n').map_or(0, |n| n + 1);
    let lead = text[line..].len() - text[line..].trim_start_matches(|c| c == ' ' || is_tab(c)).len();
    let (place, spaces) = if line + lead > found {
        (Span::new(id, line, line + lead), lined_up(text, line, lead))
    } else {
        (span, " ".to_owned())
    };
    let found = if let Some(space) = text[found..].chars().next().filter(|c| is_odd_space(*c)) {
        odd_space(span, space)
    } else {
        Diagnostic::new(
            Code::TabIndentation,
            span,
            Wording::new(
                "这里用了制表符（Tab）缩进，YAML 只接受空格。请换成空格，每层两个",
                "this line is indented with a tab, and YAML takes only spaces; use two spaces a level",
            ),
        )
    };
    found.fix(place, spaces, Wording::new("换成空格", "use spaces"))
}

/// The spaces for a line that is indented with tabs: of the columns that line up with what stands above it, the one
/// next to two spaces a tab.
fn lined_up(text: &str, line: usize, lead: usize) -> String {
    let wanted: usize =
        text[line..line + lead].chars().map(|c| if matches!(c, '\t' | FULL_WIDTH_SPACE) { 2 } else { 1 }).sum();
    let item = text[line + lead..].starts_with("- ");
    let (mut columns, mut open) = (Vec::new(), usize::MAX);
    let mut end = line;
    while let Some((start, stop)) = line_above(text, end).filter(|_| open > 0) {
        end = text[..start].rfind('\n').map_or(0, |n| n + 1);
        let column = start - end;
        if column >= open {
            if end == 0 {
                break;
            }
            continue;
        }
        let above = &text[start..stop];
        let key = column + if above.starts_with("- ") { 2 } else { 0 };
        if open == usize::MAX && above.ends_with(':') {
            columns.push(key + 2);
        }
        match above.starts_with("- ") {
            true if item => columns.push(column),
            true if key < open => columns.push(key),
            false if !item => columns.push(column),
            _ => {}
        }
        open = column;
    }
    " ".repeat(
        columns.into_iter().min_by_key(|column| (column.abs_diff(wanted), usize::MAX - column)).unwrap_or(wanted),
    )
}
