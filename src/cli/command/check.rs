//! `check`: everything that is wrong with a folder, at once. Also the one way in which the shell compiles.

use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, file_trouble};
use crate::cli::output::{Ink, Output};
use crate::cli::shell::Shell;
use crate::compile::{Compiled, SourceText, TemplateFault, Templates as Named};
use crate::diagnostics::{Severity, Style, render, to_json};
use crate::effects::mail::sample;
use crate::effects::template::Templates;
use crate::model::definition::Definition;
use crate::model::text::Lang;
use clap::{ArgMatches, Command};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(super) fn tree(words: Words) -> Command {
    Command::new("check")
        .about(words.pick(
            "检查流程、人员和日历，一次指出全部错误",
            "Check processes, people and calendars; tell all faults at once",
        ))
        .long_about(words.pick(
            "检查一个文件夹里的全部文件，一次指出全部错误：哪个文件、哪一行、哪一列、错在哪里、应该怎么写。\
             只写文件时，也会读它所在的文件夹（人员名单在那里），但只说这些文件的错误。",
            "Check all files of a folder and tell everything that is wrong at once: the file, line and column, what is \
             wrong and what to write instead. Of a single file, the folder around it is read too (the people are \
             there), but only faults of that file are told.",
        ))
        .arg(
            words
                .word(
                    "paths",
                    ("路径", "PATH"),
                    "文件夹或文件；不写就是 processes",
                    "Folders or files; processes/ if left out",
                )
                .num_args(0..)
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(words.json())
        .after_help(
            "countersign check\ncountersign check processes/gift.yaml\ncountersign check --json | jq '.[].message'",
        )
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let given: Vec<PathBuf> = matches.get_many::<PathBuf>("paths").into_iter().flatten().cloned().collect();
    let paths = if given.is_empty() { vec![shell.settings.processes.clone()] } else { given };
    let begun = Instant::now();
    let compiled = compile(shell, &paths)?;
    let took = begun.elapsed();
    if matches.get_flag("json") {
        output.json(&to_json(&compiled.diagnostics, &compiled.sources, output.lang))?;
    } else {
        show(output, &compiled, true)?;
        output.print(&summary(output, &compiled, took))?;
    }
    if compiled.has_errors() { Err(Stop::Said(Exit::Faults)) } else { Ok(()) }
}

/// Prints what is wrong, with carets.
pub(super) fn show(output: &Output, compiled: &Compiled, warnings: bool) -> Result<(), Stop> {
    let style = Style { colour: output.paints(), width: output.width().unwrap_or(120) };
    let shown: Vec<_> = compiled.diagnostics.iter().filter(|found| warnings || found.is_error()).cloned().collect();
    output.print(&render(&shown, &compiled.sources, output.lang, style))
}

fn summary(output: &Output, compiled: &Compiled, took: Duration) -> String {
    let (errors, warnings) = (compiled.count(Severity::Error), compiled.count(Severity::Warning));
    let files = compiled.sources.ids().count();
    let took = format!("{:.1} ms", took.as_secs_f64() * 1000.0);
    let line = match output.lang {
        Lang::Zh => {
            let found = match (errors, warnings) {
                (0, 0) => "没有问题".to_owned(),
                (errors, 0) => format!("{errors} 个错误"),
                (0, warnings) => format!("没有错误，{warnings} 个警告"),
                (errors, warnings) => format!("{errors} 个错误，{warnings} 个警告"),
            };
            format!("检查了 {files} 个文件：{found}（{took}）")
        }
        Lang::En => {
            let many = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
            let found = match (errors, warnings) {
                (0, 0) => "nothing wrong".to_owned(),
                (errors, 0) => many(errors, "error"),
                (0, warnings) => format!("no errors, {}", many(warnings, "warning")),
                (errors, warnings) => format!("{}, {}", many(errors, "error"), many(warnings, "warning")),
            };
            format!("Checked {}: {found} ({took})", many(files, "file"))
        }
    };
    output.ink(if errors > 0 { Ink::Amber } else { Ink::Bold }, &line)
}

/// Compiles folders and files. Where files are named, only their faults are kept.
pub(crate) fn compile(shell: &Shell, paths: &[PathBuf]) -> Result<Compiled, Stop> {
    let _progress = shell.output.progress("正在检查…", "Checking …");
    let mut files = BTreeSet::new();
    let mut named = BTreeSet::new();
    for path in paths {
        let found = std::fs::metadata(path).map_err(|error| missing(path, &error))?;
        if found.is_dir() {
            collect(path, &mut files, 0)?;
        } else {
            named.insert(path.clone());
            files.insert(path.clone());
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut around = BTreeSet::new();
            siblings(folder, &mut around)?;
            let same = |other: &PathBuf| other.file_name() == path.file_name();
            files.extend(around.into_iter().filter(|other| !same(other)));
        }
    }
    if files.is_empty() {
        let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Stop::input(
            format!("{} 里没有 .yaml 文件。`countersign init` 会建立一个能用的项目。", shown.join("、")),
            format!("{} holds no .yaml file. `countersign init` makes a project that works.", shown.join(", ")),
        ));
    }
    let mut texts = Vec::new();
    for path in &files {
        let bytes = std::fs::read(path).map_err(|error| file_trouble(path, &error))?;
        texts.push(SourceText { name: shown(path), bytes });
    }
    let templates = templates(shell)?;
    let mut compiled = crate::compile::compile(texts, &Checked(&templates));
    let whole = named.len() < paths.len();
    if !whole {
        let names: BTreeSet<String> = named.iter().map(|path| shown(path)).collect();
        let sources = &compiled.sources;
        compiled.diagnostics.retain(|found| names.contains(&sources.get(found.span.source).name));
    }
    Ok(compiled)
}

/// Our templates and the company's.
pub(crate) fn templates(shell: &Shell) -> Result<Templates, Stop> {
    Templates::load(&shell.settings.templates).map_err(|problems| {
        let line = |lang: Lang| {
            let line = |problem: &crate::effects::template::Problem| {
                let at = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
                let file = shell.settings.templates.join(&problem.template);
                format!("  {}{at}: {}", file.display(), problem.what.get(lang))
            };
            problems.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        Stop::input(
            format!("邮件模板有 {} 处不能用：\n{}", problems.len(), line(Lang::Zh)),
            format!("{} faults in the mail templates:\n{}", problems.len(), line(Lang::En)),
        )
    })
}

/// A path as diagnostics show it: without a `./` in front.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

fn missing(path: &Path, error: &std::io::Error) -> Stop {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Stop::input(
            format!("找不到 {}。请写出流程文件夹，或运行 `countersign init` 建立一个项目。", path.display()),
            format!(
                "There is no {}. Name the folder of processes, or make a project with `countersign init`.",
                path.display()
            ),
        );
    }
    file_trouble(path, error)
}

/// The YAML files of a folder and the folders in it; hidden ones are left out.
fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>, depth: usize) -> Result<(), Stop> {
    let entries = std::fs::read_dir(folder).map_err(|error| file_trouble(folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| file_trouble(folder, &error))?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            // A link to a folder above would never end.
            if depth < 16 {
                collect(&path, files, depth + 1)?;
            }
        } else if is_yaml(&path) {
            files.insert(path);
        }
    }
    Ok(())
}

fn siblings(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), Stop> {
    let entries = std::fs::read_dir(folder).map_err(|error| file_trouble(folder, &error))?;
    files.extend(entries.flatten().map(|entry| entry.path()).filter(|path| is_yaml(path) && path.is_file()));
    Ok(())
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

/// The company's templates as the compiler asks for them: each is filled in with a sample of its process.
pub(crate) struct Checked<'a>(pub(crate) &'a Templates);

const MAIL: &str = "mail/";

impl Named for Checked<'_> {
    fn names(&self) -> Vec<String> {
        let stem = |name: &str| Some(name.strip_prefix(MAIL)?.split('.').next()?.to_owned());
        self.0.names().filter_map(stem).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn faults(&self, name: &str, definition: &Definition) -> Vec<TemplateFault> {
        let mut faults = Vec::new();
        for lang in [Lang::Zh, Lang::En] {
            for ending in ["txt", "html"] {
                let Some(file) = self.0.find(&format!("{MAIL}{name}"), lang, ending) else { continue };
                if let Err(problem) = self.0.render(&file, sample(Some(definition), lang), lang) {
                    let fault = TemplateFault { file, line: problem.line, message: problem.what };
                    if !faults.contains(&fault) {
                        faults.push(fault);
                    }
                }
            }
        }
        faults
    }
}
