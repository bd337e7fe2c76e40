//! Scenarios: test documents whose names are settled and whose data is typed.
//!
//! A scenario keeps the places of its text, as that is where a failure is shown. `lower` makes it of a document.

mod begin;
mod expect;
mod file;
mod given;
mod inside;
mod lower;
mod recorded;
mod unknown;
mod way;

use crate::diagnostics::{Span, Spanned};
use crate::model::id::{FieldName, Outcome, PersonId, ProcessId, StepId};
use crate::model::metric::{Case, Metric, Period};
use crate::model::people::Directory;
use crate::model::time::{Calendar, Duration};
use crate::model::value::{Record, Value};
use crate::syntax::MailLike;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use std::sync::Arc;

pub(crate) use expect::ends;
pub(crate) use lower::{Ground, lower};
pub(crate) use recorded::lower as lower_metric;
pub(crate) use way::START;

/// One test, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it shows.
    pub title: Spanned<String>,
    /// The process that it starts.
    pub process: ProcessId,
    /// When it begins.
    pub now: DateTime<Utc>,
    /// People of its own.
    pub directory: Option<Arc<Directory>>,
    /// A calendar of its own.
    pub calendar: Option<Arc<Calendar>>,
    /// How the case begins.
    pub start: Opening,
    /// What is done and expected, in order.
    pub moves: Vec<Move>,
}

/// How a case begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// Where it is written.
    pub span: Span,
    /// Who starts it.
    pub by: PersonId,
    /// The start form.
    pub data: Record,
}

/// One entry of `do`.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Somebody does something.
    Do(Deed),
    /// It must be refused.
    Refuse {
        /// What is tried.
        deed: Deed,
        /// What the refusal must say.
        why: Option<Spanned<String>>,
    },
    /// Time passes.
    Advance(Span, Advance),
    /// What must be so now.
    Expect(Box<Expected>),
}

/// How far time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Advance {
    /// So long.
    By(Duration),
    /// Up to this moment.
    To(DateTime<Utc>),
}

/// What somebody does.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// Where it is written.
    pub span: Span,
    /// What.
    pub what: What,
}

/// What can be done.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A person answers a task.
    Decide {
        /// Of which step.
        at: Path,
        /// Who.
        by: PersonId,
        /// The answer.
        outcome: Outcome,
        /// In their words.
        opinion: Option<Arc<str>>,
        /// The step's form.
        values: Record,
    },
    /// The applicant revises what was returned.
    Revise {
        /// The step that returned it.
        at: Path,
        /// Who.
        by: PersonId,
        /// The fields that change.
        values: Record,
        /// What changed, in their words.
        note: Option<Arc<str>>,
    },
    /// The applicant takes the case back.
    Withdraw {
        /// Which case.
        case: Path,
        /// Who.
        by: PersonId,
        /// Why.
        reason: Arc<str>,
    },
    /// An operator stops the case.
    Cancel {
        /// Which case.
        case: Path,
        /// Why.
        reason: Arc<str>,
    },
    /// An operator hands all that is one person's over to another.
    Handover {
        /// Whose it is.
        from: PersonId,
        /// Whose it is to be.
        to: PersonId,
    },
    /// A message comes from outside.
    Message {
        /// Its name.
        name: Arc<str>,
        /// What tells it from those of other cases.
        key: Option<Arc<str>>,
        /// What it says.
        data: Value,
    },
    /// Another system answers an `http` step, or a worker a `job`.
    Answer {
        /// Which step.
        at: Path,
        /// The status of the response; 200 for a job.
        status: u16,
        /// The body, or the result.
        data: Value,
    },
    /// An `http` step or a job fails.
    Fail {
        /// Which step.
        at: Path,
        /// What went wrong.
        why: Arc<str>,
    },
    /// One more case is started.
    Start(Opening),
}

/// The way to a step: `guests/2/invite`, `hire/interview`. Empty for the case itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Where it is written.
    pub span: Span,
    /// Its parts, outermost first.
    pub parts: Vec<Part>,
}

/// A part of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A step of the process.
    Step(StepId),
    /// A row of the `each` before it, from 1.
    Row(u32),
    /// The process that the `call` before it called.
    Call(StepId),
}

impl Path {
    /// The case itself.
    pub fn here(span: Span) -> Path {
        Path { span, parts: Vec::new() }
    }

    /// The step that it leads to.
    pub(super) fn step(&self) -> Option<&StepId> {
        match self.parts.last() {
            Some(Part::Step(id)) => Some(id),
            _ => None,
        }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, part) in self.parts.iter().enumerate() {
            if number > 0 {
                f.write_str("/")?;
            }
            match part {
                Part::Step(step) | Part::Call(step) => write!(f, "{step}")?,
                Part::Row(row) => write!(f, "{row}")?,
            }
        }
        Ok(())
    }
}

/// What must be so.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The key `expect`.
    pub key: Span,
    /// Which case is looked at.
    pub case: Path,
    /// Steps at which somebody is asked.
    pub tasks: Vec<Path>,
    /// Exactly who is asked there.
    pub people: Option<Spanned<Vec<PersonId>>>,
    /// Until when.
    pub due: Option<Spanned<DateTime<Utc>>>,
    /// Steps at which nobody is asked.
    pub no_tasks: Vec<Path>,
    /// Mails of the last act.
    pub mails: Vec<MailLike>,
    /// Mails that the last act did not send.
    pub no_mails: Vec<MailLike>,
    /// Fields, each with its place.
    pub data: Vec<(Span, FieldName, Value)>,
    /// How the case ended.
    pub ended: Option<Spanned<Outcome>>,
    /// How steps went.
    pub outcomes: Vec<(Path, Spanned<Outcome>)>,
    /// Exactly where the case stands.
    pub at: Option<Spanned<Vec<Path>>>,
    /// The column of the board.
    pub stage: Option<Spanned<String>>,
    /// The step at which the case stopped for an operator.
    pub incident: Option<Path>,
}

/// A test of a metric, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// What it shows.
    pub title: Spanned<String>,
    /// What is measured.
    pub metric: Metric,
    /// In which period.
    pub period: Period,
    /// When it is measured.
    pub now: DateTime<Utc>,
    /// What was recorded.
    pub cases: Vec<Case>,
    /// What must come of it.
    pub expect: Expectation,
    /// And of its parts: dimension, value, what.
    pub parts: Vec<(Spanned<String>, Spanned<String>, Expectation)>,
}

/// What a metric must come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Where it is written.
    pub span: Span,
    /// The value; inside it `None` for no data.
    pub value: Option<Spanned<Option<Decimal>>>,
    /// The number above.
    pub numerator: Option<Spanned<Decimal>>,
    /// The number below.
    pub denominator: Option<Spanned<Decimal>>,
    /// How many cases could not be computed.
    pub left_out: Option<Spanned<Decimal>>,
}
