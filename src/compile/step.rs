//! Steps: every expression of a step is typed against what is certain where the step stands.

use crate::compile::assigned::Certain;
use crate::compile::fields::{Fields, Unwritable};
use crate::compile::lower::{Part, Placed};
use crate::compile::organisation::unknown;
use crate::compile::outcomes::answers;
use crate::compile::outside::Outside;
use crate::compile::proved::Proved;
use crate::compile::typing::{Typing, policy};
use crate::compile::{again, form, look_up};
use crate::diagnostics::{Code, Diagnostic, Spanned, quoted_list};
use crate::expression::{self, Expected, Scope};
use crate::model::control::{Each, Join, Overdue, Receive, Then, Undo};
use crate::model::definition::{Answering, Human, LookUp, Mode, Nobody, Notify, Step, StepKind, outcome};
use crate::model::form::Form;
use crate::model::formula::Formula;
use crate::model::id::{FieldName, Outcome, StepId};
use crate::model::text::Wording;
use crate::model::value::{Type, Typed};
use crate::syntax::{self, FeelText};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The steps of a definition, and the fields that some `set` may write null to.
pub(crate) fn steps(
    fields: &Fields<'_>,
    certain: &BTreeMap<StepId, Certain>,
    proved: &Proved<'_>,
    typing: &mut Typing<'_>,
) -> (IndexMap<StepId, Step>, BTreeSet<FieldName>) {
    // Before a step that cannot be reached, anything may be assumed; that it cannot is another fault.
    let everything = Certain {
        fields: fields.all_names().cloned().collect(),
        steps: typing.flow.steps.iter().map(|placed| placed.id.clone()).collect(),
        ..Certain::default()
    };
    let flow = typing.flow;
    let (mut steps, mut unsure) = (IndexMap::with_capacity(flow.steps.len()), BTreeSet::new());
    for placed in &flow.steps {
        let unreached;
        let before = match certain.get(&placed.id) {
            Some(before) => before,
            None => {
                unreached = Certain { row: flow.row_of(&placed.id).cloned(), ..everything.clone() };
                &unreached
            }
        };
        steps.insert(placed.id.clone(), step(placed, fields, before, proved, typing, &mut unsure));
    }
    (steps, unsure)
}

fn step(
    placed: &Placed<'_>,
    fields: &Fields<'_>,
    before: &Certain,
    proved: &Proved<'_>,
    typing: &mut Typing<'_>,
    unsure: &mut BTreeSet<FieldName>,
) -> Step {
    let source = placed.source;
    let reach = typing.reach(source, fields, before);
    let scope = reach.clone().knowing(before.known.iter().cloned());
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
    // The other keys are read where `when` holds: at once, or while the step waits.
    let here = Certain { known: proved.inside(placed, &scope), ..before.clone() };
    let waiting = Certain { known: proved.meanwhile(placed, &here.known), ..before.clone() };
    let before = &here;
    let scope = reach.clone().knowing(here.known.iter().cloned());
    let later = reach.knowing(waiting.known.iter().cloned());
    let outside = |unsure| Outside { fields, before, scope: &scope, unsure };
    let kind = match &source.kind {
        syntax::StepKind::Approve { who } | syntax::StepKind::Task { who, .. } => {
            let times = Times { scope: &scope, later: &later, waiting: &waiting };
            let human = human(placed, who, fields, &times, typing, unsure);
            match source.kind {
                syntax::StepKind::Approve { .. } => StepKind::Approve(human),
                _ => StepKind::Task(human),
            }
        }
        syntax::StepKind::Choose { cases, .. } => {
            // A case is asked where none before it held.
            let mut scope = scope.clone();
            let mut found = Vec::new();
            for text in cases.iter().filter_map(|case| case.when.as_ref()) {
                found.extend(typing.formula(text, &scope, &Expected::condition()));
                let known = expression::proved(&text.text, &scope, false);
                scope = scope.knowing(known);
            }
            StepKind::Choose(found)
        }
        syntax::StepKind::Set { values } => {
            StepKind::Set(set(source, values, (fields, proved), before, typing, unsure))
        }
        syntax::StepKind::Table { table, with, take } => StepKind::Table(LookUp {
            table: table.value.as_str().into(),
            with: look_up::given(table, with, &scope, typing),
            take: look_up::taken(table, take, fields, before.row.as_ref(), typing, unsure),
        }),
        syntax::StepKind::Notify { who, template } => StepKind::Notify(Notify {
            who: formulas(&who.entries, &scope, &Expected::People, typing),
            template: template.as_ref().map(|template| template.value.clone()),
        }),
        syntax::StepKind::End { outcome } => StepKind::End(outcome.value.as_str().into()),
        syntax::StepKind::Parallel { join, .. } => StepKind::Parallel(match join.map(|join| join.value) {
            Some(syntax::Join::All) | None => Join::All,
            Some(syntax::Join::Any) => Join::Any,
            Some(syntax::Join::Count(count)) => Join::Count(count),
        }),
        syntax::StepKind::Race { .. } => StepKind::Race,
        syntax::StepKind::Each { .. } => match each(placed, fields, &scope, &later, typing) {
            Some(each) => StepKind::Each(Box::new(each)),
            None => StepKind::Set(IndexMap::new()),
        },
        syntax::StepKind::Wait { until } => match typing.formula(until, &scope, &Expected::Time) {
            Some(until) => StepKind::Wait(until),
            None => StepKind::Set(IndexMap::new()),
        },
        syntax::StepKind::Receive { message, key, take, keep } => {
            let receive = outside(unsure).receive(message, key.as_ref(), take, typing);
            let fresh = keep.is_some_and(|keep| !keep.value);
            StepKind::Receive(Box::new(Receive { fresh, ..receive }))
        }
        syntax::StepKind::Call(call) => StepKind::Call(Box::new(outside(unsure).call(call, typing))),
        syntax::StepKind::Http(http) => StepKind::Http(Box::new(outside(unsure).http(http, typing))),
        syntax::StepKind::Job(job) => StepKind::Job(Box::new(outside(unsure).job(job, typing))),
        // Neither is ever run: a `go` is no step, and what could not be read is reported.
        syntax::StepKind::Go { .. } | syntax::StepKind::Unknown => StepKind::Set(IndexMap::new()),
    };
    let asks = matches!(kind, StepKind::Approve(_) | StepKind::Task(_));
    let due = source.due.as_ref().filter(|_| !asks);
    Step {
        title,
        when,
        due: due.and_then(|text| typing.formula(text, &scope, &Expected::Time)),
        overdue: source.overdue.as_ref().map(|overdue| self::overdue(overdue, asks, &later, typing)),
        stage: source.stage.as_ref().map(|stage| self::stage(stage, typing)),
        undo: match &source.undo {
            Some(syntax::Undo::Steps(_)) => Undo::Steps,
            Some(syntax::Undo::First(first)) if first.value => Undo::First,
            Some(syntax::Undo::First(_)) | None => Undo::None,
        },
        lock: source.lock.as_ref().map(|lock| Arc::from(lock.value.as_str())),
        kind,
    }
}

/// What happens when the time is over. Where people are asked, `assignee` is each who did not answer.
fn overdue(written: &syntax::Overdue, asks: bool, scope: &Scope, typing: &mut Typing<'_>) -> Overdue {
    let asked = if asks { scope.clone().assignee() } else { scope.clone() };
    Overdue {
        notify: formulas(&written.notify, &asked, &Expected::People, typing),
        every: written.every.as_ref().and_then(|text| {
            let expected = Expected::Type(Typed::always(Type::Duration));
            typing.formula(text, scope, &expected)
        }),
        then: written.then.as_ref().map(|then| match then {
            syntax::Then::Reassign(who) => Then::Reassign(formulas(who, &asked, &Expected::People, typing)),
            syntax::Then::Decide(outcome) => Then::Decide(outcome.value.as_str().into()),
            syntax::Then::Go(_) => Then::Go,
        }),
    }
}

fn stage(stage: &Spanned<String>, typing: &mut Typing<'_>) -> Arc<str> {
    let stages = &typing.document.stages;
    if typing.reading.head("stages") && !stages.iter().any(|known| known.name.value == stage.value) {
        let known = stages.iter().map(|known| known.name.value.as_str());
        typing.diagnostics.push(unknown(stage, known, ("阶段", "stage"), "stages"));
    }
    Arc::from(stage.value.as_str())
}

fn each(
    placed: &Placed<'_>,
    fields: &Fields<'_>,
    scope: &Scope,
    later: &Scope,
    typing: &mut Typing<'_>,
) -> Option<Each> {
    let syntax::StepKind::Each { rows, in_order, until, .. } = &placed.source.kind else { return None };
    let known = fields.rows().iter().find(|known| known.each == placed.id)?;
    let (alias, list, plain) = (known.alias.clone(), known.list.clone(), known.plain);
    let formula = typing.formula(rows, scope, &Expected::List);
    // Asked after each row, with what the bodies have asked by then.
    let until = until.as_ref().and_then(|until| typing.formula(until, later, &Expected::condition()));
    Some(Each { rows: formula?, alias, list, plain, in_order: *in_order, until, columns: Form::new() })
}

/// What is known of a step that asks people: when it asks them, and while it waits.
#[derive(Clone, Copy)]
struct Times<'s> {
    scope: &'s Scope,
    later: &'s Scope,
    waiting: &'s Certain,
}

fn human(
    placed: &Placed<'_>,
    who: &syntax::Who,
    fields: &Fields<'_>,
    times: &Times<'_>,
    typing: &mut Typing<'_>,
    unsure: &mut BTreeSet<FieldName>,
) -> Human {
    let (source, Times { scope, later, waiting }) = (placed.source, *times);
    let row = waiting.row.as_ref();
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
    let shown = super::shown::shown(source, fields, row, typing);
    let policy = policy(&source.policy, &policy(&typing.document.policy, &Default::default()));
    let asking = if policy.nobody == Nobody::Incident { scope.clone().somebody() } else { scope.clone() };
    Human {
        who: formulas(&who.entries, &asking, &Expected::People, typing),
        mode: match who.mode.map(|mode| mode.value) {
            Some(syntax::Mode::All) => Mode::All,
            Some(syntax::Mode::Any) | None => Mode::Any,
        },
        due: source.due.as_ref().and_then(|text| typing.formula(text, scope, &Expected::Time)),
        remind: formulas(&source.remind, scope, &Expected::Time, typing),
        form: form::of_step(source, &placed.id, fields, waiting, &names, typing),
        show: shown.fields,
        show_columns: shown.columns,
        outcomes,
        quiet: source.quiet.is_some_and(|quiet| quiet.value),
        copy: source
            .copy
            .iter()
            .map(|(outcome, who)| {
                (Outcome::from(outcome.value.as_str()), formulas(who, later, &Expected::People, typing))
            })
            .collect(),
        edit: again::edit(source, fields, row, typing, unsure),
        depends_on: again::depends_on(source, fields, row, typing),
        policy,
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

/// The values of a `set`, in order: each sees what those before it have written.
fn set(
    source: &syntax::Step,
    values: &[(Spanned<String>, FeelText)],
    (fields, proved): (&Fields<'_>, &Proved<'_>),
    before: &Certain,
    typing: &mut Typing<'_>,
    unsure: &mut BTreeSet<FieldName>,
) -> IndexMap<FieldName, Formula> {
    let (mut certain, mut written) = (before.clone(), IndexMap::new());
    for (name, text) in values {
        let scope = typing.at_step(source, fields, &certain);
        let expected = match fields.writable(&name.value, before.row.as_ref()) {
            Ok(typed) => typing.held(&name.value, typed),
            Err(why) => {
                let hidden = typing.unread.may_declare_besides(&name.value);
                typing.diagnostics.extend(unwritable(name, "set", &why, fields, hidden));
                Expected::Any
            }
        };
        let formula = typing.formula(text, &scope, &expected);
        let name = FieldName::from(name.value.as_str());
        let Some(formula) = formula else {
            // That its value has a fault is told; that it may be missing would follow from it.
            let into = if before.row.is_some() { &mut certain.columns } else { &mut certain.fields };
            into.insert(name);
            continue;
        };
        certain.known = proved.unwritten(&certain.known, &name);
        if formula.of.optional {
            unsure.insert(name.clone());
            certain.columns.remove(&name);
        } else {
            let into = if before.row.is_some() { &mut certain.columns } else { &mut certain.fields };
            into.insert(name.clone());
        }
        written.insert(name, formula);
    }
    written
}

/// Values by name, typed against what is in reach.
pub(crate) fn values(
    written: &[(Spanned<String>, FeelText)],
    scope: &Scope,
    typing: &mut Typing<'_>,
) -> IndexMap<FieldName, Formula> {
    let value = |(name, text): &(Spanned<String>, FeelText)| {
        Some((FieldName::from(name.value.as_str()), typing.formula(text, scope, &Expected::Any)?))
    };
    written.iter().filter_map(value).collect()
}

/// What is said of a field that `set` or `take` may not write; nothing where it may be one that could not be read.
pub(crate) fn unwritable(
    name: &Spanned<String>,
    key: &str,
    why: &Unwritable,
    fields: &Fields<'_>,
    hidden: bool,
) -> Option<Diagnostic> {
    let word = &name.value;
    Some(match why {
        Unwritable::Unknown | Unwritable::NoColumn(..) if hidden => return None,
        Unwritable::Unknown => unknown(name, fields.names().map(FieldName::as_str), ("字段", "field"), "data"),
        Unwritable::NoColumn(alias, columns) => {
            let found = Diagnostic::new(
                Code::NotSettable,
                name.span,
                Wording::new(
                    format!("`{alias}` 这一行里没有可以由 `{key}` 写的列 `{word}`。在 `each` 里只能写列表的列"),
                    format!("the row `{alias}` has no column `{word}` that `{key}` could write; inside `each` only columns of the list are written"),
                ),
            );
            let listed = quoted_list(columns.iter().map(FieldName::as_str));
            found.hint_if((!columns.is_empty()).then(|| {
                Wording::new(format!("可以写：{}", listed.zh), format!("its columns: {}", listed.en))
            }))
        }
        Unwritable::Made => Diagnostic::new(
            Code::NotSettable,
            name.span,
            Wording::new(
                format!("`{word}` 由 `each` 的 `into` 写，`{key}` 不能再写它"),
                format!("`{word}` is written by the `into` of an `each`, so `{key}` cannot write it"),
            ),
        ),
        Unwritable::Computed(there) => Diagnostic::new(
            Code::NotSettable,
            name.span,
            Wording::new(
                format!("`{word}` 是用 `value` 算出来的，不能再用 `{key}` 写它。请删掉其中一个"),
                format!("`{word}` is computed by its `value`, so `{key}` cannot write it; delete one of the two"),
            ),
        )
        .context(*there, Wording::new("在这里计算", "computed here")),
        Unwritable::Asked(there) => Diagnostic::new(
            Code::NotSettable,
            name.span,
            Wording::new(
                format!("`{word}` 由人填写，`{key}` 不能改它。`{key}` 只写 `data` 里的字段，请在那里声明一个"),
                format!("people fill in `{word}`, so `{key}` cannot change it; `{key}` writes fields of `data`, so declare one there"),
            ),
        )
        .context(*there, Wording::new("由人填写", "filled in by people")),
    })
}
