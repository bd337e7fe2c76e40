//! `table`: looks a decision table up and sets fields from what it answers, at once.

use super::{Flow, trouble};
use crate::engine::form;
use crate::engine::run::Run;
use crate::engine::written;
use crate::expression::{self, Context, Failure};
use crate::model::definition::{LookUp, outcome};
use crate::model::graph::On;
use crate::model::id::{StepId, TokenId};
use crate::model::text::Wording;
use crate::model::value::Record;
use std::sync::Arc;

/// Looks up, then sets all fields in one go.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, look_up: &LookUp) -> Flow {
    let values = match taken(run, token, look_up) {
        Ok(values) => values,
        Err((place, failure)) => return Flow::Stop(trouble(&place, &failure)),
    };
    if let Some(what) = written::stops(run, token, &values) {
        return Flow::Stop(what);
    }
    match run.set_at(token, values) {
        Ok(_) => {
            run.left(token, id, outcome::DONE.into(), Vec::new(), false);
            Flow::Leave(On::Next)
        }
        Err(computed) => Flow::Stop(trouble(computed.field.as_str(), &computed.failure)),
    }
}

/// The fields that a look-up sets; or where it failed, and why.
pub(in crate::engine) fn taken(run: &Run<'_>, token: TokenId, look_up: &LookUp) -> Result<Record, (Arc<str>, Failure)> {
    let at = |place: &str| {
        let place: Arc<str> = place.into();
        move |failure| (place, failure)
    };
    let name = &look_up.table;
    let table = run.definition.tables.get(name).ok_or_else(|| (name.clone(), absent(name)))?;
    let mut inputs = Record::new();
    for (column, formula) in &look_up.with {
        let value = run.evaluate(token, formula, None).map_err(at(column.as_str()))?;
        let kind = table.inputs.get(column).map(|field| &field.kind);
        let value = kind.map_or_else(|| value.clone(), |kind| form::stored(kind, value.clone()));
        inputs.insert(column.clone(), value);
    }
    // A table knows no case: it answers the same for every one.
    let bare = |data| Context::new(data, run.facts.directory, run.facts.calendar, run.now);
    let found = expression::look_up(table, &inputs, &bare(&inputs)).map_err(at(name))?;
    let mut taken = Record::new();
    for (field, formula) in &look_up.take {
        let value = expression::evaluate(formula, &bare(&found.outputs)).map_err(at(field.as_str()))?;
        taken.insert(field.clone(), run.stored(token, field, value));
    }
    Ok(taken)
}

/// What a definition that lacks its own table says.
fn absent(name: &str) -> Failure {
    Failure::because(Wording::new(
        format!("流程定义里没有决策表 `{name}`"),
        format!("the definition has no decision table `{name}`"),
    ))
}
