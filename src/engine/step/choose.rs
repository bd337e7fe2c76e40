//! `choose`: the first case that holds, at once. Its end is noted where the cases come together again.

use super::{Flow, trouble};
use crate::engine::run::Run;
use crate::engine::unasked;
use crate::model::formula::Formula;
use crate::model::graph::{Node, On};
use crate::model::id::{StepId, TokenId};
use crate::model::value::Value;

/// Takes the edge of the first case that holds.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, cases: &[Formula]) -> Flow {
    let mut on = On::Otherwise;
    for (number, case) in (0u16..).zip(cases) {
        match run.evaluate(token, case, None) {
            Ok(Value::Boolean(true)) => {
                on = On::Case(number);
                break;
            }
            Ok(_) => {}
            Err(failure) => return Flow::Stop(trouble("choose", &failure)),
        }
    }
    let definition = run.definition;
    unasked::not_chosen(run, token, id, definition.graph.next(&Node::Step(id.clone()), &on));
    Flow::Leave(on)
}
