//! The columns that the body of an `each` adds to a list: there before it and without it, kept by who hands the list
//! in again, left behind by a call, and read by everybody who is shown the list.

use crate::house::{House, wide};
use crate::support::{self, OFFICE};
use countersign::effects::mailbox::Mailbox;
use countersign::web;

const QUOTES: &str = "
process: quotes
title: Quotes
start: [clerk]
form:
  limit: { type: money, title: Limit, required: true }
  rows: { type: list, title: Rows, min: 1, fields: { name: { type: text, title: Name, required: true } } }
steps:
  - id: ask
    when: limit > 0
    title: Ask
    each: rows
    as: row
    steps:
      - { id: quote, title: Quote, task: clerk, form: { price: { type: money, title: Price, required: true } } }
      - { id: sign, title: Sign, approve: lead }
  - { id: dear, title: Dear, approve: lead, when: 'count(rows[price != null and price > 5]) > 0' }
  - { id: again, title: Again, task: lead, edit: [rows] }
  - { id: other, call: other, with: { rows: rows }, on: { otherwise: next } }
";

const OTHER: &str = "
process: other
title: Other
form:
  rows: { type: list, title: Rows, min: 1, fields: { name: { type: text, title: Name, required: true } } }
steps:
  - { id: look, title: Look, task: clerk }
";

fn failures(tests: &str) -> String {
    support::failures(tests, &[("directory.yaml", OFFICE), ("quotes.yaml", QUOTES), ("other.yaml", OTHER)])
}

const BEGIN: &str = "
process: quotes
now: 2026-03-02T09:00
start: { by: ann, data: { limit: 1, rows: [{ name: A }, { name: B }] } }
do:
  - { complete: ask/1/quote, by: ann, data: { price: 9 } }
  - { approve: ask/1/sign, by: leo }
  - { complete: ask/2/quote, by: ann, data: { price: 3 } }
  - { approve: ask/2/sign, by: leo }
";

#[test]
fn a_list_whose_each_was_skipped_has_its_columns_empty() {
    let tests = "
test: skipped
process: quotes
now: 2026-03-02T09:00
start: { by: ann, data: { limit: 0, rows: [{ name: A }] } }
do:
  - expect: { task: again, outcome: { ask: skipped, dear: skipped }, data: { rows: [{ name: A, price: null }] } }
";
    assert_eq!(failures(tests), "");
}

#[test]
fn a_revision_keeps_what_the_rows_were_asked() {
    let tests = format!(
        "test: another limit\n{BEGIN}  - {{ return: dear, by: leo, opinion: x }}\n  - {{ revise: dear, by: ann, data: {{ limit: 2 }} }}\n  \
         - expect: {{ data: {{ rows: [{{ price: 9 }}, {{ price: 3 }}] }} }}\n---\n\
         test: the same rows again\n{BEGIN}  - {{ return: dear, by: leo, opinion: x }}\n  \
         - {{ revise: dear, by: ann, data: {{ rows: [{{ name: A }}, {{ name: B }}] }} }}\n  \
         - expect: {{ task: dear, data: {{ rows: [{{ price: 9 }}, {{ price: 3 }}] }} }}\n---\n\
         test: one row less\n{BEGIN}  - {{ return: dear, by: leo, opinion: x }}\n  \
         - {{ revise: dear, by: ann, data: {{ rows: [{{ name: B }}] }} }}\n  \
         - expect: {{ task: ask/1/quote, data: {{ rows: [{{ name: B, price: 3 }}] }} }}\n"
    );
    assert_eq!(failures(&tests), "");
}

#[test]
fn a_later_edit_and_a_call_get_along_with_them() {
    let tests = format!(
        "test: edited and handed on\n{BEGIN}  - {{ approve: dear, by: leo }}\n  \
         - {{ complete: again, by: leo, data: {{ rows: [{{ name: A }}, {{ name: C }}] }} }}\n  \
         - expect: {{ data: {{ rows: [{{ name: A, price: 9 }}, {{ name: C, price: null }}] }} }}\n  \
         - {{ complete: other/look, by: ann }}\n  - expect: {{ ended: done }}\n"
    );
    assert_eq!(failures(&tests), "");
    // One that is gone takes what it was asked along, though another one came.
    let moved = tests.replace("[{ name: A }, { name: C }]", "[{ name: B }, { name: C }]").replace(
        "[{ name: A, price: 9 }, { name: C, price: null }]",
        "[{ name: B, price: 3 }, { name: C, price: null }]",
    );
    assert_eq!(failures(&moved), "");
    let forged = tests.replace("[{ name: A }, { name: C }]", "[{ name: A, price: 1 }, { name: C }]");
    assert!(failures(&forged).contains("price"), "{}", failures(&forged));
}

#[test]
fn a_row_that_was_changed_keeps_them_only_while_it_is_the_same_by_name() {
    let quotes = QUOTES
        .replace("required: true } } }\nsteps", "required: true }, note: { type: integer, title: Note } } }\nsteps");
    let told = |rows: &str, then: &str| {
        let tests = format!(
            "test: edited\n{BEGIN}  - {{ approve: dear, by: leo }}\n  \
             - {{ complete: again, by: leo, data: {{ rows: {rows} }} }}\n  - expect: {{ data: {{ rows: {then} }} }}\n"
        );
        let files = [("directory.yaml", OFFICE), ("quotes.yaml", &quotes), ("other.yaml", OTHER)];
        support::failures(&tests, &files)
    };
    let renamed = told("[{ name: Z }, { name: B }]", "[{ name: Z, price: null }, { name: B, price: 3 }]");
    assert_eq!(renamed, "");
    let mended = told("[{ name: A, note: 4 }, { name: B }]", "[{ name: A, note: 4, price: 9 }, { name: B, price: 3 }]");
    assert_eq!(mended, "");
    // Wherever it stands now, and whatever came or went beside it.
    let moved = told(
        "[{ name: C }, { name: B, note: 1 }, { name: A, note: 2 }]",
        "[{ name: C, price: null }, { name: B, price: 3 }, { name: A, price: 9 }]",
    );
    assert_eq!(moved, "");
    assert_eq!(told("[{ name: B, note: 1 }]", "[{ name: B, price: 3 }]"), "");
}

#[test]
fn rows_without_a_name_keep_them_in_their_place() {
    let process = "
process: sizes
title: Sizes
start: [clerk]
form:
  rows: { type: list, title: Rows, min: 1, fields: { size: { type: integer, title: Size, required: true }, more: { type: integer, title: More } } }
steps:
  - { id: ask, each: rows, as: row, steps: [{ id: quote, title: Quote, task: clerk, form: { price: { type: money, title: Price, required: true } } }] }
  - { id: again, title: Again, task: lead, edit: [rows] }
";
    let told = |rows: &str, then: &str| {
        let tests = format!(
            "test: edited\nprocess: sizes\nnow: 2026-03-02T09:00\nstart: {{ by: ann, data: {{ rows: [{{ size: 1 }}, {{ size: 2 }}] }} }}\n\
             do:\n  - {{ complete: ask/1/quote, by: ann, data: {{ price: 9 }} }}\n  - {{ complete: ask/2/quote, by: ann, data: {{ price: 3 }} }}\n  \
             - {{ complete: again, by: leo, data: {{ rows: {rows} }} }}\n  - expect: {{ data: {{ rows: {then} }} }}\n"
        );
        support::failures(&tests, &[("directory.yaml", OFFICE), ("sizes.yaml", process)])
    };
    assert_eq!(told("[{ size: 1, more: 3 }, { size: 2 }]", "[{ more: 3, price: 9 }, { price: 3 }]"), "");
    assert_eq!(told("[{ size: 2 }, { size: 7 }]", "[{ size: 2, price: 3 }, { size: 7, price: null }]"), "");
    assert_eq!(told("[{ size: 5 }, { size: 1 }, { size: 2 }]", "[{ price: null }, { price: 9 }, { price: 3 }]"), "");
}

#[tokio::test]
async fn who_edits_a_list_reads_what_its_rows_were_asked() {
    let options = web::Options { limits: wide(), mailbox: Some(Mailbox::new()), ..web::Options::default() };
    let quotes = QUOTES.replace("id: quote, title: Quote, task: clerk", "id: quote, title: Quote, task: lead");
    let files = [("directory.yaml", OFFICE), ("quotes.yaml", &quotes), ("other.yaml", OTHER)];
    let house = House::of(&files, options).await;
    house.start_by("quotes", "ann", serde_json::json!({ "limit": "1", "rows": [{ "name": "Oak" }] })).await;
    house.answer(&house.link("leo").await, &[("outcome", "done"), ("price", "4.40")]).await.is(303);
    house.answer(&house.link("leo").await, &[("outcome", "approved")]).await.is(303);
    let page = house.get(&house.link("leo").await).await;
    page.is(200).has(&["Again", "rows.0.name", "Oak", "4.40"]);
    // There is one answer only: it need not be chosen.
    page.has(&["value=\"done\" required checked"]);
}

#[tokio::test]
async fn who_signs_a_row_reads_what_it_was_asked_and_not_what_the_others_were() {
    let options = web::Options { limits: wide(), mailbox: Some(Mailbox::new()), ..web::Options::default() };
    let files = [("directory.yaml", OFFICE), ("quotes.yaml", QUOTES), ("other.yaml", OTHER)];
    let house = House::of(&files, options).await;
    let data = serde_json::json!({ "limit": "1", "rows": [{ "name": "Oak" }, { "name": "Pine" }] });
    house.start_by("quotes", "ann", data).await;
    let clerk = house.link("ann").await;
    house.answer(&clerk, &[("outcome", "done"), ("price", "77.70")]).await.is(303);
    let lead = house.link("leo").await;
    house.get(&lead).await.is(200).has(&["Oak", "77.70", "Pine"]);
    house.deliver().await;
    let mail = house.mailbox.list(Some(&"leo".into())).remove(0);
    assert!(mail.text.contains("77.70"), "{}", mail.text);
    // The clerk of the other row is not told what this one came to.
    let other = house.link("ann").await;
    house.get(&other).await.is(200).has(&["Pine"]).lacks(&["77.70"]);
}
