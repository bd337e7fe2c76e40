//! What a test expects, against what is so. Each failure stands at the line that was not met and says what was
//! found instead.

use super::came_to::{CameTo, came_to};
use super::scenario::{Stage, failed, tasks_at};
use super::standing::{local, named, standing};
use super::world::Mail;
use super::{Case, Letter};
use crate::compile::scenario::{Expected, Part, Path};
use crate::diagnostics::{Diagnostic, Span, Spanned};
use crate::engine::state::{MailKind, State, Task, TaskKind};
use crate::model::id::PersonId;
use crate::model::text::{Lang, Wording};
use crate::model::value::{Value, plain};
use crate::syntax::MailLike;
use chrono_tz::Tz;

/// All that an `expect` does not find as it says.
pub(super) fn failures(stage: &Stage<'_>, expected: &Expected) -> Vec<Diagnostic> {
    let number = match stage.case_of(&expected.case) {
        Ok(number) => number,
        Err(super::scenario::No::Nowhere(nowhere)) => return vec![*nowhere],
        Err(super::scenario::No::Refused(_)) => return Vec::new(),
    };
    let Some(case) = stage.world.cases().get(number) else { return Vec::new() };
    let mut found = Vec::new();
    ended(stage, case, expected, &mut found);
    tasks(stage, case, expected, &mut found);
    places(stage, case, expected, &mut found);
    for like in &expected.mails {
        mail(stage, like, &mut found);
    }
    for like in &expected.no_mails {
        no_mail(stage, like, &mut found);
    }
    for (span, name, value) in &expected.data {
        let holds = case.state.data.get(name).unwrap_or(&Value::Null);
        if !like_value(value, holds, stage.world.calendar().zone) {
            let (wanted, is) = (shown(value), shown(holds));
            found.push(failed(
                *span,
                Wording::new(
                    format!("`{name}` 应为 {wanted}，实际是 {is}"),
                    format!("`{name}` should be {wanted}, but it is {is}"),
                ),
            ));
        }
    }
    outcomes(stage, case, expected, &mut found);
    found
}

fn outcomes(stage: &Stage<'_>, case: &Case<'_>, expected: &Expected, found: &mut Vec<Diagnostic>) {
    for (path, outcome) in &expected.outcomes {
        let Some(case) = at_case(stage, case, path, found) else { continue };
        let is = match came_to(case, path) {
            CameTo::Outcome(is) if is == outcome.value => continue,
            CameTo::Outcome(is) => Wording::new(format!("实际是 `{is}`"), format!("it came to `{is}`")),
            CameTo::NoRow(each, rows) => Wording::new(
                format!("`{each}` 到现在只有 {rows} 行"),
                format!(
                    "`{each}` has come to {} so far",
                    if rows == 1 { "1 row".into() } else { format!("{rows} rows") }
                ),
            ),
            CameTo::Nothing => {
                let now = standing(&stage.world, case);
                Wording::new(format!("还没有结果。{}", now.zh), format!("it has not come to anything yet; {}", now.en))
            }
        };
        let wanted = &outcome.value;
        found.push(failed(
            outcome.span,
            Wording::new(
                format!("步骤 `{path}` 的结果应为 `{wanted}`，{}", is.zh),
                format!("step `{path}` should have come to `{wanted}`, but {}", is.en),
            ),
        ));
    }
}

fn ended(stage: &Stage<'_>, case: &Case<'_>, expected: &Expected, found: &mut Vec<Diagnostic>) {
    let Some(wanted) = &expected.ended else { return };
    let ended = case.state.ended.as_ref().map(|ended| &ended.outcome);
    if ended == Some(&wanted.value) {
        return;
    }
    let outcome = &wanted.value;
    let message = match ended {
        Some(other) => Wording::new(
            format!("案例应以 `{outcome}` 结束，实际以 `{other}` 结束"),
            format!("the case should have ended as `{outcome}`, but it ended as `{other}`"),
        ),
        None => {
            let now = standing(&stage.world, case);
            Wording::new(
                format!("案例应以 `{outcome}` 结束，实际还没有结束。{}", now.zh),
                format!("the case should have ended as `{outcome}`, but it is still open; {}", now.en),
            )
        }
    };
    found.push(failed(wanted.span, message));
}

fn tasks(stage: &Stage<'_>, case: &Case<'_>, expected: &Expected, found: &mut Vec<Diagnostic>) {
    let world = &stage.world;
    for path in &expected.tasks {
        let Some(case) = at_case(stage, case, path, found) else { continue };
        let open: Vec<&Task> = asked(&case.state, path).collect();
        if open.is_empty() {
            let now = standing(world, case);
            found.push(failed(
                path.span,
                Wording::new(
                    format!("步骤 `{path}` 应有待办，实际没有。{}", now.zh),
                    format!("somebody should be asked at step `{path}`, but nobody is; {}", now.en),
                ),
            ));
            continue;
        }
        if let Some(people) = &expected.people {
            let mut asked: Vec<&PersonId> =
                open.iter().flat_map(|task| &task.assignments).map(|one| &one.person).collect();
            asked.sort();
            asked.dedup();
            let mut wanted: Vec<&PersonId> = people.value.iter().collect();
            wanted.sort();
            wanted.dedup();
            if asked != wanted {
                let list = |people: &[&PersonId], lang| {
                    let all: Vec<String> = people.iter().map(|person| named(world, person, lang)).collect();
                    all.join(if lang == Lang::Zh { "、" } else { ", " })
                };
                found.push(failed(
                    people.span,
                    Wording::new(
                        format!(
                            "步骤 `{path}` 应由 {} 办理，实际是 {}",
                            list(&wanted, Lang::Zh),
                            list(&asked, Lang::Zh)
                        ),
                        format!(
                            "step `{path}` should be asked of {}, but it is asked of {}",
                            list(&wanted, Lang::En),
                            list(&asked, Lang::En)
                        ),
                    ),
                ));
            }
        }
        if let Some(due) = &expected.due {
            let is = open.iter().find_map(|task| task.due);
            if is != Some(due.value) {
                let wanted = local(world, due.value);
                let (zh, en) = is.map_or_else(
                    || ("没有期限".to_owned(), "it has no due time".to_owned()),
                    |is| (format!("实际是 {}", local(world, is)), format!("it is due at {}", local(world, is))),
                );
                found.push(failed(
                    due.span,
                    Wording::new(format!("期限应为 {wanted}，{zh}"), format!("it should be due at {wanted}, but {en}")),
                ));
            }
        }
    }
    for path in &expected.no_tasks {
        // What was never called asks nobody.
        if stage.case_of(path).is_err() {
            continue;
        }
        let Some(case) = at_case(stage, case, path, found) else { continue };
        if asked(&case.state, path).next().is_some() {
            let now = standing(world, case);
            found.push(failed(
                path.span,
                Wording::new(
                    format!("步骤 `{path}` 不应有待办。{}", now.zh),
                    format!("nobody should be asked at step `{path}`; {}", now.en),
                ),
            ));
        }
    }
}

/// The case that a way is in: `here`, or what a step on the way called.
fn at_case<'s>(
    stage: &'s Stage<'_>,
    here: &'s Case<'s>,
    path: &Path,
    found: &mut Vec<Diagnostic>,
) -> Option<&'s Case<'s>> {
    if !path.parts.iter().any(|part| matches!(part, Part::Call(_))) {
        return Some(here);
    }
    match stage.case_of(path) {
        Ok(number) => stage.world.cases().get(number),
        Err(super::scenario::No::Nowhere(nowhere)) => {
            found.push(*nowhere);
            None
        }
        Err(super::scenario::No::Refused(_)) => None,
    }
}

/// Tasks that wait for people at a step: a parked one waits for its revision, which is a task too.
fn asked<'s>(state: &'s State, path: &'s Path) -> impl Iterator<Item = &'s Task> {
    tasks_at(state, path).map(|(_, task)| task).filter(|task| !task.parked)
}

fn places(stage: &Stage<'_>, case: &Case<'_>, expected: &Expected, found: &mut Vec<Diagnostic>) {
    let now = standing(&stage.world, case);
    if let Some(at) = &expected.at {
        let mut wanted: Vec<String> = at.value.iter().filter_map(|path| path.parts.last()).map(step_of).collect();
        let tokens = case.state.tokens.values().filter_map(|token| token.step.as_ref());
        let mut is: Vec<String> = tokens.map(ToString::to_string).collect();
        wanted.sort();
        is.sort();
        is.dedup();
        if wanted != is {
            let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let nowhere = is.is_empty();
            found.push(failed(
                at.span,
                Wording::new(
                    format!(
                        "案例应停在 {}，实际{}",
                        list(&wanted).join("、"),
                        if nowhere { now.zh.clone() } else { format!("停在 {}", list(&is).join("、")) }
                    ),
                    format!(
                        "the case should stand at {}, but {}",
                        list(&wanted).join(", "),
                        if nowhere { now.en.clone() } else { format!("it stands at {}", list(&is).join(", ")) }
                    ),
                ),
            ));
        }
    }
    if let Some(stage) = &expected.stage {
        let is = case.state.stage.as_deref();
        if is != Some(stage.value.as_str()) {
            let wanted = &stage.value;
            let (zh, en) = is.map_or_else(
                || ("还不在任何阶段".to_owned(), "it has come to none yet".to_owned()),
                |is| (format!("实际在 `{is}`"), format!("it is in `{is}`")),
            );
            found.push(failed(
                stage.span,
                Wording::new(
                    format!("案例应在阶段 `{wanted}`，{zh}"),
                    format!("the case should be in stage `{wanted}`, but {en}"),
                ),
            ));
        }
    }
    if let Some(path) = &expected.incident {
        let stopped = case.state.tokens.values().any(|token| {
            token.incident.is_some()
                && token
                    .step
                    .as_ref()
                    .is_some_and(|step| path.parts.last().is_some_and(|part| step_of(part) == step.as_str()))
        });
        if !stopped {
            found.push(failed(
                path.span,
                Wording::new(
                    format!("案例应因异常停在 `{path}`，实际没有。{}", now.zh),
                    format!("the case should have stopped with an incident at `{path}`, but it has not; {}", now.en),
                ),
            ));
        }
    }
}

fn step_of(part: &Part) -> String {
    match part {
        Part::Step(step) | Part::Call(step) => step.to_string(),
        Part::Row(row) => row.to_string(),
    }
}

fn mail(stage: &Stage<'_>, like: &MailLike, found: &mut Vec<Diagnostic>) {
    let sent = stage.world.mails().get(stage.since..).unwrap_or_default();
    let people: Vec<Option<&Spanned<String>>> =
        if like.to.is_empty() { vec![None] } else { like.to.iter().map(Some).collect() };
    for to in people {
        let theirs: Vec<&Mail> = sent
            .iter()
            .filter(|mail| to.is_none_or(|to| to.value == mail.to.as_str()) && of_kind(mail, like))
            .collect();
        if theirs.is_empty() {
            let span = to.map_or(like.span, |to| to.span);
            let all = all_sent(stage, sent);
            let kind = like.kind.as_ref().map(|kind| &kind.value);
            let (zh, en) =
                kind.map_or_else(Default::default, |kind| (format!(" `{kind}` "), format!(" of kind `{kind}`")));
            let message = match to {
                Some(to) => Wording::new(
                    format!("应给 `{}` 发一封{zh}邮件，实际没有。{}", to.value, all.zh),
                    format!("`{}` should get a mail{en}, but gets none; {}", to.value, all.en),
                ),
                None => Wording::new(
                    format!("应发一封{zh}邮件，实际没有。{}", all.zh),
                    format!("there should be a mail{en}, but there is none; {}", all.en),
                ),
            };
            found.push(failed(span, message));
            continue;
        }
        let letters: Vec<(&Mail, Letter)> = match like.subject.is_empty() && like.body.is_empty() {
            true => continue,
            false => theirs.iter().filter_map(|mail| Some((*mail, written(stage, mail, like.span, found)?))).collect(),
        };
        for subject in &like.subject {
            if !letters.iter().any(|(_, letter)| letter.subject.contains(&subject.value)) {
                let is: Vec<String> = letters.iter().map(|(_, letter)| format!("“{}”", letter.subject)).collect();
                found.push(failed(
                    subject.span,
                    Wording::new(
                        format!("邮件主题里应有“{}”，实际是{}", subject.value, is.join("、")),
                        format!("the subject should hold “{}”, but it is {}", subject.value, is.join(", ")),
                    ),
                ));
            }
        }
        for body in &like.body {
            if !letters.iter().any(|(_, letter)| letter.text.contains(&body.value)) {
                let text = letters.first().map(|(_, letter)| letter.text.trim_end().to_owned()).unwrap_or_default();
                found.push(
                    failed(
                        body.span,
                        Wording::new(
                            format!("邮件正文里应有“{}”，实际没有", body.value),
                            format!("the text of the mail should hold “{}”, but it does not", body.value),
                        ),
                    )
                    .hint(Wording::new(format!("正文：\n{text}"), format!("the text:\n{text}"))),
                );
            }
        }
    }
}

fn no_mail(stage: &Stage<'_>, like: &MailLike, found: &mut Vec<Diagnostic>) {
    let sent = stage.world.mails().get(stage.since..).unwrap_or_default();
    for mail in sent {
        let theirs = like.to.is_empty() || like.to.iter().any(|to| to.value == mail.to.as_str());
        if !theirs || !of_kind(mail, like) {
            continue;
        }
        let letter =
            if like.subject.is_empty() && like.body.is_empty() { None } else { written(stage, mail, like.span, found) };
        let holds = letter.is_none_or(|letter| {
            like.subject.iter().all(|subject| letter.subject.contains(&subject.value))
                && like.body.iter().all(|body| letter.text.contains(&body.value))
        });
        if holds {
            let (to, kind) = (&mail.to, kind_of(mail));
            found.push(failed(
                like.span,
                Wording::new(
                    format!("不应有这封邮件，却给 `{to}` 发了一封 `{kind}` 邮件"),
                    format!("there should be no such mail, but one of kind `{kind}` went to `{to}`"),
                ),
            ));
            return;
        }
    }
}

fn written(stage: &Stage<'_>, mail: &Mail, span: Span, found: &mut Vec<Diagnostic>) -> Option<Letter> {
    match stage.letters.letter(&stage.world.posted(mail)?) {
        Ok(letter) => Some(letter),
        Err(what) => {
            found.push(failed(span, what));
            None
        }
    }
}

/// The mails of the last act, in a sentence.
fn all_sent(stage: &Stage<'_>, sent: &[Mail]) -> Wording {
    if sent.is_empty() {
        return Wording::new("这一步没有发出邮件。", "nothing was sent by this act");
    }
    let list = |lang: Lang| {
        let one = |mail: &Mail| format!("{} `{}`", named(&stage.world, &mail.to, lang), kind_of(mail));
        sent.iter().map(one).collect::<Vec<_>>()
    };
    Wording::new(
        format!("这一步发出的：{}。", list(Lang::Zh).join("；")),
        format!("sent by this act: {}", list(Lang::En).join("; ")),
    )
}

fn of_kind(mail: &Mail, like: &MailLike) -> bool {
    like.kind.as_ref().is_none_or(|kind| kind.value == kind_of(mail))
}

/// What a mail is for, as tests name it.
pub(super) fn kind_of(mail: &Mail) -> &'static str {
    match &mail.kind {
        MailKind::Assigned { task, .. } => match mail.state.tasks.get(task).map(|task| task.kind) {
            Some(TaskKind::Revise { .. }) => "revise",
            _ => "assigned",
        },
        MailKind::Reminder { .. } => "reminder",
        MailKind::FreshLink { .. } => "link",
        MailKind::Decided { .. } => "decided",
        MailKind::Ended => "ended",
        MailKind::Notice { .. } => "notice",
        MailKind::Overdue { .. } => "overdue",
        MailKind::HandedOver => "handed_over",
        MailKind::ActedFor { .. } => "acted_for",
    }
}

/// Whether a value is as written: a row by the columns that are named, a time without a zone as one of the calendar.
fn like_value(wanted: &Value, is: &Value, zone: Tz) -> bool {
    match (wanted, is) {
        (Value::List(wanted), Value::List(is)) => {
            wanted.len() == is.len() && wanted.iter().zip(is).all(|(wanted, is)| like_value(wanted, is, zone))
        }
        (Value::Record(wanted), Value::Record(is)) => {
            wanted.iter().all(|(name, value)| like_value(value, is.get(name).unwrap_or(&Value::Null), zone))
        }
        (Value::List(wanted), Value::Null) => wanted.is_empty(),
        (Value::DateTime(wanted), Value::DateTime(is)) => wanted.instant(zone) == is.instant(zone),
        _ => wanted == is,
    }
}

fn shown(value: &Value) -> String {
    match plain(value) {
        serde_json::Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}
