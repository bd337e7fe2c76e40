//! A value that a step writes, hands to a table or to another process, or that a rule answers, and that may be beyond
//! the limits of where it goes.
//!
//! Every field keeps its fixed limits: forms refuse what breaks them, what comes from outside is refused too, and of
//! all else it is proved here, of lists column by column. So other proofs may rest on them, and no table is given what it does not take. What is
//! never within is told for texts and lists too, where their length is known. A called process asks its applicant for
//! what it refuses; only what it always refuses is a fault, and what is no whole number by its type. What is computed
//! keeps its limits as people change what it reads; that it is whole is proved here.

use super::Subject;
use super::limits::To;
use super::place::Place;
use super::proof::Areas;
use crate::compile::callee::Callee;
use crate::compile::lower::Part;
use crate::compile::table::Decision;
use crate::compile::unread::words;
use crate::diagnostics::{Diagnostic, Spanned};
use crate::expression::domain::Domain;
use crate::expression::extent::{extent, proves};
use crate::expression::fixed;
use crate::expression::region::Declared;
use crate::model::definition::StepKind as Kind;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::{Expr, Formula, Op};
use crate::model::id::FieldName;
use crate::model::rule::{Aggregate, Hit, Table};
use crate::model::text::Wording;
use crate::syntax::{self, FeelText, StepKind};
use rust_decimal::Decimal;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let declared_as = |name: &FieldName| {
        let found = subject.definition.fields().find(|(known, _)| *known == name);
        found.map_or(Domain::any(true), |(_, field)| Domain::of_items(field))
    };
    for source in &subject.document.data {
        let name = FieldName::from(source.name.value.as_str());
        let Some(field) = subject.definition.data.get(&name) else { continue };
        // Of a constant `bad_default` tells.
        if let (Some(text), Some(formula)) = (&source.default, &field.default)
            && fixed(formula).is_none()
        {
            let to = To::new(case(&name), field, Some(source));
            diagnostics.extend(to.judged(text, formula, &|of| extent(of, &declared_as, &[])));
        }
    }
    computed(subject, diagnostics);
    for placed in subject.flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
        let Some(step) = subject.definition.steps.get(&placed.id) else { continue };
        let Some(mut place) = Place::inside(subject, &placed.id) else { continue };
        let each = subject.flow.row_of(&placed.id);
        let target = |name: &FieldName| field(subject, each, name);
        match (&placed.source.kind, &step.kind) {
            (StepKind::Set { values }, Kind::Set(formulas)) => {
                for (name, text, formula) in written(subject, values, formulas) {
                    if let Some(field) = target(name) {
                        let to = To::new(case(name), field, declared(subject, name));
                        diagnostics.extend(to.judged(text, formula, &|of| place.extent(of)));
                    }
                    place.forget(name);
                }
            }
            (StepKind::Table { with, take, .. }, Kind::Table(look_up)) => {
                let Some(table) = subject.definition.tables.get(&look_up.table) else { continue };
                for (name, text, formula) in written(subject, with, &look_up.with) {
                    let Some(field) = table.inputs.get(name) else { continue };
                    let to = To::new(input(&look_up.table, name), field, None);
                    diagnostics.extend(to.judged(text, formula, &|of| place.extent(of)));
                }
                let answers = |name: &FieldName| answer(table, name);
                for (name, text, formula) in written(subject, take, &look_up.take) {
                    let Some(field) = target(name) else { continue };
                    let to = To::new(case(name), field, declared(subject, name));
                    diagnostics.extend(to.judged(text, formula, &|of| extent(of, &answers, &[])));
                }
            }
            (StepKind::Call(source), Kind::Call(call)) => {
                let Some(callee) = subject.world.callees.get(source.process.value.as_str()) else { continue };
                for (name, text, formula) in written(subject, &source.with, &call.with) {
                    let Some(field) = callee.field(name.as_str()) else { continue };
                    let to = To::new(asked_by(&source.process.value, name), &field, None);
                    diagnostics.extend(to.refused(text, formula, &place.extent(&formula.root)));
                }
                let left = Left(callee);
                for (name, text, formula) in written(subject, &source.take, &call.take) {
                    let Some(field) = target(name) else { continue };
                    let to = To::new(case(name), field, declared(subject, name));
                    diagnostics.extend(to.judged(text, formula, &|of| extent(of, &left, &[])));
                }
            }
            _ => {}
        }
    }
}

/// Whole numbers that are computed: they are whole whatever people change.
fn computed(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let (document, definition) = (subject.document, subject.definition);
    let Some(first) = subject.flow.steps.first().and_then(|placed| Place::before(subject, &placed.id)) else { return };
    let mut whole = |written, form, around: &dyn Declared| whole(subject, written, form, around, diagnostics);
    whole(&document.form, &definition.form, &first);
    whole(&document.data, &definition.data, &first);
    for placed in subject.flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
        let human = definition.steps.get(&placed.id).and_then(|step| step.human());
        if let (Some(human), Some(place)) = (human, Place::inside(subject, &placed.id)) {
            whole(&placed.source.form, &human.form, &place);
        }
    }
}

fn whole(
    subject: &Subject<'_>,
    written: &[syntax::Field],
    form: &Form,
    around: &dyn Declared,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let own = Own { form, around };
    for source in written {
        let name = FieldName::from(source.name.value.as_str());
        let Some(field) = form.get(&name) else { continue };
        if let FieldKind::List(columns) = &field.kind {
            whole(subject, &source.fields, columns, &own, diagnostics);
        }
        if let (Some(text), Some(formula), false) = (&source.value, &field.value, field.many)
            && !subject.rests_on_unread(text)
        {
            let unlimited = unlimited(field);
            let to = To::new(case(&name), &unlimited, None);
            diagnostics.extend(to.no_integer(text, formula, &extent(&formula.root, &own, &[])));
        }
    }
}

/// A field without what is held as people change what it is computed from.
fn unlimited(field: &Field) -> Field {
    Field { min: None, max: None, ..field.clone() }
}

/// A form whose fields hide those around it.
struct Own<'o> {
    form: &'o Form,
    around: &'o dyn Declared,
}

impl Declared for Own<'_> {
    fn field(&self, name: &FieldName) -> Domain {
        self.form.get(name).map_or_else(|| self.around.field(name), Domain::of_items)
    }

    fn part(&self, of: &Expr) -> Option<Domain> {
        self.around.part(of)
    }

    fn rows(&self, name: &FieldName) -> (Option<Decimal>, Option<Decimal>) {
        self.around.rows(name)
    }
}

/// What the rules of a table answer, where that is no constant, and its defaults.
pub(super) fn check_table(decision: &Decision<'_>, _: &Areas, diagnostics: &mut Vec<Diagnostic>) {
    let (document, table, lost) = (decision.document, decision.table, decision.lost);
    let known = |name: &str, text: &FeelText| {
        let mut names = words(&text.text).chain([name]);
        names.all(|name| lost.column_known(name))
    };
    let given = |name: &FieldName| table.inputs.get(name).map_or(Domain::any(true), Domain::asked);
    let rules = document.rules.iter().zip(&table.rules).enumerate();
    for (_, (written, rule)) in rules.filter(|(number, _)| lost.asked(*number)) {
        let proved: Vec<_> = rule.when.values().flat_map(|cell| proves(&cell.root, true)).collect();
        for (name, text) in written.cells.iter().filter(|(name, text)| known(&name.value, text)) {
            let name = FieldName::from(name.value.as_str());
            let (Some(field), Some(formula)) = (table.outputs.get(&name), rule.then.get(&name)) else { continue };
            // A constant is told where it is typed.
            if fixed(formula).is_none() {
                let to = To::new(output(&name), field, None);
                diagnostics.extend(to.judged(text, formula, &|of| extent(of, &given, &proved)));
            }
        }
    }
    for column in &document.outputs {
        let name = FieldName::from(column.name.value.as_str());
        let Some(field) = table.outputs.get(&name) else { continue };
        let (Some(text), Some(formula)) = (&column.default, &field.default) else { continue };
        if !known(&column.name.value, text) {
            continue;
        }
        let to = To::new(output(&name), field, None);
        diagnostics.extend(to.judged(text, formula, &|of| extent(of, &given, &[])));
    }
}

/// Names with what is written for each, and what that means, where all it rests on was understood.
fn written<'w>(
    subject: &Subject<'_>,
    texts: &'w [(Spanned<String>, FeelText)],
    formulas: &'w indexmap::IndexMap<FieldName, Formula>,
) -> Vec<(&'w FieldName, &'w FeelText, &'w Formula)> {
    let sure = texts.iter().filter(|(_, text)| !subject.rests_on_unread(text));
    let meant = sure.filter_map(|(name, text)| {
        let (name, formula) = formulas.get_key_value(name.value.as_str())?;
        Some((name, text, formula))
    });
    meant.collect()
}

/// The field that a step writes, or the column where it stands in an `each`.
fn field<'s>(subject: &'s Subject<'_>, each: Option<&crate::model::id::StepId>, name: &FieldName) -> Option<&'s Field> {
    match each.and_then(|each| subject.definition.steps.get(each)).map(|step| &step.kind) {
        Some(Kind::Each(each)) => each.columns.get(name),
        _ => subject.definition.data.get(name),
    }
}

/// A field as it is declared.
fn declared<'s>(subject: &Subject<'s>, name: &FieldName) -> Option<&'s syntax::Field> {
    subject.document.data.iter().find(|field| field.name.value == name.as_str())
}

fn case(name: &FieldName) -> Wording {
    Wording::new(format!("字段 `{name}`"), format!("the field `{name}`"))
}

fn output(name: &FieldName) -> Wording {
    Wording::new(format!("输出 `{name}`"), format!("the output `{name}`"))
}

fn input(table: &str, name: &FieldName) -> Wording {
    Wording::new(format!("决策表 `{table}` 的输入 `{name}`"), format!("the input `{name}` of the table `{table}`"))
}

fn asked_by(process: &str, name: &FieldName) -> Wording {
    Wording::new(format!("流程 `{process}` 的字段 `{name}`"), format!("the field `{name}` of the process `{process}`"))
}

/// What a table answers in a column, put together where it collects.
fn answer(table: &Table, name: &FieldName) -> Domain {
    let Some(field) = table.outputs.get(name) else { return Domain::any(true) };
    let each = Domain::asked(field);
    match table.hit {
        hit if hit.is_single() => each,
        Hit::Collect(Aggregate::Min | Aggregate::Max) => each.with_null(true),
        Hit::Collect(Aggregate::Count) => {
            Domain::numbers(Some(Decimal::ZERO), Some(Decimal::from(table.rules.len())), true)
        }
        Hit::Collect(Aggregate::Sum) => {
            // Any of the rules may hit, or none.
            let (mut low, mut high) = (Some(Decimal::ZERO), Some(Decimal::ZERO));
            for rule in &table.rules {
                let known = rule.then.get(name).and_then(fixed).and_then(|value| value.as_number());
                let (least, most) = known.map_or_else(|| each.ends(), |known| (Some(known), Some(known)));
                low = low.zip(least).and_then(|(low, least)| low.checked_add(least.min(Decimal::ZERO)));
                high = high.zip(most).and_then(|(high, most)| high.checked_add(most.max(Decimal::ZERO)));
            }
            Domain::numbers(low, high, each.is_whole())
        }
        _ => Domain::any(true),
    }
}

/// What a called process leaves in its fields, and in the columns of its lists.
struct Left<'c>(&'c Callee<'c>);

impl Declared for Left<'_> {
    fn field(&self, name: &FieldName) -> Domain {
        self.0.field(name.as_str()).map_or(Domain::any(true), |field| Domain::asked(&field))
    }

    fn part(&self, of: &Expr) -> Option<Domain> {
        let Op::Path(list, column) = of.op() else { return None };
        let Op::Field(list) = list.op() else { return None };
        match self.0.field(list.as_str())?.kind {
            FieldKind::List(columns) => columns.get(column).map(|column| Domain::asked(column).with_null(true)),
            _ => None,
        }
    }

    fn rows(&self, name: &FieldName) -> (Option<Decimal>, Option<Decimal>) {
        let most = self.0.field(name.as_str()).and_then(|field| fixed(field.max.as_ref()?)?.as_number());
        (None, most)
    }
}
