//! A case of a `single` process that calls the process itself for its own key, and waits: as it is open until that ends,
//! the call is refused every time. What is not awaited may begin once the case has ended, and is let be.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::control::Call;
use crate::model::definition::{Definition, StepKind};
use crate::model::formula::{Op, Read};
use crate::model::id::FieldName;
use crate::model::text::Wording;
use crate::syntax;
use std::collections::BTreeSet;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let definition = subject.definition;
    let Some(key) = definition.key.as_ref().filter(|_| definition.single) else { return };
    for placed in &subject.flow.steps {
        let syntax::StepKind::Call(written) = &placed.source.kind else { continue };
        let Some(StepKind::Call(call)) = definition.steps.get(&placed.id).map(|step| &step.kind) else { continue };
        if call.process != definition.process
            || call.detached
            || !is_passed_on(definition, call, key, &mut BTreeSet::new())
        {
            continue;
        }
        let at = written.with.iter().find(|(name, _)| name.value == key.as_str());
        diagnostics.push(
            Diagnostic::new(
                Code::RefusedCall,
                at.map_or(written.process.span, |(_, given)| given.span),
                Wording::new(
                    format!("同一个 `{key}` 只能有一个未结束的案例，而这个案例自己还没有结束，所以这里永远发起不了"),
                    format!(
                        "one case a `{key}` may be open, and this one still is, so the call would be refused every time"
                    ),
                ),
            )
            .hint(Wording::new(
                "请写 `detached: true` 作为最后一步，或发起另一个 `key` 的案例",
                "make it the last step, with `detached: true`, or call it for another key",
            )),
        );
    }
}

/// Whether a call of the process itself gives a field of its start form what the case holds in it. `seen` are those that
/// are computed from it: in a circle, which is told elsewhere, there is no end to them.
fn is_passed_on(definition: &Definition, call: &Call, name: &FieldName, seen: &mut BTreeSet<FieldName>) -> bool {
    if !seen.insert(name.clone()) {
        return false;
    }
    let computed = definition.form.get(name).and_then(|field| field.value.as_ref());
    match computed {
        Some(formula) => formula.reads.iter().all(|read| match read {
            Read::Field(read) => is_passed_on(definition, call, read, &mut seen.clone()),
            _ => false,
        }),
        None => call.with.get(name).is_some_and(|given| matches!(given.root.op(), Op::Field(of) if of == name)),
    }
}
