//! One node on its axis: its words, its size, and what stands beside it (ends, and the beginnings of jumps).

use super::picture::{Form, Label, Line, Picture, Point, Rect, Role, Shape, Side, Wire};
use super::{Frame, Leaving, Plan, Tail};
use crate::diagram::drawing::{Group, Item, Kind, Note, To, Way};
use crate::diagram::measure::Font;
use crate::model::text::Lang;

pub(in crate::diagram) const HEADING: Font = Font { size: 22, bold: true };
pub(in crate::diagram) const TITLE: Font = Font { size: 15, bold: true };
pub(in crate::diagram) const NOTE: Font = Font { size: 13, bold: false };
pub(in crate::diagram) const SMALL: Font = Font { size: 12, bold: false };

const SIGN: i32 = 30;
const PAD: i32 = 14;
/// The widest text in a node.
const TEXT: i32 = 216;
/// The widest words of an edge.
const EDGE: i32 = 150;
/// A line from a node to the words of an edge, and from those to where it leads.
const STUB: (i32, i32) = (12, 26);
/// How much a hexagon's sides lean.
pub(in crate::diagram) const LEAN: i32 = 16;

impl Role {
    /// The font of such a line.
    pub(in crate::diagram) fn font(self) -> Font {
        match self {
            Role::Title => TITLE,
            Role::Note => NOTE,
            Role::Due | Role::When | Role::Edge => SMALL,
        }
    }
}

/// Something beside a node: the words of a way and where it leads.
struct Beside {
    label: Option<Label>,
    end: Option<Shape>,
    to: Option<usize>,
    height: i32,
}

impl Plan {
    /// A node with what stands beside it, `ways` being where it leads.
    pub(super) fn node(&self, item: &Item, ways: &[Way]) -> Frame {
        let mut shape = shape(item, self.lang);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for way in ways {
            match &way.to {
                To::Next => {}
                To::End(words) => right.push(beside(&way.label, Some(words), None)),
                To::Item(number) => match self.side(item.number, *number) {
                    Side::Left => left.push(beside(&way.label, None, Some(*number))),
                    Side::Right => right.push(beside(&way.label, None, Some(*number))),
                },
            }
        }
        let sides = [(Side::Left, left), (Side::Right, right)];
        let rows = sides.iter().map(|(_, list)| list.iter().map(|row| row.height).sum::<i32>()).max().unwrap_or(0);
        let beside = sides.iter().map(|(_, list)| list.len()).max().unwrap_or(0);
        let mut lift = 0;
        if shape.form == Form::Knot && beside <= 1 {
            // A point stays one, in the middle of what stands beside it.
            lift = (rows - shape.rect.h).max(0) / 2;
        } else {
            grow(&mut shape, rows + if rows > 0 { 8 } else { 0 });
        }
        let (half, bottom) = (shape.rect.w / 2, shape.rect.h + lift);
        let height = shape.rect.h.max(rows);
        shape.rect.y += lift;
        let mut frame = Frame { left: half, right: half, height, entry: Some(lift), ..Frame::default() };
        for (side, list) in sides {
            let mut y = (height - list.iter().map(|row| row.height).sum::<i32>()) / 2;
            for row in list {
                let middle = if lift > 0 { lift + (bottom - lift) / 2 } else { y + row.height / 2 };
                y += row.height;
                let border = edge_at(&shape, middle);
                frame.beside(row, side, border, middle);
            }
        }
        let onward = ways.iter().find(|way| way.to == To::Next);
        frame.tail = onward.map(|way| Tail { points: vec![Point { x: 0, y: bottom }], label: way.label.clone() });
        frame.picture.shapes.insert(0, shape);
        frame
    }
}

impl Frame {
    /// Sets a way beside a node whose border is `border` away from the axis at this height.
    fn beside(&mut self, row: Beside, side: Side, border: i32, middle: i32) {
        let mut reach = border + STUB.0;
        if let Some(label) = row.label {
            let x = side.at(reach + label.rect.w / 2) - label.rect.w / 2;
            let y = middle - label.rect.h / 2;
            reach += label.rect.w;
            self.picture.absorb(Picture { labels: vec![label], ..Picture::default() }, x, y);
        }
        reach += STUB.1;
        let start = Point { x: side.at(border), y: middle };
        if let Some(end) = row.end {
            let (w, h) = (end.rect.w, end.rect.h);
            let points = vec![start, Point { x: side.at(reach), y: middle }];
            self.picture.wires.push(Wire { points, arrow: true, jump: false });
            let picture = Picture { shapes: vec![end], ..Picture::default() };
            self.picture.absorb(picture, side.at(reach + w / 2) - w / 2, middle - h / 2);
            reach += w;
        }
        if let Some(to) = row.to {
            reach -= STUB.1 / 2;
            let points = vec![start, Point { x: side.at(reach), y: middle }];
            self.leaving.push(Leaving { to, side, points });
        }
        match side {
            Side::Left => self.left = self.left.max(reach),
            Side::Right => self.right = self.right.max(reach),
        }
    }
}

/// How far the border of a shape is from its axis at a height.
fn edge_at(shape: &Shape, y: i32) -> i32 {
    let half = shape.rect.w / 2;
    match shape.form {
        Form::Hexagon => {
            let middle = shape.rect.h / 2;
            half - LEAN * (y - middle).abs() / middle.max(1)
        }
        _ => half,
    }
}

fn beside(label: &str, end: Option<&str>, to: Option<usize>) -> Beside {
    let label = (!label.is_empty()).then(|| words(label, EDGE));
    let end = end.map(exit);
    let heights = [label.as_ref().map(|label| label.rect.h + 8), end.as_ref().map(|end| end.rect.h + 8)];
    Beside { label, end, to, height: heights.into_iter().flatten().max().unwrap_or(0).max(24) }
}

/// The words of an edge, in a box of their own with its corner at the origin.
pub(super) fn words(text: &str, width: i32) -> Label {
    let wrapped = SMALL.wrap(text, width, 3);
    let w = wrapped.lines.iter().map(|line| SMALL.width(line)).max().unwrap_or(0) + 8;
    let mut lines = Vec::new();
    let mut y = 1;
    for text in wrapped.lines {
        let wide = SMALL.width(&text);
        lines.push(Line { rect: Rect { x: (w - wide) / 2, y, w: wide, h: SMALL.line() }, text, role: Role::Edge });
        y += SMALL.line();
    }
    Label { rect: Rect { x: 0, y: 0, w, h: y + 1 }, lines, full: wrapped.cut.then(|| text.to_owned()) }
}

/// The end of the case, with its corner at the origin.
fn exit(text: &str) -> Shape {
    let wrapped = SMALL.wrap(text, EDGE, 2);
    let w = wrapped.lines.iter().map(|line| SMALL.width(line)).max().unwrap_or(0) + 24;
    let mut lines = Vec::new();
    let mut y = 5;
    for text in wrapped.lines {
        let wide = SMALL.width(&text);
        lines.push(Line { rect: Rect { x: (w - wide) / 2, y, w: wide, h: SMALL.line() }, text, role: Role::Edge });
        y += SMALL.line();
    }
    Shape {
        rect: Rect { x: 0, y: 0, w, h: y + 5 },
        form: Form::Exit,
        kind: Kind::End,
        step: None,
        sign: None,
        chip: None,
        lines,
        full: wrapped.cut.then(|| text.to_owned()),
    }
}

/// A knot of so many pixels with its middle on the axis.
pub(super) fn knot(size: i32) -> Shape {
    Shape {
        rect: Rect { x: -size / 2, y: 0, w: size, h: size },
        form: Form::Knot,
        kind: Kind::Knot,
        step: None,
        sign: None,
        chip: None,
        lines: Vec::new(),
        full: None,
    }
}

/// The shape of an item around the axis, its upper edge at 0.
fn shape(item: &Item, lang: Lang) -> Shape {
    if item.kind == Kind::Knot {
        return knot(10);
    }
    let form = match (item.kind, item.kind.group()) {
        (Kind::Start, _) => Form::Start,
        (Kind::End, _) => Form::Pill,
        (Kind::Choose | Kind::Guard, _) => Form::Hexagon,
        (_, Group::People) => Form::Card,
        (_, Group::Outside) => Form::Dashed,
        (_, Group::Own) => Form::Slim,
        (_, Group::Flow) => Form::Head,
    };
    let signed = !matches!(form, Form::Start | Form::Pill | Form::Hexagon);
    let mut texts = vec![(Role::Title, item.title.as_str())];
    if form == Form::Start {
        // What is started is the heading of the picture; here stands who starts it.
        texts.clear();
    }
    texts.extend(item.notes.iter().map(|note| match note {
        Note::Due(text) => (Role::Due, text.as_str()),
        Note::Who(text) | Note::What(text) => (Role::Note, text.as_str()),
    }));
    let only = item.when.as_ref().map(|when| format!("{} {when}", Item::only(when, lang)));
    texts.extend(only.iter().map(|when| (Role::When, when.as_str())));
    let (mut found, mut cut, mut width) = (Vec::new(), false, 0);
    for (role, text) in texts {
        let wrapped = role.font().wrap(text, TEXT, if role == Role::Title { 3 } else { 2 });
        cut |= wrapped.cut;
        width = wrapped.lines.iter().map(|line| role.font().width(line)).max().unwrap_or(0).max(width);
        found.push((role, wrapped.lines));
    }
    // Sizes in steps, so that columns look even.
    let least = match form {
        Form::Card | Form::Dashed => 150,
        Form::Slim | Form::Head => 110,
        _ => 56,
    };
    let text = (width.max(least) + 15) / 16 * 16;
    let side = match form {
        Form::Hexagon => PAD + LEAN / 2,
        Form::Pill | Form::Start => 20,
        _ => PAD,
    };
    let lead = if signed { SIGN + 12 } else { 0 };
    let (w, mut y) = (text + lead + 2 * side, if matches!(form, Form::Pill | Form::Start) { 9 } else { 12 });
    let centred = !signed;
    let top = y;
    let mut chip = None;
    let mut lines = Vec::new();
    for (role, texts) in found {
        let font = role.font();
        if role == Role::When && !texts.is_empty() {
            y += 6;
            let h = font.line() * i32::try_from(texts.len()).unwrap_or(1) + 6;
            let widest = texts.iter().map(|text| font.width(text)).max().unwrap_or(0);
            let x = if centred { -(widest + 16) / 2 } else { -w / 2 + side + lead - 2 };
            chip = Some(Rect { x, y, w: widest + 16, h });
            y += 3;
        }
        for text in texts {
            let width = font.width(&text);
            let inset = if role == Role::When { 6 } else { 0 };
            let x = if centred { -width / 2 } else { -w / 2 + side + lead + inset };
            lines.push(Line { rect: Rect { x, y, w: width, h: font.line() }, text, role });
            y += font.line();
        }
        y += match role {
            Role::When => 3,
            _ => 1,
        };
    }
    let least = if signed { SIGN + 24 } else { 0 };
    let h = (y + top - 1).max(least);
    let slack = (h - y - top + 1).max(0) / 2;
    lines.iter_mut().for_each(|line| line.rect.y += slack);
    chip.iter_mut().for_each(|chip| chip.y += slack);
    let sign = signed.then_some(Rect { x: -w / 2 + side, y: 12, w: SIGN, h: SIGN });
    Shape {
        rect: Rect { x: -w / 2, y: 0, w, h },
        form,
        kind: item.kind,
        step: item.step.clone(),
        sign,
        chip,
        lines,
        full: cut.then(|| crate::diagram::mermaid::lines(item)),
    }
}

/// Makes a shape at least so high, its words staying in the middle.
fn grow(shape: &mut Shape, height: i32) {
    let more = height - shape.rect.h;
    if more > 0 {
        shape.rect.h = height;
        shape.lines.iter_mut().for_each(|line| line.rect.y += more / 2);
        shape.sign.iter_mut().chain(&mut shape.chip).for_each(|rect| rect.y += more / 2);
    }
}
