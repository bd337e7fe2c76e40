//! Test documents → scenarios: what is done, by whom and when. `way` settles which step is meant, `given` types data,
//! `expect` reads what must come of it.
//!
//! A scenario has no fault: where anything of a test is wrong there is none, and all of it was reported.

use super::given::untyped;
use super::unknown::no_outcome;
use super::way::last_kind;
use super::{Advance, Deed, Move, Opening, Path, Scenario, What};
use crate::compile::organisation::Unclear;
use crate::compile::unread::{self, Unread};
use crate::compile::{calendar, metric, organisation};
use crate::diagnostics::{Code, Diagnostic, Span, Spanned, quoted_list};
use crate::expression;
use crate::model::definition::{Definition, StepKind, outcome};
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
    let own_directory = test.directory.as_ref().and_then(|document| {
        let lowered = organisation::lower(
            &[(test.key_span.source, document.clone())],
            &Unclear { broken: &BTreeSet::new(), unread: &Unread::default(), reading: &unread::Reading::default() },
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
    let start = test.start.as_ref().and_then(|start| {
        let opening = lowering.opening(start)?;
        lowering.begins(start, &opening);
        Some(opening)
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

/// The process of a name, if nothing is wrong with it; a name that there is not is reported. `key` is where one would
/// be added.
pub(super) fn definition<'a>(
    name: &Spanned<String>,
    key: &str,
    ground: &Ground<'a>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a Definition> {
    let found = ground.definitions.iter().find(|one| one.process.as_str() == name.value);
    if let Some(known) = ground.known.filter(|known| found.is_none() && !known.contains(name.value.as_str())) {
        diagnostics.push(organisation::unknown(name, known.iter().copied(), ("流程", "process"), key));
    }
    found
}

pub(super) struct Lowering<'a> {
    pub(super) ground: &'a Ground<'a>,
    /// The process, if nothing is wrong with it.
    pub(super) definition: Option<&'a Definition>,
    pub(super) directory: &'a Directory,
    pub(super) people_known: bool,
    calendar: &'a Calendar,
    now: DateTime<Utc>,
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
        Lowering { ground, definition, directory, people_known, calendar, now, diagnostics }
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

    fn opening(&mut self, start: &syntax::Start) -> Option<Opening> {
        let by = start.by.as_ref().and_then(|by| self.person(by));
        let data = self.values(self.definition, None, start.data.as_ref());
        Some(Opening { span: start.span, by: by?, data })
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
        let text = || Arc::<str>::from(deed.what.value.as_str());
        let by = deed.by.as_ref().map(|by| self.person(by));
        let what = match deed.verb {
            Verb::Approve | Verb::Reject | Verb::Return => {
                let outcome = match deed.verb {
                    Verb::Approve => outcome::APPROVED,
                    Verb::Reject => outcome::REJECTED,
                    _ => outcome::RETURNED,
                };
                let answered = self.answered(deed, Some(outcome));
                let values = self.handed_in(deed, answered.as_ref().map(|(at, _)| at));
                What::Decide {
                    at: answered?.0,
                    by: by??,
                    outcome: outcome.into(),
                    opinion: words(&deed.opinion),
                    values,
                }
            }
            Verb::Complete => self.complete(deed, by.flatten())?,
            Verb::Revise => {
                let at = self.path(&deed.what).map(|(at, _)| at);
                let values = self.handed_in(deed, at.as_ref());
                What::Revise { at: at?, by: by??, values, note: words(&deed.opinion) }
            }
            Verb::Withdraw => {
                let (case, _) = self.case(deed.case.as_ref(), deed.key)?;
                What::Withdraw { case, by: by??, reason: text() }
            }
            Verb::Cancel => {
                let (case, _) = self.case(deed.case.as_ref(), deed.key)?;
                What::Cancel { case, reason: text() }
            }
            Verb::Handover => {
                let (from, to) = (self.person(&deed.what), deed.to.as_ref().and_then(|to| self.person(to)));
                What::Handover { from: from?, to: to? }
            }
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
        let answered = self.answered(deed, named);
        let values = self.handed_in(deed, answered.as_ref().map(|(at, _)| at));
        let (at, outcomes) = answered?;
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
        let opinion = deed.opinion.as_ref().map(|words| Arc::from(words.value.as_str()));
        Some(What::Decide { at, by: by?, outcome, opinion, values })
    }

    /// What is handed in at a step; at one that there is not, as far as its process is known.
    fn handed_in(&mut self, deed: &syntax::Deed, at: Option<&Path>) -> Record {
        let definition = match at {
            Some(at) => self.owner(at),
            None => self.definition.filter(|_| !deed.what.value.contains('/')),
        };
        self.values(definition, at.and_then(Path::step), deed.data.as_ref())
    }

    /// The step that a person answers, and the answers that it has.
    fn answered(&mut self, deed: &syntax::Deed, named: Option<&str>) -> Option<(Path, Vec<Outcome>)> {
        let (at, definition) = self.path(&deed.what)?;
        let Some(human) = at.step().and_then(|id| definition.steps.get(id)).and_then(|step| step.human()) else {
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
}

fn is_job(kind: &StepKind) -> bool {
    matches!(kind, StepKind::Job(_))
}
