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
