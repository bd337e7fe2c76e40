//! One server a file: a lock beside the database that the operating system gives up with the process.

use super::error::{Error, Kind};
use crate::model::text::Wording;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// The lock, for as long as it is kept.
#[derive(Debug)]
pub struct ServerLock(#[expect(dead_code, reason = "held, not read")] File);

impl ServerLock {
    /// Takes the lock of a database file.
    ///
    /// # Errors
    /// [`Kind::OtherServer`] where another process has it.
    pub fn take(database: &Path) -> Result<ServerLock, Error> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let cannot = |error: std::io::Error| {
            Error::new(
                Kind::CannotOpen,
                Wording::new(
                    format!("打不开锁文件 {}。请检查文件夹是否存在、是否可写。", name.display()),
                    format!(
                        "Cannot open the lock file {}. Check that its folder exists and can be written.",
                        name.display()
                    ),
                ),
                error.to_string(),
            )
        };
        let file = private().create(true).truncate(false).write(true).open(&name).map_err(cannot)?;
        // Whoever only looks whether a server runs holds the file for a moment.
        let mut locked = file.try_lock();
        for _ in 0..5 {
            if !matches!(locked, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
            locked = file.try_lock();
        }
        match locked {
            Ok(()) => Ok(ServerLock(file)),
            Err(TryLockError::Error(error)) => Err(cannot(error)),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                Kind::OtherServer,
                Wording::new(
                    format!(
                        "已经有一个服务在使用数据库 {}。一个文件只能有一个服务：请先停掉那一个。",
                        database.display()
                    ),
                    format!(
                        "Another server already acts on {}. One file has one server: stop the other one first.",
                        database.display()
                    ),
                ),
                "the lock file is locked",
            )),
        }
    }
}

/// Options for a file that nobody else may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}
