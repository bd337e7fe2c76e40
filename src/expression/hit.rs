//! The hit policies of DMN: what a table answers, from the rules that hit and what each of them gives.
//!
//! | policy | several hit | none hits |
//! |---|---|---|
//! | unique | a failure: the table contradicts itself | the defaults |
//! | any | the same answer of all of them; a failure where they differ | the defaults |
//! | priority | the one whose outputs come first in the order of their options | the defaults |
//! | first | the first in the table | the defaults |
//! | rule order | a list an output, in the order of the table | empty lists |
//! | output order | a list an output, in the order of the options | empty lists |
//! | collect | a list an output, in the order of the table | empty lists |
//! | collect sum, min, max | of the one output, nulls apart | 0, null, null |
//! | collect count | how many hit | 0 |
//!
//! Priority and output order compare the first output that has options, then the next; what is null comes last, and
//! rules that are alike stay in the order of the table. Of several outputs each list has one item a rule that hit,
//! so that the items at one place belong together.

use super::fault::Failure;
use crate::model::id::FieldName;
use crate::model::rule::{Aggregate, Hit, Table};
use crate::model::value::{Record, Value};
use rust_decimal::Decimal;

/// A rule that hits, by its place in the table, and a value for every output.
pub(super) type Hitting = (usize, Record);

/// The answer, in which the rules come in the order in which they count; `None` where no rule answers, so that the
/// defaults hold.
pub(super) fn settle(table: &Table, mut hits: Vec<Hitting>) -> Result<Option<(Record, Vec<usize>)>, Failure> {
    if table.hit.asks_order() {
        hits.sort_by_cached_key(|(_, outputs)| rank(table, outputs));
    }
    let rules: Vec<usize> = hits.iter().map(|(rule, _)| *rule).collect();
    let first = |mut hits: Vec<Hitting>| (!hits.is_empty()).then(|| hits.swap_remove(0).1);
    match table.hit {
        Hit::Unique if hits.len() > 1 => Err(contradiction(&rules)),
        Hit::Any if hits.windows(2).any(|two| matches!(two, [(_, a), (_, b)] if a != b)) => Err(contradiction(&rules)),
        Hit::Unique | Hit::Any => Ok(first(hits).map(|outputs| (outputs, rules))),
        Hit::Priority | Hit::First => Ok(first(hits).map(|outputs| (outputs, rules.into_iter().take(1).collect()))),
        Hit::RuleOrder | Hit::OutputOrder | Hit::Collect(Aggregate::List) => {
            let list = |name: &FieldName| {
                let values = hits.iter().map(|(_, outputs)| outputs.get(name).cloned().unwrap_or_default());
                (name.clone(), Value::List(values.collect()))
            };
            Ok(Some((table.outputs.keys().map(list).collect(), rules)))
        }
        Hit::Collect(aggregate) => {
            let mut found = Record::new();
            for name in table.outputs.keys() {
                let numbers = hits.iter().filter_map(|(_, outputs)| outputs.get(name).and_then(Value::as_number));
                let value = match aggregate {
                    Aggregate::Sum => Some(sum(numbers)?),
                    Aggregate::Min => numbers.min(),
                    Aggregate::Max => numbers.max(),
                    Aggregate::Count | Aggregate::List => Some(Decimal::from(hits.len())),
                };
                found.insert(name.clone(), value.map_or(Value::Null, Value::Number));
            }
            Ok(Some((found, rules)))
        }
    }
}

/// The places of the outputs among their options.
fn rank(table: &Table, outputs: &Record) -> Vec<usize> {
    let place = |(name, options): (&FieldName, Vec<&str>)| {
        let found = outputs.get(name).and_then(Value::as_text);
        options.iter().position(|option| Some(*option) == found).unwrap_or(options.len())
    };
    table.ordering().map(place).collect()
}

fn sum(mut numbers: impl Iterator<Item = Decimal>) -> Result<Decimal, Failure> {
    numbers.try_fold(Decimal::ZERO, |sum, number| sum.checked_add(number)).ok_or_else(Failure::too_large)
}

fn contradiction(rules: &[usize]) -> Failure {
    let numbers = |join: &str| rules.iter().map(|rule| (rule + 1).to_string()).collect::<Vec<_>>().join(join);
    Failure::new(
        format!("第 {} 条规则同时命中，而这张表只允许一个答案", numbers("、")),
        format!("rules {} hit at once, and this table allows one answer", numbers(", ")),
    )
}
