//! The fields of a case as a reader sees them: facts, tables with their totals, and the files in both.

use crate::effects::format::{Words, clean_line};
use crate::engine::columns_of;
use crate::model::definition::{Definition, Step, StepKind};
use crate::model::file::{File, size_words};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Read;
use crate::model::id::FieldName;
use crate::model::text::{Lang, Text};
use crate::model::value::{Record, Value};
use serde::Serialize;
use std::sync::Arc;

/// Up to so many columns a row is read by its heading.
const FEW_COLUMNS: usize = 4;

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
    /// The columns do not fit beside each other on a phone: there are many, or one of them holds files.
    pub wide: bool,
    /// A text a column, a row each.
    pub rows: Vec<Vec<String>>,
    /// The files of its rows.
    pub files: Vec<Attached>,
    /// Computed fields that look at this list alone: `合计` and the amount.
    pub totals: Vec<Fact>,
    /// The same rows, a line each, for narrow places: `景德镇茶具 · 2 · 320.00`; where the columns are wide each value
    /// stands behind the name of its own.
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

pub(super) fn label(field: &Field, words: &Words<'_>) -> String {
    clean_line(field.title.get(words.lang))
}

fn numeric(field: &Field) -> bool {
    !field.many && matches!(field.kind, FieldKind::Money | FieldKind::Integer | FieldKind::Decimal | FieldKind::Percent)
}

/// The fields that are set and visible, each list with the computed fields that look at it alone.
pub(super) fn fields(
    definition: &Definition,
    data: &Record,
    words: &Words<'_>,
    visible: &dyn Fn(&FieldName) -> bool,
) -> (Vec<Fact>, Vec<Table>) {
    let (mut facts, mut tables, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    let gathered = gathered(definition);
    let all = || definition.fields().chain(gathered.iter().map(|(name, field)| (name, field)));
    let set = || all().filter(|(name, _)| visible(name));
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
                let columns = columns_of(definition, name, columns);
                tables.push(table(name, field, &columns, rows, totals.collect(), words));
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

/// Whether the rows of a list hold what its own form does not ask: what an `each` added to them.
pub(super) fn holds_more(definition: &Definition, data: &Record, list: &FieldName) -> bool {
    let declared = definition.fields().find_map(|(name, field)| match &field.kind {
        FieldKind::List(columns) if name == list => Some(columns),
        _ => None,
    });
    let (Some(declared), Some(rows)) = (declared, data.get(list).and_then(Value::as_list)) else { return false };
    let all = columns_of(definition, list, declared);
    let mut added = all.keys().filter(|column| !declared.contains_key(*column));
    added.any(|column| {
        rows.iter().any(|row| match row {
            Value::Record(row) => row.get(column).is_some_and(|value| !value.is_null()),
            _ => false,
        })
    })
}

/// The lists that an `each` gathers which is no list of a form: called as the step is.
fn gathered(definition: &Definition) -> Vec<(FieldName, Field)> {
    let known = |name: &FieldName| definition.fields().any(|(own, _)| own == name);
    let list = |step: &Step| match &step.kind {
        StepKind::Each(each) if !known(&each.list) => {
            let title = step.title.clone().unwrap_or_else(|| Text::One(each.list.to_string()));
            Some((each.list.clone(), Field::new(title, FieldKind::List(each.columns.clone()))))
        }
        _ => None,
    };
    definition.steps.values().filter_map(list).collect()
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
    // A few values under their heading read as a table; of many nobody can tell which is which, and the name of a
    // file leaves no room for the others.
    let wide = used.len() > FEW_COLUMNS || used.iter().any(|(_, column)| matches!(column.kind, FieldKind::File(_)));
    let line = |record: &Record| {
        let cells = cells(record).into_iter().zip(&used);
        let told: Vec<String> = if !wide {
            cells.map(|(text, _)| if text.is_empty() { "–".into() } else { text }).collect()
        } else {
            let glue = words.pick("：", ": ");
            cells
                .filter(|(text, _)| !text.is_empty())
                .map(|(text, (_, column))| format!("{}{glue}{text}", label(column, words)))
                .collect()
        };
        told.join(if wide { words.pick("，", ", ") } else { " · " })
    };
    let heading = || used.iter().map(|(_, column)| label(column, words)).collect::<Vec<_>>().join(" · ");
    Table {
        label: label(field, words),
        columns: used
            .iter()
            .map(|(_, column)| Column { label: label(column, words), numeric: numeric(column) })
            .collect(),
        wide,
        rows: records().map(cells).collect(),
        lines: records().map(line).collect(),
        heading: if !wide && used.len() > 1 { heading() } else { String::new() },
        files: row_files(name, columns, rows, words),
        totals,
    }
}
