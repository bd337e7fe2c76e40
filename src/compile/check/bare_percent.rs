//! A limit or default of a percentage that is written without its sign: `25` is 2500 %.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::fixed;
use crate::model::form::{Field, FieldKind};
use crate::model::formula::Formula;
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::syntax::{self, FeelText};
use rust_decimal::Decimal;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    subject.each_field(&mut |written, field| diagnostics.extend(of(written, field)));
}

/// What is said of the limits of a field or a column.
pub(super) fn of(written: &syntax::Field, field: &Field) -> Vec<Diagnostic> {
    if field.kind != FieldKind::Percent {
        return Vec::new();
    }
    let keys: [(&Option<FeelText>, &Option<Formula>); 3] =
        [(&written.min, &field.min), (&written.max, &field.max), (&written.default, &field.default)];
    let meant = keys.into_iter().filter_map(|(text, formula)| Some((text.as_ref()?, formula.as_ref()?)));
    meant.filter_map(|(text, formula)| without_sign(text, formula)).collect()
}

fn without_sign(text: &FeelText, formula: &Formula) -> Option<Diagnostic> {
    let bare = text.text.trim();
    let Some(Value::Number(number)) = fixed(formula) else { return None };
    // Up to double a number may be meant as it stands.
    if number.abs() <= Decimal::TWO || bare.parse::<Decimal>().is_err() {
        return None;
    }
    let shown = (number * Decimal::ONE_HUNDRED).normalize();
    let meant = format!("{bare} %");
    Some(
        Diagnostic::new(
            Code::BarePercent,
            text.span,
            Wording::new(
                format!("`{bare}` 是 {shown} %，是不是 `{meant}`？"),
                format!("`{bare}` is {shown} %; did you mean `{meant}`?"),
            ),
        )
        .fix_word(text.span, meant),
    )
}
