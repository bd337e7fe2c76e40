//! `check`: everything that is wrong with a folder, at once. Also the one way in which the shell compiles.

use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, file_trouble};
use crate::cli::output::{Ink, Output};
use crate::cli::shell::Shell;
use crate::cli::{diff, save};
use crate::compile::{Compiled, Mended, OwnTemplate, SourceText, TemplateFault, Templates as Named};
use crate::diagnostics::{Severity, Style, render, to_json, to_sarif};
use crate::effects::mail::check_notice;
use crate::effects::template::{EMBEDDED, Problem, Templates};
use crate::model::definition::Definition;
use crate::model::text::Lang;
use clap::{Arg, ArgMatches, Command};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
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
             只写文件时，也会读它所在的文件夹（人员名单在那里），但只说这些文件的错误。\
             只有一种稳妥改法的错误，--fix 会直接改好；会把文件改坏的改法不会用。",
            "Check all files of a folder and tell everything that is wrong at once: the file, line and column, what is \
             wrong and what to write instead. Of a single file, the folder around it is read too (the people are \
             there), but only faults of that file are told. Where there is exactly one safe mend, --fix makes it; a \
             mend that would break a file is not made.",
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
        .arg(words.switch("fix", "把有唯一稳妥改法的错误改好", "Make every mend that is the only safe one"))
        .arg(words.switch("diff", "只显示 --fix 会改什么，不写文件", "Show what --fix would change, and write nothing"))
        .arg(format_arg(words))
        .arg(words.json().conflicts_with("format"))
        .after_help(
            "countersign check\ncountersign check processes/leave.yaml --fix\n\
             countersign check --json | jq '.diagnostics[].message'\n\
             countersign check --format sarif > check.sarif",
        )
}

fn format_arg(words: Words) -> Arg {
    words
        .option(
            "format",
            ("human|json|sarif", "human|json|sarif"),
            "human 给人看，json 给程序，sarif 给代码托管平台",
            "human to read, json for programs, sarif for code hosts",
        )
        .value_parser(["human", "json", "sarif"])
        .default_value("human")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let given: Vec<PathBuf> = matches.get_many::<PathBuf>("paths").into_iter().flatten().cloned().collect();
    let paths = if given.is_empty() { vec![shell.settings.processes.clone()] } else { given };
    let json = matches.get_flag("json");
    let format = if json { "json" } else { matches.get_one::<String>("format").map_or("human", String::as_str) };
    let (fix, only_shown) = (matches.get_flag("fix"), matches.get_flag("diff"));
    let begun = Instant::now();
    let (compiled, mended) = if fix || only_shown {
        let mended = mend(shell, &paths)?;
        if !only_shown {
            mended.write()?;
        }
        (mended.compiled.clone(), Some(mended))
    } else {
        (compile(shell, &paths)?, None)
    };
    let took = begun.elapsed();
    match format {
        "json" => output.json(&report(output, &compiled, mended.as_ref()))?,
        "sarif" => output.json(&to_sarif(&compiled.diagnostics, &compiled.sources, output.lang))?,
        _ => {
            if let Some(mended) = &mended {
                let shown = if only_shown { mended.diff(output) } else { mended.told(output) };
                output.print(&shown)?;
            }
            if !only_shown {
                show(output, &compiled, true)?;
                output.print(&summary(output, &compiled, took))?;
                if let Some(left) = mended.as_ref().and_then(|mended| mended.left(output)) {
                    output.print(&left)?;
                }
            }
        }
    }
    let unmended = only_shown && mended.as_ref().is_some_and(|mended| !mended.made.is_empty());
    let sound = !compiled.has_errors() && !unmended;
    // The program ends here: a large folder takes longer to take apart than to be forgotten.
    std::mem::forget((compiled, mended));
    if sound { Ok(()) } else { Err(Stop::Said(Exit::Faults)) }
}

/// Everything that was found and mended, for programs.
fn report(output: &Output, compiled: &Compiled, mended: Option<&Changes>) -> serde_json::Value {
    let made = mended.map(|mended| mended.made.as_slice()).unwrap_or_default().iter();
    json!({
        "files": compiled.sources.ids().count(),
        "errors": compiled.count(Severity::Error),
        "warnings": compiled.count(Severity::Warning),
        "diagnostics": to_json(&compiled.diagnostics, &compiled.sources, output.lang),
        "mended": made.map(|made| json!({
            "file": made.file, "line": made.line, "code": made.code.number(), "name": made.code.name(),
            "message": made.message.get(output.lang), "text": made.text.get(output.lang),
        })).collect::<Vec<_>>(),
    })
}

/// A folder with its mends, and what its files held before.
struct Changes {
    made: Vec<crate::compile::Made>,
    compiled: Compiled,
    /// Path, name, what was read, what it becomes; only of files that change.
    files: Vec<(PathBuf, String, Vec<u8>, Vec<u8>)>,
}

impl Changes {
    fn write(&self) -> Result<(), Stop> {
        self.files.iter().try_for_each(|(path, _, before, after)| save::replace(path, before, after))
    }

    fn diff(&self, output: &Output) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let one = |(_, name, before, after): &(_, String, Vec<u8>, Vec<u8>)| {
            diff::unified(name, &text(before), &text(after), output)
        };
        match self.files.is_empty() {
            true => output.pick("没有可以直接改好的错误", "Nothing here has exactly one safe mend").to_owned(),
            false => self.files.iter().map(one).collect(),
        }
    }

    /// How many mends are offered and were not made, if any: which name was meant is for the author to say.
    fn left(&self, output: &Output) -> Option<String> {
        let left = self.compiled.diagnostics.iter().filter(|found| found.fix.is_some()).count();
        (left > 0).then(|| match (output.lang, left) {
            (Lang::Zh, left) => format!("上面还有 {left} 处改法只是建议，没有直接改：请您看过再决定"),
            (Lang::En, 1) => "1 mend above is only an offer and was not made: it is for you to decide".to_owned(),
            (Lang::En, left) => {
                format!("{left} mends above are only offers and were not made: they are for you to decide")
            }
        })
    }

    fn told(&self, output: &Output) -> String {
        let mut text = String::new();
        for made in &self.made {
            let (what, done) = (made.message.get(output.lang), made.text.get(output.lang));
            let head = output.ink(Ink::Bold, output.pick("已改", "mended"));
            text += &format!("{head} {}:{} {} {what} → {done}\n", made.file, made.line, made.code.number());
        }
        text
    }
}

/// Makes every safe mend, in memory. Where files are named, only they change.
fn mend(shell: &Shell, paths: &[PathBuf]) -> Result<Changes, Stop> {
    let _progress = shell.output.progress("正在检查…", "Checking …");
    let read = Read::of(paths)?;
    let templates = templates(shell)?;
    let before: Vec<(PathBuf, SourceText)> = read.texts.clone();
    let texts = before.iter().map(|(_, text)| text.clone()).collect();
    let Mended { files, made, mut compiled } =
        crate::compile::mend(texts, &Checked(&templates), &|name| read.tells(name));
    read.keep(&mut compiled);
    let changed = files.into_iter().filter_map(|file| {
        let (path, old) = before.iter().find(|(_, old)| old.name == file.name && old.bytes != file.bytes)?;
        Some((path.clone(), file.name, old.bytes.clone(), file.bytes))
    });
    Ok(Changes { files: changed.collect(), made, compiled })
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

/// What `--in` says, or the folder of processes.
pub(crate) fn folder(shell: &Shell, matches: &ArgMatches) -> PathBuf {
    matches.get_one::<PathBuf>("in").cloned().unwrap_or_else(|| shell.settings.processes.clone())
}

/// Compiles folders and files. Where files are named, only their faults are kept.
pub(crate) fn compile(shell: &Shell, paths: &[PathBuf]) -> Result<Compiled, Stop> {
    let _progress = shell.output.progress("正在检查…", "Checking …");
    let read = Read::of(paths)?;
    let templates = templates(shell)?;
    let texts = read.texts.iter().map(|(_, text)| text.clone()).collect();
    let mut compiled = crate::compile::compile(texts, &Checked(&templates));
    read.keep(&mut compiled);
    Ok(compiled)
}

/// What was asked to be checked, with what stands around it.
struct Read {
    texts: Vec<(PathBuf, SourceText)>,
    /// The files whose faults are told; `None` for all.
    only: Option<BTreeSet<String>>,
}

impl Read {
    fn of(paths: &[PathBuf]) -> Result<Read, Stop> {
        let (files, named) = gather(paths)?;
        let mut texts = Vec::new();
        for path in files {
            let bytes = std::fs::read(&path).map_err(|error| file_trouble(&path, &error))?;
            texts.push((path.clone(), SourceText { name: shown(&path), bytes }));
        }
        let whole = named.len() < paths.len();
        Ok(Read { texts, only: (!whole).then(|| named.iter().map(|path| shown(path)).collect()) })
    }

    fn tells(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(name))
    }

    fn keep(&self, compiled: &mut Compiled) {
        let sources = &compiled.sources;
        compiled.diagnostics.retain(|found| self.tells(&sources.get(found.span.source).name));
    }
}

/// The files of paths, and those of them that are named.
pub(super) fn gather(paths: &[PathBuf]) -> Result<(BTreeSet<PathBuf>, BTreeSet<PathBuf>), Stop> {
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
            siblings(folder, &mut files)?;
        }
    }
    if files.is_empty() {
        let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Stop::input(
            format!("{} 里没有 .yaml 文件。`countersign init` 会建立一个能用的项目。", shown.join("、")),
            format!("{} holds no .yaml file. `countersign init` makes a project that works.", shown.join(", ")),
        ));
    }
    // A file is one file, whether it is named or stands beside another.
    let plain = |paths: BTreeSet<PathBuf>| -> BTreeSet<PathBuf> {
        paths.into_iter().map(|path| path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)).collect()
    };
    Ok((plain(files), plain(named)))
}

/// Our templates and the company's.
pub(crate) fn templates(shell: &Shell) -> Result<Templates, Stop> {
    Templates::load(&shell.settings.templates).map_err(|problems| {
        let line = |lang: Lang| {
            let line = |problem: &Problem| {
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
pub(super) fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

fn missing(path: &Path, error: &std::io::Error) -> Stop {
    if error.kind() == std::io::ErrorKind::NotFound {
        let path = path.display();
        return Stop::input(
            format!("没有文件或文件夹“{path}”。请写出流程文件夹，或运行 `countersign init` 建立一个项目。"),
            format!(
                "There is no file or folder “{path}”. Name the folder of processes, or make a project with `countersign init`."
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

/// What processes call the mail template of a file.
fn stem(name: &str) -> Option<&str> {
    name.strip_prefix(MAIL)?.split('.').next()
}

impl Named for Checked<'_> {
    fn names(&self) -> Vec<String> {
        self.0.names().filter_map(stem).map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn own(&self) -> Vec<OwnTemplate> {
        let ours: BTreeSet<&str> = EMBEDDED.iter().filter_map(|(name, _)| stem(name)).collect();
        let mut found: BTreeMap<&str, OwnTemplate> = BTreeMap::new();
        for (file, text) in self.0.additions() {
            if let Some(name) = stem(file).filter(|name| !ours.contains(name)) {
                found.entry(name).or_insert_with(|| OwnTemplate { name: name.into(), file: file.into(), text });
            }
        }
        found.into_values().collect()
    }

    fn faults(&self, name: &str, definition: &Definition) -> Vec<TemplateFault> {
        let told = |problem: Problem| TemplateFault {
            file: format!("templates/{}", problem.template),
            line: problem.line,
            message: problem.what,
        };
        check_notice(self.0, name, definition).into_iter().map(told).collect()
    }
}
