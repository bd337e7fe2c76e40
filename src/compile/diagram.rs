//! A definition as a picture: Mermaid and DOT text, and an outline for a terminal.
//!
//! The pictures are the state graph without what only passes control on (joins, `end` steps): they show where control goes, not how lists nest.
//! Steps are numbered in them, as their names may be of any script.

use crate::model::definition::{Definition, Step, StepKind, outcome};
use crate::model::formula::Formula;
use crate::model::graph::{Node, On};
use crate::model::id::StepId;
use crate::model::text::Lang;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Where a case stands, to be drawn into the picture of its process. Empty for the process itself.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// Steps that are over.
    pub done: BTreeSet<StepId>,
    /// Steps that it is at.
    pub current: BTreeSet<StepId>,
}

/// A flowchart for Mermaid.
pub fn mermaid(definition: &Definition, lang: Lang, marks: &Marks) -> String {
    let picture = Picture::of(definition, lang);
    let mut text = String::from("flowchart TD\n");
    for (node, number) in &picture.numbers {
        let label = mermaid_text(&picture.label(node));
        let (open, close) = match picture.shape(node) {
            Shape::Round => ("([\"", "\"])"),
            Shape::Box => ("[\"", "\"]"),
            Shape::Diamond => ("{\"", "\"}"),
            Shape::Slanted => ("[/\"", "\"/]"),
        };
        let _ = writeln!(text, "  n{number}{open}{label}{close}");
    }
    for (from, label, to) in &picture.edges {
        let _ = match label.as_str() {
            "" => writeln!(text, "  n{from} --> n{to}"),
            label => writeln!(text, "  n{from} -->|\"{}\"| n{to}", mermaid_text(label)),
        };
    }
    for (class, style, steps) in [
        ("done", "fill:#e3f3e6,stroke:#2e7d32,color:#1b3d1f", &marks.done),
        ("current", "fill:#fff1d6,stroke:#b26a00,color:#4a2c00,stroke-width:3px", &marks.current),
    ] {
        let marked: Vec<String> = picture
            .numbers
            .iter()
            .filter(|(node, _)| matches!(node, Node::Step(id) if steps.contains(id)))
            .map(|(_, number)| format!("n{number}"))
            .collect();
        if !marked.is_empty() {
            let _ = writeln!(text, "  classDef {class} {style}\n  class {} {class}", marked.join(","));
        }
    }
    text
}

/// A graph for Graphviz.
pub fn dot(definition: &Definition, lang: Lang, marks: &Marks) -> String {
    let picture = Picture::of(definition, lang);
    let mut text = format!("digraph \"{}\" {{\n", dot_text(definition.process.as_str()));
    text.push_str(
        "  node [fontname=\"sans-serif\" shape=box style=rounded]\n  edge [fontname=\"sans-serif\" fontsize=10]\n",
    );
    for (node, number) in &picture.numbers {
        let shape = match picture.shape(node) {
            Shape::Round => " shape=oval",
            Shape::Box => "",
            Shape::Diamond => " shape=diamond style=solid",
            Shape::Slanted => " shape=parallelogram style=solid",
        };
        let colour = match node {
            Node::Step(id) if marks.current.contains(id) => " color=\"#b26a00\" penwidth=3",
            Node::Step(id) if marks.done.contains(id) => " color=\"#2e7d32\"",
            _ => "",
        };
        let _ = writeln!(text, "  n{number} [label=\"{}\"{shape}{colour}]", dot_text(&picture.label(node)));
    }
    for (from, label, to) in &picture.edges {
        let _ = match label.as_str() {
            "" => writeln!(text, "  n{from} -> n{to}"),
            label => writeln!(text, "  n{from} -> n{to} [label=\"{}\"]", dot_text(label)),
        };
    }
    text.push_str("}\n");
    text
}

/// The steps one under another, as they stand in the text: who, when, and where they lead if not to the next.
pub fn outline(definition: &Definition, lang: Lang, marks: &Marks) -> String {
    let mut text = String::new();
    let last = definition.steps.len();
    for (at, (id, step)) in definition.steps.iter().enumerate() {
        let depth = depth(definition, id);
        let sign = if marks.current.contains(id) {
            "▶"
        } else if marks.done.contains(id) {
            "✓"
        } else {
            "·"
        };
        let indent = "  ".repeat(depth);
        let _ = writeln!(text, "{indent}{sign} {}", line(id, step, lang));
        let next = definition.steps.get_index(at + 1).filter(|_| at + 1 < last).map(|(id, _)| Node::Step(id.clone()));
        for (on, to) in definition.graph.edges_from(&Node::Step(id.clone())) {
            let to = past(definition, to);
            let label = edge_label(step, on, lang);
            let follows = next.as_ref().is_some_and(|next| past(definition, next) == to);
            if label.is_empty() && (follows || matches!(step.kind, StepKind::End(_))) {
                continue;
            }
            let shown = match to {
                Node::Step(id) => definition.steps.get(id).map_or_else(|| id.to_string(), |step| name(id, step, lang)),
                Node::Finish(outcome) => finish(outcome.as_str(), lang),
                Node::Start | Node::Join(_) | Node::Undone(_) => continue,
            };
            let label = if label.is_empty() { String::new() } else { format!("{label} ") };
            let _ = writeln!(text, "{indent}    {label}→ {shown}");
        }
    }
    text
}

#[derive(Clone, Copy)]
enum Shape {
    Round,
    Box,
    Diamond,
    Slanted,
}

struct Picture<'a> {
    definition: &'a Definition,
    lang: Lang,
    /// Nodes in the order of the graph.
    numbers: Vec<(&'a Node, usize)>,
    edges: Vec<(usize, String, usize)>,
}

impl<'a> Picture<'a> {
    fn of(definition: &'a Definition, lang: Lang) -> Picture<'a> {
        let reached: BTreeSet<&Node> = definition.graph.reachable().into_iter().collect();
        let numbers: Vec<(&Node, usize)> = definition
            .graph
            .nodes()
            .filter(|node| past(definition, node) == *node && reached.contains(node))
            .enumerate()
            .map(|(number, node)| (node, number))
            .collect();
        let number: BTreeMap<&Node, usize> = numbers.iter().copied().collect();
        let mut edges = Vec::new();
        for (node, from) in &numbers {
            for (on, to) in definition.graph.edges_from(node) {
                let label = match node {
                    Node::Step(id) => {
                        definition.steps.get(id).map_or_else(String::new, |step| edge_label(step, on, lang))
                    }
                    _ => String::new(),
                };
                if let Some(to) = number.get(past(definition, to)) {
                    edges.push((*from, label, *to));
                }
            }
        }
        Picture { definition, lang, numbers, edges }
    }

    fn shape(&self, node: &Node) -> Shape {
        let Node::Step(id) = node else { return Shape::Round };
        match self.definition.steps.get(id).map(|step| &step.kind) {
            Some(StepKind::Choose(_) | StepKind::Parallel(_) | StepKind::Race | StepKind::Each(_)) => Shape::Diamond,
            Some(StepKind::Approve(_) | StepKind::Task(_) | StepKind::End(_) | StepKind::Call(_)) | None => Shape::Box,
            Some(_) => Shape::Slanted,
        }
    }

    fn label(&self, node: &Node) -> String {
        match node {
            Node::Start => self.definition.title.get(self.lang).to_owned(),
            Node::Finish(outcome) => finish(outcome.as_str(), self.lang),
            Node::Join(_) | Node::Undone(_) => String::new(),
            Node::Step(id) => {
                let Some(step) = self.definition.steps.get(id) else { return id.to_string() };
                let mut lines = vec![name(id, step, self.lang)];
                if let Some(human) = step.human() {
                    lines.push(human.who.iter().map(|who| who.text.as_str()).collect::<Vec<_>>().join(", "));
                }
                if let Some(when) = &step.when {
                    lines.push(only_if(when, self.lang));
                }
                lines.join("\n")
            }
        }
    }
}

/// Where control comes to in the end: joins, and steps that end the case, only pass it on.
fn past<'a>(definition: &'a Definition, node: &'a Node) -> &'a Node {
    let passes = |node: &Node| match node {
        Node::Join(_) => true,
        Node::Step(id) => matches!(definition.steps.get(id).map(|step| &step.kind), Some(StepKind::End(_))),
        Node::Start | Node::Finish(_) | Node::Undone(_) => false,
    };
    let mut at = node;
    // Each of them leads outwards or out, so there are at most as many as there are steps.
    for _ in 0..=definition.steps.len() {
        match definition.graph.next(at, &On::Next) {
            Some(next) if passes(at) => at = next,
            _ => break,
        }
    }
    at
}

fn depth(definition: &Definition, id: &StepId) -> usize {
    let graph = &definition.graph;
    let mut block = graph.block_of(&Node::Step(id.clone())).and_then(|number| graph.block_at(number));
    let mut depth = 0;
    while let Some(parent) = block.and_then(|block| block.parent) {
        depth += 1;
        block = graph.block_at(parent);
    }
    depth
}

fn name(id: &StepId, step: &Step, lang: Lang) -> String {
    if let Some(title) = &step.title {
        return title.get(lang).to_owned();
    }
    match (&step.kind, lang) {
        (StepKind::Set(values), _) => {
            values.iter().map(|(name, formula)| format!("{name} = {}", formula.text)).collect::<Vec<_>>().join("\n")
        }
        (StepKind::Notify(notify), lang) => {
            let who: Vec<&str> = notify.who.iter().map(|who| who.text.as_str()).collect();
            let word = if lang == Lang::Zh { "通知" } else { "tell" };
            format!("{word} {}", who.join(", "))
        }
        (StepKind::End(outcome), lang) => finish(outcome.as_str(), lang),
        _ => id.to_string(),
    }
}

fn line(id: &StepId, step: &Step, lang: Lang) -> String {
    let mut line = name(id, step, lang).replace('\n', ", ");
    if step.title.is_some() {
        let _ = write!(line, " ({id})");
    }
    if let Some(human) = step.human() {
        let who: Vec<&str> = human.who.iter().map(|who| who.text.as_str()).collect();
        let _ = write!(line, " — {}", who.join(", "));
        if let Some(due) = &human.due {
            let word = if lang == Lang::Zh { "限" } else { "due" };
            let _ = write!(line, " · {word} {}", due.text);
        }
    }
    if let Some(when) = &step.when {
        let _ = write!(line, " · {}", only_if(when, lang));
    }
    line
}

fn only_if(when: &Formula, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("仅当 {}", when.text),
        Lang::En => format!("only if {}", when.text),
    }
}

fn finish(outcome: &str, lang: Lang) -> String {
    let word = word(outcome, lang).unwrap_or(outcome);
    match lang {
        Lang::Zh => format!("结束：{word}"),
        Lang::En => format!("end: {word}"),
    }
}

fn edge_label(step: &Step, on: &On, lang: Lang) -> String {
    match on {
        On::Next => String::new(),
        On::Outcome(outcome) => {
            let own = step.human().and_then(|human| human.outcomes.get(outcome)).and_then(|one| one.title.as_ref());
            own.map_or_else(
                || word(outcome.as_str(), lang).unwrap_or(outcome.as_str()).to_owned(),
                |title| title.get(lang).to_owned(),
            )
        }
        On::Case(number) => match &step.kind {
            StepKind::Choose(cases) => {
                cases.get(usize::from(*number)).map_or_else(String::new, |case| case.text.clone())
            }
            _ => String::new(),
        },
        On::Otherwise => if lang == Lang::Zh { "否则" } else { "otherwise" }.to_owned(),
        On::Branch(name) => name.to_string(),
        On::Row => if lang == Lang::Zh { "每一行" } else { "every row" }.to_owned(),
        On::Overdue => if lang == Lang::Zh { "逾期" } else { "overdue" }.to_owned(),
        On::Undo => if lang == Lang::Zh { "撤销" } else { "undo" }.to_owned(),
    }
}

fn word(name: &str, lang: Lang) -> Option<&'static str> {
    let (zh, en) = match name {
        outcome::APPROVED => ("同意", "approved"),
        outcome::REJECTED => ("驳回", "rejected"),
        outcome::RETURNED => ("退回", "returned"),
        outcome::DONE => ("完成", "done"),
        _ => return None,
    };
    Some(if lang == Lang::Zh { zh } else { en })
}

/// Text inside the quotes of a Mermaid label: what it or HTML would read as markup becomes an entity.
fn mermaid_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("<br/>"),
            '"' | '<' | '>' | '&' | '#' | '`' | '|' | '\\' | ';' => {
                let _ = write!(safe, "#{};", u32::from(c));
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

fn dot_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
