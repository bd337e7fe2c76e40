//! The columns that the body of an `each` adds to a list of the case.
//!
//! Every row of such a list has them from the first, null until the body asks them, so that what reads them later
//! can always be computed. A form that asks for the list knows only the columns that it asks itself: the others are
//! set aside while it is filled in, and come back to the rows that are the same.

use super::Facts;
use super::filling;
use super::form::{Evaluate, empty};
use super::refusal::FieldFault;
use super::scope;
use super::state::{State, TaskKind, Token, Waiting};
use crate::model::control::Each;
use crate::model::definition::{Definition, StepKind};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::graph::Node;
use crate::model::id::{FieldName, StepId, TokenId};
use crate::model::value::{Record, Value};
use std::borrow::Cow;

/// All columns of a list that is a field: those that it declares, and those that the bodies of `each` ask.
pub fn columns_of<'a>(definition: &'a Definition, name: &FieldName, declared: &'a Form) -> Cow<'a, Form> {
    let mut all = Cow::Borrowed(declared);
    for each in eaches(definition).filter(|each| each.list == *name) {
        for (column, field) in &each.columns {
            if !all.contains_key(column) {
                all.to_mut().insert(column.clone(), field.clone());
            }
        }
    }
    all
}

/// The data of a case as a reader sees it who is asked at a token: the lists of every `each` at work are as they are
/// by now, but in a row of one only that row, as people who are asked at once do not read each other's answers.
pub fn data_by_now<'a>(definition: &Definition, state: &'a State, reader: Option<TokenId>) -> Cow<'a, Record> {
    let mut data = Cow::Borrowed(&state.data);
    for (number, token) in &state.tokens {
        let step = token.step.as_ref().and_then(|step| definition.steps.get(step));
        let Some(StepKind::Each(each)) = step.map(|step| &step.kind) else { continue };
        let Some(mut rows) = rows_by_now(state, *number) else { continue };
        unanswered(definition, state, *number, &mut rows);
        match reader.and_then(|reader| row_around(state, reader, *number)) {
            None => drop(data.to_mut().insert(each.list.clone(), Value::List(rows))),
            Some(own) => {
                let known = rows_of(data.to_mut(), &each.list).nth(own);
                if let (Some(Value::Record(row)), Some(known)) = (rows.into_iter().nth(own), known) {
                    *known = row;
                }
            }
        }
    }
    data
}

/// Empties in the rows of a holder what is asked of them just now, or will be when it is their turn: what they were
/// asked on an earlier way is no answer of this one.
fn unanswered(definition: &Definition, state: &State, holder: TokenId, rows: &mut [Value]) {
    let Some(Token { step: Some(each), waits: Some(Waiting::Block(running)), .. }) = state.tokens.get(&holder) else {
        return;
    };
    let asks = |step: &StepId| definition.steps.get(step).and_then(|step| step.human()).map(|human| &human.form);
    let mut clear = |number: usize, form: &Form| {
        if let Some(Value::Record(row)) = rows.get_mut(number) {
            for (name, field) in form {
                if let Some(value) = row.get_mut(name) {
                    *value = empty(field);
                }
            }
        }
    };
    for task in
        state.tasks.values().filter(|task| !task.parked && matches!(task.kind, TaskKind::Approve | TaskKind::Work))
    {
        if let (Some(number), Some(form)) = (row_around(state, task.token, holder), asks(&task.step)) {
            clear(number, form);
        }
    }
    let graph = &definition.graph;
    let Some(body) = graph.blocks_of(each).first().copied() else { return };
    let inside =
        |step: &&StepId| graph.block_of(&Node::Step((*step).clone())).is_some_and(|block| graph.encloses(body, block));
    for form in definition.steps.keys().filter(inside).filter_map(asks) {
        (running.opened as usize..running.rows.len()).for_each(|number| clear(number, form));
    }
}

/// The holder of the row that a token is in, and the number of the row.
pub(super) fn row_of(state: &State, token: TokenId) -> Option<(TokenId, usize)> {
    let row = scope::row_scope(state, state.tokens.get(&token)?.scope)?;
    let holder = state.scopes.get(&row)?.holder?;
    Some((holder, row_around(state, token, holder)?))
}

/// The number of the row of this holder that a token is in.
fn row_around(state: &State, token: TokenId, holder: TokenId) -> Option<usize> {
    let mut at = state.scopes.get(&state.tokens.get(&token)?.scope)?;
    while at.holder != Some(holder) {
        at = state.scopes.get(&at.parent?)?;
    }
    at.row.as_ref().map(|row| row.number as usize)
}

/// The rows of an `each` as they are by now: those at work count as they are.
pub(super) fn rows_by_now(state: &State, holder: TokenId) -> Option<Vec<Value>> {
    let Waiting::Block(running) = state.tokens.get(&holder)?.waits.as_ref()? else { return None };
    let mut rows = running.rows.clone();
    for scope in state.scopes.values().filter(|scope| scope.holder == Some(holder)) {
        if let Some(row) = &scope.row
            && let Some(known) = rows.get_mut(row.number as usize)
        {
            known.clone_from(&row.columns);
        }
    }
    Some(rows.into_iter().map(Value::Record).collect())
}

/// How many rows of a holder have come to their turn.
pub(super) fn opened(state: &State, holder: TokenId) -> usize {
    match state.tokens.get(&holder).and_then(|token| token.waits.as_ref()) {
        Some(Waiting::Block(running)) => running.opened as usize,
        _ => 0,
    }
}

/// Gives every row of the lists in `data` the columns that an `each` adds.
pub(super) fn widen(definition: &Definition, data: &mut Record) {
    for each in eaches(definition) {
        for row in rows_of(data, &each.list) {
            for (column, field) in &each.columns {
                row.entry(column.clone()).or_insert_with(|| empty(field));
            }
        }
    }
}

/// Drops the columns that a form does not know: those that a caller's `each` has added.
pub(super) fn drop_unknown(form: &Form, data: &mut Record) {
    for (name, columns) in lists(form) {
        rows_of(data, name).for_each(|row| row.retain(|column, _| columns.contains_key(column)));
    }
}

/// Fills a form of a case in, like [`filling::fill`]; rows that stay keep what an `each` has added to them.
///
/// # Errors
/// Every fault, in the order of the form.
pub(super) fn fill(
    definition: &Definition,
    form: &Form,
    given: &Record,
    current: &Record,
    facts: &Facts<'_>,
    evaluate: &Evaluate<'_>,
) -> Result<Record, Vec<FieldFault>> {
    let widened: Vec<(&FieldName, &Form)> =
        lists(form).filter(|(name, columns)| columns_of(definition, name, columns).len() > columns.len()).collect();
    if widened.is_empty() {
        return filling::fill(form, given, current, facts, evaluate);
    }
    let (mut given, mut bare) = (given.clone(), current.clone());
    for (name, columns) in &widened {
        let before: Vec<Record> = rows_of(&mut bare, name).map(|row| row.clone()).collect();
        // What an `each` asked may be handed in as it is, and not changed.
        for row in rows_of(&mut given, name).filter(|row| before.contains(row)) {
            row.retain(|column, _| columns.contains_key(column));
        }
        rows_of(&mut bare, name).for_each(|row| row.retain(|column, _| columns.contains_key(column)));
    }
    let whole = |formula: &_, data: &Record| {
        let mut data = data.clone();
        widen(definition, &mut data);
        evaluate(formula, &data)
    };
    let mut filled = filling::fill(form, &given, &bare, facts, &whole)?;
    let mut current = current.clone();
    for (name, columns) in widened {
        let before: Vec<Record> = rows_of(&mut current, name).map(|row| row.clone()).collect();
        restore(columns, before, rows_of(&mut filled, name).collect());
    }
    widen(definition, &mut filled);
    Ok(filled)
}

/// Gives rows back what an `each` has added to them: to those that are as they were, wherever they stand now; and to
/// one that was changed what belonged to its namesake. Under another name it is another row, of which nobody was asked
/// anything. Rows that are called nothing are told apart by their place, while there are as many as before.
fn restore(asked: &Form, before: Vec<Record>, rows: Vec<&mut Record>) {
    let as_many = before.len() == rows.len();
    let mut before: Vec<Option<Record>> = before.into_iter().map(Some).collect();
    let mut changed = Vec::new();
    for (number, row) in rows.into_iter().enumerate() {
        let same = |known: &Option<Record>| {
            known.as_ref().is_some_and(|known| asked.keys().all(|column| known.get(column) == row.get(column)))
        };
        match before.iter_mut().find(|known| same(known)).and_then(Option::take) {
            Some(known) => give(asked, known, row),
            None => changed.push((number, row)),
        }
    }
    for (number, row) in changed {
        let name = name_of(asked, row);
        let namesake = |known: &mut Record| name_of(asked, known) == name;
        let in_place = before.get_mut(number).filter(|_| as_many || name.is_some());
        let found = in_place.and_then(|known| known.take_if(namesake)).or_else(|| {
            let called = name.is_some().then_some(&mut before)?;
            called.iter_mut().find_map(|known| known.take_if(namesake))
        });
        if let Some(known) = found {
            give(asked, known, row);
        }
    }
}

/// What people call a row by: its first text, or else its first person.
fn name_of<'a>(asked: &Form, row: &'a Record) -> Option<&'a Value> {
    let told = || asked.iter().filter_map(|(column, field)| Some((field, row.get(column)?)));
    let text = told().find(|(field, value)| field.kind == FieldKind::Text && !value.is_null());
    text.or_else(|| told().find(|(_, value)| matches!(value, Value::Person(_)))).map(|(_, value)| value)
}

fn give(asked: &Form, known: Record, row: &mut Record) {
    row.extend(known.into_iter().filter(|(column, _)| !asked.contains_key(column)));
}

/// Every `each` of a process.
pub(super) fn eaches(definition: &Definition) -> impl Iterator<Item = &Each> {
    definition.steps.values().filter_map(|step| match &step.kind {
        StepKind::Each(each) => Some(&**each),
        _ => None,
    })
}

fn lists(form: &Form) -> impl Iterator<Item = (&FieldName, &Form)> {
    form.iter().filter_map(|(name, field): (&FieldName, &Field)| match &field.kind {
        FieldKind::List(columns) => Some((name, columns)),
        _ => None,
    })
}

/// The rows of a list that are records.
fn rows_of<'a>(data: &'a mut Record, list: &FieldName) -> impl Iterator<Item = &'a mut Record> {
    let rows = match data.get_mut(list) {
        Some(Value::List(rows)) => rows.as_mut_slice(),
        _ => &mut [],
    };
    rows.iter_mut().filter_map(|row| if let Value::Record(row) = row { Some(row) } else { None })
}
