//! The dash of an item that is missing, or one before a field that is no item.
//!
//! Where YAML does not mind, the keys of the item stand among those of the one above, and are there twice.

use super::aligned::items_at;
use super::lines::{Line, lines};
use super::meant::is_key;
use crate::diagnostics::{Code, Diagnostic, SourceId, Span};
use crate::model::text::Wording;
use crate::syntax::step::is_kind;
use crate::syntax::test::deed::BESIDE;
use std::collections::BTreeSet;

/// The dash that is wrong where a text could not be read on.
pub(super) fn wrong(id: SourceId, lines: &[Line<'_>], here: usize) -> Option<Diagnostic> {
    if let Some(line) = lone_dash(lines, here) {
        return Some(dash_too_many(id, line));
    }
    let rules = [without_dash, first_without_dash, group_without_dash];
    rules.iter().find_map(|rule| rule(lines, here)).map(|(line, depth)| no_dash(id, line, depth))
}

/// The dashes that are missing, by the keys that are told to be there twice.
pub(super) fn missing(id: SourceId, text: &str, found: &[Diagnostic]) -> Vec<Diagnostic> {
    if found.iter().all(|found| found.code != Code::DuplicateKey) {
        return Vec::new();
    }
    let lines = lines(text);
    let line_of = |at: u32| lines.partition_point(|line| line.start <= at as usize).checked_sub(1);
    let twice = found.iter().filter(|found| found.code == Code::DuplicateKey);
    let dashes = twice.filter_map(|found| {
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
    dashes.collect()
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

fn no_dash(id: SourceId, line: Line<'_>, depth: usize) -> Diagnostic {
    let (start, dash) = (line.start + line.indent, line.start + depth);
    let key = line.pair().map_or(1, |(key, _)| key.len());
    dash_before(Span::new(id, start, start + key), Span::new(id, dash, start))
}

/// What is said of a key whose dash is missing, with the place of that.
fn dash_before(key: Span, dash: Span) -> Diagnostic {
    Diagnostic::new(
        Code::YamlSyntax,
        key,
        Wording::new(
            "这里少了一个 `- `：列表的每一项以它开头",
            "`- ` is missing here: each item of a list begins with it",
        ),
    )
    .fix(dash, "- ", Wording::new("补上 `- `", "add the `- `"))
}

fn dash_too_many(id: SourceId, line: Line<'_>) -> Diagnostic {
    let start = line.start + line.indent;
    Diagnostic::new(
        Code::YamlSyntax,
        Span::new(id, start, start + 1),
        Wording::new("这里不写 `- `：下面的各项都没有写", "no `- ` goes here: what stands below beside it has none"),
    )
    .fix(Span::new(id, start, start + 2), "", Wording::new("删掉 `- `", "delete the `- `"))
}

/// The one field of a form that has a dash, above one that stands as deep without.
fn lone_dash<'t>(lines: &[Line<'t>], here: usize) -> Option<Line<'t>> {
    let line = lines[here];
    let at = lines[..here].iter().rposition(|above| above.indent <= line.indent)?;
    let (item, opener) = (lines[at], lines[at.checked_sub(1)?]);
    let field = |at: usize| {
        let below = lines.get(at + 1).filter(|_| lines[at].opens());
        let (name, value) = lines[at].pair()?;
        let named = !is_key(name) && value.starts_with("{ ");
        (named || value.starts_with("{ type:") || below?.pair()?.0 == "type").then_some(())
    };
    let only = item.is_item() && item.indent == line.indent && !line.is_item() && opener.opens();
    (only && field(at).is_some() && field(here).is_some()).then_some(item)
}

/// The first key of an item whose dash is missing: the items before it begin with that key, and its other keys stand
/// two deeper.
fn without_dash<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    let (line, next) = (lines[here], lines.get(here + 1)?);
    let (key, _) = line.pair().filter(|_| !line.is_item() && line.is_complete())?;
    let own = !next.is_item() && next.pair().is_some() && next.indent == line.indent + 2;
    let mut above = lines[..here].iter().rev().take_while(|above| above.indent >= line.indent);
    let item = above.find(|above| above.indent == line.indent)?;
    (own && item.is_item() && item.pair().is_some_and(|(first, _)| first == key)).then_some((line, line.indent))
}

/// The first key of the first item of a list, of which the keys stand where they would behind its dash.
fn first_without_dash<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    let item = lines.get(here).filter(|line| line.is_item())?;
    let before = lines[..here].iter().rev().take_while(|line| line.indent >= item.indent + 2).count();
    let first = lines[here - before..here].first()?;
    let opener = lines[..here - before].last()?;
    let opens = opener.opens() && opener.depth() <= item.indent;
    let key = |line: &Line<'t>| line.pair().map(|(key, _)| key);
    let alike = !first.is_item() && key(first).is_some() && key(first) == key(item);
    (opens && alike && first.indent == item.indent + 2).then_some((*first, item.indent))
}

/// An item in one line without its dash, beside items or where its dash would be: a group, or what is expected, refused or
/// waited for in a test.
fn group_without_dash<'t>(lines: &[Line<'t>], here: usize) -> Option<(Line<'t>, usize)> {
    [Some(here), here.checked_sub(1)].into_iter().flatten().find_map(|at| {
        let line = lines[at];
        let act = || !line.is_item() && line.is_complete() && line.pair().is_some_and(|(key, _)| BESIDE.contains(&key));
        let whole = line.words.starts_with('{') && line.words.ends_with('}') || act();
        // What a key of an item opens is no item.
        let opened = at.checked_sub(1).is_some_and(|above| lines[above].opens() && lines[above].is_item());
        let mut depths = [Some(line.indent), line.indent.checked_sub(2)].into_iter().flatten();
        depths.find(|depth| whole && !opened && items_at(lines, at, *depth)).map(|depth| (line, depth))
    })
}
