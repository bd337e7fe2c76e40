//! The shipped documents: they read without a fault, and say what the company and the State Council say.

use crate::support::{files, golden, name, project};
use chinese_holiday::{DayKind, Ymd, chinese_holiday};
use chrono::{Datelike, NaiveDate, Weekday};
use countersign::cli::letters::Written;
use countersign::compile::{self, Compiled, SourceText};
use countersign::diagnostics::{Sources, Style, render};
use countersign::effects::template::Templates;
use countersign::model::text::{Lang, Wording};
use countersign::simulate::coverage::Coverage;
use countersign::simulate::explore::explore;
use countersign::simulate::recorded::count;
use countersign::simulate::scenario::play;
use countersign::simulate::{Letter, Letters, Posted};
use countersign::syntax::{Calendar, Document, Parsed, parse};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

fn read(path: &str) -> Document {
    let mut sources = Sources::new();
    let bytes = std::fs::read(project(path)).expect("a shipped file");
    let id = sources.add_bytes(path, &bytes);
    let Parsed { document, diagnostics: found, .. } = parse(id, &sources);
    assert!(found.is_empty(), "{}", render(&found, &sources, Lang::En, Style::default()));
    document
}

#[test]
fn shipped_documents_read_without_a_fault() {
    let all = files(&project("processes"), ".yaml");
    assert!(all.len() >= 5);
    for path in &all {
        let document = read(&format!("processes/{}", name(path)));
        assert_ne!(document, Document::Unknown, "{}", path.display());
    }
}

fn shipped() -> Compiled {
    let files: Vec<SourceText> = files(&project("processes"), ".yaml")
        .into_iter()
        .map(|path| SourceText { name: name(&path), bytes: std::fs::read(&path).expect("a shipped file") })
        .collect();
    let compiled = compile::compile(files, &compile::NoTemplates);
    assert!(!compiled.has_errors(), "{}", compiled.render(Lang::En));
    compiled
}

/// Collects what is mailed, as everybody would read it in one language: the first mail of each kind and step.
struct Collected<'a> {
    letters: Written<'a>,
    lang: Lang,
    seen: RefCell<BTreeSet<(String, String)>>,
    texts: RefCell<BTreeMap<String, String>>,
}

impl Letters for Collected<'_> {
    fn letter(&self, posted: &Posted<'_>) -> Result<Letter, Wording> {
        self.letters.letter(posted)
    }

    fn sent(&self, posted: &Posted<'_>) {
        let mut directory = posted.directory.clone();
        for person in directory.people.values_mut() {
            person.language = self.lang;
        }
        let letter = self.letters.letter(&Posted { directory: &directory, ..*posted }).expect("a mail");
        let process = posted.case.definition.process.to_string();
        let kind = format!("{:?}", std::mem::discriminant(&posted.mail.kind));
        let first = letter.text.lines().next().unwrap_or_default();
        let about: String = first.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        if self.seen.borrow_mut().insert((process.clone(), format!("{kind} {about}"))) {
            let to = &posted.mail.to;
            let text = format!("To: {to}\nSubject: {}\n\n{}\n", letter.subject, letter.text.trim_end());
            let mut texts = self.texts.borrow_mut();
            let whole = texts.entry(process).or_default();
            if !whole.is_empty() {
                whole.push_str(&format!("\n{}\n\n", "─".repeat(72)));
            }
            whole.push_str(&text);
        }
    }
}

#[test]
fn the_mails_of_shipped_processes_read_as_a_colleague_would_write_them() {
    let compiled = shipped();
    let templates = Templates::load(&project("templates")).expect("the shipped templates");
    for (lang, code) in [(Lang::Zh, "zh"), (Lang::En, "en")] {
        let collected =
            Collected { letters: Written::new(&templates), lang, seen: RefCell::default(), texts: RefCell::default() };
        for scenario in &compiled.scenarios {
            play(scenario, &compiled, &collected, &mut Coverage::default());
        }
        for (process, text) in collected.texts.into_inner() {
            golden(&project("tests/mails/processes").join(format!("{process}.{code}.txt")), &text);
        }
    }
}

#[test]
fn the_tests_of_shipped_processes_pass_and_walk_every_step_and_branch() {
    let compiled = shipped();
    let templates = Templates::load(&project("templates")).expect("the shipped templates");
    let letters = Written::new(&templates);
    let mut coverage = Coverage::default();
    for scenario in &compiled.scenarios {
        let played = play(scenario, &compiled, &letters, &mut coverage);
        let shown = render(&played.failures, &compiled.sources, Lang::En, Style::default());
        assert!(played.failures.is_empty(), "“{}” failed:\n{shown}", scenario.title.value);
    }
    for recorded in &compiled.recorded {
        let failures = count(recorded, &compiled);
        let shown = render(&failures, &compiled.sources, Lang::En, Style::default());
        assert!(failures.is_empty(), "“{}” failed:\n{shown}", recorded.title.value);
    }
    for metric in &compiled.metrics {
        let tested = compiled.recorded.iter().any(|recorded| recorded.metric.name == metric.name);
        assert!(tested, "the metric {} has no test that is counted by hand", metric.name);
    }
    for definition in &compiled.definitions {
        let figures = coverage.figures(definition);
        assert!(figures.missing.is_empty(), "{} is not walked whole: {:?}", definition.process, figures.missing);
        // All of it was walked, so nothing of it is impossible.
        assert_eq!(explore(definition).never, [], "{}", definition.process);
    }
}

#[test]
fn the_calendar_of_2026_is_that_of_the_state_council() {
    let Document::Calendar(calendar) = read("processes/china-2026.yaml") else { panic!("a calendar") };
    let mut day = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date");
    // The oracle knows the year up to the day after Christmas Eve; after it no holiday follows.
    while day <= NaiveDate::from_ymd_opt(2026, 12, 25).expect("a date") {
        let ymd = Ymd::new(day.year() as u16, day.month() as u8, day.day() as u8);
        assert_eq!(works(&calendar, day), is_workday(chinese_holiday(ymd)), "{day}");
        day = day.succ_opt().expect("a day");
    }
}

fn works(calendar: &Calendar, day: NaiveDate) -> bool {
    let among = |days: &[countersign::syntax::Days]| days.iter().any(|run| run.from <= day && day <= run.to);
    let week = calendar.week.iter().any(|hours| hours.day == day.weekday());
    among(&calendar.working) || (week && !among(&calendar.holidays))
}

fn is_workday(kind: DayKind) -> bool {
    kind.is_workday()
}

#[test]
fn the_week_has_five_days_of_seven_and_a_half_hours() {
    let Document::Calendar(calendar) = read("processes/china-2026.yaml") else { panic!("a calendar") };
    let days: Vec<Weekday> = calendar.week.iter().map(|hours| hours.day).collect();
    assert_eq!(days, [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri]);
    for hours in &calendar.week {
        let minutes: i64 = hours.hours.iter().map(|(from, to)| (*to - *from).num_minutes()).sum();
        assert_eq!(minutes, 450);
    }
}
