//! `overdue`: what happens at a step that is still open at its due time.

use super::Target;
use super::keys::STEP_RELATIVES;
use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::text::Wording;
use crate::syntax::feel::FeelText;
use crate::syntax::fields::{Fields, Lowering, Place, missing_value};
use crate::syntax::node::{Node, NodeKind};
use crate::syntax::scalar::NameRule;

/// `overdue: { notify: …, every: …, reassign: … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The key.
    pub key: Span,
    /// Who is told.
    pub notify: Vec<FeelText>,
    /// How long after each notice comes the next.
    pub every: Option<FeelText>,
    /// What else.
    pub then: Option<Then>,
}

/// What else happens at an overdue step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Others are asked.
    Reassign(Vec<FeelText>),
    /// Time decides.
    Decide(Spanned<String>),
    /// The case goes elsewhere.
    Go(Target),
}

pub(super) static HUMAN: Place = Place {
    name: ("等人办理的步骤的 `overdue`", "the `overdue` of a step that asks people"),
    keys: &["notify", "every", "reassign", "decide", "go"],
    later: &[],
    relatives: STEP_RELATIVES,
};

pub(super) static OTHER: Place = Place {
    name: ("不等人办理的步骤的 `overdue`", "the `overdue` of a step that asks nobody"),
    keys: &["notify", "every", "go"],
    later: &[],
    relatives: &[&HUMAN],
};

impl Lowering<'_> {
    pub(super) fn overdue(&mut self, step: &Fields<'_>, kind: &str) -> Option<Overdue> {
        let (node, key) = (step.get("overdue")?, step.key("overdue")?);
        if step.key("due").is_none() {
            self.report(
                Diagnostic::new(
                    Code::MissingKey,
                    key,
                    Wording::new(
                        "写了 `overdue` 却没有 `due`，所以永远不会逾期。请加上 `due`",
                        "`overdue` without `due` never happens; say with `due` until when",
                    ),
                )
                .hint(Wording::new("due: 2 working days", "due: 2 working days")),
            );
        }
        let human = matches!(kind, "approve" | "task");
        let fields = self.fields(node, if human { &HUMAN } else { &OTHER }, key)?;
        let every = fields.get("every").and_then(|node| self.feel(node, "every"));
        let notify = fields.get("notify").map(|node| self.feels(node, "notify")).unwrap_or_default();
        if let (Some(every), None) = (fields.key("every"), fields.key("notify")) {
            self.report(Diagnostic::new(
                Code::MissingKey,
                every,
                Wording::new(
                    "`every` 是隔多久再通知一次，要和 `notify` 一起写",
                    "`every` says how often `notify` is repeated; write it beside a `notify`",
                ),
            ));
        }
        let then = self.then(&fields);
        // Another key is told already.
        if matches!(&node.kind, NodeKind::Mapping(entries) if entries.is_empty()) {
            self.report(
                missing_value(key, "overdue")
                    .hint(Wording::new("overdue: { notify: applicant }", "overdue: { notify: applicant }")),
            );
        }
        Some(Overdue { key, notify, every, then })
    }

    fn then(&mut self, fields: &Fields<'_>) -> Option<Then> {
        let written: Vec<(&str, Span)> =
            ["reassign", "decide", "go"].into_iter().filter_map(|key| Some((key, fields.key(key)?))).collect();
        if let [(first, there), (second, here), ..] = written.as_slice() {
            self.report(
                Diagnostic::new(
                    Code::MisplacedKey,
                    *here,
                    Wording::new(
                        format!("`{first}` 和 `{second}` 只写一个"),
                        format!("write either `{first}` or `{second}`, not both"),
                    ),
                )
                .context(*there, Wording::new(format!("`{first}` 在这里"), format!("`{first}` is here"))),
            );
        }
        let (key, _) = written.first()?;
        let node: &Node = fields.get(key)?;
        match *key {
            "reassign" => Some(Then::Reassign(self.feels(node, "reassign"))),
            "decide" => self.name(node, NameRule::Word).map(Then::Decide),
            _ => self.target(node).map(Then::Go),
        }
    }
}
