//! The house rules, as a program: who may import whom, one door a library, what is forbidden where.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may name. A room may always name itself.
const IMPORTS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("failpoint", &[]),
    ("diagnostics", &["model"]),
    ("syntax", &["diagnostics", "model"]),
    ("expression", &["model"]),
    ("compile", &["syntax", "diagnostics", "model", "expression"]),
    ("diagram", &["model"]),
    ("engine", &["model", "expression"]),
    ("measure", &["model", "expression", "engine"]),
    ("simulate", &["syntax", "diagnostics", "model", "expression", "compile", "engine", "measure"]),
    ("store", &["model", "engine", "failpoint"]),
    ("effects", &["model", "engine", "failpoint"]),
    ("report", &["model", "measure", "effects"]),
    ("runtime", &["model", "engine", "store", "effects", "failpoint"]),
    ("bench", &["model", "expression", "engine", "store", "runtime"]),
    ("web", &["model", "engine", "runtime", "effects"]),
];

/// Where the words of a room end: nothing here may name these rooms' items.
const NEVER: &[(&str, &str)] = &[
    ("store", "engine::decide"),
    ("effects", "engine::decide"),
    ("web", "engine::decide"),
    ("model", "async "),
    ("engine", "async "),
    ("expression", "async "),
    ("compile", "async "),
    ("diagram", "async "),
    ("diagram", "HashMap"),
    ("diagram", "f32"),
    ("diagram", "f64"),
    ("syntax", "async "),
    ("diagnostics", "async "),
    ("report", "async "),
    ("report", "f32"),
    ("report", "f64"),
    ("measure", "async "),
    ("measure", "HashMap"),
    ("measure", "f32"),
    ("measure", "f64"),
    ("engine", "HashMap"),
    ("model", "HashMap"),
    ("expression", "HashMap"),
    ("compile", "HashMap"),
    ("syntax", "HashMap"),
    ("engine", "rand::"),
    ("engine", "getrandom"),
];

/// Each library that only one place may name.
const DOORS: &[(&str, &[&str])] = &[
    ("croner::", &["src/model/cron.rs"]),
    ("rayon::", &["src/compile/mod.rs"]),
    ("petgraph::", &["src/model/graph.rs"]),
    ("granit_parser::", &["src/syntax/node/", "src/syntax/format/tree.rs"]),
    ("annotate_snippets::", &["src/diagnostics/"]),
    ("sqlx::", &["src/store/"]),
    ("lettre::", &["src/effects/"]),
    ("minijinja::", &["src/effects/template.rs"]),
    ("hyper::", &["src/effects/http/"]),
    ("tokio_rustls::", &["src/effects/http/"]),
    ("axum::", &["src/web/"]),
    ("tokio_util::", &["src/web/"]),
    ("clap::", &["src/cli/"]),
    ("clap_complete::", &["src/cli/"]),
    ("terminal_size::", &["src/cli/output.rs"]),
    ("ureq::", &["src/cli/browser.rs"]),
    ("indicatif::", &["src/cli/output.rs"]),
    ("tokio::", &["src/runtime/", "src/bench/", "src/web/", "src/cli/", "src/store/", "src/effects/"]),
    ("getrandom::", &["src/runtime/", "src/effects/link.rs", "src/store/"]),
];

#[test]
fn rooms_import_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room_of(&path) else { continue };
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == room) else { continue };
        for (number, line) in code(&text) {
            for named in rooms_named(line) {
                if named != room && !allowed.contains(&named.as_str()) {
                    wrong.push(format!("{}:{number}: `{room}` may not name `{named}`", path.display()));
                }
            }
            for (of, word) in NEVER {
                if *of == room && line.contains(word) {
                    wrong.push(format!("{}:{number}: no `{}` in `{room}`", path.display(), word.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_library_has_one_door() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let shown = path.display().to_string();
        for (number, line) in code(&text) {
            for (library, doors) in DOORS {
                if line.contains(library) && !doors.iter().any(|door| shown.starts_with(door)) {
                    wrong.push(format!("{shown}:{number}: `{library}` belongs to {}", doors.join(", ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_of_a_company_is_in_the_engine() {
    let words = [
        "客户部",
        "大客户",
        "礼品",
        "馈赠",
        "接待",
        "拜访",
        "提成",
        "gift",
        "reception",
        "commission",
        "revisit",
        "equipment",
    ];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            wrong.extend(
                words
                    .iter()
                    .filter(|word| line.contains(**word))
                    .map(|word| format!("{}:{number}: `{word}` is a company's word", path.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_source_file_opens_with_its_job() {
    let wrong: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| format!("{} does not say what it is for", path.display()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = BTreeMap::new();
    walk(Path::new("src"), &mut found);
    assert!(found.len() > 40, "the sources are not where they should be");
    found.into_iter().collect()
}

fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.insert(path.clone(), fs::read_to_string(&path).unwrap());
        }
    }
}

fn room_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    Some(first.trim_end_matches(".rs").to_owned())
}

/// The lines that are code, with their numbers: comments and the unit tests at the end of a file are not.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn rooms_named(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("crate::") {
        rest = &rest[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let names = group.split('}').next().unwrap_or_default().split(',');
            found.extend(names.map(|name| name.trim().split("::").next().unwrap_or_default().to_owned()));
        } else {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push(name);
        }
    }
    found
        .retain(|name| !name.is_empty() && !name.ends_with('!') && name.chars().next().is_some_and(char::is_lowercase));
    found
}
