//! A file as a value: what it is called, how long it is, what its bytes look like, and their hash.
//!
//! The bytes themselves are kept elsewhere, under the hash. The name is for people only: it is cleaned when a value
//! is made of it and never leads to a place on a disk. What a file *is* (see `kind`) is never trusted: nothing of ours
//! opens it.

mod kind;

use super::text::{Lang, Wording};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use kind::{Accept, FileRule, KINDS, Kind, KindRow};

/// The bytes of `1 MB`, as file managers count.
const MB: u64 = 1024 * 1024;
/// What a file may be at most where its field does not say.
pub const USUAL_SIZE: u64 = 20 * MB;
/// What a field may allow at most.
pub const MOST_SIZE: u64 = 100 * MB;
/// The most characters of a name.
const NAME_LIMIT: usize = 120;
/// How many of the first bytes tell what a file is.
pub const HEAD: usize = 512;

/// A file that was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What it is called.
    pub name: Arc<str>,
    /// How many bytes it has.
    pub size: u64,
    /// What it looks like: `application/pdf`.
    #[serde(rename = "type")]
    pub media: Arc<str>,
    /// The hash of its bytes, under which they are kept.
    pub sha256: Hash,
}

impl File {
    /// A file as it came in; `head` is how its bytes begin.
    pub fn new(name: &str, size: u64, sha256: Hash, head: &[u8]) -> File {
        let name = clean_name(name);
        let media = kind::media_of(&name, head).into();
        File { name: name.into(), size, media, sha256 }
    }

    /// A file that never was, for tests: its name says what it looks like.
    pub fn made_up(name: &str, size: u64) -> File {
        let name = clean_name(name);
        let media = kind::media_named(&extension(&name)).into();
        File { name: name.into(), size, media, sha256: Hash([0; 32]) }
    }

    /// What follows the last dot of its name, in small letters.
    pub fn extension(&self) -> String {
        extension(&self.name)
    }

    /// For people: `合同.pdf（1.2 MB）`.
    pub fn words(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => format!("{}（{}）", self.name, size_words(self.size)),
            Lang::En => format!("{} ({})", self.name, size_words(self.size)),
        }
    }
}

/// One line that reads back: what a page keeps of a file that came before, and what the shell hands on.
impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.sha256, self.size, self.media, self.name)
    }
}

/// Why a text is no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAFile;

impl FromStr for File {
    type Err = NotAFile;

    fn from_str(text: &str) -> Result<File, NotAFile> {
        let mut parts = text.splitn(4, ' ');
        let mut next = || parts.next().ok_or(NotAFile);
        let (sha256, size, media, name) = (next()?, next()?, next()?, next()?);
        let sha256 = sha256.parse()?;
        let size = size.parse().map_err(|_| NotAFile)?;
        let plain = |c: char| c.is_ascii_graphic();
        if !media.contains('/') || !media.chars().all(plain) || clean_name(name) != name {
            return Err(NotAFile);
        }
        Ok(File { name: name.into(), size, media: media.into(), sha256 })
    }
}

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Hash {
    type Err = NotAFile;

    fn from_str(text: &str) -> Result<Hash, NotAFile> {
        let small = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        if text.len() != 64 || !text.bytes().all(small) {
            return Err(NotAFile);
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| NotAFile)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NotAFile)?;
        }
        Ok(Hash(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("not the hash of a file"))
    }
}

/// What is said of a file without bytes.
pub fn empty_file(name: &str) -> Wording {
    Wording::new(
        format!("“{name}”是空的，请换一个有内容的文件。"),
        format!("“{name}” is empty; choose a file with something in it."),
    )
}

/// What is said where the bytes of a file are not there.
pub fn gone(name: &str) -> Wording {
    Wording::new(
        format!("“{name}”的内容已不在服务器上，请重新上传。"),
        format!("The content of “{name}” is no longer on the server; please upload it again."),
    )
}

/// Reads `5 MB` or `800 KB`.
///
/// ```
/// use countersign::model::file::{read_size, size_words};
/// assert_eq!(read_size("5 MB"), Some(5 * 1024 * 1024));
/// assert_eq!(read_size("5"), None);
/// assert_eq!(size_words(1_300_000), "1.2 MB");
/// ```
pub fn read_size(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let unit = match unit.trim() {
        "KB" => 1024,
        "MB" => MB,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|size| *size > 0)
}

/// A length for people: `800 bytes`, `12 KB`, `1.2 MB`.
pub fn size_words(size: u64) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..MB => format!("{} KB", size / 1024),
        _ => {
            let tenths = size.saturating_mul(10) / MB;
            if tenths.is_multiple_of(10) {
                format!("{} MB", tenths / 10)
            } else {
                format!("{}.{} MB", tenths / 10, tenths % 10)
            }
        }
    }
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, end)| end.to_lowercase()).unwrap_or_default()
}

/// A name without a path, without characters that are not seen or turn others around, and of a length that every
/// system takes.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            && !matches!(c, '\u{61c}' | '\u{ad}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let plain: String = last
        .chars()
        .filter(|c| seen(*c))
        .map(|c| match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect();
    let plain = plain.trim().trim_start_matches('.').trim_end_matches(['.', ' ']).trim();
    if plain.is_empty() {
        return "file".to_owned();
    }
    if plain.chars().count() <= NAME_LIMIT {
        return plain.to_owned();
    }
    // The ending stays: it is how people and their programs know a file.
    let ending = plain.rsplit_once('.').map(|(_, end)| end).filter(|end| end.chars().count() <= 12);
    let keep = NAME_LIMIT - ending.map_or(0, |end| end.chars().count() + 1);
    let stem: String = plain.chars().take(keep).collect();
    match ending {
        Some(end) => format!("{}.{end}", stem.trim_end_matches(['.', ' '])),
        None => stem.trim_end_matches(['.', ' ']).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, size: u64, head: &[u8]) -> File {
        File::new(name, size, Hash([7; 32]), head)
    }

    #[test]
    fn a_name_is_no_path_and_hides_nothing() {
        for (name, clean) in [
            ("合同.pdf", "合同.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\wang\\报价 单.xlsx", "报价 单.xlsx"),
            ("..", "file"),
            ("", "file"),
            (".htaccess", "htaccess"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\r\nb\0c.txt", "abc.txt"),
            ("a:b|c?.pdf", "a_b_c_.pdf"),
            ("trailing. . ", "trailing"),
        ] {
            assert_eq!(clean_name(name), clean, "{name:?}");
            assert_eq!(clean_name(clean), clean, "{name:?} is not clean at once");
        }
        let long = clean_name(&format!("{}.pdf", "长".repeat(500)));
        assert_eq!(long.chars().count(), 120);
        assert!(long.ends_with("长.pdf"));
    }

    #[test]
    fn a_line_reads_back_and_takes_no_other_name() {
        let found = file("报价 单.pdf", 12_345, b"%PDF-");
        assert_eq!(found.to_string().parse(), Ok(found.clone()));
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<File>(&json).unwrap(), found);
        let line = found.to_string().replace("报价 单.pdf", "../x");
        assert_eq!(line.parse::<File>(), Err(NotAFile));
        assert_eq!("nothing".parse::<File>(), Err(NotAFile));
    }
}
