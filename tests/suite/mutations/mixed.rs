//! One process with many mistakes, to which one more is made at random: the others are told as before.
//!
//! This is what an author has who has written a file in one go. `MIXED_SHOW=1` prints what was hidden by what.

use super::mutate::{Dice, mutate};
use super::{difference, number, read};
use crate::support::{files, project};
use countersign::compile::{self, Compiled, NoTemplates, SourceText};
use std::collections::{BTreeMap, BTreeSet};

const MIXED: &str = include_str!("mixed.yaml");
const NAME: &str = "mixed.yaml";
/// How many changes are tried.
const CHANGES: usize = 300;
/// How many of a hundred mistakes have to be told all the same.
const TOLD: usize = 97;

/// A mistake: what it is, and the line that it is in.
type Mistake = (&'static str, String);

fn compiled(text: &[u8], beside: &[(String, String)]) -> Compiled {
    let others = beside.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes()));
    let sources = others.chain([(NAME.to_owned(), text.to_vec())]);
    compile::compile(sources.map(|(name, bytes)| SourceText { name, bytes }).collect(), &NoTemplates)
}

fn mistakes(compiled: &Compiled) -> BTreeSet<Mistake> {
    let of_mixed = compiled.diagnostics.iter().filter_map(|found| {
        let source = compiled.sources.get(found.span.source);
        let line = source.text.lines().nth(source.position(found.span.start).line.saturating_sub(1))?;
        (source.name == NAME).then(|| (found.code.name(), line.trim().to_owned()))
    });
    of_mixed.collect()
}

/// The lines between `# planted` and `# filler`: those with the mistakes, and what these rest on.
fn planted(text: &str) -> Vec<&str> {
    let mut within = false;
    let lines = text.lines().filter(|line| {
        within = match line.trim() {
            "# planted" => true,
            "# filler" => false,
            _ => within,
        };
        within || line.trim() == "# filler"
    });
    lines.collect()
}

#[test]
fn a_mistake_hides_no_other() {
    let beside = read(&files(&project("tests/diagnostics/beside"), ".yaml"));
    let all = mistakes(&compiled(MIXED.as_bytes(), &beside));
    assert_eq!(all.len(), 14, "{all:#?}");
    let (count, first) = (number("MIXED").map_or(CHANGES, |count| count as usize), number("MIXED_SEED").unwrap_or(1));
    let (mut tried, mut seed, mut told) = (0, first, 0);
    let mut hidden: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut shown = String::new();
    while tried < count {
        seed += 1;
        let Some((way, bytes)) = mutate(MIXED, &mut Dice::new(seed)) else { continue };
        // What the mistakes are made of stays.
        let text = String::from_utf8_lossy(&bytes);
        if planted(&text) != planted(MIXED) {
            continue;
        }
        tried += 1;
        let found = mistakes(&compiled(&bytes, &beside));
        let lost: Vec<&Mistake> = all.difference(&found).collect();
        told += all.len() - lost.len();
        for (code, _) in &lost {
            *hidden.entry((code, way)).or_default() += 1;
        }
        if !lost.is_empty() {
            let lost: Vec<&str> = lost.iter().map(|(code, _)| *code).collect();
            shown.push_str(&format!("seed {seed}, {way}: {}\n{}", lost.join(" "), difference(MIXED, &bytes)));
        }
    }
    let of = tried * all.len();
    println!("{told} of {of} mistakes told");
    if std::env::var_os("MIXED_SHOW").is_some() {
        println!("{hidden:#?}\n{shown}");
    }
    assert!(told * 100 >= of * TOLD, "{told} of {of} mistakes told\n{hidden:#?}");
}
