//! A step's form, or fields that it asks again, that several people fill in at once: the last would overwrite the others.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::definition::Mode;
use crate::model::text::Wording;
use crate::model::value::Type;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let Some(human) = subject.definition.steps.get(&placed.id).and_then(|step| step.human()) else { continue };
        let several = human.who.len() > 1 || human.who.iter().any(|who| matches!(who.of.of, Type::List(_)));
        let asked = placed.source.form.iter().map(|field| &field.name).chain(&placed.source.edit).next();
        let Some(asked) = asked else { continue };
        if several && human.mode == Mode::All {
            diagnostics.push(
                Diagnostic::new(
                    Code::SharedForm,
                    asked.span,
                    Wording::new(
                        "这一步要几个人都签，他们会同时填同一张表，后填的盖掉先填的。请让一个人填，或改成 `mode: any`",
                        "everybody must sign here, so they would fill in one form at the same time and overwrite each other; let one person fill it in, or use `mode: any`",
                    ),
                )
                .context(super::at(placed), Wording::new("这一步", "the step")),
            );
        }
    }
}
