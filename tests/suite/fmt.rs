//! Laws of `fmt`: it is done after once, loses no comment, changes no meaning, no version and no fault.

use crate::support::{ExampleTemplates, files, golden, name, project};
use countersign::compile::{SourceText, compile};
use countersign::diagnostics::{Code, Sources};
use countersign::syntax::{Unformatted, format};
use proptest::prelude::*;
use std::path::PathBuf;

fn calm(text: &str) -> Result<String, Unformatted> {
    let mut sources = Sources::new();
    let id = sources.add("a.yaml", text);
    format(id, &sources)
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(calm(text).unwrap(), expected);
    assert_eq!(calm(expected).unwrap(), expected, "a second time");
}

/// Every YAML file that is shipped or an example.
fn all() -> Vec<PathBuf> {
    let mut folders = vec![project("processes"), project("docs/starter/zh"), project("docs/starter/en")];
    let examples = std::fs::read_dir(project("tests/diagnostics")).unwrap().flatten();
    for folder in examples.map(|entry| entry.path()) {
        folders.extend([folder.join("beside"), folder]);
    }
    folders.iter().flat_map(|folder| files(folder, ".yaml")).collect()
}

fn codes(text: &str) -> Vec<Code> {
    let file = SourceText { name: "a.yaml".into(), bytes: text.as_bytes().to_vec() };
    compile(vec![file], &ExampleTemplates::default()).diagnostics.iter().map(|found| found.code).collect()
}

#[test]
fn every_file_keeps_its_faults_and_is_done_after_once() {
    let mut written = 0;
    for path in all() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        match calm(&text) {
            Ok(new) => {
                assert_eq!(calm(&new).as_ref(), Ok(&new), "{} a second time", path.display());
                if name(&path) != "bad_late.yaml" {
                    let (mut before, mut after) = (codes(&text), codes(&new));
                    before.sort();
                    after.sort();
                    assert_eq!(before, after, "{}:\n{new}", path.display());
                }
                written += 1;
            }
            Err(Unformatted::Broken(found)) => assert!(!found.is_empty(), "{}", path.display()),
            Err(Unformatted::Unusual) => {
                assert!(name(&path).starts_with("bad"), "{} cannot be formatted", path.display());
            }
        }
    }
    assert!(written > 100, "only {written} files");
}

#[test]
fn versions_stay() {
    for folder in ["processes", "docs/starter/zh", "docs/starter/en"] {
        let texts: Vec<(PathBuf, String)> = files(&project(folder), ".yaml")
            .into_iter()
            .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap().replace("{init_year}", "2026")))
            .collect();
        let versions = |change: &dyn Fn(&str) -> String| {
            let file = |(path, text): &(PathBuf, String)| SourceText { name: name(path), bytes: change(text).into() };
            let compiled = compile(texts.iter().map(file).collect(), &ExampleTemplates::default());
            compiled.definitions.iter().map(|one| (one.process.clone(), one.version.clone())).collect::<Vec<_>>()
        };
        let before = versions(&|text| text.to_owned());
        assert_eq!(before, versions(&|text| calm(text).unwrap()), "{folder}");
    }
}

#[test]
fn shipped_files_are_calm() {
    for folder in ["processes", "docs/starter/zh", "docs/starter/en"] {
        for path in files(&project(folder), ".yaml") {
            // A project is made in a year that the shipped file does not know.
            let text = std::fs::read_to_string(&path).unwrap().replace("{init_year}", "9999");
            golden(&path, &calm(&text).unwrap().replace("9999", "{init_year}"));
        }
    }
}

#[test]
fn spaces_and_lists() {
    check(
        "process:   gift\nsteps:\n- id:  a\n  approve: [ x,y ]   # two\n-   {end: done ,title: '007'}",
        "process: gift\nsteps:\n  - id: a\n    approve: [x, y]  # two\n  - { end: done, title: '007' }\n",
    );
}

#[test]
fn texts_stay_as_they_are_typed() {
    check("a: 0.10\nb: 007\nc: \"x\"\nd: 'y'\ne: no\n", "a: 0.10\nb: 007\nc: \"x\"\nd: 'y'\ne: no\n");
}

#[test]
fn a_key_alone_in_brackets_gets_no_colon() {
    check("a: {b,c;d,  e: }\n", "a: { b, c;d, e: }\n");
}

#[test]
fn comments_and_empty_lines_stay() {
    check(
        "# head\n\n\nprocess: gift\n\n\n# about steps\nsteps:   # all\n\n    # first\n    - id: a\n      # inner\n      end: b\n      # last of a\n    # last of all\n\n# end\n",
        "# head\n\nprocess: gift\n\n# about steps\nsteps:  # all\n  # first\n  - id: a\n    # inner\n    end: b\n    # last of a\n  # last of all\n\n# end\n",
    );
}

#[test]
fn brackets_with_a_comment_or_too_long_become_a_block() {
    check("a: { b: 1, # one\n  c: 2 }\n", "a:\n  b: 1  # one\n  c: 2\n");
    let long = "字".repeat(30);
    check(&format!("a: {{ b: {long}, c: [{long}] }}\n"), &format!("a:\n  b: {long}\n  c: [{long}]\n"));
}

#[test]
fn brackets_that_become_a_block_have_no_empty_lines() {
    let long = "字".repeat(30);
    check(
        &format!(
            "x: 1\n\na: {{ b: {long}, c: {long} }}\n\ny: [1,\n\n  # why\n\n  2,\n\n  [3, # three\n\n  4]\n\n]\n\nz: 1\n"
        ),
        &format!(
            "x: 1\n\na:\n  b: {long}\n  c: {long}\n\ny:\n  - 1\n  # why\n  - 2\n  - - 3  # three\n    - 4\n\nz: 1\n"
        ),
    );
    check(
        "a:\n\n  - {b: 1,\n\n     # why\n     c: |\n       x\n  }\n".replace("|\n       x\n", "2\n").as_str(),
        "a:\n  - b: 1\n    # why\n    c: 2\n",
    );
}

#[test]
fn a_comment_stays_in_the_list_that_it_closes() {
    check(
        "z: -1\na:\n- - 007\n  - - x-y\n    # of x-y\n  # of 007\n# of a\n- b\n",
        "z: -1\na:\n  - - 007\n    - - x-y\n      # of x-y\n    # of 007\n  # of a\n  - b\n",
    );
}

#[test]
fn texts_of_several_lines_stay() {
    check(
        "a: |  # why\n     one\n       two\n\n     three\n\nb: >-\n   x\n   y\nc: one\n   two\nd: |+\n  keep\n\ne: 1\n",
        "a: |  # why\n  one\n    two\n\n  three\n\nb: >-\n  x\n  y\nc: one\n  two\nd: |+\n  keep\n\ne: 1\n",
    );
}

#[test]
fn anchors_merges_and_marks_stay() {
    check(
        "---\ncommon:  &common\n   due: 1 day\nsteps:\n- <<: *common\n  id: a\n- &x { id: b }\n- *x\n",
        "---\ncommon: &common\n  due: 1 day\nsteps:\n  - <<: *common\n    id: a\n  - &x { id: b }\n  - *x\n",
    );
}

#[test]
fn what_is_no_yaml_is_left_alone() {
    assert!(matches!(calm("a: [b\nc: d\n"), Err(Unformatted::Broken(_))));
    assert!(calm("? a\n: b\n? [c]\n: d\n").is_err());
}

/// Values with comments, empty lines and odd spaces, as YAML text.
fn document() -> impl Strategy<Value = String> {
    let word =
        prop_oneof!["[a-z]{1,8}", Just("礼品".to_owned()), Just("'it''s'".to_owned()), Just("\"x: y\"".to_owned())];
    let leaf = (word, 0..3usize).prop_map(|(word, spaces)| format!("{}{word}", " ".repeat(spaces)));
    let flow = prop::collection::vec(leaf.clone(), 0..12).prop_map(|items| format!("[{}]", items.join(" , ")));
    let value = prop_oneof![3 => leaf, 1 => flow, 1 => Just("{ a: 1,b:  [x,y] }".to_owned())];
    let line = (value, 0..4usize, prop::bool::ANY, prop_oneof![3 => Just(""), 1 => Just("   # said")]);
    prop::collection::vec(line, 1..12).prop_map(|lines| {
        let mut text = String::new();
        let mut depth = 0;
        for (number, (value, deeper, comment, after)) in lines.into_iter().enumerate() {
            if comment {
                text += &format!("{}# c{number}\n\n", "   ".repeat(depth));
            }
            text += &format!("{}k{number}:", "   ".repeat(depth));
            if deeper == 0 {
                text += &format!("{after}\n");
                depth += 1;
                text += &format!("{}k: 1\n", "   ".repeat(depth));
            } else {
                text += &format!("  {value}{after}\n");
                if deeper == 3 {
                    depth = depth.saturating_sub(1);
                }
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_document_is_done_after_once_and_keeps_its_comments(text in document()) {
        let new = calm(&text).map_err(|why| TestCaseError::fail(format!("{why:?}\n{text}")))?;
        let again = calm(&new);
        prop_assert_eq!(again.as_ref(), Ok(&new), "{}", text);
        prop_assert_eq!(text.matches('#').count(), new.matches('#').count(), "{}\n{}", text, new);
    }
}
