//! The author's guide shows the shipped files as they are: every excerpt stands in its file, line by line.
//!
//! A fence names the file: `yaml processes/gift.yaml`. How deep an excerpt stands in the file does not matter.

use crate::support::project;

const PAGES: [&str; 2] = ["docs/guide/README.md", "docs/guide/README.zh.md"];

struct Excerpt {
    line: usize,
    file: String,
    text: String,
}

fn excerpts(page: &str) -> Vec<Excerpt> {
    let mut found: Vec<Excerpt> = Vec::new();
    let mut open = false;
    for (number, line) in page.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(fence) => {
                let file = fence.split_once(' ').map_or("", |(_, file)| file);
                if file.contains('/') {
                    open = true;
                    found.push(Excerpt { line: number + 1, file: file.to_owned(), text: String::new() });
                }
            }
            None if open => {
                if let Some(excerpt) = found.last_mut() {
                    excerpt.text.push_str(line);
                    excerpt.text.push('\n');
                }
            }
            None => {}
        }
    }
    found
}

/// Lines without the indentation that all of them have.
fn flush(lines: &[&str]) -> Vec<String> {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let least = lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    lines.iter().map(|line| line.get(least..).unwrap_or("").to_owned()).collect()
}

#[test]
fn excerpts_of_the_guide_are_what_the_files_say() {
    for page in PAGES {
        let text = std::fs::read_to_string(project(page)).expect("the guide");
        let found = excerpts(&text);
        assert!(found.len() > 15, "{page} shows the files");
        for excerpt in found {
            let file = std::fs::read_to_string(project(&excerpt.file))
                .unwrap_or_else(|_| panic!("{page}:{}: there is no {}", excerpt.line, excerpt.file));
            let lines: Vec<&str> = file.lines().collect();
            let wanted: Vec<&str> = excerpt.text.lines().collect();
            let stands = lines.windows(wanted.len()).any(|part| flush(part) == flush(&wanted));
            assert!(stands, "{page}:{}: not what {} says:\n{}", excerpt.line, excerpt.file, excerpt.text);
        }
    }
}

#[test]
fn the_guide_shows_the_same_in_both_languages() {
    let shown = |page: &str| {
        let text = std::fs::read_to_string(project(page)).expect("the guide");
        let yaml = excerpts(&text).into_iter().filter(|one| one.file.ends_with(".yaml"));
        yaml.map(|one| (one.file, one.text)).collect::<Vec<_>>()
    };
    assert_eq!(shown(PAGES[0]), shown(PAGES[1]));
}
