//! A call that does not say what happens when the other process is rejected, withdrawn or cancelled, or does not begin
//! as another case of its key is open.

use super::Subject;
use crate::compile::outcomes::OTHERWISE;
use crate::diagnostics::{Code, Diagnostic, quoted_list};
use crate::model::definition::outcome;
use crate::model::text::Wording;
use crate::syntax::StepKind;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for placed in &subject.flow.steps {
        let step = placed.source;
        let StepKind::Call(call) = &step.kind else { continue };
        let Some(callee) = subject.world.callees.get(call.process.value.as_str()) else { continue };
        let led = |name: &str| step.on.iter().any(|(outcome, _)| outcome.value == name);
        if call.detached || led(OTHERWISE) || !subject.reading.step(call.process.span) {
            continue;
        }
        let bad = [outcome::REJECTED, outcome::WITHDRAWN, outcome::CANCELLED, outcome::REFUSED];
        let open: Vec<&str> =
            bad.into_iter().filter(|name| callee.outcomes.iter().any(|known| known == name) && !led(name)).collect();
        if open.is_empty() {
            continue;
        }
        let listed = quoted_list(open);
        diagnostics.push(
            Diagnostic::new(
                Code::UnhandledOutcome,
                call.process.span,
                Wording::new(
                    format!("`{}` 也可能以 {} 结束，那时怎么办？请在 `on` 里写明", call.process.value, listed.zh),
                    format!(
                        "`{}` can also end as {}, and nobody has said what happens then; say it with `on`",
                        call.process.value, listed.en
                    ),
                ),
            )
            .hint(Wording::new("on: { otherwise: next }", "on: { otherwise: next }")),
        );
    }
}
