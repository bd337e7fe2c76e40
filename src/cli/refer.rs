//! Which case and which task a text from the shell means.

use super::exit::{Exit, Stop};
use super::output::Output;
use crate::diagnostics::suggest;
use crate::effects::format::Words;
use crate::engine::preview::{Upcoming, upcoming};
use crate::engine::refusal::Refusal;
use crate::engine::state::{Task, TaskKind};
use crate::engine::{self, Facts};
use crate::model::definition::Definition;
use crate::model::id::{AssignmentId, PersonId, TaskId};
use crate::model::people::Directory;
use crate::model::text::{Lang, Wording};
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
    pub(crate) live: Vec<Arc<Definition>>,
}

impl World {
    /// What a runtime knows.
    pub(crate) fn of(runtime: &Runtime) -> World {
        World {
            now: runtime.now(),
            directory: runtime.directory(),
            calendar: runtime.calendar(),
            files: runtime.files().clone(),
            live: runtime.definitions(),
        }
    }

    /// Words for the reader of the shell, in the calendar's zone.
    pub(crate) fn words(&self, output: &Output) -> Words<'_> {
        Words {
            lang: output.lang,
            zone: self.calendar.zone,
            home: self.calendar.zone,
            now: self.now,
            directory: &self.directory,
            live: &self.live,
        }
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
    /// Approvals; of work it is said what may be answered there.
    Approval,
    /// Work, and start forms that are still to be filled in.
    Work,
    /// Revisions, and start forms too.
    Revision,
}

impl Wanted {
    fn fits(self, kind: TaskKind) -> bool {
        match kind {
            TaskKind::Approve | TaskKind::Work => self != Wanted::Revision,
            TaskKind::Revise { .. } => self == Wanted::Revision,
            TaskKind::Begin => self != Wanted::Approval,
        }
    }

    /// Whether it was that that somebody answered before.
    fn was(self, kind: TaskKind) -> bool {
        match kind {
            TaskKind::Approve => self == Wanted::Approval,
            TaskKind::Work | TaskKind::Begin => self == Wanted::Work,
            TaskKind::Revise { .. } => self == Wanted::Revision,
        }
    }
}

/// What a task is called behind its case: `survey`, in a row with the step that goes through them `visits/2/survey`.
fn address(case: &Case, task: &Task) -> String {
    let rows = engine::rows_around(&case.definition, &case.state, task.token).into_iter();
    let way = |each: &str, row: u32| format!("{each}/{row}/");
    let rows = rows.map(|(each, row)| way(each.map_or("", |each| each.as_str()), row.number.saturating_add(1)));
    rows.collect::<String>() + task.step.as_str()
}

/// Whether what was written behind a case leads to a task, as in tests: through all or some of the steps and rows
/// around it, in their order, to its step.
fn leads(case: &Case, task: &Task, written: &str) -> bool {
    let state = &case.state;
    let mut around = Vec::new();
    let mut scope = state.tokens.get(&task.token).and_then(|token| state.scopes.get(&token.scope));
    while let Some(here) = scope {
        around.extend(here.row.as_ref().map(|row| row.number.saturating_add(1).to_string()));
        let holder = here.holder.and_then(|holder| state.tokens.get(&holder));
        around.extend(holder.and_then(|holder| holder.step.as_ref()).map(ToString::to_string));
        scope = here.parent.and_then(|parent| state.scopes.get(&parent));
    }
    let mut around = around.iter().rev();
    match written.rsplit_once('/') {
        None => written == task.step.as_str(),
        Some((way, step)) => step == task.step.as_str() && way.split('/').all(|part| around.any(|here| here == part)),
    }
}

/// Whether a task is meant by what was written behind its case: a way to it, or its title.
fn is_meant(case: &Case, task: &Task, words: &Words<'_>, written: &str) -> bool {
    leads(case, task, written)
        || written == words.task(&case.definition, &task.step, task.kind)
        || written == words.task_in(&case.definition, &case.state, task)
}

/// The task that `REF`, `REF/STEP` or `REF/EACH/ROW/STEP` means for a person: the only one open, or the only one that they are asked.
pub(crate) async fn task(
    runtime: &Runtime,
    output: &Output,
    text: &str,
    person: &PersonId,
    wanted: Wanted,
) -> Result<Asked, Stop> {
    let (row, step) = match (runtime.find(text.trim()).await?, text.split_once('/')) {
        (Found::One(row), _) => (*row, None),
        (_, Some((case, step))) => (self::row(runtime, output, case).await?, Some(step.trim().to_owned())),
        (_, None) => (self::row(runtime, output, text).await?, None),
    };
    let case = loaded(runtime, &row, text).await?;
    let world = World::of(runtime);
    let words = world.words(output);
    let fits = |task: &Task| {
        let named = step.as_deref().is_none_or(|step| is_meant(&case, task, &words, step));
        !task.parked && wanted.fits(task.kind) && named
    };
    let open: Vec<(TaskId, &Task)> =
        case.state.tasks.iter().filter(|(_, task)| fits(task)).map(|(number, task)| (*number, task)).collect();
    let own: Vec<&(TaskId, &Task)> = open.iter().filter(|(_, task)| part(task, person).is_some()).collect();
    let (number, task) = match (own.as_slice(), open.as_slice()) {
        ([one], _) => **one,
        // Nobody asks them: the engine says so, and whom it asks.
        ([], [one]) => *one,
        ([], []) => return Err(nothing_open(&case, &world, output, person, step.as_deref(), wanted)),
        _ => {
            let known: Vec<String> = open
                .iter()
                .map(|(_, task)| match (address(&case, task), words.task_in(&case.definition, &case.state, task)) {
                    (address, title) if output.lang == Lang::Zh => format!("{address}（{title}）"),
                    (address, title) => format!("{address} ({title})"),
                })
                .collect();
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

/// That a case has ended, in the words in which `show` tells it.
pub(crate) fn over(case: &Case, world: &World, output: &Output) -> Option<Stop> {
    let ended = case.state.ended.as_ref()?;
    let (reference, words) = (case.state.reference(), world.words(output));
    let (ending, at) = (words.ending(&case.definition, &ended.outcome), words.moment(ended.at));
    Some(Stop::Because(
        Exit::Refused,
        Wording::new(
            format!("{reference} 已经结束（{ending}，{at}），不能再改。"),
            format!("{reference} has ended ({ending}, {at}); nothing can change any more."),
        ),
    ))
}

/// Why a person is not asked: what they answered before, or who is asked instead.
pub(crate) fn not_asked(asked: &Asked, world: &World, output: &Output, person: &PersonId, wanted: Wanted) -> Stop {
    if let Some(before) = answered(&asked.case, world, output, person, None, wanted) {
        return before;
    }
    let task = &asked.task;
    let open = task.assignments.iter().filter(|one| !task.answers.iter().any(|given| given.assignment == one.id));
    let refusal = Refusal::NotAssigned { person: person.clone(), asked: open.map(|one| one.person.clone()).collect() };
    Stop::Because(Exit::Refused, refusal.wording(&world.directory, world.calendar.zone))
}

/// What a person answered last in a case, at a step where one is named.
fn answered(
    case: &Case,
    world: &World,
    output: &Output,
    person: &PersonId,
    step: Option<&str>,
    wanted: Wanted,
) -> Option<Stop> {
    let words = world.words(output);
    let titles = words.tasks_of(&case.definition, &case.entries);
    // A task that others sign too is open still.
    let open = case.state.tasks.iter().map(|(id, task)| (id, &task.step, task.kind, &task.answers));
    let closed = case.state.closed.iter().map(|(id, task)| (id, &task.step, task.kind, &task.answers));
    let given = open.chain(closed);
    let given = given.flat_map(|(id, at, kind, answers)| answers.iter().map(move |answer| (id, at, kind, answer)));
    // Of a row that is over only the step of its address is left.
    let step = step.map(|step| (step, step.rsplit('/').next().unwrap_or(step)));
    let own = given.filter(|(id, at, kind, answer)| {
        let title = |written| titles.get(*id).is_some_and(|title| title == written);
        let named = step.is_none_or(|(written, last)| {
            at.as_str() == last || title(written) || words.task(&case.definition, at, *kind) == written
        });
        answer.person == *person && wanted.was(*kind) && named
    });
    let (id, at, kind, answer) = own.max_by_key(|(_, _, _, answer)| answer.at)?;
    let human = case.definition.steps.get(at).and_then(|step| step.human());
    let human = human.filter(|_| matches!(kind, TaskKind::Approve | TaskKind::Work));
    let (title, said) = (titles.get(id).cloned().unwrap_or_default(), words.answer(human, &answer.outcome));
    let (who, at) = (words.name(person), words.moment(answer.at));
    let (zh, en) = waits_for(case, &words);
    Some(Stop::Because(
        Exit::Refused,
        Wording::new(
            format!("{who} 已于 {at} 处理“{title}”：{said}。不能再改。{zh}"),
            format!("{who} answered “{title}” on {at}: {said}. That stands.{en}"),
        ),
    ))
}

/// What a case asks now, a sentence in Chinese and English; nothing where it asks nothing.
fn waits_for(case: &Case, words: &Words<'_>) -> (String, String) {
    let open = case.state.tasks.values().filter(|task| !task.parked);
    let open: Vec<String> = open.map(|task| words.task_in(&case.definition, &case.state, task)).collect();
    match open.is_empty() {
        true => Default::default(),
        false => (format!("现在等待的是：{}。", open.join("、")), format!(" It waits for: {}.", open.join(", "))),
    }
}

fn nothing_open(
    case: &Case,
    world: &World,
    output: &Output,
    person: &PersonId,
    step: Option<&str>,
    wanted: Wanted,
) -> Stop {
    let words = world.words(output);
    let reference = case.state.reference();
    let before = || answered(case, world, output, person, step, wanted);
    if let Some(stop) = over(case, world, output).or_else(before) {
        return stop;
    }
    let (waits_zh, waits_en) = waits_for(case, &words);
    let (zh, en) = match (step, wanted) {
        (Some(step), _) => {
            (format!("{reference} 现在没有“{step}”这项待办。"), format!("{reference} does not ask for “{step}” now."))
        }
        (None, Wanted::Revision) => {
            (format!("{reference} 现在不需要修改。"), format!("{reference} does not wait for a revision."))
        }
        (None, _) => {
            (format!("{reference} 现在没有待审批或待办理的事。"), format!("{reference} waits for no answer now."))
        }
    };
    Stop::Because(Exit::Refused, Wording::new(format!("{zh}{waits_zh}"), format!("{en}{waits_en}")))
}

/// The title of a process in the reader's language.
pub(crate) fn title(definition: &Definition, output: &Output) -> String {
    crate::effects::format::clean_line(definition.title.get(output.lang))
}
