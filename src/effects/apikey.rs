//! The keys of programs that use the API. The file beside the database holds their digests and never the keys: who
//! reads it can prove nothing with it.

use super::link::{private_file, random, write_private};
use crate::model::text::Wording;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;
use subtle::ConstantTimeEq;

/// What every key begins with, so that a scanner of code knows one.
const PREFIX: &str = "countersign_";

/// The keys of a file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ApiKeys {
    #[serde(default)]
    keys: Vec<ApiKey>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// What it is called.
    pub name: String,
    /// The day it was made.
    pub made: String,
    /// The SHA-256 of it.
    digest: String,
}

impl ApiKeys {
    /// Reads a file; none where there is no file.
    ///
    /// # Errors
    /// The file is damaged, or others can read it.
    pub fn open(path: &Path) -> Result<ApiKeys, Wording> {
        match private_file(path)? {
            None => Ok(ApiKeys::default()),
            Some(text) => serde_json::from_str(&text).map_err(|_| {
                Wording::new(
                    format!("{} 不是接口密钥文件，或已损坏。", path.display()),
                    format!("{} holds no keys of the API, or is damaged.", path.display()),
                )
            }),
        }
    }

    /// Writes the file, for its owner only.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn save(&self, path: &Path) -> Result<(), Wording> {
        write_private(path, &serde_json::to_string_pretty(self).unwrap_or_default())
    }

    /// All of them, in the order in which they were made.
    pub fn list(&self) -> &[ApiKey] {
        &self.keys
    }

    /// Makes a key and answers it: it is never shown again.
    ///
    /// # Errors
    /// The name is taken, or the system has no random numbers.
    pub fn add(&mut self, name: &str, today: &str) -> Result<String, Wording> {
        if self.keys.iter().any(|key| key.name == name) {
            return Err(Wording::new(
                format!("已有名为 {name} 的接口密钥。换个名字，或先用 `keys api remove {name}` 删除。"),
                format!("There is a key {name} already. Choose another name, or `keys api remove {name}` first."),
            ));
        }
        let key = format!("{PREFIX}{}", BASE64.encode(random()?));
        self.keys.push(ApiKey { name: name.to_owned(), made: today.to_owned(), digest: digest(&key) });
        Ok(key)
    }

    /// Takes a key away; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.name != name);
        self.keys.len() < before
    }

    /// Whose key this is. Every key is compared, each in constant time.
    pub fn prove(&self, key: &str) -> Option<&str> {
        let given = digest(key);
        let mut found = None;
        for own in &self.keys {
            if bool::from(own.digest.as_bytes().ct_eq(given.as_bytes())) {
                found = Some(own.name.as_str());
            }
        }
        found
    }
}

fn digest(key: &str) -> String {
    BASE64.encode(Sha256::digest(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_proves_its_name_until_it_is_removed() {
        let mut keys = ApiKeys::default();
        let one = keys.add("printer", "2026-03-02").unwrap();
        let two = keys.add("erp", "2026-03-02").unwrap();
        assert!(keys.add("erp", "2026-03-02").is_err());
        assert_eq!((keys.prove(&one), keys.prove(&two)), (Some("printer"), Some("erp")));
        assert!(!serde_json::to_string(&keys).unwrap().contains(&one), "only digests are kept");
        assert!(keys.remove("printer") && !keys.remove("printer"));
        assert_eq!((keys.prove(&one), keys.prove(""), keys.prove("countersign_")), (None, None, None));
    }
}
