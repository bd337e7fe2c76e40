//! Lines that were moved, whatever that made of the rest: they are looked for by moving lines back.
//!
//! A line at another depth makes faults far from itself: a step without its kind, a key that is there twice, a file that
//! is no YAML. Where moving one line makes several faults go and brings none but in what could not be read before, that
//! line is what is wrong. It is told, and the text is read as if it stood where it belongs, in which the next such line is
//! looked for. Tried are the lines that are told of and those that do not line up with their neighbours, each at the
//! depths of these; then each with what belongs to it. The best of them is the one with which most is read.

use super::node::{self, Draft, Line};
use super::{KINDS, Read};
use crate::diagnostics::{Code, Diagnostic, Source, SourceId};
use std::collections::BTreeSet;
use std::ops::Range;

/// The most moves of a text.
const MOVES: usize = 3;
/// The most lines that are tried.
const LINES: usize = 10;
/// The most places that are tried where moved lines may end.
const ENDS: usize = 8;
/// The most bytes that are read for it.
const READ_LIMIT: usize = 1024 * 1024;

/// The text as it reads with the lines moved back that explain what is wrong.
pub(super) fn back(id: SourceId, source: &Source, read: Read) -> Read {
    let text: &str = &source.text;
    let draft = Draft::new(text);
    let mut search = Search { id, source, draft, read, moved: Vec::new(), left: READ_LIMIT / text.len().max(1) };
    for _ in 0..MOVES {
        let Some(found) = search.best() else { break };
        search.take(found);
    }
    for (_, found) in search.moved {
        search.read.meant.push(found.span);
        search.read.diagnostics.push(found);
    }
    search.read
}

struct Search<'s> {
    id: SourceId,
    source: &'s Source,
    /// The text with what was moved so far.
    draft: Draft,
    /// What was read of that.
    read: Read,
    /// The lines that were moved, with what is said of them.
    moved: Vec<(usize, Diagnostic)>,
    /// How often it may be read yet.
    left: usize,
}

/// Lines that may be what is wrong.
struct Move {
    /// The first and the one behind the last of them.
    lines: Range<usize>,
    /// Where the first of them belongs.
    depth: usize,
    worth: Worth,
    draft: Draft,
    read: Read,
}

impl Search<'_> {
    /// The move that explains most.
    fn best(&mut self) -> Option<Move> {
        let before: Vec<&Diagnostic> = self.read.diagnostics.iter().filter(|found| of_structure(found)).collect();
        if before.iter().all(|found| found.fix.as_ref().is_some_and(|fix| fix.safe)) {
            return None;
        }
        // A move changes how deep a line stands, and no more.
        let lines = node::lines(self.draft.text());
        let mut suspects = suspects(&node::lines(&self.source.text), &lines, &before);
        suspects.retain(|at| self.moved.iter().all(|(moved, _)| moved != at));
        let alone = |at: usize| depths(&lines, at).into_iter().map(move |depth| (at..at + 1, depth));
        let whole = |at: usize| {
            let lines = &lines;
            depths(lines, at)
                .into_iter()
                .flat_map(move |depth| ends(lines, at, depth).into_iter().map(move |end| (at..end, depth)))
        };
        let alone: Vec<_> = suspects.iter().flat_map(|at| alone(*at)).collect();
        let whole: Vec<_> = suspects.iter().flat_map(|at| whole(*at)).collect();
        let mut left = self.left;
        let mut best: Option<Move> = None;
        for tried in [alone, whole] {
            for (range, depth) in tried {
                let Some(less) = left.checked_sub(1) else { break };
                left = less;
                let found = self.moved(&before, &lines, range, depth);
                best = best.into_iter().chain(found).min_by(|one, other| one.worth.cmp(&other.worth));
            }
            // Where one line explains everything, it moved alone.
            if best.as_ref().is_some_and(|best| best.worth.new == 0) {
                break;
            }
        }
        self.left = left;
        best
    }

    /// How the text reads with lines moved so that the first of them stands at a depth, if that explains anything.
    fn moved(&self, before: &[&Diagnostic], lines: &[Line<'_>], range: Range<usize>, depth: usize) -> Option<Move> {
        let own = lines.get(range.start)?.indent;
        let mut draft = self.draft.clone();
        for line in lines.get(range.clone())?.iter().rev() {
            let indent = (line.indent + depth).saturating_sub(own);
            draft.replace(line.start..line.start + line.indent, &" ".repeat(indent));
        }
        let moved = Source { text: draft.text().into(), ..self.source.clone() };
        let read = Read::of(self.id, self.source, node::read(self.id, &moved).written(&draft));
        let first = lines.get(range.start)?;
        let first = self.draft.origin_of(first.start..first.start + first.indent + first.words.len());
        let (after, new) =
            fewer(before, &self.read, &read, &first).filter(|_| read.tree.size() >= self.read.tree.size())?;
        let worth = Worth { unread: read.tree.left_out(), after, new, odd: depth % 2, by: depth.abs_diff(own) };
        Some(Move { lines: range, depth, worth, draft, read })
    }

    fn take(&mut self, found: Move) {
        let code = if self.read.tree.sound { Code::MisplacedKey } else { Code::YamlSyntax };
        let lines = node::lines(&self.source.text);
        let Some(line) = lines.get(found.lines.start) else { return };
        let out_of_line =
            || Diagnostic { code, ..node::out_of_line(self.id, *line, found.lines.len() - 1, found.depth) };
        // Of several lines it says more that a key lacks its value, which stands beside it.
        let opener = found.lines.start.checked_sub(1).and_then(|above| lines.get(above));
        let at = |line: &Line<'_>| line.start..line.start + line.indent + line.words.len();
        let lacks = |told: &&Diagnostic| {
            found.lines.len() > 1
                && told.code == Code::MissingValue
                && opener.is_some_and(|opener| at(opener).contains(&(told.span.start as usize)))
        };
        let told = self.read.diagnostics.iter().find(lacks).cloned().unwrap_or_else(out_of_line);
        self.moved.push((found.lines.start, told));
        (self.draft, self.read) = (found.draft, found.read);
    }
}

/// Where what was moved with a line may end: with what is deeper than the line, or, where that stands too far to the left,
/// before any of these that would then stand beside it.
fn ends(lines: &[Line<'_>], at: usize, depth: usize) -> Vec<usize> {
    let own = lines[at].indent;
    let end = (at + 1..lines.len()).find(|end| lines[*end].indent <= own).unwrap_or(lines.len());
    let beside = (at + 2..end).filter(|end| depth > own && lines[*end].indent <= depth);
    let last = (end > at + 1).then_some(end);
    // What it stands beside may have been moved with it.
    let group = lines[at..].iter().take_while(|line| line.indent >= own).count();
    let more = (end + 1..=at + group).filter(|more| lines.get(*more).is_none_or(|next| next.indent <= own));
    let more = more.filter(|_| at > 0 && lines[at - 1].opens() && lines[at - 1].depth() == own);
    beside.take(ENDS).chain(last).chain(more.take(ENDS)).collect()
}

/// How good a place is for a line: the more is read and the fewer faults are left, the evener its depth and the nearer,
/// the better.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Worth {
    unread: usize,
    after: usize,
    new: usize,
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

/// How many faults are left, and how many of them are new, where several are gone or one that is likely to come of it, and none has come but of what was
/// left out before, the moved line apart. What is not read at all has no faults, so no less may be read.
fn fewer(before: &[&Diagnostic], then: &Read, read: &Read, moved: &Range<u32>) -> Option<(usize, usize)> {
    let key = |found: &Diagnostic| (found.code, found.span.start, found.message.en.clone());
    let known: BTreeSet<_> = before.iter().map(|found| key(found)).collect();
    let after: BTreeSet<_> = read.diagnostics.iter().filter(|found| of_structure(found)).map(key).collect();
    let gone: Vec<Code> = known.difference(&after).map(|(code, ..)| *code).collect();
    let alone = |code: &Code| matches!(code, Code::YamlSyntax | Code::MissingValue | Code::MisplacedKey);
    let explains = gone.len() > 1 || gone.iter().any(alone);
    let unread = |at: u32| {
        let behind = then.tree.broken_at.is_some_and(|broken| broken <= at);
        (behind || then.tree.gaps.iter().any(|gap| gap.contains(&at))) && !moved.contains(&at)
    };
    // A word that is misspelt was so before; what belongs elsewhere is there by the move.
    let own: BTreeSet<_> = read.diagnostics.iter().filter(|found| is_own(found)).map(key).collect();
    let new: Vec<_> = after.difference(&known).collect();
    // Most of what could not be read is read.
    let opened = read.tree.left_out() * 2 < then.tree.left_out();
    let found_there = |found: &(Code, u32, String)| (opened || own.contains(found)) && unread(found.1);
    (explains && new.iter().all(|found| found_there(found))).then_some((after.len(), new.len()))
}

/// Whether a fault is of the line that it is told of, wherever that stands.
fn is_own(found: &Diagnostic) -> bool {
    match found.code {
        Code::UnknownKey | Code::StepKind => found.fix.is_some(),
        Code::DuplicateKey | Code::YamlSyntax => true,
        _ => false,
    }
}

/// The lines that are told of in the text as it is written, and those that do not line up with what stands above them as
/// it was read.
fn suspects(written: &[Line<'_>], lines: &[Line<'_>], faults: &[&Diagnostic]) -> Vec<usize> {
    let line_of = |at: u32| written.partition_point(|line| line.start <= at as usize).checked_sub(1);
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
    // The nearer a fault that nothing else explains, the sooner.
    let open: Vec<usize> = told.filter(|at| !known.contains(at)).collect();
    found.sort_by_key(|at| open.iter().map(|open| at.abs_diff(*open)).min());
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
