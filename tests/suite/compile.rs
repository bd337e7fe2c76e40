//! Folders become definitions, or every fault of them is told at once and none twice.

use crate::support::{ExampleTemplates, files, name, project};
use countersign::compile::{Compiled, SourceText, compile};
use countersign::model::definition::{Definition, StepKind, outcome};
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

fn folder(texts: &[(&str, &str)]) -> Compiled {
    let file = |(name, text): &(&str, &str)| SourceText { name: (*name).to_owned(), bytes: text.as_bytes().to_vec() };
    compile(texts.iter().map(file).collect(), &ExampleTemplates::default())
}

fn codes(compiled: &Compiled) -> Vec<(String, &'static str)> {
    let file = |span: countersign::diagnostics::Span| compiled.sources.get(span.source).name.clone();
    compiled.diagnostics.iter().map(|found| (file(found.span), found.code.name())).collect()
}

/// Compiles one process beside [`DIRECTORY`]; nothing may be wrong with it.
fn one(process: &str) -> Definition {
    let compiled = folder(&[("directory.yaml", DIRECTORY), ("process.yaml", process)]);
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.render(Lang::En));
    compiled.definitions.into_iter().next().expect("a definition")
}

/// What is wrong with one process beside [`DIRECTORY`].
fn faults(process: &str) -> Vec<&'static str> {
    let compiled = folder(&[("directory.yaml", DIRECTORY), ("process.yaml", process)]);
    compiled.diagnostics.iter().map(|found| found.code.name()).collect()
}

fn step(id: &str) -> Node {
    Node::Step(StepId::from(id))
}

fn shipped() -> Compiled {
    let paths = files(&project("processes"), ".yaml").into_iter().filter(|path| !name(path).ends_with(".test.yaml"));
    let read =
        |path: &std::path::Path| SourceText { name: name(path), bytes: std::fs::read(path).expect("a shipped file") };
    compile(paths.map(|path| read(&path)).collect(), &ExampleTemplates::default())
}

#[test]
fn the_shipped_folder_is_without_fault() {
    let compiled = shipped();
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.render(Lang::En));
    let names: Vec<&str> = compiled.definitions.iter().map(|found| found.process.as_str()).collect();
    for flow in ["equipment", "gift", "reception"] {
        assert!(names.contains(&flow), "{flow} is missing from {names:?}");
    }
    assert!(compiled.directory.is_some() && compiled.calendar.is_some());
}

#[test]
fn the_gift_flow_goes_from_signature_to_signature() {
    let compiled = shipped();
    let gift = compiled.definition("gift").expect("the gift flow");
    assert_eq!(gift.graph.next(&Node::Start, &On::Next), gift.steps.keys().next().map(|id| step(id.as_str())).as_ref());
    let rejected = On::Outcome(outcome::REJECTED.into());
    for (id, found) in &gift.steps {
        if let StepKind::Approve(human) = &found.kind {
            let end = Node::Finish(outcome::REJECTED.into());
            assert_eq!(gift.graph.next(&step(id.as_str()), &rejected), Some(&end));
            let answers: Vec<&str> = human.outcomes.keys().map(|name| name.as_str()).collect();
            assert_eq!(answers, [outcome::APPROVED, outcome::REJECTED, outcome::RETURNED]);
            assert!(!human.outcomes[0].opinion && human.outcomes[1].opinion, "a rejection needs a reason");
        }
    }
    assert_eq!(gift.headline, Some(FieldName::from("total")));
    assert!(compiled.source_map.step(&gift.process, gift.steps.keys().next().expect("a step")).is_some());
    assert!(compiled.source_map.field(&gift.process, &FieldName::from("total")).is_some());
}

#[test]
fn the_version_follows_what_is_said_and_not_how_it_is_laid_out() {
    let text = "process: gift\nform:\n  a: { type: text, title: A }\n  b: { type: text, title: B }\nsteps:\n  - { id: boss, approve: 总监 }\n";
    let plain = one(text);
    assert_eq!(plain.version.0.len(), 32);
    let laid_out = "# a comment\nprocess: 'gift'\n\nform:\n  a:\n    title: A\n    type: text\n  b: { type: text, title: \"B\" }\nsteps:\n  - id: boss\n    approve: 总监\n";
    assert_eq!(plain.version, one(laid_out).version);
    let fields_swapped = text
        .replace("  a: { type: text, title: A }\n", "")
        .replace("title: B }\n", "title: B }\n  a: { type: text, title: A }\n");
    assert_ne!(plain.version, one(&fields_swapped).version);
    assert_ne!(plain.version, one(&text.replace("title: B", "title: C")).version);
    let again: Definition = serde_json::from_str(&serde_json::to_string(&plain).expect("stored")).expect("read back");
    assert_eq!(again, plain);
}

#[test]
fn a_choice_is_a_block_whose_lists_come_together_again() {
    let found = one("process: gift
form: { total: { type: money, title: 合计, required: true } }
data: { level: { type: text, title: 级别 } }
steps:
  - id: route
    when: total > 10
    choose:
      - { when: total >= 500, steps: [{ id: boss, approve: 总监 }, { set: { level: '\"high\"' } }] }
      - { when: total >= 100, steps: [{ go: late }] }
    otherwise: []
  - { id: clerk, task: 专员 }
  - end: given
  - { id: late, end: lost }
");
    let (route, join) = (step("route"), Node::Join("route".into()));
    assert_eq!(found.graph.next(&route, &On::Case(0)), Some(&step("boss")));
    assert_eq!(found.graph.next(&route, &On::Case(1)), Some(&step("late")));
    assert_eq!(found.graph.next(&route, &On::Otherwise), Some(&join));
    assert_eq!(found.graph.next(&route, &On::Next), Some(&join), "skipped");
    assert_eq!(found.graph.next(&step("boss"), &On::Next), Some(&step("set_1")));
    assert_eq!(found.graph.next(&step("set_1"), &On::Next), Some(&join));
    assert_eq!(found.graph.next(&join, &On::Next), Some(&step("clerk")));
    assert_eq!(found.graph.next(&step("end_1"), &On::Next), Some(&Node::Finish("given".into())));
    assert_eq!(found.graph.next(&step("late"), &On::Next), Some(&Node::Finish("lost".into())));
    let inside = found.graph.block_of(&step("boss")).and_then(|number| found.graph.block_at(number)).expect("a block");
    assert_eq!((inside.of.as_ref().map(StepId::as_str), inside.scope), (Some("route"), false));
}

#[test]
fn a_jump_or_end_with_a_condition_is_a_choice() {
    let found = one("process: gift
form: { total: { type: money, title: 合计, required: true } }
steps:
  - { end: trifle, when: total < 10 }
  - { id: boss, approve: 总监 }
  - { go: boss, when: total > 100000 }
");
    assert_eq!(found.graph.next(&Node::Start, &On::Next), Some(&step("end_1")));
    assert_eq!(found.graph.next(&step("end_1"), &On::Case(0)), Some(&step("end_2")));
    assert_eq!(found.graph.next(&step("end_1"), &On::Otherwise), Some(&step("boss")));
    assert_eq!(found.graph.next(&step("end_2"), &On::Next), Some(&Node::Finish("trifle".into())));
    assert_eq!(found.graph.next(&step("go_1"), &On::Case(0)), Some(&step("boss")));
    assert_eq!(found.graph.next(&step("go_1"), &On::Otherwise), Some(&Node::Finish(outcome::DONE.into())));
    assert!(matches!(&found.steps["go_1"].kind, StepKind::Choose(cases) if cases.len() == 1));
}

#[test]
fn a_field_of_a_later_form_is_unset_until_every_path_has_asked_for_it() {
    let process = |when: &str, steps: &str| {
        format!(
            "process: gift
form: {{ total: {{ type: money, title: 合计, required: true }} }}
steps:
  - {{ id: clerk, task: 专员, {when}form: {{ count: {{ type: integer, title: 数, required: true }} }} }}
{steps}"
        )
    };
    let after = "  - { id: boss, approve: 总监, when: count > 3 }\n";
    assert!(faults(&process("", after)).is_empty());
    assert_eq!(faults(&process("when: total > 5, ", after)), ["maybe_unset"]);
    let asked = "  - { id: boss, approve: 总监, when: count != null and count > 3 }\n";
    assert!(faults(&process("when: total > 5, ", asked)).is_empty());
}

#[test]
fn a_form_may_compute_from_its_own_fields_and_ask_by_what_is_known_before_it() {
    let found = one("process: gift
form:
  total: { type: money, title: 合计, required: true }
  tax: { type: money, title: 税额, value: total * 6 % }
steps:
  - id: clerk
    task: 专员
    form:
      count: { type: integer, title: 数, required: true }
      reason: { type: text, title: 原因, required: true, when: tax > 100 and count > 1 }
      price: { type: money, title: 单价, value: total * count }
  - { id: boss, approve: 总监, when: price > 5 }
");
    assert_eq!(found.steps["clerk"].human().expect("a task").form.len(), 3);
    let early = "process: gift
steps:
  - { id: boss, approve: 总监, when: double > 5 }
  - id: clerk
    task: 专员
    form:
      count: { type: integer, title: 数, required: true }
      double: { type: integer, title: 两倍, value: count * 2 }
";
    assert_eq!(faults(early), ["maybe_unset"], "computed only once the form is filled in");
}

#[test]
fn a_step_that_holds_lists_is_over_only_after_them() {
    let process = |inside: &str, after: &str| {
        format!(
            "process: gift
form: {{ total: {{ type: money, title: 合计, required: true }} }}
steps:
  - id: route
    choose:
      - {{ when: total > 5, steps: [{{ id: boss, approve: 总监, when: {inside} }}] }}
    otherwise: []
  - {{ id: again, approve: 总监, when: {after} }}
"
        )
    };
    assert!(faults(&process("true", "not(steps.route.late)")).is_empty());
    assert_eq!(faults(&process("not(steps.route.late)", "true")), ["maybe_unset"]);
}

#[test]
fn a_set_that_may_write_null_settles_nothing() {
    let process = |value: &str| {
        format!(
            "process: gift
form: {{ total: {{ type: money, title: 合计 }} }}
data: {{ half: {{ type: money, title: 一半 }} }}
steps:
  - set: {{ half: {value} }}
  - {{ id: boss, approve: 总监, when: half > 5 }}
"
        )
    };
    assert!(faults(&process("if total != null then total / 2 else 0")).is_empty());
    assert_eq!(faults(&process("if total != null then total / 2 else null")), ["maybe_unset"]);
}

#[test]
fn computed_fields_stand_after_those_that_they_need() {
    let found = one("process: gift
form:
  gross: { type: money, title: 总价, value: net + tax }
  tax: { type: money, title: 税, value: net * 6 % }
  net: { type: money, title: 净价, required: true }
steps: [{ id: boss, approve: 总监 }]
");
    let order: Vec<&str> = found.form.keys().map(FieldName::as_str).collect();
    assert_eq!(order, ["tax", "gross", "net"]);
}

#[test]
fn columns_come_before_fields_of_the_case() {
    let found = one("process: gift
form:
  name: { type: integer, title: 数, required: true }
  items:
    type: list
    title: 礼品
    fields:
      name: { type: text, title: 名称, required: true, check: { that: 'name != \"\"', say: 空 } }
      quantity: { type: integer, title: 数量, required: true, min: 1 }
      price: { type: money, title: 单价, required: true }
      sum: { type: money, title: 小计, value: quantity * price }
  total: { type: money, title: 合计, value: sum(items.sum) }
steps: [{ id: boss, approve: 总监, when: total > 500 }]
");
    assert_eq!(found.headline, Some(FieldName::from("total")));
}

#[test]
fn a_broken_file_neither_hides_the_faults_of_others_nor_causes_more() {
    let gift = "process: gift\nsteps:\n  - { id: boss, approve: 总监, on: { rejected: nowhere } }\n";
    let broken = folder(&[("directory.yaml", "directory: company\npeople: [\n"), ("gift.yaml", gift)]);
    let found = codes(&broken);
    assert!(found.contains(&("gift.yaml".to_owned(), "unknown_step")));
    assert!(found.iter().filter(|(file, _)| file == "gift.yaml").count() == 1, "{found:?}");
    assert!(broken.has_errors() && broken.definitions.is_empty());

    let typo = "process: trip\nform: { total: { tipe: money, title: 合计, required: true } }\nsteps: [{ id: boss, approve: 总监, when: total > 5 }]\n";
    let both = folder(&[("directory.yaml", DIRECTORY), ("gift.yaml", gift), ("trip.yaml", typo)]);
    let of_trip: Vec<_> = codes(&both).into_iter().filter(|(file, _)| file == "trip.yaml").collect();
    assert!(of_trip.iter().all(|(_, code)| *code == "unknown_key"), "{of_trip:?}");
    assert!(codes(&both).contains(&("gift.yaml".to_owned(), "unknown_step")));
}

/// One shape that was not understood hides what may stand in it and no more: the other faults are told in the same run.
#[test]
fn what_was_not_understood_hides_no_proof_of_what_was() {
    let told = |written: &str| {
        let gift = format!(
            "process: gift
start: [总监]
form:
  opt: {{ type: money, title: 可选 }}
  kind: {{ type: choice, title: 类, options: [x, y, z], required: true }}
steps:
  {written}
  - {{ id: a, approve: 总经理, when: opt > 5 }}
  - {{ id: b, choose: [{{ when: kind = x, steps: [] }}, {{ when: kind = y, steps: [] }}] }}
  - {{ end: fine }}
  - {{ id: c, approve: 总经理 }}
"
        );
        let found = codes(&folder(&[("directory.yaml", DIRECTORY), ("gift.yaml", &gift)]));
        found.into_iter().map(|(_, code)| code).collect::<Vec<_>>()
    };
    let proofs = ["maybe_unset", "missing_otherwise", "unreachable_step"];
    let all = |own: &'static str| [&[own], proofs.as_slice()].concat();
    assert_eq!(told(""), proofs);
    for (own, written) in [
        ("misplaced_key", "- { id: u, receive: m, due: 1 day, overdue: { reassign: 总经理 } }"),
        ("missing_key", "- { approve: 总经理 }"),
        ("unknown_key", "- { id: u, approve: 总经理, priority: 3 }"),
        ("unsupported_key", "- { id: u, approve: 总经理, mode: in order }"),
        ("step_kind", "- { id: u, aprove: 总经理 }"),
        ("step_kind", "- { id: u }"),
        ("step_kind", "- { id: u, approve: 总经理, notify: 总经理 }"),
    ] {
        assert_eq!(told(written), all(own), "{written}");
    }
    // What was not understood may lead to what it names.
    for (own, written) in [
        ("wrong_shape", "- { id: u, approve: 总经理, on: [c] }"),
        ("unknown_key", "- { id: u, approve: 总经理, afterwards: c }"),
    ] {
        assert_eq!(told(written), [&[own], &proofs[..2]].concat(), "{written}");
    }
    // A guard that was not understood may be the one that proves it.
    assert_eq!(told("- { end: none, when: }"), ["missing_value", "missing_otherwise", "unreachable_step"]);
    assert_eq!(told("- { end: none, whn: opt = null }"), ["unknown_key", "missing_otherwise", "unreachable_step"]);
}

#[test]
fn whose_case_it_is_needs_somebody_else_to_decide() {
    let process = |start: &str, rest: &str| {
        format!("process: gift\nstart: [{start}]\nsteps:\n  - {{ id: boss, approve: {start}{rest} }}\n")
    };
    assert!(faults(&process("总监", "")).is_empty(), "the general manager does instead");
    assert_eq!(faults(&process("总监", ", policy: { own_case: nobody }")), ["no_approver"]);
    assert_eq!(faults(&process("总经理", "")), ["no_approver"], "nobody is above");
    assert!(faults(&process("总经理", ", policy: { nobody: skip }")).is_empty());
    assert_eq!(faults(&process("总经理", ", policy: { own_case: allow }")), ["own_case_allowed"]);
    assert!(faults("process: gift\nsteps: [{ id: own, task: applicant }]\n").is_empty(), "work is no approval");
}

#[test]
fn whoever_is_named_twice_where_all_must_sign_is_asked_once() {
    let process = |mode: &str| {
        format!(
            "process: gift\nstart: [专员]\nsteps:\n  - {{ id: boss, approve: [总监, manager_of(applicant)], mode: {mode} }}\n"
        )
    };
    assert!(faults(&process("any")).is_empty());
    assert!(faults(&process("all")).is_empty());
}

#[test]
fn names_that_only_a_later_step_could_know_are_in_reach_where_it_was_walked() {
    let process = |when: &str| {
        format!(
            "process: gift
start: [专员]
steps:
  - {{ id: boss, approve: 总监 }}
  - {{ id: again, approve: 总监, when: {when} }}
"
        )
    };
    assert!(faults(&process("steps.boss.late")).is_empty());
    assert_eq!(faults(&process("steps.again.late")), ["maybe_unset"]);
    assert_eq!(faults(&process("steps.bos.late")).len(), 1);
}

#[test]
fn a_process_without_any_one_line_or_after_any_line_is_checked_without_a_panic() {
    let read = |file: &str| std::fs::read_to_string(project(file)).expect("a shipped file");
    let directory = read("processes/directory.yaml");
    for file in ["processes/gift.yaml", "processes/equipment.yaml", "processes/directory.yaml"] {
        let text = read(file);
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len() {
            let without: Vec<&str> =
                lines.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| *line).collect();
            for cut in [without.join("\n"), lines[..at].join("\n")] {
                let beside =
                    if file.ends_with("directory.yaml") { read("processes/gift.yaml") } else { directory.clone() };
                let compiled = folder(&[("a.yaml", &cut), ("b.yaml", &beside)]);
                let known: usize = compiled.diagnostics.len() + compiled.definitions.len();
                assert!(known > 0 || compiled.directory.is_some(), "something is said of every folder");
            }
        }
    }
}

#[test]
fn a_large_process_and_a_large_company_are_checked_in_bounded_time() {
    use std::fmt::Write;
    let mut company = DIRECTORY.to_owned();
    for n in 0..2_000 {
        let _ = writeln!(company, "  p{n}: {{ name: P{n}, mail: p{n}@example.com, positions: [专员] }}");
    }
    let mut process = "process: large\nform: { total: { type: money, title: T, required: true } }\nsteps:\n".to_owned();
    for n in 0..900 {
        let _ = writeln!(process, "  - {{ id: s{n}, approve: 总监, when: total > {n} }}");
    }
    let begin = std::time::Instant::now();
    let compiled = folder(&[("directory.yaml", &company), ("process.yaml", &process)]);
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.render(Lang::En));
    assert!(begin.elapsed().as_secs() < 30, "{:?}", begin.elapsed());
}

#[test]
fn a_title_or_a_part_of_a_name_leads_to_the_name() {
    let meant = |written: &str| {
        let process = format!(
            "process: gift
start: [专员]
form: {{ total: {{ type: money, title: 合计, required: true }} }}
steps: [{{ id: boss, approve: {written} }}]
"
        );
        let compiled = folder(&[("directory.yaml", DIRECTORY), ("process.yaml", &process)]);
        let fix = compiled.diagnostics.into_iter().find_map(|found| found.fix);
        fix.map(|fix| fix.replacement)
    };
    assert_eq!(meant("李伟").as_deref(), Some("person(\"li\")"));
    assert_eq!(meant("专员们").as_deref(), Some("专员"));
    assert_eq!(meant("合计").as_deref(), Some("total"));
}

#[test]
fn a_missing_name_is_told_once_a_file_and_not_replaced_by_one_like_it() {
    let process = "process: gift
start: [专员]
form: { amont: { type: money, title: 金额, required: true } }
steps:
  - { id: boss, approve: 总监, when: amount > 1 }
  - { id: chief, approve: 总经理, when: amount > 2 or amount < 0 }
";
    let compiled = folder(&[("directory.yaml", DIRECTORY), ("process.yaml", process)]);
    assert_eq!(compiled.diagnostics.len(), 1, "{}", compiled.render(Lang::En));
    let found = &compiled.diagnostics[0];
    assert_eq!((found.code.name(), found.context.len()), ("unknown_name", 2));
    assert!(found.fix.is_none() && found.message.en.contains("did you mean `amont`"));
}

#[test]
fn what_is_declared_nowhere_is_unknown_whatever_else_is_wrong() {
    let process = "process: gift
start: [专员]
form: { tot al: { type: money, title: 金额, required: true }, sum: text }
steps:
  - { id: boss, approve: 总监, when: sum > 1 }
  - { id: chief, approve: 总经理, when: budget > 2, on: { rejected: nowhere } }
";
    let compiled = folder(&[("directory.yaml", DIRECTORY), ("process.yaml", process)]);
    let shown = compiled.render(Lang::En);
    assert!(shown.contains("`budget`") && shown.contains("`nowhere`") && !shown.contains("`sum` means"), "{shown}");
}

/// What is proved of an expression takes no longer the more often it asks the same.
#[test]
fn proofs_come_to_an_end_soon() {
    let mut fields = String::from("  f0: { type: decimal, title: 数, required: true, min: 0, max: 9 }\n");
    for n in 1..20 {
        let before = format!("f{}", n - 1);
        let value = format!("if {before} > 3 then {before} - 1 else {before} * {before}");
        fields += &format!("  f{n}: {{ type: decimal, title: 数, value: '{value}' }}\n");
    }
    // Two that read each other, which is told.
    fields += "  g: { type: decimal, title: 数, value: 'h + h + h + f19' }\n";
    fields += "  h: { type: decimal, title: 数, value: 'g * g * g' }\n";
    let asked = (0..30).fold("f0".to_owned(), |asked, n| format!("(if {asked} > {n} then f0 else f0 + 1)"));
    let process = format!(
        "process: gift\nstart: [总监]\nform:\n{fields}steps:\n  - {{ id: a, approve: 总经理, when: f19 > 4 }}\n  - {{ id: b, approve: 总经理, when: '1 / (1 + {asked}) > 1' }}\n  - {{ id: c, approve: 总经理, when: g > 1 }}\n"
    );
    let begin = std::time::Instant::now();
    faults(&process);
    assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
}

/// A key that is computed from itself is told, and nothing follows it round and round.
#[test]
fn a_key_in_a_circle_is_told_where_the_process_calls_itself() {
    let process = "process: gift
start: [专员]
key: k
single: true
form:
  total: { type: integer, title: 数, required: true }
  k: { type: integer, title: 号, value: j + 1 }
  j: { type: integer, title: 码, value: k + 1 }
steps:
  - { id: boss, approve: 总监 }
  - { id: again, call: gift, with: { total: total }, when: total > 3, on: { otherwise: next } }
";
    assert_eq!(faults(process), ["cyclic_value"]);
}
