//! What `simulate` makes up where nobody said anything.

use crate::support::{compile, project};
use countersign::model::id::{PersonId, ProcessId};
use countersign::model::text::Lang;
use countersign::model::value::Record;
use countersign::simulate::forecast::{Happened, Pace, Question, forecast};
use countersign::simulate::missing;
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
    let data = missing(&compiled.definitions, &people, &calendar, (&process, &by, from), &said);
    assert_eq!(data.len(), 9, "{data:?}");
    let (pace, answers) = (Pace::Due, BTreeMap::new());
    let question = Question { process: &process, by: &by, data, from, pace, answers };
    let (_, happened) = forecast(&compiled.definitions, &people, &calendar, &question).expect("it starts");
    let ended = happened.iter().any(|one| matches!(&one.what, Happened::Ended(end) if end.as_str() == "done"));
    assert!(ended, "{happened:#?}");
}
