//! A block: a step, its branches side by side under it, and the knot where they come together.

use super::picture::{self, Container, Label, Picture, Point, Rect, Side, Wire};
use super::{Frame, Leaving, Plan, Tail, node};
use crate::diagram::drawing::{Item, To};
use std::collections::BTreeMap;

/// Between branches.
const GAP: i32 = 28;
/// From the step down to where the lines part, and from there to the words of the branches.
const SPLIT: (i32, i32) = (16, 12);
/// From the lowest branch to the first line out, from line to line, and to where the branches come together.
const BELOW: (i32, i32, i32) = (12, 12, 20);
/// Inside a container.
const PAD: i32 = 18;
const KNOT: i32 = 8;
/// The widest name of a branch.
const NAME: i32 = 200;

/// A branch at its place.
struct Placed {
    frame: Frame,
    label: Option<Label>,
    axis: i32,
    /// The sides on which no other branch stands: jumps leave there without a way around.
    open: Vec<Side>,
}

impl Plan {
    /// A step with its branches.
    pub(super) fn block(&self, item: &Item) -> Frame {
        let contains = item.kind.contains();
        let head = self.node(item, &item.ways);
        let y = if contains { PAD } else { 0 };
        let mut frame = Frame { left: head.left, right: head.right, entry: Some(y), ..Frame::default() };
        let from = Point { x: 0, y: y + head.height };
        frame.leaving.extend(moved(head.leaving, 0, y));
        frame.picture.absorb(head.picture, 0, y);

        let branches = self.side_by_side(item, &mut frame);
        let split = from.y + SPLIT.0;
        let names = branches.iter().filter_map(|branch| branch.label.as_ref()).map(|label| label.rect.h + 4).max();
        let top = split + SPLIT.1 + names.unwrap_or(0) - if branches.len() == 1 { SPLIT.0 } else { 0 };
        let bottom = top + branches.iter().map(|branch| branch.frame.height).max().unwrap_or(0);
        let mut tails = Vec::new();
        let mut jumps = Vec::new();
        for Placed { frame: mut inner, label, axis, open } in branches {
            let mut way = vec![from];
            if axis != 0 {
                way.extend([Point { x: 0, y: split }, Point { x: axis, y: split }]);
            }
            if let Some(label) = label {
                let (x, y) = (axis - label.rect.w / 2, split + SPLIT.1 / 2 + 2);
                frame.picture.absorb(Picture { labels: vec![label], ..Picture::default() }, x, y);
            }
            let arrow = inner.arrow();
            match (inner.entry, inner.tail.take()) {
                (Some(entry), tail) => {
                    way.push(Point { x: axis, y: top + entry });
                    frame.picture.wires.push(Wire { points: way, arrow, jump: false });
                    tails.extend(tail.map(|mut tail| {
                        picture::shift(&mut tail.points, axis, top);
                        (axis, tail)
                    }));
                }
                (None, tail) => tails.extend(tail.map(|tail| (axis, Tail { points: way, ..tail }))),
            }
            let (aside, below): (Vec<Leaving>, Vec<Leaving>) =
                moved(inner.leaving, axis, top).into_iter().partition(|jump| open.contains(&jump.side));
            frame.leaving.extend(aside);
            jumps.extend(below);
            frame.picture.absorb(inner.picture, axis, top);
        }
        frame.height = self.out(jumps, bottom, if contains { PAD } else { 0 }, &mut frame);
        self.together(item, tails, &mut frame);
        if contains {
            frame.left += PAD;
            frame.right += PAD;
            frame.height += PAD;
            let rect = Rect { x: -frame.left, y: 0, w: frame.left + frame.right, h: frame.height };
            frame.picture.containers.insert(0, Container { rect, kind: item.kind });
        }
        frame
    }

    /// The branches, each on an axis of its own, and the frame as wide as they are.
    fn side_by_side(&self, item: &Item, frame: &mut Frame) -> Vec<Placed> {
        let (mut found, mut x) = (Vec::new(), 0);
        for (at, branch) in item.branches.iter().enumerate() {
            let last = at + 1 == item.branches.len();
            let open = [(at == 0, Side::Left), (last, Side::Right)].into_iter().filter(|(open, _)| *open);
            let open: Vec<Side> = open.map(|(_, side)| side).collect();
            let inner = self.list(&branch.steps, &open);
            let label = (!branch.label.is_empty()).then(|| node::words(&branch.label, NAME));
            let half = label.as_ref().map_or(0, |label| (label.rect.w + 1) / 2).max(24);
            let (left, right) = (inner.left.max(half), inner.right.max(half));
            found.push(Placed { frame: inner, label, axis: x + left, open });
            x += left + right + GAP;
        }
        let width = x - GAP;
        let axis = |placed: Option<&Placed>| placed.map_or(0, |placed| placed.axis);
        let middle = (axis(found.first()) + axis(found.last())) / 2;
        found.iter_mut().for_each(|placed| placed.axis -= middle);
        frame.left = frame.left.max(middle);
        frame.right = frame.right.max(width - middle);
        found
    }

    /// Leads the jumps out of the branches below them to the sides; answers how far down that reaches.
    fn out(&self, jumps: Vec<Leaving>, bottom: i32, pad: i32, frame: &mut Frame) -> i32 {
        let mut groups: BTreeMap<(Side, usize), Vec<Leaving>> = BTreeMap::new();
        for jump in jumps {
            groups.entry((jump.side, jump.to)).or_default().push(jump);
        }
        let mut y = bottom;
        for (at, ((side, _), jumps)) in groups.into_iter().enumerate() {
            y += if at == 0 { BELOW.0 } else { BELOW.1 };
            let reach = pad + if side == Side::Left { frame.left } else { frame.right };
            for mut jump in jumps {
                let x = jump.points.last().map_or(0, |point| point.x);
                jump.points.extend([Point { x, y }, Point { x: side.at(reach), y }]);
                frame.leaving.push(jump);
            }
        }
        y
    }

    /// The knot, and what is told by which of several ways control leaves it.
    fn together(&self, item: &Item, tails: Vec<(i32, Tail)>, frame: &mut Frame) {
        if tails.is_empty() {
            return;
        }
        let y = frame.height + BELOW.2;
        for (axis, Tail { mut points, .. }) in tails {
            let middle = y + KNOT / 2;
            match axis {
                0 => points.push(Point { x: 0, y }),
                axis => points.extend([Point { x: axis, y: middle }, Point { x: axis.signum() * KNOT / 2, y: middle }]),
            }
            frame.picture.wires.push(Wire { points, arrow: false, jump: false });
        }
        frame.picture.absorb(Picture { shapes: vec![node::knot(KNOT)], ..Picture::default() }, 0, y);
        frame.height = y + KNOT;
        let onward = item.after.iter().find(|way| way.to == To::Next);
        if item.after.iter().all(|way| way.to == To::Next) {
            let points = vec![Point { x: 0, y: frame.height }];
            frame.tail = onward.map(|way| Tail { points, label: way.label.clone() });
            return;
        }
        // Several ways: a knot of its own, so that their lines do not lie on those of the branches.
        let gate = Item { kind: crate::diagram::drawing::Kind::Knot, branches: Vec::new(), ..item.clone() };
        let mut inner = self.node(&gate, &item.after);
        let top = frame.height + SPLIT.0;
        let entry = top + inner.entry.unwrap_or(0);
        let points = vec![Point { x: 0, y: frame.height }, Point { x: 0, y: entry }];
        frame.picture.wires.push(Wire { points, arrow: false, jump: false });
        frame.left = frame.left.max(inner.left);
        frame.right = frame.right.max(inner.right);
        frame.height = top + inner.height;
        frame.tail = inner.tail.take().map(|mut tail| {
            picture::shift(&mut tail.points, 0, top);
            tail
        });
        frame.leaving.extend(moved(inner.leaving, 0, top));
        frame.picture.absorb(inner.picture, 0, top);
    }
}

fn moved(jumps: Vec<Leaving>, dx: i32, dy: i32) -> Vec<Leaving> {
    let mut jumps = jumps;
    jumps.iter_mut().for_each(|jump| picture::shift(&mut jump.points, dx, dy));
    jumps
}
