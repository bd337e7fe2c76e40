//! Steps that reach outside the case: what they send is typed against the case, what they take against what comes.

use crate::compile::assigned::Certain;
use crate::compile::fields::Fields;
use crate::compile::organisation::unknown;
use crate::compile::step::{unwritable, values};
use crate::compile::typing::{Typing, constant};
use crate::diagnostics::{Code, Diagnostic, Spanned, quoted_list};
use crate::expression::{self, Expected, Scope};
use crate::model::control::{Call, Http, Job, Path, Piece, Receive, Retry};
use crate::model::formula::Formula;
use crate::model::id::{FieldName, ProcessId};
use crate::model::text::Wording;
use crate::model::time::Duration;
use crate::model::value::{Type, Typed, Value};
use crate::syntax::{self, FeelText};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most fields that are listed.
const LISTED: usize = 12;

/// What a step that reaches outside is typed with.
pub(crate) struct Outside<'s, 'a> {
    pub(crate) fields: &'s Fields<'a>,
    pub(crate) before: &'s Certain,
    pub(crate) scope: &'s Scope,
    pub(crate) unsure: &'s mut BTreeSet<FieldName>,
}

impl Outside<'_, '_> {
    pub(crate) fn call(&mut self, call: &syntax::Call, typing: &mut Typing<'_>) -> Call {
        let world = typing.world;
        let callee = world.callees.get(call.process.value.as_str());
        if !world.processes.contains(call.process.value.as_str()) && world.processes_known {
            // Nobody means the very process that a word is written in.
            let own = typing.document.name.as_ref().map(|name| name.value.as_str());
            let known = world.processes.iter().copied().filter(|name| own != Some(*name));
            typing.diagnostics.push(unknown(&call.process, known, ("流程", "process"), "call"));
        }
        let by = call.by.as_ref().and_then(|by| person(by, self.scope, typing));
        let mut with = IndexMap::new();
        // Of a process that could not be read it is not known what it asks, nor what bare names mean there.
        let hidden = callee.is_none() && world.processes.contains(call.process.value.as_str());
        for (name, text) in call.with.iter().filter(|_| !hidden) {
            let expected = match callee.map(|callee| callee.asked(&name.value)) {
                Some(Ok(typed)) => Expected::Type(typed),
                Some(Err(known)) => {
                    typing.diagnostics.push(not_asked(name, &known));
                    Expected::Any
                }
                None => Expected::Any,
            };
            let before = typing.diagnostics.len();
            match typing.formula(text, self.scope, &expected) {
                Some(formula) => drop(with.insert(FieldName::from(name.value.as_str()), formula)),
                // A bare name may be an option there.
                None if callee.is_none() && expression::is_name(text.text.trim()) => {
                    typing.diagnostics.truncate(before)
                }
                None => {}
            }
        }
        let mut take = IndexMap::new();
        if let Some(callee) = callee {
            let theirs = Scope::new().directory(world.directory.clone()).fields(callee.left()).kept(callee.kept());
            for (name, text) in &call.take {
                let expected = self.writable(name, typing);
                let expected = expected.map_or(Expected::Any, |typed| typing.held(&name.value, typed));
                let Some(formula) = typing.formula(text, &theirs, &expected) else { continue };
                let name = FieldName::from(name.value.as_str());
                if formula.of.optional {
                    self.unsure.insert(name.clone());
                }
                take.insert(name, formula);
            }
        } else {
            // What it leaves is not known, but where that goes is.
            call.take.iter().for_each(|(name, _)| drop(self.writable(name, typing)));
        }
        Call { process: ProcessId::from(call.process.value.as_str()), by, with, take, detached: call.detached }
    }

    pub(crate) fn receive(
        &mut self,
        message: &Spanned<String>,
        key: Option<&FeelText>,
        take: &[syntax::Taken],
        typing: &mut Typing<'_>,
    ) -> Receive {
        Receive {
            message: Arc::from(message.value.as_str()),
            key: key.and_then(|key| plain(key, self.scope, typing)),
            take: self.taken(take, typing),
            fresh: false,
        }
    }

    pub(crate) fn http(&mut self, http: &syntax::Http, typing: &mut Typing<'_>) -> Http {
        let url = pieces(&http.url, self.scope, typing);
        let header = |(name, value): &(Spanned<String>, Vec<syntax::Piece>), typing: &mut Typing<'_>| {
            (Arc::from(name.value.as_str()), pieces(value, self.scope, typing))
        };
        let headers = http.headers.iter().map(|entry| header(entry, typing)).collect();
        let mut body = IndexMap::new();
        for (name, text) in &http.body {
            if let Some(formula) = typing.formula(text, self.scope, &Expected::Any) {
                body.insert(Arc::from(name.value.as_str()), formula);
            }
        }
        Http {
            method: Arc::from(http.method.value.as_str()),
            url,
            headers,
            body,
            take: self.taken(&http.take, typing),
            retry: retry(&http.retry, typing),
        }
    }

    pub(crate) fn job(&mut self, job: &syntax::Job, typing: &mut Typing<'_>) -> Job {
        Job {
            name: Arc::from(job.name.value.as_str()),
            with: values(&job.with, self.scope, typing),
            take: self.taken(&job.take, typing),
            lease: lease(job.lease.as_ref(), typing),
            retry: retry(&job.retry, typing),
        }
    }

    fn taken(&mut self, take: &[syntax::Taken], typing: &mut Typing<'_>) -> IndexMap<FieldName, Path> {
        let mut found = IndexMap::new();
        for (name, path) in take {
            self.writable(name, typing);
            let path = path.value.iter().map(|part| Arc::from(part.as_str())).collect();
            found.insert(FieldName::from(name.value.as_str()), path);
        }
        found
    }

    fn writable(&self, name: &Spanned<String>, typing: &mut Typing<'_>) -> Option<Typed> {
        match self.fields.writable(&name.value, self.before.row.as_ref()) {
            Ok(typed) => Some(typed),
            Err(why) => {
                let hidden = typing.unread.may_declare_besides(&name.value);
                typing.diagnostics.extend(unwritable(name, "take", &why, self.fields, hidden));
                None
            }
        }
    }
}

/// A person: not a position, and not several.
pub(crate) fn person(text: &FeelText, scope: &Scope, typing: &mut Typing<'_>) -> Option<Formula> {
    let formula = typing.formula(text, scope, &Expected::People)?;
    if !matches!(formula.of.of, Type::Person | Type::Any) {
        typing.diagnostics.push(Diagnostic::new(
            Code::WrongType,
            text.span,
            Wording::new(
                "这里要一个人，例如 `applicant` 或一个人员字段，不能是岗位或几个人",
                "this has to be one person, such as `applicant` or a field of type person, not a position and not several",
            ),
        ));
        return None;
    }
    Some(formula)
}

/// A value that is set and can be written as a word: what goes into an address, a header or a key.
pub(crate) fn plain(text: &FeelText, scope: &Scope, typing: &mut Typing<'_>) -> Option<Formula> {
    let formula = typing.formula(text, scope, &Expected::Any)?;
    if formula.of.optional && !typing.reading.may_set(&text.text, text.span, typing.document) {
        typing.diagnostics.push(Diagnostic::new(
            Code::MaybeUnset,
            text.span,
            Wording::new(
                format!("`{}` 在这里可能还没有值", text.text.trim()),
                format!("`{}` may be unset here", text.text.trim()),
            ),
        ));
        return None;
    }
    if matches!(formula.of.of, Type::List(_) | Type::Record(_) | Type::Range(_) | Type::Null) {
        typing.diagnostics.push(Diagnostic::new(
            Code::WrongType,
            text.span,
            Wording::new(
                "这里要一个单独的值，例如文字、数字或日期，不能是列表",
                "this has to be one value, such as a text, a number or a date, and no list",
            ),
        ));
        return None;
    }
    Some(formula)
}

fn pieces(written: &[syntax::Piece], scope: &Scope, typing: &mut Typing<'_>) -> Vec<Piece> {
    let mut found = Vec::new();
    for piece in written {
        match piece {
            syntax::Piece::Text(text) => found.push(Piece::Text(Arc::from(text.as_str()))),
            syntax::Piece::Secret(name) => found.push(Piece::Secret(Arc::from(name.value.as_str()))),
            syntax::Piece::Value(text) => {
                let Some(formula) = plain(text, scope, typing) else { continue };
                found.push(match constant(&formula) {
                    Some(Value::Text(text)) => Piece::Text(text.clone()),
                    _ => Piece::Value(formula),
                });
            }
        }
    }
    found
}

fn retry(written: &syntax::Retry, typing: &mut Typing<'_>) -> Retry {
    let mut from = length(written.from.as_ref(), seconds(10), "seconds", typing);
    let mut to = length(written.to.as_ref(), seconds(3_600), "minutes", typing);
    match (compared(from, to), &written.from, &written.to) {
        (None, Some(first), Some(last)) => typing.diagnostics.push(unlike_waits(first, last)),
        (Some(Ordering::Greater), Some(first), Some(last)) => {
            typing.diagnostics.push(first_wait_is_longest(first, last));
        }
        // The one that is not written gives way to the one that is.
        (None | Some(Ordering::Greater), Some(_), None) => to = from,
        (Some(Ordering::Greater), None, _) => from = to,
        _ => {}
    }
    Retry { times: written.times.unwrap_or(8), from, to }
}

/// How two lengths of time lie to each other, where both are of one unit.
fn compared(one: Duration, other: Duration) -> Option<Ordering> {
    expression::beside(&Value::Duration(one), &Value::Duration(other))
}

fn unlike_waits(from: &FeelText, to: &FeelText) -> Diagnostic {
    Diagnostic::new(
        Code::UnlikeTypes,
        from.span,
        Wording::new(
            "`from` 和 `to` 的单位不同，比不出长短。请用同一种单位",
            "`from` and `to` are in unlike units, of which neither is the longer; use one unit for both",
        ),
    )
    .context(to.span, Wording::new("最长等这么久", "the longest wait"))
}

fn first_wait_is_longest(from: &FeelText, to: &FeelText) -> Diagnostic {
    let (first, last) = (from.text.trim(), to.text.trim());
    Diagnostic::new(
        Code::BadValue,
        from.span,
        Wording::new(
            format!("第一次等 `{first}`，比最长的 `{last}` 还长：`from` 不能比 `to` 长"),
            format!(
                "the first wait, `{first}`, is longer than the longest, `{last}`: `from` cannot be longer than `to`"
            ),
        ),
    )
    .context(to.span, Wording::new("最长等这么久", "the longest wait"))
}

/// How long a worker may hold a job, which is some time.
fn lease(text: Option<&FeelText>, typing: &mut Typing<'_>) -> Duration {
    let lease = length(text, seconds(300), "minutes", typing);
    if let Some(text) = text.filter(|_| lease.sign().is_le()) {
        typing.diagnostics.push(Diagnostic::new(
            Code::NoTime,
            text.span,
            Wording::new(
                "拿到任务的同时就到期了，谁也做不完。请写大于零的时长，例如 `lease: 5 minutes`",
                "a worker would be late as soon as it holds the job; write a length above zero, such as `lease: 5 minutes`",
            ),
        ));
    }
    lease
}

fn seconds(count: u32) -> Duration {
    Duration::Seconds(Decimal::from(count))
}

/// A length of time that is written out; in which unit it usually is.
fn length(text: Option<&FeelText>, unsaid: Duration, usual: &str, typing: &mut Typing<'_>) -> Duration {
    let Some(text) = text else { return unsaid };
    let before = typing.diagnostics.len();
    let Some(formula) = typing.formula(text, &Scope::new(), &Expected::Type(Typed::always(Type::Duration))) else {
        let number = text.text.trim().parse::<Decimal>().is_ok();
        if let Some(found) = typing.diagnostics.get_mut(before..).and_then(|found| found.first_mut()).filter(|_| number)
        {
            let instead = format!("{} {usual}", text.text.trim());
            found.hints =
                vec![Wording::new(format!("例如写成 `{instead}`。"), format!("For example, write `{instead}`."))];
        }
        return unsaid;
    };
    match constant(&formula) {
        Some(Value::Duration(length)) => *length,
        _ => {
            typing.diagnostics.push(Diagnostic::new(
                Code::WrongType,
                text.span,
                Wording::new(
                    "这里要直接写出一段时间，例如 `10 seconds`",
                    "this has to be a length of time as such, for example `10 seconds`",
                ),
            ));
            unsaid
        }
    }
}

/// A name that a call gives and that is asked at no start of what it calls.
fn not_asked(name: &Spanned<String>, known: &[String]) -> Diagnostic {
    let found = unknown(name, known.iter().map(String::as_str), ("发起字段", "field of its start form"), "form");
    if found.fix.is_some() || known.is_empty() {
        return found;
    }
    let listed = quoted_list(known.iter().take(LISTED).map(String::as_str));
    let more = if known.len() > LISTED { " …" } else { "" };
    found.hint(Wording::new(
        format!("它的发起字段有：{}{more}", listed.zh),
        format!("the fields of its start form: {}{more}", listed.en),
    ))
}
