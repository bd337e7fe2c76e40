//! A field that nobody could ever fill in, as no value keeps its limits, its pattern and its rule, whatever the fields hold
//! that these read. A choice or a list of nothing is told where it is read.

use super::Subject;
use super::lengths::lengths;
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
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Before this day nothing was ever filled in.
const FIRST_DAY: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 1, 1);

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    subject.each_field(&mut |written, field| {
        if let Some(found) = reversed_limits(written, field) {
            diagnostics.push(found);
            return;
        }
        if !subject.reading.field(&written.name.value) {
            return;
        }
        for (limit, formula) in [(&written.min, &field.min), (&written.max, &field.max)] {
            let (Some(limit), Some(value)) = (limit, formula.as_ref().and_then(fixed)) else { continue };
            if counts(written) && !is_count(&value) {
                diagnostics.push(no_count(limit.span, written));
            }
        }
        if let (Some(_), Some(max)) = (bounds(field), &written.max)
            && Domain::asked(field).has_no_value()
        {
            diagnostics.push(between(max.span, written, field));
            return;
        }
        if let Some(found) = too_long(written, field).or_else(|| unlike_pattern(written, field)) {
            diagnostics.push(found);
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

/// Limits that nothing keeps, where they are fixed.
pub(crate) fn reversed_limits(written: &syntax::Field, field: &Field) -> Option<Diagnostic> {
    are_reversed(field).then(|| written.max.as_ref().map(|max| reversed(max.span, written)))?
}

/// Whether the limits of a field are fixed and nothing keeps them.
pub(crate) fn are_reversed(field: &Field) -> bool {
    bounds(field).and_then(|(low, high)| order(&low, &high)).is_some_and(Ordering::is_gt)
}

fn bounds(field: &Field) -> Option<(Value, Value)> {
    field.min.as_ref().and_then(fixed).zip(field.max.as_ref().and_then(fixed))
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
        let past = matches!(min.root.op(), Op::Call(name, _) if &**name == "today")
            && matches!((fixed(max), FIRST_DAY), (Some(Value::Date(max)), Some(first)) if max < first);
        if beyond || past || stand_so(&max.root, &min.root, &extent, &Domain::is_below_zero) {
            return Some(reversed(text.span, written));
        }
    }
    if let (Some(value), Some(text)) = (&field.value, &written.value)
        && !value.of.optional
        && !subject.rests_on_unread(text)
    {
        let held = Domain::asked(field);
        if held.has_limits() && held.is_apart_from(&extent(&value.root)) {
            return Some(out_of_reach(text.span, written));
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

/// Whether one limit always stands so to the other, as both are written from one value: `d - 1 day` below `d`.
pub(super) fn stand_so(max: &Expr, min: &Expr, extent: &dyn Fn(&Expr) -> Domain, so: &dyn Fn(&Domain) -> bool) -> bool {
    let stands = |(of, up): (&Expr, Option<Domain>), (from, least): (&Expr, Option<Domain>)| {
        let between = match (up, least.map(|least| least.turned())) {
            (Some(up), Some(least)) => up.plus(&least),
            (up, least) => match up.or(least) {
                Some(one) => one,
                None => return false,
            },
        };
        of == from && so(&between)
    };
    from_one(max, extent).into_iter().any(|up| from_one(min, extent).into_iter().any(|least| stands(up.clone(), least)))
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

/// More characters, rows or values than anything holds.
fn too_long(written: &syntax::Field, field: &Field) -> Option<Diagnostic> {
    let (text, most) = (written.min.as_ref()?, Decimal::from(field.most()?));
    let least = fixed(field.min.as_ref()?)?.as_number()?;
    (least > most).then(|| {
        Diagnostic::new(
            Code::ImpossibleField,
            text.span,
            Wording::new(
                format!("这里最多能填 {most} 个，达不到 `min`，所以什么都填不进去。请改小 `min`"),
                format!("this takes {most} at most, which is less than `min`, so nothing fits; make the `min` less"),
            ),
        )
    })
}

/// A pattern that no text of the length matches.
fn unlike_pattern(written: &syntax::Field, field: &Field) -> Option<Diagnostic> {
    let (pattern, (shortest, longest)) = (written.pattern.as_ref()?, lengths(field.pattern.as_ref()?)?);
    if !counts(written) || field.many {
        return None;
    }
    let limit = |limit: &Option<Formula>| fixed(limit.as_ref()?)?.as_number();
    let short = limit(&field.max).is_some_and(|max| max < Decimal::from(shortest));
    let long = limit(&field.min).zip(longest).is_some_and(|(min, longest)| min > Decimal::from(longest));
    let (limit, key) = match (short, long) {
        (true, _) => (written.max.as_ref()?, "max"),
        (_, true) => (written.min.as_ref()?, "min"),
        _ => return None,
    };
    let (zh, en) = match longest {
        Some(longest) if longest == shortest => (format!("{shortest} 个字"), format!("{shortest} characters")),
        Some(longest) => (format!("{shortest} 到 {longest} 个字"), format!("{shortest} to {longest} characters")),
        None => (format!("至少 {shortest} 个字"), format!("{shortest} characters or more")),
    };
    let found = Diagnostic::new(
        Code::ImpossibleField,
        pattern.span,
        Wording::new(
            format!("符合 `pattern` 的文字有{zh}，`{key}` 不允许，所以什么都填不进去。请改其中一个"),
            format!(
                "what matches the `pattern` has {en}, which `{key}` does not allow, so nothing fits; change one of them"
            ),
        ),
    );
    Some(found.context(limit.span, Wording::new("限制", "the limit")))
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

fn out_of_reach(span: Span, written: &syntax::Field) -> Diagnostic {
    let found = Diagnostic::new(
        Code::ImpossibleField,
        span,
        Wording::new(
            "无论怎么填，算出来的值都超出限制。请改限制，或改它读的字段的限制",
            "whatever is filled in, what this comes to is beyond the limits; change them, or the limits of what it reads",
        ),
    );
    match written.min.as_ref().or(written.max.as_ref()) {
        Some(limit) => found.context(limit.span, Wording::new("限制", "the limit")),
        None => found,
    }
}

fn between(span: Span, written: &syntax::Field, field: &Field) -> Diagnostic {
    let (zh, en) = match field.kind {
        FieldKind::Money => ("两位小数的金额", "amount of two decimal places"),
        _ => ("整数", "whole number"),
    };
    let found = Diagnostic::new(
        Code::ImpossibleField,
        span,
        Wording::new(
            format!("`min` 和 `max` 之间没有{zh}，什么都填不进去。请改其中一个"),
            format!("there is no {en} between `min` and `max`, so nothing fits; change one of them"),
        ),
    );
    match &written.min {
        Some(min) => found.context(min.span, Wording::new("最小", "the least")),
        None => found,
    }
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

/// What a value breaks of a field's limits and pattern, where these are fixed and can be kept.
pub(super) fn broken(field: &Field, value: &Value) -> Option<Broken> {
    if are_reversed(field) {
        return (!field.keeps_pattern(value)).then_some(Broken::Pattern);
    }
    let stands = |limit: &Option<Formula>| limit.as_ref().and_then(fixed).and_then(|limit| beside(value, &limit));
    if stands(&field.min).is_some_and(Ordering::is_lt) {
        return Some(Broken::Min);
    }
    if stands(&field.max).is_some_and(Ordering::is_gt) {
        return Some(Broken::Max);
    }
    (!field.keeps_pattern(value)).then_some(Broken::Pattern)
}
