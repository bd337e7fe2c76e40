//! A table of which it cannot be proved that it always has its one answer: cells that ask more than their own column,
//! or more combinations than can be looked through. At run time it may stop a case; the author should know.

use crate::compile::table::Decision;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::rule::Hit;
use crate::model::text::Wording;

/// That some rule always hits.
pub(super) fn gap(decision: &Decision<'_>) -> Diagnostic {
    unproved(decision, ("总有一条规则命中", "some rule always hits")).hint(Wording::new(
        "给每个输出写 `default`，或让每个格子只问自己的那一列",
        "give each output a `default`, or let every cell ask its own column only",
    ))
}

/// That no two rules contradict each other.
pub(super) fn overlap(decision: &Decision<'_>) -> Diagnostic {
    unproved(decision, ("没有两条规则互相矛盾", "no two rules contradict each other"))
}

/// Rules of which that is not known because of what they ask.
pub(super) fn check(decision: &Decision<'_>, areas: &super::proof::Areas, diagnostics: &mut Vec<Diagnostic>) {
    let single = decision.document.hit.is_some() && matches!(decision.table.hit, Hit::Unique | Hit::Any);
    let apart = |a: usize, b: usize| areas.of.get(a) == areas.of.get(b) || areas.cover.shared(a, b).is_none();
    let beyond = |area: &usize| !areas.is_plain(*area);
    if single && (0..areas.all.len()).filter(beyond).any(|area| !(0..areas.all.len()).all(|other| apart(area, other))) {
        diagnostics.push(overlap(decision));
    }
}

fn unproved(decision: &Decision<'_>, (zh, en): (&str, &str)) -> Diagnostic {
    let document = decision.document;
    Diagnostic::new(
        Code::UnprovedTable,
        document.name.as_ref().map_or(document.key_span, |name| name.span),
        Wording::new(
            format!("不能证明{zh}。如果运行时不是这样，案例会停下来等人处理"),
            format!("it cannot be proved that {en}; where that is not so, a case stops for an operator"),
        ),
    )
}
