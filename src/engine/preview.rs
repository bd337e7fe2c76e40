//! What is still to come for an instance, as far as it can be known now.

use super::command::Command;
use super::people::{self, Seats};
use super::run::Run;
use super::state::{State, TaskKind};
use super::{Facts, form, scope};
use crate::model::definition::{Definition, Human, Step, StepKind, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::{PersonId, StepId};
use crate::model::text::Text;
use crate::model::value::Value;
use std::collections::BTreeSet;

/// A step that lies ahead.
#[derive(Clone, Debug, PartialEq)]
pub struct Upcoming {
    /// Which step.
    pub step: StepId,
    /// What people call it.
    pub title: Option<Text>,
    /// Who would be asked, as things stand.
    pub people: Vec<PersonId>,
    /// Whether it comes for certain if everyone agrees, or depends on what is not known yet.
    pub certain: bool,
}

/// The human steps that lie ahead if everyone agrees, nearest first.
///
/// Conditions are evaluated on the data as it is. One that cannot be evaluated yet, because it reads what a step
/// ahead fills in, makes its step and those after it uncertain.
pub fn upcoming(definition: &Definition, state: &State, facts: &Facts<'_>) -> Vec<Upcoming> {
    let command =
        Command { id: "preview".into(), actor: super::command::Actor::System, ask: super::command::Ask::Wake };
    let now = facts.now.max(state.at);
    let mut ahead = Vec::new();
    for token in state.tokens.values() {
        let Some(step) = &token.step else { continue };
        let run = Run { definition, facts, command: &command, now, state: state.clone(), events: Vec::new(), drawn: 0 };
        walk(run, step, &mut ahead);
    }
    ahead
}

fn walk(mut run: Run<'_>, from: &StepId, ahead: &mut Vec<Upcoming>) {
    let definition = run.definition;
    let mut seen = BTreeSet::from([from.clone()]);
    let mut certain = true;
    let agreed = On::Outcome(outcome::APPROVED.into());
    let mut at = onward(definition, &Node::Step(from.clone()), &agreed);
    while let Some(node) = at {
        at = match node {
            Node::Start | Node::Finish(_) => return,
            Node::Join(_) => onward(definition, node, &On::Next),
            Node::Step(id) => {
                if !seen.insert(id.clone()) {
                    return;
                }
                let Some(step) = definition.steps.get(id) else { return };
                match step.when.as_ref().map(|when| run.evaluate(when, None)) {
                    None | Some(Ok(Value::Boolean(true))) => {}
                    Some(Ok(_)) => {
                        at = onward(definition, node, &On::Next);
                        continue;
                    }
                    Some(Err(_)) => certain = false,
                }
                let on = pass(&mut run, id, step, &mut certain, ahead);
                onward(definition, node, &on)
            }
        };
    }
}

/// Passes a step as if everyone agreed.
fn pass(run: &mut Run<'_>, id: &StepId, step: &Step, certain: &mut bool, ahead: &mut Vec<Upcoming>) -> On {
    match &step.kind {
        StepKind::Approve(human) => {
            ahead.push(asked(run, id, step, human, TaskKind::Approve, *certain));
            On::Outcome(outcome::APPROVED.into())
        }
        StepKind::Task(human) => {
            ahead.push(asked(run, id, step, human, TaskKind::Work, *certain));
            // Its first outcome is the usual one.
            human.outcomes.keys().next().map_or(On::Next, |first| On::Outcome(first.clone()))
        }
        StepKind::Choose(cases) => {
            for (number, case) in (0u16..).zip(cases) {
                match run.evaluate(case, None) {
                    Ok(Value::Boolean(true)) => return On::Case(number),
                    Ok(_) => {}
                    Err(_) => *certain = false,
                }
            }
            On::Otherwise
        }
        StepKind::Set(fields) => {
            for (name, formula) in fields {
                match scope::evaluate(&run.state, run.facts, run.now, formula, &run.state.data, None, None) {
                    Ok(value) => {
                        let value = form::store(run.definition, name, value);
                        run.state.data.insert(name.clone(), value);
                    }
                    Err(_) => *certain = false,
                }
            }
            On::Next
        }
        StepKind::Notify(_) | StepKind::End(_) => On::Next,
    }
}

fn asked(run: &Run<'_>, id: &StepId, step: &Step, human: &Human, kind: TaskKind, certain: bool) -> Upcoming {
    let people = match people::seats(run, human, kind) {
        Ok(Seats::Filled(seats)) => {
            let mut people: Vec<PersonId> = Vec::new();
            for candidate in seats.into_iter().flatten() {
                if !people.contains(&candidate.person) {
                    people.push(candidate.person);
                }
            }
            people
        }
        Ok(Seats::Skip) | Err(_) => Vec::new(),
    };
    Upcoming { step: id.clone(), title: step.title.clone(), people, certain }
}

fn onward<'a>(definition: &'a Definition, from: &Node, on: &On) -> Option<&'a Node> {
    definition.graph.next(from, on).or_else(|| definition.graph.next(from, &On::Next))
}
