//! Calls of other systems and jobs that a case no longer waits for: they may have been done, so they are taken back
//! too, or people are told that nobody knows.

use crate::support;

/// A case that books and then asks for an approval; what `{book}` says of the booking differs.
fn booking(data: &str, book: &str) -> String {
    format!(
        "
process: trip
title: Trip
start: [clerk]
form: {{ plan: {{ type: text, title: Plan, required: true }} }}
{data}
steps:
  - id: deposit
    http: POST https://bank.example/deposits
    undo: {{ http: DELETE https://bank.example/deposits }}
  - id: book
{book}
  - {{ id: look, approve: lead }}
  - end: booked
"
    )
}

fn failures(book: &str, tests: &str) -> String {
    let data = if book.contains("take") { "data: { code: { type: text, title: Code } }" } else { "" };
    support::failures(tests, &[("directory.yaml", support::OFFICE), ("trip.yaml", &booking(data, book))])
}

const START: &str = "
test: it goes on
process: trip
now: 2026-03-02T09:00
start: { by: ann, data: { plan: far } }
do:
  - { answer: deposit }
";

#[test]
fn a_call_without_an_answer_is_taken_back_too() {
    let book = "    http: POST https://hotel.example/bookings\n    undo: { id: unbook, http: \"DELETE https://hotel.example/{plan}\" }";
    let withdrawn = "  - { withdraw: never mind, by: ann }
  - expect: { at: unbook }
  - { answer: unbook }
  - expect: { at: http_1 }
  - { answer: http_1 }
  - expect: { ended: withdrawn }
";
    assert_eq!(failures(book, &format!("{START}{withdrawn}")), "");
    // It never arrived: there is nothing to take back, and the case comes to its end.
    let never = "  - { withdraw: never mind, by: ann }
  - { answer: unbook, status: 404 }
  - expect: { at: http_1 }
  - { answer: http_1, status: 404 }
  - expect: { incident: http_1 }
";
    assert_eq!(failures(book, &format!("{START}{never}")), "");
    let stopped = "  - { fail: book, opinion: no answer }\n  - cancel: enough\n  - expect: { at: unbook }\n";
    assert_eq!(failures(book, &format!("{START}{stopped}")), "");
}

#[test]
fn a_call_that_the_other_side_refused_is_not_taken_back() {
    let book = "    http: POST https://hotel.example/bookings\n    undo: { id: unbook, http: \"DELETE https://hotel.example/{plan}\" }";
    let refused = "  - { answer: book, status: 422 }\n  - expect: { incident: book }\n  - cancel: enough\n  - expect: { at: http_1 }\n";
    assert_eq!(failures(book, &format!("{START}{refused}")), "");
}

#[test]
fn what_needs_the_result_to_be_taken_back_is_left() {
    let book = "    http: POST https://hotel.example/bookings\n    take: { code: response.code }\n    \
                undo: { id: unbook, http: \"DELETE https://hotel.example/{code}\" }";
    let withdrawn = "  - { withdraw: never mind, by: ann }\n  - expect: { at: http_1 }\n  - { answer: http_1 }\n  \
                     - expect: { ended: withdrawn }\n";
    assert_eq!(failures(book, &format!("{START}{withdrawn}")), "");
    let known = "  - { answer: book, body: { code: A-1 } }\n  - { reject: look, by: leo, opinion: no }\n  \
                 - expect: { at: unbook }\n";
    assert_eq!(failures(book, &format!("{START}{known}")), "");
}

#[test]
fn what_failed_for_good_without_a_no_may_have_been_done() {
    let book = "    http: POST https://hotel.example/bookings\n    retry: { times: 0 }\n    on: { failed: look }\n    \
                undo: { id: unbook, http: \"DELETE https://hotel.example/{plan}\" }";
    let rejected = "  - { fail: book, opinion: no answer }\n  - { reject: look, by: leo, opinion: no }\n  \
                    - expect: { at: unbook }\n";
    assert_eq!(failures(book, &format!("{START}{rejected}")), "");
}

#[test]
fn rows_that_are_kept_to_be_taken_back_follow_a_hand_over() {
    let process = "
process: visits
title: Visits
start: [clerk]
form:
  visits:
    type: list
    title: Visits
    min: 1
    fields: { who: { type: person, title: Who, required: true } }
steps:
  - id: each_visit
    each: visits
    as: visit
    steps:
      - { id: go_there, title: Go, task: lead, undo: { id: call_off, title: Call off, task: visit.who } }
  - { id: look, title: Look, approve: lead }
";
    let tests = "
test: who has left does not take it back
process: visits
now: 2026-03-02T09:00
start: { by: ann, data: { visits: [{ who: ann }] } }
do:
  - { complete: each_visit/1/go_there, by: leo }
  - { handover: ann, to: bob }
  - { reject: look, by: leo, opinion: no }
  - expect: { task: call_off, for: bob }
";
    assert_eq!(support::failures(tests, &[("directory.yaml", support::OFFICE), ("visits.yaml", process)]), "");
}

#[test]
fn people_are_asked_to_take_back_once_the_attempt_is_over() {
    let book = "    http: POST https://hotel.example/bookings\n    undo: { id: unbook, task: clerk }";
    let withdrawn = "  - { withdraw: never mind, by: ann }
  - expect: { no task: unbook }
  - advance: 5 minutes
  - expect: { task: unbook }
  - { complete: unbook, by: ann }
  - expect: { at: http_1 }
";
    assert_eq!(failures(book, &format!("{START}{withdrawn}")), "");
    // The other side has answered: there is nothing to wait for.
    let answered = "  - { answer: book }
  - { reject: look, by: leo, opinion: no }
  - expect: { task: unbook }
";
    assert_eq!(failures(book, &format!("{START}{answered}")), "");
}
