//! A field of `data` that no step writes: it is empty for ever.

use super::Folder;
use crate::diagnostics::{Code, Diagnostic, Sources};
use crate::model::definition::{Definition, Step, StepKind};
use crate::model::id::FieldName;
use crate::model::text::Wording;

pub(super) fn check(folder: &Folder<'_>, _: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    for definition in folder.definitions {
        for (name, _) in definition.data.iter().filter(|(name, _)| !is_written(definition, name)) {
            let Some(span) = folder.source_map.field(&definition.process, name) else { continue };
            diagnostics.push(
                Diagnostic::new(
                    Code::UnwrittenField,
                    span,
                    Wording::new(
                        format!("没有哪一步写 `{name}`，所以它一直是空的。请用 `set` 或 `take` 写它，或删掉它"),
                        format!("no step writes `{name}`, so it is always empty; write it with `set` or `take`, or delete it"),
                    ),
                )
                .hint(Wording::new(
                    "要由人填写的字段放在 `form` 里",
                    "a field that people fill in belongs in a `form`",
                )),
            );
        }
    }
}

/// Whether a field of `data` ever holds anything.
pub(super) fn is_written(definition: &Definition, name: &FieldName) -> bool {
    let starts = definition.data.get(name).is_some_and(|field| field.default.is_some() || field.value.is_some());
    starts || definition.steps.values().any(|step| writes(step, name))
}

fn writes(step: &Step, name: &FieldName) -> bool {
    match &step.kind {
        StepKind::Approve(human) | StepKind::Task(human) => human.edit.contains(name),
        StepKind::Set(values) => values.contains_key(name),
        StepKind::Table(look_up) => look_up.take.contains_key(name),
        StepKind::Call(call) => call.take.contains_key(name),
        StepKind::Receive(receive) => receive.take.contains_key(name),
        StepKind::Http(http) => http.take.contains_key(name),
        StepKind::Job(job) => job.take.contains_key(name),
        StepKind::Each(each) => each.list == *name,
        StepKind::Choose(_) | StepKind::Notify(_) | StepKind::End(_) => false,
        StepKind::Parallel(_) | StepKind::Race | StepKind::Wait(_) => false,
    }
}
