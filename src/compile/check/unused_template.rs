//! A mail template of the folder that no `notify` names.

use super::Folder;
use crate::diagnostics::{Code, Diagnostic, Sources, Span};
use crate::model::definition::StepKind;
use crate::model::text::Wording;

pub(super) fn check(folder: &Folder<'_>, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    if folder.definitions.is_empty() {
        return;
    }
    let used = |name: &str| {
        folder.definitions.iter().flat_map(|definition| definition.steps.values()).any(|step| match &step.kind {
            StepKind::Notify(notify) => notify.template.as_deref() == Some(name),
            _ => false,
        })
    };
    for own in folder.templates.own().into_iter().filter(|own| !used(&own.name)) {
        let first = own.text.find('\n').unwrap_or(own.text.len());
        let span = Span::new(sources.add(own.file, own.text), 0, first);
        let name = own.name;
        diagnostics.push(Diagnostic::new(
            Code::UnusedTemplate,
            span,
            Wording::new(
                format!("没有流程用到邮件模板 `{name}`。请在 `notify` 里写 `template: {name}`，或删掉这个模板"),
                format!("no process uses the mail template `{name}`; write `template: {name}` in a `notify`, or delete the template"),
            ),
        ));
    }
}
