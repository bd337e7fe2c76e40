//! Lines that were moved, whatever that made of the rest: they are looked for by moving lines back.
//!
//! A line at another depth makes faults far from itself: a step without its kind, a key that is there twice, a file that
//! is no YAML. Where moving one line makes several faults go and brings none, that line is what is wrong. It is told, and
//! the text is read as if it stood where it belongs. Tried are the lines that are told of and those that do not line up
//! with their neighbours, each at the depths of these; then each with what belongs to it.

use super::node::{self, Draft, Line};
use super::{KINDS, Read};
use crate::diagnostics::{Code, Diagnostic, Source, SourceId};
use std::collections::BTreeSet;

/// The most lines that are tried.
const LINES: usize = 10;
/// The most places that are tried where moved lines may end.
const ENDS: usize = 8;
/// The most bytes that are read for it.
const READ_LIMIT: usize = 1024 * 1024;

/// The text as it reads with one line moved, if that explains what is wrong.
pub(super) fn back(id: SourceId, source: &Source, read: &Read) -> Option<Read> {
    let before: Vec<&Diagnostic> = read.diagnostics.iter().filter(|found| of_structure(found)).collect();
    if before.iter().all(|found| found.fix.as_ref().is_some_and(|fix| fix.safe)) {
        return None;
    }
    let text: &str = &source.text;
    let lines = node::lines(text);
    let suspects = suspects(&lines, &before);
    let left = READ_LIMIT / text.len().max(1);
    let mut search = Search { id, source, read, before: &before, left, best: None };
    for at in &suspects {
        for depth in depths(&lines, *at) {
            search.moved(lines.get(*at..*at + 1).unwrap_or_default(), depth)?;
        }
    }
    if search.best.is_none() {
        for at in &suspects {
            for depth in depths(&lines, *at) {
                for end in ends(&lines, *at, depth) {
                    search.moved(lines.get(*at..end).unwrap_or_default(), depth)?;
                }
            }
        }
    }
    search.best.map(|(_, read)| read)
}

struct Search<'s> {
    id: SourceId,
    source: &'s Source,
    /// The text as it is written.
    read: &'s Read,
    /// What is wrong with it.
    before: &'s [&'s Diagnostic],
    /// How often it may be read yet.
    left: usize,
    best: Option<(Worth, Read)>,
}

impl Search<'_> {
    /// Moves lines so that the first of them stands at a depth. `None` where no more is tried.
    fn moved(&mut self, lines: &[Line<'_>], depth: usize) -> Option<()> {
        let Some(left) = self.left.checked_sub(1) else {
            return self.best.as_ref().map(|_| ());
        };
        self.left = left;
        let Some(first) = lines.first() else { return Some(()) };
        let mut draft = Draft::new(&self.source.text);
        for line in lines.iter().rev() {
            let indent = (line.indent + depth).saturating_sub(first.indent);
            draft.replace(line.start..line.start + line.indent, &" ".repeat(indent));
        }
        let moved = Source { text: draft.text().into(), ..self.source.clone() };
        let mut other = Read::of(self.id, self.source, node::read(self.id, &moved).written(&draft));
        let after = fewer(self.before, self.read, &other).filter(|_| other.tree.size() >= self.read.tree.size());
        let Some(after) = after else { return Some(()) };
        let worth = Worth { after, odd: depth % 2, by: depth.abs_diff(first.indent) };
        if self.best.as_ref().is_none_or(|(known, _)| worth < *known) {
            let code = if self.read.tree.sound { Code::MisplacedKey } else { Code::YamlSyntax };
            let found = Diagnostic { code, ..node::out_of_line(self.id, *first, lines.len() - 1, depth) };
            other.meant.push(found.span);
            other.diagnostics.push(found);
            self.best = Some((worth, other));
        }
        Some(())
    }
}

/// Where what was moved with a line may end: with what is deeper than the line, or, where that stands too far to the left,
/// before any of these that would then stand beside it.
fn ends(lines: &[Line<'_>], at: usize, depth: usize) -> Vec<usize> {
    let own = lines[at].indent;
    let end = (at + 1..lines.len()).find(|end| lines[*end].indent <= own).unwrap_or(lines.len());
    let beside = (at + 2..end).filter(|end| depth > own && lines[*end].indent <= depth);
    let last = (end > at + 1).then_some(end);
    beside.take(ENDS).chain(last).collect()
}

/// How good a place is for a line: the fewer faults are left, the evener its depth and the nearer, the better.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Worth {
    after: usize,
    odd: usize,
    by: usize,
}

/// Whether a fault may come of a line that was moved.
fn of_structure(found: &Diagnostic) -> bool {
    matches!(
        found.code,
        Code::YamlSyntax
            | Code::DuplicateKey
            | Code::UnknownKey
            | Code::MisplacedKey
            | Code::MissingKey
            | Code::MissingValue
            | Code::WrongShape
            | Code::StepKind
    )
}

/// How many faults are left, where several are gone or one that is likely to come of it, and none has come but of what was
/// left out before. What is not read at all has no faults, so no less may be read.
fn fewer(before: &[&Diagnostic], then: &Read, read: &Read) -> Option<usize> {
    let key = |found: &Diagnostic| (found.code, found.span.start, found.message.en.clone());
    let known: BTreeSet<_> = before.iter().map(|found| key(found)).collect();
    let after: BTreeSet<_> = read.diagnostics.iter().filter(|found| of_structure(found)).map(key).collect();
    let gone: Vec<Code> = known.difference(&after).map(|(code, ..)| *code).collect();
    let alone = |code: &Code| matches!(code, Code::YamlSyntax | Code::MissingValue | Code::MisplacedKey);
    let explains = gone.len() > 1 || gone.iter().any(alone);
    let unread = |at: u32| {
        then.tree.broken_at.is_some_and(|broken| broken <= at) || then.tree.gaps.iter().any(|gap| gap.contains(&at))
    };
    // A word that is misspelt was so before; what belongs elsewhere is there by the move.
    let misspelt: BTreeSet<_> = read.diagnostics.iter().filter(|found| is_misspelt(found)).map(key).collect();
    let new = after.difference(&known);
    let found_there = |found: &(Code, u32, String)| misspelt.contains(found) && unread(found.1);
    (explains && new.into_iter().all(found_there)).then_some(after.len())
}

fn is_misspelt(found: &Diagnostic) -> bool {
    matches!(found.code, Code::UnknownKey | Code::StepKind) && found.fix.is_some()
}

/// The lines that are told of, and those that do not line up with what stands above them.
fn suspects(lines: &[Line<'_>], faults: &[&Diagnostic]) -> Vec<usize> {
    let line_of = |at: u32| lines.partition_point(|line| line.start <= at as usize).checked_sub(1);
    let told = faults.iter().filter_map(|found| line_of(found.span.start));
    let odd = (1..lines.len()).filter(|at| !lines_up(lines, *at)).flat_map(|at| [at - 1, at]);
    let mut found = Vec::new();
    for at in told.clone().chain(odd) {
        if !found.contains(&at) {
            found.push(at);
        }
    }
    // What is wrong with a line that has a mark too many, or lacks one, is known.
    let mended =
        |found: &&&Diagnostic| found.code == Code::YamlSyntax && found.fix.as_ref().is_some_and(|fix| fix.safe);
    let known: Vec<usize> = faults.iter().filter(mended).filter_map(|found| line_of(found.span.start)).collect();
    // What says what the file is stands at the left.
    let is_kind = |at: &usize| lines[*at].indent == 0 && lines[*at].pair().is_some_and(|(key, _)| KINDS.contains(&key));
    found.retain(|at| !known.contains(at) && !is_kind(at));
    let near = told.min().unwrap_or(0);
    found.sort_by_key(|at| at.abs_diff(near));
    found.truncate(LINES);
    found
}

/// Whether a line stands where the one above lets it.
fn lines_up(lines: &[Line<'_>], at: usize) -> bool {
    let (above, line) = (lines[at - 1], lines[at]);
    if above.opens() {
        return line.indent == above.depth() + 2 || line.is_item() && line.indent == above.depth();
    }
    if line.indent > above.indent {
        return line.indent == above.depth() && !line.is_item();
    }
    let ends = |other: &&Line<'_>| other.indent <= line.indent;
    lines[..at].iter().rfind(ends).is_some_and(|other| other.indent == line.indent || other.depth() == line.indent)
}

/// The depths at which a line may belong: those around it, and of what may open it.
fn depths(lines: &[Line<'_>], at: usize) -> Vec<usize> {
    let line = lines[at];
    let mut found = BTreeSet::new();
    let mut open = usize::MAX;
    for above in lines[..at].iter().rev() {
        if above.indent < open {
            found.extend([above.indent, above.depth()]);
            if above.opens() {
                found.insert(above.depth() + 2);
            }
            open = above.indent;
        }
    }
    if let Some(below) = lines.get(at + 1) {
        found.extend([Some(below.indent), below.indent.checked_sub(2)].into_iter().flatten());
    }
    found.remove(&line.indent);
    let mut found: Vec<usize> = found.into_iter().collect();
    found.sort_by_key(|depth| depth.abs_diff(line.indent));
    found
}
