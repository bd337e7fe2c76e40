//! The command line: what can be typed, in which language it answers, and who carries it out.
//!
//! ```text
//! arguments ─ tree ─→ matches ─ command/*.rs ─→ runtime, compile, … ─→ output
//!            usage (what is wrong with them)                          exit (how it ended)
//! ```
//!
//! Each command says everything about itself in one place: a file of `command/` holds its arguments, its help in
//! both languages, and what it does. Nothing here decides anything about an instance; what is entered in the
//! shell and what is clicked in a mail are the same commands to the runtime.
//!
//! The language is that of `--lang`, `COUNTERSIGN_LANG`, the configuration, `LC_ALL`, `LC_MESSAGES` or `LANG`, in
//! this order; English where none of them is Chinese.

mod acting;
mod browser;
mod columns;
mod command;
mod diff;
mod directory;
mod exit;
mod future;
mod help;
pub mod letters;
mod outcomes;
mod output;
mod prompt;
mod record;
mod refer;
mod save;
mod settings;
mod shell;
mod usage;
mod values;
mod year;

pub use exit::Exit;

use crate::model::text::Lang;
use clap::{Arg, ArgAction, Command};
use exit::Stop;
use output::{Colour, Output};
use settings::Settings;
use shell::Shell;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program on the arguments of the process and answers its exit code.
pub fn run() -> ExitCode {
    ExitCode::from(run_with(std::env::args_os().collect()).code())
}

fn run_with(arguments: Vec<OsString>) -> Exit {
    let lang = language(&arguments);
    let words = Words(lang);
    let root = tree(words);
    let matches = match root.clone().try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let output = Output::new(lang, colour_of(&arguments), json_of(&arguments));
            return end(&output, usage::answer(&error, &root, &arguments, &output));
        }
    };
    let colour = match matches.get_one::<String>("colour").map(String::as_str) {
        Some("always") => Colour::Always,
        Some("never") => Colour::Never,
        _ => Colour::Auto,
    };
    let Some((name, own)) = matches.subcommand() else {
        let output = Output::new(lang, colour, false);
        return end(&output, output.print(&help::root(&root, &output)));
    };
    let json = json_of(&arguments);
    let output = Output::new(lang, colour, json);
    let settings = match Settings::read(&matches) {
        Ok(settings) => settings,
        Err(stop) => return end(&output, Err(stop)),
    };
    let shell = Shell { output, settings };
    let done = match command::ALL.iter().find(|entry| entry.name == name) {
        Some(entry) => (entry.run)(&shell, own),
        None if name == "help" => help::asked(&root, own, &shell.output).and_then(|text| shell.output.print(&text)),
        // A hidden command: what `docs/cli.md` and `docs/cli.zh.md` are made with.
        None => shell.output.print(&help::manual(lang)),
    };
    end(&shell.output, done)
}

/// Says what is left to say.
fn end(output: &Output, done: Result<(), Stop>) -> Exit {
    match done {
        Ok(()) | Err(Stop::Unheard) => Exit::Done,
        Err(Stop::Said(exit)) => exit,
        Err(Stop::Because(exit, what)) => {
            output.error(exit, &what, &[]);
            exit
        }
        Err(Stop::Unfit(what, faults)) => {
            output.error(Exit::Input, &what, &faults);
            Exit::Input
        }
    }
}

/// The language of a reader, for words that are chosen before there is a printer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words(pub(crate) Lang);

impl Words {
    /// Picks the words of the reader's language.
    pub(crate) fn pick(self, zh: &'static str, en: &'static str) -> &'static str {
        match self.0 {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// A switch: `--name`.
    pub(crate) fn switch(self, name: &'static str, zh: &'static str, en: &'static str) -> Arg {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(self.pick(zh, en))
    }

    /// An option with a value: `--name VALUE`; `value` is what help calls it.
    pub(crate) fn option(
        self,
        name: &'static str,
        value: (&'static str, &'static str),
        zh: &'static str,
        en: &'static str,
    ) -> Arg {
        Arg::new(name).long(name).value_name(self.pick(value.0, value.1)).help(self.pick(zh, en))
    }

    /// A word by its place.
    pub(crate) fn word(
        self,
        name: &'static str,
        value: (&'static str, &'static str),
        zh: &'static str,
        en: &'static str,
    ) -> Arg {
        Arg::new(name).value_name(self.pick(value.0, value.1)).help(self.pick(zh, en))
    }

    /// `--in`: where the documents are.
    pub(crate) fn folder(self) -> Arg {
        let help = (
            "流程文件夹，或一个文件；不写就是 processes",
            "The folder of processes, or one file; processes/ if left out",
        );
        self.option("in", ("路径", "PATH"), help.0, help.1).value_parser(clap::value_parser!(std::path::PathBuf))
    }

    /// `--json`.
    pub(crate) fn json(self) -> Arg {
        self.switch("json", "以 JSON 输出，给程序读", "Print JSON, for programs")
    }
}

/// Everything that can be typed, with its help in the words of a language.
pub(crate) fn tree(words: Words) -> Command {
    let mut root = Command::new("countersign")
        .version(env!("CARGO_PKG_VERSION"))
        .about(words.pick(
            "会签：把公司的审批流程写成 YAML，检查、部署、运行；每个人在自己的邮箱里签。",
            "Countersign: a company's approvals as YAML, checked, deployed and run; everyone signs from their mailbox.",
        ))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .arg(
            words
                .option("lang", ("zh|en", "zh|en"), "用什么语言回答", "The language to answer in")
                .value_parser(["zh", "en"])
                .global(true),
        )
        .arg(
            words
                .option(
                    "db",
                    ("文件", "FILE"),
                    "数据库文件（默认 countersign.db）",
                    "The database file (countersign.db if not given)",
                )
                .value_parser(clap::value_parser!(std::path::PathBuf))
                .global(true),
        )
        .arg(
            words
                .option(
                    "config",
                    ("文件", "FILE"),
                    "配置文件（默认 countersign.toml，没有也行）",
                    "The configuration (countersign.toml if there is one)",
                )
                .value_parser(clap::value_parser!(std::path::PathBuf))
                .global(true),
        )
        .arg(
            words
                .option("colour", ("auto|always|never", "auto|always|never"), "是否用颜色", "Whether to use colours")
                .visible_alias("color")
                .value_parser(["auto", "always", "never"])
                .global(true),
        )
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::Help)
                .help(words.pick("显示帮助", "Show help"))
                .global(true),
        )
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version)
                .help(words.pick("显示版本", "Show the version")),
        );
    for entry in command::ALL {
        root = root.subcommand((entry.tree)(words).disable_help_flag(true).disable_help_subcommand(true));
    }
    root.subcommand(
        Command::new("help")
            .about(words.pick("显示一个命令的帮助", "Show the help of a command"))
            .arg(words.word("of", ("命令", "COMMAND"), "哪个命令", "Which command").num_args(0..)),
    )
    .subcommand(Command::new("manual").hide(true))
}

/// The language to answer in, before anything is parsed: help and errors of the command line need it too.
fn language(arguments: &[OsString]) -> Lang {
    let given = value_of(arguments, "--lang").and_then(|lang| Lang::from_locale(&lang));
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    given
        .or_else(|| Lang::from_locale(&variable("COUNTERSIGN_LANG")?))
        .or_else(|| settings::language(value_of(arguments, "--config").map(Into::into)))
        .or_else(|| {
            let locale = variable("LC_ALL").or_else(|| variable("LC_MESSAGES")).or_else(|| variable("LANG"))?;
            Lang::from_locale(&locale)
        })
        .unwrap_or(Lang::En)
}

fn colour_of(arguments: &[OsString]) -> Colour {
    match value_of(arguments, "--colour").or_else(|| value_of(arguments, "--color")).as_deref() {
        Some("always") => Colour::Always,
        Some("never") => Colour::Never,
        _ => Colour::Auto,
    }
}

/// Whether what is wrong is told to a program: `--json` or another form for programs is asked for.
fn json_of(arguments: &[OsString]) -> bool {
    let asked = arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json");
    asked || matches!(value_of(arguments, "--format").as_deref(), Some("json" | "sarif"))
}

/// The value of an option in arguments that were not parsed yet.
fn value_of(arguments: &[OsString], option: &str) -> Option<String> {
    let mut arguments = arguments.iter().skip(1).map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            return None;
        }
        if argument == option {
            return arguments.next().map(Into::into);
        }
        if let Some(value) = argument.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}

/// The reference of all commands, as Markdown: what `docs/cli.md` (English) and `docs/cli.zh.md` hold.
pub fn manual(lang: Lang) -> String {
    help::manual(lang)
}

/// The paths of all commands, such as `keys rotate`, for tests that walk them.
pub fn commands() -> Vec<Vec<String>> {
    help::paths(&tree(Words(Lang::En)))
}
