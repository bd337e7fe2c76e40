//! A `choose` that may find no case: nobody has said what happens then.
//!
//! No `otherwise` is needed where the cases are certain to hold one: one that is always `true`, a condition and
//! its opposite, or every option of one field.

use super::Subject;
use crate::compile::typing::constant;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::definition::StepKind as Kind;
use crate::model::form::FieldKind;
use crate::model::formula::{Comparison, Expr, Formula, Op};
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::syntax::StepKind;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Choose { cases, otherwise: None } = &placed.source.kind else { continue };
        let Some(Kind::Choose(formulas)) = subject.definition.steps.get(&placed.id).map(|step| &step.kind) else {
            continue;
        };
        // A condition with a fault may be the one that makes the cases complete.
        if formulas.len() < cases.len() || complete(subject, formulas) {
            continue;
        }
        diagnostics.push(
            Diagnostic::new(
                Code::MissingOtherwise,
                placed.source.key,
                Wording::new(
                    "如果没有一个条件成立，就不知道往哪走。请加 `otherwise`，不做什么就写 `otherwise: []`",
                    "if no case holds, nobody has said what happens; add `otherwise`, or `otherwise: []` to simply go on",
                ),
            )
            .hint(Wording::new("otherwise: []", "otherwise: []")),
        );
    }
}

fn complete(subject: &Subject<'_>, cases: &[Formula]) -> bool {
    if cases.iter().any(|case| constant(case) == Some(&Value::Boolean(true))) {
        return true;
    }
    let opposite = |case: &Formula, other: &Formula| match other.root.op() {
        Op::Call(name, arguments) => &**name == "not" && arguments.first() == Some(&case.root),
        _ => false,
    };
    if cases.iter().any(|case| cases.iter().any(|other| opposite(case, other))) {
        return true;
    }
    let mut options: BTreeMap<&FieldName, BTreeSet<&str>> = BTreeMap::new();
    for (field, option) in cases.iter().flat_map(|case| chosen(&case.root)) {
        options.entry(field).or_default().insert(option);
    }
    options.into_iter().any(|(name, found)| {
        let field = subject.definition.form.get(name).filter(|field| !field.typed().optional);
        match field.map(|field| &field.kind) {
            Some(FieldKind::Choice(all)) => all.keys().all(|option| found.contains(&**option)),
            _ => false,
        }
    })
}

/// The options of a field for which an expression certainly holds.
fn chosen(expr: &Expr) -> Vec<(&FieldName, &str)> {
    match expr.op() {
        Op::Compare(Comparison::Equal, a, b) => pair(a, b).or_else(|| pair(b, a)).into_iter().collect(),
        Op::In(value, tests) => {
            tests.iter().filter_map(|test| pair(value, test).or_else(|| pair(value, matched(test)?))).collect()
        }
        Op::Or(parts) => parts.iter().flat_map(chosen).collect(),
        _ => Vec::new(),
    }
}

fn pair<'e>(field: &'e Expr, option: &'e Expr) -> Option<(&'e FieldName, &'e str)> {
    match (field.op(), option.op()) {
        (Op::Field(name), Op::Literal(Value::Text(option))) => Some((name, option)),
        _ => None,
    }
}

fn matched(test: &Expr) -> Option<&Expr> {
    match test.op() {
        Op::Matches(_, value) | Op::Compare(Comparison::Equal, _, value) => Some(value),
        _ => None,
    }
}
