//! YAML text → a tree of spanned nodes. The only door to the YAML parser.
//!
//! Scalars keep the text as written (`0.10`, `007`, `no`): nothing is guessed. Aliases and merge keys are
//! resolved here, under a budget, so that the rest of the room sees plain trees. Whatever the text, a tree comes
//! back; where YAML itself is broken it holds what stood before that place.
//!
//! Limits: 1 MB a file, 64 levels, 64 KB a value, 50,000 nodes after aliases are resolved.

use crate::diagnostics::{Code, Diagnostic, Source, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::trap;
use granit_parser::{Event, Parser, ScalarStyle};
use std::collections::BTreeMap;

/// The largest file that is read.
pub const FILE_LIMIT: usize = 1024 * 1024;
/// The deepest nesting.
pub const DEPTH_LIMIT: usize = 64;
/// The longest single value, in bytes.
pub const VALUE_LIMIT: usize = 64 * 1024;
/// The most nodes of a document, aliases resolved.
pub const NODE_LIMIT: usize = 50_000;

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarForm {
    /// Bare.
    Plain,
    /// In `'`.
    Single,
    /// In `"`.
    Double,
    /// After `|`.
    Literal,
    /// After `>`.
    Folded,
}

impl ScalarForm {
    /// Whether it stands in quotes.
    pub fn is_quoted(self) -> bool {
        matches!(self, ScalarForm::Single | ScalarForm::Double)
    }
}

/// A value of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Where it is written. An alias points at its `*name`, what it stands for at the anchored text.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// A text.
    Scalar {
        /// The text, quotes and escapes resolved.
        text: String,
        /// How it was written.
        form: ScalarForm,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order written, without repeated keys.
    Mapping(Vec<Entry>),
    /// Something that stands for no value. It is reported, so what reads it stays silent.
    Broken,
}

/// One key of a mapping with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key, always a scalar.
    pub(crate) key: Node,
    /// The value.
    pub(crate) value: Node,
}

impl Node {
    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether nothing is written: `key:` and no more.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar { text, form: ScalarForm::Plain } if text.is_empty())
    }

    fn size(&self) -> usize {
        1 + match &self.kind {
            NodeKind::Scalar { .. } | NodeKind::Broken => 0,
            NodeKind::Sequence(items) => items.iter().map(Node::size).sum(),
            NodeKind::Mapping(entries) => entries.iter().map(|entry| entry.key.size() + entry.value.size()).sum(),
        }
    }

    fn depth(&self) -> usize {
        1 + match &self.kind {
            NodeKind::Scalar { .. } | NodeKind::Broken => 0,
            NodeKind::Sequence(items) => items.iter().map(Node::depth).max().unwrap_or(0),
            NodeKind::Mapping(entries) => entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0),
        }
    }
}

/// What became of a text.
pub(crate) struct Tree {
    /// The tree; `None` if the text holds no value at all.
    pub(crate) root: Option<Node>,
    /// The documents after the first, where a file may hold several: tests.
    pub(crate) more: Vec<Node>,
    /// Where YAML itself is broken, so that nothing after it was read.
    pub(crate) broken_at: Option<u32>,
    /// What is wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads a text.
pub(crate) fn read(id: SourceId, source: &Source) -> Tree {
    let text: &str = &source.text;
    let whole = |code, at: usize, zh: &str, en: &str| Tree {
        root: None,
        more: Vec::new(),
        broken_at: Some(0),
        diagnostics: vec![Diagnostic::new(code, Span::new(id, at, at + next_char(text, at)), Wording::new(zh, en))],
    };
    if text.len() > FILE_LIMIT {
        return whole(
            Code::FileTooLarge,
            0,
            "文件超过 1 MB，没有读取。请把它拆成几个文件，一个文件写一份文档",
            "this file is larger than 1 MB and was not read; split it, one document a file",
        );
    }
    if let Some(at) = source.not_utf8_at {
        return whole(
            Code::NotUtf8,
            at as usize,
            "文件不是 UTF-8 编码。请在编辑器里另存为 UTF-8",
            "this file is not UTF-8; save it as UTF-8 in your editor",
        );
    }
    if let Some((at, found)) = text.char_indices().find(|(_, c)| is_control(*c)) {
        let code = u32::from(found);
        let mut tree = whole(
            Code::ControlCharacter,
            at,
            &format!("这里有一个看不见的控制字符（U+{code:04X}），请删掉它"),
            &format!("there is an invisible control character here (U+{code:04X}); delete it"),
        );
        let span = Span::new(id, at, at + found.len_utf8());
        tree.diagnostics = tree.diagnostics.into_iter().map(|found| found.fix(span, "", deletes())).collect();
        return tree;
    }
    Builder::new(id, text).build()
}

fn deletes() -> Wording {
    Wording::new("删掉它", "delete it")
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}')
}

fn next_char(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}

/// A collection that is still open.
struct Open {
    start: usize,
    anchor: usize,
    part: Part,
}

enum Part {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        /// Where each key first stood.
        seen: BTreeMap<String, Span>,
        merges: Vec<(Span, Node)>,
        /// A key whose value has not come yet.
        key: Option<Node>,
        broken: bool,
    },
}

/// Whether a document is a test, of which a file may hold several.
fn is_test(root: &Node) -> bool {
    match &root.kind {
        NodeKind::Mapping(entries) => entries.first().is_some_and(|entry| entry.key.text() == Some("test")),
        _ => false,
    }
}

struct Builder<'t> {
    id: SourceId,
    text: &'t str,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
    more: Vec<Node>,
    /// No more is read: a limit was passed.
    stopped: bool,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Builder<'t> {
    fn new(id: SourceId, text: &'t str) -> Builder<'t> {
        Builder {
            id,
            text,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            root: None,
            more: Vec::new(),
            stopped: false,
            diagnostics: Vec::new(),
        }
    }

    fn build(mut self) -> Tree {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_unresolved_aliases: true,
            flow_nesting_limit: DEPTH_LIMIT,
            block_nesting_limit: DEPTH_LIMIT,
        };
        let mut broken_at = None;
        let mut documents = 0;
        let mut last_end = 0;
        for next in Parser::new_from_str_with_options(self.text, options) {
            let (event, place) = match next {
                Ok(found) => found,
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(last_end).min(self.text.len());
                    self.diagnostics.push(trap::yaml_error(self.id, self.text, at, error.kind()));
                    broken_at = Some(at as u32);
                    break;
                }
            };
            let range = place.byte_range().unwrap_or(last_end..last_end);
            last_end = range.end;
            let span = Span::new(self.id, range.start, range.end);
            let tagged = event.tag().is_some();
            if let Some(tag) = event.tag() {
                let span = place.tag_span().and_then(|tag| tag.byte_range());
                let span =
                    span.map_or(Span::new(self.id, range.start, range.end), |r| Span::new(self.id, r.start, r.end));
                self.diagnostics.push(trap::yaml_tag(span, &tag.original()));
            }
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 && !self.root.as_ref().is_some_and(is_test) {
                        let mark = Span::new(self.id, range.start, range.end.max(range.start + 1));
                        self.diagnostics.push(several_documents(mark));
                        break;
                    }
                }
                Event::Scalar(text, style, anchor, _) => {
                    let form = match style {
                        ScalarStyle::Plain => ScalarForm::Plain,
                        ScalarStyle::SingleQuoted => ScalarForm::Single,
                        ScalarStyle::DoubleQuoted => ScalarForm::Double,
                        ScalarStyle::Literal => ScalarForm::Literal,
                        ScalarStyle::Folded => ScalarForm::Folded,
                    };
                    let mut text = text.into_owned();
                    let mut broken = tagged;
                    if form == ScalarForm::Plain && range.is_empty() {
                        // The parser gives `~` where nothing is written.
                        text.clear();
                    }
                    if text.len() > VALUE_LIMIT {
                        self.diagnostics.push(value_too_long(Span::new(self.id, range.start, range.start + 1)));
                        text.clear();
                        broken = true;
                    }
                    let span = self.trimmed(span, form);
                    let kind = if broken { NodeKind::Broken } else { NodeKind::Scalar { text, form } };
                    self.add(Node { span, kind }, anchor);
                }
                Event::SequenceStart(_, anchor, _) => {
                    self.open(span, anchor, Part::Sequence(Vec::new()));
                }
                Event::MappingStart(_, anchor, _) => {
                    self.open(
                        span,
                        anchor,
                        Part::Mapping {
                            entries: Vec::new(),
                            seen: BTreeMap::new(),
                            merges: Vec::new(),
                            key: None,
                            broken: false,
                        },
                    );
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(range.end),
                Event::Alias(target) => self.alias(span, target),
                Event::UnresolvedAlias(name) => {
                    self.diagnostics.push(trap::unknown_alias(span, &name));
                    self.add(Node { span, kind: NodeKind::Broken }, 0);
                }
                _ => {}
            }
            if self.stopped {
                broken_at = Some(span.start);
                break;
            }
        }
        while !self.open.is_empty() {
            self.close(last_end);
        }
        self.more.retain(|node| !node.is_empty());
        let blank = self.root.as_ref().is_none_or(Node::is_empty);
        if blank && self.diagnostics.is_empty() {
            self.diagnostics.push(empty_file(Span::new(self.id, 0, 0)));
        }
        Tree { root: self.root.filter(|_| !blank), more: self.more, broken_at, diagnostics: self.diagnostics }
    }

    /// The span of a scalar without the white space that the parser may count to it.
    fn trimmed(&self, span: Span, form: ScalarForm) -> Span {
        let raw = self.text.get(span.start as usize..span.end as usize).unwrap_or("");
        let kept = match form {
            ScalarForm::Plain | ScalarForm::Literal | ScalarForm::Folded => raw.trim_end(),
            ScalarForm::Single | ScalarForm::Double => raw,
        };
        Span { end: span.start + kept.len() as u32, ..span }
    }

    fn open(&mut self, span: Span, anchor: usize, part: Part) {
        if self.open.len() >= DEPTH_LIMIT {
            self.diagnostics.push(trap::too_deep(span));
            self.stopped = true;
            return;
        }
        self.open.push(Open { start: span.start as usize, anchor, part });
    }

    fn close(&mut self, end: usize) {
        let Some(Open { start, anchor, part }) = self.open.pop() else { return };
        // The parser sees the end of a block only at what follows it.
        let end = start + self.text.get(start..end).map_or(0, |raw| without_trailing_comments(raw).len());
        let span = Span::new(self.id, start, end);
        let kind = match part {
            Part::Sequence(items) => NodeKind::Sequence(self.rejoined_items(items)),
            Part::Mapping { broken: true, .. } => NodeKind::Broken,
            Part::Mapping { entries, seen, merges, .. } => {
                let merged = self.merge(entries, seen, merges);
                NodeKind::Mapping(self.rejoined_entries(merged))
            }
        };
        self.add(Node { span, kind }, anchor);
    }

    fn add(&mut self, node: Node, anchor: usize) {
        self.nodes += 1;
        if self.nodes > NODE_LIMIT {
            self.bomb(node.span);
            return;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            match self.root {
                None => self.root = Some(node),
                Some(_) => self.more.push(node),
            }
            return;
        };
        match &mut open.part {
            Part::Sequence(items) => items.push(node),
            Part::Mapping { entries, seen, merges, key, broken } => match key.take() {
                None => *key = Some(node),
                Some(key) => {
                    if matches!(&key.kind, NodeKind::Scalar { text, form: ScalarForm::Plain } if text == "<<") {
                        merges.push((key.span, node));
                    } else if let Some(word) = key.text() {
                        if let Some(first) = seen.get(word) {
                            self.diagnostics.push(duplicate_key(*first, &key));
                        } else {
                            seen.insert(word.to_owned(), key.span);
                            entries.push(Entry { key, value: node });
                        }
                    } else {
                        *broken = true;
                        if key.kind != NodeKind::Broken {
                            self.diagnostics.push(trap::key_is_no_word(self.text, key.span));
                        }
                    }
                }
            },
        }
    }

    fn alias(&mut self, span: Span, target: usize) {
        let Some(node) = self.anchors.get(&target).cloned() else {
            // An alias inside its own anchor: `&a [*a]`.
            self.diagnostics.push(trap::unknown_alias(span, ""));
            self.add(Node { span, kind: NodeKind::Broken }, 0);
            return;
        };
        if self.open.len() + node.depth() > DEPTH_LIMIT {
            self.diagnostics.push(trap::too_deep(span));
            self.stopped = true;
            return;
        }
        self.nodes += node.size();
        if self.nodes > NODE_LIMIT {
            self.bomb(span);
            return;
        }
        self.add(Node { span, kind: node.kind }, 0);
    }

    /// Puts expressions together that YAML took apart at their commas: `{ value: min(a, b) }`.
    fn rejoined_entries(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut joined: Vec<Entry> = Vec::with_capacity(entries.len());
        for entry in entries {
            match joined.last_mut() {
                Some(last) if entry.value.is_empty() && self.continues(&last.value, &entry.key) => {
                    self.rejoin(&mut last.value, &entry.key);
                }
                _ => joined.push(entry),
            }
        }
        joined
    }

    fn rejoined_items(&mut self, items: Vec<Node>) -> Vec<Node> {
        let mut joined: Vec<Node> = Vec::with_capacity(items.len());
        for item in items {
            match joined.last_mut() {
                Some(last) if self.continues(last, &item) => self.rejoin(last, &item),
                _ => joined.push(item),
            }
        }
        joined
    }

    /// Whether a value is the rest, after a comma, of one whose parenthesis is still open.
    fn continues(&self, value: &Node, rest: &Node) -> bool {
        let plain = |node: &Node| matches!(&node.kind, NodeKind::Scalar { form: ScalarForm::Plain, .. });
        let between = self.text.get(value.span.end as usize..rest.span.start as usize);
        let open = value.text().is_some_and(|text| text.matches('(').count() > text.matches(')').count());
        open && plain(value) && plain(rest) && between.is_some_and(|between| between.trim() == ",")
    }

    fn rejoin(&mut self, value: &mut Node, rest: &Node) {
        let (start, end) = (value.span.start as usize, rest.span.end as usize);
        let raw = self.text.get(start..end).unwrap_or("");
        *value = Node {
            span: Span::new(self.id, start, end),
            kind: NodeKind::Scalar { text: raw.to_owned(), form: ScalarForm::Plain },
        };
        if raw.matches('(').count() <= raw.matches(')').count() {
            self.diagnostics.push(trap::taken_apart(value.span, raw));
        }
    }

    /// Adds the entries of `<<` that are not written out.
    fn merge(
        &mut self,
        mut entries: Vec<Entry>,
        mut seen: BTreeMap<String, Span>,
        merges: Vec<(Span, Node)>,
    ) -> Vec<Entry> {
        for (span, node) in merges {
            let parts = match node.kind {
                NodeKind::Sequence(items) => items,
                _ => vec![node],
            };
            for part in parts {
                let inherited = match part.kind {
                    NodeKind::Mapping(inherited) => inherited,
                    NodeKind::Broken => continue,
                    _ => {
                        self.diagnostics.push(bad_merge(span));
                        continue;
                    }
                };
                for entry in inherited {
                    let word = entry.key.text().unwrap_or("");
                    if !seen.contains_key(word) {
                        seen.insert(word.to_owned(), entry.key.span);
                        entries.push(entry);
                    }
                }
            }
        }
        entries
    }

    fn bomb(&mut self, span: Span) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        self.diagnostics.push(Diagnostic::new(
            Code::AliasBomb,
            span,
            Wording::new(
                format!("文档展开后超过 {NODE_LIMIT} 个值，没有继续读取。请减少别名（`*名称`）的嵌套，或把文件拆开"),
                format!(
                    "this document holds more than {NODE_LIMIT} values once its aliases are written out, and was not read on; nest fewer aliases (`*name`), or split the file"
                ),
            ),
        ));
    }
}

/// A block without the blank and comment lines that follow it.
fn without_trailing_comments(raw: &str) -> &str {
    let mut kept = raw.trim_end();
    while let Some((before, last)) = kept.rsplit_once('\n') {
        if !last.trim_start().starts_with('#') {
            break;
        }
        kept = before.trim_end();
    }
    kept
}

fn several_documents(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SeveralDocuments,
        span,
        Wording::new(
            "一个文件只能写一份文档，`---` 之后的内容没有读取。请把它移到另一个文件",
            "one file holds one document; what follows this `---` was not read. Move it to a file of its own",
        ),
    )
}

fn empty_file(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::EmptyFile,
        span,
        Wording::new(
            "文件是空的。请写上文档，第一行说明它是什么，例如 `process: leave`",
            "this file is empty; write a document whose first line says what it is, such as `process: leave`",
        ),
    )
}

fn value_too_long(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ValueTooLong,
        span,
        Wording::new(
            "这个值超过 64 KB，没有读取。请写短一些；长文放进模板或附件",
            "this value is longer than 64 KB and was not read; shorten it, and put long texts into a template or an attachment",
        ),
    )
}

fn duplicate_key(first: Span, key: &Node) -> Diagnostic {
    let name = key.text().unwrap_or("");
    Diagnostic::new(
        Code::DuplicateKey,
        key.span,
        Wording::new(
            format!("`{name}` 在同一处写了两次。请删掉一个，或改成不同的名称"),
            format!("`{name}` is written twice in the same place; delete one, or give it another name"),
        ),
    )
    .label(Wording::new("第二次", "again here"))
    .context(first, Wording::new("第一次", "first here"))
}

fn bad_merge(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BadMerge,
        span,
        Wording::new(
            "`<<` 只能并入一组键（或几组键的列表），例如 `<<: *common`",
            "`<<` takes in a group of keys, or a list of such groups: `<<: *common`",
        ),
    )
}
