//! Any text is an expression or has faults, and what is one has a value or a failure.
#![no_main]

use countersign::expression;
use countersign::model::value::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let now = "2026-03-02T01:14:00Z".parse().expect("a time");
    let _ = expression::run(text, &Record::new(), now);
});
