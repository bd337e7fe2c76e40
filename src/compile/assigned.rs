//! Which fields are set, and which steps were walked, on every path that leads to a step.
//!
//! A field once set is only unset where the step whose form it is comes again, so this is one forward analysis over
//! the graph: what holds before a node is what holds after all of its predecessors, but before a step never what it
//! asks itself. Loops cannot break it, as facts are only ever taken away.
//!
//! Where branches come together it depends on the join. After `join: all` all that any branch has set is set; so
//! such a join is only passed once something is known of each branch that comes to it. After another join or a race
//! only what all have set is, and where the name of a branch leads somewhere, what that branch has. After an `each` nothing of its body is: it may have had no row.

use crate::compile::fields::Fields;
use crate::compile::lower::{Flow, Part, Placed};
use crate::compile::outcomes::{answers, decided_by_time, skippable};
use crate::compile::resolve::walk;
use crate::compile::touch::writes;
use crate::diagnostics::suggest;
use crate::expression::Known;
use crate::model::definition::outcome;
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, StepId};
use crate::syntax::{Join, Process, Step, StepKind, Taken};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is certain at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Certain {
    /// Fields that have been asked or written. Whether their value can be null is another question.
    pub(crate) fields: BTreeSet<FieldName>,
    /// Steps that have been walked or skipped.
    pub(crate) steps: BTreeSet<StepId>,
    /// The columns that every row of a list has filled in, each with its list.
    pub(crate) rows: BTreeSet<(FieldName, FieldName)>,
    /// The columns of the row around the place that steps have written.
    pub(crate) columns: BTreeSet<FieldName>,
    /// What conditions have proved on every path.
    pub(crate) known: Vec<Known>,
    /// The `each` in whose body the place is.
    pub(crate) row: Option<StepId>,
    /// The step whose form is being filled in.
    pub(crate) asking: Option<StepId>,
}

impl Certain {
    fn both(&self, other: &Certain) -> Certain {
        Certain {
            fields: self.fields.intersection(&other.fields).cloned().collect(),
            steps: self.steps.intersection(&other.steps).cloned().collect(),
            rows: self.rows.intersection(&other.rows).cloned().collect(),
            columns: self.columns.intersection(&other.columns).cloned().collect(),
            ..Certain::default()
        }
    }
}

/// What is certain before each step that can be reached. `unsure` are fields that some step may write null to, which
/// settles nothing; `lists` those that the rows of each `each` come back in.
pub(crate) fn before(
    document: &Process,
    flow: &Flow<'_>,
    fields: &Fields<'_>,
    unsure: &BTreeSet<FieldName>,
    lists: &BTreeMap<StepId, FieldName>,
) -> BTreeMap<StepId, Certain> {
    let gains = gains(document, flow, fields, unsure);
    let (holders, asked) = (holders(flow), asked(flow));
    let (lasting, written) = (lasting(flow, lists), written(flow));
    let numbers: BTreeMap<&StepId, usize> = flow.steps.iter().enumerate().map(|(n, placed)| (&placed.id, n)).collect();
    let place = |step: &StepId| numbers.get(step).copied();
    let asking = |kind: &StepKind| matches!(kind, StepKind::Approve { .. } | StepKind::Task { .. });
    let asks: BTreeSet<&StepId> =
        flow.steps.iter().filter(|placed| asking(&placed.source.kind)).map(|placed| &placed.id).collect();
    let mut known: BTreeMap<Node, Certain> = BTreeMap::new();
    let mut arrived: BTreeMap<(&StepId, u32), Certain> = BTreeMap::new();
    known.insert(Node::Start, Certain { fields: fields.at_start(), ..Certain::default() });
    let mut queue = VecDeque::from([Node::Start]);
    while let Some(node) = queue.pop_front() {
        let Some(here) = known.get(&node).cloned() else { continue };
        // What every row has filled in is known once the body has been walked.
        if let Node::Join(id) = &node
            && lasting.contains_key(id)
            && !arrived.contains_key(&(id, 0))
            && !coming(flow, id).is_empty()
        {
            continue;
        }
        let mut after: Vec<(&Node, Certain)> = Vec::new();
        for (on, to) in flow.graph.edges_from(&node) {
            let mut then = match &node {
                Node::Join(id) if holders.get(id) == Some(&Holder::First) => {
                    came_first(flow, id, on, &arrived).unwrap_or_else(|| here.clone())
                }
                _ => here.clone(),
            };
            match &node {
                Node::Join(id) => {
                    then.steps.insert(id.clone());
                    if let (Some(list), Some(row)) = (lasting.get(id), arrived.get(&(id, 0))) {
                        then.rows.extend(row.fields.iter().map(|column| (list.clone(), column.clone())));
                    }
                }
                Node::Step(id) => {
                    // A step that holds lists is over when they come together, or where it was passed.
                    if !holders.contains_key(id) || matches!(on, On::Next | On::Overdue) {
                        then.steps.insert(id.clone());
                    }
                    if let Some((_, fields)) = gains.get(id).filter(|(when, _)| when.allows(on)) {
                        // People who are asked in a row answer to names of their own; what steps write is a column.
                        let columns = flow.row_of(id).is_some() && !asks.contains(id);
                        let to = if columns { &mut then.columns } else { &mut then.fields };
                        to.extend(fields.iter().cloned());
                    }
                    if *on == On::Row {
                        then.columns.clear();
                    }
                    then.rows.retain(|(list, _)| !written.get(id).is_some_and(|written| written.contains(list)));
                }
                Node::Start | Node::Finish(_) | Node::Undone(_) => {}
            }
            match to {
                Node::Join(id) => match holders.get(id) {
                    Some(Holder::Rows) => {
                        let merged = match arrived.get(&(id, 0)) {
                            None => then,
                            Some(before) => before.both(&then),
                        };
                        if arrived.get(&(id, 0)) != Some(&merged) {
                            arrived.insert((id, 0), merged);
                            queue.push_back(to.clone());
                        }
                    }
                    Some(Holder::All) => {
                        let branch = branch(flow, &node, on, id);
                        let merged = match arrived.get(&(id, branch)) {
                            None => then,
                            Some(before) => before.both(&then),
                        };
                        arrived.insert((id, branch), merged);
                        let coming = coming(flow, id);
                        let parts: Vec<&Certain> =
                            coming.iter().filter_map(|branch| arrived.get(&(id, *branch))).collect();
                        if parts.len() == coming.len() {
                            let mut all = Certain::default();
                            for part in parts {
                                all.fields.extend(part.fields.iter().cloned());
                                all.steps.extend(part.steps.iter().cloned());
                                all.rows.extend(part.rows.iter().cloned());
                                all.columns.extend(part.columns.iter().cloned());
                            }
                            after.push((to, all));
                        }
                    }
                    Some(Holder::First) => {
                        let branch = branch(flow, &node, on, id);
                        let before = arrived.get(&(id, branch));
                        let merged = before.map_or_else(|| then.clone(), |before| before.both(&then));
                        // The ways that lead on by the name of a branch may know less than they did.
                        if before != Some(&merged) && known.contains_key(to) {
                            queue.push_back(to.clone());
                        }
                        arrived.insert((id, branch), merged);
                        after.push((to, then));
                    }
                    Some(Holder::Some) | None => after.push((to, then)),
                },
                _ => after.push((to, then)),
            }
        }
        let join = match &node {
            Node::Step(id) if holders.get(id) == Some(&Holder::Rows) => Some(Node::Join(id.clone())),
            _ => None,
        };
        after.extend(join.as_ref().map(|join| (join, here)));
        for (to, mut then) in after {
            // Before its own `each` a list may get new rows.
            if let Node::Step(step) = to {
                // A step that comes again may be passed by: what it asks is unset then.
                for field in asked.get(step).into_iter().flatten() {
                    then.fields.remove(field);
                }
                let at = place(step);
                then.rows.retain(|(list, _)| lasting.iter().all(|(each, of)| of != list || place(each) < at));
            }
            let merged = match known.get(to) {
                // The union over branches is no more than what is known of each: it is taken as it is.
                Some(before) if !is_union(&holders, to) => before.both(&then),
                _ => then,
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
            Node::Step(id) => {
                let row = flow.row_of(&id).cloned();
                Some((id, Certain { row, ..certain }))
            }
            _ => None,
        })
        .collect()
}

/// The fields of the forms of each step and of all that it holds.
fn asked<'f>(flow: &'f Flow<'_>) -> BTreeMap<&'f StepId, BTreeSet<FieldName>> {
    let of = |step: &Step| {
        let mut found = BTreeSet::new();
        walk(std::slice::from_ref(step), &mut |step| {
            found.extend(step.form.iter().map(|field| FieldName::from(field.name.value.as_str())));
        });
        found
    };
    flow.steps.iter().map(|placed| (&placed.id, of(placed.source))).collect()
}

/// How the lists of a step come together.
#[derive(Clone, Copy, PartialEq)]
enum Holder {
    /// All of them do.
    All,
    /// One or some of them do.
    Some,
    /// One does, and its name may lead somewhere.
    First,
    /// The body of an `each`.
    Rows,
}

fn holders<'f>(flow: &'f Flow<'_>) -> BTreeMap<&'f StepId, Holder> {
    let mut found = BTreeMap::new();
    for placed in &flow.steps {
        let holder = match &placed.source.kind {
            StepKind::Choose { .. } => Holder::Some,
            StepKind::Race { .. } => Holder::First,
            StepKind::Parallel { branches, join } => match join.map(|join| join.value) {
                Some(Join::Any) => Holder::First,
                // More branches than there are is told, and all of them are certain.
                Some(Join::Count(count)) if usize::from(count) < branches.len() => Holder::Some,
                Some(Join::Count(_) | Join::All) | None => Holder::All,
            },
            StepKind::Each { .. } => Holder::Rows,
            _ => continue,
        };
        found.insert(&placed.id, holder);
    }
    found
}

/// What each step may write anew, the steps of branches that run at once with their block: another of these may come first.
fn written<'f>(flow: &'f Flow<'_>) -> BTreeMap<&'f StepId, BTreeSet<FieldName>> {
    let of = |placed: &Placed<'_>| {
        let mut found = BTreeSet::new();
        let mut add = |step: &Step| {
            found.extend(writes(step).into_iter().map(|name| FieldName::from(name.value.as_str())));
        };
        match &placed.source.kind {
            StepKind::Parallel { .. } | StepKind::Race { .. } => walk(std::slice::from_ref(placed.source), &mut add),
            // In the body of an `each` what is written is a column.
            _ if flow.row_of(&placed.id).is_none() => add(placed.source),
            _ => {}
        }
        found
    };
    flow.steps.iter().map(|placed| (&placed.id, of(placed))).collect()
}

/// The `each`es behind which every row keeps what its body asked, with their lists: none is stopped early, and nobody
/// adds rows but a revision, after which the case comes to the `each` again, and a step that writes the list anew.
fn lasting(flow: &Flow<'_>, lists: &BTreeMap<StepId, FieldName>) -> BTreeMap<StepId, FieldName> {
    // What takes something back does so behind steps that come later.
    let undo = flow.steps.iter().filter(|placed| flow.undo_of(&placed.id).is_some());
    let changed: BTreeSet<&str> =
        undo.flat_map(|placed| writes(placed.source)).map(|name| name.value.as_str()).collect();
    let whole = flow.steps.iter().filter(|placed| {
        let id = &placed.id;
        let beside = flow.steps.iter().any(|other| {
            let runs = matches!(other.source.kind, StepKind::Parallel { .. } | StepKind::Race { .. });
            runs && flow.branch_of(&Node::Step(id.clone()), &other.id).is_some()
        });
        matches!(placed.source.kind, StepKind::Each { until: None, .. }) && !beside
    });
    let kept = whole.filter_map(|placed| Some((placed.id.clone(), lists.get(&placed.id)?.clone())));
    kept.filter(|(_, list)| !changed.contains(list.as_str())).collect()
}

/// What is certain behind a join where one branch of several came first: on the way that its name leads, what that
/// branch has set; on the way past, what all those have that no name leads away.
fn came_first(flow: &Flow<'_>, id: &StepId, on: &On, arrived: &BTreeMap<(&StepId, u32), Certain>) -> Option<Certain> {
    let placed = flow.steps.iter().find(|placed| placed.id == *id)?;
    let (StepKind::Race { branches } | StepKind::Parallel { branches, .. }) = &placed.source.kind else { return None };
    let leads = |name: &str| placed.source.on.iter().any(|(outcome, _)| outcome.value == name);
    let came = |name: &str| match on {
        On::Outcome(outcome) => outcome.as_str() == name,
        _ => !leads(name),
    };
    let blocks = flow.graph.blocks_of(id);
    let named = branches.iter().zip(blocks).filter(|(branch, _)| came(&branch.name.value));
    let each = named.filter_map(|(_, block)| arrived.get(&(id, block)).cloned());
    each.reduce(|all, more| all.both(&more))
}

fn is_union(holders: &BTreeMap<&StepId, Holder>, node: &Node) -> bool {
    matches!(node, Node::Join(id) if holders.get(id) == Some(&Holder::All))
}

/// The branch that an edge to the join of `id` comes from, by its block.
fn branch(flow: &Flow<'_>, from: &Node, on: &On, id: &StepId) -> u32 {
    if let Some(inside) = flow.branch_of(from, id) {
        return inside;
    }
    // An empty branch leads straight to the join.
    let edges = flow.graph.edges_from(from);
    let branches = edges.iter().filter(|(on, _)| matches!(on, On::Branch(_)));
    let at = branches.clone().position(|(other, _)| *other == on).unwrap_or_default();
    flow.graph.blocks_of(id).get(at).copied().unwrap_or_default()
}

/// The branches of which some way leads to the join, by their blocks.
fn coming(flow: &Flow<'_>, id: &StepId) -> BTreeSet<u32> {
    let join = Node::Join(id.clone());
    let inside = flow.graph.before(&join).into_iter().filter_map(|node| flow.branch_of(node, id));
    let holder = Node::Step(id.clone());
    let edges = flow.graph.edges_from(&holder);
    let empty = edges.iter().filter(|(on, to)| matches!(on, On::Branch(_)) && **to == join);
    inside.chain(empty.map(|(on, _)| branch(flow, &holder, on, id))).collect()
}

/// On which edges a step has set its fields.
enum Sets {
    /// On all of them.
    Always,
    /// Where it was answered; not where it was skipped, or where time decided.
    Answered {
        /// Whether `Next` may mean that nobody answered.
        passed: bool,
        /// The outcome that time gives.
        by_time: Option<String>,
    },
    /// Where what was waited for came.
    Taken {
        /// Whether `Next` may mean that it was skipped.
        skippable: bool,
    },
}

impl Sets {
    fn allows(&self, on: &On) -> bool {
        const NOT_TAKEN: [&str; 5] =
            [outcome::REJECTED, outcome::WITHDRAWN, outcome::CANCELLED, outcome::FAILED, outcome::REFUSED];
        match (self, on) {
            (_, On::Overdue) => false,
            (Sets::Always, _) => true,
            (Sets::Answered { passed, .. }, On::Next) => !passed,
            // Sent back or rejected, the form was not handed in.
            (Sets::Answered { by_time, .. }, On::Outcome(answer)) => {
                answer.as_str() != outcome::REJECTED
                    && answer.as_str() != outcome::RETURNED
                    && by_time.as_deref() != Some(answer.as_str())
            }
            (Sets::Answered { by_time, .. }, On::Undo) => by_time.is_none(),
            (Sets::Answered { .. }, _) => false,
            (Sets::Taken { skippable }, On::Next) => !skippable,
            (Sets::Taken { .. }, On::Outcome(outcome)) => !NOT_TAKEN.contains(&outcome.as_str()),
            (Sets::Taken { .. }, On::Undo) => true,
            (Sets::Taken { .. }, _) => false,
        }
    }
}

fn gains(
    document: &Process,
    flow: &Flow<'_>,
    fields: &Fields<'_>,
    unsure: &BTreeSet<FieldName>,
) -> BTreeMap<StepId, (Sets, Vec<FieldName>)> {
    let mut gains = BTreeMap::new();
    let mut edited: BTreeSet<&str> = BTreeSet::new();
    walk(&document.steps, &mut |step| edited.extend(step.edit.iter().map(|name| name.value.as_str())));
    for placed in flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
        let step = placed.source;
        let in_row = flow.row_of(&placed.id).is_some();
        let sure = |names: Vec<&str>| -> Vec<FieldName> {
            // In the body of an `each` what is written is a column, which may be emptied where it is asked again.
            let lost = |name: &FieldName| unsure.contains(name) || in_row && edited.contains(name.as_str());
            names.into_iter().map(FieldName::from).filter(|name| !lost(name)).collect()
        };
        // What is misspelt is told, and is no reason to call the field that was meant unset.
        let own = || document.data.iter().map(|field| field.name.value.as_str());
        let written = |names: Vec<&str>| -> Vec<FieldName> {
            let meant = |name: &str| suggest::closest(name, own()).filter(|_| !own().any(|known| known == name));
            let meant: Vec<&str> = names.iter().filter_map(|name| meant(name)).collect();
            sure(names.into_iter().chain(meant).collect())
        };
        // What comes may lack some of what is taken; what was set before stays so.
        let taken = |take: &[Taken]| {
            let comes = take.iter().filter(|(name, _)| !fields.may_be_missing(&name.value, flow.row_of(&placed.id)));
            written(comes.map(|(name, _)| name.value.as_str()).collect())
        };
        let skippable = skippable(step, document);
        let gained = match &step.kind {
            StepKind::Approve { .. } | StepKind::Task { .. } if !answers(step).is_empty() => {
                let mut fields: Vec<FieldName> =
                    step.form.iter().map(|field| FieldName::from(field.name.value.as_str())).collect();
                if !in_row {
                    fields.extend(sure(step.edit.iter().map(|name| name.value.as_str()).collect()));
                }
                (answered(step, skippable), fields)
            }
            StepKind::Set { values } if step.when.is_none() => {
                (Sets::Always, written(values.iter().map(|(name, _)| name.value.as_str()).collect()))
            }
            StepKind::Call(call) => {
                (Sets::Taken { skippable }, written(call.take.iter().map(|(name, _)| name.value.as_str()).collect()))
            }
            StepKind::Receive { take, .. } => (Sets::Taken { skippable }, taken(take)),
            StepKind::Http(http) => (Sets::Taken { skippable }, taken(&http.take)),
            StepKind::Job(job) => (Sets::Taken { skippable }, taken(&job.take)),
            StepKind::Table { take, .. } if step.when.is_none() => {
                (Sets::Always, written(take.iter().map(|(name, _)| name.value.as_str()).collect()))
            }
            _ => continue,
        };
        gains.insert(placed.id.clone(), gained);
    }
    gains
}

fn answered(step: &Step, skippable: bool) -> Sets {
    // Another outcome is no answer of the step, which is told as such.
    let known = |outcome: &&str| answers(step).iter().any(|(name, _)| name.as_str() == *outcome);
    let by_time = decided_by_time(step).filter(known).map(str::to_owned);
    let ends = |outcome: &String| outcome == outcome::REJECTED || outcome == outcome::RETURNED;
    let flows_on = |outcome: &String| !ends(outcome) && !step.on.iter().any(|(name, _)| name.value == *outcome);
    Sets::Answered { passed: skippable || by_time.as_ref().is_some_and(flows_on), by_time }
}
