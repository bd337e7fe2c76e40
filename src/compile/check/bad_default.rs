//! A default that the field itself refuses: every start that leaves it as it is would fail.

use super::Subject;
use super::impossible_field::refuses;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::fixed;
use crate::model::form::FieldKind;
use crate::model::text::Wording;
use crate::model::value::Value;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !subject.whole {
        return;
    }
    subject.each_field(&mut |written, field| {
        let (Some(text), Some(value)) = (&written.default, field.default.as_ref().and_then(fixed)) else { return };
        let fraction =
            field.kind == FieldKind::Integer && matches!(&value, Value::Number(number) if !number.is_integer());
        let why = match fraction {
            true => Some(Wording::new("不是整数", "no whole number")),
            false => refuses(field, &value),
        };
        let Some(why) = why else { return };
        let found = Diagnostic::new(
            Code::BadDefault,
            text.span,
            Wording::new(
                format!("这个默认值{}，谁不改它就提交不了", why.zh),
                format!("this default is {}, so nobody can hand the form in without changing it", why.en),
            ),
        );
        let limit = written
            .min
            .as_ref()
            .filter(|_| why.en.contains("less"))
            .or(written.max.as_ref().filter(|_| why.en.contains("more")));
        diagnostics.push(match limit {
            Some(limit) => found.context(limit.span, Wording::new("限制", "the limit")),
            None => found,
        });
    });
}
