//! Where a case stands, in words: who is asked what until when, and what else is waited for.

use super::scenario::is_revision;
use super::world::{Case, World, rows};
use crate::compile::scenario::START;
use crate::engine::state::{Owner, State, Task, TaskKind, TimerKind, Token, Waiting};
use crate::model::id::{PersonId, StepId, TokenId};
use crate::model::text::{Lang, Wording};
use chrono::{DateTime, Utc};

/// A moment as tests write it.
pub(super) fn local(world: &World<'_>, at: DateTime<Utc>) -> String {
    world.calendar().local(at).format("%Y-%m-%dT%H:%M").to_string()
}

/// A person as a test and a reader know them: `li（李伟）`.
pub(super) fn named(world: &World<'_>, person: &PersonId, lang: Lang) -> String {
    let name = world.directory().name_of(person);
    match lang {
        _ if name == person.as_str() => name.to_owned(),
        Lang::Zh => format!("{person}（{name}）"),
        Lang::En => format!("{person} ({name})"),
    }
}

/// Where a case stands, in a sentence.
pub(super) fn standing(world: &World<'_>, case: &Case<'_>) -> Wording {
    if let Some(ended) = &case.state.ended {
        let outcome = &ended.outcome;
        return Wording::new(format!("案例已结束：`{outcome}`。"), format!("the case has ended as `{outcome}`"));
    }
    let standing = Standing { world, state: &case.state };
    let stopped: Vec<String> = (case.state.tokens.values())
        .filter(|token| token.incident.is_some())
        .filter_map(|token| token.step.as_ref().map(|step| format!("`{step}`")))
        .collect();
    let told = |lang: Lang, glue: &str| (standing.asked(lang).join(glue), standing.waited(lang).join(glue));
    let ((asked, waited), (asked_en, waited_en)) = (told(Lang::Zh, "；"), told(Lang::En, "; "));
    let mut all: Vec<Wording> = Vec::new();
    if !asked.is_empty() {
        all.push(Wording::new(format!("现在的待办：{asked}。"), format!("asked now: {asked_en}")));
    }
    if !waited.is_empty() {
        all.push(Wording::new(format!("在等：{waited}。"), format!("waiting: {waited_en}")));
    }
    if all.is_empty() && !stopped.is_empty() {
        all.push(Wording::new(
            format!("案例因异常停在 {}。", stopped.join("、")),
            format!("the case stopped with an incident at {}", stopped.join(", ")),
        ));
    }
    if all.is_empty() {
        return Wording::new("现在没有待办。", "nobody is asked anything now");
    }
    let told = |lang: Lang, glue: &str| all.iter().map(|one| one.get(lang)).collect::<Vec<_>>().join(glue);
    Wording::new(told(Lang::Zh, ""), told(Lang::En, "; "))
}

struct Standing<'a> {
    world: &'a World<'a>,
    state: &'a State,
}

impl Standing<'_> {
    /// Who is asked, at which step and until when.
    fn asked(&self, lang: Lang) -> Vec<String> {
        let task = |task: &Task| {
            let people =
                task.assignments.iter().filter(|one| !task.answers.iter().any(|done| done.assignment == one.id));
            let people: Vec<String> = people.map(|one| named(self.world, &one.person, lang)).collect();
            let begins = task.kind == TaskKind::Begin;
            let step = if begins { START.to_owned() } else { self.way(task.token, &task.step) };
            let what = match lang {
                Lang::Zh if task.parked => return format!("`{step}`：等待修改"),
                Lang::En if task.parked => return format!("`{step}`: waits for the revision"),
                Lang::Zh if begins => "（填写）",
                Lang::En if begins => " (to be filled in)",
                Lang::Zh if is_revision(task.kind) => "（修改）",
                Lang::En if is_revision(task.kind) => " (revision)",
                _ => "",
            };
            let due = self.due(task.due, lang);
            match lang {
                Lang::Zh => format!("`{step}`{what}：{}{due}", people.join("、")),
                Lang::En => format!("`{step}`{what}: {}{due}", people.join(", ")),
            }
        };
        self.state.tasks.values().map(task).collect()
    }

    /// What is waited for besides people.
    fn waited(&self, lang: Lang) -> Vec<String> {
        let one = |(number, token): (&TokenId, &Token)| {
            let waits = token.waits.as_ref().filter(|_| token.incident.is_none())?;
            let pick = |zh: String, en: String| if lang == Lang::Zh { zh } else { en };
            let what = match waits {
                Waiting::Block(_) => return None,
                Waiting::Time => {
                    let own = |timer: &&crate::engine::state::Timer| {
                        timer.of == Owner::Token(*number) && timer.kind == TimerKind::Go
                    };
                    let at = self.state.timers.values().find(own).map(|timer| local(self.world, timer.at));
                    let at = at.unwrap_or_default();
                    pick(format!("到 {at}"), format!("until {at}"))
                }
                Waiting::Message { name, key: Some(key), .. } => {
                    pick(format!("消息 `{name}`（{key}）"), format!("for the message `{name}` ({key})"))
                }
                Waiting::Message { name, key: None, .. } => {
                    pick(format!("消息 `{name}`"), format!("for the message `{name}`"))
                }
                Waiting::Lock { name, .. } => pick(format!("轮到（`{name}`）"), format!("for its turn (`{name}`)")),
                Waiting::Call { process, .. } => {
                    pick(format!("流程 `{process}` 结束"), format!("for `{process}` to end"))
                }
                Waiting::Http { .. } => pick("外部系统答复".into(), "for another system".into()),
                Waiting::Job { name, .. } => pick(format!("作业 `{name}`"), format!("for the job `{name}`")),
            };
            let (step, due) = (self.way(*number, token.step.as_ref()?), self.due(token.due, lang));
            Some(pick(format!("`{step}` {what}{due}"), format!("`{step}` {what}{due}")))
        };
        self.state.tokens.iter().filter_map(one).collect()
    }

    fn due(&self, due: Option<DateTime<Utc>>, lang: Lang) -> String {
        match (due.map(|due| local(self.world, due)), lang) {
            (Some(due), Lang::Zh) => format!("，期限 {due}"),
            (Some(due), Lang::En) => format!(", due {due}"),
            (None, _) => String::new(),
        }
    }

    /// A step with the rows that it is in, as tests name it: `ask/2/offer`.
    fn way(&self, token: TokenId, step: &StepId) -> String {
        let rows = rows(self.state, token);
        rows.iter().map(|(each, row)| format!("{each}/{row}/")).chain([step.to_string()]).collect()
    }
}
