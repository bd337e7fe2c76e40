//! What is handed in beside the command: `--set field=value` and `--data file`.

use super::Words;
use super::exit::{Exit, Stop, file_trouble};
use super::output::Output;
use super::refer::World;
use crate::diagnostics::{Sources, Style, render};
use crate::engine::{Facts, Whose, all_wrong};
use crate::model::definition::Definition;
use crate::model::form::{Field, FieldKind, Form, field_at};
use crate::model::id::FieldName;
use crate::model::input::{Misread, Reading, read_document, read_form, unreadable, write_text};
use crate::model::text::{Lang, Wording};
use crate::model::value::{Record, Value};
use crate::runtime::{Files, Refused};
use crate::syntax::{Data, data};
use clap::{Arg, ArgAction, ArgMatches};
use std::io::Read;
use std::path::{Path, PathBuf};

/// `--set` and `--data`.
pub(crate) fn arguments(words: Words) -> [Arg; 2] {
    [
        words
            .option(
                "set",
                ("字段=值", "FIELD=VALUE"),
                "填一个字段，可以写多次；表格写 items.0.name=茶具，文件写 contract=@合同.pdf",
                "Fill in a field, as often as needed; a table as items.0.name=Tea set, a file as contract=@contract.pdf",
            )
            .action(ArgAction::Append),
        words
            .option(
                "data",
                ("文件", "FILE"),
                "从 YAML 或 JSON 文件填（- 是标准输入）",
                "Fill in from a YAML or JSON file (- is standard input)",
            )
            .value_parser(clap::value_parser!(PathBuf)),
    ]
}

/// Whether anything was handed in.
pub(crate) fn given(matches: &ArgMatches) -> bool {
    matches.contains_id("set") || matches.contains_id("data")
}

/// A YAML or JSON file as it is.
pub(crate) fn plain(output: &Output, path: &Path) -> Result<serde_json::Value, Stop> {
    Ok(load(output, path)?.to_json())
}

/// Reads what was handed in as values of a form; `--set` counts before `--data`, and a cell of a list that is set
/// leaves the others as they are there or in `before`.
pub(crate) fn read(
    output: &Output,
    matches: &ArgMatches,
    form: &Form,
    world: &World,
    before: &Record,
) -> Result<Record, Stop> {
    Given::of(output, matches)?.read(output, form, world, before)
}

/// As [`read`], for a form that is handed in: where something cannot be read, all else that is wrong is told too.
pub(crate) fn filled(
    output: &Output,
    matches: &ArgMatches,
    (definition, whose): (&Definition, Whose<'_>),
    form: &Form,
    world: &World,
    before: &Record,
) -> Result<Record, Stop> {
    let (record, wrong) = Given::of(output, matches)?.values(output, form, world, before)?;
    if wrong.is_empty() {
        return Ok(record);
    }
    let (directory, calendar) = (&*world.directory, &*world.calendar);
    let facts = Facts { now: world.now, directory, calendar, sequence: 0, seed: [0; 16] };
    Err(Stop::Because(Exit::Input, misread(&all_wrong(definition, whose, &record, wrong, &facts))))
}

/// What was handed in, before anybody knows for which form: what `--data` holds, and each `--set`.
pub(crate) struct Given {
    document: serde_json::Map<String, serde_json::Value>,
    set: Vec<(String, String)>,
    /// What stands before each path: `step.` where it is the form of a step.
    prefix: String,
}

impl Given {
    pub(crate) fn of(output: &Output, matches: &ArgMatches) -> Result<Given, Stop> {
        let document = match matches.get_one::<PathBuf>("data").map(|path| (path, load(output, path))) {
            None => serde_json::Map::new(),
            Some((path, data)) => match data?.to_json() {
                serde_json::Value::Object(document) => document,
                _ => {
                    return Err(Stop::input(
                        format!("{} 里要写“字段: 值”，每行一个。", path.display()),
                        format!("{} should hold `field: value`, a line each.", path.display()),
                    ));
                }
            },
        };
        let mut set = Vec::new();
        for text in matches.get_many::<String>("set").into_iter().flatten() {
            let Some((path, value)) = text.split_once('=') else {
                return Err(Stop::usage(
                    format!("--set 要写成 字段=值，不能只写“{text}”。"),
                    format!("--set takes FIELD=VALUE; “{text}” has no `=`."),
                ));
            };
            set.push((path.trim().to_owned(), value.to_owned()));
        }
        Ok(Given { document, set, prefix: String::new() })
    }

    /// Takes out what is for the form of a step: what `STEP.field` sets, and what the data holds below its name.
    pub(crate) fn take(&mut self, step: &str) -> Option<Given> {
        let prefix = format!("{step}.");
        let document = match self.document.get(step) {
            Some(serde_json::Value::Object(_)) => self.document.remove(step),
            _ => None,
        };
        let (own, others) = std::mem::take(&mut self.set).into_iter().partition(|(path, _)| path.starts_with(&prefix));
        self.set = others;
        let own: Vec<(String, String)> = own;
        if own.is_empty() && document.is_none() {
            return None;
        }
        let bare = |path: String| path.strip_prefix(&prefix).map(str::to_owned).unwrap_or(path);
        let set = own.into_iter().map(|(path, value)| (bare(path), value)).collect();
        let document = document.and_then(|document| document.as_object().cloned()).unwrap_or_default();
        Some(Given { document, set, prefix })
    }

    /// What a path begins with that is set and leads further than a field of this form does: a step, as it seems.
    pub(crate) fn astray(&self, form: &Form) -> Option<&str> {
        let heads = self.set.iter().filter_map(|(path, _)| path.split_once('.')).map(|(head, _)| head);
        heads.into_iter().find(|head| !form.contains_key(*head))
    }

    /// The values of a form; see [`read`].
    pub(crate) fn read(self, output: &Output, form: &Form, world: &World, before: &Record) -> Result<Record, Stop> {
        let (record, wrong) = self.values(output, form, world, before)?;
        if wrong.is_empty() { Ok(record) } else { Err(Stop::Because(Exit::Input, misread(&wrong))) }
    }

    /// The values, and what cannot be read as one.
    fn values(
        self,
        output: &Output,
        form: &Form,
        world: &World,
        before: &Record,
    ) -> Result<(Record, Vec<Misread>), Stop> {
        let Given { mut document, set, prefix } = self;
        let reading = &Reading { directory: &world.directory, today: world.calendar.today(world.now) };
        let mut wrong = Vec::new();
        fetch_all(&world.files, form, "", &mut document, &mut wrong)?;
        let mut record = match read_document(reading, form, &document) {
            Ok(read) => read,
            Err((read, faults)) => {
                wrong.extend(faults);
                read
            }
        };
        let mut entries = Vec::new();
        for (path, value) in set {
            match fetch(&world.files, field_at(form, &path), &path, &value)? {
                Ok(value) => entries.push((path, value)),
                Err(fault) => {
                    record.insert(path.split('.').next().unwrap_or(&path).into(), unreadable());
                    wrong.push(fault);
                }
            }
        }
        let rows = |name: &FieldName| record.get(name).or_else(|| before.get(name)).and_then(Value::as_list);
        let entries = around(output.lang, form, reading, &rows, entries);
        match read_form(reading, form, &entries) {
            Ok(read) => record.extend(read),
            Err((read, faults)) => {
                record.extend(read);
                wrong.extend(faults);
            }
        }
        wrong.iter_mut().for_each(|fault| fault.path.insert_str(0, &prefix));
        Ok((record, wrong))
    }
}

/// The text itself; for a field of files, `@path` as the file that is there, kept from now on.
fn fetch(files: &Files, field: Option<&Field>, path: &str, text: &str) -> Result<Result<String, Misread>, Stop> {
    let Some(field) = field else { return Ok(Ok(text.to_owned())) };
    let (FieldKind::File(rule), Some(from)) = (&field.kind, text.trim().strip_prefix('@')) else {
        return Ok(Ok(text.to_owned()));
    };
    match files.copy(Path::new(from.trim()), rule) {
        Ok(file) => Ok(Ok(file.to_string())),
        Err(Refused::Unfit(what)) => Ok(Err(Misread { path: path.to_owned(), title: field.title.clone(), what })),
        Err(Refused::Trouble(error)) => Err(error.into()),
    }
}

/// As [`fetch`], for every text of a document. What cannot be fetched is left out of it.
fn fetch_all(
    files: &Files,
    form: &Form,
    prefix: &str,
    document: &mut serde_json::Map<String, serde_json::Value>,
    wrong: &mut Vec<Misread>,
) -> Result<(), Stop> {
    use serde_json::Value as Json;
    for (name, field) in form {
        let path = format!("{prefix}{name}");
        let Some(json) = document.get_mut(name.as_str()) else { continue };
        match (&field.kind, &mut *json) {
            (FieldKind::List(columns), Json::Array(rows)) => {
                for (number, row) in rows.iter_mut().enumerate() {
                    let Json::Object(row) = row else { continue };
                    fetch_all(files, columns, &format!("{path}.{number}."), row, wrong)?;
                }
            }
            (FieldKind::File(_), Json::Array(_) | Json::String(_)) => {
                let items = match json {
                    Json::Array(items) => items.iter_mut().collect::<Vec<_>>(),
                    one => vec![one],
                };
                for item in items {
                    let Json::String(text) = item else { continue };
                    match fetch(files, Some(field), &path, text)? {
                        Ok(line) => *text = line,
                        Err(fault) => {
                            wrong.push(fault);
                            *item = Json::Null;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The entries with all other cells of the lists that they touch, as they stand in `rows`.
fn around<'a>(
    lang: Lang,
    form: &Form,
    reading: &Reading<'_>,
    rows: &dyn Fn(&FieldName) -> Option<&'a [Value]>,
    entries: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, field) in form {
        let FieldKind::List(columns) = &field.kind else { continue };
        let own = format!("{name}.");
        if !entries.iter().any(|(path, _)| path.starts_with(&own)) {
            continue;
        }
        for (number, row) in rows(name).unwrap_or_default().iter().enumerate() {
            let Value::Record(row) = row else { continue };
            for (column, field) in columns.iter().filter(|(_, field)| field.value.is_none()) {
                let path = format!("{own}{number}.{column}");
                if let Some(value) = row.get(column).filter(|value| !value.is_null())
                    && !entries.iter().any(|(set, _)| *set == path)
                {
                    all.push((path, write_text(reading.directory, field, value, lang)));
                }
            }
        }
    }
    all.extend(entries);
    all
}

/// All values that could not be read, in words.
pub(crate) fn misread(wrong: &[Misread]) -> Wording {
    let lines = |lang: Lang| {
        let line = |fault: &Misread| faulty_line(&fault.path, fault.title.get(lang), fault.what.get(lang), lang);
        wrong.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    Wording::new(format!("填写的内容有 {} 处要改：\n{}", wrong.len(), lines(Lang::Zh)), {
        let count = if wrong.len() == 1 { "One thing".to_owned() } else { format!("{} things", wrong.len()) };
        format!("{count} to mend in what was filled in:\n{}", lines(Lang::En))
    })
}

/// One fault of a form: `  first_day（开始日期）：……`.
pub(crate) fn faulty_line(path: &str, title: &str, what: &str, lang: Lang) -> String {
    match (title == path, lang) {
        (true, Lang::Zh) => format!("  {path}：{what}"),
        (true, Lang::En) => format!("  {path}: {what}"),
        (false, Lang::Zh) => format!("  {path}（{title}）：{what}"),
        (false, Lang::En) => format!("  {path} ({title}): {what}"),
    }
}

/// Reads a file of data; what is wrong with its text is shown with carets.
pub(crate) fn load(output: &Output, path: &Path) -> Result<Data, Stop> {
    let bytes = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|error| file_trouble(path, &error))?;
    let mut sources = Sources::new();
    let id = sources.add_bytes(path.display().to_string(), &bytes);
    data(id, &sources).map_err(|diagnostics| {
        let style = Style { colour: output.paints(), width: output.width().unwrap_or(120) };
        match output.print(&render(&diagnostics, &sources, output.lang, style)) {
            Ok(()) => Stop::Said(Exit::Input),
            Err(stop) => stop,
        }
    })
}

/// Data as values where no form says what they are: a bare word is a number, a date, a time, `true` or `false` if
/// it reads as one, else a text.
pub(crate) fn untyped(data: &Data) -> Value {
    match data {
        Data::Null => Value::Null,
        Data::Text(text) => Value::text(text.as_str()),
        Data::Plain(text) => match text.as_str() {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            _ => text
                .parse()
                .map(Value::Number)
                .or_else(|_| text.parse().map(Value::Date))
                .or_else(|_| text.parse().map(Value::DateTime))
                .unwrap_or_else(|_| Value::text(text.as_str())),
        },
        Data::List(items) => Value::List(items.iter().map(untyped).collect()),
        Data::Map(entries) => {
            Value::Record(entries.iter().map(|(name, value)| (name.as_str().into(), untyped(value))).collect())
        }
    }
}
