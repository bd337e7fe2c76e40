//! Steps → state graph.
//!
//! Every list of steps is a block. A step flows to the next of its list, the last to what follows the step that
//! holds the list, the last of all to the end `done`. Some things of the text are no nodes of their own:
//!
//! * `go` is an edge: whoever would come to it comes to its target.
//! * `go` and `end` with a `when` begin with a choice between them and what follows.
//! * `choose`, `parallel`, `race` and `each` have a node where they begin, and a join where their lists come together.
//!   The lists of the last three are scopes: they run at once with others, or once a row.
//! * `undo` is a list beside its step: `On::Undo` leads into it and `Node::Undone` is its end. Nothing else does.
//!
//! Lowering is total. A jump that leads nowhere has no edge; all jumps are kept for the checks to report.

mod wire;

use crate::model::definition::outcome;
use crate::model::graph::{Block, Node, On, StateGraph};
use crate::model::id::StepId;
use crate::syntax::{Process, Step, StepKind, Target, Undo};
use std::collections::{BTreeMap, BTreeSet};

/// A process as a graph, and what the graph was made of.
pub(crate) struct Flow<'a> {
    /// How control moves.
    pub(crate) graph: StateGraph,
    /// Every step of the definition, in document order.
    pub(crate) steps: Vec<Placed<'a>>,
    /// Every jump of the text.
    pub(crate) jumps: Vec<Jump<'a>>,
    /// Where a chain of `go` comes back to itself.
    pub(crate) circles: Vec<&'a Target>,
    /// Steps whose id another step has already.
    pub(crate) repeated: Vec<(&'a Step, &'a Step)>,
    /// The blocks that are the body of an `each`, and whose.
    rows: BTreeMap<u32, StepId>,
    /// The blocks that take a step back, and which.
    undos: BTreeMap<u32, StepId>,
}

impl Flow<'_> {
    /// The `each` whose body holds a step, the innermost one.
    pub(crate) fn row_of(&self, id: &StepId) -> Option<&StepId> {
        self.around(self.graph.block_of(&Node::Step(id.clone())), &self.rows)
    }

    /// The step that a step takes back, where it stands in an `undo`.
    pub(crate) fn undo_of(&self, id: &StepId) -> Option<&StepId> {
        self.around(self.graph.block_of(&Node::Step(id.clone())), &self.undos)
    }

    /// The branch of a step that holds branches, which a node lies in: the number of its block.
    pub(crate) fn branch_of(&self, node: &Node, of: &StepId) -> Option<u32> {
        let mut at = self.graph.block_of(node);
        while let Some(number) = at {
            let block = self.graph.block_at(number)?;
            if block.of.as_ref() == Some(of) {
                return Some(number);
            }
            at = block.parent;
        }
        None
    }

    fn around<'m>(&self, from: Option<u32>, of: &'m BTreeMap<u32, StepId>) -> Option<&'m StepId> {
        let mut at = from;
        while let Some(number) = at {
            if let Some(found) = of.get(&number) {
                return Some(found);
            }
            at = self.graph.block_at(number)?.parent;
        }
        None
    }
}

/// A step and what it was written as.
pub(crate) struct Placed<'a> {
    /// Its id, written or made up.
    pub(crate) id: StepId,
    /// The text.
    pub(crate) source: &'a Step,
    /// Which part of the text it is.
    pub(crate) part: Part,
}

/// Which part of a written step a step of the definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// The choice made of the `when` of a `go` or `end`.
    Guard,
    /// The end behind such a choice; its `when` is the choice's.
    Guarded,
}

/// A jump of the text.
pub(crate) struct Jump<'a> {
    /// Where it should lead.
    pub(crate) target: &'a Target,
    /// What its name means.
    pub(crate) found: Found,
}

/// What the name of a target means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// `next`, or a step of the same or an enclosing list.
    Fine,
    /// A step inside a block from outside.
    Inside,
    /// A step outside of the `undo` that the jump stands in, or inside another.
    Undo,
    /// No step.
    Nothing,
}

/// The word for what follows, where a step could be named.
pub(crate) const NEXT: &str = "next";

/// Makes the graph.
pub(crate) fn lower(document: &Process) -> Flow<'_> {
    let mut taken = BTreeSet::new();
    crate::compile::resolve::walk(&document.steps, &mut |step| {
        taken.extend(step.id.as_ref().map(|id| id.value.as_str()));
    });
    let mut lowering = Lowering {
        document,
        taken,
        flow: Flow {
            graph: StateGraph::new(),
            steps: Vec::new(),
            jumps: Vec::new(),
            circles: Vec::new(),
            repeated: Vec::new(),
            rows: BTreeMap::new(),
            undos: BTreeMap::new(),
        },
        names: BTreeMap::new(),
        goes: Vec::new(),
        edges: Vec::new(),
    };
    let items = lowering.place(&document.steps, 0);
    let exit = Place::Node(Node::Finish(outcome::DONE.into()));
    let first = items.first().map_or_else(|| exit.clone(), Item::entry);
    lowering.edges.push((Node::Start, On::Next, first));
    lowering.wire(&items, &exit, 0);
    lowering.draw();
    lowering.flow
}

/// Where an edge leads, before every `go` is known.
#[derive(Clone)]
enum Place {
    Node(Node),
    Go(usize),
    Nowhere,
}

/// A step in its list.
struct Item<'a> {
    source: &'a Step,
    kind: Made<'a>,
    undo: Option<List<'a>>,
}

/// What a step is made into.
enum Made<'a> {
    /// An edge.
    Go(usize),
    /// A choice, then an edge or an end.
    Guard { id: StepId, end: Option<StepId> },
    /// A node.
    Step(StepId),
    /// A node, lists, and a join.
    Block { id: StepId, lists: Vec<List<'a>> },
}

/// A list inside a step.
struct List<'a> {
    on: On,
    block: u32,
    items: Vec<Item<'a>>,
}

impl Item<'_> {
    fn entry(&self) -> Place {
        match &self.kind {
            Made::Go(number) => Place::Go(*number),
            Made::Guard { id, .. } | Made::Step(id) | Made::Block { id, .. } => Place::Node(Node::Step(id.clone())),
        }
    }
}

struct Lowering<'a> {
    document: &'a Process,
    /// Ids that the author gave.
    taken: BTreeSet<&'a str>,
    flow: Flow<'a>,
    /// Named steps: where a jump to one comes, and the block that holds it.
    names: BTreeMap<&'a str, (Place, u32, &'a Step)>,
    /// Where each `go` leads.
    goes: Vec<(Place, &'a Target)>,
    edges: Vec<(Node, On, Place)>,
}

impl<'a> Lowering<'a> {
    /// Gives every step of a list its id, node and block.
    fn place(&mut self, steps: &'a [Step], block: u32) -> Vec<Item<'a>> {
        steps.iter().map(|step| self.place_one(step, block)).collect()
    }

    fn place_one(&mut self, step: &'a Step, block: u32) -> Item<'a> {
        let kind = match &step.kind {
            StepKind::Go { target } if step.when.is_none() => {
                self.goes.push((Place::Nowhere, target));
                let number = self.goes.len() - 1;
                self.name(step, Place::Go(number), block);
                return Item { source: step, kind: Made::Go(number), undo: None };
            }
            StepKind::Go { .. } => Made::Guard { id: self.node(step, "go", Part::Guard, block), end: None },
            StepKind::End { .. } if step.when.is_some() => {
                let id = self.node(step, "end", Part::Guard, block);
                Made::Guard { id, end: Some(self.made_up(step, "end", Part::Guarded, block)) }
            }
            StepKind::Choose { cases, otherwise } => {
                let numbered = cases.iter().enumerate().map(|(number, case)| {
                    let number = u16::try_from(number).unwrap_or(u16::MAX);
                    (On::Case(number), case.steps.as_slice())
                });
                let otherwise = otherwise.iter().map(|list| (On::Otherwise, list.value.as_slice()));
                self.block(step, "choose", numbered.chain(otherwise).collect(), block)
            }
            StepKind::Parallel { branches, .. } | StepKind::Race { branches } => {
                let word = if matches!(step.kind, StepKind::Race { .. }) { "race" } else { "parallel" };
                let branches = branches
                    .iter()
                    .map(|branch| (On::Branch(branch.name.value.as_str().into()), branch.steps.as_slice()));
                self.block(step, word, branches.collect(), block)
            }
            StepKind::Each { steps, .. } => self.block(step, "each", vec![(On::Row, steps)], block),
            StepKind::Approve { .. } => Made::Step(self.node(step, "approve", Part::Whole, block)),
            StepKind::Task { .. } => Made::Step(self.node(step, "task", Part::Whole, block)),
            StepKind::Set { .. } => Made::Step(self.node(step, "set", Part::Whole, block)),
            StepKind::Table { .. } => Made::Step(self.node(step, "table", Part::Whole, block)),
            StepKind::Notify { .. } => Made::Step(self.node(step, "notify", Part::Whole, block)),
            StepKind::End { .. } => Made::Step(self.node(step, "end", Part::Whole, block)),
            StepKind::Wait { .. } => Made::Step(self.node(step, "wait", Part::Whole, block)),
            StepKind::Receive { .. } => Made::Step(self.node(step, "receive", Part::Whole, block)),
            StepKind::Call(_) => Made::Step(self.node(step, "call", Part::Whole, block)),
            StepKind::Http(_) => Made::Step(self.node(step, "http", Part::Whole, block)),
            StepKind::Job(_) => Made::Step(self.node(step, "job", Part::Whole, block)),
            StepKind::Unknown => Made::Step(self.node(step, "step", Part::Whole, block)),
        };
        let undo = match (&step.undo, &kind) {
            (Some(Undo::Steps(steps)), Made::Step(id)) => {
                let inside = self.inside(id, block, true);
                self.flow.undos.insert(inside, id.clone());
                self.flow.graph.node(Node::Undone(id.clone()), inside);
                Some(List { on: On::Undo, block: inside, items: self.place(&steps.value, inside) })
            }
            _ => None,
        };
        Item { source: step, kind, undo }
    }

    /// A step that holds lists.
    fn block(&mut self, step: &'a Step, word: &str, lists: Vec<(On, &'a [Step])>, block: u32) -> Made<'a> {
        let id = self.node(step, word, Part::Whole, block);
        let scope = !matches!(step.kind, StepKind::Choose { .. });
        let mut made = Vec::new();
        for (on, list) in lists {
            let inside = self.inside(&id, block, scope);
            if on == On::Row {
                self.flow.rows.insert(inside, id.clone());
            }
            made.push(List { on, block: inside, items: self.place(list, inside) });
        }
        self.flow.graph.node(Node::Join(id.clone()), block);
        Made::Block { id, lists: made }
    }

    fn inside(&mut self, id: &StepId, block: u32, scope: bool) -> u32 {
        self.flow.graph.block(Block { parent: Some(block), of: Some(id.clone()), scope })
    }

    /// A node with the id that is written, or one made up.
    fn node(&mut self, step: &'a Step, word: &str, part: Part, block: u32) -> StepId {
        let written = step.id.as_ref().map(|id| id.value.as_str());
        match written.filter(|id| !self.names.contains_key(id)) {
            Some(id) => {
                let id = StepId::from(id);
                self.name(step, Place::Node(Node::Step(id.clone())), block);
                self.add(id, step, part, block)
            }
            None => {
                let id = self.made_up(step, word, part, block);
                // A second step of the same name is reported, and jumps mean the first.
                self.name(step, Place::Node(Node::Step(id.clone())), block);
                id
            }
        }
    }

    fn made_up(&mut self, step: &'a Step, word: &str, part: Part, block: u32) -> StepId {
        let used = |id: &str| self.taken.contains(id) || self.flow.steps.iter().any(|placed| placed.id.as_str() == id);
        let id = (1..).map(|number| format!("{word}_{number}")).find(|id| !used(id)).unwrap_or_default();
        self.add(StepId::from(id), step, part, block)
    }

    fn add(&mut self, id: StepId, step: &'a Step, part: Part, block: u32) -> StepId {
        self.flow.graph.node(Node::Step(id.clone()), block);
        self.flow.steps.push(Placed { id: id.clone(), source: step, part });
        id
    }

    fn name(&mut self, step: &'a Step, place: Place, block: u32) {
        let Some(id) = &step.id else { return };
        match self.names.get(id.value.as_str()) {
            Some((_, _, first)) => {
                let first = *first;
                self.flow.repeated.push((step, first));
            }
            None => {
                self.names.insert(&id.value, (place, block, step));
            }
        }
    }
}
