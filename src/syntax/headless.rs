//! A part of a document without the line that opens it, so that what is in it seems to be in the part before: told once,
//! and read as if the line were there.

use super::fields::{Lowering, Place};
use super::node::{Entry, Node, NodeKind, ScalarForm};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::text::Wording;
use std::borrow::Cow;

impl Lowering<'_> {
    /// A document in which what `begins` a part, and all that follows, stands in the part before it, with that in a part of
    /// its own. What follows only has to be nothing that is no entry of it.
    pub(super) fn opened<'n>(
        &mut self,
        root: Cow<'n, Node>,
        (before, part): (&str, &str),
        begins: impl Fn(&Entry) -> bool,
        follows: impl Fn(&Entry) -> bool,
    ) -> Cow<'n, Node> {
        let NodeKind::Mapping(entries) = &root.kind else { return root };
        let written = |key: &str| entries.iter().position(|entry| entry.key.text() == Some(key));
        let Some((at, NodeKind::Mapping(inner))) =
            written(before).filter(|_| written(part).is_none()).and_then(|at| Some((at, &entries.get(at)?.value.kind)))
        else {
            return root;
        };
        let Some(first) = inner.iter().position(&begins).filter(|first| *first > 0) else { return root };
        let (own, others) = inner.split_at(first);
        let Some(key) = others.first().map(|entry| entry.key.span).filter(|_| others.iter().all(&follows)) else {
            return root;
        };
        let found = Diagnostic::new(
            Code::MissingKey,
            key,
            Wording::new(
                format!("从这一行起属于 `{part}`，前面少了一行 `{part}:`"),
                format!("from this line on all belongs to `{part}`, and the line `{part}:` before it is missing"),
            ),
        );
        let words = Wording::new(format!("加上 `{part}:`"), format!("add `{part}:`"));
        let line = self.indentation(key).map(|before| Span { end: before.start, ..before });
        let group = |of: &[Entry]| NodeKind::Mapping(of.to_vec());
        let mut entries = entries.clone();
        if let Some(entry) = entries.get_mut(at) {
            let value = Node { kind: group(others), ..entry.value.clone() };
            entry.value.kind = group(own);
            let word = NodeKind::Scalar { text: part.to_owned(), form: ScalarForm::Plain };
            entries.insert(at + 1, Entry { key: Node { span: key, kind: word }, value });
        }
        self.reads_on(match line {
            Some(line) => found.fix(line, format!("{part}:\n"), words),
            None => found,
        });
        Cow::Owned(Node { kind: NodeKind::Mapping(entries), ..root.into_owned() })
    }
}

/// Whether the keys of an entry are those of a place.
pub(super) fn is_of(entry: &Entry, place: &Place) -> bool {
    let of = |part: &Entry| part.key.text().is_some_and(|key| place.keys.contains(&key));
    entry.value.is_empty() || matches!(&entry.value.kind, NodeKind::Mapping(parts) if parts.iter().all(of))
}
