//! A table of one answer that has none for some inputs.
//!
//! Tables that answer lists may well answer none. Where no rule hits, the defaults of the outputs hold; a table that
//! has them has no gap.

use super::proof::Areas;
use crate::compile::table::Decision;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::cover::Answer;
use crate::model::text::Wording;

/// Whether a gap would be a fault, and none that a rule may fill of which it is not known what it asks.
pub(super) fn may_be_told(decision: &Decision<'_>) -> bool {
    let (document, table, lost) = (decision.document, decision.table, decision.lost);
    let single = document.hit.is_some() && table.hit.is_single();
    single && !table.has_defaults() && lost.asking_known() && lost.columns_known()
}

pub(super) fn check(decision: &Decision<'_>, areas: &Areas, diagnostics: &mut Vec<Diagnostic>) {
    let (document, table) = (decision.document, decision.table);
    if !may_be_told(decision) || areas.cover.covers(areas.belonging(|_| true), None) == Answer::Proved {
        return;
    }
    // What a rule asks beside single columns may come true or not: a gap is certain where none of that helps.
    let Some(example) = areas.gap() else {
        diagnostics.push(super::unproved_table::gap(decision));
        return;
    };
    let example = areas.words(&example, |name| table.inputs.get(name));
    let example = example.unwrap_or_else(|| Wording::new("任何输入", "any input"));
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
