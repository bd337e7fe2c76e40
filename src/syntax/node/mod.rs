//! YAML text → a tree of spanned nodes. The only door to the YAML parser.
//!
//! Scalars keep the text as written (`0.10`, `007`, `no`): nothing is guessed. Aliases and merge keys are
//! resolved here, under a budget, so that the rest of the room sees plain trees. Whatever the text, a tree comes
//! back: where YAML itself is broken it is read on as if that place were mended, or left out.
//!
//! * `build` makes a tree of the parser's events, up to where the parser stops.
//! * `refused` has the words for what the parser refuses; `meant` and `tabs` find the mark that was mistyped, `brackets`
//!   what was torn within `{ }`, `aligned` the line that stands too deep, `dashes` the item without its dash.
//! * `recover` reads on behind such a place, in a `draft` of the text that knows where each byte came from.
//!
//! Limits: 1 MB a file, 64 levels, 64 KB a value, 50,000 nodes after aliases are resolved.

mod aligned;
mod brackets;
mod build;
mod dashes;
mod draft;
mod lines;
mod meant;
mod recover;
mod refused;
mod tabs;

pub(crate) use aligned::told as out_of_line;
pub(crate) use draft::Draft;
pub(crate) use lines::{Line, lines};
pub(crate) use recover::{below_gap, beside_gap};

use crate::diagnostics::{Code, Diagnostic, Source, SourceId, Span};
use crate::model::text::Wording;
use std::ops::Range;

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

    /// A mapping whose first key is another word, as it was meant.
    pub(crate) fn begun(&self, word: &str) -> Node {
        let mut meant = self.clone();
        if let NodeKind::Mapping(entries) = &mut meant.kind
            && let Some(Entry { key: Node { kind: NodeKind::Scalar { text, .. }, .. }, .. }) = entries.first_mut()
        {
            word.clone_into(text);
        }
        meant
    }

    /// Whether nothing in it is broken.
    pub(crate) fn is_whole(&self) -> bool {
        match &self.kind {
            NodeKind::Scalar { .. } => true,
            NodeKind::Sequence(items) => items.iter().all(Node::is_whole),
            NodeKind::Mapping(entries) => entries.iter().all(|entry| entry.value.is_whole()),
            NodeKind::Broken => false,
        }
    }

    /// Whether it is a test, of which a file may hold several. One may lack its first line.
    pub(crate) fn is_test(&self) -> bool {
        let of_test = |entry: &Entry| entry.key.text().is_some_and(|key| matches!(key, "test" | "do" | "expect"));
        matches!(&self.kind, NodeKind::Mapping(entries) if entries.iter().any(of_test))
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
    /// Whether the text is YAML as it stands.
    pub(crate) sound: bool,
    /// Lines that could not be read and were left out.
    pub(crate) gaps: Vec<Range<u32>>,
    /// Nothing after this place was read.
    pub(crate) broken_at: Option<u32>,
    /// What is wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Tree {
    /// Of a text that is not read at all.
    fn unread() -> Tree {
        Tree {
            root: None,
            more: Vec::new(),
            sound: false,
            gaps: Vec::new(),
            broken_at: Some(0),
            diagnostics: Vec::new(),
        }
    }

    /// How much of the text was read.
    pub(crate) fn size(&self) -> usize {
        self.root.iter().chain(&self.more).map(Node::size).sum()
    }

    /// How many bytes of the text were left out.
    pub(crate) fn left_out(&self) -> usize {
        self.gaps.iter().map(ExactSizeIterator::len).sum()
    }

    /// The tree of a draft, with the places of the text as it is written.
    pub(crate) fn written(self, draft: &Draft) -> Tree {
        let place = |node| recover::placed(node, draft);
        let gap = |gap: Range<u32>| draft.origin_of(gap.start as usize..gap.end as usize);
        Tree {
            root: self.root.map(place),
            more: self.more.into_iter().map(place).collect(),
            gaps: self.gaps.into_iter().map(gap).collect(),
            broken_at: self.broken_at.map(|at| draft.origin(at as usize)),
            diagnostics: self.diagnostics.into_iter().map(|found| draft.written_diagnostic(found)).collect(),
            ..self
        }
    }
}

/// Reads a text.
pub(crate) fn read(id: SourceId, source: &Source) -> Tree {
    let text: &str = &source.text;
    let fault = |code, at: usize, zh: &str, en: &str| {
        Diagnostic::new(code, Span::new(id, at, at + next_char(text, at)), Wording::new(zh, en))
    };
    if text.len() > FILE_LIMIT {
        let found = fault(
            Code::FileTooLarge,
            0,
            "文件超过 1 MB，没有读取。请把它拆成几个文件，一个文件写一份文档",
            "this file is larger than 1 MB and was not read; split it, one document a file",
        );
        return Tree { diagnostics: vec![found], ..Tree::unread() };
    }
    let garbled = source.not_utf8_at.map(|at| {
        fault(
            Code::NotUtf8,
            at as usize,
            "文件不是 UTF-8 编码。请在编辑器里另存为 UTF-8",
            "this file is not UTF-8; save it as UTF-8 in your editor",
        )
    });
    let lost = text.match_indices(LOST).filter(|_| garbled.is_some());
    let lost: Vec<Range<u32>> = lost.map(|(at, mark)| at as u32..(at + mark.len()) as u32).collect();
    let controls = text.char_indices().filter(|(_, c)| is_control(*c)).map(|(at, c)| control(id, at, c));
    let controls: Vec<Diagnostic> = controls.take(STRAYS + 1).collect();
    if lost.len() + controls.len() > STRAYS {
        return Tree { diagnostics: garbled.into_iter().chain(controls).take(1).collect(), ..Tree::unread() };
    }
    let tree = recover::tree(id, text, controls);
    match garbled {
        Some(garbled) => without_lost(tree, garbled, lost),
        None => tree,
    }
}

/// What stands in a text for bytes that are no UTF-8.
const LOST: char = '\u{fffd}';
/// How many bytes that are no UTF-8, or characters that nobody sees, are read past: of a text with more of them, hardly
/// anything is what it was.
const STRAYS: usize = 3;

/// A tree of a text that has lost bytes: what they were in is not understood, and one place is told.
fn without_lost(tree: Tree, told: Diagnostic, lost: Vec<Range<u32>>) -> Tree {
    let diagnostics = std::iter::once(told).chain(tree.diagnostics).collect();
    let gaps = tree.gaps.into_iter().chain(lost).collect();
    let (root, more) = (tree.root.map(understood), tree.more.into_iter().map(understood).collect());
    Tree { root, more, gaps, sound: false, diagnostics, ..tree }
}

fn understood(node: Node) -> Node {
    let lost = |node: &Node| node.text().is_some_and(|text| text.contains(LOST));
    let kind = match node.kind {
        NodeKind::Scalar { .. } if lost(&node) => NodeKind::Broken,
        NodeKind::Sequence(items) => NodeKind::Sequence(items.into_iter().map(understood).collect()),
        NodeKind::Mapping(entries) => {
            let kept = entries.into_iter().filter(|entry| !lost(&entry.key));
            NodeKind::Mapping(kept.map(|entry| Entry { value: understood(entry.value), ..entry }).collect())
        }
        kind => kind,
    };
    Node { kind, ..node }
}

fn control(id: SourceId, at: usize, found: char) -> Diagnostic {
    let (code, span) = (u32::from(found), Span::new(id, at, at + found.len_utf8()));
    Diagnostic::new(
        Code::ControlCharacter,
        span,
        Wording::new(
            format!("这里有一个看不见的控制字符（U+{code:04X}），请删掉它"),
            format!("there is an invisible control character here (U+{code:04X}); delete it"),
        ),
    )
    .fix(span, "", Wording::new("删掉它", "delete it"))
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}')
}

fn next_char(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}
