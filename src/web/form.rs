//! A form as boxes to fill in: the model's fields → widgets that `templates/page/field.html` draws.
//!
//! What stands in a box is always text: what the case holds at first, what was typed after that. So nothing that
//! somebody typed is lost when something else is wrong. Lists are rows of boxes with blank rows below; more are
//! asked for by a button that records nothing.

use crate::effects::format::{Words, clean_line};
use crate::model::file::{File, FileRule, size_words};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Op;
use crate::model::id::{FieldName, PersonId};
use crate::model::input::{LINE_LIMIT, ROW_LIMIT, TEXT_LIMIT, write_text};
use crate::model::text::Lang;
use crate::model::value::{Record, Value};
use serde::Serialize;
use std::collections::BTreeMap;

/// Options up to this many are shown at once; more come down from a box.
const FEW: usize = 4;

/// One box, or a group of them.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Widget {
    /// How it is drawn: `line`, `text`, `number`, `date`, `datetime-local`, `select`, `radios`, `checks`,
    /// `file`, `table`, `computed`.
    kind: &'static str,
    /// The name that it is sent under: `items.0.quantity`.
    path: String,
    /// Its id on the page.
    id: String,
    /// What the form calls it.
    label: String,
    /// A sentence for who fills it in.
    help: Option<String>,
    /// What stands in it.
    text: String,
    /// What is taken where it is left blank in a new row.
    blank: Option<String>,
    /// Must be filled in.
    required: bool,
    /// Must be filled in where what the form says of it holds.
    sometimes: bool,
    /// The most characters.
    limit: usize,
    /// Written behind it.
    unit: Option<String>,
    /// The ids of what describes it.
    described: Option<String>,
    /// What is wrong with what stands in it.
    fault: Option<String>,
    /// What can be chosen.
    options: Vec<Choice>,
    /// What names of files end with, for the box that picks them.
    accept: String,
    /// Takes several.
    many: bool,
    /// The rows of a table.
    rows: Vec<Vec<Widget>>,
}

#[derive(Clone, Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

/// What stands in a form's boxes, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    /// A path and a text each; several of one path where several boxes are ticked.
    pub(super) entries: Vec<(String, String)>,
    /// What is wrong, by path.
    pub(super) faults: BTreeMap<String, String>,
    /// How many blank rows stand below a list; [`BLANK_ROWS`] where it is not said.
    pub(super) blank: BTreeMap<String, usize>,
    /// The people that a field takes, by its path without numbers of rows; everybody where it is not said.
    pub(super) among: BTreeMap<String, Vec<PersonId>>,
}

/// How many blank rows stand below the filled ones of a list at first; one more where none is filled.
pub(super) const BLANK_ROWS: usize = 1;

impl Sheet {
    /// The boxes as the case fills them.
    pub(super) fn of(words: &Words<'_>, form: &Form, data: &Record) -> Sheet {
        let mut sheet = Sheet::default();
        for (name, field) in form.iter().filter(|(_, field)| field.value.is_none()) {
            let value = data.get(name).unwrap_or(&Value::Null);
            match (&field.kind, value) {
                (FieldKind::List(columns), Value::List(rows)) => {
                    for (number, row) in rows.iter().enumerate() {
                        let Value::Record(row) = row else { continue };
                        for (column, field) in columns.iter().filter(|(_, field)| field.value.is_none()) {
                            let value = row.get(column).unwrap_or(&Value::Null);
                            sheet.put(words, format!("{name}.{number}.{column}"), field, value);
                        }
                    }
                }
                _ => sheet.put(words, name.to_string(), field, value),
            }
        }
        sheet
    }

    fn put(&mut self, words: &Words<'_>, path: String, field: &Field, value: &Value) {
        let one = |value: &Value| match value {
            // Boxes with options send names and ids, not what people call them.
            Value::Person(id) => id.to_string(),
            Value::Boolean(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            value => write_text(words.directory, field, value, words.lang),
        };
        match value {
            Value::List(items) if boxes(words, field).is_some_and(|options| options.len() <= CHECKS) => {
                self.entries.extend(items.iter().map(|item| (path.clone(), one(item))));
            }
            Value::List(items) => self.entries.push((path, items.iter().map(one).collect::<Vec<_>>().join("\n"))),
            value => self.entries.push((path, one(value))),
        }
    }

    fn texts<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter(move |(own, _)| own == path).map(|(_, text)| text.as_str())
    }

    fn rows(&self, list: &str) -> usize {
        let row = |path: &str| path.strip_prefix(list)?.strip_prefix('.')?.split('.').next()?.parse::<usize>().ok();
        let filled = self.entries.iter().filter_map(|(path, _)| row(path)).map(|row| row + 1).max().unwrap_or(0);
        let blank = if filled == 0 { BLANK_ROWS + 1 } else { BLANK_ROWS };
        (filled + self.blank.get(list).copied().unwrap_or(blank)).clamp(1, ROW_LIMIT)
    }

    /// The boxes of a form. `computed` holds the values that computed fields have now.
    pub(super) fn widgets(
        &self,
        words: &Words<'_>,
        form: &Form,
        computed: &Record,
        seal: &dyn Fn(&str) -> String,
    ) -> Vec<Widget> {
        let widget = |(name, field): (&FieldName, &Field)| {
            let label = clean_line(field.title.get(words.lang));
            if field.value.is_some() {
                let value = computed.get(name).filter(|value| !value.is_null())?;
                let (text, path) = (words.value(Some(field), value), name.to_string());
                return Some(Widget { kind: "computed", label, text, id: id(&path), path, ..Widget::default() });
            }
            let FieldKind::List(columns) = &field.kind else {
                return Some(self.widget(words, name.to_string(), field, true, seal));
            };
            let rows = (0..self.rows(name.as_str())).map(|row| {
                let path = format!("{name}.{row}.");
                let new = !self.entries.iter().any(|(known, _)| known.starts_with(&path));
                let cell = |(column, field): (&FieldName, &Field)| Widget {
                    blank: taken(words, field).filter(|_| new),
                    ..self.widget(words, format!("{path}{column}"), field, false, seal)
                };
                columns.iter().filter(|(_, field)| field.value.is_none()).map(cell).collect()
            });
            Some(Widget { kind: "table", rows: rows.collect(), ..self.frame(words, name.to_string(), field) })
        };
        form.iter().filter_map(widget).collect()
    }

    fn frame(&self, words: &Words<'_>, path: String, field: &Field) -> Widget {
        let help = field.help.as_ref().map(|help| clean_line(help.get(words.lang)));
        // A length of time is written, and how is not to be seen from an empty box.
        let length =
            || words.pick("例如 2 小时、3 天、2 个工作日", "such as 2 hours, 3 days, 2 working days").to_owned();
        let help = help.or_else(|| (field.kind == FieldKind::Duration).then(length));
        let fault = self.faults.get(&path).cloned();
        let id = id(&path);
        let needed = field.required || field.wants_one();
        let mut described = Vec::new();
        described.extend(help.as_ref().map(|_| format!("{id}-help")));
        described.extend(fault.as_ref().map(|_| format!("{id}-fault")));
        Widget {
            label: clean_line(field.title.get(words.lang)),
            help,
            required: needed && field.when.is_none(),
            sometimes: needed && field.when.is_some(),
            described: (!described.is_empty()).then(|| described.join(" ")),
            fault,
            id,
            path,
            limit: LINE_LIMIT,
            ..Widget::default()
        }
    }

    fn widget(
        &self,
        words: &Words<'_>,
        path: String,
        field: &Field,
        roomy: bool,
        seal: &dyn Fn(&str) -> String,
    ) -> Widget {
        let frame = self.frame(words, path, field);
        if let FieldKind::File(rule) = &field.kind {
            return self.file(words, frame, field, rule, seal);
        }
        let typed: Vec<&str> = self.texts(&frame.path).collect();
        let options = boxes(words, field).map(|options| {
            let chosen = |value: &str| typed.iter().any(|text| text.split('\n').any(|one| one.trim() == value));
            let choice = |(value, label): (String, String)| Choice { chosen: chosen(&value), value, label };
            let among = self.among.get(&without_rows(&frame.path));
            let offered =
                |one: &Choice| one.chosen || among.is_none_or(|all| all.iter().any(|id| id.as_str() == one.value));
            options.into_iter().map(choice).filter(offered).collect::<Vec<_>>()
        });
        let text = typed.join("\n");
        match options {
            Some(options) if field.many && options.len() <= CHECKS => Widget { kind: "checks", options, ..frame },
            Some(options) if !field.many => {
                let few = options.len() <= FEW && frame.required && roomy;
                Widget { kind: if few { "radios" } else { "select" }, options, ..frame }
            }
            _ if field.many || field.kind == FieldKind::LongText => {
                Widget { kind: "text", text, limit: TEXT_LIMIT, ..frame }
            }
            _ => {
                // What a calendar box cannot hold has to stay to be mended.
                let (kind, unit) = match field.kind {
                    FieldKind::Date if frame.fault.is_none() => ("date", None),
                    FieldKind::DateTime if frame.fault.is_none() && !text.ends_with('Z') => ("datetime-local", None),
                    FieldKind::Integer | FieldKind::Decimal | FieldKind::Money => ("number", field.unit.as_ref()),
                    FieldKind::Percent => ("number", None),
                    _ => ("line", field.unit.as_ref()),
                };
                let unit = unit.map(|unit| clean_line(unit.get(words.lang)));
                Widget { kind, text, unit, ..frame }
            }
        }
    }
}

impl Sheet {
    /// Files: those that are there, to be kept or taken away, and a box for more.
    fn file(
        &self,
        words: &Words<'_>,
        frame: Widget,
        field: &Field,
        rule: &FileRule,
        seal: &dyn Fn(&str) -> String,
    ) -> Widget {
        let lines = self.texts(&frame.path).flat_map(|text| text.split('\n'));
        let kept = lines.filter_map(|line| Some((line, line.parse::<File>().ok()?)));
        let choice = |(line, file): (&str, File)| Choice {
            value: format!("{} {line}", seal(line)),
            label: clean_line(&file.words(words.lang)),
            chosen: true,
        };
        let mut options: Vec<Choice> = kept.map(choice).collect();
        if !field.many {
            // The last one stands, as when the form is read.
            options.drain(..options.len().saturating_sub(1));
        }
        let (kinds, most) = (rule.words(), size_words(rule.limit()));
        let limits = match (words.lang, rule.accept.is_empty()) {
            (Lang::Zh, true) => format!("最大 {most}"),
            (Lang::Zh, false) => format!("{}，最大 {most}", kinds.zh),
            (Lang::En, true) => format!("at most {most}"),
            (Lang::En, false) => format!("{}; at most {most}", kinds.en),
        };
        let limits = if field.many { words.pick("可选多个；", "several; ").to_owned() + &limits } else { limits };
        let (accept, many) = (rule.endings().join(","), field.many);
        Widget { kind: "file", options, accept, many, text: limits, ..frame }
    }
}

/// Boxes to tick up to this many; more are written, one a line.
const CHECKS: usize = 24;

/// What can be chosen for a field, value and label; `None` where it is written.
fn boxes(words: &Words<'_>, field: &Field) -> Option<Vec<(String, String)>> {
    let directory = words.directory;
    Some(match &field.kind {
        FieldKind::Boolean => {
            vec![("yes".into(), words.pick("是", "Yes").into()), ("no".into(), words.pick("否", "No").into())]
        }
        FieldKind::Choice(options) => {
            options.iter().map(|(name, title)| (name.to_string(), clean_line(title.get(words.lang)))).collect()
        }
        FieldKind::Person(_) if directory.people.len() <= 300 => {
            directory.people.keys().map(|id| (id.to_string(), words.name_at(id, ""))).collect()
        }
        FieldKind::Position => {
            let title = |(id, position): (&crate::model::id::PositionId, &crate::model::people::Position)| {
                (id.to_string(), clean_line(position.title.get(words.lang)))
            };
            directory.positions.iter().map(title).collect()
        }
        FieldKind::Department => {
            let title = |(id, department): (&crate::model::id::DepartmentId, &crate::model::people::Department)| {
                (id.to_string(), clean_line(department.title.get(words.lang)))
            };
            directory.departments.iter().map(title).collect()
        }
        _ => return None,
    })
}

/// What a column holds where nothing is said, where that is always the same.
fn taken(words: &Words<'_>, field: &Field) -> Option<String> {
    let Op::Literal(default) = field.default.as_ref()?.root.op() else { return None };
    Some(words.value(Some(field), default)).filter(|text| !text.is_empty())
}

/// `items.0.who` → `items.who`.
fn without_rows(path: &str) -> String {
    path.split('.').filter(|part| part.parse::<usize>().is_err()).collect::<Vec<_>>().join(".")
}

fn id(path: &str) -> String {
    format!("f-{}", path.replace('.', "-"))
}
