//! The bytes of files that people hand in: one each in a folder beside the database, under the hash of its content.
//!
//! ```text
//! countersign.db.files/
//!   ab/ab12…ef        the content whose SHA-256 begins so; never changed, never overwritten
//!   new/…             what is coming in; left over by a crash, it is swept
//! ```
//!
//! A file is streamed into `new/`, hashed and counted on the way, synced, and renamed into its place: a place that is
//! there holds the whole content. The same content twice is one file. Nothing that people typed is part of a path.
//!
//! What a case names is in its log; a file here that no log names belongs to a form that was never handed in. It is
//! swept once it is older than a day, by which time such a form is given up; coming in again makes it young.

use super::error::{Error, Kind};
use super::lock::private;
use crate::model::file::{self, File, FileRule, HEAD, Hash};
use crate::model::text::Wording;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How old a file is at least before it is swept.
pub const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the contents of files are; cheap to clone.
#[derive(Clone, Debug)]
pub enum Files {
    /// A folder.
    Folder(Arc<Path>),
    /// Memory, for tests.
    Memory(Arc<Mutex<BTreeMap<Hash, Arc<[u8]>>>>),
}

impl Default for Files {
    fn default() -> Files {
        Files::Memory(Arc::default())
    }
}

/// The hashes that a stored record names. A text that only looks so is escaped in it.
pub(super) fn named(record: &str) -> impl Iterator<Item = Hash> {
    record.split("\"sha256\":\"").skip(1).filter_map(|rest| rest.get(..64)?.parse().ok())
}

/// Why a file was not taken.
#[derive(Clone, Debug)]
pub enum Refused {
    /// It is not what its field takes.
    Unfit(Wording),
    /// It could not be kept.
    Trouble(Error),
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many files went.
    pub files: u64,
    /// How many bytes they had.
    pub bytes: u64,
    /// How many stay.
    pub kept: u64,
}

impl Files {
    /// The files of a database.
    pub fn beside(database: &Path) -> Files {
        let mut name = database.as_os_str().to_owned();
        name.push(".files");
        Files::Folder(PathBuf::from(name).into())
    }

    /// Begins to take a file for a field.
    ///
    /// # Errors
    /// What the disk says.
    pub fn receive(&self, name: &str, rule: &FileRule) -> Result<Incoming, Error> {
        let goal = match self {
            Files::Memory(_) => Goal::Memory(Vec::new()),
            Files::Folder(folder) => {
                let fresh = folder.join("new");
                make(&fresh).map_err(|error| trouble(&fresh, &error))?;
                let mut number = [0; 16];
                getrandom::fill(&mut number).map_err(|error| {
                    let what = Wording::new("系统给不出随机数。", "The system has no random numbers to give.");
                    Error::new(Kind::Temporary, what, error.to_string())
                })?;
                let path = fresh.join(uuid::Uuid::from_bytes(number).simple().to_string());
                let opened = private().create_new(true).write(true).open(&path);
                let file = opened.map_err(|error| trouble(&path, &error))?;
                Goal::File(file, Temporary(path))
            }
        };
        Ok(Incoming {
            files: self.clone(),
            goal,
            name: file::clean_name(name),
            rule: rule.clone(),
            hash: Sha256::new(),
            size: 0,
            head: Vec::new(),
        })
    }

    /// Takes a file whole.
    ///
    /// # Errors
    /// Why it was not taken.
    pub fn take(&self, name: &str, rule: &FileRule, bytes: &[u8]) -> Result<File, Refused> {
        let mut incoming = self.receive(name, rule).map_err(Refused::Trouble)?;
        incoming.write(bytes)?;
        incoming.finish()
    }

    /// Takes a file of this machine.
    ///
    /// # Errors
    /// Why it was not taken; a path that cannot be read among it.
    pub fn copy(&self, path: &Path, rule: &FileRule) -> Result<File, Refused> {
        let unreadable = |error: &io::Error| {
            // A path is taken from where the command runs, whatever file names it.
            let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let shown = whole.display();
            Refused::Unfit(match error.kind() {
                io::ErrorKind::NotFound => {
                    Wording::new(format!("没有文件 {shown}。"), format!("There is no file {shown}."))
                }
                _ => Wording::new(format!("读不了 {shown}：{error}"), format!("Cannot read {shown}: {error}")),
            })
        };
        let mut from = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut incoming = self.receive(&name, rule).map_err(Refused::Trouble)?;
        let mut chunk = vec![0; 64 * 1024];
        loop {
            match io::Read::read(&mut from, &mut chunk) {
                Ok(0) => return incoming.finish(),
                Ok(count) => incoming.write(chunk.get(..count).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
    }

    /// Whether the content of a file is there; it stays at least a day from now.
    pub fn hold(&self, file: &File) -> bool {
        match self {
            Files::Memory(all) => all.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&file.sha256),
            Files::Folder(folder) => {
                let path = place(folder, &file.sha256);
                let whole = std::fs::metadata(&path).is_ok_and(|found| found.len() == file.size);
                if whole {
                    touch(&path);
                }
                whole
            }
        }
    }

    /// Opens the content of a file; `None` where it is not there, or not whole.
    ///
    /// # Errors
    /// What the disk says.
    pub fn open(&self, file: &File) -> Result<Option<Content>, Error> {
        match self {
            Files::Memory(all) => {
                let all = all.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(all.get(&file.sha256).cloned().map(Content::Bytes))
            }
            Files::Folder(folder) => {
                let path = place(folder, &file.sha256);
                let opened = match std::fs::File::open(&path) {
                    Ok(opened) => opened,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(trouble(&path, &error)),
                };
                let found = opened.metadata().map_err(|error| trouble(&path, &error))?;
                Ok((found.len() == file.size).then_some(Content::File(opened)))
            }
        }
    }

    /// Removes what `used` does not name and what no upload still writes, if it is older than [`KEEP`]. `age` says how
    /// old a file is, from the time of its last change.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sweep(
        &self,
        used: &BTreeSet<Hash>,
        age: impl Fn(std::time::SystemTime) -> Duration,
    ) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        let Files::Folder(folder) = self else { return Ok(swept) };
        let rooms = match std::fs::read_dir(folder) {
            Ok(rooms) => rooms,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(swept),
            Err(error) => return Err(trouble(folder, &error)),
        };
        for room in rooms {
            let room = room.map_err(|error| trouble(folder, &error))?;
            let Ok(entries) = std::fs::read_dir(room.path()) else { continue };
            for entry in entries {
                let entry = entry.map_err(|error| trouble(folder, &error))?;
                let path = entry.path();
                let named: Option<Hash> = entry.file_name().to_str().and_then(|name| name.parse().ok());
                let Ok(found) = entry.metadata() else { continue };
                let old = found.modified().is_ok_and(|at| age(at) > KEEP);
                if named.is_some_and(|hash| used.contains(&hash)) || !old || !found.is_file() {
                    swept.kept += u64::from(named.is_some());
                    continue;
                }
                std::fs::remove_file(&path).map_err(|error| trouble(&path, &error))?;
                swept.files += 1;
                swept.bytes += found.len();
            }
        }
        Ok(swept)
    }
}

/// The content of a file, to be read.
#[derive(Debug)]
pub enum Content {
    /// From the disk.
    File(std::fs::File),
    /// From memory.
    Bytes(Arc<[u8]>),
}

/// A file on its way in. Dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub struct Incoming {
    files: Files,
    goal: Goal,
    name: String,
    rule: FileRule,
    hash: Sha256,
    size: u64,
    head: Vec<u8>,
}

#[derive(Debug)]
enum Goal {
    File(std::fs::File, Temporary),
    Memory(Vec<u8>),
}

/// A path that goes when it is dropped.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Incoming {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// That it is larger than its field takes, or what the disk says.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.size += bytes.len() as u64;
        if self.size > self.rule.limit() {
            return Err(Refused::Unfit(self.rule.too_large(&self.name)));
        }
        self.hash.update(bytes);
        let missing = HEAD.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        match &mut self.goal {
            Goal::Memory(all) => all.extend(bytes),
            Goal::File(file, path) => {
                file.write_all(bytes).map_err(|error| Refused::Trouble(trouble(&path.0, &error)))?;
            }
        }
        Ok(())
    }

    /// Keeps the file, if it is what its field takes. It is on the disk then.
    ///
    /// # Errors
    /// Why it is not, or what the disk says.
    pub fn finish(self) -> Result<File, Refused> {
        let hash = Hash(self.hash.finalize().into());
        let file = File::new(&self.name, self.size, hash, &self.head);
        if let Some(what) = self.rule.refuses(&file) {
            return Err(Refused::Unfit(what));
        }
        match (self.goal, &self.files) {
            (Goal::Memory(all), Files::Memory(kept)) => {
                kept.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, all.into());
            }
            (Goal::File(written, fresh), Files::Folder(folder)) => {
                settle(&written, &fresh.0, folder, &file).map_err(Refused::Trouble)?;
            }
            _ => {}
        }
        Ok(file)
    }
}

fn settle(written: &std::fs::File, fresh: &Path, folder: &Path, file: &File) -> Result<(), Error> {
    let path = place(folder, &file.sha256);
    let whole = std::fs::metadata(&path).is_ok_and(|found| found.len() == file.size);
    if whole {
        touch(&path);
        return Ok(());
    }
    written.sync_all().map_err(|error| trouble(fresh, &error))?;
    let room = path.parent().unwrap_or(folder).to_owned();
    make(&room).map_err(|error| trouble(&room, &error))?;
    std::fs::rename(fresh, &path).map_err(|error| trouble(&path, &error))?;
    for above in [room.as_path(), folder] {
        let synced = std::fs::File::open(above).and_then(|opened| opened.sync_all());
        synced.map_err(|error| trouble(above, &error))?;
    }
    Ok(())
}

fn place(folder: &Path, hash: &Hash) -> PathBuf {
    let name = hash.to_string();
    folder.join(name.get(..2).unwrap_or_default()).join(name)
}

/// Makes a folder that nobody else may read.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a file young, so that no sweep takes it from a form that is handed in now. If that fails it keeps its age.
fn touch(path: &Path) {
    #[expect(clippy::disallowed_methods, reason = "the disk's own time, never a fact of a case")]
    let now = std::time::SystemTime::now();
    let _ = std::fs::File::options().append(true).open(path).and_then(|file| file.set_modified(now));
}

fn trouble(path: &Path, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::Full,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::ReadOnly,
        _ => Kind::Temporary,
    };
    let what = Wording::new(
        format!("附件没有存下来：{}。请检查磁盘空间和文件夹权限。", path.display()),
        format!(
            "A file could not be kept: {}. Check the space on the disk and the folder's permissions.",
            path.display()
        ),
    );
    Error::new(kind, what, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &tempfile::TempDir) -> Files {
        Files::beside(&folder.path().join("x.db"))
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for room in std::fs::read_dir(folder).unwrap() {
            for entry in std::fs::read_dir(room.unwrap().path()).unwrap() {
                found.push(entry.unwrap().file_name().into_string().unwrap());
            }
        }
        found
    }

    #[test]
    fn the_same_content_is_kept_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        for files in [files(&folder), Files::default()] {
            let rule = FileRule::default();
            let one = files.take("../a.pdf", &rule, b"%PDF-1.7 x").unwrap();
            let two = files.take("b.pdf", &rule, b"%PDF-1.7 x").unwrap();
            assert_eq!((&*one.name, &*two.name, one.sha256), ("a.pdf", "b.pdf", two.sha256));
            assert!(files.hold(&one));
            assert!(files.open(&one).unwrap().is_some());
            let other = File { sha256: Hash([0; 32]), ..one };
            assert!(!files.hold(&other));
            assert!(files.open(&other).unwrap().is_none());
        }
        assert_eq!(names(&folder.path().join("x.db.files")).len(), 1);
    }

    #[test]
    fn what_is_refused_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(&folder);
        let rule = FileRule { size: Some(4), accept: Vec::new() };
        assert!(matches!(files.take("a", &rule, b"12345"), Err(Refused::Unfit(_))));
        assert!(matches!(files.take("a", &rule, b""), Err(Refused::Unfit(_))));
        let mut cut = files.receive("a", &rule).unwrap();
        cut.write(b"123").unwrap();
        drop(cut);
        assert_eq!(names(&folder.path().join("x.db.files")), [""; 0]);
    }

    #[test]
    fn a_sweep_takes_what_is_old_and_no_case_names() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(&folder);
        let rule = FileRule::default();
        let kept = files.take("a", &rule, b"a").unwrap();
        let lost = files.take("b", &rule, b"b").unwrap();
        let used = BTreeSet::from([kept.sha256]);
        let young = files.sweep(&used, |_| KEEP).unwrap();
        assert_eq!(young, Swept { files: 0, bytes: 0, kept: 2 });
        let old = files.sweep(&used, |_| KEEP * 2).unwrap();
        assert_eq!(old, Swept { files: 1, bytes: 1, kept: 1 });
        assert!(files.hold(&kept) && !files.hold(&lost));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        files(&folder).take("a", &FileRule::default(), b"a").unwrap();
        let root = folder.path().join("x.db.files");
        assert_eq!(std::fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
