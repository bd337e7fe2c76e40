//! How wide a text is, and how it breaks into lines. No font is read: the widths are those of wide system fonts,
//! so a text may end early in its box, and never late.

use crate::model::text::pieces;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A size of text: pixels an em, and whether it is bold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Font {
    pub(super) size: i32,
    pub(super) bold: bool,
}

impl Font {
    /// The width of a text in pixels, rounded up.
    pub(super) fn width(self, text: &str) -> i32 {
        let thousandths: i32 = text.chars().map(thousandths).sum();
        let bold = if self.bold { 110 } else { 100 };
        (thousandths * self.size * bold + 99_999) / 100_000
    }

    /// The height of a line.
    pub(super) fn line(self) -> i32 {
        (self.size * 14 + 9) / 10
    }

    /// A text in at most `lines` lines of at most `width` pixels.
    pub(super) fn wrap(self, text: &str, width: i32, lines: usize) -> Wrapped {
        wrap(text, lines, &|line| self.width(line) <= width)
    }
}

/// A text as lines, and whether some of it was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrapped {
    pub(super) lines: Vec<String>,
    pub(super) cut: bool,
}

/// A text in at most `limit` lines that all fit.
pub(super) fn wrap(text: &str, limit: usize, fits: &dyn Fn(&str) -> bool) -> Wrapped {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for piece in pieces(text).into_iter().flat_map(|piece| broken(piece, fits)) {
        if !line.is_empty() && !fits(format!("{line}{piece}").trim_end()) {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        line.push_str(if line.is_empty() { piece.trim_start() } else { &piece });
    }
    if !line.trim_end().is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    let cut = lines.len() > limit;
    lines.truncate(limit);
    if cut && let Some(last) = lines.last_mut() {
        while !last.is_empty() && !fits(&format!("{last}…")) {
            last.pop();
        }
        *last = format!("{}…", last.trim_end());
    }
    Wrapped { lines, cut }
}

/// The width of a text in cells of a terminal.
pub(super) fn cells(text: &str) -> usize {
    text.width()
}

/// A piece, or as much of it at a time as fits into a line of its own.
fn broken(piece: &str, fits: &dyn Fn(&str) -> bool) -> Vec<String> {
    if fits(piece.trim_end()) {
        return vec![piece.to_owned()];
    }
    let (mut parts, mut part) = (Vec::new(), String::new());
    for c in piece.chars() {
        if !part.is_empty() && !fits(&format!("{part}{c}")) {
            parts.push(std::mem::take(&mut part));
        }
        part.push(c);
    }
    parts.push(part);
    parts
}

fn thousandths(c: char) -> i32 {
    match c {
        ' ' => 330,
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 340,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' | '\\' | '"' | 'I' => 430,
        'm' | 'M' | 'w' | 'W' | '%' | '@' => 990,
        '<' | '>' | '=' | '+' | '~' | '#' => 850,
        'A'..='Z' | '&' => 780,
        c if c.is_ascii() => 640,
        c => match c.width_cjk() {
            Some(0) | None => 0,
            Some(2) => 1000,
            Some(_) => 700,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FONT: Font = Font { size: 10, bold: false };

    #[test]
    fn chinese_is_one_em_and_latin_less() {
        assert_eq!(FONT.width("审批"), 20);
        assert!(FONT.width("ab") < 14);
        assert_eq!(FONT.width(""), 0);
    }

    #[test]
    fn long_texts_break_and_end_in_an_ellipsis() {
        let found = FONT.wrap("部门主管审批之后由营销总监审批", 60, 2);
        assert_eq!(found, Wrapped { lines: vec!["部门主管审批".into(), "之后由营销…".into()], cut: true });
        let found = FONT.wrap("a_name_without_any_place_to_break", 60, 9);
        assert!(found.lines.len() > 2 && !found.cut && found.lines.iter().all(|line| FONT.width(line) <= 60));
        assert_eq!(FONT.wrap("", 60, 2).lines, Vec::<String>::new());
    }
}
