//! An item of a list whose dash is missing where YAML does not mind: its keys stand among those of the item above, and
//! are there twice.

use super::aligned::dash_before;
use super::lines::{Line, lines};
use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::syntax::step::is_kind;
use std::collections::BTreeSet;

/// The dashes that are missing, by the keys that are told to be there twice.
pub(super) fn dashes(id: SourceId, text: &str, found: &[Diagnostic]) -> Vec<Diagnostic> {
    if found.iter().all(|found| found.code != Code::DuplicateKey) {
        return Vec::new();
    }
    let lines = lines(text);
    let line_of = |at: u32| lines.partition_point(|line| line.start <= at as usize).checked_sub(1);
    let twice = found.iter().filter(|found| found.code == Code::DuplicateKey);
    let missing = twice.filter_map(|found| {
        let (first, again) = (line_of(found.context.first()?.span.start)?, line_of(found.span.start)?);
        let own = lines[again].start + lines[again].indent == found.span.start as usize;
        if !own || !begins_again(&lines, first, again) {
            return None;
        }
        // An `id` right above begins the item: it comes before what a step does.
        let above = again.checked_sub(1).filter(|above| *above > first && lines[*above].indent == lines[again].indent);
        let named = above.filter(|above| lines[*above].pair().is_some_and(|(key, _)| key == "id"));
        let line = lines[named.unwrap_or(again)];
        let start = line.start + line.indent;
        let key = line.pair().map_or(1, |(key, _)| key.len());
        Some(dash_before(Span::new(id, start, start + key), Span::new(id, start.checked_sub(2)?, start)))
    });
    missing.collect()
}

/// Whether an item begins a second time: with its first key, followed by others that the item has already, or by what
/// another step does.
fn begins_again(lines: &[Line<'_>], first: usize, again: usize) -> bool {
    let item = lines[first];
    let depth = item.depth();
    let keys = |from: usize, to: usize| -> BTreeSet<&str> {
        let own = lines[from..to].iter().filter(|line| line.depth() == depth);
        own.filter_map(|line| line.pair().map(|(key, _)| key)).collect()
    };
    let below = lines[again..].iter().take_while(|line| line.indent >= depth).count();
    let (above, below) = (keys(first, again), keys(again + 1, again + below));
    let steps = [&above, &below].into_iter().all(|keys| keys.iter().any(|key| is_kind(key)));
    item.is_item() && lines[again].indent == depth && (steps || above.intersection(&below).next().is_some())
}
