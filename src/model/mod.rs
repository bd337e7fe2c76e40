//! Plain, checked data: what a process, a person, a value and a moment are.
//!
//! Invariant: knows nothing of text positions, storage, mail, clocks or `async`. Fields are public where
//! any value is legal; where not, the constructor says what it refuses.

pub mod control;
pub mod cron;
pub mod definition;
pub mod file;
pub mod form;
pub mod formula;
mod formulas;
pub mod graph;
pub mod id;
pub mod input;
pub mod json;
pub mod key;
pub mod metric;
pub mod people;
pub mod rule;
pub mod text;
pub mod time;
pub mod value;
pub mod words;
