//! Whom the fields of a task's form take, as far as that is known before the form is filled in.

use super::Facts;
use super::human::{data_of, form_of};
use super::people::named;
use super::scope::Place;
use super::state::{State, Task};
use crate::model::definition::Definition;
use crate::model::form::{FieldKind, Form};
use crate::model::formula::{Formula, Read};
use crate::model::id::{PersonId, ScopeId};
use std::collections::BTreeMap;

/// The people of each field that takes only some, by `field` or `list.column`. One that reads what the form asks
/// beside it is left out, as its people change with what is filled in.
pub fn among(
    definition: &Definition,
    state: &State,
    task: &Task,
    assignee: &PersonId,
    facts: &Facts<'_>,
) -> BTreeMap<String, Vec<PersonId>> {
    let (form, data) = (form_of(definition, state, task), data_of(definition, state, task));
    let scope = state.tokens.get(&task.token).map_or(ScopeId(0), |token| token.scope);
    let place = Place { assignee: Some(assignee), ..Place::new(state, scope) };
    let people = |formula: &Formula, columns: Option<&Form>| {
        let asked = |read: &Read| match read {
            Read::Field(name) => form.contains_key(name) || columns.is_some_and(|columns| columns.contains_key(name)),
            Read::Outcome => true,
            _ => false,
        };
        if formula.reads.iter().any(asked) {
            return None;
        }
        let value = place.evaluate(facts, facts.now, formula, &data).ok()?;
        Some(named(&value, facts.directory).into_iter().flatten().collect::<Vec<PersonId>>())
    };
    let mut found = BTreeMap::new();
    for (name, field) in form.iter() {
        match &field.kind {
            FieldKind::Person(Some(among)) => {
                found.extend(people(among, None).map(|people| (name.to_string(), people)));
            }
            FieldKind::List(columns) => {
                for (column, field) in columns {
                    if let FieldKind::Person(Some(among)) = &field.kind {
                        found.extend(people(among, Some(columns)).map(|people| (format!("{name}.{column}"), people)));
                    }
                }
            }
            _ => {}
        }
    }
    found
}
