//! Which case and which task a text from the shell means.

use super::exit::{Exit, Stop};
use super::output::Output;
use crate::diagnostics::suggest;
use crate::effects::format::Words;
use crate::engine::Facts;
use crate::engine::preview::{Upcoming, upcoming};
use crate::engine::state::{Task, TaskKind};
use crate::model::definition::Definition;
use crate::model::id::{AssignmentId, PersonId, TaskId};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::runtime::{Case, Files, Found, InstanceFilter, InstanceRow, Runtime};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The world as the runtime sees it now, for words and previews.
pub(crate) struct World {
    pub(crate) now: DateTime<Utc>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) calendar: Arc<Calendar>,
    pub(crate) files: Files,
}

impl World {
    /// What a runtime knows.
    pub(crate) fn of(runtime: &Runtime) -> World {
        World {
            now: runtime.now(),
            directory: runtime.directory(),
            calendar: runtime.calendar(),
            files: runtime.files().clone(),
        }
    }

    /// Words for the reader of the shell, in the calendar's zone.
    pub(crate) fn words(&self, output: &Output) -> Words<'_> {
        Words { lang: output.lang, zone: self.calendar.zone, now: self.now, directory: &self.directory }
    }

    /// What lies ahead of a case.
    pub(crate) fn upcoming(&self, case: &Case) -> Vec<Upcoming> {
        let (directory, calendar) = (&*self.directory, &*self.calendar);
        let facts = Facts { now: self.now, directory, calendar, sequence: 0, seed: [0; 16] };
        upcoming(&case.definition, &case.state, &facts)
    }
}

/// The case that a text names, as lists show it.
pub(crate) async fn row(runtime: &Runtime, output: &Output, text: &str) -> Result<InstanceRow, Stop> {
    match runtime.find(text.trim()).await? {
        Found::One(row) => Ok(*row),
        Found::Many(rows) => Err(several(runtime, output, text, &rows)),
        Found::None => {
            let recent = runtime.instances(&InstanceFilter { limit: 200, ..InstanceFilter::default() }).await?;
            if recent.is_empty() {
                return Err(Stop::not_found(
                    format!("没有案例“{text}”：还没有人发起过。`countersign start` 发起一个。"),
                    format!("There is no case “{text}”: none was started yet. `countersign start` starts one."),
                ));
            }
            let numbers: Vec<String> = recent.iter().map(InstanceRow::reference).collect();
            let close = suggest::closest(text.trim(), numbers.iter().map(String::as_str));
            let (zh, en) = close.map_or_else(Default::default, |close| {
                (format!("是不是“{close}”？"), format!(" Did you mean “{close}”?"))
            });
            Err(Stop::not_found(
                format!("没有案例“{text}”。{zh}`countersign list` 列出案例。"),
                format!("There is no case “{text}”.{en} `countersign list` lists them."),
            ))
        }
    }
}

fn several(runtime: &Runtime, output: &Output, text: &str, rows: &[InstanceRow]) -> Stop {
    let world = World::of(runtime);
    let words = world.words(output);
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let title = crate::effects::format::clean_line(row.title.get(output.lang));
            format!("  {}  {title}  {}", row.reference(), words.name(&row.applicant))
        })
        .collect();
    let lines = lines.join("\n");
    Stop::Because(
        Exit::NotFound,
        Wording::new(
            format!("“{text}”可以是好几个案例，请多写几位：\n{lines}"),
            format!("“{text}” could be several cases; write more of it:\n{lines}"),
        ),
    )
}

/// The case that a text names, with its log.
pub(crate) async fn case(runtime: &Runtime, output: &Output, text: &str) -> Result<Case, Stop> {
    let row = row(runtime, output, text).await?;
    loaded(runtime, &row, text).await
}

async fn loaded(runtime: &Runtime, row: &InstanceRow, text: &str) -> Result<Case, Stop> {
    runtime.case(row.id).await?.ok_or_else(|| {
        Stop::not_found(format!("案例“{text}”刚刚被删除。"), format!("The case “{text}” has just been removed."))
    })
}

/// What a person is asked in a case.
pub(crate) struct Asked {
    /// The case.
    pub(crate) case: Case,
    /// The task.
    pub(crate) number: TaskId,
    /// The task as it is.
    pub(crate) task: Task,
    /// The person's part of it.
    pub(crate) assignment: Option<AssignmentId>,
}

/// Which tasks a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Approvals and work.
    Answer,
    /// Revisions.
    Revision,
}

/// The task that `REF` or `REF/STEP` means for a person: the only one open, or the only one that they are asked.
pub(crate) async fn task(
    runtime: &Runtime,
    output: &Output,
    text: &str,
    person: &PersonId,
    wanted: Wanted,
) -> Result<Asked, Stop> {
    let (row, step) = match (runtime.find(text.trim()).await?, text.rsplit_once('/')) {
        (Found::One(row), _) => (*row, None),
        (_, Some((case, step))) => (self::row(runtime, output, case).await?, Some(step.trim().to_owned())),
        (_, None) => (self::row(runtime, output, text).await?, None),
    };
    let case = loaded(runtime, &row, text).await?;
    let world = World::of(runtime);
    let words = world.words(output);
    let fits = |task: &Task| {
        let revise = matches!(task.kind, TaskKind::Revise { .. });
        let named = step.as_deref().is_none_or(|step| {
            task.step.as_str() == step || words.task(&case.definition, &task.step, task.kind) == step
        });
        !task.parked && (revise == (wanted == Wanted::Revision)) && named
    };
    let open: Vec<(TaskId, &Task)> =
        case.state.tasks.iter().filter(|(_, task)| fits(task)).map(|(number, task)| (*number, task)).collect();
    let own: Vec<&(TaskId, &Task)> = open.iter().filter(|(_, task)| part(task, person).is_some()).collect();
    let (number, task) = match (own.as_slice(), open.as_slice()) {
        ([one], _) => **one,
        // Nobody asks them: the engine says so, and whom it asks.
        ([], [one]) => *one,
        ([], []) => return Err(nothing_open(&case, &world, output, step.as_deref(), wanted)),
        _ => {
            let known: Vec<&str> = open.iter().map(|(_, task)| task.step.as_str()).collect();
            return Err(Stop::not_found(
                format!(
                    "{} 有几项待办，请写明是哪一步：{}/步骤，步骤有 {}。",
                    row.reference(),
                    row.reference(),
                    known.join("、")
                ),
                format!(
                    "{0} asks for several things; say which: {0}/STEP, where STEP is one of {1}.",
                    row.reference(),
                    known.join(", ")
                ),
            ));
        }
    };
    let (task, assignment) = (task.clone(), part(task, person));
    Ok(Asked { case, number, task, assignment })
}

fn part(task: &Task, person: &PersonId) -> Option<AssignmentId> {
    task.assignments.iter().find(|one| one.person == *person).map(|one| one.id)
}

fn nothing_open(case: &Case, world: &World, output: &Output, step: Option<&str>, wanted: Wanted) -> Stop {
    let words = world.words(output);
    let reference = case.state.reference();
    if let Some(ended) = &case.state.ended {
        let ending = words.ending(&case.definition, &ended.outcome);
        let at = words.moment(ended.at);
        return Stop::Because(
            Exit::Refused,
            Wording::new(
                format!("{reference} 已经结束（{ending}，{at}），没有待办了。"),
                format!("{reference} has ended ({ending}, {at}); nothing is asked any more."),
            ),
        );
    }
    let open: Vec<String> = case
        .state
        .tasks
        .values()
        .filter(|task| !task.parked)
        .map(|task| words.task(&case.definition, &task.step, task.kind))
        .collect();
    let (zh, en) = match (step, wanted) {
        (Some(step), _) => {
            (format!("{reference} 现在没有“{step}”这项待办。"), format!("{reference} does not ask for “{step}” now."))
        }
        (None, Wanted::Revision) => {
            (format!("{reference} 现在不需要修改。"), format!("{reference} does not wait for a revision."))
        }
        (None, Wanted::Answer) => {
            (format!("{reference} 现在没有待审批或待办理的事。"), format!("{reference} waits for no answer now."))
        }
    };
    let (zh, en) = if open.is_empty() {
        (zh, en)
    } else {
        (format!("{zh}现在等待的是：{}。", open.join("、")), format!("{en} It waits for: {}.", open.join(", ")))
    };
    Stop::Because(Exit::Refused, Wording::new(zh, en))
}

/// The title of a process in the reader's language.
pub(crate) fn title(definition: &Definition, output: &Output) -> String {
    crate::effects::format::clean_line(definition.title.get(output.lang))
}
