//! The ways by which tests name steps and called cases: `guests/2/invite`, `hire/interview`.
//!
//! A way starts at the process of the test; a `call` in the middle of it leads into the process that is called.

use super::inside;
use super::lower::Lowering;
use super::unknown::no_step;
use super::{Part, Path};
use crate::diagnostics::{Code, Span, Spanned, suggest};
use crate::model::definition::{Definition, Human, Step, StepKind};
use crate::model::id::ProcessId;
use crate::model::text::Wording;

/// What the start form of a called case is named by, where a step could be.
pub(crate) const START: &str = "start";

/// Where a way leads.
pub(super) struct At<'a> {
    pub(super) path: Path,
    /// The process that the last part is of.
    pub(super) definition: &'a Definition,
    /// Whether it leads there as it is written, and not as it is meant.
    pub(super) sure: bool,
}

impl<'a> At<'a> {
    /// What kind of step it leads to.
    pub(super) fn kind(&self) -> Option<&'a StepKind> {
        self.path.step().and_then(|id| self.definition.steps.get(id)).map(|step| &step.kind)
    }

    /// What the step says of people, if it asks any.
    pub(super) fn human(&self) -> Option<&'a Human> {
        self.path.step().and_then(|id| self.definition.steps.get(id)).and_then(Step::human)
    }
}

impl<'a> Lowering<'a> {
    /// The way to a step or to a called process. A step that is misspelt is told, and read as it is meant.
    pub(super) fn path(&mut self, written: &Spanned<String>) -> Option<At<'a>> {
        let mut definition = self.definition?;
        let mut parts = Vec::new();
        let mut sure = true;
        let words: Vec<&str> = written.value.split('/').collect();
        for (number, word) in words.iter().enumerate() {
            let last = number + 1 == words.len();
            let at = place_in(written, &words, number);
            if let (Ok(row), Some(Part::Step(each))) = (word.parse::<u32>(), parts.last())
                && row > 0
            {
                if let Some(fault) = inside::bad_row((at, written.span), (each, row), last, definition) {
                    self.diagnostics.extend(Some(fault).filter(|_| sure));
                    return None;
                }
                parts.push(Part::Row(row));
                continue;
            }
            let mut found = definition.steps.get_key_value(*word);
            if found.is_none() {
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
                found = suggest::closest(word, known).and_then(|meant| definition.steps.get_key_value(meant));
                sure = false;
            }
            let (id, step) = found?;
            if let Some(fault) = inside::elsewhere((at, written.span), &parts, id, last, definition) {
                self.diagnostics.extend(Some(fault).filter(|_| sure));
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
        Some(At { path: Path { span: written.span, parts }, definition, sure })
    }

    /// The way to a case: `develop`; the first where `None`.
    pub(super) fn case(&mut self, written: Option<&Spanned<String>>, here: Span) -> Option<At<'a>> {
        let Some(written) = written else {
            return Some(At { path: Path::here(here), definition: self.definition?, sure: true });
        };
        let At { mut path, definition, sure } = self.path(written)?;
        let called = match path.parts.last() {
            Some(Part::Step(id)) => definition.steps.get(id).and_then(|step| callee(&step.kind)).map(|one| (id, one)),
            _ => None,
        };
        let Some((id, process)) = called else {
            if !sure {
                return None;
            }
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
        Some(At { path, definition, sure })
    }
}

/// The process that a step calls.
fn callee(kind: &StepKind) -> Option<&ProcessId> {
    match kind {
        StepKind::Call(call) => Some(&call.process),
        _ => None,
    }
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
