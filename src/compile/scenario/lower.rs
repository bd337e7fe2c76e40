//! Test documents → scenarios: names looked up, moments read, data typed against the forms of the process.

use super::{Advance, Deed, Expected, Move, Opening, Part, Path, Scenario, What};
use crate::compile::unread::Unread;
use crate::compile::{calendar, metric, organisation};
use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list, suggest};
use crate::expression;
use crate::model::definition::{Definition, StepKind, outcome};
use crate::model::form::{Field, FieldKind};
use crate::model::id::{FieldName, Outcome, PersonId, ProcessId};
use crate::model::input::{Misread, Reading, read_json, read_kind};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use crate::syntax::{self, Data, Given, Verb};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the start form of a called case is named by, where a step could be.
pub(crate) const START: &str = "start";

/// What tests are read against.
pub(crate) struct Ground<'a> {
    /// The metrics.
    pub(crate) metrics: &'a metric::Metrics,
    /// The processes without fault.
    pub(crate) definitions: &'a [Definition],
    /// The names of all processes, where all could be read.
    pub(crate) known: Option<&'a BTreeSet<&'a str>>,
    /// The people of the folder.
    pub(crate) directory: &'a Arc<Directory>,
    /// Whether nothing of them is wrong.
    pub(crate) people_known: bool,
    /// The calendar of the folder.
    pub(crate) calendar: &'a Calendar,
}

/// Lowers a test; `None` where anything of it, or of its process, is wrong.
pub(crate) fn lower(test: &syntax::Test, ground: &Ground<'_>, diagnostics: &mut Vec<Diagnostic>) -> Option<Scenario> {
    let before = diagnostics.len();
    let process = test.process.as_ref()?;
    let Some(definition) = ground.definitions.iter().find(|one| one.process.as_str() == process.value) else {
        if let Some(known) = ground.known.filter(|known| !known.contains(process.value.as_str())) {
            diagnostics.push(organisation::unknown(process, known.iter().copied(), ("流程", "process"), "process"));
        }
        return None;
    };
    let own_directory = test.directory.as_ref().and_then(|document| {
        let lowered = organisation::lower(
            &[(test.key_span.source, document.clone())],
            &BTreeSet::new(),
            &Unread::default(),
            ground.known,
            diagnostics,
        );
        lowered.map(|found| Arc::new(found.directory))
    });
    let own_calendar =
        test.calendar.as_ref().and_then(|one| calendar::lower(&[(test.key_span.source, one.clone())], diagnostics));
    let directory = own_directory.as_ref().unwrap_or(ground.directory);
    let calendar = own_calendar.as_ref().unwrap_or(ground.calendar);
    let now = test.now.as_ref();
    let mut lowering = Lowering {
        ground,
        definition,
        directory,
        people_known: test.directory.is_some() || ground.people_known,
        calendar,
        now: DateTime::<Utc>::default(),
        diagnostics,
    };
    let now = now.and_then(|written| lowering.moment(written));
    lowering.now = now.unwrap_or_default();
    let start = test.start.as_ref().and_then(|start| lowering.opening(start));
    let moves: Vec<Move> = test.acts.iter().filter_map(|act| lowering.act(act)).collect();
    let sound = diagnostics.len() == before && moves.len() == test.acts.len();
    sound.then_some(())?;
    Some(Scenario {
        title: test.title.clone()?,
        process: ProcessId::from(process.value.as_str()),
        now: now?,
        directory: own_directory,
        calendar: own_calendar.map(Arc::new),
        start: start?,
        moves,
    })
}

pub(super) struct Lowering<'a> {
    pub(super) ground: &'a Ground<'a>,
    definition: &'a Definition,
    directory: &'a Directory,
    people_known: bool,
    calendar: &'a Calendar,
    now: DateTime<Utc>,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Lowering<'a> {
    /// Against the people and the calendar of the folder.
    pub(super) fn new(
        ground: &'a Ground<'a>,
        definition: &'a Definition,
        now: DateTime<Utc>,
        diagnostics: &'a mut Vec<Diagnostic>,
    ) -> Lowering<'a> {
        let (directory, people_known, calendar) = (ground.directory.as_ref(), ground.people_known, ground.calendar);
        Lowering { ground, definition, directory, people_known, calendar, now, diagnostics }
    }

    fn reading(&self) -> Reading<'a> {
        Reading { directory: self.directory, today: self.calendar.today(self.now) }
    }

    fn report(&mut self, code: Code, span: Span, message: Wording) {
        self.diagnostics.push(Diagnostic::new(code, span, message));
    }

    pub(super) fn moment(&mut self, written: &Spanned<String>) -> Option<DateTime<Utc>> {
        match read_kind(&self.reading(), &FieldKind::DateTime, &written.value) {
            Ok(Value::DateTime(moment)) => Some(moment.instant(self.calendar.zone)),
            Ok(_) => None,
            Err(what) => {
                self.report(Code::BadValue, written.span, what);
                None
            }
        }
    }

    fn opening(&mut self, start: &syntax::Start) -> Option<Opening> {
        let by = self.person(start.by.as_ref()?)?;
        let data = self.values(self.definition, start.data.as_ref());
        Some(Opening { span: start.span, by, data })
    }

    pub(super) fn person(&mut self, written: &Spanned<String>) -> Option<PersonId> {
        if self.directory.people.contains_key(written.value.as_str()) {
            return Some(PersonId::from(written.value.as_str()));
        }
        if self.people_known {
            let known = self.directory.people.keys().map(PersonId::as_str);
            self.diagnostics.push(organisation::unknown(written, known, ("人", "person"), "people"));
        }
        None
    }

    /// The way to a step or, where `case`, to a called process; with the process that the last part is of.
    fn path(&mut self, written: &Spanned<String>) -> Option<(Path, &'a Definition)> {
        let mut definition = self.definition;
        let mut parts = Vec::new();
        let words: Vec<&str> = written.value.split('/').collect();
        for (number, word) in words.iter().enumerate() {
            let last = number + 1 == words.len();
            if let Ok(row) = word.parse::<u32>()
                && matches!(parts.last(), Some(Part::Step(_)))
                && row > 0
            {
                parts.push(Part::Row(row));
                continue;
            }
            let Some((id, step)) = definition.steps.get_key_value(*word) else {
                // What a caller left open of the start form is filled in at no step.
                if last && *word == START {
                    parts.push(Part::Step(START.into()));
                    continue;
                }
                let known: Vec<&str> = definition.steps.keys().map(|id| id.as_str()).collect();
                let at = place_in(written, &words, number);
                self.diagnostics.push(no_step(at, word, &known, definition));
                return None;
            };
            match callee(&step.kind) {
                Some(process) if !last => {
                    parts.push(Part::Call(id.clone()));
                    definition = self.ground.definitions.iter().find(|one| one.process == *process)?;
                }
                _ => parts.push(Part::Step(id.clone())),
            }
        }
        Some((Path { span: written.span, parts }, definition))
    }

    /// The way to a case: `develop`; the first where `None`.
    fn case(&mut self, written: Option<&Spanned<String>>, here: Span) -> Option<(Path, &'a Definition)> {
        let Some(written) = written else { return Some((Path::here(here), self.definition)) };
        let (mut path, definition) = self.path(written)?;
        let called = match path.parts.last() {
            Some(Part::Step(id)) => definition.steps.get(id).and_then(|step| callee(&step.kind)).map(|one| (id, one)),
            _ => None,
        };
        let Some((id, process)) = called else {
            self.report(
                Code::BadValue,
                written.span,
                Wording::new(
                    format!("`case` 要写一个 `call` 步骤，`{}` 不是", written.value),
                    format!("`case` names a step that calls a process, and `{}` is none", written.value),
                ),
            );
            return None;
        };
        let id = id.clone();
        path.parts.pop();
        path.parts.push(Part::Call(id));
        let definition = self.ground.definitions.iter().find(|one| one.process == *process)?;
        Some((path, definition))
    }

    fn act(&mut self, act: &syntax::Act) -> Option<Move> {
        match act {
            syntax::Act::Do(deed) => self.deed(deed).map(Move::Do),
            syntax::Act::Refuse { deed, why, .. } => {
                self.deed(deed).map(|deed| Move::Refuse { deed, why: why.clone() })
            }
            syntax::Act::Advance(written) => self.advance(written).map(|to| Move::Advance(written.span, to)),
            syntax::Act::Expect(expect) => self.expect(expect).map(|expected| Move::Expect(Box::new(expected))),
        }
    }

    fn advance(&mut self, written: &Spanned<String>) -> Option<Advance> {
        if let Ok(Value::DateTime(moment)) = read_kind(&self.reading(), &FieldKind::DateTime, &written.value) {
            return Some(Advance::To(moment.instant(self.calendar.zone)));
        }
        let value = match read_kind(&self.reading(), &FieldKind::Duration, &written.value) {
            Ok(value) => Some(value),
            Err(_) => expression::run(&written.value, &Record::new(), self.now).ok(),
        };
        match value {
            Some(Value::Duration(duration)) => Some(Advance::By(duration)),
            Some(Value::DateTime(moment)) => Some(Advance::To(moment.instant(self.calendar.zone))),
            Some(Value::Date(date)) => Some(Advance::To(self.calendar.opening(date))),
            _ => {
                let text = &written.value;
                self.report(
                    Code::BadValue,
                    written.span,
                    Wording::new(
                        format!("`{text}` 不是时长，也不是时刻。例如 `2 working days`、`36 hours`、`2026-03-04T10:00`"),
                        format!("`{text}` is no length of time and no moment; write `2 working days`, `36 hours` or `2026-03-04T10:00`"),
                    ),
                );
                None
            }
        }
    }

    fn deed(&mut self, deed: &syntax::Deed) -> Option<Deed> {
        let words = |written: &Option<Spanned<String>>| written.as_ref().map(|words| Arc::from(words.value.as_str()));
        let text = || Arc::<str>::from(deed.what.value.as_str());
        let by = deed.by.as_ref().map(|by| self.person(by));
        let what = match deed.verb {
            Verb::Approve | Verb::Reject | Verb::Return => {
                let outcome = match deed.verb {
                    Verb::Approve => outcome::APPROVED,
                    Verb::Reject => outcome::REJECTED,
                    _ => outcome::RETURNED,
                };
                let (at, _) = self.answered(deed, Some(outcome))?;
                let values = self.values(self.owner(&at), deed.data.as_ref());
                What::Decide { at, by: by??, outcome: outcome.into(), opinion: words(&deed.opinion), values }
            }
            Verb::Complete => self.complete(deed, by.flatten())?,
            Verb::Revise => {
                let (at, definition) = self.path(&deed.what)?;
                let values = self.values(definition, deed.data.as_ref());
                What::Revise { at, by: by??, values, note: words(&deed.opinion) }
            }
            Verb::Withdraw => {
                let (case, _) = self.case(deed.case.as_ref(), deed.key)?;
                What::Withdraw { case, by: by??, reason: text() }
            }
            Verb::Cancel => {
                let (case, _) = self.case(deed.case.as_ref(), deed.key)?;
                What::Cancel { case, reason: text() }
            }
            Verb::Handover => What::Handover { from: self.person(&deed.what)?, to: self.person(deed.to.as_ref()?)? },
            Verb::Message => {
                let data =
                    deed.data.as_ref().map_or_else(|| Value::Record(Record::new()), |given| untyped(&given.data));
                What::Message { name: text(), key: words(&deed.correlation), data }
            }
            Verb::Answer => {
                let (at, _) = self.path(&deed.what)?;
                let data = deed.data.as_ref().map_or(Value::Null, |given| untyped(&given.data));
                What::Answer { at, status: deed.status.map_or(200, |status| status.value), data }
            }
            Verb::Fail => {
                let (at, _) = self.path(&deed.what)?;
                What::Fail { at, why: words(&deed.opinion).unwrap_or_else(|| "failed by the test".into()) }
            }
            Verb::Start => What::Start(self.opening(deed.start.as_ref()?)?),
        };
        Some(Deed { span: deed.key.to(deed.what.span), what })
    }

    /// `complete`: a task by a person, a job by its worker.
    fn complete(&mut self, deed: &syntax::Deed, by: Option<PersonId>) -> Option<What> {
        if deed.by.is_none() {
            let (at, definition) = self.path(&deed.what)?;
            if last_kind(&at, definition).is_some_and(is_job) {
                let data =
                    deed.data.as_ref().map_or_else(|| Value::Record(Record::new()), |given| untyped(&given.data));
                return Some(What::Answer { at, status: 200, data });
            }
            self.report(
                Code::MissingKey,
                deed.key,
                Wording::new("`complete` 要写 `by`：谁办的", "`complete` needs `by`: who did the work"),
            );
            return None;
        }
        let named = deed.outcome.as_ref().map(|named| named.value.as_str());
        let (at, outcomes) = self.answered(deed, named)?;
        let outcome = match (named, outcomes.as_slice()) {
            (Some(named), _) => Outcome::from(named),
            (None, [only]) => only.clone(),
            (None, several) => {
                let listed = quoted_list(several.iter().map(Outcome::as_str));
                self.report(
                    Code::MissingKey,
                    deed.key,
                    Wording::new(
                        format!("这个步骤有几种结果，要写 `outcome`：{}", listed.zh),
                        format!("this step can come to {}; say which by `outcome`", listed.en),
                    ),
                );
                return None;
            }
        };
        let values = self.values(self.owner(&at), deed.data.as_ref());
        let opinion = deed.opinion.as_ref().map(|words| Arc::from(words.value.as_str()));
        Some(What::Decide { at, by: by?, outcome, opinion, values })
    }

    /// The step that a person answers, and the answers that it has.
    fn answered(&mut self, deed: &syntax::Deed, named: Option<&str>) -> Option<(Path, Vec<Outcome>)> {
        let (at, definition) = self.path(&deed.what)?;
        let human = match at.parts.last() {
            Some(Part::Step(id)) => definition.steps.get(id).and_then(|step| step.human()),
            _ => None,
        };
        let Some(human) = human else {
            self.report(
                Code::BadValue,
                deed.what.span,
                Wording::new(
                    format!("步骤 `{}` 不由人办理，没有人可以答复", deed.what.value),
                    format!("step `{}` does not ask people, so nobody can answer it", deed.what.value),
                ),
            );
            return None;
        };
        let known: Vec<Outcome> = human.outcomes.keys().cloned().collect();
        if let Some(named) = named.filter(|named| !known.iter().any(|known| known.as_str() == *named)) {
            let span = deed.outcome.as_ref().map_or(deed.key, |outcome| outcome.span);
            self.diagnostics.push(no_outcome(span, named, &known));
            return None;
        }
        Some((at, known))
    }

    /// The definition that the last part of a way is of.
    fn owner(&self, path: &Path) -> &'a Definition {
        let mut definition = self.definition;
        for part in &path.parts {
            if let Part::Call(id) = part
                && let Some(process) = definition.steps.get(id).and_then(|step| callee(&step.kind))
            {
                let found = self.ground.definitions.iter().find(|one| one.process == *process);
                definition = found.unwrap_or(definition);
            }
        }
        definition
    }

    /// Fields of a process as they are written.
    pub(super) fn values(&mut self, definition: &Definition, given: Option<&Given>) -> Record {
        let mut record = Record::new();
        for (_, name, value) in self.fields(definition, given) {
            record.insert(name, value);
        }
        record
    }

    fn fields(&mut self, definition: &Definition, given: Option<&Given>) -> Vec<(Span, FieldName, Value)> {
        let mut found = Vec::new();
        let Some((given, Data::Map(entries))) = given.map(|given| (given, &given.data)) else { return found };
        for (word, data) in entries {
            let known = answerable(definition).find(|(name, _)| name.as_str() == word);
            let Some((name, field)) = known else {
                let names: Vec<&str> = answerable(definition).map(|(name, _)| name.as_str()).collect();
                self.diagnostics.push(no_field(given.key(word), word, &names, definition));
                continue;
            };
            match read_json(&self.reading(), field, &data.to_json()) {
                Ok(value) => found.push((given.key(word), name.clone(), value)),
                Err(faults) => self.misread(given, word, field, faults),
            }
        }
        found
    }

    fn misread(&mut self, given: &Given, word: &str, field: &Field, faults: Vec<Misread>) {
        for fault in faults {
            let path = if fault.path.is_empty() { word.to_owned() } else { format!("{word}.{}", fault.path) };
            let known = matches!(&field.kind, FieldKind::List(columns)
                if path.rsplit('.').next().is_some_and(|column| columns.contains_key(column)));
            // An unknown column is shown at its name, a bad value at itself.
            let at = if known || fault.path.is_empty() { given.place(&path) } else { given.key(&path) };
            self.report(Code::BadValue, at, fault.what);
        }
    }

    fn expect(&mut self, expect: &syntax::Expect) -> Option<Expected> {
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
        let data = self.fields(&afterwards(definition), expect.data.as_ref());
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
}

impl Lowering<'_> {
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

/// The process that a step calls.
/// A process as its data is looked at: lists with the columns that an `each` adds, and computed columns like others.
fn afterwards(definition: &Definition) -> Definition {
    let mut whole = definition.clone();
    for (name, field) in whole.form.iter_mut().chain(&mut whole.data) {
        let FieldKind::List(columns) = &mut field.kind else { continue };
        for step in definition.steps.values() {
            if let StepKind::Each(each) = &step.kind
                && each.list == *name
            {
                let added = each.columns.iter().filter(|(column, _)| !columns.contains_key(*column));
                let added: Vec<_> = added.map(|(column, field)| (column.clone(), field.clone())).collect();
                columns.extend(added);
            }
        }
        columns.values_mut().for_each(|column| column.value = None);
    }
    whole
}

/// Every field of a process, and the columns that the bodies of its `each` steps ask.
fn answerable(definition: &Definition) -> impl Iterator<Item = (&FieldName, &Field)> {
    let columns = definition.steps.values().filter_map(|step| match &step.kind {
        StepKind::Each(each) => Some(&each.columns),
        _ => None,
    });
    definition.fields().chain(columns.flatten())
}

fn callee(kind: &StepKind) -> Option<&ProcessId> {
    match kind {
        StepKind::Call(call) => Some(&call.process),
        _ => None,
    }
}

fn is_job(kind: &StepKind) -> bool {
    matches!(kind, StepKind::Job(_))
}

fn last_kind<'a>(path: &Path, definition: &'a Definition) -> Option<&'a StepKind> {
    match path.parts.last() {
        Some(Part::Step(id)) => definition.steps.get(id).map(|step| &step.kind),
        _ => None,
    }
}

/// Where the word with this number stands in a way.
fn place_in(written: &Spanned<String>, words: &[&str], number: usize) -> Span {
    let whole = written.span;
    // In quotes, or with escapes: the whole.
    if (whole.end - whole.start) as usize != written.value.len() {
        return whole;
    }
    let start = whole.start as usize + words.iter().take(number).map(|word| word.len() + 1).sum::<usize>();
    let length = words.get(number).map_or(0, |word| word.len());
    Span::new(whole.source, start, start + length)
}

fn no_step(at: Span, word: &str, known: &[&str], definition: &Definition) -> Diagnostic {
    let process = &definition.process;
    let listed = quoted_list(known.iter().take(12).copied());
    not_there(
        (Code::UnknownStep, at),
        (word, suggest::closest(word, known.iter().copied())),
        &Wording::new(
            format!("流程 `{process}` 没有步骤 `{word}`"),
            format!("process `{process}` has no step `{word}`"),
        ),
        &Wording::new(format!("它的步骤有：{}", listed.zh), format!("its steps: {}", listed.en)),
    )
}

fn no_outcome(at: Span, word: &str, known: &[Outcome]) -> Diagnostic {
    let listed = quoted_list(known.iter().map(Outcome::as_str));
    not_there(
        (Code::UnknownOutcome, at),
        (word, suggest::closest(word, known.iter().map(Outcome::as_str))),
        &Wording::new(format!("这个步骤没有 `{word}` 这种结果"), format!("this step has no outcome `{word}`")),
        &Wording::new(format!("它的结果有：{}", listed.zh), format!("it can come to {}", listed.en)),
    )
}

fn no_end(ended: &Spanned<String>, known: &[Outcome], definition: &Definition) -> Diagnostic {
    let (word, process) = (ended.value.as_str(), &definition.process);
    let listed = quoted_list(known.iter().map(Outcome::as_str));
    not_there(
        (Code::UnknownOutcome, ended.span),
        (word, suggest::closest(word, known.iter().map(Outcome::as_str))),
        &Wording::new(
            format!("流程 `{process}` 不会以 `{word}` 结束"),
            format!("process `{process}` never ends as `{word}`"),
        ),
        &Wording::new(format!("它的结果有：{}", listed.zh), format!("it can end as {}", listed.en)),
    )
}

fn no_field(at: Span, word: &str, known: &[&str], definition: &Definition) -> Diagnostic {
    let process = &definition.process;
    let listed = quoted_list(known.iter().take(12).copied());
    not_there(
        (Code::UnknownName, at),
        (word, suggest::closest(word, known.iter().copied())),
        &Wording::new(
            format!("流程 `{process}` 没有字段 `{word}`"),
            format!("process `{process}` has no field `{word}`"),
        ),
        &Wording::new(format!("它的字段有：{}", listed.zh), format!("its fields: {}", listed.en)),
    )
}

/// A name that is not there: with what was probably meant, or else with what there is.
fn not_there(
    (code, at): (Code, Span),
    (_, close): (&str, Option<&str>),
    said: &Wording,
    listed: &Wording,
) -> Diagnostic {
    match close {
        Some(close) => Diagnostic::new(
            code,
            at,
            Wording::new(format!("{}，是不是 `{close}`？", said.zh), format!("{}; did you mean `{close}`?", said.en)),
        )
        .fix(at, close, Wording::new(format!("改成 `{close}`"), format!("write `{close}`"))),
        None => Diagnostic::new(code, at, said.clone()).hint(listed.clone()),
    }
}

/// Data where no form says what it is: a bare word is a number, `true` or `false` if it reads as one, else a text.
fn untyped(data: &Data) -> Value {
    match data {
        Data::Null => Value::Null,
        Data::Text(text) => Value::text(text.as_str()),
        Data::Plain(text) => match text.as_str() {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            _ => text.parse().map_or_else(|_| Value::text(text.as_str()), Value::Number),
        },
        Data::List(items) => Value::List(items.iter().map(untyped).collect()),
        Data::Map(entries) => {
            Value::Record(entries.iter().map(|(name, value)| (name.as_str().into(), untyped(value))).collect())
        }
    }
}
