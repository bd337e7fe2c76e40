//! `simulate`: one start, and the whole future of it. Nothing is written or sent.

use super::{check, explore};
use crate::cli::exit::{Exit, Stop};
use crate::cli::letters::Written;
use crate::cli::output::{Ink, Table};
use crate::cli::refer::World as There;
use crate::cli::shell::Shell;
use crate::cli::{Words, directory, outcomes, values};
use crate::compile::Compiled;
use crate::diagnostics::suggest;
use crate::effects::format::Words as Said;
use crate::model::definition::{Definition, outcome};
use crate::model::form::FieldKind;
use crate::model::id::{FieldName, Outcome, StepId};
use crate::model::input::{Reading, read_kind};
use crate::model::text::{Lang, Wording, clean_line};
use crate::model::time::Duration;
use crate::model::value::{Record, Value};
use crate::runtime::{Clock, Files};
use crate::simulate::forecast::{Happened, Happening, Pace, Question, ROUNDS, Stopped, forecast, is_outside, kind};
use crate::simulate::{Case, Filled, Letters, World, missing};
use chrono::{DateTime, Utc};
use clap::{ArgAction, ArgMatches, Command};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn tree(words: Words) -> Command {
    Command::new("simulate")
        .about(words.pick("试走一遍：从发起到结束，谁、何时、哪封邮件", "Play one start to its end: who, when, which mail"))
        .long_about(words.pick(
            "在内存里发起一个案例并走到结束：每个人按设定的快慢给出步骤的第一种结果（审批就是同意），表单里必填而没有写的\
             自己填上合适的值，并写出填了什么。列出每一步谁在什么时候做、发出哪封邮件。什么都不会保存，也不会发出邮件，\
             也不会调用外面的系统：接口（http）、作业（job）和消息（receive）怎样，用 --answer 说。没有尽头的，走到开始\
             重复为止。",
            "Start a case in memory and play it to its end: everybody gives the first answer of their step (an approval: \
             yes) at a stated pace, and what a form requires and nobody said gets a value that fits, which is told. Shows who \
             does what when, and which mail goes out. Nothing is kept, no mail is sent and no other system is called: how an \
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
    let data = values::read(output, matches, &definition.form, &there, &Record::new());
    // What was read of it is in the data; nothing of it stays, whatever comes of the form.
    let _ = std::fs::remove_dir_all(scratch.with_extension("files"));
    let data = data?;
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
    let data: Record = made_up.clone().into_iter().chain(data).collect();
    if !made_up.is_empty() {
        let words = Said {
            lang: output.lang,
            zone: calendar.zone,
            home: calendar.zone,
            now: from,
            directory: &people,
            live: &[],
        };
        let said = |(name, value): (&FieldName, &Value)| {
            let field = definition.form.get(name);
            let title = field.map_or(name.as_str(), |field| field.title.get(output.lang));
            format!("{} = {}", clean_line(title), words.value(field, value))
        };
        let empty = |value: &Value| value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
        let said: Vec<String> = made_up.iter().filter(|(_, value)| !empty(value)).map(said).collect();
        if !said.is_empty() {
            output.note(format!("没有写而自己填的：{}。", said.join("，")), format!("Made up: {}.", said.join(", ")));
        }
        let open: Vec<String> =
            made_up.iter().filter(|(_, value)| empty(value)).map(|(name, _)| format!("--set {name}=…")).collect();
        if !open.is_empty() {
            let open = open.join(" ");
            output.note(
                format!("编不出来的请自己写：{open}。"),
                format!("What cannot be made up has to be said: {open}."),
            );
        }
    }
    let question = Question { process: &definition.process, by: &by, data, from, pace, answers, lang: output.lang };
    let (world, happened, stopped) = forecast(&compiled.definitions, &people, &calendar, &question)
        .map_err(|refusal| Stop::Because(Exit::Refused, refusal.wording(&people, calendar.zone)))?;
    let templates = check::templates(shell)?;
    let letters = Written::new(&templates);
    let told = Told { world: &world, letters: &letters, lang: output.lang };
    if matches.get_flag("json") {
        return output.json(&told.json(&happened));
    }
    let mut table = Table::new(output.pick("时间,步骤,事项,谁", "when,step,what,who").split(',')).prose(2);
    let mut before = String::new();
    for one in &happened {
        let when = told.moment(one.at);
        let shown = if when == before { String::new() } else { when.clone() };
        before = when;
        let (step, what, who, ink) = told.row(one);
        let step = told.within(one.case, step);
        table.painted_row([(shown, Some(Ink::Dim)), (step, None), (what, ink), (who, None)]);
    }
    output.print(&output.table(&table))?;
    for line in told.why(&stopped, &compiled) {
        output.note(line.zh, line.en);
    }
    Ok(())
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
            let known: Vec<&str> =
                definitions.iter().flat_map(|definition| definition.steps.keys()).map(StepId::as_str).collect();
            let close = suggest::closest(step, known.iter().copied());
            let (zh, en) = close.map_or_else(Default::default, |close| {
                (format!("是不是“{close}”？"), format!(" Did you mean “{close}”?"))
            });
            return Err(Stop::not_found(format!("没有步骤“{step}”。{zh}"), format!("There is no step “{step}”.{en}")));
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

/// A future in words.
struct Told<'a> {
    world: &'a World<'a>,
    letters: &'a Written<'a>,
    lang: Lang,
}

impl Told<'_> {
    fn moment(&self, at: DateTime<Utc>) -> String {
        self.world.calendar().local(at).format("%Y-%m-%d %H:%M").to_string()
    }

    fn step(&self, case: usize, step: &StepId) -> String {
        let Some(case) = self.world.cases().get(case) else { return step.to_string() };
        // Who tries a process knows a step without a title by its id.
        let titled = case.definition.steps.get(step).is_some_and(|step| step.title.is_some());
        if titled { self.words().step(case.definition, step) } else { step.to_string() }
    }

    /// Where something happens: beside the case that was started, in which of those that it called.
    fn within(&self, case: usize, step: String) -> String {
        let Some(called) = self.world.cases().get(case).filter(|_| case > 0) else { return step };
        let title = clean_line(called.definition.title.get(self.lang));
        if step.is_empty() { format!("↳ {title}") } else { format!("↳ {title} · {step}") }
    }

    fn words(&self) -> Said<'_> {
        let (zone, directory) = (self.world.calendar().zone, self.world.directory());
        Said { lang: self.lang, zone, home: zone, now: self.world.now(), directory, live: &[] }
    }

    /// Why no more is told, where not everything ended: a loop with where it is written, and what is waited for.
    fn why(&self, stopped: &Stopped, compiled: &Compiled) -> Vec<Wording> {
        let mut lines = Vec::new();
        let at = |case: usize, step: &StepId| {
            let process = self.world.cases().get(case).map(|case| &case.definition.process);
            let span = process.and_then(|process| compiled.source_map.step(process, step));
            let place = span.map(|span| {
                let source = compiled.sources.get(span.source);
                format!("{}:{}", source.name, source.position(span.start).line)
            });
            place.map_or_else(
                || Wording::new(format!("步骤 {step} "), format!("step {step}")),
                |place| Wording::new(format!("步骤 {step}（{place}）"), format!("step {step} ({place})")),
            )
        };
        match stopped {
            Stopped::Still => {}
            Stopped::Circle(case, step) => {
                let at = at(*case, step);
                lines.push(Wording::new(
                    format!("到这里为止：{}已经来了 {ROUNDS} 次，这样走没有尽头。换一种结果（--answer），或检查这个循环。", at.zh),
                    format!("Stopped here: {} was come to {ROUNDS} times, so like this it never ends. Say another outcome (--answer), or look at the loop.", at.en),
                ));
            }
            Stopped::Reminders(case, step) => {
                let at = at(*case, step);
                lines.push(Wording::new(
                    format!("到这里为止：以后只有{}的逾期通知，一直重复下去。", at.zh),
                    format!(
                        "Stopped here: from now on there are only the overdue notices of {}, again and again.",
                        at.en
                    ),
                ));
            }
            Stopped::Long => lines.push(Wording::new(
                "到这里为止：发生的事太多，没有再往下走。",
                "Stopped here: too much happens to go on.",
            )),
        }
        let open = || self.world.cases().iter().filter(|case| case.state.ended.is_none());
        let waits = open().flat_map(|case| {
            let tokens = case.state.tokens.values().filter(|token| token.incident.is_none());
            let outside = tokens.filter(|token| token.waits.as_ref().is_some_and(is_outside));
            outside.filter_map(move |token| Some((token.step.clone()?, case)))
        });
        let waits: BTreeMap<StepId, &Case<'_>> = waits.collect();
        for (step, case) in &waits {
            let ways = case.definition.steps.get(step).and_then(outcomes::outside).unwrap_or_default();
            let said =
                |glue: &str| ways.iter().map(|way| format!("--answer {step}={way}")).collect::<Vec<_>>().join(glue);
            lines.push(Wording::new(
                format!("步骤 {step} 在等外面。说出它怎样：{}。", said(" 或 ")),
                format!("Step {step} waits for something outside. Say how it goes: {}.", said(" or ")),
            ));
        }
        if lines.is_empty() && open().next().is_some() {
            lines.push(Wording::new(
                "这样走不到结束：有人要做的还没有做，或案例停下了。",
                "It does not come to an end like this: somebody is still asked, or the case stopped.",
            ));
        }
        lines
    }

    fn row(&self, one: &Happening) -> (String, String, String, Option<Ink>) {
        let name = |person| self.world.directory().name_of(person).to_owned();
        let pick = |zh: &str, en: &str| match self.lang {
            Lang::Zh => zh.to_owned(),
            Lang::En => en.to_owned(),
        };
        match &one.what {
            Happened::Started(by) => (String::new(), pick("发起", "started"), name(by), Some(Ink::Bold)),
            Happened::Asked(step, people, due) => {
                let people: Vec<String> = people.iter().map(name).collect();
                let until = due.map(|due| self.moment(due));
                let what = match (until, self.lang) {
                    (Some(until), Lang::Zh) => format!("待办，期限 {until}"),
                    (Some(until), Lang::En) => format!("asked, due {until}"),
                    (None, _) => pick("待办", "asked"),
                };
                (self.step(one.case, step), what, people.join(&pick("、", ", ")), None)
            }
            Happened::Answered(step, by, outcome) => {
                let case = self.world.cases().get(one.case);
                let human = case.and_then(|case| case.definition.steps.get(step)).and_then(|step| step.human());
                (self.step(one.case, step), self.words().answer(human, outcome), name(by), Some(Ink::Bold))
            }
            Happened::Came(step, outcome) => {
                let failed = outcome.as_str() == outcome::FAILED;
                let what = if failed {
                    pick("外面失败了", "failed outside")
                } else {
                    pick("外面办好了", "came from outside")
                };
                (self.step(one.case, step), what, String::new(), Some(Ink::Bold))
            }
            Happened::Overdue(step, decided) => {
                let case = self.world.cases().get(one.case);
                let human = case.and_then(|case| case.definition.steps.get(step)).and_then(|step| step.human());
                let late = pick("逾期", "overdue");
                let what = match decided {
                    Some(outcome) if outcome.as_str() == outcome::OVERDUE => {
                        format!("{late}{}", pick("，转往别处", ", goes on elsewhere"))
                    }
                    Some(outcome) => {
                        let said = self.words().answer(human, outcome);
                        format!("{late}{}{said}", pick("，按期限定为：", ", time decides: "))
                    }
                    None => late,
                };
                (self.step(one.case, step), what, String::new(), Some(Ink::Amber))
            }
            Happened::Skipped(step) => {
                (self.step(one.case, step), pick("跳过", "skipped"), String::new(), Some(Ink::Dim))
            }
            Happened::Mailed(number) => {
                let Some(mail) = self.world.mails().get(*number) else { return Default::default() };
                let subject = self.subject(*number).unwrap_or_else(|| kind(mail).to_owned());
                (String::new(), format!("✉ {subject}"), name(&mail.to), Some(Ink::Dim))
            }
            Happened::Stopped(step) => (
                self.step(one.case, step),
                pick("因异常停下", "stopped by an incident"),
                String::new(),
                Some(Ink::Amber),
            ),
            Happened::Ended(outcome) => {
                let case = self.world.cases().get(one.case);
                let said = case.map_or_else(|| outcome.to_string(), |case| case.definition.ending(outcome, self.lang));
                (String::new(), format!("{}{said}", pick("结束：", "ended: ")), String::new(), Some(Ink::Seal))
            }
            Happened::Refused(step, by, refusal) => {
                let said = refusal.wording(self.world.directory(), self.world.calendar().zone);
                (self.step(one.case, step), said.get(self.lang).to_owned(), name(by), Some(Ink::Amber))
            }
        }
    }

    fn subject(&self, number: usize) -> Option<String> {
        let mail = self.world.mails().get(number)?;
        self.letters.letter(&self.world.posted(mail)?).ok().map(|letter| letter.subject)
    }

    fn json(&self, happened: &[Happening]) -> serde_json::Value {
        let one = |one: &Happening| {
            let mut object = match &one.what {
                Happened::Started(by) => json!({ "what": "started", "who": [by.as_str()] }),
                Happened::Asked(step, people, due) => json!({
                    "what": "asked", "step": step.as_str(), "due": due.map(|due| due.to_rfc3339()),
                    "who": people.iter().map(ToString::to_string).collect::<Vec<_>>(),
                }),
                Happened::Answered(step, by, outcome) => json!({
                    "what": "answered", "step": step.as_str(), "who": [by.as_str()], "outcome": outcome.as_str(),
                }),
                Happened::Came(step, outcome) => {
                    json!({ "what": "came", "step": step.as_str(), "outcome": outcome.as_str() })
                }
                Happened::Overdue(step, decided) => json!({
                    "what": "overdue", "step": step.as_str(),
                    "outcome": decided.as_ref().map(|outcome| outcome.as_str()),
                }),
                Happened::Skipped(step) => json!({ "what": "skipped", "step": step.as_str() }),
                Happened::Mailed(number) => {
                    let mail = self.world.mails().get(*number);
                    json!({
                        "what": "mailed", "kind": mail.map(kind), "subject": self.subject(*number),
                        "who": mail.map(|mail| vec![mail.to.to_string()]),
                    })
                }
                Happened::Stopped(step) => json!({ "what": "stopped", "step": step.as_str() }),
                Happened::Ended(outcome) => json!({ "what": "ended", "outcome": outcome.as_str() }),
                Happened::Refused(step, by, refusal) => {
                    let said = refusal.wording(self.world.directory(), self.world.calendar().zone);
                    json!({
                        "what": "refused", "step": step.as_str(), "who": [by.as_str()], "why": said.get(self.lang),
                    })
                }
            };
            if let Some(object) = object.as_object_mut() {
                object.insert("at".into(), json!(one.at.to_rfc3339()));
                let process = self.world.cases().get(one.case).map(|case| case.definition.process.to_string());
                object.insert("process".into(), json!(process));
            }
            object
        };
        serde_json::Value::Array(happened.iter().map(one).collect())
    }
}
