//! What another system, a worker or a message brings, where somebody says that it comes.

use super::fill::Filler;
use super::world::{Case, World};
use crate::model::definition::StepKind;
use crate::model::id::{FieldName, StepId};
use crate::model::text::Lang;
use crate::model::value::{Record, Value, from_plain, plain};
use std::sync::Arc;

/// What comes for a step: a plausible value wherever it takes one.
pub(super) fn brought(world: &World<'_>, case: &Case<'_>, step: &StepId, lang: Lang) -> Value {
    let take = match case.definition.steps.get(step).map(|step| &step.kind) {
        Some(StepKind::Http(http)) => &http.take,
        Some(StepKind::Job(job)) => &job.take,
        Some(StepKind::Receive(receive)) => &receive.take,
        _ => return Value::Null,
    };
    let filler = Filler::new(world.directory(), world.calendar(), world.now(), &case.state.applicant, lang);
    let columns = case.definition.steps.values().filter_map(|step| match &step.kind {
        StepKind::Each(each) => Some(each.columns.iter()),
        _ => None,
    });
    let fields: Vec<_> = case.definition.fields().chain(columns.flatten()).collect();
    let mut all = Record::new();
    for (name, path) in take {
        if let Some((_, field)) = fields.iter().find(|(known, _)| *known == name) {
            put(&mut all, path, as_sent(filler.usual(field)));
        }
    }
    Value::Record(all)
}

/// Puts a value where a path leads to.
fn put(into: &mut Record, path: &[Arc<str>], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    let name = FieldName::from(&**first);
    if rest.is_empty() {
        into.insert(name, value);
        return;
    }
    let mut inner = match into.get(&name) {
        Some(Value::Record(inner)) => inner.clone(),
        _ => Record::new(),
    };
    put(&mut inner, rest, value);
    into.insert(name, Value::Record(inner));
}

/// A value as JSON brings it: dates, people and the like are texts.
fn as_sent(value: Value) -> Value {
    match value {
        Value::Null | Value::Boolean(_) | Value::Number(_) => value,
        Value::List(items) => Value::List(items.into_iter().map(as_sent).collect()),
        Value::Record(record) => {
            Value::Record(record.into_iter().map(|(name, value)| (name, as_sent(value))).collect())
        }
        other => from_plain(&plain(&other)),
    }
}
