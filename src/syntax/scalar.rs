//! Single values and lists of them: texts, names, words of a closed list.
//!
//! As with [`Fields`](super::fields::Fields), nothing stops at a fault: what is misspelt is told, and read as it is meant.

use super::fields::{LIST, Lowering, PEOPLE_TEXT, Place, WORD, WORDS, wrong_shape};
use super::node::{Node, NodeKind, ScalarForm};
use super::{dialect, feel, slip, trap};
use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list};
use crate::model::text::{Text, Wording};

/// What counts as a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// What expressions name: one word.
    Word,
    /// What only files and people name: `-` too.
    Document,
    /// A field, or a column of a list: `items.price`.
    Path,
}

/// Whether a text can be the name of a document.
pub(crate) fn is_document_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

impl Lowering<'_> {
    /// A plain text.
    pub(crate) fn words(&mut self, node: &Node) -> Option<Spanned<String>> {
        match node.text() {
            Some(text) => Some(Spanned::new(text.to_owned(), node.span)),
            None => {
                self.wrong_shape(node, WORDS);
                None
            }
        }
    }

    /// A plain text that programs read: quotes of a word processor around it are none of its own.
    pub(crate) fn plain(&mut self, node: &Node) -> Option<Spanned<String>> {
        match slip::curly(node) {
            Some(curly) => {
                self.report(curly);
                None
            }
            None => self.words(node),
        }
    }

    /// A name given by the author, or the name of something else.
    pub(crate) fn name(&mut self, node: &Node, rule: NameRule) -> Option<Spanned<String>> {
        let Some(text) = node.text() else {
            self.wrong_shape(node, WORD);
            return None;
        };
        let is_word = |text: &str| feel::is_word(text) && !feel::is_keyword(text);
        let word = match rule {
            NameRule::Word => is_word(text),
            NameRule::Path => {
                text.split_once('.').map_or(is_word(text), |(list, column)| is_word(list) && is_word(column))
            }
            NameRule::Document => is_document_name(text),
        };
        if word {
            return Some(Spanned::new(text.to_owned(), node.span));
        }
        if let Some(curly) = slip::curly(node) {
            self.report(curly);
            return None;
        }
        let full_width = trap::full_width_mark(text).filter(|(_, mark, _)| matches!(mark, '，' | '、' | '：'));
        if let (Some((at, mark, typed)), NodeKind::Scalar { form: ScalarForm::Plain, .. }) = (full_width, &node.kind) {
            let start = node.span.start as usize + at;
            self.report(trap::full_width(Span::new(self.id, start, start + mark.len_utf8()), mark, typed));
        } else {
            self.report(bad_name(node.span, text, rule));
        }
        None
    }

    /// A list of names: `[a, b]`.
    pub(crate) fn names(&mut self, node: &Node) -> Option<Vec<Spanned<String>>> {
        self.names_by(node, NameRule::Word)
    }

    /// A list of names of a kind.
    pub(crate) fn names_by(&mut self, node: &Node, rule: NameRule) -> Option<Vec<Spanned<String>>> {
        let items = self.word_items(node)?;
        Some(items.iter().filter_map(|item| self.name(item, rule)).collect())
    }

    /// The items of a list.
    pub(crate) fn items<'n>(&mut self, node: &'n Node) -> Option<&'n [Node]> {
        match &node.kind {
            NodeKind::Sequence(items) => Some(items),
            _ => {
                self.wrong_shape(node, LIST);
                None
            }
        }
    }

    /// The items of a list of groups. A group alone is told, and read as the only one of them.
    pub(crate) fn groups<'n>(&mut self, node: &'n Node) -> Option<&'n [Node]> {
        let alone = match &node.kind {
            NodeKind::Mapping(entries) => entries.iter().any(|entry| entry.value.text().is_some()),
            _ => false,
        };
        if !alone {
            return self.items(node);
        }
        let at = self.first_line(node.span);
        let dash = Wording::new("列表的每一项前面写 `- `", "each item of a list begins with `- `");
        self.reads_on(wrong_shape(at, LIST, "一组键", "a group of keys").hint(dash));
        Some(std::slice::from_ref(node))
    }

    /// The items of a list of words; its brackets are offered where they are missing.
    pub(crate) fn word_items<'n>(&mut self, node: &'n Node) -> Option<&'n [Node]> {
        match without_brackets(node) {
            Some(list) => {
                self.report(wrong_shape(node.span, LIST, "文字", "text").fix_word(node.span, list));
                None
            }
            None => self.items(node),
        }
    }

    /// Words for people: one text, or one a language.
    pub(crate) fn text(&mut self, node: &Node) -> Option<Spanned<Text>> {
        match &node.kind {
            NodeKind::Scalar { .. } => self.told(node).map(|told| Spanned::new(Text::One(told.value), node.span)),
            NodeKind::Sequence(_) | NodeKind::Broken => {
                self.wrong_shape(node, PEOPLE_TEXT);
                None
            }
            NodeKind::Mapping(_) => {
                let fields = self.fields(node, &TEXT, node.span)?;
                let zh = fields.get("zh").and_then(|node| self.told(node)).map(|words| words.value);
                let en = fields.get("en").and_then(|node| self.told(node)).map(|words| words.value);
                if fields.entries.is_empty() {
                    self.wrong_shape(node, PEOPLE_TEXT);
                }
                (zh.is_some() || en.is_some()).then(|| Spanned::new(Text::Each { zh, en }, node.span))
            }
        }
    }

    /// Words that people read as they are written; other tools fill in values there.
    fn told(&mut self, node: &Node) -> Option<Spanned<String>> {
        let told = self.words(node)?;
        if let Some(found) = trap::filled_in(&self.source.text, node.span) {
            self.report(found);
        }
        Some(told)
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, node: &Node) -> Option<Spanned<bool>> {
        self.one_of(node, &[("true", true), ("false", false)])
    }

    /// One word of a closed list; one that is misspelt is read as it is meant.
    pub(crate) fn one_of<T: Copy>(&mut self, node: &Node, choices: &[(&str, T)]) -> Option<Spanned<T>> {
        let Some(text) = node.text() else {
            self.wrong_shape(node, WORD);
            return None;
        };
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(Spanned::new(*value, node.span));
        }
        let yes_no = match text {
            "yes" | "on" | "是" | "True" | "TRUE" => "true",
            "no" | "off" | "否" | "False" | "FALSE" => "false",
            other => other,
        };
        if let Some(curly) = slip::curly(node) {
            self.report(curly);
            return None;
        }
        let known = choices.iter().map(|(word, _)| *word);
        let close = dialect::meant(yes_no, known);
        let listed = quoted_list(choices.iter().map(|(word, _)| *word));
        let message = match close {
            Some(close) => Wording::new(
                format!("不认识 `{text}`，是不是 `{close}`？"),
                format!("`{text}` is not known here; did you mean `{close}`?"),
            ),
            None => Wording::new(
                format!("不认识 `{text}`，这里只能写 {}", listed.zh),
                format!("`{text}` is not known here; write one of {}", listed.en),
            ),
        };
        let mut diagnostic = Diagnostic::new(Code::BadValue, node.span, message);
        if let Some(close) = close {
            diagnostic = diagnostic.fix_word(node.span, close);
        }
        self.report(diagnostic);
        let (_, value) = choices.iter().find(|(word, _)| Some(*word) == close)?;
        Some(Spanned::new(*value, node.span))
    }
}

/// Words for people in each language.
pub(crate) static TEXT: Place =
    Place { name: ("多语言文字", "a text in several languages"), keys: &["zh", "en"], later: &[], relatives: &[] };

/// A list of what is written without its brackets: `pdf`, and `热、冷` in a line of its own.
fn without_brackets(node: &Node) -> Option<String> {
    let NodeKind::Scalar { text, form: ScalarForm::Plain } = &node.kind else { return None };
    let items: Vec<&str> = text.split([',', '，', '、']).map(str::trim).collect();
    let plain = |item: &&str| {
        let first = item.trim_start_matches('.');
        first.starts_with(char::is_alphabetic)
            && first.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '))
    };
    items.iter().all(plain).then(|| format!("[{}]", items.join(", ")))
}

fn bad_name(span: Span, text: &str, rule: NameRule) -> Diagnostic {
    let (message, suggestion) = if rule != NameRule::Document && feel::is_keyword(text) {
        let message = Wording::new(
            format!("`{text}` 是表达式的关键字，不能作名称"),
            format!("`{text}` is a keyword of expressions and cannot be a name"),
        );
        (message, Some(format!("{text}_")))
    } else if rule != NameRule::Document {
        let message = Wording::new(
            format!(
                "`{text}` 不能作名称：名称是一个词，由文字、数字和 `_` 组成，不以数字开头；给人看的写法放进 `title`"
            ),
            format!(
                "`{text}` cannot be a name: a name is one word of letters, digits and `_` that does not begin with a digit; what people read goes into `title`"
            ),
        );
        (message, word_like(text))
    } else {
        let message = Wording::new(
            format!("`{text}` 不能作名称：名称是一个词，由文字、数字、`_` 和 `-` 组成"),
            format!("`{text}` cannot be a name: a name is one word of letters, digits, `_` and `-`"),
        );
        (message, word_like(text))
    };
    let hint = suggestion.map(|word| Wording::new(format!("例如 `{word}`"), format!("for example `{word}`")));
    Diagnostic::new(Code::BadName, span, message).hint_if(hint)
}

/// A name like a text that is none.
fn word_like(text: &str) -> Option<String> {
    let word: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let word = word.trim_matches('_');
    feel::is_word(word).then(|| word.to_owned())
}
