//! What a test expects: steps, people, mails and data, with their names settled.

use super::given::afterwards;
use super::lower::Lowering;
use super::unknown::{no_end, no_outcome, no_stage};
use super::way::At;
use super::{Expected, Path};
use crate::diagnostics::Spanned;
use crate::model::control::Join;
use crate::model::definition::{Definition, StepKind, outcome};
use crate::model::graph::{Node, On};
use crate::model::id::Outcome;
use crate::syntax;

/// What steps come to without an answer.
const BESIDE: [&str; 4] = [outcome::SKIPPED, outcome::OVERDUE, outcome::CANCELLED, outcome::WITHDRAWN];

impl Lowering<'_> {
    pub(super) fn expect(&mut self, expect: &syntax::Expect) -> Option<Expected> {
        let case = self.case(expect.case.as_ref(), expect.key);
        let definition = case.as_ref().map(|case| case.definition);
        // Steps are named from the case that is looked at.
        let outer = std::mem::replace(&mut self.definition, definition);
        let mut paths = |written: &[Spanned<String>]| -> Vec<Path> {
            written.iter().filter_map(|one| self.path(one)).map(|at| at.path).collect()
        };
        let tasks = paths(&expect.tasks);
        let no_tasks = paths(&expect.no_tasks);
        let at = expect.at.as_ref().map(|at| Spanned::new(paths(&at.value), at.span));
        let incident = expect.incident.as_ref().map(|at| paths(std::slice::from_ref(at)));
        let outcomes = expect.outcomes.iter().filter_map(|(step, outcome)| {
            let at = self.path(step)?;
            if let Some(outcome) = outcome {
                self.known_outcome(outcome, &at);
            }
            let outcome = outcome.as_ref()?;
            Some((at.path, Spanned::new(Outcome::from(outcome.value.as_str()), outcome.span)))
        });
        let outcomes: Vec<(Path, Spanned<Outcome>)> = outcomes.collect();
        if let (Some(stage), Some(definition)) = (&expect.stage, definition)
            && !definition.stages.contains_key(stage.value.as_str())
        {
            self.diagnostics.push(no_stage(stage, definition));
        }
        self.definition = outer;
        for like in expect.mails.iter().chain(&expect.no_mails) {
            for to in &like.to {
                self.person(to);
            }
        }
        let people = expect.people.as_ref().map(|people| {
            let ids = people.value.iter().filter_map(|person| self.person(person)).collect();
            Spanned::new(ids, people.span)
        });
        let ended = expect.ended.as_ref().map(|ended| {
            if let Some(definition) = definition {
                self.known_end(ended, definition);
            }
            Spanned::new(Outcome::from(ended.value.as_str()), ended.span)
        });
        let due = expect.due.as_ref().and_then(|due| Some(Spanned::new(self.moment(due)?, due.span)));
        let data = definition.map(|definition| self.expected(&afterwards(definition), expect.data.as_ref()));
        Some(Expected {
            key: expect.key,
            case: case?.path,
            tasks,
            people,
            due,
            no_tasks,
            mails: expect.mails.clone(),
            no_mails: expect.no_mails.clone(),
            data: data.unwrap_or_default(),
            ended,
            outcomes,
            at,
            stage: expect.stage.clone(),
            incident: incident.and_then(|mut found| found.pop()),
        })
    }

    /// Reports an outcome that a step never comes to, where that is known of its kind.
    fn known_outcome(&mut self, wanted: &Spanned<String>, at: &At<'_>) {
        let Some(known) = self.outcomes(at) else { return };
        if !BESIDE.contains(&wanted.value.as_str()) && !known.iter().any(|known| known.as_str() == wanted.value) {
            self.diagnostics.push(no_outcome(wanted.span, &wanted.value, &known));
        }
    }

    /// What a step comes to, beside what any step may; `None` where that is not known.
    fn outcomes(&self, at: &At<'_>) -> Option<Vec<Outcome>> {
        let done = || vec![Outcome::from(outcome::DONE)];
        let branches = || -> Vec<Outcome> {
            let step = at.path.step().map(|id| Node::Step(id.clone()));
            let edges = step.map(|step| at.definition.graph.edges_from(&step)).unwrap_or_default();
            let name = |(on, _): (&On, _)| if let On::Branch(name) = on { Some(Outcome::from(&**name)) } else { None };
            edges.into_iter().filter_map(name).collect()
        };
        Some(match at.kind()? {
            StepKind::Approve(human) | StepKind::Task(human) => human.outcomes.keys().cloned().collect(),
            StepKind::Http(_) | StepKind::Job(_) => [outcome::DONE, outcome::FAILED].map(Outcome::from).into(),
            StepKind::Race | StepKind::Parallel(Join::Any) => branches(),
            StepKind::Call(call) if !call.detached => {
                let called = self.ground.definitions.iter().find(|one| one.process == call.process)?;
                ends(called).into_iter().chain([outcome::REFUSED.into()]).collect()
            }
            StepKind::Parallel(_)
            | StepKind::Each(_)
            | StepKind::Call(_)
            | StepKind::Set(_)
            | StepKind::Table(_)
            | StepKind::Notify(_)
            | StepKind::Wait(_)
            | StepKind::Receive(_) => done(),
            StepKind::Choose(_) | StepKind::End(_) => return None,
        })
    }

    /// Reports an outcome that no case of a process has.
    pub(super) fn known_end(&mut self, ended: &Spanned<String>, definition: &Definition) {
        let known = ends(definition);
        if !known.iter().any(|known| known.as_str() == ended.value) {
            self.diagnostics.push(no_end(ended, &known, definition));
        }
    }
}

/// How a case of this process can end.
pub(crate) fn ends(definition: &Definition) -> Vec<Outcome> {
    let mut known: Vec<Outcome> = Vec::new();
    let built_in = [outcome::DONE, outcome::REJECTED, outcome::WITHDRAWN, outcome::CANCELLED];
    let named = definition.steps.values().filter_map(|step| match &step.kind {
        StepKind::End(outcome) => Some(outcome.clone()),
        _ => None,
    });
    for outcome in named.chain(built_in.map(Outcome::from)) {
        if !known.contains(&outcome) {
            known.push(outcome);
        }
    }
    known
}
