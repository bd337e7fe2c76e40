//! What would change in a file, as a unified diff.

use super::output::{Ink, Output};

/// Lines around a change that are shown.
const AROUND: usize = 3;
/// The largest changed region, in lines of one side times lines of the other, that is compared line by line.
const CELLS: usize = 4_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line<'t> {
    Same(&'t str),
    Old(&'t str),
    New(&'t str),
}

/// The difference between two texts of a file; empty where there is none.
pub(crate) fn unified(name: &str, old: &str, new: &str, output: &Output) -> String {
    if old == new {
        return String::new();
    }
    let lines = compare(&split(old), &split(new));
    let near = |at: usize| {
        let (from, to) = (at.saturating_sub(AROUND), (at + AROUND + 1).min(lines.len()));
        lines.get(from..to).is_some_and(|around| around.iter().any(|line| !matches!(line, Line::Same(_))))
    };
    let mut text = output.ink(Ink::Bold, &format!("--- {name}\n+++ {name}")) + "\n";
    let (mut old_at, mut new_at, mut at) = (1, 1, 0);
    while at < lines.len() {
        let hunk: Vec<Line<'_>> =
            (at..lines.len()).take_while(|at| near(*at)).filter_map(|at| lines.get(at).copied()).collect();
        if hunk.is_empty() {
            (old_at, new_at, at) = (old_at + 1, new_at + 1, at + 1);
            continue;
        }
        let olds = hunk.iter().filter(|line| !matches!(line, Line::New(_))).count();
        let news = hunk.iter().filter(|line| !matches!(line, Line::Old(_))).count();
        text += &output.ink(Ink::Dim, &format!("@@ -{old_at},{olds} +{new_at},{news} @@"));
        text.push('\n');
        for line in &hunk {
            text += &match line {
                Line::Same(line) => format!(" {line}"),
                Line::Old(line) => output.ink(Ink::Seal, &format!("-{line}")),
                Line::New(line) => output.ink(Ink::Bold, &format!("+{line}")),
            };
            text.push('\n');
        }
        (old_at, new_at, at) = (old_at + olds, new_at + news, at + hunk.len());
    }
    text
}

/// Lines without their ends; a text that ends with a line break has no empty line after it.
fn split(text: &str) -> Vec<&str> {
    text.strip_suffix('\n').unwrap_or(text).split('\n').collect()
}

/// The longest common lines stay; of a change the old lines come first.
fn compare<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let front = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.get(front..).unwrap_or_default(), new.get(front..).unwrap_or_default());
    let back = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, tail) = old_rest.split_at(old_rest.len() - back);
    let (b, _) = new_rest.split_at(new_rest.len() - back);
    let mut lines: Vec<Line<'t>> = old.iter().take(front).map(|line| Line::Same(line)).collect();
    lines.extend(middle(a, b));
    lines.extend(tail.iter().map(|line| Line::Same(line)));
    lines
}

fn middle<'t>(a: &[&'t str], b: &[&'t str]) -> Vec<Line<'t>> {
    let all = || a.iter().map(|line| Line::Old(line)).chain(b.iter().map(|line| Line::New(line)));
    if a.len() * b.len() > CELLS {
        return all().collect();
    }
    let width = b.len() + 1;
    let mut common = vec![0_u32; (a.len() + 1) * width];
    let cell = |common: &[u32], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let best = match x == y {
                true => cell(&common, i + 1, j + 1) + 1,
                false => cell(&common, i + 1, j).max(cell(&common, i, j + 1)),
            };
            if let Some(place) = common.get_mut(i * width + j) {
                *place = best;
            }
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    loop {
        match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if x == y => {
                lines.push(Line::Same(x));
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), other) if other.is_none() || cell(&common, i + 1, j) >= cell(&common, i, j + 1) => {
                lines.push(Line::Old(x));
                i += 1;
            }
            (_, Some(y)) => {
                lines.push(Line::New(y));
                j += 1;
            }
            _ => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Colour;
    use crate::model::text::Lang;

    #[test]
    fn changes_stand_among_the_lines_around_them() {
        let output = Output::new(Lang::En, Colour::Never, false);
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n";
        let expected =
            "--- a\n+++ a\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -10,3 +10,4 @@\n 10\n 11\n 12\n+13\n";
        assert_eq!(unified("a", old, new, &output), expected);
        assert_eq!(unified("a", old, old, &output), "");
    }
}
