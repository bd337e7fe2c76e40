//! What could not be read, so that a name is not called unknown while its declaration may be there.
//!
//! A text with a fault in it still has all its words. A name is taken for declared in it if it stands where a
//! declaration would: first in a line or a group with a colon behind it, or as an `id`. One that stands at no such
//! place is unknown whatever else is wrong, and is told at once.

use crate::compile::resolve::{RESERVED, walk};
use crate::diagnostics::Span;
use crate::syntax::{self, Field, Hidden, Process, StepKind, feel};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How much of a text was understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// Whether lines were left out, in which anything may stand.
    broken: bool,
    pieces: Vec<Piece>,
    /// What may declare names.
    texts: Vec<Arc<str>>,
}

#[derive(Clone, Debug)]
struct Piece {
    hidden: Hidden,
    text: Arc<str>,
    /// Whether the way of a case inside of the item may be another one: not where the item is a block and it is not
    /// known when its branches are done, which says nothing of what is set in them.
    leads: bool,
    /// Whether a case may end or turn away here, so that what follows knows more than is proved.
    turns: bool,
}

impl Reading {
    /// Of a text: the pieces that were not understood, and whether it was read to its end.
    pub(crate) fn of(text: &Arc<str>, hidden: Vec<Hidden>, to_its_end: bool) -> Reading {
        let part = |span: Span| text.get(span.start as usize..span.end as usize).unwrap_or("");
        let piece = |hidden: Hidden| {
            let item = part(hidden.item);
            let leads = hidden.flow && hidden.keys.last().is_none_or(|key| key != "join");
            let turns = leads && ["end", "go"].iter().any(|key| places(item, key).next().is_some());
            // The names above a piece are as little understood as what is in it.
            let above = hidden.keys.iter().map(|key| format!("{key}:\n")).collect::<String>();
            Piece { text: Arc::from(above + part(hidden.span)), leads, turns, hidden }
        };
        let pieces: Vec<Piece> = hidden.into_iter().map(piece).collect();
        let texts = match to_its_end {
            true => pieces.iter().map(|piece| Arc::clone(&piece.text)).collect(),
            false => vec![Arc::clone(text)],
        };
        Reading { broken: !to_its_end, pieces, texts }
    }

    /// Of a document that is not looked into at all.
    pub(crate) fn nothing() -> Reading {
        Reading { broken: true, ..Reading::default() }
    }

    /// The same, where more is not understood that is known by its keys only.
    pub(crate) fn beside(mut self, hidden: Vec<Hidden>) -> Reading {
        let more = Reading::of(&Arc::from(""), hidden, true);
        self.pieces.extend(more.pieces);
        self.texts.extend(more.texts);
        self
    }

    /// Whether all of it was.
    pub(crate) fn whole(&self) -> bool {
        !self.broken && self.pieces.is_empty()
    }

    /// Whether no line was left out.
    pub(crate) fn to_its_end(&self) -> bool {
        !self.broken
    }

    /// The pieces that were not.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Hidden> {
        self.pieces.iter().map(|piece| &piece.hidden)
    }

    /// What was not, and may declare names.
    pub(crate) fn texts(&self) -> impl Iterator<Item = Arc<str>> {
        self.texts.iter().cloned()
    }

    /// Whether how a case moves is as it is written.
    pub(crate) fn flow(&self) -> bool {
        !self.broken && self.of_flow().next().is_none()
    }

    /// Whether how a case moves in a part of the text is as it is written, whatever is wrong elsewhere.
    pub(crate) fn flow_in(&self, part: Span) -> bool {
        let apart = |item: Span| item.source != part.source || item.end <= part.start || part.end <= item.start;
        !self.broken && self.of_flow().all(|piece| apart(piece.hidden.item))
    }

    /// What may move a case in another way than is written: the items, each with the words of what was not understood
    /// in it.
    pub(crate) fn turns(&self) -> impl Iterator<Item = (Span, BTreeSet<&str>)> {
        self.of_flow().map(|piece| (piece.hidden.item, words(&piece.text).collect()))
    }

    fn of_flow(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|piece| piece.hidden.flow)
    }

    /// Whether how a case moves on from a step is as it is written, whatever is wrong elsewhere; by what stands in it.
    pub(crate) fn step(&self, at: Span) -> bool {
        !self.broken && !self.pieces.iter().any(|piece| piece.hidden.flow && piece.hidden.item.holds(at))
    }

    /// Whether a key of the document is as it is written, or is known not to be there.
    pub(crate) fn head(&self, key: &str) -> bool {
        let unlike = |piece: &Piece| match piece.hidden.keys.as_slice() {
            [] => false,
            [first, below @ ..] => first != key && (!below.is_empty() || syntax::is_head(first)),
        };
        !self.broken && self.pieces.iter().all(unlike)
    }

    /// Whether what is said of a field, and of nothing else, was understood.
    pub(crate) fn field(&self, name: &str) -> bool {
        !self.broken && !self.pieces.iter().any(|piece| words(&piece.text).any(|word| word == name))
    }

    /// Whether what an expression reads, or what that is computed from, may be set or proved where it was not
    /// understood.
    pub(crate) fn may_set(&self, read: &str, at: Span, document: &Process) -> bool {
        if self.whole() {
            return false;
        }
        let read = behind(read, document);
        let mentions = |piece: &Piece| sets(&piece.text).any(|word| read.contains(word));
        // Where a case turns away later proves nothing of what it has come past.
        let before = |item: Span| item.source != at.source || item.start <= at.start;
        let turns = |piece: &Piece| piece.turns && before(piece.hidden.item);
        let hides = |piece: &Piece| turns(piece) || piece.leads && piece.hidden.item.holds(at) || mentions(piece);
        self.broken || self.pieces.iter().any(hides)
    }
}

/// The words of an expression, with those of what computes the fields among them and of the lists of their rows.
pub(super) fn behind<'t>(read: &'t str, document: &'t Process) -> BTreeSet<&'t str> {
    let mut texts: Vec<(&str, &str)> = Vec::new();
    let mut fields: Vec<&Field> = document.form.iter().chain(&document.data).collect();
    walk(&document.steps, &mut |step| {
        fields.extend(&step.form);
        if let StepKind::Each { rows, alias, .. } = &step.kind {
            texts.push((alias.value.as_str(), rows.text.as_str()));
        }
    });
    while let Some(field) = fields.pop() {
        fields.extend(&field.fields);
        texts.extend(field.value.iter().map(|value| (field.name.value.as_str(), value.text.as_str())));
    }
    let (mut found, mut new) = (BTreeSet::new(), words(read).collect::<Vec<_>>());
    while let Some(word) = new.pop() {
        if found.insert(word) {
            new.extend(texts.iter().filter(|(name, _)| *name == word).flat_map(|(_, text)| words(text)));
        }
    }
    found
}

/// The names that a text may set something of: keys of its own and what keys that take names of fields are followed by.
fn sets(text: &str) -> impl Iterator<Item = &str> {
    let mut of_names = false;
    text.lines().flat_map(move |line| {
        let (mut rest, mut found) = (line, Vec::new());
        for word in words(line) {
            rest = rest.split_once(word).map_or("", |(_, behind)| behind);
            if rest.trim_start_matches([' ', '"', '\'']).starts_with([':', '：']) {
                of_names = TAKES_NAMES.contains(&word);
                found.push(word);
            } else if of_names {
                found.push(word);
            }
        }
        found
    })
}

/// Keys that are followed by names of fields which they set or ask.
const TAKES_NAMES: &[&str] = &["edit", "into", "as", "each"];

/// The words of a text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Texts that were not understood whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread {
    texts: Vec<Arc<str>>,
    /// Whether there are no positions at all to compare names with, as the directory is missing or broken.
    pub(crate) no_directory: bool,
}

impl Unread {
    /// Adds a text.
    pub(crate) fn push(&mut self, text: Arc<str>) {
        self.texts.push(text);
    }

    /// These texts and what was not understood of another one.
    pub(crate) fn with(&self, reading: &Reading) -> Unread {
        let mut all = self.clone();
        all.texts.extend(reading.texts());
        all
    }

    /// Whether any of the texts may declare a name.
    pub(crate) fn may_declare(&self, name: &str) -> bool {
        self.places(name) > 0
    }

    /// Whether any of the texts may declare a name that one place uses in the manner of a declaration.
    pub(crate) fn may_declare_besides(&self, name: &str) -> bool {
        self.places(name) > 1
    }

    fn places(&self, name: &str) -> usize {
        self.texts.iter().map(|text| places(text, name).count()).sum()
    }
}

/// Where a text may declare a name.
fn places<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + use<'t> {
    let found = (!name.is_empty()).then(|| text.match_indices(name)).into_iter().flatten();
    found.filter(|(at, _)| declares(text, *at, name)).map(|(at, _)| at)
}

fn declares(text: &str, at: usize, name: &str) -> bool {
    let (before, after) = (text.get(..at).unwrap_or(""), text.get(at + name.len()..).unwrap_or(""));
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    if before.ends_with(in_word) || after.starts_with(in_word) {
        return false;
    }
    let before = before.trim_end_matches([' ', '"', '\'', '-', '?']);
    let opens = before.is_empty() || before.ends_with(['\n', '{', ',', '，', '｛']);
    let named = before.ends_with("id:") || before.ends_with("id：");
    named || opens && after.trim_start_matches([' ', '"', '\'']).starts_with([':', '：'])
}

/// Whether a field is asked of each row of a list that is not known, which is told at the `each`.
pub(crate) fn of_lost_rows(name: &str, document: &Process) -> bool {
    let mut known: BTreeSet<&str> = RESERVED.iter().map(|(word, _, _)| *word).collect();
    known.extend(document.form.iter().chain(&document.data).map(|field| field.name.value.as_str()));
    walk(&document.steps, &mut |step| {
        known.extend(step.form.iter().map(|field| field.name.value.as_str()));
        if let StepKind::Each { alias, into, .. } = &step.kind {
            known.extend(into.iter().chain([alias]).map(|name| name.value.as_str()));
        }
    });
    let mut lost = false;
    walk(&document.steps, &mut |step| {
        if let StepKind::Each { rows, steps, .. } = &step.kind
            && feel::is_word(&rows.text)
            && !known.contains(rows.text.as_str())
        {
            walk(steps, &mut |step| lost |= step.form.iter().any(|field| field.name.value == name));
        }
    });
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_declared_where_it_opens_a_line_or_a_group() {
        let text = "form:\n  total： { type: money }\n  - { id: review, approve: boss, on: { rejected: lost } }\nwhen: budget > 5\n";
        let unread = Unread { texts: vec![Arc::from(text)], no_directory: false };
        for (name, declared) in
            [("total", true), ("review", true), ("budget", false), ("boss", false), ("lost", false), ("rev", false)]
        {
            assert_eq!(unread.may_declare(name), declared, "{name}");
        }
    }
}
