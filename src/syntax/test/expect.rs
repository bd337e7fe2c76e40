//! What must be so in the middle of a test or at its end: tasks, people, mails, data, outcomes. What is not written is
//! not looked at.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::text::Wording;
use crate::syntax::data::Given;
use crate::syntax::fields::{Fields, GROUP, Lowering, Place, missing_value};
use crate::syntax::node::{Entry, Node, NodeKind};
use crate::syntax::scalar::NameRule;

/// What must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// The key `expect`.
    pub key: Span,
    /// The called case that is looked at; the first where `None`.
    pub case: Option<Spanned<String>>,
    /// Steps at which somebody is asked.
    pub tasks: Vec<Spanned<String>>,
    /// Exactly who is asked there.
    pub people: Option<Spanned<Vec<Spanned<String>>>>,
    /// Until when.
    pub due: Option<Spanned<String>>,
    /// Steps at which nobody is asked.
    pub no_tasks: Vec<Spanned<String>>,
    /// Mails of the last act.
    pub mails: Vec<MailLike>,
    /// Mails that the last act did not send.
    pub no_mails: Vec<MailLike>,
    /// Fields.
    pub data: Option<Given>,
    /// How the case ended.
    pub ended: Option<Spanned<String>>,
    /// How steps went; `None` where that could not be read, which is reported.
    pub outcomes: Vec<(Spanned<String>, Option<Spanned<String>>)>,
    /// Exactly where the case stands.
    pub at: Option<Spanned<Vec<Spanned<String>>>>,
    /// The column of the board.
    pub stage: Option<Spanned<String>>,
    /// The step at which the case stopped for an operator.
    pub incident: Option<Spanned<String>>,
}

/// What a mail is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailLike {
    /// Where it is written.
    pub span: Span,
    /// To whom; each of them.
    pub to: Vec<Spanned<String>>,
    /// What for.
    pub kind: Option<Spanned<String>>,
    /// What its subject holds.
    pub subject: Vec<Spanned<String>>,
    /// What its text holds.
    pub body: Vec<Spanned<String>>,
}

/// What mails are for, as tests name it.
pub const MAIL_KINDS: &[&str] =
    &["assigned", "revise", "reminder", "overdue", "link", "decided", "ended", "notice", "acted_for", "handed_over"];

pub(crate) static EXPECT: Place = Place {
    name: ("测试的 `expect`", "what a test expects"),
    keys: &[
        "task", "for", "due", "no task", "mail", "no mail", "data", "ended", "outcome", "at", "stage", "incident",
        "case",
    ],
    later: &[],
    relatives: &[&MAIL],
};
pub(crate) static MAIL: Place = Place {
    name: ("测试里的 `mail`", "a mail of a test"),
    keys: &["to", "kind", "subject", "body"],
    later: &[],
    relatives: &[],
};

impl Lowering<'_> {
    pub(super) fn expect(&mut self, node: &Node, key: Span) -> Option<Expect> {
        let fields = self.fields(node, &EXPECT, key)?;
        let tasks = self.paths(&fields, "task");
        if let (Some(at), true) = (fields.key("for").or(fields.key("due")), tasks.len() != 1) {
            self.report(Diagnostic::new(
                Code::MissingKey,
                at,
                Wording::new(
                    "`for` 和 `due` 说的是一个待办，旁边要写 `task: 步骤`",
                    "`for` and `due` are about one task; write `task: STEP` beside them",
                ),
            ));
        }
        Some(Expect {
            key,
            case: fields.get("case").and_then(|node| self.path(node)),
            tasks,
            people: self.listed(&fields, "for", |lowering, node| lowering.name(node, NameRule::Word)),
            due: fields.get("due").and_then(|node| self.words(node)),
            no_tasks: self.paths(&fields, "no task"),
            mails: self.mails(&fields, "mail"),
            no_mails: self.mails(&fields, "no mail"),
            data: self.given(&fields, "data"),
            ended: fields.get("ended").and_then(|node| self.name(node, NameRule::Word)),
            outcomes: fields.get("outcome").map(|node| self.outcomes(node)).unwrap_or_default(),
            at: self.listed(&fields, "at", Self::path),
            stage: fields.get("stage").and_then(|node| self.name(node, NameRule::Word)),
            incident: fields.get("incident").and_then(|node| self.path(node)),
        })
    }

    fn outcomes(&mut self, node: &Node) -> Vec<(Spanned<String>, Option<Spanned<String>>)> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let pair = |entry: &Entry| {
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, entry.key.text().unwrap_or("")));
                return Some((self.path(&entry.key)?, None));
            }
            let outcome = self.name(&entry.value, NameRule::Word);
            Some((self.path(&entry.key)?, outcome))
        };
        entries.iter().filter_map(pair).collect()
    }

    fn mails(&mut self, fields: &Fields<'_>, key: &str) -> Vec<MailLike> {
        let Some(node) = fields.get(key) else { return Vec::new() };
        match &node.kind {
            NodeKind::Sequence(items) => items.iter().filter_map(|item| self.mail(item)).collect(),
            // `no mail: true`, and `mail: true` for any at all.
            NodeKind::Scalar { text, .. } if text == "true" => {
                let at = fields.key(key).unwrap_or(node.span);
                let any = Vec::new;
                vec![MailLike { span: at, to: any(), kind: None, subject: any(), body: any() }]
            }
            _ => self.mail(node).into_iter().collect(),
        }
    }

    fn mail(&mut self, node: &Node) -> Option<MailLike> {
        let span = self.first_line(node.span);
        let fields = self.fields(node, &MAIL, span)?;
        let kinds: Vec<(&str, &str)> = MAIL_KINDS.iter().map(|kind| (*kind, *kind)).collect();
        let kind = fields.get("kind").and_then(|node| self.one_of(node, &kinds));
        let words = |lowering: &mut Self, key| {
            lowering.listed(&fields, key, Self::words).map(|list| list.value).unwrap_or_default()
        };
        let (subject, body) = (words(self, "subject"), words(self, "body"));
        let to = self.listed(&fields, "to", |lowering, node| lowering.name(node, NameRule::Word));
        let to = to.map(|list| list.value).unwrap_or_default();
        Some(MailLike { span, to, kind: kind.map(|kind| kind.map(str::to_owned)), subject, body })
    }

    /// One or a list, as a list.
    fn listed<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        read: impl Fn(&mut Self, &Node) -> Option<Spanned<T>>,
    ) -> Option<Spanned<Vec<Spanned<T>>>> {
        let node = fields.get(key)?;
        let items = match &node.kind {
            NodeKind::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let span = self.first_line(node.span);
        Some(Spanned::new(items.iter().filter_map(|item| read(self, item)).collect(), span))
    }

    fn paths(&mut self, fields: &Fields<'_>, key: &str) -> Vec<Spanned<String>> {
        self.listed(fields, key, Self::path).map(|list| list.value).unwrap_or_default()
    }
}
