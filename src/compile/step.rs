//! Steps: every expression of a step is typed against what is certain where the step stands.

use crate::compile::assigned::Certain;
use crate::compile::fields::{Fields, Unwritable};
use crate::compile::lower::{Part, Placed, answers};
use crate::compile::organisation::unknown;
use crate::compile::typing::{Typing, policy};
use crate::compile::{form, look_up};
use crate::diagnostics::{Code, Diagnostic, Spanned};
use crate::expression::{Expected, Scope};
use crate::model::definition::{Answering, Human, LookUp, Mode, Notify, Step, StepKind, outcome};
use crate::model::formula::Formula;
use crate::model::id::{FieldName, Outcome, StepId};
use crate::model::text::Wording;
use crate::syntax::{self, FeelText, Shown};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

/// The steps of a definition, and the fields that some `set` may write null to.
pub(crate) fn steps(
    fields: &Fields<'_>,
    certain: &BTreeMap<StepId, Certain>,
    typing: &mut Typing<'_>,
) -> (IndexMap<StepId, Step>, BTreeSet<FieldName>) {
    // Before a step that cannot be reached, anything may be assumed; that it cannot is another fault.
    let everything = Certain {
        fields: fields.names().cloned().collect(),
        steps: typing.flow.steps.iter().map(|placed| placed.id.clone()).collect(),
    };
    let (mut steps, mut unsure) = (IndexMap::new(), BTreeSet::new());
    let flow = typing.flow;
    for placed in &flow.steps {
        let before = certain.get(&placed.id).unwrap_or(&everything);
        steps.insert(placed.id.clone(), step(placed, fields, before, typing, &mut unsure));
    }
    (steps, unsure)
}

fn step(
    placed: &Placed<'_>,
    fields: &Fields<'_>,
    before: &Certain,
    typing: &mut Typing<'_>,
    unsure: &mut BTreeSet<FieldName>,
) -> Step {
    let source = placed.source;
    let scope = typing.at_step(source, fields, before);
    let title = source.title.as_ref().map(|title| title.value.clone());
    let when = match placed.part {
        Part::Guarded => None,
        Part::Whole | Part::Guard => {
            source.when.as_ref().and_then(|text| typing.formula(text, &scope, &Expected::condition()))
        }
    };
    if placed.part == Part::Guard {
        return Step { title, ..Step::new(StepKind::Choose(when.into_iter().collect())) };
    }
    let kind = match &source.kind {
        syntax::StepKind::Approve { who } => StepKind::Approve(human(source, who, fields, before, &scope, typing)),
        syntax::StepKind::Task { who, .. } => StepKind::Task(human(source, who, fields, before, &scope, typing)),
        syntax::StepKind::Choose { cases, .. } => {
            let cases = cases.iter().filter_map(|case| case.when.as_ref());
            StepKind::Choose(formulas(cases, &scope, &Expected::condition(), typing))
        }
        syntax::StepKind::Set { values } => StepKind::Set(set(source, values, fields, before, typing, unsure)),
        syntax::StepKind::Table { table, with, take } => StepKind::Table(LookUp {
            table: table.value.as_str().into(),
            with: look_up::given(table, with, &scope, typing),
            take: look_up::taken(table, take, fields, typing, unsure),
        }),
        syntax::StepKind::Notify { who, template } => StepKind::Notify(Notify {
            who: formulas(&who.entries, &scope, &Expected::People, typing),
            template: template.as_ref().map(|template| template.value.clone()),
        }),
        syntax::StepKind::End { outcome } => StepKind::End(outcome.value.as_str().into()),
        // Neither is ever run: a `go` is no step, and what could not be read is reported.
        syntax::StepKind::Go { .. } | syntax::StepKind::Unknown => StepKind::Set(IndexMap::new()),
    };
    Step { title, when, ..Step::new(kind) }
}

fn human(
    source: &syntax::Step,
    who: &syntax::Who,
    fields: &Fields<'_>,
    before: &Certain,
    scope: &Scope,
    typing: &mut Typing<'_>,
) -> Human {
    let answers = answers(source);
    let names: Vec<String> = answers.iter().map(|(name, _)| name.to_string()).collect();
    let needs_opinion = |name: &Outcome| match &source.opinion {
        Some(listed) => listed.iter().any(|listed| listed.value == name.as_str()),
        None => matches!(name.as_str(), outcome::REJECTED | outcome::RETURNED),
    };
    let outcomes = answers
        .into_iter()
        .map(|(name, title)| {
            let answering = Answering { title, opinion: needs_opinion(&name) };
            (name, answering)
        })
        .collect();
    Human {
        who: formulas(&who.entries, scope, &Expected::People, typing),
        mode: match who.mode.map(|mode| mode.value) {
            Some(syntax::Mode::All) => Mode::All,
            Some(syntax::Mode::Any) | None => Mode::Any,
        },
        due: source.due.as_ref().and_then(|text| typing.formula(text, scope, &Expected::Time)),
        remind: formulas(&source.remind, scope, &Expected::Time, typing),
        form: form::of_step(source, fields, before, &names, typing),
        show: show(source, fields, typing),
        outcomes,
        quiet: source.quiet.is_some_and(|quiet| quiet.value),
        policy: policy(&source.policy, &policy(&typing.document.policy, &Default::default())),
    }
}

fn formulas<'t>(
    texts: impl IntoIterator<Item = &'t FeelText>,
    scope: &Scope,
    expected: &Expected,
    typing: &mut Typing<'_>,
) -> Vec<Formula> {
    texts.into_iter().filter_map(|text| typing.formula(text, scope, expected)).collect()
}

/// The fields that are shown; all where nothing is said.
fn show(source: &syntax::Step, fields: &Fields<'_>, typing: &mut Typing<'_>) -> Option<Vec<FieldName>> {
    let (listed, only) = match &source.shown {
        Shown::Everything => return None,
        Shown::Only(listed) => (listed, true),
        Shown::Except(listed) => (listed, false),
    };
    for name in listed {
        if !fields.contains(&name.value) && !typing.unread.may_declare(&name.value) {
            let known = fields.names().map(FieldName::as_str);
            typing.diagnostics.push(unknown(name, known, ("字段", "field"), "form"));
        }
    }
    let named = |name: &FieldName| listed.iter().any(|listed| listed.value == name.as_str());
    Some(match only {
        true => listed.iter().map(|name| FieldName::from(name.value.as_str())).collect(),
        false => fields.names().filter(|name| !named(name)).cloned().collect(),
    })
}

/// The values of a `set`, in order: each sees what those before it have written.
fn set(
    source: &syntax::Step,
    values: &[(Spanned<String>, FeelText)],
    fields: &Fields<'_>,
    before: &Certain,
    typing: &mut Typing<'_>,
    unsure: &mut BTreeSet<FieldName>,
) -> IndexMap<FieldName, Formula> {
    let (mut certain, mut written) = (before.clone(), IndexMap::new());
    for (name, text) in values {
        let scope = typing.at_step(source, fields, &certain);
        let expected = match fields.writable(&name.value) {
            Ok(typed) => Expected::Type(typed),
            Err(why) => {
                let hidden = matches!(why, Unwritable::Unknown) && typing.unread.may_declare_besides(&name.value);
                if !hidden {
                    typing.diagnostics.push(unwritable(name, &why, fields));
                }
                Expected::Any
            }
        };
        let Some(formula) = typing.formula(text, &scope, &expected) else { continue };
        let name = FieldName::from(name.value.as_str());
        if formula.of.optional {
            unsure.insert(name.clone());
        } else {
            certain.fields.insert(name.clone());
        }
        written.insert(name, formula);
    }
    written
}

pub(super) fn unwritable(name: &Spanned<String>, why: &Unwritable, fields: &Fields<'_>) -> Diagnostic {
    let word = &name.value;
    match why {
        Unwritable::Unknown => unknown(name, fields.names().map(FieldName::as_str), ("字段", "field"), "data"),
        Unwritable::Computed(there) => Diagnostic::new(
            Code::NotSettable,
            name.span,
            Wording::new(
                format!("`{word}` 是用 `value` 算出来的，不能再用 `set` 写它。请删掉其中一个"),
                format!("`{word}` is computed by its `value`, so `set` cannot write it; delete one of the two"),
            ),
        )
        .context(*there, Wording::new("在这里计算", "computed here")),
        Unwritable::Asked(there) => Diagnostic::new(
            Code::NotSettable,
            name.span,
            Wording::new(
                format!("`{word}` 由人填写，`set` 不能改它。`set` 只写 `data` 里的字段，请在那里声明一个"),
                format!("people fill in `{word}`, so `set` cannot change it; `set` writes fields of `data`, so declare one there"),
            ),
        )
        .context(*there, Wording::new("由人填写", "filled in by people")),
    }
}
