//! Processes that call one another in a circle without waiting for anything first: each case would start the next
//! at once.

use super::Subject;
use crate::compile::waits::Idle;
use crate::diagnostics::{Code, Diagnostic};
use crate::model::graph::Node;
use crate::model::text::Wording;
use crate::syntax::StepKind;
use std::collections::BTreeSet;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(own) = subject.document.name.as_ref().map(|name| name.value.as_str()) else { return };
    if !subject.flow_known() {
        return;
    }
    let reached =
        Idle { document: subject.document, flow: subject.flow, definition: Some(subject.definition) }.reached();
    for placed in &subject.flow.steps {
        let StepKind::Call(call) = &placed.source.kind else { continue };
        if !reached.contains(&Node::Step(placed.id.clone())) {
            continue;
        }
        let Some(ring) = ring(subject, own, call.process.value.as_str()) else { continue };
        // Each process of a circle would tell it: the first by name does.
        if ring.iter().any(|other| *other < own) {
            continue;
        }
        let shown = ring.iter().copied().chain([own]).collect::<Vec<_>>().join(" → ");
        diagnostics.push(
            Diagnostic::new(
                Code::EndlessCall,
                call.process.span,
                Wording::new(
                    format!("流程互相发起绕成了圈，中间没有一步等人：{own} → {shown}。一旦开始就没完没了"),
                    format!("these processes start one another in a circle and none waits for anybody first: {own} → {shown}; once begun it would never stop"),
                ),
            )
            .hint(Wording::new(
                "请在发起之前放一个没有 `when` 的 `approve`、`task` 或 `wait`，或改成不再发起",
                "put an `approve`, `task` or `wait` without `when` before the call, or do without it",
            )),
        );
    }
}

/// The processes from `first` on that lead back to `own`, without `own`.
fn ring<'a>(subject: &Subject<'a>, own: &str, first: &'a str) -> Option<Vec<&'a str>> {
    fn visit<'a>(
        subject: &Subject<'a>,
        own: &str,
        at: &'a str,
        path: &mut Vec<&'a str>,
        seen: &mut BTreeSet<&'a str>,
    ) -> bool {
        if at == own {
            return true;
        }
        if !seen.insert(at) {
            return false;
        }
        path.push(at);
        let calls = subject.world.callees.get(at).map_or(&[][..], |callee| callee.calls_at_once.as_slice());
        if calls.iter().any(|next| visit(subject, own, next, path, seen)) {
            return true;
        }
        path.pop();
        false
    }
    let mut path = Vec::new();
    visit(subject, own, first, &mut path, &mut BTreeSet::new()).then_some(path)
}
