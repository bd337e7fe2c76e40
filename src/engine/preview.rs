//! What is still to come for an instance, as far as it can be known now.

use super::Facts;
use super::command::Command;
use super::people::{self, Seats};
use super::run::Run;
use super::state::{State, TaskKind, Token, Waiting};
use crate::model::control::Join;
use crate::model::definition::{Definition, Human, Step, StepKind, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::{PersonId, StepId, TokenId};
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
    let mut ahead = Vec::new();
    for (number, token) in &state.tokens {
        let (Some(step), false) = (&token.step, is_block(token)) else { continue };
        let run = Run::new(definition, facts, &command, state.clone());
        let mut walk = Walk { run, token: *number, ahead: &mut ahead, seen: BTreeSet::new(), certain: true };
        walk.seen.insert(step.clone());
        let agreed = On::Outcome(outcome::APPROVED.into());
        walk.along(&Node::Step(step.clone()), &agreed, None);
    }
    let mut told = BTreeSet::new();
    ahead.retain(|step| told.insert(step.step.clone()));
    ahead
}

/// A token that waits for its blocks goes on where theirs lead.
fn is_block(token: &Token) -> bool {
    matches!(token.waits, Some(Waiting::Block(_)))
}

/// A walk ahead, as if everyone agreed.
struct Walk<'w, 'a> {
    run: Run<'a>,
    token: TokenId,
    ahead: &'w mut Vec<Upcoming>,
    seen: BTreeSet<StepId>,
    certain: bool,
}

impl Walk<'_, '_> {
    /// From a node, on what happened there, to the end, to where it was before, or as far as the join of a branch.
    fn along(&mut self, from: &Node, on: &On, until: Option<&Node>) {
        let definition = self.run.definition;
        let mut at = onward(definition, from, on);
        while let Some(node) = at.filter(|node| Some(*node) != until) {
            at = match node {
                Node::Start | Node::Finish(_) | Node::Undone(_) => return,
                Node::Join(_) => onward(definition, node, &On::Next),
                Node::Step(id) => {
                    if !self.seen.insert(id.clone()) {
                        return;
                    }
                    let Some(step) = definition.steps.get(id) else { return };
                    match step.when.as_ref().map(|when| self.run.evaluate(self.token, when, None)) {
                        None | Some(Ok(Value::Boolean(true))) => {}
                        Some(Ok(_)) => {
                            at = onward(definition, node, &On::Next);
                            continue;
                        }
                        Some(Err(_)) => self.certain = false,
                    }
                    let on = self.pass(id, step);
                    let held = matches!(step.kind, StepKind::Parallel(_) | StepKind::Race | StepKind::Each(_));
                    let after = Node::Join(id.clone());
                    onward(definition, if held { &after } else { node }, &on)
                }
            };
        }
    }

    /// Passes a step.
    fn pass(&mut self, id: &StepId, step: &Step) -> On {
        let run = &mut self.run;
        match &step.kind {
            StepKind::Approve(human) => {
                self.ask(id, step, human, TaskKind::Approve);
                return On::Outcome(outcome::APPROVED.into());
            }
            StepKind::Task(human) => {
                self.ask(id, step, human, TaskKind::Work);
                // Its first outcome is the usual one.
                return human.outcomes.keys().next().map_or(On::Next, |first| On::Outcome(first.clone()));
            }
            StepKind::Choose(cases) => {
                for (number, case) in (0u16..).zip(cases) {
                    match run.evaluate(self.token, case, None) {
                        Ok(Value::Boolean(true)) => return On::Case(number),
                        Ok(_) => {}
                        Err(_) => self.certain = false,
                    }
                }
                return On::Otherwise;
            }
            StepKind::Set(fields) => {
                for (name, formula) in fields {
                    match run.evaluate(self.token, formula, None) {
                        Ok(value) => {
                            let value = run.stored(self.token, name, value);
                            run.state.data.insert(name.clone(), value);
                        }
                        Err(_) => self.certain = false,
                    }
                }
            }
            StepKind::Table(look_up) => match super::step::table::taken(run, self.token, look_up) {
                Ok(values) => run.state.data.extend(values),
                Err(_) => self.certain = false,
            },
            // Who is asked in rows and in races depends on what is not known yet.
            StepKind::Parallel(_) | StepKind::Race | StepKind::Each(_) => {
                let sure = matches!(step.kind, StepKind::Parallel(Join::All));
                let before = self.certain;
                self.certain &= sure;
                for (on, _) in self.run.definition.graph.edges_from(&Node::Step(id.clone())) {
                    if matches!(on, On::Branch(_) | On::Row) {
                        self.along(&Node::Step(id.clone()), on, Some(&Node::Join(id.clone())));
                    }
                }
                self.certain = before;
            }
            StepKind::Call(_) | StepKind::Receive(_) | StepKind::Http(_) | StepKind::Job(_) => self.certain = false,
            StepKind::Notify(_) | StepKind::End(_) | StepKind::Wait(_) => {}
        }
        On::Next
    }

    fn ask(&mut self, id: &StepId, step: &Step, human: &Human, kind: TaskKind) {
        let people = match people::seats(&self.run, self.token, human, kind) {
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
        self.ahead.push(Upcoming { step: id.clone(), title: step.title.clone(), people, certain: self.certain });
    }
}

fn onward<'a>(definition: &'a Definition, from: &Node, on: &On) -> Option<&'a Node> {
    definition.graph.next(from, on).or_else(|| definition.graph.next(from, &On::Next))
}
