//! What is said of names that are not there: what was probably meant, or else what there is.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list, suggest};
use crate::model::definition::Definition;
use crate::model::id::Outcome;
use crate::model::text::Wording;

/// The most names that are listed.
const MOST: usize = 12;

pub(super) fn no_step(at: Span, word: &str, known: &[&str], definition: &Definition) -> Diagnostic {
    let process = &definition.process;
    let listed = some(known);
    not_there(
        (Code::UnknownStep, at),
        (word, suggest::closest(word, known.iter().copied())),
        &Wording::new(
            format!("流程 `{process}` 没有步骤 `{word}`"),
            format!("process `{process}` has no step `{word}`"),
        ),
        &Wording::new(format!("它的步骤有：{}", listed.zh), format!("its steps: {}", listed.en)),
    )
}

pub(super) fn no_outcome(at: Span, word: &str, known: &[Outcome]) -> Diagnostic {
    let listed = quoted_list(known.iter().map(Outcome::as_str));
    not_there(
        (Code::UnknownOutcome, at),
        (word, suggest::closest(word, known.iter().map(Outcome::as_str))),
        &Wording::new(format!("这个步骤没有 `{word}` 这种结果"), format!("this step has no outcome `{word}`")),
        &Wording::new(format!("它的结果有：{}", listed.zh), format!("it can come to {}", listed.en)),
    )
}

pub(super) fn no_end(ended: &Spanned<String>, known: &[Outcome], definition: &Definition) -> Diagnostic {
    let (word, process) = (ended.value.as_str(), &definition.process);
    let listed = quoted_list(known.iter().map(Outcome::as_str));
    not_there(
        (Code::UnknownOutcome, ended.span),
        (word, suggest::closest(word, known.iter().map(Outcome::as_str))),
        &Wording::new(
            format!("流程 `{process}` 不会以 `{word}` 结束"),
            format!("process `{process}` never ends as `{word}`"),
        ),
        &Wording::new(format!("它的结果有：{}", listed.zh), format!("it can end as {}", listed.en)),
    )
}

pub(super) fn no_stage(stage: &Spanned<String>, definition: &Definition) -> Diagnostic {
    let (word, process) = (stage.value.as_str(), &definition.process);
    let known: Vec<&str> = definition.stages.keys().map(|stage| &**stage).collect();
    let listed = some(&known);
    not_there(
        (Code::UnknownName, stage.span),
        (word, suggest::closest(word, known.iter().copied())),
        &Wording::new(
            format!("流程 `{process}` 没有阶段 `{word}`"),
            format!("process `{process}` has no stage `{word}`"),
        ),
        &match known.is_empty() {
            true => Wording::new("它没有写 `stages`", "it has no `stages`"),
            false => Wording::new(format!("它的阶段有：{}", listed.zh), format!("its stages: {}", listed.en)),
        },
    )
}

pub(super) fn no_field(at: Span, word: &str, known: &[&str], definition: &Definition) -> Diagnostic {
    let process = &definition.process;
    let listed = some(known);
    not_there(
        (Code::UnknownName, at),
        (word, suggest::closest(word, known.iter().copied())),
        &Wording::new(
            format!("流程 `{process}` 没有字段 `{word}`"),
            format!("process `{process}` has no field `{word}`"),
        ),
        &Wording::new(format!("它的字段有：{}", listed.zh), format!("its fields: {}", listed.en)),
    )
}

/// The first names of a list, and whether there are more.
fn some(known: &[&str]) -> Wording {
    let listed = quoted_list(known.iter().take(MOST).copied());
    let more = if known.len() > MOST { " …" } else { "" };
    Wording::new(listed.zh + more, listed.en + more)
}

/// A name that is not there: with what was probably meant, or else with what there is.
fn not_there(
    (code, at): (Code, Span),
    (_, close): (&str, Option<&str>),
    said: &Wording,
    listed: &Wording,
) -> Diagnostic {
    match close {
        Some(close) => Diagnostic::new(
            code,
            at,
            Wording::new(format!("{}，是不是 `{close}`？", said.zh), format!("{}; did you mean `{close}`?", said.en)),
        )
        .fix(at, close, Wording::new(format!("改成 `{close}`"), format!("write `{close}`"))),
        None => Diagnostic::new(code, at, said.clone()).hint(listed.clone()),
    }
}
