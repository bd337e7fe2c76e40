//! A table of one answer that has none for some inputs.
//!
//! Tables that answer lists may well answer none. Where no rule hits, the defaults of the outputs hold; a table that
//! has them has no gap.

use super::proof::Areas;
use crate::compile::table::Decision;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::cover::{Answer, Example};
use crate::model::form::Field;
use crate::model::id::FieldName;
use crate::model::text::Wording;

/// Whether a gap would be a fault, and there is no rule that is not known at all and might fill it.
pub(super) fn may_be_told(decision: &Decision<'_>) -> bool {
    let (document, table, lost) = (decision.document, decision.table, decision.lost);
    let single = document.hit.is_some() && table.hit.is_single();
    let without_default = |name: &FieldName, field: &Field| field.default.is_none() && lost.column_known(name.as_str());
    single && table.outputs.iter().any(|(name, field)| without_default(name, field)) && lost.counted()
}

pub(super) fn check(decision: &Decision<'_>, areas: &Areas, diagnostics: &mut Vec<Diagnostic>) {
    let (document, table, lost) = (decision.document, decision.table, decision.lost);
    if !may_be_told(decision) || areas.cover.covers(areas.belonging(|_| true), None) == Answer::Proved {
        return;
    }
    let known = (0..table.rules.len()).all(|rule| lost.asked(rule));
    let widest = if known { None } else { Areas::at_most(decision) };
    // What a rule asks beside single columns may come true or not: a gap is certain where none of that helps.
    let areas = if known { Some(areas) } else { widest.as_ref() };
    let Some((areas, gaps)) = areas.map(|areas| (areas, areas.gaps())).filter(|(_, gaps)| !gaps.is_empty()) else {
        diagnostics.extend(known.then(|| super::unproved_table::gap(decision)));
        return;
    };
    // Of a column that is not understood no value is shown.
    let shown = |of: usize| areas.subjects.field(of).is_none_or(|name| lost.column_known(name.as_str()));
    let known = |gap: Example| gap.into_iter().filter(|(of, _)| shown(*of)).collect();
    let words = |gap: Example| areas.words(&known(gap), |name| table.inputs.get(name));
    let mut examples: Vec<Wording> = gaps.into_iter().filter_map(words).collect();
    examples.dedup();
    let listed = |of: fn(&Wording) -> &str, or: &str| examples.iter().map(of).collect::<Vec<_>>().join(or);
    let example = match examples.is_empty() {
        true => Wording::new("任何输入", "any input"),
        false => Wording::new(listed(|words| &words.zh, "；或 "), listed(|words| &words.en, "; or ")),
    };
    diagnostics.push(
        Diagnostic::new(
            Code::TableGap,
            document.rules_span,
            Wording::new(
                format!("有的输入没有一条规则命中，例如 {}", example.zh),
                format!("some inputs hit no rule, such as {}", example.en),
            ),
        )
        .hint(Wording::new(
            "加一条规则，或给每个输出写 `default`（可以是 `default: null`），说明这时的答案",
            "add a rule, or say with `default` of each output (`default: null` too) what then holds",
        )),
    );
}
