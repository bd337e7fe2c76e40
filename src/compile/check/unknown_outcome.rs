//! `on` or `opinion` names an outcome that the step does not have.

use super::Subject;
use crate::compile::lower::{Part, answers};
use crate::diagnostics::{Code, Diagnostic, Spanned, quoted_list, suggest};
use crate::model::text::Wording;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in subject.flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
        let step = placed.source;
        let known: Vec<String> = answers(step).into_iter().map(|(name, _)| name.to_string()).collect();
        if known.is_empty() {
            continue;
        }
        let named = step.on.iter().map(|(name, _)| name).chain(step.opinion.iter().flatten());
        for name in named.filter(|name| !known.contains(&name.value)) {
            diagnostics.push(unknown(name, &known));
        }
    }
}

fn unknown(name: &Spanned<String>, known: &[String]) -> Diagnostic {
    let word = &name.value;
    let known = known.iter().map(String::as_str);
    match suggest::closest(word, known.clone()) {
        Some(close) => Diagnostic::new(
            Code::UnknownOutcome,
            name.span,
            Wording::new(
                format!("这个步骤没有 `{word}` 这种结果，是不是 `{close}`？"),
                format!("this step has no outcome `{word}`; did you mean `{close}`?"),
            ),
        )
        .fix_word(name.span, close),
        None => {
            let listed = quoted_list(known);
            Diagnostic::new(
                Code::UnknownOutcome,
                name.span,
                Wording::new(format!("这个步骤没有 `{word}` 这种结果"), format!("this step has no outcome `{word}`")),
            )
            .hint(Wording::new(format!("它的结果有：{}", listed.zh), format!("it can come to {}", listed.en)))
        }
    }
}
