//! What can go wrong between us and the file, and what to tell people about it.

use crate::model::text::Wording;
use std::fmt;

/// Why the store could not do what was asked.
#[derive(Clone, Debug)]
pub struct Error {
    /// Of which kind it is: what may be done about it.
    pub kind: Kind,
    /// What to tell people.
    pub what: Wording,
    /// What the database itself said, for logs.
    pub detail: String,
}

/// The kinds of trouble, by what may be done about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Another process holds the database, or we have too much to do: the same again later may go well.
    Temporary,
    /// Someone else wrote first: load again and decide again.
    Conflict,
    /// The disk is full: nothing was written; it goes on by itself when there is space.
    Full,
    /// The file or its folder may not be written.
    ReadOnly,
    /// There is no such file, or it may not be opened.
    CannotOpen,
    /// The file was written by a newer program.
    NewerSchema,
    /// The SQLite that we were built with is too old to be safe.
    OldSqlite,
    /// The file is not a database, or not one of ours.
    NotOurs,
    /// Another server already acts on the file.
    OtherServer,
    /// What was read cannot be right: a damaged file, or a fault in this program.
    Broken,
    /// Writing to the disk failed. What is on it is not known: the process must stop and start again.
    Fatal,
    /// The runtime was shut down.
    Closed,
}

impl Error {
    /// An error with our own words.
    pub fn new(kind: Kind, what: Wording, detail: impl Into<String>) -> Error {
        Error { kind, what, detail: detail.into() }
    }

    /// What was read cannot be right.
    pub fn broken(zh: impl Into<String>, en: impl Into<String>) -> Error {
        let what = Wording::new(zh, en);
        let detail = what.en.clone();
        Error { kind: Kind::Broken, what, detail }
    }

    /// The runtime was shut down before it could answer.
    pub fn closed() -> Error {
        Error::new(
            Kind::Closed,
            Wording::new(
                "系统正在关闭，命令没有执行。请稍后再试。",
                "The system is shutting down and did nothing. Please try again later.",
            ),
            "closed",
        )
    }

    /// There is too much to do right now.
    pub fn busy() -> Error {
        Error::new(
            Kind::Temporary,
            Wording::new(
                "系统正忙，命令没有执行。请过几秒再试。",
                "The system is busy and did nothing. Please try again in a few seconds.",
            ),
            "the queue of commands is full",
        )
    }
}

/// Shows both languages; what people read is [`Error::what`].
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.detail)
    }
}

impl std::error::Error for Error {}
