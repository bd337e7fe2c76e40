//! A join that waits for more branches than there are, or for none.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic, Spanned};
use crate::model::text::Wording;
use crate::syntax::{Join, StepKind};

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Parallel { branches, join: Some(Spanned { value: Join::Count(count), span }) } =
            &placed.source.kind
        else {
            continue;
        };
        let there = branches.len();
        if (1..=there).contains(&usize::from(*count)) || !subject.reading.flow_in(placed.source.span) {
            continue;
        }
        let branches = if there == 1 { "is one branch".to_owned() } else { format!("are {there} branches") };
        diagnostics.push(Diagnostic::new(
            Code::ImpossibleJoin,
            *span,
            Wording::new(
                format!("这里有 {there} 路，`join` 要写 1 到 {there}，或 `all`、`any`"),
                format!("there {branches}, so `join` is a number from 1 to {there}, or `all` or `any`"),
            ),
        ));
    }
}
