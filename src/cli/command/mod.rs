//! The commands, one file a group: each entry says its arguments, its help and what it does.

mod completions;
mod explain;
mod init;
mod keys;

use super::Words;
use super::exit::Stop;
use super::shell::Shell;
use crate::model::text::Lang;
use clap::{ArgMatches, Command};

/// What commands are for; the order and titles of help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Writing processes.
    Author,
    /// Making them live and serving them.
    Serve,
    /// Starting and looking at cases.
    Case,
    /// Answering tasks.
    Task,
    /// Looking after the installation.
    Operate,
}

impl Group {
    /// All groups, in the order of help.
    pub(crate) const ALL: [Group; 5] = [Group::Author, Group::Serve, Group::Case, Group::Task, Group::Operate];

    /// The title of the group.
    pub(crate) fn title(self, lang: Lang) -> &'static str {
        let words = Words(lang);
        match self {
            Group::Author => words.pick("编写流程", "Write processes"),
            Group::Serve => words.pick("上线运行", "Run them"),
            Group::Case => words.pick("案例", "Cases"),
            Group::Task => words.pick("待办", "Tasks"),
            Group::Operate => words.pick("运维", "Look after it"),
        }
    }
}

/// One command.
pub(crate) struct Entry {
    /// As it is typed.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) group: Group,
    /// Its arguments and help.
    pub(crate) tree: fn(Words) -> Command,
    /// What it does.
    pub(crate) run: fn(&Shell, &ArgMatches) -> Result<(), Stop>,
}

/// Every command, in the order of help.
pub(crate) const ALL: &[Entry] = &[
    Entry { name: "init", group: Group::Author, tree: init::tree, run: init::run },
    Entry { name: "explain", group: Group::Author, tree: explain::tree, run: explain::run },
    Entry { name: "keys", group: Group::Operate, tree: keys::tree, run: keys::run },
    Entry { name: "completions", group: Group::Operate, tree: completions::tree, run: completions::run },
];
