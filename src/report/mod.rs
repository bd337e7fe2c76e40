//! Reports as their readers get them: a table for the terminal, CSV, JSON, and a page that stands alone.
//!
//! ```text
//! kpi      measured metrics → a sheet in the reader's words, and its CSV and JSON
//! course   how a process went → the same
//! number   figures and lengths of time in words
//! chart    bars and their targets as SVG
//! page     a sheet as one HTML file: light and dark, and on A4
//! ```
//!
//! A sheet holds every word that is shown, so that all formats say the same. Bars are measured in exact decimals.
//!
//! Knows no store, no terminal and no clock; what was measured comes in as an argument.

mod chart;
pub mod course;
mod csv;
pub mod kpi;
mod number;
mod page;

pub use number::bar;
