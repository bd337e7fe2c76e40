//! The stored form of everything that outlives the program: entries of the log with their hash chain, snapshots.
//!
//! The engine's types are deliberately not `Serialize`: a derive is a promise to every file ever written. The
//! records here are that promise. They only ever grow: a field is added with a default, a variant is added, and
//! nothing is renamed, re-used or removed; `tests/records/v1/` holds logs that every later version must read.
//! Definitions, directories and calendars make the same promise with their own derives (see
//! [`crate::model::definition`]) and are stored inside a [`Versioned`].
//!
//! **An entry** is stored in two JSON parts. The *structure* says what happened: who, which task, which outcome,
//! tokens, timers. What is *personal* (values, opinions, comments, reasons, addresses) is taken out of it into a
//! second list, in the order in which the structure meets it; a trailing `null` is left out. So forgetting is
//! deleting one column, and a log without it still folds, with empty values.
//!
//! **The chain.** With `‖` for “followed by, with its length”:
//!
//! ```text
//! structure = SHA-256(structure text)                      the text holds the seed, 16 random bytes
//! personal  = SHA-256(salt ‖ personal text)                the salt is random, and kept nowhere else
//! hash      = SHA-256("countersign entry 1" ‖ hash before ‖ instance ‖ revision ‖ at ‖ command id
//!                     ‖ structure ‖ personal)
//! ```
//!
//! The digest `personal` has its own column. Forgetting deletes the text and its salt and leaves the digest, so
//! [`verify_chain`] still passes, and nobody can try guesses against a digest without its salt.

use super::error::Error;
use crate::engine::command::{Actor, Ask, Command, Via};
use crate::engine::event::{Closed, Entry, Event, OpenedAssignment, OpenedTask, Trouble};
use crate::engine::fingerprint::Fingerprint;
use crate::engine::state::{
    Answer, Assignment, ClosedTask, Ended, MailKind, Next, Scope, State, StepResult, Task, TaskKind, Timer, TimerKind,
    Token,
};
use crate::model::definition::{Mode, Nobody};
use crate::model::id::{
    AssignmentId, BusinessNumber, CommandId, InstanceId, MailId, Outcome, PersonId, ProcessId, ScopeId, StepId, TaskId,
    TimerId, TokenId, Version,
};
use crate::model::text::Text;
use crate::model::value::{Record, Value};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The layout that this program writes.
pub const LAYOUT: u32 = 1;

/// The hash of an instance's last entry; of no entry at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head(pub [u8; 32]);

impl Head {
    /// The 43 characters that are stored.
    pub fn text(&self) -> String {
        BASE64.encode(self.0)
    }

    /// Reads what [`Head::text`] writes.
    pub fn parse(text: &str) -> Option<Head> {
        let mut bytes = [0; 32];
        (BASE64.decode_slice(text, &mut bytes).ok()? == 32).then_some(Head(bytes))
    }
}

/// One entry as it is stored: a row of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEntry {
    /// The revision that it brought the instance to.
    pub revision: u32,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The id of its command.
    pub command: CommandId,
    /// What happened, as JSON.
    pub structure: String,
    /// What of it is personal, as JSON; `None` once forgotten.
    pub personal: Option<String>,
    /// What the personal part is hashed with; `None` once forgotten.
    pub salt: Option<String>,
    /// The salted digest of the personal part; it stays.
    pub digest: String,
    /// The hash of the chain up to here.
    pub hash: String,
}

impl StoredEntry {
    /// Deletes what is personal. The chain still verifies, the log still folds.
    pub fn forget(&mut self) {
        self.personal = None;
        self.salt = None;
    }
}

/// Where and how a stored chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenChain {
    /// The first entry that is not what was written.
    pub revision: u32,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a link of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its revision does not follow the one before.
    Missing,
    /// Its personal part is not what was written.
    Personal,
    /// Its hash does not follow from its content and the entry before.
    Hash,
    /// The chain ends before the head that the instance has.
    Cut,
}

/// Writes an entry on top of a chain. `salt` is random and used for nothing else.
pub fn write_entry(instance: InstanceId, entry: &Entry, before: &Head, salt: [u8; 16]) -> (StoredEntry, Head) {
    let mut personal = Personal::default();
    let record = EntryRecord {
        v: LAYOUT,
        actor: ActorRecord::of(&entry.command.actor, &mut personal),
        ask: AskRecord::of(&entry.command.ask, &mut personal),
        seed: Hex(entry.seed),
        events: entry.events.iter().map(|event| EventRecord::of(event, &mut personal)).collect(),
    };
    let structure = json(&record);
    let personal = personal.json();
    let at = entry.at.timestamp_millis();
    let digest = personal_digest(&salt, &personal);
    let head = link(before, instance, entry.revision, at, &entry.command.id, &structure, &digest);
    let stored = StoredEntry {
        revision: entry.revision,
        at,
        command: entry.command.id.clone(),
        structure,
        personal: Some(personal),
        salt: Some(BASE64.encode(salt)),
        digest: BASE64.encode(digest),
        hash: head.text(),
    };
    (stored, head)
}

/// Reads an entry of any layout ever written. What was forgotten is empty.
///
/// # Errors
/// The entry is damaged, or was written by a newer program.
pub fn read_entry(stored: &StoredEntry) -> Result<Entry, Error> {
    let what = || format!("entry {}", stored.revision);
    let record: EntryRecord = from_json(&stored.structure, what)?;
    let personal: Vec<Value> = match &stored.personal {
        Some(text) => from_json(text, what)?,
        None => Vec::new(),
    };
    let mut personal = personal.into_iter();
    let actor = record.actor.into_domain(&mut personal);
    let ask = record.ask.into_domain(&mut personal);
    Ok(Entry {
        revision: stored.revision,
        at: instant(stored.at),
        command: Command { id: stored.command.clone(), actor, ask },
        seed: record.seed.0,
        events: record.events.into_iter().map(|event| event.into_domain(&mut personal)).collect(),
    })
}

/// Checks the chain of an instance from its first entry, and answers its head.
///
/// # Errors
/// The first entry that is not what was written.
pub fn verify_chain(instance: InstanceId, entries: &[StoredEntry], head: Option<&Head>) -> Result<Head, BrokenChain> {
    let mut at = Head::default();
    for (expected, entry) in (1..).zip(entries) {
        let broken = |why| BrokenChain { revision: entry.revision, why };
        if entry.revision != expected {
            return Err(BrokenChain { revision: expected, why: Why::Missing });
        }
        let digest = Head::parse(&entry.digest).ok_or(broken(Why::Hash))?.0;
        if let Some(personal) = &entry.personal {
            let mut salt = [0; 16];
            let read = entry.salt.as_deref().and_then(|text| BASE64.decode_slice(text, &mut salt).ok());
            if read != Some(16) || personal_digest(&salt, personal) != digest {
                return Err(broken(Why::Personal));
            }
        }
        at = link(&at, instance, entry.revision, entry.at, &entry.command, &entry.structure, &digest);
        if Head::parse(&entry.hash) != Some(at) {
            return Err(broken(Why::Hash));
        }
    }
    match head {
        Some(head) if *head != at => {
            let next = u32::try_from(entries.len()).unwrap_or(u32::MAX).saturating_add(1);
            Err(BrokenChain { revision: next, why: Why::Cut })
        }
        _ => Ok(at),
    }
}

fn personal_digest(salt: &[u8; 16], personal: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(personal.as_bytes()).finalize().into()
}

fn link(
    before: &Head,
    instance: InstanceId,
    revision: u32,
    at: i64,
    command: &CommandId,
    structure: &str,
    personal: &[u8; 32],
) -> Head {
    let structure: [u8; 32] = Sha256::digest(structure.as_bytes()).into();
    let id = command.as_str().as_bytes();
    // Every part but the command id has a fixed length, so its length is all that must be said.
    let hash = Sha256::new()
        .chain_update(b"countersign entry 1\0")
        .chain_update(before.0)
        .chain_update(instance.as_bytes())
        .chain_update(revision.to_le_bytes())
        .chain_update(at.to_le_bytes())
        .chain_update((id.len() as u64).to_le_bytes())
        .chain_update(id)
        .chain_update(structure)
        .chain_update(personal)
        .finalize();
    Head(hash.into())
}

/// A snapshot of an instance, as JSON. A cache of the fold: one that cannot be read is folded anew.
pub fn write_state(state: &State) -> String {
    json(&StateRecord::of(state))
}

/// Reads a snapshot; `None` where another layout or a damaged file makes folding the log the better way.
pub fn read_state(text: &str) -> Option<State> {
    let record: StateRecord = serde_json::from_str(text).ok()?;
    (record.v == LAYOUT).then(|| record.into_domain())
}

/// A definition, directory or calendar with the layout that it is stored in.
#[derive(Serialize, Deserialize)]
pub struct Versioned<T> {
    v: u32,
    is: T,
}

/// Something that makes its own promise, as JSON.
pub fn write_versioned<T: Serialize>(is: &T) -> String {
    json(&Versioned { v: LAYOUT, is })
}

/// Reads what [`write_versioned`] wrote.
///
/// # Errors
/// It is damaged, or was written by a newer program.
pub fn read_versioned<T: for<'de> Deserialize<'de>>(text: &str, what: &str) -> Result<T, Error> {
    from_json::<Versioned<T>>(text, || what.to_owned()).map(|versioned| versioned.is)
}

pub(super) fn json<T: Serialize>(value: &T) -> String {
    // Records hold no maps with keys that are not texts and no writer that can fail: there is nothing to report.
    serde_json::to_string(value).unwrap_or_default()
}

fn from_json<T: for<'de> Deserialize<'de>>(text: &str, what: impl Fn() -> String) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        let mut broken = Error::broken(
            format!("数据库里的一条记录（{}）读不出来：文件受损，或由更新的版本写入。请用备份或新版程序。", what()),
            format!(
                "A record of the database ({}) cannot be read: the file is damaged, or a newer version wrote it. Use a backup or the newer program.",
                what()
            ),
        );
        broken.detail = error.to_string();
        broken
    })
}

/// The instant of a stored column.
pub(super) fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

// What is personal, on its way out and in.

#[derive(Default)]
struct Personal<'a>(Vec<Item<'a>>);

#[derive(Serialize)]
#[serde(untagged)]
enum Item<'a> {
    Nothing,
    Text(&'a str),
    Value(&'a Value),
    Record { r: &'a Record },
}

impl<'a> Personal<'a> {
    fn text(&mut self, text: &'a str) {
        self.0.push(Item::Text(text));
    }

    fn maybe(&mut self, text: Option<&'a Arc<str>>) {
        self.0.push(text.map_or(Item::Nothing, |text| Item::Text(text)));
    }

    fn value(&mut self, value: Option<&'a Value>) {
        self.0.push(value.map_or(Item::Nothing, Item::Value));
    }

    fn record(&mut self, record: &'a Record) {
        self.0.push(if record.is_empty() { Item::Nothing } else { Item::Record { r: record } });
    }

    fn json(mut self) -> String {
        while matches!(self.0.last(), Some(Item::Nothing)) {
            self.0.pop();
        }
        json(&self.0)
    }
}

trait Take {
    fn text(&mut self) -> Option<Arc<str>>;
    fn value(&mut self) -> Option<Value>;
    fn record(&mut self) -> Record;
}

impl Take for std::vec::IntoIter<Value> {
    fn text(&mut self) -> Option<Arc<str>> {
        match self.next() {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.next().filter(|value| !value.is_null())
    }

    fn record(&mut self) -> Record {
        match self.next() {
            Some(Value::Record(record)) => record,
            _ => Record::new(),
        }
    }
}

type Stored = std::vec::IntoIter<Value>;

/// Sixteen bytes as 32 hexadecimal digits.
#[derive(Clone, Copy)]
struct Hex([u8; 16]);

/// The digits of sixteen bytes.
pub(super) fn hex(bytes: &[u8; 16]) -> String {
    let mut digits = [0u8; 32];
    uuid::Uuid::from_bytes(*bytes).as_simple().encode_lower(&mut digits).to_owned()
}

/// The sixteen bytes of 32 digits.
pub(super) fn unhex(text: &str) -> Option<[u8; 16]> {
    uuid::Uuid::try_parse(text).ok().map(uuid::Uuid::into_bytes)
}

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0u8; 32];
        serializer.serialize_str(uuid::Uuid::from_bytes(self.0).as_simple().encode_lower(&mut digits))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Hex, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        unhex(&text).map(Hex).ok_or_else(|| serde::de::Error::custom("not 32 hexadecimal digits"))
    }
}

/// An instant: milliseconds where that is exact, else RFC 3339.
#[derive(Clone, Copy)]
struct At(DateTime<Utc>);

impl Serialize for At {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.timestamp_subsec_nanos().is_multiple_of(1_000_000) {
            serializer.serialize_i64(self.0.timestamp_millis())
        } else {
            serializer.collect_str(&self.0.to_rfc3339())
        }
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<At, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Ms(i64),
            Text(DateTime<Utc>),
        }
        Ok(At(match Either::deserialize(deserializer)? {
            Either::Ms(ms) => {
                DateTime::from_timestamp_millis(ms).ok_or_else(|| serde::de::Error::custom("not a time"))?
            }
            Either::Text(at) => at,
        }))
    }
}

// The log.

#[derive(Serialize, Deserialize)]
struct EntryRecord {
    v: u32,
    #[serde(rename = "by")]
    actor: ActorRecord,
    ask: AskRecord,
    seed: Hex,
    #[serde(rename = "did")]
    events: Vec<EventRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActorRecord {
    Person(PersonId, ViaRecord),
    Operator(Arc<str>),
    System,
}

impl ActorRecord {
    fn of<'a>(actor: &'a Actor, personal: &mut Personal<'a>) -> ActorRecord {
        match actor {
            Actor::Person { id, via } => ActorRecord::Person(id.clone(), ViaRecord::of(via, personal)),
            Actor::Operator { user } => ActorRecord::Operator(user.clone()),
            Actor::System => ActorRecord::System,
        }
    }

    fn into_domain(self, personal: &mut Stored) -> Actor {
        match self {
            ActorRecord::Person(id, via) => Actor::Person { id, via: via.into_domain(personal) },
            ActorRecord::Operator(user) => Actor::Operator { user },
            ActorRecord::System => Actor::System,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ViaRecord {
    Link,
    Shell(Arc<str>),
    Scenario,
}

impl ViaRecord {
    fn of<'a>(via: &'a Via, personal: &mut Personal<'a>) -> ViaRecord {
        match via {
            Via::Link { mail } => {
                personal.text(mail);
                ViaRecord::Link
            }
            Via::Shell { user } => ViaRecord::Shell(user.clone()),
            Via::Scenario => ViaRecord::Scenario,
        }
    }

    fn into_domain(self, personal: &mut Stored) -> Via {
        match self {
            ViaRecord::Link => Via::Link { mail: personal.text().unwrap_or_default() },
            ViaRecord::Shell(user) => Via::Shell { user },
            ViaRecord::Scenario => Via::Scenario,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AskRecord {
    Start,
    Decide {
        task: TaskId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignment: Option<AssignmentId>,
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<SeenRecord>,
    },
    Revise {
        task: TaskId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<SeenRecord>,
    },
    Comment,
    Withdraw,
    Cancel,
    Resend(AssignmentId),
    Wake,
}

struct SeenRecord(Fingerprint);

impl Serialize for SeenRecord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SeenRecord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<SeenRecord, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Fingerprint::parse(&text).map(SeenRecord).ok_or_else(|| serde::de::Error::custom("not a fingerprint"))
    }
}

impl AskRecord {
    fn of<'a>(ask: &'a Ask, personal: &mut Personal<'a>) -> AskRecord {
        match ask {
            Ask::Start { data } => {
                personal.record(data);
                AskRecord::Start
            }
            Ask::Decide { task, assignment, outcome, opinion, values, seen } => {
                personal.maybe(opinion.as_ref());
                personal.record(values);
                AskRecord::Decide {
                    task: *task,
                    assignment: *assignment,
                    outcome: outcome.clone(),
                    seen: seen.map(SeenRecord),
                }
            }
            Ask::Revise { task, data, note, seen } => {
                personal.record(data);
                personal.maybe(note.as_ref());
                AskRecord::Revise { task: *task, seen: seen.map(SeenRecord) }
            }
            Ask::Comment { text } => {
                personal.text(text);
                AskRecord::Comment
            }
            Ask::Withdraw { reason } => {
                personal.maybe(reason.as_ref());
                AskRecord::Withdraw
            }
            Ask::Cancel { reason } => {
                personal.maybe(reason.as_ref());
                AskRecord::Cancel
            }
            Ask::Resend { assignment } => AskRecord::Resend(*assignment),
            Ask::Wake => AskRecord::Wake,
        }
    }

    fn into_domain(self, personal: &mut Stored) -> Ask {
        match self {
            AskRecord::Start => Ask::Start { data: personal.record() },
            AskRecord::Decide { task, assignment, outcome, seen } => Ask::Decide {
                task,
                assignment,
                outcome,
                opinion: personal.text(),
                values: personal.record(),
                seen: seen.map(|seen| seen.0),
            },
            AskRecord::Revise { task, seen } => {
                Ask::Revise { task, data: personal.record(), note: personal.text(), seen: seen.map(|seen| seen.0) }
            }
            AskRecord::Comment => Ask::Comment { text: personal.text().unwrap_or_default() },
            AskRecord::Withdraw => Ask::Withdraw { reason: personal.text() },
            AskRecord::Cancel => Ask::Cancel { reason: personal.text() },
            AskRecord::Resend(assignment) => Ask::Resend { assignment },
            AskRecord::Wake => Ask::Wake,
        }
    }
}

fn not(flag: &bool) -> bool {
    !flag
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventRecord {
    Started {
        instance: InstanceId,
        process: ProcessId,
        version: Version,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<BusinessNumber>,
        title: Text,
        applicant: PersonId,
    },
    Entered(TokenId, StepId),
    Skipped(TokenId, StepId),
    Left {
        token: TokenId,
        step: StepId,
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<PersonId>,
        #[serde(default, skip_serializing_if = "not")]
        late: bool,
    },
    DataSet,
    Summarised,
    TaskOpened {
        task: TaskId,
        token: TokenId,
        step: StepId,
        kind: TaskKindRecord,
        round: u32,
        mode: Mode,
        seats: u16,
        asks: Vec<AssignmentRecord>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<At>,
    },
    Answered {
        task: TaskId,
        assignment: AssignmentId,
        seat: u16,
        outcome: Outcome,
        via: ViaRecord,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<SeenRecord>,
    },
    TaskParked(TaskId),
    TaskClosed(TaskId, ClosedRecord),
    TimerSet(TimerId, TaskId, TimerKindRecord, At),
    TimerFired(TimerId),
    TimerCleared(TimerId),
    Commented,
    MailQueued(MailId, MailKindRecord, PersonId),
    IncidentRaised(TokenId, StepId, TroubleRecord),
    Ended(Outcome),
}

impl EventRecord {
    fn of<'a>(event: &'a Event, personal: &mut Personal<'a>) -> EventRecord {
        match event {
            Event::Started { instance, process, version, number, title, applicant, data, key, headline } => {
                personal.record(data);
                personal.value(key.as_ref());
                personal.value(headline.as_ref());
                EventRecord::Started {
                    instance: *instance,
                    process: process.clone(),
                    version: version.clone(),
                    number: number.clone(),
                    title: title.clone(),
                    applicant: applicant.clone(),
                }
            }
            Event::Entered { token, step } => EventRecord::Entered(*token, step.clone()),
            Event::Skipped { token, step } => EventRecord::Skipped(*token, step.clone()),
            Event::Left { token, step, outcome, by, late } => EventRecord::Left {
                token: *token,
                step: step.clone(),
                outcome: outcome.clone(),
                by: by.clone(),
                late: *late,
            },
            Event::DataSet { values } => {
                personal.record(values);
                EventRecord::DataSet
            }
            Event::Summarised { key, headline } => {
                personal.value(key.as_ref());
                personal.value(headline.as_ref());
                EventRecord::Summarised
            }
            Event::TaskOpened { task, opened } => EventRecord::TaskOpened {
                task: *task,
                token: opened.token,
                step: opened.step.clone(),
                kind: TaskKindRecord::of(opened.kind),
                round: opened.round,
                mode: opened.mode,
                seats: opened.seats,
                asks: opened
                    .assignments
                    .iter()
                    .map(|one| AssignmentRecord {
                        id: one.id,
                        person: one.person.clone(),
                        seats: one.seats.clone(),
                        stands_in_for: one.stands_in_for.clone(),
                        nonce: Hex(one.nonce),
                    })
                    .collect(),
                due: opened.due.map(At),
            },
            Event::Answered { task, assignment, seat, outcome, opinion, via, seen } => {
                personal.maybe(opinion.as_ref());
                EventRecord::Answered {
                    task: *task,
                    assignment: *assignment,
                    seat: *seat,
                    outcome: outcome.clone(),
                    via: ViaRecord::of(via, personal),
                    seen: seen.map(SeenRecord),
                }
            }
            Event::TaskParked { task } => EventRecord::TaskParked(*task),
            Event::TaskClosed { task, how } => EventRecord::TaskClosed(*task, ClosedRecord::of(how)),
            Event::TimerSet { timer, task, kind, at } => {
                EventRecord::TimerSet(*timer, *task, TimerKindRecord::of(*kind), At(*at))
            }
            Event::TimerFired { timer } => EventRecord::TimerFired(*timer),
            Event::TimerCleared { timer } => EventRecord::TimerCleared(*timer),
            Event::Commented { text } => {
                personal.text(text);
                EventRecord::Commented
            }
            Event::MailQueued { mail, kind, to } => {
                EventRecord::MailQueued(*mail, MailKindRecord::of(kind), to.clone())
            }
            Event::IncidentRaised { token, step, what } => {
                EventRecord::IncidentRaised(*token, step.clone(), TroubleRecord::of(what, personal))
            }
            Event::Ended { outcome, reason } => {
                personal.maybe(reason.as_ref());
                EventRecord::Ended(outcome.clone())
            }
        }
    }

    fn into_domain(self, personal: &mut Stored) -> Event {
        match self {
            EventRecord::Started { instance, process, version, number, title, applicant } => Event::Started {
                instance,
                process,
                version,
                number,
                title,
                applicant,
                data: personal.record(),
                key: personal.value(),
                headline: personal.value(),
            },
            EventRecord::Entered(token, step) => Event::Entered { token, step },
            EventRecord::Skipped(token, step) => Event::Skipped { token, step },
            EventRecord::Left { token, step, outcome, by, late } => Event::Left { token, step, outcome, by, late },
            EventRecord::DataSet => Event::DataSet { values: personal.record() },
            EventRecord::Summarised => Event::Summarised { key: personal.value(), headline: personal.value() },
            EventRecord::TaskOpened { task, token, step, kind, round, mode, seats, asks, due } => Event::TaskOpened {
                task,
                opened: Box::new(OpenedTask {
                    token,
                    step,
                    kind: kind.into_domain(),
                    round,
                    mode,
                    seats,
                    assignments: asks
                        .into_iter()
                        .map(|one| OpenedAssignment {
                            id: one.id,
                            person: one.person,
                            seats: one.seats,
                            stands_in_for: one.stands_in_for,
                            nonce: one.nonce.0,
                        })
                        .collect(),
                    due: due.map(|at| at.0),
                }),
            },
            EventRecord::Answered { task, assignment, seat, outcome, via, seen } => Event::Answered {
                task,
                assignment,
                seat,
                outcome,
                opinion: personal.text(),
                via: via.into_domain(personal),
                seen: seen.map(|seen| seen.0),
            },
            EventRecord::TaskParked(task) => Event::TaskParked { task },
            EventRecord::TaskClosed(task, how) => Event::TaskClosed { task, how: how.into_domain() },
            EventRecord::TimerSet(timer, task, kind, at) => {
                Event::TimerSet { timer, task, kind: kind.into_domain(), at: at.0 }
            }
            EventRecord::TimerFired(timer) => Event::TimerFired { timer },
            EventRecord::TimerCleared(timer) => Event::TimerCleared { timer },
            EventRecord::Commented => Event::Commented { text: personal.text().unwrap_or_default() },
            EventRecord::MailQueued(mail, kind, to) => Event::MailQueued { mail, kind: kind.into_domain(), to },
            EventRecord::IncidentRaised(token, step, what) => {
                Event::IncidentRaised { token, step, what: what.into_domain(personal) }
            }
            EventRecord::Ended(outcome) => Event::Ended { outcome, reason: personal.text() },
        }
    }
}

#[derive(Serialize, Deserialize)]
struct AssignmentRecord {
    id: AssignmentId,
    #[serde(rename = "who")]
    person: PersonId,
    seats: Vec<u16>,
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    stands_in_for: Option<PersonId>,
    nonce: Hex,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TaskKindRecord {
    Approve,
    Work,
    Revise(TaskId),
}

impl TaskKindRecord {
    fn of(kind: TaskKind) -> TaskKindRecord {
        match kind {
            TaskKind::Approve => TaskKindRecord::Approve,
            TaskKind::Work => TaskKindRecord::Work,
            TaskKind::Revise { of } => TaskKindRecord::Revise(of),
        }
    }

    fn into_domain(self) -> TaskKind {
        match self {
            TaskKindRecord::Approve => TaskKind::Approve,
            TaskKindRecord::Work => TaskKind::Work,
            TaskKindRecord::Revise(of) => TaskKind::Revise { of },
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TimerKindRecord {
    Remind,
}

impl TimerKindRecord {
    fn of(kind: TimerKind) -> TimerKindRecord {
        match kind {
            TimerKind::Remind => TimerKindRecord::Remind,
        }
    }

    fn into_domain(self) -> TimerKind {
        match self {
            TimerKindRecord::Remind => TimerKind::Remind,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClosedRecord {
    Decided(Outcome),
    Cancelled,
    WalkedBack,
}

impl ClosedRecord {
    fn of(how: &Closed) -> ClosedRecord {
        match how {
            Closed::Decided(outcome) => ClosedRecord::Decided(outcome.clone()),
            Closed::Cancelled => ClosedRecord::Cancelled,
            Closed::WalkedBack => ClosedRecord::WalkedBack,
        }
    }

    fn into_domain(self) -> Closed {
        match self {
            ClosedRecord::Decided(outcome) => Closed::Decided(outcome),
            ClosedRecord::Cancelled => Closed::Cancelled,
            ClosedRecord::WalkedBack => Closed::WalkedBack,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MailKindRecord {
    Assigned(TaskId, AssignmentId),
    Reminder(TaskId, AssignmentId),
    FreshLink(TaskId, AssignmentId),
    Decided(TaskId, AssignmentId),
    Ended,
    Notice(StepId),
    ActedFor(Option<TaskId>),
}

impl MailKindRecord {
    fn of(kind: &MailKind) -> MailKindRecord {
        match kind {
            MailKind::Assigned { task, assignment } => MailKindRecord::Assigned(*task, *assignment),
            MailKind::Reminder { task, assignment } => MailKindRecord::Reminder(*task, *assignment),
            MailKind::FreshLink { task, assignment } => MailKindRecord::FreshLink(*task, *assignment),
            MailKind::Decided { task, assignment } => MailKindRecord::Decided(*task, *assignment),
            MailKind::Ended => MailKindRecord::Ended,
            MailKind::Notice { step } => MailKindRecord::Notice(step.clone()),
            MailKind::ActedFor { task } => MailKindRecord::ActedFor(*task),
        }
    }

    fn into_domain(self) -> MailKind {
        match self {
            MailKindRecord::Assigned(task, assignment) => MailKind::Assigned { task, assignment },
            MailKindRecord::Reminder(task, assignment) => MailKind::Reminder { task, assignment },
            MailKindRecord::FreshLink(task, assignment) => MailKind::FreshLink { task, assignment },
            MailKindRecord::Decided(task, assignment) => MailKind::Decided { task, assignment },
            MailKindRecord::Ended => MailKind::Ended,
            MailKindRecord::Notice(step) => MailKind::Notice { step },
            MailKindRecord::ActedFor(task) => MailKind::ActedFor { task },
        }
    }
}

/// The purpose of a mail, for its row of the outbox.
pub(super) fn write_mail_kind(kind: &MailKind) -> String {
    json(&MailKindRecord::of(kind))
}

/// Reads what [`write_mail_kind`] wrote.
pub(super) fn read_mail_kind(text: &str) -> Result<MailKind, Error> {
    from_json::<MailKindRecord>(text, || "mail".to_owned()).map(MailKindRecord::into_domain)
}

/// A plain value in a column.
pub(super) fn read_value(text: &str) -> Result<Value, Error> {
    from_json(text, || "value".to_owned())
}

/// A text for people in a column.
pub(super) fn read_text(text: &str) -> Result<Text, Error> {
    from_json(text, || "title".to_owned())
}

/// Names of steps in a column.
pub(super) fn read_steps(text: &str) -> Result<Vec<StepId>, Error> {
    from_json(text, || "steps".to_owned())
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TroubleRecord {
    Nobody(Nobody),
    Expression,
    NeverWaits,
}

impl TroubleRecord {
    fn of<'a>(what: &'a Trouble, personal: &mut Personal<'a>) -> TroubleRecord {
        match what {
            Trouble::NobodyToAsk { policy } => TroubleRecord::Nobody(*policy),
            Trouble::Expression { place, zh, en } => {
                personal.text(place);
                personal.text(zh);
                personal.text(en);
                TroubleRecord::Expression
            }
            Trouble::NeverWaits => TroubleRecord::NeverWaits,
        }
    }

    fn into_domain(self, personal: &mut Stored) -> Trouble {
        let mut text = || personal.text().unwrap_or_default();
        match self {
            TroubleRecord::Nobody(policy) => Trouble::NobodyToAsk { policy },
            TroubleRecord::Expression => Trouble::Expression { place: text(), zh: text(), en: text() },
            TroubleRecord::NeverWaits => Trouble::NeverWaits,
        }
    }
}

// Snapshots. They hold what is personal in place, as they are deleted whole.

#[derive(Serialize, Deserialize)]
struct StateRecord {
    v: u32,
    id: InstanceId,
    process: ProcessId,
    version: Version,
    number: Option<BusinessNumber>,
    title: Text,
    applicant: PersonId,
    starter: PersonId,
    started_at: At,
    revision: u32,
    at: At,
    key: Option<Value>,
    headline: Option<Value>,
    data: Record,
    ended: Option<(Outcome, At)>,
    scopes: BTreeMap<ScopeId, (Option<ScopeId>, u32)>,
    tokens: BTreeMap<TokenId, TokenState>,
    tasks: BTreeMap<TaskId, TaskState>,
    closed: BTreeMap<TaskId, ClosedState>,
    timers: BTreeMap<TimerId, (TaskId, TimerKindRecord, At)>,
    steps: BTreeMap<StepId, StepState>,
    next: [u32; 5],
}

#[derive(Serialize, Deserialize)]
struct TokenState {
    scope: ScopeId,
    step: Option<StepId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incident: Option<TroubleState>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TroubleState {
    Nobody(Nobody),
    Expression(Arc<str>, Arc<str>, Arc<str>),
    NeverWaits,
}

#[derive(Serialize, Deserialize)]
struct TaskState {
    token: TokenId,
    step: StepId,
    kind: TaskKindRecord,
    round: u32,
    mode: Mode,
    seats: Vec<Option<AssignmentId>>,
    asks: Vec<AssignmentRecord>,
    opened_at: At,
    due: Option<At>,
    #[serde(default, skip_serializing_if = "not")]
    parked: bool,
    answers: Vec<AnswerState>,
}

#[derive(Serialize, Deserialize)]
struct ClosedState {
    step: StepId,
    kind: TaskKindRecord,
    how: ClosedRecord,
    at: At,
    answers: Vec<AnswerState>,
}

#[derive(Serialize, Deserialize)]
struct AnswerState {
    assignment: AssignmentId,
    #[serde(rename = "who")]
    person: PersonId,
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    stands_in_for: Option<PersonId>,
    outcome: Outcome,
    opinion: Option<Arc<str>>,
    via: ViaState,
    at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ViaState {
    Link(Arc<str>),
    Shell(Arc<str>),
    Scenario,
}

#[derive(Serialize, Deserialize)]
struct StepState {
    outcome: Outcome,
    by: Vec<PersonId>,
    at: At,
    #[serde(default, skip_serializing_if = "not")]
    late: bool,
}

impl AnswerState {
    fn of(answer: &Answer) -> AnswerState {
        AnswerState {
            assignment: answer.assignment,
            person: answer.person.clone(),
            stands_in_for: answer.stands_in_for.clone(),
            outcome: answer.outcome.clone(),
            opinion: answer.opinion.clone(),
            via: match &answer.via {
                Via::Link { mail } => ViaState::Link(mail.clone()),
                Via::Shell { user } => ViaState::Shell(user.clone()),
                Via::Scenario => ViaState::Scenario,
            },
            at: At(answer.at),
        }
    }

    fn into_domain(self) -> Answer {
        Answer {
            assignment: self.assignment,
            person: self.person,
            stands_in_for: self.stands_in_for,
            outcome: self.outcome,
            opinion: self.opinion,
            via: match self.via {
                ViaState::Link(mail) => Via::Link { mail },
                ViaState::Shell(user) => Via::Shell { user },
                ViaState::Scenario => Via::Scenario,
            },
            at: self.at.0,
        }
    }
}

impl StateRecord {
    fn of(state: &State) -> StateRecord {
        let token = |token: &Token| TokenState {
            scope: token.scope,
            step: token.step.clone(),
            incident: token.incident.as_ref().map(|what| match what {
                Trouble::NobodyToAsk { policy } => TroubleState::Nobody(*policy),
                Trouble::Expression { place, zh, en } => {
                    TroubleState::Expression(place.clone(), zh.clone(), en.clone())
                }
                Trouble::NeverWaits => TroubleState::NeverWaits,
            }),
        };
        let task = |task: &Task| TaskState {
            token: task.token,
            step: task.step.clone(),
            kind: TaskKindRecord::of(task.kind),
            round: task.round,
            mode: task.mode,
            seats: task.seats.clone(),
            asks: task
                .assignments
                .iter()
                .map(|one| AssignmentRecord {
                    id: one.id,
                    person: one.person.clone(),
                    seats: one.seats.clone(),
                    stands_in_for: one.stands_in_for.clone(),
                    nonce: Hex(one.nonce),
                })
                .collect(),
            opened_at: At(task.opened_at),
            due: task.due.map(At),
            parked: task.parked,
            answers: task.answers.iter().map(AnswerState::of).collect(),
        };
        let closed = |task: &ClosedTask| ClosedState {
            step: task.step.clone(),
            kind: TaskKindRecord::of(task.kind),
            how: ClosedRecord::of(&task.how),
            at: At(task.at),
            answers: task.answers.iter().map(AnswerState::of).collect(),
        };
        let step = |result: &StepResult| StepState {
            outcome: result.outcome.clone(),
            by: result.by.clone(),
            at: At(result.at),
            late: result.late,
        };
        let Next { token: next_token, scope, task: next_task, timer, mail } = state.next;
        StateRecord {
            v: LAYOUT,
            id: state.id,
            process: state.process.clone(),
            version: state.version.clone(),
            number: state.number.clone(),
            title: state.title.clone(),
            applicant: state.applicant.clone(),
            starter: state.starter.clone(),
            started_at: At(state.started_at),
            revision: state.revision,
            at: At(state.at),
            key: state.key.clone(),
            headline: state.headline.clone(),
            data: state.data.clone(),
            ended: state.ended.as_ref().map(|ended| (ended.outcome.clone(), At(ended.at))),
            scopes: state.scopes.iter().map(|(id, scope)| (*id, (scope.parent, scope.block))).collect(),
            tokens: state.tokens.iter().map(|(id, it)| (*id, token(it))).collect(),
            tasks: state.tasks.iter().map(|(id, it)| (*id, task(it))).collect(),
            closed: state.closed.iter().map(|(id, it)| (*id, closed(it))).collect(),
            timers: state
                .timers
                .iter()
                .map(|(id, it)| (*id, (it.task, TimerKindRecord::of(it.kind), At(it.at))))
                .collect(),
            steps: state.steps.iter().map(|(id, it)| (id.clone(), step(it))).collect(),
            next: [next_token, scope, next_task, timer, mail],
        }
    }

    fn into_domain(self) -> State {
        let token = |token: TokenState| Token {
            scope: token.scope,
            step: token.step,
            incident: token.incident.map(|what| match what {
                TroubleState::Nobody(policy) => Trouble::NobodyToAsk { policy },
                TroubleState::Expression(place, zh, en) => Trouble::Expression { place, zh, en },
                TroubleState::NeverWaits => Trouble::NeverWaits,
            }),
        };
        let task = |task: TaskState| Task {
            token: task.token,
            step: task.step,
            kind: task.kind.into_domain(),
            round: task.round,
            mode: task.mode,
            seats: task.seats,
            assignments: task
                .asks
                .into_iter()
                .map(|one| Assignment {
                    id: one.id,
                    person: one.person,
                    seats: one.seats,
                    stands_in_for: one.stands_in_for,
                    nonce: one.nonce.0,
                })
                .collect(),
            opened_at: task.opened_at.0,
            due: task.due.map(|at| at.0),
            parked: task.parked,
            answers: task.answers.into_iter().map(AnswerState::into_domain).collect(),
        };
        let closed = |task: ClosedState| ClosedTask {
            step: task.step,
            kind: task.kind.into_domain(),
            how: task.how.into_domain(),
            at: task.at.0,
            answers: task.answers.into_iter().map(AnswerState::into_domain).collect(),
        };
        let [next_token, scope, next_task, timer, mail] = self.next;
        State {
            id: self.id,
            process: self.process,
            version: self.version,
            number: self.number,
            title: self.title,
            applicant: self.applicant,
            starter: self.starter,
            started_at: self.started_at.0,
            revision: self.revision,
            at: self.at.0,
            key: self.key,
            headline: self.headline,
            data: self.data,
            ended: self.ended.map(|(outcome, at)| Ended { outcome, at: at.0 }),
            scopes: self.scopes.into_iter().map(|(id, (parent, block))| (id, Scope { parent, block })).collect(),
            tokens: self.tokens.into_iter().map(|(id, it)| (id, token(it))).collect(),
            tasks: self.tasks.into_iter().map(|(id, it)| (id, task(it))).collect(),
            closed: self.closed.into_iter().map(|(id, it)| (id, closed(it))).collect(),
            timers: self
                .timers
                .into_iter()
                .map(|(id, (task, kind, at))| (id, Timer { task, kind: kind.into_domain(), at: at.0 }))
                .collect(),
            steps: self
                .steps
                .into_iter()
                .map(|(id, it)| (id, StepResult { outcome: it.outcome, by: it.by, at: it.at.0, late: it.late }))
                .collect(),
            next: Next { token: next_token, scope, task: next_task, timer, mail },
        }
    }
}
