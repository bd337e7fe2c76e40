//! `list` and `tasks`: cases and what people are asked, a row each.

use crate::cli::exit::Stop;
use crate::cli::output::{Ink, Output, Table};
use crate::cli::refer::World;
use crate::cli::shell::Shell;
use crate::cli::{Words, acting, directory, record};
use crate::diagnostics::suggest;
use crate::effects::format::{self, clean_line};
use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, FieldKind};
use crate::model::graph::Node;
use crate::model::id::{PersonId, ProcessId, StepId, Version};
use crate::model::text::Lang;
use crate::model::value::Value;
use crate::runtime::{AssignmentRow, InstanceFilter, InstanceRow, Runtime, Standing, TaskFilter, TaskRow};
use clap::{Arg, ArgMatches, Command};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
        if rows.is_empty()
            && let Some(process) = &filter.process
        {
            ever(runtime, process).await?;
        }
        if matches.get_flag("json") {
            return output.json(&rows.iter().map(record::instance_row).collect());
        }
        if rows.is_empty() {
            return output.print(output.pick("没有符合的案例。", "No such cases."));
        }
        let words = world.words(output);
        let below = runtime.stopped_below().await?;
        let mut pinned = Pinned { runtime, known: BTreeMap::new() };
        let glance = Glance::of(&rows.iter().collect::<Vec<_>>(), &mut pinned, output).await?;
        let mut table = Table::new([
            output.pick("编号", "CASE"),
            output.pick("流程", "PROCESS"),
            output.pick("内容", "ABOUT"),
            &glance.title,
            output.pick("申请人", "APPLICANT"),
            output.pick("发起", "STARTED"),
            output.pick("状态", "STANDS"),
        ])
        .whole(5);
        if glance.numeric {
            table = table.right(3);
        }
        for row in &rows {
            let definition = pinned.of(row).await?;
            let (headline, (standing, ink)) = (
                headline(row, definition.as_deref(), &world, output),
                match below.get(&row.id) {
                    Some(stopped) => (waits_for_stopped(stopped, output), Some(Ink::Amber)),
                    None => where_it_stands(row, definition.as_deref(), &world, output),
                },
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

/// Refuses a process that nobody ever heard of. One that is no longer live has old cases.
async fn ever(runtime: &Runtime, process: &ProcessId) -> Result<(), Stop> {
    let live = runtime.definitions();
    let known: Vec<&str> = live.iter().map(|one| one.process.as_str()).collect();
    let any = InstanceFilter { process: Some(process.clone()), limit: 1, ..InstanceFilter::default() };
    if known.contains(&process.as_str()) || !runtime.instances(&any).await?.is_empty() {
        return Ok(());
    }
    Err(crate::cli::exit::no_process(process.as_str(), known))
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
        filter.applicant = Some(directory::anybody(&world.directory, applicant)?);
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
    world.words(output).headline(definition.and_then(headline_field), value)
}

fn headline_field(definition: &Definition) -> Option<&Field> {
    let name = definition.headline.as_ref()?;
    definition.fields().find(|(own, _)| *own == name).map(|(_, field)| field)
}

/// How the column stands that says of each case what it is about at a glance.
struct Glance {
    title: String,
    numeric: bool,
}

impl Glance {
    /// Amounts are headed as such, one and the same field by its name, and several fields by what they have in common.
    async fn of(rows: &[&InstanceRow], pinned: &mut Pinned<'_>, output: &Output) -> Result<Glance, Stop> {
        let (mut titles, mut money, mut numeric) = (BTreeSet::new(), true, true);
        for row in rows.iter().filter(|row| row.headline.is_some()) {
            let definition = pinned.of(row).await?;
            let field = definition.as_deref().and_then(headline_field);
            titles.extend(field.map(|field| clean_line(field.title.get(output.lang))));
            money &= field.is_some_and(|field| field.kind == FieldKind::Money);
            numeric &= matches!(row.headline, Some(Value::Number(_)));
        }
        let title = match (titles.len(), titles.into_iter().next()) {
            _ if money => output.pick("金额", "FOR").to_owned(),
            (1, Some(title)) => title,
            _ => output.pick("概要", "AT A GLANCE").to_owned(),
        };
        Ok(Glance { title, numeric })
    }
}

/// Of a case that waits for one that has stopped.
fn waits_for_stopped(stopped: &str, output: &Output) -> String {
    output.pick(&format!("{stopped} 停下了"), &format!("{stopped} has stopped")).to_owned()
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
    // A case that no step has been reached in waits for its form.
    if row.steps.is_empty() {
        return (output.pick("等待填写申请", "waits to be filled in").to_owned(), Some(Ink::Seal));
    }
    let steps: Vec<String> = row
        .steps
        .iter()
        .map(|step| definition.map_or_else(|| step.to_string(), |definition| words.step(definition, step)))
        .collect();
    let steps = steps.join(output.pick("、", ", "));
    // A case of which only the taking back is left is ending.
    let undoes = |step: &StepId| definition.is_some_and(|definition| definition.graph.undone_by(step).is_some());
    match row.steps.iter().all(undoes) {
        true => (format!("{}{steps}", output.pick("正在结束：", "ending: ")), Some(Ink::Seal)),
        false => (steps, Some(Ink::Seal)),
    }
}

pub(super) fn tasks(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let person = matches.get_one::<String>("of").map(|of| directory::anybody(&world.directory, of)).transpose()?;
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
    let glance = Glance::of(&rows.iter().map(|row| &row.instance).collect::<Vec<_>>(), &mut pinned, output).await?;
    let mut table = Table::new([
        output.pick("案例", "CASE"),
        output.pick("流程", "PROCESS"),
        &glance.title,
        output.pick("待办", "ASKED"),
        output.pick("谁", "WHO"),
        output.pick("申请人", "APPLICANT"),
        output.pick("期限", "DUE"),
    ])
    .below(3)
    .whole(6);
    if glance.numeric {
        table = table.right(2);
    }
    for TaskRow { assignment, instance } in rows {
        let definition = pinned.of(instance).await?;
        let step = match definition.as_deref() {
            Some(definition) => Some(asked(runtime, definition, assignment, &words).await?),
            None => None,
        };
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

/// What somebody is asked; in an `each`, with the row that it is asked of.
async fn asked(
    runtime: &Runtime,
    definition: &Definition,
    assignment: &AssignmentRow,
    words: &format::Words<'_>,
) -> Result<String, Stop> {
    let inside = definition.graph.block_of(&Node::Step(assignment.step.clone()));
    let in_row = |of: &StepId| definition.steps.get(of).is_some_and(|step| matches!(step.kind, StepKind::Each(_)));
    let mut block = inside.and_then(|block| definition.graph.block_at(block));
    while let Some(at) = block {
        if at.of.as_ref().is_some_and(in_row)
            && let Some(case) = runtime.case(assignment.instance).await?
            && let Some(task) = case.state.tasks.get(&assignment.task)
        {
            return Ok(words.task_in(definition, &case.state, task));
        }
        block = at.parent.and_then(|parent| definition.graph.block_at(parent));
    }
    Ok(words.step(definition, &assignment.step))
}
