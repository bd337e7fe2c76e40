//! A circle of steps in which nothing waits: it would run for ever in one go.
//!
//! A step that people answer waits, and so does one that waits for a time, a message or a worker, so a circle through
//! one is fine. One that may be skipped proves nothing, nor does another system that may answer at once.

use super::{Subject, called, step_of};
use crate::compile::waits::Idle;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::model::graph::Node;
use crate::model::id::StepId;
use crate::model::text::Wording;
use crate::syntax::{Call, StepKind};
use std::collections::BTreeSet;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for target in &subject.flow.circles {
        diagnostics.push(Diagnostic::new(
            Code::EndlessLoop,
            target.span,
            Wording::new(
                format!("这里跳到 `{}`，又跳回这里，永远走不出去", target.name),
                format!("this jumps to `{}`, which jumps back here for ever", target.name),
            ),
        ));
    }
    // A jump that leads nowhere yet opens no circle of others.
    for ring in rings(subject).into_iter().filter(|ring| is_known(subject, ring)) {
        let names: Vec<String> = ring.iter().filter_map(|id| subject.placed(id)).map(called).collect();
        let Some(span) = ring.first().and_then(|id| subject.at(id)) else { continue };
        let shown = names.iter().chain(names.first()).map(String::as_str).collect::<Vec<_>>().join(" → ");
        diagnostics.push(
            Diagnostic::new(
                Code::EndlessLoop,
                span,
                Wording::new(
                    format!("这几步绕成了圈，而且没有一步一定会等人：{shown}。一旦进去就停不下来"),
                    format!("these steps form a circle in which none is sure to wait for anybody: {shown}; once inside, it would never stop"),
                ),
            )
            .hint(short(subject, &ring).unwrap_or_else(|| {
                Wording::new(
                    "请在圈里放一个没有 `when` 的 `approve`、`task` 或 `wait`，或改掉跳转",
                    "put an `approve`, `task` or `wait` without `when` into the circle, or change a jump",
                )
            })),
        );
    }
}

/// Whether the steps of a circle, and what stands between them, were understood.
fn is_known(subject: &Subject<'_>, ring: &[StepId]) -> bool {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).all(|(id, next)| {
        let read = subject.placed(id).filter(|placed| !matches!(placed.source.kind, StepKind::Unknown));
        let Some(span) = read.map(|placed| placed.source.span) else { return false };
        let behind = subject.flow.steps.iter().find(|placed| placed.source.span.start >= span.end);
        let end = behind.filter(|behind| behind.id == *next).map_or(span.end, |behind| behind.source.span.start);
        subject.reading.flow_in(Span { end, ..span })
    })
}

/// What helps where something in the circle is waited for, for no time perhaps, or where it asks again and again.
fn short(subject: &Subject<'_>, ring: &[StepId]) -> Option<Wording> {
    let placed = || ring.iter().filter_map(|id| subject.placed(id));
    let timed = placed().filter(|placed| placed.source.when.is_none()).find_map(|placed| {
        let source = placed.source;
        match (&source.kind, &source.due) {
            (StepKind::Wait { until }, _) => Some(("wait", &until.text)),
            (StepKind::Approve { .. } | StepKind::Task { .. } | StepKind::Receive { .. }, Some(due)) => {
                Some(("due", &due.text))
            }
            _ => None,
        }
    });
    let Some((key, text)) = timed else {
        let asks = |kind: &StepKind| matches!(kind, StepKind::Http(_) | StepKind::Call(_));
        return placed().any(|placed| asks(&placed.source.kind)).then(|| {
            Wording::new(
                "对方可能马上就答。请在再问之前等一等，例如 `- { id: pause, wait: 5 minutes }`",
                "what is asked may answer at once; wait before it is asked again, such as with `- { id: pause, wait: 5 minutes }`",
            )
        });
    };
    let instead = format!("{key}: 1 hour");
    Some(Wording::new(
        format!(
            "`{key}: {text}` 可能一到就已经过了。请写大于零的时长，例如 `{instead}`，或让它读的字段大于零，例如 `min: 1 hour`"
        ),
        format!(
            "`{key}: {text}` may be over at once; write a length above zero, such as `{instead}`, or keep the field that it reads above zero, such as with `min: 1 hour`"
        ),
    ))
}

/// Circles of steps that never wait, each from its first step in the text.
pub(super) fn rings(subject: &Subject<'_>) -> Vec<Vec<StepId>> {
    let mut search = Search { subject, path: Vec::new(), done: BTreeSet::new(), found: Vec::new() };
    for placed in &subject.flow.steps {
        search.visit(&Node::Step(placed.id.clone()));
    }
    search.found
}

struct Search<'s, 'a> {
    subject: &'s Subject<'a>,
    path: Vec<Node>,
    done: BTreeSet<Node>,
    found: Vec<Vec<StepId>>,
}

impl Search<'_, '_> {
    fn visit(&mut self, node: &Node) {
        if let Some(from) = self.path.iter().position(|on_way| on_way == node) {
            let ring = self.path.get(from..).unwrap_or_default();
            let mut ids: Vec<StepId> = Vec::new();
            for id in ring.iter().filter(|node| matches!(node, Node::Step(_))).filter_map(step_of) {
                ids.push(id.clone());
            }
            let place = |id: &StepId| self.subject.flow.steps.iter().position(|placed| placed.id == *id);
            if let Some(first) = (0..ids.len()).min_by_key(|at| ids.get(*at).and_then(place)) {
                ids.rotate_left(first);
            }
            self.found.push(ids);
            return;
        }
        if !self.done.insert(node.clone()) {
            return;
        }
        self.path.push(node.clone());
        let Subject { document, flow, definition, world, .. } = *self.subject;
        let at_once = |call: &Call, refused: bool| {
            let callee = world.callees.get(&*call.process.value);
            callee.is_some_and(|one| one.may_end_at_once(call) || refused && one.may_refuse())
        };
        let idle = Idle { document, flow, definition: Some(definition), at_once: Some(&at_once) };
        for to in idle.past(node) {
            self.visit(&to);
        }
        self.path.pop();
    }
}
