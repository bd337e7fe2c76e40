//! A field that nobody could ever fill in, as no value keeps its limits. A choice or a list of nothing is told where it
//! is read.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::expression::{beside, fixed, order};
use crate::model::form::Field;
use crate::model::formula::Formula;
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
        }
    });
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
