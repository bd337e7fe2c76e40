//! Two steps of one name: a jump or `steps.x` could not tell them apart.

use super::Subject;
use crate::compile::lower::NEXT;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::text::Wording;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (second, first) in &subject.flow.repeated {
        let (Some(here), Some(there)) = (&second.id, &first.id) else { continue };
        let name = &here.value;
        diagnostics.push(
            Diagnostic::new(
                Code::RepeatedName,
                here.span,
                Wording::new(
                    format!("已经有一个步骤叫 `{name}`，请换一个名称"),
                    format!("there is a step `{name}` already; give this one another name"),
                ),
            )
            .context(there.span, Wording::new("第一个", "the first one")),
        );
    }
    for id in subject.flow.steps.iter().filter_map(|placed| placed.source.id.as_ref()) {
        if id.value == NEXT {
            diagnostics.push(Diagnostic::new(
                Code::AmbiguousName,
                id.span,
                Wording::new(
                    "`next` 表示“接下来的一步”，步骤请换个名称",
                    "`next` means whatever follows; give the step another name",
                ),
            ));
        }
    }
}
