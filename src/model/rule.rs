//! Decision tables: columns, rules and the hit policy, as a definition that uses one holds it.
//!
//! An input is always given unless its column says `required: false`; a rule that leaves it out takes any value.
//! An output that a rule leaves out is null. What holds where no rule hits is the `default` of each output, and
//! without one a look-up that hits nothing fails: a table never answers a silent null. `check` proves that it
//! does not come to that.

use super::form::{Field, FieldKind, Form};
use super::formula::Formula;
use super::id::FieldName;
use super::text::Text;
use super::value::{Type, Typed};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// A decision table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What people call it.
    pub title: Text,
    /// The columns that rules ask.
    pub inputs: Form,
    /// The columns that rules answer.
    pub outputs: Form,
    /// What holds where several rules hit.
    pub hit: Hit,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// One rule: a row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Why it is so, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// The unary tests of each input that it asks; all of them must pass.
    pub when: IndexMap<FieldName, Formula>,
    /// The value of each output that it gives.
    pub then: IndexMap<FieldName, Formula>,
}

/// What holds where several rules hit: the hit policies of DMN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hit {
    /// One rule hits, never two.
    Unique,
    /// Several may hit if they answer the same.
    Any,
    /// The rule whose outputs come first in the order of the options of the output columns.
    Priority,
    /// The first rule of the table that hits.
    First,
    /// All of them, as lists in the order of the rules.
    RuleOrder,
    /// All of them, as lists in the order of the options of the output columns.
    OutputOrder,
    /// All of them, put together.
    Collect(Aggregate),
}

/// How `collect` puts the answers of several rules together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Lists, in the order of the rules.
    List,
    /// Their sum; 0 where no rule hits.
    Sum,
    /// The least; null where no rule hits.
    Min,
    /// The greatest; null where no rule hits.
    Max,
    /// How many rules hit.
    Count,
}

impl Hit {
    /// The policy as authors write it.
    pub fn word(self) -> &'static str {
        Hit::WORDS.iter().find(|(_, hit)| *hit == self).map_or("", |(word, _)| word)
    }

    /// Every policy by its word.
    pub const WORDS: [(&'static str, Hit); 11] = [
        ("unique", Hit::Unique),
        ("any", Hit::Any),
        ("priority", Hit::Priority),
        ("first", Hit::First),
        ("rule order", Hit::RuleOrder),
        ("output order", Hit::OutputOrder),
        ("collect", Hit::Collect(Aggregate::List)),
        ("collect sum", Hit::Collect(Aggregate::Sum)),
        ("collect min", Hit::Collect(Aggregate::Min)),
        ("collect max", Hit::Collect(Aggregate::Max)),
        ("collect count", Hit::Collect(Aggregate::Count)),
    ];

    /// Whether it answers one rule, and so has to have one.
    pub fn is_single(self) -> bool {
        matches!(self, Hit::Unique | Hit::Any | Hit::Priority | Hit::First)
    }

    /// Whether it answers a list an output.
    pub fn is_list(self) -> bool {
        matches!(self, Hit::RuleOrder | Hit::OutputOrder | Hit::Collect(Aggregate::List))
    }

    /// Whether the order of the output's options decides.
    pub fn asks_order(self) -> bool {
        matches!(self, Hit::Priority | Hit::OutputOrder)
    }
}

impl Table {
    /// What a look-up yields, by output.
    pub fn yields(&self) -> IndexMap<FieldName, Typed> {
        self.outputs.iter().map(|(name, field)| (name.clone(), self.yields_of(name, field))).collect()
    }

    fn yields_of(&self, name: &FieldName, field: &Field) -> Typed {
        let of = field.typed().of;
        let null = self.rules.iter().any(|rule| rule.then.get(name).is_none_or(|cell| cell.of.optional));
        match self.hit {
            Hit::Unique | Hit::Any | Hit::Priority | Hit::First => {
                let default = field.default.as_ref().is_some_and(|default| default.of.optional);
                Typed { of, optional: null || default }
            }
            Hit::RuleOrder | Hit::OutputOrder | Hit::Collect(Aggregate::List) => {
                Typed::always(Type::List(Box::new(Typed { of, optional: null })))
            }
            Hit::Collect(Aggregate::Sum) => Typed::always(of),
            Hit::Collect(Aggregate::Min | Aggregate::Max) => Typed::optional(of),
            Hit::Collect(Aggregate::Count) => Typed::always(Type::Number),
        }
    }

    /// Whether it says what holds where no rule hits.
    pub fn has_defaults(&self) -> bool {
        self.outputs.values().all(|output| output.default.is_some())
    }

    /// The outputs whose options are an order, most wanted first.
    pub fn ordering(&self) -> impl Iterator<Item = (&FieldName, Vec<&str>)> {
        self.outputs.iter().filter_map(|(name, field)| match &field.kind {
            FieldKind::Choice(options) => Some((name, options.keys().map(|option| &**option).collect())),
            _ => None,
        })
    }

    /// A rule as people read it: `kind: strategic, margin: >= 30 % → rate: 22 %`.
    pub fn written(&self, rule: &Rule) -> String {
        let cells = |cells: &IndexMap<FieldName, Formula>| {
            cells.iter().map(|(name, cell)| format!("{name}: {}", cell.text)).collect::<Vec<_>>().join(", ")
        };
        format!("{} → {}", cells(&rule.when), cells(&rule.then)).trim().to_owned()
    }
}
