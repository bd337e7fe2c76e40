//! A field that nobody could ever fill in, as no value keeps its limits and its rule, whatever the fields hold that these
//! read. A choice or a list of nothing is told where it is read.

use super::Subject;
use super::proof::Areas;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::expression::domain::Domain;
use crate::expression::extent::extent;
use crate::expression::region::Subjects;
use crate::expression::{beside, fixed, order};
use crate::model::form::{Field, FieldKind};
use crate::model::formula::{Arithmetic, Expr, Formula, Op};
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::model::value::{Type, Value};
use crate::syntax::{self, FieldType};
use rust_decimal::Decimal;
use std::cmp::Ordering;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    subject.each_field(&mut |written, field| {
        if !subject.reading.field(&written.name.value) {
            return;
        }
        for (limit, formula) in [(&written.min, &field.min), (&written.max, &field.max)] {
            let (Some(limit), Some(value)) = (limit, formula.as_ref().and_then(fixed)) else { continue };
            if counts(written) && !is_count(&value) {
                diagnostics.push(no_count(limit.span, written));
            }
        }
        let bounds = (field.min.as_ref().and_then(fixed), field.max.as_ref().and_then(fixed));
        if let ((Some(low), Some(high)), Some(max)) = (bounds, &written.max)
            && order(&low, &high).is_some_and(Ordering::is_gt)
        {
            diagnostics.push(reversed(max.span, written));
            return;
        }
        if let (FieldKind::Person(Some(among)), Some(text)) = (&field.kind, &written.among)
            && matches!(fixed(among), Some(Value::List(people)) if people.is_empty())
        {
            diagnostics.push(nobody(text.span));
        }
        // Columns have names of their own.
        if subject.definition.fields().any(|(_, known)| std::ptr::eq(known, field)) {
            diagnostics.extend(contradiction(subject, written, field));
        }
    });
}

/// A limit beyond the other, or a rule that never holds, whatever the fields hold that they read.
fn contradiction(subject: &Subject<'_>, written: &syntax::Field, field: &Field) -> Option<Diagnostic> {
    let own = |name: &FieldName| written.name.value == name.as_str();
    let domain = |name: &FieldName| {
        let found = subject.definition.fields().find(|(known, _)| *known == name);
        match found {
            // Limits and rules are only asked of what is filled in.
            Some((_, field)) if own(name) => Domain::asked(field).with_null(false),
            Some((_, field)) => Domain::asked(field).with_null(true),
            None => Domain::any(true),
        }
    };
    let extent = |expr: &Expr| extent(expr, &domain, &[]);
    if let (Some(min), Some(max), Some(text)) = (&field.min, &field.max, &written.max) {
        let (low, high) = (extent(&min.root).ends().0, extent(&max.root).ends().1);
        let beyond = low.zip(high).is_some_and(|(low, high)| low > high);
        if beyond || are_apart(&max.root, &min.root, &extent) {
            return Some(reversed(text.span, written));
        }
    }
    let (check, text) = (field.check.as_ref()?, written.check.as_ref()?);
    let mut subjects = Subjects::default();
    let holds = subjects.areas(&check.that.root, &domain);
    let areas = Areas::new(subjects, vec![holds])?;
    let never = areas.all.iter().enumerate().all(|(area, _)| areas.cover.is_empty(area));
    never.then(|| {
        Diagnostic::new(
            Code::ImpossibleField,
            text.that.span,
            Wording::new(
                "这条规则永远不成立，所以这个字段什么都填不进去。请改规则，或改它读的字段的限制",
                "this rule never holds, so nothing fits into the field; change the rule, or the limits of what it reads",
            ),
        )
    })
}

/// Whether one limit always lies below the other, as both are written from one value: `d - 1 day` below `d`.
fn are_apart(max: &Expr, min: &Expr, extent: &dyn Fn(&Expr) -> Domain) -> bool {
    let apart = |(of, up): (&Expr, Option<Domain>), (from, least): (&Expr, Option<Domain>)| {
        let between = match (up, least.map(|least| least.turned())) {
            (Some(up), Some(least)) => up.plus(&least),
            (up, least) => match up.or(least) {
                Some(one) => one,
                None => return false,
            },
        };
        of == from && between.is_below_zero()
    };
    from_one(max, extent).into_iter().any(|up| from_one(min, extent).into_iter().any(|least| apart(up.clone(), least)))
}

/// A value, and what it is written from with what is added to that.
fn from_one<'e>(limit: &'e Expr, extent: &dyn Fn(&Expr) -> Domain) -> Vec<(&'e Expr, Option<Domain>)> {
    let written = match limit.op() {
        Op::Arithmetic(Arithmetic::Add, a, b) => vec![(a, Some(extent(b))), (b, Some(extent(a)))],
        Op::Arithmetic(Arithmetic::Subtract, a, b) => vec![(a, Some(extent(b).turned()))],
        _ => Vec::new(),
    };
    std::iter::once((limit, None)).chain(written).collect()
}

fn nobody(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::ImpossibleField,
        span,
        Wording::new(
            "这里一个人也没有，所以谁都选不了。请写可以选的人，或删掉 `among`",
            "nobody is among these, so there is nobody to choose; say who is, or delete the `among`",
        ),
    )
}

/// Whether `min` and `max` count characters or rows.
fn counts(written: &syntax::Field) -> bool {
    use crate::compile::fields::type_of;
    matches!(type_of(written), Type::Text | Type::List(_))
}

fn is_count(value: &Value) -> bool {
    value.as_number().is_none_or(|number| number.is_integer() && number >= Decimal::ZERO)
}

fn no_count(span: Span, written: &syntax::Field) -> Diagnostic {
    let rows = written.kind.is_some_and(|kind| kind.value == FieldType::List);
    let (zh, en) = if rows { ("行数", "rows") } else { ("个数", "characters or items") };
    Diagnostic::new(
        Code::ImpossibleField,
        span,
        Wording::new(
            format!("这里限的是{zh}，要写 0 或正整数"),
            format!("this limits the number of {en}; write 0 or a whole number above it"),
        ),
    )
}

fn reversed(span: Span, written: &syntax::Field) -> Diagnostic {
    let found = Diagnostic::new(
        Code::ReversedLimits,
        span,
        Wording::new(
            "`max` 比 `min` 小，什么都填不进去。请对调或改掉其中一个",
            "`max` is less than `min`, so nothing fits; swap them, or change one",
        ),
    );
    match &written.min {
        Some(min) => found.context(min.span, Wording::new("最小", "the least")),
        None => found,
    }
}

/// Which of its own limits a field has a value break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    Min,
    Max,
    Pattern,
}

/// What a value breaks of a field's limits and pattern, where these are fixed.
pub(super) fn broken(field: &Field, value: &Value) -> Option<Broken> {
    let stands = |limit: &Option<Formula>| limit.as_ref().and_then(fixed).and_then(|limit| beside(value, &limit));
    if stands(&field.min).is_some_and(Ordering::is_lt) {
        return Some(Broken::Min);
    }
    if stands(&field.max).is_some_and(Ordering::is_gt) {
        return Some(Broken::Max);
    }
    (!field.keeps_pattern(value)).then_some(Broken::Pattern)
}
