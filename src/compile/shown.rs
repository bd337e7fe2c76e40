//! What a step shows to whom it asks: `show` and `hide`, of fields and of columns of lists.

use crate::compile::fields::Fields;
use crate::compile::organisation::unknown;
use crate::compile::typing::Typing;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::id::{FieldName, StepId};
use crate::model::text::Wording;
use crate::model::value::{Type, Typed};
use crate::syntax;
use indexmap::IndexMap;

/// What is shown.
#[derive(Default)]
pub(super) struct Shown {
    /// The fields; all where `None`.
    pub(super) fields: Option<Vec<FieldName>>,
    /// The columns of the lists of which not all are.
    pub(super) columns: IndexMap<FieldName, Vec<FieldName>>,
}

/// What a step shows. A list of which `show` names columns is shown with these; named itself, it is shown whole.
pub(super) fn shown(
    source: &syntax::Step,
    fields: &Fields<'_>,
    row: Option<&StepId>,
    typing: &mut Typing<'_>,
) -> Shown {
    let (listed, only) = match &source.shown {
        syntax::Shown::Everything => return Shown::default(),
        syntax::Shown::Only(listed) => (listed, true),
        syntax::Shown::Except(listed) => (listed, false),
    };
    let lists = lists(fields);
    let (mut whole, mut parts) = (Vec::new(), IndexMap::<FieldName, Vec<FieldName>>::new());
    for name in listed {
        let (field, column) = name.value.split_once('.').map_or((&*name.value, None), |(list, of)| (list, Some(of)));
        let known = match column {
            None => fields.contains(field, row),
            Some(column) => lists.get(field).is_some_and(|columns| columns.iter().any(|own| own.as_str() == column)),
        };
        if !known && !typing.unread.may_declare(field) {
            let columns = lists.iter().flat_map(|(list, columns)| columns.iter().map(move |of| format!("{list}.{of}")));
            let known: Vec<String> = fields.names().map(ToString::to_string).chain(columns).collect();
            let word = if column.is_some() { ("列", "column") } else { ("字段", "field") };
            typing.diagnostics.push(unknown(name, known.iter().map(String::as_str), word, "form"));
        }
        if let Some(edited) = source.edit.iter().find(|edited| !only && column.is_none() && edited.value == field) {
            let hidden = Diagnostic::new(
                Code::BadValue,
                name.span,
                Wording::new(
                    format!("这一步请人改 `{field}`，就不能把它藏起来。请删掉一处"),
                    format!("this step asks for `{field}` again, so it cannot hide it; delete one of the two"),
                ),
            );
            typing.diagnostics.push(hidden.context(edited.span, Wording::new("在这里修改", "asked again here")));
        }
        match column {
            None => whole.push(FieldName::from(field)),
            Some(column) => parts.entry(FieldName::from(field)).or_default().push(FieldName::from(column)),
        }
    }
    if only {
        let in_part = parts.keys().filter(|list| !whole.contains(list)).cloned().collect::<Vec<_>>();
        parts.retain(|list, _| in_part.contains(list));
        whole.extend(in_part);
        return Shown { fields: Some(whole), columns: parts };
    }
    let rest = |(list, hidden): (FieldName, Vec<FieldName>)| {
        let columns = lists.get(&list).into_iter().flatten();
        (list, columns.filter(|column| !hidden.contains(column)).cloned().collect())
    };
    let shown = fields.names().filter(|name| !whole.contains(name)).cloned().collect();
    Shown { fields: (!whole.is_empty()).then_some(shown), columns: parts.into_iter().map(rest).collect() }
}

/// Every list of rows with its columns, those too that the body of an `each` asks.
fn lists(fields: &Fields<'_>) -> IndexMap<FieldName, Vec<FieldName>> {
    let columns = |(name, typed): (FieldName, Typed)| match typed.of {
        Type::List(item) => match item.of {
            Type::Record(columns) => Some((name, columns.keys().cloned().collect())),
            _ => None,
        },
        _ => None,
    };
    fields.anywhere().filter_map(columns).collect()
}
