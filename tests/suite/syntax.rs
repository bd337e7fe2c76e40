//! Reading documents: what is kept, where expressions stand, and that no text brings the reader down.

use crate::support::{check_text, project};
use countersign::diagnostics::{Code, Diagnostic, Sources, Style, render, to_json};
use countersign::model::text::{Lang, Text};
use countersign::syntax::{self, Document, FieldType, Parsed, Process, StepKind, parse};
use proptest::prelude::*;
use std::time::Instant;

fn process(text: &str) -> Process {
    let mut sources = Sources::new();
    let id = sources.add("test.yaml", text);
    let Parsed { document, diagnostics: found, .. } = parse(id, &sources);
    assert!(found.is_empty(), "{}", render(&found, &sources, Lang::En, Style::default()));
    match document {
        Document::Process(process) => process,
        other => panic!("no process: {other:?}"),
    }
}

fn faults(text: &[u8]) -> Vec<Diagnostic> {
    let mut sources = Sources::new();
    let found = check_text(&mut sources, "test.yaml", text, &[]);
    for lang in [Lang::Zh, Lang::En] {
        let _shown = render(&found, &sources, lang, Style { colour: true, width: 60 });
        let _json = to_json(&found, &sources, lang);
    }
    found
}

fn codes(text: &[u8]) -> Vec<&'static str> {
    faults(text).iter().map(|fault| fault.code.name()).collect()
}

#[test]
fn texts_stay_as_written() {
    let process = process(
        "process: gift\nnumber: 007\nform:\n  a: { type: choice, title: no, options: { yes_: 0.10, no_: off } }\nsteps:\n  - end: done\n",
    );
    assert_eq!(process.number.expect("a number").value, "007");
    let field = &process.form[0];
    assert_eq!(field.kind.expect("a type").value, FieldType::Choice);
    assert_eq!(field.title.as_ref().expect("a title").value, Text::from("no"));
    assert_eq!(field.options[0].title, Text::from("0.10"));
    assert_eq!(field.options[1].title, Text::from("off"));
}

/// The place of `part` of the first step's `when`, as text of the file.
#[track_caller]
fn check_place(when: &str, part: &str, expected: &str) {
    let text = format!("process: gift\nsteps:\n  - id: a\n    when: {when}\n    approve: x\n");
    let process = process(&text);
    let feel = process.steps[0].when.as_ref().expect("a condition");
    let at = feel.text.find(part).expect("the part");
    let span = feel.span_of(at..at + part.len());
    assert_eq!(&text[span.start as usize..span.end as usize], expected, "in {when}");
}

#[test]
fn parts_of_an_expression_are_found_in_the_file() {
    check_place("合计 >= 500", "合计", "合计");
    check_place("合计 >= 500", "500", "500");
    check_place("'grade = \"高\" and total > 5'", "total", "total");
    check_place("'name = \"it''s\" and total > 5'", "total", "total");
    check_place(r#""grade = \"high\" and 合计 > 5""#, "合计", "合计");
    check_place(r#""grade = \"high\"""#, "\"high\"", r#"\"high\""#);
    check_place("total > 5\n      and other < 3", "other", "other");
    check_place(">-\n      total > 5\n      and other < 3", "other", "other");
    check_place("|\n      total > 5\n        and 合计 < 3\n", "合计", "合计");
}

#[test]
fn anchors_and_merge_keys_are_written_out() {
    let process = process(
        "process: gift\nform:\n  giver: &named { type: text, title: 赠送人, required: true }\n  taker: { <<: *named, title: 受赠人 }\nsteps:\n  - end: done\n",
    );
    let taker = &process.form[1];
    assert!(taker.required.expect("merged").value);
    assert_eq!(taker.title.as_ref().expect("its own").value, Text::from("受赠人"));
}

#[test]
fn byte_order_mark_and_windows_line_ends_are_accepted() {
    let process = process("\u{feff}process: gift\r\ntitle: 礼品\r\nsteps:\r\n  - end: done\r\n");
    assert_eq!(process.title.expect("a title").value, Text::from("礼品"));
}

#[test]
fn a_step_that_is_not_understood_keeps_its_name() {
    let mut sources = Sources::new();
    let text = "process: gift\nsteps:\n  - { id: pause, wait: [] }\n  - { go: pause }\n";
    let id = sources.add("test.yaml", text);
    let Parsed { document: Document::Process(process), diagnostics: found, .. } = parse(id, &sources) else {
        panic!("a process")
    };
    assert_eq!(found.len(), 1);
    assert_eq!(process.steps[0].id.as_ref().expect("a name").value, "pause");
    assert_eq!(process.steps[0].kind, StepKind::Unknown);
}

#[test]
fn all_faults_of_a_file_are_reported_at_once() {
    let text = "process: gift\ntilte: x\nform:\n  a b: { type: text }\n  c: { typ: text }\nsteps:\n  - { id: a, aprove: x }\n  - { id: b, approve: x, due: }\n";
    assert_eq!(
        codes(text.as_bytes()),
        ["no_directory", "unknown_key", "bad_name", "unknown_key", "step_kind", "missing_value"]
    );
}

#[test]
fn hostile_texts_are_refused_quickly() {
    let start = Instant::now();
    assert_eq!(codes("[".repeat(100_000).as_bytes()), ["too_deep"]);
    assert_eq!(codes("a: ".repeat(100_000).as_bytes()), ["unknown_kind", "value_too_long", "yaml_syntax"]);
    assert_eq!(codes("x".repeat(10 * 1024 * 1024).as_bytes()), ["file_too_large"]);
    assert_eq!(codes("- ".repeat(100_000).as_bytes()), ["too_deep"]);
    let keys: String = (0..40_000).map(|n| format!("k{n}: 1\n")).collect();
    assert!(!codes(keys.as_bytes()).is_empty());
    let keys: String = (0..20_000).map(|n| format!("k{n}: 1\n")).collect();
    assert_eq!(codes(format!("process: x\n{keys}").as_bytes()).len(), syntax::FAULT_LIMIT + 1);
    assert_eq!(codes(b"\xff\xfe"), ["not_utf8"]);
    assert_eq!(codes(b"\xff\xfep\0r\0o\0c\0e\0s\0s\0"), ["not_utf8"]);
    assert_eq!(codes(b"process: a\0b"), ["missing_key", "control_character"]);
    assert!(codes(b"process: &a [*a]").contains(&"unknown_alias"));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn every_prefix_of_a_document_is_read_without_a_panic() {
    let text = std::fs::read(project("processes/equipment.yaml")).expect("a shipped file");
    for end in (0..text.len()).step_by(7) {
        faults(&text[..end]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_brings_the_reader_down(text in "(?s)[-a-c0-9:{}\\[\\]\"'|>&*!%@#,?\\\\ \n\t\r：，（）礼品\u{0}\u{feff}]{0,80}") {
        faults(text.as_bytes());
    }

    #[test]
    fn no_change_of_a_document_brings_the_reader_down(at in 0usize..2000, cut in 0usize..12, put in "[-:{}\\[\\]\"'|>&*!礼 \n\t]{0,4}") {
        let text = std::fs::read_to_string(project("processes/gift.yaml")).expect("a shipped file");
        let chars: Vec<char> = text.chars().collect();
        let at = at.min(chars.len());
        let changed: String = chars[..at].iter().copied().chain(put.chars())
            .chain(chars[(at + cut).min(chars.len())..].iter().copied()).collect();
        faults(changed.as_bytes());
    }
}

#[test]
fn codes_are_found_by_number_and_name() {
    for code in Code::ALL {
        assert_eq!(Code::find(code.number()), Some(*code));
        assert_eq!(Code::find(code.name()), Some(*code));
    }
    assert_eq!(Code::closest("unknow_key"), Some(Code::UnknownKey));
}
