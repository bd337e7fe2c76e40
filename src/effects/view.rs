//! What mail, pages and the shell show of an instance: everything already in the words, language and zone of one
//! reader, so that a template places texts and decides nothing.
//!
//! Pure. A step's `show` hides fields from whoever is asked there; nothing hides what happened or what comes.

use super::format::{Words, clean_line};
use super::timeline::{Mark, Moment, Scene, timeline};
use crate::engine::state::{Assignment, State, Task, TaskKind};
use crate::model::definition::Definition;
use crate::model::file::{File, size_words};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Read;
use crate::model::id::{FieldName, PersonId, StepId};
use crate::model::text::Lang;
use crate::model::value::{Record, Value};
use serde::Serialize;
use std::sync::Arc;

/// Up to so many columns a row is read by its heading.
const FEW_COLUMNS: usize = 4;

/// An instance in the words of one reader.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseView {
    /// The language of all words here: `zh`, `en`.
    pub lang: &'static str,
    /// What it is: the title of the process.
    pub title: String,
    /// The business number, or the id where the process gives none.
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

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What the form calls it.
    pub label: String,
    /// Its value.
    pub text: String,
    /// Several lines, as they were written.
    pub long: bool,
    /// Money or a number.
    pub numeric: bool,
    /// Its files, where it has any.
    pub files: Vec<Attached>,
}

/// A file of the case, as a page offers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attached {
    /// Whose it is, where that is not said beside it: `第 1 行 · 发票`.
    pub label: String,
    /// Its name.
    pub name: String,
    /// Its length: `1.2 MB`.
    pub size: String,
    /// Where its page is, below the task's: `contract/0`, `items.0.receipt/0`.
    pub path: String,
}

/// A list of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// What the form calls it.
    pub label: String,
    /// Its columns; those that no row fills in are left out.
    pub columns: Vec<Column>,
    /// A text a column, a row each.
    pub rows: Vec<Vec<String>>,
    /// The files of its rows.
    pub files: Vec<Attached>,
    /// Computed fields that look at this list alone: `合计` and the amount.
    pub totals: Vec<Fact>,
    /// The same rows, a line each, for narrow places: `景德镇茶具 · 2 · 320.00`; where there are many columns each
    /// value stands behind the name of its own.
    pub lines: Vec<String>,
    /// The names of the columns as a line above those, where the lines do not say them: `名称 · 数量 · 价值`.
    pub heading: String,
}

/// A column of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// What the form calls it.
    pub label: String,
    /// Right-aligned.
    pub numeric: bool,
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
    /// Whether they operate the case, and are told of attempts outside and of incidents that are over.
    pub operates: bool,
}

/// An instance in the words of its reader.
pub fn case_view(scene: &Scene<'_>, words: &Words<'_>, reader: Reader<'_>) -> CaseView {
    let (definition, state) = (scene.definition, scene.state);
    let person = reader.asked.map(|(_, assignment)| &assignment.person).or(reader.person);
    let show = reader.asked.and_then(|(task, _)| shown_at(definition, task));
    let step = reader.asked.filter(|(task, _)| matches!(task.kind, TaskKind::Approve | TaskKind::Work));
    let human = step.and_then(|(task, _)| definition.steps.get(&task.step)?.human());
    let edited = human.filter(|_| reader.fills).map(|human| human.edit.as_slice()).unwrap_or_default();
    let visible = |name: &FieldName| show.is_none_or(|show| show.contains(name)) && !edited.contains(name);
    let (facts, tables) = fields(definition, &state.data, words, &visible);
    let headline = match (&definition.headline, &state.headline) {
        (Some(name), Some(value)) if visible(name) => words.headline(field(definition, name), value),
        _ => String::new(),
    };
    let applicant = words.name(&state.applicant);
    let key = match (&definition.key, &state.key) {
        (Some(name), Some(value)) if visible(name) => words.value(field(definition, name), value),
        _ => String::new(),
    };
    let submitted = words.moment(state.started_at);
    CaseView {
        lang: words.lang.tag(),
        title: clean_line(state.title.get(words.lang)),
        number: clean_line(&state.reference()),
        key: if key == applicant { String::new() } else { key },
        headline,
        byline: match (words.lang, state.starter == state.applicant) {
            (Lang::Zh, true) => format!("{applicant} 提交 · {submitted}"),
            (Lang::En, true) => format!("submitted by {applicant} · {submitted}"),
            (Lang::Zh, false) => format!("{} 提交，现由 {applicant} 负责 · {submitted}", words.name(&state.starter)),
            (Lang::En, false) => {
                format!("submitted by {}, {applicant}'s now · {submitted}", words.name(&state.starter))
            }
        },
        applicant,
        submitted,
        due: reader.asked.and_then(|(task, _)| due(task, words)),
        turn: reader.asked.map(|(task, _)| turn(definition, state, task, words)).unwrap_or_default(),
        facts,
        tables,
        timeline: timeline(scene, words, person, reader.operates),
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

/// One field that changed since it was last shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What the form calls it, with row and column in a list: `物品 · 第 1 行 · 数量`.
    pub label: String,
    /// What was shown; empty where it was not set.
    pub before: String,
    /// What it is now; empty where it is gone.
    pub after: String,
}

/// What changed between two states of the data, in the order of the form.
pub fn changes(definition: &Definition, before: &Record, after: &Record, words: &Words<'_>) -> Vec<Change> {
    let mut found = Vec::new();
    for (name, field) in definition.fields() {
        let (old, new) = (before.get(name).unwrap_or(&Value::Null), after.get(name).unwrap_or(&Value::Null));
        if old == new {
            continue;
        }
        match (&field.kind, old, new) {
            (FieldKind::List(columns), Value::List(old), Value::List(new)) => {
                found.extend(row_changes(field, columns, old, new, words));
            }
            _ => found.push(Change {
                label: label(field, words),
                before: words.value(Some(field), old),
                after: words.value(Some(field), new),
            }),
        }
    }
    found.retain(|change| change.before != change.after);
    found
}

fn row_changes(field: &Field, columns: &Form, old: &[Value], new: &[Value], words: &Words<'_>) -> Vec<Change> {
    let title = label(field, words);
    let mut found = Vec::new();
    for index in 0..old.len().max(new.len()) {
        let row = match words.lang {
            Lang::Zh => format!("{title} · 第 {} 行", index + 1),
            Lang::En => format!("{title} · row {}", index + 1),
        };
        match (old.get(index), new.get(index)) {
            (Some(Value::Record(old)), Some(Value::Record(new))) => {
                for (name, column) in columns {
                    let (old, new) = (old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null));
                    if old != new {
                        found.push(Change {
                            label: format!("{row} · {}", label(column, words)),
                            before: words.value(Some(column), old),
                            after: words.value(Some(column), new),
                        });
                    }
                }
            }
            (old, new) => found.push(Change {
                label: row,
                before: old.map(|row| words.value(Some(field), row)).unwrap_or_default(),
                after: new.map(|row| words.value(Some(field), row)).unwrap_or_default(),
            }),
        }
    }
    found
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

pub(crate) fn shown_at<'a>(definition: &'a Definition, task: &Task) -> Option<&'a [FieldName]> {
    shown_at_step(definition, &task.step, task.kind)
}

/// The fields that a task of a step shows; `None` where it shows all.
pub fn shown_at_step<'a>(definition: &'a Definition, step: &StepId, kind: TaskKind) -> Option<&'a [FieldName]> {
    if matches!(kind, TaskKind::Revise { .. }) {
        return None;
    }
    definition.steps.get(step)?.human()?.show.as_deref()
}

/// The file at a path of the data, as [`Attached`] writes it.
pub fn attached<'a>(data: &'a Record, path: &str, number: usize) -> Option<&'a File> {
    let mut parts = path.split('.');
    let mut value = data.get(parts.next()?)?;
    while let Some(row) = parts.next() {
        let Value::Record(row) = value.as_list()?.get(row.parse::<usize>().ok()?)? else { return None };
        value = row.get(parts.next()?)?;
    }
    let one = match value {
        Value::List(items) => items.get(number)?,
        one if number == 0 => one,
        _ => return None,
    };
    if let Value::File(file) = one { Some(file) } else { None }
}

fn field<'a>(definition: &'a Definition, name: &FieldName) -> Option<&'a Field> {
    definition.fields().find(|(own, _)| *own == name).map(|(_, field)| field)
}

fn label(field: &Field, words: &Words<'_>) -> String {
    clean_line(field.title.get(words.lang))
}

fn numeric(field: &Field) -> bool {
    !field.many && matches!(field.kind, FieldKind::Money | FieldKind::Integer | FieldKind::Decimal | FieldKind::Percent)
}

/// The fields that are set and visible, each list with the computed fields that look at it alone.
fn fields(
    definition: &Definition,
    data: &Record,
    words: &Words<'_>,
    visible: &dyn Fn(&FieldName) -> bool,
) -> (Vec<Fact>, Vec<Table>) {
    let (mut facts, mut tables, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    let set = || definition.fields().filter(|(name, _)| visible(name));
    for (name, field) in set() {
        let Some(value) = data.get(name).filter(|value| !value.is_null()) else { continue };
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        match (&field.kind, value) {
            (FieldKind::List(columns), Value::List(rows)) if !rows.is_empty() => {
                let totals = set()
                    .filter(|(_, other)| totals(other, name))
                    .filter_map(|(total, other)| fact(total, other, data.get(total)?, words));
                tables.push(table(name, field, columns, rows, totals.collect(), words));
            }
            (FieldKind::List(_), _) => {}
            _ => {
                let list = field.value.as_ref().and_then(|_| set().find(|(list, _)| totals(field, list)));
                let under = list.is_some_and(|(list, _)| {
                    data.get(list).and_then(Value::as_list).is_some_and(|rows| !rows.is_empty())
                });
                if !under {
                    facts.extend(fact(name, field, value, words));
                }
            }
        }
    }
    (facts, tables)
}

/// Whether a field is computed from one list alone: it stands below that list.
fn totals(field: &Field, list: &FieldName) -> bool {
    let Some(formula) = field.value.as_ref().filter(|_| numeric(field)) else { return false };
    formula.reads.len() == 1 && formula.reads.contains(&Read::Field(list.clone()))
}

fn fact(name: &FieldName, field: &Field, value: &Value, words: &Words<'_>) -> Option<Fact> {
    let text = words.value(Some(field), value);
    let long = matches!(field.kind, FieldKind::LongText);
    let files = files(name.as_str(), "", value);
    (!text.is_empty()).then(|| Fact { label: label(field, words), text, long, numeric: numeric(field), files })
}

/// The files of one field or cell.
fn files(path: &str, label: &str, value: &Value) -> Vec<Attached> {
    let attached = |(number, file): (usize, &Arc<File>)| Attached {
        label: label.to_owned(),
        name: clean_line(&file.name),
        size: size_words(file.size),
        path: format!("{path}/{number}"),
    };
    let plain = matches!(value, Value::File(_) | Value::List(_));
    value.files().into_iter().filter(|_| plain).enumerate().map(attached).collect()
}

fn row_files(name: &FieldName, columns: &Form, rows: &[Value], words: &Words<'_>) -> Vec<Attached> {
    let mut found = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let Value::Record(row) = row else { continue };
        for (column, field) in columns {
            let label = match words.lang {
                Lang::Zh => format!("第 {} 行 · {}", number + 1, label(field, words)),
                Lang::En => format!("row {} · {}", number + 1, label(field, words)),
            };
            found.extend(files(&format!("{name}.{number}.{column}"), &label, row.get(column).unwrap_or(&Value::Null)));
        }
    }
    found
}

fn table(
    name: &FieldName,
    field: &Field,
    columns: &Form,
    rows: &[Value],
    totals: Vec<Fact>,
    words: &Words<'_>,
) -> Table {
    let records = || rows.iter().filter_map(|row| if let Value::Record(record) = row { Some(record) } else { None });
    let filled = |name: &FieldName| records().any(|record| record.get(name).is_some_and(|value| !value.is_null()));
    let used: Vec<(&FieldName, &Field)> = columns.iter().filter(|(name, _)| filled(name)).collect();
    let cells = |record: &Record| -> Vec<String> {
        used.iter().map(|(name, column)| words.value(Some(column), record.get(*name).unwrap_or(&Value::Null))).collect()
    };
    // A few values under their heading read as a table; of many nobody can tell which is which.
    let few = used.len() <= FEW_COLUMNS;
    let line = |record: &Record| {
        let cells = cells(record).into_iter().zip(&used);
        let told: Vec<String> = if few {
            cells.map(|(text, _)| if text.is_empty() { "–".into() } else { text }).collect()
        } else {
            let glue = words.pick("：", ": ");
            cells
                .filter(|(text, _)| !text.is_empty())
                .map(|(text, (_, column))| format!("{}{glue}{text}", label(column, words)))
                .collect()
        };
        told.join(if few { " · " } else { words.pick("，", ", ") })
    };
    let heading = || used.iter().map(|(_, column)| label(column, words)).collect::<Vec<_>>().join(" · ");
    Table {
        label: label(field, words),
        columns: used
            .iter()
            .map(|(_, column)| Column { label: label(column, words), numeric: numeric(column) })
            .collect(),
        rows: records().map(cells).collect(),
        lines: records().map(line).collect(),
        heading: if few && used.len() > 1 { heading() } else { String::new() },
        files: row_files(name, columns, rows, words),
        totals,
    }
}
