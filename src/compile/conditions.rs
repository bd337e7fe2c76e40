//! Fields that a form requires under a condition: wherever that condition holds later, they are filled in.
//!
//! What was asked stands until the form is filled in again, and that asks all of it. So the condition is the same later as
//! it was then where it reads nothing but answers of its own form, and no step asks one of these again by itself.

use crate::compile::fields::{Fields, many};
use crate::compile::resolve::walk;
use crate::compile::typing::Typing;
use crate::expression::{Asked, Expected, asked_where};
use crate::model::formula::Read;
use crate::model::id::FieldName;
use crate::syntax::{Field, FieldType};
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

fn is_required(field: &Field) -> bool {
    let list = many(field) || field.kind.is_some_and(|kind| kind.value == FieldType::List);
    !list && field.value.is_none() && field.required.is_some_and(|required| required.value)
}
