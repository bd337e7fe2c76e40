//! A process as a picture: SVG, Mermaid and DOT, and an outline for a terminal.
//!
//! ```text
//! Definition ──read──▶ Drawing ──┬─ outline
//!                                ├─ mermaid · dot
//!                                └─ layout ──▶ Picture ──svg
//! ```
//!
//! A [`Drawing`] is what all of them show: lists of steps in the author's order, branches inside steps, and where
//! each step leads, already in words. A new kind of step is added in `speak` and nowhere else. A [`Picture`] is
//! boxes and lines with coordinates; nothing below it measures, nothing above it knows of pixels.
//!
//! Invariant: pure, total and in whole numbers, so that the same definition is the same picture, byte by byte. It
//! reads definitions, knows no files and no terminal.

mod clock;
mod dot;
mod drawing;
mod layout;
mod measure;
mod mermaid;
mod named;
mod outline;
mod phrase;
mod read;
mod speak;
mod svg;

use drawing::Group;
pub use drawing::{Branch, Drawing, Item, Kind, List, Note, To, Way};
pub use layout::picture;
pub use layout::picture::{Container, Form, Label, Line, Picture, Point, Rect, Role, Shape, Side, Wire};
pub use outline::{Tone, outline};
pub use phrase::Phrases;

use crate::model::id::StepId;
use std::collections::BTreeSet;

/// Where a case stands, to be drawn into the picture of its process. Empty for the process itself.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// Steps that are over.
    pub done: BTreeSet<StepId>,
    /// Steps that it is at.
    pub current: BTreeSet<StepId>,
}

/// A flowchart for Mermaid.
pub fn mermaid(drawing: &Drawing, marks: &Marks) -> String {
    mermaid::write(drawing, marks)
}

/// A graph for Graphviz.
pub fn dot(drawing: &Drawing, marks: &Marks) -> String {
    dot::write(drawing, marks)
}

/// A drawing for a browser, a document or paper; light and dark.
pub fn svg(drawing: &Drawing, marks: &Marks) -> String {
    svg::write(drawing, &picture(drawing), marks)
}
