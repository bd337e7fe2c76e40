//! The commands, one file a group: each entry says its arguments, its help and what it does.

mod answer;
mod bench;
mod changes;
mod check;
mod completions;
mod demo;
mod deploy;
mod evaluate;
mod explain;
mod explore;
mod fmt;
mod graph;
mod handover;
mod init;
mod intervene;
mod keys;
mod list;
mod look;
mod mail;
mod message;
mod outside;
mod play;
mod report;
mod schema;
mod serve;
mod simulate;
mod start;
mod table;
mod test;

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
    Entry { name: "check", group: Group::Author, tree: check::tree, run: check::run },
    Entry { name: "fmt", group: Group::Author, tree: fmt::tree, run: fmt::run },
    Entry { name: "schema", group: Group::Author, tree: schema::tree, run: schema::run },
    Entry { name: "explain", group: Group::Author, tree: explain::tree, run: explain::run },
    Entry { name: "evaluate", group: Group::Author, tree: evaluate::tree, run: evaluate::run },
    Entry { name: "test", group: Group::Author, tree: test::tree, run: test::run },
    Entry { name: "explore", group: Group::Author, tree: explore::tree, run: explore::run },
    Entry { name: "simulate", group: Group::Author, tree: simulate::tree, run: simulate::run },
    Entry { name: "table", group: Group::Author, tree: table::tree, run: table::run },
    Entry { name: "graph", group: Group::Author, tree: graph::tree, run: graph::run },
    Entry { name: "deploy", group: Group::Serve, tree: deploy::tree, run: deploy::run },
    Entry { name: "definitions", group: Group::Serve, tree: deploy::definitions_tree, run: deploy::definitions },
    Entry { name: "serve", group: Group::Serve, tree: serve::tree, run: serve::run },
    Entry { name: "demo", group: Group::Serve, tree: demo::tree, run: demo::run },
    Entry { name: "start", group: Group::Case, tree: start::tree, run: start::run },
    Entry { name: "list", group: Group::Case, tree: list::list_tree, run: list::list },
    Entry { name: "show", group: Group::Case, tree: look::show_tree, run: look::show },
    Entry { name: "history", group: Group::Case, tree: look::history_tree, run: look::history },
    Entry { name: "comment", group: Group::Case, tree: intervene::comment_tree, run: intervene::comment },
    Entry { name: "withdraw", group: Group::Case, tree: intervene::withdraw_tree, run: intervene::withdraw },
    Entry { name: "cancel", group: Group::Case, tree: intervene::cancel_tree, run: intervene::cancel },
    Entry { name: "message", group: Group::Case, tree: message::tree, run: message::run },
    Entry { name: "tasks", group: Group::Task, tree: list::tasks_tree, run: list::tasks },
    Entry { name: "approve", group: Group::Task, tree: answer::approve_tree, run: answer::approve },
    Entry { name: "reject", group: Group::Task, tree: answer::reject_tree, run: answer::reject },
    Entry { name: "return", group: Group::Task, tree: answer::return_tree, run: answer::send_back },
    Entry { name: "complete", group: Group::Task, tree: answer::complete_tree, run: answer::complete },
    Entry { name: "revise", group: Group::Task, tree: answer::revise_tree, run: answer::revise },
    Entry { name: "report", group: Group::Operate, tree: report::tree, run: report::run },
    Entry { name: "stuck", group: Group::Operate, tree: outside::stuck_tree, run: outside::stuck },
    Entry { name: "retry", group: Group::Operate, tree: outside::retry_tree, run: outside::retry },
    Entry { name: "skip", group: Group::Operate, tree: outside::skip_tree, run: outside::skip },
    Entry { name: "handover", group: Group::Operate, tree: handover::tree, run: handover::run },
    Entry { name: "mail", group: Group::Operate, tree: mail::tree, run: mail::run },
    Entry { name: "keys", group: Group::Operate, tree: keys::tree, run: keys::run },
    Entry { name: "bench", group: Group::Operate, tree: bench::tree, run: bench::run },
    Entry { name: "completions", group: Group::Operate, tree: completions::tree, run: completions::run },
];
