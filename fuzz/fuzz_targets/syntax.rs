//! Any bytes are a document, complete or not, and its faults can be shown.
#![no_main]

use countersign::diagnostics::{Sources, Style, render};
use countersign::model::text::Lang;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut sources = Sources::new();
    let id = sources.add_bytes("fuzz.yaml", bytes);
    let found = countersign::syntax::parse(id, &sources).diagnostics;
    let _ = render(&found, &sources, Lang::Zh, Style::default());
});
