//! `init`: a small project that works, to begin from.

use crate::cli::Words;
use crate::cli::exit::{Stop, file_trouble};
use crate::cli::output::Ink;
use crate::cli::shell::Shell;
use crate::model::text::Lang;
use crate::runtime::Clock;
use chrono::Datelike;
use clap::{ArgMatches, Command};
use std::io::Write;
use std::path::PathBuf;

macro_rules! starter {
    ($lang:literal, $($path:literal from $file:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../docs/starter/", $lang, "/", $file)))),+]
    };
}

/// The files of the project, by path; `{year}` in them is the year it is made in.
const ZH: &[(&str, &str)] = starter!("zh",
    "README.md" from "README.md",
    "countersign.toml" from "countersign.toml",
    "processes/leave.yaml" from "leave.yaml",
    "processes/directory.yaml" from "directory.yaml",
    "processes/calendar.yaml" from "calendar.yaml",
    ".gitignore" from "gitignore",
);
const EN: &[(&str, &str)] = starter!("en",
    "README.md" from "README.md",
    "countersign.toml" from "countersign.toml",
    "processes/leave.yaml" from "leave.yaml",
    "processes/directory.yaml" from "directory.yaml",
    "processes/calendar.yaml" from "calendar.yaml",
    ".gitignore" from "gitignore",
);

pub(super) fn tree(words: Words) -> Command {
    Command::new("init")
        .about(words.pick("建立一个可以马上运行的小项目", "Make a small project that runs at once"))
        .long_about(words.pick(
            "建立一个可以马上运行的小项目：一个流程、人员、日历、配置和说明。不会覆盖已有的文件。",
            "Make a small project that runs at once: a process, people, a calendar, a configuration and a README. \
             No file that is there already is touched.",
        ))
        .arg(
            words
                .word(
                    "folder",
                    ("文件夹", "DIR"),
                    "建在哪里；不写就是当前文件夹",
                    "Where; the working folder if left out",
                )
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .after_help("countersign init approvals\ncd approvals\ncountersign check")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let folder = matches.get_one::<PathBuf>("folder").cloned().unwrap_or_else(|| PathBuf::from("."));
    let files = match output.lang {
        Lang::Zh => ZH,
        Lang::En => EN,
    };
    let taken: Vec<&str> = files.iter().map(|(path, _)| *path).filter(|path| folder.join(path).exists()).collect();
    if !taken.is_empty() {
        let (here, here_en) = match folder.as_os_str() == "." {
            true => ("这个文件夹".to_owned(), "This folder".to_owned()),
            false => (folder.display().to_string(), folder.display().to_string()),
        };
        return Err(Stop::input(
            format!("{here}里已经有 {}，没有改动任何文件。请换一个文件夹。", taken.join("、")),
            format!("{here_en} already holds {}; nothing was changed. Choose another folder.", taken.join(", ")),
        ));
    }
    let year = Clock::System.now().year().to_string();
    for (path, text) in files {
        let path = folder.join(path);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
            let mut file = std::fs::File::create_new(&path)?;
            file.write_all(text.replace("{init_year}", &year).as_bytes())
        });
        made.map_err(|error| file_trouble(&path, &error))?;
    }
    let mut text = String::new();
    for (path, _) in files {
        text += &format!("{}\n", output.ink(Ink::Dim, &folder.join(path).display().to_string()));
    }
    let go = if folder.as_os_str() == "." { String::new() } else { format!("  cd {}\n", folder.display()) };
    text += &format!(
        "\n{}\n{go}  countersign check\n  countersign deploy\n  countersign serve --dev\n",
        output.pick("项目建好了。接下来：", "The project is made. Next:")
    );
    output.print(&text)
}
