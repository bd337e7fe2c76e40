//! A case that comes to a step again: what an earlier round left behind is a proposal, and no answer of this one.

use crate::support::{self, OFFICE};

fn failures(process: &str, tests: &str) -> String {
    support::failures(tests, &[("directory.yaml", OFFICE), ("rounds.yaml", process)])
}

const OFFER: &str = "
process: rounds
title: Rounds
start: [clerk]
form:
  amount: { type: money, title: Amount, required: true, min: 1 }
steps:
  - { id: offer, title: Offer, approve: lead, form: { price: { type: money, title: Price, required: true } }, on: { rejected: next } }
  - { id: cost, title: Cost, task: lead, when: amount > 100, form: { cost: { type: money, title: Cost, required: true } } }
  - id: way
    choose:
      - { when: amount > 50, steps: [{ id: why, title: Why, task: lead, form: { reason: { type: text, title: Reason, required: true } } }] }
    otherwise: [{ id: dear, title: Dear, approve: lead, when: if price != null then price > 10 else false }]
  - { id: sign, title: Sign, approve: lead, when: 'if cost != null then cost > 5 else reason != null' }
  - { id: last, title: Last, task: clerk, edit: [amount], outcomes: { ready: Ready, again: Again }, on: { again: offer } }
";

#[test]
fn what_is_rejected_or_passed_by_in_a_second_round_is_unset() {
    let tests = "
test: rejected, skipped, not chosen
process: rounds
now: 2026-03-02T09:00
start: { by: ann, data: { amount: 200 } }
do:
  - { approve: offer, by: leo, data: { price: 20 } }
  - { complete: cost, by: leo, data: { cost: 9 } }
  - { complete: why, by: leo, data: { reason: dear } }
  - { approve: sign, by: leo }
  - { complete: last, by: ann, outcome: again, data: { amount: 20 } }
  - expect: { task: offer, data: { price: 20, cost: 9, reason: dear } }
  - { reject: offer, by: leo, opinion: no }
  - expect: { task: last, data: { price: null, cost: null, reason: null } }
---
test: what is asked again is proposed
process: rounds
now: 2026-03-02T09:00
start: { by: ann, data: { amount: 200 } }
do:
  - { approve: offer, by: leo, data: { price: 20 } }
  - { complete: cost, by: leo, data: { cost: 9 } }
  - { complete: why, by: leo, data: { reason: dear } }
  - { approve: sign, by: leo }
  - { complete: last, by: ann, outcome: again }
  - { approve: offer, by: leo }
  - { complete: cost, by: leo }
  - expect: { task: why, data: { price: 20, cost: 9 } }
---
test: a revision
process: rounds
now: 2026-03-02T09:00
start: { by: ann, data: { amount: 200 } }
do:
  - { approve: offer, by: leo, data: { price: 20 } }
  - { complete: cost, by: leo, data: { cost: 9 } }
  - { complete: why, by: leo, data: { reason: dear } }
  - { return: sign, by: leo, opinion: less }
  - { revise: sign, by: ann, data: { amount: 20 } }
  - expect: { task: dear, data: { price: 20, cost: null, reason: null } }
";
    assert_eq!(failures(OFFER, tests), "");
}

const TAKEN_BACK: &str = "
process: rounds
title: Rounds
start: [clerk]
steps:
  - { id: book, title: Book, approve: lead, form: { room: { type: text, title: Room, required: true } }, on: { rejected: last }, undo: [{ title: Cancel the booking, task: clerk, when: string length(room) > 0 }] }
  - { id: last, title: Last, approve: lead, on: { returned: book } }
";

#[test]
fn what_taking_back_reads_stays() {
    let tests = "
test: booked, then refused, then rejected
process: rounds
now: 2026-03-02T09:00
start: { by: ann, data: {} }
do:
  - { approve: book, by: leo, data: { room: A1 } }
  - { return: last, by: leo, opinion: other }
  - { reject: book, by: leo, opinion: no }
  - { reject: last, by: leo, opinion: no }
  - expect: { task: task_1, data: { room: A1 } }
";
    assert_eq!(failures(TAKEN_BACK, tests), "");
}

const ROWS: &str = "
process: rounds
title: Rounds
start: [clerk]
form:
  list: { type: list, title: List, min: 1, fields: { name: { type: text, title: Name, required: true } } }
steps:
  - id: rows
    each: list
    as: row
    mode: in order
    until: some one in list satisfies one.good = true
    steps:
      - { id: ask, title: Ask, task: lead, form: { good: { type: boolean, title: Good, required: true } } }
      - { id: more, title: More, approve: lead, when: row.good = true, form: { word: { type: text, title: Word, required: true } }, on: { rejected: next } }
  - { id: last, title: Last, task: clerk, outcomes: { ready: Ready, again: Again }, on: { again: rows } }
";

#[test]
fn rows_answer_anew_in_every_round() {
    let tests = "
test: rows
process: rounds
now: 2026-03-02T09:00
start: { by: ann, data: { list: [{ name: A }, { name: B }, { name: C }] } }
do:
  - { complete: rows/1/ask, by: leo, data: { good: false } }
  - { complete: rows/2/ask, by: leo, data: { good: true } }
  - { approve: rows/2/more, by: leo, data: { word: fine } }
  - { complete: last, by: ann, outcome: again }
  - { complete: rows/1/ask, by: leo, data: { good: false } }
  - expect: { task: rows/2/ask }
  - { complete: rows/2/ask, by: leo, data: { good: true } }
  - { reject: rows/2/more, by: leo, opinion: no }
  - expect: { task: last, data: { list: [{ good: false, word: null }, { good: true, word: null }, { good: null }] } }
---
test: the first is enough now
process: rounds
now: 2026-03-02T09:00
start: { by: ann, data: { list: [{ name: A }, { name: B }] } }
do:
  - { complete: rows/1/ask, by: leo, data: { good: false } }
  - { complete: rows/2/ask, by: leo, data: { good: true } }
  - { approve: rows/2/more, by: leo, data: { word: fine } }
  - { complete: last, by: ann, outcome: again }
  - { complete: rows/1/ask, by: leo, data: { good: true } }
  - { reject: rows/1/more, by: leo, opinion: no }
  - expect: { task: last, data: { list: [{ good: true, word: null }, { good: null, word: null }] } }
";
    assert_eq!(failures(ROWS, tests), "");
}

const OTHER_WAY: &str = "
process: rounds
title: Rounds
start: [clerk]
form:
  amount: { type: money, title: Amount, required: true, min: 1 }
  note: { type: text, title: Note }
steps:
  - id: way
    choose:
      - { when: amount > 100, steps: [{ id: high, title: High, approve: lead, when: note != null }] }
    otherwise: [{ id: low, title: Low, task: clerk }]
  - id: both
    title: Both
    when: amount > 50
    parallel:
      one: [{ id: one, title: One, approve: lead }]
      two: [{ id: two, title: Two, task: clerk }]
  - { id: last, title: Last, task: clerk }
";

#[test]
fn whoever_returned_a_case_is_asked_again_on_its_way_alone() {
    let tests = "
test: the same way, though the step would be skipped
process: rounds
now: 2026-03-02T09:00
start: { by: ann, data: { amount: 200, note: x } }
do:
  - { return: high, by: leo, opinion: why }
  - { revise: high, by: ann, data: { amount: 300, note: null } }
  - expect: { task: high, for: leo }
---
test: another case of the choice
process: rounds
now: 2026-03-02T09:00
start: { by: ann, data: { amount: 200, note: x } }
do:
  - { return: high, by: leo, opinion: less }
  - { revise: high, by: ann, data: { amount: 80 } }
  - expect: { task: low, for: [ann, bob], no task: high }
  - { complete: low, by: bob }
  - expect: { at: [both, one, two] }
---
test: past a block
process: rounds
now: 2026-03-02T09:00
start: { by: ann, data: { amount: 80 } }
do:
  - { complete: low, by: bob }
  - { return: one, by: leo, opinion: less }
  - { revise: one, by: ann, data: { amount: 20 } }
  - { complete: low, by: bob }
  - expect: { task: last, no task: [one, two], outcome: { both: skipped } }
";
    assert_eq!(failures(OTHER_WAY, tests), "");
}
