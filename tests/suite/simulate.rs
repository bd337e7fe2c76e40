//! What `simulate` makes up where nobody said anything.

use crate::support::{self, OFFICE, compile, project};
use countersign::model::id::{Outcome, PersonId, ProcessId, StepId};
use countersign::model::text::Lang;
use countersign::model::time::Duration;
use countersign::model::value::{Record, Value};
use countersign::simulate::forecast::{Happened, Pace, Question, Stopped, forecast};
use countersign::simulate::{completed, missing};
use std::collections::BTreeMap;

const PROCESS: &str = r#"
process: one
title: 一
form:
  code:   { type: text, title: 编号, pattern: "[A-Z]{2}-[0-9]{4}", required: true }
  reason: { type: long text, title: 原因, min: 12, required: true }
  amount: { type: money, title: 金额, min: 100, max: 200, required: true }
  share:  { type: percent, title: 比例, max: 5 %, required: true }
  fewer:  { type: integer, title: 更少, required: true, check: { that: fewer > 40, say: 太少 } }
  until:  { type: date, title: 到, required: true, check: { that: until > today(), say: 太早 } }
  boss:   { type: person, title: 主管, among: holders(副总经理), required: true }
  paper:  { type: file, title: 文件, required: true }
  items:  { type: list, title: 明细, min: 2, required: true, fields: { name: { type: text, title: 名称, required: true } } }
steps:
  - id: look
    task: 副总经理
    form:
      more: { type: list, title: 再写, required: true, fields: { code: { type: text, title: 号, pattern: "\\d{3}", required: true } } }
  - { id: sign, approve: 副总经理 }
"#;

#[test]
fn every_required_field_gets_a_value_that_the_form_takes() {
    let directory = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let compiled = compile(&[("one.yaml", PROCESS), ("directory.yaml", &directory)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let (people, calendar) =
        (compiled.directory.clone().unwrap_or_default(), compiled.calendar.clone().unwrap_or_default());
    let (process, by) = (ProcessId::from("one"), PersonId::from("zhang"));
    let from = "2026-03-02T01:00:00Z".parse().unwrap();
    let said = Record::new();
    let data = missing(&compiled.definitions, &people, &calendar, (&process, &by, from), &said, Lang::Zh).made_up;
    assert_eq!(data.len(), 9, "{data:?}");
    let (pace, answers, values) = (Pace::Due, BTreeMap::new(), BTreeMap::new());
    let question = Question { process: &process, by: &by, data, from, pace, answers, values, lang: Lang::Zh };
    let (_, happened, _) = forecast(&compiled.definitions, &people, &calendar, &question).expect("it starts");
    let ended = happened.iter().any(|one| matches!(&one.what, Happened::Ended(end) if end.as_str() == "done"));
    assert!(ended, "{happened:#?}");
}

#[test]
fn what_rows_lack_that_are_said_is_made_up() {
    let process = r#"
process: one
title: One
form:
  items:
    type: list
    title: Items
    min: 1
    fields:
      name: { type: text, title: Name, required: true }
      count: { type: integer, title: Count, required: true, min: 3 }
      price: { type: decimal, title: Price, required: true, check: { that: price > count * 10, say: Too cheap } }
      note: { type: text, title: Note }
steps:
  - { id: look, approve: 副总经理 }
"#;
    let directory = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let compiled = compile(&[("one.yaml", process), ("directory.yaml", &directory)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let (people, calendar) = (compiled.directory.clone().unwrap_or_default(), Default::default());
    let (process, by) = (ProcessId::from("one"), PersonId::from("zhang"));
    let from = "2026-03-02T01:00:00Z".parse().unwrap();
    let row = |name: &str, count: Option<i64>| {
        let count = count.map(|count| ("count".into(), Value::Number(count.into())));
        Value::Record([("name".into(), Value::text(name))].into_iter().chain(count).collect())
    };
    let said = Record::from_iter([("items".into(), Value::List(vec![row("a", None), row("b", Some(7))]))]);
    let made_up = missing(&compiled.definitions, &people, &calendar, (&process, &by, from), &said, Lang::En).made_up;
    let columns = |data: &Record| -> Vec<Vec<String>> {
        let rows = data["items"].as_list().unwrap().iter();
        let names = |row: &Value| match row {
            Value::Record(row) => row.keys().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        rows.map(names).collect()
    };
    assert_eq!(columns(&made_up), [vec!["count", "price"], vec!["price"]], "only what they lack");
    let data = completed(&said, &made_up, &said);
    assert_eq!(columns(&data), [["name", "count", "price"], ["name", "count", "price"]]);
    let (pace, answers, values) = (Pace::Due, BTreeMap::new(), BTreeMap::new());
    let question = Question { process: &process, by: &by, data, from, pace, answers, values, lang: Lang::En };
    forecast(&compiled.definitions, &people, &calendar, &question).expect("it starts");
}

const OUTSIDE: &str = r#"
process: one
title: { zh: 一, en: One }
start: [客户专员]
form: { reason: { type: text, title: { zh: 原因, en: Reason }, required: true } }
data:
  order: { type: integer, title: 订单 }
  paid:  { type: date, title: 付款日 }
steps:
  - id: book
    http: POST https://erp.example/orders
    take: { order: response.order.id }
    on: { failed: by_hand }
  - { id: print, job: print }
  - { id: told, receive: paid, take: { paid: bill.paid } }
  - end: booked
  - { id: by_hand, task: 副总经理 }
  - end: by_hand
"#;

/// What is there to be called where a process brings nothing of its own.
const CALLED: &str = "process: called\ntitle: 叫\nsteps:\n  - { id: create, task: 副总经理 }\n";

/// What happens of a process, and of one that it calls behind `---`, where these steps go so, and why no more.
fn future(process: &str, said: &[(&str, &str)]) -> (Vec<Happened>, Stopped) {
    future_at(process, said, Pace::Due)
}

fn future_at(process: &str, said: &[(&str, &str)], pace: Pace) -> (Vec<Happened>, Stopped) {
    let directory = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let (own, called) = process.split_once("---\n").unwrap_or((process, CALLED));
    let compiled = compile(&[("one.yaml", own), ("called.yaml", called), ("directory.yaml", &directory)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let (people, calendar) = (compiled.directory.clone().unwrap_or_default(), Default::default());
    let (process, by) = (ProcessId::from("one"), PersonId::from("zhang"));
    let from = "2026-03-02T01:00:00Z".parse().unwrap();
    let nothing = Record::new();
    let data = missing(&compiled.definitions, &people, &calendar, (&process, &by, from), &nothing, Lang::En).made_up;
    let mut answers: BTreeMap<StepId, Vec<Outcome>> = BTreeMap::new();
    for (step, outcome) in said {
        answers.entry((*step).into()).or_default().push((*outcome).into());
    }
    let values = BTreeMap::new();
    let question = Question { process: &process, by: &by, data, from, pace, answers, values, lang: Lang::En };
    let (_, happened, stopped) = forecast(&compiled.definitions, &people, &calendar, &question).expect("it starts");
    (happened.into_iter().map(|one| one.what).collect(), stopped)
}

fn end(happened: &[Happened]) -> Option<&str> {
    happened.iter().find_map(|one| if let Happened::Ended(end) = one { Some(end.as_str()) } else { None })
}

#[test]
fn what_is_outside_goes_as_it_is_said_and_else_does_not_come() {
    let (happened, stopped) = future(OUTSIDE, &[]);
    assert_eq!((end(&happened), stopped), (None, Stopped::Still));
    let all = [("book", "done"), ("print", "done"), ("told", "done")];
    let (happened, stopped) = future(OUTSIDE, &all);
    assert_eq!((end(&happened), stopped), (Some("booked"), Stopped::Still), "{happened:#?}");
    let (happened, _) = future(OUTSIDE, &[("book", "failed")]);
    assert_eq!(end(&happened), Some("by_hand"), "{happened:#?}");
    // Nothing says where a job that fails leads.
    let (happened, _) = future(OUTSIDE, &[("book", "done"), ("print", "failed")]);
    assert!(happened.iter().any(|one| matches!(one, Happened::Stopped(step) if step.as_str() == "print")));
}

#[test]
fn what_time_makes_of_a_step_is_told_and_at_the_last_moment_it_is_answered() {
    let process = "process: one\ntitle: 一\nstart: [客户专员]\nsteps:\n  \
                   - { id: look, approve: 副总经理, due: 1 working day, overdue: { decide: rejected } }\n  \
                   - { id: after, task: 副总经理, due: 1 working day, overdue: { go: late } }\n  - { end: fine }\n  - { id: late, end: late }\n";
    let (happened, _) = future(process, &[]);
    assert_eq!(end(&happened), Some("fine"), "{happened:#?}");
    let late = |happened: &[Happened]| {
        let late = happened.iter().filter_map(|one| {
            if let Happened::Overdue(step, how) = one {
                Some((step.to_string(), how.as_ref().map(ToString::to_string)))
            } else {
                None
            }
        });
        late.collect::<Vec<_>>()
    };
    assert_eq!(late(&happened), []);
    let (happened, _) = future_at(process, &[], Pace::After(Duration::WorkingDays(2)));
    assert_eq!(end(&happened), Some("rejected"));
    assert_eq!(late(&happened), [("look".to_owned(), Some("rejected".to_owned()))]);
}

#[test]
fn what_a_called_case_leads_to_comes_after_it() {
    let process = "process: one\ntitle: 一\nsteps:\n  - { id: account, call: called, on: { otherwise: next } }\n  - { id: talk, task: 副总经理 }\n";
    let (happened, _) = future(process, &[]);
    let place = |found: &dyn Fn(&Happened) -> bool| happened.iter().position(found).expect("it happens");
    let done = place(&|one| matches!(one, Happened::Answered(step, ..) if step.as_str() == "create"));
    let over = place(&|one| matches!(one, Happened::Ended(_)));
    let asked = place(&|one| matches!(one, Happened::Asked(step, ..) if step.as_str() == "talk"));
    assert!(done < over && over < asked, "{happened:#?}");
}

#[test]
fn a_future_without_an_end_is_told_up_to_where_it_repeats_itself() {
    let head = "process: one\ntitle: 一\nstart: [客户专员]\nsteps:\n";
    let circle = format!(
        "{head}  - {{ id: pause, wait: 1 month }}\n  - {{ id: look, task: 副总经理, outcomes: {{ again: 再等, over: 好了 }}, on: {{ again: pause }} }}\n"
    );
    let (happened, stopped) = future(&circle, &[]);
    assert_eq!(stopped, Stopped::Circle(0, "pause".into()));
    assert!(happened.len() < 200, "{}", happened.len());
    let reminded =
        format!("{head}  - {{ id: told, receive: paid, due: 1 day, overdue: {{ notify: 副总经理, every: 1 day }} }}\n");
    let (happened, stopped) = future(&reminded, &[]);
    assert_eq!(stopped, Stopped::Reminders(0, "told".into()));
    assert!(happened.len() < 20, "{}", happened.len());
    // Something else is still to come after many reminders.
    let race = "  - id: first\n    race:\n      a: [{ id: told, receive: paid, due: 1 day, overdue: { notify: 副总经理, every: 1 day } }]\n      b: [{ id: late, wait: 60 days }]\n";
    let (happened, stopped) = future(&format!("{head}{race}"), &[]);
    assert_eq!((end(&happened), stopped), (Some("done"), Stopped::Still));
}

#[test]
fn what_is_made_up_is_in_the_language_of_who_reads_it() {
    let directory = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let compiled = compile(&[("one.yaml", OUTSIDE), ("directory.yaml", &directory)]);
    let (people, calendar) = (compiled.directory.clone().unwrap_or_default(), Default::default());
    let (process, by) = (ProcessId::from("one"), PersonId::from("zhang"));
    let from = "2026-03-02T01:00:00Z".parse().unwrap();
    for (lang, reason) in [(Lang::Zh, "原因"), (Lang::En, "Reason")] {
        let data = missing(&compiled.definitions, &people, &calendar, (&process, &by, from), &Record::new(), lang);
        assert_eq!(data.made_up.get("reason"), Some(&Value::text(reason)));
    }
}

const AGAIN: &str = r#"
process: one
title: { zh: 一, en: One }
start: [客户专员]
form:
  large:  { type: boolean, title: { zh: 大额, en: Large }, required: true }
  reason: { type: text, title: { zh: 原因, en: Reason }, required: true, when: large }
steps:
  - { id: boss, approve: 副总经理, title: { zh: 审批, en: Approve }, on: { rejected: boss } }
"#;

#[test]
fn what_is_asked_again_after_the_last_answer_said_is_answered_as_usual() {
    for said in [&["rejected"][..], &["rejected", "rejected"], &["returned"], &["returned", "rejected"]] {
        let answers: Vec<(&str, &str)> = said.iter().map(|outcome| ("boss", *outcome)).collect();
        let (happened, _) = future(AGAIN, &answers);
        assert_eq!(end(&happened), Some("done"), "{happened:#?}");
        let refused = |one: &&Happened| matches!(one, Happened::Answered(_, _, outcome, _) if outcome.as_str() != "approved" && outcome.as_str() != "revised");
        assert_eq!(happened.iter().filter(refused).count(), said.len(), "{happened:#?}");
    }
}

#[test]
fn a_field_that_the_form_does_not_ask_for_is_neither_made_up_nor_taken() {
    let directory = std::fs::read_to_string(project("processes/directory.yaml")).unwrap();
    let compiled = compile(&[("one.yaml", AGAIN), ("directory.yaml", &directory)]);
    let (people, calendar) = (compiled.directory.clone().unwrap_or_default(), Default::default());
    let (process, by) = (ProcessId::from("one"), PersonId::from("zhang"));
    let from = "2026-03-02T01:00:00Z".parse().unwrap();
    let filled = |said: &[(&str, Value)]| {
        let said: Record = said.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        let filled = missing(&compiled.definitions, &people, &calendar, (&process, &by, from), &said, Lang::En);
        let made_up: Vec<String> = filled.made_up.keys().map(ToString::to_string).collect();
        (made_up, filled.unasked.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(filled(&[("large", Value::Boolean(true))]), (vec!["reason".into()], vec![]));
    assert_eq!(filled(&[("large", Value::Boolean(false))]), (vec![], vec![]));
    let both = [("large", Value::Boolean(false)), ("reason", Value::text("so"))];
    assert_eq!(filled(&both), (vec![], vec!["reason".into()]));
}

const EACH_CALLS: &str = "
process: all
title: All
start: [clerk]
form: { rows: { type: list, title: Rows, min: 1, fields: { name: { type: text, title: Name, required: true } } } }
steps:
  - id: ask
    title: Ask
    each: rows
    as: row
    steps:
      - { id: sub, title: Sub, call: sub, with: { topic: row.name }, on: { rejected: next, otherwise: next } }
";

const SUB: &str = "
process: sub
title: Sub
start: [clerk]
form: { topic: { type: text, title: Topic, required: true, max: 3 } }
steps:
  - { id: sign, title: Sign, approve: lead }
";

/// A way through a row leads to what was called in that row, not to what was called last.
#[test]
fn a_way_through_a_row_leads_to_what_was_called_there() {
    let failures = |rows: &str, deeds: &str| {
        let tests = format!(
            "test: rows\nprocess: all\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{ rows: {rows} }} }}\ndo:\n{deeds}"
        );
        support::failures(&tests, &[("directory.yaml", OFFICE), ("all.yaml", EACH_CALLS), ("sub.yaml", SUB)])
    };
    let told = failures(
        "[{ name: A }, { name: B }]",
        "  - { approve: ask/1/sub/sign, by: leo }\n\
         \x20 - expect: { case: ask/1/sub, ended: done }\n\
         \x20 - expect: { case: ask/2/sub, task: sign, data: { topic: B } }\n",
    );
    assert!(told.is_empty(), "{told}");
    let told = failures("[{ name: long }]", "  - { approve: ask/1/sub/sign, by: leo }\n");
    assert!(told.contains("`start` (to be filled in): ann"), "{told}");
}
