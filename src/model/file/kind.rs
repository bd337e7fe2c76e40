//! What a file is, and what a field takes: judged by how its bytes begin, helped by its name where many kinds share one
//! wrapping.

use super::{File, MOST_SIZE, USUAL_SIZE, empty_file, extension, size_words};
use crate::model::text::Wording;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

/// What a file looks like: by how it begins, and where that says little by its name.
pub(super) fn media_of(name: &str, head: &[u8]) -> &'static str {
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

/// What files that end so usually are, for one that has no bytes.
pub(super) fn media_named(ending: &str) -> &'static str {
    let row = KINDS.iter().find(|row| row.endings.contains(&ending));
    let media = row.and_then(|row| {
        let same = row.media.iter().find(|media| media.split_once('/').is_some_and(|(_, kind)| kind == ending));
        same.or_else(|| row.media.first())
    });
    media.copied().unwrap_or("application/octet-stream")
}

#[cfg(test)]
mod tests {
    use super::super::{Hash, MB};
    use super::*;

    fn file(name: &str, size: u64, head: &[u8]) -> File {
        File::new(name, size, Hash([7; 32]), head)
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
    fn a_made_up_file_is_what_its_name_says() {
        let media = |name: &str| File::made_up(name, 9).media;
        assert_eq!(&*media("a.pdf"), "application/pdf");
        assert_eq!(&*media("a.PNG"), "image/png");
        assert_eq!(&*media("a.jpg"), "image/jpeg");
        assert_eq!(&*media("a.xlsx"), EXCEL[0]);
        assert_eq!(&*media("a.exe"), "application/octet-stream");
    }
}
