//! The step `table`: what it hands to a decision table and what it takes from it, typed against the columns.

use crate::compile::fields::Fields;
use crate::compile::lower::Flow;
use crate::compile::organisation::unknown;
use crate::compile::typing::Typing;
use crate::compile::{World, step};
use crate::diagnostics::{Code, Diagnostic, Spanned, suggest};
use crate::expression::{Expected, Kept, Scope, told_by};
use crate::model::formula::Formula;
use crate::model::id::{FieldName, StepId};
use crate::model::rule::Table;
use crate::model::text::Wording;
use crate::syntax::{self, FeelText};
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The decision tables that steps look up, in the order of their first use.
pub(crate) fn tables(flow: &Flow<'_>, world: &World<'_>) -> IndexMap<Arc<str>, Table> {
    let used = flow.steps.iter().filter_map(|placed| match &placed.source.kind {
        syntax::StepKind::Table { table, .. } => world.tables.sound.get_key_value(&table.value),
        _ => None,
    });
    used.map(|(name, table)| (Arc::from(name.as_str()), table.clone())).collect()
}

/// A table of the folder: the one that a misspelt name means, too.
fn meant<'w>(name: &Spanned<String>, world: &'w World<'_>) -> Option<&'w Table> {
    let tables = &world.tables;
    tables.sound.get(&name.value).or_else(|| {
        let unknown = tables.whole && !tables.named.contains(&name.value);
        let close = suggest::closest(&name.value, tables.named.iter().map(String::as_str)).filter(|_| unknown)?;
        tables.sound.get(close)
    })
}

/// What is handed to a table, each value typed against its input.
pub(super) fn given(
    name: &Spanned<String>,
    with: &[(Spanned<String>, FeelText)],
    scope: &Scope,
    typing: &mut Typing<'_>,
) -> IndexMap<FieldName, Formula> {
    let tables = &typing.world.tables;
    if tables.whole && !tables.named.contains(&name.value) {
        typing.diagnostics.push(unknown_table(name, tables.named.iter().map(String::as_str)));
    }
    let Some(table) = meant(name, typing.world) else {
        return with
            .iter()
            .filter_map(|(column, text)| {
                Some((FieldName::from(column.value.as_str()), typing.formula(text, scope, &Expected::Any)?))
            })
            .collect();
    };
    let known = || table.inputs.keys().map(FieldName::as_str);
    // An input whose name is misspelt is given all the same.
    let input_of = |column: &str| {
        let close = || suggest::closest(column, known()).and_then(|close| table.inputs.get_key_value(close));
        table.inputs.get_key_value(column).or_else(close)
    };
    let is_given = |name: &FieldName| {
        with.iter().any(|(column, _)| input_of(&column.value).is_some_and(|(given, _)| given == name))
    };
    for (column, field) in &table.inputs {
        if field.required && !is_given(column) {
            typing.diagnostics.push(missing_input(name, column.as_str()));
        }
    }
    let mut given = IndexMap::new();
    for (column, text) in with {
        if !table.inputs.contains_key(column.value.as_str()) {
            typing.diagnostics.push(unknown(column, known(), ("输入", "input"), "inputs"));
        }
        let input = input_of(&column.value);
        let expected = input
            .map_or(Expected::Any, |(_, field)| Expected::held(field.typed(), told_by(field).map(|told| told.unit())));
        if let Some(formula) = typing.formula(text, scope, &expected) {
            let name = input.map_or_else(|| FieldName::from(column.value.as_str()), |(name, _)| name.clone());
            given.insert(name, formula);
        }
    }
    given
}

/// What fields take from a table, each typed against what the field can hold.
pub(super) fn taken(
    name: &Spanned<String>,
    take: &[(Spanned<String>, FeelText)],
    fields: &Fields<'_>,
    row: Option<&StepId>,
    typing: &mut Typing<'_>,
    unsure: &mut BTreeSet<FieldName>,
) -> IndexMap<FieldName, Formula> {
    let table = meant(name, typing.world);
    let outputs = table.map(|table| {
        let counted = Kept::counted(table.outputs.iter().map(|(name, field)| (name.clone(), field)));
        Scope::new().fields(table.yields()).kept(Arc::new(counted))
    });
    let mut taken = IndexMap::new();
    for (field, text) in take {
        let expected = match fields.writable(&field.value, row) {
            Ok(typed) => typing.held(&field.value, typed),
            Err(why) => {
                let hidden = typing.unread.may_declare_besides(&field.value);
                typing.diagnostics.extend(step::unwritable(field, "take", &why, fields, hidden));
                Expected::Any
            }
        };
        // What a table with faults answers is not known.
        let Some(outputs) = &outputs else { continue };
        let told = typing.diagnostics.len();
        let Some(formula) = typing.formula(text, outputs, &expected) else {
            let new = typing.diagnostics.iter_mut().skip(told);
            let unknown = |code| matches!(code, Code::UnknownName | Code::UnknownOption);
            for unknown in new.filter(|one| unknown(one.code) && one.fix.is_none()) {
                unknown.hints = vec![outputs_alone(table.into_iter().flat_map(|table| table.outputs.keys()))];
            }
            continue;
        };
        let field = FieldName::from(field.value.as_str());
        if formula.of.optional {
            unsure.insert(field.clone());
        }
        taken.insert(field, formula);
    }
    taken
}

/// What `take` of a table reads, where it names something else.
fn outputs_alone<'n>(outputs: impl Iterator<Item = &'n FieldName>) -> Wording {
    let names = outputs.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
    Wording::new(
        format!("`take` 只能用决策表的输出：{names}。要和字段一起计算，请在后面用 `set`。"),
        format!("`take` reads only what the table answers: {names}. To calculate with fields, use `set` behind it."),
    )
}

fn unknown_table<'n>(name: &Spanned<String>, known: impl Iterator<Item = &'n str>) -> Diagnostic {
    let word = &name.value;
    match suggest::closest(word, known) {
        Some(close) => Diagnostic::new(
            Code::UnknownTable,
            name.span,
            Wording::new(
                format!("没有叫 `{word}` 的决策表，是不是 `{close}`？"),
                format!("there is no decision table `{word}`; did you mean `{close}`?"),
            ),
        )
        .fix(name.span, close, Wording::new(format!("改成 `{close}`"), format!("write `{close}`"))),
        None => Diagnostic::new(
            Code::UnknownTable,
            name.span,
            Wording::new(
                format!("这个文件夹里没有叫 `{word}` 的决策表。请写一个以 `table: {word}` 开头的文件"),
                format!("this folder has no decision table `{word}`; write a file that begins with `table: {word}`"),
            ),
        ),
    }
}

fn missing_input(name: &Spanned<String>, column: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MissingKey,
        name.span,
        Wording::new(
            format!("决策表 `{}` 要有输入 `{column}`，请写进 `with`", name.value),
            format!("the decision table `{}` needs its input `{column}`; give it in `with`", name.value),
        ),
    )
    .hint(Wording::new(format!("with: {{ {column}: … }}"), format!("with: {{ {column}: … }}")))
}
