//! The ways by which tests name steps in rows and blocks: what is right works to the end of a case, and what leads nowhere is
//! refused before anything is played. What a failure says is so.

use crate::support::{self, OFFICE, compile};
use countersign::model::text::Lang;

const BUY: &str = "
process: buy
title: Buy
start: [clerk]
form: { bids: { type: list, title: Bids, min: 1, fields: { name: { type: text, title: Name, required: true } } } }
steps:
  - id: ask
    title: Ask
    each: bids
    as: bid
    steps:
      - { id: offer, title: Offer, task: applicant, form: { price: { type: integer, title: Price, required: true } } }
      - { id: look, title: Look, approve: lead, due: 2 working days, when: bid.price > 5, on: { rejected: next } }
  - id: both
    parallel:
      a: [{ id: here, title: Here, task: applicant }]
      b: [{ id: there, title: There, approve: lead, due: 3 working days }]
  - { id: hold, title: Hold, wait: 3 days }
  - { id: paid, title: Paid, receive: paid }
";

const START: &str =
    "process: buy\nnow: 2026-03-02T09:00\nstart: { by: ann, data: { bids: [{ name: A }, { name: B }] } }\ndo:\n";

const ASKED: &str = "  - { complete: ask/1/offer, by: ann, data: { price: 3 } }\n  - { complete: ask/2/offer, by: ann, data: { price: 9 } }\n";

fn failures(deeds: &str) -> String {
    support::failures(&format!("test: buy\n{START}{deeds}"), &[("directory.yaml", OFFICE), ("buy.yaml", BUY)])
}

/// What `check` says of an expectation.
fn checked(expected: &str) -> String {
    let test = format!("test: buy\n{START}  - expect: {expected}\n");
    compile(&[("directory.yaml", OFFICE), ("buy.yaml", BUY), ("buy.test.yaml", &test)]).render(Lang::En)
}

#[test]
fn what_a_step_came_to_in_a_row_is_known_after_the_row_is_done() {
    let told = failures(&format!(
        "{ASKED}  - expect: {{ outcome: {{ ask/1/offer: done, ask/1/look: skipped }} }}\n  - {{ reject: ask/2/look, by: leo, opinion: no }}\n  \
         - expect: {{ outcome: {{ ask/1/offer: done, ask/1/look: skipped, ask/2/look: rejected, look: rejected, ask: done }} }}\n  \
         - {{ complete: both/here, by: ann }}\n  - expect: {{ outcome: {{ ask/1/look: skipped, ask/2/look: rejected, both/here: done }} }}\n"
    ));
    assert_eq!(told, "");
}

#[test]
fn a_way_that_leads_nowhere_is_refused_with_what_to_write() {
    for (expected, said) in [
        ("{ outcome: { ask/1/there: done } }", &["step `there` is not within `ask`", "write `there`"][..]),
        ("{ outcome: { there/1/offer: done } }", &["step `there` has no rows"]),
        ("{ outcome: { both/offer: done } }", &["step `offer` is not within `both`", "`ask/1/offer`"]),
        ("{ outcome: { ask/1: done } }", &["`ask/1` is a row", "`ask/1/offer`, `ask/1/look`"]),
        ("{ outcome: { both/a/here: done } }", &["has no step `a`", "that step is written `here`"]),
        ("{ task: ask/here }", &["step `here` is not within `ask`"]),
    ] {
        let told = checked(expected);
        assert!(said.iter().all(|said| told.contains(said)), "{expected}:\n{told}");
    }
    for right in ["{ task: ask/2/offer }", "{ task: ask/offer }", "{ task: offer }", "{ no task: both/here }"] {
        assert_eq!(checked(right), "", "{right}");
    }
}

#[test]
fn a_failure_tells_what_is_waited_for_whom_and_until_when() {
    let open = format!("{ASKED}  - expect: {{ ended: done }}\n");
    assert!(
        failures(&open).contains("it is still open; asked now: `ask/2/look`: leo (Leo), due 2026-03-04T18:00"),
        "{}",
        failures(&open)
    );
    let row = "  - expect: { outcome: { ask/7/offer: done } }\n";
    assert!(failures(row).contains("but `ask` has come to 2 rows so far"), "{}", failures(row));
    let go_on = format!(
        "{ASKED}  - {{ approve: ask/2/look, by: leo }}\n  - {{ complete: here, by: ann }}\n  - {{ approve: there, by: leo }}\n"
    );
    let hold = format!("{go_on}  - expect: {{ ended: done }}\n");
    assert!(
        failures(&hold).contains("it is still open; waiting: `hold` until 2026-03-05T09:00"),
        "{}",
        failures(&hold)
    );
    let paid = format!("{go_on}  - advance: 3 days\n  - expect: {{ ended: done }}\n");
    assert!(failures(&paid).contains("waiting: `paid` for the message `paid`"), "{}", failures(&paid));
}
