//! `table`: a decision table of the folder tried out, with the rules that hit.

use super::check;
use crate::cli::exit::{Exit, Stop, not_in_folder};
use crate::cli::output::{Ink, Output, Table as Lines};
use crate::cli::refer::World;
use crate::cli::shell::Shell;
use crate::cli::{Words as Spoken, values};
use crate::compile::Compiled;
use crate::effects::format::Words;
use crate::expression::{Context, Found, look_up};
use crate::model::form::Field;
use crate::model::id::FieldName;
use crate::model::rule::{Aggregate, Hit, Table};
use crate::model::text::Wording;
use crate::model::value::{Record, Value, plain_record};
use crate::runtime::{Clock, Files};
use clap::{ArgMatches, Command};
use serde_json::json;

pub(super) fn tree(words: Spoken) -> Command {
    Command::new("table")
        .about(words.pick("试查一张决策表，并说出命中的规则", "Try a decision table, and name the rules that hit"))
        .arg(words.word("name", ("决策表", "TABLE"), "哪张表", "Which table").required(true))
        .args(values::arguments(words))
        .arg(words.folder())
        .arg(words.json())
        .after_help(
            "countersign table discount --set kind=retail --set amount=1200\n\
             countersign table discount --data case.yaml --json",
        )
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let Some(name) = matches.get_one::<String>("name") else { return Ok(()) };
    let folder = check::folder(shell, matches);
    let compiled = check::compile(shell, std::slice::from_ref(&folder))?;
    let Some(table) = compiled.tables.get(name) else { return Err(absent(output, &compiled, name, &folder)?) };

    let directory = compiled.directory.clone().unwrap_or_default();
    let calendar = compiled.calendar.clone().unwrap_or_default();
    let now = Clock::System.now();
    let world = World {
        now,
        directory: directory.into(),
        calendar: calendar.into(),
        files: Files::default(),
        live: Vec::new(),
    };
    let inputs = values::read(output, matches, &table.inputs, &world, &Record::new())?;
    let missing: Vec<(&FieldName, &Field)> =
        table.inputs.iter().filter(|(name, field)| field.required && !inputs.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Err(Stop::Because(Exit::Input, not_given(&missing)));
    }
    let context = Context::new(&inputs, &world.directory, &world.calendar, now);
    let found = look_up(table, &inputs, &context).map_err(|failure| Stop::Because(Exit::Input, failure.message))?;
    if matches.get_flag("json") {
        let hits = found.hits.iter().filter_map(|hit| Some((hit, table.rules.get(*hit)?)));
        let hits = hits.map(|(hit, rule)| json!({ "rule": hit + 1, "text": table.written(rule), "note": rule.note.as_ref().map(|note| note.get(output.lang)) }));
        return output.json(&json!({
            "table": name,
            "hit": table.hit.word(),
            "outputs": plain_record(&found.outputs),
            "rules": hits.collect::<Vec<_>>(),
        }));
    }
    let words = Words {
        lang: output.lang,
        zone: world.calendar.zone,
        home: world.calendar.zone,
        now,
        directory: &world.directory,
        live: &[],
    };
    output.print(&shown(output, table, &found, &words))
}

/// The outputs, then the rules that answered.
fn shown(output: &Output, table: &Table, found: &Found, words: &Words<'_>) -> String {
    let mut lines = Lines::new([output.pick("输出", "Output"), output.pick("值", "Value")]);
    for (name, field) in &table.outputs {
        let value = found.outputs.get(name).unwrap_or(&Value::Null);
        let written = match value {
            Value::Null => output.pick("（空）", "(nothing)").to_owned(),
            Value::List(items) => {
                let each = items.iter().map(|item| words.value(Some(field), item));
                format!("[{}]", each.collect::<Vec<_>>().join(", "))
            }
            // How many rules hit is a number, whatever the output is.
            value if table.hit == Hit::Collect(Aggregate::Count) => words.value(None, value),
            value => words.value(Some(field), value),
        };
        lines.row([named(name, field, output), written]);
    }
    let mut text = output.table(&lines);
    if found.hits.is_empty() {
        text += &format!("\n{}", output.pick("没有规则命中。", "No rule hits."));
    }
    for rule in &found.hits {
        let Some(written) = table.rules.get(*rule) else { continue };
        let number = output.ink(
            Ink::Bold,
            &match output.lang {
                crate::model::text::Lang::Zh => format!("第 {} 条", rule + 1),
                crate::model::text::Lang::En => format!("Rule {}", rule + 1),
            },
        );
        text += &format!("\n{number}  {}", table.written(written));
        if let Some(note) = &written.note {
            text += &format!("\n        {}", output.ink(Ink::Dim, note.get(output.lang)));
        }
    }
    text
}

fn named(name: &FieldName, field: &Field, output: &Output) -> String {
    let title = field.title.get(output.lang);
    if title == name.as_str() { title.to_owned() } else { format!("{title} ({name})") }
}

fn not_given(missing: &[(&FieldName, &Field)]) -> Wording {
    use crate::model::text::Lang;
    let lines = |lang: Lang, what: &str| {
        let line = |(name, field): &(&FieldName, &Field)| {
            values::faulty_line(name.as_str(), field.title.get(lang), what, lang)
        };
        missing.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    Wording::new(
        format!("还缺 {} 个输入，用 --set 给出：\n{}", missing.len(), lines(Lang::Zh, "请填写这一项。")),
        format!("Give what is missing with --set:\n{}", lines(Lang::En, "Please fill this in.")),
    )
}

/// Why a table cannot be tried.
fn absent(output: &Output, compiled: &Compiled, name: &str, folder: &std::path::Path) -> Result<Stop, Stop> {
    if compiled.has_errors() {
        check::show(output, compiled, false)?;
        return Ok(Stop::Because(
            Exit::Faults,
            Wording::new(
                format!("决策表“{name}”试不了：请先改好上面的错误。"),
                format!("“{name}” cannot be tried: mend the errors above first."),
            ),
        ));
    }
    let known: Vec<&str> = compiled.tables.keys().map(String::as_str).collect();
    Ok(not_in_folder(("决策表", "decision table", "table"), name, &known, folder))
}
