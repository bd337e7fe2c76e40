//! A jump into a list of steps from outside.
//!
//! Leaving a list cancels what runs in it, so jumps outwards are safe. A jump inwards would skip what the list
//! begins with and the choice that leads to it.

use super::Subject;
use crate::compile::lower::Found;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::graph::Node;
use crate::model::id::StepId;
use crate::model::text::Wording;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for jump in subject.flow.jumps.iter().filter(|jump| jump.found == Found::Inside) {
        let name = &jump.target.name;
        let step = StepId::from(name.as_str());
        let graph = &subject.flow.graph;
        let block = graph.block_of(&Node::Step(step.clone())).and_then(|block| graph.block_at(block));
        let holder = block.and_then(|block| block.of.clone());
        let mut found = Diagnostic::new(
            Code::JumpIntoBlock,
            jump.target.span,
            Wording::new(
                format!("`{name}` 在另一组步骤里面，不能从外面跳进去。只能跳到同一组或外层的步骤"),
                format!(
                    "`{name}` stands inside another list of steps and cannot be jumped into; jump to a step of the same list or one around it"
                ),
            ),
        );
        if let Some(there) = subject.at(&step) {
            found = found.context(there, Wording::new("要跳到的步骤", "the step that is meant"));
        }
        if let Some(holder) = holder {
            found = found.hint(Wording::new(
                format!("可以跳到 `{holder}`，由它再决定走哪一组"),
                format!("jump to `{holder}`, which decides again where to go"),
            ));
        }
        diagnostics.push(found);
    }
}
