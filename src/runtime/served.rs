//! Whether a server acts on a database: whether somebody holds its lock.

use std::fs::{OpenOptions, TryLockError};
use std::path::Path;

/// Whether a server acts on a database file right now. Nothing is made and nothing stays locked.
pub fn is_served(database: &Path) -> bool {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let Ok(file) = OpenOptions::new().read(true).open(&name) else { return false };
    // A shared lock, so that two who look at once do not take each other for a server.
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
