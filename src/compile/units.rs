//! In which units the fields and columns of a process hold lengths of time.
//!
//! A field says it by its limits, or by its default; of a computed one see `computed`. Fields and columns are known by their
//! names here: where two of one name say different things, neither says anything.

use crate::compile::fields::{name_of, type_of};
use crate::expression::{self, Expected, Scope};
use crate::model::id::FieldName;
use crate::model::time::Unit;
use crate::model::value::{Type, Value};
use crate::syntax::{FeelText, Field};
use std::collections::BTreeMap;

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
pub(super) fn own(field: &Field) -> Option<Unit> {
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
