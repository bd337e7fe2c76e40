//! A future in words: what happens when, as rows and as JSON, and why no more is told.

use super::letters::Written;
use super::outcomes;
use super::output::Ink;
use crate::compile::Compiled;
use crate::compile::scenario::START;
use crate::effects::format::Words as Said;
use crate::engine::refusal::{FieldFault, Refusal};
use crate::model::definition::outcome;
use crate::model::form::{FieldKind, Form, field_at};
use crate::model::formula::Read;
use crate::model::id::StepId;
use crate::model::text::{Lang, Wording, clean_line};
use crate::model::value::{Record, Value, plain_record};
use crate::simulate::forecast::{Happened, Happening, ROUNDS, Stopped, is_outside, kind};
use crate::simulate::{Case, Letters, World};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A future in words.
pub(crate) struct Told<'a> {
    pub(crate) world: &'a World<'a>,
    pub(crate) letters: &'a Written<'a>,
    pub(crate) lang: Lang,
    /// What was made up for the start.
    pub(crate) made_up: &'a Record,
    /// What was said of the forms of steps.
    pub(crate) values: &'a BTreeMap<StepId, Record>,
}

impl Told<'_> {
    pub(crate) fn moment(&self, at: DateTime<Utc>) -> String {
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

    /// Why no more is told, where not everything ended: a form that takes nothing that was made up, a loop with where it
    /// is written, and what is waited for.
    pub(crate) fn why(&self, happened: &[Happening], stopped: &Stopped, compiled: &Compiled) -> Vec<Wording> {
        let mut lines: Vec<Wording> = happened.iter().filter_map(|one| self.lacking(one)).collect();
        lines.dedup();
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

    /// What has to be said of the form of a step, as nothing that was made up is taken there.
    fn lacking(&self, one: &Happening) -> Option<Wording> {
        let Happened::Refused(step, _, refusal) = &one.what else { return None };
        let Refusal::BadForm(faults) = &**refusal else { return None };
        let (form, called) = (self.form(one.case, step)?, called(step));
        let said = needed(&form, faults, &format!("{called}."));
        Some(match self.values.get(step) {
            None => Wording::new(
                format!("步骤 {called} 的表单编不出合适的值，请自己写：{}。", said.zh),
                format!("Nothing could be made up that the form of step {called} takes. Say it: {}.", said.en),
            ),
            Some(_) => Wording::new(
                format!("步骤 {called} 的表单这样填不行，请另写：{}。", said.zh),
                format!("The form of step {called} is not filled in right like this. Say it: {}.", said.en),
            ),
        })
    }

    /// What has to be set there: `step.field`.
    fn to_set(&self, one: &Happening) -> Vec<String> {
        let Happened::Refused(step, _, refusal) = &one.what else { return Vec::new() };
        let (Refusal::BadForm(faults), Some(form)) = (&**refusal, self.form(one.case, step)) else { return Vec::new() };
        let paths = faults.iter().flat_map(|fault| asked(&form, fault));
        paths.map(|path| format!("{}.{path}", called(step))).collect()
    }

    /// The steps of which something is said for nothing: nobody is asked there.
    pub(crate) fn unasked(&self, happened: &[Happening]) -> Vec<&str> {
        let asked = |id: &StepId| {
            happened.iter().any(|one| match &one.what {
                Happened::Answered(step, ..) | Happened::Refused(step, ..) => step == id,
                _ => false,
            })
        };
        self.values.keys().filter(|step| !asked(step)).map(called).collect()
    }

    fn form(&self, case: usize, step: &StepId) -> Option<Cow<'_, Form>> {
        let definition = self.world.cases().get(case)?.definition;
        let begins = step.as_str().is_empty();
        Some(if begins { Cow::Borrowed(&definition.form) } else { definition.asked_at(step) })
    }

    /// What happens, and below an answer what was made up for it.
    pub(crate) fn rows(&self, one: &Happening) -> Vec<[(String, Option<Ink>); 3]> {
        let (step, what, who, ink) = self.row(one);
        let mut rows = vec![[(self.within(one.case, step), None), (what, ink), (who, None)]];
        if let Happened::Answered(step, _, _, values) = &one.what
            && let Some(made_up) = self.form(one.case, step).and_then(|form| made_up(&self.words(), &form, values))
        {
            let made_up = match self.lang {
                Lang::Zh => format!("自己填的：{made_up}"),
                Lang::En => format!("made up: {made_up}"),
            };
            rows.push([(String::new(), None), (made_up, Some(Ink::Dim)), (String::new(), None)]);
        }
        rows
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
            Happened::Answered(step, by, outcome, _) => {
                let case = self.world.cases().get(one.case);
                let human = case.and_then(|case| case.definition.steps.get(step)).and_then(|step| step.human());
                let begins = step.as_str().is_empty();
                let what = if begins { pick("填好了", "filled in") } else { self.words().answer(human, outcome) };
                (self.step(one.case, step), what, name(by), Some(Ink::Bold))
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

    pub(crate) fn json(&self, happened: &[Happening]) -> serde_json::Value {
        let one = |one: &Happening| {
            let mut object = match &one.what {
                Happened::Started(by) => {
                    let made_up = if one.case == 0 { plain_record(self.made_up) } else { json!({}) };
                    json!({ "what": "started", "who": [by.as_str()], "made_up": made_up })
                }
                Happened::Asked(step, people, due) => json!({
                    "what": "asked", "step": step.as_str(), "due": due.map(|due| due.to_rfc3339()),
                    "who": people.iter().map(ToString::to_string).collect::<Vec<_>>(),
                }),
                Happened::Answered(step, by, outcome, made_up) => json!({
                    "what": "answered", "step": step.as_str(), "who": [by.as_str()], "outcome": outcome.as_str(),
                    "made_up": plain_record(made_up),
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
                        "set": self.to_set(one),
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

/// What a step is called where it is set: the start form of a called case is that of its `start`.
fn called(step: &StepId) -> &str {
    if step.as_str().is_empty() { START } else { step.as_str() }
}

/// What was made up for a form, in words; nothing where nothing was.
pub(crate) fn made_up(words: &Said<'_>, form: &Form, values: &Record) -> Option<String> {
    let said = each_made_up(words, form, values, None);
    (!said.is_empty()).then(|| said.join(if words.lang == Lang::Zh { "，" } else { ", " }))
}

/// The same, value by value: of a list each column of each row, as much of it may have been said.
fn each_made_up(words: &Said<'_>, form: &Form, values: &Record, row: Option<usize>) -> Vec<String> {
    let empty = |value: &Value| value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
    let mut said = Vec::new();
    for (name, value) in values.iter().filter(|(_, value)| !empty(value)) {
        let field = form.get(name);
        if let (Some(FieldKind::List(columns)), Value::List(rows)) = (field.map(|field| &field.kind), value) {
            let rows = rows.iter().zip(1..).filter_map(|(row, number)| match row {
                Value::Record(row) => Some(each_made_up(words, columns, row, Some(number))),
                _ => None,
            });
            said.extend(rows.flatten());
            continue;
        }
        let title = clean_line(field.map_or(name.as_str(), |field| field.title.get(words.lang)));
        let title = match (row, words.lang) {
            (None, _) => title,
            (Some(row), Lang::Zh) => format!("{title}（第 {row} 行）"),
            (Some(row), Lang::En) => format!("{title} (row {row})"),
        };
        said.push(format!("{title} = {}", words.value(field, value)));
    }
    said
}

/// What of a form has to be set, and why.
pub(crate) fn needed(form: &Form, faults: &[FieldFault], prefix: &str) -> Wording {
    let one = |fault: &FieldFault, lang: Lang| {
        let set: Vec<String> = asked(form, fault).iter().map(|path| format!("--set {prefix}{path}=…")).collect();
        let what = fault.what.get(lang).trim_end_matches(['。', '.']);
        let title = clean_line(fault.title.get(lang));
        match lang {
            Lang::Zh => format!("{}（{title}：{what}）", set.join(" ")),
            Lang::En => format!("{} ({title}: {what})", set.join(" ")).trim_start().to_owned(),
        }
    };
    let told = |lang: Lang, glue: &str| faults.iter().map(|fault| one(fault, lang)).collect::<Vec<_>>().join(glue);
    Wording::new(told(Lang::Zh, "；"), told(Lang::En, "; "))
}

/// The fields that a fault asks for: its own, or of what is computed what that follows from.
fn asked(form: &Form, fault: &FieldFault) -> Vec<String> {
    let own = fault.path_text();
    let (mut found, mut seen, mut ahead): (Vec<String>, Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new(), vec![&own]);
    while let Some(path) = ahead.pop() {
        let Some(field) = field_at(form, path).filter(|_| !seen.contains(&path)) else { continue };
        seen.push(path);
        match &field.value {
            None => found.push(path.to_owned()),
            Some(value) => ahead.extend(value.reads.iter().rev().filter_map(|read| match read {
                Read::Field(name) => Some(name.as_str()),
                _ => None,
            })),
        }
    }
    found
}
