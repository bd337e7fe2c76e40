//! `stuck`, `retry` and `skip`: what waits or failed outside, and what an operator does about it.

use super::look::reference;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output::{Ink, Output, Table};
use crate::cli::refer::{self, World};
use crate::cli::shell::Shell;
use crate::cli::{Words, acting};
use crate::effects::format::{self, clean_line};
use crate::engine::command::{Actor, Ask, Command as Asked};
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::state::Waiting;
use crate::model::id::TokenId;
use crate::model::text::{Lang, Wording};
use crate::runtime::{Case, Denied, Forsaken, InstanceFilter, MessageRow, Runtime, Standing, WaitRow};
use chrono::{DateTime, Utc};
use clap::{ArgMatches, Command};
use serde_json::json;
use std::sync::Arc;

/// The most rows of each kind that `stuck` shows.
const MOST: u32 = 200;

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
    let step = matches.get_one::<String>("step").map(|step| step.as_str().into());
    let output = &shell.output;
    see_to(shell, matches, Ask::Retry { step }, output.pick("已重试", "Tried again"), async |runtime, case| {
        let (tried, left) = runtime.revive(case.state.id).await?;
        match left.first().and_then(|row| row.reply.clone()) {
            Some(why) => Err(Stop::Because(Exit::Refused, why)),
            None => Ok(tried > 0),
        }
    })
}

/// Does something about what stopped a case; `given_up` about cases of their own that it was to begin, and says
/// whether there were any.
fn see_to(
    shell: &Shell,
    matches: &ArgMatches,
    ask: Ask,
    said: &str,
    given_up: impl AsyncFn(&Runtime, &Case) -> Result<bool, Stop>,
) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
        let case = refer::case(runtime, output, text).await?;
        let others = given_up(runtime, &case).await;
        // What stopped the case itself is seen to whatever became of the others.
        if !case.state.has_incident() && others? {
            if matches.get_flag("json") {
                return output.json(&acting::state_json(&case.state, false));
            }
            return output.print(&format!("{said} {}", output.ink(Ink::Bold, &case.state.reference())));
        }
        let actor = Actor::Operator { user: shell.user() };
        let asked = Asked { id: acting::command_id(matches)?, actor, ask };
        match runtime.submit(case.state.id, asked).await {
            Ok(accepted) if matches.get_flag("json") => output.json(&acting::accepted_json(&accepted)),
            Ok(accepted) => {
                output.print(&format!("{said} {}", output.ink(Ink::Bold, &accepted.state.reference())))?;
                output.print(&acting::standing(output, &world, &case.definition, &accepted.state))
            }
            Err(Denied::Refused(Refusal::NoIncident, state)) => {
                Err(match runtime.stopped_below().await?.get(&case.state.id) {
                    Some(stopped) => stopped_elsewhere(stopped),
                    None => acting::denied(Denied::Refused(Refusal::NoIncident, state), runtime),
                })
            }
            Err(denied) => {
                let over = refer::over(&case, &world, output);
                Err(over.unwrap_or_else(|| acting::denied(denied, runtime)))
            }
        }
    })
}

pub(super) fn skip_tree(words: Words) -> Command {
    Command::new("skip")
        .about(words.pick(
            "跳过撤销时办不成的步骤（管理员）",
            "Pass over what cannot be taken back (an operator)",
        ))
        .long_about(words.pick(
            "案例结束前撤销已办的事（`undo`）时，有一步怎样也办不成：写明原因跳过它，其余的接着撤销。历史会记下是谁跳过的、为什么。\
             其他步骤不能跳过，因为后面要用到它们的结果。不等结果的流程（`detached`）没有发起成的，不再发起，原因记为留言。",
            "As a case ends, what was done is taken back (`undo`). Where one step of that cannot be done at all, say why \
             and pass it over; the rest goes on. History says who did so and why. No other step can be skipped, as what \
             comes after it relies on it. A case of its own (`detached`) that could not be begun is not begun any more; why stands as a remark.",
        ))
        .arg(reference(words))
        .arg(words.option("reason", ("文字", "TEXT"), "为什么", "Why").required(true))
        .arg(words.option("step", ("步骤", "STEP"), "只跳过这一步", "Only this step"))
        .arg(acting::id_argument(words))
        .arg(words.json())
        .after_help("countersign skip LP-2026-0001 --reason \"对方已经关账，已电话取消\"")
}

pub(super) fn skip(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let reason: Arc<str> = matches.get_one::<String>("reason").map(|reason| reason.as_str().into()).unwrap_or_default();
    let why = reason.clone();
    let step = matches.get_one::<String>("step").map(|step| step.as_str().into());
    see_to(
        shell,
        matches,
        Ask::Skip { step, reason },
        shell.output.pick("已跳过", "Passed over"),
        async |runtime, case| {
            let let_go = runtime.let_go(case.state.id).await? > 0;
            // Nobody says anything more in a case that is over.
            if let_go && case.state.ended.is_none() {
                let actor = Actor::Operator { user: shell.user() };
                // Its own command, beside the one that skips what stopped the case itself.
                let id = format!("{} remark", acting::command_id(matches)?).into();
                let asked = Asked { id, actor, ask: Ask::Comment { text: why.clone() } };
                runtime.submit(case.state.id, asked).await.map_err(|denied| acting::denied(denied, runtime))?;
            }
            Ok(let_go)
        },
    )
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
        .about(words.pick(
            "列出停下的案例、只等离职的人的待办，以及在等外面什么",
            "List cases that stopped, tasks of people who left, and what cases wait for outside",
        ))
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
            for (number, token) in &case.state.tokens {
                let (Some(step), Some(what)) = (&token.step, &token.incident) else { continue };
                let step = words.step_in(&case.definition, &case.state, *number, step);
                let since = stopped_at(&case, *number).unwrap_or(row.at);
                rows.push([row.reference(), step, words.trouble(what), words.moment(since)]);
            }
        }
        for one in runtime.forsaken(MOST).await? {
            let state = &one.case.state;
            let step = words.task_in(&one.case.definition, state, &one.task);
            rows.push([state.reference(), step, left(&one, &words), words.moment(one.since)]);
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
            match holder(&row, runtime, output) {
                Some(worker) => what = format!("{what} · {worker}"),
                None if attempts(&row.waits) && row.next_at > runtime.now() => {
                    let next = words.moment(row.next_at);
                    what = format!("{what} · {}", output.pick(&format!("下次 {next}"), &format!("next at {next}")));
                }
                None => {}
            }
            if let Some(last) = last_trouble(&case, row.token, output.lang) {
                what = format!("{what} · {last}");
            }
            rows.push([
                case.state.reference(),
                words.step_in(&case.definition, &case.state, row.token, &row.step),
                what,
                words.moment(begun_at(&case, row.token).unwrap_or(row.next_at)),
            ]);
        }
        for row in runtime.undelivered(MOST).await? {
            let sender = runtime.case(row.sender).await?;
            let sender = sender.map_or_else(|| row.sender.to_string(), |sender| sender.state.reference());
            let title = output.pick("没有发起的流程", "a process that did not start").to_owned();
            let process = row.process.as_ref().map(|id| words.process(id));
            let reply = row.reply.map(|reply| reply.get(output.lang).to_owned());
            let way_out = Some(format!("countersign retry {sender}"));
            let why = [process, reply, way_out].into_iter().flatten().collect::<Vec<_>>().join(" · ");
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
                output.pick("从何时起", "SINCE"),
                output.pick("情况", "WHAT"),
            ])
            .below(1)
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

/// Who is asked and has left the directory, and how what is theirs becomes another's.
fn left(one: &Forsaken, words: &format::Words<'_>) -> String {
    let names: Vec<&str> = one.left.iter().map(|person| words.directory.name_of(person)).collect();
    let way_out = one.left.first().map(ToString::to_string).unwrap_or_default();
    match words.lang {
        Lang::Zh => {
            format!("通讯录里已没有 {} · countersign handover {way_out} --to 接手的人", names.join("、"))
        }
        Lang::En => {
            format!("no longer in the directory: {} · countersign handover {way_out} --to PERSON", names.join(", "))
        }
    }
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
            && let Some(worker) = holder(&row, runtime, output)
        {
            lines.push((output.pick("在谁手里", "Held by"), worker));
        }
    }
    let line = |(title, text): &(&str, String)| format!("  {}  {}\n", output.ink(Ink::Dim, title), clean_line(text));
    Ok(if lines.is_empty() { String::new() } else { format!("\n{}", lines.iter().map(line).collect::<String>()) })
}

/// Who holds what a token waits for; nobody once the lease is over.
fn holder(row: &WaitRow, runtime: &Runtime, output: &Output) -> Option<String> {
    let worker = row.worker.as_deref().filter(|_| row.next_at > runtime.now())?;
    // A call of another system is made by whichever server runs.
    let calls = matches!(row.waits, Waiting::Http { .. });
    Some(if calls { output.pick("服务器，正在调用", "the server, calling now") } else { worker }.to_owned())
}

/// Whether what is waited for is tried at a time of its own.
fn attempts(waits: &Waiting) -> bool {
    matches!(waits, Waiting::Http { .. } | Waiting::Job { .. })
}

/// When a token stopped.
fn stopped_at(case: &Case, token: TokenId) -> Option<DateTime<Utc>> {
    last(case, |event| matches!(event, Event::IncidentRaised { token: of, .. } if *of == token))
}

/// When a token began to wait.
fn begun_at(case: &Case, token: TokenId) -> Option<DateTime<Utc>> {
    last(
        case,
        |event| matches!(event, Event::WaitBegun { token: of, .. } | Event::LockAwaited { token: of, .. } if *of == token),
    )
}

fn last(case: &Case, is: impl Fn(&Event) -> bool) -> Option<DateTime<Utc>> {
    case.entries.iter().rev().find(|entry| entry.events.iter().any(&is)).map(|entry| entry.at)
}

/// What went wrong at the last attempt of what a token waits for; what stopped it is told with where it stands.
fn last_trouble(case: &Case, token: TokenId, lang: Lang) -> Option<String> {
    let events = case.entries.iter().rev().flat_map(|entry| entry.events.iter().rev());
    let mut own = events.filter_map(|event| match event {
        // What it waits for was begun anew, or is over.
        Event::WaitBegun { token: of, .. }
        | Event::IncidentRaised { token: of, .. }
        | Event::Entered { token: of, .. }
        | Event::Left { token: of, .. }
            if *of == token =>
        {
            Some(None)
        }
        Event::Postponed { token: of, zh, en, .. } if *of == token => {
            Some(Some(if lang == Lang::Zh { zh.to_string() } else { en.to_string() }))
        }
        _ => None,
    });
    own.next().flatten()
}
