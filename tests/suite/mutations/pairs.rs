//! Files in which any two of many mistakes are made: each is told as it is alone, and nothing else is.
//!
//! What follows `#!` in a file could have been written instead of the line above it. `PAIRS=1` tries every pair, and
//! `PAIRS_SHOW=1` prints what is told of each mistake alone.

use super::together::disagreements;
use super::{number, read};
use crate::support::{files, project};
use countersign::compile::{self, Compiled, NoTemplates, SourceText};
use countersign::model::text::Lang;
use std::collections::BTreeSet;

const FILES: &[(&str, &str)] = &[
    ("travel.yaml", include_str!("pairs/travel.yaml")),
    ("surcharges.yaml", include_str!("pairs/surcharges.yaml")),
    ("repair.yaml", include_str!("pairs/repair.yaml")),
];

/// Of so many pairs one is tried.
const EVERY: usize = 7;

/// A line that is written wrong: which, and how.
type Mistake<'t> = (usize, &'t str);

/// The lines of a file as they are right, and the mistakes.
fn taken_apart(text: &str) -> (Vec<&str>, Vec<Mistake<'_>>) {
    let (mut right, mut wrong): (Vec<&str>, Vec<Mistake<'_>>) = Default::default();
    for line in text.lines() {
        match line.strip_prefix("#!") {
            Some(instead) => wrong.push((right.len() - 1, instead)),
            None => right.push(line),
        }
    }
    (right, wrong)
}

struct Pool<'t> {
    name: &'t str,
    right: Vec<&'t str>,
    beside: Vec<(String, String)>,
}

impl Pool<'_> {
    fn compiled(&self, mistakes: &[Mistake<'_>]) -> Compiled {
        let mut lines = self.right.clone();
        mistakes.iter().for_each(|(line, instead)| lines[*line] = instead);
        let text = lines.join("\n") + "\n";
        let beside = self.beside.iter().map(|(name, text)| (name.clone(), text.clone()));
        let sources = beside.chain([(self.name.to_owned(), text)]);
        let sources = sources.map(|(name, text)| SourceText { name, bytes: text.into_bytes() });
        compile::compile(sources.collect(), &NoTemplates)
    }

    /// What is told, and in which line.
    fn told(&self, mistakes: &[Mistake<'_>]) -> BTreeSet<(&'static str, usize)> {
        let compiled = self.compiled(mistakes);
        let found = compiled.diagnostics.iter().map(|found| {
            let source = compiled.sources.get(found.span.source);
            (found.code.name(), source.position(found.span.start).line)
        });
        found.collect()
    }
}

#[test]
fn each_of_two_mistakes_is_told_and_nothing_else() {
    let mut wrong = String::new();
    for (name, text) in FILES {
        let (right, mistakes) = taken_apart(text);
        let beside = read(&files(&project("tests/diagnostics/beside"), ".yaml"));
        let pool = Pool { name, right, beside };
        if std::env::var_os("PAIRS_SHOW").is_some() {
            mistakes.iter().for_each(|one| println!("{}\n{}", one.1, pool.compiled(&[*one]).render(Lang::En)));
        }
        let written: Vec<&str> = mistakes.iter().map(|(_, instead)| *instead).collect();
        let every = number("PAIRS").map_or(EVERY, |every| every as usize);
        let found = disagreements(&written, every, |made| {
            let made: Vec<Mistake<'_>> = made.iter().map(|one| mistakes[*one]).collect();
            let apart = made.windows(2).all(|pair| pair[0].0 != pair[1].0);
            apart.then(|| pool.told(&made))
        });
        if !found.is_empty() {
            wrong.push_str(&format!("{name}\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
