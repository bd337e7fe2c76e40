//! A drawing as a graph for Graphviz.

use super::Marks;
use super::drawing::{Drawing, Group, Item, Kind, List, To};
use super::mermaid::lines;
use std::fmt::Write;

pub(super) fn write(drawing: &Drawing, marks: &Marks) -> String {
    let mut writer = Writer { text: String::new(), edges: Vec::new(), marks };
    let _ = writeln!(
        writer.text,
        "digraph \"{}\" {{\n  label=\"{}\" labelloc=t fontname=\"sans-serif\" fontsize=18 compound=true\n  \
         node [fontname=\"sans-serif\" fontsize=12 shape=box style=\"rounded,filled\" fillcolor=\"#fffdf9\" \
         color=\"#6b675f\" fontcolor=\"#1c1b19\"]\n  edge [fontname=\"sans-serif\" fontsize=10 color=\"#6b675f\"]",
        escaped(&drawing.process),
        escaped(&drawing.title),
    );
    writer.list(&drawing.steps, None, 1);
    let mut text = writer.text;
    for edge in &writer.edges {
        let _ = writeln!(text, "  {edge}");
    }
    text.push_str("}\n");
    text
}

struct Writer<'a> {
    text: String,
    edges: Vec<String>,
    marks: &'a Marks,
}

impl Writer<'_> {
    fn list(&mut self, list: &List, exit: Option<String>, depth: usize) {
        for (at, item) in list.items.iter().enumerate() {
            let next = list.items.get(at + 1).map(|item| format!("n{}", item.number)).or_else(|| exit.clone());
            self.item(item, next, depth);
        }
    }

    fn item(&mut self, item: &Item, next: Option<String>, depth: usize) {
        let (pad, number) = ("  ".repeat(depth), item.number);
        let inside = item.kind.contains();
        let inner = "  ".repeat(if inside { depth + 1 } else { depth });
        if inside {
            let _ = writeln!(
                self.text,
                "{pad}subgraph \"cluster_{number}\" {{\n{inner}label=\"\" style=\"rounded,filled\" color=\"#e6e2da\" \
                 fillcolor=\"#f4f1ea\""
            );
        }
        let _ = writeln!(self.text, "{inner}n{number} [label=\"{}\"{}]", escaped(&lines(item)), self.look(item));
        let join = (!item.after.is_empty()).then(|| format!("j{number}"));
        for branch in &item.branches {
            let first = branch.steps.items.first().map(|item| format!("n{}", item.number)).or_else(|| join.clone());
            self.edge(&format!("n{number}"), &branch.label, first);
            self.list(&branch.steps, join.clone(), if inside { depth + 1 } else { depth });
        }
        if let Some(join) = &join {
            let _ = writeln!(self.text, "{inner}{join} [label=\"\" shape=point width=0.08]");
        }
        if inside {
            let _ = writeln!(self.text, "{pad}}}");
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
                    let _ = writeln!(self.text, "{pad}{end} [label=\"{}\"{END}]", escaped(words));
                    Some(end)
                }
            };
            self.edge(&from, &way.label, to);
        }
    }

    fn edge(&mut self, from: &str, label: &str, to: Option<String>) {
        let Some(to) = to else { return };
        self.edges.push(match label {
            "" => format!("{from} -> {to}"),
            label => format!("{from} -> {to} [label=\"{}\"]", escaped(label)),
        });
    }

    fn look(&self, item: &Item) -> String {
        let marked =
            |steps: &std::collections::BTreeSet<_>| item.step.as_ref().is_some_and(|step| steps.contains(step));
        let shape = match item.kind {
            Kind::Start => " shape=oval style=filled",
            Kind::End => END,
            Kind::Choose | Kind::Guard => " shape=hexagon style=filled",
            Kind::Knot => " shape=point width=0.08",
            _ => match item.kind.group() {
                Group::People => " color=\"#b3261e\"",
                Group::Outside => " color=\"#3b6287\" fillcolor=\"#eef2f6\"",
                Group::Own | Group::Flow => " fillcolor=\"#f4f1ea\"",
            },
        };
        let mark = if marked(&self.marks.current) {
            " color=\"#b3261e\" penwidth=3"
        } else if marked(&self.marks.done) {
            " color=\"#2e7d32\""
        } else {
            ""
        };
        format!("{shape}{mark}")
    }
}

const END: &str = " shape=oval style=filled fillcolor=\"#1c1b19\" fontcolor=\"#fffdf9\"";

/// Text inside the quotes of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
