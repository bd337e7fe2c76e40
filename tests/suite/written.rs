//! What steps write, held to the rules of its fields that nothing proves.

use crate::support;

fn failures(data: &str, set: &str, tests: &str) -> String {
    let process = format!(
        "process: order
title: Order
start: [clerk]
form:
  amount: {{ type: integer, title: Amount, required: true }}
  worker: {{ type: person, title: Worker, required: true }}
data:
{data}steps:
  - set: {{ {set} }}
  - {{ id: look, title: Look, approve: lead }}
"
    );
    let tests = format!(
        "test: it holds\nprocess: order\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{ amount: 5, worker: leo }} }}\n\
         do:\n  - expect: {{ {tests} }}\n"
    );
    support::failures(&tests, &[("directory.yaml", support::OFFICE), ("order.yaml", &process)])
}

#[test]
fn what_is_set_keeps_every_rule_of_its_field() {
    let count =
        "  most: { type: integer, title: Most, default: 9 }\n  count: { type: integer, title: Count, max: most }\n";
    let code = "  code: { type: text, title: Code, pattern: \"[A-Z]+\", max: 3 }\n";
    let owner = "  owner: { type: person, title: Owner, among: worker }\n";
    let price = "  price: { type: integer, title: Price, check: { that: price < 100, say: Too dear } }\n";
    for (data, fits, breaks) in [
        (count, "count: amount + 4", "count: amount + 5"),
        (code, "code: '\"AB\"'", "code: string(amount)"),
        (owner, "owner: worker", "owner: applicant"),
        (price, "price: amount * 10", "price: amount * 20"),
    ] {
        assert_eq!(failures(data, fits, "task: look"), "", "{fits}");
        assert_eq!(failures(data, breaks, "incident: set_1"), "", "{breaks}");
    }
}

#[test]
fn what_is_computed_from_what_is_set_keeps_its_rules() {
    let data = "  spent: { type: integer, title: Spent }
  left: { type: integer, title: Left, value: if spent != null then 20 - spent else 20, min: 0 }
";
    assert_eq!(failures(data, "spent: amount * 4", "task: look, data: { left: 0 }"), "");
    assert_eq!(failures(data, "spent: amount * 5", "incident: set_1"), "");
}

#[test]
fn what_is_set_in_a_row_keeps_the_rules_of_its_column() {
    let process = "process: order
title: Order
start: [clerk]
form:
  visits:
    type: list
    title: Visits
    min: 1
    fields:
      cost: { type: integer, title: Cost, required: true }
      most: { type: integer, title: Most, required: true }
      paid: { type: integer, title: Paid, max: most }
steps:
  - id: each_visit
    each: visits
    as: visit
    steps:
      - set: { paid: visit.cost * 2 }
      - { id: look, title: Look, approve: lead }
";
    let tests = "test: it holds\nprocess: order\nnow: 2026-03-02T09:00
start: { by: ann, data: { visits: [{ cost: 1, most: 2 }, { cost: 2, most: 3 }] } }
do:
  - expect: { task: each_visit/1/look, incident: each_visit/2/set_1 }
";
    assert_eq!(support::failures(tests, &[("directory.yaml", support::OFFICE), ("order.yaml", process)]), "");
}
