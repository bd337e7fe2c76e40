//! What a step asks again, and what its decision is asked again for: `edit` and `depends_on`.

use crate::compile::fields::Fields;
use crate::compile::organisation::unknown;
use crate::compile::step::unwritable;
use crate::compile::typing::Typing;
use crate::model::id::{FieldName, StepId};
use crate::syntax::Step;
use std::collections::BTreeSet;

/// The fields that people may change here. What they may leave empty settles nothing: it goes to `unsure`.
pub(super) fn edit(
    source: &Step,
    fields: &Fields<'_>,
    row: Option<&StepId>,
    typing: &mut Typing<'_>,
    unsure: &mut BTreeSet<FieldName>,
) -> Vec<FieldName> {
    let mut found = Vec::new();
    for name in &source.edit {
        match fields.editable(&name.value, row) {
            Ok(emptied) => {
                let name = FieldName::from(name.value.as_str());
                if emptied {
                    unsure.insert(name.clone());
                }
                found.push(name);
            }
            Err(why) => {
                let hidden = typing.unread.may_declare(&name.value);
                typing.diagnostics.extend(unwritable(name, "edit", &why, fields, hidden));
            }
        }
    }
    found
}

/// The fields of which a change re-opens the decision: those of the case, in a row its columns too.
pub(super) fn depends_on(
    source: &Step,
    fields: &Fields<'_>,
    row: Option<&StepId>,
    typing: &mut Typing<'_>,
) -> Vec<FieldName> {
    let around = fields.rows().iter().find(|rows| Some(&rows.each) == row);
    let columns: Vec<&str> = around
        .into_iter()
        .flat_map(|rows| rows.declared.iter().map(|column| column.name.value.as_str()).chain([rows.alias.as_str()]))
        .collect();
    for name in &source.depends_on {
        let known = fields.contains(&name.value, row) || columns.contains(&name.value.as_str());
        if !known && !typing.unread.may_declare(&name.value) {
            let known = columns.iter().copied().chain(fields.names().map(FieldName::as_str));
            typing.diagnostics.push(unknown(name, known, ("字段", "field"), "form"));
        }
    }
    source.depends_on.iter().map(|name| FieldName::from(name.value.as_str())).collect()
}
