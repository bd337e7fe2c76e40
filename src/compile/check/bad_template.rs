//! A mail template that does not exist, or that does not work for this process.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic, suggest};
use crate::model::text::Wording;
use crate::syntax::StepKind;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let StepKind::Notify { template: Some(template), .. } = &placed.source.kind else { continue };
        let (name, span) = (&template.value, template.span);
        let known = subject.world.templates.names();
        if !known.contains(name) {
            let names = known.iter().map(String::as_str);
            diagnostics.push(match suggest::closest(name, names) {
                Some(close) => Diagnostic::new(
                    Code::UnknownTemplate,
                    span,
                    Wording::new(
                        format!("没有叫 `{name}` 的邮件模板，是不是 `{close}`？"),
                        format!("there is no mail template `{name}`; did you mean `{close}`?"),
                    ),
                )
                .fix_word(span, close),
                None => Diagnostic::new(
                    Code::UnknownTemplate,
                    span,
                    Wording::new(
                        format!("没有叫 `{name}` 的邮件模板。请加上 `templates/mail/{name}.txt`，或删掉 `template` 用自带的通知"),
                        format!("there is no mail template `{name}`; add `templates/mail/{name}.txt`, or delete `template` to use the built-in notice"),
                    ),
                ),
            });
            continue;
        }
        for fault in subject.world.templates.faults(name, subject.definition) {
            let place = fault.line.map_or_else(|| fault.file.clone(), |line| format!("{}:{line}", fault.file));
            diagnostics.push(Diagnostic::new(
                Code::BadTemplate,
                span,
                Wording::new(
                    format!("邮件模板 `{name}` 在这里用不了（{place}）：{}", fault.message.zh),
                    format!("the mail template `{name}` does not work here ({place}): {}", fault.message.en),
                ),
            ));
        }
    }
}
