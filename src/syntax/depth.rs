//! Lines that stand at the wrong depth, and are good YAML all the same: what belongs under a key stands beside it, or
//! a field stands within another one. One line that was moved is one fault, whatever it makes of those around it.

use super::field::FIELD;
use super::fields::{Lowering, Place, missing_value};
use super::node::{Entry, Node, NodeKind};
use crate::diagnostics::{Code, Diagnostic};
use crate::model::text::Wording;

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
        if entries.iter().take(at).any(|earlier| foreign(&earlier)) {
            self.overlook(std::iter::once(entry));
            return true;
        }
        let name = entry.key.text().unwrap_or("");
        self.report(
            Diagnostic::new(
                Code::MisplacedKey,
                entry.key.span,
                Wording::new(
                    format!("`{name}` 本身就是一个字段，不能写在另一个字段里。请检查缩进：字段和字段对齐，列写在 `fields` 下面"),
                    format!("`{name}` is a field of its own and cannot stand within another; check the indentation: fields line up, and columns stand under `fields`"),
                ),
            ),
        );
        true
    }

    fn overlook<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) {
        self.overlooked.extend(entries.map(|entry| entry.key.span));
    }
}

/// Whether an entry says something of a field and is none itself.
pub(super) fn is_part_of_field(entry: &Entry) -> bool {
    FIELD.keys.contains(&entry.key.text().unwrap_or("")) && !is_field(&entry.value)
}

/// Whether a value is that of a field: a group with a `type`.
fn is_field(value: &Node) -> bool {
    matches!(&value.kind, NodeKind::Mapping(entries) if entries.iter().any(|entry| entry.key.text() == Some("type")))
}

/// Whether a value is that of a form: nothing but fields.
pub(super) fn is_form(value: &Node) -> bool {
    matches!(&value.kind, NodeKind::Mapping(entries) if !entries.is_empty() && entries.iter().all(|entry| is_field(&entry.value)))
}
