//! How the program ends: exit codes, and why it stopped.
//!
//! The codes are documented in `docs/cli.md` and never change their meaning.

use crate::engine::refusal::{FieldFault, Refusal};
use crate::model::text::Wording;
use crate::runtime::{Denied, Error, Kind, Runtime};

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The work was done, and found faults: errors of `check`, failed cases.
    Faults = 1,
    /// The command line itself is wrong.
    Usage = 2,
    /// A case, task, process, person or code that does not exist, or a name that means several.
    NotFound = 3,
    /// The engine said no; nothing was changed.
    Refused = 4,
    /// A file, value or expression that cannot be used.
    Input = 5,
    /// Somebody else holds what is needed; the same again later may go well.
    Busy = 6,
    /// The database cannot be used.
    Database = 7,
    /// The world outside: a mail server, an address that cannot be listened on.
    World = 8,
    /// A fault in this program.
    Bug = 70,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// Every code, by number.
    pub const ALL: [Exit; 11] = [
        Exit::Done,
        Exit::Faults,
        Exit::Usage,
        Exit::NotFound,
        Exit::Refused,
        Exit::Input,
        Exit::Busy,
        Exit::Database,
        Exit::World,
        Exit::Bug,
        Exit::Interrupted,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// One word for programs, as in the JSON of an error.
    pub fn name(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Faults => "faults",
            Exit::Usage => "usage",
            Exit::NotFound => "not_found",
            Exit::Refused => "refused",
            Exit::Input => "input",
            Exit::Busy => "busy",
            Exit::Database => "database",
            Exit::World => "world",
            Exit::Bug => "bug",
            Exit::Interrupted => "interrupted",
        }
    }

    /// What it means.
    pub fn meaning(self) -> Wording {
        let (zh, en) = match self {
            Exit::Done => ("完成", "Done"),
            Exit::Faults => (
                "做完了，但发现了问题（检查出错误、用例没通过）",
                "Done, and faults were found (errors of `check`, cases that failed)",
            ),
            Exit::Usage => ("命令本身写错了", "The command line is wrong"),
            Exit::NotFound => (
                "找不到所说的案例、待办、流程、人员或代码，或名称对应多个",
                "No such case, task, process, person or code, or a name that means several",
            ),
            Exit::Refused => ("被拒绝，什么都没有改变", "Refused; nothing was changed"),
            Exit::Input => ("文件、内容或表达式不能用", "A file, a value or an expression that cannot be used"),
            Exit::Busy => ("正被别的程序占用，稍后再试可能成功", "Somebody else holds what is needed; try again later"),
            Exit::Database => (
                "数据库不能用（只读、磁盘已满、版本较新、不是数据库、已损坏）",
                "The database cannot be used (read-only, disk full, of a newer program, not a database, damaged)",
            ),
            Exit::World => {
                ("外部的问题：邮件服务器、监听地址", "The world outside: a mail server, an address to listen on")
            }
            Exit::Bug => ("程序自身的错误", "A fault in this program"),
            Exit::Interrupted => ("被 Ctrl-C 中断", "Stopped by Ctrl-C"),
        };
        Wording::new(zh, en)
    }
}

/// Why a command ends before it is through, or not as hoped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Say this and end so.
    Because(Exit, Wording),
    /// Say this of what was filled in and end so; programs get each fault of its own, by its field.
    Unfit(Wording, Vec<(String, Wording)>),
    /// All is said; end so.
    Said(Exit),
    /// Whoever read our output went away: nobody is left to talk to.
    Unheard,
}

impl Stop {
    /// Something that does not exist, or a name that means several.
    pub(crate) fn not_found(zh: impl Into<String>, en: impl Into<String>) -> Stop {
        Stop::Because(Exit::NotFound, Wording::new(zh, en))
    }

    /// A file, value or expression that cannot be used.
    pub(crate) fn input(zh: impl Into<String>, en: impl Into<String>) -> Stop {
        Stop::Because(Exit::Input, Wording::new(zh, en))
    }

    /// A command line that is wrong in a way that only the command sees.
    pub(crate) fn usage(zh: impl Into<String>, en: impl Into<String>) -> Stop {
        Stop::Because(Exit::Usage, Wording::new(zh, en))
    }

    /// Why a command was not accepted, in the names of the people of `runtime`.
    pub(crate) fn denied(denied: Denied, runtime: &Runtime) -> Stop {
        match denied {
            Denied::Refused(refusal, _) => {
                let mut what = refusal.wording(&runtime.directory(), runtime.calendar().zone);
                if matches!(refusal, Refusal::OpinionRequired(_)) {
                    what.zh += "加上 `--opinion 文字`。";
                    what.en += " Add `--opinion TEXT`.";
                }
                // A value that does not fit is the same fault, whoever finds it.
                match refusal {
                    Refusal::BadForm(faults) => Stop::Unfit(what, by_field(faults)),
                    Refusal::BadMessage { faults, .. } => {
                        let faults = faults.into_iter().map(|one| (one.path, one.what));
                        Stop::Unfit(what, faults.collect())
                    }
                    _ => Stop::Because(Exit::Refused, what),
                }
            }
            Denied::NoProcess { process, known } => no_process(process.as_str(), known.iter().map(|id| id.as_str())),
            Denied::Unavailable(error) => error.into(),
        }
    }
}

/// The faults of a form, by the path that `--set` takes.
pub(crate) fn by_field(faults: Vec<FieldFault>) -> Vec<(String, Wording)> {
    faults.into_iter().map(|one| (one.path_text(), one.what)).collect()
}

/// A process that is not live.
pub(crate) fn no_process<'a>(process: &str, known: impl IntoIterator<Item = &'a str>) -> Stop {
    let known: Vec<&str> = known.into_iter().collect();
    if known.is_empty() {
        return Stop::not_found(
            format!("没有流程“{process}”：这个数据库里还没有部署任何流程。先运行 `countersign deploy`。"),
            format!("There is no process “{process}”: nothing is deployed here yet. Run `countersign deploy` first."),
        );
    }
    let close = close(process, &known);
    Stop::not_found(
        format!("没有流程“{process}”。{}已部署的流程：{}。", close.zh, known.join("、")),
        format!("There is no process “{process}”.{} These are deployed: {}.", close.en, known.join(", ")),
    )
}

/// Something that no file of a folder is, and what there is: what it is called in both languages, and the key that
/// its files begin with.
pub(crate) fn not_in_folder(
    (zh, en, key): (&str, &str, &str),
    name: &str,
    known: &[&str],
    folder: &std::path::Path,
) -> Stop {
    let folder = folder.display();
    if known.is_empty() {
        return Stop::not_found(
            format!("{folder} 里没有{zh}“{name}”，也没有别的{zh}：那是以 `{key}: 名称` 开头的文件。"),
            format!("There is no {en} “{name}” in {folder}, nor any other: a file that begins with `{key}: name`."),
        );
    }
    let close = close(name, known);
    Stop::not_found(
        format!("{folder} 里没有{zh}“{name}”。{}有：{}。", close.zh, known.join("、")),
        format!("There is no {en} “{name}” in {folder}.{} What there is: {}.", close.en, known.join(", ")),
    )
}

/// What may have been meant: of the path of a file, what is probably in it.
pub(crate) fn close(name: &str, known: &[&str]) -> Wording {
    let file = name.strip_suffix(".yaml").map(|path| path.rsplit(['/', '\\']).next().unwrap_or(path));
    let close = crate::diagnostics::suggest::closest(file.unwrap_or(name), known.iter().copied());
    let (zh, en) = close
        .map_or_else(Default::default, |close| (format!("是不是“{close}”？"), format!(" Did you mean “{close}”?")));
    Wording::new(zh, en)
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        let exit = match error.kind {
            Kind::Temporary | Kind::Conflict | Kind::OtherServer | Kind::Closed => Exit::Busy,
            Kind::Full
            | Kind::ReadOnly
            | Kind::CannotOpen
            | Kind::NewerSchema
            | Kind::OldSqlite
            | Kind::NotOurs
            | Kind::Broken
            | Kind::Fatal => Exit::Database,
        };
        Stop::Because(exit, error.what)
    }
}

/// Trouble with a file, in words.
pub(crate) fn file_trouble(given: &std::path::Path, error: &std::io::Error) -> Stop {
    let path = given.display();
    let (zh, en) = match error.kind() {
        std::io::ErrorKind::NotFound => {
            let whole = std::path::absolute(given).unwrap_or_else(|_| given.to_owned());
            let path = whole.display();
            (format!("找不到 {path}。请检查路径。"), format!("There is no {path}. Check the path."))
        }
        std::io::ErrorKind::PermissionDenied => (
            format!("没有权限使用 {path}。请检查文件权限。"),
            format!("No permission for {path}. Check who may read and write it."),
        ),
        std::io::ErrorKind::StorageFull => {
            (format!("磁盘已满，无法写入 {path}。"), format!("The disk is full; {path} cannot be written."))
        }
        _ => (format!("无法使用 {path}：{error}"), format!("{path} cannot be used: {error}")),
    };
    Stop::input(zh, en)
}
