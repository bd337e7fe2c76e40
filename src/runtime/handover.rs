//! Hand-over of everything that is one person's, over all cases.
//!
//! One command a case, decided on a copy first: what that refuses is left alone. A hand-over is not atomic and
//! needs not be: what is done is done, and the same again does the rest.

use super::{Case, Denied, Runtime};
use crate::engine::command::{Actor, Ask, Command};
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::state::State;
use crate::engine::{Facts, decide, handover};
use crate::model::definition::Definition;
use crate::model::id::PersonId;
use std::sync::Arc;
use uuid::Uuid;

/// What is to be handed over.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// Whose it is.
    pub from: PersonId,
    /// Whose it is to be.
    pub to: PersonId,
    /// Only cases with this value of the key field.
    pub key: Option<String>,
}

/// What a hand-over came to.
#[derive(Clone, Debug, Default)]
pub struct HandOverResult {
    /// The cases in which something changed, oldest first.
    pub done: Vec<HandedOver>,
    /// The cases in which it cannot be done, and why; nothing changed in them.
    pub refused: Vec<(Arc<State>, Refusal)>,
}

/// What a hand-over did, or would do, in one case.
#[derive(Clone, Debug)]
pub struct HandedOver {
    /// What the case runs on.
    pub definition: Arc<Definition>,
    /// Where it stood.
    pub before: Arc<State>,
    /// Where it stands then.
    pub after: Arc<State>,
    /// What happened.
    pub events: Vec<Event>,
}

impl Runtime {
    /// Hands everything of a person over in every open case, oldest first; `only_look` changes nothing.
    ///
    /// # Errors
    /// Why it cannot be done at all, or what the store says.
    pub async fn hand_over(&self, asked: &HandOver, actor: &Actor, only_look: bool) -> Result<HandOverResult, Denied> {
        let (directory, calendar) = (self.directory(), self.calendar());
        let today = calendar.today(self.now());
        handover::receivable(&directory, &asked.from, &asked.to, today)
            .map_err(|refusal| Denied::Refused(refusal, None))?;
        let mut result = HandOverResult::default();
        for row in self.open_cases(asked.key.as_deref()).await.map_err(Denied::Unavailable)? {
            let Some(case) = self.case(row.id).await.map_err(Denied::Unavailable)? else { continue };
            let Case { definition, state: before, .. } = case;
            let ask = Ask::HandOver { from: asked.from.clone(), to: asked.to.clone() };
            let id = format!("handover-{}", Uuid::now_v7().simple()).into();
            let command = Command { id, actor: actor.clone(), ask };
            let (directory, calendar) = (&*directory, &*calendar);
            let facts = Facts { now: self.now(), directory, calendar, sequence: 0, seed: [0; 16] };
            let (after, events) = match decide(&definition, Some(&before), &command, &facts) {
                Ok(would) if only_look => (Arc::new(would.state), would.entry.events),
                Ok(_) => match self.submit(before.id, command).await {
                    Ok(accepted) => (accepted.state.clone(), accepted.entry.events.clone()),
                    // It moved on in the meantime.
                    Err(Denied::Refused(Refusal::NothingToHandOver(_) | Refusal::Ended { .. }, _)) => continue,
                    Err(Denied::Refused(refusal, _)) => {
                        result.refused.push((before, refusal));
                        continue;
                    }
                    Err(denied) => return Err(denied),
                },
                Err(Refusal::NothingToHandOver(_)) => continue,
                Err(refusal) => {
                    result.refused.push((before, refusal));
                    continue;
                }
            };
            result.done.push(HandedOver { definition, before, after, events });
        }
        Ok(result)
    }
}
