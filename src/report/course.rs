//! How a process went, as a sheet: every word and number that any format shows.

use super::csv::csv;
use super::number::length;
use super::page;
use crate::effects::format::{Words, clean_line};
use crate::measure::process::{Course, Spread};
use crate::model::definition::Definition;
use crate::model::metric::Period;
use chrono::NaiveDate;
use serde_json::{Value as Json, json};

/// A report of a process.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// What it is, for its head.
    pub title: String,
    /// Which process.
    pub process: String,
    /// Which period; all time where `None`.
    pub period: Option<Period>,
    /// The day up to which it goes, where the period has not ended.
    pub so_far: Option<NaiveDate>,
    /// What has to be said beside the numbers.
    pub notes: Vec<String>,
    /// Where cases wait longest, in a sentence; empty where none has waited.
    pub slowest: String,
    /// The figures of the whole: what, how much.
    pub facts: Vec<(String, String)>,
    /// The steps that wait.
    pub steps: Vec<StepRow>,
    /// What was measured.
    pub course: Course,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRow {
    /// Its name.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// How long it waits.
    pub waited: Option<Spread>,
    /// In words: half of them, nine of ten.
    pub median: String,
    /// Nine of ten.
    pub most: String,
    /// How often.
    pub count: u64,
    /// How many of those with a due time were late: `3 / 40`; empty where it has none.
    pub late: String,
    /// How many wait there.
    pub open: u64,
    /// Whether cases wait longest here.
    pub slowest: bool,
}

impl Sheet {
    /// Says it in the reader's words. Steps are called as the live definition does.
    pub fn of(
        course: Course,
        definition: &Definition,
        period: Option<Period>,
        today: NaiveDate,
        words: &Words<'_>,
    ) -> Sheet {
        let lang = words.lang;
        let process = clean_line(definition.title.get(lang));
        let so_far = period.filter(|period| period.holds(today)).map(|_| today);
        let mut notes = Vec::new();
        if let (Some(period), Some(today)) = (period, so_far) {
            let named = period.words();
            let (zh, en) = (
                format!("{}还没有结束：数字到 {} 为止。", named.zh, words.day(today)),
                format!("{} has not ended: the figures are so far, up to {}.", named.en, words.day(today)),
            );
            notes.push(words.pick(&zh, &en).to_owned());
        }
        if course.is_empty() {
            let none = match period {
                Some(_) => words.pick("这个期间没有数据。", "There is no data of this period."),
                None => words.pick("还没有人发起过。", "No case was started yet."),
            };
            notes.push(none.to_owned());
        }
        let said = |minutes: i64| length(minutes, course.day, lang);
        let slowest = course.slowest().map(|(step, share)| {
            let (title, median) = (
                words.step(definition, &step.step),
                step.waited.map_or_else(String::new, |waited| said(waited.median)),
            );
            let (zh, en) = (
                format!("等待最久的是“{title}”：占全部等待时间的 {share} %，一半在 {median}以内。"),
                format!("Cases wait longest at “{title}”: {share} % of all waiting, half of them within {median}."),
            );
            words.pick(&zh, &en).to_owned()
        });
        let longest = course.slowest().map(|(step, _)| step.step.clone());
        let steps = course.steps.iter().map(|step| StepRow {
            id: step.step.to_string(),
            title: words.step(definition, &step.step),
            waited: step.waited,
            median: step.waited.map(|waited| said(waited.median)).unwrap_or_default(),
            most: step.waited.map(|waited| said(waited.most)).unwrap_or_default(),
            count: step.waited.map_or(0, |waited| waited.count),
            late: if step.due > 0 { format!("{} / {}", step.late, step.due) } else { String::new() },
            open: step.open,
            slowest: longest.as_ref() == Some(&step.step),
        });
        let steps = steps.collect();
        let name =
            period.map_or_else(|| (String::new(), String::new()), |period| (period.words().zh, period.words().en));
        let (zh, en) = match period {
            Some(_) => (format!("{process} · {}", name.0), format!("{process}, {}", name.1)),
            None => (process.clone(), process.clone()),
        };
        Sheet {
            title: words.pick(&zh, &en).to_owned(),
            process: definition.process.to_string(),
            period,
            so_far,
            notes,
            slowest: slowest.unwrap_or_default(),
            facts: facts(&course, definition, words),
            steps,
            course,
        }
    }

    /// The titles of the columns of the steps.
    pub fn columns(words: &Words<'_>) -> [&'static str; 6] {
        [
            words.pick("步骤", "STEP"),
            words.pick("次数", "TIMES"),
            words.pick("一半以内", "MEDIAN"),
            words.pick("九成以内", "90 %"),
            words.pick("逾期", "LATE"),
            words.pick("正在等", "WAITING"),
        ]
    }

    /// As comma-separated values, a row a step; lengths in minutes.
    pub fn csv(&self, words: &Words<'_>) -> String {
        let head = [
            ("步骤", "step"),
            ("名称", "title"),
            ("次数", "times"),
            ("中位数（分钟）", "median (minutes)"),
            ("九成以内（分钟）", "90 % (minutes)"),
            ("逾期", "late"),
            ("有期限", "with due time"),
            ("正在等", "waiting"),
        ];
        let mut rows = vec![head.map(|(zh, en)| words.pick(zh, en).to_owned()).to_vec()];
        for (row, step) in self.steps.iter().zip(&self.course.steps) {
            let of = |pick: fn(&Spread) -> i64| {
                row.waited.as_ref().map(|waited| pick(waited).to_string()).unwrap_or_default()
            };
            rows.push(vec![
                row.id.clone(),
                row.title.clone(),
                row.count.to_string(),
                of(|waited| waited.median),
                of(|waited| waited.most),
                step.late.to_string(),
                step.due.to_string(),
                row.open.to_string(),
            ]);
        }
        csv(&rows)
    }

    /// For programs; lengths in minutes.
    pub fn json(&self) -> Json {
        let spread = |spread: &Option<Spread>| {
            spread.as_ref().map(|spread| json!({ "count": spread.count, "median": spread.median, "p90": spread.most }))
        };
        let course = &self.course;
        let ended: serde_json::Map<String, Json> =
            course.ended.iter().map(|(outcome, count)| (outcome.to_string(), json!(count))).collect();
        let steps: Vec<Json> = self
            .steps
            .iter()
            .zip(&course.steps)
            .map(|(row, step)| {
                json!({
                    "step": row.id,
                    "title": row.title,
                    "waited": spread(&row.waited),
                    "total": step.total,
                    "due": step.due,
                    "late": step.late,
                    "waiting": row.open,
                })
            })
            .collect();
        json!({
            "process": self.process,
            "period": self.period.map(|period| period.to_string()),
            "so_far": self.so_far.map(|day| day.to_string()),
            "working_time": course.day.is_some(),
            "started": course.started,
            "open": course.open,
            "ended": ended,
            "lead": spread(&course.lead),
            "returned": course.returned,
            "due": course.due,
            "late": course.late,
            "slowest": course.slowest().map(|(step, share)| json!({ "step": step.step.as_str(), "percent": share })),
            "steps": steps,
        })
    }

    /// As a page that stands alone.
    pub fn html(&self, words: &Words<'_>) -> String {
        page::course(self, words)
    }
}

fn facts(course: &Course, definition: &Definition, words: &Words<'_>) -> Vec<(String, String)> {
    let said = |minutes: i64| length(minutes, course.day, words.lang);
    let share = |part: u64, of: u64| {
        let percent = (part * 100 + of / 2).checked_div(of).unwrap_or(0);
        let (zh, en) = (format!("{percent} %（{part} / {of}）"), format!("{percent} % ({part} / {of})"));
        words.pick(&zh, &en).to_owned()
    };
    let mut facts = vec![
        (words.pick("发起", "Started").to_owned(), course.started.to_string()),
        (words.pick("未结束", "Open").to_owned(), course.open.to_string()),
    ];
    for (outcome, count) in &course.ended {
        let (zh, en) = (
            format!("结束：{}", words.ending(definition, outcome)),
            format!("Ended: {}", words.ending(definition, outcome)),
        );
        facts.push((words.pick(&zh, &en).to_owned(), count.to_string()));
    }
    if let Some(lead) = course.lead {
        facts
            .push((words.pick("从发起到结束，一半在", "From start to end, half within").to_owned(), said(lead.median)));
        facts.push((words.pick("九成在", "Nine of ten within").to_owned(), said(lead.most)));
    }
    if course.done() > 0 {
        facts.push((
            words.pick("退回过的", "Sent back at least once").to_owned(),
            share(course.returned, course.done()),
        ));
    }
    if course.due > 0 {
        facts.push((words.pick("逾期的步骤", "Steps answered late").to_owned(), share(course.late, course.due)));
    }
    facts
}
