//! What of a decision table was not understood: the rules that may ask or answer something else than is known of
//! them. What is proved of the others holds whatever these turn out to be.

use crate::compile::unread::Reading;
use crate::diagnostics::Span;
use crate::syntax::{Field, NOTE, Table};
use std::collections::BTreeSet;

/// What is not known of a table.
#[derive(Default)]
pub(crate) struct Lost {
    /// The rules that may ask something else, by their places.
    asking: BTreeSet<usize>,
    /// The cells that may answer something else.
    answering: BTreeSet<(usize, String)>,
    /// Whether there may be rules that are not known at all.
    more: bool,
    /// Whether a column may allow something else.
    columns: bool,
    /// Whether it is not known where a fault lies.
    all: bool,
}

impl Lost {
    /// A rule of which it is not known what it asks.
    pub(super) fn asks(&mut self, rule: usize) {
        self.asking.insert(rule);
    }

    /// A rule of which it is not known what it answers in a column.
    pub(super) fn answers(&mut self, rule: usize, column: &str) {
        self.answering.insert((rule, column.to_owned()));
    }

    /// Adds what the text hides.
    pub(super) fn unread(&mut self, document: &Table, reading: &Reading) {
        self.all |= !reading.to_its_end();
        for (number, rule) in document.rules.iter().enumerate() {
            rule.unread.iter().for_each(|key| self.cell(document, number, key));
        }
        for piece in reading.pieces() {
            let of = document
                .rules
                .iter()
                .position(|rule| [piece.item, piece.span].iter().any(|span| rule.span.holds(*span)));
            let keys: Vec<&str> = piece.keys.iter().map(String::as_str).collect();
            match (of, column(document, piece.span), keys.as_slice()) {
                (Some(rule), _, [_, key, ..]) => self.cell(document, rule, key),
                (Some(rule), ..) => self.asks(rule),
                // What people read asks and allows nothing.
                (_, Some(_), [_, _, "title" | "help", ..]) => {}
                (_, Some(column), _) => self.column(document, &column.name.value),
                (_, _, keys) => {
                    self.more |= matches!(keys, [] | ["rules", ..]);
                    self.columns |= matches!(keys, [] | ["inputs" | "outputs", ..]);
                }
            }
        }
    }

    /// Adds what a fault takes that was found at a place beside the cells.
    pub(super) fn fault(&mut self, document: &Table, at: Span) {
        if document.rules.iter().any(|rule| rule.span.holds(at)) || document.hit.is_some_and(|hit| hit.span == at) {
            return;
        }
        match column(document, at) {
            Some(column) => self.column(document, &column.name.value),
            None => self.all = true,
        }
    }

    /// Adds a column that may allow something else: what asks or answers it says nothing.
    pub(super) fn column(&mut self, document: &Table, name: &str) {
        self.columns = true;
        for (number, rule) in document.rules.iter().enumerate() {
            if is_output(document, name) {
                self.answers(number, name);
            }
            if document.inputs.iter().any(|input| input.name.value == name) && rule.gives(name) {
                self.asks(number);
            }
        }
    }

    fn cell(&mut self, document: &Table, rule: usize, key: &str) {
        match key {
            NOTE => {}
            output if is_output(document, output) => self.answers(rule, output),
            // A name that is none may be meant for any column.
            _ => {
                self.asks(rule);
                document.outputs.iter().for_each(|output| self.answers(rule, &output.name.value));
            }
        }
    }

    /// Whether nothing can be proved.
    pub(crate) fn all(&self) -> bool {
        self.all
    }

    /// Whether it is known what every column allows.
    pub(crate) fn columns_known(&self) -> bool {
        !self.all && !self.columns
    }

    /// Whether it is known what every rule asks, and that there is no other.
    pub(crate) fn asking_known(&self) -> bool {
        !self.all && !self.more && self.asking.is_empty()
    }

    /// Whether rules can be called by their numbers.
    pub(crate) fn counted(&self) -> bool {
        !self.more
    }

    /// Whether it is known what a rule asks.
    pub(crate) fn asked(&self, rule: usize) -> bool {
        !self.asking.contains(&rule)
    }

    /// Whether it is known what a rule answers in a column.
    pub(crate) fn answered(&self, rule: usize, column: &str) -> bool {
        !self.answering.contains(&(rule, column.to_owned()))
    }
}

fn is_output(document: &Table, name: &str) -> bool {
    let named = |columns: &[Field]| columns.iter().any(|column| column.name.value == name);
    named(&document.outputs) && !named(&document.inputs)
}

fn column(document: &Table, at: Span) -> Option<&Field> {
    document.inputs.iter().chain(&document.outputs).find(|column| column.span.holds(at))
}
