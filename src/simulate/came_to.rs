//! What a step came to, in a row of an `each` too: a row that is done stands in the log only.

use super::world::{Case, rows};
use crate::compile::scenario::{Part, Path};
use crate::engine;
use crate::engine::event::{Entry, Event};
use crate::engine::state::State;
use crate::model::definition::outcome;
use crate::model::id::{Outcome, StepId, TokenId};

/// What became of a step of a case, by now.
pub(super) enum CameTo {
    /// It came to this.
    Outcome(Outcome),
    /// It was not come to, or is not left yet.
    Nothing,
    /// So many rows of this `each` were opened, and the one on the way is not among them.
    NoRow(StepId, u32),
}

/// What became of the step that a way leads to, in the rows on the way: the last time, if it was come to several times.
pub(super) fn came_to(case: &Case<'_>, path: &Path) -> CameTo {
    let own = path.parts.iter().rposition(|part| matches!(part, Part::Call(_))).map_or(0, |at| at + 1);
    let parts = path.parts.get(own..).unwrap_or_default();
    let Some(Part::Step(step)) = parts.last() else { return CameTo::Nothing };
    let wanted: Vec<(&StepId, u32)> = parts
        .windows(2)
        .filter_map(|pair| match pair {
            [Part::Step(each), Part::Row(row)] => Some((each, *row)),
            _ => None,
        })
        .collect();
    let Some((outer, outermost)) = wanted.first() else {
        let result = case.state.steps.get(step);
        return result.map_or(CameTo::Nothing, |result| CameTo::Outcome(result.outcome.clone()));
    };
    let (mut found, mut opened) = (None, 0);
    let mut before: Option<State> = None;
    for entry in &case.log {
        for (number, event) in entry.events.iter().enumerate() {
            let then = || state_at(before.as_ref(), entry, number);
            let inside = |token: &TokenId| then().is_some_and(|state| is_in(&state, *token, &wanted));
            match event {
                // The rows begin anew.
                Event::Entered { step: entered, .. } if *outer == entered => (found, opened) = (None, 0),
                Event::ScopeOpened { holder, row: Some(row), .. } => {
                    let held = then().and_then(|state| state.tokens.get(holder)?.step.clone());
                    opened = if held.as_ref() == Some(outer) { opened.max(row.number + 1) } else { opened };
                }
                Event::Left { token, step: left, outcome, .. } if left == step && inside(token) => {
                    found = Some(outcome.clone());
                }
                Event::Skipped { token, step: left } if left == step && inside(token) => {
                    found = Some(Outcome::from(outcome::SKIPPED));
                }
                _ => {}
            }
        }
        before = engine::apply(before, entry).ok();
    }
    match found {
        Some(outcome) => CameTo::Outcome(outcome),
        None if opened > 0 && *outermost > opened => CameTo::NoRow((*outer).clone(), opened),
        None => CameTo::Nothing,
    }
}

/// Whether a token is in these rows, outermost first.
fn is_in(state: &State, token: TokenId, wanted: &[(&StepId, u32)]) -> bool {
    let around = rows(state, token);
    let mut around = around.iter();
    wanted.iter().all(|(each, row)| around.any(|(at, number)| at == *each && number == row))
}

/// A case before the event of an entry with this number.
fn state_at(before: Option<&State>, entry: &Entry, number: usize) -> Option<State> {
    let events = entry.events.get(..number)?.to_vec();
    engine::apply(before.cloned(), &Entry { events, ..entry.clone() }).ok()
}
