//! Mends: what `check --fix` makes of every bad example, and what it leaves alone.

use crate::support::{ExampleTemplates, check_text, files, name, project};
use countersign::compile::{Mended, NoTemplates, SourceText, mend};
use countersign::diagnostics::mend::guesses;
use countersign::diagnostics::{Code, Diagnostic, Sources, Style, render, to_sarif};
use countersign::model::text::Lang;
use std::path::{Path, PathBuf};

fn beside(folder: &Path) -> Vec<PathBuf> {
    let own = files(&folder.join("beside"), ".yaml");
    if own.is_empty() { files(&project("tests/diagnostics/beside"), ".yaml") } else { own }
}

fn mended(text: &str) -> String {
    let file = SourceText { name: "a.yaml".into(), bytes: text.as_bytes().to_vec() };
    let done: Mended = mend(vec![file], &NoTemplates, &|_| true);
    String::from_utf8(done.files[0].bytes.clone()).unwrap()
}

#[test]
fn every_mend_of_the_examples_mends_its_fault_and_adds_none() {
    let mut tried = 0;
    for code in Code::ALL {
        let folder = project("tests/diagnostics").join(code.name());
        for path in files(&folder, ".yaml").into_iter().filter(|path| name(path).starts_with("bad")) {
            let bytes = std::fs::read(&path).unwrap();
            let around = beside(&folder);
            let mut sources = Sources::new();
            let before = check_text(&mut sources, "bad.yaml", &bytes, &around);
            let whole = String::from_utf8_lossy(&bytes).into_owned();
            let sure = |found: &&Diagnostic| found.fix.as_ref().is_some_and(|fix| !guesses(found, fix, &whole));
            let offered: Vec<&Diagnostic> = before.iter().filter(sure).collect();
            if offered.is_empty() {
                continue;
            }
            let mut texts = vec![SourceText { name: "bad.yaml".into(), bytes }];
            texts
                .extend(around.iter().map(|path| SourceText { name: name(path), bytes: std::fs::read(path).unwrap() }));
            let done = mend(texts, &ExampleTemplates::default(), &|file| file == "bad.yaml");
            let after = &done.compiled.diagnostics;
            let text = done.files.iter().find(|file| file.name == "bad.yaml").unwrap();
            let text = String::from_utf8_lossy(&text.bytes);
            let shown = render(after, &done.compiled.sources, Lang::En, Style::default());
            let count = |list: &[Diagnostic], of: &Diagnostic| {
                list.iter().filter(|found| found.code == of.code && found.message == of.message).count()
            };
            for found in offered {
                let fewer = count(after, found) < count(&before, found);
                assert!(fewer, "{} is not mended in {}:\n{text}\n{shown}", found.code.name(), path.display());
            }
            let torn = |found: &&Diagnostic| found.code == Code::UnquotedExpression || found.code.number() < "CS02";
            for found in after.iter().filter(|found| found.is_error()) {
                // What stood behind a break of YAML shows only now.
                let known = count(&before, found) > 0 || before.iter().any(|found| torn(&found));
                assert!(known, "{} is new in {}:\n{text}\n{shown}", found.code.name(), path.display());
            }
            tried += 1;
        }
    }
    assert!(tried >= 20, "only {tried} examples offer a mend");
}

#[test]
fn mends_go_on_until_nothing_is_left_to_mend() {
    let text = "steps:\n\t- id: a\n\t  aprove： boss\nprocess: gift\n";
    let found = mended(text);
    assert!(found.starts_with("process: gift\nsteps:\n  - id: a\n    approve: boss\n"), "{found}");
}

#[test]
fn a_mend_that_would_break_the_file_is_not_made() {
    let text = "process: gift\ntitle: Gift\ntilte: Twice\nsteps: [{ end: done }]\n";
    assert_eq!(mended(text), text, "`title` is there already");
}

#[test]
fn a_guess_between_two_is_no_mend() {
    let text = "process: gift\nsteps:\n  - { id: step1, end: a }\n  - { id: step2, end: b }\n  - { go: step3 }\n";
    assert_eq!(mended(text), text);
}

#[test]
fn another_option_is_offered_and_not_put_for_the_one_that_was_written() {
    let text = |option: &str| {
        format!(
            "process: leave\nform: {{ kind: {{ type: choice, title: K, options: [病假, overtime], required: true }} }}\n\
             steps:\n  - {{ end: sick, when: kind = {option} }}\n  - end: done\n"
        )
    };
    assert_eq!(mended(&text("年假")), text("年假"), "which leave was meant only its author knows");
    assert_eq!(mended(&text("overtme")), text("overtime"));
}

#[test]
fn words_of_other_tools_are_written_in_ours() {
    let around = |when: &str| {
        format!(
            "process: gift\nform: {{ total: {{ type: money, title: T, required: true }} }}\n\
             steps:\n  - set: {{ total: 1 }}\n    when: {when}\n  - end: done\n"
        )
    };
    assert_eq!(mended(&around("total == 5 && total > 3||total < 1")), around("total = 5 and total > 3 or total < 1"));
    assert_eq!(mended(&around("${total} > 3")), around("total > 3"));
}

/// What GitHub asks of a log, and that columns count UTF-16 units.
#[test]
fn sarif_says_where_in_utf16_and_how_to_mend() {
    let mut sources = Sources::new();
    let text = "process: gift\nsteps:\n  - { id: a, title: 😀好, aprove: x }\n";
    let found = check_text(&mut sources, "流程/a b.yaml", text.as_bytes(), &[]);
    let log = to_sarif(&found, &sources, Lang::En);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        for words in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[words]["text"].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        }
    }
    let result = run["results"].as_array().unwrap().iter().find(|result| result["ruleId"] == "CS0209").unwrap();
    let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!((&result["ruleId"], &result["level"]), (&rule["id"], &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "%E6%B5%81%E7%A8%8B/a%20b.yaml");
    // `  - { id: a, title: ` are 20 units, the face two, the letter one, `, ` two.
    let region = serde_json::json!({ "startLine": 3, "startColumn": 26, "endLine": 3, "endColumn": 32 });
    assert_eq!(place["region"], region);
    let change = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(change["deletedRegion"], region);
    assert_eq!(change["insertedContent"]["text"], "approve");
}

/// A file that forgot to say what it is gets its first line, and no word of it is bent into a kind.
#[test]
fn a_forgotten_kind_is_put_first() {
    let text = "# Trips.\ntitle: Trip\nform: { days: { type: integer, title: Days, required: true } }\n\
                steps:\n  - { end: done }\n";
    let files = vec![SourceText { name: "flows/trip.yaml".into(), bytes: text.into() }];
    let after = mend(files, &NoTemplates, &|_| true);
    let expected = text.replace("title: Trip", "process: trip\ntitle: Trip");
    assert_eq!(String::from_utf8_lossy(&after.files[0].bytes), expected);
    assert!(!after.compiled.has_errors(), "{}", after.compiled.render(Lang::En));
}
