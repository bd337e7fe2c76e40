//! `call`: another process, typed in and out.
//!
//! ```text
//! enter ─→ Called ─┬─ detached ─→ next
//!                  └─ waits ─┬─ ChildEnded ─→ its fields are taken ─→ `on`, else next
//!                            └─ CallFailed ─→ `on: { refused: … }` where one of its key is open, else an incident
//! ```
//!
//! Whatever ends the wait otherwise cancels the instance that was called.

use super::{Flow, trouble};
use crate::engine::command::{Actor, Ask, Command};
use crate::engine::event::{Event, Trouble};
use crate::engine::human;
use crate::engine::run::Run;
use crate::engine::state::Waiting;
use crate::model::control::Call;
use crate::model::definition::outcome;
use crate::model::graph::On;
use crate::model::id::{StepId, TokenId};
use crate::model::value::{Record, Value};

/// How many callers an instance can have above it. So cases that start one another without end come to a stop, also where
/// none waits for the next.
const DEEPEST: u16 = 16;

/// Starts the other process.
pub(super) fn enter(run: &mut Run<'_>, token: TokenId, id: &StepId, call: &Call) -> Flow {
    let above = run.state.caller.as_ref().map_or(0, |caller| caller.depth);
    // A case of its own that a person, a time or a message set off is the first of its line: one a week may go on for ever.
    let depth = if call.detached && set_off(run.command) { 1 } else { above + 1 };
    if depth > DEEPEST {
        return Flow::Stop(too_deep());
    }
    let applicant = match call.by.as_ref().map(|by| run.evaluate(token, by, None)) {
        None => run.state.applicant.clone(),
        Some(Ok(Value::Person(person))) => person,
        Some(Ok(_)) => return Flow::Stop(nobody()),
        Some(Err(failure)) => return Flow::Stop(trouble("by", &failure)),
    };
    let mut with = Record::new();
    for (name, formula) in &call.with {
        match run.evaluate(token, formula, None) {
            Ok(value) => with.insert(name.clone(), value),
            Err(failure) => return Flow::Stop(trouble(name.as_str(), &failure)),
        };
    }
    let child = run.draw_instance();
    let (process, detached) = (call.process.clone(), call.detached);
    run.emit(Event::Called { token, step: id.clone(), child, process, applicant, with, depth, detached });
    if detached {
        run.left(token, id, outcome::DONE.into(), Vec::new(), false);
        return Flow::Leave(On::Next);
    }
    match human::wait(run, token, id, Waiting::Call { child, process: call.process.clone() }) {
        Ok(()) => Flow::Wait,
        Err(what) => Flow::Stop(what),
    }
}

/// Whether something from outside is behind a command, and no case or other system alone.
fn set_off(command: &Command) -> bool {
    command.actor != Actor::System || matches!(command.ask, Ask::Wake | Ask::Deliver { .. })
}

fn too_deep() -> Trouble {
    Trouble::Failed {
        place: "call".into(),
        zh: format!("流程一层层互相发起，已超过 {DEEPEST} 层。").into(),
        en: format!("Processes call one another more than {DEEPEST} deep.").into(),
    }
}

fn nobody() -> Trouble {
    Trouble::Failed {
        place: "by".into(),
        zh: "没有说明由谁申请：`by` 没有得出人员。".into(),
        en: "Nobody applies: `by` names no person.".into(),
    }
}
