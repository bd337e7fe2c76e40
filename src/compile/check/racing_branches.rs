//! Branches that run at once and write the same field, or one reads what another writes: which is first is chance.
//!
//! What is computed from a field is read with it.

use super::Subject;
use crate::compile::lower::Placed;
use crate::compile::touch::writes;
use crate::compile::typing::fields_read;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::definition::StepKind as Kind;
use crate::model::graph::Node;
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::syntax::{Field, StepKind};
use std::collections::{BTreeMap, BTreeSet};

/// What a branch does to fields, each with the place where it first does.
#[derive(Default)]
struct Branch {
    writes: BTreeMap<FieldName, Span>,
    reads: BTreeMap<FieldName, Span>,
    stage: Option<Span>,
}

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Parallel { .. } = &placed.source.kind else { continue };
        let blocks = subject.flow.graph.blocks_of(&placed.id);
        let branches: Vec<Branch> = blocks.into_iter().map(|block| branch(subject, placed, block)).collect();
        let mut told: BTreeSet<&FieldName> = BTreeSet::new();
        for (at, second) in branches.iter().enumerate() {
            for first in branches.iter().take(at) {
                for (name, here) in &second.writes {
                    if let Some(there) = first.writes.get(name).filter(|_| told.insert(name))
                        && !(declares(subject, name, *here) && declares(subject, name, *there))
                    {
                        diagnostics.push(both_write(name, *here, *there));
                    }
                }
                if let (Some(here), Some(there)) = (second.stage, first.stage) {
                    diagnostics.push(both_move(here, there));
                }
            }
        }
        let mut raced: Vec<(&FieldName, Span)> = Vec::new();
        for (at, reader) in branches.iter().enumerate() {
            let others = branches.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
            for writer in others {
                for (name, here) in &reader.reads {
                    if let Some(there) = writer.writes.get(name).filter(|_| told.insert(name)) {
                        diagnostics.push(one_reads(name, *here, *there));
                    }
                    let given = subject.document.form.iter().any(|field| field.name.value == name.as_str());
                    if writer.writes.contains_key(name) && !given {
                        raced.push((name, *here));
                    }
                }
            }
        }
        // Where only the other branch fills it in, whether it is set is chance, too, and to ask first is no mend.
        let step_of = |here: Span| subject.flow.steps.iter().find(|placed| super::at(placed) == here);
        let follows = |found: &Diagnostic| {
            raced.iter().any(|(name, here)| {
                let within = step_of(*here).is_some_and(|placed| placed.source.span.holds(found.span));
                within && found.message.en.starts_with(&format!("`{name}` "))
            })
        };
        diagnostics.retain(|found| found.code != Code::MaybeUnset || !follows(found));
    }
}

/// Whether a field is declared at a place: that it is so twice is told where names are.
fn declares(subject: &Subject<'_>, name: &FieldName, at: Span) -> bool {
    let here = |field: &Field| field.name.value == name.as_str() && field.name.span == at;
    subject.flow.steps.iter().any(|placed| placed.source.form.iter().any(here))
}

fn branch(subject: &Subject<'_>, holder: &Placed<'_>, block: u32) -> Branch {
    let mut found = Branch::default();
    let (flow, definition) = (subject.flow, subject.definition);
    for placed in &flow.steps {
        if flow.branch_of(&Node::Step(placed.id.clone()), &holder.id) != Some(block) {
            continue;
        }
        let Some(step) = definition.steps.get(&placed.id) else { continue };
        let here = super::at(placed);
        // What the body of an `each` in the branch writes are columns of its rows.
        if flow.row_of(&placed.id) == flow.row_of(&holder.id) {
            for name in writes(placed.source) {
                found.writes.entry(FieldName::from(name.value.as_str())).or_insert(name.span);
            }
        }
        if let Kind::Each(each) = &step.kind {
            found.writes.entry(each.list.clone()).or_insert(here);
        }
        for name in step.formulas().into_iter().flat_map(fields_read) {
            for name in with_computed(subject, name) {
                found.reads.entry(name.clone()).or_insert(here);
            }
        }
        found.stage = found.stage.or(placed.source.stage.as_ref().map(|stage| stage.span));
    }
    found
}

/// A field, and those that it is computed from.
fn with_computed<'s>(subject: &'s Subject<'_>, name: &'s FieldName) -> BTreeSet<&'s FieldName> {
    let (mut queue, mut found) = (vec![name], BTreeSet::new());
    while let Some(name) = queue.pop() {
        if found.insert(name) {
            let field = subject.definition.fields().find(|(known, _)| *known == name).map(|(_, field)| field);
            queue.extend(field.and_then(|field| field.value.as_ref()).into_iter().flat_map(fields_read));
        }
    }
    found
}

fn both_write(name: &FieldName, here: Span, there: Span) -> Diagnostic {
    Diagnostic::new(
        Code::RacingBranches,
        here,
        Wording::new(
            format!("几路同时进行，`{name}` 却有两路都写，结果看谁先谁后。请让一路写，或写不同的字段"),
            format!("these branches run at once and two of them write `{name}`, so chance decides which value stays; let one write it, or write different fields"),
        ),
    )
    .context(there, Wording::new("另一路也写", "another branch writes it too"))
}

fn one_reads(name: &FieldName, here: Span, there: Span) -> Diagnostic {
    Diagnostic::new(
        Code::RacingBranches,
        here,
        Wording::new(
            format!("这一路用到 `{name}`，而同时进行的另一路在写它，用到的是新值还是旧值全看先后。请把这一步放到各路之后"),
            format!("this reads `{name}` while another branch writes it at the same time, so chance decides what it sees; move this step after the branches"),
        ),
    )
    .context(there, Wording::new("另一路在这里写", "another branch writes it here"))
}

fn both_move(here: Span, there: Span) -> Diagnostic {
    Diagnostic::new(
        Code::RacingBranches,
        here,
        Wording::new(
            "几路同时进行，却有两路都改 `stage`。请只在一路里改，或在各路之前、之后改",
            "these branches run at once and two of them set the `stage`; set it in one of them, or before or after them",
        ),
    )
    .context(there, Wording::new("另一路也改", "another branch sets it too"))
}
