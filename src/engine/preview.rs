//! What is still to come for an instance, as far as it can be known now.

use super::Facts;
use super::command::Command;
use super::human;
use super::people::{self, Seats};
use super::run::Run;
use super::state::{State, TaskKind, Waiting};
use crate::model::control::Join;
use crate::model::definition::{Definition, Human, Step, StepKind, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::{PersonId, ScopeId, StepId, TokenId};
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

/// The human steps that lie ahead if everyone agrees, nearest first: what is inside a block before what is after it.
///
/// Conditions are evaluated on the data as it is. One that cannot be evaluated yet, because it reads what a step
/// ahead fills in, makes its step and those after it uncertain.
pub fn upcoming(definition: &Definition, state: &State, facts: &Facts<'_>) -> Vec<Upcoming> {
    let command =
        Command { id: "preview".into(), actor: super::command::Actor::System, ask: super::command::Ask::Wake };
    let run = Run::new(definition, facts, &command, state.clone());
    let mut ahead = Vec::new();
    let mut walk = Walk { run, token: TokenId(0), ahead: &mut ahead, seen: BTreeSet::new(), certain: true };
    for (number, _) in state.scopes.iter().filter(|(_, scope)| scope.holder.is_none()) {
        walk.rest_of(state, *number, true, None);
    }
    let mut told = BTreeSet::new();
    ahead.retain(|step| told.insert(step.step.clone()));
    ahead
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
    /// What is left of a scope: of each token in it the rest of the blocks that it holds, then its own way on.
    fn rest_of(&mut self, state: &State, scope: ScopeId, certain: bool, until: Option<&Node>) {
        for (number, token) in state.tokens.iter().filter(|(_, token)| token.scope == scope) {
            let Some(id) = &token.step else {
                self.begin(*number, certain);
                self.along(&Node::Start, &On::Next, until);
                continue;
            };
            let Some(step) = self.run.definition.steps.get(id) else { continue };
            let here = Node::Step(id.clone());
            let Some(Waiting::Block(running)) = &token.waits else {
                self.begin(*number, certain);
                self.seen.insert(id.clone());
                // Once the case is revised, the same people are asked again.
                let parked = state.tasks.values().any(|task| task.token == *number && task.parked);
                if let Some(human) = step.human().filter(|_| parked) {
                    let approves = matches!(step.kind, StepKind::Approve(_));
                    self.ask(id, step, human, if approves { TaskKind::Approve } else { TaskKind::Work });
                }
                self.along(&here, &usual(step), until);
                continue;
            };
            let (sure, join) = (certain && comes_to_its_end(step), Node::Join(id.clone()));
            for (inner, _) in state.scopes.iter().filter(|(_, scope)| scope.holder == Some(*number)) {
                self.rest_of(state, *inner, sure, Some(&join));
            }
            // Rows that wait for their turn.
            if (running.opened as usize) < running.rows.len() {
                self.begin(*number, sure);
                self.along(&here, &On::Row, Some(&join));
            }
            self.begin(*number, certain);
            self.along(&join, &On::Next, until);
        }
    }

    /// Begins a way of its own.
    fn begin(&mut self, token: TokenId, certain: bool) {
        (self.token, self.certain) = (token, certain);
        self.seen.clear();
    }

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
                        Some(Ok(_)) if step.human().is_some() && human::is_owed(&self.run, self.token, id) => {}
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
                return usual(step);
            }
            StepKind::Task(human) => {
                self.ask(id, step, human, TaskKind::Work);
                return usual(step);
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

/// What comes of a step if everyone agrees; of a task, its first outcome.
fn usual(step: &Step) -> On {
    match &step.kind {
        StepKind::Approve(_) => On::Outcome(outcome::APPROVED.into()),
        StepKind::Task(human) => human.outcomes.keys().next().map_or(On::Next, |first| On::Outcome(first.clone())),
        _ => On::Next,
    }
}

/// Whether whatever is begun in a block is done before the case goes on.
fn comes_to_its_end(step: &Step) -> bool {
    match &step.kind {
        StepKind::Parallel(join) => *join == Join::All,
        StepKind::Each(each) => each.until.is_none(),
        _ => false,
    }
}

fn onward<'a>(definition: &'a Definition, from: &Node, on: &On) -> Option<&'a Node> {
    definition.graph.next(from, on).or_else(|| definition.graph.next(from, &On::Next))
}
