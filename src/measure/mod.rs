//! What recorded cases come to: metrics of a period, and how a process goes. Pure: cases are handed in one by one,
//! in any order, and none is kept.
//!
//! [`kpi`] counts the metrics; [`process`] follows the steps of one process. Numbers are exact decimals and whole
//! minutes; a value is rounded where it is shown and nowhere before.
//!
//! A share of nothing is no number: it is said to have no data, and so is a count over a period that ended before
//! the first case of the processes that it reads. A case in which an expression cannot be computed, or is null, is
//! left out and counted as such; whoever it was of stays in the breakdown.
//!
//! Invariant: knows no store, no files and no clock; what it is measured at comes in as an argument.

pub mod kpi;
pub mod process;
mod worktime;
