//! What a fault hides: the piece of a document that was not understood, and what may stand in it.
//!
//! A value that could not be read is absent from the document. What is found to be missing later may be what stands
//! there, so it must not be told; everything else is. A piece is as small as it can be: a key and its value where a
//! fault lies in these, else the item of a list.

use super::node::{Line, Node, NodeKind, lines};
use super::process::is_head;
use super::step::is_key;
use crate::diagnostics::{Code, Diagnostic, Fix, SourceId, Span};
use std::collections::BTreeSet;
use std::ops::Range;

/// A piece of a document that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// The piece.
    pub span: Span,
    /// The item of a list, such as a step, that it is in; the piece itself where it is in none.
    pub item: Span,
    /// The keys that lead to it from the top of the document, its own last.
    pub keys: Vec<String>,
    /// Whether the way that a case takes may depend on it.
    pub flow: bool,
}

/// Keys of a step that say where a case goes on.
const OF_FLOW: &[&str] = &[
    "when",
    "go",
    "end",
    "on",
    "outcomes",
    "choose",
    "otherwise",
    "overdue",
    "until",
    "parallel",
    "race",
    "join",
    "each",
    "call",
    "steps",
    "undo",
];

/// What a fault hides; nothing where the text is read as it was meant.
pub(super) fn hidden(found: &Diagnostic, text: &str, root: &Node) -> Option<Hidden> {
    // A line that is indented with what is no space hides itself, and not what it stands in.
    let at = found.span.start as usize;
    let rest = text.get(at..).unwrap_or_default();
    let tab = rest.starts_with(['\t', '\u{3000}']);
    let words = if tab { rest.trim_start().trim_start_matches("- ") } else { rest };
    let blank = rest.len() - words.len();
    // The tree has a key that is there twice with its first value only.
    let twice = text.get(at..found.span.end as usize).filter(|_| found.code == Code::DuplicateKey);
    may_hide(found).then(|| below(found.code, (at + blank) as u32, root, twice))
}

/// What lines hide that were left out, as YAML is broken in them: an item of a list, or a key of what stands around.
pub(super) fn gap(id: SourceId, text: &str, gap: &Range<u32>, root: Option<&Node>) -> Hidden {
    let span = Span { source: id, start: gap.start, end: gap.end };
    let all = lines(text);
    let behind = all.partition_point(|line| line.start <= gap.start as usize);
    let (above, here) = all.split_at(behind.saturating_sub(1));
    let mut place = Place { piece: span, value: None, item: None, keys: Vec::new(), inside: 0 };
    let Some(own) = here.first() else { return Hidden { span, item: span, keys: Vec::new(), flow: true } };
    let (holder, sibling) = holder(above, own);
    if let (Some(holder), Some(root)) = (holder, root) {
        let key = holder.start + holder.depth();
        place.descend(root, u32::try_from(key).unwrap_or(u32::MAX));
    }
    if own.is_item() {
        place.item = None;
        place.keys.truncate(if sibling { place.inside } else { place.keys.len() });
    } else {
        if sibling {
            place.keys.pop();
        }
        let key = own.words.split([':', '：']).next().unwrap_or_default().trim();
        place.keys.push(key.to_owned());
    }
    let within = place.keys.get(place.inside..).unwrap_or_default();
    let flow = match place.keys.first().map(String::as_str) {
        // An item of the steps, or a key that says where a case goes on, or one that is not known.
        Some("steps") => {
            within.last().is_none_or(|key| of_flow(key) || !is_key(key)) || within.iter().any(|key| of_flow(key))
        }
        Some(head) => !is_head(head),
        None => true,
    };
    Hidden { span, item: place.item.unwrap_or(span), keys: place.keys, flow }
}

/// The line that a line belongs under, or the one above that it stands beside.
fn holder<'l, 't>(above: &'l [Line<'t>], own: &Line<'t>) -> (Option<&'l Line<'t>>, bool) {
    let at = if own.is_item() { own.indent } else { own.depth() };
    for line in above.iter().rev() {
        let beside = match own.is_item() {
            true => line.is_item() && line.indent == at,
            false => line.depth() == at,
        };
        if beside {
            return (Some(line), true);
        }
        if line.depth() < at || own.is_item() && line.depth() == at {
            return (Some(line), false);
        }
    }
    (None, false)
}

fn of_flow(key: &str) -> bool {
    OF_FLOW.contains(&key)
}

/// What a fault of a kind hides that lies at a place.
pub(super) fn behind(code: Code, start: u32, root: &Node) -> Hidden {
    below(code, start, root, None)
}

/// Likewise, at a key that the tree does not have.
fn below(code: Code, start: u32, root: &Node, key: Option<&str>) -> Hidden {
    let mut at = Place { piece: root.span, value: None, item: None, keys: Vec::new(), inside: 0 };
    at.descend(root, start);
    at.keys.extend(key.map(str::to_owned));
    // What lacks something is not understood as a whole.
    if let (Code::StepKind | Code::MissingKey, Some(item)) = (code, at.item) {
        at.piece = item;
    }
    let within = at.keys.get(at.inside..).unwrap_or_default();
    let steps = at.keys.first().is_some_and(|first| first == "steps");
    let flow = match code {
        // What belongs elsewhere is known, and leads nowhere here.
        Code::MisplacedKey => within.last().is_some_and(|key| of_flow(key)),
        Code::StepKind => true,
        Code::UnknownKey => within.iter().any(|key| of_flow(key)) || names_step(root, at.value),
        _ => within.iter().any(|key| of_flow(key)),
    };
    // Of a document without its steps nothing is known.
    let flow = if steps { flow || within.is_empty() } else { at.keys.len() <= 1 && lacks(code) };
    Hidden { span: at.piece, item: at.item.unwrap_or(at.piece), keys: at.keys, flow }
}

/// Whether something was not understood. What is misspelt is told, and read as it was meant.
fn may_hide(found: &Diagnostic) -> bool {
    let read_on = matches!(
        found.code,
        Code::FullWidthPunctuation
            | Code::ControlCharacter
            | Code::ForeignSyntax
            | Code::YamlSyntax
            | Code::UnquotedExpression
            | Code::UnknownKey
            | Code::UnknownName
            | Code::MisplacedKey
            | Code::StepKind
            | Code::BadValue
    );
    // A mend of more than a word, such as quotes around a torn text, is not read as if it were made.
    let torn = |fix: &Fix| found.code == Code::UnknownKey && fix.replacement.contains(['"', ':']);
    found.is_error()
        && found.code != Code::SecretInYaml
        && !(read_on && found.fix.as_ref().is_some_and(|fix| !torn(fix)))
}

/// Whether a value has the name of a step in it, as the target of a jump has. What belongs to a key without a value may
/// stand anywhere.
fn names_step(root: &Node, value: Option<&Node>) -> bool {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return true };
    let mut ids = BTreeSet::new();
    walk(root, &mut |node| {
        if let NodeKind::Mapping(entries) = &node.kind {
            ids.extend(
                entries.iter().filter(|entry| entry.key.text() == Some("id")).filter_map(|entry| entry.value.text()),
            );
        }
    });
    let mut found = false;
    walk(value, &mut |node| found |= node.text().is_some_and(|text| ids.contains(text)));
    found
}

fn walk<'n>(node: &'n Node, visit: &mut dyn FnMut(&'n Node)) {
    visit(node);
    match &node.kind {
        NodeKind::Mapping(entries) => entries.iter().for_each(|entry| walk(&entry.value, visit)),
        NodeKind::Sequence(items) => items.iter().for_each(|item| walk(item, visit)),
        NodeKind::Scalar { .. } | NodeKind::Broken => {}
    }
}

fn lacks(code: Code) -> bool {
    matches!(code, Code::MissingKey | Code::UnknownKey)
}

/// Where a search has come to.
struct Place<'n> {
    piece: Span,
    /// The value of the last key.
    value: Option<&'n Node>,
    item: Option<Span>,
    keys: Vec<String>,
    /// Where the keys of the innermost item begin.
    inside: usize,
}

impl<'n> Place<'n> {
    fn descend(&mut self, node: &'n Node, at: u32) {
        let holds = |span: Span| span.start <= at && at < span.end;
        match &node.kind {
            NodeKind::Mapping(entries) => {
                let found = entries.iter().rfind(|entry| {
                    entry.key.span.start <= at && (at < entry.value.span.end || at < entry.key.span.end)
                });
                let Some(entry) = found else {
                    if at <= node.span.start {
                        return;
                    }
                    // A key that is there twice is not in the tree with its second value.
                    let next = entries.iter().map(|entry| entry.key.span.start).find(|start| *start > at);
                    self.piece = Span { start: at, end: next.unwrap_or(node.span.end), ..node.span };
                    return;
                };
                let end = entry.value.span.end.max(entry.key.span.end);
                self.piece = Span { end, ..entry.key.span };
                self.value = Some(&entry.value);
                self.keys.push(entry.key.text().unwrap_or_default().to_owned());
                if holds(entry.value.span) {
                    self.descend(&entry.value, at);
                }
            }
            NodeKind::Sequence(items) => {
                let Some(item) = items.iter().find(|item| holds(item.span)) else { return };
                self.piece = item.span;
                if matches!(item.kind, NodeKind::Mapping(_)) {
                    self.item = Some(item.span);
                    self.inside = self.keys.len();
                }
                self.descend(item, at);
            }
            NodeKind::Scalar { .. } | NodeKind::Broken => {}
        }
    }
}
