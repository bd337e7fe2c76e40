//! Every shipped file, changed at random: `check` never panics, never takes long, and each of its errors points at
//! what was changed (`place` says what that means).
//!
//! `scripts/mutate 10000` runs ten thousand of them; a change that fails is printed with its seed, and
//! `MUTATION_SEED=… MUTATIONS=1` repeats it.

mod beside;
mod mixed;
mod mutate;
mod pairs;
mod place;
mod together;

use crate::support::{ExampleTemplates, files, name, project};
use countersign::compile::{self, SourceText};
use countersign::diagnostics::Diagnostic;
use countersign::diagnostics::{Sources, Style, render};
use countersign::model::text::Lang;
use mutate::{Dice, mutate};
use place::{Change, Place};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many are tried in every run of the tests.
const SHORT: usize = 400;

/// The longest that one folder may take; an unoptimised build is given more.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });

/// How many errors of a thousand may point elsewhere.
const ELSEWHERE: usize = 5;

/// A folder, one of whose files is changed.
struct Project {
    changed: usize,
    files: Vec<(String, String)>,
    templates: ExampleTemplates,
}

fn read(paths: &[PathBuf]) -> Vec<(String, String)> {
    // `init` writes the year into what it lays down.
    let text = |path: &PathBuf| Some(std::fs::read_to_string(path).ok()?.replace("{init_year}", "2026"));
    paths.iter().filter_map(|path| Some((name(path), text(path)?))).collect()
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            below(&entry, found);
        } else if entry.extension().is_some_and(|ending| ending == "yaml") {
            found.push(entry);
        }
    }
}

/// Every file that is shipped or good, in its folder.
fn projects() -> Vec<Project> {
    let mut found = Vec::new();
    for folder in ["processes", "docs/starter/zh", "docs/starter/en"] {
        let mut paths = Vec::new();
        below(&project(folder), &mut paths);
        let all = read(&paths);
        // The shipped files are tried three times as often as the small ones of the tests.
        for changed in (0..all.len()).flat_map(|at| [at; 3]) {
            found.push(Project { changed, files: all.clone(), templates: ExampleTemplates::default() });
        }
    }
    let beside = read(&files(&project("tests/diagnostics/beside"), ".yaml"));
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(project("tests/diagnostics")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        for path in files(&folder, ".yaml").into_iter().filter(|path| name(path).starts_with("good")) {
            let mut all = read(&[path]);
            let paths = files(&folder.join("beside"), ".yaml");
            let (own, templates) = (read(&paths), ExampleTemplates::beside(&paths));
            let process = all.first().is_some_and(|(_, text)| text.lines().any(|line| line.starts_with("process:")));
            all.extend(if own.is_empty() && process { beside.clone() } else { own });
            found.push(Project { changed: 0, files: all, templates });
        }
    }
    found
}

/// What became of one change.
struct Tried {
    way: &'static str,
    took: Duration,
    /// Each error with its code and where it points.
    errors: Vec<(&'static str, Place)>,
    shown: String,
}

fn attempt(project: &Project, seed: u64) -> Option<Tried> {
    let mut dice = Dice::new(seed);
    let (file, text) = &project.files[project.changed];
    let (way, bytes) = mutate(text, &mut dice)?;
    let sources = project.files.iter().enumerate().map(|(at, (name, text))| SourceText {
        name: name.clone(),
        bytes: if at == project.changed { bytes.clone() } else { text.clone().into_bytes() },
    });
    let sources: Vec<SourceText> = sources.collect();
    let began = Instant::now();
    let compiled = compile::compile(sources, &project.templates);
    let took = began.elapsed();
    let change = Change::between(text, &String::from_utf8_lossy(&bytes));
    let mut tried = Tried { way, took, errors: Vec::new(), shown: String::new() };
    for found in compiled.diagnostics.iter().filter(|found| found.is_error()) {
        let place = place(found, file, &compiled.sources, &change);
        tried.errors.push((found.code.name(), place));
        if place == Place::Elsewhere {
            let shown = render(std::slice::from_ref(found), &compiled.sources, Lang::En, Style::default());
            tried.shown.push_str(&format!("{file}, {way}:\n{}{shown}\n", difference(text, &bytes)));
        }
    }
    Some(tried)
}

fn place(found: &Diagnostic, changed: &str, sources: &Sources, change: &Change) -> Place {
    let spans = std::iter::once(found.span).chain(found.context.iter().map(|context| context.span));
    let mut best = Place::Elsewhere;
    for span in spans {
        let source = sources.get(span.source);
        let marked = source.text.get(span.start as usize..span.end as usize).unwrap_or("");
        if source.name == changed {
            let lines = source.position(span.start).line..=source.position(span.end).line;
            best = best.min(change.place(lines, marked));
        } else if change.uses(marked) {
            best = best.min(Place::Use);
        }
    }
    if best == Place::Elsewhere && change.uses(&found.message.en) {
        return Place::Use;
    }
    best
}

fn difference(old: &str, new: &[u8]) -> String {
    let new = String::from_utf8_lossy(new);
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let shown = |mark: &str, lines: &[&str]| {
        let text: String = lines.iter().take(6).map(|line| format!("  {mark} {line}\n")).collect();
        if lines.len() > 6 { format!("{text}  {mark} …\n") } else { text }
    };
    format!(
        "line {}\n{}{}",
        head + 1,
        shown("-", &old[head..old.len() - tail]),
        shown("+", &new[head..new.len() - tail])
    )
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn changed_files_are_told_where_they_were_changed() {
    run();
}

pub(crate) fn run() {
    let projects = projects();
    let count = number("MUTATIONS").map_or(SHORT, |count| count as usize);
    let first = number("MUTATION_SEED").unwrap_or(1);
    let (mut tried, mut seed, mut silent) = (0, first, 0);
    let mut slowest = (Duration::ZERO, 0);
    let mut places: BTreeMap<Place, usize> = BTreeMap::new();
    let mut elsewhere: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shown = String::new();
    while tried < count {
        let project = &projects[Dice::new(!seed).below(projects.len())];
        if let Some(mut found) = attempt(project, seed) {
            tried += 1;
            // A machine that stood still is no slow check: what is slow is slow each time.
            for _ in 0..2 {
                if found.took >= LIMIT {
                    found.took = attempt(project, seed).map_or(found.took, |again| again.took.min(found.took));
                }
            }
            slowest = slowest.max((found.took, seed));
            silent += usize::from(found.errors.is_empty());
            *ways.entry(found.way).or_default() += 1;
            for (code, place) in &found.errors {
                *places.entry(*place).or_default() += 1;
                if *place == Place::Elsewhere {
                    *elsewhere.entry(code).or_default() += 1;
                }
            }
            if !found.shown.is_empty() {
                shown.push_str(&format!("seed {seed}: {}\n", found.shown));
            }
        }
        seed += 1;
    }
    let all: usize = places.values().sum();
    println!(
        "{tried} changed files, {all} errors; {silent} files without an error; slowest {} ms (seed {})",
        slowest.0.as_millis(),
        slowest.1
    );
    println!("changes: {ways:?}");
    println!("errors point at: {places:?}");
    println!("elsewhere, by code: {elsewhere:?}");
    if std::env::var_os("MUTATION_SHOW").is_some() {
        println!("{shown}");
    }
    let strays = places.get(&Place::Elsewhere).copied().unwrap_or(0);
    assert!(slowest.0 < LIMIT, "seed {} took {:?}", slowest.1, slowest.0);
    // Of few changes one may be of the rare kind.
    assert!(strays * 1_000 <= all * ELSEWHERE + 2_000, "{strays} of {all} errors point elsewhere:\n{shown}");
}
