//! What a step writes, held to the rules of its fields.
//!
//! Fixed limits are proved of what steps write. A limit that is an expression, an `among`, a `pattern` and a `check` are
//! held here, as they are where somebody fills the field in: what breaks them is not written.

use super::event::Trouble;
use super::filling;
use super::refusal::FieldFault;
use super::run::Run;
use super::scope;
use crate::model::formula::Formula;
use crate::model::id::{FieldName, TokenId};
use crate::model::text::Lang;
use crate::model::value::Record;

/// What is wrong with values that are to be written where a token is: in fields of the case, or in columns of its row.
pub(super) fn broken(run: &Run<'_>, token: TokenId, values: &Record) -> Vec<(FieldName, FieldFault)> {
    let row = scope::row_scope(&run.state, run.scope_of(token));
    let columns = row.and_then(|row| run.each_of(row)).map(|each| &each.columns);
    let row = row.and_then(|row| run.state.scopes.get(&row)?.row.as_ref());
    let mut data = run.data(token).into_owned();
    data.extend(row.iter().flat_map(|row| row.columns.clone()));
    data.extend(values.clone());
    let place = run.place(token);
    let evaluate = |formula: &Formula, data: &Record| match (row, columns) {
        (Some(row), Some(columns)) => {
            let mut data = data.clone();
            scope::overlay(&mut data, row, columns.keys());
            place.evaluate(run.facts, run.now, formula, &data)
        }
        _ => place.evaluate(run.facts, run.now, formula, data),
    };
    let declared = columns.unwrap_or(&run.definition.data);
    let found = values.keys().filter_map(|name| Some((name, declared.get(name)?)));
    let broken = found.flat_map(|(name, field)| {
        filling::refused(name, field, &data, run.facts, &evaluate).into_iter().map(move |fault| (name.clone(), fault))
    });
    broken.collect()
}

/// The same, as what stops a step: the first fault, at its field.
pub(super) fn stops(run: &Run<'_>, token: TokenId, values: &Record) -> Option<Trouble> {
    let (name, fault) = broken(run, token, values).into_iter().next()?;
    Some(Trouble::Expression {
        place: name.as_str().into(),
        zh: fault.what.get(Lang::Zh).into(),
        en: fault.what.get(Lang::En).into(),
    })
}
