//! A time limit that is over before it begins.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::expression::fixed;
use crate::model::text::Wording;
use crate::model::time::Duration;
use crate::model::value::Value;
use rust_decimal::Decimal;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let Some(human) = subject.definition.steps.get(&placed.id).and_then(|step| step.human()) else { continue };
        let (Some(due), Some(written)) = (&human.due, &placed.source.due) else { continue };
        let none = match fixed(due) {
            Some(Value::Duration(Duration::Seconds(seconds))) => seconds <= Decimal::ZERO,
            Some(Value::Duration(
                Duration::Months(length) | Duration::WorkingDays(length) | Duration::WorkingMinutes(length),
            )) => length <= 0,
            _ => false,
        };
        if none {
            diagnostics.push(Diagnostic::new(
                Code::NoTime,
                written.span,
                Wording::new(
                    "这个期限一交办就已经过了。请写正数，例如 `2 working days`",
                    "this is over as soon as the step is assigned; write a length above zero, such as `2 working days`",
                ),
            ));
        }
    }
}
