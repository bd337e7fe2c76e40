//! A file as a value: what it is called, how long it is, what its bytes look like, and their hash.
//!
//! The bytes themselves are kept elsewhere, under the hash. The name is for people only: it is cleaned when a value
//! is made of it and never leads to a place on a disk. What a file *is* is judged by how it begins, helped by its
//! name where many kinds share one wrapping, and is never trusted: nothing of ours opens it.

use super::text::{Lang, Wording};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

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
        let media = media_of(&name, head).into();
        File { name: name.into(), size, media, sha256 }
    }

    /// A file that never was, for tests: its name says what it looks like.
    pub fn made_up(name: &str, size: u64) -> File {
        let name = clean_name(name);
        let ending = extension(&name);
        let row = KINDS.iter().find(|row| row.endings.contains(&ending.as_str()));
        let media = row.and_then(|row| {
            let same = row.media.iter().find(|media| media.ends_with(&format!("/{ending}")));
            same.or_else(|| row.media.first())
        });
        let media = media.copied().unwrap_or("application/octet-stream").into();
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

/// What a field says of its files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRule {
    /// The most bytes of each; [`USUAL_SIZE`] where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What they may be; anything where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Accept>,
}

/// Something that a file may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accept {
    /// A kind, by how its bytes begin.
    Kind(Kind),
    /// A name that ends so, without the dot.
    Extension(Arc<str>),
}

/// A kind of files that has a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// PDF.
    Pdf,
    /// A picture.
    Image,
    /// A document of Word or its like.
    Word,
    /// A sheet of Excel or its like.
    Excel,
    /// Slides of PowerPoint or its like.
    Powerpoint,
    /// Plain text.
    Text,
    /// A ZIP archive.
    Zip,
}

/// What is known of a kind.
#[derive(Debug)]
pub struct KindRow {
    /// The word of a document.
    pub word: &'static str,
    kind: Kind,
    /// What people call it, in Chinese and English.
    title: (&'static str, &'static str),
    /// What names of such files end with.
    endings: &'static [&'static str],
    /// Its media types.
    pub media: &'static [&'static str],
}

const fn row(
    word: &'static str,
    kind: Kind,
    title: (&'static str, &'static str),
    endings: &'static [&'static str],
    media: &'static [&'static str],
) -> KindRow {
    KindRow { word, kind, title, endings, media }
}

/// Every kind.
pub const KINDS: &[KindRow] = &[
    row("pdf", Kind::Pdf, ("PDF", "PDF"), &["pdf"], &["application/pdf"]),
    row(
        "image",
        Kind::Image,
        ("图片", "a picture"),
        &["jpg", "jpeg", "png", "gif", "webp", "heic", "bmp", "tif", "tiff"],
        &["image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/bmp", "image/tiff"],
    ),
    row("word", Kind::Word, ("Word 文档", "a Word document"), &["docx", "doc", "odt", "wps"], WORD),
    row("excel", Kind::Excel, ("Excel 表格", "an Excel sheet"), &["xlsx", "xls", "ods", "et"], EXCEL),
    row("powerpoint", Kind::Powerpoint, ("PPT 文稿", "PowerPoint slides"), &["pptx", "ppt", "odp", "dps"], POWERPOINT),
    row("text", Kind::Text, ("纯文本", "plain text"), &["txt", "csv", "md", "log"], &["text/plain"]),
    row("zip", Kind::Zip, ("ZIP 压缩包", "a ZIP archive"), &["zip"], &["application/zip"]),
];

const WORD: &[&str] = &[
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/msword",
    "application/vnd.oasis.opendocument.text",
];
const EXCEL: &[&str] = &[
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet",
];
const POWERPOINT: &[&str] = &[
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.ms-powerpoint",
    "application/vnd.oasis.opendocument.presentation",
];

impl FileRule {
    /// The most bytes of a file.
    pub fn limit(&self) -> u64 {
        self.size.unwrap_or(USUAL_SIZE).min(MOST_SIZE)
    }

    /// What is wrong with a file for this field.
    pub fn refuses(&self, file: &File) -> Option<Wording> {
        let name = &file.name;
        if file.size == 0 {
            return Some(empty_file(name));
        }
        if file.size > self.limit() {
            return Some(self.too_large(name));
        }
        if self.accept.is_empty() || self.accept.iter().any(|accept| accept.takes(file)) {
            return None;
        }
        let words = self.words();
        Some(Wording::new(
            format!("“{name}”不是这里要的文件，这里收：{}。", words.zh),
            format!("“{name}” is not what is asked for here; it takes {}.", words.en),
        ))
    }

    /// What is said of a file that is too large.
    pub fn too_large(&self, name: &str) -> Wording {
        let most = size_words(self.limit());
        Wording::new(
            format!("“{name}”太大，最多 {most}。请压缩或拆分后再传。"),
            format!("“{name}” is too large: at most {most}. Make it smaller, or split it."),
        )
    }

    /// What the field takes: `PDF、图片`.
    pub fn words(&self) -> Wording {
        let list = |pick: &dyn Fn(&Accept) -> String| self.accept.iter().map(pick).collect::<Vec<_>>();
        Wording::new(list(&|accept| accept.words().zh).join("、"), list(&|accept| accept.words().en).join(", "))
    }

    /// The endings of names that it takes, with their dots, for the box of a page.
    pub fn endings(&self) -> Vec<String> {
        let of = |accept: &Accept| -> Vec<String> {
            match accept {
                Accept::Kind(kind) => kind.row().endings.iter().map(|ending| format!(".{ending}")).collect(),
                Accept::Extension(ending) => vec![format!(".{ending}")],
            }
        };
        self.accept.iter().flat_map(of).collect()
    }
}

impl Accept {
    /// Reads a word of a document: a kind, or an ending with its dot.
    pub fn parse(word: &str) -> Option<Accept> {
        if let Some(ending) = word.strip_prefix('.') {
            let plain = !ending.is_empty() && ending.len() <= 12 && ending.chars().all(|c| c.is_ascii_alphanumeric());
            return plain.then(|| Accept::Extension(ending.to_ascii_lowercase().into()));
        }
        KINDS.iter().find(|row| row.word == word).map(|row| Accept::Kind(row.kind))
    }

    fn takes(&self, file: &File) -> bool {
        match self {
            Accept::Kind(kind) => kind.row().media.contains(&&*file.media),
            Accept::Extension(ending) => file.extension() == **ending,
        }
    }

    fn words(&self) -> Wording {
        match self {
            Accept::Kind(kind) => Wording::new(kind.row().title.0, kind.row().title.1),
            Accept::Extension(ending) => Wording::new(format!(".{ending}"), format!(".{ending}")),
        }
    }
}

impl Kind {
    fn row(self) -> &'static KindRow {
        // The table has a row a kind; its first is never the wrong one for want of another.
        KINDS.iter().find(|row| row.kind == self).unwrap_or(&KINDS[0])
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

/// What a file looks like: by how it begins, and where that says little by its name.
fn media_of(name: &str, head: &[u8]) -> &'static str {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let at = |from: usize, magic: &[u8]| head.get(from..from + magic.len()) == Some(magic);
    let ending = extension(name);
    let office = |index: usize| match ending.as_str() {
        "docx" | "doc" | "wps" | "odt" => WORD.get(index),
        "xlsx" | "xls" | "et" | "ods" => EXCEL.get(index),
        "pptx" | "ppt" | "dps" | "odp" => POWERPOINT.get(index),
        _ => None,
    };
    if starts(b"%PDF-") {
        "application/pdf"
    } else if starts(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if starts(b"\xff\xd8\xff") {
        "image/jpeg"
    } else if starts(b"GIF87a") || starts(b"GIF89a") {
        "image/gif"
    } else if starts(b"RIFF") && at(8, b"WEBP") {
        "image/webp"
    } else if at(4, b"ftyp") && [&b"heic"[..], b"heix", b"mif1", b"msf1"].iter().any(|brand| at(8, brand)) {
        "image/heic"
    } else if starts(b"BM") && ending == "bmp" {
        "image/bmp"
    } else if starts(b"II*\0") || starts(b"MM\0*") {
        "image/tiff"
    } else if starts(b"PK\x03\x04") {
        let index = if ending.starts_with("od") { 2 } else { 0 };
        office(index).copied().unwrap_or("application/zip")
    } else if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        office(1).copied().unwrap_or("application/octet-stream")
    } else if Kind::Text.row().endings.contains(&ending.as_str()) && !head.contains(&0) {
        "text/plain"
    } else {
        "application/octet-stream"
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
    fn what_a_file_is_follows_from_its_bytes() {
        let media = |name: &str, head: &[u8]| file(name, 9, head).media;
        assert_eq!(&*media("x.exe", b"%PDF-1.7"), "application/pdf");
        assert_eq!(&*media("x.pdf", b"MZ\x90\0"), "application/octet-stream");
        assert_eq!(&*media("x.docx", b"PK\x03\x04...."), WORD[0]);
        assert_eq!(&*media("x.docx", b"hello"), "application/octet-stream");
        assert_eq!(&*media("x.zip", b"PK\x03\x04...."), "application/zip");
        assert_eq!(&*media("x.html", b"<script>"), "application/octet-stream");
        assert_eq!(&*media("x.svg", b"<svg "), "application/octet-stream");
        assert_eq!(&*media("x.txt", b"<script>"), "text/plain");
    }

    #[test]
    fn a_field_refuses_what_it_does_not_take() {
        let rule = FileRule { size: Some(MB), accept: vec![Accept::Kind(Kind::Pdf), Accept::parse(".DWG").unwrap()] };
        assert_eq!(rule.refuses(&file("a.pdf", 9, b"%PDF-")), None);
        assert_eq!(rule.refuses(&file("a.DWG", 9, b"AC1027")), None);
        let what = rule.refuses(&file("a.pdf", 9, b"MZ")).unwrap();
        assert_eq!(what.zh, "“a.pdf”不是这里要的文件，这里收：PDF、.dwg。");
        assert!(rule.refuses(&file("a.pdf", 0, b"")).unwrap().en.contains("empty"));
        assert!(rule.refuses(&file("a.pdf", MB + 1, b"%PDF-")).unwrap().en.contains("at most 1 MB"));
        assert_eq!(FileRule::default().limit(), USUAL_SIZE);
        assert_eq!(Accept::parse("exe"), None);
        assert_eq!(rule.endings(), [".pdf", ".dwg"]);
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
