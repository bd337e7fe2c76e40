//! The ways by which tests name steps and called cases: `guests/2/invite`, `hire/interview`.
//!
//! A way starts at the process of the test; a `call` in the middle of it leads into the process that is called.

use super::inside;
use super::lower::Lowering;
use super::unknown::no_step;
use super::{Part, Path};
use crate::diagnostics::{Code, Span, Spanned};
use crate::model::definition::{Definition, StepKind};
use crate::model::id::ProcessId;
use crate::model::text::Wording;

/// What the start form of a called case is named by, where a step could be.
pub(crate) const START: &str = "start";

impl<'a> Lowering<'a> {
    /// The way to a step or, where `case`, to a called process; with the process that the last part is of.
    pub(super) fn path(&mut self, written: &Spanned<String>) -> Option<(Path, &'a Definition)> {
        let mut definition = self.definition?;
        let mut parts = Vec::new();
        let words: Vec<&str> = written.value.split('/').collect();
        for (number, word) in words.iter().enumerate() {
            let last = number + 1 == words.len();
            let at = place_in(written, &words, number);
            if let (Ok(row), Some(Part::Step(each))) = (word.parse::<u32>(), parts.last())
                && row > 0
            {
                if let Some(fault) = inside::bad_row((at, written.span), (each, row), last, definition) {
                    self.diagnostics.push(fault);
                    return None;
                }
                parts.push(Part::Row(row));
                continue;
            }
            let Some((id, step)) = definition.steps.get_key_value(*word) else {
                // What a caller left open of the start form is filled in at no step.
                if last && *word == START {
                    parts.push(Part::Step(START.into()));
                    continue;
                }
                let known: Vec<&str> = definition.steps.keys().map(|id| id.as_str()).collect();
                let fault = no_step(at, word, &known, definition);
                let next = words.get(number + 1).and_then(|next| definition.steps.get_key_value(*next));
                let offer = next.map(|(next, _)| inside::write(definition, next));
                self.diagnostics.push(fault.hint_if(offer));
                return None;
            };
            if let Some(fault) = inside::elsewhere((at, written.span), &parts, id, last, definition) {
                self.diagnostics.push(fault);
                return None;
            }
            match callee(&step.kind) {
                Some(process) if !last => {
                    parts.push(Part::Call(id.clone()));
                    definition = self.ground.definitions.iter().find(|one| one.process == *process)?;
                }
                _ => parts.push(Part::Step(id.clone())),
            }
        }
        Some((Path { span: written.span, parts }, definition))
    }

    /// The way to a case: `develop`; the first where `None`.
    pub(super) fn case(&mut self, written: Option<&Spanned<String>>, here: Span) -> Option<(Path, &'a Definition)> {
        let Some(written) = written else { return Some((Path::here(here), self.definition?)) };
        let (mut path, definition) = self.path(written)?;
        let called = match path.parts.last() {
            Some(Part::Step(id)) => definition.steps.get(id).and_then(|step| callee(&step.kind)).map(|one| (id, one)),
            _ => None,
        };
        let Some((id, process)) = called else {
            self.report(
                Code::BadValue,
                written.span,
                Wording::new(
                    format!("`case` 要写一个 `call` 步骤，`{}` 不是", written.value),
                    format!("`case` names a step that calls a process, and `{}` is none", written.value),
                ),
            );
            return None;
        };
        let id = id.clone();
        path.parts.pop();
        path.parts.push(Part::Call(id));
        let definition = self.ground.definitions.iter().find(|one| one.process == *process)?;
        Some((path, definition))
    }

    /// The definition that the last part of a way is of.
    pub(super) fn owner(&self, path: &Path) -> Option<&'a Definition> {
        let mut definition = self.definition?;
        for part in &path.parts {
            if let Part::Call(id) = part
                && let Some(process) = definition.steps.get(id).and_then(|step| callee(&step.kind))
            {
                let found = self.ground.definitions.iter().find(|one| one.process == *process);
                definition = found.unwrap_or(definition);
            }
        }
        Some(definition)
    }
}

/// The process that a step calls.
pub(super) fn callee(kind: &StepKind) -> Option<&ProcessId> {
    match kind {
        StepKind::Call(call) => Some(&call.process),
        _ => None,
    }
}

/// What kind of step a way leads to.
pub(super) fn last_kind<'a>(path: &Path, definition: &'a Definition) -> Option<&'a StepKind> {
    path.step().and_then(|id| definition.steps.get(id)).map(|step| &step.kind)
}

/// Where the word with this number stands in a way.
fn place_in(written: &Spanned<String>, words: &[&str], number: usize) -> Span {
    let whole = written.span;
    // In quotes, or with escapes: the whole.
    if (whole.end - whole.start) as usize != written.value.len() {
        return whole;
    }
    let start = whole.start as usize + words.iter().take(number).map(|word| word.len() + 1).sum::<usize>();
    let length = words.get(number).map_or(0, |word| word.len());
    Span::new(whole.source, start, start + length)
}
