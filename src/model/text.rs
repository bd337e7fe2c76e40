//! Words for people: the author's (`Text`) and ours (`Wording`), in Chinese and English.

use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_width::UnicodeWidthChar;

/// A language that Countersign speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Chinese (simplified).
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The tag of BCP 47 that starts with this language: `zh`, `en`.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::Zh => "zh",
            Lang::En => "en",
        }
    }

    /// Reads a locale such as `zh_CN.UTF-8`, `en-GB` or `C`; `None` for other languages.
    ///
    /// ```
    /// use countersign::model::text::Lang;
    /// assert_eq!(Lang::from_locale("zh_CN.UTF-8"), Some(Lang::Zh));
    /// assert_eq!(Lang::from_locale("en-GB"), Some(Lang::En));
    /// assert_eq!(Lang::from_locale("C"), None);
    /// ```
    pub fn from_locale(locale: &str) -> Option<Lang> {
        let tag = locale.split(['_', '-', '.']).next()?;
        match tag.to_ascii_lowercase().as_str() {
            "zh" => Some(Lang::Zh),
            "en" => Some(Lang::En),
            _ => None,
        }
    }
}

/// The author's words: one text for everybody, or one a language.
///
/// Stored as `"…"` or `{"zh": "…", "en": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// The same words in every language.
    One(String),
    /// Words in each language; at least one is present.
    Each {
        /// The Chinese words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zh: Option<String>,
        /// The English words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        en: Option<String>,
    },
}

impl Text {
    /// The words for a reader of `lang`; the other language's where this one is missing.
    pub fn get(&self, lang: Lang) -> &str {
        match self {
            Text::One(text) => text,
            Text::Each { zh, en } => {
                let (first, second) = match lang {
                    Lang::Zh => (zh, en),
                    Lang::En => (en, zh),
                };
                first.as_deref().or(second.as_deref()).unwrap_or("")
            }
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::One(text.to_owned())
    }
}

/// Our own words. Both languages are required, so a message cannot exist in one only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Wording {
    /// Words in both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Wording {
        Wording { zh: zh.into(), en: en.into() }
    }

    /// The words for a reader of `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Shows both, Chinese first: for places that do not know their reader, such as panics in tests.
impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.zh, self.en)
    }
}

/// Text of several lines without what could hide or forge something: control characters but line feed and tab,
/// embeddings, overrides and isolates of direction, and characters that are none.
pub fn clean(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").chars().filter(|c| !hidden(*c)).collect()
}

/// Text of one line: [`clean`], with every break as one space.
pub fn clean_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}') {
            if !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !hidden(c) {
            line.push(c);
        }
    }
    line.trim().to_owned()
}

fn hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// The pieces between which a line of text may break: at spaces, and between Chinese characters, but not before
/// what closes.
pub fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut before) = (0, None::<char>);
    for (at, c) in text.char_indices() {
        let wide = |c: char| c.width().unwrap_or(0) > 1;
        let closes = matches!(c, '，' | '。' | '；' | '：' | '、' | '）' | '”' | '？' | '！' | ' ');
        let breaks = before.is_some_and(|before| {
            let opens = matches!(before, '（' | '“');
            (before == ' ' && c != ' ') || ((wide(before) || wide(c)) && before != ' ' && !closes && !opens)
        });
        if breaks && at > start {
            pieces.extend(text.get(start..at));
            start = at;
        }
        before = Some(c);
    }
    pieces.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    pieces
}
