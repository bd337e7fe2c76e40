//! What of a decision table was not understood: the rules that may ask or answer something else than is known of
//! them. What is proved of the others holds whatever these turn out to be.

use crate::compile::unread::{Reading, words};
use crate::diagnostics::Span;
use crate::syntax::{Field, NOTE, Table};
use std::collections::BTreeSet;

/// What says which values a column allows.
const LIMITS: &[&str] = &["type", "required", "default", "min", "max", "options", "many"];

/// What is not known of a table.
#[derive(Default)]
pub(crate) struct Lost {
    /// The rules of which nothing is known, by their places.
    rules: BTreeSet<usize>,
    /// The rules that may ask more than is known of them.
    asking_more: BTreeSet<usize>,
    /// The cells that may ask something else.
    asking: BTreeSet<(usize, String)>,
    /// The cells that may answer something else.
    answering: BTreeSet<(usize, String)>,
    /// Whether there may be rules that are not known at all.
    more: bool,
    /// The columns that may allow something else.
    columns: BTreeSet<String>,
    /// Whether it is not known where a fault lies.
    all: bool,
}

impl Lost {
    /// A cell of which it is not known what it asks.
    pub(super) fn asks(&mut self, rule: usize, column: &str) {
        self.asking.insert((rule, column.to_owned()));
    }

    /// A rule of which it is not known what it answers in a column.
    pub(super) fn answers(&mut self, rule: usize, column: &str) {
        self.answering.insert((rule, column.to_owned()));
    }

    /// Adds what the text hides.
    pub(super) fn unread(&mut self, document: &Table, reading: &Reading) {
        self.all |= !reading.to_its_end();
        let mut hidden_outputs = BTreeSet::new();
        for piece in reading.pieces() {
            let of = document
                .rules
                .iter()
                .position(|rule| [piece.item, piece.span].iter().any(|span| rule.span.holds(*span)));
            let keys: Vec<&str> = piece.keys.iter().map(String::as_str).collect();
            match (of, column(document, piece.span), keys.as_slice()) {
                (Some(rule), _, [_, key, ..]) => self.cell(document, rule, key),
                (Some(rule), ..) => self.rule(document, rule),
                // What people read asks and allows nothing, nor does what is no key.
                (_, Some(_), [_, _, key, ..]) if !words(key).any(|word| LIMITS.contains(&word)) => {}
                (_, Some(column), _) => self.column(document, &column.name.value),
                (_, _, ["outputs", name]) => drop(hidden_outputs.insert((*name).to_owned())),
                (_, _, keys) => self.more |= matches!(keys, [] | ["rules", ..]),
            }
        }
        for (number, rule) in document.rules.iter().enumerate() {
            let keys = rule.unread.iter().filter(|key| !hidden_outputs.contains(*key));
            keys.for_each(|key| self.cell(document, number, key));
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
        self.columns.insert(name.to_owned());
        for (number, rule) in document.rules.iter().enumerate() {
            if is_output(document, name) {
                self.answers(number, name);
            }
            if is_input(document, name) && rule.gives(name) {
                self.asks(number, name);
            }
        }
    }

    fn cell(&mut self, document: &Table, rule: usize, key: &str) {
        match key {
            NOTE => {}
            output if is_output(document, output) => self.answers(rule, output),
            input if is_input(document, input) => self.asks(rule, input),
            // A name that is none may be meant for any column that is not given.
            _ => {
                self.asking_more.insert(rule);
                self.answers_anything(document, rule);
            }
        }
    }

    fn rule(&mut self, document: &Table, rule: usize) {
        self.rules.insert(rule);
        self.answers_anything(document, rule);
    }

    fn answers_anything(&mut self, document: &Table, rule: usize) {
        document.outputs.iter().for_each(|output| self.answers(rule, &output.name.value));
    }

    /// Whether nothing can be proved.
    pub(crate) fn all(&self) -> bool {
        self.all
    }

    /// Whether it is known what a column allows.
    pub(crate) fn column_known(&self, name: &str) -> bool {
        !self.columns.contains(name)
    }

    /// Whether there is no rule but those that are known.
    pub(crate) fn counted(&self) -> bool {
        !self.more
    }

    /// Whether it is known what a rule asks.
    pub(crate) fn asked(&self, rule: usize) -> bool {
        let cell = self.asking.range((rule, String::new())..).next();
        !self.rules.contains(&rule) && !self.asking_more.contains(&rule) && cell.is_none_or(|(of, _)| *of != rule)
    }

    /// Whether what a rule asks of a column is asked whatever else it may ask.
    pub(crate) fn asked_of(&self, rule: usize, column: &str) -> bool {
        !self.rules.contains(&rule) && !self.asking.contains(&(rule, column.to_owned()))
    }

    /// Whether it is known what a rule answers in a column.
    pub(crate) fn answered(&self, rule: usize, column: &str) -> bool {
        !self.answering.contains(&(rule, column.to_owned()))
    }
}

fn is_input(document: &Table, name: &str) -> bool {
    document.inputs.iter().any(|input| input.name.value == name)
}

fn is_output(document: &Table, name: &str) -> bool {
    document.outputs.iter().any(|output| output.name.value == name) && !is_input(document, name)
}

fn column(document: &Table, at: Span) -> Option<&Field> {
    document.inputs.iter().chain(&document.outputs).find(|column| column.span.holds(at))
}
