//! An author's evening: files with several mistakes each, and what one run of `check` says of them.
//!
//! `tests/mistakes/<case>/` holds the files; what is said stands in `expected.zh.txt` and `expected.en.txt`, which
//! are to be read as somebody would who has never seen a program.

use crate::support::{ExampleTemplates, files, golden, name, project};
use countersign::compile::{self, SourceText};
use countersign::model::text::Lang;

#[test]
fn one_run_tells_all_that_is_to_be_mended() {
    for (case, mistakes) in [("one", 5), ("several", 22), ("torn", 16), ("together", 10), ("tests", 33), ("calls", 2)] {
        let folder = project("tests/mistakes").join(case);
        let mut paths = files(&folder, ".yaml");
        paths.extend(files(&project("tests/diagnostics/beside"), ".yaml"));
        let read = |path| SourceText { name: name(path), bytes: std::fs::read(path).expect("a file of the case") };
        let compiled = compile::compile(paths.iter().map(|path| read(path)).collect(), &ExampleTemplates::default());
        for lang in [Lang::Zh, Lang::En] {
            golden(&folder.join(format!("expected.{}.txt", lang.tag())), &compiled.render(lang));
        }
        assert!(compiled.diagnostics.len() >= mistakes, "{}", compiled.render(Lang::En));
    }
}
