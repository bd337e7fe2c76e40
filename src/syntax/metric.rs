//! The metric: what is counted over recorded cases, and what it is a share of.

use crate::diagnostics::{Span, Spanned};
use crate::model::metric::{Better, Every};
use crate::model::text::Text;
use crate::syntax::feel::FeelText;
use crate::syntax::fields::{GROUP, Lowering, Place};
use crate::syntax::node::{Node, NodeKind};
use crate::syntax::scalar::NameRule;

/// A metric as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name; `None` if that could not be read, which is reported.
    pub name: Option<Spanned<String>>,
    /// The key `metric`; where a fault of the document as a whole is shown.
    pub key_span: Span,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// The kinds of periods that it is measured in.
    pub periods: Vec<Spanned<Every>>,
    /// What is counted.
    pub numerator: Vec<Source>,
    /// What it is a share of; empty where it is none.
    pub denominator: Vec<Source>,
    /// What is wanted: in every period (`None`), or in those of a kind.
    pub target: Vec<(Option<Spanned<Every>>, FeelText)>,
    /// Which way is good.
    pub better: Option<Spanned<Better>>,
    /// What a number counts; `%` where it is a share.
    pub unit: Option<Spanned<Text>>,
    /// What it can be broken down by.
    pub by: Vec<(Spanned<String>, FeelText)>,
}

/// What one process gives to a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The whole of it, to its first line's end.
    pub span: Span,
    /// Whose cases.
    pub of: Option<Spanned<String>>,
    /// The rows that are counted.
    pub each: Option<FeelText>,
    /// What a row is called.
    pub alias: Option<Spanned<String>>,
    /// Only those.
    pub when: Option<FeelText>,
    /// When they count.
    pub at: Option<FeelText>,
    /// What is added up, meant or told apart, with its key.
    pub take: Vec<(Spanned<TakeWord>, FeelText)>,
    /// What they are broken down by, where that differs from what the metric says.
    pub by: Vec<(Spanned<String>, FeelText)>,
}

/// What is done with the cases of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeWord {
    /// `sum`
    Sum,
    /// `average`
    Average,
    /// `distinct`
    Distinct,
}

impl TakeWord {
    /// The words of the language for it.
    pub const WORDS: [(&str, TakeWord); 3] =
        [("sum", TakeWord::Sum), ("average", TakeWord::Average), ("distinct", TakeWord::Distinct)];
}

pub(crate) static METRIC: Place = Place {
    name: ("指标", "a metric"),
    keys: &["metric", "title", "periods", "numerator", "denominator", "target", "better", "unit", "by"],
    later: &[],
    relatives: &[&SOURCE],
};

pub(crate) static SOURCE: Place = Place {
    name: ("指标的一边", "a side of a metric"),
    keys: &["of", "each", "as", "when", "at", "sum", "average", "distinct", "by"],
    later: &[],
    relatives: &[&METRIC],
};

impl Lowering<'_> {
    /// A document whose kind is `metric`.
    pub(crate) fn metric(&mut self, root: &Node, key_span: Span) -> Option<Metric> {
        let root = self.lifted(root, &METRIC);
        let fields = self.fields(&root, &METRIC, key_span)?;
        let periods = fields.required(self, "periods").and_then(|node| self.word_items(node)).unwrap_or_default();
        Some(Metric {
            name: fields.get("metric").and_then(|node| self.name(node, NameRule::Document)),
            key_span,
            title: fields.get("title").and_then(|node| self.text(node)),
            periods: periods.iter().filter_map(|node| self.one_of(node, &Every::WORDS)).collect(),
            numerator: fields.required(self, "numerator").map(|node| self.sources(node)).unwrap_or_default(),
            denominator: fields.get("denominator").map(|node| self.sources(node)).unwrap_or_default(),
            target: fields.get("target").map(|node| self.wanted(node)).unwrap_or_default(),
            better: fields.get("better").and_then(|node| self.one_of(node, &Better::WORDS)),
            unit: fields.get("unit").and_then(|node| self.text(node)),
            by: fields.get("by").map(|node| self.dimensions(node)).unwrap_or_default(),
        })
    }

    /// One source, or a list of those that are added up.
    fn sources(&mut self, node: &Node) -> Vec<Source> {
        match &node.kind {
            NodeKind::Sequence(items) => items.iter().filter_map(|item| self.source(item)).collect(),
            _ => self.source(node).into_iter().collect(),
        }
    }

    fn source(&mut self, node: &Node) -> Option<Source> {
        let span = self.first_line(node.span);
        let fields = self.fields(node, &SOURCE, span)?;
        let mut take = Vec::new();
        for (word, kind) in TakeWord::WORDS {
            if let (Some(node), Some(key)) = (fields.get(word), fields.key(word))
                && let Some(text) = self.feel(node, word)
            {
                take.push((Spanned::new(kind, key), text));
            }
        }
        Some(Source {
            span,
            of: fields.required(self, "of").and_then(|node| self.name(node, NameRule::Document)),
            each: fields.get("each").and_then(|node| self.feel(node, "each")),
            alias: fields.get("as").and_then(|node| self.name(node, NameRule::Word)),
            when: fields.get("when").and_then(|node| self.feel(node, "when")),
            at: fields.required(self, "at").and_then(|node| self.feel(node, "at")),
            take,
            by: fields.get("by").map(|node| self.dimensions(node)).unwrap_or_default(),
        })
    }

    /// One value for every period, or one for each kind of them.
    fn wanted(&mut self, node: &Node) -> Vec<(Option<Spanned<Every>>, FeelText)> {
        let NodeKind::Mapping(entries) = &node.kind else {
            return self.feel(node, "target").map(|text| (None, text)).into_iter().collect();
        };
        let mut found = Vec::new();
        for entry in entries {
            if let Some(every) = self.one_of(&entry.key, &Every::WORDS)
                && let Some(text) = self.feel(&entry.value, every.value.word())
            {
                found.push((Some(every), text));
            }
        }
        found
    }

    fn dimensions(&mut self, node: &Node) -> Vec<(Spanned<String>, FeelText)> {
        let Some(entries) = self.entries(node, GROUP) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries {
            let key = entry.key.text().unwrap_or("");
            if let Some(name) = self.name(&entry.key, NameRule::Word)
                && let Some(text) = self.feel(&entry.value, key)
            {
                found.push((name, text));
            }
        }
        found
    }
}
