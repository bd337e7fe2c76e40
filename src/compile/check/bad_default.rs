//! A default that the field itself refuses: every start that leaves it as it is would fail.

use super::Subject;
use super::impossible_field::{Broken, broken};
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::fixed;
use crate::model::form::FieldKind;
use crate::model::text::Wording;
use crate::model::value::Value;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    subject.each_field(&mut |written, field| {
        if !subject.reading.field(&written.name.value) {
            return;
        }
        let (Some(text), Some(value)) = (&written.default, field.default.as_ref().and_then(fixed)) else { return };
        let fraction =
            field.kind == FieldKind::Integer && matches!(&value, Value::Number(number) if !number.is_integer());
        let broken = broken(field, &value);
        let (zh, en) = match broken {
            _ if fraction => ("不是整数", "no whole number"),
            Some(Broken::Min) => ("比 `min` 小", "less than `min`"),
            Some(Broken::Max) => ("比 `max` 大", "more than `max`"),
            Some(Broken::Pattern) => ("不符合 `pattern`", "not in the form of `pattern`"),
            None => return,
        };
        let found = Diagnostic::new(
            Code::BadDefault,
            text.span,
            Wording::new(
                format!("这个默认值{zh}，谁不改它就提交不了"),
                format!("this default is {en}, so nobody can hand the form in without changing it"),
            ),
        );
        let limit = match broken {
            Some(Broken::Min) => written.min.as_ref(),
            Some(Broken::Max) => written.max.as_ref(),
            Some(Broken::Pattern) | None => None,
        };
        diagnostics.push(match limit {
            Some(limit) => found.context(limit.span, Wording::new("限制", "the limit")),
            None => found,
        });
    });
}
