//! Revisions: what a change of the form does to steps that were passed.
//!
//! A revision cannot slip past a guard: if it changes a field, computed ones too, that a step already passed has
//! read (its `when`, its cases, its people, what it sets), the case walks again from the first such step of the same or an
//! enclosing list; what a step says that it `depends_on` counts as read. Else the step that returned the case asks all its deciders again, in a new round.

use super::event::Closed;
use super::human;
use super::run::Run;
use crate::model::definition::{Step, StepKind};
use crate::model::formula::{Formula, Read};
use crate::model::graph::Node;
use crate::model::id::{StepId, TaskId, TokenId};
use crate::model::value::Record;

/// Goes on after a revision that changed these fields, for the task that waited for it.
pub(super) fn go_on(run: &mut Run<'_>, task: TaskId, changed: &Record) {
    let Some(parked) = run.state.tasks.get(&task) else { return };
    let (token, from) = (parked.token, parked.step.clone());
    let touched = |step: &Step| reads(step, changed) || depends_on(step, changed);
    let Some(target) = first_touched(run, token, &from, &touched) else { return human::ask_again(run, task) };
    run.close_task(task, Closed::WalkedBack);
    run.enter(token, target);
}

/// From where the case walks again after a step changed these fields itself: only what says that it depends on one
/// of them is asked again.
pub(super) fn reopened(run: &Run<'_>, token: TokenId, from: &StepId, changed: &Record) -> Option<StepId> {
    if changed.is_empty() {
        return None;
    }
    first_touched(run, token, from, &|step| depends_on(step, changed))
}

/// The first step of the same or an enclosing list that was passed and is touched, itself or in the lists that it
/// holds. A block that runs counts as passed: it was entered on what it read. What comes after `from` in the text
/// is no way back: it is walked again anyway.
fn first_touched(run: &Run<'_>, token: TokenId, from: &StepId, touched: &dyn Fn(&Step) -> bool) -> Option<StepId> {
    let steps = &run.definition.steps;
    let (here, place) = (run.definition.graph.block_of(&Node::Step(from.clone()))?, run.place(token));
    let found = |(id, step): &(&StepId, &Step)| {
        **id != *from && touched(step) && (place.passed(id) || is_inside(run, id, here))
    };
    let lifted: Vec<&StepId> = steps.iter().filter(found).filter_map(|(id, _)| lift(run, id, here)).collect();
    // In the order of the text; the step itself is asked again anyway.
    steps.keys().take_while(|id| *id != from).find(|id| lifted.contains(id)).cloned()
}

/// The step of the same or an enclosing list that a step is, or is inside of.
fn lift<'a>(run: &'a Run<'_>, id: &'a StepId, here: u32) -> Option<&'a StepId> {
    let graph = &run.definition.graph;
    let mut at = id;
    loop {
        let block = graph.block_of(&Node::Step(at.clone()))?;
        if graph.encloses(block, here) {
            return Some(at);
        }
        at = graph.block_at(block)?.of.as_ref()?;
    }
}

fn is_inside(run: &Run<'_>, id: &StepId, here: u32) -> bool {
    let mut at = run.definition.graph.block_at(here);
    while let Some(block) = at {
        if block.of.as_ref() == Some(id) {
            return true;
        }
        at = block.parent.and_then(|parent| run.definition.graph.block_at(parent));
    }
    false
}

fn reads(step: &Step, changed: &Record) -> bool {
    let guards: Vec<&Formula> = match &step.kind {
        StepKind::Choose(cases) => cases.iter().collect(),
        StepKind::Approve(human) | StepKind::Task(human) => human.who.iter().collect(),
        StepKind::Notify(notify) => notify.who.iter().collect(),
        StepKind::Table(look_up) => look_up.with.values().collect(),
        StepKind::Each(each) => vec![&each.rows],
        StepKind::Call(call) => call.with.values().chain(&call.by).collect(),
        StepKind::Wait(until) => vec![until],
        StepKind::Receive(receive) => receive.key.iter().collect(),
        StepKind::Http(http) => http.body.values().collect(),
        StepKind::Job(job) => job.with.values().collect(),
        // What was computed from it is stale, and guards behind it would read that.
        StepKind::Set(fields) => fields.values().collect(),
        StepKind::End(_) | StepKind::Parallel(_) | StepKind::Race => Vec::new(),
    };
    let read = |read: &Read| matches!(read, Read::Field(name) if changed.contains_key(name));
    step.when.iter().chain(guards).any(|formula| formula.reads.iter().any(read))
}

fn depends_on(step: &Step, changed: &Record) -> bool {
    step.human().is_some_and(|human| human.depends_on.iter().any(|name| changed.contains_key(name)))
}
