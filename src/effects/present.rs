//! The present and the future of a story: who is asked now, what a case waits for or is stopped by, what comes.

use super::format::{Words, clean_line};
use super::outside;
use super::timeline::{Mark, Moment, Scene};
use crate::engine::preview::Upcoming;
use crate::engine::state::{Owner, State, Task, TaskKind, Timer, TimerKind};
use crate::model::definition::Definition;
use crate::model::id::{PersonId, TokenId};
use chrono::{DateTime, Utc};

/// Who is asked now, and what else a case waits for or is stopped by. What exactly stopped it is for those to read who
/// can mend it.
pub(super) fn present(scene: &Scene<'_>, words: &Words<'_>, reader: Option<&PersonId>, operates: bool) -> Vec<Moment> {
    let open = scene.state.tasks.values().filter(|task| !task.parked);
    let mut story: Vec<Moment> = open.map(|task| now(task, scene, words, reader)).collect();
    for (number, token) in &scene.state.tokens {
        let step = |step| words.step_in(scene.definition, scene.state, *number, step);
        let title = || token.step.as_ref().map(step).unwrap_or_default();
        if let Some(what) = &token.incident {
            let raised = outside::raised(scene, *number);
            story.push(Moment {
                mark: Mark::Trouble,
                title: title(),
                when: raised.map(|entry| words.moment(entry.at)).unwrap_or_default(),
                words: match operates {
                    true => words.trouble(what),
                    false => {
                        words.pick("停在这一步，由管理员处理", "stopped here; the administrators look after it").into()
                    }
                },
                ..Moment::default()
            });
        } else if let Some(waits) = token.waits.as_ref().and_then(|waits| match operates {
            true => words.waits(waits, opens_at(scene.state, *number)),
            false => words.waits_plainly(waits, opens_at(scene.state, *number)),
        }) {
            story.push(Moment {
                mark: Mark::Now,
                title: title(),
                when: token.due.map(|due| words.moment(due)).unwrap_or_default(),
                words: waits,
                overdue: token.due.is_some_and(|due| due < words.now),
                ..Moment::default()
            });
        }
    }
    story
}

/// When what a token waits for is there by itself: of `wait`.
pub fn opens_at(state: &State, token: TokenId) -> Option<DateTime<Utc>> {
    let own = |timer: &&Timer| timer.of == Owner::Token(token) && timer.kind == TimerKind::Go;
    state.timers.values().find(own).map(|timer| timer.at)
}

fn now(task: &Task, scene: &Scene<'_>, words: &Words<'_>, reader: Option<&PersonId>) -> Moment {
    let title = words.task_in(scene.definition, scene.state, task);
    let yours = task.assignments.iter().any(|one| Some(&one.person) == reader);
    Moment {
        mark: Mark::Now,
        who: words.asked(task, &title),
        when: task.due.map(|due| words.moment(due)).unwrap_or_default(),
        words: match (yours, task.kind) {
            (true, _) => words.pick("轮到您", "Your turn").into(),
            (false, TaskKind::Revise { .. }) => words.pick("等待修改", "Waiting for changes").into(),
            (false, TaskKind::Approve) => words.pick("等待审批", "Waiting for approval").into(),
            (false, TaskKind::Begin) => words.pick("等待填写", "Waiting to be filled in").into(),
            (false, TaskKind::Work) => words.pick("等待办理", "Waiting for work").into(),
        },
        overdue: task.due.is_some_and(|due| due < words.now),
        title,
        yours,
        ..Moment::default()
    }
}

/// A step that lies ahead.
pub(super) fn ahead(step: &Upcoming, definition: &Definition, words: &Words<'_>) -> Moment {
    let title = match &step.title {
        Some(title) => clean_line(title.get(words.lang)),
        None => words.step(definition, &step.step),
    };
    Moment {
        mark: Mark::Ahead,
        who: words.signers(step.seats.iter().map(|seat| seat.iter().collect()).collect(), &title),
        words: if step.certain { String::new() } else { words.pick("视情况", "if needed").into() },
        title,
        ..Moment::default()
    }
}
