//! In which units the fields and columns of a process hold lengths of time.
//!
//! A field says it by its limits, or by its default; a computed one by what it is computed from. Fields and columns are
//! known by their names here: where two of one name say different things, neither says anything.

use crate::compile::fields::{Fields, Home, name_of, type_of, typed_of};
use crate::compile::typing::Typing;
use crate::expression::{self, Expected, Scope};
use crate::model::id::FieldName;
use crate::model::time::Unit;
use crate::model::value::{Type, Typed, Value};
use crate::syntax::{FeelText, Field};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What fields say by their own limits and defaults.
pub(crate) fn said(fields: &[&Field]) -> BTreeMap<FieldName, Unit> {
    let mut found: BTreeMap<FieldName, Option<Unit>> = BTreeMap::new();
    for field in fields {
        let unit = own(field);
        let same = found.entry(name_of(field)).or_insert(unit);
        *same = same.filter(|same| unit == Some(*same));
    }
    found.into_iter().filter_map(|(name, unit)| Some((name, unit?))).collect()
}

/// The unit of a field's greatest, else its least, else its default.
fn own(field: &Field) -> Option<Unit> {
    if type_of(field) != Type::Duration {
        return None;
    }
    let fixed = |text: &FeelText| {
        let formula = expression::compile(&text.text, &Scope::new(), &Expected::Any).ok()?;
        match expression::fixed(&formula) {
            Some(Value::Duration(length)) => Some(length.unit()),
            _ => None,
        }
    };
    [&field.max, &field.min, &field.default].into_iter().flatten().find_map(fixed)
}

/// Adds what computed fields come to by what they are computed from.
pub(crate) fn follow(fields: &Fields<'_>, typing: &mut Typing<'_>) {
    let mut computed: Vec<(FieldName, &FeelText, Home, &[Field])> = Vec::new();
    let mut names: BTreeMap<FieldName, usize> = BTreeMap::new();
    for (home, field) in fields.declared() {
        for (field, columns) in
            std::iter::once((field, &[][..])).chain(field.fields.iter().map(|one| (one, &field.fields[..])))
        {
            *names.entry(name_of(field)).or_default() += 1;
            if let (Some(value), Type::Duration, None) = (&field.value, type_of(field), own(field)) {
                computed.push((name_of(field), value, home.clone(), columns));
            }
        }
    }
    // Of two of one name each may be counted in another unit.
    computed.retain(|(name, ..)| names.get(name) == Some(&1));
    let at_start: BTreeSet<FieldName> = fields.at_start();
    for _ in 0..computed.len() {
        let found: Vec<(FieldName, Unit)> = computed
            .iter()
            .filter_map(|(name, value, home, columns)| {
                let columns = columns.iter().map(|column| (name_of(column), Typed::always(typed_of(column).of)));
                let scope = fields.computing(typing, home, &at_start).fields(columns);
                Some((name.clone(), expression::unit_of(&value.text, &scope)?))
            })
            .collect();
        computed.retain(|(name, ..)| found.iter().all(|(known, _)| known != name));
        if found.is_empty() {
            break;
        }
        Arc::make_mut(&mut typing.kept).units.get_or_insert_default().extend(found);
    }
}
