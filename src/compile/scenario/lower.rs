//! Test documents → scenarios: what is done, by whom and when. `way` settles which step is meant, `given` types data,
//! `expect` reads what must come of it.
//!
//! A scenario has no fault: where anything of a test is wrong there is none, and all of it was reported.

use super::given::untyped;
use super::unknown::no_outcome;
use super::way::At;
use super::{Advance, Deed, Move, Opening, Path, Scenario, What};
use crate::compile::organisation::Unclear;
use crate::compile::unread::{self, Unread};
use crate::compile::{calendar, metric, organisation};
use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list, suggest};
use crate::expression;
use crate::model::definition::{Definition, Step, StepKind, outcome};
use crate::model::form::FieldKind;
use crate::model::id::{Outcome, PersonId};
use crate::model::input::{Reading, read_kind};
use crate::model::people::Directory;
use crate::model::text::Wording;
use crate::model::time::Calendar;
use crate::model::value::{Record, Value};
use crate::syntax::{self, Verb};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;

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

/// Lowers a test; `None` where anything of it, or of its process, is wrong. Without its process all is said that does
/// not rest on it.
pub(crate) fn lower(test: &syntax::Test, ground: &Ground<'_>, diagnostics: &mut Vec<Diagnostic>) -> Option<Scenario> {
    let before = diagnostics.len();
    let process = test.process.as_ref();
    let definition = process.and_then(|process| definition(process, "process", ground, diagnostics));
    let mut people_known = test.people_read.unwrap_or(ground.people_known);
    let own_directory = test.directory.as_ref().and_then(|document| {
        let lowered = organisation::lower(
            &[(test.key_span.source, document.clone())],
            &Unclear { broken: &BTreeSet::new(), unread: &Unread::default(), reading: &unread::Reading::default() },
            ground.known,
            diagnostics,
        );
        people_known = people_known && lowered.as_ref().is_some_and(|found| found.whole);
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
        people_known,
        calendar,
        now: DateTime::<Utc>::default(),
        now_known: false,
        diagnostics,
    };
    let now = now.and_then(|written| lowering.moment(written));
    lowering.now = now.unwrap_or_default();
    lowering.now_known = now.is_some();
    let start = test.start.as_ref().and_then(|start| {
        let (by, data) = lowering.opened(start);
        lowering.begins(start, by.as_ref(), &data);
        Some(Opening { span: start.span, by: by?, data })
    });
    let moves: Vec<Move> = test.acts.iter().filter_map(|act| lowering.act(act)).collect();
    let sound = diagnostics.len() == before && moves.len() == test.acts.len();
    sound.then_some(())?;
    Some(Scenario {
        title: test.title.clone()?,
        process: definition?.process.clone(),
        now: now?,
        directory: own_directory,
        calendar: own_calendar.map(Arc::new),
        start: start?,
        moves,
    })
}

/// The process of a name, if nothing is wrong with it; a name that there is not is reported, and taken for the one that
/// is meant. `key` is where one would be added.
pub(super) fn definition<'a>(
    name: &Spanned<String>,
    key: &str,
    ground: &Ground<'a>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a Definition> {
    let named = |word: &str| ground.definitions.iter().find(|one| one.process.as_str() == word);
    let found = named(&name.value);
    let Some(known) = ground.known.filter(|known| found.is_none() && !known.contains(name.value.as_str())) else {
        return found;
    };
    diagnostics.push(organisation::unknown(name, known.iter().copied(), ("流程", "process"), key));
    suggest::closest(&name.value, known.iter().copied()).and_then(named)
}

pub(super) struct Lowering<'a> {
    pub(super) ground: &'a Ground<'a>,
    /// The process, if nothing is wrong with it.
    pub(super) definition: Option<&'a Definition>,
    pub(super) directory: &'a Directory,
    pub(super) people_known: bool,
    pub(super) calendar: &'a Calendar,
    pub(super) now: DateTime<Utc>,
    /// Whether it is written, and could be read, when the test begins.
    pub(super) now_known: bool,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Lowering<'a> {
    /// Against the people and the calendar of the folder.
    pub(super) fn new(
        ground: &'a Ground<'a>,
        definition: Option<&'a Definition>,
        now: DateTime<Utc>,
        diagnostics: &'a mut Vec<Diagnostic>,
    ) -> Lowering<'a> {
        let (directory, people_known, calendar) = (ground.directory.as_ref(), ground.people_known, ground.calendar);
        Lowering { ground, definition, directory, people_known, calendar, now, now_known: true, diagnostics }
    }

    pub(super) fn reading(&self) -> Reading<'a> {
        Reading { directory: self.directory, today: self.calendar.today(self.now) }
    }

    pub(super) fn report(&mut self, code: Code, span: Span, message: Wording) {
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

    /// Who starts a case, and what the form is filled in with.
    fn opened(&mut self, start: &syntax::Start) -> (Option<PersonId>, Record) {
        let by = start.by.as_ref().and_then(|by| self.person(by));
        (by, self.values(self.definition, None, start.data.as_ref()))
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
        let text = || words(&deed.what);
        let by = deed.by.as_ref().and_then(|by| self.person(by));
        let what = match deed.verb {
            Verb::Approve | Verb::Reject | Verb::Return => {
                let outcome = match deed.verb {
                    Verb::Approve => outcome::APPROVED,
                    Verb::Reject => outcome::REJECTED,
                    _ => outcome::RETURNED,
                };
                let at = self.at(deed);
                let answers = at.as_ref().and_then(|at| self.answers(deed, at, Some(outcome)));
                let values = self.handed_in(deed, at.as_ref());
                answers?;
                let opinion = words(&deed.opinion);
                What::Decide { at: at?.path, by: by?, outcome: outcome.into(), opinion, values }
            }
            Verb::Complete => self.complete(deed, by)?,
            Verb::Revise => {
                let at = self.at(deed);
                let values = self.handed_in(deed, at.as_ref());
                What::Revise { at: at?.path, by: by?, values, note: words(&deed.opinion) }
            }
            Verb::Withdraw => {
                let case = self.case(deed.case.as_ref(), deed.key)?.path;
                What::Withdraw { case, by: by?, reason: text()? }
            }
            Verb::Cancel => What::Cancel { case: self.case(deed.case.as_ref(), deed.key)?.path, reason: text()? },
            Verb::Handover => {
                let from = deed.what.as_ref().and_then(|from| self.person(from));
                let to = deed.to.as_ref().and_then(|to| self.person(to));
                What::Handover { from: from?, to: to? }
            }
            Verb::Message => {
                self.known_message(deed.what.as_ref()?);
                What::Message { name: text()?, key: words(&deed.correlation), data: record(deed) }
            }
            Verb::Answer => {
                let at = self.answered_outside(deed)?;
                let data = deed.data.as_ref().map_or(Value::Null, |given| untyped(&given.data));
                What::Answer { at, status: deed.status.map_or(200, |status| status.value), data }
            }
            Verb::Fail => {
                let at = self.answered_outside(deed)?;
                What::Fail { at, why: words(&deed.opinion).unwrap_or_else(|| "failed by the test".into()) }
            }
            Verb::Start => {
                let start = deed.start.as_ref()?;
                let (by, data) = self.opened(start);
                What::Start(Opening { span: start.span, by: by?, data })
            }
            Verb::Unknown => {
                // Of a word that means nothing it is not known whether a step stands behind it.
                let known = |what: &str| self.definition.is_some_and(|definition| definition.steps.contains_key(what));
                let first = deed.what.as_ref().and_then(|what| what.value.split('/').next());
                let at = first.filter(|first| known(first)).and_then(|_| self.at(deed));
                if let (Some(at), Some(named)) = (at.as_ref().filter(|at| at.human().is_some()), &deed.outcome) {
                    self.answers(deed, at, Some(&named.value));
                }
                self.handed_in(deed, at.as_ref());
                return None;
            }
        };
        let end = deed.what.as_ref().map_or(deed.key, |what| what.span);
        Some(Deed { span: deed.key.to(end), what })
    }

    /// The step at which something is done.
    fn at(&mut self, deed: &syntax::Deed) -> Option<At<'a>> {
        deed.what.as_ref().and_then(|what| self.path(what))
    }

    /// The step that another system answers or fails at.
    fn answered_outside(&mut self, deed: &syntax::Deed) -> Option<Path> {
        let At { path, definition, sure } = self.at(deed)?;
        let kind = path.step().and_then(|id| definition.steps.get(id)).map(|step| &step.kind);
        if sure && !matches!(kind, None | Some(StepKind::Http(_) | StepKind::Job(_))) {
            self.report(
                Code::BadValue,
                path.span,
                Wording::new(
                    format!("步骤 `{path}` 不是 `http` 也不是 `job`，外面没有谁来答复它"),
                    format!("step `{path}` is no `http` and no `job`, so nothing outside answers it"),
                ),
            );
        }
        Some(path)
    }

    /// Reports a message that no process receives, where one that is received is like it.
    fn known_message(&mut self, name: &Spanned<String>) {
        let definitions = self.ground.definitions;
        let received = |step: &'a Step| match &step.kind {
            StepKind::Receive(receive) => Some(&*receive.message),
            _ => None,
        };
        let known: Vec<&str> = definitions.iter().flat_map(|one| one.steps.values().filter_map(received)).collect();
        // One that could not be read may receive it.
        let all = self.ground.known.is_some_and(|names| names.len() == definitions.len());
        let close = suggest::closest(&name.value, known.iter().copied());
        if let Some(close) = close.filter(|_| all && !known.contains(&name.value.as_str())) {
            let found = Diagnostic::new(
                Code::UnknownName,
                name.span,
                Wording::new(
                    format!("没有流程接收 `{}` 这个消息，是不是 `{close}`？", name.value),
                    format!("no process receives the message `{}`; did you mean `{close}`?", name.value),
                ),
            );
            self.diagnostics.push(found.fix_word(name.span, close));
        }
    }

    /// `complete`: a task by a person, a job by its worker.
    fn complete(&mut self, deed: &syntax::Deed, by: Option<PersonId>) -> Option<What> {
        let named = deed.outcome.as_ref().map(|named| named.value.as_str());
        let Some(at) = self.at(deed) else {
            self.handed_in(deed, None);
            return None;
        };
        if deed.unsigned {
            if at.kind().is_some_and(is_job) {
                return Some(What::Answer { at: at.path, status: 200, data: record(deed) });
            }
            self.report(
                Code::MissingKey,
                deed.key,
                Wording::new("`complete` 要写 `by`：谁办的", "`complete` needs `by`: who did the work"),
            );
        }
        let answers = self.answers(deed, &at, named);
        let values = self.handed_in(deed, Some(&at));
        let outcome = match (named, answers?.as_slice()) {
            (Some(named), _) => Outcome::from(named),
            (None, [only]) => only.clone(),
            (None, _) if !deed.unanswered => return None,
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
        let opinion = deed.opinion.as_ref().map(|words| Arc::from(words.value.as_str()));
        Some(What::Decide { at: at.path, by: by?, outcome, opinion, values })
    }

    /// What is handed in at a step; at one that there is not, as far as its process is known.
    fn handed_in(&mut self, deed: &syntax::Deed, at: Option<&At<'a>>) -> Record {
        let called = || deed.what.as_ref().is_some_and(|what| what.value.contains('/'));
        let definition = match at {
            Some(at) => Some(at.definition),
            None => self.definition.filter(|_| !called()),
        };
        self.values(definition, at.and_then(|at| at.path.step()), deed.data.as_ref())
    }

    /// The answers that a step has which a person gives one of.
    fn answers(&mut self, deed: &syntax::Deed, at: &At<'a>, named: Option<&str>) -> Option<Vec<Outcome>> {
        let Some(human) = at.human() else {
            // Another step may be meant, which asks people.
            if at.sure {
                let path = &at.path;
                self.report(
                    Code::BadValue,
                    path.span,
                    Wording::new(
                        format!("步骤 `{path}` 不由人办理，没有人可以答复"),
                        format!("step `{path}` does not ask people, so nobody can answer it"),
                    ),
                );
            }
            return None;
        };
        let known: Vec<Outcome> = human.outcomes.keys().cloned().collect();
        if let Some(named) = named.filter(|named| !known.iter().any(|known| known.as_str() == *named)) {
            let written = deed.outcome.as_ref().map(|outcome| outcome.span);
            if let Some(span) = written.or(at.sure.then_some(deed.key)) {
                self.diagnostics.push(no_outcome(span, named, &known));
            }
            return None;
        }
        Some(known)
    }
}

/// What a message or a worker says: nothing, where it is not written.
fn record(deed: &syntax::Deed) -> Value {
    deed.data.as_ref().map_or_else(|| Value::Record(Record::new()), |given| untyped(&given.data))
}

fn is_job(kind: &StepKind) -> bool {
    matches!(kind, StepKind::Job(_))
}
