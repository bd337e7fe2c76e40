//! Plays test documents: what is done, in order, and what must be so.
//!
//! A test stops at its first failure, as what follows would only follow from it. A failure is a diagnostic at the
//! line of the test that was not met; it says what was found instead.

use super::coverage::Coverage;
use super::expect;
use super::standing::{local, standing};
use super::world::{World, operator, person};
use super::{Case, Letters};
use crate::compile::Compiled;
use crate::compile::scenario::{Advance, Deed, Move, Part, Path, START, Scenario, What};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::engine::command::{Actor, Ask};
use crate::engine::refusal::Refusal;
use crate::engine::state::{State, Task, TaskKind, Token, Waiting};
use crate::model::id::{PersonId, StepId, TaskId, TokenId};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;

/// What became of a test.
#[derive(Debug)]
pub struct Played {
    /// Why it failed; empty where it did not.
    pub failures: Vec<Diagnostic>,
    /// How many things it did and expected.
    pub moves: usize,
}

/// Plays a test, and notes what it walked.
pub fn play(scenario: &Scenario, compiled: &Compiled, letters: &dyn Letters, coverage: &mut Coverage) -> Played {
    let (no_people, no_hours) = (Directory::default(), Calendar::default());
    let directory = scenario.directory.as_deref().or(compiled.directory.as_ref()).unwrap_or(&no_people);
    let calendar = scenario.calendar.as_deref().or(compiled.calendar.as_ref()).unwrap_or(&no_hours);
    let world = World::new(&compiled.definitions, directory, calendar, scenario.now);
    let mut stage = Stage { world, letters, since: 0 };
    let (mut failures, moves) = stage.play(scenario);
    crate::diagnostics::sort(&mut failures, &compiled.sources);
    for case in stage.world.cases() {
        coverage.note(case, directory, calendar);
    }
    for mail in stage.world.mails() {
        if let Some(posted) = stage.world.posted(mail) {
            letters.sent(&posted);
        }
    }
    Played { failures, moves }
}

/// A world with what a test has to remember of it.
pub(super) struct Stage<'a> {
    pub(super) world: World<'a>,
    pub(super) letters: &'a dyn Letters,
    /// How many mails there were before the last act.
    pub(super) since: usize,
}

impl Stage<'_> {
    fn play(&mut self, scenario: &Scenario) -> (Vec<Diagnostic>, usize) {
        let start = &scenario.start;
        if let Err(refusal) = self.world.start(&scenario.process, &start.by, start.data.clone()) {
            return (vec![self.refused(start.span, &refusal)], 1);
        }
        for (number, next) in scenario.moves.iter().enumerate() {
            let failures = self.make(scenario, next);
            if !failures.is_empty() {
                return (failures, number + 1);
            }
        }
        (Vec::new(), scenario.moves.len() + 1)
    }

    fn make(&mut self, scenario: &Scenario, next: &Move) -> Vec<Diagnostic> {
        match next {
            Move::Expect(expected) => expect::failures(self, expected),
            Move::Advance(span, advance) => {
                self.since = self.world.mails().len();
                self.advance(*span, advance).into_iter().collect()
            }
            Move::Do(deed) => {
                self.since = self.world.mails().len();
                match self.act(scenario, deed) {
                    Ok(()) => Vec::new(),
                    Err(No::Refused(refusal)) => vec![self.refused(deed.span, &refusal)],
                    Err(No::Nowhere(failure)) => vec![*failure],
                }
            }
            Move::Refuse { deed, why } => {
                self.since = self.world.mails().len();
                self.refuse(scenario, deed, why.as_ref()).into_iter().collect()
            }
        }
    }

    /// Lets time pass; why not, where that is impossible.
    fn advance(&mut self, span: Span, advance: &Advance) -> Option<Diagnostic> {
        let now = self.world.now();
        let to = match advance {
            Advance::By(duration) => self.world.calendar().add(now, *duration),
            Advance::To(moment) => Some(*moment),
        };
        match to {
            Some(to) if to >= now => {
                self.world.advance(to);
                None
            }
            Some(_) => {
                let shown = local(&self.world, now);
                Some(failed(
                    span,
                    Wording::new(
                        format!("时间不能倒退：现在已是 {shown}"),
                        format!("time does not go back: it is {shown} by now"),
                    ),
                ))
            }
            None => Some(failed(span, Wording::new("日历里没有这个时间", "the calendar does not reach that far"))),
        }
    }

    fn refuse(
        &mut self,
        scenario: &Scenario,
        deed: &Deed,
        why: Option<&crate::diagnostics::Spanned<String>>,
    ) -> Option<Diagnostic> {
        let said = match self.act(scenario, deed) {
            Ok(()) => {
                return Some(failed(
                    deed.span,
                    Wording::new("这应当被拒绝，却被接受了", "this should be refused, but it was accepted"),
                ));
            }
            Err(No::Refused(refusal)) => refusal.wording(self.world.directory(), self.world.calendar().zone),
            Err(No::Nowhere(nowhere)) => nowhere.message,
        };
        let why = why?;
        let holds = |text: &str| text.to_lowercase().contains(&why.value.to_lowercase());
        if holds(&said.zh) || holds(&said.en) {
            return None;
        }
        Some(failed(
            why.span,
            Wording::new(
                format!("被拒绝了，但理由里没有“{}”，而是：{}", why.value, said.zh),
                format!("it was refused, but not because of “{}”: {}", why.value, said.en),
            ),
        ))
    }

    fn act(&mut self, scenario: &Scenario, deed: &Deed) -> Result<(), No> {
        match &deed.what {
            What::Decide { at, by, outcome, opinion, values } => {
                let case = self.case_of(at)?;
                let task = self.task(case, at, Some(by), false)?;
                let ask = Ask::Decide {
                    task,
                    assignment: None,
                    outcome: outcome.clone(),
                    opinion: opinion.clone(),
                    values: values.clone(),
                    seen: None,
                };
                self.world.ask(case, person(by), ask).map_err(No::Refused)
            }
            What::Revise { at, by, values, note } => {
                let case = self.case_of(at)?;
                let task = self.task(case, at, Some(by), true)?;
                let ask = Ask::Revise { task, data: values.clone(), note: note.clone(), seen: None };
                self.world.ask(case, person(by), ask).map_err(No::Refused)
            }
            What::Withdraw { case, by, reason } => {
                let case = self.case_of(case)?;
                let ask = Ask::Withdraw { reason: Some(reason.clone()) };
                self.world.ask(case, person(by), ask).map_err(No::Refused)
            }
            What::Cancel { case, reason } => {
                let case = self.case_of(case)?;
                let ask = Ask::Cancel { reason: Some(reason.clone()) };
                self.world.ask(case, operator(), ask).map_err(No::Refused)
            }
            What::Handover { from, to } => {
                let mut done = false;
                for case in 0..self.world.cases().len() {
                    let ask = Ask::HandOver { from: from.clone(), to: to.clone() };
                    match self.world.ask(case, operator(), ask) {
                        Ok(()) => done = true,
                        Err(Refusal::NothingToHandOver(_) | Refusal::Ended { .. }) => {}
                        Err(refusal) => return Err(No::Refused(refusal)),
                    }
                }
                if done { Ok(()) } else { Err(No::Refused(Refusal::NothingToHandOver(from.clone()))) }
            }
            What::Message { name, key, data } => {
                self.world.message(name.clone(), key.clone(), data.clone()).map_err(No::Refused)
            }
            What::Answer { at, status, data } if (200..300).contains(status) => {
                let (case, token, attempt) = self.outside(at)?;
                let ask = Ask::Answer { token, attempt, data: data.clone() };
                self.world.ask(case, Actor::System, ask).map_err(No::Refused)
            }
            What::Answer { at, status, .. } => {
                let (case, token, attempt) = self.outside(at)?;
                let what = Wording::new(format!("HTTP 状态 {status}"), format!("HTTP status {status}"));
                // What the caller did wrong is as wrong the next time.
                let permanent = (400..500).contains(status) && ![408, 429].contains(status);
                let ask = Ask::Fail { token, attempt, what, permanent, after: None };
                self.world.ask(case, Actor::System, ask).map_err(No::Refused)
            }
            What::Fail { at, why } => {
                let (case, token, attempt) = self.outside(at)?;
                let what = Wording::new(&**why, &**why);
                let ask = Ask::Fail { token, attempt, what, permanent: false, after: None };
                self.world.ask(case, Actor::System, ask).map_err(No::Refused)
            }
            What::Start(opening) => {
                let started = self.world.start(&scenario.process, &opening.by, opening.data.clone());
                started.map(|_| ()).map_err(No::Refused)
            }
        }
    }

    /// The number of the case that a way leads to: of what a step called, in the rows on the way, the newest.
    pub(super) fn case_of(&self, path: &Path) -> Result<usize, No> {
        let mut number = 0;
        let mut rows: Vec<(&StepId, u32)> = Vec::new();
        let mut before = None;
        for part in &path.parts {
            let step = match part {
                Part::Step(each) => {
                    before = Some(each);
                    continue;
                }
                Part::Row(row) => {
                    rows.extend(before.map(|each| (each, *row)));
                    continue;
                }
                Part::Call(step) => step,
            };
            let called = |case: &Case<'_>| {
                case.called.as_ref().is_some_and(|called| {
                    let mut held = called.rows.iter();
                    let inside = rows.iter().all(|(each, row)| held.any(|(at, number)| at == *each && number == row));
                    called.by == number && called.step == *step && inside
                })
            };
            match self.world.cases().iter().rposition(called) {
                Some(found) => {
                    number = found;
                    rows.clear();
                }
                None => {
                    return Err(No::Nowhere(Box::new(failed(
                        path.span,
                        Wording::new(
                            format!("步骤 `{step}` 还没有调用过流程"),
                            format!("step `{step}` has not called anything yet"),
                        ),
                    ))));
                }
            }
        }
        Ok(number)
    }

    /// The token that waits for another system or a worker, and the number of its attempt.
    fn outside(&self, path: &Path) -> Result<(usize, TokenId, u16), No> {
        let number = self.case_of(path)?;
        let Some(case) = self.world.cases().get(number) else { return Err(self.nowhere(number, path)) };
        let waits = |(id, token): (&TokenId, &Token)| match token.waits {
            Some(Waiting::Http { attempt, .. } | Waiting::Job { attempt, .. }) if leads(&case.state, *id, path) => {
                Some((number, *id, attempt))
            }
            _ => None,
        };
        case.state.tokens.iter().find_map(waits).ok_or_else(|| self.nowhere(number, path))
    }

    /// The task that a way leads to: the open one, of `by` where several are; else the last that was, whose refusal
    /// says what became of it.
    fn task(&self, number: usize, path: &Path, by: Option<&PersonId>, revise: bool) -> Result<TaskId, No> {
        let Some(case) = self.world.cases().get(number) else { return Err(self.nowhere(number, path)) };
        let open: Vec<(TaskId, &Task)> =
            tasks_at(&case.state, path).filter(|(_, task)| is_revision(task.kind) == revise).collect();
        let theirs = open.iter().find(|(_, task)| task.assignments.iter().any(|one| Some(&one.person) == by));
        if let Some((task, _)) = theirs.or_else(|| open.first()) {
            return Ok(*task);
        }
        // A task that waits for a revision says so when it is answered.
        if let Some((task, _)) = tasks_at(&case.state, path).next().filter(|_| !revise) {
            return Ok(task);
        }
        let closed = case.state.closed.iter().rev().find(|(_, task)| {
            path.parts.last() == Some(&Part::Step(task.step.clone())) && is_revision(task.kind) == revise
        });
        closed.map(|(task, _)| *task).ok_or_else(|| self.nowhere(number, path))
    }

    /// Nobody is asked there.
    fn nowhere(&self, case: usize, path: &Path) -> No {
        let message = match self.world.cases().get(case) {
            Some(case) if case.state.ended.is_some() => Wording::new(
                format!("步骤 `{path}` 没有待办：案例已经结束"),
                format!("nobody is asked at step `{path}`: the case has ended"),
            ),
            Some(case)
                if case.state.tasks.is_empty() && case.state.tokens.values().all(|one| one.incident.is_none()) =>
            {
                Wording::new(
                    format!("步骤 `{path}` 现在没有待办，别的步骤也没有"),
                    format!("nobody is asked at step `{path}` now, nor at any other"),
                )
            }
            Some(case) => {
                let found = standing(&self.world, case);
                Wording::new(
                    format!("步骤 `{path}` 现在没有待办。{}", found.zh),
                    format!("nobody is asked at step `{path}` now; {}", found.en),
                )
            }
            None => {
                Wording::new(format!("步骤 `{path}` 现在没有待办"), format!("nobody is asked at step `{path}` now"))
            }
        };
        No::Nowhere(Box::new(failed(path.span, message)))
    }

    fn refused(&self, span: Span, refusal: &Refusal) -> Diagnostic {
        let said = refusal.wording(self.world.directory(), self.world.calendar().zone);
        failed(span, Wording::new(format!("被拒绝：{}", said.zh), format!("refused: {}", said.en)))
    }
}

/// Why something could not be done.
pub(super) enum No {
    /// The engine refused it.
    Refused(Refusal),
    /// The test names what is not there.
    Nowhere(Box<Diagnostic>),
}

pub(super) fn failed(span: Span, message: Wording) -> Diagnostic {
    Diagnostic::new(Code::FailedTest, span, message)
}

pub(super) fn is_revision(kind: TaskKind) -> bool {
    matches!(kind, TaskKind::Revise { .. } | TaskKind::Begin)
}

/// The open tasks of the step that a way leads to.
pub(super) fn tasks_at<'s>(state: &'s State, path: &'s Path) -> impl Iterator<Item = (TaskId, &'s Task)> {
    state
        .tasks
        .iter()
        .filter(|(_, task)| {
            let last = path.parts.last();
            let begins = task.kind == TaskKind::Begin && last == Some(&Part::Step(START.into()));
            begins || (last == Some(&Part::Step(task.step.clone())) && leads(state, task.token, path))
        })
        .map(|(number, task)| (*number, task))
}

/// Whether a way leads to where a token is: its rows and steps are among those around the token, in order.
pub(super) fn leads(state: &State, token: TokenId, path: &Path) -> bool {
    let Some(found) = state.tokens.get(&token) else { return false };
    let mut around: Vec<Part> = found.step.iter().cloned().map(Part::Step).collect();
    let mut scope = state.scopes.get(&found.scope);
    while let Some(here) = scope {
        if let Some(row) = &here.row {
            around.push(Part::Row(row.number + 1));
        }
        let holder = here.holder.and_then(|holder| state.tokens.get(&holder));
        around.extend(holder.and_then(|holder| holder.step.clone()).map(Part::Step));
        scope = here.parent.and_then(|parent| state.scopes.get(&parent));
    }
    let mut around = around.into_iter().rev().peekable();
    let own = path
        .parts
        .iter()
        .skip(path.parts.iter().rposition(|part| matches!(part, Part::Call(_))).map_or(0, |at| at + 1));
    let last = around.clone().last();
    path.parts.last() == last.as_ref() && own.clone().all(|part| around.any(|here| here == *part))
}
