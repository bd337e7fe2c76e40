//! Measured metrics as a sheet: every word and number that any format shows.

use super::csv::csv;
use super::number::{exact, figure, plain};
use super::page;
use crate::effects::format::{Words, clean_line};
use crate::measure::kpi::{Figure, Measured};
use crate::model::metric::{Better, Dimension, Metric, Period, ReadAs};
use crate::model::value::Value;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

/// A report of metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// What it is, for its head.
    pub title: String,
    /// Which period.
    pub period: Period,
    /// The day up to which it goes, where the period has not ended.
    pub so_far: Option<NaiveDate>,
    /// What has to be said beside the numbers, such as that the period has not ended.
    pub notes: Vec<String>,
    /// What it is broken down by.
    pub by: Option<String>,
    /// A row a metric.
    pub rows: Vec<Row>,
    /// The titles of the metrics that are not measured in such a period.
    pub not_measured: Vec<String>,
    /// Those in a sentence; empty where there are none.
    pub aside: String,
}

/// One metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it came to.
    pub figure: Shown,
    /// What is wanted, as a number and in words.
    pub target: Option<(Decimal, String)>,
    /// Whether less is better.
    pub less: bool,
    /// The periods, oldest first; the last is the one of the report.
    pub trend: Vec<(String, Shown)>,
    /// What the breakdown is called; `None` where the metric has none of that name.
    pub dimension: Option<String>,
    /// Its parts.
    pub parts: Vec<(String, Shown)>,
}

/// A figure in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The number.
    pub value: Option<Decimal>,
    /// As it is read; says so where there is no data.
    pub words: String,
    /// How it comes about: `36 ÷ 38`; empty where there is nothing to divide.
    pub of: String,
    /// What was counted.
    pub numerator: Decimal,
    /// What it is a share of.
    pub denominator: Option<Decimal>,
    /// Whether it is as good as wanted.
    pub met: Option<bool>,
    /// How many cases could not be computed.
    pub left_out: usize,
    /// That in words, with the first of them and why; empty where there are none.
    pub note: String,
}

impl Shown {
    /// Whether the target was met, in a word.
    pub fn verdict(&self, words: &Words<'_>) -> &'static str {
        match self.met {
            Some(true) => words.pick("达标", "met"),
            Some(false) => words.pick("未达标", "missed"),
            None => "",
        }
    }
}

impl Row {
    /// What fills a column of its trend: the largest value, or its target.
    pub fn most(&self) -> Decimal {
        let values = self.trend.iter().filter_map(|(_, shown)| shown.value);
        values.chain(self.target.as_ref().map(|(target, _)| *target)).max().unwrap_or_default()
    }
}

/// What a sheet is made of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What was measured.
    pub measured: &'a [Measured],
    /// In which period.
    pub period: Period,
    /// What it is broken down by.
    pub by: Option<&'a str>,
    /// The metrics that are not measured in such a period.
    pub not_measured: &'a [Metric],
    /// What day it is.
    pub today: NaiveDate,
}

impl Sheet {
    /// Says it in the reader's words.
    pub fn of(subject: &Subject<'_>, words: &Words<'_>) -> Sheet {
        let period = subject.period;
        let named = period.words();
        let so_far = period.holds(subject.today).then_some(subject.today);
        let mut notes = Vec::new();
        if let Some(today) = so_far {
            let (zh, en) = (
                format!("{}还没有结束：数字到 {} 为止。", named.zh, words.day(today)),
                format!("{} has not ended: the figures are so far, up to {}.", named.en, words.day(today)),
            );
            notes.push(words.pick(&zh, &en).to_owned());
        }
        let rows: Vec<Row> = subject.measured.iter().map(|measured| row(measured, subject.by, words)).collect();
        let by = rows.iter().find_map(|row| row.dimension.clone());
        let not_measured: Vec<String> =
            subject.not_measured.iter().map(|metric| clean_line(metric.title.get(words.lang))).collect();
        let mut aside = String::new();
        if !not_measured.is_empty() {
            let every = period.every().words();
            let (zh, en) = (
                format!("不按{}统计：{}。", every.zh, not_measured.join("、")),
                format!("Not measured by {}: {}.", every.en, not_measured.join(", ")),
            );
            words.pick(&zh, &en).clone_into(&mut aside);
        }
        let (zh, en) = (format!("{}指标", named.zh), format!("Key figures, {}", named.en));
        Sheet { title: words.pick(&zh, &en).to_owned(), period, so_far, notes, by, rows, not_measured, aside }
    }

    /// As comma-separated values, with a row of titles.
    pub fn csv(&self, words: &Words<'_>) -> String {
        let head = [
            ("指标", "metric"),
            ("名称", "title"),
            ("期间", "period"),
            ("细分", "part"),
            ("实际", "actual"),
            ("目标", "target"),
            ("是否达标", "met"),
            ("分子", "numerator"),
            ("分母", "denominator"),
            ("未计入的案例", "left out"),
        ];
        let mut rows = vec![head.map(|(zh, en)| words.pick(zh, en).to_owned()).to_vec()];
        for row in &self.rows {
            let mut add = |period: String, part: &str, shown: &Shown, target: bool| {
                let target = row.target.as_ref().filter(|_| target).map(|(target, _)| exact(*target));
                rows.push(vec![
                    row.name.clone(),
                    row.title.clone(),
                    period,
                    part.to_owned(),
                    shown.value.map(exact).unwrap_or_default(),
                    target.unwrap_or_default(),
                    shown
                        .met
                        .map(|met| words.pick(if met { "是" } else { "否" }, if met { "yes" } else { "no" }))
                        .unwrap_or_default()
                        .to_owned(),
                    exact(shown.numerator),
                    shown.denominator.map(exact).unwrap_or_default(),
                    shown.left_out.to_string(),
                ]);
            };
            for (label, shown) in &row.trend {
                add(label.clone(), "", shown, true);
            }
            for (label, shown) in &row.parts {
                add(self.period.to_string(), label, shown, shown.met.is_some());
            }
        }
        csv(&rows)
    }

    /// For programs: numbers are decimal texts, so that none is rounded on the way.
    pub fn json(&self) -> Json {
        let shown = |shown: &Shown| {
            json!({
                "value": shown.value.map(exact),
                "met": shown.met,
                "numerator": exact(shown.numerator),
                "denominator": shown.denominator.map(exact),
                "left_out": shown.left_out,
            })
        };
        let with = |key: &str, label: &str, mut object: Json| {
            object[key] = json!(label);
            object
        };
        let row = |row: &Row| {
            let mut object = shown(&row.figure);
            object["name"] = json!(row.name);
            object["title"] = json!(row.title);
            object["target"] = json!(row.target.as_ref().map(|(target, _)| exact(*target)));
            object["better"] = json!(if row.less { "less" } else { "more" });
            object["periods"] = row.trend.iter().map(|(label, figure)| with("period", label, shown(figure))).collect();
            if row.dimension.is_some() {
                object["parts"] = row.parts.iter().map(|(label, figure)| with("part", label, shown(figure))).collect();
            }
            object
        };
        json!({
            "period": self.period.to_string(),
            "from": self.period.first().to_string(),
            "to": self.period.last().to_string(),
            "so_far": self.so_far.map(|day| day.to_string()),
            "by": self.by,
            "metrics": self.rows.iter().map(row).collect::<Vec<_>>(),
            "not_measured": self.not_measured,
        })
    }

    /// As a page that stands alone.
    pub fn html(&self, words: &Words<'_>) -> String {
        page::kpi(self, words)
    }
}

fn row(measured: &Measured, by: Option<&str>, words: &Words<'_>) -> Row {
    let metric = &measured.metric;
    let reading = &metric.reading;
    let shown = |figure: &Figure| shown(figure, measured, words);
    let dimension = by.and_then(|by| metric.by.get(by));
    let wanted = measured.wants_parts();
    let piece = |figure: &Figure| {
        let shown = shown(figure);
        Shown { met: shown.met.filter(|_| wanted), ..shown }
    };
    let mut parts: Vec<(String, Shown)> = dimension
        .map(|dimension| {
            measured.parts.iter().map(|(value, figure)| (part(value, dimension, words), piece(figure))).collect()
        })
        .unwrap_or_default();
    // The largest first: that is what is looked for.
    parts.sort_by(|a, b| b.1.value.cmp(&a.1.value).then_with(|| a.0.cmp(&b.0)));
    Row {
        name: metric.name.to_string(),
        title: clean_line(metric.title.get(words.lang)),
        figure: shown(&measured.figure().cloned().unwrap_or_default()),
        target: measured.target().map(|target| (target, figure(reading, target, words))),
        less: metric.better == Better::Less,
        trend: measured.periods.iter().map(|(period, figure)| (period.to_string(), shown(figure))).collect(),
        dimension: dimension.map(|dimension| clean_line(dimension.title.get(words.lang))),
        parts,
    }
}

fn shown(found: &Figure, measured: &Measured, words: &Words<'_>) -> Shown {
    let reading = &measured.metric.reading;
    let money = matches!(reading, ReadAs::Money);
    let side = |value: Decimal| if money { figure(reading, value, words) } else { plain(value) };
    let text = match found.value {
        Some(value) => figure(reading, value, words),
        None => words.pick("没有数据", "no data").to_owned(),
    };
    let nothing = |below: Decimal| below.is_zero() && found.numerator.is_zero();
    let of = found.denominator.filter(|below| !nothing(*below));
    let of = of.map(|below| format!("{} ÷ {}", side(found.numerator), side(below)));
    Shown {
        value: found.value,
        words: text,
        of: of.unwrap_or_default(),
        numerator: found.numerator,
        denominator: found.denominator,
        met: measured.met(found),
        left_out: found.left_out,
        note: note(found, words),
    }
}

fn note(found: &Figure, words: &Words<'_>) -> String {
    let Some((number, why)) = &found.such_as else { return String::new() };
    let count = found.left_out;
    let (named_zh, named_en) = if number.is_empty() {
        (String::new(), String::new())
    } else {
        (format!("如 {number}，"), format!("such as {number}, "))
    };
    let zh = format!("{count} 件没有计入：{named_zh}{}", why.zh);
    let en = format!("{count} left out: {named_en}{}", why.en);
    clean_line(words.pick(&zh, &en))
}

/// What a part is called. A person who is in the directory no more is said to be so.
fn part(value: &Value, dimension: &Dimension, words: &Words<'_>) -> String {
    match value {
        Value::Null => words.pick("未注明", "not said").to_owned(),
        Value::Text(text) => match dimension.options.get(text) {
            Some(title) => clean_line(title.get(words.lang)),
            None => clean_line(text),
        },
        Value::Person(id) if !words.directory.people.contains_key(id) => {
            let (zh, en) = (format!("{id}（已离开）"), format!("{id} (has left)"));
            clean_line(words.pick(&zh, &en))
        }
        value => words.value(None, value),
    }
}
