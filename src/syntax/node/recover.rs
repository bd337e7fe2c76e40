//! Reading on where YAML itself is broken, so that one run tells every mistake of a file.
//!
//! Where what is wrong has one safe mend, as a full-width colon has, the text is read as if it were mended: nothing is
//! lost. Where it has none, the line and what is indented below it are left out, and what is read around that gap is
//! not held to be complete. Whatever comes of it, the text has a fault and nobody runs it: a draft is only ever read
//! to find more faults.
//!
//! Bound: as many readings as [`ROUNDS`], and as many bytes as [`READ_LIMIT`].

use super::build::{self, Built, Stop};
use super::draft::Draft;
use super::lines::lines;
use super::{Node, NodeKind, Tree, meant, refused};
use crate::diagnostics::{Code, Diagnostic, SourceId};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Range;

/// The most readings of a text.
const ROUNDS: usize = 100;
/// The most bytes that are read of a text, all readings together.
const READ_LIMIT: usize = 8 * 1024 * 1024;

/// Reads a text to its end, past whatever is broken in it; first are mended the marks that YAML does not take at all.
pub(super) fn tree(id: SourceId, text: &str, marks: Vec<Diagnostic>) -> Tree {
    let mut recovery = Recovery {
        id,
        draft: Draft::new(text),
        told: Vec::new(),
        mended: BTreeSet::new(),
        valued: BTreeSet::new(),
        gaps: Vec::new(),
    };
    for mark in marks.into_iter().rev() {
        recovery.mend(mark);
    }
    let built = build::build(id, recovery.draft.text());
    if recovery.told.is_empty() && built.stop.is_none() && built.marks.is_empty() {
        return Tree {
            root: built.root,
            more: built.more,
            sound: true,
            gaps: Vec::new(),
            broken_at: None,
            diagnostics: built.diagnostics,
        };
    }
    recovery.read(built)
}

struct Recovery {
    id: SourceId,
    draft: Draft,
    /// What is said of YAML itself, by places of the written text.
    told: Vec<Diagnostic>,
    /// Where mends were tried.
    mended: BTreeSet<u32>,
    /// Lines of which the value was left out.
    valued: BTreeSet<u32>,
    /// What was left out, likewise.
    gaps: Vec<Range<u32>>,
}

impl Recovery {
    fn read(mut self, mut built: Built) -> Tree {
        let mut read = self.draft.text().len();
        for _ in 0..ROUNDS {
            let more = match (&built.stop, built.marks.is_empty()) {
                (_, false) => {
                    for mark in std::mem::take(&mut built.marks).into_iter().rev() {
                        self.mend(mark);
                    }
                    true
                }
                (Some(Stop::Refused(at, kind)), true) => {
                    let fault = refused::yaml_error(self.id, self.draft.text(), *at, kind);
                    self.pass(fault, *at, !refused::misaligned(kind))
                }
                (Some(Stop::Limit(_)) | None, true) => false,
            };
            read += self.draft.text().len();
            if !more || read > READ_LIMIT {
                break;
            }
            built = build::build(self.id, self.draft.text());
        }
        self.finish(built)
    }

    fn finish(mut self, built: Built) -> Tree {
        let broken_at = match built.stop {
            Some(Stop::Refused(at, _) | Stop::Limit(at)) => Some(self.draft.origin(at)),
            None => None,
        };
        // What was left out may be all there was.
        let of_nothing = |found: &Diagnostic| found.code == Code::EmptyFile && !self.told.is_empty();
        let place = |node: Node| placed(node, &self.draft);
        let (root, more) = (built.root.map(place), built.more.into_iter().map(place).collect());
        let found = built.diagnostics.into_iter().filter(|found| !of_nothing(found));
        let found: Vec<Diagnostic> = found.map(|found| self.draft.written_diagnostic(found)).collect();
        self.told.extend(found);
        Tree { root, more, sound: false, gaps: self.gaps, broken_at, diagnostics: self.told }
    }

    /// Makes the one safe mend of a fault, if it has one that was not tried there yet.
    fn mend(&mut self, fault: Diagnostic) -> bool {
        let Some(fix) = fault.fix.clone() else { return false };
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        if !self.mended.insert(self.draft.origin(start)) {
            return false;
        }
        self.told.push(self.draft.written_diagnostic(fault));
        self.draft.replace(start..end, &fix.replacement);
        true
    }

    /// Gets past a place where YAML is broken. Whether there is any sense in reading on.
    fn pass(&mut self, fault: Diagnostic, at: usize, aligned: bool) -> bool {
        if self.mend(fault.clone()) {
            return true;
        }
        let gap = [fault.span.start as usize, at].map(|at| block(self.draft.text(), at));
        let gap =
            gap.into_iter().find(|gap| self.draft.text().get(gap.clone()).is_some_and(|text| !text.trim().is_empty()));
        let Some(gap) = gap else {
            self.told.push(self.draft.written_diagnostic(fault));
            return false;
        };
        let gap = self.value_in(&gap, at).unwrap_or(gap);
        // What does not line up right below a gap, or in a line that has its fault, follows from that.
        if aligned || !self.follows(&gap) {
            self.told.push(self.draft.written_diagnostic(fault));
        }
        self.gaps.push(self.draft.origin_of(gap.clone()));
        self.draft.blank(gap);
        true
    }

    /// The value in a gap that begins with a key, with what is below it, where the fault lies in that: it is left out first,
    /// so that what the key says of a step is known.
    fn value_in(&mut self, gap: &Range<usize>, at: usize) -> Option<Range<usize>> {
        let text = self.draft.text().get(gap.clone())?;
        let lines = lines(text);
        let line = *lines.first()?;
        // Below the first key of an item stand its others.
        let below = lines.iter().skip(1).take_while(|below| below.indent > line.depth()).last().unwrap_or(&line);
        let end = gap.start + below.start + below.indent + below.words.len();
        let (key, value) = line.pair().filter(|(_, value)| !value.is_empty())?;
        let start = gap.start + line.start + line.depth() + key.len() + 1;
        let start = start + self.draft.text().get(start..)?.find(value)?;
        (start <= at && self.valued.insert(self.draft.origin(gap.start))).then_some(start..end)
    }

    fn follows(&self, gap: &Range<usize>) -> bool {
        let text = self.draft.text();
        let above = text.get(..gap.start).map_or(0, |above| above.trim_end().len());
        let (above, here) = (self.draft.origin(above), self.draft.origin_of(gap.clone()));
        let between = |gap: &Range<u32>| above <= gap.start && gap.end <= here.start;
        self.gaps.iter().any(between)
            || self.told.iter().any(|told| here.start <= told.span.start && told.span.start < here.end)
    }
}

/// The line of a place and what is indented deeper below it.
fn block(text: &str, at: usize) -> Range<usize> {
    let at = crate::diagnostics::floor(text, at);
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let mut lines = text[start..].split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    let depth = level(&text[..start], indent(first));
    let (mut end, mut deeper) = (start + first.len(), start + first.trim_end().len());
    for line in lines {
        let blank = line.trim().is_empty();
        if !blank && indent(line) <= depth {
            break;
        }
        if !blank {
            deeper = end + line.trim_end().len();
        }
        end += line.len();
    }
    start..deeper
}

/// How deep what a line belongs to stands: a line between two levels of those above it is taken for one of the deeper.
fn level(above: &str, own: usize) -> usize {
    let lines = above.lines().rev().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let mut level = own;
    for depth in lines.map(indent) {
        match depth.cmp(&own) {
            Ordering::Less => return level,
            Ordering::Equal => return own,
            Ordering::Greater if level == own || depth < level => level = depth,
            Ordering::Greater => {}
        }
    }
    own
}

/// How deep a line stands. A mark that was typed before it by mistake moves nothing below it.
fn indent(line: &str) -> usize {
    let mark = meant::before_line(line, 0).map_or(0, char::len_utf8);
    line[mark..].chars().take_while(|c| matches!(c, ' ' | '\t')).count()
}

/// A node with the places of the written text.
pub(super) fn placed(mut node: Node, draft: &Draft) -> Node {
    node.span = draft.written(node.span);
    match &mut node.kind {
        NodeKind::Sequence(items) => {
            *items = std::mem::take(items).into_iter().map(|item| placed(item, draft)).collect()
        }
        NodeKind::Mapping(entries) => {
            for entry in entries {
                entry.key.span = draft.written(entry.key.span);
                let value = std::mem::replace(&mut entry.value, Node { span: node.span, kind: NodeKind::Broken });
                entry.value = placed(value, draft);
            }
        }
        NodeKind::Scalar { .. } | NodeKind::Broken => {}
    }
    node
}

/// Whether something is missing next to a gap: what is written in the block that begins at a place, lines that were
/// left out apart, ends at one, begins behind one or has one in it.
pub(crate) fn beside_gap(text: &str, at: u32, gaps: &[Range<u32>]) -> bool {
    let Range { start, end } = block(text, at as usize);
    let from = text.get(..start).map_or(0, |above| above.trim_end().len()) as u32;
    let to = end + text.get(end..).map_or(0, |rest| rest.len() - rest.trim_start().len());
    gaps.iter().any(|gap| from <= gap.end && gap.start <= to as u32)
}

/// Whether a place is in what a line that was left out seems to open: `key:` or `- id: x` that stands too deep to line
/// up, with what belongs under it less deep than it is.
pub(crate) fn below_gap(text: &str, at: u32, gaps: &[Range<u32>]) -> bool {
    let end = text.get(at as usize..).and_then(|rest| rest.find('\n')).map_or(text.len(), |n| at as usize + n);
    gaps.iter().filter(|gap| gap.end <= at).any(|gap| {
        let line = text.get(gap.start as usize..gap.end as usize).unwrap_or("").trim_end();
        let behind = text.get(gap.end as usize..end).unwrap_or("");
        let mut lines = behind.lines().filter(|line| !line.trim().is_empty());
        let Some(first) = lines.next() else { return false };
        let (depth, own) = (indent(first), indent(line));
        let is_item = |line: &str| line.trim_start().starts_with("- ");
        let opens = if is_item(line) { depth == own && !is_item(first) } else { line.ends_with(':') && depth < own };
        opens && depth > 0 && !line.contains('\n') && lines.all(|line| indent(line) >= depth)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_a_line_and_what_is_deeper() {
        let text = "form:\n  a: 1\n    b: 2\n\n  c: 3\nsteps:\n";
        let of = |at: &str| &text[block(text, text.find(at).unwrap())];
        assert_eq!(of("a: 1"), "  a: 1\n    b: 2");
        assert_eq!(of("c: 3"), "  c: 3");
        assert_eq!(of("steps"), "steps:");
        let text = "steps:\n  - id: a\n    set: {}\n d: b\n    set: {}\n  - id: c\n";
        let of = |at: &str| &text[block(text, text.find(at).unwrap())];
        assert_eq!(of("d: b"), " d: b\n    set: {}", "it lost its first letters");
    }
}
