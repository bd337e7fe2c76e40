//! `each`: the steps of its body, once for every row of a list as it is at the entry.
//!
//! ```text
//! enter ─→ no rows ─→ next
//!       └→ a scope and a token a row, all at once or one by one ─→ `until` holds, or all are done ─→ next
//! ```

use super::{Flow, trouble};
use crate::engine::block::{self, MOST_ROWS};
use crate::engine::event::Trouble;
use crate::engine::human;
use crate::engine::run::Run;
use crate::engine::state::{Running, Waiting};
use crate::model::control::Each;
use crate::model::definition::outcome;
use crate::model::form::FieldKind;
use crate::model::graph::On;
use crate::model::id::{StepId, TokenId};
use crate::model::value::{Record, Value};

/// Takes the rows and opens those that can be at work.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, each: &Each) -> Flow {
    let items = match run.evaluate(token, &each.rows, None) {
        Ok(Value::List(items)) => items,
        Ok(Value::Null) => Vec::new(),
        Ok(one) => vec![one],
        Err(failure) => return Flow::Stop(trouble("each", &failure)),
    };
    if items.len() > MOST_ROWS {
        return Flow::Stop(too_many(items.len()));
    }
    let rows: Vec<Record> = items.into_iter().map(|item| columns(each, item)).collect();
    if rows.is_empty() {
        return match run.set_at(token, Record::from_iter([(each.list.clone(), Value::List(Vec::new()))])) {
            Ok(_) => {
                run.left(token, id, outcome::DONE.into(), Vec::new(), false);
                Flow::Past(On::Next)
            }
            Err(computed) => Flow::Stop(trouble(computed.field.as_str(), &computed.failure)),
        };
    }
    let running = Running { rows, ..Running::default() };
    match human::wait(run, token, id, Waiting::Block(running)) {
        Ok(()) => {
            block::open_rows(run, token, id, each);
            Flow::Wait
        }
        Err(what) => Flow::Stop(what),
    }
}

/// All columns that a row can hold: what it brings, nothing in the others.
fn columns(each: &Each, item: Value) -> Record {
    let mut row = match item {
        Value::Record(row) if !each.plain => row,
        value => Record::from_iter([(each.alias.clone(), value)]),
    };
    for (name, column) in &each.columns {
        let list = column.many || matches!(column.kind, FieldKind::List(_));
        row.entry(name.clone()).or_insert_with(|| if list { Value::List(Vec::new()) } else { Value::Null });
    }
    row
}

fn too_many(count: usize) -> Trouble {
    Trouble::Failed {
        place: "each".into(),
        zh: format!("这个列表有 {count} 行，最多能处理 {MOST_ROWS} 行。").into(),
        en: format!("This list has {count} rows, and {MOST_ROWS} are the most.").into(),
    }
}
