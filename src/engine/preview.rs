//! What is still to come for an instance, as far as it can be known now.

use super::command::Command;
use super::human;
use super::people::{self, Candidate, Seats};
use super::run::Run;
use super::state::{State, StepResult, TaskKind, Waiting};
use super::{Facts, unasked};
use crate::model::control::Join;
use crate::model::definition::{Definition, Human, Mode, Step, StepKind, outcome};
use crate::model::formula::{Formula, Read};
use crate::model::graph::{Node, On};
use crate::model::id::{FieldName, PersonId, ScopeId, StepId, TokenId};
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
    /// Who would be asked, as things stand: of each seat those of whom one signs.
    pub seats: Vec<Vec<PersonId>>,
    /// Whether it comes for certain if everyone agrees, or depends on what is not known yet.
    pub certain: bool,
}

impl Upcoming {
    /// All who would be asked, each once.
    pub fn people(&self) -> Vec<&PersonId> {
        let mut people: Vec<&PersonId> = Vec::new();
        for person in self.seats.iter().flatten() {
            if !people.contains(&person) {
                people.push(person);
            }
        }
        people
    }
}

/// The human steps that lie ahead if everyone agrees, nearest first: what is inside a block before what is after it.
///
/// Conditions are evaluated on the data as it is. One that reads what a step ahead fills in cannot be known yet: what
/// it decides on is uncertain, and what comes either way is not.
pub fn upcoming(definition: &Definition, state: &State, facts: &Facts<'_>) -> Vec<Upcoming> {
    let command =
        Command { id: "preview".into(), actor: super::command::Actor::System, ask: super::command::Ask::Wake };
    let run = Run::new(definition, facts, &command, state.clone());
    let mut ahead = Vec::new();
    let mut walk = Walk {
        run,
        token: TokenId(0),
        ahead: &mut ahead,
        seen: BTreeSet::new(),
        certain: true,
        unknown: BTreeSet::new(),
    };
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
    /// What steps ahead fill in or take: nobody knows yet what it will be.
    unknown: BTreeSet<Read>,
}

/// Whether a condition holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    Unknown,
}

impl<'a> Walk<'_, 'a> {
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
                self.brings(id, step);
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
            self.brings(id, step);
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
        self.walk(onward(self.run.definition, from, on), until);
    }

    fn walk(&mut self, mut at: Option<&'a Node>, until: Option<&Node>) {
        let definition = self.run.definition;
        while let Some(node) = at.filter(|node| Some(*node) != until) {
            at = match node {
                Node::Start | Node::Finish(_) | Node::Undone(_) => return,
                Node::Join(_) => onward(definition, node, &On::Next),
                Node::Step(id) => {
                    if !self.seen.insert(id.clone()) {
                        return;
                    }
                    let Some(step) = definition.steps.get(id) else { return };
                    let skipped = onward(definition, node, &On::Next);
                    let mut when = step.when.as_ref().map_or(Holds::Yes, |when| self.holds(when));
                    // Whoever returned it is asked again, whatever the condition says by now.
                    if when == Holds::No && step.human().is_some() && human::is_owed(&self.run, self.token, id) {
                        when = Holds::Yes;
                    }
                    if when == Holds::No {
                        let (outcome, at_once) = (outcome::SKIPPED.into(), self.run.now);
                        let passed = StepResult { outcome, by: Vec::new(), at: at_once, late: false };
                        self.run.state.steps.insert(id.clone(), passed);
                        unasked::passed(&mut self.run, self.token, id);
                        at = skipped;
                        continue;
                    }
                    let before = self.certain;
                    self.certain &= when == Holds::Yes;
                    let next = match &step.kind {
                        StepKind::Choose(cases) => self.choose(node, cases, until),
                        _ => {
                            let on = self.pass(id, step);
                            let held = matches!(step.kind, StepKind::Parallel(_) | StepKind::Race | StepKind::Each(_));
                            let after = Node::Join(id.clone());
                            onward(definition, if held { &after } else { node }, &on)
                        }
                    };
                    // Whether the step comes or is skipped, the case goes on the same way.
                    let sure = when == Holds::Yes && !matches!(step.kind, StepKind::Choose(_));
                    if sure || next == skipped {
                        self.certain = before;
                    }
                    next
                }
            };
        }
    }

    /// Whether a condition holds, as far as it can be known.
    fn holds(&self, formula: &Formula) -> Holds {
        if formula.reads.iter().any(|read| self.is_unknown(read)) {
            return Holds::Unknown;
        }
        match self.run.evaluate(self.token, formula, None) {
            Ok(Value::Boolean(true)) => Holds::Yes,
            Ok(_) => Holds::No,
            Err(_) => Holds::Unknown,
        }
    }

    fn is_unknown(&self, read: &Read) -> bool {
        // What is computed is known as far as what it is computed from.
        let computed = |name: &FieldName| {
            let mut fields = self.run.definition.fields();
            fields.find(|(own, _)| *own == name).and_then(|(_, field)| field.value.as_ref())
        };
        self.unknown.contains(read)
            || matches!(read, Read::Field(name) if computed(name).is_some_and(|formula| {
                formula.reads.iter().any(|read| self.is_unknown(read))
            }))
    }

    /// Notes what a step ahead fills in, takes or comes to.
    fn brings(&mut self, id: &StepId, step: &Step) {
        self.unknown.insert(Read::Step(id.clone()));
        let names: Vec<&FieldName> = match &step.kind {
            StepKind::Approve(human) | StepKind::Task(human) => human.form.keys().collect(),
            StepKind::Http(http) => http.take.keys().collect(),
            StepKind::Job(job) => job.take.keys().collect(),
            StepKind::Receive(receive) => receive.take.keys().collect(),
            StepKind::Call(call) => call.take.keys().collect(),
            StepKind::Each(each) => vec![&each.list, &each.alias],
            _ => Vec::new(),
        };
        self.unknown.extend(names.into_iter().map(|name| Read::Field(name.clone())));
    }

    /// Passes a choice. Where it is not known which case will be, each that may be is walked, as uncertain, as far as
    /// all of them come together.
    fn choose(&mut self, node: &'a Node, cases: &[Formula], until: Option<&Node>) -> Option<&'a Node> {
        let definition = self.run.definition;
        let (mut may_be, mut sure) = (Vec::new(), false);
        for (number, case) in (0u16..).zip(cases) {
            match self.holds(case) {
                Holds::No => {}
                Holds::Unknown => may_be.push(On::Case(number)),
                Holds::Yes => {
                    may_be.push(On::Case(number));
                    sure = true;
                    break;
                }
            }
        }
        if !sure {
            may_be.push(On::Otherwise);
        }
        let ways: Vec<Option<&'a Node>> = may_be.iter().map(|on| onward(definition, node, on)).collect();
        if let [only] = ways.as_slice() {
            return *only;
        }
        let trails: Vec<Vec<&'a Node>> = ways.iter().map(|way| trail(definition, *way)).collect();
        let (first, others) = trails.split_first()?;
        let meet = first.iter().find(|node| others.iter().all(|trail| trail.contains(node))).copied();
        let (before, seen) = (self.certain, self.seen.clone());
        self.certain = false;
        for way in ways {
            self.seen.clone_from(&seen);
            self.walk(way, meet.or(until));
            self.certain = false;
        }
        self.certain = before && meet.is_some();
        meet
    }

    /// Passes a step.
    fn pass(&mut self, id: &StepId, step: &Step) -> On {
        match &step.kind {
            StepKind::Approve(human) => self.ask(id, step, human, TaskKind::Approve),
            StepKind::Task(human) => self.ask(id, step, human, TaskKind::Work),
            StepKind::Set(fields) => {
                for (name, formula) in fields {
                    let known = !formula.reads.iter().any(|read| self.is_unknown(read));
                    match self.run.evaluate(self.token, formula, None) {
                        Ok(value) if known => {
                            let value = self.run.stored(self.token, name, value);
                            self.run.state.data.insert(name.clone(), value);
                            self.unknown.remove(&Read::Field(name.clone()));
                        }
                        _ => drop(self.unknown.insert(Read::Field(name.clone()))),
                    }
                }
            }
            StepKind::Table(look_up) => {
                let known = !look_up.with.values().flat_map(|given| &given.reads).any(|read| self.is_unknown(read));
                match super::step::table::taken(&self.run, self.token, look_up) {
                    Ok(values) if known => self.run.state.data.extend(values),
                    _ => self.unknown.extend(look_up.take.keys().map(|name| Read::Field(name.clone()))),
                }
            }
            // Who is asked in rows and in races depends on what is not known yet.
            StepKind::Parallel(_) | StepKind::Race | StepKind::Each(_) => {
                let sure = matches!(step.kind, StepKind::Parallel(Join::All));
                let before = self.certain;
                self.certain &= sure;
                let inside = self.certain;
                for (on, _) in self.run.definition.graph.edges_from(&Node::Step(id.clone())) {
                    if matches!(on, On::Branch(_) | On::Row) {
                        self.certain = inside;
                        self.along(&Node::Step(id.clone()), on, Some(&Node::Join(id.clone())));
                    }
                }
                self.certain = before;
            }
            _ => {}
        }
        self.brings(id, step);
        match &step.kind {
            StepKind::Approve(_) | StepKind::Task(_) => usual(step),
            _ => On::Next,
        }
    }

    fn ask(&mut self, id: &StepId, step: &Step, human: &Human, kind: TaskKind) {
        let seats = match people::seats(&self.run, self.token, id, human, kind) {
            Ok(Seats::Filled(seats)) => seats,
            Ok(Seats::Skip) | Err(_) => Vec::new(),
        };
        let named = |seat: Vec<Candidate>| seat.into_iter().map(|candidate| candidate.person).collect();
        let mut seats: Vec<Vec<PersonId>> = seats.into_iter().map(named).collect();
        if human.mode == Mode::Any {
            seats = vec![seats.concat()];
        }
        self.ahead.push(Upcoming { step: id.clone(), title: step.title.clone(), seats, certain: self.certain });
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

/// The nodes from here on if everyone agrees, whatever is skipped; of a choice, by its last case.
fn trail<'a>(definition: &'a Definition, from: Option<&'a Node>) -> Vec<&'a Node> {
    let (mut found, mut at) = (Vec::new(), from);
    while let Some(node) = at.filter(|node| !found.contains(node)) {
        found.push(node);
        at = match node {
            Node::Start | Node::Finish(_) | Node::Undone(_) => None,
            Node::Join(_) => onward(definition, node, &On::Next),
            Node::Step(id) => definition.steps.get(id).and_then(|step| match &step.kind {
                StepKind::Parallel(_) | StepKind::Race | StepKind::Each(_) => {
                    let join = Node::Join(id.clone());
                    onward(definition, &join, &On::Next)
                }
                StepKind::Choose(_) => onward(definition, node, &On::Otherwise),
                _ => onward(definition, node, &usual(step)),
            }),
        };
    }
    found
}
