//! `set`: computes fields, in order, each from those before it. What breaks a rule of its field stops the case.

use super::{Flow, trouble};
use crate::engine::run::Run;
use crate::engine::written;
use crate::model::definition::outcome;
use crate::model::formula::Formula;
use crate::model::graph::On;
use crate::model::id::{FieldName, StepId, TokenId};
use crate::model::value::Record;
use indexmap::IndexMap;

/// Computes all fields, then sets them in one go.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, fields: &IndexMap<FieldName, Formula>) -> Flow {
    let (mut data, place) = (run.data(token).into_owned(), run.place(token));
    let mut values = Record::new();
    for (name, formula) in fields {
        let value = match place.evaluate(run.facts, run.now, formula, &data) {
            Ok(value) => run.stored(token, name, value),
            Err(failure) => return Flow::Stop(trouble(name.as_str(), &failure)),
        };
        data.insert(name.clone(), value.clone());
        values.insert(name.clone(), value);
    }
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
