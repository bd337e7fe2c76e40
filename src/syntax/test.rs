//! The test document: one case of a process, what is done to it, and what must come of it.
//!
//! A `*.test.yaml` holds several tests, separated by `---`. What is done are the shell's verbs, one an entry of
//! `do`; steps are named by path: `keeper`, in a row `guests/2/invite`, in a called process `hire/interview`.

use super::data::{Given, given};
use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list, suggest};
use crate::model::text::Wording;
use crate::syntax::fields::{Fields, GROUP, Lowering, NameRule, Place, WORDS, missing_value};
use crate::syntax::node::{Node, NodeKind};
use crate::syntax::reference::{Calendar, Directory};

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

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The verb.
    pub verb: Verb,
    /// The key of the verb.
    pub key: Span,
    /// What stands after the verb: a path, a reason, the name of a message.
    pub what: Spanned<String>,
    /// Who does it.
    pub by: Option<Spanned<String>>,
    /// Who takes over.
    pub to: Option<Spanned<String>>,
    /// The answer, where a task has several.
    pub outcome: Option<Spanned<String>>,
    /// Why, in their words.
    pub opinion: Option<Spanned<String>>,
    /// Fields, the payload of a message, the body of a response.
    pub data: Option<Given>,
    /// The key of a message.
    pub correlation: Option<Spanned<String>>,
    /// The status of a response.
    pub status: Option<Spanned<u16>>,
    /// The called case that it is done to; the first where `None`.
    pub case: Option<Spanned<String>>,
    /// Of `start`.
    pub start: Option<Start>,
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `approve`
    Approve,
    /// `reject`
    Reject,
    /// `return`
    Return,
    /// `complete`: a task by a person, or a job by its worker.
    Complete,
    /// `revise`
    Revise,
    /// `withdraw`
    Withdraw,
    /// `cancel`
    Cancel,
    /// `handover`: all that is one person's becomes another's.
    Handover,
    /// `message`: it comes from outside.
    Message,
    /// `answer`: what an `http` step gets back.
    Answer,
    /// `fail`: an `http` step or a job.
    Fail,
    /// `start`: one more case; only to be refused.
    Start,
}

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
    /// How steps went.
    pub outcomes: Vec<(Spanned<String>, Spanned<String>)>,
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

macro_rules! deed_places {
    ($($place:ident $word:literal [$($key:literal),*];)*) => {
        $(static $place: Place = Place {
            name: (concat!("`", $word, "`"), concat!("`", $word, "`")),
            keys: &[$word, $($key),*],
            later: &[],
            relatives: &[],
        };)*
    };
}

deed_places! {
    APPROVE "approve" ["by", "opinion", "data", "why"];
    REJECT "reject" ["by", "opinion", "why"];
    RETURN "return" ["by", "opinion", "why"];
    COMPLETE "complete" ["by", "outcome", "opinion", "data", "why"];
    REVISE "revise" ["by", "data", "opinion", "why"];
    WITHDRAW "withdraw" ["by", "case", "why"];
    CANCEL "cancel" ["case", "why"];
    HANDOVER "handover" ["to", "why"];
    MESSAGE "message" ["key", "data", "why"];
    ANSWER "answer" ["status", "body", "why"];
    FAIL "fail" ["opinion", "why"];
    START_AGAIN "start" ["why"];
}

const VERBS: &[(&str, Verb, &Place)] = &[
    ("approve", Verb::Approve, &APPROVE),
    ("reject", Verb::Reject, &REJECT),
    ("return", Verb::Return, &RETURN),
    ("complete", Verb::Complete, &COMPLETE),
    ("revise", Verb::Revise, &REVISE),
    ("withdraw", Verb::Withdraw, &WITHDRAW),
    ("cancel", Verb::Cancel, &CANCEL),
    ("handover", Verb::Handover, &HANDOVER),
    ("message", Verb::Message, &MESSAGE),
    ("answer", Verb::Answer, &ANSWER),
    ("fail", Verb::Fail, &FAIL),
    ("start", Verb::Start, &START_AGAIN),
];

/// What can be done in a test, each with its keys.
pub(crate) fn verbs() -> impl Iterator<Item = (&'static str, &'static Place)> {
    VERBS.iter().map(|(word, _, place)| (*word, *place))
}

impl Lowering<'_> {
    /// A document whose kind is `test`.
    pub(crate) fn test(&mut self, root: &Node, key_span: Span) -> Option<Test> {
        let fields = self.fields(root, &TEST, key_span)?;
        let own = |key| fields.get(key).map(|node| (node, fields.key(key).unwrap_or(node.span)));
        Some(Test {
            title: fields.get("test").and_then(|node| self.words(node)),
            key_span,
            process: fields.required(self, "process").and_then(|node| self.name(node, NameRule::Document)),
            now: fields.required(self, "now").and_then(|node| self.words(node)),
            directory: own("directory").and_then(|(node, at)| self.directory(node, at)),
            calendar: own("calendar").and_then(|(node, at)| self.calendar(node, at)),
            start: fields.required(self, "start").and_then(|node| self.start(node)),
            acts: fields.required(self, "do").map(|node| self.acts(node)).unwrap_or_default(),
        })
    }

    fn start(&mut self, node: &Node) -> Option<Start> {
        let span = self.first_line(node.span);
        let fields = self.fields(node, &START, span)?;
        let by = fields.required(self, "by").and_then(|node| self.name(node, NameRule::Word));
        Some(Start { span, by, data: self.given(&fields, "data") })
    }

    fn acts(&mut self, node: &Node) -> Vec<Act> {
        let Some(items) = self.items(node) else { return Vec::new() };
        items.iter().filter_map(|item| self.act(item)).collect()
    }

    fn act(&mut self, node: &Node) -> Option<Act> {
        let entries = self.entries(node, GROUP)?;
        for entry in entries {
            let (key, value) = (entry.key.text().unwrap_or(""), &entry.value);
            let alone = matches!(key, "expect" | "refuse" | "advance");
            if alone && value.is_empty() {
                self.report(missing_value(entry.key.span, key));
                return None;
            }
            if let (true, Some(other)) = (alone, entries.iter().find(|other| other.key.span != entry.key.span)) {
                self.several(&entry.key, &other.key);
                return None;
            }
            match key {
                "expect" => return self.expect(value, entry.key.span).map(|found| Act::Expect(Box::new(found))),
                "advance" => return self.words(value).map(Act::Advance),
                "refuse" => {
                    let (deed, why) = self.deed(value)?;
                    if deed.is_some() {
                        return deed.map(|deed| Act::Refuse { key: entry.key.span, deed, why });
                    }
                    return None;
                }
                _ => {}
            }
        }
        let (deed, why) = self.deed(node)?;
        let deed = deed?;
        if deed.verb == Verb::Start {
            self.report(Diagnostic::new(
                Code::MisplacedKey,
                deed.key,
                Wording::new(
                    "一个测试只发起一个案例，写在顶层的 `start`；这里只能写在 `refuse` 里",
                    "a test starts one case, by the `start` at its top; here it can only stand in `refuse`",
                ),
            ));
            return None;
        }
        if let Some(why) = why {
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

    /// A verb with its keys, and the `why` beside it.
    fn deed(&mut self, node: &Node) -> Option<(Option<Deed>, Option<Spanned<String>>)> {
        let entries = self.entries(node, GROUP)?;
        let verb_of = |word: &str| VERBS.iter().find(|(verb, ..)| *verb == word);
        let Some((entry, (word, verb, place))) =
            entries.iter().find_map(|entry| Some((entry, verb_of(entry.key.text().unwrap_or(""))?)))
        else {
            self.no_verb(entries.first().map(|entry| &entry.key), node.span);
            return None;
        };
        let fields = self.fields(node, place, self.first_line(node.span))?;
        let why = fields.get("why").and_then(|node| self.words(node));
        let key = entry.key.span;
        if entry.value.is_empty() {
            return None;
        }
        if *verb == Verb::Start {
            let start = self.start(&entry.value)?;
            let what = Spanned::new((*word).to_owned(), key);
            return Some((Some(Deed { start: Some(start), ..Deed::new(*verb, key, what) }), why));
        }
        let what = match verb {
            Verb::Withdraw | Verb::Cancel => self.words(&entry.value),
            _ => self.path(&entry.value),
        }?;
        let needs_person =
            !matches!(verb, Verb::Complete | Verb::Cancel | Verb::Handover | Verb::Message | Verb::Answer | Verb::Fail);
        let by = if needs_person { fields.required(self, "by") } else { fields.get("by") };
        let to = if *verb == Verb::Handover { fields.required(self, "to") } else { None };
        let status = fields.get("status").and_then(|node| self.status(node));
        let data = if *verb == Verb::Answer { "body" } else { "data" };
        let deed = Deed {
            by: by.and_then(|node| self.name(node, NameRule::Word)),
            to: to.and_then(|node| self.name(node, NameRule::Word)),
            outcome: fields.get("outcome").and_then(|node| self.name(node, NameRule::Word)),
            opinion: fields.get("opinion").and_then(|node| self.words(node)),
            data: self.given(&fields, data),
            correlation: fields.get("key").and_then(|node| self.words(node)),
            status,
            case: fields.get("case").and_then(|node| self.path(node)),
            ..Deed::new(*verb, key, what)
        };
        Some((Some(deed), why))
    }

    fn no_verb(&mut self, first: Option<&Node>, span: Span) {
        let known = || VERBS.iter().map(|(word, ..)| *word).filter(|word| *word != "start");
        let words = || known().chain(["advance", "expect", "refuse"]);
        let word = first.and_then(Node::text).unwrap_or("");
        let at = first.map_or(span, |key| key.span);
        let listed = quoted_list(words());
        let diagnostic = match suggest::closest(word, words()) {
            Some(close) => Diagnostic::new(
                Code::UnknownKey,
                at,
                Wording::new(
                    format!("测试里没有 `{word}` 这种动作，是不是 `{close}`？"),
                    format!("a test cannot `{word}`; did you mean `{close}`?"),
                ),
            )
            .fix(at, close, Wording::new(format!("改成 `{close}`"), format!("write `{close}`"))),
            None => Diagnostic::new(
                Code::UnknownKey,
                at,
                Wording::new("这一项没有说做什么", "this entry does not say what is done"),
            )
            .hint(Wording::new(format!("可以写：{}", listed.zh), format!("it can be one of {}", listed.en))),
        };
        self.report(diagnostic);
    }

    fn expect(&mut self, node: &Node, key: Span) -> Option<Expect> {
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

    fn outcomes(&mut self, node: &Node) -> Vec<(Spanned<String>, Spanned<String>)> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let pair = |entry: &crate::syntax::node::Entry| {
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, entry.key.text().unwrap_or("")));
                return None;
            }
            Some((self.path(&entry.key)?, self.name(&entry.value, NameRule::Word)?))
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

    fn status(&mut self, node: &Node) -> Option<Spanned<u16>> {
        let words = self.words(node)?;
        let status = words.value.parse::<u16>().ok().filter(|status| (100..600).contains(status));
        if status.is_none() {
            self.report(Diagnostic::new(
                Code::BadValue,
                node.span,
                Wording::new(
                    format!("`{}` 不是 HTTP 状态码，写 200、404 这样的数", words.value),
                    format!("`{}` is no HTTP status; write a number such as 200 or 404", words.value),
                ),
            ));
        }
        Some(Spanned::new(status?, node.span))
    }

    fn given(&mut self, fields: &Fields<'_>, key: &str) -> Option<Given> {
        let node = fields.get(key)?;
        self.entries(node, GROUP)?;
        Some(given(node))
    }
}

impl Deed {
    fn new(verb: Verb, key: Span, what: Spanned<String>) -> Deed {
        Deed {
            verb,
            key,
            what,
            by: None,
            to: None,
            outcome: None,
            opinion: None,
            data: None,
            correlation: None,
            status: None,
            case: None,
            start: None,
        }
    }
}
