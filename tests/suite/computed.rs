//! Computed fields follow whatever changes what they read: in the case, in forms of steps, in rows and in their columns.

use crate::support;

fn failures(form: &str, steps: &str, tests: &str) -> String {
    let process = format!("process: order\ntitle: Order\nstart: [clerk]\nform:\n{form}\n{steps}");
    let tests = format!("test: it holds\nprocess: order\nnow: 2026-03-02T09:00\n{tests}");
    support::failures(&tests, &[("directory.yaml", support::OFFICE), ("order.yaml", &process)])
}

const AMOUNT: &str = "  amount: { type: integer, title: Amount, required: true }";

#[test]
fn what_a_step_computed_is_computed_again_by_later_steps() {
    let steps = "data:
  more: { type: integer, title: More, default: 0 }
  twice: { type: integer, title: Twice, value: if all != null then all * 2 else 0 }
steps:
  - id: price
    title: Price
    approve: lead
    form:
      one: { type: integer, title: One, required: true }
      all: { type: integer, title: All, value: one * amount + more, max: 20 }
  - { id: fix, title: Fix, approve: lead, edit: [one] }
  - set: { more: 1 }
  - { id: look, title: Look, approve: lead }
";
    let tests = "start: { by: ann, data: { amount: 3 } }\ndo:
  - expect: { data: { twice: 0 } }
  - { approve: price, by: leo, data: { one: 2 } }
  - expect: { data: { all: 6, twice: 12 } }
  - refuse: { approve: fix, by: leo, data: { one: 7 }, why: “All” }
  - { approve: fix, by: leo, data: { one: 3 } }
  - expect: { data: { all: 10, twice: 20 } }
  - { return: look, by: leo, opinion: more }
  - { revise: look, by: ann, data: { amount: 4 } }
  - expect: { data: { all: 13, twice: 26 } }
";
    assert_eq!(failures(AMOUNT, steps, tests), "");
}

#[test]
fn a_form_reads_what_is_computed_from_what_is_handed_in_with_it() {
    let form = "  amount: { type: integer, title: Amount, required: true }
  twice: { type: integer, title: Twice, value: amount * 2 }";
    let steps = "steps:
  - id: price
    title: Price
    approve: lead
    edit: [amount]
    form:
      more: { type: integer, title: More, required: true, max: twice }
      all: { type: integer, title: All, value: more + twice, max: 300 }
      why: { type: text, title: Why, when: twice > 250, required: true }
  - { id: look, title: Look, approve: lead }
";
    let tests = "start: { by: ann, data: { amount: 10 } }\ndo:
  - refuse: { approve: price, by: leo, data: { amount: 200, more: 1, why: x }, why: All }
  - refuse: { approve: price, by: leo, data: { amount: 2, more: 5 }, why: More }
  - refuse: { approve: price, by: leo, data: { amount: 130, more: 1 }, why: Why }
  - { approve: price, by: leo, data: { amount: 50, more: 60 } }
  - expect: { data: { twice: 100, all: 160 } }
";
    assert_eq!(failures(form, steps, tests), "");
}

#[test]
fn what_a_step_computed_goes_with_its_answer() {
    let steps = "steps:
  - id: price
    title: Price
    approve: lead
    form:
      one: { type: integer, title: One, required: true }
      all: { type: integer, title: All, value: one + amount }
    on: { rejected: next }
  - { id: look, title: Look, approve: lead, when: if all != null then all > 5 else true, on: { returned: price } }
";
    let tests = "start: { by: ann, data: { amount: 9 } }\ndo:
  - { approve: price, by: leo, data: { one: 2 } }
  - expect: { data: { all: 11 } }
  - { return: look, by: leo, opinion: again }
  - { reject: price, by: leo, opinion: no }
  - expect: { task: look, data: { one: null, all: null } }
";
    assert_eq!(failures(AMOUNT, steps, tests), "");
}

#[test]
fn what_the_steps_of_a_row_compute_is_computed_once_they_are_answered_and_again() {
    let form = "  visits:
    type: list
    title: Visits
    min: 1
    fields: { cost: { type: integer, title: Cost, required: true }, twice: { type: integer, title: Twice, value: cost * 2 } }";
    let steps = "steps:
  - id: each_visit
    each: visits
    as: visit
    steps:
      - { id: first, title: First, task: lead, form: { one: { type: integer, title: One, required: true } } }
      - id: second
        title: Second
        task: lead
        form:
          two: { type: integer, title: Two, required: true }
          all: { type: integer, title: All, value: visit.one * two + visit.cost }
      - { id: fix, title: Fix, task: lead, edit: [one] }
  - { id: costs, title: Costs, task: lead, edit: [visits] }
";
    let tests = "start: { by: ann, data: { visits: [{ cost: 1 }] } }\ndo:
  - { complete: each_visit/1/first, by: leo, data: { one: 2 } }
  - { complete: each_visit/1/second, by: leo, data: { two: 2 } }
  - { complete: each_visit/1/fix, by: leo, data: { one: 3 } }
  - expect: { data: { visits: [{ cost: 1, twice: 2, one: 3, two: 2, all: 7 }] } }
  - { complete: costs, by: leo, data: { visits: [{ cost: 4 }] } }
  - expect: { data: { visits: [{ cost: 4, twice: 8, one: 3, two: 2, all: 10 }] } }
";
    assert_eq!(failures(form, steps, tests), "");
}

#[test]
fn columns_that_read_the_case_follow_it() {
    let form = "  rate: { type: integer, title: Rate, required: true }
  items:
    type: list
    title: Items
    min: 1
    fields:
      count: { type: integer, title: Count, required: true }
      price: { type: integer, title: Price, value: count * rate }
  total: { type: integer, title: Total, value: sum(items.price) }";
    let steps = "steps:\n  - { id: fix, title: Fix, approve: lead, edit: [rate] }\n";
    let tests = "start: { by: ann, data: { rate: 2, items: [{ count: 1 }, { count: 2 }] } }\ndo:
  - expect: { data: { total: 6 } }
  - { approve: fix, by: leo, data: { rate: 3 } }
  - expect: { data: { items: [{ count: 1, price: 3 }, { count: 2, price: 6 }], total: 9 } }
";
    assert_eq!(failures(form, steps, tests), "");
}

#[test]
fn what_leaves_its_limits_is_told_and_not_what_fails_of_it() {
    let form = "  amount: { type: integer, title: Amount, required: true }
  cartons: { type: integer, title: Cartons, value: amount + 0, min: 5, max: 10 }
  each: { type: decimal, title: Each, value: 100 / cartons }";
    let steps = "steps:\n  - { id: look, title: Look, task: clerk, edit: [amount] }\n";
    let tests = "start: { by: ann, data: { amount: 6 } }
do:
  - refuse: { complete: look, by: bob, data: { amount: 0 }, why: 'Cartons: At least 5.' }
  - refuse: { complete: look, by: bob, data: { amount: 11 }, why: 'At most 10.' }
  - refuse: { start: { by: ann, data: { amount: 0 } }, why: 'Cartons: At least 5.' }
  - { complete: look, by: bob, data: { amount: 10 } }
";
    assert_eq!(failures(form, steps, tests), "");
}
