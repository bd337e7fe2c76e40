//! A decision table looked up: which rules hit, and what they answer.
//!
//! What comes in must be what its column declares, or the look-up fails: it is the ground on which `check` proves
//! that some rule hits. A cell that asks something of a null is not passed; every other failure of a cell fails the
//! look-up, and so does an answer outside its column. What several hits come to is `hit`.

use super::domain::Domain;
use super::fault::Failure;
use super::hit;
use super::region::{self, Subjects};
use super::{Context, evaluate};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::Formula;
use crate::model::id::FieldName;
use crate::model::rule::{Hit, Rule, Table};
use crate::model::value::{Record, Value, in_cents, plain};

/// What a table answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// A value for every output.
    pub outputs: Record,
    /// The rules that answered, counted from 0, in the order in which they count.
    pub hits: Vec<usize>,
}

/// Looks a table up; `context` is what cells may read beside the inputs.
///
/// # Errors
/// An input or output that its column does not allow, a cell that fails, rules that contradict each other, or no rule
/// at all where an output has no default.
pub fn look_up(table: &Table, inputs: &Record, context: &Context<'_>) -> Result<Found, Failure> {
    let mut row = Record::with_capacity(table.inputs.len());
    for (name, field) in &table.inputs {
        let value = inputs.get(name).cloned().unwrap_or_default();
        if !Domain::asked(field).admits(&value) {
            return Err(outside(("输入", "the input"), (name, field), &value));
        }
        row.insert(name.clone(), value);
    }
    let context = Context { data: &row, ..*context };
    let mut hits = Vec::new();
    for (number, rule) in table.rules.iter().enumerate() {
        if !passes(rule, &row, &context)? {
            continue;
        }
        hits.push((number, outputs(table, |name, _| rule.then.get(name), &context)?));
        if table.hit == Hit::First {
            break;
        }
    }
    if let Some((outputs, hits)) = hit::settle(table, hits)? {
        return Ok(Found { outputs, hits });
    }
    if !table.has_defaults() {
        return Err(Failure::new("没有一条规则命中", "no rule hits"));
    }
    Ok(Found { outputs: outputs(table, |_, field| field.default.as_ref(), &context)?, hits: Vec::new() })
}

fn passes(rule: &Rule, row: &Record, context: &Context<'_>) -> Result<bool, Failure> {
    for (name, cell) in &rule.when {
        match evaluate(cell, context) {
            Ok(Value::Boolean(true)) => {}
            Ok(_) => return Ok(false),
            Err(_) if row.get(name).is_none_or(Value::is_null) => return Ok(false),
            Err(failure) => return Err(failure),
        }
    }
    Ok(true)
}

fn outputs<'t>(
    table: &'t Table,
    cell: impl Fn(&FieldName, &'t Field) -> Option<&'t Formula>,
    context: &Context<'_>,
) -> Result<Record, Failure> {
    let mut found = Record::with_capacity(table.outputs.len());
    for (name, field) in &table.outputs {
        let value = match cell(name, field) {
            Some(formula) => evaluate(formula, context)?,
            None => Value::Null,
        };
        if !value.is_null() && !answers(field).admits(&value) {
            return Err(outside(("输出", "the output"), (name, field), &value));
        }
        found.insert(name.clone(), value);
    }
    Ok(found)
}

/// Whether an output of this column can be a value.
pub fn can_answer(field: &Field, value: &Value) -> bool {
    answers(field).admits(value)
}

/// Whether a cell lets `null` pass, or may do so.
pub fn passes_null(cell: &Formula) -> bool {
    let mut subjects = Subjects::default();
    let areas = subjects.areas(&cell.root, &|_: &FieldName| Domain::any(true));
    areas.iter().any(|area| area.values().all(|values| values.contains(&Value::Null)) || !subjects.is_plain(area))
}

/// Whether a formula is the same always.
pub fn is_constant(formula: &Formula) -> bool {
    region::constant(&formula.root).is_some()
}

/// What an output can be; an amount is rounded by the field that takes it.
fn answers(field: &Field) -> Domain {
    let domain = Domain::asked(field);
    if field.kind == FieldKind::Money { domain.unrounded() } else { domain }
}

fn outside((zh, en): (&str, &str), (name, field): (&FieldName, &Field), value: &Value) -> Failure {
    if value.is_null() {
        return Failure::new(format!("{zh} `{name}` 没有值"), format!("{en} `{name}` is not set"));
    }
    let shown = match plain(value) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    if let (FieldKind::Money, Value::Number(amount)) = (&field.kind, value)
        && !Domain::asked(field).admits(value)
        && answers(field).admits(value)
    {
        let rounded = in_cents(*amount);
        return Failure::new(
            format!("{zh} `{name}` 是金额，只有两位小数，不能是 {shown}；四舍五入后是 {rounded}"),
            format!(
                "{en} `{name}` is an amount, of two decimal places, and cannot be {shown}; rounded it is {rounded}"
            ),
        );
    }
    let limits = [("min", &field.min), ("max", &field.max)];
    let limits = limits.into_iter().filter_map(|(key, limit)| Some(format!("`{key}: {}`", limit.as_ref()?.text)));
    let limits: Vec<String> = limits.collect();
    if limits.is_empty() {
        return Failure::new(
            format!("{zh} `{name}` 不能是 {shown}：这一列没有这个值"),
            format!("{en} `{name}` cannot be {shown}: its column does not have it"),
        );
    }
    Failure::new(
        format!("{zh} `{name}` 不能是 {shown}：这一列写了 {}", limits.join("、")),
        format!("{en} `{name}` cannot be {shown}: its column says {}", limits.join(" and ")),
    )
}
