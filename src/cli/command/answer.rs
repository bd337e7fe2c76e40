//! `approve`, `reject`, `return`, `complete` and `revise`: answering what a case asks, in somebody's name.

use crate::cli::exit::{Exit, Stop};
use crate::cli::output::Ink;
use crate::cli::prompt::{self, Prompt};
use crate::cli::refer::{self, Asked as Open, Wanted, World};
use crate::cli::shell::Shell;
use crate::cli::{Words, acting, outcomes, values};
use crate::effects::timeline::choices;
use crate::engine::command::{Ask, Command as Asked};
use crate::engine::refusal::Refusal;
use crate::engine::state::TaskKind;
use crate::engine::{self, Whose};
use crate::model::definition::outcome;
use crate::model::form::Form;
use crate::model::id::{Outcome, PersonId};
use crate::model::text::{Lang, Wording};
use crate::model::value::Record;
use crate::runtime::{Accepted, Denied, Runtime};
use clap::{Arg, ArgMatches, Command};
use std::borrow::Cow;

pub(super) fn approve_tree(words: Words) -> Command {
    tree(words, "approve", "同意", "Approve").arg(opinion(words)).args(values::arguments(words)).after_help(
        "countersign approve LP-2026-0001 --as li\ncountersign approve LP-2026-0001/office --as zhou --opinion 同意",
    )
}

pub(super) fn reject_tree(words: Words) -> Command {
    tree(words, "reject", "不同意", "Reject")
        .arg(opinion(words))
        .after_help("countersign reject LP-2026-0001 --as zhao --opinion 超出年度预算")
}

pub(super) fn return_tree(words: Words) -> Command {
    tree(words, "return", "退回给申请人修改", "Return to the applicant for changes")
        .arg(opinion(words))
        .after_help("countersign return LP-2026-0001 --as zhao --opinion 请补充数量")
}

pub(super) fn complete_tree(words: Words) -> Command {
    tree(words, "complete", "办完一项工作，填写结果", "Finish a piece of work and fill in its form")
        .arg(words.option(
            "outcome",
            ("结果", "OUTCOME"),
            "结果的名称；只有一个时可以不写",
            "Its outcome; may be left out where there is only one",
        ))
        .arg(opinion(words))
        .args(values::arguments(words))
        .after_help(
            "countersign complete LP-2026-0001 --as sun --set stock_no=CK-0031\n\
             countersign complete SB-2026-0001 --as wu --outcome missing",
        )
}

pub(super) fn revise_tree(words: Words) -> Command {
    tree(words, "revise", "修改退回的申请，重新提交", "Change a case that was returned and hand it in again")
        .arg(words.option("note", ("文字", "TEXT"), "改了什么", "What was changed"))
        .args(values::arguments(words))
        .after_help("countersign revise LP-2026-0001 --as zhang --set days=2")
}

fn tree(words: Words, name: &'static str, zh: &'static str, en: &'static str) -> Command {
    Command::new(name)
        .about(words.pick(zh, en))
        .arg(
            words
                .word(
                    "ref",
                    ("案例[/步骤]", "REF[/STEP]"),
                    "哪个案例；有几项待办时加上步骤",
                    "Which case; with the step where it asks for several things",
                )
                .required(true),
        )
        .arg(acting::argument(words))
        .arg(acting::id_argument(words))
        .arg(words.json())
}

fn opinion(words: Words) -> Arg {
    words.option("opinion", ("文字", "TEXT"), "意见，会写进历史和邮件", "An opinion, kept in history and told by mail")
}

pub(super) fn approve(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| decide(shell, runtime, matches, Some(outcome::APPROVED)).await)
}

pub(super) fn reject(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| decide(shell, runtime, matches, Some(outcome::REJECTED)).await)
}

pub(super) fn send_back(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| decide(shell, runtime, matches, Some(outcome::RETURNED)).await)
}

pub(super) fn complete(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| decide(shell, runtime, matches, None).await)
}

async fn decide(shell: &Shell, runtime: &Runtime, matches: &ArgMatches, fixed: Option<&str>) -> Result<(), Stop> {
    let (output, world) = (&shell.output, World::of(runtime));
    let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
    let person = who(shell, runtime, &world, matches, text).await?;
    let wanted = if fixed.is_some() { Wanted::Approval } else { Wanted::Work };
    let open = refer::task(runtime, output, text, &person, wanted).await?;
    // A command that was done before is answered with what it came to, whoever is asked by now.
    if open.assignment.is_none() && !matches.contains_id("id") {
        return Err(refer::not_asked(&open, &world, output, &person, wanted));
    }
    let mut input = std::io::stdin().lock();
    let answer: Outcome = match fixed {
        Some(fixed) => fixed.into(),
        None => chosen(shell, &world, matches, &open, &person, &mut input)?,
    };
    let takes_form = !matches!(answer.as_str(), outcome::REJECTED | outcome::RETURNED);
    let (definition, state) = (&open.case.definition, &open.case.state);
    let form = if takes_form { engine::form_of(definition, state, &open.task) } else { Cow::Owned(Form::default()) };
    let (form, current) = (form.as_ref(), engine::data_of(definition, state, &open.task));
    let row = engine::rows_around(definition, state, open.task.token).pop().map(|(_, row)| row);
    let mut filled = if matches.try_contains_id("set").is_ok() {
        let whose = Whose::Task { state, task: open.number, person: &person, outcome: answer.as_str() };
        values::filled(output, matches, (definition, whose), form, &world, &current)?
    } else {
        Record::new()
    };
    let asking = prompt::possible() && matches.try_contains_id("set").is_ok() && !values::given(matches);
    let applicant = open.case.state.applicant.clone();
    if asking && !form.is_empty() {
        filled = Prompt::new(output, &world, &applicant, Some(answer.as_str()), &mut input)
            .in_row(row)
            .form(form, filled, &current, None)?;
    }
    let mut opinion = matches.get_one::<String>("opinion").cloned();
    loop {
        let asked = Asked {
            id: acting::command_id(matches)?,
            actor: acting::actor(shell, &person),
            // What is decided here is what is there now: nothing was shown before.
            ask: match open.task.kind {
                TaskKind::Begin => Ask::Revise {
                    task: open.number,
                    data: filled.clone(),
                    note: opinion.as_deref().map(Into::into),
                    seen: None,
                },
                _ => Ask::Decide {
                    task: open.number,
                    assignment: open.assignment,
                    outcome: answer.clone(),
                    opinion: opinion.as_deref().map(Into::into),
                    values: filled.clone(),
                    seen: None,
                },
            },
        };
        match runtime.submit(open.case.state.id, asked).await {
            Ok(accepted) => return done(shell, &world, &open, &accepted, &answer, matches.get_flag("json")),
            Err(Denied::Refused(Refusal::OpinionRequired(_), _)) if prompt::possible() && opinion.is_none() => {
                let question = output.pick("请写下意见", "Please give an opinion").to_owned();
                let mut prompt = Prompt::new(output, &world, &applicant, None, &mut input);
                opinion = prompt.text(&question)?;
                if opinion.is_none() {
                    return Err(acting::denied(Denied::Refused(Refusal::OpinionRequired(answer), None), runtime));
                }
            }
            Err(Denied::Refused(Refusal::BadForm(faults), _)) if asking => {
                let prompt = Prompt::new(output, &world, &applicant, Some(answer.as_str()), &mut input);
                let mut prompt = prompt.in_row(row);
                match prompt.mend(form, filled, &current, &faults)? {
                    Some(mended) => filled = mended,
                    None => return Err(acting::denied(Denied::Refused(Refusal::BadForm(faults), None), runtime)),
                }
            }
            Err(denied) => return Err(acting::denied(denied, runtime)),
        }
    }
}

/// Who answers; where nobody is named, those who are asked are shown.
async fn who(
    shell: &Shell,
    runtime: &Runtime,
    world: &World,
    matches: &ArgMatches,
    text: &str,
) -> Result<PersonId, Stop> {
    let case = text.rsplit_once('/').map_or(text, |(case, _)| case);
    let asked = match runtime.find(case.trim()).await? {
        crate::runtime::Found::One(row) => {
            let case = runtime.case(row.id).await?;
            let tasks = case.iter().flat_map(|case| case.state.tasks.values());
            tasks.flat_map(|task| task.assignments.iter().map(|one| one.person.clone())).collect()
        }
        _ => Vec::new(),
    };
    acting::person(shell, world, matches, &asked)
}

fn chosen(
    shell: &Shell,
    world: &World,
    matches: &ArgMatches,
    open: &Open,
    person: &PersonId,
    input: &mut dyn std::io::BufRead,
) -> Result<Outcome, Stop> {
    let output = &shell.output;
    let options = choices(&open.case.definition, &open.task, &world.words(output));
    if let Some(named) = matches.get_one::<String>("outcome") {
        let found = options.iter().find(|choice| choice.name == *named || choice.label == *named);
        return match (found, open.case.definition.steps.get(&open.task.step)) {
            (Some(choice), _) => Ok(choice.name.as_str().into()),
            (None, Some(step)) => outcomes::named(step, named).map_err(|known| {
                Stop::not_found(
                    format!("没有结果“{named}”。有：{}。", known.get(Lang::Zh)),
                    format!("There is no outcome “{named}”. There is: {}.", known.get(Lang::En)),
                )
            }),
            (None, None) => Ok(named.as_str().into()),
        };
    }
    match options.as_slice() {
        [only] => Ok(only.name.as_str().into()),
        several if prompt::possible() => {
            let question = world.words(output).task(&open.case.definition, &open.task.step, open.task.kind);
            let options: Vec<(String, String)> =
                several.iter().map(|choice| (choice.name.clone(), choice.label.clone())).collect();
            Prompt::new(output, world, person, None, input).choice(&question, &options).map(|name| name.as_str().into())
        }
        several => {
            let known: Vec<String> =
                several.iter().map(|choice| format!("{}（{}）", choice.name, choice.label)).collect();
            let known_en: Vec<String> =
                several.iter().map(|choice| format!("{} ({})", choice.name, choice.label)).collect();
            Err(Stop::usage(
                format!("请用 --outcome 写明结果：{}。", known.join("、")),
                format!("Say the outcome with --outcome: {}.", known_en.join(", ")),
            ))
        }
    }
}

fn done(
    shell: &Shell,
    world: &World,
    open: &Open,
    accepted: &Accepted,
    answer: &Outcome,
    json: bool,
) -> Result<(), Stop> {
    let output = &shell.output;
    if json {
        return output.json(&acting::accepted_json(accepted));
    }
    let words = world.words(output);
    let definition = &open.case.definition;
    let human = definition.steps.get(&open.task.step).and_then(|step| step.human());
    let human = human.filter(|_| answer.as_str() != outcome::REVISED);
    let line = format!(
        "{}  {} · {}",
        output.ink(Ink::Bold, &accepted.state.reference()),
        words.task_in(definition, &open.case.state, &open.task),
        match open.task.kind {
            TaskKind::Begin => output.pick("已提交", "Submitted").to_owned(),
            _ => words.answer(human, answer),
        }
    );
    output.print(&line)?;
    output.print(&acting::standing(output, world, definition, &accepted.state))?;
    acting::remind(shell);
    Ok(())
}

pub(super) fn revise(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    shell.with_runtime(async |runtime| {
        let (output, world) = (&shell.output, World::of(runtime));
        let text = matches.get_one::<String>("ref").map(String::as_str).unwrap_or_default();
        let person = who(shell, runtime, &world, matches, text).await?;
        let open = refer::task(runtime, output, text, &person, Wanted::Revision).await?;
        let form = &open.case.definition.form;
        let (definition, state) = (&open.case.definition, &open.case.state);
        let whose = Whose::Task { state, task: open.number, person: &person, outcome: outcome::REVISED };
        let mut data = values::filled(output, matches, (definition, whose), form, &world, &state.data)?;
        let mut input = std::io::stdin().lock();
        let asking = !values::given(matches);
        if asking {
            if !prompt::possible() {
                return Err(Stop::Because(
                    Exit::Usage,
                    Wording::new("请用 --set 字段=值 写明要改什么。", "Say what changes with --set FIELD=VALUE."),
                ));
            }
            data =
                Prompt::new(output, &world, &person, None, &mut input).form(form, data, &open.case.state.data, None)?;
        }
        loop {
            let asked = Asked {
                id: acting::command_id(matches)?,
                actor: acting::actor(shell, &person),
                ask: Ask::Revise {
                    task: open.number,
                    data: data.clone(),
                    note: matches.get_one::<String>("note").map(|note| note.as_str().into()),
                    seen: None,
                },
            };
            match runtime.submit(open.case.state.id, asked).await {
                Ok(accepted) => {
                    return done(shell, &world, &open, &accepted, &outcome::REVISED.into(), matches.get_flag("json"));
                }
                Err(Denied::Refused(Refusal::BadForm(faults), _)) if asking => {
                    let mut prompt = Prompt::new(output, &world, &person, None, &mut input);
                    match prompt.mend(form, data, &open.case.state.data, &faults)? {
                        Some(mended) => data = mended,
                        None => return Err(acting::denied(Denied::Refused(Refusal::BadForm(faults), None), runtime)),
                    }
                }
                Err(denied) => return Err(acting::denied(denied, runtime)),
            }
        }
    })
}
