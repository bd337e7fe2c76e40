//! Whether the parts of a way lie within each other: a row in an `each`, a step in what is named before it.

use super::Part;
use crate::diagnostics::{Code, Diagnostic, Span, quoted_list};
use crate::model::definition::{Definition, StepKind};
use crate::model::graph::Node;
use crate::model::id::StepId;
use crate::model::text::Wording;

/// What is wrong with a row on a way: its step has no rows, or no step of the row is named.
pub(super) fn bad_row(
    (at, whole): (Span, Span),
    (each, row): (&StepId, u32),
    last: bool,
    definition: &Definition,
) -> Option<Diagnostic> {
    if !is_each(definition, each) {
        let said = Wording::new(
            format!("步骤 `{each}` 没有行，后面不能写 `{row}`：只有 `each` 才有行"),
            format!("step `{each}` has no rows, so `{row}` cannot follow it: only an `each` has rows"),
        );
        return Some(Diagnostic::new(Code::UnknownStep, at, said));
    }
    last.then(|| {
        let said = Wording::new(
            format!("`{each}/{row}` 是一行；后面要写这一行里的步骤"),
            format!("`{each}/{row}` is a row; name a step in it"),
        );
        let steps: Vec<String> = body(definition, each).map(|step| format!("{each}/{row}/{step}")).collect();
        let listed = quoted_list(steps.iter().map(String::as_str));
        let hint = Wording::new(format!("可以写：{}", listed.zh), format!("write one of {}", listed.en));
        Diagnostic::new(Code::UnknownStep, whole, said).hint(hint)
    })
}

/// What is wrong with a step that is not within the one that the way names before it.
pub(super) fn elsewhere(
    (at, whole): (Span, Span),
    before: &[Part],
    step: &StepId,
    last: bool,
    definition: &Definition,
) -> Option<Diagnostic> {
    let outer = before.iter().rev().map_while(|part| if let Part::Call(_) = part { None } else { Some(part) });
    let outer = outer.into_iter().find_map(|part| if let Part::Step(outer) = part { Some(outer) } else { None })?;
    if holds(definition, outer, step) {
        return None;
    }
    let said =
        Wording::new(format!("步骤 `{step}` 不在 `{outer}` 里面"), format!("step `{step}` is not within `{outer}`"));
    let called = before.iter().any(|part| matches!(part, Part::Call(_)));
    let fault = Diagnostic::new(Code::UnknownStep, at, said);
    let way = way_to(definition, step);
    // Only a way that is of this process throughout can be written anew.
    Some(if last && !called && !way.contains('/') {
        fault.offer(whole, way.as_str(), Wording::new(format!("改成 `{way}`"), format!("write `{way}`")))
    } else {
        fault.hint(write(definition, step))
    })
}

/// How a step is named.
pub(super) fn write(definition: &Definition, step: &StepId) -> Wording {
    let way = way_to(definition, step);
    Wording::new(format!("这一步要写成 `{way}`"), format!("that step is written `{way}`"))
}

/// The way to a step: the rows around it, the first of each, and the step.
fn way_to(definition: &Definition, step: &StepId) -> String {
    let mut way = step.to_string();
    let mut block = definition.graph.block_of(&Node::Step(step.clone()));
    while let Some(here) = block.and_then(|number| definition.graph.block_at(number)) {
        if let Some(each) = here.of.as_ref().filter(|of| is_each(definition, of)) {
            way = format!("{each}/1/{way}");
        }
        block = here.parent;
    }
    way
}

fn is_each(definition: &Definition, step: &StepId) -> bool {
    matches!(definition.steps.get(step).map(|step| &step.kind), Some(StepKind::Each(_)))
}

/// The steps right in the body of an `each`.
fn body<'d>(definition: &'d Definition, each: &StepId) -> impl Iterator<Item = &'d StepId> {
    let blocks = definition.graph.blocks_of(each);
    let within = move |id: &&StepId| {
        definition.graph.block_of(&Node::Step((*id).clone())).is_some_and(|block| blocks.contains(&block))
    };
    definition.steps.keys().filter(within)
}

/// Whether a step is somewhere in the blocks of another.
fn holds(definition: &Definition, outer: &StepId, step: &StepId) -> bool {
    let graph = &definition.graph;
    let block = graph.block_of(&Node::Step(step.clone()));
    block.is_some_and(|block| graph.blocks_of(outer).into_iter().any(|held| graph.encloses(held, block)))
}
