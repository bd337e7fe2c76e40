//! What a step writes, held to the rules of its fields.
//!
//! Fixed limits are proved of what steps write. A limit that is an expression, an `among`, a `pattern` and a `check` are
//! held here, as they are where somebody fills the field in, and so are those of fields that are computed from it: what
//! breaks them is not written.

use super::event::Trouble;
use super::refusal::FieldFault;
use super::run::Run;
use super::state::Row;
use super::{columns, computed, filling, scope};
use crate::expression::Failure;
use crate::model::control::Each;
use crate::model::form::{Field, Form};
use crate::model::formula::{Formula, Read};
use crate::model::id::{FieldName, TokenId};
use crate::model::text::Lang;
use crate::model::value::{Record, Value};

/// What is wrong with values that are to be written where a token is: in fields of the case, or in columns of its row.
pub(super) fn broken(run: &Run<'_>, token: TokenId, values: &Record) -> Vec<(FieldName, FieldFault)> {
    let at = At::of(run, token);
    let mut data = at.data(run, token);
    data.extend(values.clone());
    let evaluate = |formula: &Formula, data: &Record| at.evaluate(run, token, formula, data);
    let declared = at.columns().unwrap_or(&run.definition.data);
    let found = values.keys().filter_map(|name| Some((name, declared.get(name)?)));
    let broken = found.flat_map(|(name, field)| {
        filling::refused(name, field, &data, run.facts, &evaluate).into_iter().map(move |fault| (name.clone(), fault))
    });
    broken.collect()
}

/// The same, and of what is computed from the values, as what stops a step: the first fault, at its field.
pub(super) fn stops(run: &Run<'_>, token: TokenId, values: &Record) -> Option<Trouble> {
    let own = broken(run, token, values).into_iter().next();
    let (name, fault) = own.or_else(|| computed_beyond(run, token, values))?;
    Some(Trouble::Expression {
        place: name.as_str().into(),
        zh: fault.what.get(Lang::Zh).into(),
        en: fault.what.get(Lang::En).into(),
    })
}

/// What is computed from values and breaks the rules of its field then, though it did not change before.
fn computed_beyond(run: &Run<'_>, token: TokenId, values: &Record) -> Option<(FieldName, FieldFault)> {
    let at = At::of(run, token);
    let before = at.data(run, token);
    let mut data = before.clone();
    data.extend(values.clone());
    let place = run.place(token);
    let due = match at.row {
        Some((_, each)) => computed::of_row(run.definition, each, &place, &[]),
        None => computed::of_case(run.definition, &place, values, &[]),
    };
    if at.row.is_none() {
        columns::widen(run.definition, &mut data);
    }
    let evaluate = |formula: &Formula, data: &Record| at.evaluate(run, token, formula, data);
    // What cannot be computed is told where it is set.
    computed::compute(&due, &mut data, &evaluate).ok()?;
    let moved = due.iter().filter(|due| due.field.value.is_some() && data.get(due.name) != before.get(due.name));
    let broken = moved.flat_map(|due| {
        let faults = filling::broken(due.name, &alone(due.field), &data, run.facts, &evaluate);
        faults.into_iter().map(|fault| (due.name.clone(), fault))
    });
    broken.into_iter().next()
}

/// A field without the rules that ask who answers, and what: nobody does here.
fn alone(field: &Field) -> Field {
    let asks = |formula: &Formula| formula.reads.iter().any(|read| matches!(read, Read::Outcome | Read::Assignee));
    let rule = |rule: &Option<Formula>| rule.clone().filter(|rule| !asks(rule));
    let check = field.check.clone().filter(|check| !asks(&check.that));
    Field { min: rule(&field.min), max: rule(&field.max), check, ..field.clone() }
}

/// Where values are written: in a row, or in the case.
struct At<'r> {
    row: Option<(&'r Row, &'r Each)>,
}

impl<'r> At<'r> {
    fn of(run: &'r Run<'_>, token: TokenId) -> At<'r> {
        let scope = scope::row_scope(&run.state, run.scope_of(token));
        let row = scope.and_then(|scope| run.state.scopes.get(&scope)?.row.as_ref());
        At { row: row.zip(scope.and_then(|scope| run.each_of(scope))) }
    }

    fn columns(&self) -> Option<&'r Form> {
        self.row.map(|(_, each)| &each.columns)
    }

    /// What can be read there, the columns of the row beside it.
    fn data(&self, run: &Run<'_>, token: TokenId) -> Record {
        let mut data = run.data(token).into_owned();
        data.extend(self.row.iter().flat_map(|(row, _)| row.columns.clone()));
        data
    }

    fn evaluate(&self, run: &Run<'_>, token: TokenId, formula: &Formula, data: &Record) -> Result<Value, Failure> {
        let place = run.place(token);
        let Some((row, each)) = self.row else { return place.evaluate(run.facts, run.now, formula, data) };
        let mut data = data.clone();
        scope::overlay(&mut data, row, each.columns.keys());
        place.evaluate(run.facts, run.now, formula, &data)
    }
}
