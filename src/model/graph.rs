//! The state graph: how control moves between the steps of a definition. The only door to petgraph.
//!
//! Nodes are the start, the steps, the ends of blocks, and the ways a case can finish. Edges say on what they
//! are taken. Every list of steps is a block; blocks form a tree whose root is the process. Only some kinds of
//! blocks run at once with others, and only those are scopes of an instance; `choose` is a block and no scope.
//! Steps are named, never numbered, in what is stored: indices of a graph mean nothing to the next program.

use super::id::{Outcome, StepId};
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, EdgeRef, Reversed};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A place where control can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// Before the first step.
    Start,
    /// At a step; of a step that holds blocks, at its entry.
    Step(StepId),
    /// Where the blocks of a step come together again.
    Join(StepId),
    /// The end of the case.
    Finish(Outcome),
    /// Where the compensation of a step is done.
    Undone(StepId),
}

/// On what an edge is taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// Always, where no other edge of the node is taken.
    Next,
    /// When the step has this outcome.
    Outcome(Outcome),
    /// When this case of a `choose` is the first that holds.
    Case(u16),
    /// When no case of a `choose` holds; of a `call`, for outcomes that are not named.
    Otherwise,
    /// Into this branch of a `parallel` or `race`.
    Branch(Arc<str>),
    /// Into the body of an `each`.
    Row,
    /// When it is still open at its due time.
    Overdue,
    /// To what takes it back.
    Undo,
}

/// A list of steps: the process itself, or a list inside a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The block that holds the step that holds this one; `None` for the process.
    pub parent: Option<u32>,
    /// The step that holds it.
    pub of: Option<StepId>,
    /// Whether it runs at once with others, as a scope of its own.
    pub scope: bool,
}

/// What is stored of a graph; `N`, `E` and `B` are its nodes, what its edges are taken on, and its blocks.
#[derive(Serialize, Deserialize)]
struct Stored<N, E, B> {
    nodes: Vec<N>,
    edges: Vec<(u32, u32, E)>,
    blocks: B,
}

/// How control moves between steps.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Stored<(Node, u32), On, Vec<Block>>")]
pub struct StateGraph {
    graph: DiGraph<(Node, u32), On>,
    index: BTreeMap<Node, NodeIndex>,
    blocks: Vec<Block>,
}

impl PartialEq for StateGraph {
    fn eq(&self, other: &StateGraph) -> bool {
        let edges =
            |graph: &StateGraph| graph.edges().map(|(a, on, b)| (a.clone(), on.clone(), b.clone())).collect::<Vec<_>>();
        self.blocks == other.blocks && edges(self) == edges(other)
    }
}

impl From<Stored<(Node, u32), On, Vec<Block>>> for StateGraph {
    fn from(stored: Stored<(Node, u32), On, Vec<Block>>) -> StateGraph {
        let mut graph = StateGraph { graph: DiGraph::new(), index: BTreeMap::new(), blocks: stored.blocks };
        for (node, block) in stored.nodes {
            graph.node(node, block);
        }
        for (from, to, on) in stored.edges {
            let (from, to) = (NodeIndex::new(from as usize), NodeIndex::new(to as usize));
            // A stored graph that was cut by hand loses the edge, not the program.
            if from.index() < graph.graph.node_count() && to.index() < graph.graph.node_count() {
                graph.graph.add_edge(from, to, on);
            }
        }
        graph
    }
}

impl Serialize for StateGraph {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = |index: NodeIndex| u32::try_from(index.index()).unwrap_or(u32::MAX);
        let edges = self.graph.edge_references();
        let edges = edges.map(|edge| (number(edge.source()), number(edge.target()), edge.weight()));
        let (nodes, blocks) = (self.graph.node_weights().collect(), &self.blocks);
        Stored { nodes, edges: edges.collect(), blocks }.serialize(serializer)
    }
}

impl Default for StateGraph {
    fn default() -> StateGraph {
        StateGraph::new()
    }
}

impl StateGraph {
    /// A graph with nothing but its start, in the block of the process (number 0).
    pub fn new() -> StateGraph {
        let root = Block { parent: None, of: None, scope: true };
        let mut graph = StateGraph { graph: DiGraph::new(), index: BTreeMap::new(), blocks: vec![root] };
        graph.node(Node::Start, 0);
        graph
    }

    /// Adds a block and answers its number.
    pub fn block(&mut self, block: Block) -> u32 {
        self.blocks.push(block);
        u32::try_from(self.blocks.len() - 1).unwrap_or(u32::MAX)
    }

    /// Adds a node to a block; one that is there already stays as it is.
    pub fn node(&mut self, node: Node, block: u32) {
        if !self.index.contains_key(&node) {
            let index = self.graph.add_node((node.clone(), block));
            self.index.insert(node, index);
        }
    }

    /// Adds an edge between two nodes that are there; one that is there already is not doubled.
    pub fn edge(&mut self, from: &Node, on: On, to: &Node) {
        let (Some(&from), Some(&to)) = (self.index.get(from), self.index.get(to)) else { return };
        if !self.graph.edges_connecting(from, to).any(|edge| *edge.weight() == on) {
            self.graph.add_edge(from, to, on);
        }
    }

    /// Where control goes from a node, on what happened there.
    pub fn next(&self, from: &Node, on: &On) -> Option<&Node> {
        let from = *self.index.get(from)?;
        let edge = self.graph.edges(from).find(|edge| edge.weight() == on)?;
        self.graph.node_weight(edge.target()).map(|(node, _)| node)
    }

    /// All nodes, in the order in which they were added.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.graph.node_weights().map(|(node, _)| node)
    }

    /// All edges, in the order in which they were added.
    pub fn edges(&self) -> impl Iterator<Item = (&Node, &On, &Node)> {
        self.graph.edge_references().filter_map(|edge| {
            let from = self.graph.node_weight(edge.source())?;
            let to = self.graph.node_weight(edge.target())?;
            Some((&from.0, edge.weight(), &to.0))
        })
    }

    /// The edges that leave a node, in the order in which they were added.
    pub fn edges_from(&self, from: &Node) -> Vec<(&On, &Node)> {
        let Some(&index) = self.index.get(from) else { return Vec::new() };
        let mut edges: Vec<_> = self.graph.edges(index).collect();
        edges.sort_by_key(|edge| edge.id());
        edges.into_iter().filter_map(|edge| Some((edge.weight(), &self.graph.node_weight(edge.target())?.0))).collect()
    }

    /// The nodes that can be reached from the start.
    pub fn reachable(&self) -> Vec<&Node> {
        self.from(&Node::Start)
    }

    /// The nodes that can be reached from a node, itself included.
    pub fn from(&self, node: &Node) -> Vec<&Node> {
        self.walk(&self.graph, node)
    }

    /// The nodes from which a node can be reached, itself included.
    pub fn leading_to(&self, node: &Node) -> Vec<&Node> {
        self.walk(Reversed(&self.graph), node)
    }

    /// The nodes from which an end of the case can be reached.
    pub fn finishing(&self) -> Vec<&Node> {
        let ends: Vec<&Node> = self.nodes().filter(|node| matches!(node, Node::Finish(_))).collect();
        let mut found: Vec<&Node> = ends.into_iter().flat_map(|end| self.walk(Reversed(&self.graph), end)).collect();
        found.sort();
        found.dedup();
        found
    }

    /// The nodes that lead to a node, in one step.
    pub fn before(&self, node: &Node) -> Vec<&Node> {
        let Some(&index) = self.index.get(node) else { return Vec::new() };
        self.graph
            .neighbors_directed(index, Direction::Incoming)
            .filter_map(|before| self.graph.node_weight(before).map(|(node, _)| node))
            .collect()
    }

    /// The number of the block that holds a node.
    pub fn block_of(&self, node: &Node) -> Option<u32> {
        self.graph.node_weight(*self.index.get(node)?).map(|(_, block)| *block)
    }

    /// A block by its number.
    pub fn block_at(&self, number: u32) -> Option<&Block> {
        self.blocks.get(number as usize)
    }

    /// The blocks that a step holds, in the order of its branches or cases.
    pub fn blocks_of(&self, step: &StepId) -> Vec<u32> {
        let held = |block: &Block| block.of.as_ref() == Some(step);
        (0u32..).zip(&self.blocks).filter(|(_, block)| held(block)).map(|(number, _)| number).collect()
    }

    /// The step that another one helps to take back.
    pub fn undone_by(&self, step: &StepId) -> Option<&StepId> {
        let block = self.block_of(&Node::Step(step.clone()))?;
        self.nodes().find_map(|node| match node {
            Node::Undone(undone) => self.block_of(node).filter(|outer| self.encloses(*outer, block)).map(|_| undone),
            _ => None,
        })
    }

    /// Whether `outer` is `block` itself or one of those around it: whether a jump may go there.
    pub fn encloses(&self, outer: u32, block: u32) -> bool {
        let mut at = Some(block);
        while let Some(here) = at {
            if here == outer {
                return true;
            }
            at = self.blocks.get(here as usize).and_then(|block| block.parent);
        }
        false
    }

    fn walk<'a, G>(&'a self, graph: G, from: &Node) -> Vec<&'a Node>
    where
        G: petgraph::visit::IntoNeighbors<NodeId = NodeIndex> + petgraph::visit::Visitable<NodeId = NodeIndex> + Copy,
    {
        let Some(&start) = self.index.get(from) else { return Vec::new() };
        let mut walk = Dfs::new(graph, start);
        let mut found = Vec::new();
        while let Some(index) = walk.next(graph) {
            found.extend(self.graph.node_weight(index).map(|(node, _)| node));
        }
        found
    }
}
