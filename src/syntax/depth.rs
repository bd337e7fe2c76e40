//! Lines that stand at the wrong depth, and are good YAML all the same: what belongs under a key stands beside it, a
//! field stands within another one, a part of a field beside it, or a key of the top level within a form. One line that
//! was moved is one fault, whatever it makes of those around it; where it is sure what was meant, it is read so.

use super::field::{FIELD, TYPES};
use super::fields::{Lowering, Place, missing_value};
use super::node::{Entry, Node, NodeKind};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::text::Wording;
use std::borrow::Cow;

impl Lowering<'_> {
    /// Tells of a key without a value that what follows it belongs under it, if it looks so; `stray` is what no
    /// neighbour of the key can be. Answers how many entries are passed over with that.
    pub(super) fn flattened(&mut self, entries: &[Entry], at: usize, stray: impl Fn(&Entry) -> bool) -> Option<usize> {
        let entry = entries.get(at).filter(|entry| entry.value.is_empty())?;
        let rest = entries.get(at + 1..)?;
        let strays = rest.iter().take_while(|entry| stray(entry)).count();
        let first = rest.first().filter(|_| strays > 0)?;
        let key = entry.key.text().unwrap_or("");
        self.report(missing_value(entry.key.span, key).context(
            first.key.span,
            Wording::new(
                format!("这一行和它一样深。属于 `{key}` 的内容要缩进得更深"),
                format!("this stands as deep; what belongs to `{key}` is indented more than `{key}` itself"),
            ),
        ));
        self.overlook(rest.iter().take(strays));
        Some(strays)
    }

    /// Tells of a field among the keys of another one. Those that stand there with it are passed over.
    pub(super) fn nested(&mut self, entries: &[Entry], at: usize, place: &Place) -> bool {
        let foreign = |entry: &&Entry| {
            let key = entry.key.text().unwrap_or("");
            !place.keys.contains(&key) && is_field(&entry.value)
        };
        let Some(entry) = entries.get(at).filter(|entry| std::ptr::eq(place, &FIELD) && foreign(entry)) else {
            return false;
        };
        self.overlook(std::iter::once(entry));
        if entries.iter().take(at).any(|earlier| foreign(&earlier)) {
            return true;
        }
        let name = entry.key.text().unwrap_or("");
        // The last of them may go where the field stands that it is in.
        let last = entries.len() == at + 1;
        let moved = self.indentation(entry.key.span).filter(|_| last).and_then(|own| {
            let above = self.source.text.get(..own.start as usize)?.lines().rev();
            let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
            let deep = (own.end - own.start) as usize;
            let holder = above.filter(|line| !line.trim().is_empty() && indent(line) < deep).map(indent).next()?;
            Some((own, " ".repeat(holder)))
        });
        let words = Wording::new("和别的字段对齐", "line it up with the other fields");
        let fixed = |found: Diagnostic| match moved {
            Some((own, depth)) => found.offer(own, depth, words),
            None => found,
        };
        self.report(fixed(
            Diagnostic::new(
                Code::MisplacedKey,
                entry.key.span,
                Wording::new(
                    format!("`{name}` 本身就是一个字段，不能写在另一个字段里。请检查缩进：字段和字段对齐，列写在 `fields` 下面"),
                    format!("`{name}` is a field of its own and cannot stand within another; check the indentation: fields line up, and columns stand under `fields`"),
                ),
            ),
        ));
        true
    }

    /// A document one of whose parts holds a key of its top level: with that where it belongs. Such a key has what
    /// follows it in the part under it, if nothing else is; else it can be no field of a form.
    pub(super) fn lifted<'n>(&mut self, root: &'n Node, place: &Place) -> Cow<'n, Node> {
        let NodeKind::Mapping(entries) = &root.kind else { return Cow::Borrowed(root) };
        let written = |key: &str| entries.iter().any(|entry| entry.key.text() == Some(key));
        let strayed = |part: &str, entry: &Entry| {
            let key = entry.key.text().unwrap_or("");
            let full = matches!(part, "form" | "data") && !is_field(&entry.value);
            let of_head = place.keys.contains(&key) && !FIELD.keys.contains(&key) && !written(key);
            of_head && (entry.value.is_empty() || full)
        };
        let fallen = |entry: &Entry| !place.keys.contains(&entry.key.text().unwrap_or("")) && is_field(&entry.value);
        let in_line = |entry: &Entry| {
            let part = entry.key.text().unwrap_or("");
            let strays =
                matches!(&entry.value.kind, NodeKind::Mapping(inner) if inner.iter().any(|one| strayed(part, one)));
            !strays && !fallen(entry)
        };
        if entries.iter().all(in_line) {
            return Cow::Borrowed(root);
        }
        let (mut kept, mut lifted) = (Vec::new(), Vec::new());
        for entry in entries {
            let part = entry.key.text().unwrap_or("");
            if fallen(entry) && self.fallen_out(entry, &mut kept) {
                continue;
            }
            let NodeKind::Mapping(inner) = &entry.value.kind else {
                kept.push(entry.clone());
                continue;
            };
            let group = |of: Vec<Entry>| Node { kind: NodeKind::Mapping(of), ..entry.value.clone() };
            let (mut out, mut stay): (Vec<Entry>, Vec<Entry>) = (Vec::new(), Vec::new());
            for (at, one) in inner.iter().enumerate() {
                match inner.get(at + 1..) {
                    Some(below @ [_, ..]) if strayed(part, one) && one.value.is_empty() => {
                        out.push(Entry { value: group(below.to_vec()), ..one.clone() });
                        break;
                    }
                    _ if strayed(part, one) && !one.value.is_empty() => out.push(one.clone()),
                    _ => stay.push(one.clone()),
                }
            }
            kept.push(Entry { value: group(stay), ..entry.clone() });
            lifted.extend(out.into_iter().map(|out| (part.to_owned(), out)));
        }
        for (part, entry) in lifted {
            let key = entry.key.text().unwrap_or("");
            let found = Diagnostic::new(
                Code::MisplacedKey,
                entry.key.span,
                Wording::new(
                    format!("`{key}` 属于顶层，这里缩进到 `{part}` 里面去了。请移到最左边"),
                    format!(
                        "`{key}` belongs to the top level, and is indented into `{part}` here; move it to the left"
                    ),
                ),
            );
            let before = self.indentation(entry.key.span);
            let words = Wording::new("移到最左边", "move it to the left");
            self.report(match before {
                Some(before) => found.fix(before, "", words),
                None => found,
            });
            kept.push(entry);
        }
        Cow::Owned(Node { kind: NodeKind::Mapping(kept), ..root.clone() })
    }

    /// Puts a field that stands at the top level into the form before it, if there is one.
    fn fallen_out(&mut self, entry: &Entry, before: &mut [Entry]) -> bool {
        let Some(form) = before.last_mut().filter(|last| is_form(&last.value)) else { return false };
        let NodeKind::Mapping(fields) = &mut form.value.kind else { return false };
        let (name, part) = (entry.key.text().unwrap_or(""), form.key.text().unwrap_or(""));
        let found = Diagnostic::new(
            Code::MisplacedKey,
            entry.key.span,
            Wording::new(
                format!("`{name}` 是一个字段，属于上面的 `{part}`，要缩进得更深"),
                format!("`{name}` is a field and belongs to `{part}` above; indent it more"),
            ),
        );
        let beside = fields.first().map(|first| first.key.span);
        fields.push(entry.clone());
        let words = Wording::new(format!("移到 `{part}` 里面"), format!("move it into `{part}`"));
        self.report(self.moved_in(found, entry.key.span, beside, words));
        true
    }

    /// The entries of a form, with the parts of a field that stand beside it put into it.
    pub(super) fn sunk<'n>(&mut self, entries: &'n [Entry]) -> Cow<'n, [Entry]> {
        if !entries.iter().skip(1).any(strays_from_field) {
            return Cow::Borrowed(entries);
        }
        let mut found: Vec<Entry> = Vec::new();
        let mut told = false;
        for entry in entries {
            let key = entry.key.text().unwrap_or("");
            let open = found.last_mut().filter(|last| strays_from_field(entry) && takes(last, key));
            let Some(last) = open else {
                found.push(entry.clone());
                told = false;
                continue;
            };
            let NodeKind::Mapping(parts) = &mut last.value.kind else { continue };
            let (field, within) = (last.key.text().unwrap_or("").to_owned(), parts.first().map(|part| part.key.span));
            parts.push(entry.clone());
            if std::mem::replace(&mut told, true) {
                continue;
            }
            let diagnostic = Diagnostic::new(
                Code::MisplacedKey,
                entry.key.span,
                Wording::new(
                    format!("`{key}` 属于上面的字段 `{field}`，要缩进得更深"),
                    format!("`{key}` belongs to the field `{field}` above; indent it more"),
                ),
            );
            let words = Wording::new(format!("移到 `{field}` 里面"), format!("move it into `{field}`"));
            self.report(self.moved_in(diagnostic, entry.key.span, within, words));
        }
        Cow::Owned(found)
    }

    /// Offers to move a line in, to where the key `beside` stands, if each has a line of its own.
    fn moved_in(&self, found: Diagnostic, key: Span, beside: Option<Span>, words: Wording) -> Diagnostic {
        let depths = beside.and_then(|beside| Some((self.indentation(beside)?, self.indentation(key)?)));
        let length = |span: Span| span.end.saturating_sub(span.start) as usize;
        match depths {
            Some((deep, own)) if length(deep) > length(own) => found.offer(own, " ".repeat(length(deep)), words),
            _ => found,
        }
    }

    /// The spaces before what a line begins with; `None` within a line.
    pub(super) fn indentation(&self, key: Span) -> Option<Span> {
        let before = self.source.text.get(..key.start as usize)?;
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        before.get(start..)?.chars().all(|c| c == ' ').then_some(Span { start: start as u32, end: key.start, ..key })
    }

    fn overlook<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) {
        self.overlooked.extend(entries.map(|entry| entry.key.span));
    }
}

/// Whether an entry says something of a field and is none itself.
pub(super) fn is_part_of_field(entry: &Entry) -> bool {
    FIELD.keys.contains(&entry.key.text().unwrap_or("")) && !is_field(&entry.value)
}

/// Whether an entry of a form is a part of the field above: what it says is nothing that a field could say.
fn strays_from_field(entry: &Entry) -> bool {
    let of_field = |part: &Entry| FIELD.keys.contains(&part.key.text().unwrap_or(""));
    of_field(entry)
        && match &entry.value.kind {
            NodeKind::Mapping(parts) => !parts.is_empty() && !parts.iter().any(of_field),
            NodeKind::Sequence(_) => true,
            NodeKind::Scalar { text, .. } => !entry.value.is_empty() && !TYPES.iter().any(|(word, _)| word == text),
            NodeKind::Broken => false,
        }
}

/// Whether a field takes one more part.
fn takes(field: &Entry, key: &str) -> bool {
    matches!(&field.value.kind, NodeKind::Mapping(parts)
        if is_field(&field.value) && !parts.iter().any(|part| part.key.text() == Some(key)))
}

/// Whether a value is that of a field: a group with a `type`.
pub(super) fn is_field(value: &Node) -> bool {
    matches!(&value.kind, NodeKind::Mapping(entries) if entries.iter().any(|entry| entry.key.text() == Some("type")))
}

/// Whether a value is that of a form: nothing but fields.
pub(super) fn is_form(value: &Node) -> bool {
    matches!(&value.kind, NodeKind::Mapping(entries) if !entries.is_empty() && entries.iter().all(|entry| is_field(&entry.value)))
}
