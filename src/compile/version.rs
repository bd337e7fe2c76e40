//! The version of a definition: the hash of what it says.

use crate::model::definition::Definition;
use crate::model::id::Version;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The first 16 bytes of the SHA-256 of a definition as it is stored, as long as it has no version. Texts and the
/// order of fields count; comments, layout and quoting never came this far.
pub(crate) fn of(definition: &Definition) -> Version {
    // A definition holds nothing that JSON cannot: its maps have text keys.
    let digest = Sha256::digest(serde_json::to_vec(definition).unwrap_or_default());
    let mut version = String::with_capacity(32);
    for byte in digest.iter().take(16) {
        let _ = write!(version, "{byte:02x}");
    }
    Version(version.into())
}
