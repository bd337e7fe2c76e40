//! The rows of `each`: what a row is called, what it holds, and the list that it comes back in.
//!
//! A row of a list that is a field has the list's columns; the forms of the body add columns to it and to the list.
//! Any other list is written to a new one, that `into` names. What the body asks is no field of the case: it is
//! read from the row inside, from the list outside, and may be null there.

use crate::compile::fields::{Fields, Home, column_of, is_list, name_of, typed_of};
use crate::compile::typing::Typing;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::expression::Expected;
use crate::model::definition::{Definition, StepKind as Kind};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Op;
use crate::model::id::{FieldName, StepId};
use crate::model::text::{Text, Wording};
use crate::model::value::{Type, Typed};
use crate::syntax::{self, StepKind};
use indexmap::IndexMap;
use std::sync::Arc;

/// The rows of one `each`.
pub(crate) struct Rows<'a> {
    /// Whose.
    pub(crate) each: StepId,
    /// What a row is called.
    pub(crate) alias: FieldName,
    /// The list that holds the rows afterwards.
    pub(crate) list: FieldName,
    /// Whether the rows are plain values.
    pub(crate) plain: bool,
    /// What one brings: a record, or a plain value.
    pub(crate) item: Typed,
    /// The columns as they are declared, where the list is a field.
    pub(crate) declared: &'a [syntax::Field],
}

impl Rows<'_> {
    /// The columns of the list afterwards, with what the body asks.
    pub(crate) fn columns(&self, asked: impl Iterator<Item = (FieldName, Typed)>) -> Typed {
        let mut columns: IndexMap<FieldName, Typed> = match &self.item.of {
            Type::Record(columns) if !self.plain => (**columns).clone(),
            _ => IndexMap::from_iter([(self.alias.clone(), self.item.clone())]),
        };
        for (name, typed) in asked {
            let optional = !is_list(&typed);
            columns.entry(name).or_insert(Typed { optional, ..typed });
        }
        Typed::always(Type::List(Box::new(Typed::always(Type::Record(Arc::new(columns))))))
    }
}

/// The rows of every `each` of a process, and what is wrong with how they are named.
pub(crate) fn of<'a>(fields: &Fields<'a>, typing: &mut Typing<'a>) -> Vec<Rows<'a>> {
    let flow = typing.flow;
    let mut found = Vec::new();
    for placed in &flow.steps {
        let StepKind::Each { rows, alias, into, .. } = &placed.source.kind else { continue };
        let alias_name = FieldName::from(alias.value.as_str());
        let named = fields.list_of_records(rows.text.trim());
        if let Some((list, field)) = named {
            if let Some(into) = into {
                typing.diagnostics.push(needless(into.span, list.as_str()));
            }
            let columns: IndexMap<FieldName, Typed> =
                field.fields.iter().map(|column| (name_of(column), typed_of(column))).collect();
            let item = Typed::always(Type::Record(Arc::new(columns)));
            let (each, declared) = (placed.id.clone(), field.fields.as_slice());
            found.push(Rows { each, alias: alias_name, list, plain: false, item, declared });
            continue;
        }
        let known = item(rows, fields, typing);
        let faulty = known.is_none();
        let item = known.unwrap_or(Typed::always(Type::Any));
        let plain = !matches!(item.of, Type::Record(_));
        let list = match into {
            Some(into) => FieldName::from(into.value.as_str()),
            None => {
                // Of a list that is misspelt nobody knows what it brings.
                if !faulty {
                    typing.diagnostics.push(missing(placed.source.key, &alias.value));
                }
                FieldName::from("")
            }
        };
        found.push(Rows { each: placed.id.clone(), alias: alias_name, list, plain, item, declared: &[] });
    }
    found
}

/// What the items of an expression are; `None` where it has a fault, which is told where the step is typed.
fn item(rows: &syntax::FeelText, fields: &Fields<'_>, typing: &mut Typing<'_>) -> Option<Typed> {
    let before = typing.diagnostics.len();
    let scope = typing.everywhere().instance(typing.numbered()).fields(fields.settled());
    let formula = typing.formula(rows, &scope, &Expected::List);
    typing.diagnostics.truncate(before);
    Some(match formula?.of.of {
        Type::List(item) => *item,
        _ => Typed::always(Type::Any),
    })
}

fn missing(at: Span, alias: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MissingKey,
        at,
        Wording::new(
            "这里不是表单里的一个明细列表，要用 `into` 给办完后的列表起个名称",
            "this is no list of records of a form, so `into` has to name the list that holds the rows afterwards",
        ),
    )
    .hint(Wording::new(format!("into: {alias}_results"), format!("into: {alias}_results")))
}

fn needless(at: Span, list: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MisplacedKey,
        at,
        Wording::new(
            format!("各行办完后还在 `{list}` 里，不用写 `into`。请删掉它"),
            format!("the rows are in `{list}` afterwards, so `into` is not needed; delete it"),
        ),
    )
}

/// Fills in what the rows of every `each` can hold, once all forms are lowered.
pub(crate) fn complete(definition: &mut Definition, fields: &Fields<'_>, flow: &super::lower::Flow<'_>) {
    let mut all: Vec<(StepId, Form)> = Vec::new();
    for rows in fields.rows() {
        let listed = definition.fields().find(|(name, _)| **name == rows.list).map(|(_, field)| &field.kind);
        let mut columns = match (listed, &rows.item.of) {
            (Some(FieldKind::List(columns)), _) => columns.clone(),
            (_, Type::Record(columns)) if !rows.plain => {
                columns.iter().map(|(name, typed)| (name.clone(), column_of(name, typed))).collect()
            }
            _ => Form::from_iter([(rows.alias.clone(), titled(definition, rows))]),
        };
        for (id, step) in &definition.steps {
            if flow.row_of(id) == Some(&rows.each)
                && let Some(human) = step.human()
            {
                for (name, field) in &human.form {
                    columns.entry(name.clone()).or_insert_with(|| field.clone());
                }
            }
        }
        all.push((rows.each.clone(), columns));
    }
    for (id, columns) in all {
        if let Some(Kind::Each(each)) = definition.steps.get_mut(&id).map(|step| &mut step.kind) {
            each.columns = columns;
        }
    }
}

/// The column of plain values: called as the field is that they come from, or as what they are, where that is known.
fn titled(definition: &Definition, rows: &Rows<'_>) -> Field {
    let each = match definition.steps.get(&rows.each).map(|step| &step.kind) {
        Some(Kind::Each(each)) => Some(each),
        _ => None,
    };
    let from = each.and_then(|each| match each.rows.root.op() {
        Op::Field(name) => definition.fields().find(|(own, _)| *own == name).map(|(_, field)| field.title.clone()),
        _ => None,
    });
    let kind = match &rows.item.of {
        Type::Person => Some(("人员", "Person")),
        Type::Position => Some(("岗位", "Position")),
        Type::Department => Some(("部门", "Department")),
        _ => None,
    };
    let kind = kind.map(|(zh, en)| Text::Each { zh: Some(zh.into()), en: Some(en.into()) });
    let column = column_of(&rows.alias, &rows.item);
    Field { title: from.or(kind).unwrap_or_else(|| column.title.clone()), ..column }
}

/// The type of what is written to a field of a type: nobody has to write columns that are computed, or that the body of
/// an `each` asks.
pub(crate) fn written_type(of: Type, field: &syntax::Field) -> Type {
    let Type::List(mut item) = of else { return of };
    if let Type::Record(columns) = &mut item.of {
        let declared = |name: &FieldName| field.fields.iter().find(|column| column.name.value == name.as_str());
        let columns = Arc::make_mut(columns);
        columns.retain(|name, _| declared(name).is_none_or(|column| column.value.is_none()));
        columns.iter_mut().for_each(|(name, typed)| typed.optional |= declared(name).is_none());
    }
    Type::List(item)
}

/// Which form a field belongs to, where that is asked in the body of this `each`.
pub(crate) fn asked_in(home: &Home, each: &StepId) -> bool {
    matches!(home, Home::Row { each: of, .. } if of == each)
}
