//! Processes that call one another in a circle: at once, without waiting for anything first, so that each case would
//! start the next; or on every way, so that each would wait for one that waits in its turn, and none ends.

use super::Subject;
use crate::compile::callee::Callee;
use crate::compile::waits::Idle;
use crate::diagnostics::{Code, Diagnostic, Span, Spanned};
use crate::model::graph::Node;
use crate::model::text::Wording;
use crate::syntax::StepKind;
use std::collections::BTreeSet;

/// Which processes a called one calls.
type Calls = for<'c, 'a> fn(&'c Callee<'a>) -> &'c [&'a str];

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(own) = subject.document.name.as_ref().map(|name| name.value.as_str()) else { return };
    let reached =
        Idle { document: subject.document, flow: subject.flow, definition: Some(subject.definition), at_once: None }
            .reached();
    for placed in &subject.flow.steps {
        let StepKind::Call(call) = &placed.source.kind else { continue };
        let process = call.process.value.as_str();
        // What comes first may wait for somebody where it was not understood.
        let before = Span { start: subject.document.key_span.start, ..placed.source.span };
        let at_once = reached.contains(&Node::Step(placed.id.clone())) && subject.flow_known_in(before);
        if at_once && let Some(ring) = first_of(subject, own, process, |callee| &callee.calls_at_once) {
            diagnostics.push(at_once_again(&call.process, &shown(own, &ring)));
            continue;
        }
        let always = subject.flow_known()
            && subject.world.callees.get(own).is_some_and(|own| own.calls_always.contains(&process));
        if always && let Some(ring) = first_of(subject, own, process, |callee| &callee.calls_always) {
            diagnostics.push(always_again(&call.process, &shown(own, &ring)));
        }
    }
}

fn at_once_again(at: &Spanned<String>, ring: &str) -> Diagnostic {
    Diagnostic::new(
        Code::EndlessCall,
        at.span,
        Wording::new(
            format!("流程互相发起绕成了圈，中间没有一步等人：{ring}。一旦开始就没完没了"),
            format!("these processes start one another in a circle and none waits for anybody first: {ring}; once begun it would never stop"),
        ),
    )
    .hint(Wording::new(
        "请在发起之前放一个没有 `when` 的 `approve`、`task` 或 `wait`，或改成不再发起",
        "put an `approve`, `task` or `wait` without `when` before the call, or do without it",
    ))
}

fn always_again(at: &Spanned<String>, ring: &str) -> Diagnostic {
    Diagnostic::new(
        Code::EndlessCall,
        at.span,
        Wording::new(
            format!("流程互相发起绕成了圈，怎么走都要再发起一次并等它结束：{ring}。只要没有人不同意，就永远办不完"),
            format!("these processes call one another in a circle and wait, whichever way a case takes: {ring}; unless somebody rejects, none of them would ever end"),
        ),
    )
    .hint(Wording::new(
        "请给发起写上 `when`，让它有停下来的时候，或写 `detached: true` 不等它",
        "give the call a `when`, so that it comes to a stop some time, or do not wait for it: `detached: true`",
    ))
}

fn shown(own: &str, ring: &[&str]) -> String {
    [own].into_iter().chain(ring.iter().copied()).chain([own]).collect::<Vec<_>>().join(" → ")
}

/// A circle that leads back to `own`. Each process of it would tell it: the first by name does.
fn first_of<'a>(subject: &Subject<'a>, own: &str, first: &'a str, calls: Calls) -> Option<Vec<&'a str>> {
    ring(subject, own, first, calls).filter(|ring| ring.iter().all(|other| *other >= own))
}

/// The processes from `first` on that lead back to `own`, without `own`.
fn ring<'a>(subject: &Subject<'a>, own: &str, first: &'a str, calls: Calls) -> Option<Vec<&'a str>> {
    fn visit<'a>(
        subject: &Subject<'a>,
        own: &str,
        at: &'a str,
        calls: Calls,
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
        let called = subject.world.callees.get(at).map_or(&[][..], calls);
        if called.iter().any(|next| visit(subject, own, next, calls, path, seen)) {
            return true;
        }
        path.pop();
        false
    }
    let mut path = Vec::new();
    visit(subject, own, first, calls, &mut path, &mut BTreeSet::new()).then_some(path)
}
