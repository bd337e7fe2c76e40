//! A list: its items under each other on one axis, and the lanes of the jumps between them at its sides.

use super::picture::{Picture, Point, Side, Wire};
use super::{Frame, Leaving, Plan, Tail, node};
use crate::diagram::drawing::List;
use std::collections::BTreeMap;

/// Between an item and the next.
const GAP: i32 = 34;
/// Above the first item of a branch.
const TOP: i32 = 18;
/// More above an item that jumps lead to: the last piece of their lines.
const APPROACH: i32 = 16;
/// How far above an item a jump turns towards it.
const TURN: i32 = 14;
/// From what stands in a list to its first lane, and from lane to lane.
const LANE: (i32, i32) = (16, 14);

/// Something that lanes have to go around: its upper and lower edge and its reach to both sides.
struct Obstacle {
    top: i32,
    bottom: i32,
    left: i32,
    right: i32,
}

impl Plan {
    /// A list as a column; on an `open` side nothing stands beside it, so that jumps leave there at once.
    pub(super) fn list(&self, list: &List, open: &[Side]) -> Frame {
        let mut frame = Frame::default();
        let (mut obstacles, mut tops, mut leaving) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut tail: Option<Tail> = None;
        for (at, item) in list.items.iter().enumerate() {
            let mut inner = self.item(item);
            let approach = if self.targets.contains(&item.number) { APPROACH } else { 0 };
            let above = frame.height;
            let label = tail.as_ref().filter(|tail| !tail.label.is_empty()).map(|tail| node::words(&tail.label, 200));
            let top = above
                + approach
                + match &label {
                    _ if at == 0 => TOP,
                    Some(label) => (label.rect.h + 22).max(GAP),
                    None => GAP,
                };
            if let Some(label) = label {
                let (x, y) = (6, above + 5);
                let (right, bottom) = (x + label.rect.w, y + label.rect.h);
                obstacles.push(Obstacle { top: y, bottom, left: 0, right });
                frame.right = frame.right.max(right);
                frame.picture.absorb(Picture { labels: vec![label], ..Picture::default() }, x, y);
            }
            let entry = top + inner.entry.unwrap_or(0);
            if let Some(Tail { mut points, .. }) = tail.take() {
                points.push(Point { x: 0, y: entry });
                frame.picture.wires.push(Wire { points, arrow: inner.arrow(), jump: false });
            }
            if at == 0 {
                frame.entry = Some(entry);
            }
            frame.left = frame.left.max(inner.left);
            frame.right = frame.right.max(inner.right);
            obstacles.push(Obstacle { top, bottom: top + inner.height, left: inner.left, right: inner.right });
            tops.insert(item.number, (top, entry));
            for mut jump in inner.leaving.drain(..) {
                super::picture::shift(&mut jump.points, 0, top);
                leaving.push(jump);
            }
            tail = inner.tail.take().map(|mut tail| {
                super::picture::shift(&mut tail.points, 0, top);
                tail
            });
            frame.height = top + inner.height;
            frame.picture.absorb(inner.picture, 0, top);
        }
        // Control that passes an empty list, or comes out of the last item.
        frame.tail = if list.items.is_empty() { Some(Tail { points: Vec::new(), label: String::new() }) } else { tail };
        let (out, lanes): (Vec<Leaving>, Vec<Leaving>) =
            leaving.into_iter().partition(|jump| !tops.contains_key(&jump.to) && open.contains(&jump.side));
        frame.leaving = out;
        frame.lanes(lanes, &obstacles, &tops);
        frame
    }

    fn item(&self, item: &crate::diagram::drawing::Item) -> Frame {
        if item.branches.is_empty() { self.node(item, &item.ways) } else { self.block(item) }
    }
}

impl Frame {
    /// Whether what comes in here is a node that an arrow may point to.
    pub(super) fn arrow(&self) -> bool {
        self.picture.shapes.first().is_none_or(|shape| shape.kind != crate::diagram::drawing::Kind::Knot)
    }

    /// Gives every jump a lane: to its target where that is in this list, else down to the lower edge.
    fn lanes(&mut self, leaving: Vec<Leaving>, obstacles: &[Obstacle], tops: &BTreeMap<usize, (i32, i32)>) {
        let mut groups: BTreeMap<(Side, usize), Vec<Leaving>> = BTreeMap::new();
        for jump in leaving {
            groups.entry((jump.side, jump.to)).or_default().push(jump);
        }
        let mut spans = Vec::new();
        for ((side, to), jumps) in groups {
            let ys = jumps.iter().filter_map(|jump| jump.points.last()).map(|point| point.y);
            let end = tops.get(&to).map_or(self.height, |(top, _)| top - TURN);
            let (from, until) = ys.fold((end, end), |(from, until), y| (from.min(y), until.max(y)));
            spans.push((until - from, from, until, side, to, jumps));
        }
        // The short ones run inside the long ones.
        spans.sort_by_key(|(length, from, _, side, to, _)| (*length, *from, *side, *to));
        let mut taken: Vec<(Side, i32, i32, i32)> = Vec::new();
        for (_, from, until, side, to, jumps) in spans {
            let around = obstacles.iter().filter(|one| one.top < until + 8 && from - 8 < one.bottom);
            let reach = around.map(|one| if side == Side::Left { one.left } else { one.right }).max().unwrap_or(0);
            let beside =
                taken.iter().filter(|(here, top, bottom, _)| *here == side && *top < until + 8 && from - 8 < *bottom);
            let lane = beside.map(|(_, _, _, lane)| lane + LANE.1).max().unwrap_or(0).max(reach + LANE.0);
            taken.push((side, from, until, lane));
            match side {
                Side::Left => self.left = self.left.max(lane + 4),
                Side::Right => self.right = self.right.max(lane + 4),
            }
            for mut jump in jumps {
                let y = jump.points.last().map_or(0, |point| point.y);
                jump.points.push(Point { x: side.at(lane), y });
                match tops.get(&to) {
                    Some((top, entry)) => {
                        jump.points.push(Point { x: side.at(lane), y: top - TURN });
                        jump.points.push(Point { x: 0, y: top - TURN });
                        jump.points.push(Point { x: 0, y: *entry });
                        self.picture.wires.push(Wire { points: jump.points, arrow: true, jump: true });
                    }
                    None => {
                        jump.points.push(Point { x: side.at(lane), y: self.height });
                        self.leaving.push(jump);
                    }
                }
            }
        }
    }
}
