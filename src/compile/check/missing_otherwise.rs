//! A `choose` that may find no case: nobody has said what happens then.
//!
//! No `otherwise` is needed where the cases are proved to hold one for all values: every option, numbers without a
//! gap between them, a condition and its opposite, over several fields too.

use super::Subject;
use super::proof::Areas;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::expression::cover::Answer;
use crate::model::definition::StepKind as Kind;
use crate::model::text::Wording;
use crate::syntax::StepKind;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Choose { cases, otherwise: None } = &placed.source.kind else { continue };
        let Some(Kind::Choose(formulas)) = subject.definition.steps.get(&placed.id).map(|step| &step.kind) else {
            continue;
        };
        // A condition with a fault, or one that was left out, may be the one that makes the cases complete; but one alone
        // is hardly meant to hold always.
        let faulty = cases.iter().filter_map(|case| case.when.as_ref()).any(|when| subject.reads_faulty(when));
        let unsure = formulas.len() < cases.len() || faulty;
        // The line of it may be one that could not be read.
        let of_this = |item: Span| item.holds(placed.source.key) || placed.source.span.holds(item);
        let lost = subject.reading.turns().any(|(item, words)| of_this(item) && words.contains("otherwise"));
        if !subject.reading.to_its_end() || lost || unsure && cases.len() > 1 {
            continue;
        }
        let areas = if unsure { None } else { Areas::of_cases(subject, &placed.id, formulas) };
        if areas.as_ref().is_some_and(|areas| areas.cover.covers(areas.belonging(|_| true), None) == Answer::Proved) {
            continue;
        }
        let field = |name: &_| subject.definition.fields().find(|(known, _)| *known == name).map(|(_, field)| field);
        let example = areas.and_then(|areas| areas.words(areas.gaps().first()?, field));
        let (zh, en) = example.map_or_else(Default::default, |example| {
            (format!("，例如 {}", example.zh), format!(", such as for {}", example.en))
        });
        diagnostics.push(
            Diagnostic::new(
                Code::MissingOtherwise,
                placed.source.key,
                Wording::new(
                    format!("如果没有一个条件成立{zh}，就不知道往哪走。请加 `otherwise`，不做什么就写 `otherwise: []`"),
                    format!(
                        "if no case holds{en}, nobody has said what happens; add `otherwise`, or `otherwise: []` to simply go on"
                    ),
                ),
            )
            .hint(Wording::new("otherwise: []", "otherwise: []")),
        );
    }
}
