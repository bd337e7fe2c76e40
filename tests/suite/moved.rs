//! A line that was moved to the left or the right, as an editor does at a slip of the hand: one fault, at that line or
//! beside it, with where it belongs. That is offered and not made by program: another line may be the one that moved.

use crate::support::{files, name, project};
use countersign::compile::{self, NoTemplates, SourceText};
use countersign::diagnostics::mend::written;

/// The files of a starter, as `init` lays them down.
fn starter(lang: &str) -> Vec<(String, String)> {
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap().replace("{init_year}", "2026");
        (name(path), text)
    };
    files(&project(&format!("docs/starter/{lang}")), ".yaml").iter().map(read).collect()
}

fn sources(all: &[(String, String)], changed: usize, text: &str) -> Vec<SourceText> {
    let each = all.iter().enumerate().map(|(at, (name, old))| {
        let text = if at == changed { text } else { old };
        SourceText { name: name.clone(), bytes: text.as_bytes().to_vec() }
    });
    each.collect()
}

/// Lists within lists: every line has others far from it that it can spoil.
const NESTED: &str = "process: nested
title: 里外
form:
  rows:
    type: list
    title: 行
    min: 1
    fields:
      who: { type: person, title: 谁, required: true }
steps:
  - id: all
    each: rows
    as: row
    mode: in order
    steps:
      - id: one
        title: 一
        task: row.who
  - id: both
    parallel:
      a:
        - id: first
          title: 甲
          task: 人事
      b:
        - id: second
          title: 乙
          task: 人事
          form:
            x: { type: text, title: 写 }
  - id: last
    title: 末
    task: 人事
";

#[test]
fn a_moved_line_is_one_fault_however_deep_it_stands() {
    let mut all = starter("zh");
    all.push(("nested.yaml".to_owned(), NESTED.to_owned()));
    let (file, lines): (usize, Vec<&str>) = (all.len() - 1, NESTED.lines().collect());
    let (mut tried, mut kept) = (0, Vec::new());
    for (at, line) in lines.iter().enumerate() {
        for by in [-4_isize, -2, -1, 1, 2, 4] {
            let moved = match usize::try_from(by) {
                Ok(by) => format!("{}{line}", " ".repeat(by)),
                Err(_) => match line.strip_prefix(&*" ".repeat(by.unsigned_abs())) {
                    Some(line) => line.to_owned(),
                    None => continue,
                },
            };
            let mut wrong = lines.clone();
            wrong[at] = &moved;
            let wrong = wrong.join("\n") + "\n";
            let compiled = compile::compile(sources(&all, file, &wrong), &NoTemplates);
            let errors: Vec<_> = compiled.diagnostics.iter().filter(|found| found.is_error()).collect();
            let shown = || format!("{} by {by}:\n{}", at + 1, compiled.render(countersign::model::text::Lang::En));
            assert!(errors.len() <= 1, "{}", shown());
            let Some(found) = errors.first() else { continue };
            tried += 1;
            let back = found.fix.as_ref().map(|fix| written(&wrong, &[fix]));
            if back.as_deref() != Some(NESTED) {
                kept.push(shown());
            }
        }
    }
    assert!(tried > 100, "{tried}");
    assert!(kept.len() * 20 < tried, "{} of {tried} are not moved back:\n{}", kept.len(), kept.join("\n"));
}

#[test]
fn a_moved_line_is_one_fault_that_says_where_it_belongs() {
    let (mut tried, mut kept) = (0, Vec::new());
    for lang in ["zh", "en"] {
        let all = starter(lang);
        for (file, (name, text)) in all.iter().enumerate() {
            let lines: Vec<&str> = text.lines().collect();
            let said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
            for (at, line) in lines.iter().enumerate().filter(|(_, line)| said(line)) {
                for by in [2_isize, -2, 4] {
                    let moved = match by {
                        2.. => format!("{}{line}", " ".repeat(by as usize)),
                        _ => match line.strip_prefix("  ") {
                            Some(line) => line.to_owned(),
                            None => continue,
                        },
                    };
                    let mut wrong = lines.clone();
                    wrong[at] = &moved;
                    let wrong = wrong.join("\n") + "\n";
                    let compiled = compile::compile(sources(&all, file, &wrong), &NoTemplates);
                    let errors: Vec<_> = compiled.diagnostics.iter().filter(|found| found.is_error()).collect();
                    let shown = || compiled.render(countersign::model::text::Lang::En);
                    assert!(errors.len() <= 1, "{name}:{} by {by}:\n{}", at + 1, shown());
                    let Some(found) = errors.first() else { continue };
                    let source = compiled.sources.get(found.span.source);
                    let place = source.position(found.span.start).line;
                    assert_eq!(&source.name, name);
                    assert!(place.abs_diff(at + 1) <= 2, "{name}:{} by {by}:\n{}", at + 1, shown());
                    tried += 1;
                    let back = found.fix.as_ref().map(|fix| written(&wrong, &[fix]));
                    if back.as_deref() != Some(text) {
                        kept.push(format!("{name}:{} by {by}\n{}", at + 1, shown()));
                    }
                }
            }
        }
    }
    assert!(tried > 300, "{tried}");
    assert!(kept.len() * 10 < tried, "{} of {tried} are not moved back:\n{}", kept.len(), kept.join("\n"));
}
