//! A field that nothing reads and that nobody is shown.
//!
//! A step shows all fields unless it says otherwise, and a mail tells its reader all of them. So a field is of no use
//! where every step that shows anything leaves it out; what the last step asks is a record, and a record is a use.

use super::{Folder, unwritten_field};
use crate::compile::typing::fields_read;
use crate::diagnostics::{Code, Diagnostic, Sources};
use crate::model::definition::{Definition, Step, StepKind};
use crate::model::form::{Field, FieldKind, Form};
use crate::model::formula::Formula;
use crate::model::graph::Node;
use crate::model::id::{FieldName, ProcessId, StepId};
use crate::model::metric::Metric;
use crate::model::text::Wording;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(folder: &Folder<'_>, _: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    let mut taken = taken(folder.definitions);
    for source in folder.metrics.iter().flat_map(Metric::sources) {
        taken.entry(&source.of).or_default().extend(source.formulas().into_iter().flat_map(fields_read));
    }
    for definition in folder.definitions {
        let shows: Vec<(&StepId, Shows<'_>)> =
            definition.steps.iter().filter_map(|(id, step)| Some((id, shows(step)?))).collect();
        // What every step shows that shows anything is of use.
        if shows.iter().all(|(_, shows)| matches!(shows, Shows::All)) {
            continue;
        }
        let mut read = read(definition);
        read.extend(taken.get(&definition.process).into_iter().flatten());
        let mut tell = |name: &FieldName| {
            if let Some(span) = folder.source_map.field(&definition.process, name) {
                diagnostics.push(unused(name, span));
            }
        };
        let written = definition.data.keys().filter(|name| unwritten_field::is_written(definition, name));
        for name in definition.form.keys().chain(written).filter(|name| !read.contains(*name)) {
            if !shows.iter().any(|(_, shows)| shows.field(name)) {
                tell(name);
            }
        }
        for (id, step) in definition.steps.iter().filter(|(id, _)| !definition.is_in_row(id)) {
            let Some(human) = step.human() else { continue };
            for name in human.form.keys().filter(|name| !read.contains(*name)) {
                let later = later(definition, id);
                let mut after = shows.iter().filter(|(step, _)| *step != id && later.contains(*step)).peekable();
                if after.peek().is_some() && !after.any(|(_, shows)| shows.field(name)) {
                    tell(name);
                }
            }
        }
    }
}

fn unused(name: &FieldName, span: crate::diagnostics::Span) -> Diagnostic {
    Diagnostic::new(
        Code::UnusedField,
        span,
        Wording::new(
            format!(
                "`{name}` 没有用处：没有表达式读它，也没有哪一步让人看到它。请删掉它，或在某一步的 `show` 里写上它"
            ),
            format!(
                "nothing uses `{name}`: no expression reads it and no step shows it to anybody; delete it, or name it in a `show`"
            ),
        ),
    )
}

/// What a step shows to people or programs.
enum Shows<'a> {
    All,
    Only(&'a [FieldName]),
}

impl Shows<'_> {
    fn field(&self, name: &FieldName) -> bool {
        match self {
            Shows::All => true,
            Shows::Only(names) => names.contains(name),
        }
    }
}

fn shows(step: &Step) -> Option<Shows<'_>> {
    match &step.kind {
        StepKind::Approve(human) | StepKind::Task(human) => match &human.show {
            Some(names) if human.copy.is_empty() => Some(Shows::Only(names)),
            _ => Some(Shows::All),
        },
        StepKind::Notify(_) => Some(Shows::All),
        // A worker gets all fields where `with` does not choose.
        StepKind::Job(job) if job.with.is_empty() => Some(Shows::All),
        _ => None,
    }
}

/// The fields that something of the process reads, other than the field itself.
fn read(definition: &Definition) -> BTreeSet<&FieldName> {
    let mut found: BTreeSet<&FieldName> = definition.key.iter().chain(&definition.about).collect();
    found.extend(definition.schedule.iter().flat_map(|schedule| &schedule.by).flat_map(fields_read));
    let forms = [&definition.form, &definition.data].into_iter();
    let forms = forms.chain(definition.steps.values().filter_map(Step::human).map(|human| &human.form));
    for (name, field) in forms.flatten() {
        found.extend(of_field(field).into_iter().flat_map(fields_read).filter(|read| *read != name));
    }
    for step in definition.steps.values() {
        let own: BTreeSet<*const Formula> =
            step.human().iter().flat_map(|human| of_form(&human.form)).map(std::ptr::from_ref).collect();
        let others = step.formulas().into_iter().filter(|formula| !own.contains(&std::ptr::from_ref(*formula)));
        found.extend(others.flat_map(fields_read));
        found.extend(step.human().iter().flat_map(|human| &human.depends_on));
    }
    found
}

pub(super) fn of_form(form: &Form) -> Vec<&Formula> {
    form.values().flat_map(of_field).collect()
}

fn of_field(field: &Field) -> Vec<&Formula> {
    let own = [&field.when, &field.default, &field.value, &field.min, &field.max];
    let mut found: Vec<&Formula> = own.into_iter().flatten().collect();
    found.extend(field.check.as_ref().map(|check| &check.that));
    match &field.kind {
        FieldKind::Person(among) => found.extend(among),
        FieldKind::List(columns) => found.extend(of_form(columns)),
        _ => {}
    }
    found
}

/// What callers take of each process.
fn taken(definitions: &[Definition]) -> BTreeMap<&ProcessId, BTreeSet<&FieldName>> {
    let mut found: BTreeMap<&ProcessId, BTreeSet<&FieldName>> = BTreeMap::new();
    for step in definitions.iter().flat_map(|definition| definition.steps.values()) {
        if let StepKind::Call(call) = &step.kind {
            found.entry(&call.process).or_default().extend(call.take.values().flat_map(fields_read));
        }
    }
    found
}

/// The steps that can come after a step.
fn later<'d>(definition: &'d Definition, id: &StepId) -> BTreeSet<&'d StepId> {
    let next = |node: &Node| definition.graph.edges_from(node).into_iter().map(|(_, to)| to).collect::<Vec<_>>();
    let (mut seen, mut queue) = (BTreeSet::new(), next(&Node::Step(id.clone())));
    while let Some(node) = queue.pop() {
        if seen.insert(node) {
            queue.extend(next(node));
        }
    }
    seen.into_iter().filter_map(super::step_of).collect()
}
