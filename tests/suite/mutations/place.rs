//! Whether an error points at what was changed.
//!
//! Both texts are compared line by line; what differs are the *changed lines* (where lines are only gone, those on
//! both sides of the gap). An error is well placed if its caret, or a place that it shows beside, is
//!
//! 1. **in a changed line**,
//! 2. **in the parent**: the mapping that held the lines before, or holds them now: the line that opens it and the
//!    lines of its own keys, not what is nested in those, or
//! 3. **below**: in what a changed line opens, where `form:` has become `steps:` and its contents do not fit, or in
//!    what it opened before and now belongs to nothing or to something else, or
//! 4. **at a use**: where an expression or a reference names what the changed lines, or those below them, declare. A
//!    name that is gone or means something else now is missed where it is used.
//!
//! All else is an exception and is counted by its code.

use super::mutate::{indent, silent, spaces};
use std::collections::BTreeSet;

/// Where an error was found to point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Line,
    Parent,
    Below,
    Use,
    Elsewhere,
}

/// The lines that differ between two texts, and what may be said of them.
pub(crate) struct Change {
    /// Numbers of lines of the new text, from 1.
    lines: BTreeSet<usize>,
    parents: BTreeSet<usize>,
    below: BTreeSet<usize>,
    /// Words that are written in the changed lines, before or after.
    words: BTreeSet<String>,
}

impl Change {
    pub(crate) fn between(old: &str, new: &str) -> Change {
        let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let mut change =
            Change { lines: BTreeSet::new(), parents: BTreeSet::new(), below: BTreeSet::new(), words: BTreeSet::new() };
        for (gone, come) in hunks(&old, &new) {
            for line in old[gone.clone()].iter().chain(&new[come.clone()]) {
                change.words.extend(words(line));
            }
            change.lines.extend(come.clone().map(|at| at + 1));
            if come.is_empty() {
                change.lines.extend([come.start, come.start + 1]);
            }
            let shift = |at: usize| if at < gone.start { at } else { (at + come.end).saturating_sub(gone.end) };
            for at in gone.clone() {
                change.words.extend(field(old[at]));
                for line in block(&old, at) {
                    change.words.extend(named(old[line]).into_iter().chain(field(old[line])));
                    change.below.insert(shift(line) + 1);
                }
                let held = holder(&old, at);
                change.words.extend(held.above.iter().flat_map(|at| named(old[*at])));
                change.parents.extend(held.keys.iter().map(|at| shift(*at) + 1));
            }
            for at in come.clone() {
                change.below.extend(block(&new, at).map(|line| line + 1));
                let held = holder(&new, at);
                change.words.extend(held.above.iter().flat_map(|at| named(new[*at])));
                change.parents.extend(held.keys.iter().map(|at| at + 1));
            }
        }
        change
    }

    /// Where an error points, given the lines and the words that it marks.
    pub(crate) fn place(&self, lines: std::ops::RangeInclusive<usize>, marked: &str) -> Place {
        if lines.clone().any(|line| self.lines.contains(&line)) {
            Place::Line
        } else if self.parents.contains(lines.start()) {
            Place::Parent
        } else if self.below.contains(lines.start()) {
            Place::Below
        } else if self.uses(marked) {
            Place::Use
        } else {
            Place::Elsewhere
        }
    }

    /// Whether a text names what the changed lines declare.
    pub(crate) fn uses(&self, text: &str) -> bool {
        every_word(text).any(|word| self.words.contains(word))
    }
}

/// The lines that one opens.
fn block(lines: &[&str], at: usize) -> Lines {
    let inside = |line: &&str| silent(line) || indent(line) > indent(lines[at]) || spaces(line) > spaces(lines[at]);
    at + 1..at + 1 + lines[at + 1..].iter().take_while(|line| inside(line)).count()
}

/// What holds a line.
struct Held {
    /// The line that opens the mapping, and the lines of its own keys.
    keys: Vec<usize>,
    /// The lines above, from the nearest, each less indented than the one before.
    above: Vec<usize>,
}

fn holder(lines: &[&str], at: usize) -> Held {
    let depth = |at: usize| indent(lines[at]);
    let mut above = Vec::new();
    let mut own = depth(at);
    for before in (0..at).rev().filter(|at| !silent(lines[*at])) {
        if spaces(lines[before]) < own && depth(before) <= own {
            if depth(before) < own {
                above.push(before);
            }
            own = spaces(lines[before]).min(own);
        }
    }
    let opens = above.first().copied();
    let begin = opens.map_or(0, |at| at + 1);
    let own = depth(at);
    let within = |line: &usize| silent(lines[*line]) || depth(*line) >= own;
    let mut keys: Vec<usize> = (begin..lines.len()).take_while(within).filter(|at| depth(*at) == own).collect();
    keys.extend(opens);
    Held { keys, above }
}

/// Words that say nothing of what a line declares: those of the language itself.
const COMMON: &[&str] = &[
    "true",
    "false",
    "type",
    "title",
    "required",
    "text",
    "date",
    "form",
    "steps",
    "id",
    "zh",
    "en",
    "value",
    "default",
    "min",
    "max",
    "when",
    "approve",
    "task",
    "end",
    "due",
    "remind",
    "policy",
    "on",
    "and",
    "or",
    "not",
    "then",
    "else",
    "applicant",
    "department",
    "1",
    "2",
    "4",
    "day",
    "days",
    "working",
    "hours",
    "mail",
    "name",
    "com",
    "example",
    "process",
    "done",
];

fn every_word(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn words(text: &str) -> impl Iterator<Item = String> {
    every_word(text).filter(|word| !COMMON.contains(word)).map(str::to_owned)
}

/// The field that a line declares, whatever its name: `done: { type: text }`.
fn field(line: &str) -> Option<String> {
    let (name, value) = line.trim_start().split_once(": ")?;
    value.starts_with("{ type:").then(|| name.to_owned())
}

/// The name that a line gives to what is in it.
fn named(line: &str) -> Vec<String> {
    let key = line.trim_start_matches([' ', '-']);
    let id = key.strip_prefix("id: ").map(|rest| rest.split([',', ' ']).next().unwrap_or(rest));
    words(id.unwrap_or_else(|| key.split(':').next().unwrap_or(key))).collect()
}

type Lines = std::ops::Range<usize>;

/// Where two texts differ, as ranges of their lines: a longest common subsequence is what stayed.
fn hunks(old: &[&str], new: &[&str]) -> Vec<(Lines, Lines)> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut longest = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] =
                if a[i] == b[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    let (mut from, mut to) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            if from < i || to < j {
                found.push((head + from..head + i, head + to..head + j));
            }
            (i, j) = (i + 1, j + 1);
            (from, to) = (i, j);
        } else if j == b.len() || (i < a.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            i += 1;
        } else {
            j += 1;
        }
    }
    if from < i || to < j {
        found.push((head + from..head + i, head + to..head + j));
    }
    found
}
