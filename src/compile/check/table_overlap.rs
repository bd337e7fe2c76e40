//! Two rules that hit at once where a table allows one answer: any two of a `unique` table, and of an `any` table two
//! that answer differently.

use super::proof::Areas;
use crate::compile::table::Decision;
use crate::compile::typing::constant;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::expression::cover::Example;
use crate::model::id::FieldName;
use crate::model::rule::{Hit, Rule};
use crate::model::text::Wording;
use crate::model::value::Value;
use std::collections::BTreeSet;

/// The most pairs of areas that are compared.
const MOST: usize = 4_000_000;

pub(super) fn check(decision: &Decision<'_>, areas: &Areas, diagnostics: &mut Vec<Diagnostic>) {
    let table = decision.table;
    if decision.document.hit.is_none() || !matches!(table.hit, Hit::Unique | Hit::Any) {
        return;
    }
    if areas.all.len().saturating_mul(areas.all.len()) / 2 > MOST {
        diagnostics.push(super::unproved_table::overlap(decision));
        return;
    }
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for later in 0..areas.all.len() {
        for earlier in 0..later {
            let (Some(&first), Some(&second)) = (areas.of.get(earlier), areas.of.get(later)) else { continue };
            if first == second || told.contains(&second) || !(areas.is_plain(earlier) && areas.is_plain(later)) {
                continue;
            }
            if table.hit == Hit::Any && !differ(decision, first, second) {
                continue;
            }
            if let Some(example) = areas.cover.shared(earlier, later) {
                told.insert(second);
                diagnostics.extend(found(decision, areas, (first, second), &example));
            }
        }
    }
}

/// Whether two rules certainly answer differently.
fn differ(decision: &Decision<'_>, first: usize, second: usize) -> bool {
    let (table, lost) = (decision.table, decision.lost);
    let (Some(a), Some(b)) = (table.rules.get(first), table.rules.get(second)) else { return false };
    let value = |rule: &Rule, name: &FieldName| match rule.then.get(name) {
        Some(formula) => constant(formula).cloned(),
        None => Some(Value::Null),
    };
    let known = |name: &&FieldName| [first, second].iter().all(|rule| lost.answered(*rule, name.as_str()));
    table.outputs.keys().filter(known).any(|name| match (value(a, name), value(b, name)) {
        (Some(x), Some(y)) => x != y,
        _ => false,
    })
}

fn found(
    decision: &Decision<'_>,
    areas: &Areas,
    (first, second): (usize, usize),
    example: &Example,
) -> Option<Diagnostic> {
    let span = |rule: usize| decision.document.rules.get(rule).map(|rule| rule.span);
    let (there, here): (Span, Span) = (span(first)?, span(second)?);
    let example = areas.words(example, |name| decision.table.inputs.get(name));
    let example = example.unwrap_or_else(|| Wording::new("任何输入", "any input"));
    let (first, second) = (first + 1, second + 1);
    let (both, other) = match decision.lost.counted() {
        true => (
            Wording::new(format!("第 {first} 条和第 {second} 条规则会"), format!("rules {first} and {second} can")),
            Wording::new(format!("第 {first} 条"), format!("rule {first}")),
        ),
        false => (
            Wording::new("这条规则和前面的一条会", "this rule and an earlier one can"),
            Wording::new("前面的一条", "the earlier one"),
        ),
    };
    let (zh, en) = match decision.table.hit {
        Hit::Unique => ("", ""),
        _ => ("而答案不同", " and answer differently"),
    };
    let message = Wording::new(
        format!("{}同时命中{zh}，例如 {}", both.zh, example.zh),
        format!("{} hit at once{en}, such as for {}", both.en, example.en),
    );
    let hint = Wording::new(
        "让条件互相排除；如果以前面的为准，写 `hit: first`",
        "make their conditions exclude each other, or write `hit: first` if the earlier one counts",
    );
    Some(Diagnostic::new(Code::TableOverlap, here, message).context(there, other).hint(hint))
}
