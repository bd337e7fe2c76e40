//! What comes from outside: messages, the ends of called instances, answers of other systems and of workers.
//!
//! Each names the token that waits for it, and is refused where that token no longer does: whatever comes late,
//! twice or to the wrong place changes nothing. Only that another system or a worker did what the case had left
//! behind by then is written down, as somebody may have to take it back.

use super::block;
use super::event::{Event, Trouble};
use super::form;
use super::refusal::{Refusal, ResultFault};
use super::run::Run;
use super::scope;
use super::state::{Owner, Waiting};
use super::step::trouble;
use super::undo;
use crate::expression::domain::Domain;
use crate::model::control::{Path, Retry};
use crate::model::definition::{StepKind, outcome};
use crate::model::form::Field;
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, InstanceId, Outcome, StepId, TokenId};
use crate::model::input::{self, Reading};
use crate::model::text::{Lang, Wording};
use crate::model::time::Duration;
use crate::model::value::{Record, Value, plain};
use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;
use std::sync::Arc;

/// The place of the trouble where an answer came that is of no use: what was asked is done.
pub(super) const TAKING: &str = "take";

/// How long an attempt of a call or a job may be under way.
pub fn lasts(waits: &Waiting) -> TimeDelta {
    match waits {
        Waiting::Job { lease, .. } => TimeDelta::seconds(i64::from(*lease)),
        _ => TimeDelta::minutes(2),
    }
}

/// A message came for a token.
pub(super) fn deliver(
    run: &mut Run<'_>,
    token: TokenId,
    message: &Arc<str>,
    name: &Arc<str>,
    key: Option<&Arc<str>>,
    data: &Value,
) -> Result<(), Refusal> {
    let (id, waits) = waiting(run, token)?;
    let fits = |waited: Option<&Arc<str>>| waited.is_none_or(|waited| Some(waited) == key);
    match waits {
        Waiting::Message { name: waited, key: of, .. } if waited == name && fits(of.as_ref()) => {}
        _ => return Err(Refusal::NotWaiting),
    }
    let Some(StepKind::Receive(receive)) = run.definition.steps.get(&id).map(|step| &step.kind) else {
        return Err(Refusal::NotWaiting);
    };
    run.emit(Event::MessageRead { token, message: message.clone() });
    take(run, token, &id, &receive.take, data, "receive");
    Ok(())
}

/// An instance that was called ended.
pub(super) fn child_ended(
    run: &mut Run<'_>,
    token: TokenId,
    child: InstanceId,
    outcome: &Outcome,
    data: &Record,
) -> Result<(), Refusal> {
    let id = calling(run, token, child)?;
    let Some(StepKind::Call(call)) = run.definition.steps.get(&id).map(|step| &step.kind) else {
        return Err(Refusal::NotWaiting);
    };
    let mut values = Record::new();
    // What a case that was stopped leaves behind is not taken.
    let stopped = [outcome::REJECTED, outcome::WITHDRAWN, outcome::CANCELLED].contains(&outcome.as_str());
    for (name, formula) in call.take.iter().filter(|_| !stopped) {
        let place = run.place(token);
        let value = match place.evaluate(run.facts, run.now, formula, data) {
            Ok(value) => value,
            Err(failure) => return stop(run, token, &id, trouble(name.as_str(), &failure)),
        };
        let value = match field(run, token, name) {
            Some(field) => form::stored(&field.kind, value),
            None => value,
        };
        // What was set once is never unset.
        if !value.is_null() || run.data(token).get(name).is_none_or(Value::is_null) {
            values.insert(name.clone(), value);
        }
    }
    let on = led(run, &id, outcome).unwrap_or_else(|| On::Outcome(outcome.clone()));
    go_on(run, token, id, outcome.clone(), on, values);
    Ok(())
}

/// Where `on` of a call leads an outcome, by its name or `otherwise`.
fn led(run: &Run<'_>, id: &StepId, outcome: &Outcome) -> Option<On> {
    let node = Node::Step(id.clone());
    let ways = [On::Outcome(outcome.clone()), On::Otherwise];
    ways.into_iter().find(|on| run.definition.graph.next(&node, on).is_some())
}

/// Another process could not be started. Where one of its key is open already, the author may have said what happens.
pub(super) fn call_failed(
    run: &mut Run<'_>,
    token: TokenId,
    child: InstanceId,
    what: &Wording,
    taken: bool,
) -> Result<(), Refusal> {
    let id = calling(run, token, child)?;
    if !taken {
        return stop(run, token, &id, failed("call", what));
    }
    let outcome = Outcome::from(outcome::REFUSED);
    let Some(on) = led(run, &id, &outcome) else {
        let what = Wording::new(
            format!("{}然后重试这一步；若那时应走别的路，请在 `on` 里写 `refused` 的去向。", what.zh),
            format!(
                "{} Then retry this step; where the case should go on instead, say so with `refused` in `on`.",
                what.en
            ),
        );
        return stop(run, token, &id, failed("call", &what));
    };
    let late = run.token_is_late(token);
    run.clear_timers(Owner::Token(token));
    // Nothing began, so there is nothing to be taken back.
    run.emit(Event::Left { token, step: id.clone(), outcome, by: Vec::new(), late });
    block::win(run, token);
    run.advance(token, Node::Step(id), on);
    Ok(())
}

/// Another system or a worker answered.
pub(super) fn answer(run: &mut Run<'_>, token: TokenId, attempt: u16, data: &Value) -> Result<(), Refusal> {
    // A token that is gone was cancelled: with its branch, or with the case.
    if token.0 < run.state.next.token && !run.state.tokens.contains_key(&token) {
        run.emit(Event::CameLate { token });
        return Ok(());
    }
    let id = trying(run, token, attempt)?;
    let definition = run.definition;
    match definition.steps.get(&id).map(|step| &step.kind) {
        Some(StepKind::Http(http)) => take(run, token, &id, &http.take, data, "http"),
        // A worker is still there and can mend its result, so nothing stops.
        Some(StepKind::Job(job)) => {
            let values = taken(run, token, &job.take, data).map_err(Refusal::BadResult)?;
            go_on(run, token, id, outcome::DONE.into(), On::Next, values);
        }
        _ => return Err(Refusal::NotWaiting),
    }
    Ok(())
}

/// Another system or a worker failed.
pub(super) fn fail(
    run: &mut Run<'_>,
    token: TokenId,
    attempt: u16,
    what: &Wording,
    permanent: bool,
    after: Option<DateTime<Utc>>,
) -> Result<(), Refusal> {
    let id = trying(run, token, attempt)?;
    let (retry, place) = match run.definition.steps.get(&id).map(|step| &step.kind) {
        Some(StepKind::Http(http)) => (&http.retry, "http"),
        Some(StepKind::Job(job)) => (&job.retry, "job"),
        _ => return Err(Refusal::NotWaiting),
    };
    if !permanent && attempt <= retry.times {
        let at = after.filter(|at| *at > run.now).unwrap_or_else(|| later(run, retry, attempt));
        let (zh, en) = (what.zh.as_str().into(), what.en.as_str().into());
        run.emit(Event::Postponed { token, attempt: attempt + 1, at, zh, en });
        return Ok(());
    }
    let on = On::Outcome(outcome::FAILED.into());
    let refused = permanent && attempt == 1;
    if run.definition.graph.next(&Node::Step(id.clone()), &on).is_some() {
        // Unless the other side said no to the only attempt there was, it may have done what it was asked.
        if !refused {
            undo::note(run, token, run.now);
        }
        go_on(run, token, id, outcome::FAILED.into(), on, Record::new());
        return Ok(());
    }
    // What was never done cannot be taken back, and the other side says so.
    if permanent && undo::is_doubtful(run, token) {
        go_on(run, token, id, outcome::FAILED.into(), On::Next, Record::new());
        return Ok(());
    }
    stop(run, token, &id, failed(place, what))
}

/// The instant of the next attempt: the wait doubles each time, up to the longest.
fn later(run: &Run<'_>, retry: &Retry, attempt: u16) -> DateTime<Utc> {
    let (from, to) = (seconds(run, retry.from), seconds(run, retry.to));
    let doubled = from.saturating_mul(1i64 << (attempt.saturating_sub(1)).min(30));
    run.now + TimeDelta::seconds(doubled.min(to).clamp(1, 366 * 86_400))
}

/// How many seconds a length of time is from now on, at least one.
pub(super) fn seconds(run: &Run<'_>, duration: Duration) -> i64 {
    run.facts.calendar.add(run.now, duration).map_or(1, |at| (at - run.now).num_seconds()).max(1)
}

/// The text that tells messages of one name apart; none for null.
pub(super) fn key_text(value: &Value) -> Option<Arc<str>> {
    match plain(value) {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.into()),
        other => Some(other.to_string().into()),
    }
}

/// The step and the wait of a token.
fn waiting<'s>(run: &'s Run<'_>, token: TokenId) -> Result<(StepId, &'s Waiting), Refusal> {
    let token = run.state.tokens.get(&token).ok_or(Refusal::NotWaiting)?;
    match (&token.step, &token.waits) {
        (Some(step), Some(waits)) => Ok((step.clone(), waits)),
        _ => Err(Refusal::NotWaiting),
    }
}

fn calling(run: &Run<'_>, token: TokenId, child: InstanceId) -> Result<StepId, Refusal> {
    match waiting(run, token)? {
        (id, Waiting::Call { child: waited, .. }) if *waited == child => Ok(id),
        _ => Err(Refusal::NotWaiting),
    }
}

fn trying(run: &Run<'_>, token: TokenId, attempt: u16) -> Result<StepId, Refusal> {
    match waiting(run, token)? {
        (id, Waiting::Http { attempt: at, .. } | Waiting::Job { attempt: at, .. }) if *at == attempt => Ok(id),
        _ => Err(Refusal::NotWaiting),
    }
}

/// Takes values out of what came, and goes on. Where they are not there or not of the field's kind, the step has failed,
/// which is an incident unless the author said where that leads: to ask once more would bring the same.
fn take(run: &mut Run<'_>, token: TokenId, id: &StepId, wanted: &IndexMap<FieldName, Path>, data: &Value, place: &str) {
    let what = if place == "http" && !matches!(data, Value::Record(_)) && !wanted.is_empty() {
        no_object(data, wanted)
    } else {
        match taken(run, token, wanted, data) {
            Ok(values) => return go_on(run, token, id.clone(), outcome::DONE.into(), On::Next, values),
            Err(faults) => {
                let all = |lang, glue| faults.iter().map(|fault| fault.what.get(lang)).collect::<Vec<_>>().join(glue);
                Wording::new(all(Lang::Zh, ""), all(Lang::En, " "))
            }
        }
    };
    let on = On::Outcome(outcome::FAILED.into());
    if run.definition.graph.next(&Node::Step(id.clone()), &on).is_none() {
        return run.emit(Event::IncidentRaised { token, step: id.clone(), what: failed(TAKING, &what) });
    }
    // The other side did what it was asked, and nothing that it said of it is known.
    undo::note(run, token, run.now);
    go_on(run, token, id.clone(), outcome::FAILED.into(), on, Record::new());
}

/// The values that a step takes out of what came, or everything that is wrong with them.
fn taken(
    run: &Run<'_>,
    token: TokenId,
    wanted: &IndexMap<FieldName, Path>,
    data: &Value,
) -> Result<Record, Vec<ResultFault>> {
    let mut values = Record::new();
    let mut faults = Vec::new();
    for (name, path) in wanted {
        let found = path.iter().try_fold(data, |at, part| match at {
            Value::Record(record) => record.get(&**part),
            _ => None,
        });
        let read = match (found.filter(|value| !value.is_null()), field(run, token, name)) {
            (None, _) => Err(not_there(path)),
            (Some(value), Some(field)) => read(run, field, value).map_err(|what| not_fit(path, &what)),
            (Some(value), None) => Ok(value.clone()),
        };
        match read {
            Ok(value) => drop(values.insert(name.clone(), value)),
            Err(what) => faults.push(ResultFault { path: path.join("."), field: name.clone(), what }),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// A value from outside as a field holds it: numbers may come as texts, people and dates always do.
fn read(run: &Run<'_>, field: &Field, value: &Value) -> Result<Value, Wording> {
    let today = run.facts.calendar.today(run.now);
    let reading = Reading { directory: run.facts.directory, today };
    let value = input::read_json(&reading, field, &plain(value)).map_err(|wrong| {
        let first = wrong.into_iter().next();
        first.map_or_else(|| Wording::new("不能用。", "It cannot be used."), |wrong| wrong.what)
    })?;
    let value = form::stored(&field.kind, value);
    // Whatever a field holds is within its fixed limits: proofs rest on it.
    if !field.many && !Domain::asked(field).admits(&value) {
        return Err(Wording::new(
            format!("超出了“{}”的范围。", field.title.get(Lang::Zh)),
            format!("It is beyond what “{}” allows.", field.title.get(Lang::En)),
        ));
    }
    Ok(value)
}

/// The field or column that a name means where a token is.
fn field<'r>(run: &'r Run<'_>, token: TokenId, name: &FieldName) -> Option<&'r Field> {
    let scope = run.state.tokens.get(&token)?.scope;
    let column =
        scope::row_scope(&run.state, scope).and_then(|row| run.each_of(row)).and_then(|each| each.columns.get(name));
    column.or_else(|| run.definition.fields().find(|(known, _)| *known == name).map(|(_, field)| field))
}

fn go_on(run: &mut Run<'_>, token: TokenId, id: StepId, outcome: Outcome, on: On, values: Record) {
    if !values.is_empty()
        && let Err(computed) = run.set_at(token, values)
    {
        let what = trouble(computed.field.as_str(), &computed.failure);
        return run.emit(Event::IncidentRaised { token, step: id, what });
    }
    let late = run.token_is_late(token);
    run.clear_timers(Owner::Token(token));
    run.left(token, &id, outcome, Vec::new(), late);
    run.advance(token, Node::Step(id), on);
}

fn stop(run: &mut Run<'_>, token: TokenId, id: &StepId, what: Trouble) -> Result<(), Refusal> {
    run.emit(Event::IncidentRaised { token, step: id.clone(), what });
    Ok(())
}

fn failed(place: &str, what: &Wording) -> Trouble {
    Trouble::Failed { place: place.into(), zh: what.get(Lang::Zh).into(), en: what.get(Lang::En).into() }
}

fn not_there(path: &Path) -> Wording {
    let path = path.join(".");
    Wording::new(format!("收到的内容里没有 `{path}`。"), format!("What came has no `{path}`."))
}

/// An answer in which nothing can be found by its name.
fn no_object(data: &Value, wanted: &IndexMap<FieldName, Path>) -> Wording {
    let paths: Vec<String> = wanted.values().map(|path| format!("`{}`", path.join("."))).collect();
    let (zh, en) = match data {
        Value::Null => {
            ("答复不是 JSON（是空的，或者是网页之类）", "The answer is no JSON (it is empty, or a page or the like)")
        }
        Value::List(_) => ("答复的 JSON 是一个列表，不是对象", "The JSON of the answer is a list and no object"),
        _ => ("答复的 JSON 是一个值，不是对象", "The JSON of the answer is one value and no object"),
    };
    Wording::new(
        format!("{zh}，取不到 {}。", paths.join("、")),
        format!("{en}, so {} cannot be taken from it.", paths.join(", ")),
    )
}

fn not_fit(path: &Path, what: &Wording) -> Wording {
    let path = path.join(".");
    Wording::new(
        format!("收到的 `{path}` 不能用：{}", what.get(Lang::Zh)),
        format!("The `{path}` that came cannot be used: {}", what.get(Lang::En)),
    )
}
