//! A definition → what a picture of it shows: which lists there are, and where each step leads.
//!
//! Three things of the state graph are not drawn as they are. A jump to an `end` is shown as that end, beside the
//! step that jumps, so an `end` that nothing flows into is no item of its list. What skips a step leads where the
//! step leads, and is told by its condition alone. And ways that share a target are one way with two labels.

use super::drawing::{Branch, Drawing, Item, Kind, List, To, Way};
use super::phrase::Phrases;
use super::speak::{falls_through, leads_in, takes_back};
use crate::model::definition::{Definition, Step, StepKind, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::{Outcome, ProcessId, StepId};
use crate::model::people::Directory;
use crate::model::text::{Lang, Text, clean_line};
use std::collections::{BTreeMap, BTreeSet};

impl Drawing {
    /// What a picture of a process shows, in the words of `lang` and the titles of the directory and of the processes
    /// beside it.
    pub fn of(
        definition: &Definition,
        beside: &BTreeMap<ProcessId, Text>,
        directory: &Directory,
        lang: Lang,
    ) -> Drawing {
        let mut reader = Reader::new(definition, directory, lang);
        reader.processes = beside.clone();
        let mut items = reader.list(0, None);
        let start = Item {
            notes: reader.starters(),
            title: clean_line(definition.title.get(lang)),
            ways: reader.ways(&Node::Start, items.first().and_then(|item| item.step.as_ref()), None),
            ..reader.item(0, Kind::Start)
        };
        let last = items.last().unwrap_or(&start);
        if last.flows() {
            let end = reader.definition.ending(&outcome::DONE.into(), lang);
            items.push(Item { title: end, ..reader.item(reader.numbers.len() + 1, Kind::End) });
        }
        items.insert(0, start);
        Drawing {
            process: definition.process.to_string(),
            title: clean_line(definition.title.get(lang)),
            lang,
            steps: List { items },
        }
    }
}

pub(super) struct Reader<'a> {
    pub(super) definition: &'a Definition,
    pub(super) directory: &'a Directory,
    pub(super) lang: Lang,
    /// The titles of the processes beside it.
    pub(super) processes: BTreeMap<ProcessId, Text>,
    pub(super) say: Phrases<'a>,
    /// The steps of each block, in document order.
    lists: BTreeMap<u32, Vec<&'a StepId>>,
    /// Where each step stands in the document; the start is 0.
    numbers: BTreeMap<&'a StepId, usize>,
    /// Ends that are shown where something jumps to them, and nowhere else.
    beside: BTreeSet<&'a StepId>,
    reached: BTreeSet<&'a Node>,
}

impl<'a> Reader<'a> {
    fn new(definition: &'a Definition, directory: &'a Directory, lang: Lang) -> Reader<'a> {
        let mut lists: BTreeMap<u32, Vec<&StepId>> = BTreeMap::new();
        for id in definition.steps.keys() {
            let block = definition.graph.block_of(&Node::Step(id.clone())).unwrap_or(0);
            lists.entry(block).or_default().push(id);
        }
        let numbers = definition.steps.keys().enumerate().map(|(at, id)| (id, at + 1)).collect();
        let reached = definition.graph.reachable().into_iter().collect();
        let mut reader = Reader {
            definition,
            directory,
            lang,
            processes: BTreeMap::new(),
            say: Phrases::of(definition, directory, lang),
            lists,
            numbers,
            beside: BTreeSet::new(),
            reached,
        };
        reader.beside = reader.lists.values().flat_map(|list| reader.set_beside(list)).collect();
        reader
    }

    /// The ends of a list that nothing flows into.
    fn set_beside(&self, list: &[&'a StepId]) -> Vec<&'a StepId> {
        let mut found = Vec::new();
        for (at, id) in list.iter().enumerate() {
            let ends = matches!(self.kind_of(id), Some(StepKind::End(_)));
            let before = at.checked_sub(1).and_then(|before| list.get(before));
            if let Some(before) = before.filter(|_| ends) {
                // The end behind the condition of an `end`, or one that only jumps come to.
                let guard = self.is_guard(before);
                let here = Node::Step((*id).clone());
                let flows = self.outs(before).iter().any(|node| {
                    self.definition.graph.edges_from(node).iter().any(|(on, to)| **to == here && falls_through(on))
                });
                if guard || !flows {
                    found.push(*id);
                }
            }
        }
        found
    }

    fn kind_of(&self, id: &StepId) -> Option<&'a StepKind> {
        self.definition.steps.get(id).map(|step| &step.kind)
    }

    /// Whether a step is the choice made of the `when` of a `go` or `end`.
    pub(super) fn is_guard(&self, id: &StepId) -> bool {
        matches!(self.kind_of(id), Some(StepKind::Choose(_))) && self.blocks(id).is_empty()
    }

    fn blocks(&self, id: &StepId) -> Vec<u32> {
        let graph = &self.definition.graph;
        (1u32..)
            .map_while(|number| graph.block_at(number).map(|block| (number, block)))
            .filter(|(_, block)| block.of.as_ref() == Some(id))
            .map(|(number, _)| number)
            .collect()
    }

    /// The steps of a block, in document order.
    pub(super) fn listed(&self, block: u32) -> Vec<&'a StepId> {
        self.lists.get(&block).cloned().unwrap_or_default()
    }

    /// The nodes from which control leaves a step for what follows it.
    fn outs(&self, id: &StepId) -> Vec<Node> {
        vec![Node::Step(id.clone()), Node::Join(id.clone())]
    }

    /// The items of a block; `holder` is the step that holds it.
    fn list(&mut self, block: u32, holder: Option<&StepId>) -> Vec<Item> {
        let list = self.lists.get(&block).cloned().unwrap_or_default();
        let shown: Vec<&StepId> = list.into_iter().filter(|id| !self.beside.contains(id)).collect();
        let mut items = Vec::new();
        for (at, id) in shown.iter().enumerate() {
            let next = shown.get(at + 1).copied();
            if let Some(step) = self.definition.steps.get(*id) {
                items.push(self.step(id, step, next, holder));
            }
        }
        items
    }

    fn step(&mut self, id: &'a StepId, step: &'a Step, next: Option<&StepId>, holder: Option<&StepId>) -> Item {
        let kind = self.kind(id, step);
        let branches = self.branches(id);
        let here = Node::Step(id.clone());
        let (ways, after) = match kind {
            Kind::End => (Vec::new(), Vec::new()),
            _ if branches.is_empty() => (self.ways(&here, next, holder), Vec::new()),
            _ => {
                let join = Node::Join(id.clone());
                let after = if self.reached.contains(&join) { self.ways(&join, next, holder) } else { Vec::new() };
                (self.early(&here, next, holder), after)
            }
        };
        Item {
            step: Some(id.clone()),
            title: self.title(id, step),
            notes: self.notes(id, step),
            when: step.when.as_ref().map(|when| self.say.code(when)),
            branches,
            ways,
            after,
            ..self.item(self.numbers.get(id).copied().unwrap_or(0), kind)
        }
    }

    pub(super) fn item(&self, number: usize, kind: Kind) -> Item {
        Item {
            number,
            step: None,
            kind,
            title: String::new(),
            notes: Vec::new(),
            when: None,
            branches: Vec::new(),
            ways: Vec::new(),
            after: Vec::new(),
        }
    }

    /// The lists inside a step, each with the words of the edge that leads into it.
    fn branches(&mut self, id: &'a StepId) -> Vec<Branch> {
        let here = Node::Step(id.clone());
        let edges: Vec<(On, Node)> = self
            .definition
            .graph
            .edges_from(&here)
            .into_iter()
            .filter(|(on, _)| leads_in(on))
            .map(|(on, to)| (on.clone(), to.clone()))
            .collect();
        let mut branches = Vec::new();
        let back = |block: &u32| {
            let edges = self.definition.graph.edges_from(&here).into_iter();
            edges.filter(|(on, _)| takes_back(on)).any(|(_, to)| self.definition.graph.block_of(to) == Some(*block))
        };
        let blocks: Vec<u32> = self.blocks(id).into_iter().filter(|block| !back(block)).collect();
        for (block, (on, to)) in blocks.into_iter().zip(edges) {
            let mut items = self.list(block, Some(id));
            let entered = self.lists.get(&block).and_then(|list| list.first()).is_some_and(|first| is_step(&to, first));
            if !entered && to != Node::Join(id.clone()) {
                // The list begins with a `go`: control passes a place that has no name.
                let ways = vec![Way { label: String::new(), on: Vec::new(), to: self.to(&to, None, Some(id)) }];
                items.insert(0, Item { ways, ..self.item(self.numbers.len() + 1 + block as usize, Kind::Knot) });
            }
            branches.push(Branch { label: self.label(id, &on), steps: List { items } });
        }
        branches
    }

    /// Ways out of a step that holds branches, other than into them or past them.
    fn early(&self, here: &Node, next: Option<&StepId>, holder: Option<&StepId>) -> Vec<Way> {
        let Node::Step(id) = here else { return Vec::new() };
        let edges = self.definition.graph.edges_from(here).into_iter();
        let edges = edges
            .filter(|(on, to)| !leads_in(on) && !takes_back(on) && **on != On::Next && **to != Node::Join(id.clone()));
        self.merged(edges.map(|(on, to)| (self.label(id, on), self.to(to, next, holder))))
    }

    /// Where a node leads, `next` being what follows it in its list, and `holder` what holds the list.
    fn ways(&self, node: &Node, next: Option<&StepId>, holder: Option<&StepId>) -> Vec<Way> {
        let id = match node {
            Node::Step(id) | Node::Join(id) => Some(id),
            _ => None,
        };
        let skippable = matches!(node, Node::Step(_)) && id.is_some_and(|id| self.answers(id));
        let mut skipped = None;
        let mut found = Vec::new();
        for (on, to) in self.definition.graph.edges_from(node) {
            if takes_back(on) {
                continue;
            }
            let to = self.to(to, next, holder);
            match id {
                Some(_) if *on == On::Next && skippable => skipped = Some(to),
                Some(id) => found.push((self.label(id, on), to)),
                None => found.push((String::new(), to)),
            }
        }
        let usual = self.answered(id, skipped, &mut found);
        let mut ways = self.merged(found.into_iter());
        for way in ways.iter_mut().filter(|way| usual.as_ref().is_some_and(|(_, to)| *to == way.to)) {
            way.on.retain(|on| usual.as_ref().is_none_or(|(label, _)| on != label));
        }
        ways
    }

    /// `Next` of a step that people answer stands for every answer that leads nowhere of its own, and for its skip.
    /// What of that goes without saying: that it goes on with a yes, or past its `when`.
    fn answered(&self, id: Option<&StepId>, next: Option<To>, found: &mut Vec<(String, To)>) -> Option<(String, To)> {
        let (id, next) = (id?, next?);
        let step = self.definition.steps.get(id)?;
        let human = step.human()?;
        let here = Node::Step(id.clone());
        let leads = |name: &Outcome| self.definition.graph.next(&here, &On::Outcome(name.clone())).is_some();
        let flowing: Vec<&Outcome> = human
            .outcomes
            .keys()
            .filter(|name| !leads(name) && !matches!(name.as_str(), outcome::REJECTED | outcome::RETURNED))
            .collect();
        let mut labels: Vec<String> = flowing.iter().map(|name| self.outcome(id, name)).collect();
        if human.outcomes.keys().all(|name| matches!(name.as_str(), outcome::DONE | outcome::RETURNED)) {
            labels.clear();
        } else if labels.is_empty() {
            labels.push(self.pick("不需要时", "if not needed"));
        }
        let usual = match flowing.as_slice() {
            [] if step.when.is_some() => labels.first().cloned(),
            [one] if one.as_str() == outcome::APPROVED => labels.first().cloned(),
            _ => None,
        };
        if labels.is_empty() {
            labels.push(String::new());
        }
        let ways = labels.into_iter().map(|label| (label, next.clone()));
        found.splice(0..0, ways);
        usual.map(|label| (label, next))
    }

    fn answers(&self, id: &StepId) -> bool {
        self.definition.steps.get(id).is_some_and(|step| step.human().is_some())
    }

    /// Ways to the same place as one way.
    fn merged(&self, ways: impl Iterator<Item = (String, To)>) -> Vec<Way> {
        let glue = self.pick("、", ", ");
        let mut found: Vec<Way> = Vec::new();
        for (label, to) in ways {
            match found.iter_mut().find(|way| way.to == to) {
                Some(way) => {
                    if !label.is_empty() && !way.on.contains(&label) {
                        way.on.push(label.clone());
                    }
                    if way.label.is_empty() || label.is_empty() {
                        way.label.clear();
                    } else if way.label != label {
                        way.label = format!("{}{glue}{label}", way.label);
                    }
                }
                None => found.push(Way {
                    on: Some(label.clone()).filter(|label| !label.is_empty()).into_iter().collect(),
                    label,
                    to,
                }),
            }
        }
        found
    }

    fn to(&self, node: &Node, next: Option<&StepId>, holder: Option<&StepId>) -> To {
        match node {
            Node::Step(id) if next == Some(id) => To::Next,
            Node::Step(id) => match self.kind_of(id) {
                Some(StepKind::End(outcome)) => To::End(self.definition.ending(outcome, self.lang)),
                _ => self.numbers.get(id).map_or(To::Next, |number| To::Item(*number)),
            },
            Node::Finish(outcome) if outcome.as_str() == outcome::DONE && next.is_none() && holder.is_none() => {
                To::Next
            }
            Node::Finish(outcome) => To::End(self.definition.ending(outcome, self.lang)),
            Node::Start | Node::Join(_) | Node::Undone(_) => To::Next,
        }
    }

    pub(super) fn pick(&self, zh: &str, en: &str) -> String {
        if self.lang == Lang::Zh { zh } else { en }.to_owned()
    }
}

fn is_step(node: &Node, id: &StepId) -> bool {
    matches!(node, Node::Step(found) if found == id)
}
