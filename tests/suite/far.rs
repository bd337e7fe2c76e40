//! Numbers that are too large and times that are too far away: refused where they are typed, told at once where they are
//! reckoned.

use crate::support;

#[test]
fn a_number_of_more_than_fifteen_digits_is_refused_where_it_is_typed() {
    let process = "process: order
title: Order
start: [clerk]
form:
  count: { type: integer, title: Count, required: true }
  price: { type: money, title: Price, required: true }
steps: [{ id: look, title: Look, approve: lead }]
";
    let tests = "test: it holds
process: order
now: 2026-03-02T09:00
start: { by: ann, data: { count: 999999999999999, price: -999999999999999.99 } }
do:
  - refuse: { start: { by: ann, data: { count: 1000000000000000, price: 1 } }, why: 15 digits }
  - refuse: { start: { by: ann, data: { count: 1, price: -1000000000000000 } }, why: 15 digits }
";
    assert_eq!(support::failures(tests, &[("directory.yaml", support::OFFICE), ("order.yaml", process)]), "");
}

const LONG: &str = "process: order
title: Order
start: [clerk]
form:
  kind: { type: choice, title: Kind, options: [due, wait, set], required: true }
  long: { type: duration, title: How long, required: true }
data:
  day: { type: date, title: Day }
steps:
  - { id: count, title: Count, when: kind = due, approve: lead, due: long * 100000000000 }
  - { id: rest, when: kind = wait, wait: long * 100000000000 }
  - { set: { day: date(\"2026-03-02\") + long * 100000000000 } }
";

#[test]
fn a_time_that_is_too_far_away_is_told_at_once() {
    let begun = std::time::Instant::now();
    for (kind, step) in [("due", "count"), ("wait", "rest"), ("set", "set_1")] {
        for long in ["1 working day", "1 working hour", "P1D", "P1M"] {
            let tests = format!(
                "test: it holds\nprocess: order\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{ kind: {kind}, long: {long} }} }}\ndo:\n  - expect: {{ incident: {step} }}\n"
            );
            let found = support::failures(&tests, &[("directory.yaml", support::OFFICE), ("order.yaml", LONG)]);
            assert_eq!(found, "", "{long}");
        }
    }
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[test]
fn a_length_of_time_that_nobody_lives_to_see_is_refused_where_it_is_typed() {
    let tests = "test: it holds
process: order
now: 2026-03-02T09:00
start: { by: ann, data: { kind: due, long: 0 days } }
do:
  - refuse: { start: { by: ann, data: { kind: due, long: 2001 working days } }, why: Too long }
  - refuse: { start: { by: ann, data: { kind: due, long: P201Y } }, why: Too long }
  - refuse: { start: { by: ann, data: { kind: due, long: 80000 days } }, why: Too long }
";
    assert_eq!(support::failures(tests, &[("directory.yaml", support::OFFICE), ("order.yaml", LONG)]), "");
}
