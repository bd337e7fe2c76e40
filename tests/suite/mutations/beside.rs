//! Each of these mistakes is told beside each other: in a test, a calendar and a directory, where no mistake may hide
//! another one, nor bring a third.
//!
//! Of two mistakes at once the lines are told that are told of each alone, and no others; that the words change is no
//! fault. No two of them rest on each other, as a day off does on the year.

use super::together::disagreements;
use countersign::compile::{self, NoTemplates, SourceText};
use std::collections::BTreeSet;

/// A mistake: what is written, and what stands there instead, in as many lines.
type Mistake = (&'static str, &'static str);

/// A byte that stands in no text; mistakes write NUL for it.
const NO_UTF8: u8 = 0xff;

const ORDER: &str = include_str!("beside/order.yaml");
const TESTS: &str = include_str!("beside/order.test.yaml");
const CALENDAR: &str = include_str!("beside/calendar.yaml");
const DIRECTORY: &str = include_str!("beside/directory.yaml");

const IN_TESTS: &[Mistake] = &[
    // Keys, and what they lead to.
    (
        "process: order\nnow: 2026-03-03T10:00\nstart: { by: bob",
        "process: ordr\nnow: 2026-03-03T10:00\nstart: { by: bob",
    ),
    ("test: taken back", "tset: taken back"),
    ("now: 2026-03-02T09:00\n", "now:\n"),
    ("task: look\n      for", "tsk: look\n      for"),
    ("by: ann, why: cannot", "by: ann, because: cannot"),
    ("- advance: 2", "- advnce: 2"),
    ("{ approve: sign, by: leo }", "{ agree: sign, by: leo }"),
    ("{ complete: enter, by: leo }", "{ complete: enter }"),
    ("{ message: order_delivered", "{ message: order_deliverd"),
    // A start that is refused.
    ("  by: ann\n  data:", "  by: leo\n  data:"),
    ("    kind: tool\n", "    kid: tool\n"),
    ("amount: 320\n    wanted", "amount: 9320\n    wanted"),
    ("name: bit, count: 2", "name: bit, count: 0"),
    ("keeper: bob\n", "erp: A1\n"),
    ("amount: 15, wanted: 2026-03-20", "amount: 15, wanted: 2026-02-20"),
    ("part: saw, ", ""),
    // Names and values of what is done and expected.
    ("due: 2026-03-04T09:00, stage: ask, mail: { to: leo", "due: 2026-03-04T09:00, stage: asking, mail: { to: lea"),
    ("for: [bob]", "for: [bobb]"),
    ("amount: 320, wanted: 2026-03-09 }\n  - complete", "amount: much, wanted: 2026-03-09 }\n  - complete"),
    ("    by: bob\n    outcome", "    by: bobo\n    outcome"),
    ("data: { seen: 2026-03-02 }", "data: { seen: 2026-03-42 }"),
    ("status: 200", "status: 2000"),
    ("outcome: { answer: came", "outcome: { answer: come"),
    ("outcome: { both: done }", "outcome: { both: finished }"),
    ("fail: book", "fail: boook"),
    // Marks and lines.
    ("    outcome: good\n", "     outcome: good\n"),
    ("data: { note: soon } }", "data: { note: soon }"),
    ("at: [shelve, enter]", "at: [shelve, enter"),
    ("- { complete: shelve", "- { complete：shelve"),
    ("---\ntest: the other", "--\ntest: the other"),
    ("---\ntest: taken", "\ntest: taken"),
    ("body: { no: A7 } }", "body: { no: A7 } }}"),
    ("  - { complete: enter, by: leo }\n  - expect", "  - { complete: enter, by: leo }\n    expect"),
    ("ended: withdrawn }", "ended: withdrawn, ended: lost }"),
    ("    part: drill\n", "    part drill\n"),
    ("mail: cy@example.com", "mail: \"cy@example.com"),
    ("opinion: fine", "opinion: f\0ne"),
    ("opinion: down", "opinion: do\u{7}wn"),
];

const IN_CALENDAR: &[Mistake] = &[
    ("calendar: office", "calender: office"),
    ("Asia/Shanghai", "Asia/Shangai"),
    ("week:\n", "weak:\n"),
    ("13:00-18:00]", "13:00-18:00"),
    ("  fri: 09", "  fri 09"),
    ("holidays:", "holidays: }"),
    ("new year: 2026", "new year：2026"),
    ("2026-02-15..2026-02-23", "2026-02-15-2026-02-23"),
    ("[2026-05-01, 2026-05-04]", "[2026-05-01, 2025-05-04]"),
    ("mid autumn: 2026", "mid autumn 2026"),
    ("working:\n", "work days:\n"),
    ("  before spring: 2026-02-14", "\tbefore spring: 2026-01-02"),
    ("[2026-02-28, 2026-03-01]", "[2026-02-28 2026-03-01]"),
    ("2026-01-01..2026-01-03", "2026-01-0\0..2026-01-03"),
];

const IN_DIRECTORY: &[Mistake] = &[
    ("directory: office", "direcotry: office"),
    ("positions:\n", "\n"),
    ("head: chief }", "head: chef }"),
    ("title: Office, head: lead", "title: Office, haed: lead"),
    ("department: board }", "department: bord }"),
    ("office, reports_to: chief", "office, reports_to: clerk"),
    ("department: shop, reports_to: lead }", "department: shop, reports_to: lead"),
    ("people:\n", "persons:\n"),
    ("zone: Asia/Shanghai", "zone: Shanghai"),
    ("name: Leo", "name: Le\0o"),
    ("language: zh", "language: z\u{7}h"),
    ("leo@example.com, positions: [lead]", "leo@example.com, positions: [lead"),
    ("ann: { name: Ann, mail: ann@example.com", "ann: { name: Ann, mail: cleo@example.com"),
    ("[clerk, porter], language: en", "[clerk, poter], language: en"),
    ("    mail: eve@example.com\n", "   mail: eve@example.com\n"),
    ("to: 2026-03-06, substitute: bob", "to: 2026-03-01, substitute: bob"),
    ("    from: 2026-05-04\n", "    from 2026-05-04\n"),
    ("    substitute: eve\n", "    substitute: bob\n"),
];

fn calendar(text: &str) -> BTreeSet<usize> {
    lines(&[("calendar.yaml", text)])
}

fn directory(text: &str) -> BTreeSet<usize> {
    lines(&[("directory.yaml", text), ("order.yaml", ORDER)])
}

fn tests(text: &str) -> BTreeSet<usize> {
    lines(&[("order.test.yaml", text), ("directory.yaml", DIRECTORY), ("order.yaml", ORDER)])
}

/// The lines of the first file that are told.
fn lines(files: &[(&str, &str)]) -> BTreeSet<usize> {
    let bytes = |text: &str| text.bytes().map(|byte| if byte == 0 { NO_UTF8 } else { byte }).collect();
    let source = |(name, text): &(&str, &str)| SourceText { name: (*name).to_owned(), bytes: bytes(text) };
    let compiled = compile::compile(files.iter().map(source).collect(), &NoTemplates);
    let errors = compiled.diagnostics.iter().filter(|found| found.is_error());
    let placed = errors.map(|found| (compiled.sources.get(found.span.source), found.span.start));
    let first = placed.filter(|(source, _)| source.name == files[0].0);
    first.map(|(source, at)| source.position(at).line).collect()
}

/// A text with mistakes; `None` where two of them are in the same words.
fn with(text: &str, mistakes: &[Mistake]) -> Option<String> {
    let mut places: Vec<(usize, Mistake)> =
        mistakes.iter().map(|one| (text.find(one.0).unwrap_or_else(|| panic!("{} is written", one.0)), *one)).collect();
    places.sort();
    let apart = places.windows(2).all(|pair| pair[0].0 + pair[0].1.0.len() <= pair[1].0);
    let mut found = text.to_owned();
    for (at, (right, wrong)) in places.into_iter().rev() {
        found.replace_range(at..at + right.len(), wrong);
    }
    apart.then_some(found)
}

/// What each pair of mistakes hides of the two, or brings besides.
fn hidden(text: &str, told: fn(&str) -> BTreeSet<usize>, mistakes: &[Mistake]) -> String {
    let written: Vec<&str> = mistakes.iter().map(|(_, wrong)| *wrong).collect();
    disagreements(&written, 1, |made| {
        let made: Vec<Mistake> = made.iter().map(|one| mistakes[*one]).collect();
        with(text, &made).map(|text| told(&text))
    })
}

#[test]
fn mistakes_of_tests_are_told_beside_each_other() {
    assert_eq!(hidden(TESTS, tests, IN_TESTS), "");
}

#[test]
fn mistakes_of_a_calendar_are_told_beside_each_other() {
    assert_eq!(hidden(CALENDAR, calendar, IN_CALENDAR), "");
}

#[test]
fn mistakes_of_a_directory_are_told_beside_each_other() {
    assert_eq!(hidden(DIRECTORY, directory, IN_DIRECTORY), "");
}
