//! A value that a step writes, hands to a table or to another process, or that a rule answers, and that may be beyond
//! the limits of where it goes.
//!
//! Every field keeps its fixed limits: forms refuse what breaks them, what comes from outside is refused too, and of
//! all else it is proved here. So other proofs may rest on them, and no table is given what it does not take. What is
//! never within is told for texts and lists too, where their length is known. A called process asks its applicant for
//! what it refuses; only what it always refuses is a fault, and what is no whole number by its type. What is computed
//! keeps its limits as people change what it reads; that it is whole is proved here.

use super::Subject;
use super::impossible_field::broken;
use super::place::{Place, held};
use super::proof::Areas;
use crate::compile::callee::Callee;
use crate::compile::lower::Part;
use crate::compile::table::Decision;
use crate::diagnostics::{Code, Diagnostic, Spanned};
use crate::expression::domain::Domain;
use crate::expression::extent::{extent, proves};
use crate::expression::fixed;
use crate::expression::region::Declared;
use crate::model::definition::StepKind as Kind;
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::{Expr, Formula};
use crate::model::id::FieldName;
use crate::model::rule::{Aggregate, Hit, Table};
use crate::model::text::{Lang, Wording};
use crate::model::value::{Value, plain};
use crate::syntax::{self, FeelText, StepKind};
use rust_decimal::Decimal;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let declared_as = |name: &FieldName| {
        let found = subject.definition.fields().find(|(known, _)| *known == name);
        found.map_or(Domain::any(true), |(_, field)| held(field))
    };
    for source in &subject.document.data {
        let name = FieldName::from(source.name.value.as_str());
        let Some(field) = subject.definition.data.get(&name) else { continue };
        // Of a constant `bad_default` tells.
        if let (Some(text), Some(formula)) = (&source.default, &field.default)
            && fixed(formula).is_none()
        {
            let to = To { name: case(&name), field, limit: Some(source) };
            diagnostics.extend(to.judged(text, formula, &extent(&formula.root, &declared_as, &[])));
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
                for (name, text, formula) in written(values, formulas) {
                    if let Some(field) = target(name) {
                        let to = To { name: case(name), field, limit: declared(subject, name) };
                        diagnostics.extend(to.judged(text, formula, &place.extent(formula)));
                    }
                    place.forget(name);
                }
            }
            (StepKind::Table { with, take, .. }, Kind::Table(look_up)) => {
                let Some(table) = subject.definition.tables.get(&look_up.table) else { continue };
                for (name, text, formula) in written(with, &look_up.with) {
                    let Some(field) = table.inputs.get(name) else { continue };
                    let to = To { name: input(&look_up.table, name), field, limit: None };
                    diagnostics.extend(to.judged(text, formula, &place.extent(formula)));
                }
                let answers = |name: &FieldName| answer(table, name);
                for (name, text, formula) in written(take, &look_up.take) {
                    let Some(field) = target(name) else { continue };
                    let to = To { name: case(name), field, limit: declared(subject, name) };
                    diagnostics.extend(to.judged(text, formula, &extent(&formula.root, &answers, &[])));
                }
            }
            (StepKind::Call(source), Kind::Call(call)) => {
                let Some(callee) = subject.world.callees.get(source.process.value.as_str()) else { continue };
                for (name, text, formula) in written(&source.with, &call.with) {
                    let Some(field) = callee.field(name.as_str()) else { continue };
                    let to = To { name: asked_by(&source.process.value, name), field: &field, limit: None };
                    let found = place.extent(formula);
                    diagnostics.extend(match to.is_never_within(formula, &found) {
                        true => Some(to.beyond(text, formula)),
                        false => to.fraction(text, &found),
                    });
                }
                let left = |name: &FieldName| left(callee, name);
                for (name, text, formula) in written(&source.take, &call.take) {
                    let Some(field) = target(name) else { continue };
                    let to = To { name: case(name), field, limit: declared(subject, name) };
                    diagnostics.extend(to.judged(text, formula, &extent(&formula.root, &left, &[])));
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
    whole(&document.form, &definition.form, &first, diagnostics);
    whole(&document.data, &definition.data, &first, diagnostics);
    for placed in subject.flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
        let human = definition.steps.get(&placed.id).and_then(|step| step.human());
        if let (Some(human), Some(place)) = (human, Place::inside(subject, &placed.id)) {
            whole(&placed.source.form, &human.form, &place, diagnostics);
        }
    }
}

fn whole(written: &[syntax::Field], form: &Form, around: &dyn Declared, diagnostics: &mut Vec<Diagnostic>) {
    let own = Own { form, around };
    for source in written {
        let name = FieldName::from(source.name.value.as_str());
        let Some(field) = form.get(&name) else { continue };
        if let FieldKind::List(columns) = &field.kind {
            whole(&source.fields, columns, &own, diagnostics);
        }
        if let (Some(text), Some(formula), false) = (&source.value, &field.value, field.many) {
            let to = To { name: case(&name), field: &unlimited(field), limit: None };
            diagnostics.extend(match fixed(formula).is_some_and(|value| to.has_fraction(&value)) {
                true => Some(to.beyond(text, formula)),
                false => to.fraction(text, &extent(&formula.root, &own, &[])),
            });
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
        self.form.get(name).map_or_else(|| self.around.field(name), held)
    }

    fn part(&self, of: &Expr) -> Option<Domain> {
        self.around.part(of)
    }

    fn most_rows(&self, name: &FieldName) -> Option<Decimal> {
        self.around.most_rows(name)
    }
}

/// What the rules of a table answer, where that is no constant, and its defaults.
pub(super) fn check_table(decision: &Decision<'_>, _: &Areas, diagnostics: &mut Vec<Diagnostic>) {
    let (document, table) = (decision.document, decision.table);
    let given = |name: &FieldName| table.inputs.get(name).map_or(Domain::any(true), Domain::asked);
    for (written, rule) in document.rules.iter().zip(&table.rules) {
        let known: Vec<_> = rule.when.values().flat_map(|cell| proves(&cell.root, true)).collect();
        for (name, text) in &written.cells {
            let name = FieldName::from(name.value.as_str());
            let (Some(field), Some(formula)) = (table.outputs.get(&name), rule.then.get(&name)) else { continue };
            // A constant is told where it is typed.
            if fixed(formula).is_none() {
                let to = To { name: output(&name), field, limit: None };
                diagnostics.extend(to.judged(text, formula, &extent(&formula.root, &given, &known)));
            }
        }
    }
    for column in &document.outputs {
        let name = FieldName::from(column.name.value.as_str());
        let Some(field) = table.outputs.get(&name) else { continue };
        let (Some(text), Some(formula)) = (&column.default, &field.default) else { continue };
        let to = To { name: output(&name), field, limit: None };
        diagnostics.extend(to.judged(text, formula, &extent(&formula.root, &given, &[])));
    }
}

/// Names with what is written for each, and what that means.
fn written<'w>(
    texts: &'w [(Spanned<String>, FeelText)],
    formulas: &'w indexmap::IndexMap<FieldName, Formula>,
) -> Vec<(&'w FieldName, &'w FeelText, &'w Formula)> {
    let meant = texts.iter().filter_map(|(name, text)| {
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

/// What a called process leaves in a field.
fn left(callee: &Callee<'_>, name: &FieldName) -> Domain {
    callee.field(name.as_str()).map_or(Domain::any(true), |field| Domain::asked(&field))
}

/// Where a value goes.
struct To<'f> {
    name: Wording,
    field: &'f Field,
    limit: Option<&'f syntax::Field>,
}

impl To<'_> {
    fn judged(&self, text: &FeelText, formula: &Formula, found: &Domain) -> Option<Diagnostic> {
        let held = Domain::asked(self.field);
        if self.is_never_within(formula, found) {
            return Some(self.beyond(text, formula));
        }
        if !held.has_limits() || held.takes(found) {
            return None;
        }
        let written = &text.text;
        let (below, above) = held.passed_by(found);
        let limited = above.is_some();
        let (below, above) = (below.map(|low| self.shown(&low)), above.map(|high| self.shown(&high)));
        let (what, instead) = match (below, above) {
            (Some(low), Some(high)) => (
                (format!("比 {low} 小或比 {high} 大"), format!("less than {low} or more than {high}")),
                Some(format!("min({high}, max({low}, {written}))")),
            ),
            (Some(low), None) => {
                ((format!("比 {low} 小"), format!("less than {low}")), Some(format!("max({low}, {written})")))
            }
            (None, Some(high)) => {
                ((format!("比 {high} 大"), format!("more than {high}")), Some(format!("min({high}, {written})")))
            }
            (None, None) if !held.takes_fractions_of(found) => return self.fraction(text, found),
            (None, None) => (("在范围之外".to_owned(), "beyond its limits".to_owned()), None),
        };
        let shown = self.maybe(text, &what, instead);
        let limit = self.limit.and_then(|field| if limited { field.max.as_ref() } else { field.min.as_ref() });
        Some(match limit {
            Some(limit) => shown.context(limit.span, Wording::new("限制", "the limit")),
            None => shown,
        })
    }

    /// What may be no whole number where only those are held.
    fn fraction(&self, text: &FeelText, found: &Domain) -> Option<Diagnostic> {
        let what = ("不是整数".to_owned(), "no whole number".to_owned());
        let instead = || Some(format!("round half up({}, 0)", text.text));
        (!Domain::asked(self.field).takes_fractions_of(found)).then(|| self.maybe(text, &what, instead()))
    }

    fn maybe(&self, text: &FeelText, what: &(String, String), instead: Option<String>) -> Diagnostic {
        let (written, name) = (&text.text, &self.name);
        let shown = Diagnostic::new(
            Code::MaybeOutOfBounds,
            text.span,
            Wording::new(
                format!("`{written}` 可能{}，而{} 不允许", what.0, name.zh),
                format!("`{written}` may be {}, which {} does not allow", what.1, name.en),
            ),
        );
        shown.hint_if(instead.map(|instead| {
            Wording::new(
                format!("写成 `{instead}`，或先判断，或限制它读的字段。"),
                format!("Write `{instead}`, or ask first, or limit what it reads."),
            )
        }))
    }

    fn is_never_within(&self, formula: &Formula, found: &Domain) -> bool {
        let held = Domain::asked(self.field);
        let known = fixed(formula).filter(|value| !value.is_null());
        held.has_limits() && held.is_apart_from(found)
            || known.is_some_and(|value| broken(self.field, &value).is_some() || self.has_fraction(&value))
    }

    fn has_fraction(&self, value: &Value) -> bool {
        let number = value.as_number();
        Domain::asked(self.field).is_whole() && number.is_some_and(|number| !number.is_integer())
    }

    fn beyond(&self, text: &FeelText, formula: &Formula) -> Diagnostic {
        let (written, name) = (&text.text, &self.name);
        if fixed(formula).is_some_and(|value| self.has_fraction(&value)) {
            return Diagnostic::new(
                Code::OutOfBounds,
                text.span,
                Wording::new(
                    format!("`{written}` 不是整数，而{} 只有整数", name.zh),
                    format!("`{written}` is no whole number, which is all that {} holds", name.en),
                ),
            );
        }
        let found = Diagnostic::new(
            Code::OutOfBounds,
            text.span,
            Wording::new(
                format!("`{written}` 超出了{} 的范围。请改它，或改那里的限制", name.zh),
                format!("`{written}` is beyond what {} allows; change it, or the limits there", name.en),
            ),
        );
        match self.limit.and_then(|field| field.max.as_ref().or(field.min.as_ref())) {
            Some(limit) => found.context(limit.span, Wording::new("限制", "the limit")),
            None => found,
        }
    }

    /// A limit as it is written in an expression.
    fn shown(&self, limit: &Value) -> String {
        match (limit, &self.field.kind) {
            (Value::Number(limit), FieldKind::Percent) => format!("{} %", (limit * Decimal::ONE_HUNDRED).normalize()),
            (Value::Number(limit), _) => limit.normalize().to_string(),
            (Value::Duration(length), _) => {
                let words = length.words(Lang::En);
                // What needs several units is written as one text.
                if words.split(' ').count() > 3 { format!("@\"{length}\"") } else { words }
            }
            (other, _) => plain(other).to_string(),
        }
    }
}
