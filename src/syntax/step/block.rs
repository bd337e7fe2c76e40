//! Steps that hold lists of steps: cases, branches, the body of an `each`, what takes a step back.

use super::keys::STEP_RELATIVES;
use super::{Step, StepKind};
use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::text::Wording;
use crate::syntax::feel::{self, FeelText};
use crate::syntax::fields::{Fields, GROUP, Lowering, Place, missing_value};
use crate::syntax::node::{Entry, Node, NodeKind, ScalarForm};
use crate::syntax::scalar::NameRule;
use std::borrow::Cow;

/// One case of `choose`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The whole case.
    pub span: Span,
    /// When it is taken; `None` if that could not be read, which is reported.
    pub when: Option<FeelText>,
    /// What then happens.
    pub steps: Vec<Step>,
}

/// One branch of `parallel` or `race`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its name, which may be an outcome.
    pub name: Spanned<String>,
    /// What happens in it.
    pub steps: Vec<Step>,
}

/// When the branches of `parallel` come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// When all are done.
    All,
    /// When the first is.
    Any,
    /// When so many are.
    Count(u16),
}

/// `undo`: what takes a step back, or an end that takes everything back first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Of a step: what takes it back.
    Steps(Spanned<Vec<Step>>),
    /// Of an `end`: whether it compensates first.
    First(Spanned<bool>),
}

pub(super) static CASE: Place = Place {
    name: ("`choose` 的一个分支", "a case of `choose`"),
    keys: &["when", "steps"],
    later: &[],
    relatives: STEP_RELATIVES,
};

/// The last step of a case, where that is a `choose` that nothing is said of otherwise.
fn open_choose(case: &mut [Entry]) -> Option<&mut Vec<Entry>> {
    let steps = case.iter_mut().find(|entry| entry.key.text() == Some("steps"))?;
    let NodeKind::Sequence(items) = &mut steps.value.kind else { return None };
    let NodeKind::Mapping(step) = &mut items.last_mut()?.kind else { return None };
    let has = |key: &str| step.iter().any(|entry| entry.key.text() == Some(key));
    (has("choose") && !has("otherwise")).then_some(step)
}

/// The name that some steps most often look into (`row.price`) and that nothing in the text declares.
fn looked_into<'t>(steps: &'t str, text: &str) -> Option<&'t str> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let before = steps.match_indices('.').filter(|(at, _)| steps[at + 1..].starts_with(char::is_alphabetic));
    let names = before.map(|(at, _)| {
        let start = steps[..at].rfind(|c: char| !in_word(c) && c != '.').map_or(0, |start| start + 1);
        // A word behind a wide mark begins where that ends.
        let start = (start..=at).find(|start| steps.is_char_boundary(*start)).unwrap_or(at);
        steps[start..at].split('.').next().unwrap_or("")
    });
    let of_language = ["applicant", "instance", "steps", "assignee", "outcome", "response"];
    let declared = |name: &str| {
        let mut keys = text.match_indices(name).filter(|(at, _)| text[at + name.len()..].starts_with(':'));
        keys.any(|(at, _)| !text[..at].ends_with(in_word))
    };
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for name in names.filter(|name| feel::is_word(name) && !of_language.contains(name) && !declared(name)) {
        match counted.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => counted.push((name, 1)),
        }
    }
    counted.into_iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| name)
}

impl Lowering<'_> {
    pub(super) fn choose(&mut self, node: &Node, fields: &Fields<'_>) -> StepKind {
        let own = fields.get("otherwise");
        let mut astray = None;
        let mut cases = Vec::new();
        for item in self.groups(node).unwrap_or_default() {
            let (case, strayed) = self.without_otherwise(item, fields.key("choose").filter(|_| own.is_none()));
            cases.extend(case.and_then(|case| self.case(&case)));
            astray = astray.or(strayed);
        }
        let otherwise = own.or(astray).map(|node| Spanned::new(self.steps(node), node.span));
        StepKind::Choose { cases, otherwise }
    }

    /// A case without the `otherwise` that stands in it, which is told. It is read as that of its step, `choose`, if this
    /// has none, or else of the last step in the case. Where nothing else stands in a case, it is none.
    fn without_otherwise<'n>(
        &mut self,
        item: &'n Node,
        choose: Option<Span>,
    ) -> (Option<Cow<'n, Node>>, Option<&'n Node>) {
        let NodeKind::Mapping(entries) = &item.kind else { return (Some(Cow::Borrowed(item)), None) };
        let Some(entry) = entries.iter().find(|entry| entry.key.text() == Some("otherwise")) else {
            return (Some(Cow::Borrowed(item)), None);
        };
        let mut rest: Vec<Entry> = entries.iter().filter(|other| *other != entry).cloned().collect();
        let inner = if choose.is_none() { open_choose(&mut rest) } else { None };
        let beside = choose.or_else(|| {
            let inner = inner?;
            inner.push(entry.clone());
            inner.iter().find(|entry| entry.key.text() == Some("choose")).map(|entry| entry.key.span)
        });
        let found = Diagnostic::new(
            Code::MisplacedKey,
            entry.key.span,
            Wording::new(
                "`otherwise` 不是一个分支，它和 `choose` 并列",
                "`otherwise` is no case: it stands beside `choose`, not in its list",
            ),
        );
        self.report(match beside {
            Some(beside) => found.context(beside, Wording::new("和它对齐", "line it up with this")),
            None => found,
        });
        let case = (!rest.is_empty()).then(|| Cow::Owned(Node { kind: NodeKind::Mapping(rest), ..item.clone() }));
        (case, choose.map(|_| &entry.value))
    }

    fn case(&mut self, node: &Node) -> Option<Case> {
        let fields = self.fields(node, &CASE, self.first_line(node.span))?;
        let when = fields.required(self, "when").and_then(|node| self.feel(node, "when"));
        let steps = fields.required(self, "steps").map(|node| self.steps(node)).unwrap_or_default();
        Some(Case { span: node.span, when, steps })
    }

    pub(super) fn parallel(&mut self, node: &Node, fields: &Fields<'_>) -> StepKind {
        let branches = self.branches(node, "parallel");
        let join = fields.get("join").and_then(|node| self.join(node));
        StepKind::Parallel { branches, join }
    }

    pub(super) fn race(&mut self, node: &Node) -> StepKind {
        StepKind::Race { branches: self.branches(node, "race") }
    }

    fn branches(&mut self, node: &Node, key: &str) -> Vec<Branch> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        if entries.is_empty() {
            self.report(missing_value(node.span, key));
        }
        let mut found = Vec::new();
        for entry in entries {
            let name = self.name(&entry.key, NameRule::Word);
            if entry.value.is_empty() {
                let shown = entry.key.text().unwrap_or("");
                self.report(
                    missing_value(entry.key.span, shown)
                        .hint(Wording::new(format!("{shown}: []"), format!("{shown}: []"))),
                );
                continue;
            }
            let steps = self.steps(&entry.value);
            if let Some(name) = name {
                found.push(Branch { name, steps });
            }
        }
        found
    }

    fn join(&mut self, node: &Node) -> Option<Spanned<Join>> {
        if let Some(count) = node.text().and_then(|text| text.parse().ok()) {
            return Some(Spanned::new(Join::Count(count), node.span));
        }
        self.one_of(node, &[("all", Join::All), ("any", Join::Any)])
    }

    pub(super) fn per_row(&mut self, node: &Node, fields: &Fields<'_>) -> StepKind {
        let rows = self.rows(node, fields.key("as").is_some());
        let alias = match fields.key("as") {
            Some(_) => fields.get("as").and_then(|node| self.name(node, NameRule::Word)),
            None => Some(self.row_name(fields)),
        };
        let modes = [("at once", false), ("in order", true)];
        let in_order = fields.get("mode").and_then(|node| self.one_of(node, &modes));
        let until = fields.get("until").and_then(|node| self.feel(node, "until"));
        let into = fields.get("into").and_then(|node| self.name(node, NameRule::Word));
        let steps = fields.required(self, "steps").map(|node| self.steps(node)).unwrap_or_default();
        match (rows, alias) {
            (Some(rows), Some(alias)) => {
                let in_order = in_order.is_some_and(|in_order| in_order.value);
                StepKind::Each { rows, alias, in_order, until, into, steps }
            }
            _ => StepKind::Unknown,
        }
    }

    /// What a row of an `each` without `as` is called in its steps, as far as that shows.
    fn row_name(&mut self, fields: &Fields<'_>) -> Spanned<String> {
        let at = fields.at;
        let steps = fields
            .get("steps")
            .and_then(|steps| self.source.text.get(steps.span.start as usize..steps.span.end as usize));
        let name = steps.and_then(|steps| looked_into(steps, &self.source.text)).map(str::to_owned);
        let found = fields.missing("as");
        let found = match &name {
            Some(name) => {
                let line = format!("as: {name}");
                found.hint(Wording::new(line.clone(), line))
            }
            None => found,
        };
        self.report(found);
        Spanned::new(name.unwrap_or_else(|| "row".to_owned()), at)
    }

    /// The list of an `each`. `item in items` is how other tools write it; here the name of a row stands in `as`.
    fn rows(&mut self, node: &Node, named: bool) -> Option<FeelText> {
        let parts = node.text().and_then(|text| text.split_once(" in ")).map(|(row, list)| (row.trim(), list.trim()));
        let Some((row, list)) = parts.filter(|(row, list)| feel::is_word(row) && feel::is_word(list)) else {
            return self.feel(node, "each");
        };
        self.report(
            Diagnostic::new(
                Code::ForeignSyntax,
                node.span,
                Wording::new(
                    format!("`each` 后面只写列表 `{list}`；每一行叫什么，写在 `as` 里"),
                    format!("behind `each` stands just the list, `{list}`; what a row is called is said by `as`"),
                ),
            )
            .hint_if((!named).then(|| Wording::new(format!("as: {row}"), format!("as: {row}"))))
            .fix_word(node.span, list),
        );
        Some(FeelText::new(list, node.span, ScalarForm::Plain, ""))
    }

    /// What takes a step back: one step, or a list of them. They need no names.
    pub(super) fn undo(&mut self, node: &Node, kind: &str) -> Option<Undo> {
        if kind == "end" {
            return self.boolean(node).map(Undo::First);
        }
        let nodes: &[Node] = match &node.kind {
            NodeKind::Sequence(items) => items,
            NodeKind::Mapping(_) => std::slice::from_ref(node),
            NodeKind::Scalar { .. } | NodeKind::Broken => {
                self.report(
                    Diagnostic::new(
                        Code::WrongShape,
                        node.span,
                        Wording::new(
                            "`undo` 后面写怎么撤回这一步：一个步骤，或一个步骤列表。`undo: true` 只用于 `end`",
                            "`undo` holds what takes the step back: a step, or a list of steps; `undo: true` is for `end` only",
                        ),
                    )
                    .hint(Wording::new("undo: { task: 内勤 }", "undo: { task: clerk }")),
                );
                return None;
            }
        };
        let steps = nodes.iter().filter_map(|node| self.step(node, false)).collect();
        Some(Undo::Steps(Spanned::new(steps, node.span)))
    }
}
