//! The decision table: its columns, its hit policy, its rules.

use crate::diagnostics::{Code, Diagnostic, Span, Spanned, suggest};
use crate::model::rule::Hit;
use crate::model::text::{Text, Wording};
use crate::syntax::feel::FeelText;
use crate::syntax::field::{Field, FieldType};
use crate::syntax::fields::{GROUP, Lowering, Place, missing_value};
use crate::syntax::node::Node;
use crate::syntax::scalar::NameRule;

/// A decision table as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name; `None` if that could not be read, which is reported.
    pub name: Option<Spanned<String>>,
    /// The key `table`; where a fault of the document as a whole is shown.
    pub key_span: Span,
    /// What people read instead of the name.
    pub title: Option<Spanned<Text>>,
    /// The columns that rules ask.
    pub inputs: Vec<Field>,
    /// The columns that rules answer.
    pub outputs: Vec<Field>,
    /// What holds where several rules hit; `None` if that could not be read, which is reported.
    pub hit: Option<Spanned<Hit>>,
    /// The rules in order.
    pub rules: Vec<Rule>,
    /// The key `rules`; the key `table` where it is missing.
    pub rules_span: Span,
}

/// A rule as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The whole rule.
    pub span: Span,
    /// Why it is so.
    pub note: Option<Spanned<Text>>,
    /// Column → unary tests or value, in the order written.
    pub cells: Vec<(Spanned<String>, FeelText)>,
    /// The names beside values that could not be read, and those that are no column.
    pub unread: Vec<String>,
}

impl Rule {
    /// Whether something is written for a column.
    pub fn gives(&self, column: &str) -> bool {
        self.cells.iter().any(|(name, _)| name.value == column)
    }
}

pub(crate) static TABLE: Place = Place {
    name: ("决策表", "a decision table"),
    keys: &["table", "title", "inputs", "outputs", "hit", "rules"],
    later: &[],
    relatives: &[],
};

/// What a column takes of the keys of a field.
const COLUMN_KEYS: &str = "`type title help required min max options unit`";

/// The key of a rule that is no column.
pub(crate) const NOTE: &str = "note";

impl Lowering<'_> {
    /// A document whose kind is `table`.
    pub(crate) fn table(&mut self, root: &Node, key_span: Span) -> Option<Table> {
        let root = self.lifted(root, &TABLE);
        let fields = self.fields(&root, &TABLE, key_span)?;
        let inputs = fields.required(self, "inputs").map(|node| self.form(node)).unwrap_or_default();
        let outputs = fields.required(self, "outputs").map(|node| self.form(node)).unwrap_or_default();
        let columns: Vec<&str> = inputs.iter().chain(&outputs).map(|column| column.name.value.as_str()).collect();
        let known = fields.get("inputs").is_some() && fields.get("outputs").is_some();
        let rules = fields.required(self, "rules").and_then(|node| self.groups(node)).unwrap_or_default();
        let rules = rules.iter().filter_map(|node| self.rule(node, &columns, known)).collect();
        let hit = fields.required(self, "hit").and_then(|node| self.one_of(node, &Hit::WORDS));
        for column in &inputs {
            self.column(column, None);
        }
        for column in &outputs {
            self.column(column, hit.map(|hit| hit.value));
        }
        Some(Table {
            name: fields.get("table").and_then(|node| self.name(node, NameRule::Document)),
            key_span,
            title: fields.get("title").and_then(|node| self.text(node)),
            inputs,
            outputs,
            hit,
            rules,
            rules_span: fields.key("rules").unwrap_or(key_span),
        })
    }

    /// Refuses what a field can have and a column cannot; `hit` of an output.
    fn column(&mut self, column: &Field, hit: Option<Hit>) {
        let many = column.many.as_ref().map(|many| many.span);
        let check = column.check.as_ref().map(|check| check.that.span);
        let pattern = column.pattern.as_ref().map(|pattern| pattern.span);
        let text = |text: &Option<FeelText>| text.as_ref().map(|text| text.span);
        let default = text(&column.default).filter(|_| hit.is_none_or(|hit| !hit.is_single()));
        let list =
            column.kind.filter(|kind| matches!(kind.value, FieldType::List | FieldType::File)).map(|kind| kind.span);
        let found = [text(&column.value), text(&column.when), text(&column.among), many, check, pattern, default, list];
        for span in found.into_iter().flatten() {
            let (zh, en) = if Some(span) == default && hit.is_some() {
                (
                    "`default` 是没有规则命中时的答案，只用于给出一个答案的表（unique、any、priority、first）",
                    "`default` is the answer where no rule hits, and only fits tables of one answer: unique, any, priority, first",
                )
            } else {
                ("决策表的一列不能这样写", "a column of a decision table does not take this")
            };
            self.report(Diagnostic::new(Code::KeyOfOtherField, span, Wording::new(zh, en)).hint(Wording::new(
                format!("一列可以写：{COLUMN_KEYS}，输出还可以写 `default`"),
                format!("a column takes {COLUMN_KEYS}, and an output `default`"),
            )));
        }
        if column.name.value == NOTE {
            self.report(Diagnostic::new(
                Code::AmbiguousName,
                column.name.span,
                Wording::new(
                    "规则里的 `note` 是说明，列请换个名称",
                    "`note` of a rule says why it is so; give the column another name",
                ),
            ));
        }
    }

    fn rule(&mut self, node: &Node, columns: &[&str], known: bool) -> Option<Rule> {
        let entries = self.entries(node, GROUP)?;
        let mut rule = Rule { span: node.span, note: None, cells: Vec::new(), unread: Vec::new() };
        let given = |name: &str| entries.iter().any(|entry| entry.key.text() == Some(name));
        for entry in entries {
            let Some(word) = entry.key.text() else { continue };
            let strange = known && word != NOTE && !columns.contains(&word);
            let close = suggest::closest(word, columns.iter().copied()).filter(|_| strange);
            // A column that is misspelt is read as it is meant, unless it is there already.
            let key = close.filter(|name| !given(name) && !rule.gives(name)).unwrap_or(word);
            if entry.value.is_empty() {
                self.report(missing_value(entry.key.span, word).hint(Wording::new(
                    "输入不限就不写这一列；输出没有值也不写",
                    "leave out an input that may be anything, and an output that has no value",
                )));
                rule.unread.push(key.to_owned());
                continue;
            }
            if strange {
                self.report(unknown_column(entry.key.span, word, close));
            }
            if columns.contains(&key) {
                match self.feel_value(&entry.value, key) {
                    Some(text) => rule.cells.push((Spanned::new(key.to_owned(), entry.key.span), text)),
                    None => rule.unread.push(key.to_owned()),
                }
            } else if key == NOTE {
                rule.note = self.text(&entry.value);
            } else {
                rule.unread.push(key.to_owned());
            }
        }
        Some(rule)
    }
}

fn unknown_column(span: Span, key: &str, meant: Option<&str>) -> Diagnostic {
    match meant {
        Some(close) => Diagnostic::new(
            Code::UnknownName,
            span,
            Wording::new(
                format!("这张表没有 `{key}` 这一列，是不是 `{close}`？"),
                format!("this table has no column `{key}`; did you mean `{close}`?"),
            ),
        )
        .fix(span, close, Wording::new(format!("改成 `{close}`"), format!("write `{close}`"))),
        None if matches!(key, "else" | "otherwise" | "default" | "否则" | "其他") => Diagnostic::new(
            Code::UnknownName,
            span,
            Wording::new(
                format!(
                    "这张表没有 `{key}` 这一列。“其他情况”写成最后一条不写输入的规则（`hit: first`），或写成输出的 `default`"
                ),
                format!(
                    "this table has no column `{key}`; all else is a last rule without inputs (`hit: first`), or the `default` of the output"
                ),
            ),
        ),
        None => Diagnostic::new(
            Code::UnknownName,
            span,
            Wording::new(
                format!("这张表没有 `{key}` 这一列。请改名称，或把它加到 `inputs` 或 `outputs`"),
                format!("this table has no column `{key}`; change the name, or add it to `inputs` or `outputs`"),
            ),
        ),
    }
}
