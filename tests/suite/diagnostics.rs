//! Every code has a folder `tests/diagnostics/<name>/` of examples:
//!
//! * `bad*.yaml` must raise the code; what a person then reads is in `bad*.zh.txt` and `bad*.en.txt`.
//! * `good*.yaml` must raise nothing.
//! * `beside/*.yaml` are files of the same project. A folder without them has those of
//!   `tests/diagnostics/beside/` if the text is a process.
//!
//! `UPDATE_GOLDEN=1 cargo test --test suite diagnostics` rewrites the texts; read them before committing.

use crate::support::{check_text, files, golden, name, project};
use countersign::diagnostics::{Code, Sources, Style, render, to_json, to_sarif};
use countersign::model::text::Lang;
use std::path::{Path, PathBuf};

/// The bad texts of a folder: those in it, or, where a file would be too large to keep, made here.
fn bad_texts(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let made = match name(folder).as_str() {
        "file_too_large" => Some("x: y\n".repeat(300_000)),
        "value_too_long" => Some(format!("process: gift\ntitle: {}\nsteps:\n  - end: done\n", "礼".repeat(30_000))),
        "process_too_large" => {
            let steps: String = (0..1_001).map(|n| format!("  - {{ id: s{n}, approve: 客户部经理 }}\n")).collect();
            Some(format!("process: gift\nsteps:\n{steps}"))
        }
        "too_many_faults" => {
            let unknown: String = (0..300).map(|n| format!("colour_{n}: red\n")).collect();
            Some(format!("process: gift\n{unknown}steps:\n  - end: done\n"))
        }
        _ => None,
    };
    match made {
        Some(text) => vec![("bad.yaml".to_owned(), text.into_bytes())],
        None => texts(folder, "bad"),
    }
}

fn texts(folder: &Path, beginning: &str) -> Vec<(String, Vec<u8>)> {
    files(folder, ".yaml")
        .into_iter()
        .filter(|path| name(path).starts_with(beginning))
        .map(|path| (name(&path), std::fs::read(&path).expect("the example can be read")))
        .collect()
}

fn beside(folder: &Path, text: &[u8]) -> Vec<PathBuf> {
    let own = files(&folder.join("beside"), ".yaml");
    let process = text.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"process:"));
    if own.is_empty() && process {
        return files(&project("tests/diagnostics/beside"), ".yaml");
    }
    own
}

#[test]
fn every_code_has_examples_and_they_read_as_written_down() {
    for code in Code::ALL {
        let folder = project("tests/diagnostics").join(code.name());
        let bad = bad_texts(&folder);
        assert!(!bad.is_empty(), "{} has no bad example in {}", code.name(), folder.display());
        for (file, text) in bad {
            let mut sources = Sources::new();
            let found = check_text(&mut sources, &file, &text, &beside(&folder, &text));
            assert!(
                found.iter().any(|diagnostic| diagnostic.code == *code),
                "{}/{file} does not raise its code:\n{}",
                code.name(),
                render(&found, &sources, Lang::En, Style::default())
            );
            for lang in [Lang::Zh, Lang::En] {
                // Of very many faults the last ones are enough to read.
                let shown = &found[found.len().saturating_sub(8)..];
                let golden_file = file.replace(".yaml", &format!(".{}.txt", lang.tag()));
                golden(&folder.join(golden_file), &render(shown, &sources, lang, Style::default()));
            }
        }
    }
}

#[test]
fn good_examples_raise_nothing() {
    for code in Code::ALL {
        let folder = project("tests/diagnostics").join(code.name());
        let good = texts(&folder, "good");
        assert!(!good.is_empty(), "{} has no good example", code.name());
        for (file, text) in good {
            let mut sources = Sources::new();
            let found = check_text(&mut sources, &file, &text, &beside(&folder, &text));
            let shown = render(&found, &sources, Lang::En, Style::default());
            assert!(found.is_empty(), "{}/{file} should raise nothing:\n{shown}", code.name());
        }
    }
}

#[test]
fn every_folder_belongs_to_a_code() {
    let entries = std::fs::read_dir(project("tests/diagnostics")).expect("the folder of examples");
    for entry in entries.filter_map(Result::ok) {
        let folder = name(&entry.path());
        assert!(folder == "beside" || Code::find(&folder).is_some(), "{folder} names no code");
    }
}

#[test]
fn numbers_and_names_are_unique_and_pages_have_a_title() {
    for (at, code) in Code::ALL.iter().enumerate() {
        let rest = &Code::ALL[at + 1..];
        assert!(rest.iter().all(|other| other.name() != code.name() && other.number() > code.number()), "{code:?}");
        for lang in [Lang::Zh, Lang::En] {
            let page = code.page(lang);
            assert!(page.starts_with("# ") && page.len() > 80, "the page of {} ({}) is empty", code.name(), lang.tag());
        }
    }
}

#[test]
fn carets_stand_right_under_wide_characters() {
    let mut sources = Sources::new();
    let text = "process: gift\nsteps:\n  - { id: 审批, approve: 客户部经理, 期限: 2 working days }\n";
    let found = check_text(&mut sources, "礼品.yaml", text.as_bytes(), &[]);
    let shown = render(&found, &sources, Lang::Zh, Style::default());
    let lines: Vec<&str> = shown.lines().collect();
    let at = lines.iter().position(|line| line.contains("期限: 2")).expect("the source line is shown");
    let width = |text: &str| unicode_width::UnicodeWidthStr::width(text);
    let (before, _) = lines[at].split_once("期限").expect("the key");
    let (caret_before, carets) = lines[at + 1].split_once('^').expect("a caret");
    assert_eq!(width(before), width(caret_before), "{shown}");
    assert_eq!(carets.chars().take_while(|c| *c == '^').count() + 1, 4, "two wide characters, four carets\n{shown}");
}

#[test]
fn a_line_of_ten_megabytes_is_shown_in_short() {
    let mut sources = Sources::new();
    let text = format!("process: gift # {}\nsteps: [{{ end: done }}]\n", "很长".repeat(1_700_000));
    let found = check_text(&mut sources, "long.yaml", text.as_bytes(), &[]);
    assert!(!found.is_empty());
    let shown = render(&found, &sources, Lang::En, Style::default());
    assert!(shown.len() < 4_000, "{} bytes", shown.len());
}

#[test]
fn json_holds_places_and_the_mend() {
    let mut sources = Sources::new();
    let text = "process: gift\ntilte: 礼品\nsteps: [{ end: done }]\n";
    let found = check_text(&mut sources, "gift.yaml", text.as_bytes(), &[]);
    let json = to_json(&found, &sources, Lang::En);
    assert_eq!(json[0]["code"], "CS0201");
    assert_eq!(json[0]["name"], "unknown_key");
    assert_eq!(json[0]["at"]["line"], 2);
    assert_eq!(json[0]["at"]["column"], 1);
    assert_eq!(json[0]["at"]["end_column"], 6);
    assert_eq!(json[0]["fix"]["replacement"], "title");
}

#[test]
fn a_secret_is_shown_to_nobody() {
    let folder = project("tests/diagnostics/secret_in_yaml");
    let mut hidden = 0;
    for (file, text) in texts(&folder, "bad") {
        let mut sources = Sources::new();
        let found = check_text(&mut sources, &file, &text, &beside(&folder, &text));
        let text = String::from_utf8(text).expect("text");
        let secrets: Vec<&str> = found
            .iter()
            .filter(|found| found.code == Code::SecretInYaml)
            .map(|found| &text[found.span.start as usize..found.span.end as usize])
            .collect();
        for lang in [Lang::Zh, Lang::En] {
            let shown = [
                render(&found, &sources, lang, Style::default()),
                to_json(&found, &sources, lang).to_string(),
                to_sarif(&found, &sources, lang).to_string(),
            ];
            for secret in &secrets {
                assert!(
                    shown.iter().all(|shown| !shown.contains(secret)),
                    "{secret} is shown in {file}:\n{}",
                    shown[0]
                );
            }
        }
        hidden += secrets.len();
    }
    assert!(hidden >= 8, "only {hidden} secrets are told");
}

/// The `yaml` blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("```yaml\n") {
        let Some((block, after)) = after.split_once("```") else { break };
        found.push(block.to_owned());
        rest = after;
    }
    found
}

#[test]
fn examples_of_the_pages_are_as_wrong_and_as_right_as_they_say() {
    for code in Code::ALL {
        let folder = project("tests/diagnostics").join(code.name());
        for lang in [Lang::Zh, Lang::En] {
            let page = blocks(code.page(lang));
            // Some faults only show in texts too long for a page, or in bytes that it cannot hold.
            let [wrong, right] = page.as_slice() else { continue };
            for (text, is_wrong) in [(wrong, true), (right, false)] {
                if text.contains('…') {
                    continue;
                }
                let mut sources = Sources::new();
                let found = check_text(&mut sources, "page.yaml", text.as_bytes(), &beside(&folder, text.as_bytes()));
                let shown = render(&found, &sources, Lang::En, Style::default());
                let raised = found.iter().any(|found| found.code == *code);
                assert!(raised == is_wrong, "{} ({}):\n{text}\n{shown}", code.name(), lang.tag());
                assert!(is_wrong || found.is_empty(), "{} ({}):\n{text}\n{shown}", code.name(), lang.tag());
            }
        }
    }
}
