//! `graph`: a process as a picture.

use super::check;
use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, no_process};
use crate::cli::shell::Shell;
use crate::compile::diagram::{Marks, dot, mermaid, outline};
use crate::model::definition::Definition;
use crate::model::text::Wording;
use clap::{ArgMatches, Command};
use std::path::PathBuf;

pub(super) fn tree(words: Words) -> Command {
    Command::new("graph")
        .about(words.pick("把一个流程画成图", "Draw a process"))
        .arg(words.word("process", ("流程", "PROCESS"), "哪个流程", "Which process").required(true))
        .arg(
            words
                .option(
                    "format",
                    ("outline|mermaid|dot", "outline|mermaid|dot"),
                    "outline 看文字，mermaid 贴进文档，dot 交给 Graphviz",
                    "outline to read, mermaid for documents, dot for Graphviz",
                )
                .value_parser(["outline", "mermaid", "dot"])
                .default_value("outline"),
        )
        .arg(
            words
                .option(
                    "from",
                    ("文件夹", "DIR"),
                    "流程文件夹；不写就是 processes",
                    "The folder of processes; processes/ if left out",
                )
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(words.switch(
            "deployed",
            "画已上线的版本，而不是文件夹里的",
            "Draw what is live, not what is in the folder",
        ))
        .after_help("countersign graph gift\ncountersign graph gift --format dot | dot -Tsvg > gift.svg")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let Some(process) = matches.get_one::<String>("process") else { return Ok(()) };
    let format = matches.get_one::<String>("format").map_or("outline", String::as_str);
    if matches.get_flag("deployed") {
        let live = shell.with_runtime(async |runtime| Ok(runtime.definitions()))?;
        let found = live.iter().find(|definition| definition.process.as_str() == process);
        let found = found.ok_or_else(|| no_process(process, live.iter().map(|one| one.process.as_str())))?;
        return shell.output.print(&drawn(shell, found, format));
    }
    let folder = matches.get_one::<PathBuf>("from").cloned().unwrap_or_else(|| shell.settings.processes.clone());
    let compiled = check::compile(shell, std::slice::from_ref(&folder))?;
    match compiled.definition(process) {
        Some(definition) => shell.output.print(&drawn(shell, definition, format)),
        None if compiled.has_errors() => {
            check::show(&shell.output, &compiled, false)?;
            Err(Stop::Because(
                Exit::Faults,
                Wording::new(
                    format!("流程“{process}”画不出来：请先改好上面的错误。"),
                    format!("“{process}” cannot be drawn: mend the errors above first."),
                ),
            ))
        }
        None => {
            let known: Vec<&str> = compiled.definitions.iter().map(|one| one.process.as_str()).collect();
            let close = crate::diagnostics::suggest::closest(process, known.iter().copied());
            let (zh, en) = close.map_or_else(Default::default, |close| {
                (format!("是不是“{close}”？"), format!(" Did you mean “{close}”?"))
            });
            Err(Stop::not_found(
                format!("{} 里没有流程“{process}”。{zh}有：{}。", folder.display(), known.join("、")),
                format!("{} holds no process “{process}”.{en} It has: {}.", folder.display(), known.join(", ")),
            ))
        }
    }
}

fn drawn(shell: &Shell, definition: &Definition, format: &str) -> String {
    let (lang, marks) = (shell.output.lang, Marks::default());
    match format {
        "mermaid" => mermaid(definition, lang, &marks),
        "dot" => dot(definition, lang, &marks),
        _ => outline(definition, lang, &marks),
    }
}
