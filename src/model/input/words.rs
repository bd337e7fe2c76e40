//! Texts: their width, their lines, their length.

use super::{LINE_LIMIT, TEXT_LIMIT};
use crate::model::text::Wording;

/// Full-width digits, letters and signs as their plain twins; ideographic spaces as spaces.
pub(super) fn plain_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{3000}' | '\u{a0}' | '\u{202f}' => ' ',
            '\u{ffe5}' => '¥',
            '。' => '.',
            '\u{2212}' | '–' | '—' => '-',
            c => c,
        })
        .collect()
}

fn too_long(limit: usize) -> Wording {
    Wording::new(format!("太长了，最多 {limit} 个字。"), format!("Too long: at most {limit} characters."))
}

pub(super) fn one_line(text: &str) -> Result<String, Wording> {
    let line = text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() > LINE_LIMIT { Err(too_long(LINE_LIMIT)) } else { Ok(line) }
}

pub(super) fn several_lines(text: &str) -> Result<String, Wording> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text.trim().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    if text.chars().count() > TEXT_LIMIT { Err(too_long(TEXT_LIMIT)) } else { Ok(text) }
}
