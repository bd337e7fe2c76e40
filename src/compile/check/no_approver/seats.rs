//! Who can take the seats that an entry names, as the engine finds them: see `engine/people.rs`.

use super::has_mail;
use crate::model::definition::OwnCase;
use crate::model::id::{PersonId, PositionId};
use crate::model::people::Directory;
use crate::model::value::Value;
use std::collections::BTreeMap;

/// The people of each signature that a value of `who` names.
pub(super) fn named(value: &Value, holders: &BTreeMap<PositionId, Vec<PersonId>>) -> Vec<Vec<PersonId>> {
    match value {
        Value::Person(person) => vec![vec![person.clone()]],
        Value::Position(position) => vec![holders.get(position).cloned().unwrap_or_default()],
        Value::List(items) => items.iter().flat_map(|item| named(item, holders)).collect(),
        _ => Vec::new(),
    }
}

/// Separation of duties: whose case it is decides no approval of it, and a superior of theirs does instead.
pub(super) fn without(
    people: Vec<PersonId>,
    own: &[PersonId],
    own_case: OwnCase,
    directory: &Directory,
) -> Vec<PersonId> {
    let others: Vec<PersonId> = people.iter().filter(|person| !own.contains(person)).cloned().collect();
    if others.is_empty() && own_case == OwnCase::Superior {
        return people.iter().find_map(|person| superior(person, own, directory)).into_iter().collect();
    }
    others
}

/// The nearest superior of a person whose case it is not.
pub(super) fn superior(person: &PersonId, own: &[PersonId], directory: &Directory) -> Option<PersonId> {
    let mut superiors = directory.superiors(person).into_iter();
    superiors.find(|superior| !own.contains(superior) && has_mail(directory, superior))
}
