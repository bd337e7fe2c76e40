//! Where the parts of processes are written. Apart from the definitions, as these are stored and compared without their
//! text.

use crate::diagnostics::Span;
use crate::model::id::{FieldName, ProcessId, StepId};
use std::collections::BTreeMap;

/// Where the parts of processes are written.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    pub(super) processes: BTreeMap<ProcessId, Span>,
    pub(super) steps: BTreeMap<(ProcessId, StepId), Span>,
    pub(super) fields: BTreeMap<(ProcessId, FieldName), Span>,
}

impl SourceMap {
    pub(super) fn add(&mut self, other: SourceMap) {
        self.processes.extend(other.processes);
        self.steps.extend(other.steps);
        self.fields.extend(other.fields);
    }

    /// Where a process is named.
    pub fn process(&self, process: &ProcessId) -> Option<Span> {
        self.processes.get(process).copied()
    }

    /// The whole text of a step.
    pub fn step(&self, process: &ProcessId, step: &StepId) -> Option<Span> {
        self.steps.get(&(process.clone(), step.clone())).copied()
    }

    /// The name of a field where it is declared.
    pub fn field(&self, process: &ProcessId, field: &FieldName) -> Option<Span> {
        self.fields.get(&(process.clone(), field.clone())).copied()
    }
}
