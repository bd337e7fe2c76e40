//! Asks for the fields of a form at the terminal, one by one, in the reader's language.
//!
//! Questions go to standard error, so that what a command prints stays clean. An empty line takes the default;
//! an answer that is no value of its field is asked again at once. What only the whole form can tell is the
//! engine's to say: after it, only the faulty fields are asked again.

use super::exit::{Exit, Stop};
use super::output::{Ink, Output};
use super::refer::World;
use crate::effects::format::{Words, clean_line};
use crate::engine;
use crate::engine::refusal::{FieldFault, PathPart};
use crate::engine::state::Row;
use crate::expression::{Context, evaluate};
use crate::model::file::FileRule;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::id::{FieldName, PersonId};
use crate::model::input::{Reading, asked, read_text, write_text};
use crate::model::text::{Lang, Wording};
use crate::model::value::{Record, Value};
use crate::runtime::Refused;
use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

/// Whether a person sits at both ends.
pub(crate) fn possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for values.
pub(crate) struct Prompt<'a> {
    output: &'a Output,
    world: &'a World,
    /// Whose case it is.
    applicant: &'a PersonId,
    /// The outcome that is being given, where a form depends on it.
    outcome: Option<&'a str>,
    /// The row that is filled in, where one is.
    row: Option<&'a Row>,
    input: &'a mut dyn BufRead,
}

impl<'a> Prompt<'a> {
    /// Asks at `input`.
    pub(crate) fn new(
        output: &'a Output,
        world: &'a World,
        applicant: &'a PersonId,
        outcome: Option<&'a str>,
        input: &'a mut dyn BufRead,
    ) -> Prompt<'a> {
        Prompt { output, world, applicant, outcome, row: None, input }
    }

    /// Asks for columns of a row.
    pub(crate) fn in_row(self, row: Option<&'a Row>) -> Prompt<'a> {
        Prompt { row, ..self }
    }

    /// Asks for the fields of a form that `given` does not hold, or for those of `only`. `current` is what the
    /// case holds already: it stands as the default.
    pub(crate) fn form(
        &mut self,
        form: &Form,
        mut given: Record,
        current: &Record,
        only: Option<&BTreeSet<FieldName>>,
    ) -> Result<Record, Stop> {
        for (name, field) in asked(form) {
            let wanted = only.map_or_else(|| !given.contains_key(name), |only| only.contains(name));
            if !wanted || !self.holds(field.when.as_ref(), current, &given) {
                continue;
            }
            let before = given.get(name).or_else(|| current.get(name)).filter(|value| !value.is_null()).cloned();
            match self.field(field, before, current, &given)? {
                Some(value) => given.insert(name.clone(), value),
                None => given.shift_remove(name),
            };
        }
        Ok(given)
    }

    /// Says what the engine found wrong, and asks for that alone again: the field, or the one cell of a table. `None`
    /// where no answer would mend it.
    pub(crate) fn mend(
        &mut self,
        form: &Form,
        mut given: Record,
        current: &Record,
        faults: &[FieldFault],
    ) -> Result<Option<Record>, Stop> {
        let mut whole = BTreeSet::new();
        let mut mended = false;
        for fault in faults {
            let Some(PathPart::Field(name)) = fault.path.first() else { continue };
            let Some(field) = form.get(name).filter(|field| field.value.is_none()) else { continue };
            self.complain(&faulty(fault));
            match cell(field, &fault.path) {
                Some((row, column, of)) => {
                    let rows = given.get(name).or_else(|| current.get(name)).cloned();
                    let Some(Value::List(mut rows)) = rows else { continue };
                    let Some(Value::Record(cells)) = rows.get_mut(row) else { continue };
                    let answer = self.field(of, None, current, &cells.clone())?.unwrap_or_default();
                    cells.insert(column.clone(), answer);
                    given.insert(name.clone(), Value::List(rows));
                    mended = true;
                }
                None => {
                    whole.insert(name.clone());
                }
            }
        }
        if whole.is_empty() {
            return Ok(mended.then_some(given));
        }
        self.form(form, given, current, Some(&whole)).map(Some)
    }

    /// Asks for one of several outcomes.
    pub(crate) fn choice(&mut self, question: &str, options: &[(String, String)]) -> Result<String, Stop> {
        self.say(&self.output.ink(Ink::Bold, question));
        loop {
            for (number, (_, title)) in (1..).zip(options) {
                self.say(&format!("  {number}) {title}"));
            }
            let answer = self.line()?;
            let picked = answer.parse::<usize>().ok().and_then(|number| options.get(number.checked_sub(1)?));
            let picked = picked.or_else(|| options.iter().find(|(name, title)| *name == answer || *title == answer));
            if let Some((name, _)) = picked {
                return Ok(name.clone());
            }
            self.complain(&Wording::new(
                format!("请输入 1 到 {} 的数字。", options.len()),
                format!("Please give a number from 1 to {}.", options.len()),
            ));
        }
    }

    /// Asks for a text that may be left out.
    pub(crate) fn text(&mut self, question: &str) -> Result<Option<String>, Stop> {
        self.say(&self.output.ink(Ink::Bold, question));
        Ok(Some(self.line()?).filter(|line| !line.is_empty()))
    }

    fn field(
        &mut self,
        field: &Field,
        before: Option<Value>,
        current: &Record,
        given: &Record,
    ) -> Result<Option<Value>, Stop> {
        if let (FieldKind::List(columns), false) = (&field.kind, field.many) {
            return self.rows(field, columns, before, current, given).map(Some);
        }
        let default = before.clone().or_else(|| self.value(field.default.as_ref()?, current, given));
        self.question(field, default.as_ref());
        let directory = &*self.world.directory;
        let reading = Reading { directory, today: self.world.calendar.today(self.world.now) };
        loop {
            let answer = self.line()?;
            if answer.is_empty() {
                if field.required && default.is_none() {
                    self.complain(&Wording::new("这一项必须填写。", "This has to be filled in."));
                    continue;
                }
                // What stands there by itself is for the engine to fill in.
                return Ok(before.filter(|_| default.is_some()));
            }
            let answer = numbered(&field.kind, &answer).unwrap_or(answer);
            if let FieldKind::File(rule) = &field.kind {
                match self.files(rule, field.many, &answer)? {
                    Ok(value) => return Ok(Some(value)),
                    Err(what) => {
                        self.complain(&what);
                        continue;
                    }
                }
            }
            match read_text(&reading, field, &answer) {
                Ok(value) => return Ok(Some(value)),
                Err(what) => self.complain(&what),
            }
        }
    }

    /// The files at the paths of an answer, kept from now on.
    fn files(&self, rule: &FileRule, many: bool, answer: &str) -> Result<Result<Value, Wording>, Stop> {
        let paths = if many { answer.split([';', '\u{ff1b}']).collect() } else { vec![answer] };
        let mut found = Vec::new();
        for path in paths.into_iter().map(|path| path.trim().trim_start_matches('@').trim()) {
            match self.world.files.copy(Path::new(path), rule) {
                Ok(file) => found.push(Value::File(Arc::new(file))),
                Err(Refused::Unfit(what)) => return Ok(Err(what)),
                Err(Refused::Trouble(error)) => return Err(error.into()),
            }
        }
        Ok(Ok(if many { Value::List(found) } else { found.pop().unwrap_or_default() }))
    }

    fn rows(
        &mut self,
        field: &Field,
        columns: &Form,
        before: Option<Value>,
        current: &Record,
        given: &Record,
    ) -> Result<Value, Stop> {
        let title = self.title(field);
        if let Some(Value::List(rows)) = &before
            && !rows.is_empty()
        {
            let words = self.world.words(self.output);
            self.say(&self.output.ink(Ink::Bold, &title));
            for (number, row) in (1..).zip(rows) {
                self.say(&format!("  {number}) {}", words.value(Some(field), row)));
            }
            let keep = self.output.pick("保留这些行？[Y/n]", "Keep these rows? [Y/n]").to_owned();
            if self.yes(&keep, true)? {
                return Ok(Value::List(rows.clone()));
            }
        }
        let mut rows = Vec::new();
        loop {
            let number = rows.len() + 1;
            let (zh, en) = (format!("{title} · 第 {number} 行"), format!("{title} · row {number}"));
            self.say(&self.output.ink(Ink::Bold, self.output.pick(&zh, &en)));
            let mut row = Record::new();
            for (name, column) in asked(columns) {
                let mut seen = current.clone();
                seen.extend(given.clone());
                if !self.holds(column.when.as_ref(), &seen, &row) {
                    continue;
                }
                if let Some(value) = self.field(column, None, &seen, &row)? {
                    row.insert(name.clone(), value);
                }
            }
            rows.push(Value::Record(row));
            let more = self.output.pick("还有一行？[y/N]", "Another row? [y/N]").to_owned();
            if !self.yes(&more, false)? {
                return Ok(Value::List(rows));
            }
        }
    }

    fn yes(&mut self, question: &str, default: bool) -> Result<bool, Stop> {
        self.say(question);
        let answer = self.line()?.to_lowercase();
        Ok(match answer.as_str() {
            "" => default,
            "y" | "yes" | "是" | "好" | "对" => true,
            _ => false,
        })
    }

    fn question(&self, field: &Field, default: Option<&Value>) {
        let words = self.world.words(self.output);
        let mut line = self.output.ink(Ink::Bold, &self.title(field));
        let kind = kind_words(&field.kind, self.output.lang);
        if !kind.is_empty() {
            line += &self.output.ink(Ink::Dim, &format!(" · {kind}"));
        }
        if !field.required && !field.wants_one() && default.is_none() {
            line += &self.output.ink(Ink::Dim, self.output.pick(" · 可以不填", " · may be left out"));
        }
        self.say(&line);
        if let Some(help) = &field.help {
            self.say(&self.output.ink(Ink::Dim, &format!("  {}", clean_line(help.get(self.output.lang)))));
        }
        if let FieldKind::Choice(options) = &field.kind {
            for (number, title) in (1..).zip(options.values()) {
                self.say(&format!("  {number}) {}", clean_line(title.get(self.output.lang))));
            }
        }
        if let Some(default) = default {
            let shown = self.shown(&words, field, default);
            let (zh, en) = (format!("  直接回车：{shown}"), format!("  Enter alone: {shown}"));
            self.say(&self.output.ink(Ink::Dim, self.output.pick(&zh, &en)));
        }
    }

    fn shown(&self, words: &Words<'_>, field: &Field, value: &Value) -> String {
        match &field.kind {
            FieldKind::Choice(_)
            | FieldKind::Department
            | FieldKind::Position
            | FieldKind::Person(_)
            | FieldKind::File(_) => words.value(Some(field), value),
            _ => write_text(&self.world.directory, field, value, self.output.lang),
        }
    }

    fn title(&self, field: &Field) -> String {
        clean_line(field.title.get(self.output.lang))
    }

    fn holds(&self, when: Option<&Formula>, current: &Record, given: &Record) -> bool {
        // A condition that cannot be answered yet is for the engine to refuse.
        when.is_none_or(|when| !matches!(self.value(when, current, given), Some(Value::Boolean(false))))
    }

    fn value(&self, formula: &Formula, current: &Record, given: &Record) -> Option<Value> {
        let mut data = current.clone();
        data.extend(given.clone());
        if let Some(row) = self.row {
            engine::overlay(&mut data, row, given.keys());
        }
        let context = Context {
            applicant: Some(self.applicant),
            outcome: self.outcome,
            ..Context::new(&data, &self.world.directory, &self.world.calendar, self.world.now)
        };
        evaluate(formula, &context).ok().filter(|value| !value.is_null())
    }

    fn line(&mut self) -> Result<String, Stop> {
        let mut error = std::io::stderr().lock();
        let _ = write!(error, "> ").and_then(|()| error.flush());
        let mut line = String::new();
        match self.input.read_line(&mut line) {
            Ok(0) | Err(_) => {
                let _ = writeln!(error);
                Err(Stop::Because(
                    Exit::Interrupted,
                    Wording::new("没有填完，什么都没有提交。", "Not filled in to the end; nothing was handed in."),
                ))
            }
            Ok(_) => Ok(line.trim().to_owned()),
        }
    }

    fn say(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    fn complain(&self, what: &Wording) {
        self.say(&self.output.ink(Ink::Amber, &format!("  {}", what.get(self.output.lang))));
    }
}

/// One fault in a line: `物品（第 1 行）· 数量：至少 1。`
fn faulty(fault: &FieldFault) -> Wording {
    let row = fault.path.iter().find_map(|part| match part {
        PathPart::Row(row) => Some(row + 1),
        PathPart::Field(_) => None,
    });
    let (zh, en) = (fault.title.get(Lang::Zh), fault.title.get(Lang::En));
    match row {
        Some(row) => Wording::new(
            format!("第 {row} 行 · {zh}：{}", fault.what.zh),
            format!("row {row} · {en}: {}", fault.what.en),
        ),
        None => Wording::new(format!("{zh}：{}", fault.what.zh), format!("{en}: {}", fault.what.en)),
    }
}

/// The cell of a table that a fault is in: its row, its column, and what the column asks.
fn cell<'a>(field: &'a Field, path: &'a [PathPart]) -> Option<(usize, &'a FieldName, &'a Field)> {
    let FieldKind::List(columns) = &field.kind else { return None };
    let [_, PathPart::Row(row), PathPart::Field(name)] = path else { return None };
    columns.get(name).filter(|column| column.value.is_none()).map(|column| (*row, name, column))
}

/// The option that a number means, where no option is called so.
fn numbered(kind: &FieldKind, answer: &str) -> Option<String> {
    let FieldKind::Choice(options) = kind else { return None };
    if options.contains_key(answer) {
        return None;
    }
    let number: usize = answer.parse().ok()?;
    options.get_index(number.checked_sub(1)?).map(|(name, _)| name.to_string())
}

fn kind_words(kind: &FieldKind, lang: Lang) -> &'static str {
    let (zh, en) = match kind {
        FieldKind::Text | FieldKind::LongText | FieldKind::Choice(_) | FieldKind::List(_) => ("", ""),
        FieldKind::Integer => ("整数", "a whole number"),
        FieldKind::Decimal => ("数字", "a number"),
        FieldKind::Money => ("金额", "an amount"),
        FieldKind::Percent => ("百分比，例如 8 %", "a percentage, such as 8 %"),
        FieldKind::Boolean => ("是或否", "yes or no"),
        FieldKind::Date => ("日期，例如 2026-03-06 或 3月6日", "a date, such as 2026-03-06"),
        FieldKind::DateTime => ("日期和时间，例如 2026-03-06 14:00", "a date and time, such as 2026-03-06 14:00"),
        FieldKind::Duration => ("时长，例如 2 个工作日", "a length of time, such as 2 working days"),
        FieldKind::Person(_) => ("一个人：编号或姓名", "a person, by id or name"),
        FieldKind::Position => ("一个岗位", "a position"),
        FieldKind::Department => ("一个部门", "a department"),
        FieldKind::File(_) => ("文件的路径", "the path of a file"),
    };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}
