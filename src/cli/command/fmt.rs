//! `fmt`: files in their calm form.

use super::check::{gather, shown};
use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, file_trouble};
use crate::cli::output::{Ink, Output};
use crate::cli::shell::Shell;
use crate::cli::{diff, save};
use crate::diagnostics::{Sources, Style, render, to_json};
use crate::model::text::{Lang, Wording};
use crate::syntax::{Unformatted, format};
use clap::{ArgMatches, Command};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) fn tree(words: Words) -> Command {
    Command::new("fmt")
        .about(words.pick("把文件排成统一的样子", "Write files in one calm form"))
        .long_about(words.pick(
            "把文件排成统一的样子：缩进两格，列表缩进在键下面，括号和逗号旁的空格一致；一行放不下的 [ ] { } 改成一行一项。\
             注释、空行、文字和数字的写法、键的顺序都不变，流程的版本也不变。YAML 本身有错的文件不动。",
            "Write files in one calm form: two spaces a level, lists under their key, even spaces in brackets; what stands in \
             [ ] or { } and does not fit on its line is written one item a line. Comments, empty lines, the spelling \
             of texts and numbers and the order of keys stay, and so does the version of a process. A file that is \
             not YAML is left alone.",
        ))
        .arg(
            words
                .word(
                    "paths",
                    ("路径", "PATH"),
                    "文件夹或文件，- 是标准输入；不写就是 processes",
                    "Folders or files, - for standard input; processes/ if left out",
                )
                .num_args(0..)
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(words.switch("check", "只说哪些文件会改，不写文件", "Only say which files would change"))
        .arg(words.switch("diff", "显示会改什么，不写文件", "Show what would change, and write nothing"))
        .arg(words.json())
        .after_help("countersign fmt\ncountersign fmt --check\ncountersign fmt - < processes/leave.yaml")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let given: Vec<PathBuf> = matches.get_many::<PathBuf>("paths").into_iter().flatten().cloned().collect();
    if given.iter().any(|path| path == Path::new("-")) {
        return piped(output);
    }
    let paths = if given.is_empty() { vec![shell.settings.processes.clone()] } else { given };
    let (check, differs) = (matches.get_flag("check"), matches.get_flag("diff"));
    let mut files = Vec::new();
    let (found, named) = gather(&paths)?;
    // Of named files the folder around them is no concern here.
    let whole = named.len() < paths.len();
    for path in found.into_iter().filter(|path| whole || named.contains(path)) {
        files.push(Formatted::of(path)?);
    }
    if !check && !differs {
        for file in &files {
            if let (true, Ok(new)) = (file.changes(), &file.new) {
                save::replace(&file.path, file.old.as_bytes(), new.as_bytes())?;
            }
        }
    }
    if matches.get_flag("json") {
        output.json(&files.iter().map(|file| file.json(output.lang)).collect())?;
    } else {
        for file in &files {
            output.print(&file.told(output, check, differs))?;
        }
        output.print(&summary(output, &files, check || differs))?;
    }
    let broken = files.iter().any(|file| file.new.is_err());
    let unwritten = (check || differs) && files.iter().any(Formatted::changes);
    if broken || unwritten { Err(Stop::Said(Exit::Faults)) } else { Ok(()) }
}

/// What editors do: a text in, a text out.
fn piped(output: &Output) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    let name = Path::new("-");
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| file_trouble(name, &error))?;
    let file = Formatted::from(name.to_owned(), bytes);
    match &file.new {
        Ok(text) => output.print(text),
        Err(_) => {
            let what = file.why(output.lang, output);
            Err(Stop::Because(Exit::Faults, Wording::new(what.clone(), what)))
        }
    }
}

/// A file and what becomes of it.
struct Formatted {
    path: PathBuf,
    name: String,
    old: String,
    sources: Sources,
    new: Result<String, Unformatted>,
}

impl Formatted {
    fn of(path: PathBuf) -> Result<Formatted, Stop> {
        let bytes = std::fs::read(&path).map_err(|error| file_trouble(&path, &error))?;
        Ok(Formatted::from(path, bytes))
    }

    fn from(path: PathBuf, bytes: Vec<u8>) -> Formatted {
        let name = shown(&path);
        let mut sources = Sources::new();
        let id = sources.add_bytes(name.as_str(), &bytes);
        let new = format(id, &sources);
        Formatted { old: String::from_utf8_lossy(&bytes).into_owned(), path, name, sources, new }
    }

    fn changes(&self) -> bool {
        self.new.as_ref().is_ok_and(|new| *new != self.old)
    }

    fn told(&self, output: &Output, check: bool, differs: bool) -> String {
        match &self.new {
            Err(_) => self.why(output.lang, output),
            Ok(new) if differs => diff::unified(&self.name, &self.old, new, output),
            Ok(_) if !self.changes() => String::new(),
            Ok(_) if check => {
                format!("{} {}\n", output.ink(Ink::Amber, output.pick("要改", "would change")), self.name)
            }
            Ok(_) => format!("{} {}\n", output.ink(Ink::Bold, output.pick("已排好", "written")), self.name),
        }
    }

    /// Why the file is left alone.
    fn why(&self, lang: Lang, output: &Output) -> String {
        match &self.new {
            Err(Unformatted::Broken(found)) => {
                let style = Style { colour: output.paints(), width: output.width().unwrap_or(120) };
                let head = output.pick("YAML 本身有错，没有动这个文件：", "This is not YAML yet and was left alone:");
                format!("{}: {head}\n{}", self.name, render(found, &self.sources, lang, style))
            }
            _ => format!(
                "{}: {}\n",
                self.name,
                output.pick(
                    "有少见的写法（例如 `? 键`），排版会改变意思，没有动这个文件。",
                    "It is written in an unusual way, such as `? key`, which could not be kept; it was left alone."
                )
            ),
        }
    }

    fn json(&self, lang: Lang) -> serde_json::Value {
        let state = match &self.new {
            Ok(_) if self.changes() => "changed",
            Ok(_) => "unchanged",
            Err(Unformatted::Broken(_)) => "broken",
            Err(Unformatted::Unusual) => "unusual",
        };
        let found = match &self.new {
            Err(Unformatted::Broken(found)) => to_json(found, &self.sources, lang),
            _ => json!([]),
        };
        json!({ "file": self.name, "state": state, "diagnostics": found })
    }
}

fn summary(output: &Output, files: &[Formatted], dry: bool) -> String {
    let changed = files.iter().filter(|file| file.changes()).count();
    let broken = files.iter().filter(|file| file.new.is_err()).count();
    let all = files.len();
    let line = match output.lang {
        Lang::Zh => {
            let left = if broken > 0 { format!("，{broken} 个没有动") } else { String::new() };
            let done = match (changed, dry) {
                (0, _) => "都已是统一的样子".to_owned(),
                (n, true) => format!("{n} 个要改"),
                (n, false) => format!("排好了 {n} 个"),
            };
            format!("{all} 个文件：{done}{left}")
        }
        Lang::En => {
            let left = if broken > 0 { format!(", {broken} left alone") } else { String::new() };
            let done = match (changed, dry) {
                (0, _) => "nothing to change".to_owned(),
                (n, true) => format!("{n} would change"),
                (n, false) => format!("{n} written"),
            };
            format!("{all} file{}: {done}{left}", if all == 1 { "" } else { "s" })
        }
    };
    output.ink(if broken > 0 { Ink::Amber } else { Ink::Bold }, &line)
}
