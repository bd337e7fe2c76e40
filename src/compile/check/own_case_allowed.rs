//! People may decide their own cases: legal, but worth a second look.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic, Spanned};
use crate::model::text::Wording;
use crate::syntax::OwnCase;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let steps = subject.flow.steps.iter().map(|placed| &placed.source.policy);
    let mut told = Vec::new();
    for policy in std::iter::once(&subject.document.policy).chain(steps) {
        let Some(Spanned { value: OwnCase::Allow, span }) = policy.own_case else { continue };
        if told.contains(&span) {
            continue;
        }
        told.push(span);
        diagnostics.push(Diagnostic::new(
            Code::OwnCaseAllowed,
            span,
            Wording::new(
                "这样写，申请人可以审批自己的申请。确实需要才保留",
                "with this, applicants decide their own cases; keep it only where that is really meant",
            ),
        ));
    }
}
