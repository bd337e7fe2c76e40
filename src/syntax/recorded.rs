//! The test of a metric: cases as they would have been recorded, and what the metric makes of them.

use super::data::{Given, given};
use super::test::Test;
use crate::diagnostics::{Span, Spanned};
use crate::syntax::fields::{Fields, GROUP, Lowering, Place};
use crate::syntax::node::{Node, NodeKind};
use crate::syntax::scalar::NameRule;

/// A test of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "a few a file, and they are taken apart at once")]
pub enum AnyTest {
    /// Of a process: one case that is played.
    Case(Test),
    /// Of a metric: many that are counted.
    Metric(MetricTest),
}

/// A test of a metric as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricTest {
    /// What it shows, in words; `None` if that could not be read, which is reported.
    pub title: Option<Spanned<String>>,
    /// The key `test`.
    pub key_span: Span,
    /// The metric.
    pub metric: Option<Spanned<String>>,
    /// The period that is measured.
    pub period: Option<Spanned<String>>,
    /// When it is measured; after the period where left out.
    pub now: Option<Spanned<String>>,
    /// What was recorded.
    pub cases: Vec<RecordedCase>,
    /// What must come of it.
    pub expect: Option<Group>,
    /// And of its parts: dimension, value, what.
    pub parts: Vec<(Spanned<String>, Spanned<String>, Group)>,
}

/// A case as it would have been recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCase {
    /// Where it is written.
    pub span: Span,
    /// Of which process.
    pub process: Option<Spanned<String>>,
    /// Whose it is.
    pub by: Option<Spanned<String>>,
    /// When it began.
    pub started: Option<Spanned<String>>,
    /// When it ended, if it did.
    pub ended: Option<Spanned<String>>,
    /// How it ended.
    pub outcome: Option<Spanned<String>>,
    /// Its fields.
    pub data: Option<Given>,
}

/// What a metric must come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Where it is written.
    pub span: Span,
    /// The value; `none` where there must be no data.
    pub value: Option<Spanned<String>>,
    /// The number above.
    pub numerator: Option<Spanned<String>>,
    /// The number below.
    pub denominator: Option<Spanned<String>>,
    /// How many cases could not be computed.
    pub left_out: Option<Spanned<String>>,
}

pub(crate) static TEST: Place = Place {
    name: ("指标测试的顶层", "the top level of a test of a metric"),
    keys: &["test", "metric", "period", "now", "cases", "expect"],
    later: &[],
    relatives: &[&CASE, &EXPECT],
};
pub(crate) static CASE: Place = Place {
    name: ("一条记录", "a recorded case"),
    keys: &["process", "by", "started", "ended", "outcome", "data"],
    later: &[],
    relatives: &[&TEST],
};
pub(crate) static EXPECT: Place = Place {
    name: ("指标测试的 `expect`", "what a test of a metric expects"),
    keys: &["value", "numerator", "denominator", "left out", "by"],
    later: &[],
    relatives: &[],
};
pub(crate) static PART: Place = Place {
    name: ("`by` 的一项", "an entry of `by`"),
    keys: &["value", "numerator", "denominator", "left out"],
    later: &[],
    relatives: &[],
};

impl Lowering<'_> {
    /// A document whose kind is `test`: of a metric if it names one.
    pub(crate) fn any_test(&mut self, root: &Node, key_span: Span) -> Option<AnyTest> {
        let names = |key: &str| match &root.kind {
            NodeKind::Mapping(entries) => entries.iter().any(|entry| entry.key.text() == Some(key)),
            _ => false,
        };
        if names("metric") && !names("process") {
            return self.metric_test(root, key_span).map(AnyTest::Metric);
        }
        self.test(root, key_span).map(AnyTest::Case)
    }

    fn metric_test(&mut self, root: &Node, key_span: Span) -> Option<MetricTest> {
        let fields = self.fields(root, &TEST, key_span)?;
        let cases = fields.required(self, "cases").and_then(|node| self.items(node)).unwrap_or_default();
        let expect = fields.required(self, "expect").and_then(|node| {
            let span = self.first_line(node.span);
            let own = self.fields(node, &EXPECT, span)?;
            let parts = own.get("by").map(|node| self.parts(node)).unwrap_or_default();
            Some((self.group(&own, span), parts))
        });
        let (expect, parts) = expect.map_or((None, Vec::new()), |(expect, parts)| (Some(expect), parts));
        Some(MetricTest {
            title: fields.get("test").and_then(|node| self.words(node)),
            key_span,
            metric: fields.get("metric").and_then(|node| self.name(node, NameRule::Document)),
            period: fields.required(self, "period").and_then(|node| self.words(node)),
            now: fields.get("now").and_then(|node| self.words(node)),
            cases: cases.iter().filter_map(|node| self.recorded(node)).collect(),
            expect,
            parts,
        })
    }

    fn recorded(&mut self, node: &Node) -> Option<RecordedCase> {
        let span = self.first_line(node.span);
        let fields = self.fields(node, &CASE, span)?;
        Some(RecordedCase {
            span,
            process: fields.required(self, "process").and_then(|node| self.name(node, NameRule::Document)),
            by: fields.required(self, "by").and_then(|node| self.name(node, NameRule::Word)),
            started: fields.required(self, "started").and_then(|node| self.words(node)),
            ended: fields.get("ended").and_then(|node| self.words(node)),
            outcome: fields.get("outcome").and_then(|node| self.name(node, NameRule::Word)),
            data: fields.get("data").and_then(|node| self.entries(node, GROUP).map(|_| given(node))),
        })
    }

    fn group(&mut self, fields: &Fields<'_>, span: Span) -> Group {
        let mut words = |key| fields.get(key).and_then(|node| self.words(node));
        Group {
            span,
            value: words("value"),
            numerator: words("numerator"),
            denominator: words("denominator"),
            left_out: words("left out"),
        }
    }

    /// `person: { zhang: { value: 50 % } }`.
    fn parts(&mut self, node: &Node) -> Vec<(Spanned<String>, Spanned<String>, Group)> {
        let mut found = Vec::new();
        for dimension in self.entries(node, GROUP).unwrap_or_default() {
            let Some(name) = self.name(&dimension.key, NameRule::Word) else { continue };
            for entry in self.entries(&dimension.value, GROUP).unwrap_or_default() {
                let Some(value) = self.words(&entry.key) else { continue };
                let span = self.first_line(entry.value.span);
                if let Some(fields) = self.fields(&entry.value, &PART, span) {
                    let group = self.group(&fields, span);
                    found.push((name.clone(), value, group));
                }
            }
        }
        found
    }
}
