//! What could not be read, so that a name is not called unknown while its declaration may be there.
//!
//! A text with a fault in it still has all its words. A name is taken for declared in it if it stands where a
//! declaration would: first in a line or a group with a colon behind it, or as an `id`. One that stands at no such
//! place is unknown whatever else is wrong, and is told at once.

use std::sync::Arc;

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

    /// Whether any of the texts may declare a name.
    pub(crate) fn may_declare(&self, name: &str) -> bool {
        self.places(name) > 0
    }

    /// Whether any of the texts may declare a name that one place uses in the manner of a declaration.
    pub(crate) fn may_declare_besides(&self, name: &str) -> bool {
        self.places(name) > 1
    }

    fn places(&self, name: &str) -> usize {
        let places = |text: &Arc<str>| text.match_indices(name).filter(|(at, _)| declares(text, *at, name)).count();
        if name.is_empty() { 0 } else { self.texts.iter().map(places).sum() }
    }
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
