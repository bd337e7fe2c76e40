//! Which kind a step is. One that does not say it is read as it is meant where that is plain, so that what else is
//! wrong with it is told too.

use super::keys::{KINDS, is_key, place};
use crate::diagnostics::{Code, Diagnostic, quoted_list};
use crate::model::text::Wording;
use crate::syntax::dialect;
use crate::syntax::fields::Lowering;
use crate::syntax::node::{Entry, Node, NodeKind, ScalarForm};

/// Keys by which other tools say what a step is.
const KIND_KEYS: [&str; 4] = ["type", "kind", "类型", "种类"];
/// Keys by which other tools say who is asked.
const WHO_KEYS: [&str; 11] = [
    "assignee",
    "assignees",
    "assigned_to",
    "approver",
    "approvers",
    "who",
    "role",
    "candidates",
    "审批人",
    "办理人",
    "处理人",
];

/// The kind of step that a word means which is no key of a step.
pub(crate) fn kind_meant(word: &str) -> Option<&'static str> {
    dialect::meant(word, KINDS.iter().copied()).filter(|_| !is_key(word))
}

/// The kind that has most of a step's keys, with these.
pub(super) fn most_like(entries: &[Entry]) -> (&'static str, Vec<Entry>) {
    let own = |kind: &'static str| {
        let keys = place(kind).keys;
        let own = entries.iter().filter(|entry| entry.key.text().is_some_and(|key| keys.contains(&key)));
        (kind, own.cloned().collect::<Vec<_>>())
    };
    // Of several that have as many it is the first.
    KINDS.iter().rev().map(|kind| own(kind)).max_by_key(|(_, own)| own.len()).unwrap_or(("task", Vec::new()))
}

/// What a step says of its kind.
pub(super) enum Kind<'n> {
    /// This key of it says so.
    Said(&'n Node),
    /// What it says is told, and the step is read like this.
    Meant(Node),
    /// Nothing, which is told.
    Unknown,
}

impl Lowering<'_> {
    pub(super) fn said_kind<'n>(&mut self, node: &'n Node, entries: &'n [Entry]) -> Kind<'n> {
        let keys = || entries.iter().map(|entry| &entry.key);
        let mut kinds = keys().filter(|key| KINDS.contains(&key.text().unwrap_or("")));
        match (kinds.next(), kinds.collect::<Vec<_>>()) {
            (None, _) => {
                let meant = self.tagged(node, entries).or_else(|| self.misspelt(node, entries));
                meant.map_or_else(|| self.none(node, entries), Kind::Meant)
            }
            (Some(one), rest) if rest.is_empty() => Kind::Said(one),
            (Some(first), rest) => {
                self.report(several_kinds(first, &rest));
                Kind::Meant(first_of(node, first, entries))
            }
        }
    }

    /// `type: approval` beside `assignee: manager`.
    fn tagged(&mut self, node: &Node, entries: &[Entry]) -> Option<Node> {
        let said = |keys: &[&str]| entries.iter().find(|entry| entry.key.text().is_some_and(|key| keys.contains(&key)));
        let tag = said(&KIND_KEYS)?;
        let word = tag.value.text()?;
        let kind = dialect::meant(word, KINDS.iter().copied())?;
        let who = said(&WHO_KEYS);
        let example = match who.and_then(|who| who.value.text()) {
            Some(who) => format!("{kind}: {who}"),
            None => format!("{kind}: …"),
        };
        let whole = tag.key.span.to(tag.value.span);
        let mut found = Diagnostic::new(
            Code::StepKind,
            whole,
            Wording::new(
                format!("步骤的种类本身就是键：不写 `{}`，写 `{example}`", tag.key.text().unwrap_or("")),
                format!(
                    "the kind of a step is a key itself: write `{example}`, not `{}`",
                    tag.key.text().unwrap_or("")
                ),
            ),
        );
        let mut read: Vec<Entry> = entries.iter().filter(|entry| entry.key.span != tag.key.span).cloned().collect();
        if let Some(who) = who {
            found = found.context(who.key.span, Wording::new("这个键随之去掉", "this key goes away with it"));
            read.retain(|entry| entry.key.span != who.key.span);
        }
        self.report(found);
        let key =
            Node { span: tag.key.span, kind: NodeKind::Scalar { text: kind.to_owned(), form: ScalarForm::Plain } };
        let broken = Node { span: tag.value.span, kind: NodeKind::Broken };
        read.insert(0, Entry { key, value: who.map_or(broken, |who| who.value.clone()) });
        Some(Node { span: node.span, kind: NodeKind::Mapping(read) })
    }

    /// `aprove: manager`.
    fn misspelt(&mut self, node: &Node, entries: &[Entry]) -> Option<Node> {
        let (number, key, close) = entries.iter().enumerate().find_map(|(number, entry)| {
            let word = entry.key.text().unwrap_or("");
            Some((number, &entry.key, kind_meant(word)?))
        })?;
        let word = key.text().unwrap_or("");
        self.report(
            Diagnostic::new(
                Code::StepKind,
                key.span,
                Wording::new(
                    format!("没有 `{word}` 这种步骤，是不是 `{close}`？"),
                    format!("there is no step kind `{word}`; did you mean `{close}`?"),
                ),
            )
            .fix_word(key.span, close),
        );
        let mut entries = entries.to_vec();
        if let Some(Entry { key: Node { kind: NodeKind::Scalar { text, .. }, .. }, .. }) = entries.get_mut(number) {
            close.clone_into(text);
        }
        Some(Node { span: node.span, kind: NodeKind::Mapping(entries) })
    }

    fn none<'n>(&mut self, node: &Node, entries: &[Entry]) -> Kind<'n> {
        let listed = quoted_list(KINDS.iter().copied());
        let branches = entries.iter().any(|entry| matches!(entry.key.text(), Some("if" | "then" | "else")));
        let branch = Wording::new(
            "条件写在步骤自己的 `when` 里；要分几条路，写 `choose: [{ when: total > 500, steps: [ … ] }]` 和 `otherwise`",
            "a condition is the `when` of a step; several ways are `choose: [{ when: total > 500, steps: [ … ] }]` with `otherwise`",
        );
        self.report(
            Diagnostic::new(
                Code::StepKind,
                entries.first().map_or(node.span, |entry| entry.key.span),
                Wording::new(
                    "这个步骤没有说做什么。请加一个种类键，例如 `approve: 市场部经理`",
                    "this step does not say what it does; add a kind, such as `approve: head_of(applicant.department)`",
                ),
            )
            .hint_if(branches.then_some(branch))
            .hint(Wording::new(format!("种类有：{}", listed.zh), format!("the kinds: {}", listed.en))),
        );
        Kind::Unknown
    }
}

/// The first of two steps in one: without what belongs to the other.
fn first_of(node: &Node, first: &Node, entries: &[Entry]) -> Node {
    let keys = place(first.text().unwrap_or("")).keys;
    let own = |entry: &&Entry| {
        let word = entry.key.text().unwrap_or("");
        if KINDS.contains(&word) { entry.key.span == first.span } else { keys.contains(&word) || !is_key(word) }
    };
    Node { span: node.span, kind: NodeKind::Mapping(entries.iter().filter(own).cloned().collect()) }
}

fn several_kinds(first: &Node, rest: &[&Node]) -> Diagnostic {
    let word = first.text().unwrap_or("");
    let mut diagnostic = Diagnostic::new(
        Code::StepKind,
        rest.first().map_or(first.span, |key| key.span),
        Wording::new(
            format!("一个步骤只做一件事，这里已经有 `{word}`。请拆成两个步骤"),
            format!("a step does one thing, and this one has `{word}` already; make two steps of it"),
        ),
    )
    .context(first.span, Wording::new("第一种", "the first kind"));
    for key in rest.iter().skip(1) {
        diagnostic = diagnostic.context(key.span, Wording::new("还有一种", "one more"));
    }
    diagnostic
}
