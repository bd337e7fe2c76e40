//! `message`: something happened outside, and cases that wait for it are told.

use crate::cli::exit::Stop;
use crate::cli::output::Ink;
use crate::cli::shell::Shell;
use crate::cli::{Words, acting, values};
use crate::diagnostics::suggest::closest;
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::model::value::{Record, Value, from_plain};
use clap::{ArgMatches, Command};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) fn tree(words: Words) -> Command {
    Command::new("message")
        .about(words.pick("把外面发生的事告诉在等它的案例", "Tell cases of something that happened outside"))
        .long_about(words.pick(
            "把外面发生的事告诉在等它的案例（`receive` 步骤）。还没有案例在等时，消息保留 30 天，只会被读一次；\
             接收它的步骤都写了 `keep: false` 的，不保留。同一个 --id 的消息只算一条。",
            "Tell cases of something that happened outside (steps of `receive`). Where no case waits for it yet, it is \
             kept for 30 days, unless every step that receives it says `keep: false`; it is read once. Messages of the \
             same --id are one.",
        ))
        .arg(
            words
                .word(
                    "name",
                    ("消息", "NAME"),
                    "发生了什么，流程里 `receive` 的名称",
                    "What happened, as `receive` names it",
                )
                .required(true),
        )
        .arg(words.option(
            "key",
            ("值", "VALUE"),
            "哪一件的，例如合同号",
            "Whose it is, such as the number of a contract",
        ))
        .args(values::arguments(words))
        .arg(acting::id_argument(words))
        .arg(
            words
                .switch("discard", "丢掉编号为 --id、还没有被读的消息", "Drop the unread message of this --id")
                .requires("id"),
        )
        .arg(words.json())
        .after_help("countersign message contract_signed --key HT-2026-7 --set signed_on=2026-03-05")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let word = |name: &str| matches.get_one::<String>(name).map(|word| word.trim().to_owned());
    let (name, key) = (word("name").unwrap_or_default(), word("key"));
    let id = acting::command_id(matches)?;
    let data = said(shell, matches)?;
    shell.with_runtime(async |runtime| {
        if matches.get_flag("discard") {
            if !runtime.discard(id.as_str()).await? {
                return Err(Stop::not_found(
                    format!("没有编号为 {id} 的未读消息。`countersign stuck` 列出它们。"),
                    format!("There is no unread message {id}. `countersign stuck` lists them."),
                ));
            }
            return output.print(output.pick("已丢掉。", "Dropped."));
        }
        let hearing = runtime.hearing(&name).await?;
        if hearing.heard && !hearing.keyless && key.is_none() {
            return Err(no_key(&name));
        }
        let new = runtime.message(id.as_str(), &name, key.as_deref(), data).await;
        let new = new.map_err(|denied| Stop::denied(denied, runtime))?;
        let heard = runtime.heard().await?;
        let known = heard.contains(&*name);
        if matches.get_flag("json") {
            return output.json(&json!({ "id": id.as_str(), "new": new, "known": known }));
        }
        if !new {
            return output.print(output.pick(
                "这条消息以前已经收到，没有再记一次。",
                "This message had come before; it is not counted again.",
            ));
        }
        if !known {
            return output.print(&output.ink(Ink::Amber, unheard(&name, id.as_str(), &heard).get(output.lang)));
        }
        let waits = runtime.unread(u32::MAX).await?.iter().any(|row| *row.id == *id.as_str());
        if waits && !hearing.early {
            runtime.discard(id.as_str()).await?;
            let said = output.pick(
                "没有案例在等它，也没有保留：接收它的步骤只认等待期间来的消息（`keep: false`）。等案例走到那一步再发。",
                "Nobody waits for it, and it is not kept: the steps that receive it take only what comes while they wait \
                 (`keep: false`). Send it again once a case has come there.",
            );
            return output.print(&output.ink(Ink::Amber, said));
        }
        output.print(if waits {
            output.pick(
                "已收下。现在没有案例在等它，30 天内有案例来读就会交给它。",
                "Kept. No case waits for it now; the one that does within 30 days gets it.",
            )
        } else {
            output.pick("已送到等它的案例。", "It reached the case that waited for it.")
        })
    })
}

/// A message that nobody could read: whoever waits for its name tells cases apart by a key.
fn no_key(name: &str) -> Stop {
    Stop::usage(
        format!("接收消息“{name}”的步骤都靠键认案例，没有键谁也读不到它，没有记下。请加上 --key，例如合同号。"),
        format!(
            "Every step that receives “{name}” knows its case by a key, so nobody could read one without; nothing was \
             recorded. Add --key, such as the number of a contract."
        ),
    )
}

/// A message that was kept though nothing that is live reads its name.
fn unheard(name: &str, id: &str, heard: &BTreeSet<Arc<str>>) -> Wording {
    let close = closest(name, heard.iter().map(|name| &**name));
    let (zh, en) = match (close, heard.is_empty()) {
        (Some(close), _) => (format!("是不是 {close}？"), format!(" Did you mean {close}?")),
        (None, true) => {
            ("已上线的流程不接收任何消息。".to_owned(), " No live process receives any message.".to_owned())
        }
        (None, false) => {
            let all: Vec<&str> = heard.iter().map(|name| &**name).collect();
            (format!("会接收的有：{}。", all.join("、")), format!(" These are received: {}.", all.join(", ")))
        }
    };
    Wording::new(
        format!(
            "已收下，但没有流程接收消息“{name}”。{zh}写错了就丢掉它：countersign message {name} --id {id} --discard"
        ),
        format!(
            "Kept, but no process receives the message “{name}”.{en} If it is a mistake, drop it: countersign message \
             {name} --id {id} --discard"
        ),
    )
}

/// What a message says: `--data`, then `--set`, each value as text.
fn said(shell: &Shell, matches: &ArgMatches) -> Result<Value, Stop> {
    let mut data = match matches.get_one::<PathBuf>("data") {
        Some(path) => from_plain(&values::plain(&shell.output, path)?),
        None => Value::Record(Record::new()),
    };
    for text in matches.get_many::<String>("set").into_iter().flatten() {
        let Some((path, value)) = text.split_once('=') else {
            return Err(Stop::usage(
                format!("--set 要写成 字段=值，不能只写“{text}”。"),
                format!("--set takes FIELD=VALUE; “{text}” has no `=`."),
            ));
        };
        let parts: Vec<&str> = path.trim().split('.').collect();
        put(&mut data, &parts, value);
    }
    Ok(data)
}

/// Puts a text at a path, through records that are made where there are none.
fn put(data: &mut Value, path: &[&str], text: &str) {
    let Some((first, rest)) = path.split_first() else {
        *data = Value::Text(text.into());
        return;
    };
    let mut record = match std::mem::take(data) {
        Value::Record(record) => record,
        _ => Record::new(),
    };
    put(record.entry(FieldName::from(*first)).or_insert(Value::Null), rest, text);
    *data = Value::Record(record);
}
