//! What is wrong with a command line, in the reader's language, with what was probably meant.

use super::exit::{Exit, Stop};
use super::help;
use super::output::Output;
use crate::model::text::Wording;
use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// Answers what the parser said: a page of help, the version, or what is wrong.
pub(crate) fn answer(error: &clap::Error, root: &Command, arguments: &[OsString], output: &Output) -> Result<(), Stop> {
    match error.kind() {
        ErrorKind::DisplayHelp => output.print(&help::of_arguments(&built(root), arguments, output)),
        ErrorKind::DisplayVersion => output.print(&format!("countersign {}", env!("CARGO_PKG_VERSION"))),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output.print(&help::of_arguments(&built(root), arguments, output))?;
            Err(Stop::Said(Exit::Usage))
        }
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            Err(Stop::Because(Exit::Usage, help::unknown(help::deepest(root, arguments).0, &word)))
        }
        _ => Err(Stop::Because(Exit::Usage, wording(error))),
    }
}

fn built(root: &Command) -> Command {
    let mut root = root.clone();
    root.build();
    root
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        ContextValue::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn wording(error: &clap::Error) -> Wording {
    let get = |kind| text(error, kind).unwrap_or_default();
    let suggested = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
        .into_iter()
        .find_map(|kind| text(error, kind))
        .filter(|suggested| !suggested.is_empty());
    let (maybe_zh, maybe_en) = suggested.map_or_else(Default::default, |suggested| {
        (format!("是不是 `{suggested}`？"), format!(" Did you mean `{suggested}`?"))
    });
    let argument = get(ContextKind::InvalidArg);
    let (zh, en) = match error.kind() {
        ErrorKind::UnknownArgument => (
            format!("这里不能写 `{argument}`。{maybe_zh}加 `--help` 看这个命令的用法。"),
            format!("`{argument}` has no meaning here.{maybe_en} Add `--help` to see what this command takes."),
        ),
        ErrorKind::MissingRequiredArgument => (
            format!("还缺少：{argument}。加 `--help` 看这个命令的用法。"),
            format!("Something is missing: {argument}. Add `--help` to see what this command takes."),
        ),
        ErrorKind::ArgumentConflict => {
            let prior = get(ContextKind::PriorArg);
            if prior.is_empty() || prior == argument {
                (format!("`{argument}` 只能写一次。"), format!("`{argument}` can be given once only."))
            } else {
                (
                    format!("`{argument}` 和 `{prior}` 不能一起用。"),
                    format!("`{argument}` and `{prior}` cannot be given together."),
                )
            }
        }
        ErrorKind::InvalidValue => {
            let (value, valid) = (get(ContextKind::InvalidValue), get(ContextKind::ValidValue));
            if value.is_empty() {
                (format!("`{argument}` 后面要写一个值。"), format!("`{argument}` needs a value."))
            } else {
                (
                    format!("`{argument}` 不能是“{value}”。{maybe_zh}可用：{valid}。"),
                    format!("`{argument}` cannot be “{value}”.{maybe_en} It can be: {valid}."),
                )
            }
        }
        ErrorKind::ValueValidation => {
            let value = get(ContextKind::InvalidValue);
            (
                format!("`{argument}` 不能是“{value}”。加 `--help` 看可以写什么。"),
                format!("`{argument}` cannot be “{value}”. Add `--help` to see what it can be."),
            )
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            (format!("`{argument}` 的值的个数不对。"), format!("`{argument}` has the wrong number of values."))
        }
        ErrorKind::NoEquals => (format!("请写成 `{argument}=值`。"), format!("Write it as `{argument}=VALUE`.")),
        ErrorKind::InvalidUtf8 => {
            ("命令里有不是 UTF-8 的字符。".into(), "The command holds bytes that are not UTF-8.".into())
        }
        _ => {
            let said = error.to_string();
            (said.clone(), said)
        }
    };
    Wording { zh, en }
}
