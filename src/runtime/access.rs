//! What a link gives access to: ticket → person, and what they may ask.
//!
//! ```text
//! Ticket::parse ── no ──→ Nothing           no database
//!   └ one indexed read ── none ──→ Nothing  the tag is computed all the same
//!       └ Keys::proves ── no ──→ Nothing
//!           └ in the directory ── no ──→ Left
//!               └ the case, its log → Visit: asked · expired · answered · over, and why
//! ```
//!
//! One answer, [`Closed::Nothing`], for every text that is not a ticket of ours: what is missing cannot be told
//! apart. A ticket whose tag holds always gets the truth, even when it asks nothing any more. What a visit
//! answers comes from the log of the case, read once, so a page cannot contradict itself.
//!
//! The one place that makes an [`Actor`] of a link; pages and API hold no other way to act.

use super::standing::Story;
use super::{Accepted, AssignmentRow, Case, Denied, Error, OutboxFilter, Runtime, TaskFilter};
use crate::effects::link::{Binding, Keys, Purpose, Ticket};
use crate::engine::command::{Actor, Ask, Command, Via};
use crate::engine::event::Event;
use crate::engine::fingerprint::Fingerprint;
use crate::engine::preview::{Upcoming, upcoming};
use crate::engine::state::{Assignment, Task, TaskKind};
use crate::engine::{self, Facts, Whose, all_wrong};
use crate::model::definition::{Human, outcome};
use crate::model::form::Form;
use crate::model::id::{AssignmentId, Outcome, PersonId, TaskId};
use crate::model::input::Misread;
use crate::model::people::Directory;
use crate::model::time::Calendar;
use crate::model::value::Record;
use chrono::{DateTime, TimeDelta, Utc};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

pub use super::standing::{How, Standing};

/// The keys of the installation, shared with whoever sends mail: one that is revoked dies everywhere at once.
pub type Keyring = Arc<RwLock<Arc<Keys>>>;

/// A keyring of these keys.
pub fn keyring(keys: Keys) -> Keyring {
    Arc::new(RwLock::new(Arc::new(keys)))
}

/// How often a server looks whether its key file changed.
const LOOK: Duration = Duration::from_secs(1);

/// Follows a key file for as long as it is polled: keys that a shell adds sign from then on, keys that it revokes
/// are dead. A file that cannot be read leaves the keys as they are.
pub async fn follow(keys: Keyring, path: PathBuf) {
    let stamp = || std::fs::metadata(&path).and_then(|found| found.modified()).ok();
    let mut known = stamp();
    loop {
        tokio::time::sleep(LOOK).await;
        let found = stamp();
        if found.is_none() || found == known {
            continue;
        }
        match Keys::open(&path, "") {
            Ok(fresh) => {
                *keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                known = found;
                tracing::info!("the keys changed");
            }
            Err(what) => tracing::warn!(%what, "the key file changed and cannot be read"),
        }
    }
}

/// How long a link works after the last mail that carried it.
pub const LINK_DAYS: i64 = 30;

/// How many seconds have to pass before a second fresh link is mailed for the same assignment.
const FRESH_EVERY: i64 = 300;

/// The door that links come in by.
#[derive(Clone, Debug)]
pub struct Access {
    runtime: Runtime,
    keys: Keyring,
    lifetime: TimeDelta,
}

/// Why a link opens nothing.
#[derive(Clone, Debug)]
pub enum Closed {
    /// It is not a ticket of ours.
    Nothing,
    /// Whose it is has left the directory.
    Left,
    /// It could not be looked up.
    Unavailable(Error),
}

impl From<Error> for Closed {
    fn from(error: Error) -> Closed {
        Closed::Unavailable(error)
    }
}

/// What a link opened: who came, to which case, and where their part of it stands.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The assignment that the link is of.
    pub row: AssignmentRow,
    /// The case with its log.
    pub case: Case,
    /// What lies ahead for it.
    pub upcoming: Vec<Upcoming>,
    /// The people, as they are now.
    pub directory: Arc<Directory>,
    /// The calendar, as it is now.
    pub calendar: Arc<Calendar>,
    /// The address that the link was sent to.
    pub mail: Option<Arc<str>>,
    /// What the task asked.
    pub kind: TaskKind,
    /// The revision in which the person was asked.
    pub opened: u32,
    /// Where their part stands.
    pub standing: Standing,
    /// When this was read.
    pub now: DateTime<Utc>,
}

/// What a person answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answering {
    /// The choice; `revised` and `withdrawn` on a revision.
    pub outcome: Outcome,
    /// In their words.
    pub opinion: Option<Arc<str>>,
    /// The form, as filled in.
    pub values: Record,
    /// What they were shown.
    pub seen: Option<Fingerprint>,
}

impl Access {
    /// A door to a runtime; `lifetime` is how long a link works after the last mail that carried it.
    pub fn new(runtime: Runtime, keys: Keyring, lifetime: TimeDelta) -> Access {
        Access { runtime, keys, lifetime }
    }

    /// The runtime behind it.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Opens a link. Changes nothing.
    ///
    /// # Errors
    /// That it is none of ours, that whose it is has left the directory, or that it could not be looked up.
    pub async fn open(&self, text: &str) -> Result<Visit, Closed> {
        let ticket = Ticket::parse(text).ok_or(Closed::Nothing)?;
        let row = self.runtime.assignment(ticket.assignment).await?;
        let row = self.proved(&ticket, row).ok_or(Closed::Nothing)?;
        let directory = self.runtime.directory();
        if !directory.people.contains_key(&row.person) {
            return Err(Closed::Left);
        }
        let case = self.runtime.case(row.instance).await?.ok_or(Closed::Nothing)?;
        let asking = OutboxFilter {
            instance: Some(row.instance),
            to: Some(row.person.clone()),
            limit: 100,
            ..OutboxFilter::default()
        };
        let mails = self.runtime.mails(&asking).await?;
        let mut mails = mails.iter().filter(|mail| mail.kind.asks().is_some_and(|(_, of)| of == row.id));
        let now = self.runtime.now();
        let last = mails.clone().map(|mail| mail.queued_at).max().unwrap_or(row.opened_at);
        let registered = || directory.people.get(&row.person).and_then(|person| person.mail.clone());
        let mail = mails.find_map(|mail| mail.address.clone()).or_else(registered).map(Arc::from);
        let story = Story::of(&case, row.id);
        let standing = match story.end {
            Some(end) => end,
            None if now > last + self.lifetime => Standing::Expired,
            None => Standing::Asked,
        };
        let calendar = self.runtime.calendar();
        let facts = Facts { now, directory: &directory, calendar: &calendar, sequence: 0, seed: [0; 16] };
        let upcoming = upcoming(&case.definition, &case.state, &facts);
        let (kind, opened) = (story.kind, story.opened);
        Ok(Visit { row, case, upcoming, directory, calendar, mail, kind, opened, standing, now })
    }

    /// The row, if the ticket is ours and of it. Costs the same where there is none.
    fn proved(&self, ticket: &Ticket, row: Option<AssignmentRow>) -> Option<AssignmentRow> {
        let keys = self.keyring();
        let (nobody, nonce) = (PersonId::from("nobody"), [0; 16]);
        let binding = match &row {
            Some(row) => Binding {
                purpose: Purpose::Decide,
                installation: self.runtime.installation(),
                instance: row.instance,
                task: row.task,
                round: row.round,
                person: &row.person,
                assignment: row.id,
                nonce: &row.nonce,
            },
            None => Binding {
                purpose: Purpose::Decide,
                installation: self.runtime.installation(),
                instance: crate::model::id::InstanceId(ticket.assignment.0),
                task: TaskId(0),
                round: 0,
                person: &nobody,
                assignment: ticket.assignment,
                nonce: &nonce,
            },
        };
        let holds = keys.proves(ticket, &binding);
        row.filter(|_| holds)
    }

    /// Answers in the name of the link's person. A second answer by the same link is answered with the first.
    ///
    /// # Errors
    /// Why not; nothing was changed.
    pub async fn answer(&self, visit: &Visit, answering: Answering) -> Result<Accepted, Denied> {
        let Answering { outcome, opinion, values, seen } = answering;
        let task = visit.row.task;
        let (verb, ask) = match visit.kind {
            TaskKind::Revise { .. } if outcome.as_str() == outcome::WITHDRAWN => {
                ("withdraw", Ask::Withdraw { reason: opinion })
            }
            TaskKind::Revise { .. } | TaskKind::Begin => {
                ("answer", Ask::Revise { task, data: values, note: opinion, seen })
            }
            TaskKind::Approve | TaskKind::Work => {
                ("answer", Ask::Decide { task, assignment: Some(visit.row.id), outcome, opinion, values, seen })
            }
        };
        let id = format!("link-{verb}-{}", visit.row.id).into();
        self.runtime.submit(visit.row.instance, Command { id, actor: visit.actor(), ask }).await
    }

    /// Mails the person a fresh link to what they are asked now, to their registered address and nowhere else.
    /// Within five minutes a second wish is the same wish.
    ///
    /// # Errors
    /// Why not; nothing was changed.
    pub async fn resend(&self, visit: &Visit) -> Result<bool, Denied> {
        let Some((assignment, _)) = visit.open_elsewhere_or_here() else { return Ok(false) };
        let id = format!("link-fresh-{assignment}-{}", self.runtime.now().timestamp() / FRESH_EVERY).into();
        let ask = Ask::Resend { assignment };
        self.runtime.submit(visit.row.instance, Command { id, actor: visit.actor(), ask }).await.map(|_| true)
    }

    /// Seals what a visit's page shows and its form hands back.
    pub fn seal(&self, visit: &Visit, text: &str) -> String {
        self.keyring().seal(&visit.row.nonce, text)
    }

    /// Whether a text was shown on this visit's page, by its seal.
    pub fn sealed(&self, visit: &Visit, text: &str, seal: &str) -> bool {
        self.keyring().sealed(&visit.row.nonce, text, seal)
    }

    fn keyring(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many other tasks wait for the link's person, up to 100.
    ///
    /// # Errors
    /// What the store says.
    pub async fn waiting(&self, visit: &Visit) -> Result<usize, Error> {
        let filter = TaskFilter { person: Some(visit.row.person.clone()), limit: 100, ..TaskFilter::default() };
        let rows = self.runtime.tasks(&filter).await?;
        Ok(rows.iter().filter(|row| row.assignment.id != visit.row.id).count())
    }
}

impl Visit {
    fn actor(&self) -> Actor {
        let mail = self.mail.clone().unwrap_or_else(|| Arc::from(""));
        Actor::Person { id: self.row.person.clone(), via: Via::Link { mail } }
    }

    /// What of the link's form could not be read, and what else of it would be refused.
    pub fn all_wrong(&self, outcome: Option<&Outcome>, values: &Record, misread: Vec<Misread>) -> Vec<Misread> {
        let (directory, calendar) = (&*self.directory, &*self.calendar);
        let facts = Facts { now: self.now, directory, calendar, sequence: 0, seed: [0; 16] };
        let outcome = outcome.map_or("", |outcome| outcome.as_str());
        let whose = Whose::Task { state: &self.case.state, task: self.row.task, person: &self.row.person, outcome };
        all_wrong(&self.case.definition, whose, values, misread, &facts)
    }

    /// The open task and assignment that the link is of.
    pub fn asked(&self) -> Option<(&Task, &Assignment)> {
        self.case.state.assignment(self.row.id).map(|(_, task, assignment)| (task, assignment))
    }

    /// What the step says of people, answers and form; `None` for a revision.
    pub fn human(&self) -> Option<&Human> {
        match self.kind {
            TaskKind::Revise { .. } => None,
            _ => self.case.definition.steps.get(&self.row.step)?.human(),
        }
    }

    /// The form to fill in: the step's with what it asks again, or for a revision that of the case or of its row.
    pub fn form(&self) -> Option<Cow<'_, Form>> {
        let definition = &self.case.definition;
        match self.asked() {
            Some((task, _)) => Some(engine::form_of(definition, &self.case.state, task)),
            None if matches!(self.kind, TaskKind::Revise { .. } | TaskKind::Begin) => {
                Some(Cow::Borrowed(&definition.form))
            }
            None => self.human().map(|_| definition.asked_at(&self.row.step)),
        }
    }

    /// The data that the form is filled in upon.
    pub fn data(&self) -> Cow<'_, Record> {
        let (definition, state) = (&self.case.definition, &self.case.state);
        match self.asked() {
            Some((task, _)) => Cow::Owned(engine::data_of(definition, state, task)),
            None => Cow::Borrowed(&state.data),
        }
    }

    /// What stands in the boxes of the form at first: what the case holds, and the defaults of what it does not.
    pub fn filled(&self) -> Cow<'_, Record> {
        match self.asked() {
            Some((task, assignment)) => {
                let facts = Facts {
                    now: self.now,
                    directory: &self.directory,
                    calendar: &self.calendar,
                    sequence: 0,
                    seed: [0; 16],
                };
                Cow::Owned(engine::proposed(&self.case.definition, &self.case.state, task, &assignment.person, &facts))
            }
            None => self.data(),
        }
    }

    /// Whom the fields of the form take, where that is known before it is filled in.
    pub fn among(&self) -> BTreeMap<String, Vec<PersonId>> {
        let Some((task, assignment)) = self.asked() else { return BTreeMap::new() };
        let (directory, calendar) = (&*self.directory, &*self.calendar);
        let facts = Facts { now: self.now, directory, calendar, sequence: 0, seed: [0; 16] };
        engine::among(&self.case.definition, &self.case.state, task, &assignment.person, &facts)
    }

    /// What the page of the open task shows, as a fingerprint.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.asked().map(|(task, _)| Fingerprint::of(&self.case.state, task))
    }

    /// The data as it was at a revision of the case.
    pub fn data_at(&self, revision: u32) -> Option<Record> {
        let mut state = None;
        for entry in self.case.entries.iter().take_while(|entry| entry.revision <= revision) {
            state = Some(engine::apply(state, entry).ok()?);
        }
        state.map(|state| state.data)
    }

    /// What the person is asked now in this case, by this link or since by another: the assignment and its task.
    pub fn open_elsewhere_or_here(&self) -> Option<(AssignmentId, &Task)> {
        let own = |id: AssignmentId| id == self.row.id;
        let tasks = self.case.state.tasks.values().filter(|task| !task.parked);
        let mut open: Vec<(AssignmentId, &Task)> = tasks
            .flat_map(|task| {
                let answered = |id| task.answers.iter().any(|answer| answer.assignment == id);
                let own = task.assignments.iter().filter(|one| one.person == self.row.person && !answered(one.id));
                own.map(move |one| (one.id, task)).collect::<Vec<_>>()
            })
            .collect();
        open.sort_by_key(|(id, _)| !own(*id));
        open.into_iter().next()
    }

    /// Who returned the task that a revision is of, what they said, and when.
    pub fn returned(&self) -> Option<Returned<'_>> {
        let TaskKind::Revise { of } = self.kind else { return None };
        let opened = |entry: &&engine::event::Entry| entry.revision <= self.opened;
        self.case.entries.iter().rev().filter(opened).find_map(|entry| {
            let Ask::Decide { outcome, opinion, .. } = &entry.command.ask else { return None };
            let of_it = |event: &Event| matches!(event, Event::Answered { task, .. } if *task == of);
            (outcome.as_str() == outcome::RETURNED && entry.events.iter().any(of_it)).then(|| {
                Some(Returned { by: entry.command.actor.person()?, opinion: opinion.as_deref(), at: entry.at })
            })?
        })
    }
}

/// Who sent a case back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned<'a> {
    /// Who.
    pub by: &'a PersonId,
    /// In their words.
    pub opinion: Option<&'a str>,
    /// When.
    pub at: DateTime<Utc>,
}
