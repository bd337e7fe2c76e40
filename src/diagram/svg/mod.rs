//! A picture as SVG: one file without fonts, scripts or anything to load; light or dark as its reader has it, white
//! on paper. What is drawn later lies above: containers, lines, words of lines, nodes.

mod sign;

use super::drawing::{Drawing, Group, Kind};
use super::layout::picture::{Container, Form, Label, Line, Picture, Point, Rect, Role, Shape, Wire};
use super::measure::Font;
use super::{Marks, Tone, outline};
use crate::model::text::Lang;
use std::collections::BTreeSet;
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");
/// How round the corners of lines are.
const ROUND: i32 = 8;
const TIP: i32 = 8;
const MARGIN: i32 = 32;

pub(super) fn write(drawing: &Drawing, picture: &Picture, marks: &Marks) -> String {
    let (w, h) = (picture.width, picture.height);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" \
         aria-labelledby=\"cs-title cs-desc\" xml:lang=\"{}\" style=\"max-width:100%;height:auto\">\n\
         <title id=\"cs-title\">{}</title>\n<desc id=\"cs-desc\">{}</desc>\n<style>\n{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{w}\" height=\"{h}\" rx=\"14\"/>\n\
         <text class=\"heading\" x=\"{MARGIN}\" y=\"50\">{}</text>\n",
        drawing.lang.tag(),
        escaped(&drawing.title),
        escaped(&described(drawing)),
        escaped(&drawing.title),
    );
    for container in &picture.containers {
        boxed(&mut text, container, depth(picture, &container.rect, true));
    }
    for wire in &picture.wires {
        line(&mut text, wire);
    }
    for label in &picture.labels {
        words(&mut text, label, depth(picture, &label.rect, false));
    }
    for shape in &picture.shapes {
        node(&mut text, shape, marks);
    }
    legend(&mut text, drawing, h);
    text.push_str("</svg>\n");
    text
}

/// The whole picture in words, for who cannot see it.
fn described(drawing: &Drawing) -> String {
    let lines = outline(drawing, &Marks::default(), None);
    let spoken = |line: &Vec<(Tone, String)>| line.iter().map(|(_, text)| text.as_str()).collect::<String>();
    lines.iter().skip(1).map(spoken).filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// In how many containers a box lies.
fn depth(picture: &Picture, rect: &Rect, own: bool) -> usize {
    picture.containers.iter().filter(|around| around.rect.holds(rect)).count() - usize::from(own)
}

fn boxed(text: &mut String, container: &Container, depth: usize) {
    let Rect { x, y, w, h } = container.rect;
    let (fill, race) = (
        if depth.is_multiple_of(2) { "inner" } else { "mask" },
        if container.kind == Kind::Race { " race" } else { "" },
    );
    if container.kind == Kind::Each {
        // One of many.
        let _ = writeln!(
            text,
            "<rect class=\"behind\" x=\"{}\" y=\"{}\" width=\"{w}\" height=\"{h}\" rx=\"14\"/>",
            x + 5,
            y + 5
        );
    }
    let _ =
        writeln!(text, "<rect class=\"{fill} box{race}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"14\"/>");
}

fn line(text: &mut String, wire: &Wire) {
    let mut points = wire.points.clone();
    points.dedup();
    let (Some(&end), Some(&before)) = (points.last(), points.iter().rev().nth(1)) else { return };
    let (dx, dy) = ((end.x - before.x).signum(), (end.y - before.y).signum());
    if wire.arrow
        && let Some(last) = points.last_mut()
    {
        *last = Point { x: end.x - dx * (TIP - 2), y: end.y - dy * (TIP - 2) };
    }
    let jump = if wire.jump { " jump" } else { "" };
    let _ = writeln!(text, "<path class=\"wire{jump}\" d=\"{}\"/>", rounded(&points));
    if wire.arrow {
        let (x, y) = (end.x - dx * TIP, end.y - dy * TIP);
        let _ = writeln!(
            text,
            "<path class=\"tip\" d=\"M{} {}L{} {}L{} {}z\"/>",
            end.x,
            end.y,
            x - dy * TIP / 2,
            y - dx * TIP / 2,
            x + dy * TIP / 2,
            y + dx * TIP / 2
        );
    }
}

/// A path through points with round corners.
fn rounded(points: &[Point]) -> String {
    let mut path = String::new();
    let length = |a: Point, b: Point| (a.x - b.x).abs() + (a.y - b.y).abs();
    let toward = |from: Point, to: Point, far: i32| Point {
        x: from.x + (to.x - from.x).signum() * far,
        y: from.y + (to.y - from.y).signum() * far,
    };
    for (at, &point) in points.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| points.get(before));
        let _ = match (before, points.get(at + 1)) {
            (None, _) => write!(path, "M{} {}", point.x, point.y),
            (_, None) => write!(path, "L{} {}", point.x, point.y),
            (Some(&before), Some(&after)) => {
                let far = ROUND.min(length(before, point) / 2).min(length(point, after) / 2);
                let (come, go) = (toward(point, before, far), toward(point, after, far));
                write!(path, "L{} {}Q{} {} {} {}", come.x, come.y, point.x, point.y, go.x, go.y)
            }
        };
    }
    path
}

fn words(text: &mut String, label: &Label, depth: usize) {
    let Rect { x, y, w, h } = label.rect;
    let mask = if depth.is_multiple_of(2) { "mask" } else { "inner-mask" };
    let _ = writeln!(text, "<g>{}", titled(label.full.as_deref()));
    let _ = writeln!(text, "<rect class=\"{mask}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>");
    lines(text, &label.lines, "");
    text.push_str("</g>\n");
}

fn node(text: &mut String, shape: &Shape, marks: &Marks) {
    let of = |steps: &BTreeSet<_>| shape.step.as_ref().is_some_and(|step| steps.contains(step));
    let group = match shape.kind.group() {
        Group::People => "people",
        Group::Outside => "outside",
        Group::Own | Group::Flow => "own",
    };
    let mark = match (of(&marks.current), of(&marks.done)) {
        (true, _) => " current",
        (_, true) => " done",
        _ => "",
    };
    let _ = writeln!(text, "<g class=\"{group}{mark}\">{}", titled(shape.full.as_deref()));
    let Rect { x, y, w, h } = shape.rect;
    let rect = |class: &str, round: i32| {
        format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{round}\"/>")
    };
    let outline = match shape.form {
        Form::Card => rect("card", 12),
        Form::Dashed => rect("dashed", 12),
        Form::Slim => rect("slim", 8),
        Form::Head => String::new(),
        Form::Start => rect("start", h.min(40) / 2),
        Form::Pill => rect("pill", h.min(40) / 2),
        Form::Exit => rect("exit", h.min(28) / 2),
        Form::Knot => rect("knot", w / 2),
        Form::Hexagon => {
            let (lean, middle) = (super::layout::LEAN, y + h / 2);
            format!(
                "<path class=\"hexagon\" d=\"M{} {y}H{}L{} {middle}L{} {}H{}L{x} {middle}z\"/>",
                x + lean,
                x + w - lean,
                x + w,
                x + w - lean,
                y + h,
                x + lean
            )
        }
    };
    let _ = writeln!(text, "{outline}");
    if let Some(at) = shape.sign {
        tile(text, shape.kind, at);
    }
    if let Some(Rect { x, y, w, h }) = shape.chip {
        let _ = writeln!(text, "<rect class=\"chip\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"6\"/>");
    }
    lines(text, &shape.lines, if shape.form == Form::Pill { " onpill" } else { "" });
    text.push_str("</g>\n");
}

/// The square with the sign of a kind: a seal where people sign.
fn tile(text: &mut String, kind: Kind, at: Rect) {
    let Rect { x, y, w, h } = at;
    let (cx, cy) = (x + w / 2, y + h / 2);
    if kind == Kind::Approve {
        let _ = writeln!(
            text,
            "<g transform=\"rotate(-4 {cx} {cy})\"><rect class=\"seal\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" \
             rx=\"6\"/><text class=\"seal-text\" x=\"{cx}\" y=\"{}\">签</text></g>",
            x + 1,
            y + 1,
            w - 2,
            h - 2,
            cy + 6
        );
        return;
    }
    let _ = writeln!(
        text,
        "<rect class=\"tile\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"8\"/><path class=\"sign\" \
         transform=\"translate({} {})\" d=\"{}\"/>",
        cx - 9,
        cy - 9,
        sign::strokes(kind)
    );
}

fn lines(text: &mut String, lines: &[Line], more: &str) {
    for Line { rect, text: words, role } in lines {
        let class = match role {
            Role::Title => "title",
            Role::Note => "note",
            Role::Due => "due",
            Role::When => "when",
            Role::Edge => "edge",
        };
        let Font { size, .. } = role.font();
        // The middle of the letters in the middle of the line.
        let base = rect.y + (rect.h + size * 7 / 10) / 2;
        let _ = writeln!(text, "<text class=\"{class}{more}\" x=\"{}\" y=\"{base}\">{}</text>", rect.x, escaped(words));
    }
}

/// Who acts, by colour and sign.
fn legend(text: &mut String, drawing: &Drawing, height: i32) {
    let found = drawing.steps.groups();
    if found.len() < 2 {
        return;
    }
    let (y, mut x) = (height - MARGIN - 4, MARGIN);
    for group in found {
        let (class, zh, en) = match group {
            Group::People => ("people", "由人办理", "people"),
            Group::Outside => ("outside", "等待外部", "waits for outside"),
            Group::Own | Group::Flow => ("own", "自动完成", "by itself"),
        };
        let words = if drawing.lang == Lang::Zh { zh } else { en };
        let square = if group == Group::People { "seal" } else { "tile" };
        let _ = writeln!(
            text,
            "<g class=\"{class}\"><rect class=\"{square}\" x=\"{x}\" y=\"{}\" width=\"14\" height=\"14\" rx=\"4\"/>\
             <text class=\"legend\" x=\"{}\" y=\"{y}\">{words}</text></g>",
            y - 11,
            x + 21
        );
        x += 21 + Font { size: 12, bold: false }.width(words) + 24;
    }
}

fn titled(full: Option<&str>) -> String {
    full.map(|full| format!("<title>{}</title>", escaped(full))).unwrap_or_default()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() && c != '\n' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
