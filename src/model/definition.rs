//! A definition: one compiled process, identified by the hash of its content.
//!
//! It is stored as JSON when it is deployed and read back for as long as an instance is pinned to it, by newer
//! programs too: fields are added with a default, never renamed or re-used. It holds no text positions, so that
//! a blank line or a comment makes no new version.

use super::control::{Call, Each, Http, Job, Join, Overdue, Receive, Schedule, Undo};
use super::form::{Field, Form};
use super::formula::Formula;
use super::graph::{Node, StateGraph};
use super::id::{FieldName, Outcome, PositionId, ProcessId, StepId, Version};
use super::rule::Table;
use super::text::Text;
use chrono::{Datelike, NaiveDate};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

/// The outcomes that the engine itself gives, to instances and to approvals.
pub mod outcome {
    /// An approval that was given.
    pub const APPROVED: &str = "approved";
    /// An approval that was refused; also the outcome of a case that it ended.
    pub const REJECTED: &str = "rejected";
    /// Sent back to the applicant.
    pub const RETURNED: &str = "returned";
    /// A task without outcomes of its own; a case that ran past its last step.
    pub const DONE: &str = "done";
    /// A step whose `when` did not hold.
    pub const SKIPPED: &str = "skipped";
    /// Taken back by the applicant.
    pub const WITHDRAWN: &str = "withdrawn";
    /// Stopped by an operator.
    pub const CANCELLED: &str = "cancelled";
    /// A revision that was handed in.
    pub const REVISED: &str = "revised";
    /// A step that was left as its time was over.
    pub const OVERDUE: &str = "overdue";
    /// A call of another system, or a job, that was given up.
    pub const FAILED: &str = "failed";
    /// A call that did not begin, as a case of the same key is open.
    pub const REFUSED: &str = "refused";
}

/// One compiled process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Its name.
    pub process: ProcessId,
    /// The hash of all the rest.
    pub version: Version,
    /// What people call it.
    pub title: Text,
    /// How its business numbers are written.
    pub number: Option<NumberPattern>,
    /// The field that ties instances of many processes to one thing, such as a customer.
    pub key: Option<FieldName>,
    /// What says “for how much” at a glance: what the process names, else the first money field that is computed,
    /// else the first money field.
    #[serde(default)]
    pub headline: Option<FieldName>,
    /// Who may start it; anybody where empty.
    pub start: Vec<PositionId>,
    /// What is asked at the start.
    pub form: Form,
    /// What steps write without asking.
    pub data: Form,
    /// Every step of every list, in document order.
    pub steps: IndexMap<StepId, Step>,
    /// How control moves between them.
    pub graph: StateGraph,
    /// What holds where a step does not say otherwise.
    pub policy: Policy,
    /// One open case a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single: bool,
    /// The field that says whom the case is about; they decide no approval of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<FieldName>,
    /// Cases that start by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The columns of the board.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub stages: IndexMap<Arc<str>, Text>,
    /// The decision tables that its steps look up, by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub tables: IndexMap<Arc<str>, Table>,
}

impl Definition {
    /// Every field that an instance can hold: the start form, the data, then the forms of steps.
    pub fn fields(&self) -> impl Iterator<Item = (&FieldName, &Field)> {
        self.form
            .iter()
            .chain(self.data.iter())
            .chain(self.outside_rows().filter_map(|step| step.human()).flat_map(|human| human.form.iter()))
    }

    /// The steps that are not in the body of an `each`: what those ask are columns of the row.
    fn outside_rows(&self) -> impl Iterator<Item = &Step> {
        let rows = self.steps.values().any(|step| matches!(step.kind, StepKind::Each(_)));
        self.steps.iter().filter(move |(id, _)| !rows || !self.is_in_row(id)).map(|(_, step)| step)
    }

    /// Whether a step is in the body of an `each`.
    pub fn is_in_row(&self, id: &StepId) -> bool {
        self.row_of(id).is_some()
    }

    /// The innermost `each` that a step is in the body of.
    fn row_of(&self, id: &StepId) -> Option<&Each> {
        let mut at = self.graph.block_of(&Node::Step(id.clone()));
        while let Some(block) = at.and_then(|number| self.graph.block_at(number)) {
            let of = block.of.as_ref().and_then(|of| self.steps.get(of));
            if let Some(StepKind::Each(each)) = of.map(|step| &step.kind) {
                return Some(each);
            }
            at = block.parent;
        }
        None
    }

    /// The field that a name means at a step; in the body of an `each`, the column of the row.
    pub fn field_at(&self, id: &StepId, name: &FieldName) -> Option<&Field> {
        let column = self.row_of(id).and_then(|each| each.columns.get(name));
        column.or_else(|| self.fields().find(|(known, _)| *known == name).map(|(_, field)| field))
    }

    /// What a step asks of people: the fields that it asks again, then its own form.
    pub fn asked_at(&self, id: &StepId) -> Cow<'_, Form> {
        let Some(human) = self.steps.get(id).and_then(Step::human) else { return Cow::Owned(Form::new()) };
        if human.edit.is_empty() {
            return Cow::Borrowed(&human.form);
        }
        let row = self.row_of(id);
        let edited = human.edit.iter().filter_map(|name| match row {
            Some(each) => each.columns.get_key_value(name),
            None => self.fields().find(|(known, _)| *known == name),
        });
        Cow::Owned(edited.chain(&human.form).map(|(name, field)| (name.clone(), field.clone())).collect())
    }
}

/// One step, by what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What people call it.
    pub title: Option<Text>,
    /// Skipped where this does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Formula>,
    /// What it does.
    pub kind: StepKind,
    /// Until when, of the kinds that do not wait for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Formula>,
    /// What happens where it is still open then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Overdue>,
    /// The column of the board that the case comes to with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Arc<str>>,
    /// How it takes part in compensation.
    #[serde(default, skip_serializing_if = "is_none")]
    pub undo: Undo,
    /// Steps of one case with the same lock are never open at once; a step that finds it taken waits its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Arc<str>>,
}

fn is_none(undo: &Undo) -> bool {
    *undo == Undo::None
}

impl Step {
    /// A step that says nothing but what it does.
    pub fn new(kind: StepKind) -> Step {
        Step { title: None, when: None, kind, due: None, overdue: None, stage: None, undo: Undo::None, lock: None }
    }

    /// The human part, of the kinds that wait for people.
    pub fn human(&self) -> Option<&Human> {
        match &self.kind {
            StepKind::Approve(human) | StepKind::Task(human) => Some(human),
            _ => None,
        }
    }

    /// Until when, of any kind.
    pub fn due(&self) -> Option<&Formula> {
        self.human().map_or(self.due.as_ref(), |human| human.due.as_ref())
    }
}

/// The kinds of steps; each has its file in `engine/step/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Yes or no.
    Approve(Human),
    /// Work with a form and outcomes of its own.
    Task(Human),
    /// The first case that holds; its edges are `Case(n)` and `Otherwise`.
    Choose(Vec<Formula>),
    /// Computes fields, in order.
    Set(IndexMap<FieldName, Formula>),
    /// Looks a decision table up.
    Table(LookUp),
    /// Sends mail.
    Notify(Notify),
    /// Ends the case.
    End(Outcome),
    /// Named branches at once; its edges are `Branch(name)`.
    Parallel(Join),
    /// A list of steps for every row; its edge is `Row`.
    Each(Box<Each>),
    /// Another process.
    Call(Box<Call>),
    /// Until a time: a duration from now, or a date.
    Wait(Formula),
    /// A message from outside.
    Receive(Box<Receive>),
    /// Named branches; the one whose first step is done first goes on alone. Its edges are `Branch(name)`.
    Race,
    /// A call of another system.
    Http(Box<Http>),
    /// Work for a program outside.
    Job(Box<Job>),
}

/// What a step that waits for people says of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Human {
    /// Who: one signature an entry, of any of the people that it names.
    pub who: Vec<Formula>,
    /// How many signatures it takes.
    pub mode: Mode,
    /// Until when: a duration from the assignment, or a date.
    pub due: Option<Formula>,
    /// When to remind, counted from the assignment.
    pub remind: Vec<Formula>,
    /// What is asked here.
    pub form: Form,
    /// Fields of the case that are shown here; all where `None`.
    pub show: Option<Vec<FieldName>>,
    /// The columns that are shown of a list, where they are not all.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub show_columns: IndexMap<FieldName, Vec<FieldName>>,
    /// The answers there are, in the order of the page.
    pub outcomes: IndexMap<Outcome, Answering>,
    /// In the inbox, without mail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
    /// Who is told that it came to an outcome, beside those who are told anyway.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub copy: IndexMap<Outcome, Vec<Formula>>,
    /// Fields of the case, or columns of the row around the step, that are asked again here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edit: Vec<FieldName>,
    /// Fields whose change re-opens what was decided here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<FieldName>,
    /// What holds here instead of the process's policy.
    pub policy: Policy,
}

/// One answer that a person can give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answering {
    /// What the button says; our own words for the built-in outcomes where `None`.
    pub title: Option<Text>,
    /// Whether it needs an opinion.
    pub opinion: bool,
}

/// How many signatures a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The first answer decides (或签).
    Any,
    /// All sign; one rejection rejects (会签).
    All,
}

/// What to do where the usual way is closed. A step inherits what it does not say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// When the only one who could decide is the one whose case it is.
    pub own_case: OwnCase,
    /// When nobody can be asked.
    pub nobody: Nobody,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { own_case: OwnCase::Superior, nobody: Nobody::Incident }
    }
}

/// When the only one who could decide an approval is its starter or applicant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnCase {
    /// The nearest superior of theirs who may.
    Superior,
    /// Nobody; see [`Nobody`].
    Nobody,
    /// They themselves: separation of duties is given up.
    Allow,
}

/// When nobody can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nobody {
    /// The case stops with an incident.
    Incident,
    /// The step is skipped.
    Skip,
    /// The applicant's superiors in turn.
    Escalate,
}

/// A decision table that is looked up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookUp {
    /// Which of the definition's tables.
    pub table: Arc<str>,
    /// The value of each input that is given.
    pub with: IndexMap<FieldName, Formula>,
    /// What each field is set to, read from the outputs.
    pub take: IndexMap<FieldName, Formula>,
}

/// Mail to people who are not asked to do anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notify {
    /// To whom; everybody that an entry names.
    pub who: Vec<Formula>,
    /// The template; the built-in notice where `None`.
    pub template: Option<String>,
}

/// How business numbers are written: `LP-{year}-{seq:4}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberPattern(pub Vec<NumberPart>);

/// A piece of a number pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberPart {
    /// As written.
    Literal(String),
    /// The year of the start, four digits; the sequence begins anew with each.
    Year,
    /// The month of the start, two digits; the sequence begins anew with each.
    Month,
    /// The running number, padded with zeros to this width.
    Seq(u8),
}

impl NumberPattern {
    /// Reads a pattern; `None` where a brace is not closed, a part is unknown, or `{seq}` is not there once.
    ///
    /// ```
    /// use countersign::model::definition::NumberPattern;
    /// let day = "2026-03-02".parse().unwrap();
    /// let pattern = NumberPattern::parse("LP-{year}-{seq:4}").unwrap();
    /// assert_eq!(pattern.write(day, 7), "LP-2026-0007");
    /// assert_eq!(pattern.sequence(day), "LP-2026-#");
    /// assert!(NumberPattern::parse("LP-{year}").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<NumberPattern> {
        let (mut parts, mut rest, mut sequences) = (Vec::new(), text, 0);
        while let Some((literal, after)) = rest.split_once('{') {
            if literal.contains('}') {
                return None;
            }
            if !literal.is_empty() {
                parts.push(NumberPart::Literal(literal.to_owned()));
            }
            let (name, after) = after.split_once('}')?;
            parts.push(match name {
                "year" => NumberPart::Year,
                "month" => NumberPart::Month,
                "seq" => NumberPart::Seq(1),
                _ => NumberPart::Seq(name.strip_prefix("seq:")?.parse().ok().filter(|width| (1..=12).contains(width))?),
            });
            sequences += usize::from(matches!(parts.last(), Some(NumberPart::Seq(_))));
            rest = after;
        }
        if rest.contains('}') {
            return None;
        }
        if !rest.is_empty() {
            parts.push(NumberPart::Literal(rest.to_owned()));
        }
        (sequences == 1).then_some(NumberPattern(parts))
    }

    /// The number of the `seq`-th start in its sequence.
    pub fn write(&self, day: NaiveDate, seq: u64) -> String {
        self.fill(day, |text, width| {
            let _ = write!(text, "{seq:0width$}");
        })
    }

    /// The name of the sequence that a start on `day` counts in.
    pub fn sequence(&self, day: NaiveDate) -> String {
        self.fill(day, |text, _| text.push('#'))
    }

    fn fill(&self, day: NaiveDate, seq: impl Fn(&mut String, usize)) -> String {
        let mut text = String::with_capacity(24);
        for part in &self.0 {
            let _ = match part {
                NumberPart::Literal(literal) => write!(text, "{literal}"),
                NumberPart::Year => write!(text, "{:04}", day.year()),
                NumberPart::Month => write!(text, "{:02}", day.month()),
                NumberPart::Seq(width) => {
                    seq(&mut text, usize::from(*width));
                    Ok(())
                }
            };
        }
        text
    }
}
