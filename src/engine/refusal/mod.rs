//! “No, because”: why a command was refused. A refusal changes nothing. `words` has what people are told.

mod words;

pub(crate) use words::open_already;
pub use words::outcome_words;

use crate::model::id::{FieldName, Outcome, PersonId, PositionId, StepId};
use crate::model::text::{Lang, Text, Wording};
use crate::model::value::Value;
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// There is no such instance (yet).
    NoInstance,
    /// A start for an instance that is there.
    AlreadyStarted,
    /// The person is not in the directory.
    UnknownPerson(PersonId),
    /// The person took part in the case, and is not in the directory any more.
    LeftDirectory(PersonId),
    /// Only holders of these positions start this process.
    MayNotStart {
        /// Who tried.
        person: PersonId,
        /// Who may.
        positions: Vec<PositionId>,
    },
    /// The form is not filled in right: every fault of it, by field.
    BadForm(Vec<FieldFault>),
    /// The case is over.
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// When.
        at: DateTime<Utc>,
    },
    /// The instance has no such task.
    NoTask,
    /// The task is over.
    TaskClosed(Box<TaskOver>),
    /// The person has answered this task before.
    AlreadyAnswered {
        /// What they answered.
        outcome: Outcome,
        /// When.
        at: DateTime<Utc>,
    },
    /// The task waits for a revision by the applicant.
    Parked,
    /// The person is not asked in this task.
    NotAssigned {
        /// Who tried.
        person: PersonId,
        /// Who is asked.
        asked: Vec<PersonId>,
    },
    /// Whose case it is decides no approval of it (separation of duties).
    OwnCase(PersonId),
    /// The task has no such answer.
    NoSuchOutcome {
        /// What was answered.
        outcome: Outcome,
        /// What can be.
        known: Vec<Outcome>,
    },
    /// This answer needs an opinion.
    OpinionRequired(Outcome),
    /// The data changed since it was shown.
    Changed,
    /// Only the applicant may.
    NotApplicant(PersonId),
    /// Only an operator may.
    NotOperator,
    /// Only those who have to do with the case may.
    NotInvolved(PersonId),
    /// The text is longer than we keep.
    TooLong {
        /// The most characters.
        limit: usize,
    },
    /// Nothing is due.
    NothingDue,
    /// The command needs a person and came from none.
    NeedsPerson,
    /// Nothing waits for what was delivered: it came too late, twice, or to the wrong place.
    NotWaiting,
    /// What a worker hands in cannot be used: every fault of it. The job stays theirs.
    BadResult(Vec<ResultFault>),
    /// A message that no step which receives its name could take.
    BadMessage {
        /// Its name.
        name: Arc<str>,
        /// What the step lacks that comes closest to taking it.
        faults: Vec<ResultFault>,
    },
    /// No step is stopped by an incident.
    NoIncident,
    /// What stopped is no part of taking back: what comes after it relies on it.
    NotSkippable,
    /// From a person to the same person.
    HandOverToSelf(PersonId),
    /// Who is to take over is away.
    ReceiverAway {
        /// Who.
        to: PersonId,
        /// The last day away.
        until: NaiveDate,
    },
    /// An absence of who is to take over would bring the work back.
    ComesBack {
        /// Who is to take over.
        to: PersonId,
        /// Who hands over, and stands in for them.
        from: PersonId,
        /// From when.
        on: NaiveDate,
    },
    /// Neither the person nor a superior of theirs may take this step, and nobody else is asked there.
    NobodyInstead {
        /// Who was to take over.
        person: PersonId,
        /// The step.
        step: StepId,
    },
    /// The person has nothing to do with what is open or ahead in the case.
    NothingToHandOver(PersonId),
    /// The process allows one open case a key, and there is one.
    OpenAlready {
        /// Its business number, or its id.
        reference: Arc<str>,
    },
    /// The case is ending: what was done is being taken back.
    Ending,
}

/// One fault of a result or a message that came from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultFault {
    /// Where in it: `file.pages`.
    pub path: String,
    /// The field that it is for.
    pub field: FieldName,
    /// What is wrong and what is expected.
    pub what: Wording,
}

impl ResultFault {
    /// All of them, one after the other.
    pub fn told(faults: &[ResultFault]) -> Wording {
        let all = |lang: Lang, glue| faults.iter().map(|one| one.what.get(lang)).collect::<Vec<_>>().join(glue);
        Wording::new(all(Lang::Zh, ""), all(Lang::En, " "))
    }
}

/// What became of a task instead.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskOver {
    /// Of which step.
    pub step: StepId,
    /// Its result, if it was decided.
    pub outcome: Option<Outcome>,
    /// Who answered last.
    pub by: Option<PersonId>,
    /// When.
    pub at: DateTime<Utc>,
}

/// One fault of a filled form.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldFault {
    /// Where: the field, and for a row of a list its number from 0 and the column.
    pub path: Vec<PathPart>,
    /// What the form calls it.
    pub title: Text,
    /// What is wrong and what to write instead.
    pub what: Wording,
    /// The least or the greatest, where that is what it is not within.
    pub limit: Option<Value>,
}

/// A part of the way to a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathPart {
    /// A field or column.
    Field(FieldName),
    /// A row, from 0.
    Row(usize),
}

impl FieldFault {
    /// The way to the field as forms and the shell write it: `items.0.quantity`.
    pub fn path_text(&self) -> String {
        let parts: Vec<String> = self
            .path
            .iter()
            .map(|part| match part {
                PathPart::Field(name) => name.to_string(),
                PathPart::Row(row) => row.to_string(),
            })
            .collect();
        parts.join(".")
    }
}

impl Refusal {
    /// What kind of no it is, for a log: without what people wrote.
    pub fn kind(&self) -> &'static str {
        match self {
            Refusal::NoInstance => "no instance",
            Refusal::AlreadyStarted => "already started",
            Refusal::UnknownPerson(_) => "unknown person",
            Refusal::LeftDirectory(_) => "left the directory",
            Refusal::MayNotStart { .. } => "may not start",
            Refusal::BadForm(_) => "bad form",
            Refusal::Ended { .. } => "ended",
            Refusal::NoTask => "no task",
            Refusal::TaskClosed(_) => "task closed",
            Refusal::AlreadyAnswered { .. } => "already answered",
            Refusal::Parked => "parked",
            Refusal::NotAssigned { .. } => "not assigned",
            Refusal::OwnCase(_) => "own case",
            Refusal::NoSuchOutcome { .. } => "no such outcome",
            Refusal::OpinionRequired(_) => "opinion required",
            Refusal::Changed => "changed",
            Refusal::NotApplicant(_) => "not applicant",
            Refusal::NotOperator => "not operator",
            Refusal::NotInvolved(_) => "not involved",
            Refusal::TooLong { .. } => "too long",
            Refusal::NothingDue => "nothing due",
            Refusal::NeedsPerson => "needs person",
            Refusal::NotWaiting => "not waiting",
            Refusal::BadResult(_) => "bad result",
            Refusal::BadMessage { .. } => "bad message",
            Refusal::NoIncident => "no incident",
            Refusal::NotSkippable => "not skippable",
            Refusal::HandOverToSelf(_) => "hand over to self",
            Refusal::ReceiverAway { .. } => "receiver away",
            Refusal::ComesBack { .. } => "comes back",
            Refusal::NobodyInstead { .. } => "nobody instead",
            Refusal::NothingToHandOver(_) => "nothing to hand over",
            Refusal::OpenAlready { .. } => "open already",
            Refusal::Ending => "ending",
        }
    }
}
