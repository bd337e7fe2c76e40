//! A drawing as a Mermaid flowchart. Steps are numbered in it, as their names may be of any script.

use super::Marks;
use super::drawing::{Drawing, Group, Item, Kind, List, To};
use std::fmt::Write;

/// Colours that read on a light and on a dark page.
const CLASSES: [(&str, &str); 6] = [
    ("people", "fill:#fffdf9,stroke:#b3261e,color:#1c1b19"),
    ("outside", "fill:#eef2f6,stroke:#3b6287,color:#1c1b19"),
    ("own", "fill:#f4f1ea,stroke:#6b675f,color:#1c1b19"),
    ("ends", "fill:#1c1b19,stroke:#1c1b19,color:#fffdf9"),
    ("done", "fill:#e3f3e6,stroke:#2e7d32,color:#1b3d1f"),
    ("current", "fill:#b3261e,stroke:#b3261e,color:#fffdf9,stroke-width:3px"),
];

pub(super) fn write(drawing: &Drawing, marks: &Marks) -> String {
    let mut writer = Writer { text: String::from("flowchart TD\n"), edges: Vec::new(), ends: Vec::new() };
    writer.list(&drawing.steps, None, 1);
    let mut text = writer.text;
    for edge in &writer.edges {
        let _ = writeln!(text, "  {edge}");
    }
    for (class, style) in CLASSES {
        let mut members = Vec::new();
        drawing.steps.walk(&mut |item| {
            if classes(item, marks).contains(&class) {
                members.push(format!("n{}", item.number));
            }
        });
        if class == "ends" {
            members.extend(writer.ends.iter().cloned());
        }
        if !members.is_empty() {
            let _ = writeln!(text, "  classDef {class} {style}\n  class {} {class}", members.join(","));
        }
    }
    text
}

fn classes(item: &Item, marks: &Marks) -> Vec<&'static str> {
    let of = |steps: &std::collections::BTreeSet<_>| item.step.as_ref().is_some_and(|step| steps.contains(step));
    let own = match (item.kind, item.kind.group()) {
        (Kind::End, _) => Some("ends"),
        (_, Group::People) => Some("people"),
        (_, Group::Outside) => Some("outside"),
        (_, Group::Own) => Some("own"),
        (_, Group::Flow) => None,
    };
    let done = of(&marks.done).then_some("done");
    let current = of(&marks.current).then_some("current");
    own.into_iter().chain(done).chain(current).collect()
}

struct Writer {
    text: String,
    edges: Vec<String>,
    ends: Vec<String>,
}

impl Writer {
    /// A list; what flows out of it flows to `exit`.
    fn list(&mut self, list: &List, exit: Option<String>, depth: usize) {
        for (at, item) in list.items.iter().enumerate() {
            let next = list.items.get(at + 1).map(|item| format!("n{}", item.number)).or_else(|| exit.clone());
            self.item(item, next, depth);
        }
    }

    fn item(&mut self, item: &Item, next: Option<String>, depth: usize) {
        let (pad, number) = ("  ".repeat(depth), item.number);
        let (open, close) = match item.kind {
            Kind::Start | Kind::End => ("([\"", "\"])"),
            Kind::Choose | Kind::Guard => ("{{\"", "\"}}"),
            Kind::Parallel | Kind::Race | Kind::Each => ("[[\"", "\"]]"),
            Kind::Set | Kind::Table | Kind::Notify => ("[/\"", "\"/]"),
            Kind::Knot => ("((\"", "\"))"),
            _ if item.kind.group() == Group::Outside => ("(\"", "\")"),
            _ => ("[\"", "\"]"),
        };
        let inside = item.kind.contains();
        if inside {
            let _ = writeln!(self.text, "{pad}subgraph b{number}[\"{}\"]", escaped(&item.title));
        }
        let inner = if inside { depth + 1 } else { depth };
        let _ = writeln!(self.text, "{}n{number}{open}{}{close}", "  ".repeat(inner), escaped(&lines(item)));
        let join = (!item.after.is_empty()).then(|| format!("j{number}"));
        for branch in &item.branches {
            let first = branch.steps.items.first().map(|item| format!("n{}", item.number)).or_else(|| join.clone());
            self.edge(&format!("n{number}"), &branch.label, first);
            self.list(&branch.steps, join.clone(), inner);
        }
        if let Some(join) = &join {
            let _ = writeln!(self.text, "{}{join}((\" \"))", "  ".repeat(inner));
        }
        if inside {
            let _ = writeln!(self.text, "{pad}end");
        }
        let from = join.unwrap_or_else(|| format!("n{number}"));
        let ways = item.ways.iter().map(|way| (format!("n{number}"), way));
        let ways: Vec<_> = ways.chain(item.after.iter().map(|way| (from.clone(), way))).collect();
        for (count, (from, way)) in ways.into_iter().enumerate() {
            let to = match &way.to {
                To::Next => next.clone(),
                To::Item(number) => Some(format!("n{number}")),
                To::End(words) => {
                    let end = format!("e{number}_{count}");
                    let _ = writeln!(self.text, "{pad}{end}([\"{}\"])", escaped(words));
                    self.ends.push(end.clone());
                    Some(end)
                }
            };
            self.edge(&from, &way.label, to);
        }
    }

    fn edge(&mut self, from: &str, label: &str, to: Option<String>) {
        let Some(to) = to else { return };
        self.edges.push(match label {
            "" => format!("{from} --> {to}"),
            label => format!("{from} -->|\"{}\"| {to}", escaped(label)),
        });
    }
}

/// What a box says, line by line.
pub(super) fn lines(item: &Item) -> String {
    let mut lines = vec![item.title.clone()];
    lines.extend(item.notes.iter().map(|note| note.text().to_owned()));
    lines.extend(item.when.clone());
    lines.retain(|line| !line.is_empty());
    if lines.is_empty() { " ".into() } else { lines.join("\n") }
}

/// Text inside the quotes of a label: what Mermaid or HTML would read as markup becomes an entity.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("<br/>"),
            '"' | '<' | '>' | '&' | '#' | '`' | '|' | '\\' | ';' | '*' | '_' | '{' | '}' | '[' | ']' => {
                let _ = write!(safe, "#{};", u32::from(c));
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
