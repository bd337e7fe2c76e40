//! `completions`: a script that lets a shell complete our commands.

use crate::cli::exit::Stop;
use crate::cli::shell::Shell;
use crate::cli::{Words, tree as whole};
use clap::{ArgMatches, Command};

pub(super) fn tree(words: Words) -> Command {
    Command::new("completions")
        .about(words.pick("输出命令补全脚本", "Print a script that completes commands"))
        .arg(
            words
                .word(
                    "shell",
                    ("SHELL", "SHELL"),
                    "bash、zsh、fish、elvish 或 powershell",
                    "bash, zsh, fish, elvish or powershell",
                )
                .required(true)
                .value_parser(clap::value_parser!(clap_complete::Shell)),
        )
        .after_help(words.pick(
            "countersign completions bash > ~/.local/share/bash-completion/completions/countersign\n\
             countersign completions zsh > ~/.zfunc/_countersign",
            "countersign completions bash > ~/.local/share/bash-completion/completions/countersign\n\
             countersign completions zsh > ~/.zfunc/_countersign",
        ))
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let Some(kind) = matches.get_one::<clap_complete::Shell>("shell") else { return Ok(()) };
    let mut script = Vec::new();
    clap_complete::generate(*kind, &mut whole(Words(shell.output.lang)), "countersign", &mut script);
    shell.output.print(&String::from_utf8_lossy(&script))
}
