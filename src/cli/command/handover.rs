//! `handover`: all that is one person's becomes another's.

use crate::cli::exit::Stop;
use crate::cli::output::{Ink, Output, Table};
use crate::cli::refer::World;
use crate::cli::shell::Shell;
use crate::cli::{Words, acting, directory};
use crate::effects::format::clean_line;
use crate::engine::command::Actor;
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::state::State;
use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, FieldKind};
use crate::model::id::{FieldName, PersonId, TaskId};
use crate::model::text::Lang;
use crate::runtime::{HandOver, HandOverResult, HandedOver};
use clap::{ArgMatches, Command};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

pub(super) fn tree(words: Words) -> Command {
    Command::new("handover")
        .about(words.pick("把一个人手上的全部工作交给另一个人", "Hand all of a person's work over to another"))
        .long_about(words.pick(
            "把一个人手上的全部工作交给另一个人：每一项待办、他申请的案例，以及后面步骤要找的负责人。\
             已经作出的决定仍是他的。同一条命令可以再执行一次，接着办没办完的。\
             通讯录里的岗位要另外改：命令会说明还有哪些。",
            "Hand all of a person's work over to another: each open task, the cases that they applied for, and where \
             a later step would ask them. What they decided stays theirs. The same command again goes on where it \
             stopped. Positions are the directory's: the command says which ones are left to change there.",
        ))
        .arg(words.word("person", ("交出的人", "PERSON"), "谁的工作：编号、姓名或邮箱", "Whose work").required(true))
        .arg(words.option("to", ("接手的人", "PERSON"), "由谁接手", "Who takes over").required(true))
        .arg(words.option(
            "key",
            ("值", "VALUE"),
            "只交这一个对象的案例，例如一个客户",
            "Only the cases of one thing, such as a customer",
        ))
        .arg(words.switch("dry-run", "只看会发生什么，不作改动", "Only say what would happen"))
        .arg(words.json())
        .after_help(
            "countersign handover zhang --to smith --dry-run\ncountersign handover zhang --to smith --key 华康医院",
        )
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let word = |name: &str| matches.get_one::<String>(name).map(|word| word.trim().to_owned()).unwrap_or_default();
    let only_look = matches.get_flag("dry-run");
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        // Whoever left may be gone from the directory, and still have work.
        let known = directory::anybody(&world.directory, &word("person"));
        let from = known.as_ref().ok().cloned().unwrap_or_else(|| PersonId::from(word("person").as_str()));
        let to = directory::person(&world.directory, &word("to"))?;
        let key = matches.get_one::<String>("key").map(|key| key.trim().to_owned());
        let asked = HandOver { from, to, key };
        let done = runtime.hand_over(&asked, &Actor::Operator { user: shell.user() }, only_look).await;
        let done = done.map_err(|denied| acting::denied(denied, runtime))?;
        if done.done.is_empty()
            && done.refused.is_empty()
            && let Err(unknown) = known
        {
            return Err(unknown);
        }
        if matches.get_flag("json") {
            return output.json(&as_json(&asked, &done, only_look));
        }
        say(output, &world, &asked, &done, only_look)?;
        if !only_look && !done.done.is_empty() {
            acting::remind(shell);
        }
        Ok(())
    })
}

fn say(
    output: &Output,
    world: &World,
    asked: &HandOver,
    HandOverResult { done, refused }: &HandOverResult,
    only_look: bool,
) -> Result<(), Stop> {
    let words = world.words(output);
    let (from, to) = (words.name(&asked.from), words.name(&asked.to));
    if done.is_empty() && refused.is_empty() {
        output.print(&match output.lang {
            Lang::Zh => format!("{from}手上没有未办的事，也没有后面要找他的案例。"),
            Lang::En => format!("{from} has nothing open, and no case will ask them."),
        })?;
    }
    if !done.is_empty() {
        let titles = [output.pick("案例", "CASE"), output.pick("流程", "PROCESS"), output.pick("交接", "HANDED OVER")];
        let mut table = Table::new(titles).prose(2);
        for one in done {
            table.painted_row([
                (one.after.reference(), Some(Ink::Bold)),
                (clean_line(one.after.title.get(output.lang)), None),
                (what(output, world, asked, one).join(output.pick("；", "; ")), None),
            ]);
        }
        output.print(&output.table(&table))?;
        output.print("\n")?;
        output.print(&summary(output, (&from, &to), done, only_look))?;
    }
    for (state, refusal) in refused {
        // People know a step by its title.
        let titled = match (refusal, world.live.iter().find(|live| live.process == state.process)) {
            (Refusal::NobodyInstead { person, step }, Some(definition)) if definition.steps.contains_key(step) => {
                Refusal::NobodyInstead { person: person.clone(), step: words.step(definition, step).as_str().into() }
            }
            (refusal, _) => refusal.clone(),
        };
        let why = titled.wording(&world.directory, world.calendar.zone);
        let line = format!("{}{}{}", state.reference(), output.pick("：", ": "), why.get(output.lang));
        output.print(&output.ink(Ink::Amber, &line))?;
    }
    for line in left(output, world, asked, done) {
        output.print(&output.ink(Ink::Amber, &line))?;
    }
    Ok(())
}

/// What changed in one case, in the reader's words.
fn what(output: &Output, world: &World, asked: &HandOver, one: &HandedOver) -> Vec<String> {
    let words = world.words(output);
    let mut said = Vec::new();
    if one.before.applicant != one.after.applicant {
        said.push(output.pick("申请人", "applicant").to_owned());
    }
    for (name, field) in one.definition.fields() {
        if field.value.is_none() && one.before.data.get(name) != one.after.data.get(name) {
            said.push(clean_line(field.title.get(output.lang)));
        }
    }
    for name in columns(&one.events) {
        let column = clean_line(column(&one.definition, name).map_or(name.as_str(), |of| of.title.get(output.lang)));
        said.push(match output.lang {
            Lang::Zh => format!("明细行中的{column}"),
            Lang::En => format!("{column} of rows"),
        });
    }
    // Who returned it is not asked now, and will be once it is revised.
    let handed = one.events.iter().find_map(|event| match event {
        Event::HandedOver { steps, .. } => Some(steps),
        _ => None,
    });
    for task in one.before.tasks.values().filter(|task| task.parked && handed.is_some_and(|of| of.contains(&task.step)))
    {
        said.push(words.task_in(&one.definition, &one.before, task));
    }
    for (number, people) in moved(one) {
        let Some(task) = one.before.tasks.get(&number) else { continue };
        let title = words.task_in(&one.definition, &one.before, task);
        let others: Vec<&PersonId> = people.iter().copied().filter(|person| **person != asked.to).collect();
        let others = words.people(others, "", false);
        said.push(match (others.is_empty(), output.lang) {
            (true, _) => title,
            (false, Lang::Zh) => format!("{title}（改请{others}）"),
            (false, Lang::En) => format!("{title} (goes to {others})"),
        });
    }
    said
}

/// The columns of rows that change hands.
fn columns(events: &[Event]) -> BTreeSet<&FieldName> {
    let mut found = BTreeSet::new();
    for event in events {
        match event {
            Event::RowSet { values, .. } => found.extend(values.keys()),
            Event::HandedOver { rows, done, .. } => found.extend(rows.iter().chain(done).map(|(_, name)| name)),
            _ => {}
        }
    }
    found
}

/// The column of a list that is called so.
fn column<'d>(definition: &'d Definition, name: &FieldName) -> Option<&'d Field> {
    let declared = definition.fields().find_map(|(_, field)| match &field.kind {
        FieldKind::List(columns) => columns.get(name),
        _ => None,
    });
    let mut blocks = definition.steps.values().filter_map(|step| match &step.kind {
        StepKind::Each(each) => Some(&each.columns),
        _ => None,
    });
    declared.or_else(|| blocks.find_map(|columns| columns.get(name)))
}

/// The tasks that others are asked in now.
fn moved(one: &HandedOver) -> Vec<(TaskId, Vec<&PersonId>)> {
    let reassigned = one.events.iter().filter_map(|event| match event {
        Event::Reassigned { task, to, .. } => Some((*task, to.iter().map(|one| &one.person).collect())),
        _ => None,
    });
    reassigned.collect()
}

fn summary(output: &Output, (from, to): (&str, &str), done: &[HandedOver], only_look: bool) -> String {
    let tasks: usize = done.iter().map(|one| moved(one).len()).sum();
    let applicants = done.iter().filter(|one| one.before.applicant != one.after.applicant).count();
    let cases = done.len();
    let line = match (output.lang, only_look) {
        (Lang::Zh, false) => {
            format!("已把{from}的工作交给{to}：案例 {cases} 件，待办 {tasks} 项，换申请人 {applicants} 件。")
        }
        (Lang::Zh, true) => {
            format!(
                "将把{from}的工作交给{to}：案例 {cases} 件，待办 {tasks} 项，换申请人 {applicants} 件。没有作任何改动。"
            )
        }
        (Lang::En, looked) => {
            let count =
                |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
            let (cases, tasks) = (count(cases, "case", "cases"), count(tasks, "task", "tasks"));
            let unchanged = if looked { " Nothing was changed." } else { "" };
            format!("{from} → {to}: {cases}, {tasks}, {applicants} with a new applicant.{unchanged}")
        }
    };
    output.ink(Ink::Bold, &line)
}

/// What a hand-over does not move: tasks that nobody else may take, and what the directory says.
fn left(output: &Output, world: &World, asked: &HandOver, done: &[HandedOver]) -> Vec<String> {
    let words = world.words(output);
    let mut lines = Vec::new();
    for one in done {
        for step in stays(&one.after, &asked.from) {
            let (case, title) = (one.after.reference(), words.step(&one.definition, step));
            lines.push(match output.lang {
                Lang::Zh => format!("{case}：“{title}”没有别人可以接，仍在{}手上。", words.name(&asked.from)),
                Lang::En => {
                    format!("{case}: nobody else may take “{title}”; it stays with {}.", words.name(&asked.from))
                }
            });
        }
    }
    let Some(person) = world.directory.people.get(&asked.from) else { return lines };
    if asked.key.is_none() && !person.positions.is_empty() {
        let title = |position| world.directory.positions.get(position).map(|found| found.title.get(output.lang));
        let held: Vec<&str> = person.positions.iter().filter_map(title).collect();
        let (name, held) = (words.name(&asked.from), held.join(output.pick("、", ", ")));
        lines.push(match output.lang {
            Lang::Zh => format!("{name}在通讯录里仍任：{held}。新案例还会找他；请改通讯录后重新部署。"),
            Lang::En => format!(
                "{name} still holds in the directory: {held}. New cases will ask them; change the directory and deploy it."
            ),
        });
    }
    lines
}

fn stays<'a>(state: &'a State, from: &'a PersonId) -> impl Iterator<Item = &'a crate::model::id::StepId> {
    let asked = move |task: &&crate::engine::state::Task| task.assignments.iter().any(|open| open.person == *from);
    state.tasks.values().filter(asked).map(|task| &task.step)
}

fn as_json(asked: &HandOver, HandOverResult { done, refused }: &HandOverResult, only_look: bool) -> Json {
    let case = |one: &HandedOver| {
        let fields: Vec<&str> = one
            .after
            .data
            .iter()
            .filter(|(name, value)| one.before.data.get(*name) != Some(*value))
            .map(|(name, _)| name.as_str())
            .collect();
        let tasks: Vec<Json> = moved(one)
            .into_iter()
            .filter_map(|(number, people)| {
                let step = one.before.tasks.get(&number)?.step.as_str();
                Some(json!({ "task": number.0, "step": step, "people": people.iter().map(|p| p.as_str()).collect::<Vec<_>>() }))
            })
            .collect();
        json!({
            "id": one.after.id.to_string(),
            "number": one.after.number.as_ref().map(ToString::to_string),
            "process": one.after.process.as_str(),
            "applicant": one.before.applicant != one.after.applicant,
            "fields": fields,
            "tasks": tasks,
            "stays": stays(&one.after, &asked.from).map(|step| step.as_str()).collect::<Vec<_>>(),
        })
    };
    json!({
        "from": asked.from.as_str(),
        "to": asked.to.as_str(),
        "dry_run": only_look,
        "cases": done.iter().map(case).collect::<Vec<_>>(),
        "refused": refused.iter().map(|(state, _)| state.reference()).collect::<Vec<_>>(),
    })
}
