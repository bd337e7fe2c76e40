//! Words for people: the author's (`Text`) and ours (`Wording`), in Chinese and English.

use serde::{Deserialize, Serialize};
use std::fmt;

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
