//! What comes from outside: messages, the ends of called instances, answers of other systems and of workers.
//!
//! Each names the token that waits for it, and is refused where that token no longer does: whatever comes late,
//! twice or to the wrong place changes nothing. Only that another system or a worker did what the case had left
//! behind by then is written down, as somebody may have to take it back.

use super::block;
use super::event::{Event, Trouble};
use super::refusal::{FieldFault, Refusal, ResultFault};
use super::run::Run;
use super::state::{Owner, Waiting};
use super::step::trouble;
use super::taking;
use super::undo;
use super::written;
use crate::model::control::{Path, Retry};
use crate::model::definition::{StepKind, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, InstanceId, Outcome, StepId, TokenId};
use crate::model::input::Reading;
use crate::model::text::{Lang, Wording};
use crate::model::time::Duration;
use crate::model::value::{Record, Value};
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
        let value = run.stored(token, name, value);
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
            let values = taken(run, token, &id, &job.take, data).map_err(Refusal::BadResult)?;
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
    let needed = taking::needed(run.definition, id, wanted);
    let what = if place == "http" && !matches!(data, Value::Record(_)) && !needed.is_empty() {
        no_object(data, &needed)
    } else {
        match taken(run, token, id, wanted, data) {
            Ok(values) => return go_on(run, token, id.clone(), outcome::DONE.into(), On::Next, values),
            Err(faults) => ResultFault::told(&faults),
        }
    };
    let on = On::Outcome(outcome::FAILED.into());
    if run.definition.graph.next(&Node::Step(id.clone()), &on).is_none() {
        return run.emit(Event::IncidentRaised { token, step: id.clone(), what: failed(TAKING, &what) });
    }
    run.emit(Event::Unusable { token, zh: what.zh.as_str().into(), en: what.en.as_str().into() });
    // The other side did what it was asked, and nothing that it said of it is known.
    undo::note(run, token, run.now);
    go_on(run, token, id.clone(), outcome::FAILED.into(), on, Record::new());
}

/// The values that a step takes out of what came, or everything that is wrong with them: the rules of a field are held
/// as they are where somebody fills it in.
fn taken(
    run: &Run<'_>,
    token: TokenId,
    id: &StepId,
    wanted: &IndexMap<FieldName, Path>,
    data: &Value,
) -> Result<Record, Vec<ResultFault>> {
    let today = run.facts.calendar.today(run.now);
    let reading = Reading { directory: run.facts.directory, today };
    let values = taking::taken(run.definition, id, wanted, data, (&reading, run.facts.calendar.zone))?;
    let path = |name: &FieldName| wanted.get(name).cloned().unwrap_or_default();
    let fault = |(field, fault): (FieldName, FieldFault)| {
        let path = path(&field);
        ResultFault { path: path.join("."), field, what: taking::not_fit(&path, &fault.what) }
    };
    let faults: Vec<ResultFault> = written::broken(run, token, &values).into_iter().map(fault).collect();
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

fn go_on(run: &mut Run<'_>, token: TokenId, id: StepId, outcome: Outcome, on: On, values: Record) {
    if !values.is_empty() {
        let broken = written::stops(run, token, &values);
        let set = |run: &mut Run<'_>| {
            run.set_at(token, values).err().map(|computed| trouble(computed.field.as_str(), &computed.failure))
        };
        if let Some(what) = broken.or_else(|| set(run)) {
            return run.emit(Event::IncidentRaised { token, step: id, what });
        }
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

/// An answer in which nothing can be found by its name.
fn no_object(data: &Value, needed: &[&Path]) -> Wording {
    let paths: Vec<String> = needed.iter().map(|path| format!("`{}`", path.join("."))).collect();
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
