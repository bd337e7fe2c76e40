//! `graph`: a process as a picture.

use super::{check, explore};
use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, no_process};
use crate::cli::output::Ink;
use crate::cli::save;
use crate::cli::shell::Shell;
use crate::diagram::{Drawing, Marks, Tone, dot, mermaid, outline, svg};
use crate::model::definition::Definition;
use crate::model::id::ProcessId;
use crate::model::people::Directory;
use crate::model::text::{Text, Wording};
use clap::{ArgMatches, Command};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) fn tree(words: Words) -> Command {
    Command::new("graph")
        .about(words.pick("把一个流程画成图", "Draw a process"))
        .arg(words.word("process", ("流程", "PROCESS"), "哪个流程", "Which process").required(true))
        .arg(
            words
                .option(
                    "format",
                    ("outline|svg|mermaid|dot", "outline|svg|mermaid|dot"),
                    "outline 在终端看，svg 是图片，mermaid 贴进文档，dot 交给 Graphviz；不写就看 --out 的扩展名",
                    "outline to read here, svg a picture, mermaid for documents, dot for Graphviz; what --out ends with if left out",
                )
                .value_parser(["outline", "svg", "mermaid", "dot"]),
        )
        .arg(
            words
                .option(
                    "out",
                    ("文件", "FILE"),
                    "写进这个文件，而不是显示出来：leave.svg",
                    "Write it to this file instead of showing it: leave.svg",
                )
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(
            words
                .option(
                    "width",
                    ("列数", "COLUMNS"),
                    "outline 每行最多多少列；不写就和终端一样宽",
                    "The columns of a line of the outline; those of the terminal if left out",
                )
                .value_parser(clap::value_parser!(u16).range(24..=1000)),
        )
        .arg(words.folder())
        .arg(words.switch(
            "deployed",
            "画已上线的版本，而不是文件夹里的",
            "Draw what is live, not what is in the folder",
        ))
        .arg(words.json())
        .after_help(
            "countersign graph leave\ncountersign graph leave --out leave.svg\n\
             countersign graph leave --format dot | dot -Tsvg > leave.svg",
        )
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let Some(process) = matches.get_one::<String>("process") else { return Ok(()) };
    if matches.get_flag("deployed") {
        let (live, directory) = shell.with_runtime(async |runtime| Ok((runtime.definitions(), runtime.directory())))?;
        let found = live.iter().find(|definition| definition.process.as_str() == process);
        let found = found.ok_or_else(|| no_process(process, live.iter().map(|one| one.process.as_str())))?;
        return draw(shell, found, &titles(live.iter().map(AsRef::as_ref)), &directory, matches);
    }
    let folder = check::folder(shell, matches);
    let compiled = check::compile(shell, std::slice::from_ref(&folder))?;
    let definition = explore::wanted(shell, &compiled, process, &folder)?;
    let titles = titles(&compiled.definitions);
    draw(shell, definition, &titles, &compiled.directory.clone().unwrap_or_default(), matches)
}

fn titles<'d>(definitions: impl IntoIterator<Item = &'d Definition>) -> BTreeMap<ProcessId, Text> {
    definitions.into_iter().map(|one| (one.process.clone(), one.title.clone())).collect()
}

/// What the names of drawings end in, and what is drawn then.
const ENDINGS: &[(&str, &str)] =
    &[("svg", "svg"), ("mmd", "mermaid"), ("mermaid", "mermaid"), ("dot", "dot"), ("gv", "dot"), ("txt", "outline")];

fn draw(
    shell: &Shell,
    definition: &Definition,
    titles: &BTreeMap<ProcessId, Text>,
    directory: &Directory,
    matches: &ArgMatches,
) -> Result<(), Stop> {
    let output = &shell.output;
    let out = matches.get_one::<PathBuf>("out");
    let format = match (matches.get_one::<String>("format"), out) {
        (Some(format), _) => format.as_str(),
        (None, Some(out)) => save::form_of(out, ENDINGS)?.unwrap_or("outline"),
        (None, None) => "outline",
    };
    let (drawing, marks) = (Drawing::of(definition, titles, directory, output.lang), Marks::default());
    let text = match format {
        "svg" => svg(&drawing, &marks),
        "mermaid" => mermaid(&drawing, &marks),
        "dot" => dot(&drawing, &marks),
        _ => {
            let asked = matches.get_one::<u16>("width").map(|width| usize::from(*width));
            let width = asked.or_else(|| output.width().filter(|_| out.is_none()));
            let plain = out.is_some() || matches.get_flag("json");
            outlined(&drawing, width, |ink, text| match ink {
                Some(ink) if !plain => output.ink(ink, text),
                _ => text.to_owned(),
            })
        }
    };
    if let Some(out) = out {
        std::fs::write(out, &text).map_err(|error| {
            Stop::Because(
                Exit::Input,
                Wording::new(
                    format!("写不了 {}：{error}。请换一个能写的位置。", out.display()),
                    format!("{} cannot be written: {error}. Choose a place that can.", out.display()),
                ),
            )
        })?;
        output.note(format!("已画到 {}。", out.display()), format!("Drawn to {}.", out.display()));
    }
    match out {
        _ if matches.get_flag("json") => output.json(&serde_json::json!({
            "process": definition.process.as_str(),
            "version": definition.version.to_string(),
            "format": format,
            "text": text,
            "drawing": drawing,
        })),
        Some(_) => Ok(()),
        None => output.print(&text),
    }
}

fn outlined(drawing: &Drawing, width: Option<usize>, paint: impl Fn(Option<Ink>, &str) -> String) -> String {
    let mut text = String::new();
    for line in outline(drawing, &Marks::default(), width) {
        for (tone, words) in line {
            let ink = match tone {
                Tone::Strong => Some(Ink::Bold),
                Tone::Accent => Some(Ink::Seal),
                Tone::Soft => Some(Ink::Dim),
                Tone::Plain => None,
            };
            text.push_str(&paint(ink, &words));
        }
        text.push('\n');
    }
    text
}
