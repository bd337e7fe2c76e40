//! What another system or another process answers, and what becomes of the case where that is of no use.

use crate::support::{self, OFFICE};

fn failures(process: &str, tests: &str) -> String {
    support::failures(tests, &[("directory.yaml", OFFICE), ("order.yaml", process)])
}

const ORDER: &str = "
process: order
title: Order
start: [clerk]
data:
  no: { type: text, title: No }
steps:
  - { id: book, http: POST https://erp.example/orders, take: { no: response.no }, on: { failed: by_hand }, retry: { times: 3, from: 1 second, to: 1 hour }, undo: [{ id: cancel, task: clerk }] }
  - { id: look, title: Look, approve: lead, on: { rejected: lost } }
  - end: booked
  - { id: by_hand, title: By hand, task: clerk }
  - { id: lost, end: lost, undo: true }
";

#[test]
fn an_answer_without_what_is_taken_goes_the_failed_way() {
    let told = |body: &str| {
        let tests = format!(
            "test: of no use\nprocess: order\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{}} }}\ndo:\n  - {{ answer: book, body: {body} }}\n  \
             - expect: {{ task: by_hand, for: [ann, bob], outcome: {{ book: failed }} }}\n"
        );
        failures(ORDER, &tests)
    };
    for body in ["{ other: 1 }", "{ no: null }", "{ no: [1] }"] {
        assert_eq!(told(body), "", "{body}");
    }
}

#[test]
fn where_nobody_said_what_happens_then_the_case_stops() {
    let process = ORDER.replace(" on: { failed: by_hand },", "");
    let process = process.replace("  - { id: by_hand, title: By hand, task: clerk }\n", "");
    let tests = "
test: of no use
process: order
now: 2026-03-02T09:00
start: { by: ann, data: {} }
do:
  - { answer: book, body: { no: null } }
  - expect: { incident: book }
";
    assert_eq!(failures(&process, tests), "");
}

const SINGLE: &str = "
process: order
title: Order
key: customer
single: true
start: [clerk]
form:
  customer: { type: text, title: Customer, required: true }
steps:
  - { id: look, title: Look, task: lead }
  - { id: again, call: order, with: { customer: '\"A\"' }, on: ON }
  - { id: told, title: Told, task: clerk }
";

#[test]
fn a_call_of_what_is_open_already_is_refused() {
    let tests = "
test: refused
process: order
now: 2026-03-02T09:00
start: { by: ann, data: { customer: A } }
do:
  - { complete: look, by: leo }
  - expect: { THEN }
";
    let led = |on: &str, then: &str| failures(&SINGLE.replace("ON", on), &tests.replace("THEN", then));
    let stopped = "{ withdrawn: next, cancelled: next }";
    let refused = "{ withdrawn: next, cancelled: next, refused: next }";
    assert_eq!(led(refused, "task: told, outcome: { again: refused }"), "");
    assert_eq!(led("{ otherwise: next }", "task: told, outcome: { again: refused }"), "");
    // Where nobody said so it would stop for an operator.
    assert!(led(stopped, "incident: again").contains("unhandled_outcome"));
}

const PAID: &str = "
process: order
title: Order
start: [clerk]
data:
  on: { type: date, title: On }
steps:
  - { id: paid, receive: paid, take: { on: bill.on } }
  - end: paid
";

#[test]
fn a_message_that_no_step_could_take_is_refused_to_its_sender() {
    let told = |moves: &str| {
        failures(
            PAID,
            &format!(
                "test: a message\nprocess: order\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{}} }}\ndo:\n{moves}"
            ),
        )
    };
    for data in ["{}", "{ bill: 1 }", "{ bill: { on: null } }", "{ bill: { on: soon } }"] {
        let refused =
            format!("  - refuse: {{ message: paid, data: {data}, why: bill.on }}\n  - expect: {{ at: paid }}\n");
        assert_eq!(told(&refused), "", "{data}");
    }
    assert_eq!(told("  - { message: paid, data: { bill: { on: 2026-03-05 } } }\n  - expect: { ended: paid }\n"), "");
    assert!(told("  - { message: paid, data: { bill: {} } }\n").contains("What came has no `bill.on`"));
    assert_eq!(told("  - { message: other }\n  - expect: { at: paid }\n"), "", "nobody receives it");
}

const LOOSE: &str = "
process: order
title: Order
start: [clerk]
data:
  no: { type: text, title: No }
  note: { type: text, title: Note, required: false }
  weight: { type: decimal, title: Weight, required: false, min: 0 }
  kind: { type: choice, title: Kind, options: [plain, express], default: plain, required: false }
steps:
  - { id: ordered, receive: ordered, take: { no: no, note: extra.note, kind: kind } }
  - { id: weigh, http: POST https://scale.example/weigh, take: { weight: response.weight, note: response.note } }
  - { id: pack, job: pack, take: { weight: response.weight } }
  - { id: heavy, title: Heavy, task: lead, when: weight != null and weight > 20 }
  - end: packed
";

#[test]
fn what_need_not_be_there_may_be_missing() {
    let told = |moves: &[&str]| {
        let moves: Vec<String> = moves.iter().map(|next| format!("  - {next}\n")).collect();
        let head = "test: loose\nprocess: order\nnow: 2026-03-02T09:00\nstart: { by: ann, data: {} }\ndo:\n";
        failures(LOOSE, &format!("{head}{}", moves.concat()))
    };
    // What is missing or null is unset, or as it was: a default, or what another step took.
    let seen = [
        "{ message: ordered, data: { no: A-1, extra: { note: null } } }",
        "expect: { data: { no: A-1, note: null, kind: plain } }",
        "{ answer: weigh, body: { note: fragile } }",
        "expect: { data: { weight: null, note: fragile } }",
        "{ complete: pack, data: {} }",
        "expect: { ended: packed, outcome: { weigh: done, heavy: skipped }, data: { note: fragile } }",
    ];
    assert_eq!(told(&seen), "");
    // Of what is no object nothing is taken, where nothing has to be there.
    let empty = [
        "{ message: ordered, data: { no: A-1, kind: express } }",
        "{ answer: weigh }",
        "expect: { at: pack, data: { kind: express } }",
    ];
    assert_eq!(told(&empty), "");
    // What is there has to fit.
    let wrong = [
        "refuse: { message: ordered, data: { no: A-1, kind: slow }, why: kind }",
        "refuse: { message: ordered, data: { kind: plain }, why: \"`no`\" }",
        "{ message: ordered, data: { no: A-1 } }",
        "{ answer: weigh, body: { weight: -1 } }",
        "expect: { incident: weigh }",
    ];
    assert_eq!(told(&wrong), "");
}

const GAPS: &str = "
process: order
title: Order
start: [clerk]
data:
  no: { type: text, title: No }
  tags: { type: text, title: Tags, many: true }
  items:
    type: list
    title: Items
    fields:
      name: { type: text, title: Name, required: true }
      price: { type: money, title: Price }
steps:
  - { id: came, receive: came, take: { no: no, tags: tags, items: items } }
  - { id: long, title: Long, task: lead, when: \"string length(no) > 3 or count(items[string length(name) > 5]) > 0\" }
  - end: done
";

#[test]
fn what_is_empty_is_not_there() {
    let told = |data: &str, after: &str| {
        let head = "test: gaps\nprocess: order\nnow: 2026-03-02T09:00\nstart: { by: ann, data: {} }\ndo:\n";
        failures(GAPS, &format!("{head}  - {}\n", after.replace("{came}", &format!("message: came, data: {data}"))))
    };
    for (data, why) in [
        ("{ no: \"\", tags: [], items: [] }", "The `no` that came is empty"),
        ("{ no: A, tags: [a, \"\"], items: [] }", "Value 2 of it is empty"),
        ("{ no: A, tags: [], items: [{ name: x }, { price: 1 }] }", "Row 2 of it has no `name`"),
        ("{ no: A, tags: [], items: [null] }", "Each row of a table"),
    ] {
        assert_eq!(told(data, &format!("refuse: {{ {{came}}, why: {why:?} }}")), "", "{data}");
    }
    let whole = "{ no: A, tags: [a], items: [{ name: x, price: 1.005 }, { name: y }] }";
    let seen = "{ {came} }\n  - expect: { ended: done, data: { items: [{ price: 1.01 }, { price: null }] } }";
    assert_eq!(told(whole, seen), "");
}

#[test]
fn an_empty_text_is_not_an_unset_field() {
    let process = "
process: order
title: Order
start: [clerk]
form: { note: { type: text, title: Note } }
data: { said: { type: text, title: Said, default: '\"\"' } }
steps:
  - { id: look, title: Look, task: lead, when: said = note }
  - { id: see, title: See, task: lead }
";
    let told = |data: &str| {
        let test = format!(
            "test: empty\nprocess: order\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{ note: \"\" }} }}\ndo:\n  - expect: {{ no task: [look], data: {data} }}\n"
        );
        failures(process, &test)
    };
    assert_eq!(told("{ note: null, said: \"\" }"), "");
    assert_eq!(told("{ note: , said: \"\" }"), "");
    assert!(told("{ note: \"\" }").contains("`note` should be \"\", but it is null"));
    assert!(told("{ said: null }").contains("`said` should be null, but it is \"\""));
}

/// What has a default is never empty: what is not given is the default, and nobody empties it.
const SURVEY: &str = "
process: order
title: Order
start: [clerk]
form:
  n: { type: integer, title: N, default: 5 }
  m: { type: integer, title: M, default: 5, required: false }
  back: { type: date, title: Back, default: today(), when: n > 5 }
  rows: { type: list, title: Rows, fields: { x: { type: money, title: X, default: 5 }, t: { type: text, title: T, required: true } } }
  tags: { type: text, title: Tags, many: true, default: '[\"a\"]' }
data:
  sum: { type: money, title: Sum }
  k: { type: integer, title: K, default: 3 }
steps:
  - set: { sum: sum(rows.x) }
  - { id: look, title: Look, task: lead, edit: [n, k], form: { p: { type: integer, title: P, default: 2 } } }
  - { id: big, title: Big, approve: lead, when: n + k + p > 9 }
  - { id: none, title: None, task: clerk, when: m = null }
";

#[test]
fn a_field_with_a_default_is_never_empty() {
    let told = |data: &str, moves: &str| {
        let start = format!("start: {{ by: ann, data: {data} }}");
        failures(SURVEY, &format!("test: a default\nprocess: order\nnow: 2026-03-02T09:00\n{start}\ndo:\n{moves}"))
    };
    let start =
        |data: &str| format!("  - refuse: {{ start: {{ by: ann, data: {data} }}, why: Please fill this in }}\n");
    let refused = ["{ n: null }", "{ rows: [{ x: null, t: a }] }", "{ n: 6, back: null }"];
    for data in refused {
        assert_eq!(told("{}", &start(data)), "", "{data}");
    }
    let given = "  - expect: { task: look, data: { n: 5, m: 5, sum: 5, k: 3, tags: [a], back: null } }\n";
    assert_eq!(told("{ rows: [{ t: a }], back: null }", given), "");
    // What holds several is not empty without any, and where the author says so, a value may be taken out.
    assert_eq!(told("{ m: null, tags: [] }", "  - expect: { data: { m: null, tags: [] } }\n"), "");
    let asked = ["{ n: null }", "{ k: null }", "{ p: null }"]
        .map(|data| format!("  - refuse: {{ complete: look, by: leo, data: {data}, why: Please fill this in }}\n"));
    let done = "  - { complete: look, by: leo, data: {} }\n  - expect: { task: big, data: { p: 2, n: 5, k: 3 } }\n";
    assert_eq!(told("{}", &format!("{}{done}", asked.concat())), "");
}

#[test]
fn a_caller_without_a_value_leaves_the_default() {
    let order = "
process: order
title: Order
start: [clerk]
form:
  n: { type: integer, title: N }
data:
  found: { type: integer, title: Found, default: 0 }
steps:
  - { id: call_on, call: look_up, with: { n: n }, take: { found: n }, on: { otherwise: next } }
  - { id: look, title: Look, task: lead, when: found > 4 }
";
    let look_up = "
process: look_up
title: Look up
form: { n: { type: integer, title: N, default: 5 } }
steps: [{ id: seen, title: Seen, task: clerk }]
";
    let tests = "
test: a caller
process: order
now: 2026-03-02T09:00
start: { by: ann, data: {} }
do:
  - expect: { case: call_on, task: seen, data: { n: 5 } }
  - { complete: call_on/seen, by: bob }
  - expect: { task: look, data: { found: 5 } }
";
    let files = [("directory.yaml", OFFICE), ("order.yaml", order), ("look_up.yaml", look_up)];
    assert_eq!(support::failures(tests, &files), "");
}
