//! `simulate`: one start, and the whole future of it. Nothing is written or sent.

use super::{check, explore};
use crate::cli::exit::{Exit, Stop};
use crate::cli::future::{self, Told};
use crate::cli::letters::Written;
use crate::cli::output::{Ink, Table};
use crate::cli::refer::World as There;
use crate::cli::shell::Shell;
use crate::cli::values::Given;
use crate::cli::{Words, directory, outcomes, values};
use crate::compile::scenario::START;
use crate::diagnostics::suggest;
use crate::effects::format::Words as Said;
use crate::engine::refusal::Refusal;
use crate::model::definition::Definition;
use crate::model::form::{FieldKind, Form};
use crate::model::id::{FieldName, Outcome, StepId};
use crate::model::input::{Reading, read_kind};
use crate::model::text::{Lang, Wording, clean_line};
use crate::model::time::Duration;
use crate::model::value::{Record, Value};
use crate::runtime::{Clock, Files};
use crate::simulate::forecast::{Pace, Question, forecast};
use crate::simulate::{Filled, completed, missing};
use clap::{ArgAction, ArgMatches, Command};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn tree(words: Words) -> Command {
    Command::new("simulate")
        .about(words.pick("试走一遍：从发起到结束，谁、何时、哪封邮件", "Play one start to its end: who, when, which mail"))
        .long_about(words.pick(
            "在内存里发起一个案例并走到结束：每个人按设定的快慢给出步骤的第一种结果（审批就是同意），表单里必填而没有写的\
             自己填上合适的值，并写出填了什么；以后某一步的表单用 --set 步骤.字段=值 填。列出每一步谁在什么时候做、发出哪封邮件。什么都不会保存，也不会发出邮件，\
             也不会调用外面的系统：接口（http）、作业（job）和消息（receive）怎样，用 --answer 说。没有尽头的，走到开始\
             重复为止。",
            "Start a case in memory and play it to its end: everybody gives the first answer of their step (an approval: \
             yes) at a stated pace, and what a form requires and nobody said gets a value that fits, which is told; the form \
             of a later step is filled in with --set step.field=value. Shows who does what when, and which mail goes out. Nothing is kept, no mail is sent and no other system is called: how an \
             http step, a job or a message goes is said with --answer. What has no end is played up to where it repeats \
             itself.",
        ))
        .arg(words.word("process", ("流程", "PROCESS"), "哪个流程", "Which process").required(true))
        .arg(words.option("as", ("人员", "PERSON"), "谁发起：编号、姓名或邮箱", "Who starts it: an id, name or mail address").required(true))
        .args(values::arguments(words))
        .arg(words.option("from", ("时刻", "TIME"), "从什么时候开始；不写就是现在", "When it starts; now if left out"))
        .arg(
            words
                .option(
                    "answer",
                    ("步骤=结果", "STEP=OUTCOME"),
                    "某一步的结果，可以写多次：supervisor=rejected；同一步写几次就是依次的结果，之后再来就照常办理。http 和 job 是 done 或 failed，receive 是 done",
                    "What a step comes to, as often as needed: supervisor=rejected; one step several times, in turn, and as usual when it is asked again after that. An http or a job: done or failed; a receive: done",
                )
                .action(ArgAction::Append),
        )
        .arg(
            words
                .option(
                    "pace",
                    ("时长|due", "DURATION|due"),
                    "收到后多久答复，或 due：到期限才答复",
                    "How long everybody takes, or `due`: not before it is due",
                )
                .default_value("4 working hours"),
        )
        .arg(words.folder())
        .arg(words.json())
        .after_help(
            "countersign simulate leave --as zhang --data leave.yaml --from 2026-03-02T09:00\n\
             countersign simulate leave --as zhang --data leave.yaml --pace due --answer superior=rejected\n\
             countersign simulate leave --as zhang --data leave.yaml --set cover.until=2026-03-09\n\
             countersign simulate order --as zhang --answer book=failed --answer paid=done",
        )
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let output = &shell.output;
    let Some(process) = matches.get_one::<String>("process") else { return Ok(()) };
    let folder = check::folder(shell, matches);
    let compiled = check::compile(shell, std::slice::from_ref(&folder))?;
    let definition = explore::wanted(shell, &compiled, process, &folder)?;
    let people = compiled.directory.clone().unwrap_or_default();
    let calendar = compiled.calendar.clone().unwrap_or_default();
    let by = directory::person(&people, matches.get_one::<String>("as").map_or("", String::as_str))?;
    let now = Clock::System.now();
    let reading = Reading { directory: &people, today: calendar.today(now) };
    let from = match matches.get_one::<String>("from") {
        None => now,
        Some(text) => match read_kind(&reading, &FieldKind::DateTime, text) {
            Ok(Value::DateTime(moment)) => moment.instant(calendar.zone),
            Ok(_) => now,
            Err(what) => return Err(Stop::Because(Exit::Input, what)),
        },
    };
    let reading = Reading { directory: &people, today: calendar.today(from) };
    // A file that is handed in is kept nowhere near the database.
    let scratch = std::env::temp_dir().join(format!("countersign-simulate-{}", std::process::id()));
    let there = There {
        now: from,
        directory: Arc::new(people.clone()),
        calendar: Arc::new(calendar.clone()),
        files: Files::beside(&scratch),
        live: Vec::new(),
    };
    let read = said(shell, matches, (definition, &compiled.definitions), &there);
    // What was read of it is in the data; nothing of it stays, whatever comes of the form.
    let _ = std::fs::remove_dir_all(scratch.with_extension("files"));
    let (data, values) = read?;
    let pace = match matches.get_one::<String>("pace").map_or("due", String::as_str) {
        "due" => Pace::Due,
        text => match read_kind(&reading, &FieldKind::Duration, text) {
            Ok(Value::Duration(duration)) => Pace::After(duration),
            Ok(_) => Pace::After(Duration::WorkingMinutes(0)),
            Err(what) => return Err(Stop::Because(Exit::Input, what)),
        },
    };
    let answers = answers(matches, &compiled.definitions)?;
    let (process, forms) = (&definition.process, &compiled.definitions);
    let Filled { made_up, unasked } = missing(forms, &people, &calendar, (process, &by, from), &data, output.lang);
    if !unasked.is_empty() {
        let named = |name: &FieldName| {
            let title = definition.form.get(name).map_or(name.as_str(), |field| field.title.get(output.lang));
            clean_line(title)
        };
        let named: Vec<String> = unasked.iter().map(named).collect();
        output.note(
            format!("这样填时表单不问，所以没有用到：{}。", named.join("、")),
            format!("Not asked for, as the form is filled in, and left out: {}.", named.join(", ")),
        );
    }
    let data = completed(&data, &made_up, &data);
    let zone = calendar.zone;
    let words = Said { lang: output.lang, zone, home: zone, now: from, directory: &people, live: &[] };
    if let Some(said) = future::made_up(&words, &definition.form, &made_up) {
        output.note(format!("没有写而自己填的：{said}。"), format!("Made up: {said}."));
    }
    let question = Question { process, by: &by, data, from, pace, answers, values, lang: output.lang };
    let (world, happened, stopped) = forecast(forms, &people, &calendar, &question).map_err(|refusal| {
        let mut told = refusal.wording(&people, zone);
        if let Refusal::BadForm(faults) = &refusal {
            let said = future::needed(&definition.form, faults, "");
            told =
                Wording::new(format!("{}\n请写：{}。", told.zh, said.zh), format!("{}\nSay it: {}.", told.en, said.en));
        }
        Stop::Because(Exit::Refused, told)
    })?;
    let templates = check::templates(shell)?;
    let letters = Written::new(&templates);
    let told =
        Told { world: &world, letters: &letters, lang: output.lang, made_up: &made_up, values: &question.values };
    if matches.get_flag("json") {
        return output.json(&told.json(&happened));
    }
    let mut table = Table::new(output.pick("时间,步骤,事项,谁", "when,step,what,who").split(',')).prose(2);
    let mut before = String::new();
    for one in &happened {
        let when = told.moment(one.at);
        for row in told.rows(one) {
            let shown = if when == before { String::new() } else { when.clone() };
            before.clone_from(&when);
            table.painted_row([(shown, Some(Ink::Dim))].into_iter().chain(row));
        }
    }
    output.print(&output.table(&table))?;
    let unasked = told.unasked(&happened);
    if !unasked.is_empty() {
        output.note(
            format!("没有走到，所以没有用到写给它的：{}。", unasked.join("、")),
            format!("Nobody came to answer there, so what is said of it is left out: {}.", unasked.join(", ")),
        );
    }
    for line in told.why(&happened, &stopped, &compiled) {
        output.note(line.zh, line.en);
    }
    Ok(())
}

/// What is said of the start, and of the forms of later steps: `step.field`, where the start form has no such field.
fn said(
    shell: &Shell,
    matches: &ArgMatches,
    (own, all): (&Definition, &[Definition]),
    there: &There,
) -> Result<(Record, BTreeMap<StepId, Record>), Stop> {
    let output = &shell.output;
    let mut given = Given::of(output, matches)?;
    let mut values = BTreeMap::new();
    for (step, form) in forms(own, all) {
        if own.form.contains_key(&*step) {
            continue;
        }
        if let Some(given) = given.take(&step) {
            let id = if step == START { "" } else { &*step };
            values.insert(id.into(), given.read(output, &form, there, &Record::new())?);
        }
    }
    if let Some(step) = given.astray(&own.form) {
        return Err(no_step(step, all));
    }
    Ok((given.read(output, &own.form, there, &Record::new())?, values))
}

/// The forms of all steps by the names of these; of a step that several processes have, that of the own one. The start
/// forms of what is called are that of `start`.
fn forms<'d>(own: &'d Definition, all: &'d [Definition]) -> BTreeMap<String, Form> {
    let mut forms: BTreeMap<String, Form> = BTreeMap::new();
    let others = || all.iter().filter(|definition| definition.process != own.process);
    for definition in [own].into_iter().chain(others()) {
        for id in definition.steps.keys() {
            forms.entry(id.to_string()).or_insert_with(|| definition.asked_at(id).into_owned());
        }
    }
    let starts = others().flat_map(|definition| &definition.form);
    let start: Form = starts.map(|(name, field)| (name.clone(), field.clone())).collect();
    forms.entry(START.to_owned()).or_insert(start);
    forms
}

fn no_step(step: &str, definitions: &[Definition]) -> Stop {
    let known: Vec<&str> =
        definitions.iter().flat_map(|definition| definition.steps.keys()).map(StepId::as_str).collect();
    let close = suggest::closest(step, known.iter().copied());
    let (zh, en) = close
        .map_or_else(Default::default, |close| (format!("是不是“{close}”？"), format!(" Did you mean “{close}”?")));
    Stop::not_found(format!("没有步骤“{step}”。{zh}"), format!("There is no step “{step}”.{en}"))
}

fn answers(matches: &ArgMatches, definitions: &[Definition]) -> Result<BTreeMap<StepId, Vec<Outcome>>, Stop> {
    let mut answers: BTreeMap<StepId, Vec<Outcome>> = BTreeMap::new();
    for text in matches.get_many::<String>("answer").into_iter().flatten() {
        let Some((step, outcome)) = text.split_once('=') else {
            return Err(Stop::usage(
                format!("--answer 要写成 步骤=结果，不能只写“{text}”。"),
                format!("--answer takes STEP=OUTCOME; “{text}” has no `=`."),
            ));
        };
        let (step, outcome) = (step.trim(), outcome.trim());
        let found = definitions.iter().find_map(|definition| definition.steps.get_key_value(step));
        let Some((id, found)) = found else {
            return Err(no_step(step, definitions));
        };
        if found.human().is_none() && outcomes::outside(found).is_none() {
            return Err(Stop::usage(
                format!("步骤“{step}”不等人，也不等外面：它的结果由流程自己定，不能用 --answer 说。"),
                format!(
                    "Step “{step}” asks nobody and waits for nothing outside: what it comes to follows, and --answer cannot say it."
                ),
            ));
        }
        let outcome = outcomes::named(found, outcome).map_err(|known| {
            Stop::not_found(
                format!("步骤“{step}”没有结果“{outcome}”。有：{}。", known.get(Lang::Zh)),
                format!("Step “{step}” has no outcome “{outcome}”. It has: {}.", known.get(Lang::En)),
            )
        })?;
        answers.entry(id.clone()).or_default().push(outcome);
    }
    Ok(answers)
}
