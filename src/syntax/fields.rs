//! Reading a mapping key by key: required, optional, unknown, misplaced, of the wrong kind.
//!
//! Nothing here stops at a fault: each is noted, and what could not be read is left out. So all faults of a file
//! are reported at once, each once.

use crate::diagnostics::{Code, Diagnostic, Source, SourceId, Span, quoted_list, suggest};
use crate::model::text::Wording;
use crate::syntax::node::{Entry, Node, NodeKind};
use crate::syntax::{depth, dialect, node, slip, trap};
use std::ops::Range;

/// One kind of mapping: what it is called, and its keys.
pub(crate) struct Place {
    /// What people call it, Chinese and English, as in “an unknown key in …”.
    pub(crate) name: (&'static str, &'static str),
    /// The keys it has.
    pub(crate) keys: &'static [&'static str],
    /// Keys of the language that this version does not perform yet.
    pub(crate) later: &'static [&'static str],
    /// Other kinds of mapping, to say where a key belongs.
    pub(crate) relatives: &'static [&'static Place],
}

/// What a value should look like, in words.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    zh: &'static str,
    en: &'static str,
}

pub(crate) const WORDS: Shape = Shape { zh: "一段文字", en: "a text" };
pub(crate) const WORD: Shape = Shape { zh: "一个名称", en: "a name" };
pub(crate) const GROUP: Shape = Shape { zh: "一组 `键: 值`", en: "a group of `key: value`" };
pub(crate) const LIST: Shape = Shape { zh: "一个列表", en: "a list" };
pub(crate) const PEOPLE_TEXT: Shape =
    Shape { zh: "一段文字，或 `{ zh: …, en: … }`", en: "a text, or `{ zh: …, en: … }`" };

/// The state of reading one document.
pub(crate) struct Lowering<'s> {
    pub(crate) id: SourceId,
    pub(crate) source: &'s Source,
    /// Lines that could not be read and were left out.
    pub(crate) gaps: &'s [Range<u32>],
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Keys that were passed over with their values, as one fault told before makes them what they are.
    pub(crate) overlooked: Vec<Span>,
    /// Where faults are that hide nothing, as the text is read as it was meant.
    pub(crate) meant: Vec<Span>,
}

/// A mapping whose keys are known to be legal, or told and read as they are meant.
pub(crate) struct Fields<'n> {
    place: &'static Place,
    /// Where a missing key is shown.
    pub(super) at: Span,
    pub(super) entries: &'n [Entry],
    /// Keys that are misspelt: what each is meant to be.
    meant: Vec<(&'static str, &'n Entry)>,
}

impl<'n> Fields<'n> {
    /// The value of a key, if it is written and not empty.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value).filter(|value| !value.is_empty() && value.kind != NodeKind::Broken)
    }

    /// The key itself, if it is written.
    pub(crate) fn key(&self, key: &str) -> Option<Span> {
        self.entry(key).map(|entry| entry.key.span)
    }

    fn entry(&self, key: &str) -> Option<&'n Entry> {
        let misnamed = |entry: &Entry| self.meant.iter().any(|(_, other)| std::ptr::eq(*other, entry));
        let written = self.entries.iter().find(|entry| entry.key.text() == Some(key) && !misnamed(entry));
        written.or_else(|| self.meant.iter().find(|(meant, _)| *meant == key).map(|(_, entry)| *entry))
    }

    /// The value of a key that must be there; its absence is reported.
    pub(crate) fn required(&self, lowering: &mut Lowering<'_>, key: &str) -> Option<&'n Node> {
        if self.entry(key).is_none() {
            lowering.report(self.missing(key));
        }
        self.get(key)
    }

    /// What is said of a key that must be there and is not.
    pub(crate) fn missing(&self, key: &str) -> Diagnostic {
        let (zh, en) = self.place.name;
        Diagnostic::new(
            Code::MissingKey,
            self.at,
            Wording::new(format!("{zh}缺少 `{key}`"), format!("`{key}` is missing from {en}")),
        )
        .label(Wording::new(format!("这里要有 `{key}`"), format!("`{key}` is needed here")))
    }
}

impl<'s> Lowering<'s> {
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports what is read as it was meant, so that it hides nothing.
    pub(super) fn reads_on(&mut self, diagnostic: Diagnostic) {
        self.meant.push(diagnostic.span);
        self.report(diagnostic);
    }

    /// Whether nothing is left out of what stands behind a key, so that what is not there is missing.
    pub(crate) fn is_whole(&self, key: Span, value: &Node) -> bool {
        value.is_whole() && !node::beside_gap(&self.source.text, key.start, self.gaps)
    }

    /// Opens a mapping of a known kind. `at` is where a missing key is shown. Unknown keys are reported here.
    pub(crate) fn fields<'n>(&mut self, node: &'n Node, place: &'static Place, at: Span) -> Option<Fields<'n>> {
        let entries = self.entries(node, GROUP)?;
        // As far as what is wrong has been told: a torn text is several keys.
        let mut told = 0;
        let mut meant: Vec<(&str, &Entry)> = Vec::new();
        let mut passed = 0;
        let all = place.keys.iter().chain(place.later).copied();
        let missing: Vec<&str> = all.filter(|key| !entries.iter().any(|entry| entry.key.text() == Some(key))).collect();
        let stray = |entry: &Entry| {
            let key = entry.key.text().unwrap_or("");
            let known = place.keys.iter().chain(place.later);
            !known.clone().any(|known| *known == key) && dialect::meant(key, known.copied()).is_none()
        };
        for (at, entry) in entries.iter().enumerate() {
            let key = entry.key.text().unwrap_or("");
            if at < passed || self.nested(entries, at, place) {
                continue;
            }
            if place.later.contains(&key) {
                self.report(unsupported_key(entry.key.span, key));
            } else if !place.keys.contains(&key) {
                if entry.value.is_empty() && entry.key.span.end <= told {
                    continue;
                }
                match slip::no_key(&self.source.text, entries, at, place) {
                    Some(slip) => {
                        told = slip.span.end;
                        self.report(slip);
                    }
                    None => {
                        // One that is there already is not meant a second time.
                        let taken = |key: &str| meant.iter().any(|(taken, _)| *taken == key);
                        let free: Vec<&str> = missing.iter().copied().filter(|key| !taken(key)).collect();
                        let close = self.unknown_key(entry, &free, place);
                        meant.extend(close.map(|close| (close, entry)));
                    }
                }
            } else if let Some(form) = misnamed(entry, &missing) {
                self.report(of_fields(entry.key.span, key, form));
                meant.push((form, entry));
            } else if let Some(strays) = self.flattened(entries, at, stray) {
                passed = at + 1 + strays;
            } else if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, key));
            }
        }
        Some(Fields { place, at, entries, meant })
    }

    /// Likewise, with an example to follow where it is no mapping.
    pub(crate) fn fields_like<'n>(
        &mut self,
        node: &'n Node,
        place: &'static Place,
        example: &str,
    ) -> Option<Fields<'n>> {
        if let NodeKind::Scalar { .. } = &node.kind {
            let hint = Wording::new(example, example);
            self.report(wrong_shape(self.first_line(node.span), GROUP, "文字", "text").hint(hint));
            return None;
        }
        self.fields(node, place, node.span)
    }

    /// The entries of a mapping whose keys are names given by the author.
    pub(crate) fn entries<'n>(&mut self, node: &'n Node, shape: Shape) -> Option<&'n [Entry]> {
        match &node.kind {
            NodeKind::Mapping(entries) => Some(entries),
            _ => {
                self.wrong_shape(node, shape);
                None
            }
        }
    }

    /// Reports a key that does not belong here, and answers the one that is meant if it is misspelt.
    fn unknown_key(&mut self, entry: &Entry, missing: &[&'static str], place: &'static Place) -> Option<&'static str> {
        let key = &entry.key;
        let name = key.text().unwrap_or("");
        if let Some((at, mark, typed)) = trap::full_width_mark(name) {
            let start = key.span.start as usize + at;
            self.report(trap::full_width(Span::new(self.id, start, start + mark.len_utf8()), mark, typed));
            return None;
        }
        let (zh, en) = place.name;
        // What holds fields or rules is meant to, whatever its key looks like.
        let form = missing.iter().copied().find(|key| match *key {
            "form" | "fields" | "inputs" | "outputs" => depth::is_form(&entry.value),
            "rules" => is_list_of_groups(&entry.value),
            _ => false,
        });
        let is_home = |home: &&&Place| home.keys.contains(&name) || home.later.contains(&name);
        if let Some(home) = place.relatives.iter().find(is_home).filter(|_| form.is_none()) {
            let (home_zh, home_en) = home.name;
            self.report(
                Diagnostic::new(
                    Code::MisplacedKey,
                    key.span,
                    Wording::new(
                        format!("`{name}` 不能写在{zh}，它属于{home_zh}"),
                        format!("`{name}` does not belong to {en}; it belongs to {home_en}"),
                    ),
                )
                .label(Wording::new(format!("移到{home_zh}"), format!("move it to {home_en}"))),
            );
            return None;
        }
        let close = form.or_else(|| dialect::meant(name, missing.iter().copied()));
        let close = close.or_else(|| suggest::torn(name, missing.iter().copied()));
        let listed = quoted_list(place.keys.iter().copied());
        let diagnostic = match close {
            Some(close) => Diagnostic::new(
                Code::UnknownKey,
                key.span,
                Wording::new(
                    format!("{zh}没有 `{name}` 这个键，是不是 `{close}`？"),
                    format!("{en} has no key `{name}`; did you mean `{close}`?"),
                ),
            )
            .fix_word(key.span, close),
            None => Diagnostic::new(
                Code::UnknownKey,
                key.span,
                Wording::new(format!("{zh}没有 `{name}` 这个键"), format!("{en} has no key `{name}`")),
            )
            .hint(Wording::new(format!("可以写：{}", listed.zh), format!("its keys: {}", listed.en))),
        };
        self.report(diagnostic);
        close
    }

    pub(crate) fn wrong_shape(&mut self, node: &Node, shape: Shape) {
        let (zh, en) = match &node.kind {
            NodeKind::Scalar { .. } => ("文字", "text"),
            NodeKind::Sequence(_) => ("列表", "a list"),
            NodeKind::Mapping(_) => ("一组键", "a group of keys"),
            NodeKind::Broken => return,
        };
        let dashes = shape.en == LIST.en && matches!(node.kind, NodeKind::Mapping(_));
        let hint = Wording::new("列表的每一项前面写 `- `", "each item of a list begins with `- `");
        let diagnostic = wrong_shape(self.first_line(node.span), shape, zh, en);
        self.report(diagnostic.hint_if(dashes.then_some(hint)));
    }

    /// A span cut at the end of its first line, to point at without marking a whole block.
    pub(crate) fn first_line(&self, span: Span) -> Span {
        let raw = self.source.text.get(span.start as usize..span.end as usize).unwrap_or("");
        let length = raw.find('\n').unwrap_or(raw.len());
        Span { end: span.start + raw[..length].trim_end().len() as u32, ..span }
    }
}

fn is_list_of_groups(value: &Node) -> bool {
    let group = |item: &Node| matches!(item.kind, NodeKind::Mapping(_));
    matches!(&value.kind, NodeKind::Sequence(items) if !items.is_empty() && items.iter().all(group))
}

/// The key that a group of fields is meant to stand behind, where it stands behind one that takes none.
fn misnamed(entry: &Entry, missing: &[&'static str]) -> Option<&'static str> {
    let form = missing.iter().copied().find(|key| matches!(*key, "form" | "fields"))?;
    let holds_fields = matches!(entry.key.text(), Some("form" | "fields" | "data"));
    (!holds_fields && depth::is_form(&entry.value)).then_some(form)
}

fn of_fields(at: Span, key: &str, form: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MisplacedKey,
        at,
        Wording::new(
            format!("这里列出的是字段，字段写在 `{form}` 下面，不写在 `{key}` 下面"),
            format!("these are fields, which stand under `{form}`, not under `{key}`"),
        ),
    )
    .fix_word(at, form)
}

pub(crate) fn wrong_shape(span: Span, shape: Shape, zh: &str, en: &str) -> Diagnostic {
    Diagnostic::new(
        Code::WrongShape,
        span,
        Wording::new(
            format!("这里应是{}，写的却是{zh}", shape.zh),
            format!("this should be {}, but it is {en}", shape.en),
        ),
    )
}

pub(crate) fn missing_value(span: Span, key: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MissingValue,
        span,
        Wording::new(
            format!("`{key}` 后面没有值。请写上，或删掉这一行"),
            format!("nothing is written after `{key}`; write its value, or delete the line"),
        ),
    )
}

pub(crate) fn unsupported_key(span: Span, key: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UnsupportedKey,
        span,
        Wording::new(
            format!("这个版本还不支持 `{key}`。请先删掉它"),
            format!("`{key}` is not supported in this version yet; leave it out for now"),
        ),
    )
}

pub(crate) fn unsupported_value(span: Span, key: &str, value: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UnsupportedKey,
        span,
        Wording::new(
            format!("这个版本还不支持 `{key}: {value}`。请先不要这样写"),
            format!("`{key}: {value}` is not supported in this version yet; do without it for now"),
        ),
    )
}
