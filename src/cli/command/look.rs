//! `list`, `show`, `history` and `tasks`: looking at cases.

use super::outside;
use crate::cli::exit::Stop;
use crate::cli::output::{Ink, Output, Table};
use crate::cli::refer::{self, World};
use crate::cli::shell::Shell;
use crate::cli::{Words, acting, directory, record};
use crate::diagnostics::suggest;
use crate::effects::format::clean_line;
use crate::effects::timeline::{Mark, Moment, Scene};
use crate::effects::view::{CaseView, Reader, case_view};
use crate::model::definition::{Definition, StepKind};
use crate::model::id::{PersonId, Version};
use crate::model::text::Lang;
use crate::runtime::{Case, InstanceFilter, InstanceRow, Runtime, Standing, TaskFilter, TaskRow};
use clap::{Arg, ArgMatches, Command};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

pub(super) fn list_tree(words: Words) -> Command {
    Command::new("list")
        .about(words.pick("列出案例，最新的在前", "List cases, newest first"))
        .arg(words.option("process", ("流程", "PROCESS"), "只看这个流程", "Only of this process"))
        .arg(words.option(
            "status",
            ("状态", "STATUS"),
            "open（进行中）、ended（已结束）、incident（异常），或一个结果，例如 rejected",
            "open, ended, incident, or an outcome such as rejected",
        ))
        .arg(words.option("applicant", ("人员", "PERSON"), "只看这个人发起的", "Only of this person"))
        .arg(
            words
                .switch("mine", "只看自己发起的（--as 是谁）", "Only of the person of --as")
                .conflicts_with("applicant"),
        )
        .arg(acting::argument(words))
        .arg(words.option(
            "key",
            ("值", "VALUE"),
            "只看关键字段是这个值的，例如客户名称",
            "Only with this value of the key field, such as a customer",
        ))
        .args(pages(words))
        .arg(words.json())
        .after_help(
            "countersign list\ncountersign list --process leave --status open\ncountersign list --mine --as zhang",
        )
}

pub(super) fn tasks_tree(words: Words) -> Command {
    Command::new("tasks")
        .about(words.pick("列出待办：谁要处理什么", "List what people are asked"))
        .arg(words.option("of", ("人员", "PERSON"), "只看这个人的", "Only of this person"))
        .args(pages(words))
        .arg(words.json())
        .after_help("countersign tasks\ncountersign tasks --of zhao")
}

pub(super) fn show_tree(words: Words) -> Command {
    Command::new("show")
        .about(words.pick(
            "显示一个案例：内容、走到哪里、接下来是谁",
            "Show a case: what it holds, where it stands, who comes next",
        ))
        .arg(reference(words))
        .arg(words.json())
        .after_help("countersign show LP-2026-0001\ncountersign show LP-2026-0001 --json")
}

pub(super) fn history_tree(words: Words) -> Command {
    Command::new("history")
        .about(words.pick("显示一个案例的全部经过", "Show all that happened to a case"))
        .arg(reference(words))
        .arg(words.json())
        .after_help("countersign history LP-2026-0001")
}

/// `REF`.
pub(super) fn reference(words: Words) -> Arg {
    words
        .word(
            "ref",
            ("案例", "REF"),
            "业务编号或案例编号，或开头几位",
            "A business number or id, or the beginning of one",
        )
        .required(true)
}

fn pages(words: Words) -> [Arg; 2] {
    [
        words
            .option("limit", ("个数", "N"), "最多列多少个", "At most so many")
            .value_parser(clap::value_parser!(u32).range(1..=10_000))
            .default_value("50"),
        words
            .option("before", ("位置", "ROW"), "接着上一页往下列", "Go on after the page before")
            .value_parser(clap::value_parser!(i64)),
    ]
}

/// The definitions that rows are pinned to, each read once.
struct Pinned<'a> {
    runtime: &'a Runtime,
    known: BTreeMap<Version, Option<Arc<Definition>>>,
}

impl Pinned<'_> {
    async fn of(&mut self, row: &InstanceRow) -> Result<Option<Arc<Definition>>, Stop> {
        if let Some(known) = self.known.get(&row.version) {
            return Ok(known.clone());
        }
        let found = self.runtime.version(&row.version).await?;
        self.known.insert(row.version.clone(), found.clone());
        Ok(found)
    }
}

pub(super) fn list(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let filter = filter(shell, runtime, &world, matches)?;
        // One more than asked tells whether there is a next page.
        let asked = InstanceFilter { limit: filter.limit.saturating_add(1), ..filter.clone() };
        let mut rows = runtime.instances(&asked).await?;
        let more = rows.len() > filter.limit as usize;
        rows.truncate(filter.limit as usize);
        if matches.get_flag("json") {
            return output.json(&rows.iter().map(record::instance_row).collect());
        }
        if rows.is_empty() {
            return output.print(output.pick("没有符合的案例。", "No such cases."));
        }
        let words = world.words(output);
        let mut pinned = Pinned { runtime, known: BTreeMap::new() };
        let mut table = Table::new([
            output.pick("编号", "CASE"),
            output.pick("流程", "PROCESS"),
            output.pick("内容", "ABOUT"),
            output.pick("金额", "FOR"),
            output.pick("申请人", "APPLICANT"),
            output.pick("发起", "STARTED"),
            output.pick("状态", "STANDS"),
        ])
        .right(3);
        for row in &rows {
            let definition = pinned.of(row).await?;
            let (headline, (standing, ink)) = (
                headline(row, definition.as_deref(), &world, output),
                where_it_stands(row, definition.as_deref(), &world, output),
            );
            table.painted_row([
                (short(row), Some(Ink::Bold)),
                (clean_line(row.title.get(output.lang)), None),
                (row.key.clone().unwrap_or_default(), None),
                (headline, None),
                (words.name(&row.applicant), None),
                (words.moment(row.started_at), Some(Ink::Dim)),
                (standing, ink),
            ]);
        }
        output.print(&output.table(&table))?;
        next_page(output, more.then(|| rows.last().map(|row| row.row)).flatten());
        Ok(())
    })
}

/// What people call a case in a list: its number, or the beginning of its id.
fn short(row: &InstanceRow) -> String {
    row.number.as_ref().map_or_else(|| row.id.to_string(), ToString::to_string)
}

fn next_page(output: &Output, last: Option<i64>) {
    if let Some(last) = last {
        output.note(format!("还有更早的：加 --before {last}"), format!("There are more: add --before {last}"));
    }
}

fn filter(shell: &Shell, runtime: &Runtime, world: &World, matches: &ArgMatches) -> Result<InstanceFilter, Stop> {
    let mut filter = InstanceFilter {
        limit: matches.get_one::<u32>("limit").copied().unwrap_or(50),
        before: matches.get_one::<i64>("before").copied(),
        key: matches.get_one::<String>("key").cloned(),
        ..InstanceFilter::default()
    };
    if let Some(process) = matches.get_one::<String>("process") {
        // A process that is no longer live has old cases; one that was never heard of is a slip of the pen.
        let live = runtime.definitions();
        let known: Vec<&str> = live.iter().map(|one| one.process.as_str()).collect();
        if !known.contains(&process.as_str()) && suggest::closest(process, known.iter().copied()).is_some() {
            return Err(crate::cli::exit::no_process(process, known));
        }
        filter.process = Some(process.as_str().into());
    }
    match matches.get_one::<String>("status").map(String::as_str) {
        None => {}
        Some("open") => filter.standing = Some(Standing::Open),
        Some("ended") => filter.standing = Some(Standing::Ended),
        Some("incident") => filter.standing = Some(Standing::Incident),
        Some(outcome) => {
            known_outcome(runtime, outcome)?;
            filter.outcome = Some(outcome.into());
        }
    }
    if matches.get_flag("mine") {
        filter.applicant = Some(acting::person(shell, world, matches, &[])?);
    } else if let Some(applicant) = matches.get_one::<String>("applicant") {
        filter.applicant = Some(directory::person(&world.directory, applicant)?);
    }
    Ok(filter)
}

/// Refuses a status that no live process can come to: it would list nothing and say nothing.
fn known_outcome(runtime: &Runtime, outcome: &str) -> Result<(), Stop> {
    let live = runtime.definitions();
    let ends = live.iter().flat_map(|one| one.steps.values()).filter_map(|step| match &step.kind {
        StepKind::End(outcome) => Some(outcome.as_str()),
        _ => None,
    });
    let mut known = vec!["open", "ended", "incident", "done", "rejected", "withdrawn", "cancelled"];
    known.extend(ends);
    let mut seen = BTreeSet::new();
    known.retain(|word| seen.insert(*word));
    if known.contains(&outcome) {
        return Ok(());
    }
    let (zh, en) = suggest::closest(outcome, known.iter().copied())
        .map_or_else(Default::default, |close| (format!("是不是 `{close}`？"), format!(" Did you mean `{close}`?")));
    Err(Stop::usage(
        format!("没有状态“{outcome}”。{zh}可用：{}。", known.join("、")),
        format!("There is no status “{outcome}”.{en} It can be {}.", known.join(", ")),
    ))
}

fn headline(row: &InstanceRow, definition: Option<&Definition>, world: &World, output: &Output) -> String {
    let Some(value) = &row.headline else { return String::new() };
    let field = definition.and_then(|definition| {
        let name = definition.headline.as_ref()?;
        definition.fields().find(|(own, _)| *own == name).map(|(_, field)| field)
    });
    world.words(output).headline(field, value)
}

fn where_it_stands(
    row: &InstanceRow,
    definition: Option<&Definition>,
    world: &World,
    output: &Output,
) -> (String, Option<Ink>) {
    let words = world.words(output);
    if let Some(ended) = &row.ended {
        let ending = definition.map(|definition| words.ending(definition, &ended.outcome));
        return (ending.unwrap_or_else(|| ended.outcome.to_string()), Some(Ink::Dim));
    }
    if row.incident {
        return (output.pick("异常，等待管理员", "stopped, needs an operator").to_owned(), Some(Ink::Amber));
    }
    let steps: Vec<String> = row
        .steps
        .iter()
        .map(|step| definition.map_or_else(|| step.to_string(), |definition| words.step(definition, step)))
        .collect();
    (steps.join(output.pick("、", ", ")), Some(Ink::Seal))
}

pub(super) fn tasks(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let person = matches.get_one::<String>("of").map(|of| directory::person(&world.directory, of)).transpose()?;
        let limit = matches.get_one::<u32>("limit").copied().unwrap_or(50);
        let before = matches.get_one::<i64>("before").copied();
        let mut rows =
            runtime.tasks(&TaskFilter { person: person.clone(), before, limit: limit.saturating_add(1) }).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        if matches.get_flag("json") {
            return output.json(&rows.iter().map(record::task_row).collect());
        }
        if rows.is_empty() {
            return output.print(&nothing_to_do(person.as_ref(), &world, output));
        }
        let table = task_table(runtime, &rows, &world, output).await?;
        output.print(&output.table(&table))?;
        next_page(output, more.then(|| rows.last().map(|row| row.assignment.row)).flatten());
        Ok(())
    })
}

fn nothing_to_do(person: Option<&PersonId>, world: &World, output: &Output) -> String {
    match (person, output.lang) {
        (Some(person), Lang::Zh) => format!("{}没有待办。", world.directory.name_of(person)),
        (Some(person), Lang::En) => format!("{} is not asked anything.", world.directory.name_of(person)),
        (None, Lang::Zh) => "没有待办。".into(),
        (None, Lang::En) => "Nobody is asked anything.".into(),
    }
}

async fn task_table(runtime: &Runtime, rows: &[TaskRow], world: &World, output: &Output) -> Result<Table, Stop> {
    let words = world.words(output);
    let mut pinned = Pinned { runtime, known: BTreeMap::new() };
    let mut table = Table::new([
        output.pick("案例", "CASE"),
        output.pick("流程", "PROCESS"),
        output.pick("金额", "FOR"),
        output.pick("待办", "ASKED"),
        output.pick("谁", "WHO"),
        output.pick("申请人", "APPLICANT"),
        output.pick("期限", "DUE"),
    ])
    .right(2);
    for TaskRow { assignment, instance } in rows {
        let definition = pinned.of(instance).await?;
        let step = definition.as_deref().map(|definition| words.step(definition, &assignment.step));
        let late = assignment.due_at.is_some_and(|due| due < world.now);
        table.painted_row([
            (short(instance), Some(Ink::Bold)),
            (clean_line(instance.title.get(output.lang)), None),
            (headline(instance, definition.as_deref(), world, output), None),
            (step.unwrap_or_else(|| assignment.step.to_string()), Some(Ink::Seal)),
            (words.name(&assignment.person), None),
            (words.name(&instance.applicant), None),
            (
                assignment.due_at.map(|due| words.moment(due)).unwrap_or_default(),
                Some(if late { Ink::Amber } else { Ink::Dim }),
            ),
        ]);
    }
    Ok(table)
}

pub(super) fn show(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
        let case = refer::case(runtime, output, text).await?;
        if matches.get_flag("json") {
            return output.json(&record::case(&case, &world.upcoming(&case)));
        }
        output.print(&format!("{}{}", drawn(&case, &world, output), outside::relatives(runtime, &case, output).await?))
    })
}

pub(super) fn history(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
        let case = refer::case(runtime, output, text).await?;
        if matches.get_flag("json") {
            return output.json(&record::history(&case));
        }
        output.print(&story(&case, &world, output))
    })
}

fn view(case: &Case, world: &World, output: &Output) -> CaseView {
    let upcoming = world.upcoming(case);
    let scene = Scene { definition: &case.definition, state: &case.state, log: &case.entries, upcoming: &upcoming };
    case_view(&scene, &world.words(output), Reader::default())
}

/// What happened to a case: its title and a line for each thing.
pub(crate) fn story(case: &Case, world: &World, output: &Output) -> String {
    let view = view(case, world, output);
    let mut text = head(&view, output);
    let past: Vec<&Moment> = view.past().collect();
    text += &moments(&past, output, true);
    text
}

/// Where a case stands: what it holds, what is done, who is asked, who comes.
pub(crate) fn drawn(case: &Case, world: &World, output: &Output) -> String {
    let view = view(case, world, output);
    let mut text = head(&view, output);
    text += &facts(&view, output);
    let all: Vec<&Moment> = view.timeline.iter().collect();
    text += &moments(&all, output, false);
    text
}

fn head(view: &CaseView, output: &Output) -> String {
    let mut text = format!("{}  {}", output.ink(Ink::Bold, &view.title), view.number);
    if !view.headline.is_empty() {
        let _ = write!(text, "  {}", output.ink(Ink::Bold, &view.headline));
    }
    if let Some(stamp) = &view.stamp {
        let _ = write!(text, "  {}", output.ink(Ink::Seal, &stamp.words));
    }
    let _ = writeln!(text, "\n{}\n", output.ink(Ink::Dim, &view.byline));
    text
}

fn facts(view: &CaseView, output: &Output) -> String {
    let width = view.facts.iter().map(|fact| fact.label.width()).max().unwrap_or(0).min(24);
    let mut text = String::new();
    for fact in &view.facts {
        let label = output.ink(Ink::Dim, &crate::cli::output::pad(&fact.label, width));
        let mut lines = fact.text.lines();
        let _ = writeln!(text, "  {label}  {}", lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(text, "  {}  {line}", " ".repeat(width));
        }
    }
    for table in &view.tables {
        let _ = writeln!(text, "  {}", output.ink(Ink::Dim, &table.label));
        let mut drawn = Table::new(table.columns.iter().map(|column| column.label.as_str()));
        for (number, column) in table.columns.iter().enumerate() {
            if column.numeric {
                drawn = drawn.right(number);
            }
        }
        for row in &table.rows {
            drawn.row(row.iter().cloned());
        }
        // A total stands under the last column of numbers, as on paper.
        let last = table.columns.iter().rposition(|column| column.numeric).filter(|last| *last > 0);
        for (total, last) in table.totals.iter().filter_map(|total| Some((total, last?))) {
            drawn.painted_row((0..table.columns.len()).map(|column| match column {
                0 => (total.label.clone(), Some(Ink::Dim)),
                column if column == last => (total.text.clone(), Some(Ink::Bold)),
                _ => (String::new(), None),
            }));
        }
        for line in output.table(&drawn).lines() {
            let _ = writeln!(text, "    {line}");
        }
        for total in table.totals.iter().filter(|_| last.is_none()) {
            let _ = writeln!(text, "    {} {}", output.ink(Ink::Dim, &total.label), output.ink(Ink::Bold, &total.text));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The story as lines: a sign, when, what, who, what came of it; the past dim, the present with the accent.
fn moments(moments: &[&Moment], output: &Output, all: bool) -> String {
    let width = |of: fn(&Moment) -> &str| moments.iter().map(|moment| of(moment).width()).max().unwrap_or(0);
    let due = |moment: &Moment| matches!(moment.mark, Mark::Now | Mark::Trouble);
    let when = moments.iter().filter(|moment| !due(moment)).map(|moment| moment.when.width()).max().unwrap_or(0);
    let (title, who) = (width(|moment| &moment.title), width(|moment| &moment.who));
    let mut text = String::new();
    for moment in moments {
        let (sign, ink) = sign(moment.mark);
        let mut said = moment.words.clone();
        if due(moment) && !moment.when.is_empty() {
            let until = match output.lang {
                Lang::Zh => format!("{} 前", moment.when),
                Lang::En => format!("by {}", moment.when),
            };
            let until = if moment.overdue { output.ink(Ink::Amber, &until) } else { until };
            said = if said.is_empty() { until } else { format!("{said} · {until}") };
        }
        if !moment.opinion.is_empty() {
            let opinion = moment.opinion.replace('\n', " ");
            said = if said.is_empty() { format!("“{opinion}”") } else { format!("{said} “{opinion}”") };
        }
        let at = if due(moment) { "" } else { moment.when.as_str() };
        let pad = crate::cli::output::pad;
        let line = format!("{}  {}  {}  {said}", pad(at, when), pad(&moment.title, title), pad(&moment.who, who));
        let line = match ink {
            Some(ink) => output.ink(ink, line.trim_end()),
            None => line.trim_end().to_owned(),
        };
        let _ = writeln!(text, "  {} {line}", ink.map_or_else(|| sign.to_owned(), |ink| output.ink(ink, sign)));
        if all && !moment.via.is_empty() {
            let _ = writeln!(text, "    {}", output.ink(Ink::Dim, &format!("{}  {}", pad("", when), moment.via)));
        }
    }
    text
}

fn sign(mark: Mark) -> (&'static str, Option<Ink>) {
    match mark {
        Mark::Start => ("·", Some(Ink::Dim)),
        Mark::Seal => ("✓", Some(Ink::Dim)),
        Mark::Refused => ("✗", Some(Ink::Dim)),
        Mark::Returned => ("↩", Some(Ink::Dim)),
        Mark::Note => ("»", Some(Ink::Dim)),
        Mark::Skipped => ("–", Some(Ink::Dim)),
        Mark::Now => ("●", Some(Ink::Seal)),
        Mark::Trouble => ("!", Some(Ink::Amber)),
        Mark::Ahead => ("○", None),
        Mark::End => ("■", Some(Ink::Bold)),
    }
}
