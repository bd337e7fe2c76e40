//! What computed fields can come to, by what they are computed from: numbers how large they are, lengths of time in which
//! unit they are.
//!
//! Each is reckoned once, after those that it reads, with what is known of those. Like all that is kept it goes by names:
//! of a name that several fields or columns bear, nothing is said.

use crate::compile::fields::{Fields, Home, name_of, typed_of};
use crate::compile::typing::Typing;
use crate::compile::{callee, units, unread};
use crate::expression;
use crate::model::id::FieldName;
use crate::syntax::{FeelText, Field, FieldType};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A field or column that is computed, and nothing else of its name.
struct Computed<'a> {
    field: &'a Field,
    value: &'a FeelText,
    reads: BTreeSet<&'a str>,
    home: Home,
    /// The columns beside it, where it is one.
    columns: &'a [Field],
}

/// Adds what computed fields hold to what is known of the others.
pub(super) fn follow(fields: &Fields<'_>, typing: &mut Typing<'_>) {
    let mut left = computed(fields);
    let at_start = if left.is_empty() { BTreeSet::new() } else { fields.at_start() };
    while let Some(next) = first(&left) {
        let Computed { field, value, home, columns, .. } = left.remove(next);
        let columns = columns.iter().map(|column| (name_of(column), typed_of(column)));
        let scope = fields.computing(typing, &home, &at_start).fields(columns);
        if field.kind.is_some_and(|kind| kind.value == FieldType::Duration) {
            let unit = || expression::unit_of(&value.text, &scope);
            if let Some(unit) = unit().filter(|_| units::own(field).is_none()) {
                Arc::make_mut(&mut typing.kept).units.get_or_insert_default().insert(name_of(field), unit);
            }
        } else if let Some(domain) = expression::extent_of(&value.text, &scope) {
            let held = callee::held(field).computed(&domain);
            Arc::make_mut(&mut typing.kept).held.insert(name_of(field), held);
        }
    }
}

/// The numbers and lengths of time that are computed.
fn computed<'a>(fields: &Fields<'a>) -> Vec<Computed<'a>> {
    let mut names: BTreeMap<FieldName, usize> = BTreeMap::new();
    let mut found: Vec<Computed<'_>> = Vec::new();
    for (home, field) in fields.declared() {
        let columns = field.fields.iter().map(|column| (column, field.fields.as_slice()));
        for (field, columns) in std::iter::once((field, [].as_slice())).chain(columns) {
            *names.entry(name_of(field)).or_default() += 1;
            if let Some(value) = field.value.as_ref().filter(|_| is_counted(field)) {
                let reads = unread::words(&value.text).collect();
                found.push(Computed { field, value, reads, home: home.clone(), columns });
            }
        }
    }
    found.retain(|one| names.get(one.field.name.value.as_str()) == Some(&1));
    found
}

/// The first that reads none of the others. Those that read each other in a circle are told elsewhere.
fn first(left: &[Computed<'_>]) -> Option<usize> {
    let reads = |one: &Computed<'_>, other: &Computed<'_>| one.reads.contains(other.field.name.value.as_str());
    left.iter().position(|one| left.iter().all(|other| std::ptr::eq(one.field, other.field) || !reads(one, other)))
}

fn is_counted(field: &Field) -> bool {
    field.many.is_none_or(|many| !many.value) && super::kept::is_counted(field)
}
