//! Cases, tasks and mails as JSON, for programs that call the shell: names and values as the engine knows them.
//! A key that is here once stays.

use crate::engine::command::{Actor, Ask, Via};
use crate::engine::data_by_now;
use crate::engine::event::{Entry, Event, Trouble};
use crate::engine::preview::Upcoming;
use crate::engine::state::{Caller, Ended, MailKind, Owner, Task, TaskKind, Timer, TimerKind, Waiting};
use crate::model::value::{plain, plain_record};
use crate::runtime::{Case, InstanceRow, OutboxRow, TaskRow};
use serde_json::{Value as Json, json};

fn ended(ended: Option<&Ended>) -> Json {
    ended.map_or(Json::Null, |ended| json!({ "outcome": ended.outcome.as_str(), "at": ended.at }))
}

/// A case, as lists show it.
pub(super) fn instance_row(row: &InstanceRow) -> Json {
    json!({
        "id": row.id.to_string(),
        "number": row.number.as_ref().map(ToString::to_string),
        "process": row.process.as_str(),
        "version": row.version.to_string(),
        "title": row.title,
        "applicant": row.applicant.as_str(),
        "started_at": row.started_at,
        "changed_at": row.at,
        "revision": row.revision,
        "key": row.key,
        "headline": row.headline.as_ref().map(plain),
        "steps": row.steps.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "incident": row.incident,
        "ended": ended(row.ended.as_ref()),
        "wake_at": row.wake_at,
        "row": row.row,
    })
}

/// What one person is asked.
pub(super) fn task_row(row: &TaskRow) -> Json {
    let assignment = &row.assignment;
    json!({
        "case": row.instance.reference(),
        "instance": row.instance.id.to_string(),
        "process": row.instance.process.as_str(),
        "task": assignment.task.0,
        "step": assignment.step.as_str(),
        "assignment": assignment.id.to_string(),
        "person": assignment.person.as_str(),
        "stands_in_for": assignment.stands_in_for.as_ref().map(ToString::to_string),
        "applicant": row.instance.applicant.as_str(),
        "headline": row.instance.headline.as_ref().map(plain),
        "opened_at": assignment.opened_at,
        "due_at": assignment.due_at,
        "row": assignment.row,
    })
}

fn kind(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Approve => "approve",
        TaskKind::Work => "task",
        TaskKind::Revise { .. } => "revise",
        TaskKind::Begin => "begin",
    }
}

fn task(number: u32, task: &Task) -> Json {
    let answered = |id| task.answers.iter().any(|answer| answer.assignment == id);
    json!({
        "task": number,
        "step": task.step.as_str(),
        "kind": kind(task.kind),
        "round": task.round,
        "parked": task.parked,
        "opened_at": task.opened_at,
        "due_at": task.due,
        "people": task.assignments.iter().map(|one| json!({
            "person": one.person.as_str(),
            "assignment": one.id.to_string(),
            "stands_in_for": one.stands_in_for.as_ref().map(ToString::to_string),
            "answered": answered(one.id),
        })).collect::<Vec<_>>(),
        "answers": task.answers.iter().map(|answer| json!({
            "person": answer.person.as_str(),
            "outcome": answer.outcome.as_str(),
            "opinion": answer.opinion.as_deref(),
            "at": answer.at,
        })).collect::<Vec<_>>(),
    })
}

/// A whole case, with what lies ahead.
pub(super) fn case(case: &Case, upcoming: &[Upcoming]) -> Json {
    let state = &case.state;
    json!({
        "id": state.id.to_string(),
        "number": state.number.as_ref().map(ToString::to_string),
        "process": state.process.as_str(),
        "version": state.version.to_string(),
        "title": state.title,
        "applicant": state.applicant.as_str(),
        "started_at": state.started_at,
        "changed_at": state.at,
        "revision": state.revision,
        "ended": ended(state.ended.as_ref()),
        "data": plain_record(&data_by_now(&case.definition, state, None)),
        "tasks": state.tasks.iter().map(|(number, open)| task(number.0, open)).collect::<Vec<_>>(),
        "incidents": state.tokens.values().filter_map(|token| Some(json!({
            "step": token.step.as_ref().map(ToString::to_string),
            "trouble": trouble(token.incident.as_ref()?),
        }))).collect::<Vec<_>>(),
        "steps": state.steps.iter().map(|(step, result)| (step.to_string(), json!({
            "outcome": result.outcome.as_str(),
            "by": result.by.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "at": result.at,
            "late": result.late,
        }))).collect::<serde_json::Map<_, _>>(),
        "upcoming": upcoming.iter().map(|ahead| json!({
            "step": ahead.step.as_str(),
            "people": ahead.people().into_iter().map(ToString::to_string).collect::<Vec<_>>(),
            "certain": ahead.certain,
        })).collect::<Vec<_>>(),
        "timers": state.timers.values().map(timer).collect::<Vec<_>>(),
        "waits": state.tokens.values().filter_map(|token| Some(json!({
            "step": token.step.as_ref().map(ToString::to_string),
            "for": waits(token.waits.as_ref()?)?,
            "due_at": token.due,
        }))).collect::<Vec<_>>(),
        "stage": state.stage.as_deref(),
        "caller": state.caller.as_ref().map(caller),
        "ending": state.ending.as_ref().map(|ending| ending.outcome.to_string()),
    })
}

fn timer(timer: &Timer) -> Json {
    let kind = timer_kind(timer.kind);
    match timer.of {
        Owner::Task(task) => json!({ "task": task.0, "kind": kind, "at": timer.at }),
        Owner::Token(token) => json!({ "token": token.0, "kind": kind, "at": timer.at }),
    }
}

fn timer_kind(kind: TimerKind) -> &'static str {
    match kind {
        TimerKind::Remind => "remind",
        TimerKind::Go => "go",
        TimerKind::Overdue => "overdue",
        TimerKind::Again => "again",
    }
}

fn caller(caller: &Caller) -> Json {
    json!({
        "instance": caller.instance.to_string(),
        "waits": caller.token.is_some(),
        "depth": caller.depth,
    })
}

/// What a token waits for besides people; the blocks that it holds show themselves by their own tokens.
fn waits(waits: &Waiting) -> Option<Json> {
    Some(match waits {
        Waiting::Block(_) => return None,
        Waiting::Time => json!({ "time": true }),
        Waiting::Lock { name, .. } => json!({ "lock": &**name }),
        Waiting::Message { name, key, .. } => json!({ "message": &**name, "key": key.as_deref() }),
        Waiting::Call { child, process } => json!({ "call": child.to_string(), "process": process.as_str() }),
        Waiting::Http { attempt, at, request } => {
            json!({ "http": &*request.method, "attempt": attempt, "not_before": at })
        }
        Waiting::Job { name, attempt, at, .. } => json!({ "job": &**name, "attempt": attempt, "not_before": at }),
    })
}

/// The whole log of a case.
pub(super) fn history(case: &Case) -> Json {
    let entries = case.entries.iter().map(entry);
    json!({
        "id": case.state.id.to_string(),
        "number": case.state.number.as_ref().map(ToString::to_string),
        "entries": entries.collect::<Vec<_>>(),
    })
}

fn entry(entry: &Entry) -> Json {
    json!({
        "revision": entry.revision,
        "at": entry.at,
        "command": entry.command.id.as_str(),
        "asked": asked(&entry.command.ask),
        "actor": actor(&entry.command.actor),
        "events": entry.events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn actor(actor: &Actor) -> Json {
    match actor {
        Actor::Person { id, via } => json!({ "person": id.as_str(), "via": self::via(via) }),
        Actor::Operator { user } => json!({ "operator": &**user }),
        Actor::System => json!("system"),
    }
}

fn via(via: &Via) -> Json {
    match via {
        Via::Link { mail } => json!({ "link": crate::effects::format::masked(mail) }),
        Via::Shell { user } => json!({ "shell": &**user }),
        Via::Scenario => json!("scenario"),
    }
}

fn asked(ask: &Ask) -> &'static str {
    match ask {
        Ask::Start { .. } => "start",
        Ask::Decide { .. } => "decide",
        Ask::Revise { .. } => "revise",
        Ask::Comment { .. } => "comment",
        Ask::Withdraw { .. } => "withdraw",
        Ask::Cancel { .. } => "cancel",
        Ask::Resend { .. } => "resend",
        Ask::Wake => "wake",
        Ask::Begin { .. } => "begin",
        Ask::Deliver { .. } => "deliver",
        Ask::ChildEnded { .. } => "child_ended",
        Ask::CallFailed { .. } => "call_failed",
        Ask::Answer { .. } => "answer",
        Ask::Fail { .. } => "fail",
        Ask::Retry { .. } => "retry",
        Ask::Skip { .. } => "skip",
        Ask::HandOver { .. } => "hand_over",
    }
}

fn trouble(what: &Trouble) -> Json {
    match what {
        Trouble::NobodyToAsk { .. } => json!("nobody_to_ask"),
        Trouble::Expression { place, zh, en } => json!({ "expression": &**place, "zh": &**zh, "en": &**en }),
        Trouble::NeverWaits => json!("never_waits"),
        Trouble::Failed { place, zh, en } => json!({ "failed": &**place, "zh": &**zh, "en": &**en }),
    }
}

/// What a mail is for.
pub(super) fn mail_kind(kind: &MailKind) -> &'static str {
    match kind {
        MailKind::Assigned { .. } => "assigned",
        MailKind::Reminder { .. } => "reminder",
        MailKind::FreshLink { .. } => "fresh_link",
        MailKind::Decided { .. } => "decided",
        MailKind::Ended => "ended",
        MailKind::Notice { .. } => "notice",
        MailKind::ActedFor { .. } => "acted_for",
        MailKind::Overdue { .. } => "overdue",
        MailKind::HandedOver => "handed_over",
    }
}

/// A mail of the outbox.
pub(super) fn mail(row: &OutboxRow, case: &str) -> Json {
    json!({
        "case": case,
        "instance": row.instance.to_string(),
        "mail": row.mail.0,
        "kind": mail_kind(&row.kind),
        "to": row.to.as_str(),
        "state": row.state.name(),
        "attempts": row.attempt,
        "next_at": row.next_at,
        "address": row.address,
        "message_id": row.message_id,
        "reply": row.reply,
        "possibly_twice": row.possibly_twice,
        "queued_at": row.queued_at,
        "settled_at": row.settled_at,
        "row": row.row,
    })
}

fn event(event: &Event) -> Json {
    match event {
        Event::Started { applicant, data, number, version, .. } => json!({
            "event": "started", "applicant": applicant.as_str(), "version": version.to_string(),
            "number": number.as_ref().map(ToString::to_string), "data": plain_record(data),
        }),
        Event::Entered { token, step } => json!({ "event": "entered", "token": token.0, "step": step.as_str() }),
        Event::Skipped { token, step } => json!({ "event": "skipped", "token": token.0, "step": step.as_str() }),
        Event::Left { token, step, outcome, by, late } => json!({
            "event": "left", "token": token.0, "step": step.as_str(), "outcome": outcome.as_str(),
            "by": by.iter().map(ToString::to_string).collect::<Vec<_>>(), "late": late,
        }),
        Event::DataSet { values } => json!({ "event": "data_set", "values": plain_record(values) }),
        Event::Summarised { key, headline } => json!({
            "event": "summarised", "key": key.as_ref().map(plain), "headline": headline.as_ref().map(plain),
        }),
        Event::TaskOpened { task, opened } => json!({
            "event": "task_opened", "task": task.0, "step": opened.step.as_str(), "kind": kind(opened.kind),
            "round": opened.round, "due_at": opened.due,
            "people": opened.assignments.iter().map(|one| one.person.to_string()).collect::<Vec<_>>(),
        }),
        Event::Answered { task, outcome, opinion, via, .. } => json!({
            "event": "answered", "task": task.0, "outcome": outcome.as_str(), "opinion": opinion.as_deref(),
            "via": self::via(via),
        }),
        Event::TaskParked { task } => json!({ "event": "task_parked", "task": task.0 }),
        Event::TaskClosed { task, how } => json!({
            "event": "task_closed", "task": task.0,
            "how": match how {
                crate::engine::event::Closed::Decided(outcome) => outcome.as_str(),
                crate::engine::event::Closed::Cancelled => "cancelled",
                crate::engine::event::Closed::WalkedBack => "walked_back",
                crate::engine::event::Closed::Overdue => "overdue",
            },
        }),
        Event::TimerSet { timer, of: Owner::Task(task), kind, at } => json!({
            "event": "timer_set", "timer": timer.0, "task": task.0, "kind": timer_kind(*kind), "at": at,
        }),
        Event::TimerSet { timer, of: Owner::Token(token), kind, at } => json!({
            "event": "timer_set", "timer": timer.0, "token": token.0, "kind": timer_kind(*kind), "at": at,
        }),
        Event::TimerFired { timer } => json!({ "event": "timer_fired", "timer": timer.0 }),
        Event::TimerCleared { timer } => json!({ "event": "timer_cleared", "timer": timer.0 }),
        Event::Commented { text } => json!({ "event": "commented", "text": &**text }),
        Event::MailQueued { mail, kind, to } => {
            json!({ "event": "mail_queued", "mail": mail.0, "kind": mail_kind(kind), "to": to.as_str() })
        }
        Event::IncidentRaised { step, what, .. } => {
            json!({ "event": "incident_raised", "step": step.as_str(), "trouble": trouble(what) })
        }
        Event::Ended { outcome, reason } => {
            json!({ "event": "ended", "outcome": outcome.as_str(), "reason": reason.as_deref() })
        }
        Event::LockAwaited { token, step, lock } => {
            json!({ "event": "lock_awaited", "token": token.0, "step": step.as_str(), "lock": &**lock })
        }
        Event::WaitBegun { token, waits, due } => {
            json!({ "event": "wait_begun", "token": token.0, "for": self::waits(waits), "due_at": due })
        }
        Event::Postponed { token, attempt, at, zh, en } => json!({
            "event": "postponed", "token": token.0, "attempt": attempt, "at": at, "zh": &**zh, "en": &**en,
        }),
        Event::ScopeOpened { scope, branch, row, token, .. } => json!({
            "event": "scope_opened", "scope": scope.0, "branch": branch.as_deref(),
            "row": row.as_ref().map(|row| row.number), "token": token.0,
        }),
        Event::ScopeClosed { scope, done } => json!({ "event": "scope_closed", "scope": scope.0, "done": done }),
        Event::RowSet { scope, values } => {
            json!({ "event": "row_set", "scope": scope.0, "values": plain_record(values) })
        }
        Event::WentOverdue { step, task, .. } => {
            json!({ "event": "went_overdue", "step": step.as_str(), "task": task.map(|task| task.0) })
        }
        Event::Reassigned { task, from, to } => json!({
            "event": "reassigned", "task": task.0, "from": from.to_string(),
            "people": to.iter().map(|one| one.person.to_string()).collect::<Vec<_>>(),
        }),
        Event::HandedOver { from, to, applicant, .. } => json!({
            "event": "handed_over", "from": from.as_str(), "to": to.as_str(), "applicant": applicant,
        }),
        Event::StageReached { stage } => json!({ "event": "stage_reached", "stage": &**stage }),
        Event::Called { step, child, process, applicant, with, detached, .. } => json!({
            "event": "called", "step": step.as_str(), "child": child.to_string(), "process": process.as_str(),
            "applicant": applicant.as_str(), "with": plain_record(with), "detached": detached,
        }),
        Event::CallCancelled { child } => json!({ "event": "call_cancelled", "child": child.to_string() }),
        Event::MessageRead { token, message } => {
            json!({ "event": "message_read", "token": token.0, "message": &**message })
        }
        Event::UndoNoted { step, unsure, .. } => {
            json!({ "event": "undo_noted", "step": step.as_str(), "unsure_until": unsure })
        }
        Event::UndoLeft { step } => json!({ "event": "undo_left", "step": step.as_str() }),
        Event::UndoSkipped { step, reason, .. } => {
            json!({ "event": "undo_skipped", "step": step.as_str(), "reason": &**reason })
        }
        Event::CameLate { token } => json!({ "event": "came_late", "token": token.0 }),
        Event::Unusable { token, zh, en } => {
            json!({ "event": "unusable", "token": token.0, "zh": &**zh, "en": &**en })
        }
        Event::EndBegun { outcome, reason } => {
            json!({ "event": "end_begun", "outcome": outcome.as_str(), "reason": reason.as_deref() })
        }
        Event::UndoBegun { step, scope, .. } => {
            json!({ "event": "undo_begun", "step": step.as_str(), "scope": scope.0 })
        }
    }
}
