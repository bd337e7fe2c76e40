//! What a person saw when they decided, as one short hash.

use super::scope;
use super::state::{State, Task};
use crate::model::id::ScopeId;
use sha2::{Digest, Sha256};
use std::fmt;

/// The first 12 bytes of a SHA-256 over the definition's version, the task and its round, and all data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 12]);

impl Fingerprint {
    /// The fingerprint of what the page of a task shows.
    pub fn of(state: &State, task: &Task) -> Fingerprint {
        let mut hash = Sha256::new();
        hash.update(state.version.0.as_bytes());
        hash.update(state.id.as_bytes());
        hash.update(task.step.as_str().as_bytes());
        hash.update(task.round.to_le_bytes());
        // The stored form of a value is canonical: records keep the order in which fields were set.
        let scope = state.tokens.get(&task.token).map_or(ScopeId(0), |token| token.scope);
        let data = scope::data(state, scope);
        let mut fields: Vec<_> = data.iter().collect();
        fields.sort_by(|a, b| a.0.cmp(b.0));
        for (name, value) in fields {
            hash.update(name.as_str().as_bytes());
            hash.update(serde_json::to_vec(value).unwrap_or_default());
            hash.update([0]);
        }
        let digest = hash.finalize();
        let mut short = [0; 12];
        short.copy_from_slice(&digest[..12]);
        Fingerprint(short)
    }

    /// Reads the 24 hexadecimal digits that `Display` writes.
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let mut bytes = [0; 12];
        if text.len() != 24 || !text.is_ascii() {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Fingerprint(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
