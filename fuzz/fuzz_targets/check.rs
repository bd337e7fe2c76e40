//! Any bytes beside a sound directory compile, or are told what is wrong with them.
#![no_main]

use countersign::compile::{NoTemplates, SourceText, compile};
use countersign::model::text::Lang;
use libfuzzer_sys::fuzz_target;

const DIRECTORY: &str = include_str!("../../processes/directory.yaml");

fuzz_target!(|bytes: &[u8]| {
    let files = vec![
        SourceText { name: "directory.yaml".to_owned(), bytes: DIRECTORY.into() },
        SourceText { name: "fuzz.yaml".to_owned(), bytes: bytes.to_vec() },
    ];
    let _ = compile(files, &NoTemplates).render(Lang::En);
});
