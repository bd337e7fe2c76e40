//! Reports: the same recorded year as a page, CSV and JSON in both languages, as golden files; and what the shell says
//! of periods, metrics and dimensions that there are not.

use crate::support;
use countersign::effects::format::Words;
use countersign::measure::kpi::{Asked, Counting, Measured};
use countersign::measure::process::Following;
use countersign::model::metric::{Metric, Period};
use countersign::model::text::Lang;
use countersign::report::kpi::{Sheet, Subject};
use countersign::{compile::Compiled, model::time::Calendar};

/// The project of the golden reports.
fn project() -> Compiled {
    let paths = support::files(&support::project("tests/reports/processes"), ".yaml");
    let files: Vec<(String, String)> =
        paths.iter().map(|path| (support::name(path), std::fs::read_to_string(path).unwrap())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let compiled = support::compile(&files);
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.render(Lang::En));
    compiled
}

fn measured(compiled: &Compiled, metrics: &[Metric], period: Period, now: &str, by: Option<&str>) -> Vec<Measured> {
    let directory = compiled.directory.as_ref().unwrap();
    let calendar = compiled.calendar.as_ref().unwrap();
    let asked = Asked { metrics, period, trend: 3, by, directory, calendar, now: now.parse().unwrap() };
    let mut counting = Counting::new(asked);
    compiled.recorded.iter().flat_map(|recorded| &recorded.cases).for_each(|case| counting.add(case));
    counting.finish()
}

fn sheet(compiled: &Compiled, period: &str, now: &str, by: Option<&str>, lang: Lang) -> (Sheet, String, String) {
    let period: Period = period.parse().unwrap();
    let (metrics, not_measured): (Vec<Metric>, Vec<Metric>) =
        compiled.metrics.iter().cloned().partition(|metric| metric.periods.contains(&period.every()));
    let measured = measured(compiled, &metrics, period, now, by);
    let calendar = compiled.calendar.as_ref().unwrap();
    let now = now.parse().unwrap();
    let words = Words {
        lang,
        zone: calendar.zone,
        home: calendar.zone,
        now,
        directory: compiled.directory.as_ref().unwrap(),
        live: &[],
    };
    let today = calendar.today(now);
    let subject = Subject { measured: &measured, period, by, not_measured: &not_measured, today };
    let sheet = Sheet::of(&subject, &words);
    let (csv, html) = (sheet.csv(&words), sheet.html(&words));
    (sheet, csv, html)
}

#[test]
fn a_report_reads_as_written_down() {
    let compiled = project();
    for lang in [Lang::Zh, Lang::En] {
        let (sheet, csv, html) = sheet(&compiled, "2026-Q3", "2026-10-08T01:00:00Z", Some("person"), lang);
        let file = |ending: &str| support::project(&format!("tests/reports/kpi.{}.{ending}", lang.tag()));
        support::golden(&file("html"), &html);
        support::golden(&file("csv"), &csv);
        let json = serde_json::to_string_pretty(&sheet.json()).unwrap();
        support::golden(&file("json"), &(json + "\n"));
    }
}

#[test]
fn a_period_that_has_not_ended_says_so_and_one_without_data_has_no_value() {
    let compiled = project();
    let (sheet_now, ..) = sheet(&compiled, "2026-Q3", "2026-08-15T01:00:00Z", None, Lang::En);
    assert_eq!(sheet_now.so_far.unwrap().to_string(), "2026-08-15");
    assert!(sheet_now.notes[0].contains("so far, up to Saturday, 15 August 2026"), "{:?}", sheet_now.notes);
    let (before, _, html) = sheet(&compiled, "2024-Q1", "2026-08-15T01:00:00Z", None, Lang::En);
    for row in &before.rows {
        assert_eq!((row.figure.words.as_str(), row.figure.met), ("no data", None), "{}", row.name);
        assert_eq!(row.figure.of, "", "never 0 ÷ 0");
    }
    assert!(!html.contains("NaN") && html.contains("no data"));
}

#[test]
fn who_has_left_is_named_so_and_a_case_that_cannot_be_counted_is_named() {
    let mut compiled = project();
    compiled.directory.as_mut().unwrap().people.retain(|id, _| id.as_str() != "smith");
    let (sheet, ..) = sheet(&compiled, "2026-Q3", "2026-10-08T01:00:00Z", Some("person"), Lang::Zh);
    let row = |name: &str| sheet.rows.iter().find(|row| row.name == name).unwrap();
    let labels: Vec<&str> = row("service_cost").parts.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["何婷", "张磊", "smith（已离开）"]);
    assert_eq!(row("service_cost").figure.note, "1 件没有计入：`cost` 没有值");
    let lost = row("customers_lost");
    assert_eq!((lost.figure.words.as_str(), lost.figure.met), ("3 家", Some(false)));
}

#[test]
fn where_cases_wait_longest_is_a_sentence() {
    let compiled = project();
    let calendar = Calendar::default();
    let following = Following::new(None, &calendar, "2026-10-08T01:00:00Z".parse().unwrap());
    let course = following.finish();
    assert!(course.is_empty() && course.slowest().is_none());
    let words = Words {
        lang: Lang::En,
        zone: calendar.zone,
        home: calendar.zone,
        now: "2026-10-08T01:00:00Z".parse().unwrap(),
        directory: compiled.directory.as_ref().unwrap(),
        live: &[],
    };
    let definition = compiled.definition("visit").unwrap();
    let sheet = countersign::report::course::Sheet::of(course, definition, None, calendar.today(words.now), &words);
    assert_eq!(sheet.notes, ["No case was started yet."]);
}
