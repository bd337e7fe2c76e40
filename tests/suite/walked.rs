//! What a process test may look at, and what counts as walked by it.

use crate::support;
use countersign::cli::letters::Written;
use countersign::effects::template::Templates;
use countersign::model::id::StepId;
use countersign::model::text::Lang;
use countersign::simulate::coverage::{Coverage, Item};
use countersign::simulate::scenario::play;

const VISITS: &str = "
process: visits
title: Visits
start: [clerk]
form:
  customers:
    type: list
    title: Customers
    fields:
      name: { type: text, title: Name, required: true }
      length: { type: integer, title: Length, value: string length(name) }
steps:
  - id: rounds
    each: customers
    as: account
    until: some one in customers satisfies one.accepted = true
    steps:
      - { id: visit, task: lead, form: { accepted: { type: boolean, title: Accepted, required: true } } }
";

#[test]
fn the_columns_that_an_each_adds_can_be_expected() {
    let tests = "
test: columns
process: visits
now: 2026-03-02T09:00
start: { by: ann, data: { customers: [{ name: A }, { name: BC }] } }
do:
  - { complete: rounds/1/visit, by: leo, data: { accepted: true } }
  - expect: { ended: done, data: { customers: [{ name: A, accepted: true }, { length: 2, accepted: null }] } }
";
    let files = [("directory.yaml", support::OFFICE), ("visits.yaml", VISITS)];
    assert_eq!(support::failures(tests, &files), "");
    let wrong = support::failures(&tests.replace("accepted: null", "accepted: true"), &files);
    assert!(wrong.contains("should be"), "{wrong}");
    // Nobody starts a case with what only its steps ask.
    let early = support::failures(&tests.replace("[{ name: A }", "[{ name: A, accepted: true }"), &files);
    assert!(early.contains("accepted") && early.contains("bad_value"), "{early}");
}

const RACE: &str = "
process: race
title: Race
start: [clerk]
steps:
  - id: answer
    race:
      accepted: [{ id: acceptance, receive: accepted }, { id: pack, task: lead }]
      late: [{ id: silence, wait: 10 days }]
  - end: over
";

/// The branches that the race of a folder's tests never gave the victory.
fn never_won(tests: &str) -> Vec<String> {
    let compiled =
        support::compile(&[("directory.yaml", support::OFFICE), ("race.yaml", RACE), ("race.test.yaml", tests)]);
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.render(Lang::En));
    let templates = Templates::embedded();
    let mut coverage = Coverage::default();
    for scenario in &compiled.scenarios {
        assert!(play(scenario, &compiled, &Written::new(&templates), &mut coverage).failures.is_empty());
    }
    let missing = coverage.figures(&compiled.definitions[0]).missing.into_iter();
    missing
        .filter_map(|item| if let Item::Branch(_, branch) = item { Some(branch.to_string()) } else { None })
        .collect()
}

#[test]
fn what_cannot_happen_is_not_counted() {
    let process = "
process: sizes
title: Sizes
start: [clerk]
form:
  amount: { type: integer, title: Amount, required: true, min: 1 }
steps:
  - id: size
    choose:
      - { when: amount > 5, steps: [{ id: big, task: lead }] }
      - { when: 'amount in [1..5]', steps: [{ id: small, task: lead }] }
    otherwise: [{ id: none, task: lead }]
";
    let test = "
test: nothing
process: sizes
now: 2026-03-02T09:00
start: { by: ann, data: { amount: 1 } }
do:
  - expect: { task: small }
";
    let compiled =
        support::compile(&[("directory.yaml", support::OFFICE), ("sizes.yaml", process), ("sizes.test.yaml", test)]);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    let templates = Templates::embedded();
    let mut coverage = Coverage::default();
    assert!(play(&compiled.scenarios[0], &compiled, &Written::new(&templates), &mut coverage).failures.is_empty());
    let figures = coverage.figures(&compiled.definitions[0]);
    let none = StepId::from("none");
    let done = Item::Answer(none.clone(), "done".into());
    assert_eq!(figures.impossible, [Item::Case("size".into(), None), Item::Step(none), done]);
    assert!(figures.missing.contains(&Item::Step("big".into())));
}

#[test]
fn a_branch_of_a_race_is_walked_by_winning() {
    let start = "process: race\nnow: 2026-03-02T09:00\nstart: { by: ann, data: {} }\ndo:\n";
    let accepted = format!("test: accepted\n{start}  - {{ message: accepted }}\n  - expect: {{ task: pack }}\n");
    let late = format!("test: late\n{start}  - advance: 11 days\n  - expect: {{ ended: over }}\n");
    let begun = format!("test: begun\n{start}  - expect: {{ no task: pack }}\n");
    assert_eq!(never_won(&begun), ["accepted", "late"]);
    assert_eq!(never_won(&accepted), ["late"]);
    assert_eq!(never_won(&late), ["accepted"]);
    assert_eq!(never_won(&format!("{accepted}---\n{late}")), [""; 0]);
}

const CONTRACT: &str = "
process: contract
title: Contract
start: [clerk]
form:
  draft: { type: file, title: Draft, required: true, accept: [pdf, word], size: 1 MB }
  photos: { type: file, title: Photos, accept: [image], many: true }
steps:
  - { id: check, task: lead, form: { signed: { type: file, title: Signed, required: true, accept: [pdf] } } }
";

#[test]
fn the_files_of_a_test_are_made_up() {
    let tests = "
test: files
process: contract
now: 2026-03-02T09:00
start: { by: ann, data: { draft: 合同.docx, photos: [a.jpg, { file: b.png, size: 2 MB }] } }
do:
  - expect: { task: check, data: { draft: 合同.docx } }
  - refuse: { complete: check, by: leo, data: { signed: { file: all.pdf, size: 30 MB } }, why: 太大 }
  - refuse: { complete: check, by: leo, data: { signed: photo.jpg }, why: 不是这里要的文件 }
  - { complete: check, by: leo, data: { signed: signed.pdf } }
  - expect: { ended: done }
";
    let files = [("directory.yaml", support::OFFICE), ("contract.yaml", CONTRACT)];
    assert_eq!(support::failures(tests, &files), "");
    for (from, to) in [("draft: 合同.docx, ph", "draft: '@x/合同.docx', ph"), ("[a.jpg,", "['@a.jpg',")] {
        let wrong = support::failures(&tests.replace(from, to), &files);
        assert!(wrong.contains("write the name alone") || wrong.contains("只写名字"), "{to}: {wrong}");
    }
    let large =
        support::failures(&tests.replace("draft: 合同.docx, ph", "draft: { file: a.pdf, size: 3 MB }, ph"), &files);
    assert!(large.contains("too large") || large.contains("太大"), "{large}");
}
