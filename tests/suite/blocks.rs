//! Blocks and steps that reach outside: the graphs that they become, what is known after them, what is refused.

use crate::support::{self, ExampleTemplates};
use countersign::compile::{SourceText, compile};
use countersign::model::control::{Join, Piece, Then, Undo};
use countersign::model::definition::{Definition, StepKind};
use countersign::model::graph::{Node, On};
use countersign::model::id::{FieldName, StepId};
use countersign::model::text::Lang;

const DIRECTORY: &str = "directory: company
departments: { 客户部: { head: 总监 } }
positions:
  总经理: {}
  总监: { department: 客户部, reports_to: 总经理 }
  专员: { department: 客户部, reports_to: 总监 }
people:
  chen: { name: 陈建国, mail: chen@example.com, positions: [总经理] }
  li: { name: 李伟, mail: li@example.com, positions: [总监] }
  zhang: { name: 张磊, mail: zhang@example.com, positions: [专员] }
";

fn all(texts: &[(&str, &str)]) -> countersign::compile::Compiled {
    let mut files = vec![("directory.yaml", DIRECTORY)];
    files.extend(texts);
    let file = |(name, text): &(&str, &str)| SourceText { name: (*name).to_owned(), bytes: text.as_bytes().to_vec() };
    compile(files.iter().map(file).collect(), &ExampleTemplates::default())
}

/// Compiles one process beside [`DIRECTORY`]; nothing may be wrong with it.
fn one(process: &str) -> Definition {
    let compiled = all(&[("process.yaml", process)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    compiled.definitions.into_iter().next().expect("a definition")
}

fn faults(process: &str) -> Vec<&'static str> {
    told(&all(&[("process.yaml", process)]))
}

/// What is told of it; a process that shows one thing need not use what it declares.
fn told(compiled: &countersign::compile::Compiled) -> Vec<&'static str> {
    let names = compiled.diagnostics.iter().map(|found| found.code.name());
    names.filter(|name| !["unused_field", "unwritten_field"].contains(name)).collect()
}

/// What is wrong with the steps of a process that has a start form and some data.
fn steps(text: &str) -> Vec<&'static str> {
    faults(&around(text))
}

fn around(steps: &str) -> String {
    format!(
        "process: visit
start: [专员]
form:
  customer: {{ type: text, title: 客户, required: true }}
  owner: {{ type: person, title: 负责人, required: true, among: holders(专员) }}
data:
  level: {{ type: text, title: 级别 }}
  voucher: {{ type: text, title: 凭证 }}
  customers:
    type: list
    title: 客户名单
    fields:
      name: {{ type: text, title: 名称, required: true }}
      grade: {{ type: text, title: 等级 }}
steps:
{steps}"
    )
}

fn step(id: &str) -> Node {
    Node::Step(StepId::from(id))
}

fn join(id: &str) -> Node {
    Node::Join(StepId::from(id))
}

#[test]
fn branches_are_scopes_that_come_together() {
    let found = one(&around(
        "  - id: prepare
    when: customer != \"\"
    parallel:
      room: [{ id: room, task: 专员 }]
      nothing: []
      gift: [{ id: gift, task: 专员 }, { id: wrap, task: 专员 }]
    join: 2
  - { id: report, task: applicant }
",
    ));
    let branch = |name: &str| On::Branch(name.into());
    assert_eq!(found.graph.next(&step("prepare"), &branch("room")), Some(&step("room")));
    assert_eq!(found.graph.next(&step("prepare"), &branch("nothing")), Some(&join("prepare")));
    assert_eq!(found.graph.next(&step("prepare"), &branch("gift")), Some(&step("gift")));
    assert_eq!(found.graph.next(&step("wrap"), &On::Next), Some(&join("prepare")));
    assert_eq!(found.graph.next(&join("prepare"), &On::Next), Some(&step("report")));
    assert_eq!(found.graph.next(&step("prepare"), &On::Next), Some(&step("report")), "skipped");
    let blocks = found.graph.blocks_of(&StepId::from("prepare"));
    assert_eq!(blocks.len(), 3);
    assert!(blocks.iter().all(|block| found.graph.block_at(*block).expect("a block").scope));
    assert_eq!(found.graph.block_of(&step("gift")), blocks.last().copied());
    assert!(matches!(found.steps["prepare"].kind, StepKind::Parallel(Join::Count(2))));
    let again: Definition = serde_json::from_str(&serde_json::to_string(&found).expect("stored")).expect("read back");
    assert_eq!(again, found);
}

#[test]
fn after_all_branches_all_is_set_that_any_of_them_sets() {
    let process = |join: &str| {
        around(&format!(
            "  - id: prepare
    parallel:
      a: [{{ id: first, task: 专员, form: {{ x: {{ type: integer, title: X, required: true }} }} }}]
      b: [{{ id: second, task: 专员, form: {{ y: {{ type: integer, title: Y, required: true }} }} }}]
    join: {join}
  - {{ id: boss, approve: 总监, when: x + y > 3 }}
"
        ))
    };
    assert!(faults(&process("all")).is_empty());
    assert_eq!(faults(&process("any")), ["maybe_unset", "maybe_unset"]);
    assert_eq!(faults(&process("1")), ["maybe_unset", "maybe_unset"], "a count is no promise which");
    assert!(faults(&process("2")).is_empty(), "but two of two are both");
}

#[test]
fn a_race_and_the_first_of_branches_come_to_the_name_of_a_branch() {
    let found = one(&around(
        "  - id: answer
    race:
      accepted: [{ id: acceptance, receive: offer_accepted, key: customer }]
      late: [{ id: silence, wait: 10 working days }]
    on: { late: lost }
  - { id: boss, approve: 总监, when: steps.answer.outcome = accepted }
  - end: won
  - { id: lost, end: lost }
",
    ));
    assert_eq!(found.graph.next(&join("answer"), &On::Outcome("late".into())), Some(&step("lost")));
    assert_eq!(found.graph.next(&join("answer"), &On::Next), Some(&step("boss")));
    let StepKind::Receive(receive) = &found.steps["acceptance"].kind else { panic!("a receive") };
    assert_eq!((&*receive.message, receive.key.is_some()), ("offer_accepted", true));
    let unknown = "  - id: answer
    race:
      a: [{ id: one_day, wait: 1 day }]
      b: [{ id: signed, receive: signed }]
    on: { c: next }
";
    assert_eq!(steps(unknown), ["unknown_outcome"]);
}

#[test]
fn a_row_has_its_columns_and_those_that_the_body_asks() {
    let text = |inside: &str, after: &str| {
        around(&format!(
            "  - id: revisit
    each: customers
    as: account
    until: count(customers[accepted = true]) >= 2
    steps:
      - {{ id: call_on, task: owner, form: {{ accepted: {{ type: boolean, title: 接受, required: true }}, why: {{ type: text, title: 原因, when: accepted = false }} }} }}
{inside}  - {{ id: boss, approve: 总监, when: '{after}' }}
"
        ))
    };
    let found = one(&text(
        "      - { id: again, task: owner, when: not(account.accepted) and account.name != \"\" }\n      - set: { grade: '\"A\"' }\n",
        "count(customers[accepted = true]) > 0",
    ));
    let StepKind::Each(each) = &found.steps["revisit"].kind else { panic!("an each") };
    let columns: Vec<&str> = each.columns.keys().map(FieldName::as_str).collect();
    assert_eq!(columns, ["name", "grade", "accepted", "why"]);
    assert_eq!((each.list.as_str(), each.plain, each.in_order), ("customers", false, false));
    assert_eq!(found.graph.next(&step("revisit"), &On::Row), Some(&step("call_on")));
    assert_eq!(found.graph.next(&step("set_1"), &On::Next), Some(&join("revisit")));
    assert!(found.fields().all(|(name, _)| name.as_str() != "accepted"), "it is a column");

    assert_eq!(faults(&text("      - set: { level: '\"A\"' }\n", "true")), ["not_settable"], "only the row is written");
    assert_eq!(faults(&text("", "accepted")), ["unknown_name"], "outside it is in the list");
    assert_eq!(
        faults(&text("      - { id: early, task: owner, when: string length(account.why) > 1 }\n", "true")),
        ["maybe_unset"]
    );
}

#[test]
fn plain_rows_stand_bare_and_come_back_in_a_new_list() {
    let found = one(&around(
        "  - id: ask
    each: holders(专员)
    as: colleague
    into: scores
    mode: in order
    steps:
      - { id: rate, task: colleague, form: { score: { type: integer, title: 评分, required: true } } }
      - { id: more, task: colleague, when: score < 3 }
  - { id: boss, approve: 总监, when: 'count(scores[score != null and score > 3]) > 0' }
",
    ));
    let StepKind::Each(each) = &found.steps["ask"].kind else { panic!("an each") };
    assert_eq!((each.list.as_str(), each.plain, each.in_order), ("scores", true, true));
    assert_eq!(each.columns.keys().map(FieldName::as_str).collect::<Vec<_>>(), ["colleague", "score"]);
    let unnamed = "  - { id: ask, each: holders(专员), as: colleague, steps: [{ id: rate, task: colleague }] }\n";
    assert_eq!(steps(unnamed), ["missing_key"]);
}

#[test]
fn a_call_is_typed_by_the_process_that_it_starts() {
    let develop = "process: develop
form:
  customer: { type: text, title: 客户, required: true }
  hours: { type: integer, title: 工时 }
data: { file_no: { type: text, title: 档案号 } }
steps:
  - { id: boss, approve: 总监 }
  - set: { file_no: '\"F-1\"' }
  - end: developed
";
    let caller = |rest: &str| {
        around(&format!("  - id: child\n    call: develop\n    {rest}\n  - {{ id: done, task: applicant }}\n"))
    };
    let both = |rest: &str| {
        let text = caller(rest);
        told(&all(&[("develop.yaml", develop), ("visit.yaml", &text)]))
    };
    // What cannot be read whole puts no faults into those that call it.
    let torn = develop.replace("required: true }", "required: \"true }");
    let text = caller("with: { customer: customer, kind: large }\n    on: { developed: next, otherwise: next }");
    let found = all(&[("develop.yaml", &torn), ("visit.yaml", &text)]);
    let elsewhere =
        |one: &&countersign::diagnostics::Diagnostic| found.sources.get(one.span.source).name == "visit.yaml";
    assert!(found.has_errors() && found.diagnostics.iter().find(elsewhere).is_none(), "{}", found.render(Lang::En));
    let rest = "by: owner\n    with: { customer: customer }\n    take: { level: customer, voucher: file_no }\n    on: { rejected: done, otherwise: next }";
    assert!(both(rest).is_empty(), "{:?}", both(rest));
    let text = caller(rest);
    let found = all(&[("develop.yaml", develop), ("visit.yaml", &text)]);
    let visit = found.definition("visit").expect("the caller");
    assert_eq!(visit.graph.next(&step("child"), &On::Outcome("rejected".into())), Some(&step("done")));
    assert_eq!(visit.graph.next(&step("child"), &On::Otherwise), Some(&step("done")));
    assert_eq!(visit.graph.next(&step("child"), &On::Next), None, "all that is not named goes there");

    assert_eq!(both("with: { customer: customer }"), ["unhandled_outcome"]);
    assert_eq!(both("with: { client: customer }\n    on: { otherwise: next }"), ["unknown_name"]);
    assert_eq!(both("with: { hours: customer }\n    on: { otherwise: next }"), ["wrong_type"]);
    assert_eq!(both("by: 总监\n    on: { otherwise: next }"), ["wrong_type"]);
    assert_eq!(both("on: { built: next, otherwise: next }"), ["unknown_outcome"]);
    assert_eq!(both("detached: true\n    take: { level: customer }"), ["misplaced_key"]);
    let lost = all(&[("visit.yaml", &caller("on: { otherwise: next }"))]);
    assert_eq!(lost.diagnostics.iter().map(|found| found.code.name()).collect::<Vec<_>>(), ["unknown_name"]);
}

#[test]
fn an_address_is_read_into_pieces_and_secrets_stay_names() {
    let found = one(&around(
        "  - id: book
    http: \"PUT https://erp.example/api/{customer}/visits\"
    headers: { Authorization: '\"Bearer \" + secret(\"erp\")' }
    body: { customer: customer }
    take: { voucher: response.order.id }
    retry: { times: 3, from: 10 seconds, to: 1 hour }
    on: { failed: failed }
    undo: { http: \"DELETE https://erp.example/api/visits/{voucher}\" }
  - end: booked
  - { id: failed, end: failed }
",
    ));
    let StepKind::Http(http) = &found.steps["book"].kind else { panic!("a call of another system") };
    assert_eq!((&*http.method, http.url.len(), http.retry.times), ("PUT", 3, 3));
    let header = http.headers.values().next().expect("a header");
    assert_eq!(header, &vec![Piece::Text("Bearer ".into()), Piece::Secret("erp".into())]);
    assert_eq!(http.take.values().next().expect("a path"), &vec!["order".into(), "id".into()]);
    assert_eq!(found.steps["book"].undo, Undo::Steps);
    assert_eq!(found.graph.next(&step("book"), &On::Undo), Some(&step("http_1")));
    assert_eq!(found.graph.next(&step("http_1"), &On::Next), Some(&Node::Undone("book".into())));
    assert_eq!(found.graph.next(&step("book"), &On::Outcome("failed".into())), Some(&step("failed")));

    assert_eq!(steps("  - { id: book, http: erp.example/api }\n"), ["bad_value"]);
    assert_eq!(steps("  - { id: book, http: \"PUT https://erp.example/{level}\" }\n"), ["maybe_unset"]);
    assert_eq!(steps("  - { id: book, http: \"PUT https://erp.example/${customer}\" }\n"), ["bad_value"]);
    let taken = "  - { id: book, http: \"GET https://erp.example\", take: { voucher: id } }\n";
    assert_eq!(steps(taken), ["bad_value"], "from the response");
    let asked = "  - { id: book, http: \"GET https://erp.example\", take: { customer: response.id } }\n";
    assert_eq!(steps(asked), ["not_settable"]);
}

#[test]
fn what_is_overdue_goes_decides_or_tells() {
    let found = one(&around(
        "  - id: boss
    approve: 总监
    due: 2 working days
    overdue: { notify: manager_of(assignee), decide: approved }
    form: { note: { type: text, title: 说明, required: true } }
  - { id: signed, receive: contract_signed, due: 30 days, overdue: { go: lost } }
  - end: won
  - { id: lost, end: lost }
",
    ));
    assert_eq!(found.graph.next(&step("signed"), &On::Overdue), Some(&step("lost")));
    let overdue = found.steps["boss"].overdue.as_ref().expect("what happens then");
    assert_eq!(overdue.then, Some(Then::Decide("approved".into())));
    assert!(found.steps["signed"].due.is_some() && found.steps["boss"].due.is_none());

    let by_time = |decide: &str| {
        steps(&format!(
            "  - {{ id: boss, approve: 总监, due: 1 day, overdue: {{ decide: {decide} }}, form: {{ note: {{ type: text, title: 说明, required: true }} }} }}\n  - {{ id: next_one, approve: 总监, when: string length(note) > 1 }}\n"
        ))
    };
    assert_eq!(by_time("approved"), ["maybe_unset"], "time fills in no form");
    assert!(by_time("rejected").is_empty());
    assert_eq!(by_time("granted"), ["unknown_outcome"]);
    assert_eq!(steps("  - { id: boss, approve: 总监, overdue: { notify: applicant } }\n"), ["missing_key"]);
}

#[test]
fn nothing_jumps_into_a_branch_or_out_of_an_undo() {
    let into = "  - { id: first, task: 专员, on: { done: inner } }
  - id: prepare
    parallel:
      a: [{ id: inner, task: 专员 }]
      b: [{ id: other, task: 专员 }]
";
    assert!(steps(into).contains(&"jump_into_block"));
    let out = "  - id: work
    task: 专员
    undo: { task: 专员, outcomes: { given: 给, kept: 留 }, on: { kept: late } }
  - { id: late, task: 专员 }
";
    assert_eq!(steps(out), ["bad_undo"]);
    let leaves = "  - id: prepare
    parallel:
      a: [{ id: inner, task: 专员, outcomes: { good: 好, bad: 坏 }, on: { bad: late } }]
      b: [{ id: other, task: 专员 }]
  - { id: late, task: 专员 }
";
    assert!(steps(leaves).is_empty(), "a jump outwards leaves the block");
}

#[test]
fn a_circle_waits_where_something_in_it_is_sure_to() {
    let circle = |middle: &str| {
        steps(&format!(
            "  - {{ id: top, set: {{ level: '\"a\"' }} }}\n{middle}  - {{ go: top, when: customer = \"x\" }}\n"
        ))
    };
    assert!(circle("  - { id: pause, wait: 1 day }\n").is_empty());
    assert_eq!(circle("  - { id: pause, wait: 0 days }\n"), ["endless_loop"]);
    let parallel = |join: &str| {
        circle(&format!(
            "  - id: both\n    parallel:\n      a: [{{ id: work, task: 专员 }}]\n      b: []\n    join: {join}\n"
        ))
    };
    assert!(parallel("all").is_empty(), "one branch waits, and all must come");
    assert_eq!(parallel("any"), ["endless_loop", "early_join"]);
}

#[test]
fn a_called_process_that_asks_nothing_is_not_waited_for() {
    let told = |count: &str| {
        let called = format!(
            "process: stock\ntitle: Stock\nform:\n  count: {{ type: integer, title: Count, required: true{count} }}\n\
             steps:\n  - {{ id: look, title: Look, task: lead, when: count > 2 }}\n"
        );
        let caller = "process: order\ntitle: Order\nform: { more: { type: integer, title: More, required: true } }\n\
                      steps:\n  - { id: again, title: Again, call: stock, on: { otherwise: next } }\n  \
                      - { go: again, when: more > 1 }\n";
        let files = [("directory.yaml", support::OFFICE), ("stock.yaml", &*called), ("order.yaml", caller)];
        let compiled = support::compile(&files);
        compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.code.name()).collect::<Vec<_>>()
    };
    assert_eq!(told(""), [""; 0], "its applicant is asked how many");
    assert_eq!(told(", default: 1"), ["endless_loop"]);
}

#[test]
fn the_head_says_when_cases_start_and_what_columns_the_board_has() {
    let text = "process: weekly
key: customer
single: true
for: owner
start: [专员]
schedule: { cron: \"0 16 * * FRI\", by: holders(专员) }
stages: { develop: 开发, visit: 拜访 }
form:
  customer: { type: text, title: 客户, required: true }
  owner: { type: person, title: 负责人, required: true, among: holders(专员) }
steps:
  - { id: call_on, task: owner, stage: visit }
";
    let found = one(text);
    assert!(found.single && found.schedule.is_some());
    assert_eq!(found.about, Some(FieldName::from("owner")));
    assert_eq!(found.steps["call_on"].stage.as_deref(), Some("visit"));
    assert_eq!(faults(&text.replace("stage: visit", "stage: visits")), ["unknown_name"]);
    assert_eq!(faults(&text.replace("for: owner", "for: customer")), ["wrong_type"]);
    assert_eq!(faults(&text.replace("key: customer\n", "")), ["missing_key"]);
}
