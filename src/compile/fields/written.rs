//! What steps and people may write: which fields, of which type, and why not the others.

use super::{Fields, Home, Known, is_list, keeps_default, may_be_missing, name_of, type_of};
use crate::compile::rows::written_type;
use crate::diagnostics::Span;
use crate::model::id::{FieldName, StepId};
use crate::model::value::{Type, Typed};

/// Why a step may not write to a field.
pub(crate) enum Unwritable {
    /// There is no such field.
    Unknown,
    /// It is computed, here.
    Computed(Span),
    /// People fill it in; declared here.
    Asked(Span),
    /// An `each` writes it.
    Made,
    /// Inside an `each` only columns of the row are written; what it is called, and which there are.
    NoColumn(FieldName, Vec<FieldName>),
}

impl Fields<'_> {
    /// What a step may write to a field, or why it may write nothing. In the body of an `each`, to a column.
    pub(crate) fn writable(&self, name: &str, row: Option<&StepId>) -> Result<Typed, Unwritable> {
        if let Some(rows) = row.and_then(|row| self.rows.iter().find(|rows| rows.each == *row)) {
            let column = rows.declared.iter().find(|column| column.name.value == name);
            return match column.map(|column| (column, &column.value)) {
                Some((_, Some(value))) => Err(Unwritable::Computed(value.span)),
                Some((column, None)) => {
                    let of = written_type(type_of(column), column);
                    Ok(Typed { optional: !matches!(of, Type::List(_)), of })
                }
                None => {
                    let columns = rows.declared.iter().filter(|column| column.value.is_none());
                    Err(Unwritable::NoColumn(rows.alias.clone(), columns.map(name_of).collect()))
                }
            };
        }
        if self.made.contains_key(name) {
            return Err(Unwritable::Made);
        }
        let known = self.known.get(name).ok_or(Unwritable::Unknown)?;
        match (&known.home, &known.field.value) {
            (_, Some(value)) => Err(Unwritable::Computed(value.span)),
            (Home::Data, None) => {
                let of = written_type(known.typed.of.clone(), known.field);
                Ok(Typed { optional: !is_list(&known.typed), of })
            }
            (Home::Start | Home::Step(_) | Home::Row { .. }, None) => Err(Unwritable::Asked(known.field.name.span)),
        }
    }

    /// Whether people may change a field once more at a step, or why not. True where they may leave it empty though
    /// it is never empty once a step has written it.
    pub(crate) fn editable(&self, name: &str, row: Option<&StepId>) -> Result<bool, Unwritable> {
        let known = self.known.get(name);
        let asked = known.filter(|known| match (&known.home, row) {
            (Home::Row { each, .. }, row) => Some(each) == row,
            (Home::Start | Home::Data | Home::Step(_), row) => row.is_none(),
        });
        match asked {
            Some(Known { field, home, typed }) => match &field.value {
                Some(value) => Err(Unwritable::Computed(value.span)),
                None => {
                    let required = field.required.is_some_and(|required| required.value);
                    let filled = required || keeps_default(field) && !typed.optional;
                    Ok(*home == Home::Data && !filled && !is_list(typed))
                }
            },
            None if row.is_some() => self.writable(name, row).map(|_| false),
            None if self.made.contains_key(name) => Err(Unwritable::Made),
            None => Err(Unwritable::Unknown),
        }
    }

    /// Whether what comes from outside may lack a field that a step takes; in the body of an `each`, a column.
    pub(crate) fn may_be_missing(&self, name: &str, row: Option<&StepId>) -> bool {
        let rows = row.and_then(|row| self.rows.iter().find(|rows| rows.each == *row));
        let field = match rows {
            Some(rows) => rows.declared.iter().find(|column| column.name.value == name),
            None => self.known.get(name).map(|known| known.field),
        };
        field.is_some_and(may_be_missing)
    }
}
