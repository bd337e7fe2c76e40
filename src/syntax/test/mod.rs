//! The test document: one case of a process, what is done to it, and what must come of it.
//!
//! A `*.test.yaml` holds several tests, separated by `---`. What is done are the shell's verbs, one an entry of
//! `do`; steps are named by path: `keeper`, in a row `guests/2/invite`, in a called process `hire/interview`.

pub(super) mod deed;
pub(super) mod expect;

use self::deed::{BESIDE, Deed, Verb};
use self::expect::{EXPECT, Expect};
use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::text::Wording;
use crate::syntax::calendar::Calendar;
use crate::syntax::data::{Given, given};
use crate::syntax::directory::Directory;
use crate::syntax::fields::{Fields, GROUP, Lowering, Place, WORDS, missing_value};
use crate::syntax::node::{Entry, Node, NodeKind};
use crate::syntax::scalar::NameRule;

/// A test as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// What it shows, in words; `None` if that could not be read, which is reported.
    pub title: Option<Spanned<String>>,
    /// The key `test`.
    pub key_span: Span,
    /// The process.
    pub process: Option<Spanned<String>>,
    /// When it begins.
    pub now: Option<Spanned<String>>,
    /// People of its own, instead of the folder's.
    pub directory: Option<Directory>,
    /// Whether these could be read whole; `None` where it has none.
    pub people_read: Option<bool>,
    /// A calendar of its own, instead of the folder's.
    pub calendar: Option<Calendar>,
    /// How the case begins.
    pub start: Option<Start>,
    /// What is done and expected, in order.
    pub acts: Vec<Act>,
}

/// How a case begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Where it is written.
    pub span: Span,
    /// Who starts it.
    pub by: Option<Spanned<String>>,
    /// The start form.
    pub data: Option<Given>,
    /// Whether all of it could be read, so that what is not there is missing.
    pub whole: bool,
}

/// One entry of `do`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Somebody does something.
    Do(Deed),
    /// It must be refused.
    Refuse {
        /// The key `refuse`.
        key: Span,
        /// What is tried.
        deed: Deed,
        /// What the refusal must say.
        why: Option<Spanned<String>>,
    },
    /// Time passes: a duration, or up to a moment.
    Advance(Spanned<String>),
    /// What must be so now.
    Expect(Box<Expect>),
}

pub(crate) static TEST: Place = Place {
    name: ("测试的顶层", "the top level of a test"),
    keys: &["test", "process", "now", "directory", "calendar", "start", "do"],
    later: &[],
    relatives: &[&START, &EXPECT],
};
pub(crate) static START: Place =
    Place {
        name: ("测试的 `start`", "the `start` of a test"), keys: &["by", "data"], later: &[], relatives: &[&TEST]
    };

impl Lowering<'_> {
    /// A document whose kind is `test`.
    pub(crate) fn test(&mut self, root: &Node, key_span: Span) -> Option<Test> {
        let fields = self.fields(root, &TEST, key_span)?;
        let own = |key| fields.get(key).map(|node| (node, fields.key(key).unwrap_or(node.span)));
        let before = self.diagnostics.len();
        let directory = own("directory").and_then(|(node, at)| self.directory(node, at));
        let read = self.diagnostics.len() == before && directory.is_some();
        let people_read = fields
            .key("directory")
            .map(|key| read && fields.get("directory").is_some_and(|node| self.is_whole(key, node)));
        let start = fields.required(self, "start");
        Some(Test {
            title: fields.get("test").and_then(|node| self.words(node)),
            key_span,
            process: fields.required(self, "process").and_then(|node| self.name(node, NameRule::Document)),
            now: fields.required(self, "now").and_then(|node| self.words(node)),
            directory,
            people_read,
            calendar: own("calendar").and_then(|(node, at)| self.calendar(node, at)),
            start: start.and_then(|node| self.start(node, fields.key("start").unwrap_or(node.span))),
            acts: fields.required(self, "do").map(|node| self.acts(node)).unwrap_or_default(),
        })
    }

    fn start(&mut self, node: &Node, key: Span) -> Option<Start> {
        let span = self.first_line(node.span);
        let fields = self.fields(node, &START, span)?;
        let by = fields.required(self, "by").and_then(|node| self.name(node, NameRule::Word));
        Some(Start { span, by, data: self.given(&fields, "data"), whole: self.is_whole(key, node) })
    }

    fn acts(&mut self, node: &Node) -> Vec<Act> {
        let Some(items) = self.items(node) else { return Vec::new() };
        items.iter().flat_map(|item| self.act(item)).collect()
    }

    /// An entry of `do`: what it does, or each of the things that it does at once, which is told.
    fn act(&mut self, node: &Node) -> Vec<Act> {
        if self.entries(node, GROUP).is_none() {
            return Vec::new();
        }
        let node = self.spelled(node, BESIDE);
        let NodeKind::Mapping(entries) = &node.kind else { return Vec::new() };
        let (alone, rest): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| entry.key.text().is_some_and(|key| BESIDE.contains(&key)));
        let Some(first) = alone.first() else { return self.done(&node).into_iter().collect() };
        if let Some(other) = entries.iter().find(|other| other.key.span != first.key.span) {
            self.several(&first.key, &other.key);
        }
        let mut found: Vec<Act> = alone.into_iter().filter_map(|entry| self.alone(entry)).collect();
        if rest.iter().any(|entry| entry.key.text().is_some_and(deed::is_verb)) {
            let rest = Node { kind: NodeKind::Mapping(rest.into_iter().cloned().collect()), ..node.into_owned() };
            found.extend(self.done(&rest));
        }
        found
    }

    /// `expect`, `refuse` or `advance`.
    fn alone(&mut self, entry: &Entry) -> Option<Act> {
        let (key, value) = (entry.key.text()?, &entry.value);
        if value.is_empty() {
            self.report(missing_value(entry.key.span, key));
            return None;
        }
        match key {
            "expect" => self.expect(value, entry.key.span).map(|found| Act::Expect(Box::new(found))),
            "advance" => self.words(value).map(Act::Advance),
            _ => {
                let value = self.spelled(value, &[]);
                let (deed, why) = self.deed(&value)?;
                Some(Act::Refuse { key: entry.key.span, deed, why })
            }
        }
    }

    /// What somebody does, and is not refused.
    fn done(&mut self, node: &Node) -> Option<Act> {
        let (deed, why) = self.deed(node)?;
        if deed.verb == Verb::Start {
            self.report(Diagnostic::new(
                Code::MisplacedKey,
                deed.key,
                Wording::new(
                    "一个测试只发起一个案例，写在顶层的 `start`；这里只能写在 `refuse` 里",
                    "a test starts one case, by the `start` at its top; here it can only stand in `refuse`",
                ),
            ));
        } else if let Some(why) = why {
            self.report(Diagnostic::new(
                Code::MisplacedKey,
                why.span,
                Wording::new(
                    "`why` 说的是为什么被拒绝，只写在 `refuse` 里",
                    "`why` is what a refusal says; it belongs into `refuse`",
                ),
            ));
        }
        Some(Act::Do(deed))
    }

    fn several(&mut self, one: &Node, other: &Node) {
        let (one_word, other_word) = (one.text().unwrap_or(""), other.text().unwrap_or(""));
        self.report(
            Diagnostic::new(
                Code::MisplacedKey,
                other.span,
                Wording::new(
                    format!("`do` 的每一项只做一件事：`{one_word}` 和 `{other_word}` 要分成两项"),
                    format!("an entry of `do` does one thing: make two of `{one_word}` and `{other_word}`"),
                ),
            )
            .context(one.span, Wording::new("另一件", "the other one")),
        );
    }

    /// The way to a step: `guests/2/invite`.
    fn path(&mut self, node: &Node) -> Option<Spanned<String>> {
        let Some(text) = node.text() else {
            self.wrong_shape(node, WORDS);
            return None;
        };
        let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
        if text.split('/').all(part) {
            return Some(Spanned::new(text.to_owned(), node.span));
        }
        self.report(Diagnostic::new(
            Code::BadName,
            node.span,
            Wording::new(
                format!("`{text}` 不是步骤的路径。写步骤的 `id`；在行里写 `guests/2/invite`，在调用的流程里写 `hire/interview`"),
                format!(
                    "`{text}` is no way to a step; write its `id`, in a row `guests/2/invite`, in a called process `hire/interview`"
                ),
            ),
        ));
        None
    }

    fn given(&mut self, fields: &Fields<'_>, key: &str) -> Option<Given> {
        let node = fields.get(key)?;
        // What has no names is told, and is there all the same.
        self.entries(node, GROUP);
        Some(given(node))
    }
}
