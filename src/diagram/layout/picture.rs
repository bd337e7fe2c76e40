//! Boxes, lines and texts with coordinates: all that a writer of pictures has to know.

use crate::diagram::drawing::Kind;
use crate::model::id::StepId;

/// A place, in pixels from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// To the right.
    pub x: i32,
    /// Downwards.
    pub y: i32,
}

/// A box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// Its left edge.
    pub x: i32,
    /// Its upper edge.
    pub y: i32,
    /// Its width.
    pub w: i32,
    /// Its height.
    pub h: i32,
}

impl Rect {
    /// Whether two boxes share more than an edge.
    pub fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }

    /// Whether another box lies in it.
    pub fn holds(&self, other: &Rect) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.x + other.w <= self.x + self.w
            && other.y + other.h <= self.y + self.h
    }
}

/// How a node is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A card with rounded corners: work.
    Card,
    /// A card with an edge that is not drawn through: something outside.
    Dashed,
    /// A narrow card: what happens by itself.
    Slim,
    /// A hexagon: a decision.
    Hexagon,
    /// A pill in outline: where a case starts.
    Start,
    /// A pill: the end of the case.
    Pill,
    /// The end of the case beside the step that leads there.
    Exit,
    /// The head of a container.
    Head,
    /// Where lines meet.
    Knot,
}

/// What a line of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What the step is called.
    Title,
    /// Who, what.
    Note,
    /// Until when.
    Due,
    /// The condition under which it is done at all.
    When,
    /// The words of an edge.
    Edge,
}

/// A line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its box.
    pub rect: Rect,
    /// What it says.
    pub text: String,
    /// What it is.
    pub role: Role,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its box; lines end on it.
    pub rect: Rect,
    /// How it is drawn.
    pub form: Form,
    /// What it does.
    pub kind: Kind,
    /// The step that it is.
    pub step: Option<StepId>,
    /// The square of its sign.
    pub sign: Option<Rect>,
    /// The box behind the lines of its condition.
    pub chip: Option<Rect>,
    /// What it says.
    pub lines: Vec<Line>,
    /// All its words, where some were left out.
    pub full: Option<String>,
}

/// A soft box around the branches of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its box.
    pub rect: Rect,
    /// What it holds together.
    pub kind: Kind,
}

/// A line between nodes: from its first point to its last, along the axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Its corners.
    pub points: Vec<Point>,
    /// Whether it ends with an arrow.
    pub arrow: bool,
    /// Whether it is a jump, and not the flow to what follows.
    pub jump: bool,
}

/// The words of an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Their box.
    pub rect: Rect,
    /// What they say.
    pub lines: Vec<Line>,
    /// All of it, where some was left out.
    pub full: Option<String>,
}

/// The side of a node or list on which a jump runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Back.
    Left,
    /// On.
    Right,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// How wide it is.
    pub width: i32,
    /// How high it is.
    pub height: i32,
    /// Outer ones first.
    pub containers: Vec<Container>,
    /// Lines.
    pub wires: Vec<Wire>,
    /// Nodes.
    pub shapes: Vec<Shape>,
    /// Words of lines.
    pub labels: Vec<Label>,
}

impl Picture {
    /// Takes in another picture, moved.
    pub(super) fn absorb(&mut self, mut other: Picture, dx: i32, dy: i32) {
        other.shift(dx, dy);
        self.containers.append(&mut other.containers);
        self.wires.append(&mut other.wires);
        self.shapes.append(&mut other.shapes);
        self.labels.append(&mut other.labels);
    }

    /// Moves all of it.
    pub(super) fn shift(&mut self, dx: i32, dy: i32) {
        let rect = |rect: &mut Rect| {
            rect.x += dx;
            rect.y += dy;
        };
        self.containers.iter_mut().for_each(|container| rect(&mut container.rect));
        for shape in &mut self.shapes {
            rect(&mut shape.rect);
            shape.sign.iter_mut().chain(&mut shape.chip).for_each(rect);
            shape.lines.iter_mut().for_each(|line| rect(&mut line.rect));
        }
        for label in &mut self.labels {
            rect(&mut label.rect);
            label.lines.iter_mut().for_each(|line| rect(&mut line.rect));
        }
        self.wires.iter_mut().for_each(|wire| shift(&mut wire.points, dx, dy));
    }
}

/// Moves points.
pub(super) fn shift(points: &mut [Point], dx: i32, dy: i32) {
    for point in points {
        point.x += dx;
        point.y += dy;
    }
}
