//! The rules of the columns of lists, and of what is computed in them: held like those of plain fields, whoever changes
//! what they read.

use crate::house::{House, wide};
use crate::support;
use countersign::engine::event::Trouble;
use countersign::web;

fn failures(form: &str, steps: &str, tests: &str) -> String {
    let process = format!("process: order\ntitle: Order\nstart: [clerk]\nform:\n{form}{steps}");
    let tests = format!("test: it holds\nprocess: order\nnow: 2026-03-02T09:00\n{tests}");
    support::failures(&tests, &[("directory.yaml", support::OFFICE), ("order.yaml", &process)])
}

#[test]
fn what_columns_read_is_changed_only_within_their_rules() {
    let form = "  limit: { type: money, title: Limit, required: true }
  rate: { type: percent, title: Rate, required: true }
  boss: { type: person, title: Boss, required: true }
  note: { type: text, title: Note }
  items:
    type: list
    title: Items
    min: 1
    fields:
      amount: { type: money, title: Amount, required: true, max: limit }
      least: { type: money, title: Least, check: { that: least <= limit / 2, say: Too dear } }
      part: { type: money, title: Part, value: amount * rate, max: 10 }
      other: { type: person, title: Other, among: boss }
  parts: { type: money, title: Parts, value: sum(items.part), max: 15 }
";
    let steps = "steps:
  - { id: fix, title: Fix, approve: lead, edit: [note, limit, rate, boss] }
  - { id: both, title: Both, approve: lead, edit: [limit, items] }
";
    let tests = "start: { by: ann, data: { limit: 30, rate: 10 %, boss: leo, items: [{ amount: 5, other: leo }, { amount: 20, least: 9 }] } }
do:
  - refuse: { approve: fix, by: leo, data: { limit: 19 }, why: 'Limit: “Items”, row 2, “Amount”: At most 19.' }
  - refuse: { approve: fix, by: leo, data: { limit: 19 }, why: '“Items”第 2 行“Amount”：最多 19。' }
  - refuse: { approve: fix, by: leo, data: { limit: 4, note: x }, why: 'Limit: “Items”, row 1, “Amount”: At most 4.' }
  - refuse: { approve: fix, by: leo, data: { limit: 17.99 }, why: 'Limit: “Items”, row 2, “Least”: Too dear' }
  - refuse: { approve: fix, by: leo, data: { rate: 51 %, note: x }, why: 'Rate: “Items”, row 2, “Part”: At most 10.' }
  - refuse: { approve: fix, by: leo, data: { rate: 70 %, note: x }, why: 'Rate: “Parts”: At most 15.' }
  - refuse: { approve: fix, by: leo, data: { boss: ann, note: x }, why: 'Boss: “Items”, row 1, “Other”: This person' }
  - { approve: fix, by: leo, data: { limit: 20, rate: 50 %, note: x } }
  - refuse: { approve: both, by: leo, data: { limit: 19 }, why: \"needs one change:\\nAmount (row 2): At most 19.\" }
  - { approve: both, by: leo, data: { limit: 2, items: [{ amount: 1 }] } }
  - expect: { ended: done }
";
    assert_eq!(failures(form, steps, tests), "");
}

#[test]
fn what_the_form_of_a_step_asks_keeps_the_rules_of_columns_and_of_what_is_computed_from_them() {
    let form = "  items:
    type: list
    title: Items
    min: 1
    fields:
      amount: { type: money, title: Amount, required: true }
      bonus: { type: money, title: Bonus, value: if extra != null then amount + extra else amount, max: 20 }
  all: { type: money, title: All, value: sum(items.bonus), max: 30 }
";
    let steps = "steps:
  - { id: add, title: Add, task: lead, form: { note: { type: text, title: Note }, extra: { type: money, title: Extra, required: true } } }
  - { id: look, title: Look, approve: lead }
";
    let tests = "start: { by: ann, data: { items: [{ amount: 5 }, { amount: 9 }] } }
do:
  - refuse: { complete: add, by: leo, data: { note: x, extra: 11.01 }, why: 'Extra: “Items”, row 2, “Bonus”: At most 20.' }
  - refuse: { complete: add, by: leo, data: { note: x, extra: 8.01 }, why: 'Extra: “All”: At most 30.' }
  - { complete: add, by: leo, data: { extra: 8 } }
  - expect: { task: look, data: { all: 30, items: [{ bonus: 13 }, { bonus: 17 }] } }
  - { return: look, by: leo, opinion: more }
  - refuse: { revise: look, by: ann, data: { items: [{ amount: 12.01 }] }, why: 'Bonus (row 1): At most 20.' }
  - { revise: look, by: ann, data: { items: [{ amount: 12 }] } }
";
    assert_eq!(failures(form, steps, tests), "");
}

const VISITS: &str = "  limit: { type: money, title: Limit, required: true }
  rate: { type: integer, title: Rate, required: true }
  visits:
    type: list
    title: Visits
    min: 1
    fields:
      cost: { type: money, title: Cost, required: true }
      share: { type: money, title: Share, value: cost * rate, max: 50 }
";

#[test]
fn what_rows_were_asked_keeps_its_rules_too() {
    let steps = "steps:
  - id: each_visit
    each: visits
    as: visit
    steps:
      - id: first
        title: First
        task: lead
        allow: [return]
        form:
          price: { type: money, title: Price, required: true, max: limit, min: visit.cost }
          twice: { type: money, title: Twice, value: price * rate, max: 40 }
      - { id: fix, title: Fix, task: lead, edit: [cost] }
  - { id: end, title: End, approve: lead, edit: [limit, rate] }
";
    let tests = "start: { by: ann, data: { limit: 30, rate: 2, visits: [{ cost: 1 }, { cost: 2 }] } }
do:
  - { complete: each_visit/1/first, by: leo, outcome: done, data: { price: 9 } }
  - refuse: { complete: each_visit/1/fix, by: leo, data: { cost: 10 }, why: 'Cost: “Price”: At least 10.' }
  - refuse: { complete: each_visit/1/fix, by: leo, data: { cost: 26 }, why: \"2 changes:\\nCost: “Share”: At most 50.\\nCost: “Price”: At least 26.\" }
  - { complete: each_visit/1/fix, by: leo, data: { cost: 9 } }
  - { complete: each_visit/2/first, by: leo, outcome: done, data: { price: 20 } }
  - { complete: each_visit/2/fix, by: leo }
  - refuse: { approve: end, by: leo, data: { limit: 19 }, why: 'Limit: “Visits”, row 2, “Price”: At most 19.' }
  - refuse: { approve: end, by: leo, data: { rate: 3 }, why: 'one change:' }
  - refuse: { approve: end, by: leo, data: { rate: 3 }, why: 'Rate: “Visits”, row 2, “Twice”: At most 40.' }
  - refuse: { approve: end, by: leo, data: { rate: 6 }, why: 'Rate: “Visits”, row 1, “Share”: At most 50.' }
  - { return: end, by: leo, opinion: more }
  - refuse: { revise: end, by: ann, data: { rate: 3 }, why: 'Rate: “Visits”, row 2, “Twice”: At most 40.' }
  - { revise: end, by: ann, data: { rate: 1, limit: 5 } }
  - expect: { task: each_visit/1/first }
";
    assert_eq!(failures(VISITS, steps, tests), "");
}

#[test]
fn a_row_that_is_changed_keeps_the_rules_of_the_other_rows() {
    let form = "  visits:
    type: list
    title: Visits
    min: 1
    fields:
      cost: { type: money, title: Cost, required: true, max: 50 }
      least: { type: money, title: Least, required: true, max: if total != null then total else 99 }
  total: { type: money, title: Total, value: sum(visits.cost) }
";
    let steps = "steps:
  - id: each_visit
    each: visits
    as: visit
    steps:
      - { id: fix, title: Fix, task: lead, edit: [cost] }
";
    let tests = "start: { by: ann, data: { visits: [{ cost: 5, least: 6 }, { cost: 4, least: 8 }] } }
do:
  - refuse: { complete: each_visit/1/fix, by: leo, data: { cost: 1 }, why: 2 changes }
  - refuse: { complete: each_visit/1/fix, by: leo, data: { cost: 3 }, why: 'one change:' }
  - refuse: { complete: each_visit/1/fix, by: leo, data: { cost: 3 }, why: 'Cost: “Visits”, row 2, “Least”: At most 7.' }
  - refuse: { complete: each_visit/1/fix, by: leo, data: { cost: 60 }, why: 'one change:' }
  - { complete: each_visit/1/fix, by: leo, data: { cost: 4 } }
";
    assert_eq!(failures(form, steps, tests), "");
}

const SET: &str = "  limit: { type: money, title: Limit, required: true }
  boss: { type: person, title: Boss, required: true }
  items:
    type: list
    title: Items
    min: 1
    fields:
      amount: { type: money, title: Amount, required: true, min: 0, max: 20 }
      who: { type: person, title: Who, required: true }
      code: { type: text, title: Code, required: true }
data:
  rate: { type: integer, title: Rate, default: 1 }
  rows:
    type: list
    title: Rows
    fields:
      amount: { type: money, title: Amount, required: true, max: limit, check: { that: double < 30, say: Too much } }
      double: { type: money, title: Double, value: amount * 2 * rate, max: 28 }
      who: { type: person, title: Who, among: boss }
      code: { type: text, title: Code, pattern: \"[A-Z]+\", max: 3 }
";

#[test]
fn what_is_set_in_a_list_keeps_every_rule_of_its_columns() {
    let steps = "steps:
  - set: { rows: items }
  - { id: fix, title: Fix, approve: lead, edit: [rows] }
  - set: { rate: 2 }
  - { id: look, title: Look, approve: lead }
";
    let start = |row: &str| {
        format!(
            "start: {{ by: ann, data: {{ limit: 15, boss: leo, items: [{{ amount: 7.5, who: leo, code: AB }}, {{ {row} }}] }} }}\ndo:\n"
        )
    };
    for row in [
        "amount: 15.01, who: leo, code: AB",
        "amount: 14.01, who: leo, code: AB",
        "amount: 1, who: ann, code: AB",
        "amount: 1, who: leo, code: ABCD",
        "amount: 1, who: leo, code: ab",
    ] {
        let stopped = format!("{}  - expect: {{ incident: set_1 }}\n", start(row));
        assert_eq!(failures(SET, steps, &stopped), "", "{row}");
    }
    // What is computed in the rows follows what is set elsewhere, and keeps its limits then.
    let row = "amount: 7.01, who: leo, code: AB";
    let stopped = "  - { approve: fix, by: leo }\n  - expect: { incident: set_2, data: { rate: 1 } }\n";
    assert_eq!(failures(SET, steps, &format!("{}{stopped}", start(row))), "");
    let row = "amount: 7, who: leo, code: AB";
    let goes_on = "  - { approve: fix, by: leo, data: { rows: [{ amount: 7, who: leo, code: AB }] } }
  - expect: { task: look, data: { rate: 2, rows: [{ amount: 7, double: 28 }] } }
";
    assert_eq!(failures(SET, steps, &format!("{}{goes_on}", start(row))), "");
}

#[test]
fn amounts_in_rows_that_are_set_are_rounded() {
    let steps = "steps:
  - set: { rows: 'for r in items return { amount: r.amount / 3, who: r.who, code: \"A\" }' }
  - { id: fix, title: Fix, approve: lead }
";
    let tests = "start: { by: ann, data: { limit: 15, boss: leo, items: [{ amount: 10, who: leo, code: AB }] } }
do:
  - expect: { task: fix, data: { rows: [{ amount: 3.33, double: 6.66 }] } }
";
    assert_eq!(failures(SET, steps, tests), "");
}

#[test]
fn a_field_that_is_changed_says_whose_rule_it_breaks() {
    let form = "  limit: { type: money, title: Limit, required: true }
  total: { type: money, title: Total, required: true, max: limit }
  owner: { type: person, title: Owner, among: boss }
  boss: { type: person, title: Boss, required: true }
";
    let steps = "steps:\n  - { id: fix, title: Fix, approve: lead, edit: [limit, boss] }\n";
    let tests = "start: { by: ann, data: { limit: 30, total: 20, boss: leo, owner: leo } }
do:
  - refuse: { approve: fix, by: leo, data: { limit: 15 }, why: 'Limit: “Total”: At most 15.' }
  - refuse: { approve: fix, by: leo, data: { boss: ann }, why: 'Boss: “Owner”: This person is not among' }
  - { approve: fix, by: leo, data: { limit: 20 } }
";
    assert_eq!(failures(form, steps, tests), "");
}

#[test]
fn a_list_that_comes_from_outside_keeps_every_rule_of_its_columns() {
    let form = "  limit: { type: money, title: Limit, required: true }
data:
  got:
    type: list
    title: Got
    min: 1
    max: 3
    fields:
      amount: { type: money, title: Amount, required: true, max: limit }
      count: { type: integer, title: Count, max: 5 }
      twice: { type: money, title: Twice, value: amount * 2, max: 100 }
";
    let steps = "steps:
  - { id: hear, receive: said, take: { got: rows } }
  - { id: look, title: Look, approve: lead, when: count(got) > 0 }
";
    let start = "start: { by: ann, data: { limit: 60 } }\ndo:\n";
    let fits = "  - refuse: { message: said, data: { rows: [] }, why: At least 1 row }
  - refuse: { message: said, data: { rows: [{ amount: 9, count: 7 }] }, why: At most 5 }
  - refuse: { message: said, data: { rows: [{ amount: 9 }, { amount: 9 }, { amount: 9 }, { amount: 9 }] }, why: At most 3 rows }
  - { message: said, data: { rows: [{ amount: 9, count: 5 }] } }
  - expect: { task: look, data: { got: [{ twice: 18 }] } }
";
    assert_eq!(failures(form, steps, &format!("{start}{fits}")), "");
    for amount in ["61", "51"] {
        let beyond = format!(
            "  - {{ message: said, data: {{ rows: [{{ amount: {amount} }}] }} }}\n  - expect: {{ incident: hear }}\n"
        );
        assert_eq!(failures(form, steps, &format!("{start}{beyond}")), "", "{amount}");
    }
}

#[test]
fn a_list_that_is_computed_keeps_the_rules_of_its_columns() {
    let form = "  least: { type: money, title: Least, required: true }
  items: { type: list, title: Items, min: 1, fields: { amount: { type: money, title: Amount, required: true } } }
  dear:
    type: list
    title: Dear
    value: \"items[amount > least]\"
    fields: { amount: { type: money, title: Amount, required: true, max: 100 } }
data:
  rate: { type: integer, title: Rate, default: 1 }
  all:
    type: list
    title: All
    value: \"for item in items return { amount: item.amount * rate }\"
    fields: { amount: { type: money, title: Amount, required: true, max: 250 } }
";
    let steps = "steps:
  - { id: fix, title: Fix, approve: lead, edit: [least] }
  - set: { rate: 2 }
  - { id: look, title: Look, approve: lead, when: count(dear) + count(all) > 0 }
";
    let tests = "start: { by: ann, data: { least: 120, items: [{ amount: 70 }, { amount: 120 }] } }
do:
  - refuse: { start: { by: ann, data: { least: 110, items: [{ amount: 120 }] } }, why: 'Amount (row 1): At most 100.' }
  - refuse: { start: { by: ann, data: { least: 260, items: [{ amount: 260 }] } }, why: 'At most 250.' }
  - refuse: { approve: fix, by: leo, data: { least: 60 }, why: 'Least: “Dear”, row 2, “Amount”: At most 100.' }
  - { return: fix, by: leo, opinion: less }
  - refuse: { revise: fix, by: ann, data: { items: [{ amount: 251 }], least: 260 }, why: 'Items: “All”, row 1, “Amount”: At most 250.' }
  - { revise: fix, by: ann, data: { items: [{ amount: 1 }, { amount: 126 }], least: 130 } }
  - { approve: fix, by: leo }
  - expect: { incident: set_1 }
";
    assert_eq!(failures(form, steps, tests), "");
}

#[tokio::test]
async fn pages_and_troubles_name_the_list_the_row_and_the_column() {
    let process = format!(
        "process: order\ntitle: Order\nstart: [clerk]\nform:\n{SET}steps:
  - set: {{ rows: items }}
  - {{ id: fix, title: Fix, approve: lead, edit: [limit] }}
"
    );
    let options = web::Options { limits: wide(), ..web::Options::default() };
    let house = House::of(&[("directory.yaml", support::OFFICE), ("order.yaml", &process)], options).await;
    let data = |dear: &str| {
        let row = |amount: &str| serde_json::json!({ "amount": amount, "who": "leo", "code": "AB" });
        serde_json::json!({ "limit": "13", "boss": "leo", "items": [row("1"), row(dear)] })
    };
    for (dear, what) in [("13.50", "“Rows”, row 2, “Amount”: At most 13."), ("14.50", "“Rows”, row 2, “Amount”")]
    {
        let stopped = house.start_by("order", "ann", data(dear)).await;
        let state = house.runtime.case(stopped).await.unwrap().unwrap().state;
        let trouble = state.tokens.values().find_map(|token| token.incident.clone());
        let Some(Trouble::Expression { place, zh, en }) = trouble else { panic!("nothing stopped") };
        assert_eq!(&*place, "rows");
        assert!(en.starts_with(what), "{en}");
        assert!(zh.starts_with("“Rows”第 2 行“Amount”：最多 13"), "{zh}");
    }
    house.start_by("order", "ann", data("12")).await;
    let link = house.link("leo").await;
    let page = house.answer(&link, &[("outcome", "approved"), ("limit", "11.50")]).await;
    page.is(422).has(&["Limit：“Rows”第 2 行“Amount”：最多 11.5。"]);
}

#[test]
fn a_test_reads_what_a_row_is_asked_as_its_column() {
    let form = "  grade: { type: text, title: Grade, required: true }
  visits:
    type: list
    title: Visits
    min: 1
    fields:
      name: { type: text, title: Name, required: true }
      grade: { type: integer, title: Own grade }
";
    let steps = "steps:
  - id: each_visit
    each: visits
    as: visit
    steps:
      - { id: fix, title: Fix, task: lead, edit: [grade] }
  - { id: end, title: End, approve: lead, edit: [grade] }
";
    let tests = "start: { by: ann, data: { grade: '1', visits: [{ name: a }] } }
do:
  - { complete: each_visit/1/fix, by: leo, data: { grade: 3 } }
  - { approve: end, by: leo, data: { grade: '4' } }
  - expect: { ended: done, data: { grade: '4', visits: [{ grade: 3 }] } }
";
    assert_eq!(failures(form, steps, tests), "");
}
