//! Help in the reader's language, drawn from the tree of commands: pages for the terminal, and the manual.

use super::command::{ALL, Group};
use super::exit::{Exit, Stop};
use super::output::{Ink, Output, pad, wrap};
use super::{Colour, Words, tree};
use crate::diagnostics::suggest;
use crate::model::text::{Lang, Wording};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::ffi::OsString;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The widest that help becomes.
const WIDTH: usize = 100;

/// The page of the whole program.
pub(crate) fn root(root: &Command, output: &Output) -> String {
    let width = output.width().unwrap_or(WIDTH).min(WIDTH);
    let mut text = String::new();
    for line in wrap(&about(root), width) {
        let _ = writeln!(text, "{line}");
    }
    let usage = output.pick("countersign <命令> [选项]", "countersign <COMMAND> [OPTIONS]");
    let _ = writeln!(text, "\n{} {usage}", output.ink(Ink::Bold, output.pick("用法：", "Usage:")));
    for group in Group::ALL {
        if !ALL.iter().any(|entry| entry.group == group) {
            continue;
        }
        let _ = writeln!(text, "\n{}", output.ink(Ink::Bold, group.title(output.lang)));
        let names = ALL.iter().filter(|entry| entry.group == group).map(|entry| entry.name);
        let rows =
            names.filter_map(|name| root.find_subcommand(name)).map(|own| (own.get_name().to_owned(), about(own)));
        list(&mut text, &rows.collect::<Vec<_>>(), width, output);
    }
    let _ = writeln!(text, "\n{}", output.ink(Ink::Bold, output.pick("选项", "Options")));
    list(&mut text, &options(root, output.lang, true), width, output);
    let _ = writeln!(
        text,
        "\n{}",
        output.pick(
            "`countersign help 命令` 显示一个命令的全部用法。第一次用？运行 `countersign demo`。",
            "`countersign help COMMAND` shows all of a command. New here? Run `countersign demo`."
        )
    );
    text
}

/// The page of one command.
pub(crate) fn page(command: &Command, path: &[String], output: &Output) -> String {
    let width = output.width().unwrap_or(WIDTH).min(WIDTH);
    let mut text = String::new();
    let long = command.get_long_about().map(ToString::to_string).unwrap_or_else(|| about(command));
    for line in wrap(&long, width) {
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(
        text,
        "\n{} {}",
        output.ink(Ink::Bold, output.pick("用法：", "Usage:")),
        usage(command, path, output.lang)
    );
    let subcommands: Vec<(String, String)> = command
        .get_subcommands()
        .filter(|own| !own.is_hide_set())
        .map(|own| (own.get_name().to_owned(), about(own)))
        .collect();
    if !subcommands.is_empty() {
        let _ = writeln!(text, "\n{}", output.ink(Ink::Bold, output.pick("命令", "Commands")));
        list(&mut text, &subcommands, width, output);
    }
    let places: Vec<(String, String)> = command
        .get_positionals()
        .filter(|arg| !arg.is_hide_set())
        .map(|arg| (format!("<{}>", value_name(arg)), described(arg, output.lang)))
        .collect();
    if !places.is_empty() {
        let _ = writeln!(text, "\n{}", output.ink(Ink::Bold, output.pick("参数", "Arguments")));
        list(&mut text, &places, width, output);
    }
    let own = options(command, output.lang, false);
    if !own.is_empty() {
        let _ = writeln!(text, "\n{}", output.ink(Ink::Bold, output.pick("选项", "Options")));
        list(&mut text, &own, width, output);
    }
    let all = output.pick(
        "所有命令都有的选项：--lang --db --config --colour，见 `countersign help`。",
        "Options of all commands: --lang --db --config --colour; see `countersign help`.",
    );
    let _ = writeln!(text, "\n{}", output.ink(Ink::Dim, all));
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(text, "\n{}", output.ink(Ink::Bold, output.pick("例子", "Examples")));
        for line in after.to_string().lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// What `countersign help …` answers.
pub(crate) fn asked(tree: &Command, matches: &ArgMatches, output: &Output) -> Result<String, Stop> {
    let names: Vec<String> = matches.get_many::<String>("of").into_iter().flatten().cloned().collect();
    let (mut at, mut path) = (tree, Vec::new());
    for name in names {
        match at.find_subcommand(&name) {
            Some(found) => {
                path.push(name);
                at = found;
            }
            // `help show LP-2026-0001`: what follows a command is no part of its name.
            None if at.has_subcommands() => return Err(Stop::Because(Exit::Usage, unknown(at, &name))),
            None => break,
        }
    }
    Ok(if path.is_empty() { root(tree, output) } else { page(at, &path, output) })
}

/// The page that `--help` in arguments asks for: of the deepest command that they name.
pub(crate) fn of_arguments(tree: &Command, arguments: &[OsString], output: &Output) -> String {
    let (at, path) = deepest(tree, arguments);
    if path.is_empty() { root(tree, output) } else { page(at, &path, output) }
}

/// The deepest command that arguments name, and the way to it.
pub(crate) fn deepest<'a>(tree: &'a Command, arguments: &[OsString]) -> (&'a Command, Vec<String>) {
    let (mut at, mut path) = (tree, Vec::new());
    let mut words = arguments.iter().skip(1).map(|argument| argument.to_string_lossy()).take_while(|word| word != "--");
    while let Some(word) = words.next() {
        if matches!(&*word, "--lang" | "--db" | "--config" | "--colour" | "--color") {
            words.next();
        } else if let Some(found) = at.find_subcommand(&*word).filter(|found| !found.is_hide_set()) {
            path.push(word.to_string());
            at = found;
        }
    }
    (at, path)
}

/// That a command has no such command below it, and which was probably meant.
pub(crate) fn unknown(at: &Command, word: &str) -> Wording {
    let known = at.get_subcommands().filter(|own| !own.is_hide_set()).map(Command::get_name);
    let (zh, en) = suggest::closest(word, known)
        .map_or_else(Default::default, |close| (format!("是不是 `{close}`？"), format!(" Did you mean `{close}`?")));
    Wording::new(
        format!("没有命令 `{word}`。{zh}`countersign help` 列出所有命令。"),
        format!("There is no command `{word}`.{en} `countersign help` lists them all."),
    )
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn value_name(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names.first().map_or_else(|| arg.get_id().to_string(), ToString::to_string)
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// The options of a command, with or without those of all commands.
fn options(command: &Command, lang: Lang, all: bool) -> Vec<(String, String)> {
    command
        .get_arguments()
        .filter(|arg| !arg.is_positional() && !arg.is_hide_set() && (all || !arg.is_global_set()))
        .map(|arg| {
            let short = arg.get_short().map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
            let value = if takes_value(arg) { format!(" <{}>", value_name(arg)) } else { String::new() };
            (format!("{short}--{}{value}", arg.get_long().unwrap_or_default()), described(arg, lang))
        })
        .collect()
}

fn described(arg: &Arg, lang: Lang) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults = arg.get_default_values();
    if takes_value(arg) && !defaults.is_empty() {
        let values: Vec<_> = defaults.iter().map(|value| value.to_string_lossy()).collect();
        let values = values.join(", ");
        text += &match lang {
            Lang::Zh => format!("（默认 {values}）"),
            Lang::En => format!(" ({values} if not given)"),
        };
    }
    text
}

fn usage(command: &Command, path: &[String], lang: Lang) -> String {
    let mut text = format!("countersign {}", path.join(" "));
    if command.get_subcommands().any(|own| !own.is_hide_set()) {
        let name = match lang {
            Lang::Zh => "命令",
            Lang::En => "COMMAND",
        };
        text += &if command.is_subcommand_required_set() { format!(" <{name}>") } else { format!(" [{name}]") };
    }
    for arg in command.get_positionals().filter(|arg| !arg.is_hide_set()) {
        let many = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
        let dots = if many { "…" } else { "" };
        let name = value_name(arg);
        text += &if arg.is_required_set() { format!(" <{name}>{dots}") } else { format!(" [{name}]{dots}") };
    }
    for arg in command.get_arguments().filter(|arg| !arg.is_positional() && arg.is_required_set()) {
        let _ = write!(text, " --{} <{}>", arg.get_long().unwrap_or_default(), value_name(arg));
    }
    let optional =
        command.get_arguments().any(|arg| !arg.is_positional() && !arg.is_required_set() && !arg.is_global_set());
    if optional {
        text += match lang {
            Lang::Zh => " [选项]",
            Lang::En => " [OPTIONS]",
        };
    }
    text
}

fn list(text: &mut String, rows: &[(String, String)], width: usize, output: &Output) {
    let left = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0).min(34);
    for (name, words) in rows {
        let room = width.saturating_sub(left + 4).max(24);
        let mut lines = wrap(words, room).into_iter();
        let first = lines.next().unwrap_or_default();
        if name.width() > left {
            let _ = writeln!(text, "  {}\n  {}  {first}", output.ink(Ink::Bold, name), pad("", left));
        } else {
            let name = output.ink(Ink::Bold, name) + &" ".repeat(left - name.width());
            let _ = writeln!(text, "{}", format!("  {name}  {first}").trim_end());
        }
        for line in lines {
            let _ = writeln!(text, "  {}  {line}", pad("", left));
        }
    }
}

/// The paths of all commands that are shown.
pub(crate) fn paths(tree: &Command) -> Vec<Vec<String>> {
    fn walk(command: &Command, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        for own in command.get_subcommands().filter(|own| !own.is_hide_set()) {
            path.push(own.get_name().to_owned());
            found.push(path.clone());
            walk(own, path, found);
            path.pop();
        }
    }
    let mut found = Vec::new();
    walk(tree, &mut Vec::new(), &mut found);
    found
}

/// All commands as one page of Markdown.
pub(crate) fn manual(lang: Lang) -> String {
    let output = Output::new(lang, Colour::Never, false).unbounded();
    let mut tree = tree(Words(lang));
    tree.build();
    let mut text = match lang {
        Lang::Zh => "# 命令行\n\n本页由 `countersign manual --lang zh` 生成；改命令的说明请改 `src/cli/command/`，\
                     再运行 `UPDATE_GOLDEN=1 cargo test --test suite cli`。\n\n"
            .to_owned(),
        Lang::En => "# The command line\n\nThis page is made by `countersign manual --lang en`. To change it, change \
                     the commands in `src/cli/command/` and run `UPDATE_GOLDEN=1 cargo test --test suite cli`.\n\n"
            .to_owned(),
    };
    let _ = writeln!(text, "```text\n{}```\n", root(&tree, &output));
    text += match lang {
        Lang::Zh => {
            "## 怎么指一个案例\n\n用业务编号（`LP-2026-0001`）、案例编号，或两者的开头几位，只要不会认错。\
                     一个案例同时有几项待办时，在后面加 `/步骤`：`LP-2026-0001/keeper`；\
                     在 `each` 的一行里写 `LP-2026-0001/survey/2/call`：步骤 `survey` 的第 2 行里的 `call`。\
                     人用编号（`wang`）、姓名或邮箱来指。\n\n## 退出码\n\n| 码 | 名称 | 意思 |\n|--:|--|--|\n"
        }
        Lang::En => {
            "## How to name a case\n\nBy its business number (`LP-2026-0001`), its id, or the beginning of \
                     either, as long as it means one. Where a case asks for several things at once, add `/STEP`: \
                     `LP-2026-0001/keeper`, and in a row of an `each` `LP-2026-0001/survey/2/call`: the step `call` in \
                     the second row of `survey`. People are named by id (`wang`), name or mail address.\n\n\
                     ## Exit codes\n\n| code | name | meaning |\n|--:|--|--|\n"
        }
    };
    for exit in Exit::ALL {
        let _ = writeln!(text, "| {} | `{}` | {} |", exit.code(), exit.name(), exit.meaning().get(lang));
    }
    text.push('\n');
    text += &super::settings::manual(lang);
    for path in paths(&tree) {
        let Some(command) = path.iter().try_fold(&tree, |at, name| at.find_subcommand(name)) else { continue };
        let level = "#".repeat(path.len() + 1);
        let _ = writeln!(
            text,
            "\n{level} `countersign {}`\n\n```text\n{}```",
            path.join(" "),
            page(command, &path, &output)
        );
    }
    text
}
