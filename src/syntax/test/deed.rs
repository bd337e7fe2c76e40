//! What is done in a test: the shell's verbs, each with the keys that it takes.
//!
//! A new verb is a row of `VERBS` with its keys, and a case of [`Verb`].

use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list, suggest};
use crate::model::text::Wording;
use crate::syntax::data::{Given, given};
use crate::syntax::fields::{GROUP, Lowering, Place};
use crate::syntax::node::{Entry, Node, NodeKind};
use crate::syntax::scalar::NameRule;
use crate::syntax::test::Start;
use std::borrow::Cow;

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The verb.
    pub verb: Verb,
    /// The key of the verb.
    pub key: Span,
    /// What stands after the verb: a path, a reason, the name of a message. As everything here `None` where it could not
    /// be read, which is reported.
    pub what: Option<Spanned<String>>,
    /// Who does it.
    pub by: Option<Spanned<String>>,
    /// Whether it is not written who does it, nor left out of what could not be read.
    pub unsigned: bool,
    /// Whether there is no answer, likewise.
    pub unanswered: bool,
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
    /// A word that means nothing, which is reported.
    Unknown,
}

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

/// What can stand in the place of a verb in `do`, beside all but `start`.
pub(crate) const BESIDE: &[&str] = &["advance", "expect", "refuse"];

/// Whether a word says what is done.
pub(super) fn is_verb(word: &str) -> bool {
    row(word).is_some()
}

fn row(word: &str) -> Option<&'static (&'static str, Verb, &'static Place)> {
    VERBS.iter().find(|(verb, ..)| *verb == word)
}

impl Lowering<'_> {
    /// An entry with the word that says what is done, a verb or one of those beside, where it is misspelt: told, and read
    /// as it is meant.
    pub(super) fn spelled<'n>(&mut self, node: &'n Node, beside: &[&'static str]) -> Cow<'n, Node> {
        let NodeKind::Mapping(entries) = &node.kind else { return Cow::Borrowed(node) };
        let does = |entry: &Entry| entry.key.text().is_some_and(|key| is_verb(key) || beside.contains(&key));
        if entries.iter().any(does) {
            return Cow::Borrowed(node);
        }
        let first = entries.first();
        let meant = self.no_verb(first.map(|entry| &entry.key), node.span, beside);
        meant.map_or(Cow::Borrowed(node), |meant| Cow::Owned(node.begun(meant)))
    }

    /// A verb with its keys, and the `why` beside it.
    pub(super) fn deed(&mut self, node: &Node) -> Option<(Deed, Option<Spanned<String>>)> {
        let entries = self.entries(node, GROUP)?;
        let found = entries.iter().find_map(|entry| Some((entry, row(entry.key.text()?)?)));
        let Some((entry, (_, verb, place))) = found else { return self.unknown_deed(entries) };
        let fields = self.fields(node, place, self.first_line(node.span))?;
        let key = entry.key.span;
        let why = fields.get("why").and_then(|node| self.words(node));
        let value = Some(&entry.value).filter(|value| !value.is_empty());
        let signs =
            !matches!(verb, Verb::Complete | Verb::Cancel | Verb::Handover | Verb::Message | Verb::Answer | Verb::Fail);
        let by = if signs && *verb != Verb::Start { fields.required(self, "by") } else { fields.get("by") };
        let to = if *verb == Verb::Handover { fields.required(self, "to") } else { None };
        let status = fields.get("status").and_then(|node| self.status(node));
        let data = if *verb == Verb::Answer { "body" } else { "data" };
        let whole = self.is_whole(node.span, node);
        let deed = Deed {
            what: value.and_then(|value| match verb {
                Verb::Start => None,
                Verb::Withdraw | Verb::Cancel => self.words(value),
                _ => self.path(value),
            }),
            by: by.and_then(|node| self.name(node, NameRule::Word)),
            unsigned: fields.key("by").is_none() && whole,
            unanswered: fields.key("outcome").is_none() && whole,
            to: to.and_then(|node| self.name(node, NameRule::Word)),
            outcome: fields.get("outcome").and_then(|node| self.name(node, NameRule::Word)),
            opinion: fields.get("opinion").and_then(|node| self.words(node)),
            data: self.given(&fields, data),
            correlation: fields.get("key").and_then(|node| self.words(node)),
            status,
            case: fields.get("case").and_then(|node| self.path(node)),
            start: value.filter(|_| *verb == Verb::Start).and_then(|value| self.start(value, key)),
            ..Deed::new(*verb, key)
        };
        Some((deed, why))
    }

    /// What is done by a word that means nothing: who does it, where and with what is looked at all the same.
    fn unknown_deed(&mut self, entries: &[Entry]) -> Option<(Deed, Option<Spanned<String>>)> {
        let first = entries.first()?;
        let value = |key: &str| entries.iter().find(|entry| entry.key.text() == Some(key)).map(|entry| &entry.value);
        let value = |key: &str| value(key).filter(|value| !value.is_empty());
        let data = value("data").filter(|node| self.entries(node, GROUP).is_some());
        let deed = Deed {
            what: first.value.text().map(|text| Spanned::new(text.to_owned(), first.value.span)),
            by: value("by").and_then(|node| self.name(node, NameRule::Word)),
            outcome: value("outcome").and_then(|node| self.name(node, NameRule::Word)),
            data: data.map(given),
            ..Deed::new(Verb::Unknown, first.key.span)
        };
        Some((deed, None))
    }

    /// Tells of an entry that does not say what is done, and answers the word that was meant, if one is like it.
    fn no_verb(&mut self, first: Option<&Node>, span: Span, beside: &[&'static str]) -> Option<&'static str> {
        let starts = beside.is_empty();
        let known = || VERBS.iter().map(|(word, ..)| *word).filter(|word| starts || *word != "start");
        let words = || known().chain(beside.iter().copied());
        let word = first.and_then(Node::text).unwrap_or("");
        let at = first.map_or(span, |key| key.span);
        let listed = quoted_list(words());
        let close = suggest::closest(word, words());
        let diagnostic = match close {
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
        close
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
}

impl Deed {
    fn new(verb: Verb, key: Span) -> Deed {
        Deed {
            verb,
            key,
            what: None,
            by: None,
            unsigned: false,
            unanswered: false,
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
