//! What mail, pages and the shell show of an instance: everything already in the words, language and zone of one
//! reader, so that a template places texts and decides nothing.
//!
//! Pure. A step's `show` hides fields from whoever is asked there; nothing hides what happened or what comes.

mod changes;
mod fields;
mod shown;

pub use changes::{Change, changes, changes_of};
use fields::fields;
pub use fields::{Attached, Column, Fact, Table, attached};
pub use shown::Shown;

use super::format::{Words, clean_line};
use super::timeline::{Mark, Moment, Scene, Told, timeline};
use crate::engine::data_by_now;
use crate::engine::event::Closed;
use crate::engine::state::{Assignment, ClosedTask, State, Task, TaskKind};
use crate::model::definition::Definition;
use crate::model::form::Field;
use crate::model::id::{FieldName, PersonId};
use crate::model::text::Lang;
use serde::Serialize;

/// An instance in the words of one reader.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseView {
    /// The language of all words here: `zh`, `en`.
    pub lang: &'static str,
    /// What it is: the title of the process.
    pub title: String,
    /// The business number. Where the process gives none, whoever operates the case reads its id, and others nothing.
    pub number: String,
    /// What it is about, where the process has a key: `华康医院`. Empty where that says nothing new.
    pub key: String,
    /// For how much: `¥1,280.00`. Empty where the process has no headline.
    pub headline: String,
    /// Who it is of.
    pub applicant: String,
    /// When it was handed in.
    pub submitted: String,
    /// `张伟 提交 · 3月2日 09:14`.
    pub byline: String,
    /// Until when the reader is asked.
    pub due: Option<Due>,
    /// `轮到您：营销总监审批`, where the reader is asked.
    pub turn: String,
    /// Fields with one value each.
    pub facts: Vec<Fact>,
    /// Lists of rows.
    pub tables: Vec<Table>,
    /// What happened, who is asked, what comes.
    pub timeline: Vec<Moment>,
    /// How it ended, once it did.
    pub stamp: Option<Stamp>,
}

/// Until when something is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// `3月4日 18:00`.
    pub at: String,
    /// `请于 3月4日 18:00 前处理`.
    pub words: String,
    /// Whether that time has passed.
    pub overdue: bool,
}

/// How an instance ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stamp {
    /// `已办结`.
    pub words: String,
    /// `2026.03.03`.
    pub date: String,
    /// `3月3日 09:40`.
    pub at: String,
}

/// Who looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader<'a> {
    /// The person, where they are known.
    pub person: Option<&'a PersonId>,
    /// What they are asked, where it is for that that they look.
    pub asked: Option<(&'a Task, &'a Assignment)>,
    /// Whether they fill it in beside: what is asked again then stands there alone.
    pub fills: bool,
    /// Whether they operate the case, and are told of attempts outside and of incidents.
    pub operates: bool,
    /// What is shown to whom nothing is asked, where that is not everything.
    pub saw: Option<Shown<'a>>,
    /// Whether they are told of what was changed though they are asked nothing.
    pub changes: bool,
}

/// An instance in the words of its reader.
pub fn case_view(scene: &Scene<'_>, words: &Words<'_>, reader: Reader<'_>) -> CaseView {
    let (definition, state) = (scene.definition, scene.state);
    let person = reader.asked.map(|(_, assignment)| &assignment.person).or(reader.person);
    let asked = reader.asked.map(|(task, _)| Shown::at(definition, &task.step, task.kind));
    let shown = asked.or(reader.saw).unwrap_or(Shown::EVERYTHING);
    let step = reader.asked.filter(|(task, _)| matches!(task.kind, TaskKind::Approve | TaskKind::Work));
    let human = step.and_then(|(task, _)| definition.steps.get(&task.step)?.human());
    let edited = human.filter(|_| reader.fills).map(|human| human.edit.as_slice()).unwrap_or_default();
    let seen = data_by_now(definition, state, reader.asked.map(|(task, _)| task.token));
    // The boxes of a list have no place for what an `each` asked of its rows: its table tells it.
    let visible =
        |name: &FieldName| shown.field(name) && (!edited.contains(name) || fields::holds_more(definition, &seen, name));
    let (facts, tables) = fields(definition, &shown.of(&seen), words, &visible);
    let headline = match (&definition.headline, &state.headline) {
        (Some(name), Some(value)) if visible(name) => words.headline(field(definition, name), value),
        _ => String::new(),
    };
    let applicant = words.name(&state.applicant);
    let key = match (&definition.key, &state.key) {
        (Some(name), Some(value)) if visible(name) => words.value(field(definition, name), value),
        _ => String::new(),
    };
    let number = state.number.as_ref().map(ToString::to_string).or(reader.operates.then(|| state.reference()));
    let submitted = words.moment(state.started_at);
    // Of what was changed they are told who see it: who is asked, whose case it is, and who looks after it.
    let own = reader.operates || person == Some(&state.applicant);
    let changes = (own || reader.asked.is_some() || reader.changes).then_some(shown);
    CaseView {
        lang: words.lang.tag(),
        title: clean_line(state.title.get(words.lang)),
        number: clean_line(&number.unwrap_or_default()),
        key: if key == applicant { String::new() } else { key },
        headline,
        byline: format!("{} · {submitted}", handed_in(scene, words, &applicant)),
        applicant,
        submitted,
        due: reader.asked.and_then(|(task, _)| due(task, words)),
        turn: reader.asked.map(|(task, _)| turn(definition, state, task, words)).unwrap_or_default(),
        facts,
        tables,
        timeline: timeline(scene, words, person, Told { operates: reader.operates, changes }),
        stamp: state.ended.as_ref().map(|ended| Stamp {
            words: words.ending(definition, &ended.outcome),
            date: words.stamp(ended.at),
            at: words.moment(ended.at),
        }),
    }
}

impl CaseView {
    /// What happened so far.
    pub fn past(&self) -> impl Iterator<Item = &Moment> {
        self.timeline.iter().filter(|moment| moment.mark.past())
    }

    /// Who is asked now.
    pub fn present(&self) -> impl Iterator<Item = &Moment> {
        self.timeline.iter().filter(|moment| matches!(moment.mark, Mark::Now | Mark::Trouble))
    }

    /// What comes next.
    pub fn ahead(&self) -> impl Iterator<Item = &Moment> {
        self.timeline.iter().filter(|moment| moment.mark == Mark::Ahead)
    }
}

/// Who handed it in: `张伟 提交`; before somebody has, who is asked to and by which case.
fn handed_in(scene: &Scene<'_>, words: &Words<'_>, applicant: &str) -> String {
    let state = scene.state;
    let unfilled = |task: &ClosedTask| task.kind == TaskKind::Begin && !matches!(task.how, Closed::Decided(_));
    if state.tasks.values().any(|task| task.kind == TaskKind::Begin) || state.closed.values().any(unfilled) {
        return match (scene.caller.map(|caller| words.calling(caller)), words.lang) {
            (Some(caller), Lang::Zh) => format!("{caller} 请 {applicant} 填写"),
            (None, Lang::Zh) => format!("请 {applicant} 填写"),
            (Some(caller), Lang::En) => format!("for {applicant} to fill in, asked by {caller}"),
            (None, Lang::En) => format!("for {applicant} to fill in"),
        };
    }
    match (words.lang, state.starter == state.applicant) {
        (Lang::Zh, true) => format!("{applicant} 提交"),
        (Lang::En, true) => format!("submitted by {applicant}"),
        (Lang::Zh, false) => format!("{} 提交，现由 {applicant} 负责", words.name(&state.starter)),
        (Lang::En, false) => format!("submitted by {}, {applicant}'s now", words.name(&state.starter)),
    }
}

/// `轮到您：营销总监审批`.
pub fn turn(definition: &Definition, state: &State, task: &Task, words: &Words<'_>) -> String {
    let title = words.task_in(definition, state, task);
    match (task.kind, words.lang) {
        (TaskKind::Revise { .. }, Lang::Zh) => "退回给您修改".into(),
        (TaskKind::Revise { .. }, Lang::En) => "Returned to you for changes".into(),
        (_, Lang::Zh) => format!("轮到您：{title}"),
        (_, Lang::En) => format!("Your turn: {title}"),
    }
}

fn due(task: &Task, words: &Words<'_>) -> Option<Due> {
    let due = task.due?;
    let (at, overdue) = (words.moment(due), due < words.now);
    let phrase = match (words.lang, overdue) {
        (Lang::Zh, false) => format!("请于 {at} 前处理"),
        (Lang::Zh, true) => format!("已超时，应于 {at} 前处理"),
        (Lang::En, false) => format!("due by {at}"),
        (Lang::En, true) => format!("overdue since {at}"),
    };
    Some(Due { at, words: phrase, overdue })
}

fn field<'a>(definition: &'a Definition, name: &FieldName) -> Option<&'a Field> {
    definition.fields().find(|(own, _)| *own == name).map(|(_, field)| field)
}
