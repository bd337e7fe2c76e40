//! A form that is written as a list, or steps as a group: told, and read as they are meant.

use super::depth::is_field;
use super::fields::{GROUP, LIST, Lowering, wrong_shape};
use super::node::{Entry, Node, NodeKind, ScalarForm};
use super::step;
use crate::model::text::Wording;
use std::borrow::Cow;

impl Lowering<'_> {
    /// The fields of a form, where it is a list of them: `- days: { type: integer }`, `- { name: days, type: integer }`.
    pub(super) fn as_group<'n>(&mut self, node: &'n Node) -> Cow<'n, Node> {
        let fields: Option<Vec<Entry>> = match &node.kind {
            NodeKind::Sequence(items) if !items.is_empty() => items.iter().map(field_of).collect(),
            _ => None,
        };
        let Some(fields) = fields else { return Cow::Borrowed(node) };
        let name = fields.first().and_then(|field| field.key.text()).unwrap_or_default().to_owned();
        let (at, example) = (self.first_line(node.span), format!("{name}: {{ type: …, title: … }}"));
        self.reads_on(wrong_shape(at, GROUP, "列表", "a list").hint(Wording::new(
            format!("字段前面不写 `- `：{example}"),
            format!("a field has no `- ` before it: {example}"),
        )));
        Cow::Owned(Node { kind: NodeKind::Mapping(fields), ..node.clone() })
    }

    /// The steps of a list, where it is a group of them: `review: { approve: boss }`.
    pub(super) fn as_list<'n>(&mut self, node: &'n Node) -> Cow<'n, Node> {
        let steps: Option<Vec<Node>> = match &node.kind {
            NodeKind::Mapping(entries) if !entries.is_empty() => entries.iter().map(step_of).collect(),
            _ => None,
        };
        let Some(steps) = steps else { return Cow::Borrowed(node) };
        let name = match &node.kind {
            NodeKind::Mapping(entries) => entries.first().and_then(|entry| entry.key.text()).unwrap_or_default(),
            _ => "",
        };
        let at = self.first_line(node.span);
        self.reads_on(wrong_shape(at, LIST, "一组键", "a group of keys").hint(Wording::new(
            format!("每一步写成一项：- {{ id: {name}, … }}"),
            format!("each step is an item: - {{ id: {name}, … }}"),
        )));
        Cow::Owned(Node { kind: NodeKind::Sequence(steps), ..node.clone() })
    }
}

/// A field that is an item: the name is its only key, or its first one with the rest beside it, or stands behind `name`
/// or `id`.
fn field_of(item: &Node) -> Option<Entry> {
    let NodeKind::Mapping(entries) = &item.kind else { return None };
    let (first, rest) = entries.split_first()?;
    if rest.is_empty() {
        return is_field(&first.value).then(|| first.clone());
    }
    let of = |entries: Vec<Entry>| Node { kind: NodeKind::Mapping(entries), ..item.clone() };
    if first.value.is_empty() {
        let value = of(rest.to_vec());
        return is_field(&value).then(|| Entry { key: first.key.clone(), value });
    }
    let named = entries.iter().position(|entry| matches!(entry.key.text(), Some("name" | "id" | "field")))?;
    let key = entries.get(named)?.value.clone();
    let mut rest = entries.clone();
    rest.remove(named);
    let value = of(rest);
    (key.text().is_some() && is_field(&value)).then_some(Entry { key, value })
}

/// A step whose name is its key.
fn step_of(entry: &Entry) -> Option<Node> {
    let NodeKind::Mapping(parts) = &entry.value.kind else { return None };
    let has = |key: &str| parts.iter().any(|part| part.key.text() == Some(key));
    let of_step = parts.iter().any(|part| part.key.text().is_some_and(step::is_kind));
    if !of_step || has("id") || step::is_key(entry.key.text()?) {
        return None;
    }
    let word = NodeKind::Scalar { text: "id".to_owned(), form: ScalarForm::Plain };
    let id = Entry { key: Node { span: entry.key.span, kind: word }, value: entry.key.clone() };
    let parts = std::iter::once(id).chain(parts.iter().cloned()).collect();
    Some(Node { span: entry.key.span.to(entry.value.span), kind: NodeKind::Mapping(parts) })
}
