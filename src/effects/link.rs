//! Links: tickets are made, read and proved here; and the key file that they are made with.
//!
//! ```text
//! ticket = base64url( 1 ‖ key id ‖ assignment:16 ‖ tag:16 )           46 characters
//! tag    = HMAC-SHA256(key, purpose, installation, instance, task, round, person, nonce, assignment)[..16]
//! ```
//!
//! Every part of what the tag covers is preceded by its length, so no two bindings share their bytes. The nonce is
//! random, lies in the assignment and nowhere else; the key lies in a file outside the database. Neither the
//! database nor the key alone makes a ticket. What a ticket allows is not in it: a link shows one page, and the
//! form on that page decides.
//!
//! The order of a check: [`Ticket::parse`] (no database, one answer for every malformed text), then one indexed
//! read of the assignment, then [`Keys::proves`] over the exact bytes in constant time, then everything else.
//!
//! Never in `Debug`, in an error or in a log: a key, a ticket.

use crate::model::id::{AssignmentId, InstanceId, PersonId, TaskId};
use crate::model::text::Wording;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::io::Write;
use std::path::Path;
use subtle::ConstantTimeEq;
use uuid::Uuid;

const VERSION: u8 = 1;
const TAG: usize = 16;
const BYTES: usize = 2 + 16 + TAG;

/// The characters of a ticket.
pub const LENGTH: usize = 46;

/// The longest address that `{base}/t/{ticket}` may have, so that no mail client breaks it.
pub const LONGEST_URL: usize = 100;

/// What a ticket is for. One made for one purpose proves nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The link in the mail of somebody who is asked.
    Decide,
    /// An address that a person replies to.
    Reply,
    /// An address that a mail server sends failures to.
    Bounce,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Purpose::Decide => b"countersign/decide/1",
            Purpose::Reply => b"countersign/reply/1",
            Purpose::Bounce => b"countersign/bounce/1",
        }
    }
}

/// Everything that a ticket is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// The installation, by the id in its database.
    pub installation: &'a str,
    /// The instance.
    pub instance: InstanceId,
    /// The task.
    pub task: TaskId,
    /// The round of the task.
    pub round: u32,
    /// Who is asked.
    pub person: &'a PersonId,
    /// The assignment that it names.
    pub assignment: AssignmentId,
    /// The assignment's random bytes.
    pub nonce: &'a [u8; 16],
}

/// A ticket as it was read: well formed, not yet proved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    key: u8,
    /// The assignment that it names.
    pub assignment: AssignmentId,
    tag: [u8; TAG],
}

impl Ticket {
    /// Reads a ticket; `None` for every text that is not exactly one that we could have written.
    pub fn parse(text: &str) -> Option<Ticket> {
        // The engine refuses padding and spare bits, so that one ticket has one spelling.
        let mut bytes = [0u8; BYTES + 2];
        if text.len() != LENGTH || URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()? != BYTES {
            return None;
        }
        let (&version, rest) = bytes.split_first()?;
        let (&key, rest) = rest.split_first()?;
        let (assignment, rest) = rest.split_first_chunk::<16>()?;
        let tag = *rest.first_chunk::<TAG>()?;
        (version == VERSION).then(|| Ticket { key, assignment: AssignmentId(Uuid::from_bytes(*assignment)), tag })
    }

    fn write(&self) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend([VERSION, self.key]);
        bytes.extend(self.assignment.as_bytes());
        bytes.extend(self.tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[ticket]")
    }
}

/// The address of a ticket's page.
pub fn url(base: &str, ticket: &str) -> String {
    format!("{}/t/{ticket}", base.trim_end_matches('/'))
}

/// One key of the file.
#[derive(Clone)]
struct Key {
    id: u8,
    secret: Vec<u8>,
    /// The day it was made, as written; empty for keys of the moment.
    made: String,
}

/// What people may know of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its id.
    pub id: u8,
    /// The day it was made.
    pub made: String,
    /// Whether new links are made with it; the others only prove old ones.
    pub signing: bool,
}

/// The keys of an installation. The last one signs; all of them prove.
#[derive(Clone)]
pub struct Keys {
    keys: Vec<Key>,
    next: u8,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} keys]", self.keys.len())
    }
}

impl Keys {
    /// One fresh key that is written nowhere: for tests and demonstrations.
    ///
    /// # Errors
    /// Where the system has no random bytes to give.
    pub fn of_the_moment() -> Result<Keys, Wording> {
        let mut keys = Keys { keys: Vec::new(), next: 1 };
        keys.add("")?;
        Ok(keys)
    }

    /// Reads the key file; where there is none, makes one with a fresh key. `day` is written beside a new key.
    ///
    /// # Errors
    /// A file that others can read, that cannot be read or written, or that is no key file.
    pub fn open(path: &Path, day: &str) -> Result<Keys, Wording> {
        match private_file(path)? {
            Some(text) => Keys::read(path, &text),
            None => {
                let mut keys = Keys { keys: Vec::new(), next: 1 };
                keys.add(day)?;
                create(path, &keys.text())?;
                Ok(keys)
            }
        }
    }

    /// Writes the keys back, in one step: a crash leaves the old file or the new one.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save(&self, path: &Path) -> Result<(), Wording> {
        write_private(path, &self.text())
    }

    /// Adds a key that signs from now on; links of the others still hold. Answers its id.
    ///
    /// # Errors
    /// Where the system has no random bytes to give, or all 255 ids are used.
    pub fn rotate(&mut self, day: &str) -> Result<u8, Wording> {
        self.add(day)
    }

    /// Takes a key away: links that were made with it are dead at once.
    ///
    /// # Errors
    /// Where there is no such key, or it is the only one (rotate first).
    pub fn revoke(&mut self, id: u8) -> Result<(), Wording> {
        if !self.keys.iter().any(|key| key.id == id) {
            return Err(Wording::new(
                format!("没有编号为 {id} 的密钥。运行 `countersign keys` 查看现有密钥。"),
                format!("There is no key {id}. `countersign keys` lists those there are."),
            ));
        }
        if self.keys.len() == 1 {
            return Err(Wording::new(
                format!("{id} 是唯一的密钥，不能撤销。请先运行 `countersign keys rotate` 生成新密钥。"),
                format!("Key {id} is the only one, so it cannot be revoked. Run `countersign keys rotate` first."),
            ));
        }
        self.keys.retain(|key| key.id != id);
        Ok(())
    }

    /// What people may know of the keys.
    pub fn list(&self) -> Vec<KeyInfo> {
        let last = self.keys.last().map(|key| key.id);
        let info = |key: &Key| KeyInfo { id: key.id, made: key.made.clone(), signing: Some(key.id) == last };
        self.keys.iter().map(info).collect()
    }

    /// The id of the key that signs.
    pub fn signing(&self) -> u8 {
        self.keys.last().map_or(0, |key| key.id)
    }

    /// Whether links that were made with a key still hold.
    pub fn holds(&self, id: u8) -> bool {
        self.keys.iter().any(|key| key.id == id)
    }

    /// The ticket of a binding, made with the key that signs.
    pub fn ticket(&self, binding: &Binding<'_>) -> String {
        self.ticket_by(self.signing(), binding).unwrap_or_default()
    }

    /// The ticket of a binding, made with one key: the same for ever. `None` where the key was revoked.
    pub fn ticket_by(&self, id: u8, binding: &Binding<'_>) -> Option<String> {
        let key = self.keys.iter().find(|key| key.id == id)?;
        Some(Ticket { key: id, assignment: binding.assignment, tag: tag(&key.secret, binding) }.write())
    }

    /// Whether a ticket is ours and of exactly this binding. Takes as long for a tag that is wrong in its first
    /// byte as for one that is wrong in its last, and as long for a key that is not there.
    pub fn proves(&self, ticket: &Ticket, binding: &Binding<'_>) -> bool {
        const NONE: [u8; 32] = [0; 32];
        let key = self.keys.iter().find(|key| key.id == ticket.key);
        let expected = tag(key.map_or(NONE.as_slice(), |key| &key.secret), binding);
        let same = expected.ct_eq(&ticket.tag) & ticket.assignment.as_bytes().ct_eq(binding.assignment.as_bytes());
        bool::from(same) && key.is_some()
    }

    /// A seal on a text for one assignment: what a page gave its reader to hand back, and nobody else made.
    pub fn seal(&self, nonce: &[u8; 16], text: &str) -> String {
        let Some(key) = self.keys.last() else { return String::new() };
        let mut bytes = vec![key.id];
        bytes.extend(seal(&key.secret, nonce, text));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whether a seal is ours, on this text, for this assignment.
    pub fn sealed(&self, nonce: &[u8; 16], text: &str, found: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(found) else { return false };
        let Some((id, tag)) = bytes.split_first() else { return false };
        let key = self.keys.iter().find(|key| key.id == *id);
        key.is_some_and(|key| bool::from(seal(&key.secret, nonce, text).ct_eq(tag)))
    }

    fn add(&mut self, day: &str) -> Result<u8, Wording> {
        let id = self.next;
        let next = id.checked_add(1).ok_or_else(|| {
            Wording::new(
                "密钥编号已用完（最多 254 个）。请把密钥文件移走，重新生成：此前的链接会全部失效。",
                "All 254 key ids are used. Move the key file away to begin a new one: every old link then dies.",
            )
        })?;
        self.keys.push(Key { id, secret: random()?.to_vec(), made: day.to_owned() });
        self.next = next;
        Ok(id)
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "# Countersign: the keys that links in mail are made with. The last one signs, the others still prove.\n\
             # Keep it secret, and out of the database and its backups.\n",
        );
        text.push_str(&format!("next {}\n", self.next));
        for key in &self.keys {
            let secret: String = key.secret.iter().map(|byte| format!("{byte:02x}")).collect();
            text.push_str(&format!("key {} {secret} {}\n", key.id, key.made));
        }
        text
    }

    fn read(path: &Path, text: &str) -> Result<Keys, Wording> {
        let mut keys = Keys { keys: Vec::new(), next: 0 };
        for (index, line) in text.lines().enumerate() {
            let mut words = line.split_whitespace();
            let read = match (words.next(), words.next(), words.next(), words.next(), words.next()) {
                (None, ..) => Some(()),
                (Some(word), ..) if word.starts_with('#') => Some(()),
                (Some("next"), Some(next), None, ..) => next.parse().ok().map(|next| keys.next = next),
                (Some("key"), Some(id), Some(secret), made, None) => key(id, secret, made).and_then(|key| {
                    let new = !keys.holds(key.id);
                    keys.keys.push(key);
                    new.then_some(())
                }),
                _ => None,
            };
            if read.is_none() {
                return Err(Wording::new(
                    format!(
                        "密钥文件 {} 第 {} 行无法识别。应为 `key 编号 64位以上的十六进制密钥 日期`。",
                        path.display(),
                        index + 1
                    ),
                    format!(
                        "Line {} of the key file {} is none. It should read `key ID HEX DAY` with at least 64 hexadecimal digits.",
                        index + 1,
                        path.display()
                    ),
                ));
            }
        }
        let highest = keys.keys.iter().map(|key| key.id).max();
        let Some(highest) = highest else {
            return Err(Wording::new(
                format!(
                    "密钥文件 {} 里没有密钥。请从备份恢复；若删除它，会生成新密钥，此前的链接全部失效。",
                    path.display()
                ),
                format!(
                    "The key file {} holds no key. Restore it; if you delete it, a new one is made and every old link dies.",
                    path.display()
                ),
            ));
        };
        keys.next = keys.next.max(highest.saturating_add(1));
        Ok(keys)
    }
}

fn key(id: &str, secret: &str, made: Option<&str>) -> Option<Key> {
    let id: u8 = id.parse().ok().filter(|id| *id != 0)?;
    if secret.len() < 64 || !secret.len().is_multiple_of(2) || !secret.is_ascii() {
        return None;
    }
    let pairs = secret.as_bytes().chunks(2);
    let secret: Option<Vec<u8>> =
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    Some(Key { id, secret: secret?, made: made.unwrap_or_default().to_owned() })
}

fn seal(secret: &[u8], nonce: &[u8; 16], text: &str) -> [u8; TAG] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; TAG] };
    let mut short = [0; TAG];
    for part in [b"countersign/seal/1".as_slice(), nonce, text.as_bytes()] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    for (to, from) in short.iter_mut().zip(mac.finalize().into_bytes()) {
        *to = from;
    }
    short
}

fn tag(secret: &[u8], binding: &Binding<'_>) -> [u8; TAG] {
    // A key of any length is taken: HMAC hashes longer ones.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; TAG] };
    for part in [
        binding.purpose.label(),
        binding.installation.as_bytes(),
        binding.instance.as_bytes(),
        &binding.task.0.to_be_bytes(),
        &binding.round.to_be_bytes(),
        binding.person.as_str().as_bytes(),
        binding.nonce,
        binding.assignment.as_bytes(),
    ] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    let mut short = [0; TAG];
    for (to, from) in short.iter_mut().zip(mac.finalize().into_bytes()) {
        *to = from;
    }
    short
}

#[cfg(unix)]
fn private(path: &Path, found: &std::fs::Metadata) -> Result<(), Wording> {
    use std::os::unix::fs::MetadataExt;
    let mode = found.mode() & 0o777;
    if !found.is_file() {
        return Err(Wording::new(
            format!("密钥文件 {} 不是普通文件。", path.display()),
            format!("The key file {} is no plain file.", path.display()),
        ));
    }
    if mode & 0o077 != 0 {
        return Err(Wording::new(
            format!(
                "密钥文件 {0} 的权限是 {mode:04o}，其他用户也能读取。请运行 `chmod 600 {0}`；若可能已被他人看到，再运行 `countersign keys rotate`。",
                path.display()
            ),
            format!(
                "The key file {0} has mode {mode:04o}: others can read it. Run `chmod 600 {0}`, and `countersign keys rotate` if someone may have seen it.",
                path.display()
            ),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &Path, _: &std::fs::Metadata) -> Result<(), Wording> {
    Ok(())
}

/// Random bytes for a key.
pub(super) fn random() -> Result<[u8; 32], Wording> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Wording::new(
            format!("系统无法提供随机数，不能生成密钥：{error}"),
            format!("The system has no random bytes to make a key of: {error}"),
        )
    })?;
    Ok(bytes)
}

/// Reads a file that only its owner may read; `None` where there is none.
///
/// # Errors
/// A file that others can read, or that cannot be read.
pub fn private_file(path: &Path) -> Result<Option<String>, Wording> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => {
            private(path, &found)?;
            std::fs::read_to_string(path).map(Some).map_err(|error| failed(path, "读取", "read", &error))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, "读取", "read", &error)),
    }
}

/// Writes a file for its owner only, in one step: a crash leaves the old file or the new one.
///
/// # Errors
/// What the file system says.
pub fn write_private(path: &Path, text: &str) -> Result<(), Wording> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    // One that an earlier crash left behind.
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed(&fresh, "写入", "write", &error));
        }
        _ => {}
    }
    create(&fresh, text)?;
    std::fs::rename(&fresh, path).map_err(|error| failed(path, "写入", "write", &error))?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| failed(path, "写入", "write", &error))?;
    }
    Ok(())
}

fn create(path: &Path, text: &str) -> Result<(), Wording> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| failed(path, "写入", "write", &error))
}

fn failed(path: &Path, zh: &str, en: &str, error: &std::io::Error) -> Wording {
    Wording::new(
        format!("无法{zh}密钥文件 {}：{error}", path.display()),
        format!("Cannot {en} the key file {}: {error}", path.display()),
    )
}
