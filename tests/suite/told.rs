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
