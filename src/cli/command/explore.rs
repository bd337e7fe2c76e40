//! `explore`: everything that can happen in a process, without data.

use super::check;
use crate::cli::Words;
use crate::cli::exit::{Exit, Stop, not_in_folder};
use crate::cli::output::{Ink, Output, Table};
use crate::cli::shell::Shell;
use crate::compile::Compiled;
use crate::diagram::Phrases;
use crate::engine::refusal::outcome_words;
use crate::model::definition::{Definition, StepKind};
use crate::model::id::{Outcome, StepId};
use crate::model::text::{Lang, Wording};
use crate::simulate::explore::{Explored, Length, Never, Turn, explore};
use clap::{ArgMatches, Command};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

pub(super) fn tree(words: Words) -> Command {
    Command::new("explore")
        .about(words.pick("列出一个流程所有可能的走法", "Everything that can happen in a process"))
        .long_about(words.pick(
            "不用数据，把一个流程所有的走法走一遍：会怎样结束、各有多少种走法、谁一定要决定、发哪些邮件、最长要多久，\
             以及因为条件互相矛盾而不可能发生的。退回和循环再走的不另算一种走法。",
            "Walk all ways through a process without data: how it ends and in how many ways, who must decide, which \
             mails go out, how long it takes at most, and what cannot happen because its conditions exclude each \
             other. What goes back, in a loop or to be revised, is no way of its own.",
        ))
        .arg(words.word("process", ("流程", "PROCESS"), "哪个流程", "Which process").required(true))
        .arg(words.folder())
        .arg(words.json())
        .after_help("countersign explore leave\ncountersign explore leave --json | jq '.ends[].outcome'")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let Some(process) = matches.get_one::<String>("process") else { return Ok(()) };
    let folder = check::folder(shell, matches);
    let compiled = check::compile(shell, std::slice::from_ref(&folder))?;
    let definition = wanted(shell, &compiled, process, &folder)?;
    let explored = explore(definition);
    if matches.get_flag("json") {
        return shell.output.json(&as_json(&explored));
    }
    let directory = compiled.directory.clone().unwrap_or_default();
    let say = Phrases::of(definition, &directory, shell.output.lang);
    shell.output.print(&drawn(&shell.output, definition, &say, &explored))
}

/// A process of a folder that was compiled; where it is not there because of errors, they are shown.
pub(super) fn wanted<'c>(
    shell: &Shell,
    compiled: &'c Compiled,
    process: &str,
    folder: &Path,
) -> Result<&'c Definition, Stop> {
    if let Some(definition) = compiled.definition(process) {
        return Ok(definition);
    }
    if compiled.has_errors() {
        check::show(&shell.output, compiled, false)?;
        return Err(Stop::Because(
            Exit::Faults,
            Wording::new(
                format!("流程“{process}”还不能用：请先改好上面的错误。"),
                format!("“{process}” cannot be used yet: mend the errors above first."),
            ),
        ));
    }
    let known: Vec<&str> = compiled.definitions.iter().map(|one| one.process.as_str()).collect();
    Err(not_in_folder(("流程", "process", "process"), process, &known, folder))
}

fn drawn(output: &Output, definition: &Definition, say: &Phrases<'_>, explored: &Explored) -> String {
    let lang = output.lang;
    let ways = explored.ends.iter().fold(0u64, |sum, end| sum.saturating_add(end.ways));
    let (ends, process) = (explored.ends.len(), &definition.process);
    let mut text = output.ink(Ink::Bold, &format!("{process}  {}", definition.title.get(lang)));
    text.push('\n');
    // Conditions that are not told apart are counted together.
    let about = if explored.rough { output.pick("大约 ", "about ") } else { "" };
    text.push_str(&match lang {
        Lang::Zh => format!("{ends} 种结果，{about}{} 种走法（退回和循环再走的不另算）\n\n", many(ways)),
        Lang::En => {
            let (ends, end) = (many(ends as u64), if ends == 1 { "end" } else { "ends" });
            let way = if ways == 1 { "way" } else { "ways" };
            format!("{ends} {end}, {about}{} {way} (going back left out)\n\n", many(ways))
        }
    });
    let mut table = Table::new(
        output.pick("结果,走法,最快,最长,最短的一种走法", "end,ways,quickest,longest,a shortest way").split(','),
    )
    .right(1)
    .whole(2)
    .whole(3)
    .prose(4);
    for end in &explored.ends {
        let path: Vec<String> = end.shortest.iter().map(|turn| turn_words(turn, lang)).collect();
        let path = if path.is_empty() { "–".to_owned() } else { path.join(" → ") };
        table.row([
            end.outcome.to_string(),
            many(end.ways),
            length(&end.time.0, lang),
            length(&end.time.1, lang),
            path,
        ]);
    }
    text.push_str(&output.table(&table));
    if !explored.asked.is_empty() {
        text.push('\n');
        let titles = output.pick("步骤,由谁决定,提醒,一定要经过", "step,who decides,reminders,needed for");
        let mut table = Table::new(titles.split(',')).prose(1);
        for asked in &explored.asked {
            let needed: Vec<String> = explored
                .ends
                .iter()
                .filter(|end| end.always.contains(&asked.step))
                .map(|end| end.outcome.to_string())
                .collect();
            let reminders = if asked.reminders == 0 { String::new() } else { asked.reminders.to_string() };
            let human = definition.steps.get(&asked.step).and_then(|step| step.human());
            let who = human.map(|human| say.human(human)).unwrap_or_default();
            let who = match (asked.mailed, lang) {
                (true, _) => who,
                (false, Lang::Zh) => format!("{who}（不发邮件）"),
                (false, Lang::En) => format!("{who} (no mail)"),
            };
            table.row([asked.step.to_string(), who, reminders, needed.join(output.pick("、", ", "))]);
        }
        text.push_str(&output.table(&table));
    }
    if !explored.notices.is_empty() {
        text.push('\n');
        let mut table = Table::new(output.pick("另发邮件,给谁", "also mails,to").split(',')).prose(1);
        for notice in &explored.notices {
            table.row([notice.step.to_string(), told(definition, say, &notice.step)]);
        }
        text.push_str(&output.table(&table));
    }
    text.push_str(&unmeasured(output, definition, explored));
    if !explored.never.is_empty() {
        text.push_str(output.pick("\n不可能发生：\n", "\nCannot happen:\n"));
        for never in &explored.never {
            text.push_str(&format!("  {}\n", never_words(never, lang)));
        }
    }
    if explored.rough {
        text.push_str(output.pick(
            "\n条件的组合太多，没有一一区分：上面列出的有些可能并不会发生。\n",
            "\nThere are too many combinations of conditions to tell apart: some of the above may be impossible.\n",
        ));
    }
    text
}

/// Whom a step tells.
fn told(definition: &Definition, say: &Phrases<'_>, step: &StepId) -> String {
    match definition.steps.get(step).map(|step| &step.kind) {
        Some(StepKind::Notify(notify)) => say.people(&notify.who),
        _ => String::new(),
    }
}

/// What the times leave out: steps that take as long as they take, and what can come more than once.
fn unmeasured(output: &Output, definition: &Definition, explored: &Explored) -> String {
    let steps = |of: fn(&Length) -> &BTreeSet<StepId>| {
        let found: BTreeSet<&StepId> = explored.ends.iter().flat_map(|end| of(&end.time.1)).collect();
        // In the order of the file; those of called processes, which have a path, behind.
        let (own, others): (Vec<&StepId>, Vec<&StepId>) =
            found.iter().partition(|id| definition.steps.contains_key(**id));
        let own = definition.steps.keys().filter(|id| own.contains(id));
        own.chain(others).map(ToString::to_string).collect::<Vec<_>>().join(output.pick("、", ", "))
    };
    let (open, again) = (steps(|length| &length.open), steps(|length| &length.again));
    let mut text = String::new();
    if !open.is_empty() {
        text.push_str(&match output.lang {
            Lang::Zh => format!("\n?  没有固定期限、时间算不出的步骤：{open}\n"),
            Lang::En => format!("\n?  Steps without a fixed due time, which take as long as they take: {open}\n"),
        });
    }
    if !again.is_empty() {
        text.push_str(&match output.lang {
            Lang::Zh => format!("\n↻  只算了一遍，可能不止一遍（退回、循环、逐行依次）：{again}\n"),
            Lang::En => format!("\n↻  Counted once, but can come again (returns, loops, rows in order): {again}\n"),
        });
    }
    text
}

fn many(ways: u64) -> String {
    if ways == u64::MAX { "∞".to_owned() } else { ways.to_string() }
}

fn turn_words(turn: &Turn, lang: Lang) -> String {
    let case = |number: &Option<u16>| match (number, lang) {
        (Some(number), Lang::Zh) => format!("分支 {}", number + 1),
        (Some(number), Lang::En) => format!("case {}", number + 1),
        (None, _) => "otherwise".to_owned(),
    };
    match (turn, lang) {
        (Turn::On, _) => String::new(),
        (Turn::Answer(step, outcome), _) => format!("{step}: {}", answer(outcome, lang)),
        (Turn::Skip(step), Lang::Zh) => format!("{step}: 跳过"),
        (Turn::Skip(step), Lang::En) => format!("{step}: skipped"),
        (Turn::Case(step, number), _) => format!("{step}: {}", case(number)),
        (Turn::Again(step), Lang::Zh) => format!("{step}: 退回"),
        (Turn::Again(step), Lang::En) => format!("{step}: returned"),
        (Turn::Way(step, name), _) => format!("{step}: {name}"),
    }
}

fn answer(outcome: &Outcome, lang: Lang) -> String {
    outcome_words(outcome).get(lang).to_owned()
}

fn never_words(never: &Never, lang: Lang) -> String {
    match (never, lang) {
        (Never::Step(step), Lang::Zh) => format!("步骤 {step}：走不到，或它的 when 从不成立"),
        (Never::Step(step), Lang::En) => format!("step {step}: it is never come to, or its `when` never holds"),
        (Never::Skip(step), Lang::Zh) => format!("跳过步骤 {step}：走到那里时，它的 when 总是成立"),
        (Never::Skip(step), Lang::En) => format!("passing step {step}: its `when` always holds there"),
        (Never::Case(step, Some(number)), Lang::Zh) => format!("步骤 {step} 的第 {} 个分支：条件从不成立", number + 1),
        (Never::Case(step, Some(number)), Lang::En) => format!("step {step}, case {}: it never holds", number + 1),
        (Never::Case(step, None), Lang::Zh) => format!("步骤 {step} 的 otherwise：总有一个分支成立"),
        (Never::Case(step, None), Lang::En) => format!("step {step}, otherwise: one of the cases always holds"),
    }
}

/// A length in words; `–` for none at all.
fn length(length: &Length, lang: Lang) -> String {
    let count = |n: i64, zh: &str, en: &str| match lang {
        Lang::Zh => format!("{n} {zh}"),
        Lang::En => format!("{n} {en}{}", if n == 1 { "" } else { "s" }),
    };
    let mut parts = Vec::new();
    let whole = [
        (length.days, 1, "个工作日", "working day"),
        (length.minutes, 60, "个工作小时", "working hour"),
        (length.seconds, 86_400, "天", "day"),
        (length.seconds % 86_400, 3_600, "小时", "hour"),
    ];
    for (n, unit, zh, en) in whole {
        if n / unit > 0 {
            parts.push(count(n / unit, zh, en));
        }
    }
    if !length.open.is_empty() {
        parts.push("?".to_owned());
    }
    let again = if length.again.is_empty() { "" } else { " ↻" };
    if parts.is_empty() { format!("–{again}") } else { format!("{}{again}", parts.join(" + ")) }
}

fn as_json(explored: &Explored) -> serde_json::Value {
    let steps = |steps: &[StepId]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    let time = |length: &Length| {
        json!({
            "working_days": length.days,
            "working_minutes": length.minutes,
            "seconds": length.seconds,
            "unbounded": length.open.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "again": length.again.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    };
    let ends: Vec<serde_json::Value> = explored
        .ends
        .iter()
        .map(|end| {
            json!({
                "outcome": end.outcome.as_str(),
                "ways": end.ways,
                "shortest_way": end.shortest.iter().map(|turn| turn_words(turn, Lang::En)).collect::<Vec<_>>(),
                "always": steps(&end.always),
                "least": time(&end.time.0),
                "most": time(&end.time.1),
            })
        })
        .collect();
    let asked: Vec<serde_json::Value> = explored
        .asked
        .iter()
        .map(|asked| {
            json!({
                "step": asked.step.as_str(), "who": asked.who, "mailed": asked.mailed, "reminders": asked.reminders,
            })
        })
        .collect();
    let notices: Vec<serde_json::Value> =
        explored.notices.iter().map(|notice| json!({ "step": notice.step.as_str(), "to": notice.to })).collect();
    let never: Vec<String> = explored.never.iter().map(|never| never_words(never, Lang::En)).collect();
    json!({
        "ends": ends, "asked": asked, "notices": notices, "cannot_happen": never,
        "places": explored.places, "rough": explored.rough,
    })
}
