//! A form that is written as a list, or steps as a group: told, and read as they are meant.

use super::depth::is_field;
use super::fields::{GROUP, LIST, Lowering, wrong_shape};
use super::node::{Entry, Node, NodeKind, ScalarForm};
use super::step;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::text::Wording;
use std::borrow::Cow;

impl Lowering<'_> {
    /// The fields of a form, where it is a list of them: `- days: { type: integer }`, `- { name: days, type: integer }`.
    pub(super) fn as_group<'n>(&mut self, node: &'n Node) -> Cow<'n, Node> {
        let fields: Option<Vec<Vec<Entry>>> = match &node.kind {
            NodeKind::Sequence(items) if !items.is_empty() => items.iter().map(fields_of).collect(),
            _ => None,
        };
        let Some(fields) = fields.map(|items| items.concat()) else { return Cow::Borrowed(node) };
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

    /// Two steps in one item, where the second begins with its `id` in a line of its own: its dash is missing.
    pub(super) fn apart<'n>(&mut self, item: &'n Node) -> Vec<Cow<'n, Node>> {
        let split = |entries: &'n [Entry]| {
            let at = entries.iter().position(|entry| entry.key.text() == Some("id"))?;
            let (first, second) = entries.split_at(at);
            let kind = |entry: &Entry| entry.key.text().is_some_and(step::is_kind);
            let meant = |entry: &Entry| entry.key.text().is_some_and(|word| step::kind_meant(word).is_some());
            let two = first.iter().any(kind) && second.iter().any(|entry| kind(entry) || meant(entry));
            two.then_some((first, second))
        };
        let NodeKind::Mapping(entries) = &item.kind else { return vec![Cow::Borrowed(item)] };
        let found = split(entries).and_then(|(first, second)| {
            let key = second.first()?.key.span;
            Some((first, second, key, self.indentation(key).filter(|own| own.end >= own.start + 2)?))
        });
        let Some((first, second, key, own)) = found else { return vec![Cow::Borrowed(item)] };
        let place = Span { start: own.end - 2, ..own };
        let said = Diagnostic::new(
            Code::StepKind,
            key,
            Wording::new(
                "这里开始的是另一步，前面少了 `- `：一步只做一件事",
                "another step begins here, and its `- ` is missing: a step does one thing",
            ),
        );
        self.reads_on(said.fix(place, "- ", Wording::new("补上 `- `", "add the `- `")));
        let of = |part: &[Entry], from: u32, to: u32| {
            let span = Span { start: from, end: to, ..item.span };
            Cow::Owned(Node { span, kind: NodeKind::Mapping(part.to_vec()) })
        };
        vec![of(first, item.span.start, own.start), of(second, key.start, item.span.end)]
    }
}

/// The fields of an item: several where only the first of them has a dash.
fn fields_of(item: &Node) -> Option<Vec<Entry>> {
    let NodeKind::Mapping(entries) = &item.kind else { return None };
    match entries.iter().all(|entry| is_field(&entry.value)) {
        true => Some(entries.clone()),
        false => field_of(item).map(|field| vec![field]),
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
