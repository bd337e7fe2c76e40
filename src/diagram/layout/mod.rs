//! Where everything stands: a drawing → a picture.
//!
//! Processes are written as lists with branches inside steps, so they are laid out as that and not as any graph:
//!
//! * A **list** is a column. Its steps hang on one axis, in the author's order, and control falls from one to the
//!   next.
//! * A **block** is a step with its branches side by side under it, each a list of its own, coming together in a
//!   knot below them.
//! * What **ends the case** stands beside the step that ends it.
//! * A **jump** leaves its step at the side, back to the left and on to the right, and runs in a lane of its list
//!   outside all that stands there. Out of a branch with others beside it, it runs down and out below all of them.
//!   Jumps to one step share a lane. It comes in from above the step that it leads to.
//!
//! So no line crosses a node and no node another, by construction: a frame (`Frame`) knows how far it reaches to
//! both sides of its axis, and everything is placed outside the frames beside it.

mod block;
mod list;
mod node;
pub(super) use node::LEAN;
pub mod picture;

use super::drawing::Drawing;
use crate::model::text::Lang;
use picture::{Picture, Point, Side};
use std::collections::{BTreeMap, BTreeSet};

/// Room around everything.
const MARGIN: i32 = 32;
/// Room for the title.
const HEADING: i32 = 44;
/// Room for the legend.
const LEGEND: i32 = 48;
/// The narrowest picture: the legend has to fit.
const NARROW: i32 = 400;

/// Lays a drawing out.
pub fn picture(drawing: &Drawing) -> Picture {
    let plan = Plan::of(drawing);
    let frame = plan.list(&drawing.steps, &[]);
    let title = node::HEADING.width(&drawing.title);
    let inner = (frame.left + frame.right).max(title).max(NARROW);
    let spare = inner - frame.left - frame.right;
    let mut picture = frame.picture;
    picture.shift(MARGIN + frame.left + spare / 2, HEADING + MARGIN);
    picture.width = inner + 2 * MARGIN;
    let legend = if drawing.steps.groups().len() > 1 { LEGEND } else { 0 };
    picture.height = HEADING + MARGIN + frame.height + legend + MARGIN;
    picture
}

/// A part of the picture, with coordinates from its axis and its upper edge.
#[derive(Default)]
struct Frame {
    /// How far it reaches to the left of its axis.
    left: i32,
    /// How far it reaches to the right.
    right: i32,
    height: i32,
    picture: Picture,
    /// Where control comes in: the height of the first node. `None` where nothing stands on the axis.
    entry: Option<i32>,
    /// Where control leaves for what follows; `None` where it never does.
    tail: Option<Tail>,
    /// Jumps to somewhere outside.
    leaving: Vec<Leaving>,
}

/// The beginning of a line to what follows.
struct Tail {
    points: Vec<Point>,
    label: String,
}

/// A jump on its way out: its line so far, which ends at the side of the frame.
struct Leaving {
    to: usize,
    side: Side,
    points: Vec<Point>,
}

/// What has to be known of the whole drawing to lay out a part.
struct Plan {
    lang: Lang,
    /// Items that jumps lead to.
    targets: BTreeSet<usize>,
    /// Where each item stands in the order of the text.
    order: BTreeMap<usize, usize>,
}

impl Plan {
    fn of(drawing: &Drawing) -> Plan {
        let mut order = BTreeMap::new();
        drawing.steps.walk(&mut |item| {
            let place = order.len();
            order.insert(item.number, place);
        });
        Plan { lang: drawing.lang, targets: drawing.steps.targets(), order }
    }

    /// The side on which a jump runs: back on the left, on on the right.
    fn side(&self, from: usize, to: usize) -> Side {
        if self.order.get(&to) <= self.order.get(&from) { Side::Left } else { Side::Right }
    }
}

impl Side {
    /// A distance from the axis as a coordinate.
    fn at(self, distance: i32) -> i32 {
        match self {
            Side::Left => -distance,
            Side::Right => distance,
        }
    }
}
