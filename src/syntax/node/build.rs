//! The parser's events → a tree, up to where the parser stops.

use super::tabs::{is_odd_space, tab, tab_starts_line};
use super::{DEPTH_LIMIT, Entry, NODE_LIMIT, Node, NodeKind, ScalarForm, VALUE_LIMIT, dashes, meant};
use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::trap;
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle};
use std::collections::BTreeMap;

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

/// What became of a text.
pub(super) struct Built {
    /// The tree; `None` if the text holds no value at all.
    pub(super) root: Option<Node>,
    /// The documents after the first.
    pub(super) more: Vec<Node>,
    /// Why it was not read to its end.
    pub(super) stop: Option<Stop>,
    /// Marks and missing colons that YAML takes for text, each with its mend, in the order of the text.
    pub(super) marks: Vec<Diagnostic>,
    /// What else is wrong.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Why, and where, reading stopped.
pub(super) enum Stop {
    /// YAML itself is broken.
    Refused(usize, ErrorKind),
    /// A limit was passed.
    Limit(usize),
}

/// Reads a text up to where YAML is broken.
pub(super) fn build(id: SourceId, text: &str) -> Built {
    Builder::new(id, text).build()
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
    marks: Vec<Diagnostic>,
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
            marks: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    fn build(mut self) -> Built {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_unresolved_aliases: true,
            flow_nesting_limit: DEPTH_LIMIT,
            block_nesting_limit: DEPTH_LIMIT,
        };
        let mut stop = None;
        let mut documents = 0;
        let mut last_end = 0;
        for next in Parser::new_from_str_with_options(self.text, options) {
            let (event, place) = match next {
                Ok(found) => found,
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(last_end).min(self.text.len());
                    stop = Some(Stop::Refused(at, error.kind().clone()));
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
                    if documents > 1 && !self.root.as_ref().is_some_and(Node::is_test) {
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
                stop = Some(Stop::Limit(range.start));
                break;
            }
        }
        while !self.open.is_empty() {
            self.close(last_end);
        }
        self.more.retain(|node| !node.is_empty());
        let blank = self.root.as_ref().is_none_or(Node::is_empty);
        if blank && stop.is_none() && self.diagnostics.is_empty() {
            self.diagnostics.push(empty_file(Span::new(self.id, 0, 0)));
        }
        self.marks.extend(dashes::missing(self.id, self.text, &self.diagnostics));
        self.marks.sort_by_key(|found| found.span.start);
        Built {
            root: self.root.filter(|_| !blank),
            more: self.more,
            stop,
            marks: self.marks,
            diagnostics: self.diagnostics,
        }
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
        self.marks.extend(self.mistaken(&node));
        let top = self.open.len() == 1;
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
                    } else if let Some(mark) = meant::missing_in_key(&key, &node) {
                        self.marks.push(mark);
                    } else if let Some(word) = key.text() {
                        if top && word == "test" && meant::test_ends(seen) {
                            self.marks.push(meant::no_separator(key.span));
                        } else if let Some(first) = seen.get(word) {
                            self.diagnostics.push(duplicate_key(*first, &key));
                            // Where nothing stands behind the first one, what stands here is meant.
                            let blank = entries
                                .iter_mut()
                                .find(|entry| entry.value.is_empty() && entry.key.text() == Some(word));
                            if let Some(blank) = blank {
                                *blank = Entry { key, value: node };
                            }
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

    /// The mark of structure in a scalar that YAML takes for a part of its text.
    fn mistaken(&self, node: &Node) -> Option<Diagnostic> {
        let NodeKind::Scalar { form: ScalarForm::Plain, .. } = &node.kind else { return None };
        let start = node.span.start as usize;
        let raw = self.text.get(start..node.span.end as usize)?;
        if tab_starts_line(self.text, start) && raw.starts_with(is_odd_space) {
            return Some(tab(self.id, self.text, start));
        }
        if let Some(mark) = meant::before_line(self.text, start) {
            let end = start + mark.len_utf8();
            let spaces = self.text[end..].len() - self.text[end..].trim_start_matches(' ').len();
            return Some(meant::stray(Span::new(self.id, start, end), mark, spaces));
        }
        let open = self.open.last();
        let flow = open.is_some_and(|open| self.text[open.start..].starts_with(['{', '[']));
        let found = match open.map(|open| &open.part) {
            Some(Part::Mapping { key: Some(_), .. }) if flow => meant::mark_in_value(raw),
            Some(Part::Mapping { key: Some(key), .. }) => {
                let between = self.text.get(key.span.end as usize..start)?;
                between.contains('\n').then(|| meant::mark_in_item(raw)).flatten()
            }
            Some(Part::Mapping { key: None, .. }) => meant::mark_in_key(raw),
            Some(Part::Sequence(_)) | None => meant::mark_in_item(raw),
        };
        found.map(|mark| meant::mistaken(Span::new(self.id, start + mark.at, start + mark.at + mark.length), mark))
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
