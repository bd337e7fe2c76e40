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

mod command;
mod event;
mod kind;
mod personal;
mod snapshot;
mod wait;

use self::command::{ActorRecord, AskRecord, EntryRecord};
use self::event::EventRecord;
pub(super) use self::kind::{read_mail_kind, read_steps, read_text, read_value, write_mail_kind};
use self::personal::*;
pub(super) use self::personal::{hex, unhex};
use self::snapshot::StateRecord;
use self::wait::WaitRecord;
use crate::engine::command::{Ask, Command};
use crate::engine::event::Entry;
use crate::engine::state::{State, Waiting};
use crate::model::id::{CommandId, InstanceId};
use crate::model::text::Wording;
use crate::model::value::Value;
use crate::store::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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

/// A command with all that is personal in it, for a row that is deleted whole.
pub(super) fn write_ask(ask: &Ask) -> String {
    json(&Whole::of(|personal| AskRecord::of(ask, personal)))
}

/// Reads what [`write_ask`] wrote.
pub(super) fn read_ask(text: &str) -> Result<Ask, Error> {
    let whole: Whole<AskRecord> = from_json(text, || "dispatch".to_owned())?;
    Ok(whole.into_domain(AskRecord::into_domain))
}

/// What a token waits for with all that is personal in it, for a row that is deleted whole.
pub(super) fn write_waits(waits: &Waiting) -> String {
    json(&Whole::of(|personal| WaitRecord::of(waits, personal)))
}

/// Reads what [`write_waits`] wrote.
pub(super) fn read_waits(text: &str) -> Result<Waiting, Error> {
    let whole: Whole<WaitRecord> = from_json(text, || "wait".to_owned())?;
    Ok(whole.into_domain(WaitRecord::into_domain))
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

/// Why a command was given up: in Chinese, and in English in the next line.
pub(super) fn reply(what: &Wording) -> String {
    format!("{}\n{}", what.zh, what.en)
}

/// The same back. A text of one line is the same in both languages.
pub(super) fn read_reply(text: &str) -> Wording {
    let (zh, en) = text.split_once('\n').unwrap_or((text, text));
    Wording::new(zh, en)
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
