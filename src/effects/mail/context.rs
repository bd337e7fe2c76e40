//! What a mail says, in its reader's words: everything that a template may place, and nothing that it has to decide.

use super::{GAP, Letter};
use crate::effects::format::{Words, clean, clean_line};
use crate::effects::timeline::{Mark, Moment, decided_by_time, ended_by};
use crate::effects::view::{CaseView, Due, Reader, Shown, Stamp, case_view};
use crate::effects::words::answer_sentence;
use crate::engine::command::{Actor, Ask, Via};
use crate::engine::data_by_now;
use crate::engine::event::{Closed, Entry, Event};
use crate::engine::state::{Assignment, MailKind, Task, TaskKind};
use crate::model;
use crate::model::definition::outcome;
use crate::model::id::{StepId, TaskId};
use crate::model::text::Lang;
use indexmap::IndexMap;
use serde::Serialize;

/// What templates of mail see.
#[derive(Clone, Debug, Serialize)]
pub struct Context {
    /// The instance, in the reader's words.
    pub(super) case: CaseView,
    /// The case's fields by name, each as the reader reads it; empty where it is not set.
    pub(super) data: IndexMap<String, String>,
    /// The reader's name.
    pub(super) recipient: String,
    /// `[LP-2026-0007] `.
    pub(super) tag: String,
    /// `请审批`, `请办理`.
    pub(super) please: String,
    /// What the button says.
    pub(super) button: String,
    /// The step that the mail is about.
    pub(super) step: String,
    /// What time made of it, where the mail is about a step that was late: `已超时，按“同意”处理`. Empty where it is
    /// still open.
    pub(super) passed: String,
    /// Whose part of the case was handed over, where the case itself was not.
    pub(super) from: String,
    /// Whether the reader is asked something in the case, by another mail.
    pub(super) waits: bool,
    /// What was answered, where the mail is about an answer.
    pub(super) decided: Option<Decided>,
    /// What happened, without what the mail itself says.
    pub(super) past: Vec<Moment>,
    /// What comes.
    pub(super) ahead: Vec<Moment>,
    /// The link, where there is one.
    pub(super) link: Option<String>,
}

/// An answer, in the reader's words.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Decided {
    /// Who.
    pub(super) who: String,
    /// What: `同意`.
    pub(super) words: String,
    /// Both: `李娜 已同意`.
    pub(super) sentence: String,
    /// In their words.
    pub(super) opinion: String,
    /// When.
    pub(super) when: String,
    /// The shell user who acted, where one did.
    pub(super) shell: String,
    /// The step that was answered, as its line of the story names it.
    #[serde(skip)]
    pub(super) step: String,
}

pub(super) fn context(
    letter: &Letter<'_>,
    words: &Words<'_>,
    asked: Option<(&Task, &Assignment)>,
    name: &str,
) -> Context {
    let (definition, state) = (letter.scene.definition, letter.scene.state);
    // Who is only told of a step reads no more of it than it shows; whose case it is has all of it.
    let told_of = match letter.kind {
        _ if *letter.to == state.applicant => None,
        MailKind::ActedFor { task: Some(task) } | MailKind::Overdue { task: Some(task), .. } => task_of(letter, *task),
        MailKind::Notice { step } => Some((step, TaskKind::Work)),
        _ => None,
    };
    let told_of = told_of.map(|(step, kind)| Shown::at(definition, step, kind));
    let shown = asked.map(|(task, _)| Shown::at(definition, &task.step, task.kind)).or(told_of);
    let shown = shown.unwrap_or(Shown::EVERYTHING);
    let reader = Reader { person: Some(letter.to), asked, saw: Some(shown), changes: true, ..Reader::default() };
    let mut case = case_view(&letter.scene, words, reader);
    case.due = late(letter, words, asked).or(case.due);
    case.stamp = case.stamp.or_else(|| ending(letter, words));
    let kind = asked.map(|(task, _)| task.kind);
    let step = match letter.kind {
        MailKind::Decided { task, .. } | MailKind::ActedFor { task: Some(task) } => about(letter, *task, words),
        MailKind::Overdue { task: Some(task), .. } => about(letter, *task, words),
        MailKind::Notice { step } | MailKind::Overdue { step, task: None, .. } => words.step(definition, step),
        _ => asked.map(|(task, _)| words.task_in(definition, state, task)).unwrap_or_default(),
    };
    let passed = passed(letter, words);
    let by_now = data_by_now(definition, state, asked.map(|(task, _)| task.token));
    let seen = shown.of(&by_now);
    let decided = decided(letter, words, asked);
    let data = definition.fields().filter(|(name, _)| shown.field(name)).map(|(name, field)| {
        let value = seen.get(name).map(|value| words.value(Some(field), value));
        (name.to_string(), value.unwrap_or_default())
    });
    Context {
        data: data.collect(),
        recipient: name.to_owned(),
        tag: if case.number.is_empty() { String::new() } else { format!("[{}] ", case.number) },
        please: match kind {
            Some(TaskKind::Work) => words.pick("请办理", "To do"),
            Some(TaskKind::Revise { .. }) => words.pick("请修改", "Revise"),
            Some(TaskKind::Begin) => words.pick("请填写", "Fill in"),
            _ => words.pick("请审批", "Approve"),
        }
        .into(),
        button: match kind {
            Some(TaskKind::Work) => words.pick("查看并办理", "View and do"),
            Some(TaskKind::Revise { .. }) => words.pick("查看并修改", "View and revise"),
            Some(TaskKind::Begin) => words.pick("查看并填写", "View and fill in"),
            _ => words.pick("查看并决定", "View and decide"),
        }
        .into(),
        from: handed_over(letter, words),
        waits: asked.is_none() && waits(letter),
        past: case
            .past()
            .filter(|moment| tells(moment, decided.as_ref()) && !(moment.title == step && moment.words == passed))
            .cloned()
            .collect(),
        decided,
        ahead: following(letter, &case),
        step,
        passed,
        link: asked.map(|_| GAP.to_owned()),
        case,
    }
}

/// How a case ends whose end is certain while what was done is still taken back.
fn ending(letter: &Letter<'_>, words: &Words<'_>) -> Option<Stamp> {
    let ending = letter.scene.state.ending.as_ref().filter(|_| *letter.kind == MailKind::Ended)?;
    let at = queued(letter)?.at;
    let ending = words.ending(letter.scene.definition, &ending.outcome);
    Some(Stamp { words: ending, date: words.stamp(at), at: words.moment(at) })
}

/// The entry that queued the mail.
fn queued<'a>(letter: &Letter<'a>) -> Option<&'a Entry> {
    let queued = |event: &Event| matches!(event, Event::MailQueued { mail, .. } if *mail == letter.mail);
    letter.scene.log.iter().find(|entry| entry.events.iter().any(queued))
}

/// What time made of the step that the mail is about.
fn passed(letter: &Letter<'_>, words: &Words<'_>) -> String {
    let step = match letter.kind {
        MailKind::Overdue { step, .. } => Some(step),
        MailKind::Decided { task, assignment: None } => task_of(letter, *task).map(|(step, _)| step),
        _ => None,
    };
    let Some(step) = step else { return String::new() };
    queued(letter).and_then(|entry| decided_by_time(&letter.scene, words, step, entry)).unwrap_or_default()
}

/// Whose part of the case the mail tells of, where it was not the case itself that was handed over.
fn handed_over(letter: &Letter<'_>, words: &Words<'_>) -> String {
    let of = |event: &Event| match event {
        Event::HandedOver { from, applicant: false, .. } => Some(words.name(from)),
        _ => None,
    };
    let entry = queued(letter).filter(|_| *letter.kind == MailKind::HandedOver);
    entry.and_then(|entry| entry.events.iter().find_map(of)).unwrap_or_default()
}

/// Whether the reader is asked something in the case.
fn waits(letter: &Letter<'_>) -> bool {
    let mut open = letter.scene.state.tasks.values().filter(|task| !task.parked).flat_map(|task| &task.assignments);
    open.any(|one| one.person == *letter.to)
}

/// Whether a line says something that the head of the mail does not say already.
fn tells(moment: &Moment, decided: Option<&Decided>) -> bool {
    let said = |decided: &Decided| {
        moment.title == decided.step
            && moment.when == decided.when
            && moment.opinion == decided.opinion
            && moment.words.eq_ignore_ascii_case(&decided.words)
            // A line names the position beside the name.
            && moment.who.starts_with(&decided.who)
    };
    !matches!(moment.mark, Mark::Start | Mark::Skipped | Mark::End) && !decided.is_some_and(said)
}

/// What comes, for the reader: for whoever is not asked, those who are asked now come first.
fn following(letter: &Letter<'_>, case: &CaseView) -> Vec<Moment> {
    let now = case.present().filter(|moment| letter.kind.asks().is_none() && moment.mark == Mark::Now);
    now.map(|moment| Moment { words: String::new(), ..moment.clone() }).chain(case.ahead().cloned()).collect()
}

/// What people call the step of a task that may be over.
fn about(letter: &Letter<'_>, id: TaskId, words: &Words<'_>) -> String {
    words.tasks_of(letter.scene.definition, letter.scene.log).remove(&id).unwrap_or_default()
}

/// The step and the kind of a task that may be over.
fn task_of<'a>(letter: &Letter<'a>, id: TaskId) -> Option<(&'a StepId, TaskKind)> {
    let state = letter.scene.state;
    let open = state.tasks.get(&id).map(|task| (&task.step, task.kind));
    open.or_else(|| state.closed.get(&id).map(|task| (&task.step, task.kind)))
}

/// Until when it was asked and by how much that is exceeded, where the mail is about that and it is.
fn late(letter: &Letter<'_>, words: &Words<'_>, asked: Option<(&Task, &Assignment)>) -> Option<Due> {
    let state = letter.scene.state;
    let due = match letter.kind {
        MailKind::Overdue { task: Some(task), .. } => state.tasks.get(task)?.due,
        MailKind::Overdue { step, task: None, .. } => {
            state.tokens.values().find(|token| token.step.as_ref() == Some(step))?.due
        }
        _ => asked.and_then(|(task, _)| task.due),
    };
    let due = due.filter(|due| *due <= letter.now)?;
    let at = words.moment(due);
    let days = letter.calendar.working_days_between(due, letter.now);
    let phrase = match (words.lang, days) {
        (Lang::Zh, 0) => format!("已超时，应于 {at} 前处理"),
        (Lang::Zh, days) => format!("已超过 {days} 个工作日，应于 {at} 前处理"),
        (Lang::En, 0) => format!("overdue since {at}"),
        (Lang::En, 1) => format!("1 working day late, due by {at}"),
        (Lang::En, days) => format!("{days} working days late, due by {at}"),
    };
    Some(Due { at, words: phrase, overdue: true })
}

/// The answer that a mail is about: it stands in the entry that queued the mail.
fn decided(letter: &Letter<'_>, words: &Words<'_>, asked: Option<(&Task, &Assignment)>) -> Option<Decided> {
    let entry = queued(letter)?;
    match letter.kind {
        MailKind::Decided { task, assignment: None } => return by_time(letter, words, *task, entry),
        MailKind::Ended => return ended(letter, words, entry),
        _ => {}
    }
    let answer = entry.events.iter().find_map(|event| match (event, letter.kind) {
        (
            Event::Answered { task, assignment, outcome, opinion, .. },
            MailKind::Decided { task: of, assignment: Some(by) },
        ) if task == of && assignment == by => Some((*task, outcome, opinion)),
        (Event::Answered { task, outcome, opinion, .. }, MailKind::ActedFor { .. }) => Some((*task, outcome, opinion)),
        (Event::Answered { task, outcome, opinion, .. }, MailKind::Assigned { .. })
            if outcome.as_str() == outcome::RETURNED
                && asked.is_some_and(|(asked, _)| matches!(asked.kind, TaskKind::Revise { of } if of == *task)) =>
        {
            Some((*task, outcome, opinion))
        }
        _ => None,
    });
    let who = words.actor(&entry.command.actor);
    let shell = match &entry.command.actor {
        Actor::Person { via: Via::Shell { user }, .. } | Actor::Operator { user } => clean_line(user),
        _ => String::new(),
    };
    let when = words.moment(entry.at);
    let Some((task, outcome, opinion)) = answer else {
        // What was done in somebody's name need not be an answer.
        let acted = matches!(letter.kind, MailKind::ActedFor { .. });
        return acted.then(|| Decided {
            words: done(&entry.command.ask, words).into(),
            who,
            when,
            shell,
            ..Decided::default()
        });
    };
    let known = task_of(letter, task);
    let human = known.and_then(|(step, _)| letter.scene.definition.steps.get(step)?.human());
    let begun = known.is_some_and(|(_, kind)| kind == TaskKind::Begin);
    Some(Decided {
        words: if begun { words.pick("已填写", "Filled in").into() } else { words.answer(human, outcome) },
        sentence: match (begun, words.lang) {
            (false, _) => answer_sentence(words, human, &who, outcome),
            (true, Lang::Zh) => format!("{who} 已填写"),
            (true, Lang::En) => format!("{who} filled it in"),
        },
        opinion: opinion.as_deref().map(clean).unwrap_or_default(),
        step: about(letter, task, words),
        who,
        when,
        shell,
    })
}

/// What time decided, where nobody had answered a task by its due time or not all who were asked.
fn by_time(letter: &Letter<'_>, words: &Words<'_>, task: TaskId, entry: &Entry) -> Option<Decided> {
    let closed = letter.scene.state.closed.get(&task)?;
    let Closed::Decided(outcome) = &closed.how else { return None };
    let mut opened = letter.scene.log.iter().flat_map(|entry| &entry.events);
    let due = opened.find_map(|event| match event {
        Event::TaskOpened { task: of, opened } if *of == task => opened.due,
        _ => None,
    });
    let due = words.moment(due?);
    let human = letter.scene.definition.steps.get(&closed.step).and_then(|step| step.human());
    let answer = words.answer(human, outcome);
    let nobody = closed.answers.is_empty();
    Some(Decided {
        sentence: match (words.lang, nobody) {
            (Lang::Zh, true) => format!("{due} 前无人答复，按“{answer}”处理"),
            (Lang::Zh, false) => format!("{due} 前没有全部答复，按“{answer}”处理"),
            (Lang::En, true) => format!("Nobody answered by {due}, taken as “{answer}”"),
            (Lang::En, false) => format!("Not everybody answered by {due}, taken as “{answer}”"),
        },
        words: answer,
        when: words.moment(entry.at),
        ..Decided::default()
    })
}

/// How the case ended; who ended it by hand and why, or which case that called it. Where things are taken back first,
/// the line of that says who and why.
fn ended(letter: &Letter<'_>, words: &Words<'_>, entry: &Entry) -> Option<Decided> {
    let (outcome, over) = entry.events.iter().find_map(|event| match event {
        Event::Ended { outcome, .. } => Some((outcome, true)),
        Event::EndBegun { outcome, .. } => Some((outcome, false)),
        _ => None,
    })?;
    let ending = words.ending(letter.scene.definition, outcome);
    let ours = model::words::ending(outcome.as_str()).is_some_and(|ours| ours.get(words.lang) == ending);
    let ending = match (words.lang, ours) {
        (_, true) => ending,
        (Lang::Zh, false) => format!("已结束（{ending}）"),
        (Lang::En, false) => format!("Ended ({ending})"),
    };
    let reason = entry.reason().map(AsRef::as_ref);
    let by = if over { ended_by(&letter.scene, words, entry, reason) } else { Moment::default() };
    let Moment { who, words: why, opinion, .. } = by;
    let sentence = match (words.lang, why.is_empty()) {
        _ if who.is_empty() => ending.clone(),
        (Lang::Zh, true) => format!("{who} {ending}"),
        (Lang::Zh, false) => format!("{ending}：{who} {why}"),
        (Lang::En, true) => format!("{ending} by {who}"),
        (Lang::En, false) => format!("{ending}: {who} {why}"),
    };
    Some(Decided { who, words: ending, sentence, opinion, when: words.moment(entry.at), ..Decided::default() })
}

fn done<'w>(ask: &Ask, words: &Words<'w>) -> &'w str {
    match ask {
        Ask::Start { .. } => words.pick("提交了申请", "submitted a request"),
        Ask::Decide { .. } => words.pick("作出了决定", "decided"),
        Ask::Revise { .. } => words.pick("修改并重新提交", "revised and submitted it again"),
        Ask::Comment { .. } => words.pick("留了言", "left a remark"),
        Ask::Withdraw { .. } => words.pick("撤回了申请", "withdrew it"),
        Ask::Cancel { .. } => words.pick("取消了申请", "cancelled it"),
        Ask::Resend { .. } => words.pick("重新发送了链接", "sent the link again"),
        Ask::Wake => words.pick("触发了到期事项", "fired what was due"),
        Ask::Begin { .. } => words.pick("发起了案例", "started the case"),
        Ask::Deliver { .. } => words.pick("收到了消息", "received a message"),
        Ask::ChildEnded { .. } => words.pick("所调用的案例结束了", "saw a case that it called end"),
        Ask::CallFailed { .. } => words.pick("未能发起所调用的流程", "could not start a process"),
        Ask::Answer { .. } => words.pick("得到了外部系统的答复", "got an answer from outside"),
        Ask::Fail { .. } => words.pick("没有得到外部系统的答复", "got no answer from outside"),
        Ask::Retry { .. } => words.pick("重试了停下的步骤", "tried again what had stopped"),
        Ask::Skip { .. } => words.pick("跳过了停下的步骤", "passed over what had stopped"),
        Ask::HandOver { .. } => words.pick("办理了交接", "handed it over"),
    }
}
