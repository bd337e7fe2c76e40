//! Which fields are set, and which steps were walked, on every path that leads to a step.
//!
//! A field once set is never unset, so this is one forward analysis over the graph: what holds before a node is
//! what holds after all of its predecessors. Loops cannot break it, as facts are only ever taken away.

use crate::compile::lower::{Flow, Part, answers, skippable};
use crate::model::definition::outcome;
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, StepId};
use crate::syntax::{Process, StepKind};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is certain at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Certain {
    /// Fields that have been asked or written. Whether their value can be null is another question.
    pub(crate) fields: BTreeSet<FieldName>,
    /// Steps that have been walked or skipped.
    pub(crate) steps: BTreeSet<StepId>,
}

/// What is certain before each step that can be reached. `initial` are the fields that are set at the start;
/// `unsure` are fields that some `set` may write null to, which settles nothing.
pub(crate) fn before(
    document: &Process,
    flow: &Flow<'_>,
    initial: BTreeSet<FieldName>,
    unsure: &BTreeSet<FieldName>,
) -> BTreeMap<StepId, Certain> {
    let gains = gains(document, flow, unsure);
    let mut known: BTreeMap<Node, Certain> = BTreeMap::new();
    known.insert(Node::Start, Certain { fields: initial, steps: BTreeSet::new() });
    let mut queue = VecDeque::from([Node::Start]);
    while let Some(node) = queue.pop_front() {
        let Some(here) = known.get(&node).cloned() else { continue };
        for (on, to) in flow.graph.edges_from(&node) {
            let mut after = here.clone();
            if let Node::Join(id) = &node {
                after.steps.insert(id.clone());
            }
            if let Node::Step(id) = &node {
                // A step that holds lists is over when they come together.
                if !holds_lists(flow, id) {
                    after.steps.insert(id.clone());
                }
                if let Some((_, fields)) = gains.get(id).filter(|(when, _)| when.allows(on)) {
                    after.fields.extend(fields.iter().cloned());
                }
            }
            let merged = match known.get(to) {
                None => after,
                Some(before) => Certain {
                    fields: before.fields.intersection(&after.fields).cloned().collect(),
                    steps: before.steps.intersection(&after.steps).cloned().collect(),
                },
            };
            if known.get(to) != Some(&merged) {
                known.insert(to.clone(), merged);
                queue.push_back(to.clone());
            }
        }
    }
    known
        .into_iter()
        .filter_map(|(node, certain)| match node {
            Node::Step(id) => Some((id, certain)),
            _ => None,
        })
        .collect()
}

fn holds_lists(flow: &Flow<'_>, id: &StepId) -> bool {
    flow.graph.block_of(&Node::Join(id.clone())).is_some()
}

/// On which edges a step has set its fields.
enum Sets {
    /// On all of them.
    Always,
    /// Where it was answered; not where it was skipped, if that can be.
    Answered {
        /// Whether `Next` may mean that it was skipped.
        skippable: bool,
    },
}

impl Sets {
    fn allows(&self, on: &On) -> bool {
        match (self, on) {
            (Sets::Always, _) => true,
            (Sets::Answered { skippable }, On::Next) => !skippable,
            // Sent back or rejected, the form was not handed in.
            (Sets::Answered { .. }, On::Outcome(answer)) => {
                answer.as_str() != outcome::REJECTED && answer.as_str() != outcome::RETURNED
            }
            (Sets::Answered { .. }, _) => false,
        }
    }
}

fn gains(
    document: &Process,
    flow: &Flow<'_>,
    unsure: &BTreeSet<FieldName>,
) -> BTreeMap<StepId, (Sets, Vec<FieldName>)> {
    let mut gains = BTreeMap::new();
    for placed in flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
        let step = placed.source;
        let gained = match &step.kind {
            StepKind::Approve { .. } | StepKind::Task { .. } if !answers(step).is_empty() => {
                let fields = step.form.iter().map(|field| FieldName::from(field.name.value.as_str())).collect();
                (Sets::Answered { skippable: skippable(step, document) }, fields)
            }
            StepKind::Set { values } if step.when.is_none() => {
                let fields = values.iter().map(|(name, _)| FieldName::from(name.value.as_str()));
                (Sets::Always, fields.filter(|name| !unsure.contains(name)).collect())
            }
            StepKind::Table { take, .. } if step.when.is_none() => {
                let fields = take.iter().map(|(name, _)| FieldName::from(name.value.as_str()));
                (Sets::Always, fields.filter(|name| !unsure.contains(name)).collect())
            }
            _ => continue,
        };
        gains.insert(placed.id.clone(), gained);
    }
    gains
}
