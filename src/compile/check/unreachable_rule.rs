//! A rule that never answers: nothing its columns can hold passes it, or others always answer before it. Those are
//! the earlier rules of a `first` table, and the rules with wanted outputs of a `priority` table.

use super::proof::Areas;
use crate::compile::table::Decision;
use crate::compile::typing::constant;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::cover::Answer;
use crate::model::rule::Hit;
use crate::model::text::Wording;

pub(super) fn check(decision: &Decision<'_>, areas: &Areas, diagnostics: &mut Vec<Diagnostic>) {
    let (table, hit) = (decision.table, decision.document.hit.map(|hit| hit.value));
    let ranks: Vec<Option<Vec<usize>>> = (0..table.rules.len()).map(|rule| rank(decision, rule)).collect();
    let before = |other: usize, rule: usize| match (hit, ranks.get(other), ranks.get(rule)) {
        (Some(Hit::First), ..) => other < rule,
        (Some(Hit::Priority), Some(Some(other)), Some(Some(own))) => other < own,
        _ => false,
    };
    let rules = decision.document.rules.iter().enumerate();
    for (number, written) in rules.filter(|(number, _)| decision.lost.asked(*number)) {
        let own: Vec<usize> =
            areas.belonging(|rule| rule == number).filter(|area| !areas.cover.is_empty(*area)).collect();
        if own.is_empty() {
            diagnostics.push(Diagnostic::new(
                Code::UnreachableRule,
                written.span,
                Wording::new(
                    "这条规则永远不会命中：它的列取不到这样的值。请改它，或删掉它",
                    "this rule never hits: its columns cannot hold such values; change it, or delete it",
                ),
            ));
            continue;
        }
        let shadowed = |area: &usize| {
            areas.cover.covers(areas.belonging(|other| before(other, number)), Some(*area)) == Answer::Proved
        };
        if (0..table.rules.len()).any(|other| before(other, number)) && own.iter().all(shadowed) {
            let (zh, en) = if table.hit == Hit::First {
                ("前面的规则", "earlier rules")
            } else {
                ("更优先的规则", "rules of higher priority")
            };
            diagnostics.push(Diagnostic::new(
                Code::UnreachableRule,
                written.span,
                Wording::new(
                    format!("这条规则永远用不上：凡是它命中的输入，{zh}都先命中了。请往前移，或删掉它"),
                    format!("this rule is never used: {en} hit all of its inputs; move it up, or delete it"),
                ),
            ));
        }
    }
}

/// The places of a rule's outputs among their options; `None` where they are computed, or not known.
fn rank(decision: &Decision<'_>, number: usize) -> Option<Vec<usize>> {
    let rule = decision.table.rules.get(number)?;
    decision
        .table
        .ordering()
        .map(|(name, options)| {
            if !decision.lost.answered(number, name.as_str()) {
                return None;
            }
            let Some(cell) = rule.then.get(name) else { return Some(options.len()) };
            let found = constant(cell)?.as_text();
            Some(options.iter().position(|option| Some(*option) == found).unwrap_or(options.len()))
        })
        .collect()
}
