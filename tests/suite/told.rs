//! What people are told and how often, by example: one mail of an end, whatever is taken back after it; who begins a
//! case that somebody else fills in.

use crate::support::{self, OFFICE};

const ORDER: &str = "
process: order
title: Order
start: [clerk]
form: { item: { type: text, title: Item, required: true } }
steps:
  - id: reserve
    title: Reserve
    task: person(\"bob\")
    undo: { id: free, title: Put it back, task: person(\"bob\") }
  - { id: sign, title: Sign, approve: lead }
";

#[test]
fn the_applicant_of_a_no_is_told_once_when_it_is_certain() {
    let tests = "
test: who said no, why, and how it ends stand in one mail, before anything is taken back
process: order
now: 2026-03-02T09:00
start: { by: ann, data: { item: Chair } }
do:
  - { complete: reserve, by: bob }
  - { reject: sign, by: leo, opinion: Too dear }
  - expect: { task: free, mail: { to: ann, kind: ended, body: [Leo, Too dear] } }
  - expect: { no mail: { to: ann, kind: decided } }
  - { complete: free, by: bob }
  - expect: { ended: rejected, no mail: { to: ann } }
---
test: who withdraws knows it
process: order
now: 2026-03-02T09:00
start: { by: ann, data: { item: Chair } }
do:
  - { complete: reserve, by: bob }
  - { withdraw: not needed, by: ann }
  - expect: { task: free, no mail: { to: ann } }
  - { complete: free, by: bob }
  - expect: { ended: withdrawn, no mail: { to: ann } }
";
    assert_eq!(support::failures(tests, &[("directory.yaml", OFFICE), ("order.yaml", ORDER)]), "");
}

#[test]
fn who_is_asked_to_fill_in_has_not_submitted() {
    let parent = "
process: parent
title: Parent
start: [clerk]
form: {}
steps:
  - { id: fill, title: Have it filled, call: order, by: person(\"bob\"), on: { otherwise: next } }
";
    let tests = "
test: the mail asks and does not say that it was handed in
process: parent
now: 2026-03-02T09:00
start: { by: ann, data: {} }
do:
  - expect: { mail: { to: bob, kind: assigned, body: 请 Bob 填写 } }
";
    let files = [("directory.yaml", OFFICE), ("order.yaml", ORDER), ("parent.yaml", parent)];
    assert_eq!(support::failures(tests, &files), "");
}

#[test]
fn whose_case_was_cancelled_reads_by_whom_and_why() {
    let tests = "
test: an operator
process: order
now: 2026-03-02T09:00
start: { by: ann, data: { item: Chair } }
do:
  - { cancel: No money }
  - expect: { mail: { to: ann, kind: ended, body: [已取消，, No money] } }
";
    assert_eq!(support::failures(tests, &[("directory.yaml", OFFICE), ("order.yaml", ORDER)]), "");
}

#[test]
fn whose_case_was_called_reads_which_caller_ended_and_why() {
    let party = "
process: party
title: Party
number: \"P-{seq:3}\"
start: [clerk]
form: {}
steps:
  - { id: chairs, title: Chairs, call: order, by: person(\"bob\"), with: { item: '\"Chair\"' }, on: { otherwise: next } }
";
    let test = |told: &str| {
        format!(
            "test: the caller is withdrawn\nprocess: party\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{}} }}\ndo:\n  \
             - {{ withdraw: It rains, by: ann }}\n  - expect: {{ mail: {{ to: bob, kind: ended, body: [{told}, It rains] }} }}\n"
        )
    };
    let files = |party: &str, told: &str, office: &str| {
        support::failures(&test(told), &[("directory.yaml", office), ("order.yaml", ORDER), ("party.yaml", party)])
    };
    assert_eq!(files(party, "已取消：Ann 的“Party” P-001 已结束或不再等它", OFFICE), "");
    let english = OFFICE.replace("bob@example.com,", "bob@example.com, language: en,");
    let numberless = party.replace("number: \"P-{seq:3}\"\n", "");
    assert_eq!(files(&numberless, "'Cancelled: Party of Ann ended or waits for it no longer'", &english), "");
}

#[test]
fn the_mail_of_a_decision_tells_those_of_the_same_minute_before_it() {
    let process = "
process: trip
title: Trip
start: [clerk]
steps:
  - { id: both, title: Both, approve: [lead, person(\"bob\")], mode: all }
  - { id: third, title: Third, approve: lead }
  - { id: book, title: Book, task: lead }
";
    let tests = "
test: one after the other
process: trip
now: 2026-03-02T09:00
start: { by: ann, data: {} }
do:
  - { approve: both, by: leo }
  - expect: { mail: { to: ann, kind: decided, body: Both：Leo 已同意 }, no mail: { body: 到目前为止 } }
  - { approve: both, by: bob }
  - expect: { mail: { to: ann, kind: decided, body: [Both：Bob 已同意, Both · 同意 · Leo] }, no mail: { body: Both · 同意 · Bob, to: ann } }
  - { approve: third, by: leo }
  - expect: { mail: { to: ann, kind: decided, body: [Both · 同意 · Leo, Both · 同意 · Bob] }, no mail: { body: Third · 同意, to: ann } }
  - { complete: book, by: leo }
  - expect: { mail: { to: ann, kind: ended, body: [Both · 同意 · Leo, Both · 同意 · Bob, Third · 同意 · Leo, Book · 已办理 · Leo] } }
";
    assert_eq!(support::failures(tests, &[("directory.yaml", OFFICE), ("trip.yaml", process)]), "");
}

#[test]
fn cases_that_start_the_next_one_each_day_never_come_to_an_end() {
    let daily = "
process: daily
title: Daily
start: [clerk]
form: { day: { type: integer, title: Day, required: true } }
steps:
  - { id: pause, wait: 1 day }
  - notify: person(\"leo\")
    when: day = 20
  - { id: next_day, call: daily, when: day < 20, with: { day: day + 1 }, detached: true }
";
    let test = "
test: the twentieth comes as the first did
process: daily
now: 2026-03-02T09:00
start: { by: ann, data: { day: 1 } }
do:
  - advance: 30 days
  - expect: { mail: { to: leo, kind: notice } }
";
    assert_eq!(support::failures(test, &[("directory.yaml", OFFICE), ("daily.yaml", daily)]), "");
}
