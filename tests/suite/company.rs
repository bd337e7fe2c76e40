//! `docs/company.md` says where each rule of the company runs and what shows it: every file and test it names exists.

use crate::support::project;
use regex_lite::Regex;

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(project(path)).ok()
}

#[test]
fn every_rule_of_the_company_is_a_file_and_a_test_that_exist() {
    let page = read("docs/company.md").expect("the page");
    let piece = Regex::new("`([^`]+)`|“([^”]+)”").expect("a pattern");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| S-"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert!(!rows.is_empty(), "the page has rows");
    for row in rows {
        let [_, id, _, files, tests, _] = row[..] else { panic!("{}: a row has four columns", row[1]) };
        let named: Vec<&str> =
            piece.captures_iter(files).filter_map(|one| one.get(1)).map(|one| one.as_str()).collect();
        assert!(!named.is_empty(), "{id} names no file");
        for file in named {
            assert!(read(file).is_some(), "{id}: there is no {file}");
        }
        let mut text = None;
        let mut shown = 0;
        for one in piece.captures_iter(tests) {
            if let Some(file) = one.get(1) {
                text = Some(read(file.as_str()).unwrap_or_else(|| panic!("{id}: there is no {}", file.as_str())));
            } else if let Some(title) = one.get(2) {
                let title = title.as_str();
                let held = text.as_ref().is_some_and(|text| {
                    text.lines()
                        .any(|line| line == format!("test: {title}") || line.starts_with(&format!("fn {title}(")))
                });
                assert!(held, "{id}: no test is called “{title}” where the page says");
                shown += 1;
            }
        }
        assert!(shown > 0, "{id} names no test");
    }
}
