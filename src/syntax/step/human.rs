//! What a step says of the people that it waits for: who, how many of them, what they may do, what they see.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::text::Wording;
use crate::syntax::feel::{self, FeelText};
use crate::syntax::fields::{Fields, GROUP, Lowering, missing_value, unsupported_value, wrong_shape};
use crate::syntax::node::{Node, NodeKind};
use crate::syntax::scalar::NameRule;

/// The people of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The whole value.
    pub span: Span,
    /// Each entry is one signature.
    pub entries: Vec<FeelText>,
    /// How several signatures count; `None` if not written.
    pub mode: Option<Spanned<Mode>>,
}

/// How several signatures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The first answer counts (或签).
    Any,
    /// Everybody must agree (会签).
    All,
}

/// What deciders can do beside deciding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Send back to the applicant (退回).
    Return,
}

/// Which fields deciders see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All of them.
    Everything,
    /// Only these.
    Only(Vec<Spanned<String>>),
    /// All but these.
    Except(Vec<Spanned<String>>),
}

impl Lowering<'_> {
    pub(super) fn who(&mut self, node: &Node, key: &str, fields: &Fields<'_>) -> Who {
        let entries = self.feels(node, key);
        let several = entries.len() > 1 || matches!(&node.kind, NodeKind::Sequence(items) if items.len() > 1);
        if matches!(&node.kind, NodeKind::Sequence(items) if items.is_empty()) {
            self.report(missing_value(node.span, key));
        }
        let mode = fields.get("mode").and_then(|node| self.mode(node));
        if several && fields.key("mode").is_none() {
            self.report(
                Diagnostic::new(
                    Code::MissingKey,
                    self.first_line(node.span),
                    Wording::new(
                        "有几个签字人时要写 `mode`：`any` 任一人即可（或签），`all` 全部同意（会签）",
                        "several signers need a `mode`: `any` if one answer is enough, `all` if everybody must agree",
                    ),
                )
                .hint(Wording::new("mode: all", "mode: all")),
            );
        }
        Who { span: node.span, entries, mode }
    }

    pub(super) fn mode(&mut self, node: &Node) -> Option<Spanned<Mode>> {
        let words = node.text().unwrap_or("");
        if words == "in order" || words.starts_with("quorum") {
            self.report(unsupported_value(node.span, "mode", words));
            return None;
        }
        self.one_of(node, &[("any", Mode::Any), ("all", Mode::All)])
    }

    pub(super) fn allow(&mut self, node: &Node) -> Option<Vec<Spanned<Allow>>> {
        let items = self.items(node)?;
        let words = [
            ("return", Some(Allow::Return)),
            ("transfer", None),
            ("delegate", None),
            ("add signer", None),
            ("ask", None),
        ];
        let mut found = Vec::new();
        for item in items {
            match self.one_of(item, &words) {
                Some(Spanned { value: Some(allow), span }) => found.push(Spanned::new(allow, span)),
                Some(_) => self.report(unsupported_value(item.span, "allow", item.text().unwrap_or(""))),
                None => {}
            }
        }
        Some(found)
    }

    pub(super) fn copy(&mut self, node: &Node) -> Vec<(Spanned<String>, Vec<FeelText>)> {
        if let Some(who) = node.text().filter(|who| feel::is_word(who)) {
            let example = format!("copy: {{ approved: {who} }}");
            let hint = Wording::new(example.clone(), example);
            self.report(wrong_shape(node.span, GROUP, "文字", "text").hint(hint));
            return Vec::new();
        }
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, entry.key.text().unwrap_or("copy")));
            } else if let Some(outcome) = self.name(&entry.key, NameRule::Word) {
                found.push((outcome, self.feels(&entry.value, "copy")));
            }
        }
        found
    }

    /// The outcomes that need an opinion. Other tools say only whether one is asked.
    pub(super) fn opinion(&mut self, node: &Node, kind: &str) -> Option<Vec<Spanned<String>>> {
        if let Some("required" | "true" | "always" | "yes" | "mandatory" | "必填" | "是") = node.text() {
            let example = match kind {
                "approve" => "opinion: [approved, rejected]",
                _ => "opinion: [done]",
            };
            self.report(
                Diagnostic::new(
                    Code::WrongShape,
                    node.span,
                    Wording::new(
                        "`opinion` 列出哪些结果必须写意见",
                        "`opinion` lists the outcomes that need an opinion",
                    ),
                )
                .hint(Wording::new(example, example)),
            );
            return None;
        }
        self.names(node)
    }

    pub(super) fn shown(&mut self, fields: &Fields<'_>) -> Shown {
        if let (Some(show), Some(hide)) = (fields.key("show"), fields.key("hide")) {
            self.report(
                Diagnostic::new(
                    Code::MisplacedKey,
                    hide,
                    Wording::new("`show` 和 `hide` 只写一个", "write either `show` or `hide`, not both"),
                )
                .context(show, Wording::new("`show` 在这里", "`show` is here")),
            );
        }
        if let Some(names) = fields.get("show").and_then(|node| self.names_by(node, NameRule::Path)) {
            return Shown::Only(names);
        }
        fields.get("hide").and_then(|node| self.names_by(node, NameRule::Path)).map_or(Shown::Everything, Shown::Except)
    }
}
