//! Steps that hold lists of steps.

use super::Step;
use super::keys::STEP_RELATIVES;
use crate::diagnostics::Span;
use crate::syntax::feel::FeelText;
use crate::syntax::fields::{Lowering, Place};
use crate::syntax::node::Node;

/// One case of `choose`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The whole case.
    pub span: Span,
    /// When it is taken; `None` if that could not be read, which is reported.
    pub when: Option<FeelText>,
    /// What then happens.
    pub steps: Vec<Step>,
}

static CASE: Place = Place {
    name: ("`choose` 的一个分支", "a case of `choose`"),
    keys: &["when", "steps"],
    later: &[],
    relatives: STEP_RELATIVES,
};

impl Lowering<'_> {
    pub(super) fn case(&mut self, node: &Node) -> Option<Case> {
        let fields = self.fields(node, &CASE, self.first_line(node.span))?;
        let when = fields.required(self, "when").and_then(|node| self.feel(node, "when"));
        let steps = fields.required(self, "steps").map(|node| self.steps(node)).unwrap_or_default();
        Some(Case { span: node.span, when, steps })
    }
}
