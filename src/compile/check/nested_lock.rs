//! A step with a lock inside a block with a lock: they could wait for each other for ever.
//!
//! A lock is given back when its step is done, and a step inside a locked block begins before that block is done.
//! So whoever holds a lock never waits for one, and none is held for ever.

use super::Subject;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::graph::Node;
use crate::model::text::Wording;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let graph = &subject.flow.graph;
    for placed in &subject.flow.steps {
        let Some(lock) = &placed.source.lock else { continue };
        let mut at = graph.block_of(&Node::Step(placed.id.clone()));
        while let Some(block) = at.and_then(|number| graph.block_at(number)) {
            let outer = block.of.as_ref().and_then(|of| subject.placed(of)).and_then(|of| of.source.lock.as_ref());
            if let Some(outer) = outer {
                diagnostics.push(
                    Diagnostic::new(
                        Code::NestedLock,
                        lock.span,
                        Wording::new(
                            "外面的步骤已经占着锁，里面再要锁可能永远等不到。请只在一层写 `lock`",
                            "the step around this one holds a lock already, and the two could wait for each other for ever; write `lock` on one of them only",
                        ),
                    )
                    .context(outer.span, Wording::new("外面的锁", "the lock around it")),
                );
                break;
            }
            at = block.parent;
        }
    }
}
