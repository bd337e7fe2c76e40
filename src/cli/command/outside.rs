//! `message`, `retry` and `stuck`: what comes into cases from outside, and what waits or failed there.

use super::look::reference;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output::{Ink, Output, Table};
use crate::cli::refer::{self, World};
use crate::cli::shell::Shell;
use crate::cli::{Words, acting, values};
use crate::diagnostics::suggest::closest;
use crate::effects::format::{self, clean_line};
use crate::engine::command::{Actor, Ask, Command as Asked};
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::state::Waiting;
use crate::model::id::{FieldName, TokenId};
use crate::model::text::{Lang, Wording};
use crate::model::value::{Record, Value, from_plain};
use crate::runtime::{Case, Denied, InstanceFilter, MessageRow, Runtime, Standing, WaitRow};
use clap::{ArgMatches, Command};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// The most rows of each kind that `stuck` shows.
const MOST: u32 = 200;

pub(super) fn message_tree(words: Words) -> Command {
    Command::new("message")
        .about(words.pick("把外面发生的事告诉在等它的案例", "Tell cases of something that happened outside"))
        .long_about(words.pick(
            "把外面发生的事告诉在等它的案例（`receive` 步骤）。还没有案例在等时，消息保留 30 天，只会被读一次。\
             同一个 --id 的消息只算一条。",
            "Tell cases of something that happened outside (steps of `receive`). Where no case waits for it yet, it is \
             kept for 30 days; it is read once. Messages of the same --id are one.",
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

pub(super) fn message(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
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
        let new = runtime.message(id.as_str(), &name, key.as_deref(), data).await?;
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

pub(super) fn retry_tree(words: Words) -> Command {
    Command::new("retry")
        .about(words.pick("重试因故障停下的步骤（管理员）", "Try again what an incident stopped (an operator)"))
        .arg(reference(words))
        .arg(words.option("step", ("步骤", "STEP"), "只重试这一步", "Only this step"))
        .arg(acting::id_argument(words))
        .arg(words.json())
        .after_help("countersign retry LP-2026-0001\ncountersign retry LP-2026-0001 --step book")
}

pub(super) fn retry(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
        let case = refer::case(runtime, output, text).await?;
        let step = matches.get_one::<String>("step").map(|step| step.as_str().into());
        let asked = Asked {
            id: acting::command_id(matches)?,
            actor: Actor::Operator { user: shell.user() },
            ask: Ask::Retry { step },
        };
        match runtime.submit(case.state.id, asked).await {
            Ok(accepted) if matches.get_flag("json") => output.json(&acting::accepted_json(&accepted)),
            Ok(accepted) => {
                let said = output.pick("已重试", "Tried again");
                output.print(&format!("{said} {}", output.ink(Ink::Bold, &accepted.state.reference())))?;
                output.print(&acting::standing(output, &world, &case.definition, &accepted.state))
            }
            Err(Denied::Refused(Refusal::NoIncident, state)) => {
                Err(match runtime.stopped_below().await?.get(&case.state.id) {
                    Some(stopped) => stopped_elsewhere(stopped),
                    None => acting::denied(Denied::Refused(Refusal::NoIncident, state), runtime),
                })
            }
            Err(denied) => Err(acting::denied(denied, runtime)),
        }
    })
}

/// A case that goes on once another one does.
fn stopped_elsewhere(stopped: &str) -> Stop {
    Stop::Because(
        Exit::Refused,
        Wording::new(
            format!("这个案例自己没有停下：它在等的案例 {stopped} 停下了。请重试那一个：countersign retry {stopped}"),
            format!(
                "This case has not stopped itself: the case {stopped} that it waits for has. Retry that one: countersign retry {stopped}"
            ),
        ),
    )
}

pub(super) fn stuck_tree(words: Words) -> Command {
    Command::new("stuck")
        .about(
            words.pick("列出停下的案例，以及在等外面什么", "List cases that stopped, and what cases wait for outside"),
        )
        .arg(words.json())
        .after_help("countersign stuck")
}

pub(super) fn stuck(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let words = world.words(output);
        let filter = InstanceFilter { standing: Some(Standing::Incident), limit: MOST, ..InstanceFilter::default() };
        let mut rows: Vec<[String; 4]> = Vec::new();
        for row in runtime.instances(&filter).await? {
            let Some(case) = runtime.case(row.id).await? else { continue };
            for token in case.state.tokens.values() {
                let (Some(step), Some(what)) = (&token.step, &token.incident) else { continue };
                let step = words.step(&case.definition, step);
                rows.push([row.reference(), step, words.trouble(what), words.moment(row.at)]);
            }
        }
        let stopped = rows.len();
        for row in runtime.waits(None, MOST).await? {
            let Some(case) = runtime.case(row.instance).await? else { continue };
            let mut what = words.waits(&row.waits, None).unwrap_or_default();
            if let Waiting::Call { child, .. } = &row.waits
                && let Some(child) = runtime.case(*child).await?
            {
                what = format!("{what} ({})", child.state.reference());
            }
            if let Some(worker) = holder(&row, runtime) {
                what = format!("{what} · {worker}");
            }
            if let Some(last) = last_trouble(&case, row.token, output.lang) {
                what = format!("{what} · {last}");
            }
            rows.push([
                case.state.reference(),
                words.step(&case.definition, &row.step),
                what,
                words.moment(row.next_at),
            ]);
        }
        for row in runtime.undelivered(MOST).await? {
            let sender = runtime.case(row.sender).await?;
            let sender = sender.map_or_else(|| row.sender.to_string(), |sender| sender.state.reference());
            let title = output.pick("没有发起的流程", "a process that did not start").to_owned();
            let process = row.process.as_ref().map(|id| words.process(id));
            let why = [process, row.reply].into_iter().flatten().collect::<Vec<_>>().join(" · ");
            rows.push([sender, title, why, words.moment(row.at)]);
        }
        let unread = runtime.unread(MOST).await?;
        if matches.get_flag("json") {
            let message = |row: &MessageRow| {
                let (place, key) = (unread_words(output), row.key.as_deref().unwrap_or_default());
                [row.id.to_string(), place.to_owned(), format!("{} {key}", row.name), words.moment(row.at)]
            };
            let all = rows.into_iter().chain(unread.iter().map(message)).enumerate();
            let all = all.map(|(number, [case, place, what, at])| {
                json!({ "case": case, "at": place, "what": what, "since": at, "stopped": number < stopped })
            });
            return output.json(&all.collect());
        }
        if rows.is_empty() && unread.is_empty() {
            return output
                .print(output.pick("没有停下的案例，也没有在等外面。", "Nothing has stopped or waits outside."));
        }
        let mut text = String::new();
        if !rows.is_empty() {
            // Why is what one looks for: it stands whole, and last, where it has room.
            let mut table = Table::new([
                output.pick("案例", "CASE"),
                output.pick("步骤", "STEP"),
                output.pick("时间", "AT"),
                output.pick("情况", "WHAT"),
            ])
            .whole(2)
            .prose(3);
            for (number, [case, place, what, at]) in rows.into_iter().enumerate() {
                let ink = (number < stopped).then_some(Ink::Amber);
                table.painted_row([(case, Some(Ink::Bold)), (place, None), (at, Some(Ink::Dim)), (what, ink)]);
            }
            text = output.table(&table);
        }
        if !unread.is_empty() {
            let gap = if text.is_empty() { "" } else { "\n" };
            text = format!(
                "{text}{gap}{}\n{}",
                output.ink(Ink::Dim, unread_words(output)),
                messages(&unread, &words, output)
            );
        }
        output.print(&text)
    })
}

fn unread_words(output: &Output) -> &str {
    output.pick("消息没有人读", "a message that nobody reads")
}

/// Messages, each with the id that drops it.
fn messages(unread: &[MessageRow], words: &format::Words<'_>, output: &Output) -> String {
    let mut table = Table::new([
        output.pick("消息", "MESSAGE"),
        output.pick("键", "KEY"),
        output.pick("时间", "AT"),
        output.pick("编号", "ID"),
    ])
    .whole(2)
    .whole(3);
    for row in unread {
        table.painted_row([
            (row.name.to_string(), Some(Ink::Bold)),
            (row.key.as_deref().unwrap_or_default().to_owned(), None),
            (words.moment(row.at), Some(Ink::Dim)),
            (row.id.to_string(), Some(Ink::Dim)),
        ]);
    }
    output.table(&table)
}

/// The column of the board, the case that called this one, those that it called, and what went wrong outside.
pub(super) async fn relatives(runtime: &Runtime, case: &Case, output: &Output) -> Result<String, Stop> {
    let world = World::of(runtime);
    let words = world.words(output);
    let mut lines = Vec::new();
    if let Some(stage) = &case.state.stage {
        lines.push((output.pick("阶段", "Stage"), stage.to_string()));
    }
    if let Some(caller) = &case.state.caller {
        let parent = runtime.case(caller.instance).await?;
        let parent = parent.map_or_else(|| caller.instance.to_string(), |parent| parent.state.reference());
        lines.push((output.pick("由它发起", "Called by"), parent));
    }
    let below = runtime.stopped_below().await?;
    for event in case.entries.iter().flat_map(|entry| &entry.events) {
        let Event::Called { child, process, .. } = event else { continue };
        let told = match runtime.case(*child).await? {
            Some(child) => {
                let own = child.state.reference();
                let stopped = child.state.has_incident().then(|| own.clone());
                let stopped = stopped.or_else(|| below.get(&child.state.id).cloned());
                let stands = match (&child.state.ended, stopped) {
                    (Some(ended), _) => words.ending(&child.definition, &ended.outcome),
                    (None, Some(stopped)) => {
                        format!("{} · countersign retry {stopped}", output.pick("停下了", "stopped"))
                    }
                    (None, None) => output.pick("进行中", "open").to_owned(),
                };
                format!("{own} · {stands}")
            }
            None => format!("{} · {}", words.process(process), output.pick("没有发起", "not started")),
        };
        lines.push((output.pick("发起了", "Called"), told));
    }
    for number in case.state.tokens.keys() {
        if let Some(trouble) = last_trouble(case, *number, output.lang) {
            lines.push((output.pick("上次", "Last time"), trouble));
        }
        if let Some(row) = runtime.wait(case.state.id, *number).await?
            && let Some(worker) = holder(&row, runtime)
        {
            lines.push((output.pick("在谁手里", "Held by"), worker.to_owned()));
        }
    }
    let line = |(title, text): &(&str, String)| format!("  {}  {}\n", output.ink(Ink::Dim, title), clean_line(text));
    Ok(if lines.is_empty() { String::new() } else { format!("\n{}", lines.iter().map(line).collect::<String>()) })
}

/// Who holds what a token waits for; nobody once the lease is over.
fn holder<'a>(row: &'a WaitRow, runtime: &Runtime) -> Option<&'a str> {
    row.worker.as_deref().filter(|_| row.next_at > runtime.now())
}

/// What went wrong at the last attempt of what a token waits for; what stopped it is told with where it stands.
fn last_trouble(case: &Case, token: TokenId, lang: Lang) -> Option<String> {
    let events = case.entries.iter().rev().flat_map(|entry| entry.events.iter().rev());
    let mut own = events.filter_map(|event| match event {
        Event::WaitBegun { token: of, .. } | Event::IncidentRaised { token: of, .. } if *of == token => Some(None),
        Event::Postponed { token: of, zh, en, .. } if *of == token => {
            Some(Some(if lang == Lang::Zh { zh.to_string() } else { en.to_string() }))
        }
        _ => None,
    });
    own.next().flatten()
}
