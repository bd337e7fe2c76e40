//! `explain`: the page of a fault that `check` reports.

use crate::cli::Words;
use crate::cli::exit::Stop;
use crate::cli::output::{Ink, Output, Table};
use crate::cli::shell::Shell;
use crate::diagnostics::{Code, Severity};
use clap::{ArgMatches, Command};
use serde_json::json;

pub(super) fn tree(words: Words) -> Command {
    Command::new("explain")
        .about(
            words.pick("解释 check 报告的一种问题，怎么改", "Explain a fault that check reports, and how to mend it"),
        )
        .arg(words.word(
            "code",
            ("代码", "CODE"),
            "代码或名称：CS0201、unknown_key；不写则列出全部",
            "Its code or name: CS0201, unknown_key; all of them if left out",
        ))
        .arg(words.json())
        .after_help("countersign explain CS0201\ncountersign explain unknown_key --lang zh")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let Some(word) = matches.get_one::<String>("code") else { return all(output, matches.get_flag("json")) };
    let Some(code) = Code::find(word) else {
        let (zh, en) = Code::closest(word).map_or_else(Default::default, |close| {
            (format!("是不是 `{}`？", close.name()), format!(" Did you mean `{}`?", close.name()))
        });
        return Err(Stop::not_found(
            format!("没有代码“{word}”。{zh}`countersign explain` 列出全部。"),
            format!("There is no code “{word}”.{en} `countersign explain` lists them all."),
        ));
    };
    let page = code.page(output.lang);
    if matches.get_flag("json") {
        return output.json(&json!({
            "code": code.number(), "name": code.name(), "severity": severity(code), "page": page,
        }));
    }
    output.print(&painted(page, output))
}

fn all(output: &Output, json: bool) -> Result<(), Stop> {
    let title = |code: Code| code.page(output.lang).lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
    if json {
        let codes = Code::ALL.iter().map(|code| {
            json!({ "code": code.number(), "name": code.name(), "severity": severity(*code), "title": title(*code) })
        });
        return output.json(&codes.collect());
    }
    let mut table =
        Table::new([output.pick("代码", "CODE"), output.pick("名称", "NAME"), output.pick("意思", "MEANING")]).prose(2);
    for code in Code::ALL {
        table.row([code.number().to_owned(), code.name().to_owned(), title(*code).to_owned()]);
    }
    output.print(&output.table(&table))
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Markdown for a terminal: titles bold, examples dim.
fn painted(page: &str, output: &Output) -> String {
    if !output.paints() {
        return page.to_owned();
    }
    let mut example = false;
    let mut text = String::new();
    for line in page.lines() {
        if line.starts_with("```") {
            example = !example;
            continue;
        }
        text += &match (example, line.strip_prefix('#')) {
            (true, _) => output.ink(Ink::Dim, &format!("  {line}")),
            (false, Some(title)) => output.ink(Ink::Bold, title.trim_start_matches(['#', ' '])),
            (false, None) => line.to_owned(),
        };
        text.push('\n');
    }
    text
}
