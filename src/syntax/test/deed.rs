//! What is done in a test: the shell's verbs, each with the keys that it takes.
//!
//! A new verb is a row of `VERBS` with its keys, and a case of [`Verb`].

use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list, suggest};
use crate::model::text::Wording;
use crate::syntax::data::Given;
use crate::syntax::fields::{GROUP, Lowering, Place};
use crate::syntax::node::Node;
use crate::syntax::scalar::NameRule;
use crate::syntax::test::Start;

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
    /// A verb with its keys, and the `why` beside it.
    pub(super) fn deed(&mut self, node: &Node) -> Option<(Option<Deed>, Option<Spanned<String>>)> {
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
