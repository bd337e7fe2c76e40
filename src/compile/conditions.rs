//! Fields that a form requires under a condition: wherever that condition holds later, they are filled in. That its step
//! came to an answer is such a condition, too.
//!
//! What was asked stands until the form is filled in again, and that asks all of it. So the condition is the same later as
//! it was then where it reads nothing but answers of its own form, and no step asks one of these again by itself.

use crate::compile::assigned::Certain;
use crate::compile::fields::{Fields, many};
use crate::compile::lower::{Part, Placed};
use crate::compile::outcomes::{answers, decided_by_time};
use crate::compile::resolve::walk;
use crate::compile::typing::Typing;
use crate::expression::{Asked, Expected, answered_with, asked_where};
use crate::model::definition::outcome;
use crate::model::formula::Read;
use crate::model::graph::Node;
use crate::model::id::{FieldName, StepId};
use crate::syntax::{Field, FieldType, StepKind};
use std::collections::{BTreeMap, BTreeSet};

/// Each such field, with where its condition holds.
pub(super) fn asked<'a>(fields: &Fields<'a>, typing: &mut Typing<'a>) -> BTreeMap<FieldName, Asked> {
    let (document, flow) = (typing.document, typing.flow);
    let mut edited: BTreeSet<&str> = BTreeSet::new();
    walk(&document.steps, &mut |step| edited.extend(step.edit.iter().map(|name| name.value.as_str())));
    let steps = flow.steps.iter().filter(|placed| flow.row_of(&placed.id).is_none());
    let forms = std::iter::once(&document.form).chain(steps.map(|placed| &placed.source.form));
    let forms: Vec<&'a [Field]> = forms.map(Vec::as_slice).collect();
    let before = typing.diagnostics.len();
    let mut found = BTreeMap::new();
    for form in forms {
        let answers = |name: &str| {
            let own = form.iter().any(|field| field.name.value == name && field.value.is_none());
            own && !edited.contains(name)
        };
        for field in form.iter().filter(|field| is_required(field)) {
            let Some(when) = &field.when else { continue };
            let scope = typing.everywhere().fields(fields.settled());
            let Some(condition) = typing.formula(when, &scope, &Expected::condition()) else { continue };
            let stands = |read: &Read| matches!(read, Read::Field(name) if answers(name.as_str()));
            if condition.reads.iter().all(stands)
                && let Some(asked) = asked_where(&condition)
            {
                found.insert(FieldName::from(field.name.value.as_str()), asked);
            }
        }
    }
    typing.diagnostics.truncate(before);
    found
}

/// A field that is filled in, or computed, wherever its step came to some answers.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) field: FieldName,
    pub(crate) areas: Asked,
    /// The outermost block whose branches run at once around the step. Beside it the step may be asked once more and be
    /// sent back, which unsets the field before the step comes to anything else.
    around: Option<StepId>,
}

impl Answered {
    /// Whether that may be used at a place.
    pub(crate) fn holds(&self, certain: &Certain) -> bool {
        self.around.as_ref().is_none_or(|block| certain.steps.contains(block))
    }
}

/// The fields of the forms of steps outside of rows, with the answers that they are filled in with.
pub(super) fn answered<'a>(fields: &Fields<'a>, typing: &mut Typing<'a>) -> Vec<Answered> {
    let (document, flow) = (typing.document, typing.flow);
    let mut edited: BTreeSet<&str> = BTreeSet::new();
    walk(&document.steps, &mut |step| edited.extend(step.edit.iter().map(|name| name.value.as_str())));
    let before = typing.diagnostics.len();
    let mut found = Vec::new();
    for placed in flow.steps.iter().filter(|placed| placed.part == Part::Whole && !placed.source.form.is_empty()) {
        let form = placed.source.form.as_slice();
        if flow.row_of(&placed.id).is_some() || flow.undo_of(&placed.id).is_some() {
            continue;
        }
        let with = filled_in_with(placed);
        let around = sent_back(placed).then(|| outermost(placed, typing)).flatten();
        let own = |name: &str| form.iter().any(|field| field.name.value == name && field.value.is_none());
        let stands = |read: &Read| match read {
            Read::Field(name) => own(name.as_str()) && !edited.contains(name.as_str()),
            Read::Outcome => true,
            _ => false,
        };
        // What a form computes is computed as it is answered, and stays so.
        let computed = |field: &Field| field.value.is_some() && fields.is_never_null(&field.name.value);
        let filled = |field: &Field| is_required(field) && !edited.contains(field.name.value.as_str());
        for field in form.iter().filter(|field| filled(field) || computed(field)) {
            let conditions = match &field.when {
                None => Some(vec![Vec::new()]),
                Some(when) => {
                    let scope = typing.everywhere().fields(fields.settled()).outcome(with.iter());
                    let condition = typing.formula(when, &scope, &Expected::condition());
                    let condition = condition.filter(|condition| condition.reads.iter().all(stands));
                    condition.and_then(|condition| asked_where(&condition))
                }
            };
            let areas = conditions.map(|areas| answered_with(areas, &placed.id, &with)).unwrap_or_default();
            if !areas.is_empty() {
                let field = FieldName::from(field.name.value.as_str());
                found.push(Answered { field, areas, around: around.clone() });
            }
        }
    }
    typing.diagnostics.truncate(before);
    found
}

/// The answers with which the form of a step is handed in.
fn filled_in_with(placed: &Placed<'_>) -> Vec<String> {
    let by_time = decided_by_time(placed.source);
    let answers = answers(placed.source).into_iter().map(|(answer, _)| answer.to_string());
    let without = |answer: &str| answer == outcome::REJECTED || answer == outcome::RETURNED || by_time == Some(answer);
    answers.filter(|answer| !without(answer)).collect()
}

fn sent_back(placed: &Placed<'_>) -> bool {
    answers(placed.source).iter().any(|(answer, _)| answer.as_str() == outcome::RETURNED)
}

fn outermost(placed: &Placed<'_>, typing: &Typing<'_>) -> Option<StepId> {
    let node = Node::Step(placed.id.clone());
    let at_once = |kind: &StepKind| matches!(kind, StepKind::Parallel { .. } | StepKind::Race { .. });
    let mut blocks = typing.flow.steps.iter().filter(|block| at_once(&block.source.kind));
    blocks.find(|block| typing.flow.branch_of(&node, &block.id).is_some()).map(|block| block.id.clone())
}

fn is_required(field: &Field) -> bool {
    let list = many(field) || field.kind.is_some_and(|kind| kind.value == FieldType::List);
    !list && field.value.is_none() && field.required.is_some_and(|required| required.value)
}
