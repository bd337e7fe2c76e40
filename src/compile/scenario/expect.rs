//! What a test expects: steps, people, mails and data, with their names settled.

use super::given::afterwards;
use super::lower::Lowering;
use super::unknown::no_end;
use super::{Expected, Path};
use crate::diagnostics::Spanned;
use crate::model::definition::{Definition, StepKind, outcome};
use crate::model::id::Outcome;
use crate::syntax;

impl Lowering<'_> {
    pub(super) fn expect(&mut self, expect: &syntax::Expect) -> Option<Expected> {
        let (case, definition) = self.case(expect.case.as_ref(), expect.key)?;
        let mut paths = |written: &[Spanned<String>]| -> Vec<Path> {
            // Steps are named from the case that is looked at.
            let outer = std::mem::replace(&mut self.definition, definition);
            let found = written.iter().filter_map(|one| self.path(one)).map(|(path, _)| path).collect();
            self.definition = outer;
            found
        };
        let tasks = paths(&expect.tasks);
        let no_tasks = paths(&expect.no_tasks);
        let at = expect.at.as_ref().map(|at| Spanned::new(paths(&at.value), at.span));
        let incident = expect.incident.as_ref().map(|at| paths(std::slice::from_ref(at)));
        let outcomes: Vec<(Path, Spanned<Outcome>)> = expect
            .outcomes
            .iter()
            .filter_map(|(step, outcome)| {
                let path = paths(std::slice::from_ref(step)).pop()?;
                Some((path, Spanned::new(Outcome::from(outcome.value.as_str()), outcome.span)))
            })
            .collect();
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
            self.known_end(ended, definition);
            Spanned::new(Outcome::from(ended.value.as_str()), ended.span)
        });
        let due = expect.due.as_ref().and_then(|due| Some(Spanned::new(self.moment(due)?, due.span)));
        let data = self.expected(&afterwards(definition), expect.data.as_ref());
        Some(Expected {
            key: expect.key,
            case,
            tasks,
            people,
            due,
            no_tasks,
            mails: expect.mails.clone(),
            no_mails: expect.no_mails.clone(),
            data,
            ended,
            outcomes,
            at,
            stage: expect.stage.clone(),
            incident: incident.and_then(|mut found| found.pop()),
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
