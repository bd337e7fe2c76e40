//! The tutorials and the README played from the first line to the last: what they say to write is written, what they
//! say to type is typed into a real shell, and every line that they show comes in that order.
//!
//! Blocks of `yaml` are `processes/gift.yaml`, those of `yaml test` its tests. `console without start` is typed
//! with the process as it is without that line, and leaves it. `…` stands for lines that are not shown; an output
//! may also be shown in part. The README is played among the shipped processes, `console misspelt` with its own process
//! in which a name is. Blocks of `text` are not played. Times, durations and versions are not compared, and 2026 is the year of the test.

use crate::documents::{Block, blocks};
use crate::support::project;
use chrono::Datelike;
use countersign::runtime::Clock;
use regex_lite::Regex;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder in which a reader follows a tutorial.
struct Reader {
    folder: PathBuf,
    lang: &'static str,
}

impl Reader {
    /// Types one line; all that it says, errors too.
    fn types(&mut self, line: &str) -> String {
        if let Some(folder) = line.strip_prefix("cd ") {
            self.folder.push(folder);
            return String::new();
        }
        let binary = Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap();
        let said = Command::new("sh")
            .args(["-c", &format!("{{ {line}; }} 2>&1")])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", binary.display()))
            .env("COUNTERSIGN_LANG", self.lang)
            .output()
            .unwrap();
        String::from_utf8(said.stdout).unwrap()
    }

    fn writes(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join("processes").join(name), text).unwrap();
    }

    fn plays(&mut self, at: &str, block: &str) {
        let mut lines = block.lines().peekable();
        while let Some(line) = lines.next() {
            let mut command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("{at}: no command: {line}")).to_owned();
            while command.ends_with('\\') {
                command = format!("{command}\n{}", lines.next().unwrap_or_default());
            }
            let said = self.types(&command);
            let comparable = comparable();
            let mut rest = said.lines().map(&comparable);
            while let Some(shown) = lines.next_if(|line| !line.starts_with("$ ")) {
                if shown != "…" && shown != "..." {
                    let found = rest.any(|line| line == comparable(shown));
                    assert!(found, "{at}: `{command}` does not say\n{shown}\nbut:\n{said}");
                }
            }
        }
    }
}

/// A line without what is another one every day.
fn comparable() -> impl Fn(&str) -> String {
    let masks = [
        (r"\d+(\.\d+)? (ms|s|毫秒|秒)\b", "[took]"),
        (r"\b[0-9a-f]{8}\b", "[version]"),
        (r"\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December)( \d{4})? \d\d:\d\d", "[time]"),
        (r"(\d{4}年)?\d{1,2}月\d{1,2}日 \d\d:\d\d", "[time]"),
        (r" {2,}", "  "),
    ]
    .map(|(pattern, mask)| (Regex::new(pattern).unwrap(), mask));
    move |line| {
        masks
            .iter()
            .fold(line.to_owned(), |line, (pattern, mask)| pattern.replace_all(&line, *mask).trim_end().to_owned())
    }
}

fn follow(page: &str, lang: &'static str) {
    let home = tempfile::tempdir().unwrap();
    let mut reader = Reader { folder: home.path().to_owned(), lang };
    let this_year = format!("-{}-", Clock::System.now().year());
    let (mut played, mut process) = (0, String::new());
    for Block { line, kind, text } in blocks(page) {
        let at = format!("{page}:{line}");
        let text = text.replace("-2026-0", &format!("{this_year}0"));
        match kind.as_str() {
            "yaml" => {
                reader.writes("gift.yaml", &text);
                process = text;
            }
            "yaml test" => reader.writes("gift.test.yaml", &text),
            "console" => reader.plays(&at, &text),
            "console without start" => {
                let without: String = process
                    .lines()
                    .filter(|line| !line.starts_with("start:"))
                    .map(|line| format!("{line}\n"))
                    .collect();
                reader.writes("gift.yaml", &without);
                reader.plays(&at, &text);
                reader.writes("gift.yaml", &process);
            }
            _ => continue,
        }
        played += 1;
    }
    assert!(played >= 20, "{page}: only {played} blocks were played");
}

/// Copies what lies in a folder, one level deep.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn the_readme_says_what_happens() {
    let home = tempfile::tempdir().unwrap();
    let (shipped, own) = (home.path().join("shipped"), home.path().join("own"));
    copy(&project("processes"), &shipped.join("processes"));
    copy(&project("templates"), &shipped.join("templates"));
    std::fs::create_dir_all(own.join("processes")).unwrap();
    for file in ["directory.yaml", "china-2026.yaml"] {
        std::fs::copy(shipped.join("processes").join(file), own.join("processes").join(file)).unwrap();
    }
    let mut among = Reader { folder: shipped, lang: "en" };
    let mut own = Reader { folder: own, lang: "en" };
    let this_year = format!("LP-{}-", Clock::System.now().year());
    let (mut played, mut process) = (0, String::new());
    for Block { line, kind, text } in blocks("README.md") {
        let at = format!("README.md:{line}");
        match kind.as_str() {
            "yaml" => process = text,
            "console" => among.plays(&at, &text.replace("LP-2026-", &this_year)),
            "console misspelt" => {
                own.writes("gift.yaml", &process.replace("when: total", "when: totl"));
                own.plays(&at, &text);
            }
            _ => continue,
        }
        played += 1;
    }
    assert!(played >= 5, "only {played} blocks were played");
}

#[test]
fn the_english_tutorial_says_what_happens() {
    follow("docs/tutorial.md", "en");
}

#[test]
fn the_chinese_tutorial_says_what_happens() {
    follow("docs/tutorial.zh.md", "zh");
}
