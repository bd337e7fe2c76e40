//! A call of another system that may be made twice, and that nothing takes back.
//!
//! It is made again where a way leads back to it, and where a revision changes what an earlier step has read, so that
//! the case walks again from there. Methods that may be repeated by their nature are left out.

use super::{Subject, called};
use crate::compile::outcomes::answers;
use crate::compile::typing::fields_read;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::definition::outcome;
use crate::model::graph::{Node, On};
use crate::model::id::StepId;
use crate::model::text::Wording;
use crate::syntax::StepKind;
use std::collections::BTreeSet;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !subject.flow_known() {
        return;
    }
    for placed in &subject.flow.steps {
        let StepKind::Http(http) = &placed.source.kind else { continue };
        let repeatable = !matches!(http.method.value.as_str(), "POST" | "PATCH");
        if repeatable || placed.source.undo.is_some() || subject.flow.undo_of(&placed.id).is_some() {
            continue;
        }
        let after = after(subject, &placed.id);
        let why = if after.contains(&placed.id) {
            Wording::new("有路会回到这一步", "a way leads back to this step")
        } else if let Some(step) = walked_again(subject, &placed.id, &after) {
            Wording::new(
                format!("`{step}` 退回后，修改可能让前面的步骤重走"),
                format!("after `{step}` sends the case back, the revision may make it walk again from an earlier step"),
            )
        } else {
            continue;
        };
        diagnostics.push(
            Diagnostic::new(
                Code::RepeatedHttp,
                placed.source.key,
                Wording::new(
                    format!("{}，那时 `{}` 会再请求一次，而第一次没有撤回", why.zh, called(placed)),
                    format!(
                        "{}, and `{}` would then be sent a second time while nothing takes the first one back",
                        why.en,
                        called(placed)
                    ),
                ),
            )
            .hint(Wording::new(
                "请加 `undo` 说明怎么撤回；如果对方允许重复请求，用 `PUT`",
                "say with `undo` how it is taken back; where the other system takes it twice, use `PUT`",
            )),
        );
    }
}

/// The steps that can come after a step.
fn after(subject: &Subject<'_>, id: &StepId) -> BTreeSet<StepId> {
    let graph = &subject.flow.graph;
    let mut seen: BTreeSet<&Node> = BTreeSet::new();
    let start = Node::Step(id.clone());
    let next = |node: &Node| {
        let edges = graph.edges_from(node).into_iter();
        edges.filter(|(on, _)| !matches!(on, On::Undo)).map(|(_, to)| to).collect::<Vec<_>>()
    };
    let mut queue = next(&start);
    while let Some(node) = queue.pop() {
        if seen.insert(node) {
            queue.extend(next(node));
        }
    }
    let steps = seen.into_iter().filter_map(|node| match node {
        Node::Step(id) => Some(id.clone()),
        _ => None,
    });
    steps.collect()
}

/// A later step that may send the case back in place, where an earlier one has read what the applicant can change.
fn walked_again(subject: &Subject<'_>, id: &StepId, later: &BTreeSet<StepId>) -> Option<StepId> {
    let returns = subject.flow.steps.iter().find(|placed| {
        let led = placed.source.on.iter().any(|(name, _)| name.value == outcome::RETURNED);
        let can = answers(placed.source).iter().any(|(name, _)| name.as_str() == outcome::RETURNED);
        can && !led && later.contains(&placed.id)
    })?;
    let guards = subject.flow.steps.iter().any(|placed| {
        let Some(step) = subject.definition.steps.get(&placed.id) else { return false };
        let asked = step.formulas().into_iter().flat_map(fields_read);
        let reads = asked.into_iter().any(|name| subject.definition.form.contains_key(name));
        reads && (placed.id == *id || after(subject, &placed.id).contains(id))
    });
    guards.then(|| returns.id.clone())
}
