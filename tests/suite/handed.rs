//! Forms of steps as they are handed in: rules around what is asked again, rows that are read as they are sent, times.

use crate::support;

fn failures(form: &str, steps: &str, tests: &str) -> String {
    let process = format!("process: order\ntitle: Order\nstart: [clerk]\nform:\n{form}steps:\n{steps}");
    let tests = format!("test: it holds\nprocess: order\nnow: 2026-03-02T09:00\n{tests}");
    support::failures(&tests, &[("directory.yaml", support::OFFICE), ("order.yaml", &process)])
}

#[test]
fn what_is_asked_again_keeps_the_rules_of_other_fields() {
    let form = "  total: { type: money, title: Total, required: true }
  doubled: { type: money, title: Doubled, value: total * 2 }
  budget: { type: money, title: Budget, required: true, check: { that: \"budget >= total\", say: Over the budget } }
  ceiling: { type: money, title: Ceiling, min: doubled }
";
    let steps = "  - { id: fix, title: Fix, approve: lead, edit: [total] }\n";
    let start = "start: { by: ann, data: { total: 100, budget: 150, ceiling: 300 } }\ndo:\n";
    let over = "  - refuse: { approve: fix, by: leo, data: { total: 151 }, why: Over the budget }\n";
    assert_eq!(failures(form, steps, &format!("{start}{over}")), "");
    let computed = "  - refuse: { approve: fix, by: leo, data: { total: 150.01 }, why: Total }\n";
    assert_eq!(failures(form, steps, &format!("{start}{computed}")), "");
    let fits =
        "  - { approve: fix, by: leo, data: { total: 150 } }\n  - expect: { ended: done, data: { total: 150 } }\n";
    assert_eq!(failures(form, steps, &format!("{start}{fits}")), "");
}

#[test]
fn columns_that_are_asked_again_keep_the_rules_of_their_row() {
    let form = "  visits:
    type: list
    title: Visits
    min: 1
    fields:
      cost: { type: money, title: Cost, required: true }
      limit: { type: money, title: Limit, required: true, check: { that: \"limit >= cost\", say: Too dear } }
";
    let steps = "  - id: each_visit\n    each: visits\n    as: visit\n    steps:\n      - { id: fix, title: Fix, task: lead, edit: [cost] }\n";
    let start = "start: { by: ann, data: { visits: [{ cost: 1, limit: 10 }] } }\ndo:\n";
    let dear = "  - refuse: { complete: each_visit/1/fix, by: leo, data: { cost: 11 }, why: Too dear }\n  \
                - { complete: each_visit/1/fix, by: leo, data: { cost: 9 } }\n  - expect: { ended: done }\n";
    assert_eq!(failures(form, steps, &format!("{start}{dear}")), "");
}

#[test]
fn a_row_that_is_asked_again_keeps_the_rules_of_the_case() {
    let form = "  budget: { type: money, title: Budget, required: true }
  visits:
    type: list
    title: Visits
    min: 1
    fields: { cost: { type: money, title: Cost, required: true } }
  total: { type: money, title: Total, value: sum(visits.cost), check: { that: \"total <= budget\", say: Over the budget } }
";
    let steps = "  - id: each_visit\n    each: visits\n    as: visit\n    steps:\n      - { id: fix, title: Fix, approve: lead, edit: [cost] }\n";
    let start = "start: { by: ann, data: { budget: 10, visits: [{ cost: 1 }, { cost: 2 }] } }\ndo:\n";
    let dear = "  - refuse: { approve: each_visit/1/fix, by: leo, data: { cost: 9 }, why: Over the budget }\n  \
                - { approve: each_visit/1/fix, by: leo, data: { cost: 8 } }\n  \
                - refuse: { approve: each_visit/2/fix, by: leo, data: { cost: 3 }, why: Over the budget }\n  \
                - { return: each_visit/2/fix, by: leo, opinion: less }\n  \
                - refuse: { revise: each_visit/2/fix, by: ann, data: { cost: 3 }, why: Over the budget }\n  \
                - { revise: each_visit/2/fix, by: ann, data: { cost: 1 } }\n  \
                - { approve: each_visit/2/fix, by: leo }\n  - expect: { ended: done, data: { total: 9 } }\n";
    assert_eq!(failures(form, steps, &format!("{start}{dear}")), "");
}

#[test]
fn a_row_is_read_as_it_is_sent() {
    let form = "  visits:
    type: list
    title: Visits
    min: 1
    fields: { kind: { type: choice, title: Kind, options: [plain, special], required: true } }
";
    let steps = "  - id: each_visit
    each: visits
    as: visit
    steps:
      - id: fix
        title: Fix
        task: lead
        edit: [kind]
        form: { why: { type: text, title: Why, required: true, when: visit.kind = special } }
";
    let start = "start: { by: ann, data: { visits: [{ kind: plain }] } }\ndo:\n";
    let told = "  - refuse: { complete: each_visit/1/fix, by: leo, data: { kind: special }, why: Please fill this in }\n  \
                - { complete: each_visit/1/fix, by: leo, data: { kind: special, why: must be } }\n  \
                - expect: { ended: done, data: { visits: [{ kind: special, why: must be }] } }\n";
    assert_eq!(failures(form, steps, &format!("{start}{told}")), "");
}

#[test]
fn a_time_is_held_against_an_instant_in_the_calendars_zone() {
    let form = "  what: { type: text, title: What, required: true }\n";
    let steps = "  - id: plan\n    title: Plan\n    task: lead\n    \
                 form: { at: { type: date-time, title: At, required: true, min: instance.started_at } }\n";
    let start = "start: { by: ann, data: { what: all } }\ndo:\n";
    let early = "  - refuse: { complete: plan, by: leo, data: { at: 2026-03-02T08:59 }, why: Not before 2 March 2026 09:00 }\n  \
                 - { complete: plan, by: leo, data: { at: 2026-03-02T09:00 } }\n  - expect: { ended: done }\n";
    assert_eq!(failures(form, steps, &format!("{start}{early}")), "");
}

#[test]
fn what_is_computed_keeps_its_limits_whoever_changes_what_it_is_computed_from() {
    let form = "  amount: { type: integer, title: Amount, required: true, min: 1 }
  rate: { type: percent, title: Rate, value: amount / 10, max: 50 % }
  code: { type: text, title: Code, value: '\"A\" + string(amount)', pattern: \"A[0-8]\" }
  dear: { type: money, title: Dear, value: if amount = 4 then 100 else 5, check: { that: dear <= 20, say: Too dear } }
  total: { type: integer, title: Total, value: \"amount + (if extra != null then extra else 0)\", max: 10 }
";
    let steps = "  - { id: fix, title: Fix, approve: lead, edit: [amount] }\n  \
                 - { id: add, title: Add, task: lead, form: { extra: { type: integer, title: Extra, required: true } } }\n";
    let start = "start: { by: ann, data: { amount: 5 } }\ndo:\n";
    let edited = "  - refuse: { approve: fix, by: leo, data: { amount: 6 }, why: '“Rate”: At most 50 %' }
  - refuse: { approve: fix, by: leo, data: { amount: 9 }, why: “Code” }
  - refuse: { approve: fix, by: leo, data: { amount: 4 }, why: Too dear }
  - { return: fix, by: leo, opinion: less }
  - refuse: { revise: fix, by: ann, data: { amount: 9 }, why: At most 50 % }
  - { revise: fix, by: ann, data: { amount: 3 } }
  - { approve: fix, by: leo, data: { amount: 2 } }
  - refuse: { complete: add, by: leo, data: { extra: 9 }, why: '“Total”: At most 10' }
  - { complete: add, by: leo, data: { extra: 8 } }
  - expect: { ended: done, data: { total: 10 } }
";
    assert_eq!(failures(form, steps, &format!("{start}{edited}")), "");
}

#[test]
fn what_is_computed_among_the_data_keeps_its_limits_too() {
    let form = "  amount: { type: integer, title: Amount, required: true, min: 1 }
data:
  twice: { type: integer, title: Twice, value: amount * 2, max: 10 }
";
    let steps = "  - { id: fix, title: Fix, approve: lead, edit: [amount] }\n";
    let tests = "start: { by: ann, data: { amount: 5 } }\ndo:
  - refuse: { start: { by: ann, data: { amount: 6 } }, why: At most 10 }
  - refuse: { approve: fix, by: leo, data: { amount: 6 }, why: “Twice” }
  - { return: fix, by: leo, opinion: less }
  - refuse: { revise: fix, by: ann, data: { amount: 6 }, why: “Twice” }
  - { revise: fix, by: ann, data: { amount: 4 } }
  - { approve: fix, by: leo }
  - expect: { ended: done }
";
    assert_eq!(failures(form, steps, tests), "");
}

#[test]
fn a_length_is_given_in_the_unit_of_its_field() {
    let form = "  agreed: { type: duration, title: Agreed, required: true, default: 6 months }
  least: { type: duration, title: Least, min: 1 working day }
";
    let tests = "start: { by: ann, data: { agreed: 3 months } }\ndo:
  - refuse: { start: { by: ann, data: { agreed: 90 days } }, why: in the same unit as “6 months” }
  - refuse: { start: { by: ann, data: { least: 9 days } }, why: in the same unit as “1 working day” }
  - expect: { task: look }
";
    assert_eq!(failures(form, "  - { id: look, title: Look, approve: lead }\n", tests), "");
}

#[test]
fn what_comes_from_outside_keeps_every_rule_of_its_field() {
    let form = "  most: { type: integer, title: Most, required: true, min: 1 }
  worker: { type: person, title: Worker, required: true }
data:
  count: { type: integer, title: Count, max: most }
  code: { type: text, title: Code, pattern: \"[A-Z]+\", max: 3 }
  took: { type: duration, title: Took, max: 9 days }
  owner: { type: person, title: Owner, among: worker }
  price: { type: money, title: Price, check: { that: price / most < 10, say: Too dear } }
";
    let steps = "  - id: asked
    receive: said
    take: { count: count, code: code, took: took, owner: owner, price: price }
";
    let start = "start: { by: ann, data: { most: 5, worker: leo } }\ndo:\n";
    let refused = |data: &str, why: &str| format!("  - refuse: {{ message: said, data: {{ {data} }}, why: {why} }}\n");
    let sent = |data: &str| format!("  - {{ message: said, data: {{ {data} }} }}\n");
    let fixed = [
        refused("count: 4, code: ab, took: P2D, owner: leo, price: 1", "Not in the expected form"),
        refused("count: 4, code: ABCD, took: P2D, owner: leo, price: 1", "At most 3"),
        refused("count: 4, code: AB, took: P1M, owner: leo, price: 1", "same unit"),
        sent("count: 4, code: AB, took: P2D, owner: leo, price: 1"),
        "  - expect: { ended: done }\n".to_owned(),
    ];
    assert_eq!(failures(form, steps, &format!("{start}{}", fixed.concat())), "");
    for data in [
        "count: 6, code: AB, took: P2D, owner: leo, price: 1",
        "count: 4, code: AB, took: P2D, owner: ann, price: 1",
        "count: 4, code: AB, took: P2D, owner: leo, price: 99",
    ] {
        let stopped = format!("{start}{}  - expect: {{ incident: asked }}\n", sent(data));
        assert_eq!(failures(form, steps, &stopped), "", "{data}");
    }
}
