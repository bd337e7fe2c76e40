//! Steps that reach outside the case: other processes, messages, other systems, workers.

use super::StepKind;
use super::keys::STEP_RELATIVES;
use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list};
use crate::model::text::Wording;
use crate::syntax::address;
use crate::syntax::feel::{self, FeelText};
use crate::syntax::fields::{Fields, GROUP, Lowering, Place, missing_value};
use crate::syntax::node::Node;
use crate::syntax::scalar::NameRule;
use crate::syntax::secret;

/// A part of an address or of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As written.
    Text(String),
    /// Computed.
    Value(FeelText),
    /// The secret of this name.
    Secret(Spanned<String>),
}

/// A field and the way to its value in what came from outside.
pub type Taken = (Spanned<String>, Spanned<Vec<String>>);

/// `http`: a call of another system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// `GET`, `POST`, …
    pub method: Spanned<String>,
    /// The address.
    pub url: Vec<Piece>,
    /// Headers, put together of pieces.
    pub headers: Vec<(Spanned<String>, Vec<Piece>)>,
    /// The entries of the body.
    pub body: Vec<(Spanned<String>, FeelText)>,
    /// What is taken from the response.
    pub take: Vec<Taken>,
    /// How it is tried again.
    pub retry: Retry,
}

/// `call`: another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub process: Spanned<String>,
    /// Its applicant.
    pub by: Option<FeelText>,
    /// Fields of its start form.
    pub with: Vec<(Spanned<String>, FeelText)>,
    /// Our fields, from its.
    pub take: Vec<(Spanned<String>, FeelText)>,
    /// Whether it is not awaited.
    pub detached: bool,
}

/// `job`: work for a program outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What workers ask for.
    pub name: Spanned<String>,
    /// What the worker gets.
    pub with: Vec<(Spanned<String>, FeelText)>,
    /// What is taken from its answer.
    pub take: Vec<Taken>,
    /// How long a worker may hold it.
    pub lease: Option<FeelText>,
    /// How it is tried again.
    pub retry: Retry,
}

/// `retry`: what is not written is as usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// How often after the first time.
    pub times: Option<u16>,
    /// How long to wait before the first repetition.
    pub from: Option<FeelText>,
    /// The longest to wait.
    pub to: Option<FeelText>,
}

pub(super) static RETRY: Place =
    Place { name: ("`retry`", "`retry`"), keys: &["times", "from", "to"], later: &[], relatives: STEP_RELATIVES };

/// Headers that the connection says, and no author.
const OF_THE_CONNECTION: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The most repetitions.
const MOST_TIMES: u16 = 100;

/// The word for what another system answered.
const RESPONSE: &str = "response";

impl Lowering<'_> {
    pub(super) fn call(&mut self, node: &Node, fields: &Fields<'_>) -> StepKind {
        let detached = fields.get("detached").and_then(|node| self.boolean(node));
        if let Some(detached) = detached.filter(|detached| detached.value) {
            for key in ["take", "on", "due", "overdue", "undo"] {
                if let Some(at) = fields.key(key) {
                    self.report(not_awaited(key, at, detached.span));
                }
            }
        }
        let Some(process) = self.name(node, NameRule::Document) else { return StepKind::Unknown };
        StepKind::Call(Call {
            process,
            by: fields.get("by").and_then(|node| self.feel(node, "by")),
            with: fields.get("with").map(|node| self.values(node)).unwrap_or_default(),
            take: fields.get("take").map(|node| self.values(node)).unwrap_or_default(),
            detached: detached.is_some_and(|detached| detached.value),
        })
    }

    pub(super) fn receive(&mut self, node: &Node, fields: &Fields<'_>) -> StepKind {
        let Some(message) = self.name(node, NameRule::Document) else { return StepKind::Unknown };
        let key = fields.get("key").and_then(|node| self.feel(node, "key"));
        let keep = fields.get("keep").and_then(|node| self.boolean(node));
        StepKind::Receive { message, key, take: self.taken(fields, None), keep }
    }

    pub(super) fn job(&mut self, node: &Node, fields: &Fields<'_>) -> StepKind {
        let Some(name) = self.name(node, NameRule::Document) else { return StepKind::Unknown };
        StepKind::Job(Job {
            name,
            with: fields.get("with").map(|node| self.values(node)).unwrap_or_default(),
            take: self.taken(fields, Some(RESPONSE)),
            lease: fields.get("lease").and_then(|node| self.feel(node, "lease")),
            retry: fields.get("retry").map(|node| self.retry(node)).unwrap_or_default(),
        })
    }

    pub(super) fn http(&mut self, node: &Node, fields: &Fields<'_>) -> StepKind {
        let headers = fields.get("headers").map(|node| self.headers(node)).unwrap_or_default();
        let body = fields.get("body").map(|node| self.body(node)).unwrap_or_default();
        let take = self.taken(fields, Some(RESPONSE));
        let retry = fields.get("retry").map(|node| self.retry(node)).unwrap_or_default();
        let Some((method, url)) = self.address(node) else { return StepKind::Unknown };
        if let (Some(body), "GET" | "HEAD") = (fields.key("body"), method.value.as_str()) {
            self.report(
                Diagnostic::new(
                    Code::MisplacedKey,
                    body,
                    Wording::new(
                        format!("`{}` 请求没有 `body`。把值写进网址，或改用 `POST`", method.value),
                        format!(
                            "a `{}` request has no `body`; write the values into the address, or use `POST`",
                            method.value
                        ),
                    ),
                )
                .context(method.span, Wording::new("请求的方式", "the method")),
            );
        }
        StepKind::Http(Http { method, url, headers, body, take, retry })
    }

    fn headers(&mut self, node: &Node) -> Vec<(Spanned<String>, Vec<Piece>)> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let shown = entry.key.text().unwrap_or("");
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, shown));
                continue;
            }
            let name = self.name(&entry.key, NameRule::Document).filter(|name| {
                let ascii = name.value.is_ascii();
                if !ascii {
                    self.report(Diagnostic::new(
                        Code::BadName,
                        name.span,
                        Wording::new(
                            format!("`{}` 不能作请求头的名称，它只能用英文字母、数字和 `-`", name.value),
                            format!(
                                "`{}` cannot name a header; headers are named with ASCII letters, digits and `-`",
                                name.value
                            ),
                        ),
                    ));
                }
                ascii
            });
            if let Some(name) = &name {
                self.diagnostics.extend(not_the_authors(name));
            }
            let value = self.feel(&entry.value, shown);
            if let Some(bare) = value.as_ref().filter(|value| is_media_type(&value.text)) {
                self.report(bare_media_type(bare));
                continue;
            }
            if let Some(value) = &value {
                self.diagnostics.extend(secret::in_value(shown, value, secret::Stands::Header));
            }
            if let (Some(name), Some(value)) = (name, value) {
                found.push((name, address::header(&value, &self.source.text)));
            }
        }
        found
    }

    /// The entries of a JSON body: any names, FEEL values.
    fn body(&mut self, node: &Node) -> Vec<(Spanned<String>, FeelText)> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let shown = entry.key.text().unwrap_or("");
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, shown));
            } else if let Some(value) = self.feel_value(&entry.value, shown) {
                self.diagnostics.extend(secret::in_value(shown, &value, secret::Stands::Body));
                found.push((Spanned::new(shown.to_owned(), entry.key.span), value));
            }
        }
        found
    }

    /// `take` from what came: the way to each value, behind the word for all of it where there is one.
    fn taken(&mut self, fields: &Fields<'_>, root: Option<&str>) -> Vec<Taken> {
        let Some(entries) = fields.get("take").and_then(|node| self.entries(node, GROUP)) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let name = self.name(&entry.key, NameRule::Word);
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, entry.key.text().unwrap_or("")));
                continue;
            }
            let Some(words) = self.words(&entry.value) else { continue };
            let mut path: Vec<String> = words.value.split('.').map(str::to_owned).collect();
            let rooted = root.is_none_or(|root| path.first().is_some_and(|first| first == root));
            // What a message says has no word for all of it.
            let borrowed = root.is_none() && path.first().is_some_and(|first| first == RESPONSE);
            if borrowed {
                self.report(no_response(&words, path.get(1..).unwrap_or_default()));
                continue;
            }
            if !rooted || !path.iter().all(|part| feel::is_word(part)) {
                self.report(no_path(&words, root));
                continue;
            }
            if root.is_some() {
                path.remove(0);
            }
            if let Some(name) = name {
                found.push((name, Spanned::new(path, words.span)));
            }
        }
        found
    }

    fn retry(&mut self, node: &Node) -> Retry {
        let times = node.text().and_then(|text| text.parse::<u16>().ok()).unwrap_or(3);
        let example = format!("retry: {{ times: {times} }}");
        let Some(fields) = self.fields_like(node, &RETRY, &example) else { return Retry::default() };
        let times = fields.get("times").and_then(|node| {
            let times = node.text().and_then(|text| text.parse().ok()).filter(|times| *times <= MOST_TIMES);
            if times.is_none() {
                self.report(Diagnostic::new(
                    Code::BadValue,
                    self.first_line(node.span),
                    Wording::new(
                        format!("`times` 是再试几次，写 0 到 {MOST_TIMES} 的整数"),
                        format!("`times` is how often to try again: a whole number from 0 to {MOST_TIMES}"),
                    ),
                ));
            }
            times
        });
        Retry {
            times,
            from: fields.get("from").and_then(|node| self.feel(node, "from")),
            to: fields.get("to").and_then(|node| self.feel(node, "to")),
        }
    }
}

fn not_awaited(key: &str, at: Span, detached: Span) -> Diagnostic {
    Diagnostic::new(
        Code::MisplacedKey,
        at,
        Wording::new(
            format!("`detached: true` 表示不等另一个流程办完，所以不能写 `{key}`"),
            format!("with `detached: true` the other process is not awaited, so `{key}` cannot be written"),
        ),
    )
    .context(detached, Wording::new("不等待", "not awaited"))
}

/// Of a header that every call says by itself: that it cannot be written.
fn not_the_authors(name: &Spanned<String>) -> Option<Diagnostic> {
    let written = &name.value;
    let lower = written.to_ascii_lowercase();
    let message = if lower == "idempotency-key" {
        Wording::new(
            format!("`{written}` 不用写：每次调用都自带一个，同一次办理的每次尝试都相同，对方据此不会办两遍"),
            format!(
                "`{written}` is not yours to write: every call carries one, the same for all attempts, by which the other side does it once"
            ),
        )
    } else if OF_THE_CONNECTION.contains(&lower.as_str()) {
        Wording::new(
            format!("请求头 `{written}` 由连接自己写，流程里不能写，请删掉"),
            format!("the header `{written}` is written by the connection, not by a process; delete it"),
        )
    } else {
        return None;
    };
    let found = Diagnostic::new(Code::BadValue, name.span, message);
    Some(if lower == "idempotency-key" {
        found.hint(Wording::new(
            "要让对方认出是哪一件，请换一个名称，例如 `X-Case: instance.number`",
            "to tell the other side which case it is, use another name, such as `X-Case: instance.number`",
        ))
    } else {
        found
    })
}

fn no_response(words: &Spanned<String>, rest: &[String]) -> Diagnostic {
    let (word, better) = (&words.value, rest.join("."));
    let found = Diagnostic::new(
        Code::BadValue,
        words.span,
        Wording::new(
            format!("`{word}`：消息没有 `response`，它是 `http` 和 `job` 的回应。从消息里取值直接写它的键"),
            format!(
                "`{word}`: a message has no `response`, which is what `http` and `job` are answered; write the key of the message alone"
            ),
        ),
    );
    let bare = (words.span.end - words.span.start) as usize == word.len();
    if bare && !better.is_empty() { found.fix_word(words.span, better) } else { found }
}

fn no_path(words: &Spanned<String>, root: Option<&str>) -> Diagnostic {
    let (word, example) = (&words.value, root.map_or("order.id".to_owned(), |root| format!("{root}.id")));
    let known = root.map(|root| quoted_list([root]));
    let message = match known {
        Some(root) => Wording::new(
            format!("`{word}` 不是从回应里取值的写法，它以 {} 开头，例如 `{example}`", root.zh),
            format!("`{word}` takes no value from the response; begin with {}, as in `{example}`", root.en),
        ),
        None => Wording::new(
            format!("`{word}` 不是从消息里取值的写法，请写成一个词，或用 `.` 连起来，例如 `{example}`"),
            format!(
                "`{word}` takes no value from the message; write one word, or words joined by `.`, as in `{example}`"
            ),
        ),
    };
    Diagnostic::new(Code::BadValue, words.span, message)
}

/// Whether a value is the kind of a text as headers name it, such as `application/json`: as an expression it would
/// divide.
fn is_media_type(text: &str) -> bool {
    const KINDS: [&str; 6] = ["application", "audio", "image", "multipart", "text", "video"];
    let word = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-'));
    text.split_once('/').is_some_and(|(kind, rest)| KINDS.contains(&kind) && !rest.is_empty() && word(rest))
}

fn bare_media_type(value: &FeelText) -> Diagnostic {
    let text = &value.text;
    let quoted = format!("'\"{text}\"'");
    Diagnostic::new(
        Code::UnquotedExpression,
        value.span,
        Wording::new(
            format!("请求头的值是表达式，文字要用双引号，外面再加单引号：{quoted}"),
            format!(
                "the value of a header is an expression; a text stands in double quotes, within single ones: {quoted}"
            ),
        ),
    )
    .fix(value.span, quoted, Wording::new("写成文字", "write it as a text"))
}
