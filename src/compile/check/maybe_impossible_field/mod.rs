//! A field of a step that nobody can fill in for some case, as what keeps it from that was filled in elsewhere: limits that
//! may cross, a rule that reads nothing of its own form, what is computed from the fields of others.
//!
//! Whoever is asked chooses what their own form asks, so a rule that reads any of that is theirs to keep. All else is
//! as it is when the step comes, or later, where it is the day, and has to be proved. What is asked again with `edit` held
//! its rules when it was filled in: only those that steps or time can move are looked at. Where something else can be
//! answered there is no need: who approves can reject, a step with `allow: [return]` goes back, and what may be left
//! empty is.

mod rule;

use super::impossible_field::stand_so;
use super::place::Place;
use super::proof::Areas;
use super::{Subject, called};
use crate::compile::lower::Part;
use crate::compile::resolve::walk;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::cover::Answer;
use crate::expression::domain::Domain;
use crate::expression::extent::proves;
use crate::expression::region::{Declared, Subjects};
use crate::model::definition::{StepKind as Kind, outcome};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::{Arithmetic, Comparison, Expr, Formula, Op, Read};
use crate::model::id::{FieldName, StepId};
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::syntax::{self, FeelText};
use std::collections::BTreeSet;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in subject.flow.steps.iter().filter(|placed| placed.part == Part::Whole) {
        let Some(step) = subject.definition.steps.get(&placed.id) else { continue };
        let Kind::Task(human) = &step.kind else { continue };
        let Some(place) = Place::inside(subject, &placed.id) else { continue };
        if human.outcomes.contains_key(outcome::RETURNED) {
            continue;
        }
        let (step, forms, found) = (called(placed), vec![&human.form], Vec::new());
        let mut asking = Asking { subject, step, place, forms, edited: &human.edit, again: false, found };
        // The day goes on while the step waits.
        asking.place.known.retain(|(of, _)| !of.any(&mut |part| is_now(part)));
        asking.form(&placed.source.form, &human.form);
        asking.again = true;
        for name in &placed.source.edit {
            let Some(field) = subject.definition.field_at(&placed.id, &FieldName::from(name.value.as_str())) else {
                continue;
            };
            let Some(source) = source(subject, subject.flow.row_of(&placed.id), &name.value) else { continue };
            let before = asking.found.len();
            asking.one(source, field);
            let asked = |found: Diagnostic| found.context(name.span, Wording::new("在这里再填", "asked again here"));
            let here: Vec<Diagnostic> = asking.found.drain(before..).map(asked).collect();
            asking.found.extend(here);
        }
        diagnostics.append(&mut asking.found);
    }
}

/// A field as it is declared; in the body of an `each`, a column of its rows.
fn source<'s>(subject: &'s Subject<'_>, each: Option<&StepId>, name: &str) -> Option<&'s syntax::Field> {
    let document = subject.document;
    let mut asked: Vec<&syntax::Field> = document.form.iter().chain(&document.data).collect();
    walk(&document.steps, &mut |step| asked.extend(&step.form));
    let list = each.and_then(|each| match &subject.definition.steps.get(each)?.kind {
        Kind::Each(each) => Some(&each.list),
        _ => None,
    });
    let columns = asked.iter().filter(|field| list.is_some_and(|list| field.name.value == list.as_str()));
    let columns: Vec<&syntax::Field> = columns.flat_map(|list| &list.fields).collect();
    columns.into_iter().chain(asked).find(|field| field.name.value == name)
}

/// A step that asks a form.
struct Asking<'s> {
    subject: &'s Subject<'s>,
    step: String,
    place: Place<'s>,
    /// The form, and the columns of the list in it that is looked into.
    forms: Vec<&'s Form>,
    /// What it asks besides, that was filled in before.
    edited: &'s [FieldName],
    /// Whether that is what is looked at.
    again: bool,
    found: Vec<Diagnostic>,
}

impl<'s> Asking<'s> {
    fn form(&mut self, written: &[syntax::Field], form: &'s Form) {
        for source in written {
            if let Some(field) = form.get(source.name.value.as_str()) {
                self.one(source, field);
            }
        }
    }

    fn one(&mut self, source: &syntax::Field, field: &'s Field) {
        if !self.subject.reading.field(&source.name.value) || !is_demanded(field) {
            return;
        }
        let known = self.place.known.len();
        if let Some(when) = &field.when {
            // Who can choose whether it is asked can leave it.
            if self.given(&[when]).is_none() {
                return;
            }
            self.place.known.extend(proves(&when.root, true));
        }
        if !self.again || self.may_have_moved(field) {
            self.field(source, field);
        }
        if let FieldKind::List(columns) = &field.kind {
            self.forms.push(columns);
            self.form(&source.fields, columns);
            self.forms.pop();
        }
        self.place.known.truncate(known);
    }

    /// Whether what keeps a field may be another than when it was filled in. What people change is refused where it would
    /// break the rules of another field.
    fn may_have_moved(&self, field: &Field) -> bool {
        let rule = field.check.as_ref().map(|check| &check.that);
        let rules = field.min.iter().chain(&field.max).chain(rule);
        field.when.is_some() || rules.flat_map(|rule| &rule.reads).any(|read| self.moves(read, &mut BTreeSet::new()))
    }

    /// Whether something that is read changes by itself or is written by steps.
    fn moves(&self, read: &Read, seen: &mut BTreeSet<FieldName>) -> bool {
        let Read::Field(name) = read else { return matches!(read, Read::Step(_) | Read::Now) };
        let definition = self.subject.definition;
        if definition.data.contains_key(name) {
            return true;
        }
        let value = definition.fields().find(|(known, _)| *known == name).and_then(|(_, field)| field.value.as_ref());
        seen.insert(name.clone()) && value.is_some_and(|value| value.reads.iter().any(|read| self.moves(read, seen)))
    }

    fn field(&mut self, source: &syntax::Field, field: &Field) {
        let subject = self.subject;
        let unread = |text: &FeelText| subject.rests_on_unread(text);
        if let (Some(text), Some(value)) = (&source.value, &field.value) {
            let limits = [(&source.min, &field.min, true), (&source.max, &field.max, false)];
            for (limit, formula, least) in limits {
                let (Some(limit), Some(formula)) = (limit, formula) else { continue };
                let Some(names) = self.given(&[value, formula]) else { continue };
                let (low, high) = if least { (formula, value) } else { (value, formula) };
                if !value.of.optional && !unread(text) && !unread(limit) && !self.is_ordered(&low.root, &high.root) {
                    self.found.push(self.computed(text, &names).context(limit.span, Wording::new("限制", "the limit")));
                    break;
                }
            }
        } else {
            let limit = |limit: &Option<Formula>, without: Option<usize>| {
                let without = || without.map(|count| Expr::new(Op::Literal(Value::Number(count.into()))));
                limit.as_ref().map(|limit| limit.root.clone()).or_else(without)
            };
            let written: Vec<&Formula> = field.min.iter().chain(&field.max).collect();
            if let (Some(low), Some(high)) = (limit(&field.min, field.fewest()), limit(&field.max, field.most()))
                && let Some(names) = self.given(&written)
                && let Some(text) = source.max.as_ref().or(source.min.as_ref())
                && !source.min.iter().chain(&source.max).any(unread)
                && !self.is_ordered(&low, &high)
            {
                self.found.push(self.crossing(text, source, &names));
            }
        }
        let (Some(text), Some(check)) = (&source.check, &field.check) else { return };
        if unread(&text.that) {
            return;
        }
        match self.given(&[&check.that]) {
            Some(names) if !self.holds(&check.that.root) => self.found.push(self.ruled(&text.that, &names)),
            Some(_) => {}
            None => {
                let found = self.unanswerable(&text.that, &check.that.root);
                self.found.extend(found.or_else(|| self.squeezed(&text.that, &check.that.root)));
            }
        }
    }

    /// What these read of fields, where they read some and nothing that whoever is asked chooses, nor what is known only as
    /// they answer.
    fn given(&self, formulas: &[&Formula]) -> Option<Vec<String>> {
        let known = |read: &Read| matches!(read, Read::Field(_) | Read::Step(_) | Read::Now);
        if !formulas.iter().all(|formula| formula.reads.iter().all(known)) {
            return None;
        }
        let mut names = BTreeSet::new();
        for formula in formulas {
            self.read(&formula.root, &mut names)?;
        }
        (!names.is_empty()).then(|| names.into_iter().collect())
    }

    fn read(&self, expr: &Expr, names: &mut BTreeSet<String>) -> Option<()> {
        let chosen = |name: &FieldName| self.is_chosen(name, &mut BTreeSet::new());
        match expr.op() {
            Op::Path(of, part) if let Op::Field(of) = of.op() => {
                names.insert(format!("{of}.{part}"));
                (!chosen(of)).then_some(())
            }
            Op::Field(name) => {
                names.insert(name.to_string());
                (!chosen(name)).then_some(())
            }
            op => op.children().into_iter().try_for_each(|child| self.read(child, names)),
        }
    }

    /// Whether a field is asked here, or computed from such.
    fn is_chosen(&self, name: &FieldName, seen: &mut BTreeSet<FieldName>) -> bool {
        let own = self.forms.iter().rev().find_map(|form| form.get(name));
        let elsewhere = || self.subject.definition.fields().find(|(known, _)| *known == name).map(|(_, field)| field);
        let Some(value) = own.or_else(elsewhere).and_then(|field| field.value.as_ref()) else {
            return own.is_some() || self.edited.contains(name);
        };
        let chosen = |read: &Read| match read {
            Read::Field(name) => seen.insert(name.clone()) && self.is_chosen(name, seen),
            Read::Step(_) | Read::Now => false,
            _ => true,
        };
        value.reads.iter().any(chosen)
    }

    /// Whether the first is never more than the second.
    fn is_ordered(&self, low: &Expr, high: &Expr) -> bool {
        let between = Expr::new(Op::Arithmetic(Arithmetic::Subtract, high.clone(), low.clone()));
        self.place.extent(&between).is_never_below_zero()
            || stand_so(high, low, &|of| self.place.extent(of), &Domain::is_never_below_zero)
    }

    /// Whether a condition always holds.
    fn holds(&self, condition: &Expr) -> bool {
        match condition.op() {
            Op::And(parts) => parts.iter().all(|part| self.holds(part)),
            Op::Compare(Comparison::AtMost, low, high) | Op::Compare(Comparison::AtLeast, high, low)
                if self.is_ordered(low, high) =>
            {
                true
            }
            _ if self.place.proved(condition).is_some_and(|truth| !truth.contains(&Value::Boolean(false))) => true,
            _ => {
                let mut subjects = Subjects::default();
                let areas = subjects.areas(condition, &self.place);
                let areas = Areas::new(subjects, vec![areas]);
                areas.is_some_and(|areas| areas.cover.covers(areas.belonging(|_| true), None) == Answer::Proved)
            }
        }
    }

    fn crossing(&self, at: &FeelText, source: &syntax::Field, names: &[String]) -> Diagnostic {
        let (names, step) = (listed(names), &self.step);
        match (&source.min, &source.max) {
            (Some(min), Some(max)) => {
                let (low, high) = (&min.text, &max.text);
                self.told(
                    at,
                    Wording::new(
                        format!("`max` 可能比 `min` 小：{} 不是在这里填的。那时什么都填不进去，`{step}` 没有人办得完", names.zh),
                        format!("`max` may be less than `min`, as {} not filled in here: then nothing fits, and nobody can complete `{step}`", are(&names.en)),
                    ),
                    match self.again {
                        false => Wording::new(
                            format!("请限制 {}，或只在填得了的时候才问：`when: {high} >= {low}`。", names.zh),
                            format!("Limit {}, or ask for this only where something fits: `when: {high} >= {low}`.", names.en),
                        ),
                        true => Wording::new(
                            format!("请限制 {}，或让最小值跟着它变：`min: min({low}, {high})`。", names.zh),
                            format!("Limit {}, or let the least follow: `min: min({low}, {high})`.", names.en),
                        ),
                    },
                )
                .context(min.span, Wording::new("最小", "the least"))
            }
            _ => self.told(
                at,
                Wording::new(
                    format!("这个限制可能什么都容不下：{} 不是在这里填的。那时 `{step}` 没有人办得完", names.zh),
                    format!(
                        "nothing may fit into this limit, as {} not filled in here: then nobody can complete `{step}`",
                        are(&names.en)
                    ),
                ),
                Wording::new(
                    format!("请限制 {}，或用 `when` 只在填得了的时候才问。", names.zh),
                    format!("Limit {}, or ask for this only where something fits, with `when`.", names.en),
                ),
            ),
        }
    }

    fn ruled(&self, at: &FeelText, names: &[String]) -> Diagnostic {
        let (names, step, rule) = (listed(names), &self.step, &at.text);
        self.told(
            at,
            Wording::new(
                format!("这条规则只看 {}，都不是在这里填的：不成立时，`{step}` 没有人办得完", names.zh),
                format!("this rule reads only {}, and nothing that is filled in here: where it does not hold, nobody can complete `{step}`", names.en),
            ),
            Wording::new(
                format!("请只在成立时才走这一步（`when: {rule}`），或给 `{step}` 一个用不着填它的结果。"),
                format!("Come to the step only where it holds (`when: {rule}`), or let `{step}` have an outcome that does not ask for this."),
            ),
        )
    }

    fn computed(&self, at: &FeelText, names: &[String]) -> Diagnostic {
        let (names, step, value) = (listed(names), &self.step, &at.text);
        self.told(
            at,
            Wording::new(
                format!("`{value}` 可能超出限制：{} 不是在这里填的。那时 `{step}` 没有人办得完", names.zh),
                format!(
                    "`{value}` may be beyond the limit, as {} not filled in here: then nobody can complete `{step}`",
                    are(&names.en)
                ),
            ),
            Wording::new(
                format!("请限制 {}，或只在没有超出时才走这一步。", names.zh),
                format!("Limit {}, or come to the step only where it is within.", names.en),
            ),
        )
    }

    fn told(&self, at: &FeelText, words: Wording, help: Wording) -> Diagnostic {
        Diagnostic::new(Code::MaybeImpossibleField, at.span, words).hint(help)
    }
}

/// Whether a form is refused where this breaks its rules: it may not be left empty, or is computed.
fn is_demanded(field: &Field) -> bool {
    field.required || field.value.is_some() || field.is_several() && field.min.is_some()
}

/// Whether an expression asks what time it is.
fn is_now(expr: &Expr) -> bool {
    matches!(expr.op(), Op::Call(name, _) if matches!(&**name, "now" | "today"))
}

fn are(names: &str) -> String {
    format!("{names} {}", if names.contains(" and ") { "are" } else { "is" })
}

fn listed(names: &[String]) -> Wording {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    Wording::new(quoted.join("、"), quoted.join(" and "))
}
