//! `evaluate`: an expression tried out, or a file of cases.

use super::check;
use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, file_trouble};
use crate::cli::output::{Ink, Output};
use crate::cli::shell::Shell;
use crate::cli::values::{load, untyped};
use crate::expression::conformance::run_cases;
use crate::expression::{self, Context, Failure, counts_working_time, evaluate};
use crate::model::formula::{Formula, Read};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use crate::runtime::Clock;
use clap::{ArgMatches, Command};
use serde_json::json;
use std::path::PathBuf;
use unicode_width::UnicodeWidthStr;

pub(super) fn tree(words: Words) -> Command {
    Command::new("evaluate")
        .about(words.pick("试算一个表达式（FEEL）", "Try an expression (FEEL)"))
        .arg(words.word("expression", ("表达式", "EXPR"), "表达式，用单引号括起来", "The expression, in single quotes"))
        .arg(
            words
                .option(
                    "data",
                    ("文件", "FILE"),
                    "字段的值，YAML 或 JSON（- 是标准输入）",
                    "Values of fields, as YAML or JSON (- is standard input)",
                )
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(
            words
                .option(
                    "cases",
                    ("文件", "FILE"),
                    "运行一个用例文件（每行一个 JSON）",
                    "Run a file of cases (a JSON object a line)",
                )
                .value_parser(clap::value_parser!(PathBuf))
                .conflicts_with("expression"),
        )
        .arg(words.folder())
        .arg(words.json())
        .after_help(
            "countersign evaluate 'sum([320, 280]) * 8 %'\n\
             countersign evaluate 'total >= 500' --data case.yaml\n\
             countersign evaluate 'today() + 3 working days' --in processes\n\
             countersign evaluate --cases cases.jsonl",
        )
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let json = matches.get_flag("json");
    if let Some(path) = matches.get_one::<PathBuf>("cases") {
        return cases(output, path, json);
    }
    let Some(text) = matches.get_one::<String>("expression") else {
        return Err(Stop::usage(
            "请写一个表达式，例如 `countersign evaluate '1 + 2'`，或用 --cases 指定用例文件。",
            "Give an expression, such as `countersign evaluate '1 + 2'`, or a file with --cases.",
        ));
    };
    let mut data = Record::new();
    if let Some(path) = matches.get_one::<PathBuf>("data") {
        match untyped(&load(output, path)?) {
            Value::Record(record) => data = record,
            Value::Null => {}
            _ => {
                return Err(Stop::input(
                    format!("{} 里要写“名称: 值”，每行一个。", path.display()),
                    format!("{} should hold `name: value`, a line each.", path.display()),
                ));
            }
        }
    }
    let wrong = |failure: Failure| Stop::Because(Exit::Input, pointed(text, &failure));
    let formula = expression::untyped(text, &data).map_err(wrong)?;
    let (people, calendar) = surroundings(shell, matches, &formula)?;
    match evaluate(&formula, &Context::new(&data, &people, &calendar, Clock::System.now())) {
        Ok(value) if json => output.json(&value.to_plain()),
        Ok(value) => output.print(&written(&value)),
        Err(failure) => Err(wrong(failure)),
    }
}

/// The people and the calendar of the folder, where an expression asks for them; which calendar is told.
fn surroundings(shell: &Shell, matches: &ArgMatches, formula: &Formula) -> Result<(Directory, Calendar), Stop> {
    let counts = counts_working_time(formula);
    let asks = formula.reads.contains(&Read::Now) || formula.reads.contains(&Read::Directory);
    let folder = check::folder(shell, matches);
    if !counts && !asks || !folder.exists() && !matches.contains_id("in") {
        if counts {
            no_calendar(&shell.output, &folder);
        }
        return Ok(Default::default());
    }
    let compiled = check::compile(shell, std::slice::from_ref(&folder))?;
    let shown = if folder.is_file() { folder.parent().unwrap_or(&folder) } else { &folder }.display();
    match &compiled.calendar {
        Some(calendar) if counts => {
            let name = &calendar.name;
            shell.output.note(
                format!("工作日按 {shown} 里的日历“{name}”算。"),
                format!("Working days are those of the calendar “{name}” in {shown}."),
            );
        }
        None if counts => no_calendar(&shell.output, &folder),
        _ => {}
    }
    Ok((compiled.directory.unwrap_or_default(), compiled.calendar.unwrap_or_default()))
}

fn no_calendar(output: &Output, folder: &std::path::Path) {
    let folder = folder.display();
    output.note(
        format!("{folder} 里没有可用的日历：周一到周五都算工作日，没有节假日。"),
        format!(
            "{folder} has no calendar that can be used: Monday to Friday are taken for working days, without holidays."
        ),
    );
}

/// A value as FEEL writes it.
fn written(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Number(number) => number.normalize().to_string(),
        Value::Text(text) => json!(&**text).to_string(),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.to_string(),
        Value::DateTime(moment) => moment.to_string(),
        Value::Duration(duration) => duration.to_string(),
        Value::Person(id) => id.to_string(),
        Value::Position(id) => id.to_string(),
        Value::Department(id) => id.to_string(),
        Value::File(file) => json!(&*file.name).to_string(),
        Value::List(items) => {
            format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", "))
        }
        Value::Record(record) => {
            let entries = record.iter().map(|(name, value)| format!("{name}: {}", written(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Range(range) => {
            let (low, high) = (written(&range.low), written(&range.high));
            format!(
                "{}{low}..{high}{}",
                if range.low_closed { "[" } else { "(" },
                if range.high_closed { "]" } else { ")" }
            )
        }
    }
}

/// What went wrong, with a caret under the place.
fn pointed(text: &str, failure: &Failure) -> Wording {
    let place = failure.at.as_ref().filter(|_| !text.contains('\n')).and_then(|at| {
        let (before, inside) = (text.get(..at.start)?, text.get(at.clone())?);
        Some(format!("\n  {text}\n  {}{}", " ".repeat(before.width()), "^".repeat(inside.width().max(1))))
    });
    let place = place.unwrap_or_default();
    Wording::new(format!("{}{place}", failure.message.zh), format!("{}{place}", failure.message.en))
}

fn cases(output: &Output, path: &std::path::Path, json: bool) -> Result<(), Stop> {
    let text = std::fs::read_to_string(path).map_err(|error| file_trouble(path, &error))?;
    let report = {
        let _progress = output.progress("正在运行用例…", "Running the cases …");
        run_cases(&text)
    };
    if json {
        let failed = report.failed.iter().map(|case| {
            json!({ "id": case.id, "expression": case.expression, "expected": case.expected, "found": case.found })
        });
        output.json(&json!({ "passed": report.passed, "failed": failed.collect::<Vec<_>>() }))?;
    } else {
        let mut lines = String::new();
        for case in &report.failed {
            lines += &format!(
                "{}  {}\n  {} {}\n  {} {}\n",
                output.ink(Ink::Bold, &case.id),
                case.expression,
                output.ink(Ink::Dim, output.pick("应为", "expected")),
                case.expected,
                output.ink(Ink::Dim, output.pick("得到", "got")),
                case.found
            );
        }
        // This line is the same in every language: programs look for it.
        lines += &format!("{} passed, {} failed", report.passed, report.failed.len());
        output.print(&lines)?;
    }
    if report.failed.is_empty() { Ok(()) } else { Err(Stop::Said(Exit::Faults)) }
}
